"""두 지표 데이터의 생성기: 큰 표본에서는 알려진 정답과 뒤집힌 순위."""

import numpy as np
import pandas as pd
import pytest

from causal_practice import generator, truth

TRADE = generator("netflix_metric_tradeoffs")
KNOWN = truth("netflix_metric_tradeoffs")
METRICS = ["games", "stream"]


@pytest.fixture(scope="module")
def large():
    return TRADE.generate(seed=11, n=1_000_000)


def cells(frame):
    """성향점수가 같은 칸. 화면과 기록된 두 변수로만 정해집니다."""
    past = pd.cut(frame["past_days"], [-1, 28, 33, 37, 40, 43, 47, 52, 84], labels=False)
    long = pd.cut(frame["tenure_months"], [-1, 3, 6, 10, 14, 20, 30, 90], labels=False)
    return [frame["mobile"], past, long]


def gaps(frame, metric, outcome="active_days"):
    """칸 안의 차이와 칸의 크기, 칸의 p(1-p)"""
    table = frame.groupby([*cells(frame), f"{metric}_high"])[outcome].agg(["mean", "size"]).unstack().dropna()
    size = table["size"].sum(axis=1)
    p = table["size"][1] / size
    return table["mean"][1] - table["mean"][0], size, p * (1 - p)


@pytest.mark.parametrize("metric", METRICS)
def test_known_truth_at_large_n(large, metric):
    effect, chance = large[f"effect_{metric}"], large[f"chance_{metric}"]
    assert effect.mean() == pytest.approx(KNOWN[f"{metric}_ATE"], abs=0.01)
    assert np.average(effect, weights=chance * (1 - chance)) == pytest.approx(KNOWN[f"{metric}_overlap"], abs=0.01)


def test_the_two_averages_rank_the_metrics_differently():
    assert KNOWN["games_ATE"] < KNOWN["stream_ATE"]
    assert KNOWN["games_overlap"] > KNOWN["stream_overlap"]


@pytest.mark.parametrize("metric", METRICS)
def test_recorded_variables_give_both_answers(large, metric):
    gap, size, spread = gaps(large, metric)
    assert np.average(gap, weights=size) == pytest.approx(KNOWN[f"{metric}_ATE"], abs=0.12)
    assert np.average(gap, weights=size * spread) == pytest.approx(KNOWN[f"{metric}_overlap"], abs=0.12)


def test_the_past_is_quiet_unless_taste_is_hidden(large):
    gap, size, _ = gaps(large, "stream", "prior_days")
    assert abs(np.average(gap, weights=size)) < 0.15
    hidden = TRADE.generate(seed=12, n=300_000, hidden=True)
    gap, size, _ = gaps(hidden, "stream", "prior_days")
    assert np.average(gap, weights=size) > 1.0


def test_equal_choice_brings_the_averages_together():
    frame = TRADE.generate(seed=13, n=200_000, rare=0.5)
    weight = frame["chance_games"] * (1 - frame["chance_games"])
    assert np.average(frame["effect_games"], weights=weight) == pytest.approx(KNOWN["games_ATE"], abs=0.02)
