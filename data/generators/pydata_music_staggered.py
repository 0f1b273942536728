"""노래와 드라마 데이터: 한 행이 노래 한 곡의 한 주입니다.

노래의 절반 가까이가 15주에서 49주 사이에 드라마에 처음 쓰입니다. 쓰이는 주는 노래마다 다릅니다. 옛 노래는 효과가 크고 새 노래는 작습니다.
효과의 모양 ``shape``는 셋입니다. "grow"는 열세 주에 걸쳐 자라고, "fade"는 크게 뛰었다가 사그라지며, "none"은 효과가 없습니다.
``trend``가 0보다 크면 쓰일 노래가 쓰이기 전부터 더 빨리 자랍니다(평행 추세가 깨집니다). ``trailer``는 예고편처럼 쓰이기 전에 미리 나타나는 주의 수입니다.
실제 음원 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 914, "n": 400, "shape": "fade", "trend": 0.0, "trailer": 0}

WEEKS = 60
"""지켜본 주의 수."""
FIRST, LAST = 15, 49
"""처음 쓰이는 주의 범위."""
SHARE = 0.45
"""드라마에 쓰이는 노래의 몫."""
SHAPES = ("grow", "fade", "none")


def effect_path(shape, weeks_since):
    """쓰인 뒤 ``weeks_since``주째의 평균 효과(로그). 쓰이기 전(음수)이면 0입니다.

    Parameters
    ----------
    shape : {"grow", "fade", "none"}
    weeks_since : array_like of int
        쓰인 주가 0입니다.

    Returns
    -------
    numpy.ndarray
        모양은 ``weeks_since``와 같고 단위는 로그 재생 수입니다.
    """
    k = np.asarray(weeks_since, float)
    after = {"grow": 0.02 * np.minimum(k + 1, 13), "fade": 0.25 * np.exp(-np.maximum(k, 0) / 6), "none": 0.0 * k}[shape]
    return np.where(k >= 0, after, 0.0)


def _check(n, shape, trend, trailer):
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 40:
        raise ValueError(f"노래 수 n은 40 이상의 정수여야 합니다: {n!r}")
    if not isinstance(shape, str) or shape not in SHAPES:
        raise ValueError(f"효과의 모양 shape는 {', '.join(SHAPES)} 가운데 하나여야 합니다: {shape!r}")
    if isinstance(trend, bool) or not isinstance(trend, (int, float, np.number)) or not 0 <= trend <= 0.05:
        raise ValueError(f"쓰일 노래의 추세 trend는 0에서 0.05 사이(로그/주)여야 합니다: {trend!r}")
    if not isinstance(trailer, (int, np.integer)) or isinstance(trailer, bool) or not 0 <= trailer <= 6:
        raise ValueError(f"미리 나타나는 주 trailer는 0에서 6 사이의 정수여야 합니다: {trailer!r}")


def generate(seed=914, n=400, shape="fade", trend=0.0, trailer=0):
    """노래 n곡의 60주 기록과 쓰이지 않았을 때의 재생 수를 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        노래 수(40 이상). 행은 60n개입니다.
    shape : {"grow", "fade", "none"}
        효과가 시간에 따라 움직이는 모양.
    trend : float
        쓰일 노래가 한 주에 더 자라는 로그 재생 수(0~0.05). 쓰이는 주에 멈춥니다.
    trailer : int
        쓰이기 전 몇 주부터 효과의 절반이 미리 나타나는지(0~6).

    Returns
    -------
    pandas.DataFrame
        노래와 주의 순서. ``log_streams``는 주간 재생 수의 자연로그입니다. 쓰이지 않은 노래의 ``first_week``는 비어 있습니다.
        ``effect``와 ``log_streams_0``은 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, shape, trend, trailer)
    rng = np.random.default_rng(seed)
    old = rng.binomial(1, 0.5, n)
    fame = rng.normal(12.0 + 0.3 * old, 0.8, n)
    # 편집자는 이미 인기 있는 노래를 고릅니다. 수준이 다를 뿐 추세는 같습니다(trend가 0이면).
    pull = (fame - fame.mean()) / fame.std() + rng.normal(0.0, 1.5, n)
    used = pull >= np.quantile(pull, 1 - SHARE)
    first = np.where(used, rng.integers(FIRST, LAST + 1, n), 10_000)

    week = np.arange(1, WEEKS + 1)
    season = 0.003 * week + 0.08 * np.sin(2 * np.pi * week / 26)
    common = season + rng.normal(0.0, 0.04, WEEKS)  # 그 주에 모든 노래가 함께 겪는 일
    noise = np.empty((n, WEEKS))  # 노래의 인기는 한 주 만에 잊히지 않습니다
    noise[:, 0] = rng.normal(0.0, 0.2, n)
    for t in range(1, WEEKS):
        noise[:, t] = 0.5 * noise[:, t - 1] + rng.normal(0.0, 0.2 * np.sqrt(0.75), n)
    drift = trend * np.minimum(week, first[:, None]) * used[:, None]
    base = fame[:, None] + common + drift + noise

    since = week - first[:, None]
    size = np.where(old == 1, 1.5, 0.5)[:, None]
    effect = size * effect_path(shape, since)
    early = (since < 0) & (since >= -trailer)
    effect = effect + early * 0.5 * size * effect_path(shape, np.zeros(1))
    song = np.repeat(np.arange(1, n + 1), WEEKS)
    return pd.DataFrame(
        {
            "song_id": song,
            "week": np.tile(week, n),
            "catalogue": np.repeat(old, WEEKS),
            "first_week": np.repeat(np.where(used, first, np.nan), WEEKS),
            "featured": (since >= 0).astype(int).ravel(),
            "log_streams": np.round((base + effect).ravel(), 4),
            "log_streams_0": np.round(base.ravel(), 4),
            "effect": np.round(effect.ravel(), 5),
        }
    )
