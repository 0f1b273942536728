"""만들어진 사이트를 쪽마다 인쇄해 책 한 권의 PDF로 잇습니다. 실행은 하지 않습니다.

python -m book.commands.pdf

쪽 번호는 책 전체에 이어지고, 책갈피는 부 → 쪽 → 절이며, 쪽 사이의 링크는 PDF 안에서 옮겨 갑니다.
사이트의 글꼴은 가변 글꼴이라 PDF에 그림(Type 3)으로 들어갑니다. 그래서 인쇄할 때만 나눔고딕을 씁니다.
"""

import html
import io
import os
import sys
import time
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from fontTools.ttLib import TTFont
from lxml import html as lxml_html
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import Link
from pypdf.generic import Fit, NameObject, TextStringObject

from book.browser import BrowserMissing, chromium, serve
from book.files import explain
from book.page import ROOT, PageError, html_dir, read_page
from book.whole_book import contents, keep, keys_now, read_toc, source_digest
from causal_practice import package_file

TITLE, AUTHOR = "인과추론과 실무", "인과추론과 실무 기여자"
FONTS = {400: "NanumGothic.ttf", 700: "NanumGothicBold.ttf"}
FRONT = "__front__"  # 표지와 차례의 이름. 사이트에는 없는 쪽입니다
SETTLED = (
    "async () => { await document.fonts.ready; if (window.MathJax?.startup?.promise) await MathJax.startup.promise;"
    " await Promise.all([...document.images].map((i) => { i.loading = 'eager'; return i.decode().catch(() => {}); })); }"
)
# 크로뮴은 문서 안의 링크가 가리키는 자리만 이름을 붙여 줍니다. 다른 쪽이 가리키는 자리와 절에 보이지 않는 링크를 답니다.
NAME_PLACES = """(ids) => {
  const p = document.createElement("p");
  p.style.cssText = "font-size: 1px; line-height: 0; height: 0; margin: 0; overflow: hidden";
  for (const id of ids) if (document.getElementById(id)) {
    const a = document.createElement("a");
    a.href = "#" + encodeURIComponent(id); a.textContent = "."; a.style.color = "transparent";
    p.append(a);
  }
  document.querySelector("article, body").append(p);
}"""
STYLE = """
@font-face {{ font-family: "Book Print"; font-weight: 400; src: url(/__print__/400.ttf); }}
@font-face {{ font-family: "Book Print"; font-weight: 700; src: url(/__print__/700.ttf); }}
:root {{ --pst-font-family-base: "Book Print", "Book Core", "Pretendard Variable", sans-serif !important; --bs-body-font-family: var(--pst-font-family-base) !important; }}
html {{ counter-reset: page {before}; }}
@page {{ @bottom-center {{ font-family: "Book Print"; content: {number}; }} @bottom-left {{ font-family: "Book Print"; font-size: 8pt; color: #4b5563; content: "{running}"; }} }}
#jb-print-toc, .bd-footer {{ display: none !important; }}
"""
FRONT_PAGE = """<!doctype html><html lang="ko"><head><meta charset="utf-8"><title>{title}</title><style>
@page {{ size: A4; margin: 16mm 16mm 18mm; @bottom-center {{ font-size: 9pt; color: #4b5563; }} }}
body {{ font: 10.5pt/1.7 "Book Print", sans-serif; margin: 0; word-break: keep-all; }}
.cover {{ break-after: page; padding-top: 60mm; }} h1 {{ font-size: 34pt; line-height: 1.3; margin: 0 0 8mm; }}
h2 {{ font-size: 18pt; }} a {{ color: inherit; text-decoration: none; }}
p.line {{ display: flex; gap: 2mm; margin: 0; break-inside: avoid; }} p.line span.dots {{ flex: 1; border-bottom: 1px dotted #9ca3af; margin-bottom: 1.5mm; }}
p.part {{ font-weight: 700; margin: 5mm 0 1mm; break-after: avoid; }}
</style></head><body><div class="cover"><h1>{title}</h1><p>{description}</p><p>{author}</p></div><h2>차례</h2>{rows}</body></html>"""


@dataclass
class Printed:
    """인쇄한 쪽 하나.

    Attributes
    ----------
    docname, title : str
        쪽의 이름과 제목.
    sections : list of (str, str)
        절의 자리 이름과 제목.
    reader : PdfReader or None
        인쇄한 것. 아직이면 None입니다.
    start : int
        책에서의 첫 종이(0부터).
    """

    docname: str
    title: str
    sections: list[tuple[str, str]] = field(default_factory=list)
    reader: PdfReader | None = None
    start: int = 0

    def place(self, fragment: str) -> tuple[int, Fit]:
        """책에서의 종이와 높이. 모르는 자리면 쪽의 머리입니다."""
        found = {unquote(name.lstrip("/")): spot for name, spot in self.reader.named_destinations.items()}.get(fragment)
        if found is None:
            return self.start, Fit.fit_horizontally()
        return self.start + self.reader.get_destination_page_number(found), Fit.xyz(top=float(found.top))


