"""파이썬 파일은 도구(ruff)가 정돈한 그대로입니다. 설정은 pyproject.toml에 있습니다."""

import re
import subprocess
import sys

import pytest

from book.page import ROOT


def ruff(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "ruff", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("command", [("check", "--no-cache"), ("format", "--check", "--no-cache")], ids=" ".join)
def test_python_files_are_as_the_tool_leaves_them(command):
    done = ruff(*command, ".")
    assert done.returncode == 0, (
        f"`python -m ruff check --fix . && python -m ruff format .`을 돌리세요.\n{(done.stdout + done.stderr)[-3000:]}"
    )


def test_the_commit_hook_uses_the_locked_version():
    hooks = set(re.findall(r"ruff==([\d.]+)", (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")))
    locks = [path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("requirements*.lock"))]
    locked = {version for text in locks for version in re.findall(r"^ruff==([\d.]+)", text, re.MULTILINE)}
    assert len(locked) == 1 and hooks == locked, (
        f"커밋 훅은 {hooks}, 잠금 파일은 {locked}입니다. .pre-commit-config.yaml을 잠금에 맞추세요."
    )
