"""비싼 시험 로트 데이터: 한 행이 경화로에 넣은 시험 로트 하나입니다.

지금 설정으로 네 로트를 돌린 뒤 탐색 로트의 온도와 시간을 하나씩 고릅니다. 탐색이 끝나면 가장 좋아 보이는 설정과 지금 설정을
짝지어 확인하며, 무작위로 정한 절반의 짝에서 새 설정을 먼저 돌립니다. ``design``은 탐색 로트를 고르는 방법입니다. "sequential"은
가우스 과정의 사후평균과 사후표준편차를 보고 다음 로트를 정하고, "target"은 공급사 설정과 지금 설정의 차이가 가장 정확해지는 로트를 고릅니다.
``surface``는 설정과 수율의 참 관계, ``drift``는 로트가 하나 지날 때마다 설정과 무관하게 오르는 수율, ``hot``은 뜨거운 설정일수록
로트의 표준편차가 커지는 정도, ``carry``는 앞 로트의 설정이 다음 로트에 남는 몫입니다. 실제 공장의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd
from scipy.stats import qmc

DEFAULTS = {
    "seed": 4017,
    "search": 24,
    "pairs": 8,
    "design": "sequential",
    "surface": "smooth",
    "drift": 0.0,
    "hot": 0.0,
    "carry": 0.0,
}

TEMPERATURE = np.arange(150, 191, 5)
"""경화 온도의 수준(°C)."""
MINUTES = np.arange(30, 71, 5)
"""경화 시간의 수준(분)."""
GRID = np.array([(a, b) for a in TEMPERATURE for b in MINUTES], float)
"""시험할 수 있는 설정 여든한 개. 열은 온도(°C)와 시간(분)."""
CURRENT, SUPPLIER = (160.0, 40.0), (170.0, 45.0)
"""지금 설정과 공급사가 권한 설정(°C, 분)."""
NOW, ADVISED = (int(np.flatnonzero((GRID == point).all(axis=1))[0]) for point in (CURRENT, SUPPLIER))
START = 4
"""탐색을 시작할 때 지금 설정으로 돌리는 로트의 수."""
USUAL, NOISE, LEVEL, SWING, REACH = 85.0, 1.5, 10.0, 3.0, 15.0
"""탐색 전에 정해 둔 가우스 과정: 지난해의 평균 수율(%), 로트의 표준편차, 전체 높이와 설정 차이의 표준편차(%p), 닮음의 거리(°C, 분)."""
COVARIANCE = LEVEL**2 + SWING**2 * np.exp(-0.5 * (((GRID[:, None] - GRID) / REACH) ** 2).sum(axis=2))
DESIGNS = ("sequential", "random", "space", "target")
SURFACES = ("smooth", "narrow", "flat")


def true_yield(surface="smooth"):
    """설정 여든한 개의 참 평균 수율(%). ``surface``의 뜻은 :func:`generate`와 같습니다."""
    temperature, minutes = GRID.T
    if surface == "flat":
        return np.full(len(GRID), USUAL)
    if surface == "narrow":
        return USUAL + 5.5 * np.exp(-(((temperature - 175) / 6) ** 2 + ((minutes - 55) / 7) ** 2) / 2)
    u, v = (temperature - 172) / 14, (minutes - 52) / 16
    return 75.5 + 14.6 * np.exp(-(u**2 + v**2 + 0.8 * u * v) / 4.2) - 2.5 * np.maximum(0, u + v - 0.8) ** 2


def _check(search, pairs, design, surface, drift, hot, carry):
    for name, value, low, high in [("search", search, START + 1, 200), ("pairs", pairs, 2, 100)]:
        if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"{name}은(는) {low}에서 {high} 사이의 정수여야 합니다: {value!r}")
    for name, value, allowed in [("design", design, DESIGNS), ("surface", surface, SURFACES)]:
        if not isinstance(value, str) or value not in allowed:
            raise ValueError(f"{name}은(는) {', '.join(allowed)} 가운데 하나여야 합니다: {value!r}")
    for name, value, low, high in [("drift", drift, -0.1, 0.1), ("hot", hot, 0.0, 1.0), ("carry", carry, 0.0, 0.5)]:
        number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        if not number or not low <= value <= high:
            raise ValueError(f"{name}은(는) {low}에서 {high} 사이의 수여야 합니다: {value!r}")


def _posterior(tried, yields):
    """시험한 설정의 번호와 수율에서 구한 설정마다의 사후평균(%)과 사후표준편차(%p)."""
    across = COVARIANCE[tried]
    weights = np.linalg.solve(across[:, tried] + NOISE**2 * np.eye(len(tried)), across)
    spread = COVARIANCE.diagonal() - (across * weights).sum(axis=0)
    return USUAL + (np.asarray(yields) - USUAL) @ weights, np.sqrt(spread)


def _sharpest(tried):
    """한 로트를 더 돌릴 때 공급사 설정과 지금 설정의 차이의 사후분산을 가장 많이 줄이는 설정의 번호."""
    across = COVARIANCE[tried]
    weights = np.linalg.solve(across[:, tried] + NOISE**2 * np.eye(len(tried)), across)
    left = COVARIANCE - across.T @ weights
    return int(((left[:, ADVISED] - left[:, NOW]) ** 2 / (left.diagonal() + NOISE**2)).argmax())


def generate(seed=4017, search=24, pairs=8, design="sequential", surface="smooth", drift=0.0, hot=0.0, carry=0.0):
    """탐색 로트와 확인 로트의 기록을 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    search : int
        탐색 로트의 수(5~200). 앞의 넷은 지금 설정입니다.
    pairs : int
        확인할 짝의 수(2~100). 짝마다 두 로트입니다.
    design : {"sequential", "random", "space", "target"}
        탐색 로트를 고르는 방법: 차례로, 무작위로, 고르게 채워서, 공급사 설정의 효과를 겨누어.
    surface : {"smooth", "narrow", "flat"}
        설정과 평균 수율의 참 관계: 완만한 봉우리, 좁은 봉우리, 어느 설정에서나 같음.
    drift : float
        로트가 하나 지날 때마다 오르는 수율(-0.1~0.1%p).
    hot : float
        로트의 표준편차가 160°C보다 30°C 뜨거울 때 늘어나는 비율(0~1).
    carry : float
        로트의 평균 수율에 앞 로트 설정의 평균 수율이 남는 몫(0~0.5). 시험 전에는 지금 설정으로 돌리고 있었습니다.

    Returns
    -------
    pandas.DataFrame
        로트 하나가 한 행. ``true_yield``는 정답 열이고, 흐름과 앞 로트의 흔적과 로트의 오차를 뺀 그 설정의 평균 수율(%)입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(search, pairs, design, surface, drift, hot, carry)
    rng = np.random.default_rng(seed)
    mean = true_yield(surface)
    spread = NOISE * np.maximum(1 + hot * (GRID[:, 0] - CURRENT[0]) / 30, 0.2)
    error = rng.normal(size=search + 2 * pairs)
    new_first = rng.permutation(np.arange(pairs) % 2 == 0)
    ahead = rng.integers(0, len(GRID), search)
    if design == "space":
        filled = qmc.Halton(2, rng=rng).random(search)
        ahead = (filled * [len(TEMPERATURE), len(MINUTES)]).astype(int) @ [len(MINUTES), 1]

    settings, yields = [], []

    def run(setting):
        k, before = len(settings), settings[-1] if settings else NOW
        settings.append(int(setting))
        yields.append(
            round(
                min(
                    max(
                        float(
                            mean[setting]
                            + carry * (mean[before] - mean[setting])
                            + drift * k
                            + spread[setting] * error[k]
                        ),
                        0.0,
                    ),
                    100.0,
                ),
                2,
            )
        )

    for k in range(search):
        if k < START:
            run(NOW)
        elif design == "sequential":
            height, doubt = _posterior(settings, yields)
            run((height + 2 * doubt).argmax())
        elif design == "target":
            run(_sharpest(settings))
        else:
            run(ahead[k])
    height = _posterior(settings, yields)[0]
    height[NOW] = -np.inf
    best = int(height.argmax())
    for first in new_first:
        for setting in (best, NOW) if first else (NOW, best):
            run(setting)

    return pd.DataFrame(
        {
            "lot": np.arange(1, search + 2 * pairs + 1),
            "phase": np.repeat(["탐색", "확인"], [search, 2 * pairs]),
            "pair": np.concatenate([np.zeros(search, int), np.repeat(np.arange(1, pairs + 1), 2)]),
            "temperature": GRID[settings, 0].astype(int),
            "minutes": GRID[settings, 1].astype(int),
            "yield_pct": yields,
            "true_yield": np.round(mean[settings], 4),
        }
    )
