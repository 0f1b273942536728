"""MyST 원고의 판독기. 검사, 배우는 사람의 노트북, 꾸러미, 확장이 모두 이것으로 원고를 읽습니다.

책을 만드는 것과 같은 myst-parser의 토큰을 씁니다. 확장의 목록도 ``_config.yml``에서 읽으므로, 여기서 지시자나
링크로 읽히는 것은 사이트에서도 그렇습니다. 토큰에 없는 것 둘을 더합니다: 지시자 안쪽까지 원고의 줄 번호로 펼친
토막과, 문장 안의 조각이 놓인 자리.
"""

import ast
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache, partial
from pathlib import Path

import yaml
from docutils.parsers.rst.directives.misc import TestDirective
from docutils.parsers.rst.states import MarkupError
from markdown_it import MarkdownIt
from markdown_it.parser_inline import ParserInline
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from mdit_py_plugins.footnote.index import footnote_ref
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.directives import parse_directive_text
from myst_parser.parsers.mdit import create_md_parser

# 바뀐 자리를 나타내는 글자(유니코드 사용자 영역). 원고에는 나오지 않습니다.
BOUND, OPAQUE, CITED = "\ue000", "\ue001", "\ue002"

# 안에 글이 들어 있지 않은 지시자. 나머지는 모두 안의 글까지 읽습니다.
LITERAL = {
    "code-cell", "code-block", "code", "sourcecode", "math", "raw", "mermaid", "literalinclude", "include", "toctree",
    "bibliography", "image", "eval-rst", "glossary", "weekly-table", "evening", "book-glossary", "case-gallery", "data-cards",
    "build-report", "highlight", "parsed-literal", "only", "doctest", "tableofcontents",
}  # fmt: skip
_UNTITLED = {"figure", "grid", "tab-set", "list-table", "csv-table"}  # 여는 줄의 글이 제목이 아닌 지시자
_CODE_TOKENS = {"fence": "code", "colon_fence": "code", "code_block": "code", "math_block": "math", "math_block_label": "math",
                "amsmath": "math", "html_block": "html"}  # fmt: skip
_UNSEEN_TOKENS = {
    "myst_line_comment": "comment",
    "myst_block_break": "break",
    "myst_target": "target",
    "attrs_block": "attributes",
}
_OPENING = re.compile(r"\{([^}\s]+)\}\s*(.*)", re.DOTALL)
_BARE_URL = re.compile(r"https?://[^\s>)가-힣]+")
_TASK = re.compile(r"\[[ xX]\]\s+")
_MARKED = re.compile(r"[\\`*_{\[<&$\n]")  # 이 가운데 하나도 없으면 글자 그대로입니다


# ── 문장 안 ──


class _State(StateInline):
    """글자마다 원래 자리를 함께 모으는 상태."""

    def __init__(self, *args):
        super().__init__(*args)
        self.origins: list[int] = []

    def pushPending(self):  # noqa: N802 (markdown-it의 이름)
        origins = self.origins[: len(self.pending)]  # 줄 끝의 빈칸은 규칙이 잘라 냅니다
        token = super().pushPending()
        token.meta["origins"] = origins
        self.origins = []
        return token

    def note(self, at: int, tokens: int, pending: int) -> None:
        """규칙 하나가 ``at``에서 ``self.pos``까지를 읽고 남긴 것에 자리를 적습니다."""
        for i, token in enumerate(self.tokens[tokens:]):
            if not {"span", "origins"} & token.meta.keys():
                token.meta |= {"origins": [at + i]} if token.type == "text" else {"span": (at, self.pos)}
        grown = len(self.pending) - (pending if len(self.tokens) == tokens else 0)
        self.origins += range(self.pos - grown, self.pos)


