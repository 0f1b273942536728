"""셈과 노트북이 함께 쓰는 함수. 코드는 이 함수를 돌리고, 재현 노트북은 ``source``로 그 소스를 그대로 싣습니다.

그래서 여기의 함수는 numpy(np), pandas(pd), 서로 말고는 아무것도 바깥에서 가져오지 않습니다. scipy와 scikit-learn은 함수 안에서
부릅니다. 설계가 저만 쓰는 식은 설계의 파일에 같은 버릇으로 두고 ``source``로 싣습니다.
"""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

# 재현 노트북의 첫 걸음이 늘 여는 것
IMPORTS = "import numpy as np\nimport pandas as pd\n\nreproduced = {}"


def source(*functions: Callable) -> str:
    """함수들의 소스를 이어 붙인 글. 돌린 것과 싣는 것이 같습니다."""
    return "\n\n".join(inspect.getsource(f) for f in functions)


def model_source(model: Any) -> str:
    """모델을 만드는 식. scikit-learn과 LightGBM의 모델은 ``repr``이 곧 식입니다."""
    return " ".join(repr(model).split())


def model_imports(*models: Any) -> str:
    """모델들의 식에 나오는 클래스를 부르는 줄들."""
    found: dict[str, set[str]] = {}

    def visit(model: Any) -> None:
        kind = type(model)
        package = (
            kind.__module__.split("._")[0] if kind.__module__.startswith("sklearn") else kind.__module__.split(".")[0]
        )
        found.setdefault(package, set()).add(kind.__name__)
        for _, step in getattr(model, "steps", ()):
            visit(step)

    for model in models:
        visit(model)
    return "\n".join(f"from {package} import {', '.join(sorted(found[package]))}" for package in sorted(found))


# --- 읽은 값 ---


def plain_ids(values: pd.Series) -> pd.Series:
    """글자로 읽은 번호의 열. 앞의 0이나 열다섯 자리보다 긴 번호가 있으면 글자로 두고(수로 바꾸면 다른 번호가 같아집니다), 아니면 수입니다."""
    known = values.dropna().astype(str)
    if known.str.contains(r"^\s*[-+]?0\d|\d{16}", regex=True).any():
        return values
    number = pd.to_numeric(values, errors="coerce")
    return number if number.notna().eq(values.notna()).all() else values


def plain_values(
    values: pd.Series, empty: tuple | list = (), keep: tuple | list = ()
) -> tuple[pd.Series, dict[str, int], dict[str, int], int]:
    """읽은 열 하나를 수이거나 글자인 열로: (열, 빈칸으로 읽은 낱말과 수, 값으로 남긴 낱말과 수, 앞뒤의 빈칸을 뗀 칸의 수).

    수나 날짜, 참거짓의 열에 낀 'NA', '-' 같은 낱말만 빈칸입니다. 이름의 열에서는 'NA'도 이름 하나입니다(나미비아, 북미).
    ``empty``(명세의 data.blank)에 적은 값은 어느 열에서든 빈칸이고, ``keep``에 적은 낱말('None'이라는 팔)은 늘 값입니다. SQL의 DECIMAL과 HUGEINT는 수로 바꾸고, 자모로 풀린
    한글(NFD)은 모아 씁니다.
    """
    import unicodedata
    from decimal import Decimal

    blank = "|-|--|.|?|na|n/a|<na>|nan|nat|none|null|nil|#n/a|#na|#null!|#value!|#div/0!|#ref!|#num!|#name?".split("|")
    if values.dtype.kind != "O" and not isinstance(values.dtype, (pd.StringDtype, pd.CategoricalDtype)):
        if not len(empty) or values.dtype.kind not in "iuf":
            return values, {}, {}, 0
        wanted = [v for v in values.dropna().unique() if any(same_level(v, e) for e in empty)]
        counted = {f"{v:g}": int((values == v).sum()) for v in wanted}
        return values.mask(values.isin(wanted)) if wanted else values, counted, {}, 0
    codes, levels = pd.factorize(values)
    counts, read = np.bincount(codes[codes >= 0], minlength=len(levels)), list(levels)
    decimal = any(isinstance(v, Decimal) for v in read) and all(isinstance(v, (Decimal, int, float)) for v in read)
    clean = [
        float(v)
        if decimal
        else unicodedata.normalize("NFC", v.strip().strip("\u200b\u200c\u200d\ufeff"))
        if isinstance(v, str)
        else v
        for v in read
    ]
    told = [any(same_level(v, e) for e in empty) for v in clean]
    word = [
        e or (isinstance(v, str) and v.lower() in blank and v not in keep) for v, e in zip(clean, told, strict=False)
    ]
    rest = pd.Series([v for v, w in zip(clean, word, strict=False) if not w], dtype=object)
    shown = rest.astype(str).str.lower()
    number = (
        len(rest) > 0
        and not rest.map(lambda v: isinstance(v, bool)).any()
        and pd.to_numeric(rest, errors="coerce").notna().all()
    )
    date = (
        len(rest) > 0
        and shown.str.contains(r"^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|^\d{1,2}[-/.]\d{1,2}[-/.]\d{4}", regex=True).all()
    )
    truth = len(rest) > 0 and shown.isin(["true", "false"]).all()
    gone = [w and (number or date or truth or v == "" or e) for v, w, e in zip(clean, word, told, strict=False)]
    words = {v: int(n) for v, n, g in zip(read, counts, gone, strict=False) if g}
    kept = {
        v: int(n)
        for v, n, g in zip(clean, counts, gone, strict=False)
        if isinstance(v, str) and v.lower() in blank and not g
    }
    trimmed = (
        0
        if number
        else sum(
            int(n)
            for v, c, n, g in zip(read, clean, counts, gone, strict=False)
            if v != c and not g and unicodedata.normalize("NFC", str(v)) != c
        )
    )
    if number and (words or not all(isinstance(v, str) for v in clean)):
        new = np.array([np.nan if g else float(v) for v, g in zip(clean, gone, strict=False)], dtype=float)
        out = pd.Series(np.where(codes >= 0, new[codes], np.nan), index=values.index)
        whole = out.notna().all() and (out == out.round()).all() and (out.abs() < 2**53).all()
        return (out.astype("int64") if whole else out), words, kept, 0
    if truth and words:
        clean = [str(v).lower() == "true" for v in clean]
    new = np.array([None if g else v for v, g in zip(clean, gone, strict=False)] + [None], dtype=object)
    return pd.Series(new[codes], index=values.index, dtype=object), words, kept, trimmed


