"""1주차 데이터의 생성기: 큰 표본에서는 알려진 정답."""

import numpy as np
import pytest

from causal_practice import generator, truth

DISPATCH = generator("priority_dispatch")
MARKET = generator("ride_market")


@pytest.fixture(scope="module")
def large():
    """팀이 고른 달과 동전의 달, 승객 60만 명씩."""
    return {who: DISPATCH.generate(seed=11, n=600_000, assignment=who) for who in DISPATCH.ASSIGNMENTS}


def gap(frame, column):
    means = frame.groupby("priority")[column].mean()
    return means[1] - means[0]


def test_known_truth_at_large_n(large):
    team, known = large["team"], truth("priority_dispatch")
    effect, chosen = team["rides_1"] - team["rides_0"], team["priority"] == 1
    assert effect.mean() == pytest.approx(known["ATE"], abs=0.01)
    assert effect[chosen].mean() == pytest.approx(known["ATT"], abs=0.02)
    assert effect[~chosen].mean() == pytest.approx(known["ATU"], abs=0.02)


@pytest.mark.parametrize("who", ["team", "coin"])
def test_observed_outcome_is_one_of_the_two_potential_outcomes(large, who):
    frame = large[who]
    assert (frame["rides"] == np.where(frame["priority"] == 1, frame["rides_1"], frame["rides_0"])).all()
    assert (frame["quick_pickups"] <= frame["rides"]).all()


def test_bias_equation_holds_to_the_last_digit(large):
    team = large["team"]
    effect, chosen = team["rides_1"] - team["rides_0"], team["priority"] == 1
    att, atu, p = effect[chosen].mean(), effect[~chosen].mean(), chosen.mean()
    bias = gap(team, "rides_0")
    assert gap(team, "rides") == pytest.approx(att + bias, abs=1e-9)
    assert gap(team, "rides") == pytest.approx(effect.mean() + bias + (1 - p) * (att - atu), abs=1e-9)


def test_coin_removes_the_bias_and_the_team_does_not(large):
    known = truth("priority_dispatch")
    for column in ("rides_before", "wait_before", "rides_0"):
        assert abs(gap(large["coin"], column)) < 0.08
    assert gap(large["coin"], "rides") == pytest.approx(known["ATE"], abs=0.08)
    assert gap(large["team"], "rides") > known["ATE"] + 4


def test_pull_can_hide_the_effect():
    frame = DISPATCH.generate(seed=5, n=400_000, pull=-0.53)
    assert abs(gap(frame, "rides")) < 0.1
    assert (frame["rides_1"] - frame["rides_0"]).mean() == pytest.approx(truth("priority_dispatch")["ATE"], abs=0.02)


def nights(drivers, count=60):
    frames = [MARKET.generate(seed=700 + k, drivers=drivers) for k in range(count)]
    return np.mean([[gap(f, "rode"), f["rode_all_on"].mean() - f["rode_all_off"].mean()] for f in frames], axis=0)


def test_scarce_drivers_make_the_experiment_overstate():
    experiment, whole = nights(MARKET.DEFAULTS["drivers"])
    assert whole == pytest.approx(truth("ride_market")["ATE"], abs=0.003)
    assert experiment > whole + 0.2


def test_plentiful_drivers_restore_the_experiment():
    experiment, whole = nights(200)
    assert experiment == pytest.approx(whole, abs=0.01)


def test_nobody_rides_without_calling_and_few_drivers_carry_few():
    frame = MARKET.generate(seed=9, drivers=1)
    assert (frame["rode"] <= frame["called"]).all()
    assert 1 <= frame["rode"].sum() <= 60


def test_a_gap_before_the_treatment_may_vanish_by_itself():
    """습관이 이어지지 않으면, 받기 전에 더 타던 승객을 골라도 뒤의 차이는 모두 효과입니다. 이 자료는 이어집니다."""
    rng = np.random.default_rng(1)
    before = rng.poisson(8, 200_000)
    chosen = before > 9
    after = rng.poisson(8, 200_000) + chosen * rng.poisson(1.2, 200_000)
    assert before[chosen].mean() - before[~chosen].mean() > 4
    assert after[chosen].mean() - after[~chosen].mean() == pytest.approx(1.2, abs=0.06)
    team = DISPATCH.generate(seed=12, n=100_000)
    assert gap(team, "rides_0") > 3
