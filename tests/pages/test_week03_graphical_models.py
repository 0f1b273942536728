"""3주차 데이터의 생성기와, 3주차 쪽이 하는 통계의 주장: 큰 표본에서는 알려진 정답."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from causal_practice import generator, package_file, truth

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
    promises = [
        (a, b, sorted(GRAPH.predecessors(b)))
        for k, b in enumerate(order)
        for a in order[:k]
        if not GRAPH.has_edge(a, b)
    ]
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
    sets = {
        "past": ["complaint", "machines", "past_spend"],
        "none": ["complaint", "machines"],
        "staff": ["complaint", "machines", "staffing"],
    }
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


# ── 일반 문장마다 그것이 무너지는 세상 ──


def with_interval(frame, by=("complaint", "machines")):
    """보정 공식의 값, 칸의 비율을 안다고 둔 표준오차, 비율의 몫까지 더한 표준오차(천 원)."""
    cell = frame.groupby([*by, "deep_check"])["spend"].agg(["mean", "var", "size"]).unstack()
    share = frame.groupby(list(by)).size() / len(frame)
    gap = cell["mean"][1] - cell["mean"][0]
    ate = (share * gap).sum()
    fixed = (share**2 * (cell["var"] / cell["size"]).sum(axis=1)).sum()
    return ate, np.sqrt(fixed), np.sqrt(fixed + (share * (gap - ate) ** 2).sum() / len(frame))


def test_the_interval_counts_the_sampled_shares_when_effects_vary():
    rows = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        complaint, machines = rng.binomial(1, 0.5, 1000), rng.choice([1, 2, 3], 1000)
        check = rng.binomial(1, 0.3 + 0.3 * complaint)
        spend = 10 + 5 * complaint + (20 * complaint) * check + 8 * rng.normal(size=1000)
        rows.append(
            with_interval(
                pd.DataFrame({"complaint": complaint, "machines": machines, "deep_check": check, "spend": spend})
            )
        )
    value, fixed, whole = np.array(rows).T
    covered = [(np.abs(value - 10) < 1.96 * se).mean() for se in (fixed, whole)]
    assert covered[0] < 0.935 < covered[1] < 0.97


def test_regression_equals_the_formula_only_when_the_cells_share_their_variance():
    small = pd.DataFrame(
        {
            "complaint": [0] * 4 + [1] * 4,
            "deep_check": [1, 0, 0, 0, 1, 1, 1, 0],
            "spend": [30, 24, 26, 22, 20, 22, 18, 6],
        }
    )
    moved = small.copy()
    moved.loc[4, ["deep_check", "spend"]] = [0, 6]
    assert slope(small, "complaint") == pytest.approx(10.0) and standardised(small, ["complaint"]) == pytest.approx(
        10.0
    )
    assert slope(moved, "complaint") == pytest.approx(10.571, abs=0.001) and standardised(
        moved, ["complaint"]
    ) == pytest.approx(10.0)


@pytest.mark.parametrize("varied", [0, 4])
def test_an_instrument_gives_the_ate_only_when_effects_do_not_vary(varied):
    rng = np.random.default_rng(70)
    taste, luck = rng.normal(size=(2, 1_000_000))
    spare = rng.integers(0, 4, 1_000_000)
    check = (taste + 0.5 * spare + luck > 1).astype(int)
    bought = (6 + varied * taste) * check + 5 * taste + rng.normal(size=1_000_000)
    wald = np.cov(spare, bought)[0, 1] / np.cov(spare, check)[0, 1]
    assert (wald > 6.25) if varied else wald == pytest.approx(6, abs=0.1)


@pytest.mark.parametrize("interaction", [0, 4])
def test_front_door_effects_multiply_only_without_interaction(interaction):
    rng = np.random.default_rng(80)
    fond = rng.binomial(1, 0.4, 1_000_000)
    check = rng.binomial(1, 0.1 + 0.6 * fond)
    told = rng.binomial(1, 0.1 + 0.4 * check)
    bought = (3 + interaction * fond) * told + 5 * fond + rng.normal(size=1_000_000)
    frame = pd.DataFrame({"t": check, "m": told, "y": bought})
    more = frame.groupby("t")["m"].mean().diff()[1]
    cell = frame.groupby(["m", "t"])["y"].mean().unstack()
    general = more * ((cell.loc[1] - cell.loc[0]) @ [1 - check.mean(), check.mean()])
    X = np.column_stack([np.ones(len(frame)), told, check])
    product = more * np.linalg.lstsq(X, bought, rcond=None)[0][1]
    known = 0.4 * (3 + interaction * 0.4)
    assert general == pytest.approx(known, abs=0.02)
    assert (abs(product - known) > 0.05) if interaction else product == pytest.approx(known, abs=0.02)


def test_partial_correlation_is_a_linear_test():
    m, u, v = np.random.default_rng(90).normal(size=(3, 200_000))
    bent = pd.DataFrame({"m": m, "a": m**2 + u, "b": m**2 + v})
    assert partial_corr(bent, "a", "b", ["m"]) == pytest.approx(2 / 3, abs=0.02)  # m을 고정하면 독립인데도
    assert abs(partial_corr(bent, "m", "a")) < 0.02  # m이 만들었는데도


def test_half_the_hidden_force_leaves_less_than_half_the_bias():
    bias = {}
    for hidden in (0.5, 1.0):
        frames = (CHECK.generate(seed=s, n=600_000, hidden=hidden) for s in (601, 602))
        bias[hidden] = np.mean(
            [slope(f, "complaint", "machines") - (f["spend_1"] - f["spend_0"]).mean() for f in frames]
        )
    assert 0.5 < bias[0.5] < 0.5 * bias[1.0] and bias[0.5] > 0.25 * bias[1.0]


@pytest.mark.parametrize(
    ("chance", "inside"),
    [
        (lambda a, b: (0.3 + 0.4 * a) * (0.3 + 0.6 * b), 0.0),  # 두 몫의 곱
        (lambda a, b: 0.1 + 0.3 * a + 0.4 * b, -0.17),  # 더해짐
        (lambda a, b: np.where(a * b == 1, 0.9, 0.1), 0.41),  # 함께 있을 때 곱보다 높음
    ],
)
def test_among_members_the_sign_follows_the_product_and_holding_membership_is_another_thing(chance, inside):
    rng = np.random.default_rng(1)
    a, b = rng.binomial(1, 0.5, (2, 400_000))
    frame = pd.DataFrame({"a": a, "b": b, "member": rng.binomial(1, chance(a, b))})
    members = frame[frame["member"] == 1]
    assert np.corrcoef(members["a"], members["b"])[0, 1] == pytest.approx(inside, abs=0.02)
    assert partial_corr(frame, "a", "b", ["member"]) < -0.05  # 회원 여부를 고정한 편상관은 셋 다 음수


def test_a_proxy_can_raise_the_bias_when_hidden_causes_offset():
    rng = np.random.default_rng(4)
    u, v = rng.normal(size=(2, 200_000))
    visit = (0.8 * u - 0.72 * v + rng.normal(size=200_000) > 0).astype(int)
    frame = pd.DataFrame({"deep_check": visit, "proxy": u + rng.normal(size=200_000)})
    frame["spend"] = 5 * visit + 3 * u + 3 * v + rng.normal(size=200_000)
    assert abs(slope(frame) - 5) < 0.5 and slope(frame, "proxy") - 5 < -0.9


# ── 진짜 자료: 금연과 체중 ──


@pytest.fixture(scope="module")
def smokers():
    return pd.read_csv(package_file("causalpy", "data/nhefs.csv"))


def quitting(frame, *columns):
    """금연(``trt``)과 ``columns``를 함께 넣은 회귀의 계수."""
    X = np.column_stack([np.ones(len(frame)), frame["trt"], *(frame[c] for c in columns)])
    return np.linalg.lstsq(X, frame["outcome"].to_numpy(), rcond=None)[0]


def test_published_values_of_quitting_and_weight(smokers):
    nine = [c for c in smokers if c not in ("trt", "outcome")]
    assert quitting(smokers)[1] == pytest.approx(2.541, abs=0.0005)
    assert quitting(smokers, *nine)[1] == pytest.approx(3.46262183, abs=1e-6)
    # 흡연량에 따라 다른 효과: 계수는 공개된 출력과 같고, 평균을 낸 사람만 1,629명과 1,566명으로 다릅니다
    coefficients = quitting(smokers.assign(dose=smokers["trt"] * smokers["smokeintensity"]), "dose", *nine)
    assert coefficients[1:3] == pytest.approx([2.5595941, 0.0466628], abs=1e-5)
    ours = coefficients[1] + coefficients[2] * smokers["smokeintensity"].mean()
    published = 5.178841 - 1.660267
    assert 0.0005 < published - ours < 0.002
    assert (published - coefficients[1]) / coefficients[2] == pytest.approx(20.55, abs=0.01)


def test_age_is_a_fork_of_quitting_and_weight(smokers):
    assert smokers["age"].corr(smokers["trt"]) > 0.1
    assert smokers["age"].corr(smokers["outcome"]) < -0.1
    assert quitting(smokers, "age", "age^2")[1] > quitting(smokers)[1] + 0.3


@pytest.mark.parametrize(("dropout", "biased"), [("더해짐", False), ("함께일 때만", True)])
def test_dropout_by_both_biases_those_who_remain_unless_the_two_only_add(dropout, biased):
    rng = np.random.default_rng(95)
    quit_smoking, weight = rng.binomial(1, 0.26, 600_000), rng.normal(2.6, 7.9, 600_000)  # 효과는 0
    heavy = weight > 8
    gone = 0.02 + 0.05 * quit_smoking + 0.05 * heavy if dropout == "더해짐" else 0.03 + 0.3 * quit_smoking * heavy
    stay = rng.random(600_000) > gone
    gap = weight[stay & (quit_smoking == 1)].mean() - weight[stay & (quit_smoking == 0)].mean()
    assert (gap < -0.6) if biased else abs(gap) < 0.1
