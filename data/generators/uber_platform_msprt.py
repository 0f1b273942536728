"""호출 앱의 새 버전을 동전으로 나눈 3주: 한 행이 이용자 묶음 하나, 버전 하나, 하루입니다.

이용자마다 앱을 쓰는 양(``shape``가 작을수록 몰립니다)이 달라서 같은 이용자의 강제 종료가 여러 날 되풀이됩니다.
새 버전은 ``start``일부터 강제 종료를 ``1 + lift``배로 늘립니다. 종료를 겪으면 ``reinstall``의 확률로 앱을 다시 설치하고,
기기 번호가 새로 뽑혀 그 가운데 절반이 다른 버전으로 넘어갑니다. 종료와 상관없이 기기를 바꾸는 사람(``flick``)도 넘어갑니다.
표는 이용자가 **처음 받은** 버전으로 모았고, 이용자 하나하나를 만든 뒤에 더한 것입니다.
숫자는 모두 만든 것이고 실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 2020, "n": 20_000}

DAYS = 21
CRASH = 0.02
"""지금 버전에서 이용자 한 명의 하루 강제 종료(건)."""
ENTRY = np.array([0.50, 0.15, 0.10, 0.08, 0.07, 0.05, 0.05])
"""실험에 들어오는 날(1~7일)의 비율. 앱을 처음 켠 날입니다."""
OTHERS = {
    "trip": (0.15, 0.0),
    "cancel": (0.03, 0.0),
    "pay_fail": (0.008, 1.0),
    "ticket": (0.005, 0.0),
    "login_fail": (0.01, 0.0),
    "slow_start": (0.05, 0.0),
    "map_error": (0.012, 1.0),
    "low_rating": (0.004, 0.0),
    "refund": (0.003, 0.0),
    "push_off": (0.002, 0.0),
    "promo": (0.02, 0.0),
}
"""다른 지표의 하루 건수와, 새 버전이 ``lift``의 몇 배만큼 늘리는지."""


def _check(n, groups, lift, start, shape, flick, reinstall, lost):
    for name, value, low, high in [("n", n, 400, 400_000), ("groups", groups, 4, 200), ("start", start, 1, DAYS)]:
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not whole or not low <= value <= high:
            raise ValueError(f"{name}은(는) {low}에서 {high} 사이의 정수여야 합니다: {value!r}")
    ranges = {
        "lift": (lift, 0, 2),
        "shape": (shape, 0.05, 50),
        "flick": (flick, 0, 0.5),
        "reinstall": (reinstall, 0, 1),
        "lost": (lost, 0, 1),
    }
    for name, (value, low, high) in ranges.items():
        number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        if not number or not low <= value <= high:
            raise ValueError(f"{name}은(는) {low}에서 {high} 사이의 수여야 합니다: {value!r}")


def _counts(rng, rate, shape, size):
    """평균이 1인 감마의 사용량에 ``rate``를 곱한 푸아송 ``size``개(음이항분포). 대부분이 0이므로 0이 아닌 것만 표에서 찾습니다."""
    j = np.arange(1, 3_000)
    chance = np.concatenate([[1.0], np.cumprod((shape + j - 1) / j * rate / (shape + rate))])
    table = np.cumsum((shape / (shape + rate)) ** shape * chance)
    u = rng.random(size)
    count, some = np.zeros(size, int), np.flatnonzero(u >= table[0])
    count[some] = np.searchsorted(table, u[some], side="right")
    return count


def _first(n, who, when):
    """사람마다 가장 이른 때. 없으면 무한대입니다."""
    first = np.full(n, np.inf)
    np.minimum.at(first, who, when)
    return first


def _metrics(rng, heads, shared, shape, mix, rates, lifts, start):
    """묶음·버전·들어온 날마다의 사람 수에서 지표의 날마다 건수를 뽑습니다.

    한 사람의 하루 건수는 ``비율 × (mix × 사용량 + (1 - mix) × 그 지표의 성향)``의 푸아송이고, 두 성향은 모양이 ``shape``인 감마입니다.
    감마의 합은 감마이므로 사람을 하나씩 만들지 않고 칸의 합을 바로 뽑습니다.
    """
    late = np.arange(1, DAYS + 1) >= start
    found = []
    for rate, lift in zip(rates, lifts, strict=True):
        load = shared
        if mix < 1:
            own = np.where(heads > 0, rng.gamma(np.maximum(heads * shape, 1e-9), 1 / shape), 0.0)
            load = mix * shared + (1 - mix) * own
        load = load.cumsum(axis=-1)
        load = np.concatenate([load, np.repeat(load[..., -1:], DAYS - len(ENTRY), axis=-1)], axis=-1)
        push = 1 + lift * late * np.array([[0.0], [1.0]])
        found.append(rng.poisson(rate * load * push))
    return found


def many(seed, draws, n=20_000, groups=40, shape=0.25, rates=(CRASH,), lifts=(0.0,), mix=1.0, start=1):
    """다른 버전으로 넘어가는 사람이 없는 세상을 ``draws``벌 한꺼번에 만듭니다.

    Parameters
    ----------
    seed, draws : int
        난수 씨앗과 벌의 수.
    n, groups, shape, start
        ``generate``와 같습니다.
    rates, lifts : sequence of float
        지표마다의 하루 건수와 새 버전이 늘리는 비율.
    mix : float
        지표들이 함께 쓰는 사용량의 몫(0~1). 1이면 사용량만 씁니다.

    Returns
    -------
    users : numpy.ndarray
        (벌, 묶음, 버전, 날)의 이용자.
    counts : list of numpy.ndarray
        지표마다 같은 모양의 건수.
    """
    _check(n, groups, 0.0, start, shape, 0.0, 0.0, 0.0)
    rng = np.random.default_rng(seed)
    chance = np.tile(ENTRY, 2 * groups) / (2 * groups)
    heads = rng.multinomial(n, chance, size=draws).reshape(draws, groups, 2, len(ENTRY))
    shared = np.where(heads > 0, rng.gamma(np.maximum(heads * shape, 1e-9), 1 / shape), 0.0)
    users = heads.cumsum(axis=-1)
    users = np.concatenate([users, np.repeat(users[..., -1:], DAYS - len(ENTRY), axis=-1)], axis=-1)
    return users, _metrics(rng, heads, shared, shape, mix, rates, lifts, start)


def simulate(
    seed=2020, n=20_000, groups=40, lift=0.2, start=1, shape=0.25, flick=0.015, reinstall=0.3, lost=0.0, metrics=False
):
    """``generate``의 열을 (묶음, 버전, 날) 모양의 배열로 담은 사전. 되풀이할 때 빠릅니다. 인자는 ``generate``와 같습니다."""
    _check(n, groups, lift, start, shape, flick, reinstall, lost)
    rng = np.random.default_rng(seed)
    group, arm = rng.integers(groups, size=n), rng.integers(2, size=n)
    came = rng.multinomial(n, ENTRY)
    entry = np.repeat(np.arange(1, len(ENTRY) + 1), came)
    length = DAYS + 1 - entry
    rate = CRASH * (1 + lift)

    count = np.concatenate([_counts(rng, rate * (DAYS - k), shape, size) for k, size in enumerate(came)])
    who = np.repeat(np.arange(n), count)
    begin = entry[who]
    when = begin + rng.random(len(who)) * length[who]
    old = rng.random(len(who)) < 1 / (1 + lift)  # 지금 버전에서도 일어날 종료
    new = old | (when >= start)
    moved = rng.random(len(who)) < reinstall / 2
    phone = np.full(n, np.inf)
    changer = np.flatnonzero(rng.random(n) < flick)
    phone[changer] = entry[changer] + rng.random(len(changer)) * length[changer]
    if metrics or lost > 0:  # 종료를 보고 난 사용량의 분포에서 뽑습니다
        use = rng.gamma(shape + count) / (shape + rate * length)
    if lost > 0:  # 기록이 시작되기 전에 사라진 사람은 표에 없습니다
        kept = (arm == 0) | (rng.random(n) >= -np.expm1(-lost * use))
    else:
        kept = np.ones(n, bool)

    day = when.astype(int)
    happened, switch = [], []
    for mine, other in ((old, new), (new, old)):
        turn = np.minimum(phone, _first(n, who[mine & moved], when[mine & moved]))
        happened.append(np.where(when <= turn[who], mine, other) & kept[who])
        switch.append(turn)
    seen = np.where(arm[who] == 1, happened[1], happened[0])
    turn = np.where(arm == 1, switch[1], switch[0])

    base = (group * 2 + arm) * DAYS - 1  # 날을 더하면 칸의 번호입니다
    cell, size, shape_of = base[who], groups * 2 * DAYS, (groups, 2, DAYS)

    def total(where, weights=None):
        return np.bincount(where, weights, size).astype(int).reshape(shape_of)

    table = {
        "users": total((base + entry)[kept]).cumsum(axis=2),
        "crash": total((cell + day)[seen]),
    }
    if metrics:
        where = ((group * 2 + arm) * len(ENTRY) + entry - 1)[kept]
        by = (groups, 2, len(ENTRY))
        heads = np.bincount(where, minlength=np.prod(by)).reshape(by)
        shared = np.bincount(where, use[kept], np.prod(by)).reshape(by)
        rates, times = np.array(list(OTHERS.values())).T
        table |= dict(zip(OTHERS, _metrics(rng, heads, shared, shape, 0.5, rates, times * lift, start), strict=True))

    crossed = np.flatnonzero(np.isfinite(turn) & kept)
    turn_day = np.full(n, DAYS + 1)
    turn_day[crossed] = turn[crossed].astype(int)
    at = base[crossed] + turn_day[crossed]
    flicked = total(at)
    already = flicked.cumsum(axis=2)
    mover = seen & np.isfinite(turn)[who]
    cell, day_of, then = cell[mover], day[mover], turn_day[who[mover]]
    extra = np.flatnonzero(happened[1] & ~old)
    hurt = _first(n, who[extra], when[extra])
    harmed = np.flatnonzero(np.isfinite(hurt))
    return table | {
        "flick_users": flicked,
        "flick_days": total(at, turn_day[crossed] - entry[crossed]) + already,
        "flick_crash": total(cell + np.maximum(day_of, then)),
        "after_days": already - flicked,
        "after_crash": total((cell + day_of)[day_of > then]),
        "crash_0": total((base[who] + day)[happened[0]]),
        "crash_1": total((base[who] + day)[happened[1]]),
        "hurt": total(base[harmed] + hurt[harmed].astype(int)),
    }


def generate(
    seed=2020, n=20_000, groups=40, lift=0.2, start=1, shape=0.25, flick=0.015, reinstall=0.3, lost=0.0, metrics=True
):
    """이용자 ``n``명의 3주를 묶음, 버전, 날마다 더한 표를 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗.
    n, groups : int
        이용자(400~400,000)와 해시로 나눈 묶음(4~200)의 수.
    lift : float
        새 버전에서 강제 종료가 느는 비율(0~2). 0이면 똑같은 버전입니다(A/A).
    start : int
        해로움이 시작하는 날(1~21).
    shape : float
        이용자마다 다른 정도(감마분포의 모양, 0.05~50). 작을수록 몇 사람에게 몰립니다.
    flick : float
        종료와 상관없이 3주 안에 기기를 바꾸어 다른 버전으로 넘어가는 비율(0~0.5).
    reinstall : float
        종료 한 번에 앱을 다시 설치할 확률(0~1). 절반이 다른 버전을 받습니다.
    lost : float
        새 버전에서 기록이 시작되기 전에 사라지는 정도(0~1). 많이 쓰는 사람이 더 사라집니다.
    metrics : bool
        거짓이면 다른 지표를 만들지 않습니다(빠릅니다).

    Returns
    -------
    pandas.DataFrame
        묶음, 버전, 날의 순서. ``crash_0``, ``crash_1``, ``hurt``는 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    if not isinstance(metrics, (bool, np.bool_)):
        raise ValueError(f"metrics는 참이나 거짓이어야 합니다: {metrics!r}")
    table = simulate(seed, n, groups, lift, start, shape, flick, reinstall, lost, metrics)
    keys = {
        "user_group": np.repeat(np.arange(1, groups + 1), 2 * DAYS),
        "new_release": np.tile(np.repeat([0, 1], DAYS), groups),
        "day": np.tile(np.arange(1, DAYS + 1), 2 * groups),
    }
    return pd.DataFrame(keys | {name: values.ravel() for name, values in table.items()})
