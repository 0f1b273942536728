"""파일을 온전하게만 쓰고, 쓰지 못한 까닭을 사람의 말로 바꿉니다. 환경을 만드는 명령도 쓰므로 표준 라이브러리만 부릅니다."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import threading
from pathlib import Path

PARTIAL = ".partial-"  # 쓰다 만 파일의 앞머리
_FULL = (errno.ENOSPC, errno.EDQUOT)
_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)
_ERRNO = re.compile(r"\[Errno (\d+)\]")


def write_atomically(path: Path, content: str | bytes) -> None:
    """파일을 통째로 바꿉니다. 언제 멈춰도 옛 파일이거나 새 파일이며, 전기가 나가도 반쪽이 남지 않습니다.

    권한은 이 컴퓨터의 umask를 따릅니다(여럿이 쓰는 폴더에서 다른 사람도 읽도록).

    Raises
    ------
    OSError
        쓰지 못했을 때. 쓰다 만 파일은 지웁니다.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{PARTIAL}{os.getpid()}-{threading.get_ident()}-{path.name}")
    try:
        with open(partial, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # 바뀐 이름까지 디스크에 남깁니다
    finally:
        os.close(folder)


def storage_error(text: str) -> OSError | None:
    """다른 프로세스나 Sphinx가 찍은 글에서 디스크와 권한의 오류를 찾습니다."""
    for number in map(int, _ERRNO.findall(text)):
        if number in _FULL + _DENIED:
            return OSError(number, os.strerror(number))
    return None


def explain(error: OSError) -> str:
    """파일을 쓰거나 읽지 못한 까닭과 할 일."""
    where = str(error.filename or "")
    if error.errno in _FULL:
        free = shutil.disk_usage(_existing(Path(where or "."))).free / 1024**2
        return (
            f"디스크가 가득 찼습니다{f'({where})' if where else ''}. 남은 자리 {free:,.0f}MB.\n"
            "  → 자리를 비우고 같은 명령을 다시 하세요. 끝난 쪽은 두고 이어서 합니다(`make clean`은 만든 것을 모두 지웁니다)."
        )
    if error.errno in _DENIED:
        owner = _owner(_existing(Path(where))) if where else ""
        if where and os.access(where, os.F_OK) and not os.access(where, os.R_OK):
            return (
                f"읽을 권한이 없습니다: {where}{f'. 임자는 {owner}입니다' if owner else ''}.\n"
                "  → 여럿이 쓰는 폴더이면 임자가 권한을 열어 주거나(chmod -R g+rX), 만든 것이면 BOOK_BUILD_DIR과\n"
                "    BOOK_EXECUTION_DIR로 자기 폴더를 정하세요. 원고이면 자기 폴더에 따로 받아 하세요."
            )
        return (
            f"쓸 수 없는 곳입니다: {where or '만든 것을 두는 폴더'} ({error.strerror}){f'. 임자는 {owner}입니다' if owner else ''}.\n"
            "  → 여럿이 쓰는 폴더이면 임자가 권한을 열어 주거나(chmod -R g+rwX _build), BOOK_BUILD_DIR과 BOOK_EXECUTION_DIR로\n"
            "    자기 폴더를 정하세요. 읽기만 되는 디스크이면 다른 곳에 복사해서 하세요."
        )
    return f"파일을 다루지 못했습니다: {where} ({error.strerror or error})."


def _existing(path: Path) -> Path:
    path = path.absolute()
    while not os.path.exists(path) and path != path.parent:  # Path.exists는 볼 권한이 없으면 멈춥니다
        path = path.parent
    return path


def _owner(path: Path) -> str:
    with contextlib.suppress(KeyError, OSError, NotImplementedError):
        return path.owner()
    return ""
