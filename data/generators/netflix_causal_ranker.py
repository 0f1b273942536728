"""첫 화면의 두 칸: 방문마다 후보 다섯 작품이 있고, 한 행이 방문과 후보 하나입니다.

회원이 작품을 틀려면 그 작품을 **알아야** 하고 **보고 싶어야** 합니다. 칸에 보여 주는 일은 모르던 작품을 알게 할 뿐입니다.
그래서 이미 찾아본 작품과 이름난 작품은 재생 확률이 높아도 보여 주어서 느는 재생은 적습니다.
로그를 남긴 순위는 재생 확률 점수로 두 칸을 채우고, ``explore``의 확률로만 다섯에서 아무 둘이나 골랐습니다. 그 확률이 기록에 남습니다.
칸은 나란해서 자리의 차이는 없습니다. 숫자는 모두 만든 것이고 실제 회사의 자료가 아닙니다.
"""

from itertools import combinations

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 2206, "n": 3000}

CANDIDATES, SLOTS = 5, 2
"""방문마다의 후보와 칸."""
SLATES = np.array([[j in pair for pair in combinations(range(CANDIDATES), SLOTS)] for j in range(CANDIDATES)])
"""후보 다섯에서 둘을 고르는 열 가지 화면(후보 × 화면)."""


def _expit(x):
    return 1 / (1 + np.exp(-x))


def top(score, slots=SLOTS):
    """방문마다 점수가 높은 ``slots``개를 고릅니다(0/1). 같은 점수는 앞의 후보가 이깁니다.

    Parameters
    ----------
    score : numpy.ndarray
        (후보, 방문)의 점수.
    slots : int
        고를 수.

    Returns
    -------
    numpy.ndarray
        같은 모양의 0과 1.
    """
    order = np.argsort(-score, axis=0, kind="stable")
    chosen = np.zeros(score.shape, int)
    np.put_along_axis(chosen, order[:slots], 1, axis=0)
    return chosen


def worth(chosen, off, on, steal=0.0):
    """화면의 참값: 후보 다섯에서 나올 재생의 기댓값(회/방문).

    Parameters
    ----------
    chosen, off, on : numpy.ndarray
        (후보, 방문)의 화면(0/1), 보이지 않을 때와 보일 때의 재생 확률.
    steal : float
        두 칸의 작품을 모두 보고 싶을 때 하나만 트는 확률.

    Returns
    -------
    numpy.ndarray
        방문마다의 값.
    """
    value = (off + chosen * (on - off)).sum(axis=0)
    return value - steal * np.where(chosen == 1, on, 1.0).prod(axis=0) if steal else value


def _check(n, explore, rule, rule_sees, steal, lift):
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 100:
        raise ValueError(f"방문의 수 n은 100 이상의 정수여야 합니다: {n!r}")
    ranges = {"explore": (explore, 0.01, 1), "rule": (rule, 0, 1), "steal": (steal, 0, 1), "lift": (lift, 0, 1)}
    for name, (value, low, high) in ranges.items():
        number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        if not number or not low <= value <= high:
            raise ValueError(f"{name}은(는) {low}에서 {high} 사이의 수여야 합니다: {value!r}")
    if not isinstance(rule_sees, str) or rule_sees not in ("fresh", "buzz"):
        raise ValueError(f"규칙이 보는 것 rule_sees는 fresh나 buzz여야 합니다: {rule_sees!r}")


