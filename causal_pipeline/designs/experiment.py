"""무작위 실험: 배정이 무작위이므로 평균의 차이가 효과입니다. 공변량은 오차를 줄이는 데에만 씁니다."""

from dataclasses import dataclass
from functools import cached_property

import networkx as nx
import numpy as np
import pandas as pd
from scipy import stats

from causal_pipeline import checks, learners, placebos, weighting
from causal_pipeline.checks import flagged, graded, ladder
from causal_pipeline.designs.base import Design, UnitEffects
from causal_pipeline.identification import by_randomisation, require_arms
from causal_pipeline.inference import (
    cluster_codes,
    cluster_column,
    estimate_from,
    fold_groups,
    for_learning,
    least_squares,
    row_weights,
    subset_clusters,
    two_sided,
)
from causal_pipeline.model import Check, Estimate, Identification, Picture, Sensitivity, Spec, Step
from causal_pipeline.shown import (
    IMPORTS,
    INTERVAL,
    covariate_matrix,
    cross_fit,
    fold_numbers,
    source,
    standard_error,
    weighted,
)
from causal_pipeline.wording import number, percent

PLACEBOS = 500
# 결과의 양 끝을 이 몫씩 잘라 낸 평균을 함께 봅니다. 몇 대상이 결론을 정하는지를 드러냅니다.
WINSOR = 0.01
# 몇 대상이 추정값의 흩어짐을 모두 정하면(유효한 수가 이보다 적으면) 다음 표본에서 답이 크게 바뀝니다.
FEW_DECIDE = 5
# 표본 비율과 균형의 시험은 아주 드문 일만 문제로 삼습니다. 배정이 무작위이면 천에 하나만 걸립니다.
ALARM, BALANCE_WARN = 0.001, 0.01
ATTRITION_WARN = 0.02


@dataclass
class Fit:
    """두 팔만 남긴 자료. ``everyone``은 결과가 빈 대상까지, 나머지는 결과가 있는 대상만입니다.

    ``a``는 처치받은 대상, ``p``는 처치받을 확률, ``mu1``, ``mu0``은 겹 밖에서 예측한 결과, ``w``는 표본 가중치(평균 1)입니다.
    """

    everyone: pd.DataFrame
    frame: pd.DataFrame
    X: pd.DataFrame
    y: np.ndarray
    a: np.ndarray
    p: np.ndarray
    fold: np.ndarray
    clusters: np.ndarray | None
    mu1: np.ndarray
    mu0: np.ndarray
    w: np.ndarray


# --- 식(재현 노트북에 그대로 실립니다) ---


def difference_scores(y: np.ndarray, a: np.ndarray, p: np.ndarray, w: np.ndarray | float = 1.0) -> np.ndarray:
    """배정 확률로 가중한 평균의 차이(Hájek)의 점수. 확률이 모두 같으면 그냥 평균의 차이입니다. ``w``는 표본 가중치입니다."""
    w1, w0 = w * a / p, w * ~a / (1 - p)
    m1, m0 = (w1 @ y) / w1.sum(), (w0 @ y) / w0.sum()
    return m1 - m0 + len(y) * (w1 / w1.sum() * (y - m1) - w0 / w0.sum() * (y - m0))


def lin_scores(y: np.ndarray, a: np.ndarray, p: np.ndarray, X: np.ndarray, w: np.ndarray | float = 1.0) -> np.ndarray:
    """팔마다 회귀해 전체 평균의 공변량에서 뺀 것(Lin, 2013)의 점수. 배정 확률이 대상마다 다르면 역확률로 가중합니다.

    ``w``는 평균이 1인 표본 가중치이고, 공변량의 전체 평균도 이것으로 냅니다.
    """
    s = np.broadcast_to(w, len(y))
    centred = X - s @ X / len(y)
    Z = np.column_stack([np.ones(len(X)), centred])
    psi, value, slopes = np.zeros(len(X)), 0.0, []
    for arm, weight, sign in ((a, 1 / p, 1.0), (~a, 1 / (1 - p), -1.0)):
        v = s * weight * arm
        inverse = np.linalg.pinv((Z * v[:, None]).T @ Z)
        beta = inverse @ (Z.T @ (v * y))
        residual = np.where(arm, y - Z @ beta, 0.0)
        factor = np.sqrt(arm.sum() / max(arm.sum() - Z.shape[1], 1))
        psi += sign * len(X) * (Z @ inverse[0]) * v * residual * factor
        value += sign * beta[0]
        slopes.append(beta[1:])
    return value + psi + s * (centred @ (slopes[0] - slopes[1]))


