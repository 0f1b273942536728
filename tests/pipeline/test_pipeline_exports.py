"""현장에서 내보낸 자료와 손으로 적은 명세: 조용히 틀린 답과 영어가 없고, 조언을 따르면 참값이 나옵니다."""

import datetime as dt
import re

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from causal_pipeline import command, figures, read_spec, tables
from causal_pipeline.errors import DataError, PipelineError, SpecError, cause
from causal_pipeline.model import Picture
from causal_pipeline.notebook import encoding_cell, reading_cell
from causal_pipeline.spec import parse_spec
from causal_pipeline.values import folded_names
from causal_pipeline.wording import one_query

HEAD = "name: exports\nquestion: 왜?\n"
EXPERIMENT = HEAD + (
    "data: {path: data.csv}\ntreatment: {column: t, kind: binary, randomized: true}\noutcome: {column: y}\n"
    "estimand: ATE\nseed: 1\n"
)
OBSERVED = EXPERIMENT.replace(", randomized: true", "") + "confounders: [x]\ntiming: {x: before}\n"
PANEL = (
    EXPERIMENT.replace(", randomized: true", "").replace("estimand: ATE", "estimand: ATT")
    + "panel: {unit: u, time: w}\n"
)


def rows(n: int = 200, seed: int = 0) -> pd.DataFrame:
    """효과가 2인 실험."""
    rng = np.random.default_rng(seed)
    x, t = rng.normal(50, 10, n).round(3), np.arange(n) % 2
    return pd.DataFrame({"id": np.arange(n), "x": x, "t": t, "y": (2 * t + 0.1 * x + rng.normal(size=n)).round(3)})


