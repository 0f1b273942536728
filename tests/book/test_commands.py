"""사람이 부르는 명령마다: 멈추라면 3초 안에 멈추고, 막히면 까닭을 사람의 말로 알립니다. 파이썬의 추적은 보이지 않습니다.

저장소를 임시 폴더에 베껴 진짜 프로세스로 돌립니다. `make book`이 짓는 동안은 test_survives.py가 봅니다.
"""

import contextlib
import errno
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from forked import Forked
from test_new_case import copy_repository

from book.files import explain
from book.page import ROOT

import ledger

STOP_WITHIN = 3.0
BUSY = """
```{code-cell} ipython3
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
while True:
    sum(range(10**7))
```
"""


def copied(folder: Path) -> Path:
    root = copy_repository(folder)
    (root / "index.md").write_bytes((ROOT / "index.md").read_bytes())
    return root


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """베낀 저장소. 0주차와 템플릿은 끝나지 않는 셀로 시작합니다."""
    root = copied(tmp_path_factory.mktemp("repository"))
    for name in ("chapters/week00_orientation.md", "case_studies/template.md"):
        page = root / name
        before, cell, after = page.read_text(encoding="utf-8").partition("\n```{code-cell}")
        page.write_text(f"{before}\n{BUSY}{cell}{after}", encoding="utf-8")
    return root


