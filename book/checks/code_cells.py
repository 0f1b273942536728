"""코드 셀 검사: 보이는 코드는 한 줄에 88칸까지, 한 셀에 열두 줄까지.

본문의 폭은 88칸 남짓입니다. 더 길면 데스크톱에서도 옆으로 밀어야 읽힙니다. 한글은 두 칸으로 셉니다.
점검 셀은 접혀 있고 펼치면 정답이 보이므로 보이는 코드로 치지 않습니다.
"""

import unicodedata

from book.checks.findings import Finding
from book.myst import Cell, Document, parse
from book.page import ROOT, Page

COLUMNS = 88
LINES = 12
_NOT_SHOWN = {"remove-cell", "remove-input", "self-check"}
_FOLDED = {"hide-cell", "hide-input", "solution"}
UNSEEN = _NOT_SHOWN | _FOLDED  # 펼쳐 보이는 코드로 치지 않는 꼬리표


def columns(line: str) -> int:
    """고정폭 글꼴에서 차지하는 칸."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line.rstrip())


def check(page: Page, document: Document | None = None) -> list[Finding]:
    """쪽 하나에서 너무 넓은 줄과 너무 긴 셀을 찾습니다.

    Parameters
    ----------
    page : Page
    document : Document
        읽은 원고. 주지 않으면 새로 읽습니다.
    """
    path = page.path.relative_to(ROOT).as_posix()
    found = []
    for cell in (document or parse(page.text)).cells:
        if not _NOT_SHOWN & set(cell.tags):
            found += _too_wide(cell, path) + _too_long(cell, path)
    return found


def _too_wide(cell: Cell, path: str) -> list[Finding]:
    wide = {cell.first + k: columns(line) for k, line in enumerate(cell.source.split("\n")) if columns(line) > COLUMNS}
    if not wide:
        return []
    where = ", ".join(f"{line}({width}칸)" for line, width in wide.items())
    message = f"보이는 코드가 {COLUMNS}칸을 넘습니다: {where}줄 — 괄호 안에서 줄을 바꾸거나 이름을 붙여 나누세요."
    return [Finding(path, min(wide), message, "code-width")]


def _too_long(cell: Cell, path: str) -> list[Finding]:
    if _FOLDED & set(cell.tags):
        return []
    lines = sum(bool(line.strip()) for line in cell.source.split("\n"))
    if lines <= LINES:
        return []
    message = f"보이는 코드 셀이 {lines}줄입니다(권하는 길이 {LINES}줄) — 한 셀에서 한 가지만 하도록 나누거나, 그림 코드는 hide-input으로 접으세요."
    return [Finding(path, cell.first, message, "code-length", warning=True)]
