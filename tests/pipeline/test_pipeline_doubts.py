"""읽히기는 하지만 뜻이 다른 값: 조용히 틀리지 않고 묻고, 대답을 적으면 옳은 수가 나옵니다."""

import re
import unicodedata

import numpy as np
import pandas as pd
import pytest

from causal_pipeline import analyze, cutoff, doubts, read_spec, tables
from causal_pipeline.designs.experiment import Experiment
from causal_pipeline.errors import DataError, SpecError
from causal_pipeline.identify import identify
from causal_pipeline.notebook import encoding_cell, reading_cell
from causal_pipeline.report import spec_text
from causal_pipeline.spec import parse_spec

SPEC = """\
name: doubts
question: 왜?
data: {path: data.csv}
treatment: {column: t, kind: binary, randomized: true}
outcome: {column: y}
estimand: ATE
confounders: [x]
timing: {x: before}
seed: 1
"""


def rows(n: int = 300, seed: int = 0) -> pd.DataFrame:
    """효과가 2인 실험. 소수 셋째 자리까지의 공변량과 결과."""
    rng = np.random.default_rng(seed)
    x, t = rng.normal(50, 10, n).round(3), np.arange(n) % 2
    return pd.DataFrame({"t": t, "x": x, "y": (2 * t + 0.1 * x + rng.normal(size=n)).round(3)})


def load(folder, frame, text=SPEC, name="data.csv"):
    if isinstance(frame, bytes):
        (folder / name).write_bytes(frame)
    else:
        frame.to_csv(folder / name, index=False)
    (folder / "spec.yml").write_text(text, encoding="utf-8")
    return tables.load(read_spec(folder / "spec.yml"))


def stopped(code, folder, frame, text=SPEC) -> DataError:
    with pytest.raises(DataError) as caught:
        load(folder, frame, text)
    assert caught.value.code == code, caught.value
    assert re.search("[가-힣]", caught.value.message) and re.search("[가-힣]", caught.value.remedy)
    return caught.value


def effect(table) -> tuple[float, float]:
    """주된 추정값과 표준오차."""
    spec = parse_spec(SPEC)
    e = Experiment(spec, identify(spec, table.frame), table.frame).primary
    return e.value, e.se


# --- 빈칸 대신 적은 수 ---


@pytest.mark.parametrize("value", [-999, 9999, -99, 99999, -9])
@pytest.mark.parametrize("column", ["x", "y"])
def test_a_number_that_stands_for_a_blank_is_asked(tmp_path, value, column):
    frame = rows()
    if value == -9:  # 설문의 무응답
        frame[column] = np.arange(300) * 7 % 5 + 1.0
    frame.loc[frame.index % 15 == 3, column] = value
    said = stopped("sentinel_values", tmp_path, frame)
    assert "20개" in said.message and said.line == (7 if column == "x" else 5)
    blank = re.search("`(blank: .*?)`", said.remedy).group(1)
    table = load(tmp_path, frame, SPEC.replace("data.csv", f"data.csv, missing: drop, {blank}"))
    assert table.frame[column].notna().sum() == 280
    assert any("20개를 빈칸으로 읽었습니다" in n for n in table.notices)
    numbers = re.search("`(numbers: .*?)`", said.remedy).group(1)
    assert (load(tmp_path, frame, SPEC + numbers + "\n").frame[column] == value).sum() == 20


@pytest.mark.parametrize("value", [-999.0, 99999.0])
def test_a_lonely_number_for_a_blank_is_asked(tmp_path, value):
    """한 번뿐이어도 나머지에서 멀리 떨어졌으면 묻습니다. 가까우면 정말 그 수일 수 있어 묻지 않습니다."""
    frame = rows()
    frame["y"] = np.random.default_rng(3).normal(size=len(frame))
    frame.loc[5, "y"] = value
    assert "1개" in stopped("sentinel_values", tmp_path, frame).message
    assert doubts.sentinel_values(np.append(np.arange(400.0), 999.0)) == {}


