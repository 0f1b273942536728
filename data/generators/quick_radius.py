"""퀵배송 앱의 배차 반경 데이터: 한 행이 한 도시의 한 시간입니다.

의뢰가 들어오면 앱이 가까운 기사를 찾습니다. 반경을 넓히면 먼 기사까지 부르므로 성사가 늘지만, 먼 길을 온 기사는 오래 묶입니다.
10분마다 빈 기사, 일하는 기사, 끝나는 기사를 셈하는 작은 시장이라서 이월 효과가 식이 아니라 **바쁜 기사**에서 나옵니다.
우연(의뢰와 출근한 기사)은 ``city``가 정하고, ``run``은 그 우연에서 처치의 시퀀스마다의 결과를 돌려줍니다. 그래서 잠재적 결과를 모두 압니다.
실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 1010, "days": 28, "design": "optimal", "m": 3}

BEFORE = 28
"""실험 앞에 좁은 반경으로 보낸 날의 수."""
TICKS = 6
"""한 시간의 토막 수(10분씩)."""
NEAR, FAR = 6, 14
"""가까운 일과 먼 일이 기사를 묶는 토막 수(60분, 140분)."""
SPREAD = 20.0
"""빈 기사가 이만큼이면 가까운 기사를 찾을 확률이 1 - 1/e입니다(명)."""
AREA = 4.0
"""넓은 반경의 넓이가 좁은 반경의 몇 배인지."""
DESIGNS = ("off", "on", "hourly", "blocks", "optimal")


def _whole(value, least):
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value >= least


def _check(days, design, m):
    if not _whole(days, 2):
        raise ValueError(f"실험 날의 수 days는 2 이상의 정수여야 합니다: {days!r}")
    if not isinstance(design, str) or design not in DESIGNS:
        raise ValueError(f"설계 design은 {', '.join(DESIGNS)} 가운데 하나여야 합니다: {design!r}")
    if not _whole(m, 1) or (24 * days) % m or 24 * days < 4 * m:
        raise ValueError(f"이월 효과의 차수 m은 실험 시간 {24 * days}의 약수이고 그 4분의 1 이하여야 합니다: {m!r}")


def _ar(rng, n, phi, sd):
    shocks, x = rng.normal(0.0, sd * np.sqrt(1 - phi**2), n), np.empty(n)
    x[0] = rng.normal(0.0, sd)
    for t in range(1, n):
        x[t] = phi * x[t - 1] + shocks[t]
    return x


def city(seed=1010, days=28):
    """처치와 무관하게 정해지는 것들: 앞선 4주와 실험 days일의 의뢰와 출근한 기사.

    Returns
    -------
    pandas.DataFrame
        한 행이 한 시간. day(1부터), hour(0~23), weekend(0/1), before(0/1), requests(건), drivers(명).

    Raises
    ------
    ValueError
        days가 2 이상의 정수가 아닐 때.
    """
    _check(days, "off", 1)
    rng = np.random.default_rng(seed)
    t = np.arange(24 * (BEFORE + days))
    day, hour = t // 24 + 1, t % 24
    weekend = ((day - 1) % 7 >= 5).astype(int)
    shape = (0.35 + 0.65 * np.exp(-(((hour - 14.5) / 5.0) ** 2))) * np.where(weekend == 1, 0.75, 1.0)
    requests = np.round(180.0 * shape * np.exp(_ar(rng, len(t), 0.6, 0.06))).astype(int)
    drivers = np.round(180.0 * (0.45 + 0.55 * shape) * np.exp(_ar(rng, len(t), 0.6, 0.03))).astype(int)
    return pd.DataFrame(
        {
            "day": day,
            "hour": hour,
            "weekend": weekend,
            "before": (day <= BEFORE).astype(int),
            "requests": requests,
            "drivers": drivers,
        }
    )


def run(city, wide):
    """의뢰의 몫 wide가 넓은 반경일 때 시간마다 성사된 배송(건).

    Parameters
    ----------
    city : pandas.DataFrame
        ``city``가 만든 표나 그 이어진 일부.
    wide : array_like
        시간마다의 몫(0에서 1). 모양이 (시간,)이거나 (되풀이, 시간). 1이면 도시 전체, 0.5면 의뢰의 절반이 넓은 반경입니다.

    Returns
    -------
    (numpy.ndarray, numpy.ndarray)
        넓은 반경의 의뢰와 좁은 반경의 의뢰에서 성사된 배송. 모양은 wide와 같습니다.

    Raises
    ------
    ValueError
        몫이 0과 1 밖이거나 시간의 수가 다를 때.
    """
    share = np.asarray(wide, float)
    if share.ndim not in (1, 2) or share.shape[-1] != len(city):
        raise ValueError(f"wide의 마지막 축은 도시의 시간 {len(city)}과 같아야 합니다: {share.shape}")
    if not np.all((share >= 0) & (share <= 1)):
        raise ValueError("넓은 반경의 몫 wide는 0과 1 사이여야 합니다.")
    shape, share = share.shape, np.ascontiguousarray(np.atleast_2d(share).T)
    requests, drivers = city["requests"].to_numpy(float), city["drivers"].to_numpy(float)
    done_wide, done_narrow = np.zeros(share.shape), np.zeros(share.shape)
    ending, busy, tick = np.zeros((FAR + 1, share.shape[1])), np.zeros(share.shape[1]), 0
    for t in range(len(city)):
        p, asked = share[t], requests[t] / TICKS
        for _ in range(TICKS):
            slot = tick % (FAR + 1)
            busy -= ending[slot]
            ending[slot] = 0.0
            idle = np.maximum(drivers[t] - busy, 0.0)
            none_near = np.exp(-idle / SPREAD)
            none_far = none_near**AREA
            near, far = asked * (1 - none_near), asked * p * (none_near - none_far)
            fit = np.minimum(1.0, idle / (near + far + 1e-12))  # 빈 기사보다 많이 부를 수는 없습니다
            done_wide[t] += fit * asked * p * (1 - none_far)
            done_narrow[t] += fit * asked * (1 - p) * (1 - none_near)
            ending[(tick + NEAR) % (FAR + 1)] += fit * near
            ending[(tick + FAR) % (FAR + 1)] += fit * far
            busy += fit * (near + far)
            tick += 1
    return done_wide.T.reshape(shape), done_narrow.T.reshape(shape)


def points(design, hours, m):
    """동전을 던지는 시각(0부터). optimal은 0, 2m, 3m, …, hours-2m이고 blocks는 m의 배수입니다."""
    if design == "optimal":
        return np.append(0, np.arange(2 * m, hours - m, m))
    return np.arange(0, hours, m if design == "blocks" else 1)


def assign(rng, design, hours, m):
    """설계대로 뽑은 배정(0/1) hours개."""
    if design in ("off", "on"):
        return np.full(hours, int(design == "on"))
    at = points(design, hours, m)
    coins = rng.integers(0, 2, len(at))
    return coins[np.searchsorted(at, np.arange(hours), side="right") - 1]


def generate(seed=1010, days=28, design="optimal", m=3):
    """앞선 4주와 실험 days일, 그리고 늘 좁을 때와 늘 넓을 때의 결과를 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    days : int
        실험 날의 수(2 이상).
    design : {"off", "on", "hourly", "blocks", "optimal"}
        늘 좁게, 늘 넓게, 시간마다 동전, m시간마다 동전, 차수 m에 가장 좋은 자리에서 동전.
    m : int
        blocks와 optimal이 쓰는 이월 효과의 차수(시간).

    Returns
    -------
    pandas.DataFrame
        한 행이 한 시간. ``completed_off``와 ``completed_on``은 실험 내내 좁거나 넓었을 때의 잠재적 결과로 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(days, design, m)
    table = city(seed, days)
    rng = np.random.default_rng([seed, 7])
    live = (table["before"] == 0).to_numpy()
    wide = np.zeros(len(table), dtype=int)
    wide[live] = assign(rng, design, live.sum(), m)
    worlds = np.vstack([wide, np.zeros(len(table)), live])
    done = np.round(sum(run(table, worlds))).astype(int)
    return table.drop(columns="drivers").assign(
        wide=wide, completed=done[0], completed_off=done[1], completed_on=done[2]
    )
