"""``guides/atlas.yml``의 현업 사례 지도: 읽고, 꼴이 틀린 곳을 줄과 함께 알립니다.

쪽을 그리는 확장(book/extensions/atlas.py)은 꼴만 맞으면 그리고, 글의 검사는 book/checks/atlas.py가 합니다.
"""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import yaml

from book.page import ROOT, PageError

SOURCE = ROOT / "guides" / "atlas.yml"
PAGE = "guides/atlas"
READ = {"full": "전문", "part": "일부", "abstract": "초록", "second_hand": "남의 요약"}
DESIGNS = (
    "실험", "스위치백·지역 실험", "군집 실험", "회귀·매칭", "성향점수·이중 강건", "이질적 효과", "정책 학습", "이중차분법",
    "통제집단합성법", "도구변수", "회귀불연속", "인과 발견·근본 원인", "대리 지표", "민감도·반박", "플랫폼",
)  # fmt: skip
INDUSTRIES = (
    "영상·음악", "게임", "모빌리티·배달", "여행·숙박", "커머스", "광고·마케팅", "금융", "제조·공급망", "소셜·메신저",
    "기업용 소프트웨어", "교육·의료", "공공",
)  # fmt: skip
# 칸의 이름 → 적는 것. 이 차례로 적습니다.
FIELDS = {
    "id": "조직_주제_연도 꼴의 영어 소문자, 숫자, 밑줄",
    "organisation": "글을 쓴 조직의 이름",
    "korean": "true나 false(한국어 글이거나 한국 팀의 글이면 true)",
    "year": "글이 나온 해. 확인하지 못했으면 null",
    "title": "글에 적힌 그대로의 제목",
    "part": "한 글의 여러 대목을 따로 실을 때에만, 그 대목의 이름",
    "link": "https://로 시작하는 글의 주소",
    "read": f"우리가 읽은 정도({', '.join(READ)} 가운데 하나)",
    "question": "무엇을 정해야 했는지 물음표로 끝나는 한 문장",
    "treatment": "처치",
    "outcome": "결과",
    "unit": "단위",
    "design": f"설계({', '.join(DESIGNS)} 가운데 하나)",
    "industry": f"산업({', '.join(INDUSTRIES)} 가운데 하나)",
    "harm": "실험했다면 누구에게 어떤 해가 있었는지. 없으면 null",
    "states": "글이 밝힌 것",
    "silent": "글이 밝히지 않은 것",
    "summary": "우리 말로 쓴 한 문단",
    "week": "그 방법을 배우는 주차(0에서 12까지)",
    "case": "그 글을 다시 해 본 사례의 파일 이름(여럿이면 목록). 없으면 null",
    "questions": "[1, 2] 꼴의 물음(1에서 4까지)",
}
OPTIONAL = {"part"}
_TRACKING = re.compile(r"utm_|source$|ref$|gclid$|fbclid$")
_ID = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*")


@dataclass(frozen=True)
class Entry:
    """지도에 실린 글 하나.

    Attributes
    ----------
    values : dict
        칸의 이름 → 적힌 값. 이름의 뜻은 ``FIELDS``에 있습니다.
    lines : dict
        칸의 이름 → 줄 번호(1부터). 열쇠 ""는 블록이 시작하는 줄입니다.
    repeated : tuple of str
        두 번 적힌 칸의 이름. YAML은 뒤의 것만 남깁니다.
    """

    values: dict
    lines: dict[str, int]
    repeated: tuple[str, ...] = ()

    def __getitem__(self, key: str):
        return self.values[key]

    def line(self, key: str = "") -> int:
        """칸이 적힌 줄. 그 칸이 없으면 블록의 첫 줄."""
        return self.lines.get(key, self.lines[""])

    def get(self, key: str):
        """칸의 값. 적지 않아도 되는 칸이 없으면 None."""
        return self.values.get(key)

    @property
    def cases(self) -> tuple[str, ...]:
        """다시 해 본 사례의 파일 이름(확장자 없이)."""
        case = self.get("case")
        return () if case is None else tuple(case) if isinstance(case, list) else (case,)


def read_blocks(text: str) -> list[Entry]:
    """YAML의 블록들을 줄 번호와 함께 읽습니다. 꼴은 :func:`faults`가 봅니다.

    Raises
    ------
    PageError
        YAML이 아니거나, '이름: 값' 블록의 목록이 아닐 때.
    """
    where = SOURCE.relative_to(ROOT).as_posix()
    # libyaml로 읽으면 열 배쯤 빠릅니다
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    try:
        document = loader.get_single_node()
        if not isinstance(document, yaml.SequenceNode):
            raise PageError(f"{where}:1: 글의 목록이 아닙니다 — 블록마다 '- id: …'로 시작하세요.")
        found = []
        for block in document.value:
            first = block.start_mark.line + 1
            if not isinstance(block, yaml.MappingNode):
                raise PageError(f"{where}:{first}: '이름: 값' 꼴의 블록이 아닙니다 — '- id: …'로 시작하세요.")
            names = [str(key.value) for key, _ in block.value]
            lines = {str(key.value): key.start_mark.line + 1 for key, _ in block.value}
            values = {str(key.value): loader.construct_object(value, deep=True) for key, value in block.value}
            found.append(Entry(values, {"": first} | lines, tuple(sorted({n for n in names if names.count(n) > 1}))))
        return found
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
        raise PageError(f"{where}:{line}: YAML로 읽지 못했습니다 — 따옴표와 들여쓰기를 확인하세요.") from None
    finally:
        loader.dispose()


