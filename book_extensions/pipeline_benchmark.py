"""파이프라인의 성적표. ``python -m tools.pipeline_benchmark``가 쓴 표를 쪽에 싣습니다."""

import hashlib
import html
from pathlib import Path

import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from tools.paths import ROOT, PageError

TABLE = ROOT / "guides" / "pipeline_benchmark.yml"
PAGE = "guides/pipeline"
EXPECTED = {"coverage": "가정이 성립", "stop": "어긋남이 보임", "never_a": "어긋남이 안 보임"}
_KEYS = {"label", "expect", "draws", "grades", "seconds", "reached"}


def read_table(path: Path = TABLE) -> dict:
    """성적표의 세계들. 이름에서 잰 값으로.

    Raises
    ------
    PageError
        파일이 없거나 꼴이 다를 때.
    """
    where = f"guides/{path.name}"
    if not path.is_file():
        raise PageError(f"{where} 파일이 없습니다. `python -m tools.pipeline_benchmark`로 만드세요.")
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(document, dict) or not isinstance(document.get("worlds"), dict) or not document["worlds"]:
        raise PageError(f"{where}: worlds가 있어야 합니다. `python -m tools.pipeline_benchmark`로 다시 쓰세요.")
    for name, row in document["worlds"].items():
        if missing := _KEYS - set(row):
            raise PageError(f"{where}: '{name}'에 {', '.join(sorted(missing))}이(가) 없습니다. `python -m tools.pipeline_benchmark`로 다시 쓰세요.")
    return document["worlds"]


def _share(value: float, digits: int = 0) -> str:
    return f"{100 * value:.{digits}f}%"


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form).replace("-", "−")


def worlds_table(worlds: dict) -> str:
    """세계마다 한 줄: 등급의 몫, 치우침, 구간이 정답을 덮은 몫, 초, 목표."""
    body = []
    for row in worlds.values():
        grades = [_share(row["grades"][k]) for k in ("A", "B", "C", "refused")]
        cells = [EXPECTED[row["expect"]], f"{row['draws']:,}", *grades, _number(row.get("bias_in_errors"), "+.2f")]
        cells += ["" if row.get("coverage") is None else _share(row["coverage"], 1), f"{row['seconds']:.1f}"]
        reached = "닿음" if row["reached"] else "<strong>못 닿음</strong>"
        texts = "".join(f"<td>{html.escape(c)}</td>" for c in cells) + f"<td>{reached}</td>"
        body.append(f'<tr><th scope="row">{html.escape(row["label"])}</th>{texts}</tr>')
    heads = ("세계", "갈래", "뽑은 수", "A", "B", "C", "거절", "치우침", "덮음", "초", "목표")
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    missed = sum(not row["reached"] for row in worlds.values())
    summary = f"모의 세계 {len(worlds)}개를 재었고, " + (f"{missed}개가 목표에 닿지 못했습니다." if missed else "모두 목표에 닿았습니다.")
    return f"<p>{summary}</p><table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"


def peers_table(worlds: dict) -> str:
    """DoWhy를 기본값으로 쓴 것과 견준 표. 견준 세계가 없으면 빈 글."""
    body = []
    for row in worlds.values():
        peer = row.get("plain_dowhy")
        if not peer or row.get("coverage") is None:
            continue
        cells = [_number(row["bias"], "+.3f"), _number(peer["bias"], "+.3f"), _share(row["coverage"]), _share(peer["coverage"])]
        cells += [f"{row['seconds']:.1f}", f"{peer['seconds']:.1f}"]
        texts = "".join(f"<td>{html.escape(c)}</td>" for c in cells)
        body.append(f'<tr><th scope="row">{html.escape(row["label"])}</th>{texts}</tr>')
    if not body:
        return ""
    heads = ("세계", "치우침", "치우침(DoWhy)", "덮음", "덮음(DoWhy)", "초", "초(DoWhy)")
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    return (
        "<p>DoWhy를 기본값(선형회귀)으로 쓴 것과 견주었습니다. DoWhy의 초는 추정 하나만의 시간이고, 우리 것은 식별부터 등급까지입니다.</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"
    )


class PipelineBenchmark(SphinxDirective):
    """```` ```{pipeline-benchmark} ``` ````"""

    def run(self) -> list[nodes.Node]:
        try:
            worlds = read_table()
        except PageError as error:
            return [self.state_machine.reporter.error(str(error), line=self.lineno)]
        return [nodes.raw("", worlds_table(worlds) + peers_table(worlds), format="html")]


def _outdated(app: Sphinx, env, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
    """표를 다시 쟀으면 쪽을 다시 읽습니다."""
    now = hashlib.sha256(TABLE.read_bytes() if TABLE.is_file() else b"").hexdigest()
    before, env.pipeline_benchmark_state = getattr(env, "pipeline_benchmark_state", None), now
    return [PAGE] if before != now and PAGE in env.found_docs else []


def setup(app: Sphinx) -> dict:
    app.add_directive("pipeline-benchmark", PipelineBenchmark)
    app.connect("env-get-outdated", _outdated)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
