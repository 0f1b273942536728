"""6주차: 알려진 정답, 그리고 장이 하는 통계의 주장."""

import numpy as np
import pytest

from causal_practice import generator, truth
from book.page_code import page_functions
from book.page import ROOT, read_page

APP = generator("push_budget")
PAGE = read_page(ROOT / "chapters" / "week06_effect_heterogeneity.md")
HERE = page_functions(PAGE, "slope", "slope_error", "design", "regression_cate", "effect_by_quantile", "curves", "auuc", "policy_value", FEATURES=["months", "past_spend", "visits", "library", "wishlist"], MARGIN=0.4, EVEN=1.0)


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
    assert HERE["slope"](t, y) == pytest.approx(fit.params[1]) and HERE["slope_error"](t, y) == pytest.approx(fit.bse[1])


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
