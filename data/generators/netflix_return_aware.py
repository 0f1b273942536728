"""세 해의 출시 실험 데이터: 한 행이 실험 하나를 회원의 번호로 나눈 네 조각 가운데 하나입니다.

개편마다 회원을 두 팔에 똑같이 나누고, 팔마다 회원을 다시 무작위 조각 넷에 담았습니다. 조각에는 두 팔의 차이와 표준오차만 남습니다.
참 효과의 분포는 꼬리가 두꺼워서 대부분의 개편은 거의 아무 일도 하지 않고 드물게 크게 듣습니다. 백에 여섯쯤은 조르는 개편이라 시청과 문의를 함께 늘립니다.
지금 규칙(양쪽 5%로 유의하게 좋음)에 든 개편은 출시되었습니다. 실험 번호 0은 마지막 해에 출시한 것을 하나도 받지 않은 1%의 회원과 나머지의 비교(홀드백)입니다.
숫자는 모두 만든 것이고 실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 2508, "n": 400, "years": 3, "tail": 4, "scale": 0.4, "drift": 1.0, "fade": 1.0, "crowd": 0.0}

BUCKETS = 4
"""회원 번호로 나눈 조각의 수."""
MEAN, PUSHY, PUSH = -0.05, 0.06, 0.3
"""조르지 않는 개편의 평균 효과(분/주), 조르는 개편의 비율, 조르는 개편이 더 늘리는 시청(분/주)."""
ASK_SD, ASK_PUSH = 0.05, 0.5
"""문의의 효과: 보통 개편의 표준편차와 조르는 개편의 평균(월 천 명당 건)."""
MINUTES_SD, ASKS_SD = 200.0, 141.4
"""회원 한 명의 주 시청 시간의 표준편차(분), 월 문의의 표준편차(천 명당 건)."""
USERS = np.array([100_000, 200_000, 400_000])
"""팔 하나의 회원 수."""
MEMBERS, HELD = 5_000_000, 0.01
"""회원 수와 홀드백의 비율."""


def effects(rng, shape, tail=4, scale=0.4):
    """개편의 참 효과를 뽑습니다.

    Parameters
    ----------
    rng : numpy.random.Generator
        난수 생성기.
    shape : tuple
        개편의 모양. 예를 들어 ``(세트, 실험)``.
    tail : int
        t 분포의 자유도. 0이면 분산이 자유도 4의 t와 같은 정규분포입니다.
    scale : float or numpy.ndarray
        t 분포에 곱하는 크기(분/주).

    Returns
    -------
    tuple of numpy.ndarray
        시청(분/주)과 문의(월 천 명당 건)의 참 효과.
    """
    z = rng.standard_t(tail, shape) if tail else np.sqrt(2) * rng.normal(size=shape)
    pushy = rng.random(shape) < PUSHY
    asks = ASK_SD * rng.normal(size=shape) + ASK_PUSH * pushy
    return MEAN + scale * z + PUSH * pushy, asks


def programmes(rng, sets, n=400, years=3, tail=4, scale=0.4, drift=1.0):
    """실험 ``years * n``건을 ``sets``세트 뽑습니다.

    Parameters
    ----------
    rng : numpy.random.Generator
        난수 생성기.
    sets, n, years : int
        세트, 한 해의 실험, 햇수.
    tail, scale, drift : int, float, float
        :func:`effects`의 인자와, 해마다 효과의 크기에 곱하는 수.

    Returns
    -------
    dict
        ``tau``와 ``asks``(참 효과), ``users``(팔의 회원), ``x``와 ``ask``(조각마다의 추정값), ``se``와 ``ask_se``(조각마다의 표준오차).
        추정값의 모양은 (세트, 실험, 조각)입니다.
    """
    size = scale * drift ** np.repeat(np.arange(years), n)
    tau, asks = effects(rng, (sets, years * n), tail, size)
    users = rng.choice(USERS, (sets, years * n), p=[0.3, 0.4, 0.3])
    root = np.sqrt(2 * BUCKETS / users)[..., None]
    shape = (*tau.shape, BUCKETS)
    x = tau[..., None] + MINUTES_SD * root * rng.normal(size=shape)
    ask = asks[..., None] + ASKS_SD * root * rng.normal(size=shape)
    return {
        "tau": tau, "asks": asks, "users": users, "x": x, "ask": ask,
        "se": np.broadcast_to(MINUTES_SD * root, shape), "ask_se": np.broadcast_to(ASKS_SD * root, shape),
    }  # fmt: skip


def bundled(total, crowd=0.0):
    """효과의 합이 ``total``분인 것들을 함께 쓸 때의 효과. 많이 출시할수록 서로 더 겹칩니다."""
    return total / (1 + crowd * np.maximum(total, 0))


def _check(n, years, tail, scale, drift, fade, crowd):
    for name, value, low, high in [("n", n, 20, 2_000), ("years", years, 1, 5)]:
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not whole or not low <= value <= high:
            raise ValueError(f"{name}은(는) {low}에서 {high} 사이의 정수여야 합니다: {value!r}")
    if not isinstance(tail, (int, np.integer)) or isinstance(tail, bool) or not (tail == 0 or 3 <= tail <= 100):
        raise ValueError(f"자유도 tail은 0(정규분포)이거나 3에서 100 사이의 정수여야 합니다: {tail!r}")
    for name, value, high in [("scale", scale, 2), ("drift", drift, 2), ("fade", fade, 1), ("crowd", crowd, 0.1)]:
        number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        if not number or not 0 <= value <= high:
            raise ValueError(f"{name}은(는) 0에서 {high} 사이의 수여야 합니다: {value!r}")


def generate(seed=2508, n=400, years=3, tail=4, scale=0.4, drift=1.0, fade=1.0, crowd=0.0):
    """실험마다의 네 조각과 홀드백의 네 조각을 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n, years : int
        한 해의 실험 수(20~2,000)와 햇수(1~5).
    tail : int
        효과의 t 분포의 자유도(3~100). 0이면 정규분포입니다.
    scale : float
        효과의 크기(0~2분/주).
    drift : float
        해마다 효과의 크기에 곱하는 수(0~2).
    fade : float
        실험에서 잰 효과 가운데 한 해 동안 남는 몫(0~1). 홀드백에만 나타납니다.
    crowd : float
        기능끼리 겹치는 정도(0~0.1). 합이 S분인 묶음은 :func:`bundled`만큼 듣습니다. 홀드백에만 나타납니다.

    Returns
    -------
    pandas.DataFrame
        홀드백(실험 번호 0), 이어서 실험과 조각의 순서. ``true_minutes``와 ``true_asks``는 정답 열이고, 홀드백의 것은 묶음의 효과입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, years, tail, scale, drift, fade, crowd)
    rng = np.random.default_rng(seed)
    drawn = {k: v[0] for k, v in programmes(rng, 1, n, years, tail, scale, drift).items()}
    year = np.repeat(np.arange(1, years + 1), n)
    shipped = (drawn["x"].mean(1) > 1.96 * drawn["se"][:, 0] / np.sqrt(BUCKETS)).astype(int)

    last = (shipped == 1) & (year == years)
    bundle = bundled(fade * drawn["tau"][last].sum(), crowd)
    asked = drawn["asks"][last].sum()
    held = int(MEMBERS * HELD) // BUCKETS
    root = np.sqrt(1 / held + BUCKETS / (MEMBERS * (1 - HELD)))
    noise = rng.normal(size=(2, BUCKETS))

    def by_bucket(first, values):
        return np.concatenate([np.broadcast_to(first, BUCKETS), np.repeat(values, BUCKETS)])

    return pd.DataFrame(
        {
            "year": by_bucket(years, year),
            "test": by_bucket(0, np.arange(1, n * years + 1)),
            "bucket": np.tile(np.arange(1, BUCKETS + 1), n * years + 1),
            "users": by_bucket(held, drawn["users"] // BUCKETS),
            "minutes": np.concatenate([bundle + MINUTES_SD * root * noise[0], drawn["x"].ravel()]).round(4),
            "minutes_se": np.concatenate([np.full(BUCKETS, MINUTES_SD * root), drawn["se"].ravel()]).round(4),
            "asks": np.concatenate([asked + ASKS_SD * root * noise[1], drawn["ask"].ravel()]).round(4),
            "asks_se": np.concatenate([np.full(BUCKETS, ASKS_SD * root), drawn["ask_se"].ravel()]).round(4),
            "shipped": by_bucket(1, shipped),
            "true_minutes": by_bucket(bundle, drawn["tau"]).round(6),
            "true_asks": by_bucket(asked, drawn["asks"]).round(6),
        }
    )
