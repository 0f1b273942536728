"""멈추라는 신호에 3초 안에 멈추고, 까닭을 사람의 말로 알립니다. 책을 짓는 동안의 멈춤은 test_survives.py가 봅니다."""

import contextlib
import errno
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from book import files, stopping
from book.commands import environment, serve
from book.commands.environment import SetUpFailed, python_of, set_up, wanted
from book.files import explain, storage_error, write_atomically
from book.page import ROOT

STOP_WITHIN = 3.0


def started(code: str, ready: str, **env) -> subprocess.Popen:
    """파이썬 코드를 띄우고 ``ready``를 찍을 때까지 기다립니다."""
    code = f"import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL)\n{code}"  # 시험을 nohup으로 돌려도 같게
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)} | env, text=True, encoding="utf-8",
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    seen = ""
    while ready not in seen:
        line = process.stdout.readline()
        assert line, seen
        seen += line
    return process


def stop(process: subprocess.Popen, number: int) -> str:
    """신호를 보내고, 3초 안에 자손까지 모두 끝나는지 봅니다. 남은 말을 돌려줍니다."""
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    begun = time.monotonic()
    os.kill(process.pid, number)
    said, _ = process.communicate(timeout=30)
    assert time.monotonic() - begun < STOP_WITHIN
    assert process.returncode == -number, said
    assert [p for p in family if p.is_running() and p.status() != psutil.STATUS_ZOMBIE] == []
    assert "Traceback" not in said, said
    return said


# --- 멈춤 ---

STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN), signal.signal(signal.SIGINT, signal.SIG_IGN)
if len(sys.argv) > 1:
    subprocess.Popen([sys.executable, __file__], start_new_session=True)
    print("ready", flush=True)
time.sleep(300)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stubborn_descendants_are_ended_and_nothing_new_starts(tmp_path, number):
    (tmp_path / "stubborn.py").write_text(STUBBORN)
    code = f"""
import sys, threading
from book.stopping import Stopped, run, scratch, stop_cleanly
stop_cleanly("이어서 합니다.")
def work():
    with scratch("test") as folder:
        print(folder, flush=True)
        try:
            while True:
                run([sys.executable, {str(tmp_path / "stubborn.py")!r}, "parent"])
        except Stopped:
            pass
threading.Thread(target=work, daemon=True).start()
threading.Event().wait()
"""
    process = started(code, "ready")
    assert len(psutil.Process(process.pid).children(recursive=True)) == 2
    assert stop(process, number).strip() == "이어서 합니다."
    assert not list(Path(os.environ.get("TMPDIR", "/tmp")).glob(f"book-test-{process.pid}-*")), (
        "잠깐 쓰는 폴더가 남았습니다."
    )


@pytest.mark.parametrize("module", ["book.stopping", "causal_pipeline.stopping"])
def test_what_was_started_with_nohup_outlives_its_window(module):
    code = f"""
import os, signal
from {module} import stop_cleanly
signal.signal(signal.SIGHUP, signal.SIG_IGN)
stop_cleanly("멈췄습니다.")
os.kill(os.getpid(), signal.SIGHUP)
print("창이 닫혀도 돕니다", flush=True)
while True:
    signal.pause()
"""
    process = started(code, "창이 닫혀도 돕니다")
    os.kill(process.pid, signal.SIGTERM)
    assert process.communicate(timeout=20)[0].strip() == "멈췄습니다."


def test_an_exception_ends_the_descendants_too():
    """신호를 받지 않는 곳(점검, 시험)에서 부른 실행도 남기지 않습니다."""
    code = """
import signal, sys
from book.stopping import run
print("ready", flush=True)
try:
    run([sys.executable, "-c", "import time; time.sleep(300)"])
except KeyboardInterrupt:
    import psutil
    print("left", [p.status() for p in psutil.Process().children(recursive=True) if p.status() != "zombie"])
"""
    process = started(code, "ready")
    while not psutil.Process(process.pid).children():
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGINT)
    assert process.communicate(timeout=20)[0].strip() == "left []"


