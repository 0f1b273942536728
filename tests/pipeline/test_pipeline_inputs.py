"""잘못된 입력마다 제 이름의 오류, 종료 코드, 고치는 법이 있고, 추적이 보이지 않으며, 아무것도 쓰지 않습니다."""

import re
import subprocess
import sys

import duckdb
import numpy as np
import pandas as pd
import pytest

from book.page import ROOT
from causal_pipeline import command, reading, tables

SPEC, DATA, REFUSED, OUTPUT = 2, 3, 4, 5

GOOD = """\
name: coupon
question: 쿠폰을 보내면 매출이 얼마나 늡니까?
data:
  path: rows.csv
unit: id
treatment:
  column: coupon
  kind: binary
outcome:
  column: sales
estimand: ATE
confounders: [age, past]
seed: 1
"""

PANEL = """\
name: stores
question: 할인을 하면 매출이 얼마나 늡니까?
data:
  path: panel.csv
treatment:
  column: on
  kind: binary
outcome:
  column: sales
estimand: ATT
panel: {unit: store, time: week, start: start}
seed: 1
""".replace("column: on", 'column: "on"')


def table(n: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    age = rng.integers(20, 60, n)
    past = rng.normal(10, 2, n).round(2)
    coupon = rng.binomial(1, 1 / (1 + np.exp(-(past - 10) / 2)))
    sales = (past + 2 * coupon + rng.normal(0, 1, n)).round(2)
    return pd.DataFrame({"id": np.arange(n), "age": age, "past": past, "coupon": coupon, "sales": sales})


def panel_table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = [(s, w, 4 if s < 5 else None, int(s < 5 and w >= 4)) for s in range(10) for w in range(1, 9)]
    frame = pd.DataFrame(rows, columns=["store", "week", "start", "on"])
    return frame.assign(sales=(frame["store"] + frame["week"] + frame["on"] + rng.normal(0, 0.1, len(frame))).round(3))


@pytest.fixture
def desk(tmp_path):
    """명세와 자료가 놓인 폴더."""
    folder = tmp_path / "desk"
    folder.mkdir()
    return folder


def run(folder, capsys, out="report", *more) -> tuple[int, str]:
    """명령을 돌려 (종료 코드, 표준 오류)를 돌려줍니다."""
    code = command.main(["analyze", str(folder / "spec.yml"), "--out", str(folder / out), "--quiet", *more])
    return code, capsys.readouterr().err


def expect(folder, capsys, code: str, exit_code: int, line: int | None = None) -> str:
    """오류의 이름, 종료 코드, 줄, 고치는 법을 보고, 아무것도 쓰이지 않았는지 봅니다."""
    before = sorted(p.relative_to(folder) for p in folder.rglob("*"))
    got, text = run(folder, capsys)
    assert (re.match(r"\[(\w+)\]", text) or [None, text])[1] == code
    assert got == exit_code
    assert "Traceback" not in text
    message, _, remedy = text.partition("\n  → ")
    assert re.search(r"[가-힣]", message) and re.search(r"[가-힣]", remedy), text
    if line is not None:
        assert f"{line}번째 줄" in message, text
    assert sorted(p.relative_to(folder) for p in folder.rglob("*")) == before
    assert str(folder) not in text
    return text


def put(folder, spec=GOOD, frame=None):
    (folder / "spec.yml").write_text(spec, encoding="utf-8")
    (table() if frame is None else frame).to_csv(folder / "rows.csv", index=False)


# --- 명세 ---

SPEC_CASES = [
    # (오류의 이름, 명세를 바꾸는 법, 줄)
    ("spec_empty", lambda s: "", None),
    ("spec_not_mapping", lambda s: "- 하나\n- 둘\n", 1),
    ("spec_yaml", lambda s: s.replace("data:\n", "data: [\n"), None),
    ("spec_duplicate_key", lambda s: s + "seed: 2\n", 14),
    ("spec_alias", lambda s: s.replace("[age, past]", "&a [age, past]") + "modifiers: *a\n", 14),
    ("spec_many_documents", lambda s: s + "---\nname: b\n", None),
    ("spec_missing_key", lambda s: s.replace("estimand: ATE\n", ""), 1),
    ("spec_unknown_key", lambda s: s.replace("  kind: binary", "  kind: binary\n  colour: red"), 9),
    ("spec_type", lambda s: s.replace("column: coupon", "column: yes"), 7),
    ("spec_choice", lambda s: s.replace("estimand: ATE", "estimand: CATE"), 11),
    ("spec_range", lambda s: s.replace("seed: 1", "seed: -1"), 13),
    ("spec_blank", lambda s: s.replace("쿠폰을 보내면 매출이 얼마나 늡니까?", "''"), 2),
    ("spec_too_long", lambda s: s.replace("쿠폰을", "쿠폰을" * 200), 2),
    ("spec_duplicate_item", lambda s: s.replace("[age, past]", "[age, age]"), 12),
    ("spec_name", lambda s: s.replace("name: coupon", "name: 쿠폰"), 1),
    ("spec_not_finite", lambda s: s + "money: {value_per_outcome: .nan}\n", 14),
    ("spec_edge", lambda s: s.replace("confounders: [age, past]", "graph: {edges: [[age, coupon, sales]]}"), 12),
    ("todo_left", lambda s: s.replace("column: coupon", "column: TODO"), 7),
    ("path_absolute", lambda s: s.replace("rows.csv", "/etc/passwd"), 4),
    ("path_outside", lambda s: s.replace("rows.csv", "../../rows.csv"), 4),
    ("path_url", lambda s: s.replace("rows.csv", "https://example.org/rows.csv"), 4),
    ("format_unknown", lambda s: s.replace("rows.csv", "rows.xls"), 4),
    ("source_ambiguous", lambda s: s.replace("rows.csv", "rows.duckdb\n  table: a\n  sql: SELECT 1"), 6),
    ("table_not_named", lambda s: s.replace("rows.csv", "rows.duckdb"), 4),
    ("levels_missing", lambda s: s.replace("kind: binary", "kind: continuous"), 8),
    ("levels_equal", lambda s: s.replace("kind: binary", "kind: binary\n  control: 1\n  treated: 1"), 10),
    ("levels_not_numbers", lambda s: s.replace("kind: binary", "kind: continuous\n  control: low\n  treated: high"), 10),
    ("probability_without_randomized", lambda s: s.replace("kind: binary", "kind: binary\n  probability: 0.5"), 9),
    ("treatment_is_outcome", lambda s: s.replace("column: sales", "column: coupon"), 10),
    ("role_conflict", lambda s: s.replace("[age, past]", "[age, sales]"), 12),
    ("hidden_used", lambda s: s.replace("confounders: [age, past]", "graph: {edges: [age -> coupon, age -> sales, coupon -> sales], hidden: [sales]}"), 12),
    ("hidden_not_in_graph", lambda s: s.replace("confounders: [age, past]", "graph: {edges: [age -> coupon, age -> sales, coupon -> sales], hidden: [mood]}"), 12),
    ("instrument_is_confounder", lambda s: s + "instrument: age\n", 14),
    ("graph_cycle", lambda s: s.replace("confounders: [age, past]", "graph: {edges: [age -> past, past -> coupon, coupon -> sales, coupon -> age]}"), 12),
    ("graph_self_edge", lambda s: s.replace("confounders: [age, past]", "graph: {edges: [age -> age, coupon -> sales]}"), 12),
    ("graph_without_role", lambda s: s.replace("confounders: [age, past]", "graph: {edges: [age -> coupon]}"), 12),
    ("graph_backwards", lambda s: s.replace("confounders: [age, past]", "graph: {edges: [sales -> coupon, age -> sales]}"), 12),
    ("edge_against_time", lambda s: s.replace("confounders: [age, past]", "graph: {edges: [coupon -> age, coupon -> sales]}\ntiming: {age: before}"), 12),
    ("outcome_before_treatment", lambda s: s + "timing: {sales: before}\n", 14),
    ("treatment_timing", lambda s: s + "timing: {coupon: after}\n", 14),
    ("timing_unknown", lambda s: s + "timing: {agee: before}\n", 14),
    ("leak_confounders", lambda s: s + "timing: {age: after}\n", 12),
    ("leak_modifiers", lambda s: s.replace("[age, past]", "[past]\nmodifiers: [age]\ntiming: {age: after}"), 13),
    ("designs_conflict", lambda s: s + "instrument: mail\nrunning: {column: score, cutoff: 1}\n", 15),
    ("assumptions_missing", lambda s: s.replace("confounders: [age, past]\n", ""), 6),
    ("estimand_needs_instrument", lambda s: s.replace("estimand: ATE", "estimand: LATE"), 11),
    ("estimand_needs_randomization", lambda s: s.replace("estimand: ATE", "estimand: ITT"), 11),
    ("estimand_running", lambda s: s.replace("estimand: ATE", "estimand: ATT").replace("confounders: [age, past]", "running: {column: age, cutoff: 40}"), 11),
    ("running_kind", lambda s: s.replace("kind: binary", "kind: continuous\n  control: 0\n  treated: 1").replace("confounders: [age, past]", "running: {column: age, cutoff: 40}"), 8),
    ("panel_same_column", lambda s: s.replace("unit: id\n", "") + "panel: {unit: id, time: id}\n", 13),
    ("panel_unit", lambda s: s + "panel: {unit: shop, time: week}\n", 5),
    ("panel_kind", lambda s: s.replace("unit: id\n", "").replace("kind: binary", "kind: multi\n  control: 0\n  treated: 1") + "panel: {unit: id, time: week}\n", 7),
]  # fmt: skip


@pytest.mark.parametrize(("code", "change", "line"), SPEC_CASES, ids=[c[0] for c in SPEC_CASES])
def test_bad_specification(desk, capsys, code, change, line):
    put(desk, change(GOOD))
    expect(desk, capsys, code, SPEC, line)


def test_specification_that_is_not_there(desk, capsys):
    expect(desk, capsys, "spec_missing", SPEC)


def test_specification_that_is_a_folder(desk, capsys):
    (desk / "spec.yml").mkdir()
    expect(desk, capsys, "spec_is_folder", SPEC)


def test_specification_in_another_encoding(desk, capsys):
    put(desk)
    (desk / "spec.yml").write_bytes(GOOD.encode("cp949"))
    expect(desk, capsys, "spec_not_utf8", SPEC, 2)


def test_a_data_file_given_as_specification(desk, capsys):
    put(desk)
    (desk / "spec.yml").write_text("a: 1\n" * 300_000)
    expect(desk, capsys, "spec_too_large", SPEC)


def test_a_link_out_of_the_folder(desk, capsys):
    put(desk)
    (desk.parent / "secret.csv").write_text("a\n1\n")
    (desk / "rows.csv").unlink()
    (desk / "rows.csv").symlink_to(desk.parent / "secret.csv")
    expect(desk, capsys, "path_outside", SPEC)


# --- 자료 ---


def change(**columns):
    return lambda f: f.assign(**columns)


def at(column, row, value):
    def act(frame):
        frame = frame.astype({column: object})
        frame.loc[row, column] = value
        return frame

    return act


DATA_CASES = [
    # (오류의 이름, 자료를 바꾸는 법, 명세를 바꾸는 법)
    ("column_unknown", lambda f: f.rename(columns={"past": "Past"}), None),
    ("hidden_in_data", None, lambda s: s.replace("confounders: [age, past]", "graph: {edges: [age -> coupon, age -> sales, past -> sales, coupon -> sales], hidden: [past]}")),
    ("missing_values", at("past", 3, None), None),
    ("column_empty", change(past=None), None),
    ("missing_everywhere", lambda f: f.assign(past=f["past"].where(f.index % 2 == 0), age=f["age"].where(f.index % 2 == 1)), lambda s: s.replace("rows.csv", "rows.csv\n  missing: drop")),
    ("infinite_values", at("past", 3, np.inf), None),
    ("too_few_rows", lambda f: f.head(12), None),
    ("data_no_rows", lambda f: f.head(0), None),
    ("outcome_constant", change(sales=3.0), None),
    ("treatment_constant", change(coupon=1), None),
    ("treatment_level_missing", change(coupon=lambda f: f["coupon"].map({0: "A", 1: "B"})), None),
    ("treatment_too_many_levels", at("coupon", 0, 2), None),
    ("treatment_not_continuous", None, lambda s: s.replace("kind: binary", "kind: continuous\n  control: 0\n  treated: 1")),
    ("dose_outside", None, lambda s: s.replace("column: coupon\n  kind: binary", "column: dose\n  kind: continuous\n  control: 0\n  treated: 500")),
    ("arm_too_small", change(coupon=lambda f: (f["id"] == 7).astype(int)), None),
    ("duplicate_units", change(id=lambda f: f["id"] // 2), None),
    ("number_as_text", change(sales=lambda f: f["sales"].map(lambda v: f"{v * 1000:,.0f}원")), None),
    ("date_text", change(sales="2026-01-03"), None),
    ("not_numeric", change(sales=lambda f: np.where(f["coupon"] == 1, "많음", "적음")), None),
    ("mixed_types", at("sales", 5, "모름"), None),
    ("date_covariate", change(age=lambda f: pd.date_range("2026-01-01", periods=len(f)).astype(str)), None),
    ("too_many_levels", change(age=lambda f: "손님" + f["id"].astype(str)), None),
    ("covariate_constant", change(age=30), None),
    ("covariate_is_treatment", change(age=lambda f: 1 - f["coupon"]), None),
    ("covariate_is_outcome", change(age=lambda f: 1000 * f["sales"]), None),
    ("instrument_constant", change(mail=1), lambda s: s + "instrument: mail\n"),
    ("cutoff_outside", None, lambda s: s.replace("confounders: [age, past]", "running: {column: age, cutoff: 900}")),
    ("probability_values", change(p=50.0), lambda s: s.replace("kind: binary", "kind: binary\n  randomized: true\n  probability: p")),
    ("too_few_clusters", change(city=lambda f: f["id"] % 3), lambda s: s.replace("kind: binary", "kind: binary\n  cluster: city")),
    ("sample_too_large", None, lambda s: s.replace("rows.csv", "rows.csv\n  sample: 5000")),
    ("sql_not_select", None, lambda s: s.replace("rows.csv", "rows.csv\n  sql: DROP TABLE data")),
    ("sql_error", None, lambda s: s.replace("rows.csv", "rows.csv\n  sql: SELECT nothing FROM data")),
    ("sql_outside", None, lambda s: s.replace("rows.csv", "rows.csv\n  sql: \"SELECT * FROM read_csv('../other.csv')\"")),
]  # fmt: skip


@pytest.mark.parametrize(("code", "data", "spec"), DATA_CASES, ids=[c[0] for c in DATA_CASES])
def test_bad_data(desk, capsys, code, data, spec):
    frame = table().assign(dose=lambda f: f["past"] * 3)
    put(desk, spec(GOOD) if spec else GOOD, data(frame) if data else frame)
    expect(desk, capsys, code, DATA)


FILE_CASES = [
    ("data_missing", None),
    ("data_empty", b""),
    ("data_not_utf8", "id,age,past,coupon,sales,메모\n1,2,3,0,1,가\n".encode("cp949")),
    ("csv_broken", b"id,age,past,coupon,sales\n1,2,3,0,1\n2,3,4,1,2,9,9\n"),
    ("csv_shifted", b"id,age,past,coupon,sales\n1,2,3,0,1,9\n2,3,4,1,2,9\n"),
    ("header_duplicate", b"id,age,past,coupon,sales,age\n1,2,3,0,1,2\n"),
    ("header_missing", b"\n\n"),
    ("data_binary", b"PK\x03\x04\x00\x00\x00\n\x00"),
]


@pytest.mark.parametrize(("code", "content"), FILE_CASES, ids=[c[0] for c in FILE_CASES])
def test_bad_file(desk, capsys, code, content):
    put(desk)
    (desk / "rows.csv").unlink()
    if content is not None:
        (desk / "rows.csv").write_bytes(content)
    expect(desk, capsys, "csv_broken" if code == "csv_shifted" else code, DATA, 4)


def test_a_folder_given_as_data(desk, capsys):
    put(desk)
    (desk / "rows.csv").unlink()
    (desk / "rows.csv").mkdir()
    expect(desk, capsys, "data_is_folder", DATA, 4)


@pytest.mark.parametrize(
    ("code", "name", "more"),
    [("parquet_broken", "rows.parquet", ""), ("duckdb_broken", "rows.duckdb", "\n  table: a")],
    ids=["parquet", "duckdb"],
)
def test_a_file_of_another_kind(desk, capsys, code, name, more):
    put(desk, GOOD.replace("rows.csv", name + more))
    (desk / name).write_bytes(b"nothing of the kind" * 100)
    expect(desk, capsys, code, DATA, 4)


def test_a_table_that_is_not_there(desk, capsys):
    put(desk, GOOD.replace("rows.csv", "rows.duckdb\n  table: order"))
    with duckdb.connect(str(desk / "rows.duckdb")) as con:
        con.execute("CREATE TABLE orders AS SELECT 1 AS id")
    assert "orders" in expect(desk, capsys, "table_unknown", DATA, 5)


def test_too_many_rows_are_never_cut_silently(desk, capsys, monkeypatch):
    monkeypatch.setattr(reading, "MAX_ROWS", 100)
    put(desk)
    assert "sample" in expect(desk, capsys, "too_many_rows", DATA)


PANEL_CASES = [
    ("duplicate_unit_time", lambda f: pd.concat([f, f.head(1)])),
    ("time_not_ordered", change(week=lambda f: "주" + f["week"].astype(str))),
    ("start_kind", change(start=lambda f: f["start"].map({4.0: "넷"}))),
    ("start_varies", lambda f: f.assign(start=f["start"].where(f["week"] > 2, 3))),
    ("start_contradicts", change(start=lambda f: f["start"] + 1)),
    ("treatment_reverses", lambda f: f.assign(start=None, on=f["on"].where(f["week"] < 7, 0))),
    ("panel_one_period", lambda f: pd.concat([f[f["week"] == 5].assign(store=lambda g: g["store"] + 100 * i) for i in range(3)])),
    ("panel_one_unit", lambda f: f[f["store"] == 0].iloc[[3]].pipe(lambda g: pd.concat([g.assign(week=i, start=15, on=int(i >= 15), sales=float(i)) for i in range(30)]))),
    ("panel_no_before", lambda f: f[f["week"] >= 4].assign(start=4, on=1).pipe(lambda g: pd.concat([g, g.head(1).assign(store=99, week=9, start=10, on=0)]))),
]  # fmt: skip


@pytest.mark.parametrize(("code", "data"), PANEL_CASES, ids=[c[0] for c in PANEL_CASES])
def test_bad_panel(desk, capsys, code, data):
    frame = data(panel_table())
    frame.to_csv(desk / "panel.csv", index=False)
    spec = PANEL.replace(", start: start", "") if frame["start"].isna().all() else PANEL
    (desk / "spec.yml").write_text(spec, encoding="utf-8")
    expect(desk, capsys, code, DATA)


# --- 출력과 명령 ---


def test_output_that_is_a_file(desk, capsys):
    put(desk)
    (desk / "report").write_text("여기에 무엇이 있습니다")
    expect(desk, capsys, "out_is_file", OUTPUT)


def test_output_folder_of_something_else(desk, capsys):
    put(desk)
    (desk / "report").mkdir()
    (desk / "report" / "thesis.txt").write_text("지우면 안 됩니다")
    expect(desk, capsys, "out_not_empty", OUTPUT)
    assert (desk / "report" / "thesis.txt").read_text() == "지우면 안 됩니다"


def test_output_of_another_analysis(desk, capsys):
    put(desk)
    (desk / "report").mkdir()
    (desk / "report" / "report.json").write_text('{"spec": {"name": "other"}}')
    assert "other" in expect(desk, capsys, "out_other_report", OUTPUT)


def test_output_over_the_specification(desk, capsys):
    put(desk)
    code, text = run(desk, capsys, ".")
    assert code == OUTPUT and text.startswith("[out_is_spec_folder]")
    assert (desk / "spec.yml").read_text(encoding="utf-8") == GOOD


def test_output_below_a_file(desk, capsys):
    put(desk)
    code, text = run(desk, capsys, "rows.csv/report")
    assert code == OUTPUT and text.startswith("[out_not_writable]")


def test_output_not_given(desk, capsys):
    put(desk)
    assert command.main(["analyze", str(desk / "spec.yml")]) == OUTPUT
    assert capsys.readouterr().err.startswith("[out_not_given]")


def test_nothing_given(capsys):
    assert command.main(["analyze", "--out", "report"]) == SPEC
    assert capsys.readouterr().err.startswith("[spec_not_given]")


def test_a_draft_is_not_overwritten(desk, capsys):
    put(desk)
    (desk / "rows.yml").write_text("내 명세")
    assert command.main(["analyze", "--init", str(desk / "rows.csv")]) == OUTPUT
    assert capsys.readouterr().err.startswith("[draft_exists]")
    assert (desk / "rows.yml").read_text() == "내 명세"


def test_a_draft_away_from_its_data(desk, capsys):
    put(desk)
    (desk / "sub").mkdir()
    assert command.main(["analyze", "--init", str(desk / "rows.csv"), "--out", str(desk / "sub" / "a.yml")]) == OUTPUT
    assert capsys.readouterr().err.startswith("[draft_outside]")
    assert not list((desk / "sub").iterdir())


def test_every_kind_has_its_own_name():
    kinds = [c[0] for c in (*SPEC_CASES, *DATA_CASES, *FILE_CASES, *PANEL_CASES)]
    assert len(kinds) == len(set(kinds)) >= 40


def test_the_real_command_shows_no_traceback(desk):
    put(desk, GOOD, table().assign(coupon=1))
    done = subprocess.run(
        [sys.executable, "-m", "causal_pipeline", "analyze", str(desk / "spec.yml"), "--out", str(desk / "report")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == DATA
    assert "[treatment_constant]" in done.stderr and "Traceback" not in done.stderr
    assert not (desk / "report").exists()


def test_the_unchanged_input_is_read(desk):
    """바꾸지 않은 명세와 자료는 읽힙니다. 그래야 위의 거절이 바꾼 것 때문입니다."""
    from causal_pipeline import read_spec

    put(desk)
    (desk / "panel.yml").write_text(PANEL, encoding="utf-8")
    panel_table().to_csv(desk / "panel.csv", index=False)
    assert len(tables.load(read_spec(desk / "spec.yml")).frame) == 200
    assert len(tables.load(read_spec(desk / "panel.yml")).frame) == 80
