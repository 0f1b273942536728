"""양쪽이 순위를 보는 구인 로그: 아는 정답, 동전과 무작위 칸, 손으로 센 기울기, 깨진 세상, 메모의 돈."""

import numpy as np
import pytest
from scipy import stats

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, load, truth

MARKET = generator("recruit_two_sided_ranking")
TEXT = read_page(ROOT / "case_studies" / "recruit_two_sided_ranking.md")
SIDES = {
    "A": ("rank_a", "slot_a"),
    "B": ("rank_b", "slot_b"),
    "지금": ("planned_rank", "planned_slot"),
    "로그": ("rank", "slot"),
}
PAGE = page_functions(
    TEXT, "replay", "grid", "look_ratio", "read_ratio", "by_seeker", "weights", "value_gap", "ranking_gain", "slot_weight", "recorded",
    "product_fit", "tally", "direct_gain", "shape_test", "mean_weight", "same_ratio", "known", "monthly",
    K=6, M=4, sides=SIDES, share=0.4, worth=3_000, daily=1_000, running=90,
)  # fmt: skip
WIDE = MARKET.generate(seed=41, users=40_000)


def test_the_constants_of_the_tests_are_those_of_the_page():
    assert "K, M = 6, 4" in TEXT.text and "share = 0.4" in TEXT.text
    assert "worth, daily, running = 3_000, 1_000, 90" in TEXT.text
    assert (len(MARKET.LOOK), len(MARKET.READ), MARKET.SHUFFLE) == (6, 4, 0.4)


def test_the_truth_is_the_gap_of_matches_and_the_method_finds_it():
    target = truth("recruit_two_sided_ranking")["ATE"]
    assert PAGE["known"](WIDE) == pytest.approx(target, abs=0.15)
    value, low, high = PAGE["ranking_gain"](WIDE)
    error = (high - low) / 2 / 1.96
    assert abs(value - target) < 3.5 * error and error < 0.4  # 한 벌이므로 오차의 3.5배까지
    assert PAGE["replay"](WIDE) < -3


def test_the_ratios_are_those_of_the_generator():
    for ratio, exact in ((PAGE["look_ratio"], MARKET.LOOK), (PAGE["read_ratio"], MARKET.READ)):
        value, pull = ratio(WIDE)
        error = np.sqrt((PAGE["by_seeker"](WIDE, pull) ** 2).sum(axis=1))
        z = (value - np.log(exact / exact[0]))[1:] / error[1:]
        assert (np.abs(z) < 3.5).all() and (error[1:] < 0.06).all()


def test_the_coin_moves_an_item_by_at_most_one_place():
    d = load("recruit_two_sided_ranking")
    moved = d["rank"] - d["planned_rank"]
    assert moved.abs().max() == 1 and 0.3 < moved.ne(0).mean() < 0.5
    planned = np.sort(d["planned_rank"].to_numpy().reshape(-1, 6), axis=1)
    assert (planned == np.arange(1, 7)).all()
    assert d.loc[d["applied"] == 0, ["slot", "shuffled", "replied"]].to_numpy().max() == 0


def test_the_slope_is_the_derivative():
    """델타 방법의 기울기를 비를 조금 움직여 센 차이와 견줍니다."""
    d = load("recruit_two_sided_ranking")
    look, read = PAGE["look_ratio"](d)[0], PAGE["read_ratio"](d)[0]
    each, (by_look, by_read) = PAGE["value_gap"](d, look, read)
    for k in (2, 5):
        step = 1e-5 * np.eye(6)[k]
        moved = PAGE["value_gap"](d, look + step, read)[0].sum() - each.sum()
        assert moved / 1e-5 == pytest.approx(by_look[k], rel=1e-3)
    step = 1e-5 * np.eye(4)[3]
    assert (PAGE["value_gap"](d, look, read + step)[0].sum() - each.sum()) / 1e-5 == pytest.approx(by_read[3], rel=1e-3)


def test_the_recorded_slots_weigh_one_and_a_jam_shows():
    for name in "AB":
        mean, z = PAGE["mean_weight"](WIDE, name)
        assert mean == pytest.approx(1, abs=0.03) and abs(z) < 3.5
    assert abs(PAGE["mean_weight"](MARKET.generate(seed=7, jam=0.8))[1]) > 3


def test_the_direct_model_needs_the_grades_and_the_coin_does_not():
    d = MARKET.generate(seed=42, users=40_000, hidden=0.4)
    gap = PAGE["known"](d)
    assert PAGE["direct_gain"](d) - gap > 2
    value, low, high = PAGE["ranking_gain"](d)
    assert abs(value - gap) < 1.2
    assert PAGE["direct_gain"](WIDE) == pytest.approx(PAGE["known"](WIDE), abs=0.5)


