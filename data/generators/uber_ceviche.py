"""택시 손님의 열두 달: 한 행이 손님 한 명이고, 달마다의 총예약액과 네 사건을 처음 겪은 달이 적혀 있습니다.

첫 석 달에 네 사건이 모두 없던 손님만 모았습니다. 넷째 달부터 네 사건이 일어날 수 있고, 많이 쓰는 손님과 쓰임이
늘고 있는 손님이 더 자주 겪습니다. 그래서 끝까지 겪지 않은 손님은 그 뒤로 덜 쓰게 된 손님입니다. 사건은 다음
달부터 예약액을 몇 배로 바꿉니다. 공항 첫 이용의 배율은 1이고, 배차 취소의 배율은 1보다 작습니다.
지난 석 달의 예약액과 사는 곳이 같으면 누가 그달에 겪는지는 우연입니다. ``hidden``이 "life"나 "trait"이면 기록되지
않는 것이 함께 정합니다. 실제 회사의 자료가 아닙니다.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 2021, "n": 6_000, "strength": 1.0, "hidden": "none", "lumpy": False, "truths": True}

MONTHS, HISTORY, HORIZON = 12, 3, 3
"""기록하는 달의 수, 사건 앞에서 보는 달의 수, 사건 뒤에 결과를 더하는 달의 수."""
FIRST, LAST = 4, 9
"""시험을 여는 첫 달과 마지막 달. 앞뒤로 석 달의 기록이 있는 달입니다."""


class Event(NamedTuple):
    """사건 하나: 다음 달부터 예약액이 늘어나는 비율과, 그달에 겪을 로그 오즈의 계수."""

    gain: float
    base: float
    level: float  # 지난 석 달 평균 예약액의 로그
    growth: float  # 지난달과 그 앞 두 달의 로그 차이
    downtown: float


EVENTS = {
    "eats": Event(0.22, -3.6, 0.55, 0.7, 0.6),
    "airport": Event(0.00, -2.9, 0.90, 0.5, -0.3),
    "member": Event(0.30, -4.3, 0.80, 1.2, 0.2),
    "cancelled": Event(-0.12, -2.4, 0.70, 0.3, 0.4),
}
NOBODY, ALWAYS = 99, -1  # _live의 blocked: 아무 달도 막지 않음, 모든 달을 막음


def _expit(value):
    return 1.0 / (1.0 + np.exp(-value))


def _check(seed, n, strength, hidden, lumpy, truths):
    for name, value, low, high in (("seed", seed, 0, 2**32 - 1), ("손님 수 n", n, 200, 1_000_000)):
        if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"{name}은(는) {low} 이상 {high} 이하의 정수여야 합니다: {value!r}")
    real = isinstance(strength, (int, float, np.integer, np.floating)) and not isinstance(strength, bool)
    if not real or not 0 <= strength <= 2:
        raise ValueError(f"사건의 힘 strength는 0에서 2 사이의 수여야 합니다: {strength!r}")
    if not isinstance(hidden, str) or hidden not in ("none", "life", "trait"):
        raise ValueError(f'hidden은 "none", "life", "trait" 가운데 하나여야 합니다: {hidden!r}')
    for name, value in (("lumpy", lumpy), ("truths", truths)):
        if not isinstance(value, (bool, np.bool_)):
            raise ValueError(f"{name}는 True나 False여야 합니다: {value!r}")


def _live(world, event=None, blocked=NOBODY):
    """열두 달을 굴립니다. ``event``를 ``blocked``달(손님마다 하나, 또는 NOBODY, ALWAYS)에 겪지 못하게 합니다.

    Returns
    -------
    (spend, first, left) : 총예약액(손님 × 달, 천 원), 사건마다 처음 겪은 달(없으면 0), 떠난 달(없으면 0).
    """
    n = len(world["usual"])
    spend, first = np.zeros((n, MONTHS)), {name: np.zeros(n, int) for name in EVENTS}
    left, lift = np.zeros(n, int), np.zeros(n)
    for month in range(1, MONTHS + 1):
        j = month - 1
        if month > 1:  # 달의 첫날에 앱을 지웁니다. 지난달에 쓰임이 줄어든 손님이 더 자주 지웁니다
            gone = (left == 0) & (world["u_leave"][:, j] < _expit(-4.3 - 1.2 * world["phase"][:, j - 1]))
            left[gone] = month
        spend[:, j] = np.where(left == 0, np.round(np.exp(world["usual"] + world["log_month"][:, j] + lift), 1), 0.0)
        if month < FIRST:
            continue
        past = np.log1p(spend[:, j - HISTORY : j])
        level = np.log1p(spend[:, j - HISTORY : j].mean(axis=1)) - np.log1p(50.0)
        growth = past[:, -1] - np.log1p(spend[:, j - HISTORY : j - 1].mean(axis=1))
        for name, e in EVENTS.items():
            logit = e.base + e.level * level + e.growth * growth + e.downtown * world["downtown"] + world["push"][:, j]
            hit = (left == 0) & (first[name] == 0) & (world["u"][name][:, j] < _expit(logit))
            if name == event:
                hit &= (blocked != month) & (blocked != ALWAYS)
            first[name][hit] = month
            lift = lift + np.where(hit, np.log1p(e.gain * world["strength"]), 0.0)
    return spend, first, left


def _after(spend, month):
    """그달 다음 석 달의 총예약액. ``month``가 FIRST와 LAST 사이가 아니면 빈칸."""
    ends = np.cumsum(np.column_stack([np.zeros(len(spend)), spend]), axis=1)
    inside, rows = (month >= FIRST) & (month <= LAST), np.arange(len(spend))
    start = np.where(inside, month, FIRST)
    return np.where(inside, ends[rows, start + HORIZON] - ends[rows, start], np.nan)


def generate(seed=2021, n=6_000, strength=1.0, hidden="none", lumpy=False, truths=True):
    """손님 n명의 열두 달과, 사건이 없었을 때의 열두 달에서 얻은 정답을 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        손님 수(200에서 백만).
    strength : float
        네 사건의 힘에 함께 곱하는 수(0에서 2). 0이면 어느 사건도 예약액을 바꾸지 않습니다.
    hidden : str
        "none"이면 사건은 기록으로만 정해집니다. "life"이면 이사나 새 직장처럼 **그달에 달라진** 생활이, "trait"이면
        늘 같은 손님의 성향이 예약액과 사건을 함께 움직이며, 둘 다 기록되지 않습니다.
    lumpy : bool
        참이면 달마다의 예약액이 훨씬 들쭉날쭉합니다(로그의 표준편차 0.35 대신 0.8).
    truths : bool
        거짓이면 정답 열을 만들지 않아 빠릅니다.

    Returns
    -------
    pandas.DataFrame
        n행. 예약액은 천 원/월, 달은 1에서 12. 겪지 않았거나 떠나지 않았으면 빈칸입니다. ``*_gain``은 겪은 그달의
        사건만 막았을 때와 견준 다음 석 달의 예약액 차이, ``*_gain_never``는 그 사건을 열두 달 내내 막았을 때와 견준
        차이(천 원)이며, 4월에서 9월 사이에 겪은 손님에게만 있습니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(seed, n, strength, hidden, lumpy, truths)
    rng = np.random.default_rng(seed)
    downtown = (rng.random(n) < 0.4).astype(int)
    taste = rng.normal(0.0, 1.0, n)
    shock, kept, spread = rng.normal(0.0, 1.0, (n, MONTHS)), 0.85, 0.45
    phase = np.empty((n, MONTHS))  # 생활의 국면: 천천히 오르내립니다
    phase[:, 0] = spread * shock[:, 0]
    for j in range(1, MONTHS):
        phase[:, j] = kept * phase[:, j - 1] + spread * np.sqrt(1 - kept**2) * shock[:, j]
    push = {
        "none": np.zeros((n, MONTHS)),
        "life": 1.0 * phase,
        "trait": np.repeat(0.5 * taste[:, None], MONTHS, axis=1),
    }
    world = {
        "usual": np.log(45.0) + 0.15 * downtown + 0.5 * taste,
        "downtown": downtown,
        "phase": phase,
        "log_month": phase + rng.normal(0.0, 0.8 if lumpy else 0.35, (n, MONTHS)),
        "u_leave": rng.random((n, MONTHS)),
        "u": {name: rng.random((n, MONTHS)) for name in EVENTS},
        "push": push[hidden],
        "strength": strength,
    }
    spend, first, left = _live(world)
    columns = {"rider_id": np.arange(1, n + 1), "downtown": downtown}
    columns |= {f"spend_{m}": spend[:, m - 1] for m in range(1, MONTHS + 1)}
    columns |= {f"first_{name}": np.where(when > 0, when, np.nan) for name, when in first.items()}
    columns["left_month"] = np.where(left > 0, left, np.nan)
    if truths:
        for name, when in first.items():
            seen = _after(spend, when)
            for suffix, blocked in (("gain", np.where(when > 0, when, NOBODY)), ("gain_never", np.full(n, ALWAYS))):
                columns[f"{name}_{suffix}"] = np.round(seen - _after(_live(world, name, blocked)[0], when), 1)
    return pd.DataFrame(columns)
