"""사례 모음. 카드는 사례의 머리말에서 만들고, 거르기는 쪽 안에서 합니다(card_filter)."""

import base64
import html
import io
import json
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

from book.cases import METHODS, check_methods, main_figure
from book.evening import reading_line
from book.execution import stored
from book.extensions import card_filter
from book.page import Page, PageError, published_pages

QUESTIONS = {1: "왜 이 기법인가", 2: "고객을 해치지 않고", 3: "자동화", 4: "제조 현장의 결정"}
FILTERS = {"method": "방법", "industry": "산업", "week": "주차", "question": "물음"}
FOLDED = ("industry", "week", "question")  # 접어 두는 갈래. 방법만 펼쳐 두어 카드가 첫 화면에 보입니다
PICTURES = "_images/cases"
PICTURE_SIZE = (560, 280)  # 카드의 너비(280px 안팎)의 두 배
PICTURE_BYTES = 25_000
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
        주차가 정수가 아니거나, 방법이 모르는 이름이거나, 물음이 1, 2, 3, 4의 목록이 아닐 때.
    """
    meta, where = page.meta, f"{page.docname}.md:1"
    if not isinstance(meta.get("week"), int):
        raise PageError(f"{where}: 머리말의 week가 없거나 정수가 아니어서 사례 모음에 넣을 수 없습니다.")
    questions = meta.get("question")
    if not isinstance(questions, list) or not set(questions) <= set(QUESTIONS):
        raise PageError(f"{where}: 머리말의 question은 1, 2, 3, 4 가운데에서 목록으로 고릅니다. 받은 것: {questions!r}")
    return {
        "method": check_methods(page),
        "industry": [str(meta["industry"])] if meta.get("industry") else [],
        "week": [f"{meta['week']}주차"],
        "question": [f"{number}. {QUESTIONS[number]}" for number in sorted(questions)],
    }


def picture(png: bytes) -> bytes:
    """그림을 카드에 실을 크기(:data:`PICTURE_SIZE`)로 줄인 WebP. 둘레의 흰 곳은 잘라 냅니다.

    Parameters
    ----------
    png : bytes
        노트북의 출력에 담긴 PNG.
    """
    from PIL import Image, ImageChops, ImageOps

    figure = Image.open(io.BytesIO(png)).convert("RGB")
    white = Image.new("RGB", figure.size, "white")
    if box := ImageChops.difference(figure, white).getbbox():
        figure = figure.crop(box)
    width, height = PICTURE_SIZE
    figure = ImageOps.contain(figure, (width - 24, height - 24), Image.Resampling.LANCZOS)
    canvas = Image.new("RGB", PICTURE_SIZE, "white")
    canvas.paste(figure, ((width - figure.width) // 2, (height - figure.height) // 2))
    out = io.BytesIO()
    canvas.save(out, "WEBP", quality=72, method=4)
    return out.getvalue()


def _png(page: Page) -> bytes:
    """사례의 대표 그림(실행 결과에 담긴 PNG).

    Raises
    ------
    PageError
        꼬리표를 단 셀이 그림을 내지 않았을 때.
    """
    number, cell = main_figure(page)
    done = stored(page)
    if done is None:
        raise PageError(f"{page.docname}.md: 보관한 실행이 없습니다. `make book`을 다시 돌리세요.")
    ran = [c for c in done.notebook().cells if c.cell_type == "code"][number]
    for output in ran.outputs:
        if data := output.get("data", {}).get("image/png"):
            return base64.b64decode(data)
    raise PageError(
        f"{page.docname}.md:{cell.line}: main-figure 셀이 그림을 내지 않았습니다 — 그림을 그리는 셀로 꼬리표를 옮기세요."
    )


def render(pages: list[Page], relative: str, alts: dict[str, str] | None = None) -> str:
    """카드와 거르기 단추의 HTML.

    Parameters
    ----------
    pages : list of Page
    relative : str
        모음 쪽에서 사이트 뿌리까지의 상대 주소(예: ``../``).
    alts : dict of str to str, optional
        쪽의 이름 → 대표 그림의 대체 텍스트. 없는 쪽의 카드에는 그림이 없습니다.
    """
    values = [facets(page) for page in pages]
    cards = "".join(
        _card(page, facet, relative, (alts or {}).get(page.docname), first=number < 2)
        for number, (page, facet) in enumerate(zip(pages, values, strict=True))
    )
    listed = f'<ul class="gallery-cards">{cards}</ul>'
    return card_filter.render(FILTERS, values, listed, "사례", "개", {"method": METHODS}, FOLDED)


def _card(page: Page, values: dict[str, list[str]], relative: str, alt: str | None, first: bool) -> str:
    meta = page.meta
    data = html.escape(json.dumps(values, ensure_ascii=False))
    over = " · ".join(
        filter(None, [values["week"][0], str(meta.get("organisation") or ""), str(meta.get("year") or "")])
    )
    tags = "".join(f"<li>{html.escape(v)}</li>" for v in [*values["method"], *values["industry"]])
    under = list(filter(None, [reading_line(meta.get("minutes"))]))
    under += [f"추정 대상 {html.escape(str(meta['estimand']))}"] if meta.get("estimand") else []
    width, height = PICTURE_SIZE
    image = (
        f'<img class="gallery-picture" src="{relative}{PICTURES}/{page.path.stem}.webp" width="{width}" height="{height}"'
        f'{"" if first else " loading=lazy"} decoding="async" alt="{html.escape(alt)}">'
        if alt
        else ""
    )
    return (
        f'<li class="gallery-card" data-facets="{data}">{image}<h2><a href="{relative}{page.docname}.html">{html.escape(page.title)}</a></h2>'
        f'<p class="gallery-over">{html.escape(over)}</p><p>{html.escape(str(meta.get("description") or ""))}</p>'
        f'<ul class="gallery-tags">{tags}</ul><p class="gallery-minutes">{" · ".join(under)}</p></li>'
    )


class CaseGallery(SphinxDirective):
    """```` ```{case-gallery} ``` ````"""

    def run(self) -> list[nodes.Node]:
        try:
            pages = cases()
            alts = {page.docname: main_figure(page)[1].alt for page in pages}
        except PageError as error:
            return [self.state_machine.reporter.error(str(error), line=self.lineno)]
        for page in pages:
            self.env.note_dependency(str(page.path))
        relative = "../" * self.env.docname.count("/")
        return [nodes.raw("", render(pages, relative, alts), format="html")]


def _write_pictures(app: Sphinx, error: Exception | None) -> None:
    """모음이 있는 책에만 씁니다. 실행이 바뀌어도 모음의 원고는 그대로이므로 빌드마다 씁니다."""
    if error or app.builder.name != "html" or "case_studies/index" not in app.env.found_docs:
        return
    folder = Path(app.outdir) / PICTURES
    folder.mkdir(parents=True, exist_ok=True)
    try:
        made = {f"{page.path.stem}.webp": picture(_png(page)) for page in cases()}
    except PageError as problem:
        raise ExtensionError(str(problem)) from None
    for name, content in made.items():
        if len(content) > PICTURE_BYTES:
            raise ExtensionError(
                f"case_studies/{name.removesuffix('.webp')}.md: 카드의 그림이 {len(content):,}바이트입니다({PICTURE_BYTES:,}까지) — 점과 선이 적은 그림으로 main-figure를 옮기세요."
            )
        (folder / name).write_bytes(content)
    for path in folder.glob("*.webp"):
        if path.name not in made:
            path.unlink()


def setup(app: Sphinx) -> dict:
    app.setup_extension("book.extensions.card_filter")
    app.add_directive("case-gallery", CaseGallery)
    app.connect("build-finished", _write_pictures)
    return {"version": "2", "parallel_read_safe": True, "parallel_write_safe": True}
