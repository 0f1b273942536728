"""패널의 용량: 대상마다 시점에 따라 움직이는 연속 처치를 대상과 시점의 고정효과로 견줍니다.

식별되는 것은 용량 한 단위의 효과가 모든 대상과 모든 용량에서 같을 때의 그 값입니다. 대상마다 다르면 용량이 많이 움직인 대상을
무겁게 친 평균이고(무게가 음수인 대상도 있을 수 있어 몫을 점검합니다), 용량마다 다르면(굽으면) 한 수로 말할 수 없어 멈춥니다. 적게
받은 대상이 많이 받았더라면 많이 받은 대상처럼 움직였으리라는 강한 평행 추세가 있어야 합니다(Callaway, Goodman-Bacon과 Sant'Anna,
2024). 평행 추세만으로는 용량끼리의 차이가 아니라 받지 않았을 때에 견준 효과만 식별되기 때문입니다.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
from scipy import stats

from causal_pipeline import checks, placebos
from causal_pipeline.checks import FAIL_LEVEL, WARN_LEVEL, flagged, graded, ladder, unseen
from causal_pipeline.designs.base import NO_NEGATIVE_TREATMENT, NO_PROBABILITY, Design
from causal_pipeline.errors import DataError
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
from causal_pipeline.identification import contrast, result, tex
from causal_pipeline.inference import cluster_codes, cluster_column
from causal_pipeline.model import Check, Estimate, Identification, Picture, Sensitivity, Spec, Step
from causal_pipeline.panel import Panel
from causal_pipeline.shown import IMPORTS, covariate_matrix, source
from causal_pipeline.wording import names, number, percent

# 구간의 자유도가 이보다 작으면 몇 대상의 움직임이 추정을 정합니다.
FEW_DOF, TOO_FEW_DOF = 5.0, 2.0
# 추세의 시험은 놓치는 쪽이 더 위험해 다른 시험(1%)보다 너그럽지 않게 5%에서 멈춥니다. 가정이 성립한 세계에서 4% 울렸습니다.
TREND_FAIL, TREND_WARN = 0.05, 0.2
# 앞뒤로 몇 시점의 용량까지 볼지
STEPS = (1, 2)
# 대상과 시점의 고정효과를 빼고 남은 용량의 분산 몫
LEFT_WARN, LEFT_FAIL = 0.05, 0.005
# 음수 무게의 몫이 이보다 크면 효과가 대상마다 다를 때 평균의 부호도 믿을 수 없습니다.
NEGATIVE_SHARE = 0.10
# 굽음을 볼 두 용량(분위수)과, 그 두 곳의 한 단위 효과가 평균의 몇 배보다 더 다르면 한 수로 말할 수 없다고 볼지
SLOPES_AT, SLOPE_GAP = (0.1, 0.9), 0.5
PLACEBOS = 200


# --- 고정효과 회귀(재현 노트북에 그대로 실립니다) ---


def within(values: np.ndarray, unit: np.ndarray, slope: np.ndarray | None = None) -> np.ndarray:
    """대상마다의 평균을(``slope``를 주면 그 곧은 추세도) 뺀 값. ``values``는 (n, k)."""
    counts = np.bincount(unit)

    def centred(v):
        return v - (np.bincount(unit, weights=v) / counts)[unit]

    out = np.column_stack([centred(v) for v in np.asarray(values, dtype=float).T])
    if slope is None:
        return out
    s = centred(slope)
    size = np.maximum(np.bincount(unit, weights=s * s), 1e-12)
    return np.column_stack([v - s * (np.bincount(unit, weights=s * v) / size)[unit] for v in out.T])


def regressors(
    frame: pd.DataFrame, dose: str, covariates: list[str] | tuple[str, ...], unit: np.ndarray, time: np.ndarray
) -> np.ndarray:
    """회귀의 열(첫 열이 용량). 시점마다 변하는 공변량은 그대로, 변하지 않는 공변량은 시점과 곱해 추세가 다를 수 있게 합니다."""
    columns = [frame[dose].to_numpy(dtype=float)]
    for _name, column in covariate_matrix(frame, covariates).items():
        moves = column.groupby(unit).nunique().max() > 1
        columns.append(column.to_numpy() if moves else (column - column.mean()).to_numpy() * (time - time.mean()))
    return np.column_stack(columns)


def fixed_effects(
    y: np.ndarray, X: np.ndarray, unit: np.ndarray, time: np.ndarray, clusters: np.ndarray, trends: bool = False
) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, ...]]:
    """대상과 시점의 고정효과(``trends``이면 대상마다의 곧은 추세도)를 넣은 회귀.

    돌려주는 것은 (계수 (k,), 군집을 하나씩 뺀 계수와의 차이 (G, k), 차이의 공분산을 내는 재료)입니다.
    """
    dummies = (time[:, None] == np.unique(time)[None, 2 if trends else 1 :]).astype(float)
    k = X.shape[1]
    W = within(np.column_stack([X, dummies, y]), unit, time.astype(float) if trends else None)
    y, W = W[:, -1], W[:, :-1]
    order = np.argsort(clusters, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(clusters[order])) + 1)
    A = np.array([W[rows].T @ W[rows] for rows in groups])
    b = np.array([W[rows].T @ y[rows] for rows in groups])
    whole, inverse = A.sum(axis=0), np.linalg.pinv(A.sum(axis=0), hermitian=True)
    without = np.linalg.pinv(whole - A, rcond=1e-10, hermitian=True)
    beta = inverse @ b.sum(axis=0)
    left = np.einsum("gij,gj->gi", without, b.sum(axis=0) - b)
    return beta[:k], left[:, :k] - beta[:k], (whole, A, inverse[:, :k], without[:, :, :k])


def overlap(pieces: tuple[np.ndarray, ...], e: np.ndarray) -> np.ndarray:
    """오차가 고르고 독립일 때, 군집을 하나씩 뺀 조합 ``e``의 차이들의 공분산(비례), (G, G)."""
    whole, A, inverse, without = pieces
    c, C = inverse @ e, without @ e
    D = C - c
    crossed = np.einsum("gij,gj->gi", A, C) @ D.T
    K = D @ whole @ D.T - crossed - crossed.T
    np.fill_diagonal(
        K, np.einsum("gi,gi->g", D @ whole, D) - np.einsum("gi,gij,gj->g", D, A, D) + np.einsum("gij,j->gi", A, c) @ c
    )
    return K


def combined(
    fitted: tuple[np.ndarray, np.ndarray, tuple[np.ndarray, ...]], e: list[float] | np.ndarray, many: int = 2000
) -> tuple[float, float, float]:
    """계수의 조합 ``e``의 (추정값, 표준오차, 자유도). 군집이 ``many``보다 많으면 자유도는 군집의 수에서 하나 뺀 것입니다."""
    beta, differences, pieces = fitted
    e = np.asarray(e, dtype=float)
    spread = differences @ e
    if len(spread) > many:
        return float(beta @ e), float(np.sqrt((spread**2).sum())), len(spread) - 1.0
    return float(beta @ e), *leave_one_out(spread, overlap(pieces, e))


# 구간은 표준오차를 줄이지 않은 하나씩 빼기와 Satterthwaite 자유도로 냅니다. 모의 세계 600~1,000번의 포함률: 150대상 0.94, 12대상 0.96,
# 40대상 가운데 8대상만 움직임 0.97, 한 번에 오른 용량 0.95. 자유도를 G-1로 두면 차례로 0.94, 0.94, 0.92, 0.92이고, 표준오차를 줄이면
# 효과가 대상마다 다를 때 0.93까지 내려갑니다(용량의 움직임이 크게 다른 150대상).


@dataclass
class Fit:
    """패널의 배열(길이는 빈칸 없는 행의 수). ``X``의 첫 열이 용량입니다."""

    frame: pd.DataFrame
    unit: np.ndarray
    time: np.ndarray
    clusters: np.ndarray
    y: np.ndarray
    X: np.ndarray
    main: tuple[Any, Any, Any]


class DosePanel(Design):
    """용량이 움직이는 패널의 고정효과."""

    name = "dose_panel"
    label = "패널의 용량"
    question = "여러 시점을 본 패널이고, 처치가 연속인 용량입니까?"
    precedence = 55
    fields = (Panel,)
    ignores = {  # noqa: RUF012
        "negative_controls.treatments": NO_NEGATIVE_TREATMENT,
        "treatment.probability": NO_PROBABILITY,
        "weights": "이 설계는 용량이 크게 움직인 대상에 무게를 싣는 회귀라, 모집단의 누구를 대신하는지 가중치로 말할 수 없습니다. weights를 지우거나, 처치를 켜짐과 꺼짐으로 바꾸어 이중차분법으로 물으세요.",
    }
    reveals = {"pre_trend": "용량과 얽힌 추세", "leads": "앞으로의 용량", "negative_control": "음성 대조군"}  # noqa: RUF012
    doubt = "배정을 모릅니다. 용량과 같은 때에 함께 바뀐 다른 일이 있으면 자료로 가릴 수 없습니다."
    strength = "missed_trend"

    @classmethod
    def applies(cls, spec: Spec, frame: pd.DataFrame | None = None) -> bool:
        return Panel.of(spec) is not None and spec.treatment.kind == "continuous"

    @classmethod
    def identify(cls, spec: Spec, frame: pd.DataFrame, graph: nx.DiGraph) -> Identification:
        panel, t, y = Panel.of(spec), spec.treatment, spec.outcome.column
        moving = int((frame.groupby(panel.unit, observed=True)[t.column].nunique() > 1).sum())
        if moving < 4:
            raise spec.error(
                DataError, "dose_does_not_move", "treatment.column",
                f"용량 '{t.column}'이(가) 시점에 따라 움직이는 대상이 {moving}개뿐입니다. 이 설계는 4개 이상이 필요합니다.",
                "용량이 바뀌기 앞과 뒤의 시점을 함께 두세요. 대상마다 한 값뿐이면 panel을 지우고 confounders로 물으세요.",
            )  # fmt: skip
        apart = frame[t.column] - frame.groupby(panel.time, observed=True)[t.column].transform("mean")
        apart = apart - apart.groupby(frame[panel.unit], observed=True).transform("mean")
        if apart.abs().max() < 1e-9 * max(frame[t.column].std(), 1e-300):
            raise spec.error(
                DataError, "dose_without_contrast", "treatment.column", "모든 대상의 용량이 나란히 움직여, 시점이 한 일과 용량이 한 일을 가를 수 없습니다.",
                "용량이 다르게 움직인 대상을 함께 두세요.",
            )  # fmt: skip
        notes = [
            "효과가 대상마다 다르면 용량이 많이 움직인 대상을 무겁게 친 평균입니다. 용량이 움직이지 않은 대상의 효과는 알 수 없습니다.",
            "확인하지 못하는 가정: 적게 받은 대상이 많이 받았더라면 많이 받은 대상처럼 움직였으리라는 강한 평행 추세, 그리고 용량 한 단위의 효과가 용량의 자리와 시점에 따라 다르지 않다는 것.",
        ]
        if spec.estimand != "ATT":
            notes.append(
                f"이 설계는 {spec.estimand}가 아니라 용량이 움직인 대상의 효과를 식별합니다. 추정 대상을 ATT로 적습니다."
            )
        if panel.start or panel.anticipation:
            notes.append(
                "용량은 켜지고 꺼지는 처치가 아니라서 panel.start와 panel.anticipation은 쓰지 않습니다. 미리 움직였는지는 앞으로의 용량으로 봅니다."
            )
        low, high = tex(str(t.control)), tex(str(t.treated))
        return Identification(
            design=cls.name,
            estimand="ATT",
            adjustment=precision_covariates(spec, graph),
            sentence=f"용량이 움직인 대상에서, 용량이 그대로였다면 나란히 움직였으리라 보고 {contrast(spec)} {result(spec)}.",
            formula=rf"({high} - {low})\,\beta,\quad E[{tex(y)}_{{it}} \mid {tex(t.column)}] = \alpha_i + \lambda_t + \beta\,{tex(t.column)}_{{it}}",
            notes=tuple(notes),
            whom="용량이 움직인 대상",
        )

    @property
    def step_size(self) -> float:
        """견주는 두 용량의 차이."""
        return float(self.spec.treatment.treated) - float(self.spec.treatment.control)

    @cached_property
    def fit(self) -> Fit:
        spec, panel = self.spec, Panel.of(self.spec)
        rows = self.frame.dropna(subset=[spec.treatment.column, spec.outcome.column])
        unit = pd.factorize(rows[panel.unit], sort=True)[0]
        time = pd.factorize(rows[panel.time], sort=True)[0]
        codes = cluster_codes(spec, rows)
        clusters = unit if codes is None else codes
        y = rows[spec.outcome.column].to_numpy(dtype=float)
        X = regressors(rows, spec.treatment.column, self.ident.adjustment, unit, time)
        return Fit(rows, unit, time, clusters, y, X, fixed_effects(y, X, unit, time, clusters))

    def _first(self, k: int, at: int = 0) -> np.ndarray:
        """계수 k개 가운데 ``at``만 고르는 조합."""
        return np.eye(k)[at]

    def _wide(self, values: np.ndarray) -> np.ndarray:
        """행마다의 값을 (대상, 시점)의 행렬로. 없는 칸은 NaN입니다."""
        out = np.full((self.fit.unit.max() + 1, self.fit.time.max() + 1), np.nan)
        out[self.fit.unit, self.fit.time] = values
        return out

    def _regress(self, y: np.ndarray, X: np.ndarray, trends: bool = False) -> tuple[Any, Any, Any] | None:
        """빈칸이 없는 행만으로 고정효과 회귀. 견줄 것이 남지 않으면 None."""
        f = self.fit
        ok = np.isfinite(X).all(axis=1) & np.isfinite(y)
        if ok.sum() < 10 or len(np.unique(f.time[ok])) < (3 if trends else 2):
            return None
        unit, clusters = (np.unique(codes[ok], return_inverse=True)[1] for codes in (f.unit, f.clusters))
        if len(np.unique(clusters)) < 3:
            return None
        return fixed_effects(y[ok], X[ok], unit, f.time[ok], clusters, trends)

    # --- 점검 ---

    def check(self) -> list[Check]:
        """빈 칸, 움직인 대상의 수, 남은 변이, 무게, 용량과 얽힌 추세, 앞으로의 용량, 지난 용량, 굽음, 그래프의 독립."""
        return [
            *checks.missing_covariates(self.fit.frame, self.ident.adjustment),
            *checks.lost_dose_cells(self._wide(self.fit.y), self._wide(self.fit.X[:, 0])),
            self._movers(),
            self._variation(),
            self._weights(),
            *self._pre_trend(),
            self._other_times("leads"),
            self._other_times("carry_over"),
            self._curvature(),
            *checks.graph_independences(self.spec, self.frame),
        ]

    def _movers(self) -> Check:
        _, _, dof = combined(self.fit.main, self._first(self.fit.X.shape[1]))
        count = len(np.unique(self.fit.clusters))
        tails = dict.fromkeys(
            ("warn", "fail"), " 몇 군집의 움직임이 추정을 정합니다. 용량이 움직인 대상을 더 모으세요."
        )
        message = f"구간은 {cluster_column(self.spec)}별로 냅니다({count}개). 용량의 움직임으로 보면 자유도는 {number(dof, digits=1)}입니다."
        return graded("movers", "움직인 대상의 수", message, dof, ladder(dof, FEW_DOF, TOO_FEW_DOF), FEW_DOF, tails)

    def _residual_dose(self) -> np.ndarray:
        """대상과 시점의 고정효과를 뺀 용량."""
        f = self.fit
        dummies = (f.time[:, None] == np.unique(f.time)[None, 1:]).astype(float)
        W = within(np.column_stack([f.X[:, 0], dummies]), f.unit)
        return W[:, 0] - W[:, 1:] @ np.linalg.lstsq(W[:, 1:], W[:, 0], rcond=None)[0]

    def _variation(self) -> Check:
        left = float(self._residual_dose().var() / self.fit.X[:, 0].var())
        message = f"용량의 분산 가운데 대상과 시점의 고정효과로 설명되지 않는 몫은 {percent(left)}입니다."
        return graded(
            "dose_variation", "남은 용량의 변이", message, left, ladder(left, LEFT_WARN, LEFT_FAIL), LEFT_WARN
        )

    def _weights(self) -> Check:
        f, residual = self.fit, self._residual_dose()
        weight = np.bincount(f.unit, weights=residual * f.X[:, 0]) / (residual @ f.X[:, 0])
        share = float(np.abs(weight[weight < 0]).sum() / np.abs(weight).sum())
        message = f"효과가 대상마다 다를 때 음수의 무게로 들어가는 대상의 몫은 {percent(share)}입니다."
        return flagged("weights", "대상마다의 무게", message, share, share > NEGATIVE_SHARE, NEGATIVE_SHARE)

    @cached_property
    def _trended(self) -> tuple[float, float, float, float] | None:
        """대상마다의 곧은 추세를 넣은 회귀와의 (차이, 차이의 표준오차, 자유도, 추세를 넣은 계수의 표준오차)."""
        f, e = self.fit, self._first(self.fit.X.shape[1])
        fitted = self._regress(f.y, f.X, trends=True) if len(np.unique(f.time)) > 3 else None
        if fitted is None:
            return None
        value, se, dof = combined(fitted, e)
        gap = (fitted[1] - f.main[1]) @ e
        base, _, base_dof = combined(f.main, e)
        g = len(gap)
        return value - base, float(np.sqrt((g - 1) / g * (gap**2).sum())), min(dof, base_dof), se

    def _before_dose(self) -> float | None:
        """용량이 처음 움직이기 앞의 시점들에서, 나중에 더 받은 대상이 이미 더 오르고 있었는지의 p값. 그런 시점이 없으면 None."""
        f, D = self.fit, self._wide(self.fit.X[:, 0])
        filled = pd.DataFrame(D).bfill(axis=1).ffill(axis=1).to_numpy()
        moved = np.abs(filled - filled[:, :1]) > 1e-9
        first = np.where(moved.any(axis=1), moved.argmax(axis=1), D.shape[1])
        later = np.array([filled[i, s:].mean() - filled[i, 0] if s < D.shape[1] else 0.0 for i, s in enumerate(first)])
        clean = f.time < first[f.unit]
        if (first[first < D.shape[1]] >= 3).sum() < 10:
            return None
        X = np.where(clean, later[f.unit] * f.time, np.nan)[:, None]
        fitted = self._regress(np.where(clean, f.y, np.nan), X)
        return None if fitted is None else t_test(*combined(fitted, [1.0]))

    def _pre_trend(self) -> list[Check]:
        label, found = "용량과 얽힌 추세", []
        if self._trended is not None:
            gap, se, dof, _ = self._trended
            found.append(t_test(gap, se, dof))
        before = self._before_dose()
        if before is not None:
            found.append(before)
        if not found:
            return [
                unseen(
                    "pre_trend",
                    label,
                    "시점이 넷보다 적어, 용량이 오른 대상이 처음부터 오르고 있었는지 볼 수 없습니다.",
                )
            ]
        p = min(1.0, len(found) * min(found))
        message = (
            f"용량이 더 오른 대상의 결과가 처음부터 다르게 움직였는지 본 p값은 {p:.3f}입니다(시험 {len(found)}개)."
        )
        tails = {"fail": " 용량이 그대로였어도 벌어졌을 수 있습니다."}
        check = graded("pre_trend", label, message, p, ladder(p, TREND_WARN, TREND_FAIL), TREND_FAIL, tails)
        if self._trended is None:
            return [check]
        bias, (_, se, dof, _) = checks.relevant_bias(self.primary), self._trended
        shift = bias / max(abs(self.step_size) * se, 1e-300)
        noticed = checks.t_power(shift, dof, TREND_WARN / len(found))
        return [checks.powered(check, bias, noticed, "대상마다의 곧은 추세가 용량과 얽혀 그만큼 치우쳤다면")]

    def _shifted(self, k: int) -> np.ndarray:
        """k 시점 앞(음수이면 뒤)의 용량. 없으면 NaN입니다."""
        D = self._wide(self.fit.X[:, 0])
        out = np.full_like(D, np.nan)
        if k > 0:
            out[:, k:] = D[:, :-k]
        else:
            out[:, :k] = D[:, -k:]
        return out[self.fit.unit, self.fit.time]

    def _other_times(self, name: str) -> Check:
        """앞으로의 용량(leads)이나 지난 용량(carry_over)이 지금의 용량을 알 때에도 결과를 말해 주는지."""
        f, found, tests = self.fit, {}, {}
        other = {k: self._shifted(-k if name == "leads" else k) for k in STEPS}
        for k in STEPS:
            fitted = self._regress(f.y, np.column_stack([f.X, other[k]])) if len(np.unique(f.time)) > k + 1 else None
            if fitted is not None:
                value, se, dof = combined(fitted, self._first(f.X.shape[1] + 1, -1))
                found[k] = (t_test(value, se, dof), value * self.step_size)
                tests[k] = (se, dof, fitted[1][:, -1])
        label = {"leads": "앞으로의 용량", "carry_over": "지난 용량의 남은 효과"}[name]
        if not found:
            return unseen(name, label, "시점이 적어 볼 수 없습니다.")
        k = min(found, key=lambda k: found[k][0])
        p = min(1.0, len(found) * found[k][0])
        said = f"지금의 용량을 알 때 {k}시점 {'뒤' if name == 'leads' else '앞'}의 용량은 결과와 {number(found[k][1], signed=True)}만큼 얽혀 있습니다(p={p:.3f})."
        tails = {
            "leads": {"fail": " 용량이 지난 결과를 보고 정해졌거나, 오를 것을 미리 알고 움직였습니다."},
            "carry_over": {"fail": " 지난 용량의 효과가 남아 있어 지금의 용량만의 효과로 읽을 수 없습니다."},
        }[name]
        check = graded(name, label, said, p, ladder(p, WARN_LEVEL, FAIL_LEVEL), FAIL_LEVEL, tails)
        return self._other_times_power(check, other, tests)

    def _other_times_power(
        self, check: Check, other: dict[int, np.ndarray], tests: dict[int, tuple[float, float, np.ndarray]]
    ) -> Check:
        """다른 시점의 용량 가운데 가장 가까운 것이 결과를 바로 움직여 추정값을 치우치게 했다면 울렸을 확률.

        빠뜨린 변수의 식으로, 그 용량의 계수는 치우침을 그 용량이 지금의 용량을 따르는 기울기로 나눈 것입니다. 먼 시점의 시험에는 그
        시점의 용량이 가까운 시점의 것을 따르는 만큼 나타납니다.

        Parameters
        ----------
        tests : dict
            시점의 거리 → (표준오차, 자유도, 군집을 하나씩 뺀 계수와의 차이).
        """
        f, near = self.fit, min(tests)
        bias = checks.relevant_bias(self.primary)
        along = self._regress(other[near], f.X)
        if along is None or abs(along[0][0]) < 1e-9:
            tail = " 다른 시점의 용량이 지금의 용량과 이어지지 않아, 결과를 움직였더라도 추정값은 치우치지 않습니다."
            return replace(check, message=check.message + tail)
        direct, shift = bias / abs(along[0][0] * self.step_size), []
        for k in tests:
            seen = 1.0 if k == near else self._regress(other[near], np.column_stack([f.X, other[k]]))
            shift.append(direct * (seen if k == near else 0.0 if seen is None else float(seen[0][-1])))
        se, dof, gaps = (list(part) for part in zip(*tests.values(), strict=True))
        apart = np.eye(len(tests)) if len({len(gap) for gap in gaps}) > 1 else np.corrcoef(gaps).reshape(len(tests), -1)
        edge = stats.t.isf(WARN_LEVEL / (2 * len(tests)), np.maximum(dof, 1.0))
        noticed = checks.joint_power(
            np.array(shift) / np.maximum(se, 1e-300), apart, lambda t: (np.abs(t) > edge).any(axis=1), dof
        )
        which = {"leads": "다음 시점의 용량을 미리 알고 움직여", "carry_over": "바로 앞 시점의 용량의 효과가 남아"}[
            check.name
        ]
        return checks.powered(check, bias, noticed, f"{which} 그만큼 치우쳤다면")

    @cached_property
    def _bent(self) -> tuple[Any, Any, Any]:
        """용량의 제곱과 세제곱을 더한 회귀. 셈이 흔들리지 않게 용량을 표준화해 올립니다."""
        f, z = self.fit, self._standard(self.fit.X[:, 0])
        return fixed_effects(f.y, np.column_stack([f.X, z**2, z**3]), f.unit, f.time, f.clusters)

    def _standard(self, dose: Any) -> np.ndarray:
        d = self.fit.X[:, 0]
        return (np.asarray(dose, dtype=float) - d.mean()) / d.std()

    def _between(self, low: float, high: float) -> np.ndarray:
        """굽은 회귀에서 용량을 ``low``에서 ``high``로 올린 효과의 조합."""
        (a, b), k = self._standard([low, high]), self.fit.X.shape[1]
        return np.concatenate([[high - low], np.zeros(k - 1), [b**2 - a**2, b**3 - a**3]])

    def _curvature(self) -> Check:
        """곧은 용량으로 읽어도 되는지. 굽었고, 적은 용량과 많은 용량에서 한 단위의 효과가 크게 다르면 멈춥니다."""
        f, t, k = self.fit, self.spec.treatment, self.fit.X.shape[1]
        z = self._standard(f.X[:, 0])
        square = fixed_effects(f.y, np.column_stack([f.X, z**2]), f.unit, f.time, f.clusters)
        tests = [
            t_test(*combined(square, self._first(k + 1, k))),
            t_test(*combined(self._bent, self._first(k + 2, k + 1))),
        ]
        p = min(1.0, 2 * min(tests))
        small, large = (float(v) for v in np.quantile(f.X[:, 0], SLOPES_AT))
        unit = 1e-3 * f.X[:, 0].std()
        at = [combined(self._bent, self._between(d - unit, d + unit) / (2 * unit))[0] for d in (small, large)]
        straight, se, _ = combined(f.main, self._first(k))
        curved = combined(self._bent, self._between(float(t.control), float(t.treated)))[0] / self.step_size
        matters = abs(at[1] - at[0]) > SLOPE_GAP * abs(straight) or abs(curved - straight) > se
        status = "fail" if p < FAIL_LEVEL and matters else "warn" if p < WARN_LEVEL else "ok"
        message = (
            f"용량이 곧게 듣는지 본 p값은 {p:.3f}이고, 한 단위의 효과는 용량이 {number(small)}일 때 {number(at[0])}, {number(large)}일 때 "
            f"{number(at[1])}입니다(곧게 재면 {number(straight)})."
        )
        tails = {
            "fail": " 한 단위마다 같은 효과라고 말할 수 없습니다.",
            "warn": " 한 단위마다 같은 효과로 읽을 때 조심하세요.",
        }
        check = graded("curvature", "용량 반응의 굽음", message, p, status, FAIL_LEVEL, tails)
        # 반응이 제곱으로 굽었을 때 곧은 추정이 묻는 두 용량 사이에서 치우치는 크기(제곱의 계수 하나마다)
        (low, high), along = self._standard([float(t.control), float(t.treated)]), self._regress(z**2, f.X)
        _, square_se, dof = combined(square, self._first(k + 1, k))
        each = 0.0 if along is None else high**2 - low**2 - along[0][0] * self.step_size
        bias = checks.relevant_bias(self.primary)
        if abs(each) < 1e-9 * abs(self.step_size):
            blind = "두 용량 사이에서는 굽었더라도 곧은 추정이 치우치지 않으므로, 조용해도 통과로 세지 않습니다."
            return unseen("curvature", "용량 반응의 굽음", f"{message} {blind}", None) if status == "ok" else check
        noticed = checks.t_power(bias / max(abs(each) * square_se, 1e-300), dof, WARN_LEVEL / 2)
        return checks.powered(check, bias, noticed, "반응이 용량의 제곱으로 굽어 곧은 추정이 그만큼 치우쳤다면")

    # --- 추정 ---

    @cached_property
    def estimates(self) -> list[Estimate]:
        """고정효과 회귀(주된 추정), 이웃한 시점의 변화끼리, 대상마다의 추세까지, 그대로인 대상과만 견준 변화, 단순 회귀."""
        labels = {
            "two_way": ("대상과 시점의 고정효과", "용량이 지난 결과를 보고 정해지거나 추세가 용량과 얽혀 있을 때"),
            "differences": ("이웃한 시점의 변화끼리", "효과가 몇 시점 뒤에 나타날 때"),
            "trends": ("대상마다의 곧은 추세까지", "추세가 곧지 않거나 시점이 적을 때"),
            "stayers": ("용량이 그대로인 대상과만 견주기", "그대로인 대상이 남다르거나, 오르내림이 다르게 들 때"),
        }
        n, size = len(self.fit.y), abs(self.step_size)
        out = []
        for name, (value, se, dof, _) in self._values.items():
            estimand = "움직인 만큼 가중한 평균" if name == "stayers" else self.ident.estimand
            out.append(
                estimate_from(
                    value * self.step_size, se * size, dof, n, name, *labels[name], name == "two_way", estimand
                )
            )
        f = self.fit
        fails_when = "많이 받은 대상이 처음부터 다르거나 시점에 따라 결과가 움직일 때"
        naive = plain_regression(f.X[:, 0] / self.step_size, f.y, f.clusters, "보정하지 않은 회귀", fails_when)
        return [*out, naive]

    @cached_property
    def _values(self) -> dict[str, tuple[float, float, float, np.ndarray]]:
        """방법마다 (한 단위의 효과, 표준오차, 자유도, 군집을 하나씩 뺀 차이)."""
        f, k = self.fit, self.fit.X.shape[1]
        found = {"two_way": (*combined(f.main, self._first(k)), f.main[1][:, 0])}
        before = self._wide(np.arange(len(f.y)))
        row = np.full_like(before, np.nan)
        row[:, 1:] = before[:, :-1]
        row = row[f.unit, f.time]
        now = np.flatnonzero(np.isfinite(row))
        last = row[now].astype(int)
        change, moved = f.y[now] - f.y[last], f.X[now] - f.X[last]
        clusters = np.unique(f.clusters[now], return_inverse=True)[1]
        if len(np.unique(clusters)) == len(f.main[1]):
            # 시점의 고정효과만 남기려고 모든 행을 한 대상으로 봅니다(평균을 빼는 일은 절편과 같습니다).
            fitted = fixed_effects(change, moved, np.zeros(len(now), dtype=int), f.time[now], clusters)
            found["differences"] = (*combined(fitted, self._first(k)), fitted[1][:, 0])
            stayers = self._stayers(change, moved[:, 0], f.time[now], clusters) if k == 1 else None
            if stayers is not None:
                found["stayers"] = stayers
        if self._trended is not None:
            fitted = self._regress(f.y, f.X, trends=True)
            found["trends"] = (*combined(fitted, self._first(k)), fitted[1][:, 0])
        return found

    def _stayers(
        self, change: np.ndarray, moved: np.ndarray, time: np.ndarray, clusters: np.ndarray
    ) -> tuple[float, float, float, np.ndarray] | None:
        """시점마다 용량이 그대로인 대상의 변화를 빼고, 움직인 만큼으로 나눕니다(de Chaisemartin과 D'Haultfœuille, 2020의 생각)."""
        still, g = np.abs(moved) < 1e-9, int(clusters.max()) + 1
        if still.mean() < 0.1 or len(np.unique(clusters[~still])) < 4 or len(np.unique(clusters[still])) < 4:
            return None

        def value(keep):
            total = size = 0.0
            for t in np.unique(time[keep & ~still]):
                base = keep & still & (time == t)
                rows = keep & ~still & (time == t)
                if base.sum() >= 2:
                    total += (np.sign(moved[rows]) * (change[rows] - change[base].mean())).sum()
                    size += np.abs(moved[rows]).sum()
            return total / size if size else np.nan

        whole = value(np.ones(len(change), dtype=bool))
        gaps = np.array([value(clusters != c) for c in range(g)]) - whole
        if not np.isfinite(gaps).all():
            return None
        dof = min(len(np.unique(clusters[~still])), len(np.unique(clusters[still]))) - 1.0
        return whole, float(np.sqrt((g - 1) / g * (gaps**2).sum())), dof, gaps

    # --- 흔들어 보기 ---

    def stress(self) -> tuple[list[Check], list[Sensitivity]]:
        """추정량끼리의 견줌, 용량의 길을 섞은 위약, 한 군집을 뺀 값, 음성 대조군, 추세를 볼 힘."""
        main, base, size = self.primary, self._values["two_way"][3], abs(self.step_size)
        apart = {
            name: size * gap_se(gaps, base, dof)
            for name, (_, _, dof, gaps) in self._values.items()
            if name != "two_way"
        }
        power, sensitivity = self._trend_power(main)
        return [
            checks.agreement(self.estimates, apart),
            *self._placebo(main),
            one_cluster(main, base * self.step_size),
            checks.negative_control(self.spec, self._negative_controls(), main),
            *power,
        ], sensitivity

    def _placebo(self, main: Estimate) -> list[Check]:
        """용량의 길을 대상끼리 섞습니다. 모든 시점을 다 본 대상만 씁니다."""
        f = self.fit
        whole = np.bincount(f.unit) == len(np.unique(f.time))
        rows = whole[f.unit]
        if whole.sum() < 8:
            return []
        order = np.lexsort((f.time[rows], f.unit[rows]))
        shape = (int(whole.sum()), len(np.unique(f.time)))

        def centred(v):
            M = v[rows][order].reshape(shape)
            return M - M.mean(axis=1, keepdims=True) - M.mean(axis=0, keepdims=True) + M.mean()

        Y = centred(f.y - f.X[:, 1:] @ f.main[0][1:])
        D, rng = centred(f.X[:, 0]), np.random.default_rng(self.spec.seed + 1)
        values = np.array([(D[rng.permutation(len(D))] * Y).sum() for _ in range(PLACEBOS)]) / (D * D).sum()
        observed, message = float((D * Y).sum() / (D * D).sum()), f"대상끼리 용량의 길을 {PLACEBOS}번 섞었습니다."
        label = "용량의 길을 섞은 위약"
        return [placebos.rank_placebo(label, message, values, observed, main, abs(self.step_size))]

    def _negative_controls(self) -> list[tuple[str, float, float, float]]:
        f, found = self.fit, []
        for name in self.spec.negative_outcomes:
            y = f.frame[name].to_numpy(dtype=float)
            fitted = self._regress(y, f.X)
            if fitted is not None:
                value, se, dof = combined(fitted, self._first(f.X.shape[1]))
                theirs, mine = fitted[1][:, 0], f.main[1][:, 0]
                slope = checks.follows(theirs, mine) if len(theirs) == len(mine) else 0.0
                found.append((name, value * self.step_size, as_normal(se * abs(self.step_size), dof), slope))
        return found

    def _trend_power(self, main: Estimate) -> tuple[list[Check], list[Sensitivity]]:
        """추세의 시험이 놓칠 수 있는 치우침. 추세가 없다고 나온 것과 볼 힘이 없는 것은 다릅니다(Roth, 2022)."""
        if self._trended is None:
            return [], []
        gap, se, dof, _ = self._trended
        missed = (abs(gap) + 1.96 * as_normal(se, dof)) * abs(self.step_size)
        half = (main.high - main.low) / 2
        left = max(0.0, abs(main.value) - half)
        message = f"추세의 시험이 놓칠 수 있는 곧은 추세는 {number(missed)}만큼의 치우침을 만들 수 있습니다(95% 구간의 반쪽은 {number(half)})."
        check = flagged("trend_power", "추세를 볼 힘", message, missed, missed > half, half)
        ratio = left / max(missed, 1e-300)
        said = f"추세의 시험이 놓칠 수 있는 치우침의 {min(ratio, 99):.2f}배까지는 95% 구간이 0을 품지 않습니다."
        return [check], [
            Sensitivity(
                "missed_trend", "놓칠 수 있는 추세", float(min(ratio, 99.0)), said, {"시험이 놓칠 수 있는 추세": 1.0}
            )
        ]

    # --- 그림과 재현 ---

    def pictures(self) -> list[Picture]:
        """용량에 따른 결과의 차이와, 앞뒤 시점의 용량."""
        f, t = self.fit, self.spec.treatment
        low, high = np.quantile(f.X[:, 0], [0.05, 0.95])
        grid = np.linspace(min(low, t.control), max(high, t.treated), 25)
        ends = [t_interval(*combined(self._bent, self._between(float(t.control), d))) for d in grid]
        labels = {"x_label": self.spec.label(t.column), "y_label": self.spec.label(self.spec.outcome.column)}
        dose = (
            {"dose": grid.tolist()} | {f"{key}s": [e[key] for e in ends] for key in ("value", "low", "high")} | labels
        )
        alt = "처치의 양에 따라 결과가 얼마나 달라지는지의 곡선과 점마다의 95% 구간. 곧지 않으면 한 단위의 효과로 읽을 수 없습니다."
        return [Picture("dose", f"용량 반응({t.control}에 견준 차이)", alt, dose)]

    def steps(self) -> list[Step]:
        """같은 함수로 같은 값을, linearmodels의 PanelOLS로 계수를 냅니다."""
        t, y, panel = self.spec.treatment.column, self.spec.outcome.column, Panel.of(self.spec)
        covariates = list(self.ident.adjustment)
        listed = (
            f"보정하는 열은 {names(map(self.spec.label, covariates), 8)}입니다."
            if covariates
            else "보정하는 열은 없습니다."
        )
        return [
            Step(
                f"대상, 시점, 군집의 번호를 매깁니다. {listed}",
                f"{IMPORTS}\n\n{source(covariate_matrix, regressors)}\n\nframe = frame.dropna(subset=[{t!r}, {y!r}])\n"
                f"unit = pd.factorize(frame[{panel.unit!r}], sort=True)[0]\ntime = pd.factorize(frame[{panel.time!r}], sort=True)[0]\n"
                f"clusters = pd.factorize(frame[{cluster_column(self.spec)!r}], sort=True)[0]\n"
                f"y = frame[{y!r}].to_numpy(dtype=float)\nX = regressors(frame, {t!r}, {covariates!r}, unit, time)",
            ),
            Step(
                "대상과 시점의 고정효과를 넣어 회귀하고, 군집을 하나씩 빼서 구간을 냅니다.",
                f"{source(within, fixed_effects, overlap, *SHOWN, combined)}\n\nfitted = fixed_effects(y, X, unit, time, clusters)\n"
                f"value, se, dof = combined(fitted, np.eye(X.shape[1])[0])\nstep = {self.step_size!r}\n"
                'reproduced["two_way"] = t_interval(value * step, se * abs(step), dof)\nreproduced["two_way"]',
            ),
            Step(
                "linearmodels의 PanelOLS로 같은 계수를 냅니다. 표준오차는 군집이 많을 때의 근사라 조금 다릅니다.",
                "from linearmodels.panel import PanelOLS\n\n"
                "index = pd.MultiIndex.from_arrays([unit, time])\nexog = pd.DataFrame(X, index=index).add_prefix('x')\n"
                "model = PanelOLS(pd.Series(y, index=index, name='y'), exog, entity_effects=True, time_effects=True, drop_absorbed=True)\n"
                "check = model.fit(cov_type='clustered', clusters=pd.Series(clusters, index=index))\n"
                "print(check.params['x0'] * step, check.std_errors['x0'] * abs(step))\n"
                "assert np.isclose(check.params['x0'], value, rtol=1e-6, atol=1e-9)",
            ),
        ]
