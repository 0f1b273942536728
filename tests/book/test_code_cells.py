"""보이는 코드의 폭과 길이 검사."""

import pytest

from book.checks import code_cells, inspect_page
from book.page import ROOT, Page


def page_of(*cells: str) -> Page:
    return Page(
        ROOT / "chapters" / "week05_small.md",
        "---\nkind: chapter\n---\n\n# 제목\n\n" + "\n".join(cells),
        {"kind": "chapter"},
    )


def cell(code: str, tags: str = "") -> str:
    return f"```{{code-cell}} ipython3\n{f':tags: [{tags}]' + chr(10) if tags else ''}{code}\n```\n"


WIDE = "x = 1  # " + "a" * 80
LONG = "\n".join(f"x{k} = {k}" for k in range(13))


@pytest.mark.parametrize(("line", "width"), [("abc", 3), ("x = '가나'", 10), ("x   ", 1)])
def test_korean_takes_two_columns(line, width):
    assert code_cells.columns(line) == width


@pytest.mark.parametrize(
    ("code", "tags", "rules"),
    [
        ("x = 1", "", []),
        ("x" * 88, "", []),
        (f"y = 2\n{WIDE}", "", ["code-width"]),
        ("# " + "가" * 44, "", ["code-width"]),
        (WIDE, "hide-input", ["code-width"]),
        (WIDE, "remove-cell", []),
        (WIDE, "remove-input", []),
        (WIDE, "self-check, hide-cell", []),
        (WIDE, "solution, hide-cell", ["code-width"]),
        (LONG, "", ["code-length"]),
        (LONG, "hide-input", []),
        (LONG, "solution, hide-cell", []),
        (LONG.replace("\n", "\n\n", 3).rsplit("\n", 1)[0], "", []),
    ],
)
def test_what_is_too_wide_or_too_long(code, tags, rules):
    assert [f.rule for f in code_cells.check(page_of(cell(code, tags)))] == rules


def test_the_finding_names_file_line_and_width():
    text = str(code_cells.check(page_of(cell("x = 1"), cell(f"y = 2\n{WIDE}")))[0])
    assert text.startswith("chapters/week05_small.md:13: 보이는") and "13(89칸)줄" in text
    found = [f for f in inspect_page(page_of(cell(WIDE)), set()) if f.rule == "code-width"]
    assert len(found) == 1 and not found[0].warning
