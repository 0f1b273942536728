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
    "last_block", "neighbours", "leftover", "known", "one_time", "value_only", HISTORY=8, PILOT=4, BEFORE=12, LENGTH=3, maker=TOGGLES, stats=stats,
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