def _title_of(element) -> str:
    for link in element.xpath(".//a[contains(@class, 'headerlink')]"):
        link.drop_tree()
    return " ".join(element.text_content().split())


def read_site(site: Path, docnames: list[str]) -> tuple[list[Printed], dict[str, set[str]]]:
    """쪽마다의 제목과 절, 그리고 다른 쪽이 가리키는 자리.

    Parameters
    ----------
    site : Path
        만들어진 사이트.
    docnames : list of str
        책에 싣는 쪽. 차례대로입니다.

    Raises
    ------
    PageError
        사이트에 그 쪽이 없을 때.
    """
    printed, places = [], {name: set() for name in docnames}
    for name in docnames:
        path = site / f"{name}.html"
        if not path.is_file():
            raise PageError(f"{name}.html이 사이트에 없습니다. `make book`을 먼저 돌리세요.")
        article = lxml_html.fromstring(path.read_bytes()).xpath("//article")[0]
        for link in article.xpath(".//a[@href]"):
            parts = urlsplit(link.get("href"))
            target = os.path.normpath(PurePosixPath(name).parent / unquote(parts.path)).removesuffix(".html")
            if not parts.scheme and parts.path and parts.fragment and target in places:
                places[target].add(unquote(parts.fragment))
        sections = [(h.getparent().get("id"), _title_of(h)) for h in article.xpath(".//section[@id]/h2")]
        places[name] |= {identifier for identifier, _ in sections}
        printed.append(Printed(name, _title_of(article.xpath(".//h1")[0]), sections))
    return printed, places


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _print(browser, address: str, made: Printed, places: set[str], before: int) -> PdfReader:
    """쪽 하나를 인쇄합니다. 첫 종이의 번호는 ``before`` + 1입니다."""
    page = browser.new_page(color_scheme="light", locale="ko-KR", viewport={"width": 1000, "height": 1000})
    try:
        _serve_fonts(page)
        page.goto(f"{address}/{made.docname}.html")
        running = _quoted(made.title)
        page.add_style_tag(content=STYLE.format(before=before, number="counter(page)", running=running))
        page.evaluate(NAME_PLACES, sorted(places))
        page.evaluate(SETTLED)
        return PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
    finally:
        page.close()


@lru_cache
def _font(name: str) -> bytes:
    """나눔고딕. 브라우저가 빈 표라며 물리치는 편집용 표(TSI)는 뺍니다."""
    font, out = TTFont(package_file("koreanize_matplotlib", f"fonts/{name}")), io.BytesIO()
    for tag in [tag for tag in font.keys() if tag.startswith("TSI")]:  # noqa: SIM118 (TTFont는 사전이 아닙니다)
        del font[tag]
    font.save(out)
    return out.getvalue()


def _serve_fonts(page) -> None:
    """``/__print__/400.ttf``처럼 부르면 나눔고딕을 건넵니다."""

    def answer(route) -> None:
        weight = int(PurePosixPath(urlsplit(route.request.url).path).stem)
        route.fulfill(body=_font(FONTS[weight]), content_type="font/ttf")

    page.route("**/__print__/*.ttf", answer)


def _print_front(browser, address: str, toc: list[tuple[int, str, str]], made: dict[str, Printed], said: str):
    """표지와 차례. 번호는 로마 숫자입니다."""
    rows = []
    for depth, kind, name in toc:
        if kind == "part":
            rows.append(f'<p class="part">{html.escape(name)}</p>')
        elif name in made:
            page = made[name]
            rows.append(
                f'<p class="line" style="padding-left: {6 * depth}mm"><a href="{address}/{name}.html">{html.escape(page.title)}</a>'
                f'<span class="dots"></span><span>{page.start + 1}</span></p>'
            )
    page = browser.new_page(locale="ko-KR")
    try:
        _serve_fonts(page)
        page.route(
            f"**/{FRONT}.html",
            lambda route: route.fulfill(
                body=FRONT_PAGE.format(title=TITLE, author=AUTHOR, description=html.escape(said), rows="".join(rows)),
                content_type="text/html; charset=utf-8",
            ),
        )
        page.goto(f"{address}/{FRONT}.html")
        page.add_style_tag(content=STYLE.format(before=0, number="counter(page, lower-roman)", running=TITLE))
        page.evaluate(SETTLED)
        return PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
    finally:
        page.close()


