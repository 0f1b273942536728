"""이중차분법: 2×2도, 대상마다 처치 시점이 다른 패널도 집단·시점별 효과에서 모읍니다."""

import inspect
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import stats

from causal_pipeline import learners as models
from causal_pipeline.designs import adjustment, common
from causal_pipeline.errors import DataError
from causal_pipeline.model import Check, Estimate, Picture, Sensitivity, Step

PLACEBOS = 200
# 처치받은 대상이 이보다 적으면 군집 표준오차가 작게 나옵니다.
FEW_TREATED, TOO_FEW_TREATED = 10, 4
# 앞 시점의 가장 큰 어긋남의 몇 배까지 처치 뒤의 추세가 벌어져도 결론이 남는지. 이보다 작으면 조건부입니다.
BREAKDOWN_WARN = 0.5
# 처치 전 추세의 시험은 힘이 약해 놓치는 쪽이 더 위험합니다(Roth, 2022). 그래서 다른 시험(1%)보다 너그럽지 않게 5%에서 멈춥니다.
TREND_FAIL, TREND_WARN = 0.05, 0.2
MOST_LEADS = 8
# 효과가 갈리는지 시험하려면 처치받은 대상이 이만큼은 있어야 합니다. 무리 넷에 열 곳씩입니다.
FEWEST_FOR_GROUPS = 40


@dataclass
class Fit:
    """네모난 패널. ``Y``는 (대상, 시점), ``start``는 처치가 시작된 열의 번호(없으면 시점의 수)."""

    units: np.ndarray
    times: np.ndarray
    Y: np.ndarray
    start: np.ndarray
    X: np.ndarray
    clusters: np.ndarray | None
    dropped: int
    frame: pd.DataFrame
    psi: dict[str, np.ndarray] = field(default_factory=dict)


def fit(spec, ident, frame) -> Fit:
    """패널을 행렬로 바꿉니다(같은 자료에서는 한 번만)."""
    return common.remember(frame, ("difference_in_differences", *common.spec_key(spec, ident)), lambda: panel(spec, ident, frame))


def start_times(spec, frame) -> pd.Series:
    """대상마다 처치가 시작된 시점. 받지 않았으면 빈칸."""
    p = spec.panel
    if p.start:
        return frame.groupby(p.unit, observed=True)[p.start].first()
    treated = frame[frame[spec.treatment.column] == spec.treatment.treated]
    return treated.groupby(p.unit, observed=True)[p.time].min().reindex(frame[p.unit].unique())


def panel(spec, ident, frame) -> Fit:
    """모든 시점을 다 본 대상만 남깁니다. 첫 시점부터 처치받은 대상은 앞이 없어 뺍니다."""
    p = spec.panel
    wide = frame.pivot_table(index=p.unit, columns=p.time, values=spec.outcome.column, aggfunc="mean", observed=True).sort_index()
    whole = wide.dropna()
    times = whole.columns.to_numpy()
    starts = start_times(spec, frame).reindex(whole.index)
    column = np.searchsorted(times, starts.fillna(np.inf).to_numpy(dtype=float))
    usable = column > 0
    whole, column = whole[usable], column[usable]
    treated = column < len(times)
    if treated.sum() == 0 or (~treated).sum() + len(np.unique(column[treated])) < 2 or len(times) < 2:
        raise DataError(
            "panel_without_contrast",
            "처치 앞을 본 처치 대상과, 그때 아직 처치받지 않은 대상이 함께 있어야 하는데 그렇지 않습니다.",
            "panel.time과 panel.start가 맞는지, 처치 앞 시점과 대조군이 자료에 있는지 확인하세요.",
            spec.lines.get("panel"),
        )
    first = frame.sort_values(p.time).groupby(p.unit, observed=True).first().reindex(whole.index)
    X = models.design_matrix(first, ident.adjustment).to_numpy() if ident.adjustment else np.zeros((len(whole), 0))
    clusters = None
    if spec.treatment.cluster and spec.treatment.cluster != p.unit:
        clusters = pd.factorize(first[spec.treatment.cluster], sort=True)[0]
    return Fit(whole.index.to_numpy(), times, whole.to_numpy(dtype=float), column, X, clusters, len(wide) - len(whole), frame)