def test_folders_of_dead_processes_are_swept(tmp_path, monkeypatch):
    monkeypatch.setattr(stopping.tempfile, "gettempdir", lambda: str(tmp_path))
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for name in (f"book-page-{dead.pid}-x", f"book-page-{os.getpid()}-x", "book-page-notes-x"):
        (tmp_path / name).mkdir()
    stopping.sweep()
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([f"book-page-{os.getpid()}-x", "book-page-notes-x"])


def test_jupyterlab_stops_at_once_and_leaves_the_browser(tmp_path):
    """JupyterLab은 Ctrl-C에 정말 끌지 되묻고, 브라우저를 자식으로 띄웁니다. 브라우저는 사람의 것입니다."""
    (tmp_path / "a.ipynb").write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    browser = tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 60\n")
    browser.chmod(0o755)
    code = f"""
from pathlib import Path
from book.commands.lab import lab_command
from book.stopping import run, stop_cleanly
stop_cleanly("저장한 노트북은 그대로입니다.", patience=2.0, python_only=True)
folder = Path({str(tmp_path)!r})
run(lab_command(folder, folder / "a.ipynb"))
"""
    own = {
        "BROWSER": f"{browser} %s",
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
    }
    process = started(code, "http://127.0.0.1", **own, DISPLAY=":0")
    deadline = time.monotonic() + 30
    while not (tmp_path / "pid").is_file() and time.monotonic() < deadline:
        time.sleep(0.05)
    human = psutil.Process(int((tmp_path / "pid").read_text()))
    servers = [
        p
        for p in psutil.Process(process.pid).children(recursive=True)
        if p.pid != human.pid and "jupyterlab" in " ".join(p.cmdline())
    ]
    assert servers
    try:
        begun = time.monotonic()
        os.kill(process.pid, signal.SIGINT)
        process.wait(timeout=20)
        assert time.monotonic() - begun < STOP_WITHIN and process.returncode == -signal.SIGINT
        assert [p for p in servers if p.is_running() and p.status() != psutil.STATUS_ZOMBIE] == []
        assert human.is_running(), "사람의 브라우저를 닫았습니다."
    finally:
        with contextlib.suppress(psutil.Error):
            human.kill()
    assert "저장한 노트북은 그대로입니다." in process.stdout.read()


# --- make serve ---


def test_a_taken_port_is_named_and_the_next_is_used(tmp_path):
    said = []
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with serve.open_server(tmp_path, port, said.append) as server:
            assert port < server.server_port < port + serve.TRIES
    assert said[0] == f"{port}번 포트는 다른 프로그램이 쓰고 있어 다음 것으로 엽니다."


def test_serving_shows_the_site_and_stops_at_once(tmp_path):
    import urllib.request

    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "index.html").write_text("책")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = f"import runpy, sys; sys.argv = ['serve', '--port', '{port}']; runpy.run_module('book.commands.serve', run_name='__main__')"
    process = started(code, "에서 봅니다", BOOK_BUILD_DIR=str(tmp_path))
    assert urllib.request.urlopen(f"http://127.0.0.1:{port}/").read().decode() == "책"
    assert "다시 보려면 `make serve`" in stop(process, signal.SIGINT)


def test_serving_without_a_site_says_what_to_do(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("BOOK_BUILD_DIR", str(tmp_path))
    assert serve.main([]) == 1
    assert "`make book`을 먼저" in capsys.readouterr().err


# --- 쓰기 ---


def test_a_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a"
    write_atomically(path, "옛것")

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, "새것")
    assert path.read_text() == "옛것" and os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("mask", [0o022, 0o002, 0o077])
def test_permissions_follow_the_umask(tmp_path, mask):
    old = os.umask(mask)
    try:
        write_atomically(tmp_path / "a", b"1")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o666 & ~mask