def test_a_zero_far_from_all_else_is_asked(tmp_path):
    """체온 0도, 사는 사람의 0은 다릅니다: 나머지의 너비 두 배보다 멀 때에만 묻습니다."""
    frame = rows()
    frame["y"] = 36.5 + 0.3 * np.random.default_rng(3).normal(size=len(frame))
    frame.loc[frame.index % 4 == 0, "y"] = 0.0
    said = stopped("sentinel_values", tmp_path, frame)
    assert "0 75개" in said.message and "blank: [0]" in said.remedy
    r = np.random.default_rng(4)
    for usual in (
        r.poisson(3, 500),
        r.lognormal(9, 1, 500) * (r.random(500) < 0.5),
        r.integers(0, 2, 500),
        r.normal(size=500).round(1),
    ):
        assert doubts.sentinel_values(usual.astype(float)) == {}


@pytest.mark.parametrize("seed", range(5))
def test_rows_written_twice_are_asked_even_when_few(tmp_path, seed):
    """한 달을 두 번 붙인 표: 열에 하나만 되풀이되어도 묻습니다. 반올림해 우연히 같은 행은 묻지 않습니다."""
    r = np.random.default_rng(seed)
    x = r.normal(size=600)
    t = (r.random(600) < 1 / (1 + np.exp(-x))).astype(int)
    frame = pd.DataFrame({"x": x.round(3), "t": t, "y": (100 + 5 * t + 3 * x + r.normal(size=600)).round(2)})
    load(tmp_path, frame, SPEC)
    said = stopped("repeated_rows", tmp_path, pd.concat([frame, frame.iloc[:60]]))
    assert re.search(r"6\d개", said.message)
    for coarse in (
        frame.round(1),
        frame.round(0),
        frame.assign(y=np.where(r.random(600) < 0.4, 0.0, frame["y"]), x=frame["x"].round(1)),
    ):
        load(tmp_path, coarse, SPEC + "numbers: [x, y]\n")


def test_words_for_a_blank_may_be_named(tmp_path):
    frame = rows().astype({"x": object})
    frame.loc[frame.index % 15 == 3, "x"] = "모름"
    stopped("mixed_types", tmp_path, frame)
    table = load(tmp_path, frame, SPEC.replace("data.csv", "data.csv, missing: flag, blank: [모름]"))
    assert table.frame["x"].dtype == "float64" and table.frame["x"].isna().sum() == 20


DRAWS = {
    "age": lambda r, n: r.integers(18, 100, n),
    "kids": lambda r, n: r.poisson(1, n),
    "heavy": lambda r, n: r.negative_binomial(1, 0.1, n),
    "won": lambda r, n: np.round(r.lognormal(10, 1.5, n), -2),
    "likert": lambda r, n: r.integers(1, 6, n),
    "change": lambda r, n: r.integers(-15, 16, n),
}


@pytest.mark.parametrize("name", DRAWS)
def test_ordinary_numbers_are_not_asked(name):
    """흔한 수에서는 묻지 않습니다: 무응답 값도, 번호도(굽은 관계에서)."""
    asked = coded = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        v = DRAWS[name](rng, 800).astype(float)
        z = (v - v.mean()) / v.std()
        t = (rng.random(800) < 1 / (1 + np.exp(-np.sin(z)))).astype(float)
        y = t + np.sin(z) + z**2 / 4 + rng.normal(size=800)
        asked += bool(doubts.sentinel_values(v))
        s = pd.Series(v)
        coded += max(doubts.roughness(s, t), doubts.roughness(s, y, t)) < doubts.CODE_LEVEL
    assert asked == coded == 0


# --- 번호 ---


def stores(levels: int, n: int, seed: int = 0) -> pd.DataFrame:
    """가게마다 처치의 몫과 결과가 함께 다른 자료. 가게는 뜻 없는 번호입니다. 참값은 2."""
    rng = np.random.default_rng(seed)
    s, p = rng.integers(0, levels, n), rng.uniform(0.2, 0.8, levels)
    t = (rng.random(n) < p[s]).astype(int)
    return pd.DataFrame({"x": s * 3 + 101, "t": t, "y": 2 * t + 10 * p[s] + rng.normal(size=n)})


OBSERVED = SPEC.replace(", randomized: true", "")


def test_a_code_written_as_a_number_is_asked_and_the_answer_works(tmp_path):
    frame = stores(12, 1500)
    said = stopped("code_as_number", tmp_path, frame, OBSERVED)
    line = re.search("`(categories: .*?)`", said.remedy).group(1)
    table = load(tmp_path, frame, OBSERVED + line + "\n")
    assert isinstance(table.frame["x"].dtype, pd.CategoricalDtype) and table.frame["x"].nunique() == 12
    assert any("범주로 읽었습니다(12가지)" in n for n in table.notices)
    kept = load(tmp_path, frame, OBSERVED + "numbers: [x]\n")
    assert kept.frame["x"].dtype.kind == "i"


