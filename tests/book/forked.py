"""(시험) 파이썬 명령을, 꾸러미를 불러 둔 프로세스에서 갈라져 나와(fork) 돌립니다.

명령마다 새 파이썬을 띄우면 그 일보다 꾸러미를 부르는 데 CPU를 더 씁니다(3~4초). 갈라져 나온 프로세스는 저마다의 표준 출력, 신호, 종료
코드를 가지며, 한 일은 다음 명령에 남지 않습니다. 새 파이썬이라야 하는 시험(부르는 동안 멈추기)은 쓰지 않습니다.
"""

import contextlib
import importlib
import json
import os
import runpy
import subprocess
import sys
import tempfile
import threading
import traceback
from pathlib import Path


class Forked:
    """``root``에서 명령을 돌릴 프로세스.

    Parameters
    ----------
    root : Path
        명령의 지금 폴더.
    env : dict
        명령의 환경변수.
    options : str
        파이썬의 인자(``"-W", "ignore"``). 꾸러미를 부를 때에도 명령을 돌릴 때에도 듣습니다.
    """

    def __init__(self, root: Path, env: dict[str, str], *options: str):
        self.server = subprocess.Popen(
            [sys.executable, *options, __file__], cwd=root, env=env, text=True, encoding="utf-8", stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )  # fmt: skip

    def run(self, *arguments: str, merged: bool = False, cwd: Path | str = ".") -> subprocess.CompletedProcess:
        """``python <arguments>``와 같습니다. ``-m 이름 …``과 ``-c 코드 …``만 받습니다. ``merged``이면 오류도 stdout에 적힙니다."""
        print(json.dumps([merged, str(cwd), *arguments]), file=self.server.stdin, flush=True)
        answer = json.loads(self.server.stdout.readline())
        return subprocess.CompletedProcess(arguments, answer["code"], answer["out"], answer["err"])

    def close(self) -> None:
        self.server.stdin.close()
        self.server.wait()


def call_too(names: list[str]) -> None:
    """끝까지 간 자식이 부른 꾸러미를 여기서도 부릅니다. 스레드가 생기면 갈라져 나올 수 없으므로 멈춥니다."""
    for name in names:
        if name not in sys.modules and not name.startswith(("__", "book.commands.")):  # 명령은 그때그때 부릅니다
            with contextlib.suppress(Exception):
                importlib.import_module(name)
    assert threading.active_count() == 1, threading.enumerate()


def _obey(arguments: list[str]) -> int:
    """명령 하나의 종료 코드."""
    kind, what, *rest = arguments
    try:
        if kind == "-m":
            sys.argv = [what, *rest]
            runpy.run_module(what, run_name="__main__", alter_sys=True)
        else:
            sys.argv = ["-c", *rest]
            exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _one(merged: bool, cwd: str, arguments: list[str]) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        out, err, called = (Path(folder) / name for name in ("out", "err", "called"))
        out.touch(), err.touch()
        pid = os.fork()
        if pid == 0:
            os.setsid()
            os.chdir(cwd)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            for number, path in ((1, out), (2, out if merged else err)):
                os.dup2(os.open(path, os.O_WRONLY | os.O_APPEND), number)
            code = _obey(arguments)
            sys.stdout.flush(), sys.stderr.flush()
            called.write_text("\n".join(sys.modules), encoding="utf-8")
            os._exit(code)
        _, status = os.waitpid(pid, 0)
        if called.is_file():
            call_too(called.read_text(encoding="utf-8").split("\n"))
        return {
            "code": os.waitstatus_to_exitcode(status),
            "out": out.read_text(encoding="utf-8"),
            "err": err.read_text(encoding="utf-8"),
        }


if __name__ == "__main__":
    sys.path[0] = ""  # python -m과 -c는 지금 폴더에서 찾습니다
    for line in sys.stdin:
        merged, cwd, *arguments = json.loads(line)
        print(json.dumps(_one(merged, cwd, arguments)), flush=True)
