"""진짜 브라우저로 모든 쪽을 엽니다: 콘솔, 바깥 요청, 휴대전화 폭, 접근성, 수식, 접힌 풀이, 앞뒤 차례.

검색, 슬라이드, 사례 모음, 모양의 자세한 시험은 저마다의 파일에 있습니다. 여기서는 사이트 전체를 훑습니다.
"""

from urllib.parse import unquote

import pytest
from axe_playwright_python.sync_playwright import Axe

from book.browser import serve
from book.page import published_pages

from conftest import FLATTEN, UNFLATTEN, record

PAGES = {page.docname: page for page in published_pages()}
ONE_OF_A_KIND = {
    ("index" if name == "index" else page.meta.get("kind"), page.is_notebook): name for name, page in PAGES.items()
}.values()
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}
STILL = "*, *::before, *::after { transition: none !important; animation: none !important; scroll-behavior: auto !important }"
# 휴대전화에서 화면 밖의 절은 그리지 않습니다. 그 안의 흠도 보이도록 시험에서는 모두 그립니다.
STILL += " section, .gallery-card { content-visibility: visible !important }"
# 기다리지 않고 물으면 글꼴과 수식이 들어오기 전의 모습을 재게 됩니다.
SETTLED = (
    "async () => { await document.fonts.ready; if (window.MathJax?.startup?.promise) await MathJax.startup.promise; }"
)
WIDE = """() => [...document.querySelectorAll("body *")]
  .filter((e) => {
    const r = e.getBoundingClientRect();
    if (r.width === 0 || r.right <= innerWidth + 1) return false;
    for (let p = e.parentElement; p; p = p.parentElement) {
      if (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(p).overflowX) && p !== document.body) return false;
    }
    return getComputedStyle(e).position !== "fixed";
  })
  .slice(0, 5)
  .map((e) => e.tagName + "." + e.className + " " + Math.round(e.getBoundingClientRect().right) + "px")"""


class Tab:
    """쪽 하나가 열려 있는 탭."""

    def __init__(self, page, server, docname):
        self.docname, self.page, self.server = docname, page, server
        self.recorded = record(self.page)
        self.page.goto(self.address(docname))
        self.page.add_style_tag(content=STILL)
        self.page.evaluate(SETTLED)

    def address(self, docname: str) -> str:
        return f"{self.server}/{docname}.html"

    def theme(self, name: str) -> None:
        self.page.evaluate(
            "name => { document.documentElement.dataset.theme = name; document.documentElement.dataset.mode = name }",
            name,
        )


@pytest.fixture(scope="module")
def context(browser):
    context = browser.new_context(viewport=DESK, locale="ko-KR")
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture(scope="module")
def turning(context):
    """쪽을 차례로 넘겨 볼 탭. 새 탭은 저마다 새 프로세스라 쪽마다 CPU 1초가 더 듭니다. 죽은 탭은 새것으로 바꿉니다."""
    kept = []

    def page():
        if not kept or kept[-1].is_closed():
            kept.append(context.new_page())
            kept[-1].on("crash", lambda dead: dead.close())
        return kept[-1]

    return page


@pytest.fixture(scope="module", params=PAGES)
def tab(request, turning, server):
    """쪽마다 한 번 열고, 그 쪽의 시험을 모두 거기서 합니다. 다 보면 이 탭에 남긴 것을 지우고 빈 문서로 나갑니다."""
    tab = Tab(turning(), server, request.param)
    yield tab
    if not tab.page.is_closed():
        tab.page.evaluate("sessionStorage.clear()")
        tab.page.goto("about:blank")


@pytest.fixture(scope="module")
def server(site_dir):
    """사이트를 이 컴퓨터 안에서만 엽니다."""
    with serve(site_dir) as address:
        yield address


@pytest.fixture
def served(browser, server):
    """서버로 연 새 탭. 저장된 설정이 없습니다."""
    context = browser.new_context(viewport=DESK, locale="ko-KR", base_url=server)
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.recorded = record(page)
    yield page
    context.close()


# --- 모든 쪽 ---


def test_the_page_opens_cleanly(tab):
    tab.page.evaluate("scrollTo(0, document.body.scrollHeight)")  # 늦게 불러오는 그림까지
    tab.page.wait_for_load_state("networkidle")
    assert tab.recorded.console == []
    assert tab.recorded.outside == []
    assert tab.recorded.failed == []


