"""다른 자료로 다시 실행한 쪽의 검사: 움직였어야 할 수, 자료가 바뀌면 뒤집히는 말, 그림 속의 글자.

실행과 기록은 ``book/redraw.py``가 맡습니다. 여기서는 움직이지 않은 것 가운데 **밝혀 적은 상수**(머리말의 given, 데이터 카드,
코드에서 셈한 상수)를 빼고 나머지를 알립니다.
"""

import ast
import re
from collections.abc import Iterator

from book import values
from book.bound import family, unit_after
from book.checks.findings import Finding
from book.checks.prose_numbers import data_cards
from book.execution import Execution
from book.learner_notebook import glued_values
from book.myst import Cell, Document, parse
from book.page import Page

CURE = "코드의 값을 계산에서 구하세요. 이야기가 정한 설정값이면 머리말의 given에 이름과 함께 적으세요"
TYPED_DIGITS = (
    2  # 유효숫자가 이만큼 되는 수를 글자로 적었으면 결과를 옮긴 것일 수 있습니다. 설정값이면 given에 밝힙니다
)
_MUTATORS = {"append", "extend", "update", "add", "insert"}


def check(page: Page, execution: Execution, redrawn: dict, document: Document | None = None) -> list[Finding]:
    """다른 자료에서 움직이지 않은 수와 그림 속의 글자에서 고칠 것을 찾습니다.

    Parameters
    ----------
    page : Page
    execution : Execution
        사이트의 실행.
    redrawn : dict
        ``book.redraw.compared``가 돌려준 것.
    document : Document
        읽은 원고. 주지 않으면 새로 읽습니다.
    """
    document = document or parse(page.text)
    path = f"{page.docname}.md"
    if page.meta.get("drawn_once"):  # 자료를 보고 정한 설계가 자료의 카드에 들어 있어, 씨앗만 옮기면 둘이 어긋나는 쪽
        stopped = {number for number, _ in redrawn["errors"]}
        return sorted(
            set(figures(path, document, [f for f in redrawn["figures"] if f.get("cell") not in stopped], _units(page)))
        )
    found = [
        Finding(path, _cell_line(document, number), f"다른 자료로 다시 실행하면 이 셀이 멈춥니다({error}) — 이 자료 하나에만 맞는 assert나 계산을 고치세요.", "redraw")
        for number, error in redrawn["errors"]
    ]  # fmt: skip
    found += [
        Finding(
            path,
            _call_line(document, ("check_answer",), label),
            f"다른 자료로 다시 실행하면 {label}의 정답 셀이 자기 점검을 통과하지 못합니다 — 정답과 expected를 적어 넣지 말고 자료에서 셈하세요.",
            "redraw",
        )
        for label in redrawn["wrong"]
    ]
    # 무거운 되풀이를 미리 돌려 둔 결과 파일(depends)을 읽는 쪽의 기록은 다시 뽑아도 그대로입니다
    stored = any(str(name).startswith("data/benchmarks/") for name in page.meta.get("depends") or [])
    found += [] if stored else _records(path, document, redrawn)
    found += _unmoved(page, path, document, execution, redrawn)
    return sorted(set(found + figures(path, document, redrawn["figures"], _units(page))))


def _cell_line(document: Document, number: int) -> int:
    """``number``번째 코드 셀의 줄."""
    return document.cells[number - 1].first if 1 <= number <= len(document.cells) else 1


# ── 움직이지 않은 수 ──


def _records(path: str, document: Document, redrawn: dict) -> list[Finding]:
    found = []
    for kind, calls, rule in (
        ("claims", ("validate", "record_claim"), "주장"),
        ("validations", ("validate", "record_validation"), "검증"),
    ):
        for name, fields in redrawn[kind].items():
            if fields == [
                "coverage"
            ]:  # 몇백 번에서 센 비율은 우연히 같을 수 있습니다. 적어 넣은 것은 코드의 검사가 잡습니다
                continue
            message = f"{rule} '{name}'의 {', '.join(fields)}이(가) 다른 자료에서도 그대로입니다"
            line = _call_line(document, calls, name)
            found.append(Finding(path, line, f"{message} — 적어 넣지 말고 그 자료에서 계산한 값을 넘기세요.", "redraw"))
    return found


def _call_line(document: Document, calls: tuple[str, ...], name: str) -> int:
    lines = [(line, call) for cell in document.cells for line, call in cell.calls(*calls)]
    named = [line for line, call in lines if call.args and getattr(call.args[0], "value", None) == name]
    return (named or [line for line, _ in lines] or [1])[0]


