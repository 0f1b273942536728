"""본문의 숫자 검사: 계산한 값에 묶였거나, 출처가 있거나, 얼개를 이루는 숫자여야 합니다.

다음은 견주었으므로 그냥 씁니다.

- 같은 절(##)의 코드에 같은 수가 적혀 있을 때. 코드가 ``draws=150``으로 바뀌면 글의 200은 걸립니다. 5%는 0.05와도 견줍니다.
- 머리말의 ``given:``에 적은 설정값일 때. 그 값은 쪽의 코드 어딘가에 적혀 있어야 합니다.
- 데이터 카드나 머리말에 같은 단위로 적힌 숫자('이후 28일 주문 수'의 28일)일 때.

그림의 대체 텍스트에도 같은 규칙을 씁니다. 그 글은 자료가 바뀌어도 그대로이므로, 잰 값이 아니라 무엇을 볼지 적습니다.

어느 것도 아니면 토막 바로 앞줄에 까닭을 적습니다.

    % 숫자 허용: 28, 10 — 회사가 정한 관찰 기간과 기준입니다
"""

import ast
import re
from functools import cache

from book import values
from book.checks.findings import Finding
from book.checks.language import sentences
from book.myst import BOUND, CITED, OPAQUE, Block, Cell, Document, parse, split_row
from book.page import ROOT, Page

EXEMPTION = re.compile(r"^%\s*숫자 ?허용")
_WELL_FORMED = re.compile(r"^%\s*숫자 허용\s*:\s*(?P<items>.+?)\s+(?:—|–|--?)\s+(?P<reason>.+)$")

_NUMBER = re.compile(
    rf"(?<![A-Za-z_\d{BOUND}])(?<![A-Za-z]-)(?<!\d[.,])(?P<number>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)*)(?P<percent>\s?%p?)?"
)
# 숫자 바로 뒤의 영어가 단위이면 숫자이고(5km), 아니면 이름입니다(2SLS).
_NAME_AFTER = re.compile(
    r"(?!(?:km|kg|mg|cm|mm|m|ms|s|h|g|GB|MB|KB|GiB|MiB|px|pp|bp|p|x|k|K|M|B|W|kW|kWh)(?![A-Za-z]))[A-Za-z_]"
)
_LABEL = "연습|문제|질문|토론|그림|표|오해|가정|식|단계|사례|부록|예|물음|함정|규칙|슬라이드|이슈|절|장|주|셀|칸|오류|경우|상황|집단|팀|방법|모델|조건|유형|버전|판"
_LABEL_BEFORE = re.compile(rf"(?:^|[\s(\"'])(?:{_LABEL})\s?(?:\d+번?\s?(?:부터|에서|~|–|-|과|와|,|및|·)\s?)*[(#]?$")
_ORDINAL_AFTER = re.compile(
    r"\s?(?:주차|절(?![반약])|쪽|단계|번째|가지|종 ?오류|차원|요인|인칭|사분위|분위|분기|차(?=\s?(?:항|식|도함수|모형|모델|함수|적률|다항|미분|효과|목표|점검))"
    r"|장(?=[의에은는을과,.과·\s)]|$)|부(?=[의에는를\s]|$)|번(?=\s?(?:문제|질문|열|줄|셀|연습|문항|슬라이드|물음|가정)|[은을이과와의에]|처럼|까지|부터))"
)
_RANGE_AFTER = re.compile(
    r"\s?(?:[~∼–\-·,]|부터|에서|과|와|및)\s?\d+(?:\.\d+)?\s?(?:주차|절|쪽|단계|가지|번(?=[은을이과와의에\s])|년|장(?=[의에은는을과,.·\s)]|$))"
)
_RATE_AFTER = re.compile(r"\s?(?:인당|명당|건당|회당|개당|시간당|일당|분당|%포인트당|단위당)")
_INTERVAL_AFTER = re.compile(
    r"\s?(?:의\s)?(?:신뢰|예측|신용|확신|부트스트랩)?\s?(?:구간|수준|대역|신뢰대)|\s?(?:짜리|라는|라고|의)?\s?(?:약속|명목|CI\b)"
)
_LEVEL_BEFORE = re.compile(r"(?:유의수준|신뢰수준|명목|공칭|약속한|목표 포함률|명목 포함률)(?:인|은|는|이)?\s?$")
_DESIGN_PAIR = re.compile(
    r"(?<![\d.])(?:[01]\s?(?:과|와|,|/|또는|이나|~|–|-|에서|혹은|·|부터)\s?[01]|\d\s?(?:[:×xX]|대)\s?\d)(?![\d.])"
)
_BOUND_BEFORE = re.compile(
    rf"(?:점수|확률|비율|상관|지표|표시|{OPAQUE})(?:가|이|는|은|도|를|을)?\s(?:모두\s)?$|{OPAQUE}(?:가|이|는|은)\s?$"
)
_BARE_AFTER = re.compile(r"(?:이|을|과|에|으로|보다|인|은|의|도|입니다|일\s때|일수록|일\s것|이면|\s*[,.)?!]|\s|$)")
_YEAR_AFTER = re.compile(r"\s?(?:년|\)|,|~|–|-|·)|$")
_LABEL_COLUMN = re.compile(r"(?:시작|길이|소요|걸리는)?\s?(?:시간)?\s?\(?분\)?|주차?|번호|단계|순서|장|절|연도|판|버전")
_SCHEDULE = re.compile(r"\d+\s?[~–-]\s?\d+\s?분")


