"""추천 칸 사례: 화면을 다시 틀어 센 정답, 열거로 본 추정의 기댓값, 가정을 깬 세상, 점검의 힘, 메모의 돈."""

import numpy as np
import pytest

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, load, truth

RANKER = generator("netflix_causal_ranker")
KNOWN = truth("netflix_causal_ranker")
TEXT = read_page(ROOT / "case_studies" / "netflix_causal_ranker.md")
PAGE = page_functions(
    TEXT, "tables", "top", "basis", "weighted_fit", "two_models", "weights", "bins", "slot_rate", "ips", "dr", "snips", "interval", "learned", "ranker_effect",
    "slate", "ledger", "neighbour", "worst_low", "known", "lost", "one_draw", ranker=RANKER, explore=0.3, share=0.4, size=1_000,
)  # fmt: skip


def picks(t):
    m1, m0 = PAGE["two_models"](t)
    return PAGE["top"](m1 - m0), PAGE["top"](t["score"]), m1, m0


def draws(count, first, **how):
    return np.array([PAGE["one_draw"](first + k, **how) for k in range(count)])


def enumerate_slates(t, values):
    """열 가지 화면이 저마다의 확률로 나갈 때의 (확률, 로그)들. values(화면)은 그 화면에서의 재생의 기댓값."""
    best = PAGE["top"](t["score"])
    for pair in RANKER.SLATES.T:
        shown = np.repeat(pair[:, None].astype(int), best.shape[1], axis=1)
        chance = 0.03 + 0.7 * (shown == best).all(axis=0)
        yield (
            chance,
            t | {"shown": shown, "played": values(shown), "slate_propensity": np.broadcast_to(chance, shown.shape)},
        )


def test_the_constants_of_the_tests_are_those_of_the_page():
    assert "explore, share = 0.3, 2 / 5" in TEXT.text and "size = 1_000" in TEXT.text
    assert (RANKER.CANDIDATES, RANKER.SLOTS, RANKER.SLATES.shape) == (5, 2, (5, 10))


def test_the_frame_and_the_tables_are_the_same_log():
    t, again = (
        PAGE["tables"](RANKER.generate(seed=9, n=300, rule=0.4, steal=0.6)),
        RANKER.draw(seed=9, n=300, rule=0.4, steal=0.6),
    )
    for name, values in again.items():
        np.testing.assert_array_equal(t[name], values)
    assert (t["shown"].sum(axis=0) == 2).all()


def test_the_truth_on_the_card():
    t = RANKER.draw(seed=1, n=60_000)
    assert 1_000 * (t["chance_on"] - t["chance_off"]).mean() == pytest.approx(KNOWN["impression"], abs=1.0)
    effects = [PAGE["known"](RANKER.draw(seed=70_000 + k)) for k in range(40)]
    assert np.mean(effects) == pytest.approx(KNOWN["ATE"], abs=5)


@pytest.mark.parametrize("steal", [0.0, 1.0])
def test_the_truth_is_what_plays_when_the_slates_are_really_sent(steal):
    """두 순위의 화면을 정말 내보내 재생을 굴려 셉니다."""
    t, rng = RANKER.draw(seed=2, n=20_000), np.random.default_rng(3)
    new, old = picks(t)[:2]
    counted = []
    for pick in (new, old):
        plays = rng.random(pick.shape) < np.where(pick == 1, t["chance_on"], t["chance_off"])
        both = (plays * pick).sum(axis=0) == 2
        counted.append(1_000 * (plays.sum(axis=0) - both * (rng.random(pick.shape[1]) < steal)).mean())
    worth = [1_000 * RANKER.worth(pick, t["chance_off"], t["chance_on"], steal).mean() for pick in (new, old)]
    assert counted[0] - counted[1] == pytest.approx(worth[0] - worth[1], abs=25)
    if not steal:
        assert PAGE["known"](t) == pytest.approx(worth[0] - worth[1], abs=1e-6)


