"""문체 검사: 합니다체 하나로, 한 문장은 20어절까지, 용어집의 말로.

문장 끝의 말씨는 kiwipiepy의 형태소 분석으로 가립니다. 따옴표 안의 말, 표의 칸, 제목은 말씨를 보지 않습니다.
"""

import re
from functools import cache

from book.checks.findings import Finding
from book.glossary import banned_spellings, house_words, read_glossary, spellings
from book.myst import BOUND, CITED, OPAQUE, Block, Document, parse
from book.page import ROOT, Page

LONGEST = 20  # 한 문장의 어절. 이유와 결과를 한 문장에 잇되, 스무 어절을 넘으면 나눕니다
REPEATED = 40  # 이보다 짧은 문단은 되풀이될 수 있습니다(글자)
PROSE = {"paragraph", "item", "footnote"}
EXEMPTION = re.compile(r"^%\s*문체 허용(?P<rest>.*)$")

# 용어집의 not에 적기 어려운, 앞뒤를 보아야 하는 말. '처리'는 treatment의 뜻일 때만 잡습니다.
_TREATMENT_SENSE = re.compile(
    r"(?:미|비|무)처리(?=\s?(?:군|집단|그룹|대상|고객|단위))"
    r"|처리(?=\s?(?:군(?!데)|집단|그룹|효과|변수|여부|배정|할당|확률|수준|강도|더미|지표))"
    r"|처리(?=\s?전후(?!\s?공정))"
    r"|처리(?=를\s?받|받은|받지|된 (?:집단|단위|고객|사람|대상))"
)
# 앞말이 이것이면 '데이터 처리'의 처리입니다. 처리 시간, 처리 속도, 처리량은 애초에 잡지 않습니다.
_HANDLING = re.compile(
    r"(?:결측(?:값)?|데이터|자료|정보|이상치|예외|오류|에러|일괄|병렬|분산|배치|주문|요청|문의|민원|환불|반품|클레임|결제|로그|신호|"
    r"문자열|언어|자연어|영상|열|표면|화학|건|업무|사후|실시간|비동기|전|후|선|미리)\s?$"
)
_EXTRA = {"처치 대상군": "실험군", "처리 전후": "처치 전후", "공변수": "공변량", "반사실적 결과값": "반사실"}

_SENTENCE_END = re.compile(rf"[.?!…。]+(?P<close>[\"'”’)\]》」』{CITED}]*)(?=\s|$)")
_NOT_AN_END = re.compile(
    r"^\s*(?:\d{1,2}|[가나다라마바사])$|(?:^|[\s(])(?:[A-Z]|vs|cf|al|etc|No|Fig|pp|Dr|St)$"
    r"|(?:연습|오해|그림|표|질문|가정|함정|규칙|물음|단계|사례)\s?\d+$"
)
_QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"|‘[^’]*’|(?<![A-Za-z0-9])'[^'\n]*'|「[^」]*」|『[^』]*』|《[^》]*》")
_POLITE = re.compile(r"(?:니다|니까|시오|시다|세요|까요|니다만)$")
_ALLOWED_YO = ("세요", "까요")
_PLAIN_QUESTION = ("가", "까", "나", "지")
_MAY_END = re.compile("[요죠다라자냐니가까지네군나어아걸게래해줘돼봐여워와]$")  # 이 글자로 끝나야 서술어일 수 있습니다


def sentences(text: str) -> list[tuple[int, str]]:
    """걷어 낸 글을 (시작 자리, 문장)으로 나눕니다. 번호('연습 1.')와 소수점에서는 나누지 않습니다."""
    found, start = [], 0
    for match in _SENTENCE_END.finditer(text):
        if (
            match.group()[0] == "."
            and _NOT_AN_END.search(text[start : match.start()].rstrip())
            and text[match.end() :].strip()
        ):
            continue
        found.append((start, text[start : match.end()]))
        start = match.end()
    if text[start:].strip():
        found.append((start, text[start:]))
    return [(at + len(s) - len(s.lstrip()), s.strip()) for at, s in found]


def count_words(sentence: str) -> int:
    """문장의 어절 수. 괄호 안의 영어, 기호, 제목으로 붙인 이름표는 세지 않고 영어 이름은 한 어절로 봅니다."""
    sentence = re.sub(r"\([^가-힣()]*\)", "", sentence)
    sentence = re.sub(
        r"[A-Za-z][\w.,:'&-]*(?:\s+[A-Za-z][\w.,:'&-]*)+", lambda m: m.group().replace(" ", "-"), sentence
    )
    sentence = re.sub(r"^[^:.]{1,20}:\s", "", sentence)
    return sum(bool(re.search(rf"[가-힣A-Za-z0-9{BOUND}{OPAQUE}]", word)) for word in sentence.split())


