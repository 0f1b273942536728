"""구직자의 목록과 고용주의 받은편지함이 함께 순위인 구인 서비스의 로그: 한 행이 방문 한 번에 보인 공고 하나입니다.

구직자는 여섯 자리에 놓인 공고를 위에서부터 덜 열람하고, 열람한 공고가 마음에 들면 지원합니다.
지원은 고용주의 받은편지함 네 칸 가운데 하나에 놓이고, 고용주는 위 칸일수록 더 열람하며 마음에 들면 면접을 제안합니다(성사).
예정한 순위에서 이웃한 두 자리를 동전으로 맞바꾸고(자리의 짝은 방문마다 1-2, 3-4, 5-6 또는 2-3, 4-5), 지원의 열에 넷은 칸을 무작위로 뽑습니다.
순위 A는 지금처럼 인기를, 순위 B는 서로의 적합도를 앞세웁니다. 정답 열은 그 순위로 두 목록을 바꿀 때의 성사 확률입니다.
숫자는 모두 만든 것이고 실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 10204, "users": 1000}

LOOK = np.array([0.95, 0.74, 0.60, 0.50, 0.42, 0.36])
"""구직자가 그 자리의 공고를 열람할 확률."""
READ = np.array([0.90, 0.66, 0.48, 0.34])
"""고용주가 그 칸의 지원을 열람할 확률."""
TRUST = np.array([1.0, 0.6, 0.35, 0.2, 0.1, 0.0])
"""위에 있다는 까닭만으로 지원하는 정도(자리마다, ``trust``의 배수)."""
VISITS, SHUFFLE = 2, 0.4
"""한 사람의 방문 횟수와 칸을 무작위로 뽑는 지원의 비율."""


def _check(users, **ranges):
    whole = isinstance(users, (int, np.integer)) and not isinstance(users, bool)
    if not whole or not 200 <= users <= 500_000:
        raise ValueError(f"구직자의 수 users는 200에서 500,000 사이의 정수여야 합니다: {users!r}")
    for name, (value, low, high) in ranges.items():
        number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        if not number or not low <= value <= high:
            raise ValueError(f"{name}은(는) {low}에서 {high} 사이의 수여야 합니다: {value!r}")


def _rank(score):
    """점수가 높은 것부터 0, 1, … 모양은 (순위의 종류, 자리, 방문)"""
    found = np.zeros(score.shape, np.int8)
    for i in range(score.shape[1]):
        for j in range(i):
            first = (score[:, j] > score[:, i]).view(np.int8)
            found[:, i] += first
            found[:, j] += 1 - first
    return found


def _slot(score):
    return np.clip(np.rint(score), 0, len(READ) - 1).astype(np.int8)


def generate(seed=10204, users=1000, liking=1.0, trust=0.0, context=0.0, overload=0.0, hidden=0.0, steep=1.0, jam=0.0):
    """구직자 ``users``명이 두 번씩 방문한 로그를 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗.
    users : int
        구직자의 수(200~500,000). 행은 ``users * 2 * 6``개입니다.
    liking : float
        적합도가 지원과 제안을 움직이는 정도(0~2, 배수).
    trust : float
        신뢰 편향(0~0.5). 위 자리의 공고에는 마음에 들지 않아도 지원합니다.
    context : float
        인기에 따라 열람이 달라지는 정도(0~0.9). 인기 있는 공고는 아래에서도 눈에 띄고, 없는 공고는 더 묻힙니다.
    overload : float
        고용주의 과부하(0~1). 적합도 등급의 지원이 지금보다 x배가 되면 제안이 ``x ** -overload``배가 됩니다.
    hidden : float
        지금의 순위만 아는 매력(0~1). 기록에 없으면서 순위와 지원을 함께 움직입니다.
    steep : float
        열람이 아래로 갈수록 떨어지는 정도(0.5~3, 지수의 배수).
    jam : float
        무작위 칸이라고 기록했으나 예정한 칸에 놓인 비율(0~1).

    Returns
    -------
    pandas.DataFrame
        구직자, 방문, 보인 자리의 순서. ``applied``와 ``replied``는 지원과 면접 제안(0/1)이고, 지원이 없으면 ``slot``과 ``shuffled``는 0입니다.
        ``chance_a``와 ``chance_b``는 두 목록을 그 순위로 바꿀 때 그 짝의 성사 확률입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(
        users, liking=(liking, 0, 2), trust=(trust, 0, 0.5), context=(context, 0, 0.9), overload=(overload, 0, 1),
        hidden=(hidden, 0, 1), steep=(steep, 0.5, 3), jam=(jam, 0, 1),
    )  # fmt: skip
    rng = np.random.default_rng(seed)
    K, n = len(LOOK), users * VISITS
    active = np.repeat(np.exp(rng.normal(-0.08, 0.4, users)), VISITS)
    profile = np.repeat(rng.integers(1, 5, users, np.int8), VISITS)
    pop, fit = rng.integers(1, 5, (2, K, n), np.int8)
    z = rng.standard_normal((6, K, n), np.float32)
    charm = hidden * rng.normal(size=(K, n)) if hidden else 0.0
    like = np.minimum(0.36 * active * np.exp(0.25 * (pop - 2.5) + 0.10 * liking * (fit - 2.5) + charm), 0.95)
    answer = 0.48 * np.exp(0.20 * liking * (fit - 2.5) + 0.12 * (profile - 2.5) - 0.12 * (pop - 2.5))

    popular = pop + 0.3 * fit
    plan, rank_a, rank_b = _rank(
        np.stack([popular + 2 * charm + 0.6 * z[0], popular + 0.5 * z[1], 0.3 * pop + fit + 0.5 * z[2]])
    )
    slot_plan, slot_a, slot_b = _slot(
        np.stack([4 - profile + 0.6 * z[3], 4 - profile + 0.5 * z[4], 4 - fit + 0.5 * z[5]])
    )

    first = rng.integers(0, 2, n, np.int8)  # 짝이 1-2에서 시작하면 0, 2-3에서 시작하면 1
    coin = rng.random((K // 2, n)) < 0.5
    pair = (plan - first) // 2
    upper = (plan - first) % 2 == 0
    alone = (plan < first) | ((first == 1) & (plan == K - 1))
    flip = ~alone & coin[np.maximum(pair, 0), np.arange(n)]
    rank = plan + flip * np.where(upper, np.int8(1), np.int8(-1))
    shuffled = rng.random((K, n)) < SHUFFLE
    drawn = rng.integers(0, len(READ), (K, n), np.int8)
    stuck = rng.random((K, n)) < jam if jam else False
    slot = np.where(shuffled & ~np.asarray(stuck), drawn, slot_plan)

    power = steep * (1 - context * (pop - 2.5) / 1.5) if context else steep
    look, read = LOOK if context else LOOK**steep, READ**steep

    def applies(at):
        seen = look[at] ** power if context else look[at]
        return seen * (like + trust * TRUST[at] * (1 - like)) if trust else seen * like

    def matches(at, box, crowd=1.0):
        return applies(at) * np.minimum(read[box] * answer * crowd, 1)

    def crowded(at):
        if not overload:
            return 1.0
        now, new = (np.bincount(fit.ravel(), applies(x).ravel(), 5)[1:] for x in (plan, at))
        return ((new / now) ** -overload)[fit - 1]

    applied = rng.random((K, n)) < applies(rank)
    replied = applied & (rng.random((K, n)) < np.minimum(read[slot] * answer, 1))
    order = np.empty(K * n, np.intp)  # 방문과 보인 자리의 차례
    order[(np.arange(n) * K + rank).ravel()] = np.arange(K * n)

    def rows(tables):
        """(자리, 방문)의 표 여럿을 (열, 행)으로"""
        return np.stack([np.broadcast_to(x, (K, n)) for x in tables]).reshape(len(tables), -1)[:, order]

    whole = {
        "visit": np.tile(np.arange(1, VISITS + 1, dtype=np.int8), users),
        "popularity": pop,
        "fit": fit,
        "profile": profile,
        "first": first + 1,
        "planned_rank": plan + 1,
        "rank": rank + 1,
        "rank_a": rank_a + 1,
        "rank_b": rank_b + 1,
        "planned_slot": slot_plan + 1,
        "slot_a": slot_a + 1,
        "slot_b": slot_b + 1,
        "applied": applied,
        "shuffled": applied & shuffled,
        "slot": np.where(applied, slot + 1, 0),
        "replied": replied,
    }
    chances = [matches(rank_a, slot_a, crowded(rank_a)), matches(rank_b, slot_b, crowded(rank_b))]
    columns = {"seeker_id": np.repeat(np.arange(1, users + 1), VISITS * K)}
    columns |= zip(whole, rows([x.astype(np.int8) for x in whole.values()]), strict=True)
    columns |= zip(("chance_a", "chance_b"), rows(chances).round(5), strict=True)
    return pd.DataFrame(columns, copy=False)
