"""10주차: 알려진 정답, 그리고 장이 하는 통계의 주장."""

import ast
from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.optimize import nnls

from book.myst import parse
from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, load, package_file, truth

RADIUS, ADS = generator("quick_radius"), generator("station_ads")
PAGE = read_page(ROOT / "chapters" / "week10_geo_and_switchback.md")
DEEPER = read_page(ROOT / "chapters" / "week10_deeper.md")
POPULATION, LIFT = ADS.traits()[0], ADS.traits()[-1]
SHARE = POPULATION / POPULATION.sum()
TRIOS = np.array(list(combinations(range(ADS.CITIES), 3)))
STEPS = np.array([(i, j, 10 - i - j) for i in range(11) for j in range(11 - i)]) / 10
GEO = page_functions(
    PAGE, "shrink", "simplex", "plan", "shortlist", "gap_table", "permutation_interval", "ad_estimate",
    nnls=nnls, share=SHARE, trios=TRIOS, steps=STEPS, BEFORE=ADS.BEFORE, DAYS=28,
)  # fmt: skip
GEO |= page_functions(DEEPER, "swap_search", "geo_effect", **GEO, stats=stats)
ATE = SHARE @ LIFT
SWITCH = page_functions(PAGE, "exposure", "exposure_chance", "estimate", "hajek_error")
SWITCH |= page_functions(DEEPER, "optimal_points", "flip", "bins", "conservative_error", "hajek_errors", **SWITCH)
HOURS = 14 * 24


@pytest.fixture(scope="module")
def cities():
    """도시 여섯 곳의 실험 2주(하루 앞서 돌립니다)와 늘 끈, 늘 켠 결과."""
    out = []
    for seed in range(6):
        c = RADIUS.city(seed, 14).iloc[-(HOURS + 24) :]
        live = np.arange(len(c)) >= 24
        off, on = sum(RADIUS.run(c, np.vstack([0 * live, live])))[:, 24:]
        out.append((c, live, off, on))
    return out


@pytest.mark.parametrize(
    "wide",
    [np.full(24 * 42, 1.2), np.full(24 * 42, -0.1), np.zeros(10), np.zeros((2, 3, 24 * 42)), np.full(24 * 42, np.nan)],
)
def test_impossible_shares_are_refused(wide):
    with pytest.raises(ValueError, match="야 합니다"):
        RADIUS.run(RADIUS.city(1, 14), wide)


def test_the_cards_tell_the_truth():
    d = load("quick_radius", with_truth=True).query("before == 0")
    assert (d["completed_on"] - d["completed_off"]).mean() == pytest.approx(truth("quick_radius")["ATE"], abs=0.001)
    a = load("station_ads", with_truth=True).query("day == 196")
    effect = np.average(a["orders_on"] - a["orders_off"], weights=a["population"])
    assert effect == pytest.approx(truth("station_ads")["ATE"], abs=0.005) and effect == pytest.approx(
        SHARE @ LIFT, abs=0.005
    )
    before = load("station_ads", with_truth=True).query("day <= 168")
    assert before["ad"].sum() == 0 and before["orders"].equals(before["orders_on"])


# --- 간섭과 이월 효과는 바쁜 기사에서 나옵니다 ---------------------------------------


def test_nobody_is_served_twice_and_nobody_appears_from_nowhere(cities):
    c, live, off, on = cities[0]
    asked = c["requests"].to_numpy()[live]
    assert np.all(off <= asked + 1e-9) and np.all(on <= asked + 1e-9) and np.all(off > 0)
    wide, narrow = RADIUS.run(c, np.where(live, 0.3, 0.0))
    assert np.all(wide[live] <= 0.3 * asked + 1e-9) and np.all(narrow[live] <= 0.7 * asked + 1e-9)


def test_the_split_wins_at_every_share_while_the_whole_loses(cities):
    for c, live, _off, _on in cities:
        asked = c["requests"].to_numpy()[live].sum()
        for p in (0.05, 0.5, 0.95):
            wide, narrow = RADIUS.run(c, np.where(live, p, 0.0))
            assert wide[live].sum() / (p * asked) - narrow[live].sum() / ((1 - p) * asked) > 0.05
    assert np.mean([(on - off).mean() for *_, off, on in cities]) < -2.5


