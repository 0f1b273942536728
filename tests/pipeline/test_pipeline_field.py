"""현장의 자료: 조용히 틀린 답, 영어, 추적, 따르면 나빠지는 조언이 없습니다. 시험마다 한 부류를 작은 자료로 봅니다."""

import re

import numpy as np
import pandas as pd
import pytest

from causal_pipeline import analyze, checks, designs, learners, read_spec, tables
from causal_pipeline.designs.difference_in_differences import cell_effect
from causal_pipeline.designs.discontinuity import mass_point_jump, support_points
from causal_pipeline.errors import DataError, PipelineError, SpecError
from causal_pipeline.identify import identify
from causal_pipeline.shown import matched_levels, plain_values
from causal_pipeline.spec import parse_spec
from causal_pipeline.wording import names, number, suggest, visible

BASE = """\
name: field
question: 효과가 얼마입니까?
data: {path: data.csv}
treatment: {column: t, kind: binary}
outcome: {column: y}
estimand: ATE
confounders: [x]
timing: {x: before}
seed: 1
"""


def rows(n=120, seed=0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    t = (x + rng.normal(size=n) > 0).astype(int)
    return pd.DataFrame({"x": x.round(3), "t": t, "y": (t + x + rng.normal(size=n)).round(3)})


def put(folder, text, frame):
    (folder / "spec.yml").write_text(text, encoding="utf-8")
    frame.to_csv(folder / "data.csv", index=False)
    return read_spec(folder / "spec.yml")


def refused(kind, code, action) -> PipelineError:
    with pytest.raises(kind) as caught:
        action()
    assert caught.value.code == code, caught.value
    text = caught.value.message + caught.value.remedy
    assert re.search("[가-힣]", caught.value.message) and re.search("[가-힣]", caught.value.remedy)
    assert not re.search(r"Error|Traceback|expected|invalid", text), text
    return caught.value


# --- 빈칸으로 읽히는 낱말 ---


@pytest.mark.parametrize("word", ["NA", "None", "null", "-", "N/A", "nan"])
def test_a_word_among_names_is_a_name_and_is_counted(tmp_path, word):
    frame = rows().assign(region=lambda f: np.where(f.index % 3 == 0, word, "EU"))
    spec = put(tmp_path, BASE.replace("[x]", "[x, region]").replace("{path: data.csv}", "{path: data.csv, missing: drop}"), frame)
    table = tables.load(spec)
    assert len(table.frame) == 120 and (table.frame["region"] == word).sum() == 40
    assert any(f"'region'의 '{word}' 40개를 빈칸이 아니라 값으로" in n for n in table.notices)


@pytest.mark.parametrize("word", ["NA", "None", "-", "#N/A", " "])
def test_a_word_among_numbers_is_a_blank_that_is_shown(tmp_path, word):
    frame = rows().assign(x=lambda f: f["x"].astype(object).where(f.index % 4 != 0, word))
    said = refused(DataError, "missing_values", lambda: tables.load(put(tmp_path, BASE, frame)))
    assert f"'{visible(word)}' 30개" in said.message
    table = tables.load(put(tmp_path, BASE.replace("{path: data.csv}", "{path: data.csv, missing: drop}"), frame))
    assert len(table.frame) == 90 and table.frame["x"].dtype.kind == "f"
    assert any(f"'{visible(word)}' 30개를 빈칸으로" in n for n in table.notices) and any("30행을 뺐습니다" in n for n in table.notices)


def test_an_arm_named_none_is_an_arm(tmp_path):
    frame = rows().assign(t=lambda f: f["t"].map({0: "None", 1: "coupon"}))
    spec = put(tmp_path, BASE.replace("kind: binary", "kind: binary, control: None, treated: coupon"), frame)
    assert tables.load(spec).frame["t"].value_counts().to_dict() == rows()["t"].value_counts().to_dict()


def test_truth_values_dates_and_decimals_are_read():
    from decimal import Decimal

    read, words, kept, _ = plain_values(pd.Series(["True", "False", "NA"], dtype=object))
    assert read.tolist() == [True, False, None] and words == {"NA": 1} and kept == {}
    read, words, kept, _ = plain_values(pd.Series(["2026-01-01", "null"], dtype=object))
    assert read.isna().tolist() == [False, True] and words == {"null": 1}
    read = plain_values(pd.Series([Decimal("3"), Decimal("14")], dtype=object))[0]
    assert read.dtype == "int64" and read.tolist() == [3, 14]
    read = plain_values(pd.Series([Decimal("1.5"), None], dtype=object))[0]
    assert read.dtype == "float64" and read[0] == 1.5 and np.isnan(read[1])
    same = pd.Series([1.0, np.nan])
    assert plain_values(same)[0] is same


@pytest.mark.parametrize("sum_of", ["SUM(q)", "SUM(q)::HUGEINT", "SUM(q)::DECIMAL(12,2)", "AVG(q)"])
def test_numbers_that_sql_makes_are_numbers(tmp_path, sum_of):
    frame = pd.DataFrame({"k": np.arange(240) // 4, "t": np.arange(240) // 4 % 2, "q": np.arange(240) % 7})
    text = BASE.replace("{path: data.csv}", f'{{path: data.csv, sql: "SELECT k, t, {sum_of} AS y FROM data GROUP BY 1, 2"}}')
    spec = put(tmp_path, text.replace("kind: binary", "kind: binary, randomized: true").replace("confounders: [x]\ntiming: {x: before}\n", ""), frame)
    assert tables.load(spec).frame["y"].dtype == "float64"


# --- 글자로 적힌 수: 오류의 SQL을 그대로 옮겨 적으면 됩니다 ---

WRITTEN = {
    "thousands": (lambda v: f"{v:,}", lambda v: v),
    "won": (lambda v: f"{v:,}원", lambda v: v),
    "sign": (lambda v: f"₩{v:,}", lambda v: v),
    "dollar": (lambda v: f"$ {v:,}.50", lambda v: v + 0.5),
    "brackets": (lambda v: f"({v:,})", lambda v: -v),
    "minus": (lambda v: f"−{v}", lambda v: -v),
    "percent": (lambda v: f"{v}%", lambda v: v),
    "decimal_comma": (lambda v: f"{v},25", lambda v: v + 0.25),
}


@pytest.mark.parametrize("role", ["confounder", "outcome"])
@pytest.mark.parametrize("name", WRITTEN)
def test_the_sql_of_the_remedy_reads_the_numbers(tmp_path, name, role):
    write, value = WRITTEN[name]
    whole = np.random.default_rng(3).integers(1_000, 9_000_000, 120)
    column = "x" if role == "confounder" else "y"
    frame = rows().assign(**{column: [write(int(v)) for v in whole]})
    said = refused(DataError, "number_as_text", lambda: tables.load(put(tmp_path, BASE, frame)))
    assert said.line and "빼세요" not in said.remedy and "빼고" not in said.remedy
    sql = re.search("`(sql: .*?)`[.]", said.remedy).group(1)
    fixed = tables.load(put(tmp_path, BASE.replace("data: {path: data.csv}", f"data:\n  path: data.csv\n  {sql}"), frame))
    assert fixed.frame[column].tolist() == [value(int(v)) for v in whole]


def test_a_table_and_an_sql_get_their_own_remedy(tmp_path):
    frame = rows().assign(x=[f"{v:,}" for v in np.arange(5_000, 5_120)])
    text = BASE.replace("{path: data.csv}", '{path: data.csv, sql: "SELECT * FROM data WHERE y > -100;"}')
    said = refused(DataError, "number_as_text", lambda: tables.load(put(tmp_path, text, frame)))
    sql = re.search("`(sql: .*?)`[.]", said.remedy).group(1)
    assert tables.load(put(tmp_path, BASE.replace("{path: data.csv}", "\n  path: data.csv\n  " + sql), frame)).frame["x"].tolist() == list(range(5_000, 5_120))


def test_advice_never_says_to_leave_a_confounder_out(tmp_path):
    many = rows().assign(x=[f"손님 {i}" for i in range(120)])
    for frame in (many, many.assign(x=[f"{i},{i}호" for i in range(120)])):
        said = refused(DataError, "too_many_levels", lambda frame=frame: tables.load(put(tmp_path, BASE, frame)))
        assert not re.search("빼(고|세요)|낮추", said.remedy)


# --- 보이지 않는 글자 ---


def test_spaces_that_cannot_be_seen_are_shown(tmp_path):
    assert names(["a ", "\u00a0b", "c\u200b", "d e"]) == "'a␣', '␣b', 'c␣', 'd e'"
    assert "␣는" in suggest("price", ["price "]) and "␣" not in suggest("price", ["prices"])
    said = refused(DataError, "column_unknown", lambda: tables.load(put(tmp_path, BASE, rows().rename(columns={"x": "x "}))))
    assert "'x␣'" in said.remedy
    assert len(tables.load(put(tmp_path, BASE.replace("[x]", '["x "]').replace("{x:", '{"x ":'), rows().rename(columns={"x": "x "}))).frame) == 120


def test_a_name_with_a_space_behind_it_is_one_name(tmp_path):
    frame = rows().assign(shop=lambda f: [f"S{i % 8}{' ' if i % 3 == 0 else ''}" for i in f.index], t=lambda f: f["t"].map({0: "A", 1: "B "}))
    spec = put(tmp_path, BASE.replace("kind: binary", "kind: binary, control: A, treated: B, cluster: shop"), frame)
    table = tables.load(spec)
    assert table.frame["shop"].nunique() == 8 and set(table.frame["t"]) == {0, 1}
    assert any("'shop'의 글자 40개에서 앞뒤의 빈칸을" in n for n in table.notices)


# --- 군집 ---


@pytest.mark.parametrize("groups", [2, 4, 5])
def test_few_clusters_are_refused_with_how_many_are_needed(groups):
    frame = pd.DataFrame({"shop": np.repeat(range(groups), 30), "t": np.repeat(np.arange(groups) % 2, 30), "y": np.random.default_rng(0).normal(size=groups * 30)})
    text = BASE.replace("kind: binary", "kind: binary, randomized: true, cluster: shop").replace("confounders: [x]\ntiming: {x: before}\n", "")
    said = refused(DataError, "too_few_clusters", lambda: tables.from_frame(parse_spec(text), frame))
    assert "6개" in said.message and said.line == 4 and "지우지" in said.remedy


@pytest.mark.parametrize(("treated", "fine"), [(1, False), (2, False), (3, True)])
def test_the_smallest_number_of_clusters_runs(treated, fine):
    shop = np.repeat(np.arange(6), 20)
    frame = pd.DataFrame({"shop": shop, "t": (shop < treated).astype(int), "y": np.random.default_rng(0).normal(size=120)})
    spec = parse_spec(BASE.replace("kind: binary", "kind: binary, randomized: true, cluster: shop").replace("confounders: [x]\ntiming: {x: before}\n", ""))
    if fine:
        found = analyze(spec, frame=frame)
        assert np.isfinite([e.se for e in found.estimates]).all() and found.grade.letter != "A"
    else:
        assert "3개" in refused(DataError, "too_few_clusters", lambda: tables.from_frame(spec, frame)).message


@pytest.mark.parametrize("name", ["S{:02d}", "{}"])
def test_a_cluster_that_is_a_confounder_stays_a_category(name):
    rng = np.random.default_rng(1)
    s = rng.integers(0, 8, 800)
    p = np.array([0.2, 0.7, 0.35, 0.8, 0.5, 0.25, 0.75, 0.4])[s]
    t = (rng.random(800) < p).astype(int)
    frame = pd.DataFrame({"shop": [name.format(v) for v in s], "t": t, "y": 2 * t + 10 * p + rng.normal(size=800)})
    if name == "{}":
        frame["shop"] = frame["shop"].astype(int)
    spec = parse_spec(BASE.replace("kind: binary", "kind: binary, cluster: shop").replace("[x]", "[shop]").replace("{x:", "{shop:"))
    made = tables.from_frame(spec, frame).frame
    assert isinstance(made["shop"].dtype, pd.CategoricalDtype) and made["shop"].nunique() == 8
    kind = designs.get("adjustment")
    design = kind(spec, identify(spec, made), made)
    assert abs(design.primary.value - 2.0) < 0.4  # 번호로 보정하면 4를 넘습니다


# --- 패널의 꼴 ---


def panel(units=30, periods=6, treated=10, begin=4, seed=0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    found = pd.DataFrame([(u, w, int(u < treated and w >= begin)) for u in range(units) for w in range(1, periods + 1)], columns=["u", "w", "t"])
    return found.assign(y=lambda f: 0.3 * f["u"] + 0.2 * f["w"] + f["t"] + rng.normal(0, 0.3, len(f)))


PANEL = BASE.replace("confounders: [x]\ntiming: {x: before}\n", "panel: {unit: u, time: w}\n").replace("estimand: ATE", "estimand: ATT")


@pytest.mark.parametrize("never", [0, 9999, -1])
def test_never_treated_may_be_coded_and_it_is_said(never):
    spec = parse_spec(PANEL.replace("time: w}", "time: w, start: s}"))
    frame = panel().assign(s=lambda f: np.where(f["u"] < 10, 4, never))
    table = tables.from_frame(spec, frame)
    assert table.frame.groupby("u")["s"].first().isna().sum() == 20
    assert any(f"'s'이(가) {never}인 단위 20개는" in n for n in table.notices)
    one = panel(treated=1).assign(s=lambda f: np.where(f["u"] < 1, 4, never))
    assert identify(spec, tables.from_frame(spec, one).frame).design == "synthetic_control"


def test_a_start_that_contradicts_the_treatment_is_not_called_never():
    frame = panel().assign(s=lambda f: np.where(f["u"] < 9, 4, 2))
    said = refused(DataError, "start_contradicts", lambda: tables.from_frame(parse_spec(PANEL.replace("time: w}", "time: w, start: s}")), frame))
    assert "비우세요" in said.remedy


@pytest.mark.parametrize("zones", [("+09:00", "-05:00"), ("Z", "+09:00"), ("", "+09:00")])
def test_mixed_time_zones_are_told_with_their_numbers(zones):
    frame = panel().assign(w=lambda f: [f"2026-01-{w:02d}T00:00:00{zones[u % 2]}" for u, w in zip(f["u"], f["w"], strict=True)])
    said = refused(DataError, "mixed_time_zones", lambda: tables.from_frame(parse_spec(PANEL), frame))
    assert "90개" in said.message and said.line


def test_one_time_zone_is_read():
    frame = panel().assign(w=lambda f: [f"2026-01-{w:02d}T00:00:00+09:00" for w in f["w"]])
    assert tables.from_frame(parse_spec(PANEL), frame).frame["w"].unique().tolist() == [1, 2, 3, 4, 5, 6]


def test_different_people_each_year_are_called_by_their_name():
    k = np.arange(400)
    frame = pd.DataFrame({"id": k, "city": k % 5, "year": 2020 + k // 5 % 4}).assign(t=lambda f: ((f["city"] < 2) & (f["year"] >= 2022)).astype(int))
    frame["y"] = frame["city"] + 2 * frame["t"] + np.random.default_rng(0).normal(size=400)
    text = PANEL.replace("panel: {unit: u, time: w}", "panel: {unit: id, time: year}")
    said = refused(DataError, "repeated_cross_sections", lambda: tables.from_frame(parse_spec(text), frame))
    written = re.search("`(cross_sections: .*?)`", said.remedy).group(1).replace("집단", "city")
    followed = parse_spec(text.replace("panel: {unit: id, time: year}", written))
    assert identify(followed, tables.from_frame(followed, frame).frame).design == "repeated_cross_sections"


def test_a_small_cohort_is_adjusted_by_the_controls_regression():
    """처치받은 여섯 곳의 공변량이 다르면, 대조군에서 맞춘 회귀로 뺀 것이 답입니다(손으로 센 값)."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=46) + 1.5 * (np.arange(46) < 6)
    treated = np.arange(46) < 6
    change = 1 + 3 * x + 2 * treated + rng.normal(0, 0.1, 46)
    value, influence = cell_effect(change, treated, ~treated, x[:, None])
    slope, level = np.polyfit(x[~treated], change[~treated], 1)
    assert value == pytest.approx((change[treated] - level - slope * x[treated]).mean())
    assert abs(value - 2) < 0.2 and abs(influence.mean()) < 1e-9
    plain = cell_effect(change, treated, ~treated, x[:, None][:, :0])
    assert plain[0] == pytest.approx(change[treated].mean() - change[~treated].mean()) and plain[0] > 5


def test_covariates_that_could_not_be_used_lower_the_grade():
    few = panel(units=9, treated=4).assign(x=lambda f: np.sin(f["u"]), z=lambda f: np.cos(f["u"]))
    text = PANEL + "confounders: [x, z]\n"
    found = analyze(parse_spec(text), frame=few)
    check = next(c for c in found.checks if c.name == "unused_covariates")
    assert check.status == "fail" and found.grade.letter == "C" and "'x', 'z'" in check.message
    enough = tables.from_frame(parse_spec(text), panel().assign(x=lambda f: np.sin(f["u"]), z=lambda f: np.cos(f["u"]))).frame
    spec = parse_spec(text)
    assert "unused_covariates" not in {c.name for c in designs.get("difference_in_differences")(spec, identify(spec, enough), enough).check()}


# --- 눈금이 있는 배정변수 ---

DRAWS = {
    "ages": (lambda r: r.integers(50, 81, 1500), 65),
    "scores": (lambda r: np.clip(np.round(r.normal(60, 15, 1500)), 0, 100), 60),
    "tens": (lambda r: np.round(r.normal(500, 100, 1500), -1), 500),
    "hundreds": (lambda r: np.round(r.lognormal(8, 0.5, 1500), -2), 3000),
}


@pytest.mark.parametrize("name", DRAWS)
def test_a_rounded_score_is_no_manipulation(name):
    draw, cutoff = DRAWS[name]
    p = []
    for seed in range(60):
        raw = draw(np.random.default_rng(seed)).astype(float)
        p.append(mass_point_jump(*support_points(raw), raw >= cutoff)[1])
    assert np.mean(np.array(p) < 0.05) <= 0.12  # 400번에서 3~5%. 60번에서 12%를 넘을 확률은 1%입니다


def test_manipulation_of_a_rounded_score_is_seen_from_both_sides():
    rng = np.random.default_rng(0)
    raw = np.round(rng.normal(60, 15, 2000))
    moved = (raw >= 55) & (raw < 60) & (rng.random(2000) < 0.4)
    raw[moved] = 60 + rng.integers(0, 5, moved.sum())
    up, p = mass_point_jump(*support_points(raw), raw >= 60)
    down, q = mass_point_jump(*support_points(raw), raw < 60)
    assert p < 0.001 and p == pytest.approx(q) and up > 0 and down == pytest.approx(-up)
    assert support_points(rng.normal(size=500)) is None


# --- 위약이 완벽히 맞을 때와 아주 작은 수 ---


def test_placebos_that_fit_perfectly_do_not_blow_up():
    """견줄 대상이 시점보다 많으면 위약의 처치 앞 오차가 0이 됩니다. 구간은 결과의 크기를 벗어나지 않습니다."""
    rng = np.random.default_rng(2)
    frame = panel(units=41, periods=7, treated=1, begin=5).assign(y=lambda f: 3 * f["t"] + rng.normal(size=len(f)))
    spec = parse_spec(PANEL)
    found = analyze(spec, frame=frame)
    assert found.identification.design == "synthetic_control"
    spread = frame["y"].max() - frame["y"].min()
    for e in found.estimates:
        assert abs(e.low) < 10 * spread and abs(e.high) < 10 * spread, e.method
    text = " ".join([*(c.message for c in found.checks), *(s.message for s in found.sensitivities)])
    assert not re.search(r"\d{7,}|\d{1,3}(,\d{3}){2,}|0\.0000000", text)


@pytest.mark.parametrize("value", [1e-12, -3.2e-9, 5e-300, 0.0, 1e-7, 123.4, -1e9])
@pytest.mark.parametrize("se", [None, 1e-13, 1e-8, 0.5])
def test_no_number_is_a_row_of_zeros(value, se):
    for signed in (False, True):
        assert "0.000000" not in number(value, se, signed)
    assert number(1.234e-12) == "1.23×10⁻¹²" and number(-3.2e-9) == "−3.20×10⁻⁹" and number(0.0, 1e-12) == "0"


# --- 수준의 꼴 ---


@pytest.mark.parametrize(("data", "control", "treated"), [([0, 1, 2], '"0"', '"2"'), (["0", "1", "2"], "0", "2"), ([True, False, True], "false", "true")])
def test_levels_as_text_and_as_numbers_are_the_same(data, control, treated):
    frame = rows(150).assign(t=[data[i % 3] for i in range(150)])
    spec = parse_spec(BASE.replace("kind: binary", f"kind: multi, control: {control}, treated: {treated}"))
    made = tables.from_frame(spec, frame).frame
    found = identify(spec, made)
    design = designs.get(found.design)(spec, found, made)
    assert (design.fit.a.sum(), design.fit.b.sum()) == ((50, 50) if len(set(data)) == 3 else (100, 50))
    assert matched_levels(pd.Series([0, 1]), [0, 1]).tolist() == [0, 1]


# --- 넓은 자료 ---


def test_the_share_of_each_of_many_columns_is_the_refitted_one(monkeypatch):
    rng = np.random.default_rng(0)
    X = np.column_stack([np.ones(200), rng.normal(size=(200, 6))])
    y = X @ rng.normal(size=7) + rng.normal(size=200)
    groups = {"a": [1], "b": [2, 3], "c": [6]}
    slow = checks.partial_r2s(y, X, groups)
    monkeypatch.setattr(checks, "MANY_COLUMNS", 3)
    assert checks.partial_r2s(y, X, groups) == pytest.approx(slow)


def test_more_columns_than_can_be_counted_stop_at_once(monkeypatch):
    rng = np.random.default_rng(0)
    columns = [f"x{i}" for i in range(201)]
    frame = pd.DataFrame(rng.normal(size=(300, 201)), columns=columns).assign(t=np.arange(300) % 2, y=rng.normal(size=300))
    spec = parse_spec(BASE.replace("[x]", f"[{', '.join(columns)}]").replace("timing: {x: before}\n", ""))
    monkeypatch.setattr(learners, "choose", lambda *_: pytest.fail("세기 전에 멈춰야 합니다"))
    said = refused(DataError, "too_many_covariates", lambda: analyze(spec, frame=frame))
    assert "201개" in said.message and "200개" in said.message and said.line == 7 and "graph" in said.remedy and "빼" not in said.remedy
    graph = parse_spec(BASE.replace("confounders: [x]\ntiming: {x: before}", "graph: {edges: [x0 -> t, x0 -> y, t -> y]}"))
    made = tables.from_frame(graph, frame).frame
    assert identify(graph, made).adjustment == ("x0",)


# --- 어긋나는 이름 ---

CONTRADICTIONS = [
    ("randomized_with_field", "kind: binary", "kind: binary, randomized: true", "instrument: z\n", ("treatment.randomized(4번째 줄)", "instrument(10번째 줄)")),
    ("randomized_with_field", "kind: binary", "kind: binary, randomized: true", "panel: {unit: u, time: w}\n", ("treatment.randomized(4번째 줄)", "panel(10번째 줄)")),
    ("randomized_with_field", "kind: binary", "kind: binary, randomized: true", "running: {column: r, cutoff: 1}\n", ("running(10번째 줄)",)),
    ("randomized_with_field", "kind: binary", "kind: binary, randomized: true", "cross_sections: {group: u, time: w}\n", ("cross_sections(10번째 줄)",)),
    ("sample_breaks_panel", "{path: data.csv}", "{path: data.csv, sample: 50}", "panel: {unit: u, time: w}\n", ("data.sample(3번째 줄)", "panel(10번째 줄)")),
    ("role_twice", "[x]", "[x, w]", "panel: {unit: u, time: w}\n", ("confounders(7번째 줄)", "panel.time(10번째 줄)")),
    ("role_twice", "[x]", "[x, r]", "running: {column: r, cutoff: 1}\n", ("running.column(10번째 줄)",)),
    ("panel_dose_start", "kind: binary", "kind: continuous, control: 0, treated: 1", "panel: {unit: u, time: w, start: s}\n", ("panel.start(10번째 줄)", "treatment.kind(4번째 줄)")),
]  # fmt: skip


@pytest.mark.parametrize(("code", "old", "new", "more", "said"), CONTRADICTIONS)
def test_names_that_contradict_each_other_are_told_with_both_lines(code, old, new, more, said):
    found = refused(SpecError, code, lambda: parse_spec(BASE.replace(old, new) + more))
    assert all(part in found.message for part in said), found.message


def test_the_advice_for_a_randomized_instrument_works():
    text = BASE.replace("kind: binary", "kind: binary, randomized: true") + "instrument: z\n"
    said = refused(SpecError, "randomized_with_field", lambda: parse_spec(text))
    assert "randomized를 지우세요" in said.remedy and "instrument를 지우세요" in said.remedy
    assert parse_spec(text.replace(", randomized: true", "")).fields and not parse_spec(text.replace("instrument: z\n", "")).fields
