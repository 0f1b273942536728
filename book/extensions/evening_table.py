"""두 시간 모임의 시간표를 그리는 지시자 ``evening``. 시간은 그 쪽의 머리말에서, 할 일은 지시자의 줄에서 읽습니다."""

from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from book.evening import EveningError, slots
from book.page import PageError, read_page

HEADINGS = ("시각(분)", "순서", "하는 일")


class EveningTable(SphinxDirective):
    """``:::{evening}``"""

    has_content = True

    def run(self) -> list[nodes.Node]:
        try:
            page = read_page(Path(self.env.srcdir) / f"{self.env.docname}.md")
            plan = slots(page.meta.get("minutes"), list(self.content))
        except (EveningError, PageError) as error:
            return [self.state_machine.reporter.error(str(error), line=self.lineno)]
        table = nodes.table(classes=["evening-table"])
        group = nodes.tgroup(cols=len(HEADINGS))
        table += group
        group += [nodes.colspec(colwidth=width) for width in (16, 12, 72)]
        head, body = nodes.thead(), nodes.tbody()
        group += [head, body]
        head += self._row([nodes.Text(text)] for text in HEADINGS)
        for slot in plan:
            said, messages = self.parse_inline(slot.text, lineno=self.lineno)
            span = f"{slot.start}~{slot.start + slot.minutes}"
            body += self._row([[nodes.Text(span)], [nodes.Text(slot.label)], [*said, *messages]])
        return [table]

    def _row(self, cells) -> nodes.row:
        return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", *cell)) for cell in cells))


def setup(app: Sphinx) -> dict:
    app.add_directive("evening", EveningTable)
    return {"version": "1.0", "parallel_read_safe": True, "parallel_write_safe": True}