def panel(units: int = 24, periods: int = 8, treated: int = 8, begin: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    cells = [(u, w, int(u < treated and w >= begin)) for u in range(units) for w in range(1, periods + 1)]
    frame = pd.DataFrame(cells, columns=["u", "w", "t"])
    return frame.assign(y=(frame["u"] * 0.3 + 2 * frame["t"] + rng.normal(size=len(frame)) + 9).round(3))


def load(folder, frame, text=EXPERIMENT):
    if isinstance(frame, (str, bytes)):
        (folder / "data.csv").write_bytes(frame.encode() if isinstance(frame, str) else frame)
    else:
        frame.to_csv(folder / "data.csv", index=False)
    (folder / "spec.yml").write_text(text, encoding="utf-8")
    return tables.load(read_spec(folder / "spec.yml"))


def stopped(code: str, action, kind=DataError) -> PipelineError:
    """이 이름으로 멈추고, 말과 고치는 법이 한국어이며, 라이브러리의 영어와 교란 요인을 빼라는 말이 없습니다."""
    with pytest.raises(kind) as caught:
        action()
    error = caught.value
    assert error.code == code, error
    said = re.sub("`[^`]*`", "", error.message + error.remedy)
    assert re.search("[가-힣]", error.message) and re.search("[가-힣]", error.remedy)
    assert not re.search(r"(?:\b[A-Za-z]{3,}\b[ ,.:]+){4,}|Error|Traceback", said), said
    assert not re.search("명세에서 '.*' ?[을를] 빼", said), said
    return error


def advised(error: PipelineError, text: str) -> str:
    """고치는 법의 SQL을 그대로 옮겨 적은 명세. 이미 적은 sql이나 table은 지웁니다."""
    sql = re.search("`(sql: .*?)`", error.remedy).group(1)
    return re.sub(r"data: \{path: ([a-z.]+).*\}\n", lambda m: f"data:\n  path: {m[1]}\n  {sql}\n", text)


def by_the_notebook(folder) -> pd.DataFrame:
    """재현 노트북의 첫 두 셀이 만드는 표. 지금의 폴더가 명세의 폴더여야 합니다."""
    spec, space = read_spec(folder / "spec.yml"), {}
    exec(reading_cell(spec, folder) + "\n" + encoding_cell(spec), space)  # noqa: S102
    return space["frame"]


# --- 한 열에 두 일, 쓰이지 않는 이름 ---


@pytest.mark.parametrize(
    ("code", "change", "lines"),
    [
        ("role_conflict", lambda s: s.replace("kind: binary", "kind: binary, cluster: y"), (4, 5)),
        ("role_conflict", lambda s: s.replace("kind: binary", "kind: binary, cluster: t"), (4,)),
        ("role_conflict", lambda s: s + "unit: y\n", (5, 10)),
        ("role_conflict", lambda s: s + "running: {column: y, cutoff: 1}\n", (5, 10)),
        ("labels_unknown", lambda s: s + "labels: {zzz: 지역}\n", ()),
        ("control_conflict", lambda s: s + "negative_controls: {outcomes: [x]}\n", (8, 10)),
        ("control_conflict", lambda s: s + "negative_controls: {outcomes: [n], treatments: [n]}\n", (10,)),
        ("reading_conflict", lambda s: s + "negative_controls: {outcomes: [n]}\ncategories: [n]\n", ()),
        ("randomized_with_cause", lambda s: s.replace("kind: binary", "kind: binary, randomized: true").replace("confounders: [x]\ntiming: {x: before}", "graph:\n  edges:\n    - h -> t\n    - h -> y\n    - t -> y\n  hidden: [h]"), (4, 10)),
        ("spec_edge", lambda s: s.replace("confounders: [x]\ntiming: {x: before}", "graph: {edges: ['t <-> x', x -> y, t -> y]}"), ()),
        ("probability_as_text", lambda s: s.replace("kind: binary", "kind: binary, randomized: true, probability: 50%"), ()),
        ("spec_type", lambda s: s.replace("seed: 1", "seed: 1.0"), ()),
        ("path_unreadable", lambda s: s.replace("data.csv", '"a\\0.csv"'), ()),
        ("path_unreadable", lambda s: s.replace("data.csv", "a" * 300 + ".csv"), ()),
    ],
)  # fmt: skip
def test_what_a_specification_cannot_mean_is_an_error_with_its_lines(code, change, lines):
    error = stopped(code, lambda: parse_spec(change(OBSERVED)), SpecError)
    assert error.line and all(f"{line}번째 줄" in error.message for line in lines), error


def test_categories_of_a_numeric_role_and_numbers_of_words_are_told(tmp_path):
    late = OBSERVED.replace("estimand: ATE", "estimand: LATE").replace(
        "confounders: [x]\ntiming: {x: before}", "instrument: z"
    )
    stopped("reading_conflict", lambda: parse_spec(late + "categories: [z]\n"), SpecError)
    words = rows().assign(x=lambda f: np.where(f["id"] % 3 == 0, "가", "나"))
    stopped("not_numeric", lambda: load(tmp_path, words, OBSERVED + "numbers: [x]\n"))
    unseen = load(tmp_path, rows(), EXPERIMENT.replace("data.csv", "data.csv, blank: [-77]"))
    assert any("'-77'은(는) 읽은 열의 어디에도" in notice for notice in unseen.notices)


def test_the_cause_of_a_file_error_is_korean():
    for number in (36, 2, 20, 5, 9999):
        assert re.search("[가-힣]", cause(OSError(number, "File name too long")))


# --- 낱말과 빈칸 ---


def test_an_arm_named_na_among_numbers_is_an_arm(tmp_path):
    frame = rows().assign(t=lambda f: f["t"].map({0: "NA", 1: "1"}))
    text = EXPERIMENT.replace("kind: binary", "kind: binary, control: NA, treated: 1")
    table = load(tmp_path, frame, text.replace("data.csv", "data.csv, missing: drop"))
    assert table.frame["t"].tolist() == rows()["t"].tolist() and any("'NA' 100개" in n for n in table.notices)


def test_a_blank_that_means_untreated_is_not_dropped(tmp_path):
    frame = rows().assign(t=lambda f: f["t"].map({0: None, 1: "coupon"}))
    text = EXPERIMENT.replace("kind: binary", "kind: binary, control: none, treated: coupon")
    error = stopped("missing_values", lambda: load(tmp_path, frame, text))
    assert "drop" not in error.remedy
    assert load(tmp_path, frame, advised(error, text)).frame["t"].tolist() == rows()["t"].tolist()
    dropped = text.replace("data.csv", "data.csv, missing: drop")
    assert "100행" in stopped("treatment_constant", lambda: load(tmp_path, frame, dropped)).message


def test_words_that_yaml_reads_as_truth_are_told_to_be_quoted(tmp_path):
    frame = rows().assign(t=lambda f: f["t"].map({0: "no", 1: "yes"}))
    bare = EXPERIMENT.replace("kind: binary", "kind: binary, control: no, treated: yes")
    assert "따옴표" in stopped("treatment_level_missing", lambda: load(tmp_path, frame, bare)).remedy
    fixed = bare.replace("control: no, treated: yes", "control: 'no', treated: 'yes'")
    assert load(tmp_path, frame, fixed).frame["t"].sum() == 100


def test_blanks_in_most_rows_are_not_told_to_be_dropped(tmp_path):
    frame = rows().assign(y=lambda f: f["y"].where(f["y"] > f["y"].median()))
    assert "missing: drop" not in stopped("missing_values", lambda: load(tmp_path, frame)).remedy
    merged = rows().assign(t=lambda f: f["t"].where(f["id"] < 2))
    dropped = EXPERIMENT.replace("data.csv", "data.csv, missing: drop")
    assert "198" in stopped("too_few_rows", lambda: load(tmp_path, merged, dropped)).message


# --- 수 ---


@pytest.mark.parametrize(
    ("write", "value"),
    [
        (lambda v: f"{v}kg", lambda v: v),
        (lambda v: f"{v:,}만원", lambda v: v),
        (lambda v: f"{v} 명", lambda v: v),
        (lambda v: f"{v:,}".translate(str.maketrans("0123456789,", "０１２３４５６７８９，")), lambda v: v),
    ],
)
def test_units_and_wide_digits_get_an_sql_that_reads_them(tmp_path, write, value):
    whole = np.random.default_rng(2).integers(1_000, 90_000, 200)
    frame = rows().assign(y=[write(int(v)) for v in whole])
    error = stopped("number_as_text", lambda: load(tmp_path, frame))
    assert load(tmp_path, frame, advised(error, EXPERIMENT)).frame["y"].tolist() == [value(int(v)) for v in whole]


@pytest.mark.parametrize(
    ("code", "column"),
    [
        ("mixed_units", lambda f: [f"{v}K" if i % 2 else f"{v}M" for i, v in enumerate(f["y"])]),
        ("mixed_types", lambda f: [f"{v}" if v > 5 else "<5" for v in f["y"]]),
        ("mixed_types", lambda f: ["원", *f["y"].astype(str)[1:]]),
        ("date_text", lambda f: [f"2024년 {i % 12 + 1}월 3일" for i in f.index]),
        ("time_text", lambda f: [f"{i % 24:02d}:10:00" for i in f.index]),
        ("too_large", lambda f: f["y"] * 1e200),
        ("infinite_values", lambda f: f["y"].where(f["id"] != 3, -np.inf)),
    ],
)
def test_an_outcome_that_is_no_number_is_called_by_its_name(tmp_path, code, column):
    error = stopped(code, lambda: load(tmp_path, rows().assign(y=column)))
    if "<5" in error.message:
        assert "blank" not in error.remedy and "치우" in error.remedy
    if "'원'" in error.message:
        assert "첫 행" in error.remedy


def test_a_confounder_that_decides_the_treatment_is_not_told_to_be_left_out(tmp_path):
    frame = rows().assign(x=lambda f: np.where(f["t"] == 1, "서울", "부산"))
    assert "짝" in stopped("covariate_is_treatment", lambda: load(tmp_path, frame, OBSERVED)).remedy
    mixed = rows().assign(x=lambda f: (f["id"] % 6).astype(object).where(f["id"] % 7 > 0, "미상"))
    assert any("'미상'" in n and "섞여" in n for n in load(tmp_path, mixed, OBSERVED).notices)


def test_probabilities_given_as_weights_are_asked_and_the_inverse_works(tmp_path):
    frame = rows().assign(p=lambda f: 0.1 + 0.2 * (f["id"] % 4))
    text = EXPERIMENT + "weights: {column: p, kind: sampling}\n"
    error = stopped("weights_are_probabilities", lambda: load(tmp_path, frame, text))
    assert load(tmp_path, frame, advised(error, text)).frame["p"].to_numpy() == pytest.approx(1 / frame["p"].to_numpy())
    assert len(load(tmp_path, frame, text + "numbers: [p]\n").frame) == 200
    assert len(load(tmp_path, frame.assign(p=frame["p"] / frame["p"].sum()), text).frame) == 200


# --- 번호와 이름 ---


@pytest.mark.parametrize(
    "name",
    [
        lambda u: f"1234567890123456789012{u:02d}",
        lambda u: ("0" if u >= 12 else "") + str(u % 12 + 1),
        lambda u: f"{u:04d}",
    ],
)
def test_numbers_of_units_are_read_as_they_are_written(tmp_path, name, monkeypatch):
    frame = panel().assign(u=lambda f: [name(u) for u in f["u"]])
    table = load(tmp_path, frame, PANEL)
    assert table.frame["u"].nunique() == 24 and len(table.frame) == 24 * 8
    monkeypatch.chdir(tmp_path)
    assert by_the_notebook(tmp_path)["u"].astype(str).tolist() == table.frame["u"].astype(str).tolist()


def test_numbers_that_lost_their_digits_are_told(tmp_path):
    short = panel().assign(u=lambda f: [f"{1.23e15 + u * 1e12:.2E}" for u in f["u"]])
    stopped("id_rounded", lambda: load(tmp_path, short, PANEL))
    long = panel().assign(u=lambda f: f["u"] + 9.1e15)
    stopped("id_too_long", lambda: tables.from_frame(parse_spec(PANEL), long))


def test_names_that_differ_in_what_cannot_be_seen_are_asked(tmp_path):
    told = folded_names(pd.Series(["쿠폰 A", "쿠폰　ａ", "1 11", "11 1"]))
    assert told[0] == told[1] and told[2] != told[3]
    frame = rows().assign(
        t=lambda f: ["대조" if t == 0 else ["쿠폰 A", "쿠폰A", "쿠폰 Ａ"][i % 3] for i, t in enumerate(f["t"])]
    )
    for kind in ("binary", "multi"):
        text = EXPERIMENT.replace("kind: binary", f"kind: {kind}, control: 대조, treated: 쿠폰a")
        error = stopped("name_spelled_twice", lambda text=text: load(tmp_path, frame, text))
        made = load(tmp_path, frame, advised(error, text)).frame["t"]
        assert (made != (0 if kind == "binary" else "대조")).sum() == 100
    clusters = rows().assign(c=lambda f: ["점포 " + str(i // 20) if i % 2 else "점포" + str(i // 20) for i in f["id"]])
    text = EXPERIMENT.replace("kind: binary", "kind: binary, cluster: c")
    error = stopped("name_spelled_twice", lambda: load(tmp_path, clusters, text))
    assert load(tmp_path, clusters, advised(error, text)).frame["c"].nunique() == 10
    assert load(tmp_path, clusters, text + "categories: [c]\n").frame["c"].nunique() == 20
    shops = panel().assign(
        u=lambda f: [f"강남 {u}호" if w % 2 else f"강남  {u}호" for u, w in zip(f["u"], f["w"], strict=True)]
    )
    error = stopped("unit_spelled_twice", lambda: load(tmp_path, shops, PANEL))
    assert load(tmp_path, shops, advised(error, PANEL)).frame["u"].nunique() == 24
    heirs = panel().assign(u=lambda f: [f"{'a' if u % 2 else 'A'}{u // 2}" for u in f["u"]])
    heirs = heirs[np.where(heirs["u"].isin(["A11", "a11"]), (heirs["w"] < 5) == (heirs["u"] == "A11"), True)]
    error = stopped("unit_spelled_twice", lambda: load(tmp_path, heirs, PANEL))
    told = re.search("`(categories: .*?)`", error.remedy).group(1)
    assert load(tmp_path, heirs, PANEL + told + "\n").frame["u"].nunique() == 24


def test_an_arm_that_the_specification_names_is_no_total(tmp_path):
    frame = rows().assign(t=lambda f: f["t"].map({0: "일부", 1: "전체"}))
    for kind in ("binary", "multi"):
        text = EXPERIMENT.replace("kind: binary", f"kind: {kind}, control: 일부, treated: 전체")
        assert len(load(tmp_path, frame, text).frame) == 200
    other = rows().assign(t=lambda f: np.where(f["id"] % 5 == 0, "전체", f["t"].map({0: "일부", 1: "반"})))
    text = EXPERIMENT.replace("kind: binary", "kind: multi, control: 일부, treated: 반")
    assert "'전체'라는" in stopped("total_name", lambda: load(tmp_path, other, text)).message


@pytest.mark.parametrize(
    "data", ["data.csv, sql: SELECT * FROM data WHERE x > 40 -- 큰 것만", "data.duckdb, table: orders"]
)
def test_advice_keeps_the_sql_and_the_table_that_were_there(tmp_path, data):
    """고치는 SQL이 이미 적은 sql의 거르기를 지우거나, 없는 표를 부르지 않습니다."""
    frame = rows().assign(c=lambda f: [f"점포 {i // 20}호" if i % 2 else f"점포{i // 20}호’" for i in f["id"]])
    frame["c"] = frame["c"].str.replace("’", "").where(frame["id"] > 20, "점포＇0호")
    frame.loc[frame["id"] == 1, "c"] = "점포'0호"
    frame["p"] = 0.1 + 0.2 * (frame["id"] % 4)
    if "duckdb" in data:
        with duckdb.connect(str(tmp_path / "data.duckdb")) as con:
            con.from_df(frame).to_table("orders")
    text = EXPERIMENT.replace("data.csv", data).replace("kind: binary", "kind: binary, cluster: c")
    kept = int((frame["x"] > 40).sum()) if "sql" in data else 200
    error = stopped("name_spelled_twice", lambda: load(tmp_path, frame, text))
    made = load(tmp_path, frame, advised(error, text)).frame
    assert (
        len(made) == kept and made["c"].nunique() == frame["c"].map(lambda v: folded_names(pd.Series([v]))[0]).nunique()
    )
    text = EXPERIMENT.replace("data.csv", data) + "weights: {column: p, kind: sampling}\n"
    error = stopped("weights_are_probabilities", lambda: load(tmp_path, frame, text))
    made = load(tmp_path, frame, advised(error, text)).frame
    assert len(made) == kept and made["p"].min() > 1
    frame["y"] = [f"{v:,}원" for v in (frame["y"] * 1_000).astype(int)]
    if "duckdb" not in data:
        text = EXPERIMENT.replace("data.csv", data)
        error = stopped("number_as_text", lambda: load(tmp_path, frame, text))
        assert len(load(tmp_path, frame, advised(error, text)).frame) == kept


# --- 합계 줄 ---


def test_rows_of_totals_are_asked_in_every_shape(tmp_path):
    frame = panel().assign(u=lambda f: "점포" + f["u"].astype(str))
    each = frame.groupby("w", as_index=False)["y"]
    total, average = (getattr(each, how)().assign(u="본사", t=0) for how in ("sum", "mean"))
    stopped("total_row", lambda: load(tmp_path, pd.concat([frame, total]), PANEL))
    small = panel(units=5, treated=2)  # 합계가 두드러지게 크지 않은 작은 표
    whole = small.groupby("w", as_index=False)["y"].sum().assign(u=99, t=0)
    for extra, what in (
        (pd.concat([frame, average]), "평균"),
        (pd.concat([small.assign(y=small["y"] - 10), whole.assign(y=whole["y"] - 50)]), "합"),
    ):
        assert what in stopped("total_unit", lambda extra=extra: load(tmp_path, extra, PANEL)).message
        assert load(tmp_path, extra, PANEL + "numbers: [y]\n").frame["u"].nunique() in (6, 25)
    named = pd.concat([frame, total.assign(u="총 계", y=1.0)])
    stopped("total_name", lambda: load(tmp_path, named, PANEL))
    load(tmp_path, named, PANEL + "categories: [u]\n")
    arms = pd.concat([rows(), rows().groupby("t", as_index=False).sum()])
    assert "2" in stopped("total_row", lambda: load(tmp_path, arms)).message


def test_ordinary_panels_and_outcomes_of_a_few_values_hold_no_total(tmp_path):
    bought = np.repeat([0, 1, 3], [160, 30, 10])  # 셋씩 산 것과 하나씩 산 것이 모두 서른 개
    bought = np.random.default_rng(0).permutation(bought)
    assert len(load(tmp_path, rows().assign(y=bought)).frame) == 200
    for seed in range(30):
        rng = np.random.default_rng(seed)
        frame = panel(units=6).assign(y=lambda f, rng=rng: rng.lognormal(3, 2, len(f)))
        tables.from_frame(parse_spec(PANEL), frame.assign(t=lambda f: ((f["u"] < 2) & (f["w"] > 4)).astype(int)))


# --- 시점 ---


def test_korean_dates_and_marks_of_never_treated_are_read(tmp_path, monkeypatch):
    text = PANEL.replace("time: w}", "time: w, start: s}")
    for write, never in (
        ("2024년 {}월 1일", None),
        ("2024년 {}월", None),
        ("2024-0{}-01", "1900-01-01"),
        ("2024-0{}-01", "9999-12-31"),
    ):
        frame = panel().assign(
            w=lambda f, write=write: [write.format(w) for w in f["w"]],
            s=lambda f, write=write, never=never: [write.format(5) if u < 8 else never for u in f["u"]],
        )
        table = load(tmp_path, frame, text)
        assert sorted(table.frame["w"].unique()) == list(range(1, 9))
        assert (
            table.frame.groupby("u")["s"].first().tolist()[:8] == [5.0] * 8 and table.frame["s"].isna().sum() == 16 * 8
        )
        monkeypatch.chdir(tmp_path)
        pd.testing.assert_frame_equal(by_the_notebook(tmp_path)[["w", "s"]], table.frame[["w", "s"]], check_dtype=False)
    infinite = panel().assign(s=lambda f: np.where(f["u"] < 8, 5.0, np.inf))
    assert tables.from_frame(parse_spec(text), infinite).frame["s"].isna().sum() == 16 * 8
    worded = panel().assign(s=lambda f: np.where(f["u"] < 8, "5", "해당없음"))
    error = stopped("start_kind", lambda: load(tmp_path, worded, text))
    blank = re.search("`(blank: .*?)`", error.remedy).group(1)
    assert load(tmp_path, worded, text.replace("data.csv", f"data.csv, {blank}")).frame["s"].isna().sum() == 16 * 8


def test_the_order_of_day_and_month_is_asked_when_it_matters(tmp_path):
    days = [dt.date(2024, 1, 5) + dt.timedelta(7 * i) for i in range(8)]
    clear = panel().assign(w=lambda f: [days[w - 1].strftime("%d/%m/%Y") for w in f["w"]])
    either = [
        "02/01/2024",
        "05/01/2024",
        "03/02/2024",
        "07/02/2024",
        "01/03/2024",
        "09/03/2024",
        "04/04/2024",
        "06/04/2024",
    ]
    for frame in (clear, panel().assign(w=lambda f: [either[w - 1] for w in f["w"]])):
        error = stopped("date_order", lambda frame=frame: load(tmp_path, frame, PANEL))
        assert load(tmp_path, frame, advised(error, PANEL)).frame["w"].tolist() == panel()["w"].tolist()
    same = panel().assign(w=lambda f: [f"0{w}/01/2024" for w in f["w"]])
    assert load(tmp_path, same, PANEL).frame["w"].tolist() == panel()["w"].tolist()


def test_times_that_tell_no_period_get_an_sql_that_does(tmp_path):
    words = panel(periods=2, begin=2).assign(w=lambda f: np.where(f["w"] == 1, "전", "후"))
    error = stopped("time_not_ordered", lambda: load(tmp_path, words, PANEL))
    assert load(tmp_path, words, advised(error, PANEL)).frame["w"].tolist() == [1, 2] * 24
    fine = panel().assign(w=lambda f: [f"2024-01-0{w} 09:{u:02d}:00" for u, w in zip(f["u"], f["w"], strict=True)])
    error = stopped("time_too_fine", lambda: load(tmp_path, fine, PANEL))
    assert load(tmp_path, fine, advised(error, PANEL)).frame["w"].tolist() == panel()["w"].tolist()


def test_a_mark_of_the_group_is_no_treatment_in_time(tmp_path):
    frame = panel().assign(t=lambda f: (f["u"] < 8).astype(int), s=lambda f: np.where(f["u"] < 8, 5, np.nan))
    stopped("treatment_never_switches", lambda: load(tmp_path, frame, PANEL))
    text = PANEL.replace("time: w}", "time: w, start: s}")
    error = stopped("treatment_never_switches", lambda: load(tmp_path, frame, text))
    assert load(tmp_path, frame, advised(error, text)).frame["t"].tolist() == panel()["t"].tolist()


def test_a_cluster_that_moves_is_no_cluster():
    text = PANEL.replace("kind: binary", "kind: binary, cluster: c")
    moving = panel().assign(c=lambda f: (f["u"] + f["w"]) % 10)
    error = stopped("cluster_moves", lambda: tables.from_frame(parse_spec(text), moving))
    assert all(f"{line}번째 줄" in error.message for line in (4, 8))
    assert tables.from_frame(parse_spec(text.replace("cluster: c", "cluster: u")), moving).frame["u"].nunique() == 24


# --- 파일 ---


@pytest.mark.parametrize(
    ("code", "write", "said"),
    [
        ("data_binary", lambda s: b"PK\x03\x04" + s.encode(), "엑셀"),
        ("data_binary", lambda s: b"\x1f\x8b\x08" + s.encode(), "gzip"),
        ("data_not_utf8", lambda s: s.encode("utf-16-le"), "UTF-16"),
        ("csv_not_table", lambda s: b"<table><tr><td>1</td></tr></table>", "HTML"),
        ("csv_not_table", lambda s: b'{"id":0,"t":1,"y":2}\n', "JSON"),
        ("csv_not_table", lambda s: b"sep=,\n" + s.encode(), "sep="),
        ("csv_delimiter", lambda s: s.replace(",", ";").replace("x", "x, raw", 1).encode(), "';'"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_csv_is_called_by_its_name(tmp_path, code, write, said):
    assert said in stopped(code, lambda: load(tmp_path, write(rows().to_csv(index=False)))).message


@pytest.mark.parametrize("sql", ["", ', sql: "SELECT t, y FROM data"'])
def test_a_quote_that_swallows_rows_is_seen(tmp_path, sql):
    lines = rows().assign(memo="말").to_csv(index=False).splitlines()
    lines[50], lines[90] = '49,50,1,3,"말', '89,50,1,3,말"'
    text = EXPERIMENT.replace("data.csv", "data.csv" + sql)
    assert "3" in stopped("csv_swallowed", lambda: load(tmp_path, "\n".join(lines), text)).message
    fine = rows().assign(memo='첫 줄\n둘째, "줄"')
    assert len(load(tmp_path, fine, text).frame) == 200
    address = rows().assign(memo="주소\n서울, 강남구, 역삼동, 3층, 왼쪽\n고맙습니다")
    assert len(load(tmp_path, address, text).frame) == 200
    short = rows().to_csv(index=False).splitlines()
    short[9] = "8,50"
    dropped = text.replace("data.csv", "data.csv, missing: drop")
    assert len(load(tmp_path, "\n".join(short), dropped).frame) == 199


@pytest.mark.parametrize(
    "sql",
    ["SELEC t FROM data", "SELECT t, y FROM dta", "SELECT t, z FROM data", "SELECT t, ('a' || y)::INT AS y FROM data", "SELECT t, avg(y) AS y FROM data", "SELECT t, nope(y) AS y FROM data", "SELECT a.t, y FROM data a, data b", "SELECT t, y FROM data WHERE"],
)  # fmt: skip
def test_duckdb_speaks_korean(tmp_path, sql):
    stopped("sql_error", lambda: load(tmp_path, rows(), EXPERIMENT.replace("data.csv", f'data.csv, sql: "{sql}"')))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT t, y FROM data -- 끝",
        "SELECT t, y FROM data; -- 끝",
        "SELECT t, y FROM data WHERE '; --' <> '';",
        "SELECT t, y FROM data;;",
        "SELECT t, y FROM data; -- it's the end",
        "SELECT t, y FROM data /* 끝; */ ; /* 정말 */",
        f"-- 1단계;\\n-- {'-' * 70}\\nSELECT t, y FROM data",
    ],
)
def test_remarks_in_an_sql_are_read(tmp_path, sql):
    """가로줄을 그은 설명에서도 멈추어 서지 않습니다."""
    text = EXPERIMENT.replace("data.csv", f'data.csv, sql: "{sql}"')
    assert len(load(tmp_path, rows(), text).frame) == 200
    assert one_query("SELECT 1; -- 끝") == "SELECT 1"


def test_values_that_no_table_holds_are_told(tmp_path):
    for value in ("'infinity'::DATE", "union_value(num := 2)"):
        text = OBSERVED.replace("data.csv", f'data.csv, sql: "SELECT t, y, {value} AS x FROM data"')
        stopped("nested_values", lambda text=text: load(tmp_path, rows(), text))
    saved = rows().set_index("t")
    saved.to_parquet(tmp_path / "data.parquet")
    (tmp_path / "spec.yml").write_text(EXPERIMENT.replace("data.csv", "data.parquet"), encoding="utf-8")
    assert tables.load(read_spec(tmp_path / "spec.yml")).frame["t"].tolist() == rows()["t"].tolist()
    assert "t" in pq.read_schema(tmp_path / "data.parquet").names and pa.__version__


def test_no_english_warning_is_shown(tmp_path, capsys, monkeypatch):
    """없는 글꼴의 글자(😀)를 그릴 때 matplotlib이 내는 영어 경고."""
    one = {
        "labels": ["😀", "b"],
        "values": [1.0, 2.0],
        "lows": [0.0, 1.0],
        "highs": [2.0, 3.0],
        "unit": "",
        "primary": 0,
    }

    def draw(*_):
        figures.draw(Picture("forest", "😀", "😀", one))
        raise DataError("seen", "그렸습니다.", "없음")

    monkeypatch.setattr("causal_pipeline.command._analyze", draw)
    command.main(["analyze", "spec.yml", "--out", str(tmp_path / "out")])
    assert "Glyph" not in capsys.readouterr().err
