"""통제집단합성법: 처치받은 대상이 하나일 때, 처치받지 않은 대상들의 가중평균으로 짝을 만듭니다."""

from dataclasses import dataclass
from functools import cached_property

import networkx as nx
import numpy as np
import pandas as pd

from causal_pipeline import checks, placebos
from causal_pipeline.checks import flagged, graded, ladder
from causal_pipeline.designs.base import NO_NEGATIVE_TREATMENT, Design
from causal_pipeline.errors import DataError
from causal_pipeline.identification import contrast, result
from causal_pipeline.inference import permutation_p
from causal_pipeline.model import Check, Estimate, Identification, Picture, Sensitivity, Spec, Step
from causal_pipeline.panel import Panel, require_treated, start_arguments, start_times, treated_units
from causal_pipeline.shown import IMPORTS, source
from causal_pipeline.wording import names, number, percent

# 위약의 순위로 5%를 말하려면 견줄 대상이 19개는 있어야 합니다.
FEW_DONORS, TOO_FEW_DONORS = 19, 5
FEW_BEFORE, TOO_FEW_BEFORE = 10, 4
# 처치받은 대상의 처치 전 오차를 위약들의 오차의 중앙값에 견준 배수.
FIT_WARN, FIT_FAIL = 1.5, 2.5
# 처치 전 오차의 순위가 이만큼 드물어야 흉내 내지 못한다고 봅니다.
FIT_RARE = 0.05
# 앞당긴 처치의 가짜 효과가 견줄 대상들 가운데 이만큼 드물면 깨진 것으로 봅니다. 순위의 p값은 1/(J+1)보다 작아질 수 없습니다.
BACKDATED_FAIL, BACKDATED_WARN = 0.03, 0.1


@dataclass
class Paths:
    """결과 하나의 길들. ``y``는 처치받은 대상(시점), ``D``는 견줄 대상들(시점, 대상), ``T0``은 처치 앞 시점의 수.

    ``dropped``는 빈칸 때문에 뺀 견줄 대상의 수, ``unseen``은 처치받은 대상을 보지 못해 뺀 시점의 수(처치 앞, 뒤)입니다.
    ``ahead``는 처치를 미리 알고 움직였을 수 있어 뺀, 처치 바로 앞의 시점의 수(``panel.anticipation``)입니다.
    ``effects``와 ``placebos``의 열쇠는 방법의 이름이고, ``before``는 처치 앞의 오차(RMSPE), ``ratio``는 뒤의 오차를 그것으로 나눈 것입니다.
    """

    times: np.ndarray
    unit: object
    donors: np.ndarray
    y: np.ndarray
    D: np.ndarray
    T0: int
    effects: dict[str, float]
    placebos: dict[str, np.ndarray]
    before: float
    placebo_before: np.ndarray
    weights: np.ndarray
    ratio: float
    placebo_ratio: np.ndarray
    dropped: int
    floor: float
    unseen: tuple[int, int]
    ahead: int


# --- 식(재현 노트북에 그대로 실립니다) ---


def seen_together(wide: pd.DataFrame, unit: object) -> pd.DataFrame:
    """처치받은 대상을 본 시점만 두고, 그 시점에 한 번이라도 빠진 다른 대상을 뺀 표. shape (시점, 대상)."""
    return wide[wide[unit].notna()].dropna(axis=1)


def simplex_weights(A: np.ndarray, b: np.ndarray, ridge: float = 0.0) -> np.ndarray:
    """‖b − Aw‖² + ridge·‖w‖²을 줄이는, 음이 아니고 합이 1인 가중치."""
    from scipy.optimize import nnls

    # 합이 1이라는 조건을 아주 무거운 한 줄로 넣습니다.
    heavy = 1e3 * max(np.abs(A).max(), np.abs(b).max(), 1e-12) * np.sqrt(len(b))
    rows = [A, np.full((1, A.shape[1]), heavy)]
    goal = [b, [heavy]]
    if ridge > 0:
        rows.append(np.sqrt(ridge) * np.eye(A.shape[1]))
        goal.append(np.zeros(A.shape[1]))
    w = nnls(np.vstack(rows), np.concatenate(goal), maxiter=100 * A.shape[1])[0]
    return w / w.sum()


