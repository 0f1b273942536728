"""설비 고장 사례: 큰 표본에서 아는 정답, 고장의 자손이 뒤집는 부호, 그래프의 약속, 메모의 돈."""

import re

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.stats import t as student

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_pipeline.spec import parse_spec
from causal_practice import generator, load, truth

FLOOR = generator("machine_shift_breakdowns")
KNOWN = truth("machine_shift_breakdowns")
TEXT = read_page(ROOT / "case_studies" / "machine_shift_breakdowns.md")
BEFORE = ["hours_since", "small_lot", "night"]
PAGE = page_functions(
    TEXT, "half_width", "linear", "promises", "table", "p_values", "one_p", "broken", "fit_within", "within_effect",
    "logistic", "pooled_effect", "strength", student=student, nx=nx, before=BEFORE,
)  # fmt: skip
ARROWS = [("machine_id", x) for x in ("small_lot", "hours_since", "changeovers", "breakdown", "vibration")]
ARROWS += [(x, y) for x in BEFORE for y in ("changeovers", "breakdown")]
ARROWS += [("hours_since", "vibration"), ("hours_since", "energy_kwh"), ("changeovers", "breakdown")]
ARROWS += [("changeovers", "run_hours"), ("run_hours", "energy_kwh")]
OURS, FLIPPED = (nx.DiGraph([*ARROWS, e]) for e in (("breakdown", "run_hours"), ("run_hours", "breakdown")))


@pytest.fixture(scope="module")
def large():
    return FLOOR.generate(seed=31, machines=1_500)


def test_truth_on_the_card_is_the_population_average():
    for world, key in [
        ({}, "ATE"), ({"hidden": "machine"}, "ATE_machine"), ({"hidden": "tool"}, "ATE_tool"), ({"repair": "whole"}, "ATE_whole"),
    ]:  # fmt: skip
        effect = FLOOR.generate(seed=8, machines=2_500, **world)["effect"]
        assert effect.mean() == pytest.approx(KNOWN[key], abs=0.03)
    assert (FLOOR.generate(seed=8, machines=3, per_changeover=0.0)["effect"] == 0).all()


def test_the_shift_ends_after_the_breakdown_and_the_clock_before_it(large):
    """이 조의 값은 고장이 줄이고, 누적 가동은 앞 조까지의 합이라 그 조의 고장을 모릅니다."""
    means = large.groupby("breakdown")[["run_hours", "energy_kwh"]].mean()
    assert (means.loc[1] < means.loc[0]).all()
    recorded = large.drop(columns=["machine_id", "shift_no", "changeovers_done", "frailty", "tool", "chance", "effect"])
    assert (
        recorded.corr()["breakdown"].drop("breakdown").abs().idxmax() == "run_hours"
    )  # 가장 잘 맞히는 열은 결과의 자손
    assert (large["changeovers_done"] <= large["changeovers"]).all()
    before, after = large.iloc[:-1], large.iloc[1:]
    same = (after["machine_id"].to_numpy() == before["machine_id"].to_numpy()) & (after["hours_since"] > 0).to_numpy()
    grown = after["hours_since"].to_numpy() - before["hours_since"].to_numpy()
    assert np.abs(grown - before["run_hours"].to_numpy())[same].max() < 0.2


def test_adjusting_descendants_of_the_breakdown_turns_the_sign(large):
    linear = PAGE["linear"]
    assert linear(large, [])[0] > KNOWN["ATE"] + 0.4
    assert linear(large, [*BEFORE, "energy_kwh"])[0] < -1
    assert linear(large, [*BEFORE, "run_hours"])[0] < linear(large, [*BEFORE, "energy_kwh"])[0]
    assert linear(large, BEFORE, t="changeovers_done")[0] < -1
    assert linear(large, [*BEFORE, "vibration"])[0] == pytest.approx(linear(large, BEFORE)[0], abs=0.02)