def environment(root: Path, **more: str) -> dict[str, str]:
    env = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("BOOK_", "MAKE", "MFLAGS", "PYTEST_", "COV_")) and key != "NETWORK_ATTEMPTS"
    }
    return env | {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", **more}


def launched(root: Path, command: list[str], **more: str) -> subprocess.Popen:
    return subprocess.Popen(
        command, cwd=root, env=environment(root, **more), text=True, encoding="utf-8", start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def wait_for(process: subprocess.Popen, ready, seconds: float = 90.0) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, "멈출 때가 오지 않았습니다."
        time.sleep(0.02)


def family(process: subprocess.Popen) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def sleeping(process: subprocess.Popen):
    """쪽이 스스로 띄운 손자까지 떠 있으면 참."""

    def ready() -> bool:
        for child in family(process):
            with contextlib.suppress(psutil.Error):
                if "time.sleep(300)" in " ".join(child.cmdline()):
                    return True
        return False

    return ready


def stopped(process: subprocess.Popen, number: int, group: bool = False) -> str:
    """신호를 보내고(``group``이면 터미널의 Ctrl-C처럼 모두에게) 3초 안에 자손까지 끝나는지 봅니다. 남긴 말을 돌려줍니다."""
    watched = [psutil.Process(process.pid), *family(process)]
    begun = time.monotonic()
    (os.killpg if group else os.kill)(process.pid, number)
    said, _ = process.communicate(timeout=30)
    assert time.monotonic() - begun < STOP_WITHIN, said
    assert [p for p in watched if p.is_running() and p.status() != psutil.STATUS_ZOMBIE] == []
    assert "Traceback" not in said and "KeyboardInterrupt" not in said, said
    return said


# --- 멈춤 ---


@pytest.mark.parametrize(
    ("module", "arguments", "number", "last"),
    [
        ("book.commands.check_case", ["template"], signal.SIGINT, "끝난 실행은 그대로 쓰고 이어서 봅니다."),
        ("book.commands.check_case", ["template"], signal.SIGTERM, "끝난 실행은 그대로 쓰고 이어서 봅니다."),
        ("book.commands.lab", ["--week", "0", "--no-open"], signal.SIGINT, "다시 하면 이어서 엽니다."),
        ("book.commands.lab", ["--week", "0", "--no-open"], signal.SIGTERM, "다시 하면 이어서 엽니다."),
    ],
)
def test_a_command_that_runs_a_page_stops_at_once(repository, module, arguments, number, last):
    process = launched(repository, [sys.executable, "-m", module, *arguments])
    wait_for(process, sleeping(process))
    said = stopped(process, number)
    assert process.returncode == -number and said.rstrip().endswith(last), said
    assert not list((repository / "_build").rglob("*template*.ipynb"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("after", [0.0, 1.5])
def test_checking_the_pages_stops_at_once(repository, number, after):
    """형태소 분석기를 부르는 동안(1초 남짓)에도, 쪽을 보는 동안에도 멈춥니다."""
    code = "import book.checks, runpy; print('시작', flush=True); runpy.run_module('book.checks', run_name='__main__', alter_sys=True)"
    process = launched(repository, [sys.executable, "-c", code])
    assert process.stdout.readline() == "시작\n"
    time.sleep(0.3 + after)
    said = stopped(process, number)
    assert process.returncode == -number and "같은 명령을 다시 하면 됩니다." in said, said


def test_a_new_case_is_never_half_made(tmp_path):
    """파일을 옮기는 도중에 온 신호는 다 옮긴 뒤에 듣습니다. 그래서 사례는 온전하거나 없습니다."""
    root = copied(tmp_path)
    code = """
import os, runpy, sys, time
move, names = os.replace, []
def slow(*paths):
    names.append(paths)
    if len(names) == 2:
        print("옮기는 중", flush=True)
        time.sleep(1)
    move(*paths)
os.replace = slow
sys.argv = ["new-case", "kakao_push"]
runpy.run_module("book.commands.new_case", run_name="__main__", alter_sys=True)
"""
    process = launched(root, [sys.executable, "-c", code])
    assert process.stdout.readline() == "옮기는 중\n"
    said = stopped(process, signal.SIGTERM)
    assert process.returncode == -signal.SIGTERM and "이미 있다고 알립니다" in said
    for name in ("case_studies/kakao_push.md", "data/kakao_push.csv", "tests/pages/test_kakao_push.py"):
        assert (root / name).is_file(), name
    assert "\nkakao_push:" in (root / "data" / "catalog.yml").read_text(encoding="utf-8")
    assert not list(root.glob(".new-case-*"))


def test_serving_stops_while_someone_reads(tmp_path):
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "index.html").write_text("책")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "book.commands.serve", "--port", str(port)]
    process = launched(ROOT, command, BOOK_BUILD_DIR=str(tmp_path))
    assert "에서 봅니다" in process.stdout.readline()
    with socket.create_connection(("127.0.0.1", port)):  # 요청을 다 보내지 않은 손님
        said = stopped(process, signal.SIGTERM)
    assert process.returncode == -signal.SIGTERM and "다시 보려면 `make serve`" in said


STAND_IN = """
import pathlib, subprocess, sys, time

def test_long(request):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], start_new_session=True)
    pathlib.Path(request.config.rootpath, f"running-{child.pid}").touch()
    time.sleep(300)

def test_next(request):
    pathlib.Path(request.config.rootpath, "next").touch()
"""


@pytest.mark.parametrize(("number", "group"), [(signal.SIGINT, True), (signal.SIGTERM, False)])
def test_make_test_stops_at_once(tmp_path, number, group):
    """`make test` 자체를 멈춥니다: Ctrl-C는 make와 시험이 함께 받고, SIGTERM은 make만 받습니다."""
    root = copied(tmp_path)
    (root / "Makefile").write_bytes((ROOT / "Makefile").read_bytes())
    shutil.rmtree(root / "tests")  # 시험은 대역 둘뿐입니다
    (root / "tests").mkdir()
    for name in ("a", "b"):
        (root / "tests" / f"test_{name}.py").write_text(STAND_IN, encoding="utf-8")
    command = ["make", "test", "-o", "book", "-o", "test-environment", f"VENV={sys.prefix}"]
    process = launched(root, command)
    wait_for(process, lambda: len(list(root.glob("running-*"))) == 2)
    said = stopped(process, number, group)
    assert said.count("시험을 멈췄습니다. `make test`를 다시 하면") == 1, said
    assert process.returncode != 0 and not (root / "next").exists()


ENDLESS = "WITH RECURSIVE r(t, y) AS (SELECT 0, 0 UNION ALL SELECT 1 - t, y + 1 FROM r) SELECT * FROM r"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("stage", ["부르기", "SQL", "추정"])
def test_the_analysis_stops_at_once(tmp_path, number, stage):
    """라이브러리를 부르다가, 파이썬에 틈을 주지 않는 SQL을 돌리다가, 추정하다가. 쓰다 만 파일은 남지 않습니다."""
    for name in ("example_adjustment.yml", "template_case.csv"):
        (tmp_path / name).write_bytes((ROOT / "data" / name).read_bytes())
    spec = tmp_path / "example_adjustment.yml"
    if stage == "SQL":
        spec.write_text(SPEC.replace("path: a.csv", f"path: template_case.csv, sql: {json.dumps(ENDLESS)}"))
    code = "import causal_pipeline.stopping, runpy, sys; print('시작', flush=True); sys.argv[0] = 'x'; runpy.run_module('causal_pipeline', run_name='__main__', alter_sys=True)"
    process = launched(ROOT, [sys.executable, "-c", code, "analyze", str(spec), "--out", str(tmp_path / "report")])
    assert process.stdout.readline() == "시작\n"
    if stage == "추정":
        wait_for(process, (tmp_path / "report" / ".stages" / "check.json").is_file)
    time.sleep({"부르기": 0.2, "SQL": 4.0, "추정": 0.2}[stage])
    said = stopped(process, number)
    assert process.returncode == 128 + number, said
    assert said.rstrip().endswith("같은 명령을 다시 하면 끝난 단계 다음부터 이어집니다."), said
    assert not list((tmp_path).rglob("*.tmp")) and not (tmp_path / "report" / "report.html").exists()


# --- 막힘 ---

FAULT = """
import errno, os, runpy, sys
number, place, reading, name, *arguments = sys.argv[1:]
def hook(event, args):
    if event == "open":
        writes = isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if not (writes or reading == "read"):
            return
        path = args[0]
    elif event in ("os.rename", "os.mkdir", "os.listdir") and (event != "os.listdir" or reading == "read"):
        path = args[1] if event == "os.rename" else args[0]
    else:
        return
    if isinstance(path, (str, os.PathLike)) and os.path.abspath(os.fspath(path)).startswith(place):
        raise OSError(int(number), os.strerror(int(number)), os.fspath(path))
sys.argv = [name, *arguments]
sys.addaudithook(hook)
runpy.run_module(name, run_name="__main__", alter_sys=True)
"""


def blocked(server: Forked, number: int, place: Path, command: list[str], reading: bool = False):
    """``place`` 아래를 쓰는(``reading``이면 읽는 것까지) 순간 그 오류가 나는 명령을 돌립니다. (종료 코드, 남긴 말)."""
    done = server.run("-c", FAULT, str(number), str(place), "read" if reading else "write", *command, merged=True)
    assert "Traceback" not in done.stdout and "DEBUG=1" not in done.stdout, done.stdout
    return done.returncode, done.stdout


SPEC = """name: a
question: 왜?
data: {path: a.csv}
treatment: {column: t, kind: binary, randomized: true}
outcome: {column: y}
estimand: ATE
seed: 1
"""


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """베낀 저장소. 템플릿과 0주차의 코드 셀은 하나만 남겨 금방 돕니다."""
    root = copied(tmp_path_factory.mktemp("quick"))
    page = root / "chapters" / "week00_orientation.md"
    head, _, _ = page.read_text(encoding="utf-8").partition("\n```{code-cell}")
    page.write_text(head + "\n```{code-cell} ipython3\nprint(1)\n```\n", encoding="utf-8")
    (root / "one.md").write_text(head + "\n```{code-cell} ipython3\nprint(2)\n```\n", encoding="utf-8")
    (root / "_build" / "html").mkdir(parents=True)
    (root / "_build" / "html" / "index.html").write_text("책")
    (root / "desk").mkdir()
    (root / "desk" / "spec.yml").write_text(SPEC, encoding="utf-8")
    rows = "\n".join(f"{i % 2},{i % 7 + i % 2}" for i in range(200))
    (root / "desk" / "a.csv").write_text(f"t,y\n{rows}\n")
    return root


@pytest.fixture(scope="module")
def server(quick):
    """``quick``에서 명령을 돌릴 프로세스. 명령마다 여기서 갈라져 나옵니다."""
    server = Forked(quick, environment(quick))
    yield server
    server.close()


EXECUTE = ["book.commands.build", "execute", "one.md"]
LAB = ["book.commands.lab", "--week", "0", "--no-open"]
CHECK = ["book.commands.check_case", "template", "--no-run"]
NEW = ["book.commands.new_case", "kakao_push"]
SERVE = ["book.commands.serve"]
CHECKS = ["book.checks", "chapters/week00_orientation.md"]
ANALYZE = ["causal_pipeline", "analyze", "desk/spec.yml", "--out", "desk/report", "--quiet"]


@pytest.mark.parametrize(
    ("command", "place"),
    [(EXECUTE, "_build"), (LAB, "_build/lab"), (LAB, "_build/lab/week00/.settings"), (NEW, "")],
    ids=["book", "lab", "lab-settings", "new-case"],
)
@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "디스크가 가득 찼습니다"), (errno.EROFS, "쓸 수 없는 곳입니다")]
)
def test_a_full_or_read_only_disk_is_named(quick, server, command, place, number, words):
    code, said = blocked(server, number, quick / place, command)
    assert code == 1 and words in said and "→" in said, said
    assert not (quick / "case_studies" / "kakao_push.md").exists()


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "디스크가 가득 찼습니다"), (errno.EROFS, "읽기만 되는 디스크")]
)
def test_the_analysis_names_a_full_or_read_only_disk(quick, server, number, words):
    code, said = blocked(server, number, quick / "desk" / "report", ANALYZE)
    assert code == 5 and said.startswith("[out_write_failed]") and words in said and "디스크의 남은 자리" in said, said


