"""주장 검사: 정답, 편향, 포함률은 계산한 값이고, 머리의 추정과 검증은 한 함수이며, 그 함수는 처치 뒤의 변수를 쓰지 않습니다.

원고만 보고 알 수 있는 것을 봅니다. 값 사이의 관계(정답이 추정값인지, 머리의 값이 주장과 같은지)는 ``executed``가 봅니다.
"""

import ast
import re
from collections.abc import Iterator
from functools import cached_property

from book.checks.findings import Finding
from book.checks.prose_numbers import data_cards
from book.checks.slips import LEVEL, OTHER_LEVELS
from book.myst import Document, parse
from book.page import ROOT, Page

RECORDS = ("record_claim", "record_validation", "validate")
COMPUTED = ("truth", "naive", "estimate", "interval", "bias", "coverage")  # 적어 넣으면 안 되는 것
AFTER = {"collider": "충돌부", "mediator": "매개자"}
_HALF_LEVELS = (*OTHER_LEVELS, 1.28, 1.282, 2.33, 2.326, 3.0, 3.29)  # 반폭에 곱하면 95%가 아닌 배수
_ESTIMANDS = re.compile(r"(?<![A-Za-z])(ATE|ATT|ATU|ATO|CATE|LATE|CACE|ITT|QTE)(?![A-Za-z])")
_HALF = re.compile(r"half|margin|reach|width|반폭", re.IGNORECASE)


class Code:
    """쪽의 코드 전체에서 이름이 어디서 왔는지.

    Attributes
    ----------
    assigned : dict of str to list of ast.expr or None
        이름에 넣은 식들. 되풀이나 함수의 인자처럼 식을 모르면 None이 섞입니다.
    functions : dict of str to ast.FunctionDef
        맨 바깥에서 정의한 함수.
    """

    def __init__(self, document: Document):
        self.document = document
        self.assigned: dict[str, list[ast.expr | None]] = {}
        self.functions: dict[str, ast.FunctionDef | ast.Lambda] = {}
        for cell in document.cells:
            for node in cell.nodes:
                self._note(node)

    def _note(self, node: ast.AST) -> None:
        if isinstance(node, ast.FunctionDef):
            self.functions[node.name] = node
            for argument in ast.walk(node.args):
                if isinstance(argument, ast.arg):
                    self.assigned.setdefault(argument.arg, []).append(None)
        elif isinstance(node, ast.Lambda):
            for argument in node.args.args:
                self.assigned.setdefault(argument.arg, []).append(None)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                self._bind(target, node.value)
                if isinstance(target, ast.Name) and isinstance(node.value, ast.Lambda):
                    self.functions[target.id] = node.value
        elif isinstance(node, (ast.AugAssign, ast.AnnAssign, ast.NamedExpr)):
            self._bind(node.target, None if isinstance(node, ast.AugAssign) else node.value)
        elif isinstance(node, (ast.For, ast.comprehension)):
            rows = node.iter.elts if isinstance(node.iter, (ast.List, ast.Tuple)) else [None]
            for row in rows:
                self._bind(node.target, row)

    def _bind(self, target: ast.expr, value: ast.expr | None) -> None:
        if isinstance(target, ast.Name):
            self.assigned.setdefault(target.id, []).append(value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            known = value.elts if isinstance(value, (ast.Tuple, ast.List)) else []
            same = len(known) == len(target.elts) and not any(isinstance(e, ast.Starred) for e in target.elts)
            for at, element in enumerate(target.elts):
                self._bind(element, known[at] if same else None)
        elif isinstance(target, ast.Starred):
            self._bind(target.value, None)

    def typed(self, node: ast.expr | None, seen: frozenset = frozenset()) -> bool:
        """식이 글자로 적은 수이면 참. 이름은 그 이름에 넣은 식을 따라갑니다. 수를 셈한 식은 유도한 것으로 봅니다."""
        if isinstance(node, ast.Constant):
            return isinstance(node.value, (int, float)) and not isinstance(node.value, bool)
        if isinstance(node, ast.UnaryOp):
            return self.typed(node.operand, seen)
        if isinstance(node, ast.IfExp):
            return self.typed(node.body, seen) or self.typed(node.orelse, seen)
        if isinstance(node, (ast.Tuple, ast.List)):
            return bool(node.elts) and all(self.typed(e, seen) for e in node.elts)
        if isinstance(node, ast.Lambda):
            return self.typed(node.body, seen)
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in {"float", "int", "abs", "round"}
        ):
            return bool(node.args) and self.typed(node.args[0], seen)
        if isinstance(node, ast.Name) and node.id not in seen:
            values = self.assigned.get(node.id, [])
            return bool(values) and all(self.typed(v, seen | {node.id}) for v in values)
        return False

    def reach(self, *names: str) -> set[str]:
        """함수들이 부르는 쪽의 함수를 따라간 이름(자기까지)."""
        found, waiting = set(), [n for n in names if n in self.functions]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += [n for n in _loaded(self.functions[name]) if n in self.functions]
        return found

    @cached_property
    def constants(self) -> dict[str, set[str]]:
        """이름에 넣은 글자들(열의 목록, 식의 글자)."""
        return {
            name: {w for v in values if v is not None for w in _words(v)}
            for name, values in self.assigned.items()
            if all(isinstance(v, (ast.List, ast.Tuple, ast.Dict, ast.Constant, ast.JoinedStr)) for v in values if v is not None)
        }  # fmt: skip


