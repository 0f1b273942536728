"""점포의 손님 조사: 주마다 점포마다 다른 손님을 뽑아 쓴 돈을 물었습니다. 한 손님이 한 행이고, 같은 손님을 두 번 보지 않습니다.

점포 절반은 다섯째 주부터 새 진열을 썼습니다. 점포마다 높이가 다르고, 점포의 형편은 주마다 이어집니다. 새 진열을 쓴 점포는 처음부터
조금 더 팔던 곳입니다. 실제 회사의 자료가 아니라 파이프라인의 본보기로 만든 모의 데이터입니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 861, "branches": 40, "weeks": 8, "effect": 3.0, "arrivals": 0.0}


def _check(branches, weeks, effect, arrivals):
    if not isinstance(branches, (int, np.integer)) or isinstance(branches, bool) or branches < 8:
        raise ValueError(f"점포 수 branches는 8 이상의 정수여야 합니다: {branches!r}")
    if not isinstance(weeks, (int, np.integer)) or isinstance(weeks, bool) or not 6 <= weeks <= 52:
        raise ValueError(f"주의 수 weeks는 6에서 52 사이의 정수여야 합니다: {weeks!r}")
    if isinstance(effect, bool) or not isinstance(effect, (int, float, np.number)) or not -20 <= effect <= 20:
        raise ValueError(f"진열의 효과 effect는 -20에서 20 사이의 수여야 합니다: {effect!r}")
    if isinstance(arrivals, bool) or not isinstance(arrivals, (int, float, np.number)) or not 0 <= arrivals <= 1:
        raise ValueError(f"바뀌는 손님의 몫 arrivals는 0에서 1 사이의 수여야 합니다: {arrivals!r}")


def generate(seed=861, branches=40, weeks=8, effect=3.0, arrivals=0.0):
    """점포와 주마다 스무 명쯤의 손님을 새로 뽑습니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    branches, weeks : int
        점포 수(8 이상)와 주의 수(6 이상 52 이하). 점포의 절반이 다섯째 주에 시작합니다.
    effect : float
        새 진열이 한 손님의 구매를 늘린 양(천 원).
    arrivals : float
        새 진열을 보고 오는 단골의 몫(0에서 1). 0이면 진열이 오는 손님을 바꾸지 않습니다.

    Returns
    -------
    pandas.DataFrame
        한 손님이 한 행. `first_week`은 새 진열을 쓰지 않은 점포에서 빈칸이고, `spend_0`은 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(branches, weeks, effect, arrivals)
    rng = np.random.default_rng(seed)

    starts = np.zeros(branches, dtype=bool)
    starts[rng.permutation(branches)[: branches // 2]] = True
    week = np.arange(1, weeks + 1)
    on = starts[:, None] & (week >= 5)
    state = np.zeros((branches, weeks))
    state[:, 0] = rng.normal(0.0, 1.2, branches)
    for k in range(1, weeks):
        state[:, k] = 0.5 * state[:, k - 1] + rng.normal(0.0, 1.0, branches)
    level = 28 + rng.normal(0.0, 4.0, (branches, 1)) + 2.0 * starts[:, None] + 0.6 * week + state

    counts = np.maximum(rng.poisson(20, (branches, weeks)), 5)
    branch, when = (np.repeat(place.ravel(), counts.ravel()) for place in np.indices((branches, weeks)))
    here = on[branch, when]
    regular = (rng.random(len(branch)) < 0.4 + arrivals * 0.5 * here).astype(int)
    age = np.clip(np.round(rng.normal(44, 13, len(branch))), 19, 85).astype(int)
    base = level[branch, when] + 6.0 * regular + 0.08 * (age - 44) + rng.normal(0.0, 9.0, len(branch))
    spend_0 = np.round(np.clip(base, 1.0, None), 1)
    spend = np.round(np.clip(base + effect * here, 1.0, None), 1)

    return pd.DataFrame(
        {
            "branch": branch + 1,
            "week": week[when],
            "first_week": np.where(starts[branch], 5.0, np.nan),
            "new_display": here.astype(int),
            "age": age,
            "regular": regular,
            "spend": spend,
            "spend_0": spend_0,
        }
    )
