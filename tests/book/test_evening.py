"""두 시간의 시간표: 머리말에서 나누고, 합이 맞지 않으면 무엇을 고칠지 말한다."""

import pytest

from book.evening import TOTAL, EveningError, is_plan, session_minutes, slots
from book.page import published_pages

PLAN = {"read": 35, "talk": 45, "practise": 30, "case": 20, "discussion": 25}
BODY = ["talk: 1절부터 3절까지", "practise: 연습 1", "", "case: [사례](x.md)", "discussion: 질문"]


def test_the_minutes_run_on_from_zero_to_two_hours():
    found = slots(PLAN, BODY)
    assert [(s.start, s.minutes, s.label) for s in found] == [
        (0, 45, "발표"),
        (45, 30, "실습"),
        (75, 20, "사례"),
        (95, 25, "토론"),
    ]
    assert found[2].text == "[사례](x.md)"


def test_a_week_without_a_case_has_three_slots():
    plan = {**PLAN, "case": 0, "discussion": 45}
    assert [s.label for s in slots(plan, [line for line in BODY if not line.startswith("case")])] == [
        "발표",
        "실습",
        "토론",
    ]
    with pytest.raises(EveningError, match="case"):
        slots(plan, BODY)


@pytest.mark.parametrize(
    "minutes",
    [
        None,
        {},
        {**PLAN, "talk": 50},
        {**PLAN, "talk": True},
        {k: v for k, v in PLAN.items() if k != "read"},
        {**PLAN, "talk": 0, "discussion": 70},
    ],
)
def test_minutes_that_do_not_make_two_hours_are_refused(minutes):
    assert not is_plan(minutes)
    with pytest.raises(EveningError, match="120분"):
        slots(minutes, BODY)


@pytest.mark.parametrize(
    ("body", "said"), [(BODY[:-1], "discussion"), ([*BODY, "pause: 쉽니다"], "pause"), (["talk:"], "talk")]
)
def test_what_is_done_is_said_once_for_each_slot(body, said):
    with pytest.raises(EveningError, match=said):
        slots(PLAN, body)


def test_the_session_of_a_case_is_its_talk():
    assert session_minutes(PLAN) == TOTAL
    assert session_minutes({"read": 25, "practise": 40, "session": 20}) == 20
    assert session_minutes({"read": 25, "practise": 40}) == session_minutes(None) == 0


def test_every_chapter_has_an_evening():
    for page in published_pages():
        if page.meta.get("kind") == "chapter":
            assert is_plan(page.meta["minutes"]), page.docname
