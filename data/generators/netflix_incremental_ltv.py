"""구독 회원의 해지와 재가입 데이터: 월초에 구독 중이던 계정 하나가 한 행입니다.

계정은 열두 달 전에 가입해 달마다 켜짐과 꺼짐을 오갑니다. 0월 초에 켜져 있던 계정만 표에 있습니다.
많이 보는 계정은 덜 해지하고, 해지해도 더 잘 돌아옵니다. 돌아올 확률은 떠난 지 오래될수록 줄어듭니다.
요금제와 시청량이 같으면 이번 달에 누가 해지하는지는 우연입니다. ``hidden=True``이면 기록되지 않는 애착이
해지와 재가입을 함께 움직입니다. 실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 5, "n": 8_000, "hidden": False}

HORIZON = 24
"""0월 뒤로 세는 달의 수."""
DISCOUNT = 0.99
"""다음 달의 1원을 이번 달의 돈으로 바꾸는 비율."""
MARGIN = (6.0, 10.0)
"""기본 요금제와 프리미엄 요금제의 한 달 공헌이익(천 원)."""
HISTORY = 12

_CANCEL = np.array([[0.095, 0.040], [0.070, 0.025]])  # [요금제, 시청량]
_REJOIN = np.array([[0.06, 0.15], [0.06, 0.15]])
_FADE = 0.90


def _check(n, hidden):
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 200:
        raise ValueError(f"계정 수 n은 200 이상의 정수여야 합니다: {n!r}")
    if not isinstance(hidden, (bool, np.bool_)):
        raise ValueError(f"hidden은 True나 False여야 합니다: {hidden!r}")


def _month(on, away, cancel, rejoin, u):
    """한 달을 굴립니다. away는 꺼진 지 몇 달째인지(켜져 있으면 0)."""
    back = rejoin * _FADE ** np.maximum(away - 1, 0)
    now = np.where(on, u >= cancel, u < back)
    return now, np.where(now, 0, away + 1)


def _worth(on, away, cancel, rejoin, u):
    """앞으로 HORIZON달의 켜짐(n × HORIZON)."""
    path = np.zeros((len(on), HORIZON), dtype=bool)
    for month in range(HORIZON):
        on, away = _month(on, away, cancel, rejoin, u[:, month])
        path[:, month] = on
    return path


def generate(seed=5, n=8_000, hidden=False):
    """0월 초에 구독 중인 계정 n개의 24개월과 두 잠재적 결과를 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        계정 수(200 이상).
    hidden : bool
        참이면 기록되지 않는 애착이 해지를 줄이고 재가입을 늘립니다.

    Returns
    -------
    pandas.DataFrame
        n행. ``on_1``…``on_24``는 그 달의 구독(0/1), ``value``는 24개월의 할인한 공헌이익(천 원)입니다.
        ``attachment``, ``value_stay``, ``value_leave``는 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, hidden)
    rng = np.random.default_rng(seed)
    kept = []
    while sum(len(part["plan"]) for part in kept) < n:
        size = 2 * n
        plan, heavy = (rng.random(size) < 0.45).astype(int), (rng.random(size) < 0.5).astype(int)
        attachment = rng.normal(0.0, 1.0, size)
        pull = 0.8 * attachment if hidden else np.zeros(size)
        cancel = np.clip(_CANCEL[plan, heavy] * np.exp(-pull), 0, 0.9)
        rejoin = np.clip(_REJOIN[plan, heavy] * np.exp(pull), 0, 0.9)
        on, away, paid = np.ones(size, dtype=bool), np.zeros(size, dtype=int), np.zeros(size, dtype=int)
        for _ in range(HISTORY):
            on, away = _month(on, away, cancel, rejoin, rng.random(size))
            paid += on
        part = {
            "plan": plan,
            "heavy": heavy,
            "attachment": attachment,
            "cancel": cancel,
            "rejoin": rejoin,
            "paid": paid,
        }
        kept.append({key: value[on] for key, value in part.items()})
    a = {key: np.concatenate([part[key] for part in kept])[:n] for key in kept[0]}

    leave = rng.random(n) < a["cancel"]
    u = rng.random((n, HORIZON))
    none = np.zeros(n, dtype=int)
    stay_path = _worth(np.ones(n, dtype=bool), none, a["cancel"], a["rejoin"], u)
    leave_path = _worth(np.zeros(n, dtype=bool), none + 1, a["cancel"], a["rejoin"], u)
    weight = DISCOUNT ** np.arange(1, HORIZON + 1)
    margin = np.asarray(MARGIN)[a["plan"]]
    value_stay, value_leave = (np.round(margin * (path @ weight), 2) for path in (stay_path, leave_path))
    path = np.where(leave[:, None], leave_path, stay_path).astype(int)

    return pd.DataFrame(
        {
            "account_id": np.arange(1, n + 1),
            "premium": a["plan"],
            "heavy": a["heavy"],
            "paid_past": a["paid"],
            "cancelled": leave.astype(int),
            **{f"on_{month + 1}": path[:, month] for month in range(HORIZON)},
            "value": np.where(leave, value_leave, value_stay),
            "attachment": np.round(a["attachment"], 3),
            "value_stay": value_stay,
            "value_leave": value_leave,
        }
    )
