"""주차 표를 그리는 지시자 ``weekly-table``. 주와 사례는 차례(``_toc.yml``)에서, 나머지는 쪽의 머리말에서 읽습니다.

한 주가 한 줄입니다. 사례의 이름은 사례 모음이 보여 주므로, 여기서는 그 주로 거른 모음에 잇습니다.
"""

from dataclasses import dataclass
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from book.evening import is_plan
from book.myst import parse
from book.page import PageError, read_page, toc_branches

HEADINGS = ("주", "장", "심화·사례", "읽기·실습")
GALLERY = "case_studies/index"


@dataclass(frozen=True)
class Entry:
    """표에 실리는 쪽 하나.

    Attributes
    ----------
    docname, title : str
    meta : dict
        머리말.
    cases : tuple of Entry
        장이면 그 주의 사례(차례의 순서).
    deeper : Entry or None
        장이면 그 주의 심화.
    """

    docname: str
    title: str
    meta: dict
    cases: tuple["Entry", ...] = ()
    deeper: "Entry | None" = None


def weeks(root: Path) -> list[Entry]:
    """차례에 실린 장과 그 아래의 사례.

    Parameters
    ----------
    root : Path
        저장소의 맨 위.

    Raises
    ------
    PageError
        머리말의 주차·시간·물음이 알맞지 않거나, 주차가 차례와 어긋날 때. 파일과 줄, 고칠 것이 적혀 있습니다.
    """
    found: list[Entry] = []
    for docname, below in toc_branches(root):
        chapter, line_of = _entry(root, docname)
        if chapter.meta.get("kind") != "chapter":
            continue
        week = chapter.meta.get("week")
        if not isinstance(week, int) or (found and week <= found[-1].meta["week"]):
            raise PageError(
                f"{docname}.md:{line_of('week')}: week가 {week!r}입니다 — 장은 차례(_toc.yml)에 주차 순서로 놓습니다."
            )
        minutes = chapter.meta.get("minutes")
        if not is_plan(minutes):
            raise PageError(
                f"{docname}.md:{line_of('minutes')}: minutes는 read와 네 토막(talk, practise, case, discussion)을 정수(분)로 적고 네 토막의 합이 120이어야 합니다."
            )
        _check_questions(chapter, line_of)
        cases, deeper = [], None
        for name in below:
            case, line_of = _entry(root, name)
            if case.meta.get("kind") == "deeper":
                deeper = case
            if case.meta.get("kind") != "case":
                continue
            if case.meta.get("week") != week:
                raise PageError(
                    f"{name}.md:{line_of('week')}: week가 {case.meta.get('week')!r}인데 차례(_toc.yml)에서는 {week}주차 장 아래에 있습니다 — 하나로 맞추세요."
                )
            _check_questions(case, line_of)
            cases.append(case)
        found.append(Entry(chapter.docname, chapter.title, chapter.meta, tuple(cases), deeper))
    return found


def _entry(root: Path, docname: str):
    page = read_page(root / f"{docname}.md")
    return Entry(docname, page.title, page.meta), parse(page.text).front_matter_line


def _check_questions(entry: Entry, line_of) -> None:
    questions = entry.meta.get("question")
    if not isinstance(questions, list) or not set(questions) <= {1, 2, 3, 4}:
        raise PageError(
            f"{entry.docname}.md:{line_of('question')}: question은 1, 2, 3, 4 가운데에서 목록으로 고릅니다. 받은 것: {questions!r}"
        )


class WeeklyTable(SphinxDirective):
    """주차 표."""

    has_content = False

    def run(self) -> list[nodes.Node]:
        root = Path(self.env.srcdir)
        self.env.note_dependency(str(root / "_toc.yml"))
        try:
            rows = weeks(root)
        except (PageError, OSError) as error:
            return [self.state_machine.reporter.error(str(error), line=self.lineno)]
        for row in rows:
            for entry in (row, *row.cases, *filter(None, [row.deeper])):
                self.env.note_dependency(str(root / f"{entry.docname}.md"))
        return [self._table(rows)]

    def _link(self, entry: Entry, text: str) -> nodes.Node:
        return addnodes.pending_xref(
            "", nodes.inline("", text), refdomain="std", reftype="doc", reftarget=f"/{entry.docname}",
            refexplicit=True, refwarn=True, refdoc=self.env.docname,
        )  # fmt: skip

    def _chapter(self, row: Entry) -> nodes.Node:
        """장의 이름. 쌍점 뒤는 좁은 화면에서 감출 수 있게 따로 둡니다."""
        topic, colon, rest = row.title.partition(":")
        line = nodes.paragraph("", "", self._link(row, topic))
        if colon:
            line += nodes.inline("", f":{rest}", classes=["week-rest"])
        return line

    def _table(self, rows: list[Entry]) -> nodes.Node:
        table = nodes.table(classes=["weekly-table"])
        group = nodes.tgroup(cols=len(HEADINGS))
        table += group
        group += [nodes.colspec(colwidth=width) for width in (7, 63, 15, 15)]
        head, body = nodes.thead(), nodes.tbody()
        group += [head, body]
        head += nodes.row("", *(nodes.entry("", nodes.paragraph("", text)) for text in HEADINGS))
        body += [self._row(row) for row in rows]
        return table

    def _row(self, row: Entry) -> nodes.Node:
        more = [self._link(row.deeper, "심화")] if row.deeper else []
        if row.cases:
            week = f"{GALLERY}.html#week={row.meta['week']}주차"
            more.append(nodes.reference("", f"사례 {len(row.cases)}", refuri=week, internal=True))
        beside = nodes.paragraph("", "")
        for position, link in enumerate(more):
            beside += [nodes.Text(" · "), link] if position else [link]
        cells = [
            nodes.paragraph("", str(row.meta["week"])),
            self._chapter(row),
            beside if more else nodes.paragraph("", "—"),
            nodes.paragraph("", f"{row.meta['minutes']['read']}·{row.meta['minutes']['practise']}분"),
        ]
        return nodes.row("", *(nodes.entry("", cell) for cell in cells))


def setup(app: Sphinx) -> dict:
    app.add_directive("weekly-table", WeeklyTable)
    return {"version": "2", "parallel_read_safe": True, "parallel_write_safe": True}
