"""가입 화면 실험의 데이터: 한 행이 가입 화면에 온 방문자 한 명입니다.

절반은 지난해의 방문자입니다. 모두 옛 화면을 보았고 열두 달의 청구를 다 압니다. 나머지 절반은 이번 실험의 방문자이고 동전으로 화면을 나누었습니다.
새 화면은 가입의 문턱을 낮추어 덜 열심인 손님까지 들이고, 들어온 손님의 첫 시청을 조금 늘립니다. 매달의 해지는 그달의 시청과 온 길로 정해지고,
시청은 앞 달의 시청에서 이어집니다. ``world``는 이 이야기의 한 가지를 바꿉니다. 실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 2024, "n": 12_000, "world": "carry"}

BILLS = 12
"""한 해의 청구 횟수. 첫 청구는 가입한 때입니다."""
SEEN = 4
"""실험에서 지켜본 청구 횟수."""
WORLDS = ("carry", "none", "novelty", "billing", "bargain", "rival")
"""``carry``는 효과가 시청으로만 이어지는 세상입니다. ``none``은 효과가 없습니다. ``novelty``는 새 화면의 반가움이 넉 달 뒤에 가십니다.
``billing``은 시청이 같아도 해지가 줄어듭니다. ``bargain``은 새 화면 때문에 들어온 손님이 시청이 같아도 더 떠납니다.
``rival``은 실험의 다섯째 달부터 경쟁사 때문에 두 화면의 해지가 함께 늡니다."""


def _check(seed, n, world):
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or not 400 <= n <= 4_000_000 or n % 2:
        raise ValueError(f"방문자 수 n은 400에서 4,000,000 사이의 짝수여야 합니다: {n!r}")
    if not isinstance(world, str) or world not in WORLDS:
        raise ValueError(f"world는 {', '.join(WORLDS)} 가운데 하나여야 합니다: {world!r}")


def _paths(start, pull, shocks, luck, *, page, tested, world):
    """한 화면을 보았을 때의 청구 횟수, 첫 달의 시청, 넷째 달의 시청(로그 시간)."""
    joy = 0.5 * page * (world == "novelty")
    habit = start + 0.15 * page * (world != "none")
    pull = pull - 0.35 * page * (world == "billing")
    paid, alive = np.ones(len(start), dtype=np.int64), np.ones(len(start), dtype=bool)
    first = late = habit + joy
    for month in range(1, BILLS):  # month번째 청구 뒤에 남을지 떠날지를 정합니다
        glad = joy * (month < SEEN)  # 넷째 청구 뒤에는 반가움이 가십니다
        rival = 0.6 * tested * (world == "rival" and month >= SEEN)
        alive = alive & (pull + rival - 1.1 * (habit + glad - 2.0) < luck[month - 1])
        paid = paid + alive
        habit = 0.16 + 0.92 * habit + 0.3 * shocks[month - 1]
        if month == SEEN - 1:
            late = habit + joy
    return paid, first, late


def generate(seed: int = 2024, n: int = 12_000, world: str = "carry") -> pd.DataFrame:
    """지난해의 방문자 n명과 실험의 방문자 n명을 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        실험의 방문자 수(400에서 4,000,000 사이의 짝수). 행은 2n개이고 실험의 절반이 새 화면을 봅니다.
    world : {"carry", "none", "novelty", "billing", "bargain", "rival"}
        바꿀 이야기. :data:`WORLDS`에 뜻이 있습니다.

    Returns
    -------
    pandas.DataFrame
        방문자의 순서. ``bills_12``는 지난해의 방문자에게만 있습니다. 청구의 단위는 회, 시청의 단위는 시간입니다.
        ``bills_old``와 ``bills_new``는 그 방문자가 옛 화면과 새 화면을 보았을 때 한 해의 청구 횟수(정답 열)이고, 지난해의
        방문자에게는 ``bills_new``가 없습니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(seed, n, world)
    rng = np.random.default_rng(seed)
    total = 2 * n
    tested = np.repeat([0, 1], n)
    page = np.zeros(total, dtype=np.int64)
    page[n:] = rng.permutation(np.repeat([0, 1], n // 2))
    mobile = (rng.random(total) < 0.6).astype(np.int64)
    ad = (rng.random(total) < 0.4).astype(np.int64)
    intent = rng.normal(size=total) - 0.3 * ad
    easier = (0.02 + 0.13 * mobile) * (world != "none")
    would_old, would_new = intent > 0.55, intent > 0.55 - easier

    keep = np.flatnonzero(would_old | (would_new & (tested == 1)))  # 나머지 방문자는 가입하지 않습니다
    size = len(keep)
    start = 2.0 + 0.5 * (intent[keep] - 1) + 0.8 * rng.normal(size=size)
    shocks, luck = rng.normal(size=(BILLS - 1, size)), rng.logistic(size=(BILLS - 1, size))
    pull = -1.9 + 0.25 * ad[keep] + 0.9 * ~would_old[keep] * (world == "bargain")
    bills, hours = np.zeros((2, total)), np.zeros((2, total))
    for shown, part in enumerate((would_old[keep], tested[keep] == 1)):
        who = keep[part]
        paid, first, late = _paths(
            start[part], pull[part], shocks[:, part], luck[:, part], page=shown, tested=tested[who], world=world
        )
        bills[shown, who] = paid
        own = page[who] == shown  # 시청은 실제로 본 화면의 것만 남습니다
        for place, (value, month) in enumerate(((first, 1), (late, SEEN))):
            hours[place, who[own]] = np.round(np.exp(value[own]) * (paid[own] >= month), 1)
    mine = np.where(page == 1, bills[1], bills[0])
    return pd.DataFrame(
        {
            "visitor_id": np.arange(1, total + 1),
            "tested": tested,
            "mobile": mobile,
            "ad": ad,
            "new_page": page,
            "joined": (mine > 0).astype(np.int64),
            "hours_1": hours[0],
            "hours_4": hours[1],
            "bills_4": np.minimum(mine, SEEN).astype(np.int64),
            "bills_12": np.where(tested == 1, np.nan, mine),
            "bills_old": bills[0].astype(np.int64),
            "bills_new": np.where(tested == 1, bills[1], np.nan),
        },
        copy=False,
    )
