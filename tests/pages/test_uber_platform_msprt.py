"""실험 플랫폼 사례: 큰 수에서 아는 정답, 표의 뜻, 잭나이프와 구간과 BH의 식, 깨진 세상, 메모의 돈."""

import numpy as np
import pytest
import statsmodels.formula.api as smf
from scipy import stats
from statsmodels.stats.multitest import multipletests

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, load, truth

MAKER = generator("uber_platform_msprt")
KNOWN = truth("uber_platform_msprt")
TEXT = read_page(ROOT / "case_studies" / "uber_platform_msprt.md")
PAGE = page_functions(
    TEXT, "daily", "pile", "gap", "naive_gap", "two_checks", "log_e", "half_width", "first_day", "at_end", "at_stop", "swaps", "swap_day",
    "bh", "fresh_starts", "daily_profit", "end_value",
    DAYS=21, CUT={"뺌": "flick", "갈아탄 뒤만 뺌": "after"}, size=0.3, stats=stats, saving=750, riders=1_000_000, per_crash=3_000,
)  # fmt: skip
PLAIN = {"flick": 0.0, "reinstall": 0.0}


@pytest.fixture(scope="module")
def large():
    return [MAKER.simulate(seed=k, n=400_000) for k in range(4)]


def last(d, how="둠"):
    return PAGE["end_value"](d, how)


def test_the_constants_of_the_tests_are_those_of_the_page():
    assert "riders, per_crash, saving = 1_000_000, 3_000, 750" in TEXT.text and "size = 0.3 " in TEXT.text
    assert "DAYS = 21" in TEXT.text and MAKER.DAYS == 21


def test_the_truth_is_the_gap_of_the_two_worlds(large):
    known = [100 * (d["crash_1"].sum() - d["crash_0"].sum()) / d["users"].sum() for d in large]
    assert np.mean(known) == pytest.approx(KNOWN["ITT"], abs=0.006)
    # 정답 열을 쓰지 않고 두 집단의 차이에서
    assert np.mean([last(d) for d in large]) == pytest.approx(KNOWN["ITT"], abs=0.04)


def test_without_movers_the_effect_is_the_lift():
    """갈아타는 사람이 없으면 모두에게 내보낼 때와 같은 0.4입니다."""
    d = MAKER.simulate(seed=8, n=400_000, **PLAIN)
    assert 100 * (d["crash_1"].sum() - d["crash_0"].sum()) / d["users"].sum() == pytest.approx(
        100 * MAKER.CRASH * 0.2, abs=0.01
    )
    assert d["flick_users"].sum() == d["flick_days"].sum() == d["flick_crash"].sum() == d["after_crash"].sum() == 0


def test_equal_versions_change_nothing():
    d = MAKER.generate(seed=3, n=4_000, lift=0.0)
    assert (d["crash_0"] == d["crash_1"]).all() and (d["hurt"] == 0).all()


def test_harm_waits_for_its_day():
    d = MAKER.simulate(seed=3, n=20_000, start=12)
    assert (d["crash_0"][..., :11] == d["crash_1"][..., :11]).all() and d["hurt"][..., :11].sum() == 0 < d["hurt"][
        ..., 11:
    ].sum()


def test_what_was_seen_is_the_world_of_the_first_version():
    d = MAKER.simulate(seed=5)
    for z in (0, 1):
        np.testing.assert_array_equal(d["crash"][:, z], d[f"crash_{z}"][:, z])
    assert d["users"].sum(axis=(0, 1))[-1] == 20_000 and (np.diff(d["users"], axis=-1) >= 0).all()
    plain = MAKER.simulate(seed=5, **PLAIN)  # 갈아타는 사람이 없으면 다친 사람은 새 버전 탓의 종료보다 많지 않습니다
    assert (
        0 < plain["hurt"].sum() <= (plain["crash_1"] - plain["crash_0"]).sum()
        and (plain["crash_1"] >= plain["crash_0"]).all()
    )


