"""패널의 용량: 라이브러리의 값과 구간, 깨진 가정마다의 점검, 명세에서 보고서까지."""

import json

import nbformat
import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from benchmarks.pipeline_worlds import WORLDS
from causal_pipeline import analyze, tables
from causal_pipeline.designs.dose_panel import DosePanel, combined, fixed_effects, overlap, within
from causal_pipeline.errors import DataError
from causal_pipeline.few_clusters import leave_one_out
from causal_pipeline.identify import identify
from causal_pipeline.spec import parse_spec

MAKE = {w.name: w.make for w in WORLDS}
SPEC = """\
name: ad_spend
question: 광고비를 한 단위 올리면 매장의 매출이 얼마나 늡니까?
data: {path: rows.csv}
treatment: {column: t, kind: continuous, control: 2, treated: 4}
outcome: {column: y, label: 매출, unit: 만 원}
estimand: ATT
panel: {unit: unit, time: week}
negative_controls: {outcomes: [control_outcome]}
"""


def rows(units=9, periods=6, seed=0, holes=0.0, slope=0.7):
    """작은 패널. ``holes``만큼의 칸이 빕니다."""
    r = np.random.default_rng(seed)
    unit, time = (v.ravel() for v in np.indices((units, periods)))
    dose = r.normal(size=len(unit)) + 0.3 * unit
    y = slope * dose + unit + 0.5 * time + r.normal(size=len(unit))
    frame = pd.DataFrame(
        {
            "unit": unit,
            "week": time + 1,
            "t": dose,
            "y": y,
            "z": r.normal(size=len(unit)),
            "control_outcome": r.normal(size=len(unit)),
        }
    )
    return frame[r.random(len(frame)) >= holes].reset_index(drop=True)


def fitted(frame, columns=("t",), clusters=None, trends=False):
    unit, time = (pd.factorize(frame[c], sort=True)[0] for c in ("unit", "week"))
    return fixed_effects(
        frame["y"].to_numpy(),
        frame[list(columns)].to_numpy(),
        unit,
        time,
        unit if clusters is None else clusters,
        trends,
    )


def test_the_coefficients_are_those_of_dummies_with_holes_covariates_and_trends():
    frame = rows(holes=0.15)
    known = smf.ols("y ~ t + z + C(unit) + C(week)", frame).fit().params
    assert fitted(frame, ("t", "z"))[0] == pytest.approx(known[["t", "z"]].to_numpy())
    units, weeks = (pd.get_dummies(frame[c], dtype=float) for c in ("unit", "week"))
    Z = np.column_stack([frame["t"], units, weeks, units.mul(frame["week"], axis=0)])
    assert fitted(frame, trends=True)[0] == pytest.approx([np.linalg.lstsq(Z, frame["y"], rcond=None)[0][0]])
    assert within(frame[["y"]].to_numpy(), frame["unit"].to_numpy())[:, 0] == pytest.approx(
        frame["y"] - frame.groupby("unit")["y"].transform("mean")
    )


def test_leaving_out_a_cluster_is_the_regression_without_it():
    frame = rows(units=12, holes=0.1)
    clusters = frame["unit"].to_numpy() // 2
    beta, differences, _ = fitted(frame, clusters=clusters)
    for c in range(6):
        kept = frame[clusters != c].reset_index(drop=True)
        assert beta + differences[c] == pytest.approx(fitted(kept)[0])


def test_the_degrees_of_freedom_follow_the_quadratic_form():
    """재료로 낸 공분산이, 무게를 하나하나 적어 낸 것과 같습니다."""
    frame = rows(units=7, periods=4)
    n, unit = len(frame), frame["unit"].to_numpy()
    _, _, pieces = fitted(frame)
    weights = np.array([fitted(frame.assign(y=np.eye(n)[i]))[0][0] for i in range(n)])
    without = np.zeros((7, n))
    for c in range(7):
        kept = np.flatnonzero(unit != c)
        part = frame.iloc[kept].reset_index(drop=True)
        without[c, kept] = [fitted(part.assign(y=np.eye(len(kept))[i]))[0][0] for i in range(len(kept))]
    apart = within((without - weights).T, unit).T  # 대상의 평균을 뺀 뒤의 오차가 고르다고 봅니다
    assert overlap(pieces, np.ones(1)) == pytest.approx(apart @ apart.T, abs=1e-10)
    _, dof = leave_one_out(np.ones(7), overlap(pieces, np.ones(1)))
    assert 2 < dof < 6


def test_doses_that_a_few_units_move_leave_few_degrees_of_freedom():
    spec, frame, truth = MAKE["dose_panel_eight"](4)
    done = analyze(spec, frame=frame)
    movers = next(c for c in done.checks if c.name == "movers")
    assert movers.value < 8 and "40개" in movers.message
    assert done.primary.low < truth < done.primary.high
    # 그대로인 대상이 많으면 그들과만 견준 값도 냅니다. 모두가 움직이는 세계에는 없습니다.
    assert "stayers" in {e.method for e in done.estimates}
    spec, frame, _ = MAKE["dose_panel"](4)
    assert "stayers" not in {e.method for e in analyze(spec, frame=frame).estimates}


