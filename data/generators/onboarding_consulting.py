"""온보딩 컨설팅 데이터: 업무용 협업 도구를 새로 구독한 고객사 한 곳이 한 행입니다.

컨설팅은 신청한 고객사만 받습니다. 이미 잘 쓰던 고객사와 큰 고객사가 더 많이 신청하고,
효과는 가입 초기에 덜 쓰던 고객사와 전담 관리자가 없는 고객사에서 더 큽니다.
그래서 ATE, ATT, ATO가 서로 다릅니다. 실제 회사의 자료가 아니라 5주차를 위해 만든 모의 데이터입니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {
    "seed": 505,
    "n": 8000,
    "steepness": 1.0,
    "call_push": 1.0,
    "hidden": 0.0,
    "treatment_shape": "logit",
    "outcome_shape": "linear",
}

TREATMENT_SHAPES = ("logit", "banner")
OUTCOME_SHAPES = ("linear", "surge")


def _expit(value):
    return 1.0 / (1.0 + np.exp(-value))


def _check(n, steepness, call_push, hidden, treatment_shape, outcome_shape):
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 50:
        raise ValueError(f"고객사 수 n은 50 이상의 정수여야 합니다: {n!r}")
    if not 0 <= steepness <= 10:
        raise ValueError(f"쏠림 정도 steepness는 0에서 10 사이여야 합니다: {steepness!r}")
    if not 0 <= call_push <= 10:
        raise ValueError(f"권유 전화의 힘 call_push는 0에서 10 사이여야 합니다: {call_push!r}")
    if not 0 <= hidden <= 2:
        raise ValueError(f"숨은 교란의 크기 hidden은 0에서 2 사이여야 합니다: {hidden!r}")
    if treatment_shape not in TREATMENT_SHAPES:
        raise ValueError(f"treatment_shape는 {TREATMENT_SHAPES} 가운데 하나여야 합니다: {treatment_shape!r}")
    if outcome_shape not in OUTCOME_SHAPES:
        raise ValueError(f"outcome_shape는 {OUTCOME_SHAPES} 가운데 하나여야 합니다: {outcome_shape!r}")


def generate(
    seed=505,
    n=8000,
    steepness=1.0,
    call_push=1.0,
    hidden=0.0,
    treatment_shape="logit",
    outcome_shape="linear",
):
    """고객사 n곳의 관측값과 두 잠재적 결과를 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        고객사 수(50 이상).
    steepness : float
        공변량이 신청 여부를 가르는 정도의 배율. 1이 기본이고 클수록 두 집단이 덜 겹칩니다.
    call_push : float
        무작위로 배정한 권유 전화가 신청의 로그 오즈를 올리는 양. 결과에는 직접 영향을 주지 않습니다.
    hidden : float
        관측되지 않는 도입 의지(표준정규)가 신청의 로그 오즈를 올리는 양.
        같은 의지가 이용 시간도 0.5 * hidden시간 올립니다. 0이면 숨은 교란이 없습니다.
    treatment_shape : {"logit", "banner"}
        초기 이용 시간이 신청에 들어가는 모양. "banner"이면 주 4.6시간을 넘는 곳에만
        신청 배너가 떠서 신청 확률이 그 자리에서 뜁니다.
    outcome_shape : {"linear", "surge"}
        초기 이용 시간이 컨설팅 없는 결과에 들어가는 모양. "surge"이면 많이 쓰던 곳일수록
        이용이 지수로 불어납니다.

    Returns
    -------
    pandas.DataFrame
        n행. 시간은 계정당 주간 이용 시간, 만족도는 점(무응답은 결측).
        `score_true`, `drive`, `hours0`, `hours1`, `satisfaction0`, `satisfaction1`은 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, steepness, call_push, hidden, treatment_shape, outcome_shape)
    rng = np.random.default_rng(seed)

    seats = np.clip(np.round(np.exp(rng.normal(2.9, 0.7, n))), 3, 300).astype(int)
    early = np.round(np.clip(rng.gamma(4.0, 1.0, n), 0.3, 9.0), 2)
    admin = rng.binomial(1, 0.4, n)
    sales = rng.binomial(1, 0.3, n)
    call = rng.binomial(1, 0.5, n)
    drive = rng.normal(0.0, 1.0, n)

    z_early = (early - 4.0) / 2.0
    z_seats = (np.log(seats) - 2.9) / 0.7
    early_in_treatment = 0.9 * z_early if treatment_shape == "logit" else 3.0 * (z_early > 0.3) - 1.2
    pull = early_in_treatment + 0.5 * z_seats + 0.6 * (admin - 0.4) + 0.3 * (sales - 0.3)
    score = _expit(-0.6 + steepness * pull + call_push * (call - 0.5) + hidden * drive)
    consulted = rng.binomial(1, score)

    early_in_outcome = 0.7 * early if outcome_shape == "linear" else 1.9 + 0.12 * np.exp(0.5 * early)
    mean0 = 1.6 + early_in_outcome + 0.4 * admin + 0.2 * sales + 0.25 * z_seats
    mean0 = np.clip(mean0 + 0.5 * hidden * drive, 0.3, None)
    gain = 1.2 - 0.4 * z_early - 0.4 * admin
    noise = rng.gamma(10.0, 0.1, n)
    hours0 = np.round(mean0 * noise, 2)
    hours1 = np.round((mean0 + gain) * noise, 2)
    hours = np.where(consulted == 1, hours1, hours0)

    mood = rng.normal(0.0, 8.0, n)
    satisfaction0 = np.round(np.clip(38.0 + 4.0 * hours0 + mood, 0, 100), 1)
    satisfaction1 = np.round(np.clip(41.0 + 4.0 * hours1 + mood, 0, 100), 1)
    responded = rng.binomial(1, _expit(-1.4 + 0.6 * (hours - 4.5) + 0.7 * consulted))
    satisfaction = np.where(consulted == 1, satisfaction1, satisfaction0)

    return pd.DataFrame(
        {
            "company_id": np.arange(1, n + 1),
            "seats": seats,
            "early_hours": early,
            "has_admin": admin,
            "sales_led": sales,
            "call_assigned": call,
            "consulted": consulted,
            "hours_week8": hours,
            "responded": responded,
            "satisfaction": np.where(responded == 1, satisfaction, np.nan),
            "score_true": np.round(score, 5),
            "drive": np.round(drive, 4),
            "hours0": hours0,
            "hours1": hours1,
            "satisfaction0": satisfaction0,
            "satisfaction1": satisfaction1,
        }
    )
