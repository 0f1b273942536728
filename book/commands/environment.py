"""잠금 파일대로 가상환경을 만듭니다. uv가 있으면 쓰고, 없으면 pip으로 합니다.

    python3 -m book.commands.environment .venv           # 책을 만드는 데 쓰는 것
    python3 -m book.commands.environment .venv --test    # 시험과 검사에만 쓰는 것까지

시스템의 파이썬으로 돌므로 표준 라이브러리만 부릅니다. 이미 맞으면 0.1초 만에 조용히 끝납니다. 맞는지는 시각이 아니라
잠금 파일의 지문으로 봅니다(더 오래된 꾸러미를 풀어 놓아도 알아챕니다).
"""

from __future__ import annotations

import sys

from book.stopping import run, stop_cleanly

if __name__ == "__main__":
    stop_cleanly("멈췄습니다. 같은 명령을 다시 하면 환경부터 다시 만듭니다(받아 둔 꾸러미는 다시 받지 않습니다).")

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import threading
import time
from collections import deque
from pathlib import Path

from book.files import explain

ROOT = Path(__file__).resolve().parents[2]
VERSIONS = ((3, 11), (3, 14))
EVERY = 15.0  # 초. 이만큼마다 무엇을 하고 있는지 한 줄을 찍습니다
_UNFINISHED = ".unfinished"  # 설치를 시작할 때 두고 끝나면 지웁니다
_STAMP, _TEST_STAMP = ".locked", ".locked-test"
_SECONDS = ".seconds"  # 환경을 만드는 데 걸린 시간. 시험의 장부(tests/ledger.py)가 읽습니다
_STEP = re.compile(
    r"(?:Collecting|Downloading|Using cached|Installing collected packages|Resolved|Prepared|Installed|Building)\b.*"
)


class SetUpFailed(RuntimeError):
    """환경을 만들지 못했습니다. 메시지는 까닭과 할 일입니다."""


def wanted(lock: str = "requirements.lock") -> str:
    """지금 있어야 할 환경의 지문: 잠금 파일."""
    return hashlib.sha256((ROOT / lock).read_bytes()).hexdigest()


def _count(lock: str) -> int:
    """잠금 파일에 적힌 꾸러미의 수."""
    return len(re.findall(r"^[A-Za-z0-9_.-]+==", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE))


def _stamped(stamp: Path) -> str:
    return stamp.read_text(encoding="utf-8").strip() if stamp.is_file() else ""


def _install_environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "VIRTUAL_ENV"}}


def python_of(venv: Path) -> Path:
    return venv / "bin" / "python"


