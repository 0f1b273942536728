"""보정 설계: 잰 교란 요인이 같은 대상끼리 견줍니다. 값이 갈래로 나뉜 처치를 다룹니다."""

from dataclasses import dataclass, replace
from functools import cached_property

import networkx as nx
import numpy as np
import pandas as pd

from causal_pipeline import checks, learners, placebos, weighting
from causal_pipeline.checks import flagged, graded, ladder
from causal_pipeline.designs.base import NO_PROBABILITY, Design, UnitEffects
from causal_pipeline.graphs import identification_step
from causal_pipeline.identification import by_adjustment, require_arms
from causal_pipeline.inference import (
    cluster_codes,
    cluster_column,
    estimate_from,
    fold_groups,
    for_learning,
    kish,
    row_weights,
    subset_clusters,
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
    weighted,
)
from causal_pipeline.wording import number, percent

# 성향점수를 자르는 자리. 한 대상의 가중치가 100을 넘지 않습니다.
CLIP = 0.01
# 성향점수가 이보다 0이나 1에 가까우면 견줄 짝이 거의 없습니다(한 대상이 50개 몫을 합니다).
EXTREME = 0.02
# 그런 대상의 몫. 넘으면 그 대상들의 효과는 자료가 아니라 모델이 채운 것입니다.
EXTREME_WARN, EXTREME_FAIL = 0.02, 0.10
# 가중 뒤의 유효표본 몫과 그 수, 표준화 평균 차이의 관례적인 한계.
EFFECTIVE_WARN, EFFECTIVE_FAIL = 0.30, 0.10
FEW_EFFECTIVE, TOO_FEW_EFFECTIVE = 50, 20
BALANCE_WARN, BALANCE_FAIL = 0.10, 0.25
PLACEBOS, BLOCK = 200, 40
TRIMS = (0.02, 0.05, 0.10)
# 자르기로 추정값이 표준오차의 이만큼보다 더 움직이면 몇 대상이 결론을 정하고 있습니다.
MOVED = 2.0


@dataclass
class Fit:
    """교차 적합의 결과. 배열의 길이는 모두 결과와 처치가 있는 행의 수입니다.

    ``arms``는 처치의 수준 번호, ``a``는 처치 수준, ``b``는 견줄 수준인 행, ``e1``, ``e0``은 그 수준을 받을 확률, ``mu1``, ``mu0``은 겹 밖에서 예측한 결과,
    ``w``는 표본 가중치(평균 1)입니다.
    """

    frame: pd.DataFrame
    X: pd.DataFrame
    y: np.ndarray
    arms: np.ndarray
    a: np.ndarray
    b: np.ndarray
    fold: np.ndarray
    clusters: np.ndarray | None
    e1: np.ndarray
    e0: np.ndarray
    mu1: np.ndarray
    mu0: np.ndarray
    outcome: learners.Choice
    propensity: learners.Choice
    w: np.ndarray


# --- 식(재현 노트북에 그대로 실립니다) ---


def arm_codes(treatment: pd.Series, treated: object, control: object) -> tuple[np.ndarray, int, int]:
    """처치의 수준 번호와, 견주는 두 수준의 번호."""
    levels = sorted(treatment.unique(), key=lambda v: (str(type(v)), v))
    return pd.Categorical(treatment, categories=levels).codes.astype(int), levels.index(treated), levels.index(control)


def aipw_scores(
    y: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    e1: np.ndarray,
    e0: np.ndarray,
    mu1: np.ndarray,
    mu0: np.ndarray,
    att: bool,
    clip: float = 0.01,
    w: np.ndarray | float = 1.0,
) -> np.ndarray:
    """AIPW의 점수. 평균이 추정값입니다. 성향점수는 ``clip``에서 자릅니다. ``w``는 표본 가중치입니다."""
    e0 = np.clip(e0, clip, 1)
    if att:
        # 나누는 것은 e0뿐입니다. 드문 처치에서 e1까지 자르면 닮지 않은 대조군의 무게가 부풀어 오릅니다.
        share = (w * a).mean()
        psi = w * (a * (y - mu0) - b * e1 / e0 * (y - mu0)) / share
        return psi - (w * a / share - 1) * psi.mean()
    e1 = np.clip(e1, clip, 1)
    return weighted(mu1 - mu0 + a / e1 * (y - mu1) - b / e0 * (y - mu0), w)


