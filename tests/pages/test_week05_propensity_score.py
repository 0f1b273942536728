"""5주차 데이터의 생성기: 큰 표본에서는 알려진 정답."""

import numpy as np
import pytest

from causal_practice import generator, truth

ONBOARDING = generator("onboarding_consulting")
TICKETS = generator("ticket_response")


@pytest.fixture(scope="module")
def large():
    frame = ONBOARDING.generate(seed=11, n=400_000)
    return frame, (frame["hours1"] - frame["hours0"]).to_numpy()


def test_known_truth_at_large_n(large):
    frame, effect = large
    known = truth("onboarding_consulting")
    treated = frame["consulted"].to_numpy() == 1
    score = frame["score_true"].to_numpy()
    assert effect.mean() == pytest.approx(known["ATE"], abs=0.01)
    assert effect[treated].mean() == pytest.approx(known["ATT"], abs=0.01)
    assert effect[~treated].mean() == pytest.approx(known["ATU"], abs=0.01)
    assert np.average(effect, weights=score * (1 - score)) == pytest.approx(known["ATO"], abs=0.01)
    gap = frame["satisfaction1"] - frame["satisfaction0"]
    assert gap.mean() == pytest.approx(known["satisfaction_ATE"], abs=0.05)


def test_true_score_recovers_the_ate_and_the_naive_gap_does_not(large):
    frame, effect = large
    hours, treated = frame["hours_week8"].to_numpy(), frame["consulted"].to_numpy()
    score = frame["score_true"].to_numpy()
    weight = np.where(treated == 1, 1 / score, 1 / (1 - score))
    mean = [np.average(hours[treated == arm], weights=weight[treated == arm]) for arm in (0, 1)]
    assert mean[1] - mean[0] == pytest.approx(effect.mean(), abs=0.03)
    assert hours[treated == 1].mean() - hours[treated == 0].mean() > effect.mean() + 0.8


def test_observed_outcome_is_one_of_the_two_potential_outcomes(large):
    frame, _ = large
    expected = np.where(frame["consulted"] == 1, frame["hours1"], frame["hours0"])
    assert (frame["hours_week8"] == expected).all()
    assert frame["satisfaction"].isna().equals(frame["responded"] == 0)


def test_call_is_random_and_moves_only_the_treatment(large):
    frame, _ = large
    for column in ("early_hours", "has_admin", "hours0", "hours1"):
        by_call = frame.groupby("call_assigned")[column].mean()
        assert abs(by_call[1] - by_call[0]) < 0.03
    assert frame.groupby("call_assigned")["consulted"].mean().diff().iloc[1] > 0.1


def test_hidden_drive_matters_only_when_switched_on():
    off, on = (ONBOARDING.generate(seed=5, n=100_000, hidden=h) for h in (0.0, 1.0))
    assert abs(np.corrcoef(off["drive"], off["consulted"])[0, 1]) < 0.02
    assert np.corrcoef(on["drive"], on["consulted"])[0, 1] > 0.2
    assert np.corrcoef(on["drive"], on["hours0"])[0, 1] > 0.15


def test_steepness_destroys_overlap():
    mild, steep = (ONBOARDING.generate(seed=5, n=20_000, steepness=s)["score_true"] for s in (1.0, 3.0))
    assert ((mild < 0.01) | (mild > 0.99)).mean() < 0.002
    assert ((steep < 0.01) | (steep > 0.99)).mean() > 0.1


def test_ticket_truth_needs_the_right_adjustment():
    frame = TICKETS.generate(seed=8, n=200_000)
    doublings = np.log2(frame["reply_minutes"] / 60).to_numpy()
    hours = frame["hours_after"].to_numpy()
    covariates = [np.ones(len(frame)), frame["severity"], np.log(frame["seats"]), frame["hours_before"]]
    adjusted = np.linalg.lstsq(np.column_stack([doublings, *covariates]), hours, rcond=None)[0][0]
    naive = np.polyfit(doublings, hours, 1)[0]
    assert adjusted == pytest.approx(truth("ticket_response")["ATE"], abs=0.01)
    assert abs(naive) < 0.06
