"""무인 주문기 시범 데이터: 한 행이 카페 점포 한 곳의 한 주입니다.

주택가 점포 80곳 가운데 24곳이 13주에 함께 무인 주문기를 놓습니다. 원래 많이 팔던 점포가 더 많이 뽑힙니다.
효과는 여덟 주에 걸쳐 자라고 점포마다 다릅니다. 점포의 매출은 몇 주씩 이어서 오르내립니다.
기본값에서는 평행 추세가 참입니다. ``trend``, ``early``, ``spill``, ``dip``, ``event``로 가정을 하나씩 깹니다.
실제 프랜차이즈의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 813, "n": 80, "treated": 24, "trend": 0.0, "early": 0.0, "spill": 0.0, "dip": 0.0, "event": 0.0}

WEEKS = 24
"""지켜본 주의 수."""
START = 13
"""무인 주문기를 놓은 주."""
RAMP = 8
"""효과가 다 자라는 데 걸리는 주."""
GAIN = 7.0
"""효과가 다 자랐을 때의 평균(만 원/일)."""
RHO, NOISE = 0.6, 6.0
"""점포 매출의 오르내림이 다음 주로 이어지는 정도와 표준편차(만 원/일)."""


def _number(name, value, low, high):
    if (
        isinstance(value, (bool, np.bool_))
        or not isinstance(value, (int, float, np.number))
        or not low <= value <= high
    ):
        raise ValueError(f"{name}의 값은 {low}에서 {high} 사이의 수여야 합니다: {value!r}")


def _check(n, treated, trend, early, spill, dip, event):
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 10:
        raise ValueError(f"점포 수 n은 10 이상의 정수여야 합니다: {n!r}")
    if isinstance(treated, bool) or not isinstance(treated, (int, np.integer)) or not 2 <= treated <= n - 2:
        raise ValueError(f"놓은 점포 수 treated는 2에서 n-2 사이의 정수여야 합니다: {treated!r}")
    _number("추세의 차이 trend(만 원/일/주)", trend, -2, 2)
    _number("공사로 잃는 매출 early(만 원/일)", early, -20, 20)
    _number("이웃 점포가 잃는 매출 spill(만 원/일)", spill, -20, 20)
    _number("부진한 점포를 고르는 힘 dip", dip, 0, 10)
    _number("같은 때 연 행사의 효과 event(만 원/일)", event, -20, 20)


def persistent(rng, n, weeks):
    """몇 주씩 이어지는 오르내림(점포 × 주, 만 원/일).

    Parameters
    ----------
    rng : numpy.random.Generator
    n, weeks : int
        점포와 주의 수.

    Returns
    -------
    numpy.ndarray
        AR(1) 잡음. 표준편차는 ``NOISE``, 이웃한 주의 상관은 ``RHO``입니다.
    """
    fresh = rng.normal(0.0, 1.0, (n, weeks))
    out = np.empty((n, weeks))
    out[:, 0] = fresh[:, 0]
    for t in range(1, weeks):
        out[:, t] = RHO * out[:, t - 1] + np.sqrt(1 - RHO**2) * fresh[:, t]
    return NOISE * out


def draw(seed=813, n=80, treated=24, trend=0.0, early=0.0, spill=0.0, dip=0.0, event=0.0):
    """``generate``와 같은 세상을 행렬로 돌려줍니다. 되풀이 실험에서 빠릅니다.

    Parameters
    ----------
    seed, n, treated, trend, early, spill, dip, event
        ``generate``와 같습니다.

    Returns
    -------
    dict
        ``D``(점포마다 0/1), ``Y``, ``Y0``, ``effect``(점포 × 주, 만 원/일).

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, treated, trend, early, spill, dip, event)
    rng = np.random.default_rng(seed)
    size = rng.normal(90.0, 18.0, n)
    week = np.arange(1, WEEKS + 1)
    common = 90 * 0.04 * np.sin(2 * np.pi * week / 24) + 0.15 * week + rng.normal(0.0, 2.5, WEEKS)
    noise = persistent(rng, n, WEEKS)
    recent = noise[:, START - 5 : START - 1].mean(axis=1) / NOISE
    pull = (size - 90) / 18 + rng.normal(0.0, 1.2, n) - dip * recent
    D = np.zeros(n)
    D[np.argsort(-pull, kind="stable")[:treated]] = 1
    gain = rng.gamma(4.0, GAIN / 4.0, n)  # 다 자랐을 때의 효과. 점포마다 다릅니다
    since = week - START
    drift = trend * (week - START) * D[:, None]
    Y0 = size[:, None] + common + noise + drift
    Y0 = Y0 + event * (since >= 0) * D[:, None]
    effect = D[:, None] * gain[:, None] * np.clip(since + 1, 0, RAMP) / RAMP
    building = D[:, None] * early * ((since < 0) & (since >= -2))
    lost = (1 - D[:, None]) * spill * (since >= 0)
    return {"D": D, "Y": Y0 + effect - building - lost, "Y0": Y0, "effect": effect}


def generate(seed=813, n=80, treated=24, trend=0.0, early=0.0, spill=0.0, dip=0.0, event=0.0):
    """점포 n곳의 24주 매출과 무인 주문기가 없을 때의 매출을 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n, treated : int
        점포 수(10 이상)와 13주에 무인 주문기를 놓은 점포 수.
    trend : float
        놓은 점포의 매출이 주마다 더 오르는 크기(만 원/일/주). 0이 아니면 평행 추세가 깨집니다.
    early : float
        놓기 앞 두 주에 공사로 잃는 매출(만 원/일). 0이 아니면 비기대 가정이 깨집니다.
    spill : float
        놓은 뒤 놓지 않은 점포가 잃는 매출(만 원/일). 0이 아니면 SUTVA가 깨집니다.
    dip : float
        바로 앞 네 주에 부진한 점포를 골라 놓는 힘. 0이 아니면 과거의 결과가 처치를 정합니다.
    event : float
        13주부터 놓은 점포에서만 연 다른 행사의 효과(만 원/일).

    Returns
    -------
    pandas.DataFrame
        점포와 주의 순서. ``effect``와 ``sales_0``은 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    world = draw(seed, n, treated, trend, early, spill, dip, event)
    after = np.arange(1, WEEKS + 1) >= START
    return pd.DataFrame(
        {
            "store_id": np.repeat(np.arange(1, n + 1), WEEKS),
            "week": np.tile(np.arange(1, WEEKS + 1), n),
            "chosen": np.repeat(world["D"].astype(int), WEEKS),
            "kiosk": (world["D"][:, None] * after).astype(int).ravel(),
            "sales": np.round(world["Y"].ravel(), 2),
            "sales_0": np.round(world["Y0"].ravel(), 2),
            "effect": np.round(world["effect"].ravel(), 4),
        }
    )
