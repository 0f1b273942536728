"""수의 기록: 움직인 수를 찾고, 끝자리와 새로 생긴 수는 봐주고, 고칠 법을 말합니다."""

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from book import numbers
from book.checks import numbers as check
from book.page import ROOT, Page

KNOWN = {
    "prose": {"값은 ◯": "6.2천원↑", "비율은 ◯": "41.0%", "비율은 ◯ #2": "48.0%", "손님은 ◯": "단골"},
    "printed": {"print(effect)": "6.20 1200 -0.5", "residual": "8e-14", "table.round(1)": "1.0"},
    "claims": {"쿠폰": {"estimand": "ATE", "unit": "원", "truth": 6.0, "naive": 9.0, "estimate": 6.2, "low": 5.0, "high": 7.4}},
    "validations": {"쿠폰": {"draws": 300, "coverage": 0.95, "bias": 0.01}},
}  # fmt: skip
TEXT = "---\nkind: chapter\n---\n\n```{code-cell} ipython3\neffect = 1\n```\n\n값은 {eval}`effect:.1f`입니다.\n"
PAGE = Page(ROOT / "chapters/week01_introduction.md", TEXT, {})


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        (6.2, 6.2001, True),
        (6.2, 6.3, False),
        (1e-12, -1e-12, True),
        (300, 200, False),
        ("단골", "신규", False),
        ("6.20%", "6.21%", True),  # 반올림만 갈렸습니다
        ("5개", "6개", False),
        ("0.31%p↑", "0.31%p↓", False),
        (None, None, True),
        (None, 3.0, False),
    ],
)
def test_what_counts_as_the_same_number(one, two, same):
    assert numbers.close(one, two) is same


@pytest.mark.parametrize(
    ("edit", "moved"),
    [
        (lambda d: None, []),
        (lambda d: d["prose"].update({"새로 쓴 글 ◯": "3.0"}), []),
        (lambda d: d["prose"].update({"값은 ◯": "5.9천원↑"}), [("prose", "값은 ◯")]),
        (lambda d: d["prose"].update({"값은 ◯": "6.2원↑"}), [("prose", "값은 ◯")]),
        (lambda d: d["prose"].update({"값은 ◯": "6.2천원↓"}), [("prose", "값은 ◯")]),
        (lambda d: d["prose"].update({"값은 ◯": "6.2천원"}), [("prose", "값은 ◯")]),
        (lambda d: d["prose"].update({"손님은 ◯": "신규"}), [("prose", "손님은 ◯")]),
        (lambda d: d["prose"].update({"비율은 ◯ #2": "41.0%"}), [("prose", "비율은 ◯ #2")]),
        (lambda d: d["printed"].update({"print(effect)": "6.21 1200 -0.5"}), []),  # 반올림만 갈렸습니다
        (lambda d: d["printed"].update(residual="-2e-15"), []),
        (lambda d: d["printed"].update({"print(effect)": "6.30 1200 -0.5"}), [("printed", "print(effect)")]),
        (lambda d: d["printed"].update({"print(effect)": "6.20 1200"}), [("printed", "print(effect)")]),
        (
            lambda d: d.update(
                printed={
                    "print(other)": "7.10 1200 -0.5",
                    **{k: v for k, v in d["printed"].items() if k != "print(effect)"},
                }
            ),
            [("printed", "print(effect)")],
        ),
        (lambda d: d["printed"].pop("print(effect)"), []),  # 셀을 고치거나 지운 것은 글의 검토가 봅니다
        (lambda d: d["claims"]["쿠폰"].update(estimand="ATT"), [("claims", "쿠폰")]),
        (lambda d: d["claims"]["쿠폰"].update(low=4.0), [("claims", "쿠폰")]),
        (lambda d: d["claims"].clear(), [("claims", "쿠폰")]),
        (lambda d: d["validations"]["쿠폰"].update(draws=200), [("validations", "쿠폰")]),
    ],
)
def test_a_moved_number_is_found(edit, moved):
    now = {kind: {name: dict(v) if isinstance(v, dict) else v for name, v in found.items()} for kind, found in KNOWN.items()}  # fmt: skip
    edit(now)
    assert [(kind, name) for kind, name, _, _ in numbers.changes(KNOWN, now)] == moved


