"""쪽에서 배우는 사람의 노트북을 만듭니다.

정답 코드는 ``answer_1 = ...``로 비우고 해설과 발표자 노트는 뺍니다. 자기 점검은 남습니다. MyST 표기는
Jupyter와 Colab이 읽는 보통 Markdown으로 바꾸고, ``{glue:text}`` 자리에는 계산된 값을 적습니다.
비운 채로도 끝까지 돌아갑니다.
"""

import ast
import base64
import copy
import mimetypes
import posixpath
import re
from collections.abc import Callable
from functools import wraps
from pathlib import Path

import nbformat

from book import values
from book.execution import Execution, used_datasets
from book.myst import Cell, Directive, Piece, list_rows, parse, parse_code, pieces
from book.page import ROOT, Page, PageError, read_page

_GLUE_PREFIX = "application/papermill.record/"
_RECORDERS = {"glue", "record_claim", "record_validation"}
_NUMBERLESS = {"note": "참고", "tip": "도움말", "hint": "귀띔", "warning": "주의", "caution": "조심", "danger": "위험",
               "attention": "주의", "important": "중요", "seealso": "함께 보기", "error": "오류", "solution": "정답 해설"}  # fmt: skip
_PLAIN = {"slide", "div", "grid", "grid-item", "card-carousel", "tab-set", "centered", "container"}
_SITE_ONLY = {"toctree", "tableofcontents", "contents", "raw", "include", "literalinclude", "weekly-table", "evening", "case-gallery",
              "data-cards", "build-report", "benchmark", "pipeline-benchmark", "book-glossary", "glossary", "bibliography", "glue", "glue:figure"}  # fmt: skip
_IMPURE = re.compile(r":=|\b(?:rng|random\w*|next|pop|append)\b")
ANSWER_HINT = "여기에 답을 씁니다"
CHECK_HINT = "# 점검 셀입니다. 고치지 말고 실행하세요. 펼치면 정답이 보입니다."  # 접힌 셀은 첫 줄만 보입니다


class ConversionError(PageError):
    """쪽을 노트북으로 바꾸지 못했습니다. 메시지에 까닭이 있습니다."""


def _once_per_text(function: Callable) -> Callable:
    """쪽의 글이 그대로이면 앞서 구한 것을 돌려줍니다. 원고를 노트북으로 읽는 일이 느리기 때문입니다."""
    seen: dict = {}

    @wraps(function)
    def remembered(page: Page):
        key = (page.path, page.text)
        if key not in seen:
            seen[key] = function(page)
        return seen[key]

    return remembered


def source_cells(page: Page) -> list:
    """쪽의 글과 코드를 셀의 차례로 돌려줍니다."""
    cells = []
    for _, found in parse(page.text).sequence():
        code = isinstance(found, Cell)
        cell = {
            "cell_type": "code" if code else "markdown",
            "source": found.source if code else found,
            "metadata": found.metadata if code else {},
        }
        cells.append(nbformat.from_dict(copy.deepcopy(cell)))
    return cells


@_once_per_text
def datasets_of(page: Page) -> list[str]:
    """쪽이 쓰는 데이터의 이름."""
    return sorted(used_datasets(page))


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


def _title_of(docname: str) -> str:
    """쪽의 제목. 없는 쪽이면 이름 그대로."""
    path = ROOT / f"{docname}.md"
    return read_page(path).title if path.is_file() else docname


