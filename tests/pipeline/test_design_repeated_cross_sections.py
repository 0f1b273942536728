"""반복 횡단면의 이중차분: 손으로 센 값, 라이브러리의 값, 적은 집단의 구간, 깨진 가정, 명세에서 보고서까지."""

import json

import nbformat
import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats

from benchmarks.pipeline_worlds import WORLDS
from causal_pipeline import analyze, tables
from causal_pipeline.designs.repeated_cross_sections import (
    CrossSections,
    RepeatedCrossSections,
    cell_means,
    change_weights,
    contrast_weights,
    fill_weights,
    kept_target,
)
from causal_pipeline.errors import DataError, SpecError
from causal_pipeline.few_clusters import leave_one_out
from causal_pipeline.identify import identify
from causal_pipeline.spec import parse_spec

MAKE = {w.name: w.make for w in WORLDS}
SPEC = """\
name: store_visits
question: 매장의 새 진열이 손님 한 사람의 구매액을 얼마나 올립니까?
data: {path: rows.csv}
treatment: {column: t, kind: binary}
outcome: {column: y, label: 구매액, unit: 천 원}
estimand: ATT
cross_sections:
  group: store
  time: week
  start: start
confounders: [x]
timing: {x: before}
negative_controls: {outcomes: [control_outcome]}
"""
PLAIN = SPEC.partition("confounders:")[0]


def design(name="cross_sections", seed=3, **changes):
    """세계 하나의 설계와 정답."""
    spec, frame, truth = MAKE[name](seed)
    frame = frame.assign(**changes)
    frame, _ = tables.prepare(spec, frame)
    return RepeatedCrossSections(spec, identify(spec, frame), frame), truth


def small(starts=(3, 3, 9, 9), periods=4, seed=0):
    """집단마다 사람 다섯인 작은 표."""
    r = np.random.default_rng(seed)
    rows = [
        (g, t, s if s < 9 else np.nan, int(t >= s), r.normal())
        for g, s in enumerate(starts)
        for t in range(1, periods + 1)
        for _ in range(5)
    ]
    return pd.DataFrame(rows, columns=["store", "week", "start", "t", "y"])


def test_the_effect_is_the_difference_of_cell_means_counted_by_hand():
    frame = small()
    cells = frame.groupby(["store", "week"])["y"].mean().unstack()
    change = cells[[3, 4]].mean(axis=1) - cells[[1, 2]].mean(axis=1)
    expected = change[[0, 1]].mean() - change[[2, 3]].mean()
    counts, means = cell_means(frame["store"].to_numpy(), frame["week"].to_numpy() - 1, frame[["y"]].to_numpy())
    assert (counts == 5).all()
    start = np.array([2, 2, 4, 4])
    on = np.arange(4)[None, :] >= start[:, None]
    assert (fill_weights(~on, on * 1.0) * means[..., 0]).sum() == pytest.approx(expected)
    last = cells[[3, 4]].mean(axis=1) - cells[2]
    weights = change_weights(counts > 0, start, np.ones(4, dtype=bool), 0)
    assert (weights * means[..., 0]).sum() == pytest.approx(last[[0, 1]].mean() - last[[2, 3]].mean())


def test_holes_and_staggered_starts_agree_with_statsmodels():
    r = np.random.default_rng(4)
    there = r.random((9, 6)) > 0.15
    start = np.array([2, 2, 3, 3, 4, 6, 6, 6, 6])
    on = np.arange(6)[None, :] >= start[:, None]
    M = r.normal(size=(9, 6))
    g, s = np.indices(M.shape)
    cells = pd.DataFrame({"g": g.ravel(), "s": s.ravel(), "m": M.ravel(), "d": (on * 1.0).ravel()})
    clean, target = there & ~on, (there & on) * 1.0
    fitted = smf.ols("m ~ C(g) + C(s)", cells[clean.ravel()]).fit()
    gap = (cells["m"] - fitted.predict(cells))[target.ravel() > 0].mean()
    assert (fill_weights(clean, target) * M).sum() == pytest.approx(gap)
    two_way = smf.ols("m ~ C(g) + C(s) + d", cells[there.ravel()]).fit().params["d"]
    assert (contrast_weights(there, on * 1.0) * M).sum() == pytest.approx(two_way)