def test_hundreds_of_codes_are_refused_with_the_how(tmp_path):
    said = stopped("code_as_number", tmp_path, stores(200, 4000), OBSERVED)
    assert "200가지" in said.message and "묶은" in said.remedy and not re.search("빼(고|세요)", said.remedy)
    named = stopped("too_many_levels", tmp_path, stores(200, 4000), OBSERVED + "categories: [x]\n")
    assert "200가지" in named.message


def test_a_few_valued_number_with_the_name_of_a_code_is_told(tmp_path):
    rng = np.random.default_rng(0)
    frame = rows().assign(x=rng.integers(1, 8, 300))
    assert not any("수로 읽었습니다" in n for n in load(tmp_path, frame).notices)
    text, frame = SPEC.replace("[x]", "[region]").replace("{x:", "{region:"), frame.rename(columns={"x": "region"})
    table = load(tmp_path, frame, text)
    assert any("수로 읽었습니다" in n and "categories: [region]" in n for n in table.notices)
    assert not any("수로 읽었습니다" in n for n in load(tmp_path, frame, text + "numbers: [region]\n").notices)


@pytest.mark.parametrize(
    ("more", "code"),
    [("categories: [region]\n", "reading_unknown"), ("numbers: [z]\n", "reading_unknown"), ("categories: [y]\n", "reading_conflict"), ("categories: [x]\nnumbers: [x]\n", "reading_conflict")],
)  # fmt: skip
def test_names_of_reading_are_names_of_the_specification(more, code):
    with pytest.raises(SpecError) as caught:
        parse_spec(SPEC + more)
    assert caught.value.code == code and caught.value.line >= 10


# --- 자릿수, 합계, 되풀이 ---


def test_a_dot_that_splits_thousands_is_asked(tmp_path):
    rng = np.random.default_rng(0)
    whole = rng.lognormal(7.5, 0.8, 300).round().astype(int)
    frame = rows().assign(y=[f"{v:,}".replace(",", ".") for v in whole])
    said = stopped("dotted_thousands", tmp_path, frame)
    assert "numbers: [y]" in said.remedy
    for seed in range(30):  # 소수 셋째 자리까지 잰 무게에서는 묻지 않습니다
        weights = np.random.default_rng(seed).gamma(3, 5, 300).round(3) + 1
        load(tmp_path, rows().assign(y=weights))


def test_a_row_of_totals_is_asked(tmp_path):
    frame = rows()
    frame.loc[len(frame)] = [1, frame["x"].sum().round(3), frame["y"].sum().round(3)]
    assert "301번째" in stopped("total_row", tmp_path, frame).message


