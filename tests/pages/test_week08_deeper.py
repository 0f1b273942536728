"""8주차 심화: 오차, 검정, 가중치, 민감도 구간의 주장."""

from itertools import combinations, permutations, product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, load, package_file, truth

PILOT, ROLLOUT = generator("kiosk_pilot"), generator("kiosk_rollout")
PAGE = read_page(ROOT / "chapters" / "week08_deeper.md")
BEFORE, AFTER = slice(0, 12), slice(12, 24)
WAVES, WEEKS = np.array([11, 19, 27, 0]), np.arange(1, 41)
ON = ((WAVES[:, None] > 0) & (WEEKS >= WAVES[:, None])) * 1.0
LINE = (np.arange(12) - 5.5) / ((np.arange(12) - 5.5) ** 2).sum()
HERE = page_functions(
    PAGE, "grid", "gap", "demean", "errors", "pretest", "paths", "band", "fit_score", "dr_did", "covariates", "spread", "bacon", "wave_means", "linear",
    "twfe_weights", "equal_weights", "imputation_weights", "cohort_weights", "dr_staggered", "event_weights", "clean_path", "honest", "detrended", "aggregate",
    "by_block", "restrictions", "corners", "allowed", combinations=combinations, product=product,
    before=BEFORE, after=AFTER, WAVES=WAVES, ON=ON, weeks=WEEKS, line=LINE, stats=stats, permutations=permutations, rollout=ROLLOUT,
    PAIRS=[(g, t) for g in (2004, 2006, 2007) for t in range(g, 2008)],
)  # fmt: skip
gap = HERE["gap"]


def did(x):
    return gap(x["Y"][:, AFTER].mean(axis=1) - x["Y"][:, BEFORE].mean(axis=1), x["D"])


NAMES = ["11주", "19주", "27주", "놓지 않음"]


def counts(cohort):
    return np.array([(cohort == g).sum() for g in WAVES])


def homes(**world):
    x = ROLLOUT.draw(**world)
    m = x["district"] == 0
    return x["Y"][m], x["cohort"][m], x["expected"][m], x["effect"][m]


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
    """잡음이 없는 세상에서 한계의 폭은 정확히 2 x 배수 x 가장 큰 걸음입니다."""
    Y = np.zeros((20, 24))
    D = (np.arange(20) < 8) * 1.0
    Y[D == 1, :4], Y[D == 1, 4:8] = -3.0, -1.0
    Y[D == 1, 12:] = 5.0
    value, low, high = HERE["honest"](Y, D, 0.5)
    assert (value, low, high) == (5.0, 5.0 - 2 * 0.5 * 2.0, 5.0 + 2 * 0.5 * 2.0)


SHOCKS = np.random.default_rng(88).normal(size=(1_000, 5))


def event(seed=None, trend=0.0):
    if seed is None:
        d = load("kiosk_pilot")
        Y, D = HERE["grid"](d, "sales"), HERE["grid"](d, "chosen")[:, 0]
    else:
        x = PILOT.draw(seed=seed)
        Y, D = x["Y"] + trend * (np.arange(1, 25) - 13) * x["D"][:, None], x["D"]
    return Y, D, *HERE["by_block"](Y, D)


def test_corners_solve_the_linear_program_of_the_conditional_test():
    """꼭짓점의 최댓값은 부등식의 여유를 가장 작게 하는 선형계획의 값입니다(다른 풀이로 확인)."""
    from scipy.optimize import linprog

    _, _, b, V = event()
    free = np.array([[1, 0], [-1, 1], [0, -1]])
    for bar, s, sign in [(0.0, 0, 1), (0.5, 0, 1), (0.5, 1, -1), (1.0, 1, 1)]:
        A = HERE["restrictions"](bar, s, sign)
        C, scale = HERE["corners"](A, V), np.sqrt(np.diag(A @ V @ A.T))
        for theta in (-2.0, 1.0, 6.0):
            y = A @ b - theta * A[:, 2:].sum(axis=1)
            lp = linprog([0, 0, 1], A_ub=-np.column_stack([A[:, 2:] @ free, scale]), b_ub=-y, bounds=[(None, None)] * 3)
            assert (C @ y).max() == pytest.approx(lp.fun, abs=1e-6)


