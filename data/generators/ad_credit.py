"""광고 크레딧 데이터: 등급마다 다른 확률로 추첨한 조건부 무작위 실험입니다.

셀러 한 곳이 한 행입니다. 등급이 높을수록 당첨 확률이 높은데, 효과는 등급이 낮을수록 큽니다.
그래서 등급을 보정한 회귀의 계수는 ATE가 아닙니다. MD 한 사람이 맡은 셀러들은 같은 행사에 함께
오르내립니다. 실제 회사의 자료가 아니라 4주차를 위해 만든 모의 데이터입니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 407, "n": 12000, "mds": 80, "md_shock": 15.0, "assign": "seller"}

ASSIGNMENTS = ("seller", "md")

# 등급: 비율, 추첨 확률, 크레딧이 없을 때의 마진(만 원), 크레딧의 평균 효과(만 원), 셀러 사이의 표준편차(만 원)
GRADES = {
    "새싹": (0.45, 0.08, 60.0, 62.0, 45.0),
    "일반": (0.30, 0.50, 150.0, 18.0, 60.0),
    "우수": (0.17, 0.50, 330.0, 8.0, 70.0),
    "파워": (0.08, 0.92, 900.0, 4.0, 100.0),
}


def _check(n, mds, md_shock, assign):
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 200:
        raise ValueError(f"셀러 수 n은 200 이상의 정수여야 합니다: {n!r}")
    if not isinstance(mds, (int, np.integer)) or isinstance(mds, bool) or not 4 <= mds <= n // 5:
        raise ValueError(f"MD 수 mds는 4 이상이고 셀러 수의 5분의 1 이하인 정수여야 합니다: {mds!r}")
    if not 0 <= md_shock <= 200:
        raise ValueError(f"행사의 크기 md_shock은 0에서 200 사이여야 합니다: {md_shock!r}")
    if assign not in ASSIGNMENTS:
        raise ValueError(f"assign은 {ASSIGNMENTS} 가운데 하나여야 합니다: {assign!r}")


def generate(seed=407, n=12000, mds=80, md_shock=15.0, assign="seller"):
    """셀러 n곳에 광고 크레딧을 추첨하고 한 달 뒤의 마진을 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        셀러 수(200 이상).
    mds : int
        MD의 수. 셀러는 무작위로 MD에게 맡겨집니다.
    md_shock : float
        같은 MD의 셀러들이 함께 오르내리는 마진의 표준편차(만 원).
    assign : {"seller", "md"}
        "seller"이면 셀러마다 등급의 확률로 추첨하고, "md"이면 MD의 절반을 뽑아
        그 MD의 셀러 모두에게 줍니다(이때는 등급과 무관합니다).

    Returns
    -------
    pandas.DataFrame
        n행. 마진의 단위는 만 원/월이며 크레딧의 비용은 빼지 않았습니다.
        `chance`, `margin0`, `margin1`은 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, mds, md_shock, assign)
    rng = np.random.default_rng(seed)

    names = np.array(list(GRADES))
    share, chance, base, effect, spread = np.array(list(GRADES.values())).T
    grade = rng.choice(len(names), n, p=share)
    md = rng.integers(0, mds, n)
    shock = rng.normal(0.0, md_shock, mds)[md] if md_shock > 0 else np.zeros(n)
    draw = rng.random(n)
    chosen = rng.permutation(mds) < mds // 2
    if assign == "seller":
        probability = chance[grade]
        credit = (draw < probability).astype(int)
    else:
        probability = np.full(n, (mds // 2) / mds)
        credit = chosen[md].astype(int)

    margin0 = base[grade] + shock + spread[grade] * rng.normal(0.0, 1.0, n)
    margin1 = margin0 + effect[grade] + 10.0 * rng.normal(0.0, 1.0, n)
    margin0, margin1 = np.round(margin0, 1), np.round(margin1, 1)

    return pd.DataFrame(
        {
            "seller_id": np.arange(1, n + 1),
            "md": md + 1,
            "grade": names[grade],
            "credit": credit,
            "margin": np.where(credit == 1, margin1, margin0),
            "chance": np.round(probability, 4),
            "margin0": margin0,
            "margin1": margin1,
        }
    )
