"""가벼운 쪽: 쓰는 규칙만 남긴 스타일시트 하나, 막지 않는 스크립트, 크기가 적힌 그림."""

import re

import pytest

from book.extensions.light import lighten, prune, sized, statements, stylesheet, union


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
