"""파이프라인의 길잡이: 쪽이 말하는 코드, 명세의 이름, 파일이 코드와 같고, 성적표는 잰 그대로 실립니다."""

import re

import pytest
import yaml
from lxml import html as lxml_html

from book.extensions import pipeline_benchmark, pipeline_schema
from book.extensions.pipeline_benchmark import peers_table, read_table, worlds_table
from book.page import ROOT, PageError
from causal_pipeline import designs, run, tables
from causal_pipeline.errors import DataError, OutputError, Refusal, SpecError
from causal_pipeline.identify import identify
from causal_pipeline.memo import GRADES
from causal_pipeline.spec import read_spec, schema

PAGE = (ROOT / "guides" / "pipeline.md").read_text(encoding="utf-8")
ROW = {
    "label": "세계 <하나>",
    "expect": "coverage",
    "draws": 200,
    "grades": {"A": 0.9, "B": 0.1, "C": 0.0, "refused": 0.0},
    "bias": -0.01,
    "bias_in_errors": -0.25,
    "coverage": 0.945,
    "seconds": 1.25,
    "reached": True,
}


def test_the_page_names_the_real_exit_codes_grades_and_files():
    codes = {int(code) for code in re.findall(r"^\| `(\d)` \|", PAGE, re.MULTILINE)}
    assert codes == {0} | {kind.exit_code for kind in (SpecError, DataError, Refusal, OutputError)}
    assert dict(re.findall(r"^\| ([ABC]) \| ([^|]+?) \|", PAGE, re.MULTILINE)) == GRADES
    assert set(re.findall(r"^\| `([\w.]+\.(?:html|json|ipynb|yml))` \|", PAGE, re.MULTILINE)) == set(run.FILES)


def test_the_page_explains_every_key_of_the_specification():
    table = PAGE.split("## 명세를 적습니다")[1].split("## ")[0]
    assert set(schema()["properties"]) - {"name", "question", "unit", "labels"} <= set(re.findall(r"`(\w+)`", table))


def test_the_page_asks_the_questions_of_the_designs_in_their_order():
    table = PAGE.split("## 설계는 규칙이 고릅니다")[1].split("## ")[0]
    rows = [
        (q, re.sub(r"\{term\}`(.+?)`", r"\1", label))
        for q, label in re.findall(r"^\| (.+\?) \| (.+?) \|$", table, re.MULTILINE)
    ]
    assert rows == [(kind.question, kind.label) for kind in designs.registered()]


def test_the_page_names_the_checks_that_an_a_needs():
    table = PAGE.split("A에 꼭 필요한 점검")[1].split("\n\n")[0]
    told = {
        label: names
        for labels, names in re.findall(r"^\| (.+?) \| (.+?) \|$", table, re.MULTILINE)
        for label in labels.split(", ")
    }
    for kind in designs.registered():
        assert (
            (told[kind.label] == ", ".join(kind.reveals.values()))
            if kind.reveals
            else "배정이 대신" in told[kind.label]
        ), kind.label


def test_the_examples_of_the_page_exist():
    named = set(re.findall(r"data/example_\w+\.yml", PAGE))
    assert named and all((ROOT / name).is_file() for name in named)


def test_every_example_is_of_its_design():
    """본보기의 파일 이름이 설계의 이름이고, 그 명세와 자료가 그 설계를 고릅니다."""
    found = pipeline_schema.examples()
    assert len(found) >= len(designs.registered()) - 1
    for name, label, path in found:
        spec = read_spec(path)
        assert identify(spec, tables.load(spec).frame).design == name and designs.get(name).label == label
        assert path.name in path.read_text(encoding="utf-8")


def test_every_key_is_explained_from_the_schema():
    rows = pipeline_schema.keys()
    assert all(said and re.search("[가-힣]", said) for _, _, said, _ in rows)
    assert {row[0].split(".")[0] for row in rows} == set(schema()["properties"])
    page = lxml_html.fromstring(f"<div>{pipeline_schema.keys_table()}</div>")
    assert [c.text_content().strip(" *") for c in page.xpath("//tbody/tr/th")] == [row[0] for row in rows]
    used = pipeline_schema.fields_of(ROOT / "data" / "example_synthetic_control.yml")
    assert [row[0] for row in used][0] == "panel" and "panel.anticipation" in [row[0] for row in used]


def test_a_key_without_words_is_an_error():
    with pytest.raises(PageError, match="설명"):
        pipeline_schema.keys({"properties": {"bare": {"type": "string"}}})


def test_the_measured_table_is_there_and_whole():
    worlds = read_table()
    assert len(worlds) >= 12
    for name, row in worlds.items():
        assert sum(row["grades"].values()) == pytest.approx(1, abs=0.01), name
        assert row["draws"] >= 20, name


def test_the_table_shows_what_was_measured_and_what_was_missed():
    text = worlds_table(
        {"one": ROW, "two": ROW | {"expect": "stop", "reached": False, "coverage": None, "bias_in_errors": None}}
    )
    page = lxml_html.fromstring(f"<div>{text}</div>")
    cells = [[c.text_content() for c in tr] for tr in page.xpath("//tbody/tr")]
    assert cells[0] == ["가정이 성립: 구간이 정답을 덮어야 합니다 (세계마다 200번)"]
    assert cells[1] == ["세계 <하나>", "닿음", "90%", "10%", "0%", "0%", "−0.25", "94.5%", "1.2"]
    assert cells[3][1] == "못 닿음" and cells[3][6] == cells[3][7] == ""
    assert len(page.xpath("//tr[@class='missed']")) == 1
    assert "1개가 목표에 닿지 못했습니다" in text and "모두 목표에 닿았습니다" in worlds_table({"one": ROW})


def test_the_peers_are_shown_only_where_they_were_measured():
    assert peers_table({"one": ROW}) == ""
    dowhy = {"draws": 50, "bias": 0.2, "coverage": 0.1, "seconds": 0.5, "seconds_with_refuters": 7.25}
    silent = {"draws": 10, "bias": 1.0, "coverage": None, "seconds": 40.0}
    text = peers_table({"one": ROW | {"peers": {"dowhy": dowhy, "causaltune": silent}}, "two": ROW})
    lines = [[c.text_content() for c in tr] for tr in lxml_html.fromstring(text).xpath("//tbody/tr")]
    assert lines[1:] == [
        ["이 파이프라인", "200", "−0.010", "94%", "1.2"],
        ["DoWhy 기본값", "50", "+0.200", "10%", "0.5 (반박까지 7.2)"],
        ["causaltune(보정하는 추정량만)", "10", "+1.000", "구간 없음", "40.0"],
    ]


@pytest.mark.parametrize("content", [None, "worlds: {}", "other: 1", "worlds: {one: {label: 하나}}"])
def test_a_missing_or_broken_table_says_how_to_make_it(tmp_path, content):
    path = tmp_path / "pipeline_benchmark.yml"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(PageError, match="benchmarks.pipeline"):
        read_table(path)


def test_the_site_shows_the_table(site_dir):
    tree = lxml_html.fromstring((site_dir / "guides" / "pipeline.html").read_bytes())
    assert len(tree.xpath("//article//table//tr[td[text()='닿음']]")) == sum(
        r["reached"] for r in yaml.safe_load(pipeline_benchmark.TABLE.read_text(encoding="utf-8"))["worlds"].values()
    )
