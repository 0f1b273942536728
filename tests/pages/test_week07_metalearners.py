"""7주차 데이터의 생성기와 쪽의 통계 주장: 정답, 교란, 학습기의 순위, 인과 숲의 점별 포함률."""

import numpy as np
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.model_selection import KFold

from causal_practice import generator, truth

COACH = generator("study_coach")
GOAL = generator("study_goal")
TRAITS = ["past_hours", "weeks_left", "worker", "progress", "mock_score"]


def _trees():
    return LGBMRegressor(
        n_estimators=60, num_leaves=6, learning_rate=0.08, min_child_samples=20, random_state=7, n_jobs=1, verbose=-1
    )


def _scorer():
    return LGBMClassifier(
        n_estimators=100, num_leaves=4, learning_rate=0.08, min_child_samples=50, random_state=7, n_jobs=1, verbose=-1
    )


def _arrays(frame):
    return frame[TRAITS].to_numpy(float), frame["coached"].to_numpy(), frame["hours"].to_numpy()


@pytest.fixture(scope="module")
def large():
    return COACH.generate(seed=11, n=400_000)


def test_known_truth_at_large_n(large):
    known = truth("study_coach")
    effect = (large["hours1"] - large["hours0"]).to_numpy()
    treated, score = large["coached"].to_numpy() == 1, large["score_true"].to_numpy()
    assert effect.mean() == pytest.approx(known["ATE"], abs=0.015)
    assert effect[treated].mean() == pytest.approx(known["ATT"], abs=0.025)
    assert np.average(effect, weights=score * (1 - score)) == pytest.approx(known["ATO"], abs=0.02)
    assert effect.mean() == pytest.approx(large["effect_true"].mean(), abs=0.01)
    goal = GOAL.generate(seed=11, n=400_000)
    assert goal["slope_true"].mean() == pytest.approx(truth("study_goal")["ATE"], abs=0.004)


def test_observed_outcome_is_one_of_the_two_potential_outcomes(large):
    expected = np.where(large["coached"] == 1, large["hours1"], large["hours0"])
    assert (large["hours"] == expected).all()


def test_naive_has_the_wrong_sign_and_the_true_score_repairs_it(large):
    hours, treated, score = (large[c].to_numpy() for c in ("hours", "coached", "score_true"))
    assert hours[treated == 1].mean() - hours[treated == 0].mean() < -1
    weight = np.where(treated == 1, 1 / score, 1 / (1 - score))
    mean = [np.average(hours[treated == arm], weights=weight[treated == arm]) for arm in (0, 1)]
    assert mean[1] - mean[0] == pytest.approx(truth("study_coach")["ATE"], abs=0.15)


def test_only_a_minority_is_worth_a_coach(large):
    tau = large["effect_true"].to_numpy()
    assert tau.mean() < 2 and 0.2 < (tau > 2).mean() < 0.35
    cell = (large["weeks_left"] <= 10) & (large["past_hours"] <= 21)
    assert np.where(cell, tau - 2, 0).mean() > 0.9 * np.maximum(tau - 2, 0).mean()


def test_effect_shapes_and_hidden_drive():
    assert COACH.generate(seed=1, n=1000, effect="constant")["effect_true"].nunique() == 1
    linear = COACH.generate(seed=1, n=1000, effect="linear")
    Z = np.column_stack([np.ones(1000), linear[["past_hours", "weeks_left", "worker"]]])
    fit = Z @ np.linalg.lstsq(Z, linear["effect_true"], rcond=None)[0]
    assert np.abs(fit - linear["effect_true"]).max() < 1e-3
    off, on = (COACH.generate(seed=5, n=100_000, hidden=h) for h in (0.0, 1.0))
    assert abs(np.corrcoef(off["drive"], off["coached"])[0, 1]) < 0.02
    assert np.corrcoef(on["drive"], on["coached"])[0, 1] < -0.2
    assert np.corrcoef(on["drive"], on["hours0"])[0, 1] > 0.15


def test_goal_needs_a_flexible_adjustment():
    frame = GOAL.generate(seed=8, n=100_000)
    dose, hours = (frame["goal_minutes"].to_numpy() - 60) / 10, frame["hours"].to_numpy()
    traits = frame[["past_hours", "accuracy", "worker"]].to_numpy(float)
    known = truth("study_goal")["ATE"]
    assert np.polyfit(dose, hours, 1)[0] > known + 3
    straight = np.linalg.lstsq(np.column_stack([dose, np.ones(len(dose)), traits]), hours, rcond=None)[0][0]
    assert straight > known + 0.3
    rest = []
    for target in (dose, hours):
        out = np.zeros(len(target))
        for train, test in KFold(3, shuffle=True, random_state=1).split(traits):
            out[test] = _trees().fit(traits[train], target[train]).predict(traits[test])
        rest.append(target - out)
    Q = np.column_stack([np.ones(len(dose)), traits[:, 0] - 20, traits[:, 2]])
    coef = np.linalg.lstsq(Q * rest[0][:, None], rest[1], rcond=None)[0]
    assert Q.mean(axis=0) @ coef == pytest.approx(known, abs=0.05)
    assert coef == pytest.approx([0.9, -0.05, -0.9], abs=0.08)


def test_x_learner_beats_t_on_this_world_over_seeds():
    fresh = COACH.generate(seed=999, n=4000)
    V, tau = fresh[TRAITS].to_numpy(float), fresh["effect_true"].to_numpy()
    errors = []
    for seed in range(6):
        X, t, y = _arrays(COACH.generate(seed=500 + seed, n=6000))
        m0, m1 = (_trees().fit(X[t == arm], y[t == arm]) for arm in (0, 1))
        d1 = _trees().fit(X[t == 1], y[t == 1] - m0.predict(X[t == 1])).predict(V)
        d0 = _trees().fit(X[t == 0], m1.predict(X[t == 0]) - y[t == 0]).predict(V)
        e = _scorer().fit(X, t).predict_proba(V)[:, 1]
        guesses = (m1.predict(V) - m0.predict(V), e * d0 + (1 - e) * d1)
        errors.append([np.sqrt(np.mean((g - tau) ** 2)) for g in guesses])
    assert (np.diff(errors, axis=1) < -0.5).all()


def test_forest_covers_fixed_points_only_roughly():
    """정해 둔 네 점을 자료 20벌에서 셉니다. 20벌이라 크게 벗어났는지만 봅니다."""
    from econml.dml import CausalForestDML

    points = np.array([[10, 4, 0], [10, 20, 0], [30, 4, 0], [30, 20, 0]], dtype=float)
    answer = 0.5 + 7 / (1 + np.exp((points[:, 1] - 11) / 1.5)) / (1 + np.exp((points[:, 0] - 19) / 2))
    hits = []
    for seed in range(20):
        X, t, y = _arrays(COACH.generate(seed=700 + seed, n=3000))
        forest = CausalForestDML(
            model_y=_trees(),
            model_t=_scorer(),
            discrete_treatment=True,
            n_estimators=100,
            min_samples_leaf=10,
            cv=2,
            random_state=7,
            n_jobs=1,
        )
        forest.fit(y, t, X=X[:, :3], W=X[:, 3:])
        low, high = forest.effect_interval(points, alpha=0.05)
        hits.append((low < answer) & (answer < high))
    assert np.mean(hits) > 0.7