def test_with_drivers_to_spare_the_split_is_right(cities):
    c, live, *_ = cities[0]
    rich = c.assign(drivers=c["drivers"] * 20)
    off, on = sum(RADIUS.run(rich, np.vstack([0 * live, live])))
    wide, narrow = RADIUS.run(rich, np.where(live, 0.5, 0.0))
    assert 2 * (wide - narrow)[live].sum() == pytest.approx((on - off).sum(), abs=0.01 * off[live].sum())


def test_a_congested_market_remembers_longer(cities):
    c, live, off, on = cities[1]
    pulse = np.zeros((HOURS - 60, len(c)))
    at = np.arange(24, HOURS - 36)
    pulse[np.arange(len(at)), 24 + at] = 1
    up = sum(RADIUS.run(c, pulse))[:, 24:] - off
    down = on - sum(RADIUS.run(c, live - pulse))[:, 24:]
    pick = lambda x, k: x[np.arange(len(at)), at + k].mean()  # noqa: E731
    assert pick(up, 0) > 2 and pick(up, 1) < -1 and pick(up, 2) < -0.5 and abs(pick(up, 4)) < 0.05
    assert pick(down, 3) < -0.8 and pick(down, 3) < 5 * pick(up, 3) - 0.5
    assert np.abs(np.triu(up[:, :], 0)[0, :20]).max() < 1e-9  # 켜기 전에는 아무 일도 없습니다


def test_carryover_does_not_add_up(cities):
    c, live, off, on = cities[1]
    t = 24 * 2 + 15
    D = np.zeros((4, len(c)))
    for row, hours in zip(D, ([t], [t - 1], [t - 2], [t, t - 1, t - 2]), strict=True):
        row[[24 + h for h in hours]] = 1
    one, two, three, together = sum(RADIUS.run(c, D))[:, 24 + t] - off[t]
    assert together < one + two + three - 1


# --- 디자인 기반 추정: 모든 동전을 세어 확인합니다 -------------------------------------


@pytest.mark.parametrize(("T", "m"), [(12, 2), (12, 3), (16, 2), (20, 4), (24, 3)])
def test_points_are_the_published_ones(T, m):
    n = T // m
    published = [1, *(k * m + 1 for k in range(2, n - 1))]
    assert (SWITCH["optimal_points"](T, m) + 1).tolist() == published == (RADIUS.points("optimal", T, m) + 1).tolist()


def every_sequence(T, m):
    at = SWITCH["optimal_points"](T, m)
    block = np.searchsorted(at, np.arange(T), side="right") - 1
    return at, np.array(list(product((0, 1), repeat=len(at))))[:, block]


@pytest.mark.filterwarnings("ignore:invalid value")  # 모두 섞인 시퀀스에는 하예크가 없습니다
@pytest.mark.parametrize(("T", "m"), [(12, 2), (15, 3), (16, 2)])
def test_unbiased_and_conservative_over_every_sequence(T, m):
    """이월이 정말 m까지인 세상: 모든 시퀀스를 세면 편향이 0이고 보수적인 분산의 평균이 참 분산보다 작지 않습니다."""
    at, D = every_sequence(T, m)
    ones, zeros = SWITCH["exposure"](D, m)
    np.testing.assert_allclose(ones.mean(axis=0), SWITCH["exposure_chance"](at, T, m))
    rng = np.random.default_rng(T)
    for height in (0.0, 3.0, 30.0):
        base, weights = rng.normal(height, 1, T), rng.normal(0, 1, m + 1)
        past = np.array([[sum(weights[k] * d[t - k] for k in range(min(m, t) + 1)) for t in range(T)] for d in D])
        y = base + past + 0.5 * past**2
        full = weights.sum() + 0.5 * weights.sum() ** 2
        ht, _ = SWITCH["estimate"](y, D, m, at)
        assert ht.mean() == pytest.approx(full)
        assert (SWITCH["conservative_error"](y, D, m) ** 2).mean() >= ht.var() - 1e-9


@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_fixed_baseline_keeps_it_unbiased_and_cuts_the_variance():
    T, m = 16, 2
    at, D = every_sequence(T, m)
    base = np.linspace(40, 60, T)
    y = base + np.array([[d[max(t - m, 0) : t + 1].all() * 2.0 for t in range(T)] for d in D])
    raw, centred = (SWITCH["estimate"](x, D, m, at)[0] for x in (y, y - base))
    middle = SWITCH["estimate"](y - base - 1.0, D, m, at)[0]
    assert raw.mean() == pytest.approx(2) == centred.mean() == middle.mean()
    assert raw.var() > 300 * centred.var() and middle.var() < centred.var()


