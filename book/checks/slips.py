"""통계 코드의 흔한 실수를 꼴로 찾습니다: 겹친 훈련과 평가, 거꾸로 뺀 차이, 바뀐 ATT와 ATU의 몫, 다른 수준의 임곗값.

어느 것도 셈을 멈추게 하지 않고 그럴듯한 수를 냅니다. 일부러 그렇게 한 곳이면 식을 달리 적습니다.
"""

import ast
from collections.abc import Iterator

from book.checks.findings import Finding
from book.myst import Cell, Document, parse
from book.page import ROOT, Page

# 앞의 것에서 뒤의 것을 빼야 처치의 효과입니다.
ORDERED = [("on", "off"), ("treated", "control"), ("after", "before"), ("one", "zero"), ("y1", "y0"), ("five", "two")]
LEVEL = 1.96  # 정규분포의 95% 임곗값
OTHER_LEVELS = (1.64, 1.645, 1.65, 2.57, 2.576, 2.58)
_RESHAPES = {"reset_index", "copy", "to_numpy"}  # 행을 고르지 않는 부름
_OPPOSITE = {(ast.Eq, ast.NotEq), (ast.NotEq, ast.Eq), (ast.Lt, ast.GtE), (ast.GtE, ast.Lt), (ast.Gt, ast.LtE), (ast.LtE, ast.Gt)}  # fmt: skip


def check(page: Page, document: Document | None = None) -> list[Finding]:
    """쪽 하나의 코드에서 흔한 실수의 꼴을 찾습니다.

    Parameters
    ----------
    page : Page
    document : Document
        읽은 원고. 주지 않으면 새로 읽습니다.
    """
    document = document or parse(page.text)
    path = page.path.relative_to(ROOT).as_posix()
    return sorted(
        Finding(path, cell.first + line - 1, message, "slip")
        for cell in document.cells
        for line, message in _slips(cell)
    )


def _slips(cell: Cell) -> Iterator[tuple[int, str]]:
    for node in cell.nodes:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
            yield from _overlap(node)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
            yield from _backwards(node)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            yield from _swapped_shares(node)
        elif isinstance(node, ast.Compare):
            for part in node.comparators:
                if isinstance(part, ast.Constant) and part.value in OTHER_LEVELS:
                    yield node.lineno, f"임곗값이 {part.value}입니다 — 5% 양측이면 {LEVEL}과 견주세요."


def _overlap(node: ast.Assign) -> Iterator[tuple[int, str]]:
    """``train, test = df[:n], df[:n]``, ``fit, out = fold >= 0, fold == k``: 배운 것으로 평가합니다."""
    parts = [_core(part) for part in node.value.elts]
    for one, two in zip(parts, parts[1:], strict=False):
        same = ast.unparse(one)
        if same == ast.unparse(two) and any(
            isinstance(n, (ast.Subscript, ast.Compare, ast.Call)) for n in ast.walk(one)
        ):
            if not any(
                isinstance(n, ast.Attribute) and n.attr in {"empty", "zeros", "copy", "ones"} for n in ast.walk(one)
            ):
                yield (
                    node.lineno,
                    f"두 이름에 같은 것 {same[:40]}을(를) 넣었습니다 — 나누려던 것이면 뒤의 것을 고치세요.",
                )
        elif (
            isinstance(one, ast.Compare)
            and isinstance(two, ast.Compare)
            and ast.unparse(one.left) == ast.unparse(two.left)
        ):
            kinds = (type(one.ops[0]), type(two.ops[0]))
            apart = kinds == (ast.Eq, ast.Eq)
            if not apart and (
                kinds not in _OPPOSITE or ast.unparse(one.comparators[0]) != ast.unparse(two.comparators[0])
            ):
                yield (
                    node.lineno,
                    f"'{ast.unparse(one)}'와 '{ast.unparse(two)}'가 겹칩니다 — 배우는 것과 재는 것은 서로 여집합이어야 합니다.",
                )


def _core(node: ast.expr) -> ast.expr:
    """``df[:n].reset_index(drop=True)``의 ``df[:n]``."""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _RESHAPES:
        node = node.func.value
    return node


def _backwards(node: ast.BinOp) -> Iterator[tuple[int, str]]:
    left, right = (part.id if isinstance(part, ast.Name) else "" for part in (node.left, node.right))
    if (right, left) in ORDERED:
        yield node.lineno, f"차이를 거꾸로 뺐습니다({left} - {right}) — 효과는 {right} - {left}입니다."


def _swapped_shares(node: ast.BinOp) -> Iterator[tuple[int, str]]:
    """ATE = p·ATT + (1 - p)·ATU."""
    for part in (node.left, node.right):
        if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Mult):
            for share, effect in ((part.left, part.right), (part.right, part.left)):
                name = (
                    ast.unparse(effect).lower() if isinstance(effect, (ast.Name, ast.Subscript, ast.Attribute)) else ""
                )
                other = (
                    isinstance(share, ast.BinOp) and isinstance(share.op, ast.Sub) and ast.unparse(share.left) == "1"
                )
                if "att" in name and other:
                    yield (
                        node.lineno,
                        f"ATT에 1에서 뺀 비율을 곱했습니다({ast.unparse(part)}) — ATE는 받은 비율 × ATT + 나머지 × ATU입니다.",
                    )
