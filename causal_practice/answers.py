"""연습문제의 자기 점검. 뜻이 같은 답을 받아들이고, 틀린 답에는 무엇과 헷갈렸을지 알려 줍니다.

사이트의 답 칸(``book/extensions/answer_box_assets``의 스크립트)이 같은 규칙을 씁니다. 규칙이나 말을 고치면 둘을 함께 고치세요.
``tests/book/test_answer_box.py``가 모든 연습의 같은 답에서 둘이 같은 말을 하는지 봅니다.
"""

import math
import re
import unicodedata
from numbers import Real

from causal_practice.claims import publish_record, show_text

ANSWER_MIME = "application/papermill.record/application/vnd.causal-practice.answer+json"
MOST_DECIMALS = 6

_PLACES = (
    "정수",
    "소수점 첫째 자리",
    "소수점 둘째 자리",
    "소수점 셋째 자리",
    "소수점 넷째 자리",
    "소수점 다섯째 자리",
    "소수점 여섯째 자리",
)
# 뜻이 같은 말. 띄어쓰기, 대소문자, 문장 부호, 말끝('입니다')을 뗀 꼴입니다.
_SAME_WORDS = (
    {"예", "네", "넵", "그렇다", "맞다", "맞습니다", "그렇습니다", "yes", "y", "true", "참", "o"},
    {"아니요", "아니오", "아뇨", "아니", "아니다", "아닙니다", "no", "n", "false", "거짓", "x"},
)  # fmt: skip
_NUMBER = re.compile(r"(?:약|대략)?\s*([+-]?(?:\d[\d,]*)?\.?\d+(?:e[+-]?\d+)?)\s*([^\d.,]*)", re.IGNORECASE | re.ASCII)
_SCALE_WORD = re.compile(r"[십백천만억]")  # '3.2천 원'의 천. 문제의 단위를 모르므로 값을 짐작하지 않습니다
_SCALES = (
    (100.0, "백분율로 적은 듯합니다. 비율(0과 1 사이)로 적어 주세요."),
    (0.01, "비율로 적은 듯합니다. 100을 곱해 백분율로 적어 주세요."),
    (1000.0, "값이 1,000배입니다. 원과 천 원처럼 단위의 자리를 다시 보세요."),
    (0.001, "값이 1,000분의 1입니다. 천 원과 백만 원처럼 단위의 자리를 다시 보세요."),
    (10.0, "값이 10배입니다. 만 원을 천 원으로 적었는지 보세요."),
    (0.1, "값이 10분의 1입니다. 천 원을 만 원으로 적었는지 보세요."),
    (10000.0, "값이 10,000배입니다. 만 원을 원으로 적었는지 보세요."),
    (0.0001, "값이 10,000분의 1입니다. 원을 만 원으로 적었는지 보세요."),
)  # fmt: skip


def places(decimals: int) -> str:
    """``0`` → '정수', ``1`` → '소수점 첫째 자리' … 자릿수를 문제와 점검이 같은 말로 부릅니다."""
    return _PLACES[decimals]


# --- 답을 한 꼴로 ---


def _plain(value):
    """numpy·pandas의 값을 파이썬 값으로 바꾸고, 하나만 든 목록은 그 하나로 풉니다."""
    if hasattr(value, "to_numpy"):
        value = value.to_numpy()
    if hasattr(value, "tolist"):
        value = value.tolist()
    while isinstance(value, (list, tuple, set, frozenset)) and len(value) == 1:
        (value,) = value
    return value


def _word(text: str) -> str:
    """띄어쓰기, 대소문자, 전각, 문장 부호, 말끝을 뗀 글자."""
    bare = re.sub(r"[\s.,!?'\"“”‘’`·]", "", unicodedata.normalize("NFKC", text)).casefold()
    return re.sub(r"(?<=.)(?:입니다|이다)$", "", bare)


