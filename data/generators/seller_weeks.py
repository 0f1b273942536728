"""셀러의 주간 광고비 패널: 셀러 한 곳의 한 주가 한 행입니다.

상품의 매력은 셀러마다 다르고 변하지 않으며, 기록되지 않습니다. 매력 있는 셀러가 광고도 더 합니다.
주마다 모두에게 함께 오는 철도 있습니다. 실제 회사의 자료가 아니라 4주차를 위해 만든 모의 데이터입니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 475, "sellers": 300, "weeks": 12, "return_on_ads": 1.8, "persistence": 0.7}


def _check(sellers, weeks, return_on_ads, persistence):
    if not isinstance(sellers, (int, np.integer)) or isinstance(sellers, bool) or sellers < 10:
        raise ValueError(f"셀러 수 sellers는 10 이상의 정수여야 합니다: {sellers!r}")
    if not isinstance(weeks, (int, np.integer)) or isinstance(weeks, bool) or not 2 <= weeks <= 104:
        raise ValueError(f"주의 수 weeks는 2에서 104 사이의 정수여야 합니다: {weeks!r}")
    if not 0 <= return_on_ads <= 10:
        raise ValueError(f"광고의 힘 return_on_ads는 0에서 10 사이여야 합니다: {return_on_ads!r}")
    if not 0 <= persistence < 1:
        raise ValueError(f"이어지는 정도 persistence는 0 이상 1 미만이어야 합니다: {persistence!r}")


def _persistent(rng, sellers, weeks, persistence):
    """주마다 이어지는 표준정규 잡음(셀러 × 주)."""
    out = np.empty((sellers, weeks))
    out[:, 0] = rng.normal(0.0, 1.0, sellers)
    fresh = np.sqrt(1 - persistence**2)
    for week in range(1, weeks):
        out[:, week] = persistence * out[:, week - 1] + fresh * rng.normal(0.0, 1.0, sellers)
    return out


def generate(seed=475, sellers=300, weeks=12, return_on_ads=1.8, persistence=0.7):
    """셀러마다 weeks주의 광고비와 매출을 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    sellers, weeks : int
        셀러 수(10 이상)와 주의 수(2 이상 104 이하). 행의 수는 두 값의 곱입니다.
    return_on_ads : float
        광고비 1만 원이 그 주의 매출을 늘리는 양(만 원).
    persistence : float
        한 셀러의 광고비와 매출에 든 잡음이 다음 주로 이어지는 정도(0 이상 1 미만).

    Returns
    -------
    pandas.DataFrame
        sellers × weeks행. 단위는 만 원/주. `appeal`(상품의 매력)은 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(sellers, weeks, return_on_ads, persistence)
    rng = np.random.default_rng(seed)

    appeal = rng.normal(0.0, 1.0, (sellers, 1))
    season = rng.normal(0.0, 1.0, (1, weeks))
    spend = 22 + 4 * appeal + 3 * season + 5 * _persistent(rng, sellers, weeks, persistence)
    spend = np.round(np.clip(spend, 0.0, None), 1)
    sales = 180 + 30 * appeal + 12 * season + return_on_ads * spend
    sales = sales + 18 * _persistent(rng, sellers, weeks, persistence)

    return pd.DataFrame(
        {
            "seller_id": np.repeat(np.arange(1, sellers + 1), weeks),
            "week": np.tile(np.arange(1, weeks + 1), sellers),
            "ad_spend": spend.ravel(),
            "sales": np.round(sales, 1).ravel(),
            "appeal": np.round(np.repeat(appeal, weeks), 4),
        }
    )
