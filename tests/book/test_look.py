"""책의 모습: 싣는 것만 부르고, 글꼴이 있고, 어두운 화면과 좁은 화면에서 읽힙니다."""

import hashlib
import re
from pathlib import Path

import pytest

from book.page import ROOT

PAGES = [
    "index",
    "chapters/week00_orientation",
    "chapters/week05_propensity_score",
    "case_studies/uber_late_delivery",
    "guides/glossary",
]
CHAPTER = "chapters/week05_propensity_score"


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_loaded_from_elsewhere(name, site_dir):
    text = (site_dir / f"{name}.html").read_text(encoding="utf-8")
    loaded = re.findall(r"<(?:script|img|iframe|source)\b[^>]*\bsrc=\"([^\"]+)\"", text)
    loaded += re.findall(r"<link\b(?! rel=\"canonical\")[^>]*\bhref=\"([^\"]+)\"", text)
    assert loaded and not [url for url in loaded if re.match(r"(https?:)?//", url)]


def test_every_font_file_is_there(site_dir):
    folder = site_dir / "_static" / "fonts" / "pretendard"
    files = re.findall(r"url\(([^)]+)\)", (folder / "pretendard.css").read_text(encoding="utf-8"))
    assert len(files) > 50 and all((folder / name.strip("'\"")).is_file() for name in files)


def test_the_core_font_covers_the_book(site_dir):
    from book.commands.font_subset import covered, site_characters

    hangul = {c for c in site_characters(site_dir) if "가" <= c <= "힣"}
    missing = hangul - covered()
    assert len(missing) <= 0.05 * len(hangul), (
        f"core.woff2를 다시 만드세요(book/commands/font_subset.py). 빠진 글자: {''.join(sorted(missing))}"
    )


def test_the_cut_font_gives_up_the_reserved_name():
    """OFL의 약속입니다: 고친 글꼴은 글꼴 안에서도, CSS에서도 지켜 둔 이름을 쓰지 않습니다."""
    from fontTools.ttLib import TTFont

    from book.commands.font_subset import COPYRIGHT, CORE, FAMILY, LICENSE_TEXT, RESERVED, STYLE

    assert f"Reserved Font Name {RESERVED}" in (CORE.parent / "LICENSE.txt").read_text(encoding="utf-8")
    names = {record.nameID: record.toUnicode() for record in TTFont(CORE)["name"].names}
    assert not [text for number, text in names.items() if number != COPYRIGHT and RESERVED in text]
    assert names[1] == FAMILY and "Kil Hyung-jin" in names[COPYRIGHT] and "Open Font License" in names[LICENSE_TEXT]
    assert re.findall(r"font-family: '([^']+)'", STYLE.read_text(encoding="utf-8")) == [FAMILY]
    for css in ("look_assets/static/look/book.css", "slides_assets/static/slides/deck.css"):
        assert f'"{FAMILY}", "{RESERVED} Variable"' in (ROOT / "book" / "extensions" / css).read_text(
            encoding="utf-8"
        ), css


def test_the_icons_of_the_site_are_in_the_cut_font(site_dir):
    from fontTools.ttLib import TTFont

    from book.commands.font_subset import ICON_FAMILY, ICON_RESERVED, ICONS, icon_codes, theme_styles

    font = TTFont(ICONS)
    codes = icon_codes(site_dir, theme_styles(site_dir))
    assert len(codes) >= 10 and set(codes.values()) <= set(font.getBestCmap()), codes
    names = [record.toUnicode() for record in font["name"].names]
    assert any(ICON_FAMILY in name for name in names)
    assert not [n for n in names if ICON_RESERVED in n and not n.startswith("Copyright")]


def test_vendored_files_are_as_recorded():
    rows = re.findall(
        r"^\| `([^`]+)` \| [^|]+ \| [^|]+ \| `([0-9a-f]{64})` \|",
        (ROOT / "assets" / "README.md").read_text(encoding="utf-8"),
        re.M,
    )
    assert len(rows) >= 6
    for name, digest in rows:
        path = ROOT / "assets" / "static" / name
        content = (
            b"".join(p.read_bytes() for p in sorted(path.glob("PretendardVariable*.woff2")))
            if path.is_dir()
            else path.read_bytes()
        )
        assert hashlib.sha256(content).hexdigest() == digest, name


