"""출시 규칙 사례: 쪽의 함수, 나눈 채점의 편향과 포함률, 메모의 돈을 생성기에서 다시 계산합니다."""

from itertools import combinations

import numpy as np
import pytest

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator

PROXY = generator("netflix_proxy_metrics")
PAGE = read_page(ROOT / "case_studies" / "netflix_proxy_rules.md")
SLOPES = read_page(ROOT / "case_studies" / "netflix_proxy_metrics.md")
FRONT = np.array([np.isin(range(10), five) / 5 for five in combinations(range(10), 5)])
OMEGA = 2e6 / 5_000 * PROXY.NOISE
MIXES = {"클릭만": [0], "접속일만": [2], "완주만": [1], "클릭+완주": [0, 1], "셋": [0, 1, 2]}
TWO_WEEKS = {"클릭+완주": [0, 1]}
NAMES = (
    "three_gaps", "noise_of", "raw_parts", "jack_parts", "slope", "explained", "score_weights", "decide", "split_gain", "summary",
    "two_week_lead", "true_lead", "same_users", "programmes", "mark",
)  # fmt: skip
CODE = page_functions(
    PAGE, *NAMES, make=PROXY, names=PROXY.METRICS, known_noise=OMEGA, COST=3.0, VALUE=0.1, front=FRONT, TWO_WEEKS=TWO_WEEKS
)  # fmt: skip
(
    three_gaps, noise_of, raw_parts, jack_parts, slope, explained, score_weights, decide, split_gain, summary,
    two_week_lead, true_lead, same_users, programmes, mark,
) = (CODE[n] for n in NAMES)  # fmt: skip


@pytest.fixture(scope="module")
def worlds():
    """지난 실험과 새 실험 300건씩 100세트: 지난 추정값, 새 참 효과, 새 추정값."""
    rng = np.random.default_rng(12)
    past, new = (programmes(rng, 100) for _ in range(2))
    return past[1].mean(2), new[0][..., 2], new[1].mean(2)


def earned(past, tau, new):
    return {name: mark(go, tau)[3] for name, go in decide(past, new, OMEGA, MIXES).items()}


def test_the_helpers_are_those_of_the_case_before():
    d = PROXY.generate(seed=2, n=40)
    other = page_functions(SLOPES, "bucket_gaps", "raw_parts", "jack_parts", "slope")
    gaps = three_gaps(d)
    for c, name in enumerate(PROXY.METRICS):
        np.testing.assert_allclose(gaps[..., c], other["bucket_gaps"](d, name), atol=1e-9)
    s, y = gaps[..., 0], gaps[..., 2]
    for name in ("raw_parts", "jack_parts"):
        np.testing.assert_allclose(CODE[name](s, y), other[name](s, y))
    np.testing.assert_allclose(
        slope(jack_parts(s, y), jack_parts(s, s)), other["slope"](jack_parts(s, y), jack_parts(s, s))
    )
    np.testing.assert_allclose(noise_of(PROXY.generate(seed=3, n=2_000)), OMEGA, rtol=0.01)


def test_the_joint_score_earns_most_on_new_tests(worlds):
    past, tau, new = worlds
    won = earned(past, tau, new)
    naive = slope(*(np.stack([raw_parts(past[..., :1], past[..., i : i + 1]) for i in (2, 0)])))[0]
    wrong = mark(naive[:, None] * new[..., 0] > 3.0, tau)[3]
    assert wrong < -40 < won["클릭이 유의"] < 0 < won["점수(클릭만)"] < won["점수(클릭+완주)"] < won["점수(셋)"]
    assert won["점수(셋)"] < mark(tau > 3.0, tau)[3]
    assert won["점수(접속일만)"] < 0.5 * won["점수(셋)"]
    # 메모: 12주를 기다린 셋의 점수는 두 주 점수보다 적습니다.
    assert won["점수(셋)"] * (1 - 12 / 52) < won["점수(클릭+완주)"]


