"""승인 여유분 데이터: 한 행이 카드로 결제한 장보기 주문 한 건입니다. 금액의 단위는 천 원입니다.

담은 금액을 다음 5천 원의 배수로 올려 승인을 요청하므로, 배수를 막 넘은 주문은 여유분이 0에서 5천 원으로 뜁니다. 쓸 수 있는 잔액이
승인 금액보다 적으면 거절되고, 최종 금액이 승인 금액을 넘으면 넘친 돈을 다시 청구하다 가끔 받지 못합니다. 3만 원부터 배달비가 없어
조금 모자란 손님이 더 담고, 법인의 정액 주문은 꼭 5천 원의 배수입니다. ``strength``는 여유분이 잔액을 잡는 정도, ``trim``은 잔액이
빠듯한 손님이 배수 바로 아래로 덜어 내는 비율, ``popup``은 배수를 넘을 때 뜨는 다른 화면이 더 거절시키는 확률,
``budget``은 배수에 맞추어 담는 손님의 잔액이 모자라는 정도입니다. 실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 2311, "n": 40_000, "strength": 1.0, "trim": 0.0, "popup": 0.0, "budget": 0.0}

STEP = 5.0
"""승인 금액을 올리는 단위(천 원)."""
FREE = 30.0
"""배달비가 없어지는 금액(천 원). 5천 원의 배수이기도 합니다."""
STRAY = 0.01
"""여유분과 상관없이 거절되는 확률."""
REPAY = 0.4
"""거절된 손님이 다른 카드로 다시 결제하는 확률."""
FAIL = 0.3
"""넘친 돈을 다시 청구했을 때 받지 못하는 확률."""


def _check(n, **shares):
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or not 2_000 <= n <= 10_000_000:
        raise ValueError(f"주문 수 n은 2,000에서 10,000,000 사이의 정수여야 합니다: {n!r}")
    for name, (value, most) in shares.items():
        number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        if not number or not 0 <= value <= most:
            raise ValueError(f"{name}은(는) 0에서 {most:g} 사이여야 합니다: {value!r}")


def generate(seed=2311, n=40_000, strength=1.0, trim=0.0, popup=0.0, budget=0.0):
    """주문 n건의 승인, 거절, 못 받은 돈과 정답 열(잔액, 최종 금액)을 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        주문 수(2,000에서 10,000,000). 손님마다 첫 주문 하나입니다.
    strength : float
        여유분이 잔액을 잡는 정도(0~1). 0이면 카드사가 담은 금액만 보므로 여유분이 거절을 바꾸지 않습니다.
    trim : float
        배수를 0.8천 원 안쪽으로 넘은, 잔액이 빠듯한 손님이 배수 바로 아래로 덜어 내는 비율(0~1).
    popup : float
        배수를 넘은 주문에만 뜨는 다른 화면이 거절을 늘리는 확률(0~0.2).
    budget : float
        배수에 맞추어 담는 손님의 로그 잔액이 낮아지는 크기(0~1). 배수에서 가장 낮고 매끄럽게 되돌아옵니다.

    Returns
    -------
    pandas.DataFrame
        n행. 금액은 천 원이고 10원까지 적습니다. ``balance``와 ``final_bill``은 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, strength=(strength, 1), trim=(trim, 1), popup=(popup, 0.2), budget=(budget, 1))
    rng = np.random.default_rng(seed)
    u = rng.random((10, n))
    raw = np.minimum(8 + rng.gamma(3.0, 11.0, n), 250.0)
    cents = np.round(raw * 100)  # 10원 단위의 정수로 다룹니다
    weighed = u[0] < 0.7
    fixed = u[1] < 0.03
    cents = np.where(weighed, cents, np.round(raw * 10) * 10)
    debit = (u[2] < 1 / (1 + np.exp(-0.5 + 0.6 * (np.log(raw) - 3.6)))) & ~fixed
    past = np.floor(-np.where(debit, 3.5, 5.0) * np.log1p(-u[8])).astype(int)
    z = rng.standard_normal((2, n))
    spread = np.where(debit, 0.9 + 0.75 * z[0], 2.2 + 0.8 * z[0]) + 0.03 * (past - 4)
    if budget:
        spread = spread - budget * (0.5 + 0.5 * np.cos(2 * np.pi * raw / STEP))
    balance = np.exp(0.85 * np.log(raw) + 0.15 * 3.6 + spread)

    wanted = (cents >= 100 * FREE - 200) & (cents < 100 * FREE) & (u[3] < np.where(debit, 0.6, 0.3)) & ~fixed
    cents = np.where(wanted, np.round(100 * FREE + np.minimum(-60 * np.log1p(-u[4]), 240)), cents)
    step = round(100 * STEP)
    cents = np.where(fixed, step * np.maximum(np.round(cents / step), 2), cents)
    past_step = cents - step * np.floor(cents / step)
    tight = (past_step > 0) & (past_step <= 80) & (balance < 2 * raw) & (u[5] < trim) & ~fixed
    cents = np.where(tight, step * np.floor(cents / step) - np.round(1 + 39 * u[4]), cents)

    top = step * np.ceil(cents / step)  # 승인 금액. 꼭 배수이면 여유분이 0입니다
    gap = cents - step * np.floor(cents / step + 0.5)
    held = cents + strength * (top - cents)
    rate = STRAY + popup * (gap > 0)
    declined = ((held > 100 * balance) & ~fixed) | (u[6] < rate)
    repaid = u[7] < REPAY
    drift = np.where(weighed, 0.05, 0.02) * z[1] * ~fixed
    final = np.round(cents * np.exp(drift))
    lost = np.maximum(final - top, 0) * (~declined | repaid) * (u[9] < FAIL)
    return pd.DataFrame(
        {
            "total": cents / 100,
            "gap": gap / 100,
            "weighed": weighed.astype(int),
            "debit": debit.astype(int),
            "past_orders": past,
            "stepped_up": (gap > 0).astype(int),
            "authorised": top / 100,
            "declined": declined.astype(int),
            "lost": lost / 100,
            "balance": np.round(balance, 2),
            "final_bill": final / 100,
        },
        copy=False,
    )