@pytest.mark.parametrize(
    ("place", "kind"),
    [("desk/spec.yml", "file_error"), ("desk/a.csv", "data_not_readable"), ("desk/kept", "file_error")],
)
def test_the_analysis_names_a_file_of_another_user(quick, server, place, kind):
    (quick / "desk" / "kept").mkdir(exist_ok=True)
    command = [*ANALYZE[:4], "desk/kept" if "kept" in place else "desk/report", "--quiet"]
    code, said = blocked(server, errno.EACCES, quick / place, command, reading=True)
    assert code in (2, 3, 5) and said.startswith(f"[{kind}") and "권한" in said and "→" in said, said


@pytest.mark.parametrize(
    ("command", "place"),
    [
        (EXECUTE, "one.md"),
        (LAB, "chapters/week00_orientation.md"),
        (CHECK, "case_studies/template.md"),
        (CHECK, "data/catalog.yml"),
        (NEW, "case_studies/template.md"),
        (SERVE, "_build/html/index.html"),
        (CHECKS, "guides/glossary.yml"),
    ],
    ids=["book", "lab", "check-case", "check-case-data", "new-case", "serve", "checks"],
)
def test_a_file_of_another_user_is_named(quick, server, command, place):
    """다른 사람의 0600 파일: 읽는 순간 권한의 오류가 납니다."""
    code, said = blocked(server, errno.EACCES, quick / place, command, reading=True)
    assert code == 1 and place in said and ("권한" in said or "쓸 수 없는 곳" in said), said


