"""권역 광고 사례: 큰 되풀이에서 아는 정답, 제비의 확률, 정확한 구간, 가정을 깬 세상, 메모의 돈."""

import numpy as np
import pytest
import statsmodels.formula.api as smf
from scipy import stats

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, load, truth

TOGGLES = generator("netflix_geo_toggles")
KNOWN = truth("netflix_geo_toggles")
TEXT = read_page(ROOT / "case_studies" / "netflix_geo_toggles.md")
PAGE = page_functions(
    TEXT, "panel", "pilot_gap", "alike", "anyone", "cells", "within", "lottery_interval", "toggle_effect", "lag_fit", "lag_effect", "wild_effect",
    "last_block", "neighbours", "leftover", "known", "one_time", "value_only", "tasteless", HISTORY=8, PILOT=4, BEFORE=12, LENGTH=3, maker=TOGGLES, stats=stats,
)  # fmt: skip
LONG = {"carry": 0.5, "memory": 3}
PULLED = {"carry": -0.5, "memory": 6}


def test_the_constants_of_the_tests_are_those_of_the_page():
    assert "HISTORY, PILOT, LENGTH = 8, 4, 3" in TEXT.text and "worth, cost = 5, 2" in TEXT.text
    assert (TOGGLES.HISTORY, TOGGLES.PILOT, TOGGLES.LENGTH) == (8, 4, 3)


def test_the_truth_is_always_on_against_always_off():
    """정답 열을 쓰지 않고, 우연이 같은 두 세상(효과가 있는 것과 없는 것)의 켠 칸에서 다시 셉니다."""
    effects = [PAGE["known"](TOGGLES.generate(seed=k)) for k in range(20)]
    assert np.mean(effects) == pytest.approx(KNOWN["ATE"], abs=0.02)
    d, none = TOGGLES.generate(seed=3, spread=0.0), TOGGLES.generate(seed=3, lift=0.0)
    assert (none["signups"] == none["signups_off"]).all() and (d["ad"] == none["ad"]).all()
    heard = 100 * np.log(d["signups"] / none["signups"])
    steady = d["ad"].eq(1) & d.groupby("region_id")["ad"].shift().eq(1)
    assert heard[steady].mean() == pytest.approx(4.0, abs=0.02)
    first = d["ad"].eq(1) & d.groupby("region_id")["ad"].shift().eq(0)
    assert heard[first].mean() == pytest.approx(0.7 * 4.0, abs=0.02)
    assert PAGE["known"](TOGGLES.generate(seed=3, spread=0.0, spill=0.3)) == pytest.approx(1.3 * 4.0, abs=0.03)


def test_the_lottery_gives_every_cell_one_half_and_follows_the_rule():
    tables = TOGGLES.pool(12, 8)
    assert (tables.sum(axis=1) == 4).all() and (tables.sum(axis=2) == 6).all()
    assert len(np.unique(tables.reshape(len(tables), -1), axis=0)) == len(tables)
    y, ad, share, fans = PAGE["panel"](load("netflix_geo_toggles"))
    listed = PAGE["alike"](share, fans, tables)
    np.testing.assert_array_equal(listed, TOGGLES.candidates(share, fans, tables))
    np.testing.assert_allclose(listed.mean(axis=0), 0.5)
    weight = share * (fans - share @ fans)
    assert np.abs(listed @ weight).mean() < 0.7 * np.abs(tables @ weight).mean()
    assert (listed == PAGE["cells"](ad, 2)).all(axis=(1, 2)).any()


def test_the_interval_is_the_inverted_test():
    """구간의 안과 밖에서 효과를 하나씩 넣고 목록의 등수를 그대로 세면 같은 결론입니다."""
    d = load("netflix_geo_toggles")
    y, ad, share, fans = PAGE["panel"](d)
    on = PAGE["cells"](ad, 2)
    lots = PAGE["within"](PAGE["alike"](share, fans, TOGGLES.pool(12, 8)), share)
    o, cell = PAGE["within"](on, share), PAGE["within"](PAGE["cells"](y), share)
    value, low, high = PAGE["toggle_effect"](d)
    unit = lots / np.linalg.norm(lots, axis=1, keepdims=True)

    def kept(tau):
        size = np.abs(unit @ (cell - tau * o))
        return np.mean(size >= np.abs(o @ (cell - tau * o)) / np.linalg.norm(o) - 1e-9) > 0.05

    assert low < value < high and kept(value)
    assert kept(low + 0.01) and kept(high - 0.01) and not kept(low - 0.01) and not kept(high + 0.01)


