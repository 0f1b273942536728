"""무료 조식 사례: 알려진 정답, 그리고 쪽이 하는 통계의 주장."""

import numpy as np
import pytest

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, truth

HOTEL = generator("booking_budgeted_uplift")
KNOWN = truth("booking_budgeted_uplift")
PAGE = read_page(ROOT / "case_studies" / "booking_budgeted_uplift.md")
HERE = page_functions(
    PAGE,
    "basis",
    "money",
    "logit",
    "fit",
    "two_effects",
    "priority",
    "knapsack",
    "policy_value",
    "retrospective",
    "choose",
    "chosen_effect",
    hotel=HOTEL,
)


@pytest.fixture(scope="module")
def large():
    return HOTEL.generate(seed=11, n=400_000)


def effects(d):
    m, c = HERE["money"](d)
    gain = (d["book_1"] - d["book_0"]).to_numpy()
    return gain, m * gain - c * d["book_1"].to_numpy()


def test_the_card_tells_the_truth(large):
    gain, net = effects(large)
    assert 100 * gain.mean() == pytest.approx(KNOWN["ATE"], abs=0.05)
    _, c = HERE["money"](large)
    assert net.sum() / (c * large["book_1"]).sum() == pytest.approx(KNOWN["roi_all"], abs=0.01)


def test_money_and_bookings_follow_the_offer(large):
    silent = large[large["offered"] == 0]
    assert (silent["breakfast_cost"] == 0).all() and (large.loc[large["booked"] == 0, "commission"] == 0).all()
    gain, _ = effects(large)
    t, y = large["offered"], large["booked"]
    assert y[t == 1].mean() - y[t == 0].mean() == pytest.approx(gain.mean(), abs=0.004)


def test_targeting_follows_the_usual_booking():
    d = HOTEL.generate(seed=5, n=60_000, targeted=True)
    assert np.corrcoef(d["chance"], d["book_0"])[0, 1] > 0.9
    gain, _ = effects(d)
    naive = d.loc[d["offered"] == 1, "booked"].mean() - d.loc[d["offered"] == 0, "booked"].mean()
    assert naive > gain.mean() + 0.03


def test_greedy_is_within_one_visit_of_the_best_that_linear_programming_finds():
    """나누어 줄 수 있다고 보고 푼 선형계획의 답을 욕심쟁이가 방문 하나의 몫 안에서 따라잡습니다."""
    from scipy.optimize import linprog

    d = HOTEL.generate(seed=9, n=600)
    gain, net = effects(d)
    best = linprog(-gain, A_ub=-net[None, :], b_ub=[0.0], bounds=(0, 1))
    rank = HERE["priority"](gain, net)
    give = rank >= HERE["knapsack"](rank, net)
    assert (net * give).sum() >= 0
    assert -best.fun - (gain * give).sum() <= gain.max() + 1e-9


def test_ranking_by_effect_or_by_bookings_breaks_the_bound(large):
    """같은 비율을 골라 효과가 큰 순과 예약할 것 같은 순은 밑지고 배낭은 밑지지 않습니다."""
    gain, net = effects(large)
    rank = HERE["priority"](gain, net)
    give = rank >= HERE["knapsack"](rank, net)
    assert (net * give).mean() == pytest.approx(0, abs=1e-3) and (gain * give).sum() > 0.8 * gain.sum()
    for score in (gain, large["book_1"].to_numpy()):
        same = score >= np.quantile(score, 1 - give.mean())
        assert (net * same).mean() < -0.02
    assert net.mean() < -0.2


def test_weights_of_one_half_are_unbiased_with_a_coin_and_biased_without():
    models = HERE["fit"](HOTEL.generate(seed=1, n=20_000))
    big = HOTEL.generate(seed=2, n=200_000)

    def rule(d):
        gain, net = HERE["two_effects"](d, models)
        return net >= 0

    gain, net = effects(big)
    exact = 100 * (gain * rule(big)).mean(), (net * rule(big)).mean()
    for targeted in (False, True):
        runs = np.array(
            [
                HERE["policy_value"](d, rule(d))
                for d in (HOTEL.generate(seed=100 + k, n=10_000, targeted=targeted) for k in range(120))
            ]
        )
        z = [(runs[:, j].mean() - exact[j // 2]) / (runs[:, j].std() / np.sqrt(len(runs))) for j in (0, 2)]
        assert max(map(abs, z)) < 3.7 if not targeted else max(map(abs, z)) > 8


def test_targeted_records_give_the_value_when_the_chances_are_known():
    """같은 표적 기록을 참 확률로 나누면 치우치지 않고, 절반으로 놓으면 치우칩니다."""
    models = HERE["fit"](HOTEL.generate(seed=1, n=20_000))
    big = HOTEL.generate(seed=2, n=200_000)

    def rule(d):
        return HERE["two_effects"](d, models)[1] >= 0

    gain, net = effects(big)
    exact = np.array([100 * (gain * rule(big)).mean(), (net * rule(big)).mean()])
    worlds = [HOTEL.generate(seed=300 + k, n=10_000, targeted=True) for k in range(120)]
    known = np.array([HERE["policy_value"](d, rule(d), d["chance"].to_numpy()) for d in worlds])
    half = np.array([HERE["policy_value"](d, rule(d)) for d in worlds])
    for runs, biased in ((known, False), (half, True)):
        z = np.abs(runs[:, [0, 2]].mean(axis=0) - exact) / (runs[:, [0, 2]].std(axis=0) / np.sqrt(len(runs)))
        assert z.max() > 8 if biased else z.max() < 3.7
    inside = np.abs(known[:, [0, 2]] - exact) < 1.96 * known[:, [1, 3]]
    assert (inside.mean(axis=0) > 0.88).all()


def test_the_headline_learns_from_one_half_and_measures_on_the_other():
    """뒤의 반쪽의 결과를 바꾸어도 고르는 방문은 그대로이고, 효과만 따라 바뀝니다."""
    d = HOTEL.generate(seed=8, n=20_000)
    late = np.arange(len(d)) >= len(d) // 2
    other = d.assign(booked=d["booked"].where(~late, 1 - d["booked"]))
    assert HERE["choose"](d).index.equals(HERE["choose"](other).index) and late[HERE["choose"](d).index].all()
    mine, flipped = HERE["chosen_effect"](d), HERE["chosen_effect"](other)
    assert mine[0] == pytest.approx(-flipped[0])


def test_a_rule_cut_at_break_even_loses_more_often_than_not():
    big = HOTEL.generate(seed=3, n=60_000)
    _, net_b = effects(big)
    lost = []
    for k in range(120):
        d = HOTEL.generate(seed=70_000 + k, n=20_000)
        models = HERE["fit"](d)
        rank, net = HERE["priority"](*HERE["two_effects"](d, models)), HERE["two_effects"](d, models)[1]
        seen = HERE["priority"](*HERE["two_effects"](big, models))
        lost.append([(net_b * (seen >= HERE["knapsack"](rank, net, margin))).mean() < 0 for margin in (0.0, 0.02)])
    tight, safe = np.mean(lost, axis=0)
    assert tight > 0.5 and safe < 0.3


def test_buyers_alone_give_the_ranking_when_the_offer_was_a_coin():
    big = HOTEL.generate(seed=4, n=100_000)
    gain, net = effects(big)
    coin, aimed = (
        [
            (net * HERE["retrospective"](HOTEL.generate(seed=500 + k, n=40_000, targeted=flag), big)).mean()
            for k in range(12)
        ]
        for flag in (False, True)
    )
    assert np.mean(coin) > 0 > -0.05 > np.mean(aimed)
