"""쪽에서 배우는 사람의 노트북을 만듭니다.

정답 코드는 ``answer_1 = ...``로 비우고 해설은 뺍니다. 자기 점검은 남습니다. MyST 표기는 Jupyter와 Colab이 읽는
보통 Markdown으로 바꾸고, ``{glue:text}`` 자리에는 계산된 값을 적습니다. 비운 채로도 끝까지 돌아갑니다.
"""

import ast
import re

import nbformat

from tools.execution import Execution, to_notebook
from tools.paths import Page

_GLUE_PREFIX = "application/papermill.record/"
_RECORDERS = {"glue", "record_claim", "record_validation"}
_OPEN = re.compile(r"^(\s*)(:{3,})\{([\w-]+)\}\s*(.*)$")
_BACKTICK_OPEN = re.compile(r"^(\s*)(`{3,})\{([\w-]+)\}\s*(.*)$")
_OPTION = re.compile(r"^\s*:[\w-]+:.*$")
_ROLE = re.compile(r"\{([\w:-]+)\}`([^`]+)`")
_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)")
_TARGET = re.compile(r"^\([\w-]+\)=\s*$")
_DEFAULT_TITLES = {"note": "참고", "tip": "도움말", "warning": "주의", "important": "중요", "caution": "조심", "hint": "귀띔", "admonition": ""}


class ConversionError(ValueError):
    """쪽을 노트북으로 바꾸지 못했습니다. 메시지에 까닭이 있습니다."""


def glued_values(execution: Execution) -> dict:
    """실행된 노트북에서 ``glue``로 묶은 값을 모읍니다."""
    values = {}
    for cell in execution.notebook().cells:
        for output in cell.get("outputs", []):
            name = output.get("metadata", {}).get("scrapbook", {}).get("name")
            text = output.get("data", {}).get(_GLUE_PREFIX + "text/plain")
            if name and text is not None:
                values[name] = ast.literal_eval("".join(text))
    return values


def _role_text(role: str, content: str, values: dict) -> str:
    if role == "glue:text":
        name, _, spec = content.partition(":")
        if name not in values:
            raise ConversionError(f"{{glue:text}}`{name}`의 값이 실행 결과에 없습니다.")
        return format(values[name], spec) if spec else str(values[name])
    if role == "math":
        return f"${content}$"
    return re.sub(r"\s*<[^>]*>$", "", content)


def _inline(line: str, values: dict, site: str, docname: str) -> str:
    line = _ROLE.sub(lambda m: _role_text(m.group(1), m.group(2), values), line)

    def link(match: re.Match) -> str:
        text, target = match.groups()
        if re.match(r"[a-z]+://|mailto:", target):
            return match.group(0)
        if not site or target.startswith("#"):
            return text
        path, _, anchor = target.partition("#")
        folder = docname.rpartition("/")[0].split("/") if "/" in docname else []
        for part in path.split("/"):
            if part == "..":
                folder = folder[:-1]
            elif part != ".":
                folder = [*folder, part]
        return f"[{text}]({site.rstrip('/')}/{re.sub(r'[.]md$', '.html', '/'.join(folder))}{'#' + anchor if anchor else ''})"

    return _LINK.sub(link, line)


