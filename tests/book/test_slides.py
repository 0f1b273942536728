"""발표 자료: 쪽에서 나오고, 1280×720에서 넘치지 않고, 네트워크 없이 열립니다."""

import pytest

from book.browser import serve
from book.extensions.slides import collect, render
from book.page import published_pages

PAGES = [p for p in published_pages() if p.meta.get("kind") in {"chapter", "case"}]
MEASURE = """() => {
  const out = [];
  document.querySelectorAll('.reveal .slides > section').forEach((s, i) => {
    s.style.setProperty('display', s.classList.contains('title-slide') ? 'flex' : 'block', 'important');
    const body = s.querySelector('.slide-body');
    out.push({
      number: i + 1, title: (s.querySelector('h1, h2') || {}).textContent,
      tall: s.scrollHeight - s.clientHeight, wide: s.scrollWidth - s.clientWidth,
      empty: body && !body.textContent.trim() && !body.querySelector('img'),
      broken: [...s.querySelectorAll('img')].filter(i => !i.naturalWidth).length,
      small: s.classList.contains('fit-3'),
    });
    s.style.removeProperty('display');
  });
  return out;
}"""


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.docname)
def test_deck_fits_and_loads_offline(page, browser, browser_page, site_dir):
    deck = site_dir / "slides" / f"{page.docname}.html"
    assert deck.is_file(), f"{page.docname}: 발표 자료가 없습니다. {{slide}} 블록을 넣으세요."
    browser_page.set_viewport_size({"width": 1280, "height": 720})
    browser_page.goto(deck.as_uri())
    browser_page.wait_for_selector("body[data-deck='ready']", timeout=20_000)
    slides = browser_page.evaluate(MEASURE)
    assert 8 <= len(slides) <= 32, f"{len(slides)}장"
    for slide in slides:
        assert slide["tall"] <= 1 and slide["wide"] <= 1, f"넘칩니다: {slide}"
        assert not slide["broken"], f"그림이 없습니다: {slide}"
        assert not slide["empty"], f"빈 장입니다: {slide}"
        assert slide["title"] and slide["title"].strip(), f"제목이 없습니다: {slide}"
    assert not browser_page.recorded.console and not browser_page.recorded.outside and not browser_page.recorded.failed


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.docname)
def test_page_links_to_its_deck_and_hides_the_notes(page, site_dir):
    text = (site_dir / f"{page.docname}.html").read_text(encoding="utf-8")
    assert f"slides/{page.docname}.html" in text
    assert "<!--notes-->" not in text and "presenter-notes" not in text


def test_collect_follows_the_marks():
    body = (
        '<section><h1>쪽<a class="headerlink">¶</a></h1><p>본문</p>'
        '<div class="slide-block" data-slide-title="하나"><p>가</p></div><!--notes--><p>말</p><!--/notes-->'
        '<div class="cell tag_slide docutils"><div class="cell_input"><pre>x</pre></div><div class="cell_output"><p>y</p></div></div>'
        '<section><h2>둘째 절</h2><div class="cell tag_slide-new tag_slide-output"><div class="cell_input docutils"><pre>code</pre></div>'
        '<div class="cell_output"><img src="../_images/a.png"></div></div></section></section>'
    )
    slides = collect(body)
    assert [s.title for s in slides] == ["하나", "둘째 절"]
    assert len(slides[0].parts) == 2 and slides[0].notes == ["<p>말</p>"]
    deck = render(slides, "chapters/a", {"kind": "chapter", "week": 1}, "제목 & 글")
    assert "../../_images/a.png" in deck and "<pre>code</pre>" not in deck and "제목 &amp; 글" in deck
    assert '<aside class="notes"><p>말</p></aside>' in deck and "../../chapters/a.html" in deck


def test_a_note_may_name_its_slide():
    body = (
        '<section><h2>3. 절</h2><div class="cell tag_slide-new tag_slide-output"><div class="cell_output"><img src="a.png"></div></div>'
        '<!--notes--><p class="slide-title">그림이 말하는 것</p><p>2분. 물음</p><!--/notes--></section>'
    )
    (slide,) = collect(body)
    assert slide.title == "그림이 말하는 것" and slide.notes == ["<p>2분. 물음</p>"]


