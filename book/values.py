"""본문의 ``{eval}`` 자리: 글이 부르는 식을 바로 위 코드 셀 다음에 커널에서 계산하고, 그 자리에 값을 적습니다.

    쿠폰은 주문을 {eval}`effect:.2f`건 늘립니다.

식과 형식은 맨 오른쪽의 쌍점으로 가릅니다(``gap[1:3].mean():.1f``). 값은 쪽을 실행할 때 계산해 실행된 노트북의
메타데이터에 글자로 남기고, 사이트·슬라이드·노트북 꾸러미는 그 글자를 받아 적습니다. 그래서 값은 이름 붙은 변수
그 자체이고, 다른 변수에 잘못 묶일 수 없습니다.

커널 안에서도 불러오므로 표준 라이브러리만 씁니다.
"""

import ast
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Real

VALUES_MIME = "application/vnd.causal-practice.values+json"
METADATA_KEY = "values"  # 실행된 노트북의 메타데이터에서 값이 놓인 자리
_TOKEN = re.compile(  # 역할, 아니면 보통의 코드 조각(그 안의 {eval}은 보기입니다)
    r"(?P<role>\{eval\}(?P<ticks>`+)(?P<raw>.+?)(?<!`)(?P=ticks)(?!`))|(?P<other>`+).+?(?<!`)(?P=other)(?!`)"
)
_FENCE = re.compile(r"^\s*(?P<mark>`{3,}|~{3,})\s*(?P<info>[^`]*)$")
_SPECIAL = re.compile(r"([\\`*_\[\]<>$|{}])")


@dataclass(frozen=True)
class Expression:
    """글 속의 식 하나.

    Attributes
    ----------
    raw : str
        백틱 안의 글자 그대로. 값을 찾는 열쇠입니다.
    code, spec : str
        파이썬 식과 ``format``의 형식(없으면 빈 글자).
    line : int
        글 토막 안에서의 줄(0부터).
    start, end : int
        그 줄 안에서 역할 전체가 놓인 자리.
    """

    raw: str
    code: str
    spec: str
    line: int
    start: int
    end: int


def split(raw: str) -> tuple[str, str]:
    """``"식:형식"``을 식과 형식으로 나눕니다. 왼쪽이 파이썬 식으로 읽히는 가장 오른쪽 쌍점에서 나눕니다."""
    at = raw.rfind(":")
    while at > 0:
        if _is_expression(raw[:at]):
            return raw[:at].strip(), raw[at + 1 :].strip()
        at = raw.rfind(":", 0, at)
    return raw.strip(), ""


def _is_expression(code: str) -> bool:
    try:
        ast.parse(code.strip(), mode="eval")
    except SyntaxError:
        return False
    return True


def expressions(text: str) -> Iterator[Expression]:
    """글 토막에서 ``{eval}``의 식을 차례로 찾습니다. 코드 울타리와 코드 조각 안의 것은 보기이므로 넘깁니다."""
    fence = ""
    for number, line in enumerate(text.split("\n")):
        if mark := _FENCE.match(line):
            if fence:
                if mark["mark"].startswith(fence) and not mark["info"].strip():
                    fence = ""
                    continue
            elif not mark["info"].startswith("{"):
                fence = mark["mark"]
        if fence or line.lstrip().startswith("%"):
            continue
        for match in _TOKEN.finditer(line):
            if match["role"]:
                yield Expression(match["raw"], *split(match["raw"]), number, match.start(), match.end())


def substitute(text: str, values: dict[str, dict]) -> str:
    """글 토막의 ``{eval}``을 계산된 글자로 바꿉니다. 줄 수는 그대로입니다.

    Parameters
    ----------
    values : dict
        그 토막 자리의 값: ``{식 그대로: {"text": 적을 글자, …}}``.

    Raises
    ------
    KeyError
        실행 결과에 그 식이 없을 때. 원고와 실행이 다른 때입니다.
    """
    lines = text.split("\n")
    for found in reversed(list(expressions(text))):
        line = lines[found.line]
        lines[found.line] = line[: found.start] + _SPECIAL.sub(r"\\\1", values[found.raw]["text"]) + line[found.end :]
    return "\n".join(lines)


def numbered(cells) -> Iterator[tuple[int, object]]:
    """노트북의 글 셀을 (앞에 놓인 코드 셀의 수, 셀)로 돌려줍니다. 그 수가 값의 자리입니다."""
    code = 0
    for cell in cells:
        if cell.cell_type == "code":
            code += 1
        elif cell.cell_type == "markdown":
            yield code, cell


def at(notebook, position: int) -> dict[str, dict]:
    """실행된 노트북이 간직한 ``position``번째 자리의 값."""
    return (notebook.metadata.get(METADATA_KEY) or {}).get(str(position), {})


def substitute_cells(cells, notebook) -> None:
    """글 셀의 ``{eval}``을 실행된 노트북의 값으로 바꿉니다(셀을 고칩니다)."""
    for position, cell in numbered(cells):
        cell.source = substitute(cell.source, at(notebook, position))


# ── 커널 안에서 ──


def plain(value):
    """본문에 적을 수 있는 값으로 바꿉니다. 수는 유효숫자 열 자리까지 남깁니다.

    더하는 순서에 따라 달라지는 마지막 자리까지 기록하면, 같은 계산이 다른 기계에서 다른 값이 됩니다.

    Raises
    ------
    TypeError
        수도 글자도 아닐 때.
    ValueError
        수가 NaN이거나 무한대일 때.
    """
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, str):
        return value
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"수나 글자만 본문에 적을 수 있습니다. 받은 것: {type(value).__name__}")
    if not math.isfinite(value):
        raise ValueError(f"값이 {value}입니다. 앞 계산을 확인하세요")
    return float(f"{value:.10g}") if isinstance(value, float) else value


def evaluate(raws: list[str], namespace: dict) -> dict[str, dict]:
    """식들을 ``namespace``에서 계산합니다. 실패한 식은 ``error``에 까닭을 남깁니다."""
    found = {}
    for raw in raws:
        code, spec = split(raw)
        try:
            value = plain(eval(compile(code, "<본문>", "eval"), namespace))
            found[raw] = {"text": format(value, spec), "value": value}
        except NameError as error:
            found[raw] = {
                "error": f"{error.name!r}을(를) 아직 만들지 않았습니다. 앞 셀에서 만들거나, 먼저 보일 값이면 glue로 묶으세요"
            }
        except Exception as error:  # 쪽을 쓴 사람의 식이라 무엇이든 날 수 있습니다
            found[raw] = {"error": f"{type(error).__name__}: {error}"}
    return found


def publish(raws: list[str], namespace: dict) -> None:
    """(커널) 식의 값을 출력으로 내보냅니다. 쪽을 실행하는 쪽이 받아서 노트북의 메타데이터로 옮깁니다."""
    from IPython.display import display

    display({VALUES_MIME: evaluate(raws, namespace)}, raw=True)