def _number(value) -> tuple[float, str] | None:
    """수와 그 뒤의 단위. 수가 아니거나, '만 원'처럼 크기를 바꾸는 단위가 붙었으면 None. 참과 거짓은 수가 아닙니다."""
    if isinstance(value, Real):
        return None if isinstance(value, bool) else (float(value), "")
    if not isinstance(value, str):
        return None
    text = unicodedata.normalize("NFKC", value).replace("−", "-").replace("–", "-")
    found = _NUMBER.fullmatch(text.strip().strip("[](){}").strip())
    if not found or _SCALE_WORD.search(found[2]):
        return None
    return float(found[1].replace(",", "")), found[2].strip()


def _many(value) -> list | None:
    """목록이나 집합으로 읽은 답. 쉼표로 이은 글자도 받습니다."""
    if isinstance(value, (set, frozenset, list, tuple)):
        return list(value)
    if isinstance(value, str) and ("," in value or len(value.split()) > 1):
        return [part for part in re.split("," if "," in value else r"\s+", value.strip("{}[]() ")) if part.strip()]
    return [value] if isinstance(value, (str, Real)) else None


# --- 견주기 ---


def _matches(answer, target, tol: float) -> bool:
    if isinstance(target, bool):
        return _matches(answer, "예" if target else "아니요", tol)
    if isinstance(target, str):
        if isinstance(answer, bool):
            answer = "예" if answer else "아니요"
        if not isinstance(answer, str):
            return False
        given, wanted = _word(answer), _word(target)
        return given == wanted or any(given in same and wanted in same for same in _SAME_WORDS)
    if isinstance(target, Real):
        return any(math.isclose(value, float(target), rel_tol=1e-9, abs_tol=tol) for value in _readings(answer))
    if isinstance(target, (set, frozenset)):
        given, wanted = _many(answer), list(target)  # 목록이 든 답도 받도록 해시를 쓰지 않습니다
        if given is None:
            return False
        return all(any(_matches(a, t, tol) for t in wanted) for a in given) and all(
            any(_matches(a, t, tol) for a in given) for t in wanted
        )
    if isinstance(target, (list, tuple)):
        given = _many(answer) if isinstance(answer, (list, tuple, str)) else None
        return (
            given is not None
            and len(given) == len(target)
            and all(_matches(_plain(a), t, tol) for a, t in zip(given, target, strict=True))
        )
    raise TypeError(f"정답은 수, 글자, 목록, 집합 가운데 하나여야 합니다. 받은 것: {type(target).__name__}")


def _readings(answer) -> list[float]:
    """답이 뜻할 수 있는 수. '5%'는 5이기도 0.05이기도 합니다."""
    read = _number(answer)
    if read is None:
        return []
    value, unit = read
    return [value, value / 100] if unit in {"%", "퍼센트", "프로"} else [value]


# --- 점검 ---