def test_dropping_the_movers_removes_them_altogether():
    """갈아탄 사람의 수, 이용 일수, 종료를 뺀 나머지는 늘 0 이상이고, 뒤만 뺀 것은 통째로 뺀 것보다 많이 남습니다."""
    d = MAKER.simulate(seed=6)
    (n, c), (n1, c1), (n2, c2) = (PAGE["pile"](d, how) for how in ("둠", "뺌", "갈아탄 뒤만 뺌"))
    assert (
        (n1 >= 0).all()
        and (c1 >= 0).all()
        and (n2 <= n).all()
        and (n1 <= n2).all()
        and (c1 <= c2).all()
        and (c2 <= c).all()
    )
    moved = d["flick_users"].cumsum(axis=-1)[..., -1]
    stay = d["users"][..., -1] - moved
    assert (n1[..., -1] <= 21 * stay).all() and (n1[..., -1] >= 15 * stay).all()


def test_the_jackknife_is_the_loop_and_close_to_statsmodels():
    df = load("uber_platform_msprt")
    n, c = PAGE["pile"](df)
    g, alone, group = PAGE["gap"](n, c)
    for t in (0, 6, 20):
        left = []
        for k in range(len(n)):
            N, C = np.delete(n, k, axis=0).sum(axis=0)[:, t], np.delete(c, k, axis=0).sum(axis=0)[:, t]
            left.append(100 * (C[1] / N[1] - C[0] / N[0]))
        assert group[t] == pytest.approx((len(n) - 1) * np.var(left))
    last = df.groupby(["user_group", "new_release"])[["users", "crash"]].sum().reset_index()
    last["rate"] = 100 * last["crash"] / last["users"]
    fit = smf.wls("rate ~ new_release", last, weights=last["users"]).fit(
        cov_type="cluster", cov_kwds={"groups": last["user_group"]}
    )
    assert g[-1] == pytest.approx(fit.params["new_release"]) and group[-1] ** 0.5 == pytest.approx(
        fit.bse["new_release"], rel=0.03
    )
    assert alone[-1] < 0.7 * group[-1]


def test_the_interval_is_the_inverted_evidence():
    v = np.linspace(0.001, 0.5, 60)
    edge = PAGE["half_width"](v)
    np.testing.assert_allclose(PAGE["log_e"](edge, v), np.log(20))


def test_the_evidence_keeps_its_promise_when_information_is_independent():
    steps = np.random.default_rng(4).normal(size=(4_000, 300)).cumsum(axis=1) / np.arange(1, 301)
    e = PAGE["log_e"](steps, 1 / np.arange(1, 301))
    assert (e > np.log(20)).any(axis=1).mean() < 0.05
    # 멈춘 때의 증거의 평균은 1을 넘지 않습니다
    hit = e > np.log(3)
    stop = np.where(hit.any(axis=1), hit.argmax(axis=1), 299)
    assert np.exp(e[np.arange(len(e)), stop]).mean() < 1.15


def test_bh_is_the_library_and_e_bh_its_thresholds():
    p = np.random.default_rng(2).random((300, 11)) ** 2.5
    np.testing.assert_array_equal(PAGE["bh"](p), [multipletests(row, 0.05, "fdr_bh")[0] for row in p])
    assert (
        PAGE["bh"](1 / np.array([90.0, 35, 22, 3])).sum() == 1
        and PAGE["bh"](1 / np.array([90.0, 41, 27, 3])).sum() == 3
    )


def test_the_fast_sums_are_the_users_added_up():
    """칸의 합을 바로 뽑은 세상과 이용자를 하나씩 만든 세상의 비율, 분산이 같습니다."""
    users, (count,) = MAKER.many(seed=1, draws=150)
    slow = [MAKER.simulate(seed=k, lift=0.0, **PLAIN) for k in range(60)]
    _, _, fast = PAGE["gap"](users.cumsum(axis=-1).astype(float), count.cumsum(axis=-1).astype(float))
    hand = np.array([PAGE["gap"](*PAGE["pile"](d))[2] for d in slow])
    for t in (1, 6, 20):
        assert fast[:, t].mean() == pytest.approx(hand[:, t].mean(), rel=0.08)
    assert count.sum() / users.sum() == pytest.approx(MAKER.CRASH, rel=0.02)


