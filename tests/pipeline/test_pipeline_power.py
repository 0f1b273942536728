"""점검이 적은 힘이 정말 그만큼인지: 바로 그 치우침을 넣은 세계에서 울린 몫과 견주고, 아무 잘못이 없는 세계에서 울린 몫도 봅니다.

세계마다 같은 자료를 두 벌 씁니다. 성한 자료에서 점검이 적은 힘과 치우침의 크기를 읽고, 그 크기의 치우침을 같은 자료에 넣어 다시 돌립니다.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks import drawn, false_alarms, pipeline
from benchmarks import pipeline_worlds as worlds
from causal_pipeline import checks, designs, placebos, tables
from causal_pipeline.designs.adjustment import Fit, aipw_scores
from causal_pipeline.designs.discontinuity import DONUT, jump
from causal_pipeline.identify import identify
from causal_pipeline.model import Estimate


def fitted(spec, frame):
    """자료를 맞춘 설계."""
    frame = tables.from_frame(spec, frame).frame
    ident = identify(spec, frame)
    return designs.get(ident.design)(spec, ident, frame)


def rang(check):
    return check.status in ("warn", "fail")


def compare(rows, level=0.05):
    """(적은 힘, 성한 자료에서 울림, 치우친 자료에서 울림)들이 몬테카를로 오차 안에서 맞는지."""
    told, calm, biased = np.mean(np.array(rows, dtype=float), axis=0)
    error = np.sqrt(max(told * (1 - told), 0.02) / len(rows))
    assert biased == pytest.approx(told, abs=3 * error), (told, biased, error)
    assert calm <= level + 3 * np.sqrt(level * (1 - level) / len(rows)), calm


def estimate(value, se):
    return Estimate("a", "a", value, value - 1.96 * se, value + 1.96 * se, se, 100, "", True, "ATE")


# --- 반쪽 ---


@pytest.mark.parametrize(
    "psi",
    [
        lambda r: r.normal(size=200) + 5.0,  # 다섯 표준편차의 치우침
        lambda r: np.append(r.normal(size=199), 1e6),  # 한 대상이 답을 정합니다
        lambda r: r.standard_cauchy(size=200),
    ],
    ids=["치우침", "한 대상", "두꺼운 꼬리"],
)
def test_two_random_halves_never_tell_and_never_judge(psi):
    r = np.random.default_rng(0)
    found = [placebos.halves(worlds.world_spec("a", seed=s), psi(r), None) for s in range(300)]
    assert {(c.status, c.cap, c.power) for c in found} == {("unshown", None, None)}
    assert "판정하지 않습니다" in found[0].message
    assert np.mean([c.value > 3 for c in found]) < 0.02  # 옛 문턱은 무엇이 틀려도 0.3%에만 울렸습니다


# --- 위약 ---


def _whales(seed, share):
    """열에 하나만 크게 쓰는 손님. ``share``는 처치받은 몫이고 효과는 없습니다."""
    r = np.random.default_rng(seed)
    a = r.random(1000) < share
    y = np.where(r.random(1000) < 0.1, np.exp(1.5 * r.normal(size=1000)), 0.0)
    made = replace(worlds.experiment(0)[0], confounders=(), timing={}, name="whales")
    return replace(made, treatment=replace(made.treatment, probability=share)), pd.DataFrame({"t": a * 1, "y": y})


def test_the_share_of_placebo_intervals_that_miss_is_counted_on_the_reported_interval():
    """한 번에 낸 몫이, 다시 뽑은 배정마다 설계의 구간을 그대로 낸 것과 같습니다."""
    from causal_pipeline.designs.experiment import PLACEBOS, difference_scores
    from causal_pipeline.shown import interval
    from causal_pipeline.wording import percent

    design = fitted(*_whales(1, 0.1))
    f, rng, missed = design.fit, np.random.default_rng(design.spec.seed + 1), 0
    for _ in range(PLACEBOS):
        ends = interval(difference_scores(f.y - f.y.mean(), rng.permutation(f.a), f.p))
        missed += not ends["low"] <= 0 <= ends["high"]
    assert missed / PLACEBOS > placebos.MISSED_WARN
    assert f"0을 비켜 간 몫은 {percent(missed / PLACEBOS)}입니다" in design._randomisation().message


def test_a_small_arm_with_a_few_large_outcomes_is_seen_and_calm_data_are_not_accused():
    """이 세계의 95% 구간은 효과가 없을 때 정답을 100번 가운데 87번만 덮었고, 그래도 A였습니다."""
    rows = [{c.name: c for c in fitted(*_whales(seed, 0.1)).stress()[0]} for seed in range(5)]
    assert all(row["placebo"].cap in ("B", "C") for row in rows)
    assert sum(row["placebo"].cap == "C" for row in rows) >= 2
    assert "로그를 취한" in rows[0]["placebo"].message and "몰려 있습니다" in rows[0]["few_rows"].message
    calm = [{c.name: c for c in fitted(*worlds.experiment(seed, 300)[:2]).stress()[0]} for seed in range(2)]
    assert all(row["placebo"].cap is None and "몰려" not in row["few_rows"].message for row in calm)


def _shuffled(r, n, groups=None):
    """섞은 위약 200개, 추정값, 바른 표준오차. ``groups``이면 군집으로 배정하고도 행마다 섞고 셉니다."""
    y = r.normal(size=n) if groups is None else np.repeat(r.normal(size=groups), n // groups) + 0.3 * r.normal(size=n)
    a = np.arange(n) % 2 == 0
    a = r.permutation(a) if groups is None else np.repeat(r.permutation(np.arange(groups) % 2 == 0), n // groups)
    mixed = np.array([r.permutation(a) for _ in range(200)])
    values = (mixed @ y) / a.sum() - (~mixed @ y) / (~a).sum()
    return values, y[a].mean() - y[~a].mean(), np.sqrt(y[a].var(ddof=1) / a.sum() + y[~a].var(ddof=1) / (~a).sum())


@pytest.mark.parametrize(("low", "high"), [(0.6, 1.6), (0.5, 2.0), (0.4, 2.5)])
def test_the_spread_of_a_placebo_sees_a_halved_standard_error(low, high):
    r, rows = np.random.default_rng(1), []
    for _ in range(150):
        values, observed, se = _shuffled(r, 60)
        right = placebos.spread_placebo("위약", "", values, observed, se, estimate(observed, se), low, high)
        wrong = placebos.spread_placebo("위약", "", values, observed, se / 2, estimate(observed, se / 2), low, high)
        assert right.power.bias == pytest.approx(1.96 * se)
        rows.append((right.power.noticed, rang(right), rang(wrong)))
    compare(rows)


def test_no_placebo_sees_a_bias_or_the_wrong_unit():
    """추정값이 치우치면 위약에 견주어 더 커 보이고, 군집으로 배정한 것을 행마다 섞으면 위약도 함께 좁아집니다."""
    r, biased, wrong_unit = np.random.default_rng(2), [], []
    for _ in range(100):
        values, observed, se = _shuffled(r, 60)
        main = estimate(observed + 5 * se, se)
        biased.append(rang(placebos.spread_placebo("위약", "", values, main.value, se, main, 0.6, 1.6)))
        biased.append(rang(placebos.rank_placebo("위약", "", values, main.value, main)))
        values, observed, se = _shuffled(r, 60, groups=6)
        wrong_unit.append(
            rang(placebos.spread_placebo("위약", "", values, observed, se, estimate(observed, se), 0.6, 1.6))
        )
    assert np.mean(biased) == 0 and np.mean(wrong_unit) <= 0.05


def test_the_rank_of_a_placebo_is_never_a_pass():
    r, rows = np.random.default_rng(3), []
    for _ in range(400):
        values, observed, se = _shuffled(r, 60)
        right = placebos.rank_placebo("위약", "", values, observed, estimate(observed, se))
        wrong = placebos.rank_placebo("위약", "", values, observed, estimate(observed, se / 2))
        assert right.status != "ok"
        rows.append((right.power.noticed, rang(right), rang(wrong)))
    compare(rows)


def test_the_placebo_unit_of_one_treated_unit_is_not_a_pass_either():
    spec, frame, _ = worlds.one_treated_unit(4, donors=20, periods=20, before=12)
    check = fitted(spec, frame)._placebo()
    assert check.status == "unshown" and 0 <= check.power.noticed < 0.5


# --- 보정: 순열 위약과 자르기 ---


def _adjusted(seed, n=1500, wrong=0.0, hidden=0.0, slope=1.0, effect=0.3, att=False):
    """장애모수를 아는 보정 설계. ``wrong``이면 결과의 예측은 잡음의 표준편차만큼, 성향점수는 ``wrong``만큼 |x|에서 함께 틀립니다."""
    r = np.random.default_rng(seed)
    x, (u, noise) = r.uniform(-np.sqrt(3), np.sqrt(3), size=n), r.normal(size=(2, n))
    p = 1 / (1 + np.exp(-slope * x - hidden * u))
    t = (r.random(n) < p).astype(int)
    bent = (np.abs(x) - np.sqrt(3) / 2) / 0.5  # 평균 0, 표준편차 1
    e, miss = 1 / (1 + np.exp(-slope * x - wrong * bent)), bent if wrong else 0.0
    y = effect * t + x + hidden * u + noise
    frame = pd.DataFrame({"x": x, "t": t, "y": y})
    spec = worlds.world_spec("a", confounders=("x",), timing={"x": "before"}, estimand="ATT" if att else "ATE")
    design = fitted(spec, frame)
    design.__dict__["fit"] = Fit(
        frame, frame[["x"]], y, t, t == 1, t == 0, np.arange(n) % 5, None, e, 1 - e,
        x + effect - miss, x - miss, None, None, np.ones(n),
    )  # fmt: skip
    return design


def _value(design):
    f = design.fit
    return float(aipw_scores(f.y, f.a, f.b, f.e1, f.e0, f.mu1, f.mu0, design.att).mean())


@pytest.mark.parametrize("att", [False, True], ids=["ATE", "ATT"])
def test_shuffling_sees_two_models_that_are_wrong_together(att):
    pairs = [[_value(_adjusted(s, wrong=k, att=att)) for k in (0.1, 1e-9)] for s in range(40)]
    unit = np.mean([one - other for one, other in pairs]) / 0.1
    rows, hidden = [], []
    for s in range(40):
        calm = _adjusted(s, n=1000, att=att)._placebo()
        biased = _adjusted(s, n=1000, wrong=calm.power.bias / unit, att=att)._placebo()
        rows.append((calm.power.noticed, rang(calm), rang(biased)))
        hidden.append(rang(_adjusted(s, n=1000, hidden=0.8, att=att)._placebo()))
    compare(rows)
    assert np.mean(hidden) <= 0.05  # 숨은 교란 요인은 보지 못한다고 적은 그대로입니다


@pytest.mark.parametrize(("slope", "n"), [(2.4, 1500), (3.0, 1500), (2.4, 400)])
def test_trimming_sees_only_what_enough_extreme_rows_carry(slope, n):
    rows = []
    for s in range(80):
        design = _adjusted(s, n=n, slope=slope)
        calm = design._trimming()[0]
        if calm.power is None:
            assert calm.status == "unshown" and "볼 것이 없습니다" in calm.message
            continue
        f = design.fit
        extreme = np.minimum(f.e1, f.e0) < 0.02
        if not extreme.any():
            continue
        shift = extreme * (1.0 * f.a - 1.0 * f.b)
        per = np.mean(shift * (f.a / np.clip(f.e1, 0.01, 1) - f.b / np.clip(f.e0, 0.01, 1)))
        biased = _adjusted(s, n=n, slope=slope)
        biased.fit.y = f.y + np.sign(design.primary.value) * calm.power.bias / per * shift
        rows.append((calm.power.noticed, rang(calm), rang(biased._trimming()[0])))
    assert len(rows) > 40
    compare(rows, level=0.10)


# --- 불연속 ---


@pytest.mark.parametrize("n", [500, 4000])
def test_the_donut_sees_the_units_at_the_cutoff(n):
    rows = []
    for s in range(60):
        frame = worlds.running_frame(90_000 + s, n=n)
        design = fitted(worlds.running_spec("a"), frame)
        f, calm = design.fit, design._donut()[0]
        near = ((f.x >= 0) & (f.x <= DONUT[0] * f.h)).astype(float)
        per = jump(f.x, near, f.h, 2)[0]
        if per < 0.05:  # 그 안에 대상이 없다시피 합니다
            continue
        frame["y"] = f.y + np.sign(design.primary.value) * calm.power.bias / per * near
        rows.append((calm.power.noticed, rang(calm), rang(fitted(worlds.running_spec("a"), frame)._donut()[0])))
    compare(rows)


def test_a_false_cutoff_sees_a_jump_at_one_of_its_places():
    rows = []
    for s in range(60):
        frame = worlds.running_frame(90_000 + s, n=4000)
        design = fitted(worlds.running_spec("a"), frame)
        f, calm = design.fit, design._placebo_cutoffs()
        side = f.x >= 0 if s % 6 < 3 else f.x < 0
        at = np.quantile(f.x[side], (0.3, 0.5, 0.7)[s % 3])
        frame["y"] = f.y + calm.power.bias * (side & (f.x >= at))
        rows.append((calm.power.noticed, rang(calm), rang(fitted(worlds.running_spec("a"), frame)._placebo_cutoffs())))
    compare(rows)


# --- 패널의 용량, 반복 횡단면 ---


@pytest.mark.parametrize(("name", "ahead"), [("leads", 1), ("carry_over", -1)])
def test_a_neighbouring_dose_is_seen_as_often_as_told(name, ahead):
    rows, spec = [], worlds.dose_panel_spec("a")
    for s in range(120):
        frame = worlds.dose_panel_frame(91_000 + s, units=8, periods=6)
        design = fitted(spec, frame)
        calm = design._other_times(name)
        other = design._shifted(-ahead)
        along = design._regress(other, design.fit.X)[0][0]
        moved = frame.groupby("unit")["t"].shift(-ahead).fillna(frame["t"])
        biased = fitted(spec, frame.assign(y=frame["y"] + calm.power.bias / abs(along) * moved))
        rows.append((calm.power.noticed, rang(calm), rang(biased._other_times(name))))
    compare(rows)


def test_the_head_count_sees_newcomers():
    rows, spec = [], worlds.cross_sections_spec("a")
    for s in range(150):
        frame, _ = worlds.cross_sections_frame(92_000 + s, groups=12, treated=6, periods=6, starts=(4,), size=30)
        calm = fitted(spec, frame)._turnout()
        share, r = min(calm.power.bias / frame["y"].std(), 0.95), np.random.default_rng([s, 5])
        on = frame[frame["t"] == 1]
        extra = on[r.random(len(on)) < share / (1 - share)].copy()
        extra["x"] += 1e-6  # 다른 사람들입니다
        biased = fitted(spec, pd.concat([frame, extra], ignore_index=True))._turnout()
        rows.append((calm.power.noticed, rang(calm), rang(biased)))
    compare(rows)


def test_a_fixed_number_of_people_shows_nothing():
    frame, _ = worlds.cross_sections_frame(7, groups=12, treated=6, size=30)
    frame = frame.groupby(["store", "week"]).head(8).reset_index(drop=True)
    check = fitted(worlds.cross_sections_spec("a"), frame)._turnout()
    assert (check.status, check.cap, check.power) == ("unshown", None, None)


# --- 그래프 ---

EDGES = (("x1", "t"), ("x1", "y"), ("x3", "t"), ("t", "y"), ("x2", "y"))


def _graphed(seed, missing=0.0, n=300):
    """그래프에는 x3 → y가 없습니다. ``missing``은 자료에 있는 그 화살표의 크기입니다."""
    r = np.random.default_rng(seed)
    x1, x2, x3 = r.normal(size=(3, n))
    t = (r.random(n) < 1 / (1 + np.exp(-0.6 * x1 - 1.5 * x3))).astype(int)
    y = x1 + x2 + missing * x3 + 2.0 * r.normal(size=n)
    return pd.DataFrame({"x1": x1, "x2": x2, "x3": x3, "t": t, "y": y})


def _least_squares(frame, adjusted):
    X = np.column_stack([np.ones(len(frame)), frame["t"], frame[list(adjusted)]])
    beta = np.linalg.lstsq(X, frame["y"], rcond=None)[0]
    left = frame["y"] - X @ beta
    return estimate(beta[1], np.sqrt(left @ left / (len(X) - X.shape[1]) * np.linalg.inv(X.T @ X)[1, 1]))


def test_the_graph_sees_a_missing_arrow_that_biases():
    spec, adjusted, rows = worlds.world_spec("a", edges=EDGES), ("x1", "x2"), []
    for s in range(120):
        frame = _graphed(s)
        main = _least_squares(frame, adjusted)
        (calm,) = checks.graph_independences(spec, frame, main, adjusted)
        if calm.power is None:
            assert rang(calm)
            continue
        X = np.column_stack([np.ones(len(frame)), frame["t"], frame[list(adjusted)]])
        slope = np.linalg.lstsq(X, frame["x3"], rcond=None)[0][1]
        frame["y"] += calm.power.bias / slope * frame["x3"]
        (biased,) = checks.graph_independences(spec, frame, _least_squares(frame, adjusted), adjusted)
        rows.append((calm.power.noticed, rang(calm), rang(biased)))
    compare(rows)


def test_an_independence_that_cannot_bias_is_not_a_pass():
    """보정한 변수끼리의 독립만 있으면, 조용해도 추정값에 대해 말해 주지 않습니다. 그래프에 기대지 않는 설계에서도 그렇습니다."""
    frame = _graphed(1, n=600)
    spec = worlds.world_spec("a", edges=(("x1", "t"), ("x1", "y"), ("t", "y"), ("x2", "t"), ("x2", "y")))
    main = _least_squares(frame, ("x1", "x2"))
    (check,) = checks.graph_independences(spec, frame, main, ("x1", "x2"))
    assert (check.status, check.cap, check.power) == ("unshown", None, None) and "치우치지는 않으므로" in check.message
    (check,) = checks.graph_independences(worlds.world_spec("a", edges=EDGES), frame)
    assert check.status == "unshown" and "기대지 않으므로" in check.message


# --- 되풀이를 잇는 일 ---


def test_draws_go_on_where_they_stopped(tmp_path, monkeypatch):
    asked = []

    def draw(seed):
        asked.append(seed)
        return [seed, 0.5]

    with ThreadPoolExecutor(1) as pool:
        assert drawn.draw_all("a/b", draw, 10, 3, pool, tmp_path) == [[10, 0.5], [11, 0.5], [12, 0.5]]
        (record,) = tmp_path.glob("*/a/b.jsonl")
        record.write_text(record.read_text() + "\n[13, [13, 0.")  # 적다가 멈춘 줄
        assert drawn.draw_all("a/b", draw, 10, 5, pool, tmp_path)[-1] == [14, 0.5]
        assert asked == [10, 11, 12, 13, 14]
        monkeypatch.setattr(drawn, "fingerprint", lambda: "other")  # 코드가 바뀌면 처음부터 다시 뽑습니다
        drawn.draw_all("a/b", draw, 10, 2, pool, tmp_path)
    assert asked[5:] == [10, 11]


def test_the_short_rows_are_listed_from_the_cheapest(capsys, tmp_path):
    rows = {
        "dear": {"draws": 60, "seconds": 2.0},
        "cheap": {"draws": 60, "seconds": 0.1},
        "done": {"draws": 500, "seconds": 1},
    }
    assert pipeline.short(rows, 500) == [("cheap", 60, 0.1), ("dear", 60, 2.0)]
    for command in (pipeline.main, false_alarms.main):
        with pytest.raises(SystemExit):
            command(["--worlds", "no_such_world", "--out", str(tmp_path / "table.yml")])
    assert "no_such_world" in capsys.readouterr().err
    pipeline.main(["--list", "--draws", "100000"])
    false_alarms.main(["--list", "--draws", "100000"])
    told = capsys.readouterr().out
    assert all(name in told for name in (*pipeline.NAMES, *false_alarms.CALM))


@pytest.mark.parametrize("n", [800, 4000])
def test_the_sweep_of_bandwidths_sees_a_cubic_response(n):
    """국소 이차식이 그만큼 치우치게 결과를 세제곱으로 굽히고, 띠는 그대로 둡니다."""
    rows = []
    for s in range(60):
        frame = worlds.running_frame(95_000 + s, n=n)
        design = fitted(worlds.running_spec("a"), frame)
        f, calm = design.fit, design._bandwidths()[0]
        if calm.power is None:
            continue
        cubic = np.where(f.x >= 0, f.x**3, 0.0)
        per = jump(f.x, cubic, f.h, 2)[0]
        bent = f.y + np.sign(design.primary.value) * calm.power.bias / per * cubic
        other = designs.get("discontinuity")(design.spec, design.ident, design.frame)
        other.__dict__["fit"] = replace(f, y=bent)
        rows.append((calm.power.noticed, rang(calm), rang(other._bandwidths()[0])))
    compare(rows)


# --- 용량의 굽음 ---


def test_the_straight_dose_is_told_from_the_curve():
    """곧은 반응에 제곱을 더해, 곧은 추정과 곡선이 꼭 그만큼 갈리게 합니다."""
    rows = []
    for s in range(10):
        spec, frame, _ = worlds.dose(s, n=400)
        frame["y"] += frame["t"] - 2 * np.sin(frame["t"] / 2)
        z = (frame["t"] - frame["t"].mean()) / frame["t"].std()

        def gap(design):
            return (design.scores["linear_dml"] - design.scores["dose_curve"]).mean()

        straight, bent = fitted(spec, frame), fitted(spec, frame.assign(y=frame["y"] + z**2))
        calm, per = straight._curvature(), gap(bent) - gap(straight)
        more = frame.assign(y=frame["y"] + calm.power.bias / per * z**2)
        rows.append((calm.power.noticed, rang(calm), rang(fitted(spec, more)._curvature())))
    compare(rows)


@pytest.mark.parametrize("units", [20, 60])
def test_a_bent_dose_in_a_panel_is_seen(units):
    rows = []
    for s in range(40):
        spec, frame = worlds.dose_panel_spec("a"), worlds.dose_panel_frame(s, units=units)
        design = fitted(spec, frame)
        calm, t = design._curvature(), frame["t"].to_numpy()
        low, high = ((v - t.mean()) / t.std() for v in (2.0, 3.0))
        z = (t - t.mean()) / t.std()
        straight = fitted(spec, frame.assign(y=z**2)).primary.value
        bend = calm.power.bias / (high**2 - low**2 - straight)
        more = frame.assign(y=frame["y"] + bend * z**2)
        rows.append((calm.power.noticed, rang(calm), rang(fitted(spec, more)._curvature())))
    compare(rows, level=0.10)


# --- 도구의 부등식 ---


@pytest.mark.parametrize(("n", "bias"), [(1500, 2.0), (8000, 2.0), (8000, 5.0), (8000, 6.0)])
def test_the_inequalities_see_a_direct_path_as_often_as_told(n, bias):
    """도구가 결과에 곧장 닿는 길을, 적은 두 방향 가운데 보기 어려운 쪽으로 냅니다. 부등식은 결과의 모델을 쓰지 않으므로 결과만 바꿉니다."""
    rows = []
    for s in range(30):
        spec, frame, _ = worlds.direct_mail(s, n=n)
        frame["y"] -= 0.4 * frame["z"]
        design = fitted(spec, frame)
        design.__dict__["primary"] = estimate(2 * bias, 0.1)
        calm, f = design._implications()[0], design.fit
        direct = calm.power.bias * (f.d[f.z == 1].mean() - f.d[f.z == 0].mean())
        rang_at = []
        for sign in (1, -1):
            design.__dict__["fit"] = replace(f, y=f.y + sign * direct * f.z)
            rang_at.append(rang(design._implications()[0]))
        rows.append((calm.power.noticed, rang(calm), rang_at))
    told = np.mean([row[0] for row in rows])
    found = np.mean([row[2] for row in rows], axis=0).min()
    assert found == pytest.approx(told, abs=3 * np.sqrt(max(told * (1 - told), 0.02) / len(rows))), (told, found)
    assert np.mean([row[1] for row in rows]) <= 0.05
