"""그 주의 실습 노트북을 만들고 JupyterLab을 엽니다: ``make lab WEEK=5``

노트북, 데이터, causal_practice를 한 폴더에 두므로 그 폴더만으로 돌아갑니다.
배우는 사람이 고친 파일은 덮어쓰지 않습니다. 새 판이 나오면 옆에 따로 둡니다.
"""

from book.stopping import run, stop_cleanly

if __name__ == "__main__":
    stop_cleanly(
        "멈췄습니다. 저장한 노트북은 그대로이고, `make lab`을 다시 하면 이어서 엽니다.", patience=2.0, python_only=True
    )

import argparse
import hashlib
import json
import os
import sys
from pathlib import Path

from book.bundle import notebook_bytes, support_files
from book.execution import execute, stored
from book.files import explain, write_atomically
from book.learner_notebook import has_exercises, notebook_name
from book.page import ROOT, Page, PageError, build_dir, published_pages

LEDGER = ".ours.json"  # 우리가 마지막으로 건넨 판의 지문
SETTINGS = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}


def pages_of_week(week: str) -> list[Page]:
    """그 주의 장과 사례.

    Raises
    ------
    PageError
        주차가 비었거나 수가 아니거나 쪽이 없을 때. 있는 주차를 알려 줍니다.
    """
    notebooks = [p for p in published_pages() if p.is_notebook and p.meta.get("kind") in {"chapter", "deeper", "case"}]
    notebooks = [p for p in notebooks if isinstance(p.meta.get("week"), int) and p.docname != "case_studies/template"]
    weeks = sorted({p.meta["week"] for p in notebooks})
    known = ", ".join(map(str, weeks)) or "없음"
    week = week.strip()
    if not week:
        raise PageError(f"몇 주차인지 적어 주세요. 예: make lab WEEK=5 (있는 주차: {known})")
    if not week.isdecimal():
        raise PageError(f"WEEK는 수로 적어 주세요. 받은 것: '{week}' (있는 주차: {known})")
    if int(week) not in weeks:
        raise PageError(f"{int(week)}주차의 노트북이 없습니다. (있는 주차: {known})")
    return sorted(
        (p for p in notebooks if p.meta["week"] == int(week)),
        key=lambda p: ["chapter", "case", "deeper"].index(p.meta["kind"]),
    )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def hand_over(files: dict[str, bytes], folder: Path, report=print) -> dict[str, Path]:
    """파일을 ``folder``에 둡니다. 사람이 고친 파일은 어떤 경우에도 덮어쓰지 않습니다.

    우리가 건넨 그대로이면 새 판으로 바꿉니다. 고친 파일이면 두고, 전에 건넨 적 없는 판만 옆에 ``_새판``으로 씁니다.

    Parameters
    ----------
    files : dict of str to bytes
        폴더 안의 이름에서 내용으로.
    folder : Path
    report : callable
        사람에게 알릴 말을 받는 함수.

    Returns
    -------
    dict of str to Path
        이름마다 지금 판이 있는 곳. 고친 파일을 두었고 새 판도 없으면 고친 파일입니다.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ledger_file = folder / LEDGER
    try:
        ledger = json.loads(ledger_file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):  # 없거나 깨졌으면 모든 파일을 사람이 고친 것으로 봅니다
        ledger = {}

    def put(name: str, content: bytes) -> Path:
        write_atomically(folder / name, content)
        ledger[name] = _digest(content)
        write_atomically(ledger_file, json.dumps(ledger, ensure_ascii=False, indent=1))
        return folder / name

    def untouched(name: str, digest: str) -> bool:
        path = folder / name
        return not path.exists() or _digest(path.read_bytes()) in {ledger.get(name), digest}

    placed = {}
    for name, content in files.items():
        digest = _digest(content)
        if untouched(name, digest):
            same = (
                (folder / name).exists()
                and ledger.get(name) == digest
                and _digest((folder / name).read_bytes()) == digest
            )
            placed[name] = folder / name if same else put(name, content)
        elif ledger.get(name) == digest:
            placed[name] = folder / name
        else:
            path, number = Path(name), 1
            while not untouched(
                beside := path.with_name(f"{path.stem}_새판{number if number > 1 else ''}{path.suffix}").as_posix(),
                digest,
            ):
                number += 1
            placed[name] = put(beside, content)
            ledger[name] = digest
            write_atomically(ledger_file, json.dumps(ledger, ensure_ascii=False, indent=1))
            report(f"고치신 {name}은(는) 그대로 두었습니다. 책의 새 판은 {beside}에 있습니다.")
    return placed


def write_lab(pages: list[Page], folder: Path, solutions: bool = False, report=print) -> list[Path]:
    """그 주의 노트북과, 그것이 쓰는 데이터와 패키지를 ``folder``에 둡니다.

    Returns
    -------
    list of Path
        노트북의 위치. 실습용 다음에 진행자용이 옵니다.

    Raises
    ------
    PageError
        쪽을 실행하거나 바꾸지 못했을 때.
    """
    notebooks = {}
    for page in pages:
        if stored(page) is None:
            report(f"{page.docname}을(를) 한 번 실행합니다(1분 안팎).")
        done = execute(page)
        notebooks[notebook_name(page)] = notebook_bytes(page, done)
        if solutions and has_exercises(page):
            notebooks[notebook_name(page, solutions=True)] = notebook_bytes(page, done, solutions=True)
    placed = hand_over(support_files(pages) | notebooks, folder, report)
    return [placed[name] for name in sorted(notebooks, key=lambda name: name.endswith("_정답.ipynb"))]


def lab_command(folder: Path, first: Path) -> list[str]:
    """JupyterLab을 여는 명령. 소식과 새 판을 확인하려고 바깥에 묻지 않고, 읽는 사람에게 묻는 창도 띄우지 않습니다."""
    settings = folder / ".settings"
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "overrides.json").write_text(json.dumps(SETTINGS, indent=1), encoding="utf-8")
    command = [
        sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder}", f"--LabApp.default_url=/lab/tree/{first.relative_to(folder).as_posix()}",
        f"--LabApp.app_settings_dir={settings}", "--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
    ]  # fmt: skip
    return command + (["--allow-root"] if getattr(os, "geteuid", lambda: 1)() == 0 else [])


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="그 주의 실습 노트북을 엽니다.")
    parser.add_argument("--week", default="")
    parser.add_argument("--solutions", action="store_true", help="정답이 든 진행자용도 함께 씁니다")
    parser.add_argument("--no-open", action="store_true", help="파일만 쓰고 JupyterLab은 열지 않습니다")
    args = parser.parse_args(argv)
    try:
        pages = pages_of_week(args.week)
        folder = build_dir() / "lab" / f"week{int(args.week):02d}"
        paths = write_lab(pages, folder, args.solutions)
        command = lab_command(folder, paths[0])
    except PageError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(explain(error), file=sys.stderr)
        return 1
    shown = folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder
    print(f"실습 노트북 ({shown}):", *(path.name for path in paths), sep="\n  ")
    if args.no_open:
        return 0
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}  # 폴더 안의 패키지를 쓰게 합니다
    return run(command, env=env).returncode


if __name__ == "__main__":
    sys.exit(main())
