"""연속 처치(용량): ``control``에서 ``treated``로 올린 효과를 용량 반응 곡선(자연 삼차 스플라인) 위에서 잽니다."""

from dataclasses import dataclass
from functools import cached_property

import networkx as nx
import numpy as np
import pandas as pd
from scipy import stats

from causal_pipeline import checks, learners, placebos, weighting
from causal_pipeline.checks import WARN_LEVEL, flagged, graded, ladder
from causal_pipeline.designs.base import NO_PROBABILITY, Design
from causal_pipeline.graphs import identification_step
from causal_pipeline.identification import by_adjustment, by_randomisation
from causal_pipeline.inference import (
    cluster_codes,
    cluster_column,
    estimate_from,
    fold_groups,
    for_learning,
    row_weights,
    two_sided,
)
from causal_pipeline.model import Check, Estimate, Identification, Picture, Sensitivity, Spec, Step
from causal_pipeline.shown import (
    IMPORTS,
    INTERVAL,
    covariate_matrix,
    cross_fit,
    fit_weighted,
    fold_numbers,
    model_imports,
    model_source,
    source,
    standard_error,
)
from causal_pipeline.wording import josa, number, percent

# 곡선은 용량의 가운데 90%에서만 그립니다(견주는 두 용량이 그 밖이면 거기까지). 먼 꼬리의 몇 대상이 곡선을 가운데까지
# 휘게 하기 때문입니다. 용량과 공변량을 알 때의 결과를 맞히는 일이므로, 용량으로 행을 골라도 치우치지 않습니다.
TAIL = 0.05
# 공변량을 알 때의 처치 예측에서 이만한 표준편차 밖이면 그 용량을 받은 비슷한 대상이 거의 없습니다.
FAR = 2.5
FAR_WARN, FAR_FAIL = 0.10, 0.30
# 보정하고 남은 처치의 분산 몫. 이보다 작으면 잡음과 모델의 오차가 추정을 정합니다.
LEFT_WARN, LEFT_FAIL = 0.10, 0.02
BALANCE_WARN, BALANCE_FAIL = 0.1, 0.25
BENT_Z = 3.0
# 무작위로 정한 용량의 매듭의 수: (이보다 행이 적으면, 매듭). 행이 많아지면 오차는 줄지만 매듭 다섯이 담지 못한 굽음은 그대로라, 6,000행의
# 로그 반응에서 95% 구간이 정답을 29%만 덮었습니다. 행에 맞추어 매듭을 늘리면 93%입니다.
KNOTS = ((300, 5), (3_000, 11), (np.inf, 21))
PLACEBOS = 200
# 모의 세계에서 잰 값(guides/pipeline_benchmark.yml의 skewed_dose). 고치기 전에는 이 설계에 A를 주지 않습니다.
DOSE_LIMIT = "연속 처치의 구간: 용량이 한쪽으로 늘어진 모의 세계에서 95% 구간이 정답을 덮은 것은 200번 가운데 87%입니다. 구간을 조금 넓게 읽으세요."


@dataclass
class Fit:
    """교차 적합의 결과. ``V``는 용량 기저의 잔차(n, 기저), ``u``는 결과의 잔차입니다. 행은 ``window`` 안의 것만입니다.

    ``doses``는 자르기 전의 용량(빈칸을 뺀 모든 행), ``mass``는 많은 대상이 몰린 끝의 용량(없으면 None), ``effect``는 견주는 두 용량의 기저의 차이, ``w``는 표본 가중치(평균 1)입니다.
    """

    frame: pd.DataFrame
    window: tuple[float, float]
    doses: np.ndarray
    X: pd.DataFrame
    y: np.ndarray
    d: np.ndarray
    knots: np.ndarray
    mass: float | None
    fold: np.ndarray
    clusters: np.ndarray | None
    V: np.ndarray
    u: np.ndarray
    effect: np.ndarray
    outcome: learners.Choice
    choices: list[learners.Choice]
    w: np.ndarray


# --- 식(재현 노트북에 그대로 실립니다) ---


