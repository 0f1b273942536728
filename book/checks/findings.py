"""검사가 찾은 것 하나."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Finding:
    """찾은 것 하나. 글자로 바꾸면 ``파일:줄: 문제 — 고치는 법``입니다.

    Attributes
    ----------
    path : str
        저장소에서 본 파일의 자리.
    line : int
        1부터 세는 줄 번호.
    message : str
        무엇이 문제이고 어떻게 고치는지.
    rule : str
        규칙의 영어 이름. 시험이 씁니다.
    warning : bool
        참이면 알리기만 하고 실패로 치지 않습니다.
    """

    path: str
    line: int
    message: str
    rule: str = ""
    warning: bool = False

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {'(주의) ' if self.warning else ''}{self.message}"
