"""멈추라는 신호(Ctrl-C, SIGTERM)에 곧 끝납니다. 쓰다 만 파일은 지우고, 이어서 할 수 있다고 한 줄로 알립니다."""

import contextlib
import multiprocessing
import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
_OLD = 3600.0  # 초. 이보다 묵은 쓰다 만 파일은 죽은 실행의 것입니다
_unfinished: set[Path] = set()


def stop_cleanly(message: str) -> None:
    """신호를 받으면 쓰다 만 것을 지우고 ``message``를 찍은 뒤 128에 신호의 번호를 더한 코드로 끝납니다.

    파이썬의 신호 처리는 긴 C 계산(회귀, SQL)이 끝나기를 기다리므로, 신호의 번호를 다른 스레드가 받아 끝냅니다.
    주 스레드에서 부릅니다.
    """
    listener, speaker = socket.socketpair()
    speaker.setblocking(False)
    signal.set_wakeup_fd(speaker.fileno(), warn_on_full_buffer=False)
    for number in _SIGNALS:
        nohup = number not in (signal.SIGINT, signal.SIGTERM) and signal.getsignal(number) == signal.SIG_IGN
        if not nohup:  # nohup으로 띄운 것은 창이 닫혀도 돕니다
            signal.signal(number, lambda *_: None)

    def stop() -> None:
        number = listener.recv(1)[0]
        while number not in _SIGNALS:  # 다른 신호도 같은 곳으로 옵니다
            number = listener.recv(1)[0]
        for child in multiprocessing.active_children():  # 명세를 나누어 돌리던 프로세스
            child.kill()
        for path in list(_unfinished):
            _remove(path)
        with contextlib.suppress(OSError):  # 창이 이미 닫혔을 수 있습니다
            os.write(2, f"\n{message}\n".encode())
        speaker.close()
        os._exit(128 + number)

    threading.Thread(target=stop, daemon=True).start()


@contextlib.contextmanager
def unfinished(path: Path) -> Iterator[Path]:
    """다 쓰기 전의 파일이나 폴더. 끝나거나 멈추면 남은 것을 지웁니다."""
    _unfinished.add(path)
    try:
        yield path
    finally:
        _remove(path)
        _unfinished.discard(path)


def sweep(folder: Path) -> None:
    """죽은 실행(kill -9, 정전)이 ``folder``에 두고 간 쓰다 만 것을 지웁니다."""
    for path in folder.glob(".*.tmp"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _OLD:
                _remove(path)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
    shutil.rmtree(path, ignore_errors=True)
