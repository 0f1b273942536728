"""입고와 라인의 생성기: 기구를 바꿔 끼운 정답, 숨은 충격이 내는 자국."""

from itertools import combinations, permutations

import numpy as np
import pytest

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, truth

CHAIN, LINE = generator("supply_chain_weeks"), generator("line_operator")
KNOWN, KNOWN_LINE = truth("supply_chain_weeks"), truth("line_operator")
PAGE = read_page(ROOT / "case_studies" / "supply_chain_root_cause.md")
NODES = ["demand", "constraint", "submitted", "confirmed", "received"]
PARENTS = {
    "demand": [], "constraint": [], "submitted": ["demand", "constraint"], "confirmed": ["submitted"],
    "received": ["confirmed"],
}  # fmt: skip
HERE = page_functions(
    PAGE, "fit", "mean_received", "resampled", "all_worlds", "shapley", NODES=NODES, PARENTS=PARENTS,
    KOREAN=NODES, combinations=combinations, permutations=permutations, cache=lambda f: f,
)  # fmt: skip


@pytest.fixture(scope="module", params=["none", "uneven", "even"])
def large(request):
    return request.param, CHAIN.generate(seed=11, n=150_000, hidden=request.param)


@pytest.fixture(scope="module")
def lots():
    return LINE.generate(seed=12, n=200_000)


def received(changed, **params):
    frame = CHAIN.generate(seed=3, n=200_000, changed=changed, **params)
    return frame.loc[frame["week"] == 23, "received"].mean()


def regress(outcome, *columns):
    """절편을 뺀 회귀 계수."""
    X = np.column_stack([np.ones(len(outcome)), *columns])
    return np.linalg.lstsq(X, outcome, rcond=None)[0][1:]


# --- 입고 ---


def test_the_first_two_weeks_share_every_mechanism(large):
    _, frame = large
    means = frame.groupby("week")[list(CHAIN.NODES)].mean()
    assert (means.loc[21] - means.loc[22]).abs().max() < 0.3


def test_shares_of_the_card_come_out_when_mechanisms_are_swapped():
    value = {s: received(s) for r in range(3) for s in combinations(("demand", "confirmed"), r)}
    none, demand, confirmed, both = value[()], value[("demand",)], value[("confirmed",)], value[("demand", "confirmed")]
    assert (demand - none + both - confirmed) / 2 == pytest.approx(KNOWN["demand"], abs=0.03)
    assert (confirmed - none + both - demand) / 2 == pytest.approx(KNOWN["confirmed"], abs=0.03)
    assert both - demand == pytest.approx(KNOWN["now_confirmed"], abs=0.03)


def test_a_mechanism_is_the_regression_of_a_node_on_its_parents_for_every_row_of_weights():
    """한꺼번에 푼 계수는 무게의 줄마다 따로 한 회귀와 같습니다."""
    now = CHAIN.generate(seed=4, n=300).query("week == 23")
    weights = HERE["resampled"](len(now), draws=3)
    coefs = HERE["fit"](now, weights)
    for node in NODES:
        for k, w in enumerate(weights):
            X = np.column_stack([np.ones(len(now)), now[PARENTS[node]]]) * np.sqrt(w)[:, None]
            alone = np.linalg.lstsq(X, now[node] * np.sqrt(w), rcond=None)[0]
            np.testing.assert_allclose(coefs[node][:, k], alone, rtol=1e-6, atol=1e-6)


def test_a_shapley_share_is_no_effect_of_a_single_intervention():
    """몫의 정답은 확정만 되돌리는 개입의 효과와 다르고, 쪽은 몫을 ATE로 적지 않습니다."""
    frame = CHAIN.generate(seed=6, n=5_000)
    worlds = HERE["all_worlds"](frame, 22, 23)
    everything = frozenset(NODES)
    undone = worlds[everything][0] - worlds[everything - {"confirmed"}][0]
    share = HERE["shapley"](worlds)["confirmed"].iloc[0]
    assert share == pytest.approx(KNOWN["confirmed"], abs=0.3) and undone == pytest.approx(
        KNOWN["now_confirmed"], abs=0.3
    )
    assert abs(share - undone) > 0.4
    assert 'estimand="샤플리 몫"' in PAGE.text
    assert not any("share" in line and 'estimand="ATE"' in line for line in PAGE.text.splitlines())