class _Writer:
    """MyST 글을 보통 Markdown으로 옮깁니다. 각주 번호와 그림은 노트북 하나에서 이어집니다."""

    def __init__(self, values: dict, *, solutions: bool, site: str, docname: str, whole: str, shipped: frozenset[str]):
        self.values, self.solutions, self.docname, self.shipped = values, solutions, docname, shipped
        self.reading = ""
        self.site = site.rstrip("/")
        document = parse(whole)
        self.references, self.notes = document.references, document.notes
        self.numbers: dict[str, int] = {}
        self.attachments: dict[str, dict[str, str]] = {}

    # --- 덩어리 ---

    def blocks(self, text: str) -> list[str]:
        """글을 줄들로 옮깁니다. 지시자는 안쪽부터 풉니다."""
        document = parse(text)
        parts = {part.line: part for part in document.parts}
        out: list[str] = []
        paragraph: list[str] = []

        def flush() -> None:
            if paragraph:
                out.extend(self.inline("\n".join(paragraph)).split("\n"))
                paragraph.clear()

        number = 1
        while number <= len(document.lines):
            line, part = document.lines[number - 1], parts.get(number)
            if part is None or part.kind == "definition":
                if not line.strip():
                    flush()
                    out.append("")
                elif part and paragraph:  # 정의 목록은 Jupyter가 읽지 못합니다
                    term = paragraph.pop()
                    flush()
                    paragraph.append(f"**{term.strip()}**: {line.strip()[1:].strip()}")
                else:
                    paragraph.append(line)
                number += 1
                continue
            flush()
            if part.directive:
                out += self.placed(line, part.directive)
            elif part.kind in {"code", "math", "html"}:
                out += document.lines[number - 1 : part.end]
            number = part.end + 1
        flush()
        return out

    def placed(self, line: str, directive: Directive) -> list[str]:
        """옮긴 지시자를 제자리에. 목록이나 인용 안이면 그 들여쓰기와 표시를 줄마다 붙입니다."""
        lead = line[: line.index("{" + directive.name)].rstrip(":`~")
        made = self.directive(directive.name, directive.argument, directive.options, directive.body)
        rest = re.sub(r"[^>\s]", " ", lead)
        if rest != lead:  # 목록 표시와 같은 줄에서 열렸습니다
            first, *made = _squeeze(made) or [""]
            return [lead + first, *((rest + text).rstrip() for text in made)]
        return [lead + text if text else text for text in made]

    def directive(self, name: str, argument: str, options: dict[str, str], body: str) -> list[str]:
        if name == "solution" and not self.solutions:
            self.reading = "\n".join(_squeeze(self.blocks(body)))  # 맞힌 사람에게만 점검 셀이 보여 줍니다
            return []
        if name == "notes" or name in _SITE_ONLY:
            return []
        if name in _PLAIN:
            return ["", *self.blocks(body), ""]
        if name == "math":
            return ["", "$$", *([argument] if argument else []), *body.split("\n"), "$$", ""]
        if name in {"code-block", "code", "sourcecode", "mermaid", "parsed-literal"}:
            return ["", f"```{argument or ('mermaid' if name == 'mermaid' else '')}", *body.split("\n"), "```", ""]
        if name in {"image", "figure"}:
            caption = self.blocks(body)
            return ["", self.image(options.get("alt", ""), argument), *(["", *caption] if any(caption) else []), ""]
        if name == "list-table":
            return ["", *self.table(argument, options, body), ""]
        if name == "exercise":
            return ["", f"### {self.inline(argument)}", "", *self.blocks(body), ""]
        if name in {"tab-item", "grid-item-card", "card"}:
            title = [f"**{self.inline(argument)}**", ""] if argument else []
            return ["", *title, *self.blocks(body), ""]
        title = argument if name in {"admonition", "dropdown"} or argument else _NUMBERLESS.get(name, "")
        inside = _squeeze(self.blocks(body))
        if title:
            inside = [f"**{self.inline(title)}**", "", *inside]
        return ["", *(f"> {text}".rstrip() for text in inside), ""]

    def table(self, title: str, options: dict[str, str], body: str) -> list[str]:
        """``list-table``을 세로줄 표로."""
        rows = [[self.inline(cell).replace("|", "\\|") for cell in row] for row in list_rows(body)]
        if not rows:
            return []
        width = max(map(len, rows))
        head = rows.pop(0) if options.get("header-rows", "0") != "0" else [""] * width
        shown = [head, ["---"] * width, *rows]
        return [
            *([f"**{self.inline(title)}**", ""] if title else []),
            *("| " + " | ".join(r + [""] * (width - len(r))) + " |" for r in shown),
        ]

    # --- 줄 안 ---

    def inline(self, text: str) -> str:
        return self._rewritten(text, pieces(text, self.references), 0, len(text))

    def _rewritten(self, text: str, found: tuple[Piece, ...], start: int, end: int) -> str:
        """``text[start:end]``에서 보통 Markdown에 없는 조각만 바꿉니다. 나머지는 적힌 그대로입니다."""
        out, at = [], start
        for piece in found:
            made = self._piece(text, piece)
            if made is not None:
                out += [text[at : piece.start], made]
                at = piece.end
        return "".join([*out, text[at:end]])

    def _piece(self, text: str, piece: Piece) -> str | None:
        if piece.kind == "role":
            return self.role(piece.name, text[slice(*piece.inner)])
        if piece.kind == "image":
            return self.image(piece.text, piece.target)
        if piece.kind == "footnote" and piece.text in self.notes:
            return f"<sup>[{self.numbers.setdefault(piece.text, len(self.numbers) + 1)}]</sup>"
        if piece.kind in {"link", "span"}:
            label = self._rewritten(text, piece.inside, *piece.inner)
            return self.link(label, piece.target) if piece.kind == "link" else label
        return None

    def role(self, role: str, content: str) -> str:
        if role.startswith("glue"):
            name, _, spec = content.partition(":")
            if name not in self.values:
                raise ConversionError(
                    f'{self.docname}.md: {{glue:text}}`{name}`의 값이 실행 결과에 없습니다. glue("{name}", …)를 확인하세요.'
                )
            value = self.values[name]
            return format(value, spec) if spec else str(value)
        if role == "math":
            return f"${content}$"
        if role in {"sub", "sup", "kbd"}:
            return f"<{role}>{content}</{role}>"
        if role in {"code", "file", "samp", "command", "program", "literal"}:
            return f"`{content}`"
        text, target = content, content
        if explicit := re.match(r"^(.*?)\s*<([^<>]+)>$", content, re.DOTALL):
            text, target = explicit.groups()
        if role == "doc":
            name = self._resolve(target).removesuffix(".md")
            shown = text if explicit else _title_of(name)
            return self.link(shown, f"/{name}.md") if (ROOT / f"{name}.md").is_file() else shown
        return text

    def _resolve(self, target: str) -> str:
        """쪽에서 적은 주소를 저장소 뿌리에서 본 이름으로."""
        return posixpath.normpath(
            target.lstrip("/") if target.startswith("/") else posixpath.join(posixpath.dirname(self.docname), target)
        )

    def link(self, label: str, target: str) -> str:
        if re.match(r"[a-zA-Z][a-zA-Z+.-]*:", target):
            return f"[{label}]({target})" if label else f"<{target}>"
        path, _, anchor = target.partition("#")
        name = self._resolve(path) if path else f"{self.docname}.md"
        if name in self.shipped:
            return f"[{label or posixpath.basename(name)}]({name})"
        label = label or (_title_of(name.removesuffix(".md")) if name.endswith(".md") else posixpath.basename(name))
        if not self.site or not name.endswith(".md"):
            return label
        return f"[{label}]({self.site}/{name.removesuffix('.md')}.html{'#' + anchor if anchor else ''})"

    def image(self, alt: str, target: str) -> str:
        """그림을 노트북 안에 담습니다. 파일이 없으면 대신할 글만 남깁니다."""
        if re.match(r"[a-z]+://", target):
            return f"![{alt}]({target})"
        name = self._resolve(target)
        path = ROOT / name
        if not path.is_file():
            return alt
        kind = mimetypes.guess_type(path.name)[0] or "image/png"
        self.attachments[path.name] = {kind: base64.b64encode(path.read_bytes()).decode("ascii")}
        return f"![{alt}](attachment:{path.name})"

    def footnotes(self) -> str:
        """글에서 부른 각주의 목록. 부른 것이 없으면 빈 글자입니다."""
        lines = []
        while len(lines) < len(self.numbers):  # 각주 안에서 다른 각주를 부를 수 있습니다
            name = next(n for n, number in self.numbers.items() if number == len(lines) + 1)
            lines.append(f"{len(lines) + 1}. {self.inline(self.notes[name])}")
        return "\n".join(["### 주석", "", *lines]) if lines else ""