@pytest.mark.parametrize("times", [2, 3])
def test_rows_that_a_join_repeated_are_asked_and_distinct_works(tmp_path, times):
    one = rows()
    said = stopped("repeated_rows", tmp_path, pd.concat([one] * times))
    sql = re.search("`(sql: .*?)`", said.remedy).group(1)
    table = load(tmp_path, pd.concat([one] * times), SPEC.replace("{path: data.csv}", f"\n  path: data.csv\n  {sql}"))
    assert len(table.frame) == len(one.drop_duplicates())
    assert effect(table)[1] == pytest.approx(effect(load(tmp_path, one))[1], rel=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_rows_that_are_equal_by_chance_are_not_asked(tmp_path, seed):
    rng = np.random.default_rng(seed)
    n = 500
    frame = pd.DataFrame({"t": rng.integers(0, 2, n), "x": rng.integers(0, 4, n), "y": rng.integers(0, 2, n)})
    load(tmp_path, frame)
    load(tmp_path, frame.assign(y=rng.poisson(30, n), t=(rng.random(n) < 0.1).astype(int)))
    load(tmp_path, frame.assign(y=rng.integers(0, 400, n)))


# --- 낱말과 단위 ---


def test_units_that_differ_are_not_stripped(tmp_path):
    mixed = [f"{v:.1f}%" if i % 2 else f"{v / 100:.3f}" for i, v in enumerate(rows()["x"])]
    assert "%" in stopped("mixed_units", tmp_path, rows().assign(y=mixed)).message
    money = [f"${v:.1f}" if i % 2 else f"{v * 1300:.0f}원" for i, v in enumerate(rows()["x"])]
    stopped("mixed_units", tmp_path, rows().assign(y=money))


def test_yes_and_no_get_an_sql_that_works(tmp_path):
    frame = rows().assign(y=lambda f: np.where(f["y"] > 6, "Y", "N"))
    said = stopped("not_numeric", tmp_path, frame)
    sql = re.search("`(sql: .*?)`를", said.remedy).group(1)
    table = load(tmp_path, frame, SPEC.replace("{path: data.csv}", f"\n  path: data.csv\n  {sql}"))
    assert table.frame["y"].tolist() == (frame["y"] == "Y").astype(float).tolist()


def test_an_outcome_of_ones_and_twos_is_told(tmp_path):
    found = load(tmp_path, rows().assign(y=lambda f: 1 + (f["y"] > 6)))
    assert any("값이 2인 몫의 변화" in n for n in found.notices)


def test_names_that_differ_in_case_only_are_told(tmp_path):
    frame = rows().assign(x=[["Seoul", "seoul", "Busan"][i % 3] for i in range(300)])
    assert any("대소문자만" in n for n in load(tmp_path, frame).notices)


def test_a_treatment_written_twice_is_seen_in_words_too(tmp_path):
    stopped("covariate_is_treatment", tmp_path, rows().assign(x=lambda f: np.where(f["t"] == 1, "실험", "대조")))


def test_dates_in_mixed_forms_are_dates(tmp_path):
    dates = [f"2026-01-{i % 28 + 1:02d}" if i % 2 else f"{i % 28 + 1:02d}/01/2026" for i in range(300)]
    stopped("date_covariate", tmp_path, rows().assign(x=dates))


# --- 글자와 파일 ---


def test_hangul_in_pieces_is_put_together(tmp_path):
    names = [f"지점{i % 4}" for i in range(300)]
    pieces = [unicodedata.normalize("NFD", v) if i % 2 else v for i, v in enumerate(names)]
    table = load(tmp_path, rows().assign(x=pieces))
    assert table.frame["x"].tolist() == names and not any("앞뒤" in n for n in table.notices)
    text = SPEC.replace("[x]", "[나이]").replace("{x:", "{나이:")
    frame = rows().rename(columns={"x": unicodedata.normalize("NFD", "나이")})
    said = stopped("column_decomposed", tmp_path, frame, text)
    sql = re.search("`(sql: .*?)`를", said.remedy).group(1)
    assert "나이" in load(tmp_path, frame, text.replace("{path: data.csv}", f"\n  path: data.csv\n  {sql}")).frame


@pytest.mark.parametrize(
    ("code", "write", "said"),
    [
        ("csv_delimiter", lambda f: f.to_csv(index=False, sep=";").encode(), "';'"),
        ("csv_delimiter", lambda f: f.to_csv(index=False, sep="\t").encode(), "탭"),
        ("data_not_utf8", lambda f: f.to_csv(index=False).encode("utf-16"), "UTF-16"),
        ("header_missing", lambda f: ("월간 보고,,\n" + f.to_csv(index=False)).encode(), "제목"),
    ],
)
def test_files_of_another_shape_are_called_by_their_name(tmp_path, code, write, said):
    assert said in stopped(code, tmp_path, write(rows())).message


@pytest.mark.parametrize("values", [[[1, 2]], [{"a": 1}], [pd.Timedelta("1D")], [1 + 2j]])
def test_cells_that_hold_no_single_value(values):
    frame = rows().assign(x=pd.Series(values * 300))
    with pytest.raises(DataError) as caught:
        tables.from_frame(parse_spec(SPEC), frame)
    assert caught.value.code == "nested_values"


# --- 엑셀 ---


def excel(path, sheets: dict):
    with pd.ExcelWriter(path, engine="openpyxl") as writer:
        for name, frame in sheets.items():
            frame.to_excel(writer, sheet_name=name, index=False)


EXCEL = SPEC.replace("data.csv", "data.xlsx")


def read_excel(folder, sheets, text=EXCEL):
    excel(folder / "data.xlsx", sheets)
    (folder / "spec.yml").write_text(text, encoding="utf-8")
    return tables.load(read_spec(folder / "spec.yml"))


def test_an_excel_sheet_is_read_as_the_csv_is(tmp_path):
    frame = rows().assign(g=lambda f: [["서울 ", "부산", "NA"][i % 3] for i in range(len(f))])
    text = EXCEL.replace("[x]", "[x, g]")
    got, csv = read_excel(tmp_path, {"매출": frame}, text), load(tmp_path, frame, SPEC.replace("[x]", "[x, g]"))
    pd.testing.assert_frame_equal(got.frame, csv.frame)
    assert got.notices == csv.notices
    query = text.replace("{path: data.xlsx}", '{path: data.xlsx, sql: "SELECT * FROM data WHERE t < 2"}')
    pd.testing.assert_frame_equal(
        read_excel(tmp_path, {"매출": frame}, query).frame, csv.frame, check_column_type=False
    )


def test_a_sheet_of_several_must_be_named(tmp_path):
    sheets = {"표지": pd.DataFrame({"제목": ["보고"]}), "자료": rows()}
    with pytest.raises(DataError) as caught:
        read_excel(tmp_path, sheets)
    assert caught.value.code == "table_not_named" and "'자료'" in caught.value.message
    named = EXCEL.replace("data.xlsx", "data.xlsx, table: 자료")
    assert len(read_excel(tmp_path, sheets, named).frame) == 300
    with pytest.raises(DataError) as caught:
        read_excel(tmp_path, sheets, EXCEL.replace("data.xlsx", "data.xlsx, table: 자뇨"))
    assert caught.value.code == "table_unknown" and "'자료'" in caught.value.remedy


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda f: f.astype({"x": object}).assign(x=lambda g: g["x"].where(g.index != 3, "#DIV/0!")), "missing_values"),
        (lambda f: f.assign(x=[f"{v:,.0f}" for v in f["x"] * 1000]), "number_as_text"),
        (lambda f: f.assign(x=pd.Timestamp("2026-01-05") + pd.to_timedelta(f.index, unit="D")), "date_covariate"),
        (lambda f: pd.concat([pd.DataFrame([f.columns], columns=["월간 보고", " ", "  "]), f.set_axis(["월간 보고", " ", "  "], axis=1)]), "header_missing"),
    ],
)  # fmt: skip
def test_what_excel_writes_is_asked_too(tmp_path, change, code):
    with pytest.raises(DataError) as caught:
        read_excel(tmp_path, {"자료": change(rows())})
    assert caught.value.code == code