def dashed(text: pd.Series) -> pd.Series:
    """'2024년 3월 1일'을 '2024-3-1'로 적은 글자의 열. 다른 글자는 그대로입니다."""
    pattern = r"^\s*(\d{4})\s*년\s*(\d{1,2})\s*월(?:\s*(\d{1,2})\s*일)?\s*$"
    return text.str.replace(pattern, lambda m: f"{m[1]}-{m[2]}-{m[3] or 1}", regex=True)


def plain_columns(raw: pd.DataFrame, empty: tuple | list = (), keep: dict | None = None) -> pd.DataFrame:
    """열마다 ``plain_values``를 한 표. ``keep``은 열 → 빈칸처럼 보여도 값인 낱말입니다."""
    keep = keep or {}
    return pd.DataFrame(
        {name: plain_values(raw[name], empty, keep.get(name, ()))[0] for name in raw.columns}, index=raw.index
    )


def same_level(found: object, wanted: object) -> bool:
    """명세의 값과 자료의 값이 같은가. 1과 '1', 1.0, True를 같게 봅니다."""
    if found == wanted:
        return True
    try:
        return float(found) == float(wanted)
    except (TypeError, ValueError):
        return str(found) == str(wanted)


def matched_levels(values: pd.Series, wanted: list) -> pd.Series:
    """값이 여럿인 처치의 수준을 명세에 적은 꼴로(자료의 1과 명세의 '1'을 같게). 참거짓은 0과 1입니다."""
    if values.dtype.kind == "b":
        values = values.astype("int64")
    swap = {level: w for level in values.unique() for w in wanted if same_level(level, w)}
    if all(type(level) is type(w) or level == w for level, w in swap.items()):
        return values
    words = all(isinstance(w, str) for w in wanted)
    return values.map(lambda v: swap.get(v, str(v) if words else v)).infer_objects()


# --- 행렬과 겹 ---


def covariate_matrix(frame: pd.DataFrame, columns: list[str] | tuple[str, ...]) -> pd.DataFrame:
    """공변량의 행렬(pandas.DataFrame). 범주는 가변수로, 빈칸은 중앙값과 빈칸 표시로 바꾸고, 갈리지 않는 열은 뺍니다."""
    if not len(columns):
        return pd.DataFrame(index=frame.index)
    X = pd.get_dummies(frame[list(columns)], drop_first=True, dtype=float).astype(float)
    for name in list(X):
        if X[name].isna().any():
            X[f"{name}__missing"] = X[name].isna().astype(float)
    X = X.fillna(X.median())
    X = X.loc[:, X.nunique() > 1]
    # 원 단위의 매출처럼 아주 크거나 작은 열은 표준화합니다. 그대로 제곱해 더하면 나머지 열이 반올림에 묻힙니다.
    for name in X:
        spread = X[name].std()
        if X[name].abs().max() > 1e6 or spread < 1e-6:
            X[name] = (X[name] - X[name].mean()) / spread
    return X


