"""밀키트 첫 달 실험: 한 행이 새로 가입한 손님 한 명의 반년입니다.

밀키트를 파는 앱이 새 손님에게 세 가지 가운데 하나를 무작위로 줍니다. 아무것도 주지 않거나, 조리 영상을 안내하거나, 반값 쿠폰을 줍니다.
첫 4주의 주문, 방문, 담아 둔 요리는 대리 지표이고 26주의 공헌이익이 장기 결과입니다. ``history``가 참이면 아무것도 주지 않던 지난해의 기록입니다.
쿠폰은 대리 지표를 거치지 않는 길(``direct``)로도 장기 결과를 움직입니다. 실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 1212, "n": 6_000, "history": False, "single": 0.55, "direct": -7.0, "hidden": 0.0}
ARMS = ("none", "video", "coupon")  # arm 열의 0, 1, 2


def _check(n, history, single, direct, hidden):
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 100:
        raise ValueError(f"손님 수 n은 100 이상의 정수여야 합니다: {n!r}")
    if not isinstance(history, (bool, np.bool_)):
        raise ValueError(f"history는 참이나 거짓이어야 합니다: {history!r}")
    for name, value, low, high in [
        ("single", single, 0.0, 1.0),
        ("direct", direct, -100.0, 100.0),
        ("hidden", hidden, 0.0, 20.0),
    ]:
        if isinstance(value, bool) or not np.isreal(value) or not low <= value <= high:
            raise ValueError(f"{name}은 {low:g}에서 {high:g} 사이의 수여야 합니다: {value!r}")


def generate(seed=1212, n=6_000, history=False, single=0.55, direct=-7.0, hidden=0.0):
    """손님 n명의 첫 달과 반년을 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        손님 수(100 이상).
    history : bool
        참이면 모두에게 아무것도 주지 않은(``arm``이 0인) 지난해의 기록입니다.
    single : float
        혼자 사는 손님의 비율(0에서 1).
    direct : float
        쿠폰이 대리 지표를 거치지 않고 26주의 공헌이익을 움직이는 크기(천 원).
    hidden : float
        보이지 않는 '요리를 좋아하는 마음'의 표준편차 하나가 26주의 공헌이익을 움직이는 크기(천 원).
        0이면 대리 지표와 장기 결과 사이에 숨은 공통 원인이 없습니다.

    Returns
    -------
    pandas.DataFrame
        손님 한 명이 한 행. 돈은 천 원이고 ``arm``은 ``ARMS``의 번호입니다. ``effect_video``와 ``effect_coupon``은 아무것도 주지 않을 때와 견준
        26주 공헌이익의 효과이고, ``orders_video``는 영상이 첫 4주의 주문을 늘리는 기댓값입니다. 셋 다 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, history, single, direct, hidden)
    rng = np.random.default_rng(seed)
    alone = rng.binomial(1, single, n)  # 혼자 사는 손님
    cooking = rng.poisson(3.0 - 1.2 * alone)  # 가입 전 한 주에 집에서 요리한 횟수
    love = rng.normal(0.0, 1.0, n)  # 보이지 않는 마음
    arm = np.zeros(n, int) if history else rng.integers(0, 3, n)
    video, coupon = (arm == 1).astype(float), (arm == 2).astype(float)
    orders_video = 0.15 + 0.55 * alone
    orders = rng.poisson(
        1.4 + 0.25 * cooking + 0.35 * np.maximum(love + 1.5, 0.0) + orders_video * video + 1.2 * coupon
    )
    visits = rng.poisson(6.0 + 0.5 * cooking + 0.8 * np.maximum(love + 1.5, 0.0) + 0.8 * video + 0.3 * coupon)
    saved = rng.poisson(1.5 + 0.4 * cooking + 1.2 * video)
    effect_video = 9.0 * orders_video + 1.0 * 0.8 + 3.0 * 1.2
    effect_coupon = 9.0 * 1.2 + 1.0 * 0.3 + direct
    profit = 12.0 + 9.0 * orders + 1.0 * visits + 3.0 * saved + 1.5 * cooking - 4.0 * alone
    profit = profit + direct * coupon + hidden * love + rng.normal(0.0, 25.0, n)
    return pd.DataFrame(
        {
            "customer_id": np.arange(1, n + 1),
            "alone": alone,
            "cooking": cooking,
            "arm": arm,
            "orders": orders,
            "visits": visits,
            "saved": saved,
            "profit26": np.round(profit, 1),
            "effect_video": np.round(effect_video, 3),
            "effect_coupon": np.round(np.full(n, effect_coupon), 3),
            "orders_video": orders_video,
        }
    )
