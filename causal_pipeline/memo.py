"""한 쪽짜리 의사결정 메모. 말의 세기는 등급을 따릅니다: A는 그렇다고, B는 조건을 달고, C는 쓰지 말라고 적습니다."""

from dataclasses import dataclass

from causal_pipeline import designs
from causal_pipeline.model import Analysis, Estimate
from causal_pipeline.wording import josa, number

GRADES = {"A": "믿고 쓸 만함", "B": "조건부", "C": "쓰지 말 것"}
ESTIMANDS = {
    "ATE": "평균 처치효과(ATE)", "ATT": "실험군에 대한 평균 처치효과(ATT)", "LATE": "국지적 평균 처치효과(LATE)", "ITT": "처치 의도 효과(ITT)",
}  # fmt: skip


@dataclass(frozen=True)
class Section:
    """메모의 한 토막. ``items``는 줄표 목록입니다."""

    title: str
    text: str
    items: tuple[str, ...] = ()


def interval(estimate: Estimate, unit: str = "") -> str:
    """``−4.2(95% 신뢰구간 −4.8 ~ −3.6)`` 꼴의 글."""
    value, low, high = (number(x, estimate.se) for x in (estimate.value, estimate.low, estimate.high))
    return f"{value}{' ' + unit if unit else ''}(95% 신뢰구간 {low} ~ {high})"


def excludes_zero(estimate: Estimate) -> bool:
    """구간이 0을 담지 않으면 참."""
    return estimate.low > 0 or estimate.high < 0


def action(analysis: Analysis) -> str:
    """무엇을 무엇과 견주는지. ``처치('추가 세척')를 하면`` 따위."""
    spec = analysis.spec
    t, name = spec.treatment, f"'{spec.label(spec.treatment.column)}'"
    if t.kind == "continuous":
        return f"{josa(name, '을/를')} {t.control:g}에서 {josa(f'{t.treated:g}', '으로/로')} 올리면"
    if t.kind == "multi":
        return f"{josa(name, '을/를')} '{t.control}'에서 {josa(chr(39) + str(t.treated) + chr(39), '으로/로')} 바꾸면"
    if analysis.identification.estimand == "ITT":
        return f"처치({name})를 배정하면"
    return f"처치({name})를 하면"


def whom(analysis: Analysis) -> str:
    """효과가 누구의 것인지. 모든 대상이면 빈 글이고, 아니면 결론의 앞에 붙습니다."""
    whose = analysis.identification.whom
    return f"{whose}에서는 " if whose else ""


def headline(analysis: Analysis) -> str:
    """결론 한 문장."""
    spec, best, letter = analysis.spec, analysis.primary, analysis.grade.letter
    outcome, unit = f"'{spec.label(spec.outcome.column)}'", spec.outcome.unit
    size = number(abs(best.value), best.se) + (f" {unit}" if unit else "")
    low, high = number(best.low, best.se), number(best.high, best.se)
    if letter == "C":
        where = whom(analysis).replace("에서는 ", "에서 ")
        return (
            f"이 자료와 설계로는 {where}{action(analysis)} {josa(outcome, '이/가')} 얼마나 달라지는지 말할 수 없습니다. "
            f"추정값은 {interval(best, unit)}이지만 결정에 쓰지 마십시오."
        )
    if not excludes_zero(best):
        return (
            f"{whom(analysis)}{action(analysis)} {josa(outcome, '이/가')} 달라진다는 증거를 찾지 못했습니다. "
            f"95% 신뢰구간은 {low}에서 {high}까지이며, 그 안의 효과는 있다고도 없다고도 말할 수 없습니다."
        )
    verb = ("늡니다", "느는 것으로 보입니다") if best.value > 0 else ("줄어듭니다", "줄어드는 것으로 보입니다")
    ending = verb[0] if letter == "A" else verb[1]
    condition = "" if letter == "A" else " 아래에 적은 조건이 맞을 때에만 그렇습니다."
    return f"{whom(analysis)}{action(analysis)} {josa(outcome, '이/가')} 평균 {size} {ending}(95% 신뢰구간 {low} ~ {high}).{condition}"


def net_gain(analysis: Analysis, effect: float) -> float:
    """처치 하나의 순이득(화폐). 결과가 낮을수록 좋으면 줄어든 만큼이 값입니다."""
    money, sign = analysis.spec.money, 1 if analysis.spec.outcome.higher_is_better else -1
    return sign * money.value_per_outcome * effect - money.cost_per_treatment


def agreement(analysis: Analysis) -> list[dict]:
    """방법을 견준 표. 결론의 추정값과 얼마나 다른지, 구간이 그것을 담는지, 부호가 같은지."""
    best, rows = analysis.primary, []
    for e in analysis.estimates:
        other = bool(e.estimand) and e.estimand != (best.estimand or analysis.identification.estimand)
        rows.append(
            {
                "estimate": e,
                "difference": e.value - best.value,
                "contains": e.low <= best.value <= e.high,
                "same_sign": (e.value > 0) == (best.value > 0),
                "other_target": other,
                "compared": not (e.primary or other or e.method == "naive"),
            }
        )
    return rows


