"""연습문제의 자기 점검. 틀린 답에는 무엇과 헷갈렸을지 알려 줍니다."""

import math
import re
from numbers import Real

from causal_practice.claims import publish_record

ANSWER_MIME = "application/papermill.record/application/vnd.causal-practice.answer+json"


def _matches(answer, target, tol: float) -> bool:
    if isinstance(target, str):
        return isinstance(answer, str) and "".join(answer.split()).casefold() == "".join(target.split()).casefold()
    if isinstance(target, Real):
        return isinstance(answer, Real) and math.isclose(float(answer), float(target), rel_tol=0.0, abs_tol=tol)
    if isinstance(target, (set, frozenset)):
        if not isinstance(answer, (set, frozenset, list, tuple)):
            return False
        given, wanted = list(answer), list(target)  # 목록이 든 답도 받도록 해시를 쓰지 않습니다
        return all(a in wanted for a in given) and all(t in given for t in wanted)
    if isinstance(target, (list, tuple)):
        return (
            isinstance(answer, (list, tuple))
            and len(answer) == len(target)
            and all(_matches(a, t, tol) for a, t in zip(answer, target, strict=True))
        )
    raise TypeError(f"정답은 수, 글자, 목록, 집합 가운데 하나여야 합니다. 받은 것: {type(target).__name__}")


def _plain(value):
    """numpy 스칼라·배열·시리즈를 파이썬 값으로 바꿉니다."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return value.item() if hasattr(value, "item") else value


def check_answer(label: str, answer, expected, tol: float = 0.0, wrong: dict | None = None) -> None:
    """답을 점검해 한 줄로 알려 줍니다. 배우는 사람의 답 때문에 오류를 내지 않습니다.

    Parameters
    ----------
    label : str
        "연습 1"처럼 화면에 찍을 이름.
    answer
        배우는 사람의 답. 아직 쓰지 않았으면 ``...``(Ellipsis).
    expected : 수, 글자, 목록, 집합
        정답. 글자는 띄어쓰기와 대소문자를 가리지 않습니다.
    tol : float
        수일 때 허용하는 절대 오차. 정답과 같은 단위.
    wrong : dict
        ``{"이름": (틀린 값, "무엇과 헷갈렸는지")}``.

    Raises
    ------
    ValueError
        문제를 낸 쪽의 잘못: 틀린 값이 정답으로 받아들여지거나 허용 오차가 음수일 때.
    """
    expected, wrong = _plain(expected), wrong or {}
    if tol < 0:
        raise ValueError(f"{label}: tol은 0 이상이어야 합니다.")
    for key, (value, _) in wrong.items():
        if _matches(_plain(value), expected, tol):
            raise ValueError(f"{label}: 틀린 답 '{key}'가 정답으로 받아들여집니다. tol을 줄이거나 값을 바꾸세요.")
    answer = answer if answer is Ellipsis else _plain(answer)
    if answer is Ellipsis:
        status, message = (
            "empty",
            f"{label}: 아직 답이 없습니다. {_answer_name(label)}에 답을 넣고 그 셀과 이 셀을 차례로 실행하세요.",
        )
    elif _matches(answer, expected, tol):
        status, message = "right", f"{label}: 정답입니다."
    else:
        status, message = "wrong", f"{label}: 아직 아닙니다. {_shown(answer)}"
        for value, reason in wrong.values():
            if _matches(answer, _plain(value), tol):
                message += f" {reason}"
                break
        else:
            message += f" {_type_hint(answer, expected)}"
    print(message.rstrip())
    publish_record(
        ANSWER_MIME, f"answer:{label}", {"label": label, "status": status, "wrong_answers_rejected": len(wrong)}
    )


def _answer_name(label: str) -> str:
    number = re.search(r"\d+", label)
    return f"answer_{number.group()}" if number else "answer"


def _shown(answer) -> str:
    if isinstance(answer, Real) and not isinstance(answer, bool):
        return f"(받은 답 {answer:.4g})"
    return f"(받은 답 {str(answer)[:60]!r})"


def _type_hint(answer, expected) -> str:
    if isinstance(expected, Real) and not isinstance(answer, Real):
        return "답은 수 하나여야 합니다."
    if isinstance(expected, Real) and not math.isfinite(answer):
        return "값이 nan이거나 무한대입니다. 결측값이나 0으로 나눈 곳을 찾아보세요."
    if isinstance(expected, Real) and expected and math.isclose(answer, -expected, rel_tol=0.02):
        return "부호가 반대입니다. 무엇에서 무엇을 뺐는지 보세요."
    if isinstance(expected, Real) and expected and math.isclose(answer, 100 * expected, rel_tol=0.02):
        return "백분율로 적은 듯합니다. 비율로 적어 주세요."
    if isinstance(expected, str) and not isinstance(answer, str):
        return "답은 글자여야 합니다."
    return "문제의 추정 대상과 단위를 다시 확인해 보세요."