def numbers_in(text: str) -> list[tuple[int, int, str]]:
    """걷어 낸 글의 숫자를 (시작, 끝, 숫자)로 돌려줍니다. 이름의 일부(2SLS, HC1)는 뺍니다."""
    found = []
    for match in _NUMBER.finditer(text):
        if match["percent"] or not _NAME_AFTER.match(text, match.end("number")):
            found.append((match.start(), match.end(), match["number"]))
    return found


@cache
def _library_before() -> re.Pattern:
    """'DoWhy 0.14'처럼 판 번호 앞에 오는 이름. requirements.txt의 꾸러미에서 만듭니다."""
    names = ["python", "파이썬", "판다스", "CC BY", "우분투", "WSL", "판", "버전"]
    path = ROOT / "requirements.txt"
    if path.is_file():
        names += re.findall(
            r"^([A-Za-z][\w.-]*?)(?:\[[^\]]*\])?\s*(?:[=<>~!#;]|$)", path.read_text(encoding="utf-8"), re.MULTILINE
        )
    return re.compile(
        rf"(?:{'|'.join(re.escape(n) for n in names)})(?:\s?(?:판|버전))?(?:은|는|의|에서)?[\s(]*$", re.IGNORECASE
    )


def is_structural(text: str, start: int, end: int, number: str) -> bool:
    """주차·절·연도·'95% 신뢰구간'·판 번호처럼 계산과 상관없는 숫자이면 참."""
    before, after = text[max(0, start - 30) : start], text[end : end + 14]
    percent = text[start:end].rstrip("p").endswith("%")
    small = number.isdigit() and int(number) <= 50
    if number.count(".") >= 2:
        return True  # 7.4.7 같은 판 번호이거나 절 번호
    if "." in number and not percent and (_library_before().search(before) or re.match(r"\s?(?:판|버전|절)", after)):
        return True
    if percent:
        return number in {"80", "90", "95", "97.5", "99"} and bool(
            _INTERVAL_AFTER.match(after) or _LEVEL_BEFORE.search(before)
        )
    if "." in number:
        return number in {"0.80", "0.90", "0.95", "0.05", "0.01"} and bool(_LEVEL_BEFORE.search(before))
    if before.endswith("#") or (
        small and (_ORDINAL_AFTER.match(after) or _RANGE_AFTER.match(after) or _LABEL_BEFORE.search(before))
    ):
        return True
    if number == "1" and _RATE_AFTER.match(after):
        return True
    if number == "0" and _BARE_AFTER.match(after):
        return True  # 효과 없음을 뜻하는 0
    if number == "1" and _BARE_AFTER.match(after) and _BOUND_BEFORE.search(before):
        return True  # 확률의 끝, 0/1 변수의 값
    if small and re.match(r"\.\s", after) and re.search(r"(?:^|[|,(·]\s*)$", before):
        return True  # 칸이나 쉼표 뒤의 번호
    if re.fullmatch(r"(?:19|20)\d\d", number) and (_YEAR_AFTER.match(after) or before.endswith("(")):
        return True
    if re.search(r"\d{4}년\s?$", before) and re.match(r"\s?월", after):
        return True
    if re.search(r"\d월\s?$", before) and re.match(r"\s?일", after):
        return True
    return any(m.start() <= start and end <= m.end() for m in _DESIGN_PAIR.finditer(text))


