"""4주차 데이터의 생성기와, 4주차 쪽이 하는 통계의 주장: 큰 표본에서는 알려진 정답."""

import numpy as np
import pytest

from causal_practice import generator, load, truth

ADS = generator("seller_ads")
CREDIT = generator("ad_credit")
WEEKS = generator("seller_weeks")
CONTROLS = ["past_sales", "rating", "products"]


def fit(X, y):
    return np.linalg.lstsq(X, y, rcond=None)[0]


def design(frame, *columns):
    return np.column_stack([np.ones(len(frame)), *[np.asarray(frame[c], dtype=float) for c in columns]])


def grade_dummies(frame):
    return np.column_stack([frame["grade"] == g for g in ("일반", "우수", "파워")]).astype(float)


@pytest.fixture(scope="module")
def many_sellers():
    return ADS.generate(seed=11, n=400_000)


@pytest.fixture(scope="module")
def many_credits():
    return CREDIT.generate(seed=11, n=400_000, mds=4000)


def test_observed_values_are_potential_outcomes(many_sellers, many_credits):
    rebuilt = many_sellers["sales_without_ads"] + ADS.DEFAULTS["return_on_ads"] * many_sellers["ad_spend"]
    assert np.abs(rebuilt - many_sellers["sales"]).max() < 0.11
    expected = np.where(many_credits["credit"] == 1, many_credits["margin1"], many_credits["margin0"])
    assert (many_credits["margin"] == expected).all()


def test_adjustment_recovers_the_effect_and_the_raw_slope_does_not(many_sellers):
    sales = many_sellers["sales"].to_numpy()
    known = truth("seller_ads")["ATE"]
    assert fit(design(many_sellers, "ad_spend"), sales)[1] > known + 5
    assert fit(design(many_sellers, "ad_spend", *CONTROLS), sales)[1] == pytest.approx(known, abs=0.04)


def test_agency_moves_only_spend_and_stockouts_only_sales(many_sellers):
    d = many_sellers
    assert abs(np.corrcoef(d["agency"], d["sales_without_ads"])[0, 1]) < 0.01
    assert np.corrcoef(d["agency"], d["ad_spend"])[0, 1] > 0.3
    assert abs(np.corrcoef(d["stockout_days"], d["ad_spend"])[0, 1]) < 0.01
    assert np.corrcoef(d["stockout_days"], d["sales"])[0, 1] < -0.05


def test_hidden_buzz_pushes_the_estimate_over_break_even():
    for hidden, low, high in [(0.0, 1.7, 1.9), (1.0, 2.55, 3.1)]:
        d = ADS.generate(seed=5, n=200_000, hidden=hidden)
        assert low < fit(design(d, "ad_spend", *CONTROLS), d["sales"].to_numpy())[1] < high


def test_elasticity_of_the_saturating_world():
    d = ADS.generate(seed=6, n=200_000, shape="saturating")
    logs = d.assign(ls=np.log(d["ad_spend"]), lp=np.log(d["past_sales"]))
    known = truth("seller_ads")["elasticity"]
    assert fit(design(logs, "ls", "lp", "rating"), np.log(d["sales"].to_numpy()))[1] == pytest.approx(known, abs=0.005)
    assert fit(design(logs, "ls"), np.log(d["sales"].to_numpy()))[1] > known + 0.3


def test_known_truth_of_the_credits(many_credits):
    d, known = many_credits, truth("ad_credit")
    effect, chance = (d["margin1"] - d["margin0"]).to_numpy(), d["chance"].to_numpy()
    assert effect.mean() == pytest.approx(known["ATE"], abs=0.2)
    assert np.average(effect, weights=chance * (1 - chance)) == pytest.approx(known["variance_weighted"], abs=0.2)
    share, p, _, gain, _ = np.array(list(CREDIT.GRADES.values())).T
    assert share @ gain == pytest.approx(known["ATE"], abs=0.005)
    assert np.average(gain, weights=share * p * (1 - p)) == pytest.approx(known["variance_weighted"], abs=0.005)


def test_dummy_regression_is_the_variance_weighted_average_and_the_saturated_one_the_ate(many_credits):
    d, known = many_credits, truth("ad_credit")
    D, T, Y = grade_dummies(d), d["credit"].to_numpy(dtype=float), d["margin"].to_numpy()
    ones = np.ones((len(d), 1))
    plain = fit(np.column_stack([T, ones, D]), Y)[0]
    arms = d.groupby(["grade", "credit"])["margin"].agg(["mean", "size"]).unstack()
    effect = arms["mean"][1] - arms["mean"][0]
    weight = arms["size"][1] * arms["size"][0] / (arms["size"][1] + arms["size"][0])
    assert plain == pytest.approx(np.average(effect, weights=weight), abs=1e-8)
    assert plain == pytest.approx(known["variance_weighted"], abs=0.9)
    C = D - D.mean(axis=0)
    full = fit(np.column_stack([T, ones, C, C * T[:, None]]), Y)[0]
    assert full == pytest.approx(np.average(effect, weights=arms["size"].sum(axis=1)), abs=1e-6)
    assert full == pytest.approx(known["ATE"], abs=0.9)


def test_drawing_by_md_gives_whole_md_the_same_treatment():
    by_md = CREDIT.generate(seed=8, n=2000, mds=40, assign="md")
    assert (by_md.groupby("md")["credit"].nunique() == 1).all()
    assert by_md.groupby("md")["credit"].first().sum() == 20
    by_seller = CREDIT.generate(seed=8, n=2000, mds=40)
    assert (by_seller.groupby("md")["credit"].nunique() == 2).all()


