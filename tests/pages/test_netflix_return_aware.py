"""출시 규칙의 수익 사례: 정답을 쪽의 함수 없이 다시 구하고, 나눈 채점과 홀드백이 언제 맞고 언제 틀리는지, 메모의 돈을 봅니다."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, load, truth

MAKE = generator("netflix_return_aware")
KNOWN = truth("netflix_return_aware")
TEXT = read_page(ROOT / "case_studies" / "netflix_return_aware.md")
PAGE = page_functions(
    TEXT, "tests_of", "pooled", "cut_rules", "learned_prior", "posterior", "rules", "held_out", "yearly", "all_users", "rule_lead", "model_lead",
    "realised", "stale_lead", "tails", "disagree", "shrinking", "pieces", "with_holdback", "guarded", "same_users", "last_bundle",
    VALUE=5.0, COST=0.6, YEARS=3, SETS=80, make=MAKE, combinations=combinations,
)  # fmt: skip
EB, P05 = "사후 평균", "5% 유의"


def plain_rules(est, se, cost=0.6):
    """쪽의 함수를 쓰지 않은 네 규칙."""
    m = est.mean(1)[:, None]
    t2 = np.maximum(((est - m) ** 2 - se**2).mean(1), 0)[:, None]
    bar = cost / 5.0
    return {
        P05: est / se > 1.96, "한쪽 10%": est / se > 1.2816, "0보다 큼": est > 0,
        EB: (m * se**2 + t2 * est) / (t2 + se**2) > bar,
    }  # fmt: skip


def earned(go, tau, cost=0.6):
    """한 세트의 참 수익(억 원). 기록이 세 해이면 한 해로 나눕니다."""
    return (go * (5.0 * tau - cost)).sum(1)


@pytest.fixture(scope="module")
def world():
    """세 해의 실험 150세트와, 회원을 다 쓴 규칙."""
    d = MAKE.programmes(np.random.default_rng(71), 150)
    return d, plain_rules(d["x"].mean(2), d["se"][..., 0] / 2)


def test_the_constants_of_the_tests_are_those_of_the_page():
    assert "VALUE, COST, YEARS = 5.0, 0.6, 3" in TEXT.text and "UPKEEP = 3.0" in TEXT.text
    assert '"바램": 0.6' in TEXT.text and '"겹침": 0.02' in TEXT.text


def test_the_card_holds_the_expected_return_of_each_rule():
    found = {k: [] for k in (P05, "한쪽 10%", "0보다 큼", EB)}
    for seed in range(6):
        d = MAKE.programmes(np.random.default_rng(500 + seed), 120)
        for k, go in plain_rules(d["x"].mean(2), d["se"][..., 0] / 2).items():
            found[k].append(earned(go, d["tau"]).mean() / 3)
    names = {"ATE_significant": P05, "ATE_one_sided": "한쪽 10%", "ATE_positive": "0보다 큼", "ATE_score": EB}
    for card, k in names.items():
        assert np.mean(found[k]) == pytest.approx(KNOWN[card], abs=2.0)
    assert KNOWN["ATE"] == pytest.approx(KNOWN["ATE_score"] - KNOWN["ATE_significant"], abs=0.11)
    assert np.mean(found[EB]) - np.mean(found[P05]) == pytest.approx(KNOWN["ATE"], abs=2.0)


def test_the_rules_of_the_page_are_the_plain_ones(world):
    d, go = world
    for k, v in PAGE["rules"](*PAGE["pooled"](d["x"], d["se"])).items():
        assert (v == go[k]).mean() > 0.99999


def test_the_generator_ships_by_five_percent_and_the_holdback_is_the_bundle():
    d = load("netflix_return_aware", with_truth=True)
    by_test = d[d["test"] > 0].groupby("test").agg(
        est=("minutes", "mean"), se=("minutes_se", lambda s: np.sqrt((s**2).sum()) / 4), shipped=("shipped", "first"), year=("year", "first"), tau=("true_minutes", "first")
    )  # fmt: skip
    assert ((by_test["est"] > 1.96 * by_test["se"]).astype(int) == by_test["shipped"]).mean() > 0.999
    last = by_test[(by_test["year"] == 3) & (by_test["shipped"] == 1)]
    assert d.loc[d["test"] == 0, "true_minutes"].iloc[0] == pytest.approx(last["tau"].sum(), abs=1e-4)
    both = MAKE.generate(seed=2508, fade=0.5, crowd=0.02)
    half = 0.5 * last["tau"].sum()
    assert both["true_minutes"].iloc[0] == pytest.approx(half / (1 + 0.02 * half), abs=1e-4)
    assert MAKE.bundled(-3.0, 0.05) == -3.0
    same = both[both["test"] > 0].reset_index(drop=True)
    pd.testing.assert_frame_equal(same, d[d["test"] > 0].reset_index(drop=True))


def test_the_same_users_praise_every_rule_and_put_them_in_the_wrong_order(world):
    d, go = world
    est = d["x"].mean(2)
    report = {k: earned(v, est).mean() / 3 for k, v in go.items()}
    real = {k: earned(v, d["tau"]).mean() / 3 for k, v in go.items()}
    assert max(report, key=report.get) == "0보다 큼" and max(real, key=real.get) == EB
    assert all(report[k] > 2 * real[k] for k in go)


def test_other_users_score_the_rule_of_fewer_users_without_bias(world):
    """반으로 정한 규칙의 참 수익과 그 규칙의 채점이 맞습니다. 다 쓸 때보다는 낮습니다."""
    d, go = world
    half = PAGE["held_out"](d["x"], d["se"], 5.0 * d["x"] - 0.6, 2)
    truth_half = dict.fromkeys(half, 0)
    for way in combinations(range(4), 2):
        small = plain_rules(d["x"][..., list(way)].mean(2), d["se"][..., 0] / np.sqrt(2))
        for k in half:
            truth_half[k] = truth_half[k] + earned(small[k], d["tau"]) / 6
    for k, v in half.items():
        gap = (v.sum(1) - truth_half[k]) / 3
        assert abs(gap.mean()) < 4 * gap.std() / np.sqrt(150)
        assert truth_half[k].mean() < earned(go[k], d["tau"]).mean() - 15


def test_stretching_takes_back_most_of_what_half_the_users_lose(world):
    d, go = world
    money = 5.0 * d["x"] - 0.6
    half, full = (f(d["x"], d["se"], money) for f in (lambda *a: PAGE["held_out"](*a, 2), PAGE["all_users"]))
    for k in (P05, EB):
        real = earned(go[k], d["tau"]).mean() / 3
        short, long = real - half[k].sum(1).mean() / 3, real - full[k].sum(1).mean() / 3
        assert short > 20 and abs(long) < 0.5 * short
    assert 1.5 * 58 - 0.5 * 40 == 67.0


def test_half_the_users_flatter_the_difference_when_the_tests_are_strong():
    """효과가 오차보다 훨씬 크면 반으로 한 채점이 거꾸로 높고, 늘인 값도 조금 높게 남습니다."""
    d = MAKE.programmes(np.random.default_rng(78), 60, scale=1.2)
    go = plain_rules(d["x"].mean(2), d["se"][..., 0] / 2)
    real = (earned(go[EB], d["tau"]) - earned(go[P05], d["tau"])) / 3
    parts = [PAGE["held_out"](d["x"], d["se"], 5.0 * d["x"] - 0.6, k) for k in (2, 3)]
    half, most = ((p[EB] - p[P05]).sum(1) / 3 for p in parts)
    assert (half - real).mean() > 40
    assert 3 < (1.5 * most - 0.5 * half - real).mean() < 25


def test_the_lower_bar_loses_when_a_few_effects_are_large_and_the_rest_are_nothing():
    rng = np.random.default_rng(79)
    d = MAKE.programmes(rng, 60, scale=0.0)
    rare = 3.0 * (rng.random(d["tau"].shape) < 0.02)
    tau, x = d["tau"] + rare, d["x"] + rare[..., None]
    go = plain_rules(x.mean(2), d["se"][..., 0] / 2)
    each = PAGE["all_users"](x, d["se"], 5.0 * x - 0.6)
    assert (earned(go[EB], tau) - earned(go[P05], tau)).mean() / 3 < -30
    assert (each[EB] - each[P05]).sum(1).mean() / 3 < -25


def test_the_bar_rises_as_effects_shrink_only_if_the_mean_is_below_the_cost():
    def bar(m, t2):
        return m + (0.12 - m) * (t2 + 0.4) / t2

    assert bar(-0.05, 0.05) > bar(-0.05, 0.3) and bar(0.3, 0.05) < bar(0.3, 0.3)


def test_a_few_dozen_tests_leave_the_interval_short_and_one_rule_shorter():
    d = MAKE.programmes(np.random.default_rng(80), 600, n=20)
    go = plain_rules(d["x"].mean(2), d["se"][..., 0] / 2)
    each = PAGE["all_users"](d["x"], d["se"], 5.0 * d["x"] - 0.6)
    held = {}
    for k, value, real in (
        ("차이", each[EB] - each[P05], earned(go[EB], d["tau"]) - earned(go[P05], d["tau"])),
        (P05, each[P05], earned(go[P05], d["tau"])),
    ):
        v, error = PAGE["yearly"](value)
        held[k] = (abs(v - real.mean() / 3) < 1.96 * error).mean()
    assert 0.85 < held["차이"] < 0.945 and held[P05] < 0.88


def test_believing_the_normal_prior_flatters_the_lower_bar_only_with_heavy_tails():
    gaps = {}
    for tail in (4, 0):
        d = MAKE.programmes(np.random.default_rng(72), 150, tail=tail)
        est, se = d["x"].mean(2), d["se"][..., 0] / 2
        go = plain_rules(est, se)
        real = (earned(go[EB], d["tau"]) - earned(go[P05], d["tau"])) / 3
        gaps[tail] = (PAGE["yearly"](PAGE["model_lead"](est, se))[0] - real).mean()
        tails = (PAGE["tails"](est, se) > 1.96).mean()
        assert tails > 0.85 if tail else tails < 0.12
    assert gaps[4] > 15 and abs(gaps[0]) < 6


def test_shrinking_effects_are_seen_and_old_tests_overstate_the_next_year():
    d = MAKE.programmes(np.random.default_rng(73), 150, drift=0.7)
    est, se = d["x"].mean(2), d["se"][..., 0] / 2
    assert (PAGE["shrinking"](est, se) > 1.96).mean() > 0.7
    same = MAKE.programmes(np.random.default_rng(74), 150)
    assert (PAGE["shrinking"](same["x"].mean(2), same["se"][..., 0] / 2) > 1.96).mean() < 0.08
    # 아무것도 바래지 않았는데 실현 비율이 1보다 작습니다. 지난 해들의 사전분포가 마지막 해에는 너무 넓습니다.
    parts, total, total_se = PAGE["last_bundle"](d)
    some, noise = total_se > 0, MAKE.MINUTES_SD / np.sqrt(50_000)
    held = parts[some] + noise * np.random.default_rng(81).normal(size=some.sum())
    ratio, error = PAGE["realised"](held, noise, total[some], total_se[some])
    assert ratio.mean() < 0.8 and (ratio + 1.645 * error < 1).mean() > 0.35
    new = MAKE.programmes(np.random.default_rng(75), 300, years=1, scale=0.4 * 0.7**3)
    go = plain_rules(new["x"].mean(2), new["se"][..., 0] / 2)
    ahead = (earned(go[EB], new["tau"]) - earned(go[P05], new["tau"])).mean()
    each = PAGE["all_users"](d["x"], d["se"], 5.0 * d["x"] - 0.6)
    assert PAGE["stale_lead"](np.random.default_rng(77)) < ahead - 10
    assert ahead < 3 and (each[EB] - each[P05]).sum(1).mean() / 3 > ahead + 10


def test_one_rate_for_all_is_mended_by_the_holdback_and_crowding_is_not(world):
    """모든 효과가 0.6만 남으면 비율을 곱해 고쳐지고, 많이 출시할수록 겹치면 여전히 부풀려집니다."""
    d, go = world
    rng, noise = np.random.default_rng(76), MAKE.MINUTES_SD / np.sqrt(50_000)
    half, most = (PAGE["pieces"](d["x"], d["se"], k) for k in (2, 3))
    full = {k: 1.5 * most[k] - 0.5 * half[k] for k in (EB, P05)}
    gross, spend = full[EB] - full[P05]
    parts, total, total_se = PAGE["last_bundle"](d)
    minutes = {k: np.stack(np.split(go[k] * d["tau"], 3, axis=1)).sum(2) for k in (EB, P05)}
    spent = 0.6 * (go[EB].sum(1) - go[P05].sum(1)).mean() / 3
    miss = {}
    for name, fade, crowd in (("바램", 0.6, 0.0), ("겹침", 1.0, 0.02)):
        lived = {k: MAKE.bundled(fade * v, crowd).mean() for k, v in minutes.items()}
        real = 5.0 * (lived[EB] - lived[P05]) - spent
        held = MAKE.bundled(fade * parts, crowd) + noise * rng.normal(size=150)
        ratio, error = PAGE["realised"](held, noise, total, total_se)
        miss[name] = (PAGE["with_holdback"](gross, spend, ratio, error)[0] - real).mean()
        assert real < 15 and (gross - spend).sum(1).mean() / 3 > real + 35
    assert abs(miss["바램"]) < 12 and miss["겹침"] > 25
    # 작은 개편이 더 바래면 큰 것들로 잰 비율이 너무 높습니다.
    kept = np.where(d["tau"] > 0.8, 0.9, 0.4)
    lived = PAGE["last_bundle"](d | {"tau": kept * d["tau"]})[0]
    ratio, error = PAGE["realised"](lived + noise * rng.normal(size=150), noise, total, total_se)
    real = (earned(go[EB], kept * d["tau"]) - earned(go[P05], kept * d["tau"])).mean() / 3
    assert PAGE["with_holdback"](gross, spend, ratio, error)[0].mean() > real + 10


def test_an_early_veto_costs_money_and_a_later_one_costs_more_per_inquiry(world):
    d, go = world
    ask, ask_se = d["ask"].mean(2), d["ask_se"][..., 0] / 2
    rows = []
    for bar in (np.inf, 1.645, 0.8416):
        ship = go[EB] & (ask < bar * ask_se)
        rows.append([earned(ship, d["tau"]).mean() / 3, (ship * d["asks"]).sum(1).mean() / 3])
    (r0, a0), (r1, a1), (r2, a2) = rows
    assert r0 > r1 > r2 and a0 > a1 > a2 > 0
    assert (r1 - r2) / (a1 - a2) > 1.3 * (r0 - r1) / (a0 - a1)
    assert 11 < r0 - r1 < 17 and (r0 - r1) / (a0 - a1) == pytest.approx(7.0, abs=1.0)
    assert (go[EB] & (d["tau"] < 0)).sum(1).mean() > 10 * (go[P05] & (d["tau"] < 0)).sum(1).mean()


def test_the_recommended_rule_with_its_veto_still_leads(world):
    """메모가 권하는 것은 거부권을 붙인 규칙입니다. 참 차이와 나눈 채점이 맞습니다."""
    d, go = world
    ship = go[EB] & (d["ask"].mean(2) < 1.645 * d["ask_se"][..., 0] / 2)
    real = (earned(ship, d["tau"]) - earned(go[P05], d["tau"])).mean() / 3
    assert 30 < real < KNOWN["ATE"]
    spent = 0.6 * (ship.sum(1) - go[P05].sum(1)).mean() / 3
    assert spent / (real + spent) == pytest.approx(0.58, abs=0.04)  # 쪽의 값은 운이 좋아 더 낮습니다
    most, half = (PAGE["guarded"](d["x"], d["se"], d["ask"], d["ask_se"], 1.645, k)[0] for k in (3, 2))
    full = PAGE["all_users"](d["x"], d["se"], 5.0 * d["x"] - 0.6)[P05]
    told = ((1.5 * most - 0.5 * half) - full).sum(1) / 3
    assert abs(told.mean() - real) < 4 * told.std() / np.sqrt(150) + 3


def test_the_money_of_the_holdback_and_of_the_memo():
    d = load("netflix_return_aware")
    value, low, high = PAGE["rule_lead"](d)
    x, se = PAGE["tests_of"](d)
    full = PAGE["all_users"](x, se, 5.0 * x - 0.6)
    assert value == pytest.approx((full[EB] - full[P05]).sum() / 3) and (low + high) / 2 == pytest.approx(value)
    assert PAGE["same_users"](d) > 4 * KNOWN["ATE"]
    # 홀드백 둘: 0.5%씩. 한쪽은 묶음 전체를, 다른 쪽은 문턱을 낮춘 몫을 못 받고, 옛 화면 둘을 지킵니다.
    gross = PAGE["all_users"](x, se, 5.0 * x)
    eb, p = (gross[k].sum() / 3 for k in (EB, P05))
    cost = 2 * 3.0 + 0.005 * (eb + eb - p)
    assert 6 < cost < 10
    arm = 5.0 * 200 / np.sqrt(25_000)
    assert 1.96 * arm == pytest.approx(12.4, abs=0.05)
