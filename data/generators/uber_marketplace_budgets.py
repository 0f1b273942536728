"""도시마다 나누어 쓰는 운전자 인센티브 예산: 한 행이 도시 하나의 한 주입니다.

계획팀은 수요 예보를 보고 예산을 정하므로 돈이 수요를 따라갑니다. 도시마다 여섯 주는 제비로 뽑아, 세 주는 계획의 1.3배를 쓰고 세 주는 1.3으로 나눈 만큼만 씁니다.
주문액은 ``기준 × {1 + 예보의 몫 + 뜻밖의 수요 + 기울기 × log(예산 / 평소 예산) + …}``이며, 로그이므로 더 쓸수록 덜 늡니다.
``seed``는 도시의 성질, 수요, 제비를 모두 바꿉니다. 1번과 2번, 3번과 4번처럼 둘씩 붙은 도시는 운전자를 나누어 씁니다.
숫자는 모두 만든 것이고 실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd
from scipy.signal import lfilter

DEFAULTS = {"seed": 719, "cities": 60, "weeks": 52}

LOTS = 3
"""도시마다 예산을 올리는 주의 수. 내리는 주도 같은 수입니다."""
STEP = 1.3
"""제비가 계획한 예산에 곱하거나 나누는 배수."""
MEAN_SLOPE = 0.15
"""예산의 로그가 1 늘 때 느는 주문액(기준 주문액의 몫)의 도시 평균."""


def _check(cities, weeks, uneven, hidden, bend, spill, keep, noise):
    for name, value, low, high in [("cities", cities, 10, 200), ("weeks", weeks, 20, 200)]:
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not whole or not low <= value <= high or value % 2:
            raise ValueError(f"{name}은(는) {low}에서 {high} 사이의 짝수여야 합니다: {value!r}")
    ranges = {
        "uneven": (uneven, 0, 1),
        "hidden": (hidden, 0, 3),
        "bend": (bend, 0, 2),
        "spill": (spill, 0, 1),
        "keep": (keep, 0, 1),
        "noise": (noise, 0.1, 5),
    }
    for name, (value, low, high) in ranges.items():
        number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        if not number or not low <= value <= high:
            raise ValueError(f"{name}은(는) {low}에서 {high} 사이의 수여야 합니다: {value!r}")


def _ar(rng, shape, phi, sd):
    """표준편차가 ``sd``이고 앞 주를 ``phi``만큼 이어받는 움직임. 마지막 축이 주입니다."""
    steps = rng.normal(0.0, np.sqrt(1 - phi**2), shape)
    steps[..., 0] /= np.sqrt(1 - phi**2)
    return sd * lfilter([1.0], [1.0, -phi], steps, axis=-1)


def _lognormal(rng, size, mean, spread):
    """평균이 ``mean``이고 로그의 표준편차가 ``spread``인 로그정규 난수."""
    return mean * np.exp(spread * rng.normal(size=size) - spread**2 / 2)


def simulate(seed=719, cities=60, weeks=52, uneven=0.45, hidden=0.0, bend=0.0, spill=0.0, keep=1.0, noise=1.0):
    """도시 ``cities``곳의 ``weeks``주를 열의 이름 → 배열(도시와 주의 순서)로 만듭니다. 인자는 :func:`generate`와 같습니다."""
    _check(cities, weeks, uneven, hidden, bend, spill, keep, noise)
    rng = np.random.default_rng(seed)
    base = np.round(_lognormal(rng, cities, 700.0, 0.7) + 20, 0)
    slope = _lognormal(rng, cities, MEAN_SLOPE, uneven)
    other = _lognormal(rng, cities, MEAN_SLOPE, uneven)
    usual = 0.04 * base * np.exp(rng.normal(0.0, 0.2, cities))
    volatile = rng.uniform(0.03, 0.10, cities)

    season = _ar(rng, (weeks,), 0.8, 0.05)
    forecast = np.round(season + volatile[:, None] * _ar(rng, (cities, weeks), 0.7, 1.0), 3)
    surprise = noise * _ar(rng, (cities, weeks), 0.4, 0.035)
    drawn = np.zeros((cities, weeks), int)
    drawn[:, :LOTS], drawn[:, LOTS : 2 * LOTS] = 1, -1
    lot = rng.permuted(drawn, axis=1)

    peak = np.maximum(forecast, 0)
    plan = 0.8 * forecast + 0.6 * peak + hidden * surprise + rng.normal(0.0, 0.1, (cities, weeks))
    budget = np.round(usual[:, None] * np.exp(plan + np.log(STEP) * lot), 2)
    x = np.log(budget / usual[:, None])
    lift = slope[:, None] * (x - bend * x**2 / 2) * base[:, None]
    twin = np.arange(cities) ^ 1
    demand = 1 + forecast - 0.4 * peak + surprise
    bookings = base[:, None] * demand + lift - spill * lift[twin]

    def by_city(values):
        return np.repeat(values, weeks)

    return {
        "city_id": by_city(np.arange(1, cities + 1)),
        "week": np.tile(np.arange(1, weeks + 1), cities),
        "base": by_city(base.astype(int)),
        "forecast": forecast.ravel(),
        "lot": lot.ravel(),
        "budget": budget.ravel(),
        "bookings": np.round(bookings, 1).ravel(),
        "slope": by_city(np.round(keep * slope + (1 - keep) * other, 5)),
        "bend": np.full(cities * weeks, float(bend)),
        "spill": np.full(cities * weeks, float(spill)),
    }


def generate(seed=719, cities=60, weeks=52, uneven=0.45, hidden=0.0, bend=0.0, spill=0.0, keep=1.0, noise=1.0):
    """도시 ``cities``곳의 ``weeks``주를 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 도시의 성질과 수요와 제비를 모두 바꿉니다.
    cities, weeks : int
        도시의 수(10~200, 짝수)와 주의 수(20~200, 짝수).
    uneven : float
        도시마다 기울기가 다른 정도(로그의 표준편차, 0~1). 0이면 모두 같습니다.
    hidden : float
        계획팀이 예보에 없는 뜻밖의 수요를 알고 예산에 더하는 정도(0~3). 0이면 예보만 봅니다.
    bend : float
        로그보다 더 빨리 포화하는 정도(0~2). ``기울기 × {x - bend × x² / 2}``이고 x는 로그 예산의 변화입니다.
    spill : float
        이웃 도시가 예산을 올릴 때 운전자를 빼앗기는 몫(0~1, 이웃의 효과에 대한 비율).
    keep : float
        다음 분기에도 남아 있는 도시의 차이(0~1). 1이면 기울기가 그대로이고, 0이면 다른 도시의 것이 됩니다(평균은 같습니다).
    noise : float
        뜻밖의 수요의 크기(0.1~5, 기본값의 배수).

    Returns
    -------
    pandas.DataFrame
        도시와 주의 순서. ``slope``, ``bend``, ``spill``은 다음 분기의 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    return pd.DataFrame(
        simulate(
            seed=seed,
            cities=cities,
            weeks=weeks,
            uneven=uneven,
            hidden=hidden,
            bend=bend,
            spill=spill,
            keep=keep,
            noise=noise,
        )
    )
