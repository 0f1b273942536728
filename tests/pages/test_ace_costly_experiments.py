"""비싼 시험 로트 사례: 아는 정답, 승자의 저주, 적응의 몫, 확인 로트, 메모의 돈."""

import re

import numpy as np
import pytest
import yaml
from scipy.stats import t as student

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, load, truth

PLANT = generator("ace_costly_experiments")
KNOWN = truth("ace_costly_experiments")
TEXT = read_page(ROOT / "case_studies" / "ace_costly_experiments.md")
PAGE = page_functions(
    TEXT, "at_now", "best_lot", "number", "posterior", "next_lot", "gp_effect", "confirmed", "drifted", "answer",
    np=np, student=student, cov=PLANT.COVARIANCE, usual=PLANT.USUAL, noise=PLANT.NOISE, now=PLANT.NOW,
)  # fmt: skip


def searched(frame):
    s = frame[frame["phase"] == "탐색"]
    return PAGE["number"](s), s["yield_pct"].to_numpy()


def test_the_card_holds_the_difference_of_true_yields():
    mean = PLANT.true_yield()
    assert mean[PLANT.ADVISED] - mean[PLANT.NOW] == pytest.approx(KNOWN["ATE_supplier"], abs=1e-3)
    assert mean.max() - mean[PLANT.NOW] == pytest.approx(KNOWN["ATE_best"], abs=1e-3)
    assert np.ptp(PLANT.true_yield("flat")) == 0


def test_the_pages_rule_is_the_generators_and_the_chosen_setting_is_confirmed():
    for seed in range(6):
        d = PLANT.generate(seed=seed)
        tried, y = searched(d)
        assert all(PAGE["next_lot"](tried[:k], y[:k]) == tried[k] for k in range(PLANT.START, len(tried)))
        height = (y - PLANT.USUAL) @ PAGE["posterior"](tried)[0]
        height[PLANT.NOW] = -np.inf
        assert (PAGE["number"](d)[~PAGE["at_now"](d)][-1] == height.argmax()).all()


def test_each_pair_holds_both_settings_and_half_start_with_the_new_one():
    d = PLANT.generate(seed=3, pairs=20)
    c = d[d["phase"] == "확인"].assign(now=PAGE["at_now"](d[d["phase"] == "확인"]))
    assert (c.groupby("pair")["now"].sum() == 1).all()
    assert c.groupby("pair")["now"].first().sum() == 10


def test_the_sharpest_design_never_looks_at_the_yields():
    one, other = (PLANT.generate(seed=s, design="target", surface=f) for s, f in ((1, "smooth"), (2, "narrow")))
    assert (searched(one)[0] == searched(other)[0]).all()
    a, b = (searched(PLANT.generate(seed=s))[0] for s in (1, 2))
    assert (a != b).any()


def test_the_posterior_is_scikit_learns():
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel

    tried, y = searched(load("ace_costly_experiments"))
    kernel = ConstantKernel(PLANT.LEVEL**2) + ConstantKernel(PLANT.SWING**2) * RBF(PLANT.REACH)
    fit = GaussianProcessRegressor(kernel, alpha=PLANT.NOISE**2, optimizer=None).fit(PLANT.GRID[tried], y - PLANT.USUAL)
    mean, both = fit.predict(PLANT.GRID[[55, PLANT.NOW]], return_cov=True)
    value, low, high, weights = PAGE["gp_effect"](tried, y, 55)
    assert value == pytest.approx(mean[0] - mean[1], abs=1e-6)
    assert (high - low) / 3.92 == pytest.approx(np.sqrt(both[0, 0] + both[1, 1] - 2 * both[0, 1]), abs=1e-5)
    # 높이를 거의 모른다고 두었으므로 가중치의 합이 0에 가깝고, 지난해의 평균은 답에 거의 들어가지 않습니다
    assert abs(weights.sum()) < 0.02
    drift = 0.05 * np.arange(len(y))
    assert PAGE["gp_effect"](tried, y + drift, 55)[0] - value == pytest.approx(weights @ drift, abs=1e-9)


