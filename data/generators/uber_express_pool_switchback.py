"""합승 대기 시간 데이터: 한 행이 한 도시의 160분 구간 하나입니다. 하루는 아홉 구간입니다.

구간마다 도시 전체의 최대 대기 시간이 2분(``wait5`` 0)이거나 5분(1)입니다. 5분이면 그 구간의 취소가 늘고 기사에게 주는 돈이 줄어듭니다.
취소는 다음 구간에도 번집니다(``carry``). 출퇴근 구간에서는 취소의 효과가 두 배 반입니다.
구간의 수준은 공개된 표의 평균에 맞추었지만 숫자는 모두 만든 것이고, 실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 2018, "days": 14, "design": "alternating", "block": 2, "share": 0.5, "carry": 6.0, "lags": 1}

WINDOWS = 9
"""하루의 구간 수. 160분씩입니다."""
COMMUTE = (3, 6)
"""평일의 출근(8시)과 퇴근(16시) 구간."""
CANCELS = np.array([135.0, 118, 128, 142, 148, 155, 166, 182, 168])
"""2분일 때 구간별 평균 취소(건). 평일 출퇴근은 ``COMMUTE_CANCELS``입니다."""
COMMUTE_CANCELS = 247.0
TRIPS = np.array([3300.0, 2700, 3100, 3700, 3800, 3900, 4100, 4400, 4200])
COMMUTE_TRIPS = 5050.0
DIRECT = 24.0
"""5분 구간에서 바로 느는 취소(건)."""
COMMUTE_FACTOR = 2.5
DESIGNS = ("alternating", "blocks", "all2", "all5", "commute2")


def assign(rng, design, windows, block=2, share=0.5):
    """구간마다 5분이면 1, 2분이면 0.

    Parameters
    ----------
    rng : numpy.random.Generator
    design : {"alternating", "blocks", "all2", "all5"}
        "alternating"은 번갈아, "blocks"는 ``block``구간씩 묶어 묶음의 ``share``를 뽑습니다.
    windows : int
        구간 수.
    block : int
        묶음 하나의 구간 수.
    share : float
        5분으로 둘 묶음의 몫.

    Returns
    -------
    numpy.ndarray
        길이 ``windows``의 0과 1.
    """
    if design == "alternating":
        return (np.arange(windows) + rng.integers(2)) % 2
    if design == "blocks":
        blocks = -(-windows // block)
        chosen = rng.permutation(blocks) < round(blocks * share)
        return np.repeat(chosen, block)[:windows].astype(int)
    return np.full(windows, int(design == "all5"))


def _check(days, design, block, share, carry, lags):
    if not isinstance(days, (int, np.integer)) or isinstance(days, bool) or not 2 <= days <= 100_000:
        raise ValueError(f"날의 수 days는 2 이상 100000 이하의 정수여야 합니다: {days!r}")
    if not isinstance(design, str) or design not in DESIGNS:
        raise ValueError(f"설계 design은 {', '.join(DESIGNS)} 가운데 하나여야 합니다: {design!r}")
    if not isinstance(block, (int, np.integer)) or isinstance(block, bool) or not 1 <= block <= WINDOWS:
        raise ValueError(f"묶음의 길이 block은 1에서 {WINDOWS} 사이의 정수(구간)여야 합니다: {block!r}")
    if isinstance(share, bool) or not isinstance(share, (int, float, np.number)) or not 0.1 <= share <= 0.9:
        raise ValueError(f"5분으로 둘 몫 share는 0.1에서 0.9 사이여야 합니다: {share!r}")
    if isinstance(carry, bool) or not isinstance(carry, (int, float, np.number)) or not 0 <= carry <= 30:
        raise ValueError(f"이월 효과 carry는 0에서 30 사이(건)여야 합니다: {carry!r}")
    if not isinstance(lags, (int, np.integer)) or isinstance(lags, bool) or not 1 <= lags <= 3:
        raise ValueError(f"이월 효과의 차수 lags는 1, 2, 3 가운데 하나여야 합니다: {lags!r}")


def generate(seed=2018, days=14, design="alternating", block=2, share=0.5, carry=6.0, lags=1):
    """days일의 구간 기록과, 모든 구간이 2분 또는 5분이었을 때의 취소를 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    days : int
        날의 수(2 이상). 첫날은 월요일이고 행은 9 × days개입니다.
    design : {"alternating", "blocks", "all2", "all5", "commute2"}
        2분과 5분을 나누는 방법. ``assign``을 보세요. "commute2"는 출퇴근만 2분, 나머지는 모두 5분인 정책입니다.
    block, share : int, float
        "blocks"에서 묶음의 길이(1~9구간)와 5분으로 둘 묶음의 몫(0.1~0.9).
    carry : float
        앞 구간이 5분이었을 때 이 구간에서 더 느는 취소(0~30건, 출퇴근이 아닐 때).
    lags : int
        취소가 번지는 구간의 수(1~3). ``carry``를 고르게 나누어 번집니다.

    Returns
    -------
    pandas.DataFrame
        시간 순서. ``cancels_2``와 ``cancels_5``는 정답 열로, 실험 없이 늘 2분 또는 늘 5분이었을 때의 취소입니다.
        ``payout_2``와 ``payout_5``는 그때 기사에게 준 돈(달러/운행)입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(days, design, block, share, carry, lags)
    rng = np.random.default_rng(seed)
    n = days * WINDOWS
    day, window = np.repeat(np.arange(days), WINDOWS), np.tile(np.arange(WINDOWS), days)
    commute = np.isin(window, COMMUTE) & (day % 7 < 5)
    size = np.where(commute, COMMUTE_FACTOR, 1.0)
    arm = (~commute).astype(int) if design == "commute2" else assign(rng, design, n, block, share)

    steps = rng.normal(0.0, 1.0, (3, n))  # 취소, 운행, 지급액의 흔들림. 앞 구간의 흔들림이 남습니다
    shock = np.empty((3, n))
    shock[:, 0] = steps[:, 0]
    for t in range(1, n):
        shock[:, t] = 0.3 * shock[:, t - 1] + np.sqrt(1 - 0.3**2) * steps[:, t]
    cancels_2 = np.where(commute, COMMUTE_CANCELS, CANCELS[window]) + np.where(commute, 26.0, 14.0) * shock[0]
    earlier = np.zeros(n)
    for lag in range(1, lags + 1):
        # 실험 앞에는 모두 2분이었습니다
        earlier += np.concatenate([np.zeros(lag), arm[:-lag]]) / lags
    cancels = cancels_2 + size * (DIRECT * arm + carry * earlier)
    cancels_5 = cancels_2 + size * (DIRECT + carry)
    trips = np.where(commute, COMMUTE_TRIPS, TRIPS[window]) * (1 - np.where(commute, 0.04, 0.01) * arm)
    trips = trips + np.where(commute, 450.0, 260.0) * shock[1]
    payout_2 = np.where(commute, 7.80, 7.28) + 0.45 * shock[2]
    payout_5 = payout_2 - np.where(commute, 0.20, 0.40)
    return pd.DataFrame(
        {
            "day": day + 1,
            "weekend": (day % 7 >= 5).astype(int),
            "window": window,
            "commute": commute.astype(int),
            "wait5": arm,
            "trips": np.round(trips).astype(int),
            "cancels": np.round(cancels, 1),
            "payout": np.round(np.where(arm == 1, payout_5, payout_2), 3),
            "cancels_2": np.round(cancels_2, 1),
            "cancels_5": np.round(cancels_5, 1),
            "payout_2": np.round(payout_2, 3),
            "payout_5": np.round(payout_5, 3),
        }
    )