def test_strict_alternation_has_no_exposure():
    ones, zeros = SWITCH["exposure"](np.tile(np.arange(40) % 2, (1, 1)), 2)
    assert not ones.any() and not zeros.any()


def test_hajek_error_is_the_librarys():
    import statsmodels.api as sm

    rng, T, m = np.random.default_rng(5), 240, 3
    at = SWITCH["optimal_points"](T, m)
    D = SWITCH["flip"](rng, at, T, 1)
    y = rng.normal(0, 1, (1, T)) + D
    hajek, error = SWITCH["estimate"](y, D, m, at)[1][0], SWITCH["hajek_errors"](y, D, m, at)[0][0]
    ones, zeros = SWITCH["exposure"](D, m)
    weights = ((ones | zeros) / SWITCH["exposure_chance"](at, T, m))[0].reshape(-1, m)[:, 0]
    cells, on = y[0, m:].reshape(-1, m).mean(axis=1), ones[0].reshape(-1, m)[:, 0] * 1.0
    fit = sm.WLS(cells, sm.add_constant(on), weights=weights).fit(
        cov_type="HAC", cov_kwds={"maxlags": 1, "kernel": "uniform"}
    )
    assert fit.params[1] == pytest.approx(hajek) and fit.bse[1] == pytest.approx(error)
    assert SWITCH["hajek_error"](y, D, m, at)[0] == pytest.approx(error)


def test_order_too_short_flips_the_sign_and_coverage_holds_from_three():
    """쪽과 다른 도시, 다른 동전 400번: 차수 1은 부호를 뒤집고, 3의 구간은 약속을 지키며, 시간마다 독립은 어깁니다."""
    T = 28 * 24
    c = RADIUS.city(77, 28)
    live = (c["before"] == 0).to_numpy()
    usual = sum(RADIUS.run(c, np.zeros(len(c))))
    cell = c["hour"] + 24 * c["weekend"]
    base = cell[live].map(pd.Series(usual[~live]).groupby(cell[~live].to_numpy()).mean()).to_numpy()
    warm = c.iloc[-(T + 24) :]
    world = lambda D: sum(RADIUS.run(warm, np.hstack([np.zeros((len(D), 24)), D])))[:, 24:]  # noqa: E731
    off, on = world(np.vstack([np.zeros(T), np.ones(T)]))
    tau = (on - off).mean()
    assert tau < -2
    runs = {}
    for m in (1, 3):
        at = SWITCH["optimal_points"](T, m)
        D = SWITCH["flip"](np.random.default_rng(m), at, T, 400)
        y = world(D) - base
        runs[m] = (
            SWITCH["estimate"](y, D, m, at)[1],
            SWITCH["hajek_errors"](y, D, m, at),
            SWITCH["conservative_error"](y, D, m),
        )
    assert runs[1][0].mean() > 0.5
    value, (near, _, hourly), safe = runs[3]
    assert abs(value.mean() - tau) < 0.35
    assert 0.93 < (np.abs(value - tau) < 1.96 * near).mean() < 0.995
    assert (np.abs(value - tau) < 1.96 * safe).mean() > 0.95
    assert (np.abs(value - tau) < 1.96 * hourly).mean() < 0.90


# --- 지역 실험의 설계 ------------------------------------------------------------------


def test_weights_are_weights_and_shrinking_keeps_the_squares():
    past = ADS.orders(1)[: ADS.BEFORE]
    J, w, v = GEO["plan"]((0, 5, 9), *GEO["shrink"](past))
    for x in (w, v):
        assert np.all(x >= 0) and x.sum() == pytest.approx(1, abs=1e-6)
    assert set(np.flatnonzero(w)) <= {0, 5, 9} and not set(np.flatnonzero(v)) & {0, 5, 9}
    whole = past @ SHARE
    assert J == pytest.approx(((past @ w - whole) ** 2).mean() + ((past @ v - whole) ** 2).mean())


