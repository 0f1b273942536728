"""빠른 배차 데이터: 승차 호출 앱의 승객 한 명이 한 행입니다.

도시 팀은 자주 타고 오래 기다리던 승객을 골라 4주 동안 빠른 배차를 주었습니다. 효과는 오래 기다리던 승객에게서 큽니다.
그래서 단순 비교, ATT, ATE가 모두 다릅니다. 기사가 넉넉한 도시라서 한 승객의 혜택은 다른 승객을 바꾸지 않습니다.
실제 회사의 자료가 아니라 1주차를 위해 만든 모의 데이터입니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 101, "n": 8000, "assignment": "team", "pull": 1.0}

ASSIGNMENTS = ("team", "coin")


def _check(n, assignment, pull):
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 20:
        raise ValueError(f"승객 수 n은 20 이상의 정수여야 합니다: {n!r}")
    if assignment not in ASSIGNMENTS:
        raise ValueError(f"assignment는 {ASSIGNMENTS} 가운데 하나여야 합니다: {assignment!r}")
    if not -3 <= pull <= 3:
        raise ValueError(f"고르는 힘 pull은 -3에서 3 사이여야 합니다: {pull!r}")


def generate(seed=101, n=8000, assignment="team", pull=1.0):
    """승객 n명의 관측값과 두 잠재적 결과를 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        승객 수(20 이상).
    assignment : {"team", "coin"}
        "team"이면 도시 팀이 지난 탑승과 대기 시간을 보고 고르고, "coin"이면 같은 사람 수를 동전으로 고릅니다.
    pull : float
        도시 팀이 지난 탑승 횟수를 보는 힘(로그 오즈). 음수이면 드물게 타던 승객을 고릅니다. "coin"에서는 쓰지 않습니다.

    Returns
    -------
    pandas.DataFrame
        승객 한 명이 한 행. 탑승은 회/4주, 대기는 분입니다. `rides_0`, `rides_1`은 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, assignment, pull)
    rng = np.random.default_rng(seed)

    commuter = rng.binomial(1, 0.4, n)
    habit = rng.gamma(2.0, 4.0, n) + 3.0 * commuter
    rides_before = rng.poisson(habit)
    wait_before = np.round(np.clip(rng.gamma(3.0, 1.5, n) + 1.0, 1.0, 20.0), 1)

    z_rides = (rides_before - 9.2) / 6.6
    z_wait = (wait_before - 5.5) / 2.6
    chosen = 1 / (1 + np.exp(0.8 - pull * z_rides - 0.9 * z_wait))
    chance = chosen if assignment == "team" else np.full(n, 0.35)
    priority = rng.binomial(1, chance)

    rides_0 = rng.poisson(0.95 * habit)
    rides_1 = rides_0 + rng.poisson(0.045 * (wait_before - 1.0) ** 2 * (0.8 + 0.5 * commuter))
    rides = np.where(priority == 1, rides_1, rides_0)
    quick = rng.binomial(rides, np.where(priority == 1, 0.8, 0.35))

    return pd.DataFrame(
        {
            "rider_id": np.arange(1, n + 1),
            "commuter": commuter,
            "rides_before": rides_before,
            "wait_before": wait_before,
            "priority": priority,
            "quick_pickups": quick,
            "rides": rides,
            "rides_0": rides_0,
            "rides_1": rides_1,
        }
    )
