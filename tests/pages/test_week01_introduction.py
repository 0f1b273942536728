"""1주차 데이터의 생성기: 같은 씨앗이면 같은 표, 있을 수 없는 값은 거절, 큰 표본에서는 알려진 정답."""

import numpy as np
import pandas as pd
import pytest

from causal_practice import generator, load, truth

DISPATCH = generator("priority_dispatch")
MARKET = generator("ride_market")
NAMES = ["priority_dispatch", "ride_market"]


@pytest.fixture(scope="module")
def large():
    """팀이 고른 달과 동전의 달, 승객 60만 명씩."""
    return {who: DISPATCH.generate(seed=11, n=600_000, assignment=who) for who in DISPATCH.ASSIGNMENTS}


def gap(frame, column):
    means = frame.groupby("priority")[column].mean()
    return means[1] - means[0]


@pytest.mark.parametrize("module", [DISPATCH, MARKET])
def test_same_seed_same_table(module):
    first, second = module.generate(seed=3, n=200), module.generate(seed=3, n=200)
    pd.testing.assert_frame_equal(first, second)
    assert not first.equals(module.generate(seed=4, n=200))


@pytest.mark.parametrize("module", [DISPATCH, MARKET])
def test_global_seed_is_left_alone(module):
    np.random.seed(0)
    expected = np.random.random()
    np.random.seed(0)
    module.generate(seed=3, n=200)
    assert np.random.random() == expected


@pytest.mark.parametrize("name", NAMES)
def test_committed_file_is_what_the_generator_makes(name):
    module = generator(name)
    made = module.generate(**module.DEFAULTS)
    pd.testing.assert_frame_equal(load(name, with_truth=True), made, check_dtype=False, rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_truth_is_closed_by_default(name):
    assert {"rides_0", "rides_1", "rode_all_off", "rode_all_on"}.isdisjoint(load(name).columns)


@pytest.mark.parametrize(
    "bad", [{"n": 5}, {"n": 100.5}, {"n": True}, {"assignment": "dice"}, {"pull": 4}, {"pull": -3.1}, {"pull": float("nan")}]
)
def test_dispatch_rejects(bad):
    with pytest.raises(ValueError, match="여야 합니다"):
        DISPATCH.generate(**{"seed": 1, "n": 200} | bad)


@pytest.mark.parametrize(
    "bad", [{"n": 5}, {"n": "많이"}, {"drivers": 0}, {"drivers": 2.5}, {"drivers": True}, {"share": 0}, {"share": 1}]
)
def test_market_rejects(bad):
    with pytest.raises(ValueError, match="여야 합니다"):
        MARKET.generate(**{"seed": 1, "n": 200} | bad)


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