def definitions(page: Page) -> set[tuple[str, str]]:
    """머리말과 데이터 카드가 정의한 (숫자, 단위의 첫 글자)."""
    texts = [page.title, *(str(page.meta.get(key) or "") for key in ("description", "treatment", "outcome", "unit"))]
    minutes = page.meta.get("minutes")
    texts += [f"{value}분" for value in minutes.values()] if isinstance(minutes, dict) else []
    names = page.meta.get("datasets")
    for name in names if isinstance(names, list) else []:
        info = data_cards().get(str(name))
        if isinstance(info, dict):
            texts += [str(info.get("title")), str(info.get("description"))]
            for column in (info.get("columns") or {}).values():
                texts += (
                    [str(column.get(key)) for key in ("label", "unit", "description")]
                    if isinstance(column, dict)
                    else []
                )
    return {
        (m[1].replace(",", ""), m[2]) for text in texts for m in re.finditer(r"(\d[\d,]*(?:\.\d+)?)\s?([가-힣%])", text)
    }


def data_cards() -> dict:
    """데이터 카드 전체. 읽지 못하는 파일이면 빈 사전입니다(그 잘못은 데이터 검사가 알립니다)."""
    import yaml

    from book.catalog import read_catalog

    try:
        read = read_catalog()
    except yaml.YAMLError:
        return {}
    return read if isinstance(read, dict) else {}


def check(page: Page, document: Document | None = None) -> list[Finding]:
    """쪽 하나의 숫자를 검사합니다."""
    document = document or parse(page.text)
    path = page.path.relative_to(ROOT).as_posix()
    loose = _loose_numbers(page, document)
    found, exempt = _apply_exemptions(path, document, loose)
    for block, start, end, _ in loose:
        if (id(block), start) not in exempt:
            shown = block.flat.text[start:end].strip()
            found.append(
                Finding(
                    path, block.line_at(start),
                    f"본문의 숫자 '{shown}'이(가) 계산한 값에 묶이지 않았고 출처도 없습니다: '{_around(block.flat.text, start, end)}' — "
                    f"{{eval}}`값`으로 계산한 값을 부르거나, 같은 문장에 출처 링크를 달거나, 바로 앞줄에 '% 숫자 허용: {shown} — 까닭'을 적으세요.",
                    "number",
                )
            )  # fmt: skip
    found += _check_given(page, path, document) + _check_glue(path, document) + _check_values(path, document)
    return sorted(found + _check_shown(page, path, document))


def _amount(value: float) -> float:
    return float(f"{abs(value):.9g}")


def readings(number: str, tail: str) -> frozenset[float]:
    """본문의 숫자가 코드에서는 어떤 수일 수 있는지: 그대로, 백분율이면 비율로도."""
    value = float(number.replace(",", ""))
    return frozenset({_amount(value), _amount(value / 100)} if "%" in tail else {_amount(value)})


def literals(document: Document) -> dict[str, frozenset[float]]:
    """절(##)마다 코드에 적힌 수의 크기. 빈 글자는 첫 절 앞입니다."""
    sections = [(b.line, b.raw) for b in document.headings() if b.level <= 2]
    found: dict[str, set[float]] = {}
    for cell in document.cells:
        section = next((title for line, title in reversed(sections) if line < cell.line), "")
        for node in cell.nodes:
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, (int, float))
                and not isinstance(node.value, bool)
            ):
                found.setdefault(section, set()).add(_amount(node.value))
    return {section: frozenset(values) for section, values in found.items()}


def _given(page: Page) -> dict[str, float]:
    given = page.meta.get("given")
    if not isinstance(given, dict):
        return {}
    return {str(k): v for k, v in given.items() if isinstance(v, (int, float)) and not isinstance(v, bool)}


