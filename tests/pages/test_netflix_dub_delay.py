"""더빙 지연 사례: 알려진 정답, 그리고 쪽이 하는 통계의 주장."""

import numpy as np
import pytest
from scipy.optimize import nnls
from scipy.special import stdtrit

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, truth

DUB = generator("netflix_dub_delay")
PAGE = read_page(ROOT / "case_studies" / "netflix_dub_delay.md")
F = page_functions(
    PAGE, "cube", "title_column", "naive_gap", "simplex", "before_only", "unpack", "leftover", "learn", "mixed", "parts", "interval", "net_effect",
    "title_weights", "synthetic_did", "methods_apart", "permutation_p", "fade_check", "calendar_check", "neighbour_check", "alarms", "trial", "right", "profit", "genre_gap", "kept", "same_time",
    nnls=nnls, stdtrit=stdtrit, AFTER=12, LANGUAGES=7, LATE=11, SISTERS=[1, 2, 3, 4, 5, 6], OTHERS=[1, 2, 3, 4, 6], CRITICAL=2.032, VALUE=100, COST=2_000_000,
    LOG_WEEK=np.log(np.arange(1, 13)) - np.log(np.arange(1, 13)).mean(),
)  # fmt: skip


def test_the_card_tells_the_truth_of_the_generator():
    expected = (np.log(1 - DUB.LOSS[0]) + np.log(1 - DUB.LOSS[1])) / 2
    assert truth("netflix_dub_delay")["ATT_launch"] == pytest.approx(expected, abs=1e-5)
    w = DUB.worlds(**DUB.DEFAULTS)
    gap = (w["views"] - w["views_0"])[w["late"], 0]
    assert gap[:, :4].mean() == pytest.approx(expected, abs=1e-9)


def test_the_table_is_the_arrays_and_the_missing_dub_is_the_only_change():
    d, w = DUB.generate(seed=5), DUB.worlds(seed=5)
    np.testing.assert_allclose(F["cube"](d)[:, :, 8:], w["views"], atol=1e-4)
    touched = d.loc[d["effect"] != 0]
    assert set(touched["language"]) == {0} and set(touched["late_title"]) == {1}
    assert d.loc[d["dub_missing"] == 1, "week"].between(1, 4).all()
    assert (d.loc[d["dub_missing"] == 1, "effect"] < 0).all()


def test_without_a_loss_nothing_differs():
    w = DUB.worlds(seed=5, effect=0.0, spill=0.7)
    np.testing.assert_allclose(w["views"], w["views_0"], atol=1e-12)


def test_what_came_back_is_the_promised_share_and_what_moved_is_not_lost():
    w = DUB.worlds(seed=6, spill=0.5)
    change = np.exp(w["views"]) - np.exp(w["views_0"])
    lost, back = -change[w["late"], 0, :4].sum(axis=1), change[w["late"], 0, 4:].sum(axis=1)
    np.testing.assert_allclose(back / lost, np.array(DUB.RETURN)[w["family"][w["late"]]])
    np.testing.assert_allclose(change[w["late"], DUB.NEIGHBOUR].sum(axis=1), 0.5 * lost)


def test_weights_are_a_mixture_and_solve_the_problem():
    cp = pytest.importorskip("cvxpy")
    y, _, late = F["unpack"](DUB.generate(seed=8))
    w, _ = F["learn"](y[~late])
    assert w.min() >= 0 and w.sum() == pytest.approx(1)
    z = y[~late].reshape(-1, 7, 3, 4).mean(axis=3)
    z = z - z.mean(axis=2, keepdims=True)
    z = z - z.mean(axis=0)
    X, b = z[:, 1:].transpose(0, 2, 1).reshape(-1, 6), z[:, 0].ravel()
    v = cp.Variable(6, nonneg=True)
    cp.Problem(cp.Minimize(cp.sum_squares(b - X @ v)), [cp.sum(v) == 1]).solve(solver=cp.CLARABEL)
    np.testing.assert_allclose(w, v.value, atol=1e-4)


def test_the_mixture_never_sees_the_dub_language_of_late_titles():
    """늦어진 작품의 0번 언어를 바꾸어도 가중치와 가짜는 그대로이고, 효과만 그만큼 움직입니다."""
    y, _, late = F["unpack"](DUB.generate(seed=11))
    moved = y.copy()
    moved[late, 0] += 1.0
    (g, f, w), (g2, f2, w2) = (F["mixed"](v, late) for v in (y, moved))
    np.testing.assert_allclose(w, w2)
    np.testing.assert_allclose(f, f2)
    np.testing.assert_allclose(g2 - g, 1.0)


@pytest.fixture(scope="module")
def runs():
    worlds = {
        "base": {}, "market": {"market": 0.3}, "both": {"market": 0.3, "shape": 0.4}, "lockdown": {"lockdown": 0.3}, "short": {"interest_weeks": 2},
    }  # fmt: skip
    return {
        name: np.array([F["trial"](DUB.worlds(seed=300_000 + k, **w)) for k in range(80)]) for name, w in worlds.items()
    }


