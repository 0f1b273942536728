"""쪽에서 발표 자료(reveal.js)를 만듭니다.

사이트를 만드는 그 한 번의 빌드에서, 다 만들어진 쪽의 HTML을 잘라 씁니다. 그래서 숫자, 그림, 수식,
용어 링크가 쪽과 늘 같고, 같은 글을 두 번 쓰지 않습니다.

슬라이드가 되는 것: ``{slide}`` 블록(새 장), ``slide``·``slide-output`` 꼬리표가 붙은 코드 셀(지금 장에 더함,
``slide-new``가 함께 있으면 새 장), ``{notes}``(발표자 화면. 제목을 적으면 그 장의 제목이 됩니다).
"""

import copy
import html
import os
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from lxml import etree
from lxml import html as lxml_html
from sphinx.application import Sphinx

from book.evening import session_minutes
from book.extensions.page_directives import NOTES, SLIDE_TITLE
from book.page import ROOT, WEEK_KINDS, read_page, toc_branches, week_marks

SESSION_GUIDE = "guides/running_a_session"  # 모임을 여는 사람이 오는 쪽. 여기서 모든 발표 자료로 갑니다
ASSETS = Path(__file__).parent / "slides_assets"


@dataclass
class Slide:
    """슬라이드 한 장: 제목, 담을 요소, 발표자 노트(HTML)."""

    title: str
    parts: list = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def collect(body: str) -> list[Slide]:
    """쪽의 본문 HTML에서 슬라이드를 차례대로 모읍니다.

    Parameters
    ----------
    body : str
        발표자 노트 표시가 아직 남아 있는 본문.

    Returns
    -------
    list of Slide
        슬라이드로 표시된 것이 없으면 비어 있습니다.
    """
    marked = NOTES.sub(lambda m: f'<div class="presenter-notes">{m.group(1)}</div>', body)
    root = lxml_html.fragment_fromstring(marked, create_parent="div")
    slides: list[Slide] = []
    heading = ""

    def visit(element) -> None:
        nonlocal heading
        classes = (element.get("class") or "").split()
        if element.tag in {"h1", "h2", "h3"}:
            heading = _text(element)
        elif "slide-block" in classes:
            slides.append(Slide(element.get("data-slide-title") or heading, [element]))
            return
        elif "presenter-notes" in classes:
            for title in element.xpath(f"./p[@class='{SLIDE_TITLE}']"):
                if slides:
                    slides[-1].title = _text(title)
                title.drop_tree()
            if slides:
                slides[-1].notes.append(_inner(element))
            return
        elif "cell" in classes and ({"tag_slide", "tag_slide-output"} & set(classes)):
            if "tag_slide-new" in classes or not slides:
                slides.append(Slide(heading))
            slides[-1].parts.append(_cell(element, output_only="tag_slide-output" in classes))
            return
        for child in element:
            if isinstance(child.tag, str):
                visit(child)

    visit(root)
    return slides


def _text(heading) -> str:
    clone = copy.deepcopy(heading)
    for link in clone.xpath(".//a[contains(@class, 'headerlink')]"):
        link.drop_tree()
    return " ".join(clone.text_content().split())


def _cell(cell, output_only: bool):
    clone = copy.deepcopy(cell)
    for kept in clone.xpath(".//*[@class='explore']/details"):  # 움직이는 그림은 시작 상태만 싣습니다
        kept.drop_tree()
    for details in clone.xpath(".//details"):  # 접어 둔 코드는 펼칩니다. 출력만 싣는 장에서는 아래에서 지웁니다.
        for summary in details.xpath("./summary"):
            summary.drop_tree()
        details.drop_tag()
    if output_only:
        for part in clone.xpath("./*[contains(concat(' ', @class, ' '), ' cell_input ')]"):
            part.drop_tree()
    return clone


def _inner(element) -> str:
    return (html.escape(element.text) if element.text else "") + "".join(
        etree.tostring(child, encoding="unicode", method="html") for child in element
    )