def test_both_methods_recover_the_truth_and_the_linear_slope_has_another_target(large):
    assert PAGE["within_effect"](large)[0] == pytest.approx(KNOWN["ATE"], abs=0.07)
    assert PAGE["pooled_effect"](large)[0] == pytest.approx(KNOWN["ATE"], abs=0.07)
    # 선형회귀의 차이는 남은 교란이 아니라 가중치입니다. 교체가 이미 많은 조일수록 한 번 더의 효과가 큽니다
    by_count = large.groupby(large["changeovers"].clip(upper=5))["effect"].mean()
    assert (by_count.diff().dropna() > 0).all() and by_count[5] > 3 * by_count[0]
    chance, count = large["chance"], large["changeovers"]
    without = 1 / (1 + np.exp(-(np.log(chance / (1 - chance)) - 0.25 * count)))
    left = PAGE["linear"](large.assign(breakdown=without), BEFORE)[0]
    assert abs(left) < 0.02 and PAGE["linear"](large, BEFORE)[0] > KNOWN["ATE"] + 0.15


def test_what_each_method_survives():
    within, pooled = PAGE["within_effect"], PAGE["pooled_effect"]
    jig = FLOOR.generate(seed=32, machines=1_200, hidden="machine")
    assert abs(within(jig)[0] - KNOWN["ATE_machine"]) < 0.12 < pooled(jig)[0] - KNOWN["ATE_machine"] - 0.15
    tool = FLOOR.generate(seed=33, machines=1_200, hidden="tool")
    assert within(tool)[0] < KNOWN["ATE_tool"] - 0.3 and pooled(tool)[0] < KNOWN["ATE_tool"] - 0.25
    whole = FLOOR.generate(seed=34, machines=1_200, repair="whole")
    assert within(whole)[0] == pytest.approx(KNOWN["ATE_whole"], abs=0.1)


def test_the_size_of_a_hidden_cause_predicts_the_bias():
    """10절의 γδ: 숨은 공구를 잰 것처럼 넣어 구한 값이 빠졌을 때의 편향과 가깝습니다."""
    tool = FLOOR.generate(seed=35, machines=1_200, hidden="tool")
    short = PAGE["fit_within"](tool, ["changeovers", *BEFORE])[0][0]
    full = PAGE["fit_within"](tool, ["changeovers", *BEFORE, "tool"])[0][0]
    wide = page_functions(TEXT, "table", "fit_within", "strength", before=[*BEFORE, "tool"])
    assert short - full < -0.08
    assert wide["strength"](tool, "tool") == pytest.approx(short - full, abs=0.03)


def test_conditional_poisson_is_the_librarys():
    from statsmodels.discrete.conditional_models import ConditionalPoisson

    d = FLOOR.generate(seed=36, machines=40)
    d = d[d.groupby("machine_id")["breakdown"].transform("sum") > 0]
    names = ["changeovers", *BEFORE]
    fit = ConditionalPoisson(d["breakdown"], d[names] / [1, 100, 1, 1], groups=d["machine_id"]).fit()
    assert PAGE["fit_within"](d, names)[0][0] == pytest.approx(fit.params["changeovers"], abs=1e-4)


def test_machines_without_a_breakdown_bring_no_evidence_about_the_ratio():
    d = FLOOR.generate(seed=37)
    names = ["changeovers", *BEFORE]
    broke = d[d.groupby("machine_id")["breakdown"].transform("sum") > 0]
    assert len(broke) < len(d)
    assert PAGE["fit_within"](d, names)[0] == pytest.approx(PAGE["fit_within"](broke, names)[0])


def test_promises_are_the_graphs_and_only_the_reversed_arrow_changes_them(large):
    mine, other = PAGE["promises"](OURS), PAGE["promises"](FLIPPED)
    assert len(mine) == len(other) == 16
    p = dict(zip([(a, b) for a, b, _ in mine], PAGE["p_values"](large, mine), strict=True))
    assert p[("changeovers", "vibration")] > 0.001 and p[("hours_since", "run_hours")] > 0.001
    # 설비가 아주 많으면 선형 검정은 곱으로 정해진 전력에서 맞는 그래프도 기각합니다
    assert p[("breakdown", "energy_kwh")] < 0.001
    q = dict(zip([(a, b) for a, b, _ in other], PAGE["p_values"](large, other), strict=True))
    assert q[("hours_since", "run_hours")] < 1e-6
    tool = FLOOR.generate(seed=38, machines=200, hidden="tool")
    assert PAGE["p_values"](tool, [("changeovers", "vibration", ["hours_since"])])[0] < 1e-6


