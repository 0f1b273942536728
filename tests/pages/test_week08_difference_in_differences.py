"""8주차: 알려진 정답, 그리고 장이 하는 통계의 주장."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from causal_practice import generator, load, package_file, truth
from book.page_code import page_functions
from book.page import ROOT, read_page

PILOT, ROLLOUT = generator("kiosk_pilot"), generator("kiosk_rollout")
PAGE = read_page(ROOT / "chapters" / "week08_difference_in_differences.md")
BEFORE, AFTER = slice(0, 12), slice(12, 24)
WAVES, WEEKS = np.array([11, 19, 27, 0]), np.arange(1, 41)
ON = ((WAVES[:, None] > 0) & (WEEKS >= WAVES[:, None])) * 1.0
LINE = (np.arange(12) - 5.5) / ((np.arange(12) - 5.5) ** 2).sum()
HERE = page_functions(
    PAGE, "grid", "gap", "demean", "errors", "pretest", "paths", "band", "fit_score", "dr_did", "covariates", "spread", "bacon", "wave_means", "linear",
    "twfe_weights", "equal_weights", "imputation_weights", "cohort_weights", "dr_staggered", "event_weights", "clean_path", "honest", "detrended", "two_errors", "aggregate",
    before=BEFORE, after=AFTER, WAVES=WAVES, ON=ON, weeks=WEEKS, line=LINE, stats=stats, permutations=permutations, rollout=ROLLOUT,
)  # fmt: skip
gap = HERE["gap"]
NAMES = ["11주", "19주", "27주", "놓지 않음"]


def did(x):
    return gap(x["Y"][:, AFTER].mean(axis=1) - x["Y"][:, BEFORE].mean(axis=1), x["D"])


def counts(cohort):
    return np.array([(cohort == g).sum() for g in WAVES])


def homes(**world):
    x = ROLLOUT.draw(**world)
    m = x["district"] == 0
    return x["Y"][m], x["cohort"][m], x["expected"][m], x["effect"][m]


def test_the_cards_tell_the_truth_of_the_files():
    d, known = load("kiosk_pilot", with_truth=True), truth("kiosk_pilot")
    assert d.loc[d["kiosk"] == 1, "effect"].mean() == pytest.approx(known["ATT"], abs=1e-3)
    assert known["population"] == pytest.approx(PILOT.GAIN * np.clip(np.arange(1, 13), 0, 8).mean() / 8, abs=1e-3)
    d, known = load("kiosk_rollout", with_truth=True), truth("kiosk_rollout")
    on = d["kiosk"] == 1
    assert d.loc[on, "effect"].mean() == pytest.approx(known["ATT"], abs=1e-3)
    assert d.loc[on & (d["district"] == "주택가"), "effect"].mean() == pytest.approx(known["home"], abs=1e-3)
    assert d.loc[(d["cohort"] == 11) & d["week"].between(11, 18), "effect"].mean() == pytest.approx(known["first"], abs=1e-3)


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


def test_four_ways_are_one_number_and_two_errors_are_one_error():
    import statsmodels.formula.api as smf

    d = PILOT.generate(seed=9)
    Y, D = HERE["grid"](d, "sales"), HERE["grid"](d, "chosen")[:, 0]
    change = Y[:, AFTER].mean(axis=1) - Y[:, BEFORE].mean(axis=1)
    b, pooled, fixed, cluster, two, boot = HERE["errors"](Y, D, np.random.default_rng(0))
    r = HERE["demean"](HERE["grid"](d, "kiosk"))
    ols = smf.ols("sales ~ chosen * post", d.assign(post=(d["week"] > 12) * 1)).fit()
    assert (r * Y).sum() / (r * r).sum() == pytest.approx(b, abs=1e-9)
    assert ols.params["chosen:post"] == pytest.approx(b, abs=1e-8)
    assert ols.bse["chosen:post"] == pytest.approx(pooled, rel=1e-8)
    folded = smf.ols("z ~ D", {"z": change, "D": D}).fit(cov_type="HC0")
    assert cluster / np.sqrt(80 / 79) == pytest.approx(folded.bse["D"], rel=1e-8)
    assert cluster == pytest.approx(two, rel=0.02) and boot == pytest.approx(two, rel=0.2)


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


def test_the_pretest_keeps_its_promise_and_is_weak():
    calm, tilted = [], []
    for k in range(400):
        x = PILOT.draw(seed=900_000 + k)
        calm.append(HERE["pretest"](x["Y"], x["D"]))
        tilted.append(HERE["pretest"](x["Y"] + 0.3 * (np.arange(1, 25) - 13) * x["D"][:, None], x["D"]))
    any_, joint, tilt = np.mean(calm, axis=0)
    assert any_ > 0.2 and joint < 0.09 and tilt < 0.1
    _, joint, tilt = np.mean(tilted, axis=0)
    assert joint < 0.25 and tilt < 0.55


def test_relative_magnitude_bound_is_the_formula():
    """흔들림이 없는 세상에서 한계의 폭은 정확히 2 x 배수 x 가장 큰 걸음입니다."""
    Y = np.zeros((20, 24))
    D = (np.arange(20) < 8) * 1.0
    Y[D == 1, :4], Y[D == 1, 4:8] = -3.0, -1.0
    Y[D == 1, 12:] = 5.0
    value, low, high = HERE["honest"](Y, D, 0.5)
    assert (value, low, high) == (5.0, 5.0 - 2 * 0.5 * 2.0, 5.0 + 2 * 0.5 * 2.0)


def test_taking_out_a_straight_trend():
    x = PILOT.draw(seed=3, n=40_000, treated=12_000, trend=0.3)
    assert HERE["detrended"](x["Y"], x["D"])[0] == pytest.approx(truth("kiosk_pilot")["population"], abs=0.35)


def test_doubly_robust_needs_one_of_the_two():
    x = ROLLOUT.draw(seed=21, n=60_000)
    t = (x["cohort"] == 11) * 1.0
    z = x["Y"][:, 10:18].mean(axis=1) - x["Y"][:, :10].mean(axis=1)
    goal = x["effect"][t == 1][:, 10:18].mean()
    few, full = HERE["covariates"](x)
    for score, outcome in [(full, full), (few, full), (full, few)]:
        assert HERE["dr_did"](z, t, score, outcome)[0] == pytest.approx(goal, abs=0.15)
    assert HERE["dr_did"](z, t, few, few)[0] - goal > 0.25
    assert gap(z, t)[0] - goal > 0.6


def test_the_decomposition_adds_up_on_any_data():
    Y, g, *_ = homes(seed=4)
    n = counts(g)
    parts = HERE["bacon"](HERE["wave_means"](Y, g), ON, n / n.sum(), NAMES)
    K = ON[[list(WAVES).index(v) for v in g]]
    r = HERE["demean"](K)
    twfe = (r * Y).sum() / (r * r).sum()
    assert parts["무게"].sum() == pytest.approx(1)
    assert (parts["무게"] * parts["이중차분"]).sum() == pytest.approx(twfe, abs=1e-8)
    assert HERE["linear"](HERE["twfe_weights"](n), Y, g)[0] == pytest.approx(twfe, abs=1e-8)


def test_every_clean_method_gets_the_pure_effect_back():
    """흔들림 없는 정답의 효과만 넣으면 대체 추정과 코호트 비교는 정확하고, 회귀는 효과가 같을 때만 맞습니다."""
    Y, g, pure, _ = homes(seed=827)
    n = counts(g)
    goal = HERE["linear"](HERE["equal_weights"](n), pure, g)[0]
    for w in (HERE["imputation_weights"](n), HERE["cohort_weights"](n), HERE["cohort_weights"](n, never=True)):
        assert HERE["linear"](w, pure, g)[0] == pytest.approx(goal, abs=1e-8)
    weights = HERE["twfe_weights"](n)
    assert HERE["linear"](weights, pure, g)[0] < goal - 1.2
    assert (weights[ON == 1] > 0).all(), "쪽은 이 자료에 음의 무게가 없다고 말합니다."
    assert HERE["linear"](weights, 7 * ON[[list(WAVES).index(v) for v in g]], g)[0] == pytest.approx(7, abs=1e-8)


def test_dropping_forbidden_comparisons_is_not_enough():
    _, g, pure, _ = homes(seed=827)
    n = counts(g)
    parts = HERE["bacon"](HERE["wave_means"](pure, g), ON, n / n.sum(), NAMES)
    good = parts[parts["견주는 무리의 처치"] != "이미"]
    value = (good["무게"] * good["이중차분"]).sum() / good["무게"].sum()
    goal = HERE["linear"](HERE["equal_weights"](n), pure, g)[0]
    assert (parts["무게"] * parts["이중차분"]).sum() + 0.3 < value < goal - 0.3


def test_event_study_leads_are_contaminated_without_any_trend():
    _, g, pure, _ = homes(seed=827)
    n = counts(g)
    ks, B = HERE["event_weights"](n)
    leads = (B * HERE["wave_means"](pure, g)).sum(axis=(1, 2))[ks < -1]
    assert leads.max() > 0.8
    same = np.where(WAVES[:, None] > 0, np.clip(WEEKS - WAVES[:, None] + 1, 0, 12), 0)
    np.testing.assert_allclose((B * same).sum(axis=(1, 2))[ks < -1], 0, atol=1e-8)
    clean = page_functions(PAGE, "clean_path", WAVES=WAVES, count=n)["clean_path"]
    np.testing.assert_allclose(clean(HERE["wave_means"](pure, g), ks)[ks < -1], 0, atol=1e-9)


def test_staggered_doubly_robust_at_large_n_and_what_hides_what():
    x = ROLLOUT.draw(seed=31, n=40_000)
    n, g = counts(x["cohort"]), x["cohort"]
    goal = HERE["linear"](HERE["equal_weights"](n), x["effect"], g)[0]
    assert HERE["dr_staggered"](x["Y"], g, HERE["covariates"](x)[1])[0] == pytest.approx(goal, abs=0.2)
    assert HERE["linear"](HERE["twfe_weights"](n), x["Y"], g)[0] < goal - 0.8
    assert HERE["linear"](HERE["imputation_weights"](n), x["Y"], g)[0] > goal + 1.0


def test_pyfixest_agrees_by_hand():
    import pyfixest as pf

    d = load("kiosk_rollout")
    d = d[d["district"] == "주택가"]
    Y, g = HERE["grid"](d, "sales"), HERE["grid"](d, "cohort")[:, 0]
    two = pf.did2s(d, yname="sales", first_stage="~ 0 | store_id + week", second_stage="~ i(kiosk, ref=0)", treatment="kiosk", cluster="store_id")
    value, error = HERE["linear"](HERE["imputation_weights"](counts(g)), Y, g)
    assert two.coef().iloc[0] == pytest.approx(value, abs=1e-6)
    assert two.se().iloc[0] == pytest.approx(error, rel=0.08)


def test_the_counties_give_the_published_aggregates():
    d = pd.read_pickle(package_file("moderndid", "core/datasets/mpdta_long.pkl.gz")).sort_values(["countyreal", "year"])
    assert len(d) == 2500 and d["countyreal"].nunique() == 500
    Y, first = d["lemp"].to_numpy().reshape(-1, 5), d["first.treat"].to_numpy().reshape(-1, 5)[:, 0]
    r = HERE["demean"](((first[:, None] > 0) & (np.arange(2003, 2008) >= first[:, None])) * 1.0)
    assert (r * Y).sum() / (r * r).sum() == pytest.approx(-0.0365, abs=5e-5)
    assert HERE["aggregate"](Y, first) == pytest.approx((-0.0400, -0.0310, -0.0772), abs=5e-5)
