"""9주차: 알려진 정답, 그리고 장과 심화가 하는 통계의 주장."""

import ast

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize, nnls
from scipy.stats import t as student

from book.myst import parse
from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, load, package_file, truth

CHAIN = generator("onehour_delivery")
PAGE = read_page(ROOT / "chapters" / "week09_synthetic_control.md")
DEEPER = read_page(ROOT / "chapters" / "week09_deeper.md")
SHARED = (
    "split",
    "did",
    "simplex",
    "sc_gap",
    "sc_with",
    "cross_fit_t",
    "weighted_did",
    "sdid_weights",
    "demeaned_gap",
    "draw",
)
NAMES = SHARED + ("ols_gap", "conformal_p", "placebo_gaps", "sdid_effect", "inside", "cross_fit_effect")
DEEP_NAMES = SHARED + (
    "quick_simplex",
    "quick_sdid",
    "placebo_error",
    "regression_errors",
    "rank_p",
    "nearest",
    "frank_wolfe",
)
T0 = 48
HERE = page_functions(PAGE, *NAMES, nnls=nnls, student=student, T0=T0, chain=CHAIN)
DEEP = page_functions(DEEPER, *DEEP_NAMES, nnls=nnls, student=student, T0=T0, chain=CHAIN)
ATT = truth("onehour_delivery")["ATT"]
LAST = np.eye(T0)[-1]


def world(seed, **kw):
    treated, C, effect = HERE["draw"](seed, **kw)
    return treated, C, treated.mean(axis=0), effect


@pytest.fixture(scope="module")
def real():
    return world(CHAIN.DEFAULTS["seed"])


@pytest.fixture(scope="module")
def smoke():
    table = pd.read_csv(package_file("causalpy", "data/california_prop99.csv"), index_col="Year").T
    return table.loc["California"].to_numpy(), table.drop("California").to_numpy(), 19


# --- 생성기와 카드 ---


def test_the_card_tells_the_truth(real):
    treated, C, y, effect = real
    assert effect[T0:].mean() == pytest.approx(ATT) and effect[-1] == pytest.approx(
        truth("onehour_delivery")["last_week"]
    )
    assert (effect[:T0] == 0).all() and treated.shape == (4, 60) and C.shape == (56, 60)
    d = load("onehour_delivery", with_truth=True)
    np.testing.assert_allclose(d["orders"], d["orders_0"] + d["effect"], atol=0.006)
    wide = d.pivot(index="region", columns="week", values="orders").to_numpy()
    np.testing.assert_allclose(
        np.vstack(HERE["split"](d)),
        wide[np.argsort(1 - d.groupby("region")["opened"].first().to_numpy(), kind="stable")],
    )


def test_knobs_change_only_what_they_say():
    base, lifted, hit = (CHAIN.generate(seed=5, **kw) for kw in ({}, {"lift": 25.0}, {"shock": -6.0}))
    on, after = base["opened"] == 1, base["after"] == 1
    np.testing.assert_allclose((lifted["orders"] - base["orders"])[on], 25, atol=0.02)
    assert (lifted["orders"] == base["orders"])[~on].all()
    moved = base.loc[(hit["orders"] - base["orders"]).abs() > 0.1]
    assert moved["region"].nunique() == 2 and moved["after"].eq(1).all() and moved["opened"].eq(0).all()
    assert (CHAIN.generate(seed=5, effect=0.0)["effect"] == 0).all() and base.loc[~after, "effect"].eq(0).all()


@pytest.mark.parametrize("name", SHARED)
def test_the_deeper_page_repeats_the_functions_of_the_chapter(name):
    found = [
        [ast.dump(n) for c in parse(p.text).cells for n in ast.parse(c.source).body if getattr(n, "name", "") == name]
        for p in (PAGE, DEEPER)
    ]
    assert len(found[0]) == 1 and found[0] == found[1]


# --- 가중치 ---


