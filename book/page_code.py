"""쪽의 셀에 적힌 함수를 시험에서 씁니다. 시험이 쪽과 다른 식을 시험하는 일을 막습니다."""

import ast

import numpy as np
import pandas as pd

from book.myst import parse
from book.page import Page


def page_functions(page: Page, *names: str, **known) -> dict:
    """쪽에서 함수 ``names``를 정의하는 def만 차례로 실행한 이름들.

    Parameters
    ----------
    page : Page
        함수가 적힌 쪽.
    *names : str
        꺼낼 함수의 이름.
    **known
        함수들이 쓰는 다른 이름(라이브러리, 상수). ``np``와 ``pd``는 들어 있습니다.

    Raises
    ------
    AssertionError
        쪽에 그 이름의 함수가 없을 때.
    """
    space = {"np": np, "pd": pd} | known
    left = set(names)
    for cell in parse(page.text).cells:
        for node in ast.parse(cell.source).body:
            if isinstance(node, ast.FunctionDef) and node.name in names:
                exec(compile(ast.Module([node], []), page.docname, "exec"), space)
                left.discard(node.name)
    assert not left, f"{page.docname}에 없는 함수: {sorted(left)}"
    return space
