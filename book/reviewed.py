"""검토는 그때 읽은 글에만 섭니다: 쪽을 쓰지 않은 사람이 읽은 문단의 지문을 두고, 그 뒤에 바뀐 문단을 찾습니다.

    python -m book.reviewed chapters/week05_propensity_score.md --by 이름    # make reviewed PAGE=… BY=…

문단은 빈 줄로 나눈 덩어리입니다. 글, 수식, 표, 코드, 대체 텍스트, 연습문제의 귀띔이 모두 문단이고, 머리말과 쪽이 쓰는 데이터의
카드는 줄마다 하나입니다(명령이 채우는 행의 수와 지문은 뺍니다).
기록(``reviews/read/``)에는 문단마다 지문과 첫머리가 한 줄로 있어, 무엇이 바뀌었는지 diff에서 읽힙니다. 지문은 글이 바뀐 것만
알고 틀린 것인지는 모릅니다. 그것을 가리는 것은 읽는 사람입니다.
"""

import argparse
import datetime
import hashlib
import re
import sys
from pathlib import Path

from book.files import write_atomically
from book.page import ROOT, Page, published_pages, read_page

RECORDS = ROOT / "reviews" / "read"
KINDS = {"chapter", "deeper", "case"}
OPENING = 30  # 기록에 남기는 첫머리의 글자 수
_FILLED = re.compile(r"\s*(?:rows|sha256):")
_TOOLS = re.compile(r"\s*(?:jupytext|text_representation|kernelspec|extension|format_name|display_name|language):|---$")


def record_path(docname: str) -> Path:
    """쪽의 기록이 놓인 자리."""
    return RECORDS / f"{docname.replace('/', '__')}.txt"


def paragraphs(text: str) -> list[tuple[int, str]]:
    """원고의 문단: (첫 줄의 번호, 글). 도구만 읽는 머리말의 줄은 뺍니다."""
    lines, found, at = text.split("\n"), [], 0
    if lines and lines[0] == "---":
        at = lines.index("---", 1)
        found = [(n, line.strip()) for n, line in enumerate(lines[:at], 1) if line.strip() and not _TOOLS.match(line)]
    block: list[str] = []
    for number, line in enumerate([*lines[at:], ""], at + 1):
        if line.strip():
            block.append(line.rstrip())
        elif block:
            found.append((number - len(block), "\n".join(block)))
            block = []
    return found


def card_lines(page: Page) -> list[str]:
    """쪽이 쓰는 데이터의 카드: ``이름 | 줄``."""
    found = []
    for name in page.meta.get("datasets") or []:
        card = re.search(rf"^{re.escape(str(name))}:\n((?:[ #].*\n|\n)*)", _catalog(), re.MULTILINE)
        lines = card[1].splitlines() if card else []
        found += [f"{name} | {line.strip()}" for line in lines if line.strip() and not _FILLED.match(line)]
    return found


def _catalog() -> str:
    path = ROOT / "data" / "catalog.yml"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def fingerprint(paragraph: str) -> str:
    """문단의 지문(16진수 10자). 빈칸의 수는 보지 않습니다."""
    return hashlib.sha256(" ".join(paragraph.split()).encode()).hexdigest()[:10]


def recorded(docname: str) -> dict[str, str] | None:
    """읽은 문단의 지문 → 첫머리. 기록이 없으면 None."""
    path = record_path(docname)
    if not path.is_file():
        return None
    rows = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return dict(row.partition(" ")[::2] for row in rows)


def changes(page: Page) -> tuple[list[tuple[int, str]], list[str]]:
    """검토 뒤에 바뀌거나 더해진 문단의 (줄, 첫머리)와, 사라진 문단의 첫머리. 기록이 없으면 모든 문단이 새것입니다."""
    known, here = recorded(page.docname) or {}, _read(page)
    new = [(line, _opening(text)) for line, text in here if fingerprint(text) not in known]
    now = {fingerprint(text) for _, text in here}
    return new, [opening for mark, opening in known.items() if mark not in now]


def _read(page: Page) -> list[tuple[int, str]]:
    return [*paragraphs(page.text), *((1, line) for line in card_lines(page))]


def _opening(paragraph: str) -> str:
    return " ".join(paragraph.split())[:OPENING]


def sign(page: Page, by: str) -> int:
    """지금의 글을 읽었다고 적고, 새로 읽은 문단의 수를 돌려줍니다."""
    new = len(changes(page)[0])
    rows = dict.fromkeys(f"{fingerprint(text)} {_opening(text)}" for _, text in _read(page))
    head = f"# {page.docname}.md에서 쪽을 쓰지 않은 사람이 읽은 문단입니다. `make reviewed PAGE=… BY=…`가 씁니다.\n"
    write_atomically(
        record_path(page.docname), f"{head}# {datetime.date.today().isoformat()} {by}\n" + "\n".join(rows) + "\n"
    )
    return new


def reviewed_pages() -> list[Page]:
    """검토받는 쪽: 차례에 실린 장, 심화, 사례."""
    return [page for page in published_pages() if page.meta.get("kind") in KINDS]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m book.reviewed", description="읽은 글에 서명합니다.")
    parser.add_argument("pages", nargs="*", help="쪽(.md). 비우면 바뀐 문단만 보여 줍니다")
    parser.add_argument("--by", default="", help="읽은 사람")
    args = parser.parse_args(argv)
    if args.pages and not args.by.strip():
        print("읽은 사람의 이름을 적으세요: make reviewed PAGE=chapters/week05_propensity_score.md BY=이름")
        return 1
    for name in args.pages:
        path = ROOT / f"{name.removesuffix('.md')}.md"
        if not path.is_file():
            print(f"그런 쪽이 없습니다: {name}")
            return 1
        page = read_page(path)
        if page.meta.get("kind") not in KINDS:
            print(f"{page.docname}: 장, 심화, 사례의 글만 서명합니다. 적을 것이 없습니다.")
            return 1
        print(f"{page.docname}: 문단 {sign(page, args.by.strip())}개를 새로 읽었다고 적었습니다.")
    for page in [] if args.pages else reviewed_pages():
        for line, opening in changes(page)[0]:
            print(f"{page.docname}.md:{line}: {opening}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
