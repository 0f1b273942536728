"""``validate``: 머리에 내세운 값, 주장, 되풀이한 검증이 한 함수에서 나오고, 정답 열은 건네지지 않습니다."""

import numpy as np
import pandas as pd
import pytest

from causal_practice import claims, generator, load, truth, validate

COMMON = {"estimand": "ATE", "unit": "천 원", "method": "기울기"}


@pytest.fixture
def published(monkeypatch):
    seen = []
    monkeypatch.setattr(claims, "_publish", lambda data, metadata=None: seen.append((data, metadata)))
    return seen


def slope(frame: pd.DataFrame) -> tuple[float, float, float]:
    t, y = frame["push"] - frame["push"].mean(), frame["spend"] - frame["spend"].mean()
    b = (t @ y) / (t @ t)
    se = np.sqrt((t**2 * (y - b * t) ** 2).sum()) / (t @ t)
    return b, b - 1.96 * se, b + 1.96 * se


def run(**changes):
    options = COMMON | {
        "dataset": "push_budget", "estimator": slope, "truth": "ATE", "naive": lambda d: d["spend"].mean(), "draws": 200, "world": {"n": 1_000},
    }  # fmt: skip
    return validate("main", **(options | changes))


def test_claim_and_validation_come_from_the_same_function(published):
    done = run()
    mine = slope(load("push_budget"))
    assert (done.estimate, done.low, done.high) == mine and done.truth == truth("push_budget")["ATE"]
    draws = np.array([slope(generator("push_budget").generate(seed=10_000 + i, n=1_000)) for i in range(200)])
    np.testing.assert_allclose(done.draws[:, :3], draws)
    assert done.bias == pytest.approx(draws[:, 0].mean() - done.truth)
    inside = (draws[:, 1] <= done.truth) & (done.truth <= draws[:, 2])
    assert done.coverage == inside.mean() and done.coverage_error == pytest.approx(
        np.sqrt(inside.mean() * (1 - inside.mean()) / 200)
    )
    data = {mime: payload for record, _ in published for mime, payload in record.items()}
    assert data[claims.CLAIM_MIME]["estimate"] == pytest.approx(mine[0], rel=1e-9)
    assert data[claims.VALIDATION_MIME]["coverage"] == pytest.approx(done.coverage, rel=1e-9)
    assert data[claims.ESTIMATOR_MIME] | {"source": ""} == {
        "name": "main",
        "estimator": "slope",
        "source": "",
        "draws": 200,
    }


def test_the_estimator_never_sees_the_truth(published):
    seen = []

    def curious(frame):
        seen.append(set(frame.columns))
        return slope(frame)

    run(estimator=curious, naive=lambda d: (seen.append(set(d.columns)), 1.0)[1], draws=3)
    whole = set(load("push_budget", with_truth=True).columns)
    assert len(seen) == 5 and all(columns == set(load("push_budget").columns) < whole for columns in seen)


def test_a_truth_of_each_world_is_compared_with_that_world(published):
    done = run(truth=lambda d: d["slope"].mean(), draws=20)
    assert len(set(done.draws[:, 3])) == 20 and abs(done.bias) < 0.2


def test_worlds_that_are_not_tables_need_their_own_draw(published):
    draw = lambda seed: {"y": np.random.default_rng(seed).normal(2.0, 1.0, 100)}  # noqa: E731

    def mean(world):
        se = world["y"].std(ddof=1) / 10
        return world["y"].mean(), world["y"].mean() - 2 * se, world["y"].mean() + 2 * se

    done = validate(
        "m", **COMMON, estimator=mean, truth=lambda w: 2.0, naive=lambda w: 9.0, data=draw(1), draw=draw, draws=200
    )
    assert 0.9 < done.coverage <= 1 and abs(done.bias) < 0.05


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dataset": None}, "dataset을 적거나"),
        ({"draws": 1}, "2 이상"),
        ({"estimator": lambda d: (1.0, 2.0)}, "추정값, 아래, 위"),
        ({"estimator": lambda d: (1.0, np.nan, 2.0)}, "추정값, 아래, 위"),
        ({"estimator": lambda d: (3.0, 1.0, 2.0)}, "신뢰구간 안에"),
    ],
)
def test_what_cannot_be_proven_is_refused(published, changes, message):
    with pytest.raises(ValueError, match=message):
        run(**{"draws": 3} | changes)