def _check_shown(page: Page, path: str, document: Document) -> list[Finding]:
    """셀이 찍거나 그림에 적는 한국어 글 속의 숫자. 글자로 적은 수는 쪽의 코드에도 수로 적혀 있어야 합니다."""
    defined, given = definitions(page), {_amount(v) for v in _given(page).values()}
    written = frozenset().union(*literals(document).values()) | given
    # 0.025를 적은 코드에서는 97.5%라고도, 두 꼬리를 뺀 95%라고도 말합니다
    spread = {_amount(x) for v in written if 0 < v < 1 for x in (1 - v, 1 - 2 * min(v, 1 - v))}
    found = []
    for cell in document.cells:
        for line, text in _shown_texts(cell):
            for start, end, number in numbers_in(text):
                tail = "%" if re.match(r"\s?퍼센트", text[end:]) else text[end - 3 : end]
                unit = re.match(r"\s?([가-힣%])", text[start + len(number) :])
                if (
                    is_structural(text, start, end, number)
                    or (unit and (number.replace(",", ""), unit[1]) in defined)
                    or readings(number, tail) & (written | spread)
                ):
                    continue
                message = (
                    f"코드가 보이는 글에 숫자 '{number}'이(가) 글자로 적혀 있습니다: '{_around(text, start, end)}'"
                )
                found.append(Finding(path, line, f"{message} — f-글자의 {{식}}으로 계산한 값을 넣으세요.", "shown"))
    return found


def _shown_texts(cell: Cell):
    """셀의 함수에 넘기는 한국어 글을 (줄, 글)로. f-글자의 식 자리는 BOUND입니다."""
    for node in cell.nodes:
        for part in [*node.args, *(k.value for k in node.keywords)] if isinstance(node, ast.Call) else ():
            if isinstance(part, ast.JoinedStr):
                text = "".join(v.value if isinstance(v, ast.Constant) else BOUND for v in part.values)
            else:
                text = part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else ""
            if re.search(r"[가-힣]", text):
                yield cell.first + part.lineno - 1, text


def _check_given(page: Page, path: str, document: Document) -> list[Finding]:
    """머리말의 설정값은 쪽의 코드에도 같은 수로 적혀 있어야 합니다. 그래야 코드만 바뀔 때 걸립니다."""
    written = frozenset().union(*literals(document).values())
    line = document.front_matter_line("given")
    return [
        Finding(
            path,
            line,
            f"given의 '{name}: {value}'이(가) 쪽의 코드에 없습니다 — 코드의 값과 같게 고치거나, 쓰지 않으면 지우세요.",
            "given",
        )
        for name, value in _given(page).items()
        if _amount(value) not in written
    ]


