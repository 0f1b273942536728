"""결정: 누구에게 처치할지와 그 값. 값은 규칙을 배우지 않은 자료에서 잽니다."""

import numpy as np

from causal_pipeline.designs import common
from causal_pipeline.heterogeneity import effects
from causal_pipeline.model import Policy

NONE, ALL, TARGETED = "none", "all", "targeted"


def decide(spec, ident, frame, estimates, het) -> Policy | None:
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
    main = next(e for e in estimates if e.primary)
    # 패널의 점수는 이미 처치받은 대상의 것이라, 아직 받지 않은 대상을 고르는 규칙을 배우지 못합니다.
    able = het is not None and het.found and ident.design != "difference_in_differences"
    material = effects(spec, ident, frame) if able else None
    if material is None:
        return _average_policy(spec, ident, main, worth, cost)
    return _targeted_policy(spec, material, worth, cost)


def _average_policy(spec, ident, main, worth, cost) -> Policy:
    low, high = sorted((worth * main.low - cost, worth * main.high - cost))
    value = worth * main.value - cost
    notes = []
    if ident.estimand == "LATE":
        notes.append("값은 순응자(또는 임곗값 둘레의 대상)의 효과로 셌습니다. 모두에게 넓히면 다를 수 있습니다.")
    if ident.estimand == "ATT":
        notes.append("값은 이미 처치받은 대상의 효과로 셌습니다. 아직 받지 않은 대상에서는 다를 수 있습니다.")
    if low > spec.money.minimum_gain:
        return Policy("모두 처치", 1.0, value, low, high, value, 0.0, (*notes, "이익의 구간 전체가 문턱보다 큽니다."))
    if high < spec.money.minimum_gain:
        return Policy("아무도 처치하지 않음", 0.0, 0.0, 0.0, 0.0, value, 0.0, (*notes, "이익의 구간 전체가 문턱보다 작습니다."))
    notes.append(f"모두 처치했을 때의 이익 구간 [{common.show(low)}, {common.show(high)}]이 문턱을 품어, 이 자료로는 어느 쪽이 나은지 가리지 못합니다.")
    if value > spec.money.minimum_gain:
        return Policy("모두 처치", 1.0, value, low, high, value, 0.0, tuple(notes))
    return Policy("아무도 처치하지 않음", 0.0, 0.0, 0.0, 0.0, value, 0.0, tuple(notes))


def _pick(gain, wanted, minimum) -> str:
    """배우는 쪽 자료에서 평균 이익이 가장 큰 규칙. 비슷하면 단순한 쪽입니다."""
    candidates = {NONE: np.zeros(len(gain)), ALL: gain, TARGETED: np.where(wanted, gain, 0.0)}
    best = NONE if gain.mean() <= minimum else ALL
    step = candidates[TARGETED] - candidates[best]
    better = step.mean() > 1.64 * step.std(ddof=1) / np.sqrt(len(step))
    return TARGETED if better and candidates[TARGETED].mean() > minimum else best


def _targeted_policy(spec, e, worth, cost) -> Policy:
    gain = worth * e.psi - cost
    wanted = worth * e.predicted > cost
    minimum = spec.money.minimum_gain
    values, treated = np.zeros(len(gain)), np.zeros(len(gain), dtype=bool)
    picks = []
    for k in np.unique(e.fold):
        test = e.fold == k
        rule = _pick(gain[~test], wanted[~test], minimum)
        picks.append(rule)
        treated[test] = {NONE: False, ALL: True, TARGETED: wanted[test]}[rule]
    values = np.where(treated, gain, 0.0)
    error = common.mean_error(values, e.clusters)
    half = common.critical(len(values), e.clusters) * error
    final = _pick(gain, wanted, minimum)
    share = {NONE: 0.0, ALL: 1.0, TARGETED: float(wanted.mean())}[final]
    names = {NONE: "아무도 처치하지 않음", ALL: "모두 처치", TARGETED: f"예상 이익이 비용보다 큰 대상({share:.0%})만 처치"}
    notes = [f"다섯 겹 가운데 {picks.count(final)}겹이 같은 규칙을 골랐습니다."]
    if values.mean() - half <= minimum and final != NONE:
        notes.append("값의 구간이 문턱을 품어, 처치하지 않는 것보다 나은지 가리지 못합니다.")
    value = float(values.mean())
    return Policy(names[final], share, value, value - half, value + half, float(gain.mean()), 0.0, tuple(notes))