def synthetic_path(y: np.ndarray, D: np.ndarray, T0: int) -> tuple[np.ndarray, np.ndarray]:
    """처치 앞의 결과를 가장 가깝게 따라가는 가중평균의 길과 가중치."""
    centre = D[:T0].mean()
    w = simplex_weights(D[:T0] - centre, y[:T0] - centre)
    return D @ w, w


def placebo_paths(D: np.ndarray, T0: int) -> np.ndarray:
    """견줄 대상마다 처치받았다고 보고 만든 짝과의 차이, shape (시점, 대상)."""
    return np.column_stack(
        [D[:, j] - synthetic_path(D[:, j], np.delete(D, j, axis=1), T0)[0] for j in range(D.shape[1])]
    )


def pre_error(gap: np.ndarray, T0: int) -> np.ndarray | float:
    """처치 앞의 오차(RMSPE)."""
    return np.sqrt((gap[:T0] ** 2).mean(axis=0))


def placebo_quantile(values: np.ndarray, level: float = 0.95) -> float:
    """위약 J개에서, 하나 더 뽑은 것이 이보다 작을 확률이 ``level`` 이상인 값. J가 작으면 가장 큰 것입니다."""
    ordered = np.sort(np.abs(values))
    k = int(np.ceil(level * (len(ordered) + 1)))
    return float(ordered[min(k, len(ordered)) - 1])


def smallest_error(D: np.ndarray, T0: int) -> float:
    """처치 앞 오차의 바닥: 결과가 한 시점 사이에 움직이는 크기의 10분의 1.

    견줄 대상이 시점보다 많으면 잡음까지 따라가 오차가 0이 됩니다. 0으로 나눈 비는 아무 뜻이 없으므로 이보다 작게 보지 않습니다.
    """
    return float(max(0.1 * np.diff(D[:T0], axis=0).std(), 1e-9 * np.abs(D).max(), 1e-300))


def placebo_interval(
    effect: float, placebos: np.ndarray, before: float, placebo_before: np.ndarray, floor: float
) -> dict[str, float]:
    """위약을 처치 앞 오차로 나누어 잰 95% 구간. 오차는 ``floor``보다 작게 보지 않습니다."""
    half = placebo_quantile(placebos / np.maximum(placebo_before, floor)) * max(before, floor)
    return {"value": float(effect), "low": float(effect - half), "high": float(effect + half)}


# --- 다른 추정량 ---


def shifted_path(y: np.ndarray, D: np.ndarray, T0: int) -> tuple[np.ndarray, np.ndarray]:
    """높이는 달라도 되고 움직임만 따라가는 길(절편이 있는 통제집단합성법)."""
    w = simplex_weights(D[:T0] - D[:T0].mean(axis=0), y[:T0] - y[:T0].mean())
    return D @ w + (y[:T0].mean() - D[:T0].mean(axis=0) @ w), w


def synthetic_difference(y: np.ndarray, D: np.ndarray, T0: int) -> float:
    """합성이중차분법의 효과(Arkhangelsky 외, 2021)."""
    after = len(y) - T0
    noise = np.diff(D[:T0], axis=0).std(ddof=1)
    zeta = after**0.25 * noise
    unit = simplex_weights(D[:T0] - D[:T0].mean(axis=0), y[:T0] - y[:T0].mean(), ridge=zeta**2 * T0)
    before, later = D[:T0].T, D[T0:].mean(axis=0)
    time = simplex_weights(before - before.mean(axis=0), later - later.mean(), ridge=(1e-6 * noise) ** 2 * D.shape[1])
    return (y[T0:].mean() - time @ y[:T0]) - unit @ (later - before @ time)


def all_effects(y: np.ndarray, D: np.ndarray, T0: int) -> tuple[dict[str, float], float, float, np.ndarray]:
    """(방법마다의 효과, 처치 앞의 오차, 뒤의 오차를 앞의 오차로 나눈 것, 가중치)."""
    path, w = synthetic_path(y, D, T0)
    gap = y - path
    effects = {
        "synthetic": float(gap[T0:].mean()),
        "shifted": float((y - shifted_path(y, D, T0)[0])[T0:].mean()),
        "synthetic_difference": float(synthetic_difference(y, D, T0)),
        "difference": float((y[T0:].mean() - y[:T0].mean()) - (D[T0:].mean() - D[:T0].mean())),
    }
    before = float(pre_error(gap, T0))
    return effects, before, float(np.sqrt((gap[T0:] ** 2).mean()) / max(before, smallest_error(D, T0))), w


