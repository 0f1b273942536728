"""설계의 계약: 파일 하나를 놓으면 명세에서 보고서까지 모두 따라오고, 층이 지켜지고, 명세의 자리마다 줄이 있습니다."""

import ast
import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import causal_pipeline
from causal_pipeline import designs, figures, spec
from causal_pipeline.designs.base import Design
from causal_pipeline.errors import PipelineError
from causal_pipeline.identify import identify
from causal_pipeline.spec import parse_spec, schema

PACKAGE = Path(causal_pipeline.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))

# --- 파일 하나로 더하기 ---

TOY = '''
"""시험: 앞뒤의 차이."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from causal_pipeline import checks
from causal_pipeline.checks import graded
from causal_pipeline.designs.base import Design
from causal_pipeline.errors import DataError, SpecError
from causal_pipeline.identification import contrast, result
from causal_pipeline.inference import estimate_from
from causal_pipeline.model import Check, Field, Identification, Picture, Role, Step
from causal_pipeline.shown import IMPORTS, INTERVAL, source


@dataclass(frozen=True)
class Earlier(Field):
    key: ClassVar[str] = "earlier"
    about: ClassVar[str] = "처치 앞에 잰 결과"
    schema: ClassVar[dict[str, Any]] = {
        "type": "object", "additionalProperties": False, "required": ["column"],
        "properties": {"column": {"description": "앞서 잰 결과의 열", "$ref": "#/$defs/column"}, "weight": {"type": "number", "minimum": 0}},
    }
    column: str
    weight: float = 1.0

    def roles(self):
        return (Role("earlier.column", self.column, "앞서 잰 결과", True),)

    def validate(self, spec):
        if self.weight == 7:
            raise spec.error(SpecError, "unlucky", "earlier.weight", "7은 쓰지 않습니다.", "다른 수를 적으세요.")

    def encode(self, spec, frame):
        if frame[self.column].max() > 1000:
            raise spec.error(DataError, "too_high", "earlier.column", "너무 큽니다.", "단위를 보세요.")
        frame[self.column] = frame[self.column] * self.weight
        return ["앞서 잰 결과에 무게를 주었습니다."]

    def encoding_code(self, spec):
        return [f"frame[{self.column!r}] = frame[{self.column!r}] * {self.weight!r}"]

    @classmethod
    def draft(cls, guess):
        return ["# earlier: {column: 열}"]


def change_scores(y, before, on):
    """변화량의 차이의 점수."""
    d = y - before
    m1, m0 = d[on].mean(), d[~on].mean()
    return m1 - m0 + on / on.mean() * (d - m1) - ~on / (1 - on.mean()) * (d - m0)


class Change(Design):
    name = "change"
    label = "변화량의 비교"
    question = "처치 앞에 같은 결과를 쟀습니까?"
    precedence = 35
    fields = (Earlier,)
    reveals = {"never": "없는 점검"}
    drawers = {"bars": lambda ax, d: ax.bar(d["x"], d["y"])}

    @classmethod
    def applies(cls, spec, frame=None):
        return Earlier.of(spec) is not None

    @classmethod
    def identify(cls, spec, frame, graph):
        return Identification(cls.name, "ATT", (), f"{contrast(spec)} {result(spec)}.", "E[Y-B]", whom="바뀐 대상")

    @cached_property
    def fit(self):
        t, y = self.spec.treatment, self.spec.outcome.column
        return self.frame[y].to_numpy(), self.frame[Earlier.of(self.spec).column].to_numpy(), (self.frame[t.column] == t.treated).to_numpy()

    @cached_property
    def estimates(self):
        y, before, on = self.fit
        return [
            estimate_from(change_scores(y, before, on), "change", "변화량의 차이", "추세가 다를 때", primary=True, estimand="ATT"),
            estimate_from(change_scores(y, 0 * before, on), "naive", "차이", "처음부터 다를 때"),
        ]

    def check(self):
        return [graded("rows", "행", "행이 있습니다.", len(self.frame), "ok")]

    def stress(self):
        return [checks.agreement(self.estimates, {})], []

    def pictures(self):
        return [Picture("bars", "막대", "막대 둘", {"x": [0, 1], "y": [1.0, 2.0]})]

    def steps(self):
        t, y, b = self.spec.treatment, self.spec.outcome.column, Earlier.of(self.spec).column
        return [Step("변화량을 견줍니다.", f"{IMPORTS}\\n{source(change_scores, *INTERVAL)}\\n"
            f"on = (frame[{t.column!r}] == {t.treated!r}).to_numpy()\\n"
            f"reproduced['change'] = interval(change_scores(frame[{y!r}].to_numpy(), frame[{b!r}].to_numpy(), on))")]
'''