def bind(site: Path, toc: list[tuple[int, str, str]], description: str = "") -> bytes:
    """차례에 적힌 쪽을 인쇄해 PDF 한 권으로 잇습니다.

    Parameters
    ----------
    site : Path
        만들어진 사이트.
    toc : list of (int, str, str)
        ``book.whole_book.contents``의 줄. 일부만 건네면 그 쪽만 잇습니다.
    description : str
        표지에 적을 한 줄.

    Raises
    ------
    BrowserMissing
        브라우저가 없을 때.
    PageError
        사이트에 그 쪽이 없을 때.
    """
    pages, places = read_site(site, [name for _, kind, name in toc if kind == "page"])
    with serve(site) as address, chromium() as browser:
        count = 0
        for made in pages:
            made.start, made.reader = count, _print(browser, address, made, places[made.docname], count)
            count += len(made.reader.pages)
        named = {made.docname: made for made in pages}
        front = _print_front(browser, address, toc, named, description)
    for made in pages:
        made.start += len(front.pages)
    writer = PdfWriter()
    links = []
    for made in (Printed(FRONT, TITLE, reader=front), *pages):
        links += _append(writer, made, named, address)
    _link(writer, links)
    _bookmarks(writer, toc, named)
    writer.page_layout, writer.page_mode = "/OneColumn", "/UseOutlines"
    writer.set_page_label(0, len(front.pages) - 1, style="/r")
    writer.set_page_label(len(front.pages), len(front.pages) + count - 1, style="/D")
    writer.add_metadata({"/Title": TITLE, "/Author": AUTHOR})
    writer.root_object[NameObject("/Lang")] = TextStringObject("ko-KR")
    writer.compress_identical_objects(remove_duplicates=True, remove_unreferenced=True)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _append(writer: PdfWriter, made: Printed, named: dict[str, Printed], address: str) -> list[tuple]:
    """쪽의 종이를 잇습니다. 그 종이에 있던 링크를 (종이, 자리, 갈 곳)으로 돌려줍니다. 갈 곳은 책 안의 자리입니다."""
    links = [
        (made.start + number, tuple(map(float, annotation["/Rect"])), _target(annotation, made, named, address))
        for number, sheet in enumerate(made.reader.pages)
        for annotation in (item.get_object() for item in sheet.get("/Annots", []))
        if float(annotation["/Rect"][3]) - float(annotation["/Rect"][1]) > 2  # 자리에 이름을 붙이려 단 것은 뺍니다
    ]
    for sheet in made.reader.pages:
        sheet.pop("/Annots", None)
        writer.add_page(sheet)
    return [link for link in links if link[2] is not None]


def _link(writer: PdfWriter, links: list[tuple]) -> None:
    """링크를 답니다. 모든 종이를 이은 뒤라야 뒤쪽으로 가는 링크가 종이를 가리킬 수 있습니다."""
    sheets = list(writer.pages)
    for number, rect, target in links:
        note = writer.add_annotation(sheets[number], Link(rect=rect, border=[0, 0, 0], **target))
        if "/Dest" in note:  # pypdf는 번호로 적는데, 번호는 다른 파일을 가리킬 때의 꼴입니다
            note["/Dest"][0] = sheets[target["target_page_index"]].indirect_reference


def _target(annotation, made: Printed, named: dict[str, Printed], address: str) -> dict | None:
    if "/Dest" in annotation:
        number, fit = made.place(unquote(str(annotation["/Dest"]).lstrip("/")))
        return {"target_page_index": number, "fit": fit}
    url = str(annotation.get("/A", {}).get("/URI", ""))
    if not url.startswith(address):
        return {"url": url} if url else None
    parts = urlsplit(url.removeprefix(address))
    name = unquote(parts.path).lstrip("/").removesuffix(".html")
    if name not in named:  # 자료 파일, 노트북 꾸러미, 이 권에 없는 쪽
        return None
    number, fit = named[name].place(unquote(parts.fragment))
    return {"target_page_index": number, "fit": fit}


def _bookmarks(writer: PdfWriter, toc: list[tuple[int, str, str]], named: dict[str, Printed]) -> None:
    above: list = []  # 깊이마다의 책갈피
    for row, (depth, kind, name) in enumerate(toc):
        del above[depth:]
        parent = above[-1] if above else None
        if kind == "part":
            first = next(n for _, below, n in toc[row:] if below == "page")
            above.append(writer.add_outline_item(name, named[first].start, parent=parent, is_open=True))
            continue
        made = named[name]
        item = writer.add_outline_item(made.title, made.start, parent=parent, is_open=False)
        above.append(item)
        for identifier, title in made.sections:
            number, fit = made.place(identifier)
            writer.add_outline_item(title, number, parent=item, fit=fit, is_open=False)


def main() -> int:
    started = time.perf_counter()
    try:
        toc, source = contents(read_toc()), source_digest(keys_now())
        print(f"쪽 {sum(kind == 'page' for _, kind, _ in toc)}개를 인쇄해 한 권으로 잇습니다.", flush=True)
        content = bind(html_dir(), toc, read_page(ROOT / "index.md").meta.get("description", ""))
        path = keep("pdf", content, source)
    except (PageError, BrowserMissing) as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(explain(error), file=sys.stderr)
        return 1
    sheets = len(PdfReader(io.BytesIO(content)).pages)
    print(
        f"완성: {path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}  ({sheets}쪽, {len(content) / 2**20:.1f}MB, {time.perf_counter() - started:.0f}초)"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
