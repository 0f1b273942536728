"""패널의 집단·시점별 효과: 칸마다의 이중차분, 그것을 모으는 법, 견줄 다른 추정량과 처치 전 추세의 시험. 재현 노트북에도 실립니다.

``Y``는 (대상, 시점)이고 보지 못한 칸은 NaN, ``start``는 처치가 시작된 열의 번호(없으면 시점의 수), ``X``는 (대상, 공변량), ``w``는
대상마다의 표본 가중치(평균 1)입니다.
"""

from collections.abc import Callable

import numpy as np

from causal_pipeline.shown import additive_fit, two_way_residual

# 처치 전 추세를 볼 때 거슬러 올라가는 시점의 수
MOST_LEADS = 8

# --- 식(재현 노트북에 그대로 실립니다) ---


def cell_effect(
    change: np.ndarray, treated: np.ndarray, control: np.ndarray, X: np.ndarray, w: np.ndarray | float = 1.0
) -> tuple[float, np.ndarray]:
    """변화량 ``change``의 실험군과 대조군 차이. 공변량이 있으면 이중강건으로 냅니다.

    돌려주는 것은 (효과, 대상마다의 영향함수)입니다. 실험군이 몇 대상뿐이면 성향점수를 맞출 수 없어, 대조군에서 맞춘 회귀로
    예측한 변화만 뺍니다(Heckman 외, 1997). 제 평균에서 벗어난 만큼만으로는 분산이 작게 나오므로 자유도로 키우고, 하나뿐이면
    대조군의 표준편차를 빌립니다. 대조군도 적어 회귀를 맞출 수 없으면 공변량을 쓰지 않습니다(``uses_covariates``).
    """
    from sklearn.linear_model import LogisticRegression

    n, size, w = len(change), treated.sum(), np.broadcast_to(w, len(change))
    influence = np.zeros(n)
    if not uses_covariates(X, control):
        X = X[:, :0]
    if X.shape[1] == 0 or size <= X.shape[1] + 5:
        Z = np.column_stack([np.ones(n), X - w @ X / w.sum()])
        W, mine = Z[control] * w[control][:, None], w[treated] / w[treated].sum()
        inverse = np.linalg.pinv(W.T @ Z[control])
        residual = change - Z @ (inverse @ (W.T @ change[control]))
        if X.shape[1] == 0:
            residual = change - np.average(change[control], weights=w[control])
        effect = mine @ residual[treated]
        apart = residual[treated] - effect
        degrees = np.sqrt(control.sum() / (control.sum() - Z.shape[1]))
        influence[treated] = (
            n * mine * (apart * np.sqrt(size / (size - 1)) if size > 1 else residual[control].std(ddof=1))
        )
        influence[control] = -n * (W @ (inverse @ (mine @ Z[treated]))) * residual[control] * degrees
        return effect, influence
    Z = np.column_stack([np.ones(n), (X - X.mean(axis=0)) / np.maximum(X.std(axis=0), 1e-12)])
    s = np.sqrt(w[control])
    fitted = Z @ np.linalg.lstsq(Z[control] * s[:, None], change[control] * s, rcond=None)[0]
    both = treated | control
    model = LogisticRegression(C=10.0, max_iter=500).fit(Z[both, 1:], treated[both], w[both])
    p = model.predict_proba(Z[:, 1:])[:, 1]
    odds = np.where(control, np.clip(p, 0, 0.99) / (1 - np.clip(p, 0, 0.99)), 0.0)
    residual = change - fitted
    w1, w0 = w * treated / (w * treated).mean(), w * odds / (w * odds).mean()
    effect = (w1 * residual).mean() - (w0 * residual).mean()
    influence = w1 * (residual - (w1 * residual).mean()) - w0 * (residual - (w0 * residual).mean())
    return effect, influence


def uses_covariates(X: np.ndarray, control: np.ndarray) -> bool:
    """대조군이 공변량의 회귀를 맞출 만큼 있는지(계수마다 셋, 그리고 다섯 더)."""
    return X.shape[1] > 0 and control.sum() >= 3 * X.shape[1] + 5


