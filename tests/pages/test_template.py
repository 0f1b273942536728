"""사례 템플릿: 민감도가 공식의 상한이고, 음성 대조의 검정력과 메모의 돈이 생성기와 맞습니다."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from book.page import read_page
from book.page_code import page_functions
from causal_practice import generator, load, truth

PAGE = read_page("case_studies/template.md")
MAKE = generator("template_case").generate
ADJUST = ["hours_since_service", "particles_before", "supplier_b"]
TERMS = " + ".join(ADJUST)


def regressions(lots):
    return smf.ols(f"defects ~ extra_clean + {TERMS}", lots).fit(), smf.ols(f"extra_clean ~ {TERMS}", lots).fit()


def page_tools(lots):
    ols, cleaning = regressions(lots)
    known = {"ols": ols, "cleaning": cleaning, "by_regression": ols.params["extra_clean"], "adjust": ADJUST}
    return page_functions(PAGE, "design", "fit_score", "aipw", "robustness", "partial_r2", "left_after", **known)


def test_the_benchmark_is_the_formal_bound_on_a_made_confounder():
    """잰 변수와 무관하고 세기가 똑같은 변수를 만들어 넣으면, 회귀는 상한이 말한 만큼 움직입니다."""
    lots = load("template_case")
    ols, cleaning = regressions(lots)
    name, df = "particles_before", ols.df_resid
    on_t, on_y = (f.tvalues[name] ** 2 / (f.tvalues[name] ** 2 + f.df_resid) for f in (cleaning, ols))
    more_t = on_t / (1 - on_t)
    both = on_t**2 / (1 - on_t) ** 2
    more_y = (1 + np.sqrt(both)) ** 2 / (1 - both) * on_y / (1 - on_y)
    # 두 회귀의 잔차와 잡음을 섞어 부분 결정계수가 정확히 more_t, more_y인 변수를 만듭니다
    rng = np.random.default_rng(3)
    t_rest, y_rest = cleaning.resid.to_numpy(), ols.resid.to_numpy()
    x = np.column_stack([np.ones(len(lots)), lots[ADJUST], t_rest, y_rest])
    noise = rng.normal(size=len(lots))
    noise -= x @ np.linalg.lstsq(x, noise, rcond=None)[0]
    unit = [v / np.linalg.norm(v) for v in (t_rest, y_rest, noise)]
    along_y = np.sqrt(more_y * (1 - more_t))
    hidden = np.sqrt(more_t) * unit[0] - along_y * unit[1] + np.sqrt(1 - more_t - along_y**2) * unit[2]
    with_it = smf.ols(f"defects ~ extra_clean + hidden + {TERMS}", lots.assign(hidden=hidden)).fit()
    left, left_low = page_tools(lots)["left_after"](name)
    moved = abs(with_it.params["extra_clean"] - ols.params["extra_clean"])
    assert moved == pytest.approx(-ols.params["extra_clean"] - left, rel=1e-6)
    assert 1.96 * with_it.bse["extra_clean"] == pytest.approx(left - left_low, rel=1e-6)
    informal = -ols.params["extra_clean"] - ols.bse["extra_clean"] * np.sqrt(df * on_y * on_t / (1 - on_t))
    assert (round(left, 1), round(left_low, 1), round(informal, 1)) == (1.8, 1.6, 2.4)
    assert left < 3 < -ols.params["extra_clean"]  # 본전을 못 넘습니다


def test_robustness_value_moves_the_bound_exactly_to_the_break_even():
    lots = load("template_case")
    tools, (ols, _) = page_tools(lots), regressions(lots)
    gap = -ols.params["extra_clean"] - 1.96 * ols.bse["extra_clean"] - 3
    rv = tools["robustness"](gap)
    assert ols.bse["extra_clean"] * np.sqrt(ols.df_resid * rv**2 / (1 - rv)) == pytest.approx(gap)
    assert 0.05 < rv < 0.07 and tools["robustness"](-1.0) == 0


def test_the_memo_is_the_generators_money_and_less_against_todays_choice():
    world = MAKE(seed=1, n=400_000)
    effect = world["defects_1"] - world["defects_0"]
    all_or_none = -4.0 * effect.mean() - 12.0
    assert page_functions(PAGE, "profit", cost=12.0, loss=4.0)["profit"](effect.mean()) == pytest.approx(all_or_none)
    low, high = (-4.0 * v - 12.0 for v in page_tools(load("template_case"))["aipw"](load("template_case"))[:0:-1])
    assert low < all_or_none < high
    today = (-4.0 * effect - 12.0)[world["extra_clean"] == 0].sum() / len(world)  # 이미 씻는 로트는 그대로입니다
    assert 0 < today < all_or_none / 2
    assert effect[world["extra_clean"] == 1].mean() < truth("template_case")["ATE"]  # ATT가 더 큽니다


def test_a_quiet_negative_control_does_not_see_a_small_bias():
    tools = page_tools(load("template_case"))

    def seen(hidden, draws=100):
        rows = [tools["aipw"](MAKE(seed=700 + i, hidden=hidden), outcome="incoming_defects") for i in range(draws)]
        return np.mean([low > 0 or high < 0 for _, low, high in rows])

    assert seen(1.0) > 0.95 and 0.15 < seen(0.5) < 0.6 and seen(0.0) < 0.15


def test_one_right_model_is_enough_and_two_wrong_ones_are_not():
    rng = np.random.default_rng(0)
    n = 200_000
    names = {c: rng.normal(size=n) for c in ADJUST}
    x = names["hours_since_service"]
    tools = page_tools(load("template_case"))

    def estimate(score_curved, outcome_curved):
        t = rng.binomial(1, 1 / (1 + np.exp(-(x**2 - 1 if score_curved else x))))
        y = 2.0 * t + (3 * x**2 if outcome_curved else x) + rng.normal(size=n)
        return tools["aipw"](pd.DataFrame(names | {"extra_clean": t, "defects": y}))[0]

    assert estimate(False, True) == pytest.approx(2, abs=0.1) and estimate(True, False) == pytest.approx(2, abs=0.1)
    assert abs(estimate(True, True) - 2) > 0.5
