"""파이프라인의 명세를 설명하는 표와 설계마다의 본보기. 손으로 적지 않고 스키마와 data/의 본보기에서 냅니다."""

import hashlib
import html
import re
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from book.page import ROOT, PageError

PAGE = "guides/pipeline"
_KINDS = {
    "string": "글자",
    "integer": "정수",
    "number": "수",
    "boolean": "true나 false",
    "array": "목록",
    "object": "묶음",
}


def keys(part: dict | None = None, where: str = "") -> list[tuple[str, str, str, bool]]:
    """명세의 모든 이름: (자리, 적는 것, 설명, 꼭 적는지). 하위 이름까지 스키마의 차례대로입니다.

    Raises
    ------
    PageError
        설명이 없는 이름이 있을 때.
    """
    from causal_pipeline import designs  # 이 표가 있는 쪽을 지을 때에만 부릅니다
    from causal_pipeline.spec import schema

    part = schema() if part is None else part
    found = []
    for name, inner in part.get("properties", {}).items():
        place = f"{where}.{name}" if where else name
        if "description" not in inner and "properties" not in inner:
            raise PageError(f"명세의 '{place}'에 설명(description)이 없습니다. 스키마에 적으세요.")
        owned = designs.field_types().get(place)
        said = inner.get("description") or (owned.about if owned else "")
        found.append((place, _kind(inner), said, name in part.get("required", ())))
        found += keys(inner, place)
    return found


def _kind(inner: dict) -> str:
    if "enum" in inner:
        return ", ".join(map(str, inner["enum"]))
    if "$ref" in inner:
        return {"column": "열", "columns": "열의 목록", "level": "값", "edge": "화살표"}[inner["$ref"].split("/")[-1]]
    if "$ref" in inner.get("items", {}) and "string" in inner["type"]:
        return "열 또는 열의 목록"
    kinds = inner.get("type", "string")
    return " 또는 ".join(_KINDS[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds))


def keys_table() -> str:
    """이름마다 한 줄인 표(HTML)."""
    rows = []
    for place, kind, said, must in keys():
        top = "." not in place
        name = f"<code>{html.escape(place)}</code>{' *' if must and top else ''}"
        rows.append(
            f'<tr{" class=group" if top else ""}><th scope="row">{name}</th><td>{html.escape(kind)}</td><td>{html.escape(said)}</td></tr>'
        )
    head = "".join(f'<th scope="col">{name}</th>' for name in ("이름", "적는 것", "뜻"))
    return f'<table class="table"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table><p>*가 붙은 이름은 꼭 적습니다.</p>'


def examples() -> list[tuple[str, str, Path]]:
    """본보기: (설계의 이름, 설계의 한국어 이름, 파일). 규칙표의 차례이고, 파일 이름은 ``example_설계.yml``입니다.

    Raises
    ------
    PageError
        설계의 이름이 아닌 본보기가 있을 때.
    """
    from causal_pipeline import designs

    found = {path.stem.removeprefix("example_"): path for path in sorted((ROOT / "data").glob("example_*.yml"))}
    if unknown := sorted(found.keys() - {kind.name for kind in designs.registered()}):
        raise PageError(f"data/example_{unknown[0]}.yml: 그런 설계가 없습니다. 파일 이름에 설계의 이름을 쓰세요.")
    return [(kind.name, kind.label, found[kind.name]) for kind in designs.registered() if kind.name in found]


def fields_of(path: Path) -> list[tuple[str, str, str, bool]]:
    """본보기가 쓴 이름들의 설명. 설계마다의 이름(panel 따위)은 쓰지 않은 하위 이름까지 냅니다."""
    from causal_pipeline import designs

    text = path.read_text(encoding="utf-8")
    top = set(re.findall(r"^(\w+):", text, re.MULTILINE)) & set(designs.field_types())
    return [row for row in keys() if row[0].split(".")[0] in top]


class PipelineKeys(SphinxDirective):
    """```` ```{pipeline-keys} ``` ````"""

    def run(self) -> list[nodes.Node]:
        try:
            return [nodes.raw("", keys_table(), format="html")]
        except PageError as error:
            return [self.state_machine.reporter.error(str(error), line=self.lineno)]


class PipelineExamples(SphinxDirective):
    """```` ```{pipeline-examples} ``` ````"""

    def run(self) -> list[nodes.Node]:
        try:
            return [node for name, label, path in examples() for node in self._one(name, label, path)]
        except PageError as error:
            return [self.state_machine.reporter.error(str(error), line=self.lineno)]

    def _one(self, name: str, label: str, path: Path) -> list[nodes.Node]:
        text = path.read_text(encoding="utf-8")
        code = nodes.literal_block(text, text, language="yaml")
        said = "".join(
            f"<li><code>{html.escape(place)}</code>: {html.escape(about)}</li>"
            for place, _, about, _ in fields_of(path)
        )
        opening = f"<details><summary><strong>{html.escape(label)}</strong> <code>data/{path.name}</code></summary>"
        return [
            nodes.raw("", opening, format="html"),
            code,
            nodes.raw("", (f"<ul>{said}</ul>" if said else "") + "</details>", format="html"),
        ]


def outdated(app: Sphinx, env, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
    """스키마나 본보기가 바뀌었으면 쪽을 다시 읽습니다."""
    if PAGE not in env.found_docs:
        return []
    whole = repr([keys(), [(name, path.read_bytes()) for name, _, path in examples()]])
    now = hashlib.sha256(whole.encode()).hexdigest()
    before, env.pipeline_schema_state = getattr(env, "pipeline_schema_state", None), now
    return [PAGE] if before != now else []


def setup(app: Sphinx) -> dict:
    app.add_directive("pipeline-keys", PipelineKeys)
    app.add_directive("pipeline-examples", PipelineExamples)
    app.connect("env-get-outdated", outdated)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