def test_the_interval_keeps_its_promise_whatever_the_outcome_does():
    """효과가 같으면 결과가 어떻게 움직이든 제비만으로 약속을 지킵니다: 한 역사에서 목록의 제비를 모두 뽑습니다."""
    d = TOGGLES.generate(seed=11, buzz=5.0)
    y, ad, share, fans = PAGE["panel"](d)
    cell = np.random.default_rng(2).standard_t(2, (8, 12)).cumsum(axis=0) * 10  # 꼬리가 두껍고 이어져 움직이는 결과
    lots = PAGE["alike"](share, fans, TOGGLES.pool(12, 8))
    X = PAGE["within"](lots, share)
    hits = []
    for j in range(len(lots)):
        _, low, high = PAGE["lottery_interval"](X[j], PAGE["within"](cell + 4.0 * lots[j], share), X)
        hits.append(low <= 4.0 <= high)
    assert np.mean(hits) >= 0.95


def test_forgetting_the_list_widens_the_interval():
    widths = []
    for k in range(30):
        d = TOGGLES.generate(seed=100 + k, buzz=4.0)
        widths.append([np.ptp(PAGE["toggle_effect"](d, choose=PAGE[c])[1:]) for c in ("alike", "anyone")])
    near, free = np.median(widths, axis=0)
    assert free > 1.2 * near


def test_a_schedule_off_the_list_is_refused():
    d = TOGGLES.generate(seed=5)
    last = d["week"] > 33
    d.loc[last, "ad"] = 1 - d.loc[last, "ad"]
    with pytest.raises(AssertionError, match="목록에 없는"):
        PAGE["toggle_effect"](d)


def test_by_hand_equals_statsmodels():
    d = TOGGLES.generate(seed=7)
    share = PAGE["panel"](d)[2]
    late = d.assign(
        past=d.groupby("region_id")["ad"].shift(), w=share[d["region_id"] - 1], y=100 * np.log(d["signups"])
    ).query("block > 0")
    fit = smf.wls("y ~ ad + past + C(region_id) + C(week)", late, weights=late["w"]).fit(
        cov_type="cluster", cov_kwds={"groups": late["region_id"], "use_correction": False}
    )
    total = fit.t_test("ad + past = 0")
    value, low, high = PAGE["lag_effect"](d)
    assert value == pytest.approx(total.effect[0], abs=1e-8)
    half = stats.t.ppf(0.975, 11) * np.sqrt(12 / 11) * total.sd[0][0]
    assert (high - low) / 2 == pytest.approx(half, rel=1e-6)
    assert PAGE["wild_effect"](d)[0] == pytest.approx(value)


def test_what_breaks_both_methods_and_what_the_checks_can_see():
    """양의 여운과 번짐은 줄이고 앞당김은 부풀립니다. 점검은 그 세상들에서 거의 기각하지 못합니다."""
    worlds = {"long": LONG, "pulled": PULLED, "spill": {"spill": 0.3}}
    for name, world in worlds.items():
        rows, seen = [], []
        look = PAGE["neighbours" if name == "spill" else "last_block"]
        for k in range(120):
            d = TOGGLES.generate(seed=40_000 + k, **world)
            target = PAGE["known"](d)
            rows.append([PAGE["toggle_effect"](d)[0] - target, PAGE["lag_effect"](d)[0] - target])
            seen.append(PAGE["leftover"](d, look)[1] <= 0.05)
        bias = np.mean(rows, axis=0)
        assert (bias > 1.0).all() if name == "pulled" else (bias < -0.6).all()
        assert np.mean(seen) < 0.35


