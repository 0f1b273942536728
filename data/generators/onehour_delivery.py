"""1시간 배송 데이터: 한 행이 한 권역의 한 주입니다.

새벽배송을 하던 식료품 회사가 주문이 빨리 크는 권역 몇 곳에 도심 창고를 열고 1시간 배송을 시작합니다. 권역의 주문은 높이,
함께 겪는 성장과 계절, 잡음의 합입니다. 성장과 계절을 겪는 세기는 권역마다 다릅니다. 창고를 열 곳은 성장이 빠르다고 본
권역 가운데서 골랐으므로 나머지 권역과 추세가 나란하지 않습니다. 실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 909, "n": 60, "treated": 4, "before": 48, "after": 12}
PEAK = 5.5  # 효과가 다 자랐을 때의 크기(천 가구당 주문)
SPREAD = 0.3  # 창고 연 권역마다의 효과 차이


def _count(name, value, low, high=None):
    if (
        not isinstance(value, (int, np.integer))
        or isinstance(value, bool)
        or value < low
        or (high is not None and value > high)
    ):
        span = f"{low} 이상" if high is None else f"{low} 이상 {high} 이하"
        raise ValueError(f"{name}은(는) {span}의 정수여야 합니다: {value!r}")


def _amount(name, value, low, high):
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not low <= value <= high:
        raise ValueError(f"{name}은(는) {low}와 {high} 사이의 수여야 합니다: {value!r}")


def generate(
    seed=909,
    n=60,
    treated=4,
    before=48,
    after=12,
    effect=1.0,
    noise=1.0,
    memory=0.3,
    favour=0.3,
    bend=0.0,
    lift=0.0,
    shock=0.0,
    treated_noise=1.0,
    pool=None,
):
    """권역 n곳의 주별 주문과 정답을 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n, treated : int
        권역의 수와 창고를 연 권역의 수. 열 곳이나 권역의 3분의 1을 넘으면 받지 않습니다.
    before, after : int
        창고를 열기 전과 뒤의 주 수.
    effect : float
        효과에 곱하는 수. 0이면 효과가 없습니다.
    noise : float
        권역마다 따로 오는 주별 잡음의 표준편차(천 가구당 주문).
    memory : float
        잡음의 자기상관(0 이상 1 미만).
    favour : float
        성장이 빠른 곳을 고르는 세기. 0이면 무작위로 고릅니다.
    bend : float
        성장의 세기가 클수록 나중에 더 크게 뛰는 휘어짐. 0이면 모든 권역이 같은 요인을 겪습니다.
    lift : float
        창고 연 권역의 높이에 더하는 값(천 가구당 주문). 크면 다른 권역의 가중 평균으로 닿지 못합니다.
    shock : float
        창고 연 곳과 가장 닮은 대조 권역 두 곳에, 연 뒤에 닥치는 따로 난 충격(천 가구당 주문).
    treated_noise : float
        창고 연 권역의 잡음에 곱하는 수.
    pool : int or None
        창고 자리를 뽑을 후보의 수. None이면 권역의 4분의 1입니다. treated와 같고 favour가 크면 성장만 보고 고른 것입니다.

    Returns
    -------
    pandas.DataFrame
        권역과 주가 한 행. 권역 번호, 주 번호의 차례입니다. ``orders_0``과 ``effect``는 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _count("권역 수 n", n, 12)
    _count("창고를 연 권역 수 treated", treated, 1, min(10, n // 3))
    _count("연 전의 주 수 before", before, 4)
    _count("연 뒤의 주 수 after", after, 2)
    for name, value, low, high in [("effect", effect, -10, 10), ("noise", noise, 0, 50), ("favour", favour, 0, 10), ("bend", bend, -5, 5),
                                   ("lift", lift, -100, 100), ("shock", shock, -100, 100), ("treated_noise", treated_noise, 0, 10)]:  # fmt: skip
        _amount(name, value, low, high)
    if pool is not None:
        _count("후보의 수 pool", pool, treated, n)
    if isinstance(memory, bool) or not isinstance(memory, (int, float, np.number)) or not 0 <= memory < 1:
        raise ValueError(f"memory는 0 이상 1 미만의 수여야 합니다: {memory!r}")

    rng = np.random.default_rng(seed)
    weeks = before + after
    young = np.clip(rng.normal(30, 7, n), 10, 55)  # 젊은 1인 가구의 비율(%)
    growth = np.clip(8 + 0.45 * (young - 30) + rng.normal(0, 2.5, n), 0, None)  # 성장을 겪는 세기
    season = rng.normal(4, 1.5, n)  # 계절을 겪는 세기
    level = 45 + 0.5 * (young - 30) + rng.normal(0, 8, n)

    # 창고 자리: 성장이 빠르다고 본 상위 후보(보통은 4분의 1) 가운데서 뽑습니다.
    candidates = np.argsort(-(favour * growth + rng.normal(0, 2.0, n)), kind="stable")[
        : max(n // 4, treated) if pool is None else pool
    ]
    opened = np.zeros(n, bool)
    opened[rng.choice(candidates, treated, replace=False)] = True

    t = np.arange(1, weeks + 1)
    trend = (t / before) ** 1.3 + np.cumsum(rng.normal(0, 0.03, weeks))
    wave = np.cos(2 * np.pi * t / 52) + rng.normal(0, 0.35, weeks)
    common = np.cumsum(rng.normal(0, 0.5, weeks))

    scale = np.where(opened, treated_noise, 1.0)[:, None] * noise
    fresh = rng.normal(0, 1, (n, weeks))
    error = fresh.copy()
    for k in range(1, weeks):
        error[:, k] = memory * error[:, k - 1] + np.sqrt(1 - memory**2) * fresh[:, k]
    quiet = level[:, None] + growth[:, None] * trend + season[:, None] * wave + common
    late = np.clip(t - before, 0, None) / after
    quiet = quiet + bend * ((growth - 8) ** 2 / 8)[:, None] * late + lift * opened[:, None]
    if shock:
        distance = np.abs(growth - growth[opened].mean()) + np.where(opened, np.inf, 0)
        hit = np.argsort(distance, kind="stable")[:2]
        quiet[hit, before:] += shock
    orders_0 = np.round(np.clip(quiet + scale * error, 0, None), 2)  # 주문은 0보다 적을 수 없습니다

    size = np.zeros(n)
    size[opened] = 1 + SPREAD * np.linspace(-1, 1, treated) if treated > 1 else 1.0
    ramp = np.where(t > before, 1 - np.exp(-(t - before) / 3), 0)
    gain = np.round(effect * PEAK * size[:, None] * ramp, 2)
    rival = (
        30
        + 0.8 * growth[:, None] * trend
        + 0.6 * season[:, None] * wave
        + rng.normal(0, 2, (n, weeks))
        + rng.normal(0, 4, n)[:, None]
        - 0.5 * gain
    )
    region, week = np.repeat(np.arange(1, n + 1), weeks), np.tile(t, n)
    return pd.DataFrame(
        {
            "region": region,
            "week": week,
            "opened": np.repeat(opened.astype(int), weeks),
            "after": (week > before).astype(int),
            "orders": np.round(orders_0 + gain, 2).ravel(),
            "rival": np.round(rival, 1).ravel(),
            "young": np.repeat(np.round(young, 1), weeks),
            "orders_0": orders_0.ravel(),
            "effect": gain.ravel(),
        }
    )
