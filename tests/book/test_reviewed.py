"""읽은 문단의 기록: 바뀐 문단을 줄로 찾고, 빈칸은 보지 않고, 이름 없이는 서명하지 않습니다."""

import pytest

from book import reviewed
from book.checks import reviewed_text
from book.page import ROOT, Page

TEXT = """---
kernelspec: {display_name: Python 3, language: python, name: python3}
kind: case
week: 5
---

# 제목

이 비교는 공정하지 않습니다.

```{code-cell} ipython3
:mystnb: {image: {alt: "왼쪽이 높다"}}
x = 1
```

$$\\hat\\tau = \\bar y_1 - \\bar y_0$$
"""


def page(text: str = TEXT, **meta) -> Page:
    return Page(ROOT / "case_studies" / "made_up.md", text, {"kind": "case"} | meta)


@pytest.fixture(autouse=True)
def records(monkeypatch, tmp_path):
    monkeypatch.setattr(reviewed, "RECORDS", tmp_path)
    reviewed.sign(page(), "읽은 사람")


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("공정하지 않습니다", "공정합니다", 9),
        ("\\bar y_1 - \\bar y_0", "\\bar y_0 - \\bar y_1", 16),
        ("왼쪽이 높다", "오른쪽이 높다", 11),
        ("x = 1", "x = 2", 11),
        ("week: 5", "week: 6", 4),
        ("# 제목\n", "# 제목\n\n새 문단입니다.\n", 9),
        ("이 비교는 공정하지 않습니다.\n\n", "", 1),
    ],
)
def test_a_changed_paragraph_is_named_with_its_line_and_the_cure(old, new, line):
    (found,) = reviewed_text.check(page(TEXT.replace(old, new)))
    assert found.line == line and "make reviewed PAGE=case_studies/made_up BY=" in found.message


def test_spaces_line_breaks_and_the_kernel_are_not_text():
    same = TEXT.replace("이 비교는 공정하지", "이 비교는\n공정하지").replace("Python 3", "Python 3 (ipykernel)")
    assert reviewed_text.check(page(same)) == []


def test_a_signature_covers_the_text_as_it_stands():
    edited = page(TEXT.replace("공정하지 않습니다", "공정합니다"))
    assert reviewed.sign(edited, "다른 사람") == 1
    assert reviewed_text.check(edited) == [] and len(reviewed_text.check(page())) == 1
    assert "다른 사람" in reviewed.record_path(edited.docname).read_text(encoding="utf-8")


def test_the_cards_of_the_pages_data_are_read_with_it(monkeypatch):
    card = (
        "wash:\n  title: 세척\n  rows: 10\n  columns:\n    wear: {role: mediator, unit: 개}\nother:\n  title: 다른 것\n"
    )
    monkeypatch.setattr(reviewed, "_catalog", lambda: card)
    with_data = page(datasets=["wash"])
    reviewed.sign(with_data, "읽은 사람")
    card = card.replace("rows: 10", "rows: 20").replace("다른 것", "남의 것")
    assert reviewed_text.check(with_data) == []
    card = card.replace("role: mediator", "role: covariate")
    (found,) = reviewed_text.check(with_data)
    assert "wash | wear" in found.message


def test_drafts_and_other_kinds_are_left_alone_and_a_missing_record_is_said():
    reviewed.record_path("case_studies/made_up").unlink()
    assert reviewed_text.check(page(draft=True)) == reviewed_text.check(page(kind="guide")) == []
    assert "기록이 없습니다" in reviewed_text.check(page())[0].message


def test_a_guide_needs_no_signature_and_gets_no_record(capsys):
    assert reviewed.main(["guides/contributing.md", "--by", "읽은 이"]) == 1
    assert "적을 것이 없습니다" in capsys.readouterr().out
    assert not reviewed.record_path("guides/contributing").exists()


def test_nobody_signs_without_a_name(capsys):
    assert reviewed.main(["case_studies/template.md"]) == 1
    assert "BY=" in capsys.readouterr().out
    assert reviewed.main(["case_studies/no_such_page", "--by", "나"]) == 1
