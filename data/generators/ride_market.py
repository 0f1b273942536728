"""금요일 밤의 호출 시장 데이터: 한 지역에서 저녁 세 시간 동안 앱을 켠 승객 한 명이 한 행입니다.

기사 수가 정해져 있어서 먼저 배차받은 승객이 다른 승객의 차를 가져갑니다. 빠른 배차는 줄의 앞에 세우고 호출도 조금 늘립니다.
모두에게 켠 밤과 모두에게 끈 밤을 같은 우연으로 다시 살아서 전체 효과의 정답을 압니다.
실제 회사의 자료가 아니라 1주차를 위해 만든 모의 데이터입니다.
"""

import heapq

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 111, "n": 1600, "drivers": 100, "share": 0.5}

EVENING = 180.0  # 분


def _check(n, drivers, share):
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 20:
        raise ValueError(f"승객 수 n은 20 이상의 정수여야 합니다: {n!r}")
    if not isinstance(drivers, (int, np.integer)) or isinstance(drivers, bool) or drivers < 1:
        raise ValueError(f"기사 수 drivers는 1 이상의 정수여야 합니다: {drivers!r}")
    if not 0 < share < 1:
        raise ValueError(f"실험군의 비율 share는 0과 1 사이여야 합니다: {share!r}")


def _evening(opened, calls, first, patience, trip, drivers):
    """기사들이 하룻밤 일합니다. 승객마다 탔는지(0/1)를 돌려줍니다.

    빈 기사는 기다리는 승객 가운데 빠른 배차(first)를, 그 안에서는 먼저 부른 사람을 태웁니다.
    patience분을 넘긴 승객은 떠납니다. trip은 태우러 가서 내려 줄 때까지의 분입니다.
    """
    rode = np.zeros(len(opened), dtype=int)
    upcoming = np.flatnonzero(calls).tolist()
    opened, first, patience, trip = (values.tolist() for values in (opened, first, patience, trip))
    free_at, queue = [0.0] * drivers, []
    at, now = 0, 0.0
    while at < len(upcoming) or queue:
        now = max(now, free_at[0])
        if not queue:
            now = max(now, opened[upcoming[at]])
        while at < len(upcoming) and opened[upcoming[at]] <= now:
            i = upcoming[at]
            heapq.heappush(queue, (not first[i], opened[i], i))
            at += 1
        _, asked, i = heapq.heappop(queue)
        if now > asked + patience[i]:
            continue
        rode[i] = 1
        heapq.heapreplace(free_at, now + trip[i])
    return rode


def generate(seed=111, n=1600, drivers=100, share=0.5):
    """승객 n명의 하룻밤과, 모두에게 켠 밤과 끈 밤의 결과를 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        저녁 세 시간 동안 앱을 켠 승객 수(20 이상).
    drivers : int
        일하는 기사 수. 많을수록 서로 빼앗지 않습니다.
    share : float
        동전으로 빠른 배차를 줄 비율.

    Returns
    -------
    pandas.DataFrame
        승객 한 명이 한 행이며 앱을 켠 차례입니다. `rode_all_off`, `rode_all_on`은 정답 열로,
        같은 승객들이 모두 빠른 배차 없이, 또는 모두 빠른 배차로 보낸 밤입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, drivers, share)
    rng = np.random.default_rng(seed)

    opened = np.sort(np.round(rng.uniform(0.0, EVENING, n), 2))
    eager = rng.random(n)
    patience = rng.exponential(8.0, n)
    trip = rng.gamma(6.0, 3.0, n)
    priority = rng.binomial(1, share, n)

    def night(first):
        calls = eager < np.where(first == 1, 0.80, 0.72)
        return calls.astype(int), _evening(opened, calls, first == 1, patience, trip, drivers)

    called, rode = night(priority)
    _, off = night(np.zeros(n, dtype=int))
    _, on = night(np.ones(n, dtype=int))
    return pd.DataFrame(
        {
            "rider_id": np.arange(1, n + 1),
            "opened_minute": opened,
            "priority": priority,
            "called": called,
            "rode": rode,
            "rode_all_off": off,
            "rode_all_on": on,
        }
    )
