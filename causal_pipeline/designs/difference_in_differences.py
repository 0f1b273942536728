"""이중차분법: 2×2도, 대상마다 처치 시점이 다른 패널도 집단·시점별 효과에서 모읍니다."""

from dataclasses import dataclass
from functools import cached_property

import networkx as nx
import numpy as np
import pandas as pd

from causal_pipeline import checks, learners, placebos, weighting
from causal_pipeline.checks import flagged, graded, ladder, unseen
from causal_pipeline.designs.base import NO_NEGATIVE_TREATMENT, NO_PROBABILITY, Design, UnitEffects
from causal_pipeline.errors import DataError
from causal_pipeline.few_clusters import as_normal, estimate_from, t_interval, t_test, welch_dof
from causal_pipeline.graphs import precision_covariates
from causal_pipeline.group_time import (
    MOST_LEADS,
    average_effect,
    average_only,
    cell_effect,
    effects_by_unit,
    group_time,
    imputation,
    treated_cells,
    trend_contrasts,
    two_way,
    uses_covariates,
)
from causal_pipeline.identification import contrast, result
from causal_pipeline.inference import for_learning, least_squares, row_weights, subset_clusters
from causal_pipeline.model import Check, Estimate, Identification, Picture, Sensitivity, Spec, Step
from causal_pipeline.panel import (
    Panel,
    first_rows,
    require_treated,
    start_arguments,
    start_times,
    treated_units,
    wide_panel,
)
from causal_pipeline.shown import (
    IMPORTS,
    additive_fit,
    covariate_matrix,
    critical_value,
    fold_numbers,
    source,
    standard_error,
    two_way_residual,
)
from causal_pipeline.wording import names, number, percent

PLACEBOS = 200
# 처치받은 대상이 이보다 적으면 군집 표준오차가 작게 나옵니다.
FEW_TREATED, TOO_FEW_TREATED = 10, 4
# 앞 시점의 가장 큰 어긋남의 몇 배까지 처치 뒤의 추세가 벌어져도 결론이 남는지. 이보다 작으면 조건부입니다.
BREAKDOWN_WARN = 0.5
# 처치 전 추세의 시험은 힘이 약해 놓치는 쪽이 더 위험합니다(Roth, 2022). 그래서 다른 시험(1%)보다 너그럽지 않게 5%에서 멈춥니다.
TREND_FAIL, TREND_WARN = 0.05, 0.2
# 처치 전 추세의 시험에서 기울기에 주는 유의수준의 몫. 나머지는 마지막 시점과 시점마다의 어긋남이 나눕니다.
SLOPE_SHARE = 0.6
# 효과가 갈리는지 시험하려면 처치받은 대상이 이만큼은 있어야 합니다. 무리 넷에 열 곳씩입니다.
FEWEST_FOR_GROUPS = 40


@dataclass
class Fit:
    """``Y``는 (대상, 시점)이고 보지 못한 칸은 NaN, ``start``는 처치가 시작된 열의 번호(없으면 시점의 수), ``X``는 (대상, 공변량).

    ``dropped``는 처치 앞을 보지 못해 뺀 대상의 수와 처치받은 대상 모두의 수, ``w``는 대상마다의 표본 가중치(평균 1)입니다.
    """

    units: np.ndarray
    times: np.ndarray
    Y: np.ndarray
    start: np.ndarray
    X: np.ndarray
    clusters: np.ndarray | None
    dropped: tuple[int, int]
    w: np.ndarray

    @property
    def ever(self) -> np.ndarray:
        """한 번이라도 처치받은 대상."""
        return self.start < len(self.times)


# --- 설계 ---


