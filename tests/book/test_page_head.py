"""쪽의 머리와 자리: 주차 이름, 읽는 시간, 읽을 수 있는 주소, 펼쳐지는 차례, 읽은 만큼의 막대."""

import re
from urllib.parse import unquote

import pytest
from lxml import html as lxml_html

from book.browser import serve
from book.evening import reading_line
from book.extensions.page_head import anchor
from book.page import ROOT, published_pages, toc_branches, week_marks

MARKS = week_marks(ROOT)
PAGES = {page.docname: page for page in published_pages()}
CHAPTER, DEEPER, CASE = "chapters/week05_propensity_score", "chapters/week05_deeper", "case_studies/uber_late_delivery"


def tree(site_dir, name):
    return lxml_html.parse(str(site_dir / f"{name}.html")).getroot()


def text(element) -> str:
    return " ".join(element.text_content().split())


# --- 주차 이름 ---


def test_marks_come_from_the_place_in_the_contents(tmp_path):
    (tmp_path / "_toc.yml").write_text(
        "root: index\nchapters:\n  - file: a\n    sections: [{file: b}, {file: c}]\n  - file: d\n", encoding="utf-8"
    )
    heads = {
        "index": "guide",
        "a": "chapter\nweek: 7",
        "b": "deeper\nweek: 3",
        "c": "case\nweek: 7",
        "d": "case\nweek: 7",
    }
    for name, head in heads.items():
        (tmp_path / f"{name}.md").write_text(f"---\nkind: {head}\n---\n# {name}\n", encoding="utf-8")
    assert week_marks(tmp_path) == {"a": "7주차", "b": "7주차 심화", "c": "7주차 사례"}


def test_every_page_below_a_week_has_its_mark_and_the_rest_have_none():
    below = {
        name: f"{PAGES[chapter].meta['week']}주차"
        for chapter, names in toc_branches()
        if PAGES[chapter].meta.get("kind") == "chapter"
        for name in [chapter, *names]
    }
    assert len(below) > 30 and {name: mark.split()[0] for name, mark in MARKS.items()} == below
    assert MARKS[CHAPTER] == "5주차" and MARKS[DEEPER] == "5주차 심화" and MARKS[CASE] == "5주차 사례"


def test_the_mark_stands_everywhere_a_page_is_named(site_dir):
    for name, mark in MARKS.items():
        page = tree(site_dir, name)
        wanted = f"{mark} · {PAGES[name].title}".split("`")[0].split("*")[0].strip()
        heading = page.xpath("//article//h1")[0]
        shared = page.xpath("//meta[@property='og:title']/@content")[0]
        for said in (text(heading), shared, page.findtext("head/title")):
            assert said.startswith(wanted), said
    front = tree(site_dir, "index")
    menu = {unquote(a.get("href")): text(a) for a in front.xpath("//nav[contains(@class, 'bd-links')]//a")}
    assert all(menu[f"{name}.html"].startswith(f"{mark} · ") for name, mark in MARKS.items())


def test_neighbours_are_named_with_their_week(site_dir):
    titles = [text(p) for p in tree(site_dir, DEEPER).xpath("//p[@class='prev-next-title']")]
    assert titles[0].startswith("5주차 · ") and titles[1].startswith("5주차 사례 · ")


def test_minutes_stand_under_the_title(site_dir):
    for name in MARKS:
        said = reading_line(PAGES[name].meta["minutes"])
        line = tree(site_dir, name).xpath("//article//h1/following-sibling::*[1]")[0]
        assert line.get("class") == "page-minutes" and text(line) == said and "읽기" in said
    assert reading_line({"read": 5, "practise": 0}) == "읽기 5분" and reading_line(None) == ""


# --- 제목의 주소 ---


@pytest.mark.parametrize(
    ("heading", "wanted"),
    [
        ("3.2 성향점수와 직교화", "성향점수와-직교화"),
        ("10. 월요일에 쓸 세 줄", "월요일에-쓸-세-줄"),
        ("4. 디자인 vs. 모델 (ATE)", "디자인-vs-모델-ate"),
        ("2단계 최소제곱법", "_2단계-최소제곱법"),
        ("!?", "절"),
    ],
)
def test_an_address_is_the_heading_without_its_number(heading, wanted):
    assert anchor(heading) == wanted


def test_no_address_is_a_mere_number(site_dir):
    for name in PAGES:
        ids = tree(site_dir, name).xpath("//article//section/@id")
        assert ids and len(ids) == len(set(ids)), name
        # 숫자로 시작하는 주소는 CSS의 이름이 아니어서 테마의 스크립트가 멈춥니다
        assert not [i for i in ids if re.match(r"id\d+$|\d", i)], (name, ids)


# --- 브라우저 ---


@pytest.fixture(scope="module")
def server(site_dir):
    with serve(site_dir) as address:
        yield address


@pytest.fixture
def chapter(browser, server):
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, locale="ko-KR", permissions=["clipboard-read", "clipboard-write"]
    )
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.goto(f"{server}/{CHAPTER}.html")
    page.add_style_tag(content="html { scroll-behavior: auto !important }")
    yield page
    context.close()


TOC = "#pst-page-toc-nav"


def test_the_contents_open_the_branch_that_is_read(chapter):
    branch = chapter.locator(f"{TOC} li:has(> ul)")
    first, second = branch.nth(0), branch.nth(1)
    assert not first.locator("ul").is_visible() and not second.locator("ul").is_visible()
    link = first.locator("ul a").nth(2)
    here = unquote(link.get_attribute("href"))[1:]
    chapter.evaluate("id => document.getElementById(id).scrollIntoView()", here)
    chapter.wait_for_function(
        "id => decodeURIComponent(document.querySelector('#pst-page-toc-nav a[aria-current]')?.hash.slice(1) ?? '') === id",
        arg=here,
    )
    assert link.is_visible() and first.locator("> a.active").count() == 1
    assert not second.locator("ul").is_visible()


def test_the_mark_beside_a_heading_copies_a_readable_address(chapter):
    heading = chapter.locator("article h2").nth(1)
    mark = heading.locator("a.headerlink")
    heading.hover()
    mark.click()
    chapter.wait_for_function("document.querySelector('.headerlink.copied') !== null")
    copied = chapter.evaluate("navigator.clipboard.readText()")
    assert (
        copied == f"{chapter.url.split('#')[0]}#{anchor(text(lxml_html.fromstring(heading.inner_html())).rstrip('#'))}"
    )
    assert chapter.get_by_text("주소를 복사했습니다").count() == 1
    chapter.goto(copied)
    assert chapter.evaluate("document.querySelector(':target').tagName") == "SECTION"


def test_the_bar_grows_with_reading(chapter):
    scale = "new DOMMatrix(getComputedStyle(document.querySelector('.reading-progress')).transform).a"
    assert chapter.evaluate(scale) < 0.02
    chapter.evaluate("scrollTo(0, document.body.scrollHeight)")
    chapter.wait_for_function(f"{scale} > 0.99")
    bar = chapter.locator(".reading-progress")
    assert bar.bounding_box()["height"] <= 4
    chapter.emulate_media(media="print")
    assert not bar.is_visible()
    chapter.emulate_media(media="screen", reduced_motion="reduce")
    assert not bar.is_visible()
