"""조립 라인 데이터: 한 행이 한 로트입니다. 작업자의 경력은 불량률에 아무 영향이 없습니다(``effect=0``).

신입은 야간 조와 어려운 도면에 더 자주 섭니다. 야간과 어려운 도면은 그 자체로 불량을 늘립니다.
그래서 신입의 로트에 불량이 많아 보입니다. 공구 마모는 영점의 틀어짐을 거쳐 불량을 늘립니다. 실제 공장의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 1605, "n": 4_000, "effect": 0.0, "wear_scale": 1.0}


def _check(n, effect, wear_scale):
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 100:
        raise ValueError(f"로트 수 n은 100 이상의 정수여야 합니다: {n!r}")
    for name, value, low, high in [("신입의 효과 effect", effect, -1, 1), ("마모의 배율 wear_scale", wear_scale, 0, 2)]:
        if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not low <= value <= high:
            raise ValueError(f"{name}는 {low}에서 {high} 사이의 수여야 합니다: {value!r}")


def generate(seed=1605, n=4_000, effect=0.0, wear_scale=1.0):
    """로트 n개의 공정 기록과 두 잠재적 결과를 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        로트 수(100 이상).
    effect : float
        숙련자 대신 신입이 설 때 늘어나는 불량률(%p, -1에서 1). 기본값은 0입니다.
    wear_scale : float
        모든 로트의 공구 마모에 곱하는 수(0에서 2). 0.6이면 마모를 40% 줄인 개입입니다.

    Returns
    -------
    pandas.DataFrame
        n행. 불량률은 %, 온도와 배치와 난도는 표준편차 단위, 마모와 틀어짐은 0.1mm 단위입니다.
        ``defect_0``, ``defect_1``은 숙련자와 신입이 섰을 때의 잠재적 결과(정답 열, %)입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, effect, wear_scale)
    rng = np.random.default_rng(seed)
    night = rng.binomial(1, 0.5, n)
    difficulty = rng.normal(0.0, 1.0, n).clip(-3.0, 3.0)
    novice = rng.binomial(1, 1.0 / (1.0 + np.exp(0.8 - 1.2 * night - 0.9 * difficulty)))
    wear = wear_scale * rng.gamma(2.0, 0.5, n) * np.where(night == 1, 1.25, 0.75)
    drift = 0.6 * wear + rng.normal(0.0, 0.3, n)
    batch = rng.normal(0.0, 1.0, n)
    temperature = 0.4 * batch + 0.9 * rng.normal(0.0, 1.0, n)
    incoming = 1.5 + 0.25 * difficulty + 0.2 * night + rng.normal(0.0, 0.3, n)
    shared = 4.0 + 0.8 * drift + 0.7 * difficulty + 0.3 * night + 0.2 * batch + 0.1 * temperature
    defect_0 = shared + rng.normal(0.0, 0.6, n)
    defect_1 = defect_0 + effect
    return pd.DataFrame(
        {
            "lot_id": np.arange(1, n + 1),
            "night": night,
            "difficulty": np.round(difficulty, 3),
            "novice": novice,
            "wear": np.round(wear, 3),
            "drift": np.round(drift, 3),
            "batch": np.round(batch, 3),
            "temperature": np.round(temperature, 3),
            "incoming_rate": np.round(np.maximum(incoming, 0.0), 3),
            "defect_rate": np.round(np.maximum(np.where(novice == 1, defect_1, defect_0), 0.0), 3),
            "defect_0": np.round(np.maximum(defect_0, 0.0), 3),
            "defect_1": np.round(np.maximum(defect_1, 0.0), 3),
        }
    )
