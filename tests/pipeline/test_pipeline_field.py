"""현장의 자료: 조용히 틀린 답, 영어, 추적, 따르면 나빠지는 조언이 없습니다. 시험마다 한 부류를 작은 자료로 봅니다."""

import re
import sys

import numpy as np
import pandas as pd
import pytest

from causal_pipeline import analyze, checks, designs, learners, read_spec, tables
from causal_pipeline.designs.difference_in_differences import cell_effect
from causal_pipeline.designs.discontinuity import mass_point_jump, support_points
from causal_pipeline.errors import DataError, PipelineError, SpecError
from causal_pipeline.identify import identify
from causal_pipeline.shown import matched_levels, plain_values
from causal_pipeline.spec import parse_spec, schema
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
    spec = put(
        tmp_path,
        BASE.replace("[x]", "[x, region]").replace("{path: data.csv}", "{path: data.csv, missing: drop}"),
        frame,
    )
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
    assert any(f"'{visible(word)}' 30개를 빈칸으로" in n for n in table.notices) and any(
        "30행을 뺐습니다" in n for n in table.notices
    )


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
    text = BASE.replace(
        "{path: data.csv}", f'{{path: data.csv, sql: "SELECT k, t, {sum_of} AS y FROM data GROUP BY 1, 2"}}'
    )
    spec = put(
        tmp_path,
        text.replace("kind: binary", "kind: binary, randomized: true").replace(
            "confounders: [x]\ntiming: {x: before}\n", ""
        ),
        frame,
    )
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
    sql = re.search("`(sql: .*?)`", said.remedy).group(1)
    fixed = tables.load(
        put(tmp_path, BASE.replace("data: {path: data.csv}", f"data:\n  path: data.csv\n  {sql}"), frame)
    )
    assert fixed.frame[column].tolist() == [value(int(v)) for v in whole]


def test_a_table_and_an_sql_get_their_own_remedy(tmp_path):
    frame = rows().assign(x=[f"{v:,}" for v in np.arange(5_000, 5_120)])
    text = BASE.replace("{path: data.csv}", '{path: data.csv, sql: "SELECT * FROM data WHERE y > -100;"}')
    said = refused(DataError, "number_as_text", lambda: tables.load(put(tmp_path, text, frame)))
    sql = re.search("`(sql: .*?)`", said.remedy).group(1)
    assert tables.load(put(tmp_path, BASE.replace("{path: data.csv}", "\n  path: data.csv\n  " + sql), frame)).frame[
        "x"
    ].tolist() == list(range(5_000, 5_120))


def test_advice_never_says_to_leave_a_confounder_out(tmp_path):
    many = rows().assign(x=[f"손님 {i}" for i in range(120)])
    for frame in (many, many.assign(x=[f"{i},{i}호" for i in range(120)])):
        said = refused(DataError, "too_many_levels", lambda frame=frame: tables.load(put(tmp_path, BASE, frame)))
        assert not re.search("빼(고|세요)|낮추", said.remedy)


# --- 보이지 않는 글자 ---


def test_spaces_that_cannot_be_seen_are_shown(tmp_path):
    assert names(["a ", "\u00a0b", "c\u200b", "d e"]) == "'a␣', '␣b', 'c␣', 'd e'"
    assert "␣는" in suggest("price", ["price "]) and "␣" not in suggest("price", ["prices"])
    said = refused(
        DataError, "column_unknown", lambda: tables.load(put(tmp_path, BASE, rows().rename(columns={"x": "x "})))
    )
    assert "'x␣'" in said.remedy
    assert (
        len(
            tables.load(
                put(
                    tmp_path, BASE.replace("[x]", '["x "]').replace("{x:", '{"x ":'), rows().rename(columns={"x": "x "})
                )
            ).frame
        )
        == 120
    )


