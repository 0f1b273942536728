"""시험 배포 사례: 알려진 정답, 그리고 쪽의 식이 논문 저자의 꾸러미와 같은 값을 내는지.

confseq 0.0.11의 값은 아래에 적어 두었습니다. 그 꾸러미는 파이썬 3.11부터 휠이 없어 책의 의존성에 넣지 않았습니다.
다시 재려면 따로 만든 환경에 confseq를 설치하고 값마다 적은 호출을 그대로 실행하면 됩니다.
"""

from math import comb

import numpy as np
import pandas as pd
import pytest
from scipy.special import betaln

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, truth

CANARY = generator("netflix_sequential_canary")
KNOWN = truth("netflix_sequential_canary")
PAGE = read_page(ROOT / "case_studies" / "netflix_sequential_canary.md")
HERE = page_functions(
    PAGE,
    "log_evidence",
    "same_quantile",
    "sequence_interval",
    "fixed_gap",
    "band",
    "beyond_band",
    "msprt",
    "head_count",
    "failure_evidence",
    betaln=betaln,
)


@pytest.fixture(scope="module")
def large():
    return CANARY.generate(seed=11, n=400_000)


def test_known_truth_at_large_n(large):
    first = large.drop_duplicates("member_id")
    for p, key in [(0.5, "p50_ITT"), (0.9, "p90_ITT")]:
        low, high = (np.quantile(first[f"delay_{k}"].fillna(np.inf), p, method="lower") for k in (0, 1))
        assert high - low == pytest.approx(KNOWN[key], abs=0.02)
    failed = large[["delay_0", "delay_1"]].isna().mean()
    assert 100 * (failed["delay_1"] - failed["delay_0"]) == pytest.approx(KNOWN["failed_ITT"], abs=0.05)


def test_the_mean_hides_what_the_tail_suffers(large):
    first = large.drop_duplicates("member_id")
    assert abs(first["delay_1"].mean() - first["delay_0"].mean()) < 0.03


def test_a_release_that_changes_nothing_changes_nothing():
    calm = CANARY.generate(seed=5, n=2_000, release="none")
    pd.testing.assert_series_equal(calm["delay_0"], calm["delay_1"], check_names=False)


def test_late_logging_loses_only_the_new_release():
    late = CANARY.generate(seed=5, n=5_000, release="none", lag=30.0)
    assert late.loc[late["new_release"] == 1, "minute"].min() >= 30
    assert late.loc[late["new_release"] == 0, "minute"].min() < 5


# confseq.boundaries.beta_binomial_log_mixture(k - n * 0.9, n * 0.09, 22.5, 0.9, 0.1, 0.05, False)
BETA_BINOMIAL = [
    (80, 100, 2.5604077382404427),
    (95, 100, 0.6926131719269435),
    (850, 1000, 9.954593771738303),
    (8950, 10_000, -1.5820855760107975),
    (3, 3, 0.010335017290856285),
]
OPTIMAL = 2 * np.log(20) + np.log1p(2 * np.log(20))
"""confseq가 v_opt를 믿음의 크기로 바꿀 때 나누는 수(best_rho, alpha_opt=0.05)."""


@pytest.mark.parametrize("k, n, expected", BETA_BINOMIAL)
def test_evidence_agrees_with_the_authors_package(k, n, expected):
    weight = (22.5 / OPTIMAL - 0.09) / 0.09
    assert HERE["log_evidence"](k, n, 0.9, weight) == pytest.approx(expected, abs=1e-9)


# confseq.boundaries.normal_log_mixture(gap / var, 1 / var, OPTIMAL / 0.01**2, 0.05, False)
@pytest.mark.parametrize("gap, var, expected", [(0.01, 1e-5, 3.3465069090553596), (0.02, 4e-5, 2.9450470871808867)])
def test_msprt_agrees_with_the_authors_package(gap, var, expected):
    assert HERE["msprt"](gap, var) == pytest.approx(expected, abs=1e-9)


