"""이름표 검사: 값 앞에 적은 이름과 값을 부른 이름이 같은지. 값은 계산한 것이어도 다른 줄의 값일 수 있습니다.

이름표는 쪽의 코드에서 얻습니다. ``plr["게임"]``의 열쇠 '게임', ``{"매칭": matched}``에서 matched의 이름 '매칭'이 그것입니다.
값 앞의 글이 같은 무리의 **다른** 이름표만 말하면 값이 뒤바뀐 것입니다.
"""

import ast
import re
from collections.abc import Iterator

from book import values
from book.checks.claims import Code
from book.checks.findings import Finding
from book.myst import Block, Document, parse, split_row
from book.page import ROOT, Page

WINDOW = 16  # 값 앞에서 이름표를 찾는 글자 수
# 이 책이 값에 붙이는 이름의 뜻: (변수나 속성의 이름, 글의 말)
MEANINGS = {
    "편향": (r"bias(?:es)?", r"편향(?:은|이|의 평균은)?\s?$"),
    "포함률": (r"cover(?:age)?(?:_\w+)?|\w+_cover", r"포함률(?:은|이)?\s?$"),
    "추정값": (r"estimate|effect|att|ate|late|aipw|ipw", r"(?:추정값|추정)(?:은|이)?\s?$"),
    "정답": (r"truth|answer(?:_key)?|true_\w+|known|ATE|ATT", r"정답(?:은|이)?\s?$"),
    "단순 비교": (r"naive(?:_\w+)?", r"단순 (?:비교|차이)(?:는|가)?\s?$"),
    "표준오차": (r"se|\w+_se|error|\w+_error|coverage_error|bias_error", r"(?:표준오차|몬테카를로 오차)(?:는|가)?\s?$"),
}
_ROLE = re.compile(r"\{(?P<kind>eval|glue:text)\}`(?P<raw>[^`]+)`")
_FLIPPED = re.compile(r"\{eval\}`(?P<raw>-(?![\d.])[^`]+)`[^.`{]{0,8}?(?P<word>늘|벌|더\s|높|오르|올랐|올라)")
_CLAUSE = re.compile(r"[.,;:?!·()\[\]|]|(?<=[고며만])\s")


def check(page: Page, document: Document | None = None) -> list[Finding]:
    """쪽 하나에서 이름표와 값이 어긋난 곳, 같은 값을 두 줄에 적은 곳을 찾습니다.

    Parameters
    ----------
    page : Page
    document : Document
        읽은 원고. 주지 않으면 새로 읽습니다.
    """
    document = document or parse(page.text)
    path = page.path.relative_to(ROOT).as_posix()
    found = [*_mislabelled(document), *_miscalled(document), *_repeated(document), *_flipped(document)]
    return sorted({Finding(path, line, message, "label") for line, message in found})


def families(document: Document) -> list[dict[str, set[str]]]:
    """이름표의 무리마다 (이름표 → 그 값을 부르는 식의 조각). 조각은 변수 이름이거나 ``변수[열쇠]``의 열쇠입니다."""
    found, keys = [], {}
    for expression in _expressions(document):
        for base, key in _keys(expression):
            keys.setdefault(base, {}).setdefault(key, set()).add(f"{base}[{key}]")
    found += [family for family in keys.values() if len(family) > 1]
    for values_ in Code(document).assigned.values():
        for value in values_:
            if isinstance(value, ast.Dict):
                row = {
                    key.value: {node.id}
                    for key, node in zip(value.keys, value.values, strict=True)
                    if isinstance(key, ast.Constant) and isinstance(key.value, str) and isinstance(node, ast.Name)
                }
                if len(row) > 1 and all(re.search(r"[가-힣A-Z]", k) for k in row):
                    found.append(row)
    return found


def _expressions(document: Document) -> Iterator[ast.AST]:
    for _, role in document.pieces("role"):
        if role.name == "eval":
            try:
                yield ast.parse(values.split(role.text)[0], mode="eval")
            except SyntaxError:
                continue


