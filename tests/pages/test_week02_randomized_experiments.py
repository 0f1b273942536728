"""2주차 데이터의 생성기: 같은 씨앗이면 같은 표, 있을 수 없는 값은 거절, 큰 표본에서는 알려진 정답."""

import numpy as np
import pandas as pd
import pytest

from causal_practice import generator, load, truth

BUTTON = generator("reorder_button")
HUBS = generator("hub_repurchase")
NAMES = ["reorder_button", "hub_repurchase"]


@pytest.fixture(scope="module")
def large():
    return BUTTON.generate(seed=41, n=1_000_000)


@pytest.mark.parametrize("module", [BUTTON, HUBS])
def test_same_seed_same_table(module):
    first, second = module.generate(seed=3, n=200), module.generate(seed=3, n=200)
    pd.testing.assert_frame_equal(first, second)
    assert not first.equals(module.generate(seed=4, n=200))


@pytest.mark.parametrize("module", [BUTTON, HUBS])
def test_global_seed_is_left_alone(module):
    np.random.seed(0)
    expected = np.random.random()
    np.random.seed(0)
    module.generate(seed=3, n=200)
    assert np.random.random() == expected


@pytest.mark.parametrize("name", NAMES)
def test_committed_file_is_what_the_generator_makes(name):
    module = generator(name)
    made = module.generate(**module.DEFAULTS)
    pd.testing.assert_frame_equal(load(name, with_truth=True), made, check_dtype=False, rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_truth_is_closed_by_default(name):
    hidden = {"would_click", "orders_0", "orders_1", "spend_0", "spend_1", "rate_true"}
    assert hidden.isdisjoint(load(name).columns)


@pytest.mark.parametrize(
    "bad",
    [
        {"n": 99},
        {"n": 1000.5},
        {"n": True},
        {"lift": -0.01},
        {"lift": 0.21},
        {"lift": float("nan")},
        {"share": 0.0},
        {"share": 1.0},
        {"season": 0.4},
        {"season": float("nan")},
        {"crash": -0.1},
        {"crash": 1.1},
    ],
)
def test_button_rejects(bad):
    with pytest.raises(ValueError, match="여야 합니다"):
        BUTTON.generate(**{"seed": 1, "n": 200} | bad)


@pytest.mark.parametrize("bad", [{"n": 9}, {"n": "많이"}, {"n": False}, {"rate": 0}, {"rate": 1}, {"rate": float("nan")}])
def test_hubs_reject(bad):
    with pytest.raises(ValueError, match="여야 합니다"):
        HUBS.generate(**{"seed": 1, "n": 200} | bad)


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
