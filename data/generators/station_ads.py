"""퀵배송 앱의 역사 광고 데이터: 한 행이 도시 한 곳의 하루입니다.

도시 30곳이 세 가지 공통 흐름(앱의 성장, 공단 경기, 날씨)을 저마다 다른 세기로 탑니다. 작은 도시는 더 흔들립니다.
광고의 효과는 도시마다 다르고, 공단 경기를 많이 타는 도시에서 큽니다. 도시의 성질은 ``MAP``이 고정하고 ``seed``는 흔들림만 바꿉니다.
``spill``이 0보다 크면 광고가 이웃 도시로 넘어갑니다. 실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 1030, "days": 28, "treated": (3, 22, 27)}

CITIES, BEFORE, MAP = 30, 168, 20
"""도시의 수, 광고 앞의 날, 도시의 성질을 정한 씨앗."""


def _check(days, treated, spill):
    if not isinstance(days, (int, np.integer)) or isinstance(days, bool) or days < 7:
        raise ValueError(f"광고하는 날의 수 days는 7 이상의 정수여야 합니다: {days!r}")
    numbers = list(treated) if isinstance(treated, (list, tuple, np.ndarray)) else [None]
    whole = all(isinstance(c, (int, np.integer)) and not isinstance(c, bool) and 1 <= c <= CITIES for c in numbers)
    if not whole or len(set(numbers)) != len(numbers) or len(numbers) > CITIES - 2:
        raise ValueError(f"광고하는 도시 treated는 1부터 {CITIES}까지의 서로 다른 번호 목록이어야 합니다: {treated!r}")
    if isinstance(spill, bool) or not isinstance(spill, (int, float, np.number)) or not 0 <= spill <= 1:
        raise ValueError(f"넘어가는 몫 spill은 0과 1 사이여야 합니다: {spill!r}")


def traits():
    """도시의 변하지 않는 성질: 인구(만 명), 수준, 세 흐름의 세기, 요일의 세기, 광고의 효과(건/인구 만 명)."""
    rng = np.random.default_rng(MAP)
    population = np.round(np.exp(rng.normal(3.3, 0.8, CITIES)), 1)
    size = np.log(population) - 3.3
    load = np.column_stack(
        [rng.normal(1.0, 0.35, CITIES) + 0.25 * size, rng.normal(0, 1, CITIES) + 0.4 * size, rng.normal(0, 1, CITIES)]
    )
    level = 40.0 + 6.0 * rng.normal(size=CITIES) + 4.0 * size
    weekly = rng.normal(1.0, 0.3, CITIES)
    lift = 2.2 + 0.7 * load[:, 1] + rng.normal(0.0, 0.2, CITIES)
    return population, level, load, weekly, lift


def _ar(rng, shape, phi, sd):
    shocks, x = rng.normal(0.0, sd * np.sqrt(1 - phi**2), shape), np.empty(shape)
    x[0] = rng.normal(0.0, sd, shape[1])
    for t in range(1, shape[0]):
        x[t] = phi * x[t - 1] + shocks[t]
    return x


def orders(seed=1030, days=28):
    """광고가 없을 때의 하루 주문(건/인구 만 명). 모양은 (날, 도시)입니다."""
    population, level, load, weekly, _ = traits()
    rng = np.random.default_rng(seed)
    t = np.arange(BEFORE + days)
    flows = np.column_stack(
        [_ar(rng, (len(t), 1), 0.97, 1.2), _ar(rng, (len(t), 1), 0.95, 1.0), _ar(rng, (len(t), 1), 0.8, 1.0)]
    )
    flows += np.column_stack([0.02 * t, 0.8 * np.sin(2 * np.pi * t / 60 + 1), 0.0 * t])
    week = np.array([3.0, 2.5, 2.0, 2.0, 4.0, -6.0, -7.5])[t % 7]
    own = _ar(rng, (len(t), CITIES), 0.5, 1.0) * (1.1 * np.sqrt(27.0 / population)) ** 0.7
    return level + flows @ load.T + np.outer(week, weekly) + own


def generate(seed=1030, days=28, treated=(3, 22, 27), spill=0.0):
    """도시 30곳의 광고 앞 168일과 광고하는 days일을 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 도시의 성질은 바꾸지 않습니다.
    days : int
        광고하는 날의 수(7 이상).
    treated : tuple of int
        광고하는 도시의 번호(1~30). 비어 있으면 아무 데도 광고하지 않습니다.
        기본값은 10주차가 앞 112일로 추린 후보 60가지에서 씨앗 1030의 제비로 뽑은 세 곳입니다.
    spill : float
        광고가 없는 도시가 받는 효과의 몫(0에서 1). 0이면 넘어가지 않습니다.

    Returns
    -------
    pandas.DataFrame
        한 행이 도시 한 곳의 하루. ``orders_off``와 ``orders_on``은 광고가 어디에도 없을 때와 모든 도시에 있을 때의 잠재적 결과로 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(days, treated, spill)
    population, *_, lift = traits()
    off = orders(seed, days)
    on = off.copy()
    on[BEFORE:] += lift
    dose = np.full(CITIES, float(spill) if len(treated) else 0.0)
    dose[np.asarray(treated, int) - 1] = 1.0
    seen = off + dose * (on - off)
    day = np.repeat(np.arange(1, BEFORE + days + 1), CITIES)
    city = np.tile(np.arange(1, CITIES + 1), BEFORE + days)
    return pd.DataFrame(
        {
            "day": day,
            "city": city,
            "population": population[city - 1],
            "ad": ((day > BEFORE) & np.isin(city, treated)).astype(int),
            "orders": np.round(seen.ravel(), 2),
            "orders_off": np.round(off.ravel(), 2),
            "orders_on": np.round(on.ravel(), 2),
        }
    )
