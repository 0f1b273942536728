"""수입 그래프 사례: 큰 표본의 정답, 네 칸의 합, 바꾼 세상에서 두 방법이 틀리는 곳, 점검, 민감도의 식, 메모의 돈."""

import re
from functools import lru_cache

import networkx as nx
import numpy as np
import pytest
import statsmodels.api as sm
from dowhy import CausalModel
from scipy.stats import norm
from statsmodels.stats.mediation import Mediation

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_pipeline import analyze
from causal_pipeline.spec import parse_spec
from causal_practice import check_answer, generator, load, truth
from causal_practice.data import data_dir

NAME = "uber_mediation"
MAKE = generator(NAME).generate
KNOWN = truth(NAME)
TEXT = read_page(ROOT / "case_studies" / f"{NAME}.md")
CELLS = [(0, 0, 0), (0, 1, 0), (1, 0, 0), (1, 1, 0), (0, 0, 2.0), (1, 1, 2.0)]
ASK = {
    "전체": [-1, 0, 0, 1, 0, 0],
    "매개": [-0.5, 0.5, -0.5, 0.5, 0, 0],
    "직접": [-0.5, -0.5, 0.5, 0.5, 0, 0],
    "튜토리얼": [-1, 0, 0, 0, 1, 0],
    "그래프 위에 튜토리얼": [0, 0, 0, -1, 0, 1],
}
PAGE = page_functions(
    TEXT,
    *("graph_effect", "columns", "before", "ols", "poisson", "rows", "move", "worlds", "interval", "ask"),
    *("mediated", "bare", "encourage", "by_video", "backwards", "chance", "money", "switch"),
    LIFT=2.0,
    TOP=5.0,
    CELLS=CELLS,
    ASK=ASK,
    CALL=4_000,
    GRAPH=200,
    TUTORIAL=400,
    V=None,
    P=None,
    norm=norm,
)
RATES = ["rate_00", "rate_01", "rate_10", "rate_11", "rate_tutorial", "rate_both"]


@lru_cache
def big(seed=11, **changes):
    return MAKE(seed=seed, n=40_000, **changes)


def found(question, frame, how="worlds", **more):
    return PAGE["ask"](question, *PAGE[how](frame, **more))[0]


def right(question, frame):
    return np.array(ASK[question]) @ frame[RATES].to_numpy().mean(axis=0)


def test_known_truth_at_large_n():
    frame = MAKE(seed=12, n=150_000)
    names = {"전체": "ATE", "매개": "ACME", "직접": "ADE", "튜토리얼": "tutorial", "그래프 위에 튜토리얼": "both"}
    for question, name in names.items():
        assert right(question, frame) == pytest.approx(KNOWN[name], abs=0.003)
    assert KNOWN["ACME"] + KNOWN["ADE"] == pytest.approx(KNOWN["ATE"], abs=1e-3)


def test_graph_and_video_are_drawn_apart_from_everything_before():
    frame = big(hidden=1.0)
    before = frame[["prior_score", "weekly_hours", "past_tickets", "skill"]]
    for lot in ("graph", "video"):
        assert abs(before.corrwith(frame[lot])).max() < 0.015
    assert abs(frame["graph"].corr(frame["video"])) < 0.015
    assert frame["graph"].mean() == 0.5


def test_the_page_names_the_cells_the_tests_use():
    for written in ("CELLS = [(0, 0, 0), (0, 1, 0), (1, 0, 0), (1, 1, 0), (0, 0, LIFT), (1, 1, LIFT)]", "TOP = 5.0"):
        assert written in TEXT.text
    assert "CALL, GRAPH, TUTORIAL, LIFT = 4_000, 200, 400, 2.0" in TEXT.text


def test_adjusting_finds_every_share_and_leaving_out_the_score_does_not():
    frame = big()
    V, V0 = (PAGE[how](frame)[0] for how in ("worlds", "bare"))
    for question, cells in ASK.items():
        assert np.array(cells) @ V == pytest.approx(right(question, frame), abs=0.025), question
    naive = {question: np.array(cells) @ V0 for question, cells in ASK.items()}
    assert naive["매개"] < right("매개", frame) - 0.05
    assert naive["직접"] > 0 > right("직접", frame)
    assert naive["전체"] == pytest.approx(right("전체", frame), abs=0.025)  # 전체는 움직이지 않습니다


def test_the_two_shares_always_add_up_and_fit_the_trial():
    frame = MAKE(seed=3)
    for how in ("worlds", "bare"):
        V, P = PAGE[how](frame)
        parts = (np.array(ASK["매개"]) + ASK["직접"]) @ V
        assert parts == pytest.approx(np.array(ASK["전체"]) @ V)
        assert abs(parts - PAGE["graph_effect"](frame)[0]) < 0.03


