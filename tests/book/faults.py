"""(시험) 작은 책을 지으며 정한 순간에 고장을 냅니다.

꾸러미를 한 번만 부르고 빌드마다 갈라져 나와서(fork), 빌드 한 번이 1~2초입니다. Sphinx와 확장은 빌드가 도는 동안 불리므로,
첫 빌드가 무엇을 불렀는지 적어 내면 그것을 여기서도 불러 둡니다. 표준 입력으로 주문을 한 줄씩 받고 결과를 한 줄씩 냅니다. 주문:

    {"do": "kill" | "full" | "denied" | "interrupt" | "terminate" | "watch",   # watch는 건드린 파일만 적습니다
     "event": "os.rename", "path": "execution/.*ipynb$", "nth": 1,              # 파일을 건드리는 그 순간
     "after": 1.5,                                                              # 또는 시작한 지 그만큼 뒤
     "exists": "running"}                                                       # 또는 _build에 그 파일이 생기면
"""

import errno
import json
import os
import re
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

from forked import call_too

from book.commands import build
from book.page import ROOT

EVENTS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir"}  # os.replace는 os.rename으로 알려집니다
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
ERRORS = {"full": errno.ENOSPC, "denied": errno.EACCES}
SIGNALS = {"kill": signal.SIGKILL, "interrupt": signal.SIGINT, "terminate": signal.SIGTERM}


def touched(event: str, args: tuple) -> str | None:
    """빌드 폴더 안에서 바뀌려는 파일. 읽기나 바깥의 것이면 None."""
    if event not in EVENTS or (event == "open" and not (isinstance(args[2], int) and args[2] & WRITES)):
        return None
    path = args[1] if event == "os.rename" else args[0]
    if not isinstance(path, (str, os.PathLike)):
        return None
    path = os.path.abspath(os.fspath(path))
    return os.path.relpath(path, ROOT / "_build") if path.startswith(f"{ROOT}/_build/") else None


def arm(order: dict, log) -> None:
    """이 프로세스에 고장을 심습니다."""
    seen = 0

    def fail() -> None:
        do = order["do"]
        if do in SIGNALS:
            print(json.dumps(["fault", time.time()]), file=log, flush=True)
            os.kill(os.getpid(), SIGNALS[do])
        elif do in ERRORS:
            raise OSError(ERRORS[do], os.strerror(ERRORS[do]), str(ROOT / "_build"))

    def hook(event: str, args: tuple) -> None:
        nonlocal seen
        path = touched(event, args)
        if path is None:
            return
        if order["do"] == "watch":
            print(json.dumps([event, path]), file=log, flush=True)
        elif order.get("event") == event and re.search(order["path"], path):
            seen += 1
            if seen == order.get("nth", 1) or (seen > order.get("nth", 1) and order["do"] in ERRORS):
                fail()

    if "after" in order:
        threading.Timer(order["after"], fail).start()
    if "exists" in order:
        threading.Thread(target=wait_for, args=(ROOT / "_build" / order["exists"], fail), daemon=True).start()
    sys.addaudithook(hook)


def wait_for(path: Path, then) -> None:
    while not path.exists():
        time.sleep(0.02)
    then()


def one(order: dict) -> dict:
    """빌드 한 번."""
    with tempfile.TemporaryDirectory() as folder:
        said, log, called = Path(folder) / "said", Path(folder) / "log", Path(folder) / "called"
        said.touch(), log.touch()
        pid = os.fork()
        if pid == 0:
            os.setsid()
            for number in (1, 2):
                os.dup2(os.open(said, os.O_WRONLY | os.O_APPEND), number)
            build.stop_cleanly("멈췄습니다. 끝난 쪽은 보관했으므로 `make book`을 다시 하면 이어서 합니다.")
            arm(order, log.open("a", buffering=1))
            code = build.main(["book"])
            sys.stdout.flush()
            called.write_text("\n".join(sys.modules), encoding="utf-8")
            os._exit(code)
        _, status = os.waitpid(pid, 0)
        if called.is_file():
            call_too(called.read_text(encoding="utf-8").split("\n"))
        events = [json.loads(line) for line in log.read_text().splitlines()]
        ended = time.time()
        faults = [at for name, at in events if name == "fault"]
        return {
            "code": os.waitstatus_to_exitcode(status),
            "said": said.read_text(encoding="utf-8"),
            "events": [event for event in events if event[0] != "fault"],
            "seconds_to_stop": ended - faults[0] if faults else None,
        }


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(one(json.loads(line))), flush=True)
