"""온라인 상점의 가격 데이터: 한 행이 제품 하나의 1주입니다.

가격 시스템은 팔릴 주에 값을 올리고, 안 팔릴 제품에 행사를 겁니다. 그래서 값이 오른 주에 많이 팔립니다. 매입가가 오르면 절반만 값에
옮깁니다. 값은 찾아오는 손님(방문)과 사는 비율을 모두 바꿉니다. 제품마다 탄력성이 다르며, 비슷한 제품이 많을수록 값에 민감합니다.
``hidden``은 세상을 바꿉니다. "buzz"는 기록되지 않은 소문이 값과 수요를 함께 올리고, "cost"는 매입가가 수요와 함께 오릅니다.
``shape``이 "wall"이면 평소보다 6% 넘게 비싸지는 곳부터 수요가 더 가파르게 줄어듭니다. ``traffic``은 방문의 배수라서,
작게 두면 항공편 하루의 예약처럼 한 주에 몇 개만 팔립니다. 실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 2307, "n": 120, "hidden": "none", "shape": "smooth", "traffic": 1.0}

WEEKS = 52
KINDS = ("부속", "주방", "침구", "충전기")
BASE = np.array([-1.1, -1.6, -2.1, -2.7])
"""비슷한 제품이 없을 때 유형마다의 탄력성."""
VISIT_SHARE = 0.35
"""탄력성 가운데 찾아오는 손님이 달라지는 몫."""
HIDDEN = ("none", "buzz", "cost")
SHAPES = ("smooth", "wall")
WALL = 0.06
"""평소 값보다 이만큼(로그) 비싸지면 벽에 닿습니다."""
WALL_SLOPE = 4.0
DEMAND_NOISE = 0.15


def _check(n, hidden, shape, traffic):
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 20 or n % 20 or n > 100_000:
        raise ValueError(f"제품 수 n은 20의 배수이고 20에서 10만 사이여야 합니다: {n!r}")
    if not isinstance(hidden, str) or hidden not in HIDDEN:
        raise ValueError(f"hidden은 {', '.join(HIDDEN)} 가운데 하나여야 합니다: {hidden!r}")
    if not isinstance(shape, str) or shape not in SHAPES:
        raise ValueError(f"shape은 {', '.join(SHAPES)} 가운데 하나여야 합니다: {shape!r}")
    number = isinstance(traffic, (int, float, np.number)) and not isinstance(traffic, bool)
    if not number or not 0.001 <= traffic <= 100:  # NaN도 여기서 걸립니다
        raise ValueError(f"방문의 배수 traffic은 0.001에서 100 사이의 수여야 합니다: {traffic!r}")


def _persistent(rng, n, keep, sd):
    """제품마다 52주 이어지는 1차 자기회귀(표준편차 sd)"""
    x = rng.normal(size=(n, WEEKS))
    for t in range(1, WEEKS):
        x[:, t] = keep * x[:, t - 1] + np.sqrt(1 - keep**2) * x[:, t]
    return sd * x


def _wall(above, shape):
    return WALL_SLOPE * np.maximum(above - WALL, 0) * (shape == "wall")


def units_at(frame, change, shape="smooth"):
    """값을 로그로 ``change``만큼 옮겼을 때의 기대 판매(개/주)를 정답 열에서 계산합니다.

    Parameters
    ----------
    frame : pandas.DataFrame or numpy.recarray
        :func:`generate`의 표(정답 열을 포함)나 그것을 바꾼 구조 배열.
    change : float or array
        로그 값의 변화. 스칼라이거나 행마다 하나.
    shape : {"smooth", "wall"}
        자료를 만든 때의 ``shape``.

    Returns
    -------
    numpy.ndarray
        행마다의 기대 판매.
    """
    above = np.asarray(frame["markup_log"])
    extra = _wall(above + change, shape) - _wall(above, shape)
    smooth = np.asarray(frame["elasticity"]) + WALL_SLOPE * ((above > WALL) & (shape == "wall"))
    return np.asarray(frame["expected"]) * np.exp(smooth * change - extra)


def generate(seed=2307, n=120, hidden="none", shape="smooth", traffic=1.0):
    """제품 n개의 52주 값, 매입가, 방문, 판매를 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        제품 수(20의 배수). 네 유형이 같은 수이고, 제품의 특성은 씨앗이 바뀌어도 같습니다.
    hidden : {"none", "buzz", "cost"}
        기록되지 않은 소문이 값을 정하는 세상, 매입가가 수요와 함께 오르는 세상.
    shape : {"smooth", "wall"}
        탄력성이 값과 상관없이 같은 수요, 비싸지면 가팔라지는 수요.
    traffic : float
        방문의 배수(0.001에서 100).

    Returns
    -------
    pandas.DataFrame
        제품×주가 한 행이고 제품, 주의 차례로 늘어놓습니다. ``buzz``, ``markup_log``, ``elasticity``, ``expected``는 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, hidden, shape, traffic)
    rng = np.random.default_rng(seed)
    product, week = np.arange(n), np.arange(WEEKS)
    kind, rivals = product % 4, product // 4 * 7 % 16
    slope = (BASE[kind] - 0.7 * rivals / (rivals + 4))[:, None]

    season = 0.2 * np.sin(2 * np.pi * (week / WEEKS - kind[:, None] / 4))
    forecast = _persistent(rng, n, 0.6, 1.0)
    hot = np.maximum(forecast - 0.5, 0)
    promo = (rng.random((n, WEEKS)) < 1 / (1 + np.exp(2.0 + 0.5 * forecast))).astype(int)
    cost_move, buzz = _persistent(rng, n, 0.8, 0.06), _persistent(rng, n, 0.6, 1.0) * (hidden == "buzz")

    above = 0.015 * forecast + 0.05 * hot - 0.08 * promo + 0.05 * season + 0.5 * cost_move + 0.015 * buzz
    above += _persistent(rng, n, 0.5, 0.03)
    pull = 0.10 * forecast + 0.20 * hot + 0.20 * promo + season + 0.08 * buzz + 0.5 * cost_move * (hidden == "cost")

    usual = np.exp(rng.normal(np.log(30), 0.4, n))[:, None]
    price = np.round(usual * np.exp(above), 2)
    unit_cost = np.round(usual * np.clip(rng.normal(0.58, 0.03, n), 0.45, 0.7)[:, None] * np.exp(cost_move), 2)
    arrivals = traffic * np.exp(rng.normal(np.log(2_500), 0.35, n))[:, None]
    taken = np.exp(rng.normal(np.log(0.04), 0.2, n))[:, None]
    mean_visits = arrivals * np.exp(pull + VISIT_SHARE * slope * above)
    chance = np.minimum(taken * np.exp((1 - VISIT_SHARE) * slope * above - _wall(above, shape)), 0.9)
    visits = rng.poisson(mean_visits * np.exp(_persistent(rng, n, 0.5, DEMAND_NOISE)))
    units = rng.binomial(visits, chance)

    full = np.ones((n, WEEKS))
    local = slope - WALL_SLOPE * ((above > WALL) & (shape == "wall"))
    columns = {
        "product_id": (product + 1)[:, None] * full.astype(int),
        "week": (week + 1) * full.astype(int),
        "category": np.broadcast_to(np.array(KINDS, object)[kind][:, None], full.shape),
        "rivals": rivals[:, None] * full.astype(int),
        "forecast": np.round(forecast, 3),
        "promo": promo,
        "unit_cost": unit_cost,
        "price": price,
        "visits": visits,
        "units": units,
        "buzz": np.round(buzz, 3) + 0.0,
        "markup_log": np.round(above, 5),
        "elasticity": np.round(local * full, 5),
        "expected": np.round(mean_visits * chance * np.exp(DEMAND_NOISE**2 / 2), 5),
    }
    return pd.DataFrame({name: value.ravel() for name, value in columns.items()})