def test_an_excel_file_that_is_none(tmp_path):
    (tmp_path / "data.xlsx").write_bytes(b"not a workbook")
    (tmp_path / "spec.yml").write_text(EXCEL, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        tables.load(read_spec(tmp_path / "spec.yml"))
    assert caught.value.code == "xlsx_broken"


def test_the_notebook_reads_excel_too(tmp_path, monkeypatch):
    table = read_excel(tmp_path, {"자료": rows()})
    monkeypatch.chdir(tmp_path)
    spec, space = read_spec(tmp_path / "spec.yml"), {}
    exec(reading_cell(spec, tmp_path) + "\n" + encoding_cell(spec), space)
    pd.testing.assert_frame_equal(space["frame"][table.frame.columns], table.frame, check_dtype=False)


# --- 크기 ---


@pytest.mark.parametrize("scale", [1e9, 1e15, 1e-12])
def test_the_size_of_a_covariate_changes_nothing(scale):
    frame = rows()
    plain, scaled = (
        effect(tables.from_frame(parse_spec(SPEC), f)) for f in (frame, frame.assign(x=frame["x"] * scale))
    )
    assert scaled == pytest.approx(plain, rel=1e-6)


def test_an_outcome_far_from_the_others_lowers_the_grade():
    frame = rows()
    spec = parse_spec(SPEC)
    assert doubts.checks(spec, frame) == []
    found = doubts.checks(spec, frame.assign(y=frame["y"].where(frame.index != 7, 1e7)))
    assert [(c.name, c.cap) for c in found] == [("far_values", "B")]
    for seed in range(40):
        heavy = np.random.default_rng(seed).lognormal(8, 2, 300)
        assert doubts.checks(spec, frame.assign(y=heavy)) == []


# --- 노트북 ---


def test_the_notebook_reads_the_same(tmp_path, monkeypatch):
    frame = rows().assign(g=lambda f: f.index % 3 + 7)
    frame.loc[frame.index % 15 == 3, "x"] = -999
    text = (
        SPEC.replace("data.csv", "data.csv, missing: drop, blank: [-999]").replace("[x]", "[x, g]")
        + "categories: [g]\n"
    )
    table = load(tmp_path, frame, text)
    spec = read_spec(tmp_path / "spec.yml")
    assert parse_spec(spec_text(spec)) == spec
    monkeypatch.chdir(tmp_path)
    space: dict = {}
    exec(reading_cell(spec, tmp_path) + "\n" + encoding_cell(spec), space)
    pd.testing.assert_frame_equal(space["frame"][table.frame.columns], table.frame, check_dtype=False)


# --- 명세와 어긋난 자료: 되는 길까지 따라가 봅니다 ---

CUT = """\
name: cut
question: 효과가 얼마입니까?
data: {path: data.csv}
treatment: {column: t, kind: binary}
outcome: {column: y, unit: 원}
estimand: LATE
running: {column: s, cutoff: 60}
seed: 1
"""


def scores(rule) -> pd.DataFrame:
    r = np.random.default_rng(0)
    s = r.integers(0, 101, 3000).astype(float)
    t = rule(s).astype(int)
    return pd.DataFrame({"s": s, "t": t, "y": (50 + 0.1 * s + 4 * t + 3 * r.normal(size=3000)).round(2)})


def test_a_cutoff_that_belongs_to_the_lower_side_is_told(tmp_path):
    """'60점을 넘으면'을 60으로 적으면 60점인 사람이 어긋난 사람처럼 셈에 들어와 효과가 5.0이 되었습니다(참값 4)."""
    frame = scores(lambda s: s > 60)
    frame.to_csv(tmp_path / "data.csv", index=False)
    (tmp_path / "spec.yml").write_text(CUT, encoding="utf-8")
    with pytest.raises(DataError, match="아래쪽처럼") as told:
        analyze(tmp_path / "spec.yml")
    assert told.value.code == "cutoff_belongs_below"
    better = re.search("`(cutoff: 61)`", told.value.remedy).group(1)
    (tmp_path / "spec.yml").write_text(CUT.replace("cutoff: 60", better), encoding="utf-8")
    found = analyze(tmp_path / "spec.yml").primary
    assert found.low < 4 < found.high


@pytest.mark.parametrize("wrong", [40, 80])
def test_a_cutoff_where_nothing_changes_is_told_with_where_it_does(tmp_path, wrong):
    scores(lambda s: s >= 60).to_csv(tmp_path / "data.csv", index=False)
    (tmp_path / "spec.yml").write_text(CUT.replace("cutoff: 60", f"cutoff: {wrong}"), encoding="utf-8")
    with pytest.raises(DataError, match="처치가 달라지지 않습니다") as told:
        analyze(tmp_path / "spec.yml")
    assert told.value.code == "cutoff_without_jump" and "값은 60입니다" in told.value.remedy


@pytest.mark.parametrize("share", [0.02, 0.05, 0.2])
def test_few_who_take_it_up_are_no_wrong_cutoff(share):
    """임곗값을 넘어도 받는 사람이 드물면 가까운 쪽에 받은 사람이 없을 수 있습니다. 임곗값이 틀렸다고 하지 않습니다."""
    spec, said = parse_spec(CUT), 0
    for seed in range(200):
        r = np.random.default_rng(seed)
        s = r.uniform(0, 100, 3000)
        treated = (s >= 60) & (r.random(3000) < share)
        try:
            cutoff.moves_at(spec, s, treated, 60)
        except DataError:
            said += 1
    assert said <= 1
    with pytest.raises(DataError, match="처치가 달라지지 않습니다"):
        cutoff.moves_at(spec, s, (s >= 60) & (r.random(3000) < 0.3), 45)


def test_an_instrument_that_is_the_treatment_is_told(tmp_path):
    r = np.random.default_rng(0)
    t = r.integers(0, 2, 800)
    frame = pd.DataFrame({"z": np.where(t, "메일", "없음"), "t": t, "y": 3 * t + r.normal(size=800)})
    frame.to_csv(tmp_path / "data.csv", index=False)
    text = CUT.replace("running: {column: s, cutoff: 60}", "instrument: z")
    (tmp_path / "spec.yml").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="똑같이 움직입니다") as told:
        analyze(tmp_path / "spec.yml")
    assert told.value.code == "instrument_is_treatment"
    plain = text.replace("instrument: z\n", "").replace("kind: binary", "kind: binary, randomized: true")
    (tmp_path / "spec.yml").write_text(plain.replace("LATE", "ATE"), encoding="utf-8")
    found = analyze(tmp_path / "spec.yml").primary
    assert found.low < 3 < found.high