def covered(r, start, k):
    return ((r[:, start + 3 + k] <= r[:, 18 + k]) & (r[:, 18 + k] <= r[:, start + 6 + k])).mean()


def bias(r, start, k):
    return (r[:, start + k] - r[:, 18 + k]).mean()


def test_the_mixture_keeps_its_promise_where_its_assumptions_hold(runs):
    for k in (0, 2):
        assert covered(runs["base"], 0, k) > 0.88
        assert abs(bias(runs["base"], 0, k)) < 0.016


def test_one_side_outside_hurts_the_mixture_and_spares_the_second_method(runs):
    r = runs["market"]
    assert bias(r, 0, 0) < -0.012 and abs(bias(r, 9, 0)) < abs(bias(r, 0, 0)) + 0.005
    assert covered(r, 9, 0) > 0.87


def test_both_outside_breaks_both_and_a_market_of_its_own_cannot_be_mixed_away(runs):
    assert covered(runs["both"], 0, 0) < 0.5 and bias(runs["both"], 9, 0) < -0.02
    for start in (0, 9):
        assert bias(runs["lockdown"], start, 0) > 0.02


def test_donors_of_the_same_time_mend_a_market_of_its_own():
    rows = np.array([F["same_time"](DUB.worlds(seed=300_000 + k, lockdown=0.3)) for k in range(100)])
    assert abs(rows[:, 0].mean()) < 0.016 and (np.abs(rows[:, 0]) < rows[:, 1]).mean() > 0.88


def test_a_short_record_widens_and_the_curve_before_launch_does_not_tell_the_decay(runs):
    base, short = runs["base"], runs["short"]
    assert (short[:, 2] - short[:, 20]).std() > 1.1 * (base[:, 2] - base[:, 20]).std()
    miss = []
    for k in range(40):
        w = DUB.worlds(seed=300_000 + k, market=0.3, shape=0.4)
        miss.append(F["before_only"](w["interest"][:, 0], w["views"][:, 0], w["late"])[0])
    assert np.mean(miss) - truth("netflix_dub_delay")["ATT_launch"] < -0.1


def test_checks_have_the_power_that_the_page_tells(runs):
    assert runs["market"][:, -4].mean() > 0.5 and runs["base"][:, -4].mean() < 0.25
    assert runs["lockdown"][:, -3].mean() > 0.45 and runs["base"][:, -3].mean() < 0.2
    assert runs["market"][:, -2].mean() < 0.35 and runs["base"][:, -2].mean() < 0.12  # 두 방법의 차이는 힘이 없습니다
    assert runs["both"][:, -1].mean() > 0.9 and runs["base"][:, -1].mean() < 0.12  # 작품이 밖이면 가중치가 몰립니다
    assert (
        runs["both"][:, -4].mean() < runs["market"][:, -4].mean() + 0.15
    )  # 언어를 보는 점검은 작품이 밖인 것을 더 보지 못합니다


def test_the_placebo_on_other_titles_does_not_see_the_bias_of_late_titles(runs):
    fake = []
    for k in range(30):
        w = DUB.worlds(seed=300_000 + k, market=0.3, shape=0.4)
        y = w["views"] - w["interest"].mean(axis=2, keepdims=True)
        fake.append(F["mixed"](y, w["late"])[1][:, :4].mean())
    assert abs(np.mean(fake)) < 0.005 and bias(runs["both"], 0, 0) < -0.05


def test_the_square_root_alone_forgets_the_donors():
    rng = np.random.default_rng(3)
    errors = [rng.normal(0, 1, 12).mean() - rng.normal(0, 1, 36).mean() for _ in range(4_000)]
    assert np.std(errors) == pytest.approx(np.sqrt(1 / 12 + 1 / 36), rel=0.04)
    assert np.sqrt(1 / 12) < 0.9 * np.std(errors)


def test_the_memo_is_the_hours_between_the_two_worlds():
    """편당 남는 돈은 정답의 시간 차이에 값을 곱하고 비용을 한 번 뺀 것입니다."""
    assert "VALUE, COST = 100, 2_000_000" in PAGE.text
    w = DUB.worlds(seed=12)
    late = w["late"]
    with_dub, without = np.exp(w["views_0"])[late, 0].sum(axis=1), np.exp(w["views"])[late, 0].sum(axis=1)
    net = F["parts"]((w["views"] - w["views_0"])[late, 0], w["views"][late, 0])[:, 2]
    by_hand = (100 * 1_000 * (with_dub - without) - 2_000_000) / 10_000
    np.testing.assert_allclose(F["profit"](with_dub, net), by_hand)


