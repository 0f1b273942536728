"""두 시간 모임의 시간표: 머리말의 ``minutes``에서 나누고, 쪽과 안내가 같은 표를 보입니다."""

from dataclasses import dataclass

PARTS = {"talk": "발표", "practise": "실습", "case": "사례", "discussion": "토론"}
TOTAL = 120  # 모임 한 번의 길이(분)


class EveningError(ValueError):
    """시간표를 만들 수 없습니다. 메시지는 한국어 한 문장입니다."""


@dataclass(frozen=True)
class Slot:
    """시간표의 한 줄.

    Attributes
    ----------
    start, minutes : int
        모임이 시작한 뒤의 분, 길이(분).
    label, text : str
        '발표'처럼 하는 일의 이름, 무엇을 하는지(MyST 글).
    """

    start: int
    minutes: int
    label: str
    text: str


def is_plan(minutes) -> bool:
    """장의 ``minutes``이면 참: 읽기와 네 토막이 정수이고, 네 토막의 합이 120분입니다. 사례가 없는 주는 ``case: 0``."""
    return (
        isinstance(minutes, dict)
        and set(minutes) == {"read", *PARTS}
        and all(isinstance(value, int) and not isinstance(value, bool) and value >= 0 for value in minutes.values())
        and all(minutes[key] > 0 for key in ("read", "talk", "practise", "discussion"))
        and sum(minutes[key] for key in PARTS) == TOTAL
    )


def session_minutes(minutes) -> int:
    """모임에서 쓰는 시간(분). 장이면 네 토막의 합, 사례이면 발표하는 시간이고, 적혀 있지 않으면 0."""
    if is_plan(minutes):
        return sum(minutes[key] for key in PARTS)
    return int((minutes or {}).get("session") or 0)


def reading_line(minutes) -> str:
    """혼자 읽고 푸는 시간: '읽기 35분 · 실습 30분'. 적혀 있지 않은 것은 빼고, 둘 다 없으면 빈 글자입니다."""
    said = minutes if isinstance(minutes, dict) else {}
    return " · ".join(
        f"{name} {said[key]}분" for key, name in (("read", "읽기"), ("practise", "실습")) if said.get(key)
    )


def slots(minutes: dict, body: list[str]) -> list[Slot]:
    """머리말의 시간과 지시자에 적힌 일로 시간표를 만듭니다.

    Parameters
    ----------
    minutes : dict
        머리말의 ``minutes``.
    body : list of str
        ``talk: 1절부터 4절까지`` 꼴의 줄.

    Raises
    ------
    EveningError
        머리말의 합이 120분이 아니거나, 시간이 있는 토막에 할 일이 없거나, 모르는 토막일 때.
    """
    if not is_plan(minutes):
        example = "minutes: {read: 35, talk: 45, practise: 30, case: 20, discussion: 25}"
        raise EveningError(
            f"머리말의 minutes가 {minutes!r}입니다 — 네 토막의 합이 {TOTAL}분이 되게 적으세요({example})."
        )
    said = {}
    for line in filter(None, map(str.strip, body)):
        key, colon, text = line.partition(":")
        if key not in PARTS or not colon or not text.strip():
            raise EveningError(
                f"'{line}'을 읽지 못했습니다 — '{', '.join(PARTS)}' 가운데 하나로 시작해 '이름: 할 일'로 적으세요."
            )
        said[key] = text.strip()
    wanted = {key for key in PARTS if minutes[key]}
    if set(said) != wanted:
        odd = ", ".join(sorted(set(said) ^ wanted))
        raise EveningError(f"{odd}: 시간표의 일과 머리말의 minutes가 다릅니다 — 시간이 있는 토막마다 한 줄을 적으세요.")
    found, start = [], 0
    for key, label in PARTS.items():
        if minutes[key]:
            found.append(Slot(start, minutes[key], label, said[key]))
            start += minutes[key]
    return found