def check_answer(
    label: str,
    answer,
    expected,
    tol: float = 0.0,
    wrong: dict | None = None,
    decimals: int | None = None,
    reading: str = "",
) -> None:
    """답을 점검해 한 줄로 알려 줍니다. 배우는 사람의 답 때문에 오류를 내지 않습니다.

    Parameters
    ----------
    label : str
        "연습 1"처럼 화면에 찍을 이름.
    answer
        배우는 사람의 답. 아직 쓰지 않았으면 ``...``(Ellipsis). 하나만 든 배열, 단위를 붙인 글자("3.2개"),
        '네'와 '아니오'처럼 뜻이 같은 말도 받습니다.
    expected : 수, 글자, 목록, 집합
        정답. 글자는 띄어쓰기와 대소문자를 가리지 않습니다.
    tol : float
        수일 때 허용하는 절대 오차. 정답과 같은 단위. 손으로 딱 떨어지는 답에만 씁니다.
    wrong : dict
        ``{"이름": (틀린 값, "무엇과 헷갈렸는지")}``.
    decimals : int
        문제가 청한 소수 자릿수(0은 정수). 그 자리에서 반올림한 답을 받아들입니다. ``tol``과 함께 쓰지 않습니다.
    reading : str
        맞혔을 때만 보이는 짧은 해설(마크다운). 학습자용 노트북이 쪽의 해설을 여기에 싣습니다.

    Raises
    ------
    ValueError
        문제를 낸 쪽의 잘못: 틀린 값이 정답으로 받아들여지거나, 허용 오차가 음수이거나, 자릿수가 0에서 6 사이가 아닐 때.
    """
    expected, wrong = _plain(expected), wrong or {}
    if decimals is not None:
        if tol or isinstance(decimals, bool) or decimals not in range(MOST_DECIMALS + 1):
            raise ValueError(f"{label}: decimals는 0에서 {MOST_DECIMALS} 사이의 정수이고 tol과 함께 쓸 수 없습니다.")
        tol = 0.501 * 10.0**-decimals
    if tol < 0:
        raise ValueError(f"{label}: tol은 0 이상이어야 합니다.")
    for key, (value, _) in wrong.items():
        if _matches(_plain(value), expected, tol):
            raise ValueError(f"{label}: 틀린 답 '{key}'가 정답으로 받아들여집니다. tol을 줄이거나 값을 바꾸세요.")
    answer = answer if answer is Ellipsis else _plain(answer)
    known = [(_plain(value), why) for value, why in wrong.values()]
    if answer is Ellipsis:
        status, message = (
            "empty",
            f"{label}: 아직 답이 없습니다. {_answer_name(label)}에 답을 넣고 그 셀과 이 셀을 차례로 실행하세요.",
        )
    elif (hint := judge(answer, expected, tol, known, decimals)) is None:
        status, message = "right", f"{label}: 정답입니다."
    else:
        status, message = "wrong", f"{label}: 아직 아닙니다. {_shown(answer)} {hint}"
    print(message.rstrip())
    if reading and status == "right":
        show_text(reading)
    rules = {"expected": _shipped(expected), "tol": tol, "decimals": decimals}
    rules["wrong"] = [[_shipped(value), why] for value, why in known]
    record = {"label": label, "status": status, "wrong_answers_rejected": len(wrong), "rules": rules}
    if share := _tolerance_share(expected, tol):
        record["tolerance_share"] = share
    publish_record(ANSWER_MIME, f"answer:{label}", record)


def judge(answer, expected, tol: float, wrong: list, decimals: int | None) -> str | None:
    """맞으면 None, 아니면 귀띔. ``wrong``은 (틀린 값, 까닭)의 목록이고 나머지는 :func:`check_answer`와 같습니다."""
    answer = _plain(answer)
    if _matches(answer, expected, tol):
        return None
    reasons = [why for value, why in wrong if _matches(answer, value, tol)]
    return reasons[0] if reasons else _hint(answer, expected, tol, decimals, wrong)


def _shipped(value):
    """사이트에 싣는 꼴(JSON). 수는 유효숫자 열 자리, 유한하지 않은 수는 None, 집합은 ``{"any": [...]}``."""
    if isinstance(value, (set, frozenset)):
        return {"any": sorted(map(_shipped, value), key=str)}
    if isinstance(value, (list, tuple)):
        return [_shipped(_plain(part)) for part in value]
    if isinstance(value, Real) and not isinstance(value, bool):
        return float(f"{value:.10g}") if math.isfinite(value) else None
    return value


def _tolerance_share(expected, tol: float) -> float | None:
    """허용 오차를 정답의 크기로 나눈 것. 여러 수이면 가장 큰 것. 수가 아니거나 정답이 0이면 None."""
    numbers = expected if isinstance(expected, (list, tuple, set, frozenset)) else [expected]
    sizes = [abs(v) for v in numbers if isinstance(v, Real) and not isinstance(v, bool) and v]
    return float(f"{tol / min(sizes):.3g}") if sizes else None


def _answer_name(label: str) -> str:
    number = re.search(r"\d+", label)
    return f"answer_{number.group()}" if number else "answer"


def _shown(answer) -> str:
    if isinstance(answer, Real) and not isinstance(answer, bool):
        return f"(받은 답 {answer:.6g})"
    return f"(받은 답 {str(answer)[:60]!r})"


# --- 귀띔 ---


