"""장애모수 모델: 후보를 겹 밖 손실로 견주어 고릅니다. 모델은 scikit-learn의 객체 그대로이고, 노트북에는 그 ``repr``을 싣습니다."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from causal_pipeline.errors import DataError
from causal_pipeline.model import Spec
from causal_pipeline.shown import covariate_matrix, fit_weighted
from causal_pipeline.wording import josa

# 고르는 데 쓰는 행의 수. 이보다 많아도 순위는 바뀌지 않고 시간만 듭니다.
SELECTION_ROWS = 20_000
# 항이 이보다 많아지는 이차식 후보는 두지 않습니다.
LARGEST_QUADRATIC = 25
# 열마다 여덟 항이 되는 스플라인 후보도 이보다 넓으면 두지 않습니다. 500열이면 4,000항이라 한 번 맞추는 데 몇 초가 듭니다.
LARGEST_SPLINES = 100
# 보정할 열의 한계. 3,000행에 500열이면 몇 분이 지나도 끝나지 않으므로 셈하기 전에 멈춥니다.
MOST_COLUMNS = 200
# 범주가 이보다 많은 글자 열은 대상의 이름일 때가 많습니다.
LARGEST_LEVELS = 50


def design_matrix(spec: Spec, frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """공변량의 행렬, shape (n, p). 범주는 가변수로, 빈칸은 중앙값과 빈칸 표시로 바꿉니다(``shown.covariate_matrix``).

    Raises
    ------
    DataError
        글자 열의 범주가 ``LARGEST_LEVELS``개를, 모든 열이 ``MOST_COLUMNS``개를 넘을 때.
    """
    for name in columns:
        levels = 0 if pd.api.types.is_numeric_dtype(frame[name]) else frame[name].nunique()
        if levels > LARGEST_LEVELS:
            raise spec.column_error(
                DataError, "too_many_levels", name, f"보정할 열 {name}의 범주가 {levels}개입니다. 범주마다 나누어 견줄 수 없습니다.",
                f"{josa(name, '을/를')} 뜻이 통하는 몇 무리로 묶은 열을 만들어 쓰세요. 대상마다 다른 이름은 아무것도 가르지 못합니다.",
            )  # fmt: skip
    X = covariate_matrix(frame, columns)
    if X.shape[1] > MOST_COLUMNS:
        raise spec.error(
            DataError, "too_many_covariates", "confounders" if spec.confounders else "graph.edges",
            f"보정할 열이 {X.shape[1]:,}개입니다(범주는 값마다 하나로 셉니다). {MOST_COLUMNS}개까지 셉니다.",
            "graph에 화살표를 적으면 뒷문을 막는 데 필요한 변수만 골라 보정합니다. 같은 것을 여러 번 잰 열들은 평균이나 주성분으로 묶은 열을 만들어 적으세요.",
        )  # fmt: skip
    return X


@dataclass(frozen=True)
class Learner:
    """모델의 후보 하나. ``model``은 적합하지 않은 scikit-learn(또는 LightGBM) 객체입니다."""

    name: str
    label: str
    model: Any


@dataclass
class Choice:
    """고른 모델과 후보마다의 겹 밖 손실."""

    learner: Learner
    losses: dict[str, float] = field(default_factory=dict)

    @property
    def model(self) -> Any:
        """고른 모델(적합하지 않은 것)."""
        return self.learner.model

    @property
    def label(self) -> str:
        """고른 모델의 한국어 이름."""
        return self.learner.label


def _boosting(kind: type, seed: int) -> Any:
    return kind(
        n_estimators=80, learning_rate=0.08, num_leaves=15, min_child_samples=30,
        random_state=seed, n_jobs=1, deterministic=True, force_row_wise=True, verbose=-1,
    )  # fmt: skip


def outcome_learners(width: int, seed: int, smooth: bool = True) -> list[Learner]:
    """결과 모델의 후보. 변수마다의 매끄러운 곡선(스플라인)이 나무보다 잘 맞는 일이 흔합니다(``smooth``)."""
    from lightgbm import LGBMRegressor
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, SplineTransformer, StandardScaler

    found = [Learner("linear", "능형회귀", make_pipeline(StandardScaler(), Ridge(alpha=1.0)))]
    if 1 <= width <= LARGEST_SPLINES and smooth:
        splines = SplineTransformer(n_knots=6, degree=3, knots="quantile", extrapolation="linear")
        found.append(
            Learner("splines", "스플라인 능형회귀", make_pipeline(splines, StandardScaler(), Ridge(alpha=1.0)))
        )
    if 1 <= width <= LARGEST_QUADRATIC:
        squares = PolynomialFeatures(2, include_bias=False)
        found.append(
            Learner(
                "quadratic",
                "이차식 능형회귀",
                make_pipeline(StandardScaler(), squares, StandardScaler(), Ridge(alpha=10.0)),
            )
        )
    return [*found, Learner("boosting", "LightGBM", _boosting(LGBMRegressor, seed))]


def propensity_learners(width: int, seed: int) -> list[Learner]:
    """성향점수 모델의 후보."""
    from lightgbm import LGBMClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    found = [
        Learner("logistic", "로지스틱 회귀", make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=500)))
    ]
    if 1 <= width <= LARGEST_QUADRATIC:
        squares, logistic = PolynomialFeatures(2, include_bias=False), LogisticRegression(C=0.1, max_iter=500)
        found.append(
            Learner(
                "logistic_quadratic",
                "이차식 로지스틱 회귀",
                make_pipeline(StandardScaler(), squares, StandardScaler(), logistic),
            )
        )
    return [*found, Learner("boosting", "LightGBM", _boosting(LGBMClassifier, seed))]


def choose(
    candidates: Sequence[Learner],
    X: np.ndarray,
    target: np.ndarray,
    fold: np.ndarray,
    seed: int,
    classify: bool = False,
    weight: np.ndarray | None = None,
) -> Choice:
    """겹 밖 손실(회귀는 제곱 손실, 분류는 로그 손실)이 가장 작은 모델. 공변량이 없으면 첫 후보입니다.

    ``weight``는 표본 가중치이고, 적합과 손실에 함께 씁니다.

    표본이 크면 ``SELECTION_ROWS``행만, 다섯 겹 가운데 셋에서만 견줍니다. 고른 뒤의 적합은 모든 행과 겹으로 합니다.
    """
    if X.shape[1] == 0:
        return Choice(candidates[0])
    w = np.ones(len(target)) if weight is None else weight
    rows = np.arange(len(target))
    if len(rows) > SELECTION_ROWS:
        rows = np.sort(np.random.default_rng(seed).choice(rows, SELECTION_ROWS, replace=False))
    folds = np.unique(fold)[:3]
    losses = {}
    for learner in candidates:
        total, count = 0.0, 0.0
        for k in folds:
            train, test = rows[fold[rows] != k], rows[fold[rows] == k]
            if classify and len(np.unique(target[train])) < 2:
                continue
            model = fit_weighted(learner.model, X[train], target[train], None if weight is None else w[train])
            if classify:
                p = np.clip(model.predict_proba(X[test]), 1e-4, 1 - 1e-4)
                where = np.searchsorted(np.unique(target[train]), target[test])
                total -= w[test] @ np.log(p[np.arange(len(test)), np.minimum(where, p.shape[1] - 1)])
            else:
                total += w[test] @ (target[test] - model.predict(X[test])) ** 2
            count += w[test].sum()
        losses[learner.name] = float(total / max(count, 1e-300))
    return Choice(min(candidates, key=lambda c: losses[c.name]), losses)


def pick_outcome(
    X: np.ndarray,
    target: np.ndarray,
    fold: np.ndarray,
    seed: int,
    smooth: bool = True,
    weight: np.ndarray | None = None,
) -> Choice:
    """결과 모델 하나를 고릅니다."""
    return choose(outcome_learners(X.shape[1], seed, smooth), X, target, fold, seed, weight=weight)


def pick_two_arm_outcome(
    X: np.ndarray,
    y: np.ndarray,
    arms: tuple[np.ndarray, np.ndarray],
    fold: np.ndarray,
    seed: int,
    weight: np.ndarray | None = None,
) -> Choice:
    """두 팔에 함께 쓸 결과 모델. 후보는 두 팔의 손실을 더해 한 번에 고릅니다."""
    candidates = outcome_learners(X.shape[1], seed)
    if X.shape[1] == 0:
        return Choice(candidates[0])
    total = dict.fromkeys([c.name for c in candidates], 0.0)
    for arm in arms:
        w = None if weight is None else weight[arm]
        for name, loss in choose(candidates, X[arm], y[arm], fold[arm], seed, weight=w).losses.items():
            total[name] += loss
    return Choice(min(candidates, key=lambda c: total[c.name]), total)


def pick_propensity(
    X: np.ndarray, code: np.ndarray, fold: np.ndarray, seed: int, weight: np.ndarray | None = None
) -> Choice:
    """성향점수 모델 하나를 고릅니다."""
    return choose(propensity_learners(X.shape[1], seed), X, code, fold, seed, classify=True, weight=weight)
