"""원고 검사: 문체(language), 문장의 흐름(flow), 본문의 숫자(prose_numbers), 쪽의 얼개(structure), 검토 기록(reviews), 코드 셀(code_cells), 값싼 검사(lints), 연습문제(answers), 주장(claims), 이름표(labels), 통계 코드의 실수(slips), 현업 사례 지도(atlas)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # 검사를 부르는 명령이 뜨자마자 멈출 수 있게, 읽는 데 걸리는 것은 쓸 때 부릅니다
    from book.checks.findings import Finding
    from book.page import Page

__all__ = ["check_page", "inspect_page"]


def inspect_page(page: Page, published: set[str] | None = None) -> list[Finding]:
    """쪽 하나를 모든 검사로 살펴 주의까지 모두 돌려줍니다(줄 차례).

    Parameters
    ----------
    page : Page
    published : set of str
        차례에 실린 쪽의 이름. 주지 않으면 _toc.yml에서 읽습니다.
    """
    from book.checks import (
        answers,
        atlas,
        claims,
        code_cells,
        flow,
        labels,
        language,
        lints,
        prose_numbers,
        reviews,
        slips,
        structure,
    )
    from book.myst import parse

    document = parse(page.text)
    return sorted(
        language.check(page, document)
        + flow.check(page, document)
        + prose_numbers.check(page, document)
        + structure.check(page, document, published=published)
        + code_cells.check(page, document)
        + reviews.check(page, document)
        + lints.check(page, document)
        + answers.check(page, document)
        + claims.check(page, document)
        + labels.check(page, document)
        + slips.check(page, document)
        + atlas.check(page)
    )


def check_page(page: Page) -> list[Finding]:
    """쪽 하나에서 고쳐야 할 것만 돌려줍니다. 비어 있으면 합격입니다."""
    return [finding for finding in inspect_page(page) if not finding.warning]