def demeaned(frame, column):
    value = frame[column]
    by = [value.groupby(frame[c]).transform("mean") for c in ("seller_id", "week")]
    return (value - by[0] - by[1] + value.mean()).to_numpy()


def test_fixed_effects_remove_the_constant_appeal():
    d = WEEKS.generate(seed=9, sellers=5000, weeks=12)
    t, y = demeaned(d, "ad_spend"), demeaned(d, "sales")
    known = truth("seller_weeks")["ATE"]
    assert (t @ y) / (t @ t) == pytest.approx(known, abs=0.05)
    assert fit(design(d, "ad_spend"), d["sales"].to_numpy())[1] > known + 1.5


def test_weekly_noise_lasts_as_long_as_asked():
    for persistence in (0.0, 0.8):
        d = WEEKS.generate(seed=10, sellers=4000, weeks=6, persistence=persistence)
        noise = (d["sales"] - 1.8 * d["ad_spend"] - 30 * d["appeal"]).to_numpy().reshape(4000, 6)
        noise = noise - noise.mean(axis=0)
        assert np.corrcoef(noise[:, 2], noise[:, 3])[0, 1] == pytest.approx(persistence, abs=0.05)


def robustness_value(t_value, df, q=1.0):
    f = q * abs(t_value) / np.sqrt(df)
    return (np.sqrt(f**4 + 4 * f**2) - f**2) / 2


def test_robustness_value_moves_the_estimate_exactly_to_the_target():
    d = load("seller_ads")
    X = design(d, "ad_spend", *CONTROLS)
    sales = d["sales"].to_numpy()
    beta = fit(X, sales)
    left = sales - X @ beta
    df = len(d) - X.shape[1]
    se = np.sqrt(left @ left / df * np.linalg.inv(X.T @ X)[1, 1])
    for target in (0.0, 2.5):
        rv = robustness_value(beta[1] / se, df, q=abs(target - beta[1]) / beta[1])
        bias = se * np.sqrt(df) * np.sqrt(rv * rv / (1 - rv))
        assert bias == pytest.approx(abs(target - beta[1]), rel=1e-8)


def test_clustered_errors_are_needed_when_whole_mds_are_drawn():
    hits = {"rows": 0, "mds": 0}
    for seed in range(200):
        d = CREDIT.generate(seed=70_000 + seed, n=2000, mds=40, assign="md")
        X = np.column_stack([d["credit"], np.ones(len(d)), grade_dummies(d)]).astype(float)
        y, bread = d["margin"].to_numpy(), np.linalg.inv(X.T @ X)
        beta = bread @ X.T @ y
        scores = X * (y - X @ beta)[:, None]
        sums = np.zeros((40, X.shape[1]))
        np.add.at(sums, d["md"].to_numpy() - 1, scores)
        miss = abs(beta[0] - truth("ad_credit")["ATE"])
        hits["rows"] += miss < 1.96 * np.sqrt((bread @ scores.T @ scores @ bread)[0, 0])
        hits["mds"] += miss < 2.02 * np.sqrt(40 / 39 * (bread @ sums.T @ sums @ bread)[0, 0])
    assert hits["rows"] < 160
    assert hits["mds"] > 180


def test_the_bound_that_decides_falls_sooner_than_the_point():
    d = load("seller_ads")
    X, y = design(d, "ad_spend", *CONTROLS), d["sales"].to_numpy()
    b = fit(X, y)
    left, free, bread = y - X @ b, len(d) - X.shape[1], np.linalg.inv(X.T @ X)
    se = np.sqrt(left @ left / free * bread[1, 1])
    meat = X * left[:, None]
    high = b[1] + 1.96 * np.sqrt(len(d) / free * (bread @ meat.T @ meat @ bread)[1, 1])
    point, edge = (robustness_value(b[1] / se, free, q=(2.5 - v) / b[1]) for v in (b[1], high))
    assert point == pytest.approx(0.088, abs=0.001) and edge == pytest.approx(0.053, abs=0.001)


def test_one_straight_line_is_right_for_a_minority_and_not_for_nobody():
    d = ADS.generate(seed=46, n=4000, shape="saturating")
    line = fit(design(d, "ad_spend", "past_sales", "rating"), d["sales"].to_numpy())[1]
    own = truth("seller_ads")["elasticity"] * d["sales"] / d["ad_spend"]
    assert own.median() == pytest.approx(2.78, abs=0.02) and line == pytest.approx(2.83, abs=0.01)
    assert (np.abs(own / line - 1) < 0.1).mean() == pytest.approx(0.19, abs=0.01)


def test_two_omitted_variables_add_their_products():
    """빠진 변수가 둘이면 짧은 회귀와 긴 회귀의 차이는 두 곱의 합입니다(13절)."""
    rng = np.random.default_rng(41)
    t = rng.normal(size=200)
    a, b = t + rng.normal(size=200), t**2 - t + rng.normal(size=200)
    y = t + a - b + rng.exponential(size=200)
    ones = np.ones(200)
    long, short = fit(np.column_stack([ones, t, a, b]), y), fit(np.column_stack([ones, t]), y)
    by_t = [fit(np.column_stack([ones, t]), v)[1] for v in (a, b)]
    assert short[1] - long[1] == pytest.approx(long[2] * by_t[0] + long[3] * by_t[1], abs=1e-10)
