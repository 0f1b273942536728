"""문의 응답 데이터: 고객지원팀이 받은 문의 한 건이 한 행입니다.

급한 문의일수록 먼저 답하고, 급한 문의를 낸 고객사는 원래 이용이 줄어들 참이었습니다.
그래서 늦게 답해도 이용이 줄지 않는 것처럼 보입니다.
실제 회사의 자료가 아니라 5주차를 위해 만든 모의 데이터입니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 506, "n": 4000, "slope": -0.3, "triage": 1.0}


def generate(seed=506, n=4000, slope=-0.3, triage=1.0):
    """문의 n건을 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗.
    n : int
        문의 수(50 이상).
    slope : float
        첫 응답까지 걸린 시간이 두 배가 될 때 이후 4주의 계정당 주간 이용 시간 변화(시간).
    triage : float
        심각도와 규모에 따라 순서를 당기는 정도의 배율(0이면 순서가 무작위입니다).

    Returns
    -------
    pandas.DataFrame
        n행. `reply_minutes`는 분, `hours_before`와 `hours_after`는 계정당 주간 이용 시간.
        정답 열 `hours_at_60`은 60분 만에 답했을 때의 잠재적 결과입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 50:
        raise ValueError(f"문의 수 n은 50 이상의 정수여야 합니다: {n!r}")
    if not -2 <= slope <= 2:
        raise ValueError(f"기울기 slope는 -2에서 2 사이여야 합니다: {slope!r}")
    if not 0 <= triage <= 5:
        raise ValueError(f"순서를 당기는 정도 triage는 0에서 5 사이여야 합니다: {triage!r}")
    rng = np.random.default_rng(seed)

    severity = rng.choice([1, 2, 3, 4, 5], size=n, p=[0.2, 0.3, 0.25, 0.15, 0.1])
    seats = np.clip(np.round(np.exp(rng.normal(2.9, 0.7, n))), 3, 300).astype(int)
    before = np.round(rng.gamma(12.0, 0.5, n), 2)
    z_seats = (np.log(seats) - 2.9) / 0.7

    log_reply = 6.0 - triage * (0.33 * (severity - 2.65) + 0.2 * z_seats) + rng.normal(0.0, 0.9, n)
    minutes = np.round(2.0**log_reply, 1)
    at_60 = 2.2 + 0.75 * before - 0.65 * (severity - 2.65) + 0.2 * z_seats + rng.normal(0.0, 1.0, n)
    after = at_60 + slope * np.log2(minutes / 60.0)

    return pd.DataFrame(
        {
            "ticket_id": np.arange(1, n + 1),
            "severity": severity,
            "seats": seats,
            "hours_before": before,
            "reply_minutes": minutes,
            "hours_after": np.round(np.clip(after, 0.0, None), 2),
            "hours_at_60": np.round(np.clip(at_60, 0.0, None), 2),
        }
    )
