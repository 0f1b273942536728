"""앱 푸시 데이터: 한 행이 한 고객의 두 주입니다.

책 파는 앱이 두 주 동안 푸시 알림을 몇 번 보낼지(0~6번) 정합니다. ``random``이 참이면 횟수를 무작위로 정한 실험이고,
거짓이면 마케팅팀이 많이 사던 고객에게 더 보낸 기록입니다. 새 고객은 푸시에 잘 움직이고, 이미 많이 사는 고객은 거의 움직이지 않습니다.
실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 606, "n": 10_000, "random": True}


def _check(n, random):
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 200:
        raise ValueError(f"고객 수 n은 200 이상의 정수여야 합니다: {n!r}")
    if not isinstance(random, (bool, np.bool_)):
        raise ValueError(f"random은 참이나 거짓이어야 합니다: {random!r}")


def generate(seed=606, n=10_000, random=True):
    """고객 n명의 두 주와 푸시 한 번의 효과를 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        고객 수(200 이상).
    random : bool
        참이면 푸시 횟수가 무작위, 거짓이면 많이 사던 고객에게 더 보낸 기록입니다.

    Returns
    -------
    pandas.DataFrame
        고객 한 명이 한 행. 돈은 천 원입니다. ``slope``는 푸시 한 번의 효과로 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, random)
    rng = np.random.default_rng(seed)
    months = np.round(rng.gamma(2.0, 9.0, n) + 1)  # 가입한 지(달)
    past = rng.gamma(2.0, 8.0 + 0.35 * np.minimum(months, 36), n)  # 지난 두 달 구매(천 원)
    visits = rng.poisson(2.0 + 0.12 * np.minimum(past, 80))  # 지난 두 주 방문
    library = rng.binomial(1, 0.3, n)  # 전자책 구독자
    wish = rng.poisson(1.5 + 1.0 * (1 - library), n)  # 찜 목록
    slope = (
        0.2 + 2.6 * np.exp(-months / 10) + 0.35 * np.minimum(wish, 5) - 1.1 * library - 0.02 * np.minimum(visits, 30)
    )
    usual = 2.0 + 0.45 * past + 0.6 * visits + 4.0 * library
    score = -0.4 + 0.04 * (past - 25) + 0.10 * (visits - 5)
    mean = 3.0 + 2.2 * np.tanh(score)
    push = rng.integers(0, 7, n) if random else np.clip(np.round(mean + rng.normal(0, 1.1, n)), 0, 6).astype(int)
    spend = usual + slope * push + rng.normal(0.0, 10.0, n)
    return pd.DataFrame(
        {
            "customer_id": np.arange(1, n + 1),
            "months": months.astype(int),
            "past_spend": np.round(past, 1),
            "visits": visits,
            "library": library,
            "wishlist": wish,
            "push": push,
            "spend": np.round(spend, 1),
            "slope": np.round(slope, 4),
        }
    )