def test_clf_is_the_plain_interval_at_zero_and_narrower_than_the_union():
    """배수가 0이면 앞 칸을 기준으로 한 보통의 구간이고, 0.5와 1배에서는 감싸는 구간보다 안쪽입니다.

    0.5배의 아래 끝은 음수입니다. 앞 걸음 하나를 빠뜨린 구현은 여기서 [0.9, 9.2]를 냅니다.
    """
    Y, D, b, V = event()
    thetas = np.arange(-8, 16.001, 0.05)
    ends = {}
    for bar in (0.0, 0.5, 1.0):
        kept = thetas[HERE["allowed"](b, V, bar, thetas, SHOCKS)]
        ends[bar] = kept.min(), kept.max()
        _, low, high = HERE["honest"](Y, D, bar)
        assert low - 0.11 < ends[bar][0] and ends[bar][1] < high + 0.11
    assert ends[0.0] == pytest.approx(HERE["honest"](Y, D, 0.0)[1:], abs=0.15)
    assert ends[0.5] == pytest.approx((-0.2, 9.2), abs=0.2) and ends[1.0] == pytest.approx((-3.5, 12.2), abs=0.25)
    zero = np.zeros(1)
    assert not HERE["allowed"](b, V, 0.40, zero, SHOCKS)[0] and HERE["allowed"](b, V, 0.52, zero, SHOCKS)[0]
    assert HERE["honest"](Y, D, 0.40)[1] < 0 < HERE["honest"](Y, D, 0.30)[1]


def test_clf_keeps_its_promise():
    """걸음이 한계 안인 세상(추세 없음, 배수 0이면 정확히 95%짜리 검정)에서 정답을 버리는 비율."""
    goal = np.array([PILOT.GAIN * (np.clip(np.arange(1, 13), 0, 8) / 8).mean()])
    kept = {bar: [] for bar in (0.0, 1.0)}
    for seed in range(150):
        _, _, b, V = event(40_000 + seed)
        for bar, out in kept.items():
            out.append(HERE["allowed"](b, V, bar, goal, SHOCKS)[0])
    assert 0.88 < np.mean(kept[0.0]) < 0.99 and np.mean(kept[1.0]) > 0.95


def test_taking_out_a_straight_trend():
    x = PILOT.draw(seed=3, n=40_000, treated=12_000, trend=0.3)
    assert HERE["detrended"](x["Y"], x["D"])[0] == pytest.approx(truth("kiosk_pilot")["population"], abs=0.35)


def test_doubly_robust_needs_one_of_the_two():
    x = ROLLOUT.draw(seed=21, n=60_000)
    t = (x["cohort"] == 11) * 1.0
    z = x["Y"][:, 10:18].mean(axis=1) - x["Y"][:, :10].mean(axis=1)
    goal = x["effect"][t == 1][:, 10:18].mean()
    few, full, plain = HERE["covariates"](x)
    for score, outcome in [(full, full), (few, full), (full, few)]:
        assert HERE["dr_did"](z, t, score, outcome)[0] == pytest.approx(goal, abs=0.15)
    assert HERE["dr_did"](z, t, few, few)[0] - goal > 0.25
    assert (
        0.0 < HERE["dr_did"](z, t, plain, plain)[0] - goal < 0.25
    )  # 생성기의 곡선을 모르고 햇수를 그대로 넣으면 조금 남습니다
    assert gap(z, t)[0] - goal > 0.6


def test_the_decomposition_adds_up_on_any_data():
    Y, g, *_ = homes(seed=4)
    n = counts(g)
    parts = HERE["bacon"](HERE["wave_means"](Y, g), ON, n / n.sum(), NAMES)
    K = ON[[list(WAVES).index(v) for v in g]]
    r = HERE["demean"](K)
    twfe = (r * Y).sum() / (r * r).sum()
    assert parts["가중치"].sum() == pytest.approx(1)
    assert (parts["가중치"] * parts["이중차분"]).sum() == pytest.approx(twfe, abs=1e-8)
    assert HERE["linear"](HERE["twfe_weights"](n), Y, g)[0] == pytest.approx(twfe, abs=1e-8)


