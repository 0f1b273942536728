"""도구를 견주는 여섯 문제의 자료와 정답(``benchmarks.tools``가 씁니다).

우리 파이프라인을 고치며 본 세계(``pipeline_worlds``)는 쓰지 않습니다. 제집에서 견주는 셈이 되기 때문입니다.
가정은 모두 성립합니다. 깨진 가정을 알아채는지는 여기서 재지 않습니다.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

ROWS = 2_000
UNITS, PERIODS, STARTS = 200, 10, (4, 6, 8)
DONORS, WEEKS, OPENED = 20, 50, 40
DOSES = (1.0, 3.0)
FEATURES = ("x1", "x2", "x3", "x4")


@dataclass(frozen=True)
class Problem:
    """문제 하나.

    Attributes
    ----------
    name, label : str
    truth : str
        정답이 무엇인지(쪽에 실립니다).
    make : callable
        씨앗 → (자료, 정답). 정답은 수이고, ``targeting``에서는 따로 뽑은 대상의 특성과 효과의 표입니다.
    """

    name: str
    label: str
    truth: str
    make: Callable[[int], tuple[pd.DataFrame, float | pd.DataFrame]]


def _sigmoid(v):
    return 1 / (1 + np.exp(-v))


def _features(r: np.random.Generator) -> pd.DataFrame:
    return pd.DataFrame(r.normal(size=(ROWS, len(FEATURES))), columns=list(FEATURES))


def _lift(x: pd.DataFrame) -> np.ndarray:
    """대상마다의 효과, shape (n,). 두 변수에 따라 갈리고 열에 넷쯤은 손해를 봅니다."""
    return (0.3 + 0.8 * np.tanh(x["x1"]) - 0.6 * (x["x2"] > 0.5)).to_numpy()


def confounded(seed: int) -> tuple[pd.DataFrame, float]:
    """잰 변수 넷이 처치와 결과를 굽게 움직입니다. 정답은 모집단의 평균 효과 1입니다."""
    r = np.random.default_rng(seed)
    x = _features(r)
    t = (r.random(ROWS) < _sigmoid(0.7 * x["x1"] + 0.5 * x["x2"] ** 2 - 0.5)).astype(int)
    effect = 1 + 0.4 * x["x3"]
    y = effect * t + 0.8 * x["x1"] + 0.6 * x["x2"] ** 2 + 0.5 * x["x3"] + r.normal(size=ROWS)
    return x.assign(t=t, y=y), 1.0


def targeting(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """반씩 무작위로 나눈 실험. 정답은 새로 뽑은 대상의 특성과 효과입니다."""
    r = np.random.default_rng(seed)
    x, new = _features(r), _features(r)
    t = r.integers(0, 2, ROWS)
    y = _lift(x) * t + x["x1"] + 0.5 * x["x3"] ** 2 + r.normal(size=ROWS)
    return x.assign(t=t, y=y), new.assign(effect=_lift(new))


def dose(seed: int) -> tuple[pd.DataFrame, float]:
    """처치는 양이고 많을수록 덜 듣습니다. 용량을 1에서 3으로 올린 평균 효과를 묻습니다."""
    r = np.random.default_rng(seed)
    x = _features(r)
    t = np.abs(2 + 0.6 * x["x1"] + 0.4 * np.sin(2 * x["x2"]) + 0.8 * r.normal(size=ROWS))
    y = 2 * np.log1p(t) + 0.8 * x["x1"] + np.sin(2 * x["x2"]) + r.normal(size=ROWS)
    low, high = DOSES
    return x.assign(t=t, y=y), float(2 * (np.log1p(high) - np.log1p(low)))


def encouragement(seed: int) -> tuple[pd.DataFrame, float]:
    """무작위 안내(z)가 처치를 밀지만, 재지 못한 변수가 처치와 결과를 함께 움직입니다. 효과는 모두 1입니다."""
    r = np.random.default_rng(seed)
    x, u = _features(r), r.normal(size=ROWS)
    z = r.integers(0, 2, ROWS)
    t = (1.5 * z + 0.5 * x["x1"] + u + r.normal(size=ROWS) > 1).astype(int)
    y = t + 0.8 * x["x1"] + 0.5 * x["x2"] ** 2 + u + r.normal(size=ROWS)
    return x.assign(z=z, t=t, y=y), 1.0


def staggered(seed: int) -> tuple[pd.DataFrame, float]:
    """대상마다 다른 때에 시작하고 효과가 자랍니다. 정답은 처치받은 칸의 평균 효과입니다."""
    r = np.random.default_rng(seed)
    start = r.choice([*STARTS, 0], size=UNITS)
    when = np.arange(1, PERIODS + 1)
    since = np.where(start > 0, when[:, None] - start, -1).T
    effect = (0.4 + 0.3 * since) * (since >= 0)
    noise = r.normal(size=(UNITS, PERIODS)) + 0.5 * r.normal(size=(UNITS, 1)) * when / PERIODS
    level = r.normal(size=(UNITS, 1)) + 0.8 * (start > 0)[:, None]
    y = level + 0.4 * np.sin(when) + effect + noise
    frame = pd.DataFrame(
        {
            "unit": np.repeat(np.arange(UNITS), PERIODS),
            "week": np.tile(when, UNITS),
            "start": np.repeat(start, PERIODS),
            "t": (since >= 0).ravel().astype(int),
            "y": y.ravel(),
        }
    )
    return frame, float(effect[since >= 0].mean())


def one_unit(seed: int) -> tuple[pd.DataFrame, float]:
    """도시 하나만 40주째부터 처치받습니다. 그 도시는 대조 도시 넷을 섞은 것에 잡음을 더한 것입니다. 효과는 1.5입니다."""
    r = np.random.default_rng(seed)
    factors = np.cumsum(r.normal(size=(WEEKS, 2)), axis=0) * 0.4
    donors = 10 + factors @ r.normal(size=(2, DONORS)) + 0.4 * r.normal(size=(WEEKS, DONORS))
    on = np.arange(WEEKS) >= OPENED
    city = donors[:, :4] @ np.array([0.4, 0.3, 0.2, 0.1]) + 0.3 * r.normal(size=WEEKS) + 1.5 * on
    panel = np.column_stack([city, donors])
    frame = pd.DataFrame(
        {
            "unit": np.tile(np.arange(DONORS + 1), WEEKS),
            "week": np.repeat(np.arange(WEEKS), DONORS + 1),
            "t": (on[:, None] & (np.arange(DONORS + 1) == 0)).ravel().astype(int),
            "y": panel.ravel(),
        }
    )
    return frame, 1.5


@cache
def problems() -> dict[str, Problem]:
    """이름에서 문제로. 쪽의 표도 이 차례입니다."""
    found = (
        Problem("confounded", "교란된 이진 처치", "모집단의 평균 효과(ATE)", confounded),
        Problem("targeting", "누구에게 줄 것인가", "새 대상마다의 효과(CATE)", targeting),
        Problem("dose", "연속 용량", "용량을 1에서 3으로 올린 평균 효과", dose),
        Problem("encouragement", "따르지 않는 실험", "순응자의 평균 효과(LATE)", encouragement),
        Problem("staggered", "때가 다른 시작", "처치받은 칸의 평균 효과(ATT)", staggered),
        Problem("one_unit", "처치받은 곳이 하나", "처치 뒤 열 주의 평균 효과(ATT)", one_unit),
    )
    return {problem.name: problem for problem in found}