def test_the_design_in_the_file_was_drawn_by_lot_from_the_shortlist():
    """저장된 자료의 세 도시는 후보 60가지에서 씨앗 1030의 제비로 뽑은 것이고, 탐색의 최솟값은 어느 시작보다 나쁘지 않습니다."""
    past = np.array(load("station_ads").query("day <= 112").pivot(index="day", columns="city", values="orders"))
    listed = GEO["shortlist"](past)
    lot = listed[np.random.default_rng(1030).integers(len(listed))] + 1
    assert tuple(lot) == ADS.DEFAULTS["treated"] and len({tuple(s) for s in listed}) == 60
    R, b = GEO["shrink"](past)
    starts = [tuple(s) for s in TRIOS[[5, 900, 2500]]]
    size = lambda s: GEO["plan"](s, R, b)[0]  # noqa: E731
    assert all(GEO["swap_search"](s, size)[0] <= size(s) for s in starts)


def every_lot(seed, effect):
    """한 역사에서 제비가 될 수 있는 모든 결과의 (추정값, 아래, 위)."""
    Y = ADS.orders(seed)
    listed = GEO["shortlist"](Y[:112])
    D, quiet = GEO["gap_table"](Y, listed, ADS.BEFORE)
    rows = []
    for mine, s in enumerate(listed):
        on = np.isin(np.arange(ADS.CITIES), s) * 1.0
        rows.append(GEO["permutation_interval"](D, quiet + D @ (on * effect), mine, on))
    return np.array(rows)


def test_the_permutation_interval_is_exact_in_every_history_when_the_effect_is_constant():
    """역사 하나를 고정하고 모든 제비를 세면, 꼭 60분의 57 이상이 담깁니다. 앞 역사가 어떻든 그렇습니다."""
    for seed in range(6):
        runs = every_lot(400 + seed, 2.0)
        assert np.isfinite(runs).all() and (runs[:, 1] <= runs[:, 0]).all() and (runs[:, 0] <= runs[:, 2]).all()
        assert ((runs[:, 1] <= 2.0) & (2.0 <= runs[:, 2])).mean() >= 0.95 - 1e-9


def test_it_still_holds_when_cities_differ_in_effect():
    runs = np.vstack([every_lot(90_000 + k, LIFT) for k in range(40)])
    assert 0.92 < ((runs[:, 1] <= ATE) & (ATE <= runs[:, 2])).mean() < 0.975
    assert abs(runs[:, 0].mean() - ATE) < 0.05 * ATE


def test_a_plain_lottery_aims_at_the_unweighted_mean():
    """'평균으로는 공정하다'가 아닙니다: 모든 세 곳을 세면 산술평균이고, 인구 가중 평균보다 0.2건 작습니다."""
    assert LIFT[TRIOS].mean() == pytest.approx(LIFT.mean()) and LIFT.mean() - ATE == pytest.approx(-0.19, abs=0.02)


def test_the_estimate_moves_one_for_one_with_an_injected_effect():
    Y = ADS.orders(2)
    chosen = [c - 1 for c in ADS.DEFAULTS["treated"]]
    before, *_ = GEO["geo_effect"](Y, chosen, ADS.BEFORE)
    Y[ADS.BEFORE :, chosen] += 3.0
    assert GEO["geo_effect"](Y, chosen, ADS.BEFORE)[0] == pytest.approx(before + 3.0, abs=1e-6)


def test_the_t_interval_fails_once_the_search_is_repeated():
    """쪽과 다른 씨앗: 설계를 역사마다 다시 찾으면 t 구간이 약속에 못 미치고, 아무 세 곳의 이중차분은 몇 배 부정확합니다."""
    rng, rows = np.random.default_rng(0), []
    for k in range(160):
        off = ADS.orders(70_000 + k)
        found = GEO["shortlist"](off[:112], 1)[0]
        seen = off.copy()
        seen[ADS.BEFORE :, found] += LIFT[found]
        lot = rng.choice(30, 3, replace=False)
        change = off[ADS.BEFORE :].mean(axis=0) - off[ADS.BEFORE - 28 : ADS.BEFORE].mean(axis=0)
        rows.append(
            [*GEO["geo_effect"](seen, found, ADS.BEFORE), (change + LIFT)[lot].mean() - np.delete(change, lot).mean()]
        )
    value, error, q, lottery = np.array(rows).T
    assert 0.82 < (np.abs(value - ATE) < q * error).mean() < 0.94
    assert abs(value.mean() - ATE) < 0.1 * ATE
    assert np.sqrt(np.mean((lottery - ATE) ** 2)) > 3 * np.sqrt(np.mean((value - ATE) ** 2))


