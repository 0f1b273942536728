"""사례 모음. 카드는 사례의 머리말에서 만들고, 거르기는 쪽 안에서 합니다(서버가 필요 없습니다).

자바스크립트가 꺼져 있으면 거르기 단추 없이 모든 카드가 보입니다.
"""

import html
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from tools.paths import Page, published_pages

ASSETS = Path(__file__).parent / "gallery_assets" / "static"
QUESTIONS = {1: "왜 이 기법인가", 2: "고객을 해치지 않고", 3: "자동화", 4: "제조 현장의 결정"}
FILTERS = {"method": "방법", "industry": "산업", "week": "주차", "question": "물음"}


def cases() -> list[Page]:
    """차례에 실린 사례(템플릿은 뺌)를 주차와 제목 차례로 돌려줍니다."""
    found = [p for p in published_pages() if p.meta.get("kind") == "case" and p.docname != "case_studies/template"]
    return sorted(found, key=lambda p: (p.meta["week"], p.title))


def facets(page: Page) -> dict[str, list[str]]:
    """사례 하나의 거르기 값. 화면에 나오는 말 그대로입니다."""
    meta = page.meta
    return {
        "method": [str(m) for m in meta.get("method") or []],
        "industry": [str(meta["industry"])] if meta.get("industry") else [],
        "week": [f"{meta['week']}주차"],
        "question": [f"{number}. {QUESTIONS[number]}" for number in meta.get("question") or []],
    }


def render(pages: list[Page], relative: str) -> str:
    """카드와 거르기 단추의 HTML.

    Parameters
    ----------
    pages : list of Page
    relative : str
        모음 쪽에서 사이트 뿌리까지의 상대 주소(예: ``../``).
    """
    choices = {key: sorted({v for p in pages for v in facets(p)[key]}, key=_order) for key in FILTERS}
    groups = "".join(
        f'<fieldset class="gallery-filter" data-facet="{key}"><legend>{name}</legend>'
        + "".join(
            f'<button type="button" aria-pressed="false" data-value="{html.escape(value)}">{html.escape(value)}</button>'
            for value in choices[key]
        )
        + "</fieldset>"
        for key, name in FILTERS.items()
        if choices[key]
    )
    cards = "".join(_card(page, relative) for page in pages)
    return (
        f'<div class="gallery"><div class="gallery-filters" hidden>{groups}'
        '<button type="button" class="gallery-reset">모두 보기</button></div>'
        f'<p class="gallery-count" role="status">사례 {len(pages)}개</p>'
        f'<div class="gallery-cards">{cards}</div>'
        '<p class="gallery-none" hidden>고른 조건에 맞는 사례가 없습니다. 조건을 하나 풀거나 모두 보기를 누르세요.</p></div>'
    )


def _order(value: str) -> tuple:
    digits = "".join(c for c in value if c.isdigit())
    return (int(digits) if digits and value[0].isdigit() else 10**6, value)


def _card(page: Page, relative: str) -> str:
    meta, values = page.meta, facets(page)
    data = "".join(f' data-{key}="{html.escape("|".join(v))}"' for key, v in values.items())
    tags = "".join(f"<li>{html.escape(v)}</li>" for v in [*values["method"], *values["industry"]])
    minutes = meta.get("minutes") or {}
    return (
        f'<article class="gallery-card"{data}><p class="gallery-over">{html.escape(values["week"][0])} · '
        f'{html.escape(str(meta.get("organisation", "")))}</p>'
        f'<h3><a href="{relative}{page.docname}.html">{html.escape(page.title)}</a></h3>'
        f"<p>{html.escape(meta.get('description') or '')}</p>"
        f'<ul class="gallery-tags">{tags}</ul><p class="gallery-minutes">읽기 {minutes.get("read", "?")}분 · 실습 {minutes.get("practise", "?")}분'
        f" · 추정 대상 {html.escape(str(meta.get('estimand', '')))}</p></article>"
    )


class CaseGallery(SphinxDirective):
    """```` ```{case-gallery} ``` ````"""

    def run(self) -> list[nodes.Node]:
        pages = cases()
        for page in pages:
            self.env.note_dependency(str(page.path))
        relative = "../" * self.env.docname.count("/")
        return [nodes.raw("", render(pages, relative), format="html")]


def setup(app: Sphinx) -> dict:
    app.config.html_static_path.append(str(ASSETS))
    app.add_directive("case-gallery", CaseGallery)
    app.add_css_file("gallery/gallery.css")
    app.add_js_file("gallery/gallery.js", loading_method="defer")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
