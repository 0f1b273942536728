"""입고 데이터: 한 행이 '한 품목의 한 주'입니다. 필요량과 보류량이 발주를, 발주가 확정을, 확정이 입고를 정합니다.

21주와 22주는 같은 기구에서 나옵니다. 23주에는 필요량이 늘고 협력사의 확정 비율이 낮아집니다. 보류, 발주, 운송의 기구는 그대로입니다.
``hidden``이 "none"이 아니면 협력사는 아무것도 바꾸지 않습니다. 대신 기록되지 않는 전력 제한이 23주의 확정과 입고를 함께 줄입니다.
"uneven"은 품목마다 다르게, "even"은 모든 품목에 똑같이 닿습니다. 실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

NODES = ("demand", "constraint", "submitted", "confirmed", "received")
WEEKS = (21, 22, 23)
DEFAULTS = {"seed": 2211, "n": 1_000, "changed": ("demand", "confirmed"), "hidden": "none"}

# 기구마다 (평소, 바뀐 뒤)의 값입니다. 바뀐 값은 23주에, changed에 적힌 기구에만 씁니다.
GROWTH = (1.00, 1.08)  # 필요량: 품목의 평소 소요에 곱하는 수
HELD = (8.0, 14.0)  # 보류량의 평균(박스)
PADDING = (4.0, 9.0)  # 발주에 얹는 여유의 평균(박스)
ACCEPTED = (0.95, 0.82)  # 협력사가 받아들이는 발주의 몫
DELIVERED = (0.97, 0.85)  # 확정 가운데 그 주에 도착하는 몫
SHOCK_ON_CONFIRMED, SHOCK_ON_RECEIVED = 10.0, 8.0  # 전력 제한의 세기 1이 줄이는 박스


def _check(n, changed, hidden):
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 50:
        raise ValueError(f"품목 수 n은 50 이상의 정수여야 합니다: {n!r}")
    if isinstance(changed, str) or not isinstance(changed, (tuple, list, set, frozenset)):
        raise ValueError(f"바뀐 기구 changed는 이름의 묶음이어야 합니다: {changed!r}")
    unknown = [name for name in changed if name not in NODES]
    if unknown:
        raise ValueError(f"바뀐 기구 changed의 이름은 {', '.join(NODES)} 가운데 있어야 합니다: {unknown!r}")
    if not isinstance(hidden, str) or hidden not in ("none", "uneven", "even"):
        raise ValueError(f'hidden은 "none", "uneven", "even" 가운데 하나여야 합니다: {hidden!r}')


def generate(seed=2211, n=1_000, changed=("demand", "confirmed"), hidden="none"):
    """품목 n개의 세 주 기록을 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        품목 수(50 이상). 세 주에 모두 나오므로 행은 3n개입니다.
    changed : 이름의 묶음
        23주에 기구가 바뀌는 곳. ``NODES``의 이름만 씁니다. 빈 묶음이면 아무것도 바뀌지 않습니다.
    hidden : str
        "none", "uneven", "even". "none"이 아니면 확정 기구는 ``changed``에 있어도 바뀌지 않습니다.

    Returns
    -------
    pandas.DataFrame
        3n행. 수량의 단위는 박스/주입니다. ``shock``은 기록되지 않는 전력 제한의 세기(정답 열, 단위 없음)입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, changed, hidden)
    rng = np.random.default_rng(seed)
    usual = 80.0 + rng.gamma(4.0, 10.0, n)  # 품목의 평소 소요. 세 주 동안 그대로입니다.
    frames = []
    for week in WEEKS:
        new = {name: int(week == 23 and name in changed) for name in NODES}
        if hidden != "none":
            new["confirmed"] = 0
        demand = usual * GROWTH[new["demand"]] + rng.normal(0.0, 8.0, n)
        constraint = rng.gamma(2.0, HELD[new["constraint"]] / 2.0, n)
        padding = rng.gamma(2.0, PADDING[new["submitted"]] / 2.0, n)
        spread = rng.uniform(0.0, 2.0, n)
        shock = {"none": 0.0 * spread, "uneven": spread, "even": 1.0 + 0.0 * spread}[hidden] * (week == 23)
        submitted = demand - constraint + padding
        confirmed = ACCEPTED[new["confirmed"]] * submitted - SHOCK_ON_CONFIRMED * shock + rng.normal(0.0, 12.0, n)
        received = DELIVERED[new["received"]] * confirmed - SHOCK_ON_RECEIVED * shock + rng.normal(0.0, 8.0, n)
        frames.append(
            pd.DataFrame(
                {
                    "item_id": np.arange(1, n + 1),
                    "week": week,
                    "demand": np.round(demand, 1),
                    "constraint": np.round(constraint, 1),
                    "submitted": np.round(submitted, 1),
                    "confirmed": np.round(confirmed, 1),
                    "received": np.round(received, 1),
                    "shock": np.round(shock, 3),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)
