"""파이프라인의 길잡이: 쪽이 말하는 코드, 명세의 이름, 파일이 코드와 같고, 성적표는 잰 그대로 실립니다."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml
from lxml import html as lxml_html

from benchmarks import false_alarms
from benchmarks.pipeline_worlds import WORLDS, world_spec
from book.extensions import pipeline_benchmark, pipeline_schema
from book.extensions.pipeline_benchmark import (
    alarms_table,
    many_table,
    peers_table,
    read_alarms,
    read_many,
    read_table,
    worlds_table,
)
from book.page import ROOT, PageError
from causal_pipeline import analyze, checks, designs, run, stages, tables
from causal_pipeline.errors import DataError, OutputError, Refusal, SpecError
from causal_pipeline.grade import POWER_FOR_A
from causal_pipeline.identify import identify
from causal_pipeline.memo import GRADES, answer, headline
from causal_pipeline.model import Money, Source, Treatment
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


def _rows(table: str) -> dict[str, str]:
    """표의 첫 칸에 적힌 설계마다 둘째 칸."""
    return {
        label: second
        for labels, second in re.findall(r"^\| (.+?) \| (.+?) \|", table, re.MULTILINE)
        for label in labels.split(", ")
    }


def test_the_page_says_how_high_each_design_can_go():
    told = _rows(PAGE.split("| 가장 높은 등급 |")[1].split("\n\n")[0])
    for kind in designs.registered():
        reaches_a = "known_assignment" in vars(kind)
        assert ("A" in told[kind.label]) == reaches_a and ("B" in told[kind.label] or kind.name == "experiment"), (
            kind.name
        )


def test_the_page_tells_the_marks_of_power_and_loss():
    for mark in (checks.ENOUGH_POWER, POWER_FOR_A, checks.LOST_WARN, checks.LOST_FAIL, checks.FAIL_LEVEL):
        assert f"{mark:.0%}" in PAGE.split("### 점검의 힘")[1].split("## 성적표")[0], mark


def test_the_page_names_the_checks_that_would_have_rung():
    table = PAGE.split("| 이상을 알렸을 점검 |")[1].split("\n\n")[0]
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
    assert len(found) == len(designs.registered())
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
    assert cells[2] == ["가정이 성립: 구간이 정답을 덮어야 합니다"]
    assert cells[3] == ["세계 <하나>", "200", "닿음", "90%", "10%", "0%", "0%", "−0.25", "94.5%", "1.2"]
    assert cells[1][2] == "못 닿음" and cells[1][7] == cells[1][8] == ""
    assert len(page.xpath("//tr[@class='missed']")) == 1
    assert "1개가 목표에 닿지 못했습니다" in text and "모두 목표에 닿았습니다" in worlds_table({"one": ROW})


def test_the_worst_worlds_come_first():
    found = {
        "good": ROW | {"label": "좋은"},
        "low": ROW | {"label": "덜 덮은", "coverage": 0.91},
        "missed": ROW | {"label": "놓친", "coverage": 0.88, "reached": False},
        "a": ROW | {"label": "A 있음", "expect": "never_a", "grades": ROW["grades"] | {"A": 0.03}},
        "none": ROW | {"label": "A 없음", "expect": "never_a", "grades": ROW["grades"] | {"A": 0.0}},
    }
    page = lxml_html.fromstring(f"<div>{worlds_table(found)}</div>")
    names = [th.text_content() for th in page.xpath("//tbody/tr/th[@scope='row']")]
    assert names == ["A 있음", "A 없음", "놓친", "덜 덮은", "좋은"]


def test_the_peers_are_shown_only_where_they_were_measured():
    assert peers_table({"one": ROW}) == ""
    few = {"draws": 49, "bias": 1.0, "coverage": 0.9, "seconds": 1.0}
    assert peers_table({"one": ROW | {"peers": {"causaltune": few}}}) == ""
    dowhy = {"draws": 50, "bias": 0.2, "coverage": 0.1, "seconds": 0.5, "seconds_with_refuters": 7.25}
    silent = {"draws": 60, "bias": 1.0, "coverage": None, "seconds": 40.0}
    text = peers_table({"one": ROW | {"peers": {"dowhy": dowhy, "causaltune": silent}}, "two": ROW})
    lines = [[c.text_content() for c in tr] for tr in lxml_html.fromstring(text).xpath("//tbody/tr")]
    assert lines[1:] == [
        ["이 파이프라인", "200", "−0.010", "94%", "1.2"],
        ["DoWhy 기본값", "50", "+0.200", "10%", "0.5 (반박까지 7.2)"],
        ["causaltune(보정하는 추정량만)", "60", "+1.000", "구간 없음", "40.0"],
    ]


def test_every_alarm_has_its_false_alarms_measured():
    """설계마다 작은 표본과 큰 표본이 있고, 시험하는 점검은 모두 표에 있습니다."""
    found = read_alarms()
    assert list(found) == list(false_alarms.CALM)
    for name, row in found.items():
        assert all(set(alarm) == {"label", "small", "large"} for alarm in row["alarms"].values()), name
        assert set(row["alarms"]) <= false_alarms.ALARMS, name
    assert {check for row in found.values() for check in row["alarms"]} == false_alarms.ALARMS


def test_a_row_that_rings_too_often_is_marked():
    quiet = {"label": "조용", "small": {"draws": 500, "fail": 0.06, "warn": 0.1, "unshown": 0.0}}
    loud = {"label": "잦은", "small": {"draws": 500, "fail": 0.08, "warn": 0.0, "unshown": 0.2}}
    row = {"label": "설계", "draws": 500, "sizes": ["10", "20"], "alarms": {"a": quiet, "b": loud}}
    page = lxml_html.fromstring(f"<div>{alarms_table({'one': row})}</div>")
    rare = quiet | {"small": quiet["small"] | {"draws": 87}}
    assert "조용 (작은 표본 87번)" in alarms_table({"one": row | {"alarms": {"a": rare}}})
    assert [tr.xpath("./th/text()")[0] for tr in page.xpath("//tr[@class='missed']")] == ["잦은"]
    assert [th.text_content() for th in page.xpath("//tbody/tr/th[@scope='row']")] == ["잦은", "조용"]
    assert "1가지가 5%보다 자주" in page.text_content()


# --- 쪽의 문장을 무너뜨려 본 세상 ---

MAKE = {world.name: world.make for world in WORLDS}


def trial(n=1200, groups=0, effect=0.4, seed=0):
    """가정이 모두 성립하는 실험. ``groups``가 있으면 그 단위로 배정합니다."""
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(groups), n // groups) if groups else np.arange(n)
    t = rng.permutation(np.arange(groups) % 2)[g] if groups else rng.permutation(np.arange(n) % 2)
    x = rng.normal(size=n)
    frame = pd.DataFrame({"g": g, "t": t, "x": x, "y": effect * t + 0.5 * x + rng.normal(size=n)})
    treatment = Treatment("t", "binary", randomized=True, cluster="g" if groups else None)
    return world_spec("trial", treatment=treatment, confounders=("x",), timing={"x": "before"}), frame


def test_too_few_groups_are_a_c_though_nothing_is_broken():
    spec, frame = trial(groups=8)
    assert analyze(spec, frame=frame).grade.letter == "C"
    assert "자료가 모자라" in PAGE.split("| C | 쓰지 말 것 |")[1].split("\n")[0]


def test_the_words_of_a_grade_need_an_interval_away_from_zero():
    spec, frame = trial(effect=0.0, seed=3)
    found = analyze(spec, frame=frame)
    assert found.grade.letter == "A" and "증거를 찾지 못했습니다" in headline(found)


def test_blanks_of_one_arm_alone_are_a_c_in_a_trial():
    spec, frame = trial(n=4000)
    frame.loc[(frame["t"] == 1) & (np.random.default_rng(1).random(4000) < 0.06), "y"] = np.nan
    found = analyze(replace(spec, source=Source(None, missing="drop"), money=Money(10.0, 1.0)), frame=frame)
    assert found.grade.letter == "C" and any(c.name == "attrition" and c.status == "fail" for c in found.checks)
    assert len(answer(found)) == 1, "등급 C이면 돈으로 답하지 않습니다."


def test_asking_for_itt_beside_an_instrument_is_still_a_late():
    spec, frame, _ = MAKE["instrument"](1)
    found = analyze(replace(spec, estimand="ITT"), frame=frame)
    assert found.identification.estimand == "LATE" and found.grade.letter != "A"


def test_the_graph_check_says_when_it_looks_at_some_rows(monkeypatch):
    monkeypatch.setattr(checks, "MOST_GRAPH_ROWS", 500)
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(800, 3)), columns=["x", "z", "y"]).assign(t=rng.integers(0, 2, 800))
    spec = world_spec("g", edges=(("x", "y"), ("t", "y"), ("z", "y")))
    (check,) = checks.graph_independences(spec, frame)
    assert check.status == "unshown" and "800행에서 무작위로 뽑은 500행으로" in check.message


def test_the_graph_check_sees_straight_relations_only():
    rng = np.random.default_rng(0)
    z = rng.uniform(-1.5, 1.5, size=3000)
    frame = pd.DataFrame({"z": z, "w": rng.normal(size=3000)})
    frame["t"] = (rng.random(3000) < 1 / (1 + np.exp(1 - z**2))).astype(int)
    frame["y"] = frame["t"] + 2 * z**2 + rng.normal(size=3000)
    spec = world_spec("g", edges=(("z", "w"), ("w", "y"), ("t", "y")))
    (check,) = checks.graph_independences(spec, frame)
    assert check.status == "unshown", "z는 처치와 결과를 함께 움직이는데 화살표가 없습니다."


@pytest.mark.parametrize("there", [False, True])
def test_data_that_stop_a_check_leave_no_file(tmp_path, there):
    """식별을 지난 뒤에 자료 때문에 멈추어도 아무 파일도 남지 않습니다."""
    spec, frame, _ = MAKE["one_treated_unit"](1)
    treated = frame.loc[frame["t"] == 1, "unit"].iloc[0]
    hole = (frame["unit"] != treated) & (frame["week"] == frame["week"].min() + frame["unit"] % 20)
    out = tmp_path / "report"
    if there:
        out.mkdir()
    with pytest.raises(DataError, match="빈칸이 있는 대상"):
        analyze(spec, out=out, frame=frame[~hole])
    assert list(tmp_path.rglob("*")) == ([out] if there else [])


def test_every_package_that_reads_or_identifies_is_in_the_key():
    assert {"networkx", "pyarrow", "openpyxl", "duckdb", "pandas"} <= set(stages.versions())


@pytest.mark.parametrize("content", [None, "worlds: {}", "other: 1", "worlds: {one: {label: 하나}}"])
def test_a_missing_or_broken_table_says_how_to_make_it(tmp_path, content):
    path = tmp_path / "pipeline_benchmark.yml"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(PageError, match="benchmarks.pipeline"):
        read_table(path)
    with pytest.raises(PageError, match="benchmarks.false_alarms"):
        read_alarms(path)


def test_the_site_shows_the_table(site_dir):
    tree = lxml_html.fromstring((site_dir / "guides" / "pipeline.html").read_bytes())
    assert len(tree.xpath("//article//table//tr[td[text()='닿음']]")) == sum(
        r["reached"] for r in yaml.safe_load(pipeline_benchmark.TABLE.read_text(encoding="utf-8"))["worlds"].values()
    )


def test_the_time_of_many_specs_is_shown_as_measured(tmp_path):
    found = read_many()
    assert found["specs"] >= 200 and all(run["finished"] == found["specs"] for run in found["runs"])
    run = {"label": "일꾼 <둘>", "seconds": 80.0, "cpu": None, "finished": 40}
    page = lxml_html.fromstring(f"<div>{many_table(found | {'specs': 40, 'runs': [run]})}</div>")
    assert page.xpath("//tbody//*[self::th or self::td]/text()") == ["일꾼 <둘>", "80", "2.00"]
    (tmp_path / "x.yml").write_text("cores: 2\n", encoding="utf-8")
    with pytest.raises(PageError, match=r"benchmarks\.many_specs"):
        read_many(tmp_path / "x.yml")