def faults(entries: list[Entry]) -> Iterator[tuple[int, str]]:
    """쪽을 그릴 수 없게 하는 잘못을 (줄, 한국어 문장)으로 돌려줍니다: 칸의 이름, 값의 꼴, 정해 둔 말, 겹치는 id."""
    first: dict[str, int] = {}
    for entry in entries:
        named = entry.values.get("id")
        said = f"'{named}'" if isinstance(named, str) else f"{entry.line()}번째 줄의 글"
        for name in entry.repeated:
            yield entry.line(name), f"{said}에 '{name}'이(가) 두 번 있습니다 — 하나를 지우세요."
        unknown = [name for name in entry.values if name not in FIELDS]
        for name in unknown:
            near = difflib.get_close_matches(name, FIELDS, n=1)
            cure = f"'{near[0]}'(으)로 고치세요" if near else "지우세요"
            yield entry.line(name), f"{said}의 '{name}'은(는) 모르는 칸입니다 — {cure}."
        for name, form in FIELDS.items():
            if name not in entry.values:
                if name not in OPTIONAL and not difflib.get_close_matches(
                    name, unknown, n=1
                ):  # 오타는 위에서 알렸습니다
                    yield entry.line(), f"{said}에 '{name}'이(가) 없습니다 — '{name}: {form}'을(를) 더하세요."
            elif not _fits(name, entry[name]):
                yield entry.line(name), f"{said}의 {name}가 {_shown(entry[name])}입니다 — {form}(으)로 적으세요."
        if isinstance(named, str):
            if named in first:
                yield (
                    entry.line("id"),
                    f"id '{named}'이(가) {first[named]}번째 줄에도 있습니다 — 하나를 바꾸거나, 같은 글이면 지우세요.",
                )
            first.setdefault(named, entry.line("id"))


def _fits(name: str, value) -> bool:
    """값의 꼴이 칸에 맞으면 참."""
    number = isinstance(value, int) and not isinstance(value, bool)
    if name == "id":
        return isinstance(value, str) and bool(_ID.fullmatch(value))
    if name == "korean":
        return isinstance(value, bool)
    if name == "year":
        return number or value is None
    if name == "week":
        return number and 0 <= value <= 12
    if name == "questions":
        whole = isinstance(value, list) and bool(value) and all(type(v) is int and 1 <= v <= 4 for v in value)
        return whole and len(set(value)) == len(value)
    if name == "case":
        names = value if isinstance(value, list) else [value]
        return value is None or (bool(names) and all(isinstance(n, str) and n for n in names))
    if name == "harm":
        return value is None or (isinstance(value, str) and bool(value.strip()))
    kinds = {"read": READ, "design": DESIGNS, "industry": INDUSTRIES}
    return value in kinds[name] if name in kinds else isinstance(value, str) and bool(value.strip())


def same_address(link: str) -> str:
    """같은 글을 가리키는 주소를 하나로: 머리, www, 끝의 빗금, 쪽 안의 자리, 유입 꼬리표를 뗍니다."""
    parts = urlsplit(link)
    query = "&".join(f"{k}={v}" for k, v in parse_qsl(parts.query) if not _TRACKING.match(k))
    host = (parts.hostname or "").removeprefix("www.")
    return f"{host}{parts.path.rstrip('/')}?{query}".rstrip("?").lower()


def _shown(value) -> str:
    text = "비어 있는 값" if value is None or value == "" else f"'{value}'"
    return text if len(text) <= 40 else text[:37] + "…'"


def read_atlas(path: Path = SOURCE) -> list[Entry]:
    """지도의 글을 주차, 설계, 조직의 차례로 돌려줍니다.

    Raises
    ------
    PageError
        파일이 없거나 꼴이 틀렸을 때. 첫 잘못의 줄과 고칠 것이 적혀 있습니다.
    """
    where = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name
    if not path.is_file():
        raise PageError(f"{where}: 파일이 없습니다.")
    entries = read_blocks(path.read_text(encoding="utf-8"))
    for line, message in faults(entries):
        raise PageError(f"{where}:{line}: {message}")
    return sorted(entries, key=lambda e: (e["week"], DESIGNS.index(e["design"]), e["organisation"].casefold(), e["id"]))
