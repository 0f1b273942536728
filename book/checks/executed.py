"""실행한 노트북의 검사: 정답과 견준 추정값, 되풀이한 검증, 자기 점검, 그림, 값 뒤의 조사, 시간과 메모리.

`make check-case`와 시험(tests/pages/test_claims.py)이 같은 :func:`check`를 부르며, 어느 쪽도 빼고 보지 않습니다.
"""

import math
import re
from collections import Counter

from book import values
from book.checks import relations
from book.checks.findings import Finding
from book.checks.language import wrong_particles
from book.execution import MEMORY_BUDGET_MB, SECONDS_BUDGET, Execution
from book.myst import Document, parse
from book.page import Page
from causal_practice.answers import ANSWER_MIME
from causal_practice.claims import CLAIM_MIME, VALIDATION_MIME

MINIMUM_DRAWS = 200
MOST_TOLERANCE = 0.05  # 자기 점검의 허용 오차가 정답의 이만큼을 넘으면 답을 가리지 못합니다
_GLUE = re.compile(r"\{glue:text\}`([\w.]+)(?::([^`]*))?`")
TIGHT, LOOSE = 0.03, 0.10  # 편향의 한도(정답의 비율): 오차를 아는 검증과 모르는 검증
# 유한 표본에서 남는 편향을 쪽이 크기까지 말한 검증. 여기에 더하려면 쪽에 그 편향의 까닭이 적혀 있어야 합니다.
STATED_BIAS = {
    (
        "case_studies/netflix_game_events",
        "att",
    ): 0.13,  # 고른 가중치가 행사 전을 덜 맞춘 몫. 11절의 표가 크기를 말합니다
    (
        "chapters/week09_synthetic_control",
        "cross_fit",
    ): 0.09,  # 시간이 갈수록 벌어지는 편향은 교차 예측이 빼지 못합니다(6절)
}
# CPU 시간도 기계를 탑니다. 한 기계에서 60초 안이던 쪽(netflix_game_events)이 다른 기계에서는 홀로 돌려도 69초였습니다.
SLOWER_MACHINE = 1.5
STRETCH = 1.5  # 95% 구간은 스무 번에 한 번 빗나갑니다. 크게 빗나간 것만 잡습니다.


def check(page: Page, execution: Execution, document: Document | None = None) -> list[Finding]:
    """실행 결과에서 고칠 것을 찾습니다. 줄 번호는 원고의 셀 자리입니다."""
    document = document or parse(page.text)
    path = f"{page.docname}.md"
    cells = [c for c in execution.notebook().cells if c.cell_type == "code"]
    lines = [c.line for c in document.cells] + [1] * max(0, len(cells) - len(document.cells))
    found = _budget(path, execution) + _particles(page, execution)
    claims, validations, answers = [], [], []
    for index, cell in enumerate(cells):
        for output in cell.outputs:
            data = output.get("data", {})
            for mime, bucket in ((CLAIM_MIME, claims), (VALIDATION_MIME, validations), (ANSWER_MIME, answers)):
                if mime in data:
                    bucket.append((_call_line(document, index, mime, data[mime]) or lines[index], data[mime]))
            if "image/png" in data and index < len(document.cells):
                source = document.cells[index]
                if not source.alt and not {"remove-cell", "remove-output"} & set(source.tags):
                    found.append(
                        Finding(
                            path,
                            source.line,
                            '그림이 나왔는데 대체 텍스트가 없습니다 — :mystnb: {image: {alt: "무엇을 보아야 하는지"}}를 적으세요.',
                            "alt",
                        )
                    )
    if page.meta.get("kind") == "case" or page.meta.get("estimand"):
        found += _recorded(path, document, claims, validations)
    for line, claim in claims:
        found += _claim(path, line, claim)
    if claims and page.meta.get("estimand") not in {c["estimand"] for _, c in claims}:
        line, claim = claims[0]
        message = f"머리말의 추정 대상은 {page.meta.get('estimand')}인데 코드는 {claim['estimand']}를 추정했다고 적었습니다 — 하나로 맞추세요."
        found.append(Finding(path, line, message, "estimand"))
    claimed = {claim["name"]: claim for _, claim in claims}
    for line, validation in validations:
        allowed = STATED_BIAS.get((page.docname, validation["name"]), TIGHT)
        found += _validation(path, line, validation, claimed.get(validation["name"]), allowed)
    found += relations.check(page, execution, document, [c for _, c in claims], [v for _, v in validations])
    if validations and not any(v["assumptions_hold"] for _, v in validations):
        message = "가정이 성립하는 자료에서 한 검증이 없습니다 — 기본값의 자료로 record_validation을 한 번 더 부르세요."
        found.append(Finding(path, validations[0][0], message, "validation"))
    for line, answer in answers:
        found += _answer(path, line, answer)
    return sorted(set(found))


