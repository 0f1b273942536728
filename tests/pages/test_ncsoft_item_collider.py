"""좋은 아이템 사례: 큰 표본의 정답, 보정 집합의 편향, 깨진 세상, 맞춘 회귀의 식과 표준오차, 민감도의 식, 메모의 돈."""

import re
from functools import lru_cache

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from benchmarks import item_collider as bench
from book.page import ROOT, read_page
from causal_pipeline.spec import parse_spec
from causal_practice import check_answer, generator, load, truth
from causal_practice.data import data_dir

NAME = "ncsoft_item_collider"
MAKER = generator(NAME)
KNOWN = truth(NAME)
TEXT = read_page(ROOT / "case_studies" / f"{NAME}.md")
RUNS = pd.read_csv(bench.RESULT)
PAGE = bench.page("residual", "lower_bound", "as_strong_as")
BEFORE, NINE, CHOSEN = PAGE["BEFORE"], PAGE["NINE"], PAGE["CHOSEN"]
fit, untreated, interval = PAGE["fit"], PAGE["untreated"], PAGE["interval"]


@lru_cache
def world(n=100_000, seed=11, **changes):
    """낮은 그룹의 큰 자료와 그 정답."""
    d = MAKER.generate(seed=seed, n=n, **changes)
    d = d[d["high_group"] == 0]
    gain = d["change_1"] - d["change_0"]
    return d, gain[d["hero"] == 0].mean()


def test_the_constants_of_the_tests_are_those_of_the_page():
    assert PAGE["ODDS"] == MAKER.ODDS == 0.03 and MAKER.EVENT == 10
    assert "MARGIN, COST = 500, 1000" in TEXT.text


def test_known_truth_at_large_n_and_the_outcome_is_one_of_the_two():
    d = MAKER.generate(seed=12, n=120_000)
    gain = d["change_1"] - d["change_0"]
    for group, name in ((0, "ATU"), (1, "ATU_high")):
        assert gain[(d["high_group"] == group) & (d["hero"] == 0)].mean() == pytest.approx(KNOWN[name], abs=0.02)
    assert (d["login_change"] == np.where(d["hero"] == 1, d["change_1"], d["change_0"])).all()
    none = MAKER.generate(seed=12, n=2_000, effect=0.0)
    assert (none["change_0"] == none["change_1"]).all()


def test_winners_stop_so_the_number_of_tries_is_an_effect_of_winning():
    d, _ = world()
    held = d["own_tickets"] + d["event_tickets"]
    assert (d.loc[d["hero"] == 0, "week_tries"] == held[d["hero"] == 0]).all()
    assert (d.loc[d["hero"] == 1, "week_tries"] <= held[d["hero"] == 1]).all()


def test_what_each_adjustment_set_gives():
    """9절의 말: 문을 닫는 것은 모은 뽑기권 하나이고, 뽑은 횟수는 대신하지 못하며, 처치 뒤의 둘은 답을 뒤집습니다."""
    d, goal = world()
    bias = {
        name: fit(d, names)[0] - goal
        for name, names in {
            "none": [],
            "five": BEFORE,
            "own": ["own_tickets"],
            "chosen": CHOSEN,
            "tries": [*BEFORE, "week_tries"],
            "arena": [*CHOSEN, "arena_entries"],
            "promoted": [*CHOSEN, "promoted"],
            "nine": NINE,
        }.items()
    }
    assert abs(bias["own"]) < 0.15 and abs(bias["chosen"]) < 0.15  # 몬테카를로 오차의 네 배
    assert bias["five"] > 0.3 and bias["none"] > 0.3
    assert bias["tries"] > bias["five"] + 0.1
    assert bias["arena"] < -goal and bias["nine"] < -goal and bias["promoted"] < -1
    assert abs(bias["none"]) < abs(bias["nine"])  # 잘못 보정한 것이 그냥 둔 것보다 더 틀렸습니다


def test_doing_nothing_is_not_safe_when_zeal_is_stronger():
    d, goal = world(eager=2.0)
    assert fit(d)[0] > goal + 1.5 and abs(untreated(d)[0] - goal) < 0.12