def test_the_breakeven_share_is_the_careful_one():
    """앞당긴 세상에서 켠 주의 진짜 몫(1.5배)은 추정값의 평균보다 작지 않습니다."""
    values = [PAGE["value_only"](TOGGLES.generate(seed=50_000 + k, **PULLED)) for k in range(300)]
    assert 4.0 < np.mean(values) < 1.5 * 4.0 + 0.1


def test_toggling_among_alike_schedules_is_the_tightest():
    spread = {}
    for design in ("once_any", "once", "any", "balanced"):
        how = PAGE["one_time" if "once" in design else "value_only"]
        spread[design] = np.std([how(TOGGLES.generate(seed=60_000 + k, design=design)) for k in range(150)])
    assert spread["balanced"] < 0.9 * spread["any"] < 0.9 * spread["once"] < 0.8 * spread["once_any"]


def test_the_pilot_measures_the_title_too():
    gaps = [PAGE["pilot_gap"](TOGGLES.generate(seed=k, lift=0.0)) for k in range(200)]
    assert np.mean(gaps) > 5  # 효과가 없는 세상에서도
    calm = [PAGE["pilot_gap"](TOGGLES.generate(seed=k, lift=0.0, buzz=0.0)) for k in range(200)]
    assert abs(np.mean(calm)) < 1


def test_the_memo_is_the_money_of_the_two_worlds():
    """늘 켠 세상과 늘 끈 세상의 가입에서 센 순이익이, 정답을 넣은 쪽의 식과 맞습니다."""
    d = TOGGLES.generate(seed=70_000, blocks=12)
    homes = d.groupby("region_id")["households"].first().sum()
    week = d[d["week"] <= 8].groupby("week")["signups"].sum().mean()
    formula = 5 * week * np.expm1(PAGE["known"](d) / 100) - 2 * homes
    gained = []
    for k in range(40):
        x = TOGGLES.generate(seed=70_000 + k)
        gained.append((x["signups_on"] - x["signups_off"]).sum() / 36)
    direct = 5 * np.mean(gained) - 2 * homes
    assert direct == pytest.approx(formula, rel=0.25)
    assert 100 * np.log1p(2 * homes / (5 * week)) == pytest.approx(2.0, abs=0.25)


def test_a_late_pull_makes_the_breakeven_share_too_large():
    """빠지는 때가 묶음보다 늦으면(3~6주 뒤) 추정값이 켠 주의 진짜 몫(4.0)보다 커집니다."""
    values = []
    for k in range(300):
        d = TOGGLES.generate(seed=90_000 + k, lift=0.0, spread=0.0)
        ad = d["ad"].to_numpy().reshape(12, -1)
        heard = 4.0 * ad
        for late in (3, 4, 5, 6):
            heard[:, late:] -= 0.5 * ad[:, :-late]
        values.append(PAGE["value_only"](d.assign(signups=d["signups"] * np.exp(heard.ravel() / 100))))
    assert np.mean(values) > 4.0 + 0.02


def test_the_largest_region_counts_less_than_its_share():
    """1번에서만 듣는 광고는 정답보다 작게, 1번에서만 듣지 않는 광고는 크게 나옵니다."""
    only, never = [], []
    for k in range(200):
        d = TOGGLES.generate(seed=91_000 + k, lift=0.0)
        share = PAGE["panel"](d)[2]
        first = (d["region_id"] == 1).to_numpy()
        for found, where, total in ((only, first, share[0]), (never, ~first, 1 - share[0])):
            lift = 0.04 / total * where * d["ad"]
            found.append(PAGE["value_only"](d.assign(signups=d["signups"] * np.exp(lift))) - 4.0)
    assert np.mean(only) < -0.5 and 0.15 < np.mean(never) < 0.8


def test_the_taste_slope_helps_only_where_the_index_points_at_the_title():
    """취향의 기울기를 빼면 화제작이 지워지지만, 지수와 직각인 화제작은 그대로 남습니다."""
    rng, (_, _, share, fans) = np.random.default_rng(4), PAGE["panel"](TOGGLES.generate(seed=1))
    Z = np.sqrt(share)[:, None] * np.c_[np.ones(12), fans]
    other = rng.normal(size=12)
    other -= Z @ np.linalg.lstsq(Z, np.sqrt(share) * other, rcond=None)[0] / np.sqrt(share)
    title = rng.normal(size=(8, 1))
    assert np.abs(PAGE["tasteless"](title * fans, share, fans)).max() < 1e-9
    assert np.abs(PAGE["tasteless"](title * other, share, fans)).max() > 0.05


