"""같은 대상을 독자가 아는 라이브러리로 다시 냅니다: statsmodels, EconML, linearmodels.

우리 셈이 틀렸으면 여기에서 드러납니다. 같은 추정 대상을 같은 행과 변수로 내는 것만 견주고, 그런 것이 없는 설계에서는 아무것도 내지
않습니다. 자료의 가정이 맞는지는 보여 주지 못합니다: 같은 가정을 쓰므로 함께 틀립니다.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from causal_pipeline.checks import graded
from causal_pipeline.designs.base import Design
from causal_pipeline.inference import for_learning, row_weights
from causal_pipeline.model import Check, Peer
from causal_pipeline.panel import Panel
from causal_pipeline.shown import fit_weighted
from causal_pipeline.wording import josa

# 우리 표준오차의 이만큼보다 더 다르면 둘 가운데 하나가 틀렸거나, 답이 셈의 세부에 매달려 있습니다.
FAR = 0.5


def peers(design: Design) -> tuple[Peer, ...]:
    """설계의 주된 추정과 같은 대상을 다른 라이브러리로 낸 것들. 견줄 것이 없으면 빈 튜플입니다.

    Returns
    -------
    tuple of Peer
        ``gap``은 우리 표준오차로 잰 차이입니다.
    """
    work = _WORK.get(design.name)
    if work is None:
        return ()
    main = design.primary
    return tuple(
        Peer(library, label, value, se, (value - main.value) / max(main.se, 1e-300))
        for library, label, value, se in work(design)
    )


def check(found: tuple[Peer, ...]) -> list[Check]:
    """다른 라이브러리의 값이 우리 것과 맞는지의 점검. 견줄 것이 없으면 빈 목록입니다."""
    if not found:
        return []
    worst = max(found, key=lambda peer: abs(peer.gap))
    name = josa(f"{worst.library}의 {worst.label}", "은/는")
    message = f"{name} 우리 추정값에서 표준오차의 {abs(worst.gap):.2f}배 떨어져 있습니다."
    status = "warn" if abs(worst.gap) > FAR else "ok"
    tails = {"warn": " 같은 대상을 낸 두 셈이 다르므로, 어느 쪽의 무엇이 다른지 보기 전에는 믿을 수 없습니다."}
    return [graded("peers", "다른 라이브러리", message, abs(worst.gap), status, FAR, tails)]


def _covariance(clusters: np.ndarray | None) -> dict[str, Any]:
    if clusters is None:
        return {"cov_type": "HC2"}
    return {"cov_type": "cluster", "cov_kwds": {"groups": clusters}}


def _experiment(design: Design) -> list[tuple[str, str, float, float]]:
    """배정 확률이 같은 실험: 교호작용을 넣은 회귀(공변량이 없으면 평균의 차이)."""
    import statsmodels.api as sm

    f = design.fit
    if np.ptp(f.p) > 1e-12:
        return []
    X = f.X.to_numpy() - f.w @ f.X.to_numpy() / len(f.w)
    a = f.a.astype(float)
    Z = np.column_stack([np.ones(len(a)), a, X, X * a[:, None]])
    fit = sm.WLS(f.y, Z, weights=f.w).fit(**_covariance(f.clusters))
    kind = "OLS" if np.ptp(f.w) == 0 else "WLS"
    label = f"{kind}(처치와 공변량의 교호작용)" if X.shape[1] else f"{kind}(처치의 계수)"
    return [("statsmodels", label, float(fit.params[1]), float(fit.bse[1]))]


def _adjustment(design: Design) -> list[tuple[str, str, float, float]]:
    """두 갈래 처치의 ATE: 같은 장애모수와 겹을 쓴 LinearDRLearner."""
    from econml.dr import LinearDRLearner

    f, w = design.fit, for_learning(design.fit.w)
    if design.att or not (f.a | f.b).all() or f.X.shape[1] == 0:
        return []
    folds = [(np.flatnonzero(f.fold != k), np.flatnonzero(f.fold == k)) for k in np.unique(f.fold)]
    learner = LinearDRLearner(
        model_propensity=f.propensity.model if w is None else _weighted(f.propensity.model),
        model_regression=f.outcome.model if w is None else _weighted(f.outcome.model),
        cv=folds,
        min_propensity=0.01,
        random_state=design.spec.seed,
    )
    found = learner.fit(f.y, f.a.astype(int), X=None, W=f.X.to_numpy(), sample_weight=w).ate_inference()
    return [("EconML", "LinearDRLearner", float(found.mean_point), float(found.stderr_mean))]


def _weighted(model: Any) -> Any:
    """sample_weight를 받는 모델. scikit-learn의 Pipeline은 걸음의 이름 없이는 받지 않아 EconML에 그대로 넘길 수 없습니다."""
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, is_classifier

    class Weighted(ClassifierMixin if is_classifier(model) else RegressorMixin, BaseEstimator):
        def __init__(self, model: Any):
            self.model = model

        def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> Any:
            self.fitted_ = fit_weighted(self.model, X, y, sample_weight)
            self.classes_ = getattr(self.fitted_, "classes_", None)
            return self

        def predict(self, X: np.ndarray) -> np.ndarray:
            return self.fitted_.predict(X)

        if is_classifier(model):

            def predict_proba(self, X: np.ndarray) -> np.ndarray:
                return self.fitted_.predict_proba(X)

    return Weighted(model)


def _instrument(design: Design) -> list[tuple[str, str, float, float]]:
    from linearmodels.iv import IV2SLS

    f = design.fit
    exog = np.column_stack([np.ones(len(f.y)), f.X.to_numpy()])
    kind = {"cov_type": "robust"} if f.clusters is None else {"cov_type": "clustered", "clusters": f.clusters}
    fit = IV2SLS(f.y, exog, f.d, f.Z, weights=f.w).fit(**kind)
    return [
        ("linearmodels", "IV2SLS", float(fit.params["endog"]) * f.delta, float(fit.std_errors["endog"]) * abs(f.delta))
    ]


def _two_periods(design: Design) -> list[tuple[str, str, float, float]]:
    """한꺼번에 처치받은, 고른 패널의 이중차분: 두 방향 고정효과. 공변량이 있거나 시점이 갈리면 같은 대상이 아닙니다."""
    from linearmodels.panel import PanelOLS

    spec, frame, panel = design.spec, design.frame, Panel.of(design.spec)
    t, y = spec.treatment.column, spec.outcome.column
    starts = frame[frame[t] == 1].groupby(panel.unit)[panel.time].min()
    square = len(frame) == frame[panel.unit].nunique() * frame[panel.time].nunique()
    if design.ident.adjustment or panel.anticipation or starts.nunique() != 1 or not square or frame[y].isna().any():
        return []
    # 우리 추정은 처치 바로 앞의 시점에 견줍니다. 더 앞의 시점까지 평균하는 두 방향 고정효과와 맞추려면 그 시점부터만 씁니다.
    last = frame.loc[frame[panel.time] < starts.iloc[0], panel.time].max()
    data = (
        frame.assign(weight=row_weights(spec, frame))
        .loc[frame[panel.time] >= last, [panel.unit, panel.time, t, y, "weight"]]
        .set_index([panel.unit, panel.time])
        .astype(float)
    )
    fit = PanelOLS(data[y], data[[t]], entity_effects=True, time_effects=True, weights=data["weight"]).fit(
        cov_type="clustered", cluster_entity=True, auto_df=False, count_effects=False
    )
    return [("linearmodels", "PanelOLS(두 방향 고정효과)", float(fit.params[t]), float(fit.std_errors[t]))]


_WORK: dict[str, Callable[[Any], list[tuple[str, str, float, float]]]] = {
    "experiment": _experiment,
    "adjustment": _adjustment,
    "instrument": _instrument,
    "difference_in_differences": _two_periods,
}