def test_pages_without_marks_have_no_deck():
    assert collect("<section><h1>쪽</h1><p>본문</p></section>") == []


def test_print_view_shows_every_slide_inside_its_margins(browser, site_dir):
    deck = site_dir / "slides" / f"{PAGES[0].docname}.html"
    page = browser.new_page()
    page.goto(deck.as_uri() + "?print-pdf")
    page.wait_for_selector("body[data-deck='ready']", timeout=20_000, state="attached")
    assert page.locator(".pdf-page").count() >= 8
    sheets = page.evaluate("""() => [...document.querySelectorAll('.pdf-page')].map((sheet) => {
      const paper = sheet.getBoundingClientRect();
      const boxes = [...sheet.querySelectorAll('h1, h2, .slide-body')].map((e) => e.getBoundingClientRect());
      return [Math.min(...boxes.map((b) => b.left)) - paper.left, paper.right - Math.max(...boxes.map((b) => b.right)),
        Math.min(...boxes.map((b) => b.top)) - paper.top, paper.bottom - Math.max(...boxes.map((b) => b.bottom))];
    })""")
    page.close()
    for number, margins in enumerate(sheets, 1):
        assert min(margins) >= 30, f"{number}번째 종이의 여백(왼쪽, 오른쪽, 위, 아래): {margins}"


@pytest.mark.parametrize(
    "page", [p for p in PAGES if p.docname.startswith("chapters/week05_p")], ids=lambda p: p.docname
)
def test_the_first_slide_waits_for_little(page, browser, site_dir):
    """느린 4G(1.6Mb/s, 왕복 150ms)에서 2.5초 안에 열리려면 첫 장의 짐이 320KB를 넘지 않아야 합니다(왕복 네 번과 그리기를 뺀 나머지)."""
    with serve(site_dir) as address:
        tab = browser.new_page()
        devtools = tab.context.new_cdp_session(tab)
        devtools.send("Network.enable")
        names, sizes = {}, {}
        devtools.on("Network.responseReceived", lambda e: names.update({e["requestId"]: e["response"]["url"]}))
        devtools.on("Network.loadingFinished", lambda e: sizes.update({e["requestId"]: e["encodedDataLength"]}))
        tab.add_init_script("addEventListener('load', () => { performance.mark('loaded') })")
        tab.goto(f"{address}/slides/{page.docname}.html", wait_until="load")
        tab.wait_for_selector("body[data-deck='ready']", timeout=20_000)
        before = tab.evaluate(
            "() => { const at = performance.getEntriesByName('loaded')[0].startTime;"
            " return performance.getEntriesByType('resource').filter((r) => r.startTime < at).map((r) => r.name); }"
        )
        early = {url: size for key, size in sizes.items() if (url := names[key]) in before or url == tab.url}
        tab.close()
    assert early and not [url for url in early if url.endswith((".png", "tex-chtml.js", "notes.js"))], early
    assert sum(early.values()) < 320_000, early
    assert any(url.endswith("tex-chtml.js") for url in names.values()), "수식은 첫 장 뒤에 그립니다."


def test_every_deck_is_listed(browser_page, site_dir):
    browser_page.goto((site_dir / "slides" / "index.html").as_uri())
    guide = (site_dir / "guides" / "running_a_session.html").read_text(encoding="utf-8")
    assert 'href="../slides/index.html"' in guide
    rows = browser_page.locator("table.decks tbody tr")
    decks = {path.relative_to(site_dir / "slides").as_posix() for path in (site_dir / "slides").glob("*/*.html")}
    links = rows.locator("a").evaluate_all("links => links.map((a) => a.getAttribute('href'))")
    assert set(links) == decks and len(links) == len(decks) >= 30
    cells = rows.evaluate_all("rows => rows.map((r) => [...r.cells].map((c) => c.textContent))")
    for link, (_, _, slides, noted, minutes) in zip(links, cells, strict=True):
        deck = (site_dir / "slides" / link).read_text(encoding="utf-8")
        assert int(slides) == deck.count("<section") and int(noted) == deck.count('<aside class="notes">')
        assert minutes or "template" in link or "deeper" in link, link
    assert (browser_page.recorded.console, browser_page.recorded.outside, browser_page.recorded.failed) == ([], [], [])
