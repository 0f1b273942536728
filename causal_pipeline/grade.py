"""등급: 점검이 허락하는 가장 높은 글자.

| 등급 | 뜻 | 언제 |
|---|---|---|
| A | 믿고 쓸 만함 | 어떤 점검도 등급을 낮추지 않고, 설계의 핵심 가정을 드러낼 수 있었던 점검이 적어도 하나 통과했을 때 |
| B | 조건부 | 결론을 바꿀 수도 있는 점검이 남았거나, 핵심 가정을 드러낼 점검이 아예 없을 때 |
| C | 쓰지 말 것 | 가정이 깨졌다는 증거가 자료에 있을 때 |

점수를 더하지 않습니다. 점검 하나가 C이면 다른 점검이 아무리 좋아도 C입니다.
"""

from collections.abc import Mapping, Sequence

from causal_pipeline.model import Check, Grade, Letter

_ORDER: dict[Letter, int] = {"A": 0, "B": 1, "C": 2}


def grade(checks: Sequence[Check], reveals: Mapping[str, str], caveat: str | None = None) -> Grade:
    """점검들에서 등급과 까닭을 냅니다.

    Parameters
    ----------
    checks : sequence of Check
    reveals : mapping of str to str
        설계의 핵심 가정을 드러낼 수 있는 점검의 이름 → 한국어 이름(``Design.reveals``). 이것이 통과하지 않으면 A가 아닙니다.
    caveat : str, optional
        모의 세계에서 잰 한계(``Design.caveat``). 있으면 A가 아닙니다.

    Returns
    -------
    Grade
        까닭은 약한 것부터(C, B의 차례로) 적습니다. A이면 무엇이 통과했는지를 적습니다.
    """
    capped = [check for check in checks if check.cap in ("B", "C") and check.status != "ok"]
    reasons: list[tuple[Letter, str]] = [(check.cap, f"{check.label}: {check.message}") for check in capped]
    passed, present, told = (
        {c.name for c in checks if c.status == "ok"},
        {c.name for c in checks},
        {c.name for c in capped},
    )
    for name, label in reveals.items():
        if name not in present:
            reasons.append(("B", f"{label}: 이 점검을 하지 못했습니다. 재지 못한 것이 있어도 드러나지 않습니다."))
        elif name not in passed | told:
            reasons.append(("B", f"{label}: 이 점검이 통과하지 않았습니다."))
    if caveat is not None:
        reasons.append(("B", caveat))
    reasons.sort(key=lambda reason: -_ORDER[reason[0]])
    if not reasons:
        good = dict.fromkeys(check.label for check in checks if check.status == "ok")
        return Grade("A", (f"모든 점검이 통과했습니다: {', '.join(good)}.",))
    return Grade(reasons[0][0], tuple(text for _, text in reasons))
