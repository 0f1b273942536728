"""LED 재작업 데이터: 한 행이 중간 검사를 마친 한 로트입니다.

형광체를 입힌 뒤 색을 재고, 작업자가 로트를 다시 입힐지(재작업) 정합니다. 색이 많이 벗어난 로트는 다시 입히면 살아나고,
거의 맞은 로트는 다시 입히면 오히려 나빠집니다. 작업자는 벗어난 로트를 더 자주 고르므로 재작업한 로트의 수율이 낮아 보입니다.
``hidden``이 "none"이 아니면 기록되지 않는 형광체 점도의 흐름(drift)이 재작업과 수율을 함께 움직입니다.
"shift"는 반교대(로트 20개) 안에서 일정하고, "within"은 반교대 안에서도 로트마다 달라집니다. 실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd
from scipy.stats import norm

DEFAULTS = {"seed": 2406, "n": 6_000, "hidden": "none"}

LOTS_PER_SHIFT = 20
"""반교대 하나가 처리하는 로트의 수."""
OPERATORS = 30
"""작업자의 수. 작업자마다 재작업을 권하는 버릇이 다릅니다."""
HABITS = 0.6 * norm.ppf((np.arange(OPERATORS) + 0.5) / OPERATORS)
"""작업자마다 재작업을 권하는 버릇(로그 오즈). 자료를 새로 만들어도 사람은 같습니다."""
HIDDEN = ("none", "shift", "within")


def _expit(value):
    return 1.0 / (1.0 + np.exp(-value))


def _check(n, hidden):
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 200 or n % LOTS_PER_SHIFT:
        raise ValueError(f"로트 수 n은 200 이상이고 {LOTS_PER_SHIFT}의 배수인 정수여야 합니다: {n!r}")
    if not isinstance(hidden, str) or hidden not in HIDDEN:
        raise ValueError(f"hidden은 {', '.join(HIDDEN)} 가운데 하나여야 합니다: {hidden!r}")


def generate(seed=2406, n=6_000, hidden="none"):
    """로트 n개의 검사 기록, 재작업, 최종 수율과 두 잠재적 결과를 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        로트 수(200 이상, 20의 배수).
    hidden : {"none", "shift", "within"}
        기록되지 않는 점도의 흐름. "none"이면 없습니다. "shift"면 반교대마다, "within"이면 로트마다 다릅니다.

    Returns
    -------
    pandas.DataFrame
        로트 하나가 한 행. 색 어긋남과 퍼짐은 검사 규격의 배수(단위 없음), 수율은 %입니다.
        ``true_offset``, ``drift``, ``chance``, ``yield_0``, ``yield_1``은 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, hidden)
    rng = np.random.default_rng(seed)
    shift = np.repeat(np.arange(n // LOTS_PER_SHIFT), LOTS_PER_SHIFT)
    operator = rng.integers(0, OPERATORS, n // LOTS_PER_SHIFT)[shift]
    habit = HABITS[operator]
    machine = rng.integers(0, 3, n)
    by_shift, by_lot = rng.normal(size=n // LOTS_PER_SHIFT)[shift], rng.normal(size=n)
    drift = {"none": 0.0 * by_lot, "shift": by_shift, "within": by_lot}[hidden]

    true_offset = rng.gamma(2.0, 0.5, n)
    offset = np.round(np.maximum(true_offset + rng.normal(0.0, 0.15, n), 0.0), 2)
    spread = np.round(rng.gamma(4.0, 0.1, n), 2)
    bond_yield = 98.0 - 1.0 * spread - 0.3 * (machine == 2) - 0.5 * drift + rng.normal(0.0, 0.6, n)

    # 작업자는 잰 색과 퍼짐, 설비를 보고 정합니다. 참 색은 보지 못합니다.
    chance = _expit(-1.7 + 1.7 * (offset - 1.0) + 1.0 * (spread - 0.4) + 0.5 * (machine == 2) + habit + 0.8 * drift)
    rework = rng.binomial(1, chance)

    beyond = np.maximum(true_offset - 0.6, 0.0)
    noise = rng.normal(0.0, 1.5, n)
    yield_0 = 96.0 - 5.0 * beyond - 6.0 * spread - 0.6 * (machine == 2) - 1.2 * drift + noise
    yield_1 = yield_0 - 2.5 + 4.2 * beyond - 1.0 * spread
    yield_0, yield_1 = np.clip(yield_0, 0.0, 100.0), np.clip(yield_1, 0.0, 100.0)
    return pd.DataFrame(
        {
            "lot_id": np.arange(1, n + 1),
            "shift_id": shift + 1,
            "operator": operator + 1,
            "machine": np.array(["가", "나", "다"])[machine],
            "offset": offset,
            "spread": spread,
            "bond_yield": np.round(np.minimum(bond_yield, 100.0), 2),
            "rework": rework,
            "final_yield": np.round(np.where(rework == 1, yield_1, yield_0), 2),
            "true_offset": np.round(true_offset, 3),
            "drift": np.round(drift, 3),
            "chance": np.round(chance, 4),
            "yield_0": np.round(yield_0, 2),
            "yield_1": np.round(yield_1, 2),
        }
    )