def test_both_graphs_ask_for_the_same_set_and_refuse_the_run_time():
    for g in (OURS, FLIPPED):
        cut = g.copy()
        cut.remove_edges_from(list(g.out_edges("changeovers")))
        assert "run_hours" in nx.descendants(g, "changeovers")
        assert nx.is_d_separator(cut, {"changeovers"}, {"breakdown"}, {"machine_id", *BEFORE})
        assert not nx.is_d_separator(cut, {"changeovers"}, {"breakdown"}, {"machine_id", "small_lot", "night"})


def test_holm_steps_down_and_stops():
    broken = PAGE["broken"]
    assert broken(np.array([0.001, 0.02, 0.04, 0.5])).tolist() == [True, False, False, False]
    assert broken(np.array([0.001, 0.016, 0.03, 0.5])).tolist() == [True, True, False, False]
    assert not broken(np.array([0.03, 0.03, 0.03])).any() and broken(np.array([0.01, 0.02])).all()


def test_clustered_errors_are_right_on_average_and_shaky_in_one_sample():
    runs = np.array([PAGE["within_effect"](FLOOR.generate(seed=40_000 + k)) for k in range(80)])
    errors = (runs[:, 2] - runs[:, 1]) / 2 / student.ppf(0.975, 22)
    assert errors.mean() == pytest.approx(runs[:, 0].std(), rel=0.2)
    assert 0.1 < errors.std() / errors.mean() < 0.4


def test_the_memos_money_is_the_generators():
    """메모의 손해 구간이 생성기의 손해를 포함하고, 이익과 손실을 한 번씩만 셉니다."""
    d = load("machine_shift_breakdowns")
    value, low, high = PAGE["within_effect"](d)
    cost = [23 * 60 * (1000 * x / 100 - 4) for x in (value, low, high)]
    people = FLOOR.generate(seed=39, machines=1_500)
    real = 23 * 60 * (1000 * people["effect"].mean() / 100 - 4)
    assert cost[1] < real < cost[2] and real > 0
    assert cost[0] == pytest.approx(14_002, abs=1)
    assert "gain, loss, shifts = 4, 1000, 60" in TEXT.text
    assert low > 100 * 4 / 1000  # 결정이 쓰는 구간의 끝이 본전 위에 있습니다


def test_common_wrong_answers_are_far_from_the_right_ones():
    d = load("machine_shift_breakdowns")
    ate, raw = PAGE["within_effect"](d)[0], PAGE["linear"](d, [])[0]
    kitchen = PAGE["linear"](d, [*BEFORE, "run_hours", "energy_kwh"])[0]
    right = 12 - 10 * ate
    assert min(abs(right - (4 - 10 * ate)), abs(right - (12 - 10 * kitchen)), abs(right - (12 - 10 * raw))) > 1
    done = PAGE["linear"](d, BEFORE, t="changeovers_done")[0]
    assert done < 0 < PAGE["linear"](d, BEFORE)[0]


def test_the_specification_is_the_pipelines_and_holds_no_descendant():
    block = re.search(r"```yaml\n(.*?)```", TEXT.text, re.DOTALL)[1]
    spec = yaml.safe_load(block)
    parse_spec(block, ROOT / "data")
    assert spec["treatment"]["cluster"] == "machine_id" and set(spec["confounders"]) == set(BEFORE)
    assert not {"run_hours", "energy_kwh", "changeovers_done"} & set(spec["confounders"])


