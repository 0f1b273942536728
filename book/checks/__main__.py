"""원고를 검사합니다.

python -m book.checks                      # 차례에 실린 모든 쪽
python -m book.checks case_studies/a.md    # 그 쪽만
"""

from book.stopping import stop_cleanly

if __name__ == "__main__":
    stop_cleanly("검사를 멈췄습니다. 고친 것이 없으므로 같은 명령을 다시 하면 됩니다.")

import argparse
import sys
from pathlib import Path

from book.atlas import SOURCE
from book.checks import inspect_page
from book.files import explain
from book.page import ROOT, PageError, read_page, toc_docnames


def main(argv: list[str] | None = None) -> int:
    """고칠 것이 하나라도 있으면 1을 돌려줍니다. 주의만 있으면 0입니다."""
    parser = argparse.ArgumentParser(prog="python -m book.checks", description="문체, 숫자, 얼개를 검사합니다.")
    parser.add_argument("files", nargs="*", help="검사할 쪽(.md). 비우면 차례에 실린 모든 쪽")
    parser.add_argument("--no-warnings", action="store_true", help="주의는 보이지 않습니다")
    args = parser.parse_args(argv)
    try:
        return _check(args)
    except OSError as error:
        print(explain(error), file=sys.stderr)
        return 1


def _check(args: argparse.Namespace) -> int:
    published = set(toc_docnames())
    files = [_locate(name) for name in args.files] or [ROOT / f"{name}.md" for name in toc_docnames()]
    errors = 0
    for file in files:
        try:
            page = read_page(file)
            findings = inspect_page(page, published)
        except (PageError, ValueError) as error:
            print(error)
            errors += 1
            continue
        errors += sum(not f.warning for f in findings)
        for finding in findings:
            if not (finding.warning and args.no_warnings):
                print(finding)
    print(
        f"쪽 {len(files)}개를 보았습니다. " + (f"고칠 것이 {errors}건 있습니다." if errors else "고칠 것이 없습니다.")
    )
    return 1 if errors else 0


def _locate(name: str) -> Path:
    """명령에 적힌 파일: 지금 폴더에서 찾고, 없으면 저장소에서 찾습니다."""
    here = Path(name).resolve()
    file = here if here.is_file() and here.is_relative_to(ROOT) else ROOT / name
    return SOURCE.with_suffix(".md") if file == SOURCE else file  # 지도의 원본은 지도의 쪽과 함께 봅니다


if __name__ == "__main__":
    sys.exit(main())