def test_the_page_says_what_it_is(tab):
    page = tab.page
    assert page.locator("html").get_attribute("lang") == "ko"
    assert page.locator("article h1:visible").count() == 1  # 인쇄할 때만 보이는 제목이 하나 더 있습니다
    title = PAGES[tab.docname].title
    assert title.split("`")[0].split("*")[0][:10] in page.title(), page.title()
    assert page.locator("img:not([alt])").count() == 0
    assert page.locator("#pst-skip-link a").inner_text() == "본문으로 건너뛰기"
    blocking = "performance.getEntriesByType('resource').filter((r) => r.renderBlockingStatus === 'blocking').map((r) => r.name)"
    assert len(page.evaluate(blocking)) == 1  # 묶은 스타일시트 하나
    unsized = "() => [...document.querySelectorAll('article .cell_output img')].filter((i) => !i.getAttribute('width') || i.loading !== 'lazy').map((i) => i.src)"
    assert page.evaluate(unsized) == []


def test_nothing_sticks_out_on_a_phone(tab):
    tab.page.set_viewport_size(PHONE)
    try:
        tab.page.evaluate(SETTLED)
        width = tab.page.evaluate("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)")
        assert width <= PHONE["width"], f"쪽이 {width}px입니다. 넘치는 것: {tab.page.evaluate(WIDE)}"
    finally:
        tab.page.set_viewport_size(DESK)


COLOUR = ["color-contrast", "link-in-text-block"]
# 글자색, 바탕, 크기가 같은 글은 대비도 같습니다. 축마다 하나만 재면 색칠한 코드 수천 조각을 다시 재지 않아도 됩니다.
SAMPLE = """() => {
  const seen = new Set();
  const ground = (e) => { const found = []; for (; e; e = e.parentElement) {
    const s = getComputedStyle(e);
    found.push(s.opacity, s.backgroundImage);
    if (s.backgroundColor !== "rgba(0, 0, 0, 0)") { found.push(s.backgroundColor); if (!s.backgroundColor.includes("rgba")) break; }
  } return found.filter((x) => x !== "1" && x !== "none").join(); };
  for (const e of document.querySelectorAll("body, body *")) {
    if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
    const s = getComputedStyle(e), parent = e.parentElement ? getComputedStyle(e.parentElement).color : "";
    const key = [s.color, s.fontSize, s.fontWeight, s.textDecorationLine, e.tagName === "A" ? parent : "", e.checkVisibility(), ground(e)].join("|");
    if (!seen.has(key)) { seen.add(key); e.dataset.colourSample = ""; }
  }
  return seen.size;
}"""


BY_SIZE = ["scrollable-region-focusable", "target-size"]  # 좁은 화면에서 달라지는 것


# 폭이 바뀌면 테마는 0.3초 뒤에 넘치는 칸을 자판으로 밀 수 있게 합니다. 그것까지 기다립니다.
DRAWN = "() => new Promise((done) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 400))"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_accessibility_finding(tab, theme):
    """심각한 것도 보통인 것도 없습니다. 접은 것을 모두 펼치고 봅니다.

    어두운 모습은 휴대전화 폭에서, 색과 크기에 달린 것만 다시 봅니다. 나머지는 같은 문서입니다. 종류마다 한 쪽은 모든 글의 색을 봅니다.
    """
    whole = tab.docname in ONE_OF_A_KIND
    tab.theme(theme)
    if theme == "dark":
        tab.page.set_viewport_size(PHONE)
    tab.page.evaluate(
        "document.querySelectorAll('details:not([open])').forEach((d) => { d.open = true; d.dataset.opened = '' })"
    )
    try:
        assert tab.page.evaluate(SAMPLE) >= 5
        if not whole:
            tab.page.evaluate(FLATTEN)
        if theme == "light":
            rules = {"rules": {name: {"enabled": True} for name in [*COLOUR, "label-content-name-mismatch"]}}
        else:
            rules = {"runOnly": {"type": "rule", "values": COLOUR + BY_SIZE}}
            tab.page.evaluate(DRAWN)  # 폭이 바뀐 것을 쪽의 스크립트가 본 다음에 잽니다
        found = _axe(tab.page, rules, sampled=not whole)
    finally:
        tab.page.evaluate(UNFLATTEN)
        tab.page.evaluate(
            "document.querySelectorAll('[data-colour-sample]').forEach((e) => delete e.dataset.colourSample);"
            "document.querySelectorAll('[data-opened]').forEach((d) => { d.open = false; delete d.dataset.opened })"
        )
        tab.page.set_viewport_size(DESK)
        tab.theme("light")
    bad = [
        f"{v['id']} ({v['impact']}): {v['help']}\n"
        + "\n".join(
            f"    {n['target']} {n['html'][:160]}\n      {n.get('failureSummary', '')[:300]}" for n in v["nodes"][:4]
        )
        for v in found
        if v["impact"] in {"moderate", "serious", "critical"} or v["id"] == "empty-table-header"
    ]
    assert not bad, "\n".join(bad)


