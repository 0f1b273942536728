"""지난 실험 데이터: 한 행이 실험의 한 팔을 열로 나눈 조각 하나입니다.

화면 개편 실험마다 회원을 두 팔에 무작위로 나누고, 팔마다 회원을 다시 무작위 조각 열 개에 담았습니다.
조각에는 클릭, 완주, 접속일의 평균과 회원 사이의 분산, 공분산이 남습니다. 회원 한 명씩의 기록은 버렸습니다.
개편의 참 효과는 실험마다 다르고, 클릭을 늘리는 개편은 대체로 장기 접속일을 줄입니다.
같은 회원의 클릭과 접속일은 함께 크므로 추정한 두 효과의 표집 오차도 함께 움직입니다.
실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 824, "n": 300, "users": 5_000, "slope": -0.25, "direct": 0.00866, "new_share": 0.0}

BUCKETS = 10
"""팔마다 나눈 조각의 수."""
METRICS = ["clicks", "finishes", "days"]
"""클릭(회/일), 완주(편/일), 접속일(일/주)."""
NOISE = np.array([[1.0, 0.125, 0.72], [0.125, 0.25, 0.18], [0.72, 0.18, 1.44]])
"""기존 회원 한 명의 세 지표의 공분산. 클릭과 접속일의 상관은 0.6입니다."""
NOISE_NEW = np.array([[2.25, 0.1875, 2.16], [0.1875, 0.5625, 0.405], [2.16, 0.405, 3.24]])
"""신규 회원 한 명의 공분산. 흔들림이 1.5배이고 클릭과 접속일의 상관은 0.8입니다."""
CLICK_SD, FINISH_SD = 0.020, 0.012
"""참 효과의 표준편차: 클릭(회/일), 완주(편/일)."""


def effects(rng, size, slope=-0.25, direct=0.00866):
    """개편의 참 효과를 뽑습니다.

    Parameters
    ----------
    rng : numpy.random.Generator
        난수 생성기.
    size : tuple
        개편의 모양. 예를 들어 ``(300,)``.
    slope : float
        클릭을 거치는 몫: 클릭의 효과 하나가 바꾸는 접속일(일/주 per 회/일).
    direct : float
        클릭을 거치지 않는 효과의 표준편차(일/주). 클릭의 효과와 독립입니다.

    Returns
    -------
    numpy.ndarray
        모양이 ``(*size, 3)``인 클릭, 완주, 접속일의 참 효과.
    """
    z = rng.normal(size=(*size, 3))
    clicks = CLICK_SD * z[..., 0]
    days = slope * clicks + direct * z[..., 1]
    finishes = FINISH_SD * (-0.3 * z[..., 0] + 0.635 * z[..., 1] + np.sqrt(1 - 0.3**2 - 0.635**2) * z[..., 2])
    return np.stack([clicks, finishes, days], axis=-1)


def _check(n, users, slope, direct, new_share):
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 10:
        raise ValueError(f"실험 수 n은 10 이상의 정수여야 합니다: {n!r}")
    if not isinstance(users, (int, np.integer)) or isinstance(users, bool) or users < 100 or users % 50:
        raise ValueError(f"팔 하나의 회원 수 users는 100 이상인 50의 배수여야 합니다: {users!r}")
    for name, value, low, high in [
        ("클릭을 거치는 기울기 slope", slope, -1, 1), ("직접 효과의 표준편차 direct", direct, 0, 0.1), ("신규 회원 실험의 몫 new_share", new_share, 0, 0.9),
    ]:  # fmt: skip
        if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not low <= value <= high:
            raise ValueError(f"{name}은(는) {low}에서 {high} 사이여야 합니다: {value!r}")


def _scatter(rng, factor, df):
    """자유도 df인 위샤트 난수를 df로 나눈 것: 조각 안 회원들의 표본 공분산."""
    a = np.zeros((len(df), 3, 3))
    for i in range(3):
        a[:, i, i] = np.sqrt(rng.chisquare(df - i))
        for j in range(i):
            a[:, i, j] = rng.normal(size=len(df))
    m = factor @ a
    return m @ m.transpose(0, 2, 1) / df[:, None, None]


def generate(seed=824, n=300, users=5_000, slope=-0.25, direct=0.00866, new_share=0.0):
    """실험 n건의 팔과 조각마다의 평균, 분산, 공분산을 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        실험 수(10 이상).
    users : int
        팔 하나의 회원 수(100 이상, 50의 배수). 조각 열 개에 똑같이 나눕니다.
    slope : float
        참 효과의 기울기(-1~1, 접속일 일/주를 클릭 회/일로 나눈 것).
    direct : float
        클릭을 거치지 않는 접속일 효과의 표준편차(0~0.1일/주).
    new_share : float
        신규 회원만 모은 작은 실험의 몫(0~0.9). 회원 수가 5분의 1이고 회원마다의 흔들림과 상관이 더 큽니다.

    Returns
    -------
    pandas.DataFrame
        실험, 팔, 조각의 순서. ``tau_clicks``, ``tau_finishes``, ``tau_days``(실험의 참 효과)는 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, users, slope, direct, new_share)
    rng = np.random.default_rng(seed)
    tau = effects(rng, (n,), slope, direct)
    season = rng.normal(0.0, [0.15, 0.05, 0.10], (n, 3))  # 실험을 한 철의 형편
    new = rng.random(n) < new_share

    experiment = np.repeat(np.arange(n), 2 * BUCKETS)
    arm = np.tile(np.repeat([0, 1], BUCKETS), n)
    size = np.where(new[experiment], users // 5, users) // BUCKETS
    root, root_new = np.linalg.cholesky(NOISE), np.linalg.cholesky(NOISE_NEW)
    factor = np.where(new[experiment][:, None, None], root_new, root)
    z = rng.normal(size=(len(experiment), 3, 1))
    means = (
        np.array([6.0, 1.4, 4.1])
        + season[experiment]
        + arm[:, None] * tau[experiment]
        + (factor @ z)[..., 0] / np.sqrt(size)[:, None]
    )
    scatter = _scatter(rng, factor, size - 1)

    table = {
        "experiment": experiment + 1,
        "arm": arm,
        "bucket": np.tile(np.arange(1, BUCKETS + 1), 2 * n),
        "users": size,
    }
    table |= {name: means[:, k].round(5) for k, name in enumerate(METRICS)}
    table |= {f"{name}_var": scatter[:, k, k].round(4) for k, name in enumerate(METRICS)}
    for i, j in [(0, 1), (0, 2), (1, 2)]:
        table[f"{METRICS[i]}_{METRICS[j]}_cov"] = scatter[:, i, j].round(4)
    table |= {f"tau_{name}": tau[experiment, k].round(6) for k, name in enumerate(METRICS)}
    return pd.DataFrame(table)
