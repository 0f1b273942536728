"""더빙 사례: 큰 표본에서는 알려진 정답, 그리고 쪽이 하는 통계의 주장."""

import numpy as np
import pytest

from causal_practice import generator, truth

DUB = generator("netflix_localization_dml")
KNOWN = truth("netflix_localization_dml")
LANGUAGES = list(DUB.MARKETS)
SIGNALS = ["search", "social", "critics", "drama", "market_fit"]


def straight(frame):
    return np.column_stack(
        [np.ones(len(frame)), frame[SIGNALS], *[(frame["language"] == m).astype(float) for m in LANGUAGES[1:]]]
    )


def curved(frame):
    s = frame[SIGNALS].to_numpy(float)
    return np.column_stack(
        [straight(frame), *[s[:, i] * s[:, j] for i in range(5) for j in range(i, 5) if (i, j) != (3, 3)]]
    )


def effect(frame, features, outcome=None):
    """통제변수를 함께 넣은 회귀에서 더빙의 계수."""
    y = np.log(frame["hours"]) if outcome is None else frame[outcome]
    X = np.column_stack([frame["dub"], features(frame)]).astype(float)
    return np.linalg.solve(X.T @ X, X.T @ y.to_numpy())[0]


@pytest.fixture(scope="module")
def large():
    return DUB.generate(seed=11, n=60_000)


def test_known_truth_at_large_n(large):
    ratio = np.log(large["hours_1"] / large["hours_0"])
    assert ratio.mean() == pytest.approx(KNOWN["ATE"], abs=0.005)
    for language, value in ratio.groupby(large["language"]).mean().items():
        assert value == pytest.approx(KNOWN[language], abs=0.01)


def test_observed_values_are_potential_outcomes(large):
    assert (large["hours"] == np.where(large["dub"] == 1, large["hours_1"], large["hours_0"])).all()
    assert (large.groupby("title_id").size() == len(LANGUAGES)).all()


def test_curved_adjustment_recovers_the_effect_and_a_straight_one_does_not(large):
    naive = np.log(large["hours"]).groupby(large["dub"]).mean().diff().iloc[1]
    assert naive > KNOWN["ATE"] + 0.6
    assert effect(large, straight) > KNOWN["ATE"] + 0.3
    assert effect(large, curved) == pytest.approx(KNOWN["ATE"], abs=0.02)


def test_trailer_is_quiet_until_appeal_leaks(large):
    assert abs(effect(large, curved, "trailer")) < 0.015
    leaked = DUB.generate(seed=12, n=30_000, leak=0.4)
    assert effect(leaked, curved, "trailer") > 0.12
    assert effect(leaked, curved) > KNOWN["ATE"] + 0.12


def test_trailer_is_only_a_partial_repair():
    leaked = DUB.generate(seed=13, n=30_000, leak=0.4)
    repaired = effect(leaked, lambda d: np.column_stack([curved(d), d["trailer"]]))
    assert KNOWN["ATE"] + 0.03 < repaired < effect(leaked, curved) - 0.03


def test_popularity_ranks_dubs_as_well_as_lift_per_cost_but_does_not_know_where_to_stop():
    coming = DUB.generate(seed=14, n=20_000)
    gain = (coming["hours_1"] - coming["hours_0"]).to_numpy()
    expected = coming["hours_0"].to_numpy()
    cost = coming["cost"].to_numpy()
    budget = 0.1 * cost.sum()

    def list_by(score):
        order = np.argsort(-score)
        return gain[order[np.cumsum(cost[order]) <= budget]].sum()

    best, hype = list_by(gain / cost), list_by(expected)
    assert 0.85 < hype / best <= 1.0
    net = {
        name: (3 * gain - cost)[3 * expected * np.expm1(tau) > cost].sum()
        for name, tau in [("naive", 0.92), ("true", KNOWN["ATE"])]
    }
    assert net["naive"] < 0 < net["true"]
