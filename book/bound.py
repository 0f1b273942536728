"""본문에 묶인 값의 자리: 토막마다 걷어 낸 글과 그 안의 ``{eval}``, ``{glue:text}``."""

from collections.abc import Iterator
from dataclasses import dataclass

from book import values
from book.myst import BOUND, Document


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
