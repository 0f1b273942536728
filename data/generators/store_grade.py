"""점검 점수와 냉장 설비 지원 데이터: 편의점 한 점포가 한 행입니다.

본사는 분기 점검 점수가 70점 이상인 점포에 냉장 설비 지원을 신청할 자격을 줍니다. 자격이 있어도 신청하지 않는 점포가 있고,
70점이 안 되어도 예외로 받는 점포가 있습니다(퍼지 불연속 설계). 점수가 높은 점포는 설비가 없어도 많이 팝니다. ``lift``가
0보다 크면 점검자가 68~70점인 점포의 점수를 70점 바로 위로 올려 줍니다. 열심인 점주의 점포를 더 올려 줍니다.
실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 1170, "n": 10_000, "lift": 0.0}

CUTOFF = 70.0
"""자격이 생기는 점수."""
REACH = 2.0
"""점수를 올려 주는 일이 일어나는 폭(점)."""
EFFECT_AT_CUTOFF = 18.0
"""임곗값에서 순응자의 효과(하루 매출, 만 원). 점수가 높을수록 줄어듭니다."""


def _check(n, lift):
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 500:
        raise ValueError(f"점포 수 n은 500 이상의 정수여야 합니다: {n!r}")
    if isinstance(lift, bool) or not isinstance(lift, (int, float, np.number)) or not 0.0 <= lift <= 1.0:
        raise ValueError(f"점수를 올려 주는 비율 lift는 0에서 1 사이의 수여야 합니다: {lift!r}")


def generate(seed=1170, n=10_000, lift=0.0):
    """점포 n곳의 점검 점수, 지원 여부, 하루 매출과 잠재적 결과를 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        점포 수(500 이상).
    lift : float
        68점 이상 70점 미만인 점포의 점수를 70점 위로 올려 주는 평균 비율(0~1).

    Returns
    -------
    pandas.DataFrame
        한 점포가 한 행. ``prior_sales``와 ``sales``는 점검한 분기와 다음 분기의 하루 매출(만 원)입니다. ``kind``, ``effect``(지원의 개별 효과),
        ``sales_0``(지원이 없을 때의 하루 매출), ``true_score``(올려 주기 전의 점수)는 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, lift)
    rng = np.random.default_rng(seed)
    drive = rng.normal(0.0, 1.0, n)  # 기록에 남지 않는 점주의 열심
    true_score = np.round(np.clip(66.0 + 3.0 * drive + rng.normal(0.0, np.sqrt(91.0), n), 25.0, 99.9), 1)
    near = (true_score >= CUTOFF - REACH) & (true_score < CUTOFF)
    lifted = near & (rng.random(n) < np.minimum(1.0, 2.0 * lift / (1.0 + np.exp(-2.0 * drive))))
    bonus = np.round(rng.uniform(0.0, 1.4, n), 1)
    score = np.where(lifted, CUTOFF + np.minimum(bonus, 1.4), true_score)

    # 순응의 꼴: 열심인 점주일수록 예외를 얻어 내고, 자격이 생기면 신청합니다.
    rank = 0.5 * drive + np.sqrt(0.75) * rng.normal(0.0, 1.0, n)
    keen, willing = rank > 1.2816, rank > -0.3853
    kind = np.array(["never", "complier", "always"], dtype=object)[keen.astype(int) + willing]
    helped = (keen | (willing & (score >= CUTOFF))).astype(int)

    base = 130.0 + 60.0 / (1.0 + np.exp(-(true_score - 64.0) / 6.0)) + 10.0 * drive
    prior = base + rng.normal(0.0, 20.0, n)
    sales_0 = base + rng.normal(0.0, 20.0, n)
    effect = EFFECT_AT_CUTOFF * np.exp(-(true_score - CUTOFF) / 15.0) + 4.0 * keen - 8.0 * ~willing
    return pd.DataFrame(
        {
            "store_id": np.arange(1, n + 1),
            "score": np.round(score, 1),
            "prior_sales": np.round(prior, 1),
            "helped": helped,
            "sales": np.round(sales_0 + helped * effect, 1),
            "kind": kind,
            "effect": np.round(effect, 2),
            "sales_0": np.round(sales_0, 1),
            "true_score": true_score,
        }
    )
