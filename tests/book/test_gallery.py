"""사례 모음: 머리말에서 나온 카드, 쪽 안에서 되는 거르기."""

import io
import json
from urllib.parse import parse_qs, quote

import pytest
from lxml import html as lxml_html

from book.cases import METHODS, main_figure
from book.extensions.gallery import FILTERS, PICTURE_BYTES, PICTURE_SIZE, QUESTIONS, cases, facets, picture, render
from book.page import ROOT, Page, PageError, published_pages


def fake(name, **meta):
    base = {"kind": "case", "week": 3, "method": ["성향점수"], "industry": "배달", "question": [1]}
    return Page(ROOT / "case_studies" / f"{name}.md", f"# {name}\n", base | meta)


# --- 카드 ---


def test_cards_come_from_the_front_matter():
    page = fake(
        "x",
        method=["성향점수", "이중차분법"],
        industry="<b>|'\"",
        question=[4, 2],
        week=7,
        organisation="Uber",
        description="설<명",
        minutes={"read": 25},
    )
    text = render([page], "../")
    card = lxml_html.fromstring(text).find_class("gallery-card")[0]
    assert json.loads(card.get("data-facets")) == facets(page)
    assert facets(page) == {
        "method": ["성향점수", "이중차분법"], "industry": ["<b>|'\""], "week": ["7주차"], "question": [f"2. {QUESTIONS[2]}", f"4. {QUESTIONS[4]}"],
    }  # fmt: skip
    assert card.xpath(".//h2/a/@href") == ["../case_studies/x.html"]
    shown = card.text_content()
    assert "7주차 · Uber" in shown and "설<명" in shown and "읽기 25분" in shown and "None" not in shown


def test_buttons_say_how_many_and_weeks_sort_as_numbers():
    tree = lxml_html.fromstring(render([fake("a", week=11), fake("b", week=2), fake("c", week=2)], ""))
    buttons = tree.xpath("//fieldset[@data-facet='week']//button")
    assert [b.get("data-value") for b in buttons] == ["2주차", "11주차"]
    assert [" ".join(b.text_content().split()) for b in buttons] == ["2주차 사례 2개", "11주차 사례 1개"]
    assert tree.xpath("//li//p[@class='gallery-over']/text()") == ["11주차", "2주차", "2주차"]
    assert [p.meta["week"] for p in cases([fake("a", week=11), fake("b", week=2)])] == [2, 11]
    assert all(b.get("aria-pressed") == "false" and b.get("type") == "button" for b in buttons)
    assert tree.find_class("gallery-count")[0].get("role") == "status"


def test_only_finished_cases_have_a_card():
    pages = [
        fake("b", week=4),
        fake("a", week=1),
        fake("wip", draft=True),
        fake("template"),
        fake("index"),
        fake("not", kind="guide"),
    ]
    assert [p.path.stem for p in cases(pages)] == ["a", "b"]


@pytest.mark.parametrize(
    ("meta", "message"),
    [
        ({"week": None}, "week"),
        ({"question": [5]}, r"받은 것: \[5\]"),
        ({"question": 3}, "목록"),
        ({"method": "이중차분법"}, "목록"),
        ({"method": []}, "목록"),
        ({"method": ["이중차분법", "매칭"]}, "모르는 방법이 있습니다: 매칭 .*" + ", ".join(METHODS)),
        ({"week": "5"}, "week"),
    ],
)
def test_a_slip_in_the_front_matter_is_named_in_korean(meta, message):
    with pytest.raises(PageError, match=message) as error:
        cases([fake("x", **meta)])
    assert "case_studies/x.md" in str(error.value)


def test_an_unknown_method_is_named_with_its_line_and_the_methods_to_choose_from():
    page = fake("x", method=["매칭"])
    page = Page(page.path, "---\nkind: case\nweek: 3\nmethod: [매칭]\n---\n# x\n", page.meta)
    with pytest.raises(PageError, match=r"case_studies/x.md:4: .*매칭 — .*성향점수"):
        facets(page)


