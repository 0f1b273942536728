"""반복 횡단면의 이중차분: 시점마다 다른 사람을 보고, 처치는 집단마다 어느 시점부터 시작됩니다.

사람을 집단과 시점의 칸으로 모으고, 처치받지 않은 칸으로 집단과 시점의 고정효과를 맞추어 처치받은 칸을 채웁니다. 같은 사람을 두 번
보지 않으므로, 처치와 함께 표본에 드는 사람이 바뀌면 그 변화가 효과처럼 보입니다. 그래서 사람의 구성을 따로 점검합니다.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import networkx as nx
import numpy as np
import pandas as pd

from causal_pipeline import checks, learners, placebos, weighting
from causal_pipeline.checks import FAIL_LEVEL, WARN_LEVEL, flagged, graded, ladder, unseen
from causal_pipeline.designs.base import NO_NEGATIVE_TREATMENT, NO_PROBABILITY, Design
from causal_pipeline.errors import DataError, SpecError
from causal_pipeline.few_clusters import (
    SHOWN,
    as_normal,
    estimate_from,
    gap_se,
    leave_one_out,
    one_cluster,
    plain_regression,
    t_interval,
    t_test,
)
from causal_pipeline.graphs import precision_covariates
from causal_pipeline.identification import contrast, result
from causal_pipeline.inference import holm, row_weights
from causal_pipeline.model import Check, Estimate, Field, Identification, Picture, Role, Sensitivity, Spec, Step
from causal_pipeline.panel import check_start, encode_periods, never_treated_code, periods_code, start_times
from causal_pipeline.shown import IMPORTS, covariate_matrix, source
from causal_pipeline.wording import number

# 구간의 자유도가 이보다 작으면 몇 집단이 추정을 정합니다. 12집단 가운데 처치 집단이 5개이면 8.2, 3개이면 2.9, 2개이면 1.2입니다.
FEW_DOF, TOO_FEW_DOF = 5.0, 2.0
# 처치 전 추세의 시험은 놓치는 쪽이 더 위험해 다른 시험(1%)보다 너그럽지 않게 5%에서 멈춥니다(Roth, 2022).
TREND_FAIL, TREND_WARN = 0.05, 0.2
MOST_LEADS = 8
# 구성의 변화가 결과에 만드는 차이가 표준오차의 몇 배이면 멈출지
COMPOSITION_SE = 0.5
# 앞 시점의 가장 큰 어긋남의 몇 배까지 처치 뒤의 추세가 벌어져도 결론이 남는지. 이보다 작으면 조건부입니다.
BREAKDOWN_WARN = 0.5
PLACEBOS = 200
_COLUMN = {"$ref": "#/$defs/column"}


@dataclass(frozen=True)
class CrossSections(Field):
    """반복 횡단면의 열: 처치가 정해진 집단과 시점, 집단마다 처음 처치받은 시점, 처치 앞에서 비교에 쓰지 않을 시점의 수.

    ``start``는 받지 않은 집단에서 빈칸이고, 적지 않으면 처치 열에서 만듭니다. 시점은 정수이거나 날짜입니다.
    """

    key: ClassVar[str] = "cross_sections"
    about: ClassVar[str] = "시점마다 다른 사람을 본 자료(반복 횡단면)"
    counts_arms: ClassVar[bool] = True
    schema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["group", "time"],
        "properties": {
            "group": {"description": "처치가 정해진 집단(지역, 가게)의 열", **_COLUMN},
            "time": {"description": "시점의 열. 정수이거나 날짜", **_COLUMN},
            "start": {"description": "집단마다 처음 처치받은 시점의 열. 받지 않았으면 빈칸", **_COLUMN},
            "anticipation": {
                "description": "처치 앞의 몇 시점을 비교에서 뺄지",
                "type": "integer",
                "minimum": 0,
                "maximum": 100,
            },
        },
    }

    group: str
    time: str
    start: str | None = None
    anticipation: int = 0

    def roles(self) -> tuple[Role, ...]:
        found = [
            Role("cross_sections.group", self.group, "처치가 정해진 집단"),
            Role("cross_sections.time", self.time, "시점"),
        ]
        return (*found, Role("cross_sections.start", self.start, "처음 처치받은 시점")) if self.start else tuple(found)

    def validate(self, spec: Spec) -> None:
        if self.group == self.time:
            message, remedy = (
                "반복 횡단면의 집단과 시점이 같은 열입니다.",
                "집단(가게, 지역)과 시점(주, 달)의 열을 따로 적으세요.",
            )
            raise spec.error(SpecError, "cross_sections_same_column", "cross_sections.time", message, remedy)
        if spec.treatment.kind != "binary":
            message, remedy = (
                "반복 횡단면의 이중차분은 켜지고 꺼지는 처치를 봅니다.",
                "kind를 binary로 적고, 견줄 두 값만 남기세요.",
            )
            raise spec.error(SpecError, "cross_sections_kind", "treatment.kind", message, remedy)
        if spec.unit == self.group:
            message, remedy = (
                f"unit('{spec.unit}')이 집단과 같습니다.",
                "unit에는 사람의 번호를 적거나 지우세요. 집단마다 한 행이면 panel로 물으세요.",
            )
            raise spec.error(SpecError, "cross_sections_unit", "unit", message, remedy)

    def may_be_empty(self) -> set[str]:
        return {self.start} if self.start else set()

    def encode(self, spec: Spec, frame: pd.DataFrame) -> list[str]:
        encode_periods(spec, frame, self.key, self.time, self.start)
        return []

    def inspect(self, spec: Spec, frame: pd.DataFrame) -> list[str]:
        """처치가 집단과 시점에서 정해지고, 켜진 뒤에 이어지는지 봅니다."""
        t, groups = spec.treatment.column, frame.groupby(self.group, observed=True)
        if frame[self.time].nunique() < 2:
            raise spec.error(
                DataError,
                "cross_sections_one_period",
                "cross_sections.time",
                "시점이 하나뿐입니다.",
                "처치 앞뒤의 시점을 함께 두세요.",
            )
        cells = frame.groupby([self.group, self.time], observed=True)[t].agg(["min", "max"])
        if (cells["min"] != cells["max"]).any():
            where = cells.index[(cells["min"] != cells["max"]).to_numpy().argmax()]
            message = f"같은 집단과 시점 안에 처치받은 사람과 받지 않은 사람이 섞여 있습니다(예: {self.group}={where[0]}, {self.time}={where[1]})."
            raise spec.error(
                DataError,
                "treatment_varies_in_cell",
                "treatment.column",
                message,
                "집단에 처치가 시작된 뒤를 모두 1로 두세요(배정의 효과가 됩니다).",
            )
        if (cells["max"].groupby(level=0).diff() < 0).any():
            message = f"처치 '{t}'이(가) 켜졌다가 꺼지는 집단이 있습니다."
            raise spec.error(
                DataError,
                "treatment_reverses",
                "treatment.column",
                message,
                "처음 켜진 뒤를 1로 두거나 그 집단을 빼세요.",
            )
        notices = check_start(spec, frame, self.key, self.group, self.time, self.start)
        if spec.treatment.cluster and (groups[spec.treatment.cluster].nunique() > 1).any():
            message = f"한 집단이 여러 군집 '{spec.treatment.cluster}'에 걸쳐 있습니다."
            raise spec.error(
                DataError,
                "group_across_clusters",
                "treatment.cluster",
                message,
                "집단보다 크거나 같은 단위를 적거나 지우세요. 지우면 집단이 군집입니다.",
            )
        holes = groups.ngroups * frame[self.time].nunique() - len(cells)
        return notices + ([f"집단과 시점의 칸 가운데 {holes:,}개에 사람이 없습니다."] if holes else [])

    def encoding_code(self, spec: Spec) -> list[str]:
        return [*periods_code(self.time, self.start), *never_treated_code(spec, self.group, self.time, self.start)]


# --- 칸과 무게(재현 노트북에 그대로 실립니다) ---


def cell_means(
    group: np.ndarray, time: np.ndarray, values: np.ndarray, w: np.ndarray | float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """(사람의 수 (G, T), 평균 (G, T, k)). 사람이 없는 칸의 평균은 0입니다. ``w``는 표본 가중치이고, 수도 그것으로 셉니다."""
    shape = (group.max() + 1, time.max() + 1)
    cell, w = group * shape[1] + time, np.broadcast_to(w, len(group))
    counts = np.bincount(cell, weights=w, minlength=shape[0] * shape[1])
    means = [np.bincount(cell, w * v, len(counts)) / np.where(counts > 0, counts, 1) for v in values.T]
    return counts.reshape(shape), np.array(means).reshape(len(means), *shape).transpose(1, 2, 0)


def slopes(
    y: np.ndarray,
    X: np.ndarray,
    group: np.ndarray,
    time: np.ndarray,
    clean: np.ndarray,
    clusters: np.ndarray,
    w: np.ndarray | float = 1.0,
) -> tuple[np.ndarray, np.ndarray]:
    """처치받지 않은 칸 안에서 결과를 공변량에 회귀한 기울기와, 군집을 하나씩 뺀 기울기. (k,)와 (C, k)."""
    counts, means = cell_means(group, time, np.column_stack([y, X]), w)
    inside, s = clean[group, time], np.sqrt(np.broadcast_to(w, len(y)))[:, None]
    apart = (s * (np.column_stack([y, X]) - means[group, time]))[inside]
    of = clusters[group][inside]
    A = np.array([apart[of == c].T @ apart[of == c] for c in np.unique(clusters)])

    def solve(M):
        return np.linalg.pinv(M[1:, 1:]) @ M[1:, 0]

    return solve(A.sum(axis=0)), np.array([solve(A.sum(axis=0) - part) for part in A])


def fixed_part(clean: np.ndarray, values: np.ndarray) -> np.ndarray:
    """``clean``인 칸 위에서 집단과 시점의 고정효과로 맞춘 값. 집단과 시점의 합이 ``values``와 같고, 그 밖의 칸은 0입니다."""
    seen = np.maximum(clean.sum(axis=1), 1)
    share = clean / seen[:, None]
    system = np.diag(clean.sum(axis=0).astype(float)) - clean.T @ share
    b = np.linalg.pinv(system) @ (values.sum(axis=0) - share.T @ values.sum(axis=1))
    a = (values.sum(axis=1) - clean @ b) / seen
    return np.where(clean, a[:, None] + b[None, :], 0.0)


def fill_weights(clean: np.ndarray, target: np.ndarray) -> np.ndarray | None:
    """처치받지 않은 칸(``clean``)으로 맞춘 고정효과로 ``target``을 채웠을 때, 추정값이 칸의 평균에 주는 무게.

    추정값은 (무게 × 평균)의 합입니다(Borusyak, Jaravel과 Spiess, 2024를 칸에 쓴 것). ``target``은 채울 칸의 무게입니다.
    """
    w = np.where(clean.any(axis=1)[:, None] & clean.any(axis=0)[None, :], target, 0.0)
    return w / w.sum() - fixed_part(clean, w / w.sum()) if w.sum() > 0 else None


def summed(
    weights: np.ndarray, without: np.ndarray, means: np.ndarray, beta: np.ndarray, betas: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray, float]:
    """무게를 준 칸의 합: (추정값, 군집을 하나씩 뺀 차이, 그 공분산, 추정값의 분산). 뒤의 둘은 칸의 오차가 고를 때의 것(비례)입니다.

    ``means``의 첫 겹은 결과, 나머지는 공변량입니다. 결과에서 공변량의 기울기만큼을 뺍니다.
    """
    value = (weights * (means[..., 0] - means[..., 1:] @ beta)).sum()
    left = np.array([(w * (means[..., 0] - means[..., 1:] @ b)).sum() for w, b in zip(without, betas, strict=False)])
    apart = (without - weights).reshape(len(without), -1)
    return float(value), left - value, apart @ apart.T, float((weights**2).sum())


# 구간은 하나씩 빼기를 칸의 오차가 고를 때의 분산에 맞춰 줄이고 Satterthwaite 자유도로 냅니다. 모의 세계 2,000번의 포함률: 40집단 0.953,
# 12집단(처치 5) 0.952, 40집단(처치 8) 0.942. 자유도를 G-1로 두면 처치 집단이 2개일 때 0.892입니다. 칸마다 같은 무게를 주는 까닭도
# 여기에 있습니다: 크기가 제각각일 때 사람마다 같은 무게를 주면 큰 집단 몇이 추정을 정해(자유도 2.6) 포함률이 0.992까지 넓어집니다.
# 시작 시점이 섞여 있으면 하나씩 뺄 때 그 섞임을 지킵니다. 지키지 않으면 500번의 포함률이 0.982, 지키면 0.960입니다.


def kept_target(target: np.ndarray, start: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """집단을 뺀 뒤의 채울 칸의 무게. 시작이 같은 집단들의 무게의 합을 지켜, 시작 시점의 섞임이 오차로 세어지지 않게 합니다."""
    out = target * keep[:, None]
    for rows in (start == s for s in np.unique(start)):
        out[rows] *= target[rows].sum(axis=0) / np.maximum(out[rows].sum(axis=0), 1e-300)
    return out


def contrast_weights(clean: np.ndarray, regressor: np.ndarray) -> np.ndarray | None:
    """``clean``인 칸에서 고정효과와 함께 넣은 ``regressor``의 계수가 칸의 평균에 주는 무게. 가릴 수 없으면 None."""
    x = np.where(clean, regressor, 0.0)
    residual = x - fixed_part(clean, x)
    size = (residual**2).sum()
    return None if size < 1e-9 else residual / size


def change_weights(there: np.ndarray, start: np.ndarray, keep: np.ndarray, anticipation: int) -> np.ndarray | None:
    """처치 바로 앞 시점에서 잰 변화를 그때 아직 처치받지 않은 집단과 견줄 때의 무게(Callaway와 Sant'Anna, 2021)."""
    periods = there.shape[1]
    out, count = np.zeros(there.shape), 0
    for first in np.unique(start[keep & (start < periods)]):
        base = first - 1 - anticipation
        if base < 0:
            continue
        for t in range(first, periods):
            both = keep & there[:, t] & there[:, base]
            treated, control = both & (start == first), both & (start > t + anticipation)
            if treated.any() and control.any():
                size = (there[:, t] & there[:, base] & (start == first)).sum()
                step = (treated / treated.sum() - control / control.sum()) * size
                out[:, t] += step
                out[:, base] -= step
                count += size
    return out / count if count else None


@dataclass
class Fit:
    """칸으로 모은 자료. ``start``는 처치가 시작된 열의 번호(없으면 시점의 수), ``clusters``는 집단마다의 군집 번호, ``w``는 표본 가중치입니다."""

    frame: pd.DataFrame
    group: np.ndarray
    time: np.ndarray
    times: np.ndarray
    start: np.ndarray
    clusters: np.ndarray
    counts: np.ndarray
    X: pd.DataFrame
    clean: np.ndarray
    treated: np.ndarray
    w: np.ndarray


class RepeatedCrossSections(Design):
    """집단과 시점의 칸에서 잰 이중차분."""

    name = "repeated_cross_sections"
    label = "반복 횡단면의 이중차분"
    question = "시점마다 다른 사람을 보았고, 처치가 집단마다 어느 시점부터 시작되었습니까?"
    precedence = 60
    fields = (CrossSections,)
    ignores = {"negative_controls.treatments": NO_NEGATIVE_TREATMENT, "treatment.probability": NO_PROBABILITY}  # noqa: RUF012
    reveals = {"pre_trend": "처치 전 추세", "composition": "사람의 구성", "negative_control": "음성 대조군"}  # noqa: RUF012
    doubt = (
        "배정을 모릅니다. 처치와 같은 때에 처치 집단에만 다른 일이 있었거나 사람이 바뀌었으면 자료로 가릴 수 없습니다."
    )
    strength = "relative_trend"

    @classmethod
    def applies(cls, spec: Spec, frame: pd.DataFrame | None = None) -> bool:
        return CrossSections.of(spec) is not None

    @classmethod
    def identify(cls, spec: Spec, frame: pd.DataFrame, graph: nx.DiGraph) -> Identification:
        f = CrossSections.of(spec)
        t = (
            frame.groupby(spec.treatment.cluster or f.group, observed=True)[spec.treatment.column].agg(["min", "max"])
            == spec.treatment.treated
        )
        usable = int((t["max"] & ~t["min"]).sum())
        if usable < 2:
            message = f"처치 앞을 본 처치 집단(군집)이 {usable}개뿐입니다. 한 집단만의 일과 처치를 가르려면 2개 이상이 필요합니다."
            remedy = "처치 앞의 시점과 다른 처치 집단을 함께 두세요. 집단이 하나이면 칸의 평균을 panel로 만들어 통제집단합성법으로 물으세요."
            raise spec.error(DataError, "too_few_treated_groups", "cross_sections.group", message, remedy)
        if (~t["max"]).sum() + (usable >= 4) < 2:
            message, remedy = "견줄 집단(군집)이 2개보다 적습니다.", "처치받지 않은 집단의 사람을 함께 두세요."
            raise spec.error(DataError, "too_few_control_groups", "cross_sections.group", message, remedy)
        notes = [
            "효과는 처치받은 집단과 시점의 칸마다 같은 무게를 준 평균입니다. 사람마다 같은 무게를 준 평균은 표에 따로 있습니다.",
            "확인하지 못하는 가정: 처치가 없었다면 집단의 평균이 나란히 움직였고(평행 추세), 처치가 표본에 드는 사람을 바꾸지 않았다는 것.",
        ]
        if spec.estimand != "ATT":
            notes.append(f"이 설계는 {spec.estimand}가 아니라 처치받은 집단의 효과 ATT를 식별합니다.")
        return Identification(
            design=cls.name,
            estimand="ATT",
            adjustment=precision_covariates(spec, graph),
            sentence=f"처치받은 집단의 처치 뒤 시점에서, 처치가 없었다면 집단의 평균이 나란히 움직였으리라 보고(평행 추세) {contrast(spec)} {result(spec)}.",
            formula=r"E[\bar{Y}_{gt} - (\hat\alpha_g + \hat\lambda_t) \mid t \ge s_g],\quad \bar{Y}_{gt} = \alpha_g + \lambda_t \ (t < s_g)",
            notes=tuple(notes),
            whom="처치받은 집단",
        )

    @cached_property
    def fit(self) -> Fit:
        spec, f, t = self.spec, CrossSections.of(self.spec), self.spec.treatment
        rows = self.frame.dropna(subset=[spec.outcome.column])
        group, names = pd.factorize(rows[f.group], sort=True)
        time, times = pd.factorize(rows[f.time], sort=True)
        starts = start_times(rows, f.group, f.time, t.column, t.treated, f.start).reindex(names)
        start = np.searchsorted(times, starts.fillna(np.inf).to_numpy(dtype=float))
        clusters = np.arange(len(names))
        if t.cluster:
            clusters = pd.factorize(rows.groupby(f.group, observed=True)[t.cluster].first().reindex(names), sort=True)[
                0
            ]
        w = row_weights(spec, rows)
        counts = cell_means(group, time, np.zeros((len(rows), 1)), w)[0]
        when = np.arange(len(times))[None, :]
        clean = (counts > 0) & (when < start[:, None] - np.where(start < len(times), f.anticipation, 0)[:, None])
        treated = (counts > 0) & (when >= start[:, None])
        X = learners.design_matrix(spec, rows, self.ident.adjustment)
        return Fit(rows, group, time, np.asarray(times), start, clusters, counts, X, clean, treated, w)

    # --- 무게에서 추정값까지 ---

    def _each(self, make: Callable[[np.ndarray], np.ndarray | None]) -> tuple[np.ndarray, np.ndarray] | None:
        """무게와, 군집을 하나씩 뺀 무게. ``make``는 남길 집단을 받습니다. 하나라도 낼 수 없으면 None."""
        c = self.fit.clusters
        found = [make(np.ones(len(c), dtype=bool)), *(make(c != k) for k in np.unique(c))]
        return None if any(w is None for w in found) else (found[0], np.array(found[1:]))

    def _filled(self, target: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        return self._each(
            lambda keep: fill_weights(self.fit.clean & keep[:, None], kept_target(target, self.fit.start, keep))
        )

    def _contrasted(
        self, regressor: np.ndarray, among: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray] | None:
        cells = self.fit.clean if among is None else among
        return self._each(lambda keep: contrast_weights(cells & keep[:, None], regressor))

    @cached_property
    def _main_weights(self) -> tuple[np.ndarray, np.ndarray]:
        found = self._filled(self.fit.treated.astype(float))
        if found is None:
            message, remedy = (
                "군집 하나를 빼면 처치받은 칸을 견줄 칸이 남지 않습니다.",
                "처치받지 않은 집단이나 처치 앞의 시점을 더 두세요.",
            )
            raise self.spec.error(DataError, "cross_sections_without_contrast", "cross_sections", message, remedy)
        return found

    def _material(self, y: np.ndarray, X: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """칸의 평균(첫 겹은 결과)과 공변량의 기울기, 군집을 하나씩 뺀 기울기."""
        f = self.fit
        means = cell_means(f.group, f.time, np.column_stack([y, X]), f.w)[1]
        return means, *slopes(y, X, f.group, f.time, f.clean, f.clusters, f.w)

    @cached_property
    def _outcome(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self._material(self.fit.frame[self.spec.outcome.column].to_numpy(dtype=float), self.fit.X.to_numpy())

    def _follows(self, material: tuple[np.ndarray, np.ndarray, np.ndarray]) -> float:
        """결과의 추정이 한 단위 치우칠 때 이 재료의 추정에 나타날 크기."""
        theirs, mine = (summed(*self._main_weights, *m)[1] for m in (material, self._outcome))
        return checks.follows(theirs, mine)

    @staticmethod
    def _test(
        weights: tuple[np.ndarray, np.ndarray], material: tuple[np.ndarray, np.ndarray, np.ndarray]
    ) -> tuple[float, float, float]:
        """(추정값, 표준오차, 자유도)."""
        value, differences, shared, target = summed(*weights, *material)
        return value, *leave_one_out(differences, shared, target)

    def _bare(self, means: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """공변량 없이 칸의 평균만 쓰는 재료. ``means``는 (G, T)."""
        return means[..., None], np.zeros(0), np.zeros((len(np.unique(self.fit.clusters)), 0))

    # --- 점검 ---

    def check(self) -> list[Check]:
        """처치 집단의 수, 처치 전 추세, 사람의 구성, 사람의 수, 그래프의 독립."""
        return [
            *checks.missing_covariates(self.fit.frame, self.ident.adjustment),
            *checks.declared_timing(self.spec, self.ident),
            self._groups(),
            self._pre_trend(),
            self._composition(),
            self._turnout(),
            *checks.graph_independences(self.spec, self.frame),
        ]

    def _groups(self) -> Check:
        f = self.fit
        _, _, dof = self._test(self._main_weights, self._outcome)
        count, treated, early = (
            len(np.unique(f.clusters[rows]))
            for rows in (f.start >= 0, f.treated.any(axis=1) & f.clean.any(axis=1), ~f.clean.any(axis=1))
        )
        tails = {"warn": " 몇 집단이 추정을 정합니다.", "fail": " 집단이 너무 적어 구간이 아무것도 말하지 못합니다."}
        message = f"구간은 군집 {count}개(처치받은 것 {treated}개)를 하나씩 빼서 냅니다. 자유도는 {number(dof, digits=1)}입니다."
        message += f" 처치 앞을 보지 못한 군집 {early}개의 칸은 채우지 못해 쓰지 않습니다." if early else ""
        return graded(
            "treated_groups", "처치받은 집단의 수", message, dof, ladder(dof, FEW_DOF, TOO_FEW_DOF), FEW_DOF, tails
        )

    @property
    def _relative(self) -> np.ndarray:
        """칸마다 처치 시작에서 센 시점. 받지 않은 집단은 아주 큰 음수입니다."""
        f = self.fit
        return np.where((f.start < len(f.times))[:, None], np.arange(len(f.times))[None, :] - f.start[:, None], -10_000)

    @cached_property
    def _leads(self) -> dict[int, tuple[float, float, float]]:
        """처치 앞의 상대 시점마다, 다른 앞 시점에 견준 어긋남 (값, 표준오차, 자유도)."""
        f, e = self.fit, self._relative
        near = list(np.unique(e[f.clean & (e > -10_000)]))[-MOST_LEADS:]
        seen = {int(k): int((f.clean & (e == k)).sum()) for k in near}
        enough = max(2, min(10, max(seen.values(), default=0)))
        found = {}
        for k in (k for k, n in seen.items() if n >= enough):
            weights = self._contrasted((e == k).astype(float))
            if weights is not None:
                found[k] = self._test(weights, self._outcome)
        return found

    @cached_property
    def _horizon(self) -> float:
        """처치 앞의 곧은 추세가 시점마다 1일 때 추정값에 들어가는 크기."""
        e = self._relative
        return abs(float((self._main_weights[0] * np.where(e > -10_000, e, 0.0)).sum()))

    @cached_property
    def _slope(self) -> tuple[float, float, float] | None:
        """처치 앞에서 처치 집단의 결과가 시점마다 더 오른 만큼 (값, 표준오차, 자유도)."""
        e = self._relative
        weights = self._contrasted(np.where(e > -10_000, e, 0.0))
        return None if weights is None else self._test(weights, self._outcome)

    def _pre_trend(self) -> Check:
        """기울기, 처치 바로 앞 시점의 어긋남(예고), 앞 시점들의 어긋남을 Bonferroni로 묶습니다."""
        label = "처치 전 추세"
        if self._slope is None or not self._leads:
            return unseen("pre_trend", label, "처치 앞 시점이 하나뿐이라 두 집단이 나란히 움직였는지 볼 수 없습니다.")
        p = {k: t_test(*lead) for k, lead in self._leads.items()}
        found = [t_test(*self._slope), p[max(p)], min(1.0, len(p) * min(p.values()))]
        joint = min(1.0, len(found) * min(found))
        worst = min(p, key=p.get)
        message = (
            f"처치 앞 시점 {len(p)}개에서 두 집단이 나란히 움직였을 p값은 {joint:.3f}입니다"
            f"(기울기 {number(self._slope[0], signed=True)}, 가장 큰 어긋남은 {worst}시점의 {number(self._leads[worst][0], signed=True)})."
        )
        tails = {"fail": " 처치가 없었어도 벌어졌거나, 처치를 미리 알고 움직였을 수 있습니다."}
        check = graded("pre_trend", label, message, joint, ladder(joint, TREND_WARN, TREND_FAIL), TREND_FAIL, tails)
        bias, (_, se, dof) = checks.relevant_bias(self.primary), self._slope
        shift = bias / max(self._horizon * se, 1e-300)
        return checks.powered(
            check, bias, checks.t_power(shift, dof, TREND_WARN / len(found)), "처치 앞에서부터 곧은 추세로 벌어졌다면"
        )

    def _composition(self) -> Check:
        """처치가 표본에 든 사람의 특성을 바꾸었는지. 같은 사람을 두 번 보지 않는 자료의 약점입니다."""
        spec, f, label = self.spec, self.fit, "사람의 구성"
        before = [c for c, when in sorted(spec.timing.items()) if when == "before"]
        skip = {spec.treatment.column, spec.outcome.column, *(r.column for owned in spec.fields for r in owned.roles())}
        columns = [
            c
            for c in dict.fromkeys([*self.ident.adjustment, *spec.modifiers, *before])
            if c in f.frame.columns and c not in skip
        ]
        X = learners.design_matrix(spec, f.frame, columns)
        if X.shape[1] == 0:
            return unseen(
                "composition",
                label,
                "사람의 특성을 하나도 적지 않아, 처치와 함께 표본에 든 사람이 바뀌었는지 볼 수 없습니다.",
            )
        y = f.frame[spec.outcome.column].to_numpy(dtype=float)
        slope = slopes(y, X.to_numpy(), f.group, f.time, f.clean, f.clusters, f.w)[0]
        means = cell_means(f.group, f.time, X.to_numpy(), f.w)[1]
        tests = [self._test(self._main_weights, self._bare(means[..., j])) for j in range(X.shape[1])]
        p = holm([t_test(*test) for test in tests])
        worst = int(np.argmin(p))
        made = float(sum(b * test[0] for b, test in zip(slope, tests, strict=True)))
        _, se, _ = self._test(self._main_weights, self._outcome)
        status = (
            "ok"
            if p[worst] >= WARN_LEVEL
            else "fail"
            if p[worst] < FAIL_LEVEL and abs(made) > COMPOSITION_SE * se
            else "warn"
        )
        message = (
            f"사람의 특성 {len(tests)}개 가운데 처치와 함께 가장 바뀐 것은 '{spec.readable(X.columns[worst])}'({number(tests[worst][0], signed=True)}, "
            f"Holm p={p[worst]:.3f})이고, 특성의 변화만으로 결과가 {number(made, signed=True)}만큼 움직입니다."
        )
        tails = {"fail": " 처치 뒤에 다른 사람들이 표본에 들어왔습니다. 재지 못한 특성도 함께 바뀌었을 수 있습니다."}
        check = graded("composition", label, message, p[worst], status, FAIL_LEVEL, tails)
        bias = checks.relevant_bias(self.primary)
        noticed = max(
            checks.t_power(
                bias * self._follows(self._bare(means[..., j])) / max(tests[j][1], 1e-300),
                tests[j][2],
                WARN_LEVEL / len(tests),
            )
            for j in range(X.shape[1])
        )
        how = "표본에 든 사람이 결과의 높낮이에 따라 바뀌었다면. 적은 특성과 이어지지 않은 변화는 볼 수 없습니다"
        return checks.powered(check, bias, noticed, how)

    def _turnout(self) -> Check:
        """처치가 표본에 든 사람의 수를 바꾸었는지(로그)."""
        f = self.fit
        value, se, dof = self._test(self._main_weights, self._bare(np.log(np.where(f.counts > 0, f.counts, 1))))
        if se <= 1e-12:
            message = "칸마다 사람의 수가 처치와 똑같이 움직여(칸의 크기를 정해 놓고 뽑은 자료라면) 드나든 것을 볼 수 없습니다."
            return unseen("turnout", "사람의 수", message, None)
        p = t_test(value, se, dof)
        message = f"처치와 함께 칸의 사람 수는 {np.exp(value):.2f}배가 되었습니다(p={p:.3f})."
        tails = {"warn": " 표본에 드는 사람이 바뀌었을 수 있습니다."}
        check = graded("turnout", "사람의 수", message, p, "warn" if p < FAIL_LEVEL else "ok", FAIL_LEVEL, tails)
        bias, spread = checks.relevant_bias(self.primary), float(f.frame[self.spec.outcome.column].std())
        newcomers = min(bias / max(spread, 1e-300), 0.95)
        noticed = checks.t_power(-np.log(1 - newcomers) / se, dof, FAIL_LEVEL)
        how = "결과가 표준편차 하나만큼 다른 사람이 더 들어와 그만큼 치우쳤다면. 나간 만큼 들어온 것은 수로 볼 수 없습니다"
        return checks.powered(check, bias, noticed, how)

    # --- 추정 ---

    @cached_property
    def _values(self) -> dict[str, tuple[float, np.ndarray, np.ndarray, float]]:
        """방법마다 (추정값, 군집을 하나씩 뺀 차이, 그 공분산, 추정값의 분산)."""
        f = self.fit
        ahead = CrossSections.of(self.spec).anticipation
        weights = {
            "imputation": self._main_weights,
            "changes": self._each(lambda keep: change_weights(f.counts > 0, f.start, keep, ahead)),
            "per_person": self._filled(f.treated * f.counts.astype(float)),
            "two_way": self._contrasted(f.treated.astype(float), among=f.clean | f.treated),
        }
        found = {name: summed(*w, *self._outcome) for name, w in weights.items() if w is not None}
        if f.X.shape[1]:
            found["unadjusted"] = summed(*self._main_weights, *self._bare(self._outcome[0][..., 0]))
        return found

    @cached_property
    def estimates(self) -> list[Estimate]:
        """칸 채우기(주된 추정), 처치 바로 앞에서 잰 변화, 사람마다 같은 무게, 고정효과 회귀 하나, 공변량 없이, 단순 비교."""
        labels = {
            "imputation": (
                "받지 않은 칸으로 채우기",
                "집단마다 추세가 다르거나 표본에 드는 사람이 바뀔 때",
                self.ident.estimand,
            ),
            "changes": ("처치 바로 앞에서 잰 변화", "처치 바로 앞 시점이 유별났을 때", self.ident.estimand),
            "per_person": (
                "사람마다 같은 무게의 칸 채우기",
                "큰 집단 몇이 추정을 정할 때",
                "사람마다 같은 무게의 평균",
            ),
            "two_way": (
                "고정효과 회귀 하나",
                "집단마다 처치가 다르게 시작하고 효과가 시간에 따라 변할 때",
                "분산 가중 평균",
            ),
            "unadjusted": ("공변량 없이 칸 채우기", "사람의 구성이 시점에 따라 달라질 때", self.ident.estimand),
        }
        f, out = self.fit, []
        cohorts = len(np.unique(f.start[f.start < len(f.times)]))
        for name, (value, differences, shared, target) in self._values.items():
            label, fails_when, estimand = labels[name]
            estimand = self.ident.estimand if name == "two_way" and cohorts == 1 else estimand
            se, dof = leave_one_out(differences, shared, target)
            out.append(
                estimate_from(value, se, dof, len(f.group), name, label, fails_when, name == "imputation", estimand)
            )
        on = f.treated[f.group, f.time]
        y = f.frame[self.spec.outcome.column].to_numpy(dtype=float)
        fails_when = "두 집단이 처음부터 다르거나 시점에 따라 결과가 움직일 때"
        naive = plain_regression(on, y, f.clusters[f.group], "처치받은 칸과 받지 않은 칸의 사람 차이", fails_when, f.w)
        return [*out, naive]

    # --- 흔들어 보기 ---

    def stress(self) -> tuple[list[Check], list[Sensitivity]]:
        """추정량끼리의 견줌, 처치 시점을 섞은 위약, 한 군집을 뺀 값, 음성 대조군, 추세를 볼 힘과 벌어지는 정도."""
        main, base = self.primary, self._values["imputation"][1]
        others = {name: rest for name, (_, *rest) in self._values.items() if name != "imputation"}
        apart = {name: gap_se(rest[0], base, leave_one_out(*rest)[1]) for name, rest in others.items()}
        trend_checks, sensitivities = self._trends(main)
        return [
            checks.agreement(self.estimates, apart),
            *self._placebo(main),
            one_cluster(main, base),
            checks.negative_control(self.spec, self._negative_controls(), main),
            *trend_checks,
        ], sensitivities

    def _placebo(self, main: Estimate) -> list[Check]:
        """처치 시작 시점을 군집끼리 섞어 같은 추정을 되풀이합니다."""
        f = self.fit
        first = np.unique(f.clusters, return_index=True)[1]
        if not (f.start == f.start[first][f.clusters]).all():
            return []
        rng, there = np.random.default_rng(self.spec.seed + 1), f.counts > 0
        ahead, when = CrossSections.of(self.spec).anticipation, np.arange(len(f.times))[None, :]
        means, beta, _ = self._outcome
        Y = means[..., 0] - means[..., 1:] @ beta
        values = []
        for _ in range(PLACEBOS):
            start = rng.permutation(f.start[first])[f.clusters][:, None]
            weights = fill_weights(
                there & (when < start - np.where(start < len(f.times), ahead, 0)),
                (there & (when >= start)).astype(float),
            )
            if weights is not None:
                values.append((weights * Y).sum())
        message = f"처치 시점을 {len(values)}번 섞었습니다."
        return [placebos.rank_placebo("처치 시점을 섞은 위약", message, np.array(values), main.value, main)]

    def _negative_controls(self) -> list[tuple[str, float, float, float]]:
        f, found = self.fit, []
        for name in self.spec.negative_outcomes:
            y = f.frame[name].to_numpy(dtype=float)
            material = self._material(y, f.X.to_numpy())
            value, se, dof = self._test(self._main_weights, material)
            found.append((name, value, as_normal(se, dof), self._follows(material)))
        return found

    def _trends(self, main: Estimate) -> tuple[list[Check], list[Sensitivity]]:
        """추세의 시험이 놓칠 수 있는 치우침(Roth, 2022)과, 추세가 얼마나 벌어져야 결론이 뒤집히는지(Rambachan과 Roth, 2023)."""
        if self._slope is None or not self._leads:
            return [], []
        horizon = self._horizon
        slope, se, dof = self._slope
        missed = (abs(slope) + 1.96 * as_normal(se, dof)) * horizon
        half = (main.high - main.low) / 2
        left = max(0.0, abs(main.value) - half)
        message = f"앞 시점의 시험이 놓칠 수 있는 곧은 추세는 처치 뒤에 {number(missed)}만큼의 치우침을 만들 수 있습니다(95% 구간의 반쪽은 {number(half)})."
        found = [flagged("pre_trend_power", "처치 전 추세를 볼 힘", message, missed, missed > half, half)]
        path = [self._leads[k][0] for k in sorted(self._leads)]
        biggest = max((abs(b - a) for a, b in zip(path[:-1], path[1:], strict=True)), default=abs(path[0]))
        value = min(left / max(biggest * horizon, 1e-300), 99.0)
        said = f"처치 뒤 시점마다 두 집단의 추세가, 앞에서 본 가장 큰 어긋남({number(biggest)})의 {value:.2f}배씩 더 벌어지면 95% 구간이 0을 품습니다."
        if left > 0:
            found.append(
                flagged("relative_trend", "추세가 벌어지는 정도", said, value, value < BREAKDOWN_WARN, BREAKDOWN_WARN)
            )
        return found, [
            Sensitivity("relative_trend", "추세가 벌어지는 정도", value, said, {"처치 앞에서 본 가장 큰 어긋남": 1.0})
        ]

    # --- 그림과 재현 ---

    def pictures(self) -> list[Picture]:
        """처치 앞뒤의 시점별 효과."""
        f, e = self.fit, self._relative
        found = dict(self._leads)
        for k in np.unique(e[f.treated]):
            weights = self._filled((f.treated & (e == k)).astype(float))
            if weights is not None:
                found[int(k)] = self._test(weights, self._outcome)
        times = sorted(found)
        ends = [t_interval(*found[k]) for k in times]
        data = {"times": times, "unit": self.spec.outcome.unit} | {
            f"{key}s": [e[key] for e in ends] for key in ("value", "low", "high")
        }
        alt = "가로축은 처치가 시작된 시점에서 센 시점, 세로축은 효과와 95% 구간. 0보다 앞은 다른 앞 시점에 견준 어긋남이라 0 둘레여야 합니다."
        return [Picture("event_study", "처치 앞뒤의 시점별 효과", alt, data)]

    def steps(self) -> list[Step]:
        """같은 함수로 같은 값을, statsmodels로 받지 않은 칸의 고정효과를 냅니다."""
        f, t, y = CrossSections.of(self.spec), self.spec.treatment, self.spec.outcome.column
        arguments = {"unit": f.group, "time": f.time, "treatment": t.column, "treated": t.treated, "start": f.start}
        listed = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
        cluster = "clusters = np.arange(len(names))"
        w, with_w = weighting.code(self.spec), weighting.argument(self.spec)
        if t.cluster:
            cluster = f"clusters = pd.factorize(frame.groupby({f.group!r}, observed=True)[{t.cluster!r}].first().reindex(names), sort=True)[0]"
        return [
            Step(
                "사람을 집단과 시점의 칸으로 모읍니다.",
                f"{IMPORTS}\n\n{source(covariate_matrix, start_times, cell_means)}\n\nframe = frame.dropna(subset=[{y!r}])\n"
                f"group, names = pd.factorize(frame[{f.group!r}], sort=True)\ntime, times = pd.factorize(frame[{f.time!r}], sort=True)\n"
                f"starts = start_times(frame, {listed}).reindex(names)\nstart = np.searchsorted(times, starts.fillna(np.inf).to_numpy(dtype=float))\n{cluster}\n"
                f"y = frame[{y!r}].to_numpy(dtype=float)\nX = covariate_matrix(frame, {list(self.ident.adjustment)!r}).to_numpy()\n"
                f"{w}counts, means = cell_means(group, time, np.column_stack([y, X]){with_w})\nwhen = np.arange(len(times))[None, :]\n"
                f"clean = (counts > 0) & (when < start[:, None] - np.where(start < len(times), {f.anticipation}, 0)[:, None])\n"
                "treated = (counts > 0) & (when >= start[:, None])\nprint(pd.DataFrame(counts, index=names, columns=times))",
            ),
            Step(
                "처치받지 않은 칸으로 처치받은 칸을 채우고, 군집을 하나씩 빼서 구간을 냅니다.",
                f"{source(slopes, fixed_part, fill_weights, kept_target, summed, *SHOWN)}\n\nbeta, betas = slopes(y, X, group, time, clean, clusters{with_w})\n"
                "weights = fill_weights(clean, treated.astype(float))\n"
                "target, kept = treated.astype(float), [clusters != c for c in np.unique(clusters)]\n"
                "without = np.array([fill_weights(clean & k[:, None], kept_target(target, start, k)) for k in kept])\n"
                "value, differences, shared, target = summed(weights, without, means, beta, betas)\nse, dof = leave_one_out(differences, shared, target)\n"
                'reproduced["imputation"] = t_interval(value, se, dof)\nreproduced["imputation"]',
            ),
            Step(
                "statsmodels로 받지 않은 칸의 고정효과를 맞추어, 채운 값과의 차이가 같은지 봅니다.",
                "import statsmodels.formula.api as smf\n\n"
                "g, s = np.indices(counts.shape)\nm = means[..., 0] - means[..., 1:] @ beta\n"
                "cells = pd.DataFrame({'g': g.ravel(), 's': s.ravel(), 'm': m.ravel()})\n"
                "untreated = smf.ols('m ~ C(g) + C(s)', cells[clean.ravel()]).fit()\n"
                "seen = clean.any(axis=1)[:, None] & clean.any(axis=0)[None, :]\nrows = cells[(treated & seen).ravel()]\n"
                "gap = rows['m'] - untreated.predict(rows)\nprint(gap.mean())\nassert np.isclose(gap.mean(), value, rtol=1e-6, atol=1e-9)",
            ),
        ]
