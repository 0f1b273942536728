"""신입 집품 사원 데이터: 쇼핑몰 물류센터에 들어온 신입 한 명이 한 행입니다.

조장은 시험 점수가 낮고 물량이 많은 구역을 맡은 신입에게 멘토를 붙입니다. 그런 신입은 멘토가 없어도 상품을
더 자주 잘못 집습니다. 멘토는 스캔 습관을 거쳐서도, 요령을 가르쳐 곧바로도 오출고를 줄입니다.
꼼꼼함은 기록되지 않습니다. 기본값에서는 멘토 배정과 상관없지만 스캔 습관과 오출고를 함께 움직입니다.
``hidden=True``이면 조장이 꼼꼼하지 않은 신입을 알아보고 멘토를 붙입니다. 실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 2305, "n": 3_000, "hidden": False}

EDGES = (
    ("prior_weeks", "aptitude"),
    ("prior_weeks", "mispick"),
    ("aptitude", "mentor"),
    ("aptitude", "mispick"),
    ("night", "volume"),
    ("night", "mentor"),
    ("night", "mispick"),
    ("volume", "mentor"),
    ("volume", "scan_rate"),
    ("volume", "mispick"),
    ("mentor", "scan_rate"),
    ("mentor", "mispick"),
    ("scan_rate", "mispick"),
    ("scan_rate", "rating"),
    ("mispick", "rating"),
)
"""기본값의 정답 그래프 가운데 관측되는 변수의 화살표."""

HIDDEN_EDGES = (("care", "scan_rate"), ("care", "mispick"))
"""기록되지 않는 꼼꼼함의 화살표. ``hidden=True``이면 ("care", "mentor")가 더해집니다."""

DIRECT, TAUGHT, SAVED = -1.0, 9.0, -0.15
"""멘토가 곧바로 바꾸는 오출고(건/천 건), 올리는 스캔 확인율(%p), 확인율 1%p가 바꾸는 오출고."""


def _check(n, hidden):
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 100:
        raise ValueError(f"신입의 수 n은 100 이상의 정수여야 합니다: {n!r}")
    if not isinstance(hidden, (bool, np.bool_)):
        raise ValueError(f"hidden은 True나 False여야 합니다: {hidden!r}")


def generate(seed=2305, n=3_000, hidden=False):
    """신입 n명의 관측값과 두 잠재적 결과를 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        신입의 수(100 이상).
    hidden : bool
        참이면 조장이 기록되지 않는 꼼꼼함을 보고 멘토를 붙입니다.

    Returns
    -------
    pandas.DataFrame
        n행. 오출고는 천 건당 건수, 확인율은 %, 물량은 하루 백 건입니다.
        ``care``, ``mentor_prob``, ``mispick_0``, ``mispick_1``은 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, hidden)
    rng = np.random.default_rng(seed)

    care = rng.normal(0.0, 1.0, n)
    prior = np.clip(np.round(rng.normal(26.0, 8.0, n)), 0, None)
    aptitude = np.round(np.clip(60.0 + 0.5 * (prior - 26.0) + rng.normal(0.0, 10.0, n), 0, 100), 1)
    trial = np.round(np.clip(9.0 - 0.07 * (aptitude - 60.0) - 0.8 * care + rng.normal(0.0, 1.5, n), 0, None), 1)
    night = rng.binomial(1, 0.4, n)
    volume = np.round(30.0 - 5.0 * night + rng.normal(0.0, 5.0, n), 1)

    logit = 0.1 - 0.06 * (aptitude - 60.0) + 0.14 * (volume - 28.0) - 0.6 * night
    if hidden:
        logit = logit - 1.0 * care
    mentor_prob = 1.0 / (1.0 + np.exp(-logit))
    mentor = rng.binomial(1, mentor_prob)

    scan_noise = 64.0 - 0.5 * (volume - 28.0) + 4.0 * care + rng.normal(0.0, 5.0, n)
    base = (
        22.0
        - 0.05 * (prior - 26.0)
        - 0.06 * (aptitude - 60.0)
        + 1.0 * night
        + 0.55 * (volume - 28.0)
        - 0.8 * care
        + rng.normal(0.0, 2.0, n)
    )
    scan = [np.clip(scan_noise + TAUGHT * a, 0.0, 100.0) for a in (0, 1)]
    outcome = [np.round(np.clip(base + DIRECT * a + SAVED * (scan[a] - 64.0), 0.0, None), 2) for a in (0, 1)]
    scan_rate = np.round(np.where(mentor, scan[1], scan[0]), 1)
    mispick = np.where(mentor, outcome[1], outcome[0])
    rating = np.round(70.0 - 1.0 * (mispick - 22.0) + 0.3 * (scan_rate - 68.0) + rng.normal(0.0, 4.0, n), 1)

    return pd.DataFrame(
        {
            "picker_id": np.arange(1, n + 1),
            "prior_weeks": prior.astype(int),
            "aptitude": aptitude,
            "trial_errors": trial,
            "night": night,
            "volume": volume,
            "mentor": mentor,
            "scan_rate": scan_rate,
            "mispick": mispick,
            "rating": rating,
            "care": np.round(care, 4),
            "mentor_prob": np.round(mentor_prob, 5),
            "mispick_0": outcome[0],
            "mispick_1": outcome[1],
        }
    )
