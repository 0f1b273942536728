"""예방 정비 데이터: 한 행이 정비 계약을 맺은 설비 한 대의 1년입니다.

계획 담당자는 낡고 부하가 높고 먼지가 많은 설비를 더 자주 방문하게 합니다. 그런 설비는 고장도 잦으므로 방문이 잦은 설비가
더 고장 나 보입니다. 방문은 고장을 줄이되 갈수록 덜 줄이고, 낡은 설비에서 잘 듣고 먼지가 많은 곳에서는 덜 듭니다.
``hidden``은 기록되지 않은 것이 방문과 고장을 함께 움직이는 세상입니다. "condition"은 점검원이 본 나쁜 상태(방문과 고장이
함께 늘어남), "care"는 관리를 잘하는 고객(방문은 늘고 고장은 줄어듦)입니다. ``shape``이 "step"이면 세 번은 방문해야 듣기 시작합니다.
실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd
from scipy.stats import norm

DEFAULTS = {"seed": 2206, "n": 6_000, "hidden": "none", "shape": "smooth"}

MOST = 8
"""한 해에 갈 수 있는 예방 정비의 최대 횟수."""
BRANCHES = 20
"""정비를 맡은 지점의 수. 지점마다 방문을 더 잡거나 덜 잡는 버릇이 다릅니다."""
HABITS = 0.7 * norm.ppf((np.arange(BRANCHES) + 0.5) / BRANCHES)
"""지점의 버릇(회). 자료를 새로 만들어도 지점은 같습니다."""
HIDDEN = {"none": 0.0, "condition": 0.4, "care": -0.4}
"""숨은 것 1표준편차가 로그 고장 횟수를 움직이는 크기. "none"이 아니면 방문은 0.6회씩 늡니다."""
SHAPES = ("smooth", "step")


def _check(n, hidden, shape):
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 200 or n % 2:
        raise ValueError(f"설비 수 n은 200 이상의 짝수여야 합니다: {n!r}")
    if not isinstance(hidden, str) or hidden not in HIDDEN:
        raise ValueError(f"hidden은 {', '.join(HIDDEN)} 가운데 하나여야 합니다: {hidden!r}")
    if not isinstance(shape, str) or shape not in SHAPES:
        raise ValueError(f"shape은 {', '.join(SHAPES)} 가운데 하나여야 합니다: {shape!r}")


def generate(seed=2206, n=6_000, hidden="none", shape="smooth"):
    """설비 n대의 특성, 지난해와 올해의 고장, 올해의 방문 횟수와 횟수마다의 기대 고장을 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        설비 수(200 이상의 짝수). 홀수 번호와 짝수 번호로 반을 나눕니다.
    hidden : {"none", "condition", "care"}
        기록되지 않은 것이 방문과 고장을 함께 움직이는 방식.
    shape : {"smooth", "step"}
        방문이 듣는 모양. "smooth"는 갈수록 덜 듣고, "step"은 세 번은 방문해야 듣습니다.

    Returns
    -------
    pandas.DataFrame
        설비 한 대가 한 행. ``hidden_state``와 ``rate_0``부터 ``rate_8``까지는 정답 열이고,
        ``rate_t``는 방문이 t번일 때 그 설비의 기대 고장 횟수(회/년)입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, hidden, shape)
    rng = np.random.default_rng(seed)
    branch = rng.integers(0, BRANCHES, n)
    age = np.round(np.clip(rng.gamma(4.0, 2.0, n), 0.5, 25.0), 1)
    load = np.round(100 * rng.beta(6.0, 3.0, n))
    dust = rng.choice(3, n, p=[0.4, 0.35, 0.25])
    old, busy, dirty = (age - 8.0) / 4.0, (load - 67.0) / 15.0, dust - 0.85
    unseen, pull = rng.normal(size=n), HIDDEN[hidden]

    planned = 2.6 + 0.5 * old + 0.4 * busy + 0.9 * dirty + HABITS[branch] + 0.6 * (pull != 0) * unseen
    visits = np.clip(np.round(planned + rng.normal(0.0, 0.9, n)), 0, MOST).astype(int)

    risk = 0.3 + 0.40 * old + 0.30 * busy + 0.45 * dirty + pull * unseen
    relief = np.clip(0.9 + 0.5 * old - 0.5 * dirty, 0.0, 2.5)
    times = np.arange(MOST + 1)
    felt = 1 - np.exp(-times / 2.5) if shape == "smooth" else 1 / (1 + np.exp(-6.0 * (times - 2.5)))
    rates = np.exp(risk[:, None] - relief[:, None] * felt)
    # 같은 설비라도 기록되지 않은 사정으로 고장이 더 흩어집니다. 방문과는 상관없습니다.
    failures = rng.poisson(rates[np.arange(n), visits] * rng.gamma(1 / 0.3, 0.3, n))
    before = rng.poisson(np.exp(risk) * rng.gamma(1 / 0.3, 0.3, n))
    rounded = np.round(rates, 4)
    return pd.DataFrame(
        {
            "machine_id": np.arange(1, n + 1),
            "branch": branch + 1,
            "age": age,
            "load": load.astype(int),
            "dust": dust,
            "before_failures": before,
            "visits": visits,
            "failures": failures,
            "hidden_state": np.round(unseen * (pull != 0), 3),
            **{f"rate_{k}": rounded[:, k] for k in times},
        }
    )
