"""검토 뒤에 바뀐 문단을 찾습니다(book/reviewed.py). 초안은 보지 않습니다."""

from book import reviewed
from book.checks.findings import Finding
from book.page import Page

_CURE = "쪽을 쓰지 않은 사람이 바뀐 문단을 읽고 `make reviewed PAGE={page} BY=이름`으로 적으세요"


def check(page: Page) -> list[Finding]:
    """검토한 글과 다른 문단. 실린 장, 심화, 사례만 봅니다."""
    if page.meta.get("kind") not in reviewed.KINDS or page.meta.get("draft"):
        return []
    path, cure = f"{page.docname}.md", _CURE.format(page=page.docname)
    if reviewed.recorded(page.docname) is None:
        return [Finding(path, 1, f"누가 읽은 글인지 기록이 없습니다 — {cure}.", "reviewed")]
    new, gone = reviewed.changes(page)
    found = [Finding(path, line, f"검토한 뒤에 바뀐 문단입니다: '{said}' — {cure}.", "reviewed") for line, said in new]
    if gone and not new:
        said = ", ".join(f"'{opening}'" for opening in gone[:3])
        found.append(Finding(path, 1, f"검토한 문단이 사라졌습니다: {said} — {cure}.", "reviewed"))
    return found
