"""LED 재작업 사례: 큰 표본에서는 알려진 정답, 그리고 쪽이 하는 통계의 주장."""

import numpy as np
import pandas as pd
import pytest

from causal_practice import generator, truth
from book.myst import parse
from book.page import ROOT, read_page

LED = generator("osram_led_rework")
KNOWN = truth("osram_led_rework")
COST = 0.5


def page_functions(*names) -> dict:
    """쪽의 셀 가운데 ``names``의 함수를 정의하는 셀을 차례로 실행한 이름들."""
    space = {"np": np, "pd": pd}
    for cell in parse(read_page(ROOT / "case_studies" / "osram_led_rework.md").text).cells:
        if any(f"def {name}(" in cell.source for name in names):
            exec(compile(cell.source.split("\n\nfixed, ")[0].split("\n\ny0, y1")[0], "osram_led_rework", "exec"), space)
    return space


PAGE = page_functions("basis", "potential_scores", "within_shift")


@pytest.fixture(scope="module")
def large():
    return LED.generate(seed=11, n=600_000)


def lift(frame):
    return frame["yield_1"] - frame["yield_0"]


def test_observed_values_are_potential_outcomes(large):
    assert (large["final_yield"] == np.where(large["rework"] == 1, large["yield_1"], large["yield_0"])).all()
    assert large[["final_yield", "bond_yield"]].stack().between(0, 100).all()
    assert (large.groupby("shift_id").size() == LED.LOTS_PER_SHIFT).all()


def test_known_truth_at_large_n(large):
    effect = lift(large)
    assert effect.mean() == pytest.approx(KNOWN["ATE"], abs=0.012)
    assert effect[large["rework"] == 1].mean() == pytest.approx(KNOWN["ATT"], abs=0.04)
    assert (large["rework"] * (effect - COST)).mean() == pytest.approx(KNOWN["value_now"], abs=0.012)
    best = max(((large["offset"] > bar) * (effect - COST)).mean() for bar in np.arange(1.2, 1.7, 0.02))
    assert best == pytest.approx(KNOWN["value_best"], abs=0.012)


def test_average_says_never_and_the_right_rule_triples_the_gain():
    assert KNOWN["ATE"] - COST < 0 < KNOWN["ATT"] - COST
    assert KNOWN["value_best"] > 3 * KNOWN["value_now"] > 0


def test_scores_recover_the_average_and_the_raw_gap_does_not(large):
    zero, one, chance = PAGE["potential_scores"](large)
    assert (one - zero).mean() == pytest.approx(KNOWN["ATE"], abs=0.03)
    raw = large.groupby("rework")["final_yield"].mean().diff().iloc[1]
    assert raw < KNOWN["ATE"] - 1
    assert np.corrcoef(chance, large["chance"])[0, 1] > 0.8


def test_one_coefficient_regression_hears_the_lots_in_dispute(large):
    X = np.column_stack([large["rework"], PAGE["basis"](large)]).astype(float)
    plain = np.linalg.lstsq(X, large["final_yield"], rcond=None)[0][0]
    weight = large["chance"] * (1 - large["chance"])
    assert np.average(lift(large), weights=weight) > KNOWN["ATE"] + 0.3
    assert plain > KNOWN["ATE"] + 0.4


@pytest.mark.parametrize("hidden, scores_fail, shifts_fail", [("none", False, False), ("shift", True, False), ("within", True, True)])
def test_what_shift_effects_repair_and_what_they_do_not(hidden, scores_fail, shifts_fail):
    frame = LED.generate(seed=12, n=200_000, hidden=hidden)
    zero, one, _ = PAGE["potential_scores"](frame)
    off = abs((one - zero).mean() - KNOWN["ATE"])
    inside = abs(PAGE["within_shift"](frame)[0] - KNOWN["ATE"])
    assert (off > 0.6) if scores_fail else (off < 0.05)
    assert (inside > 0.6) if shifts_fail else (inside < 0.05)


def test_negative_control_hears_the_hidden_drift():
    for hidden, low, high in [("none", -0.02, 0.02), ("shift", -0.5, -0.25), ("within", -0.5, -0.25)]:
        zero, one, _ = PAGE["potential_scores"](LED.generate(seed=13, n=200_000, hidden=hidden), "bond_yield")
        assert low < (one - zero).mean() < high