# --- 설계 ---


class Adjustment(Design):
    """교차 적합한 AIPW."""

    name = "adjustment"
    label = "교란 요인 보정"
    question = "위의 어느 것도 아니고, 교란 요인을 재어 보정합니까?"
    precedence = 1000
    reveals = {"negative_control": "음성 대조군"}  # noqa: RUF012
    ignores = {"treatment.probability": NO_PROBABILITY}  # noqa: RUF012
    doubt = "배정을 모릅니다. 적은 교란 요인이 전부라는 가정은 자료로 확인할 수 없습니다."
    strength = "robustness_value"
    effects_split_in = "평균 처치효과(ATE)를 묻는 갈래로 나뉜 처치의 보정"

    @classmethod
    def applies(cls, spec: Spec, frame: pd.DataFrame | None = None) -> bool:
        return not spec.fields and not spec.treatment.randomized and spec.treatment.kind != "continuous"

    @classmethod
    def identify(cls, spec: Spec, frame: pd.DataFrame, graph: nx.DiGraph) -> Identification:
        require_arms(spec, frame)
        return by_adjustment(cls.name, spec, graph)

    @property
    def att(self) -> bool:
        """추정 대상이 처치받은 대상의 효과이면 참."""
        return self.ident.estimand == "ATT"

    @cached_property
    def fit(self) -> Fit:
        """장애모수를 고르고 교차 적합합니다."""
        spec = self.spec
        rows = self.frame.dropna(subset=[spec.treatment.column, spec.outcome.column])
        X = learners.design_matrix(spec, rows, self.ident.adjustment)
        values = X.to_numpy()
        y = rows[spec.outcome.column].to_numpy(dtype=float)
        code, one, zero = arm_codes(rows[spec.treatment.column], spec.treatment.treated, spec.treatment.control)
        clusters = cluster_codes(spec, rows)
        fold = fold_numbers(code, spec.seed, fold_groups(spec, clusters, self.ident.adjustment))
        w = row_weights(spec, rows)
        propensity = learners.pick_propensity(values, code, fold, spec.seed, for_learning(w))
        e = cross_fit(propensity.model, values, code, fold, classify=True, weight=for_learning(w))
        a, b = code == one, code == zero
        outcome, mu1, mu0 = self._outcome_models(values, y, a, b, fold, w)
        return Fit(rows, X, y, code, a, b, fold, clusters, e[:, one], e[:, zero], mu1, mu0, outcome, propensity, w)

    def _outcome_models(
        self, X: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray, fold: np.ndarray, w: np.ndarray
    ) -> tuple[learners.Choice, np.ndarray, np.ndarray]:
        weight = for_learning(w)
        choice = learners.pick_two_arm_outcome(X, y, (a, b), fold, self.spec.seed, weight)
        mu1, mu0 = (cross_fit(choice.model, X, y, fold, only=arm, weight=weight) for arm in (a, b))
        return choice, mu1, mu0

    @cached_property
    def _weights(self) -> tuple[np.ndarray, np.ndarray]:
        """두 팔의 역확률 가중치(팔 안에서 합이 1). 표본 가중치를 곱한 것입니다."""
        f = self.fit
        e0 = np.clip(f.e0, CLIP, 1)
        w1 = f.w * (f.a.astype(float) if self.att else f.a / np.clip(f.e1, CLIP, 1))
        w0 = f.w * (f.b * f.e1 / e0 if self.att else f.b / e0)
        return w1 / w1.sum(), w0 / w0.sum()

    def unit_effects(self) -> UnitEffects | None:
        """대상마다의 AIPW 점수. 추정 대상이 ATT이면 None."""
        if self.att:
            return None
        f = self.fit
        psi = aipw_scores(f.y, f.a, f.b, f.e1, f.e0, f.mu1, f.mu0, False, CLIP)
        return UnitEffects(f.frame, psi, f.clusters, f.fold, weights=f.w)

    # --- 점검 ---

    def check(self) -> list[Check]:
        """겹침, 균형, 유효표본, 그래프의 독립을 봅니다."""
        f = self.fit
        return [
            *checks.missing_covariates(f.frame, self.ident.adjustment),
            *checks.declared_timing(self.spec, self.ident),
            *checks.cluster_count(self.spec, f.clusters, f.arms),
            *([] if f.X.shape[1] == 0 else [self._overlap(), self._effective_sample(), self._balance()]),
            *checks.graph_independences(self.spec, f.frame, self.primary, self.ident.adjustment),
        ]

    def _overlap(self) -> Check:
        f = self.fit
        far = f.e0 < EXTREME if self.att else np.minimum(f.e1, f.e0) < EXTREME
        extreme = float(np.average(far, weights=f.w * (f.a if self.att else 1.0)))
        tail = " 이 대상들의 효과는 자료가 아니라 모델이 채운 것입니다."
        message = f"견줄 짝이 거의 없는(한쪽을 받을 확률이 {EXTREME:.0%} 밑인) 대상이 {percent(extreme)}입니다."
        return graded(
            "overlap",
            "성향점수의 겹침",
            message,
            extreme,
            ladder(extreme, EXTREME_WARN, EXTREME_FAIL),
            EXTREME_FAIL,
            {"warn": tail, "fail": tail},
        )

    def _effective_sample(self) -> Check:
        f = self.fit
        effective = [1 / (w**2).sum() for w in self._weights]
        # ATT에서는 대조군이 아무리 많아도 실험군만큼만 쓰이므로, 실험군의 수에 견줍니다.
        ratio = (
            effective[1] / min(f.a.sum(), f.b.sum())
            if self.att
            else min(effective[0] / f.a.sum(), effective[1] / f.b.sum())
        )
        status = max(
            ladder(ratio, EFFECTIVE_WARN, EFFECTIVE_FAIL),
            ladder(min(effective), FEW_EFFECTIVE, TOO_FEW_EFFECTIVE),
            key=("ok", "warn", "fail").index,
        )
        message = f"가중한 뒤의 유효표본은 실험군 {effective[0]:,.0f}개(전체 {int(f.a.sum()):,}개), 대조군 {effective[1]:,.0f}개(전체 {int(f.b.sum()):,}개)입니다."
        return graded("effective_sample", "유효표본", message, ratio, status, EFFECTIVE_WARN)

    def _standardised(self, w1: np.ndarray, w0: np.ndarray) -> np.ndarray:
        """가중한 두 팔의 표준화 평균 차이, shape (p,)."""
        f, X = self.fit, self.fit.X.to_numpy()
        spread = np.sqrt((X[f.a].var(axis=0) + X[f.b].var(axis=0)) / 2)
        spread[spread == 0] = 1.0
        return (w1 @ X - w0 @ X) / spread

    def _balance(self) -> Check:
        gaps = np.abs(self._standardised(*self._weights))
        worst = int(gaps.argmax())
        message = f"가중한 뒤에도 가장 크게 다른 변수는 '{self.spec.readable(self.fit.X.columns[worst])}'(표준화 평균 차이 {gaps[worst]:.2f})입니다."
        return graded(
            "balance",
            "가중 뒤의 균형",
            message,
            gaps[worst],
            ladder(gaps[worst], BALANCE_WARN, BALANCE_FAIL),
            BALANCE_WARN,
        )

    # --- 추정 ---

    @cached_property
    def scores(self) -> dict[str, np.ndarray]:
        """방법마다의 점수(평균이 추정값, shape (n,))."""
        f = self.fit
        found = {
            "aipw": aipw_scores(f.y, f.a, f.b, f.e1, f.e0, f.mu1, f.mu0, self.att, CLIP, f.w),
            "ipw": self._ipw(),
            "regression": self._regression(),
        }
        if f.X.shape[1]:
            found["overlap_weighted"] = self._partially_linear()
        return found

    @cached_property
    def estimates(self) -> list[Estimate]:
        """AIPW(주된 추정), 역확률 가중, 곧은 회귀, 겹침 가중, 그리고 견줌을 위한 단순 비교."""
        f = self.fit
        labels = {
            "aipw": ("AIPW(교차 적합)", "성향점수와 결과 모델이 함께 틀릴 때"),
            "ipw": ("역확률 가중(정규화)", "성향점수 모델이 틀렸거나 겹침이 약할 때"),
            "regression": ("교호작용을 넣은 선형회귀", "결과가 공변량에 곧게 따르지 않을 때"),
            "overlap_weighted": ("부분선형 DML(겹침 가중)", "효과가 대상마다 다를 때(겹치는 대상에 무게가 실립니다)"),
        }
        out = [
            estimate_from(
                psi,
                name,
                *labels[name],
                f.clusters,
                name == "aipw",
                "ATO" if name == "overlap_weighted" else self.ident.estimand,
                f.arms,
            )
            for name, psi in self.scores.items()
        ]
        w1, w0 = f.w * f.a / (f.w * f.a).mean(), f.w * f.b / (f.w * f.b).mean()
        m1, m0 = (w1 * f.y).mean(), (w0 * f.y).mean()
        naive = m1 - m0 + w1 * (f.y - m1) - w0 * (f.y - m0)
        return [
            *out,
            estimate_from(
                naive,
                "naive",
                "보정하지 않은 차이",
                "처치를 받은 쪽과 받지 않은 쪽이 처음부터 다를 때",
                f.clusters,
                arms=f.arms,
            ),
        ]

    def _ipw(self) -> np.ndarray:
        f, (w1, w0) = self.fit, self._weights
        m1, m0 = w1 @ f.y, w0 @ f.y
        return m1 - m0 + len(f.y) * (w1 * (f.y - m1) - w0 * (f.y - m0))

    def _regression(self) -> np.ndarray:
        """팔마다 선형회귀를 맞추고 목표 집단의 평균 공변량에서 뺀 것. 공변량 평균의 흔들림까지 셉니다."""
        f = self.fit
        target = f.w * f.a / (f.w * f.a).mean() if self.att else f.w
        X = f.X.to_numpy()
        centre = (target @ X) / len(f.y)
        Z = np.column_stack([np.ones(len(f.y)), X - centre])
        value, psi, slopes = 0.0, np.zeros(len(f.y)), []
        for arm, sign in ((f.a, 1.0), (f.b, -1.0)):
            W = Z[arm] * f.w[arm][:, None]
            bread = np.linalg.pinv(W.T @ Z[arm])
            beta = bread @ (W.T @ f.y[arm])
            residual = np.where(arm, f.w * (f.y - Z @ beta), 0.0)
            psi += sign * len(f.y) * (Z @ bread[0]) * residual * np.sqrt(arm.sum() / max(arm.sum() - Z.shape[1], 1))
            value += sign * beta[0]
            slopes.append(beta[1:])
        psi += target * ((X - centre) @ (slopes[0] - slopes[1]))
        return value + psi

    def _partially_linear(self) -> np.ndarray:
        """두 수준만 남긴 잔차끼리의 회귀. 평균이 계수입니다."""
        f = self.fit
        keep = f.a | f.b
        e = np.clip(f.e1 / np.maximum(f.e1 + f.e0, 1e-12), 0, 1)
        m = e * f.mu1 + (1 - e) * f.mu0
        v, u = (np.sqrt(f.w) * np.where(keep, part, 0.0) for part in (f.a - e, f.y - m))
        value = (v @ u) / (v @ v)
        return value + (v * (u - value * v)) / (v @ v) * len(f.y)

    # --- 흔들어 보기 ---

    def stress(self) -> tuple[list[Check], list[Sensitivity]]:
        """순열 위약, 반쪽 표본, 음성 대조군, 자르기, 추정량끼리의 견줌, 숨은 교란 요인의 세기."""
        f, main, psi = self.fit, self.primary, self.scores["aipw"]
        apart = {name: standard_error(other - psi, f.clusters) for name, other in self.scores.items() if name != "aipw"}
        trim_check, trimmed = self._trimming()
        keep = f.a | f.b
        strength, strength_check = checks.robustness(
            self.spec, f.frame[keep], f.X[keep], f.a[keep].astype(float), f.y[keep], main, f.w[keep]
        )
        found = [
            checks.agreement(self.estimates, apart),
            self._placebo(),
            placebos.halves(self.spec, psi, f.clusters),
            trim_check,
            checks.negative_control(self.spec, self._negative_controls(), main),
            *strength_check,
        ]
        return found, [*strength, trimmed]

    def _placebo(self) -> Check:
        """성향점수가 비슷한 대상끼리 처치를 섞어 같은 추정을 되풀이합니다.

        결과에서 자기 팔의 예측을 빼면 효과가 남지 않으므로, 섞은 추정값은 0 둘레여야 하고 퍼진 정도는 보고한 표준오차만 해야
        합니다. 성향점수의 잘못과 결과 모델의 잘못이 같은 대상에게 겹치면 중심이, 표준오차를 잘못 셌으면 퍼짐이 어긋납니다.
        """
        f, main = self.fit, self.primary
        rng = np.random.default_rng(self.spec.seed + 1)
        rows = np.flatnonzero(f.a | f.b)
        e = np.clip(f.e1 / np.maximum(f.e1 + f.e0, 1e-12), 0.0 if self.att else CLIP, 1 - CLIP)[rows]
        residual = np.where(f.a, f.y - f.mu1, f.y - f.mu0)[rows]
        order = np.argsort(e, kind="stable")
        blocks = np.arange(len(rows)) // BLOCK
        treated = f.a[rows][order].astype(float)
        residual, e, w = residual[order], e[order], f.w[rows][order]
        clusters = None if f.clusters is None else f.clusters[rows][order]
        values, share = np.empty(PLACEBOS), (w * treated).mean()
        for i in range(PLACEBOS):
            mixed = _shuffle(rng, treated, blocks, clusters)
            if self.att:
                psi = (mixed - (1 - mixed) * e / (1 - e)) * residual / share
            else:
                psi = (mixed / e - (1 - mixed) / (1 - e)) * residual
            values[i] = (w * psi).mean()
        centre, ratio = values.mean() / max(main.se, 1e-300), values.std(ddof=1) / max(main.se, 1e-300)
        p = float((1 + (np.abs(values - values.mean()) >= abs(main.value)).sum()) / (PLACEBOS + 1))
        message = (
            f"성향점수가 비슷한 대상끼리 처치를 {PLACEBOS}번 섞었습니다. 위약의 중심은 표준오차의 {number(centre, digits=2, signed=True)}배, "
            f"퍼짐은 {ratio:.2f}배이고, 위약이 추정값만큼 큰 몫(p값)은 {p:.3f}입니다."
        )
        check = flagged("placebo", "순열 위약", message, p, abs(centre) > 1.0 or not 0.5 < ratio < 2.0)
        # 섞은 처치의 기댓값은 묶음(군집이면 모두)에서 처치받은 몫이므로, 중심의 영향함수는 되풀이하지 않고도 나옵니다.
        if clusters is None:
            expected = (np.bincount(blocks, weights=treated) / np.bincount(blocks))[blocks]
        else:
            first = np.unique(clusters, return_index=True)[1]
            expected = np.full(len(treated), treated[first].mean())
        if self.att:
            slope = w * (expected - (1 - expected) * e / (1 - e)) / share
        else:
            slope = w * (expected / e - (1 - expected) / (1 - e))
        # 예측이 남은 표준편차만큼 틀리면 나머지의 분산이 두 배가 됩니다. 틀린 몫은 묶음 안에서 함께 움직여, 묶음째 더한 것이 중심을 흔듭니다.
        bias, error = checks.relevant_bias(main), standard_error(slope * residual, subset_clusters(clusters, w > -1))
        together = np.bincount(blocks if clusters is None else clusters, weights=slope) / len(w)
        swollen = error**2 + np.average(residual**2, weights=w) * (together**2).sum()
        noticed = checks.joint_power([bias], swollen, lambda m: np.abs(m[:, 0]) > np.sqrt(2) * main.se)
        how = (
            "성향점수가 같은 대상들에서 결과의 예측이 남은 표준편차만큼 틀리고 성향점수도 함께 틀려 그만큼 치우쳤다면. "
            "숨은 교란 요인은 볼 수 없습니다"
        )
        return checks.powered(check, bias, noticed, how)

    def _trimming(self) -> tuple[Check, Sensitivity]:
        """성향점수가 극단인 대상을 뺄 때 추정값이 얼마나 움직이는지."""
        f, main, values, moved, apart, extreme = self.fit, self.primary, {}, 0.0, [], None
        for cut in TRIMS:
            keep = (f.e0 >= cut) if self.att else (np.minimum(f.e1, f.e0) >= cut)
            if (f.a & keep).sum() < 20 or (f.b & keep).sum() < 20:
                continue
            psi = aipw_scores(*(v[keep] for v in (f.y, f.a, f.b, f.e1, f.e0, f.mu1, f.mu0)), self.att, CLIP, f.w[keep])
            value = float(psi.mean())
            if not keep.all():
                rest = np.zeros(len(keep))
                rest[keep] = (psi - value) / keep.mean()
                apart.append(rest - (self.scores["aipw"] - main.value))
                extreme = ~keep if extreme is None else extreme
            values[f"{cut:.2f}"] = value
            moved = max(moved, abs(value - main.value) / max(main.se, 1e-300))
        signs = {np.sign(v) for v in values.values()} | {np.sign(main.value)}
        bad = moved > MOVED or ((main.low > 0 or main.high < 0) and len(signs) > 1)
        text = ", ".join(f"{k} 밑을 빼면 {number(v)}" for k, v in values.items()) or "뺄 만큼 남지 않습니다"
        message = f"성향점수가 {text}. 가장 크게 움직인 것은 표준오차의 {moved:.1f}배입니다."
        check = flagged("trimming", "자르기", message, moved, bad, MOVED)
        return (
            self._trimming_power(check, apart, extreme),
            Sensitivity("trimming", "자르기에 따른 움직임(표준오차의 배수)", moved, message, values),
        )

    def _trimming_power(self, check: Check, apart: list[np.ndarray], extreme: np.ndarray | None) -> Check:
        """성향점수가 극단인 대상이 추정값을 치우치게 했다면, 빼고 낸 값이 그만큼 움직였을 확률.

        몇 대상이 치우침을 통째로 지면 그 대상들이 표준오차도 키워, 표준오차의 배수로 잰 움직임은 작아집니다. 추정식의 가중치로 센 유효한
        수가 k이면 표준오차의 제곱에 치우침의 제곱을 k로 나눈 것이 더해집니다. 그래서 극단인 대상이 몇뿐이면 힘이 없습니다.

        Parameters
        ----------
        apart : list of array, shape (n,)
            대상이 빠지는 자르기마다, 자른 추정과 주된 추정의 영향함수의 차이(평균이 오차).
        extreme : array of bool or None
            그 가운데 가장 먼저 빠지는 대상.
        """
        main, bias = self.primary, checks.relevant_bias(self.primary)
        if extreme is None:
            tail = " 빼게 되는 대상이 없어, 극단인 대상이 답을 정하는지 이 점검으로는 볼 것이 없습니다."
            return replace(
                check, status="unshown" if check.status == "ok" else check.status, message=check.message + tail
            )
        f, sign = self.fit, float(np.sign(main.value))
        covariance = checks.summed_covariance(np.column_stack(apart) / len(f.y), f.clusters)
        e0, e1 = np.clip(f.e0, CLIP, 1), f.e1 if self.att else np.clip(f.e1, CLIP, 1)
        carried = np.where(extreme, f.w * (f.a + f.b * e1 / e0 if self.att else f.a / e1 + f.b / e0), 0.0)
        if f.clusters is not None:
            carried = np.bincount(f.clusters, weights=carried)
        swollen = float(np.hypot(1.0, bias / max(main.se, 1e-300) / np.sqrt(max(kish(carried), 1e-300))))
        clear = abs(main.value) > swollen * (main.high - main.low) / 2

        def rings(moved: np.ndarray) -> np.ndarray:
            turned = clear & (np.sign(main.value + moved) != sign).any(axis=1)
            return (np.abs(moved).max(axis=1) > MOVED * swollen * main.se) | turned

        noticed = checks.joint_power([-sign * bias] * len(apart), covariance, rings)
        return checks.powered(check, bias, noticed, "성향점수가 극단인 대상들 때문에 그만큼 치우쳤다면")

    def _negative_controls(self) -> list[tuple[str, float, float, float]]:
        """음성 대조군마다 (이름, 추정값, 표준오차, 표준편차)."""
        f, spec, found = self.fit, self.spec, []
        for name in spec.negative_outcomes:
            y = f.frame[name].to_numpy(dtype=float)
            keep = np.isfinite(y)
            a, b, w = f.a[keep], f.b[keep], f.w[keep]
            _, mu1, mu0 = self._outcome_models(f.X.to_numpy()[keep], y[keep], a, b, f.fold[keep], w)
            psi = aipw_scores(y[keep], a, b, f.e1[keep], f.e0[keep], mu1, mu0, self.att, CLIP, w)
            clusters = subset_clusters(f.clusters, keep)
            slope = checks.follows(psi, self.scores["aipw"][keep], clusters)
            found.append((name, float(psi.mean()), standard_error(psi, clusters), slope))
        for name in spec.negative_treatments:
            found.append(checks.negative_treatment(spec, f.frame, f.X.to_numpy(), f.y, f.fold, f.clusters, name))
        return found

    # --- 그림과 재현 ---

    def pictures(self) -> list[Picture]:
        """성향점수의 분포, 균형."""
        f = self.fit
        if f.X.shape[1] == 0:
            return []
        edges = np.linspace(0, 1, 31)
        e = f.e1 / np.maximum(f.e1 + f.e0, 1e-12)
        counts = {
            name: np.histogram(e[arm], edges)[0].astype(float).tolist()
            for name, arm in (("treated", f.a), ("control", f.b))
        }
        balance = {
            "labels": [str(c) for c in f.X.columns],
            "before": self._standardised(*(f.w * arm / (f.w @ arm) for arm in (f.a, f.b))).tolist(),
            "after": self._standardised(*self._weights).tolist(),
            "threshold": BALANCE_WARN,
        }
        return [
            Picture(
                "overlap", "성향점수의 분포", "실험군과 대조군의 성향점수 막대그림. 겹치지 않는 구간의 대상은 견줄 짝이 없습니다.",
                {"edges": edges.tolist(), **counts},
            ),
            Picture("balance", "가중하기 전과 뒤의 균형", "변수마다 두 집단의 표준화 평균 차이를 가중하기 전과 뒤로 찍은 점.", balance),
        ]  # fmt: skip

    def steps(self) -> list[Step]:
        """같은 함수와 모델로 같은 값을 내고, econml로 견줍니다."""
        f, t, y, seed = self.fit, self.spec.treatment, self.spec.outcome.column, self.spec.seed
        groups = (
            f"pd.factorize(frame[{cluster_column(self.spec)!r}], sort=True)[0]" if f.clusters is not None else "None"
        )
        w, with_w = weighting.code(self.spec), weighting.argument(self.spec)
        learn = with_w.replace("w=", "weight=")
        together = "groups" if fold_groups(self.spec, f.clusters, self.ident.adjustment) is not None else "None"
        found = [
            identification_step(self.spec, self.ident.adjustment),
            Step(
                "결과와 처치가 있는 행만 두고, 범주는 가변수로 바꿉니다. 파이프라인과 같은 겹으로 나눕니다.",
                f"{IMPORTS}\n{model_imports(f.propensity.model, f.outcome.model)}\n\n{source(covariate_matrix, fold_numbers, fit_weighted, cross_fit, arm_codes)}\n\n"
                f"frame = frame.dropna(subset=[{t.column!r}, {y!r}])\nX = covariate_matrix(frame, {list(self.ident.adjustment)!r}).to_numpy()\n"
                f"y = frame[{y!r}].to_numpy(dtype=float)\ncode, one, zero = arm_codes(frame[{t.column!r}], {t.treated!r}, {t.control!r})\n"
                f"a, b = code == one, code == zero\n{w}groups = {groups}\nfold = fold_numbers(code, {seed}, {together})",
            ),
            Step(
                f"겹 밖 손실이 가장 작았던 모델(성향점수: {f.propensity.label}, 결과: {f.outcome.label})로 교차 적합합니다.",
                f"propensity = {model_source(f.propensity.model)}\noutcome = {model_source(f.outcome.model)}\n"
                f"e = cross_fit(propensity, X, code, fold, classify=True{learn})\n"
                f"mu1, mu0 = cross_fit(outcome, X, y, fold, only=a{learn}), cross_fit(outcome, X, y, fold, only=b{learn})",
            ),
            Step(
                "AIPW의 점수를 만들고 평균과 구간을 냅니다.",
                f"{source(*([] if with_w else [weighted]), aipw_scores, *INTERVAL)}\n\npsi = aipw_scores(y, a, b, e[:, one], e[:, zero], mu1, mu0, {self.att}, {CLIP}{with_w})\n"
                'reproduced["aipw"] = interval(psi, groups, code)\nreproduced["aipw"]',
            ),
        ]
        if f.X.shape[1] and (f.a | f.b).all() and not with_w:  # econml은 Pipeline에 표본 가중치를 넘기지 못합니다
            found.append(
                Step(
                    "econml의 DR 학습기로 같은 것을 잽니다. 겹과 다듬는 법이 달라 값이 똑같지는 않고 오차 안에서 맞습니다.",
                    "from econml.dr import LinearDRLearner\n\n"
                    f"learner = LinearDRLearner(model_propensity=propensity, model_regression=outcome, cv=5, random_state={seed})\n"
                    "learner.fit(y, a.astype(int), X=None, W=X)\nprint(learner.intercept_(1), learner.intercept__interval(1))",
                )
            )
        return found


def _shuffle(
    rng: np.random.Generator, treated: np.ndarray, blocks: np.ndarray, clusters: np.ndarray | None
) -> np.ndarray:
    """묶음 안에서 처치를 섞습니다. 군집으로 배정했으면 군집째 섞습니다."""
    if clusters is None:
        order = np.lexsort((rng.random(len(treated)), blocks))
        out = np.empty_like(treated)
        out[np.argsort(blocks, kind="stable")] = treated[order]
        return out
    first = np.zeros(clusters.max() + 1)
    first[clusters] = treated
    present = np.unique(clusters)
    shuffled = first.copy()
    shuffled[present] = rng.permutation(first[present])
    return shuffled[clusters]
