"""사례 모음: 머리말에서 나온 카드, 쪽 안에서 되는 거르기."""

import json
from urllib.parse import parse_qs, quote

import pytest
from lxml import html as lxml_html

from book.extensions.gallery import FILTERS, QUESTIONS, cases, facets, render
from book.page import ROOT, Page, PageError, published_pages


def fake(name, **meta):
    base = {"kind": "case", "week": 3, "method": ["매칭"], "industry": "배달", "question": [1]}
    return Page(ROOT / "case_studies" / f"{name}.md", f"# {name}\n", base | meta)


# --- 카드 ---


def test_cards_come_from_the_front_matter():
    page = fake(
        "x",
        method=["IPW", "<b>|'\""],
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
        "method": ["IPW", "<b>|'\""], "industry": ["배달"], "week": ["7주차"], "question": [f"2. {QUESTIONS[2]}", f"4. {QUESTIONS[4]}"],
    }  # fmt: skip
    assert card.xpath(".//h2/a/@href") == ["../case_studies/x.html"]
    shown = card.text_content()
    assert "7주차 · Uber" in shown and "설<명" in shown and "읽기 25분" in shown and "None" not in shown


def test_buttons_say_how_many_and_weeks_sort_as_numbers():
    tree = lxml_html.fromstring(render([fake("a", week=11), fake("b", week=2), fake("c", week=2)], ""))
    buttons = tree.xpath("//fieldset[@data-facet='week']//button")
    assert [b.get("data-value") for b in buttons] == ["2주차", "11주차"]
    assert [" ".join(b.text_content().split()) for b in buttons] == ["2주차 사례 2개", "11주차 사례 1개"]
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
        ({"week": "5"}, "week"),
    ],
)
def test_a_slip_in_the_front_matter_is_named_in_korean(meta, message):
    with pytest.raises(PageError, match=message) as error:
        cases([fake("x", **meta)])
    assert "case_studies/x.md" in str(error.value)


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


def test_other_pages_do_not_carry_the_filter(site_dir):
    assert "gallery.js" in (site_dir / "case_studies" / "index.html").read_text(encoding="utf-8")
    assert "gallery.js" not in (site_dir / "index.html").read_text(encoding="utf-8")


# --- 브라우저: 책의 사례가 몇이든 같은 것을 보도록, 사례 넷을 넣은 모음으로 봅니다 ---

FOUR = [
    fake("a", method=["매칭"], industry="배달", week=2, question=[1]),
    fake("b", method=["매칭", "CUPED"], industry="게임", week=11, question=[1, 2]),
    fake("c", method=["이중차분법"], industry="배달", week=2, question=[3]),
    fake("d", method=["CUPED"], industry="제조", week=5, question=[4]),
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
    button = page.locator(f".gallery-filter[data-facet='{facet}'] button[data-value='{value}']")
    button.click()
    return button


def count(page) -> str:
    return page.locator(".gallery-count").inner_text()


def hash_of(page) -> dict:
    return parse_qs(page.url.partition("#")[2])


def test_one_choice_narrows(gallery):
    assert shown(gallery) == ["a", "b", "c", "d"] and count(gallery) == "사례 4개"
    button = press(gallery, "method", "매칭")
    assert button.get_attribute("aria-pressed") == "true"
    assert shown(gallery) == ["a", "b"] and count(gallery) == "사례 2개 (모두 4개)"
    button.click()
    assert button.get_attribute("aria-pressed") == "false" and len(shown(gallery)) == 4 and "#" not in gallery.url


def test_choices_widen_within_a_facet_and_narrow_across(gallery):
    press(gallery, "method", "매칭")
    press(gallery, "method", "이중차분법")
    assert shown(gallery) == ["a", "b", "c"]
    press(gallery, "industry", "배달")
    assert shown(gallery) == ["a", "c"]
    press(gallery, "question", f"3. {QUESTIONS[3]}")
    assert shown(gallery) == ["c"]
    press(gallery, "week", "2주차")
    assert shown(gallery) == ["c"] and count(gallery) == "사례 1개 (모두 4개)"


def test_the_address_keeps_the_choice(gallery, four):
    press(gallery, "method", "CUPED")
    press(gallery, "week", "11주차")
    assert hash_of(gallery) == {"method": ["CUPED"], "week": ["11주차"]}
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
    press(gallery, "method", "CUPED")
    gallery.locator(".gallery-status .gallery-reset").click()
    assert len(shown(gallery)) == 4 and not gallery.locator(".gallery-filter button[aria-pressed='true']").count()


def test_keyboard_works(gallery):
    gallery.locator(".gallery-filter button").first.focus()
    gallery.keyboard.press("Tab")
    gallery.keyboard.press("Space")
    second = gallery.locator(".gallery-filter button").nth(1)
    assert second.get_attribute("aria-pressed") == "true" and shown(gallery) == ["a", "b"]
    gallery.keyboard.press("Enter")
    assert second.get_attribute("aria-pressed") == "false"


def test_filters_fit_a_phone(browser, four):
    context = browser.new_context(viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.goto(four)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.locator(".gallery-filter button").first.bounding_box()["height"] >= 30
    context.close()


def test_all_cards_show_without_javascript(browser, site_dir):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site_dir / "case_studies" / "index.html").as_uri())
    assert page.locator(".gallery-card:visible").count() == len(cases()) > 0
    assert not page.locator(".gallery-filters").is_visible() and not page.locator(".gallery-none").is_visible()
    assert count(page) == f"사례 {len(cases())}개"
    context.close()


def test_nothing_breaks_or_leaves_the_machine(gallery):
    press(gallery, "method", "매칭")
    assert not gallery.recorded.console and not gallery.recorded.outside