# --- 설계 ---


class Experiment(Design):
    """무작위로 배정한 두 팔의 비교."""

    name = "experiment"
    label = "무작위 실험"
    question = "처치를 두세 갈래로 나누어 무작위로 배정했습니까?"
    precedence = 10
    estimands = ("ATE", "ATT", "ITT")
    ignores = {}  # noqa: RUF012
    effects_split_in = "무작위 실험"

    @classmethod
    def applies(cls, spec: Spec, frame: pd.DataFrame | None = None) -> bool:
        return spec.treatment.randomized and spec.treatment.kind != "continuous"

    @classmethod
    def identify(cls, spec: Spec, frame: pd.DataFrame, graph: nx.DiGraph) -> Identification:
        require_arms(spec, frame)
        return by_randomisation(cls.name, spec, graph)

    @cached_property
    def fit(self) -> Fit:
        """팔을 나누고 결과 모델을 교차 적합합니다."""
        spec, t = self.spec, self.spec.treatment
        everyone = self.frame[self.frame[t.column].isin([t.control, t.treated])]
        rows = everyone.dropna(subset=[spec.outcome.column])
        X = learners.design_matrix(spec, rows, self.ident.adjustment)
        values = X.to_numpy()
        y, a = rows[spec.outcome.column].to_numpy(dtype=float), (rows[t.column] == t.treated).to_numpy()
        clusters = cluster_codes(spec, rows)
        fold = fold_numbers(a, spec.seed, fold_groups(spec, clusters, self.ident.adjustment))
        w = row_weights(spec, rows)
        learning = for_learning(w)
        model = learners.pick_two_arm_outcome(values, y, (a, ~a), fold, spec.seed, learning).model
        mu1, mu0 = (cross_fit(model, values, y, fold, only=arm, weight=learning) for arm in (a, ~a))
        return Fit(everyone, rows, X, y, a, self._probability(rows, a), fold, clusters, mu1, mu0, w)

    def _probability(self, rows: pd.DataFrame, a: np.ndarray) -> np.ndarray:
        """배정 확률. 적지 않았으면 (가중한) 자료의 비율입니다."""
        p = self.spec.treatment.probability
        if isinstance(p, str):
            return rows[p].to_numpy(dtype=float)
        return np.full(len(rows), np.average(a, weights=row_weights(self.spec, rows)) if p is None else float(p))

    def known_assignment(self) -> str | None:
        t, column = self.spec.treatment, cluster_column(self.spec)
        each = "행마다" if column is None else f"'{self.spec.label(column)}'마다"
        rule = self.spec.assignment
        where = f" 규칙은 '{rule.rule}'이고, {rule.source}에 있습니다." if rule else ""
        return f"배정을 압니다. '{self.spec.label(t.column)}'을(를) {each} 무작위로 정했다고 적었습니다.{where}"

    def unit_effects(self) -> UnitEffects | None:
        """대상마다의 점수."""
        f = self.fit
        return UnitEffects(f.frame, self._unit_scores, f.clusters, f.fold, weights=f.w)

    # --- 점검 ---

    def check(self) -> list[Check]:
        """표본 비율, 배정 앞 변수의 균형, 결과의 빠짐, 군집의 수, 그래프의 독립."""
        f = self.fit
        return [
            *self._sample_ratio(),
            *self._balance(),
            self._attrition(),
            *checks.missing_covariates(f.frame, self.ident.adjustment),
            *checks.cluster_count(self.spec, f.clusters, f.a),
            *checks.graph_independences(self.spec, f.frame, self.primary, self.ident.adjustment),
        ]

    def _sample_ratio(self) -> list[Check]:
        """적어 둔 배정 확률과 실제의 수. 빠짐이 생기기 앞의 모든 대상(군집이면 군집)으로 봅니다."""
        everyone, t = self.fit.everyone, self.spec.treatment
        if t.probability is None:
            return []
        clusters = cluster_codes(self.spec, everyone)
        a = (everyone[t.column] == t.treated).to_numpy()
        first = slice(None) if clusters is None else np.unique(clusters, return_index=True)[1]
        a, p, w = a[first], self._probability(everyone, a)[first], row_weights(self.spec, everyone)[first]
        value = two_sided((w @ (a - p)) / max(np.sqrt((w**2 * p * (1 - p)).sum()), 1e-12))
        told = "가중하면 " if np.ptp(w) else ""
        message = f"배정 확률로는 실험군이 {told}{w @ p:,.0f}개여야 하고 실제는 {w @ a:,.0f}개입니다(p={value:.3g})."
        tails = {"fail": " 배정이나 기록이 한쪽에서 새고 있습니다."}
        check = graded("sample_ratio", "표본 비율", message, value, "fail" if value < ALARM else "ok", ALARM, tails)
        bias, spread = checks.relevant_bias(self.primary), max(float(np.sqrt((p * (1 - p)).sum())), 1e-12)
        moved = min(bias / max(self.fit.y.std(), 1e-300), 1.0) * p.sum()
        how = "결과가 표준편차 하나만큼 다른 대상이 실험군에서 빠져 그만큼 치우쳤다면"
        return [checks.powered(check, bias, checks.normal_power(moved / spread, ALARM), how)]

    def _balance(self) -> list[Check]:
        """공변량 모두로 처치를 예측할 수 있는지(군집 강건 Wald)."""
        f = self.fit
        if f.X.shape[1] == 0:
            return []
        X = f.X.to_numpy()
        Z = np.column_stack([np.ones(len(X)), (X - X.mean(axis=0)) / X.std(axis=0)])
        beta, covariance, _ = least_squares(Z, f.a.astype(float) - f.p, f.clusters, for_learning(f.w))
        k = Z.shape[1] - 1
        units = len(X) if f.clusters is None else int(f.clusters.max()) + 1
        if units <= k + 2:
            return []
        wald = float(beta[1:] @ np.linalg.pinv(covariance[1:, 1:]) @ beta[1:])
        # 군집이 적으면 Wald 통계량의 꼬리가 두꺼워져 Hotelling의 자유도를 씁니다.
        value = float(stats.f.sf(wald * (units - k) / (k * (units - 1)), k, units - k))
        rare = " 무작위 배정이라면 아주 드문 일입니다."
        message = f"공변량 {k}개를 함께 보아 두 집단이 다를 p값은 {value:.3f}입니다."
        check = graded(
            "balance",
            "배정 앞 변수의 균형",
            message,
            value,
            ladder(value, BALANCE_WARN, ALARM),
            ALARM,
            {"warn": rare, "fail": rare},
        )
        bias, apart = checks.relevant_bias(self.primary), self.scores["difference"]
        told = max(0.0, 1 - (1 - self._explained()) * (len(X) - 1) / max(len(X) - k - 1, 1))
        shift = told * (bias / max(standard_error(apart, f.clusters), 1e-300)) ** 2
        how = f"결과에 따라 갈렸다면. 공변량은 결과의 {percent(told, 0)}를 설명합니다"
        return [checks.powered(check, bias, checks.wald_power(shift, k, units - k, BALANCE_WARN), how)]

    def _explained(self) -> float:
        """팔을 알 때 공변량이 결과의 남은 분산을 설명하는 몫."""
        f = self.fit
        left = f.y - np.where(f.a, f.y[f.a].mean(), f.y[~f.a].mean())
        X = f.X.to_numpy() - np.where(f.a[:, None], f.X.to_numpy()[f.a].mean(axis=0), f.X.to_numpy()[~f.a].mean(axis=0))
        residual = left - X @ np.linalg.lstsq(X, left, rcond=None)[0]
        return float(1 - (residual @ residual) / max(left @ left, 1e-300))

    def _attrition(self) -> Check:
        """결과가 빈 몫이 두 집단에서 다른지."""
        everyone, t = self.fit.everyone, self.spec.treatment
        missing = everyone[self.spec.outcome.column].isna().to_numpy().astype(float)
        if missing.sum() == 0:
            return graded("attrition", "결과의 빠짐", "결과가 빈 대상이 없습니다.", 0.0, "ok", ATTRITION_WARN)
        a = (everyone[t.column] == t.treated).to_numpy()
        beta, covariance, _ = least_squares(
            np.column_stack([np.ones(len(a)), a]),
            missing,
            cluster_codes(self.spec, everyone),
            for_learning(row_weights(self.spec, everyone)),
        )
        p, gap, share = (
            two_sided(beta[1] / max(np.sqrt(covariance[1, 1]), 1e-12)),
            abs(float(beta[1])),
            float(missing.mean()),
        )
        status = "fail" if p < 0.01 and gap > ATTRITION_WARN else "warn" if p < 0.05 or share > 0.1 else "ok"
        arms = checks.by_arm(missing[a].sum(), a.sum(), missing[~a].sum(), (~a).sum())
        message = f"결과가 빈 대상은 {percent(share)}이고, 두 집단의 차이는 {percent(gap)}포인트(p={p:.3f})입니다."
        check = graded(
            "attrition",
            "결과의 빠짐",
            f"{message} {arms}",
            gap,
            status,
            ATTRITION_WARN,
            {"fail": " 남은 대상끼리는 더는 무작위가 아닙니다."},
        )
        bias, se = checks.relevant_bias(self.primary), max(float(np.sqrt(covariance[1, 1])), 1e-300)
        needed = min(bias / max(self.fit.y.std(), 1e-300), 1.0)
        how = "빠진 대상의 결과가 표준편차 하나만큼 다르다면"
        return checks.powered(check, bias, checks.normal_power(needed / se, 0.05), how)

    # --- 추정 ---

    @cached_property
    def scores(self) -> dict[str, np.ndarray]:
        """방법마다의 점수(평균이 추정값, shape (n,))."""
        f = self.fit
        found = {"difference": difference_scores(f.y, f.a, f.p, f.w)}
        if f.X.shape[1]:
            found["regression"] = lin_scores(f.y, f.a, f.p, f.X.to_numpy(), f.w)
        found["aipw"] = weighted(self._unit_scores, f.w)
        low, high = np.quantile(f.y, [WINSOR, 1 - WINSOR])
        if high > low:
            found["winsorised"] = difference_scores(np.clip(f.y, low, high), f.a, f.p, f.w)
        return found

    @property
    def _unit_scores(self) -> np.ndarray:
        """대상마다의 AIPW 점수(가중하지 않은 것)."""
        f = self.fit
        return f.mu1 - f.mu0 + f.a / f.p * (f.y - f.mu1) - ~f.a / (1 - f.p) * (f.y - f.mu0)

    @cached_property
    def estimates(self) -> list[Estimate]:
        """평균 차이, 교호작용을 넣은 회귀(공변량이 있으면 주된 추정), 기계학습 보정, 양 끝을 누른 평균."""
        primary = "regression" if "regression" in self.scores else "difference"
        labels = {
            "difference": ("평균의 차이", "표본이 작아 우연히 두 집단이 다르게 갈렸을 때"),
            "regression": ("교호작용을 넣은 회귀(Lin)", "대상에 견주어 공변량이 많을 때"),
            "aipw": ("기계학습으로 보정한 차이(교차 적합)", "표본이 작아 겹 밖 예측이 잡음일 때"),
            "winsorised": (f"양 끝 {WINSOR:.0%}를 누른 평균의 차이", "효과가 바로 그 끝의 대상에서 나올 때"),
        }
        targets = {"winsorised": f"{self.ident.estimand}(누른 결과)"}
        return [
            estimate_from(
                psi,
                name,
                *labels[name],
                self.fit.clusters,
                name == primary,
                targets.get(name, self.ident.estimand),
                self.fit.a,
            )
            for name, psi in self.scores.items()
        ]

    # --- 흔들어 보기 ---

    def stress(self) -> tuple[list[Check], list[Sensitivity]]:
        """배정을 다시 뽑는 무작위화 시험, 반쪽 표본, 음성 대조군, 추정량끼리의 견줌, 결과가 빠진 대상의 한계."""
        f, spec, main = self.fit, self.spec, self.primary
        psi = self.scores[main.method]
        apart = {
            name: standard_error(other - psi, f.clusters) for name, other in self.scores.items() if name != main.method
        }
        found = [
            checks.agreement(self.estimates, apart),
            self._randomisation(),
            placebos.halves(spec, psi, f.clusters),
            self._few_rows(),
        ]
        if spec.negative_outcomes or spec.negative_treatments:
            found.append(checks.negative_control(spec, self._negative_controls(), main, needed=False))
        return found, [self._bounds()]

    def _randomisation(self) -> Check:
        """실제와 같은 단위로 배정을 다시 뽑습니다. 표준오차를 잘못된 단위로 셌으면 퍼짐이 어긋납니다.

        다시 뽑을 때마다 구간도 냅니다. 작은 팔에 드문 큰 값이 들고 나는 자료에서는 추정값이 작을 때 표준오차도 함께 작아, 구간이 0을 5%보다
        자주 비켜 갑니다. 효과가 없다고 본 배정의 분포라 모든 대상에서 센 것입니다(Wu와 Ding, 2021의 학생화한 무작위화 시험).
        """
        f, main = self.fit, self.primary
        rng = np.random.default_rng(self.spec.seed + 1)
        base = f.y - (f.p * f.mu1 + (1 - f.p) * f.mu0) if f.X.shape[1] else f.y - np.average(f.y, weights=f.w)
        unit = np.arange(len(base)) if f.clusters is None else f.clusters
        first = np.unique(unit, return_index=True)[1]
        a_unit, p_unit = f.a[first], f.p[first]
        constant, together = np.ptp(p_unit) < 1e-12, bool((a_unit[unit] == f.a).all())
        # 팔마다 단위의 무게와 (무게 × 결과). 배정을 다시 뽑아도 바뀌지 않습니다.
        sizes = [np.bincount(unit, v) for v in (f.w / f.p, f.w / (1 - f.p))]
        sums = [np.bincount(unit, v * base) for v in (f.w / f.p, f.w / (1 - f.p))]
        n, clustered = len(base), f.clusters is not None
        values, edge, missed = np.empty(PLACEBOS), float(stats.t.ppf(0.975, n - 1)) * np.sqrt(n / (n - 1)), 0
        for i in range(PLACEBOS):
            drawn = rng.permutation(a_unit) if constant else rng.random(len(p_unit)) < p_unit
            (m1, v1, dof1), (m0, v0, dof0) = (
                _mean(size[arm], total[arm], clustered)
                for size, total, arm in zip(sizes, sums, (drawn, ~drawn), strict=True)
            )
            values[i], variance = m1 - m0, v1 + v0
            if clustered:
                edge = float(stats.t.ppf(0.975, max(variance**2 / max(v1**2 / dof1 + v0**2 / dof0, 1e-300), 1.0)))
            missed += abs(values[i]) > edge * np.sqrt(variance)
        message = f"배정을 {PLACEBOS}번 다시 뽑았습니다."
        share = missed / PLACEBOS if together else None
        return placebos.spread_placebo(
            "배정을 다시 뽑은 위약", message, values, main.value, main.se, main, 0.6, 1.6, missed=share
        )

    def _few_rows(self) -> Check:
        """양 끝을 누르면 결론이 바뀌는지, 몇 대상이 추정값의 흩어짐을 정하는지."""
        main, pressed = self.primary, next((e for e in self.estimates if e.method == "winsorised"), None)
        apart = self.scores[main.method] - main.value
        deciding = float((apart**2).sum() ** 2 / max((apart**4).sum(), 1e-300))
        few = deciding < FEW_DECIDE
        tail = (
            f" 추정값의 흩어짐이 대상 {number(deciding, digits=1)}개에 몰려 있습니다. 그런 대상 하나가 들고 남에 따라 답이 바뀌므로, 상한을 두거나 "
            "로그를 취한 결과로도 물으세요."
            if few
            else ""
        )
        if pressed is None:
            return flagged("few_rows", "몇 대상의 힘", f"결과의 양 끝을 누를 것이 없습니다.{tail}", deciding, few)
        flips = (main.low > 0 and pressed.high < 0) or (main.high < 0 and pressed.low > 0)
        loses = (main.low > 0 or main.high < 0) and pressed.low < 0 < pressed.high
        message = (
            f"결과의 양 끝 {WINSOR:.0%}를 누르면 {number(pressed.value)}입니다(누르지 않으면 {number(main.value)})."
        )
        return flagged("few_rows", "몇 대상의 힘", message + tail, pressed.value, flips or loses or few)

    def _negative_controls(self) -> list[tuple[str, float, float, float]]:
        f, spec, found = self.fit, self.spec, []
        for name in spec.negative_outcomes:
            y = f.frame[name].to_numpy(dtype=float)
            keep = np.isfinite(y)
            psi = difference_scores(y[keep], f.a[keep], f.p[keep], f.w[keep])
            clusters = subset_clusters(f.clusters, keep)
            slope = checks.follows(psi, self.scores[self.primary.method][keep], clusters)
            found.append((name, float(psi.mean()), standard_error(psi, clusters), slope))
        for name in spec.negative_treatments:
            found.append(checks.negative_treatment(spec, f.frame, f.X.to_numpy(), f.y, f.fold, f.clusters, name))
        return found

    def _bounds(self) -> Sensitivity:
        """결과가 빠진 대상이 있을 때의 Lee 한계. 빠짐이 없으면 표준화한 효과입니다."""
        f, main, t = self.fit, self.primary, self.spec.treatment
        missing = f.everyone[self.spec.outcome.column].isna().to_numpy()
        if not missing.any():
            size = abs(main.value) / max(f.y.std(), 1e-12)
            message = f"추정값은 결과의 표준편차의 {size:.2f}배입니다. 배정이 무작위이므로 숨은 교란 요인의 세기는 묻지 않습니다."
            return Sensitivity("standardised_effect", "표준화한 효과", float(size), message)
        a = (f.everyone[t.column] == t.treated).to_numpy()
        w = row_weights(self.spec, f.everyone)
        kept = [1 - np.average(missing[arm], weights=w[arm]) for arm in (a, ~a)]
        low, high = lee_bounds(f.y[f.a], f.y[~f.a], *kept, f.w[f.a], f.w[~f.a])
        message = f"빠진 대상의 결과를 가장 나쁘게, 가장 좋게 볼 때의 효과(Lee 한계)는 {number(low)}에서 {number(high)}입니다."
        return Sensitivity(
            "lee_bounds",
            "결과가 빠진 대상의 한계",
            low if main.value > 0 else high,
            message,
            {"low": low, "high": high},
        )

    # --- 그림과 재현 ---

    def pictures(self) -> list[Picture]:
        """균형."""
        f = self.fit
        if f.X.shape[1] == 0:
            return []
        X = f.X.to_numpy()
        w1, w0 = f.w * f.a / f.p, f.w * ~f.a / (1 - f.p)
        data = {
            "labels": [str(c) for c in f.X.columns],
            "before": ((X[f.a].mean(axis=0) - X[~f.a].mean(axis=0)) / X.std(axis=0)).tolist(),
            "after": (((w1 @ X) / w1.sum() - (w0 @ X) / w0.sum()) / X.std(axis=0)).tolist(),
            "threshold": 0.1,
        }
        return [
            Picture(
                "balance",
                "배정 앞 변수의 균형",
                "변수마다 두 집단의 표준화 평균 차이. 배정 확률로 가중한 것과 하지 않은 것.",
                data,
            )
        ]

    def steps(self) -> list[Step]:
        """같은 함수로 같은 값을 내고, statsmodels의 회귀로 확인합니다."""
        f, t, y = self.fit, self.spec.treatment, self.spec.outcome.column
        groups = (
            f"pd.factorize(frame[{cluster_column(self.spec)!r}], sort=True)[0]" if f.clusters is not None else "None"
        )
        p = t.probability
        probability = (
            f"frame[{p!r}].to_numpy(dtype=float)"
            if isinstance(p, str)
            else f"np.full(len(y), {float(p) if p is not None else 'np.average(a, weights=w)' if weighting.sampled(self.spec) else 'a.mean()'})"
        )
        w, with_w = weighting.code(self.spec), weighting.argument(self.spec)
        found = [
            Step(
                "두 팔만 남기고 결과가 있는 대상을 씁니다.",
                f"{IMPORTS}\nimport statsmodels.api as sm\n\nframe = frame[frame[{t.column!r}].isin([{t.control!r}, {t.treated!r}])].dropna(subset=[{y!r}])\n"
                f"y = frame[{y!r}].to_numpy(dtype=float)\na = (frame[{t.column!r}] == {t.treated!r}).to_numpy()\n{w}p = {probability}\ngroups = {groups}",
            ),
            Step(
                "배정 확률로 가중한 평균의 차이입니다. 확률이 모두 같으면 그냥 평균의 차이입니다.",
                f'{source(difference_scores, *INTERVAL)}\n\nreproduced["difference"] = interval(difference_scores(y, a, p{with_w}), groups, a)\nreproduced["difference"]',
            ),
        ]
        if f.X.shape[1]:
            found.append(
                Step(
                    "팔마다 회귀하고 전체 평균 공변량에서의 예측을 뺍니다. statsmodels의 두 회귀로 값을 확인합니다.",
                    f"{source(covariate_matrix, lin_scores)}\n\nX = covariate_matrix(frame, {list(self.ident.adjustment)!r}).to_numpy()\n"
                    f'reproduced["regression"] = interval(lin_scores(y, a, p, X{with_w}), groups, a)\n'
                    + ("" if with_w else "w = np.ones(len(y))\n")
                    + "Z = sm.add_constant(X - w @ X / len(y), has_constant='add')\n"
                    "print(sm.WLS(y[a], Z[a], weights=(w / p)[a]).fit().params[0] - sm.WLS(y[~a], Z[~a], weights=(w / (1 - p))[~a]).fit().params[0])\n"
                    'reproduced["regression"]',
                )
            )
        return found