# --- 집단·시점별 효과(재현 노트북에 그대로 실립니다) ---


def cell_effect(change, treated, control, X):
    """변화량 ``change``의 실험군과 대조군 차이. 공변량이 있으면 이중강건으로 냅니다.

    돌려주는 것은 (효과, 대상마다의 영향함수)입니다. 실험군이 몇 대상뿐이면 제 평균에서 벗어난 만큼만으로는 분산이 작게
    나오므로 자유도로 키우고, 하나뿐이면 대조군의 표준편차를 빌립니다.
    """
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    n, size = len(change), treated.sum()
    influence = np.zeros(n)
    if X.shape[1] == 0 or size <= X.shape[1] + 5:
        effect = change[treated].mean() - change[control].mean()
        apart = change[treated] - change[treated].mean()
        influence[treated] = n / size * (apart * np.sqrt(size / (size - 1)) if size > 1 else change[control].std(ddof=1))
        influence[control] = -n / control.sum() * (change[control] - change[control].mean())
        return effect, influence
    Z = np.column_stack([np.ones(n), (X - X.mean(axis=0)) / np.maximum(X.std(axis=0), 1e-12)])
    fitted = Z @ np.linalg.lstsq(Z[control], change[control], rcond=None)[0]
    both = treated | control
    p = LogisticRegression(C=10.0, max_iter=500).fit(Z[both, 1:], treated[both]).predict_proba(Z[:, 1:])[:, 1]
    odds = np.where(control, np.clip(p, 0, 0.99) / (1 - np.clip(p, 0, 0.99)), 0.0)
    residual = change - fitted
    w1, w0 = treated / treated.mean(), odds / odds.mean()
    effect = (w1 * residual).mean() - (w0 * residual).mean()
    influence = w1 * (residual - (w1 * residual).mean()) - w0 * (residual - (w0 * residual).mean())
    return effect, influence


def group_time(Y, start, X, anticipation=0, base="last", controls="not_yet"):
    """집단 g와 시점 t마다의 효과.

    ``base``가 last이면 처치 바로 앞 시점, average이면 앞 시점 전체의 평균에서 잰 변화를 봅니다. ``controls``가 never이면
    끝까지 처치받지 않은 대상만 견줍니다. 열쇠는 (g, t), 값은 (효과, 영향함수)입니다.
    """
    import numpy as np

    periods = Y.shape[1]
    cells = {}
    for g in np.unique(start[start < periods]):
        last = g - 1 - anticipation
        if last < 0:
            continue
        before = Y[:, : last + 1].mean(axis=1) if base == "average" else Y[:, last]
        for t in range(periods):
            if base == "last" and t == last:
                continue
            control = start == periods if controls == "never" else (start > max(t, last) + anticipation) & (start != g)
            treated = start == g
            if control.sum() < 2 or treated.sum() < 1:
                continue
            cells[int(g), t] = cell_effect(Y[:, t] - before, treated, control, X)
    return cells


def average_effect(cells, start, keep):
    """``keep(g, t)``인 칸의 효과를 집단의 크기로 가중해 모읍니다. (효과, 영향함수)."""
    import numpy as np

    chosen = [(g, t) for g, t in cells if keep(g, t)]
    weight = np.array([(start == g).sum() for g, _ in chosen], dtype=float)
    weight = weight / weight.sum()
    effect = sum(w * cells[c][0] for w, c in zip(weight, chosen, strict=True))
    influence = sum(w * cells[c][1] for w, c in zip(weight, chosen, strict=True))
    return effect, influence


# --- 다른 추정량 ---


