"""본문에 묶인 값의 자리와 그 곁의 말: 토막마다 걷어 낸 글, 그 안의 ``{eval}``과 ``{glue:text}``, 바로 뒤의 단위와 방향."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from book import values
from book.myst import BOUND, Document

FAMILIES = {
    "돈": ("억 원", "만 원", "천 원", "원"),
    "비율": ("%p", "%", "배"),
    "시간": ("시간", "분", "초", "개월", "일", "주"),
}
_UNIT = re.compile(r"\s?(억 원|만 원|천 원|원(?!래|인|칙|천)|%p|%|퍼센트포인트|퍼센트|배(?![치송정달])|시간|분(?![위포석산의])|초(?![과기])|개월|일(?![치반정 ]|때|수록)|주(?![문장기])|회|번|건|명|개|점|곳|박스|로트|편|대)")  # fmt: skip
_SAME = {"퍼센트포인트": "%p", "퍼센트": "%"}
UP = r"늘(?! )|높|많|커(?!피)|큽|크(?![기게])|더 [가-힣]|올라|올랐|증가|길|벌[었어]"
DOWN = r"줄|낮|적(?=습|은|게|었|을|고)|작(?=습|은|게|았|을|고)|덜|떨어|내려|내립|감소|잃|짧|밑지|밑집"
DENIED = re.compile(r"[가-힣]*지[는도]? (?:않|못)")
_SIZE = r"(?:만큼|씩|쯤|정도|넘게|이나|나|을|를|이|가)?"
_AMOUNT = re.compile(rf"[\])* ]{{0,3}}{_SIZE}(?:\*\*)?\s?(?:더\s|덜\s)?(?P<word>{UP}|{DOWN})")


@dataclass(frozen=True)
class Bound:
    """본문에 묶인 값 하나. ``place``는 걷어 낸 글에서의 자리, ``raw``는 백틱 안의 글입니다."""

    line: int
    place: int
    kind: str
    raw: str
    position: int

    @property
    def code(self) -> str:
        return values.split(self.raw)[0] if self.kind == "eval" else self.raw.rsplit(":", 1)[0].strip()

    @property
    def spec(self) -> str:
        return values.split(self.raw)[1] if self.kind == "eval" else self.raw.partition(":")[2].strip()


def bound_texts(document: Document) -> Iterator[tuple[str, list[Bound]]]:
    """토막마다 걷어 낸 글과 그 안에 묶인 값들."""
    starts = [cell.line for cell in document.cells]
    for block in document.blocks:
        text = block.flat.text
        spots = [i for i, c in enumerate(text) if c == BOUND]
        roles = [
            p
            for outer in block.pieces
            for p in outer.walk()
            if p.kind == "role" and (p.name == "eval" or p.name.startswith("glue"))
        ]
        if not spots or len(spots) != len(roles):
            continue
        yield text, [
            Bound(block.line_at(at), at, "eval" if role.name == "eval" else "glue", role.text, sum(s < block.line for s in starts))
            for at, role in zip(spots, roles, strict=True)
        ]  # fmt: skip


def unit_after(after: str) -> str:
    """값 바로 뒤의 단위. 없으면 빈 글자."""
    match = _UNIT.match(after.lstrip("*]"))
    return _SAME.get(match[1], match[1]) if match else ""


def family(unit: str) -> str:
    """단위의 갈래(돈, 비율, 시간). 모르는 단위이면 빈 글자."""
    return next((name for name, units in FAMILIES.items() if unit in units), "")


def direction(after: str, unit: str) -> str:
    """값과 단위에 바로 이어지는 '늘'이나 '줄'. 도달점('까지', '로')이나 견줌('보다')이면 빈 글자."""
    rest = after.replace("**", "").lstrip("]")
    rest = rest.lstrip()[len(unit) :] if unit and rest.lstrip().startswith(unit) else rest
    match = _AMOUNT.match(rest)
    return match["word"] if match and not DENIED.match(rest, match.end()) else ""


def rises(word: str) -> bool:
    """``direction``이 돌려준 말이 늘었다는 뜻이면 참."""
    return bool(re.match(UP, word))
