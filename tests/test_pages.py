"""차례에 실린 모든 쪽이 문체·숫자·얼개 검사를 통과합니다. 규칙마다의 시험은 test_checks.py에 있습니다."""

import pytest

from tools.checks import check_page
from tools.paths import published_pages


@pytest.mark.parametrize("page", published_pages(), ids=lambda p: p.docname)
def test_page_passes_every_check(page):
    findings = check_page(page)
    assert not findings, "\n".join(str(finding) for finding in findings)
