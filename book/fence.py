"""쪽을 실행하는 프로세스를 네트워크에서 떼어 놓습니다. 리눅스가 허락할 때의 진짜 울타리입니다.

    python -m book.fence        # 이 컴퓨터에 무엇이 있는지 말합니다(표준 라이브러리만 씁니다)

울타리는 둘입니다.

- ``book/kernel/sitecustomize.py``는 파이썬의 감사 훅입니다. 어디서나 돌지만 **실수**만 잡습니다. curl을 부르거나, UDP로 보내거나,
  ``python -I``로 새 파이썬을 띄우거나, ctypes로 시스템을 부르면 지나갑니다.
- 여기의 ``enter``는 프로세스를 새 네트워크 이름공간에 넣습니다. 그 안에는 루프백 하나뿐이고 자식 프로세스도 모두 그 안에 있으므로,
  무엇을 부르든 바깥에 닿지 못합니다. 리눅스가 아니거나 이름공간을 막은 컴퓨터에서는 쓸 수 없습니다.

둘 다 **파일은 막지 않습니다**. 모르는 사람의 쪽은 이 계정이 고칠 수 있는 파일을 고치고, 파일로 열린 유닉스 소켓에 말을 걸 수 있습니다.
그래서 풀 리퀘스트는 비밀 값이 없고 곧 버리는 기계에서만 실행합니다(.github/workflows/pull-request.yml).
"""

import ctypes
import os
import socket
import struct
import sys
from pathlib import Path

_NEW_USER, _NEW_NET = 0x10000000, 0x40000000  # linux/sched.h의 CLONE_NEWUSER, CLONE_NEWNET
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 0x1  # SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP


def _raise_loopback() -> None:
    """새 이름공간의 루프백은 꺼져 있습니다. 커널과 말을 주고받는 ZMQ가 127.0.0.1을 쓰므로 켭니다."""
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(control, _GET_FLAGS, request))[1]
        fcntl.ioctl(control, _SET_FLAGS, struct.pack("16sh14x", b"lo", flags | _UP))


def _detach() -> None:
    """새 사용자·네트워크 이름공간으로 옮깁니다. 되돌릴 수 없습니다.

    사용자 이름공간도 새로 만들어야 관리자가 아니어도 되고, 관리자라도 바깥 이름공간으로 돌아갈 권한을 잃습니다.
    사용자와 그룹의 번호는 그대로여서 만든 파일의 주인이 바뀌지 않습니다.

    Raises
    ------
    OSError
        시스템이 허락하지 않을 때. 이미 반쯤 떨어졌을 수 있으므로 ``available``로 먼저 봅니다.
    """
    if not sys.platform.startswith("linux"):
        raise OSError("리눅스가 아닙니다")
    user, group = os.geteuid(), os.getegid()
    if ctypes.CDLL(None, use_errno=True).unshare(_NEW_USER | _NEW_NET):
        raise OSError(ctypes.get_errno(), "시스템이 이름공간을 허락하지 않습니다")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    _raise_loopback()


def available() -> str:
    """떼어 놓을 수 있는지 자식 프로세스 하나로 끝까지 해 봅니다.

    이름공간은 내주고 그 안의 권한만 막는 시스템(우분투 24.04의 AppArmor)에서는 중간에 막히므로, 해 보아야 압니다.

    Returns
    -------
    str
        할 수 있으면 빈 글자, 아니면 까닭.
    """
    if not hasattr(os, "fork"):
        return "리눅스가 아닙니다"
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        reason = ""
        try:
            _detach()
        except OSError as error:
            reason = error.strerror or str(error)
        finally:
            os.write(writer, reason.encode())
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        reason = pipe.read().decode()
    os.waitpid(child, 0)
    return reason


def enter() -> str:
    """할 수 있으면 지금 프로세스와 앞으로의 자식을 네트워크에서 떼어 놓습니다. 스레드가 하나일 때 불러야 합니다.

    Returns
    -------
    str
        떼어 놓았으면 빈 글자, 아니면 그러지 못한 까닭. 그때는 아무것도 바뀌지 않습니다.
    """
    if reason := available():
        return reason
    _detach()
    return ""


def describe() -> str:
    """이 컴퓨터의 울타리가 무엇을 막는지 한 문장으로."""
    if reason := available():
        return f"네트워크 울타리: 실수만 잡습니다. 일부러 나가는 코드는 막지 못합니다({reason})."
    return "네트워크 울타리: 쪽은 네트워크가 없는 이름공간에서 실행합니다. 파일은 막지 않습니다."


if __name__ == "__main__":
    print(describe())
