"""언어 모델 사례: 생성기와 정답 그래프, 저장된 답의 내력, 쪽이 하는 말이 큰 표본에서도 맞는지."""

import hashlib
import json
import re
from dataclasses import replace
from functools import partial

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from book.myst import parse
from book.page import ROOT, read_page
from book.page_code import page_functions
from case_studies import graph_elicitation as ge
from causal_practice import generator, load, truth

WORLD = generator("picking_mentor")
KNOWN = truth("picking_mentor")
SAVED = ge.saved_answers("llm_domain_expert")
PAGE = read_page(ROOT / "case_studies" / "llm_domain_expert.md")


def page_cells(*needles) -> dict:
    """쪽의 셀 가운데 글자 ``needles``가 든 것을 차례로 실행한 이름들."""
    names = {}
    for cell in parse(PAGE.text).cells:
        if any(needle in cell.source for needle in needles):
            exec(compile(cell.source, PAGE.docname, "exec"), names)
    return names


ASKED = page_cells("rows = [", "rows += [", "variables = [Variable(*row)")
VARIABLES, QUESTION = ASKED["variables"], ASKED["question"]
EDGES = {
    name: ge.read_answer(SAVED[name]["reply"], VARIABLES).edges
    for name in ("graph_first", "graph_again", "made_mediator")
}
CHECKED = (*EDGES["graph_first"], ("volume", "mentor"))
TRUE = [*WORLD.EDGES, *WORLD.HIDDEN_EDGES]


@pytest.fixture(scope="module", params=[False, True], ids=["기록된 배정", "숨은 배정"])
def large(request):
    return request.param, WORLD.generate(seed=11, n=200_000, hidden=request.param)


def partial_correlation(frame, a, b, given):
    z = np.column_stack([np.ones(len(frame)), *(frame[g] for g in given)])
    left = [frame[c] - z @ np.linalg.lstsq(z, frame[c], rcond=None)[0] for c in (a, b)]
    return np.corrcoef(*left)[0, 1]


def slope(frame, adjusted, outcome="mispick"):
    x = np.column_stack([np.ones(len(frame)), frame[["mentor", *adjusted]]]).astype(float)
    return np.linalg.lstsq(x, frame[outcome], rcond=None)[0][1]


# ── 생성기 ──


def test_known_truth_and_possible_values_at_large_n(large):
    _, frame = large
    assert (frame["mispick_1"] - frame["mispick_0"]).mean() == pytest.approx(KNOWN["ATE"], abs=0.005)
    assert KNOWN["ATE"] == pytest.approx(WORLD.DIRECT + WORLD.TAUGHT * WORLD.SAVED) and KNOWN["direct"] == WORLD.DIRECT
    assert (frame["mispick"] == frame["mispick_1"].where(frame["mentor"] == 1, frame["mispick_0"])).all()
    assert (
        frame["scan_rate"].between(0, 100).all()
        and frame["aptitude"].between(0, 100).all()
        and (frame[["mispick", "trial_errors", "volume"]] >= 0).all().all()
    )
    cells = frame.groupby(pd.qcut(frame["mentor_prob"], 20))[["mentor", "mentor_prob"]].mean()
    assert (cells["mentor"] - cells["mentor_prob"]).abs().max() < 0.02


def test_the_published_graph_is_the_graph_that_makes_the_data(large):
    hidden, frame = large
    graph = nx.DiGraph([*TRUE, *([("care", "mentor")] if hidden else [])])
    observed = [v.name for v in VARIABLES]
    order = {name: i for i, name in enumerate(nx.lexicographical_topological_sort(graph))}
    for a in observed:
        for b in observed:
            given = tuple(sorted(set(graph.predecessors(b)) - {"care"}))
            if order[a] < order[b] and a not in given and nx.is_d_separator(graph, {a}, {b}, set(given)):
                assert abs(partial_correlation(frame, a, b, given)) < 0.012, (a, b, given)
    for cause, effect in WORLD.EDGES:
        others = [p for p in graph.predecessors(effect) if p != cause]
        assert abs(partial_correlation(frame, cause, effect, others)) > 0.04, (cause, effect)


# ── 쪽이 하는 말 ──


def test_naive_gap_has_the_wrong_sign(large):
    hidden, frame = large
    mean = frame.groupby("mentor")["mispick"].mean()
    assert mean[1] - mean[0] > 0.1 or hidden


