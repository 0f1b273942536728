"""가벼운 쪽: 쓰는 규칙만 남긴 스타일시트 하나, 막지 않는 스크립트, 크기가 적힌 그림."""

import re

import pytest

from book.browser import serve
from book.extensions.light import lighten, prune, quieten, sized, statements, stylesheet, union


def test_rules_of_absent_classes_are_dropped_and_the_rest_kept():
    css = ".a{x:1}.gone{x:2}.a,.gone b{x:3}@media print{.gone{x:4}.a:not(.gone){x:5}}@media screen{.gone{x:6}}@font-face{src:url(f)}p::before{content:'}.gone{'}"
    assert prune(css, {"a"}).replace("\n", "") == (
        ".a{x:1}.a{x:3}@media print{.a:not(.gone){x:5}}@font-face{src:url(f)}p::before{content:'}.gone{'}"
    )
    assert list(statements("@charset 'a';p{x:1}")) == [("@charset 'a'", None), ("p", "x:1")]


def test_the_order_of_every_page_survives_in_the_union():
    pages = [["a", "b", "z"], ["a", "cards", "b", "z"], ["a", "b", "map", "z"]]
    merged = union(pages)
    assert sorted(merged) == ["a", "b", "cards", "map", "z"]
    assert all([name for name in merged if name in page] == page for page in pages)


def test_addresses_imports_and_icons_follow_the_bundle(tmp_path):
    (tmp_path / "styles").mkdir()
    (tmp_path / "basic.css").write_text(".b{background:url('file.png')}", encoding="utf-8")
    text = '@import "../basic.css";/* it\'s */.fa-list:before{content:"\\f03a"}.fa-cat:before{content:"\\f6be"}.i{src:url(data:x)}'
    (tmp_path / "styles" / "t.css").write_text(text, encoding="utf-8")
    found = stylesheet(tmp_path / "styles" / "t.css", tmp_path / "book.css", {"fa-list"})
    assert found == '.b{background:url(file.png)}.fa-list:before{content:"\\f03a"}.i{src:url(data:x)}'


def test_a_page_is_lightened_once():
    page = '<link rel="stylesheet" href="s/a.css?v=1" /><link rel="stylesheet" href="s/b.css"><script src="x.js"></script><script defer src="y.js"></script><script>let z;</script>'
    light = lighten(page, "s/book.css", "s/f.css", ["a.css", "b.css"])
    assert light.count("<link") == 2 and 'data-from="a.css b.css"' in light and "s/a.css" not in light
    assert '<script defer src="x.js">' in light and light.count("defer") == 2 and "<script>let z;" in light
    assert lighten(light, "s/book.css", "s/f.css", ["a.css", "b.css"]) == light


def test_the_theme_leaves_the_overflowing_boxes_to_the_book():
    script = 'a();"complete"===document.readyState?O():window.addEventListener("load",O);b()'
    quiet = quieten(script)
    assert "O()" not in quiet and quiet.startswith("a();") and quiet.endswith(";b()") and quieten(quiet) == quiet
    with pytest.raises(ValueError, match=r"light\.py"):
        quieten("c()")


@pytest.mark.parametrize(
    ("attributes", "size", "wanted"),
    [
        (' src="a.png" /', (8, 4), ' src="a.png" width="8" height="4" loading="lazy" decoding="async" /'),
        (' style="width: 8px; height: 4.4px;" src="a"', None, ' src="a" width="8" height="4" loading="lazy" decoding="async"'),
        (' src="a" width="1" height="2" loading="eager"', (8, 4), ' src="a" width="1" height="2" loading="eager" decoding="async"'),
    ],
)  # fmt: skip
def test_an_image_says_its_size(attributes, size, wanted):
    assert sized(attributes, size) == wanted


def test_the_site_has_one_bundle_with_every_face_and_file(site_dir):
    static = site_dir / "_static"
    (bundle,) = static.glob("book-*.css")
    css = bundle.read_text(encoding="utf-8")
    assert len(css) < 300_000 and all(f'"{name}"' in css or f"'{name}'" in css for name in ("Book Core", "Book Icons"))
    for address in re.findall(r"url\(([^)]+)\)", css):
        if not address.strip("\"'").startswith(("data:", "#")):
            assert (static / address.strip("\"'")).is_file(), address
    first = [static / "fonts" / "icons.woff2", static / "fonts" / "pretendard" / "core.woff2"]
    assert sum(path.stat().st_size for path in first) <= 200_000


REACHED = """() => [...document.querySelectorAll("div.highlight pre")].map((e) => ({
  drawn: e.checkVisibility({ contentVisibilityAuto: true }), wide: e.scrollWidth > e.clientWidth || e.scrollHeight > e.clientHeight, reached: e.tabIndex === 0 }))"""


def test_boxes_that_overflow_are_reached_by_the_keyboard_when_they_are_drawn(browser, site_dir):
    """휴대전화에서 아직 그리지 않은 절은 재지 않고, 다가가면 넘치는 상자만 자판으로 닿습니다. 화면을 넓히면 다시 잽니다."""
    with serve(site_dir) as address:
        context = browser.new_context(viewport={"width": 390, "height": 844}, device_scale_factor=2, is_mobile=True)
        page = context.new_page()
        page.goto(f"{address}/chapters/week05_propensity_score.html")
        page.wait_for_timeout(500)
        assert not any(box["reached"] for box in page.evaluate(REACHED) if not box["drawn"])
        last = page.locator("article div.highlight pre:visible").last
        last.scroll_into_view_if_needed()
        page.wait_for_timeout(800)
        boxes = [box for box in page.evaluate(REACHED) if box["drawn"]]
        assert any(box["wide"] for box in boxes) and all(box["wide"] == box["reached"] for box in boxes)
        page.set_viewport_size({"width": 1900, "height": 844})
        page.wait_for_timeout(500)
        boxes = [box for box in page.evaluate(REACHED) if box["drawn"]]
        assert boxes and all(box["wide"] == box["reached"] for box in boxes)
        context.close()
