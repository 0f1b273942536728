"""도시 예산 사례: 손 계산과 다른 풀이, 제비의 불편성, 부푸는 약속, 가정을 깬 세상, 메모의 돈."""

from types import SimpleNamespace

import networkx as nx
import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import stdtrit

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, load, truth

MAKER = generator("uber_marketplace_budgets")
TEXT = read_page(ROOT / "case_studies" / "uber_marketplace_budgets.md")
STEP = np.log(1.3)
PAGE = page_functions(
    TEXT, "grids", "within", "prepare", "slopes", "split", "promise", "fixed_effects", "shrink", "plan", "contrast", "lottery", "worth", "plan_gain",
    "swapped_plan", "swapped_gain", "gap", "checks", "true_gain", "known", "quarter",
    SimpleNamespace=SimpleNamespace, stdtrit=stdtrit, MARGIN=0.25, ONCE=300, QUARTER=13, STEP=STEP,
)  # fmt: skip


def draws(count, first=40_000, **world):
    made = [MAKER.simulate(seed=first + k, **world) for k in range(count)]
    return [(d, PAGE["prepare"](d)) for d in made]


def test_the_constants_of_the_tests_are_those_of_the_page_and_the_generator():
    assert "MARGIN, ONCE, QUARTER = 0.25, 300, 13" in TEXT.text and "STEP = np.log(1.3)" in TEXT.text
    assert MAKER.STEP == 1.3 and MAKER.LOTS == 3


def test_every_city_draws_three_up_and_three_down_and_the_lot_moves_the_budget():
    d, none = load("uber_marketplace_budgets"), MAKER.generate(seed=719)
    lots = d.groupby("city_id")["lot"].value_counts().unstack()
    assert (lots[1] == 3).all() and (lots[-1] == 3).all()
    fit = d.assign(x=np.log(d["budget"]) - d.groupby("city_id")["budget"].transform("median").map(np.log))
    up, down = (fit.loc[fit["lot"] == s, "x"].mean() for s in (1, -1))
    assert (up - down) / 2 == pytest.approx(STEP, abs=0.04)
    assert none["budget"].equals(d["budget"])


def test_the_truth_columns_are_what_the_bookings_did():
    """같은 씨앗의 세상 둘을 빼서 기울기와 빼앗긴 몫을 되찾습니다."""
    plain, taken, bent = (MAKER.generate(seed=3, **w) for w in ({}, {"spill": 0.5}, {"bend": 1.0}))
    assert plain["slope"].mean() == pytest.approx(truth("uber_marketplace_budgets")["slope"], abs=0.03)
    many = MAKER.generate(seed=1, cities=200)
    assert many.groupby("city_id")["slope"].first().mean() == pytest.approx(0.15, abs=0.015)
    lost = (plain["bookings"] - taken["bookings"]).to_numpy().reshape(60, -1)
    x = np.log(plain["budget"]).to_numpy().reshape(60, -1)
    lift = (plain["base"] * plain["slope"]).to_numpy().reshape(60, -1)[:, :1] * (x - x.mean(axis=1, keepdims=True))
    twin = np.arange(60) ^ 1
    moved = lost - lost.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(moved, 0.5 * lift[twin], atol=0.15)
    saved = (plain["bookings"] - bent["bookings"]).to_numpy()
    assert saved.min() > -0.15 and saved.max() > 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"cities": 11},
        {"cities": 8},
        {"weeks": True},
        {"spill": 1.5},
        {"hidden": float("nan")},
        {"bend": "x"},
        {"keep": -1},
    ],
)
def test_impossible_worlds_are_refused(wrong):
    with pytest.raises(ValueError):
        MAKER.generate(**wrong)


