"""추론의 바닥: 영향함수와 군집, 최소제곱, 구간, 여러 시험의 보정. 모든 설계의 구간이 여기에서 나옵니다.

``psi``는 대상마다의 영향함수에 추정값을 더한 것입니다(평균이 추정값, shape (n,)). ``clusters``는 0부터의 군집 번호(shape (n,))이고,
행마다 따로 정했으면 None입니다.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from causal_pipeline import shown
from causal_pipeline.model import Estimate, Spec
from causal_pipeline.shown import error_and_critical, interval


def cluster_column(spec: Spec) -> str | None:
    """표준오차가 따르는 단위의 열: 처치를 정한 단위, 없으면 분석 단위."""
    return spec.treatment.cluster or spec.unit


def cluster_codes(spec: Spec, frame: pd.DataFrame) -> np.ndarray | None:
    """처치를 정한 단위의 번호, shape (n,). 행마다 따로 정했으면 None."""
    column = cluster_column(spec)
    if column is None:
        return None
    codes = pd.factorize(frame[column], sort=True)[0]
    return None if len(np.unique(codes)) == len(frame) else codes


def fold_groups(spec: Spec, clusters: np.ndarray | None, adjustment: Sequence[str]) -> np.ndarray | None:
    """한 겹에 함께 둘 군집, shape (n,). 군집을 범주로 보정하면 None입니다: 통째로 남겨 둔 군집의 높이는 나머지에서 배울 수 없습니다."""
    return None if cluster_column(spec) in adjustment else clusters


def subset_clusters(clusters: np.ndarray | None, keep: np.ndarray) -> np.ndarray | None:
    """``keep``인 행만 남겼을 때의 군집 번호(0부터 다시 매깁니다)."""
    return None if clusters is None else np.unique(clusters[keep], return_inverse=True)[1]


def sampled(spec: Spec) -> bool:
    """표본 가중치를 적었으면 참."""
    return spec.weights is not None and spec.weights.kind == "sampling"


def row_weights(spec: Spec, frame: pd.DataFrame) -> np.ndarray:
    """행마다의 표본 가중치(이 행들에서 평균 1), shape (n,). 적지 않았거나 센 수이면(이미 되풀이했습니다) 모두 1입니다."""
    return shown.row_weights(frame, spec.weights.column) if sampled(spec) else np.ones(len(frame))


def for_learning(w: np.ndarray) -> np.ndarray | None:
    """모델에 넘길 가중치. 고르면 None입니다(가중하지 않은 적합과 한 자리까지 같게)."""
    return None if np.ptp(w) == 0 else w


def kish(w: np.ndarray) -> float:
    """유효표본(Kish, 1965): 가중치의 합의 제곱을 제곱의 합으로 나눈 것."""
    return float(w.sum() ** 2 / max((w**2).sum(), 1e-300))


def estimate_from(
    psi: np.ndarray,
    method: str,
    label: str,
    fails_when: str,
    clusters: np.ndarray | None = None,
    primary: bool = False,
    estimand: str = "",
    arms: np.ndarray | None = None,
) -> Estimate:
    """영향함수의 평균과 (군집) 표준오차로 추정 하나를 만듭니다. ``arms``는 행마다의 팔입니다(``shown.arm_spread``)."""
    psi = np.asarray(psi, dtype=float)
    ends = interval(psi, clusters, arms)
    return Estimate(
        method,
        label,
        ends["value"],
        ends["low"],
        ends["high"],
        error_and_critical(psi, clusters, arms)[0],
        len(psi),
        fails_when,
        primary,
        estimand,
    )


def least_squares(
    X: np.ndarray, y: np.ndarray, clusters: np.ndarray | None = None, w: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """최소제곱과 (군집) 강건 공분산(HC1, 군집이면 statsmodels와 같은 작은 표본 보정). ``w``는 표본 가중치입니다.

    Returns
    -------
    beta : array, shape (p,)
    covariance : array, shape (p, p)
    residual : array, shape (n,)
    """
    n, p = X.shape
    whole, y_whole = X, y
    if w is not None:  # 행에 √w를 곱하면 정규방정식에도 샌드위치의 점수에도 w가 한 번씩 들어갑니다
        X, y = X * np.sqrt(w)[:, None], y * np.sqrt(w)
    bread = np.linalg.pinv(X.T @ X)
    beta = bread @ (X.T @ y)
    residual = y - X @ beta
    if clusters is None:
        scores = X * residual[:, None]
        factor = n / max(n - p, 1)
    else:
        g = int(clusters.max()) + 1
        scores = np.column_stack([np.bincount(clusters, weights=X[:, j] * residual, minlength=g) for j in range(p)])
        factor = g / max(g - 1, 1) * (n - 1) / max(n - p, 1)
    return beta, factor * bread @ (scores.T @ scores) @ bread, y_whole - whole @ beta


def two_sided(z: float) -> float:
    """정규분포의 양쪽 p값."""
    return float(2 * stats.norm.sf(abs(z)))


def permutation_p(simulated: np.ndarray, observed: float) -> float:
    """다시 뽑은 값들 가운데 관측한 것만큼 큰 것의 몫(관측한 것을 하나로 셉니다)."""
    return float((1 + (np.abs(simulated) >= abs(observed)).sum()) / (len(simulated) + 1))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm으로 고친 p값."""
    order = np.argsort(p_values)
    out, worst = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - rank) * float(p_values[i])))
        out[i] = worst
    return out


def as_float(frame: pd.DataFrame, column: str) -> np.ndarray:
    """열 하나를 float으로. 글자 열은 번호로 바꿉니다(그래프 검사와 음성 대조군에만 씁니다)."""
    series = frame[column]
    if pd.api.types.is_numeric_dtype(series):
        return series.to_numpy(dtype=float)
    return pd.factorize(series, sort=True)[0].astype(float)
