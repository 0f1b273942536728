"""다섯 용의자 사례: 알려진 정답, 가정을 깬 세상, 저장된 되풀이, 생성기에서 다시 계산한 메모."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from benchmarks import line_discovery as bench
from causal_practice import check_answer, generator, load, truth

LINE = generator("bosch_line_discovery")
KNOWN = truth("bosch_line_discovery")["ATE"]
ROWS = pd.read_csv(bench.RESULT)
PAGE = bench.page()
N, W, D, Y = 0, 4, 5, 6
OPERATOR = 1


@pytest.fixture(scope="module")
def large():
    return LINE.generate(seed=31, n=500_000)


@pytest.fixture(scope="module")
def line():
    return load("bosch_line_discovery")


def less(x):
    return 0.6 * x


def test_the_truth_on_the_card_and_the_innocent_operator(large):
    effect = 100 * (large["risk_less"] - large["risk_now"])
    assert effect.mean() == pytest.approx(KNOWN, abs=0.01)
    assert large.groupby("operator")["defect"].mean().diff().iloc[1] > 0.005
    by_shift = large.groupby(["night", "operator"])["risk_now"].mean().unstack()
    assert by_shift.diff(axis=1)[1].abs().max() < 0.001
    assert LINE.rate_after(large, 0.4) == pytest.approx(large["risk_less"].mean(), abs=1e-5)


@pytest.mark.parametrize("cut", [-0.1, 1.0, True, "많이"])
def test_an_impossible_cut_is_refused(cut, line):
    with pytest.raises(ValueError, match="줄이는 비율"):
        LINE.rate_after(LINE.generate(n=200), cut)


def test_holding_the_drift_erases_the_effect_and_the_parents_do_not(large):
    held, now = PAGE["do_rate"](large, "wear", ["night", "drift"], less)[:2]
    free = PAGE["do_rate"](large, "wear", ["night"], less)[0]
    assert abs(held - now) < 0.1 and free - now == pytest.approx(KNOWN, abs=0.06)


def test_the_shift_decides_the_direction_and_data_alone_do_not(line):
    p = PAGE["tester"](line)
    near, apart = PAGE["skeleton"](p)
    alone = PAGE["orient"](near, apart)
    assert D in near[W] and (W, D) not in alone and (D, W) not in alone
    arrows = PAGE["orient"](near, apart, bench.KNOWN)
    assert (W, D) in arrows and (D, W) not in arrows and Y not in near[OPERATOR]


def test_the_form_of_the_test_matters_a_straight_line_leaves_a_false_edge(large):
    """곧은 선만 빼면 편차를 알아도 마모와 불량이 이어져 보이고, 꺾인 선을 빼면 그렇지 않습니다."""
    few = large.iloc[:60_000]
    x = few[["wear", "drift", "defect"]].corr().to_numpy()
    P = np.linalg.inv(x)
    straight = -P[0, 2] / np.sqrt(P[0, 0] * P[2, 2])
    assert abs(straight) * np.sqrt(len(few)) > 4
    assert PAGE["tester"](few)(W, Y, (D,)) > 0.001


def test_one_straight_side_is_enough_for_the_straight_test():
    """마모가 정규분포라 편차를 따라 곧게 늘면, 불량이 굽어 있어도 곧은 선의 검정이 없는 선을 남기지 않습니다."""
    rng = np.random.default_rng(5)
    wear = rng.normal(1, 0.75, 200_000)
    drift = 0.6 * wear + rng.normal(0, 0.3, len(wear))
    defect = rng.random(len(wear)) < 1 / (1 + np.exp(5 - 2.5 * drift))
    P = np.linalg.inv(np.corrcoef([wear, drift, defect]))
    assert abs(P[0, 2] / np.sqrt(P[0, 0] * P[2, 2])) * np.sqrt(len(wear)) < 3


def test_the_residual_product_is_blind_to_a_symmetric_dependence():
    frame = LINE.generate(seed=3)
    z = frame["hardness"]
    chance = np.where(z.abs() > 1.5, 0.06, 0.02)
    frame["defect"] = (np.random.default_rng(5).random(len(z)) < chance).astype(int)
    ends = frame.groupby(z.abs() > 1.5)["defect"].mean()
    assert ends[True] > 2 * ends[False] and PAGE["tester"](frame)(2, Y, ()) > 0.01


def test_a_noisy_wear_gauge_turns_the_arrow_around():
    rng = np.random.default_rng(16)
    turned, effects = [], []
    for k in range(2):
        frame = LINE.generate(seed=7_000 + k)
        frame["wear"] += rng.normal(0, 0.3, len(frame))
        turned.append("drift" in PAGE["parents"](PAGE["discover"](frame)[1], W))
        effects.append(PAGE["wear_effect"](frame)[0])
    assert sum(turned) >= 1 and np.mean(effects) > KNOWN + 0.5


def test_parts_of_one_tool_leave_a_false_edge():
    """같은 공구의 부품이 편차를 함께 나누면, 부품 단위의 검정은 조와 편차를 잇습니다."""
    found = []
    for k in range(8):
        rng, frame = np.random.default_rng(k), LINE.generate(seed=k)
        tool = np.repeat(np.arange(400), 50)
        frame["night"] = rng.binomial(1, 0.5, 400)[tool]
        age = 2 * np.tile(np.arange(50) / 50, 400) * rng.gamma(4, 0.25, 400)[tool]
        frame["wear"] = age * (0.75 + 0.5 * frame["night"])
        frame["drift"] = 0.6 * frame["wear"] + rng.normal(0, 0.2, 400)[tool] + rng.normal(0, 0.22, len(frame))
        found.append(PAGE["tester"](frame)(N, D, (W,)) < 0.01)
    assert np.mean(found) > 0.3


def test_the_missed_coverage_is_not_the_graphs_fault():
    """편차가 먼저인 세상: 부모를 편차로 못 박아도 저장된 씨앗에서는 비슷하고, 새 씨앗에서는 95%에 가깝습니다."""

    def inside(seed):
        then, now, moved, y = PAGE["do_rate"](LINE.generate(seed=seed, first="drift"), "wear", ["drift"], less)
        _, low, high = PAGE["interval"](then - now, moved - y)
        return low <= 0 <= high

    r = ROWS[ROWS["world"] == "drift_first"].iloc[:40]
    chosen = ((r["low"] <= 0) & (r["high"] >= 0)).mean()
    assert abs(np.mean([inside(int(s)) for s in r["seed"]]) - chosen) < 0.05
    assert np.mean([inside(300_000 + k) for k in range(60)]) > 0.85


def test_copied_helpers_have_the_limits_that_section_13_names(line):
    near = {0: {1, 2}, 1: {0, 2}, 2: {0, 1}}
    assert (0, 2) not in PAGE["orient"](near, {}, [(0, 1), (1, 2)])  # 순환을 막는 규칙이라면 달았을 화살표
    with pytest.raises(np.linalg.LinAlgError):
        PAGE["tester"](line.assign(wear=line["wear"].round().clip(upper=2)))(N, D, (W,))


def test_the_independence_test_keeps_its_level_and_has_power():
    """독립인 쌍(작업자와 불량, 조를 알 때)은 문턱만큼만, 이어진 쌍은 늘 기각합니다."""
    null, real = [], []
    for k in range(60):
        p = PAGE["tester"](LINE.generate(seed=700 + k, n=4_000))
        null.append(p(OPERATOR, Y, (N,)) < 0.05)
        real.append(p(W, D, (N,)) < 0.05)
    assert np.mean(null) < 0.14 and np.mean(real) == 1


def test_the_stored_table_has_every_draw_once_with_the_generators_truth():
    assert list(dict.fromkeys(ROWS["world"])) == list(bench.WORLDS)
    assert (ROWS.groupby("world")["seed"].nunique() == bench.DRAWS).all()
    assert len(ROWS) == bench.DRAWS * len(bench.WORLDS)
    for world, value in bench.truths(seed=3, n=200_000).items():
        assert ROWS.loc[ROWS["world"] == world, "truth"].iloc[0] == pytest.approx(value, abs=0.025)


@pytest.mark.parametrize("world", bench.WORLDS)
def test_stored_rows_are_what_the_page_computes_today(world):
    """표와 계산이 어긋나면 실패합니다. 오래된 표로 쪽을 펴내는 일을 막습니다."""
    stored = ROWS[ROWS["world"] == world].iloc[7]
    again = bench.one(world, int(stored["seed"]), PAGE)
    for name, value in again.items():
        if name != "world":
            assert value == pytest.approx(stored[name], abs=0.002), name


def covered(world, low, high):
    r = ROWS[ROWS["world"] == world]
    return ((r[low] <= r["truth"]) & (r["truth"] <= r[high])).mean()


def test_what_each_broken_assumption_breaks():
    """기본에서는 두 방법이 약속을 지키고, 숨은 원인은 둘을, 나머지 두 세상은 사슬만 무너뜨립니다."""
    assert min(covered("base", "low", "high"), covered("base", "chain_low", "chain_high")) > 0.91
    assert max(covered("coolant_wear", "low", "high"), covered("coolant_wear", "chain_low", "chain_high")) < 0.7
    for world in ("coolant_drift", "slowdown"):
        assert covered(world, "low", "high") > 0.9 > 0.5 > covered(world, "chain_low", "chain_high")
    mean = ROWS.groupby("world").mean(numeric_only=True)
    assert mean.loc["coolant_wear", "effect"] < mean.loc["coolant_wear", "truth"] - 0.1
    assert abs(mean.loc["drift_first", "effect"]) < 0.1 < 0.6 < abs(mean.loc["drift_first", "chain"])
    assert mean.loc["slowdown", "to_defect"] < 0.1 and mean.loc["small", "to_defect"] < 0.8


def test_the_alarms_and_their_power():
    mean = ROWS.groupby("world").mean(numeric_only=True)
    assert mean.loc["base", "differ"] < 0.11
    assert mean.loc["coolant_drift", "differ"] > 0.9 and mean.loc["coolant_wear", "differ"] > 0.4
    assert mean.loc["drift_first", "differ"] < 0.15  # 둘이 같은 방향을 믿으므로 조용합니다
    assert mean.loc["coolant_wear", "alarm"] < 0.4 and mean.loc["base", "alarm"] < 0.11
    assert mean.loc["slowdown", "differ"] > 0.8 > mean.loc["slowdown", "alarm"] > 0.2


def test_the_memos_money_is_the_generators(line, large):
    """메모의 추천(50%)이 참 불량률로도 낫고, 공구비와 위약금을 한 번씩만 셉니다."""

    def true_money(cut):
        rate, now = 100 * LINE.rate_after(large, cut), 100 * large["risk_now"].mean()
        over = [stats.norm.sf((1.5 - r) / np.sqrt(r * (100 - r) / 20_000)) for r in (now, rate)]
        return 20_000 / 100 * 3 * (now - rate) - (600 / (1 - cut) - 600) + 2_000 * (over[0] - over[1]), rate, over[1]

    forty, fifty = true_money(0.4), true_money(0.5)
    assert fifty[0] > forty[0] > 0 and fifty[1] < 1.5 < forty[1] and fifty[2] < 0.1 < 0.5 < forty[2]
    rates = [PAGE["do_rate"](line, "wear", ["night"], lambda x, c=c: (1 - c) * x) for c in (0.4, 0.5)]
    for (then, _, moved, _), (_, rate, _) in zip(rates, (forty, fifty), strict=True):
        value, low, high = PAGE["interval"](then, moved)
        assert low < rate < high
    scrap = 600 * (rates[0][1] - rates[0][0]) - 400
    assert scrap > 0 and 100 * (600 / 0.6 - 600) / (20_000 * 3) == pytest.approx(0.667, abs=0.001)


def test_typical_wrong_answers_are_told_apart(line, capsys):
    held, now = PAGE["do_rate"](line, "wear", ["night", "drift"], less)[:2]
    free = PAGE["do_rate"](line, "wear", ["night"], less)[0] - now
    hints = {"편차를 빼먹음": (free, "편차도 넣으세요."), "불량률을 답함": (held, "지금의 불량률을 빼세요.")}
    for wrong, hint in hints.values():
        check_answer("연습 1", wrong, expected=held - now, decimals=2, wrong=hints)
        said = capsys.readouterr().out
        assert "아직 아닙니다" in said and hint in said
    check_answer("연습 1", held - now, expected=held - now, decimals=2, wrong=hints)
    assert "정답입니다" in capsys.readouterr().out


def test_the_specification_of_section_13_is_ready_for_the_pipeline(line):
    """명세는 그대로 읽히고, 그래프에서 편차를 보정하지 않습니다."""
    from book.page import ROOT, read_page
    from causal_pipeline.identify import identify
    from causal_pipeline.spec import parse_spec

    text = read_page(ROOT / "case_studies" / "bosch_line_discovery.md").text.split("```yaml\n")[1].split("```")[0]
    spec = parse_spec(text, ROOT / "data")
    assert "drift" not in identify(spec, line).adjustment
