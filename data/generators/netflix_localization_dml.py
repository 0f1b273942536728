"""더빙 데이터: 한 행이 '한 작품의 한 언어'입니다.

기대를 모은 작품일수록 더빙을 만들고, 또 많이 봅니다. 공개 전의 신호 셋이 기대를 거의 드러내지만 곧은 선으로는 아닙니다.
더빙의 효과는 시장마다 다릅니다. 기록되지 않는 매력은 시청에만 닿습니다. ``leak``을 주면 매력이 더빙의 결정에도 샙니다.
한 작품의 언어들은 신호와 매력을 함께 씁니다. 실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 2022, "n": 1_200, "leak": 0.0}

# 언어마다 (시장의 크기, 더빙의 효과(로그), 더빙 비용(백만 원/작품))
MARKETS = {
    "일본어": (0.5, 0.26, 60),
    "독일어": (0.3, 0.18, 70),
    "한국어": (0.2, 0.12, 45),
    "스페인어": (0.6, 0.14, 40),
    "네덜란드어": (-0.8, 0.02, 35),
}


def _check(n, leak):
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 50:
        raise ValueError(f"작품 수 n은 50 이상의 정수여야 합니다: {n!r}")
    if isinstance(leak, (bool, str)) or not isinstance(leak, (int, float, np.number)) or not 0 <= leak <= 2:
        raise ValueError(f"매력이 새는 힘 leak은 0에서 2 사이의 수여야 합니다: {leak!r}")


def generate(seed=2022, n=1_200, leak=0.0):
    """작품 n편의 다섯 언어 기록과 두 잠재적 결과를 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        작품 수(50 이상). 언어가 다섯이므로 행은 5n개입니다.
    leak : float
        기록되지 않는 매력이 더빙의 결정에 새는 힘(로그 오즈, 0에서 2). 0이면 새지 않습니다.

    Returns
    -------
    pandas.DataFrame
        5n행. 시청은 공개 뒤 28일의 천 시간이고, 신호는 표준편차 단위입니다.
        ``appeal``, ``chance``, ``hours_0``, ``hours_1``은 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, leak)
    rng = np.random.default_rng(seed)
    size, effect, cost = np.array(list(MARKETS.values())).T
    title = np.repeat(np.arange(n), len(MARKETS))
    market = np.tile(np.arange(len(MARKETS)), n)
    s1, s2, s3 = np.round(rng.normal(size=(3, n)), 2)
    genre, appeal = rng.binomial(1, 0.4, n), rng.normal(size=n)
    pull = 0.6 * s1 + 0.5 * (s2**2 - 1.0) + 0.4 * s1 * s3
    fit = np.round(size[market] + rng.normal(0.0, 0.5, len(title)), 2)  # 그 시장에서 장르와 배우가 통하는 정도

    def logistic(value):
        return 1.0 / (1.0 + np.exp(-value))

    chance = logistic(-0.6 + 0.9 * pull[title] + 0.6 * fit + 0.3 * genre[title] + leak * appeal[title])
    dub = rng.binomial(1, chance)
    level = 2.0 + 0.8 * pull[title] + 0.7 * fit + 0.3 * genre[title] + 0.5 * appeal[title]
    log_0 = level + rng.normal(0.0, 0.8, len(title))
    trailer = 1.0 + 0.5 * pull[title] + 0.5 * fit + 0.5 * appeal[title] + rng.normal(0.0, 0.6, len(title))
    hours_0, hours_1 = np.exp(log_0), np.exp(log_0 + effect[market])
    return pd.DataFrame(
        {
            "title_id": title + 1,
            "language": np.array(list(MARKETS))[market],
            "search": s1[title],
            "social": s2[title],
            "critics": s3[title],
            "drama": genre[title],
            "market_fit": fit,
            "cost": cost[market].astype(int),
            "trailer": np.round(trailer, 2),
            "dub": dub,
            "hours": np.round(np.where(dub == 1, hours_1, hours_0), 3),
            "appeal": np.round(appeal[title], 3),
            "chance": np.round(chance, 4),
            "hours_0": np.round(hours_0, 3),
            "hours_1": np.round(hours_1, 3),
        }
    )
