"""신규 유저와 첫 PK 데이터: 온라인 게임에 새로 온 유저 한 명이 한 행입니다.

PK(player killing)는 다른 유저에게 죽는 일입니다. 가입한 날(0일)에는 안전한 곳에 있고, 1일부터 7일까지 날마다
죽을 위험에 놓입니다. 오래 하는 유저와 전쟁 서버의 유저가 더 자주 죽습니다. 잠깐 맛만 보는 유저는 대개 첫날에
떠나서 죽을 겨를이 없습니다. 그래서 죽은 유저의 이탈률이 터무니없이 낮게 보입니다.
그날 아침까지의 기록이 같으면 누가 그날 죽는지는 우연입니다. ``hidden=True``이면 기록되지 않는 길드 활동이
죽을 위험과 남을 힘을 함께 키웁니다. 실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 617, "n": 20_000, "ratio": 0.4, "hidden": False}

RISK_DAYS = range(1, 8)
"""PK를 당할 수 있는 날. 0일은 튜토리얼이라 안전합니다."""
HORIZON = 28
"""가입한 뒤 이만큼(일) 안에 떠나면 이탈입니다."""


def _expit(value):
    return 1.0 / (1.0 + np.exp(-value))


def _check(n, ratio, hidden):
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 200:
        raise ValueError(f"유저 수 n은 200 이상의 정수여야 합니다: {n!r}")
    if isinstance(ratio, bool) or not isinstance(ratio, (int, float, np.number)) or not 0 <= ratio <= 3:
        raise ValueError(f"PK 뒤 떠날 위험의 배율 ratio는 0에서 3 사이의 수여야 합니다: {ratio!r}")
    if not isinstance(hidden, (bool, np.bool_)):
        raise ValueError(f"hidden은 True나 False여야 합니다: {hidden!r}")


def _live(leave, kill_risk, u_leave, u_kill, ratio, spared):
    """날마다 PK와 이탈을 굴립니다. ``spared``는 PK를 막은 날(0은 없음, -1은 모든 날).

    Returns
    -------
    (first_kill, last_day) : 두 배열. 죽지 않았으면 0, 남았으면 HORIZON.
    """
    n = len(leave)
    first_kill, last_day = np.zeros(n, int), np.full(n, HORIZON)
    here = np.ones(n, bool)
    for day in range(HORIZON):
        if day in RISK_DAYS:
            killed = here & (first_kill == 0) & (u_kill[:, day] < kill_risk[:, day]) & (spared != day) & (spared != -1)
            first_kill[killed] = day
        gone = here & (u_leave[:, day] < leave[:, day] * np.where(first_kill > 0, ratio, 1.0))
        last_day[gone] = day
        here &= ~gone
    return first_kill, last_day


def generate(seed=617, n=20_000, ratio=0.4, hidden=False):
    """신규 유저 n명의 첫 4주와 잠재적 결과를 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        유저 수(200 이상).
    ratio : float
        PK를 당한 뒤 날마다 떠날 위험에 곱하는 수(0에서 3). 1이면 PK는 이탈에 아무 영향이 없습니다.
    hidden : bool
        참이면 기록되지 않는 길드 활동이 PK의 위험을 함께 키웁니다.

    Returns
    -------
    pandas.DataFrame
        n행. 시간은 시간/일, 날은 가입한 날을 0으로 셉니다. 떠난 뒤의 시간은 빈칸입니다.
        ``engagement``, ``guild``, ``churn_not_now``, ``churn_never``는 정답 열입니다.
        ``churn_not_now``는 죽은 그날의 PK만 막고 그 뒤는 흘러가게 두었을 때, ``churn_never``는 한 주 내내 PK를
        막았을 때 28일 안에 떠났을지입니다. 죽지 않은 유저의 ``churn_not_now``는 관측된 이탈과 같습니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, ratio, hidden)
    rng = np.random.default_rng(seed)

    engagement = rng.normal(0.0, 1.0, n)
    guild = rng.random(n) < _expit(-0.8 + 0.5 * engagement)
    dabbler = rng.random(n) < _expit(0.5 - 1.3 * engagement)
    war_server = rng.random(n) < 0.4
    other_game_days = rng.binomial(28, _expit(-2.0 + 0.4 * engagement + 0.7 * guild))

    usual = np.exp(0.3 + 0.5 * engagement) * np.where(dabbler, 0.5, 1.0)
    hours = np.round(np.clip(usual[:, None] * np.exp(rng.normal(0.0, 0.35, (n, 8))), 0.1, 16.0), 1)
    so_far = np.cumsum(hours, axis=1) / np.arange(1, 9)

    risk = np.zeros((n, 8))
    social = np.where(guild, 2.5, 0.7) if hidden else np.ones(n)
    for day in RISK_DAYS:
        risk[:, day] = 1.0 - np.exp(-0.08 * so_far[:, day - 1] * (0.6 + 0.8 * war_server) * social)

    # 떠날 위험: 맛만 보는 유저는 첫 이틀에 대개 떠나고, 즐기는 유저는 천천히 떠납니다.
    early = np.where(np.arange(HORIZON) < 2, 0.85, 0.30)
    slow = 0.016 * np.exp(-0.6 * engagement - 0.9 * guild)
    leave = np.where(dabbler[:, None], early, np.minimum(slow, 0.9)[:, None])

    u_leave, u_kill = rng.random((n, HORIZON)), rng.random((n, 8))
    world = (leave, risk, u_leave, u_kill, ratio)
    first_kill, last_day = _live(*world, spared=np.zeros(n, int))
    churned = last_day < HORIZON
    not_now = _live(*world, spared=first_kill)[1] < HORIZON
    never = _live(*world, spared=np.full(n, -1))[1] < HORIZON

    # 죽은 다음 날부터는 되갚으려고 조금 더 오래 합니다. PK가 만든 시간입니다.
    day = np.arange(8)
    after = (first_kill[:, None] > 0) & (day > first_kill[:, None])
    played = np.where(after, np.round(hours * 1.25, 1), hours)
    played = np.where(day <= last_day[:, None], played, np.nan)

    return pd.DataFrame(
        {
            "user_id": np.arange(1, n + 1),
            "war_server": war_server.astype(int),
            "other_game_days": other_game_days,
            **{f"hours_d{d}": played[:, d] for d in range(8)},
            "first_pk_day": pd.array(np.where(first_kill > 0, first_kill, -1), dtype="Int64"),
            "last_day": pd.array(np.where(churned, last_day, -1), dtype="Int64"),
            "churned": churned.astype(int),
            "engagement": np.round(engagement, 3),
            "guild": guild.astype(int),
            "churn_not_now": not_now.astype(int),
            "churn_never": never.astype(int),
        }
    ).assign(
        first_pk_day=lambda d: d["first_pk_day"].where(d["first_pk_day"] > 0).astype(float),
        last_day=lambda d: d["last_day"].where(d["last_day"] >= 0).astype(float),
    )
