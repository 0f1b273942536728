"""게임 행사 사례: 알려진 정답, 그리고 쪽이 하는 통계의 주장."""

import numpy as np
import pytest
from scipy.optimize import nnls

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, truth

EVENTS = generator("netflix_game_events")
KNOWN = truth("netflix_game_events")["ATT"]
PAGE = read_page(ROOT / "case_studies" / "netflix_game_events.md")
T0 = 90
F = page_functions(
    PAGE, "matrix", "simplex", "centred", "did", "synthetic", "augmented", "robust", "synthetic_did", "effect", "bundle", "seat", "placebos", "weekly",
    "holdout", "event_effect", "profit", nnls=nnls, T0=T0, VALUE=400, COST=35_000_000,
)  # fmt: skip
F["METHODS"] = {
    "이중차분법": F["did"],
    "통제집단합성법": F["synthetic"],
    "보강": F["augmented"],
    "강건": F["robust"],
    "합성 이중차분법": F["synthetic_did"],
}


def clean(d):
    """명절 행사를 연 게임을 뺀 표."""
    return F["matrix"](d)[~F["matrix"](d, "holiday_event").any(axis=1)]


def test_the_card_tells_the_truth_of_the_file():
    d = EVENTS.generate(**EVENTS.DEFAULTS)
    assert d.loc[d["event"] == 1, "effect"].mean() == pytest.approx(KNOWN, abs=1e-5)
    first = d[d["game_id"] == 1]
    np.testing.assert_allclose(first["log_players"], first["log_players_0"] + first["effect"], atol=2e-4)


def test_without_an_event_nothing_differs():
    d = EVENTS.generate(seed=5, effect=0.0, steal=0.7)
    np.testing.assert_array_equal(d["log_players"], d["log_players_0"])


def test_moved_players_leave_the_genre_and_only_the_genre():
    still, moved = (EVENTS.generate(seed=5, rivals=0, steal=x) for x in (0.0, 0.5))
    lost = np.exp(still["log_players"]) - np.exp(moved["log_players"])
    gained = np.exp(still["log_players"]) - np.exp(still["log_players_0"])
    assert lost[moved["same_genre"] == 0].abs().max() == 0
    assert lost.sum() == pytest.approx(0.5 * gained.sum(), rel=0.01)


def test_weights_are_a_mixture_and_solve_the_problem():
    cp = pytest.importorskip("cvxpy")
    Z = F["centred"](clean(EVENTS.generate(seed=8)), T0)
    w = F["simplex"](Z[1:, :T0].T, Z[0, :T0])
    assert w.min() >= 0 and w.sum() == pytest.approx(1)
    v = cp.Variable(len(w), nonneg=True)
    cp.Problem(cp.Minimize(cp.sum_squares(Z[0, :T0] - Z[1:, :T0].T @ v)), [cp.sum(v) == 1]).solve(solver=cp.CLARABEL)
    np.testing.assert_allclose(w, v.value, atol=1e-4)


@pytest.fixture(scope="module")
def draws():
    """새 자료 300번의 추정값. 갈래의 이름 → 배열."""
    methods = {n: F[n] for n in ("did", "synthetic", "augmented", "robust", "synthetic_did")} | {"weekly": F["weekly"]}
    found = {name: [] for name in methods}
    for seed in range(300):
        P = clean(EVENTS.generate(seed=40_000 + seed))
        for name, f in methods.items():
            found[name].append(F["effect"](f, P, T0).mean())
    return {name: np.array(v) - KNOWN for name, v in found.items()}


def test_equal_weights_miss_the_decline_and_mixtures_miss_far_less(draws):
    assert draws["did"].mean() < -0.07
    for name in ("synthetic", "augmented", "robust", "synthetic_did"):
        assert -0.045 < draws[name].mean() < 0
    assert abs(draws["robust"].mean()) < abs(draws["augmented"].mean()) < abs(draws["synthetic"].mean())


def test_fitting_weekly_means_brings_the_mixture_closer(draws):
    """하루의 잡음이 무게를 고르게 누른다는 설명: 한 주의 평균으로 맞추면 치우침이 준다."""
    difference = np.abs(draws["synthetic"].mean()) - np.abs(draws["weekly"].mean())
    assert difference > 3 * np.std(draws["synthetic"] - draws["weekly"]) / np.sqrt(300)


def test_donors_with_their_own_holiday_pull_the_answer_down():
    dirty = [F["effect"](F["robust"], F["matrix"](EVENTS.generate(seed=40_000 + s)), T0).mean() for s in range(100)]
    pure = [F["effect"](F["robust"], clean(EVENTS.generate(seed=40_000 + s)), T0).mean() for s in range(100)]
    assert np.mean(pure) - np.mean(dirty) > 0.01


def test_the_sum_of_a_genre_forgets_moved_players():
    rows = []
    for seed in range(100):
        d = EVENTS.generate(seed=6_000 + seed, steal=1.0)
        rows.append(F["effect"](F["robust"], F["bundle"](d), T0).mean())
    assert abs(np.mean(rows)) < 0.02
    alone = EVENTS.generate(seed=6_000, steal=1.0)
    assert F["effect"](F["robust"], clean(alone), T0).mean() > 0.1


def test_the_adjustment_and_the_fit_use_days_before_the_event_only():
    """보정할 '행사 전 접속'은 행사 뒤의 값을 바꾸어도 그대로이고, 고른 갈래의 반사실도 1번의 행사 뒤 값을 쓰지 않습니다."""
    assert '"past":Y[:,T0-30:T0].mean(axis=1)' in "".join(PAGE.text.split())
    P = clean(EVENTS.generate(seed=11))
    later = P.copy()
    later[0, T0:] += 1.0
    for name, f in F["METHODS"].items():
        np.testing.assert_allclose(later[0] - f(later, T0), P[0] - f(P, T0), atol=1e-8, err_msg=name)


def test_the_memo_is_the_money_between_the_two_worlds():
    """쪽의 이익 식에 참 효과의 길을 넣으면, 행사가 있는 세상과 없는 세상의 접속 차이에 값을 곱하고 비용을 한 번 뺀 것입니다."""
    assert "VALUE, COST = 400, 35_000_000" in PAGE.text
    d = EVENTS.generate(seed=12)
    Y, Y0 = F["matrix"](d), F["matrix"](d, "log_players_0")
    path = Y[0] - Y0[0]
    by_hand = (400 * (np.exp(Y[0, T0:]) - np.exp(Y0[0, T0:])).sum() - 35_000_000) / 10_000
    told = F["profit"](Y[:12], lambda P, T: path if np.array_equal(P[0], Y[0]) else 0 * path)
    assert told[0] == pytest.approx(by_hand) and told[0] == pytest.approx(told[1]) == told[2]


def test_choosing_again_in_every_draw_keeps_the_promise():
    rows = np.array([F["event_effect"](EVENTS.generate(seed=70_000 + k)) for k in range(60)])
    assert ((rows[:, 1] <= KNOWN) & (KNOWN <= rows[:, 2])).mean() > 0.88
    assert -0.04 < rows[:, 0].mean() - KNOWN < 0


def test_what_could_not_be_linked_is_not_cited():
    assert "velog.io/@rockgoat2)" not in PAGE.text
