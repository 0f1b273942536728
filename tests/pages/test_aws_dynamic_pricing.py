"""동적 가격 사례: 정답과 두 방법, 바꾼 세상, 난간과 메모의 돈, 구매만 있는 자료, 파이프라인 명세."""

import re
from functools import lru_cache

import numpy as np
import pytest

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_pipeline import analyze
from causal_pipeline.spec import parse_spec
from causal_practice import check_answer, generator, load, truth
from causal_practice.data import data_dir

NAME = "aws_dynamic_pricing"
SOURCE = generator(NAME)
MAKE, UNITS_AT = SOURCE.generate, SOURCE.units_at
KNOWN = truth(NAME)
TEXT = read_page(ROOT / "case_studies" / f"{NAME}.md")
PAGE = page_functions(
    TEXT,
    *(
        "col",
        "weeks",
        "within",
        "logs",
        "raw_slope",
        "kind_of",
        "signals",
        "folds",
        "bins",
        "bins_and_line",
        "leftovers",
        "traits",
        "by_product",
        "slopes",
        "average",
    ),
    *(
        "elasticity",
        "beyond",
        "adjusted",
        "typical",
        "best_change",
        "cross",
        "gain",
        "log_version",
        "shares",
        "counted",
        "cube",
    ),
    *("from_purchases", "last_week", "true_gain"),
    KINDS=np.array(["부속", "주방", "침구", "충전기"], dtype=object),
    units_at=UNITS_AT,
)
true_gain, best_change, typical = PAGE["true_gain"], PAGE["best_change"], PAGE["typical"]


@lru_cache
def world(n=400, seed=11, **changes):
    return MAKE(seed=seed, n=n, **changes)


def by_cost(frame):
    y, p, c = PAGE["leftovers"](frame, *PAGE["logs"](frame), np.log(frame["unit_cost"]))
    return PAGE["average"](frame, *PAGE["slopes"](frame, y, p, c))


def test_the_truth_is_the_average_of_the_catalogue_in_every_draw():
    for seed in (1, 2):
        frame = MAKE(seed=seed)
        assert frame["elasticity"].mean() == pytest.approx(KNOWN["ATE"], abs=1e-4)
        # 탄력성은 값을 조금 옮겼을 때 생성기가 파는 개수의 비율과 같습니다.
        more = np.log(UNITS_AT(frame, 0.001) / frame["expected"]) / 0.001
        assert np.allclose(more, frame["elasticity"], atol=1e-6)


def test_recorded_sales_have_the_expected_sales_as_their_mean():
    frame = world()
    ratio = (frame["units"] / frame["expected"]).groupby(frame["product_id"]).mean()
    assert ratio.mean() == pytest.approx(1, abs=4 * ratio.std() / np.sqrt(len(ratio)))


def test_raw_slope_misses_by_half_and_two_methods_do_not():
    frame = world()
    assert PAGE["raw_slope"](frame) > KNOWN["ATE"] / 2
    for found in (PAGE["elasticity"](frame), PAGE["adjusted"](frame), by_cost(frame)):
        assert found[0] == pytest.approx(frame["elasticity"].mean(), abs=0.2)


def test_bins_without_a_line_leave_a_dull_answer():
    """9절의 말: 생성기의 꼴을 모르는 구간만으로는 둔한 쪽으로 끌리고, 점수를 더하면 대부분 없어집니다."""
    frame = world(n=2000, seed=77)
    miss = {
        name: PAGE["elasticity"](frame, PAGE[name])[0] - frame["elasticity"].mean()
        for name in ("signals", "bins", "bins_and_line")
    }
    assert abs(miss["signals"]) < 0.05 and miss["bins"] > 0.08
    assert abs(miss["bins_and_line"]) < miss["bins"] / 2


def test_logs_lean_to_sensitive_until_the_zeros_decide():
    """11절의 말: 한 주에 수십 개면 민감한 쪽, 0이 섞이면 0을 바꾼 수가 답을 정합니다."""
    few, rare = world(n=2000, seed=78, traffic=0.2), world(n=400, traffic=0.02)
    assert (few["units"] == 0).mean() < 0.001
    assert PAGE["elasticity"](few)[2] < few["elasticity"].mean()
    found = []
    for floor in (0.1, 0.5, 1):
        y = np.log(np.maximum(rare["units"], floor))
        left = PAGE["leftovers"](rare, y, np.log(rare["price"]))
        found.append(PAGE["average"](rare, *PAGE["slopes"](rare, *left))[0])
    assert found[0] < found[1] - 0.3 < found[2] - 0.6


