"""책이 주장하는 숫자를 알려진 정답에 견줍니다. 사이트와 같은 실행 결과를 읽습니다.

문턱(몇 배까지 벗어나도 되는지, 되풀이의 수)은 book/checks/executed.py에 있고, 규칙마다의 시험은 test_checks.py에 있습니다.
"""

import pytest

from book.checks import executed
from book.page import published_pages
from causal_practice.answers import ANSWER_MIME
from causal_practice.claims import CLAIM_MIME, VALIDATION_MIME

PAGES = [p for p in published_pages() if p.is_notebook]
ESTIMATING = [p for p in PAGES if p.meta.get("kind") == "case" or p.meta.get("estimand")]


def published(execution, mime: str) -> list[dict]:
    """실행된 노트북이 남긴 기록을 차례로 돌려줍니다."""
    return [
        output["data"][mime]
        for cell in execution.notebook().cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if mime in output.get("data", {})
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.docname)
def test_what_the_page_claims_holds(page, executions):
    findings = [f for f in executed.check(page, executions[page.docname]) if f.rule != "budget"]
    assert not findings, "\n".join(map(str, findings))


@pytest.mark.parametrize("page", ESTIMATING, ids=lambda p: p.docname)
def test_an_estimating_page_claims_and_validates(page, executions):
    claims = published(executions[page.docname], CLAIM_MIME)
    assert claims, f"{page.docname}: record_claim이 없습니다."
    assert len({c["name"] for c in claims}) == len(claims), f"{page.docname}: 주장의 이름이 겹칩니다."
    assert published(executions[page.docname], VALIDATION_MIME), f"{page.docname}: record_validation이 없습니다."


@pytest.mark.parametrize(
    "page", [p for p in PAGES if p.meta.get("kind") in {"chapter", "case"}], ids=lambda p: p.docname
)
def test_exercises_reject_common_wrong_answers(page, executions):
    answers = published(executions[page.docname], ANSWER_MIME)
    assert len(answers) >= 3, f"{page.docname}: 자기 점검이 {len(answers)}개뿐입니다."
    for answer in answers:
        assert answer["wrong_answers_rejected"] >= 1, f"{page.docname}: {answer['label']}에 흔한 오답이 없습니다."