def test_fit_and_the_penalised_criterion_choose_the_wrong_model_in_new_data():
    sets = [[], BEFORE, ["own_tickets"], CHOSEN, [*CHOSEN, "arena_entries"], [*CHOSEN, "promoted"], NINE]
    for seed in range(10):
        d = MAKER.generate(seed=300 + seed, n=2_000)
        found = np.array([fit(d[d["high_group"] == 0], names) for names in sets])
        assert found[:, 2].argmax() == len(sets) - 1
        assert found[:, 3].argmin() >= 4 and found[found[:, 3].argmin(), 0] < 2


def test_one_table_fits_two_worlds():
    """3절: 충돌부의 세상에서 뽑은 표를, x가 먼저인 세상의 식이 그대로 만듭니다."""
    t, e, f = np.random.default_rng(629).normal(size=(3, 200_000))
    y = 0.5 * t + e
    x = 0.8 * t + 0.8 * y + 0.6 * f
    slope = np.linalg.lstsq(np.column_stack([t, x]), y, rcond=None)[0]
    assert slope[0] == pytest.approx((0.5 * 0.36 - 0.64) / (0.36 + 0.64), abs=0.01)  # 정규분포의 조건부 평균
    left = y - np.column_stack([t, x]) @ slope
    assert abs(np.corrcoef(left, t)[0, 1]) < 1e-3 and abs(np.corrcoef(left, x)[0, 1]) < 1e-3


def test_the_centred_regression_is_the_mean_of_predicted_gains_of_the_untreated():
    d = load(NAME)
    d = d[d["high_group"] == 0]
    value, psi = untreated(d)
    Z, t = np.column_stack([np.ones(len(d)), PAGE["matrix"](d, CHOSEN)]), d["hero"].to_numpy() == 1
    y = d["login_change"].to_numpy(float)
    one, zero = (np.linalg.lstsq(Z[m], y[m], rcond=None)[0] for m in (t, ~t))
    assert value == pytest.approx((Z[~t] @ (one - zero)).mean(), abs=1e-8)
    assert psi.sum() == pytest.approx(0, abs=1e-8)


def test_the_standard_errors_match_the_spread_over_new_data():
    rows = []
    for seed in range(80):
        d = MAKER.generate(seed=500 + seed, n=1_000)
        d = d[d["high_group"] == 0]
        pairs = [untreated(d), PAGE["luck"](d), PAGE["lottery"](d), PAGE["agree"](d)]
        rows.append([[v, np.sqrt((p**2).sum())] for v, p in pairs])
    rows = np.array(rows)
    ratio = np.median(rows[:, :, 1], axis=0) / rows[:, :, 0].std(axis=0)
    assert (ratio > 0.8).all() and (ratio < 1.25).all()


@pytest.mark.parametrize("changes", [{"refill": 6.0}, {"boost": 0.6}], ids=str)
def test_regression_and_the_published_odds_fail_together_and_the_lottery_stands(changes):
    d, goal = world(**changes)
    sign = 1 if "refill" in changes else -1
    assert sign * (untreated(d)[0] - goal) > 0.25 and sign * (PAGE["luck"](d)[0] - goal) > 0.25
    assert abs(PAGE["lottery"](d)[0] - goal) < 0.4
    assert abs(PAGE["surplus"](d)[0]) > 1  # 당첨 점검은 둘 다 봅니다


def test_a_ticket_that_calls_people_in_breaks_the_lottery_most_and_not_the_odds():
    d, goal = world(call=1.0)
    assert PAGE["lottery"](d)[0] > goal + 3
    assert untreated(d)[0] > goal + 0.2
    assert abs(untreated(d, [*CHOSEN, "event_tickets"])[0] - goal) < 0.12  # 통제하면 회귀는 견딥니다
    assert abs(PAGE["luck"](d)[0] - goal) < 0.12
    assert abs(PAGE["surplus"](d)[0]) < 0.6


def test_the_negative_control_sees_only_what_it_shares():
    past = {
        name: PAGE["past"](world(**c)[0])[0] for name, c in {"refill": {"refill": 6.0}, "boost": {"boost": 0.6}}.items()
    }
    assert abs(past["boost"]) > 3 * abs(past["refill"])
    assert abs(PAGE["past"](world()[0])[0]) < 0.08


