"""12주차: 알려진 정답, 그리고 장이 하는 통계의 주장."""

from itertools import combinations, permutations

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy import stats

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, package_file, truth

KIT, APP = generator("meal_kit_trial"), generator("banner_log")
PAGE = read_page(ROOT / "chapters" / "week12_next_steps.md")
HERE = page_functions(
    PAGE, "covers", "regions", "p_value", "skeleton", "orient", "pc", "two_coupons", "ols_sum", "g_formula", "weighted", "thompson",
    "weight", "ips", "snips", "dr", "effective", "difference", "design", "learn_index", "index_effect", "left_over", "transported", "sales", "forecast", "verdict",
    stats=stats, combinations=combinations, permutations=permutations, SURROGATES=["orders", "visits", "saved"], BEFORE=["alone", "cooking"],
)  # fmt: skip
NEW = np.array([2, 3, 1])
ALL = ["orders", "visits", "saved", "alone", "cooking"]
FEW = ["orders", "alone", "cooking"]


@pytest.fixture(scope="module")
def trial():
    return KIT.generate(seed=11, n=300_000)


@pytest.fixture(scope="module")
def past():
    return KIT.generate(seed=12, n=300_000, history=True)


def test_the_cards_tell_the_truth(trial):
    card = truth("meal_kit_trial")
    assert trial["effect_video"].mean() == pytest.approx(card["ATE"], abs=0.02) and trial["effect_coupon"].iloc[
        0
    ] == pytest.approx(card["coupon"])
    for arm, answer in ((1, card["ATE"]), (2, card["coupon"])):
        value, error = HERE["difference"](trial, arm, "profit26")
        assert abs(value - answer) < 3 * error
    log = APP.generate(seed=5, n=500_000)
    rates = log[[f"rate_{name}" for name in APP.BANNERS]].to_numpy()
    value = rates[np.arange(len(log)), NEW[log["segment"]]].mean()
    assert value == pytest.approx(truth("banner_log")["value"], abs=3e-4)
    assert value - log["order"].mean() == pytest.approx(truth("banner_log")["ATE"], abs=0.0015)
    for segment in range(3):
        assert NEW[segment] == rates[(log["segment"] == segment).to_numpy()].mean(axis=0).argmax()


def test_logged_propensities_are_the_policy():
    log = APP.generate(seed=6, n=300_000, floor=0.02)
    policy = APP.logging_policy(0.02)
    np.testing.assert_allclose(policy.sum(axis=1), 1)
    assert policy.min() == pytest.approx(0.02)
    for segment, g in log.groupby("segment"):
        np.testing.assert_allclose(g["banner"].value_counts(normalize=True).sort_index(), policy[segment], atol=0.006)
        np.testing.assert_allclose(g["propensity"], policy[segment, g["banner"]], atol=1e-6)


def test_index_is_right_for_the_video_and_wrong_for_the_coupon(trial, past):
    card = truth("meal_kit_trial")
    video, error = HERE["index_effect"](HERE["learn_index"](past, ALL), trial, 1, ALL)
    assert abs(video - card["ATE"]) < 3 * error
    coupon, error = HERE["index_effect"](HERE["learn_index"](past, ALL), trial, 2, ALL)
    assert coupon - card["coupon"] == pytest.approx(7.0, abs=0.5) and coupon > video and card["coupon"] < card["ATE"]
    fewer, _ = HERE["index_effect"](HERE["learn_index"](past, FEW), trial, 1, FEW)
    assert fewer < 0.6 * card["ATE"]
    assert HERE["left_over"](trial, 2)[0] == pytest.approx(-7.0, abs=0.5) and abs(HERE["left_over"](trial, 1)[0]) < 0.5
    assert HERE["difference"](trial, 1, "orders")[0] * 26 > card["ATE"] + 2  # 4주를 늘린 값


def test_a_hidden_common_cause_breaks_the_index_though_everything_is_mediated():
    world = {"hidden": 8.0, "n": 300_000}
    video, error = HERE["index_effect"](
        HERE["learn_index"](KIT.generate(seed=1, history=True, **world), ALL), KIT.generate(seed=2, **world), 1, ALL
    )
    assert 0.5 < video - truth("meal_kit_trial")["ATE"] < 1.4 and error < 0.2