BROKEN = {
    "dose_panel_trend": "pre_trend",
    "dose_panel_feedback": "leads",
    "dose_panel_bent": "curvature",
    "dose_panel_carry": "carry_over",
    "dose_panel_announced": "leads",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_assumption_rings_its_own_check(name):
    spec, frame, _ = MAKE[name](5)
    done = analyze(spec, frame=frame)
    assert done.grade.letter == "C"
    assert next(c for c in done.checks if c.name == BROKEN[name]).status == "fail"


def test_units_that_got_more_later_and_rose_before_are_caught_before_the_dose():
    """모두 0이다가 한 번에 오르는 용량: 오르기 앞의 시점만 보는 시험이 울립니다."""
    r = np.random.default_rng(1)
    units, periods = 60, 8
    size = r.gamma(2, 1, units)
    when = np.arange(periods)
    dose = size[:, None] * (when >= 4)
    noise = r.normal(size=(units, periods))

    def made(trend):
        y = dose + noise + trend * size[:, None] * when
        unit, week = (v.ravel() for v in np.indices(y.shape))
        frame = pd.DataFrame(
            {"unit": unit, "week": week, "t": dose.ravel(), "y": y.ravel(), "control_outcome": r.normal(size=y.size)}
        )
        spec = parse_spec(SPEC)
        frame, _ = tables.prepare(spec, frame)
        return DosePanel(spec, identify(spec, frame), frame)

    assert made(0.0)._before_dose() > 0.05
    assert made(0.4)._before_dose() < 0.001


def test_weights_below_zero_are_told():
    """늘 많이 받던 대상이 조금 줄고 적게 받던 대상이 크게 는 자료에는 음수의 무게가 없고, 시점마다 엇갈리면 생깁니다."""
    spec, frame, _ = MAKE["dose_panel"](4)
    calm = next(c for c in analyze(spec, frame=frame).checks if c.name == "weights")
    assert calm.status == "ok" and calm.value >= 0
    unit, week = (v.ravel() for v in np.indices((30, 4)))
    r = np.random.default_rng(0)
    dose = (
        10 * (unit % 3 == 0) + 3 * week * (unit % 3 > 0) + 2 * (unit % 3 == 0) * week + 0.1 * r.normal(size=len(unit))
    )
    odd = pd.DataFrame(
        {
            "unit": unit,
            "week": week,
            "t": dose,
            "y": r.normal(size=len(unit)),
            "control_outcome": r.normal(size=len(unit)),
        }
    )
    check = next(c for c in analyze(parse_spec(SPEC), frame=odd).checks if c.name == "weights")
    assert check.status == "warn" and check.value > 0.1


def test_two_periods_are_not_called_fine():
    frame = rows(units=40, periods=2)
    frame["t"] = frame["t"].clip(0, 9)
    done = analyze(parse_spec(SPEC), frame=frame)
    assert {c.name: c.status for c in done.checks} | dict.fromkeys(("pre_trend", "leads", "carry_over"), "unshown") == {
        c.name: c.status for c in done.checks
    }
    assert done.grade.letter != "A"


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("dose_does_not_move", lambda f: f.assign(t=f["unit"].astype(float))),
        ("dose_without_contrast", lambda f: f.assign(t=f["week"].astype(float))),
        ("dose_outside", lambda f: f.assign(t=f["t"].clip(0, 3))),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_data_that_cannot_carry_the_design_is_refused_with_the_line(code, change):
    with pytest.raises(DataError) as caught:
        analyze(parse_spec(SPEC), frame=change(rows()))
    assert (caught.value.code, caught.value.line) == (code, 4)
    assert caught.value.remedy


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """명세 파일에서 보고서까지. 날짜인 시점, 빈칸, 변하는 공변량과 변하지 않는 공변량, 대상보다 큰 군집."""
    folder = tmp_path_factory.mktemp("dose_panel")
    _, frame, _ = MAKE["dose_panel"](2)
    r = np.random.default_rng(0)
    frame = frame.assign(
        region=frame["unit"] // 5, weather=r.normal(size=len(frame)), opened=(frame["unit"] % 7).astype(float),
        week=(pd.to_datetime("2026-01-05") + pd.to_timedelta(7 * frame["week"], unit="D")).dt.strftime("%Y-%m-%d"),
    )[r.random(len(frame)) > 0.05]  # fmt: skip
    frame.to_csv(folder / "rows.csv", index=False)
    text = (
        SPEC.replace("treated: 4}", "treated: 4, cluster: region}")
        + "confounders: [weather, opened]\ntiming: {weather: before, opened: before}\n"
    )
    (folder / "spec.yml").write_text(text, encoding="utf-8")
    return analyze(folder / "spec.yml", folder / "out"), folder / "out"


def test_the_report_says_whose_effect_it_is_and_what_is_not_known(report):
    done, out = report
    page = (out / "report.html").read_text(encoding="utf-8")
    assert done.identification.design == "dose_panel"
    assert DosePanel.label in page and DosePanel.question in page
    assert "용량이 움직인 대상" in page and "강한 평행 추세" in page
    assert abs(done.primary.value - 2.0) < 4 * done.primary.se
    assert "30개" in next(c.message for c in done.checks if c.name == "movers")


def test_the_notebook_gives_the_numbers_of_the_report(report, monkeypatch):
    done, out = report
    notebook = nbformat.read(out / "reproduce.ipynb", as_version=4)
    monkeypatch.chdir(out)
    space: dict = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            exec(compile(cell.source, "reproduce", "exec"), space)
    known = {e["method"]: e for e in json.loads((out / "report.json").read_text(encoding="utf-8"))["estimates"]}
    assert space["reproduced"]["two_way"]["high"] == pytest.approx(known["two_way"]["high"], rel=1e-8)
    assert "causal_pipeline" not in "\n".join(c.source for c in notebook.cells if c.cell_type == "code")
    assert space["comparison"]["같음"].all() and done.primary.method == "two_way"


def test_many_clusters_do_not_need_the_large_matrix():
    frame = rows(units=30, periods=4)
    value, se, dof = combined(fitted(frame), [1.0], many=20)
    same, small, _ = combined(fitted(frame), [1.0])
    assert value == same and dof == 29
    assert se == pytest.approx(small, rel=0.1)
