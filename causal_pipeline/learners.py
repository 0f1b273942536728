"""장애모수 모델: 후보를 겹 밖 손실로 견주어 고르고, 교차 적합합니다.

후보마다 재현 노트북에 그대로 옮길 수 있는 식(``source``)이 있고, 여기서도 그 식으로 만듭니다.
"""

from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pandas as pd

from causal_pipeline.errors import DataError
from causal_pipeline.wording import josa

# 고르는 데 쓰는 행의 수. 이보다 많아도 순위는 바뀌지 않고 시간만 듭니다.
SELECTION_ROWS = 20_000
# 항이 이보다 많아지는 이차식 후보는 두지 않습니다.
LARGEST_QUADRATIC = 25
# 범주가 이보다 많은 글자 열은 대상의 이름일 때가 많습니다.
LARGEST_LEVELS = 50

IMPORTS = """\
import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, SplineTransformer, StandardScaler"""


def design_matrix(frame: pd.DataFrame, columns) -> pd.DataFrame:
    """공변량의 행렬. 범주는 가변수로, 빈칸은 중앙값과 빈칸 표시로 바꿉니다.

    Parameters
    ----------
    frame : pandas.DataFrame, shape (n, …)
    columns : sequence of str

    Returns
    -------
    pandas.DataFrame, shape (n, p)
        모두 float이고 빈칸이 없습니다.

    Raises
    ------
    DataError
        글자 열의 범주가 ``LARGEST_LEVELS``개를 넘을 때.
    """
    if not len(columns):
        return pd.DataFrame(index=frame.index)
    raw = frame[list(columns)].copy()
    for name in raw:
        if pd.api.types.is_datetime64_any_dtype(raw[name]):
            raw[name] = (raw[name] - raw[name].min()) / pd.Timedelta(days=1)
        elif not pd.api.types.is_numeric_dtype(raw[name]) and raw[name].nunique() > LARGEST_LEVELS:
            raise DataError(
                "too_many_levels",
                f"보정할 열 {name}의 범주가 {raw[name].nunique()}개입니다. 범주마다 나누어 견줄 수 없습니다.",
                f"{josa(name, '을/를')} 뜻이 통하는 몇 무리로 묶은 열을 만들어 쓰세요. 대상의 이름이면 confounders에서 빼세요.",
            )
    X = pd.get_dummies(raw, drop_first=True, dtype=float).astype(float)
    for name in list(X):
        if X[name].isna().any():
            X[f"{name}__missing"] = X[name].isna().astype(float)
    X = X.fillna(X.median())
    return X.loc[:, X.nunique() > 1]


MATRIX_SOURCE = """\
X = pd.get_dummies(frame[{columns}], drop_first=True, dtype=float).astype(float)
for name in list(X):
    if X[name].isna().any():
        X[f"{{name}}__missing"] = X[name].isna().astype(float)
X = X.fillna(X.median())
X = X.loc[:, X.nunique() > 1]"""


@dataclass(frozen=True)
class Learner:
    """모델 하나. ``source``는 IMPORTS만 있으면 도는 scikit-learn 식입니다."""

    name: str
    label: str
    source: str

    def make(self):
        """새 모델. 노트북에 실리는 바로 그 식을 계산합니다. 식은 이 파일의 상수와 정수 씨앗으로만 만들어집니다."""
        return eval(self.source, {"__builtins__": {}}, _namespace())  # noqa: S307


@cache
def _namespace() -> dict:
    from lightgbm import LGBMClassifier, LGBMRegressor
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, SplineTransformer, StandardScaler

    return {
        "LGBMClassifier": LGBMClassifier,
        "LGBMRegressor": LGBMRegressor,
        "LogisticRegression": LogisticRegression,
        "PolynomialFeatures": PolynomialFeatures,
        "Ridge": Ridge,
        "SplineTransformer": SplineTransformer,
        "StandardScaler": StandardScaler,
        "make_pipeline": make_pipeline,
    }


def _boosting(kind: str, seed: int) -> str:
    return (
        f"LGBM{kind}(n_estimators=80, learning_rate=0.08, num_leaves=15, min_child_samples=30, "
        f"random_state={seed}, n_jobs=1, deterministic=True, force_row_wise=True, verbose=-1)"
    )


def outcome_learners(width: int, seed: int, smooth: bool = True) -> list[Learner]:
    """결과 모델의 후보. 변수마다의 매끄러운 곡선(스플라인)이 나무보다 잘 맞는 일이 흔합니다(``smooth``)."""
    found = [Learner("linear", "능형회귀", "make_pipeline(StandardScaler(), Ridge(alpha=1.0))")]
    if width >= 1 and smooth:
        source = "make_pipeline(SplineTransformer(n_knots=6, degree=3, knots='quantile', extrapolation='linear'), StandardScaler(), Ridge(alpha=1.0))"
        found.append(Learner("splines", "스플라인 능형회귀", source))
    if 1 <= width <= LARGEST_QUADRATIC:
        found.append(
            Learner(
                "quadratic", "이차식 능형회귀", "make_pipeline(StandardScaler(), PolynomialFeatures(2, include_bias=False), StandardScaler(), Ridge(alpha=10.0))"
            )
        )
    found.append(Learner("boosting", "LightGBM", _boosting("Regressor", seed)))
    return found