def test_index_regression_is_statsmodels():
    import statsmodels.formula.api as smf

    d = KIT.generate(seed=4, n=900, history=True)
    b, V = HERE["learn_index"](d, ALL)
    fit = smf.ols("profit26 ~ orders + visits + saved + alone + cooking", d).fit(cov_type="HC0")
    np.testing.assert_allclose(b, fit.params, atol=1e-7)
    np.testing.assert_allclose(np.sqrt(np.diag(V)), fit.bse, atol=1e-7)


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


def test_thin_propensities_are_confident_when_wrong():
    """바닥이 낮으면 낮게 틀린 자료일수록 표준오차도 작습니다. 편향이 없어도 구간이 못 덮는 까닭입니다."""
    runs = np.array([HERE["ips"](APP.generate(seed=900 + k, n=20_000, floor=0.001), NEW) for k in range(200)])
    value = truth("banner_log")["value"]
    assert abs(runs[:, 0].mean() - value) < 3.5 * runs[:, 0].std() / np.sqrt(200)
    assert np.corrcoef(runs.T)[0, 1] > 0.8 and HERE["covers"](*runs.T, value) < 0.7


def test_zozotown_numbers():
    """책이 말하는 실제 기록의 두 사실: 밴딧의 값은 무작위의 1.2배쯤이고, 여성 캠페인의 유효 표본은 두 행입니다."""
    use = ["item_id", "position", "click", "propensity_score"]
    log = pd.read_csv(package_file("obp", "dataset/obd/random/all/all.csv"), usecols=use)
    prior = yaml.safe_load(package_file("obp", "policy/conf/prior_bts.yaml").read_text())["all"]
    assert len(log) == 10_000 and log["click"].sum() == 38 and len(prior["alpha"]) == 80
    rng = np.random.default_rng(1)
    top = np.argsort(-rng.beta(prior["alpha"], prior["beta"], (40_000, 80)), axis=1)[:, :3]
    pi = np.stack([np.bincount(top[:, k], minlength=80) for k in range(3)]) / len(top)
    w = 80 * pi[log["position"] - 1, log["item_id"]]
    assert (w * log["click"]).mean() / log["click"].mean() == pytest.approx(1.195, abs=0.02)
    women = pd.read_csv(package_file("obp", "dataset/obd/bts/women/women.csv"), usecols=use)
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
    always, never = (lambda q: 1), (lambda q: 0)
    assert HERE["g_formula"](d, 1, always) - HERE["g_formula"](d, 0, never) == pytest.approx(answer, abs=0.02)
    estimate, error = HERE["weighted"](d)
    assert abs(estimate - answer) < 3 * error
    assert HERE["ols_sum"](d, False) < 0.35 < 0.6 < HERE["ols_sum"](d, True) < 0.75 < answer
    assert HERE["g_formula"](d, 1, lambda q: q) > HERE["g_formula"](d, 1, always) + 0.1


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
    """두 힘이 지워지면 진짜 선을 지우고 화살표를 거꾸로 답니다. 지워지지 않으면 선이 남습니다."""
    pc, regions = HERE["pc"], HERE["regions"]
    gone = [pc(regions(seed=80 + k, n=5_000, direct=-0.3)) for k in range(40)]
    assert np.mean([frozenset((0, 4)) not in e for e, _ in gone]) > 0.9
    assert np.mean([(4, 1) in a for _, a in gone]) > 0.9
    kept = [pc(regions(seed=80 + k, n=5_000, direct=0.3)) for k in range(40)]
    assert np.mean([frozenset((0, 4)) in e for e, _ in kept]) > 0.95
    much = [pc(regions(seed=180 + k, n=50_000, direct=-0.3))[0] for k in range(10)]
    assert np.mean([frozenset((0, 4)) not in e for e in much]) > 0.9  # 자료를 늘려도 낫지 않습니다


def test_ips_needs_the_logged_chance_to_be_right():
    """적힌 확률이 맞으면 편향이 없고, 기록과 다른 확률로 골랐다면 편향됩니다."""
    value = truth("banner_log")["value"]
    good = np.array([HERE["ips"](APP.generate(seed=600 + k, n=20_000), NEW) for k in range(60)])
    bad = np.array([HERE["ips"](APP.generate(seed=600 + k, n=20_000, override=0.5), NEW) for k in range(60)])
    assert abs(good[:, 0].mean() - value) < 4 * good[:, 0].std() / np.sqrt(60)
    assert abs(bad[:, 0].mean() - value) > 4 * bad[:, 0].std() / np.sqrt(60)
