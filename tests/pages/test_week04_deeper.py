"""4주차 심화: 표준오차의 포함률, 잡음 제거, 되돌린 로그, 약한 교란을 빼는 일의 주장."""

import numpy as np
import pytest

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, load, truth

PAGE = read_page(ROOT / "chapters" / "week04_deeper.md")
ADS, CREDIT = generator("seller_ads"), generator("ad_credit")
CONTROLS = ["past_sales", "rating", "products"]
HERE = page_functions(PAGE, "fit", "stack", "residual", "sandwich", "both_errors", "without_denoising", "choose")
fit, residual = HERE["fit"], HERE["residual"]


def design(frame, *columns):
    return np.column_stack([np.ones(len(frame)), *[np.asarray(frame[c], dtype=float) for c in columns]])


def test_the_sandwich_of_the_page_is_the_one_of_statsmodels():
    import statsmodels.formula.api as smf

    d = load("ad_credit").head(3000)
    X = design(d, "credit")[:, [1, 0]]
    y, md = d["margin"].to_numpy(), d["md"].to_numpy()
    for groups, options in [
        (np.arange(len(d)), {"cov_type": "HC1"}),
        (md - 1, {"cov_type": "cluster", "cov_kwds": {"groups": md}}),
    ]:
        library = smf.ols("margin ~ credit", d).fit(**options)
        value, error = HERE["sandwich"](X, y, groups)
        assert value == pytest.approx(library.params["credit"], rel=1e-9)
        assert error == pytest.approx(library.bse["credit"], rel=1e-3)


def test_equal_errors_are_too_narrow_where_big_sellers_vary_more():
    rows = []
    for seed in range(300):
        d = ADS.generate(seed=90_000 + seed, n=1000)
        rows.append(HERE["both_errors"](d["ad_spend"].to_numpy(), d["sales"].to_numpy(), design(d, *CONTROLS)))
    b, iid, robust = np.array(rows).T
    miss = np.abs(b - truth("seller_ads")["ATE"])
    same, own = (miss < 1.96 * iid).mean(), (miss < 1.96 * robust).mean()
    assert same < 0.93 and own > 0.92 and own - same > 0.02


def test_hc1_is_too_narrow_in_a_small_skewed_sample():
    import statsmodels.api as sm

    rng, rows = np.random.default_rng(1), []
    for _ in range(600):
        x, z = rng.exponential(size=30) ** 1.5, rng.normal(size=30)
        m = sm.OLS(x + z + rng.normal(size=30), sm.add_constant(np.column_stack([x, z]))).fit()
        rows.append([abs(m.params[1] - 1), m.HC1_se[1], m.HC3_se[1]])
    miss, hc1, hc3 = np.array(rows).T
    assert (miss < 1.96 * hc1).mean() < 0.90 < (miss < 1.96 * hc3).mean()


def test_dropping_a_weak_confounder_wins_only_in_small_samples():
    small = np.array([HERE["choose"](k) for k in range(300)]) - 1
    kept, dropped = np.sqrt((small**2).mean(axis=0))
    assert dropped < 0.3 * kept
    rng, big = np.random.default_rng(2), []
    for _ in range(30):
        x, noise_t, noise_y = rng.normal(size=(3, 100_000))
        t = 3 * x + 0.3 * noise_t
        y, one = t + 0.2 * x + 3 * noise_y, np.ones(100_000)
        big.append([fit(np.column_stack([one, t, *more]), y)[1] - 1 for more in ([x], [])])
    kept, dropped = np.sqrt((np.array(big) ** 2).mean(axis=0))
    assert kept < dropped


def test_skipping_the_denoising_step_changes_the_reported_error_only():
    rows = []
    for seed in range(150):
        d = ADS.generate(seed=80_000 + seed, n=1000)
        Z, y = design(d, *CONTROLS), d["sales"].to_numpy()
        t = residual(Z, d["ad_spend"].to_numpy())
        both = [(t @ v) / (t @ t) for v in (y, residual(Z, y))]
        errors = [
            np.sqrt((t**2 * (v - v.mean() - b * t) ** 2).sum()) / (t @ t)
            for v, b in zip((y, residual(Z, y)), both, strict=False)
        ]
        rows.append([*both, *errors])
    raw, clean, raw_error, clean_error = np.array(rows).T
    assert np.abs(raw - clean).max() < 1e-8
    assert clean_error.mean() == pytest.approx(clean.std(), rel=0.15)
    assert raw_error.mean() > 2.5 * raw.std()


def test_cuped_changes_the_estimate_and_lowers_its_spread():
    """처치를 잔차로 바꾸지 않으면, 결과만 바꾸어도 추정값 자체가 달라지고 변동이 줄어듭니다."""
    rng = np.random.default_rng(81)
    rows = []
    for _ in range(300):
        past, coin = rng.normal(size=500), rng.binomial(1, 0.5, 500)
        y = 2 * past + coin + rng.normal(size=500)
        cleaned = y - past * (np.cov(past, y)[0, 1] / past.var(ddof=1))
        rows.append([v[coin == 1].mean() - v[coin == 0].mean() for v in (y, cleaned)])
    plain, cuped = np.array(rows).T
    assert np.abs(plain - cuped).max() > 0.05 and cuped.std() < 0.6 * plain.std()


def test_the_level_read_from_logs_is_the_geometric_mean():
    d = ADS.generate(seed=6, n=200_000, shape="saturating")
    logs = d.assign(ls=np.log(d["ad_spend"]), lp=np.log(d["past_sales"]))
    X = design(logs, "ls", "lp", "rating")
    predicted = X @ fit(X, np.log(d["sales"].to_numpy()))
    assert np.exp(predicted).mean() < d["sales"].mean()
    assert np.exp((np.log(d["sales"]) - predicted).mean()) == pytest.approx(1, abs=1e-6)