def test_a_unit_written_in_two_ways_is_told_and_the_query_joins_it(tmp_path):
    r = np.random.default_rng(0)
    unit, week = np.repeat(np.arange(40), 10), np.tile(np.arange(1, 11), 40)
    t = ((unit < 15) & (week >= 6)).astype(int)
    y = r.normal(size=40)[unit] + 0.3 * week + 2 * t + r.normal(size=400)
    name = [f"SHOP{u}" if w > 5 and u % 2 else f"Shop{u}" for u, w in zip(unit, week, strict=True)]
    frame = pd.DataFrame({"unit": name, "week": week, "t": t, "y": y})
    frame.to_csv(tmp_path / "data.csv", index=False)
    text = CUT.replace("running: {column: s, cutoff: 60}", "panel: {unit: unit, time: week}").replace("LATE", "ATT")
    (tmp_path / "spec.yml").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="두 가지로 적은") as told:
        analyze(tmp_path / "spec.yml")
    assert "20개" in told.value.message
    query = re.search("`(sql: .*?)`", told.value.remedy).group(1)
    (tmp_path / "spec.yml").write_text(text.replace("data.csv}", f"data.csv, {query}}}"), encoding="utf-8")
    found = analyze(tmp_path / "spec.yml").primary
    assert found.low < 2 < found.high
    both = frame.assign(
        unit=[f"shop{u}" if u % 2 else f"SHOP{u - u % 2 + 1}" for u in unit]
    )  # 같은 시점에 함께 있습니다
    both.to_csv(tmp_path / "data.csv", index=False)
    (tmp_path / "spec.yml").write_text(text, encoding="utf-8")
    assert np.isfinite(analyze(tmp_path / "spec.yml").primary.value)


