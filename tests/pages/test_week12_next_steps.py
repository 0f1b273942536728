"""12주차: 알려진 정답, 그리고 장이 하는 통계의 주장."""

import numpy as np
import pandas as pd
import pytest
import yaml
from causallearn.search.ConstraintBased.PC import pc as library_pc

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, package_file, truth

KIT, APP = generator("meal_kit_trial"), generator("banner_log")
PRIOR = yaml.safe_load(package_file("obp", "policy/conf/prior_bts.yaml").read_text())["all"]
PAGE = read_page(ROOT / "chapters" / "week12_next_steps.md")
HERE = page_functions(
    PAGE, "covers", "regions", "find_graph", "weight", "ips", "effective", "difference", "learn_index", "index_effect", "left_over", "chances",
    pc=library_pc, ALL=["orders", "visits", "saved", "alone", "cooking"], prior=PRIOR,
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


def test_thin_propensities_are_confident_when_wrong():
    """바닥이 낮으면 낮게 틀린 자료일수록 표준오차도 작습니다. 편향이 없어도 구간이 못 덮는 까닭입니다."""
    runs = np.array([HERE["ips"](APP.generate(seed=900 + k, n=20_000, floor=0.001), NEW) for k in range(200)])
    value = truth("banner_log")["value"]
    assert abs(runs[:, 0].mean() - value) < 3.5 * runs[:, 0].std() / np.sqrt(200)
    assert np.corrcoef(runs.T)[0, 1] > 0.8 and HERE["covers"](*runs.T, value) < 0.7


def test_zozotown_equals_the_published_figure_and_its_interval_holds_one():
    """zr-obp의 안내문은 1.198126배라고 적습니다. 같은 시드와 횟수이면 여섯째 자리까지 같고, 시드만 바꾸면 셋째 자리가 움직입니다."""
    use = ["item_id", "position", "click", "propensity_score"]
    log = pd.read_csv(package_file("obp", "dataset/obd/random/all/all.csv"), usecols=use)
    assert len(log) == 10_000 and log["click"].sum() == 38 and len(PRIOR["alpha"]) == 80
    click = log["click"]

    def ratio(seed):
        w = HERE["chances"](seed)[log["position"] - 1, log["item_id"]] / log["propensity_score"]
        return (w * click).mean() / click.mean(), w

    ours, w = ratio(12345)
    assert ours == pytest.approx(1.198126, abs=1e-6)
    assert 1e-4 < abs(ratio(1)[0] - ours) < 0.02
    error = ((w - ours) * click).std() / click.mean() / np.sqrt(len(click))
    assert ours - 1.96 * error < 1 < ours + 1.96 * error and (w * click).max() > 0.4 * (w * click).sum()


def test_pc_finds_the_class_and_never_the_undirected_arrows():
    edges, arrows = HERE["find_graph"](HERE["regions"](1, 20_000), alpha=0.001)
    assert edges == {frozenset(e) for e in [(0, 1), (1, 4), (2, 3), (3, 4)]} and arrows == {(1, 4), (3, 4)}
    edges, arrows = HERE["find_graph"](HERE["regions"](1, 20_000, storm=0.4), alpha=0.001)
    assert (0, 4) in arrows


def test_ips_needs_the_logged_chance_to_be_right():
    """적힌 확률이 맞으면 편향이 없고, 기록과 다른 확률로 골랐다면 편향됩니다."""
    value = truth("banner_log")["value"]
    good = np.array([HERE["ips"](APP.generate(seed=600 + k, n=20_000), NEW) for k in range(60)])
    bad = np.array([HERE["ips"](APP.generate(seed=600 + k, n=20_000, override=0.5), NEW) for k in range(60)])
    assert abs(good[:, 0].mean() - value) < 4 * good[:, 0].std() / np.sqrt(60)
    assert abs(bad[:, 0].mean() - value) > 4 * bad[:, 0].std() / np.sqrt(60)


def test_a_direct_path_never_reaches_the_index(past):
    """지표를 거치지 않는 효과는 지표를 몇 개 넣어도 지수에 들어오지 않습니다."""
    for columns in (FEW, ALL):
        learned = HERE["learn_index"](past, columns)
        runs = [
            HERE["index_effect"](learned, KIT.generate(seed=7, n=4000, direct=d), 2, columns) for d in (0.0, -7.0, 7.0)
        ]
        assert runs[0] == runs[1] == runs[2]


def test_discovery_is_wrong_on_a_selected_sample():
    D = HERE["regions"](seed=77, n=60_000)
    edges, arrows = HERE["find_graph"](D[D[:, 4] > 0], alpha=0.001)  # 주문이 많은 권역만
    assert frozenset((1, 3)) in edges and not arrows & {(1, 4), (3, 4)}  # 없는 방문-후기의 선이 남습니다


def test_a_straight_index_misses_a_bent_relation():
    rng, n = np.random.default_rng(3), 200_000
    old, none, some = rng.poisson(2, n), rng.poisson(2, n), rng.poisson(3.5, n)  # S. 대리성은 성립합니다
    line = np.polyfit(old, old**2 + rng.normal(0, 5, n), 1)[0] * (some.mean() - none.mean())
    assert line < 0.85 * ((some**2).mean() - (none**2).mean())