@cache
def _kiwi():
    from kiwipiepy import Kiwi

    return Kiwi(num_workers=1)


def register(sentence: str, in_list: bool = False) -> str:
    """문장 끝의 말씨. 합니다체이거나 서술어로 끝나지 않으면 빈 글자.

    Parameters
    ----------
    sentence : str
        표시를 걷어 낸 문장.
    in_list : bool
        목록이면 '~인가?' 꼴의 물음을 받아들입니다.

    Returns
    -------
    str
        "해요체", "해라체", "음슴체" 가운데 하나 또는 "".
    """
    stripped = sentence.rstrip(" \n.?!…~\"'”’" + CITED)
    while stripped.endswith(")") and "(" in stripped:
        stripped = stripped[: stripped.rindex("(")].rstrip(" .?!" + CITED)
    nominal = bool(re.search(r"[가-힣]$", stripped)) and (ord(stripped[-1]) - 0xAC00) % 28 == 16  # 받침 ㅁ
    if not (nominal or _MAY_END.search(stripped)) or _POLITE.search(stripped):
        return ""
    tail = " ".join(stripped.split()[-5:]).replace(BOUND, "0").replace(OPAQUE, "X").replace(CITED, "")
    tokens = [t for t in _kiwi().tokenize(tail) if not t.tag.startswith("S")]
    if not tokens:
        return ""
    form, tag = tokens[-1].form, tokens[-1].tag
    if tag == "JX" and form == "요":
        return "해요체"
    if tag != "EF":
        return ""
    if form.endswith(("요", "죠")):
        return "" if form.endswith(_ALLOWED_YO) else "해요체"
    if form in {"ᆷ", "음"}:
        return "음슴체" if re.search(rf"\.[{CITED}\"'”’]*$", sentence) else ""
    if form.endswith(_PLAIN_QUESTION) and (in_list or form.endswith("지")):
        return ""
    return "해라체" if not form.endswith(("니다", "니까", "시오", "시다")) else ""


_REWRITE = {"해요체": "'~합니다'로", "해라체": "'~합니다'로", "음슴체": "'~합니다'로 끝맺은 문장으로"}


def glossary_variants() -> dict[str, str]:
    """쓰지 않는 말 → 용어집의 말."""
    path = ROOT / "guides" / "glossary.yml"
    return _read_variants(path, path.stat().st_mtime_ns) if path.is_file() else dict(_EXTRA)


_TERM = re.compile(r"\{term\}`(?:[^`<]*<([^`>]*)>|([^`]*))`")


@cache
def _read_terms(path, modified_ns: int) -> frozenset[str]:
    return frozenset(word for entry in read_glossary(path) for word in spellings(entry))


def _unknown_terms(path: str, document: Document) -> list[Finding]:
    """용어집에 없는 말에 건 링크. 두면 사이트가 지어지지 않습니다."""
    source = ROOT / "guides" / "glossary.yml"
    known = _read_terms(source, source.stat().st_mtime_ns) if source.is_file() else frozenset()
    words = [(block.line, m[1] or m[2]) for block in document.blocks for m in _TERM.finditer(block.raw)]
    return [
        Finding(
            path, line, f"용어집에 없는 말입니다: '{word}' — guides/glossary.yml에 더하거나 표시를 지우세요.", "term"
        )
        for line, word in words
        if known and word not in known
    ]


@cache
def _read_variants(path, modified_ns: int) -> dict[str, str]:
    return {**_EXTRA, **banned_spellings(read_glossary(path))}


# 용어가 아니어서 용어집에 둘 수 없는, 이 책만 쓰던 말
_HOUSE_EXTRA = [
    (r"(?<![가-힣])셈(?=[하됩되합해했])", "계산"),
    (r"(?<![가-힣])(?:샙니다|새지 (?:않|못)|샜습|새어 )", "무엇이 어디로 가는지(정보 누출이면 '누출')"),
    (r"값[은을] \S+ ?치[르릅렀]", "대가로 무엇이 늘거나 주는지"),
]


