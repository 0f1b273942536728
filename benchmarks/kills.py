"""진짜 책을 짓다가 아무 때나 죽이기를 되풀이하고, 다음 빌드가 같은 사이트를 짓는지 봅니다.

    python -m benchmarks.kills --kills 50

보관한 실행을 임시 폴더에 베껴 쓰므로 지금의 ``_build``는 건드리지 않습니다(`make book`을 한 번 한 뒤에 돌립니다).
죽일 때마다 실행 몇 개를 지우거나 파일을 비워서, 실행과 사이트의 어느 단계에서나 죽게 합니다. 두 코어에서 15분쯤 걸립니다.
"""

import argparse
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from book.page import ROOT, execution_dir
from book.search_index import unpack

CHAIN = 10  # 이만큼 죽일 때마다 끝까지 지어 견줍니다
FORGET = 2  # 죽이기 전에 지우는 실행의 수
_MEASURED = re.compile(
    rb"[\d,.]+(?=\xec\xb4\x88|MB)"
)  # 초와 MB: 빌드 보고서와 그 검색 자료에만 있는, 잴 때마다 다른 수


class Site:
    """임시 폴더에 짓는 진짜 책."""

    def __init__(self, folder: Path):
        self.folder = folder
        shutil.copytree(
            execution_dir(), folder / "execution", ignore=shutil.ignore_patterns("matplotlib", ".partial-*")
        )

    def start(self) -> subprocess.Popen:
        env = os.environ | {"BOOK_BUILD_DIR": str(self.folder), "BOOK_EXECUTION_DIR": str(self.folder / "execution")}
        return subprocess.Popen(
            [sys.executable, "-m", "book.commands.build", "book"], cwd=ROOT, env=env, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8",
        )  # fmt: skip

    def finish(self) -> float:
        """끝까지 짓고 걸린 초를 돌려줍니다. 실패하면 찍은 말과 함께 멈춥니다."""
        started = time.monotonic()
        process = self.start()
        said, _ = process.communicate()
        if process.returncode:
            sys.exit(f"다음 빌드가 실패했습니다.\n{said}")
        return time.monotonic() - started

    def hashes(self) -> dict[str, str]:
        html = self.folder / "html"
        found = {}
        for path in sorted(p for p in html.rglob("*") if p.is_file()):
            name, content = path.relative_to(html).as_posix(), path.read_bytes()
            if name == "_static/search/index.js":
                content = json.dumps(unpack(content.decode()), ensure_ascii=False).encode()
            if name in {"guides/build_report.html", "_static/search/index.js"}:
                content = _MEASURED.sub(b"#", content)
            found[name] = hashlib.sha256(content).hexdigest()
        return found

    def spoil(self, chance: random.Random, short: list[str]) -> None:
        """실행 몇 개를 지우고, 셋에 하나꼴로 아무 파일이나 비우거나 자릅니다."""
        for name in chance.sample(short, FORGET):
            for path in (self.folder / "execution").glob(f"{name}.*"):
                path.unlink()
        (self.folder / "site.json").unlink(missing_ok=True)
        if chance.random() < 1 / 3:
            victim = chance.choice(sorted(p for p in self.folder.rglob("*") if p.is_file()))
            victim.write_bytes(victim.read_bytes()[: chance.choice([0, victim.stat().st_size // 2])])


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="진짜 책을 짓다가 아무 때나 죽입니다.")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(argv)
    chance = random.Random(args.seed)
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        site = Site(Path(folder))
        site.finish()
        whole, length = site.hashes(), 0.0
        report = json.loads((Path(folder) / "report.json").read_text(encoding="utf-8"))["pages"]
        by_seconds = sorted(report, key=lambda name: report[name]["seconds"])
        short = [name.replace("/", "__") for name in by_seconds[: len(by_seconds) // 3]]  # 빠른 쪽의 셋에 하나
        killed, stages = 0, {"실행": 0, "사이트": 0}
        while killed < args.kills:
            site.spoil(chance, short)
            if not length:  # 실행 몇 개를 다시 하고 사이트를 처음부터 짓는 데 걸리는 초
                length = site.finish()
                continue
            process, started = site.start(), time.monotonic()
            try:
                said, _ = process.communicate(timeout=chance.uniform(0.2, length))
                length = time.monotonic() - started  # 먼저 끝났습니다. 기계가 한가해졌으면 다음에는 더 일찍 죽입니다
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                said, _ = process.communicate()
                killed += 1
                stages["사이트" if "사이트를 짓습니다" in said else "실행"] += 1
                print(f"  {killed}번째", flush=True)
            if process.returncode == -signal.SIGKILL and killed % CHAIN == 0:
                seconds, now = site.finish(), site.hashes()
                different = sorted(set(whole) ^ set(now)) + [name for name in now if whole.get(name) != now[name]]
                print(f"{killed}번 죽임 {stages}: 다음 빌드 {seconds:.0f}초, 다른 파일 {len(different)}개", flush=True)
                if different:
                    print("\n".join(different[:20]))
                    return 1
    print(f"{killed}번 죽여도 같은 사이트입니다(파일 {len(whole)}개, 씨앗 {args.seed}).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
