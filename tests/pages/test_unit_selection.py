"""유지 제안 사례: 정답을 쪽의 함수 없이 유형에서 다시 세고, 한계를 선형계획과 견주고, 구간이 언제 맞고 언제 틀리는지, 메모의 돈을 봅니다."""

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.stats import norm

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, load, truth

MAKE = generator("unit_selection")
KNOWN = truth("unit_selection")
TEXT = read_page(ROOT / "case_studies" / "unit_selection.md")
BENEFIT = np.array([150_000, -30_000, 0, -280_000])
ROWS = dict(zip(("ONE", "P1", "P0", "S11", "S10", "S01"), np.eye(6), strict=True))
ROWS["Y0"] = ROWS["P0"] - ROWS["S01"]
PAGE = page_functions(
    TEXT, "counts", "shares", "money", "harm", "add", "ends", "linear", "extreme", "interval", "overall", "rule_range", "scores", "bar",
    BENEFIT=BENEFIT, norm=norm, **ROWS,
)  # fmt: skip
ONE, P1, P0, S11, S10, S01, Y0 = (ROWS[k] for k in ("ONE", "P1", "P0", "S11", "S10", "S01", "Y0"))
PICKED, SKIPPED = PAGE["harm"](S11, Y0, S10), PAGE["harm"](P1 - S11, S01, ONE - P1 - S10)
TWO, THREE = PAGE["harm"](P1, P0, ONE - P1), PAGE["add"](PICKED, SKIPPED)


def seen(**world):
    """그 세상의 칸마다 참 확률을 쪽의 여섯 칸으로."""
    real = MAKE.moments(**world)
    return np.stack([np.ones(6), real["p1"], real["p0"], *real["s"].T[:3]], -1), real


def candidates(benefit=BENEFIT):
    base, some = PAGE["money"](benefit, P1, P0, ONE - P1), PAGE["money"](benefit, S11, Y0, S10)
    three, two, usual = (PAGE["ends"](b, h, benefit) for b, h in ((base, THREE), (base, TWO), (some, PICKED)))
    return {
        "모두": three,
        "두 팔": two,
        "상담원": usual,
        "단조성": base[None],
        "규칙": np.vstack([0 * ONE, three[0], usual[0]]),
    }


def by_linear_programme(m, gain):
    """칸 하나에서 (상담원의 뜻, 유형) 여덟 몫의 선형계획으로 구한 순이익의 두 끝."""
    y1, y0 = np.array([1, 1, 0, 0]), np.array([0, 1, 0, 1])
    left = np.array(
        [[*y1, 0, 0, 0, 0], [*(1 - y1), 0, 0, 0, 0], [0, 0, 0, 0, *y0], [0, 0, 0, 0, *(1 - y0)], [*y1, *y1], [*y0, *y0]]
    )
    right = [m[3], m[4], m[5], 1 - m[3:].sum(), m[1], m[2]]
    return [s * linprog(s * gain, A_eq=left, b_eq=right).fun for s in (1, -1)]


def test_the_constants_of_the_tests_are_those_of_the_page():
    assert "VALUE, DISCOUNT, HARM = 180_000, 30_000, 100_000" in TEXT.text
    assert "BENEFIT = np.array([VALUE - DISCOUNT, -DISCOUNT, 0, -VALUE - HARM])" in TEXT.text


