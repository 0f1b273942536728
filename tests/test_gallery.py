"""사례 모음: 머리말에서 나온 카드, 쪽 안에서 되는 거르기."""

import json

import pytest

from book_extensions.gallery import FILTERS, QUESTIONS, cases, facets, render
from tools.paths import Page, ROOT


def fake(name, **meta):
    base = {"kind": "case", "week": 3, "title": name, "method": ["매칭"], "industry": "배달", "question": [1]}
    return Page(ROOT / "case_studies" / f"{name}.md", f"# {name}\n", base | meta)


def test_cards_come_from_the_front_matter():
    page = fake("x", title="x", method=["IPW", "<b>"], question=[2, 4], week=7)
    text = render([page], "../")
    assert 'data-method="IPW|&lt;b&gt;"' in text and "../case_studies/x.html" in text and "7주차" in text
    assert facets(page)["question"] == [f"2. {QUESTIONS[2]}", f"4. {QUESTIONS[4]}"]


def test_weeks_sort_as_numbers():
    text = render([fake("a", week=11), fake("b", week=2)], "")
    assert text.index('data-value="2주차"') < text.index('data-value="11주차"')


def test_every_published_case_has_a_card(site_dir):
    text = (site_dir / "case_studies" / "index.html").read_text(encoding="utf-8")
    assert text.count('class="gallery-card"') == len(cases()) > 0
    for page in cases():
        assert page.title in text


@pytest.fixture
def gallery(browser_page, site_dir):
    browser_page.goto((site_dir / "case_studies" / "index.html").as_uri())
    return browser_page


def visible(page) -> int:
    return page.locator(".gallery-card:visible").count()


def test_filter_narrows_counts_and_resets(gallery):
    total = visible(gallery)
    button = gallery.locator(".gallery-filter button").first
    values = json.loads(
        gallery.evaluate("JSON.stringify([...document.querySelectorAll('.gallery-card')].map(c => c.dataset.method.split('|')))")
    )
    wanted = button.get_attribute("data-value")
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    assert visible(gallery) == sum(wanted in v for v in values)
    assert "method=" in gallery.url
    gallery.reload()
    assert gallery.locator(".gallery-filter button[aria-pressed='true']").count() == 1
    gallery.locator(".gallery-reset").click()
    assert visible(gallery) == total and "#" not in gallery.url


def test_nothing_matching_is_said(gallery):
    gallery.evaluate("document.querySelectorAll('.gallery-card').forEach(c => c.setAttribute('data-week', '99주차'))")
    gallery.locator(".gallery-filter[data-facet='week'] button").first.click()
    assert visible(gallery) == 0 and gallery.locator(".gallery-none").is_visible()
    assert gallery.locator(".gallery-count").inner_text().startswith("사례 0개")


def test_keyboard_works(gallery):
    button = gallery.locator(".gallery-filter button").first
    button.focus()
    gallery.keyboard.press("Space")
    assert button.get_attribute("aria-pressed") == "true"


def test_all_cards_show_without_javascript(browser, site_dir):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site_dir / "case_studies" / "index.html").as_uri())
    assert page.locator(".gallery-card").count() == len(cases())
    assert not page.locator(".gallery-filters").is_visible()
    context.close()


def test_every_facet_has_a_name():
    assert set(FILTERS) == set(facets(fake("x")))
