"""값싼 검사: 비밀 값, 깨진 링크, 경고를 통째로 끄기, 한국어 글 속의 영어 문장, 베낀 까닭, 되풀이의 횟수."""

import ast
import re
from collections.abc import Iterator

from book.checks.findings import Finding
from book.checks.language import sentences
from book.checks.prose_numbers import EXEMPTION, is_structural, numbers_in
from book.myst import Cell, Document, parse
from book.page import ROOT, Page

# 까닭 앞까지의 꼴은 숫자 허용과 문체 허용이 같습니다.
_REASON = re.compile(r"^%\s*(?:숫자|문체)\s?허용\s*:?\s*(?P<items>.*?)\s*(?:—|–|--?)\s+(?P<reason>.+)$")

SECRETS = {
    "클라우드 열쇠": re.compile(r"\bA(?:KIA|SIA)[A-Z0-9]{16}\b"),
    "GitHub 토큰": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,})"),
    "API 열쇠": re.compile(r"\b(?:sk-[A-Za-z0-9_-]{20,}|AIza[A-Za-z0-9_-]{30,}|xox[abprs]-[A-Za-z0-9-]{10,}|hf_[A-Za-z]{30,})"),
    "개인 열쇠": re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----"),
    "주소 속의 비밀번호": re.compile(r"\b[a-z][a-z0-9+]*://[^\s/:@]+:[^\s/:@{]{3,}@"),
    "비밀 값": re.compile(
        r"(?i)\b(?:password|passwd|secret|token|api_?key|access_?key)\b[\"']?\s*[:=]\s*[\"'](?![\"'{$<])[^\s\"']{8,}[\"']"
    ),
}  # fmt: skip
_BROKEN_LINKS = [
    (re.compile(r"\b(?:https?:/(?!/)|https?//|htt?p?s?;//|htps?://|hhttps?://|ttps?://(?<!https://)(?<!http://))\S*"), "주소의 머리를 https://로 고치세요"),
    (re.compile(r"\bhttps?:///\S*"), "빗금을 둘로 고치세요"),
    (re.compile(r"\bhttps?://(?!localhost|127\.)[^\s/.)>\"'`]*(?=[/\s)>\"'`]|$)"), "주소의 나머지를 적으세요"),
    (re.compile(r"\]\s?\(\s*\)"), "괄호 안에 주소를 적으세요"),
    (re.compile(r"(?<!`)\[[^\]\[`\n]+\]\s+\((?:https?:|\.{0,2}/)[^)\s]*\)"), "글과 주소 사이를 붙이세요"),
    (re.compile(r"\]\(www\.[^)]*\)"), "앞에 https://를 붙이세요"),
    (re.compile(r"\]\((?![^)\s]*archive)[^)\s]*https?://[^)\s]*https?://[^)\s]*\)"), "주소 하나만 남기세요"),
]  # fmt: skip
_ENGLISH = re.compile(r"\b(?:the|a|an|is|are|was|of|and|to|in|for|this|that|we|with|on|it|as|by|from|not)\b")
_COUNTED = re.compile(r"\s?(?:번(?![째호\s]*[을은이]?\s*(?:문제|질문))|벌)(?!째)")
_REPEATS = re.compile(r"draw|rep|round|times|trial|run|boot|sim|perm|seed|world|iter|steps|look|size|^n$|^k$|^[BRM]$|count", re.IGNORECASE)  # fmt: skip
FEWEST = 20  # 이보다 작은 번수는 되풀이가 아니라 이야기일 때가 많습니다


def check(page: Page, document: Document | None = None) -> list[Finding]:
    """쪽 하나를 값싼 검사들로 봅니다.

    Parameters
    ----------
    page : Page
    document : Document
        읽은 원고. 주지 않으면 새로 읽습니다.
    """
    document = document or parse(page.text)
    path = page.path.relative_to(ROOT).as_posix()
    found = [
        Finding(path, line, f"{name}처럼 보이는 글자가 있습니다 — 지우고, 쓰던 것이면 폐기하세요.", "secret")
        for line, name in secrets(page.text)
    ]
    found += _links(path, document) + _english(path, document) + _repeats(path, document)
    for cell in document.cells:
        found += _silenced(path, cell)
    found += [
        Finding(path, line, message, "exemption") for where, line, message in copied_reasons([page]) if where == page
    ]
    return sorted(found)


def secrets(text: str) -> list[tuple[int, str]]:
    """글에서 비밀 값처럼 보이는 것을 (줄 번호, 무엇)으로 돌려줍니다."""
    return [
        (text.count("\n", 0, match.start()) + 1, name)
        for name, pattern in SECRETS.items()
        for match in pattern.finditer(text)
    ]


