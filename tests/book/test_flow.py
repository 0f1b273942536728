"""문장의 흐름: 토막 난 글을 찾고, 이어진 글은 지나간다."""

from dataclasses import replace

import pytest

from book.checks import flow
from book.myst import parse
from book.page import ROOT, Page

FRONT = "---\nkind: chapter\n---\n\n# 제목\n\n"
CHOPPY = "버튼은 무작위로 보였습니다. 손님은 만 명입니다. 기간은 사 주입니다."
JOINED = "버튼을 무작위로 보였기 때문에 두 집단은 나머지가 닮았습니다. 그래서 평균의 차이를 효과로 읽습니다."


def page(text: str, kind: str = "chapter") -> Page:
    return Page(ROOT / "chapters/week05_small.md", FRONT.replace("chapter", kind) + text + "\n", {"kind": kind})


def test_three_short_sentences_in_a_row_are_found_with_their_line():
    found = flow.check(page(CHOPPY.replace(". ", ".\n")))
    assert [f.line for f in found] == [7] and "짧은 문장이 3개" in found[0].message


@pytest.mark.parametrize(
    "text",
    [
        JOINED,
        "버튼은 무작위로 보였습니다. 손님은 만 명입니다. 그래서 기간은 사 주입니다.",  # 이은 문장이 끼면 다시 셉니다
        "- 버튼을 보였습니다. 손님은 만 명입니다. 기간은 사 주입니다.",
        ":::{slide} 제목\n" + CHOPPY + "\n:::",
        ":::{notes}\n" + CHOPPY + "\n:::",
    ],
)
def test_connected_prose_lists_slides_and_notes_pass(text):
    assert not flow.check(page(text))


def test_guides_may_be_short():
    assert not flow.check(page(CHOPPY, kind="guide"))


@pytest.mark.parametrize(
    ("sentence", "linked"),
    [
        ("그래서 평균을 비교합니다.", True),
        ("다만, 표본이 작습니다.", True),
        ("배정이 무작위이므로 비교할 수 있습니다.", True),
        ("효과는 작지만 이익은 큽니다.", True),
        ("표본이 커지면 오차가 줄어듭니다.", True),
        ("그림은 두 집단의 평균입니다.", False),
        ("다만은 접속 부사입니다.", True),
        ("표면은 매끈합니다.", False),
    ],
)
def test_what_counts_as_connected(sentence, linked):
    assert flow.is_connected(sentence) is linked


def test_a_page_of_unconnected_even_sentences_is_found():
    even = "\n\n".join(["오늘 우리 가게의 작은 손님은 모두 만 명입니다."] * flow.FEWEST)
    rules = [f.message for f in flow.check(page(even))]
    assert any("이어진 문장이 0%" in m for m in rules) and any("표준편차 0.0" in m for m in rules)
    measured = flow.measure(parse(page(even).text))
    assert measured.sentences == flow.FEWEST and measured == replace(measured, connected=0.0, spread=0.0)
    few = "\n\n".join(["오늘 우리 가게의 작은 손님은 모두 만 명입니다."] * (flow.FEWEST - 1))
    assert not flow.check(page(few))
