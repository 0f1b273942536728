"""사례의 답의 표: 실행 결과의 수 그대로이고, 모든 사례가 배정 메커니즘의 쪽에 한 번씩 실립니다."""

import re
from dataclasses import replace

import pytest

from book import case_results
from book.case_results import Result, digits, listed, result_of, row, unlisted
from book.extensions.gallery import cases
from book.page import PageError

SOME = Result("case_studies/a", "ㄱ", "ATE", "%p", -1.26, 2.345, 2.1, 2.59, 2.0, 0.95, 200)


@pytest.mark.parametrize("page", cases(), ids=lambda page: page.docname)
def test_every_case_stands_once_under_its_assignment(page):
    assert unlisted(page) == []


def test_the_page_of_assignments_names_cases_only():
    assert sorted(listed()) == sorted(page.docname for page in cases())


def test_a_missing_or_doubled_case_is_told(monkeypatch):
    page = cases()[0]
    monkeypatch.setattr(case_results, "listed", list)
    assert "없습니다" in unlisted(page)[0] and page.docname in unlisted(page)[0]
    monkeypatch.setattr(case_results, "listed", lambda: [page.docname] * 2)
    assert "2번" in unlisted(page)[0]


def test_numbers_go_to_the_second_digit_of_the_half_width():
    assert row(SOME)[2:] == ["-1.26", "2.35 [2.10,\u00a02.59]", "2.00", "95% (±1.5)"]
    assert digits(100, 300) == 0 and digits(0.10, 0.12) == 3 and digits(1, 1) == 0
    assert row(replace(SOME, naive=-0.001))[2] == "0.00"
    assert row(replace(SOME, coverage=None))[5] == "—"


@pytest.mark.parametrize(
    ("name", "estimand"), [("uber_late_delivery", "ATT"), ("supply_chain_root_cause", "샤플리 몫")]
)
def test_the_main_claim_is_the_first_one_of_the_page(executions, name, estimand):
    """공급망 쪽의 머리말은 둘째 물음(작업자의 ATE)이지만, 표가 싣는 절은 메커니즘의 몫을 말합니다."""
    page = next(page for page in cases() if page.docname == f"case_studies/{name}")
    found = result_of(page, executions[page.docname])
    assert found.estimand == estimand and found.low < found.estimate < found.high
    assert found.truth != found.naive


@pytest.mark.parametrize(
    "docname", ["guides/why_this_method", "guides/without_harm", "guides/automation", "guides/manufacturing"]
)
def test_the_site_shows_the_numbers_of_the_runs(docname, site_dir, executions):
    html = (site_dir / f"{docname}.html").read_text(encoding="utf-8")
    names = [page for page in cases() if f"case_studies/{page.path.stem}.html" in html]
    text = re.sub(r"<[^>]+>", "", html).replace("&#160;", "\u00a0").replace("&nbsp;", "\u00a0")
    shown = [page for page in names if row(result_of(page, executions[page.docname]))[3] in text]
    assert len(shown) >= 2, docname


def test_an_unknown_name_is_told():
    with pytest.raises(PageError, match="없습니다"):
        case_results.named(["case_studies/no_such"])