def _floor(seed, machines=1_500, shifts=94, plus=0, cut=0.0, whole=False, good=0.0, slow=0.35, per=0.25):
    """쪽의 생성기와 따로 지은 공장. 고장 뒤 40조 동안 교체를 ``cut``만큼 줄이고, 배수가 공구가 좋을수록 ``good``만큼 큽니다."""
    rng = np.random.default_rng(seed)
    frailty, jig, usual = rng.normal(size=machines), rng.normal(size=machines), rng.uniform(0.2, 0.6, machines)
    clock, quiet, rows = rng.uniform(0, 240, machines), np.full(machines, 1_000), []
    for shift in range(shifts):
        tool = rng.normal(size=machines) if good else np.zeros(machines)
        lot = np.clip(usual + rng.normal(0, 0.15, machines), 0, 1)
        clock[clock > 240] = 0
        hours, night = clock.copy(), shift % 2
        wear = hours / 120 - 1
        mean = 1.7 * np.exp(0.9 * (lot - 0.4) - 0.15 * night + 0.35 * jig + 0.35 * wear - 0.3 * tool)
        count = np.minimum(rng.poisson(mean * np.where(quiet <= 40, 1 - cut, 1)), 12) + plus
        step = per - good * tool
        odds = -4.35 + 1.2 * (lot - 0.4) + 0.25 * night + 0.6 * frailty + 0.8 * wear + 0.5 * tool + step * count
        chance, more = 1 / (1 + np.exp(-odds)), 1 / (1 + np.exp(-odds - step))
        broke = rng.uniform(size=machines) < chance
        run = np.maximum(12 - rng.gamma(2, 0.6, machines) - slow * count - broke * rng.uniform(2, 8, machines), 0)
        clock = np.where(whole & broke, 0, clock + run)
        quiet = np.where(broke, 1, quiet + 1)
        rows.append(np.column_stack([np.arange(machines), hours, lot, np.full(machines, night), count, broke, run]))
        rows[-1] = np.column_stack([rows[-1], chance, 100 * (more - chance)])
    names = ["machine_id", *BEFORE, "changeovers", "breakdown", "run_hours", "chance", "effect"]
    return pd.DataFrame(np.stack(rows, axis=1).reshape(-1, len(names)), columns=names)


def test_a_plan_that_answers_a_breakdown_inflates_the_within_comparison():
    """고장 난 설비의 교체를 한동안 줄이면 효과가 부풀고, 조가 적을수록 더합니다. 그대로 두면 맞습니다."""
    within = PAGE["within_effect"]
    excess = [
        within(d)[0] - d["effect"].mean()
        for d in (_floor(51), _floor(51, cut=0.5), _floor(51, machines=4_000, shifts=20, cut=0.5))
    ]
    assert abs(excess[0]) < 0.1 and 0.12 < excess[1] < excess[2] - 0.2


def test_a_change_everywhere_is_less_than_one_shift_where_repair_resets_the_clock():
    one = _floor(52, whole=True)
    everywhere = 100 * (_floor(52, whole=True, plus=1)["chance"].mean() - one["chance"].mean())
    assert everywhere < one["effect"].mean() - 0.08
    part = _floor(52)
    same = 100 * (_floor(52, plus=1)["chance"].mean() - part["chance"].mean())
    assert same == pytest.approx(part["effect"].mean(), abs=0.06)  # 메모의 세상에서는 한 조의 효과가 결정의 효과입니다


def test_fewer_changeovers_in_a_bad_state_can_still_inflate_when_the_ratio_depends_on_it():
    d = _floor(53, good=0.2)
    assert PAGE["within_effect"](d)[0] > d["effect"].mean() + 0.1
    tool = FLOOR.generate(seed=33, machines=300, hidden="tool")
    assert PAGE["within_effect"](tool)[0] < KNOWN["ATE_tool"]


def test_a_later_value_alone_opens_nothing_when_there_is_no_effect_and_changeovers_do_not_move_it():
    linear = PAGE["linear"]
    idle = linear(_floor(54, per=0.0, slow=0.0), [*BEFORE, "run_hours"])
    assert abs(idle[0]) < 0.08
    assert linear(_floor(54, per=0.0), [*BEFORE, "run_hours"])[0] < -1.5


def test_the_graph_test_rejects_the_right_graph_before_the_floor_is_huge():
    mine = PAGE["promises"](OURS)
    draws = [PAGE["p_values"](FLOOR.generate(seed=60_000 + k, machines=200), mine) for k in range(12)]
    # 설비 200대의 60번에서 32%를 기각했습니다. 5%를 약속한 검정입니다
    assert 2 <= sum(PAGE["broken"](p).any() for p in draws) <= 9


def test_the_lower_end_passes_break_even_in_a_minority_of_draws_and_those_overstate():
    runs = np.array([PAGE["within_effect"](FLOOR.generate(seed=20_000 + k)) for k in range(50)])
    passed = runs[:, 1] > 0.4
    assert 0.08 < passed.mean() < 0.4 and runs[passed, 0].mean() > KNOWN["ATE"] + 0.2