def imputation(Y, start):
    """처치받지 않은 칸으로 대상과 시점의 고정효과를 맞추고, 처치받은 칸의 빈 값을 채웁니다(Borusyak 외, 2024)."""
    n, periods = Y.shape
    treated = np.arange(periods)[None, :] >= start[:, None]
    clean = ~treated
    counts = clean.sum(axis=1)
    alive = clean.sum(axis=0) > 0
    target = treated & alive[None, :]
    if not target.any():
        return None

    def solve(row_sum, column_sum):
        """Σ_t(λ+δ)=row_sum, Σ_i(λ+δ)=column_sum을 처치받지 않은 칸 위에서 풉니다."""
        share = clean / counts[:, None]
        system = np.diag(clean.sum(axis=0).astype(float)) - clean.T @ share
        delta = np.linalg.pinv(system) @ (column_sum - share.T @ row_sum)
        return (row_sum - clean @ delta) / counts, delta

    lam, delta = solve((Y * clean).sum(axis=1), (Y * clean).sum(axis=0))
    gap = Y - lam[:, None] - delta[None, :]
    w = target / target.sum()
    effect = float((w * gap).sum())
    a, b = solve(w.sum(axis=1), w.sum(axis=0))
    v = np.where(target, w, np.where(clean, -(a[:, None] + b[None, :]), 0.0))
    residual = np.where(clean, gap, 0.0)
    for g in np.unique(start[start < periods]):
        rows = start == g
        for t in np.flatnonzero(target[rows].any(axis=0)):
            residual[rows, t] = gap[rows, t] - gap[rows, t].mean()
    return effect, n * (v * residual).sum(axis=1)


def unit_effects(Y, start):
    """처치받은 대상마다의 효과: 처치받지 않은 칸의 고정효과로 채운 값과의 차이를 처치 뒤의 시점에서 평균합니다.

    일찍 받은 대상은 오래 보아 효과가 더 자랐을 수 있습니다. 그래서 처치 뒤 몇 번째 시점인지마다의 평균을 빼고 견줍니다.

    Returns
    -------
    tuple
        (대상의 번호, 효과). 모두가 처치받은 시점만 남은 대상은 뺍니다.
    """
    clean = np.arange(Y.shape[1])[None, :] < start[:, None]
    share = clean / clean.sum(axis=1, keepdims=True)
    system = np.diag(clean.sum(axis=0).astype(float)) - clean.T @ share
    delta = np.linalg.pinv(system) @ ((Y * clean).sum(axis=0) - share.T @ (Y * clean).sum(axis=1))
    gap = Y - ((Y * clean).sum(axis=1) - clean @ delta)[:, None] / clean.sum(axis=1, keepdims=True) - delta[None, :]
    seen = ~clean & clean.any(axis=0)[None, :]
    since = np.arange(Y.shape[1])[None, :] - start[:, None]
    average = gap[seen].mean()
    level = np.bincount(since[seen], gap[seen]) / np.maximum(np.bincount(since[seen]), 1)
    apart = np.where(seen, gap - level[np.clip(since, 0, len(level) - 1)], 0.0)
    rows = np.flatnonzero(seen.any(axis=1))
    return rows, average + apart[rows].sum(axis=1) / seen[rows].sum(axis=1)


def pseudo_outcomes(spec, ident, frame):
    """처치받은 대상마다의 점수. 이질성의 시험이 씁니다. 처치 대상이 ``FEWEST_FOR_GROUPS``보다 적으면 None."""
    f = fit(spec, ident, frame)
    if spec.panel.anticipation:
        return None
    rows, psi = unit_effects(f.Y, f.start)
    if len(rows) < FEWEST_FOR_GROUPS:
        return None
    first = f.frame.sort_values(spec.panel.time).groupby(spec.panel.unit, observed=True).first().reindex(f.units[rows]).reset_index()
    clusters = None if f.clusters is None else np.unique(f.clusters[rows], return_inverse=True)[1]
    return first, psi, clusters, models.fold_numbers(np.zeros(len(rows)), spec.seed, clusters)


def two_way(Y, start):
    """대상과 시점의 고정효과를 넣은 회귀 하나의 계수."""
    treated = (np.arange(Y.shape[1])[None, :] >= start[:, None]).astype(float)

    def demean(M):
        return M - M.mean(axis=1, keepdims=True) - M.mean(axis=0, keepdims=True) + M.mean()

    d, y = demean(treated), demean(Y)
    value = float((d * y).sum() / (d * d).sum())
    influence = len(Y) * (d * (y - value * d)).sum(axis=1) / (d * d).sum()
    return value, influence


def _post(anticipation):
    return lambda g, t: t >= g


# --- 점검 ---


