"""가입 화면 실험 사례: 큰 표본의 정답, 방법마다 약한 세상, 예행연습의 검정력, 메모의 돈, 파이프라인 명세."""

import re
from functools import lru_cache

import numpy as np
import pytest
import statsmodels.api as sm

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_pipeline import analyze
from causal_pipeline.spec import parse_spec
from causal_practice import check_answer, generator, load, truth
from causal_practice.data import data_dir

NAME = "netflix_metrics_projection"
GENERATOR = generator(NAME)
MAKE, KNOWN = GENERATOR.generate, truth(NAME)
TEXT = read_page(ROOT / "case_studies" / f"{NAME}.md")
PAGE = page_functions(
    TEXT,
    *("columns", "gap", "interval", "traits", "learn", "project", "index_effect", "curve", "by_curve", "rehearsal"),
    SEEN=4,
    YEAR=12,
    COLS=("tested", "new_page", "mobile", "ad", "joined", "hours_1", "hours_4", "bills_4", "bills_12"),
)
project = PAGE["project"]


@lru_cache
def world(name="carry", n=200_000, seed=11):
    """큰 자료의 열과 그 자료의 정답(회/방문자 100명)."""
    frame = MAKE(seed=seed, n=n, world=name)
    return PAGE["columns"](frame), 100 * (frame["bills_new"] - frame["bills_old"]).mean()


@pytest.mark.parametrize("name", [w for w in GENERATOR.WORLDS if w != "none"])
def test_known_truth_at_large_n(name):
    goal = KNOWN["ATE" if name == "carry" else f"ATE_{name}"]
    assert world(name)[1] == pytest.approx(goal, abs=1.3)


def test_without_an_effect_there_is_none():
    frame = MAKE(seed=3, n=4_000, world="none").query("tested == 1")
    assert (frame["bills_new"] == frame["bills_old"]).all()


def test_the_closed_columns_are_the_two_sides_of_the_seen_ones():
    for name in GENERATOR.WORLDS:
        frame = MAKE(seed=5, n=2_000, world=name)
        past, trial = frame.query("tested == 0"), frame.query("tested == 1")
        assert (past["bills_12"] == past["bills_old"]).all() and trial["bills_12"].isna().all()
        mine = trial["bills_new"].where(trial["new_page"] == 1, trial["bills_old"])
        assert (trial["bills_4"] == mine.clip(upper=4)).all()
        assert ((frame["bills_4"] == 4) == (frame["hours_4"] > 0)).mean() > 0.999
        assert trial["new_page"].mean() == 0.5 and past["new_page"].sum() == 0


def test_history_answers_where_surrogacy_holds_and_stretching_does_not():
    c, goal = world()
    value, var, _ = project(c)
    assert abs(value - goal) < 3.5 * np.sqrt(var) and np.sqrt(var) < 2
    assert 3 * PAGE["gap"](c["bills_4"], c)[0] > goal + 5


def error(name, **options):
    c, goal = world(name)
    return project(c, **options)[0] - goal


def test_each_method_has_its_own_weak_world():
    """11절: 반가움은 시청을 넣은 지수와 곡선을, 결제는 두 지수를 속이고 곡선은 이어지는 효과를 따라갑니다."""
    assert error("novelty") > 13 and abs(error("novelty", rich=False)) < 5
    assert error("carry", rich=False) < 0  # 오래갈 시청을 놓치므로 반가움에서 작은 편향은 둘이 비긴 것입니다
    assert error("billing") < -8 and error("billing", rich=False) < -8
    curves = {w: PAGE["by_curve"](world(w)[0])[0] - world(w)[1] for w in ("novelty", "billing")}
    assert curves["novelty"] > 10 > 7 > abs(curves["billing"])
    assert 0 < error("bargain") < 6


def test_a_lasting_lift_in_hours_is_missed_without_hours():
    c, _ = world()
    assert project(c)[0] - project(c, rich=False)[0] > 1


def test_a_rival_who_comes_later_leaves_no_trace_in_the_trial():
    here, there = MAKE(seed=7, n=4_000), MAKE(seed=7, n=4_000, world="rival")
    seen = [c for c in here if c not in ("bills_old", "bills_new")]
    assert here[seen].equals(there[seen]) and there["bills_new"].sum() < here["bills_new"].sum()


def test_the_rehearsal_sees_what_starts_inside_the_window_only():
    alarm = {w: PAGE["rehearsal"](world(w)[0]) for w in ("carry", "novelty", "billing", "bargain")}
    assert alarm["billing"][1] > 2 and alarm["bargain"][2] < 0
    for w in ("carry", "novelty"):
        assert abs(alarm[w][0]) < 1


def test_the_ratio_overstates_the_value_of_a_marginal_joiner():
    """9절: 어차피 올 손님의 효과가 새로 온 손님에게 얹힙니다."""
    frame = MAKE(seed=11, n=200_000).query("tested == 1")
    new = frame.loc[(frame["bills_old"] == 0) & (frame["bills_new"] > 0), "bills_new"].mean()
    ratio = (frame["bills_new"] - frame["bills_old"]).mean() / (
        (frame["bills_new"] > 0).mean() - (frame["bills_old"] > 0).mean()
    )
    assert ratio > new + 1.5