def _prose_lines(document: Document) -> Iterator[tuple[int, str]]:
    """코드와 코드 조각을 뺀 원고의 줄."""
    code = {n for cell in document.cells for n in range(cell.line, cell.end + 1)}
    code |= {n for part in document.parts if part.kind == "code" for n in range(part.line, part.end + 1)}
    for number, line in enumerate(document.lines, 1):
        if number not in code:
            yield number, re.sub(r"(`+)[^`]*\1", lambda m: "`" * len(m.group()), line)


def _links(path: str, document: Document) -> list[Finding]:
    found = []
    for number, line in _prose_lines(document):
        for pattern, cure in _BROKEN_LINKS:
            if match := pattern.search(line):
                message = f"링크가 깨져 있습니다: '{match.group().strip()[:60]}' — {cure}."
                found.append(Finding(path, number, message, "link"))
                break
    return found


def _english(path: str, document: Document) -> list[Finding]:
    found = []
    for block in document.blocks:
        if block.kind not in {"paragraph", "item", "row"}:
            continue
        text = re.sub(r"[\"“‘'(][^\"”’')가-힣]*[\"”’')]", " ", block.flat.text)  # 옮겨 온 말과 괄호 안의 영어
        for _, sentence in sentences(text):
            for clause in re.split(r"[가-힣]+|[|·]", sentence):
                words = re.findall(r"(?<![\w/.-])[A-Za-z][a-z']*(?![\w/]|-\w)", clause)
                least = 2 if re.search(r"[가-힣]", sentence) else 0  # 통째로 영어인 문장은 더 쉽게 알아봅니다
                if len(words) >= 5 and len(_ENGLISH.findall(clause.lower())) >= least and "\ue002" not in sentence:
                    message = f"영어 문장이 남아 있습니다: '{' '.join(clause.split())[:50]}' — 한국어로 옮기거나 따옴표로 인용하세요."
                    found.append(Finding(path, block.line, message, "english"))
                    break
    return found


def _silenced(path: str, cell: Cell) -> list[Finding]:
    """경고를 통째로 끄는 코드. 무엇을 끄는지(message)를 적은 것은 괜찮습니다."""
    found = []

    def add(line: int, what: str, cure: str) -> None:
        found.append(Finding(path, line, f"{what} — {cure}.", "warnings"))

    for line, call in cell.calls("filterwarnings", "simplefilter", "catch_warnings", "seterr", "errstate", "disable"):
        name = ast.unparse(call.func)
        values = [ast.unparse(a) for a in call.args] + [ast.unparse(k.value) for k in call.keywords]
        keys = {k.arg for k in call.keywords}
        quiet = "'ignore'" in values
        if name.endswith(("filterwarnings", "simplefilter", "catch_warnings")) and quiet:
            if name.endswith("filterwarnings") and (len(call.args) > 1 or "message" in keys):
                if ast.unparse(
                    next(
                        (k.value for k in call.keywords if k.arg == "message"),
                        (call.args + [None])[min(1, len(call.args))] or ast.Constant(""),
                    )
                ).strip("'\"r") not in {"", ".*"}:
                    continue
            add(
                line,
                "경고를 통째로 끕니다",
                'warnings.filterwarnings("ignore", message="그 경고의 글")로 하나만 끄고 까닭을 주석에 적으세요',
            )
        elif name.endswith(("seterr", "errstate")) and any(
            k.arg == "all" and ast.unparse(k.value) == "'ignore'" for k in call.keywords
        ):
            add(line, f"{name}가 계산의 경고를 통째로 끕니다", 'divide="ignore"처럼 하나만 끄고 까닭을 주석에 적으세요')
        elif name == "logging.disable":
            add(line, "기록을 통째로 끕니다", "그 라이브러리의 기록 하나만 끄세요")
    for number, text in enumerate(cell.source.split("\n"), cell.first):
        if re.match(r"\s*%%?capture\b|.*2>\s*/dev/null", text):
            add(number, "셀의 출력을 통째로 버립니다", "버릴 것이 있으면 그것만 끄세요")
    return found


def copied_reasons(pages: list[Page]) -> list[tuple[Page, int, str]]:
    """다른 숫자를 허용하면서 글자까지 같은 까닭: (쪽, 줄 번호, 메시지). 베낀 까닭은 이 숫자를 말하지 않습니다.

    같은 숫자를 같은 쪽에서 다시 허용하는 것은 괜찮습니다.
    """
    found, first = [], {}
    for page in pages:
        for number, line in enumerate(page.text.split("\n"), 1):
            match = _REASON.match(line)
            if not match:
                continue
            reason = " ".join(match["reason"].split()).rstrip(".")
            where = (page.docname, frozenset(re.split(r",\s+", match["items"])))
            known = first.setdefault(reason, (page, number, where))
            same = known[2][0] == where[0] and bool(known[2][1] & where[1] or where[1] == {""})
            if not same and (known[0].docname, known[1]) != (page.docname, number):
                message = f"'{reason[:30]}'은(는) {known[0].docname}.md:{known[1]}에서 베낀 까닭입니다 — 이 자리의 까닭을 적으세요."
                found.append((page, number, message))
    return found