def house() -> list[tuple[re.Pattern, str]]:
    """이 책만 쓰던 말의 식과 대신 쓸 말."""
    path = ROOT / "guides" / "glossary.yml"
    return _read_house(path, path.stat().st_mtime_ns if path.is_file() else 0)


@cache
def _read_house(path, modified_ns: int) -> list[tuple[re.Pattern, str]]:
    listed = house_words(read_glossary(path)) if path.is_file() else []
    return [(re.compile(pattern), better) for pattern, better in [*listed, *_HOUSE_EXTRA]]


@cache
def _variant_pattern(words: tuple[str, ...]) -> re.Pattern:
    ordered = sorted(words, key=len, reverse=True)
    return re.compile("|".join(r"\s+".join(map(re.escape, word.split())) for word in ordered))


def variants_in(text: str, variants: dict[str, str]) -> list[tuple[int, str, str]]:
    """글에서 쓰지 않는 말을 찾아 (자리, 찾은 말, 대신 쓸 말)로 돌려줍니다."""
    found, taken = [], []
    for match in _variant_pattern(tuple(variants)).finditer(text):
        if match.group().startswith("처리") and _HANDLING.search(text[: match.start()]):
            continue
        plain = " ".join(match.group().split())
        found.append((match.start(), plain, variants[plain]))
        taken.append(match.span())
    for match in _TREATMENT_SENSE.finditer(text):
        if any(a <= match.start() < b for a, b in taken) or _HANDLING.search(text[: match.start()]):
            continue
        shown = match.group() + re.match(r"(?:를 ?\S+|된 \S\S| ?\S{0,2})?", text[match.end() :]).group().rstrip()
        group = re.search(r"(?:군|집단|그룹)$", shown)
        better = ("실험군" if shown.startswith("처리") else "대조군") if group else shown.replace("처리", "처치")
        found.append((match.start(), shown, better))
    return sorted(found)


def check(page: Page, document: Document | None = None, variants: dict[str, str] | None = None) -> list[Finding]:
    """쪽 하나의 문체를 검사합니다. ``variants``를 주지 않으면 용어집에서 읽습니다."""
    document = document or parse(page.text)
    variants = glossary_variants() if variants is None else variants
    path = page.path.relative_to(ROOT).as_posix()
    found = [f for block in _with_front_matter(page, document) for f in _check_block(path, block, variants)]
    found += _repeated(path, document) + _left_stars(path, document) + _unknown_terms(path, document)
    return _apply_exemptions(path, document, found)


def _repeated(path: str, document: Document) -> list[Finding]:
    """고치다가 두 번 붙은 문단. 슬라이드는 본문의 말을 되풀이하므로 뺍니다."""
    first, found = {}, []
    for block in document.blocks:
        if block.kind != "paragraph" or len(block.raw) < REPEATED or "slide" in block.inside:
            continue
        if block.raw in first:
            found.append(
                Finding(
                    path,
                    block.line,
                    f"{first[block.raw]}번째 줄과 같은 문단입니다: '{_short(block.raw)}' — 하나를 지우세요.",
                    "repeated",
                )
            )
        else:
            first[block.raw] = block.line
    return found


_AFTER_NUMBER = re.compile(r"(?<![/A-Za-z\d.])([-+−]?[\d,.]*)(\d|%p?)(은|는|이|가|을|를|과|와|으로|로)(?=[\s,.]|$)")
_FINAL = dict(zip("0123456789", ["다른", "ㄹ", "", "다른", "", "", "다른", "ㄹ", "ㄹ", ""], strict=True))
_PARTICLES = {"은": "는", "이": "가", "을": "를", "과": "와"}


def wrong_particles(text: str) -> list[tuple[int, str, str]]:
    """숫자 뒤의 조사가 소리와 어긋난 곳: (자리, 찾은 말, 고친 말).

    소수는 끝자리의 이름으로, 0으로 끝나는 수는 영, 십, 백, 천, 만으로 읽으니 언제나 받침이 있습니다. %는 퍼센트, %p는 포인트입니다.
    값을 본문에 묶은 쪽은 완성된 글에서 보아야 합니다.
    """
    found = []
    for match in _AFTER_NUMBER.finditer(text):
        number, last, particle = match.groups()
        final = "" if last[0] == "%" else _FINAL[last]
        if particle in ("으로", "로"):
            right = "으로" if final == "다른" else "로"
        else:
            closed = next(k for k, v in _PARTICLES.items() if particle in (k, v))
            right = closed if final else _PARTICLES[closed]
        if particle != right:
            found.append((match.start(), f"{number}{last}{particle}", f"{number}{last}{right}"))
    return found


