"""'다시 담기' 버튼 실험 데이터: 장보기 앱 손님 한 명이 한 행인 A/B 테스트입니다.

버튼을 볼 손님은 무작위로 정합니다. 버튼을 실제로 누를지는 손님이 정하며, 단골일수록 더 누릅니다.
버튼은 누를 사람의 방문을 주문으로 바꾸는 확률만 올리고, 방문 횟수는 바꾸지 않습니다.
실제 회사의 자료가 아니라 2주차를 위해 만든 모의 데이터입니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 202, "n": 12000, "lift": 0.05, "share": 0.5, "season": 1.05, "crash": 0.0}


def _check(n, lift, share, season, crash):
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 100:
        raise ValueError(f"손님 수 n은 100 이상의 정수여야 합니다: {n!r}")
    if not 0 <= lift <= 0.2:
        raise ValueError(f"버튼의 힘 lift는 0에서 0.2 사이여야 합니다: {lift!r}")
    if not 0.05 <= share <= 0.95:
        raise ValueError(f"실험군의 비율 share는 0.05에서 0.95 사이여야 합니다: {share!r}")
    if not 0.5 <= season <= 2:
        raise ValueError(f"계절 배율 season은 0.5에서 2 사이여야 합니다: {season!r}")
    if not 0 <= crash <= 1:
        raise ValueError(f"기록이 사라지는 비율 crash는 0에서 1 사이여야 합니다: {crash!r}")


def generate(seed=202, n=12000, lift=0.05, share=0.5, season=1.05, crash=0.0):
    """손님 n명의 관측값과 두 잠재적 결과를 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        배정한 손님 수(100 이상).
    lift : float
        버튼을 누를 손님에게서 방문 한 번이 주문이 될 확률이 늘어나는 양. 0이면 A/A 테스트입니다.
    share : float
        버튼을 보여 줄 확률.
    season : float
        실험 기간의 방문이 직전 4주의 몇 배인지. 두 집단에 똑같이 걸립니다.
    crash : float
        실험군의 오래된 전화기에서 앱이 꺼져 기록이 통째로 사라지는 비율. 0보다 크면 행 수가 n보다 적습니다.

    Returns
    -------
    pandas.DataFrame
        손님 한 명이 한 행. 금액은 천 원/4주, 방문과 주문은 회/4주입니다.
        `would_click`, `orders_0`, `orders_1`, `spend_0`, `spend_1`은 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, lift, share, season, crash)
    rng = np.random.default_rng(seed)

    loyalty = rng.gamma(2.0, 0.5, n)
    old_phone = rng.binomial(1, 0.2, n)
    tenure = np.round(rng.gamma(2.0, 9.0, n), 1)
    visit_rate = 8.0 * loyalty * (1 - 0.25 * old_phone)
    convert = np.clip(rng.beta(2.0, 6.0, n) * (0.8 + 0.2 * loyalty), 0.01, 0.75)
    basket = 12.0 * rng.gamma(16.0, 1 / 16.0, n)
    shown = rng.binomial(1, share, n)

    def period(rate):
        sessions = rng.poisson(rate)
        orders = rng.binomial(sessions, convert)
        return sessions, orders, basket * rng.gamma(4.0 * np.maximum(orders, 1), 0.25) * (orders > 0)

    pre_sessions, _, pre_spend = period(visit_rate)
    sessions, orders_0, spend_0 = period(season * visit_rate)
    would_click = rng.binomial(1, 1 / (1 + np.exp(1.6 - 1.1 * loyalty)))
    extra = rng.binomial(sessions - orders_0, would_click * lift / (1 - convert))
    orders_1 = orders_0 + extra
    spend_1 = spend_0 + basket * rng.gamma(4.0 * np.maximum(extra, 1), 0.25) * (extra > 0)
    lost = rng.random(n) < crash * old_phone * shown

    frame = pd.DataFrame(
        {
            "user_id": np.arange(1, n + 1),
            "tenure_months": tenure,
            "old_phone": old_phone,
            "pre_sessions": pre_sessions,
            "pre_spend": np.round(pre_spend, 2),
            "shown": shown,
            "clicked": would_click * shown,
            "sessions": sessions,
            "orders": np.where(shown == 1, orders_1, orders_0),
            "spend": np.round(np.where(shown == 1, spend_1, spend_0), 2),
            "would_click": would_click,
            "orders_0": orders_0,
            "orders_1": orders_1,
            "spend_0": np.round(spend_0, 2),
            "spend_1": np.round(spend_1, 2),
        }
    )
    return frame[~lost].reset_index(drop=True)
