"""쪽의 머리: 제목 앞의 '5주차 심화 ·', 제목 아래의 분, 제목의 글에서 만든 주소.

주차는 차례(``_toc.yml``)의 자리와 그 장의 머리말에서 나오며, 제목에 적지 않습니다. 원고를 읽을 때 제목에 붙이므로
차례, 앞뒤 쪽, ``<title>``, 공유 카드, 검색이 모두 같은 이름을 봅니다.
"""

import html
import re
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

from book.evening import reading_line
from book.page import read_page, week_marks

_NUMBER = re.compile(r"^[\d.]+\.?\s+")  # '3.2 ', '10. '. '2단계 최소제곱법'의 2는 이름입니다
_NOT_WORD = re.compile(r"[^\w\- ]")
_FIRST_HEADING_END = re.compile(r"</h1>")


def anchor(heading: str) -> str:
    """제목의 주소. 절의 번호는 빼므로, 앞에 절이 하나 늘어도 주소가 그대로입니다.

    Parameters
    ----------
    heading : str
        제목의 글.

    Returns
    -------
    str
        '3.2 성향점수와 직교화'이면 ``성향점수와-직교화``. 숫자로 시작하면 CSS의 이름이 될 수 없어 ``_``를 붙입니다.
    """
    words = _NOT_WORD.sub("", _NUMBER.sub("", heading.lower())).split()
    name = "-".join(words).strip("-") or "절"
    return f"_{name}" if name[0].isdigit() else name


class ReadableIds(SphinxTransform):
    """``id7`` 대신 제목의 글을 절의 주소로 씁니다. 같은 제목이 또 있으면 ``-2``를 붙입니다.

    ``[글](쪽.md#3-2-제목)``은 myst가 기억한 주소로 찾으므로 그 기억도 함께 고칩니다.
    """

    default_priority = 400  # 적어 둔 이름표가 절로 옮겨진(260) 뒤, 쪽 안의 링크를 잇기(879) 앞

    def apply(self, **kwargs) -> None:
        slugs = getattr(self.document, "myst_slugs", {})
        for slug, (line, old, heading) in list(slugs.items()):
            section = self.document.ids.pop(old)
            first = anchor(heading)
            new, count = first, 1
            while new in self.document.ids:
                count += 1
                new = f"{first}-{count}"
            section["ids"] = [new if name == old else name for name in section["ids"]]
            self.document.ids[new] = section
            for name, target in self.document.nameids.items():
                if target == old:
                    self.document.nameids[name] = new
            slugs[slug] = (line, new, heading)


class WeekMark(SphinxTransform):
    """쪽의 제목 앞에 '5주차 심화 · '를 붙입니다."""

    default_priority = 410

    def apply(self, **kwargs) -> None:
        mark = self.app.week_marks.get(self.env.docname)
        title = next(iter(self.document.findall(nodes.title)), None)
        if mark and title is not None and isinstance(title.parent, nodes.section):
            title.insert(0, nodes.inline("", f"{mark} · ", classes=["week-mark"]))


def _minutes(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    source = Path(app.srcdir) / f"{pagename}.md"
    if not context.get("body") or doctree is None or not source.is_file():
        return
    meta = read_page(source).meta
    said = reading_line(meta.get("minutes")) if meta.get("kind") in {"chapter", "deeper", "case"} else ""
    if said:
        line = f'</h1><p class="page-minutes">{html.escape(said)}</p>'
        context["body"] = _FIRST_HEADING_END.sub(lambda _: line, context["body"], count=1)


def _read_marks(app: Sphinx) -> None:
    app.week_marks = week_marks(Path(app.srcdir))


def setup(app: Sphinx) -> dict:
    app.connect("builder-inited", _read_marks)
    app.add_transform(ReadableIds)
    app.add_transform(WeekMark)
    app.connect("html-page-context", _minutes, priority=710)  # 쪽 도구 줄(700)보다 나중에 넣어 그 위에 놓입니다
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