def _squeeze(lines: list[str]) -> list[str]:
    """앞뒤의 빈 줄을 없애고 잇따른 빈 줄을 하나로 줄입니다(코드 울타리 안은 그대로)."""
    out: list[str] = []
    fence = ""
    for line in lines:
        mark = re.match(r"^[>\s]*(`{3,}|~{3,})", line)
        if mark and (not fence or mark.group(1).startswith(fence)):
            fence = "" if fence else mark.group(1)
        if fence or line.strip() or (out and out[-1].strip()):
            out.append(line)
    while out and not out[-1].strip():
        out.pop()
    return out


def _answers(source: str) -> list[str]:
    """셀이 정하는 ``answer_N``을 적힌 차례대로."""
    names: list[str] = []
    for node in ast.walk(parse_code(source)):
        if (
            isinstance(node, ast.Name)
            and isinstance(node.ctx, ast.Store)
            and re.fullmatch(r"answer_\w+", node.id)
            and node.id not in names
        ):
            names.append(node.id)
    return sorted(names, key=lambda name: re.search(rf"\b{name}\b", source).start())


def _without_recording(source: str) -> str:
    """본문의 숫자를 묶는 줄(glue 따위)을 뺍니다. 배우는 사람의 계산에는 필요 없습니다.

    인자가 난수를 뽑거나 값을 바꾸는 듯하면 그대로 둡니다. 빼면 뒤의 숫자가 달라질 수 있습니다.
    """
    if any(line.lstrip().startswith(("%", "!")) for line in source.splitlines()):
        return source
    tree = parse_code(source)
    lines: list[str | None] = list(source.split("\n"))
    for node in tree.body:
        call = node.value if isinstance(node, ast.Expr) else None
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in _RECORDERS):
            continue
        shared = any(o is not node and o.lineno <= node.end_lineno and o.end_lineno >= node.lineno for o in tree.body)
        if shared or _IMPURE.search(ast.get_source_segment(source, node) or ""):
            continue
        for number in range(node.lineno - 1, node.end_lineno):
            lines[number] = None
    return "\n".join(line for line in lines if line is not None).strip()


