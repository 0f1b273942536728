"""작은 책을 임시 폴더에 지어 빌드의 약속을 봅니다: 실패는 실패로, 필요한 것만 다시, 끊겨도 같은 사이트."""

import os
import re
import shutil

import pytest
from PIL import Image
from small_book import CELL, INDEX, NOTEBOOK, ONE, TWO, Book, toc

from book.links import broken_links

BAD = {
    "bad_error": ("x = 1\nx / 0", "ZeroDivisionError", "셀의 코드를 고치세요"),
    "bad_warning": ("import warnings\nwarnings.warn('조심하세요')", "경고가 찍혔습니다", "경고의 원인을 고치세요"),
    "bad_glyph": (
        "import matplotlib.pyplot as plt\nfrom causal_practice import set_style\nset_style()\nplt.title('\\u1900')\nplt.show()",
        "그림 글꼴에 없는 글자",
        "보통 글자로 바꾸세요",
    ),
    "bad_network": (
        "import urllib.request\nurllib.request.urlopen('http://example.com')",
        "네트워크(example.com)",
        "데이터를 생성기로",
    ),
    "bad_swallowed": (
        "import urllib.request\ntry:\n    urllib.request.urlopen('http://example.com')\nexcept Exception:\n    pass",
        "네트워크(example.com)",
        "내려받는 코드를 지우고",
    ),
}


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    book = Book(tmp_path_factory.mktemp("book"))
    assert book.build_ok(alone=True) == {"one": False, "two": False}
    yield book
    book.close()


def test_the_site_shows_what_was_computed(book):
    text = (book.html / "one.html").read_text(encoding="utf-8")
    assert "평균 2.00" in text and "평균은 2.00입니다" in text.replace('<span class="pasted-text">', "").replace(
        "</span>", ""
    )
    (image,) = re.findall(r'<img[^>]*alt="점 세 개"[^>]*>', (book.html / "two.html").read_text(encoding="utf-8"))
    shown, source = (int(re.search(r' width="(\d+)"', image)[1]), re.search(r'src="([^"]+)"', image)[1])
    assert abs(Image.open(book.html / source).width - 2 * shown) <= 1 and 600 < shown < 1000  # 두 배로 촘촘합니다
    assert 'loading="lazy"' in image and "style=" not in image


def test_an_interrupted_build_ends_in_the_same_site(book):
    whole = book.hashes()  # 앞의 온전한 빌드
    assert len(whole) > 10
    shutil.rmtree(book.folder / "_build")
    store = book.folder / "_build" / "execution"
    book.build_and_kill(lambda: any(store.glob("*.ipynb")))  # 한 쪽만 실행된 때
    assert not book.html.exists()
    book.build_and_kill(lambda: (book.html / "index.html").exists())  # 쪽을 쓰는 도중
    assert set(book.hashes()) != set(whole), "죽기 전에 사이트가 이미 다 지어졌습니다."
    cached = book.build_ok()
    assert cached == {"one": True, "two": True}
    after = book.hashes()
    assert set(after) == set(whole)
    assert [name for name in whole if whole[name] != after[name]] == []


def test_an_edited_sentence_executes_nothing_and_reaches_the_page(book):
    before = book.hashes()
    with book.changed({"one.md": ONE.replace("첫 문장입니다", "고친 문장입니다")}):
        assert book.build_ok() == {"one": True, "two": True}
        assert "고친 문장입니다" in (book.html / "one.html").read_text(encoding="utf-8")
        assert book.hashes()["two.html"] == before["two.html"]


def test_changed_data_executes_only_the_pages_that_load_it(book):
    with book.changed({"data/one.csv": "y\n7\n8\n9\n"}):
        assert book.build_ok() == {"one": False, "two": True}
        assert "평균 8.00" in (book.html / "one.html").read_text(encoding="utf-8")


def test_undoing_a_change_uses_the_stored_run(book):
    assert book.build_ok() == {"one": True, "two": True}
    assert "평균 2.00" in (book.html / "one.html").read_text(encoding="utf-8")


