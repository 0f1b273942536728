"""늦은 배달 데이터: 배달 앱의 기준 주문 하나가 한 행입니다.

손님마다 관찰 기간의 주문 하나를 무작위로 뽑았습니다. 붐비는 시간에는 배차 규칙이 최근 주문이 뜸한
손님에게 기사를 먼저 보냅니다. 그래서 단골이 더 자주 늦게 받고, 단골은 원래 더 많이 주문합니다.
늦음은 기록된 변수로만 정해지므로 그 변수를 보정하면 교란이 남지 않습니다.
``hidden=True``이면 배차 규칙이 기록되지 않는 충성도를 직접 봅니다. 실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 2019, "n": 20_000, "hidden": False, "effect": 1.0}

PEAK_HOURS = (11, 12, 18, 19, 20)
OTHER_HOURS = (10, 13, 14, 15, 16, 17, 21, 22)
PROMISE = 10
"""약속 시각보다 이만큼(분) 넘게 늦어야 '늦은 배달'입니다."""


def _expit(value):
    return 1.0 / (1.0 + np.exp(-value))


def _check(n, hidden, effect):
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 100:
        raise ValueError(f"주문 수 n은 100 이상의 정수여야 합니다: {n!r}")
    if not isinstance(hidden, (bool, np.bool_)):
        raise ValueError(f"hidden은 True나 False여야 합니다: {hidden!r}")
    if isinstance(effect, bool) or not isinstance(effect, (int, float, np.number)) or not 0 <= effect <= 2:
        raise ValueError(f"효과의 배율 effect는 0에서 2 사이의 수여야 합니다: {effect!r}")


def generate(seed=2019, n=20_000, hidden=False, effect=1.0):
    """기준 주문 n건의 관측값과 두 잠재적 결과를 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        기준 주문 수(100 이상). 손님 한 명에 하나입니다.
    hidden : bool
        거짓이면 배차 규칙이 기록된 지난 28일 주문 수를 보고, 참이면 기록되지 않는 충성도를 봅니다.
    effect : float
        늦음이 줄이는 주문 몫의 배율(0에서 2). 0이면 늦어도 아무 일이 없습니다.

    Returns
    -------
    pandas.DataFrame
        n행. 시간은 분, 거리는 km, 금액은 원, 주문 수는 회/28일입니다.
        ``loyalty``, ``late_prob``, ``orders_0``, ``orders_1``은 정답 열입니다.
        ``orders_1``은 그 주문이 늦었을 때의 분(관측되지 않았으면 조건부 분포에서 뽑은 분)에서의 값입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, hidden, effect)
    rng = np.random.default_rng(seed)

    # 손님: 충성도는 끝까지 기록되지 않습니다. 처음 세 번 안의 주문은 이력이 짧습니다.
    loyalty = rng.normal(0.0, 1.0, n)
    first = rng.random(n) < 0.25
    tenure = np.where(first, rng.integers(0, 3, n), 2 + np.floor(rng.gamma(1.6, 10.0, n)).clip(0, 70)).astype(int)
    member = rng.binomial(1, _expit(-1.1 + 0.8 * loyalty - 0.6 * first))
    usual = np.exp(0.95 + 0.55 * loyalty)
    past = rng.integers(0, 3, n)
    recent_new = rng.binomial(past, 0.8)
    orders_28d = np.where(first, recent_new, rng.poisson(usual))
    orders_29_56d = np.where(first, past - recent_new, rng.poisson(usual))

    # 주문: 단골은 붐비는 시간에 더 자주 주문합니다.
    peak = rng.random(n) < _expit(-0.3 + 0.7 * loyalty)
    hour = np.where(peak, rng.choice(PEAK_HOURS, n), rng.choice(OTHER_HOURS, n))
    rain = rng.binomial(1, 0.2, n)
    distance = np.round(np.clip(rng.gamma(4.0, 0.55, n), 0.3, 7.0), 1)
    basket = np.round(np.exp(rng.normal(9.95 + 0.05 * loyalty, 0.35, n)), -2).astype(int)
    queue = rng.poisson(3.0 + 3.5 * peak + 1.5 * rain)
    slack = rng.normal(0.0, 3.0, n)
    promised = np.round(20.0 + 4.0 * distance + 0.8 * queue + slack).astype(int)
    slack = promised - (20.0 + 4.0 * distance + 0.8 * queue)

    # 늦음: 배차 규칙이 보는 것은 기록된 주문 수(hidden이면 충성도)입니다.
    seen = 0.25 * loyalty if hidden else 0.7 * (np.log1p(orders_28d) - 1.08)
    pull = 0.9 * peak + 0.8 * rain + 0.3 * (distance - 2.2) + 0.1 * (queue - 5.0) - 0.06 * slack + seen
    late_prob = _expit(-2.3 + pull)
    late = rng.random(n) < late_prob
    # 로지스틱 잡음을 조건부로 뽑아, 늦은 주문은 11분 이상이고 나머지는 10분 이하가 되게 합니다.
    spread = rng.random(n)
    above = 1.0 - late_prob * spread
    below = np.maximum((1.0 - late_prob) * spread, 1e-6)
    minutes_1 = np.ceil(PROMISE + 6.0 * (np.log(above / (1.0 - above)) - np.log((1.0 - late_prob) / late_prob)))
    minutes_1 = np.clip(minutes_1, PROMISE + 1, 75).astype(int)
    minutes_0 = np.ceil(PROMISE + 6.0 * (np.log(below / (1.0 - below)) - np.log((1.0 - late_prob) / late_prob)))
    minutes_0 = np.clip(minutes_0, -15, PROMISE).astype(int)
    minutes = np.where(late, minutes_1, minutes_0)

    # 결과: 늦으면 다음 주문이 하나씩 일정한 확률로 사라집니다. 처음 온 손님이 더 많이 떠납니다.
    mean0 = np.exp(0.95 + 0.55 * loyalty - 0.25 * first - 0.08 * (distance - 2.2) + 0.05 * peak + 0.015 * (queue - 5.0))
    largest = np.select([first, tenure >= 24], [0.40, 0.15], 0.26) * effect
    lost = largest * (1.0 - np.exp(-(minutes_1 - PROMISE) / 8.0))
    orders_0 = rng.poisson(mean0)
    orders_1 = rng.binomial(orders_0, 1.0 - lost)
    rated = rng.binomial(1, _expit(-1.6 + 1.6 * late + 0.8 * loyalty))

    return pd.DataFrame(
        {
            "order_id": np.arange(1, n + 1),
            "hour": hour,
            "peak": peak.astype(int),
            "rain": rain,
            "distance_km": distance,
            "queue": queue,
            "promised_min": promised,
            "basket_krw": basket,
            "tenure_months": tenure,
            "first_three": first.astype(int),
            "member": member,
            "orders_28d": orders_28d,
            "orders_29_56d": orders_29_56d,
            "late": late.astype(int),
            "minutes_late": minutes,
            "rated": rated,
            "orders_next_28d": np.where(late, orders_1, orders_0),
            "loyalty": np.round(loyalty, 4),
            "late_prob": np.round(late_prob, 5),
            "orders_0": orders_0,
            "orders_1": orders_1,
        }
    )