# confseq.quantiles.empirical_process_lil_bound(n, 0.025, 1, 0.85). 논문의 식은 상수를 반올림해 1%쯤 넓습니다.
@pytest.mark.parametrize(
    "n, expected", [(100, 0.2734086632237452), (1000, 0.08788561524720172), (10_000, 0.02812209328453939)]
)
def test_band_is_the_authors_bound_with_rounded_constants(n, expected):
    assert expected < HERE["band"](n) < 1.02 * expected


def test_quantile_test_agrees_with_the_authors_package():
    # confseq.quantiles.quantile_ab_p_value(a, b, 0.9, 1000). 그쪽은 두 관측의 사이까지 이어서 최솟값을 찾아 조금 더 봐줍니다.
    rng = np.random.default_rng(1)
    a, b = np.sort(np.round(rng.lognormal(0, 0.5, 1500), 3)), np.sort(np.round(rng.lognormal(0.12, 0.5, 1700), 3))
    weight = (90 / OPTIMAL - 0.09) / 0.09
    assert np.exp(-HERE["same_quantile"](a, b, 0.9, weight)) == pytest.approx(7.345015305111017e-05, rel=0.06)


def test_searching_near_the_two_quantiles_finds_the_least_evidence():
    rng = np.random.default_rng(2)
    for _ in range(20):
        a, b = np.sort(rng.lognormal(0, 0.5, 300)), np.sort(rng.lognormal(rng.normal(0, 0.3), 0.5, 260))
        every = np.concatenate([[-1.0], a, b])
        whole = sum(HERE["log_evidence"](np.searchsorted(v, every, "right"), len(v), 0.9, 250) for v in (a, b)).min()
        assert HERE["same_quantile"](a, b) == pytest.approx(whole)


def test_evidence_is_a_fair_bet_on_a_fair_coin():
    for n in (1, 5, 12):
        weigh = np.array([comb(n, k) for k in range(n + 1)])
        bets = np.exp(HERE["log_evidence"](np.arange(n + 1), n, 0.5, 2))
        assert (weigh * bets).sum() / 2**n == pytest.approx(1.0)


def test_evidence_alone_crosses_rarely_however_often_one_looks():
    heads = np.random.default_rng(3).binomial(1, 0.5, (2_000, 3_000)).cumsum(axis=1)
    path = HERE["log_evidence"](heads, np.arange(1, 3_001), 0.5, 100)
    assert (path.max(axis=1) > np.log(20)).mean() < 0.05


def test_interval_and_test_say_the_same():
    """신뢰수열이 0을 비켜 가는 때와 증거가 문턱을 넘는 때가 같습니다."""
    rng = np.random.default_rng(4)
    agree = []
    for _ in range(40):
        a, b = np.sort(rng.lognormal(0, 0.5, 800)), np.sort(rng.lognormal(rng.normal(0, 0.15), 0.5, 800))
        low, high = HERE["sequence_interval"](a, b)
        agree.append((low > 0 or high < 0) == (HERE["same_quantile"](a, b) > np.log(40)))
    assert np.mean(agree) > 0.95


def test_head_count_stays_quiet_and_then_hears_a_bent_coin():
    calm = CANARY.generate(seed=6, release="none")
    assert HERE["head_count"](calm).max() < np.log(1000)
    late = CANARY.generate(seed=6, release="none", lag=40.0)
    assert HERE["head_count"](late).max() > np.log(1000)


def test_counting_members_once_keeps_the_promise_and_counting_plays_does_not():
    once, every = [], []
    for seed in range(200):
        frame = CANARY.generate(seed=50_000 + seed, n=4_000, release="none")
        once.append(HERE["failure_evidence"](frame)[1].max() > np.log(20))
        sides = frame.loc[frame["failed"] == 1, "new_release"].to_numpy()
        every.append(HERE["log_evidence"](sides.cumsum(), np.arange(1, len(sides) + 1), 0.5, 100).max() > np.log(20))
    assert np.mean(once) < 0.05 < 0.10 < np.mean(every)