@pytest.mark.parametrize(
    ("number", "parts"),
    [
        (errno.ENOSPC, ["디스크가 가득 찼습니다", "남은 자리", "이어서 합니다"]),
        (errno.EROFS, ["쓸 수 없는 곳입니다", "BOOK_BUILD_DIR", "임자는"]),
        (errno.EACCES, ["쓸 수 없는 곳입니다", "chmod", "임자는"]),
        (errno.EIO, ["파일을 다루지 못했습니다"]),
    ],
)
def test_storage_errors_are_explained(tmp_path, number, parts):
    text = explain(OSError(number, os.strerror(number), str(tmp_path / "none" / "a")))
    assert all(part in text for part in parts) and str(tmp_path) in text, text
    assert (storage_error(f"x\nOSError: [Errno {number}] y") is not None) is (number != errno.EIO)


# --- 환경 ---

FAKE_UV = """#!/bin/sh
echo "$@" >> "$LOG"
if [ "$1" = venv ]; then mkdir -p "$5/bin"; ln -sf "$4" "$5/bin/python"; exit 0; fi
echo "Resolved 3 packages in 1ms"
sleep "${SLOW:-0}"
[ -z "$FAIL" ] || { echo "$FAIL" >&2; exit 2; }
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """잠금 파일과 가짜 uv가 있는 저장소."""
    (tmp_path / "requirements.lock").write_text("numpy==1\npandas==2\n")
    (tmp_path / "requirements-test.lock").write_text("pytest==1\n")
    uv = tmp_path / "tools" / "uv"
    uv.parent.mkdir()
    uv.write_text(FAKE_UV)
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", f"{uv.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def prepared(place) -> list[str]:
    """환경을 갖추며 찍은 말."""
    said = []
    set_up(place / ".venv", lambda text, flush=False: said.append(text))
    return said


def test_the_environment_is_made_once_and_then_silent(place):
    said = prepared(place)
    assert "꾸러미 2개를 uv로 설치합니다" in said[0] and said[-1].startswith("환경을 갖췄습니다")
    calls = (place / "log").read_text().splitlines()
    assert [call.split()[0] for call in calls] == ["venv", "pip"] and "--require-hashes" in calls[1]
    assert prepared(place) == [] and (place / "log").read_text().splitlines() == calls


def test_a_long_set_up_keeps_talking(place, monkeypatch):
    monkeypatch.setattr(environment, "EVERY", 0.2)
    monkeypatch.setenv("SLOW", "1")
    lines = [line for line in prepared(place) if "설치하는 중" in line]
    assert len(lines) >= 3 and "Resolved 3 packages" in lines[-1]
    assert environment.EVERY <= 60


def test_an_older_lock_is_noticed_by_content(place):
    prepared(place)
    lock = place / "requirements.lock"
    lock.write_text("numpy==0\n")
    os.utime(lock, (1_000_000_000, 1_000_000_000))
    assert "잠금 파일(requirements.lock)이 달라졌습니다" in prepared(place)[0]
    assert (place / ".venv" / ".locked").read_text().strip() == wanted()


def test_a_vanished_python_is_named_and_the_environment_made_again(place):
    prepared(place)
    python_of(place / ".venv").unlink()
    python_of(place / ".venv").symlink_to("/nowhere/python3")
    said = prepared(place)
    assert "파이썬이 없어졌거나 돌지 않습니다" in said[0] and prepared(place) == []


def test_an_interrupted_set_up_starts_over(place, monkeypatch):
    monkeypatch.setenv("FAIL", "error: connection reset")
    with pytest.raises(SetUpFailed, match="connection reset") as error:
        prepared(place)
    assert "인터넷 연결" in str(error.value)
    half = place / ".venv" / "half"
    half.touch()
    monkeypatch.delenv("FAIL")
    assert "지난번 설치가 끝나지 못했습니다" in prepared(place)[0] and not half.exists()


def test_packages_of_the_tests_are_added_once_and_then_silent(place):
    prepared(place)
    said = []
    for _ in range(2):
        environment.add_tests(place / ".venv", lambda text, flush=False: said.append(text))
    assert said == ["시험과 검사에 쓰는 꾸러미를 더합니다(1개). 처음 한 번만 합니다."]
    assert (place / "log").read_text().count("requirements-test.lock") == 1 and prepared(place) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_killed_packages_of_the_tests_are_put_right(place, number):
    """시험의 꾸러미를 깔다 죽으면 반만 깔린 것이 남습니다. 다음 명령이 알아채고 환경을 새로 만듭니다."""
    prepared(place)
    code = f"""
