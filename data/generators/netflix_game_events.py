"""게임 행사 데이터: 한 행이 게임 하나의 하루입니다.

1번 게임이 ``START``일에 행사를 열었습니다. 행사는 접속이 시들해진 게임에 엽니다. 효과는 로그 척도에서 크게 시작해 ``half_life``일마다 반으로 줄어듭니다.
모든 게임은 몇 가지 공통 흐름(출시 뒤의 시듦, 방학, 입소문)에 저마다 다르게 반응하고 요일을 탑니다.
``rivals``개의 다른 게임은 행사 뒤에 자기 명절 행사를 열어 접속이 뜁니다. ``steal``이 0보다 크면 행사가 늘린 사람의 그만큼은
같은 장르의 다른 게임에서 옮겨 온 사람입니다. 실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 27, "games": 30, "effect": 0.3, "half_life": 15.0, "rivals": 3, "steal": 0.0}

DAYS = 120
"""지켜본 날의 수."""
START = 91
"""행사가 시작된 날(1부터 셉니다)."""
RIVAL_DAYS = (96, 112)
"""다른 게임의 명절 행사 기간(양 끝을 포함)."""
RIVAL_JUMP = 0.35
"""명절 행사가 늘리는 로그 접속."""
KIN = 4
"""1번과 같은 장르인 다른 게임의 수. 공통 흐름에 가장 비슷하게 반응하는 게임들입니다."""


def _check(games, effect, half_life, rivals, steal):
    if not isinstance(games, (int, np.integer)) or isinstance(games, bool) or not 10 <= games <= 200:
        raise ValueError(f"게임 수 games는 10에서 200 사이의 정수여야 합니다: {games!r}")
    if isinstance(effect, bool) or not isinstance(effect, (int, float, np.number)) or not -1 <= effect <= 1:
        raise ValueError(f"첫날의 효과 effect는 -1에서 1 사이(로그)여야 합니다: {effect!r}")
    if isinstance(half_life, bool) or not isinstance(half_life, (int, float, np.number)) or not 1 <= half_life <= 1000:
        raise ValueError(f"반감기 half_life는 1에서 1000 사이(일)여야 합니다: {half_life!r}")
    if not isinstance(rivals, (int, np.integer)) or isinstance(rivals, bool) or not 0 <= rivals <= games // 3:
        raise ValueError(f"명절 행사를 연 게임 수 rivals는 0에서 게임 수의 3분의 1 사이의 정수여야 합니다: {rivals!r}")
    if isinstance(steal, bool) or not isinstance(steal, (int, float, np.number)) or not 0 <= steal <= 1:
        raise ValueError(f"옮겨 온 사람의 몫 steal은 0에서 1 사이여야 합니다: {steal!r}")


def generate(seed=27, games=30, effect=0.3, half_life=15.0, rivals=3, steal=0.0):
    """게임 games개의 120일 기록과 행사가 없었을 때의 접속을 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    games : int
        게임 수(10~200). 1번이 행사를 연 게임이고 행은 120 × games개입니다.
    effect : float
        행사 첫날의 효과(로그, -1~1).
    half_life : float
        효과가 반으로 줄어드는 날의 수(1~1000일).
    rivals : int
        자기 명절 행사를 연 다른 게임의 수.
    steal : float
        행사로 늘어난 사람 가운데 같은 장르의 다른 게임에서 옮겨 온 몫(0~1).

    Returns
    -------
    pandas.DataFrame
        게임과 날의 순서. ``log_players``는 그날 접속한 사람 수의 자연로그입니다. ``log_players_0``(1번 게임에 행사가 없었을 때)과 ``effect``는 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(games, effect, half_life, rivals, steal)
    rng = np.random.default_rng(seed)
    day = np.arange(1, DAYS + 1)
    level = rng.normal(10.0, 0.8, games)
    # 시듦, 방학, 입소문. 행사를 연 게임은 남보다 더 시들고 있었습니다
    loads = np.column_stack([rng.uniform(0, 1, games), rng.uniform(0, 1, games), rng.normal(0, 1, games)])
    level[0], loads[0] = 10.3, [0.8, 0.5, 0.3]
    talk = np.zeros(DAYS)
    for t in range(1, DAYS):
        talk[t] = 0.95 * talk[t - 1] + rng.normal(0, 0.03)
    flows = np.column_stack([-0.6 * day / DAYS, 0.3 * np.exp(-(((day - 75) / 15.0) ** 2)), talk])
    week = rng.normal(0, 0.02, (games, 7)) + 0.12 * (np.arange(7) >= 5)
    noise = np.zeros((games, DAYS))
    noise[:, 0] = rng.normal(0, 0.025, games)
    for t in range(1, DAYS):
        noise[:, t] = 0.4 * noise[:, t - 1] + rng.normal(0, 0.025 * np.sqrt(1 - 0.4**2), games)
    base = level[:, None] + loads @ flows.T + week[:, (day - 1) % 7] + noise
    own = np.zeros((games, DAYS), int)
    hit = rng.permutation(np.arange(1, games))[:rivals]
    own[np.ix_(hit, (day >= RIVAL_DAYS[0]) & (day <= RIVAL_DAYS[1]))] = 1
    base = base + RIVAL_JUMP * own
    event = np.zeros((games, DAYS), int)
    event[0] = day >= START
    gain = event * effect * 0.5 ** (np.maximum(day - START, 0) / half_life)
    kin = 1 + np.argsort(((loads[1:] - loads[0]) ** 2).sum(axis=1))[:KIN]
    taken = steal * np.exp(base[0]) * np.expm1(gain[0]) / KIN
    seen = base + gain
    seen[kin] = np.log(np.maximum(np.exp(base[kin]) - taken, 1.0))
    return pd.DataFrame(
        {
            "game_id": np.repeat(np.arange(1, games + 1), DAYS),
            "same_genre": np.repeat(np.isin(np.arange(games), kin).astype(int), DAYS),
            "day": np.tile(day, games),
            "event": event.ravel(),
            "holiday_event": own.ravel(),
            "log_players": np.round(seen.ravel(), 4),
            "log_players_0": np.round(base.ravel(), 4),
            "effect": np.round(gain.ravel(), 5),
        }
    )