def point_mass(d: np.ndarray) -> float | None:
    """많은 대상이 몰린 끝의 용량(쓰지 않은 사람의 0). 열에 하나가 넘고 그다음으로 흔한 값의 세 배가 넘을 때만이고, 나머지 값이 열이
    안 되면(등급이나 횟수) 두지 않습니다.

    받지 않은 것과 조금 받은 것의 차이는 매끄러운 곡선 위에 없을 수 있습니다. 그래서 그 값에는 가변수를 따로 둡니다.
    """
    values, counts = np.unique(d, return_counts=True)
    top = int(counts.argmax())
    if len(values) <= 10 or top not in (0, len(values) - 1):
        return None
    return float(values[top]) if counts[top] > max(0.1 * len(d), 3 * np.delete(counts, top).max()) else None


def spline_knots(d: np.ndarray, mass: float | None = None, count: int = 5) -> np.ndarray:
    """자연 삼차 스플라인의 매듭(몰린 값을 뺀 행들의 분위수). 삼차식 하나는 끝에 맞추느라 가운데의 곡선을 일그러뜨립니다."""
    d = d if mass is None else d[d != mass]
    knots = np.unique(np.quantile(d, np.linspace(0.02, 0.98, count)))
    return knots if len(knots) >= 3 else np.linspace(d.min(), d.max(), 3)


def basis(d: np.ndarray | list, knots: np.ndarray, mass: float | None = None) -> np.ndarray:
    """자연 삼차 스플라인의 기저. 첫 열은 용량 그대로이고 양 끝 매듭 밖에서는 곧습니다. ``mass``가 있으면 끝 열이 그 값의 가변수입니다."""
    d, span = np.asarray(d, dtype=float), knots[-1] - knots[0]

    def cube(j):
        return (np.maximum(d - knots[j], 0) ** 3 - np.maximum(d - knots[-1], 0) ** 3) / (knots[-1] - knots[j])

    last = cube(len(knots) - 2)
    at_mass = [] if mass is None else [(d == mass).astype(float)]
    return np.column_stack([d] + [(cube(j) - last) / span**2 for j in range(len(knots) - 2)] + at_mass)


def residual_scores(V: np.ndarray, u: np.ndarray, effect: np.ndarray, w: np.ndarray | float = 1.0) -> np.ndarray:
    """잔차끼리의 회귀에서 ``effect``만큼의 효과의 점수. 평균이 추정값입니다. ``w``는 표본 가중치입니다."""
    s = np.sqrt(np.broadcast_to(w, len(u)))
    V, u = V * s[:, None], u * s
    inverse = np.linalg.pinv(V.T @ V / len(u))
    beta = inverse @ (V.T @ u / len(u))
    return effect @ beta + (V @ (inverse @ effect)) * (u - V @ beta)


def dose_window(d: np.ndarray, control: float, treated: float) -> tuple[float, float]:
    """곡선을 그리는 용량의 범위: 가운데 90%와, 견주는 두 용량을 품는 가장 좁은 구간."""
    low, high = np.quantile(d, [TAIL, 1 - TAIL])
    ends = sorted((float(control), float(treated)))
    return float(min(low, ends[0])), float(max(high, ends[1]))


