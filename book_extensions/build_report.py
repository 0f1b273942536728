"""빌드 보고서 쪽. 쪽마다 실행 시간과 메모리를 예산과 견주고, ``make bench``의 표를 보여 줍니다."""

import html

import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from tools.execution import MEMORY_BUDGET_MB, SECONDS_BUDGET, stored
from tools.paths import ROOT, published_pages

BENCHMARK = ROOT / "guides" / "benchmark.yml"


def pages_table(executions: list[tuple[str, str, float, float]]) -> str:
    """(제목, 주소, 초, MB)의 표. 예산을 넘은 칸은 글자로도 표시합니다."""

    def cell(value: float, budget: float, unit: str) -> str:
        over = value > budget
        return f"<td>{'<strong>' if over else ''}{value:.0f}{unit}{' (예산 초과)</strong>' if over else ''}</td>"

    rows = "".join(
        f'<tr><th scope="row"><a href="{url}">{html.escape(title)}</a></th>{cell(s, SECONDS_BUDGET, "초")}{cell(m, MEMORY_BUDGET_MB, "MB")}</tr>'
        for title, url, s, m in executions
    )
    return (
        f"<table><thead><tr><th scope='col'>쪽</th><th scope='col'>시간(예산 {SECONDS_BUDGET:.0f}초)</th>"
        f"<th scope='col'>메모리(예산 {MEMORY_BUDGET_MB:.0f}MB)</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def benchmark_table(document: dict) -> str:
    """``make bench``가 쓴 측정의 표."""
    rows = "".join(
        f"<tr><th scope='row'>{html.escape(str(r['group']))}</th><td>{html.escape(str(r['name']))}</td>"
        f"<td>{r['value']:g}{html.escape(str(r['unit']))}</td><td>{html.escape(str(r.get('goal') or '-'))}</td>"
        f"<td>{html.escape(str(r.get('note') or ''))}</td></tr>"
        for r in document["results"]
    )
    measured = document["measured"]
    return (
        f"<p>잰 날 {measured['date']}, 기계: {html.escape(str(measured['machine']))}</p>"
        "<table><thead><tr><th scope='col'>갈래</th><th scope='col'>잰 것</th><th scope='col'>값</th><th scope='col'>목표</th>"
        f"<th scope='col'>덧말</th></tr></thead><tbody>{rows}</tbody></table>"
    )


class BuildReport(SphinxDirective):
    """```` ```{build-report} ``` ````"""

    def run(self) -> list[nodes.Node]:
        root = "../" * self.env.docname.count("/")
        found = []
        for page in published_pages():
            if page.is_notebook and (done := stored(page)):
                found.append((page.title, f"{root}{page.docname}.html", done.seconds, done.memory_mb))
        return [nodes.raw("", pages_table(found), format="html")]


class Benchmark(SphinxDirective):
    """```` ```{benchmark} ``` ````"""

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(BENCHMARK))
        if not BENCHMARK.is_file():
            return [nodes.paragraph("", "아직 잰 적이 없습니다. make bench로 잽니다.")]
        document = yaml.safe_load(BENCHMARK.read_text(encoding="utf-8"))
        return [nodes.raw("", benchmark_table(document), format="html")]


def _always_read(app: Sphinx, env, added: set, changed: set, removed: set) -> list[str]:
    """쪽의 시간은 원고가 그대로여도 달라질 수 있으니, 실행이 달라졌으면 보고서를 다시 읽습니다."""
    return ["guides/build_report"] if "guides/build_report" in env.found_docs and (added or changed) else []


def setup(app: Sphinx) -> dict:
    app.add_directive("build-report", BuildReport)
    app.add_directive("benchmark", Benchmark)
    app.connect("env-get-outdated", _always_read, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
