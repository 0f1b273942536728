"""사례가 낸 답의 표: 쪽마다 첫 주장(record_claim, validate)과 그 검증을 실행 결과에서 읽습니다. 손으로 적은 수는 없습니다."""

import math
from dataclasses import dataclass

from book.execution import Execution, stored
from book.page import ROOT, Page, PageError, read_page
from causal_practice.claims import CLAIM_MIME, VALIDATION_MIME

ASSIGNMENTS = "guides/why_this_method"  # 모든 사례를 배정 메커니즘마다 한 번씩 싣는 쪽
DIRECTIVE = "{case-results}"
HEADINGS = ("사례", "추정 대상", "단순 비교", "추정 [95% 구간]", "정답", "포함률")


@dataclass(frozen=True)
class Result:
    """사례 하나의 답.

    Attributes
    ----------
    docname, title, estimand, unit : str
    naive, estimate, low, high, truth : float
        단위는 모두 ``unit``입니다.
    coverage : float or None
        새로 뽑은 자료에서 구간이 정답을 포함한 비율(0~1). 같은 이름의 검증이 없으면 None.
    draws : int or None
    """

    docname: str
    title: str
    estimand: str
    unit: str
    naive: float
    estimate: float
    low: float
    high: float
    truth: float
    coverage: float | None
    draws: int | None


def result_of(page: Page, execution: Execution) -> Result:
    """쪽의 대표 주장. 쪽에 적힌 차례로 첫 주장입니다.

    추정 대상은 그 주장의 것입니다. 물음이 여럿인 쪽에서는 머리말의 것과 다를 수 있습니다(공급망의 샤플리 몫과 작업자의 ATE).

    Raises
    ------
    PageError
        주장이 하나도 없을 때.
    """
    claims, checks = [], {}
    for cell in execution.notebook().cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if content := data.get(CLAIM_MIME):
                claims.append(content)
            if content := data.get(VALIDATION_MIME):
                checks[content["name"]] = content
    if not claims:
        raise PageError(f"{page.docname}.md:1: 주장이 없어 표에 싣지 못합니다 — validate나 record_claim을 두세요.")
    claim = claims[0]
    check = checks.get(claim["name"], {})
    return Result(
        page.docname, page.title, claim["estimand"], claim["unit"], claim["naive"], claim["estimate"], claim["low"],
        claim["high"], claim["truth"], check.get("coverage"), check.get("draws"),
    )  # fmt: skip


def digits(low: float, high: float) -> int:
    """구간의 반너비를 유효숫자 둘까지 적을 때 소수점 아래의 자릿수."""
    half = (high - low) / 2
    return 0 if not half > 0 else max(0, min(4, 1 - math.floor(math.log10(half))))


def row(result: Result) -> list[str]:
    """표의 한 줄(MyST)."""
    places = digits(result.low, result.high)
    naive, estimate, low, high, truth = (
        _signless(f"{value:,.{places}f}")
        for value in (result.naive, result.estimate, result.low, result.high, result.truth)
    )
    covered = "—"
    if result.coverage is not None and result.draws:
        error = math.sqrt(result.coverage * (1 - result.coverage) / result.draws)
        covered = f"{100 * result.coverage:.0f}% (±{100 * error:.1f})"
    unit = result.unit.replace("|", "\\|")
    return [
        f"[{result.title}](/{result.docname}.md)", f"{result.estimand}, {unit}", naive,
        f"{estimate} [{low},\u00a0{high}]", truth, covered,
    ]  # fmt: skip


def _signless(text: str) -> str:
    """0을 -0으로 적지 않습니다."""
    return text.lstrip("-") if float(text.replace(",", "")) == 0 else text


def table(pages: list[Page]) -> str:
    """사례의 표(MyST). 보관한 실행에서 읽습니다.

    Raises
    ------
    PageError
        보관한 실행이나 주장이 없을 때.
    """
    lines = ["| " + " | ".join(HEADINGS) + " |", "|---|---|--:|--:|--:|--:|"]
    for page in pages:
        done = stored(page)
        if done is None:
            raise PageError(f"{page.docname}.md: 보관한 실행이 없습니다. `make book`을 다시 돌리세요.")
        lines.append("| " + " | ".join(row(result_of(page, done))) + " |")
    return "\n".join(lines)


def listed() -> list[str]:
    """배정 메커니즘의 쪽(:data:`ASSIGNMENTS`)에 적힌 사례의 이름, 적힌 차례대로."""
    found, inside = [], False
    for line in (ROOT / f"{ASSIGNMENTS}.md").read_text(encoding="utf-8").splitlines():
        if inside and line.startswith("```"):
            inside = False
        elif inside and line.strip() and not line.startswith(":"):
            found.append(line.strip())
        inside = inside or line.strip() == f"```{DIRECTIVE}"
    return found


def unlisted(page: Page) -> list[str]:
    """실린 사례가 배정 메커니즘의 쪽에 한 번 있지 않으면 고칠 것. 괜찮으면 비어 있습니다."""
    times = listed().count(page.docname)
    if times == 1:
        return []
    what = "없습니다" if not times else f"{times}번 있습니다"
    return [
        f"{ASSIGNMENTS}.md:1: {page.docname}이(가) {what} — 처치를 정한 방식이 같은 절의 표에 이름을 한 번 적으세요."
    ]


def named(names: list[str]) -> list[Page]:
    """이름으로 적은 사례.

    Raises
    ------
    PageError
        그런 원고가 없을 때.
    """
    for name in names:
        if not (ROOT / f"{name}.md").is_file():
            raise PageError(f"'{name}' 사례가 없습니다 — case_studies/이름 꼴로 적으세요.")
    return [read_page(ROOT / f"{name}.md") for name in names]