def test_the_influences_are_the_derivatives_of_the_estimate():
    """한 드라이버를 조금 더 세면 값이 그의 영향만큼 움직입니다(앞뒤로 되풀이한 행으로 셉니다)."""
    frame = MAKE(seed=4, n=1_000)
    V, P = PAGE["worlds"](frame)
    v, p = PAGE["by_video"](frame)
    for who in (3, 500):
        twice = frame.iloc[[*range(1_000), who]]
        assert (PAGE["worlds"](twice)[0] - V) * 1_001 == pytest.approx(P[:, who], abs=0.05)
        assert (PAGE["by_video"](twice)[0] - v) * 1_001 == pytest.approx(p[:, who], rel=0.1, abs=0.05)


@pytest.mark.parametrize(
    ("changes", "adjusted", "video"),
    [({"hidden": 1.0}, -0.1, 0), ({"blur": 1.0}, 0.05, 0), ({"late": 0.3}, 0.3, 0), ({"leak": 0.1}, 0, -0.1)],
    ids=str,
)
def test_each_method_fails_in_its_own_world(changes, adjusted, video):
    frame = big(**changes)
    goal = right("매개", frame)
    for gap, miss in ((found("매개", frame) - goal, adjusted), (PAGE["by_video"](frame)[0][0] - goal, video)):
        assert abs(gap) < 0.05 if miss == 0 else gap / miss > 1


def test_a_graph_that_replaces_understanding_fools_the_video_and_the_product():
    frame = big(replace=0.08)
    assert found("튜토리얼", frame) == pytest.approx(right("튜토리얼", frame), abs=0.02)
    assert PAGE["by_video"](frame)[0][1] > right("튜토리얼", frame) + 0.04
    assert right("그래프 위에 튜토리얼", frame) > right("튜토리얼", frame) + 0.1  # 그래프 위에서는 거의 듣지 않습니다


def test_randomising_the_graph_does_not_help_the_share_however_large_the_trial():
    for n in (4_000, 20_000):
        frame = MAKE(seed=6, n=n, hidden=1.0)
        assert found("매개", frame) < right("매개", frame) - 0.08
        assert PAGE["graph_effect"](frame)[0] == pytest.approx(right("전체", frame), abs=0.08)


def test_the_two_checks_see_different_things():
    assert PAGE["backwards"](big(hidden=1.0))[2] < -0.05
    assert abs(PAGE["backwards"](big(blur=1.0))[0]) < 0.03
    assert abs(PAGE["backwards"](big(leak=0.1))[0]) < 0.01
    frame = big(blur=1.0)
    assert found("매개", frame) - PAGE["by_video"](frame)[0][0] > 0.05


@pytest.mark.parametrize("hidden", [0.5, 1.0])
def test_the_sensitivity_formula_gives_the_bias_of_the_slope(hidden):
    frame = MAKE(seed=8, n=50_000, hidden=hidden)
    T, _, M, Y = PAGE["columns"](frame)
    slope = PAGE["poisson"](PAGE["rows"](T, M, PAGE["before"](frame), False), Y)[0][2]
    push, pull = 0.8 * hidden, 0.2 * hidden
    assert -0.1 - slope == pytest.approx(pull * push / (1 + push**2), abs=0.015)


def test_giving_back_the_bias_gives_back_the_tutorial():
    frame = big(hidden=1.0)
    back = found("튜토리얼", frame, q=0.2 * 0.8 / (1 + 0.8**2))
    assert back == pytest.approx(right("튜토리얼", frame), abs=0.03)
    assert found("튜토리얼", frame) < right("튜토리얼", frame) - 0.12


def test_powers_are_those_of_a_two_sided_check():
    assert PAGE["chance"](0, 1) == pytest.approx(0.05, abs=0.001)
    assert PAGE["chance"](2.8, 1) == pytest.approx(0.8, abs=0.005)


def test_the_product_of_coefficients_is_not_on_the_scale_of_tickets():
    product, busy = np.log(0.9) * 1.2, 3.0
    assert abs(busy * (np.exp(product) - 1)) > 2 * abs(product)


