"""라이브러리 함정: 쪽이 단 조건이 꼭 필요하다는 것을, 조건이 깨진 세상에서 봅니다."""

import inspect

import networkx as nx
import numpy as np
import pandas as pd
import pyfixest as pf
import pytest
from dowhy import CausalModel
from econml.dml import CausalForestDML, LinearDML
from econml.dr import LinearDRLearner
from econml.metalearners import SLearner, TLearner, XLearner
from linearmodels.iv import IVJIVE
from linearmodels.panel import PanelOLS
from sklearn.linear_model import LinearRegression, LogisticRegression

MODELS = {"model_y": LinearRegression(), "model_t": LogisticRegression(C=np.inf), "discrete_treatment": True}


def _overlap_world(effect, seed=0, n=40_000):
    """처치 확률이 x를 따르는 세상의 (x, 처치, 대상마다의 효과, 결과, 처치 확률)."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 1))
    share = 1 / (1 + np.exp(-1.5 * x[:, 0]))
    got, each = rng.binomial(1, share), effect(x[:, 0])
    return x, got, each, each * got + x[:, 0] + rng.normal(size=n), share


def test_shuffled_treatment_is_harmless_when_everyone_has_the_same_chance():
    rng = np.random.default_rng(1)
    x, t = rng.normal(size=3000), rng.binomial(1, 0.5, 3000)
    data = pd.DataFrame({"x": x, "t": t.astype(bool), "y": 2.0 * t + 3.0 * x + rng.normal(size=3000)})
    model = CausalModel(data, treatment="t", outcome="y", graph=nx.DiGraph([("x", "t"), ("x", "y"), ("t", "y")]))
    estimand = model.identify_effect()
    estimate = model.estimate_effect(estimand, method_name="backdoor.propensity_score_weighting")
    placebo = model.refute_estimate(
        estimand, estimate, method_name="placebo_treatment_refuter", placebo_type="permute", num_simulations=10,
        random_state=np.random.RandomState(0),
    )  # fmt: skip
    assert abs(placebo.new_effect) < 0.4


def test_a_hidden_cause_does_not_empty_the_estimand_when_an_instrument_is_there():
    data = pd.DataFrame(np.random.default_rng(0).normal(size=(50, 3)), columns=["z", "t", "y"])
    graph = nx.DiGraph([("z", "t"), ("t", "y"), ("u", "t"), ("u", "y")])
    with pytest.warns(UserWarning, match="assumed unobserved"):
        found = CausalModel(data, treatment="t", outcome="y", graph=graph).identify_effect()
    assert found.estimands["backdoor"] is None and found.estimands["iv"] is not None


def test_effects_that_vary_apart_from_compliance_leave_the_instrument_at_the_ate():
    rng, n = np.random.default_rng(0), 400_000
    z, kind = rng.binomial(1, 0.5, n), rng.uniform(size=n)
    took, gain = np.where(kind < 0.5, z, 0), 6 + 2 * rng.normal(size=n)
    result = gain * took + 3 * kind + rng.normal(size=n)
    wald = (result[z == 1].mean() - result[z == 0].mean()) / (took[z == 1].mean() - took[z == 0].mean())
    assert gain.std() > 1.9 and abs(wald - gain.mean()) < 0.1


def test_an_effect_that_moves_with_the_chance_but_not_with_the_overlap_meets_the_ate():
    x, got, each, paid, share = _overlap_world(lambda x: 1 + x)
    assert np.corrcoef(each, share)[0, 1] > 0.9 and abs(np.corrcoef(each, share * (1 - share))[0, 1]) < 0.02
    assert abs(LinearDML(**MODELS, random_state=0).fit(paid, got, W=x).ate() - each.mean()) < 0.05


def test_the_mean_of_the_forest_leans_to_the_overlap_and_the_scores_do_not():
    x, got, each, paid, share = _overlap_world(lambda x: 2 * np.maximum(x, 0), n=4000)
    forest = CausalForestDML(**MODELS, n_estimators=40, min_samples_leaf=500, random_state=0, n_jobs=1)
    forest.fit(paid, got, X=x)
    lean = np.average(each, weights=share * (1 - share)) - each.mean()
    assert lean < -0.15 and forest.ate(x).item() - each.mean() < 0.6 * lean
    assert abs(forest.ate_.item() - each.mean()) < 0.12


def test_the_meta_learners_have_no_discrete_outcome():
    taken = {kind: "discrete_outcome" in inspect.signature(kind.__init__).parameters
             for kind in (LinearDML, CausalForestDML, LinearDRLearner, TLearner, SLearner, XLearner)}  # fmt: skip
    assert list(taken.values()) == [True, True, True, False, False, False]
    chance = np.random.default_rng(0)
    x, t, y = chance.normal(size=(200, 1)), chance.binomial(1, 0.5, 200), chance.binomial(1, 0.4, 200)
    with pytest.raises(AttributeError, match="classifier"):
        LinearDRLearner(model_regression=LogisticRegression(), model_propensity=LogisticRegression()).fit(y, t, X=x)


def test_one_fixed_effect_is_not_counted_inside_its_cluster():
    chance = np.random.default_rng(0)
    panel = pd.DataFrame([(i, k) for i in range(100) for k in range(4)], columns=["unit", "time"])
    panel["x"] = chance.normal(size=len(panel))
    panel["y"] = panel["x"] + chance.normal(size=len(panel))
    wide = panel.set_index(["unit", "time"])
    by_unit = {"cov_type": "clustered", "cluster_entity": True}

    def ratio(fixed, **effects):
        theirs = PanelOLS(wide["y"], wide[["x"]], **effects).fit(**by_unit).std_errors["x"]
        return theirs / pf.feols(f"y ~ x | {fixed}", panel, vcov={"CRV1": "unit"}).se()["x"]

    assert ratio("unit", entity_effects=True) < 1
    assert ratio("unit + time", entity_effects=True, time_effects=True) > 1.1


def test_trials_that_act_only_through_the_treatment_keep_the_plain_jive_error():
    trials, each = 150, 20
    trial = np.repeat(np.arange(trials), each)
    rng, found = np.random.default_rng(5), []
    for own in (0.0, 0.6):

        def draw(own=own):
            push, hid = rng.normal(0, 0.5, trials)[trial], rng.normal(size=len(trial))
            d = push + hid + rng.normal(size=len(trial))
            return d + hid + rng.normal(0, 1, trials)[trial] * own + rng.normal(size=len(trial)), d

        def jive(y, d):
            others = (d.reshape(trials, each).sum(1, keepdims=True) - d.reshape(trials, each)).ravel()
            return float(others @ y / (others @ d))

        real = np.std([jive(*draw()) for _ in range(300)])
        dummies = pd.get_dummies(pd.Series(trial)).to_numpy(dtype=float)
        y, d = draw()
        found.append(IVJIVE(y, None, d[:, None], dummies).fit().std_errors.iloc[0] / real)
    assert found[0] > 0.85 and found[1] < 0.65
