"""쪽마다 다른 자료로 다시 실행한 결과를 봅니다: 움직이지 않은 수, 자료가 바뀌면 뒤집히는 말, 그림 속의 글자. 수의 기록도 봅니다.

기록(benchmarks/redraw)이 지금 쪽의 것이면 읽기만 하고, 쪽이 바뀌었으면 그 자리에서 한 번 실행합니다(쪽마다 10~40초).
"""

import warnings

import pytest

from book.checks import meaning, numbers, redrawn
from book.page import published_pages
from book.redraw import compared, recorded

PAGES = [page for page in published_pages() if page.is_notebook]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.docname)
def test_what_comes_from_the_data_moves_with_the_data(page, executions):
    if recorded(page) is None:
        warnings.warn(f"{page.docname}: 바뀐 쪽이라 다시 실행했습니다. `make redraw`로 기록을 고치세요.", stacklevel=1)
    execution = executions[page.docname]
    facts = compared(page, execution)
    found = redrawn.check(page, execution, facts) + meaning.check(page, execution, facts)
    assert not found, "\n".join(map(str, found))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.docname)
def test_the_numbers_are_the_reviewed_ones(page, executions):
    """코드를 고쳐 글이 말하는 수가 움직였으면 기록(benchmarks/numbers)을 고치고 그 diff를 검토받습니다."""
    found = numbers.check(page, executions[page.docname])
    assert not found, "\n".join(map(str, found))