AXE = Axe().axe_script
# 뽑은 글과 그 안의 글만 대비를 잽니다. 한 번의 axe가 다른 규칙은 문서 전체에서 봅니다.
ONLY_SAMPLED = """() => axe.configure({rules: [
  {id: "color-contrast", selector: "[data-colour-sample], [data-colour-sample] *"},
]})"""


def _axe(page, options: dict, sampled: bool) -> list[dict]:
    """어긴 규칙. axe는 부를 때마다 문서 전체의 나무와 겹침을 다시 만들므로, 볼 것을 한 번에 모아 부릅니다."""
    if page.evaluate("typeof window.axe") == "undefined":
        page.evaluate(AXE)
    if sampled:
        page.evaluate(ONLY_SAMPLED)
    options = {"resultTypes": ["violations"], **options}
    return page.evaluate("(options) => axe.run(document, options).then((found) => found.violations)", options)


@pytest.mark.parametrize("faint", [".highlight .nb", "article p:last-of-type", ".bd-sidebar-primary a.current"])
def test_a_faint_text_is_found_in_the_sample(served, faint):
    """같은 모양의 글 하나만 재도, 어디 한 군데가 흐리면 찾습니다."""
    served.goto("chapters/week08_difference_in_differences.html")
    served.add_style_tag(content=f"{STILL} {faint} {{ color: #c8c8c8 !important }}")
    served.evaluate(SETTLED)
    served.evaluate(SAMPLE)
    served.evaluate(FLATTEN)
    found = _axe(served, {"runOnly": {"type": "rule", "values": COLOUR}}, sampled=True)
    assert "color-contrast" in {violation["id"] for violation in found}


def test_mathematics_is_drawn(tab):
    formulas = tab.page.locator("main .math").count()
    if not formulas:
        pytest.skip("수식이 없는 쪽입니다.")
    tab.page.wait_for_function(
        "n => document.querySelectorAll('main .math mjx-container, main .math .katex').length >= n", arg=formulas
    )
    assert tab.page.locator("mjx-merror, .katex-error").count() == 0


def test_folded_parts_open(tab):
    folds = tab.page.locator("main details:not([open])")
    count = min(folds.count(), 5)
    if not count:
        pytest.skip("접힌 것이 없는 쪽입니다.")
    for _ in range(count):
        fold = tab.page.locator("main details:not([open])").first
        handle = fold.element_handle()
        fold.locator("> summary").click()
        assert handle.evaluate("d => d.open")
        assert handle.evaluate(
            "d => [...d.children].some((c) => c.tagName !== 'SUMMARY' && c.getBoundingClientRect().height > 0)"
        )


def test_neighbours_follow_the_contents(tab):
    order = list(PAGES)
    here = order.index(tab.docname)
    for selector, neighbour in ((".prev-next-area a.left-prev", here - 1), (".prev-next-area a.right-next", here + 1)):
        link = tab.page.locator(selector)
        if not 0 <= neighbour < len(order):
            assert link.count() == 0
            continue
        assert unquote(link.evaluate("a => a.href")) == unquote(tab.address(order[neighbour]))


def test_the_sidebar_marks_where_we_are(tab):
    current = tab.page.locator("nav.bd-links a.current, nav.bd-links .current > a")
    if tab.docname == "index":
        pytest.skip("첫 화면은 차례의 머리입니다.")
    assert current.last.evaluate("a => a.href.split('#')[0]") in {tab.page.url.split("#")[0], tab.address(tab.docname)}