def weighted_scores(X: np.ndarray, y: np.ndarray, effect: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """(가중) 최소제곱의 ``effect``의 점수. 절편은 여기서 넣습니다."""
    w = np.ones(len(y)) if weights is None else weights
    Z = np.column_stack([np.ones(len(y)), X])
    c = np.concatenate([[0.0], effect])
    inverse = np.linalg.pinv((Z * w[:, None]).T @ Z)
    beta = inverse @ (Z.T @ (w * y))
    factor = np.sqrt(len(y) / max(len(y) - Z.shape[1], 1))
    return c @ beta + len(y) * factor * (Z @ (inverse @ c)) * w * (y - Z @ beta)


# --- 설계 ---


class Dose(Design):
    """용량 곡선의 DML."""

    name = "dose"
    label = "용량 반응(연속 처치)"
    question = "처치가 양(연속형)이고, 무작위로 정했거나 교란 요인을 재어 보정합니까?"
    precedence = 900
    estimands = ("ATE", "ATT", "ITT")
    reveals = {"negative_control": "음성 대조군"}  # noqa: RUF012
    doubt = "배정을 모릅니다. 적은 교란 요인이 전부라는 가정은 자료로 확인할 수 없습니다."
    strength = "robustness_value"
    ignores = {"treatment.probability": NO_PROBABILITY}  # noqa: RUF012

    def __init__(self, spec: Spec, ident: Identification, frame: pd.DataFrame) -> None:
        super().__init__(spec, ident, frame)
        if spec.treatment.randomized:
            self.reveals = {}

    @classmethod
    def applies(cls, spec: Spec, frame: pd.DataFrame | None = None) -> bool:
        return not spec.fields and spec.treatment.kind == "continuous"

    @classmethod
    def identify(cls, spec: Spec, frame: pd.DataFrame, graph: nx.DiGraph) -> Identification:
        return (by_randomisation if spec.treatment.randomized else by_adjustment)(cls.name, spec, graph)

    def known_assignment(self) -> str | None:
        t, rule = self.spec.treatment, self.spec.assignment
        if not t.randomized:
            return None
        where = f" 규칙은 '{rule.rule}'이고, {rule.source}에 있습니다." if rule else ""
        return f"배정을 압니다. 용량 '{self.spec.label(t.column)}'을(를) 무작위로 정했다고 적었습니다.{where}"

    def caveat(self) -> str | None:
        return None if self.spec.treatment.randomized else DOSE_LIMIT

    @cached_property
    def fit(self) -> Fit:
        """장애모수를 고르고 교차 적합합니다."""
        spec, t = self.spec, self.spec.treatment
        complete = self.frame.dropna(subset=[t.column, spec.outcome.column])
        doses = complete[t.column].to_numpy(dtype=float)
        window = dose_window(doses, t.control, t.treated)
        rows = complete[(doses >= window[0]) & (doses <= window[1])]
        X = learners.design_matrix(spec, rows, self.ident.adjustment)
        values = X.to_numpy()
        y, d = rows[spec.outcome.column].to_numpy(dtype=float), rows[t.column].to_numpy(dtype=float)
        clusters = cluster_codes(spec, rows)
        fold = fold_numbers(d, spec.seed, fold_groups(spec, clusters, self.ident.adjustment))
        mass = point_mass(d)
        knots = spline_knots(d, mass, self._count(len(d)))
        B = basis(d, knots, mass)
        w = row_weights(spec, rows)
        learn = for_learning(w)
        if t.randomized:  # 공변량이 용량을 말해 주지 않으므로 고를 것이 없습니다
            choices = [learners.Choice(learners.outcome_learners(values.shape[1], spec.seed)[0])] * B.shape[1]
        else:
            choices = [learners.pick_outcome(values, v, fold, spec.seed, weight=learn) for v in B.T]
        V = B - np.column_stack(
            [cross_fit(c.model, values, v, fold, weight=learn) for c, v in zip(choices, B.T, strict=True)]
        )
        outcome = learners.pick_outcome(values, y, fold, spec.seed, weight=learn)
        u = y - cross_fit(outcome.model, values, y, fold, weight=learn)
        effect = (basis([t.treated], knots, mass) - basis([t.control], knots, mass))[0]
        return Fit(rows, window, doses, X, y, d, knots, mass, fold, clusters, V, u, effect, outcome, choices, w)

    def _count(self, rows: int) -> int:
        """매듭의 수. 무작위로 정하지 않은 용량에서는 다섯입니다(``DOSE_LIMIT``)."""
        return next(count for edge, count in KNOTS if rows < edge) if self.spec.treatment.randomized else KNOTS[0][1]

    # --- 점검 ---

    def check(self) -> list[Check]:
        """용량의 겹침, 남은 변이, 가중 뒤의 균형, 그래프의 독립."""
        f, spec = self.fit, self.spec
        return [
            *checks.missing_covariates(f.frame, self.ident.adjustment),
            *([] if spec.treatment.randomized else checks.declared_timing(spec, self.ident)),
            *checks.cluster_count(spec, f.clusters),
            *self._range(),
            *([] if f.X.shape[1] == 0 else [self._variation(), self._overlap(), self._balance()]),
            *checks.graph_independences(spec, f.frame, self.primary, self.ident.adjustment),
        ]

    def _range(self) -> list[Check]:
        f = self.fit
        low, high = np.quantile(f.doses, [0.025, 0.975])
        outside = [v for v in (self.spec.treatment.control, self.spec.treatment.treated) if not low <= v <= high]
        tail = f" 견주려는 {josa(', '.join(map(str, outside)), '은/는')} 그 밖이라 곡선을 늘여 잰 값입니다."
        left = len(f.doses) - len(f.d)
        at_mass = (
            ""
            if f.mass is None
            else f" 용량이 {number(f.mass)}인 {int((f.d == f.mass).sum()):,}행은 곡선과 따로 한 무리로 두었습니다."
        )
        return [
            graded(
                "dose_range", "견주는 용량의 자리", f"자료의 가운데 95%는 {number(low)}~{number(high)}입니다.",
                len(outside), "fail" if outside else "ok", 0.0, {"fail": tail},
            ),
            graded(
                "dose_window", "곡선을 그린 용량",
                f"용량이 {number(f.window[0])}~{number(f.window[1])}인 {len(f.d):,}행으로 곡선을 그렸습니다. 꼬리의 {left:,}행은 추정에 쓰지 않았습니다.{at_mass}",
                left, "ok",
            ),
        ]  # fmt: skip

    def _variation(self) -> Check:
        v, d, w = self.fit.V[:, 0], self.fit.d, self.fit.w
        left = float(np.cov(v, aweights=w) / np.cov(d, aweights=w))
        message = f"처치의 분산 가운데 공변량이 설명하지 못하는 몫은 {left:.0%}입니다."
        return graded(
            "dose_variation", "보정하고 남은 처치의 변이", message, left, ladder(left, LEFT_WARN, LEFT_FAIL), LEFT_WARN
        )

    def _overlap(self) -> Check:
        residual = self.fit.V[:, 0]
        expected, t = self.fit.d - residual, self.spec.treatment
        w, edge = self.fit.w, FAR * np.sqrt(np.cov(residual, aweights=self.fit.w))
        far = max(float(np.average(np.abs(v - expected) > edge, weights=w)) for v in (t.control, t.treated))
        message = f"견주려는 용량을 받았을 성싶지 않은(예측에서 {FAR}표준편차 밖) 대상이 {percent(far)}입니다."
        return graded("overlap", "용량의 겹침", message, far, ladder(far, FAR_WARN, FAR_FAIL), FAR_FAIL)

    @cached_property
    def _weights(self) -> np.ndarray:
        """정규분포로 본 안정화 가중치 f(d)/f(d|x). 1%와 99%에서 자르고, 표본 가중치를 곱합니다."""
        f = self.fit
        v, z = f.V[:, 0], f.d - np.average(f.d, weights=f.w)
        of_v, of_z = (float(np.average((x - np.average(x, weights=f.w)) ** 2, weights=f.w)) for x in (v, z))
        w = np.exp(-0.5 * z**2 / of_z + 0.5 * v**2 / of_v + 0.5 * np.log(of_v / of_z))
        return f.w * np.clip(w, *np.quantile(w, [0.01, 0.99]))

    def _correlations(self, w: np.ndarray) -> np.ndarray:
        """가중한 공변량과 용량의 상관, shape (p,)."""
        X, w = self.fit.X.to_numpy(), w / w.sum()
        X = X - w @ X
        d = self.fit.d - w @ self.fit.d
        return (w @ (X * d[:, None])) / np.sqrt((w @ X**2) * (w @ d**2))

    def _balance(self) -> Check:
        r = np.abs(self._correlations(self._weights))
        worst = int(r.argmax())
        message = f"가중한 뒤에 처치와 가장 얽힌 변수는 '{self.spec.readable(self.fit.X.columns[worst])}'(상관 {r[worst]:.2f})입니다."
        # 가중은 곁들인 추정 하나에만 쓰이므로, 크게 어긋날 때에만 등급을 낮춥니다.
        status, cap = "warn" if r[worst] > BALANCE_WARN else "ok", "B" if r[worst] > BALANCE_FAIL else None
        return Check("balance", "가중 뒤의 균형", status, message, float(r[worst]), BALANCE_WARN, cap)

    # --- 추정 ---

    @cached_property
    def scores(self) -> dict[str, np.ndarray]:
        """방법마다의 점수(평균이 추정값, shape (n,))."""
        f = self.fit
        B = basis(f.d, f.knots, f.mass)
        found = {
            "dose_curve": residual_scores(f.V, f.u, f.effect, f.w),
            "linear_dml": residual_scores(f.V[:, :1], f.u, f.effect[:1], f.w),
            "regression": weighted_scores(
                np.column_stack([B, f.X.to_numpy()]), f.y, np.concatenate([f.effect, np.zeros(f.X.shape[1])]), f.w
            ),
        }
        if f.X.shape[1]:
            found["weighting"] = weighted_scores(B, f.y, f.effect, self._weights)
        return found

    @cached_property
    def estimates(self) -> list[Estimate]:
        """용량 곡선(자연 스플라인)의 DML(주된 추정), 곧은 DML, 선형회귀, 일반화 성향점수 가중, 보정하지 않은 회귀."""
        f = self.fit
        labels = {
            "dose_curve": (
                "용량 곡선(자연 스플라인)의 DML",
                "용량의 효과가 대상마다 다르거나 곡선이 스플라인의 매듭보다 급하게 굽을 때",
            ),
            "linear_dml": ("곧은 용량의 DML", "용량 반응이 곧지 않을 때"),
            "regression": ("선형회귀(용량 스플라인)", "결과가 공변량에 곧게 따르지 않을 때"),
            "weighting": ("일반화 성향점수 가중", "처치의 분포가 정규분포와 다르거나 겹침이 약할 때"),
        }
        out = [
            estimate_from(
                psi,
                name,
                *labels[name],
                f.clusters,
                name == "dose_curve",
                "slope" if name == "linear_dml" else self.ident.estimand,
            )
            for name, psi in self.scores.items()
        ]
        naive = weighted_scores(basis(f.d, f.knots, f.mass), f.y, f.effect, f.w)
        return [
            *out,
            estimate_from(
                naive, "naive", "보정하지 않은 회귀", "많이 받은 쪽과 적게 받은 쪽이 처음부터 다를 때", f.clusters
            ),
        ]

    # --- 흔들어 보기 ---

    def stress(self) -> tuple[list[Check], list[Sensitivity]]:
        """순열 위약, 반쪽 표본, 음성 대조군, 추정량끼리의 견줌, 숨은 교란 요인의 세기."""
        f, spec, main, psi = self.fit, self.spec, self.primary, self.scores["dose_curve"]
        apart = {
            name: standard_error(other - psi, f.clusters) for name, other in self.scores.items() if name != "dose_curve"
        }
        found = [
            checks.agreement(self.estimates, apart),
            self._placebo(),
            placebos.halves(spec, psi, f.clusters),
            self._curvature(),
            *([self._finer()] if spec.treatment.randomized else []),
        ]
        if spec.negative_outcomes or spec.negative_treatments or not spec.treatment.randomized:
            needed = not spec.treatment.randomized
            found.append(checks.negative_control(spec, self._negative_controls(), main, needed))
        if spec.treatment.randomized or f.X.shape[1] == 0:
            return found, []
        strength, strength_check = checks.robustness(spec, f.frame, f.X, f.d, f.y, main, f.w)
        return [*found, *strength_check], strength

    def _placebo(self) -> Check:
        """공변량으로 설명되지 않는 처치를 대상끼리 섞습니다. 섞으면 효과가 없어야 합니다."""
        f, main = self.fit, self.primary
        rng = np.random.default_rng(self.spec.seed + 1)
        values = np.array(
            [residual_scores(f.V[rng.permutation(len(f.u))], f.u, f.effect, f.w).mean() for _ in range(PLACEBOS)]
        )
        message = f"남은 처치를 {PLACEBOS}번 섞었습니다."
        return placebos.spread_placebo("순열 위약", message, values, main.value, main.se, main, 0.4, 2.5, 1.0)

    def _curvature(self) -> Check:
        """곧은 용량과 스플라인 곡선의 차이."""
        gap = self.scores["dose_curve"] - self.scores["linear_dml"]
        z = gap.mean() / max(standard_error(gap, self.fit.clusters), 1e-300)
        message = (
            f"곧은 용량의 추정은 {number(self.scores['linear_dml'].mean())}, 스플라인 곡선은 {number(self.primary.value)}입니다"
            f"(차이 z={number(z, digits=1, signed=True)})."
            + (" 한 단위마다 같은 효과로 읽으면 안 됩니다." if abs(z) > BENT_Z else "")
        )
        # 굽은 것은 잘못이 아니므로 등급을 낮추지 않습니다.
        check = Check(
            "curvature", "용량 반응의 굽음", "warn" if abs(z) > BENT_Z else "ok", message, abs(float(z)), BENT_Z
        )
        bias, se = checks.relevant_bias(self.primary), max(standard_error(gap, self.fit.clusters), 1e-300)
        noticed = checks.normal_power(bias / se, 2 * float(stats.norm.sf(BENT_Z)))
        return checks.powered(check, bias, noticed, "곧은 용량의 추정이 굽은 반응 때문에 그만큼 치우쳤다면")

    def _finer(self) -> Check:
        """매듭을 두 배로 늘린 곡선도 같은 답을 내는지. 곡선이 담지 못하는 급한 뜀이 있으면 둘이 갈립니다."""
        f, t, main = self.fit, self.spec.treatment, self.primary
        knots = spline_knots(f.d, f.mass, 2 * self._count(len(f.d)) - 1)
        B, X = basis(f.d, knots, f.mass), f.X.to_numpy()
        effect = (basis([t.treated], knots, f.mass) - basis([t.control], knots, f.mass))[0]
        finer = weighted_scores(np.column_stack([B, X]), f.y, np.concatenate([effect, np.zeros(X.shape[1])]), f.w)
        gap = finer - self.scores["dose_curve"]
        se = max(standard_error(gap, f.clusters), 1e-300)
        p = two_sided(gap.mean() / se)
        message = f"매듭을 {len(knots)}개로 늘린 곡선의 추정은 {number(finer.mean())}, {len(f.knots)}개의 곡선은 {number(main.value)}입니다(p={p:.3f})."
        tail = " 어느 용량에서 결과가 급히 뛰어 곡선이 담지 못할 수 있습니다. 용량을 몇 등급으로 나누어 kind: multi로도 물으세요."
        check = flagged(
            "finer_curve", "더 잘게 굽힌 곡선", message + (tail if p < WARN_LEVEL else ""), p, p < WARN_LEVEL
        )
        bias = checks.relevant_bias(main)
        noticed = checks.normal_power(bias / se, WARN_LEVEL)
        return checks.powered(
            check, bias, noticed, "곡선이 담지 못한 굽음 때문에 그만큼 치우쳤고, 잘게 굽힌 곡선은 그것을 담는다면"
        )

    def _negative_controls(self) -> list[tuple[str, float, float, float]]:
        f, spec, values, found = self.fit, self.spec, self.fit.X.to_numpy(), []
        for name in spec.negative_outcomes:
            y = f.frame[name].to_numpy(dtype=float)
            learn = for_learning(f.w)
            choice = learners.pick_outcome(values, y, f.fold, spec.seed, weight=learn)
            u = y - cross_fit(choice.model, values, y, f.fold, weight=learn)
            psi = residual_scores(f.V[:, :1], u, f.effect[:1], f.w)
            slope = checks.follows(psi, self.scores["linear_dml"], f.clusters)
            found.append((name, float(psi.mean()), standard_error(psi, f.clusters), slope))
        for name in spec.negative_treatments:
            found.append(checks.negative_treatment(spec, f.frame, values, f.y, f.fold, f.clusters, name))
        return found

    # --- 그림과 재현 ---

    def pictures(self) -> list[Picture]:
        """용량 반응 곡선, 균형."""
        f, spec = self.fit, self.spec
        grid, start = np.linspace(*f.window, 25), basis([spec.treatment.control], f.knots, f.mass)[0]
        points = [residual_scores(f.V, f.u, point - start, f.w) for point in basis(grid, f.knots, f.mass)]
        values = np.array([psi.mean() for psi in points])
        half = 1.96 * np.array([standard_error(psi, f.clusters) for psi in points])
        curve = {
            "dose": grid.tolist(), "values": values.tolist(), "lows": (values - half).tolist(), "highs": (values + half).tolist(),
            "x_label": spec.treatment.column, "y_label": spec.outcome.label or spec.outcome.column,
        }  # fmt: skip
        found = [
            Picture(
                "dose",
                f"용량 반응({spec.treatment.control}에 견준 차이)",
                "처치의 양에 따라 결과가 얼마나 달라지는지의 곡선과 점마다의 95% 구간.",
                curve,
            )
        ]
        if f.X.shape[1]:
            balance = {
                "labels": [str(c) for c in f.X.columns],
                "before": np.abs(self._correlations(f.w)).tolist(),
                "after": np.abs(self._correlations(self._weights)).tolist(),
                "threshold": BALANCE_WARN,
            }
            found.append(
                Picture(
                    "balance",
                    "가중하기 전과 뒤의 균형",
                    "변수마다 처치와의 상관을 가중하기 전과 뒤로 찍은 점.",
                    balance,
                )
            )
        return found

    def steps(self) -> list[Step]:
        """같은 함수와 모델로 같은 값을, econml로 곧은 용량의 값을 냅니다."""
        f, t, y, seed = self.fit, self.spec.treatment, self.spec.outcome.column, self.spec.seed
        groups = (
            f"pd.factorize(frame[{cluster_column(self.spec)!r}], sort=True)[0]" if f.clusters is not None else "None"
        )
        w, with_w = weighting.code(self.spec), weighting.argument(self.spec)
        learn = with_w.replace("w=", "weight=")
        together = "groups" if fold_groups(self.spec, f.clusters, self.ident.adjustment) is not None else "None"
        used = [f.outcome.model, *(c.model for c in f.choices)]
        found = [
            identification_step(self.spec, self.ident.adjustment),
            Step(
                "용량의 가운데 90%와 견주는 두 용량을 품는 행만 두고, 공변량을 행렬로 바꾸고, 파이프라인과 같은 겹으로 나눕니다.",
                f"{IMPORTS}\n{model_imports(*used)}\n\n{source(covariate_matrix, fold_numbers, fit_weighted, cross_fit)}\n\n"
                f"frame = frame.dropna(subset=[{t.column!r}, {y!r}])\nframe = frame[frame[{t.column!r}].between({f.window[0]!r}, {f.window[1]!r})]\n"
                f"X = covariate_matrix(frame, {list(self.ident.adjustment)!r}).to_numpy()\n"
                f"y, d = frame[{y!r}].to_numpy(dtype=float), frame[{t.column!r}].to_numpy(dtype=float)\n"
                f"{w}groups = {groups}\nfold = fold_numbers(d, {seed}, {together})",
            ),
            Step(
                "용량의 스플라인 기저와 결과에서 공변량으로 예측되는 몫을 빼고, 잔차끼리 회귀합니다.",
                f"{source(point_mass, spline_knots, basis, residual_scores, *INTERVAL)}\n\nmass = point_mass(d)\nknots = spline_knots(d, mass, {self._count(len(f.d))})\n"
                f"outcome = {model_source(f.outcome.model)}\nmodels = [\n"
                + "".join(f"    {model_source(c.model)},\n" for c in f.choices)
                + "]\n"
                f"B = basis(d, knots, mass)\nV = np.column_stack([B[:, j] - cross_fit(models[j], X, B[:, j], fold{learn}) for j in range(B.shape[1])])\n"
                f"u = y - cross_fit(outcome, X, y, fold{learn})\neffect = (basis([{t.treated!r}], knots, mass) - basis([{t.control!r}], knots, mass))[0]\n"
                f'reproduced["dose_curve"] = interval(residual_scores(V, u, effect{with_w}), groups)\nreproduced["dose_curve"]',
            ),
        ]
        if f.X.shape[1] and not with_w:  # econml은 Pipeline에 표본 가중치를 넘기지 못합니다
            found.append(
                Step(
                    "econml의 LinearDML로 곧은 용량의 효과를 잽니다. 겹이 달라 값이 똑같지는 않고 오차 안에서 맞습니다.",
                    f"from econml.dml import LinearDML\n\nlearner = LinearDML(model_y=outcome, model_t=models[0], cv=5, random_state={seed})\n"
                    f"learner.fit(y, d, X=None, W=X)\nlearner.effect_interval(T0={t.control!r}, T1={t.treated!r})",
                )
            )
        return found