def test_with_two_equal_arms_the_interval_is_the_two_sample_t_interval():
    r = np.random.default_rng(8)
    change = r.normal(size=10)
    arm = np.arange(10) < 5
    weights = np.where(arm, 0.2, -0.2)
    without = np.array(
        [
            np.where(np.arange(10) == k, 0, np.where(arm, 1 / (arm.sum() - arm[k]), -1 / ((~arm).sum() - (~arm)[k])))
            for k in range(10)
        ]
    )
    differences = without @ change - weights @ change
    apart = without - weights
    se, dof = leave_one_out(differences, apart @ apart.T, (weights**2).sum())
    known = stats.ttest_ind(change[arm], change[~arm])
    assert se == pytest.approx((change[arm].mean() - change[~arm].mean()) / known.statistic)
    assert dof == pytest.approx(8)


def test_leaving_out_a_group_keeps_the_mix_of_start_times():
    start, target = np.array([1, 1, 2, 2, 2, 4]), 1 + np.arange(24.0).reshape(6, 4)
    keep = np.array([True, False, True, True, True, True])
    kept = kept_target(target, start, keep)
    assert (kept[1] == 0).all() and kept[0] == pytest.approx(target[0] + target[1])
    assert kept[2:] == pytest.approx(target[2:])
    made, _ = design("cross_sections_uneven", seed=21)
    post = np.arange(8)[None, :] >= made.fit.start[:, None]
    whole, without = made._main_weights
    for s in (3, 5):
        rows = made.fit.start == s
        assert [(w * post)[rows].sum() for w in without] == pytest.approx([(whole * post)[rows].sum()] * len(without))


def test_an_adjusted_world_is_near_its_truth_and_the_groups_with_holes_stay():
    made, truth = design("cross_sections_uneven", seed=21)
    assert abs(made.primary.value - truth) < 3 * made.primary.se
    spec, frame, truth = MAKE["cross_sections"](21)
    kept = frame[~((frame["store"] % 7 == 0) & (frame["week"] == 2))]
    done = analyze(spec, frame=kept)
    assert any("사람이 없습니다" in notice for notice in done.notices)
    assert abs(done.primary.value - truth) < 4 * done.primary.se


