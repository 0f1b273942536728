"""빌드를 시험하는 작은 책: 노트북 둘과 첫 쪽."""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from functools import cached_property
from pathlib import Path

import yaml

from book.page import ROOT

NOTEBOOK = """---
jupytext:
  text_representation: {extension: .md, format_name: myst}
kernelspec: {display_name: Python 3, language: python, name: python3}
title: TITLE
description: 빌드 시험에 쓰는 쪽입니다.
---
# TITLE

"""
CELL = "```{code-cell} ipython3\n"
ONE = (
    NOTEBOOK.replace("TITLE", "하나")
    + f"""첫 문장입니다.

{CELL}from causal_practice import glue, load

mean = load("one")["y"].mean()
glue("mean", mean)
print(f"평균 {{mean:.2f}}")
```

평균은 {{glue:text}}`mean:.2f`입니다.
"""
)
TWO = (
    NOTEBOOK.replace("TITLE", "둘")
    + f"""그림이 있는 쪽입니다.

{CELL}:mystnb: {{image: {{alt: "점 세 개"}}}}
import matplotlib.pyplot as plt

from causal_practice import load, set_style

set_style()
plt.plot(load("two")["y"])
plt.show()
```
"""
)
INDEX = "---\ntitle: 첫 쪽\ndescription: 빌드 시험에 쓰는 첫 쪽입니다.\n---\n# 첫 쪽\n\n[하나](one.md)와 [둘](two.md)입니다.\n"
CARD = {
    "title": "시험 자료", "description": "빌드 시험에 씁니다.", "source_page": "one", "rows": 3, "seed": 1, "truth": {"ATE": 0.0}, "sha256": "",
    "columns": {"y": {"label": "결과", "role": "outcome", "unit": "점", "timing": "처치 후", "description": "시험 값"}},
}  # fmt: skip


def toc(*names: str) -> str:
    return yaml.safe_dump({"format": "jb-book", "root": "index", "chapters": [{"file": name} for name in names]})


class Book:
    """임시 폴더의 작은 책. 도구와 확장은 저장소의 것을 그대로 씁니다."""

    def __init__(self, folder: Path):
        self.folder = folder
        ignore = shutil.ignore_patterns("__pycache__", "*.pyc")
        for name in ("book", "causal_practice", "assets"):
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, folder / name, ignore=ignore)
        for name in ("_config.yml", "requirements.lock", "requirements.txt", "requirements-scale.txt"):
            shutil.copy2(ROOT / name, folder / name)
        (folder / "guides").mkdir()
        for path in (ROOT / "guides").glob("*.yml"):
            shutil.copy2(path, folder / "guides" / path.name)
        (folder / "data" / "generators").mkdir(parents=True)
        (folder / "data" / "catalog.yml").write_text(
            yaml.safe_dump({"one": CARD, "two": CARD}, allow_unicode=True), encoding="utf-8"
        )
        for name, values in (("one", "1\n2\n3"), ("two", "3\n1\n2")):
            (folder / "data" / f"{name}.csv").write_text(f"y\n{values}\n", encoding="utf-8")
        for name, text in (("index", INDEX), ("one", ONE), ("two", TWO)):
            (folder / f"{name}.md").write_text(text, encoding="utf-8")
        (folder / "_toc.yml").write_text(toc("one", "two"), encoding="utf-8")

    @property
    def html(self) -> Path:
        return self.folder / "_build" / "html"

    def environment(self) -> dict[str, str]:
        """이 책의 도구를 부를 환경변수."""
        env = {
            k: v for k, v in os.environ.items() if k not in {"BOOK_BUILD_DIR", "BOOK_EXECUTION_DIR", "NETWORK_ATTEMPTS"}
        }
        return env | {"PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}

    def start(self) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", "book.commands.build", "book"], cwd=self.folder, env=self.environment(), start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8",
        )  # fmt: skip

    @cached_property
    def driver(self) -> subprocess.Popen:
        """꾸러미를 불러 둔 프로세스(faults.py). 빌드는 여기서 갈라져 나옵니다."""
        return subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("faults.py"))], cwd=self.folder, env=self.environment(),
            text=True, encoding="utf-8", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def order(self, **order) -> dict:
        """``driver``에 빌드 하나를 시킵니다. 주문과 결과의 꼴은 faults.py에 있습니다."""
        self.driver.stdin.write(json.dumps(order) + "\n")
        self.driver.stdin.flush()
        return json.loads(self.driver.stdout.readline())

    def close(self) -> None:
        if "driver" in self.__dict__:
            self.driver.stdin.close()
            self.driver.wait()

    def build(self, alone: bool = False) -> tuple[int, str]:
        """빌드 한 번의 (종료 코드, 찍은 말). ``alone``이면 `make book`처럼 새 프로세스에서 짓습니다."""
        if not alone:
            done = self.order(do="watch")
            return done["code"], done["said"]
        process = self.start()
        output, _ = process.communicate(timeout=300)
        return process.returncode, output

    def build_ok(self, alone: bool = False) -> dict[str, bool]:
        """빌드가 성공해야 합니다. 쪽마다 보관한 결과를 썼는지 돌려줍니다."""
        code, output = self.build(alone)
        assert code == 0, output
        report = json.loads((self.folder / "_build" / "report.json").read_text(encoding="utf-8"))
        return {name: page["cached"] for name, page in report["pages"].items()}

    def build_and_kill(self, when) -> None:
        """``when()``이 참이 되는 순간 빌드를 kill -9로 죽입니다."""
        process = self.start()
        try:
            deadline = time.monotonic() + 120
            while not when():
                assert process.poll() is None, "죽이기 전에 빌드가 끝났습니다: " + process.communicate()[0]
                assert time.monotonic() < deadline, "죽일 때를 놓쳤습니다."
                time.sleep(0.005)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        assert process.returncode == -signal.SIGKILL

    @contextlib.contextmanager
    def changed(self, files: dict[str, str]):
        """파일을 잠깐 바꾸거나 만듭니다. 나갈 때 되돌립니다."""
        before = {
            name: (self.folder / name).read_text(encoding="utf-8") if (self.folder / name).exists() else None
            for name in files
        }
        try:
            for name, text in files.items():
                (self.folder / name).write_text(text, encoding="utf-8")
            yield
        finally:
            for name, text in before.items():
                if text is None:
                    (self.folder / name).unlink()
                else:
                    (self.folder / name).write_text(text, encoding="utf-8")

    def hashes(self) -> dict[str, str]:
        return {
            path.relative_to(self.html).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.html.rglob("*"))
            if path.is_file()
        }