def test_every_clean_method_gets_the_pure_effect_back():
    """잡음 없는 정답의 효과만 넣으면 대체 추정과 코호트 비교는 정확하고, 회귀는 효과가 같을 때만 맞습니다."""
    Y, g, pure, _ = homes(seed=827)
    n = counts(g)
    goal = HERE["linear"](HERE["equal_weights"](n), pure, g)[0]
    for w in (HERE["imputation_weights"](n), HERE["cohort_weights"](n), HERE["cohort_weights"](n, never=True)):
        assert HERE["linear"](w, pure, g)[0] == pytest.approx(goal, abs=1e-8)
    weights = HERE["twfe_weights"](n)
    assert HERE["linear"](weights, pure, g)[0] < goal - 1.2
    assert (weights[ON == 1] > 0).all(), "쪽은 이 자료에 음의 가중치가 없다고 말합니다."
    assert HERE["linear"](weights, 7 * ON[[list(WAVES).index(v) for v in g]], g)[0] == pytest.approx(7, abs=1e-8)


def test_dropping_forbidden_comparisons_is_not_enough():
    _, g, pure, _ = homes(seed=827)
    n = counts(g)
    parts = HERE["bacon"](HERE["wave_means"](pure, g), ON, n / n.sum(), NAMES)
    good = parts[parts["견주는 쪽의 처치"] != "이미"]
    value = (good["가중치"] * good["이중차분"]).sum() / good["가중치"].sum()
    goal = HERE["linear"](HERE["equal_weights"](n), pure, g)[0]
    assert (parts["가중치"] * parts["이중차분"]).sum() + 0.3 < value < goal - 0.3


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
    two = pf.did2s(
        d,
        yname="sales",
        first_stage="~ 0 | store_id + week",
        second_stage="~ i(kiosk, ref=0)",
        treatment="kiosk",
        cluster="store_id",
    )
    value, error = HERE["linear"](HERE["imputation_weights"](counts(g)), Y, g)
    assert two.coef().iloc[0] == pytest.approx(value, abs=1e-6)
    assert two.se().iloc[0] == pytest.approx(error, rel=0.08)


def test_constant_covariates_change_nothing():
    """변하지 않는 변수의 높이를 넣어도 이중차분은 그대로입니다."""
    x = ROLLOUT.draw(seed=6)
    t, d = (x["cohort"] == 11) * 1.0, HERE["covariates"](x)[0]
    two = np.concatenate([x["Y"][:, :10].mean(axis=1), x["Y"][:, 10:18].mean(axis=1)])
    post, both = np.repeat([0.0, 1.0], len(t)), np.tile(t, 2)
    columns = np.column_stack([post * both, post, both, np.tile(d, (2, 1))])
    plain = gap(x["Y"][:, 10:18].mean(axis=1) - x["Y"][:, :10].mean(axis=1), t)[0]
    assert np.linalg.lstsq(columns, two, rcond=None)[0][0] == pytest.approx(plain, abs=1e-8)


def test_matching_on_lucky_sales_misses():
    """높이가 다른 두 집단을 앞 매출로 짝지으면 평행 추세가 참이던 자료에서 위로 빗나갑니다."""
    x = PILOT.draw(seed=78, n=20_000, treated=6_000)
    key = x["Y"][:, BEFORE].mean(axis=1)
    z = x["Y"][:, AFTER].mean(axis=1) - key
    pool = np.flatnonzero(x["D"] == 0)
    pool = pool[np.argsort(key[pool])]
    near = np.clip(np.searchsorted(key[pool], key[x["D"] == 1]), 0, len(pool) - 1)
    goal = x["effect"][x["D"] == 1][:, AFTER].mean()
    assert abs(did(x)[0] - goal) < 0.2 < (z[x["D"] == 1] - z[pool[near]]).mean() - goal


def test_the_counties_give_the_published_aggregates_and_errors():
    d = pd.read_pickle(package_file("moderndid", "core/datasets/mpdta_long.pkl.gz")).sort_values(["countyreal", "year"])
    Y, first = d["lemp"].to_numpy().reshape(-1, 5), d["first.treat"].to_numpy().reshape(-1, 5)[:, 0]
    r = HERE["demean"](((first[:, None] > 0) & (np.arange(2003, 2008) >= first[:, None])) * 1.0)
    assert (r * Y).sum() / (r * r).sum() == pytest.approx(-0.0365, abs=5e-5)
    assert HERE["aggregate"](Y, first) == pytest.approx((-0.0400, -0.0310, -0.0772), abs=5e-5)
    rng = np.random.default_rng(0)
    again = [HERE["aggregate"](Y[i], first[i]) for i in (rng.integers(0, 500, 500) for _ in range(300))]
    # 공개된 0.0123과 0.0196도 부트스트랩이라 난수만큼 다릅니다
    assert np.std(again, axis=0)[1:] == pytest.approx((0.0123, 0.0196), rel=0.2)