def propensity_learners(width: int, seed: int) -> list[Learner]:
    """성향점수 모델의 후보."""
    found = [Learner("logistic", "로지스틱 회귀", "make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=500))")]
    if 1 <= width <= LARGEST_QUADRATIC:
        found.append(
            Learner(
                "logistic_quadratic",
                "이차식 로지스틱 회귀",
                "make_pipeline(StandardScaler(), PolynomialFeatures(2, include_bias=False), StandardScaler(), LogisticRegression(C=0.1, max_iter=500))",
            )
        )
    found.append(Learner("boosting", "LightGBM", _boosting("Classifier", seed)))
    return found


def fold_numbers(labels, seed: int, groups=None, folds: int = 5) -> np.ndarray:
    """행마다 겹의 번호.

    Parameters
    ----------
    labels : array, shape (n,)
        고르게 나눌 처치. 값이 12가지를 넘으면 그냥 나눕니다.
    groups : array or None
        같은 무리는 한 겹에 둡니다(군집 배정).
    """
    from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold

    n = len(labels)
    out = np.zeros(n, dtype=int)
    if groups is not None:
        split = GroupKFold(folds, shuffle=True, random_state=seed).split(np.zeros(n), labels, groups)
    elif len(np.unique(labels)) <= 12:
        split = StratifiedKFold(folds, shuffle=True, random_state=seed).split(np.zeros(n), labels)
    else:
        split = KFold(folds, shuffle=True, random_state=seed).split(np.zeros(n))
    for k, (_, test) in enumerate(split):
        out[test] = k
    return out


@dataclass
class Choice:
    """고른 모델과 후보마다의 겹 밖 손실."""

    learner: Learner
    losses: dict[str, float] = field(default_factory=dict)


def choose(learners, X: np.ndarray, target: np.ndarray, fold: np.ndarray, seed: int, classify: bool = False, weights=None) -> Choice:
    """겹 밖 손실(회귀는 제곱 손실, 분류는 로그 손실)이 가장 작은 모델.

    표본이 크면 ``SELECTION_ROWS``행만, 다섯 겹 가운데 셋에서만 견줍니다. 고른 뒤의 적합은 모든 행과 겹으로 합니다.
    """
    rows = np.arange(len(target))
    if len(rows) > SELECTION_ROWS:
        rows = np.sort(np.random.default_rng(seed).choice(rows, SELECTION_ROWS, replace=False))
    folds = np.unique(fold)[:3]
    losses = {}
    for learner in learners:
        total, count = 0.0, 0
        for k in folds:
            train, test = rows[fold[rows] != k], rows[fold[rows] == k]
            if classify and len(np.unique(target[train])) < 2:
                continue
            model = learner.make().fit(X[train], target[train])
            if classify:
                p = np.clip(model.predict_proba(X[test]), 1e-4, 1 - 1e-4)
                where = np.searchsorted(np.unique(target[train]), target[test])
                total += -np.log(p[np.arange(len(test)), np.minimum(where, p.shape[1] - 1)]).sum()
            else:
                total += ((target[test] - model.predict(X[test])) ** 2).sum()
            count += len(test)
        losses[learner.name] = float(total / max(count, 1))
    best = min(learners, key=lambda c: losses[c.name])
    return Choice(best, losses)


def cross_fit(learner: Learner, X: np.ndarray, target: np.ndarray, fold: np.ndarray, only=None, classify: bool = False) -> np.ndarray:
    """겹마다 나머지 겹으로 적합해 예측합니다.

    Parameters
    ----------
    only : boolean array or None
        적합에 쓸 행(예: 실험군). 예측은 모든 행에 냅니다.
    classify : bool
        참이면 클래스마다의 확률, shape (n, k).
    """
    n = len(target)
    keep = np.ones(n, dtype=bool) if only is None else only
    levels = np.unique(target[keep]) if classify else None
    out = np.zeros((n, len(levels))) if classify else np.zeros(n)
    for k in np.unique(fold):
        train, test = keep & (fold != k), fold == k
        if X.shape[1] == 0:
            if classify:
                out[test] = [(target[train] == level).mean() for level in levels]
            else:
                out[test] = target[train].mean()
            continue
        model = learner.make().fit(X[train], target[train])
        if classify:
            p = np.zeros((int(test.sum()), len(levels)))
            p[:, np.searchsorted(levels, model.classes_)] = model.predict_proba(X[test])
            out[test] = p
        else:
            out[test] = model.predict(X[test])
    return out