# --- 오가기 ---


@pytest.mark.parametrize("docname", ONE_OF_A_KIND)
def test_a_page_of_each_kind_opens_cleanly_from_disk(context, site_dir, docname):
    """내려받은 사이트도 열립니다. 쪽마다 다를 것은 위에서 서버로 보았고, 주소의 꼴은 쪽의 종류마다 같습니다."""
    page = context.new_page()
    recorded = record(page)
    page.goto((site_dir / f"{docname}.html").as_uri())
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_load_state("networkidle")
    assert (recorded.console, recorded.outside, recorded.failed) == ([], [], [])
    page.close()


def cases_of(week: int) -> list[str]:
    return [
        name
        for name, page in PAGES.items()
        if page.meta.get("kind") == "case" and page.meta.get("week") == week and "template" not in name
    ]


def test_from_the_front_door_through_a_week_to_its_case(served):
    chapter = next(
        name for name, page in PAGES.items() if page.meta.get("kind") == "chapter" and cases_of(page.meta["week"])
    )
    case = cases_of(PAGES[chapter].meta["week"])[0]
    served.goto("/index.html")
    sidebar = served.locator("nav.bd-links")
    sidebar.locator(f"a[href$='{chapter}.html']").click()
    served.wait_for_url(f"**/{chapter}.html")
    link = served.locator(f"nav.bd-links a[href$='{case.split('/')[-1]}.html']")
    assert link.is_visible(), "장 아래에 그 주의 사례가 펼쳐져 있지 않습니다."
    link.click()
    served.wait_for_url(f"**/{case}.html")
    assert PAGES[case].title[:8] in served.locator("article h1").inner_text()


def test_the_front_door_leads_to_every_published_chapter(served):
    served.goto("/index.html")
    hrefs = served.locator("main a[href]").evaluate_all("links => links.map((a) => a.href)")
    for name, page in PAGES.items():
        if page.meta.get("kind") == "chapter":
            assert any(href.split("#")[0].endswith(f"{name}.html") for href in hrefs), name


def test_dark_mode_is_remembered(served):
    chapter = next(name for name, page in PAGES.items() if page.meta.get("kind") == "chapter")
    served.goto("/index.html")
    background = "getComputedStyle(document.body).backgroundColor"
    before = served.evaluate(background)
    button = served.locator(".theme-switch-button:visible").first
    for _ in range(3):
        if served.evaluate("document.documentElement.dataset.mode") == "dark":
            break
        button.click()
    assert served.evaluate("document.documentElement.dataset.theme") == "dark"
    assert served.evaluate(background) != before
    served.goto(f"/{chapter}.html")
    assert served.evaluate("document.documentElement.dataset.theme") == "dark"
    assert served.evaluate(background) != before


def test_the_sidebar_opens_and_closes_on_a_phone(served):
    served.set_viewport_size(PHONE)
    served.goto("/index.html")
    link = served.locator("nav.bd-links a.reference:visible, .bd-sidebar-primary a.reference:visible").first
    assert (
        not link.is_visible()
        or served.evaluate("document.querySelector('.bd-sidebar-primary').getBoundingClientRect().right") <= 0
    )
    served.locator(
        "button.primary-toggle, label.sidebar-toggle.primary-toggle, .sidebar-toggle.primary-toggle"
    ).locator("visible=true").first.click()
    served.wait_for_function(
        "() => { const a = [...document.querySelectorAll('.bd-sidebar-primary a.reference, dialog[open] a.reference')].find((e) => e.checkVisibility());"
        " return a && a.getBoundingClientRect().left >= 0 }"
    )
    assert served.recorded.console == []


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_search_results_stay_inside_their_window(served, size):
    served.set_viewport_size(size)
    served.goto("/index.html")
    served.keyboard.press("/")
    served.keyboard.type("성향 점수")
    served.locator("#book-search-results a").first.wait_for()
    dialog, results = (served.locator(s).bounding_box() for s in ("#pst-search-dialog", "#book-search-results"))
    assert 0 <= dialog["x"] and dialog["x"] + dialog["width"] <= size["width"] and 0 <= dialog["y"]
    assert dialog["x"] <= results["x"] and results["x"] + results["width"] <= dialog["x"] + dialog["width"] + 1
    assert dialog["width"] >= 0.3 * size["width"]
    response = Axe().run(served, options={"resultTypes": ["violations"]}).response
    assert [v["id"] for v in response["violations"] if v["impact"] in {"serious", "critical"}] == []