def test_the_written_probabilities_are_the_frequencies_until_a_rule_comes():
    t, ruled = RANKER.draw(seed=4, n=60_000), RANKER.draw(seed=4, n=60_000, rule=0.5)
    low = t["propensity"] < 0.5
    np.testing.assert_array_equal(low, PAGE["top"](t["score"]) == 0)
    assert t["shown"][low].mean() == pytest.approx(0.12, abs=0.004) and t["shown"][~low].mean() == pytest.approx(
        0.82, abs=0.004
    )
    fresh = low & (t["fresh"] == 1)
    assert t["shown"][fresh].mean() == pytest.approx(0.12, abs=0.01) and ruled["shown"][fresh].mean() > 0.3
    same = (t["shown"] == PAGE["top"](t["score"])).all(axis=0)
    assert (1 / t["slate_propensity"][0] * same).mean() == pytest.approx(1, abs=0.02)


def test_with_right_probabilities_even_a_wrong_model_gives_the_truth():
    """열 가지 화면을 모두 내보낸 기댓값: IPS와 (엉터리 모델을 쓴) 이중 강건, 화면 IPS가 정답과 같습니다."""
    t = RANKER.draw(seed=5, n=400)
    new, old, m1, m0 = picks(t)
    off, on = t["chance_off"], t["chance_on"]
    total = np.zeros((3, 400))
    for chance, log in enumerate_slates(t, lambda shown: np.where(shown == 1, on, off)):
        total += chance * np.array(
            [PAGE["ips"](log, new - old), PAGE["dr"](log, new - old, 1 - m0, m1**2), PAGE["slate"](log, new, old)]
        )
    want = RANKER.worth(new, off, on) - RANKER.worth(old, off, on)
    np.testing.assert_allclose(total, np.broadcast_to(want, total.shape), atol=1e-9)


def test_when_slots_compete_only_the_whole_slate_is_right():
    t = RANKER.draw(seed=6, n=4_000, steal=1.0)
    new, old, m1, m0 = picks(t)
    off, on = t["chance_off"], t["chance_on"]

    def values(shown):
        seen = np.where(shown == 1, on, off)
        return seen - 0.5 * shown * np.where(shown == 1, on, 1.0).prod(axis=0)

    total = np.zeros((2, 4_000))
    for chance, log in enumerate_slates(t, values):
        total += chance * np.array([PAGE["slate"](log, new, old), PAGE["dr"](log, new - old, m1, m0)])
    want = RANKER.worth(new, off, on, 1.0) - RANKER.worth(old, off, on, 1.0)
    np.testing.assert_allclose(total[0], want, atol=1e-9)
    assert 1_000 * (total[1] - want).mean() < -25


def test_snips_is_the_difference_of_four_weighted_means():
    t = RANKER.draw(seed=7, n=900)
    new, old = picks(t)[:2]
    D, A, e, Y = new - old, t["shown"], t["propensity"], t["played"]
    want = 0.0
    for side in (1, -1):
        at = D == side
        on, off = (np.average(Y[at], weights=w[at]) for w in (A / e, (1 - A) / (1 - e)))
        want += side * (on - off) * at.sum() / 900
    assert PAGE["snips"](t, D).mean() == pytest.approx(want, abs=1e-12)


def test_coverage_and_the_sign_of_the_tempting_number():
    rows = []
    for k in range(80):
        d = RANKER.draw(seed=80_000 + k)
        rows.append([*PAGE["ranker_effect"](d), PAGE["known"](d), PAGE["slot_rate"](d)])
    value, low, high, want, slots = np.array(rows).T
    assert np.mean((low <= want) & (want <= high)) > 0.9 and abs(np.mean(value - want)) < 8
    assert np.mean(slots) < -80 and np.mean(slots < 0) > 0.95 and np.mean(want > 0) > 0.95


