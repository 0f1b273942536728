"""사례 하나를 처음부터 끝까지 점검합니다: make check-case CASE=kakao_push

원고(문체·숫자·얼개·검토) → 데이터(카드·범위·생성기) → 실행 → 정답·검증·자기 점검·예산 → 다른 자료로 다시 실행 →
저장소 밖의 두 번째 실행 → 쪽의 시험의 차례로 봅니다. 시험(tests/pages)도 쪽마다 같은 함수를 부릅니다.
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

from book.asked import SOURCE, asked_problems, read_asked
from book.case_results import unlisted
from book.files import explain
from book.page import ROOT, Page, PageError, read_page, toc_docnames
from book.stopping import run as run_child

CASES = ROOT / "case_studies"
NOTHING_CHOSEN = 5  # pytest가 고를 시험이 없을 때 내는 값: 목록에 있는 식을 쓰지 않은 쪽입니다
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


def toc_problems(page: Page) -> list[str]:
    """그 쪽의 차례, 표, 물음에 빠진 것: 차례와 초안 표시의 어긋남, 방법 표의 줄, 독자의 물음. 고칠 것마다 한 줄입니다."""
    listed, draft = page.docname in toc_docnames(), bool(page.meta.get("draft"))
    if listed and draft:
        return [f"{page.docname}.md:1: 초안(draft: true)이 차례에 있습니다 — draft 줄을 지우거나 _toc.yml에서 빼세요."]
    if not listed and not draft:
        return [
            f"{page.docname}.md:1: 차례(_toc.yml)에 없습니다 — 그 주의 장 아래에 싣거나, 초안이면 draft: true를 적으세요."
        ]
    if not listed or page.docname == "case_studies/template":
        return []
    where = SOURCE.relative_to(ROOT).as_posix()
    asked = [f"{where}:1: {p}" for p in asked_problems(read_asked(), toc_docnames()) if page.docname in p]
    return unlisted(page) + asked


def _data_problems(page: Page) -> list[str]:
    from book.catalog import CATALOG, read_catalog
    from book.checks import datasets

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
    return [problem for name in names for problem in datasets.check(name)]


def _own_tests(page: Page) -> list[str]:
    """쪽의 시험(tests/pages/test_이름.py)과 쪽이 손으로 적은 식의 시험을 돌려 실패를 ``파일:줄: 까닭``으로 모읍니다."""
    file = f"tests/pages/test_{page.path.stem}.py"
    if not (ROOT / file).is_file():
        return [f"{file}:1: 쪽의 시험이 없습니다 — tests/pages/test_template_case.py를 베껴 데이터의 이름을 고치세요."]
    return _pytest(file) or _pytest("tests/pages/test_formulas.py", "-k", page.path.stem)


def _pytest(file: str, *chosen: str) -> list[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "--tb=line", "--no-header", file, *chosen]
    done = run_child(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode == 0 or (chosen and done.returncode == NOTHING_CHOSEN):
        return []
    output = done.stdout.replace(f"{ROOT}/", "")
    found = re.findall(r"^(?:E\s+)?(\S+\.py:\d+: .+)$", output, re.MULTILINE)
    return found or [f"{file}:1: 시험이 돌지 못했습니다 — {(output + done.stderr).strip().splitlines()[-1][:300]}"]


def check(page: Page, report=print, run: bool = True) -> int:
    """점검하며 차례로 알리고, 고칠 것의 수를 돌려줍니다.

    시험(`make test`)이 그 쪽에서 보는 것과 같은 함수들을 부릅니다. 여기서 통과하면 시험에서도 통과합니다.

    Parameters
    ----------
    page : Page
    report : callable
        한 줄씩 받는 함수.
    run : bool
        거짓이면 실행하지 않고 원고와 데이터만 봅니다.
    """
    from book import second_run
    from book.checks import executed, inspect_page, reviewed_text
    from book.execution import execute

    findings = inspect_page(page)
    wrong = [str(f) for f in [*findings, *reviewed_text.check(page)] if not f.warning] + toc_problems(page)
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
    for title, look in (
        ("4. 정답, 자기 점검, 예산", lambda: executed.check(page, done)),
        ("5. 다른 자료에서, 단위와 방향", lambda: _on_another_draw(page, done)),
        ("6. 저장소 밖의 두 번째 실행", lambda: second_run.check(page, done)),
        ("7. 쪽의 시험", lambda: _own_tests(page)),
    ):
        try:
            problems = [str(problem) for problem in look()]
        except PageError as error:
            problems = [_without_traceback(page, str(error))]
        _section(report, title, problems)
        total += len(problems)
    return total


def _on_another_draw(page: Page, done) -> list:
    from book.checks import meaning, numbers, redrawn
    from book.redraw import compared

    facts = compared(page, done)
    return redrawn.check(page, done, facts) + meaning.check(page, done, facts) + numbers.check(page, done)


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
    elif args.no_run:
        print("\n실행하지 않고 본 것은 모두 통과했습니다. 끝까지 보려면 RUN=no를 빼고 다시 돌리세요.")
    elif page.meta.get("draft"):
        print("\n모두 통과했습니다. 다 썼으면 검토를 부탁하고, draft 줄을 지우고, _toc.yml에 실으세요.")
    else:
        print("\n모두 통과했습니다.")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