def test_thirty_tests_are_too_few_to_join_three(worlds):
    past, tau, new = worlds
    few = earned(past[:, :30], tau, new)
    assert few["점수(셋)"] < few["점수(완주만)"] - 4 and few["클릭이 유의"] < 0


def test_other_changes_turn_the_rules_round(worlds):
    past = worlds[0]
    tau, gaps = programmes(np.random.default_rng(16), 100, slope=0.25)
    won = earned(past, tau[..., 2], gaps.mean(2))
    assert won["점수(셋)"] < 0 < won["클릭이 유의"] and won["점수(클릭+완주)"] < 0


def test_the_users_who_chose_praise_the_choice():
    """같은 회원으로 정하고 채점하면 클릭 규칙이 벌고, 다른 회원의 접속일로는 잃습니다."""
    tau, gaps = programmes(np.random.default_rng(17), 100)
    est = gaps.mean(2)
    go = decide(est, est, OMEGA, TWO_WEEKS)["클릭이 유의"]
    same, true = (0.1 * (go * (v - 3.0)).sum(-1) for v in (est[..., 2], tau[..., 2]))
    assert same.mean() > 10 and true.mean() < -15
    lead = [same_users(PROXY.generate(seed=s)) for s in range(8)]
    assert np.mean(lead) < 15  # 참 차이는 35억 원 안팎입니다


def test_score_uses_the_noise_of_the_click_too():
    signal = np.array([[400, -72, -100], [-72, 144, 84], [-100, 84, 100]], dtype=float)
    pair = np.linalg.solve((signal + OMEGA)[np.ix_([0, 2], [0, 2])], signal[[0, 2], 2])
    alone = signal[0, 2] / (signal + OMEGA)[0, 0]
    assert pair[0] < alone < 0


def test_error_of_the_explained_variance_is_the_spread_over_sets():
    _, g = programmes(np.random.default_rng(14), 400)
    ahead = explained(g[..., 1], g[..., 2]) - explained(g[..., 0], g[..., 2])
    direct = [jack_parts(g[..., c], g[..., 2]).mean(-1) ** 2 / raw_parts(g[..., c], g[..., c]).mean(-1) for c in (1, 0)]
    np.testing.assert_allclose(ahead.mean(-1), direct[0] - direct[1], atol=1e-8)
    assert np.median(ahead.std(-1, ddof=1) / np.sqrt(300)) == pytest.approx(ahead.mean(-1).std(), rel=0.15)


def test_averaging_all_splits_scores_rules_without_bias_and_more_often_right():
    tau, g = programmes(np.random.default_rng(15), 150)
    rows = []
    for i in range(150):
        go, gain = split_gain(g[i], OMEGA, TWO_WEEKS)["두 주 점수 - 클릭"]
        rows.append([*summary(gain), (0.1 * go.mean(0) * (tau[i, :, 2] - 3.0)).sum()])
    once, mean, _, error, real = np.array(rows).T
    assert abs((mean - real).mean()) < 4 * (mean - real).std() / np.sqrt(150)
    assert 0.90 < (abs(mean - real) < 1.96 * error).mean() <= 1
    assert mean.std() < 0.75 * once.std() and (mean > 0).mean() > (once > 0).mean()


def test_the_headline_is_the_split_score_of_the_table():
    d = PROXY.generate(seed=18)
    value, low, high = two_week_lead(d)
    gain = split_gain(three_gaps(d), noise_of(d), TWO_WEEKS)
    by_rule = [gain[name][1].sum(1).mean() for name in ("점수(클릭+완주)", "클릭이 유의")]
    assert value == pytest.approx(by_rule[0] - by_rule[1]) and (low + high) / 2 == pytest.approx(value)
    assert true_lead(d) > 0


def test_splits_take_every_half_once():
    assert FRONT.shape == (252, 10) and len(np.unique(FRONT, axis=0)) == 252
    np.testing.assert_allclose(FRONT.sum(1), 1)
    np.testing.assert_allclose(FRONT.mean(0), 0.1)
