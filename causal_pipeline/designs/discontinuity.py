"""불연속 설계: 임곗값 바로 위와 아래를 견줍니다. 처치가 임곗값과 어긋나면 퍼지 설계로 다룹니다."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import networkx as nx
import numpy as np
import pandas as pd
from scipy import stats

from causal_pipeline import checks, learners, weighting
from causal_pipeline.checks import DISAGREE_Z, FAIL_LEVEL, WARN_LEVEL, flagged, graded, ladder, unseen
from causal_pipeline.cutoff import moves_at, on_the_cutoff, without_jump
from causal_pipeline.designs.base import NO_NEGATIVE_TREATMENT, NO_PROBABILITY, Design
from causal_pipeline.errors import DataError, SpecError
from causal_pipeline.graphs import causal_graph, precision_covariates
from causal_pipeline.identification import SMALLEST_ARM, contrast, result, tex
from causal_pipeline.inference import (
    cluster_codes,
    cluster_column,
    holm,
    kish,
    least_squares,
    row_weights,
    subset_clusters,
    two_sided,
)
from causal_pipeline.model import Check, Estimate, Field, Identification, Picture, Role, Sensitivity, Spec, Step
from causal_pipeline.shown import IMPORTS, critical_value, source
from causal_pipeline.values import require_numeric
from causal_pipeline.wording import names, number, percent

# 한쪽의 유효한 대상이 이보다 적으면 국소 회귀를 믿기 어렵습니다.
FEW, TOO_FEW = 50, 20
# 띠 안의 배정변수의 값이 이보다 적으면 눈금 한 칸의 직선에 기댑니다.
FEW_POINTS, TOO_FEW_POINTS = 20, 8
SWEEP = (0.5, 0.75, 1.0, 1.5, 2.0)
DONUT = (0.05, 0.1)
WEAK_F, STRONG_F = 10.0, 100.0
# 배정변수의 한 값에 평균 이만큼 모이면 눈금이 있다고 봅니다.
MASS = 3


@dataclass(frozen=True)
class Running(Field):
    """배정변수와 임곗값. ``above``가 참이면 임곗값 이상이 처치 쪽입니다."""

    key: ClassVar[str] = "running"
    about: ClassVar[str] = "처치를 가른 점수(배정변수)와 임곗값"
    counts_arms: ClassVar[bool] = True
    not_randomized: ClassVar[str] = (
        "임곗값으로 정한 처치는 무작위 배정이 아닙니다. 점수로 정했으면 randomized를, 추첨으로 정했으면 running을 지우세요."
    )
    absorbs: ClassVar[str] = "배정변수는 국소 회귀에 이미 들어 있습니다."
    schema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["column", "cutoff"],
        "properties": {
            "column": {"description": "배정변수의 열", "$ref": "#/$defs/column"},
            "cutoff": {"description": "임곗값", "type": "number"},
            "above": {"description": "임곗값 이상이 처치 쪽이면 true", "type": "boolean"},
        },
    }

    column: str
    cutoff: float
    above: bool = True

    @classmethod
    def build(cls, value: Any) -> "Running":
        return cls(**value | {"cutoff": float(value["cutoff"])})

    def roles(self) -> tuple[Role, ...]:
        return (Role("running.column", self.column, "배정변수", True),)

    def validate(self, spec: Spec) -> None:
        if spec.treatment.kind != "binary":
            raise spec.error(
                SpecError,
                "running_kind",
                "treatment.kind",
                "불연속 설계의 처치는 둘로 갈려야 합니다.",
                "kind를 binary로 적으세요.",
            )
        if spec.estimand == "ATT":
            raise spec.error(
                SpecError,
                "estimand_running",
                "estimand",
                "임곗값에서 식별되는 것은 임곗값 언저리의 효과입니다.",
                "estimand를 LATE(또는 ATE)로 적으세요.",
            )

    def encode(self, spec: Spec, frame: pd.DataFrame) -> list[str]:
        require_numeric(spec, frame, self.column, "배정변수")
        frame[self.column] = frame[self.column].astype("float64")
        x = frame[self.column]
        for side, count in (("아래", int((x < self.cutoff).sum())), ("위", int((x >= self.cutoff).sum()))):
            if count < 10:
                raise spec.error(
                    DataError, "cutoff_outside", "running.cutoff", f"임곗값 {self.cutoff:g}의 {side}쪽에 {count}개뿐입니다(자료는 {x.min():g}~{x.max():g}).",
                    "임곗값이 맞는지, 한쪽만 내보낸 자료가 아닌지 보세요.",
                )  # fmt: skip
        return []

    def encoding_code(self, spec: Spec) -> list[str]:
        return [f'frame[{self.column!r}] = frame[{self.column!r}].astype("float64")']


@dataclass
class Fit:
    """국소 회귀의 재료. 배열의 길이는 모두 빈칸이 없는 행의 수입니다.

    ``x``는 임곗값을 뺀 배정변수(처치 쪽이 오른쪽), ``raw``는 그대로의 배정변수, ``side``는 처치 쪽인지, ``d``는 처치, ``h``는 띠너비,
    ``w``는 표본 가중치(평균 1).
    """

    frame: pd.DataFrame
    x: np.ndarray
    raw: np.ndarray
    y: np.ndarray
    d: np.ndarray
    side: np.ndarray
    fuzzy: bool
    h: float
    clusters: np.ndarray | None
    w: np.ndarray


# --- 국소 회귀(재현 노트북에 그대로 실립니다) ---


def centred_running(values: pd.Series, cutoff: float, above: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """배정변수에서 임곗값을 뺀 것(처치 쪽이 오른쪽)과, 처치 쪽인지. 경계의 대상은 뒤집기 전의 쪽을 따릅니다."""
    x = np.asarray(values, dtype=float) - cutoff
    side = x >= 0 if above else x < 0
    x = x if above else -x
    return np.where(side, np.maximum(x, 1e-12), np.minimum(x, -1e-12)), side


def bandwidth(x: np.ndarray, y: np.ndarray, w: np.ndarray | float = 1.0) -> float:
    """국소 선형회귀의 평균제곱오차를 줄이는 띠너비(Imbens와 Kalyanaraman, 2012의 방식).

    양쪽 모두 너무 좁지 않게, 한쪽에 대상이 30개는 들어오게 합니다. 표본 가중치 ``w``가 고르지 않으면 추정의 분산이 w²의 평균만큼
    커지므로 띠도 그만큼 넓어집니다.
    """
    n, w = len(x), np.broadcast_to(w, len(x))

    def spread(mask):
        return np.average((y[mask] - np.average(y[mask], weights=w[mask])) ** 2, weights=w[mask])

    def fitted(Z, mask):
        s = np.sqrt(w[mask])
        return np.linalg.lstsq(Z[mask] * s[:, None], y[mask] * s, rcond=None)[0]

    pilot = 1.84 * x.std() * n ** (-1 / 5)
    near_right, near_left = (x >= 0) & (x <= pilot), (x < 0) & (x >= -pilot)
    density = max(w @ (near_right | near_left), 1) / (2 * n * pilot)
    enough = min(near_right.sum(), near_left.sum()) > 2
    variance = (spread(near_right) + spread(near_left)) / 2 if enough else spread(x == x)
    variance = variance * (w**2).mean()
    inside = (x >= np.quantile(x, 0.05)) & (x <= np.quantile(x, 0.95))
    third = 6 * fitted(np.column_stack([np.ones(n), x >= 0, x, x**2, x**3]), inside)[4]
    curvature, regular = [], 0.0
    for mask in (x >= 0, x < 0):
        h2 = (
            3.56
            * (variance / (density * max(third**2, 0.01 * y.var() / x.std() ** 6))) ** (1 / 7)
            * mask.sum() ** (-1 / 7)
        )
        h2 = np.clip(h2, np.quantile(np.abs(x[mask]), min(1.0, 30 / mask.sum())), np.abs(x[mask]).max())
        part = mask & (np.abs(x) <= h2)
        curvature.append(2 * fitted(np.column_stack([np.ones(n), x, x**2]), part)[2])
        regular += 2160 * variance / max(part.sum(), 1) / h2**4
    h = 3.4375 * (2 * variance / (density * ((curvature[0] - curvature[1]) ** 2 + regular))) ** (1 / 5) * n ** (-1 / 5)
    smallest = max(np.sort(np.abs(x[m]))[min(29, m.sum() - 1)] for m in (x >= 0, x < 0))
    return float(np.clip(h, smallest, np.abs(x).max()))


def jump(
    x: np.ndarray,
    y: np.ndarray,
    h: float,
    degree: int,
    clusters: np.ndarray | None = None,
    kernel: str = "triangular",
    w: np.ndarray | float = 1.0,
) -> tuple[float, float, np.ndarray]:
    """임곗값에서의 뜀과 (군집) 강건 표준오차. 영향함수(합이 뜀의 오차)도 돌려줍니다. ``w``는 표본 가중치입니다."""
    w = w * (np.clip(1 - np.abs(x) / h, 0, None) if kernel == "triangular" else (np.abs(x) <= h).astype(float))
    inside = w > 0
    value, influence = 0.0, np.zeros(len(x))
    for mask, sign in ((inside & (x >= 0), 1.0), (inside & (x < 0), -1.0)):
        Z = np.column_stack([x[mask] ** k for k in range(degree + 1)]) / h ** np.arange(degree + 1)
        inverse = np.linalg.pinv((Z * w[mask][:, None]).T @ Z)
        beta = inverse @ (Z.T @ (w[mask] * y[mask]))
        row = (Z @ inverse[0]) * w[mask]
        # 지렛값으로 잔차를 키웁니다(HC3에 가까운 HC2). 대상이 적은 쪽의 오차를 줄여 잡지 않습니다.
        hat = np.clip(np.einsum("ij,jk,ik->i", Z, inverse, Z) * w[mask], 0, 0.99)
        influence[mask] = sign * row * (y[mask] - Z @ beta) / np.sqrt(1 - hat)
        value += sign * beta[0]
    total = influence if clusters is None else np.bincount(clusters, weights=influence)
    return float(value), float(np.sqrt((total**2).sum())), influence


def fuzzy_ratio(
    x: np.ndarray,
    y: np.ndarray,
    d: np.ndarray,
    h: float,
    degree: int,
    clusters: np.ndarray | None = None,
    kernel: str = "triangular",
    w: np.ndarray | float = 1.0,
) -> tuple[float, float, np.ndarray]:
    """결과의 뜀을 처치율의 뜀으로 나눈 것, 델타 방법의 표준오차, 영향함수."""
    top, _, it = jump(x, y, h, degree, clusters, kernel, w)
    bottom, _, ib = jump(x, d, h, degree, clusters, kernel, w)
    influence = (it - top / bottom * ib) / bottom
    total = influence if clusters is None else np.bincount(clusters, weights=influence)
    return float(top / bottom), float(np.sqrt((total**2).sum())), influence


def density_jump(x: np.ndarray, w: np.ndarray | float = 1.0) -> tuple[float, float]:
    """임곗값에서 밀도의 로그가 뛰는 크기와 표준오차(McCrary, 2008).

    가는 막대의 높이에 국소 선형회귀를 합니다. 띠너비는 처음 띠의 네제곱 다항식에서 고릅니다. 표본 가중치 ``w``를 주면 모집단의
    밀도를 봅니다: 임곗값 위를 더 많이 뽑은 조사에서는 표본의 밀도가 뛰어도 모집단의 것은 뛰지 않습니다.
    """
    w = np.broadcast_to(w, len(x))
    n = (w.sum() ** 2 / (w**2).sum()) if np.ptp(w) else len(x)
    width = 2 * x.std() / np.sqrt(n)
    left = -np.arange(1, int(np.ceil(-x.min() / width)) + 1)[::-1] * width
    right = np.arange(0, int(np.ceil(x.max() / width)) + 1) * width
    edges = np.concatenate([left, right])
    height = np.histogram(x, edges, weights=w)[0] / (w.sum() * width)
    middle = (edges[:-1] + edges[1:]) / 2
    hs = []
    for mask in (middle > 0, middle < 0):
        m, v = middle[mask], height[mask]
        if len(m) < 8:
            return 0.0, np.inf
        Z = np.vander(m / np.abs(m).max(), 5)
        beta = np.linalg.lstsq(Z, v, rcond=None)[0]
        spread = (v - Z @ beta).var()
        second = np.polyval(np.polyder(beta, 2), m / np.abs(m).max()) / np.abs(m).max() ** 2
        hs.append(3.348 * (spread * np.abs(m).max() / max((second**2).sum(), 1e-300)) ** 0.2)
    # 밀도 시험은 띠가 조금 좁아야 굽은 밀도를 뜀으로 잘못 읽지 않습니다(McCrary는 절반을 권합니다).
    h = float(np.clip(np.mean(hs) / 2, 10 * width, np.abs(x).max()))
    ends = []
    for mask in (middle > 0, middle < 0):
        w = np.clip(1 - np.abs(middle) / h, 0, None) * mask
        Z = np.column_stack([np.ones(len(middle)), middle])
        ends.append((np.linalg.pinv((Z * w[:, None]).T @ Z) @ (Z.T @ (w * height)))[0])
    up, down = (max(v, 1e-6 / width / n) for v in ends)
    return float(np.log(up) - np.log(down)), float(np.sqrt(24 / (5 * n * h) * (1 / up + 1 / down)))


def support_points(raw: np.ndarray, w: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """눈금이 있는 배정변수(나이, 점수, 만 원에서 반올림한 소득)의 (눈금, 눈금마다의 수, 행마다의 눈금 번호). 아니면 None.

    한 값에 평균 셋 이상이 모이면 눈금이 있다고 봅니다. 눈금의 간격이 고르면 아무도 없는 눈금도 0으로 셉니다.
    """
    points, code = np.unique(raw, return_inverse=True)
    if len(points) < 2 or len(raw) / len(points) < MASS:
        return None
    step = float(np.diff(points).min())
    place = (points - points[0]) / step
    if np.abs(place - place.round()).max() < 1e-6 and place[-1] + 1 <= 3 * len(points):
        grid = points[0] + step * np.arange(int(round(place[-1])) + 1)
        code = place.round().astype(int)[code]
        return grid, np.bincount(code, w, len(grid)).astype(float), code
    return points, np.bincount(code, w).astype(float), code


def mass_point_jump(
    points: np.ndarray, counts: np.ndarray, code: np.ndarray, side: np.ndarray
) -> tuple[float, float | None, float]:
    """눈금마다의 수의 로그가 임곗값에서 뛰는 크기, p값, 표준오차. 눈금이 모자라면 p값은 None이고 표준오차는 무한대입니다.

    연속인 밀도의 시험(McCrary)은 막대 하나에 눈금이 들고 나는 것을 뜀으로 읽습니다. 여기서는 눈금마다의 수를, 이차식(눈금이
    넉넉하면 삼차식)과 임곗값의 뜀을 넣은 포아송 회귀로 맞추고, 수가 포아송보다 더 흩어진 만큼 표준오차를 키웁니다. 양 끝의
    눈금은 반쪽만 담은 것일 수 있어 뺍니다.
    """
    above = code[side].mean() > code[~side].mean()
    first = code[side].min() if above else code[~side].min()
    right = np.arange(len(points)) >= first
    u = points - (points[first] + points[first - 1]) / 2
    inner = np.ones(len(points), dtype=bool)
    inner[[0, -1]] = False
    near = min(np.sort(np.abs(u[m]))[min(9, m.sum() - 1)] for m in (right, ~right))
    spread = np.sqrt(np.average((points - np.average(points, weights=counts)) ** 2, weights=counts))
    keep = inner & (np.abs(u) <= max(near, spread))
    if min((keep & right).sum(), (keep & ~right).sum()) < 3 or keep.sum() < 8:
        return 0.0, None, np.inf
    u, y, jump_at = u[keep] / np.abs(u[keep]).max(), counts[keep], right[keep].astype(float)
    degree = 3 if keep.sum() >= 14 else 2
    Z = np.column_stack([np.ones(len(u)), jump_at, *(u**k for k in range(1, degree + 1))])
    mu = np.maximum(y, 0.5)
    for _ in range(50):
        beta = np.linalg.pinv((Z * mu[:, None]).T @ Z) @ (Z.T @ (mu * np.log(mu) + y - mu))
        new = np.exp(np.clip(Z @ beta, -20, 30))
        if np.abs(new - mu).max() < 1e-8 * max(mu.max(), 1.0):
            break
        mu = new
    df = len(u) - Z.shape[1]
    dispersion = max(float(((y - mu) ** 2 / np.maximum(mu, 1e-9)).sum() / df), 1.0)
    se = np.sqrt(np.linalg.pinv((Z * mu[:, None]).T @ Z)[1, 1] * dispersion)
    value = float(beta[1]) if above else -float(beta[1])
    return value, float(2 * stats.t.sf(abs(value) / max(se, 1e-300), df)), float(se)


# --- 설계 ---


class Discontinuity(Design):
    """임곗값 둘레의 국소 회귀."""

    name = "discontinuity"
    label = "불연속 설계"
    question = "배정변수가 임곗값을 넘는지로 처치가 정해집니까?"
    precedence = 20
    fields = (Running,)
    ignores = {"negative_controls.treatments": NO_NEGATIVE_TREATMENT, "treatment.probability": NO_PROBABILITY}  # noqa: RUF012
    estimands = ("LATE", "ATE")
    reveals = {"density": "배정변수의 밀도", "continuity": "처치 전 변수의 연속"}  # noqa: RUF012
    doubt = (
        "임곗값의 규칙을 누가 정했고 어디에 적혀 있는지 적지 않았습니다(assignment). "
        "대상이 임곗값을 넘으려고 움직였거나 같은 임곗값을 쓰는 다른 일이 있으면 이 뜀은 처치의 효과가 아닙니다."
    )
    strength = "sorting"

    @classmethod
    def applies(cls, spec: Spec, frame: pd.DataFrame | None = None) -> bool:
        return Running.of(spec) is not None

    @classmethod
    def identify(cls, spec: Spec, frame: pd.DataFrame, graph: nx.DiGraph) -> Identification:
        r, t, y = Running.of(spec), spec.treatment.column, spec.outcome.column
        side = frame[r.column] >= r.cutoff if r.above else frame[r.column] < r.cutoff
        fuzzy = bool((side != (frame[t] == spec.treatment.treated)).any())
        on_the_cutoff(spec, frame[r.column].to_numpy(), (frame[t] == spec.treatment.treated).to_numpy(), r.cutoff)
        for name, mask in (("위", frame[r.column] >= r.cutoff), ("아래", frame[r.column] < r.cutoff)):
            if mask.sum() < SMALLEST_ARM:
                raise spec.error(
                    DataError, "too_few_at_cutoff", "running.cutoff",
                    f"임곗값 {r.cutoff} {name}쪽에 대상이 {int(mask.sum())}개뿐입니다. 양쪽에 {SMALLEST_ARM}개 이상이 필요합니다.",
                    "running.cutoff가 자료의 단위와 맞는지 확인하거나 임곗값 둘레의 자료를 더 모으세요.",
                )  # fmt: skip
        if fuzzy:
            moves_at(spec, frame[r.column].to_numpy(), (frame[t] == spec.treatment.treated).to_numpy(), r.cutoff)
        notes = ["효과는 임곗값 둘레의 것입니다. 임곗값에서 먼 대상에 옮겨 쓰려면 따로 가정이 필요합니다."]
        if fuzzy:
            notes.append(
                "임곗값과 처치가 어긋난 대상이 있어 퍼지 설계로 다룹니다: 결과의 뜀을 처치율의 뜀으로 나눕니다."
            )
        covariates = precision_covariates(spec, graph)
        if covariates:
            notes.append(
                f"{names(map(spec.label, covariates), 8)}은(는) 보정하지 않고, 임곗값에서 뛰지 않는지 보는 데에 씁니다."
            )
        if spec.estimand != "LATE":
            notes.append(f"불연속 설계는 {spec.estimand}가 아니라 임곗값의 국소 효과 LATE를 식별합니다.")
        jumps = [
            rf"\lim_{{x\downarrow {r.cutoff}}}E[{tex(v)}\mid x]-\lim_{{x\uparrow {r.cutoff}}}E[{tex(v)}\mid x]"
            for v in (y, t)
        ]
        who = "처치가 임곗값을 따라 바뀌는 대상 가운데 " if fuzzy else ""
        return Identification(
            design=cls.name,
            estimand="LATE",
            adjustment=(),
            sentence=f"'{spec.label(r.column)}'의 임곗값 {r.cutoff} 둘레에 있는 {who}대상에서, {contrast(spec)} {result(spec)}.",
            formula=rf"\frac{{{jumps[0]}}}{{{jumps[1]}}}" if fuzzy else jumps[0],
            notes=tuple(notes),
            whom="임곗값 언저리의 대상",
        )

    @cached_property
    def fit(self) -> Fit:
        """배정변수를 맞추고 띠너비를 고릅니다."""
        r, t, spec = Running.of(self.spec), self.spec.treatment, self.spec
        rows = self.frame.dropna(subset=[r.column, t.column, spec.outcome.column])
        x, side = centred_running(rows[r.column], r.cutoff, r.above)
        y = rows[spec.outcome.column].to_numpy(dtype=float)
        d = (rows[t.column] == t.treated).to_numpy(dtype=float)
        fuzzy = bool((d.astype(bool) != side).any())
        w = row_weights(spec, rows)
        raw, h = rows[r.column].to_numpy(dtype=float), bandwidth(x, y, w)
        return Fit(rows, x, raw, y, d, side, fuzzy, h, cluster_codes(spec, rows), w)

    def known_assignment(self) -> str | None:
        rule, r = self.spec.assignment, Running.of(self.spec)
        if rule is None or self.fit.fuzzy:
            return None
        return (
            f"배정을 압니다. '{self.spec.label(r.column)}'의 임곗값 {r.cutoff:g}에서 처치가 갈리고, 규칙은 '{rule.rule}'이며 {rule.source}에 있습니다. "
            "같은 임곗값을 쓰는 다른 일이 없다는 것은 이 문서에 기댑니다."
        )

    def doubts(self, sensitivities: Sequence[Sensitivity]) -> str:
        if not self.fit.fuzzy:
            return super().doubts(sensitivities)
        how = next((s.message for s in sensitivities if s.name == self.strength), "")
        said = "임곗값을 넘고도 처치받지 않은 대상이 있어, 임곗값이 처치를 거치지 않고 결과에 닿지 않는다는 배제가 가정으로 남습니다."
        return f"{said} {how}".strip()

    def _effect(
        self, h: float, degree: int, keep: np.ndarray | None = None, kernel: str = "triangular"
    ) -> tuple[float, float, np.ndarray]:
        """띠너비 ``h``, ``degree``차의 (효과, 표준오차, 영향함수)."""
        f = self.fit
        x, y, d, clusters, w = f.x, f.y, f.d, f.clusters, f.w
        if keep is not None:
            x, y, d, clusters, w = x[keep], y[keep], d[keep], subset_clusters(clusters, keep), w[keep]
        if f.fuzzy:
            if jump(x, d, h, degree, clusters, kernel, w)[0] == 0:
                r = Running.of(self.spec)
                raise without_jump(self.spec, f.x + r.cutoff, f.d == 1, r.cutoff, f"둘레(띠너비 {number(h)})")
            return fuzzy_ratio(x, y, d, h, degree, clusters, kernel, w)
        return jump(x, y, h, degree, clusters, kernel, w)

    # --- 점검 ---

    def check(self) -> list[Check]:
        """양쪽의 수, 처치율의 뜀, 배정변수의 밀도, 처치 전 변수의 연속, 그래프의 독립."""
        return [
            *self._size(),
            *self._first_stage(),
            self._density(),
            *self._continuity(),
            *checks.cluster_count(self.spec, self.fit.clusters),
            *checks.graph_independences(self.spec, self.frame),
        ]

    def _size(self) -> list[Check]:
        f = self.fit
        near = ((f.x >= 0) & (f.x <= f.h), (f.x < 0) & (f.x >= -f.h))
        counts = [int(kish(f.w[m]) + 0.5) if m.any() else 0 for m in near]  # 가중치가 고르면 그냥 수입니다
        message = f"띠너비 {number(f.h)} 안에 처치 쪽 {counts[0]:,}개, 반대쪽 {counts[1]:,}개가 있습니다."
        found = [
            graded(
                "effective_sample", "띠 안의 대상", message, min(counts), ladder(min(counts), FEW, TOO_FEW), float(FEW)
            )
        ]
        points = len(np.unique(f.x[np.abs(f.x) <= f.h]))
        if points < FEW_POINTS or support_points(f.raw) is not None:
            message = f"배정변수가 눈금을 따라 끊겨 있고 띠 안의 값은 {points}가지입니다."
            if points < FEW_POINTS:
                message += " 임곗값으로 다가간다는 말이 눈금 한 칸의 직선에 기댑니다."
            found.append(
                graded(
                    "mass_points",
                    "배정변수의 눈금",
                    message,
                    points,
                    ladder(points, FEW_POINTS, TOO_FEW_POINTS),
                    float(FEW_POINTS),
                )
            )
        return found

    def _first_stage(self) -> list[Check]:
        f = self.fit
        if not f.fuzzy:
            return []
        value, se, _ = jump(f.x, f.d, f.h, 1, f.clusters, w=f.w)
        F = (value / max(se, 1e-12)) ** 2
        tails = {"fail": " 뜀이 작아 나눈 값을 믿을 수 없습니다."}
        message = f"임곗값에서 처치율이 {number(value, digits=2)}만큼 뜁니다(F={F:.1f})."
        return [graded("first_stage", "처치율의 뜀", message, F, ladder(F, STRONG_F, WEAK_F), WEAK_F, tails)]

    def _density(self) -> Check:
        f = self.fit
        found = support_points(f.raw, f.w)
        if found is not None:
            value, p, se = mass_point_jump(*found, f.side)  # 가중치로 더 흩어진 것은 과산포로 셉니다
            p = 1.0 if p is None else p
        else:
            value, se = density_jump(f.x, f.w)
            p = two_sided(value / se) if np.isfinite(se) else 1.0
        status = ladder(p, WARN_LEVEL, FAIL_LEVEL) if np.isfinite(se) else "unshown"
        tails = {"fail": " 대상이 임곗값을 넘으려고 배정변수를 움직였을 수 있습니다."}
        how = "값마다의 수로 보면 " if found is not None else ""
        message = (
            f"{how}임곗값에서 밀도가 {np.exp(value):.2f}배로 뜁니다(p={p:.3f})."
            if np.isfinite(se)
            else "값의 가짓수가 적어 임곗값에서 밀도가 뛰는지 볼 수 없습니다."
        )
        check = graded("density", "배정변수의 밀도", message, p, status, FAIL_LEVEL, tails)
        if not np.isfinite(se):
            return check
        bias, near = checks.relevant_bias(self.primary), np.abs(f.x) <= f.h
        moved = min(bias / max(f.y[near].std(), 1e-300), 0.95)
        shift = float(np.log((1 + moved) / (1 - moved))) / max(se, 1e-300)
        how = "결과가 표준편차 하나만큼 다른 대상이 한쪽으로 넘어왔다면. 자리를 맞바꾼 것은 밀도로 볼 수 없습니다"
        return checks.powered(check, bias, checks.normal_power(shift, WARN_LEVEL), how)

    def _predetermined(self) -> list[str]:
        """임곗값에서 뛰면 안 되는 변수들: 보정할 변수, 처치 전이라고 적은 것, 음성 대조군."""
        spec = self.spec
        before = [c for c, when in sorted(spec.timing.items()) if when == "before"]
        skip = {Running.of(spec).column, spec.treatment.column, spec.outcome.column, spec.unit}
        found = dict.fromkeys(
            [*precision_covariates(spec, causal_graph(spec)), *spec.modifiers, *before, *spec.negative_outcomes]
        )
        return [c for c in found if c not in skip and c in self.fit.frame.columns]

    def _continuity(self) -> list[Check]:
        """처치 전 변수와 음성 대조군이 임곗값에서 뛰는지."""
        f, results = self.fit, []
        X = learners.design_matrix(self.spec, f.frame, self._predetermined())
        for name in X.columns:
            v = X[name].to_numpy()
            h = bandwidth(f.x, v, f.w)
            value, se, influence = jump(f.x, v, h, 2, f.clusters, w=f.w)
            outcome = jump(f.x, f.y, h, 2, w=f.w)[2]
            results.append((str(name), value, se, checks.follows(influence, outcome, f.clusters)))
        if not results:
            message = "처치 전 변수를 하나도 적지 않아, 대상이 자리를 바꾸었는지 볼 수 없습니다."
            return [unseen("continuity", "처치 전 변수의 연속", message)]
        p = holm([two_sided(v / max(e, 1e-300)) for _, v, e, _ in results])
        worst = int(np.argmin(p))
        name, value, se, _ = results[worst]
        message = (
            f"처치가 바꿀 수 없는 변수 {len(results)}개 가운데 임곗값에서 가장 뛰는 것은 '{self.spec.readable(name)}'"
            f"({number(value)}, 표준오차 {number(se)}, Holm p={p[worst]:.3f})입니다."
        )
        check = graded(
            "continuity",
            "처치 전 변수의 연속",
            message,
            p[worst],
            ladder(p[worst], WARN_LEVEL, FAIL_LEVEL),
            FAIL_LEVEL,
        )
        bias, level = checks.relevant_bias(self.primary), WARN_LEVEL / len(results)
        noticed = max(checks.normal_power(bias * slope / max(e, 1e-300), level) for _, _, e, slope in results)
        how = "대상이 결과의 높낮이에 따라 자리를 바꾸었다면. 이 변수들과 이어지지 않은 것은 볼 수 없습니다"
        return [checks.powered(check, bias, noticed, how)]

    # --- 추정 ---

    @cached_property
    def estimates(self) -> list[Estimate]:
        """치우침을 고친 국소 회귀(주된 추정), 국소 선형, 좁은 띠의 국소 선형, 고른 가중의 국소 선형, 단순 비교."""
        f = self.fit
        labels = {
            "robust": ("치우침을 고친 국소 회귀", "임곗값 둘레의 대상이 적어 이차식이 흔들릴 때"),
            "local_linear": ("국소 선형회귀", "띠 안에서 관계가 굽어 있을 때"),
            "narrow": ("절반 띠의 국소 선형회귀", "띠 안의 대상이 적을 때"),
            "uniform": ("가중하지 않은 국소 이차회귀", "임곗값에서 먼 대상이 다르게 움직일 때"),
        }
        inside, out = int((np.abs(f.x) <= f.h).sum()), []
        for method, (value, se, _) in self._fits.items():
            half = critical_value(len(f.x), f.clusters) * se
            out.append(
                Estimate(
                    method,
                    labels[method][0],
                    value,
                    value - half,
                    value + half,
                    se,
                    inside,
                    labels[method][1],
                    method == "robust",
                    "LATE",
                )
            )
        beta, covariance, _ = least_squares(np.column_stack([np.ones(len(f.y)), f.side]), f.y, f.clusters, f.w)
        value, se = float(beta[1]), float(np.sqrt(covariance[1, 1]))
        half = critical_value(len(f.x), f.clusters) * se
        naive = Estimate(
            "naive",
            "임곗값 위와 아래의 평균 차이",
            value,
            value - half,
            value + half,
            se,
            len(f.x),
            "배정변수 자체가 결과를 움직일 때",
        )
        return [*out, naive]

    @cached_property
    def _fits(self) -> dict[str, tuple[float, float, np.ndarray]]:
        h = self.fit.h
        return {
            "robust": self._effect(h, 2),
            "local_linear": self._effect(h, 1),
            "narrow": self._effect(h / 2, 1),
            "uniform": self._effect(h, 2, kernel="uniform"),
        }

    # --- 흔들어 보기 ---

    def stress(self) -> tuple[list[Check], list[Sensitivity]]:
        """추정량끼리의 견줌, 가짜 임곗값, 띠너비와 도넛."""
        base = self._fits["robust"][2]
        apart = {
            method: self._summed_se(influence - base)
            for method, (_, _, influence) in self._fits.items()
            if method != "robust"
        }
        sweep_check, sweep = self._bandwidths()
        donut_check, donut = self._donut()
        agreement = checks.agreement(self.estimates, apart)
        return [agreement, self._placebo_cutoffs(), sweep_check, donut_check], [self._sorting(), sweep, donut]

    def _sorting(self) -> Sensitivity:
        """임곗값을 넘어온 대상이 얼마나 많아야 구간이 0을 품는지."""
        f, main = self.fit, self.primary
        spread = max(float(f.y[np.abs(f.x) <= f.h].std()), 1e-300)
        left = max(0.0, abs(main.value) - (main.high - main.low) / 2)
        crossed = abs(jump(f.x, f.d, f.h, 2, w=f.w)[0]) if f.fuzzy else 1.0
        needed = left * crossed / spread
        message = (
            f"임곗값이 처치를 거치지 않고 결과를 {number(left * crossed)}만큼 움직이면 95% 구간이 0을 품습니다. "
            f"처치 쪽 대상의 {percent(min(needed, 1.0))}가 결과가 표준편차 하나만큼 다른 채로 넘어왔을 때의 크기입니다."
        )
        return Sensitivity("sorting", "자리를 옮긴 대상의 몫", float(needed), message)

    def _summed_se(self, influence: np.ndarray) -> float:
        """합이 오차인 영향함수의 표준오차."""
        clusters = self.fit.clusters
        total = influence if clusters is None else np.bincount(clusters, weights=influence)
        return float(np.sqrt((total**2).sum()))

    def _placebo_cutoffs(self) -> Check:
        """임곗값이 아닌 자리(양쪽의 사분위)에서 뛰는지. 한쪽의 대상만 써서 진짜 뜀이 섞이지 않습니다."""
        f, tested, errors = self.fit, [], []
        for mask in (f.x >= 0, f.x < 0):
            for q in (0.3, 0.5, 0.7):
                x, y = f.x[mask] - float(np.quantile(f.x[mask], q)), f.y[mask]
                if min((x >= 0).sum(), (x < 0).sum()) < 40:
                    continue
                w = f.w[mask]
                value, se, _ = jump(x, y, bandwidth(x, y, w), 2, subset_clusters(f.clusters, mask), w=w)
                errors.append(max(se, 1e-300))
                tested.append(two_sided(value / errors[-1]))
        if not tested:
            return unseen("placebo", "가짜 임곗값", "대상이 적어 가짜 임곗값을 볼 수 없습니다.")
        p = min(holm(tested))
        message = f"임곗값이 아닌 {len(tested)}곳에서 뜀을 보았고, 가장 작은 Holm p값은 {p:.3f}입니다."
        tails = {"warn": " 국소 회귀가 굽은 관계를 뜀으로 읽고 있을 수 있습니다."}
        check = graded("placebo", "가짜 임곗값", message, p, "warn" if p < FAIL_LEVEL else "ok", FAIL_LEVEL, tails)
        bias, rise = checks.relevant_bias(self.primary), abs(jump(f.x, f.d, f.h, 2, w=f.w)[0]) if f.fuzzy else 1.0
        noticed = np.mean([checks.normal_power(bias * rise / se, FAIL_LEVEL / len(errors)) for se in errors])
        how = "국소 회귀가 굽은 관계를 그만큼의 뜀으로 읽었고, 그런 굽음이 이 자리 가운데 한 곳에도 있다면"
        return checks.powered(check, bias, float(noticed), how)

    def _bandwidths(self) -> tuple[Check, Sensitivity]:
        """띠너비를 바꾸어도 같은지. 국소 이차식의 치우침은 띠너비의 세제곱에 비례하므로, 좁은 띠와 넓은 띠가 갈리는 크기에서 힘을 셉니다."""
        f, main, base = self.fit, self.primary, self._fits["robust"][2]
        values, moved, gaps, edges, shift = {}, 0.0, [], [], []
        for factor in SWEEP:
            h = min(f.h * factor, np.abs(f.x).max())
            if min(((f.x >= 0) & (f.x <= h)).sum(), ((f.x < 0) & (f.x >= -h)).sum()) < TOO_FEW:
                continue
            value, _, influence = self._effect(h, 2)
            values[f"{factor:g}배"] = value
            if factor != 1.0:
                apart = max(self._summed_se(influence - base), 0.5 * main.se, 1e-300)
                moved = max(moved, abs(value - main.value) / apart)
                gaps.append(influence - base)
                edges.append(DISAGREE_Z * apart)
                shift.append((h / f.h) ** 3 - 1)
        listed = ", ".join(f"{k} {number(v)}" for k, v in values.items())
        message = f"띠너비를 바꾸면 {listed}입니다(가장 큰 차이 z={moved:.1f})."
        check = flagged("bandwidth", "띠너비", message, moved, moved > DISAGREE_Z, DISAGREE_Z)
        sweep = Sensitivity("bandwidth", "띠너비에 따른 움직임", moved, message, values)
        bias, covariance = checks.relevant_bias(main), checks.summed_covariance(np.column_stack(gaps), f.clusters)
        noticed = checks.joint_power(bias * np.array(shift), covariance, lambda m: (np.abs(m) > edges).any(axis=1))
        how = "결과가 배정변수의 세제곱으로 굽어 국소 회귀가 그만큼 치우쳤다면"
        return checks.powered(check, bias, noticed, how), sweep

    def _donut(self) -> tuple[Check, Sensitivity]:
        """임곗값에 바짝 붙은 대상을 빼도 같은지."""
        f, main, values, moved, gaps, edges = self.fit, self.primary, {}, 0.0, [], []
        for share in DONUT:
            keep = np.abs(f.x) > share * f.h
            value, se, influence = self._effect(f.h, 2, keep=keep)
            values[f"{share:.0%}"] = value
            apart = max(np.sqrt(abs(se**2 - main.se**2)), 0.5 * main.se, 1e-300)
            moved = max(moved, abs(value - main.value) / apart)
            gaps.append(-self._fits["robust"][2])
            gaps[-1][keep] += influence
            edges.append(DISAGREE_Z * apart)
        listed = ", ".join(f"{k}까지 빼면 {number(v)}" for k, v in values.items())
        message = f"임곗값에 붙은 대상을 띠너비의 {listed}입니다(가장 큰 차이 z={moved:.1f})."
        check = flagged("donut", "도넛", message, moved, moved > DISAGREE_Z, DISAGREE_Z)
        bias, covariance = checks.relevant_bias(main), checks.summed_covariance(np.column_stack(gaps), f.clusters)
        noticed = checks.joint_power([-bias] * len(gaps), covariance, lambda m: (np.abs(m) > edges).any(axis=1))
        how = f"임곗값에서 띠너비의 {DONUT[0]:.0%} 안에 있는 대상들 때문에 그만큼 치우쳤다면"
        return (
            checks.powered(check, bias, noticed, how),
            Sensitivity("donut", "도넛에 따른 움직임", moved, message, values),
        )

    # --- 그림과 재현 ---

    def pictures(self) -> list[Picture]:
        """배정변수를 따라 묶은 평균과 국소 회귀선."""
        f, r = self.fit, Running.of(self.spec)
        sign = 1.0 if r.above else -1.0
        span = min(3 * f.h, np.abs(f.x).max())
        inside = np.abs(f.x) <= span
        place = np.digitize(f.x[inside], np.linspace(-span, span, 41))
        groups = [place == k for k in np.unique(place)]
        lines = {}
        for name, mask in (("right", (f.x >= 0) & (f.x <= f.h)), ("left", (f.x < 0) & (f.x >= -f.h))):
            w = 1 - np.abs(f.x[mask]) / f.h
            beta = np.polyfit(f.x[mask], f.y[mask], 1, w=np.sqrt(np.maximum(f.w[mask] * w, 1e-9)))
            grid = np.linspace(0, f.h, 20) * (1 if name == "right" else -1)
            lines[name] = ((sign * grid + r.cutoff).tolist(), np.polyval(beta, grid).tolist())
        if sign < 0:
            lines = {"left": lines["right"], "right": lines["left"]}
        data = {
            "x": [float(sign * np.average(f.x[inside][k], weights=f.w[inside][k]) + r.cutoff) for k in groups],
            "y": [float(np.average(f.y[inside][k], weights=f.w[inside][k])) for k in groups],
            "cutoff": r.cutoff,
            "x_label": self.spec.label(r.column),
            "y_label": self.spec.label(self.spec.outcome.column),
        }
        for side in ("left", "right"):
            data[f"fit_x_{side}"], data[f"fit_y_{side}"] = lines[side]
        alt = "가로축은 배정변수, 세로축은 결과. 점은 구간마다의 평균이고 선은 띠 안의 국소 선형회귀입니다."
        return [Picture("running", "임곗값 둘레의 결과", alt, data)]

    def steps(self) -> list[Step]:
        """같은 함수로 같은 값을, statsmodels의 가중 회귀로 국소 선형의 뜀을 냅니다."""
        f, r, t, y = self.fit, Running.of(self.spec), self.spec.treatment, self.spec.outcome.column
        groups = (
            f"pd.factorize(frame[{cluster_column(self.spec)!r}], sort=True)[0]" if f.clusters is not None else "None"
        )
        w, with_w = weighting.code(self.spec), weighting.argument(self.spec)
        call = f"fuzzy_ratio(x, y, d, h, 2, groups{with_w})" if f.fuzzy else f"jump(x, y, h, 2, groups{with_w})"
        functions = [bandwidth, jump, *([fuzzy_ratio] if f.fuzzy else []), critical_value]
        return [
            Step(
                "배정변수에서 임곗값을 빼고, 처치 쪽이 오른쪽에 오게 합니다.",
                f"{IMPORTS}\n\n{source(centred_running)}\n\nframe = frame.dropna(subset=[{r.column!r}, {t.column!r}, {y!r}])\n"
                f"x, side = centred_running(frame[{r.column!r}], {r.cutoff!r}, {r.above!r})\ny = frame[{y!r}].to_numpy(dtype=float)\n"
                f"d = (frame[{t.column!r}] == {t.treated!r}).to_numpy(dtype=float)\n{w}groups = {groups}",
            ),
            Step(
                "국소 선형회귀의 띠너비에서 이차식을 맞춥니다. 치우침을 고친 국소 회귀의 가장 단순한 꼴입니다.",
                f"{source(*functions)}\n\nh = bandwidth(x, y{with_w})\nvalue, se, _ = {call}\nhalf = critical_value(len(x), groups) * se\n"
                'reproduced["robust"] = {"value": value, "low": value - half, "high": value + half}\nreproduced["robust"]',
            ),
            Step(
                "statsmodels의 가중 최소제곱으로 국소 선형의 뜀을 확인합니다.",
                f"import statsmodels.api as sm\n\nkernel = {'w * ' if with_w else ''}np.clip(1 - np.abs(x) / h, 0, None)\nright = (x >= 0).astype(float)\n"
                "Z = sm.add_constant(np.column_stack([right, x, right * x]))\nprint(sm.WLS(y, Z, weights=kernel).fit(cov_type='HC1').summary().tables[1])",
            ),
        ]