def test_the_best_lot_overstates_and_confirmation_does_not_where_nothing_works():
    draws = [PLANT.generate(seed=70_000 + k, surface="flat") for k in range(200)]
    assert np.mean([PAGE["best_lot"](d) for d in draws]) > 2
    value, low, high = np.array([PAGE["confirmed"](d) for d in draws]).T
    assert abs(value.mean()) < 0.2 and ((low < 0) & (high > 0)).mean() > 0.9


def test_adaptive_choice_pulls_a_point_fixed_in_advance_down_and_a_random_design_does_not():
    """설정은 그대로 두고 오차만 새로 뽑은 것과의 차이: 차례로 고르는 일의 몫."""

    def share(design):
        moves = []
        for seed in range(80_000, 80_300):
            d = PLANT.generate(seed=seed, design=design)
            tried, y = searched(d)
            mean = d["true_yield"].to_numpy()[: len(y)]
            again = mean + np.random.default_rng([seed, 5]).normal(0, PLANT.NOISE, len(y))
            moves.append(
                PAGE["gp_effect"](tried, y, PLANT.ADVISED)[0] - PAGE["gp_effect"](tried, again, PLANT.ADVISED)[0]
            )
        return np.mean(moves)

    assert share("sequential") < -0.12 and abs(share("random")) < 0.15


def test_a_steady_drift_cancels_in_the_pairs_and_not_in_the_search():
    still, moving = (
        [PLANT.generate(seed=90_000 + k, drift=drift) for k in range(150)] for drift in (0.0, 0.08)
    )  # fmt: skip

    def bias(draws, estimate):
        return np.mean([estimate(d) - PAGE["answer"](d) for d in draws])

    def by_gp(d):
        return PAGE["gp_effect"](*searched(d), PAGE["number"](d)[~PAGE["at_now"](d)][-1])[0]

    assert bias(moving, by_gp) > bias(still, by_gp) + 0.6
    assert abs(bias(moving, lambda d: PAGE["confirmed"](d)[0])) < 0.25


def by_gp(d, page=PAGE):
    return page["gp_effect"](*searched(d), page["number"](d)[~page["at_now"](d)][-1])


def test_an_early_block_of_the_current_setting_is_enough_for_drift_to_bias_a_random_design():
    """차례로 고르지 않아도 지금 설정을 앞에만 두면 흐름이 새어 들어옵니다."""

    def bias(drift):
        draws = [PLANT.generate(seed=110_000 + k, design="random", drift=drift, pairs=2) for k in range(200)]
        return np.mean([by_gp(d)[0] - PAGE["answer"](d) for d in draws])

    assert bias(0.08) > bias(0.0) + 0.35


def test_a_trace_of_the_lot_before_shrinks_the_confirmation_and_the_order_of_the_pairs_does_not_show_it():
    """앞 로트의 몫 c가 남으면 짝의 차이는 1.5c배 줄고, 새 설정이 먼저인 짝과 나중인 짝이 똑같이 줄어듭니다."""
    off, ahead = [], []
    for k in range(300):
        d = PLANT.generate(seed=120_000 + k, carry=0.2)
        value, low, high = PAGE["confirmed"](d)
        real = PAGE["answer"](d)
        off.append([value - real, low < real < high, real])
        c = d[d["phase"] == "확인"]
        is_now, y = PAGE["at_now"](c), c["yield_pct"].to_numpy()
        gap, new_first = y[~is_now] - y[is_now], ~is_now[::2]
        ahead.append(gap[new_first].mean() - gap[~new_first].mean())
    bias, inside, real = np.mean(off, axis=0)
    assert bias == pytest.approx(-1.5 * 0.2 * real, abs=0.3) and inside < 0.8
    assert abs(np.mean(ahead)) < 0.35 < abs(bias)