def check(spec, ident, frame) -> list[Check]:
    """처치받은 대상의 수, 빠진 대상, 처치 전 추세, 그래프의 독립."""
    f = fit(spec, ident, frame)
    return [*_size_checks(spec, f), *_pre_trend_check(spec, f), *common.graph_checks(spec, ident, frame)]


def _size_checks(spec, f: Fit) -> list[Check]:
    treated = int((f.start < len(f.times)).sum())
    if f.clusters is not None:
        treated = len(np.unique(f.clusters[f.start < len(f.times)]))
    status = "ok" if treated >= FEW_TREATED else "warn" if treated >= TOO_FEW_TREATED else "fail"
    found = [
        Check(
            "treated_units",
            "처치받은 대상의 수",
            status,
            f"앞 시점을 본 처치 대상(군집)은 {treated}개, 견줄 대상은 {int((f.start == len(f.times)).sum())}개(끝까지 받지 않음)입니다."
            + ("" if status == "ok" else " 표준오차가 작게 나올 수 있어 섞어 본 p값을 함께 보세요."),
            float(treated),
            float(FEW_TREATED),
            {"ok": None, "warn": "B", "fail": "C"}[status],
        )
    ]
    if f.clusters is not None:
        found += common.cluster_check(spec, f.frame, f.clusters)
    if f.dropped:
        share = f.dropped / (f.dropped + len(f.units))
        found.append(
            Check(
                "balanced_panel",
                "빠진 대상",
                "warn" if share > 0.05 else "ok",
                f"어떤 시점이 비었거나 첫 시점부터 처치받은 대상 {f.dropped}개({share:.0%})를 뺐습니다.",
                share,
                0.05,
                "B" if share > 0.05 else None,
            )
        )
    return found


def _leads(spec, f: Fit):
    """처치 앞의 상대 시점마다 (상대 시점, 효과, 영향함수).

    먼 시점은 몇 대상만 보았고 시험의 자유도만 먹습니다. 처치받은 대상이 충분히 본 가까운 시점만 씁니다.
    """
    ahead = spec.panel.anticipation
    cells = group_time(f.Y, f.start, f.X, ahead)
    seen = {}
    for g, t in cells:
        if t < g - ahead:
            seen[t - g] = seen.get(t - g, 0) + int((f.start == g).sum())
    enough = min(FEW_TREATED, max(seen.values(), default=0))
    numbers = sorted(e for e, count in seen.items() if count >= enough)[-MOST_LEADS:]
    return [(e, *average_effect(cells, f.start, lambda g, t, e=e: t - g == e)) for e in numbers]


def _covariance(influences, clusters) -> np.ndarray:
    M = np.column_stack(influences)
    n = len(M)
    if clusters is not None:
        M = np.column_stack([np.bincount(clusters, weights=M[:, j]) for j in range(M.shape[1])])
    g = len(M)
    return M.T @ M / n**2 * g / max(g - 1, 1)


def pre_trend_p(leads, clusters, n) -> float:
    """앞 시점의 어긋남이 모두 0인지와 한쪽으로 기울었는지를 함께 본 p값."""
    effects = np.array([x[1] for x in leads])
    V = _covariance([x[2] for x in leads], clusters)
    k = len(effects)
    g = n if clusters is None else len(np.unique(clusters))
    # 대상이 적을 때 Wald 통계량이 커지는 만큼 Hotelling의 자유도로 고칩니다.
    wald = float(effects @ np.linalg.pinv(V) @ effects)
    joint = float(stats.f.sf(wald * max(g - k, 1) / (k * (g - 1)), k, max(g - k, 1)))
    slope, error = _trend_slope(leads, clusters)
    return min(1.0, 2 * min(joint, float(2 * stats.t.sf(abs(slope) / max(error, 1e-300), max(g - 1, 1)))))


def _trend_slope(leads, clusters) -> tuple[float, float]:
    """앞 시점의 어긋남을 지나는 직선의 기울기와 표준오차(기준 시점을 0으로).

    어긋남들은 기준 시점의 잡음을 함께 지니므로 일반화 최소제곱으로 맞춥니다. 그냥 최소제곱보다 추세를 훨씬 잘 봅니다.
    """
    effects = np.array([x[1] for x in leads])
    e = np.array([x[0] for x in leads], dtype=float)
    e = e - (e.max() + 1)
    inverse = np.linalg.pinv(_covariance([x[2] for x in leads], clusters))
    information = float(e @ inverse @ e)
    return float(e @ inverse @ effects) / max(information, 1e-300), 1 / np.sqrt(max(information, 1e-300))