def _relocate(element, page: PurePosixPath, deck: PurePosixPath) -> str:
    """쪽 기준의 상대 주소를 발표 자료 기준으로 바꾼 HTML을 돌려줍니다."""
    clone = copy.deepcopy(element)
    clone.tail = None
    for node in clone.iter():
        if not isinstance(node.tag, str):
            continue
        if node.tag == "svg" or any(above.tag == "svg" for above in node.iterancestors()):
            continue  # 그림 안의 이름은 그림이 부릅니다(눈금, 오려 낸 자리)
        node.attrib.pop("id", None)
        if node.tag == "img":  # 첫 장이 그림을 기다리지 않게 합니다. 나머지는 deck.js가 미리 받습니다
            node.set("loading", "lazy")
        for attribute in ("href", "src"):
            value = node.get(attribute)
            if not value or urlsplit(value).scheme or value.startswith("//"):
                continue
            target = page.name + value if value.startswith("#") else value
            path, _, fragment = target.partition("#")
            absolute = os.path.normpath(page.parent / path)
            node.set(
                attribute,
                os.path.relpath(absolute, deck.parent).replace(os.sep, "/") + (f"#{fragment}" if fragment else ""),
            )
    for link in clone.xpath(".//a[contains(@class, 'headerlink')]"):
        link.drop_tree()
    return etree.tostring(clone, encoding="unicode", method="html")


def render(slides: list[Slide], docname: str, meta: dict, title: str) -> str:
    """발표 자료 한 벌의 HTML."""
    page, deck = PurePosixPath(f"{docname}.html"), PurePosixPath(f"slides/{docname}.html")
    root = os.path.relpath(".", deck.parent).replace(os.sep, "/")
    back = os.path.relpath(page, deck.parent).replace(os.sep, "/")
    index = os.path.relpath("slides/index.html", deck.parent).replace(os.sep, "/")
    sections = [_title_section(title, meta)]
    has_math = False
    for slide in slides:
        body = "\n".join(_relocate(part, page, deck) for part in slide.parts)
        has_math |= 'class="math' in body
        notes = "".join(slide.notes)
        sections.append(
            f'<section><h2>{html.escape(slide.title)}</h2>\n<div class="slide-body">{body}</div>\n'
            + (f'<aside class="notes">{notes}</aside>\n' if notes else "")
            + "</section>"
        )
    sections.append(
        '<section class="closing"><h2>여기까지입니다</h2><div class="slide-body">'
        f'<p><a href="{back}">{html.escape(title)}</a></p><p>코드와 연습문제는 쪽에 있습니다.</p><p><a href="{index}">모든 발표 자료</a></p></div></section>'
    )
    return (
        (ASSETS / "deck.html")
        .read_text(encoding="utf-8")
        .replace("{{title}}", html.escape(title))
        .replace("{{root}}", root)
        .replace("{{math}}", "yes" if has_math else "no")
        .replace("{{slides}}", "\n".join(sections))
    )


def _title_section(title: str, meta: dict) -> str:
    if meta.get("kind") == "case":
        over = f"{meta.get('week')}주차 사례 · {meta.get('organisation')}"
        source = meta.get("source") or {}
        under = f"출처: {source.get('title', '')} ({meta.get('year', '')})" if source.get("title") else ""
    else:
        over = " ".join(filter(None, [f"{meta.get('week')}주차", WEEK_KINDS.get(meta.get("kind"))]))
        under = f"교재 {meta['textbook_chapter']}장" if meta.get("textbook_chapter") else ""
    talk = f"{session(meta)}분" if session(meta) else ""
    lines = "".join(f"<p>{html.escape(str(line))}</p>" for line in (meta.get("description"), under, talk) if line)
    return (
        f'<section class="title-slide"><p class="over">{html.escape(over)}</p><h1>{html.escape(title)}</h1>{lines}'
        '<aside class="notes">S 키로 발표자 화면을, F 키로 전체 화면을 엽니다. 주소 뒤에 ?print-pdf를 붙이면 인쇄용입니다.</aside></section>'
    )


