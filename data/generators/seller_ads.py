"""셀러 광고비 데이터: 오픈마켓의 셀러 한 곳이 한 행입니다.

지난달에 많이 판 셀러가 광고비도 많이 쓰고, 이번 달에도 많이 팝니다. 그래서 단순 비교는 광고의 힘을
크게 부풀립니다. 광고 대행사는 광고비만 움직이고, 품절은 매출만 움직입니다.
실제 회사의 자료가 아니라 4주차를 위해 만든 모의 데이터입니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 404, "n": 4000, "return_on_ads": 1.8, "hidden": 0.0, "shape": "linear"}

SHAPES = ("linear", "saturating")
ELASTICITY = 0.2


def _check(n, return_on_ads, hidden, shape):
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 50:
        raise ValueError(f"셀러 수 n은 50 이상의 정수여야 합니다: {n!r}")
    if not 0 <= return_on_ads <= 10:
        raise ValueError(f"광고의 힘 return_on_ads는 0에서 10 사이여야 합니다: {return_on_ads!r}")
    if not 0 <= hidden <= 2:
        raise ValueError(f"숨은 교란의 크기 hidden은 0에서 2 사이여야 합니다: {hidden!r}")
    if shape not in SHAPES:
        raise ValueError(f"shape는 {SHAPES} 가운데 하나여야 합니다: {shape!r}")


def generate(seed=404, n=4000, return_on_ads=1.8, hidden=0.0, shape="linear"):
    """셀러 n곳의 한 달 광고비와 매출을 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        셀러 수(50 이상).
    return_on_ads : float
        shape="linear"일 때 광고비 1만 원이 늘리는 매출(만 원). 모든 셀러에게 같습니다.
    hidden : float
        자료에 없는 입소문이 광고비와 매출을 함께 늘리는 세기. 0이면 숨은 교란이 없습니다.
    shape : {"linear", "saturating"}
        "linear"이면 매출이 광고비에 직선으로 늘고, "saturating"이면 광고비가 1% 늘 때
        매출이 언제나 0.2% 늡니다(탄력성이 일정하고, 한 푼의 힘은 줄어듭니다).

    Returns
    -------
    pandas.DataFrame
        n행. 매출과 광고비의 단위는 만 원/월입니다.
        `buzz`(입소문)와 `sales_without_ads`(광고비가 0일 때의 매출)는 정답 열입니다.
        탄력성이 일정한 세상에서는 광고비 0을 정의할 수 없어, 광고비가 1만 원일 때의 매출입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, return_on_ads, hidden, shape)
    rng = np.random.default_rng(seed)

    past = np.round(np.clip(600 * np.exp(rng.normal(0.0, 0.6, n)), 100, 4000))
    rating = np.round(np.clip(rng.normal(4.3, 0.3, n), 3.4, 5.0), 2)
    products = np.clip(np.round(40 * np.exp(rng.normal(0.0, 0.5, n))), 3, 300).astype(int)
    agency = rng.binomial(1, 0.35, n)
    stockout = rng.binomial(30, 0.1, n)
    buzz = rng.normal(0.0, 1.0, n)
    luck = rng.gamma(4.0, 0.25, n)
    noise = rng.normal(0.0, 1.0, n)

    if shape == "linear":
        expected = 14 + 0.025 * past + 14 * (rating - 4.3) + 0.15 * products + 25 * agency + 12 * hidden * buzz
        spend = np.round(np.clip(expected * luck, 1.0, None), 1)
        base = 330 + 0.9 * past + 130 * (rating - 4.3) + 0.8 * products - 35 * stockout + 80 * hidden * buzz
        base = base + (40 + 0.15 * past) * noise
        sales0 = np.clip(base, 1.0, None)
        sales = sales0 + return_on_ads * spend
    else:
        log_past = np.log(past / 600)
        expected = np.log(45) + 0.8 * log_past + 0.5 * (rating - 4.3) + 0.4 * agency + 0.3 * hidden * buzz
        spend = np.round(np.clip(np.exp(expected + 0.9 * np.log(luck)), 1.0, None), 1)
        level = np.log(330) + 0.7 * log_past + 0.3 * (rating - 4.3) - 0.03 * stockout + 0.15 * hidden * buzz
        sales0 = np.exp(level + 0.2 * noise)
        sales = sales0 * spend**ELASTICITY

    return pd.DataFrame(
        {
            "seller_id": np.arange(1, n + 1),
            "past_sales": past,
            "rating": rating,
            "products": products,
            "agency": agency,
            "stockout_days": stockout,
            "ad_spend": spend,
            "sales": np.round(sales, 1),
            "buzz": np.round(buzz, 4),
            "sales_without_ads": np.round(sales0, 1),
        }
    )
