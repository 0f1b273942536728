"""좋은 아이템 데이터: 대규모 업데이트의 주에 뽑기를 한 유저 한 명이 한 행입니다.

뽑기 한 번의 당첨 확률은 공시된 대로 3%이고, 뽑기권을 많이 들고 시작한 유저가 잘 얻습니다. 기록에 없는 열의는 뽑기권도, 접속의
변화도 늘립니다. 그래서 열의는 스스로 모은 뽑기권을 거쳐서만 획득에 닿습니다. 이벤트 뽑기권 열 장은 절반에게 추첨으로 나누어
주었습니다. 당첨되면 뽑기를 그만두므로 한 주 동안 뽑은 횟수는 획득의 결과입니다. 상위 전장과 그룹 상향은 획득과 나중의 접속이
함께 만드는 충돌부입니다. ``refill``이면 열의 있는 유저가 떨어진 뒤에 뽑기권을 더 사고, ``boost``이면 접속이 줄던 유저의 확률을 몰래
올려 주며, ``call``은 이벤트 뽑기권이 획득과 무관하게 늘린 접속 일수입니다. 실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 513, "n": 5000, "eager": 1.0, "refill": 0.0, "boost": 0.0, "call": 0.0, "effect": 1.0}

ODDS = 0.03
"""뽑기 한 번에 영웅 등급이 나올 공시된 확률."""
EVENT = 10
"""추첨으로 나누어 준 이벤트 뽑기권(장)."""
LOW, HIGH = 4.0, 1.5
"""참여가 낮은 그룹과 높은 그룹의 평균 효과(접속 일수/30일)."""


def _check(n, numbers):
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or not 400 <= n <= 2_000_000:
        raise ValueError(f"유저 수 n은 400에서 2,000,000 사이의 정수여야 합니다: {n!r}")
    for name, (value, top) in numbers.items():
        real = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        if not real or not 0 <= value <= top:
            raise ValueError(f"{name}은(는) 0에서 {top} 사이의 수여야 합니다: {value!r}")


def generate(seed=513, n=5000, eager=1.0, refill=0.0, boost=0.0, call=0.0, effect=1.0):
    """뽑기를 한 유저 n명의 기록과 두 잠재적 결과를 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        유저 수(400에서 2,000,000).
    eager : float
        기록에 없는 열의의 크기(0~3배). 열의는 뽑기권과 접속의 변화를 함께 늘립니다.
    refill : float
        다 떨어진 뒤에 더 사는 뽑기권의 평균(0~30장). 열의가 클수록 많이 삽니다.
    boost : float
        접속이 줄던 유저에게 몰래 올려 준 확률의 크기(0~2, 로그).
    call : float
        이벤트 뽑기권이 획득과 무관하게 늘린 접속 일수(0~5일).
    effect : float
        효과의 크기(0~2배). 0이면 두 잠재적 결과가 같습니다.

    Returns
    -------
    pandas.DataFrame
        유저의 순서. ``login_change``는 뒤 30일의 접속 일수에서 앞 30일의 접속 일수를 뺀 값입니다.
        ``zeal``, ``change_0``, ``change_1``은 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    limits = {
        "eager": (eager, 3),
        "refill": (refill, 30),
        "boost": (boost, 2),
        "call": (call, 5),
        "effect": (effect, 2),
    }
    _check(n, limits)
    rng = np.random.default_rng(seed)
    high = rng.random(n) < 0.4
    zeal, slump = rng.normal(size=(2, n))
    age = np.round(np.exp(rng.normal(5.0, 0.8, n)).clip(8, 1500))
    level = np.round((30 + 6 * np.log(age) + 3 * high + 4 * rng.normal(size=n)).clip(1, 100))
    spend = np.round(np.exp(0.9 + 0.5 * high + 0.03 * (level - 60) + 0.9 * rng.normal(size=n)).clip(0, 2000), 1)
    rich = np.log1p(spend)
    rare = rng.poisson(np.exp(0.9 + 0.02 * (level - 60) + 0.15 * rich))
    deaths = rng.poisson(np.exp(1.4 + 0.3 * high - 0.02 * (level - 60) + 0.5 * rng.normal(size=n)))
    stuck = np.log1p(deaths)

    event = rng.random(n) < 0.5
    own = 1 + rng.poisson(np.exp(0.8 + 0.3 * rich + 0.06 * (rare - 3) + 0.5 * eager * zeal).clip(0, 60))
    held = own + EVENT * event
    more = rng.poisson(refill * np.exp(zeal - 0.5)) if refill else 0
    trend = -0.8 * slump
    odds = np.minimum(ODDS * np.exp(boost * slump), 0.5)
    first = np.ceil(np.log1p(-rng.random(n)) / np.log1p(-odds)).clip(1)  # 몇 번째에 처음 당첨될지
    hero = first <= held + more
    tries = np.minimum(first, held + more)

    past = np.round((trend + 0.5 * zeal * eager + rng.normal(0, 3.5, n)).clip(-30, 30))
    mean = (
        np.where(high, -1.5, -2.5)
        + 2.0 * eager * zeal
        + trend
        + 0.6 * (rich - 1.5)
        + 0.3 * (rare - 3)
        - 1.5 * (stuck - 1.5)
    )
    lift = effect * (np.where(high, HIGH, LOW) + 1.0 * (stuck - 1.6))
    noise = rng.normal(0, 3.5, n)
    arena_noise = rng.normal(size=n)
    change_0 = np.round((mean + call * event + noise).clip(-30, 30))
    change_1 = np.round((mean + lift + call * event + noise).clip(-30, 30))
    change = np.where(hero, change_1, change_0)
    arena = np.round((3 + 4 * effect * hero + 0.25 * (change + 2) + 1.5 * arena_noise).clip(0, 60))
    promoted = rng.random(n) < 1 / (1 + np.exp(1.6 - 0.45 * change - 1.0 * hero + 1.0 * high))
    return pd.DataFrame(
        {
            "user_id": np.arange(1, n + 1),
            "high_group": high.astype(int),
            "account_age": age.astype(int),
            "level": level.astype(int),
            "total_spend": spend,
            "rare_classes": rare,
            "deaths": deaths,
            "event_tickets": EVENT * event.astype(int),
            "own_tickets": own,
            "past_change": past.astype(int),
            "hero": hero.astype(int),
            "week_tries": tries.astype(int),
            "arena_entries": arena.astype(int),
            "promoted": promoted.astype(int),
            "login_change": change.astype(int),
            "zeal": np.round(zeal, 3),
            "change_0": change_0.astype(int),
            "change_1": change_1.astype(int),
        }
    )
