"""사례 템플릿의 데이터: 부품 공장의 로트(부품 천 개 한 묶음) 하나가 한 행입니다.

현장에서는 더러워 보이는 로트를 골라 한 번 더 씻습니다. 더러운 로트는 씻어도 불량이 많습니다.
그래서 추가 세척을 한 로트와 하지 않은 로트를 그냥 견주면 세척이 소용없어 보입니다.
세척은 입자를 줄이고(매개), 줄어든 입자가 불량을 줄입니다. 실제 공장의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 77, "n": 4000, "removal": 0.35, "hidden": 0.0}

DEFECTS_PER_PARTICLE = 0.6
"""입자 하나(개/cm²)가 늘 때 늘어나는 불량(개/천 개)."""
MEAN_PARTICLES = 20.0
"""세척 전 입자 수의 모집단 평균(개/cm²)."""


def population_ate(removal: float) -> float:
    """모집단의 ATE(개/천 개). 입자 감소의 평균에 입자 하나의 불량을 곱한 값입니다."""
    return -DEFECTS_PER_PARTICLE * MEAN_PARTICLES * removal


def generate(seed: int = 77, n: int = 4000, removal: float = 0.35, hidden: float = 0.0) -> pd.DataFrame:
    """로트 ``n``개의 관측값과 두 잠재적 결과를 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        로트 수. 50 이상.
    removal : float
        추가 세척이 없애는 입자의 평균 비율. 0 이상 0.9 이하이며 0이면 효과가 없습니다.
    hidden : float
        기록되지 않는 설비 상태(표준정규)가 세척의 로그 오즈와 불량에 주는 힘. 0이면 숨은 교란 요인이 없고,
        1이면 로그 오즈를 1, 불량을 1.5개/천 개 올립니다. 0 이상 2 이하.

    Returns
    -------
    pandas.DataFrame
        n행. `defects_0`, `defects_1`, `condition`은 정답 열입니다. 열의 뜻과 단위는 데이터 카드에 있습니다.

    Raises
    ------
    ValueError
        로트가 너무 적거나, 비율이나 힘이 범위를 벗어날 때.
    """
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 50:
        raise ValueError(f"로트 수 n은 50 이상의 정수여야 합니다. 받은 값: {n!r}")
    if not 0 <= removal <= 0.9:
        raise ValueError(f"없애는 비율 removal은 0에서 0.9 사이여야 합니다. 받은 값: {removal!r}")
    if not 0 <= hidden <= 2:
        raise ValueError(f"숨은 교란의 힘 hidden은 0에서 2 사이여야 합니다. 받은 값: {hidden!r}")
    rng = np.random.default_rng(seed)

    hours = np.round(rng.uniform(0, 200, n), 1)
    supplier_b = rng.binomial(1, 0.4, n)
    condition = np.round(rng.normal(0, 1, n), 4)
    level = MEAN_PARTICLES + 0.05 * (hours - 100) + 3.0 * (supplier_b - 0.4)
    before = np.round(level * rng.gamma(8.0, 1 / 8.0, n), 2)

    pull = 0.1 * (before - MEAN_PARTICLES) + 0.006 * (hours - 100) + 0.5 * (supplier_b - 0.4) + hidden * condition
    cleaned = rng.binomial(1, 1 / (1 + np.exp(-(pull - 0.2))))

    removed = rng.beta(20 * removal, 20 * (1 - removal), n) if removal > 0 else np.zeros(n)
    after = np.where(cleaned == 1, np.round(before * (1 - removed), 2), before)

    other = 20.0 + 0.04 * (hours - 100) + 2.0 * (supplier_b - 0.4) + 1.5 * hidden * condition
    mean_0 = np.clip(other + DEFECTS_PER_PARTICLE * (before - MEAN_PARTICLES), 0.5, None)
    mean_1 = np.clip(mean_0 - DEFECTS_PER_PARTICLE * before * removed, 0.0, None)
    defects_0 = rng.poisson(mean_0)
    defects_1 = rng.binomial(defects_0, mean_1 / mean_0)  # 세척은 생길 뻔한 불량의 일부를 막습니다
    incoming = rng.poisson(np.clip(0.5 * other + 0.3 * (before - MEAN_PARTICLES), 0.5, None))

    return pd.DataFrame(
        {
            "lot_id": np.arange(1, n + 1),
            "hours_since_service": hours,
            "supplier_b": supplier_b,
            "particles_before": before,
            "incoming_defects": incoming,
            "extra_clean": cleaned,
            "particles_after": after,
            "defects": np.where(cleaned == 1, defects_1, defects_0),
            "condition": condition,
            "defects_0": defects_0,
            "defects_1": defects_1,
        }
    )