def test_the_korean_font_is_used_without_shifting_the_page(browser_page, site_dir):
    browser_page.add_init_script(
        "window.shift = 0; new PerformanceObserver(l => l.getEntries().forEach(e => { if (!e.hadRecentInput) window.shift += e.value; }))"
        ".observe({type: 'layout-shift', buffered: true});"
    )
    browser_page.goto((site_dir / f"{CHAPTER}.html").as_uri())
    browser_page.wait_for_function("document.fonts.status === 'loaded'")
    browser_page.wait_for_timeout(800)
    loaded = browser_page.evaluate(
        "[...document.fonts].filter(f => f.status === 'loaded' && /Book Core|Pretendard/.test(f.family)).length"
    )
    assert 1 <= loaded <= 8, (
        f"글꼴 파일 {loaded}개를 받았습니다. 많으면 core.woff2를 다시 만드세요(book/commands/font_subset.py)."
    )
    assert browser_page.evaluate("window.shift") < 0.05


def test_a_line_of_korean_is_comfortable(browser_page, site_dir):
    browser_page.goto((site_dir / f"{CHAPTER}.html").as_uri())
    style = browser_page.evaluate(
        "() => { const p = [...document.querySelectorAll('.bd-article p')].find(p => p.textContent.length > 60);"
        " const s = getComputedStyle(p); return {size: parseFloat(s.fontSize), line: parseFloat(s.lineHeight), width: p.clientWidth, wrap: s.wordBreak}; }"
    )
    assert (
        36 <= style["width"] / style["size"] <= 46
        and 1.6 <= style["line"] / style["size"] <= 2.0
        and style["wrap"] == "keep-all"
    )