def test_each_answer_leads_where_the_page_says(large):
    hidden, frame = large
    confounders = ["aptitude", "night", "prior_weeks"]
    right, missed = slope(frame, [*confounders, "volume"]), slope(frame, confounders)
    blocked = slope(frame, ["aptitude", "night", "volume", "scan_rate"])
    if not hidden:
        assert right == pytest.approx(KNOWN["ATE"], abs=0.05) and missed > -0.7 and blocked > -0.6
        assert (
            abs(slope(frame, [*confounders, "volume"], "trial_errors")) < 0.03
            and abs(slope(frame, confounders, "trial_errors")) < 0.03
        )
        assert slope(frame, ["aptitude", "night", "volume", "scan_rate"], "trial_errors") > 0.5
    else:
        assert right > KNOWN["ATE"] + 0.8 and slope(frame, [*confounders, "volume"], "trial_errors") > 0.5


@pytest.mark.parametrize(
    ("name", "heard"),
    [
        ("graph_first", {frozenset({"volume", "mentor"})}),
        ("graph_again", {frozenset({"night", "volume"})}),
        ("made_mediator", set()),
        ("checked", set()),
    ],
)
def test_which_missing_edges_the_data_hear(name, heard):
    frame = WORLD.generate(seed=12, n=200_000)
    tests = ge.implied_independencies(EDGES.get(name, CHECKED))
    assert {frozenset({a, b}) for a, b, given in tests if abs(partial_correlation(frame, a, b, given)) > 0.03} == heard
    assert all(abs(partial_correlation(frame, a, b, g)) < 0.012 for a, b, g in tests if frozenset({a, b}) not in heard)


def test_the_turned_mediator_cannot_be_told_from_data_but_timing_tells():
    turned = [("mentor", "scan_rate") if edge == ("scan_rate", "mentor") else edge for edge in EDGES["made_mediator"]]
    assert ge.markov_equivalent(EDGES["made_mediator"], turned)
    assert ge.time_violations(EDGES["made_mediator"], VARIABLES) == [
        ("scan_rate", "mentor")
    ] and not ge.time_violations(turned, VARIABLES)
    assert not ge.time_violations(EDGES["graph_first"], VARIABLES) and not ge.time_violations(
        EDGES["graph_again"], VARIABLES
    )


def test_equal_scores_different_ends():
    score = {name: ge.score_graph(edges, WORLD.EDGES) for name, edges in EDGES.items()}
    assert {s.distance for s in score.values()} == {3}
    assert (
        score["graph_first"].precision == score["graph_again"].precision
        and score["graph_first"].recall == score["graph_again"].recall
    )
    valid = partial(ge.is_valid_adjustment, TRUE, "mentor", "mispick")
    assert valid(["aptitude", "night", "prior_weeks", "volume"]) and not valid(["aptitude", "night", "prior_weeks"])
    assert not valid(["aptitude", "night", "volume", "scan_rate"])
    assert not ge.is_valid_adjustment(
        [*TRUE, ("care", "mentor")], "mentor", "mispick", ["aptitude", "night", "prior_weeks", "volume"]
    )


# ── 저장된 답 ──

LABELS = {
    "obtained": "언어 모델이 이 쪽의 프롬프트에 답한 그대로, 고치지 않음",
    "composed": "알려진 실패를 보이려고 손으로 지은 답",
}


@pytest.mark.parametrize("name", SAVED)
def test_every_answer_says_where_it_comes_from(name):
    answer = SAVED[name]
    assert (
        answer["label"] == LABELS[answer["provenance"]]
        and re.fullmatch(r"20\d\d-\d\d", answer["date"])
        and answer["title"]
        and answer["reply"].strip()
    )
    assert f"data/answers/llm_domain_expert/{name}.json" in PAGE.meta["depends"]
    assert (answer["provenance"] == "composed") == name.startswith("made_")
    text = (ROOT / "data" / "answers" / "llm_domain_expert" / f"{name}.json").read_text(encoding="utf-8")
    assert text == json.dumps(answer, ensure_ascii=False, indent=2) + "\n"


@pytest.mark.parametrize("name", SAVED)
def test_the_saved_question_is_the_page_s_own_question(name):
    answer = SAVED[name]
    if "pair" in answer:
        expected = ge.build_pair_messages(VARIABLES, QUESTION, *answer["pair"])
    elif name == "graph_again":
        expected = ge.build_messages(VARIABLES[::-1], QUESTION)
    elif name == "made_by_name":
        swap = {"volume": "scan_rate", "scan_rate": "volume"}
        expected = ge.build_messages([replace(v, name=swap.get(v.name, v.name)) for v in VARIABLES], QUESTION)
    else:
        expected = ge.build_messages(VARIABLES, QUESTION)
    assert answer["messages"] == expected


# 받은 날에 적어 둔 지문. 답을 고쳐야 시험이 통과한다면 시험이 아니라 이름표를 '지은 답'으로 바꿉니다.
UNEDITED = {
    "graph_again": "1f8b14b03998545d",
    "graph_first": "706b16c5cc2ec6e5",
    "graph_small": "9191933be8f64a39",
    "pair_mentor_scan_rate": "5cd6a7ec5a489522",
    "pair_mentor_volume": "5c0b77792f04d46b",
    "pair_scan_rate_mentor": "0db08a5d6576f6c8",
    "pair_volume_mentor": "128b30d3460a9487",
}