def alive(venv: Path) -> bool:
    """가상환경의 파이썬이 실제로 도는지. 시스템의 파이썬을 올리거나 지우면 링크만 남습니다."""
    try:
        return subprocess.run([python_of(venv), "-c", ""], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def install(command: list[str], env: dict[str, str], report=print) -> None:
    """설치 명령을 돌리며 ``EVERY``초마다 무엇을 하고 있는지 알립니다.

    Raises
    ------
    SetUpFailed
        명령이 실패했을 때. 마지막 줄들과 할 일이 들어 있습니다.
    """
    tail: deque[str] = deque(maxlen=12)
    steps = {"count": 0, "last": ""}
    reader, writer = os.pipe()

    def listen() -> None:
        with os.fdopen(reader, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                tail.append(line.rstrip())
                if match := _STEP.search(line):
                    steps["count"] += match[0].startswith("Collecting")
                    steps["last"] = match[0][:90].rstrip()

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    done = threading.Event()
    started = time.monotonic()

    def tell() -> None:
        while not done.wait(EVERY):
            collected = f" 꾸러미 {steps['count']}개째." if steps["count"] else ""
            report(f"  설치하는 중({time.monotonic() - started:.0f}초).{collected} {steps['last']}", flush=True)

    threading.Thread(target=tell, daemon=True).start()
    try:
        code = run(command, env=env, stdout=writer, stderr=writer).returncode
    finally:
        done.set()
        os.close(writer)
    listener.join(5)
    if code:
        text = "\n    ".join(tail)
        remedy = "인터넷 연결과 파이썬 판을 확인하고 같은 명령을 다시 하세요. 받아 둔 꾸러미는 다시 받지 않습니다."
        if f"[Errno {errno.ENOSPC}]" in text or "os error 28" in text:
            remedy = "디스크가 가득 찼습니다. 2GB쯤 비우고 같은 명령을 다시 하세요."
        raise SetUpFailed(f"환경을 만들지 못했습니다.\n    {text}\n  → {remedy}")


def set_up(venv: Path, report=print) -> None:
    """``venv``를 잠금 파일대로 만듭니다. 이미 맞으면 아무 일도 하지 않습니다.

    Raises
    ------
    SetUpFailed
        파이썬의 판이 맞지 않거나 설치하지 못했을 때.
    OSError
        쓰지 못했을 때.
    """
    stamp, unfinished = venv / _STAMP, venv / _UNFINISHED
    have = _stamped(stamp)
    if have == wanted() and not unfinished.exists() and alive(venv):
        return
    if not VERSIONS[0] <= sys.version_info[:2] < VERSIONS[1]:
        now = ".".join(map(str, sys.version_info[:2]))
        raise SetUpFailed(f"파이썬 3.11~3.13이 필요합니다(지금 {now}).\n  → PYTHON=python3.11처럼 지정하세요.")
    if unfinished.exists():
        report(f"지난번 설치가 끝나지 못했습니다. {venv.name}을(를) 지우고 새로 만듭니다.")
        shutil.rmtree(venv)
    elif os.path.lexists(python_of(venv)) and not alive(venv):
        report(
            f"{venv.name}의 파이썬이 없어졌거나 돌지 않습니다(시스템의 파이썬을 올렸거나 폴더를 옮겼을 때). 지우고 새로 만듭니다."
        )
        shutil.rmtree(venv)
    elif have:
        report("잠금 파일(requirements.lock)이 달라졌습니다. 환경을 맞춥니다.")
    uv = shutil.which("uv")
    report(
        f"환경을 만듭니다({venv.name}). 꾸러미 {_count('requirements.lock')}개를 {'uv' if uv else 'pip'}로 설치합니다. 처음 한 번만 하며 1~3분 걸립니다.",
        flush=True,
    )
    started = time.monotonic()
    venv.mkdir(parents=True, exist_ok=True)
    unfinished.touch()
    stamp.unlink(missing_ok=True)
    (venv / _TEST_STAMP).unlink(missing_ok=True)  # 맞추는 동안 시험에만 쓰는 것이 걷힙니다
    env = _install_environment()
    python = str(python_of(venv))
    if uv:
        install([uv, "venv", "--allow-existing", "-p", sys.executable, str(venv)], env, report)
        install(
            [uv, "pip", "sync", "--compile-bytecode", "--require-hashes", "-p", python, "requirements.lock"],
            env,
            report,
        )
    else:
        install([sys.executable, "-m", "venv", str(venv)], env, report)
        pip = [
            python,
            "-m",
            "pip",
            "install",
            "--disable-pip-version-check",
            "--no-deps",
            "--require-hashes",
            "--progress-bar",
            "off",
        ]
        install([*pip, "-r", "requirements.lock"], env, report)
    os.sync()  # 전기가 나가도 반쪽 꾸러미에 '다 됐음'이 붙지 않게 합니다
    unfinished.unlink()
    stamp.write_text(wanted() + "\n", encoding="utf-8")
    (venv / _SECONDS).write_text(f"{time.monotonic() - started:.1f}\n", encoding="utf-8")
    report(f"환경을 갖췄습니다({time.monotonic() - started:.0f}초).", flush=True)


def add_tests(venv: Path, report=print) -> None:
    """``set_up``이 만든 환경에 시험과 검사에만 쓰는 패키지를 더합니다. 이미 맞으면 아무 일도 하지 않습니다.

    도중에 멈추면 꾸러미 하나가 반만 깔려 있을 수 있으므로, 다음 ``set_up``이 환경을 처음부터 다시 만듭니다.

    Raises
    ------
    SetUpFailed
        설치하지 못했을 때.
    """
    lock, stamp, unfinished = "requirements-test.lock", venv / _TEST_STAMP, venv / _UNFINISHED
    if _stamped(stamp) == wanted(lock):
        return
    report(f"시험과 검사에 쓰는 꾸러미를 더합니다({_count(lock)}개). 처음 한 번만 합니다.", flush=True)
    unfinished.touch()
    stamp.unlink(missing_ok=True)
    python, uv = str(python_of(venv)), shutil.which("uv")
    options = ["--no-deps", "--require-hashes", "-r", lock]
    if uv:
        install([uv, "pip", "install", "--compile-bytecode", "-p", python, *options], _install_environment(), report)
    else:
        pip = [python, "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off"]
        install([*pip, *options], _install_environment(), report)
    os.sync()
    unfinished.unlink()
    stamp.write_text(wanted(lock) + "\n", encoding="utf-8")


@contextlib.contextmanager
def _only_one(report=print):
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("다른 명령이 환경을 만들고 있습니다. 끝나기를 기다립니다.", flush=True)
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def main(argv: list[str] | None = None) -> int:
    arguments = list(sys.argv[1:] if argv is None else argv)
    tests = "--test" in arguments
    folders = [a for a in arguments if a != "--test"]
    venv = Path(folders[0] if folders else ".venv").absolute()
    os.chdir(ROOT)
    try:
        with _only_one():
            set_up(venv)
            if tests:
                add_tests(venv)
        return 0
    except SetUpFailed as error:
        print(error, file=sys.stderr)
    except OSError as error:
        print(
            f"환경을 만들지 못했습니다. {explain(error)}\n  → 환경만 다른 곳에 두려면 `make book VENV=폴더`로 합니다.",
            file=sys.stderr,
        )
    return 1


if __name__ == "__main__":
    sys.exit(main())