def test_the_library_agrees_with_the_hand_and_a_positional_product_column_is_left_behind():
    """9절의 말: 열 번호로 넘긴 곱의 열은 따라 움직이지 않습니다."""
    frame = MAKE(seed=9, n=1_500, replace=0.08)
    T, _, M, Y = PAGE["columns"](frame)
    C = PAGE["before"](frame)

    def library(X):
        y, m = sm.GLM(Y, X, family=sm.families.Poisson()), sm.OLS(M, np.delete(PAGE["rows"](T, M, C, False), 2, axis=1))
        return Mediation(y, m, exposure=(1, 1), mediator=2).fit(n_rep=40, rng=2).summary()["Estimate"]

    plain = library(PAGE["rows"](T, M, C, False))
    assert plain["ACME (average)"] == pytest.approx(found("매개", frame, cross=False), abs=0.02)
    crossed = library(PAGE["rows"](T, M, C, True))
    V = PAGE["worlds"](frame)[0]
    assert abs(crossed["ACME (treated)"] - (V[3] - V[2])) > 0.05
    assert crossed["ACME (control)"] - crossed["ACME (treated)"] == pytest.approx(0, abs=0.03)  # 곱을 못 본 채 같습니다
    assert abs((V[1] - V[0]) - (V[3] - V[2])) > 0.05


def test_dowhy_prints_a_formula_even_when_the_second_stage_has_no_way():
    frame = MAKE(seed=1, n=300)
    edges = [("graph", "understanding"), ("understanding", "tickets"), ("graph", "tickets")]
    edges += [("skill", "understanding"), ("skill", "tickets")]
    with pytest.warns(UserWarning, match="assumed unobserved"):
        model = CausalModel(frame.drop(columns="skill"), "graph", "tickets", graph=nx.DiGraph(edges))
        found_way = model.identify_effect(estimand_type="nonparametric-nie")
    assert found_way.mediation_second_stage_confounders["backdoor"] is None
    assert "Estimand name: mediation" in str(found_way)


def test_the_video_is_strong_and_moves_nothing_else():
    frame = big()
    assert frame.groupby("video")["understanding"].mean().diff().iloc[1] == pytest.approx(0.9, abs=0.05)
    same = [frame[frame["video"] == k]["past_tickets"].mean() for k in (0, 1)]
    assert same[0] == pytest.approx(same[1], abs=0.03)


def low_of(frame):
    return PAGE["graph_effect"](frame)[1]


def test_the_memos_money_is_the_generators():
    """문의가 준 만큼 상담비를 아끼고, 그래프나 튜토리얼의 값을 한 번 뺍니다."""
    frame, opened = load(NAME), load(NAME, with_truth=True)
    V, P = PAGE["worlds"](frame)
    total, low, high = PAGE["graph_effect"](frame)
    keep = [-4_000 * x - 200 for x in (total, high, low)]
    assert keep[0] == pytest.approx(440, abs=1) and keep[1] > 0
    saved = opened["rate_00"].mean() - opened["rate_11"].mean()
    assert keep[1] < 4_000 * saved - 200 < keep[2]
    lesson = opened["rate_00"].mean() - opened["rate_tutorial"].mean()
    value, low, high = PAGE["money"]("튜토리얼", 400, V, P)
    assert low < 4_000 * lesson - 400 < high and low > 0
    more, low, high = PAGE["switch"](V, P)
    assert more == pytest.approx(value - (-4_000 * np.array(ASK["전체"]) @ V - 200))
    assert low < 4_000 * (lesson - saved) - 200 < high and low < 0
    assert PAGE["switch"](*PAGE["bare"](frame))[1] > 0  # 이해만 넣은 회귀는 바꾸자고 합니다
    assert -4_000 * (KNOWN["tutorial"] - KNOWN["ATE"]) - 200 < 0  # 참으로는 잃습니다
    v, p = PAGE["by_video"](frame)
    on, y = frame["graph"].to_numpy(), frame["tickets"].to_numpy(float)
    lot = on / on.mean() * (y - y[on == 1].mean()) - (1 - on) / (1 - on).mean() * (y - y[on == 0].mean())
    assert np.sqrt((lot**2).sum()) / len(y) == pytest.approx((total - low_of(frame)) / 1.96, rel=1e-3)
    swap, low, high = PAGE["interval"](-4_000 * (v[1] - total) - 200, -4_000 * (p[1] - lot))
    assert low < 0 < high and low < 4_000 * (lesson - saved) - 200 < high


def test_the_trial_of_the_tutorial_has_the_power_it_says():
    frame = load(NAME)
    spread = frame.loc[frame["graph"] == 1, "tickets"].to_numpy(float).var()
    total = 2 * 2 * spread * 28**2  # 두 집단을 합친 드라이버
    rng, error = np.random.default_rng(3), np.sqrt(2 * spread / (total / 2))
    for effect, power in ((0.2, 0.8), (-KNOWN["both"], 0.48), (0.1, 0.025)):  # 본전은 0.1건입니다
        low = rng.normal(effect, error, 20_000) - 1.96 * error
        assert np.mean(low > 0.1) == pytest.approx(power, abs=0.015)
        assert effect == 0.1 or PAGE["chance"](effect - 0.1, error) == pytest.approx(power, abs=0.015)


