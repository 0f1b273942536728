"""네트워크 울타리: 이름공간에 든 프로세스는 어떤 길로도 밖에 닿지 못하고, 안의 루프백은 그대로 쓸 수 있습니다."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import nbformat
import pytest

from book import fence
from book.commands import run_tests
from book.execution import kernel_environment
from book.page import ROOT, build_dir

# 감사 훅이 놓치는 길들입니다. 인자는 이 컴퓨터에서 기다리는 서버의 포트입니다.
WAYS_OUT = {
    "python -I": 'subprocess.run([sys.executable, "-I", "-c", f"import socket; socket.create_connection((\'127.0.0.1\', {port}), 2)"], check=True)',
    "bash": 'subprocess.run(["bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{port}"], check=True)',
    "ctypes": (
        "import ctypes, struct\n"
        "libc = ctypes.CDLL(None)\n"
        'address = struct.pack("=HH", 2, socket.htons(port)) + socket.inet_aton("127.0.0.1") + bytes(8)\n'
        "assert libc.connect(libc.socket(2, 1, 0), address, 16) == 0"
    ),
}  # fmt: skip


@pytest.fixture
def listening():
    """울타리 밖의 루프백에서 기다리는 서버의 포트. 이름공간이 다르면 127.0.0.1도 서로 다른 곳입니다."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def fenced():
    if reason := fence.available():
        warnings.warn(f"네트워크를 떼어 놓을 수 없어 울타리의 시험을 건너뜁니다: {reason}", stacklevel=1)
        pytest.skip(reason)


def run(code: str, port: int, inside: bool) -> subprocess.CompletedProcess:
    head = "import os, socket, subprocess, sys\nfrom book import fence\n" + (
        "assert fence.enter() == ''\n" if inside else ""
    )
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", f"{head}port = {port}\n{code}"], env=env, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("way", WAYS_OUT)
def test_no_way_leads_out(listening, fenced, way):
    outside = run(WAYS_OUT[way], listening, inside=False)
    assert outside.returncode == 0, f"울타리가 없으면 닿아야 시험이 됩니다.\n{outside.stderr}"
    assert run(WAYS_OUT[way], listening, inside=True).returncode != 0


def test_loopback_works_inside_and_files_keep_their_owner(tmp_path, listening, fenced):
    code = (
        'server = socket.create_server(("127.0.0.1", 0))\n'
        "socket.create_connection(server.getsockname(), 2).close()\n"
        f"open({str(tmp_path / 'made')!r}, 'w').close()\n"
        "print([name for _, name in socket.if_nameindex()])\n"
    )
    done = run(code, listening, inside=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "['lo']"
    assert (tmp_path / "made").stat().st_uid == os.geteuid()


def test_trying_changes_nothing(listening):
    fence.available()
    socket.create_connection(("127.0.0.1", listening), 2).close()


def test_a_system_that_refuses_is_named(monkeypatch):
    def refuse():
        raise OSError(1, "허락하지 않습니다")

    monkeypatch.setattr(fence, "_detach", refuse)
    assert fence.enter() == "허락하지 않습니다"
    assert "실수만" in fence.describe() and "허락하지 않습니다" in fence.describe()


def test_a_page_runs_behind_the_fence(listening, fenced):
    """진짜 쪽 하나를 진짜 커널로 실행합니다. 셀이 띄운 다른 프로그램도 밖에 닿지 못합니다."""
    (ROOT / "_build").mkdir(exist_ok=True)
    build_dir().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=build_dir()) as folder:
        page, target = Path(folder) / "page.md", Path(folder) / "out.ipynb"
        page.write_text(
            "---\njupytext: {text_representation: {extension: .md, format_name: myst}}\nkernelspec: {display_name: Python 3, name: python3}\n---\n"
            "# 제목\n\n```{code-cell} ipython3\nimport subprocess\n"
            f'print("닿음" if subprocess.run(["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/{listening}"]).returncode == 0 else "막힘")\n```\n',
            encoding="utf-8",
        )
        command = [sys.executable, "-m", "book.execution", str(page), str(target), str(os.getpid())]
        done = subprocess.run(command, cwd=ROOT, env=kernel_environment(), capture_output=True, text=True, check=False)
        assert json.loads(target.with_suffix(".json").read_text(encoding="utf-8"))["error"] is None, done.stderr
        printed = [
            o.text
            for cell in nbformat.read(target, 4).cells
            for o in cell.get("outputs", [])
            if o.get("name") == "stdout"
        ]
    assert printed == ["막힘\n"]


def test_the_tests_run_behind_the_fence(monkeypatch):
    called = []
    monkeypatch.setattr(run_tests.fence, "enter", lambda: called.append("울타리"))
    monkeypatch.setattr(run_tests, "run", lambda *_, **__: called.append("시험") or subprocess.CompletedProcess([], 0))
    assert run_tests.main() == 0 and called == ["울타리", "시험"]
