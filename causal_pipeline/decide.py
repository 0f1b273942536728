"""결정: 누구에게 처치할지와 그 값. 값은 규칙을 배우지 않은 자료에서 잽니다."""

import numpy as np

from causal_pipeline.heterogeneity import Effects
from causal_pipeline.model import Estimate, Heterogeneity, Identification, Policy, Spec
from causal_pipeline.shown import critical_value, standard_error, weighted
from causal_pipeline.wording import number

NONE, ALL, TARGETED = "none", "all", "targeted"
# 점수를 골라 처치하는 규칙이 단순한 규칙보다 나은 것이 표준오차의 이만큼은 되어야 고릅니다(한쪽 5%).
BETTER_Z = 1.64


def decide(
    spec: Spec, ident: Identification, main: Estimate, effects: Effects | None, het: Heterogeneity | None
) -> Policy | None:
    """돈을 적은 명세이면 규칙과 대상 하나당 값을 냅니다.

    효과가 갈린다고 시험이 말할 때에만 골라서 처치하는 규칙을 후보에 넣습니다. 어느 규칙을 쓸지도 겹마다 나머지 겹에서
    고르고, 그 규칙의 값은 남겨 둔 겹에서 잽니다. 그래서 가장 좋아 보이는 것을 고른 데에서 오는 부풀림이 없습니다.

    Returns
    -------
    Policy or None
        ``spec.money``가 없으면 None.
    """
    if spec.money is None:
        return None
    sign = 1.0 if spec.outcome.higher_is_better else -1.0
    worth, cost = spec.money.value_per_outcome * sign, spec.money.cost_per_treatment
    if effects is None or het is None or not het.found or not effects.units.targetable:
        return _average_policy(spec, ident.estimand, main, worth, cost)
    return _targeted_policy(spec, effects, worth, cost)


def _average_policy(spec: Spec, estimand: str, main: Estimate, worth: float, cost: float) -> Policy:
    low, high = sorted((worth * main.low - cost, worth * main.high - cost))
    value = worth * main.value - cost
    notes = []
    if estimand == "LATE":
        notes.append("값은 순응자(또는 임곗값 둘레의 대상)의 효과로 셌습니다. 모두에게 넓히면 다를 수 있습니다.")
    if estimand == "ATT":
        notes.append("값은 이미 처치받은 대상의 효과로 셌습니다. 아직 받지 않은 대상에서는 다를 수 있습니다.")
    if low > spec.money.minimum_gain:
        return Policy("모두 처치", 1.0, value, low, high, value, 0.0, (*notes, "이익의 구간 전체가 문턱보다 큽니다."))
    if high < spec.money.minimum_gain:
        return Policy(
            "아무도 처치하지 않음", 0.0, 0.0, 0.0, 0.0, value, 0.0, (*notes, "이익의 구간 전체가 문턱보다 작습니다.")
        )
    notes.append(
        f"모두 처치했을 때의 이익 구간 [{number(low)}, {number(high)}]이 문턱을 품어, 이 자료로는 어느 쪽이 나은지 가리지 못합니다."
    )
    if value > spec.money.minimum_gain:
        return Policy("모두 처치", 1.0, value, low, high, value, 0.0, tuple(notes))
    return Policy("아무도 처치하지 않음", 0.0, 0.0, 0.0, 0.0, value, 0.0, tuple(notes))


def _pick(gain: np.ndarray, wanted: np.ndarray, minimum: float, w: np.ndarray) -> str:
    """배우는 쪽 자료에서 (가중한) 평균 이익이 가장 큰 규칙. 비슷하면 단순한 쪽입니다."""
    chosen = np.where(wanted, gain, 0.0)
    best = NONE if np.average(gain, weights=w) <= minimum else ALL
    step = weighted(chosen - (gain if best == ALL else 0.0), w)
    better = step.mean() > BETTER_Z * step.std(ddof=1) / np.sqrt(len(step))
    return TARGETED if better and np.average(chosen, weights=w) > minimum else best


def _targeted_policy(spec: Spec, e: Effects, worth: float, cost: float) -> Policy:
    units = e.units
    gain = worth * units.psi - cost
    wanted = worth * e.predicted > cost
    minimum = spec.money.minimum_gain
    treated = np.zeros(len(gain), dtype=bool)
    picks = []
    for k in np.unique(units.fold):
        test = units.fold == k
        rule = _pick(gain[~test], wanted[~test], minimum, units.w[~test])
        picks.append(rule)
        treated[test] = {NONE: False, ALL: True, TARGETED: wanted[test]}[rule]
    values = weighted(np.where(treated, gain, 0.0), units.w)
    half = critical_value(len(values), units.clusters) * standard_error(values, units.clusters)
    final = _pick(gain, wanted, minimum, units.w)
    share = {NONE: 0.0, ALL: 1.0, TARGETED: float(np.average(wanted, weights=units.w))}[final]
    names = {
        NONE: "아무도 처치하지 않음",
        ALL: "모두 처치",
        TARGETED: f"예상 이익이 비용보다 큰 대상({share:.0%})만 처치",
    }
    notes = [f"다섯 겹 가운데 {picks.count(final)}겹이 같은 규칙을 골랐습니다."]
    if values.mean() - half <= minimum and final != NONE:
        notes.append("값의 구간이 문턱을 품어, 처치하지 않는 것보다 나은지 가리지 못합니다.")
    value = float(values.mean())
    everyone = float(np.average(gain, weights=units.w))
    return Policy(names[final], share, value, value - half, value + half, everyone, 0.0, tuple(notes))
