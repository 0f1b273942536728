"""사례 모음. 카드는 사례의 머리말에서 만들고, 거르기는 쪽 안에서 합니다(서버가 필요 없습니다).

자바스크립트가 꺼져 있으면 거르기 단추 없이 모든 카드가 보입니다.
"""

import html
import json
import re
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from book.evening import reading_line
from book.page import Page, PageError, published_pages

ASSETS = Path(__file__).parent / "gallery_assets" / "static"
QUESTIONS = {1: "왜 이 기법인가", 2: "고객을 해치지 않고", 3: "자동화", 4: "제조 현장의 결정"}
FILTERS = {"method": "방법", "industry": "산업", "week": "주차", "question": "물음"}
_NOT_CASES = {"case_studies/index", "case_studies/template"}


def cases(pages: list[Page] | None = None) -> list[Page]:
    """차례에 실린 사례(모음과 템플릿, 초안은 뺌)를 주차와 제목 차례로 돌려줍니다.

    Raises
    ------
    PageError
        카드를 만들 수 없는 머리말이 있을 때.
    """
    found = published_pages() if pages is None else pages
    found = [
        p for p in found if p.meta.get("kind") == "case" and p.docname not in _NOT_CASES and not p.meta.get("draft")
    ]
    for page in found:
        facets(page)
    return sorted(found, key=lambda p: (p.meta["week"], p.title))


def facets(page: Page) -> dict[str, list[str]]:
    """사례 하나의 거르기 값. 화면에 나오는 말 그대로입니다.

    Raises
    ------
    PageError
        주차가 정수가 아니거나, 방법이 목록이 아니거나, 물음이 1, 2, 3, 4의 목록이 아닐 때.
    """
    meta, where = page.meta, f"{page.docname}.md:1"
    if not isinstance(meta.get("week"), int):
        raise PageError(f"{where}: 머리말의 week가 없거나 정수가 아니어서 사례 모음에 넣을 수 없습니다.")
    questions, methods = meta.get("question"), meta.get("method")
    if not isinstance(questions, list) or not set(questions) <= set(QUESTIONS):
        raise PageError(f"{where}: 머리말의 question은 1, 2, 3, 4 가운데에서 목록으로 고릅니다. 받은 것: {questions!r}")
    if not isinstance(methods, list):
        raise PageError(f"{where}: 머리말의 method는 [이중차분법] 꼴의 목록입니다. 받은 것: {methods!r}")
    return {
        "method": [str(method) for method in methods],
        "industry": [str(meta["industry"])] if meta.get("industry") else [],
        "week": [f"{meta['week']}주차"],
        "question": [f"{number}. {QUESTIONS[number]}" for number in sorted(questions)],
    }


def render(pages: list[Page], relative: str) -> str:
    """카드와 거르기 단추의 HTML.

    Parameters
    ----------
    pages : list of Page
    relative : str
        모음 쪽에서 사이트 뿌리까지의 상대 주소(예: ``../``).
    """
    values = [facets(page) for page in pages]
    groups = "".join(_filter(key, name, [v for facet in values for v in facet[key]]) for key, name in FILTERS.items())
    cards = "".join(_card(page, facet, relative) for page, facet in zip(pages, values, strict=True))
    return (
        f'<div class="gallery"><div class="gallery-filters" hidden>{groups}</div>'
        f'<p class="gallery-status"><span class="gallery-count" role="status">사례 {len(pages)}개</span>'
        '<button type="button" class="gallery-reset" hidden>모두 보기</button></p>'
        '<div class="gallery-none" hidden><p>고른 조건에 모두 맞는 사례가 없습니다. 조건을 하나 풀어 보세요.</p>'
        '<button type="button" class="gallery-reset">모두 보기</button></div>'
        f'<ul class="gallery-cards">{cards}</ul></div>'
    )


def _filter(key: str, name: str, values: list[str]) -> str:
    if not values:
        return ""
    buttons = "".join(
        f'<button type="button" aria-pressed="false" data-value="{html.escape(value)}">{html.escape(value)} '
        f'<span class="gallery-of"><span class="gallery-spoken">사례 </span>{values.count(value)}<span class="gallery-spoken">개</span></span></button>'
        for value in sorted(set(values), key=_order)
    )
    return f'<fieldset class="gallery-filter" data-facet="{key}"><legend>{name}</legend>{buttons}</fieldset>'


def _order(value: str) -> tuple[int, str]:
    """'2주차'가 '11주차'보다 앞에 오게 합니다."""
    digits = re.match(r"\d+", value)
    return (int(digits.group()) if digits else 10**6, value)


def _card(page: Page, values: dict[str, list[str]], relative: str) -> str:
    meta = page.meta
    data = html.escape(json.dumps(values, ensure_ascii=False))
    over = " · ".join(
        filter(None, [values["week"][0], str(meta.get("organisation") or ""), str(meta.get("year") or "")])
    )
    tags = "".join(f"<li>{html.escape(v)}</li>" for v in [*values["method"], *values["industry"]])
    under = list(filter(None, [reading_line(meta.get("minutes"))]))
    under += [f"추정 대상 {html.escape(str(meta['estimand']))}"] if meta.get("estimand") else []
    return (
        f'<li class="gallery-card" data-facets="{data}"><h2><a href="{relative}{page.docname}.html">{html.escape(page.title)}</a></h2>'
        f'<p class="gallery-over">{html.escape(over)}</p><p>{html.escape(str(meta.get("description") or ""))}</p>'
        f'<ul class="gallery-tags">{tags}</ul><p class="gallery-minutes">{" · ".join(under)}</p></li>'
    )


class CaseGallery(SphinxDirective):
    """```` ```{case-gallery} ``` ````"""

    def run(self) -> list[nodes.Node]:
        try:
            pages = cases()
        except PageError as error:
            return [self.state_machine.reporter.error(str(error), line=self.lineno)]
        for page in pages:
            self.env.note_dependency(str(page.path))
        relative = "../" * self.env.docname.count("/")
        return [nodes.raw("", render(pages, relative), format="html")]


def _add_assets(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """거르기는 모음이 있는 쪽에만 싣습니다."""
    if 'class="gallery"' in (context.get("body") or ""):
        app.add_css_file("gallery/gallery.css")
        app.add_js_file("gallery/gallery.js", loading_method="defer")


def setup(app: Sphinx) -> dict:
    app.config.html_static_path.append(str(ASSETS))
    app.add_directive("case-gallery", CaseGallery)
    app.connect("html-page-context", _add_assets)
    return {"version": "2", "parallel_read_safe": True, "parallel_write_safe": True}
