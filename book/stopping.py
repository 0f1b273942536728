"""Ctrl-C와 SIGTERM에 곧 멈춥니다: 새로 시작하지 않고, 띄운 프로세스를 모두 거두고, 이어서 할 수 있다고 알립니다.

환경을 만드는 명령도 쓰므로 표준 라이브러리만 부릅니다(psutil은 있을 때만).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PR_SET_PDEATHSIG = 1
_stopping = threading.Event()
_started: set[subprocess.Popen] = set()  # run이 띄운 프로세스
_scratch: set[Path] = set()


class Stopped(RuntimeError):
    """멈추는 중이라 새로 시작하지 않습니다."""


def stop_cleanly(message: str, patience: float = 0.0, python_only: bool = False) -> None:
    """신호를 받으면 자식을 모두 거두고 ``message``를 알린 뒤, 그 신호로 끝납니다.

    Parameters
    ----------
    message : str
        다시 하면 어떻게 되는지.
    patience : float
        자식이 스스로 정리하도록 기다리는 초.
    python_only : bool
        참이면 이 파이썬으로 도는 자식만 죽입니다. JupyterLab이 연 브라우저는 사람의 것입니다.
    """

    def stop(number, _frame):
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        _stopping.set()
        end_children(patience, python_only)
        for folder in list(_scratch):
            shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # 창이 이미 닫혔을 수 있습니다
            os.write(2, f"\n{message}\n".encode())
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    for each in _SIGNALS:
        if each != signal.SIGHUP or signal.getsignal(each) != signal.SIG_IGN:  # nohup으로 띄운 것은 창이 닫혀도 돕니다
            signal.signal(each, stop)


@contextlib.contextmanager
def undivided() -> Iterator[None]:
    """여러 파일을 함께 바꾸는 짧은 일을 반만 하지 않게, 그동안 온 신호를 끝난 뒤로 미룹니다. 주 스레드에서 부릅니다."""
    came: list[int] = []
    before = {number: signal.signal(number, lambda came_in, _frame: came.append(came_in)) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in came[:1]:
            signal.raise_signal(number)


def end_children(patience: float = 0.0, python_only: bool = False) -> None:
    """이 프로세스가 띄운 프로세스를 손자까지 모두 죽입니다. 커널처럼 따로 세션을 연 것도 거둡니다."""
    for process in list(_started) if patience else ():
        with contextlib.suppress(OSError):
            process.terminate()
    family = _family(python_only)  # 부모가 먼저 끝나면 찾을 수 없으므로 기다리기 전에 적어 둡니다
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and any(map(_alive, family)):
        time.sleep(0.05)
    for _ in range(20):  # 세는 동안 새로 뜬 것까지
        for pid in family:
            with contextlib.suppress(OSError):
                group = os.getpgid(pid)
                if group != os.getpgrp() and not python_only:
                    os.killpg(group, signal.SIGKILL)
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
        family = [pid for pid in {*family, *_family(python_only)} if _alive(pid)]
        if not family:
            return


def _family(python_only: bool) -> list[int]:
    try:
        import psutil
    except ImportError:
        return [process.pid for process in _started]
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if not python_only or os.path.realpath(process.exe()) == os.path.realpath(sys.executable):
                found.append(process.pid)
    return found


def _alive(pid: int) -> bool:
    try:
        import psutil

        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except ImportError:
        return any(process.pid == pid and process.poll() is None for process in _started)
    except psutil.Error:
        return False


def run(command: list[str], **options) -> subprocess.CompletedProcess:
    """``subprocess.run``과 같되, 터미널의 Ctrl-C는 이쪽만 받고, 예외가 나면 손자까지 죽입니다.

    Raises
    ------
    Stopped
        이미 멈추는 중일 때.
    """
    if _stopping.is_set():
        raise Stopped
    if options.pop("capture_output", False):
        options |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = None
    try:
        process = subprocess.Popen(command, start_new_session=True, **options)
        _started.add(process)
        out, err = process.communicate()
    except BaseException:  # 띄우는 도중의 Ctrl-C도 여기로 옵니다
        end_children()
        raise
    finally:
        _started.discard(process)
    if _stopping.is_set():
        raise Stopped
    return subprocess.CompletedProcess(command, process.returncode, out, err)


@contextlib.contextmanager
def scratch(name: str) -> Iterator[Path]:
    """잠깐 쓰는 폴더. 신호로 멈춰도 지우고, kill -9로 남은 것은 ``sweep``이 지웁니다."""
    folder = Path(tempfile.mkdtemp(prefix=f"book-{name}-{os.getpid()}-"))
    _scratch.add(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _scratch.discard(folder)


def sweep() -> None:
    """죽은 프로세스가 두고 간 ``scratch`` 폴더를 지웁니다."""
    for folder in Path(tempfile.gettempdir()).glob("book-*-*-*"):
        pid = folder.name.split("-")[2]
        with contextlib.suppress(OSError):
            if pid.isdecimal() and folder.stat().st_uid == os.getuid() and not _exists(int(pid)):
                shutil.rmtree(folder, ignore_errors=True)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def die_with(parent: int) -> None:
    """``parent``(프로세스 번호)가 kill -9로 죽으면 따라 죽습니다. 이미 죽었으면 곧바로 끝냅니다(죽음을 알리는 것은 리눅스뿐입니다)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # 이 프로세스가 뜨는 사이에 죽었습니다
        os._exit(1)