def session(meta: dict) -> int | None:
    """발표하는 시간(분). 머리말에 없으면 None."""
    minutes = meta.get("minutes") or {}
    return minutes.get("talk") or session_minutes(minutes) or None


def deck_list(out: Path, docnames: list[str], root: Path = ROOT) -> str:
    """발표 자료를 모두 모은 쪽의 본문. 차례의 순서대로 한 줄에 하나씩입니다.

    Parameters
    ----------
    out : Path
        사이트의 폴더. 이 안의 ``slides/``를 봅니다.
    docnames : list of str
        차례에 실린 쪽. 발표 자료가 없는 쪽은 싣지 않습니다.
    root : Path
        저장소의 맨 위.
    """
    marks, rows, total = week_marks(root), [], 0
    for name in docnames:
        deck = out / "slides" / f"{name}.html"
        if not deck.is_file():
            continue
        slides = lxml_html.fromstring(deck.read_bytes()).xpath("//div[@class='slides']/section")
        noted = sum(bool(section.xpath("./aside[@class='notes']")) for section in slides)
        page = read_page(root / f"{name}.md")
        minutes, total = session(page.meta), total + 1
        rows.append(
            f'<tr><td>{html.escape(marks.get(name, ""))}</td><td><a href="{name}.html">{html.escape(page.title)}</a></td>'
            f"<td>{len(slides)}</td><td>{noted}</td><td>{minutes or ''}</td></tr>"
        )
    return (
        f"<section><h1>발표 자료</h1><p>쪽마다 하나씩, 모두 {total}벌입니다. 자료는 그 쪽의 실행 결과에서 나와 숫자와 그림이 같습니다.</p>"
        "<p>화살표로 넘기고, S를 누르면 발표자 노트가, F를 누르면 전체 화면이 열립니다. "
        "주소 뒤에 <code>?print-pdf</code>를 붙이면 한 장이 한 종이인 인쇄용입니다.</p>"
        '<table class="decks"><thead><tr><th>주차</th><th>발표 자료</th><th>장수</th><th>노트가 있는 장</th><th>발표(분)</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></section>"
    )


def _deck_page(app: Sphinx):
    """발표 자료를 모은 쪽 ``slides/index``. 쪽을 다 쓴 뒤에 만들므로, 바뀐 쪽만 다시 지어도 모두 실립니다."""
    if app.builder.name == "html" and any((Path(app.outdir) / "slides").glob("*/*.html")):
        names = [name for name, _ in toc_branches(Path(app.srcdir))]
        body = deck_list(Path(app.outdir), names, Path(app.srcdir))
        yield "slides/index", {"title": "발표 자료", "body": body, "toc": ""}, "page.html"


def _write_deck(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    body = context.get("body")
    if app.builder.name != "html" or not body or doctree is None:
        return
    if pagename == SESSION_GUIDE:
        context.setdefault("page_tools", []).append(
            {"label": "모든 발표 자료", "url": "../slides/index.html", "kind": "slides"}
        )
    slides = collect(body) if "slide-block" in body or "tag_slide" in body else []
    context["body"] = NOTES.sub("", body)
    deck = Path(app.outdir) / "slides" / f"{pagename}.html"
    if not slides:
        deck.unlink(missing_ok=True)
        return
    page = read_page(Path(app.srcdir) / f"{pagename}.md")
    deck.parent.mkdir(parents=True, exist_ok=True)
    deck.write_text(render(slides, pagename, page.meta, page.title), encoding="utf-8")
    url = os.path.relpath(f"slides/{pagename}.html", PurePosixPath(pagename).parent).replace(os.sep, "/")
    context.setdefault("page_tools", []).append({"label": "슬라이드", "url": url, "kind": "slides"})


def setup(app: Sphinx) -> dict:
    app.config.html_static_path.append(str(ASSETS / "static"))
    app.connect("html-page-context", _write_deck, priority=400)
    app.connect("html-collect-pages", _deck_page)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