LOST = ("lost_rows", "lost_units", "lost_cells", "attrition")
"""빠진 자료를 말하는 점검들의 이름."""


def left_out(analysis: Analysis) -> tuple[str, ...]:
    """빠진 행, 대상, 칸과, 적었으나 쓰지 못한 것. 빠진 것이 없으면 빈 튜플입니다."""
    found = [c.message for c in analysis.checks if c.name in LOST and c.value]
    if not any(c.name == "lost_rows" for c in analysis.checks):
        found += [notice for notice in analysis.notices if "뺐습니다" in notice or "뽑았습니다" in notice]
    found += [notice for notice in analysis.notices if "쓰지 않았습니다" in notice]
    t = analysis.spec.treatment
    if t.kind == "multi":
        found.append(f"'{t.control}'과 '{t.treated}' 말고 다른 값을 받은 대상은 이 비교의 추정 대상이 아닙니다.")
    return tuple(dict.fromkeys(found))


def answer(analysis: Analysis) -> list[tuple[str, str, str]]:
    """첫 화면의 수: (무엇, 값, 95% 신뢰구간). money를 적었으면 돈이 앞에 오고, 등급 C이면 돈으로 답하지 않습니다."""
    best, spec = analysis.primary, analysis.spec
    unit = f" {spec.outcome.unit}" if spec.outcome.unit else ""
    value, low, high = (number(x, best.se, signed=i == 0) for i, x in enumerate((best.value, best.low, best.high)))
    name = f"'{spec.label(spec.outcome.column)}'의 변화" + ("(믿을 수 없음)" if analysis.grade.letter == "C" else "")
    found = [(name, f"{value}{unit}", f"{low} ~ {high}{unit}")]
    if spec.money is not None and analysis.grade.letter != "C":
        low, high = sorted((net_gain(analysis, best.low), net_gain(analysis, best.high)))
        se, currency = (high - low) / 4, spec.money.currency
        gain = number(net_gain(analysis, best.value), se, signed=True)
        found.insert(
            0, ("처치 하나의 순이득", f"{gain}{currency}", f"{number(low, se)} ~ {number(high, se)}{currency}")
        )
    return found


def _evidence(analysis: Analysis) -> Section:
    ident, best = analysis.identification, analysis.primary
    rows = [r for r in agreement(analysis) if r["compared"]]
    agreed = sum(r["contains"] for r in rows)
    items = [
        f"설계: {designs.get(ident.design).label}. 추정 대상: {ESTIMANDS.get(ident.estimand, ident.estimand)}.",
        f"추정값: {interval(best, analysis.spec.outcome.unit)}. {best.label}, {best.n:,}개로 냈습니다.",
    ]
    if rows:
        items.append(f"약점이 다른 방법 {len(rows)}개 가운데 {agreed}개의 신뢰구간이 이 추정값을 담습니다.")
    naive = next((e for e in analysis.estimates if e.method == "naive"), None)
    if naive is not None:
        items.append(f"보정하지 않은 단순 비교는 {number(naive.value, naive.se)}이었습니다. 이 수는 효과가 아닙니다.")
    items += [f"빠진 자료: {said}" for said in left_out(analysis)]
    return Section("근거", ident.sentence, tuple(items))


def _trust(analysis: Analysis) -> Section:
    letter = analysis.grade.letter
    text = {
        "A": "처치가 어떻게 정해졌는지 알고, 그것을 깨는 증거를 찾지 못했습니다. 다음을 알고 쓰시면 됩니다.",
        "B": "다음이 맞을 때에만 이 결론을 쓸 수 있습니다. 결정하기 전에 하나씩 확인하십시오.",
        "C": "다음 까닭으로 이 추정값은 효과라고 부를 수 없습니다.",
    }[letter]
    return Section(f"등급 {letter}: {GRADES[letter]}", text, analysis.grade.reasons)


def _decision(analysis: Analysis) -> Section:
    letter, money, policy, best = analysis.grade.letter, analysis.spec.money, analysis.policy, analysis.primary
    if letter == "C":
        return Section(
            "결정", "이 분석으로 결정하지 마십시오. 지금의 방식을 유지하고, 아래의 '다음에 할 일'을 먼저 하십시오."
        )
    if money is None:
        text = "돈으로 견주지 않았습니다. 결과 한 단위의 값과 처치의 비용을 명세의 money에 적으면 이득을 함께 냅니다."
        return Section("결정", text)
    ends = sorted((net_gain(analysis, best.low), net_gain(analysis, best.high)))
    middle, se = net_gain(analysis, best.value), (ends[1] - ends[0]) / 4
    shown = [number(x, se) for x in (middle, *ends)]
    gain = f"처치 하나의 순이득은 {shown[0]}{money.currency}(95% 신뢰구간 {shown[1]} ~ {shown[2]})입니다."
    if ends[0] > money.minimum_gain:
        verdict = "구간 전체가 기준보다 큽니다. " + (
            "넓혀도 됩니다."
            if letter == "A"
            else "조건을 확인한 뒤, 되돌릴 수 있는 규모로 먼저 넓히는 것이 좋겠습니다."
        )
    elif ends[1] < money.minimum_gain:
        verdict = "구간 전체가 기준보다 작습니다. " + (
            "넓히지 마십시오." if letter == "A" else "넓히지 않는 것이 좋겠습니다."
        )
    else:
        verdict = (
            "구간이 기준을 걸치고 있어 이득인지 손해인지 이 자료로는 가릴 수 없습니다. 더 모으거나 작게 시험하십시오."
        )
    items = ()
    if policy is not None and 0 < policy.share < 1:  # 배운 규칙
        se = (policy.high - policy.low) / 4
        value, low, high, everyone = (number(x, se) for x in (policy.value, policy.low, policy.high, policy.treat_all))
        items = (
            f"규칙: {policy.rule}.",
            f"그 규칙의 값은 배우지 않은 자료에서 대상 하나당 {value}{money.currency}(95% 신뢰구간 {low} ~ {high})이고, 모두에게 하면 {everyone}{money.currency}입니다.",
            *policy.notes,
        )
    elif policy is not None:
        items = (f"규칙: {policy.rule}.", *policy.notes)
    return Section("결정", f"{gain} {verdict}", items)