def _horizon(spec, f: Fit) -> float:
    """기준 시점에서 처치 뒤 시점까지의 평균 거리."""
    cells = [(g, t) for g in np.unique(f.start[f.start < len(f.times)]) for t in range(int(g), len(f.times))]
    weight = np.array([(f.start == g).sum() for g, _ in cells], dtype=float)
    return float((weight * np.array([t - g + 1 + spec.panel.anticipation for g, t in cells])).sum() / weight.sum())


def _trend_power_check(spec, f: Fit, leads, main) -> Check:
    """앞 시점의 시험이 놓칠 수 있는 곧은 추세가 처치 뒤에 만들 치우침.

    추세가 없다고 나온 것과 추세를 볼 힘이 없는 것은 다릅니다(Roth, 2022). 놓칠 수 있는 기울기(추정한 기울기와 1.96 표준오차)를
    처치 뒤까지 늘인 것이 구간의 반쪽보다 크면, 구간을 그대로 믿으라고 할 수 없습니다.
    """
    slope, error = _trend_slope(leads, f.clusters)
    bias = (abs(slope) + 1.96 * error) * _horizon(spec, f)
    half = (main.high - main.low) / 2
    ok = bias <= half
    return Check(
        "pre_trend_power",
        "처치 전 추세를 볼 힘",
        "ok" if ok else "warn",
        f"앞 시점의 시험이 놓칠 수 있는 곧은 추세는 처치 뒤에 {common.show(bias)}만큼의 치우침을 만들 수 있습니다(95% 구간의 반쪽은 {common.show(half)})."
        + ("" if ok else " 앞 시점이 더 있어야 구간을 그대로 믿을 수 있습니다."),
        float(bias),
        float(half),
        None if ok else "B",
    )


def _pre_trend_check(spec, f: Fit) -> list[Check]:
    leads = _leads(spec, f)
    label = "처치 전 추세"
    if not leads:
        return [
            Check("pre_trend", label, "warn", "처치 앞 시점이 하나뿐이라 두 집단이 나란히 움직였는지 볼 수 없습니다.", None, None, "B"),
        ]
    p = pre_trend_p(leads, f.clusters, len(f.Y))
    worst = max(leads, key=lambda x: abs(x[1]))
    status = "fail" if p < TREND_FAIL else "warn" if p < TREND_WARN else "ok"
    return [
        Check(
            "pre_trend",
            label,
            status,
            f"처치 앞 시점 {len(leads)}개에서 두 집단이 나란히 움직였을 p값은 {p:.3f}입니다(가장 큰 어긋남은 {worst[0]}시점의 {common.show(worst[1])})."
            + (" 처치가 없었어도 벌어졌을 수 있습니다." if status == "fail" else ""),
            p,
            TREND_FAIL,
            {"ok": None, "warn": "B", "fail": "C"}[status],
        )
    ]


# --- 추정 ---