def _loaded(tree: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def _words(tree: ast.AST) -> set[str]:
    """식에 글자로 적힌 낱말과 점 뒤의 이름."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= set(re.findall(r"\w+", node.value))
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
    return found


def columns_used(code: Code, estimator: str, columns: dict) -> tuple[set[str], set[str]]:
    """추정 함수가 쓰는 자료의 열과, 그 함수가 읽는 바깥 이름.

    Parameters
    ----------
    code : Code
    estimator : str
        쪽에서 정의한 함수의 이름.
    columns : dict
        데이터 카드의 열.
    """
    used, outside = set(), set()
    for name in code.reach(estimator):
        tree = code.functions[name]
        body = ast.Module(tree.body[_docstring(tree) :], []) if isinstance(tree, ast.FunctionDef) else tree
        used |= _words(body) & set(columns)
        outside |= _loaded(body)
    for name in outside & set(code.constants):
        used |= code.constants[name] & set(columns)
    return used, outside


def _docstring(tree: ast.FunctionDef) -> int:
    first = tree.body[0] if tree.body else None
    return int(
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )


def keywords(call: ast.Call) -> dict[str, ast.expr]:
    """호출의 이름 붙은 인자."""
    return {k.arg: k.value for k in call.keywords if k.arg}


def check(page: Page, document: Document | None = None) -> list[Finding]:
    """쪽 하나의 주장과 검증을 원고에서 봅니다.

    Parameters
    ----------
    page : Page
    document : Document
        읽은 원고. 주지 않으면 새로 읽습니다.
    """
    document = document or parse(page.text)
    path, code = page.path.relative_to(ROOT).as_posix(), Code(document)
    calls = [found for cell in document.cells for found in cell.calls(*RECORDS)]
    findings = [
        *_typed(document, code, calls),
        *_one_function(page, code, calls),
        *_roles(code, calls),
        *_levels(document),
        *_stated_estimand(page, document, calls),
        *_closed_truth(page, document),
    ]
    return sorted({Finding(path, line, message, rule) for line, rule, message in findings})


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def _typed(document: Document, code: Code, calls: list) -> Iterator[tuple[int, str, str]]:
    """정답, 편향, 포함률, 되풀이의 수를 적어 넣은 곳."""
    recorded = {id(n) for _, call in calls for n in ast.walk(call)}
    written = {
        node.value
        for cell in document.cells
        for node in cell.nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and id(node) not in recorded
    }
    for line, call in calls:
        for key, value in keywords(call).items():
            if key == "truth" and isinstance(value, ast.Constant) and (value.value == 0 or value.value in written):
                continue  # 효과가 없는 세상이거나, 코드가 세상에 넣은 값 그대로입니다
            if key in COMPUTED and code.typed(value):
                yield (
                    line,
                    "typed",
                    f"{_name(call)}의 {key}를 적어 넣었습니다({ast.unparse(value)[:40]}) — 자료에서 계산한 값을 넘기세요. 정답은 truth(…)나 생성기의 정답 열에서 구합니다.",
                )
            if (
                key == "draws"
                and _name(call) == "record_validation"
                and isinstance(value, ast.Constant)
                and value.value not in written
            ):
                yield (
                    line,
                    "typed",
                    f"record_validation의 draws={value.value}이(가) 쪽의 어느 되풀이와도 다릅니다 — len(…)으로 세어 넘기세요.",
                )


def _one_function(page: Page, code: Code, calls: list) -> Iterator[tuple[int, str, str]]:
    """머리의 추정이 검증한 그 함수를 쪽의 자료에 부른 것인지."""
    validated = [(line, call) for line, call in calls if _name(call) == "validate"]
    outside = [
        call
        for cell in code.document.cells
        for node in cell.nodes
        if isinstance(call := node, ast.Call) and isinstance(call.func, ast.Name)
    ]
    kept = {
        target.id: node.value
        for cell in code.document.cells
        for node in cell.nodes
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _name(node.value) == "validate"
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    shown = {
        id(kept[node.value.id])
        for cell in code.document.cells
        for node in cell.nodes
        if isinstance(node, ast.Attribute) and node.attr == "estimate" and isinstance(node.value, ast.Name) and node.value.id in kept
    }  # fmt: skip
    passed = {  # 목록에 담아 차례로 부르는 함수
        e.id
        for cell in code.document.cells
        for node in cell.nodes
        if isinstance(node, (ast.Tuple, ast.List, ast.Dict))
        for e in (node.values if isinstance(node, ast.Dict) else node.elts)
        if isinstance(e, ast.Name) and isinstance(e.ctx, ast.Load)
    }
    for line, call in validated:
        given = keywords(call)
        for spread in (k.value for k in call.keywords if k.arg is None):  # **common
            for value in code.assigned.get(getattr(spread, "id", ""), []):
                if isinstance(value, ast.Dict):
                    given |= {
                        k.value: v for k, v in zip(value.keys, value.values, strict=True) if isinstance(k, ast.Constant)
                    }
        estimator, data = given.get("estimator"), given.get("data")
        if isinstance(given.get("truth"), (ast.Lambda, ast.Name)) and isinstance(estimator, ast.Name):
            names = _loaded(given["truth"]) | {
                n for f in code.reach(*_loaded(given["truth"])) for n in _loaded(code.functions[f])
            }
            if estimator.id in names:
                yield (
                    line,
                    "truth",
                    f"정답이 추정 함수 {estimator.id}에서 나옵니다 — 정답은 생성기의 정답 열이나 카드에서 구하세요.",
                )
        if not isinstance(estimator, ast.Name) or estimator.id not in code.functions or id(call) in shown:
            continue
        own = {ast.unparse(data)} if data is not None else set()
        dataset = given.get("dataset")
        if data is None and isinstance(dataset, ast.Constant):
            own |= {n for n, values in code.assigned.items() if values and all(_is_load(v, dataset.value) for v in values if v is not None) and any(v is not None for v in values)}  # fmt: skip
        if estimator.id in passed or isinstance(data, ast.Tuple):
            continue
        uses = [c for c in outside if c.func.id == estimator.id and len(c.args) == 1 and not c.keywords]
        if not any(ast.unparse(c.args[0]) in own for c in uses):
            where = f"{estimator.id}({ast.unparse(uses[0].args[0])[:40]})" if uses else "부르지 않습니다"
            yield (
                line,
                "headline",
                f"검증한 함수 {estimator.id}를 쪽의 자료에 그대로 부른 곳이 없습니다(지금: {where}) — 머리의 추정은 {estimator.id}({sorted(own)[0] if own else '자료'})로 구하세요.",
            )


def _is_load(value: ast.expr | None, dataset: str) -> bool:
    return (
        isinstance(value, ast.Call)
        and _name(value) == "load"
        and bool(value.args)
        and getattr(value.args[0], "value", None) == dataset
    )


def _roles(code: Code, calls: list) -> Iterator[tuple[int, str, str]]:
    """추정 함수가 카드에서 충돌부나 매개자라고 한 열을 쓰는지."""
    for line, call in calls:
        given = keywords(call)
        estimator, dataset = given.get("estimator"), getattr(given.get("dataset"), "value", None)
        card = data_cards().get(str(dataset))
        goal = getattr(given.get("estimand"), "value", None)
        if not isinstance(estimator, ast.Name) or not isinstance(card, dict) or not _ESTIMANDS.fullmatch(str(goal)):
            continue  # 길을 나누는 추정(샤플리 몫)은 매개자를 씁니다
        columns = card.get("columns") or {}
        for name in sorted(columns_used(code, estimator.id, columns)[0]):
            if (role := columns[name].get("role")) in AFTER:
                yield (
                    line,
                    "role",
                    f"추정 함수 {estimator.id}가 카드의 {AFTER[role]} '{name}'을(를) 씁니다 — 처치 뒤에 정해진 변수를 보정하지 마세요.",
                )


def _levels(document: Document) -> Iterator[tuple[int, str, str]]:
    """95%라면서 다른 임곗값을 곱한 구간."""
    for cell in document.cells:
        for node in cell.nodes:
            if isinstance(node, (ast.Tuple, ast.List)):
                pairs = {}
                for part in node.elts:
                    if (
                        isinstance(part, ast.BinOp)
                        and isinstance(part.op, (ast.Add, ast.Sub))
                        and (k := _multiple(part.right))
                    ):
                        pairs.setdefault((ast.unparse(part.left), ast.unparse(part.right)), set()).add(type(part.op))
                        if len(pairs[ast.unparse(part.left), ast.unparse(part.right)]) == 2 and abs(k - LEVEL) > 0.005:
                            yield (
                                cell.first + node.lineno - 1,
                                "level",
                                f"구간의 배수가 {k:g}입니다 — 95% 구간이면 {LEVEL}을 곱하세요.",
                            )
            elif (
                isinstance(node, ast.Assign)
                and isinstance(node.targets[0], ast.Name)
                and _HALF.search(node.targets[0].id)
            ):
                for part in ast.walk(node.value):
                    if isinstance(part, ast.BinOp) and (k := _multiple(part)) in _HALF_LEVELS:
                        yield (
                            cell.first + node.lineno - 1,
                            "level",
                            f"구간의 배수가 {k:g}입니다 — 95% 구간이면 {LEVEL}을 곱하세요.",
                        )


def _multiple(node: ast.expr) -> float | None:
    """``1.96 * se``의 1.96."""
    while isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div)):
        if isinstance(node.left, ast.Constant) and isinstance(node.left.value, float):
            return node.left.value
        node = node.left
    return None


def _stated_estimand(page: Page, document: Document, calls: list) -> Iterator[tuple[int, str, str]]:
    """'추정 대상' 줄과 머리말, 그리고 그 대상을 validate로 검증했는지."""
    promised = page.meta.get("estimand")
    if not isinstance(promised, str):
        return
    for block in document.blocks:
        text = block.flat.text
        if re.match(r"추정 대상\s*[:：]", text):
            said = set(_ESTIMANDS.findall(text))
            if said and promised not in said:
                yield (
                    block.line,
                    "estimand",
                    f"'추정 대상' 줄은 {', '.join(sorted(said))}인데 머리말은 {promised}입니다 — 하나로 맞추세요.",
                )
    proven = {getattr(keywords(call).get("estimand"), "value", None) for _, call in calls if _name(call) == "validate"}
    if proven and promised not in proven:
        line = document.front_matter_line("estimand")
        yield (
            line,
            "validate",
            f"머리말의 추정 대상 {promised}을(를) validate로 검증하지 않았습니다 — 쪽의 주된 추정을 함수 하나로 쓰고 validate에 넘기세요(guides/contributing.md).",
        )


def _closed_truth(page: Page, document: Document) -> Iterator[tuple[int, str, str]]:
    """사례는 '정답 확인' 앞에서 정답을 열지 않습니다."""
    if page.meta.get("kind") != "case":
        return
    opened = next((b.line for b in document.headings() if b.level == 2 and "정답 확인" in b.raw), None)
    for cell in document.cells:
        if opened is None or cell.line > opened:
            return
        for line, call in cell.calls("truth", "load"):
            if _name(call) == "truth" and isinstance(call.func, ast.Name) or "with_truth" in keywords(call):
                yield line, "truth", "'정답 확인' 절 앞에서 정답을 엽니다 — 그 절로 옮기세요."