@pytest.mark.parametrize("name", ["constraint", "submitted", "received"])
def test_the_other_mechanisms_can_change_but_do_not_by_default(name):
    assert name not in CHAIN.DEFAULTS["changed"] and KNOWN[name] == 0
    assert abs(received((name,)) - received(())) > 3


@pytest.mark.parametrize("hidden", ["uneven", "even"])
def test_behind_a_hidden_shock_the_vendor_changed_nothing(hidden):
    calm = received(())
    assert received(("confirmed",), hidden=hidden) == received((), hidden=hidden)
    assert received((), hidden=hidden) - calm == pytest.approx(KNOWN["hidden_shock"], abs=0.1)
    assert received(("demand",), hidden=hidden) - received((), hidden=hidden) == pytest.approx(
        KNOWN["hidden_demand"], abs=0.05
    )
    assert KNOWN["hidden_confirmed"] == KNOWN["hidden_received"] == 0


def test_orders_speak_after_confirmation_only_when_the_shock_is_uneven(large):
    hidden, frame = large
    now = frame[frame["week"] == 23]
    coefficient = regress(now["received"], now["confirmed"], now["submitted"])[1]
    assert coefficient < -0.1 if hidden == "uneven" else abs(coefficient) < 0.01


def test_the_even_shock_only_moves_two_intercepts(large):
    hidden, frame = large
    now = frame[frame["week"] == 23]
    slope = regress(now["received"], now["confirmed"])[0]
    assert slope > 1.0 if hidden == "uneven" else slope == pytest.approx(CHAIN.DELIVERED[0], abs=0.01)
    assert now["shock"].std() > 0.5 if hidden == "uneven" else now["shock"].nunique() == 1
    assert (frame.loc[frame["week"] < 23, "shock"] == 0).all()


def test_orders_are_an_instrument_for_confirmation(large):
    _, frame = large
    cov = frame.loc[frame["week"] == 23, ["submitted", "confirmed", "received"]].cov()
    assert cov.loc["submitted", "received"] / cov.loc["submitted", "confirmed"] == pytest.approx(
        CHAIN.DELIVERED[0], abs=0.01
    )


@pytest.mark.parametrize("hidden", ["none", "uneven", "even"])
def test_no_quantity_is_negative(hidden):
    frame = CHAIN.generate(**CHAIN.DEFAULTS | {"hidden": hidden})
    assert (frame[list(CHAIN.NODES)] >= 0).all().all()


# --- 라인 ---


def test_the_operator_changes_nothing_yet_looks_guilty(lots):
    assert KNOWN_LINE["ATE"] == 0 and (lots["defect_1"] == lots["defect_0"]).all()
    mean = lots.groupby("novice")["defect_rate"].mean()
    assert mean[1] - mean[0] > 0.5


def test_night_and_difficulty_remove_the_confounding(lots):
    for outcome in ("defect_rate", "incoming_rate"):
        assert abs(regress(lots[outcome], lots["novice"], lots["night"], lots["difficulty"])[0]) < 0.01


def test_a_real_effect_is_found_when_there_is_one():
    lots = LINE.generate(seed=13, n=100_000, effect=0.3)
    assert regress(lots["defect_rate"], lots["novice"], lots["night"], lots["difficulty"])[0] == pytest.approx(
        0.3, abs=0.02
    )


def test_less_wear_means_fewer_defects_by_the_amount_on_the_card(lots):
    cut = LINE.generate(seed=12, n=200_000, wear_scale=0.6)
    assert (cut["defect_rate"] - lots["defect_rate"]).mean() == pytest.approx(KNOWN_LINE["wear_cut"], abs=0.003)
    assert (cut["defect_rate"] <= lots["defect_rate"] + 1e-9).all()


def test_adjusting_for_the_mediator_hides_the_wear(lots):
    total, night = regress(lots["defect_rate"], lots["wear"], lots["night"])
    assert total == pytest.approx(0.48, abs=0.02) and night > 0
    assert abs(regress(lots["defect_rate"], lots["wear"], lots["night"], lots["drift"])[0]) < 0.02