@pytest.mark.parametrize(
    "names",
    [
        ("shrink", "simplex", "plan", "shortlist", "gap_table", "permutation_interval", "ad_estimate"),
        ("exposure", "exposure_chance", "estimate"),
    ],
)
def test_the_deeper_page_repeats_the_chapters_functions(names):
    """심화가 다시 적은 함수는 장의 함수와 같은 식입니다."""
    for name in names:
        bodies = {_body(page, name) for page in (PAGE, DEEPER)}
        assert len(bodies) == 1, name


def _body(page, name):
    for cell in parse(page.text).cells:
        for node in ast.parse(cell.source).body:
            if isinstance(node, ast.FunctionDef) and node.name == name:
                return ast.dump(ast.Module(node.body[1:] if ast.get_docstring(node) else node.body, []))
    raise AssertionError(f"{page.docname}: {name}")


def test_longer_at_the_same_budget_asks_for_a_higher_return():
    """쪽과 다른 역사: 알아챌 효과가 날에 반비례하는 것보다 훨씬 천천히 줄어, 같은 예산이면 긴 쪽이 더 높은 iROAS를 요구합니다."""
    half = {7: [], 28: []}
    for seed in range(30):
        Y = ADS.orders(95_000 + seed)
        listed = GEO["shortlist"](Y[:112])
        for days, rows in half.items():
            D, gaps = GEO["gap_table"](Y, listed, ADS.BEFORE, days)
            on = np.isin(np.arange(ADS.CITIES), listed[0]) * 1.0
            _, low, high = GEO["permutation_interval"](D, gaps, 0, on)
            rows.append((high - low) / 2)
    short, long = (np.median(rows) for rows in half.values())
    assert 0.5 * short < long < 1.1 * short and 28 * long > 2 * 7 * short


def test_one_significant_cell_is_no_winner():
    """효과가 똑같은 두 셀: 알아챌 만한 크기에서는 셋에 하나꼴로 하나만 유의하고, 차이의 검정은 5%만 기각합니다."""
    z = np.random.default_rng(0).normal(size=(100_000, 2))
    one = {d: np.diff(np.abs(z + d) > 1.96, axis=1).mean() for d in (2.8, 5.0)}
    assert 0.28 < one[2.8] < 0.36 and one[5.0] < 0.01
    assert (np.abs(z[:, 0] - z[:, 1]) > 1.96 * np.sqrt(2)).mean() == pytest.approx(0.05, abs=0.003)


def test_published_numbers_come_out():
    """담배 판매량의 2000년 차이는 출판된 26갑쯤이고 등수는 판매량만 맞추면 3등입니다. GeoLift의 증분은 하루 평균 × 날 × 도시입니다."""
    smoke = pd.read_csv(package_file("causalpy", "data/california_prop99.csv"), index_col="Year")
    early, ratio, gap = smoke.index < 1989, {}, {}
    for state in smoke:
        others = smoke.drop(columns=state)
        gap[state] = smoke[state] - others @ GEO["simplex"](others[early].to_numpy(), smoke[state][early].to_numpy())
        ratio[state] = (gap[state][~early] ** 2).mean() / (gap[state][early] ** 2).mean()
    assert gap["California"][2000] == pytest.approx(-26, abs=1)
    assert sum(r >= ratio["California"] for r in ratio.values()) == 3
    assert round(155.556 * 15 * 2) == 4667
    assert 64_563.75 / 43_646.25 == pytest.approx(1.5, abs=0.03)


def test_spill_takes_its_share_of_the_controls_effect():
    clean, leaky = (ADS.generate(spill=s) for s in (0.0, 0.2))
    lost = GEO["ad_estimate"](clean)[0] - GEO["ad_estimate"](leaky)[0]
    past = np.array(clean.query("day <= 112").pivot(index="day", columns="city", values="orders"))
    v = GEO["plan"]([c - 1 for c in ADS.DEFAULTS["treated"]], *GEO["shrink"](past))[2]
    assert lost == pytest.approx(0.2 * v @ LIFT, abs=0.03)