def _recorded(path: str, document: Document, claims: list, validations: list) -> list[Finding]:
    """추정하는 쪽은 주장과 검증을 남기고, 주장의 이름이 겹치지 않습니다."""
    line = next((b.line for b in document.headings() if "정답 확인" in b.raw), 1)
    found = []
    for what, have in (("주장(validate나 record_claim)", claims), ("검증(validate나 record_validation)", validations)):
        if not have:
            message = f"실행에 {what}이 남지 않았습니다 — '정답 확인' 절에서 validate를 부르세요."
            found.append(Finding(path, line, message, "claim"))
    for name, count in Counter(claim["name"] for _, claim in claims).items():
        if count > 1:
            last = [line for line, claim in claims if claim["name"] == name][-1]
            message = f"주장의 이름 '{name}'이(가) {count}번 나옵니다 — 이름을 서로 다르게 지으세요."
            found.append(Finding(path, last, message, "claim"))
    return found


def _answer(path: str, line: int, answer: dict) -> list[Finding]:
    label, found = answer["label"], []
    if answer["status"] != "right":
        message = f"{label}의 정답 셀이 자기 점검을 통과하지 못합니다 — 정답 셀이나 expected를 고치세요."
        found.append(Finding(path, line, message, "answer"))
    if not answer["wrong_answers_rejected"]:
        message = f'{label}에 흔한 오답이 없습니다 — wrong={{"이름": (값, "무엇과 헷갈렸는지")}}를 더하세요.'
        found.append(Finding(path, line, message, "answer"))
    if (share := answer.get("tolerance_share") or 0.0) > MOST_TOLERANCE:
        message = f"{label}의 허용 오차가 정답의 {share:.0%}라 틀린 답도 받아들입니다 — decimals를 하나 늘리고 문제의 자릿수도 고치세요."
        found.append(Finding(path, line, message, "answer"))
    return found


def _particles(page: Page, execution: Execution) -> list[Finding]:
    """값을 넣은 글에서 숫자 뒤의 조사가 소리와 어긋난 곳."""
    from book.learner_notebook import glued_values

    notebook, glued = execution.notebook(), glued_values(execution)
    rows, start, found = page.text.split("\n"), 0, []
    for position, cell in values.numbered(notebook.cells):
        try:
            filled = values.substitute(cell.source, values.at(notebook, position))
        except KeyError:
            continue  # 실행과 원고가 다른 때입니다. 실행의 검사가 알립니다
        for before, after in zip(cell.source.split("\n"), filled.split("\n"), strict=True):
            start = next((n for n in range(start, len(rows)) if rows[n].strip() == before.strip()), start)
            if before == after and "{glue:" not in before:
                continue
            text = _GLUE.sub(lambda m: format(glued.get(m[1], ""), m[2] or "") if m[1] in glued else m[0], after)
            for _, said, right in wrong_particles(re.sub(r"[*`\\]", "", text)):
                message = f"값을 넣으면 '{said}'가 됩니다 — 조사를 '{right}'처럼 고치거나 숫자 뒤에 단위를 두세요."
                found.append(Finding(f"{page.docname}.md", start + 1, message, "particle"))
    return found


def _call_line(document: Document, index: int, mime: str, payload: dict) -> int | None:
    """기록을 남긴 호출의 줄. 같은 셀에 여럿이면 이름으로 가립니다."""
    if index >= len(document.cells):
        return None
    functions = {
        CLAIM_MIME: ("validate", "record_claim"),
        VALIDATION_MIME: ("validate", "record_validation"),
        ANSWER_MIME: ("check_answer",),
    }
    calls = list(document.cells[index].calls(*functions[mime]))
    wanted = payload.get("name") or payload.get("label")
    named = [line for line, call in calls if call.args and getattr(call.args[0], "value", None) == wanted]
    return (named or [line for line, _ in calls] or [None])[0]