def group_time(
    Y: np.ndarray,
    start: np.ndarray,
    X: np.ndarray,
    anticipation: int = 0,
    base: str = "last",
    controls: str = "not_yet",
    w: np.ndarray | float = 1.0,
) -> dict[tuple[int, int], tuple[float, np.ndarray]]:
    """집단 g와 시점 t마다의 효과.

    ``base``가 last이면 처치 바로 앞 시점, average이면 앞 시점 전체의 평균에서 잰 변화를 봅니다. ``controls``가 never이면
    끝까지 처치받지 않은 대상만 견줍니다. 칸마다 두 시점을 다 본 대상끼리 견주므로, 빈 칸이 그 칸의 결과와 상관없이 생겼다고
    봅니다. 열쇠는 (g, t), 값은 (효과, 영향함수)입니다.
    """
    (n, periods), w = Y.shape, np.broadcast_to(w, len(Y))
    cells = {}
    for g in np.unique(start[start < periods]):
        last = g - 1 - anticipation
        if last < 0:
            continue
        early = Y[:, : last + 1]
        known = np.isfinite(early)
        mean = np.where(known, early, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
        before = np.where(known.any(axis=1), mean, np.nan) if base == "average" else Y[:, last]
        for t in range(periods):
            if base == "last" and t == last:
                continue
            change = Y[:, t] - before
            seen = np.isfinite(change)
            control = start == periods if controls == "never" else (start > max(t, last) + anticipation) & (start != g)
            treated = (start == g)[seen]
            if control[seen].sum() < 2 or treated.sum() < 1:
                continue
            effect, part = cell_effect(change[seen], treated, control[seen], X[seen], w[seen])
            influence = np.zeros(n)
            influence[seen] = part * n / seen.sum()
            cells[int(g), t] = effect, influence
    return cells


def average_effect(
    cells: dict, start: np.ndarray, keep: "Callable[[int, int], bool]", w: np.ndarray | float = 1.0
) -> tuple[float, np.ndarray]:
    """``keep(g, t)``인 칸의 효과를 집단의 크기로 가중해 모읍니다. (효과, 영향함수)."""
    chosen = [(g, t) for g, t in cells if keep(g, t)]
    weight = np.array([(w * (start == g)).sum() for g, _ in chosen], dtype=float)
    weight = weight / weight.sum()
    effect = sum(w * cells[c][0] for w, c in zip(weight, chosen, strict=True))
    influence = sum(w * cells[c][1] for w, c in zip(weight, chosen, strict=True))
    return effect, influence


def treated_cells(g: int, t: int) -> bool:
    """집단 ``g``가 처치받은 시점이면 참. ``average_effect``에 넘깁니다."""
    return t >= g


# --- 다른 추정량과 시험 ---


def _filled(Y: np.ndarray, start: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(처치받지 않은 칸, 채울 수 있는 처치받은 칸, 처치받지 않은 칸의 고정효과와의 차이)."""
    seen = np.isfinite(Y)
    treated = np.arange(Y.shape[1])[None, :] >= start[:, None]
    clean = seen & ~treated
    target = seen & treated & (clean.sum(axis=0) > 0)[None, :] & (clean.sum(axis=1) > 0)[:, None]
    values = np.where(seen, Y, 0.0)
    lam, delta = additive_fit(clean, (values * clean).sum(axis=1), w @ (values * clean), w)
    return clean, target, np.where(seen, values - lam[:, None] - delta[None, :], 0.0)


def imputation(Y: np.ndarray, start: np.ndarray, w: np.ndarray | float = 1.0) -> tuple[float, np.ndarray] | None:
    """처치받지 않은 칸으로 대상과 시점의 고정효과를 맞추고, 처치받은 칸의 빈 값을 채웁니다(Borusyak 외, 2024)."""
    (n, periods), w = Y.shape, np.broadcast_to(w, len(Y))
    clean, target, gap = _filled(Y, start, w)
    if not target.any():
        return None
    share = w[:, None] * target / (w @ target).sum()
    effect = float((share * gap).sum())
    a, b = additive_fit(clean, share.sum(axis=1) / w, share.sum(axis=0), w)
    v = np.where(target, share, np.where(clean, -w[:, None] * (a[:, None] + b[None, :]), 0.0))
    residual = np.where(clean, gap, 0.0)
    for g in np.unique(start[start < periods]):
        rows = start == g
        for t in np.flatnonzero(target[rows].any(axis=0)):
            mine = rows & target[:, t]
            residual[mine, t] = gap[mine, t] - np.average(gap[mine, t], weights=w[mine])
    return effect, n * (v * residual).sum(axis=1)


def effects_by_unit(Y: np.ndarray, start: np.ndarray, w: np.ndarray | float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """처치받은 대상마다의 효과: 처치받지 않은 칸의 고정효과로 채운 값과의 차이를 처치 뒤의 시점에서 평균합니다.

    일찍 받은 대상은 오래 보아 효과가 더 자랐을 수 있습니다. 그래서 처치 뒤 몇 번째 시점인지마다의 평균을 빼고 견줍니다.

    Returns
    -------
    tuple
        (대상의 번호, 효과). 모두가 처치받은 시점만 남은 대상은 뺍니다.
    """
    w = np.broadcast_to(w, len(Y))
    _, seen, gap = _filled(Y, start, w)
    since = np.arange(Y.shape[1])[None, :] - start[:, None]
    each = np.broadcast_to(w[:, None], Y.shape)[seen]
    average, total = np.average(gap[seen], weights=each), np.bincount(since[seen], each)
    level = np.bincount(since[seen], each * gap[seen]) / np.where(total > 0, total, 1)
    apart = np.where(seen, gap - level[np.clip(since, 0, len(level) - 1)], 0.0)
    rows = np.flatnonzero(seen.any(axis=1))
    return rows, average + apart[rows].sum(axis=1) / seen[rows].sum(axis=1)


def two_way(Y: np.ndarray, start: np.ndarray, w: np.ndarray | float = 1.0) -> tuple[float, np.ndarray]:
    """대상과 시점의 고정효과를 넣은 회귀 하나의 계수."""
    seen = np.isfinite(Y)
    treated = (np.arange(Y.shape[1])[None, :] >= start[:, None]).astype(float)
    s = np.sqrt(np.broadcast_to(w, len(Y)))[:, None]
    d, y = s * two_way_residual(seen, treated, w), s * two_way_residual(seen, Y, w)
    value = float((d * y).sum() / (d * d).sum())
    influence = len(Y) * (d * (y - value * d)).sum(axis=1) / (d * d).sum()
    return value, influence


def trend_contrasts(
    Y: np.ndarray, start: np.ndarray, X: np.ndarray, anticipation: int = 0, w: np.ndarray | float = 1.0
) -> dict[str, tuple[float, np.ndarray]]:
    """처치 앞의 길에서 대상마다 낸 기울기와, 마지막 앞 시점이 그 앞의 평균에서 벗어난 만큼을 견준 (차이, 영향함수).

    대상마다 수 하나로 줄인 뒤 견주므로 시점들의 공분산을 잴 필요가 없고, 처치받은 대상이 적어도 t 시험의 수준이 지켜집니다.
    """
    (n, periods), w = Y.shape, np.broadcast_to(w, len(Y))
    found: dict[str, list] = {"slope": [], "last": []}
    for g in np.unique(start[start < periods]):
        last = g - 1 - anticipation
        first = max(0, last - MOST_LEADS)
        if last - first < 1:
            continue
        window = Y[:, first : last + 1]
        seen = np.isfinite(window)
        when, count = np.arange(last + 1 - first, dtype=float), np.maximum(seen.sum(axis=1), 1)
        values = np.where(seen, window, 0.0)
        centred = np.where(seen, when[None, :] - ((seen @ when) / count)[:, None], 0.0)
        size = (centred**2).sum(axis=1)
        slope = np.where(size > 0, (centred * values).sum(axis=1) / np.maximum(size, 1e-300), np.nan)
        rest = seen[:, :-1].sum(axis=1)
        mean = np.where(rest > 0, values[:, :-1].sum(axis=1) / np.maximum(rest, 1), np.nan)
        for name, contrast_of in (("slope", slope), ("last", window[:, -1] - mean)):
            known = np.isfinite(contrast_of)
            treated, control = (start == g)[known], ((start > last + anticipation) & (start != g))[known]
            if treated.sum() < 1 or control.sum() < 2:
                continue
            effect, part = cell_effect(contrast_of[known], treated, control, X[known], w[known])
            influence = np.zeros(n)
            influence[known] = part * n / known.sum()
            found[name].append((w @ (start == g), effect, influence))
    out = {}
    for name, cohorts in found.items():
        total = sum(size for size, _, _ in cohorts)
        if total:
            value = sum(size * effect for size, effect, _ in cohorts) / total
            out[name] = float(value), sum(size * influence for size, _, influence in cohorts) / total
    return out


def average_only(Y: np.ndarray, start: np.ndarray, anticipation: int, w: np.ndarray | float = 1.0) -> float:
    """공변량 없이 집단·시점별 효과의 평균만(영향함수 없이) 냅니다."""
    periods, w = Y.shape[1], np.broadcast_to(w, len(Y))
    total = weight = 0.0
    for g in np.unique(start[start < periods]):
        last = g - 1 - anticipation
        if last < 0:
            continue
        change = Y[:, g:] - Y[:, [last]]
        known = np.isfinite(change)
        change = np.where(known, change, 0.0)
        treated = (start == g)[:, None] & known
        control = (start[:, None] > np.arange(g, periods)[None, :] + anticipation) & known
        use = (control.sum(axis=0) >= 2) & treated.any(axis=0)
        sizes = [np.where(use, w @ part, 1.0) for part in (treated, control)]
        apart = w @ (change * treated) / sizes[0] - w @ (change * control) / sizes[1]
        total += w @ (start == g) * apart[use].sum()
        weight += w @ (start == g) * use.sum()
    return total / weight if weight else 0.0