def test_profit_interval_covers_the_truth_of_the_plan():
    """11절의 말: 값을 고르는 일부터 되풀이해도 이익의 구간이 약속을 지킵니다."""
    inside = []
    for frame in np.split(np.asarray(MAKE(seed=101, n=400 * 60).to_records(index=False)), 400):
        plan = PAGE["cross"](frame)
        _, low, high = PAGE["gain"](frame, plan)
        inside.append(low < true_gain(frame, plan[0]) < high)
    assert np.mean(inside) == pytest.approx(0.95, abs=0.045)


def test_influences_are_the_coefficients_without_one_product():
    frame = world(n=20)
    y, p = PAGE["leftovers"](frame, *PAGE["logs"](frame))
    b, moves = PAGE["slopes"](frame, y, p)
    rest = (frame["product_id"] != 7).to_numpy()
    X = PAGE["traits"](frame) * p[:, None]
    assert np.allclose(np.linalg.lstsq(X[rest], y[rest], rcond=None)[0], b - moves[6])


def test_an_unfavourable_error_takes_the_profit_away():
    """10절의 말: 올린 제품은 더 민감하고 내린 제품은 더 둔하면 이익이 줄어듭니다."""
    frame = load(NAME, with_truth=True)
    plan = PAGE["cross"](frame)
    m = plan[0]
    e = frame["elasticity"].to_numpy()
    paid = []
    for wrong in (0.0, 0.3):
        sold = frame["expected"] * np.exp((e - wrong * np.sign(m)) * m)
        paid.append((sold * (frame["price"] * np.exp(m) - frame["unit_cost"])).sum())
    assert paid[1] < paid[0]
    found = [PAGE["gain"](frame, plan, wrong)[0] for wrong in (0.0, 0.3)]
    now = (frame["expected"] * (frame["price"] - frame["unit_cost"])).sum()
    assert found[0] - found[1] == pytest.approx(100 * (paid[0] - paid[1]) / now, rel=0.15)


def test_thin_margins_turn_the_cheaper_mistake_round():
    """11절의 말은 이 상점의 것입니다. 매입가가 아주 싸면 난간 안에서도 잘못 올리는 쪽이 더 비쌉니다."""
    e, price = np.array([-2.3]), np.array([30.0])
    paid = {}
    for cost in (18.0, 12.0):
        cost = np.array([cost])
        now = price - cost
        for x in (-1.5, 1.5):
            m = best_change(price, cost, e + x)
            paid[cost[0], x] = float((np.exp(e * m) * (price * np.exp(m) - cost) / now - 1)[0])
    assert paid[18.0, -1.5] < paid[18.0, 1.5] and paid[12.0, 1.5] < paid[12.0, -1.5]


def test_each_hidden_cause_breaks_another_method():
    for hidden, right, wrong in [
        ("buzz", by_cost, (PAGE["elasticity"], PAGE["adjusted"])),
        ("cost", PAGE["adjusted"], (PAGE["elasticity"], by_cost)),
    ]:
        frame = world(hidden=hidden)
        goal = frame["elasticity"].mean()
        assert right(frame)[0] == pytest.approx(goal, abs=0.25)
        for method in wrong:
            assert method(frame)[1] > goal  # 구간 전체가 정답보다 둔합니다


def test_adjusting_for_the_instrument_amplifies_the_bias():
    """연습 2의 풀이: 소문의 세상에서 매입가를 보정하면 정답에서 더 멀어집니다."""
    frame = world(hidden="buzz")
    assert PAGE["adjusted"](frame)[0] > PAGE["elasticity"](frame)[0] + 0.2 > KNOWN["ATE"]