def test_what_breaks_the_product_breaks_the_answer():
    for world in ({"context": 0.6}, {"trust": 0.5}):
        d = MARKET.generate(seed=43, users=40_000, **world)
        assert PAGE["ranking_gain"](d)[0] - PAGE["known"](d) < -1


def test_tired_employers_leave_the_log_as_it_is():
    calm, tired = MARKET.generate(seed=44), MARKET.generate(seed=44, overload=1.0)
    seen = [c for c in calm if not c.startswith("chance")]
    assert calm[seen].equals(tired[seen])
    assert PAGE["known"](tired) < PAGE["known"](calm) - 1


def test_one_over_rank_overstates_and_is_noticed():
    d = load("recruit_two_sided_ranking")
    guess = -np.log(np.arange(1, 7))
    assert PAGE["shape_test"](d, guess) > stats.chi2.ppf(0.95, 5)
    wrong = 100 * PAGE["value_gap"](WIDE, guess, guess[:4])[0].mean()
    assert wrong > 2 * PAGE["known"](WIDE)


def test_the_memo_counts_each_amount_once():
    """정답의 확률에서 A와 B의 한 달 성사를 따로 세어 이익을 다시 계산합니다."""
    month = 1_000 * 30
    matches = [month * 6 * WIDE[c].mean() for c in ("chance_a", "chance_b")]
    profit = 3_000 * (matches[1] - matches[0]) - 900_000
    assert PAGE["monthly"](PAGE["known"](WIDE)) == pytest.approx(profit / 10_000)
    even = 90 * 10_000 / (3_000 * 1_000 * 30 / 100)
    assert PAGE["monthly"](even) == pytest.approx(0) and even == pytest.approx(1)


def test_the_product_check_is_quiet_in_a_large_log_of_the_product():
    """자리를 합쳐 세면 인기 있는 공고가 위에 많다는 것만으로 옳은 모형을 기각하므로, 자리마다 잰 비로 봅니다."""
    assert abs(PAGE["same_ratio"](WIDE)[1]) < 3
    assert PAGE["same_ratio"](MARKET.generate(seed=45, users=40_000, context=0.6))[1] > 4
    y, high = PAGE["grid"](WIDE, "applied"), PAGE["grid"](WIDE, "popularity") > 2
    paired = (np.arange(1, 6) - PAGE["grid"](WIDE, "first")[:, :1]) % 2 == 0
    pooled = [np.log((y * g)[:, 1:][paired].sum() / (y * g)[:, :-1][paired].sum()) for g in (high, ~high)]
    assert pooled[0] - pooled[1] < -0.03


def test_measured_ratios_lift_the_gain_of_a_small_log():
    look, read = np.log(MARKET.LOOK / MARKET.LOOK[0]), np.log(MARKET.READ / MARKET.READ[0])
    lift = []
    for k in range(100):
        d = MARKET.generate(seed=400_000 + k, users=300)
        lift.append(PAGE["ranking_gain"](d)[0] - 100 * PAGE["value_gap"](d, look, read)[0].mean())
    assert 0.2 < np.mean(lift) < 2
    assert abs(PAGE["ranking_gain"](WIDE)[0] - 100 * PAGE["value_gap"](WIDE, look, read)[0].mean()) < 0.8


def test_the_flatter_the_looks_the_smaller_the_gain():
    look, read = PAGE["look_ratio"](WIDE)[0], PAGE["read_ratio"](WIDE)[0]
    gains = [PAGE["value_gap"](WIDE, g * look, g * read)[0].mean() for g in np.arange(0, 1.51, 0.25)]
    assert gains[0] == pytest.approx(0) and (np.diff(gains) > 0).all()


def test_an_experiment_on_seekers_shows_more_than_the_launch():
    """두 군이 같은 받은편지함을 쓰면 지원은 두 순위의 평균만큼 몰립니다."""
    calm, tired = (MARKET.generate(seed=46, users=20_000, overload=x) for x in (0.0, 1.0))
    by = {c: tired.groupby("fit")[c].sum() / calm.groupby("fit")[c].sum() for c in ("chance_a", "chance_b")}
    shared = calm["fit"].map(2 / (1 / by["chance_a"] + 1 / by["chance_b"]))
    split = 600 * ((calm["chance_b"] - calm["chance_a"]) * shared).mean()
    assert PAGE["known"](tired) + 0.5 < split < PAGE["known"](calm)


def test_two_groups_of_popularity_leave_a_bias():
    d = MARKET.generate(seed=5, users=60_000, context=0.6)
    names = ("applied", "replied", "shuffled")
    parts = [PAGE["ranking_gain"](d.assign(**{c: d[c] * g for c in names}))[0]
             for g in (d["popularity"] > 2, d["popularity"] <= 2)]  # fmt: skip
    target = PAGE["known"](d)
    assert PAGE["ranking_gain"](d)[0] + 1 < sum(parts) < target - 0.5
