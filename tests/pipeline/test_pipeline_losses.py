"""빠진 자료: 팔마다의 수, 처치나 결과와 이어진 빠짐, 빈 칸이 있는 패널. 그리고 처치받은 대상이 적을 때의 추세 시험."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks.pipeline_worlds import WORLDS, panel_frame, panel_spec, world_spec
from causal_pipeline import analyze, checks, few_clusters, memo
from causal_pipeline.designs import difference_in_differences as did
from causal_pipeline.errors import DataError
from causal_pipeline.identify import identify
from causal_pipeline.model import Source
from causal_pipeline.tables import from_frame, prepare

NAMES = {w.name: w for w in WORLDS}


def rows(seed=0, n=900) -> pd.DataFrame:
    r = np.random.default_rng(seed)
    x = r.normal(size=n)
    t = (r.random(n) < 1 / (1 + np.exp(-x))).astype(int)
    return pd.DataFrame({"x": x, "t": t, "y": t + x + r.normal(size=n)})


def lost(frame: pd.DataFrame, column: str = "x") -> checks.Check:
    spec = world_spec("lost", source=Source(None, missing="drop"), confounders=("x",), timing={"x": "before"})
    losses = from_frame(spec, frame).losses
    assert losses and losses[0].lost == frame[column].isna().sum()
    return checks.lost_rows(spec, losses)[0]


def test_rows_left_out_are_counted_by_arm_and_lower_the_grade():
    frame, r = rows(), np.random.default_rng(1)
    few, many = (lost(frame.assign(x=frame["x"].mask(r.random(len(frame)) < share))) for share in (0.03, 0.12))
    assert (few.status, few.cap, many.status, many.cap) == ("ok", None, "warn", "B")
    blank = frame["x"].mask(frame["t"].eq(1) & (np.arange(len(frame)) % 3 == 0))
    found = lost(frame.assign(x=blank))
    gone, size = int(blank.isna().sum()), int(frame["t"].sum())
    assert f"0 0/{len(frame) - size:,}(0.0%), 1 {gone:,}/{size:,}({gone / size:.1%})" in found.message
    assert found.status == "warn" and "처치와 이어져" in found.message


def test_rows_lost_with_both_the_treatment_and_the_outcome_are_a_c():
    frame, r = rows(), np.random.default_rng(2)
    bad = frame["t"].eq(1) & (frame["y"] < frame["y"].median()) & (r.random(len(frame)) < 0.5)
    found = lost(frame.assign(x=frame["x"].mask(bad)))
    assert (found.status, found.cap) == ("fail", "C") and "처치와도 결과와도 이어져" in found.message


def test_the_memo_names_what_was_left_out():
    frame = rows().assign(x=lambda f: f["x"].mask(f.index % 9 == 0))
    spec = world_spec("lost", source=Source(None, missing="drop"), confounders=("x",), timing={"x": "before"})
    found = analyze(spec, frame=frame)
    assert found.grade.letter == "B" and any("빈칸이 있는 100행" in said for said in memo.left_out(found))
    assert any("빠진 자료: 빈칸이 있는 100행" in item for part in memo.memo(found) for item in part.items)


def fitted(spec, frame):
    spec = replace(spec, treatment=replace(spec.treatment, control=0, treated=1))
    table = from_frame(spec, frame)
    return did.DifferenceInDifferences(spec, identify(spec, table.frame), table.frame)


def test_holes_do_not_throw_units_away():
    """8%의 빈 칸에서, 모든 시점을 다 본 대상만 남기면 셋 가운데 둘이 사라집니다."""
    made, frame, truth = NAMES["panel_holes"].make(3)
    design = fitted(made, frame)
    seen = np.isfinite(design.fit.Y)
    assert len(design.fit.units) > 0.98 * frame["unit"].nunique() > 2 * seen.all(axis=1).sum()
    assert abs(design.primary.value - truth) < 4 * design.primary.se
    filled = next(e for e in design.estimates if e.method == "imputation")
    assert abs(filled.value - truth) < 4 * filled.se


def test_an_observed_cell_is_the_difference_of_the_units_seen_twice():
    r = np.random.default_rng(4)
    Y, start = r.normal(size=(12, 4)), np.array([2] * 5 + [4] * 7)
    Y[0, 1] = Y[3, 2] = Y[7, 3] = Y[8, 1] = np.nan
    effect, influence = did.group_time(Y, start, np.empty((12, 0)))[2, 3]
    change = Y[:, 3] - Y[:, 1]
    mine, other = change[:5][np.isfinite(change[:5])], change[5:][np.isfinite(change[5:])]
    assert effect == pytest.approx(mine.mean() - other.mean()) and (len(mine), len(other)) == (4, 5)
    expected = np.sqrt(mine.var(ddof=1) / 4 + other.var(ddof=1) / 5)
    assert np.sqrt((influence**2).sum()) / 12 == pytest.approx(expected)
    assert not influence[~np.isfinite(change)].any()


def test_two_way_on_an_unbalanced_panel_is_the_regression_with_dummies():
    r = np.random.default_rng(5)
    start = np.repeat([2, 3, 5], 6)
    Y = r.normal(size=(18, 5))
    Y[r.random(Y.shape) < 0.15] = np.nan
    seen = np.isfinite(Y)
    unit, time = np.nonzero(seen)
    treated = (time >= start[unit]).astype(float)
    Z = np.column_stack([treated, unit[:, None] == np.arange(18), time[:, None] == np.arange(1, 5)]).astype(float)
    assert did.two_way(Y, start)[0] == pytest.approx(np.linalg.lstsq(Z, Y[seen], rcond=None)[0][0])
    clean = seen & (np.arange(5)[None, :] < start[:, None])
    unit, time = np.nonzero(clean)
    D = np.column_stack([unit[:, None] == np.arange(18), time[:, None] == np.arange(1, 5)]).astype(float)
    beta = np.linalg.lstsq(D, Y[clean], rcond=None)[0]
    level = beta[:18, None] + np.concatenate([[0.0], beta[18:]])[None, :]
    target = seen & ~clean & clean.any(axis=1)[:, None] & clean.any(axis=0)[None, :]
    assert did.imputation(Y, start)[0] == pytest.approx((Y - level)[target].mean())


def test_units_that_enter_after_their_treatment_are_counted_and_left_out():
    frame, _ = panel_frame(6, 8, (5, 99), lambda k: np.ones_like(k, dtype=float), units=100)
    treated = frame.loc[frame["start"].notna(), "unit"].unique()
    late = treated[:12]
    frame = frame[~(frame["unit"].isin(late) & (frame["week"] < 6))]
    found = analyze(panel_spec("late"), frame=frame)
    check = next(c for c in found.checks if c.name == "lost_units")
    assert "대상 12개" in check.message and check.value == pytest.approx(12 / len(treated)) and check.cap == "B"
    assert any("처치 앞을 한 번도" in said for said in memo.left_out(found))


def test_holes_tied_to_the_outcome_are_heard():
    made, frame, _ = NAMES["panel_leavers"].make(11)
    check = next(c for c in analyze(made, frame=frame).checks if c.name == "lost_cells")
    assert check.cap == "C" and "처치와도 결과와도" in check.message


def test_holes_of_a_dose_panel_are_counted_and_their_ties_are_heard():
    made, frame, _ = NAMES["dose_panel"].make(3)
    r = np.random.default_rng(0)
    at_random = frame[r.random(len(frame)) > 0.03]
    late = frame[~((frame["unit"] % 3 == 0) & (frame["week"] < 5))]
    high = frame[~(frame["y"].gt(frame["y"].quantile(0.7)) & (r.random(len(frame)) < 0.4))]
    found = {}
    for name, some in (("random", at_random), ("late", late), ("high", high), ("whole", frame)):
        done = analyze(made, frame=some)
        found[name] = next((c for c in done.checks if c.name == "lost_cells"), None)
    assert (
        found["whole"] is None and found["random"].status == "ok" and "이어져 있습니다" not in found["random"].message
    )
    assert found["late"].cap == "B" and f"{len(frame) - len(late):,}개" in found["late"].message
    assert found["high"].cap == "C" and "용량과도 결과와도" in found["high"].message


def test_holes_tied_to_nothing_keep_their_level_in_a_dose_panel():
    """칸이 그냥 빠진 세계 300번에서 '이어져 있다'고 한 몫. 수준은 1%이고 둘(용량, 결과)을 봅니다."""
    rang = 0
    for seed in range(300):
        r = np.random.default_rng(seed)
        level = r.normal(size=(40, 1))
        D = level + r.normal(size=(40, 12)).cumsum(axis=1) / 3
        Y = D + level + r.exponential(size=(40, 12))
        Y[r.random(Y.shape) < 0.05] = np.nan
        rang += "이어져 있습니다" in checks.lost_dose_cells(Y, D)[0].message
    assert rang <= 0.02 * 300 + 3 * np.sqrt(300 * 0.02 * 0.98)


def test_holes_of_the_one_treated_unit_take_its_times_and_holes_of_donors_take_donors():
    made, frame, _ = NAMES["one_treated_unit"].make(3)
    treated = frame["unit"] == 0
    for gone, said, cap in (
        (treated & frame["week"].between(5, 6), "시점 2개(처치 앞 2, 뒤 0)", "B"),
        (treated & frame["week"].eq(25), "시점 1개(처치 앞 0, 뒤 1)", None),
        (frame["unit"].isin([3, 4, 5]) & frame["week"].eq(8), "견줄 대상 3개", "B"),
    ):
        done = analyze(made, frame=frame[~gone])
        check = next(c for c in done.checks if c.name == "lost_cells")
        assert said in check.message and check.cap == cap
        space = {"frame": prepare(made, frame[~gone])[0]}
        for step in done.steps:
            exec(step.code, space)  # noqa: S102
        again, main = space["reproduced"]["synthetic"], done.primary
        assert (again["value"], again["low"]) == pytest.approx((main.value, main.low), rel=1e-9)


def test_when_holes_leave_no_donor_the_message_says_so_and_its_advice_works():
    """모든 시점에서 본 대상이 없으면, 시점을 묶으라는 말을 따르면 돕니다."""
    made, frame, _ = NAMES["one_treated_unit"].make(3)
    r = np.random.default_rng(1)
    holed = frame[(r.random(len(frame)) > 0.15) | (frame["unit"] == 0)]
    with pytest.raises(DataError, match="빈칸이 있는 대상") as told:
        analyze(made, frame=holed)
    assert "묶거나" in str(told.value)
    grouped = holed.assign(week=holed["week"] // 5).groupby(["unit", "week"], as_index=False).mean()
    assert analyze(made, frame=grouped).primary.low < 2.0 < analyze(made, frame=grouped).primary.high


def test_a_covariate_that_moves_is_said_to_be_read_once():
    frame, _ = panel_frame(7, 8, (5, 99), lambda k: np.ones_like(k, dtype=float), units=80)
    frame["age"] = frame["unit"] % 7
    frame["price"] = np.sin(frame["unit"] + frame["week"])
    found = analyze(panel_spec("moving", confounders=("age", "price")), frame=frame)
    check = next(c for c in found.checks if c.name == "moving_covariates")
    assert "'price'" in check.message and "'age'" not in check.message and "처음 본 시점" in check.message


def test_the_mark_of_never_treated_is_told_in_cross_sections_too(tmp_path):
    made, frame, _ = NAMES["cross_sections"].make(1)
    coded = frame.assign(start=frame["start"].fillna(0))
    (plain, _), (read, notices) = prepare(made, frame), prepare(made, coded)
    assert any("'받지 않음'으로 읽었습니다" in said for said in notices)
    pd.testing.assert_series_equal(plain["start"], read["start"])
    assert any("never_treated_blank(" in line for line in made.fields[0].encoding_code(made))


# --- 처치받은 대상이 적을 때 ---


def test_the_pre_trend_test_keeps_its_level_with_few_treated_units():
    """추세가 나란한 세계 400번에서 5% 수준의 시험이 울린 몫. 고치기 전에는 처치 대상 10개에서 19%였습니다."""
    made, rings = panel_spec("few"), []
    for seed in range(400):
        frame, _ = panel_frame(seed, 8, (6,), lambda k: np.ones_like(k, dtype=float), units=40)
        mine = frame["unit"] < 10
        frame["t"], frame["start"] = frame["t"] * mine, frame["start"].where(mine)
        design = did.DifferenceInDifferences(made, None, frame)
        design.__dict__["fit"] = bare(frame)
        rings.append(design._pre_trend_p() < did.TREND_FAIL)
    assert np.mean(rings) < 0.05 + 2 * np.sqrt(0.05 * 0.95 / 400)


def bare(frame: pd.DataFrame) -> did.Fit:
    """공변량 없는 패널의 재료."""
    wide = frame.pivot(index="unit", columns="week", values="y")
    start = frame.groupby("unit")["start"].first()
    at = np.searchsorted(wide.columns.to_numpy(), start.fillna(np.inf).to_numpy())
    return did.Fit(
        wide.index.to_numpy(),
        wide.columns.to_numpy(),
        wide.to_numpy(),
        at,
        np.empty((len(wide), 0)),
        None,
        (0, 10),
        np.ones(len(wide)),
    )


def test_the_degrees_of_freedom_follow_the_few():
    r = np.random.default_rng(8)
    start, change = np.array([3] * 5 + [9] * 200), r.normal(size=205)
    effect, influence = did.cell_effect(change, start == 3, start == 9, np.empty((205, 0)))
    v1, v0 = change[:5].var(ddof=1) / 5, change[5:].var(ddof=1) / 200
    welch = (v1 + v0) ** 2 / (v1**2 / 4 + v0**2 / 199)
    assert few_clusters.welch_dof(influence, start) == pytest.approx(welch, rel=0.02)
    assert few_clusters.welch_dof(influence, start, np.arange(205) // 5) < 41