def shipped_files(page: Page) -> list[str]:
    """쪽의 꾸러미에 함께 가는 데이터와 생성기(저장소 뿌리에서 본 이름)."""
    names = [f"data/{name}.csv" for name in datasets_of(page)] + [
        f"data/generators/{name}.py" for name in datasets_of(page)
    ]
    return sorted(name for name in [*names, *(page.meta.get("depends") or [])] if (ROOT / name).is_file())


def has_exercises(page: Page) -> bool:
    """정답 셀이 하나라도 있으면 참."""
    return any("solution" in cell.tags for cell in parse(page.text).cells)


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
        같은 원고와 같은 실행에서는 늘 같은 노트북입니다.

    Raises
    ------
    ConversionError
        본문이 부르는 값이 실행 결과에 없거나, 정답 셀이 ``answer_N``을 정하지 않을 때.
    """
    source = copy.deepcopy(source_cells(page))
    values.substitute_cells(source, execution.notebook())
    writer = _Writer(
        glued_values(execution), solutions=solutions, site=site, docname=page.docname,
        whole="\n".join(c.source for c in source if c.cell_type == "markdown"), shipped=frozenset(shipped_files(page)),
    )  # fmt: skip
    cells = []
    for cell in source:
        if cell.cell_type == "markdown":
            writer.attachments = {}
            if text := "\n".join(_squeeze(writer.blocks(cell.source))):
                cells.append(
                    nbformat.v4.new_markdown_cell(
                        text, **({"attachments": writer.attachments} if writer.attachments else {})
                    )
                )
        elif made := _code_cell(page, cell, solutions):
            if "self-check" in made.metadata.get("tags", []) and writer.reading:
                made["source"], writer.reading = with_reading(made.source, writer.reading), ""
            cells.append(made)
    if notes := writer.footnotes():
        cells.append(nbformat.v4.new_markdown_cell(notes))
    for number, cell in enumerate(cells):  # 같은 원고에서는 늘 같은 파일이 나오게 합니다
        cell["id"] = f"cell-{number}"
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return nbformat.v4.new_notebook(cells=cells, metadata=metadata)


def _code_cell(page: Page, cell, solutions: bool) -> nbformat.NotebookNode | None:
    tags = list(cell.metadata.get("tags") or [])
    if "solution" in tags and not solutions:
        names = _answers(cell.source)
        if not names:
            raise ConversionError(f"{page.docname}.md: 정답 셀이 answer_1 같은 이름을 정하지 않습니다.\n{cell.source}")
        text = "\n".join(f"{name} = ...  # {ANSWER_HINT}" for name in names)
    else:
        text = _without_recording(cell.source)
    if not text:
        return None
    if "self-check" in tags:
        text = f"{CHECK_HINT}\n{text}"
    metadata = {"tags": tags} if tags else {}
    # 그림 코드와 점검 셀은 접습니다. 점검 셀에는 정답이 적혀 있습니다.
    if {"hide-input", "remove-cell", "remove-input", "self-check"} & set(tags):
        metadata["jupyter"] = {"source_hidden": True}
    return nbformat.v4.new_code_cell(text, metadata=metadata)


def with_reading(source: str, reading: str) -> str:
    """점검 셀에 해설을 실어, 맞힌 뒤에 사이트와 같은 해설이 나오게 합니다. ``check_answer`` 하나로 끝나지 않는 셀은 그대로 둡니다."""
    last = parse_code(source).body[-1]
    call = last.value if isinstance(last, ast.Expr) else None
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "check_answer"):
        return source
    end = source.rstrip().rindex(")")
    return f"{source[:end].rstrip().removesuffix(',')},\n    reading={reading!r})"


def notebook_name(page: Page, solutions: bool = False) -> str:
    """노트북의 파일 이름. 진행자용은 ``_정답``이 붙습니다."""
    return f"{Path(page.docname).name}{'_정답' if solutions else ''}.ipynb"
