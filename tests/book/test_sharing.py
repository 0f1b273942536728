"""나누기: 저장소와 펴낸 주소를 적은 작은 책에서 링크, 머리, 사이트 지도, 소식, 404, 인용을 봅니다."""

import os
import shutil
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest
import yaml
from lxml import html as lxml_html
from PIL import Image
from small_book import Book, toc

from book import address
from book.browser import serve
from book.extensions import sharing
from book.links import broken_links
from book.page import ROOT, PageError

SITE, REPOSITORY = "https://team.github.io/book/", "https://github.com/team/book"
INDEX = "---\ntitle: 첫 쪽\ndescription: 첫 쪽의 설명입니다.\n---\n# 첫 쪽\n\n[안내](guides/plain.md)입니다.\n"
PLAIN = "---\ntitle: 안내\ndescription: 안내의 설명입니다.\n---\n# 안내\n\n## 1. 앞 절\n\n앞 글입니다.\n\n## 2. 뒤 절\n\n뒤 글입니다.\n"


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    book = Book(tmp_path_factory.mktemp("shared"))
    for name in ("CHANGELOG.md", "CITATION.cff"):
        shutil.copy2(ROOT / name, book.folder / name)
    config = (book.folder / "_config.yml").read_text(encoding="utf-8")
    (book.folder / "_config.yml").write_text(config.replace('url: ""', f"url: {REPOSITORY}"), encoding="utf-8")
    (book.folder / "index.md").write_text(INDEX, encoding="utf-8")
    (book.folder / "guides" / "plain.md").write_text(PLAIN, encoding="utf-8")
    (book.folder / "_toc.yml").write_text(toc("guides/plain"), encoding="utf-8")
    before = os.environ.get(address.VARIABLE)
    os.environ[address.VARIABLE] = SITE
    try:
        book.build_ok(alone=True)
    finally:
        os.environ.pop(address.VARIABLE)
        if before is not None:
            os.environ[address.VARIABLE] = before
    return book


def tree(book, name):
    return lxml_html.parse(str(book.html / f"{name}.html")).getroot()


def test_the_head_knows_where_it_is_published(shared):
    for name, here in (("index", SITE), ("guides/plain", f"{SITE}guides/plain.html")):
        page = tree(shared, name)
        assert page.xpath("//link[@rel='canonical']/@href") == [here]
        meta = {m.get("property") or m.get("name"): m.get("content") for m in page.iter("meta")}
        assert meta["og:url"] == here and meta["og:image"] == meta["twitter:image"] == f"{SITE}_static/social.png"
        assert meta["twitter:card"] == "summary_large_image" and meta["og:description"] == meta["description"]
        (feed,) = page.xpath("//link[@type='application/rss+xml']/@href")
        assert (shared.html / name).parent.joinpath(feed).resolve() == shared.html / sharing.NEWS
    assert Image.open(ROOT / "assets" / "static" / "social.png").size == sharing.IMAGE_SIZE


def test_robots_find_every_page_and_readers_the_changes(shared):
    listed = [e.text for e in ElementTree.parse(shared.html / "sitemap.xml").iter() if e.tag.endswith("loc")]
    assert listed == [f"{SITE}guides/plain.html", SITE]
    assert f"Sitemap: {SITE}sitemap.xml" in (shared.html / "robots.txt").read_text(encoding="utf-8")
    items = ElementTree.parse(shared.html / sharing.NEWS).findall("channel/item")
    assert len(items) >= 5 and all("<li>" in item.findtext("description") for item in items)
    assert items[0].findtext("pubDate").endswith("+0000")


def test_a_missing_page_works_at_any_depth_and_is_not_indexed(shared):
    page = tree(shared, "404")
    addresses = page.xpath("//link/@href | //script/@src | //a/@href")
    assert addresses and all(a.startswith(("/book/", "#", "https://")) for a in addresses)
    assert page.xpath("//meta[@name='robots']/@content") == ["noindex"] and not page.xpath("//link[@rel='canonical']")
    assert broken_links(shared.html, "/book/") == []
    assert [line for line in broken_links(shared.html, "/other/") if "404.html" in line]


def test_a_page_can_be_cited(shared):
    page = tree(shared, "guides/plain")
    (entry,) = page.xpath("//details[@class='book-citation']//pre/text()")
    author = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["authors"][0]["name"]
    assert entry.startswith("@misc{causal-practice-plain,") and f"{{{author}}}" in entry
    assert (
        "title = {{안내}}" in entry
        and f"url = {{{SITE}guides/plain.html}}" in entry
        and entry.count("{") == entry.count("}")
    )
    assert (shared.html / "CITATION.cff").read_bytes() == (ROOT / "CITATION.cff").read_bytes()


def test_a_question_opens_with_the_page_and_the_section_filled_in(shared, browser):
    form = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / "question.yml").read_text(encoding="utf-8"))
    assert any(field.get("id") == "page" for field in form["body"])
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    asked: list[str] = []
    context.route("https://github.com/**", lambda route: (asked.append(route.request.url), route.abort()))
    with serve(shared.html) as server:
        page = context.new_page()
        page.goto(f"{server}/guides/plain.html")
        page.wait_for_selector("#pst-page-toc-nav a")
        page.add_style_tag(content="article { padding-bottom: 200vh } html { scroll-behavior: auto !important }")
        page.evaluate("document.getElementById('뒤-절').scrollIntoView()")
        page.wait_for_selector("#pst-page-toc-nav a[aria-current]:has-text('2. 뒤 절')")
        links = dict(page.locator(".page-links a").evaluate_all("ls => ls.map((a) => [a.textContent, a.href])"))
        page.get_by_role("link", name="이 쪽에 질문하기").evaluate(
            "a => a.click()"
        )  # 누르러 가느라 다른 절로 넘어가지 않게
        page.wait_for_timeout(200)
    context.close()
    assert links["이 쪽 고치기"] == f"{REPOSITORY}/edit/main/guides/plain.md"
    assert links["원고 보기"] == f"{REPOSITORY}/blob/main/guides/plain.md"
    (question,) = asked
    said = parse_qs(urlsplit(question).query)
    assert urlsplit(question).path == "/team/book/issues/new" and said["template"] == ["question.yml"]
    assert said["page"] == ["안내 (guides/plain.md), '2. 뒤 절'"]


def test_without_addresses_nothing_points_outside(site_dir):
    """저장소 주소를 적지 않은 책에는 저장소로 가는 링크가 없습니다. 펴낸 주소는 환경이 정합니다."""
    page = lxml_html.parse(str(site_dir / "index.html")).getroot()
    assert bool(page.xpath("//nav[@class='page-links']")) == bool(address.repository())
    assert page.xpath("//details[@class='book-citation']") and (site_dir / "404.html").is_file()
    assert (site_dir / "sitemap.xml").is_file() == bool(address.site())
    assert sharing.repository_links("", "main", "a", "가") == [] and sharing.url("", "a") == ""


@pytest.mark.parametrize("wrong", ["team.github.io/book", "ftp://team/book", "https://"])
def test_a_wrong_address_is_refused(wrong, monkeypatch):
    monkeypatch.setenv(address.VARIABLE, wrong)
    with pytest.raises(PageError, match="SITE_ADDRESS"):
        address.site()
