"""명세: 읽은 것이 적은 것과 같고, 초안과 본보기가 읽히며, 다시 적어도 같은 명세입니다."""

import datetime
import re

import numpy as np
import pandas as pd
import pytest

from book.page import ROOT
from causal_pipeline import designs, draft, reading, tables
from causal_pipeline.designs.discontinuity import Running
from causal_pipeline.errors import DataError, SpecError
from causal_pipeline.model import Assignment, Money
from causal_pipeline.panel import Panel
from causal_pipeline.report import spec_text
from causal_pipeline.spec import leaves, parse_spec, read_spec, read_yaml, schema
from causal_pipeline.wording import josa, number, pvalue, suggest

EXAMPLES = [path.stem.removeprefix("example_") for path in sorted((ROOT / "data").glob("example_*.yml"))]
FULL = """\
name: everything
question: 광고비를 올리면 매출이 얼마나 늡니까?
data: {path: sub/rows.csv, sample: 500, missing: drop, blank: [-999]}
unit: seller
treatment: {column: ad, kind: continuous, control: 0, treated: 10, cluster: region}
outcome: {column: sales, unit: 만 원, label: 매출, higher_is_better: true}
estimand: ATE
graph:
  edges:
    - size -> ad
    - [size, sales]
    - "mood -> sales"
    - ad → visits → sales
  hidden: [mood]
timing: {size: before, visits: after}
modifiers: [size]
categories: [region]
numbers: [size]
negative_controls: {outcomes: [last_sales], treatments: [next_ad]}
weights: {column: design_weight, kind: sampling}
money: {value_per_outcome: 2, cost_per_treatment: 3.5, currency: 만 원, minimum_gain: 1}
assignment: {rule: 지점장이 정함, source: 운영 규정 3조}
labels: {ad: 광고비}
seed: 7
"""


def test_every_part_is_read(tmp_path):
    spec = parse_spec(FULL, tmp_path)
    assert spec.edges == (("size", "ad"), ("size", "sales"), ("mood", "sales"), ("ad", "visits"), ("visits", "sales"))
    assert spec.hidden == ("mood",) and spec.modifiers == ("size",)
    assert (spec.source.sample, spec.source.missing, spec.source.blank) == (500, "drop", (-999,))
    assert spec.categories == ("region",) and spec.numbers == ("size",)
    assert spec.money == Money(2, 3.5, "만 원", 1)
    assert spec.assignment == Assignment("지점장이 정함", "운영 규정 3조")
    assert spec.negative_outcomes == ("last_sales",) and spec.negative_treatments == ("next_ad",)
    assert spec.label("ad") == "광고비" and spec.label("sales") == "매출" and spec.label("size") == "size"
    assert spec.columns() == {
        "seller",
        "ad",
        "region",
        "sales",
        "size",
        "visits",
        "last_sales",
        "next_ad",
        "design_weight",
    }
    assert spec.covariates() == ["last_sales", "next_ad", "size", "visits"]
    assert spec.lines["treatment.kind"] == 5 and spec.lines["graph.edges.2"] == 12


def test_designs_are_read():
    text = FULL.split("graph:")[0].replace("kind: continuous", "kind: binary")
    assert parse_spec(text + "running: {column: score, cutoff: 5}\n").fields == (Running("score", 5.0),)
    panel = parse_spec(
        text.replace("unit: seller\n", "").replace(", sample: 500", "")
        + "panel: {unit: shop, time: week, anticipation: 2}\n"
    )
    assert panel.fields == (Panel("shop", "week", None, 2),) and panel.unit == "shop"


@pytest.mark.parametrize("name", EXAMPLES)
def test_written_again_it_is_the_same(name):
    spec = read_spec(ROOT / "data" / f"example_{name}.yml")
    assert parse_spec(spec_text(spec), spec.folder) == spec


def test_the_full_specification_written_again_is_the_same():
    assert parse_spec(spec_text(parse_spec(FULL))) == parse_spec(FULL)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_use_columns_that_exist(name):
    spec = read_spec(ROOT / "data" / f"example_{name}.yml")
    table = tables.load(spec)
    assert set(table.frame) == spec.columns()
    assert spec.treatment.kind != "binary" or set(table.frame[spec.treatment.column].unique()) == {0, 1}
    assert len(table.digest) == 64 and table.notices == ()


