"""쪽의 수가 검토한 기록(benchmarks/numbers)과 같은지 봅니다. 코드를 고치다 뜻하지 않게 움직인 수를 찾습니다."""

from book import numbers
from book.checks.findings import Finding
from book.execution import Execution
from book.page import Page

_CURE = (
    "바꾸려던 수이면 `make redraw`로 기록을 고치고 까닭을 풀 리퀘스트에 적으세요. 아니면 앞에서 고친 코드를 되돌리세요."
)


def check(page: Page, execution: Execution) -> list[Finding]:
    """기록과 다른 수. 기록이 없는 초안은 보지 않습니다."""
    path, known = f"{page.docname}.md", numbers.recorded(page.docname)
    if known is None:
        if page.meta.get("draft"):
            return []
        return [Finding(path, 1, "수의 기록이 없습니다 — `make redraw`로 만들어 함께 커밋하세요.", "numbers")]
    prose = numbers.prose_values(page, execution)
    lines = {where: line for where, (line, _, _) in prose.items()}
    unseen = {where: size for where, (_, _, size) in prose.items()}
    return [
        Finding(
            path,
            lines.get(name) or _line(page, kind, name),
            f"{_said(kind, name)}: 기록은 {_shown(before)}, 지금은 {_shown(now)} — {_CURE}",
            "numbers",
        )
        for kind, name, before, now in numbers.changes(known, numbers.numbers_of(page, execution), unseen)
    ]


def _said(kind: str, name: str) -> str:
    return {
        "prose": f"본문의 '{name}'에 묶인 값",
        "printed": f"'{name}' 셀이 찍은 수",
        "claims": f"주장 '{name}'",
        "validations": f"검증 '{name}'",
    }[kind] + "이(가) 움직였습니다"


def _shown(value) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {v}" for k, v in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "없음" if value is None else str(value)


def _line(page: Page, kind: str, name: str) -> int:
    wanted = name.rsplit(" #", 1)[0] if kind == "printed" else f'"{name}"'
    return next((n for n, line in enumerate(page.text.split("\n"), 1) if wanted in line), 1)