def test_a_name_with_a_space_behind_it_is_one_name(tmp_path):
    frame = rows().assign(
        shop=lambda f: [f"S{i % 8}{' ' if i % 3 == 0 else ''}" for i in f.index],
        t=lambda f: f["t"].map({0: "A", 1: "B "}),
    )
    spec = put(tmp_path, BASE.replace("kind: binary", "kind: binary, control: A, treated: B, cluster: shop"), frame)
    table = tables.load(spec)
    assert table.frame["shop"].nunique() == 8 and set(table.frame["t"]) == {0, 1}
    assert any("'shop'의 글자 40개에서 앞뒤의 빈칸을" in n for n in table.notices)


# --- 군집 ---


@pytest.mark.parametrize("groups", [2, 4, 5])
def test_few_clusters_are_refused_with_how_many_are_needed(groups):
    frame = pd.DataFrame(
        {
            "shop": np.repeat(range(groups), 30),
            "t": np.repeat(np.arange(groups) % 2, 30),
            "y": np.random.default_rng(0).normal(size=groups * 30),
        }
    )
    text = BASE.replace("kind: binary", "kind: binary, randomized: true, cluster: shop").replace(
        "confounders: [x]\ntiming: {x: before}\n", ""
    )
    said = refused(DataError, "too_few_clusters", lambda: tables.from_frame(parse_spec(text), frame))
    assert "6개" in said.message and said.line == 4 and "지우지" in said.remedy


@pytest.mark.parametrize(("treated", "fine"), [(1, False), (2, False), (3, True)])
def test_the_smallest_number_of_clusters_runs(treated, fine):
    shop = np.repeat(np.arange(6), 20)
    frame = pd.DataFrame(
        {"shop": shop, "t": (shop < treated).astype(int), "y": np.random.default_rng(0).normal(size=120)}
    )
    spec = parse_spec(
        BASE.replace("kind: binary", "kind: binary, randomized: true, cluster: shop").replace(
            "confounders: [x]\ntiming: {x: before}\n", ""
        )
    )
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
    spec = parse_spec(
        BASE.replace("kind: binary", "kind: binary, cluster: shop").replace("[x]", "[shop]").replace("{x:", "{shop:")
    )
    made = tables.from_frame(spec, frame).frame
    assert isinstance(made["shop"].dtype, pd.CategoricalDtype) and made["shop"].nunique() == 8
    kind = designs.get("adjustment")
    design = kind(spec, identify(spec, made), made)
    assert abs(design.primary.value - 2.0) < 0.4  # 번호로 보정하면 4를 넘습니다


# --- 패널의 꼴 ---


