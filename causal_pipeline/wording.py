"""보고서와 오류가 함께 쓰는 한국어: 조사, 숫자."""

import difflib
import math
import re
from collections.abc import Iterable

# 받침이 있는 소리로 끝나는 글자: 숫자는 영일삼육칠팔, 로마자는 l m n r(엘 엠 엔 알)
_CLOSED = set("013678lmnrLMNR")
# 화면에 보이지 않는 글자: 너비 없는 빈칸과 BOM
_UNSEEN = "\u200b\u200c\u200d\ufeff"
# 이보다 작은 수는 소수점 아래에 0만 늘어서므로 유효숫자와 10의 거듭제곱으로 적습니다.
_TINY = 1e-6
_POWERS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def josa(word: object, pair: str) -> str:
    """``josa("처치", "은/는")``은 ``"처치는"``입니다. ``pair``는 받침이 있을 때/없을 때의 조사.

    따옴표와 괄호는 건너뛰고 마지막 글자를 봅니다. ``으로/로``는 ㄹ 받침을 압니다.
    """
    word = str(word)
    closed, open_ = pair.split("/")
    last = next((c for c in reversed(word) if c.isalnum()), "")
    if "가" <= last <= "힣":
        final = (ord(last) - ord("가")) % 28
        bare = final == 0 or (pair == "으로/로" and final == 8)
    else:
        bare = last not in _CLOSED or (pair == "으로/로" and last in set("178lrLR"))
    return word + (open_ if bare else closed)


def names(words: Iterable[str], most: int = 5) -> str:
    """따옴표를 두른 이름들. 많으면 앞의 몇 개와 나머지의 수."""
    words = [f"'{visible(w)}'" for w in words]
    rest = len(words) - most
    return ", ".join(words[:most]) + (f" 밖에 {rest}개" if rest > 0 else "")


def visible(word: object) -> str:
    """앞뒤의 빈칸과 보이지 않는 글자를 ``␣``로 드러낸 글. 오류가 같은 두 이름을 다르다고 말하는 것처럼 보이지 않게 합니다."""
    text = str(word)
    inner = text.strip().strip(_UNSEEN)
    at = text.find(inner) if inner else len(text)
    return "␣" * at + inner + "␣" * (len(text) - at - len(inner))


def suggest(word: str, known: Iterable[str]) -> str:
    """비슷한 이름을 권하는 문장. 없으면 있는 이름을 늘어놓습니다."""
    known = [str(k) for k in known]
    close = difflib.get_close_matches(str(word), known, n=3, cutoff=0.6)
    folded = [k for k in known if k.strip().casefold() == str(word).strip().casefold()]
    found = list(dict.fromkeys(folded + close))
    hidden = any(visible(k) != k for k in found)
    how = (
        " ␣는 이름에 든 빈칸입니다. 자료에서 그 빈칸을 지우거나, 명세에 따옴표로 감싸 빈칸까지 적으세요."
        if hidden
        else ""
    )
    return f"혹시 {names(found)}인가요?{how}" if found else f"있는 이름은 {names(known, 12)}입니다."


def number(value: float | None, se: float | None = None, signed: bool = False, digits: int | None = None) -> str:
    """읽기 좋은 자릿수의 수. 보고서와 메시지의 수는 모두 여기를 지납니다.

    Parameters
    ----------
    se : float, optional
        표준오차. 있으면 그 둘째 유효숫자까지 적고, 없으면 유효숫자 셋까지 적습니다.
    signed : bool
        참이면 0보다 큰 수에 +를 붙입니다.
    digits : int, optional
        소수점 아래의 자릿수를 정할 때.
    """
    if value is None or not math.isfinite(value):
        return "–"
    if digits is None:
        if not se and value == round(value) and abs(value) < 1e12:
            digits = 0
        else:
            scale = abs(se) if se and math.isfinite(se) else abs(value)
            if 0 < scale < _TINY:
                if value == 0:
                    return "0"
                mantissa, power = f"{value:{'+' if signed else ''}.2e}".split("e")
                return f"{mantissa.replace('-', '−')}×10{str(int(power)).translate(_POWERS)}"
            digits = 0 if scale == 0 else max(0, min(8, (1 if se else 2) - math.floor(math.log10(scale))))
    text = f"{value:{'+' if signed else ''},.{digits}f}"
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("+-")
    return text.replace("-", "−")


def percent(share: float, digits: int = 1) -> str:
    """비율을 퍼센트로."""
    return "–" if share is None or not math.isfinite(share) else f"{100 * share:.{digits}f}%"


def pvalue(value: float | None) -> str:
    """p 값. 아주 작으면 0.001보다 작다고만 적습니다."""
    if value is None or not math.isfinite(value):
        return "–"
    return "0.001보다 작음" if value < 0.001 else f"{value:.3f}"


def quoted(value: object) -> str:
    """YAML에 안전하게 적은 한 줄. 글자처럼 보이지 않는 글자(yes, 1, 날짜)는 따옴표를 두르고, 줄을 나누는 글자는 ``\\n``처럼 적습니다."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_inside(key)}: {_inside(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_inside, value))}]"
    return _dumped(value, value).removesuffix("...\n").strip()


def _inside(value: object) -> str:
    """묶음 속에 적은 값. 쉼표와 괄호가 든 글자에도 따옴표를 두릅니다."""
    return quoted(value) if isinstance(value, (dict, list, tuple)) else _dumped([value], value).strip()[1:-1]


def _dumped(shape: object, scalar: object) -> str:
    import yaml

    style = '"' if isinstance(scalar, str) and not scalar.isprintable() else None
    return yaml.safe_dump(shape, allow_unicode=True, default_flow_style=True, default_style=style, width=float("inf"))


def one_line(text: object) -> str:
    """주석 한 줄에 적을 글. 줄바꿈(유니코드의 것까지)처럼 보이지 않는 글자는 ``␣``로 바꿉니다."""
    return "".join(c if c.isprintable() else "␣" for c in str(text))


def sql_name(name: str) -> str:
    """SQL에 적을 표나 열의 이름. 이름 속의 큰따옴표는 겹쳐 적습니다."""
    return '"' + name.replace('"', '""') + '"'


# SQL을 가르는 조각: 글자, 이름, 줄의 설명(--), 묶음의 설명(/* */), 나머지 한 글자
_SQL_PIECES = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/|.""", re.DOTALL)


def one_query(sql: str) -> str:
    """SELECT 하나의 글. 끝의 쌍반점과 설명(--, /* */)을 뗍니다. 그래야 괄호로 두를 수 있습니다."""
    pieces = _SQL_PIECES.findall(sql)
    while pieces and (pieces[-1] == ";" or pieces[-1].isspace() or pieces[-1].startswith(("--", "/*"))):
        pieces.pop()
    return "".join(pieces).strip()