class DifferenceInDifferences(Design):
    """아직 처치받지 않은 대상과 견주는 집단·시점별 효과."""

    name = "difference_in_differences"
    label = "이중차분법"
    question = "여러 시점을 본 패널이고, 처치받은 대상이 여럿입니까?"
    precedence = 50
    fields = (Panel,)
    ignores = {"negative_controls.treatments": NO_NEGATIVE_TREATMENT, "treatment.probability": NO_PROBABILITY}  # noqa: RUF012
    reveals = {"pre_trend": "처치 전 추세", "negative_control": "음성 대조군"}  # noqa: RUF012
    doubt = (
        "배정을 모릅니다. 처치와 같은 때에 처치받은 대상에만 다른 일이 있었으면 처치 앞의 자료로는 가릴 수 없습니다."
    )
    strength = "relative_trend"
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
        wide, start = wide_panel(self.frame, p.unit, p.time, spec.outcome.column, starts)
        treated = start < wide.shape[1]
        if treated.sum() == 0 or (~treated).sum() + len(np.unique(start[treated])) < 2 or wide.shape[1] < 2:
            raise self._without_contrast()
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
            (self.frame[p.unit].nunique() - len(wide), int(starts.notna().sum())),
            row_weights(spec, first),
        )

    @cached_property
    def cells(self) -> dict[tuple[int, int], tuple[float, np.ndarray]]:
        """집단과 시점마다의 (효과, 영향함수)."""
        found = group_time(self.fit.Y, self.fit.start, self.fit.X, self.panel.anticipation, w=self.fit.w)
        if not any(treated_cells(*cell) for cell in found):
            raise self._without_contrast()
        return found

    def _without_contrast(self) -> DataError:
        return self.spec.error(
            DataError, "panel_without_contrast", "panel",
            "처치 앞을 본 처치 대상과, 그때 아직 처치받지 않은 대상이 함께 있어야 하는데 그렇지 않습니다.",
            "panel.time과 panel.start가 맞는지, 처치 앞 시점과 대조군이 자료에 있는지 확인하세요.",
        )  # fmt: skip

    def unit_effects(self) -> UnitEffects | None:
        """처치받은 대상마다의 점수. 처치 대상이 ``FEWEST_FOR_GROUPS``보다 적으면 None.

        점수는 이미 처치받은 대상의 것이라, 아직 받지 않은 대상을 고르는 규칙은 배우지 않습니다.
        """
        f = self.fit
        if self.panel.anticipation:
            return None
        rows, psi = effects_by_unit(f.Y, f.start, f.w)
        if len(rows) < FEWEST_FOR_GROUPS:
            return None
        first = first_rows(self.frame, self.panel, f.units[rows]).reset_index()
        clusters = subset_clusters(f.clusters, rows)
        return UnitEffects(
            first,
            psi,
            clusters,
            fold_numbers(np.zeros(len(rows)), self.spec.seed, clusters),
            targetable=False,
            weights=f.w[rows],
        )

    # --- 점검 ---

    def check(self) -> list[Check]:
        """처치받은 대상의 수, 빠진 대상, 처치 전 추세, 그래프의 독립."""
        return [
            *self._size(),
            *self._covariates(),
            *checks.moving_covariates(self.spec, self.frame, self.panel.unit, self.ident.adjustment),
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
        return [*found, *self._lost()]

    def _lost(self) -> list[Check]:
        """처치 앞을 보지 못해 뺀 대상과, 빈 칸."""
        f, found = self.fit, []
        lost, treated = f.dropped
        if lost:
            share = lost / max(treated, 1)
            message = f"처치 앞을 한 번도 보지 못한 대상 {lost:,}개(처치받은 대상 {treated:,}개의 {percent(share)})는 견줄 바탕이 없어 뺐습니다. 효과는 나머지의 것입니다."
            found.append(
                graded(
                    "lost_units",
                    "빠진 대상",
                    message,
                    share,
                    ladder(share, checks.LOST_WARN, checks.LOST_FAIL),
                    checks.LOST_WARN,
                )
            )
        return [*found, *checks.lost_cells(f.Y, f.start)]

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
    def leads(self) -> list[tuple[int, float, np.ndarray]]:
        """처치 앞의 상대 시점마다의 (상대 시점, 효과, 영향함수).

        먼 시점은 몇 대상만 보았고 시험의 자유도만 먹습니다. 처치받은 대상이 충분히 본 가까운 시점만 씁니다.
        """
        f, ahead, seen = self.fit, self.panel.anticipation, {}
        for g, t in self.cells:
            if t < g - ahead:
                seen[t - g] = seen.get(t - g, 0) + int((f.start == g).sum())
        enough = min(FEW_TREATED, max(seen.values(), default=0))
        numbers = sorted(e for e, count in seen.items() if count >= enough)[-MOST_LEADS:]
        return [(e, *average_effect(self.cells, f.start, lambda g, t, e=e: t - g == e, f.w)) for e in numbers]

    @cached_property
    def _contrasts(self) -> dict[str, tuple[float, float, float]]:
        """처치 앞의 기울기와 마지막 시점의 어긋남: (값, 표준오차, 자유도)."""
        f = self.fit
        found = trend_contrasts(f.Y, f.start, f.X, self.panel.anticipation, f.w)
        return {name: (value, *self._error(influence)) for name, (value, influence) in found.items()}

    def _error(self, influence: np.ndarray) -> tuple[float, float]:
        """영향함수의 (표준오차, 자유도)."""
        f = self.fit
        return standard_error(influence, f.clusters), welch_dof(influence - influence.mean(), f.start, f.clusters)

    def _pre_trend_p(self) -> float:
        """기울기, 마지막 앞 시점의 어긋남(예고), 앞 시점마다의 어긋남을 무게를 나눈 Bonferroni로 묶은 p값."""
        slope = t_test(*self._contrasts["slope"])
        leads = [t_test(effect, *self._error(influence)) for _, effect, influence in self.leads]
        if len(leads) == 1:
            return slope
        rest = [len(leads) * min(leads), *([t_test(*self._contrasts["last"])] if "last" in self._contrasts else [])]
        return min(1.0, slope / SLOPE_SHARE, len(rest) * min(rest) / (1 - SLOPE_SHARE))

    def _pre_trend(self) -> Check:
        label = "처치 전 추세"
        if not self.leads or "slope" not in self._contrasts:
            message = "처치 앞 시점이 하나뿐이라 두 집단이 나란히 움직였는지 볼 수 없습니다."
            return unseen("pre_trend", label, message)
        p = self._pre_trend_p()
        when, apart, _ = max(self.leads, key=lambda lead: abs(lead[1]))
        seen = f"기울기 {number(self._contrasts['slope'][0], signed=True)}, 가장 큰 어긋남은 {number(when)}시점의 {number(apart)}"
        message = f"처치 앞 시점 {len(self.leads)}개에서 두 집단이 나란히 움직였을 p값은 {p:.3f}입니다({seen})."
        tails = {"fail": " 처치가 없었어도 벌어졌을 수 있습니다."}
        check = graded("pre_trend", label, message, p, ladder(p, TREND_WARN, TREND_FAIL), TREND_FAIL, tails)
        bias, (_, se, dof) = checks.relevant_bias(self.primary), self._contrasts["slope"]
        level = TREND_WARN * (SLOPE_SHARE if len(self.leads) > 1 else 1.0)
        noticed = checks.t_power(bias / max(self._horizon * se, 1e-300), dof, level)
        return checks.powered(check, bias, noticed, "처치 앞에서부터 곧은 추세로 벌어졌다면")

    # --- 추정 ---

    @cached_property
    def scores(self) -> dict[str, np.ndarray]:
        """방법마다의 점수(평균이 추정값, shape (대상,))."""
        f, ahead = self.fit, self.panel.anticipation
        parts = {
            "group_time": average_effect(self.cells, f.start, treated_cells, f.w),
            "averaged_base": average_effect(
                group_time(f.Y, f.start, f.X, ahead, base="average", w=f.w), f.start, treated_cells, f.w
            ),
        }
        filled = None if ahead else imputation(f.Y, f.start, f.w)
        if filled is not None:
            parts["imputation"] = filled
        if self._staggered and (~f.ever).sum() >= 10:
            never = group_time(f.Y, f.start, f.X, ahead, controls="never", w=f.w)
            if any(treated_cells(*cell) for cell in never):
                parts["never_treated"] = average_effect(never, f.start, treated_cells, f.w)
        parts["two_way"] = two_way(f.Y, f.start, f.w)
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
                float(psi.mean()),
                *self._error(psi - psi.mean()),
                len(psi),
                name,
                *labels[name],
                name == "group_time",
                targets.get(name, self.ident.estimand),
            )
            for name, psi in self.scores.items()
        ]
        return [*out, self._naive()]

    def _naive(self) -> Estimate:
        """처치받은 칸과 받지 않은 칸의 평균 차이(대상별 군집 오차)."""
        f = self.fit
        seen = np.isfinite(f.Y).ravel()
        treated = (np.arange(len(f.times))[None, :] >= f.start[:, None]).ravel()[seen]
        y = f.Y.ravel()[seen]
        unit = np.repeat(np.arange(len(f.Y)) if f.clusters is None else f.clusters, len(f.times))[seen]
        w = for_learning(np.repeat(f.w, len(f.times))[seen])
        beta, covariance, _ = least_squares(np.column_stack([np.ones(len(y)), treated]), y, unit, w)
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
            placebos.halves(self.spec, psi, f.clusters),
            checks.negative_control(self.spec, self._negative_controls(), self.primary),
            *trend_checks,
        ]
        return found, trends

    def _negative_controls(self) -> list[tuple[str, float, float, float]]:
        f, p, found = self.fit, self.panel, []
        for name in self.spec.negative_outcomes:
            wide = self.frame.pivot_table(index=p.unit, columns=p.time, values=name, aggfunc="mean", observed=True)
            other = wide.reindex(f.units)[list(f.times)].to_numpy(dtype=float)
            cells = group_time(other, f.start, f.X, p.anticipation, w=f.w)
            if not any(treated_cells(*cell) for cell in cells):
                continue
            value, influence = average_effect(cells, f.start, treated_cells, f.w)
            slope = checks.follows(influence, self.scores["group_time"], f.clusters)
            found.append((name, float(value), standard_error(influence, f.clusters), slope))
        return found

    def _placebo(self) -> Check:
        """처치 시작 시점을 대상(군집)끼리 섞어 같은 추정을 되풀이합니다."""
        f, main = self.fit, self.primary
        rng = np.random.default_rng(self.spec.seed + 1)
        unit = np.arange(len(f.Y)) if f.clusters is None else f.clusters
        first = np.unique(unit, return_index=True)[1]
        constant = f.clusters is None or all(len(np.unique(f.start[unit == g])) == 1 for g in np.unique(unit))
        centred = f.Y - np.nanmean(f.Y, axis=1, keepdims=True)
        values = np.empty(PLACEBOS)
        for i in range(PLACEBOS):
            mixed = rng.permutation(f.start[first])[unit] if constant else rng.permutation(f.start)
            values[i] = average_only(centred, mixed, self.panel.anticipation, f.w)
        ratio = values.std(ddof=1) / max(main.se, 1e-300)
        message = f"처치 시점을 {PLACEBOS}번 섞었습니다. 위약의 퍼짐은 표준오차의 {ratio:.2f}배입니다."
        return placebos.rank_placebo("처치 시점을 섞은 위약", message, values, main.value, main)

    @cached_property
    def _horizon(self) -> float:
        """기준 시점에서 처치 뒤 시점까지의 평균 거리."""
        f, ahead = self.fit, self.panel.anticipation
        after = [(g, t) for g in np.unique(f.start[f.ever]) for t in range(int(g), len(f.times))]
        weight = np.array([f.w @ (f.start == g) for g, _ in after])
        return float((weight * np.array([t - g + 1 + ahead for g, t in after])).sum() / weight.sum())

    def _trend_power(self) -> Check:
        """앞 시점의 시험이 놓칠 수 있는 곧은 추세가 처치 뒤에 만들 치우침.

        추세가 없다고 나온 것과 추세를 볼 힘이 없는 것은 다릅니다(Roth, 2022). 놓칠 수 있는 기울기(추정한 기울기와 1.96 표준오차)를
        처치 뒤까지 늘인 것이 구간의 반쪽보다 크면, 구간을 그대로 믿으라고 할 수 없습니다.
        """
        slope, se, dof = self._contrasts["slope"]
        bias, half = (
            (abs(slope) + 1.96 * as_normal(se, dof)) * self._horizon,
            (self.primary.high - self.primary.low) / 2,
        )
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
        if not self.leads or "slope" not in self._contrasts:
            return [], []
        main, label = self.primary, "추세가 벌어지는 정도"
        path = [effect for _, effect, _ in self.leads] + [0.0]
        biggest = max(abs(b - a) for a, b in zip(path[:-1], path[1:], strict=True))
        left = max(0.0, abs(main.value) - (main.high - main.low) / 2)
        value = float(min(left / max(biggest * self._horizon, 1e-300), 99.0))  # 어긋남이 0에 가까우면 끝없이 커집니다
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
                value, influence = average_effect(self.cells, f.start, lambda g, t, e=e: t - g == e, f.w)
                se, dof = self._error(influence)
                half = 1.96 * as_normal(se, dof)
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
        w, with_w = weighting.code(self.spec).replace("(frame,", "(first,"), weighting.argument(self.spec)
        return [
            Step(
                "대상을 행, 시점을 열로 놓습니다. 처치 앞을 한 번도 보지 못한 대상은 뺍니다.",
                f"{IMPORTS}\n\n{source(covariate_matrix, start_times, wide_panel)}\n\nstarts = start_times(frame, {arguments})\n"
                f"wide, start = wide_panel(frame, {p.unit!r}, {p.time!r}, {y!r}, starts)\nY = wide.to_numpy(dtype=float)\n"
                f"first = frame.sort_values({p.time!r}).groupby({p.unit!r}, observed=True).first().reindex(wide.index)\n"
                f"X = covariate_matrix(first, {list(self.ident.adjustment)!r}).to_numpy()\n{w}groups = {groups}\nprint(pd.Series(start).value_counts().sort_index())",
            ),
            Step(
                "집단과 시점마다, 처치 바로 앞 시점에서 잰 변화를 아직 처치받지 않은 대상과 견줍니다. 집단의 크기로 가중해 모읍니다.",
                f"{source(uses_covariates, cell_effect, group_time, average_effect, treated_cells, standard_error, welch_dof, t_interval)}\n\ncells = group_time(Y, start, X, {p.anticipation}{with_w})\n"
                f"value, influence = average_effect(cells, start, treated_cells{with_w})\n"
                "apart = influence - influence.mean()\n"
                'reproduced["group_time"] = t_interval(value, standard_error(apart, groups), welch_dof(apart, start, groups))\nreproduced["group_time"]',
            ),
            Step(
                "견줌을 위해, 대상과 시점의 고정효과를 넣은 회귀 하나를 statsmodels로 냅니다.",
                f"import statsmodels.api as sm\n\n{source(additive_fit, two_way_residual)}\n\n"
                "treated, seen = (np.arange(Y.shape[1])[None, :] >= start[:, None]).astype(float), np.isfinite(Y)\n"
                f"y, d = (two_way_residual(seen, M{with_w})[seen] for M in (Y, treated))\n"
                "who = np.repeat(np.arange(len(Y)) if groups is None else groups, Y.shape[1])[seen.ravel()]\n"
                f"regression = sm.WLS(y, d, weights={'np.repeat(w, Y.shape[1])[seen.ravel()]' if with_w else '1.0'}).fit(cov_type='cluster', cov_kwds={{'groups': who}})\n"
                "print(regression.params, regression.bse)",
            ),
        ]