def estimate(spec, ident, frame) -> list[Estimate]:
    """집단·시점별 효과의 평균(주된 추정), 앞 시점 전체를 바닥으로 한 것, 빈칸 채우기, 끝까지 안 받은 대상만, 고정효과 회귀 하나."""
    f = fit(spec, ident, frame)
    ahead = spec.panel.anticipation
    post = _post(ahead)
    cohorts = np.unique(f.start[f.start < len(f.times)])
    parts = {"group_time": average_effect(group_time(f.Y, f.start, f.X, ahead), f.start, post)}
    parts["averaged_base"] = average_effect(group_time(f.Y, f.start, f.X, ahead, base="average"), f.start, post)
    filled = imputation(f.Y, np.maximum(f.start - ahead, 1) if ahead else f.start)
    if filled is not None and not ahead:
        parts["imputation"] = filled
    if len(cohorts) > 1 and (f.start == len(f.times)).sum() >= 10:
        cells = group_time(f.Y, f.start, f.X, ahead, controls="never")
        parts["never_treated"] = average_effect(cells, f.start, post)
    parts["two_way"] = two_way(f.Y, f.start)
    labels = {
        "group_time": ("집단·시점별 효과의 평균", "처치 바로 앞 시점이 유별났을 때"),
        "averaged_base": ("앞 시점 전체에서 잰 변화", "앞 시점 가운데 먼 시점부터 이미 벌어지고 있었을 때"),
        "imputation": ("받지 않은 칸으로 채우기", "고정효과의 꼴이 아닌 추세가 있을 때"),
        "never_treated": ("끝까지 받지 않은 대상과만 견주기", "끝까지 받지 않은 대상이 남다를 때"),
        "two_way": ("고정효과 회귀 하나", "시점마다 처치가 다르게 시작하고 효과가 시간에 따라 변할 때"),
    }
    out = []
    for name, (value, influence) in parts.items():
        f.psi[name] = value + influence - influence.mean()  # 한 대상뿐인 집단은 영향함수의 평균이 0이 아닙니다
        same = name != "two_way" or len(cohorts) == 1
        out.append(
            common.estimate_from(f.psi[name], name, *labels[name], f.clusters, name == "group_time", ident.estimand if same else "분산 가중 평균")
        )
    out.append(_naive(f))
    return out


def _naive(f: Fit) -> Estimate:
    """처치받은 칸과 받지 않은 칸의 평균 차이(대상별 군집 오차)."""
    treated = (np.arange(len(f.times))[None, :] >= f.start[:, None]).ravel()
    y, unit = f.Y.ravel(), np.repeat(np.arange(len(f.Y)) if f.clusters is None else f.clusters, len(f.times))
    beta, covariance, _ = common.least_squares(np.column_stack([np.ones(len(y)), treated]), y, unit)
    error = float(np.sqrt(covariance[1, 1]))
    half = common.critical(len(y), unit) * error
    return Estimate(
        "naive", "처치받은 칸과 받지 않은 칸의 차이", float(beta[1]), float(beta[1] - half), float(beta[1] + half), error, len(f.Y),
        "두 집단이 처음부터 다르거나 시점에 따라 결과가 움직일 때",
    )  # fmt: skip


# --- 흔들어 보기 ---


def stress(spec, ident, frame, estimates) -> tuple[list[Check], list[Sensitivity]]:
    """추정량끼리의 견줌, 처치 시점을 섞은 위약, 반쪽 표본, 음성 대조군, 추세가 얼마나 벌어져야 결론이 뒤집히는지."""
    f = fit(spec, ident, frame)
    if "group_time" not in f.psi:
        estimate(spec, ident, frame)
    main = next(e for e in estimates if e.primary)
    errors = {name: common.mean_error(psi - f.psi["group_time"], f.clusters) for name, psi in f.psi.items() if name != "group_time"}
    controls = []
    for name in spec.negative_outcomes:
        wide = frame.pivot_table(index=spec.panel.unit, columns=spec.panel.time, values=name, aggfunc="mean", observed=True)
        other = wide.reindex(f.units)[list(f.times)].to_numpy(dtype=float)
        value, influence = average_effect(group_time(other, f.start, f.X, spec.panel.anticipation), f.start, _post(0))
        controls.append((name, float(value), common.mean_error(influence, f.clusters), float(other.std())))
    honest, honest_check = _relative_trends(spec, f, main)
    checks = [
        common.agreement_check(estimates, errors),
        _placebo(spec, f, main),
        adjustment.halves_check(spec, f.psi["group_time"], f.clusters),
        common.negative_control_check(spec, controls, main.value / max(f.Y.std(), 1e-12)),
        *honest_check,
    ]
    return checks, honest


