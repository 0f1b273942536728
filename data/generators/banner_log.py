"""배너 기록: 한 행이 밀키트 앱의 첫 화면을 연 한 번의 방문입니다.

앱은 방문마다 배너 넷 가운데 하나를 무작위로 고르고, 고를 확률(성향점수)을 함께 적습니다. 지금의 규칙은 할인 배너를 자주 고릅니다.
새 손님, 단골, 쉬던 손님은 잘 통하는 배너가 서로 다릅니다. ``floor``는 어느 배너든 지키는 가장 작은 확률입니다.
``override``가 있으면 담당자가 장바구니를 보고 배너를 바꾸는데, 기록에는 바꾸기 전의 확률이 남습니다. 실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 1203, "n": 20_000, "floor": 0.05, "override": 0.0}
BANNERS = ("recipe", "sale", "review", "season")  # banner 열의 0, 1, 2, 3
SEGMENTS = ("new", "regular", "lapsed")  # segment 열의 0, 1, 2
# 구매할 확률: 행은 손님(새 손님, 단골, 쉬던 손님), 열은 배너(조리법, 할인, 후기, 제철)
RATES = np.array([[0.060, 0.085, 0.110, 0.050], [0.120, 0.100, 0.080, 0.160], [0.030, 0.070, 0.030, 0.025]])
_TASTE = np.array([[0.10, 0.70, 0.10, 0.10], [0.20, 0.55, 0.10, 0.15], [0.05, 0.85, 0.05, 0.05]])


def _check(n, floor, override):
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 100:
        raise ValueError(f"방문 수 n은 100 이상의 정수여야 합니다: {n!r}")
    if isinstance(floor, bool) or not np.isreal(floor) or not 0.0 < floor <= 0.25:
        raise ValueError(f"floor는 0보다 크고 0.25 이하인 확률이어야 합니다: {floor!r}")
    if isinstance(override, bool) or not np.isreal(override) or not 0.0 <= override <= 1.0:
        raise ValueError(f"override는 0에서 1 사이의 확률이어야 합니다: {override!r}")


def logging_policy(floor):
    """지금의 규칙이 손님 갈래마다 배너를 고르는 확률(3×4). 가장 작은 확률이 ``floor``가 되게 고르게 섞습니다."""
    smallest = _TASTE.min(axis=1, keepdims=True)
    peaked = (_TASTE - smallest) / (_TASTE - smallest).sum(axis=1, keepdims=True)
    return floor + (1 - 4 * floor) * peaked


def generate(seed=1203, n=20_000, floor=0.05, override=0.0):
    """방문 n번의 배너와 구매를 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        방문 수(100 이상).
    floor : float
        어느 배너든 지키는 가장 작은 확률(0보다 크고 0.25 이하).
    override : float
        장바구니가 찬 손님에게 담당자가 배너를 할인으로 바꾸는 확률(0에서 1). 기록된 확률은 바꾸기 전의 것입니다.

    Returns
    -------
    pandas.DataFrame
        방문 한 번이 한 행. ``segment``와 ``banner``는 ``SEGMENTS``와 ``BANNERS``의 번호입니다. ``propensity``는 기록된 확률, ``rate_…``는 그 방문에서 배너마다의 구매 확률로 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, floor, override)
    rng = np.random.default_rng(seed)
    segment = rng.choice(3, n, p=[0.35, 0.40, 0.25])
    evening = rng.binomial(1, 0.45, n)
    basket = rng.binomial(1, 0.20, n)  # 장바구니가 찼는가. 기록에 없습니다
    scale = (0.85 + 0.30 * evening) * (0.80 + 1.00 * basket)
    policy = logging_policy(floor)
    edges, pick = policy.cumsum(axis=1), rng.random(n)
    banner = sum((pick > edges[segment, k]).astype(int) for k in range(3))
    switch = (basket == 1) & (rng.random(n) < override)
    banner = np.where(switch, 1, banner)
    propensity = np.round(policy, 6)[segment, banner]
    order = (rng.random(n) < RATES[segment, banner] * scale).astype(int)
    frame = pd.DataFrame(
        {
            "segment": segment,
            "evening": evening,
            "banner": banner,
            "propensity": propensity,
            "order": order,
        }
    )
    for k, name in enumerate(BANNERS):
        frame[f"rate_{name}"] = RATES[segment, k] * scale
    return frame
