"""조립 라인의 표면 불량 데이터: 한 행이 검사를 마친 부품 하나입니다.

공구가 닳으면 교정이 틀어지고, 틀어진 교정과 단단한 자재가 표면 불량을 냅니다. 순환 작업자는 공구가 빨리 닳는 야간에
많이 서므로 불량이 많아 보이지만 불량에 아무 영향이 없습니다. 마모는 편차를 거쳐서만 불량에 닿기 때문에,
편차까지 넣은 예측 모델은 마모가 상관없다고 말합니다.

``hidden``, ``slowdown``, ``first``는 구조 학습의 가정을 하나씩 깹니다. 실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 1605, "n": 20_000, "hidden": "none", "slowdown": 0.0, "first": "wear"}

CUT = 0.4
"""마모를 줄이는 비율. 공구를 일찍 갈아 마모가 (1 - CUT)배가 됩니다."""
DRIFT_PER_WEAR = 0.6
"""마모 0.1mm가 옮기는 교정 편차(0.01mm)."""
LOGIT = {"drift": 1.5, "hardness": 0.4, "heat": 0.1}
"""편차 0.01mm, 자재 경도 1표준편차, 온도 2°C가 불량의 로그 오즈에 주는 크기."""
BASE = -5.0
"""모든 값이 기준일 때 불량의 로그 오즈."""
HIDDEN = ("none", "wear", "drift")


def _expit(value):
    return 1.0 / (1.0 + np.exp(-value))


def _check(n, hidden, slowdown, first):
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 200:
        raise ValueError(f"부품 수 n은 200 이상의 정수여야 합니다: {n!r}")
    if not isinstance(hidden, str) or hidden not in HIDDEN:
        raise ValueError(f"hidden은 {', '.join(HIDDEN)} 가운데 하나여야 합니다: {hidden!r}")
    if isinstance(slowdown, bool) or not isinstance(slowdown, (int, float)) or not 0 <= slowdown <= 1.5:
        raise ValueError(f"감속의 몫 slowdown은 0에서 1.5 사이의 수여야 합니다: {slowdown!r}")
    if not isinstance(first, str) or first not in ("wear", "drift"):
        raise ValueError(f"first는 wear와 drift 가운데 하나여야 합니다: {first!r}")


def generate(seed=1605, n=20_000, hidden="none", slowdown=0.0, first="wear"):
    """부품 n개의 공정 기록, 불량, 그리고 마모를 40% 줄였을 때의 참 불량 확률을 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        부품 수(200 이상).
    hidden : {"none", "wear", "drift"}
        기록되지 않는 냉각수의 상태. "wear"면 마모와 불량에, "drift"면 편차와 불량에 함께 닿습니다.
    slowdown : float
        닳은 공구일수록 이송을 늦추는 규칙이 불량을 줄이는 몫(0에서 1.5). 1이면 편차를 거친 마모의 효과를 꼭 지웁니다.
    first : {"wear", "drift"}
        "wear"면 마모가 편차를 만들고, "drift"면 틀어진 교정이 공구를 닳게 해서 공구를 갈아도 편차가 남습니다.

    Returns
    -------
    pandas.DataFrame
        부품 하나가 한 행. 마모는 0.1mm, 편차는 0.01mm, 경도는 표준편차, 온도는 °C입니다.
        ``coolant``, ``risk_now``, ``risk_less``는 정답 열입니다(확률).

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, hidden, slowdown, first)
    rng = np.random.default_rng(seed)
    night = rng.binomial(1, 0.5, n)
    operator = rng.binomial(1, 0.3 + 0.4 * night)
    hardness = rng.normal(size=n)
    heat = 0.4 * hardness + 0.9 * rng.normal(size=n)
    coolant = rng.normal(size=n)

    pace = 0.75 + 0.5 * night
    start = rng.gamma(2.0, 0.5, n) * pace
    noise = rng.normal(0.0, 0.3, n)
    ratio = rng.gamma(8.0, 1 / 8.0, n)
    if hidden == "wear":
        start = start * np.exp(0.3 * coolant - 0.045)
    if first == "wear":
        wear, drift = start, DRIFT_PER_WEAR * start + noise
    else:
        drift = DRIFT_PER_WEAR * start
        wear = start * ratio
    if hidden == "drift":
        drift = drift + 0.3 * coolant

    slope = LOGIT["drift"] * DRIFT_PER_WEAR
    odds = BASE + LOGIT["drift"] * drift + LOGIT["hardness"] * hardness + LOGIT["heat"] * heat
    odds = odds - slowdown * slope * wear + (0.5 * coolant if hidden != "none" else 0.0)
    gain = slope * ((first == "wear") - slowdown)
    risk_now, risk_less = _expit(odds), _expit(odds - gain * CUT * wear)
    return pd.DataFrame(
        {
            "part_id": np.arange(1, n + 1),
            "night": night,
            "operator": operator,
            "hardness": np.round(hardness, 3),
            "temperature": np.round(24.0 + 2.0 * heat, 2),
            "wear": np.round(wear, 3),
            "drift": np.round(drift, 3),
            "defect": rng.binomial(1, risk_now),
            "coolant": np.round(coolant, 3),
            "risk_now": np.round(risk_now, 5),
            "risk_less": np.round(risk_less, 5),
        }
    )


def rate_after(frame, cut):
    """기본 세상의 표에서 마모를 ``cut``의 비율만큼 줄였을 때의 참 불량률(0에서 1).

    Raises
    ------
    ValueError
        ``cut``이 0 이상 1 미만이 아닐 때.
    """
    if isinstance(cut, bool) or not isinstance(cut, (int, float)) or not 0 <= cut < 1:
        raise ValueError(f"줄이는 비율 cut은 0 이상 1 미만의 수여야 합니다: {cut!r}")
    odds = np.log(frame["risk_now"] / (1 - frame["risk_now"]))
    return float(_expit(odds - LOGIT["drift"] * DRIFT_PER_WEAR * cut * frame["wear"]).mean())