def test_the_card_holds_the_worst_case_and_the_true_benefit_of_the_rule():
    """생성기로 손님을 많이 뽑아 유형을 직접 세고, 한계는 선형계획으로 구합니다."""
    m, real = seen()
    low_all = [by_linear_programme(m[i], np.tile(BENEFIT, 2))[0] for i in range(6)]
    low_usual = [by_linear_programme(m[i], np.r_[BENEFIT, np.zeros(4)])[0] for i in range(6)]
    worst = np.stack([np.zeros(6), low_all, low_usual])
    assert MAKE.SHARE @ worst.max(0) == pytest.approx(KNOWN["ATE"], abs=1)
    pick = worst.argmax(0)
    assert pick.tolist() == [1, 0, 2, 0, 0, 0]

    d = MAKE.generate(seed=5, n=600_000)
    gain = np.select(
        [(d.stay_0 == 0) & (d.stay_1 == 1), (d.stay_0 == 1) & (d.stay_1 == 1), (d.stay_0 == 1)], BENEFIT[[0, 1, 3]], 0
    )
    cell = 2 * d["unused"] + 4 * d["trouble"] + d["contract"]
    assert gain.mean() == pytest.approx(KNOWN["everyone"], abs=400)
    usual = d["arm"] == 2
    by_rule = np.select([pick[cell] == 1, pick[cell] == 2], [gain, gain * d["offered"]], 0)[usual]
    assert by_rule.mean() == pytest.approx(KNOWN["rule"], abs=500)


def test_the_tables_are_counted_from_the_same_world_as_the_rows():
    rows = PAGE["counts"](load("unit_selection"))
    assert rows[..., [0, 2, 4, 5, 6, 7]].sum() == 36_000
    many = sum(PAGE["counts"](MAKE.generate(seed=s, n=40_000, ear=1.5, charm=0.2, shift=0.3)) for s in range(6))
    exact, _ = seen(ear=1.5, charm=0.2, shift=0.3)
    m, size = PAGE["shares"](many.sum(0))
    spread = np.sqrt(exact * (1 - exact) / size[:, [0, 0, 1, 2, 2, 2]])[:, 1:]
    assert (abs(m - exact)[:, 1:] < 4.5 * spread).all()
    drawn = MAKE.tables(np.random.default_rng(4), 40, ear=1.5, charm=0.2, shift=0.3).sum((0, 1))
    m, size = PAGE["shares"](drawn)
    spread = np.sqrt(exact * (1 - exact) / size[:, [0, 0, 1, 2, 2, 2]])[:, 1:]
    assert (abs(m - exact)[:, 1:] < 4.5 * spread).all()


@pytest.mark.parametrize(
    "benefit", [BENEFIT, np.array([150_000, -90_000, 0, -180_000]), np.array([90_000, -40_000, -10_000, -50_000])]
)
def test_the_bounds_are_those_of_a_linear_programme(benefit):
    """σ의 부호가 어느 쪽이든 후보의 최댓값과 최솟값이 선형계획의 두 끝입니다."""
    for ear in (0.0, 1.5):
        m, _ = seen(ear=ear)
        rows = candidates(benefit)
        low, high = (m @ rows["모두"][0].T).max(1), (m @ rows["모두"][1].T).min(1)
        one = (m @ PAGE["ends"](PAGE["money"](benefit, S11, Y0, S10), PICKED, benefit)[0].T).max(1)
        for i in range(6):
            assert [low[i], high[i]] == pytest.approx(by_linear_programme(m[i], np.tile(benefit, 2)), abs=1)
            if benefit[2] == 0:  # 제안하지 않은 손님에게는 아무 값도 생기지 않습니다
                assert one[i] == pytest.approx(by_linear_programme(m[i], np.r_[benefit, np.zeros(4)])[0], abs=1)


def test_a_third_arm_that_does_not_listen_narrows_nothing_and_gain_equality_closes_the_bounds():
    widths = {}
    for ear in (0.0, 1.0, 2.0):
        m, _ = seen(ear=ear)
        rows = candidates()
        for k in ("두 팔", "모두"):
            widths[k, ear] = MAKE.SHARE @ ((m @ rows[k][1].T).min(1) - (m @ rows[k][0].T).max(1))
    assert widths["모두", 0.0] == pytest.approx(widths["두 팔", 0.0], abs=1e-6)
    assert widths["모두", 2.0] < widths["모두", 1.0] < widths["두 팔", 1.0] - 1_000
    same = np.array([90_000, -40_000, -10_000, -140_000])
    m, real = seen()
    rows = candidates(same)
    assert (m @ rows["모두"][0].T).max(1) == pytest.approx(real["types"] @ same)
    assert (m @ rows["모두"][1].T).min(1) == pytest.approx(real["types"] @ same)