def test_the_errors_give_the_line_and_a_near_name():
    with pytest.raises(SpecError) as caught:
        parse_spec(FULL.replace("cluster: region", "clusters: region"))
    assert (caught.value.code, caught.value.line) == ("spec_unknown_key", 5)
    assert "cluster" in caught.value.remedy
    assert str(caught.value).startswith("5번째 줄: ") and "\n  → " in str(caught.value)


def test_every_key_of_the_schema_is_built():
    """스키마에 있는 이름은 모두 본보기나 시험의 명세에 쓰입니다."""
    used = "\n".join(p.read_text(encoding="utf-8") for p in sorted((ROOT / "data").glob("example_*.yml"))) + FULL
    missing = [
        k
        for k in schema()["properties"]
        if not re.search(rf"^{k}:", used, re.MULTILINE) and k not in {"running", "cross_sections"}
    ]
    assert missing == []


# --- 자료를 쓰는 꼴로 ---


def simple(**more) -> str:
    lines = {
        "data": "{path: a.csv}",
        "treatment": "{column: t, kind: binary}",
        "outcome": "{column: y}",
        "estimand": "ATE",
        "confounders": "[x]",
    } | more
    return "name: a\nquestion: 왜?\n" + "".join(f"{k}: {v}\n" for k, v in lines.items() if v)


def rows(n=60, **more) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame({"x": rng.normal(size=n), "t": np.arange(n) % 2, "y": rng.normal(size=n)} | more)


def test_words_and_truth_values_become_what_the_stages_use():
    frame = rows(t=["받음", "안 받음"] * 30, flag=[True, False, True] * 20, city=["서울", "부산 ", "서울"] * 20)
    spec = parse_spec(
        simple(treatment="{column: t, kind: binary, control: 안 받음, treated: 받음}", confounders="[x, flag, city]")
    )
    before = frame.copy()
    made, notices = tables.prepare(spec, frame)
    assert made["t"].tolist()[:2] == [1, 0]
    assert made["flag"].dtype == "int64" and made["flag"].sum() == 40
    assert list(made["city"].cat.categories) == ["부산", "서울"]
    pd.testing.assert_frame_equal(frame, before)
    assert notices == ("'city'의 글자 20개에서 앞뒤의 빈칸을 뗐습니다.",)


def test_blanks_are_dropped_only_when_told_and_it_is_said():
    frame = rows()
    frame.loc[[3, 8], "x"] = np.nan
    with pytest.raises(DataError, match="빈칸"):
        tables.prepare(parse_spec(simple()), frame)
    made, notices = tables.prepare(parse_spec(simple(data="{path: a.csv, missing: drop}")), frame)
    assert len(made) == 58 and "2행을 뺐습니다" in notices[0]
    made, notices = tables.prepare(parse_spec(simple(data="{path: a.csv, missing: flag}")), frame)
    assert len(made) == 60 and made["x"].isna().sum() == 2 and "남겨 두었습니다" in notices[0]


def test_lost_outcomes_of_an_experiment_are_kept_for_the_check():
    frame = rows()
    frame.loc[[3, 8], "y"] = np.nan
    spec = parse_spec(
        simple(
            data="{path: a.csv, missing: drop}", treatment="{column: t, kind: binary, randomized: true}", confounders=""
        )
    )
    made, _ = tables.prepare(spec, frame)
    assert made["y"].isna().sum() == 2


def test_dates_become_their_order():
    days = [str(datetime.date(2026, 1, 5) + datetime.timedelta(weeks=w)) for w in range(8)]
    frame = pd.DataFrame(
        [(s, d, days[4] if s < 3 else None, int(s < 3 and d >= days[4])) for s in range(6) for d in days],
        columns=["shop", "when", "start", "t"],
    )
    frame["y"] = np.random.default_rng(0).normal(size=len(frame))
    spec = parse_spec(simple(estimand="ATT", confounders="", panel="{unit: shop, time: when, start: start}"))
    made, _ = tables.prepare(spec, frame)
    assert sorted(made["when"].unique()) == list(range(1, 9))
    assert set(made["start"].dropna()) == {5.0}


def test_the_sample_follows_the_seed(tmp_path):
    rows(200, x=np.arange(200.0)).to_csv(tmp_path / "a.csv", index=False)
    text = simple(data="{path: a.csv, sample: 50}")
    one, two = (tables.load(parse_spec(text + f"seed: {s}\n", tmp_path)) for s in (1, 1))
    other = tables.load(parse_spec(text + "seed: 2\n", tmp_path))
    pd.testing.assert_frame_equal(one.frame, two.frame)
    assert len(one.frame) == 50 and not one.frame["x"].equals(other.frame["x"])
    assert "200행에서 50행" in one.notices[0]