def test_the_residuals_are_those_of_one_regression_with_dummies():
    d = MAKER.generate(seed=8, cities=10, weeks=20)
    plain = d[d["lot"] == 0]
    f = plain["forecast"].to_numpy()
    dummies = [(plain[c].to_numpy()[:, None] == np.unique(plain[c])).astype(float) for c in ("city_id", "week")]
    own = dummies[0] * np.log(plain["budget"]).to_numpy()[:, None]
    g = PAGE["prepare"](d)
    X = np.column_stack([*dummies, f, f**2, f**3])
    for name, y in (("x", np.log(plain["budget"])), ("y", plain["bookings"] / plain["base"])):
        rest = y - X @ np.linalg.lstsq(X, y, rcond=None)[0]
        np.testing.assert_allclose(getattr(g, name)[g.w == 1], rest, atol=5e-4)
    # 모든 도시의 기울기가 하나이면 FWL의 계수입니다
    both = np.column_stack([own.sum(axis=1), X])
    coef = np.linalg.lstsq(both, plain["bookings"] / plain["base"], rcond=None)[0][0]
    assert (g.w * g.x * g.y).sum() / (g.w * g.x**2).sum() == pytest.approx(coef, abs=1e-3)


def test_the_split_is_the_optimum_of_a_general_solver():
    rng = np.random.default_rng(5)
    value, now = rng.uniform(20, 200, 8), rng.uniform(10, 60, 8)
    move = PAGE["split"](value, now)
    assert now @ np.exp(move) == pytest.approx(now.sum(), rel=1e-6)
    found = minimize(
        lambda m: -(value @ m) / 100,
        np.zeros(8),
        bounds=[(-STEP, STEP)] * 8,
        constraints={"type": "ineq", "fun": lambda m: (now.sum() - now @ np.exp(m)) / 100},
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": 500},
    )
    assert found.success and value @ move == pytest.approx(value @ found.x, rel=1e-4)
    free = now * np.exp(PAGE["split"](value, now, limit=9))
    np.testing.assert_allclose(free / free.sum(), value / value.sum(), rtol=1e-5)
    lost = PAGE["split"](np.append(value, -5.0), np.append(now, 30.0))
    assert lost[-1] == pytest.approx(-STEP)


def test_shrinking_keeps_what_is_sure_and_drops_what_is_noise():
    rng = np.random.default_rng(2)
    real = rng.normal(0.15, 0.06, 4_000)
    se = rng.uniform(0.03, 0.09, 4_000)
    seen = real + se * rng.normal(size=4_000)
    steady, tau = PAGE["shrink"](seen, se)
    assert tau == pytest.approx(0.06, abs=0.004)
    assert ((steady - real) ** 2).mean() < 0.75 * ((seen - real) ** 2).mean()
    assert np.polyfit(steady, real, 1)[0] == pytest.approx(1, abs=0.06)
    noise, none = PAGE["shrink"](0.15 + np.full(50, 0.05) * np.tile([0.5, -0.5], 25), np.full(50, 0.05))
    assert none == 0 and np.ptp(noise) == 0


def test_promises_swell_twice_and_the_lottery_does_not():
    rows = []
    for d, g in draws(60):
        base = g.base
        own = [PAGE["slopes"](PAGE["prepare"](d, 0))[0], PAGE["slopes"](g)[0], PAGE["shrink"](*PAGE["slopes"](g))[0]]
        moves = [PAGE["split"](base * b, g.now) for b in own]
        rows.append([[0.25 * (base * b) @ m, PAGE["true_gain"](d, m)] for b, m in zip(own, moves, strict=True)])
    told, real = np.mean(rows, axis=0).T
    assert told[0] > 3 * real[0] and told[1] > 1.5 * real[1] and told[2] == pytest.approx(real[2], rel=0.12)
    assert real[0] < 0.75 * real[2]


def test_the_lottery_is_unbiased_whatever_the_planners_knew_while_the_level_of_the_records_is_not():
    runs = draws(100, hidden=1.5)
    miss = [
        PAGE["worth"](g.base * PAGE["plan"](g)[0], *PAGE["lottery"](g))[0] - PAGE["true_gain"](d, PAGE["plan"](g)[0])
        for d, g in runs
    ]
    assert abs(np.mean(miss)) < 3.2 * np.std(miss) / np.sqrt(100)
    gaps = np.array([PAGE["gap"](g) for _, g in runs[:40]])
    assert (gaps[:, 1] > 0.03).all()


