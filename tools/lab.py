"""그 주의 실습 노트북을 만들고 JupyterLab을 엽니다: ``make lab WEEK=5``

배우는 사람이 고친 노트북은 덮어쓰지 않습니다. 새 판이 나오면 옆에 따로 둡니다.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat

from tools.execution import execute
from tools.learner_notebook import convert
from tools.paths import ROOT, Page, PageError, build_dir, published_pages


def pages_of_week(week: str) -> list[Page]:
    """그 주의 장과 사례.

    Raises
    ------
    PageError
        주차가 비었거나 수가 아니거나 쪽이 없을 때. 있는 주차를 알려 줍니다.
    """
    notebooks = [p for p in published_pages() if p.is_notebook and p.meta.get("kind") in {"chapter", "case"}]
    weeks = sorted({p.meta["week"] for p in notebooks})
    known = ", ".join(map(str, weeks))
    if not week.strip():
        raise PageError(f"몇 주차인지 적어 주세요. 예: make lab WEEK=5 (있는 주차: {known})")
    if not week.strip().isdigit() or int(week) not in weeks:
        raise PageError(f"'{week}'주차의 노트북이 없습니다. 있는 주차: {known}")
    return [p for p in notebooks if p.meta["week"] == int(week) and p.docname != "case_studies/template"]


def write_notebooks(pages: list[Page], folder: Path, solutions: bool = False, report=print) -> list[Path]:
    """실습 노트북을 ``folder``에 씁니다.

    앞서 우리가 쓴 그대로이면 새 판으로 바꾸고, 사람이 고친 것이면 그대로 두고 새 판을 옆에 둡니다.

    Returns
    -------
    list of Path
        이번에 쓰거나 그대로 둔 노트북.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ledger_file = folder / ".ours.json"
    ledger = json.loads(ledger_file.read_text()) if ledger_file.is_file() else {}
    written = []
    for page in pages:
        content = nbformat.writes(convert(page, execute(page), solutions=solutions)).encode()
        path = folder / f"{page.path.stem}{'_정답' if solutions else ''}.ipynb"
        digest = hashlib.sha256(content).hexdigest()
        if path.is_file():
            current = hashlib.sha256(path.read_bytes()).hexdigest()
            if current != ledger.get(path.name) and ledger.get(path.name) != digest:
                path = path.with_name(f"{path.stem}_새판.ipynb")
                report(f"고치신 {page.path.stem}.ipynb는 그대로 두고, 새 판을 {path.name}에 썼습니다.")
            elif current != ledger.get(path.name):
                written.append(path)  # 사람이 고쳤고 새 판도 없습니다
                continue
        path.write_bytes(content)
        ledger[path.name] = digest
        written.append(path)
    ledger_file.write_text(json.dumps(ledger, ensure_ascii=False))
    return written


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="그 주의 실습 노트북을 엽니다.")
    parser.add_argument("--week", default="")
    parser.add_argument("--solutions", action="store_true", help="정답이 든 진행자용도 함께 씁니다")
    parser.add_argument("--no-open", action="store_true", help="노트북만 쓰고 JupyterLab은 열지 않습니다")
    args = parser.parse_args(argv)
    try:
        pages = pages_of_week(args.week)
        folder = build_dir() / "lab" / f"week{int(args.week):02d}"
        paths = write_notebooks(pages, folder)
        if args.solutions:
            paths += write_notebooks(pages, folder, solutions=True)
    except PageError as error:
        print(error, file=sys.stderr)
        return 1
    print("실습 노트북:", *(path.name for path in paths), sep="\n  ")
    if args.no_open:
        return 0
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, "-m", "jupyterlab", "--notebook-dir", str(folder)], env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