def _unmoved(page: Page, path: str, document: Document, execution: Execution, redrawn: dict) -> list[Finding]:
    notebook = execution.notebook()
    stated, found = _stated(page), []
    places = {raw: line for line, raw in _places(document)}
    for position, raw in redrawn["still"]:
        value = values.at(notebook, position).get(raw, {}).get("value")
        tree = ast.parse(values.split(raw)[0], mode="eval")
        if why := _hard_coded(value, tree, document.cells[:position], stated):
            found.append(
                Finding(path, places.get(raw, 1), f"본문의 값 {{eval}}`{raw}`이(가) {why} — {CURE}.", "redraw")
            )
    known = glued_values(execution)
    for number, cell in enumerate(document.cells, 1):
        for line, call in cell.calls("glue"):
            name = getattr(call.args[0], "value", None) if len(call.args) > 1 else None
            if name in redrawn["glue"] and name in known:
                if why := _hard_coded(known[name], call.args[1], document.cells[:number], stated):
                    found.append(Finding(path, line, f"묶은 값 '{name}'이(가) {why} — {CURE}.", "redraw"))
    return found


def _places(document: Document) -> Iterator[tuple[int, str]]:
    for line, role in document.pieces("role"):
        if role.name == "eval":
            yield line, role.text


def digits(value: float) -> int:
    """유효숫자의 개수. 250은 둘(25), 0.412는 셋입니다."""
    text = f"{abs(value):.10g}".lower().split("e")[0].replace(".", "").strip("0")
    return len(text)


def _hard_coded(value, tree: ast.AST, cells: list[Cell], stated: set[float]) -> str:
    """그대로인 값이 밝혀 적은 상수가 아니면 까닭을 한국어로, 괜찮으면 빈 글자로 돌려줍니다.

    Parameters
    ----------
    value : 수 또는 글자
        사이트의 실행에서 나온 값.
    tree : ast.AST
        그 값의 식.
    cells : list of Cell
        그 자리까지의 코드 셀.
    stated : set of float
        밝혀 적은 상수.
    """
    if isinstance(value, (str, bool)) or value is None:
        return ""
    close = {_round(value * scale) for scale in (1, 0.01, 100)}
    if close & stated:
        return ""
    if digits(value) < TYPED_DIGITS or not close & _written(tree, _names(tree), cells):
        return ""
    return "다른 자료에서도 그대로이고 코드에 글자로 적힌 수입니다"


def _written(tree: ast.AST, names: set[str], cells: list[Cell]) -> set[float]:
    """식과, 그 식의 이름에 넣은 것에 글자로 적힌 수."""
    sources = [tree]
    for cell in cells:
        sources += [source for targets, source in _steps(cell.tree or ast.Module([], [])) if targets & names]
    return {
        _round(node.value)
        for source in sources
        for node in ast.walk(source)
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool)
    }


def _round(value: float) -> float:
    return float(f"{abs(value):.6g}")


def _stated(page: Page) -> set[float]:
    """밝혀 적은 상수: 머리말의 given, 쓰는 데이터의 카드에 적힌 정답과 행 수."""
    found = set()
    given = page.meta.get("given")
    numbers = list(given.values()) if isinstance(given, dict) else []
    names = page.meta.get("datasets")
    for name in names if isinstance(names, list) else []:
        card = data_cards().get(str(name))
        if isinstance(card, dict):
            numbers += [card.get("rows"), *(card.get("truth") or {}).values()]
    for number in numbers:
        if isinstance(number, (int, float)) and not isinstance(number, bool):
            found.add(_round(number))
    return found


def _names(tree: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}


