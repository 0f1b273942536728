"""책 한 권의 PDF와 EPUB: 작은 책으로 끝까지 만들고, 첫 화면에는 지금의 쪽에서 나온 것만 답니다."""

import io
import subprocess
import sys
import zipfile

import pytest
from lxml import etree
from pypdf import PdfReader
from small_book import INDEX, ONE, TWO, Book

from book.commands.epub import faults
from book.extensions.epub import mathml, page_body
from book.extensions.page_directives import NOTES_CLOSE, NOTES_OPEN
from book.whole_book import NAME, contents

LINKED = INDEX + "\n## 첫 절\n\n둘째 쪽의 [절](two.md#둘째-절)로 갑니다. 식은 $\\big(\\hat\\tau\\big)$입니다.\n"
SECOND = TWO.replace("그림이 있는 쪽입니다.", "그림이 있는 쪽입니다.\n\n## 둘째 절\n\n절의 글입니다.", 1)


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    book = Book(tmp_path_factory.mktemp("whole"))
    for name, text in (("index", LINKED), ("one", ONE), ("two", SECOND)):
        (book.folder / f"{name}.md").write_text(text, encoding="utf-8")
    book.build_ok()
    yield book
    book.close()


def run(book: Book, command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"book.commands.{command}"], cwd=book.folder, env=book.environment(),
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def pdf(book, browser) -> PdfReader:
    run(book, "pdf")
    return PdfReader(io.BytesIO((book.folder / "_build" / "whole" / f"{NAME}.pdf").read_bytes()))


@pytest.fixture(scope="module")
def epub(book):
    run(book, "epub")
    return book.folder / "_build" / "whole" / f"{NAME}.epub"


def titles(outline, depth=0) -> list[tuple[int, str]]:
    found = []
    for item in outline:
        found += titles(item, depth + 1) if isinstance(item, list) else [(depth, item.title)]
    return found


def test_the_pdf_has_every_page_with_bookmarks_and_numbers(pdf):
    assert titles(pdf.outline) == [(0, "첫 쪽"), (1, "첫 절"), (0, "하나"), (0, "둘"), (1, "둘째 절")]
    assert pdf.page_labels == ["i", "ii", "1", "2", "3"]
    texts = [
        page.extract_text().replace("\x01", " ") for page in pdf.pages
    ]  # 빈칸이 제어 문자로 나오는 글꼴이 있습니다
    assert "차례" in texts[1] and "하나" in texts[1] and "평균 2.00" in texts[3]
    for number, text in enumerate(texts[2:], 1):
        assert text.startswith(str(number)), f"{number}쪽의 번호가 없습니다: {text[:40]}"
    assert pdf.metadata.title == "인과추론과 실무"


def test_the_pdf_carries_its_korean_fonts(pdf):
    fonts = {font["/BaseFont"].split("+")[-1]: font for page in pdf.pages for font in fonts_of(page)}
    assert {"NanumGothic", "NanumGothicBold"} <= fonts.keys()
    for name, font in fonts.items():
        descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
        assert {"/FontFile", "/FontFile2", "/FontFile3"} & descriptor.keys(), f"{name}이 들어 있지 않습니다."


def fonts_of(page) -> list:
    fonts = (font.get_object() for font in page["/Resources"].get("/Font", {}).values())
    return [font for font in fonts if font["/Subtype"] == "/Type0"]


def test_links_between_pages_stay_inside_the_pdf(pdf):
    links = [note.get_object() for page in pdf.pages for note in page.get("/Annots", [])]
    assert not [link for link in links if "127.0.0.1" in str(link.get("/A", ""))]
    home = [note.get_object() for note in pdf.pages[2]["/Annots"]]
    goes = [pdf.get_page_number(link["/Dest"][0].get_object()) for link in home]
    assert goes == [3, 4, 4], "첫 쪽의 링크는 하나, 둘, 둘의 절로 갑니다."
    assert home[2]["/Dest"][1] == "/XYZ", "절의 링크는 그 높이로 갑니다."


def test_the_epub_is_whole(epub):
    assert faults(epub) == []
    with zipfile.ZipFile(epub) as opened:
        one, two, index = (opened.read(f"{name}.xhtml").decode() for name in ("one", "two", "index"))
        pictures = [name for name in opened.namelist() if name.startswith("_images/")]
    assert "평균 2.00" in one and "평균은" in one
    assert 'alt="점 세 개"' in two and len(pictures) == 1
    assert "<math" in index and "two.xhtml#둘째-절" in index.replace("%EB%91%98%EC%A7%B8-%EC%A0%88", "둘째-절")


