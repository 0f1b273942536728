"""값 옆의 말 검사: 단위와 방향. 값은 맞는데 '천 원'을 '만 원'으로, '줄'을 '늘'로 적은 글을 찾습니다.

- 같은 식이 쪽 안에서(본문과 셀이 찍는 글) 다른 단위로 불리면 둘 가운데 하나는 틀립니다.
- 카드의 열을 그대로 셈한 식은 카드의 단위를 따릅니다.
- 'A에서 B로 줄었습니다', 'A로 B보다 작습니다'는 이번 실행의 두 값과 맞아야 합니다.
- 주장(claim)에 기록한 값 옆의 '늘'과 '줄'은 그 값의 부호와, 단위는 기록한 단위와 맞아야 합니다.
- 다른 자료에서 부호가 바뀌는 값에는 방향을 말하지 않습니다.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from book import values
from book.bound import DENIED, DOWN, FAMILIES, UP, Bound, bound_texts, direction, family, rises, unit_after
from book.checks.findings import Finding
from book.checks.prose_numbers import data_cards
from book.execution import Execution
from book.learner_notebook import glued_values
from book.myst import BOUND, Document, parse
from book.page import Page
from causal_practice.claims import CLAIM_MIME, VALIDATION_MIME

_FROM_TO = re.compile(
    rf"{BOUND}(?P<unit>[^{BOUND}.\n]{{0,8}}?)(?:에서|이|가)\s{BOUND}(?P<unit2>[^{BOUND}.\n]{{0,8}}?)(?:으)?로\s(?:\S+\s)?(?P<word>{UP}|{DOWN})"
)
_THAN = re.compile(rf"{BOUND}(?P<unit>[^{BOUND}.\n]{{0,8}}?)(?:으로|로|은|는|이|가)\s(?P<between>[^{BOUND}.,\n]{{0,14}}){BOUND}(?P<unit2>[^{BOUND}.\n]{{0,6}}?)보다\s(?:더\s|훨씬\s|조금\s)?(?P<word>{UP}|{DOWN})")  # fmt: skip


def check(
    page: Page, execution: Execution, redrawn: dict | None = None, document: Document | None = None
) -> list[Finding]:
    """쪽 하나의 본문에서 값과 어긋나는 단위와 방향을 찾습니다.

    Parameters
    ----------
    page : Page
    execution : Execution
        사이트의 실행.
    redrawn : dict
        ``book.redraw.compared``가 돌려준 것. 주지 않으면 이번 실행만 봅니다.
    document : Document
        읽은 원고. 주지 않으면 새로 읽습니다.
    """
    document = document or parse(page.text)
    path, notebook = f"{page.docname}.md", execution.notebook()
    glued, claims = glued_values(execution), _recorded(notebook, CLAIM_MIME)
    turned = {(position, raw) for position, raw in (redrawn or {}).get("turned", ())}
    found = []

    def value(bound: Bound):
        if bound.kind == "glue":
            return glued.get(bound.code)
        return values.at(notebook, bound.position).get(bound.raw, {}).get("value")

    coverages = _recorded(notebook, VALIDATION_MIME)
    for text, bounds in bound_texts(document):
        here = {b.place: b for b in bounds}
        numbers = {b.place: v for b in bounds if isinstance(v := value(b), (int, float))}
        for rule in (_pairs, _reached, _ends):
            found += rule(path, text, here, numbers)
        found += _mixed(path, text, here)
        for bound in bounds:
            if bound.place in numbers:
                after = text[bound.place + 1 :]
                unit = unit_after(after)
                found += _against_claims(path, bound, numbers[bound.place], unit, after, claims)
                if (
                    unit == "%p"
                    and any(_close(100 * v["coverage"], numbers[bound.place]) for v in coverages)
                    and not _points(numbers[bound.place], claims)
                ):
                    message = f"구간이 정답을 담은 비율 {numbers[bound.place]:.3g}을(를) '%p'로 적었습니다"
                    found.append(
                        Finding(path, bound.line, f"{message} — 비율은 '%', 비율의 차이가 '%p'입니다.", "unit")
                    )
                word = direction(after, unit)
                if word and bound.code.startswith("-") and numbers[bound.place] > 0 and rises(word):
                    message = f"'{bound.code}'은(는) 음수의 크기인데 '{word}'이라고 말합니다"
                    found.append(Finding(path, bound.line, f"{message} — 부호나 방향의 말을 고치세요.", "direction"))
                if (bound.position, bound.raw) in turned and word:
                    message = f"{{eval}}`{bound.raw}`의 부호는 다른 자료에서 뒤집히는데 '{word}'이라고 말합니다"
                    found.append(
                        Finding(
                            path,
                            bound.line,
                            f"{message} — 0과 가를 수 없다고 적거나 방향을 말하지 마세요.",
                            "direction",
                        )
                    )
    return sorted(set(found + units(page, document) + opposites(path, document)))


def _recorded(notebook, mime: str) -> list[dict]:
    outputs = [o for cell in notebook.cells if cell.cell_type == "code" for o in cell.outputs]
    return [o["data"][mime] for o in outputs if mime in o.get("data", {})]


def _close(one: float, two: float) -> bool:
    return abs(one - two) <= 1e-6 * max(abs(two), 1e-9)


def _points(value: float, claims: list[dict]) -> bool:
    """같은 크기의 값이 '%p' 단위의 주장에도 있으면 참."""
    return any(
        _claim_unit(c["unit"]) == "%p" and _close(abs(c[f]), abs(value))
        for c in claims
        for f in ("estimate", "naive", "truth")
    )


# ── 방향 ──


def _pairs(path: str, text: str, here: dict[int, Bound], numbers: dict[int, float]) -> Iterator[Finding]:
    for pattern, later_is_more in ((_FROM_TO, True), (_THAN, False)):
        for match in pattern.finditer(text):
            first = match.start()
            second = text.index(BOUND, first + 1)
            if first not in numbers or second not in numbers or numbers[first] == numbers[second]:
                continue
            if numbers[first] < 0 and numbers[second] < 0:
                continue  # 음수끼리는 값의 차례인지 크기의 차례인지 글만으로 모릅니다
            unit, other = (unit_after(match[g]) for g in ("unit", "unit2"))
            if unit and other and unit != other:
                continue
            more = numbers[second] > numbers[first] if later_is_more else numbers[first] > numbers[second]
            denied = bool(DENIED.match(text, match.end()))  # '줄지 않습니다'는 같거나 는 것입니다
            if more != (rises(match["word"]) != denied):
                shown = f"{numbers[first]:.4g}{'에서' if later_is_more else '을(를)'} {numbers[second]:.4g}{'로' if later_is_more else '보다'}"
                message = f"'{match['word']}'이라는데 값은 거꾸로입니다({shown})"
                yield Finding(path, here[first].line, f"{message} — 두 값의 차례나 말을 고치세요.", "direction")


def _reached(path: str, text: str, here: dict[int, Bound], numbers: dict[int, float]) -> Iterator[Finding]:
    """'…로 줄었습니다'의 값을 같은 문장에서 바로 앞에 나온 같은 단위의 값과 견줍니다."""
    for at in sorted(numbers):
        after = text[at + 1 :]
        unit = unit_after(after)
        rest = re.sub(r"^\*\*", "", after.lstrip()[len(unit) :] if unit else after)
        match = re.match(rf"(?:으)?로\s(?:조금\s|훨씬\s|크게\s)?(?P<word>{UP}|{DOWN})", rest)
        before = [b for b in sorted(numbers) if b < at and not re.search(r"[.:|\n]", text[b:at])]
        if not match or not unit or not before or match["word"][0] in "잃덜더":
            continue
        last = before[-1]
        if unit_after(text[last + 1 :]) != unit or numbers[last] * numbers[at] <= 0 or numbers[last] == numbers[at]:
            continue
        denied = bool(DENIED.match(rest, match.end()))
        if (abs(numbers[at]) > abs(numbers[last])) != (rises(match["word"]) != denied):
            message = f"'{match['word']}'이라는데 값은 {numbers[last]:.4g}에서 {numbers[at]:.4g}로 갑니다"
            yield Finding(path, here[at].line, f"{message} — 두 값의 차례나 말을 고치세요.", "direction")


_JOINED = re.compile(rf"{BOUND}(?P<one>[^{BOUND}.\n\[]{{0,6}}?)(?P<join>에서|~|부터|\s?\[)\s?(?={BOUND})")


_ENDS = re.compile(
    rf"\[{BOUND}(?=[^{BOUND}.\n\]]{{0,6}},\s{BOUND}[^{BOUND}\]]{{0,6}}\])|{BOUND}(?=[^{BOUND}.\n,]{{0,4}}~\s?{BOUND})"
)


def _ends(path: str, text: str, here: dict[int, Bound], numbers: dict[int, float]) -> Iterator[Finding]:
    """'[◯, ◯]'와 '◯~◯'의 아래 끝은 위 끝보다 작습니다."""
    for match in _ENDS.finditer(text):
        first = match.end() - 1
        second = text.index(BOUND, first + 1)
        if first in numbers and second in numbers and numbers[first] > numbers[second]:
            message = f"구간의 아래 끝 {numbers[first]:.4g}이(가) 위 끝 {numbers[second]:.4g}보다 큽니다"
            yield Finding(path, here[first].line, f"{message} — 두 값의 차례를 바꾸세요.", "interval")


def _mixed(path: str, text: str, here: dict[int, Bound]) -> Iterator[Finding]:
    """'◯천 원에서 ◯만 원', '◯천 원 [◯, ◯]만 원'처럼 이어진 값의 단위가 다른 곳."""
    for match in _JOINED.finditer(text):
        first, second = match.start(), match.end()
        one = unit_after(match["one"])
        if match["join"].strip() == "[":
            closing = text.find("]", second)
            inside = text[second:closing] if closing > 0 else ""
            two = unit_after(text[closing + 1 :]) if inside.count(BOUND) == 2 and len(inside) < 20 else ""
        else:
            two = unit_after(text[second + 1 :])
        if one and two and one != two and family(one) == family(two) != "":
            message = f"이어진 값의 단위가 '{one}'과 '{two}'로 다릅니다"
            yield Finding(path, here[first].line, f"{message} — 단위를 하나로 맞추세요.", "unit")


def _against_claims(
    path: str, bound: Bound, value: float, unit: str, after: str, claims: list[dict]
) -> Iterator[Finding]:
    """주장에 기록한 값과 같은 값의 단위와 방향."""
    matched = [
        (claim, field)
        for claim in claims
        for field in ("estimate", "naive", "truth")
        if abs(value) > 1e-9 and abs(abs(claim[field]) - abs(value)) <= 1e-6 * abs(value)
    ]
    if not matched:
        return
    signs = {claim[field] > 0 for claim, field in matched}
    word = direction(after, unit)
    if word and len(signs) == 1:
        claim, field = matched[0]
        shown_negative = value < 0
        if shown_negative and not re.match(r"더 |덜 ", word):
            message = f"음수 {value:.3g} 옆에 '{word}'이라고 말합니다"
            yield Finding(path, bound.line, f"{message} — 크기를 양수로 적고 방향은 말로 적으세요.", "direction")
        elif signs.pop() != rises(word):
            message = f"주장 '{claim['name']}'의 {field}은(는) {claim[field]:+.3g}인데 본문은 '{word}'이라고 말합니다"
            yield Finding(path, bound.line, f"{message} — 방향의 말을 고치세요.", "direction")
    for claim, _ in matched:
        promised = _claim_unit(claim["unit"])
        if unit and promised and family(unit) == family(promised) != "" and unit != promised:
            message = f"주장 '{claim['name']}'의 단위는 {claim['unit']}인데 본문은 같은 값을 '{unit}'로 적었습니다"
            yield Finding(path, bound.line, f"{message} — 단위를 맞추거나 값을 그 단위로 바꾸세요.", "unit")
            return


def _claim_unit(unit: str) -> str:
    head = unit.split("/")[0].strip()
    return next((u for units in FAMILIES.values() for u in units if head.endswith(u)), "")


# ── 단위 ──


def units(page: Page, document: Document) -> list[Finding]:
    """같은 식을 다른 단위로 부른 곳과, 카드의 열과 단위가 다른 곳."""
    path, columns = f"{page.docname}.md", _columns(page)
    seen: dict[tuple, tuple[str, int]] = {}
    percents: dict[str, int] = {}
    found = []
    # 100을 곱한 것을 먼저 봅니다. 곱하지 않은 같은 비율을 '%'로 적은 곳을 찾기 위해서입니다
    for said in sorted(_said(document), key=lambda said: (not said.code.startswith("100 *"), said.line)):
        line, key, tree, unit, kind = said.line, said.key, said.tree, said.unit, family(said.unit)
        if not kind:
            continue
        known = seen.setdefault((key, kind), (unit, line))
        if known[0] != unit:
            message = f"같은 값을 {known[1]}번째 줄은 '{known[0]}', 여기는 '{unit}'로 적었습니다: {said.code[:50]}"
            found.append(Finding(path, line, f"{message} — 단위를 하나로 맞추세요.", "unit"))
            continue
        if unit == "%p" and _is_share(tree):
            message = f"비율인데 '{unit}'로 적었습니다: {ast.unparse(tree)[:50]}"
            found.append(Finding(path, line, f"{message} — 비율은 '%', 두 비율의 차이는 '%p'로 적으세요.", "unit"))
            continue
        if unit == "%" and _hundred(tree) in percents:
            message = (
                f"같은 비율을 {percents[_hundred(tree)]}번째 줄은 100을 곱해 '%'로 적었습니다: {ast.unparse(tree)[:50]}"
            )
            found.append(Finding(path, line, f"{message} — 여기서도 100을 곱하세요.", "unit"))
            continue
        if unit == "%":
            percents[key[0]] = line
        promised = _column_unit(tree, columns)
        if promised and family(promised) == kind and promised != unit:
            message = f"카드의 단위는 '{promised}'인데 본문은 '{unit}'로 적었습니다: {ast.unparse(tree)[:50]}"
            found.append(Finding(path, line, f"{message} — 단위를 맞추거나 값을 그 단위로 바꾸세요.", "unit"))
    return found


@dataclass(frozen=True)
class _Said:
    """값 하나를 부른 자리: 줄, 적힌 식, 부호를 뗀 나무와 그 열쇠, 바로 앞뒤의 글."""

    line: int
    code: str
    tree: ast.expr
    key: tuple
    before: str
    after: str

    @property
    def unit(self) -> str:
        return unit_after(self.after)


def _said(document: Document) -> list[_Said]:
    """본문과 셀이 찍는 글이 부른 값들. 다시 넣은 이름은 다른 것으로 봅니다."""
    versions, found = _versions(document), []

    def add(code: str, line: int, position: int, before: str, after: str) -> None:
        try:
            tree = ast.parse(code, mode="eval").body
        except SyntaxError:
            return
        while isinstance(tree, ast.UnaryOp) or (isinstance(tree, ast.Call) and ast.unparse(tree.func) == "abs"):
            tree = tree.operand if isinstance(tree, ast.UnaryOp) else tree.args[0]
        if names := sorted({n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}):
            version = tuple(sum(at <= position for at in versions.get(n, ())) for n in names)
            found.append(_Said(line, code, tree, (_dump(tree), version), before[-25:], after))

    glued = {
        call.args[0].value: (ast.unparse(call.args[1]), position)
        for position, cell in enumerate(document.cells, 1)
        for _, call in cell.calls("glue")
        if len(call.args) == 2 and isinstance(call.args[0], ast.Constant)
    }
    for text, bounds in bound_texts(document):
        for bound in bounds:
            code, position = (bound.code, bound.position) if bound.kind == "eval" else glued.get(bound.code, ("", 0))
            add(code, bound.line, position, text[: bound.place], text[bound.place + 1 :])
    for position, cell in enumerate(document.cells, 1):
        for node in cell.nodes:
            before = ""
            for one, two in zip(node.values, node.values[1:], strict=False) if isinstance(node, ast.JoinedStr) else ():
                if isinstance(one, ast.FormattedValue) and isinstance(two, ast.Constant):
                    spec = "".join(str(getattr(v, "value", "")) for v in getattr(one.format_spec, "values", []))
                    if not spec.endswith("%"):  # '%'는 단위가 아니라 찍는 형식입니다
                        add(ast.unparse(one.value), cell.first + one.lineno - 1, position, before, str(two.value))
                before = str(one.value) if isinstance(one, ast.Constant) else before
    return sorted(found, key=lambda said: said.line)


def opposites(path: str, document: Document) -> list[Finding]:
    """같은 식을 한 곳에서는 '늘'이라 하고 다른 곳에서는 '줄'이라 한 자리."""
    first: dict[tuple, tuple[str, int]] = {}
    found = []
    for said in _said(document):
        word = direction(said.after, said.unit)
        if not word or re.search(r"(?:늘|줄|높|낮|올|내)\S{0,2}(?:면|때|며|수록)", said.before):
            continue  # '줄이면 줄어든다'는 늘리면 늘어난다는 말입니다
        known = first.setdefault((said.key, said.code.startswith("-")), (word, said.line))
        if rises(known[0]) != rises(word):
            message = f"같은 값을 {known[1]}번째 줄은 '{known[0]}', 여기는 '{word}'이라고 말합니다: {said.code[:50]}"
            found.append(Finding(path, said.line, f"{message} — 방향의 말을 하나로 맞추세요.", "direction"))
    return found


def _dump(tree: ast.AST) -> str:
    """식의 열쇠. 표의 행(``표.loc["행", "열"]``)은 달라도 단위가 같으므로 지웁니다."""
    tree = ast.parse(ast.unparse(tree), mode="eval").body
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute) and node.value.attr == "loc":
            if isinstance(node.slice, ast.Tuple) and isinstance(node.slice.elts[0], ast.Constant):
                node.slice.elts[0] = ast.Constant("·")
    return ast.dump(tree)


def _hundred(tree: ast.AST) -> str:
    """식에 100을 곱한 것의 열쇠."""
    return _dump(ast.BinOp(ast.Constant(100), ast.Mult(), tree))


def _is_share(tree: ast.AST) -> bool:
    """식의 꼴만 보아도 비율이면 참: 포함률, 조건에 맞는 것의 몫, 스스로로 나눈 변화(``(a - b) / b``)."""
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Div):
        names = [{n.id for n in ast.walk(side) if isinstance(n, ast.Name)} for side in (tree.left, tree.right)]
        return bool(names[1]) and names[1] < names[0] and any(isinstance(n, ast.Sub) for n in ast.walk(tree.left))
    if not (isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Mult) and ast.unparse(tree.left) == "100"):
        return False
    inner = tree.right
    last = inner.attr if isinstance(inner, ast.Attribute) else getattr(getattr(inner, "func", None), "attr", "")
    counted = last == "mean" and any(isinstance(n, ast.Compare) for n in ast.walk(inner))
    return last == "coverage" or counted


def _versions(document: Document) -> dict[str, list[int]]:
    """이름 → 그 이름에 새로 넣은 셀의 번호들."""
    found: dict[str, list[int]] = {}
    for position, cell in enumerate(document.cells, 1):
        for node in cell.nodes:
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.setdefault(node.id, []).append(position)
    return found


def _columns(page: Page) -> dict[str, str]:
    """쪽이 쓰는 데이터의 열 → 카드의 단위. 데이터마다 단위가 다르면 뺍니다."""
    found: dict[str, set[str]] = {}
    names = page.meta.get("datasets")
    for name in names if isinstance(names, list) else []:
        card = data_cards().get(str(name))
        for column, info in ((card or {}).get("columns") or {}).items():
            if isinstance(info, dict):
                found.setdefault(column, set()).add(_claim_unit(str(info.get("unit") or "")))
    return {column: units.pop() for column, units in found.items() if len(units) == 1}


def _column_unit(tree: ast.AST, columns: dict[str, str]) -> str:
    """열 하나의 평균이나 값의 단위. 곱하거나 나누거나 다른 열과 섞은 식이면 빈 글자."""
    if any(isinstance(n, ast.BinOp) and isinstance(n.op, (ast.Mult, ast.Div, ast.Pow)) for n in ast.walk(tree)):
        return ""
    calls = {n.func.attr for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)}
    if calls - {"mean", "median", "min", "max", "sum", "quantile", "std", "groupby", "to_numpy", "query"}:
        return ""
    named = {
        n.value
        for n in ast.walk(tree)
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and n.value in columns
    }
    return columns[named.pop()] if len(named) == 1 else ""
