"""이중차분법: 2×2도, 대상마다 처치 시점이 다른 패널도 집단·시점별 효과에서 모읍니다."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import networkx as nx
import numpy as np
import pandas as pd
from scipy import stats

from causal_pipeline import checks, learners
from causal_pipeline.checks import flagged, graded, ladder
from causal_pipeline.designs.base import Design, UnitEffects
from causal_pipeline.errors import DataError
from causal_pipeline.graphs import precision_covariates
from causal_pipeline.identification import contrast, result
from causal_pipeline.inference import estimate_from, least_squares, permutation_p, subset_clusters
from causal_pipeline.model import Check, Estimate, Identification, Picture, Sensitivity, Spec, Step
from causal_pipeline.panel import Panel, first_rows, require_treated, start_arguments, start_times, treated_units
from causal_pipeline.shown import (
    IMPORTS,
    INTERVAL,
    covariate_matrix,
    critical_value,
    fold_numbers,
    source,
    standard_error,
)
from causal_pipeline.wording import names, number

PLACEBOS = 200
# 처치받은 대상이 이보다 적으면 군집 표준오차가 작게 나옵니다.
FEW_TREATED, TOO_FEW_TREATED = 10, 4
# 뺀 대상의 몫이 이보다 크면 남은 대상의 답이 전체의 답과 다를 수 있습니다.
DROPPED_WARN = 0.05
# 앞 시점의 가장 큰 어긋남의 몇 배까지 처치 뒤의 추세가 벌어져도 결론이 남는지. 이보다 작으면 조건부입니다.
BREAKDOWN_WARN = 0.5
# 처치 전 추세의 시험은 힘이 약해 놓치는 쪽이 더 위험합니다(Roth, 2022). 그래서 다른 시험(1%)보다 너그럽지 않게 5%에서 멈춥니다.
TREND_FAIL, TREND_WARN = 0.05, 0.2
MOST_LEADS = 8
# 효과가 갈리는지 시험하려면 처치받은 대상이 이만큼은 있어야 합니다. 무리 넷에 열 곳씩입니다.
FEWEST_FOR_GROUPS = 40
# 추세가 벌어지는 배수는 앞의 어긋남이 0에 가까우면 끝없이 커집니다. 이보다 크면 이 수로 적습니다.
LARGEST_RATIO = 99.0

# 처치 앞의 상대 시점 하나: (상대 시점, 효과, 영향함수).
Lead = tuple[int, float, np.ndarray]


@dataclass
class Fit:
    """네모난 패널. ``Y``는 (대상, 시점), ``start``는 처치가 시작된 열의 번호(없으면 시점의 수), ``X``는 (대상, 공변량)."""

    units: np.ndarray
    times: np.ndarray
    Y: np.ndarray
    start: np.ndarray
    X: np.ndarray
    clusters: np.ndarray | None
    dropped: int

    @property
    def ever(self) -> np.ndarray:
        """한 번이라도 처치받은 대상."""
        return self.start < len(self.times)


# --- 식(재현 노트북에 그대로 실립니다) ---


def square_panel(
    frame: pd.DataFrame, unit: str, time: str, outcome: str, starts: pd.Series
) -> tuple[pd.DataFrame, np.ndarray]:
    """모든 시점을 다 본 대상만 남긴 (대상 × 시점) 표와, 처치가 시작된 열의 번호. 첫 시점부터 처치받은 대상은 앞이 없어 뺍니다."""
    wide = (
        frame.pivot_table(index=unit, columns=time, values=outcome, aggfunc="mean", observed=True).sort_index().dropna()
    )
    start = np.searchsorted(wide.columns.to_numpy(), starts.reindex(wide.index).fillna(np.inf).to_numpy(dtype=float))
    return wide[start > 0], start[start > 0]


def cell_effect(
    change: np.ndarray, treated: np.ndarray, control: np.ndarray, X: np.ndarray
) -> tuple[float, np.ndarray]:
    """변화량 ``change``의 실험군과 대조군 차이. 공변량이 있으면 이중강건으로 냅니다.

    돌려주는 것은 (효과, 대상마다의 영향함수)입니다. 실험군이 몇 대상뿐이면 성향점수를 맞출 수 없어, 대조군에서 맞춘 회귀로
    예측한 변화만 뺍니다(Heckman 외, 1997). 제 평균에서 벗어난 만큼만으로는 분산이 작게 나오므로 자유도로 키우고, 하나뿐이면
    대조군의 표준편차를 빌립니다. 대조군도 적어 회귀를 맞출 수 없으면 공변량을 쓰지 않습니다(``uses_covariates``).
    """
    from sklearn.linear_model import LogisticRegression

    n, size = len(change), treated.sum()
    influence = np.zeros(n)
    if not uses_covariates(X, control):
        X = X[:, :0]
    if X.shape[1] == 0 or size <= X.shape[1] + 5:
        Z = np.column_stack([np.ones(n), X - X.mean(axis=0)])
        inverse = np.linalg.pinv(Z[control].T @ Z[control])
        residual = change - Z @ (inverse @ (Z[control].T @ change[control]))
        if X.shape[1] == 0:
            residual = change - change[control].mean()
        effect = residual[treated].mean()
        apart = residual[treated] - effect
        degrees = np.sqrt((control.sum() - 1) / (control.sum() - Z.shape[1]))
        influence[treated] = (
            n / size * (apart * np.sqrt(size / (size - 1)) if size > 1 else residual[control].std(ddof=1))
        )
        influence[control] = -n * (Z[control] @ (inverse @ Z[treated].mean(axis=0))) * residual[control] * degrees
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
) -> dict[tuple[int, int], tuple[float, np.ndarray]]:
    """집단 g와 시점 t마다의 효과.

    ``base``가 last이면 처치 바로 앞 시점, average이면 앞 시점 전체의 평균에서 잰 변화를 봅니다. ``controls``가 never이면
    끝까지 처치받지 않은 대상만 견줍니다. 열쇠는 (g, t), 값은 (효과, 영향함수)입니다.
    """
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


def average_effect(cells: dict, start: np.ndarray, keep: "Callable[[int, int], bool]") -> tuple[float, np.ndarray]:
    """``keep(g, t)``인 칸의 효과를 집단의 크기로 가중해 모읍니다. (효과, 영향함수)."""
    chosen = [(g, t) for g, t in cells if keep(g, t)]
    weight = np.array([(start == g).sum() for g, _ in chosen], dtype=float)
    weight = weight / weight.sum()
    effect = sum(w * cells[c][0] for w, c in zip(weight, chosen, strict=True))
    influence = sum(w * cells[c][1] for w, c in zip(weight, chosen, strict=True))
    return effect, influence


def treated_cells(g: int, t: int) -> bool:
    """집단 ``g``가 처치받은 시점이면 참. ``average_effect``에 넘깁니다."""
    return t >= g


# --- 다른 추정량과 시험 ---


def imputation(Y: np.ndarray, start: np.ndarray) -> tuple[float, np.ndarray] | None:
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


def effects_by_unit(Y: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
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


def two_way(Y: np.ndarray, start: np.ndarray) -> tuple[float, np.ndarray]:
    """대상과 시점의 고정효과를 넣은 회귀 하나의 계수."""
    treated = (np.arange(Y.shape[1])[None, :] >= start[:, None]).astype(float)
    d, y = (M - M.mean(axis=1, keepdims=True) - M.mean(axis=0, keepdims=True) + M.mean() for M in (treated, Y))
    value = float((d * y).sum() / (d * d).sum())
    influence = len(Y) * (d * (y - value * d)).sum(axis=1) / (d * d).sum()
    return value, influence


def lead_covariance(influences: Sequence[np.ndarray], clusters: np.ndarray | None) -> np.ndarray:
    """앞 시점의 효과들의 공분산, shape (k, k)."""
    M = np.column_stack(influences)
    n = len(M)
    if clusters is not None:
        M = np.column_stack([np.bincount(clusters, weights=M[:, j]) for j in range(M.shape[1])])
    g = len(M)
    return M.T @ M / n**2 * g / max(g - 1, 1)


def pre_trend_p(leads: Sequence[Lead], clusters: np.ndarray | None, n: int) -> float:
    """앞 시점의 어긋남이 모두 0인지와 한쪽으로 기울었는지를 함께 본 p값."""
    effects = np.array([x[1] for x in leads])
    V = lead_covariance([x[2] for x in leads], clusters)
    k = len(effects)
    g = n if clusters is None else len(np.unique(clusters))
    # 대상이 적을 때 Wald 통계량이 커지는 만큼 Hotelling의 자유도로 고칩니다.
    wald = float(effects @ np.linalg.pinv(V) @ effects)
    joint = float(stats.f.sf(wald * max(g - k, 1) / (k * (g - 1)), k, max(g - k, 1)))
    slope, se = trend_slope(leads, clusters)
    return min(1.0, 2 * min(joint, float(2 * stats.t.sf(abs(slope) / max(se, 1e-300), max(g - 1, 1)))))


def trend_slope(leads: Sequence[Lead], clusters: np.ndarray | None) -> tuple[float, float]:
    """앞 시점의 어긋남을 지나는 직선의 기울기와 표준오차(기준 시점을 0으로).

    어긋남들은 기준 시점의 잡음을 함께 지니므로 일반화 최소제곱으로 맞춥니다. 그냥 최소제곱보다 추세를 훨씬 잘 봅니다.
    """
    effects = np.array([x[1] for x in leads])
    e = np.array([x[0] for x in leads], dtype=float)
    e = e - (e.max() + 1)
    inverse = np.linalg.pinv(lead_covariance([x[2] for x in leads], clusters))
    information = float(e @ inverse @ e)
    return float(e @ inverse @ effects) / max(information, 1e-300), 1 / np.sqrt(max(information, 1e-300))


def average_only(Y: np.ndarray, start: np.ndarray, anticipation: int) -> float:
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


# --- 설계 ---


class DifferenceInDifferences(Design):
    """아직 처치받지 않은 대상과 견주는 집단·시점별 효과."""

    name = "difference_in_differences"
    label = "이중차분법"
    question = "여러 시점을 본 패널이고, 처치받은 대상이 여럿입니까?"
    precedence = 50
    fields = (Panel,)
    reveals = {"pre_trend": "처치 전 추세", "negative_control": "음성 대조군"}  # noqa: RUF012
    effects_split_in = f"처치 대상이 {FEWEST_FOR_GROUPS}개 이상인 이중차분법"

    @classmethod
    def applies(cls, spec: Spec, frame: pd.DataFrame | None = None) -> bool:
        return (
            Panel.of(spec) is not None
            and spec.treatment.kind == "binary"
            and (frame is None or treated_units(spec, frame) != 1)
        )

    @classmethod
    def identify(cls, spec: Spec, frame: pd.DataFrame, graph: nx.DiGraph) -> Identification:
        require_treated(spec, frame)
        notes = (
            [f"이 설계는 {spec.estimand}가 아니라 처치받은 대상의 효과 ATT를 식별합니다."]
            if spec.estimand != "ATT"
            else []
        )
        how = "처치가 없었다면 두 집단이 나란히 움직였으리라 보고(평행 추세)"
        return Identification(
            design=cls.name,
            estimand="ATT",
            adjustment=precision_covariates(spec, graph),
            sentence=f"처치받은 대상의 처치 뒤 시점에서, {how} {contrast(spec)} {result(spec)}.",
            formula=r"E[Y_{t}-Y_{g-1}\mid G=g] - E[Y_{t}-Y_{g-1}\mid \text{not yet treated}]",
            notes=tuple(notes),
            whom="처치받은 대상",
        )

    @cached_property
    def panel(self) -> Panel:
        """명세의 ``panel``."""
        return Panel.of(self.spec)

    @cached_property
    def fit(self) -> Fit:
        """패널을 행렬로 바꿉니다."""
        spec, p = self.spec, self.panel
        starts = start_times(self.frame, **start_arguments(spec))
        wide, start = square_panel(self.frame, p.unit, p.time, spec.outcome.column, starts)
        treated = start < wide.shape[1]
        if treated.sum() == 0 or (~treated).sum() + len(np.unique(start[treated])) < 2 or wide.shape[1] < 2:
            raise spec.error(
                DataError, "panel_without_contrast", "panel",
                "처치 앞을 본 처치 대상과, 그때 아직 처치받지 않은 대상이 함께 있어야 하는데 그렇지 않습니다.",
                "panel.time과 panel.start가 맞는지, 처치 앞 시점과 대조군이 자료에 있는지 확인하세요.",
            )  # fmt: skip
        first = first_rows(self.frame, p, wide.index)
        X = learners.design_matrix(spec, first, self.ident.adjustment).to_numpy()
        cluster = spec.treatment.cluster
        clusters = pd.factorize(first[cluster], sort=True)[0] if cluster and cluster != p.unit else None
        return Fit(
            wide.index.to_numpy(),
            wide.columns.to_numpy(),
            wide.to_numpy(dtype=float),
            start,
            X,
            clusters,
            self.frame[p.unit].nunique() - len(wide),
        )

    @cached_property
    def cells(self) -> dict[tuple[int, int], tuple[float, np.ndarray]]:
        """집단과 시점마다의 (효과, 영향함수)."""
        return group_time(self.fit.Y, self.fit.start, self.fit.X, self.panel.anticipation)

    def unit_effects(self) -> UnitEffects | None:
        """처치받은 대상마다의 점수. 처치 대상이 ``FEWEST_FOR_GROUPS``보다 적으면 None.

        점수는 이미 처치받은 대상의 것이라, 아직 받지 않은 대상을 고르는 규칙은 배우지 않습니다.
        """
        f = self.fit
        if self.panel.anticipation:
            return None
        rows, psi = effects_by_unit(f.Y, f.start)
        if len(rows) < FEWEST_FOR_GROUPS:
            return None
        first = first_rows(self.frame, self.panel, f.units[rows]).reset_index()
        clusters = subset_clusters(f.clusters, rows)
        return UnitEffects(
            first, psi, clusters, fold_numbers(np.zeros(len(rows)), self.spec.seed, clusters), targetable=False
        )

    # --- 점검 ---

    def check(self) -> list[Check]:
        """처치받은 대상의 수, 빠진 대상, 처치 전 추세, 그래프의 독립."""
        return [
            *self._size(),
            *self._covariates(),
            self._pre_trend(),
            *checks.graph_independences(self.spec, self.frame),
        ]

    def _size(self) -> list[Check]:
        f = self.fit
        treated = int(f.ever.sum()) if f.clusters is None else len(np.unique(f.clusters[f.ever]))
        tail = " 표준오차가 작게 나올 수 있어 섞어 본 p값을 함께 보세요."
        message = (
            f"앞 시점을 본 처치 대상(군집)은 {treated}개, 견줄 대상은 {int((~f.ever).sum())}개(끝까지 받지 않음)입니다."
        )
        found = [
            graded(
                "treated_units",
                "처치받은 대상의 수",
                message,
                treated,
                ladder(treated, FEW_TREATED, TOO_FEW_TREATED),
                float(FEW_TREATED),
                {"warn": tail, "fail": tail},
            )
        ]
        found += checks.cluster_count(self.spec, f.clusters)
        if f.dropped:
            share = f.dropped / (f.dropped + len(f.units))
            message = f"어떤 시점이 비었거나 첫 시점부터 처치받은 대상 {f.dropped}개({share:.0%})를 뺐습니다."
            found.append(flagged("balanced_panel", "빠진 대상", message, share, share > DROPPED_WARN, DROPPED_WARN))
        return found

    def _covariates(self) -> list[Check]:
        """공변량을 쓰지 못한 칸이 있으면 그렇게 말하고 등급을 낮춥니다."""
        f = self.fit
        if not self.ident.adjustment:
            return []
        after = [cell for cell in self.cells if treated_cells(*cell)]
        without = [
            (g, t)
            for g, t in after
            if not uses_covariates(f.X, (f.start > max(t, g - 1) + self.panel.anticipation) & (f.start != g))
        ]
        if not without:
            return []
        share, listed = len(without) / len(after), names(map(self.spec.label, self.ident.adjustment))
        message = f"처치 뒤의 집단·시점 {len(after)}개 가운데 {len(without)}개에서는 견줄 대상이 적거나 공변량이 갈리지 않아 {listed}을(를) 보정하지 못했습니다."
        return [
            Check(
                "unused_covariates",
                "쓰지 못한 공변량",
                "warn" if share < 0.5 else "fail",
                message,
                share,
                0.0,
                "B" if share < 0.5 else "C",
            )
        ]

    @cached_property
    def leads(self) -> list[Lead]:
        """처치 앞의 상대 시점마다의 효과.

        먼 시점은 몇 대상만 보았고 시험의 자유도만 먹습니다. 처치받은 대상이 충분히 본 가까운 시점만 씁니다.
        """
        f, ahead, seen = self.fit, self.panel.anticipation, {}
        for g, t in self.cells:
            if t < g - ahead:
                seen[t - g] = seen.get(t - g, 0) + int((f.start == g).sum())
        enough = min(FEW_TREATED, max(seen.values(), default=0))
        numbers = sorted(e for e, count in seen.items() if count >= enough)[-MOST_LEADS:]
        return [(e, *average_effect(self.cells, f.start, lambda g, t, e=e: t - g == e)) for e in numbers]

    def _pre_trend(self) -> Check:
        f, label = self.fit, "처치 전 추세"
        if not self.leads:
            return flagged(
                "pre_trend", label, "처치 앞 시점이 하나뿐이라 두 집단이 나란히 움직였는지 볼 수 없습니다.", None, True
            )
        p = pre_trend_p(self.leads, f.clusters, len(f.Y))
        when, apart, _ = max(self.leads, key=lambda lead: abs(lead[1]))
        seen = f"가장 큰 어긋남은 {number(when)}시점의 {number(apart)}"
        message = f"처치 앞 시점 {len(self.leads)}개에서 두 집단이 나란히 움직였을 p값은 {p:.3f}입니다({seen})."
        tails = {"fail": " 처치가 없었어도 벌어졌을 수 있습니다."}
        return graded("pre_trend", label, message, p, ladder(p, TREND_WARN, TREND_FAIL), TREND_FAIL, tails)

    # --- 추정 ---

    @cached_property
    def scores(self) -> dict[str, np.ndarray]:
        """방법마다의 점수(평균이 추정값, shape (대상,))."""
        f, ahead = self.fit, self.panel.anticipation
        parts = {
            "group_time": average_effect(self.cells, f.start, treated_cells),
            "averaged_base": average_effect(
                group_time(f.Y, f.start, f.X, ahead, base="average"), f.start, treated_cells
            ),
        }
        filled = None if ahead else imputation(f.Y, f.start)
        if filled is not None:
            parts["imputation"] = filled
        if self._staggered and (~f.ever).sum() >= 10:
            parts["never_treated"] = average_effect(
                group_time(f.Y, f.start, f.X, ahead, controls="never"), f.start, treated_cells
            )
        parts["two_way"] = two_way(f.Y, f.start)
        # 한 대상뿐인 집단은 영향함수의 평균이 0이 아닙니다.
        return {name: value + influence - influence.mean() for name, (value, influence) in parts.items()}

    @property
    def _staggered(self) -> bool:
        return len(np.unique(self.fit.start[self.fit.ever])) > 1

    @cached_property
    def estimates(self) -> list[Estimate]:
        """집단·시점별 효과의 평균(주된 추정), 앞 시점 전체를 바닥으로 한 것, 빈칸 채우기, 끝까지 안 받은 대상만, 고정효과 회귀 하나."""
        labels = {
            "group_time": ("집단·시점별 효과의 평균", "처치 바로 앞 시점이 유별났을 때"),
            "averaged_base": ("앞 시점 전체에서 잰 변화", "앞 시점 가운데 먼 시점부터 이미 벌어지고 있었을 때"),
            "imputation": ("받지 않은 칸으로 채우기", "고정효과의 꼴이 아닌 추세가 있을 때"),
            "never_treated": ("끝까지 받지 않은 대상과만 견주기", "끝까지 받지 않은 대상이 남다를 때"),
            "two_way": ("고정효과 회귀 하나", "시점마다 처치가 다르게 시작하고 효과가 시간에 따라 변할 때"),
        }
        targets = {"two_way": "분산 가중 평균"} if self._staggered else {}
        out = [
            estimate_from(
                psi,
                name,
                *labels[name],
                self.fit.clusters,
                name == "group_time",
                targets.get(name, self.ident.estimand),
            )
            for name, psi in self.scores.items()
        ]
        return [*out, self._naive()]

    def _naive(self) -> Estimate:
        """처치받은 칸과 받지 않은 칸의 평균 차이(대상별 군집 오차)."""
        f = self.fit
        treated = (np.arange(len(f.times))[None, :] >= f.start[:, None]).ravel()
        y, unit = f.Y.ravel(), np.repeat(np.arange(len(f.Y)) if f.clusters is None else f.clusters, len(f.times))
        beta, covariance, _ = least_squares(np.column_stack([np.ones(len(y)), treated]), y, unit)
        value, se = float(beta[1]), float(np.sqrt(covariance[1, 1]))
        half = critical_value(len(y), unit) * se
        return Estimate(
            "naive", "처치받은 칸과 받지 않은 칸의 차이", value, value - half, value + half, se, len(f.Y),
            "두 집단이 처음부터 다르거나 시점에 따라 결과가 움직일 때",
        )  # fmt: skip

    # --- 흔들어 보기 ---

    def stress(self) -> tuple[list[Check], list[Sensitivity]]:
        """추정량끼리의 견줌, 처치 시점을 섞은 위약, 반쪽 표본, 음성 대조군, 추세가 얼마나 벌어져야 결론이 뒤집히는지."""
        f, psi = self.fit, self.scores["group_time"]
        apart = {
            name: standard_error(other - psi, f.clusters) for name, other in self.scores.items() if name != "group_time"
        }
        trends, trend_checks = self._relative_trends()
        found = [
            checks.agreement(self.estimates, apart),
            self._placebo(),
            checks.halves(self.spec, psi, f.clusters),
            checks.negative_control(self.spec, self._negative_controls(), self.primary.value / max(f.Y.std(), 1e-12)),
            *trend_checks,
        ]
        return found, trends

    def _negative_controls(self) -> list[tuple[str, float, float, float]]:
        f, p, found = self.fit, self.panel, []
        for name in self.spec.negative_outcomes:
            wide = self.frame.pivot_table(index=p.unit, columns=p.time, values=name, aggfunc="mean", observed=True)
            other = wide.reindex(f.units)[list(f.times)].to_numpy(dtype=float)
            value, influence = average_effect(group_time(other, f.start, f.X, p.anticipation), f.start, treated_cells)
            found.append((name, float(value), standard_error(influence, f.clusters), float(other.std())))
        return found

    def _placebo(self) -> Check:
        """처치 시작 시점을 대상(군집)끼리 섞어 같은 추정을 되풀이합니다."""
        f, main = self.fit, self.primary
        rng = np.random.default_rng(self.spec.seed + 1)
        unit = np.arange(len(f.Y)) if f.clusters is None else f.clusters
        first = np.unique(unit, return_index=True)[1]
        constant = f.clusters is None or all(len(np.unique(f.start[unit == g])) == 1 for g in np.unique(unit))
        centred = f.Y - f.Y.mean(axis=1, keepdims=True)
        values = np.empty(PLACEBOS)
        for i in range(PLACEBOS):
            mixed = rng.permutation(f.start[first])[unit] if constant else rng.permutation(f.start)
            values[i] = average_only(centred, mixed, self.panel.anticipation)
        ratio, p = values.std(ddof=1) / max(main.se, 1e-300), permutation_p(values, main.value)
        message = f"처치 시점을 {PLACEBOS}번 섞었습니다. 위약의 퍼짐은 표준오차의 {ratio:.2f}배이고, 위약이 추정값만큼 큰 몫(p값)은 {p:.3f}입니다."
        return flagged("placebo", "처치 시점을 섞은 위약", message, p, (main.low > 0 or main.high < 0) and p > 0.1, 0.1)

    @cached_property
    def _horizon(self) -> float:
        """기준 시점에서 처치 뒤 시점까지의 평균 거리."""
        f, ahead = self.fit, self.panel.anticipation
        after = [(g, t) for g in np.unique(f.start[f.ever]) for t in range(int(g), len(f.times))]
        weight = np.array([(f.start == g).sum() for g, _ in after], dtype=float)
        return float((weight * np.array([t - g + 1 + ahead for g, t in after])).sum() / weight.sum())

    def _trend_power(self) -> Check:
        """앞 시점의 시험이 놓칠 수 있는 곧은 추세가 처치 뒤에 만들 치우침.

        추세가 없다고 나온 것과 추세를 볼 힘이 없는 것은 다릅니다(Roth, 2022). 놓칠 수 있는 기울기(추정한 기울기와 1.96 표준오차)를
        처치 뒤까지 늘인 것이 구간의 반쪽보다 크면, 구간을 그대로 믿으라고 할 수 없습니다.
        """
        slope, se = trend_slope(self.leads, self.fit.clusters)
        bias, half = (abs(slope) + 1.96 * se) * self._horizon, (self.primary.high - self.primary.low) / 2
        message = f"앞 시점의 시험이 놓칠 수 있는 곧은 추세는 처치 뒤에 {number(bias)}만큼의 치우침을 만들 수 있습니다(95% 구간의 반쪽은 {number(half)})."
        tails = {"warn": " 앞 시점이 더 있어야 구간을 그대로 믿을 수 있습니다."}
        return graded(
            "pre_trend_power",
            "처치 전 추세를 볼 힘",
            message,
            bias,
            "ok" if bias <= half else "warn",
            float(half),
            tails,
        )

    def _relative_trends(self) -> tuple[list[Sensitivity], list[Check]]:
        """처치 뒤 추세의 벌어짐을 앞에서 본 가장 큰 한 시점의 어긋남에 견줍니다(Rambachan과 Roth, 2023의 상대 크기).

        앞 시점의 어긋남에는 잡음도 들어 있으므로, 이 자는 시점이 많을수록 엄격합니다.
        """
        if not self.leads:
            return [], []
        main, label = self.primary, "추세가 벌어지는 정도"
        path = [effect for _, effect, _ in self.leads] + [0.0]
        biggest = max(abs(b - a) for a, b in zip(path[:-1], path[1:], strict=True))
        left = max(0.0, abs(main.value) - (main.high - main.low) / 2)
        value = float(min(left / max(biggest * self._horizon, 1e-300), LARGEST_RATIO))
        message = f"처치 뒤 시점마다 두 집단의 추세가, 앞에서 본 가장 큰 어긋남({number(biggest)})의 {value:.2f}배씩 더 벌어지면 95% 구간이 0을 품습니다."
        found = [self._trend_power()]
        if left > 0:
            found.append(flagged("relative_trend", label, message, value, value < BREAKDOWN_WARN, BREAKDOWN_WARN))
        return [Sensitivity("relative_trend", label, value, message, {"처치 앞에서 본 가장 큰 어긋남": 1.0})], found

    # --- 그림과 재현 ---

    def pictures(self) -> list[Picture]:
        """처치 앞뒤의 시점별 효과."""
        f, base = self.fit, -1 - self.panel.anticipation
        data = {
            "times": [],
            "values": [],
            "lows": [],
            "highs": [],
            "reference": int(base),
            "unit": self.spec.outcome.unit,
        }
        for e in sorted({t - g for g, t in self.cells} | {base}):
            value, half = 0.0, 0.0
            if any(t - g == e for g, t in self.cells):
                value, influence = average_effect(self.cells, f.start, lambda g, t, e=e: t - g == e)
                half = 1.96 * standard_error(influence, f.clusters)
            for key, shown in (
                ("times", int(e)),
                ("values", float(value)),
                ("lows", float(value - half)),
                ("highs", float(value + half)),
            ):
                data[key].append(shown)
        alt = "가로축은 처치가 시작된 시점에서 센 시점, 세로축은 효과와 95% 구간. 0보다 앞이 0 둘레여야 합니다."
        return [Picture("event_study", "처치 앞뒤의 시점별 효과", alt, data)]

    def steps(self) -> list[Step]:
        """같은 함수로 집단·시점별 효과를 내고, 고정효과 회귀를 statsmodels로 확인합니다."""
        f, p, y, cluster = self.fit, self.panel, self.spec.outcome.column, self.spec.treatment.cluster
        arguments = ", ".join(f"{k}={v!r}" for k, v in start_arguments(self.spec).items())
        groups = f"pd.factorize(first[{cluster!r}], sort=True)[0]" if f.clusters is not None else "None"
        return [
            Step(
                "대상을 행, 시점을 열로 놓고, 모든 시점을 다 본 대상만 남깁니다.",
                f"{IMPORTS}\n\n{source(covariate_matrix, start_times, square_panel)}\n\nstarts = start_times(frame, {arguments})\n"
                f"wide, start = square_panel(frame, {p.unit!r}, {p.time!r}, {y!r}, starts)\nY = wide.to_numpy(dtype=float)\n"
                f"first = frame.sort_values({p.time!r}).groupby({p.unit!r}, observed=True).first().reindex(wide.index)\n"
                f"X = covariate_matrix(first, {list(self.ident.adjustment)!r}).to_numpy()\ngroups = {groups}\nprint(pd.Series(start).value_counts().sort_index())",
            ),
            Step(
                "집단과 시점마다, 처치 바로 앞 시점에서 잰 변화를 아직 처치받지 않은 대상과 견줍니다. 집단의 크기로 가중해 모읍니다.",
                f"{source(uses_covariates, cell_effect, group_time, average_effect, treated_cells, *INTERVAL)}\n\ncells = group_time(Y, start, X, {p.anticipation})\n"
                "value, influence = average_effect(cells, start, treated_cells)\n"
                'reproduced["group_time"] = interval(value + influence - influence.mean(), groups)\nreproduced["group_time"]',
            ),
            Step(
                "견줌을 위해, 대상과 시점의 고정효과를 넣은 회귀 하나를 statsmodels로 냅니다.",
                "import statsmodels.api as sm\n\n"
                "treated = (np.arange(Y.shape[1])[None, :] >= start[:, None]).astype(float)\n"
                "demean = lambda M: M - M.mean(axis=1, keepdims=True) - M.mean(axis=0, keepdims=True) + M.mean()\n"
                "who = np.repeat(np.arange(len(Y)) if groups is None else groups, Y.shape[1])\n"
                "regression = sm.OLS(demean(Y).ravel(), demean(treated).ravel()).fit(cov_type='cluster', cov_kwds={'groups': who})\n"
                "print(regression.params, regression.bse)",
            ),
        ]