def test_big_titles_first_saves_more_than_families_first():
    rules = np.array([F["kept"](DUB.worlds(seed=400_000 + k)) for k in range(200)])
    difference = rules[:, 0] - rules[:, 1]
    assert difference.mean() > 5 * difference.std() / np.sqrt(200)
    assert rules[:, 2] == pytest.approx(100 / 3)


def test_the_ranking_of_the_first_month_is_not_the_ranking_of_the_loss():
    rows = []
    for k in range(60):
        w = DUB.worlds(seed=410_000 + k)
        true = F["parts"]((w["views"] - w["views_0"])[w["late"], 0], w["views"][w["late"], 0])
        family = w["family"][w["late"]] == 1
        rows.append(true[family].mean(axis=0) - true[~family].mean(axis=0))
    launch, _, net = np.mean(rows, axis=0)
    assert launch < -0.15 and abs(net) < 0.03


def altered(*changes):
    """생성기의 식을 바꾼 세상. 쪽의 손잡이에 없는 반례를 만듭니다."""
    source = (ROOT / "data" / "generators" / "netflix_dub_delay.py").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in source
        source = source.replace(old, new)
    names = {}
    exec(compile(source, "altered", "exec"), names)
    return names["worlds"]


SAME_SIZE = ("rng.normal(4.6, 0.45, n)", "rng.normal(4.6, 0.0, n)")
SAME_TASTE = ("rng.normal(0, 0.2, (n, L))", "rng.normal(0, 0.0, (n, L))")


def test_shuffled_labels_compare_the_difference_and_not_one_mean():
    """도너에서 뺀 값이므로, 한쪽의 평균만 세면 5%의 검정이 9%쯤 틀립니다."""
    rng = np.random.default_rng(4)
    rejected = np.zeros(2)
    for _ in range(500):
        f, b = rng.normal(0, 1, 36), rng.normal(0, 1, 12)
        b, f = b - f.mean(), f - f.mean()
        one = rng.permuted(np.tile(np.concatenate([b, f]), (200, 1)), axis=1)[:, :12].mean(axis=1)
        alone = (1 + (np.abs(one) >= abs(b.mean())).sum()) / 201
        rejected += np.array([F["permutation_p"](b, f, rng, 200), alone]) <= 0.05
    assert rejected[0] / 500 < 0.075 < rejected[1] / 500 + 0.015
    assert rejected[1] > rejected[0] + 10


def test_equal_titles_shrink_the_gain_of_the_order_and_only_equal_tastes_end_it():
    gains = []
    for world in (DUB.worlds, altered(SAME_SIZE), altered(SAME_SIZE, SAME_TASTE)):
        rules = np.array([F["kept"](world(seed=900_000 + k)) for k in range(60)])
        gains.append((rules[:, 0] - rules[:, 1]).mean())
    assert gains[0] > 2 * gains[1] and gains[1] > 3 and abs(gains[2]) < 2


def test_interest_that_overstates_the_taste_bends_the_effect():
    world = altered(("interest = level +", "interest = size[:, None, None] + 0.6 * taste[:, :, None] +"))
    rows = np.array([F["trial"](world(seed=900_000 + k)) for k in range(60)])
    assert bias(rows, 0, 2) < -0.03 and covered(rows, 0, 2) < 0.93


def test_the_market_of_the_shut_time_becomes_bias_by_the_share_of_earlier_donors(runs):
    moved, shift = [], []
    for k in range(60):
        quiet, loud = (DUB.worlds(seed=300_000 + k, lockdown=v) for v in (0.0, -0.3))
        cal, e = [], []
        for w in (quiet, loud):
            y, late = w["views"] - w["interest"].mean(axis=2, keepdims=True), w["late"]
            gap, fake, _ = F["mixed"](y, late)
            V = w["views"][:, 0]
            cal.append(F["calendar_check"](F["parts"](fake, V[~late])[:, 2], w["launch"][~late])[0])
            e.append(
                F["parts"](gap, V[late])[:, 2].mean()
                - F["parts"]((w["views"] - w["views_0"])[late, 0], V[late])[:, 2].mean()
            )
        shift.append((cal[1] - cal[0]) * (w["launch"][~late] < 11).mean())
        moved.append(e[1] - e[0])
    assert np.mean(moved) < -0.03 and np.mean(moved) == pytest.approx(np.mean(shift), rel=0.2)


def test_the_weeks_after_the_dub_are_the_weakest_when_the_language_lies_outside(runs):
    assert bias(runs["market"], 0, 1) < -0.035 and covered(runs["market"], 0, 1) < covered(runs["market"], 0, 0)


def test_without_a_lockdown_the_donors_of_the_same_time_cost_width(runs):
    rows = np.array([F["same_time"](DUB.worlds(seed=300_000 + k)) for k in range(25)])
    assert rows[:, 1].mean() > 1.08 * (runs["base"][:, 8] - runs["base"][:, 2]).mean()
