"""8주차: 알려진 정답, 그리고 장이 하는 통계의 주장."""

import numpy as np
import pandas as pd
import pytest

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, load, package_file, truth

PILOT, ROLLOUT = generator("kiosk_pilot"), generator("kiosk_rollout")
PAGE = read_page(ROOT / "chapters" / "week08_difference_in_differences.md")
BEFORE, AFTER = slice(0, 12), slice(12, 24)
LINE = (np.arange(12) - 5.5) / ((np.arange(12) - 5.5) ** 2).sum()


def functions():
    import pyfixest as pf
    from sklearn.linear_model import LogisticRegression

    return page_functions(
        PAGE, "grid", "gap", "pilot_did", "demean", "two_errors", "slope_test", "design", "fit_score", "dr_did",
        "twfe_of", "impute", "everyone_effect", "averages", before=BEFORE, after=AFTER, line=LINE, pf=pf,
        LogisticRegression=LogisticRegression,
    )  # fmt: skip


HERE = functions()
gap = HERE["gap"]


def did(x):
    return HERE["pilot_did"](x["Y"], x["D"])


def test_the_cards_tell_the_truth_of_the_files():
    d, known = load("kiosk_pilot", with_truth=True), truth("kiosk_pilot")
    assert d.loc[d["kiosk"] == 1, "effect"].mean() == pytest.approx(known["ATT"], abs=1e-3)
    assert known["population"] == pytest.approx(PILOT.GAIN * np.clip(np.arange(1, 13), 0, 8).mean() / 8, abs=1e-3)
    d, known = load("kiosk_rollout", with_truth=True), truth("kiosk_rollout")
    on = d["kiosk"] == 1
    assert d.loc[on, "effect"].mean() == pytest.approx(known["ATT"], abs=1e-3)
    assert d.loc[on & (d["district"] == "주택가"), "effect"].mean() == pytest.approx(known["home"], abs=1e-3)
    assert d.loc[(d["cohort"] == 11) & d["week"].between(11, 18), "effect"].mean() == pytest.approx(
        known["first"], abs=1e-3
    )


@pytest.mark.parametrize("name", ["kiosk_pilot", "kiosk_rollout"])
def test_no_effect_before_or_without_a_kiosk(name):
    d = load(name, with_truth=True)
    assert (d.loc[d["kiosk"] == 0, "effect"] == 0).all()
    np.testing.assert_allclose(d["sales"] - d["sales_0"], d["effect"], atol=0.011)


def test_trends_are_parallel_where_they_should_be():
    x = PILOT.draw(seed=5, n=60_000, treated=20_000)
    b, se = gap(x["Y0"][:, AFTER].mean(axis=1) - x["Y0"][:, BEFORE].mean(axis=1), x["D"])
    assert abs(b) < 3 * se < 0.2
    y = ROLLOUT.draw(seed=5, n=40_000)
    change = y["Y0"][:, 26:].mean(axis=1) - y["Y0"][:, :10].mean(axis=1)
    home, early = y["district"] == 0, y["cohort"] == 11
    assert abs(gap(change[home], early[home])[0]) < 0.2
    assert gap(change[~home], early[~home])[0] > 1.5


def test_rows_are_not_the_sample_size():
    x = PILOT.draw(seed=9)
    (week_iid, week_two), (day_iid, day_two) = (HERE["two_errors"](x["Y"], x["D"], d) for d in (1, 7))
    assert day_two == pytest.approx(week_two, rel=1e-9)
    assert day_iid == pytest.approx(week_iid / np.sqrt(7), rel=0.03)


@pytest.mark.parametrize(
    "world, miss, base",
    [({}, 0.0, None), ({"trend": 0.2}, 2.4, None), ({"early": 8.0}, 8 * 2 / 12, slice(0, 10)), ({"spill": 1.5}, 1.5, None), ({"event": 3.0}, 3.0, None), ({"dip": 1.5}, 1.5, slice(0, 8))],
)  # fmt: skip
def test_each_broken_assumption_misses_by_its_own_size(world, miss, base):
    x = PILOT.draw(seed=12, n=60_000, treated=18_000, **world)
    goal = x["effect"][x["D"] == 1][:, AFTER].mean()
    assert did(x)[0] - goal == pytest.approx(miss, abs=0.2)
    if base is not None:
        again = gap(x["Y"][:, AFTER].mean(axis=1) - x["Y"][:, base].mean(axis=1), x["D"])[0]
        assert abs(again - goal) < 0.35 * miss