def test_yes_and_on_are_told_without_guessing_what_was_written(tmp_path):
    (tmp_path / "spec.yml").write_text(CUT.replace("column: t,", "column: on,"), encoding="utf-8")
    with pytest.raises(SpecError) as told:
        analyze(tmp_path / "spec.yml")
    assert '"yes"' not in told.value.remedy and "따옴표로 감싸세요. YAML은 on" in told.value.remedy


@pytest.mark.parametrize("form", ["2024-W{0:02d}", "2024Q{1}", "{0}주차", "week{0}"])
def test_periods_written_as_words_are_told_with_a_query_that_orders_them(tmp_path, form):
    r = np.random.default_rng(0)
    unit, week = np.repeat(np.arange(40), 4 if "Q" in form else 12), np.tile(np.arange(1, 5 if "Q" in form else 13), 40)
    last = week.max()
    start = np.where(unit < 15, last - 1, 0)
    t = ((start > 0) & (week >= start)).astype(int)
    y = r.normal(size=40)[unit] + 0.3 * week + 2 * t + 0.5 * r.normal(size=len(unit))
    words = {k: form.format(k, k) for k in range(1, last + 1)}
    frame = pd.DataFrame(
        {"unit": unit, "week": [words[k] for k in week], "start": [words.get(k) for k in start], "t": t, "y": y}
    )
    frame.to_csv(tmp_path / "data.csv", index=False)
    text = CUT.replace("running: {column: s, cutoff: 60}", "panel: {unit: unit, time: week, start: start}").replace(
        "LATE", "ATT"
    )
    (tmp_path / "spec.yml").write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as told:
        analyze(tmp_path / "spec.yml")
    assert told.value.code == "time_not_ordered"
    query = re.search("`(sql: .*)`", told.value.remedy).group(1)
    (tmp_path / "spec.yml").write_text(
        text.replace("data: {path: data.csv}", f"data:\n  path: data.csv\n  {query}"), encoding="utf-8"
    )
    found = analyze(tmp_path / "spec.yml").primary
    assert found.low < 2 < found.high
