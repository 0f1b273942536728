"""2주차 데이터의 생성기: 큰 표본에서는 알려진 정답."""

import numpy as np
import pytest

from causal_practice import generator, truth

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
