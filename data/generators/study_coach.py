"""학습 코치 데이터: 자격증 온라인 강의를 듣는 수강생 한 명이 한 행입니다.

담임은 학습이 뒤처졌거나 시험이 가까운 수강생에게 코치를 더 붙입니다. 그래서 코치를 받은
수강생은 원래 덜 공부합니다. 효과는 학습이 뒤처지고 시험이 가까울 때 크고, 직장인에게는 작습니다.
실제 회사의 자료가 아니라 7주차를 위해 만든 모의 데이터입니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 707, "n": 6000, "effect": "step", "base_rate": -1.5, "selection": 1.0, "hidden": 0.0}

EFFECTS = ("step", "linear", "constant")


def _expit(value):
    return 1.0 / (1.0 + np.exp(-value))


def _check(n, effect, base_rate, selection, hidden):
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 50:
        raise ValueError(f"수강생 수 n은 50 이상의 정수여야 합니다: {n!r}")
    if effect not in EFFECTS:
        raise ValueError(f"효과의 모양 effect는 {EFFECTS} 가운데 하나여야 합니다: {effect!r}")
    if not -5 <= base_rate <= 2:
        raise ValueError(f"기본 배정의 로그 오즈 base_rate는 -5에서 2 사이여야 합니다: {base_rate!r}")
    if not 0 <= selection <= 4:
        raise ValueError(f"배정의 쏠림 selection은 0에서 4 사이여야 합니다: {selection!r}")
    if not 0 <= hidden <= 2:
        raise ValueError(f"숨은 교란의 크기 hidden은 0에서 2 사이여야 합니다: {hidden!r}")


def generate(seed=707, n=6000, effect="step", base_rate=-1.5, selection=1.0, hidden=0.0):
    """수강생 n명의 관측값과 두 잠재적 결과를 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        수강생 수(50 이상).
    effect : {"step", "linear", "constant"}
        조건부 평균 처치효과의 모양. "step"은 뒤처지고 시험이 가까운 수강생에게서 훌쩍 커지고,
        "linear"는 지난 학습 시간과 남은 기간에 직선으로 줄며, "constant"는 모두 2시간입니다.
    base_rate : float
        평균적인 수강생에게 코치가 붙는 로그 오즈. 작을수록 실험군이 작습니다.
    selection : float
        공변량이 코치 배정을 가르는 정도의 배율. 0이면 무작위 배정입니다.
    hidden : float
        기록되지 않는 의욕(표준정규)이 배정의 로그 오즈를 내리는 양.
        같은 의욕이 학습 시간을 2 * hidden시간 올립니다. 0이면 숨은 교란이 없습니다.

    Returns
    -------
    pandas.DataFrame
        n행. 시간은 4주 학습 시간입니다. `score_true`, `drive`, `effect_true`, `hours0`, `hours1`은
        정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, effect, base_rate, selection, hidden)
    rng = np.random.default_rng(seed)

    past = np.round(np.clip(rng.gamma(4.0, 5.0, n), 1.0, 70.0), 1)
    weeks = rng.integers(2, 25, n)
    worker = rng.binomial(1, 0.45, n)
    progress = np.round(100 * _expit(0.05 * (past - 20) + rng.normal(0.0, 0.8, n)), 0)
    mock = np.round(np.clip(40 + 0.25 * progress + rng.normal(0.0, 10.0, n), 0, 100), 0)
    drive = rng.normal(0.0, 1.0, n)

    near = _expit((11 - weeks) / 1.5)
    behind = _expit((19 - past) / 2.0)
    pull = 0.5 * (20 - past) / 10 + 0.4 * (50 - progress) / 22 + 0.3 * (52 - mock) / 11 + 0.5 * (near - 0.42)
    score = _expit(base_rate + selection * pull - hidden * drive)
    coached = rng.binomial(1, score)

    if effect == "step":
        tau = 0.5 + 7.0 * near * behind - 1.0 * worker
    elif effect == "linear":
        tau = 2.0 - 0.08 * (past - 20) - 0.15 * (weeks - 13) - 1.0 * (worker - 0.45)
    else:
        tau = np.full(n, 2.0)

    mean0 = 6 + 0.55 * past + 7 * near + 0.06 * (progress - 50) + 0.08 * (mock - 52) - 3.0 * worker
    mean0 = mean0 + 3.0 * _expit((past - 30) / 3) + 2.0 * hidden * drive
    noise = rng.normal(0.0, 5.0, n)
    hours0 = np.round(np.clip(mean0 + noise, 0, None), 1)
    hours1 = np.round(np.clip(mean0 + tau + noise, 0, None), 1)

    return pd.DataFrame(
        {
            "learner_id": np.arange(1, n + 1),
            "past_hours": past,
            "weeks_left": weeks,
            "worker": worker,
            "progress": progress.astype(int),
            "mock_score": mock.astype(int),
            "coached": coached,
            "hours": np.where(coached == 1, hours1, hours0),
            "score_true": np.round(score, 5),
            "drive": np.round(drive, 4),
            "effect_true": np.round(tau, 4),
            "hours0": hours0,
            "hours1": hours1,
        }
    )
