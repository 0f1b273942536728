"""검토 기록: 꼴, 사라진 문장, 아무도 무너뜨려 보지 않은 문장."""

import pytest
import yaml

from book.checks import reviews
from book.myst import parse
from book.page import ROOT, Page, published_pages

BODY = "\n# 시험\n\n효과는 언제나 2.4회입니다. 추정값은 정답에 가깝습니다.\n\n그래프를 반드시 건네세요.\n"


@pytest.fixture
def page(tmp_path, monkeypatch) -> Page:
    """임시 저장소의 사례 하나."""
    for module in ("book.page", "book.checks.reviews"):
        monkeypatch.setattr(f"{module}.ROOT", tmp_path)
    return Page(tmp_path / "case_studies" / "made_up.md", f"---\nkind: case\n---\n{BODY}", {"kind": "case"})


def record(target: Page, **changes):
    written = {
        "page": target.docname, "reviewer": "쓰지 않은 사람", "date": "2026-11-30", "memo": "다시 계산함",
        "statements": [{"said": "효과는 언제나 …회입니다", "attack": "효과가 사람마다 다른 세상", "verdict": "섬"}],
    } | changes  # fmt: skip
    path = reviews.path_of(target)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(written, allow_unicode=True).replace("'2026-11-30'", "2026-11-30"), encoding="utf-8")


def rules(page: Page) -> list[tuple[str, bool]]:
    return [(f.rule, f.warning) for f in reviews.check(page)]


def draft(page: Page) -> Page:
    return Page(page.path, page.text, page.meta | {"draft": True})


def test_a_page_without_a_record_fails_and_a_draft_gets_a_hint(page):
    assert rules(page) == [("review", False)]
    (hint,) = reviews.check(draft(page))
    assert hint.warning and "차례에 싣기 전에" in hint.message
    assert reviews.check(Page(page.path, page.text, {"kind": "guide"})) == []


def test_a_record_that_covers_every_universal_claim_is_enough(page):
    record(page)
    assert reviews.check(page) == []
    assert [s for _, s in reviews.universal_claims(parse(page.text))] == ["효과는 언제나 2.4회입니다."], (
        "시키는 말은 주장이 아닙니다."
    )


def test_a_universal_claim_that_nobody_attacked_is_listed(page):
    record(page, statements=[{"said": "추정값은 정답에 가깝습니다", "attack": "작은 표본", "verdict": "섬"}])
    (finding,) = reviews.check(page)
    assert finding.rule == "review-missing" and not finding.warning and "언제나" in finding.message
    assert finding.line == 7
    assert rules(draft(page)) == [("review-missing", True)]


def test_a_quoted_sentence_that_is_gone_fails(page):
    gone = {"said": "없어진 문장입니다", "attack": "…", "verdict": "고침"}
    standing = {"said": "효과는 언제나 2.4회입니다", "attack": "…", "verdict": "섬"}
    record(page, statements=[standing, gone])
    assert rules(page) == [("review-gone", False)]
    record(page, statements=[standing, gone | {"verdict": "지움"}])
    assert rules(page) == []


def test_a_second_reviewers_statement_counts_like_the_first(page):
    first = {"said": "추정값은 정답에 가깝습니다", "attack": "작은 표본", "verdict": "섬"}
    second = {"said": "효과는 언제나 2.4회입니다", "attack": "효과가 다른 세상", "verdict": "섬", "by": 2}
    record(page, second_reviewer="또 다른 사람", statements=[first, second])
    assert rules(page) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"page": "chapters/other"}, "page가"),
        ({"reviewer": " "}, "reviewer가 없습니다"),
        ({"date": "어제"}, "날짜가 아닙니다"),
        ({"statements": []}, "statements가 비었습니다"),
        ({"statements": [{"said": "a", "verdict": "섬"}]}, "attack"),
        ({"statements": [{"said": "a", "attack": "b", "verdict": "좋음"}]}, "verdict가"),
        ({"statements": [{"said": "a", "attack": "b", "verdict": "섬", "test": "tests/none.py::test_x"}]}, "시험"),
        ({"memo": ""}, "memo가 없습니다"),
        ({"second_reviewer": " "}, "second_reviewer가 비었거나"),
        ({"second_reviewer": "쓰지 않은 사람"}, "reviewer와 같습니다"),
        ({"second_reviewer": "또 다른 사람"}, "second_reviewer가 본 문장이 없습니다"),
        ({"statements": [{"said": "a", "attack": "b", "verdict": "섬", "by": 2}]}, "by가 2입니다"),
        (
            {
                "second_reviewer": "또 다른 사람",
                "statements": [{"said": "a", "attack": "b", "verdict": "섬", "by": "둘째"}],
            },
            "by가 '둘째'입니다",
        ),
    ],
)
def test_a_malformed_record_says_what_to_mend(page, changes, message):
    record(page, **changes)
    (finding,) = reviews.check(page)
    assert finding.rule == "review" and not finding.warning and message in finding.message


def test_yaml_that_cannot_be_read_names_the_line(page):
    path = reviews.path_of(page)
    path.parent.mkdir(parents=True)
    path.write_text("page: a\nsaid: [", encoding="utf-8")
    (finding,) = reviews.check(page)
    assert "번째 줄을 YAML로" in finding.message


def test_every_record_belongs_to_a_page():
    names = {page.docname for page in published_pages()}
    for path in sorted((ROOT / "reviews").rglob("*.yml")):
        assert path.relative_to(ROOT / "reviews").with_suffix("").as_posix() in names, (
            f"{path.name}: 그런 쪽이 없습니다."
        )


def test_a_guide_needs_no_record_but_a_written_one_is_held_to_its_page(page):
    guide = Page(page.path, page.text, {"kind": "guide"})
    assert reviews.check(guide) == []
    record(guide, statements=[{"said": "없어진 문장입니다", "attack": "…", "verdict": "고침"}])
    assert rules(guide) == [("review-gone", False), ("review-missing", False)]
