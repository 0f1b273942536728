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


def design(d):
    z, long, m = (d["past_days"] - 40) / 7, np.log1p(d["tenure_months"]), d["mobile"]
    return np.column_stack([np.ones(len(d)), m, long, z, m * long, m * z]).astype(float)


def scores(d, metric, outcome="active_days"):
    """회원마다의 이중 강건 점수(일). 성향점수는 생성기의 것, 결과 모델은 선형입니다."""
    X, t, y, e = design(d), d[f"{metric}_high"].to_numpy(), d[outcome].to_numpy(float), d[f"chance_{metric}"].to_numpy()
    m0, m1 = (X @ np.linalg.lstsq(X[t == a], y[t == a], rcond=None)[0] for a in (0, 1))
    return m1 - m0 + t * (y - m1) / e - (1 - t) * (y - m0) / (1 - e)


def test_scores_average_to_the_effect_of_groups_made_by_covariates_only(large):
    psi = scores(large, "games")
    effect = large["effect_games"].to_numpy()
    for group in (large["mobile"] == 1, large["mobile"] == 0, large["past_days"] >= 40, large["tenure_months"] > 12):
        assert psi[group].mean() == pytest.approx(effect[group].mean(), abs=0.1)
    by_outcome = large["active_days"] >= 40
    assert psi[by_outcome].mean() - effect[by_outcome].mean() > 0.12


def test_the_memo_is_the_exchange_of_two_moves_and_its_interval_holds_zero():
    assert 100 * (0.020 * KNOWN["games_ATE"] - 0.018 * KNOWN["stream_ATE"]) == pytest.approx(-0.46, abs=0.01)
    page = TRADE.generate()
    mix = 100 * (0.020 * scores(page, "games") - 0.018 * scores(page, "stream"))
    half = 1.96 * mix.std() / np.sqrt(len(mix))
    assert mix.mean() - half < 0 < mix.mean() + half


@pytest.mark.parametrize(
    ("effects", "chances", "apart"),
    [((1.0, 1.0), (0.04, 0.5), False), ((0.5, 3.0), (0.3, 0.7), False), ((0.5, 3.0), (0.04, 0.5), True)],
)
def test_the_weighted_average_differs_only_when_effects_and_variances_move_together(effects, chances, apart):
    p = np.array(chances)
    weighted = np.average(effects, weights=p * (1 - p))
    assert (abs(weighted - np.mean(effects)) > 0.5) == apart
