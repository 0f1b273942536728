"""MyST 원고를 글 토막, 코드 셀, 지시자로 나눕니다. 줄 번호를 잃지 않습니다.

검사에 필요한 만큼만 읽는 작은 판독기입니다. 책을 만드는 판독기(myst-parser)는 문단 안의 줄 번호와
`%` 주석을 남기지 않아 쓰지 못합니다.
"""

import ast
import re
from dataclasses import dataclass, field
from functools import cached_property

import yaml

# 바뀐 자리를 나타내는 글자(유니코드 사용자 영역). 원고에는 나오지 않습니다.
BOUND, OPAQUE, CITED = "\ue000", "\ue001", "\ue002"

# 안에 글이 들어 있지 않은 지시자. 나머지는 모두 안의 글까지 읽습니다.
LITERAL = {
    "code-cell", "code-block", "code", "sourcecode", "math", "raw", "mermaid", "literalinclude", "include", "toctree",
    "bibliography", "image", "eval-rst", "glossary", "weekly-table", "book-glossary", "case-gallery", "data-cards",
    "build-report", "highlight", "parsed-literal", "only", "doctest", "tableofcontents",
}  # fmt: skip

_FENCE = re.compile(r"^(\s*)(`{3,}|~{3,}|:{3,})\s*(?:\{([^}]+)\})?\s*(.*?)\s*$")
_HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*\s*$")
_ITEM = re.compile(r"^(\s*)(?:[-*+]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?")
_FOOTNOTE = re.compile(r"^\[\^[^\]]+\]:\s*")
_DEFINITION = re.compile(r"^:\s+")
_TARGET = re.compile(r"^\(([^)\s]+)\)=\s*$")
_CODE_SPAN = re.compile(r"(?P<role>\{[a-zA-Z][\w:+-]*\}(`+).+?(?<!`)\2(?!`))|(?<!`)(?P<tick>`+)(?!`).*?(?<!`)(?P=tick)(?!`)")
_OPTION = re.compile(r"^\s*:([\w-]+):\s*(.*)$")
_INLINE = re.compile(
    r"""(?P<escape>\\[\\`*_{}\[\]$|\#~<>!-])
      | (?P<comment><!--.*?-->)
      | \{(?P<role>[a-zA-Z][\w:+-]*)\}(?P<tick1>`+)(?P<content>.+?)(?P=tick1)(?!`)
      | (?P<tick2>`+)(?P<code>.+?)(?P=tick2)(?!`)
      | !\[[^\]]*\]\([^)]*\)(?P<image>)
      | (?P<footnote>\[\^[^\]]+\])
      | \[(?P<label>(?:[^\[\]]|\[[^\[\]]*\])*)\]\((?P<url><[^>]*>|(?:[^()\s]|\([^()]*\))*)(?:\s+"[^"]*")?\)
      | (?P<auto><?https?://[^\s>)가-힣]+>?)
      | (?P<math>\$\$.+?\$\$|\$[^$\s](?:[^$]*[^$\s])?\$)
      | (?P<substitution>\{\{.*?\}\})
      | (?P<attribute>\{[.\#][^}]*\})
      | (?P<tag></?[a-zA-Z][^<>]*>)
      | (?P<emphasis>\*{1,3}(?=\S)|(?<=\S)\*{1,3}|~~)""",
    re.VERBOSE | re.DOTALL,
)


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
    text, offsets = [], []

    def put(characters: str, start: int, step: int = 1) -> None:
        for i, character in enumerate(characters):
            text.append(character)
            offsets.append(start + i * step)

    def walk(piece: str, base: int) -> None:
        at = 0
        for match in _INLINE.finditer(piece):
            put(piece[at : match.start()], base + at)
            where, at = base + match.start(), match.end()
            if match["escape"]:
                put(match["escape"][1], where + 1)
            elif match["role"]:
                _role(match, where, base)
            elif match["code"] or match["math"] or match["substitution"]:
                put(OPAQUE, where)
            elif match["footnote"]:
                put(CITED, where)
            elif match["url"] is not None:
                walk(match["label"], base + match.start("label"))
                if re.match(r"<?https?://", match["url"]):
                    put(CITED, base + match.end() - 1)
            elif match["auto"]:
                put(OPAQUE + CITED, where, 0)
        put(piece[at:], base + at)

    def _role(match, where: int, base: int) -> None:
        role, content = match["role"], match["content"]
        if role == "eval" or role.startswith("glue"):
            put(BOUND, where)
        elif role in {"cite", "cite:t", "cite:p", "footcite", "doi"}:
            put(CITED, where)
        elif role in {"code", "math", "kbd", "file"}:
            put(OPAQUE, where)
        else:
            shown = re.match(r"(.*?)\s*<[^<>]*>\s*$", content, re.DOTALL)
            put(shown[1] if shown else content, base + match.start("content"))

    walk(raw, 0)
    return Flat("".join(text), tuple(offsets))


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
    """

    kind: str
    lines: tuple[tuple[int, str], ...]
    inside: tuple[str, ...] = ()
    section: str = ""
    level: int = 0
    header: tuple[str, ...] = ()

    @cached_property
    def raw(self) -> str:
        return "\n".join(text for _, text in self.lines)

    @cached_property
    def flat(self) -> Flat:
        return flatten(self.raw)

    @property
    def line(self) -> int:
        return self.lines[0][0]

    def line_at(self, index: int) -> int:
        """걷어 낸 글의 ``index``번째 글자가 있는 줄 번호."""
        return self.lines[self.raw.count("\n", 0, self.flat.origin(index))][0]


@dataclass
class Directive:
    """지시자 하나. ``end``는 닫는 줄의 번호입니다."""

    name: str
    argument: str
    line: int
    end: int = 0
    options: dict = field(default_factory=dict)
    inside: tuple[str, ...] = ()


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
            return ast.parse("\n".join(lines))
        except SyntaxError:
            return None

    @property
    def alt(self) -> str:
        """그림의 대체 텍스트. 없으면 빈 글자."""
        image = (self.metadata.get("mystnb") or {}).get("image") if isinstance(self.metadata.get("mystnb"), dict) else None
        return str((image or {}).get("alt") or "").strip()

    def calls(self, *names: str):
        """이 셀이 부르는 함수 가운데 이름이 ``names``인 것을 (줄 번호, 노드)로 돌려줍니다."""
        for node in ast.walk(self.tree) if self.tree else ():
            if isinstance(node, ast.Call):
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                if name in names:
                    yield self.first + node.lineno - 1, node


@dataclass
class Document:
    """읽은 원고."""

    lines: list[str]
    blocks: list[Block] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    directives: list[Directive] = field(default_factory=list)
    comments: list[tuple[int, str]] = field(default_factory=list)
    literal: set[int] = field(default_factory=set)
    front_matter_end: int = 0

    def prose_lines(self):
        """머리말, 코드, 주석을 뺀 줄을 (줄 번호, 글)로 돌려줍니다. 문장 속의 코드 조각은 지웁니다."""
        for number, line in enumerate(self.lines, 1):
            if number > self.front_matter_end and number not in self.literal and not line.lstrip().startswith("%"):
                yield number, _CODE_SPAN.sub(lambda m: m["role"] or "", line)

    def headings(self) -> list[Block]:
        return [b for b in self.blocks if b.kind == "heading"]

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
        for directive in self.directives:
            between = self.lines[directive.line : line - 1]
            if directive.line < line <= directive.end and all(t.lstrip().startswith(("%", ":")) for t in between):
                return directive.line, directive.end
        start = line + 1
        while start <= len(self.lines) and (
            self.lines[start - 1].lstrip().startswith("%") or _TARGET.match(self.lines[start - 1].strip())
        ):
            start += 1
        if start > len(self.lines) or not self.lines[start - 1].strip():
            return 0, -1
        for directive in self.directives:
            if directive.line == start:
                return start, directive.end
        end = start
        while end < len(self.lines) and self.lines[end].strip() and not _FENCE.match(self.lines[end]):
            end += 1
        return start, end


def split_row(text: str) -> list[tuple[int, str]]:
    """표의 한 줄을 (자리, 칸)으로 나눕니다. 코드 안의 막대와 ``\\|``는 나누지 않습니다."""
    cells, start, depth = [], 0, False
    for i, character in enumerate(text):
        if character == "`":
            depth = not depth
        elif character == "|" and not depth and (i == 0 or text[i - 1] != "\\"):
            cells.append((start, text[start:i]))
            start = i + 1
    cells.append((start, text[start:]))
    return [(at, cell) for at, cell in cells if cell.strip()]


def parse(text: str) -> Document:
    """원고를 읽습니다. 닫히지 않은 지시자는 끝까지로 봅니다."""
    document = Document(text.split("\n"))
    _Parser(document).run()
    return document


class _Parser:
    def __init__(self, document: Document):
        self.document = document
        self.stack: list[tuple[str, int, Directive | None]] = []  # (울타리 글자, 길이, 지시자)
        self.pending: list[tuple[int, str]] = []
        self.kind = "paragraph"
        self.section = ""
        self.header: tuple[str, ...] = ()
        self.options_open = False

    def flush(self) -> None:
        if self.pending:
            inside = tuple(d.name for _, _, d in self.stack if d)
            header = self.header if self.kind == "row" else ()
            self.document.blocks.append(Block(self.kind, tuple(self.pending), inside, self.section, 0, header))
        self.pending, self.kind = [], "paragraph"

    def run(self) -> None:
        lines = self.document.lines
        index = 0
        if lines and lines[0].strip() == "---":
            closing = next((i for i in range(1, len(lines)) if lines[i].strip() == "---"), 0)
            index = closing + 1 if closing else 0
            self.document.front_matter_end = index
        while index < len(lines):
            index = self.line(index)
        self.flush()
        for _, _, directive in self.stack:
            if directive:
                directive.end = len(lines)

    def line(self, index: int) -> int:
        lines, number = self.document.lines, index + 1
        line = lines[index]
        bare = line.strip()
        if fence := _FENCE.match(line):
            _, marks, name, argument = fence.groups()
            if self.stack and not name and not argument and self.stack[-1][0] == marks[0] and len(marks) >= self.stack[-1][1]:
                self.flush()
                self.options_open = False
                if directive := self.stack.pop()[2]:
                    directive.end = number
                return index + 1
            if name or marks[0] != ":":
                return self.open(index, marks, name, argument)
        if self.options_open:
            if option := _OPTION.match(line):
                self.stack[-1][2].options[option[1]] = option[2]
                return index + 1
            self.options_open = False
            if bare == "---":
                closing = next((i for i in range(index + 1, len(lines)) if lines[i].strip() == "---"), index)
                self.stack[-1][2].options |= _mapping(lines[index + 1 : closing])
                return closing + 1
        if bare.startswith("%"):
            if self.kind != "row":
                self.flush()
            self.document.comments.append((number, bare))
        elif not bare or bare == "+++" or _TARGET.match(bare) or re.fullmatch(r"\{[.#][^}]*\}|-{3,}|\*{3,}", bare):
            self.flush()
            self.header = ()
        elif bare.startswith("<!--"):
            self.flush()
            while index < len(lines) and "-->" not in lines[index]:
                index += 1
        elif bare.startswith("$$") or bare.startswith(r"\begin{"):
            self.flush()
            return self.skip_mathematics(index, bare)
        elif heading := _HEADING.match(line):
            self.flush()
            level = len(heading[1])
            if level <= 2:
                self.section = heading[2]
            inside = tuple(d.name for _, _, d in self.stack if d)
            self.document.blocks.append(Block("heading", ((number, heading[2]),), inside, self.section, level))
        elif bare.startswith("|"):
            self.table_row(number, bare)
        else:
            self.text(number, line)
        return index + 1

    def text(self, number: int, line: str) -> None:
        for pattern, kind in ((_ITEM, "item"), (_FOOTNOTE, "footnote"), (_DEFINITION, "item")):
            if match := pattern.match(line):
                self.flush()
                self.kind = kind
                self.pending.append((number, line[match.end() :].rstrip()))
                return
        if self.kind == "row":
            self.flush()
        self.pending.append((number, re.sub(r"^\s*(?:>\s?)*", "", line).rstrip()))

    def table_row(self, number: int, bare: str) -> None:
        if not (self.pending and self.kind == "row"):
            self.flush()
        if re.fullmatch(r"[|:\-\s]+", bare):
            return
        if not self.header:
            self.header = tuple(cell.strip() for _, cell in split_row(bare))
        self.flush()
        self.kind = "row"
        self.pending.append((number, bare))

    def skip_mathematics(self, index: int, bare: str) -> int:
        lines = self.document.lines
        if bare.startswith("$$"):
            if bare.count("$$") >= 2:
                return index + 1
            closes = lambda line: "$$" in line  # noqa: E731
        else:
            environment = bare[len(r"\begin{") :].split("}")[0]
            closes = lambda line: rf"\end{{{environment}}}" in line  # noqa: E731
            if closes(bare):
                return index + 1
        for i in range(index + 1, len(lines)):
            if closes(lines[i]):
                return i + 1
        return len(lines)

    def open(self, index: int, marks: str, name: str | None, argument: str) -> int:
        self.flush()
        lines, number = self.document.lines, index + 1
        if name and name not in LITERAL:
            inside = tuple(d.name for _, _, d in self.stack if d)
            directive = Directive(name, argument, number, inside=inside)
            self.document.directives.append(directive)
            self.stack.append((marks[0], len(marks), directive))
            self.options_open = True
            if argument and name not in {"figure", "grid", "tab-set", "list-table", "csv-table"}:
                self.document.blocks.append(Block("title", ((number, argument),), (*inside, name), self.section))
            return index + 1
        closing = next(
            (i for i in range(index + 1, len(lines)) if re.fullmatch(rf"\s*{re.escape(marks[0])}{{{len(marks)},}}\s*", lines[i])), len(lines)
        )
        body = lines[index + 1 : closing]
        self.document.literal.update(range(number, closing + 2))
        if name:
            options, used = _options(body)
            inside = tuple(d.name for _, _, d in self.stack if d)
            self.document.directives.append(Directive(name, argument, number, closing + 1, options, inside))
            if name == "code-cell":
                tags = options.get("tags") or []
                tags = [t.strip() for t in tags.strip("[]").split(",")] if isinstance(tags, str) else tags
                source = "\n".join(body[used:])
                self.document.cells.append(
                    Cell(number, closing + 1, number + 1 + used, source, tuple(str(t) for t in tags), options)
                )
        return closing + 1


def _mapping(lines: list[str]) -> dict:
    try:
        read = yaml.safe_load("\n".join(lines))
    except yaml.YAMLError:
        return {}
    return read if isinstance(read, dict) else {}


def _options(body: list[str]) -> tuple[dict, int]:
    """지시자 몸통 앞머리의 옵션과, 옵션이 차지한 줄 수."""
    if body and body[0].strip() == "---":
        closing = next((i for i in range(1, len(body)) if body[i].strip() == "---"), 0)
        return (_mapping(body[1:closing]), closing + 1) if closing else ({}, 0)
    options, used = {}, 0
    for line in body:
        match = _OPTION.match(line)
        if not match:
            break
        options |= {match[1]: _mapping([f"{match[1]}: {match[2]}"]).get(match[1], match[2])}
        used += 1
    return options, used