def false_alarm(variance, draws=400, **world):
    users, (count,) = MAKER.many(seed=31, draws=draws, **world)
    found = PAGE["gap"](users.cumsum(axis=-1).astype(float), count.cumsum(axis=-1).astype(float))
    return (PAGE["log_e"](found[0], found[variance]) > np.log(20)).any(axis=1).mean()


def test_false_alarms_come_from_a_wrong_variance():
    """독립이라 친 분산은 몰릴수록, 잭나이프는 묶음이 적을수록 약속을 깹니다."""
    assert false_alarm(2) < 0.05 and false_alarm(2, shape=0.1) < 0.05
    assert 0.06 < false_alarm(1) < false_alarm(1, shape=0.1) and false_alarm(1, shape=0.1) > 0.13
    assert false_alarm(2, groups=8) > 0.08
    assert false_alarm(1, shape=50.0) < 0.05  # 사람이 모두 같으면 독립이라 쳐도 됩니다


def test_swapping_whole_groups_is_honest_and_needs_groups():
    users, (count,) = MAKER.many(seed=13, draws=200)
    n, c = users.cumsum(axis=-1).astype(float), count.cumsum(axis=-1).astype(float)
    signs = PAGE["swaps"](40)
    assert np.isfinite(PAGE["swap_day"](n, c, signs)).mean() < 0.1


def test_few_groups_still_swap_if_no_world_is_counted_twice():
    """묶음 8개의 맞바꾼 세상은 128가지입니다. 겹쳐 세면 우리 세상의 쌍둥이 때문에 영영 멈추지 못합니다."""
    every = PAGE["swaps"](8)
    assert (
        len(every) == len(np.unique(every, axis=0)) == 128 and (every[0] == 1).all() and len(PAGE["swaps"](40)) == 400
    )
    users, (count,) = MAKER.many(seed=909, draws=800, groups=8)
    n, c = users.cumsum(axis=-1).astype(float), count.cumsum(axis=-1).astype(float)
    calm = PAGE["swap_day"](n, c, every)
    assert np.isfinite(calm).mean() < 0.075 and calm.min() >= 4
    d = [PAGE["pile"](MAKER.simulate(seed=20_000 + k)) for k in range(40)]
    merged = [np.stack([pair[i].reshape(8, 5, 2, 21).sum(axis=1) for pair in d]) for i in (0, 1)]
    assert np.isfinite(PAGE["swap_day"](*merged, every)).mean() > 0.6
    twice = np.vstack([every, every, every])
    assert not np.isfinite(PAGE["swap_day"](*merged, twice)).any()


def test_the_seed_is_the_first_that_passes_and_the_page_says_so():
    """글이 나온 2018부터 하나씩: 두 값이 모두 뺀 값보다 정답에 가까운 첫 씨앗. 고른 것이므로 쪽이 그 비율과 건너뛴 자료를 적습니다."""
    big = MAKER.simulate(seed=77, n=300_000)
    path = 100 * (big["crash_1"] - big["crash_0"]).sum(axis=(0, 1)).cumsum() / big["users"].sum(axis=(0, 1)).cumsum()

    def passes(seed):
        d = MAKER.simulate(seed=seed)
        day, value = PAGE["at_stop"](d)[:2]
        drop, end = PAGE["naive_gap"](d), PAGE["at_end"](d)[0]
        return abs(end - KNOWN["ITT"]) < abs(drop - KNOWN["ITT"]) and abs(value - path[day - 1]) < abs(
            drop - path[day - 1]
        )

    assert [passes(seed) for seed in (2018, 2019, 2020)] == [False, False, True] and MAKER.DEFAULTS["seed"] == 2020
    assert 0.4 < np.mean([passes(50_000 + k) for k in range(100)]) < 0.68  # 다른 자료의 절반쯤만 통과합니다
    assert "결과를 보고 고른 자료" in TEXT.text and "for seed in (2018, 2019):" in TEXT.text