def test_the_slope_test_keeps_its_promise_and_is_weak():
    calm, tilted = [], []
    for k in range(400):
        x = PILOT.draw(seed=900_000 + k)
        calm.append(HERE["slope_test"](x["Y"], x["D"]))
        tilted.append(HERE["slope_test"](x["Y"] + 0.3 * np.outer(x["D"], np.arange(1, 25) - 13), x["D"]))
    assert np.mean(calm) < 0.1 and np.mean(tilted) < 0.55


def test_weights_of_a_block_design_are_four_numbers_and_of_a_staggered_one_never_negative():
    d = load("kiosk_pilot")
    left = HERE["demean"](HERE["grid"](d, "kiosk"))
    assert len(np.unique((left / (left * left).sum()).round(9))) == 4
    home = load("kiosk_rollout").query("district == '주택가'")
    K = HERE["grid"](home, "kiosk")
    left = HERE["demean"](K)
    ratio = left / (left * left).sum() * K.sum()
    wave = HERE["grid"](home, "cohort")[:, 0]
    assert (left[K == 1] > 0).all(), "쪽은 음의 가중치가 하나도 없다고 말합니다."
    assert ratio[wave == 11][0, 26:].max() < 0.2 < 1 < ratio[wave == 11][0, 10]


def test_imputation_gets_the_pure_effect_back_and_the_regression_does_not():
    """잡음 없이 정답의 효과만 넣으면 대체 추정은 정확하고 회귀는 낮습니다."""
    known = load("kiosk_rollout", with_truth=True).query("district == '주택가'")
    pure = known.assign(sales=known["effect"])
    goal = known.loc[known["kiosk"] == 1, "effect"].mean()
    assert HERE["impute"](pure) == pytest.approx(goal, abs=1e-6)
    assert HERE["twfe_of"](pure) < goal - 1.0


def test_the_score_is_the_logistic_regression_solved_by_newton():
    d = load("kiosk_rollout")
    X, t = HERE["design"](d), (HERE["grid"](d, "cohort")[:, 0] == 11) * 1.0
    b = np.zeros(X.shape[1])
    for _ in range(25):
        p = 1 / (1 + np.exp(-X @ b))
        b += np.linalg.solve((X.T * (p * (1 - p))) @ X, X.T @ (t - p))
    assert HERE["fit_score"](X, t) == pytest.approx(1 / (1 + np.exp(-X @ b)), abs=5e-4)


def test_the_headline_stays_above_break_even_with_plain_years():
    """머리의 추정은 생성기의 곡선 대신 햇수를 그대로 넣어도 결론(본전 4.5 위)이 같습니다."""
    d = load("kiosk_rollout")
    value, low, high = HERE["everyone_effect"](d)
    assert low < truth("kiosk_rollout")["ATT"] < high and low > 4.5
    assert HERE["everyone_effect"](d, years=lambda opened: opened)[1] > 4.5
    assert HERE["impute"](d) > value + 1.0, "시차만 고치면 추세의 편향이 그대로 남습니다."


def test_the_library_lines_give_the_numbers_by_hand():
    import pyfixest as pf

    d = load("kiosk_pilot")
    Y, D = HERE["grid"](d, "sales"), HERE["grid"](d, "chosen")[:, 0]
    value, error = HERE["pilot_did"](Y, D)
    fit = pf.feols("sales ~ kiosk | store_id + week", d, vcov={"CRV1": "store_id"}, ssc=pf.ssc(k_fixef="none"))
    assert fit.coef().iloc[0] == pytest.approx(value, abs=1e-8) and fit.se().iloc[0] == pytest.approx(error, rel=0.03)
    home = load("kiosk_rollout").query("district == '주택가'")
    two = pf.did2s(
        home, yname="sales", treatment="kiosk", cluster="store_id",
        first_stage="~ 0 | store_id + week", second_stage="~ i(kiosk, ref=0)",
    )  # fmt: skip
    assert two.coef().iloc[0] == pytest.approx(HERE["impute"](home), abs=1e-6)


def test_the_counties_give_the_published_aggregates():
    """did 패키지의 첫 화면에 공개된 두 평균(-0.031, -0.0772)이 공개된 자리까지 같습니다."""
    d = pd.read_pickle(package_file("moderndid", "core/datasets/mpdta_long.pkl.gz")).sort_values(["countyreal", "year"])
    assert len(d) == 2500 and d["countyreal"].nunique() == 500
    jobs, raised = d["lemp"].to_numpy().reshape(-1, 5), d["first.treat"].to_numpy().reshape(-1, 5)[:, 0]
    grouped, dynamic = HERE["averages"](jobs, raised)
    assert round(grouped, 3) == -0.031 and round(dynamic, 4) == -0.0772