def _keys(tree: ast.AST) -> set[tuple[str, str]]:
    """식에서 (변수, 한국어 열쇠)."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript):
            base = node.value
            while isinstance(base, (ast.Attribute, ast.Subscript)):
                base = base.value
            texts = [n.value for n in ast.walk(node.slice) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
            if isinstance(base, ast.Name) and len(texts) == 1 and re.search("[가-힣]", texts[0]):
                found.add((base.id, texts[0]))
    return found


def _mislabelled(document: Document) -> Iterator[tuple[int, str]]:
    known = families(document)
    for block in document.blocks:
        for raw, before in _values(block):
            try:
                tree = ast.parse(values.split(raw)[0], mode="eval")
            except SyntaxError:
                continue
            own = _parts(tree)
            beside = (
                {part for other in _ROLE.finditer(block.raw) for part in _parts_of(other["raw"])}
                if block.kind == "row"
                else set()
            )
            for family in known:
                mine = {label for label, parts in family.items() if parts & own}
                said = {label for label in family if _says(before, label)}
                if any(family[label] & beside for label in said):
                    continue  # 같은 줄에서 견주는 값
                if len(mine) == 1 and said and not mine & said:
                    if any(set(a.split()) & set(b.split()) or a in b or b in a for a in mine for b in said):
                        continue
                    yield (
                        block.line_at(0),
                        f"'{before.strip()[-14:]}' 뒤에 '{next(iter(mine))}'의 값 {{eval}}`{raw}`을(를) 적었습니다 — 이름과 값 가운데 틀린 쪽을 고치세요.",
                    )
                    break


def _miscalled(document: Document) -> Iterator[tuple[int, str]]:
    """'편향은' 뒤에 추정값을 적듯이, 값의 이름과 바로 앞의 말이 서로 다른 뜻인 곳."""
    for block in document.blocks:
        if block.kind == "row":
            continue
        for raw, before in _values(block):
            try:
                inner = _bare(ast.parse(values.split(raw)[0], mode="eval").body)
            except SyntaxError:
                continue
            name = inner.attr if isinstance(inner, ast.Attribute) else inner.id if isinstance(inner, ast.Name) else ""
            is_ = {key for key, (names, _) in MEANINGS.items() if name and re.fullmatch(names, name)}
            said = {key for key, (_, words) in MEANINGS.items() if re.search(words, before.rstrip(" *"))}
            if is_ and said and not is_ & said:
                yield (
                    block.line_at(0),
                    f"'{before.strip()[-10:]}' 뒤에 {'·'.join(sorted(is_))}인 {{eval}}`{raw}`을(를) 적었습니다 — 이름과 값 가운데 틀린 쪽을 고치세요.",
                )


def _flipped(document: Document) -> Iterator[tuple[int, str]]:
    """부호를 바꾼 값(``-x``) 바로 뒤에서 늘거나 번다고 말하는 곳. 부호는 '줄었다, 잃었다'고 말하려고 바꿉니다."""
    for block in document.blocks:
        for match in _FLIPPED.finditer(block.raw):
            yield (
                block.line_at(0),
                f"부호를 바꾼 {{eval}}`{match['raw']}` 뒤에서 '{match['word'].strip()}'이라고 말합니다 — 부호나 방향의 말 가운데 틀린 쪽을 고치세요.",
            )


def _parts(tree: ast.Expression) -> set[str]:
    """식이 부르는 값의 조각: ``변수[열쇠]``와, 부호와 배수를 걷어 낸 변수 이름."""
    inner = _bare(tree.body)
    return {f"{base}[{key}]" for base, key in _keys(tree)} | ({inner.id} if isinstance(inner, ast.Name) else set())


def _parts_of(raw: str) -> set[str]:
    try:
        return _parts(ast.parse(values.split(raw)[0], mode="eval"))
    except SyntaxError:
        return set()


def _bare(node: ast.expr) -> ast.expr:
    """``100 * -att``의 ``att``: 부호와 곱한 수를 걷어 낸 것."""
    while True:
        if isinstance(node, ast.UnaryOp):
            node = node.operand
        elif isinstance(node, ast.BinOp) and isinstance(node.left, ast.Constant):
            node = node.right
        elif (
            isinstance(node, ast.Subscript)
            and isinstance(node.slice, ast.Constant)
            and isinstance(node.slice.value, int)
        ):
            node = node.value
        else:
            return node


def _says(text: str, label: str) -> bool:
    return bool(re.search(rf"(?<![가-힣A-Za-z]){re.escape(label)}(?![A-Za-z])", text))


def _values(block: Block) -> Iterator[tuple[str, str]]:
    """토막의 {eval}마다 (식, 그 앞의 글). 표이면 그 줄의 첫 칸입니다."""
    raw = block.raw
    if block.kind == "row":
        cells = split_row(raw)
        for _, text in cells[1:]:
            if len(roles := list(_ROLE.finditer(text))) and roles[0]["kind"] == "eval":
                yield roles[0]["raw"], _ROLE.sub(" ", cells[0][1])
        return
    last = 0
    for match in _ROLE.finditer(raw):
        before = raw[max(last, match.start() - WINDOW) : match.start()]
        last = match.end()
        if match["kind"] == "eval":
            cut = [m.end() for m in _CLAUSE.finditer(before.rstrip(" *:"))]
            yield match["raw"], before[cut[-1] if cut else 0 :]


def _repeated(document: Document) -> Iterator[tuple[int, str]]:
    """이어진 표의 두 줄이 같은 칸에, 이어진 목록의 두 줄이 첫 자리에 같은 식을 적은 곳."""
    for one, two in zip(document.blocks, document.blocks[1:], strict=False):
        if one.kind == two.kind == "item" and two.line - one.line <= 2:
            first, second = _ROLE.search(one.raw), _ROLE.search(two.raw)
            heads = [raw.raw[: m.start()] for raw, m in ((one, first), (two, second)) if m]
            if len(heads) == 2 and first["raw"] == second["raw"] and all(":" in h and len(h) < 40 for h in heads) and heads[0] != heads[1]:  # fmt: skip
                yield (
                    two.line,
                    f"이어진 두 줄이 같은 값 {{eval}}`{first['raw']}`을(를) 적었습니다 — 그 줄의 값을 부르세요.",
                )
        if one.kind == two.kind == "row" and two.line - one.line <= 1:
            left, right = split_row(one.raw), split_row(two.raw)
            for (_, a), (_, b) in zip(left[1:], right[1:], strict=False):
                if _ROLE.search(a) and a.strip(" *") == b.strip(" *") and left[0][1].strip() != right[0][1].strip():
                    yield two.line, f"표의 두 줄이 같은 값 {a.strip()}을(를) 적었습니다 — 그 줄의 값을 부르세요."