def _budget(path: str, execution: Execution) -> list[Finding]:
    found = []
    seconds = execution.cpu_seconds or execution.seconds  # 다른 일이 바쁜 기계에서 벽시계가 늘어도 같은 답을 냅니다
    if seconds > SLOWER_MACHINE * SECONDS_BUDGET:
        found.append(
            Finding(
                path,
                1,
                f"실행에 {seconds:.0f}초 걸렸습니다 — {SECONDS_BUDGET:.0f}초 안에 끝나게 표본이나 되풀이를 줄이세요.",
                "budget",
            )
        )
    if execution.memory_mb > MEMORY_BUDGET_MB:
        found.append(
            Finding(
                path,
                1,
                f"메모리를 {execution.memory_mb:.0f}MB 썼습니다 — {MEMORY_BUDGET_MB:.0f}MB 안에서 돌게 표본을 줄이세요.",
                "budget",
            )
        )
    return found


def _claim(path: str, line: int, claim: dict) -> list[Finding]:
    found = []
    miss = abs(claim["estimate"] - claim["truth"])
    if miss <= 1e-9 * max(abs(claim["truth"]), 1e-3):
        message = f"'{claim['name']}'의 정답 {claim['truth']:.4g}이(가) 추정값과 끝자리까지 같습니다"
        found.append(
            Finding(path, line, f"{message} — 정답은 추정에 쓰지 않은 정답 열이나 카드에서 구하세요.", "claim")
        )
    reach = STRETCH * max(claim["high"] - claim["estimate"], claim["estimate"] - claim["low"])
    if miss > reach:
        message = f"추정값 {claim['estimate']:.3g}이(가) 정답 {claim['truth']:.3g}에서 멉니다(신뢰구간 [{claim['low']:.3g}, {claim['high']:.3g}])"
        found.append(Finding(path, line, f"{message} — 보정할 변수와 추정 대상을 다시 보세요.", "claim"))
    if miss >= abs(claim["naive"] - claim["truth"]):
        message = f"단순 비교 {claim['naive']:.3g}이(가) 추정값 {claim['estimate']:.3g}보다 정답에 가깝습니다"
        found.append(Finding(path, line, f"{message} — 방법이 하는 일이 없습니다. 자료나 방법을 다시 보세요.", "claim"))
    return found


def _validation(path: str, line: int, v: dict, claim: dict | None = None, tight: float = TIGHT) -> list[Finding]:
    """되풀이한 검증 하나. 같은 이름의 주장이 있으면 그 구간에서 몬테카를로 오차를 어림해 편향을 더 좁게 봅니다."""
    found = []
    if v["draws"] < MINIMUM_DRAWS:
        found.append(
            Finding(
                path,
                line,
                f"'{v['name']}'은(는) 자료를 {v['draws']}번만 뽑았습니다 — {MINIMUM_DRAWS}번 이상 뽑으세요.",
                "validation",
            )
        )
    noise = math.sqrt(v["nominal"] * (1 - v["nominal"]) / v["draws"])
    if v["assumptions_hold"]:
        if abs(v["coverage"] - v["nominal"]) > 3 * noise + 0.01:
            message = (
                f"{v['nominal']:.0%} 구간이 정답을 {v['coverage']:.0%}만 담습니다"
                if v["coverage"] < v["nominal"]
                else f"{v['nominal']:.0%} 구간이 {v['coverage']:.0%}나 담아 너무 넓습니다"
            )
            found.append(Finding(path, line, f"{message} — 표준오차가 처치를 정한 방식과 맞는지 보세요.", "validation"))
        limit, told = max(LOOSE * abs(v["truth"]), 0.02), f"{LOOSE:.0%}"
        if claim:  # 구간의 반폭을 1.96과 되풀이의 제곱근으로 나누면 편향의 몬테카를로 오차입니다
            limit = 3 * (claim["high"] - claim["low"]) / 2 / 1.96 / math.sqrt(v["draws"]) + tight * abs(v["truth"])
            told = f"{tight:.0%}와 몬테카를로 오차 셋"
        if abs(v["bias"]) > limit:
            message = f"편향 {v['bias']:.3g}이(가) 정답 {v['truth']:.3g}의 {told}을(를) 넘습니다"
            found.append(Finding(path, line, f"{message} — 추정 방법이나 정답의 정의를 다시 보세요.", "validation"))
    elif v["coverage"] >= v["nominal"] - 3 * noise:
        message = "가정을 깼다고 했는데 구간이 여전히 정답을 담습니다"
        found.append(
            Finding(path, line, f"{message} — 가정을 더 세게 깨거나 assumptions_hold를 고치세요.", "validation")
        )
    return found
