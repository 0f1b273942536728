"""등급: 점검이 허락하는 가장 높은 글자.

| 등급 | 뜻 | 언제 |
|---|---|---|
| A | 믿고 쓸 만함 | 어떤 점검도 등급을 낮추지 않고, 설계의 핵심 가정을 드러낼 수 있었던 점검이 적어도 하나 통과했을 때 |
| B | 조건부 | 결론을 바꿀 수도 있는 점검이 남았거나, 핵심 가정을 드러낼 점검이 아예 없을 때 |
| C | 쓰지 말 것 | 가정이 깨졌다는 증거가 자료에 있을 때 |

점수를 더하지 않습니다. 점검 하나가 C이면 다른 점검이 아무리 좋아도 C입니다.
"""

from causal_pipeline.model import Grade

_ORDER = {"A": 0, "B": 1, "C": 2}

# 무작위로 배정하지 않은 설계에서, 재지 못한 것을 드러낼 수 있는 점검. 이것이 통과하지 않으면 A가 아닙니다.
_REVEALING = {
    "adjustment": ("negative_control",),
    "instrument": ("negative_control",),
    "discontinuity": ("density", "continuity"),
    "difference_in_differences": ("pre_trend", "negative_control"),
    "synthetic_control": ("pre_fit", "negative_control"),
}
# 모의 세계에서 잰 값(guides/pipeline_benchmark.yml의 skewed_dose). 고치기 전에는 이 설계에 A를 주지 않습니다.
DOSE_LIMIT = "연속 처치의 구간: 용량이 한쪽으로 늘어진 모의 세계에서 95% 구간이 정답을 덮은 것은 500번 가운데 89%입니다. 구간을 조금 넓게 읽으세요."
_NAMES = {
    "negative_control": "음성 대조군",
    "density": "배정변수의 밀도",
    "continuity": "처치 전 변수의 연속",
    "pre_trend": "처치 전 추세",
    "pre_fit": "처치 전의 맞음",
}


def grade(spec, ident, checks, estimates, sens) -> Grade:
    """점검들에서 등급과 까닭을 냅니다.

    Returns
    -------
    Grade
        까닭은 약한 것부터(C, B의 차례로) 적습니다. A이면 무엇이 통과했는지를 적습니다.
    """
    reasons = [(check.cap, f"{check.label}: {check.message}") for check in checks if check.cap in ("B", "C") and check.status != "ok"]
    passed = {check.name for check in checks if check.status == "ok"}
    present = {check.name for check in checks}
    for name in _REVEALING.get(ident.design, ()):
        if name not in present:
            reasons.append(("B", f"{_NAMES[name]}: 이 점검을 하지 못했습니다. 재지 못한 것이 있어도 드러나지 않습니다."))
        elif name not in passed and not any(text.startswith(next(c.label for c in checks if c.name == name)) for _, text in reasons):
            reasons.append(("B", f"{_NAMES[name]}: 이 점검이 통과하지 않았습니다."))
    if spec.treatment.kind == "continuous" and not spec.treatment.randomized and ident.design == "adjustment":
        reasons.append(("B", DOSE_LIMIT))
    letter = max((cap for cap, _ in reasons), key=_ORDER.get, default="A")
    reasons.sort(key=lambda r: -_ORDER[r[0]])
    if letter == "A":
        good = [check.label for check in checks if check.status == "ok"]
        return Grade("A", (f"모든 점검이 통과했습니다: {', '.join(dict.fromkeys(good))}.",))
    return Grade(letter, tuple(text for _, text in reasons))