def _placebo(spec, f: Fit, main) -> Check:
    """처치 시작 시점을 대상(군집)끼리 섞어 같은 추정을 되풀이합니다."""
    rng = np.random.default_rng(spec.seed + 1)
    nothing = np.zeros((len(f.Y), 0))
    unit = np.arange(len(f.Y)) if f.clusters is None else f.clusters
    first = np.unique(unit, return_index=True)[1]
    whole = f.clusters is None or all(len(np.unique(f.start[unit == g])) == 1 for g in np.unique(unit))
    centred = f.Y - f.Y.mean(axis=1, keepdims=True)
    values = np.empty(PLACEBOS)
    for i in range(PLACEBOS):
        mixed = rng.permutation(f.start[first])[unit] if whole else rng.permutation(f.start)
        values[i] = _fast_average(centred, mixed, spec.panel.anticipation)
    p = float((1 + (np.abs(values) >= abs(main.value)).sum()) / (PLACEBOS + 1))
    ratio = values.std(ddof=1) / max(main.error, 1e-300)
    significant = main.low > 0 or main.high < 0
    bad = significant and p > 0.1
    return Check(
        "placebo",
        "처치 시점을 섞은 위약",
        "warn" if bad else "ok",
        f"처치 시점을 {PLACEBOS}번 섞었습니다. 위약의 퍼짐은 표준오차의 {ratio:.2f}배이고, 위약이 추정값만큼 큰 몫(p값)은 {p:.3f}입니다.",
        p,
        0.1,
        "B" if bad else None,
    )


def _fast_average(Y, start, anticipation) -> float:
    """공변량 없이 집단·시점별 효과의 평균만(영향함수 없이) 냅니다."""
    periods = Y.shape[1]
    total = weight = 0.0
    for g in np.unique(start[start < periods]):
        last = g - 1 - anticipation
        if last < 0:
            continue
        treated = start == g
        mine = Y[treated].mean(axis=0)
        for t in range(int(g), periods):
            control = start > t + anticipation
            if control.sum() < 2:
                continue
            total += treated.sum() * (mine[t] - mine[last] - (Y[control, t] - Y[control, last]).mean())
            weight += treated.sum()
    return total / weight if weight else 0.0


def _relative_trends(spec, f: Fit, main) -> tuple[list[Sensitivity], list[Check]]:
    """처치 뒤 추세의 벌어짐을 앞에서 본 가장 큰 한 시점의 어긋남에 견줍니다(Rambachan과 Roth, 2023의 상대 크기).

    앞 시점의 어긋남에는 잡음도 들어 있으므로, 이 자는 시점이 많을수록 엄격합니다.
    """
    leads = sorted(_leads(spec, f))
    if not leads:
        return [], []
    path = [x[1] for x in leads] + [0.0]
    biggest = max(abs(b - a) for a, b in zip(path[:-1], path[1:], strict=True))
    horizon = _horizon(spec, f)
    left = max(0.0, abs(main.value) - (main.high - main.low) / 2)
    value = left / max(biggest * horizon, 1e-300)
    message = (
        f"처치 뒤 시점마다 두 집단의 추세가, 앞에서 본 가장 큰 어긋남({common.show(biggest)})의 {min(value, 99):.2f}배씩 더 벌어지면 95% 구간이 0을 품습니다."
    )
    sensitivity = Sensitivity("relative_trend", "추세가 벌어지는 정도", float(min(value, 99.0)), message, {"처치 앞에서 본 가장 큰 어긋남": 1.0})
    power = _trend_power_check(spec, f, leads, main)
    if left == 0:
        return [sensitivity], [power]
    weak = value < BREAKDOWN_WARN
    return [sensitivity], [
        power,
        Check("relative_trend", "추세가 벌어지는 정도", "warn" if weak else "ok", message, float(min(value, 99.0)), BREAKDOWN_WARN, "B" if weak else None),
    ]


# --- 그림과 재현 ---


def pictures(spec, ident, frame, estimates) -> list[Picture]:
    """추정값과 처치 앞뒤의 시점별 효과."""
    f = fit(spec, ident, frame)
    cells = group_time(f.Y, f.start, f.X, spec.panel.anticipation)
    base = -1 - spec.panel.anticipation
    times, values, lows, highs = [], [], [], []
    for e in sorted({t - g for g, t in cells} | {base}):
        chosen = [c for c in cells if c[1] - c[0] == e]
        value, error = 0.0, 0.0
        if chosen:
            value, influence = average_effect(cells, f.start, lambda g, t, e=e: t - g == e)
            error = common.mean_error(influence, f.clusters)
        times.append(int(e))
        values.append(float(value))
        lows.append(float(value - 1.96 * error))
        highs.append(float(value + 1.96 * error))
    return [
        common.forest(estimates, spec.outcome.unit),
        Picture(
            "event_study",
            "처치 앞뒤의 시점별 효과",
            "가로축은 처치가 시작된 시점에서 센 시점, 세로축은 효과와 95% 구간. 0보다 앞이 0 둘레여야 합니다.",
            {"times": times, "values": values, "lows": lows, "highs": highs, "reference": int(base), "unit": spec.outcome.unit},
        ),
    ]