def test_what_cannot_be_seen_is_the_machine():
    """0에 가까운 편향은 1%보다 크게 흔들려도 적은 자리에서 보이지 않으면 같은 수입니다. 보일 만큼 움직이면 찾습니다."""
    assert numbers.close("-0.0939326%p", "-0.0922602%p", 0.005) and not numbers.close("-0.0939326%p", "-0.0922602%p")
    assert not numbers.close("-0.0939326%p", "-0.0839326%p", 0.005) and not numbers.close("0.09%p", "0.09%", 0.5)
    known = {"prose": {}, "printed": {}, "claims": {"가": {"low": 1.0, "high": 3.0}}, "validations": {"가": {"draws": 100, "bias": 0.001}}}  # fmt: skip
    for bias, moved in ((0.01, []), (0.03, [("validations", "가")])):
        now = known | {"validations": {"가": {"draws": 100, "bias": bias}}}
        assert [(kind, name) for kind, name, _, _ in numbers.changes(known, now)] == moved


class Ran:
    """셀 하나가 값 하나를 남긴 실행."""

    def __init__(self, value):
        cell = new_code_cell(
            "effect = 1", outputs=[new_output("stream", name="stdout", text=f"{value:.2f}\n0.2초 걸렸습니다\n")]
        )
        cells = new_notebook(cells=[cell])
        cells.metadata["values"] = {"1": {"effect:.1f": {"text": f"{value:.1f}", "value": value}}}
        self.notebook = lambda: cells


def test_the_finding_says_both_values_the_line_and_the_cure(monkeypatch, tmp_path):
    monkeypatch.setattr(numbers, "RECORDS", tmp_path)
    (missing,) = check.check(PAGE, Ran(6.2))
    assert "make redraw" in missing.message
    assert check.check(Page(PAGE.path, PAGE.text, {"draft": True}), Ran(6.2)) == []
    assert numbers.write(PAGE.docname, numbers.numbers_of(PAGE, Ran(6.2)))
    assert check.check(PAGE, Ran(6.2)) == check.check(PAGE, Ran(6.2001)) == []
    prose, printed = check.check(PAGE, Ran(5.9))
    assert (prose.line, printed.line, prose.rule) == (9, 6, "numbers")
    assert all(part in prose.message for part in ("6.2", "5.9", "make redraw")) and "5.90" in printed.message
    assert "0.2" not in printed.message


def test_another_variable_in_the_same_sentence_is_found(monkeypatch, tmp_path):
    monkeypatch.setattr(numbers, "RECORDS", tmp_path)
    numbers.write(PAGE.docname, numbers.numbers_of(PAGE, Ran(6.2)))
    other, ran = Page(PAGE.path, PAGE.text.replace("`effect:.1f`", "`naive:.1f`"), {}), Ran(6.2)
    ran.notebook().metadata["values"]["1"]["naive:.1f"] = {"text": "9.0", "value": 9.0}
    assert [f.line for f in check.check(other, ran)] == [9]


def test_the_record_stays_when_only_last_digits_moved(monkeypatch, tmp_path):
    monkeypatch.setattr(numbers, "RECORDS", tmp_path)
    assert numbers.write(PAGE.docname, KNOWN) and not numbers.write(PAGE.docname, KNOWN)
    nearly = KNOWN | {"prose": KNOWN["prose"] | {"값은 ◯": "6.2001천원↑"}}
    assert not numbers.write(PAGE.docname, nearly)
    assert numbers.write(PAGE.docname, KNOWN | {"prose": {}})
    assert numbers.recorded(PAGE.docname)["prose"] == {}
