"""빌드 보고서 쪽. 쪽마다 실행 시간과 메모리를 예산과 견주고, ``make bench``의 표를 보여 줍니다."""

import hashlib
import html
import itertools
import re

import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from book.execution import MEMORY_BUDGET_MB, SECONDS_BUDGET, execution_dir, stored
from book.page import ROOT, PageError, published_pages
from book.yaml_text import read_yaml

BENCHMARK = ROOT / "guides" / "benchmark.yml"
MUTATION = ROOT / "benchmarks" / "mutation.yml"
_GOAL = re.compile(r"\s*([\d.,]+)\s*\S*?\s*(이하|이상)\s*")


def measured_pages() -> list[tuple[str, str, float, float]]:
    """노트북인 쪽의 (제목, 이름, 초, MB). 차례 순서입니다."""
    pages = [page for page in published_pages() if page.is_notebook]
    return [(page.title, page.docname, done.seconds, done.memory_mb) for page in pages if (done := stored(page))]


def _number(value: float) -> str:
    """사람이 읽는 수. 10 미만은 소수 둘째, 100 미만은 첫째 자리까지."""
    digits = 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def pages_table(rows: list[tuple[str, str, float, float]], root: str = "") -> str:
    """쪽마다의 시간과 메모리의 표. 예산을 넘은 칸은 글자로도 표시합니다.

    Parameters
    ----------
    rows : list of (str, str, float, float)
        (제목, 쪽의 이름, 초, MB).
    root : str
        이 쪽에서 사이트 뿌리까지의 상대 주소.
    """

    def cell(value: float, budget: float, unit: str) -> str:
        shown = f"{_number(value)}{unit}"
        return f"<td><strong>{shown} (예산 초과)</strong></td>" if value > budget else f"<td>{shown}</td>"

    body = "".join(
        f'<tr><th scope="row"><a href="{html.escape(root + name)}.html">{html.escape(title)}</a></th>'
        f"{cell(seconds, SECONDS_BUDGET, '초')}{cell(memory, MEMORY_BUDGET_MB, 'MB')}</tr>"
        for title, name, seconds, memory in rows
    )
    over = sum(seconds > SECONDS_BUDGET or memory > MEMORY_BUDGET_MB for _, _, seconds, memory in rows)
    total = _number(sum(seconds for _, _, seconds, _ in rows))
    summary = f"노트북 {len(rows)}쪽을 실행하는 데 모두 {total}초가 걸렸습니다. 예산을 넘은 쪽은 {f'{over}쪽입니다' if over else '없습니다'}."
    return (
        f'<p>{summary}</p><table><thead><tr><th scope="col">쪽</th><th scope="col">시간 (예산 {SECONDS_BUDGET:.0f}초)</th>'
        f'<th scope="col">메모리 (예산 {_number(MEMORY_BUDGET_MB)}MB)</th></tr></thead><tbody>{body}</tbody></table>'
    )


def meets(value: float, goal: str) -> bool | None:
    """'20 이하' 같은 목표에 드는지. 목표가 없거나 그 꼴이 아니면 None."""
    match = _GOAL.fullmatch(goal or "")
    if not match:
        return None
    limit = float(match.group(1).replace(",", ""))
    return value <= limit if match.group(2) == "이하" else value >= limit


def read_benchmark() -> dict | None:
    """``make bench``가 쓴 측정. 파일이 없으면 None.

    Raises
    ------
    PageError
        꼴이 다를 때.
    """
    if not BENCHMARK.is_file():
        return None
    where = "guides/benchmark.yml"
    try:
        document = read_yaml(BENCHMARK.read_text(encoding="utf-8"))
    except yaml.YAMLError:
        raise PageError(f"{where}: YAML로 읽지 못했습니다. `make bench`로 다시 쓰세요.") from None
    if not isinstance(document, dict) or not {"measured", "results"} <= set(document):
        raise PageError(f"{where}: measured와 results가 있어야 합니다. `make bench`로 다시 쓰세요.")
    for row in document["results"]:
        if missing := {"group", "name", "value", "unit"} - set(row):
            raise PageError(
                f"{where}: '{row.get('name', '이름 없음')}' 줄에 {', '.join(sorted(missing))}이(가) 없습니다. `make bench`로 다시 쓰세요."
            )
    return document