TOY_SPEC = """\
name: toy
question: 바뀝니까?
data: {path: rows.csv}
treatment: {column: t, kind: binary}
outcome: {column: y}
estimand: ATT
earlier:
  column: past
  weight: 2
seed: 1
"""


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """설계의 폴더에 파일 하나가 더 놓인 것처럼."""
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "change.py").write_text(TOY, encoding="utf-8")
    monkeypatch.setattr(designs, "__path__", [*designs.__path__, str(folder)])
    caches = (designs.registered, designs.field_types, spec.schema)
    for cached in caches:
        cached.cache_clear()
    yield tmp_path
    sys.modules.pop("causal_pipeline.designs.change", None)
    for cached in caches:
        cached.cache_clear()


def rows() -> pd.DataFrame:
    r = np.random.default_rng(3)
    past, t = r.normal(size=200), np.arange(200) % 2
    return pd.DataFrame({"t": t, "past": past, "y": 2 * past + 3 * t + r.normal(size=200)})


def test_one_file_is_all_that_a_new_design_needs(toy):
    from causal_pipeline import analyze, draft

    rows().to_csv(toy / "rows.csv", index=False)
    (toy / "spec.yml").write_text(TOY_SPEC, encoding="utf-8")
    done = analyze(toy / "spec.yml", toy / "report")
    assert done.identification.design == "change" and done.primary.value == pytest.approx(3, abs=0.5)
    assert [r.design for r in done.identification.rules if r.chosen] == ["change"]
    assert done.notices == ("앞서 잰 결과에 무게를 주었습니다.",)
    assert done.grade.letter == "B" and any("없는 점검" in reason for reason in done.grade.reasons)
    html = (toy / "report" / "report.html").read_text(encoding="utf-8")
    assert all(
        word in html
        for word in ("변화량의 비교", "처치 앞에 같은 결과를 쟀습니까?", "앞서 잰 결과", "바뀐 대상에서는", "막대 둘")
    )
    found = json.loads((toy / "report" / "report.json").read_text(encoding="utf-8"))
    assert found["spec"]["earlier"] == {"column": "past", "weight": 2}
    assert parse_spec((toy / "report" / "spec.yml").read_text(encoding="utf-8"), toy) == parse_spec(TOY_SPEC, toy)
    notebook = json.loads((toy / "report" / "reproduce.ipynb").read_text(encoding="utf-8"))
    code = "\n".join("".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code")
    ran = subprocess.run([sys.executable, "-c", code], cwd=toy / "report", capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert "# earlier: {column: 열}" in draft.draft(toy / "rows.csv", "rows.csv")


@pytest.mark.parametrize(
    ("change", "code", "line"),
    [(("weight: 2", "weight: -1"), "spec_range", 9), (("weight: 2", "weigth: 2"), "spec_unknown_key", 9), (("weight: 2", "weight: 7"), "unlucky", 9),
     (("column: past", "column: pasd"), "column_unknown", 8), (("weight: 2", "weight: 2\ntiming: {past: after}"), "leak_earlier", 8),
     (("seed: 1", "panel: {unit: a, time: b}"), "designs_conflict", 10), (("ATT", "LATE"), "estimand_needs_instrument", 6)],
)  # fmt: skip
def test_a_field_of_a_design_is_checked_with_its_line(toy, change, code, line):
    with pytest.raises(PipelineError) as caught:
        causal_pipeline.analyze(parse_spec(TOY_SPEC.replace(*change), toy), frame=rows())
    assert (caught.value.code, caught.value.line) == (code, line)


def test_two_designs_may_not_share_a_name_a_place_or_a_key(toy):
    (toy / "more" / "other.py").write_text(TOY.replace('name = "change"', 'name = "other"'), encoding="utf-8")
    with pytest.raises(ValueError, match="precedence이\\(가\\) 35"):
        designs.registered()
    (toy / "more" / "other.py").write_text(
        TOY.replace('name = "change"', 'name = "other"').replace("precedence = 35", "precedence = 36"), encoding="utf-8"
    )
    sys.modules.pop("causal_pipeline.designs.other")
    with pytest.raises(ValueError, match="'earlier'"):
        designs.field_types()
    sys.modules.pop("causal_pipeline.designs.other")


def test_a_design_that_leaves_something_out_cannot_be_made():
    class Half(Design):
        name = "half"

    with pytest.raises(TypeError, match="abstract"):
        Half(None, None, None)


@pytest.mark.parametrize("kind", designs.registered(), ids=lambda k: k.name)
def test_every_design_says_what_the_report_needs(kind):
    assert re.search("[가-힣]", kind.label) and kind.question.endswith("?")
    assert kind.__doc__ and set(kind.estimands) <= {"ATE", "ATT", "LATE", "ITT"}
    assert all(callable(paint) for paint in kind.drawers.values()) and not set(kind.drawers) & set(figures.KINDS)
    for owned in kind.fields:
        assert re.search("[가-힣]", owned.about)
        named = owned.schema.get("properties", {owned.key: owned.schema})
        assert all(re.search("[가-힣]", part["description"]) for part in named.values()), owned.key


# --- 층 ---


def imports(path: Path) -> list[tuple[str, str]]:
    """파일이 부르는 (모듈, 이름). 형만 위한 것(TYPE_CHECKING)도 셉니다."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(a.name, "") for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [(node.module or "", a.name) for a in node.names]
    return found


def module(path: Path) -> str:
    return ".".join(["causal_pipeline", *path.relative_to(PACKAGE).with_suffix("").parts]).removesuffix(".__init__")


MODULES = {module(path): path for path in FILES}
ARROWS = {
    name: {
        full
        for m, n in imports(path)
        for full in (f"{m}.{n}", m)
        if full in MODULES and full != name and not (full == m and f"{m}.{n}" in MODULES)
    }
    for name, path in MODULES.items()
}


def test_the_pipeline_stands_alone():
    outside = [
        (path.name, m)
        for path in FILES
        for m, _ in imports(path)
        if m.split(".")[0] in {"book", "causal_practice", "benchmarks", "tests"}
    ]
    assert outside == []


def test_no_design_knows_another_and_nothing_below_knows_a_design():
    files = {f"causal_pipeline.designs.{kind.name}" for kind in designs.registered()}
    assert {(name, to) for name, to_all in ARROWS.items() for to in to_all if to in files} == set()


def test_no_two_files_import_each_other():
    import networkx as nx

    graph = nx.DiGraph([(a, b) for a, to in ARROWS.items() for b in to])
    assert graph.number_of_edges() > 50
    assert list(nx.simple_cycles(graph)) == []


def test_no_file_reaches_into_another_and_none_is_long():
    private = [
        (path.name, n)
        for path in FILES
        for m, n in imports(path)
        if m.startswith("causal_pipeline") and n.startswith("_")
    ]
    assert private == []
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        names = {n for m, n in imports(path) if m == "causal_pipeline"}
        assert not re.search(rf"\b({'|'.join(names) or 'nothing_here'})\._[a-z]", text), path.name
        assert text.count("\n") <= 760, path.name  # ruff는 한글을 두 칸으로 세어 줄을 더 자주 나눕니다
        assert not re.search(r"\beval\(|\bexec\(|pickle", text), path.name


def test_public_arguments_are_typed():
    bare = []
    for path in FILES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        scopes = [tree, *(n for n in tree.body if isinstance(n, ast.ClassDef) and not n.name.startswith("_"))]
        for node in (
            n for scope in scopes for n in scope.body if isinstance(n, ast.FunctionDef) and not n.name.startswith("_")
        ):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            bare += [
                f"{path.name}:{node.lineno} {node.name}({a.arg})"
                for a in arguments
                if a.annotation is None and a.arg not in {"self", "cls"}
            ]
            bare += [f"{path.name}:{node.lineno} {node.name}의 돌려주는 값"] if node.returns is None else []
    assert bare == []


# --- 명세의 줄 ---

EVERY_KEY = """\
name: everything
question: 얼마나 늡니까?
data:
  path: rows.csv
  table: t
  sql: SELECT 1
  engine: duckdb
  sample: 50
  missing: drop
  blank: [-999]
unit: id
treatment:
  column: t
  kind: binary
  control: 0
  treated: 1
  randomized: false
  probability: p
  cluster: g
outcome:
  column: y
  unit: 원
  label: 매출
  higher_is_better: true
estimand: ATE
graph:
  edges:
    - a -> t
    - [a, y]
    - t -> m -> y
  hidden:
    - u
categories: [g]
numbers: [y]
confounders:
  - a
  - b
timing:
  a: before
modifiers:
  - a
instrument: z
running:
  column: r
  cutoff: 1
  above: true
panel:
  unit: id
  time: week
  start: first
  anticipation: 0
cross_sections:
  group: shop
  time: week
  start: first
  anticipation: 0
negative_controls:
  outcomes:
    - w
  treatments:
    - v
weights:
  column: c
  kind: sampling
money:
  value_per_outcome: 1
  cost_per_treatment: 1
  currency: 원
  minimum_gain: 0
assignment:
  rule: 규칙
  source: 문서
labels:
  a: 가
seed: 1
"""


def keys(part: dict, where: str = "") -> list[str]:
    """스키마의 모든 이름을 점으로 이은 것."""
    found = []
    for name, inner in part.get("properties", {}).items():
        place = f"{where}.{name}" if where else name
        found += [place, *keys(inner, place)]
    return found


def read() -> spec.Spec:
    """뜻 검사를 하지 않고 읽은 명세. 한 분석에 함께 적을 수 없는 이름까지 모두 적혀 있습니다."""
    value, lines = spec.read_yaml(EVERY_KEY)
    return spec.build(value, lines, Path("."))


@pytest.mark.parametrize("key", keys(schema()))
def test_every_key_of_the_schema_has_its_line(key):
    text, name = EVERY_KEY.splitlines(), key.split(".")
    at = 0
    for depth, part in enumerate(name):
        at = next(i for i in range(at, len(text)) if text[i].startswith(f"{'  ' * depth}{part}:"))
    assert read().line(key) == at + 1


def test_items_and_arrows_have_their_own_lines():
    made = read()
    line = {text.strip(): i + 1 for i, text in enumerate(EVERY_KEY.splitlines())}
    assert made.line("confounders", "b") == line["- b"]
    assert (
        made.line("graph.edges", "a -> y") == line["- [a, y]"]
        and made.line("graph.edges", "m -> y") == made.line("graph.edges", "m") == line["- t -> m -> y"]
    )
    assert (
        made.line("graph.hidden", "u") == line["- u"] and made.line("negative_controls.treatments", "v") == line["- v"]
    )
    assert (
        made.line("timing.a") == line["a: before"] and made.line("timing.b") == made.line("timing") == line["timing:"]
    )
    assert made.line("nothing.of.the.kind") == 1
    assert made.line("confounders", "no") == line["confounders:"]


GRAPHED = """\
name: lines
question: 얼마나 늡니까?
data: {path: rows.csv}
treatment: {column: t, kind: binary}
outcome: {column: y}
estimand: ATE
graph:
  edges:
    - x -> t
    - x -> y
    - u -> t
    - u -> y
    - t -> y
  hidden: [u]
"""
DECLARED = (
    GRAPHED.replace("    - u -> t\n    - u -> y\n", "").replace("  hidden: [u]\n", "") + "confounders:\n  - w\n  - x\n"
)
REFUSED = [
    ("not_identified", GRAPHED, "- u -> t"),
    (
        "no_directed_path",
        GRAPHED.replace("    - t -> y\n", "")
        .replace("    - u -> t\n    - u -> y\n", "")
        .replace("  hidden: [u]\n", ""),
        "- x -> t",
    ),
    ("confounder_outside_graph", DECLARED, "- w"),
    ("post_treatment_adjustment", DECLARED.replace("- t -> y", "- t -> y\n    - t -> w"), "- w"),
    (
        "collider_in_adjustment",
        DECLARED.replace("- t -> y", "- t -> y\n    - a -> t\n    - a -> w\n    - b -> w\n    - b -> y") + "",
        "- w",
    ),
    (
        "incomplete_adjustment",
        DECLARED.replace("- t -> y", "- t -> y\n    - z -> t\n    - z -> y").replace("  - w\n", ""),
        "confounders:",
    ),
    (
        "invalid_instrument",
        GRAPHED.replace("- t -> y", "- t -> y\n    - z -> t\n    - z -> y").replace(
            "estimand: ATE", "estimand: LATE\ninstrument: z"
        ),
        "instrument: z",
    ),
    (
        "instrument_without_path",
        GRAPHED.replace("- t -> y", "- t -> y\n    - t -> z").replace("estimand: ATE", "estimand: LATE\ninstrument: q"),
        "instrument: q",
    ),
]


@pytest.mark.parametrize(("code", "text", "said"), REFUSED, ids=[r[0] for r in REFUSED])
def test_a_refusal_points_at_the_line_that_causes_it(code, text, said):
    frame = pd.DataFrame({name: np.arange(100) % 2 for name in "txywzabq"})
    with pytest.raises(PipelineError) as caught:
        identify(parse_spec(text), frame)
    assert caught.value.code == code
    assert text.splitlines()[caught.value.line - 1].strip() == said


def test_the_schema_file_holds_only_what_every_design_shares():
    common = yaml.safe_load((PACKAGE / "spec.schema.yml").read_text(encoding="utf-8"))["properties"]
    assert not set(common) & set(designs.field_types())
    assert set(schema()["properties"]) == set(common) | set(designs.field_types())


def test_what_the_notebook_shows_is_what_ran():
    """노트북에 실리는 함수는 설계와 shown.py에 있는 그 소스 그대로입니다."""
    from causal_pipeline import shown
    from causal_pipeline.designs import difference_in_differences as did

    text = shown.source(did.cell_effect, *shown.INTERVAL)
    for function in (did.cell_effect, *shown.INTERVAL):
        assert textwrap.dedent(text).count(f"def {function.__name__}(") == 1
    assert "value - critical * se" in text
