"""구독 해지 데이터의 생성기: 큰 표본에서는 알려진 정답."""

import numpy as np
import pytest

from causal_practice import generator, truth

LTV = generator("netflix_incremental_ltv")
KNOWN = truth("netflix_incremental_ltv")
MONTHS = [f"on_{m}" for m in range(1, 25)]


@pytest.fixture(scope="module", params=[False, True], ids=["애착 없음", "숨은 애착"])
def large(request):
    return request.param, LTV.generate(seed=11, n=400_000, hidden=request.param)


def stratified(frame, column):
    """유형 안의 차이를 떠난 계정의 구성으로 평균합니다."""
    cells = frame.groupby(["premium", "heavy", "cancelled"])[column].agg(["mean", "size"]).unstack("cancelled")
    return np.average(cells["mean"][1] - cells["mean"][0], weights=cells["size"][1])


def test_known_truth_at_large_n(large):
    hidden, frame = large
    effect = (frame["value_leave"] - frame["value_stay"])[frame["cancelled"] == 1].mean()
    assert effect == pytest.approx(KNOWN["hidden_ATT" if hidden else "ATT"], abs=1.6)


def test_lifetime_value_is_more_than_twice_the_incremental_value(large):
    hidden, frame = large
    stayed = frame.loc[frame["cancelled"] == 0, "value"].mean()
    assert stayed > 2 * abs(KNOWN["hidden_ATT" if hidden else "ATT"])


def test_types_remove_the_confounding_only_without_hidden_attachment(large):
    hidden, frame = large
    effect, past = stratified(frame, "value"), stratified(frame, "paid_past")
    if hidden:
        assert effect < KNOWN["hidden_ATT"] - 10 and past < -0.2
    else:
        assert effect == pytest.approx(KNOWN["ATT"], abs=1.6) and abs(past) < 0.06


def test_value_is_the_discounted_margin_of_the_recorded_months(large):
    _, frame = large
    weight = LTV.DISCOUNT ** np.arange(1, LTV.HORIZON + 1)
    margin = np.asarray(LTV.MARGIN)[frame["premium"]]
    np.testing.assert_allclose(frame["value"], margin * (frame[MONTHS].to_numpy() @ weight), atol=0.01)


def test_observed_value_is_one_of_the_two_potential_outcomes(large):
    _, frame = large
    assert (frame["value"] == frame["value_leave"].where(frame["cancelled"] == 1, frame["value_stay"])).all()


def test_rejoining_fades_with_time_away():
    frame = LTV.generate(seed=5, n=200_000)
    gone = frame[frame["cancelled"] == 1]
    first = gone["on_1"].mean()
    still = gone[gone[[f"on_{m}" for m in range(1, 9)]].sum(axis=1) == 0]
    assert still["on_9"].mean() < 0.6 * first