def test_uplift_ranks_rightly_only_if_sure_stayers_and_lost_causes_cost_the_same():
    _, real = seen()
    uplift = real["p1"] - real["p0"]
    equal, other = np.array([100.0, -50, -50, -200]), np.array([90.0, -40, -10, -140])
    for b in (equal, other):
        assert b @ [1, -1, -1, 1] == 0
    assert (np.argsort(real["types"] @ equal) == np.argsort(uplift)).all()
    assert (np.argsort(real["types"] @ other) != np.argsort(uplift)).any()


def worst_runs(**world):
    rows = candidates()["규칙"]
    sets = MAKE.tables(np.random.default_rng(8), 400, **world)
    m, _ = seen(**{k: v for k, v in world.items() if k in ("harm", "lure", "ear")})
    value, se = PAGE["overall"](*PAGE["extreme"](rows, sets)[:2], sets)
    split, _ = PAGE["overall"](*PAGE["extreme"](rows, sets, split=True)[:2], sets)
    return sets, value, se, split, MAKE.SHARE @ (m @ rows.T).max(1)


def test_the_worst_case_is_covered_and_the_largest_candidate_flatters_small_samples():
    for world in ({}, {"harm": 0.0}, {"ear": 0.0}):
        _, value, se, split, goal = worst_runs(**world)
        assert 0.91 < (abs(value - goal) < 1.96 * se).mean() < 0.985
        assert abs((value - goal).mean()) < 0.35 * se.mean() and (split - goal).mean() < 50
    _, value, _, split, goal = worst_runs(harm=0.0, lure=0.0)
    assert goal == 0 and abs(value).max() == 0 and split.mean() <= 0  # 아무에게도 보내지 않습니다
    _, value, _, split, goal = worst_runs(n=3_000)
    assert (value - goal).mean() > 500 and (split - goal).mean() < -1_000


def test_another_quarter_or_another_offer_breaks_the_worst_case_and_the_check_hardly_sees_it():
    over = np.array([S01 - P0, S11 - P1, S10 - (ONE - P1), (ONE - S11 - S10 - S01) - (ONE - P0)])
    for world in ({"shift": 0.5}, {"harm": 0.0, "charm": 0.3}):
        sets, value, se, _, goal = worst_runs(**world)
        assert (value - goal).mean() > 1_500 and (abs(value - goal) < 1.96 * se).mean() < 0.6
        assert (PAGE["scores"](over, sets).max((-1, -2)) > PAGE["bar"](over)).mean() < 0.2
    _, value, _, _, goal = worst_runs(shift=-0.3)  # 좋은 말투가 거꾸로 늘면 최악을 낮게 말합니다
    assert (value - goal).mean() < -500


def test_the_interval_holds_at_the_end_and_inside_and_monotonicity_only_without_harm():
    for harm, inside in ((0.0, (0.92, 0.985)), (1.0, (0.99, 1.0))):
        sets = MAKE.tables(np.random.default_rng(9), 400, harm=harm)
        goal = MAKE.SHARE @ MAKE.moments(harm=harm)["types"] @ BENEFIT
        rows = candidates()
        _, _, start, stop = PAGE["rule_range"]([rows["모두"]] * 6, sets)
        assert inside[0] <= ((start <= goal) & (goal <= stop)).mean() <= inside[1]
        value, se = PAGE["overall"](*PAGE["extreme"](rows["단조성"], sets)[:2], sets)
        held = (abs(value - goal) < 1.96 * se).mean()
        assert held > 0.91 if harm == 0 else held < 0.02


