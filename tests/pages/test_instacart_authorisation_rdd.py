"""승인 여유분 사례: 큰 표본의 정답, 편향 보정, 눈금과 정액 주문, 깨진 세상, 메모의 돈, 파이프라인 명세."""

import re
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from benchmarks import authorisation_worlds
from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_pipeline import analyze
from causal_pipeline.spec import parse_spec
from causal_practice import check_answer, generator, load, truth
from causal_practice.data import data_dir

NAME = "instacart_authorisation_rdd"
MAKE = generator(NAME).generate
KNOWN = truth(NAME)
RECORD = pd.read_csv(authorisation_worlds.RESULT)
TEXT = read_page(ROOT / "case_studies" / f"{NAME}.md")
PAGE = page_functions(
    TEXT,
    *("usable", "cells", "local_fit", "pick_window", "corrected", "step_effect", "bends", "sawtooth", "two_moves"),
    *("density_jump", "donut", "by_size"),
    STEP=5,
    NEW=1,
    FREE=30,
    HALF=2.5,
    norm=norm,
)


@lru_cache
def world(n=500_000, seed=5, **changes):
    frame = MAKE(seed=seed, n=n, **changes)
    keep = PAGE["usable"](frame)
    gap, declined = frame["gap"].to_numpy()[keep], 100 * frame["declined"].to_numpy(float)[keep]
    return frame, keep, gap, declined, 1000 * frame["lost"].to_numpy()[keep]


def potential(frame, buffer):
    """정답 열에서 다시 센, 여유분이 buffer일 때의 거절(%)과 못 받은 돈(원)의 기대값."""
    declined = 0.01 + 0.99 * (frame["balance"] < frame["total"] + buffer)
    short = np.maximum(frame["final_bill"] - frame["total"] - buffer, 0)
    return 100 * declined.mean(), (1000 * 0.3 * short * (1 - 0.6 * declined)).mean()


def test_the_closed_columns_give_the_cards_truth():
    frame, keep, *_ = world()
    used = frame[keep]
    near = used[used["gap"].abs() <= 0.55]  # 양쪽에 100원 눈금이 다섯씩
    none, step = potential(near, 0), potential(near, 5)
    assert step[0] - none[0] == pytest.approx(KNOWN["LATE"], abs=0.2)
    assert step[1] - none[1] == pytest.approx(KNOWN["LATE_lost"], abs=3)
    now = potential(used, used["authorised"] - used["total"])
    new = potential(used, np.ceil(used["total"] - 1e-9) - used["total"])
    assert new[0] - now[0] == pytest.approx(KNOWN["policy"], abs=0.03)
    assert new[1] - now[1] == pytest.approx(KNOWN["policy_lost"], abs=1)
    assert 120 * KNOWN["policy"] + KNOWN["policy_lost"] == pytest.approx(KNOWN["policy_cost"], abs=0.2)
    assert 120 * KNOWN["LATE"] + KNOWN["LATE_lost"] == pytest.approx(KNOWN["LATE_cost"], abs=1)


def test_the_step_and_the_rule_are_found_and_the_size_of_the_hold_is_blind():
    frame, _, gap, declined, lost = world()
    for y, goal in ((declined, KNOWN["LATE"]), (lost, KNOWN["LATE_lost"])):
        value, se = PAGE["corrected"](gap, y)[:2]
        assert value == pytest.approx(goal, abs=3.5 * se)
    rule, influence = PAGE["sawtooth"](frame, np.column_stack([declined, lost]), PAGE["two_moves"])[1]
    assert rule[0] == pytest.approx(KNOWN["policy"], abs=0.2) and rule[1] == pytest.approx(KNOWN["policy_lost"], abs=5)
    assert abs(influence.sum()) < 1e-4
    assert abs(PAGE["by_size"](frame)) < 0.1


def test_the_correction_is_the_quadratic_when_both_windows_are_the_same():
    """심화의 식과 같은 것: 곡률을 재는 밴드폭과 맞추는 밴드폭이 같으면 국소 이차식의 뜀입니다."""
    _, _, gap, declined, _ = world(n=40_000, seed=9)
    x, n, s, *_ = PAGE["cells"](gap, declined)
    right = x > 0
    one, _ = PAGE["local_fit"](x, n, 2.5, 1)
    two, _ = PAGE["local_fit"](x, n, 2.5, 2)
    miss = [(one[0] * n * x**2 * side).sum() for side in (~right, right)]
    lean = one[0] - miss[0] * two[3] - miss[1] * (two[3] + two[5])
    assert lean @ s == pytest.approx(two[0] @ s, abs=1e-7)


def test_the_line_is_more_off_than_the_corrected_where_the_outcome_bends():
    """9절의 말: 못 받은 돈은 급히 휩니다. 넓은 밴드폭의 직선은 큰 표본에서도 정답에서 멀고 보정하면 가까워집니다."""
    _, _, gap, _, lost = world()
    x, n, s, *_ = PAGE["cells"](gap, lost)
    line = PAGE["local_fit"](x, n, 2.5, 1)[0][0] @ s
    assert abs(line - KNOWN["LATE_lost"]) > 12
    assert abs(PAGE["corrected"](gap, lost)[0] - KNOWN["LATE_lost"]) < 12


def test_misaligned_bars_see_a_jump_that_is_not_there():
    _, _, gap, _, _ = world()
    below, above = np.histogram(gap, [-0.2, 0, 0.2, 0.4])[0][:2]
    assert above < 0.9 * below
    theta, se = PAGE["density_jump"](gap)
    assert abs(theta) < 3.5 * se and se < 0.01