import pathlib, sys
from book.commands import environment
environment.ROOT = pathlib.Path({str(place)!r})
environment.stop_cleanly("환경부터 다시 만듭니다.")
sys.exit(environment.main([{str(place / ".venv")!r}, "--test"]))
"""
    process = started(code, "더합니다", SLOW="300")
    while not psutil.Process(process.pid).children():
        time.sleep(0.02)
    half = place / ".venv" / "half"
    half.touch()
    if number == signal.SIGKILL:
        os.killpg(process.pid, number)
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        process.communicate()
    else:
        assert "환경부터 다시 만듭니다" in stop(process, number)
    assert "지난번 설치가 끝나지 못했습니다" in prepared(place)[0] and not half.exists()
    environment.add_tests(place / ".venv", lambda *_, **__: None)
    assert (place / ".venv" / ".locked-test").is_file() and prepared(place) == []


def test_a_second_set_up_says_what_it_waits_for(place, capsys):
    import fcntl
    import threading

    folder = os.open(place, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    threading.Timer(0.5, os.close, [folder]).start()
    begun = time.monotonic()
    assert environment.main([str(place / ".venv")]) == 0 and time.monotonic() - begun >= 0.5
    assert capsys.readouterr().out.startswith("다른 명령이 환경을 만들고 있습니다. 끝나기를 기다립니다.")


def test_a_set_up_that_cannot_write_says_where_else(place, monkeypatch, capsys):
    def denied(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(place / ".venv"))

    monkeypatch.setattr(environment.Path, "mkdir", denied)
    assert environment.main([str(place / ".venv")]) == 1
    said = capsys.readouterr().err
    assert "쓸 수 없는 곳입니다" in said and "make book VENV=" in said


@pytest.mark.parametrize(
    "text", ["OSError: [Errno 28] No space left on device", "failed to write: No space left on device (os error 28)"]
)
def test_a_full_disk_during_set_up_is_named(place, monkeypatch, text):
    monkeypatch.setenv("FAIL", text)
    with pytest.raises(SetUpFailed, match="디스크가 가득 찼습니다"):
        prepared(place)


def test_every_command_of_the_makefile_looks_at_the_environment_first():
    """사라진 파이썬, 낡은 잠금, 반쪽 설치를 어느 명령에서나 알아채려면, 환경의 파이썬을 부르는 명령은 환경부터 봐야 합니다."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    rules = {
        name: (needs.split(), recipe)
        for name, needs, recipe in re.findall(r"^([a-z-]+):([^#\n]*).*\n((?:\t.*\n)*)", text, re.MULTILINE)
    }

    def looks(name: str) -> bool:
        return name in {"environment", "test-environment"} or any(map(looks, rules[name][0]))

    users = [name for name, (_, recipe) in rules.items() if "$(PY) " in recipe]
    assert {"book", "test", "serve", "lab", "analyze", "new-case", "check-case", "checks"} <= set(users)
    assert [name for name in users if not looks(name)] == []


def test_a_wrong_python_is_named(place, monkeypatch):
    monkeypatch.setattr(environment, "VERSIONS", ((3, 98), (3, 99)))
    with pytest.raises(SetUpFailed, match=rf"지금 3\.{sys.version_info.minor}"):
        prepared(place)
    assert not (place / ".venv").exists()


def test_the_set_up_stops_at_once(place):
    code = f"""
import runpy, sys
from book.commands import environment
sys.argv = ["environment", {str(place / ".venv")!r}]
environment.ROOT = __import__("pathlib").Path({str(place)!r})
environment.stop_cleanly("환경부터 다시 만듭니다.")
sys.exit(environment.main())
"""
    process = started(code, "설치합니다", SLOW="300")
    time.sleep(0.5)
    assert "환경부터 다시 만듭니다" in stop(process, signal.SIGTERM)