def test_the_interval_uses_1645_when_the_bounds_are_far_apart_and_196_when_they_meet():
    low, high = PAGE["interval"](np.array([0.0, 0.0]), np.ones(2), np.array([50.0, 0.0]), np.ones(2))
    assert low == pytest.approx([-1.645, -1.96], abs=2e-3) and high == pytest.approx([51.645, 1.96], abs=2e-3)


def test_the_check_of_monotonicity_sees_the_harm_and_cannot_tell_it_from_charm():
    least = np.array(THREE[0][1:])
    for world, low, high in (({}, 0.9, 1.0), ({"harm": 0.0}, 0.0, 0.05), ({"harm": 0.0, "charm": 0.3}, 0.4, 1.0)):
        sets = MAKE.tables(np.random.default_rng(10), 200, **world)
        assert low <= (PAGE["scores"](least, sets).max((-1, -2)) > PAGE["bar"](least)).mean() <= high


def test_the_money_of_the_memo_is_counted_once():
    """쪽의 함수 없이: 지금(모두 상담원)과 견준 남는 손님, 할인, 내쫓는 손님에 값을 곱합니다."""
    d = load("unit_selection")
    cell = 2 * d["unused"] + 4 * d["trouble"] + d["contract"]
    plan = {0: 1, 2: 2}
    saved = harm_low = harm_high = 0.0
    for k in range(6):
        of = d[cell == k]
        w = len(of) / len(d)
        none, every, usual = (of[of["arm"] == a] for a in range(3))
        p0, p1 = none["stayed"].mean(), every["stayed"].mean()
        s = usual["stayed"].mean()
        s11 = (usual["offered"] * usual["stayed"]).mean()
        s10, s01 = usual["offered"].mean() - s11, s - s11
        if plan.get(k) == 1:
            saved += w * (180_000 * (p1 - s) - 30_000 * (p1 - s11))
            harm_low += w * max(0, s01 - (p1 - s11))
            harm_high += w * min(s01, 1 - p1 - s10)
        elif k not in plan:
            saved += w * (180_000 * (p0 - s) + 30_000 * s11)
            harm_low -= w * min(p0 - s01, s10)
            harm_high -= w * max(0, p0 - s01 - s11)
    rows = candidates()
    today = {
        0: [-rows["상담원"][1], -rows["상담원"][0]],
        1: PAGE["ends"](rows["단조성"][0] - PAGE["money"](BENEFIT, S11, Y0, S10), SKIPPED),
    }
    today[2] = [np.zeros((1, 6))] * 2
    low, high, start, stop = PAGE["rule_range"]([today[plan.get(k, 0)] for k in range(6)], PAGE["counts"](d))
    assert low == pytest.approx(saved - 100_000 * harm_high, abs=1)
    assert high == pytest.approx(saved - 100_000 * harm_low, abs=1)
    assert start < low < saved < high < stop and low > 0


def test_when_nobody_moves_the_candidates_tie_and_only_the_split_interval_keeps_its_promise():
    sets = MAKE.tables(np.random.default_rng(12), 400, harm=0.0, lure=0.0)
    goal, pairs = MAKE.SHARE @ MAKE.moments(harm=0.0, lure=0.0)["types"] @ BENEFIT, [candidates()["모두"]] * 6
    held = {}
    for split in (False, True):
        _, _, start, stop = PAGE["rule_range"](pairs, sets, split)
        held[split] = ((start <= goal) & (goal <= stop)).mean()
    assert held[False] < 0.88 and held[True] > 0.92


def test_the_third_arm_moves_no_lower_end_of_offering_to_everyone_only_the_upper():
    """결정이 쓰는 아래 끝은 두 팔만으로 같고, 셋째 팔은 위 끝과 '상담원'이라는 규칙을 더합니다."""
    rows = candidates()
    for m in (seen()[0], PAGE["shares"](PAGE["counts"](load("unit_selection")).sum(0))[0]):
        low, high = ({k: f(m @ rows[k][i].T, 1) for k in ("모두", "두 팔")} for i, f in ((0, np.max), (1, np.min)))
        assert low["모두"] == pytest.approx(low["두 팔"]) and high["모두"][2] < high["두 팔"][2] - 3_000


