"""새 판을 일부 회원에게 먼저 내보낸 두 시간: 재생을 누른 일 하나가 한 행입니다.

회원마다 동전을 던져 새 판이나 지금 판을 줍니다. 새 판은 미리 불러오기를 더해 요즘 기기에서는 빠르지만,
메모리가 작은 오래된 기기에서는 느리고 더러 시작하지 못합니다. 한 회원의 여러 재생은 기기와 통신망을 나누어 가져서 서로 닮습니다.
시작하지 못한 재생은 기다린 시간이 비어 있습니다. 실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 2024, "n": 10_000, "release": "tail", "lag": 0.0}

MINUTES = 120
"""시험 배포의 길이(분)."""

# 판마다 (요즘 기기의 시간 배율, 오래된 기기의 시간 배율, 오래된 기기 가운데 시작하지 못하게 되는 회원의 몫)
RELEASES = {"none": (1.0, 1.0, 0.0), "tail": (0.88, 1.45, 0.18), "shift": (1.06, 1.06, 0.0)}


def _check(n, release, lag):
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 100:
        raise ValueError(f"회원 수 n은 100 이상의 정수여야 합니다: {n!r}")
    if not isinstance(release, str) or release not in RELEASES:
        raise ValueError(f"release는 {', '.join(RELEASES)} 가운데 하나여야 합니다: {release!r}")
    if isinstance(lag, bool) or not isinstance(lag, (int, float, np.number)) or not 0 <= lag <= MINUTES / 2:
        raise ValueError(f"늦은 시작 lag는 0에서 {MINUTES / 2:g} 사이의 분이어야 합니다: {lag!r}")


def generate(seed=2024, n=10_000, release="tail", lag=0.0):
    """회원 n명이 두 시간 동안 누른 재생과 두 잠재적 결과를 시간 순서로 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        배정된 회원 수(100 이상).
    release : {"tail", "none", "shift"}
        새 판의 성질. ``tail``은 요즘 기기에서는 빨라지고 오래된 기기만 해치는 판,
        ``none``은 지금 판과 똑같은 판(A/A), ``shift``는 모든 기기가 조금씩 느려지는 판입니다.
    lag : float
        새 판의 기록이 늦게 시작하는 시간(분). 그 전에 누른 재생은 새 판에서 사라집니다. 0이면 동시에 시작합니다.

    Returns
    -------
    pandas.DataFrame
        재생마다 한 행, ``minute`` 순서입니다. 기다린 시간은 초이고 시작하지 못하면 NaN입니다.
        ``flaky``, ``delay_0``, ``delay_1``은 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, release, lag)
    rng = np.random.default_rng(seed)
    recent, aged, stuck = RELEASES[release]

    # 회원: 통신망의 버릇은 기록되지 않습니다. 끊기는 통신망의 회원은 더 자주 누르고 더 자주 실패합니다.
    new = rng.binomial(1, 0.5, n)
    old = rng.binomial(1, 0.15, n)
    habit = rng.normal(0.0, 0.30, n)
    poor = rng.random(n) < 0.035
    breaks = rng.random(n) < np.where(old == 1, stuck, 0.0)
    before = np.exp(0.05 + 0.55 * old + habit + rng.normal(0.0, 0.35, n))
    arrive = MINUTES * rng.beta(1.1, 1.6, n)
    plays = 1 + rng.poisson(np.where(poor, 4.0, 1.3))

    # 재생: 첫 재생은 도착한 때이고, 나머지는 그 뒤의 시간에 흩어집니다. 저녁으로 갈수록 모두 조금씩 느려집니다.
    who = np.repeat(np.arange(n), plays)
    first = np.r_[True, who[1:] != who[:-1]]
    minute = np.where(first, arrive[who], arrive[who] + (MINUTES - arrive[who]) * rng.random(len(who)))
    minute = np.round(minute, 2)
    crowd = 0.5 * (1.0 - np.cos(np.pi * minute / MINUTES))
    base = np.exp(0.05 + 0.55 * old[who] + habit[who] + 0.15 * crowd + rng.normal(0.0, 0.35, len(who)))
    luck = rng.random(len(who))
    chance_0 = np.where(poor[who], 0.45, 0.004)
    chance_1 = np.where(breaks[who], np.maximum(chance_0, 0.60), chance_0)
    delay_0 = np.where(luck < chance_0, np.nan, base)
    delay_1 = np.where(luck < chance_1, np.nan, base * np.where(old[who] == 1, aged, recent))
    delay = np.where(new[who] == 1, delay_1, delay_0)

    kept = np.flatnonzero((new[who] == 0) | (minute >= lag))
    order = kept[np.lexsort((who[kept], minute[kept]))]
    member = who[order]
    return pd.DataFrame(
        {
            "member_id": member + 1,
            "minute": minute[order],
            "new_release": new[member],
            "old_device": old[member],
            "delay_before": np.round(before[member], 2),
            "delay": np.round(delay[order], 3),
            "failed": np.isnan(delay[order]).astype(int),
            "flaky": poor[member].astype(int),
            "delay_0": np.round(delay_0[order], 3),
            "delay_1": np.round(delay_1[order], 3),
        }
    )
