"""무인 주문기 확대 데이터: 한 행이 카페 점포 한 곳의 한 주입니다.

점포 400곳이 네 상권에 있습니다. 11주, 19주, 27주에 세 차례로 나누어 무인 주문기를 놓고 나머지는 끝까지 놓지 않습니다.
효과는 여러 주에 걸쳐 자라고, 먼저 놓은 점포와 붐비는 상권일수록 큽니다.
주택가의 매출은 모든 점포가 나란히 움직입니다. 다른 상권에서는 새로 연 점포일수록 빨리 자라고, 빨리 자라는 점포가 먼저 놓습니다.
실제 프랜차이즈의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 827, "n": 400, "growth": 1.0, "ramp": 12, "gap": 0.3}

WEEKS = 40
"""지켜본 주의 수."""
STARTS = (11, 19, 27)
"""차례마다 무인 주문기를 놓은 주."""
NEVER = 0
"""끝까지 놓지 않은 점포의 ``cohort``."""
DISTRICTS = ("주택가", "오피스", "대학가", "역세권")
SHARES = (0.4, 0.2, 0.2, 0.2)
GROWTH = (0.0, 0.3, 0.6, 0.9)
"""상권마다 갓 연 점포의 매출이 한 주에 더 자라는 크기(만 원/일/주)."""
BOOST = (1.0, 1.0, 1.2, 1.4)
"""상권마다 효과의 배율."""
RHO, NOISE = 0.6, 6.0
"""점포 매출의 오르내림이 다음 주로 이어지는 정도와 표준편차(만 원/일)."""


def youth(opened):
    """갓 연 점포이면 1, 오래될수록 0에 가까워지는 값.

    Parameters
    ----------
    opened : array_like of float
        연 지 몇 년째인지.

    Returns
    -------
    numpy.ndarray
    """
    return np.exp(-np.asarray(opened, float) / 4)


def _number(name, value, low, high):
    if (
        isinstance(value, (bool, np.bool_))
        or not isinstance(value, (int, float, np.number))
        or not low <= value <= high
    ):
        raise ValueError(f"{name}의 값은 {low}에서 {high} 사이의 수여야 합니다: {value!r}")


def _check(n, growth, ramp, gap):
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 80:
        raise ValueError(f"점포 수 n은 80 이상의 정수여야 합니다: {n!r}")
    _number("추세의 배율 growth", growth, 0, 3)
    if isinstance(ramp, bool) or not isinstance(ramp, (int, np.integer)) or not 1 <= ramp <= 30:
        raise ValueError(f"효과가 다 자라는 주의 수 ramp는 1에서 30 사이의 정수여야 합니다: {ramp!r}")
    _number("차례마다 효과가 줄어드는 비율 gap", gap, -0.9, 0.9)


def draw(seed=827, n=400, growth=1.0, ramp=12, gap=0.3):
    """``generate``와 같은 세상을 행렬로 돌려줍니다. 되풀이 실험에서 빠릅니다.

    Parameters
    ----------
    seed, n, growth, ramp, gap
        ``generate``와 같습니다.

    Returns
    -------
    dict
        점포마다의 ``district``(0~3), ``opened``, ``cohort``와 점포 × 주의 ``Y``, ``Y0``, ``effect``.
        ``expected``는 상권과 차례가 같은 점포들의 평균 효과입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, growth, ramp, gap)
    rng = np.random.default_rng(seed)
    district = rng.choice(len(DISTRICTS), n, p=SHARES)
    opened = np.round(0.2 + rng.gamma(1.6, 3.0, n), 1)
    size = rng.normal(90.0, 18.0, n)
    slope = np.take(GROWTH, district) * youth(opened)  # 한 주에 더 자라는 크기
    # 큰 점포, 빨리 자라는 점포가 먼저 놓습니다. 주택가에서는 크기만 봅니다.
    pull = 0.5 * (size - 90) / 18 + 2.5 * slope + rng.logistic(0.0, 1.0, n)
    cohort = np.select([pull > 1.8, pull > 0.75, pull > -0.2], STARTS, NEVER)

    week = np.arange(1, WEEKS + 1)
    common = 90 * 0.04 * np.sin(2 * np.pi * week / 40) + 0.1 * week + rng.normal(0.0, 2.5, WEEKS)
    fresh = rng.normal(0.0, 1.0, (n, WEEKS))
    noise = np.empty((n, WEEKS))
    noise[:, 0] = fresh[:, 0]
    for t in range(1, WEEKS):
        noise[:, t] = RHO * noise[:, t - 1] + np.sqrt(1 - RHO**2) * fresh[:, t]
    Y0 = size[:, None] + common + growth * slope[:, None] * week + NOISE * noise

    mean = 7.0 * np.select([cohort == g for g in STARTS], [1 + gap, 1.0, 1 - gap], 0.0) * np.take(BOOST, district)
    since = week - np.where(cohort == NEVER, 10_000, cohort)[:, None]
    expected = mean[:, None] * np.clip(since + 1, 0, ramp) / ramp
    effect = expected * rng.gamma(4.0, 1 / 4.0, n)[:, None]  # 점포마다 다릅니다
    return {
        "district": district,
        "opened": opened,
        "cohort": cohort,
        "Y": Y0 + effect,
        "Y0": Y0,
        "effect": effect,
        "expected": expected,
    }


def generate(seed=827, n=400, growth=1.0, ramp=12, gap=0.3):
    """점포 n곳의 40주 매출과 무인 주문기가 없을 때의 매출을 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        점포 수(80 이상). 행은 40n개입니다.
    growth : float
        상권과 연 햇수에 따른 추세의 배율(0~3). 0이면 모든 점포가 나란합니다.
    ramp : int
        효과가 다 자라는 데 걸리는 주(1~30). 1이면 놓은 주부터 그대로입니다.
    gap : float
        차례마다 효과가 줄어드는 비율(-0.9~0.9). 0.3이면 1차는 1.3배, 3차는 0.7배입니다.

    Returns
    -------
    pandas.DataFrame
        점포와 주의 순서. ``effect``와 ``sales_0``은 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    world = draw(seed, n, growth, ramp, gap)
    week = np.arange(1, WEEKS + 1)
    cohort = world["cohort"]
    return pd.DataFrame(
        {
            "store_id": np.repeat(np.arange(1, n + 1), WEEKS),
            "week": np.tile(week, n),
            "district": np.repeat(np.take(DISTRICTS, world["district"]), WEEKS),
            "opened": np.repeat(world["opened"], WEEKS),
            "cohort": np.repeat(cohort, WEEKS),
            "kiosk": ((cohort[:, None] > 0) & (week >= cohort[:, None])).astype(int).ravel(),
            "sales": np.round(world["Y"].ravel(), 2),
            "sales_0": np.round(world["Y0"].ravel(), 2),
            "effect": np.round(world["effect"].ravel(), 4),
        }
    )