def test_the_suppliers_interval_falls_short_where_the_lots_are_chosen_in_turn():
    def coverage(design):
        inside = []
        for k in range(400):
            d = PLANT.generate(seed=130_000 + k, design=design, pairs=2)
            _, low, high, _ = PAGE["gp_effect"](*searched(d), PLANT.ADVISED)
            inside.append(low < KNOWN["ATE_supplier"] < high)
        return np.mean(inside)

    assert coverage("sequential") < 0.945 < 0.96 < coverage("random")


def test_a_reach_that_fits_the_narrow_peak_repairs_the_interval_even_when_chosen_in_turn(monkeypatch):
    apart = ((PLANT.GRID[:, None] - PLANT.GRID) ** 2).sum(axis=2)
    cov = PLANT.LEVEL**2 + PLANT.SWING**2 * np.exp(-apart / 2 / 7**2)

    def coverage(page):
        draws = [PLANT.generate(seed=140_000 + k, surface="narrow", pairs=2) for k in range(200)]
        return np.mean([low < page["answer"](d) < high for d in draws for _, low, high, _ in [by_gp(d, page)]])

    assert coverage(PAGE) < 0.88
    monkeypatch.setattr(PLANT, "COVARIANCE", cov)
    fitting = page_functions(
        TEXT, "at_now", "number", "posterior", "gp_effect", "answer",
        np=np, cov=cov, usual=PLANT.USUAL, noise=PLANT.NOISE, now=PLANT.NOW,
    )  # fmt: skip
    assert coverage(fitting) > 0.91


def test_refitting_the_reach_and_swing_at_every_lot_stops_looking_for_the_narrow_peak(monkeypatch):
    apart = ((PLANT.GRID[:, None] - PLANT.GRID) ** 2).sum(axis=2)
    choices = [
        PLANT.LEVEL**2 + swing**2 * np.exp(-apart / 2 / reach**2)
        for swing in (0.3, 1.5, 3.0, 6.0) for reach in (5, 10, 15, 30)
    ]  # fmt: skip

    def found():
        draws = [PLANT.generate(seed=150_000 + k, surface="narrow", pairs=2) for k in range(40)]
        return np.mean([PAGE["answer"](d) for d in draws])

    fixed, usual_rule = found(), PLANT._posterior

    def refitted(tried, yields):
        y = np.asarray(yields) - PLANT.USUAL

        def likelihood(cov):
            seen = cov[np.ix_(tried, tried)] + PLANT.NOISE**2 * np.eye(len(tried))
            return -y @ np.linalg.solve(seen, y) - np.linalg.slogdet(seen)[1]

        monkeypatch.setattr(PLANT, "COVARIANCE", max(choices, key=likelihood))
        return usual_rule(tried, yields)

    monkeypatch.setattr(PLANT, "_posterior", refitted)
    assert found() < fixed - 1.5


def test_the_memos_money_is_the_generators():
    d = load("ace_costly_experiments")
    value, low, high = PAGE["confirmed"](d)
    real = 3000 * PAGE["answer"](load("ace_costly_experiments", with_truth=True)) - 6000
    assert 3000 * low - 6000 < real < 3000 * high - 6000
    assert 3000 * value - 6000 == pytest.approx(5_659, abs=1)
    assert low < 2 < value and 2 * 8 * 150 == 2400
    assert "per_point, approval, per_lot = 3000, 6000, 150" in TEXT.text


def test_the_specification_is_the_pipelines(tmp_path):
    from causal_pipeline.spec import parse_spec

    block = re.search(r"```yaml\n(.*?)```", TEXT.text, re.DOTALL)[1]
    d = load("ace_costly_experiments")
    c = d[d["phase"] == "확인"]
    c.assign(new_setting=(~PAGE["at_now"](c)).astype(int)).to_csv(tmp_path / "confirmation_lots.csv", index=False)
    parse_spec(block, tmp_path)
    assert yaml.safe_load(block)["treatment"]["randomized"] is True
