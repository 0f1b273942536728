"""도구변수: 처치를 밀어 주기만 하는 변수로 순응자의 효과(LATE)를 잽니다."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import networkx as nx
import numpy as np
import pandas as pd
from scipy import stats

from causal_pipeline import checks, learners, placebos, weighting
from causal_pipeline.checks import FAIL_LEVEL, WARN_LEVEL, graded, ladder
from causal_pipeline.designs.base import NO_PROBABILITY, Design
from causal_pipeline.errors import DataError, Refusal, SpecError
from causal_pipeline.graphs import observed, open_path, precision_covariates
from causal_pipeline.identification import contrast, result, tex
from causal_pipeline.inference import (
    as_float,
    cluster_codes,
    cluster_column,
    estimate_from,
    fold_groups,
    for_learning,
    holm,
    row_weights,
    subset_clusters,
)
from causal_pipeline.instruments import (
    anderson_rubin,
    anderson_rubin_set,
    cluster_sums,
    effective_f,
    hansen_j,
    limited_information,
    linear_residual,
    moment_error,
    ratio_scores,
    small_sample,
    two_stage,
    two_stage_many,
)
from causal_pipeline.model import Check, Estimate, Field, Identification, Role, Sensitivity, Spec, Step
from causal_pipeline.shown import (
    IMPORTS,
    INTERVAL,
    covariate_matrix,
    cross_fit,
    fold_numbers,
    source,
    standard_error,
)
from causal_pipeline.values import require_numeric
from causal_pipeline.wording import josa, names, number

# 첫 단계의 강건 F. 10보다 작으면 2단계 최소제곱의 중심과 구간을 둘 다 믿을 수 없고,
# 104.7보다 작으면 보통의 구간이 5%보다 자주 빗나갑니다(Lee 외, 2022). 앤더슨-루빈 구간은 F와 상관없이 맞습니다.
WEAK_F, STRONG_F = 10.0, 104.7
# 도구가 여럿일 때: 유효 F가 '치우침이 최악의 30%를 넘는다'도 기각하지 못하면 추정값의 중심도 믿을 수 없습니다.
WORST_FAIL = 0.3
# 공변량을 뺀 도구의 분산의 몫. 이보다 작으면 도구가 공변량과 거의 같이 움직입니다.
LEFT_WARN, LEFT_FAIL = 0.1, 0.02
PLACEBOS = 200


@dataclass(frozen=True)
class Instrument(Field):
    """도구변수의 열(하나이거나 여럿). 값이 둘이면 0과 1로 바꿉니다."""

    key: ClassVar[str] = "instrument"
    about: ClassVar[str] = "처치를 밀어 주기만 하는 변수(도구변수)의 열이나 열의 목록"
    not_randomized: ClassVar[str] = (
        "무작위로 정한 것이 도구변수(안내 메일, 추첨)이고 처치는 대상이 골랐으면 randomized를 지우세요. 처치 자체를 무작위로 정했으면 instrument를 지우세요."
    )
    absorbs: ClassVar[str] = "도구변수는 보정하지 않습니다."
    schema: ClassVar[dict[str, Any]] = {
        "description": "처치를 밀어 주기만 하는 변수의 열. 여럿이면 목록",
        "type": ["string", "array"],
        "minLength": 1,
        "maxLength": 200,
        "minItems": 1,
        "uniqueItems": True,
        "items": {"$ref": "#/$defs/column"},
    }

    columns: tuple[str, ...]

    @classmethod
    def build(cls, value: Any) -> "Instrument":
        return cls((value,) if isinstance(value, str) else tuple(value))

    def written(self) -> Any:
        return self.columns[0] if len(self.columns) == 1 else list(self.columns)

    def roles(self) -> tuple[Role, ...]:
        return tuple(Role("instrument", column, "도구변수", True) for column in self.columns)

    def edges(self, spec: Spec) -> tuple[tuple[str, str], ...]:
        pushes = tuple((column, spec.treatment.column) for column in self.columns)
        return pushes + tuple((name, column) for name in spec.confounders for column in self.columns)

    def validate(self, spec: Spec) -> None:
        for column in self.columns:
            if column in spec.confounders:
                raise spec.error(
                    SpecError, "instrument_is_confounder", "instrument", f"도구변수 '{column}'이(가) 교란 요인에도 있습니다.",
                    "도구변수는 보정하지 않습니다. confounders에서 빼세요.", item=column,
                )  # fmt: skip

    def encode(self, spec: Spec, frame: pd.DataFrame) -> list[str]:
        for column in self.columns:
            values = frame[column]
            if values.nunique() == 1:
                raise spec.error(
                    DataError, "instrument_constant", "instrument", f"도구변수 '{column}'의 값이 모두 '{values.iloc[0]}'입니다.",
                    "값이 갈리는 도구변수를 적으세요.", item=column,
                )  # fmt: skip
            if (pd.factorize(values)[0] == pd.factorize(frame[spec.treatment.column])[0]).all():
                raise spec.error(
                    DataError, "instrument_is_treatment", "instrument", f"도구변수 '{column}'이(가) 처치 '{spec.treatment.column}'과(와) 똑같이 움직입니다.",
                    "도구변수에는 배정이나 권유를, 처치에는 실제로 받은 것을 적습니다. 모두가 배정을 따랐으면 instrument를 지우고, 배정이 무작위였을 때에만 treatment에 `randomized: true`를 적으세요.",
                    item=column,
                )  # fmt: skip
            if values.nunique() == 2:
                frame[column] = two_values(values)
            require_numeric(spec, frame, column, "도구변수")
        return []

    def encoding_code(self, spec: Spec) -> list[str]:
        return [
            source(two_values),
            f"for column in {list(self.columns)!r}:",
            "    if frame[column].nunique() == 2:",
            "        frame[column] = two_values(frame[column])",
        ]


def two_values(values: pd.Series) -> pd.Series:
    """값이 둘인 열을 0과 1로. 1은 차례가 뒤인 값입니다."""
    return (values == sorted(values.unique())[1]).astype("int64")


@dataclass
class Fit:
    """``y``, ``d``, ``z``는 결과, 처치(이진이면 0/1, 연속이면 원래 값), 도구이고 ``ry``, ``rd``, ``rz``는 공변량을 선형으로 뺀 잔차에
    표본 가중치 ``w``(평균 1)의 제곱근을 곱한 것입니다. 도구가 여럿이면 ``Z``와 ``RZ``(n, m)가 그것들이고, ``z``와 ``rz``는 첫 단계의
    계수로 하나로 모은 것입니다.

    ``delta``는 견주는 두 처치의 차이, ``k``는 추정한 계수의 수입니다.
    """

    frame: pd.DataFrame
    X: pd.DataFrame
    y: np.ndarray
    d: np.ndarray
    z: np.ndarray
    delta: float
    clusters: np.ndarray | None
    fold: np.ndarray
    ry: np.ndarray
    rd: np.ndarray
    rz: np.ndarray
    k: int
    w: np.ndarray
    Z: np.ndarray
    RZ: np.ndarray

    @property
    def binary(self) -> bool:
        """도구가 하나이고 0과 1뿐이면 참."""
        return not self.several and set(np.unique(self.z)) == {0.0, 1.0}

    @property
    def arms(self) -> np.ndarray | None:
        """행마다의 도구의 값. 둘로 갈리지 않으면 None."""
        return self.z if self.binary else None

    @property
    def several(self) -> bool:
        """도구가 여럿이면 참."""
        return self.Z.shape[1] > 1


# --- 설계 ---


class InstrumentalVariable(Design):
    """도구변수의 2단계 최소제곱."""

    name = "instrument"
    label = "도구변수"
    question = "처치를 밀어 주는 도구변수가 있습니까?"
    precedence = 30
    fields = (Instrument,)
    estimands = ("LATE", "ATE", "ATT", "ITT")
    reveals = {"negative_control": "음성 대조군"}  # noqa: RUF012
    doubt = (
        "도구(안내 메일, 추첨)를 무작위로 정했더라도, 도구가 처치를 거치지 않고 결과에 닿지 않는다는 배제는 가정으로 남습니다. "
        "배정 자체의 효과는 도구를 처치로 적고 ITT를 물으면 이 가정 없이 답합니다."
    )
    strength = "exclusion"
    ignores = {"treatment.probability": NO_PROBABILITY}  # noqa: RUF012

    @classmethod
    def applies(cls, spec: Spec, frame: pd.DataFrame | None = None) -> bool:
        return Instrument.of(spec) is not None

    @classmethod
    def identify(cls, spec: Spec, frame: pd.DataFrame, graph: nx.DiGraph) -> Identification:
        zs, t, y = Instrument.of(spec).columns, spec.treatment.column, spec.outcome.column
        covariates = cls._separating(spec, graph) if spec.edges else precision_covariates(spec, graph)
        notes = []
        if spec.estimand != "LATE":
            notes.append(
                f"도구변수는 {spec.estimand}가 아니라 도구에 따라 처치를 바꾼 대상(순응자)의 효과 LATE를 식별합니다. 추정 대상을 LATE로 적습니다."
            )
        notes.append(
            "그래프로도 자료로도 확인하지 못하는 가정: 배제(도구는 처치를 거쳐서만 결과에 닿음)와 단조성(도구에 거꾸로 움직이는 대상이 없음)."
        )
        if len(zs) > 1:
            notes.append(
                f"도구가 {len(zs)}개라 효과는 도구마다의 순응자의 효과를 첫 단계의 힘으로 가중해 모은 것입니다. 대상마다 효과가 다르면 "
                "도구마다의 답도 다를 수 있고, 어느 도구도 대상을 거꾸로 밀지 않아야 가중치가 음수가 되지 않습니다."
            )
        said = names(map(spec.label, zs))
        given = rf" \mid {', '.join(map(tex, covariates))}" if covariates else ""
        pushed = tex(zs[0]) if len(zs) == 1 else rf"E[{tex(t)} \mid {', '.join(map(tex, zs))}]"
        return Identification(
            design=cls.name,
            estimand="LATE",
            adjustment=covariates,
            sentence=f"{said}에 따라 처치를 바꾸는 대상(순응자)에서, {contrast(spec)} {result(spec)}.",
            formula=rf"\mathrm{{Cov}}({tex(y)}, {pushed}{given}) \,/\, \mathrm{{Cov}}({tex(t)}, {pushed}{given})",
            notes=tuple(notes),
            whom=f"{said}에 따라 처치가 바뀌는 대상(순응자)",
        )

    @staticmethod
    def _separating(spec: Spec, graph: nx.DiGraph) -> tuple[str, ...]:
        """처치에서 나가는 화살표를 지운 그래프에서 도구와 결과를 가르는 변수들."""
        zs, t, y = Instrument.of(spec).columns, spec.treatment.column, spec.outcome.column
        for z in zs:
            if z not in graph or t not in nx.descendants(graph, z):
                raise spec.error(
                    Refusal, "instrument_without_path", "instrument", f"그래프에는 도구변수 {z}에서 처치 {josa(t, '으로/로')} 가는 길이 없습니다.",
                    f"edges에 {z} → {josa(t, '을/를')} 적거나, 처치를 실제로 움직이는 변수를 instrument에 적으세요.", item=z,
                )  # fmt: skip
        cut = graph.copy()
        cut.remove_edges_from(list(graph.out_edges(t)))
        covariates = precision_covariates(spec, graph)
        after = set(zs) | {y, t} | nx.descendants(graph, t) | {n for z in zs for n in nx.descendants(graph, z)}
        above = nx.ancestors(cut, y) | {n for z in zs for n in nx.ancestors(cut, z)}
        pool = tuple(n for n in observed(spec, cut) if n not in after and n in above)
        for candidate in (covariates, pool):
            if not set(candidate) & after and nx.is_d_separator(cut, set(zs), {y}, set(candidate) & set(cut)):
                return candidate
        z = next((z for z in zs if not nx.is_d_separator(cut, {z}, {y}, set(covariates) & set(cut) - {z})), zs[0])
        path = open_path(cut, z, y, covariates, backdoor=False)
        raise spec.error(
            Refusal, "invalid_instrument", "instrument",
            f"도구변수 {josa(z, '이/가')} 처치를 거치지 않고 결과에 닿습니다: {path}. 도구변수의 조건(배제)이 그래프에서 깨집니다.",
            "그 길의 변수를 재어 보정하거나, 결과에 닿는 길이 처치뿐인 도구변수를 찾으세요.", item=z,
        )  # fmt: skip

    @cached_property
    def fit(self) -> Fit:
        """행을 고르고 공변량을 선형으로 뺍니다."""
        spec, t, instruments = self.spec, self.spec.treatment, Instrument.of(self.spec).columns
        rows = self.frame.dropna(subset=[t.column, spec.outcome.column, *instruments])
        if t.kind != "continuous":
            rows = rows[rows[t.column].isin([t.control, t.treated])]
        X = learners.design_matrix(spec, rows, self.ident.adjustment)
        y = rows[spec.outcome.column].to_numpy(dtype=float)
        d = (
            rows[t.column].to_numpy(dtype=float)
            if t.kind == "continuous"
            else (rows[t.column] == t.treated).to_numpy(dtype=float)
        )
        Z = np.column_stack([as_float(rows, column) for column in instruments])
        clusters = cluster_codes(spec, rows)
        w = row_weights(spec, rows)
        ry, rd, *RZ = (linear_residual(v, X.to_numpy(), w) for v in (y, d, *Z.T))
        RZ = np.column_stack(RZ)
        self._enough(RZ, clusters)
        pushes = np.linalg.solve(RZ.T @ RZ, RZ.T @ rd) if Z.shape[1] > 1 else np.ones(1)
        z, rz = Z @ pushes, RZ @ pushes
        delta = float(t.treated - t.control) if t.kind == "continuous" else 1.0
        return Fit(
            rows,
            X,
            y,
            d,
            z,
            delta,
            clusters,
            fold_numbers(z, spec.seed, fold_groups(spec, clusters, self.ident.adjustment)),
            ry,
            rd,
            rz,
            X.shape[1] + 2,
            w,
            Z,
            RZ,
        )

    def _enough(self, RZ: np.ndarray, clusters: np.ndarray | None) -> None:
        """도구가 여럿이면 서로 겹치지 않고, 대상(군집)보다 훨씬 적은지."""
        spec, m = self.spec, RZ.shape[1]
        units = len(RZ) if clusters is None else int(clusters.max()) + 1
        if m > 1 and np.linalg.matrix_rank(RZ / np.maximum(np.linalg.norm(RZ, axis=0), 1e-300)) < m:
            raise spec.error(
                DataError, "instruments_collinear", "instrument", "도구변수 가운데 하나가 나머지와 공변량에서 그대로 나옵니다.",
                "같은 것을 두 번 적은 열(합이 일정한 가변수 모두, 단위만 다른 열)을 빼세요.",
            )  # fmt: skip
        if m > 1 and units < 5 * m:
            raise spec.error(
                DataError, "too_many_instruments", "instrument", f"도구변수가 {m}개인데 대상(군집)은 {units:,}개입니다.",
                f"도구 하나에 대상이 다섯은 있어야 첫 단계를 잴 수 있습니다. {units // 5}개까지 남기거나 하나의 지수로 묶으세요.",
            )  # fmt: skip

    # --- 점검 ---

    def check(self) -> list[Check]:
        """첫 단계의 힘, 도구의 균형, 단조성과 배제의 함의, 그래프의 독립."""
        f = self.fit
        return [
            *checks.missing_covariates(f.frame, self.ident.adjustment),
            *checks.declared_timing(self.spec, self.ident),
            *checks.cluster_count(self.spec, f.clusters, f.arms),
            self._first_stage(),
            self._anderson_rubin(),
            *self._overidentification(),
            *self._variation(),
            *self._implications(),
            *checks.graph_independences(self.spec, f.frame),
        ]

    def _first_stage(self) -> Check:
        """첫 단계의 강건 F. 도구가 여럿이면 유효 F를 임곗값에 견줍니다."""
        f, weak = self.fit, " 도구가 약해 추정값이 단순 비교 쪽으로 쏠립니다."
        parameters = f.k + f.Z.shape[1] - 1
        effective, needed = effective_f(f.rd, f.RZ, f.clusters, parameters)
        if f.several:
            least = effective_f(f.rd, f.RZ, f.clusters, parameters, WORST_FAIL)[1]
            message = (
                f"도구 {f.Z.shape[1]}개의 유효 F(Montiel Olea와 Pflueger)는 {effective:.1f}입니다. 2단계 최소제곱의 치우침이 최악의 경우의 10%를 "
                f"넘지 않는다고 말하려면 {needed:.1f}, {WORST_FAIL:.0%}를 넘지 않는다고 말하려면 {least:.1f}보다 커야 합니다."
            )
            tails = {"warn": f"{weak} 구간은 앤더슨-루빈의 것을 씁니다.", "fail": weak}
            status = ladder(effective, needed, least)
            return graded("first_stage", "첫 단계의 힘", message, effective, status, needed, tails)
        slope = (f.rz @ f.rd) / (f.rz @ f.rz)
        residual = f.rd - slope * f.rz
        robust = float(((f.rz @ f.rd) / max(moment_error(f.rz * residual, f.clusters, f.k, f.arms), 1e-300)) ** 2)
        plain = float((slope / np.sqrt((residual @ residual) / max(len(residual) - f.k, 1) / (f.rz @ f.rz))) ** 2)
        tails = {
            "warn": f" {STRONG_F}보다 작아 보통의 구간은 좁게 나옵니다. 앤더슨-루빈 구간을 씁니다.",
            "fail": weak,
        }
        message = (
            f"첫 단계의 강건 F는 {robust:.1f}입니다(분산이 고르다고 보면 {plain:.1f}). 도구가 하나이면 유효 F와 같고, 치우침이 최악의 경우의 "
            f"10%를 넘지 않는다고 말할 임곗값은 {needed:.1f}입니다."
        )
        return graded("first_stage", "첫 단계의 힘", message, robust, ladder(robust, STRONG_F, WEAK_F), WEAK_F, tails)

    def _anderson_rubin(self) -> Check:
        f = self.fit
        if f.several:
            low, high = anderson_rubin_set(f.ry, f.rd, f.RZ, f.clusters, f.k + f.Z.shape[1] - 1)
        else:
            low, high = anderson_rubin(f.ry, f.rd, f.rz, f.clusters, f.k, f.arms)
        bounded, empty = np.isfinite(low) and np.isfinite(high), np.isnan(low)
        low, high = sorted((low * f.delta, high * f.delta))
        text = f"[{number(low)}, {number(high)}]" if bounded else "끝이 없는 구간"
        tails = {
            "fail": " 어느 값으로도 도구들이 함께 설명되지 않습니다."
            if empty
            else " 자료가 효과의 크기를 가려내지 못합니다."
        }
        if empty:
            return graded(
                "anderson_rubin",
                "앤더슨-루빈 구간",
                "도구가 약해도 맞는 95% 집합이 비어 있습니다.",
                None,
                "fail",
                None,
                tails,
            )
        return graded(
            "anderson_rubin",
            "앤더슨-루빈 구간",
            f"도구가 약해도 맞는 95% 구간은 {text}입니다.",
            None,
            "ok" if bounded else "fail",
            None,
            tails,
        )

    def _overidentification(self) -> list[Check]:
        """도구마다의 답이 서로 맞는지(Hansen J). 볼 수 있는 것은 도구 하나가 나머지와 다르게 틀렸을 때뿐입니다."""
        f, label = self.fit, "과대식별 검정(Hansen J)"
        if not f.several:
            return []
        j, p = hansen_j(f.ry, f.rd, f.RZ, f.clusters)
        message = f"도구 {f.Z.shape[1]}개가 같은 효과를 가리키는지 보았습니다(J={number(j, digits=2)}, p={p:.3f})."
        tails = {
            "ok": " 통과해도 도구가 옳다는 뜻은 아닙니다. 모두가 같은 쪽으로 틀렸으면 J는 울리지 않습니다.",
            "warn": " 도구 하나가 처치를 거치지 않고 결과에 닿거나, 도구마다 밀리는 대상이 달라 효과가 다를 수 있습니다.",
            "fail": " 도구 하나가 처치를 거치지 않고 결과에 닿거나, 도구마다 밀리는 대상의 효과가 다릅니다. 도구를 하나씩 따로 물어 어느 것이 다른지 보세요.",
        }
        check = graded("overidentification", label, message, p, ladder(p, WARN_LEVEL, FAIL_LEVEL), FAIL_LEVEL, tails)
        bias = checks.relevant_bias(self.primary)
        how = "도구 하나만 결과에 곧장 닿아 그만큼 치우쳤다면(가장 드러나지 않는 도구로 셌습니다). 도구들이 함께 틀린 것은 볼 수 없습니다"
        return [checks.powered(check, bias, self._overidentification_power(bias / max(abs(f.delta), 1e-300)), how)]

    def _overidentification_power(self, bias: float) -> float:
        """도구 하나의 배제가 깨져 추정이 ``bias``만큼 치우쳤을 때 J가 울릴 확률 가운데 가장 작은 것(비중심 카이제곱)."""
        f = self.fit
        b, gram = f.RZ.T @ f.rd, f.RZ.T @ f.RZ
        sums = cluster_sums(f.RZ * (f.ry - (f.rz @ f.ry) / (f.rz @ f.rd) * f.rd)[:, None], f.clusters)
        weight = np.linalg.pinv(sums.T @ sums)
        seen = weight - np.outer(weight @ b, b @ weight) / (b @ weight @ b)
        m = f.Z.shape[1]
        edge, found = stats.chi2.isf(WARN_LEVEL, m - 1), []
        for direct in gram.T:  # 도구 j가 결과에 곧장 1만큼 닿을 때 적률에 나타나는 크기
            per_unit = (b @ np.linalg.solve(gram, direct)) / (b @ np.linalg.solve(gram, b))
            size = bias / max(abs(per_unit), 1e-12)
            found.append(float(stats.ncx2.sf(edge, m - 1, max(size**2 * (direct @ seen @ direct), 1e-12))))
        return min(found)

    def _variation(self) -> list[Check]:
        """공변량을 알 때에도 도구가 움직이는지."""
        f = self.fit
        if f.X.shape[1] == 0:
            return []
        apart = [linear_residual(z, f.X.to_numpy()[:, :0], f.w) for z in f.Z.T]
        left = min(float((rz @ rz) / (z @ z)) for rz, z in zip(f.RZ.T, apart, strict=True))
        message = f"{'공변량과 가장 얽힌 ' if f.several else ''}도구의 분산 가운데 공변량이 설명하지 못하는 몫은 {left:.0%}입니다."
        return [
            graded(
                "instrument_variation",
                "공변량을 뺀 도구의 변이",
                message,
                left,
                ladder(left, LEFT_WARN, LEFT_FAIL),
                LEFT_WARN,
            )
        ]

    def _implications(self) -> list[Check]:
        """이진 도구와 이진 처치에서 단조성과 배제가 함께 뜻하는 부등식(Kitagawa, 2015).

        결과의 어느 구간에서든, 처치받은 몫은 도구가 켜졌을 때 더 커야 하고 받지 않은 몫은 더 작아야 합니다. 공변량이 있으면
        공변량으로 예측한 도구의 확률로 가중합니다.
        """
        f = self.fit
        if not f.binary or set(np.unique(f.d)) != {0.0, 1.0}:
            return []
        psi, places = self._inequalities(f.y)
        p_values = stats.norm.cdf(self._in_errors(psi))
        adjusted = holm(list(p_values))
        worst = int(np.argmin(adjusted))
        low, high, taken = places[worst]
        tails = {
            "ok": " 어긋난 것이 없습니다(통과가 배제를 증명하지는 않습니다).",
            "fail": f" 결과가 {number(low)}~{number(high)}이고 처치가 {int(taken)}인 몫이 거꾸로 움직입니다. 도구가 결과에 곧장 닿거나 거꾸로 움직이는 대상이 있습니다.",
        }
        message = f"배제와 단조성이 함께 성립하면 지켜야 할 부등식 {len(p_values)}개를 보았습니다."
        status = "fail" if adjusted[worst] < FAIL_LEVEL else "ok"
        check = graded(
            "instrument_inequality", "도구의 조건이 뜻하는 부등식", message, adjusted[worst], status, FAIL_LEVEL, tails
        )  # fmt: skip
        bias, edge = checks.relevant_bias(self.primary), float(stats.norm.isf(FAIL_LEVEL / len(p_values)))
        if not math.isfinite(bias):
            return [checks.powered(check, bias, 0.0, "구간에 끝이 없어 어떤 치우침도 작아 보입니다")]
        direct, noticed = bias * float(f.rz @ f.rd / (f.rz @ f.rz)), []
        for sign in (1.0, -1.0):
            moved, _ = self._inequalities(f.y + sign * direct * f.z)
            spread = checks.summed_covariance(moved - moved.mean(axis=0), f.clusters)
            size = np.maximum(np.sqrt(np.diag(spread)), 1e-150)
            covariance = spread / np.outer(size, size)
            noticed.append(checks.joint_power(self._in_errors(moved), covariance, lambda t: (t < -edge).any(axis=1)))
        # 어긋남의 크기를 이 자료에서 읽으므로 우연이 한 번 더 섞여, 평균하면 힘이 절반 쪽으로 당겨집니다. 80%의 문턱을 후하게 넘기지는 않습니다.
        how = "도구가 결과에 곧장 닿아 그만큼 치우쳤다면. 두 방향 가운데 보기 어려운 쪽입니다"
        return [checks.powered(check, bias, min(noticed), how)]

    def _in_errors(self, psi: np.ndarray) -> np.ndarray:
        """부등식마다의 평균을 그 표준오차로 나눈 것."""
        return np.array([c.mean() / max(standard_error(c, self.fit.clusters), 1e-300) for c in psi.T])

    def _inequalities(self, y: np.ndarray) -> tuple[np.ndarray, list[tuple[float, float, float]]]:
        """부등식마다의 점수(shape (n, 부등식), 평균이 음수이면 어긋난 것)와, 그것이 보는 결과의 구간과 처치."""
        f = self.fit
        on = f.rz @ f.rd > 0
        expected = f.z - f.rz / np.sqrt(f.w)
        z, index = (f.z, expected) if on else (1 - f.z, 1 - expected)
        index = np.clip(index, 0.02, 0.98) if f.X.shape[1] else np.full(len(z), np.average(z, weights=f.w))
        cuts, scores, places = np.unique(np.quantile(y, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0])), [], []
        for low, high in zip(cuts[:-1], cuts[1:], strict=True):
            inside = (y >= low) & (y <= high if high == cuts[-1] else y < high)
            for taken, sign in ((1.0, 1.0), (0.0, -1.0)):
                event = (inside & (f.d == taken)).astype(float)
                apart = event - np.average(event, weights=f.w)
                scores.append(sign * f.w * (z / index - (1 - z) / (1 - index)) * apart)
                places.append((low, high, taken))
        return np.column_stack(scores), places

    # --- 추정 ---

    @cached_property
    def _choices(self) -> dict[str, learners.Choice]:
        """결과, 처치, 도구(여럿이면 ``z0``부터)를 공변량으로 예측하는 모델."""
        f, X = self.fit, self.fit.X.to_numpy()
        return {
            name: learners.pick_outcome(X, v, f.fold, self.spec.seed, weight=for_learning(f.w))
            for name, v in self._parts
        }

    @property
    def _parts(self) -> list[tuple[str, np.ndarray]]:
        f = self.fit
        return [("y", f.y), ("d", f.d), *((f"z{j}", z) for j, z in enumerate(f.Z.T))]

    @cached_property
    def scores(self) -> dict[str, np.ndarray]:
        """방법마다의 점수(평균이 추정값, shape (n,))."""
        f, X = self.fit, self.fit.X.to_numpy()
        found = {"tsls": ratio_scores(f.ry, f.rd, f.rz)}
        if X.shape[1]:
            residuals = (
                np.sqrt(f.w) * (v - cross_fit(self._choices[name].model, X, v, f.fold, weight=for_learning(f.w)))
                for name, v in self._parts
            )
            ry, rd, *RZ = residuals
            RZ = np.column_stack(RZ)
            found["partialled"] = ratio_scores(ry, rd, RZ @ np.linalg.lstsq(RZ, rd, rcond=None)[0])
        if f.several:
            found["liml"] = ratio_scores(f.ry, f.rd, limited_information(f.ry, f.rd, f.RZ))
        elif f.binary:
            found["ratio"] = self._aipw_ratio()
        else:
            found["rank"] = ratio_scores(f.ry, f.rd, linear_residual(stats.rankdata(f.z), X, f.w))
        split = self._split_sample()
        if split is not None:
            found["split"] = split
        return {name: psi * f.delta for name, psi in found.items()}

    @cached_property
    def estimates(self) -> list[Estimate]:
        """2단계 최소제곱(구간은 앤더슨-루빈), 기계학습으로 공변량을 뺀 것, AIPW의 비율, 참고로 ITT와 단순 회귀."""
        f = self.fit
        labels = {
            "partialled": ("기계학습으로 공변량을 뺀 도구변수(DML)", "표본이 작아 겹 밖 예측이 잡음일 때"),
            "ratio": (
                "AIPW로 잰 두 효과의 비" if f.X.shape[1] else "두 효과의 비(ITT ÷ 처치율 차이)",
                "도구의 확률이 0이나 1에 가까울 때",
            ),
            "liml": ("LIML(제한정보 최우추정)", "도구가 하나라도 틀렸을 때 2단계보다 더 크게 움직입니다"),
            "rank": ("도구의 순위를 쓴 2단계", "처치가 도구에 곧게 따를 때에는 오차만 큽니다"),
            "split": ("첫 단계를 다른 겹에서 배운 2단계", "도구가 약하면 0 쪽으로 쏠립니다"),
        }
        if f.several:
            value, se, low, high = two_stage_many(f.ry, f.rd, f.RZ, f.clusters, f.k)
        else:
            value, se, low, high = two_stage(f.ry, f.rd, f.rz, f.clusters, f.k, f.arms)
        low, high = sorted((low * f.delta, high * f.delta))
        label = f"도구 {f.Z.shape[1]}개의 2단계 최소제곱" if f.several else "2단계 최소제곱(앤더슨-루빈 구간)"
        primary = Estimate(
            "tsls", label, value * f.delta, low, high, se * abs(f.delta), len(f.ry),
            "도구가 처치를 거치지 않고 결과에 닿거나, 공변량의 영향이 곧지 않을 때", True, "LATE",
        )  # fmt: skip
        out = [
            estimate_from(psi, name, *labels[name], f.clusters, False, "LATE")
            for name, psi in self.scores.items()
            if name != "tsls"
        ]
        itt = estimate_from(
            ratio_scores(f.ry, f.rz, f.rz),
            "itt",
            "도구 한 단위의 효과(ITT)",
            "처치가 아니라 도구의 효과를 물을 때에만 답입니다",
            f.clusters,
            False,
            "ITT",
        )
        naive = estimate_from(
            ratio_scores(f.ry, f.rd, f.rd) * f.delta,
            "naive",
            "도구를 쓰지 않은 회귀",
            "재지 못한 교란 요인이 있을 때",
            f.clusters,
        )
        return [primary, *out, *([] if f.several else [itt]), naive]

    def _aipw_ratio(self) -> np.ndarray:
        """도구를 처치로 본 두 AIPW(결과와 처치)의 비율."""
        f, X, on = self.fit, self.fit.X.to_numpy(), self.fit.z == 1
        learn, code = for_learning(f.w), on.astype(int)
        if X.shape[1]:
            choice = learners.pick_propensity(X, code, f.fold, self.spec.seed, learn)
            e = np.clip(cross_fit(choice.model, X, code, f.fold, classify=True, weight=learn)[:, 1], 0.01, 0.99)
        else:
            e = np.full(len(f.y), np.average(on, weights=f.w))
        parts = []
        for target, choice in ((f.y, self._choices["y"]), (f.d, self._choices["d"])):
            m1, m0 = (cross_fit(choice.model, X, target, f.fold, only=arm, weight=learn) for arm in (on, ~on))
            parts.append(f.w * (m1 - m0 + on / e * (target - m1) - ~on / (1 - e) * (target - m0)))
        top, bottom = parts
        value = top.mean() / bottom.mean()
        return value + (top - value * bottom) / bottom.mean()

    def _split_sample(self) -> np.ndarray | None:
        """첫 단계의 예측을 다른 겹에서 배워 도구로 씁니다. 지나치게 맞춘 첫 단계를 드러냅니다."""
        f = self.fit
        Z, s = np.column_stack([np.ones(len(f.z)), f.X.to_numpy(), f.Z]), np.sqrt(f.w)
        predicted = np.zeros(len(f.z))
        for k in np.unique(f.fold):
            train = f.fold != k
            beta = np.linalg.lstsq(Z[train] * s[train][:, None], (f.d * s)[train], rcond=None)[0]
            predicted[~train] = Z[~train] @ beta
        w = linear_residual(predicted, f.X.to_numpy(), f.w)
        return None if abs(w @ f.rd) < 1e-9 else ratio_scores(f.ry, f.rd, w)

    # --- 흔들어 보기 ---

    def stress(self) -> tuple[list[Check], list[Sensitivity]]:
        """추정량끼리의 견줌, 도구를 섞은 위약, 반쪽 표본, 음성 대조군, 배제가 얼마나 깨져야 결론이 뒤집히는지."""
        f, psi = self.fit, self.scores["tsls"]
        apart = {name: standard_error(other - psi, f.clusters) for name, other in self.scores.items() if name != "tsls"}
        found = [
            checks.agreement(self.estimates, apart),
            self._placebo(),
            placebos.halves(self.spec, psi, f.clusters),
            checks.negative_control(self.spec, self._negative_controls(), self.primary),
        ]
        return found, [self._exclusion()]

    @cached_property
    def _reduced(self) -> tuple[float, float]:
        """도구 한 단위에 결과가 움직이는 크기와 표준오차."""
        f = self.fit
        slope = (f.rz @ f.ry) / (f.rz @ f.rz)
        return float(slope), float(moment_error(f.rz * (f.ry - slope * f.rz), f.clusters, f.k, f.arms) / (f.rz @ f.rz))

    def _placebo(self) -> Check:
        """도구(여럿이면 첫 단계로 모은 것)를 섞으면 결과가 도구를 따르지 않아야 합니다. 군집마다 도구가 하나이면 군집째 섞습니다."""
        f, (slope, se) = self.fit, self._reduced
        rng = np.random.default_rng(self.spec.seed + 1)
        unit = np.arange(len(f.rz)) if f.clusters is None else f.clusters
        first = np.unique(unit, return_index=True)[1]
        constant = f.clusters is None or all(np.ptp(f.z[unit == g]) < 1e-12 for g in np.unique(unit)[:200])
        values, s, plain = np.empty(PLACEBOS), np.sqrt(f.w), f.rz / np.sqrt(f.w)
        for i in range(PLACEBOS):
            mixed = rng.permutation(plain[first])[unit] if constant else plain[rng.permutation(len(plain))]
            mixed = s * (mixed - np.average(mixed, weights=f.w))
            values[i] = (mixed @ f.ry) / (mixed @ mixed)
        message = f"도구를 {PLACEBOS}번 섞어 도구가 결과에 미친 것을 다시 냈습니다."
        return placebos.spread_placebo("도구를 섞은 위약", message, values, slope, se, self.primary, 0.5, 2.0)

    def _negative_controls(self) -> list[tuple[str, float, float, float]]:
        """도구가 움직여서는 안 되는 결과, 그리고 결과를 움직여서는 안 되는 처치."""
        f, found = self.fit, []
        for name in self.spec.negative_outcomes:
            y = f.frame[name].to_numpy(dtype=float)
            keep = np.isfinite(y)
            X = f.X.to_numpy()[keep]
            ry, rz = (linear_residual(v[keep], X, f.w[keep]) for v in (y, f.z / max(f.z.std(), 1e-12)))
            slope = (rz @ ry) / (rz @ rz)
            clusters, part = subset_clusters(f.clusters, keep), rz * (ry - slope * rz)
            se = moment_error(part, clusters, f.k) / (rz @ rz)
            # 효과가 B만큼 치우치려면 도구가 결과에 곧장 B × 첫 단계(도구 1 표준편차)만큼 닿아야 합니다.
            first = abs((f.rz @ f.rd) / (f.rz @ f.rz)) * max(f.z.std(), 1e-12) / max(abs(f.delta), 1e-300)
            mine = (f.rz * (f.ry - self._reduced[0] * f.rz))[keep]
            found.append((name, float(slope), se, first * checks.follows(part * max(f.z.std(), 1e-12), mine, clusters)))
        for name in self.spec.negative_treatments:
            found.append(checks.negative_treatment(self.spec, f.frame, f.X.to_numpy(), f.y, f.fold, f.clusters, name))
        return found

    def _exclusion(self) -> Sensitivity:
        """도구가 결과에 곧장 미치는 힘이 얼마나 되어야 구간이 0을 품는지, 잰 변수들과 견주어(도구 1 표준편차, 결과의 표준편차)."""
        f, (slope, se) = self.fit, self._reduced
        spread = max(f.y.std(), 1e-12)
        needed = max(0.0, abs(slope) - 1.96 * se) * (f.z.std() / spread)
        X, benchmarks = f.X.to_numpy(), {}
        if X.shape[1]:
            s = np.sqrt(f.w)
            Z = np.column_stack([np.ones(len(f.y)), X, f.z]) * s[:, None]
            beta = np.linalg.lstsq(Z, f.y * s, rcond=None)[0][1:-1]
            benchmarks = {
                str(c): float(abs(b) * s / spread) for c, b, s in zip(f.X.columns, beta, X.std(axis=0), strict=True)
            }
        message = f"도구가 처치를 거치지 않고 결과를 표준편차의 {needed:.3f}배만큼만 움직여도(도구 1 표준편차마다) 95% 구간이 0을 품습니다."
        if benchmarks:
            strongest = max(benchmarks, key=benchmarks.get)
            message += f" 잰 변수 가운데 가장 센 '{self.spec.readable(strongest)}'의 힘은 같은 자로 {benchmarks[strongest]:.3f}배입니다."
        return Sensitivity("exclusion", "배제가 깨지는 정도", float(needed), message, benchmarks)

    # --- 재현 ---

    def steps(self) -> list[Step]:
        """같은 함수로 같은 값을 내고, linearmodels의 IV2SLS로 확인합니다."""
        f, t, y, zs = self.fit, self.spec.treatment, self.spec.outcome.column, list(Instrument.of(self.spec).columns)
        groups = (
            f"pd.factorize(frame[{cluster_column(self.spec)!r}], sort=True)[0]" if f.clusters is not None else "None"
        )
        keep = (
            ""
            if t.kind == "continuous"
            else f"frame = frame[frame[{t.column!r}].isin([{t.control!r}, {t.treated!r}])]\n"
        )
        treatment = f"frame[{t.column!r}]" if t.kind == "continuous" else f"(frame[{t.column!r}] == {t.treated!r})"
        w, with_w = weighting.code(self.spec), weighting.argument(self.spec)
        covariance = (
            "cov_type='clustered', clusters=groups, debiased=True"
            if f.clusters is not None
            else "cov_type='robust', debiased=True"
        )
        several = [cluster_sums, small_sample, effective_f, anderson_rubin_set, two_stage_many, hansen_j]
        functions, call = (several, "two_stage_many") if f.several else ([anderson_rubin, two_stage], "two_stage")
        found = [
            Step(
                "결과, 처치, 도구가 있는 행만 두고 공변량을 선형으로 뺍니다.",
                f"{IMPORTS}\n\n{source(covariate_matrix, linear_residual)}\n\nframe = frame.dropna(subset={[t.column, y, *zs]!r})\n{keep}"
                f"X = covariate_matrix(frame, {list(self.ident.adjustment)!r}).to_numpy()\n{w}groups = {groups}\n"
                f"y, d, *Z = (v.to_numpy(dtype=float) for v in (frame[{y!r}], {treatment}, *(frame[z] for z in {zs!r})))\n"
                f"ry, rd, *RZ = (linear_residual(v, X{with_w}) for v in (y, d, *Z))\nZ, RZ = np.column_stack(Z), np.column_stack(RZ)",
            ),
            Step(
                "2단계 최소제곱입니다. 앤더슨-루빈의 구간은 효과를 b라고 보고 y − b·d를 도구에 회귀했을 때 도구의 계수가 모두 0이라고 볼 수 있는 b를 모은 것입니다."
                + (" 도구가 여럿이면 유효 F가 임곗값에 못 미칠 때에만 그것을 씁니다." if f.several else ""),
                f"{source(*INTERVAL, moment_error, *functions)}\n\n"
                f"value, se, low, high = {call}(ry, rd, {'RZ' if f.several else 'RZ[:, 0]'}, groups, X.shape[1] + 2{', Z[:, 0]' if f.binary else ''})\nlow, high = sorted((low * {f.delta!r}, high * {f.delta!r}))\n"
                f'reproduced["tsls"] = {{"value": value * {f.delta!r}, "low": low, "high": high}}\nreproduced["tsls"]',
            ),
            Step(
                "linearmodels의 IV2SLS로 점 추정과 표준오차를 확인합니다."
                + (
                    " 군집째 도구를 정했으면 우리 표준오차는 도구의 값마다의 군집의 수에 맞추어 조금 더 큽니다."
                    if f.binary and f.clusters is not None
                    else ""
                ),
                "import statsmodels.api as sm\nfrom linearmodels.iv import IV2SLS\n\n"
                f"print(IV2SLS(y, sm.add_constant(X, has_constant='add') if X.shape[1] else np.ones((len(y), 1)), d, Z{with_w.replace('w=', 'weights=')}).fit({covariance}).summary.tables[1])\n"
                "print('효과', value, '표준오차', se)",
            ),
        ]
        if f.several:
            found.append(
                Step(
                    "도구가 같은 효과를 가리키는지(Hansen J)와 첫 단계의 유효 F, 그 임곗값입니다.",
                    "print('J와 p값', hansen_j(ry, rd, RZ, groups), '유효 F와 임곗값', effective_f(rd, RZ, groups, X.shape[1] + 1 + RZ.shape[1]))",
                )
            )
        return found