BROKEN = {
    "cross_sections_trend": "pre_trend",
    "cross_sections_announced": "pre_trend",
    "cross_sections_arrivals": "composition",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_assumption_rings_its_own_check(name):
    spec, frame, _ = MAKE[name](5)
    done = analyze(spec, frame=frame)
    assert done.grade.letter == "C"
    assert next(c for c in done.checks if c.name == BROKEN[name]).status == "fail"


def test_leaving_out_the_announced_periods_answers_again():
    spec, frame, truth = MAKE["cross_sections_announced"](5)
    announced = [
        f if not isinstance(f, CrossSections) else CrossSections(f.group, f.time, f.start, anticipation=2)
        for f in spec.fields
    ]
    done = analyze(type(spec)(**{**vars(spec), "fields": tuple(announced)}), frame=frame)
    assert abs(done.primary.value - truth) < 4 * done.primary.se
    plain = analyze(spec, frame=frame)
    assert abs(plain.primary.value - truth) > 2 * plain.primary.se


def test_the_number_of_people_is_watched():
    made, _ = design()
    assert made._turnout().status == "ok"
    more = pd.concat([made.frame, made.frame[made.frame["t"] == 1]], ignore_index=True)
    assert RepeatedCrossSections(made.spec, made.ident, more)._turnout().status == "warn"


def test_without_traits_the_composition_is_not_called_fine():
    spec, frame, _ = MAKE["cross_sections_arrivals_unseen"](5)
    done = analyze(spec, frame=frame)
    check = next(c for c in done.checks if c.name == "composition")
    assert (check.status, check.cap) == ("unshown", "B")
    assert done.grade.letter != "A"


def test_groups_treated_from_the_first_period_are_left_out_and_counted():
    frame = small(starts=(1, 3, 3, 3, 9, 9, 9))
    with_them, without = (analyze(parse_spec(PLAIN), frame=f) for f in (frame, frame[frame["store"] > 0]))
    assert with_them.primary.value == pytest.approx(without.primary.value)
    told = next(c for c in with_them.checks if c.name == "treated_groups").message
    assert "처치받은 것 3개" in told and "보지 못한 군집 1개" in told


def test_two_treated_groups_are_said_to_be_few():
    frame = small(starts=(3, 3, *[9] * 8))
    spec = parse_spec(PLAIN)
    done = analyze(spec, frame=frame)
    assert next(c for c in done.checks if c.name == "treated_groups").status == "fail"


@pytest.mark.parametrize(
    ("code", "line", "change"),
    [
        (
            "treatment_varies_in_cell",
            4,
            lambda f: f.assign(start=np.nan, t=np.where(np.arange(len(f)) % 5 == 0, 1 - f["t"], f["t"])).drop(
                columns="start"
            ),
        ),
        (
            "treatment_reverses",
            4,
            lambda f: f.assign(t=np.where((f["week"] == 4) & (f["store"] == 0), 0, f["t"])).drop(columns="start"),
        ),
        ("start_contradicts", 10, lambda f: f.assign(start=f["start"] + 1)),
        ("start_varies", 10, lambda f: f.assign(start=np.where((f["store"] == 0) & (f["week"] == 1), 4, f["start"]))),
        ("cross_sections_one_period", 9, lambda f: f[f["week"] == 3]),
        ("time_not_ordered", 9, lambda f: f.assign(week="봄")),
        ("too_few_treated_groups", 8, lambda f: f[f["store"] != 0]),
        ("too_few_control_groups", 8, lambda f: f[f["store"] < 3]),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_data_that_cannot_carry_the_design_is_refused_with_the_line(code, line, change):
    frame = change(small(starts=(3, 3, 9, 9)))
    text = PLAIN
    if "start" not in frame:
        text = text.replace("  start: start\n", "")
    with pytest.raises(DataError) as caught:
        analyze(parse_spec(text), frame=frame)
    assert caught.value.code == code
    assert caught.value.line == line
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("code", "line", "before", "after"),
    [
        ("cross_sections_same_column", 9, "time: week", "time: store"),
        ("cross_sections_kind", 4, "kind: binary", "kind: continuous, control: 0, treated: 1"),
        ("cross_sections_unit", 7, "cross_sections:", "unit: store\ncross_sections:"),
        ("spec_missing_key", 7, "  group: store\n", ""),
        ("designs_conflict", 8, "cross_sections:", "instrument: x2\ncross_sections:"),
    ],
)
def test_a_slip_in_the_specification_is_told_with_its_line(code, line, before, after):
    with pytest.raises(SpecError) as caught:
        parse_spec(SPEC.replace(before, after))
    assert caught.value.code == code
    assert caught.value.line == line


def test_dates_are_read_as_ordered_periods():
    frame = small()
    day = pd.to_datetime("2026-01-05") + pd.to_timedelta(7 * (frame["week"] - 1), unit="D")
    begun = pd.to_datetime("2026-01-05") + pd.to_timedelta(7 * (frame["start"] - 1), unit="D")
    text = PLAIN
    one = analyze(parse_spec(text), frame=frame)
    two = analyze(
        parse_spec(text), frame=frame.assign(week=day.dt.strftime("%Y-%m-%d"), start=begun.dt.strftime("%Y-%m-%d"))
    )
    assert two.primary.value == one.primary.value


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """명세 파일에서 보고서까지. 처치를 정한 단위가 집단보다 큽니다."""
    folder = tmp_path_factory.mktemp("cross_sections")
    _, frame, _ = MAKE["cross_sections"](2)
    frame.assign(region=frame["store"] // 2).to_csv(folder / "rows.csv", index=False)
    text = SPEC.replace("kind: binary}", "kind: binary, cluster: region}")
    (folder / "spec.yml").write_text(text, encoding="utf-8")
    return analyze(folder / "spec.yml", folder / "out"), folder / "out"


def test_the_report_says_whose_effect_it_is_and_shows_the_rule(report):
    done, out = report
    page = (out / "report.html").read_text(encoding="utf-8")
    assert done.identification.design == "repeated_cross_sections"
    assert RepeatedCrossSections.label in page and RepeatedCrossSections.question in page and "처치받은 집단" in page
    assert "처치가 정해진 집단" in page
    assert "20개" in next(c.message for c in done.checks if c.name == "treated_groups")


def test_the_notebook_gives_the_numbers_of_the_report(report, monkeypatch):
    done, out = report
    notebook = nbformat.read(out / "reproduce.ipynb", as_version=4)
    monkeypatch.chdir(out)
    space: dict = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            exec(compile(cell.source, "reproduce", "exec"), space)
    known = {e["method"]: e for e in json.loads((out / "report.json").read_text(encoding="utf-8"))["estimates"]}
    assert space["reproduced"]["imputation"]["high"] == pytest.approx(known["imputation"]["high"], rel=1e-8)
    assert "causal_pipeline" not in "\n".join(c.source for c in notebook.cells if c.cell_type == "code")
    assert space["comparison"]["같음"].all() and done.primary.method == "imputation"
