"""열린 장터의 다섯 물음: 같은 파이프라인에 넣을 다섯 가지 자료입니다.

``world``가 자료의 꼴을 정합니다. "photo"는 판매자를 한 번씩 본 횡단 자료, "badge"는 한 날에 시작한 패널, "flagship"은 처치받은 곳이
하나인 패널, "rollout"은 시작이 엇갈린 패널입니다. 다섯째 물음은 "photo"의 자료에 ``exposure``(노출 점수)를 함께 넣는 것입니다.
노출 점수는 촬영 뒤에 정해지고, 기록에 없는 인기에도 움직입니다. 그래서 보정하면 없던 편향이 생깁니다(충돌부).
실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 2309, "world": "photo", "n": 4_000}

WORLDS = ("photo", "badge", "flagship", "rollout")
PHOTO = 20.0
"""사진 촬영이 늘리는 4주 매출의 평균(만 원). 상품이 많은 판매자에게서 더 큽니다."""
BADGE, FLAGSHIP = 15.0, 30.0
"""배지와 전용관이 늘리는 한 주 매출(만 원)."""
WEEKS, START = 40, 21
"""지켜본 주의 수와, "badge"와 "flagship"에서 처치가 시작된 주."""


def _check(world, n):
    if world not in WORLDS:
        raise ValueError(f"세상 world는 {', '.join(WORLDS)} 가운데 하나여야 합니다: {world!r}")
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or not 40 <= n <= 1_000_000:
        raise ValueError(f"판매자 수 n은 40에서 백만 사이의 정수여야 합니다: {n!r}")


def generate(seed=2309, world="photo", n=4_000):
    """자료 하나를 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    world : str
        "photo", "badge", "flagship", "rollout".
    n : int
        판매자 수(40~백만). 패널은 판매자마다 40주입니다.

    Returns
    -------
    pandas.DataFrame
        "photo"는 판매자의 순서로 한 행씩, 나머지는 판매자와 주의 순서. ``effect``(그 칸의 참 효과, 만 원)는 정답 열이고
        ``demand``(기록에 없는 인기)도 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(world, n)
    rng = np.random.default_rng(seed)
    if world == "photo":
        return _photo(rng, n)
    starts = {"badge": (START,), "flagship": (START,), "rollout": (15, 21, 27)}[world]
    return _panel(rng, n, world, starts)


def _photo(rng, n):
    years = rng.gamma(2.0, 1.8, n)
    items = np.exp(rng.normal(3.0, 0.7, n))
    rating = np.clip(rng.normal(4.3, 0.3, n), 1, 5)
    fashion = rng.binomial(1, 0.35, n)
    past = 60 + 25 * np.log(items) + 8 * years + 30 * fashion + rng.normal(0, 25, n)
    demand = rng.normal(0, 1, n)
    score = -1.2 + 0.018 * (past - 160) + 0.9 * fashion - 0.15 * (years - 3.6)
    photo = rng.binomial(1, 1 / (1 + np.exp(-score)))
    effect = PHOTO + 8 * (np.log(items) - 3.0)
    sales = (
        20
        + 0.7 * past
        + 10 * np.sqrt(items)
        + 40 * (rating - 4.3)
        + 18 * demand
        + photo * effect
        + rng.normal(0, 25, n)
    )
    exposure = 50 + 9 * photo + 9 * demand + rng.normal(0, 5, n)
    asks = 30 + 0.15 * past + 6 * demand + rng.normal(0, 8, n)
    return pd.DataFrame(
        {
            "seller_id": np.arange(1, n + 1),
            "years": np.round(years, 2),
            "items": np.round(items, 1),
            "rating": np.round(rating, 2),
            "fashion": fashion,
            "past_sales": np.round(past, 1),
            "past_inquiries": np.round(asks, 1),
            "photo": photo,
            "exposure": np.round(exposure, 1),
            "sales": np.round(sales, 1),
            "demand": np.round(demand, 3),
            "effect": np.round(effect, 3),
        }
    )


def _panel(rng, n, world, starts):
    week = np.arange(1, WEEKS + 1)
    level = rng.normal(150, 40, n)
    if world == "flagship":
        chosen = np.zeros(n, bool)
        chosen[0] = True
        first = np.where(chosen, starts[0], np.nan)
    else:
        chosen = rng.random(n) < np.where(level > 150, 0.45, 0.15)
        first = np.where(chosen, rng.choice(starts, n), np.nan)
    loads = rng.normal(1.0, 0.5, (n, 2))
    flows = np.cumsum(rng.normal(0, 3.0, (WEEKS, 2)), axis=0)
    common = 12 * np.sin(2 * np.pi * week / 26) + np.cumsum(rng.normal(0, 3, WEEKS))
    noise = np.zeros((n, WEEKS))
    shake = 6.0 if world == "flagship" else 15.0
    for t in range(WEEKS):
        noise[:, t] = (0.4 * noise[:, t - 1] if t else 0) + rng.normal(0, shake, n)
    since = week - np.nan_to_num(first, nan=999)[:, None]
    on = since >= 0
    if world == "badge":
        effect = on * BADGE
    elif world == "flagship":
        effect = on * FLAGSHIP
    else:
        effect = on * 2.0 * np.minimum(since + 1, 12)  # 한 주에 2만 원씩 자라 24만 원에서 멈춥니다
    base = level[:, None] + common + noise + (loads @ flows.T if world == "flagship" else 0)
    return pd.DataFrame(
        {
            "seller_id": np.repeat(np.arange(1, n + 1), WEEKS),
            "week": np.tile(week, n),
            "first_week": np.repeat(first, WEEKS),
            "on": on.astype(int).ravel(),
            "sales": np.round((base + effect).ravel(), 1),
            "effect": np.round(effect.astype(float).ravel(), 3),
        }
    )
