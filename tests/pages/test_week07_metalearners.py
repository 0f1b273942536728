"""7주차 데이터의 생성기와 쪽의 통계 주장: 정답, 교란, 학습기의 순위, 미리 센 되풀이, 보정 검사의 판정."""

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.model_selection import KFold

from benchmarks import metalearners as bench
from book.page import read_page
from book.page_code import page_functions
from causal_practice import generator, truth

COACH = generator("study_coach")
GOAL = generator("study_goal")
HERE = page_functions(read_page(bench.PAGE), "verdict")
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


@pytest.fixture(scope="module")
def rows():
    """미리 센 되풀이(benchmarks.metalearners)."""
    table = pd.read_csv(bench.RESULT)
    return table.assign(hit=(table["low"] <= table["truth"]) & (table["truth"] <= table["high"]))


@pytest.mark.parametrize("run", list(bench.DRAWS))
def test_the_stored_redraws_come_from_the_functions_of_the_page(rows, run):
    """저장된 표의 한 번을 다시 돌리면 같은 수가 나오고, 되풀이의 수가 적힌 그대로입니다."""
    again = pd.DataFrame(bench.one(run, 1))
    stored = rows[rows["run"].isin(again["run"]) & (rows["seed"] == bench.FIRST_SEED + 1)]
    numbers = ["truth", "value", "low", "high"]
    np.testing.assert_allclose(stored[numbers].to_numpy(), again[numbers].to_numpy(float), atol=2e-3)
    counts = rows[rows["run"].isin(again["run"])].groupby(["run", "place"], dropna=False).size()
    assert (counts == bench.DRAWS[run]).all() and len(counts) == len(again)


def test_the_boosted_averages_are_centred_and_keep_their_promise(rows):
    """부스팅으로 구한 평균의 편향은 몬테카를로 오차 안이고, 95% 구간의 포함률은 세 표준오차 안입니다."""
    for run in ("goal_average", "coach_average"):
        r = rows[rows["run"] == run]
        miss = r["value"] - r["truth"]
        assert abs(miss.mean()) < max(4 * miss.sem(), 0.05 * r["truth"].mean()), run
        assert abs(r["hit"].mean() - 0.95) < 3 * np.sqrt(0.95 * 0.05 / len(r)) + 0.01, run


def test_a_forest_falls_short_of_its_promise_but_does_not_collapse(rows):
    """정해 둔 네 점을 합친 포함률은 95%보다 두 표준오차 넘게 낮고, 어느 점도 85%에 못 미치지 않으며, 솟은 점은 아래로 치우칩니다."""
    r = rows[rows["run"] == "forest"]
    together = r.groupby("seed")["hit"].mean()
    assert len(together) == bench.DRAWS["forest"] and together.mean() < 0.95 - 2 * together.sem()
    assert r.groupby("place")["hit"].mean().min() > 0.85
    peak = (r["value"] - r["truth"])[r["place"] == 0]
    assert peak.mean() < -3 * peak.sem()


def test_the_calibration_verdict_lets_no_noise_pass_and_calls_it_unknown(rows):
    """1만 보면 잡음이 대개 통과합니다. 0까지 보면 통과하지 못하고, 정답은 통과합니다."""
    se = (rows["high"] - rows["value"]) / 1.96
    rows = rows.assign(verdict=[HERE["verdict"](b, e) for b, e in zip(rows["value"], se, strict=True)])
    for noise in ("noise_0.1", "noise_0.3"):
        r = rows[rows["run"] == noise]
        assert r["hit"].mean() > 0.8
        assert (r["verdict"] == "합격").mean() < 0.07 and (r["verdict"] == "모름").mean() > 0.75
    assert (rows.loc[rows["run"] == "oracle", "verdict"] == "합격").mean() > 0.88


def test_the_verdict_has_three_states():
    assert [HERE["verdict"](b, e) for b, e in [(1.0, 0.2), (0.3, 0.2), (1.6, 0.2), (0.5, 1.0), (-0.5, 0.1)]] == [
        "합격", "탈락", "탈락", "모름", "탈락",
    ]  # fmt: skip


def test_the_calibration_slope_is_statsmodels():
    import statsmodels.api as sm

    rng = np.random.default_rng(2)
    cate = rng.normal(size=300)
    terms = 0.7 * cate + rng.normal(size=300) * (1 + cate**2)
    fit = sm.OLS(terms, sm.add_constant(cate)).fit(cov_type="HC1")
    value, low, high = bench.calibration(terms, cate)
    assert value == pytest.approx(fit.params[1]) and high - low == pytest.approx(2 * 1.96 * fit.bse[1])


def test_the_points_of_the_forest_have_the_generators_effect():
    """표의 정답은 40만 명에서 읽은 값이고, 다른 씨앗의 자료에서 같은 자리에 있는 수강생도 같은 효과를 가집니다."""
    other = COACH.generate(seed=12, n=400_000).groupby(["past_hours", "weeks_left", "worker"])["effect_true"].mean()
    np.testing.assert_allclose(bench.place_truths(), [other[tuple(place)] for place in bench.PLACES], atol=1e-9)