def test_dml_is_a_mixture_of_the_cost_answer_and_the_rest():
    """9절의 말: 기울기가 하나인 회귀에서 두 답을 변동의 몫으로 섞으면 꼭 같습니다."""
    frame = world(n=60)
    y, p, c = PAGE["leftovers"](frame, *PAGE["logs"](frame), np.log(frame["unit_cost"]))
    y2, p2 = PAGE["beyond"](c, y, p)
    share = (c @ p) ** 2 / ((c @ c) * (p @ p))
    mixed = share * (c @ y) / (c @ p) + (1 - share) * (p2 @ y2) / (p2 @ p2)
    assert mixed == pytest.approx((p @ y) / (p @ p))


def test_last_week_hardly_hears_the_buzz():
    """11절의 말: 조용한 지난주는 소문이 없다는 증거가 아닙니다."""
    alarms = []
    for seed in range(40):
        _, low, high = PAGE["last_week"](MAKE(seed=300 + seed, n=60, hidden="buzz"))
        alarms.append(low * high > 0)
    assert np.mean(alarms) < 0.3


def test_bias_formula_of_the_sensitivity():
    """10절의 식: a·b를 남은 값의 분산으로 나눈 것."""
    frame = world(hidden="buzz")
    (p,) = PAGE["leftovers"](frame, PAGE["logs"](frame)[1])
    expected = 0.015 * 0.08 / p.var()
    found = PAGE["elasticity"](frame)[0] - frame["elasticity"].mean()
    assert found == pytest.approx(expected, abs=0.12)


def test_rails_hold_and_the_best_change_is_the_best_inside_them():
    frame = load(NAME, with_truth=True)
    price, cost = typical(frame)
    e = frame["elasticity"].to_numpy()
    move = best_change(price, cost, e)
    assert np.expm1(move).min() > -0.1 - 1e-9 and np.expm1(move).max() < 0.1 + 1e-9
    floored = best_change(price, cost, np.full(len(e), -50.0), limit=0.99)
    assert np.allclose(price * np.exp(floored), 1.15 * cost)
    for step in (-0.02, 0.02):
        other = np.clip(move + step, np.log(0.9), np.log(1.1))
        assert true_gain(frame, other) <= true_gain(frame, move) + 0.02


def test_inside_the_rails_a_wrong_cut_costs_more_and_without_them_a_wrong_rise():
    frame = load(NAME, with_truth=True)
    price, cost = typical(frame)
    e = frame["elasticity"].to_numpy()
    paid = {
        (x, limit): true_gain(frame, best_change(price, cost, e + x, limit))
        for x in (-1.5, 0, 1.5)
        for limit in (0.1, 0.99)
    }
    assert paid[-1.5, 0.1] < paid[1.5, 0.1] < paid[0, 0.1]
    assert paid[1.5, 0.99] < paid[-1.5, 0.99] < paid[0, 0.99]
    assert min(paid[x, 0.1] for x in (-1.5, 1.5)) > min(paid[x, 0.99] for x in (-1.5, 1.5))


def test_the_wall_is_not_in_the_average_elasticity():
    """11절의 말: 그 자리의 기울기를 맞혀도 이익을 크게 부풀립니다."""
    frame = world(shape="wall")
    found = PAGE["elasticity"](frame)
    assert found[1] < frame["elasticity"].mean() < found[2]
    crossed = PAGE["cross"](frame)
    assert PAGE["gain"](frame, crossed)[1] > true_gain(frame, crossed[0], "wall")


def test_purchases_alone_give_the_total_elasticity_and_logs_do_not():
    frame = world(traffic=0.02)
    assert PAGE["from_purchases"](frame.drop(columns="visits"))[0] == pytest.approx(
        frame["elasticity"].mean(), abs=0.25
    )
    assert PAGE["log_version"](frame, 1) > -1.9


def test_two_stage_poisson_is_statsmodels_poisson():
    """제품의 합계를 고정한 계수는 제품 더미를 넣은 푸아송 회귀의 계수와 같습니다."""
    import statsmodels.api as sm

    frame = MAKE(seed=5, n=20, traffic=0.05)
    X = PAGE["signals"](frame)[:, :2]
    b, _ = PAGE["counted"](PAGE["cube"](frame, X), PAGE["cube"](frame, frame["units"]), steps=12)
    dummies = (frame["product_id"].to_numpy()[:, None] == np.arange(1, 21)).astype(float)
    fit = sm.GLM(frame["units"], np.hstack([X, dummies]), family=sm.families.Poisson()).fit()
    assert np.allclose(fit.params.to_numpy()[:2], b, atol=1e-6)


