"""2주차 심화: 분석을 실패한 뒤에 고를 때의 대가, 여러 지표, 집마다 섞은 이름표."""

import numpy as np
import pandas as pd
from scipy.stats import multivariate_normal, norm

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, load, package_file, truth

PAGE = read_page(ROOT / "chapters" / "week02_deeper.md")
HERE = page_functions(PAGE, "difference", "cuped", "false_passes", "holm", "clustered", "rate_delta")
BUTTON = generator("reorder_button")
COLUMNS = ("spend", "pre_spend", "shown")


def test_a_second_analysis_after_the_first_failed_costs_more_than_half_again():
    """이름표를 섞어 센 비율이 두 변량 정규분포의 값과 같습니다: 하나는 2.5%, 둘 가운데 하나라도는 4% 남짓."""
    mine = load("reorder_button")
    y, x, t = (mine[c].to_numpy() for c in COLUMNS)
    plain, cuped, either = HERE["false_passes"](y, x, t, draws=2000)
    r = np.sqrt(1 - np.corrcoef(y, x)[0, 1] ** 2)
    exact = 0.05 - multivariate_normal.cdf([-1.96, -1.96], cov=[[1, r], [r, 1]])
    assert 0.040 < exact < 0.044
    for share, expected in ((plain, 0.025), (cuped, 0.025), (either, exact)):
        assert abs(share - expected) < 3.5 * np.sqrt(expected * (1 - expected) / 2000)
    assert either > 1.3 * max(plain, cuped)


def test_the_price_of_choosing_is_the_same_in_new_experiments():
    """생성기에서 새로 한 실험 1,500번: 정답을 본전으로 두면 둘 가운데 하나라도 위로 벗어난 비율이 4%쯤입니다."""
    answer, over = truth("reorder_button")["ATE"], []
    for k in range(1500):
        world = BUTTON.generate(seed=60_000 + k, n=1000)
        y, x, t = (world[c].to_numpy() for c in COLUMNS)
        found = (HERE["difference"](v, t) for v in (y, HERE["cuped"](y, x)))
        over.append([(effect - answer) / se > 1.96 for effect, se in found])
    over = np.array(over)
    assert 0.025 < over.any(axis=1).mean() < 0.057
    assert over.any(axis=1).mean() > 1.2 * over.mean(axis=0).max()


def test_holm_is_the_library_and_keeps_the_chance_of_any_false_find():
    from statsmodels.stats.multitest import multipletests

    rng = np.random.default_rng(1)
    p = rng.uniform(size=(2000, 20))
    assert np.allclose(HERE["holm"](p[0]), multipletests(p[0], method="holm")[1])
    p[:, :5] = 2 * norm.sf(np.abs(rng.normal(3, 1, (2000, 5))))
    assert (HERE["holm"](p)[:, 5:] < 0.05).any(axis=1).mean() < 0.065
    assert (p[:, 5:] < 0.05).any(axis=1).mean() > 0.45


def test_weighted_regression_is_the_delta_method():
    import statsmodels.formula.api as smf

    df = load("reorder_button")
    came = df[df["sessions"] > 0]
    fit = smf.wls("I(100 * orders / sessions) ~ shown", came, weights=came["sessions"]).fit(cov_type="HC1")
    value, error = HERE["rate_delta"](df)
    assert np.isclose(fit.params["shown"], value) and np.isclose(fit.bse["shown"], error, rtol=2e-3)


def test_the_indicator_column_hides_the_full_price_plans():
    """idp가 0인 행만 고르면 95%의 평균이 공개된 2.73이 아닙니다. 개인 공제의 공개된 행 수는 4,175입니다."""
    raw = pd.read_csv(package_file("statsmodels", "datasets/randhie/src/randhie.csv"))
    raw["visits"] = raw["mdvis"] + raw["notmdvis"]
    assert round(raw.query("idp == 0 and coins == 95")["visits"].mean(), 2) == 2.57
    assert round(raw.query("coins >= 95 and plan != 1 and plan != 13")["visits"].mean(), 2) == 2.73
    assert set(raw.loc[raw["coins"] == 100, "plan"]) == {2, 3, 4} and raw["plan"].isin([1, 13]).sum() == 4175


def test_rows_miss_zero_far_too_often_when_homes_are_shuffled():
    """집마다 요금제를 섞으면 행을 독립으로 본 구간은 약속보다 몇 배 자주 0을 놓칩니다."""
    raw = pd.read_csv(package_file("statsmodels", "datasets/randhie/src/randhie.csv"))
    raw["visits"], raw["rate"] = raw["mdvis"] + raw["notmdvis"], raw["coins"].clip(upper=95)
    raw = raw[~raw["plan"].isin([1, 13]) & raw["rate"].isin([0, 95])]
    raw["family"] = raw.groupby(["site", "plan", "income", "mdeoff", "black", "pioff"], dropna=False).ngroup()
    first, rng, missed = raw.groupby("family")["rate"].first(), np.random.default_rng(3), []
    for _ in range(150):
        arm = raw["family"].map(dict(zip(first.index, rng.permutation(first), strict=True)))
        free, paid = raw[arm == 0], raw[arm == 95]
        gap = free["visits"].mean() - paid["visits"].mean()
        home = np.hypot(*(HERE["clustered"](part, "family") for part in (free, paid)))
        row = np.hypot(free["visits"].sem(), paid["visits"].sem())
        missed.append([abs(gap) > 1.96 * row, abs(gap) > 1.96 * home])
    row, home = np.mean(missed, axis=0)
    assert row > 0.2 and home < 0.12


def test_the_first_site_moves_the_pooled_difference():
    """무료의 비율이 가장 낮고 진료가 많은 첫 지역이 전체의 차이를 줄입니다."""
    raw = pd.read_csv(package_file("statsmodels", "datasets/randhie/src/randhie.csv"))
    raw["visits"], raw["rate"] = raw["mdvis"] + raw["notmdvis"], raw["coins"].clip(upper=95)
    raw = raw[~raw["plan"].isin([1, 13]) & raw["rate"].isin([0, 95])]
    assert (raw["rate"] == 0).groupby(raw["site"]).mean().idxmin() == 1
    apart = {}
    for name, part in (("모두", raw), ("첫 지역을 뺌", raw[raw["site"] != 1])):
        by_site = part.groupby(["site", "rate"])["visits"].mean().unstack()
        inside = ((by_site[0] - by_site[95]) * part["site"].value_counts(normalize=True)).sum()
        apart[name] = inside - part.groupby("rate")["visits"].mean().diff().iloc[-1] * -1
    assert apart["모두"] > 0.07 and abs(apart["첫 지역을 뺌"]) < 0.02