def test_obtained_answers_stay_as_they_were_received():
    obtained = {name: answer["reply"] for name, answer in SAVED.items() if answer["provenance"] == "obtained"}
    assert {name: hashlib.sha256(reply.encode()).hexdigest()[:16] for name, reply in obtained.items()} == UNEDITED


def test_the_held_out_column_and_the_values_are_never_in_a_question():
    values = {f"{v:g}" for v in load("picking_mentor")["volume"].head(50)}
    for answer in SAVED.values():
        said = " ".join(m["content"] for m in answer["messages"])
        assert (
            "trial_errors" not in said
            and "실습" not in said
            and not any(re.search(rf"(?<!\d){re.escape(v)}(?!\d)", said) for v in values if "." in v)
        )


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("graph_small", "malformed"),
        ("made_refusal", "refusal"),
        ("made_cut_off", "malformed"),
        ("made_unknown", "unknown_variable"),
        ("made_cycle", "cycle"),
    ],
)
def test_failures_fail_the_way_the_page_shows(name, kind):
    with pytest.raises(ge.AnswerError) as caught:
        ge.read_answer(SAVED[name]["reply"], VARIABLES)
    assert caught.value.kind == kind


# ── 민감도와 결정 ──


def test_the_formal_bound_is_wider_than_the_informal_one_and_the_interval_weaker_than_the_point():
    frame = load("picking_mentor")
    names = ["aptitude", "night", "prior_weeks", "volume"]

    def least_squares(outcome, columns):
        x = np.column_stack([np.ones(len(frame)), frame[columns]]).astype(float)
        b = np.linalg.lstsq(x, frame[outcome], rcond=None)[0]
        left = frame[outcome] - x @ b
        free = len(frame) - x.shape[1]
        se = np.sqrt(left @ left / free * np.diag(np.linalg.inv(x.T @ x)))
        return (
            dict(zip(columns, b[1:], strict=False)),
            dict(zip(columns, se[1:], strict=False)),
            dict(zip(columns, (b / se)[1:] ** 2 / ((b / se)[1:] ** 2 + free), strict=False)),
            free,
        )

    b, se, r2_y, free = least_squares("mispick", ["mentor", *names])
    r2_t = least_squares("mentor", names)[2]
    scale, break_even = se["mentor"] * np.sqrt(free), -50_000 / 32_000

    def robustness(z):
        f = (break_even - b["mentor"]) / scale - z / np.sqrt(free - 1)
        return (np.sqrt(f**4 + 4 * f**2) - f**2) / 2

    assert robustness(0) == pytest.approx(0.139, abs=0.001) and robustness(1.96) == pytest.approx(0.108, abs=0.001)
    t, y = r2_t["volume"], r2_y["volume"]
    informal = b["mentor"] + scale * np.sqrt(y * t / (1 - t))
    hidden_t, r = t / (1 - t), (t / (1 - t)) ** 2
    hidden_y = min((1 + np.sqrt(r)) ** 2 / (1 - r) * y / (1 - y), 1)
    formal = b["mentor"] + scale * np.sqrt(hidden_y * hidden_t / (1 - hidden_t))
    assert informal == pytest.approx(-1.10, abs=0.01) and formal == pytest.approx(-0.58, abs=0.01)
    assert formal > informal > break_even


def test_the_memo_s_money_comes_from_the_alone_once():
    frame = WORLD.generate(seed=21, n=400_000)
    alone = frame[frame["mentor"] == 0]
    effect = (alone["mispick_1"] - alone["mispick_0"]).mean()
    assert -effect * 4 * 8_000 - 50_000 == pytest.approx(25_000, abs=2_000)  # 원: 4천 개, 건당 8,000원, 멘토 한 주


def test_counting_the_cells_sees_the_rule_that_the_score_misses():
    """한 칸에는 꼭 붙이는 세상: 점수의 범위는 그대로인데 그 칸에 혼자 다닌 신입이 없습니다."""
    here = page_functions(PAGE, "arm_counts", "design", "fit_score")
    adjust = ["aptitude", "night", "prior_weeks", "volume"]
    frame = load("picking_mentor")
    assert here["arm_counts"](frame, adjust).min().min() > 0
    forced = (frame["night"] == 1) & (frame["volume"] > 30) & (frame["aptitude"] < 62)
    always = frame.assign(mentor=frame["mentor"].mask(forced, 1))
    assert here["arm_counts"](always, adjust)[0].min() == 0
    score = here["fit_score"](here["design"](always, adjust), always["mentor"].to_numpy())
    assert score[forced].max() < 0.95 and score[forced].min() < 0.6