def test_many_lookers_or_few_leave_the_same_purchases():
    """둘째 막의 말: 방문이 열 배이고 사는 비율이 10분의 1이면 구매의 평균이 같습니다."""
    frame = world(n=20)
    visits, rate = frame["visits"].mean(), frame["units"].sum() / frame["visits"].sum()
    assert visits * rate == pytest.approx((10 * visits) * (rate / 10))
    rng = np.random.default_rng(3)
    many, few = rng.binomial(rng.poisson(200, 200_000), 0.02), rng.binomial(rng.poisson(20, 200_000), 0.2)
    assert np.allclose([many.mean(), many.var()], [few.mean(), few.var()], rtol=0.02)


def test_the_memos_money_is_the_generators():
    opened, frame = load(NAME, with_truth=True), load(NAME)
    crossed = PAGE["cross"](frame)
    found = PAGE["gain"](frame, crossed)
    margin = opened["price"] * np.exp(crossed[0]) - opened["unit_cost"]
    by_hand = (margin * opened["expected"] * np.exp(opened["elasticity"] * crossed[0])).sum()
    by_hand = 100 * (by_hand / ((opened["price"] - opened["unit_cost"]) * opened["expected"]).sum() - 1)
    assert true_gain(opened, crossed[0]) == pytest.approx(by_hand)
    assert found[0] == pytest.approx(by_hand, abs=2.0)
    flat = PAGE["cross"](frame, flat=True)[0]
    assert true_gain(opened, flat) < by_hand - 1
    for written in ("limit=0.10, floor=1.15", "/ 1e5", "np.log(0.9)"):
        assert written in TEXT.text


def test_coupon_read_with_the_total_elasticity_is_too_kind():
    opened = load(NAME, with_truth=True)
    rows = opened["category"] == "충전기"
    e, (price, cost) = opened["elasticity"][rows].mean(), (v[rows] for v in typical(opened))
    value = {
        share: np.exp(share * e * np.log(0.9)) * (0.9 * price - cost).mean() - (price - cost).mean()
        for share in (1, 0.65)
    }
    assert value[1] > value[0.65] and value[0.65] < 0


def test_the_designed_experiment_reaches_its_error():
    """연습 3: 동전으로 5% 흔든 표의 표준오차."""
    frame = world(n=200, seed=9)
    y, p = PAGE["leftovers"](frame, *PAGE["logs"](frame))
    noise = y - PAGE["traits"](frame) @ PAGE["slopes"](frame, y, p)[0] * p
    need = round((noise.std() / (0.05 * 0.15)) ** 2)
    rng, found = np.random.default_rng(4), []
    for _ in range(300):
        start = rng.integers(0, len(noise) - need)
        coin = rng.choice([-0.05, 0.05], need)
        answer = noise[start : start + need] - 2.3 * coin
        found.append((coin @ answer) / (coin @ coin))
    assert np.std(found) == pytest.approx(0.15, rel=0.15)


def test_the_ready_specification_runs():
    spec = re.search(r'spec = """\n(.*?)"""', TEXT.text, re.S)[1]
    frame = load(NAME)
    y, p = (PAGE["within"](frame, v) for v in PAGE["logs"](frame))
    columns = {f"s{j}": v for j, v in enumerate(PAGE["signals"](frame).T)}
    table = frame.assign(row_id=np.arange(len(frame)), log_price=p, log_units=y, **columns)
    found = analyze(parse_spec(spec, data_dir()), frame=table).primary
    assert found.low < 0.01 * KNOWN["ATE"] < found.high


def test_common_wrong_answers_are_rejected(capsys):
    right = -30 / (30 - 18)
    for wrong in (-12 / 30, -30 / 18, 2.5):
        check_answer("연습 1", wrong, expected=right, decimals=2)
        assert "아직 아닙니다" in capsys.readouterr().out
    check_answer("연습 1", -2.5, expected=right, decimals=2)
    assert "정답입니다" in capsys.readouterr().out
