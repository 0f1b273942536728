"""2주차 데이터의 생성기와, 분석을 실패한 뒤에 고를 때의 대가."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, load, truth

PAGE = read_page(ROOT / "chapters" / "week02_randomized_experiments.md")
HERE = page_functions(PAGE, "difference", "cuped", "false_passes")
BUTTON = generator("reorder_button")
HUBS = generator("hub_repurchase")


@pytest.fixture(scope="module")
def large():
    return BUTTON.generate(seed=41, n=1_000_000)


def test_known_truth_at_large_n(large):
    known = truth("reorder_button")
    effect = large["spend_1"] - large["spend_0"]
    more_orders = large["orders_1"].sum() - large["orders_0"].sum()
    assert effect.mean() == pytest.approx(known["ATE"], abs=0.05)
    assert effect[large["would_click"] == 1].mean() == pytest.approx(known["clicker_ATE"], abs=0.1)
    assert (effect[large["would_click"] == 0] == 0).all()
    assert 100 * more_orders / large["sessions"].sum() == pytest.approx(known["conversion_ATE"], abs=0.05)


def test_random_groups_give_the_truth_and_clickers_do_not(large):
    by_arm = large.groupby("shown")["spend"].mean()
    assert by_arm[1] - by_arm[0] == pytest.approx(truth("reorder_button")["ATE"], abs=0.3)
    by_click = large[large["shown"] == 1].groupby("clicked")["spend"].mean()
    assert by_click[1] - by_click[0] > 15


def test_assignment_is_independent_of_everything_before_it(large):
    assert large["shown"].mean() == pytest.approx(0.5, abs=0.003)
    for column in ("tenure_months", "old_phone", "pre_sessions", "pre_spend", "would_click", "spend_0", "sessions"):
        arms = large.groupby("shown")[column]
        assert abs(arms.mean().diff().iloc[1]) < 0.01 * large[column].std()


def test_observed_values_are_consistent(large):
    on = large["shown"] == 1
    assert (large["spend"] == np.where(on, large["spend_1"], large["spend_0"])).all()
    assert (large["orders"] == np.where(on, large["orders_1"], large["orders_0"])).all()
    assert (large["clicked"] == large["would_click"] * large["shown"]).all()
    assert (large["orders_1"] <= large["sessions"]).all()
    assert ((large["orders"] == 0) == (large["spend"] == 0)).all()


def test_no_lift_is_an_aa_test():
    frame = BUTTON.generate(seed=5, n=5000, lift=0.0)
    assert (frame["spend_1"] == frame["spend_0"]).all()
    assert frame["clicked"].sum() > 0


def test_season_moves_both_groups_alike():
    frame = BUTTON.generate(seed=5, n=200_000, lift=0.0, season=1.3)
    rise = (frame["sessions"] - frame["pre_sessions"]).groupby(frame["shown"]).mean()
    assert rise[0] > 1 and rise[1] == pytest.approx(rise[0], abs=0.1)


def test_crash_loses_only_shown_users_of_old_phones():
    whole, leaky = (BUTTON.generate(seed=6, n=50_000, crash=c) for c in (0.0, 0.5))
    gone = whole[~whole["user_id"].isin(leaky["user_id"])]
    assert (gone["shown"] == 1).all() and (gone["old_phone"] == 1).all()
    share = len(gone) / ((whole["shown"] == 1) & (whole["old_phone"] == 1)).sum()
    assert share == pytest.approx(0.5, abs=0.03)


def test_every_hub_has_the_same_true_rate():
    frame = HUBS.generate(seed=7, n=5000)
    rate = truth("hub_repurchase")["rate"]
    assert (frame["rate_true"] == rate).all()
    assert frame["returning"].sum() / frame["customers"].sum() == pytest.approx(rate, abs=0.002)
    z = (frame["returning"] - rate * frame["customers"]) / np.sqrt(rate * (1 - rate) * frame["customers"])
    assert z.std() == pytest.approx(1, abs=0.05)
    extremes = frame.assign(rate=frame["returning"] / frame["customers"]).sort_values("rate")["customers"]
    assert extremes.head(50).median() < frame["customers"].median() / 3
    assert extremes.tail(50).median() < frame["customers"].median() / 3


COLUMNS = ("spend", "pre_spend", "shown")


def test_a_second_analysis_after_the_first_failed_costs_more_than_half_again():
    """이름표를 섞어 센 비율이 두 변량 정규분포의 값과 같습니다: 하나는 2.5%, 둘 가운데 하나라도는 4% 남짓."""
    mine = load("reorder_button")
    y, x, t = (mine[c].to_numpy() for c in COLUMNS)
    plain, cuped, either = HERE["false_passes"](y, x, t, draws=2000)
    r = np.sqrt(1 - np.corrcoef(y, x)[0, 1] ** 2)
    exact = 0.05 - multivariate_normal.cdf([-1.96, -1.96], cov=[[1, r], [r, 1]])
    assert 0.040 < exact < 0.044
    for share, expected in ((plain, 0.025), (cuped, 0.025), (either, exact)):
        assert abs(share - expected) < 3.5 * np.sqrt(expected * (1 - expected) / 2000)
    assert either > 1.3 * max(plain, cuped)


def test_the_price_of_choosing_is_the_same_in_new_experiments():
    """생성기에서 새로 한 실험 1,500번: 정답을 본전으로 두면 둘 가운데 하나라도 위로 벗어난 비율이 4%쯤입니다."""
    answer, over = truth("reorder_button")["ATE"], []
    for k in range(1500):
        world = BUTTON.generate(seed=60_000 + k, n=1000)
        y, x, t = (world[c].to_numpy() for c in COLUMNS)
        found = (HERE["difference"](v, t) for v in (y, HERE["cuped"](y, x)))
        over.append([(effect - answer) / se > 1.96 for effect, se in found])
    over = np.array(over)
    assert 0.025 < over.any(axis=1).mean() < 0.057
    assert over.any(axis=1).mean() > 1.2 * over.mean(axis=0).max()
