"""늦어진 더빙 데이터: 한 행이 작품×언어의 한 주입니다.

녹음실이 문을 닫아 작품 ``delayed``편이 0번 언어의 더빙 없이 공개되었고, 더빙은 다섯째 주에 붙었습니다.
같은 작품의 다른 언어(자매 언어) 여섯과, 닫기 전에 녹음을 마친 작품 ``others``편에는 더빙이 처음부터 있었습니다.
공개 전에는 관심(작품 소개를 본 횟수), 공개 뒤에는 시청 시간의 로그를 적습니다. 늦어진 작품은 더 크고 더 빨리 시들며 가족물이 많습니다.
더빙이 없으면 첫 네 주의 시청 일부를 잃고, 그 가운데 일부는 더빙이 붙은 뒤 네 주에 돌아옵니다. 실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {
    "seed": 93, "delayed": 12, "others": 36, "market": 0.0, "shape": 0.0, "lockdown": 0.0, "spill": 0.0, "interest_weeks": 8, "effect": 1.0,
}  # fmt: skip

LANGUAGES = 7
"""언어의 수. 0번이 더빙이 늦어진 언어이고 나머지가 자매 언어입니다."""
NEIGHBOUR = 5
"""0번 언어와 가구를 나누어 쓰는 언어."""
AFTER = 12
"""공개 뒤에 지켜본 주의 수."""
LOSS = (0.14, 0.30)
"""더빙이 없는 주에 잃는 시청의 몫(그 밖, 가족물)."""
RETURN = (0.2, 0.6)
"""잃은 시청 가운데 더빙이 붙은 뒤 네 주에 돌아오는 몫(그 밖, 가족물)."""
FADE = (1.15, 0.8, 0.9, 1.0, 1.05, 1.2, 1.3)
"""언어마다 작품의 시듦에 반응하는 크기."""
BUZZ = (1.0, 0.7, 0.9, 1.1, 1.3, 0.8, 1.2)
"""언어마다 입소문에 반응하는 크기."""


def _check(delayed, others, market, shape, lockdown, spill, interest_weeks, effect):
    for name, label, value, low, high in (
        ("delayed", "늦어진 작품 수", delayed, 4, 60), ("others", "늦지 않은 작품 수", others, 18, 300),
        ("interest_weeks", "공개 전 주의 수", interest_weeks, 2, 8),
    ):  # fmt: skip
        if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"{label} {name}는 {low}에서 {high} 사이의 정수여야 합니다: {value!r}")
    for name, label, value, low, high in (
        ("market", "0번 언어가 더 시드는 크기", market, 0, 1), ("shape", "늦어진 작품이 더 시드는 크기", shape, 0, 1),
        ("lockdown", "0번 언어만 늘어난 시청", lockdown, -1, 1), ("spill", "이웃 언어로 옮겨 간 몫", spill, 0, 1), ("effect", "효과의 배수", effect, 0, 2),
    ):  # fmt: skip
        if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not low <= value <= high:
            raise ValueError(f"{label} {name}는 {low}에서 {high} 사이의 수여야 합니다: {value!r}")


def worlds(
    seed=93, delayed=12, others=36, market=0.0, shape=0.0, lockdown=0.0, spill=0.0, interest_weeks=8, effect=1.0
):
    """작품×언어×주의 배열들. ``generate``가 표로 펼치기 전의 것이고 인자와 씨앗의 뜻이 같습니다.

    Returns
    -------
    dict
        ``interest``(공개 전 로그 관심), ``views``(공개 뒤 로그 시청), ``views_0``(더빙이 늦지 않았을 때), ``late``, ``family``, ``launch``.
    """
    _check(delayed, others, market, shape, lockdown, spill, interest_weeks, effect)
    rng = np.random.default_rng(seed)
    n, L = delayed + others, LANGUAGES
    late = np.arange(n) < delayed
    family = np.zeros(n, int)
    family[: delayed // 2] = family[delayed : delayed + others // 4] = 1
    size = rng.normal(4.6, 0.45, n) + 0.3 * late
    fade = rng.normal(0.75, 0.15, n) + (0.15 + shape) * late
    buzz, turn = rng.normal(0, 0.15, n), rng.normal(0, 0.15, n)
    taste = rng.normal(0, 0.2, (n, L))
    taste[:, 0] -= 0.1 * late
    rise = 1 + 1.2 * (fade - 0.75) + rng.normal(0, 0.15, n)
    launch = np.where(late, rng.integers(11, 21, n), rng.integers(1, 21, n))
    # 달력의 주마다의 시장: 언어마다의 오르내림과, 모두가 집에 머물며 늘어난 시청
    first, weeks = -10, 45
    calendar = np.arange(weeks) + first
    market_week = np.zeros((L, weeks))
    step = rng.normal(0, 0.012, (L, weeks))
    market_week[:, 0] = step[:, 0] / 0.6
    for t in range(1, weeks):
        market_week[:, t] = 0.8 * market_week[:, t - 1] + step[:, t]
    market_week += 0.25 / (1 + np.exp(-(calendar - 10) / 2))
    market_week[0] += lockdown / (1 + np.exp(-(calendar - 14) / 2))
    before, after = np.arange(-interest_weeks, 0), np.arange(1, AFTER + 1)
    at, lang = launch[:, None] - first, np.arange(L)[None, :, None]
    level = size[:, None, None] + taste[:, :, None]
    interest = level + np.linspace(-1.2, -0.8, L)[:, None] + (rise[:, None] * before / 8)[:, None]
    interest = interest + market_week[lang, (at + before)[:, None]] + rng.normal(0, 0.15, (n, L, interest_weeks))
    fading, talk = np.array(FADE), np.array(BUZZ)
    fading[0] += market
    views = level + turn[:, None, None] + np.linspace(-0.2, 0.3, L)[:, None]
    views = views - fading[:, None] * (fade[:, None] * np.log(after))[:, None]
    views = views + talk[:, None] * (buzz[:, None] * np.exp(-(((after - 5) / 3) ** 2)))[:, None]
    views = views + market_week[lang, (at + after - 1)[:, None]] + rng.normal(0, 0.08, (n, L, 1))
    views_0 = views + rng.normal(0, 0.06, (n, L, AFTER))
    hours = np.exp(views_0)
    lost = effect * np.array(LOSS)[family][:, None] * hours[:, 0, :4] * late[:, None]
    back = np.array(RETURN)[family] * lost.sum(axis=1)
    hours[:, 0, :4] -= lost
    hours[:, 0, 4:8] += back[:, None] * np.array([0.4, 0.3, 0.2, 0.1])
    hours[:, NEIGHBOUR, :4] += spill * lost
    return {"interest": interest, "views": np.log(hours), "views_0": views_0, "late": late, "family": family, "launch": launch}  # fmt: skip


def generate(
    seed=93, delayed=12, others=36, market=0.0, shape=0.0, lockdown=0.0, spill=0.0, interest_weeks=8, effect=1.0
):
    """작품×언어의 주마다의 기록과 더빙이 늦지 않았을 때의 시청을 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    delayed, others : int
        0번 언어의 더빙이 늦어진 작품과 늦지 않은 작품의 수(4~60, 18~300).
    market : float
        0번 언어가 기본보다 더 빨리 시드는 크기(0~1).
    shape : float
        늦어진 작품이 기본보다 더 빨리 시드는 크기(0~1).
    lockdown : float
        뒤쪽 달력에서 0번 언어의 시청만 늘어난 크기(로그, -1~1).
    spill : float
        잃은 시청 가운데 이웃 언어의 시청으로 옮겨 간 몫(0~1).
    interest_weeks : int
        공개 전의 기록이 있는 주의 수(2~8).
    effect : float
        잃는 몫에 곱하는 수(0~2). 0이면 더빙이 늦어도 아무 일이 없습니다.

    Returns
    -------
    pandas.DataFrame
        작품, 언어, 주의 순서. ``log_demand``는 공개 전(주가 음수)이면 관심, 뒤이면 시청 시간의 자연로그입니다. ``log_demand_0``과 ``effect``는 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    w = worlds(seed, delayed, others, market, shape, lockdown, spill, interest_weeks, effect)
    seen, base = (np.concatenate([w["interest"], w[k]], axis=2) for k in ("views", "views_0"))
    n, L, T = seen.shape
    week = np.concatenate([np.arange(-interest_weeks, 0), np.arange(1, AFTER + 1)])
    ready = np.ones((n, L, T), int)
    ready[:, 0, interest_weeks : interest_weeks + 4] = 1 - w["late"][:, None]
    return pd.DataFrame(
        {
            "title_id": np.repeat(np.arange(1, n + 1), L * T),
            "family": np.repeat(w["family"], L * T),
            "launch_week": np.repeat(w["launch"], L * T),
            "late_title": np.repeat(w["late"].astype(int), L * T),
            "language": np.tile(np.repeat(np.arange(L), T), n),
            "week": np.tile(week, n * L),
            "dub_missing": (1 - ready).ravel(),
            "log_demand": np.round(seen.ravel(), 4),
            "log_demand_0": np.round(base.ravel(), 4),
            "effect": np.round((seen - base).ravel(), 5),
        }
    )