def fold_numbers(labels: np.ndarray, seed: int, groups: np.ndarray | None = None, folds: int = 5) -> np.ndarray:
    """행마다 겹의 번호. ``labels``의 값이 12가지를 넘지 않으면 고르게 나누고, ``groups``가 같은 행은 한 겹에 둡니다."""
    from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold

    n = len(labels)
    out = np.zeros(n, dtype=int)
    if groups is not None:
        split = GroupKFold(folds, shuffle=True, random_state=seed).split(np.zeros(n), labels, groups)
    elif len(np.unique(labels)) <= 12:
        kinds = np.unique(labels, return_inverse=True)[1]  # 0.5 같은 수도 값의 이름으로만 씁니다
        split = StratifiedKFold(folds, shuffle=True, random_state=seed).split(np.zeros(n), kinds)
    else:
        split = KFold(folds, shuffle=True, random_state=seed).split(np.zeros(n))
    for k, (_, test) in enumerate(split):
        out[test] = k
    return out


def fit_weighted(model: object, X: np.ndarray, target: np.ndarray, weight: np.ndarray | None = None) -> object:
    """새로 만든 모델을 맞춥니다. ``weight``를 주면 마지막 걸음에 표본 가중치로 넘깁니다."""
    from sklearn.base import clone

    if weight is None:
        return clone(model).fit(X, target)
    last = f"{model.steps[-1][0]}__sample_weight" if hasattr(model, "steps") else "sample_weight"
    return clone(model).fit(X, target, **{last: weight})


def cross_fit(
    model: object,
    X: np.ndarray,
    target: np.ndarray,
    fold: np.ndarray,
    only: np.ndarray | None = None,
    classify: bool = False,
    weight: np.ndarray | None = None,
) -> np.ndarray:
    """겹마다 나머지 겹으로 적합해 예측합니다. ``only``는 적합에 쓸 행, ``classify``이면 클래스마다의 확률(행, 클래스)입니다.

    ``weight``는 적합에 줄 표본 가중치입니다.
    """
    n = len(target)
    keep = np.ones(n, dtype=bool) if only is None else only
    levels = np.unique(target[keep]) if classify else None
    out = np.zeros((n, len(levels))) if classify else np.zeros(n)
    for k in np.unique(fold):
        train, test = keep & (fold != k), fold == k
        if X.shape[1] == 0:
            part, w = target[train], None if weight is None else weight[train]
            means = [np.average(v, weights=w) for v in ([part == level for level in levels] if classify else [part])]
            out[test] = means if classify else means[0]
            continue
        fitted = fit_weighted(model, X[train], target[train], None if weight is None else weight[train])
        if classify:
            p = np.zeros((int(test.sum()), len(levels)))
            p[:, np.searchsorted(levels, fitted.classes_)] = fitted.predict_proba(X[test])
            out[test] = p
        else:
            out[test] = fitted.predict(X[test])
    return out


# --- 가중치 ---


def weighted(psi: np.ndarray, w: np.ndarray) -> np.ndarray:
    """점수를 표본 가중치로 모은 것: 평균이 가중평균이고, 그 표준오차가 샌드위치입니다. 가중치가 고르면 그대로입니다."""
    if np.ptp(w) == 0:
        return psi
    w = w / w.mean()
    value = (w * psi).mean()
    return value + w * (psi - value)


def row_weights(frame: pd.DataFrame, column: str) -> np.ndarray:
    """행마다의 표본 가중치, shape (n,). 이 행들에서 평균이 1입니다."""
    w = frame[column].to_numpy(dtype=float)
    return w / w.mean()


def repeat_rows(frame: pd.DataFrame, column: str, unit: str | None = None) -> pd.DataFrame:
    """행을 ``column``의 수만큼 되풀이합니다(0이면 빠집니다). ``unit``이 있으면 되풀이한 대상마다 새 번호를 줍니다."""
    count = frame[column].fillna(1).astype("int64").to_numpy()
    out = frame.loc[frame.index.repeat(count)].reset_index(drop=True)
    if unit is not None:
        copy = np.arange(len(out)) - np.repeat(np.cumsum(count) - count, count)
        out[unit] = pd.factorize(pd.MultiIndex.from_arrays([out[unit], copy]))[0]
    return out


# --- 고정효과 ---