def test_one_split_is_as_good_where_regions_do_not_drift_and_the_record_is_long():
    """주마다 새로 오는 우연과 예순 주의 앞 기록에서는 한 번 나눈 설계의 표준편차가 뒤지지 않습니다. 이어지는 움직임에서는 뒤집니다."""
    rng, share = np.random.default_rng(8), np.full(12, 1 / 12)
    tables = TOGGLES.pool(12, 8)

    def noise(weeks, phi):
        x = rng.normal(size=(weeks, 12))
        for t in range(1, weeks):
            x[t] = phi * x[t - 1] + np.sqrt(1 - phi**2) * x[t]
        return x

    def widths(phi):
        once, many = [], []
        for _ in range(600):
            y, on = noise(84, phi), rng.permutation(12) < 6
            change = y[61:].mean(axis=0) - y[:60].mean(axis=0)
            once.append(change[on].mean() - change[~on].mean())
            o = PAGE["within"](tables[rng.integers(len(tables))], share)
            many.append(o @ PAGE["within"](PAGE["cells"](y[48:]), share) / (o @ o))
        return np.std(once), np.std(many)

    once, many = widths(0.0)
    assert once < 1.1 * many
    once, many = widths(0.9)
    assert once > 2 * many


def test_six_week_blocks_hold_a_three_week_memory():
    rows = []
    for k in range(150):
        d = TOGGLES.generate(seed=92_000 + k, blocks=4, length=6, **LONG)
        rows.append([*PAGE["toggle_effect"](d, drop=3, length=6), PAGE["known"](d)])
    value, low, high, target = np.array(rows).T
    assert abs(np.mean(value - target)) < 0.35 and np.mean((low <= target) & (target <= high)) > 0.9
    assert len(TOGGLES.generate(seed=1, blocks=4, length=6)) == 12 * 36


def test_one_week_blocks_leave_no_clean_off_cells():
    """묶음을 한 주로 줄이면 꺼진 칸 열에 아홉은 앞 세 주 가운데 켠 주가 있습니다."""
    rng = np.random.default_rng(6)
    on = np.array([rng.permutation(24) < 12 for _ in range(4_000)])
    past = on[:, 2:-1] | on[:, 1:-2] | on[:, :-3]
    assert 0.85 < past[~on[:, 3:]].mean() < 0.95


def test_the_own_data_table_takes_the_plain_mean_of_the_week():
    """13절의 표: 주의 단순 평균을 빼면 정답에 모이고, 가중 평균을 빼면 줄어듭니다."""
    assert "change.mean(axis=1, keepdims=True)" in TEXT.text
    plain, weighted = [], []
    for k in range(300):
        y, ad, share, _ = PAGE["panel"](TOGGLES.generate(seed=93_000 + k))
        on, change = PAGE["cells"](ad, 2), PAGE["cells"](y) - y[:8].mean(axis=0)
        w = np.tile(share, (8, 1))
        for found, mean in ((plain, change.mean(axis=1)), (weighted, change @ share)):
            gap = change - mean[:, None]
            found.append(np.average(gap[on == 1], weights=w[on == 1]) - np.average(gap[on == 0], weights=w[on == 0]))
    assert abs(np.mean(plain) - 4.0) < 0.2 and np.mean(weighted) < 3.8


def test_a_region_that_was_on_is_likelier_to_be_off_next():
    """켜는 묶음의 수가 정해져 있으므로, 목록을 통틀면 앞 묶음과 이번 묶음의 상관은 음수입니다."""
    share, fans = PAGE["panel"](load("netflix_geo_toggles"))[2:]
    for tables in (TOGGLES.pool(12, 8), PAGE["alike"](share, fans, TOGGLES.pool(12, 8))):
        assert -0.25 < np.corrcoef(tables[:, 1:].ravel(), tables[:, :-1].ravel())[0, 1] < -0.05