@pytest.mark.parametrize("world", [{"spill": 0.4}, {"bend": 1.0}, {"keep": 0.5}])
def test_outside_what_the_lottery_shook_both_ways_promise_too_much(world):
    rows = []
    for d, g in draws(40, **world):
        m, other = PAGE["plan"](g)[0], PAGE["swapped_plan"](g)
        rows.append([PAGE["worth"](g.base * m, *PAGE["lottery"](g))[0] - PAGE["true_gain"](d, m),
                     PAGE["swapped_gain"](g)[0] - PAGE["true_gain"](d, other)])  # fmt: skip
    assert (np.mean(rows, axis=0) > 18).all()


def test_the_checks_find_the_size_of_what_they_look_for():
    steal = np.array([PAGE["checks"](g)[0] for _, g in draws(80, spill=0.4)])
    assert steal[:, 0].mean() == pytest.approx(0.39, abs=0.04)  # 주의 평균에 든 자기 몫만큼 작습니다
    assert ((steal[:, 1] < 0.4) & (0.4 < steal[:, 2])).mean() > 0.86
    bend = np.array([PAGE["checks"](g)[1] for _, g in draws(80, bend=1.0)])
    assert bend[:, 0].mean() == pytest.approx(1.0, abs=0.25)
    assert ((bend[:, 1] < 1.0) & (1.0 < bend[:, 2])).mean() > 0.86
    calm = np.array([PAGE["checks"](g) for _, g in draws(60)])
    assert (calm[:, :, 1] > 0).mean() < 0.09


def test_adding_the_neighbours_lot_repairs_the_interval_of_exercise_four():
    miss = []
    for d, g in draws(80, spill=0.4):
        m, twin, y = PAGE["plan"](g)[0], np.arange(60) ^ 1, g.y * g.base[:, None]
        own, theirs = PAGE["contrast"](y, g.lot)[0], PAGE["contrast"](y, g.lot[twin])[0]
        miss.append(0.25 * np.array([own @ m, own @ m + theirs @ m[twin]]) - PAGE["true_gain"](d, m))
    alone, both = np.mean(miss, axis=0)
    assert alone > 20 and abs(both) < 3.2 * np.std(miss, axis=0)[1] / np.sqrt(80)


def test_the_slope_of_a_city_is_pulled_by_its_own_part_of_the_weeks_mean():
    """소음이 거의 없으면 도시 열 곳의 기울기는 열에 하나꼴로 평균에 끌립니다."""
    pull = []
    for d, g in draws(30, cities=10, noise=0.1, uneven=0.6):
        real = d["slope"].reshape(10, -1)[:, 0]
        pull.append(np.polyfit(real - real.mean(), PAGE["slopes"](g)[0], 1)[0])
    assert 0.84 < np.mean(pull) < 0.95


def test_the_memo_counts_the_bookings_and_the_switch_once():
    """행마다 새 예산과 주문을 다시 만들어, 정답을 넣은 메모의 식과 견줍니다."""
    d = MAKER.generate(seed=77)
    g = PAGE["prepare"](d)
    move = PAGE["plan"](g)[0]
    new = d["budget"] * np.exp(np.repeat(move, 52))
    gained = d["base"] * d["slope"] * np.log(new / d["budget"])
    weekly = 0.25 * gained.groupby(d["week"]).sum()
    plain = d["lot"] == 0
    spent = [(b[plain].groupby(d["city_id"][plain]).mean()).sum() for b in (d["budget"], new)]
    assert spent[1] == pytest.approx(spent[0], rel=1e-5)
    assert 13 * weekly.mean() - 300 == pytest.approx(PAGE["quarter"](PAGE["known"](d)), rel=1e-6)
    assert PAGE["quarter"](300 / 13) == pytest.approx(0, abs=1e-9)
    assert np.abs(move).max() <= STEP + 1e-12


def test_two_plans_move_alike_even_when_no_city_differs():
    """기울기가 모두 같으면 배분의 변화는 지금의 예산이 정하고, 두 자료의 기울기는 서로 모릅니다."""
    pairs = []
    for _, g in draws(40, uneven=0.0):
        plans = PAGE["plan"](g)[0], PAGE["swapped_plan"](g)
        pairs.append([np.corrcoef(*plans)[0, 1], np.corrcoef(PAGE["slopes"](g)[0], PAGE["lottery"](g)[0])[0, 1]])
    moves, slopes = np.mean(pairs, axis=0)
    assert moves > 0.85 and abs(slopes) < 0.1