def test_the_record_is_what_the_page_computes():
    """표로 저장한 세상을 다시 셉니다: 세상마다 첫 자료."""
    tools = authorisation_worlds.page()
    assert len(RECORD) == authorisation_worlds.DRAWS * len(authorisation_worlds.WORLDS)
    for world in ("clean", "budget"):
        row = RECORD[RECORD["world"] == world].iloc[0]
        again = authorisation_worlds.one(world, int(row["seed"]), tools)
        assert again == pytest.approx(row.to_dict(), abs=2e-3)


def alarm(world, check):
    return (RECORD.loc[RECORD["world"] == world, check].abs() > 1.96).mean()


def test_alarms_keep_their_size_and_density_sees_trimming():
    for check in ("density", "covariate", "ring_0.1", "ring_0.3", "ring_0.8"):
        assert alarm("clean", check) < 0.09
    assert alarm("trim", "density") > 0.5 and alarm("trim", "covariate") > alarm("clean", "covariate")
    for check in ("density", "covariate"):  # 다른 화면은 두 경보가 모릅니다
        assert abs(alarm("popup", check) - alarm("clean", check)) < 0.06


def test_the_donut_does_not_tell_the_trimmed_world_from_the_clean_one():
    """10절과 11절의 말: 도넛의 경보는 덜어 낸 세상에서 더 자주 나지 않습니다."""
    rings = ["ring_0.1", "ring_0.3", "ring_0.8"]
    heard = RECORD[rings].abs().max(axis=1) > norm.isf(0.05 / 6)  # 양쪽, 세 구멍
    rate = heard.groupby(RECORD["world"]).mean()
    assert rate["clean"] < 0.08 and rate["trim"] - rate["clean"] < 0.06


def test_the_intervals_of_the_decision_keep_their_promise():
    clean = RECORD[RECORD["world"] == "clean"]
    for name, goal in (("jump", "LATE"), ("rule", "policy"), ("cost", "policy_cost")):
        inside = ((clean[name] - KNOWN[goal]).abs() < 1.96 * clean[f"{name}_se"]).mean()
        assert 0.92 < inside < 0.985


def test_the_buffer_alone_is_close_where_the_size_of_the_hold_is_not():
    """솔깃한 숫자의 잘못은 승인 금액에 섞인 금액입니다. 여유분에 곧바로 회귀하면 정답에 가깝습니다."""
    clean, none = (RECORD[RECORD["world"] == name] for name in ("clean", "none"))
    assert abs(clean["by_size"].mean()) < 0.15
    assert clean["by_buffer"].mean() == pytest.approx(KNOWN["LATE"], abs=0.35)
    assert abs(none["by_buffer"].mean()) < 0.35


def miss(world, name, goal):
    """평균의 편향과 그 몬테카를로 오차(%p)."""
    column = RECORD.loc[RECORD["world"] == world, name]
    return column.mean() - goal, column.std() / np.sqrt(len(column))


def test_each_broken_world_breaks_what_the_page_says():
    for world, wrong in (("trim", -1), ("popup", 1)):
        for name, goal in (("jump", KNOWN["LATE"]), ("rule", KNOWN["policy"])):
            bias, error = miss(world, name, goal)
            assert wrong * (bias if name == "jump" else -bias) > 10 * error
    bias, error = miss("budget", "jump", KNOWN["LATE_budget"])
    assert abs(bias) < 3 * error
    bias, error = miss("budget", "rule", KNOWN["policy_budget"])
    assert bias > 10 * error


def test_no_strength_no_effect():
    for name in ("jump", "rule"):
        bias, error = miss("none", name, 0)
        assert abs(bias) < 3 * error


def test_exact_multiples_push_the_step_up():
    assert PAGE["donut"](MAKE(seed=77), -1)[1] > 1.5


def test_the_memos_money_is_counted_once():
    frame = load(NAME)
    keep = PAGE["usable"](frame)
    declined, lost = 100 * frame["declined"].to_numpy(float)[keep], 1000 * frame["lost"].to_numpy()[keep]
    Y = np.column_stack([declined, lost, 120 * declined + lost])
    rule, influence = PAGE["sawtooth"](frame, Y, PAGE["two_moves"])[1]
    se = np.sqrt((influence**2).sum(axis=0))
    assert rule[2] == pytest.approx(120 * rule[0] + rule[1])
    assert 100 * rule[2] == pytest.approx(-2_857, abs=1)  # 원/건 × 100만 건 = 만 원
    assert rule[2] - 1.96 * se[2] < KNOWN["policy_cost"] < rule[2] + 1.96 * se[2]
    assert rule[2] + 1.96 * se[2] > 0  # 돈은 보이지 못했고, 그래서 메모는 바꾸지 않고 실험합니다
    assert 1e4 * rule[0] == pytest.approx(-9_962, abs=1)
    assert "바로 바꾸지 않고" in TEXT.text
    for written in ("DECLINE = 12", "STEP, NEW, FREE = 5, 1, 30", "MONTH = 100"):
        assert written in TEXT.text


def test_the_ready_specification_runs():
    spec = re.search(r"```yaml\n(.*?)```", TEXT.text, re.S)[1]
    found = analyze(parse_spec(spec, data_dir()))
    assert found.identification.design == "discontinuity" and found.grade.letter == "B"
    assert (
        100 * found.primary.low < 0 < KNOWN["LATE"] < 100 * found.primary.high
    )  # 다른 밴드폭 식의 구간에는 0이 듭니다


def test_common_wrong_answers_are_rejected(capsys):
    value, apart, _ = PAGE["donut"](MAKE(seed=77), -1)
    check_answer("연습 2", value, expected=apart, decimals=2)
    assert "아직 아닙니다" in capsys.readouterr().out
    check_answer("연습 2", round(apart, 2), expected=apart, decimals=2)
    assert "정답입니다" in capsys.readouterr().out