def test_selecting_on_the_outcome_shrinks_the_effect_even_with_the_right_controls():
    d, goal = world()
    assert fit(d[d["login_change"] > 0], CHOSEN)[0] < goal / 2


def test_the_sensitivity_formula_reproduces_a_regression_with_the_omitted_variable():
    """숨은 변수를 알 때: 두 편결정계수를 넣은 아래 끝은 그 변수를 넣은 회귀의 아래 끝과 같습니다(자유도 하나의 차이)."""
    rng = np.random.default_rng(4)
    d = load(NAME)
    d = d[d["high_group"] == 0].copy()
    d["deaths"] = d["deaths"] + 0.0
    X = np.column_stack([np.ones(len(d)), PAGE["matrix"](d, CHOSEN)])
    hidden = d["login_change"] + 3 * d["hero"] + 3 * rng.normal(size=len(d))
    t, y, z = (PAGE["residual"](np.asarray(v, float), X) for v in (d["hero"], d["login_change"], hidden))
    r2_t = np.corrcoef(z, t)[0, 1] ** 2
    zt, yt = (v - t * (t @ v) / (t @ t) for v in (z, y))
    r2_y = np.corrcoef(zt, yt)[0, 1] ** 2
    both = np.column_stack([t, z])
    b = np.linalg.lstsq(both, y, rcond=None)[0]
    r = y - both @ b
    error = np.sqrt(r @ r / (len(d) - X.shape[1] - 2) * np.linalg.inv(both.T @ both)[0, 0])
    assert PAGE["lower_bound"](d, r2_t, r2_y) == pytest.approx(b[0] - 1.96 * error, abs=0.002)


def test_the_benchmark_is_the_variable_itself_at_once_its_strength():
    d = load(NAME)
    d = d[d["high_group"] == 0]
    weak, strong = PAGE["as_strong_as"](d, "total_spend", 1), PAGE["as_strong_as"](d, "own_tickets", 1)
    assert 0 < weak[0] < strong[0] < 0.2 and 0 < weak[1] < strong[1] < 0.3
    assert PAGE["as_strong_as"](d, "own_tickets", 2)[0] == pytest.approx(2 * strong[0])


def test_the_memos_money_is_the_generators():
    """이익은 접속 하루에 500원, 비용은 아이템마다 1,000원을 한 번. 만 명의 만 원은 한 사람의 원입니다."""
    d = load(NAME)
    own = [500 * v - 1000 for v in PAGE["hero_effect"](d)]
    other = [500 * v - 1000 for v in interval(*untreated(d[d["high_group"] == 1]))]
    assert own[1] > 0 and own[1] < 500 * KNOWN["ATU"] - 1000 < own[2]
    assert other[1] < 500 * KNOWN["ATU_high"] - 1000 < other[2] and other[0] < 0
    assert own[0] == pytest.approx(988, abs=1) and other[0] == pytest.approx(-266, abs=1)
    nine = fit(d[d["high_group"] == 0], NINE)
    assert nine[0] + 1.96 * nine[1] < 2 < PAGE["hero_effect"](d)[1]  # 두 모형의 결정이 갈립니다


def test_the_ready_specification_asks_for_the_effect_on_those_without_the_item():
    """못 얻음을 처치로 둔 ATT는 부호를 바꾼 ATU이고, 끝까지 돌린 답은 9절의 회귀와 정답에 가깝습니다."""
    ready = parse_spec(PAGE["spec"], data_dir())
    assert ready.treatment.column == "missed" and ready.estimand == "ATT" and set(CHOSEN) == set(ready.confounders)
    assert "1 - hero AS missed" in ready.source.sql and "high_group = 0" in ready.source.sql
    run = RUNS[RUNS["세상"] == "파이프라인"].iloc[0]
    d = load(NAME)
    assert run["회귀"] == pytest.approx(untreated(d[d["high_group"] == 0])[0], abs=0.1)
    assert run["회귀 아래"] < KNOWN["ATU"] < run["회귀 위"]