def test_the_reason_tells_reading_from_writing(tmp_path, monkeypatch):
    file = tmp_path / "a"
    file.touch()
    denied = OSError(errno.EACCES, "Permission denied", str(file))
    assert explain(denied).startswith("쓸 수 없는 곳입니다")
    monkeypatch.setattr("os.access", lambda path, mode: mode != os.R_OK)
    assert explain(denied).startswith(f"읽을 권한이 없습니다: {file}. 임자는")


def test_an_empty_record_of_a_page_is_no_obstacle(quick, server):
    """전기가 나가 비어 버린 실행 기록: 그 쪽을 다시 실행하고 이어 갑니다."""
    assert blocked(server, 0, quick / "nowhere", LAB)[0] == 0
    record = next((quick / "_build" / "execution").glob("chapters__week00*.json"))
    for damaged in (record, record.with_suffix(".ipynb")):
        damaged.write_bytes(b"")
        code, said = blocked(server, 0, quick / "nowhere", LAB)
        assert code == 0 and json.loads(record.read_text(encoding="utf-8"))["sha256"], said


@pytest.mark.parametrize("content", [b"", b'{"groups": {', b"\0" * 40])
def test_the_tests_start_with_a_damaged_record_of_the_last_run(tmp_path, monkeypatch, content):
    monkeypatch.setenv("BOOK_BUILD_DIR", str(tmp_path))
    for name in ("report.json", ledger.RECORD):
        (tmp_path / name).write_bytes(content)
    assert ledger.expected_costs() == ledger.HEAVY
