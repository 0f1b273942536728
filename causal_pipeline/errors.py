"""파이프라인이 내는 오류. 메시지는 한국어이고, 무엇을 고치면 되는지로 끝납니다."""

import errno

_CAUSES = {
    errno.ENOSPC: "디스크가 가득 찼습니다",
    errno.EDQUOT: "쓸 수 있는 디스크의 한도를 넘었습니다",
    errno.EROFS: "읽기만 되는 디스크입니다",
    errno.EACCES: "권한이 없습니다",
    errno.EPERM: "권한이 없습니다",
    errno.ENAMETOOLONG: "이름이 너무 깁니다",
    errno.ENOENT: "그런 파일이나 폴더가 없습니다",
    errno.ENOTDIR: "폴더가 아닙니다",
    errno.EISDIR: "파일이 아니라 폴더입니다",
    errno.ELOOP: "기호 연결이 제자리를 돕니다",
    errno.EIO: "디스크를 읽고 쓰지 못합니다",
    errno.EMFILE: "열린 파일이 너무 많습니다",
    errno.ENOMEM: "메모리가 모자랍니다",
}


class PipelineError(ValueError):
    """사람이 고칠 수 있는 잘못.

    Attributes
    ----------
    code : str
        ``unknown_column``처럼 시험과 문서가 쓰는 이름. 잘못의 종류마다 하나입니다.
    exit_code : int
        명령의 종료 코드. 명세 2, 자료 3, 식별 거절 4, 출력 5입니다.
    line : int or None
        명세 파일의 줄(1부터). 명세와 상관없는 잘못이면 None.
    remedy : str
        고치는 법 한 문장.
    """

    exit_code = 1

    def __init__(self, code: str, message: str, remedy: str, line: int | None = None):
        super().__init__(message)
        self.code, self.message, self.remedy, self.line = code, message, remedy, line

    def __str__(self) -> str:
        where = f"{self.line}번째 줄: " if self.line else ""
        return f"{where}{self.message}\n  → {self.remedy}"


class SpecError(PipelineError):
    """명세(YAML)를 읽을 수 없거나 뜻이 통하지 않습니다."""

    exit_code = 2


class DataError(PipelineError):
    """자료를 읽을 수 없거나 명세와 어긋납니다."""

    exit_code = 3


class Refusal(PipelineError):
    """자료와 명세는 멀쩡하지만 이 물음에 답할 수 없습니다. 무엇을 재야 하는지를 ``remedy``에 적습니다."""

    exit_code = 4


class OutputError(PipelineError):
    """보고서를 쓸 수 없습니다."""

    exit_code = 5


def cause(error: OSError) -> str:
    """파일을 다루지 못한 까닭."""
    return _CAUSES.get(error.errno, f"운영체제의 오류 {error.errno}" if error.errno else "까닭을 알 수 없음")