@pytest.mark.parametrize("world_name", ["작은 자료", "더 산 뽑기권"])
def test_the_stored_draws_are_what_the_page_computes(world_name):
    rows = RUNS[RUNS["세상"] == world_name]
    assert len(rows) == bench.DRAWS == 300
    for _, row in rows.iloc[[0, 299]].iterrows():
        again = bench.one(world_name, int(row["씨앗"]), PAGE)
        assert all(row[k] == (v if k == "세상" else pytest.approx(v, abs=0.002)) for k, v in again.items())


def test_those_moved_by_ten_more_tickets_are_those_without_the_item():
    """확률이 같으면 뽑기권으로 얻은 유저의 효과(LATE)가 ATU입니다. 효과가 열의나 뽑기권을 따라도 그렇고, ATT는 아닙니다."""
    d, _ = world()
    moved = (1 - bench.generator(NAME).ODDS) ** d["own_tickets"]  # 열 장이 움직이는 확률에 비례합니다
    without = d["hero"] == 0
    for more in (2.0 * d["zeal"], 2.0 * np.log(d["own_tickets"])):
        gain = d["change_1"] - d["change_0"] + more
        atu = gain[without].mean()
        assert np.average(gain, weights=moved) == pytest.approx(atu, abs=0.04)
        assert gain[~without].mean() > atu + 0.3
        seen = d.assign(login_change=d["login_change"] + d["hero"] * more)
        assert untreated(seen)[0] == pytest.approx(atu, abs=0.15)
        assert PAGE["luck"](seen)[0] == pytest.approx(atu, abs=0.2)
        assert fit(seen, CHOSEN)[0] > atu + 0.2  # 보통 회귀의 계수는 갈라집니다


def test_when_the_odds_differ_the_lottery_moves_other_people():
    """확률을 몰래 올린 세상에서 효과가 그 까닭(접속이 줄던 정도)을 따르면 LATE와 ATU가 갈라져, 견줌의 차이가 편향만은 아닙니다."""
    rng = np.random.default_rng(8)
    slump, own = rng.normal(size=200_000), 1 + rng.poisson(4, 200_000)
    fails = 1 - np.minimum(0.03 * np.exp(0.6 * slump), 0.5)
    late = np.average(slump, weights=fails**own * (1 - fails**10))
    atu = np.average(slump, weights=fails**own * (1 + fails**10))
    assert late > atu + 0.3


def test_the_logs_fit_this_generator_and_without_them_a_bias_stays():
    d, goal = world(eager=2.0)
    assert untreated(d.assign(own_tickets=np.exp(d["own_tickets"])))[0] > goal + 0.4
    assert abs(PAGE["luck"](d)[0] - goal) < 0.2


def test_controlling_the_instrument_magnifies_what_is_left():
    d, goal = world(refill=6.0)
    assert fit(d, [*CHOSEN, "event_tickets"])[0] > fit(d, CHOSEN)[0] > goal + 0.3


def test_the_graph_of_the_page_allows_only_sets_with_the_tickets():
    block = re.search(r"arrows = (\{.*?\]\})", TEXT.text, re.S)[1]
    graph = nx.DiGraph([(a, b) for a, targets in eval(block).items() for b in targets])
    cut = graph.copy()
    cut.remove_edges_from(list(graph.out_edges("hero")))
    for names, apart in ((["own_tickets"], True), (CHOSEN, True), (BEFORE, False), ([], False)):
        assert nx.is_d_separator(cut, {"hero"}, {"login_change"}, set(names)) == apart
    assert {"week_tries", "arena_entries", "promoted"} < nx.descendants(graph, "hero")


def test_common_wrong_answers_are_rejected(capsys):
    d = load(NAME)
    d = d[d["high_group"] == 0]
    right, wrong = fit(d[d["login_change"] > 0], CHOSEN)[0], fit(d, CHOSEN)[0]
    check_answer("연습 1", wrong, expected=right, decimals=2)
    assert "아직 아닙니다" in capsys.readouterr().out
    check_answer("연습 1", round(right, 2), expected=right, decimals=2)
    assert "정답입니다" in capsys.readouterr().out