def backdate(y: np.ndarray, D: np.ndarray, T0: int, hold: int) -> float:
    """처치를 ``hold``시점 앞당겼다고 보고 낸 가짜 효과를 그 앞의 오차로 나눈 것."""
    path, _ = synthetic_path(y[:T0], D[:T0], T0 - hold)
    gap = y[:T0] - path
    return float(gap[T0 - hold :].mean() / max(np.sqrt((gap[: T0 - hold] ** 2).mean()), smallest_error(D, T0 - hold)))


# --- 설계 ---


class SyntheticControl(Design):
    """처치받은 대상 하나의 통제집단합성."""

    name = "synthetic_control"
    label = "통제집단합성법"
    question = "여러 시점을 본 패널이고, 처치받은 대상이 하나입니까?"
    precedence = 40
    fields = (Panel,)
    reveals = {"pre_fit": "처치 전의 맞음", "negative_control": "음성 대조군"}  # noqa: RUF012
    doubt = "배정을 모릅니다. 처치가 없었다면 합성한 짝처럼 움직였으리라는 가정은 처치 뒤의 자료로 확인할 수 없습니다."
    strength = "scaled_effect"
    ignores = {  # noqa: RUF012
        "negative_controls.treatments": NO_NEGATIVE_TREATMENT,
        "weights": "처치받은 대상이 하나라 대신할 모집단이 없고, 짝의 무게는 처치 앞의 길을 맞추는 데서 나옵니다. weights를 지우세요.",
        "treatment.cluster": "구간은 대상을 바꾼 위약의 순위로 내므로 군집을 쓰지 않습니다. cluster를 지우거나, 군집을 panel.unit으로 삼으세요.",
    }

    @classmethod
    def applies(cls, spec: Spec, frame: pd.DataFrame | None = None) -> bool:
        return (
            Panel.of(spec) is not None
            and spec.treatment.kind == "binary"
            and (frame is None or treated_units(spec, frame) == 1)
        )

    @classmethod
    def identify(cls, spec: Spec, frame: pd.DataFrame, graph: nx.DiGraph) -> Identification:
        require_treated(spec, frame)
        if frame[Panel.of(spec).unit].nunique() == 1:
            raise spec.error(
                DataError, "no_donor", "panel", "견줄 대상이 하나도 없습니다.", "처치받지 않은 대상을 자료에 넣으세요."
            )
        notes = (
            [f"이 설계는 {spec.estimand}가 아니라 처치받은 대상의 효과 ATT를 식별합니다."]
            if spec.estimand != "ATT"
            else []
        )
        how = "처치받지 않은 대상들의 가중평균으로 만든 가상의 짝과 견주어"
        return Identification(
            design=cls.name,
            estimand="ATT",
            adjustment=(),
            sentence=f"처치받은 대상의 처치 뒤 시점에서, {how} {contrast(spec)} {result(spec)}.",
            formula=r"Y_{1t} - \sum_j w_j Y_{jt},\quad w_j \ge 0,\ \sum_j w_j = 1",
            notes=tuple(notes),
            whom="처치받은 대상",
        )

    @cached_property
    def fit(self) -> Paths:
        """짝을 만들고 견줄 대상마다 위약을 냅니다."""
        return self._paths(self.spec.outcome.column)

    def _paths(self, outcome: str) -> Paths:
        spec, p = self.spec, Panel.of(self.spec)
        wide = self.frame.pivot_table(
            index=p.time, columns=p.unit, values=outcome, aggfunc="mean", observed=True
        ).sort_index()
        starts = start_times(self.frame, **start_arguments(spec)).reindex(wide.columns)
        unit = starts.dropna().index[0]
        complete = seen_together(wide, unit)
        times = complete.index.to_numpy()
        first = int(np.searchsorted(times, float(starts[unit])))
        T0 = first - p.anticipation
        gone = wide.index[wide[unit].isna()].to_numpy()
        unseen = int((gone < float(starts[unit])).sum()), int((gone >= float(starts[unit])).sum())
        dropped = wide.shape[1] - complete.shape[1]
        holes = f" 처치받은 대상을 보지 못한 시점이 앞 {unseen[0]}개, 뒤 {unseen[1]}개입니다." if any(unseen) else ""
        if T0 < 2 or first >= len(times):
            raise spec.error(
                DataError, "too_short_before_treatment", "panel",
                f"처치받은 대상의 처치 앞 시점이 둘 이상 있고 처치 뒤 시점이 하나 이상 있어야 합니다.{holes}",
                "panel.start와 panel.time의 단위를 확인하고, 처치 앞의 자료를 더 넣으세요.",
            )  # fmt: skip
        complete = complete.drop(index=times[T0:first])  # 미리 움직였을 시점은 맞춤에도 효과에도 넣지 않습니다
        times, donors = complete.index.to_numpy(), complete.drop(columns=unit)
        if donors.shape[1] < 2:
            why = f" 빈칸이 있는 대상 {dropped}개를 뺐기 때문입니다." if dropped else ""
            how = (
                "시점을 달이나 분기로 묶거나 빈칸이 많은 시점을 빼서, 모든 시점에서 본 대상을 늘리세요."
                if dropped
                else "처치받지 않은 대상을 자료에 더 넣으세요."
            )
            raise spec.error(DataError, "no_donor", "panel", f"견줄 대상이 둘도 되지 않습니다.{why}", how)
        y, D = complete[unit].to_numpy(dtype=float), donors.to_numpy(dtype=float)
        effects, before, ratio, w = all_effects(y, D, T0)
        others = [all_effects(D[:, j], np.delete(D, j, axis=1), T0) for j in range(D.shape[1])]
        return Paths(
            times, unit, donors.columns.to_numpy(), y, D, T0, effects, {k: np.array([o[0][k] for o in others]) for k in effects},
            before, np.array([o[1] for o in others]), w, ratio, np.array([o[2] for o in others]), dropped,
            smallest_error(D, T0), unseen, first - T0,
        )  # fmt: skip

    # --- 점검 ---

    def check(self) -> list[Check]:
        """견줄 대상과 처치 앞 시점의 수, 처치 전의 맞음, 처치 시점을 앞당겨 본 위약, 그래프의 독립."""
        return [
            *self._size(),
            *self._lost(),
            *self._covariates(),
            self._pre_fit(),
            *self._backdating(),
            *checks.graph_independences(self.spec, self.frame),
        ]

    def _size(self) -> list[Check]:
        f = self.fit
        donors, narrow = (
            len(f.donors),
            f" {FEW_DONORS}개보다 적으면 위약의 순위로 95% 구간을 만들 수 없어 구간이 좁게 나옵니다.",
        )
        status = ladder(donors, FEW_DONORS, TOO_FEW_DONORS)
        message = f"견줄 대상은 {donors}개입니다." + ("" if status == "ok" else narrow)
        noisy = " 시점이 적으면 잡음을 따라간 짝이 만들어집니다."
        return [
            graded("donors", "견줄 대상의 수", message, donors, status, float(FEW_DONORS)),
            graded(
                "periods_before", "처치 앞 시점의 수", f"처치 앞 시점은 {f.T0}개입니다.", f.T0, ladder(f.T0, FEW_BEFORE, TOO_FEW_BEFORE), float(FEW_BEFORE),
                {"warn": noisy, "fail": noisy},
            ),
        ]  # fmt: skip

    def _lost(self) -> list[Check]:
        """처치받은 대상을 보지 못해 뺀 시점과, 빈칸이 있어 뺀 견줄 대상."""
        f = self.fit
        before, after = f.unseen
        if not (f.dropped or before or after):
            return []
        gone, units = (before + after) / (len(f.times) + before + after), f.dropped / (f.dropped + len(f.donors))
        said = (
            [f"처치받은 대상을 보지 못한 시점 {before + after}개(처치 앞 {before}, 뒤 {after})를 뺐습니다."]
            if before + after
            else []
        )
        said += [f"빈칸이 있는 견줄 대상 {f.dropped}개({percent(units)})를 뺐습니다."] if f.dropped else []
        said += ["뒤의 빠진 시점에서 효과가 달랐다면 평균이 그만큼 다릅니다."] if after else []
        message, share = " ".join(said), max(gone, units)
        status = ladder(share, checks.LOST_WARN, checks.LOST_FAIL)
        return [graded("lost_cells", "빈 칸", message, share, status, checks.LOST_WARN)]

    def _covariates(self) -> list[Check]:
        """교란 요인을 적었으면, 쓰지 않았다고 말하고 등급을 낮춥니다."""
        if not self.spec.confounders:
            return []
        listed = names(map(self.spec.label, self.spec.confounders))
        message = f"{listed}을(를) 보정하지 않았습니다. 이 설계는 공변량이 아니라 처치 앞의 결과가 닮은 짝을 만듭니다. 공변량의 영향이 처치 뒤에 바뀌었으면 답이 치우칩니다."
        return [flagged("unused_covariates", "쓰지 않은 공변량", message, float(len(self.spec.confounders)), True, 0.0)]

    def _pre_fit(self) -> Check:
        f = self.fit
        value = f.before / max(np.median(f.placebo_before), f.floor)
        if f.before <= f.floor:
            message = "처치 앞의 결과를 조금도 틀리지 않고 따라갔습니다. 시점보다 견줄 대상이 많으면 잡음까지 흉내 낸 짝이 나옵니다."
            return flagged("pre_fit", "처치 전의 맞음", message + " 처치 앞의 시점을 더 두세요.", value, True, FIT_WARN)
        far = " 견줄 대상들의 가중평균으로는 이 대상을 흉내 내지 못합니다."
        # 견줄 대상들도 제각각이면 중앙값의 몇 배쯤은 흔합니다. 순위로도 드물 때에만 멈춥니다.
        p = permutation_p(f.placebo_before, f.before)
        message = (
            f"처치 전 오차(RMSPE)는 {number(f.before)}이고 견줄 대상들의 중앙값의 {value:.2f}배입니다"
            f"(견줄 대상들 가운데 이만큼 큰 몫 {p:.3f})."
        )
        status = ladder(value, FIT_WARN, FIT_FAIL)
        rare = p <= max(FIT_RARE, 1 / (len(f.donors) + 1))
        return graded(
            "pre_fit",
            "처치 전의 맞음",
            message,
            value,
            "warn" if status == "fail" and not rare else status,
            FIT_WARN,
            {"warn": far, "fail": far},
        )

    def _backdating(self) -> list[Check]:
        f = self.fit
        hold = max(1, f.T0 // 4)
        if f.T0 - hold < 3:
            return []
        mine = backdate(f.y, f.D, f.T0, hold)
        others = np.array([backdate(f.D[:, j], np.delete(f.D, j, axis=1), f.T0, hold) for j in range(f.D.shape[1])])
        p = permutation_p(others, mine)
        broken = p <= max(BACKDATED_FAIL, 1 / (len(others) + 1)) and len(others) >= FEW_DONORS
        message = (
            f"처치가 {hold}시점 먼저 있었다고 보면 가짜 효과는 앞 오차의 {number(mine, digits=2, signed=True)}배이고, "
            f"견줄 대상들 가운데 이만큼 큰 몫(p값)은 {p:.3f}입니다."
        )
        status, tails = (
            "fail" if broken else "warn" if p <= BACKDATED_WARN else "ok",
            {"fail": " 처치 앞부터 이미 벌어지고 있었습니다."},
        )
        bias = checks.relevant_bias(self.primary)
        moved = np.abs(others + bias / max(f.before, f.floor))
        noticed = np.mean([permutation_p(np.delete(others, j), v) <= BACKDATED_WARN for j, v in enumerate(moved)])
        check = graded("backdating", "앞당긴 처치", message, p, status, BACKDATED_FAIL, tails)
        return [checks.powered(check, bias, float(noticed), "견줄 대상들이 처치 앞부터 그만큼 벌어졌다면")]

    # --- 추정 ---

    @cached_property
    def estimates(self) -> list[Estimate]:
        """통제집단합성법(주된 추정), 절편을 넣은 것, 합성이중차분법, 고른 이중차분법. 구간은 위약의 순위입니다."""
        f = self.fit
        labels = {
            "synthetic": ("통제집단합성법", "처치받은 대상이 다른 대상들의 사이에 있지 않을 때"),
            "shifted": ("절편을 넣은 통제집단합성법", "높이의 차이가 시간에 따라 변할 때"),
            "synthetic_difference": ("합성이중차분법", "처치 앞 시점이 적거나, 앞뒤의 시점이 닮지 않았을 때"),
            "difference": ("견줄 대상 모두와의 이중차분법", "추세가 나란하지 않을 때"),
        }
        out = []
        for name, (label, fails) in labels.items():
            value = f.effects[name]
            low, high = value - placebo_quantile(f.placebos[name]), value + placebo_quantile(f.placebos[name])
            if name == "synthetic":
                ends = placebo_interval(value, f.placebos[name], f.before, f.placebo_before, f.floor)
                low, high = ends["low"], ends["high"]
            # 순위의 구간에는 표준오차가 없어, 반쪽을 1.96으로 나눈 것을 적습니다.
            out.append(
                Estimate(
                    name,
                    label,
                    value,
                    low,
                    high,
                    (high - value) / 1.96,
                    f.D.size + len(f.y),
                    fails,
                    name == "synthetic",
                    "ATT",
                )
            )
        change = float(f.y[f.T0 :].mean() - f.y[: f.T0].mean())
        spread = float(np.abs(f.D[f.T0 :].mean(axis=0) - f.D[: f.T0].mean(axis=0)).std(ddof=1))
        naive = Estimate(
            "naive",
            "처치 앞뒤의 차이",
            change,
            change - 1.96 * spread,
            change + 1.96 * spread,
            spread,
            len(f.y),
            "처치가 없어도 결과가 움직일 때",
        )
        return [*out, naive]

    # --- 흔들어 보기 ---

    def stress(self) -> tuple[list[Check], list[Sensitivity]]:
        """추정량끼리의 견줌, 대상을 바꾼 위약, 견줄 대상을 하나씩 빼기, 음성 대조군."""
        f = self.fit
        apart = {
            name: float((f.placebos[name] - f.placebos["synthetic"]).std(ddof=1))
            for name in f.effects
            if name != "synthetic"
        }
        left, left_check = self._leave_one_out()
        found = [
            checks.agreement(self.estimates, apart),
            self._placebo(),
            left_check,
            checks.negative_control(self.spec, self._negative_controls(), self.primary),
        ]
        return found, [left, self._scaled()]

    def _placebo(self) -> Check:
        """구간이 0을 비켜 가는데 위약의 순위는 그렇지 않으면 등급을 낮춥니다."""
        f, main = self.fit, self.primary
        p = permutation_p(f.placebo_ratio, f.ratio)
        message = f"처치 뒤 오차를 앞 오차로 나눈 비는 {f.ratio:.1f}이고, 견줄 대상 {len(f.donors)}개를 처치받았다고 보았을 때 이만큼 큰 몫(p값)은 {p:.3f}입니다."
        bad = (main.low > 0 or main.high < 0) and p > placebos.PLACEBO_P
        check = flagged("placebo", "대상을 바꾼 위약", message, p, bad, placebos.PLACEBO_P)
        half = [
            placebo_interval(v, np.delete(f.placebos["synthetic"], j), f.placebo_before[j], np.delete(f.placebo_before, j), f.floor)["high"] - v
            for j, v in enumerate(f.placebos["synthetic"])
        ]  # fmt: skip
        return placebos.narrow(
            check, main, placebos.rank_power(f.placebo_ratio, np.abs(f.placebos["synthetic"]), np.array(half))
        )

    def _leave_one_out(self) -> tuple[Sensitivity, Check]:
        f, main, label = self.fit, self.primary, "견줄 대상을 하나씩 빼기"
        used, moved = np.flatnonzero(f.weights > 0.01), {}
        for j in used:
            path, _ = synthetic_path(f.y, np.delete(f.D, j, axis=1), f.T0)
            moved[str(f.donors[j])] = float((f.y - path)[f.T0 :].mean())
        values = list(moved.values()) or [main.value]
        flips = (main.low > 0 or main.high < 0) and min(values) < 0 < max(values)
        outside = any(not main.low <= v <= main.high for v in values)
        largest = float(f.weights.max())
        message = f"무게가 실린 대상 {len(used)}개를 하나씩 빼면 추정값은 {number(min(values))}에서 {number(max(values))} 사이입니다(가장 큰 무게 {largest:.2f})."
        size = float(max(abs(v - main.value) for v in values))
        return Sensitivity("leave_one_out", label, size, message, moved), flagged(
            "leave_one_out", label, message, largest, flips or outside
        )

    def _negative_controls(self) -> list[tuple[str, float, float, float]]:
        found = []
        for name in self.spec.negative_outcomes:
            other = self._paths(name)
            ends = placebo_interval(
                other.effects["synthetic"], other.placebos["synthetic"], other.before, other.placebo_before, other.floor
            )
            same = [j for j, donor in enumerate(self.fit.donors) if donor in set(other.donors)]
            mine = self.fit.placebos["synthetic"][same]
            theirs = other.placebos["synthetic"][[list(other.donors).index(self.fit.donors[j]) for j in same]]
            slope = checks.follows(theirs, mine)
            found.append((name, other.effects["synthetic"], (ends["high"] - ends["value"]) / 1.96, slope))
        return found

    def _scaled(self) -> Sensitivity:
        f = self.fit
        value = abs(self.primary.value) / max(f.before, f.floor)
        needed = placebo_quantile(f.placebos["synthetic"] / np.maximum(f.placebo_before, f.floor))
        message = (
            f"추정값은 처치 전 오차의 {value:.1f}배입니다. 처치받지 않은 대상들에서는 95%가 {needed:.1f}배 안에 듭니다."
        )
        return Sensitivity(
            "scaled_effect", "처치 전 오차에 견준 효과", float(value), message, {"위약의 95%": float(needed)}
        )

    # --- 그림과 재현 ---

    def pictures(self) -> list[Picture]:
        """실제와 합성의 길."""
        f = self.fit
        data = {
            "times": [float(t) if np.issubdtype(type(t), np.number) else str(t) for t in f.times],
            "treated": f.y.tolist(),
            "synthetic": synthetic_path(f.y, f.D, f.T0)[0].tolist(),
            "start": float(f.times[f.T0]),
            "unit": self.spec.outcome.unit,
            "placebos": placebo_paths(f.D, f.T0).T.tolist(),
        }
        return [
            Picture(
                "paths",
                "실제와 합성한 짝",
                "처치받은 대상의 실제 결과와 견줄 대상들의 가중평균. 세로선 뒤가 처치 뒤입니다.",
                data,
            )
        ]

    def steps(self) -> list[Step]:
        """같은 함수로 가중치와, 견줄 대상마다의 위약으로 구간을 냅니다."""
        f, p, y = self.fit, Panel.of(self.spec), self.spec.outcome.column
        unit = f.unit.item() if hasattr(f.unit, "item") else f.unit
        ahead = f"wide = wide.drop(index=wide.index[{f.T0}:{f.T0 + f.ahead}])\n" if f.ahead else ""
        return [
            Step(
                "시점을 행, 대상을 열로 놓습니다.",
                f"{IMPORTS}\n\nwide = frame.pivot_table(index={p.time!r}, columns={p.unit!r}, values={y!r}, aggfunc='mean', observed=True).sort_index()\n\n"
                f"{source(seen_together)}\n\nwide = seen_together(wide, {unit!r})\n{ahead}"
                f"y, donors = wide[{unit!r}].to_numpy(dtype=float), wide.drop(columns={unit!r})\nD, T0 = donors.to_numpy(dtype=float), {f.T0}",
            ),
            Step(
                "처치 앞의 결과를 가장 가깝게 따라가는 가중평균을 찾습니다.",
                f"{source(simplex_weights, synthetic_path)}\n\npath, w = synthetic_path(y, D, T0)\n"
                "print(pd.Series(w, index=donors.columns).round(3).loc[lambda s: s > 0.01])\n(y - path)[T0:].mean()",
            ),
            Step(
                "견줄 대상마다 같은 일을 되풀이해, 처치 앞 오차로 나눈 위약의 95% 자리로 구간을 만듭니다.",
                f"{source(placebo_paths, pre_error, placebo_quantile, smallest_error, placebo_interval)}\n\ngaps = placebo_paths(D, T0)\n"
                "found = placebo_interval((y - path)[T0:].mean(), gaps[T0:].mean(axis=0), pre_error(y - path, T0), pre_error(gaps, T0), smallest_error(D, T0))\n"
                'reproduced["synthetic"] = found\nreproduced["synthetic"]',
            ),
        ]
