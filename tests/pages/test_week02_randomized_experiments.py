"""2주차 데이터의 생성기와 RAND 실험의 공개된 값."""

import numpy as np
import pandas as pd
import pytest

from book.myst import parse
from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, package_file, truth

PAGE = read_page(ROOT / "chapters" / "week02_randomized_experiments.md")
HERE = page_functions(PAGE, "clustered")
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


@pytest.fixture(scope="module")
def rand():
    """쪽의 14절에서 RAND 자료를 읽는 셀을 그대로 실행한 표."""
    cell = next(c for c in parse(PAGE.text).cells if "randhie" in c.source)
    space = {"pd": pd, "np": np, "package_file": package_file}
    exec(cell.source, space)
    return space


def test_rand_gives_the_published_visits_of_every_plan(rand):
    """Manning 등(1987)의 표: 한 해의 진료 4.55, 3.33, 3.03, 2.73번. 무료의 진료비는 45% 높다(RAND R-3476)."""
    published = {0: 4.55, 25: 3.33, 50: 3.03, 95: 2.73}
    assert {int(k): round(v, 2) for k, v in rand["visits"].items()} == published
    assert round(100 * (rand["cost"][0] / rand["cost"][95] - 1)) == 45


def test_rand_error_grows_when_homes_are_the_sample(rand):
    """집으로 묶은 오차는 행을 독립으로 본 오차의 두 배쯤이고 statsmodels의 군집 오차와 같습니다."""
    import statsmodels.formula.api as smf

    rows = rand["rand"]
    free, paid = (rows[rows["rate"] == r] for r in (0, 95))
    error = {u: np.hypot(HERE["clustered"](free, u), HERE["clustered"](paid, u)) for u in ("index", "zper", "family")}
    assert error["index"] < error["zper"] < error["family"]
    assert 1.7 < error["family"] / error["index"] < 2.2
    assert error["index"] == pytest.approx(np.hypot(free["visits"].sem(), paid["visits"].sem()), rel=1e-6)
    both = pd.concat([free, paid]).assign(free=lambda d: 1.0 * (d["rate"] == 0))
    fit = smf.ols("visits ~ free", both).fit(cov_type="cluster", cov_kwds={"groups": both["family"]})
    assert fit.bse["free"] == pytest.approx(error["family"], rel=0.002)
    assert rows.groupby("zper")["family"].nunique().max() == 1 and rows.groupby("family")["plan"].nunique().max() == 1


def test_a_few_clusters_do_not_keep_the_promise():
    """'그 단위가 많으면'이라는 조건: 집단마다 넷이면 1.96을 곱한 구간이 90%쯤만 포함하고, 백이면 95%입니다."""
    rng, cover = np.random.default_rng(5), {}
    for groups in (4, 100):
        arms = rng.normal(size=(2, 2000, groups))
        gap = arms[1].mean(axis=1) - arms[0].mean(axis=1)
        error = np.sqrt((arms.var(axis=2, ddof=1) / groups).sum(axis=0))
        cover[groups] = (np.abs(gap) < 1.96 * error).mean()
    assert cover[4] < 0.93 < 0.935 < cover[100]