# ── 되풀이의 횟수 ──


def _constants(document: Document) -> dict[str, set[int]]:
    """쪽에서 정수 하나를 받는 이름 → 그 값들(함수의 기본값도)."""
    found: dict[str, set[int]] = {}

    def add(name: str, value) -> None:
        if isinstance(value, ast.Constant) and isinstance(value.value, int) and not isinstance(value.value, bool):
            found.setdefault(name, set()).add(value.value)

    for node in (n for cell in document.cells for n in cell.nodes):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    add(target.id, node.value)
                elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    for one, value in zip(target.elts, node.value.elts, strict=False):
                        add(getattr(one, "id", ""), value)
        elif isinstance(node, ast.FunctionDef):
            names = [a.arg for a in [*node.args.posonlyargs, *node.args.args]]
            for name, value in zip(reversed(names), reversed(node.args.defaults), strict=False):
                add(name, value)
            for one, value in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
                add(one.arg, value)
        elif isinstance(node, ast.keyword) and node.arg and _REPEATS.search(node.arg):
            add(node.arg, node.value)
    return found


def repeats(document: Document) -> dict[str, set[int]]:
    """절(##)마다 코드가 되풀이하는 횟수: ``range``의 인자, 되풀이를 뜻하는 이름과 인자, 배열의 크기."""
    sections = [(b.line, b.raw) for b in document.headings() if b.level <= 2]
    known = _constants(document)
    found: dict[str, set[int]] = {}

    def numbers(node) -> set[int]:
        if isinstance(node, ast.Constant) and isinstance(node.value, int):
            return {node.value}
        if isinstance(node, ast.Name):
            return known.get(node.id, set())
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub, ast.Mult)):
            return numbers(node.left) | numbers(node.right)
        return set().union(*map(numbers, node.elts)) if isinstance(node, (ast.Tuple, ast.List)) else set()

    for cell in document.cells:
        section = next((title for line, title in reversed(sections) if line < cell.line), "")
        here = found.setdefault(section, set())
        for node in cell.nodes:
            if isinstance(node, ast.Call):
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                counted = [k.value for k in node.keywords if k.arg and _REPEATS.search(k.arg)]
                if name in {
                    "range",
                    "arange",
                    "linspace",
                    "spawn",
                    "zeros",
                    "empty",
                    "full",
                    "normal",
                    "choice",
                    "integers",
                }:
                    counted += node.args
                else:  # 쪽의 함수에 되풀이를 넘기는 자리
                    counted += [a for a in node.args if isinstance(a, (ast.Constant, ast.Name))]
                here |= set().union(*map(numbers, counted)) if counted else set()
            elif isinstance(node, ast.Slice):
                here |= numbers(node.upper)
            elif isinstance(node, (ast.Assign, ast.FunctionDef)):
                if isinstance(node, ast.FunctionDef):
                    names = [a.arg for a in [*node.args.args, *node.args.kwonlyargs]]
                else:
                    names = [n.id for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name)]
                here |= set().union(*(known.get(n, set()) for n in names if _REPEATS.search(n)), set())
    return found


def _repeats(path: str, document: Document) -> list[Finding]:
    """'300번 되풀이'의 300은 그 절의 코드가 되풀이하는 횟수여야 합니다. 다른 데 쓰인 300은 까닭이 되지 못합니다."""
    known, found = repeats(document), []
    exempt = {
        n for line, c in document.comments if EXEMPTION.match(c) for n in range(*_inclusive(document.scope_after(line)))
    }
    for block in document.blocks:
        if block.kind == "footnote" or block.line in exempt or block.section not in known:
            continue
        text = block.flat.text
        for at, sentence in sentences(text):
            if "\ue002" in sentence:
                continue
            for start, end, number in numbers_in(sentence):
                if number.count(".") > 1:  # 버전 번호
                    continue
                value = float(number.replace(",", ""))
                if value < FEWEST or value != int(value) or not _COUNTED.match(sentence, end):
                    continue
                if is_structural(sentence, start, end, number) or int(value) in known[block.section]:
                    continue
                if re.search(r"\d절", sentence) and int(value) in set().union(*known.values()):
                    continue  # 다른 절의 되풀이를 이름으로 부른 것
                near = sorted(n for n in known[block.section] if n >= FEWEST)
                message = f"본문은 {number}번이라는데 이 절의 코드는 그만큼 되풀이하지 않습니다(코드의 횟수: {', '.join(map(str, near)) or '없음'})"
                found.append(
                    Finding(path, block.line_at(at + start), f"{message} — 코드의 횟수와 맞추세요.", "repeats")
                )
    return found


def _inclusive(scope: tuple[int, int]) -> tuple[int, int]:
    return scope[0], scope[1] + 1
