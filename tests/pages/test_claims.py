"""실행한 노트북이 검사를 통과합니다: 정답과 견준 추정값, 검증, 자기 점검, 예산. 사이트와 같은 실행 결과를 읽습니다.

`make check-case`와 같은 함수(book/checks/executed.py)를 부르고 아무것도 빼지 않습니다. 규칙마다의 시험은 test_new_case.py에 있습니다.
"""

import pytest

from book.checks import executed
from book.page import published_pages


@pytest.mark.parametrize("page", [p for p in published_pages() if p.is_notebook], ids=lambda p: p.docname)
def test_what_the_run_left_passes_every_check(page, executions):
    findings = executed.check(page, executions[page.docname])
    assert not findings, "\n".join(map(str, findings))