def additive_fit(
    cells: np.ndarray, row_sum: np.ndarray, column_sum: np.ndarray, w: np.ndarray | float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """``cells``(참인 칸) 위에서 Σ_t(λ+δ)=row_sum, Σ_i w(λ+δ)=column_sum인 대상의 λ와 시점의 δ. ``w``는 대상의 가중치입니다."""
    counts, w = np.maximum(cells.sum(axis=1), 1), np.broadcast_to(w, len(cells))
    share = w[:, None] * cells / counts[:, None]
    system = np.diag(w @ cells.astype(float)) - cells.T @ share
    delta = np.linalg.pinv(system) @ (column_sum - share.T @ row_sum)
    return (row_sum - cells @ delta) / counts, delta


def two_way_residual(cells: np.ndarray, M: np.ndarray, w: np.ndarray | float = 1.0) -> np.ndarray:
    """``cells`` 위에서 대상과 시점의 고정효과를 뺀 나머지. 다른 칸은 0입니다. ``w``는 대상의 가중치입니다."""
    kept, w = np.where(cells, M, 0.0), np.broadcast_to(w, len(M))
    lam, delta = additive_fit(cells, kept.sum(axis=1), w @ kept, w)
    return np.where(cells, kept - lam[:, None] - delta[None, :], 0.0)


# --- 영향함수에서 구간까지 ---


def standard_error(psi: np.ndarray, clusters: np.ndarray | None = None) -> float:
    """영향함수 ``psi``(평균이 추정값)의 표준오차. 군집이 있으면 군집 합으로 셉니다."""
    centred = psi - psi.mean()
    n = len(psi)
    if clusters is None:
        return float(np.sqrt((centred**2).sum() / (n - 1) / n))
    sums = np.bincount(clusters, weights=centred)
    g = len(sums)
    return float(np.sqrt((sums**2).sum() * g / (g - 1)) / n)


def critical_value(n: int, clusters: np.ndarray | None = None, level: float = 0.95) -> float:
    """t 분포의 임곗값. 자유도는 군집(없으면 행)의 수에서 하나 뺀 것입니다."""
    from scipy import stats

    df = (n if clusters is None else len(np.unique(clusters))) - 1
    return float(stats.t.ppf(0.5 + level / 2, max(df, 1)))


def arm_spread(psi: np.ndarray, clusters: np.ndarray | None, arms: np.ndarray | None) -> tuple[float, float] | None:
    """군집째 팔을 정했을 때의 (표준오차, 자유도). 군집이 없거나 팔이 군집 안에서 갈리면 None.

    군집의 점수를 1 − (그 팔에서 군집이 차지하는 몫)의 제곱근으로 나누어 키우고(Bell과 McCaffrey, 2002), 팔마다의 자유도를 Welch로
    모읍니다. 처치받은 군집이 몇 개뿐이거나 군집의 크기가 제각각이면 군집을 모두 세는 자유도는 구간을 좁게 합니다.
    """
    if clusters is None or arms is None:
        return None
    first = np.unique(clusters, return_index=True)[1]
    kind = arms[first]
    if not (kind[clusters] == arms).all():
        return None
    sums, size = np.bincount(clusters, weights=psi - psi.mean()) / len(psi), np.bincount(clusters)
    parts = []
    for arm in np.unique(kind):
        share = size[kind == arm] / size[kind == arm].sum()
        variance = (sums[kind == arm] ** 2 / np.where(share < 1, 1 - share, 1.0)).sum()
        parts.append((variance, max((share**2).sum() ** 2 / (share**4).sum() - 1, 1.0)))
    total = sum(variance for variance, _ in parts)
    spread = sum(variance**2 / degrees for variance, degrees in parts)
    return float(np.sqrt(total)), float(total**2 / spread) if spread > 0 else float(len(kind) - 1)


def error_and_critical(psi: np.ndarray, clusters: np.ndarray | None, arms: np.ndarray | None) -> tuple[float, float]:
    """영향함수의 평균의 (표준오차, 95% 구간에 곱하는 t의 임곗값). ``arms``(행마다의 팔)를 주면 군집째 정한 팔의 수를 셉니다(``arm_spread``)."""
    from scipy import stats

    by_arm = arm_spread(psi, clusters, arms)
    if by_arm is None:
        return standard_error(psi, clusters), critical_value(len(psi), clusters)
    return by_arm[0], float(stats.t.ppf(0.975, by_arm[1]))


def interval(psi: np.ndarray, clusters: np.ndarray | None = None, arms: np.ndarray | None = None) -> dict[str, float]:
    """영향함수의 평균과 95% 구간."""
    value, (se, critical) = float(psi.mean()), error_and_critical(psi, clusters, arms)
    return {"value": value, "low": value - critical * se, "high": value + critical * se}


INTERVAL = (standard_error, critical_value, arm_spread, error_and_critical, interval)
"""구간을 내는 데 드는 함수들. ``source(*INTERVAL)``로 함께 싣습니다."""