def test_the_methods_are_few_and_their_buttons_keep_the_order_of_the_list():
    assert len(METHODS) == len(set(METHODS)) <= 12
    tree = lxml_html.fromstring(render([fake("a", method=["프록시 지표"]), fake("b", method=["무작위 실험"])], ""))
    assert tree.xpath("//fieldset[@data-facet='method']//button/@data-value") == ["무작위 실험", "프록시 지표"]


@pytest.mark.parametrize(("tags", "line"), [([], 1), (["main-figure", "main-figure"], 7)])
def test_a_case_chooses_one_figure(tags, line):
    cells = "".join(f"```{{code-cell}} ipython3\n:tags: [{tag}]\nx = 1\n```\n" for tag in tags)
    page = Page(ROOT / "case_studies" / "x.md", f"# x\n\n{cells}", {})
    with pytest.raises(PageError, match=f"case_studies/x.md:{line}: main-figure.*{len(tags)}개"):
        main_figure(page)


def test_a_picture_is_small_whole_and_trimmed():
    from PIL import Image

    wide = Image.new("RGB", (2000, 400), "white")
    wide.paste((0, 0, 0), (900, 100, 1100, 200))  # 가운데의 검은 네모만 남습니다
    out = io.BytesIO()
    wide.save(out, "PNG")
    small = Image.open(io.BytesIO(picture(out.getvalue())))
    assert small.size == PICTURE_SIZE and small.convert("L").getpixel((280, 140)) < 20
    dark = sum(1 for value in small.convert("L").getdata() if value < 128)
    assert dark > 0.75 * PICTURE_SIZE[0] * PICTURE_SIZE[1]


def test_every_facet_has_a_name():
    assert set(FILTERS) == set(facets(fake("x")))


def test_an_empty_gallery_is_still_a_page():
    tree = lxml_html.fromstring(render([], ""))
    assert tree.find_class("gallery-count")[0].text_content() == "사례 0개" and not tree.xpath("//fieldset")


# --- 사이트 ---


def test_every_published_case_has_a_card(site_dir):
    tree = lxml_html.parse(str(site_dir / "case_studies" / "index.html")).getroot()
    wanted = [
        p
        for p in published_pages()
        if p.meta.get("kind") == "case" and not p.meta.get("draft") and p.path.stem != "template"
    ]
    assert wanted
    assert sorted(tree.xpath("//li[contains(@class, 'gallery-card')]//h2/a/text()")) == sorted(p.title for p in wanted)


def test_every_card_shows_the_main_figure_of_its_case(site_dir):
    tree = lxml_html.parse(str(site_dir / "case_studies" / "index.html")).getroot()
    images = tree.xpath("//li[contains(@class, 'gallery-card')]//img")
    assert [image.get("alt") for image in images] == [main_figure(page)[1].alt for page in cases()]
    for number, image in enumerate(images):
        content = (site_dir / "case_studies" / image.get("src")).resolve().read_bytes()
        assert 1000 < len(content) <= PICTURE_BYTES, image.get("src")
        assert (image.get("loading") == "lazy") == (number >= 2) and image.get("width") and image.get("height")
    assert len({(site_dir / "case_studies" / i.get("src")).resolve().read_bytes() for i in images}) == len(images)


def test_other_pages_do_not_carry_the_filter(site_dir):
    assert "gallery.js" in (site_dir / "case_studies" / "index.html").read_text(encoding="utf-8")
    assert "gallery.js" not in (site_dir / "index.html").read_text(encoding="utf-8")


# --- 브라우저: 책의 사례가 몇이든 같은 것을 보도록, 사례 넷을 넣은 모음으로 봅니다 ---

FOUR = [
    fake("a", method=["성향점수"], industry="배달", week=2, question=[1]),
    fake("b", method=["성향점수", "도구변수"], industry="게임", week=11, question=[1, 2]),
    fake("c", method=["이중차분법"], industry="배달", week=2, question=[3]),
    fake("d", method=["도구변수"], industry="제조", week=5, question=[4]),
]


