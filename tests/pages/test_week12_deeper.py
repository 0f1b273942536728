"""12주차 심화: 순차적 의사결정, 인과 예측, 도메인 적응, 그리고 PC와 오프폴리시 평가의 한계."""

from itertools import combinations, permutations

import numpy as np
import pytest
from scipy import stats

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, package_file, truth

KIT, APP = generator("meal_kit_trial"), generator("banner_log")
PAGE = read_page(ROOT / "chapters" / "week12_deeper.md")
HERE = page_functions(
    PAGE, "covers", "regions", "p_value", "skeleton", "orient", "pc", "two_coupons", "ols_sum", "g_formula", "weighted", "thompson",
    "weight", "ips", "snips", "dr", "effective", "difference", "transported", "sales", "forecast", "verdict",
    stats=stats, combinations=combinations, permutations=permutations,
)  # fmt: skip
CORE = page_functions(
    read_page(ROOT / "chapters" / "week12_next_steps.md"),
    "regions",
    "two_coupons",
    "sales",
    "weight",
    "ips",
    "difference",
)
NEW = np.array([2, 3, 1])


@pytest.fixture(scope="module")
def trial():
    return KIT.generate(seed=11, n=300_000)


def test_both_pages_use_one_world():
    """장과 심화가 되풀이한 함수는 같은 자료와 같은 값을 냅니다."""
    np.testing.assert_allclose(CORE["regions"](3, 200, storm=0.4), HERE["regions"](3, 200, storm=0.4))
    for core, here in zip(CORE["two_coupons"](5, 300), HERE["two_coupons"](5, 300), strict=True):
        np.testing.assert_array_equal(core, here)
    one, many = CORE["sales"](5), HERE["sales"](5)
    for column in one:
        np.testing.assert_allclose(one[column], many[column][0])
    log, kit = APP.generate(seed=4, n=2000), KIT.generate(seed=4, n=2000)
    assert CORE["ips"](log, NEW) == HERE["ips"](log, NEW)
    assert CORE["difference"](kit, 1, "orders") == HERE["difference"](kit, 1, "orders")


def test_transport_moves_the_effect_and_needs_the_modifier(trial):
    city = KIT.generate(seed=8, n=300_000, single=0.20)
    moved, error = HERE["transported"](trial, 1, "alone", {0: 0.80, 1: 0.20})
    assert abs(moved - 0.26) < 3 * error and city["orders_video"].mean() == pytest.approx(0.26, abs=0.003)
    cook = np.minimum(city["cooking"], 4).value_counts(normalize=True).to_dict()
    assert HERE["transported"](trial.assign(cook=np.minimum(trial["cooking"], 4)), 1, "cook", cook)[0] > 0.38


def test_off_policy_estimators_are_right_and_the_matched_mean_is_not():
    log = APP.generate(seed=21, n=400_000)
    value = truth("banner_log")["value"]
    for name in ("ips", "snips", "dr"):
        estimate, error = HERE[name](log, NEW)
        assert abs(estimate - value) < 3.2 * error
    same = log["banner"] == NEW[log["segment"]]
    assert log.loc[same, "order"].mean() < value - 0.028
    assert HERE["weight"](log, NEW).mean() == pytest.approx(1, abs=0.03)
    swapped = APP.generate(seed=22, n=400_000, override=0.5)
    assert HERE["dr"](swapped, NEW)[0] < value - 0.005 and HERE["ips"](swapped, NEW)[0] < value - 0.014


def test_the_womens_campaign_leaves_two_rows():
    """거꾸로 물은 ZOZOTOWN 기록의 유효 표본은 두 행 남짓입니다."""
    import pandas as pd

    women = pd.read_csv(package_file("obp", "dataset/obd/bts/women/women.csv"))
    back = 1 / 46 / women["propensity_score"].to_numpy()
    assert HERE["effective"](back) == pytest.approx(2.08, abs=0.01) and back.max() / back.sum() > 0.69


def test_pc_finds_the_class_and_never_the_undirected_arrows():
    edges, arrows = HERE["pc"](HERE["regions"](1, 20_000), alpha=0.001)
    assert edges == {frozenset(e) for e in [(0, 1), (1, 4), (2, 3), (3, 4)]} and arrows == {(1, 4), (3, 4)}
    edges, arrows = HERE["pc"](HERE["regions"](1, 20_000, storm=0.4), alpha=0.001)
    assert (0, 4) in arrows