class _Inline(ParserInline):
    """markdown-it의 문장 판독기에 자리를 더한 것. 규칙은 그대로 씁니다."""

    def tokenize(self, state: _State) -> None:
        rules, end, deepest = self.ruler.getRules(""), state.posMax, state.md.options["maxNesting"]
        if state.tokens and state.tokens[-1].nesting == 1:  # 링크의 글처럼 규칙이 안쪽을 읽으라고 부른 때
            state.tokens[-1].meta["inner"] = (state.pos, end)
        while state.pos < end:
            at, tokens, pending = state.pos, len(state.tokens), len(state.pending)
            for rule in rules if state.level < deepest else ():
                if rule(state, False):
                    break
            else:
                state.pending += state.src[at]
                state.pos = at + 1
            state.note(at, tokens, pending)
        if state.pending:
            state.pushPending()

    def parse(self, src: str, md: MarkdownIt, env, tokens: list) -> list:
        state = _State(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens


@cache
def _markdown() -> MarkdownIt:
    """책의 설정으로 만든 판독기. 덩어리만 나누고, 문장은 쓰는 쪽이 부를 때 읽습니다."""
    config = yaml.safe_load((Path(__file__).resolve().parent.parent / "_config.yml").read_text(encoding="utf-8"))
    md = create_md_parser(MdParserConfig(enable_extensions=config["parse"]["myst_enable_extensions"]), RendererHTML)
    md.core.ruler.enableOnly(["normalize", "block"])
    inline = _Inline()
    inline.ruler, inline.ruler2 = md.inline.ruler, md.inline.ruler2
    inline.ruler.at("footnote_ref", partial(footnote_ref, always_match=True))  # 각주의 글은 다른 토막에 있습니다
    inline.ruler2.disable("fragments_join")
    md.inline = inline
    md.normalizeLink = lambda url: url  # 주소를 적힌 그대로 봅니다
    md.validateLink = lambda url: True
    return md


@dataclass(frozen=True)
class Piece:
    """문장 안의 조각 하나.

    Attributes
    ----------
    kind : str
        text, break, code, math, role, link, address(주소 그대로 적은 것), image, footnote, span, substitution, html.
    start, end : int
        글에서 놓인 자리.
    inner : (int, int)
        역할의 내용, 링크와 span의 글이 놓인 자리. 없으면 (0, 0).
    text : str
        글, 코드, 식, 역할의 내용, 그림의 대체 텍스트, 각주의 이름.
    name : str
        역할의 이름.
    target : str
        링크와 그림의 주소.
    origins : tuple of int
        text이면 글자마다의 자리.
    inside : tuple of Piece
        링크와 span 안의 조각.
    """

    kind: str
    start: int
    end: int
    inner: tuple[int, int] = (0, 0)
    text: str = ""
    name: str = ""
    target: str = ""
    origins: tuple[int, ...] = ()
    inside: tuple["Piece", ...] = ()

    def walk(self) -> Iterator["Piece"]:
        """이 조각과 안의 조각을 차례로."""
        yield self
        for piece in self.inside:
            yield from piece.walk()


_LEAVES = {"softbreak": "break", "hardbreak": "break", "code_inline": "code", "math_inline": "math", "math_inline_double": "math",
           "math_single": "math", "amsmath": "math", "substitution_inline": "substitution", "html_inline": "html"}  # fmt: skip


def pieces(raw: str, references: dict | None = None) -> tuple[Piece, ...]:
    """글 한 토막을 조각으로 나눕니다.

    Parameters
    ----------
    raw : str
        MyST 글. 문단, 제목, 표의 한 줄처럼 덩어리 하나입니다.
    references : dict, optional
        ``[글][이름]``이 가리키는 주소(``Document.references``).
    """
    if not _MARKED.search(raw):
        return (Piece("text", 0, len(raw), text=raw, origins=tuple(range(len(raw)))),) if raw else ()
    stack: list[tuple[object, list[Piece]]] = [(None, [])]
    for token in _markdown().inline.parse(raw, _markdown(), {"references": references or {}}, []):
        here = stack[-1][1]
        if token.type in {"text", "text_special"}:
            if token.content:
                origins = token.meta.get("origins") or [token.meta["span"][1] - 1] * len(token.content)
                _add_text(here, token.content, tuple(origins))
            continue
        if token.type in {"link_open", "span_open"}:
            stack.append((token, []))
        elif token.type in {"link_close", "span_close"}:
            opened, inside = stack.pop()
            kind = "address" if opened.markup == "autolink" else opened.type.removesuffix("_open")
            place = opened.meta.get("inner", (0, 0))
            stack[-1][1].append(
                Piece(kind, *opened.meta["span"], place, target=str(opened.attrs.get("href", "")), inside=tuple(inside))
            )
        elif token.type == "myst_role":
            start, end = token.meta["span"]
            ticks = start + len(token.meta["name"]) + 2
            place = (ticks + (width := _run(raw, ticks, "`")), end - width)
            here.append(Piece("role", start, end, place, token.content, token.meta["name"]))
        elif token.type == "image":
            here.append(Piece("image", *token.meta["span"], text=token.content, target=str(token.attrs["src"])))
        elif token.type == "footnote_ref":
            here.append(Piece("footnote", *token.meta["span"], text=token.meta["label"]))
        elif kind := _LEAVES.get(token.type):
            here.append(Piece(kind, *token.meta["span"], text=token.content))
    return tuple(stack[0][1])


def _add_text(here: list[Piece], text: str, origins: tuple[int, ...]) -> None:
    """글 조각을 더합니다. 바로 앞도 글이면 하나로 잇습니다(판독기는 쓰지 않은 별표마다 끊습니다)."""
    if here and here[-1].kind == "text":
        last = here.pop()
        text, origins = last.text + text, last.origins + origins
    here.append(Piece("text", origins[0], origins[-1] + 1, text=text, origins=origins))


def _run(text: str, at: int, character: str) -> int:
    """``at``부터 같은 글자가 이어진 길이."""
    end = at
    while end < len(text) and text[end] == character:
        end += 1
    return end - at


@dataclass(frozen=True)
class Flat:
    """표시를 걷어 낸 글과, 글자마다 원래 자리."""

    text: str
    offsets: tuple[int, ...]

    def origin(self, index: int) -> int:
        """걷어 낸 글의 ``index``번째 글자가 있던 원래 자리."""
        return self.offsets[min(index, len(self.offsets) - 1)] if self.offsets else 0


def flatten(raw: str) -> Flat:
    """강조·링크·역할을 걷어 내고 읽히는 글만 남깁니다.

    묶인 값은 ``BOUND``, 코드와 수식은 ``OPAQUE`` 한 글자로 바꾸고, 바깥 링크와 각주 자리에는 ``CITED``를 둡니다.
    """
    return _flatten(pieces(raw))


def _flatten(found: tuple[Piece, ...]) -> Flat:
    text, offsets = [], []

    def put(characters: str, places) -> None:
        text.extend(characters)
        offsets.extend(places)

    def walk(piece: Piece) -> None:
        if piece.kind == "text":
            at = 0
            for url in _BARE_URL.finditer(piece.text):
                put(piece.text[at : url.start()], piece.origins[at : url.start()])
                put(OPAQUE + CITED, [piece.origins[url.start()]] * 2)
                at = url.end()
            put(piece.text[at:], piece.origins[at:])
        elif piece.kind == "break":
            put("\n", [piece.start])
        elif piece.kind in {"code", "math", "substitution"}:
            put(OPAQUE, [piece.start])
        elif piece.kind == "address":
            put(OPAQUE + CITED, [piece.start] * 2)
        elif piece.kind == "footnote":
            put(CITED, [piece.start])
        elif piece.kind == "role":
            put(*_shown(piece))
        for inner in piece.inside if piece.kind != "address" else ():
            walk(inner)
        if piece.kind == "link" and piece.target.startswith(("http://", "https://")):
            put(CITED, [piece.end - 1])

    for piece in found:
        walk(piece)
    return Flat("".join(text), tuple(offsets))


def _shown(role: Piece) -> tuple[str, list[int]]:
    """역할이 읽히는 글과 그 자리."""
    family = role.name.partition(":")[0]
    if family in {"glue", "eval"}:
        return BOUND, [role.start]
    if family in {"cite", "footcite", "doi"}:
        return CITED, [role.start]
    if role.name in {"code", "math", "kbd", "file"}:
        return OPAQUE, [role.start]
    named = re.match(r"(.*?)\s*<[^<>]*>\s*$", role.text, re.DOTALL)
    text = named[1] if named else role.text
    return text, list(range(role.inner[0], role.inner[0] + len(text)))


# ── 덩어리 ──


@dataclass(frozen=True)
class Block:
    """글 토막 하나.

    Attributes
    ----------
    kind : str
        heading, paragraph, item, row, title(지시자의 제목), footnote.
    lines : tuple of (int, str)
        (줄 번호, 글). 목록 표시와 들여쓰기는 뗐습니다.
    inside : tuple of str
        바깥에서 안으로 감싼 지시자의 이름.
    section : str
        이 토막이 놓인 ## 제목.
    level : int
        제목의 깊이. 제목이 아니면 0.
    header : tuple of str
        표의 행이면 머리 칸들.
    references : dict
        ``[글][이름]``이 가리키는 주소.
    """

    kind: str
    lines: tuple[tuple[int, str], ...]
    inside: tuple[str, ...] = ()
    section: str = ""
    level: int = 0
    header: tuple[str, ...] = ()
    references: dict = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def raw(self) -> str:
        return "\n".join(text for _, text in self.lines)

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        return pieces(self.raw, self.references)

    @cached_property
    def flat(self) -> Flat:
        return _flatten(self.pieces)

    @property
    def line(self) -> int:
        return self.lines[0][0]

    def line_of(self, place: int) -> int:
        """``raw``의 ``place``번째 글자가 있는 줄 번호."""
        return self.lines[self.raw.count("\n", 0, place)][0]

    def line_at(self, index: int) -> int:
        """걷어 낸 글의 ``index``번째 글자가 있는 줄 번호."""
        return self.line_of(self.flat.origin(index))


@dataclass
class Directive:
    """지시자 하나. ``line``은 여는 줄, ``end``는 닫는 줄, ``first``는 몸통 첫 줄의 번호입니다."""

    name: str
    argument: str
    line: int
    end: int
    first: int
    options: dict
    body: str
    closed: bool
    inside: tuple[str, ...] = ()


_PARSING = threading.Lock()


def parse_code(source: str) -> ast.Module:
    """``ast.parse``를 한 번에 한 스레드에서만 부릅니다.

    파이썬 3.11은 나무를 만드는 깊이를 스레드끼리 나누어 세므로, 두 스레드가 함께 부르면 드물게 SystemError가 납니다
    (python/cpython의 106905번 이슈).

    Raises
    ------
    SyntaxError
        파이썬으로 읽지 못할 때.
    """
    with _PARSING:
        return ast.parse(source)


@dataclass
class Cell:
    """코드 셀 하나. ``line``은 여는 줄, ``first``는 코드 첫 줄의 번호입니다."""

    line: int
    end: int
    first: int
    source: str
    tags: tuple[str, ...]
    metadata: dict

    @cached_property
    def tree(self) -> ast.Module | None:
        """코드의 나무. 파이썬으로 읽지 못하면 None."""
        lines = [re.sub(r"^(\s*)[%!].*", r"\1pass", line) for line in self.source.splitlines()]
        try:
            return parse_code("\n".join(lines))
        except SyntaxError:
            return None

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """나무의 모든 마디(``ast.walk``의 차례). 검사마다 다시 걷지 않습니다. 읽지 못한 셀이면 비어 있습니다."""
        return tuple(ast.walk(self.tree)) if self.tree else ()

    @property
    def alt(self) -> str:
        """그림의 대체 텍스트. 움직여 보는 그림은 ``explore``의 ``alt``입니다. 없으면 빈 글자."""
        for _, call in self.calls("explore"):
            given = next((word.value for word in call.keywords if word.arg == "alt"), None)
            return str(given.value).strip() if isinstance(given, ast.Constant) else ""
        image = (
            (self.metadata.get("mystnb") or {}).get("image") if isinstance(self.metadata.get("mystnb"), dict) else None
        )
        return str((image or {}).get("alt") or "").strip()

    def calls(self, *names: str):
        """이 셀이 부르는 함수 가운데 이름이 ``names``인 것을 (줄 번호, 노드)로 돌려줍니다."""
        for node in self.nodes:
            if isinstance(node, ast.Call):
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                if name in names:
                    yield self.first + node.lineno - 1, node


@dataclass(frozen=True)
class Part:
    """글 토막이 아닌 덩어리.

    Attributes
    ----------
    kind : str
        directive, code, math, html, comment, break(``+++``), target, attributes, footnote, reference,
        definition(정의 목록의 뜻풀이. 글이지만 앞줄의 용어와 짝입니다).
    line, end : int
        첫 줄과 마지막 줄(둘 다 포함).
    directive : Directive, optional
    """

    kind: str
    line: int
    end: int
    directive: Directive | None = None


@dataclass
class Document:
    """읽은 원고. 여럿이 함께 보므로 고치지 않습니다.

    Attributes
    ----------
    blocks : list of Block
        글 토막. 지시자 안의 것까지 적힌 차례입니다.
    cells : list of Cell
        실행되는 코드 셀. 다른 지시자나 목록 안의 code-cell은 실행되지 않으므로 없습니다.
    directives : list of Directive
    parts : list of Part
        가장 바깥의 덩어리. 지시자 안의 것은 그 지시자의 ``body``를 다시 읽어서 봅니다.
    comments : list of (int, str)
        ``%`` 주석의 (줄 번호, 글).
    notes : dict of str to str
        각주의 이름에서 글로.
    references : dict
        ``[이름]: 주소``.
    """

    lines: list[str]
    blocks: list[Block] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    directives: list[Directive] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    comments: list[tuple[int, str]] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    references: dict = field(default_factory=dict)
    targets: set[int] = field(default_factory=set)
    fences: set[int] = field(default_factory=set)
    front_matter_end: int = 0

    def headings(self) -> list[Block]:
        return [b for b in self.blocks if b.kind == "heading"]

    def pieces(self, *kinds: str) -> Iterator[tuple[int, Piece]]:
        """글 속의 조각 가운데 ``kinds``(role, link, image…)를 (줄 번호, 조각)으로 돌려줍니다."""
        for block in self.blocks:
            for piece in block.pieces:
                for found in piece.walk():
                    if found.kind in kinds:
                        yield block.line_of(found.start), found

    def sequence(self) -> Iterator[tuple[int, "Cell | str"]]:
        """노트북의 차례: (첫 줄 번호, 코드 셀 또는 그 사이의 글). 글은 ``+++``에서도 나뉩니다."""
        cells = {cell.line: cell for cell in self.cells}
        cuts = [(part.line, part.end) for part in self.parts if part.line in cells or part.kind == "break"]
        start = self.front_matter_end + 1
        for line, end in [*cuts, (len(self.lines) + 1, 0)]:
            if text := "\n".join(self.lines[start - 1 : line - 1]).strip("\n").rstrip():
                yield start, text
            if line in cells:
                yield line, cells[line]
            start = end + 1

    def front_matter_line(self, key: str) -> int:
        """머리말에서 ``key``가 적힌 줄. 없으면 1."""
        for number, line in enumerate(self.lines[: self.front_matter_end], 1):
            if re.match(rf"{re.escape(key)}\s*:", line):
                return number
        return 1

    def scope_after(self, line: int) -> tuple[int, int]:
        """``line``의 주석이 가리키는 범위: 바로 다음 지시자 전체, 또는 빈 줄까지의 토막.

        지시자 안의 첫 줄에 적은 주석은 그 지시자 전체를 가리킵니다.

        Returns
        -------
        (int, int)
            시작 줄과 끝 줄(둘 다 포함). 바로 다음 줄이 비었으면 (0, -1).
        """
        comments = {number for number, _ in self.comments}
        for directive in self.directives:
            if directive.line < line <= directive.end and all(n in comments for n in range(directive.first, line)):
                return directive.line, directive.end
        start = line + 1
        while start in comments or start in self.targets:
            start += 1
        if start > len(self.lines) or not self.lines[start - 1].strip():
            return 0, -1
        for directive in self.directives:
            if directive.line == start:
                return start, directive.end
        end = start
        while end < len(self.lines) and self.lines[end].strip() and end + 1 not in self.fences:
            end += 1
        return start, end


def split_row(text: str) -> list[tuple[int, str]]:
    """표의 한 줄을 (자리, 칸)으로 나눕니다. 코드 안의 막대와 ``\\|``는 나누지 않고, 빈 칸은 남깁니다."""
    cells, start, depth = [], 0, False
    for i, character in enumerate(text):
        if character == "`":
            depth = not depth
        elif character == "|" and not depth and (i == 0 or text[i - 1] != "\\"):
            cells.append((start, text[start:i]))
            start = i + 1
    cells.append((start, text[start:]))
    outside = {0, len(cells) - 1}  # 맨 앞과 맨 뒤의 막대 바깥
    return [(at, cell) for i, (at, cell) in enumerate(cells) if cell.strip() or i not in outside]


def list_rows(body: str) -> list[list[str]]:
    """``list-table``의 몸통을 행과 칸으로 나눕니다. 칸 안의 문단은 ``<br>``로 잇습니다."""
    rows: list[list[str]] = []
    depth = 0
    for token in _markdown().parse(body):
        if token.type in {"bullet_list_open", "bullet_list_close"}:
            depth += token.nesting
        elif token.type == "list_item_open" and depth == 1:
            rows.append([])
        elif token.type == "list_item_open" and depth == 2:
            rows[-1].append("")
        elif token.type == "inline" and rows and rows[-1]:
            text = " ".join(line.strip() for line in token.content.split("\n"))
            rows[-1][-1] += f"<br> {text}" if rows[-1][-1] else text
    return rows


@lru_cache(maxsize=512)
def parse(text: str) -> Document:
    """원고를 읽습니다. 닫히지 않은 지시자는 끝까지로 봅니다."""
    document = Document(text.split("\n"))
    _Reader(document).read(text)
    return document


class _Reader:
    """토큰을 차례로 보며 ``Document``를 채웁니다."""

    def __init__(self, document: Document):
        self.document = document
        self.section = ""
        self.env: dict = {"references": document.references}

    def read(self, text: str, base: int = 0, inside: tuple[str, ...] = ()) -> None:
        """``text``를 읽습니다. 앞에 줄이 ``base``개 있고, 지시자 ``inside`` 안입니다."""
        known = set(self.document.references)
        tokens = _markdown().parse(text, self.env)
        if not inside:
            new = (self.document.references[label]["map"] for label in self.document.references.keys() - known)
            self.document.parts += [Part("reference", start + 1, end) for start, end in new]
        contexts: list[str] = []  # 다음에 올 문단의 종류(목록의 첫 문단, 각주)
        note = heading = ""
        depth = 0
        header: tuple[str, ...] = ()
        for index, token in enumerate(tokens):
            depth += token.nesting
            line = base + token.map[0] + 1 if token.map else 0
            end = base + token.map[1] if token.map else 0
            if token.type == "inline":
                if tokens[index - 1].type in {"th_open", "td_open"}:
                    continue
                kind = "heading" if heading else contexts[-1] if contexts else "paragraph"
                if kind == "footnote":
                    self.document.notes[note] = " ".join(piece.strip() for piece in token.content.split("\n"))
                self.paragraph(kind, token.content, line, inside, int(heading[1:] or 0))
                if contexts:
                    contexts[-1] = "paragraph"
            elif token.type in {"heading_open", "heading_close"}:
                heading = token.tag if token.nesting == 1 else ""
            elif token.type in {"list_item_open", "dd_open"}:
                contexts.append("item")
                if token.type == "dd_open" and not inside:
                    self.document.parts.append(Part("definition", line, line))
            elif token.type == "footnote_reference_open":
                contexts.append("footnote")
                note = token.meta["label"]
                self.add(Part("footnote", line, end), inside)
            elif token.type in {"list_item_close", "dd_close", "footnote_reference_close"}:
                contexts.pop()
            elif token.type == "thead_open":
                header = tuple(t.content for t in tokens[index : _closing(tokens, index)] if t.type == "inline")
            elif token.type == "tr_open":
                self.block("row", ((line, self.document.lines[line - 1].strip()),), inside, header=header)
            elif token.type == "front_matter":
                self.document.front_matter_end = end
            elif token.type in {"fence", "colon_fence"}:
                self.fence(token, line, end, inside, top=depth == 0 and not inside)
            elif kind := _CODE_TOKENS.get(token.type) or _UNSEEN_TOKENS.get(token.type):
                self.add(Part(kind, line, end), inside)
                if kind == "comment":
                    self.document.comments += [(n, self.document.lines[n - 1].strip()) for n in range(line, end + 1)]
                elif kind == "target":
                    self.document.targets.add(line)
        self.document.parts.sort(key=lambda part: part.line)

    def add(self, part: Part, inside: tuple[str, ...]) -> None:
        if not inside:
            self.document.parts.append(part)

    def block(self, kind: str, lines, inside: tuple[str, ...], level: int = 0, header: tuple[str, ...] = ()) -> None:
        self.document.blocks.append(Block(kind, lines, inside, self.section, level, header, self.document.references))

    def paragraph(self, kind: str, content: str, line: int, inside: tuple[str, ...], level: int) -> None:
        lines = [text.strip() for text in content.split("\n")]
        if kind == "item":
            lines[0] = _TASK.sub("", lines[0], count=1) if _TASK.match(lines[0]) else lines[0]
        if 1 <= level <= 2:
            self.section = content
        self.block(kind, tuple(enumerate(lines, line)), inside, level)

    def fence(self, token, line: int, end: int, inside: tuple[str, ...], top: bool) -> None:
        self.document.fences |= {line, end}
        opening = _OPENING.match(token.info.strip())
        if not opening:
            self.add(Part("code", line, end), inside)
            return
        name, argument = opening[1], opening[2].strip()
        last = self.document.lines[min(end, len(self.document.lines)) - 1].strip("> \t")
        closed = end > line and len(last) >= len(token.markup) and set(last) == {token.markup[0]}
        options, body, offset = _options(token)
        directive = Directive(name, argument, line, end, line + 1 + offset, options, body, closed, inside)
        self.document.directives.append(directive)
        self.add(Part("directive", line, end, directive), inside)
        if name == "code-cell" and top:
            tags = options.get("tags") or []
            tags = [t.strip() for t in tags.strip("[]").split(",")] if isinstance(tags, str) else tags
            self.document.cells.append(Cell(line, end, directive.first, body, tuple(map(str, tags)), options))
        if name in LITERAL:
            return
        if argument and name not in _UNTITLED:
            self.block("title", ((line, argument),), (*inside, name))
        self.read(body, directive.first - 1, (*inside, name))


def _closing(tokens: list, opening: int) -> int:
    """``opening``에서 열린 것이 닫히는 자리."""
    level = tokens[opening].level
    return next(i for i in range(opening + 1, len(tokens)) if tokens[i].level == level and tokens[i].nesting == -1)


def _options(token) -> tuple[dict, str, int]:
    """지시자의 설정, 몸통, 몸통 앞의 줄 수. 코드 셀은 myst-nb처럼 YAML로, 나머지는 Sphinx처럼 글자로 읽습니다."""
    as_yaml = "{code-cell}" in token.info
    nested = token.type == "colon_fence" and token.content.startswith(":::")  # 설정이 아니라 안쪽 지시자의 첫 줄입니다
    try:
        read = parse_directive_text(TestDirective, "", "\n" * nested + token.content, validate_options=not as_yaml)
    except MarkupError:
        return {}, token.content, 0
    options = {key: "" if value is None else value for key, value in read.options.items()}
    return options, "\n".join(read.body), read.body_offset - nested
