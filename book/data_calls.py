"""쪽의 코드가 어느 데이터를 부르는지 구문으로 읽습니다. 실행의 열쇠와 머리말의 검사가 함께 씁니다."""

import ast
from collections.abc import Iterable

from book.myst import Cell

PACKAGE = "causal_practice"
_TAKES_A_NAME = {"load", "truth", "generator", "card"}
_FUNCTIONS = _TAKES_A_NAME | {"validate"}


def data_calls(cells: Iterable[Cell]) -> list[tuple[str | None, int]]:
    """``causal_practice``에서 불러온 함수가 데이터를 부르는 곳.

    이름이 같아도 다른 것의 메서드(예: 다른 꾸러미의 ``card.load()``)는 세지 않습니다.

    Parameters
    ----------
    cells : iterable of Cell
        쪽의 코드 셀.

    Returns
    -------
    list of (str or None, int)
        (데이터의 이름, 원고의 줄 번호). 이름을 글자로 적지 않아 알 수 없으면 이름이 None입니다.
    """
    cells = [cell for cell in cells if cell.tree]
    names, modules = _imported(cells)
    found: list[tuple[str | None, int]] = []
    for cell in cells:
        for node in cell.nodes:
            if isinstance(node, ast.Call) and (function := _called(node.func, names, modules)):
                keyword = "dataset" if function == "validate" else "name"
                arguments = [] if function == "validate" else list(node.args[:1])
                arguments += [k.value for k in node.keywords if k.arg == keyword]
                if arguments or function != "validate":
                    value = getattr(arguments[0], "value", None) if arguments else None
                    found.append((value if isinstance(value, str) else None, cell.first + node.lineno - 1))
    return found


def _imported(cells: list[Cell]) -> tuple[dict[str, str], set[str]]:
    """쪽에서 부르는 이름 → 우리 함수의 이름, 그리고 우리 꾸러미를 가리키는 이름."""
    names, modules = {}, set()
    for node in (node for cell in cells for node in cell.nodes):
        if isinstance(node, ast.Import):
            modules |= {alias.asname or PACKAGE for alias in node.names if alias.name.partition(".")[0] == PACKAGE}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == PACKAGE:
            for alias in node.names:
                if alias.name == "*":
                    names |= {name: name for name in _FUNCTIONS}
                elif alias.name in _FUNCTIONS:
                    names[alias.asname or alias.name] = alias.name
                else:
                    modules.add(alias.asname or alias.name)
    return names, modules


def _called(function: ast.expr, names: dict[str, str], modules: set[str]) -> str | None:
    if isinstance(function, ast.Name):
        return names.get(function.id)
    if not isinstance(function, ast.Attribute) or function.attr not in _FUNCTIONS:
        return None
    root = function.value
    while isinstance(root, ast.Attribute):
        root = root.value
    return function.attr if isinstance(root, ast.Name) and root.id in modules else None
