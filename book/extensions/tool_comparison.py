"""도구를 견준 표. ``python -m benchmarks.tools``가 쓴 benchmarks/tools.yml을 쪽에 싣습니다. 다시 재지 않습니다."""

import hashlib
import html
from pathlib import Path

import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from book.page import ROOT, PageError

RECORD = ROOT / "benchmarks" / "tools.yml"
PAGE = "guides/platforms"
HEADS = ("도구와 풀이, 사람이 정한 것", "번", "추정", "정답", "포함률", "초", "줄")
UNDRAWN = "깔리고 풀이도 있지만 아직 뽑지 않았습니다"
FEW = 20  # 이보다 적게 뽑은 줄은 칠합니다


def read_record(path: Path = RECORD) -> dict:
    """잰 기록.

    Raises
    ------
    PageError
        파일이 없거나 꼴이 다를 때.
    """
    if not path.is_file():
        raise PageError(f"benchmarks/{path.name} 파일이 없습니다. `python -m benchmarks.tools`로 만드세요.")
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(found, dict) or not {"problems", "tools", "together"} <= set(found):
        raise PageError(f"benchmarks/{path.name}: 꼴이 다릅니다. `python -m benchmarks.tools`로 다시 쓰세요.")
    return found


def name_of(tool: dict, row: dict) -> str:
    """도구의 이름과 버전, 무엇으로 풀었는지, 사람이 정한 것."""
    return (
        " ".join(filter(None, (tool["label"], tool.get("version"))))
        + f" · {row['how']} ({row['asks']})"
        + (f" · 멈춤: {row['error']}" if "error" in row else "")
    )


def undrawn(row: dict) -> bool:
    """풀이는 있지만 아직 한 번도 뽑지 않았는지. 뽑다가 멈춘 것은 아닙니다."""
    return not row["draws"] and "error" not in row


def _coverage(row: dict) -> str:
    if row.get("coverage") is None:
        return "구간 없음"
    error = row["coverage_error"]
    return f"{100 * row['coverage']:.0f}%" + ("" if error is None else f"(±{100 * error:.0f})")


def cells(row: dict) -> list[str]:
    """한 줄의 칸: 뽑은 수, 추정, 정답, 포함률, 초, 줄. 표적의 추정은 잡은 이득의 몫이고, 괄호는 모두에게 주었을 때의 몫입니다."""
    if not row["draws"]:
        answer = ["0", "", "", "", ""]
    else:
        if "gain" in row:
            middle = [f"이득의 {100 * row['gain']:.0f}%({100 * row['gain_everyone']:.0f}%)", "100%"]
        else:
            middle = [f"{row['estimate']:.2f}".replace("-", "−"), f"{row['truth']:.2f}"]
        failed = f" (멈춤 {row['failed']})" if row.get("failed") else ""
        answer = [f"{row['draws']}{failed}", *middle, _coverage(row), f"{row['seconds']:.1f}"]
    return [*answer, str(row["lines"])]


def table(record: dict) -> str:
    """문제마다 묶어, 도구 하나에 한 줄. 답하지 않은 도구는 묶음의 끝에 까닭과 함께 적습니다."""
    body = []
    for problem, said in record["problems"].items():
        title = f"{said['label']} · 정답은 {said['truth']}"
        body.append(f'<tr class="group"><th scope="colgroup" colspan="{len(HEADS)}">{html.escape(title)}</th></tr>')
        silent: dict[str, list[str]] = {}
        for tool in record["tools"].values():
            row = tool.get("problems", {}).get(problem)
            if row is None or undrawn(row):
                reason = UNDRAWN if row else tool.get("missing") or tool["silent"][problem]
                silent.setdefault(reason, []).append(tool["label"])
                continue
            few = ' class="missed"' if row["draws"] < FEW else ""
            texts = "".join(f"<td>{html.escape(c)}</td>" for c in cells(row))
            body.append(f'<tr{few}><th scope="row">{html.escape(name_of(tool, row))}</th>{texts}</tr>')
        for reason, labels in silent.items():
            text = f"{', '.join(labels)}: {reason}"
            body.append(f'<tr><th scope="row" colspan="{len(HEADS)}">{html.escape(text)}</th></tr>')
    head = "".join(f'<th scope="col">{name}</th>' for name in HEADS)
    return (
        f'<table class="table scorecard"><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table>'
        f"<p>{together(record)}</p>"
    )


def together(record: dict) -> str:
    """잰 날과, 핀 그대로 한 환경에 깔 수 있는지."""
    said = f"{record['date']}에 쟀습니다. 여러 도구의 핀을 한 환경에 함께 깔 수 "
    if not record["together"]:
        return said + "있습니다."
    return f"{said}<strong>없습니다</strong>. 그래서 환경을 나누었습니다. 푸는 이의 말: <code>{html.escape(record['together'])}</code>"


class ToolComparison(SphinxDirective):
    """```` ```{tool-comparison} ``` ````"""

    def run(self) -> list[nodes.Node]:
        try:
            return [nodes.raw("", table(read_record()), format="html")]
        except PageError as error:
            return [self.state_machine.reporter.error(str(error), line=self.lineno)]


def outdated(app: Sphinx, env, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
    """기록을 다시 썼으면 쪽을 다시 읽습니다."""
    now = hashlib.sha256(RECORD.read_bytes()).hexdigest() if RECORD.is_file() else ""
    before, env.tool_comparison_state = getattr(env, "tool_comparison_state", None), now
    return [PAGE] if before != now and PAGE in env.found_docs else []


def setup(app: Sphinx) -> dict:
    app.add_directive("tool-comparison", ToolComparison)
    app.connect("env-get-outdated", outdated)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