def _hint(answer, expected, tol: float, decimals: int | None, wrong: list) -> str:
    if isinstance(expected, (bool, str)):
        return _word_hint(answer, expected, wrong)
    if isinstance(expected, Real):
        return _number_hint(answer, float(expected), tol, decimals)
    if isinstance(expected, (list, tuple)):
        given = _many(answer)
        if given is None or len(given) != len(expected) or isinstance(answer, (set, frozenset)):
            return f"차례대로 {len(expected)}개를 [첫째, 둘째] 꼴로 적으세요."
        off = [i for i, (a, t) in enumerate(zip(given, expected, strict=True), 1) if not _matches(_plain(a), t, tol)]
        why = _hint(_plain(given[off[0] - 1]), expected[off[0] - 1], tol, decimals, [])
        return f"{', '.join(f'{i}번째' for i in off)} 값이 다릅니다. {why}"
    given = _many(answer)
    if given is None:
        return '고른 것을 {"가", "나"} 꼴로 모두 적으세요.'
    extra = sum(not any(_matches(a, t, tol) for t in expected) for a in given)
    lacking = sum(not any(_matches(a, t, tol) for a in given) for t in expected)
    found = [f"{extra}개는 답이 아닙니다." if extra else "", f"{lacking}개가 빠졌습니다." if lacking else ""]
    return "고른 것 가운데 " + " ".join(filter(None, found)) if extra else f"아직 {lacking}개가 빠졌습니다."


def _word_hint(answer, expected, wrong: list) -> str:
    if not isinstance(answer, (str, bool)):
        return "답은 글자여야 합니다. 보기의 말을 따옴표로 감싸 적으세요."
    choices = {v for v, _ in wrong if isinstance(v, str)} | {expected if isinstance(expected, str) else "예"}
    listed = ", ".join(f'"{choice}"' for choice in sorted(choices))
    if isinstance(answer, str) and not any(_matches(answer, choice, 0.0) for choice in choices):
        return f"문제의 보기에 없는 말입니다. 보기의 말을 그대로 적으세요(예: {listed})."
    return "보기를 다시 읽고, 문제가 무엇을 묻는지 보세요."


def _number_hint(answer, expected: float, tol: float, decimals: int | None) -> str:
    read = _number(answer)
    if read is None:
        if isinstance(answer, str) and re.search(r"\d", answer):
            return "단위를 떼고, 문제가 청한 단위의 수만 적어 주세요."
        return "답은 수 하나여야 합니다." + (f" {places(decimals)}까지 적으세요." if decimals else "")
    value = read[0]
    if not math.isfinite(value):
        return "값이 nan이거나 무한대입니다. 결측값이나 0으로 나눈 곳을 찾아보세요."
    if expected and value:
        if _is_coarser(value, expected):
            wanted = f"{places(decimals)}까지" if decimals is not None else "더 많은 자리까지"
            return f"값은 가깝지만 자릿수가 모자랍니다. 계산 도중에 반올림하지 말고 {wanted} 적으세요."
        near = max(0.02 * abs(expected), tol)
        if abs(value + expected) <= near:
            return "부호가 반대입니다. 무엇에서 무엇을 뺐는지 보세요."
        for factor, why in _SCALES:
            if abs(abs(value) / factor - abs(expected)) <= max(0.02 * abs(expected), tol if factor > 1 else 0.0):
                return why + (" 부호도 반대입니다." if value * expected < 0 else "")
    return "문제의 추정 대상과 단위를 다시 확인해 보세요."


def _is_coarser(value: float, expected: float) -> bool:
    """정답을 덜 자세한 자리에서 반올림하거나 버린 값이면 참. 정답에서 20% 넘게 벗어나면 아닙니다."""
    for step in (1000.0, 100.0, 10.0, 1.0, 0.1, 0.01, 0.001, 0.0001, 0.00001, 0.000001):
        if math.isclose(value / step, round(value / step), rel_tol=1e-9):  # 답을 적은 자리
            cut = math.isclose(math.trunc(expected / step) * step, value, rel_tol=1e-9)
            off = abs(value - expected)
            return off <= 0.2 * abs(expected) and (cut or off <= 0.5 * step * (1 + 1e-9))
    return False
