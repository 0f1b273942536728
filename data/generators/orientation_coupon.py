"""0주차 데이터: 배달 앱이 손님에게 보낸 쿠폰과 그 뒤 4주의 주문 금액(모의 자료).

마케팅팀은 주문이 뜸한 손님에게 쿠폰을 더 보냅니다. 주문이 뜸한 손님은 쿠폰이 없어도 덜 씁니다.
쿠폰은 앱 방문을 늘리고(매개), 방문과 상관없이 한 번 담는 금액도 늘립니다(직접).
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 20260, "n": 6000}


def generate(
    seed: int,
    n: int,
    direct_effect: float = 3.6,
    extra_visits: float = 0.8,
    targeting: float = 0.5,
) -> pd.DataFrame:
    """손님 ``n``명의 표를 만듭니다. 모집단 ATE는 ``direct_effect + 3 * extra_visits``(천 원)입니다.

    Parameters
    ----------
    seed : int
        난수 씨앗.
    n : int
        손님 수. 10 이상 1천만 이하.
    direct_effect : float
        방문을 거치지 않는 쿠폰의 평균 효과(천 원/4주). 손님마다 다르며 0 이상 100 이하.
    extra_visits : float
        쿠폰이 늘리는 평균 방문(회/4주). 0 이상 30 이하.
    targeting : float
        지난 8주 주문이 1회 많을 때 쿠폰을 받을 로그 오즈가 줄어드는 크기. 0이면 주문과 무관하게 보냅니다.

    Returns
    -------
    pandas.DataFrame
        한 행이 손님 한 명. 열의 뜻은 데이터 카드에 있습니다.

    Raises
    ------
    ValueError
        손님 수나 효과가 범위를 벗어나거나, 대상 선정이 0과 2 사이를 벗어날 때.
    """
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or not 10 <= n <= 10**7:
        raise ValueError(f"n은 10 이상 1천만 이하의 정수여야 합니다. 받은 값: {n!r}")
    if not (0 <= direct_effect <= 100 and 0 <= extra_visits <= 30):
        raise ValueError(
            "direct_effect는 0에서 100, extra_visits는 0에서 30 사이여야 합니다. 음수면 금액과 방문이 음수가 될 수 있습니다."
        )
    if not 0 <= targeting <= 2:
        raise ValueError(f"targeting은 0과 2 사이여야 합니다. 더 크면 양수성이 무너집니다. 받은 값: {targeting}")
    rng = np.random.default_rng(seed)
    push_on = rng.binomial(1, 0.6, n)
    past_orders = rng.poisson(rng.gamma(3.0, 0.7 + 0.4 * push_on))
    probability = 1 / (1 + np.exp(-(0.6 - targeting * past_orders + 0.9 * push_on)))
    coupon = rng.binomial(1, probability)
    visits_0 = rng.poisson(1.0 + 0.4 * past_orders + 0.5 * push_on)
    visits_1 = visits_0 + rng.poisson(extra_visits, n)
    noise = rng.gamma(2.0, 4.0, n)
    own_effect = direct_effect * rng.gamma(4.0, 0.25, n)
    spend_0 = 4.0 + 3.5 * past_orders + 2.0 * push_on + 3.0 * visits_0 + noise
    spend_1 = spend_0 + own_effect + 3.0 * (visits_1 - visits_0)
    return pd.DataFrame(
        {
            "customer_id": np.arange(1, n + 1),
            "past_orders": past_orders,
            "push_on": push_on,
            "coupon": coupon,
            "visits": np.where(coupon == 1, visits_1, visits_0),
            "spend": np.where(coupon == 1, spend_1, spend_0).round(2),
            "spend_0": spend_0.round(2),
            "spend_1": spend_1.round(2),
        }
    )
