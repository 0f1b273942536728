"""3주차 데이터의 생성기와, 3주차 쪽이 하는 통계의 주장: 큰 표본에서는 알려진 정답."""

import networkx as nx
import numpy as np
import pytest

from causal_practice import generator, truth

CHECK = generator("deep_check")
KNOWN = truth("deep_check")
ARROWS = {
    "age_years": ["complaint"], "staffing": ["deep_check"], "machines": ["past_spend", "deep_check", "spend"],
    "complaint": ["deep_check", "rating", "spend"], "past_spend": ["spend", "app_member"],
    "deep_check": ["rating", "app_member", "spend"], "rating": ["spend"],
}  # fmt: skip
GRAPH = nx.DiGraph([(a, b) for a, targets in ARROWS.items() for b in targets])


def slope(frame, *controls, outcome="spend"):
    """처치의 계수(천 원)."""
    X = np.column_stack([np.ones(len(frame)), frame["deep_check"], *(frame[c] for c in controls)])
    return np.linalg.lstsq(X, frame[outcome].to_numpy(dtype=float), rcond=None)[0][1]


def standardised(frame, by=("complaint", "machines")):
    cells = frame.groupby([*by, "deep_check"])["spend"].mean().unstack()
    return ((cells[1] - cells[0]) * frame.groupby(list(by)).size() / len(frame)).sum()


def partial_corr(frame, a, b, given=()):
    Z = np.column_stack([np.ones(len(frame)), *(frame[c] for c in given)])
    left, right = (frame[c] - Z @ np.linalg.lstsq(Z, frame[c], rcond=None)[0] for c in (a, b))
    return np.corrcoef(left, right)[0, 1]


@pytest.fixture(scope="module")
def branch():
    return CHECK.generate(seed=11, n=400_000)


@pytest.fixture(scope="module")
def coin():
    return CHECK.generate(seed=12, n=400_000, assignment="coin")


def test_observed_values_are_potential_outcomes(branch):
    assert (branch["spend"] == np.where(branch["deep_check"] == 1, branch["spend_1"], branch["spend_0"])).all()
    assert branch["chance"].between(0, 1).all()


def test_known_truth_at_large_n(branch):
    assert (branch["spend_1"] - branch["spend_0"]).mean() == pytest.approx(KNOWN["ATE"], abs=0.05)


def test_adjustment_formula_recovers_the_effect_and_the_raw_gap_does_not(branch):
    assert standardised(branch) == pytest.approx(KNOWN["ATE"], abs=0.25)
    assert slope(branch) < KNOWN["ATE"] - 2
    kitchen_sink = slope(branch, "machines", "age_years", "complaint", "staffing", "past_spend", "rating", "app_member")
    assert kitchen_sink < KNOWN["ATE"] - 1.5


def test_every_independence_the_graph_promises_holds(branch):
    order = list(nx.lexicographical_topological_sort(GRAPH))
    promises = [(a, b, sorted(GRAPH.predecessors(b))) for k, b in enumerate(order) for a in order[:k] if not GRAPH.has_edge(a, b)]
    assert len(promises) == len(order) * (len(order) - 1) // 2 - len(GRAPH.edges)
    for a, b, given in promises:
        assert abs(partial_corr(branch, a, b, given)) < 4.5 / np.sqrt(len(branch)), (a, b)


def test_every_arrow_of_the_graph_leaves_a_trace(branch):
    for a, b in GRAPH.edges:
        others = [c for c in GRAPH.predecessors(b) if c != a]
        assert abs(partial_corr(branch, a, b, others)) > 6 / np.sqrt(len(branch)), (a, b)


def test_a_coin_needs_no_adjustment(coin):
    assert slope(coin) == pytest.approx(KNOWN["ATE"], abs=0.25)


def test_selection_ruins_even_a_coin(coin):
    buyers, members = coin[coin["spend"] > 0], coin[coin["app_member"] == 1]
    assert slope(buyers) < KNOWN["ATE"] / 2
    assert slope(members) < KNOWN["ATE"] - 0.5
    assert slope(members, "past_spend") == pytest.approx(KNOWN["ATE"], abs=0.45)
    assert slope(buyers, "machines", "age_years", "complaint", "staffing", "past_spend") < KNOWN["ATE"] / 2


def test_conditioning_on_the_mediator_leaves_the_direct_effect_only_with_its_other_cause(coin):
    assert slope(coin, "rating", "complaint") == pytest.approx(KNOWN["direct"], abs=0.3)
    assert slope(coin, "rating") < KNOWN["direct"] - 1


def test_cause_of_the_outcome_steadies_and_cause_of_the_treatment_shakes():
    sets = {"past": ["complaint", "machines", "past_spend"], "none": ["complaint", "machines"], "staff": ["complaint", "machines", "staffing"]}
    worlds = [CHECK.generate(seed=60_000 + k, n=1_000) for k in range(300)]
    spread = {name: np.std([slope(w, *use) for w in worlds]) for name, use in sets.items()}
    assert spread["past"] < spread["none"] < spread["staff"]


def test_rule_empties_one_cell_only():
    ruled = CHECK.generate(seed=5, n=20_000, rule=True)
    counts = ruled.groupby(["complaint", "machines", "deep_check"]).size().unstack(fill_value=0)
    assert counts.loc[(1, 3), 0] == 0
    assert (counts.drop(index=(1, 3)) > 0).all(axis=None)


def test_hidden_taste_biases_and_past_spending_repairs_a_part():
    hidden = CHECK.generate(seed=6, n=400_000, hidden=1.0)
    known = (hidden["spend_1"] - hidden["spend_0"]).mean()
    without = slope(hidden, "complaint", "machines") - known
    proxy = slope(hidden, "complaint", "machines", "past_spend") - known
    assert without > 1 > proxy > 0
    assert slope(hidden, "complaint", "machines", "taste") == pytest.approx(known, abs=0.35)
