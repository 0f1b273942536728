"""연습문제의 검사: 정답이 배우는 사람에게 새지 않는지, 자기 점검이 정답 셀과 따로 셈하는지."""

import ast
import re
from collections.abc import Iterator

from book import values
from book.checks.findings import Finding
from book.myst import Cell, Document, parse
from book.page import ROOT, Page

_ANSWER = re.compile(r"answer_\w+")
LONG_TEXT, LONG_CODE = 15, 20  # 이보다 짧은 글과 코드는 우연히 겹칩니다(글자)


def check(page: Page, document: Document | None = None) -> list[Finding]:
    """쪽 하나의 연습문제를 봅니다.

    Parameters
    ----------
    page : Page
    document : Document
        읽은 원고. 주지 않으면 새로 읽습니다.
    """
    document = document or parse(page.text)
    path = page.path.relative_to(ROOT).as_posix()
    own = _solution_only(document.cells)
    found = [
        Finding(path, line, message, "answer")
        for line, message in [*_expected(document, own), *_leaks(document, own), *_copied(document)]
    ]
    return sorted(found)


def _names(tree: ast.AST, context=ast.Load) -> set[str]:
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, context)}


def _solution_only(cells: list[Cell]) -> set[str]:
    """정답 셀만 만드는 이름(답도)."""
    made: dict[bool, set[str]] = {True: set(), False: set()}
    for cell in cells:
        made["solution" in cell.tags] |= _names(cell.tree or ast.Module([], []), ast.Store)
    return made[True] - made[False]


def _assigned(cell: Cell) -> dict[str, ast.expr]:
    """셀에서 이름 하나에 넣은 식."""
    return {
        target.id: node.value
        for node in cell.nodes
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _number(tree: ast.AST | None) -> bool:
    """글자로 적은 수 하나(부호까지)."""
    if isinstance(tree, ast.UnaryOp):
        tree = tree.operand
    return isinstance(tree, ast.Constant) and isinstance(tree.value, (int, float)) and not isinstance(tree.value, bool)


def _checks(document: Document) -> Iterator[tuple[int, str, ast.expr, float | None, Cell]]:
    """자기 점검마다 (줄, 답의 이름, expected의 식, 적힌 tol, 셀)."""
    for cell in document.cells:
        if "self-check" in cell.tags:
            for line, call in cell.calls("check_answer"):
                given = {k.arg: k.value for k in call.keywords}
                answer = given.get("answer", call.args[1] if len(call.args) > 1 else None)
                expected = given.get("expected", call.args[2] if len(call.args) > 2 else None)
                tol = given.get("tol")
                tol = tol.value if isinstance(tol, ast.Constant) else None
                if answer is not None and expected is not None:
                    yield line, ast.unparse(answer), expected, tol, cell


def _expected(document: Document, own: set[str]) -> Iterator[tuple[int, str]]:
    solved: dict[str, ast.expr] = {}
    for cell in document.cells:
        if "solution" in cell.tags:
            solved |= _assigned(cell)
    for line, answer, expected, tol, cell in _checks(document):
        used = _names(expected)
        for name, value in _assigned(cell).items():
            if name in used:
                used |= _names(value)
        if tol == 0 and not _number(expected) and any(isinstance(n, (ast.BinOp, ast.Call)) for n in ast.walk(expected)):
            yield (
                line,
                f"{answer}의 허용 오차가 0입니다. 반올림해 적은 바른 답도 틀립니다 — 문제가 말한 자릿수만큼 tol을 주세요.",
            )
        if copied := sorted(used & (own | {answer})):
            yield line, f"자기 점검의 expected가 정답 셀의 {', '.join(copied)}을(를) 씁니다. 무엇을 적어도 맞습니다 — 자료와 앞 셀의 값에서 따로 셈하세요."  # fmt: skip
        elif (
            _number(expected) and _number(solved.get(answer)) and not ast.unparse(expected).isdigit()
        ):  # 0, 1, 2…는 세는 답입니다
            yield line, f"{answer}과(와) expected가 모두 적어 넣은 수입니다 — 적어도 하나는 문제의 값에서 셈하세요."


def _leaks(document: Document, own: set[str]) -> Iterator[tuple[int, str]]:
    """풀이 밖의 글과 출력이 정답을 보이는 곳."""
    hidden = [(d.line, d.end) for d in document.directives if d.name == "solution"]
    wanted = {}
    for _, answer, expected, _, cell in _checks(document):
        inside = _assigned(cell)
        expected = inside.get(expected.id, expected) if isinstance(expected, ast.Name) else expected
        if any(isinstance(n, (ast.Call, ast.BinOp)) for n in ast.walk(expected)):
            wanted[_dump(expected)] = answer
    for line, role in document.pieces("role"):
        if role.name != "eval" or any(a <= line <= b for a, b in hidden):
            continue
        try:
            tree = ast.parse(values.split(role.text)[0], mode="eval").body
        except SyntaxError:
            continue
        if shown := sorted(_names(tree) & own):
            yield (
                line,
                f"본문이 정답 셀의 값 {', '.join(shown)}을(를) 보입니다 — 풀이(:::{{solution}}) 안으로 옮기세요.",
            )
        elif _dump(tree) in wanted:
            yield (
                line,
                f"본문이 {wanted[_dump(tree)]}의 정답을 그대로 보입니다 — 풀이(:::{{solution}}) 안으로 옮기거나 문제를 바꾸세요.",
            )
    for cell in document.cells:
        if {"solution", "self-check", "remove-cell", "remove-output"} & set(cell.tags):
            continue
        for line, call in cell.calls("print", "display"):
            for node in ast.walk(call):
                if isinstance(node, ast.expr) and _dump(node) in wanted:
                    yield (
                        line,
                        f"셀이 {wanted[_dump(node)]}의 정답을 찍습니다 — 정답 셀 안으로 옮기거나 문제를 바꾸세요.",
                    )


def _dump(tree: ast.AST) -> str:
    """이름 앞의 밑줄을 뗀 나무. 점검 셀은 같은 값을 ``_이름``으로 다시 만듭니다."""
    return re.sub(r"id='_+", "id='", ast.dump(tree))


def _copied(document: Document) -> Iterator[tuple[int, str]]:
    """풀이의 문장이나 정답 셀의 코드가 풀이 밖에도 적힌 곳. 배우는 사람의 노트북에 그대로 남습니다."""
    solved = {" ".join(b.raw.split()) for b in document.blocks if "solution" in b.inside and len(b.raw) >= LONG_TEXT}
    for block in document.blocks:
        if "solution" not in block.inside and " ".join(block.raw.split()) in solved:
            yield block.line, "풀이의 글이 풀이 밖에도 있습니다. 배우는 사람의 노트북에 남습니다 — 여기서 지우세요."
    code = {
        line.strip()
        for cell in document.cells
        if "solution" in cell.tags
        for line in cell.source.split("\n")
        if _ANSWER.match(line.strip()) and len(line.strip()) >= LONG_CODE
    }
    cells = {
        n
        for cell in document.cells
        if {"solution", "self-check"} & set(cell.tags)
        for n in range(cell.line, cell.end + 1)
    }
    for number, line in enumerate(document.lines, 1):
        if number not in cells and line.strip().lstrip("#> ") in code:
            yield number, "정답 셀의 코드가 정답 셀 밖에도 있습니다. 배우는 사람의 노트북에 남습니다 — 여기서 지우세요."
