"""효과가 갈리는지 먼저 시험하고, 갈릴 때에만 무리별 효과를 냅니다.

시험하지 않고 무리마다의 추정값을 늘어놓으면 우연히 큰 무리가 반드시 나옵니다.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from causal_pipeline import learners
from causal_pipeline.designs.base import Design, UnitEffects
from causal_pipeline.inference import for_learning, least_squares, subset_clusters
from causal_pipeline.model import Heterogeneity, Spec
from causal_pipeline.shown import critical_value, cross_fit, standard_error, weighted
from causal_pipeline.wording import number

LEVEL = 0.05
LINEAR_LEVEL = 0.04
QUARTERS = 4


@dataclass
class Effects:
    """대상마다의 점수와, 수정자만으로 겹 밖에서 예측한 효과(``predicted``, shape (n,))."""

    units: UnitEffects
    predicted: np.ndarray


def predicted_effects(design: Design) -> Effects | None:
    """수정자만으로 대상별 효과를 겹 밖에서 예측합니다. 수정자를 적지 않았거나 점수가 없는 설계이면 None."""
    spec = design.spec
    units = design.unit_effects() if spec.modifiers else None
    if units is None:
        return None
    X = learners.design_matrix(spec, units.frame, spec.modifiers).to_numpy()
    if X.shape[1] == 0:
        return None
    # 점수의 꼬리가 길면 나무가 몇 대상에 끌려갑니다. 예측을 배울 때에만 1%와 99%에서 자릅니다.
    target = np.clip(units.psi, *np.quantile(units.psi, [0.01, 0.99]))
    # 스플라인은 후보에서 뺍니다. 드문 값의 예측이 크게 튀어, 효과가 고른 세계에서 1% 수준의 시험이 120번 가운데 5% 울렸습니다(빼면 1.7%).
    w = for_learning(units.w)
    choice = learners.pick_outcome(X, target, units.fold, spec.seed, smooth=False, weight=w)
    return Effects(units, cross_fit(choice.model, X, target, units.fold, weight=w))


def heterogeneity(design: Design, e: Effects | None) -> Heterogeneity | None:
    """효과의 이질성을 시험합니다.

    두 시험을 함께 씁니다: 점수를 수정자에 회귀한 계수가 모두 0인지(Wald), 겹 밖 예측이 점수를 설명하는지(BLP의 기울기가
    0보다 큰지). 뒤의 시험은 효과가 고른 세계에서 조금 자주 울려(150번 가운데 6%) 유의수준 5% 가운데 1%만 나누어 줍니다.

    Parameters
    ----------
    e : Effects or None
        ``predicted_effects``가 낸 것. None이면 시험하지 않고 None을 돌려줍니다.
    """
    if e is None:
        return None
    spec, units = design.spec, e.units
    X = learners.design_matrix(spec, units.frame, spec.modifiers).to_numpy()
    Z = np.column_stack([np.ones(len(X)), (X - X.mean(axis=0)) / X.std(axis=0)])
    beta, covariance, _ = least_squares(Z, units.psi, units.clusters, for_learning(units.w))
    k = Z.shape[1] - 1
    wald = float(beta[1:] @ np.linalg.pinv(covariance[1:, 1:]) @ beta[1:])
    df = (len(X) if units.clusters is None else len(np.unique(units.clusters))) - 1
    p_linear = float(stats.f.sf(wald / k, k, max(df - k, 1)))
    slope, se = _slope(e)
    p_predicted = float(stats.norm.sf(slope / se)) if se > 0 else 1.0
    p = min(1.0, LEVEL / LINEAR_LEVEL * p_linear, LEVEL / (LEVEL - LINEAR_LEVEL) * p_predicted)
    if p >= LEVEL:
        return Heterogeneity(tuple(spec.modifiers), p, False)
    groups, calibration = _quarters(e)
    calibration |= {"slope": slope, "slope_low": slope - 1.96 * se, "slope_high": slope + 1.96 * se}
    calibration["p_linear"], calibration["p_predicted"] = p_linear, p_predicted
    return Heterogeneity(tuple(spec.modifiers), p, True, (*groups, *_by_modifier(spec, e)), calibration)


def _slope(e: Effects) -> tuple[float, float]:
    """겹 밖 예측에 점수를 회귀한 기울기. 예측이 잘 맞으면 1입니다."""
    _, fold = np.unique(e.units.fold, return_inverse=True)
    w = e.units.w
    g = e.predicted - (np.bincount(fold, w * e.predicted) / np.bincount(fold, w))[fold]
    if g.std() < 1e-12:
        return 0.0, 0.0
    Z = np.column_stack([np.ones(len(g)), g])
    beta, covariance, _ = least_squares(Z, e.units.psi, e.units.clusters, for_learning(w))
    return float(beta[1]), float(np.sqrt(covariance[1, 1]))


def _group(e: Effects, label: str, mask: np.ndarray, tests: int) -> dict:
    w = e.units.w
    clusters, psi = subset_clusters(e.units.clusters, mask), weighted(e.units.psi[mask], w[mask])
    half = critical_value(len(psi), clusters, 1 - 0.05 / tests) * standard_error(psi, clusters)
    return {
        "label": label,
        "n": int(mask.sum()),
        "share": float(np.average(mask, weights=w)),
        "value": float(psi.mean()),
        "low": float(psi.mean() - half),
        "high": float(psi.mean() + half),
        "predicted": float(np.average(e.predicted[mask], weights=w[mask])),
    }


def _quarters(e: Effects) -> tuple[list[dict], dict[str, float]]:
    """겹 안에서 예측 효과의 차례로 넷으로 나눈 무리. 구간은 넷을 함께 보는 Bonferroni입니다."""
    quarter = np.zeros(len(e.units.psi), dtype=int)
    for k in np.unique(e.units.fold):
        rows = np.flatnonzero(e.units.fold == k)
        rank = np.argsort(np.argsort(e.predicted[rows], kind="stable"), kind="stable")
        quarter[rows] = rank * QUARTERS // len(rows)
    names = ["예측 효과가 가장 작은 넷째", "둘째로 작은 넷째", "둘째로 큰 넷째", "가장 큰 넷째"]
    groups = [_group(e, names[q], quarter == q, QUARTERS) | {"kind": "predicted"} for q in range(QUARTERS)]
    average = np.average(e.units.psi, weights=e.units.w)
    miss = sum(g["share"] * abs(g["value"] - g["predicted"]) for g in groups)
    spread = sum(g["share"] * abs(g["value"] - average) for g in groups)
    return groups, {"calibration_r2": float(1 - miss / spread) if spread > 0 else 0.0}


def _by_modifier(spec: Spec, e: Effects) -> list[dict]:
    """수정자마다 세 조각(범주형이면 범주)의 효과."""
    cells = []
    for name in spec.modifiers:
        column = e.units.frame[name]
        if pd.api.types.is_numeric_dtype(column) and column.nunique() > 5:
            cut = pd.qcut(column, 3, duplicates="drop")
            labels = {
                level: f"{spec.label(name)} {number(level.left)}~{number(level.right)}" for level in cut.cat.categories
            }
        else:
            cut = column.astype("category")
            labels = {level: f"{spec.label(name)}={level}" for level in list(cut.cat.categories)[:12]}
        cells += [(labels[level], (cut == level).to_numpy()) for level in labels]
    cells = [(label, mask) for label, mask in cells if mask.sum() >= 30]
    return [_group(e, label, mask, len(cells)) | {"kind": "modifier"} for label, mask in cells]