def draw(seed=2206, n=3000, explore=0.3, rule=0.0, rule_sees="fresh", steal=0.0, lift=0.6):
    """:func:`generate`와 같은 자료를 열마다 (후보, 방문)의 배열로 돌려줍니다. 되풀이에 씁니다."""
    _check(n, explore, rule, rule_sees, steal, lift)
    rng = np.random.default_rng(seed)
    shape = (CANDIDATES, n)
    newcomer = rng.binomial(1, 0.25, n) * np.ones(shape, int)
    match = np.round(rng.normal(0, 1, shape).clip(-3, 3), 2)
    fame = np.round(rng.normal(0, 1, shape).clip(-3, 3), 2)
    looks = _expit(-2.4 + 0.9 * match + 0.7 * fame)
    luck = rng.random(shape)
    searched = np.where(looks <= 0.5, luck > 1 - looks, luck <= looks).astype(int)
    fresh = (rng.random(shape) > 0.8).astype(int)
    buzz = rng.normal(0, 1, shape)

    want = -0.8 + 1.0 * match + 0.8 * searched
    aware = _expit(-0.3 + 1.3 * fame + 3.0 * searched - 0.8 * newcomer - 0.5 * fresh)
    noticed = aware + (1 - aware) * lift
    score = np.round(_expit(want) * (aware + (1 - aware) * 0.6), 3)
    taste = _expit(want + 0.7 * buzz)
    off, on = np.round(taste * aware, 4), np.round(taste * noticed, 4)

    best = top(score)
    explored = rng.random(n) < explore
    shown = np.where(explored, SLATES[:, rng.integers(SLATES.shape[1], size=n)], best).astype(int)
    share = SLOTS / CANDIDATES
    propensity = np.where(best == 1, 1 - explore + explore * share, explore * share)
    same = (shown == best).all(axis=0)
    slate = np.where(same, 1 - explore, 0.0) + explore / SLATES.shape[1]

    if rule > 0:
        able = (fresh == 1) & (shown == 0) & ((buzz > 0.5) if rule_sees == "buzz" else True)
        rows = np.flatnonzero(able.any(axis=0) & (rng.random(n) < rule))
        weakest = np.where(shown == 1, score, np.inf).argmin(axis=0)
        promoted = np.where(able, score, -np.inf).argmax(axis=0)
        shown[weakest[rows], rows], shown[promoted[rows], rows] = 0, 1

    knows = np.where(shown == 1, on, off)
    played = (rng.random(shape) < knows).astype(int)
    if steal > 0:
        rows = np.flatnonzero(((played * shown).sum(axis=0) == SLOTS) & (rng.random(n) < steal))
        first, last = shown.argmax(axis=0), CANDIDATES - 1 - shown[::-1].argmax(axis=0)
        played[np.where(rng.random(n) < 0.5, first, last)[rows], rows] = 0

    return {
        "visit_id": np.broadcast_to(np.arange(1, n + 1), shape),
        "newcomer": newcomer,
        "match": match,
        "fame": fame,
        "searched": searched,
        "fresh": fresh,
        "score": score,
        "shown": shown,
        "propensity": np.round(propensity, 4),
        "slate_propensity": np.broadcast_to(np.round(slate, 4), shape),
        "played": played,
        "chance_off": off,
        "chance_on": on,
    }


def generate(seed=2206, n=3000, explore=0.3, rule=0.0, rule_sees="fresh", steal=0.0, lift=0.6):
    """방문 ``n``번의 후보 다섯씩을 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗.
    n : int
        방문의 수. 100 이상이고, 행은 그 다섯 배입니다.
    explore : float
        아무 둘이나 고르는 확률(0.01~1).
    rule : float
        확률을 기록한 **뒤에** 붙는 규칙. 두 칸에 없는 신작이 있으면 이 확률로 점수가 낮은 칸을 그 신작으로 바꿉니다(0~1).
    rule_sees : {"fresh", "buzz"}
        규칙이 보는 것. "buzz"이면 기록에 없는 화제도 보아서, 화제가 높은 신작만 올립니다.
    steal : float
        두 칸의 작품을 모두 보고 싶을 때 하나만 트는 확률(0~1). 0이면 간섭이 없습니다.
    lift : float
        보여 준 작품을 모르던 회원이 알아채는 확률(0~1). 0이면 보여 주어도 재생이 늘지 않습니다.

    Returns
    -------
    pandas.DataFrame
        방문과 후보의 순서. ``chance_off``와 ``chance_on``은 보이지 않을 때와 보일 때의 재생 확률로 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    table = draw(seed, n, explore, rule, rule_sees, steal, lift)
    return pd.DataFrame({name: values.T.ravel() for name, values in table.items()})