def _brightness(image: bytes) -> float:
    import io

    from PIL import Image

    small = Image.open(io.BytesIO(image)).convert("L").resize((40, 24))
    pixels = sorted(small.getdata())
    return pixels[len(pixels) // 2]


def test_figures_follow_the_theme(browser_page, site_dir):
    shots = {}
    for theme in ("light", "dark"):
        browser_page.emulate_media(color_scheme=theme)
        browser_page.goto((site_dir / f"{CHAPTER}.html").as_uri())
        figure = browser_page.locator(".cell_output img").first
        figure.scroll_into_view_if_needed()
        shots[theme] = _brightness(figure.screenshot())
    assert shots["light"] > 230 and shots["dark"] < 60, shots


def test_solutions_are_folded_and_named_in_korean(browser_page, site_dir):
    browser_page.goto((site_dir / f"{CHAPTER}.html").as_uri())
    details = browser_page.locator("details.solution")
    assert details.count() >= 3 and browser_page.locator("details.solution[open]").count() == 0
    assert browser_page.locator(".tag_solution summary").first.inner_text().strip() == "정답 코드 보기"
    text = browser_page.locator("body").inner_text()
    assert "Show code" not in text and "Click to" not in text


@pytest.mark.parametrize("name", PAGES)
def test_no_english_is_left_on_the_controls(name, browser_page, site_dir):
    browser_page.goto((site_dir / f"{name}.html").as_uri())
    browser_page.wait_for_timeout(500)
    labels = browser_page.evaluate(
        "() => [...document.querySelectorAll('button, nav, a.headerlink, dialog')].flatMap(e => [e.getAttribute('title'), e.getAttribute('aria-label')]).filter(Boolean)"
    )
    labels += browser_page.evaluate(
        "() => [...document.querySelectorAll('button')].map(e => e.textContent.trim()).filter(Boolean)"
    )
    english = {label for label in labels if re.fullmatch(r"[\x00-\x7f]+", label)}
    assert not english, english


@pytest.mark.parametrize("catalog", ["sphinx", "booktheme"])
def test_the_catalogs_words_are_known_to_the_theme_and_reach_every_page(catalog, site_dir):
    from gettext import GNUTranslations

    import pydata_sphinx_theme
    import sphinx
    import sphinx_book_theme
    from babel.messages.pofile import read_po

    from book.extensions.look import HERE

    with (HERE / "locale" / "ko" / "LC_MESSAGES" / f"{catalog}.po").open("rb") as file:
        words = {message.id: message.string for message in read_po(file) if message.id}
    if catalog == "sphinx":
        known = {
            m.id
            for module in (sphinx, pydata_sphinx_theme)
            for m in read_po((Path(module.__file__).parent / "locale" / "sphinx.pot").open("rb"))
        }
    else:
        folder = Path(sphinx_book_theme.__file__).parent / "theme" / "sphinx_book_theme" / "static" / "locales"
        known = set(GNUTranslations((folder / "ko" / "LC_MESSAGES" / "booktheme.mo").open("rb"))._catalog)
        front = (site_dir / "index.html").read_text(encoding="utf-8")  # 확장의 차례가 바뀌면 테마의 말이 이깁니다
        assert all(f'"{korean}"' in front for korean in words.values())
    assert words and set(words) <= known, set(words) - known
    for page in sorted(p for p in site_dir.rglob("*.html") if not {"_static", "slides"} & set(p.parts)):
        text = page.read_text(encoding="utf-8")
        left = [word for word in words if f'="{word}"' in text or f">{word}<" in text]
        assert not left, (page.relative_to(site_dir).as_posix(), left)


def test_print_opens_the_folds_and_drops_the_chrome(browser_page, site_dir):
    browser_page.goto((site_dir / f"{CHAPTER}.html").as_uri())
    browser_page.emulate_media(media="print")
    assert not browser_page.locator(".bd-sidebar-primary").is_visible()
    browser_page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert browser_page.locator("details:not([open])").count() == 0


def test_no_raw_emphasis_reaches_the_reader(site_dir):
    """굵은 글씨의 별표는 닫는 쪽에 문장부호와 한글이 붙으면 그대로 남습니다(``**61%**가``)."""
    from lxml import html

    for page in sorted(p for p in site_dir.rglob("*.html") if "_static" not in p.parts):
        tree = html.parse(str(page)).getroot()
        for code in tree.xpath("//pre|//code|//script|//style|//*[starts-with(@class, 'math ')]"):
            code.drop_tree()
        text = tree.text_content()
        assert len(text) > 200 or "slides" in page.parts or page.name == "genindex.html", (
            f"{page.name}: 본문까지 지웠습니다."
        )
        assert "**" not in text, page.relative_to(site_dir)


def test_self_checks_are_folded_because_they_hold_the_answer(browser_page, site_dir):
    browser_page.goto((site_dir / f"{CHAPTER}.html").as_uri())
    cells = browser_page.locator(".cell.tag_self-check")
    assert cells.count() >= 3
    assert cells.first.locator("summary").first.inner_text().strip() == "자기 점검 보기"
    assert "expected=" not in browser_page.locator("article").inner_text()
    cells.first.locator("summary").first.click()
    assert "expected=" in cells.first.inner_text()


def test_a_particle_is_kept_with_the_bracket_or_percent_before_it():
    from book.extensions.look import keep_particles

    assert (
        keep_particles("<p>[<b>5</b>, 6]로, 40%입니다.</p>")
        == '<p>[<b>5</b>, 6<span class="keep">]로</span>, 40<span class="keep">%입니다</span>.</p>'
    )
    for untouched in (
        "<pre>f'{x}%입니다'</pre>",
        '<img alt="40%입니다">',
        r"<span>\(a]가\)</span>",
        "<code>%가</code>",
    ):
        assert keep_particles(untouched) == untouched


def test_printed_columns_are_set_in_a_fixed_width_font(site_dir):
    from lxml import html

    found = [
        b
        for p in sorted((site_dir / "chapters").glob("*.html"))
        for b in html.parse(str(p)).xpath("//div[contains(@class, 'aligned-output')]")
    ]
    assert found and all(
        sum(bool(re.search(r"\S {2,}\S", line)) for line in b.text_content().splitlines()) >= 2 for b in found
    )


def test_an_index_name_has_no_header_row_of_its_own(site_dir):
    from lxml import html

    for page in sorted(p for p in site_dir.rglob("*.html") if "slides" not in p.parts):
        for head in html.parse(str(page)).xpath("//table[contains(@class, 'dataframe')]/thead[count(tr) = 2]"):
            above, below = ([c.text_content().strip() for c in row] for row in head)
            assert above[0] or any(below[1:]), f"{page.name}: {below[0]}"  # 열의 이름이 있는 교차표는 둘 다 이름입니다


def test_a_table_is_named_by_its_section_and_has_no_empty_header():
    from book.extensions.look import name_tables

    body = '<h2>값<a class="headerlink" href="#x">#</a></h2><table><thead><tr><th></th><th>a</th></tr></thead></table><table></table>'
    named = name_tables(body)
    assert re.findall(r'aria-label="([^"]+)"', named) == ["값 표", "값 표 2"]
    assert "<td></td><th>a</th>" in named and 'role="group"' in named