def test_what_breaks_in_the_changed_worlds():
    """열의 차례는 정답, IPS, SNIPS, 이중 강건, 화면, 자른 IPS, 자른 이중 강건(저마다 값, 아래, 위), 점검."""
    ruled = draws(40, 0, rule=0.5)
    bias = (ruled[:, 1:13:3] - ruled[:, :1]).mean(axis=0)
    assert bias[0] > 150 and bias[1] < -30 and abs(bias[2]) < 20
    assert np.mean(np.abs(ruled[:, -1]) > 1.96) > 0.95
    thin = draws(40, 0, explore=0.03)
    bias = (thin[:, 1:19:3] - thin[:, :1]).mean(axis=0)
    assert abs(bias[2]) < 45 and bias[4] < -300 and bias[5] > 60
    few, same = draws(100, 0, n=300), draws(100, 0, n=300, same=True)
    assert (few[:, 7] - few[:, 0]).mean() < 30 < 45 < (same[:, 7] - same[:, 0]).mean()


def beside(count, **how):
    logs = (RANKER.draw(seed=500 + k, **how) for k in range(count))
    return np.array([PAGE["neighbour"](t, PAGE["two_models"](t)[0]) for t in logs])


def test_the_power_of_the_neighbour_check_grows_with_the_root_of_the_visits_and_with_the_competition():
    """쪽은 방문 1,000번의 평균 z를 키워 로그의 힘을 셉니다: 절반의 다툼은 절반의 z, 세 배의 방문은 √3배의 z."""
    quiet, some, full = (beside(80, n=1_000, steal=s) for s in (0.0, 0.5, 1.0))
    assert abs(quiet.mean()) < 0.35 and np.mean(np.abs(quiet) > 1.96) < 0.13
    assert some.mean() / full.mean() == pytest.approx(0.5, abs=0.15)
    large = beside(30, n=3_000, steal=1.0)
    assert large.mean() == pytest.approx(np.sqrt(3) * full.mean(), abs=0.7) and np.mean(large < -1.96) > 0.85
    assert 0.25 < np.mean(np.abs(np.random.default_rng(1).normal(large.mean() / 2, 1, 5_000)) > 1.96) < 0.6


def test_the_power_of_the_ledger_belongs_to_the_ledger():
    """신작의 0.12가 조금 오를 때의 z는 보인 수의 차이를 점검 자신의 표준오차로 나눈 값입니다(이항의 표준오차로는 더 크게 나옵니다)."""
    seen, formula, binomial = [], [], []
    for k in range(40):
        right, t = RANKER.draw(seed=600_000 + k), RANKER.draw(seed=600_000 + k, rule=0.04)
        low = (t["fresh"] == 1) & (PAGE["top"](t["score"]) == 0)
        moved = t["shown"][low].sum() - right["shown"][low].sum()
        gap = (right["fresh"] * (right["shown"] - right["propensity"])).sum(axis=0)
        seen.append(PAGE["ledger"](t, "fresh") - PAGE["ledger"](right, "fresh"))
        formula.append(moved / (gap.std() * np.sqrt(len(gap))))
        binomial.append(moved / np.sqrt(0.12 * 0.88 * low.sum()))
    assert np.mean(seen) == pytest.approx(np.mean(formula), rel=0.12) and np.mean(binomial) > 1.2 * np.mean(seen)


def test_cutting_makes_the_interval_wrong_while_the_value_errs_no_more():
    thin = draws(100, 0, explore=0.03)
    miss = thin[:, [7, 16]] - thin[:, :1]
    inside = [np.mean((thin[:, k + 1] <= thin[:, 0]) & (thin[:, 0] <= thin[:, k + 2])) for k in (7, 16)]
    rmse = np.sqrt((miss**2).mean(axis=0))
    assert inside[0] > 0.88 and inside[1] < 0.6 and rmse[1] < 1.2 * rmse[0]