def test_chunks_are_joined_and_sampled_alike(tmp_path, monkeypatch):
    rows(200, x=np.arange(200.0)).to_csv(tmp_path / "a.csv", index=False)
    spec = parse_spec(simple(data="{path: a.csv, sample: 50}"), tmp_path)
    whole = tables.load(spec).frame
    monkeypatch.setattr(reading, "CHUNK", 37)
    pd.testing.assert_frame_equal(tables.load(spec).frame, whole)


def test_the_three_sources_give_the_same_table(tmp_path):
    import duckdb

    frame = rows(100)
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    with duckdb.connect(str(tmp_path / "a.duckdb")) as con:
        con.from_df(frame).to_table("seen")
    places = [
        "{path: a.csv}",
        "{path: a.parquet}",
        "{path: a.duckdb, table: seen}",
        '{path: a.csv, sql: "SELECT * FROM data"}',
        '{path: a.parquet, sql: "SELECT * FROM data;"}',
    ]
    made = [tables.load(parse_spec(simple(data=place), tmp_path)).frame for place in places]
    for other in made[1:]:
        pd.testing.assert_frame_equal(made[0], other, check_column_type=False)


# --- 초안 ---


@pytest.mark.parametrize(
    "name", ["template_case", "orientation_coupon", "pydata_music_staggered", "uber_email_cace", "seller_weeks"]
)
def test_a_draft_asks_for_what_it_cannot_know(name, tmp_path):
    (tmp_path / f"{name}.csv").write_bytes((ROOT / "data" / f"{name}.csv").read_bytes())
    path = draft.write_draft(tmp_path / f"{name}.csv")
    text = path.read_text(encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        read_spec(path)
    assert caught.value.code == "todo_left"
    assert "짐작" in text and all(c in text for c in pd.read_csv(tmp_path / f"{name}.csv", nrows=1))


def test_a_draft_with_its_blanks_filled_is_a_specification(tmp_path):
    (tmp_path / "orders.csv").write_bytes((ROOT / "data" / "pydata_music_staggered.csv").read_bytes())
    text = draft.write_draft(tmp_path / "orders.csv").read_text(encoding="utf-8")
    filled = re.sub(r"question: '.*'", "question: 드라마에 쓰이면 더 재생됩니까?", text)
    spec = parse_spec(filled, tmp_path)
    assert (spec.treatment.column, spec.outcome.column) == ("featured", "log_streams")
    assert Panel.of(spec) == Panel("song_id", "week", "first_week")
    assert len(tables.load(spec).frame) == 24_000


OPTION = re.compile(r"^(\s*)# (?=\S)", re.MULTILINE)


def uncommented(text: str) -> list[str]:
    """선택의 줄을 하나씩 살린 글들. '##'로 시작하는 설명은 그대로 둡니다."""
    lines = text.splitlines()
    at = [i for i, line in enumerate(lines) if OPTION.match(line)]
    return ["\n".join([*lines[:i], OPTION.sub(r"\1", lines[i]), *lines[i + 1 :]]) + "\n" for i in at]


DRAWN = ["template_case", "uber_email_cace", "store_grade", "seller_weeks", "pydata_music_staggered", "station_ads"]


@pytest.mark.parametrize("design", [None, *(kind.name for kind in designs.registered())])
def test_every_option_of_a_draft_may_be_taken_alone(design):
    texts = [draft.template(design)] if design else []
    for name in DRAWN if design in (None, "instrument") else DRAWN[:1]:
        texts.append(draft.draft(ROOT / "data" / f"{name}.csv", f"{name}.csv", design))
    for text in texts:
        whole = [text, *uncommented(text)]
        assert len(whole) > 12
        for one in whole:
            value, _ = read_yaml(one)
            assert set(value) <= set(schema()["properties"]), one
            places = [x for x in leaves(value) if isinstance(x[1], str) and x[1].startswith("TODO")]
            assert places  # 물음은 늘 사람이 적습니다
            with pytest.raises(SpecError) as caught:
                parse_spec(one)
            assert caught.value.code == "todo_left"


@pytest.mark.parametrize("kind", designs.registered(), ids=lambda kind: kind.name)
def test_the_template_of_a_design_chooses_that_design(kind):
    """틀의 TODO를 채우면 그 설계가 받아들이는 명세입니다."""
    text = draft.template(kind.name).replace("cutoff: TODO", "cutoff: 1").replace("path: TODO", "path: rows.csv")
    text = re.sub(r"- 'TODO[^']*'", "- x1", re.sub(r"question: '.*'", "question: 왜?", text))
    text = re.sub(r"(column|unit|time|group|instrument): TODO\b", lambda m: f"{m[1]}: {m[1]}_{m.start()}", text)
    spec = parse_spec(text)
    assert kind.applies(spec)
    assert all(kind.question in draft.template(other.name) for other in designs.registered())


def test_a_draft_finds_the_cutoff_the_panel_and_the_instrument():
    grade = draft.guess(pd.read_csv(ROOT / "data" / "store_grade.csv"))
    assert (grade["running.column"], grade["treatment"]) == ("score", "helped")
    assert abs(grade["running.cutoff"] - 70) < 0.5 and grade["running.above"] is None
    mail = draft.guess(pd.read_csv(ROOT / "data" / "uber_email_cace.csv"))
    assert (mail["treatment"], mail["instrument"], mail["outcome"]) == ("used", "mail", "trips")
    rng = np.random.default_rng(0)
    cells = pd.DataFrame([(f"S{i}", 202500 + j) for i in range(12) for j in range(8)], columns=["곳", "때"])
    pair = draft.guess(
        cells.assign(처치=lambda f: (f["곳"] > "S5").astype(int) * (f["때"] > 202503), 값=rng.normal(size=96))
    )
    assert (pair["unit"], pair["time"], pair["panel"]) == ("곳", "때", True)
    people = pd.DataFrame(
        {"city": np.arange(900) % 6, "year": 2020 + np.arange(900) // 6 % 5, "age": rng.integers(20, 60, 900)}
    )
    people = people.assign(
        policy=((people["city"] < 3) & (people["year"] > 2022)).astype(int), sales=rng.normal(size=900)
    )
    found = draft.guess(people)
    assert (found["cross_sections.group"], found["time"], found["panel"]) == ("city", "year", False)
    none = draft.guess(
        pd.DataFrame({"treated": rng.integers(0, 2, 500), "score": rng.normal(size=500), "y": rng.normal(size=500)})
    )
    assert none["running.column"] is None and none["outcomes"] == ["y", "score"]


def test_a_design_that_is_not_there_is_told(tmp_path, capsys):
    from causal_pipeline import command

    assert command.main(["analyze", "--design", "instrumet", "--out", str(tmp_path / "a.yml")]) == 5
    assert "instrument" in capsys.readouterr().err
    assert command.main(["analyze", "--design", "instrument", "--out", str(tmp_path / "a.yml")]) == 0
    assert "instrument: TODO" in (tmp_path / "a.yml").read_text(encoding="utf-8")


def test_the_guess_prefers_the_plain_name():
    roles = draft.guess(pd.read_csv(ROOT / "data" / "template_case.csv", nrows=500))
    assert roles["outcome"] == "defects" and roles["unit"] == "lot_id"
    assert "particles_before" in roles["before"] and "particles_after" in roles["after"]


# --- 말 ---


@pytest.mark.parametrize(
    ("word", "pair", "said"),
    [("처치", "은/는", "처치는"), ("효과", "이/가", "효과가"), ("쿠폰", "을/를", "쿠폰을"), ("'불량'", "이/가", "'불량'이"), ("메일", "으로/로", "메일로"),
     ("3", "이/가", "3이"), ("2", "이/가", "2가"), ("10", "으로/로", "10으로"), ("ATE", "은/는", "ATE는")],
)  # fmt: skip
def test_particles(word, pair, said):
    assert josa(word, pair) == said


def test_numbers_show_what_their_error_allows():
    assert number(-4.0293, 0.172) == "−4.03"
    assert number(12345.6, 400.0) == "12,346"
    assert number(0.00012, 0.0005) == "0.00012"
    assert number(-0.0001, 0.5) == "0.00"
    assert number(float("nan")) == number(None) == "–"
    assert pvalue(1e-9) == "0.001보다 작음" and pvalue(0.0312) == "0.031" and pvalue(None) == "–"
    assert number(3.0) == "3" and number(1234.5678) == "1,235"


def test_near_names():
    assert "'sales'" in suggest("sale", ["sales", "age"]) and suggest("Past", ["past"]).startswith("혹시 'past'")
    assert suggest("zzz", ["a", "b"]).startswith("있는 이름은")