def test_only_what_was_made_from_these_pages_is_offered(book, pdf, epub):
    def offered() -> set[str]:
        book.build_ok()
        listed = {path.suffix for path in (book.html / "downloads").glob(f"{NAME}.*")}
        text = (book.html / "index.html").read_text(encoding="utf-8")
        assert listed == {ending for ending in (".pdf", ".epub") if f"downloads/{NAME}{ending}" in text}
        return listed

    assert offered() == {".pdf", ".epub"}
    with book.changed({"one.md": ONE.replace("첫 문장입니다.", "고친 문장입니다.")}):
        assert offered() == set()
    assert offered() == {".pdf", ".epub"}


def test_contents_keep_the_order_and_the_depth():
    part = {"caption": "부", "chapters": [{"file": "a", "sections": [{"file": "b"}]}, {"file": "c"}]}
    assert contents({"root": "index", "parts": [part]}) == [
        (0, "page", "index"), (0, "part", "부"), (1, "page", "a"), (2, "page", "b"), (1, "page", "c"),
    ]  # fmt: skip
    assert contents({"root": "index", "chapters": [{"file": "a"}]}) == [(0, "page", "index"), (0, "page", "a")]


def test_screen_things_leave_the_epub():
    body = (
        f'<h1>쪽<a class="headerlink" href="#x">¶</a></h1>{NOTES_OPEN}<p>발표자의 말</p>{NOTES_CLOSE}'
        '<details class="hide"><summary>코드 보기</summary><pre>x = 1 &lt; 2</pre></details><br>'
        '<details class="solution"><summary><p class="admonition-title">정답 해설 <span>보기</span></p></summary><p>풀이</p></details>'
        '<button>복사</button><a href="../a/b.html#c">쪽</a><a href="../_downloads/a.csv">자료</a>'
        '<span class="math">\\(\\hat\\tau \\ge \\dots\\)</span> 뒤의 글'
    )
    out = page_body(body)
    etree.fromstring(f"<div>{out}</div>")
    assert "발표자의 말" not in out and "¶" not in out and "복사" not in out and "코드 보기" not in out
    assert "x = 1 &lt; 2" in out and "정답 해설" in out and "보기" not in out and "풀이" in out
    assert 'href="../a/b.xhtml#c"' in out and "_downloads" not in out and "자료" in out
    assert "<math" in out and "뒤의 글" in out


def test_every_formula_of_the_book_is_drawn_in_the_epub(site_dir):
    from lxml import html as lxml_html

    unknown, count = [], 0
    for path in sorted(site_dir.glob("*/*.html")):
        for math in lxml_html.fromstring(path.read_bytes()).xpath("//article//*[contains(@class, 'math ')]"):
            count += 1
            if mathml(math.text_content(), math.tag == "div") is None:
                unknown.append(f"{path.stem}: {math.text_content().strip()[:80]}")
    assert count > 300 and unknown == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda files: dict(reversed(files.items())), "mimetype"),
        (lambda files: files | {"a.xhtml": files["a.xhtml"].replace("</p>", "")}, "XML이 아닙니다"),
        (lambda files: {name: text for name, text in files.items() if name != "p.png"}, "없습니다: p.png"),
        (lambda files: files | {"a.xhtml": files["a.xhtml"].replace("p.png", "https://x.kr/p.png")}, "바깥의 그림"),
        (lambda files: files | {"a.xhtml": files["a.xhtml"].replace("#here", "#there")}, "없는 자리"),
    ],
)
def test_a_broken_epub_is_told(tmp_path, change, said):
    page = '<html xmlns="http://www.w3.org/1999/xhtml"><body><p id="here"><img src="p.png" alt=""/><a href="a.xhtml#here">글</a></p></body></html>'
    files = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": '<c><rootfile full-path="content.opf"/></c>',
        "content.opf": '<p><item href="a.xhtml"/><item href="p.png"/></p>',
        "a.xhtml": page,
        "p.png": "그림",
    }

    def faults_of(files: dict[str, str]) -> list[str]:
        path = tmp_path / "book.epub"
        with zipfile.ZipFile(path, "w") as out:
            for name, text in files.items():
                out.writestr(name, text)
        return faults(path)

    assert faults_of(files) == []
    assert said in "\n".join(faults_of(change(files)))
