"""물류 대행에 들어간 판매자의 데이터: 한 행이 판매자 하나의 한 달입니다.

플랫폼은 첫 여섯 달의 매출 수준과 성장을 보고 판매자를 초대하고, 가입한 판매자는 8, 10, 12월 가운데 한 달에 들어옵니다.
로그 매출은 판매자의 수준, 저마다의 성장, 품목의 달마다의 물결, 한 달 앞과 이어지는 우연으로 움직입니다.
가입하면 그달부터 매출이 늘고, 바로 앞 달에는 창고를 비우려고 할인해 팔아 매출이 먼저 늡니다.
같은 시장의 가입하지 않은 판매자는 가입한 판매자가 늘린 매출의 일부를 빼앗깁니다.
숫자는 모두 만든 것이고 실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 2022, "markets": 80, "sellers": 15}

MONTHS, REVIEW = 14, 6
"""본 달의 수와, 플랫폼이 초대할 판매자를 고르며 본 앞의 달."""
WAVES = np.array([8, 10, 12])
"""가입을 받은 달."""
CATEGORIES = ("화장품", "생활용품", "식품", "소형가전")
LIFT = np.array([0.40, 0.34, 0.28, 0.18])
"""수준이 품목의 가운데인 판매자의 효과(로그)."""
TYPICAL = np.log([1800.0, 1500.0, 1200.0, 2500.0])
"""품목마다 가운데 판매자의 한 달 매출(만 원, 로그)."""
SPREAD, GROWTH, TREND, NOISE, MEMORY = 0.8, 0.03, 0.01, 0.15, 0.4
"""수준의 표준편차, 한 달 성장의 표준편차, 모두의 한 달 성장, 우연의 표준편차와 이어지는 정도."""
SMALLER = 0.08
"""수준이 1 표준편차 클 때 효과가 줄어드는 크기(로그)."""


def _check(markets, sellers, lift, pick, plan, hurry, sale, lead, rival):
    for name, value, low, high in [("markets", markets, 8, 400), ("sellers", sellers, 5, 200), ("lead", lead, 0, 3)]:
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not whole or not low <= value <= high or (name == "markets" and value % 4):
            raise ValueError(f"{name}은(는) {low}에서 {high} 사이의 정수(시장은 4의 배수)여야 합니다: {value!r}")
    ranges = {
        "lift": (lift, 0, 2),
        "pick": (pick, 0, 2),
        "plan": (plan, 0, 2),
        "hurry": (hurry, 0, 2),
        "sale": (sale, -0.5, 0.5),
        "rival": (rival, 0, 1),
    }
    for name, (value, low, high) in ranges.items():
        number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        if not number or not low <= value <= high:
            raise ValueError(f"{name}은(는) {low}에서 {high} 사이의 수여야 합니다: {value!r}")


def _standard(x):
    return (x - x.mean()) / x.std()


def paths(seed=2022, markets=80, sellers=15, lift=1.0, pick=0.9, plan=0.0, hurry=0.0, sale=0.10, lead=1, rival=0.6):
    """판매자마다의 달을 행렬로 만듭니다. 인자는 ``generate``와 같습니다.

    Returns
    -------
    dict
        ``market``, ``category``, ``start``(판매자 수, 가입하지 않으면 99), ``sales``, ``sales_alone``, ``sales_none``(판매자, 14; 만 원).
    """
    _check(markets, sellers, lift, pick, plan, hurry, sale, lead, rival)
    rng = np.random.default_rng(seed)
    n, months = markets * sellers, np.arange(1, MONTHS + 1)
    market = np.repeat(np.arange(markets), sellers)
    category = market % len(CATEGORIES)
    alpha, growth, hidden = rng.normal(0, SPREAD, n), rng.normal(0, GROWTH, n), rng.normal(0, 1, n)
    wave = rng.normal(0, 0.05, (len(CATEGORIES), MONTHS))
    steps = rng.normal(0, 1, (n, MONTHS))
    u = np.empty((n, MONTHS))
    u[:, 0] = NOISE * steps[:, 0]
    for t in range(1, MONTHS):
        u[:, t] = MEMORY * u[:, t - 1] + NOISE * np.sqrt(1 - MEMORY**2) * steps[:, t]
    later = np.maximum(months - REVIEW, 0)
    quiet = (TYPICAL[category] + alpha)[:, None] + np.outer(TREND + growth, months - 3.5) + wave[category] + u
    quiet += GROWTH * np.outer(hidden, later) * (plan > 0)

    level = _standard(quiet[:, :REVIEW].mean(axis=1) - TYPICAL[category])
    rise = _standard(quiet[:, 3:REVIEW].mean(axis=1) - quiet[:, :3].mean(axis=1))
    score = -0.9 + 0.5 * level + pick * rise + plan * hidden
    joined = rng.random(n) < 1 / (1 + np.exp(-score))
    turn = np.minimum((rng.random(n) * 3).astype(int), 2)
    rush = rng.random(n) < hurry * (0.5 + 0.5 * np.tanh(rise)) / 2
    start = np.where(joined, WAVES[np.where(rush, 0, turn)], 99)

    on = months >= start[:, None]
    soon = (months >= start[:, None] - lead) & ~on
    effect = np.maximum(LIFT[category] - SMALLER * alpha / SPREAD, 0) * lift
    none = np.exp(quiet)
    gain = none * np.expm1(effect)[:, None] * on
    total = np.add.reduceat(none, np.arange(0, n, sellers))
    won = np.add.reduceat(gain, np.arange(0, n, sellers))
    others = (won[market] - gain) / total[market]
    alone = none / (1 + rival * others)
    sales = np.where(on, none * np.exp(effect)[:, None], alone * np.exp(sale * soon))
    return {
        "market": market + 1,
        "category": category,
        "start": start,
        "sales": np.round(sales, 1),
        "sales_alone": np.round(alone, 1),
        "sales_none": np.round(none, 1),
    }


def generate(seed=2022, markets=80, sellers=15, lift=1.0, pick=0.9, plan=0.0, hurry=0.0, sale=0.10, lead=1, rival=0.6):
    """시장 ``markets``곳에 판매자 ``sellers``명씩, 열네 달을 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗.
    markets, sellers : int
        시장의 수(8~400, 4의 배수)와 시장마다의 판매자(5~200).
    lift : float
        효과의 배수(0~2). 0이면 가입해도 매출이 늘지 않습니다.
    pick : float
        기록된 성장이 초대를 움직이는 정도(0~2).
    plan : float
        기록에 없는 7월 뒤의 성장 계획이 초대를 움직이는 정도(0~2). 0이면 그런 계획이 없습니다.
    hurry : float
        기록된 성장이 빠른 판매자가 8월에 몰리는 정도(0~2).
    sale, lead : float, int
        가입 앞의 할인으로 느는 매출(로그, -0.5~0.5)과 그 달의 수(0~3).
    rival : float
        시장의 늘어난 매출이 가입하지 않은 판매자를 누르는 정도(0~1).

    Returns
    -------
    pandas.DataFrame
        판매자와 달의 순서. ``sales``는 매출(만 원/월), ``sales_alone``은 그 판매자만 가입하지 않았을 때, ``sales_none``은 아무도 가입하지 않았을 때의 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    made = paths(seed, markets, sellers, lift, pick, plan, hurry, sale, lead, rival)
    n = len(made["start"])
    start = np.where(made["start"] == 99, np.nan, made["start"])
    return pd.DataFrame(
        {
            "seller_id": np.repeat(np.arange(1, n + 1), MONTHS),
            "market": np.repeat(made["market"], MONTHS),
            "category": pd.Categorical.from_codes(np.repeat(made["category"], MONTHS), CATEGORIES),
            "month": np.tile(np.arange(1, MONTHS + 1), n),
            "join_month": np.repeat(start, MONTHS),
            "joined": (np.tile(np.arange(1, MONTHS + 1), n) >= np.repeat(made["start"], MONTHS)).astype(int),
            "sales": made["sales"].ravel(),
            "sales_alone": made["sales_alone"].ravel(),
            "sales_none": made["sales_none"].ravel(),
        }
    )