def steps(spec, ident, frame, estimates) -> list[Step]:
    """집단·시점별 효과를 numpy로, 고정효과 회귀를 statsmodels로 냅니다."""
    f = fit(spec, ident, frame)
    p, t = spec.panel, spec.treatment
    if p.start:
        start = f"frame.groupby({p.unit!r}, observed=True)[{p.start!r}].first()"
    else:
        start = f"frame[frame[{t.column!r}] == {t.treated!r}].groupby({p.unit!r}, observed=True)[{p.time!r}].min()"
    matrix = "X = np.zeros((len(wide), 0))"
    if ident.adjustment:
        matrix = (
            f"frame_all = frame\nframe = frame_all.sort_values({p.time!r}).groupby({p.unit!r}, observed=True).first().reindex(wide.index)\n"
            + models.MATRIX_SOURCE.format(columns=list(ident.adjustment))
            + "\nX, first, frame = X.to_numpy(), frame, frame_all"
        )
    cluster = t.cluster if f.clusters is not None else None
    groups = (
        f"groups = pd.factorize(frame.sort_values({p.time!r}).groupby({p.unit!r}, observed=True)[{cluster!r}].first().reindex(wide.index), sort=True)[0]"
        if cluster
        else "groups = np.arange(len(wide))"
    )
    return [
        Step(
            "대상을 행, 시점을 열로 놓고, 모든 시점을 다 본 대상만 남깁니다.",
            "import numpy as np\nimport pandas as pd\nimport statsmodels.api as sm\nfrom scipy import stats\n\nreproduced = {}\n"
            f"wide = frame.pivot_table(index={p.unit!r}, columns={p.time!r}, values={spec.outcome.column!r}, aggfunc='mean', observed=True).sort_index().dropna()\n"
            f"times = wide.columns.to_numpy()\nstart = np.searchsorted(times, {start}.reindex(wide.index).fillna(np.inf).to_numpy(dtype=float))\n"
            "wide, start = wide[start > 0], start[start > 0]\nY = wide.to_numpy(dtype=float)\n"
            f"{matrix}\n{groups}\nprint(pd.Series(start).value_counts().sort_index())",
        ),
        Step(
            "집단과 시점마다, 처치 바로 앞 시점에서 잰 변화를 아직 처치받지 않은 대상과 견줍니다. 집단의 크기로 가중해 모읍니다.",
            "\n\n".join(inspect.getsource(x) for x in (cell_effect, group_time, average_effect))
            + f"\n\ncells = group_time(Y, start, X, {p.anticipation})\nvalue, influence = average_effect(cells, start, lambda g, t: t >= g)\n"
            "centred = influence - influence.mean()\nsums = np.bincount(groups, weights=centred)\n"
            "error = np.sqrt((sums**2).sum() * len(sums) / (len(sums) - 1)) / len(Y)\nhalf = stats.t.ppf(0.975, len(sums) - 1) * error\n"
            'reproduced["group_time"] = {"value": value, "low": value - half, "high": value + half}\nreproduced["group_time"]',
        ),
        Step(
            "견줌을 위해, 대상과 시점의 고정효과를 넣은 회귀 하나를 statsmodels로 냅니다.",
            "treated = (np.arange(len(times))[None, :] >= start[:, None]).astype(float)\n"
            "demean = lambda M: M - M.mean(axis=1, keepdims=True) - M.mean(axis=0, keepdims=True) + M.mean()\n"
            "regression = sm.OLS(demean(Y).ravel(), demean(treated).ravel()).fit(cov_type='cluster', cov_kwds={'groups': np.repeat(groups, len(times))})\n"
            "print(regression.params, regression.bse)",
        ),
    ]
