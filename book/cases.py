"""사례의 머리말과 표시: 거르기에 쓰는 방법의 이름과 대표 그림. 모음과 검사가 함께 씁니다."""

from book.myst import Cell, parse
from book.page import Page, PageError

MAIN_FIGURE = "main-figure"  # 대표 그림을 그리는 셀의 꼬리표

# 사례 모음에서 고르는 방법. 늘리기 전에 합칠 것을 찾습니다: 단추가 열둘을 넘으면 고르기보다 읽기가 빠릅니다.
METHODS = (
    "무작위 실험",
    "지역·스위치백 실험",
    "도구변수",
    "불연속 설계",
    "통제집단합성법",
    "이중차분법",
    "회귀·층화",
    "성향점수",
    "이중 강건 추정",
    "이질적 처치효과",
    "인과 그래프",
    "프록시 지표",
)


def are_methods(value) -> bool:
    """머리말의 ``method``로 쓸 수 있으면 참: :data:`METHODS`의 이름이 하나 넘게 든 목록."""
    return isinstance(value, list) and bool(value) and all(isinstance(v, str) and v in METHODS for v in value)


def check_methods(page: Page) -> list[str]:
    """사례의 방법을 돌려줍니다.

    Raises
    ------
    PageError
        목록이 아니거나 모르는 이름이 있을 때. 파일과 줄, 고를 수 있는 이름이 적혀 있습니다.
    """
    found = page.meta.get("method")
    if are_methods(found):
        return found
    where = f"{page.docname}.md:{parse(page.text).front_matter_line('method')}"
    unknown = [v for v in found if v not in METHODS] if isinstance(found, list) else []
    what = (
        f"method에 모르는 방법이 있습니다: {', '.join(map(str, unknown))}" if unknown else f"method가 {found!r}입니다"
    )
    raise PageError(
        f"{where}: {what} — 다음에서 골라 [이중차분법] 꼴의 목록으로 적고, 더 자세한 이름은 keywords에 적으세요: {', '.join(METHODS)}"
    )


def main_figure(page: Page) -> tuple[int, Cell]:
    """대표 그림을 그리는 코드 셀의 번호(0부터, 코드 셀만 셈)와 셀.

    Raises
    ------
    PageError
        꼬리표가 달린 셀이 하나가 아닐 때.
    """
    tagged = [(number, cell) for number, cell in enumerate(parse(page.text).cells) if MAIN_FIGURE in cell.tags]
    if len(tagged) == 1:
        return tagged[0]
    line = tagged[1][1].line if tagged else 1
    raise PageError(
        f"{page.docname}.md:{line}: {MAIN_FIGURE} 꼬리표가 달린 셀이 {len(tagged)}개입니다 — "
        "사례를 한눈에 보일 그림 하나를 골라 그 셀의 tags에 적으세요. 사례 모음의 카드에 실립니다."
    )
