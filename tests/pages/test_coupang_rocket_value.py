"""물류 대행 사례: 정답의 뜻, 저장한 되풀이, 손 계산과 라이브러리, 가정을 깬 세상, 본전과 메모의 돈, 파이프라인의 명세."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from benchmarks import rocket_value as bench
from book.page import ROOT, read_page
from causal_pipeline.designs.difference_in_differences import DifferenceInDifferences
from causal_pipeline.group_time import average_effect, group_time, treated_cells
from causal_pipeline.panel import Panel
from causal_pipeline.spec import parse_spec
from causal_practice import generator, load

ROCKET = generator("coupang_rocket_value")
TEXT = read_page(ROOT / "case_studies" / "coupang_rocket_value.md")
CARD = (ROOT / "data" / "catalog.yml").read_text("utf-8").split("\ncoupang_rocket_value:")[1].split("\n\n")[0]
PAGE = bench.page()
FEE, GOODS, OWN = 0.30, np.array([0.35, 0.45, 0.50, 0.60]), np.array([0.19, 0.24, 0.22, 0.16])


@pytest.fixture(scope="module")
def rows():
    return pd.read_csv(bench.RESULT)


@pytest.fixture(scope="module")
def large():
    return ROCKET.paths(seed=31, markets=400, sellers=50)


def arrays(made):
    return made["sales"], made["category"], made["start"]


def test_the_constants_of_the_tests_are_those_of_the_page():
    assert "WAVES, REVIEW, LAST, NEVER = (8, 10, 12), 6, 14, 99" in TEXT.text
    assert '"원가": [35, 45, 50, 60], "직접 팔 때의 비용": [19, 24, 22, 16]' in TEXT.text
    assert (tuple(ROCKET.WAVES), ROCKET.REVIEW, ROCKET.MONTHS) == ((8, 10, 12), 6, 14)


def test_the_truth_is_one_seller_left_alone(large):
    """정답 열을 쓰지 않고 다시 셉니다: 가입한 판매자 하나를 손으로 빼면 남의 가입에 눌린 매출이 됩니다."""
    made = ROCKET.paths(seed=4)
    on, none = made["start"] < 99, made["sales_none"]
    i = np.flatnonzero(on)[7]
    peers = np.flatnonzero((made["market"] == made["market"][i]) & (np.arange(len(on)) != i))
    joined = np.arange(1, 15) >= made["start"][peers][:, None]
    extra = ((made["sales"] - none)[peers] * joined).sum(axis=0)
    total = none[peers].sum(axis=0) + none[i]
    np.testing.assert_allclose(made["sales_alone"][i], none[i] / (1 + 0.6 * extra / total), rtol=1e-3)
    ratio = 100 * np.expm1(bench.known(large)[1][0])
    assert ratio == pytest.approx(29.1, abs=1.0) and "truth: {ATT: 29.1}" in CARD


def test_without_an_effect_there_is_none():
    none = ROCKET.paths(seed=5, lift=0.0)
    on = np.arange(1, 15) >= none["start"][:, None]
    np.testing.assert_array_equal(none["sales"][on], none["sales_none"][on])


def test_the_invited_sellers_grew_faster_and_overlap():
    S, kind, start = PAGE["table"](load("coupang_rocket_value"))
    X = PAGE["record"](S, kind)
    rise = X[start < 99, 5].mean() - X[start == 99, 5].mean()
    assert rise > 0.5 * X[:, 5].std()
    assert np.mean(X[start < 99, 5] > X[start == 99, 5].max()) < 0.05


def test_the_stored_draws_are_the_pages_functions(rows):
    assert rows.groupby("world").size().to_dict() == dict.fromkeys(bench.WORLDS, bench.DRAWS)
    for row in rows.groupby("world").nth(11).to_dict("records"):
        again = bench.one(row["world"], row["seed"], PAGE)
        kept = {name: value for name, value in row.items() if value == value}
        assert again == pytest.approx(kept, abs=2e-3)


def coverage(rows, world, name):
    r = rows[rows["world"] == world]
    return ((r[f"{name}_low"] <= r[f"{name}_true"]) & (r[f"{name}_true"] <= r[f"{name}_high"])).mean()


def test_each_comparison_breaks_in_its_own_world(rows):
    for name in ("money", "log", "matched", "future"):
        assert coverage(rows, "base", name) > 0.93
    for name in ("money", "log", "matched"):
        assert coverage(rows, "hurry", name) > 0.93 and coverage(rows, "plan", name) < 0.4
    assert coverage(rows, "plan", "future") > 0.92 and coverage(rows, "hurry", "future") < 0.7
    for world in ("plan_hurry", "long_sale"):
        assert max(coverage(rows, world, name) for name in ("money", "log", "matched", "future")) < 0.88
    fake = {w: 1 - coverage(rows, w, "fake") for w in bench.WORLDS}
    assert fake["base"] < 0.1 and 0.3 < fake["plan"] < 0.7


def test_by_hand_equals_a_regression_with_an_interaction_of_clusters():
    """한 차례와 한 대조군: 기록에 회귀해 뺀 값은, 대조군에서만 적합한 회귀의 예측을 뺀 평균과 같습니다."""
    S, kind, start = arrays(ROCKET.paths(seed=6))
    use = (start == 12) | (start == 99)
    S, kind, start = S[use], kind[use], start[use]
    y, X = np.log(S), PAGE["record"](S, kind)
    z = y[:, 11:].mean(axis=1) - y[:, :10].mean(axis=1)
    fit = sm.OLS(z[start == 99], X[start == 99]).fit()
    value, psi = PAGE["log_did"](S, kind, start)
    left = z[start == 12] - fit.predict(X[start == 12])
    assert value[0] == pytest.approx(left.mean(), abs=1e-10)
    robust = fit.get_robustcov_results("HC0").cov_params()
    mean = X[start == 12].mean(axis=0)
    expected = left.var() / len(left) + mean @ robust @ mean
    assert (psi[:, 0] ** 2).sum() == pytest.approx(expected, rel=1e-8)


def test_the_influence_of_the_money_is_the_jackknife():
    S, kind, start = arrays(ROCKET.paths(seed=7, markets=12))
    value, psi = PAGE["money_did"](S, kind, start)
    keep = ~np.eye(len(S), dtype=bool)
    some = np.random.default_rng(1).choice(len(S), 40, replace=False)
    moved = np.array([value[0] - PAGE["money_did"](S[k], kind[k], start[k])[0][0] for k in keep[some]])
    assert np.corrcoef(moved, psi[some, 0])[0, 1] > 0.97
    assert moved.std() == pytest.approx(psi[some, 0].std(), rel=0.25)


def test_logs_turned_back_are_not_the_money(large):
    """큰 판매자의 효과가 작으면 로그를 되돌린 값이 매출 합보다 크고, 효과가 크기와 무관하면 거의 같습니다."""
    att, pay = bench.known(large)
    assert np.expm1(att) - np.expm1(pay[0]) > 0.06
    on = np.arange(1, 15) >= large["start"][:, None]
    even = {**large, "sales": np.where(on, large["sales_alone"] * 1.4, large["sales"])}
    same = bench.known(even)
    assert np.expm1(same[0]) == pytest.approx(np.expm1(same[1][0]), abs=1e-6)


def test_the_breakeven_and_the_three_purses(large):
    """매출을 하나씩 따라가 셉니다: 판매자, 플랫폼, 경쟁 판매자의 돈을 생성기에서 더해 메모의 식과 견줍니다."""
    space = {"np": np, "pd": pd, "goods": pd.Series(GOODS), "own": pd.Series(OWN), "fee": FEE}
    space |= {"commission": 0.10, "handling": 0.17}
    source = TEXT.text.split("def purses")[1].split("\nends =")[0]
    exec("def purses" + source, space)
    on = (np.arange(1, 15) >= large["start"][:, None]) & (np.arange(1, 15) >= 12)
    for k in range(4):
        here = on & (large["category"] == k)[:, None]
        alone, now = large["sales_alone"][here].sum(), large["sales"][here].sum()
        seller = now * (1 - GOODS[k] - FEE) - alone * (1 - GOODS[k] - OWN[k])
        rival = (large["category"] == k) & (large["start"] == 99)
        lost = (large["sales_none"] - large["sales"])[rival, 11:].sum()
        platform = now * (FEE - 0.17) - alone * 0.10 - lost * 0.10
        table = space["purses"](now / alone - 1, lost / (now - alone)).iloc[k]
        expected = 100 / alone * np.array([seller, platform, -lost * (1 - GOODS[k] - OWN[k])])
        np.testing.assert_allclose(table.to_numpy(), expected, rtol=1e-9)
        even = (FEE - OWN[k]) / (1 - GOODS[k] - FEE)
        assert space["purses"](even, 0.0)["판매자"].iloc[k] == pytest.approx(0, abs=1e-9)
    assert 1.4 * (1 - FEE) < 1


def test_the_rule_of_the_fee_errs_both_ways():
    """아끼는 비용이 f(c + f)보다 크면 본전이 수수료보다 낮고, 작으면 높습니다."""
    rng = np.random.default_rng(3)
    c, s = rng.uniform(0.1, 0.65, 500), rng.uniform(0.0, 0.29, 500)
    even = (FEE - s) / (1 - c - FEE)
    assert ((even < FEE) == (s > FEE * (c + FEE))).all() and 0 < (even < FEE).mean() < 1
    more = (FEE - s) / (1 - (c + 0.01) - FEE)
    assert (more > even).all() and (FEE - 0.35) / (1 - 0.5 - FEE) < (FEE - 0.35) / (1 - 0.4 - FEE) < 0


def test_rivals_lose_only_where_they_are_pressed():
    slopes = {}
    for press in (0.0, 0.6):
        made = ROCKET.paths(seed=8, markets=400, rival=press)
        slopes[press] = PAGE["rivals"](*arrays(made), made["market"] - 1)[0]
    assert slopes[0.0][1] < 0 < slopes[0.0][2]
    assert slopes[0.6][2] < 0


def test_the_wide_interval_covers_four_kinds_together(rows):
    base = rows[rows["world"] == "base"]
    inside = [(base[f"low_{k}"] <= base[f"true_{k}"]) & (base[f"true_{k}"] <= base[f"high_{k}"]) for k in range(1, 5)]
    assert np.logical_and.reduce(inside).mean() > 0.92
    assert bench.WIDE == pytest.approx(stats.norm.ppf(0.99375))


def test_the_specification_runs_the_staggered_design():
    """13절의 표와 명세: 파이프라인이 이 설계를 고르고, 두 달 앞을 기준으로 한 그 값이 쪽의 로그 ATT에 가깝습니다.

    기준이 두 달 앞뿐이라 첫 다섯 달을 잘라도 값이 같습니다(다 넣은 보고서도 0.303입니다).
    """
    spec = parse_spec(TEXT.text.split("```yaml\n")[1].split("```")[0])
    S, kind, start = PAGE["table"](load("coupang_rocket_value"))
    X = PAGE["record"](S, kind)
    assert spec.treatment.column == "joined" and Panel.of(spec).anticipation == 1
    assert DifferenceInDifferences.applies(spec)
    column = np.where(start == 99, 14, start - 1) - 5
    value, influence = average_effect(group_time(np.log(S[:, 5:]), column, X[:, 1:], 1), column, treated_cells)
    mine, psi = PAGE["log_did"](S, kind, start)
    own = np.sqrt((psi[:, 0] ** 2).sum())
    assert value == pytest.approx(0.303, abs=5e-4) and value == pytest.approx(mine[0], abs=own)
    assert influence.std() / np.sqrt(len(S)) == pytest.approx(own, rel=0.2)


def test_the_difference_of_the_two_methods_is_quiet_when_both_break(rows):
    """한쪽만 깨지면 절반쯤 갈리지만, 둘이 같은 쪽으로 틀리면 아무 일이 없을 때처럼 조용합니다."""
    seen = {w: 1 - coverage(rows, w, "differ") for w in bench.WORLDS}
    assert min(seen["plan"], seen["hurry"]) > 0.4
    assert max(seen["base"], seen["plan_hurry"]) < 0.12
    assert max(coverage(rows, "plan_hurry", name) for name in ("money", "future")) < 0.7


def test_three_mistakes_add_up_in_food(rows, large):
    """식품: 하나만 남으면 가끔, 성장과 로그가 함께 남으면 자료가 많아도 틀립니다."""
    base, edge, at_fee = rows[rows["world"] == "base"], 100 * np.log1p(0.4), 100 * np.log1p(FEE)
    assert (base["true_3"] < edge).all() and base["true_3"].mean() < at_fee
    wrong = {name: (base[f"{name}_3"] > edge).mean() for name in ("plain", "adjusted", "total", "value")}
    assert wrong["value"] < 0.03 < wrong["adjusted"] < wrong["total"] < 0.5 < 0.8 < wrong["plain"]
    assert 0.1 < (base["value_3"] > at_fee).mean() < 0.5
    data = arrays(large)
    logs, grown = (100 * PAGE["log_did"](*data, k)[0][3] for k in (6, 4))
    money, total = (100 * PAGE["money_did"](*data, k)[0][3] for k in (6, 4))
    assert grown > edge + 2 and money < at_fee and max(logs, total) < edge


def test_one_more_seller_and_no_programme_are_two_questions(large):
    """가입한 판매자를 하나씩 빼어 센 플랫폼의 돈은 메모의 식과 같고, 프로그램이 없던 세상과 견준 돈은 더 작습니다."""
    on, none, late = large["start"] < 99, large["sales_none"][:, 11:], slice(11, None)
    market, alone, now = large["market"] - 1, large["sales_alone"][:, late], large["sales"][:, late]
    first = np.arange(0, len(on), 50)
    total, outside = (np.add.reduceat(x, first)[market] for x in (none, np.where(on[:, None], 0, none)))
    extra = np.where(on[:, None], now - none, 0)
    won = np.add.reduceat(extra, first)[market]
    one = outside * (1 / (1 + 0.6 * (won - extra) / total) - 1 / (1 + 0.6 * won / total))
    for k in range(4):
        here, out = on & (large["category"] == k), ~on & (large["category"] == k)
        base, grew, lost = alone[here].sum(), now[here].sum() / alone[here].sum() - 1, (none - now)[out].sum()
        memo = 100 * ((1 + grew) * (FEE - 0.17) - 0.10 * (1 + lost / base))
        marginal = 100 * ((1 + grew) * (FEE - 0.17) - 0.10 * (1 + one[here].sum() / base))
        whole = 100 / base * (now[here].sum() * (FEE - 0.17) - 0.10 * (none[here].sum() + lost))
        assert memo == pytest.approx(marginal, abs=0.2) and whole < memo - 0.15


def test_the_memos_money_holds_the_generators():
    """쪽의 자료에서 생활용품과 소형가전의 돈의 구간은 정답을 담고, 빼앗긴 몫의 구간은 정답을 비켜 갑니다."""
    row = bench.one("base", ROCKET.DEFAULTS["seed"], PAGE)
    for k in (2, 4):
        low, true, high = (
            100 * (np.exp(row[f"{c}_{k}"] / 100) * (0.7 - GOODS[k - 1]) - (1 - GOODS - OWN)[k - 1])
            for c in ("low", "true", "high")
        )
        assert low < true < high and (low > 0 if k == 2 else high < 0)
    assert row["lost_high"] < row["lost_true"] == pytest.approx(24.3, abs=0.1)


def test_the_money_takes_zeros_after_the_review_only():
    S, kind, start = arrays(ROCKET.paths(seed=9))
    S[np.flatnonzero(start < 99)[:5], 13] = 0
    assert np.isfinite(PAGE["money_did"](S, kind, start)[0]).all()
    S[3, 2] = 0
    with np.errstate(all="ignore"):
        assert not np.isfinite(PAGE["money_did"](S, kind, start)[0]).all()


@pytest.mark.parametrize("wrong", [{"markets": 10}, {"plan": -1}, {"lead": 9}, {"sale": float("nan")}])
def test_impossible_worlds_are_refused(wrong):
    with pytest.raises(ValueError, match="사이의"):
        ROCKET.generate(**wrong)