def _mean(size: np.ndarray, total: np.ndarray, clustered: bool) -> tuple[float, float, float]:
    """한 팔의 (무게로 낸 평균, 그 분산, 자유도). 군집이면 ``shown.arm_spread``, 아니면 ``shown.standard_error``와 같은 셈입니다.

    Parameters
    ----------
    size, total : array, shape (단위,)
        그 팔의 단위마다의 무게와 (무게 × 결과)의 합.
    """
    if not len(size):
        return 0.0, 0.0, 1.0
    share = size / size.sum()
    mean = float(total.sum() / size.sum())
    apart = ((total - mean * size) / size.sum()) ** 2
    if not clustered:
        return mean, float(apart.sum()), 1.0
    degrees = max(float((share**2).sum() ** 2 / (share**4).sum()) - 1, 1.0)
    return mean, float((apart / np.maximum(1 - share, 1e-9)).sum()), degrees


def lee_bounds(
    y1: np.ndarray, y0: np.ndarray, kept1: float, kept0: float, v1: np.ndarray, v0: np.ndarray
) -> tuple[float, float]:
    """남은 몫이 큰 쪽의 끝을 차이만큼 잘라 낸 두 평균 차이(Lee, 2009). ``v1``, ``v0``은 표본 가중치입니다."""
    trim = abs(kept1 - kept0) / max(kept1, kept0)
    (y, v), (other, u), sign = ((y1, v1), (y0, v0), 1.0) if kept1 >= kept0 else ((y0, v0), (y1, v1), -1.0)
    order = np.argsort(y, kind="stable")
    y, v = y[order], v[order]
    edge = trim * v.sum() * (1 + 1e-12)
    below, above = np.cumsum(v) <= edge, np.cumsum(v[::-1])[::-1] <= edge
    rest = np.average(other, weights=u)
    low, high = sorted(sign * (np.average(y[kept], weights=v[kept]) - rest) for kept in (~above, ~below))
    return float(low), float(high)