def panel(units=30, periods=6, treated=10, begin=4, seed=0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    found = pd.DataFrame(
        [(u, w, int(u < treated and w >= begin)) for u in range(units) for w in range(1, periods + 1)],
        columns=["u", "w", "t"],
    )
    return found.assign(y=lambda f: 0.3 * f["u"] + 0.2 * f["w"] + f["t"] + rng.normal(0, 0.3, len(f)))


PANEL = BASE.replace("confounders: [x]\ntiming: {x: before}\n", "panel: {unit: u, time: w}\n").replace(
    "estimand: ATE", "estimand: ATT"
)


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
    said = refused(
        DataError,
        "start_contradicts",
        lambda: tables.from_frame(parse_spec(PANEL.replace("time: w}", "time: w, start: s}")), frame),
    )
    assert "비우세요" in said.remedy


@pytest.mark.parametrize("zones", [("+09:00", "-05:00"), ("Z", "+09:00"), ("", "+09:00")])
def test_mixed_time_zones_are_told_with_their_numbers(zones):
    frame = panel().assign(
        w=lambda f: [f"2026-01-{w:02d}T00:00:00{zones[u % 2]}" for u, w in zip(f["u"], f["w"], strict=True)]
    )
    said = refused(DataError, "mixed_time_zones", lambda: tables.from_frame(parse_spec(PANEL), frame))
    assert "90개" in said.message and said.line


def test_one_time_zone_is_read():
    frame = panel().assign(w=lambda f: [f"2026-01-{w:02d}T00:00:00+09:00" for w in f["w"]])
    assert tables.from_frame(parse_spec(PANEL), frame).frame["w"].unique().tolist() == [1, 2, 3, 4, 5, 6]


def test_different_people_each_year_are_called_by_their_name():
    k = np.arange(400)
    frame = pd.DataFrame({"id": k, "city": k % 5, "year": 2020 + k // 5 % 4}).assign(
        t=lambda f: ((f["city"] < 2) & (f["year"] >= 2022)).astype(int)
    )
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
    enough = tables.from_frame(
        parse_spec(text), panel().assign(x=lambda f: np.sin(f["u"]), z=lambda f: np.cos(f["u"]))
    ).frame
    spec = parse_spec(text)
    assert "unused_covariates" not in {
        c.name for c in designs.get("difference_in_differences")(spec, identify(spec, enough), enough).check()
    }


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
    up, p, _ = mass_point_jump(*support_points(raw), raw >= 60)
    down, q, _ = mass_point_jump(*support_points(raw), raw < 60)
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


@pytest.mark.parametrize(
    ("data", "control", "treated"),
    [([0, 1, 2], '"0"', '"2"'), (["0", "1", "2"], "0", "2"), ([True, False, True], "false", "true")],
)
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
    frame = pd.DataFrame(rng.normal(size=(300, 201)), columns=columns).assign(
        t=np.arange(300) % 2, y=rng.normal(size=300)
    )
    spec = parse_spec(BASE.replace("[x]", f"[{', '.join(columns)}]").replace("timing: {x: before}\n", ""))
    monkeypatch.setattr(learners, "choose", lambda *_: pytest.fail("세기 전에 멈춰야 합니다"))
    said = refused(DataError, "too_many_covariates", lambda: analyze(spec, frame=frame))
    assert (
        "201개" in said.message
        and "200개" in said.message
        and said.line == 7
        and "graph" in said.remedy
        and "빼" not in said.remedy
    )
    graph = parse_spec(
        BASE.replace("confounders: [x]\ntiming: {x: before}", "graph: {edges: [x0 -> t, x0 -> y, t -> y]}")
    )
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
    assert (
        parse_spec(text.replace(", randomized: true", "")).fields
        and not parse_spec(text.replace("instrument: z\n", "")).fields
    )


# --- 명세의 모든 이름을 모든 설계에 ---


def crossed(n=150, seed=0) -> pd.DataFrame:
    """한 사람이 한 행인 설계들의 자료."""
    rng = np.random.default_rng(seed)
    x, z, r = rng.normal(size=n), rng.integers(0, 2, n), rng.uniform(-1, 1, n).round(4)
    t = (x + 2 * z + rng.normal(size=n) > 1).astype(int)
    frame = pd.DataFrame(
        {
            "id": np.arange(n),
            "x": x,
            "m": rng.normal(size=n),
            "z": z,
            "r": r,
            "g": np.arange(n) % 15,
            "t": t,
            "above": (r >= 0).astype(int),
        }
    )
    frame["dose"], frame["p"] = (x + rng.normal(size=n)).round(3), rng.uniform(0.3, 0.7, n)
    frame["n"], frame["v"] = rng.normal(size=n), rng.normal(size=n)
    return frame.assign(y=t + x + rng.normal(size=n))


def repeated(treated=8) -> pd.DataFrame:
    """같은 대상을 여러 시점에 본 자료(반복 횡단면에서는 ``u``가 집단입니다)."""
    frame, rng = panel(units=24, treated=treated), np.random.default_rng(1)
    frame["x"], frame["m"] = np.sin(frame["u"]), np.cos(3 * frame["u"])
    frame["g"], frame["s"] = frame["u"] // 2, np.where(frame["u"] < treated, 4.0, np.nan)
    frame["dose"], frame["n"], frame["v"] = (
        rng.normal(size=len(frame)),
        rng.normal(size=len(frame)),
        rng.normal(size=len(frame)),
    )
    return frame.assign(id=np.arange(len(frame)), y=frame["y"] + rng.normal(0, 1.5, len(frame)))


def written(column, kind, estimand, more) -> str:
    levels = {"continuous": ", control: 0, treated: 1", "multi": ", control: 0, treated: 1"}.get(kind, "")
    return f"name: all\nquestion: 왜?\ndata: {{path: a.csv}}\ntreatment: {{column: {column}, kind: {kind}{levels}}}\noutcome: {{column: y}}\nestimand: {estimand}\nseed: 1\n{more}"


DESIGNS = {
    "experiment": (written("t", "binary, randomized: true", "ATE", ""), crossed),
    "adjustment": (written("t", "binary", "ATE", "confounders: [m]\n"), crossed),
    "dose": (written("dose", "continuous", "ATE", "confounders: [m]\n"), crossed),
    "instrument": (written("t", "binary", "LATE", "instrument: z\n"), crossed),
    "discontinuity": (written("above", "binary", "LATE", "running: {column: r, cutoff: 0}\n"), crossed),
    "difference_in_differences": (written("t", "binary", "ATT", "panel: {unit: u, time: w}\n"), repeated),
    "synthetic_control": (written("t", "binary", "ATT", "panel: {unit: u, time: w}\n"), lambda: repeated(1)),
    "repeated_cross_sections": (written("t", "binary", "ATT", "cross_sections: {group: u, time: w}\n"), repeated),
    "dose_panel": (written("dose", "continuous", "ATT", "panel: {unit: u, time: w}\n"), repeated),
}


def graph(text: str, more: str = "") -> str:
    """명세의 처치에 맞춘 그래프."""
    t = re.search(r"column: (\w+), kind", text).group(1)
    also = "z -> t, " if "instrument: z" in text else ""
    return re.sub(r"confounders: .*\n", "", text) + f"graph: {{edges: [{also}m -> {t}, m -> y, {more}{t} -> y]}}\n"


def with_blanks(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(y=frame["y"].where(frame.index % 10 != 3))


def with_sentinel(frame: pd.DataFrame) -> pd.DataFrame:
    """빈칸 대신 -999를 적은 결과."""
    return frame.assign(y=frame["y"].where(frame.index % 10 != 3, -999))


def with_weights(frame: pd.DataFrame) -> pd.DataFrame:
    """가중치 둘(같은 대상이면 시점마다 같은 값)."""
    key = frame["u" if "u" in frame else "id"]
    return frame.assign(wt=1 + key % 3, wt2=1 + key % 4)


def third_level(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(
        **{name: frame[name].where(frame.index % 7 != 0, 2) for name in ("t", "above") if name in frame}
    )


def inside(key, value):
    """처치의 묶음 속에 적습니다. 이미 있으면 바꿉니다."""

    def act(text):
        found = re.sub(rf", {key}: \w+", "", text)
        return re.sub(r"(treatment: {.*?)}", rf"\1, {key}: {value}}}", found, count=1)

    return act


def owned(key, value):
    return lambda text: re.sub(
        r"((?:panel|running|cross_sections): {.*)}", rf"\1, {key}: {value}}}", re.sub(rf", {key}: \w+", "", text)
    )


def swapped(text):
    return (
        inside("treated", 2)(inside("control", 1)(text))
        if "continuous" in text
        else inside("treated", 0)(inside("control", 1)(text))
    )


def add(line):
    return lambda text: re.sub(rf"{line.split(':')[0]}: .*\n", "", text) + line + "\n"


SAME = lambda text: text  # noqa: E731
RULE = "assignment: {{rule: {}, source: {}}}"
MONEY, GAIN = (
    add("money: {value_per_outcome: 2, cost_per_treatment: 1}"),
    "money: {{value_per_outcome: 2, minimum_gain: {}}}",
)
KEYS = {
    # 명세의 자리 → (견줄 명세, 바꾼 명세, 자료를 바꾸는 법). 셋째가 없으면 그대로입니다
    "data.sample": (SAME, lambda s: s.replace("path: a.csv", "path: a.csv, sample: 100"), None),
    "data.engine": (
        SAME,
        lambda s: s.replace("path: a.csv", "path: a.csv, engine: spark"),
        None,
    ),  # 파케이가 아니면 거절합니다
    "data.missing": (SAME, lambda s: s.replace("path: a.csv", "path: a.csv, missing: drop"), with_blanks),
    "data.blank": (SAME, lambda s: s.replace("path: a.csv", "path: a.csv, blank: [-999]"), lambda f: with_sentinel(f)),
    "categories": (
        add("confounders: [k]"),
        lambda s: add("confounders: [k]")(s) + "categories: [k]\n",
        lambda f: f.assign(k=f["u" if "u" in f else "id"] % 3),
    ),
    "numbers": (SAME, lambda s: s + "numbers: [y]\n", lambda f: with_sentinel(f)),
    "unit": (SAME, add("unit: id"), lambda f: f.assign(id=f["id"] // 2)),  # 단위가 겹치는지 보는 이름입니다
    "treatment.control": (SAME, swapped, None),
    "treatment.treated": (SAME, swapped, None),
    "treatment.kind": (
        SAME,
        lambda s: s.replace("kind: binary", "kind: multi, control: 0, treated: 1").replace(
            "kind: continuous", "kind: binary"
        ),
        third_level,
    ),
    "treatment.randomized": (
        SAME,
        lambda s: s.replace(", randomized: true", "") if "randomized" in s else inside("randomized", "true")(s),
        None,
    ),
    "treatment.probability": (SAME, inside("probability", 0.4), None),
    "treatment.cluster": (SAME, inside("cluster", "g"), None),
    "estimand": (SAME, lambda s: re.sub("estimand: (ATE|ATT|LATE)", "estimand: ITT", s), None),
    "graph.edges": (SAME, graph, None),
    "graph.hidden": (
        lambda s: graph(s, "h -> y, "),
        lambda s: graph(s, "h -> y, ").replace("]}\n", "], hidden: [h]}\n"),
        None,
    ),
    "confounders": (SAME, add("confounders: [x]"), None),
    "timing": (add("confounders: [x]"), lambda s: add("confounders: [x]")(s) + "timing: {x: after}\n", None),
    "modifiers": (SAME, add("modifiers: [m]"), None),
    "negative_controls.outcomes": (SAME, add("negative_controls: {outcomes: [n]}"), None),
    "negative_controls.treatments": (SAME, add("negative_controls: {treatments: [v]}"), None),
    "money.value_per_outcome": (SAME, MONEY, None),
    "money.cost_per_treatment": (
        MONEY,
        lambda s: MONEY(s).replace("cost_per_treatment: 1", "cost_per_treatment: 3"),
        None,
    ),
    "money.minimum_gain": (add(GAIN.format(-9000)), add(GAIN.format(9000)), None),
    "outcome.higher_is_better": (
        MONEY,
        lambda s: MONEY(s).replace("{column: y}", "{column: y, higher_is_better: false}"),
        None,
    ),
    "assignment.rule": (add(RULE.format("50점", "3조")), add(RULE.format("60점", "3조")), None),
    "assignment.source": (add(RULE.format("50점", "3조")), add(RULE.format("50점", "4조")), None),
    "weights.column": (
        add("weights: {column: wt, kind: sampling}"),
        add("weights: {column: wt2, kind: sampling}"),
        with_weights,
    ),
    "weights.kind": (
        add("weights: {column: wt, kind: sampling}"),
        add("weights: {column: wt, kind: frequency}"),
        with_weights,
    ),
    "running.column": (SAME, owned("column", "m"), None),
    "running.cutoff": (SAME, owned("cutoff", "0.3"), None),
    "running.above": (SAME, owned("above", "false"), None),
    "panel.unit": (SAME, owned("unit", "g"), None),
    "panel.time": (SAME, lambda s: s.replace("{unit: u, time: w}", "{unit: u, time: id}"), None),
    "panel.start": (SAME, owned("start", "s"), lambda f: f.assign(s=f["s"] + 1)),
    "panel.anticipation": (SAME, owned("anticipation", 1), None),
    "cross_sections.group": (SAME, owned("group", "g"), None),
    "cross_sections.time": (SAME, lambda s: s.replace("{group: u, time: w}", "{group: u, time: id}"), None),
    "cross_sections.start": (SAME, owned("start", "s"), lambda f: f.assign(s=f["s"] + 1)),
    "cross_sections.anticipation": (SAME, owned("anticipation", 1), None),
    "instrument": (SAME, lambda s: s.replace("instrument: z", "instrument: [z, m]"), None),
    "seed": (SAME, lambda s: s.replace("seed: 1", "seed: 2"), None),
}
# 자료의 자리와 보고서에 그대로 옮기는 이름. 설계와 상관없습니다
ECHOED = {
    "name", "question", "data.path", "data.table", "data.sql", "outcome.unit", "outcome.label", "money.currency", "labels", "treatment.column", "outcome.column",
    "data", "treatment", "outcome", "graph", "negative_controls", "money", "panel", "running", "cross_sections", "assignment", "weights",
}  # fmt: skip
NOT_RANDOM = {"synthetic_control", "discontinuity"}  # 씨앗을 쓸 일이 없는 설계


def answer(folder, text, frame):
    """(거절의 이름) 또는 (결과와 한 일). 명세의 되풀이는 담지 않습니다."""
    folder.mkdir(exist_ok=True)
    (folder / "spec.yml").write_text(text, encoding="utf-8")
    frame.to_csv(folder / "a.csv", index=False)
    try:
        found = analyze(folder / "spec.yml").to_dict()
    except PipelineError as error:
        assert re.search("[가-힣]", error.message) and re.search("[가-힣]", error.remedy), error
        return error.code
    return {key: value for key, value in found.items() if key not in {"spec", "versions", "steps", "pictures"}}


def every_key(part: dict, where: str = "") -> list[str]:
    found = []
    for name, inner in part.get("properties", {}).items():
        place = f"{where}.{name}" if where else name
        found += [place, *every_key(inner, place)]
    return found


def test_every_name_of_the_schema_is_walked():
    assert set(every_key(schema())) == set(KEYS) | ECHOED
    assert set(DESIGNS) == {kind.name for kind in designs.registered()}


@pytest.fixture
def light(monkeypatch):
    """장애모수는 곧은 모델만, 위약은 몇 번만. 이름이 무시되는지만 봅니다."""
    outcome, propensity = learners.outcome_learners, learners.propensity_learners
    monkeypatch.setattr(learners, "outcome_learners", lambda *a, **k: outcome(*a, **k)[:1])
    monkeypatch.setattr(learners, "propensity_learners", lambda *a, **k: propensity(*a, **k)[:1])
    for kind in designs.registered():
        module = sys.modules[kind.__module__]
        if hasattr(module, "PLACEBOS"):
            monkeypatch.setattr(module, "PLACEBOS", 20)


@pytest.mark.parametrize("design", DESIGNS)
def test_nothing_that_the_specification_says_is_ignored(tmp_path, design, light, record_property):
    text, make = DESIGNS[design]
    frame, base, found = make(), {}, {}
    started = answer(tmp_path / "base", text, frame)
    assert not isinstance(started, str) and started["identification"]["design"] == design, started
    base[text, None] = started
    for key, (before, after, data) in KEYS.items():
        field = key.split(".")[0]
        if field in designs.field_types() and f"\n{field}:" not in text:
            continue
        old, new = before(text), after(text)
        assert new != old or data is not None, key
        rows = data(frame) if data else frame
        if (old, data) not in base:
            base[old, data] = answer(tmp_path / "old", old, rows)
        got = answer(tmp_path / "new", new, rows)
        found[key] = "거절" if isinstance(got, str) else "무시" if got == base[old, data] else "바뀜"
    record_property("matrix", found)
    print(design, found)
    ignored = {key for key, what in found.items() if what == "무시"}
    assert ignored <= ({"seed"} if design in NOT_RANDOM else set()), ignored