def versus_today():
    rows = candidates()
    all_minus_usual = rows["단조성"][0] - PAGE["money"](BENEFIT, S11, Y0, S10)
    return [
        [-rows["상담원"][1], -rows["상담원"][0]],
        PAGE["ends"](all_minus_usual, SKIPPED),
        [np.zeros((1, 6))] * 2,
    ]


def test_the_rule_depends_on_what_the_worst_is_compared_with():
    m, _ = seen()
    floor = np.stack([(m @ pair[0].T).max(1) for pair in versus_today()], -1)
    assert floor.argmax(1).tolist() == [1, 0, 2, 0, 2, 0]  # 아무에게도 보내지 않을 때와 견주면 다섯째 칸이 0입니다


@pytest.mark.parametrize(("n", "least"), [(36_000, 0.97), (3_000, 0.94)])
def test_the_intervals_of_the_card_and_the_memo_cover_the_rule_that_the_data_chose(n, least):
    sets, real = MAKE.tables(np.random.default_rng(13), 150, n=n), MAKE.moments()
    rows = candidates()
    pairs, today = [[np.zeros((1, 6))] * 2, rows["모두"], rows["상담원"]], versus_today()
    gain = np.stack([np.zeros(6), real["types"] @ BENEFIT, real["chosen"] @ BENEFIT])
    plan = np.array([0] + [1] * 4 + [2] * 2)[PAGE["extreme"](rows["규칙"], sets)[2]]
    card = memo = 0
    for rule in np.unique(plan, axis=0):
        some = sets[(plan == rule).all(1)]
        for choice, base in ((pairs, 0), (today, MAKE.SHARE @ gain[2])):
            goal = MAKE.SHARE @ gain[rule, range(6)] - base
            _, _, start, stop = PAGE["rule_range"]([choice[k] for k in rule], some)
            inside = ((start <= goal) & (goal <= stop)).sum()
            card, memo = (card + inside, memo) if base == 0 else (card, memo + inside)
    assert card / 150 > least and memo / 150 > least


def test_the_safe_price_of_harm_is_where_the_lower_end_meets_its_error():
    """쪽의 식 없이: 요금·약정 없음에 모두 제안하면 역효과의 위 한계는 제안이 없을 때 남는 몫입니다."""
    d = load("unit_selection")
    of = d[(d["unused"] + d["trouble"] + d["contract"]) == 0]
    none, every = (of.loc[of["arm"] == a, "stayed"] for a in (0, 1))
    z = {}
    for harm in (132_000, 133_000):
        value = 150_000 * every.mean() - (180_000 + harm) * none.mean()
        z[harm] = value / np.hypot(
            150_000 * every.std() / len(every) ** 0.5, (180_000 + harm) * none.std() / len(none) ** 0.5
        )
    assert z[133_000] < 1.645 < z[132_000]
    m, size = PAGE["shares"](PAGE["counts"](d).sum(0))
    all_money = candidates()["단조성"][0]
    page = page_functions(
        TEXT,
        "safe_price",
        linear=PAGE["linear"],
        m=m,
        size=size,
        price=np.arange(0, 500_001, 1_000),
        HARMED={"모두": (all_money, THREE[1])},
    )
    assert page["safe_price"](0, "모두") == 132_000 and page["safe_price"](4, "모두") == 0


def test_the_kinds_are_probabilities_wherever_the_generator_lets_one_go():
    for harm in (0.0, 1.3):
        for lure in (0.0, 1.0):
            assert MAKE.kinds(harm, lure).min() >= 0 and MAKE.kinds(harm, lure).sum(-1) == pytest.approx(1)
