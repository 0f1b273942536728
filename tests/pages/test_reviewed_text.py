"""실린 글은 쪽을 쓰지 않은 사람이 읽은 글입니다. 바뀐 문단은 다시 읽고 서명합니다."""

import pytest

from book.checks import reviewed_text
from book.page import published_pages

PAGES = [page for page in published_pages() if page.meta.get("kind") in {"chapter", "deeper", "case"}]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.docname)
def test_somebody_else_has_read_this_text(page):
    found = reviewed_text.check(page)
    assert not found, "\n".join(map(str, found))
