"""군집이 적을 때의 구간: 군집을 하나씩 빼고 다시 셉니다. 설계들의 한 층 아래에 있고, 재현 노트북에도 그대로 실립니다.

``differences``는 군집 하나를 뺀 추정값에서 전체의 추정값을 뺀 것(shape (G,)), ``overlap``은 오차가 고르고 서로 독립일 때 그 차이들의
공분산(비례 상수는 아무래도 좋습니다, shape (G, G))입니다.
"""

import numpy as np
from scipy import stats

from causal_pipeline.checks import flagged
from causal_pipeline.inference import least_squares
from causal_pipeline.model import Check, Estimate
from causal_pipeline.wording import number

# 한 군집을 뺐을 때 추정값이 표준오차의 몇 배 움직이면 그 군집이 결론을 정한다고 볼지
ONE_CLUSTER_SE = 2.0


def leave_one_out(differences: np.ndarray, overlap: np.ndarray, target: float | None = None) -> tuple[float, float]:
    """하나씩 뺀 차이에서 (표준오차, 자유도)를 냅니다(Bell과 McCaffrey, 2002; Hansen, 2025).

    자유도는 군집의 수에서 하나 뺀 것이 아니라, 오차의 제곱을 실제로 몇 군집이 정하는지입니다(Satterthwaite). ``target``은 같은 가정
    아래 추정값의 분산이고, 주면 하나씩 빼는 방법이 크게 잡는 만큼을 줄입니다.
    """
    g = len(differences)
    shrink = 1.0 if target is None else target / ((g - 1) / g * np.trace(overlap))
    dof = np.trace(overlap) ** 2 / (overlap**2).sum()
    return float(np.sqrt((g - 1) / g * (differences**2).sum() * shrink)), float(dof)


def t_interval(value: float, se: float, dof: float) -> dict[str, float]:
    """추정값과 95% 구간."""
    from scipy import stats

    half = float(stats.t.ppf(0.975, max(dof, 1.0))) * se
    return {"value": float(value), "low": float(value) - half, "high": float(value) + half}


SHOWN = (leave_one_out, t_interval)
"""구간을 내는 데 드는 함수들. ``source(*SHOWN)``으로 함께 싣습니다."""


def welch_dof(influence: np.ndarray, start: np.ndarray, clusters: np.ndarray | None = None) -> float:
    """영향함수의 자유도(Welch와 Satterthwaite). 처치 시점이 같은 대상들의 분산을 저마다 몇 대상에서 쟀는지입니다.

    처치받은 대상이 몇 개뿐이면 대상을 모두 세는 자유도는 구간을 좁게, 시험을 잦게 울리게 합니다. 하나뿐인 집단의 분산은
    대조군에서 빌린 것이라 가장 큰 집단의 자유도를 씁니다. 군집이 처치 시점을 가로지르면 군집의 수에서 하나 뺀 것입니다.
    """
    parts, kinds = influence, start
    if clusters is not None:
        parts = np.bincount(clusters, weights=influence)
        first = np.unique(clusters, return_index=True)[1]
        kinds = start[first]
        if not (kinds[clusters] == start).all():
            return float(max(len(parts) - 1, 1))
    sizes = {k: int((kinds == k).sum()) for k in np.unique(kinds)}
    variance = {k: float((parts[kinds == k] ** 2).sum()) for k in sizes}
    total, most = sum(variance.values()), max(sizes.values())
    if total <= 0:
        return float(max(len(parts) - 1, 1))
    spread = sum(v**2 / max((sizes[k] if sizes[k] > 1 else most) - 1, 1) for k, v in variance.items())
    return float(np.clip(total**2 / spread, 1.0, len(parts)))


def t_test(value: float, se: float, dof: float) -> float:
    """양쪽 p값."""
    return float(2 * stats.t.sf(abs(value) / max(se, 1e-300), max(dof, 1.0)))


def as_normal(se: float, dof: float) -> float:
    """정규분포의 1.96배가 t 분포의 95% 반쪽이 되게 넓힌 표준오차. 정규분포로 판정하는 점검에 넘깁니다."""
    return float(se * stats.t.ppf(0.975, max(dof, 1.0)) / stats.norm.ppf(0.975))


def gap_se(differences: np.ndarray, base: np.ndarray, dof: float) -> float:
    """두 추정의 차이의 표준오차(정규분포로 판정하게 넓힌 것). 둘 다 군집을 하나씩 뺀 차이로 받습니다."""
    g = len(base)
    return as_normal(float(np.sqrt((g - 1) / g * ((differences - base) ** 2).sum())), dof)


def estimate_from(
    value: float,
    se: float,
    dof: float,
    n: int,
    method: str,
    label: str,
    fails_when: str,
    primary: bool = False,
    estimand: str = "",
) -> Estimate:
    """추정값, 표준오차, 자유도에서 추정 하나를 만듭니다."""
    ends = t_interval(value, se, dof)
    return Estimate(
        method, label, ends["value"], ends["low"], ends["high"], float(se), n, fails_when, primary, estimand
    )


def plain_regression(
    d: np.ndarray, y: np.ndarray, clusters: np.ndarray, label: str, fails_when: str, w: np.ndarray | None = None
) -> Estimate:
    """아무것도 보정하지 않고 결과를 처치에 회귀한 단순 비교(``naive``). 표준오차는 군집을 따릅니다."""
    beta, covariance, _ = least_squares(np.column_stack([np.ones(len(y)), d]), y, clusters, w)
    return estimate_from(
        beta[1], np.sqrt(covariance[1, 1]), len(np.unique(clusters)) - 1, len(y), "naive", label, fails_when
    )


def one_cluster(main: Estimate, differences: np.ndarray) -> Check:
    """군집 하나가 결론을 정하는지. ``differences``는 ``main``과 같은 단위입니다."""
    worst = int(np.abs(differences).argmax())
    moved = abs(differences[worst]) / max(main.se, 1e-300)
    message = f"군집 하나를 뺐을 때 추정값이 가장 많이 움직인 것은 {number(main.value + differences[worst])}입니다(표준오차의 {moved:.1f}배)."
    return flagged("one_cluster", "군집 하나의 힘", message, moved, moved > ONE_CLUSTER_SE, ONE_CLUSTER_SE)
