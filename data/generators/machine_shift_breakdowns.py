"""설비 고장 데이터: 한 행이 공작 기계 한 대의 12시간 조 하나입니다.

조를 시작하기 전에 계획 담당이 품종을 바꾸는 작업(교체)의 횟수를 정합니다. 소량 주문이 많거나 정비한 지 오래된 설비에 교체를 몰아주므로,
교체가 많은 조는 교체가 아니어도 고장이 잦습니다. 고장이 나면 그 조의 가동 시간이 줄고 전력도 줄며, 남은 교체는 하지 못합니다.
``hidden``은 기록에 없는 원인입니다. "machine"이면 노후한 설비에 교체가 잦은 지그가 달려 있고, "tool"이면 조마다 흐르는 공구의 상태를
조장이 보고 교체를 줄입니다. ``repair``가 "whole"이면 고장을 고칠 때 정비까지 해서 누적 시간이 0으로 돌아갑니다. 실제 공장의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 4723, "machines": 23, "hidden": "none", "repair": "part", "per_changeover": 0.25}

SHIFTS = 94
"""47일의 두 조."""
SERVICE_HOURS = 240.0
"""누적 가동이 이 시간을 넘으면 다음 조 전에 정비합니다."""
MOST = 12
"""한 조에 넣을 수 있는 교체의 최댓값."""
HIDDEN = ("none", "machine", "tool")
REPAIR = ("part", "whole")


def _expit(value):
    return 1.0 / (1.0 + np.exp(-value))


def _check(machines, hidden, repair, per_changeover):
    whole = isinstance(machines, (int, np.integer)) and not isinstance(machines, bool)
    if not whole or not 3 <= machines <= 20_000:
        raise ValueError(f"설비 수 machines는 3에서 20,000 사이의 정수여야 합니다: {machines!r}")
    for name, value, allowed in [("hidden", hidden, HIDDEN), ("repair", repair, REPAIR)]:
        if not isinstance(value, str) or value not in allowed:
            raise ValueError(f"{name}은(는) {', '.join(allowed)} 가운데 하나여야 합니다: {value!r}")
    number = isinstance(per_changeover, (int, float, np.number)) and not isinstance(per_changeover, bool)
    if not number or not 0 <= per_changeover <= 1:
        raise ValueError(f"교체 한 번의 로그 오즈 per_changeover는 0에서 1 사이여야 합니다: {per_changeover!r}")


def generate(seed=4723, machines=23, hidden="none", repair="part", per_changeover=0.25):
    """설비 ``machines``대의 94조 기록과 교체를 한 번 더 할 때의 효과를 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    machines : int
        설비 수(3~20,000). 행은 94배입니다.
    hidden : {"none", "machine", "tool"}
        기록에 없는 공통 원인. "machine"은 설비마다 늘 같고 "tool"은 조마다 흐릅니다.
    repair : {"part", "whole"}
        고장을 고칠 때 부품만 바꾸는지("part"), 정비까지 해서 누적 시간을 0으로 되돌리는지("whole").
    per_changeover : float
        교체 한 번이 고장의 로그 오즈에 더하는 값(0~1).

    Returns
    -------
    pandas.DataFrame
        설비와 조의 순서. 시간은 시간(h), 진동은 mm/s, 전력은 kWh입니다.
        ``frailty``, ``tool``, ``chance``, ``effect``는 정답 열이며 ``effect``의 단위는 %p입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(machines, hidden, repair, per_changeover)
    rng = np.random.default_rng(seed)
    size = (machines, SHIFTS)
    frailty, own = rng.normal(size=machines), rng.normal(size=machines)
    shared = 0.7 if hidden == "machine" else 0.0
    jig = shared * frailty + np.sqrt(1 - shared**2) * own
    usual = rng.uniform(0.2, 0.6, machines)
    small_lot = np.round(np.clip(usual[:, None] + rng.normal(0.0, 0.15, size), 0.0, 1.0), 2)
    night = np.tile(np.arange(SHIFTS) % 2, (machines, 1))
    shock, tool = rng.normal(size=size), np.zeros(size)
    if hidden == "tool":
        tool[:, 0] = shock[:, 0]
        for t in range(1, SHIFTS):
            tool[:, t] = 0.7 * tool[:, t - 1] + np.sqrt(0.51) * shock[:, t]
    clock = rng.uniform(0.0, SERVICE_HOURS, machines)
    luck, stop, share_done = rng.uniform(size=size), rng.uniform(2.0, 8.0, size), rng.uniform(size=size)
    idle = rng.gamma(2.0, 0.6, size)

    plan = np.log(1.7) + 0.9 * (small_lot - 0.4) - 0.15 * night + 0.35 * jig[:, None] - 0.3 * tool
    risk = -4.35 + 1.2 * (small_lot - 0.4) + 0.25 * night + 0.6 * frailty[:, None] + 0.5 * tool
    plan, risk, spare = plan.T.copy(), risk.T.copy(), (12.0 - idle).T.copy()
    bar, lost = np.log(luck / (1.0 - luck)).T.copy(), stop.T.copy()  # 로그 오즈가 bar를 넘으면 고장입니다
    hours, count, odds, run = (np.empty((SHIFTS, machines)) for _ in range(4))
    for t in range(SHIFTS):
        clock[clock > SERVICE_HOURS] = 0.0  # 정비
        hours[t] = clock.round(1)
        wear = hours[t] / 120.0 - 1.0
        count[t] = np.minimum(rng.poisson(np.exp(plan[t] + 0.35 * wear)), MOST)
        odds[t] = risk[t] + 0.8 * wear + per_changeover * count[t]
        broke = odds[t] > bar[t]
        run[t] = np.maximum(spare[t] - 0.35 * count[t] - lost[t] * broke, 0.0)
        clock = clock + run[t]
        if repair == "whole":
            clock[broke] = 0.0
    hours, count, odds, run = hours.T, count.T, odds.T, run.T
    broke, chance, more = odds > bar.T, _expit(odds), _expit(odds + per_changeover)
    done = np.where(broke, np.floor(count * share_done), count)
    worn = hours / 120.0 - 1.0
    energy = 8.0 + 6.0 * run * (1.0 + 0.1 * worn) + rng.normal(0.0, 5.0, size)
    vibration = 2.5 + 0.5 * worn + 0.2 * frailty[:, None] + 0.3 * tool + rng.normal(0.0, 0.4, size)
    table = {
        "machine_id": np.repeat(np.arange(1, machines + 1), SHIFTS).reshape(size),
        "shift_no": np.tile(np.arange(1, SHIFTS + 1), (machines, 1)),
        "night": night,
        "small_lot": small_lot,
        "hours_since": hours,
        "vibration": np.round(np.maximum(vibration, 0.0), 2),
        "changeovers": count.astype(int),
        "changeovers_done": done.astype(int),
        "run_hours": np.round(run, 2),
        "energy_kwh": np.round(np.maximum(energy, 0.0), 1),
        "breakdown": broke.astype(int),
        "frailty": np.round(np.repeat(frailty, SHIFTS).reshape(size), 3),
        "tool": np.round(tool, 3),
        "chance": np.round(chance, 5),
        "effect": np.round(100.0 * (more - chance), 4),
    }
    return pd.DataFrame({name: value.ravel() for name, value in table.items()})