def test_pc_is_the_librarys_when_there_is_enough_data():
    from causallearn.search.ConstraintBased.PC import pc as library

    for seed in range(5):
        D = HERE["regions"](seed, 3000)
        G = library(D, alpha=0.001, indep_test="fisherz", show_progress=False).G.graph
        theirs = {(i, j) for i in range(5) for j in range(5) if G[i, j] == -1 and G[j, i] == 1}
        edges, arrows = HERE["pc"](D, alpha=0.001)
        assert theirs == arrows and {frozenset((i, j)) for i in range(5) for j in range(i) if G[i, j]} == edges


def test_two_coupons_formula_truth_and_the_two_wrong_regressions():
    d = HERE["two_coupons"](3, 1_000_000)
    chance = {a: stats.norm.cdf((0.4 - 0.8 * a) / np.sqrt(1.36)) for a in (0, 1)}
    answer = 0.5 - 0.3 * (1 - chance[1]) + chance[0]
    forced = [HERE["two_coupons"](1, 1_000_000, both)[3].mean() for both in (1, 0)]
    assert forced[0] - forced[1] == pytest.approx(answer, abs=0.004)  # 장의 정답
    always, never = (lambda q: 1), (lambda q: 0)
    assert HERE["g_formula"](d, 1, always) - HERE["g_formula"](d, 0, never) == pytest.approx(answer, abs=0.02)
    estimate, error = HERE["weighted"](d)
    assert abs(estimate - answer) < 3 * error
    assert HERE["ols_sum"](d, False) < 0.35 < 0.6 < HERE["ols_sum"](d, True) < 0.75 < answer
    rule = HERE["g_formula"](d, 1, lambda q: q) - HERE["g_formula"](d, 1, always)
    assert rule == pytest.approx(0.3 * (1 - chance[1]), abs=0.02)


def test_bandit_means_are_low_and_logged_chances_repair_them():
    shown, bought, fixed = HERE["thompson"](seed=5, draws=4000)
    rate = bought / np.maximum(shown, 1)
    assert rate.mean() < 0.094 and fixed.mean() == pytest.approx(0.10, abs=0.003)


def test_the_most_accurate_forecast_has_the_wrong_discount_effect():
    d = HERE["sales"](3, draws=60)
    runs = {
        k: np.array([HERE["forecast"](d, r, c) for r in range(60)]).mean(axis=0)
        for k, c in {
            "alone": ["discount"],
            "early": ["early", "discount"],
            "carts": ["early", "carts", "discount"],
        }.items()
    }
    assert runs["alone"][0] < -6 and runs["early"][0] == pytest.approx(4, abs=0.6) and runs["carts"][0] < 2
    assert runs["carts"][2] < runs["early"][2] < runs["alone"][2]


def test_the_rubric_fails_on_a_single_zero():
    assert (
        HERE["verdict"]([2, 2, 2, 2, 2, 2, 0]).startswith("다시")
        and "공개" in HERE["verdict"]([2] * 7)
        and "팀" in HERE["verdict"]([1] * 7)
    )


def test_pc_trusts_faithfulness_and_is_wrong_when_two_effects_cancel():
    """두 효과가 상쇄되면 진짜 선을 지우고 화살표를 거꾸로 답니다. 상쇄되지 않으면 선이 남습니다."""
    pc, regions = HERE["pc"], HERE["regions"]
    gone = [pc(regions(seed=80 + k, n=5_000, direct=-0.3)) for k in range(40)]
    assert np.mean([frozenset((0, 4)) not in e for e, _ in gone]) > 0.9
    assert np.mean([(4, 1) in a for _, a in gone]) > 0.9
    kept = [pc(regions(seed=80 + k, n=5_000, direct=0.3)) for k in range(40)]
    assert np.mean([frozenset((0, 4)) in e for e, _ in kept]) > 0.95
    much = [pc(regions(seed=180 + k, n=50_000, direct=-0.3))[0] for k in range(10)]
    assert np.mean([frozenset((0, 4)) not in e for e in much]) > 0.9  # 자료를 늘려도 낫지 않습니다