def benchmark_table(document: dict) -> str:
    """``make bench``가 쓴 측정의 표. 목표를 벗어난 값은 글자로도 표시합니다."""

    def line(row: dict, first: str) -> str:
        shown = f"{_number(row['value'])}{html.escape(str(row['unit']))}"
        value = (
            f"<strong>{shown} (목표 밖)</strong>" if meets(row["value"], str(row.get("goal") or "")) is False else shown
        )
        texts = [
            html.escape(str(row["name"])),
            value,
            html.escape(str(row.get("goal") or "")),
            html.escape(str(row.get("note") or "")),
        ]
        return f"<tr>{first}" + "".join(f"<td>{text}</td>" for text in texts) + "</tr>"

    bodies = []
    for group, rows in itertools.groupby(document["results"], key=lambda row: row["group"]):
        rows = list(rows)
        when = f"<br>({html.escape(str(rows[0]['date']))})" if rows[0].get("date") else ""
        head = f'<th scope="rowgroup" rowspan="{len(rows)}">{html.escape(str(group))}{when}</th>'
        bodies.append("<tbody>" + "".join(line(row, "" if at else head) for at, row in enumerate(rows)) + "</tbody>")
    measured = document["measured"]
    heads = "".join(f'<th scope="col">{name}</th>' for name in ("갈래", "잰 것", "값", "목표", "덧말"))
    return (
        f"<p>잰 날(갈래에 따로 적힌 것은 그날): {html.escape(str(measured.get('date', '')))}. 기계: {html.escape(str(measured.get('machine', '')))}.</p>"
        f"<table><thead><tr>{heads}</tr></thead>{''.join(bodies)}</table>"
    )


def mutation_table(found: dict) -> str:
    """``make mutate``의 결과: 갈래마다 심은 수와 잡은 수, 그리고 놓친 것의 목록.

    Parameters
    ----------
    found : dict
        benchmarks/mutation.yml의 내용.
    """
    rows = "".join(
        f'<tr><th scope="row">{html.escape(name)}</th><td>{row["planted"]}</td><td>{row["caught"]}</td></tr>'
        for name, row in found["kinds"].items()
    )
    stages = ", ".join(f"{html.escape(name)} {count}개" for name, count in found["stages"].items())
    missed = "".join(f"<li>{html.escape(m['kind'])}: {html.escape(m['why'])}</li>" for m in found["missed"])
    return (
        f"<p>{html.escape(str(found['measured']['date']))}에 {found['pages']}쪽에 심은 잘못 {found['planted']}개 가운데 "
        f"{found['caught']}개를 잡았습니다. 잡은 단계는 {stages}입니다.</p>"
        '<table><thead><tr><th scope="col">갈래</th><th scope="col">심은 것</th><th scope="col">잡은 것</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>" + (f"<p>놓친 것입니다.</p><ul>{missed}</ul>" if missed else "")
    )


class Mutation(SphinxDirective):
    """```` ```{mutation} 제목 ``` ````: 제목이 달린 절 하나. 심어 본 적이 없으면 아무것도 보이지 않습니다."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        if not MUTATION.is_file():
            return []
        section = nodes.section(ids=["mutation"], names=["mutation"])
        section += nodes.title("", self.arguments[0])
        section += nodes.paragraph(
            "",
            "",
            nodes.literal("", "make mutate"),
            nodes.Text("가 잘못을 하나씩 심고 그 쪽의 시험이 잡는지 셌습니다."),
        )
        section += nodes.raw("", mutation_table(read_yaml(MUTATION.read_text(encoding="utf-8"))), format="html")
        return [section]


class BuildReport(SphinxDirective):
    """```` ```{build-report} ``` ````"""

    def run(self) -> list[nodes.Node]:
        return [nodes.raw("", pages_table(measured_pages(), "../" * self.env.docname.count("/")), format="html")]


class Benchmark(SphinxDirective):
    """```` ```{benchmark} 제목 ``` ````: 제목이 달린 절 하나. 잰 적이 없으면 아무것도 보이지 않습니다."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        try:
            document = read_benchmark()
            if document is None:
                return []
            body = nodes.raw("", benchmark_table(document), format="html")
        except PageError as error:
            return [self.state_machine.reporter.error(str(error), line=self.lineno)]
        section = nodes.section(ids=["benchmark"], names=["benchmark"])
        section += nodes.title("", self.arguments[0])
        section += nodes.paragraph(
            "", "", nodes.literal("", "make bench"), nodes.Text("가 한 번에 재어 적은 값입니다.")
        )
        section += body
        return [section]


def _state(app: Sphinx) -> str:
    """보고서에 나올 값의 지문: 쪽마다의 실행 기록과 측정 파일."""
    keys = sorted(app.config.execution_keys.items())
    files = [execution_dir() / f"{docname.replace('/', '__')}.{key}.json" for docname, key in keys]
    return hashlib.sha256(
        b"\0".join(f.read_bytes() if f.is_file() else b"" for f in [*files, BENCHMARK, MUTATION])
    ).hexdigest()


def outdated(app: Sphinx, env, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
    """실행을 다시 했거나 측정을 다시 했으면 보고서를 다시 읽습니다. 원고가 그대로여도 값은 달라집니다."""
    now = _state(app)
    before, env.build_report_state = getattr(env, "build_report_state", None), now
    return ["guides/build_report"] if before != now and "guides/build_report" in env.found_docs else []


def setup(app: Sphinx) -> dict:
    app.add_directive("build-report", BuildReport)
    app.add_directive("benchmark", Benchmark)
    app.add_directive("mutation", Mutation)
    app.connect("env-get-outdated", outdated)
    return {"version": "2", "parallel_read_safe": True, "parallel_write_safe": True}
