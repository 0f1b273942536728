"""수의 기록: 움직인 수를 찾고, 끝자리와 새로 생긴 수는 봐주고, 고칠 법을 말합니다."""

import pytest

from book import numbers
from book.checks import numbers as check
from book.page import ROOT, Page

KNOWN = {
    "prose": {"effect:.1f": [6.2], "rate:.0%": [0.41, 0.48], "who": ["단골"]},
    "printed": {"print(effect)": "6.20 1200 -0.5", "residual": "8e-14", "table.round(1)": "1.0"},
    "claims": {"쿠폰": {"estimand": "ATE", "unit": "원", "truth": 6.0, "naive": 9.0, "estimate": 6.2, "low": 5.0, "high": 7.4}},
    "validations": {"쿠폰": {"draws": 300, "coverage": 0.95, "bias": 0.01}},
}  # fmt: skip
PAGE = Page(ROOT / "chapters/week01_introduction.md", "---\nkind: chapter\n---\n값은 {eval}`effect:.1f`입니다.\n", {})


@pytest.mark.parametrize(
    ("one", "two", "raw", "same"),
    [
        (6.2, 6.2001, "", True),
        (6.2, 6.3, "", False),
        (6.21, 6.24, "x:.1f", True),  # 적는 자리에서 반올림만 갈릴 수 있습니다
        (6.2, 6.3, "x:.1f", False),
        (0.412, 0.416, "x:.0%", True),
        (0.41, 0.43, "x:.0%", False),
        (1e-12, -1e-12, "", True),
        (300, 200, "", False),
        ("단골", "신규", "", False),
        (None, None, "", True),
        (None, 3.0, "", False),
    ],
)
def test_what_counts_as_the_same_number(one, two, raw, same):
    assert numbers.close(one, two, raw) is same


@pytest.mark.parametrize(
    ("edit", "moved"),
    [
        (lambda d: None, []),
        (lambda d: d["prose"].update({"new:.1f": [3.0]}), []),
        (lambda d: d["prose"].update({"effect:.1f": [5.9]}), [("prose", "effect:.1f")]),
        (lambda d: d["prose"].update({"rate:.0%": [0.41]}), [("prose", "rate:.0%")]),
        (lambda d: d["printed"].update({"print(effect)": "6.21 1200 -0.5"}), []),  # 반올림만 갈렸습니다
        (lambda d: d["printed"].update(residual="-2e-15"), []),
        (lambda d: d["printed"].update({"print(effect)": "6.30 1200 -0.5"}), [("printed", "print(effect)")]),
        (lambda d: d["printed"].update({"print(effect)": "6.20 1200"}), [("printed", "print(effect)")]),
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


def test_the_finding_says_both_values_the_line_and_the_cure(monkeypatch, tmp_path):
    monkeypatch.setattr(numbers, "RECORDS", tmp_path)
    monkeypatch.setattr(check.numbers, "numbers_of", lambda execution: KNOWN | {"prose": {"effect:.1f": [5.9]}})
    (missing,) = check.check(PAGE, None)
    assert "make redraw" in missing.message
    assert check.check(Page(PAGE.path, PAGE.text, {"draft": True}), None) == []
    assert numbers.write(PAGE.docname, KNOWN)
    (found,) = check.check(PAGE, None)
    assert (found.line, found.rule) == (4, "numbers")
    assert all(part in found.message for part in ("6.2", "5.9", "make redraw"))


def test_the_record_stays_when_only_last_digits_moved(monkeypatch, tmp_path):
    monkeypatch.setattr(numbers, "RECORDS", tmp_path)
    assert numbers.write(PAGE.docname, KNOWN) and not numbers.write(PAGE.docname, KNOWN)
    nearly = KNOWN | {"prose": KNOWN["prose"] | {"effect:.1f": [6.2001]}}
    assert not numbers.write(PAGE.docname, nearly)
    assert numbers.write(PAGE.docname, KNOWN | {"prose": {}})
    assert numbers.recorded(PAGE.docname)["prose"] == {}