def test_weights_keep_their_promises_and_are_the_optimum(real):
    _, C, y, _ = real
    A, b = C[:, :T0].T, y[:T0]
    w = HERE["simplex"](A, b)
    assert w.min() >= -1e-6 and w.sum() == pytest.approx(1, abs=1e-6)
    other = minimize(lambda v: np.sum((b - A @ v) ** 2), np.full(56, 1 / 56), jac=lambda v: -2 * A.T @ (b - A @ v), bounds=[(0, 1)] * 56,
                     constraints={"type": "eq", "fun": lambda v: v.sum() - 1}, method="SLSQP", tol=1e-12).x  # fmt: skip
    np.testing.assert_allclose(w, other, atol=1e-4)


@pytest.mark.parametrize("ridge", [0.0, 0.5, 20.0, 500.0])
def test_the_quick_solver_agrees_with_the_slow_one(ridge):
    for seed in range(15):
        rng = np.random.default_rng(seed)
        A, b = rng.normal(0, 2, (30, 20)), rng.normal(0, 3, 30)
        quick, slow = DEEP["quick_simplex"](A, b, ridge), HERE["simplex"](A, b, ridge)
        warm = DEEP["quick_simplex"](A, b, ridge, start=np.eye(20)[seed])
        for found in (quick, warm):
            np.testing.assert_allclose(found, slow, atol=2e-5)
            assert found.min() >= -1e-6 and found.sum() == pytest.approx(1, abs=1e-6)


def test_rows_or_columns_the_free_regression_is_the_same(real):
    _, C, y, _ = real
    one = np.linalg.pinv(C[:, :T0].T) @ y[:T0] @ C[:, T0:]
    other = y[:T0] @ np.linalg.pinv(C[:, :T0]) @ C[:, T0:]
    np.testing.assert_allclose(one, other, atol=1e-6)
    assert np.abs(HERE["ols_gap"](y, C, T0)[:T0]).max() < 1e-8


def test_free_regression_is_worst_where_weeks_meet_donors():
    miss = {k: [] for k in (48, 57, 144)}
    for seed in range(60):
        _, C, y, effect = world(7_000 + seed, before=144)
        for k, out in miss.items():
            out.append(
                [
                    f(y[144 - k :], C[:, 144 - k :], k)[k:].mean() - effect[144:].mean()
                    for f in (HERE["ols_gap"], HERE["sc_gap"])
                ]
            )
    middle = {k: np.median(np.abs(v), axis=0) for k, v in miss.items()}
    assert middle[57][0] > 3 * middle[57][1] and middle[57][0] > 2 * middle[144][0]
    free, bound = np.sqrt(np.mean(np.square(miss[144]), axis=0))
    assert 0.6 < free / bound < 1.5


# --- 편향과 구간 ---


@pytest.fixture(scope="module")
def many():
    rows = []
    for seed in range(150):
        treated, C, y, effect = world(9_000 + seed)
        w = HERE["sc_gap"](y, C, T0)
        e4, h4 = HERE["cross_fit_t"](y, C, T0, 4)
        each = np.mean([HERE["sc_gap"](v, C, T0)[T0:].mean() for v in treated])
        rows.append({"did": HERE["did"](y, C, T0) - ATT, "sc": w[T0:].mean() - ATT, "cf": e4 - ATT, "cover": abs(e4 - ATT) < h4, "each": each - ATT,
                     "sdid": DEEP["quick_sdid"](y, C, 4, LAST) - ATT, "conformal": HERE["conformal_p"](y, C, T0, 59, effect[-1]) > 0.05,
                     "pre": DEEP["rank_p"](y, C, T0, 59, effect[-1], refit=False) > 0.05})  # fmt: skip
    return pd.DataFrame(rows)


def test_synthetic_control_removes_most_of_the_bias_not_all(many):
    mean = many.mean()
    assert mean["did"] > 1.4 and 0.05 < mean["sc"] < 0.4 and mean["sc"] < mean["did"] / 4
    assert mean["sdid"] > mean["sc"] and (many["each"] ** 2).mean() > 2 * (many["sc"] ** 2).mean()