@pytest.fixture(scope="module")
def four(site_dir, tmp_path_factory):
    """만들어진 모음 쪽의 카드만 사례 넷의 것으로 바꾼 쪽."""
    source = (site_dir / "case_studies" / "index.html").read_text(encoding="utf-8")
    start, end = (
        source.index('<div class="gallery">'),
        source.index("</ul></div>", source.index('class="gallery-cards"')) + len("</ul></div>"),
    )
    folder = tmp_path_factory.mktemp("gallery")
    page = folder / "index.html"
    base = f'<base href="{(site_dir / "case_studies").as_uri()}/">'
    page.write_text(
        (source[:start] + render(FOUR, "../") + source[end:]).replace("<head>", "<head>" + base, 1), encoding="utf-8"
    )
    return page.as_uri()


@pytest.fixture
def gallery(browser_page, four):
    browser_page.goto(four)
    return browser_page


def shown(page) -> list[str]:
    return page.locator(".gallery-card:visible h2").all_inner_texts()


def press(page, facet: str, value: str):
    if facet != "method":
        page.locator(".gallery-more").evaluate("details => { details.open = true }")
    button = page.locator(f".gallery-filter[data-facet='{facet}'] button[data-value='{value}']")
    button.click()
    return button


def count(page) -> str:
    return page.locator(".gallery-count").inner_text()


def hash_of(page) -> dict:
    return parse_qs(page.url.partition("#")[2])


def test_one_choice_narrows(gallery):
    assert shown(gallery) == ["a", "b", "c", "d"] and count(gallery) == "사례 4개"
    button = press(gallery, "method", "성향점수")
    assert button.get_attribute("aria-pressed") == "true"
    assert shown(gallery) == ["a", "b"] and count(gallery) == "사례 2개 (모두 4개)"
    button.click()
    assert button.get_attribute("aria-pressed") == "false" and len(shown(gallery)) == 4 and "#" not in gallery.url


def test_choices_widen_within_a_facet_and_narrow_across(gallery):
    press(gallery, "method", "성향점수")
    press(gallery, "method", "이중차분법")
    assert shown(gallery) == ["a", "b", "c"]
    press(gallery, "industry", "배달")
    assert shown(gallery) == ["a", "c"]
    press(gallery, "question", f"3. {QUESTIONS[3]}")
    assert shown(gallery) == ["c"]
    press(gallery, "week", "2주차")
    assert shown(gallery) == ["c"] and count(gallery) == "사례 1개 (모두 4개)"


def test_the_address_keeps_the_choice(gallery, four):
    press(gallery, "method", "도구변수")
    press(gallery, "week", "11주차")
    assert hash_of(gallery) == {"method": ["도구변수"], "week": ["11주차"]}
    gallery.reload()
    assert shown(gallery) == ["b"] and gallery.locator(".gallery-filter button[aria-pressed='true']").count() == 2
    gallery.goto("about:blank")
    gallery.goto(f"{four}#industry={quote('제조')}")
    assert shown(gallery) == ["d"]
    gallery.evaluate("location.hash = 'industry=' + encodeURIComponent('게임')")
    gallery.wait_for_function(
        "document.querySelector('.gallery-count').textContent.indexOf('1개') > 0 && !document.querySelectorAll('.gallery-card')[1].hidden"
    )
    assert shown(gallery) == ["b"]


def test_jumping_inside_the_page_keeps_the_choice(gallery):
    press(gallery, "method", "이중차분법")
    gallery.evaluate("location.hash = 'main-content'")
    gallery.wait_for_timeout(100)
    assert shown(gallery) == ["c"]


def test_nothing_matching_is_said_and_can_be_undone(gallery):
    assert not gallery.locator(".gallery-none").is_visible() and not gallery.locator(".gallery-reset:visible").count()
    press(gallery, "method", "이중차분법")
    press(gallery, "industry", "제조")
    assert (
        shown(gallery) == [] and gallery.locator(".gallery-none").is_visible() and count(gallery).startswith("사례 0개")
    )
    assert gallery.locator(".gallery-reset:visible").count() == 1
    gallery.locator(".gallery-none .gallery-reset").click()
    assert len(shown(gallery)) == 4 and not gallery.locator(".gallery-none").is_visible() and "#" not in gallery.url
    assert gallery.evaluate("document.activeElement.closest('.gallery-filter') !== null"), (
        "누른 단추가 사라진 뒤 초점을 잃었습니다."
    )