def test_the_curve_is_exact_for_a_beta_geometric_population():
    a, b = 1.2, 5.0
    churn = a / (a + b + np.arange(0, 11))
    alive = 0.3 * np.concatenate([[1], np.cumprod(1 - churn)])
    p = np.array([0.7, *(alive[:3] - alive[1:4]), alive[3]])
    assert PAGE["curve"](p) == pytest.approx(alive)


def test_the_hand_regression_and_its_variance_are_statsmodels():
    c = PAGE["columns"](MAKE(seed=2, n=4_000))
    stayed = c["bills_4"] == 4
    X, who = PAGE["traits"](c["hours_4"], c, stayed), stayed & (c["tested"] == 0)
    b, V = PAGE["learn"](X, c["bills_12"] - 4, who)
    fit = sm.OLS(c["bills_12"][who] - 4, X[who]).fit(cov_type="HC0")
    assert b == pytest.approx(fit.params) and V == pytest.approx(fit.cov_params())


def test_the_intervals_keep_their_promise_and_the_curve_delta_matches_its_spread():
    rows = []
    for seed in range(90):
        c = PAGE["columns"](MAKE(seed=20_000 + seed, n=4_000))
        value, pull = PAGE["by_curve"](c)
        rows.append([*PAGE["interval"](*project(c)[:2]), value, np.sqrt(PAGE["gap"](pull, c)[1])])
    r = np.array(rows)
    assert ((r[:, 1] < KNOWN["ATE"]) & (KNOWN["ATE"] < r[:, 2])).mean() > 0.88
    launched = r[r[:, 1] > 100 / 7]  # 넘은 실험만 고르면 추정값이 부풀려집니다
    assert 0.05 < len(launched) / len(r) < 0.5 and launched[:, 0].mean() > KNOWN["ATE"] + 5
    assert r[:, 3].std() == pytest.approx(np.median(r[:, 4]), rel=0.25)


def test_the_trials_own_fifth_bill_sees_the_fading_joy_better_than_a_months_holdback():
    """12절: 실험의 방문자는 같은 사람의 내다본 값과 견주므로 한 달 뒤에 반가움이 가신 것을 알아챕니다."""
    seen = []
    for seed in range(12):
        frame = MAKE(seed=40 + seed, n=12_000, world="novelty")
        c, gap = PAGE["columns"](frame), PAGE["gap"]
        stayed = c["bills_4"] == 4
        X = PAGE["traits"](c["hours_4"], c, stayed)
        b, V = PAGE["learn"](X, 1.0 * (c["bills_12"] > 4), stayed & (c["tested"] == 0))
        fifth = 1.0 * (np.where(frame["new_page"] == 1, frame["bills_new"], frame["bills_old"]) > 4)
        (missed, var), (pull, _) = gap(fifth - X @ b, c), gap(X, c)
        own, p = np.sqrt(var + pull @ V @ pull), fifth[c["tested"] == 1].mean()
        seen.append([missed / own, 100 * np.sqrt(p * (1 - p) * (1 / 5_000 + 1 / 45_000)) / own])
    z, wider = np.array(seen).T
    assert (z < -1.96).mean() >= 0.75 and wider.min() > 1.5


def test_the_memos_money_is_counted_once():
    """60만 명, 청구마다 7천 원, 방문자마다 1천 원. 홀드백의 10%는 이용료도 마진도 없습니다."""
    effect, low, high = PAGE["index_effect"](load(NAME))
    money = [0.9 * 600_000 * (7_000 * x / 100 - 1_000) / 1e8 for x in (effect, low, high)]
    assert money == pytest.approx([7.91, 3.39, 12.44], abs=0.01)
    opened = load(NAME, with_truth=True)
    gain = 100 * (opened["bills_new"] - opened["bills_old"]).mean()
    assert money[1] < 0.9 * 6 * (7 * gain / 100 - 1) < money[2]
    assert low > 100 / 7 > PAGE["gap"](PAGE["columns"](load(NAME))["bills_4"], PAGE["columns"](load(NAME)))[0] - 5
    for written in ("MARGIN, FEE = 7, 1", "MONTHLY, HOLD = 5, 0.1", "VISITORS = 12 * 10_000 * MONTHLY"):
        assert written in TEXT.text


def test_the_ready_specification_runs_on_the_trial_only():
    spec = re.search(r'spec = """\n(.*?)"""', TEXT.text, re.S)[1]
    trial = load(NAME).query("tested == 1").head(3_000)
    found, c = analyze(parse_spec(spec, data_dir()), frame=trial), PAGE["columns"](trial)
    assert 100 * found.primary.value == pytest.approx(PAGE["gap"](c["bills_4"], c)[0], abs=3)


def test_common_wrong_answers_are_rejected(capsys):
    c = PAGE["columns"](load(NAME))
    sd = c["bills_12"][c["tested"] == 0].std()
    right, even = 196 * sd * np.sqrt(1 / 5_000 + 1 / 45_000), 196 * sd * np.sqrt(2 / 25_000)
    check_answer("연습 2", even, expected=right, decimals=1)
    assert "아직 아닙니다" in capsys.readouterr().out
    check_answer("연습 2", round(right, 1), expected=right, decimals=1)
    assert "정답입니다" in capsys.readouterr().out