def test_the_pull_towards_the_mean_costs_the_same_money_in_few_and_many_cities():
    cost = []
    for cities in (20, 60):
        runs = []
        for d, g in draws(40, cities=cities):
            real = d["slope"].reshape(cities, -1)[:, 0]
            runs.append(0.25 * (g.base * (real - real.mean())) @ PAGE["swapped_plan"](g) / cities)
        cost.append(np.mean(runs))
    assert cost[0] == pytest.approx(cost[1], rel=0.35)


def test_news_that_follows_the_slope_breaks_the_swapped_value_but_not_the_lottery():
    """예보에 없는 수요를 예산에 더한 크기가 기울기를 따르면 거꾸로 잰 값만 치우칩니다."""
    miss = []
    for k in range(60):
        calm, known = (MAKER.simulate(seed=44_000 + k, hidden=h) for h in (0.0, 1.0))
        slope = calm["slope"]
        extra = 0.5 * slope / slope.mean() * (np.log(known["budget"]) - np.log(calm["budget"]))
        budget = calm["budget"] * np.exp(extra)
        bookings = calm["bookings"] + calm["base"] * slope * extra
        d = {**calm, "budget": budget, "bookings": bookings}
        g = PAGE["prepare"](d)
        m, other = PAGE["plan"](g)[0], PAGE["swapped_plan"](g)
        miss.append([PAGE["worth"](g.base * m, *PAGE["lottery"](g))[0] - PAGE["true_gain"](d, m),
                     PAGE["swapped_gain"](g)[0] - PAGE["true_gain"](d, other)])  # fmt: skip
    mean, error = np.mean(miss, axis=0), np.std(miss, axis=0) / np.sqrt(60)
    assert abs(mean[0]) < 3.2 * error[0] and mean[1] > 15


def test_shrunken_promises_miss_when_the_slope_goes_with_the_noise():
    """기울기가 큰 도시의 주문이 더 출렁이면 당긴 약속은 모자라고, 제비는 치우치지 않습니다."""
    rows = []
    for k in range(60):
        loud, soft = (MAKER.simulate(seed=45_000 + k, noise=n) for n in (2.0, 1.0))
        scale = soft["slope"] / soft["slope"].mean() - 1
        d = {**soft, "bookings": soft["bookings"] + scale * (loud["bookings"] - soft["bookings"])}
        g = PAGE["prepare"](d)
        m, steady = PAGE["plan"](g)
        real = PAGE["true_gain"](d, m)
        rows.append([0.25 * (g.base * steady) @ m, real, PAGE["plan_gain"](d)[0] - real])
    told, real, miss = np.mean(rows, axis=0)
    assert told < 0.9 * real and abs(miss) < 3.2 * np.std(rows, axis=0)[2] / np.sqrt(60)


def test_the_page_does_not_call_the_bend_ruled_out():
    """이 자료에서 굽음의 위 끝은 아래 끝이 본전에 닿는 굽음을 넘습니다."""
    g = PAGE["prepare"](load("uber_marketplace_budgets"))
    top, m = PAGE["checks"](g)[1][2], PAGE["plan"](g)[0]
    lower = PAGE["worth"](g.base * (m - top * m**2 / 2), *PAGE["lottery"](g))[1]
    assert lower < 300 / 13 < PAGE["worth"](g.base * m, *PAGE["lottery"](g))[1]


def test_the_graph_closes_the_back_door_only_without_the_news():
    identify = page_functions(TEXT, "identify", nx=nx)["identify"]
    arrows = [("forecast", "budget"), ("forecast", "bookings"), ("place", "budget"),
              ("place", "bookings"), ("lot", "budget"), ("budget", "bookings")]  # fmt: skip
    news = [("news", "budget"), ("news", "bookings")]
    assert identify(arrows) == (True, True) and identify(arrows + news) == (False, True)
    assert identify([*arrows, ("lot", "bookings")]) == (False, False)  # 제비가 뒷문도 엽니다
