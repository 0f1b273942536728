"""두 지표와 접속일 데이터: 구독 서비스 회원 한 명이 한 행입니다.

회사는 회원을 두 지표로 봅니다. 게임을 자주 하는가, 시청 시간이 긴가. 휴대전화로 보는 회원은 게임을 할지
말지가 반반이고, TV로 보는 회원은 거의 하지 않습니다. 시청은 거꾸로입니다. 두 지표의 효과는 회원의 화면에
따라 다릅니다. 지표의 높고 낮음은 기록된 변수로만 정해집니다. ``hidden=True``이면 기록되지 않는 취향이
긴 시청을 직접 늘립니다. 실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 24, "n": 20_000, "rare": 0.04, "hidden": False}

EFFECT_GAMES = (0.5, 3.0)
"""게임을 자주 하는 것의 효과(일/12주). 앞은 TV, 뒤는 휴대전화 회원."""
EFFECT_STREAM = (1.9, 2.5)
"""긴 시청의 효과(일/12주). 앞은 TV, 뒤는 휴대전화 회원."""


def _expit(value):
    return 1.0 / (1.0 + np.exp(-value))


def _check(n, rare, hidden):
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 200:
        raise ValueError(f"회원 수 n은 200 이상의 정수여야 합니다: {n!r}")
    if isinstance(rare, bool) or not isinstance(rare, (int, float, np.number)) or not 0.01 <= rare <= 0.5:
        raise ValueError(f"TV 회원이 게임을 자주 할 확률 rare는 0.01에서 0.5 사이의 수여야 합니다: {rare!r}")
    if not isinstance(hidden, (bool, np.bool_)):
        raise ValueError(f"hidden은 True나 False여야 합니다: {hidden!r}")


def generate(seed=24, n=20_000, rare=0.04, hidden=False):
    """회원 n명의 두 지표와 이후 12주의 접속일을 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        회원 수(200 이상).
    rare : float
        TV 회원이 게임을 자주 할 확률의 가운데 값(0.01에서 0.5). 0.5이면 두 화면의 회원이 똑같이 고릅니다.
    hidden : bool
        참이면 기록되지 않는 취향이 긴 시청을 늘립니다.

    Returns
    -------
    pandas.DataFrame
        n행. 접속일은 일/12주, 가입 기간은 개월입니다. ``taste``와 ``effect_``, ``chance_``로 시작하는 열은 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, rare, hidden)
    rng = np.random.default_rng(seed)
    mobile = (rng.random(n) < 0.5).astype(int)
    tenure = np.floor(rng.gamma(2.0, 9.0, n)).clip(0, 90).astype(int)
    taste = rng.normal(0.0, 1.0, n)
    past = np.round(40 + 6 * taste + rng.normal(0.0, 4.0, n)).clip(0, 84).astype(int)
    prior = np.round(40 + 6 * taste + rng.normal(0.0, 4.0, n)).clip(0, 84).astype(int)

    z, long = (past - 40) / 7.2, (np.log1p(tenure) - 2.7) / 0.8
    chance_games = _expit(np.where(mobile, 0.0, np.log(rare / (1 - rare))) + 0.25 * z - 0.2 * long)
    chance_stream = _expit(np.where(mobile, 2.5, 0.0) + 0.25 * z + 0.2 * long + (0.9 * taste if hidden else 0.0))
    games, stream = (rng.random(n) < chance_games).astype(int), (rng.random(n) < chance_stream).astype(int)

    effect_games, effect_stream = np.asarray(EFFECT_GAMES)[mobile], np.asarray(EFFECT_STREAM)[mobile]
    days = (
        36
        + 3.5 * taste
        + 1.0 * long
        - 1.5 * mobile
        + effect_games * games
        + effect_stream * stream
        + rng.normal(0.0, 5.0, n)
    )
    return pd.DataFrame(
        {
            "member_id": np.arange(1, n + 1),
            "mobile": mobile,
            "tenure_months": tenure,
            "past_days": past,
            "prior_days": prior,
            "games_high": games,
            "stream_high": stream,
            "active_days": np.round(days).clip(0, 84).astype(int),
            "taste": np.round(taste, 3),
            "effect_games": effect_games,
            "effect_stream": effect_stream,
            "chance_games": np.round(chance_games, 4),
            "chance_stream": np.round(chance_stream, 4),
        }
    )