def test_the_worst_case_is_the_worst_over_all_cuts(monkeypatch):
    t = RANKER.draw(seed=11, n=600)
    new, old, m1, m0 = picks(t)
    D, L, total = new - old, 1.2, 0.0
    for side in (1, -1):
        at = D == side
        for w, m, sign in zip(PAGE["weights"](t), (m1, m0), (side, -side), strict=True):
            seen = at & (w > 0)
            rest, v = sign * (t["played"] - m)[seen], w[seen]
            found = []
            for cut in np.r_[np.inf, rest]:
                tilted = 1 + (v - 1) * np.where(rest >= cut, 1 / L, L)
                found.append((tilted * rest).sum() / tilted.sum())
            total += min(found) * at.sum() / 600
    monkeypatch.setitem(PAGE, "interval", lambda each: (0.0, 1_000 * each.mean()))
    middle = PAGE["worst_low"](t, D, m1, m0, L)
    monkeypatch.undo()
    assert middle == pytest.approx(1_000 * ((D * (m1 - m0)).sum(axis=0).mean() + total), abs=1e-6)
    lows = [PAGE["worst_low"](t, D, m1, m0, L) for L in (1.0, 1.05, 1.2)]
    assert lows[0] > lows[1] > lows[2]


def test_the_price_of_exploring_and_the_visits_it_buys():
    """아무 둘이나 보일 때 잃는 재생은 정답과 맞고, 탐색을 열에 하나로 줄이면 필요한 방문이 그만큼 늘어 합은 거의 같습니다."""
    prices, wants, kept = [], [], []
    for k in range(40):
        t = RANKER.draw(seed=90_000 + k)
        new, old, m1, m0 = picks(t)
        kept.append(1_000 * ((new - 0.4) * (t["chance_on"] - t["chance_off"])).sum(axis=0).mean())
        prices.append(PAGE["lost"](t, old, m1, m0)[0])
        wants.append(1_000 * ((old - 0.4) * (t["chance_on"] - t["chance_off"])).sum(axis=0).mean())
    assert np.mean(prices) == pytest.approx(np.mean(wants), abs=3 * np.std(prices) / np.sqrt(40))
    assert 40 < np.mean(wants) < 52
    assert 0.05 * 50 * 100 * np.mean(kept) / 1_000 == pytest.approx(34.3, abs=1)  # 메모: 탐색 5%의 값(만 원/주)
    t = RANKER.draw(seed=8, n=20_000)
    new, old, _, _ = picks(t)
    off, on, total = t["chance_off"], t["chance_on"], {}
    for explore in (0.03, 0.3, 1.0):
        later = np.where(old == 1, 1 - 0.6 * explore, 0.4 * explore)
        noise = on * (1 - on) / later + off * (1 - off) / (1 - later)
        spread = ((new - old) ** 2 * noise).sum(axis=0).mean() + ((new - old) * (on - off)).sum(axis=0).var()
        total[explore] = explore * spread
    assert total[0.3] == pytest.approx(total[0.03], rel=0.15) and total[1.0] > 1.4 * total[0.3]
    half = np.ptp(PAGE["ranker_effect"](RANKER.draw(seed=8, n=20_000))[1:]) / 2
    assert half == pytest.approx(1_960 * np.sqrt(total[0.3] / 0.3 / 20_000), rel=0.08)


def test_the_memo_counts_each_won_once():
    assert "value, traffic, running = 50, 100, 100" in TEXT.text
    d = load("netflix_causal_ranker")
    value, low, high = PAGE["ranker_effect"](d)
    plays = value / 1_000 * 1_000_000  # 한 주 방문 백만 번
    assert 50 * 100 * value / 1_000 - 100 == pytest.approx(plays * 50 / 10_000 - 100)
    assert 1_000 * 100 / (50 * 100) == 20 and low > -20
    assert load("netflix_causal_ranker").groupby("visit_id").size().eq(5).all()


def test_without_noticing_there_is_nothing_to_gain():
    t = RANKER.draw(seed=12, lift=0.0)
    np.testing.assert_array_equal(t["chance_on"], t["chance_off"])
    assert PAGE["known"](t) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"n": 50},
        {"n": True},
        {"explore": 0.0},
        {"rule": 1.5},
        {"steal": float("nan")},
        {"lift": -1},
        {"rule_sees": "x"},
    ],
)
def test_impossible_arguments_are_refused(wrong):
    with pytest.raises(ValueError):
        RANKER.generate(**wrong)
