"""사례 하나를 처음부터 끝까지 점검합니다: make check-case CASE=kakao_push

원고(문체·숫자·얼개) → 데이터(생성기·카드) → 실행 → 정답·검증·자기 점검·예산 → 다른 자료로 다시 실행의 차례로 봅니다.
"""

from book.stopping import stop_cleanly

if __name__ == "__main__":
    stop_cleanly("점검을 멈췄습니다. 같은 명령을 다시 하면 끝난 실행은 그대로 쓰고 이어서 봅니다.")

import argparse
import difflib
import os
import re
import sys
from pathlib import Path

import yaml

from book.files import explain
from book.page import ROOT, Page, PageError, read_page, toc_docnames

CASES = ROOT / "case_studies"
_BLOCKING = {"front-matter", "code", "fence"}  # 이것부터 고쳐야 실행해 볼 수 있습니다


def case_names() -> list[str]:
    """있는 사례의 이름."""
    return sorted(p.stem for p in CASES.glob("*.md") if p.stem != "index")


def locate(name: str) -> Page:
    """이름이나 경로로 사례를 찾습니다.

    Raises
    ------
    PageError
        이름이 비었거나 그런 사례가 없을 때. 비슷한 이름을 함께 알려 줍니다.
    """
    stem = Path(name.strip()).stem
    if not stem:
        raise PageError(
            f"사례의 이름을 적어 주세요: make check-case CASE=template\n있는 사례: {', '.join(case_names())}"
        )
    if stem not in case_names():
        near = difflib.get_close_matches(stem, case_names(), n=3, cutoff=0.4)
        hint = f"혹시 {', '.join(near)}인가요?" if near else f"있는 사례: {', '.join(case_names())}."
        raise PageError(
            f"'{stem}' 사례가 없습니다(case_studies/{stem}.md). {hint}\n새로 만들려면: make new-case NAME={stem}"
        )
    return read_page(CASES / f"{stem}.md")


def _toc_problems(page: Page) -> list[str]:
    listed, draft = page.docname in toc_docnames(), bool(page.meta.get("draft"))
    if listed and draft:
        return [f"{page.docname}.md:1: 초안(draft: true)이 차례에 있습니다 — draft 줄을 지우거나 _toc.yml에서 빼세요."]
    if not listed and not draft:
        return [
            f"{page.docname}.md:1: 차례(_toc.yml)에 없습니다 — 그 주의 장 아래에 싣거나, 초안이면 draft: true를 적으세요."
        ]
    return []


def _data_problems(page: Page) -> list[str]:
    from book.catalog import CATALOG, problems, read_catalog

    try:
        cards = read_catalog()
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
        return [f"{CATALOG.relative_to(ROOT)}:{line}: YAML로 읽지 못했습니다 — 콜론 뒤 빈칸과 괄호를 확인하세요."]
    listed = page.meta.get("datasets")
    names = [n for n in listed if isinstance(n, str)] if isinstance(listed, list) else []
    names += [
        n
        for n, card in cards.items()
        if isinstance(card, dict) and card.get("source_page") == page.docname and n not in names
    ]
    return [problem for name in names for problem in problems(name)]


def check(page: Page, report=print, run: bool = True) -> int:
    """점검하며 차례로 알리고, 고칠 것의 수를 돌려줍니다.

    Parameters
    ----------
    page : Page
    report : callable
        한 줄씩 받는 함수.
    run : bool
        거짓이면 실행하지 않고 원고와 데이터만 봅니다.
    """
    from book.checks import executed, inspect_page, redrawn
    from book.execution import execute
    from book.redraw import compared

    findings = inspect_page(page)
    wrong = [str(f) for f in findings if not f.warning] + _toc_problems(page)
    _section(report, "1. 원고", wrong)
    for finding in findings:
        if finding.warning:
            report(f"  {finding}")
    data = _data_problems(page)
    _section(report, "2. 데이터", data)
    total = len(wrong) + len(data)
    if not run:
        return total
    if any(f.rule in _BLOCKING for f in findings):
        report("3. 실행: 위의 머리말과 코드를 고친 뒤에 돌립니다.")
        return total
    try:
        done = execute(page)
    except PageError as error:
        _section(report, "3. 실행", [_without_traceback(page, str(error))])
        return total + 1
    kept = " (보관한 결과)" if done.cached else ""
    report(f"3. 실행: 괜찮습니다. {done.seconds:.0f}초, {done.memory_mb:.0f}MB{kept}")
    after = [str(f) for f in executed.check(page, done)]
    _section(report, "4. 정답과 자기 점검", after)
    try:
        moved = [str(f) for f in redrawn.check(page, done, compared(page, done))]
    except PageError as error:
        moved = [_without_traceback(page, str(error))]
    _section(report, "5. 다른 자료에서", moved)
    return total + len(after) + len(moved)


def _without_traceback(page: Page, message: str) -> str:
    """실행 오류에서 자리와 고칠 법만 남기고, 셀 안에서 멈춘 줄을 원고의 줄로 바꿔 덧붙입니다."""
    from book.myst import parse

    lines = message.splitlines()
    remedy = next((i for i, line in enumerate(lines) if line.strip().startswith("→")), len(lines) - 1)
    stopped = re.search(r"^\s*-+>\s*(\d+)\s(.*)$", "\n".join(lines[remedy + 1 :]), re.MULTILINE)
    reported = re.match(rf"{re.escape(page.docname)}\.md:(\d+):", message)
    cells = parse(page.text).cells if stopped and reported else []
    cell = next((c for c in cells if c.line <= int(reported[1]) <= c.end), None)
    where = [f"  멈춘 곳 {page.docname}.md:{cell.first + int(stopped[1]) - 1}: {stopped[2].strip()}"] if cell else []
    return "\n".join([*lines[: remedy + 1], *where])


def _section(report, title: str, problems: list[str]) -> None:
    report(f"{title}: " + (f"고칠 것 {len(problems)}건" if problems else "괜찮습니다."))
    for problem in problems:
        report(f"  {problem}")


def main(argv: list[str] | None = None) -> int:
    """고칠 것이 있으면 1을 돌려줍니다."""
    parser = argparse.ArgumentParser(prog="make check-case", description="사례 하나를 점검합니다.")
    parser.add_argument("case", nargs="?", default="", help="사례의 이름(case_studies의 파일 이름)")
    parser.add_argument("--no-run", action="store_true", help="실행하지 않고 원고와 데이터만 봅니다")
    args = parser.parse_args(argv)
    try:
        page = locate(args.case)
        count = check(page, run=not args.no_run)
    except PageError as error:
        print(error)
        return 1
    except OSError as error:
        print(explain(error))
        return 1
    except Exception as error:  # 기여자에게 파이썬의 오류 더미를 보이지 않습니다.
        if os.environ.get("DEBUG"):
            raise
        print(
            f"점검 도구가 멈췄습니다({type(error).__name__}: {error}).\nDEBUG=1을 앞에 붙여 다시 돌린 출력과 함께 이슈로 알려 주세요."
        )
        return 1
    if count:
        print(f"\n고칠 것이 {count}건 있습니다. 고치고 다시 돌리세요.")
    elif page.meta.get("draft"):
        print("\n모두 통과했습니다. 다 썼으면 draft 줄과 안내 상자를 지우고 _toc.yml에 실으세요.")
    else:
        print("\n모두 통과했습니다.")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
