"""배달 거점의 재구매율 데이터: 거점 한 곳이 한 행입니다.

모든 거점의 진짜 재구매율은 같습니다. 거점마다 다른 것은 손님 수뿐입니다.
그런데도 순위표의 맨 위와 맨 아래는 작은 거점이 차지합니다. 2주차를 위해 만든 모의 데이터입니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 203, "n": 600, "rate": 0.3}


def generate(seed=203, n=600, rate=0.3):
    """거점 n곳의 손님 수와 재구매 손님 수를 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        거점 수(10 이상).
    rate : float
        모든 거점에 공통인 진짜 재구매율. 0과 1 사이(끝은 빼고).

    Returns
    -------
    pandas.DataFrame
        거점 한 곳이 한 행. `rate_true`는 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 10:
        raise ValueError(f"거점 수 n은 10 이상의 정수여야 합니다: {n!r}")
    if not 0 < rate < 1:
        raise ValueError(f"재구매율 rate는 0과 1 사이여야 합니다: {rate!r}")
    rng = np.random.default_rng(seed)
    customers = np.clip(np.round(np.exp(rng.normal(5.3, 1.1, n))), 20, 5000).astype(int)
    returning = rng.binomial(customers, rate)
    return pd.DataFrame(
        {
            "hub_id": np.arange(1, n + 1),
            "customers": customers,
            "returning": returning,
            "rate_true": np.full(n, rate),
        }
    )