def test_a_term_is_explained_to_the_keyboard(served):
    served.goto("/chapters/week05_propensity_score.html")
    link, meaning = served.locator("article a[data-meaning]").first, served.locator("#term-meaning")
    served.keyboard.press("Tab")  # 자판을 쓰는 사람으로
    link.focus()
    meaning.wait_for(state="visible")
    assert meaning.inner_text() == link.get_attribute("data-meaning") and len(meaning.inner_text()) > 10
    assert link.get_attribute("aria-describedby") == "term-meaning"
    served.keyboard.press("Escape")
    assert not meaning.is_visible() and link.get_attribute("aria-describedby") is None


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_figure_is_readable_and_grows(served, size):
    """휴대전화에서 그림의 눈금 글자(10pt)가 10px을 넘고, 누르면 창에서 두 배로 큽니다."""
    served.set_viewport_size(size)
    served.goto("/chapters/week05_propensity_score.html")
    figure = served.locator(".cell_output img").first
    figure.scroll_into_view_if_needed()
    served.wait_for_function("() => document.querySelector('.cell_output img').complete")
    points = figure.evaluate("(i) => i.getBoundingClientRect().width / i.getAttribute('width') * 10 / 72 * 110")
    assert points >= 10, points
    figure.click()
    dialog, large = served.locator("dialog.figure-zoom"), served.locator("dialog.figure-zoom img")
    assert dialog.is_visible() and large.get_attribute("alt") == figure.get_attribute("alt")
    fitted = large.bounding_box()["width"]
    served.get_by_role("button", name="두 배로").click()
    assert large.bounding_box()["width"] >= 1.9 * fitted
    assert Axe().run(served, context="dialog.figure-zoom").response["violations"] == []
    served.keyboard.press("Escape")
    assert not dialog.is_visible()


def test_a_missing_page_searches_in_korean(served):
    served.goto("/chapters/week05_propensity.html")
    assert served.locator("h1:visible").inner_text().rstrip("#") == "쪽을 찾지 못했습니다"
    near = served.locator(".missing-near a")
    near.first.wait_for()
    assert any(
        "week05_propensity_score.html" in link for link in near.evaluate_all("links => links.map((a) => a.href)")
    )
    served.get_by_role("button", name="책에서 찾기").click()
    served.locator("#book-search-results a").first.wait_for()
    assert "5주차" in served.locator("#pst-search-dialog input").input_value()
    near_page = near.first.get_attribute("href")
    served.goto(near_page)
    assert PAGES["chapters/week05_propensity_score"].title[:6] in served.title()


def test_a_deck_opens_from_its_page(served):
    chapter = next(name for name, page in PAGES.items() if page.meta.get("kind") == "chapter")
    served.goto(f"/{chapter}.html")
    link = served.locator("a[href*='slides/']").first
    target = link.evaluate("a => a.href")
    served.goto(target)
    served.wait_for_selector(".reveal .slides section.present", state="visible")
    assert (served.recorded.console, served.recorded.outside, served.recorded.failed) == ([], [], [])


def test_the_notebook_of_a_page_can_be_downloaded(served):
    chapter = next(name for name, page in PAGES.items() if page.meta.get("kind") == "chapter")
    served.goto(f"/{chapter}.html")
    hrefs = served.locator("a[href]").evaluate_all("links => links.map((a) => a.href)")
    bundles = [href for href in hrefs if href.endswith(".zip")]
    assert bundles, "내려받을 꾸러미의 링크가 없습니다."
    answer = served.request.get(bundles[0])
    assert answer.ok and answer.body()[:2] == b"PK"


def test_a_page_prints_without_the_furniture(served):
    chapter = next(name for name, page in PAGES.items() if page.meta.get("kind") == "chapter")
    served.goto(f"/{chapter}.html")
    served.emulate_media(media="print")
    assert served.locator("h1").first.is_visible()
    assert not served.locator(".bd-sidebar-primary").is_visible()