def _left_stars(path: str, document: Document) -> list[Finding]:
    """굵은 글씨가 되지 못하고 별표로 남는 표시. ``**%**입니다``처럼 안쪽이 부호나 백틱으로 끝나고 바로 글자가 붙으면 그렇습니다."""
    found = []
    for block in document.blocks:
        texts = [piece.text for outer in block.pieces for piece in outer.walk() if piece.kind == "text"]
        if any("**" in text for text in texts):
            found.append(
                Finding(
                    path,
                    block.line,
                    f"굵은 글씨의 별표가 그대로 보입니다: '{_short(block.raw)}' — 별표 안쪽의 끝을 글자로 하거나 뒤를 띄우세요.",
                    "stars",
                )
            )
    return found


def _with_front_matter(page: Page, document: Document) -> list[Block]:
    """본문의 토막에 머리말의 설명(사례 모음과 검색에 보이는 글)을 더합니다."""
    description = page.meta.get("description")
    if not isinstance(description, str):
        return document.blocks
    return [Block("paragraph", ((document.front_matter_line("description"), description),)), *document.blocks]


def _check_block(path: str, block: Block, variants: dict[str, str]) -> list[Finding]:
    found, text = [], block.flat.text
    for at, word, better in variants_in(text, variants):
        found.append(
            Finding(
                path,
                block.line_at(at),
                f"'{word}'은(는) 용어집의 말이 아닙니다 — '{better}'(으)로 고치세요.",
                "variant",
            )
        )
    for pattern, better in house():
        for match in pattern.finditer(text):
            message = (
                f"'{match.group().strip()}'은(는) 논문과 문서에서 찾을 수 없는 말입니다 — '{better}'(으)로 고치세요."
            )
            found.append(Finding(path, block.line_at(match.start()), message, "house"))
    if block.kind not in PROSE:
        return found
    quoted = [m.span() for m in _QUOTED.finditer(text)]
    for at, sentence in sentences(text):
        end = at + len(sentence)
        words = count_words(sentence)
        listing = block.kind == "item" and not _POLITE.search(
            sentence.rstrip(" .?!" + CITED)
        )  # 서술어 없이 늘어놓은 말
        if words > LONGEST and not listing:
            found.append(
                Finding(
                    path,
                    block.line_at(at),
                    f"한 문장이 {words}어절입니다: '{_short(sentence)}' — {LONGEST}어절 안에서 둘로 나누세요.",
                    "long",
                )
            )
        last = at + len(sentence.rstrip(" .?!…\"'”’" + CITED)) - 1
        if any(a <= last < b for a, b in quoted):
            continue
        if kind := register(sentence, in_list=block.kind == "item"):
            found.append(
                Finding(
                    path,
                    block.line_at(max(at, min(last, end - 1))),
                    f"{kind} 문장입니다: '{_tail(sentence)}' — {_REWRITE[kind]} 고치세요.",
                    "register",
                )
            )
    return found


def _apply_exemptions(path: str, document: Document, found: list[Finding]) -> list[Finding]:
    """``% 문체 허용 — 까닭``이 가리키는 토막의 문체 문제를 덜어 냅니다."""
    extra = []
    for line, comment in document.comments:
        match = EXEMPTION.match(comment)
        if not match:
            continue
        if len(re.findall(r"[가-힣]", match["rest"])) < 2:
            extra.append(
                Finding(path, line, "문체 허용에 까닭이 없습니다 — '% 문체 허용 — 까닭' 꼴로 적으세요.", "exemption")
            )
            continue
        start, end = document.scope_after(line)
        kept = [f for f in found if not start <= f.line <= end]
        if len(kept) == len(found):
            extra.append(Finding(path, line, "아무것도 허용하지 않는 문체 허용입니다 — 이 줄을 지우세요.", "exemption"))
        found = kept
    return sorted(found + extra)


def _short(sentence: str) -> str:
    words = _shown(sentence).split()
    return " ".join(words[:4]) + " …" if len(words) > 5 else " ".join(words)


def _tail(sentence: str) -> str:
    words = _shown(sentence).split()
    return ("… " if len(words) > 4 else "") + " ".join(words[-4:])


def _shown(sentence: str) -> str:
    return sentence.replace(BOUND, "○").replace(OPAQUE, "□").replace(CITED, "")