def _check_values(path: str, document: Document) -> list[Finding]:
    """본문이 부르는 이름은 보이는 셀이 만듭니다. 지운 셀의 이름을 부르면 읽는 사람이 그 값을 다시 만들 수 없습니다."""
    found, visible, hidden = [], set(), set()
    cells = iter([*document.cells, None])
    cell = next(cells)
    for number, role in sorted(
        ((n, r) for n, r in document.pieces("role") if r.name == "eval"), key=lambda item: item[0]
    ):
        while cell and cell.line < number:
            made = {n.id for n in cell.nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
            (hidden if "remove-cell" in cell.tags else visible).update(made)
            cell = next(cells)
        code, _ = values.split(role.text)
        names = _names(code)
        if names is None:
            found.append(
                Finding(
                    path,
                    number,
                    f"본문의 식 '{code}'을(를) 파이썬으로 읽지 못했습니다 — 괄호와 따옴표를 확인하세요.",
                    "eval",
                )
            )
            continue
        for name in sorted(names & hidden - visible):
            found.append(
                Finding(
                    path,
                    number,
                    f"본문이 부르는 '{name}'은(는) 지운 셀에서만 만듭니다 — 보이는 셀에서 만드세요.",
                    "eval",
                )
            )
    return found


def _names(code: str) -> set[str] | None:
    try:
        tree = ast.parse(code, mode="eval")
    except SyntaxError:
        return None
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def _around(text: str, start: int, end: int) -> str:
    piece = text[max(0, start - 12) : end + 10].replace("\n", " ").replace(BOUND, "○").replace(CITED, "").strip()
    return re.sub(r"[\ue000-\uf8ff]", "□", piece)


def _loose_numbers(page: Page, document: Document) -> list[tuple[Block, int, int, str]]:
    """묶이지도, 인용되지도, 얼개를 이루지도 않는 숫자."""
    defined, loose = definitions(page), []
    written, given = literals(document), {_amount(v) for v in _given(page).values()}
    cited_table_at = -1
    numbered = {m[1] for b in document.headings() if (m := re.match(r"(\d+\.\d+)\s", b.flat.text))}
    for index, block in enumerate(_with_alts(document)):
        text = block.flat.text
        if block.kind == "footnote":
            continue  # 각주는 출처 그 자체입니다
        if block.kind == "row":
            previous = document.blocks[index - 1] if index else None
            if previous and previous.kind != "row" and _ends_with_citation(previous):
                cited_table_at = index
            if CITED in text or (
                cited_table_at >= 0 and all(b.kind == "row" for b in document.blocks[cited_table_at:index])
            ):
                continue
        cited = _cited_spans(block)
        for start, end, number in numbers_in(text):
            if any(a <= start < b for a, b in cited) or is_structural(text, start, end, number):
                continue
            unit = re.match(r"\s?([가-힣%])", text[start + len(number) :])
            if unit and (number.replace(",", ""), unit[1]) in defined:
                continue
            tail = "%" if re.match(r"\s?퍼센트", text[end:]) else text[end - 3 : end]
            if readings(number, tail) & (written.get(block.section, frozenset()) | given):
                continue
            if (
                block.kind in {"heading", "title"}
                and re.fullmatch(r"[\s]*", text[:start])
                and re.match(r"[.)]?\s", text[end:])
            ):
                continue  # 제목 앞의 번호
            if number in numbered and re.match(r"[의에과와은는](?![가-힣]*시간)", text[end:]):
                continue  # '3.10의 ATO'처럼 절 번호로 부른 것
            if _is_schedule(block, text, start, end):
                continue
            loose.append((block, start, end, number))
    return loose


def _with_alts(document: Document) -> list[Block]:
    """본문의 토막에 그림의 대체 텍스트를 더합니다."""
    sections = [(b.line, b.raw) for b in document.headings() if b.level <= 2]
    alts = []
    for cell in document.cells:
        if cell.alt:
            section = next((title for line, title in reversed(sections) if line < cell.line), "")
            line = next((n for n in range(cell.line, cell.first) if "alt:" in document.lines[n - 1]), cell.line)
            alts.append(Block("alt", ((line, " ".join(cell.alt.split())),), ("code-cell",), section))
    return [*document.blocks, *alts]


def _cited_spans(block: Block) -> list[tuple[int, int]]:
    """출처가 달린 문장의 자리. 마침표 뒤에 붙은 각주도 그 문장의 출처입니다."""
    text = block.flat.text
    return [(at, at + len(s)) for at, s in sentences(text) if CITED in s]


def _ends_with_citation(block: Block) -> bool:
    parts = sentences(block.flat.text)
    return bool(parts) and CITED in parts[-1][1]


def _is_schedule(block: Block, text: str, start: int, end: int) -> bool:
    """발표 시간표와 발표자 메모의 분."""
    if "notes" in block.inside or "토론" in block.section:
        if re.match(r"\s?(?:[~–-]\s?\d+\s?)?분", text[end:]):
            return True
    if block.kind == "row" and _LABEL_COLUMN.fullmatch(_column_title(block, start)):
        return True
    return block.kind == "row" and any(m.start() <= start < m.end() for m in _SCHEDULE.finditer(text))


def _column_title(block: Block, index: int) -> str:
    """표의 행에서 걷어 낸 글의 ``index``번째 글자가 놓인 칸의 머리글."""
    where = block.flat.origin(index)
    column = sum(at <= where for at, _ in split_row(block.raw)) - 1
    return block.header[column] if 0 <= column < len(block.header) else ""


def _apply_exemptions(path: str, document: Document, loose) -> tuple[list[Finding], set[tuple[int, int]]]:
    found, exempt = [], set()
    for line, comment in document.comments:
        if not EXEMPTION.match(comment):
            continue
        match = _WELL_FORMED.match(comment)
        if not match or len(re.findall(r"[가-힣]", match["reason"])) < 2:
            found.append(
                Finding(
                    path,
                    line,
                    "숫자 허용에 까닭이 없거나 꼴이 다릅니다 — '% 숫자 허용: 28, 10 — 까닭'처럼 적으세요.",
                    "exemption",
                )
            )
            continue
        start, end = document.scope_after(line)
        inside = [b for b in {id(b): b for b, *_ in loose}.values() if start <= b.line <= end]
        whole = "\n".join(document.lines[start - 1 : end]) if start else ""
        used, absent = False, []
        for item in re.split(r",\s+|,(?=\D)", match["items"]):
            pattern = _item_pattern(item.strip())
            covered = {
                (id(block), at)
                for block, at, stop, _ in loose
                if any(block is b for b in inside)
                and any(
                    m.start() <= at and stop - 1 < m.end() + 2
                    for m in pattern.finditer(block.flat.text)
                    if m.start() <= at < m.end()
                )
            }
            used |= bool(covered)
            exempt |= covered
            if not covered and not pattern.search(whole):
                absent.append(item.strip())
        if used and absent:
            shown = "', '".join(absent)
            found.append(
                Finding(
                    path,
                    line,
                    f"허용한 숫자 '{shown}'이(가) 바로 아래 토막에 없습니다 — 그 숫자를 허용에서 빼세요.",
                    "exemption",
                )
            )
        if not used:
            found.append(
                Finding(
                    path,
                    line,
                    "아무것도 허용하지 않는 숫자 허용입니다 — 이 줄을 지우거나, 허용할 토막의 바로 앞줄로 옮기세요.",
                    "exemption",
                )
            )
    return found, exempt


def _item_pattern(item: str) -> re.Pattern:
    item = re.sub(r"^[+\-−±]", "", item)
    bare = re.sub(r"\s?%p?$", "", item)
    return re.compile(r"(?<!\d)(?<!\d[.,])" + r"\s*".join(map(re.escape, bare.split())) + r"(?!\d)(?![.,]\d)")


def glued_names(document: Document) -> tuple[dict[str, int], list[re.Pattern], bool]:
    """쪽이 묶는 이름.

    Returns
    -------
    (dict, list of re.Pattern, bool)
        이름 → 줄 번호, f-글자로 만든 이름의 꼴, 이름을 변수로 넘긴 호출이 있는지.
    """
    names, patterns, dynamic = {}, [], False
    for cell in document.cells:
        for line, call in cell.calls("glue"):
            first = call.args[0] if call.args else next((k.value for k in call.keywords if k.arg == "name"), None)
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                names.setdefault(first.value, line)
            elif isinstance(first, ast.JoinedStr):
                parts = [re.escape(v.value) if isinstance(v, ast.Constant) else ".+" for v in first.values]
                patterns.append(re.compile("".join(parts)))
            else:
                dynamic = True
    return names, patterns, dynamic


def _check_glue(path: str, document: Document) -> list[Finding]:
    names, patterns, dynamic = glued_names(document)
    literals = set()
    if dynamic:  # 이름을 변수로 넘기면 코드에 글자로 적힌 이름은 모두 묶였다고 봅니다.
        for cell in document.cells:
            literals |= {n.value for n in cell.nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)}
            literals |= {k.arg for n in cell.nodes if isinstance(n, ast.Call) for k in n.keywords if k.arg}
    found, used = [], set()
    for number, role in document.pieces("role"):
        if role.name.startswith("glue"):
            name = role.text.split(":")[0].strip()
            used.add(name)
            if name not in names and name not in literals and not any(p.fullmatch(name) for p in patterns):
                found.append(
                    Finding(
                        path,
                        number,
                        f"묶은 적 없는 이름 '{name}'을(를) 부릅니다 — 앞 셀에서 glue(\"{name}\", 값)으로 묶으세요.",
                        "glue",
                    )
                )
    for name, line in names.items():
        if name not in used:
            found.append(
                Finding(
                    path,
                    line,
                    f"'{name}'을(를) 묶었지만 본문이 쓰지 않습니다 — 쓰지 않으면 지우세요.",
                    "glue-unused",
                    warning=True,
                )
            )
    return found
