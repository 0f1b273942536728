"""진짜 브라우저에서, 만들어진 사이트의 검색을 그대로 돌립니다(file://로 엽니다)."""

import pytest
import yaml

from book.page import ROOT

QUERIES = yaml.safe_load((ROOT / "tests" / "book" / "search_queries.yml").read_text(encoding="utf-8"))
RECALL_AT_5, RECALL_AT_3, MILLISECONDS = 0.95, 0.90, 100


@pytest.fixture(scope="module")
def search_tab(browser, site_dir):
    page = browser.new_page()
    page.goto((site_dir / "index.html").as_uri())
    page.evaluate("() => window.BookSearch.load().then(engine => { window.engine = engine; })")
    yield page
    page.close()


def ranked(tab, query: str) -> list[str]:
    urls = tab.evaluate("q => window.engine.search(q, 8).map(r => r.url)", query)
    return [url.removesuffix(".html") for url in urls]


def found_within(tab, entry: dict, depth: int) -> bool:
    return bool(set(ranked(tab, entry["q"])[:depth]) & set(entry["pages"]))


def test_there_are_enough_queries_and_their_pages_exist(site_dir):
    assert len(QUERIES) >= 60
    for entry in QUERIES:
        for page in entry["pages"]:
            assert (site_dir / f"{page}.html").is_file(), f"{entry['q']}: {page} 쪽이 없습니다."


def test_recall(search_tab):
    missed = [e["q"] for e in QUERIES if not found_within(search_tab, e, 5)]
    late = [e["q"] for e in QUERIES if not found_within(search_tab, e, 3)]
    assert 1 - len(missed) / len(QUERIES) >= RECALL_AT_5, f"첫 다섯에 없음: {missed}"
    assert 1 - len(late) / len(QUERIES) >= RECALL_AT_3, f"첫 셋에 없음: {late}"


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("성향점수", "chapters/week05_propensity_score"),
        ("성향 점수", "chapters/week05_propensity_score"),
        ("propensity", "chapters/week05_propensity_score"),
        ("역확률가중치", "chapters/week05_propensity_score"),
        ("늦은 배달", "case_studies/uber_late_delivery"),
        ("용어집", "guides/glossary"),
        ("설치", "guides/setup"),
    ],
)
def test_the_page_about_a_term_comes_first(search_tab, query, first):
    assert ranked(search_tab, query)[0] == first


@pytest.mark.parametrize(
    "pair", [("성향점수", "성향 점수"), ("도구변수", "도구 변수"), ("교란", "교란을"), ("IPW", "ipw")]
)
def test_spelling_does_not_change_the_answer(search_tab, pair):
    a, b = (ranked(search_tab, q)[:3] for q in pair)
    assert len(set(a) & set(b)) >= min(2, len(a)), f"{pair}: {a} / {b}"


@pytest.mark.parametrize("query", ["", "   ", "ㅎㅎ", "쿼카쿼카쿼카", "qzxv", "!!!", "(", "\\", "[가", "*"])
def test_nonsense_finds_nothing_and_breaks_nothing(search_tab, query):
    assert ranked(search_tab, query) == []


def test_answers_feel_instant(search_tab):
    times = search_tab.evaluate(
        """queries => queries.map(q => Math.min(...[1, 2, 3].map(() => { const start = performance.now(); window.engine.search(q, 8); return performance.now() - start; })))""",
        [e["q"] for e in QUERIES],
    )
    times.sort()
    assert times[len(times) // 2] < MILLISECONDS, f"가운데 값 {times[len(times) // 2]:.0f}ms"
    assert times[int(0.95 * len(times))] < 3 * MILLISECONDS, f"95% {times[int(0.95 * len(times))]:.0f}ms"


def test_every_result_leads_to_an_anchor_that_exists(search_tab, site_dir):
    from lxml import html

    seen: dict[str, set] = {}
    for entry in QUERIES[::4]:
        for url in search_tab.evaluate(
            "q => window.engine.search(q, 8).flatMap(r => r.sections.map(s => s.url))", entry["q"]
        ):
            path, _, anchor = url.partition("#")
            if path not in seen:
                seen[path] = {
                    e.get("id")
                    for e in html.fromstring((site_dir / path).read_bytes()).iter()
                    if isinstance(e.tag, str)
                }
            assert not anchor or anchor in seen[path], url


def test_dialog_by_keyboard(browser_page, site_dir):
    page = browser_page
    page.goto((site_dir / "chapters" / "week00_orientation.html").as_uri())
    page.keyboard.press("/")
    page.keyboard.type("성향점수")
    page.wait_for_selector(".book-search-hit[aria-selected='true']")
    assert "쪽에서 찾았습니다" in page.locator(".book-search-status").inner_text()
    page.keyboard.press("ArrowDown")
    assert page.locator(".book-search-hit").nth(1).get_attribute("aria-selected") == "true"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url("**/week05_propensity_score.html*")
    page.keyboard.press("Control+k")
    page.wait_for_selector("#pst-search-dialog[open]")
    page.keyboard.press("Escape")
    assert page.locator("#pst-search-dialog[open]").count() == 0
    assert not page.recorded.console and not page.recorded.outside


def test_a_missing_index_says_so(browser_page, site_dir):
    page = browser_page
    page.route("**/search/index.js", lambda route: route.abort())
    page.goto((site_dir / "index.html").as_uri())
    page.keyboard.press("/")
    page.keyboard.type("교란")
    page.wait_for_function("document.querySelector('.book-search-status').textContent.includes('읽지 못했습니다')")


def test_there_is_only_one_search(site_dir):
    assert not (site_dir / "searchindex.js").exists()
    assert not (site_dir / "search.html").exists()