def test_evidence_started_anew_is_calm_with_many_groups_only():
    """새로 시작한 증거의 이용자는 앞날에도 나왔으므로 약속은 근사입니다."""
    rates = []
    for groups in (40, 8):
        users, (count,) = MAKER.many(seed=909, draws=600, groups=groups)
        rates.append(np.isfinite(PAGE["fresh_starts"]({"users": users, "crash": count})).mean())
    assert rates[0] < 0.05 < 0.09 < rates[1]


def test_the_break_even_lies_between_the_two_in_the_long_run(large):
    """본전 0.25건은 뺀 값의 기댓값과 ITT의 사이에 두었습니다."""
    assert np.mean([last(d, "뺌") for d in large]) < 0.25 < KNOWN["ITT"]


def test_dropping_movers_biases_only_if_the_crash_moved_them(large):
    """종료가 갈아타게 하면 편향, 기기 교체뿐이면 없음, 똑같은 버전이면 없음(그래서 A/A는 못 봅니다)."""
    drop = np.mean([last(d, "뺌") - last(d) for d in large])
    assert drop < -0.04
    phones = [MAKER.simulate(seed=k, n=400_000, flick=0.08, reinstall=0.0) for k in (1, 2)]
    assert abs(np.mean([last(d, "뺌") for d in phones]) - 0.4) < 0.04
    calm = [MAKER.simulate(seed=k, n=400_000, lift=0.0) for k in (1, 2, 3)]
    assert abs(np.mean([last(d, "뺌") - last(d) for d in calm])) < 0.02


def test_a_small_leak_of_heavy_users_is_a_large_bias_that_heads_do_not_show():
    seen, miss = [], []
    for k in range(60):
        d = MAKER.simulate(seed=700 + k, lost=0.02)
        seen.append(PAGE["two_checks"](d)[0] < 0.001)
        miss.append(last(d) - KNOWN["ITT"])
    assert np.mean(seen) < 0.15 and np.mean(miss) < -0.12


def test_fresh_starts_find_a_late_harm_more_often():
    late = [MAKER.simulate(seed=900 + k, start=12) for k in range(80)]
    fresh = [np.isfinite(PAGE["fresh_starts"](d)) for d in late]
    kept = [
        np.isfinite(PAGE["first_day"](PAGE["log_e"](*np.array(PAGE["gap"](*PAGE["pile"](d)))[[0, 2]]) > np.log(20)))
        for d in late
    ]
    assert np.mean(fresh) > np.mean(kept)


def test_the_memo_is_the_money_of_everybody_on_one_version(large):
    """모두에게 내보낸 세상(갈아탈 곳이 없음)에서 센 하루의 종료로 순이익을 다시 셉니다."""
    d = MAKER.simulate(seed=12, n=400_000, **PLAIN)
    each = (d["crash_1"].sum() - d["crash_0"].sum()) / d["users"].sum()  # 이용자 한 명의 하루
    direct = 750 - 1_000_000 * each * 3_000 / 10_000
    assert direct == pytest.approx(PAGE["daily_profit"](0.4), abs=25) and PAGE["daily_profit"](0.25) == pytest.approx(0)
    # ITT는 모두에게 내보낼 때의 해로움보다 작습니다
    assert np.mean([last(x) for x in large]) < 0.4 - 0.05


def test_stopping_early_spares_users():
    hurt_stop, hurt_end = [], []
    for k in range(40):
        d = MAKER.simulate(seed=300 + k)
        day = PAGE["at_stop"](d)[0]
        hurt = d["hurt"][:, 1].sum(axis=0).cumsum()
        hurt_stop.append(hurt[day - 1])
        hurt_end.append(hurt[-1])
    assert np.mean(hurt_stop) < 0.5 * np.mean(hurt_end)
