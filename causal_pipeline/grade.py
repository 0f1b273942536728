"""등급: 배정을 아는지와 점검이 허락하는 가장 높은 글자.

| 등급 | 뜻 | 언제 |
|---|---|---|
| A | 믿고 쓸 만함 | 처치가 어떻게 정해졌는지 알고(무작위, 또는 문서로 남은 임곗값), 그것을 볼 힘이 있는 점검을 지났으며, 등급을 낮추는 점검이 없을 때 |
| B | 조건부 | 배정을 모르거나(보정, 도구변수, 패널), 결론을 바꿀 수 있는 점검이 남았을 때 |
| C | 쓰지 말 것 | 가정이 깨졌다는 증거가 자료에 있거나, 자료가 모자라 구간을 믿을 수 없을 때 |

점수를 더하지 않습니다. 점검 하나가 C이면 다른 점검이 아무리 좋아도 C입니다. 통과한 음성 대조군은 그것이 볼 수 있는 것만 보여
줍니다. 그래서 배정을 모르는 설계는 모든 점검을 지나도 B입니다.
"""

from collections.abc import Mapping, Sequence

from causal_pipeline.model import Check, Grade, Letter
from causal_pipeline.wording import number, percent

# A에 꼭 필요한 점검은 결론을 바꿀 치우침을 스무 번에 열아홉 번은 알아챘어야 합니다. 그래야 그런 치우침이 있는 자료가 A를 받는 일이
# 스무 번에 한 번을 넘지 않습니다.
POWER_FOR_A = 0.95

_ORDER: dict[Letter, int] = {"A": 0, "B": 1, "C": 2}


def grade(
    checks: Sequence[Check],
    reveals: Mapping[str, str],
    known: str | None,
    doubt: str = "처치가 어떻게 정해졌는지 모릅니다.",
    caveat: str | None = None,
) -> Grade:
    """점검들과 배정에서 등급과 까닭을 냅니다.

    Parameters
    ----------
    checks : sequence of Check
    reveals : mapping of str to str
        설계의 핵심 가정을 드러낼 수 있는 점검의 이름 → 한국어 이름(``Design.reveals``). 이것이 통과하지 않으면 A가 아닙니다.
    known : str or None
        배정을 안다는 말(``Design.known_assignment``). None이면 A가 아니고, 까닭의 끝에 ``doubt``를 적습니다.
    doubt : str
        무엇이 아직 틀릴 수 있고, 얼마나 세어야 하는지(``Design.doubts``).
    caveat : str, optional
        모의 세계에서 잰 한계(``Design.caveat``). 있으면 A가 아닙니다.

    Returns
    -------
    Grade
        까닭은 약한 것부터(C, B의 차례로) 적습니다. A이면 무엇을 알고, 무엇이 통과했고, 무엇이 보이지 못했는지를 적습니다.
    """
    capped = [check for check in checks if check.cap in ("B", "C") and check.status != "ok"]
    reasons: list[tuple[Letter, str]] = [(check.cap, f"{check.label}: {check.message}") for check in capped]
    found, told = {c.name: c for c in checks}, {c.name for c in capped}
    for name, label in reveals.items():
        if name not in found:
            reasons.append(("B", f"{label}: 이 점검을 하지 못했습니다. 재지 못한 것이 있어도 드러나지 않습니다."))
        elif found[name].status != "ok" and name not in told:
            reasons.append(("B", f"{label}: {found[name].message}"))
        elif known is not None and (power := found[name].power) is not None and power.noticed < POWER_FOR_A:
            said = f"{label}: 통과했지만 {number(power.bias)}의 치우침을 알아챌 확률이 {percent(power.noticed, 0)}라, A의 근거로는 모자랍니다."
            reasons.append(("B", f"{said} {percent(POWER_FOR_A, 0)}가 있어야 합니다."))
    if caveat is not None:
        reasons.append(("B", caveat))
    if known is None:
        reasons.append(("B", doubt))
    reasons.sort(key=lambda reason: -_ORDER[reason[0]])
    if reasons:
        return Grade(reasons[0][0], tuple(text for _, text in reasons))
    good, blind = (dict.fromkeys(c.label for c in checks if c.status == status) for status in ("ok", "unshown"))
    said = [known, f"통과한 점검: {', '.join(good)}."]
    if blind:
        said.append(f"울리지 않았지만 보일 힘이 없던 점검: {', '.join(blind)}. 이 등급은 여기에 기대지 않습니다.")
    return Grade("A", tuple(said))