def test_a_noisy_quiz_is_given_back_by_a_negative_q():
    """10절: 오차의 분산이 남은 분산의 r이면 참 기울기는 보이는 기울기의 1/(1-r)배입니다."""
    frame = big(blur=1.0)
    T, _, M, Y = PAGE["columns"](frame)
    C = PAGE["before"](frame)
    known_by = np.column_stack([np.ones(len(T)), T, C])
    sigma = (M - known_by @ PAGE["ols"](known_by, M)[0]).std()
    slope = PAGE["poisson"](PAGE["rows"](T, M, C, True), Y)[0][2]
    q = slope / (1 - 1 / sigma**2) - slope
    assert sigma * np.sqrt(q / (slope + q)) == pytest.approx(1.0)
    assert found("튜토리얼", frame) > right("튜토리얼", frame) + 0.05
    assert found("튜토리얼", frame, q=q) == pytest.approx(right("튜토리얼", frame), abs=0.04)
    assert PAGE["switch"](*PAGE["worlds"](frame, q=q))[0] > PAGE["switch"](*PAGE["worlds"](frame))[0] + 200


def two_kinds(graph_lifts, video_lifts, slopes, mix=0.5, n=40_000):
    """두 부류(앱이 낯선 쪽, 익숙한 쪽)의 드라이버: 올라가는 이해와 기울기가 부류마다 다릅니다. 참 매개도 돌려줍니다."""
    rng = np.random.default_rng(5)
    kind, graph, video = (rng.integers(0, 2, n) for _ in range(3))
    lift, other, slope = (np.array(x)[kind] for x in (graph_lifts, video_lifts, slopes))
    own = 4 + rng.normal(0, 1, n) + other * video
    base = np.exp(mix * (1 - kind))
    rate = lambda t: base * np.exp(slope * (own + lift * t - 5))  # noqa: E731
    frame = MAKE(seed=1, n=n).assign(
        graph=graph,
        video=video,
        understanding=own + lift * graph,
        prior_score=5.0 + kind,
        weekly_hours=25 + rng.integers(-8, 9, n),
    )
    frame["tickets"] = rng.poisson(np.where(graph, rate(1), rate(0)))
    return frame, (rate(1) - rate(0)).mean()


def test_a_video_that_moves_other_drivers_does_not_give_the_share():
    """9절: 영상이 주는 것은 영상으로 이해가 오른 사람의 기울기이지, 그래프로 오른 사람의 것이 아닙니다."""
    frame, goal = two_kinds((1.2, 0.0), (0.0, 1.2), (0.0, -0.3))
    assert goal == 0
    assert PAGE["interval"](*(x[0] for x in PAGE["by_video"](frame)))[2] < -0.1


def test_one_width_for_all_counts_too_little_when_the_busy_learn_more():
    """9절: 문의가 많은 사람에게서 이해가 더 오르면 한 폭의 매개는 작습니다."""
    frame, goal = two_kinds((2.4, 0.0), (0.9, 0.9), (-0.1, -0.1), mix=1.0)
    assert goal < 0 and abs(found("매개", frame)) < 0.8 * abs(goal)


def test_amounts_that_move_by_ratios_keep_the_poisson_regression():
    """13절: 건수가 아니어도 0 이상이고 배로 움직이면 `poisson`을 그대로 씁니다."""
    frame = big()
    mean = np.where(frame["graph"], frame["rate_11"], frame["rate_00"])
    paid = frame.assign(tickets=mean * np.random.default_rng(2).gamma(2.0, 0.5, len(frame)))
    assert found("매개", paid) == pytest.approx(right("매개", frame), abs=0.03)


def test_the_ready_specification_runs():
    spec = re.search(r'spec = """\n(.*?)"""', TEXT.text, re.S)[1]
    result = analyze(parse_spec(spec, data_dir()), frame=load(NAME).head(1_500))
    assert result.primary.low < KNOWN["ATE"] < result.primary.high


def test_common_wrong_answers_are_rejected(capsys):
    frame = MAKE(seed=22, replace=0.08)
    top, alone = (found(q, frame) for q in ("그래프 위에 튜토리얼", "튜토리얼"))
    check_answer("연습 3", alone, expected=top, decimals=3)
    assert "아직 아닙니다" in capsys.readouterr().out
    check_answer("연습 3", round(top, 3), expected=top, decimals=3)
    assert "정답입니다" in capsys.readouterr().out