def _steps(tree: ast.AST) -> Iterator[tuple[set[str], ast.AST]]:
    """(값을 받는 이름들, 값이 나온 식)을 모두."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield _bases(targets), node.value
        elif isinstance(node, ast.For):
            yield _bases([node.target]), node.iter
        elif isinstance(node, ast.With):
            for item in node.items:
                if item.optional_vars is not None:
                    yield _bases([item.optional_vars]), item.context_expr
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _MUTATORS:
            yield _bases([node.func.value]), ast.Tuple([*node.args, *(k.value for k in node.keywords)], ast.Load())


def _bases(targets: list) -> set[str]:
    """``x``, ``x[0]``, ``x.y``, ``(a, b)``에서 바뀌는 이름."""
    found = set()
    for target in targets:
        if isinstance(target, (ast.Tuple, ast.List)):
            found |= _bases(target.elts)
            continue
        while isinstance(target, (ast.Subscript, ast.Attribute, ast.Starred)):
            target = target.value
        if isinstance(target, ast.Name):
            found.add(target.id)
    return found


# ── 그림 속의 글자 ──


_DIMENSIONLESS = re.compile(
    r"비율|확률|비중|묶음|기울기|몫|점수|밀도|횟수|개수|수$|수 |p\s?값|[tzF]\s?값|통계량|지수|배수|배$|순위|차수|번호|번째|주차|날짜|연도|"
    r"분위|상관|결정계수|R²|설명력|포함률|검정력|가중치|무게|오즈|로그|성향|정규화|표준화|주$|일$|날$|달$|월$|년$|시각|요일|[A-Z]\b"
)
_UNIT = re.compile(
    r"[(（][^)）]+[)）]|%|퍼센트|만 원|천 원|(?<![가-힣])원|시간$|분$|초$|명$|건$|회$|개$|점$|곳$|벌$|[가-힣]/[가-힣]"
)
_PLAIN_ENGLISH = re.compile(r"(?<![\w.])[A-Za-z]?[a-z]{3,}(?![\w.])")


def figures(
    path: str, document: Document, pictures: list[dict], units: dict[str, set[str]] | None = None
) -> list[Finding]:
    """실행할 때 그려진 그림의 글자: 글꼴에 없는 글자, 이름과 단위가 없는 축, 카드와 다른 단위, 영어로 남은 글.

    Parameters
    ----------
    units : dict
        쪽이 쓰는 데이터의 열: 카드의 label → 단위들.
    """
    found = []

    def add(number: int, message: str) -> None:
        found.append(Finding(path, _cell_line(document, number), message, "figure"))

    for picture in pictures:
        cell = picture["cell"]
        if picture["missing"]:
            add(
                cell,
                f"그림에 글꼴에 없는 글자가 있습니다: '{picture['missing']}' — 글꼴에 있는 기호나 한국어로 바꾸세요.",
            )
        for side in ("가로", "세로"):
            labels = [label for where, label in picture["axes"] if where == side]
            if labels and not any(labels) and not picture["over"]:
                add(
                    cell,
                    f'그림의 {side}축에 이름이 없습니다 — {"xlabel" if side == "가로" else "ylabel"}="이름(단위)"를 적으세요.',
                )
            for label in dict.fromkeys(filter(None, labels)):
                if not _UNIT.search(label) and not _DIMENSIONLESS.search(label):
                    add(cell, f"그림의 {side}축 '{label}'에 단위가 없습니다 — '{label}(단위)' 꼴로 적으세요.")
                if wanted := _other_unit(label, units or {}):
                    add(cell, f"그림의 {side}축 '{label}'의 단위가 카드({wanted})와 다릅니다 — 카드의 단위로 적으세요.")
        for text in [*picture["texts"], *(label for _, label in picture["axes"]), *picture["over"]]:
            words = [w for w in _PLAIN_ENGLISH.findall(re.sub(r"\$[^$]*\$", " ", text)) if w not in _NAMES]
            if words and not re.search(r"[가-힣]", text):
                add(cell, f"그림의 글 '{text[:40]}'이(가) 영어입니다 — 한국어로 적으세요.")
    return found


def _units(page: Page) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name in page.meta.get("datasets") or []:
        for column in (data_cards().get(name) or {}).get("columns", {}).values():
            found.setdefault(column["label"], set()).add(str(column["unit"]))
    return found


def _other_unit(label: str, units: dict[str, set[str]]) -> str:
    """'이름(단위)'의 이름이 카드의 label로 끝나는데 같은 갈래(돈, 시간, 비율)의 다른 단위이면 카드의 단위. 아니면 빈 글자."""
    name, _, inside = label.partition("(")
    said = unit_after(inside)
    for column, known in units.items():
        wanted = {unit_after(unit) for unit in known}
        if (
            name.strip().endswith(column)
            and said
            and said not in wanted
            and family(said) in set(map(family, wanted)) - {""}
        ):
            return ", ".join(sorted(known))
    return ""


_NAMES = {"causal", "forest", "lasso", "ridge", "logit", "did2s", "econml", "dowhy"}  # 한국어로 옮기지 않는 이름
