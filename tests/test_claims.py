"""책이 주장하는 숫자를 알려진 정답에 견줍니다. 사이트와 같은 실행 결과를 읽습니다."""

import math

import pytest

from causal_practice.answers import ANSWER_MIME
from causal_practice.claims import CLAIM_MIME, VALIDATION_MIME
from tools.paths import published_pages

PAGES = [p for p in published_pages() if p.is_notebook]
ESTIMATING = [p for p in PAGES if p.meta.get("kind") == "case" or p.meta.get("estimand")]
MINIMUM_DRAWS = 200
STRETCH = 1.5  # 한 번 뽑은 데이터의 95% 구간은 스무 번에 한 번 빗나갑니다. 크게 빗나간 것만 잡습니다.


def published(execution, mime: str) -> list[dict]:
    """실행된 노트북이 남긴 기록을 차례로 돌려줍니다."""
    return [
        output["data"][mime]
        for cell in execution.notebook().cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if mime in output.get("data", {})
    ]


@pytest.mark.parametrize("page", ESTIMATING, ids=lambda p: p.docname)
def test_main_claim_is_near_the_truth(page, executions):
    claims = published(executions[page.docname], CLAIM_MIME)
    assert claims, f"{page.docname}: record_claim이 없습니다."
    assert len({c["name"] for c in claims}) == len(claims), "주장의 이름이 겹칩니다."
    for claim in claims:
        reach = STRETCH * max(claim["high"] - claim["estimate"], claim["estimate"] - claim["low"])
        assert abs(claim["estimate"] - claim["truth"]) <= reach, f"{page.docname}: 추정값이 정답에서 멉니다. {claim}"
        assert abs(claim["estimate"] - claim["truth"]) < abs(claim["naive"] - claim["truth"]), (
            f"{page.docname}: 단순 비교가 더 정확합니다. {claim}"
        )


@pytest.mark.parametrize("page", ESTIMATING, ids=lambda p: p.docname)
def test_estimand_agrees_with_front_matter(page, executions):
    promised = page.meta["estimand"]
    claimed = {c["estimand"] for c in published(executions[page.docname], CLAIM_MIME)}
    assert promised in claimed, f"{page.docname}: 머리말은 {promised}인데 기록한 주장은 {claimed}입니다."


@pytest.mark.parametrize("page", ESTIMATING, ids=lambda p: p.docname)
def test_method_keeps_its_promise_over_many_draws(page, executions):
    validations = published(executions[page.docname], VALIDATION_MIME)
    kept = [v for v in validations if v["assumptions_hold"]]
    assert kept, f"{page.docname}: 가정이 성립하는 record_validation이 없습니다."
    for v in validations:
        assert v["draws"] >= MINIMUM_DRAWS, f"{page.docname}: {v['name']}은 {v['draws']}번만 뽑았습니다."
        noise = math.sqrt(v["nominal"] * (1 - v["nominal"]) / v["draws"])
        if v["assumptions_hold"]:
            assert abs(v["coverage"] - v["nominal"]) <= 3 * noise + 0.01, f"{page.docname}: {v}"
            assert abs(v["bias"]) <= max(0.1 * abs(v["truth"]), 0.02), f"{page.docname}: {v}"
        else:
            assert v["coverage"] < v["nominal"] - 3 * noise, f"{page.docname}: 가정을 깼는데도 구간이 정답을 덮습니다. {v}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.docname)
def test_every_solution_passes_its_self_check(page, executions):
    answers = published(executions[page.docname], ANSWER_MIME)
    if page.meta.get("kind") in {"chapter", "case"}:
        assert answers, f"{page.docname}: 자기 점검이 없습니다."
    for answer in answers:
        assert answer["status"] == "right", f"{page.docname}: {answer['label']}의 정답 코드가 점검을 통과하지 못합니다."
        assert answer["wrong_answers_rejected"] >= 1, f"{page.docname}: {answer['label']}에 흔한 오답이 없습니다."