def test_intervals_over_draws(many):
    assert 0.89 < many["cover"].mean() < 0.99
    assert 0.90 < many["conformal"].mean() < 0.995
    assert many["pre"].mean() < 0.85


def test_when_places_are_drawn_by_lot_even_did_is_unbiased_but_noisy():
    rows = []
    for seed in range(150):
        _, C, y, _ = world(11_000 + seed, favour=0.0)
        rows.append([HERE["did"](y, C, T0) - ATT, HERE["sc_gap"](y, C, T0)[T0:].mean() - ATT])
    rows = np.array(rows)
    error = rows.std(axis=0) / np.sqrt(len(rows))
    assert (np.abs(rows.mean(axis=0)) < 3.5 * error).all() and rows[:, 0].std() > 2.5 * rows[:, 1].std()


def test_a_lottery_among_fast_growers_needs_the_other_candidates_as_donors():
    """성장을 보고 추린 후보에서 제비로 뽑아도 나머지 권역 모두와 견주면 편향이 남고, 뽑히지 않은 후보와 견주면 없어집니다."""
    rows = []
    for seed in range(60_000, 60_120):
        rng, n = np.random.default_rng(seed), CHAIN.DEFAULTS["n"]  # 생성기가 후보를 추리는 차례를 따라갑니다
        young = np.clip(rng.normal(30, 7, n), 10, 55)
        growth = np.clip(8 + 0.45 * (young - 30) + rng.normal(0, 2.5, n), 0, None)
        rng.normal(size=2 * n)
        candidates = np.argsort(-(0.3 * growth + rng.normal(0, 2.0, n)), kind="stable")[: n // 4]
        chosen = rng.choice(candidates, 4, replace=False)
        frame = CHAIN.generate(seed=seed)
        assert sorted(frame.loc[frame["opened"] == 1, "region"].unique() - 1) == sorted(chosen)
        _, C, y, effect = world(seed)
        alike = C[np.isin(np.setdiff1d(np.arange(n), chosen), candidates)]
        gain = effect[T0:].mean()
        rows.append([fit(y, donors) - gain for donors in (C, alike) for fit in
                     (lambda a, b: HERE["did"](a, b, T0), lambda a, b: HERE["sc_gap"](a, b, T0)[T0:].mean())])  # fmt: skip
    rows = np.array(rows)
    far = rows.mean(axis=0) / (rows.std(axis=0) / np.sqrt(len(rows)))
    assert (far[:2] > 2.5).all() and (np.abs(far[2:]) < 3.5).all() and rows[:, 3].std() > rows[:, 1].std()


def test_a_long_memory_breaks_the_refitted_conformal_interval():
    """관계와 잡음의 크기가 앞뒤로 같아도, 잡음이 오래 이어지면 다시 맞춘 컨포멀의 포함률이 약속에 못 미칩니다."""
    kept = []
    for seed in range(63_000, 63_120):
        _, C, y, effect = world(seed, memory=0.97, noise=3.0, favour=0.0)
        kept.append(DEEP["rank_p"](y, C, T0, 59, effect[-1], solve=DEEP["quick_simplex"]) > 0.05)
    assert np.mean(kept) < 0.92


def test_placebo_error_fails_when_the_treated_are_louder():
    hit = {}
    for noise in (1.0, 2.5):
        inside = []
        for seed in range(80):
            _, C, y, _ = world(13_000 + seed, favour=0.0, treated_noise=noise)
            error = DEEP["placebo_error"](
                C, 4, 10, np.random.default_rng(seed), lambda a, b: DEEP["quick_sdid"](a, b, 4, LAST)
            )
            inside.append(abs(DEEP["quick_sdid"](y, C, 4, LAST) - ATT) < student.ppf(0.975, 10) * error)
        hit[noise] = np.mean(inside)
    assert hit[1.0] > 0.87 and hit[2.5] < 0.8


def test_growth_only_breaks_the_placebo_interval_and_even_cross_fitting():
    """성장이 가장 빠른 네 곳만 고른 세상: 편향이 크고, 플라시보 구간도 교차 예측 t도 약속에 못 미칩니다. 잡음을 섞어 고르면 훨씬 덜합니다."""
    out = {}
    for name, kw in [("only", {"favour": 10.0, "pool": 4}), ("mixed", {"favour": 0.3})]:
        rows = []
        for seed in range(60):
            _, C, y, _ = world(18_000 + seed, **kw)
            w = HERE["simplex"](C[:, :T0].T, y[:T0])
            near = lambda A, b, w=w: DEEP["quick_simplex"](A, b, start=w)  # noqa: E731
            e, half = HERE["cross_fit_t"](y, C, T0, 4, near)
            value = DEEP["quick_sdid"](y, C, 4, LAST)
            error = DEEP["placebo_error"](
                C, 4, 8, np.random.default_rng(seed), lambda a, b: DEEP["quick_sdid"](a, b, 4, LAST)
            )
            rows.append([value - ATT, abs(value - ATT) < student.ppf(0.975, 8) * error, e - ATT, abs(e - ATT) < half])
        out[name] = np.mean(rows, axis=0)
    assert out["only"][0] > 0.8 > 2 * out["mixed"][0] and out["only"][1] < 0.6 < 0.85 < out["mixed"][1]
    assert out["only"][2] > 1.5 and out["only"][3] < 0.95


def test_growth_only_breaks_the_placebo_interval_of_synthetic_control():
    """성장만 보고 고른 세상에서 합성의 플라시보 구간은 제비 세상보다 훨씬 자주 정답을 놓칩니다."""
    share = {
        name: np.mean([HERE["inside"](19_000 + seed, **kw)[0] for seed in range(40)])
        for name, kw in [("lottery", {"favour": 0.0}), ("only", {"favour": 10.0, "pool": 4})]
    }
    assert share["only"] < 0.4 < 0.85 < share["lottery"]


def test_the_two_conformal_functions_are_one(real):
    _, C, y, effect = real
    for at, tau in [(59, 7.0), (59, effect[-1]), (48, 0.0)]:
        assert HERE["conformal_p"](y, C, T0, at, tau) == DEEP["rank_p"](y, C, T0, at, tau)


def test_the_pool_of_candidates():
    """후보를 적지 않으면 전과 같은 표이고, 처치한 수보다 적은 후보는 받지 않습니다."""
    pd.testing.assert_frame_equal(CHAIN.generate(seed=3), CHAIN.generate(seed=3, pool=15))
    for wrong in (3, 61, 4.0, True):
        with pytest.raises(ValueError, match="야 합니다"):
            CHAIN.generate(seed=3, pool=wrong)


def test_the_headline_is_four_folds_on_the_average(real):
    _, C, y, _ = real
    effect, half = HERE["cross_fit_t"](y, C, T0, 4)
    assert HERE["cross_fit_effect"](load("onehour_delivery")) == pytest.approx((effect, effect - half, effect + half))


def test_cross_fitting_by_the_definition(real):
    _, C, y, _ = real
    parts = []
    for k in range(4):
        held = np.arange(12 * k, 12 * (k + 1))
        rest = [s for s in range(48) if s not in held]
        g = y - HERE["simplex"](C[:, rest].T, y[rest]) @ C
        parts.append(g[48:].mean() - g[held].mean())
    estimate, half = HERE["cross_fit_t"](y, C, T0, 4)
    assert estimate == pytest.approx(np.mean(parts))
    assert half == pytest.approx(student.ppf(0.975, 3) * np.sqrt(1 + 4 * 12 / 12) * np.std(parts, ddof=1) / 2)


def test_short_folds_are_too_easy_even_without_autocorrelation():
    """여섯 겹의 표준오차는 진짜 흩어짐보다 작고, 네 겹은 그렇지 않습니다. 잡음의 자기상관이 없어도 그렇습니다."""
    out = {4: [], 6: []}
    for seed in range(120):
        _, C, y, _ = world(17_000 + seed, favour=0.0, memory=0.0)
        w = HERE["simplex"](C[:, :T0].T, y[:T0])
        for K, rows in out.items():
            e, half = HERE["cross_fit_t"](y, C, T0, K, lambda A, b: DEEP["quick_simplex"](A, b, start=w))
            rows.append([e - ATT, half / student.ppf(0.975, K - 1)])
    size = {K: np.sqrt(np.mean(np.square(v), axis=0)) for K, v in out.items()}
    assert size[6][1] < 0.93 * size[6][0] and size[4][1] > 0.93 * size[4][0]


def test_covariates_with_no_weight_change_nothing(real):
    _, C, y, _ = real
    X = np.random.default_rng(0).normal(size=(56, 3))
    np.testing.assert_allclose(HERE["sc_with"](y, C, T0, X[0], X, 0.0), HERE["sc_gap"](y, C, T0), atol=1e-6)


# --- 합성 이중차분법 ---


def test_did_and_synthetic_control_are_its_two_ends(real):
    _, C, y, _ = real
    flat, w = np.full(56, 1 / 56), HERE["simplex"](C[:, :T0].T, y[:T0])
    assert HERE["weighted_did"](y, C, T0, flat, np.full(T0, 1 / T0)) == pytest.approx(HERE["did"](y, C, T0))
    assert HERE["weighted_did"](y, C, T0, w, np.zeros(T0)) == pytest.approx(HERE["sc_gap"](y, C, T0)[T0:].mean())


def test_level_does_not_matter_with_an_intercept(real):
    _, C, y, _ = real
    assert DEEP["quick_sdid"](y + 25, C, 4, LAST) == pytest.approx(DEEP["quick_sdid"](y, C, 4, LAST), abs=1e-4)
    np.testing.assert_allclose(HERE["demeaned_gap"](y + 25, C, T0), HERE["demeaned_gap"](y, C, T0), atol=1e-4)
    assert abs(HERE["sc_gap"](y + 60, C, T0)[T0:].mean() - HERE["sc_gap"](y, C, T0)[T0:].mean()) > 5


def test_weighted_regression_gives_the_same_effect_and_errors(real):
    import pyfixest as pf

    treated, C, y, _ = real
    omega, lam = HERE["sdid_weights"](y, C, T0, 4)
    Y = np.vstack([treated, C])
    unit, time = np.r_[np.full(4, 1 / 4), omega], np.r_[lam, np.full(12, 1 / 12)]
    unit[unit < 1e-9], time[time < 1e-9] = 0, 0
    i, t = np.meshgrid(np.arange(60), np.arange(60), indexing="ij")
    d = pd.DataFrame(
        {"orders": Y.ravel(), "region": i.ravel(), "week": t.ravel(), "weight": np.outer(unit, time).ravel()}
    ).query("weight > 0")
    d["treat"] = ((d["region"] < 4) & (d["week"] >= T0)).astype(int)
    fit = pf.feols("orders ~ treat | region + week", d, weights="weight", vcov="iid")
    assert fit.coef()["treat"] == pytest.approx(HERE["weighted_did"](y, C, T0, omega, lam), abs=1e-4)
    iid, cluster = DEEP["regression_errors"](treated, C, T0, unit[4:], time[:T0])
    assert iid == pytest.approx(fit.se()["treat"], rel=1e-3)
    ssc = pf.ssc(k_adj=False, G_adj=False)
    assert cluster == pytest.approx(
        pf.feols("orders ~ treat | region + week", d, weights="weight", vcov={"CRV1": "region"}, ssc=ssc).se()["treat"],
        rel=2e-3,
    )


def test_far_donors_bring_interpolation_bias():
    rows = []
    for seed in range(120):
        treated, C, effect = HERE["draw"](15_000 + seed, treated=1, favour=0.0, bend=2.0)
        rows.append(
            [
                HERE["demeaned_gap"](treated[0], some, T0)[T0:].mean() - effect[T0:].mean()
                for some in (C, DEEP["nearest"](treated[0], C, T0))
            ]
        )
    far, near = np.array(rows).T
    assert far.mean() < near.mean() - 0.3 and np.mean(far**2) > np.mean(near**2)


# --- 캘리포니아 담배 자료 ---


def written(page, name):
    """쪽의 코드에 적힌 ``name = {…}``의 값."""
    return next(
        ast.literal_eval(node.value)
        for cell in parse(page.text).cells
        for node in ast.parse(cell.source).body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name
    )


def test_prop99_is_what_was_published(smoke):
    """이중차분은 적힌 자리까지, 합성은 가중치를 셋째 자리에서 반올림하면, 2000년의 값은 '약 26갑'을 반올림한 자리에서 1갑 안입니다."""
    ca, states, years = smoke
    said, gap = written(PAGE, "published"), HERE["sc_gap"](ca, states, years)
    assert HERE["did"](ca, states, years) == pytest.approx(said["이중차분"], abs=0.005)
    assert gap[years:].mean() == pytest.approx(-19.51, abs=0.005)
    assert gap[years:].mean() == pytest.approx(said["합성"], abs=0.05)
    w = HERE["simplex"](states[:, :years].T, ca[:years])
    assert (ca - np.round(w, 3) @ states)[years:].mean() == pytest.approx(said["합성"], abs=0.005)
    assert HERE["sdid_effect"](ca, states, years, 1) == pytest.approx(said["SDID"], abs=0.01)
    assert HERE["sdid_effect"](ca, states, years, 1) == pytest.approx(-15.605, abs=0.001)
    assert gap[-1] == pytest.approx(said["2000년의 합성"], abs=1)
    assert HERE["sdid_effect"](ca, states, years, 1) > max(
        gap[years:].mean(), HERE["did"](ca, states, years)
    )  # 둘의 밖입니다


def test_the_published_digits_come_from_where_the_solver_stops(smoke):
    ca, states, years = smoke
    said = written(DEEPER, "published")
    for v in HERE["sdid_weights"](ca, states, years, 1):
        assert v.min() >= -1e-6 and v.sum() == pytest.approx(1, abs=1e-6)
    pre, last = states[:, :years], states[:, years:].mean(axis=1)
    sd = np.diff(pre, axis=1).std(ddof=1)
    stop = (1e-5 * sd) ** 2
    early = [DEEP["frank_wolfe"]((pre - pre.mean(axis=1, keepdims=True)).T, ca[:years] - ca[:years].mean(), np.sqrt(12) * sd**2 * years, stop),
             DEEP["frank_wolfe"](pre - pre.mean(axis=0), last - last.mean(), 1e-12 * sd**2 * len(states), stop)]  # fmt: skip
    assert HERE["weighted_did"](ca, states, years, *early) == pytest.approx(said["SDID(sdid)"], abs=1e-5)
    early_sc = DEEP["frank_wolfe"](pre.T, ca[:years], 0.0, stop)
    assert (ca - early_sc @ states)[years:].mean() == pytest.approx(said["합성(sdid)"], abs=1e-5)
    w = HERE["simplex"](pre.T, ca[:years])
    assert (ca - np.round(w, 3) @ states)[years:].mean() == pytest.approx(said["합성(synth2)"], abs=5e-5)


def test_three_lines_of_cvxpy_give_the_same_weights(real):
    import cvxpy as cp

    _, C, y, _ = real
    v = cp.Variable(len(C), nonneg=True)
    cp.Problem(cp.Minimize(cp.sum_squares(y[:T0] - C[:, :T0].T @ v)), [cp.sum(v) == 1]).solve()
    np.testing.assert_allclose(v.value, HERE["simplex"](C[:, :T0].T, y[:T0]), atol=1e-4)
