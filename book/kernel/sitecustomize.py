"""노트북 커널의 낮은 울타리: 바깥 네트워크에 붙으려는 **실수**를 그 자리에서 한국어로 알립니다.

쪽을 실행하는 커널의 PYTHONPATH에만 놓입니다. 노트북은 내려받는 데이터 없이 돌아야 합니다.
시도를 삼키는 코드도 잡히도록, 환경변수 NETWORK_ATTEMPTS가 가리키는 파일에 적어 둡니다.

일부러 나가는 코드는 막지 못합니다. 다른 프로그램(curl)이나 ``python -I``, ctypes는 이 훅을 지나가고, 기록도 지울 수 있습니다.
그것을 막는 것은 네트워크 이름공간이며, 시스템이 허락할 때 ``book/fence.py``가 칩니다.
"""

import os
import sys


def _outside(address) -> bool:
    if not isinstance(address, tuple) or not address:
        return False  # 유닉스 소켓
    host = str(address[0])
    return not (host.startswith("127.") or host in {"::1", "localhost", "0.0.0.0", "::", ""})


def _guard(event: str, args: tuple) -> None:
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"} and _outside(args[1]):
        target = args[1][0]
    elif event in {"socket.getaddrinfo", "socket.gethostbyname"} and _outside((args[0],)) and args[0] is not None:
        target = args[0]
    else:
        return
    if log := os.environ.get("NETWORK_ATTEMPTS"):
        with open(log, "a", encoding="utf-8") as file:
            file.write(f"{target}\n")
    raise PermissionError(
        f"노트북이 네트워크({target})에 붙으려 했습니다. 데이터는 data/에 두고 causal_practice.load로 불러오세요."
    )


def _die_with_parent() -> None:
    """(리눅스) 쪽을 실행하던 프로세스가 kill -9로 죽으면 커널도 곧바로 죽습니다. 커널의 부모만 봅니다."""
    if sys.platform == "linux" and os.environ.get("JPY_PARENT_PID") == str(os.getppid()):
        import ctypes

        ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL


_die_with_parent()
sys.addaudithook(_guard)