def test_every_kind_of_bad_cell_fails_the_build_and_says_where_and_what_to_do(book):
    """두 번째 빌드도 실패해야 합니다. 앞의 실패가 보관되어 초록불이 되는 일을 막습니다."""
    pages = {
        f"{name}.md": NOTEBOOK.replace("TITLE", name) + f"{CELL}1\n```\n\n{CELL}{code}\n```\n"
        for name, (code, _, _) in BAD.items()
    }
    with book.changed(pages | {"_toc.yml": toc("one", "two", *BAD)}):
        code, output = book.build()
        assert code == 1, f"빌드가 성공했습니다.\n{output}"
        for name, (_, what, remedy) in BAD.items():
            start = output.index(f"{name}.md:")
            message = output[start:].split("\n\n")[0]
            assert what in message and remedy in message, f"{name}: {message}"
            if name != "bad_swallowed":  # 삼킨 시도는 셀을 알 수 없습니다
                assert message.startswith(f"{name}.md:15: 2번째 코드 셀"), message
        (book.folder / "_toc.yml").write_text(toc("one", "bad_error"), encoding="utf-8")
        assert book.build()[0] == 1, "두 번째 빌드가 성공했습니다."


def test_a_link_to_a_missing_page_fails_the_build(book):
    with book.changed({"one.md": ONE + "\n[없는 쪽](nowhere.md)을 봅니다.\n"}):
        code, output = book.build()
        assert code == 1 and "nowhere" in output and "one.md" in output, output
        assert book.build()[0] == 1, "두 번째 빌드가 성공했습니다."


def test_a_warning_points_at_the_line_in_the_editor(book):
    """글 앞의 빈 줄이 몇이든, 코드가 없는 쪽이든, 경고의 줄은 원고의 줄입니다."""
    bad = "[없는 쪽](nowhere.md)을 봅니다.\n"
    pages = {
        "one.md": ONE + f"\n{CELL}1\n```\n{bad}\n{CELL}2\n```\n\n\n\n문장입니다.\n\n{bad}",
        "index.md": INDEX + f"\n문장입니다.\n\n- [ ] 할 일\n\n{bad}",
    }
    with book.changed(pages):
        code, output = book.build()
    assert code == 1, output
    for name, text in pages.items():
        lines = [number for number, line in enumerate(text.splitlines(), 1) if line + "\n" == bad]
        found = {int(number) for number in re.findall(rf"/{re.escape(name)}:(\d+): WARNING", output)}
        assert found == set(lines), f"{name}: {output}"


def test_a_new_alt_text_or_tag_executes_nothing_and_reaches_the_page(book):
    new = (
        TWO.replace("점 세 개", "점 셋")
        .replace("{image:", "{code_prompt_show: 보기, image:")
        .replace(":mystnb:", ":tags: [hide-input]\n:mystnb:")
    )
    with book.changed({"two.md": new}):
        assert book.build_ok() == {"one": True, "two": True}
        text = (book.html / "two.html").read_text(encoding="utf-8")
        assert 'alt="점 셋"' in text and "tag_hide-input" in text and "보기" in text


def test_a_page_put_back_with_an_older_time_is_read_again(book):
    assert book.build_ok() == {"one": True, "two": True}
    path = book.folder / "one.md"
    with book.changed({"one.md": ONE.replace("첫 문장입니다", "옛 문장입니다")}):
        os.utime(path, (1_000_000_000, 1_000_000_000))
        book.build_ok()
        assert "옛 문장입니다" in (book.html / "one.html").read_text(encoding="utf-8")


def test_a_code_cell_on_a_page_that_is_no_notebook_fails_the_build(book):
    with book.changed({"index.md": INDEX + f"\n{CELL}1\n```\n"}):
        code, output = book.build()
        assert code == 1 and f"index.md:{len(INDEX.splitlines()) + 2}: 노트북이 아닌 쪽에 코드 셀" in output, output
        assert book.build()[0] == 1, "두 번째 빌드가 성공했습니다."


def test_broken_links_are_found_in_finished_html(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.html").write_text(
        '<a href="sub/b.html#here">1</a><a href="sub/b.html#gone">2</a><a href="gone.html">3</a><img src="gone.png">'
        '<a href="https://example.com/x">4</a><a href="#top">5</a><a href="sub/">6</a><p id="top"></p>',
        encoding="utf-8",
    )
    (tmp_path / "sub" / "b.html").write_text('<p id="here"></p><a href="../a.html#top">1</a>', encoding="utf-8")
    (tmp_path / "sub" / "index.html").write_text("<p></p>", encoding="utf-8")
    assert broken_links(tmp_path) == [
        "a.html: gone.html (파일이 없습니다)",
        "a.html: gone.png (파일이 없습니다)",
        "a.html: sub/b.html#gone (앵커가 없습니다)",
    ]