def to_markdown(source: str, values: dict, *, solutions: bool, site: str = "", docname: str = "") -> str:
    """MyST 글 한 칸을 보통 Markdown으로 바꿉니다.

    Parameters
    ----------
    source : str
        코드 셀 사이의 글.
    values : dict
        ``glued_values``가 돌려준 값.
    solutions : bool
        참이면 정답 해설을 남깁니다.
    site : str
        펴낸 사이트의 주소. 비어 있으면 책 안의 링크는 글자만 남깁니다.
    docname : str
        쪽의 이름. 링크를 푸는 데 씁니다.
    """
    lines, out = source.split("\n"), []
    stack: list[tuple[str, str]] = []  # (닫는 표시, 갈래)
    fence = ""
    position = 0
    while position < len(lines):
        line = lines[position]
        position += 1
        dropping = any(kind == "drop" for _, kind in stack)
        if fence:
            if not dropping:
                out.append(line)
            if line.strip() == fence:
                fence = ""
            continue
        if opened := _OPEN.match(line):
            _, colons, name, title = opened.groups()
            while position < len(lines) and _OPTION.match(lines[position]):
                position += 1
            if name == "notes" or (name == "solution" and not solutions):
                stack.append((colons, "drop"))
            elif name in {"slide", "div", "grid", "grid-item-card", "grid-item"}:
                stack.append((colons, "plain"))
            elif name == "exercise":
                stack.append((colons, "plain"))
                if not dropping:
                    out += [f"### {_inline(title, values, site, docname)}", ""]
            else:
                stack.append((colons, "quote"))
                title = "정답 해설" if name == "solution" else title or _DEFAULT_TITLES.get(name, "")
                if title and not dropping:
                    out += ["", f"> **{_inline(title, values, site, docname)}**", ">"]
            continue
        if stack and line.strip() == stack[-1][0]:
            stack.pop()
            continue
        if opened := _BACKTICK_OPEN.match(line):
            _, ticks, name, _ = opened.groups()
            body = []
            while position < len(lines) and lines[position].strip() != ticks:
                body.append(lines[position])
                position += 1
            position += 1
            if name == "math" and not dropping:
                out += ["$$", *(b for b in body if not _OPTION.match(b)), "$$"]
            continue
        if plain := re.match(r"^\s*(`{3,})[\w-]*\s*$", line):
            fence = plain.group(1)
            if not dropping:
                out.append(line)
            continue
        if dropping or line.startswith("%") or _TARGET.match(line) or line.startswith("+++"):
            continue
        prefix = "> " if any(kind == "quote" for _, kind in stack) else ""
        out.append((prefix + _inline(line, values, site, docname)).rstrip() if prefix else _inline(line, values, site, docname))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(out)).strip()


def _answers(source: str) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id.startswith("answer_") and node.id not in names:
            names.append(node.id)
    return names


def _without_recording(source: str) -> str:
    """본문의 숫자를 묶는 줄(glue 따위)을 뺍니다. 배우는 사람의 계산에는 필요 없습니다."""
    if any(line.lstrip().startswith(("%", "!")) for line in source.splitlines()):
        return source
    tree = ast.parse(source)
    lines = source.split("\n")
    for node in tree.body:
        call = node.value if isinstance(node, ast.Expr) else None
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in _RECORDERS:
            for number in range(node.lineno - 1, node.end_lineno):
                lines[number] = None
    return "\n".join(line for line in lines if line is not None).strip()


def convert(page: Page, execution: Execution, *, solutions: bool = False, site: str = "") -> nbformat.NotebookNode:
    """쪽을 출력 없는 노트북으로 바꿉니다.

    Parameters
    ----------
    page : Page
    execution : Execution
        같은 쪽의 실행 결과. 본문의 값을 여기서 읽습니다.
    solutions : bool
        참이면 정답 코드와 해설이 든 진행자용입니다.
    site : str
        펴낸 사이트의 주소.

    Returns
    -------
    nbformat.NotebookNode

    Raises
    ------
    ConversionError
        본문이 부르는 값이 실행 결과에 없거나, 정답 셀이 ``answer_N``을 정하지 않을 때.
    """
    values = glued_values(execution)
    cells = []
    for cell in to_notebook(page).cells:
        if cell.cell_type == "markdown":
            text = to_markdown(cell.source, values, solutions=solutions, site=site, docname=page.docname)
            if text:
                cells.append(nbformat.v4.new_markdown_cell(text))
            continue
        tags = list(cell.metadata.get("tags") or [])
        source = cell.source
        if "solution" in tags and not solutions:
            names = _answers(source)
            if not names:
                raise ConversionError(f"{page.docname}: 정답 셀이 answer_1 같은 이름을 정하지 않습니다.")
            source = "\n".join(f"{name} = ...  # 여기에 답을 씁니다" for name in names)
        else:
            source = _without_recording(source)
        if not source:
            continue
        metadata = {"tags": tags} if tags else {}
        if "hide-input" in tags or "remove-cell" in tags or "remove-input" in tags:
            metadata["jupyter"] = {"source_hidden": True}
        cells.append(nbformat.v4.new_code_cell(source, metadata=metadata))
    for number, cell in enumerate(cells):  # 같은 원고에서는 늘 같은 파일이 나오게 합니다
        cell["id"] = f"cell-{number}"
    return nbformat.v4.new_notebook(
        cells=cells, metadata={"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}, "language_info": {"name": "python"}}
    )