def _reversal(analysis: Analysis) -> Section:
    told = analysis.grade.reasons  # 등급의 까닭이 이미 말한 세기는 되풀이하지 않습니다
    items = tuple(s.message for s in analysis.sensitivities if not any(s.message in reason for reason in told))
    if items:
        text = "재지 못한 것이 얼마나 세어야 결론이 바뀌는지입니다."
    elif analysis.sensitivities:
        text = "결론을 뒤집는 세기는 등급의 까닭에 적었습니다."
    else:
        text = "이 설계에서 잴 수 있는 민감도가 없었습니다."
    return Section("이 결론을 뒤집는 것", text, items)


def _left_out(analysis: Analysis) -> Section:
    items = left_out(analysis)
    text = "답에 들어가지 않은 것입니다." if items else f"자료의 {analysis.rows:,}행을 모두 썼습니다."
    return Section("빠진 것", text, items)


def more_data(analysis: Analysis) -> str | None:
    """구간이 기준(money가 있으면 minimum_gain, 없으면 0)에 걸칠 때, 값이 그대로라면 표본이 몇 배여야 가릴 수 있는지."""
    best, money = analysis.primary, analysis.spec.money
    line = 0.0 if money is None else money.minimum_gain
    value, ends = best.value, (best.low, best.high)
    if money is not None:
        value, ends = net_gain(analysis, value), sorted(net_gain(analysis, x) for x in ends)
    if not ends[0] <= line <= ends[1] or abs(value - line) < 1e-12:
        return None
    times = ((ends[1] - ends[0]) / 2 / abs(value - line)) ** 2
    if times > 50:
        return "구간이 기준에 걸치고 추정값이 기준과 거의 같습니다. 표본을 늘리기보다 더 세게 바꾼 처치를 시험하십시오."
    return f"구간이 기준에 걸칩니다. 추정값이 그대로라면 표본이 지금의 {max(times, 1.1):.1f}배쯤 되어야 어느 쪽인지 가릴 수 있습니다."


def _next(analysis: Analysis) -> Section:
    letter, spec = analysis.grade.letter, analysis.spec
    asked = designs.get(analysis.identification.design).reveals
    ringing = [c.label for status in ("fail", "warn") for c in analysis.checks if c.status == status]
    # 힘이 없어 조용한 점검 가운데, 결론이 기대는 것만 먼저 확인하라고 합니다. 나머지는 더 볼 것이 없습니다.
    blind = [c.label for c in analysis.checks if c.status == "unshown" and (c.cap is not None or c.name in asked)]
    weak = ringing + blind
    first = ", ".join(f"'{label}'" for label in dict.fromkeys(weak[:3]))
    text = {
        "A": "넓힌 뒤에도 같은 효과인지 다시 재십시오.",
        "B": f"결정하기 전에 {first} 점검부터 확인하십시오." if first else "등급의 까닭부터 확인하십시오.",
        "C": f"{first} 점검이 말하는 잘못부터 고치고 다시 돌리십시오."
        if first
        else "등급의 까닭부터 고치고 다시 돌리십시오.",
    }[letter]
    items = []
    if letter != "C" and (more := more_data(analysis)):
        items.append(more)
    if "negative_control" in asked and not (spec.negative_outcomes or spec.negative_treatments):
        items.append(
            "처치가 바꿀 수 없는 결과를 하나 골라 negative_controls.outcomes에 적으면, 재지 못한 교란 요인을 시험할 수 있습니다."
        )
    return Section("다음에 할 일", text, tuple(items))


def memo(analysis: Analysis) -> list[Section]:
    """의사결정 메모의 토막들: 결론, 결정, 등급과 까닭, 빠진 것, 뒤집는 것, 다음에 할 일, 근거. 첫 토막이 결론입니다."""
    return [
        Section("결론", headline(analysis)),
        _decision(analysis),
        _trust(analysis),
        _left_out(analysis),
        _reversal(analysis),
        _next(analysis),
        _evidence(analysis),
    ]