def test_reset_above_the_cards(gallery):
    press(gallery, "method", "도구변수")
    gallery.locator(".gallery-status .gallery-reset").click()
    assert len(shown(gallery)) == 4 and not gallery.locator(".gallery-filter button[aria-pressed='true']").count()


def test_keyboard_works(gallery):
    gallery.locator(".gallery-filter button").first.focus()
    gallery.keyboard.press("Tab")
    gallery.keyboard.press("Space")
    second = gallery.locator(".gallery-filter button").nth(1)
    assert second.get_attribute("aria-pressed") == "true" and shown(gallery) == ["c"]
    gallery.keyboard.press("Enter")
    assert second.get_attribute("aria-pressed") == "false"


def test_a_choice_in_the_address_opens_its_fold(gallery, four):
    assert not gallery.locator(".gallery-more[open]").count()
    gallery.goto("about:blank")
    gallery.goto(f"{four}#industry={quote('제조')}")
    assert shown(gallery) == ["d"] and gallery.locator(".gallery-more[open] button[aria-pressed='true']").is_visible()


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)], ids=["desk", "phone"])
def test_a_card_is_on_the_first_screen_and_nothing_hides_beside_it(browser, site_dir, size):
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, locale="ko-KR")
    context.add_init_script(
        "window.shift = 0; new PerformanceObserver(l => l.getEntries().forEach(e => { if (!e.hadRecentInput) window.shift += e.value; }))"
        ".observe({type: 'layout-shift', buffered: true});"
    )
    page = context.new_page()
    page.goto((site_dir / "case_studies" / "index.html").as_uri())
    title = page.locator(".gallery-card h2").first.bounding_box()
    assert title["y"] + title["height"] < size[1], "첫 카드의 제목이 첫 화면에 없습니다."
    page.evaluate(
        "async () => { await document.fonts.ready; await new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r))) }"
    )
    assert page.evaluate("window.shift") < 0.05
    page.evaluate("document.querySelector('.gallery-more').open = true")
    hidden = page.evaluate(
        "() => [...document.querySelectorAll('.gallery *')].filter(e => e.scrollWidth > e.clientWidth + 1"
        " && ['auto', 'scroll', 'hidden'].includes(getComputedStyle(e).overflowX) && !e.matches('.gallery-spoken')).map(e => e.className)"
    )
    assert hidden == [] and page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator(".gallery-filter button").first.bounding_box()["height"] >= 28
    context.close()


def test_far_cards_are_drawn_when_a_phone_comes_near(browser, site_dir):
    drawn = "() => [...document.querySelectorAll('.gallery-card h2')].map((e) => e.checkVisibility({ contentVisibilityAuto: true }))"
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto((site_dir / "case_studies" / "index.html").as_uri())
    page.wait_for_timeout(300)
    before = page.evaluate(drawn)
    assert before[0] and not before[-1] and sum(before) < len(before) / 2
    page.locator(".gallery-card").last.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    assert page.evaluate(drawn)[-1]
    page.set_viewport_size({"width": 1280, "height": 800})
    page.wait_for_timeout(300)
    assert all(page.evaluate(drawn))
    page.close()


def test_all_cards_show_without_javascript(browser, site_dir):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site_dir / "case_studies" / "index.html").as_uri())
    assert page.locator(".gallery-card:visible").count() == len(cases()) > 0
    assert not page.locator(".gallery-filters").is_visible() and not page.locator(".gallery-none").is_visible()
    assert count(page) == f"사례 {len(cases())}개"
    context.close()


def test_nothing_breaks_or_leaves_the_machine(gallery):
    press(gallery, "method", "성향점수")
    assert not gallery.recorded.console and not gallery.recorded.outside
