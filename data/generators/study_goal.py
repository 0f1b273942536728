"""추천 학습량 데이터: 앱이 권한 하루 학습량(분)과 이후 4주의 학습 시간입니다.

앱은 원래 많이 공부하던 수강생에게 더 많은 분량을 권합니다. 권한 분량을 늘리면 조금 하던
수강생은 더 공부하지만, 이미 많이 하던 직장인은 지쳐서 덜 공부합니다.
실제 회사의 자료가 아니라 7주차를 위해 만든 모의 데이터입니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 717, "n": 5000, "selection": 1.0, "bend": 0.0}


def generate(seed=717, n=5000, selection=1.0, bend=0.0):
    """수강생 n명의 추천 학습량과 학습 시간을 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        수강생 수(50 이상).
    selection : float
        지난 학습 시간과 정답률이 추천 학습량을 정하는 정도의 배율. 0이면 공변량과 무관합니다.
    bend : float
        추천 학습량의 제곱이 학습 시간을 깎는 정도. 0이면 효과가 분량에 직선입니다.

    Returns
    -------
    pandas.DataFrame
        n행. `slope_true`는 60분에서 추천을 10분 늘릴 때의 학습 시간 변화(시간/4주),
        `hours_at_60`은 60분을 권했을 때의 학습 시간입니다. 둘 다 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 50:
        raise ValueError(f"수강생 수 n은 50 이상의 정수여야 합니다: {n!r}")
    if not 0 <= selection <= 3:
        raise ValueError(f"추천의 쏠림 selection은 0에서 3 사이여야 합니다: {selection!r}")
    if not 0 <= bend <= 1:
        raise ValueError(f"효과의 굽음 bend는 0에서 1 사이여야 합니다: {bend!r}")
    rng = np.random.default_rng(seed)

    past = np.round(np.clip(rng.gamma(4.0, 5.0, n), 1.0, 70.0), 1)
    accuracy = np.round(np.clip(rng.normal(65.0, 12.0, n) + 0.2 * (past - 20), 20, 100), 0)
    worker = rng.binomial(1, 0.45, n)
    curve = 25.0 * np.tanh((past - 20.0) / 12.0)
    goal = 60 + selection * (curve + 0.3 * (accuracy - 65)) + rng.normal(0.0, 10.0, n)
    goal = np.round(np.clip(goal, 10, 130), 0)

    slope = 0.9 - 0.05 * (past - 20.0) - 0.9 * worker
    dose = (goal - 60.0) / 10.0
    mean60 = 15 + 0.35 * past + 9 * np.tanh((past - 20.0) / 12.0) + 0.10 * (accuracy - 65) - 2.0 * worker
    noise = rng.normal(0.0, 4.0, n)
    hours_at_60 = np.round(np.clip(mean60 + noise, 0, None), 1)
    hours = np.round(np.clip(mean60 + slope * dose - bend * dose**2 + noise, 0, None), 1)

    return pd.DataFrame(
        {
            "learner_id": np.arange(1, n + 1),
            "past_hours": past,
            "accuracy": accuracy.astype(int),
            "worker": worker,
            "goal_minutes": goal.astype(int),
            "hours": hours,
            "slope_true": np.round(slope, 4),
            "hours_at_60": hours_at_60,
        }
    )
