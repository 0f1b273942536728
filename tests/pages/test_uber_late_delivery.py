"""늦은 배달: 알려진 정답, 그리고 음성 대조의 경보를 읽는 법."""

import numpy as np
import pandas as pd
import pytest

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, truth

LATE = generator("uber_late_delivery")
KNOWN = truth("uber_late_delivery")
PAGE = read_page(ROOT / "case_studies" / "uber_late_delivery.md")
HERE = page_functions(PAGE, "design", "fit_score", "aipw_att", "negative_control", "on_time_counts")


@pytest.fixture(scope="module", params=[False, True], ids=["기록된 배차", "숨은 배차"])
def large(request):
    return request.param, LATE.generate(seed=11, n=200_000, hidden=request.param)


def strata(frame):
    """배차 규칙이 보는 변수로 나눈 칸. 거리와 주방 대기와 약속의 여유는 분위로 자릅니다."""
    slack = frame["promised_min"] - 4 * frame["distance_km"] - 0.8 * frame["queue"]
    keys = [pd.qcut(c, 6, labels=False, duplicates="drop") for c in (frame["distance_km"], frame["queue"], slack)]
    keys += [frame["peak"], frame["rain"], frame["orders_28d"].clip(upper=9)]
    return pd.MultiIndex.from_arrays(keys)


def stratified_att(frame, outcome):
    """칸 안의 차이를 늦은 주문의 비율로 평균합니다. 모델을 쓰지 않는 검산입니다."""
    cells = (
        frame.assign(y=frame[outcome])
        .groupby([strata(frame), "late"])["y"]
        .agg(["mean", "size"])
        .unstack("late")
        .dropna()
    )
    gap = cells["mean"][1] - cells["mean"][0]
    return np.average(gap, weights=cells["size"][1])


def test_known_truth_at_large_n(large):
    hidden, frame = large
    effect = frame["orders_1"] - frame["orders_0"]
    assert effect[frame["late"] == 1].mean() == pytest.approx(KNOWN["hidden_ATT" if hidden else "ATT"], abs=0.015)
    assert effect.mean() == pytest.approx(KNOWN["ATE"], abs=0.01)


def test_naive_gap_has_the_wrong_sign(large):
    _, frame = large
    mean = frame.groupby("late")["orders_next_28d"].mean()
    assert mean[1] - mean[0] > 0.15


def test_measured_variables_remove_the_confounding_only_when_dispatch_reads_them(large):
    hidden, frame = large
    effect, past = stratified_att(frame, "orders_next_28d"), stratified_att(frame, "orders_29_56d")
    if hidden:
        assert effect > KNOWN["hidden_ATT"] + 0.15 and past > 0.1
    else:
        assert effect == pytest.approx(KNOWN["ATT"], abs=0.05) and abs(past) < 0.04


def test_late_means_more_than_ten_minutes(large):
    _, frame = large
    assert ((frame["minutes_late"] > LATE.PROMISE) == (frame["late"] == 1)).all()
    assert frame["minutes_late"].between(-15, 75).all()


def test_late_probability_is_the_share_of_late_orders(large):
    _, frame = large
    cells = frame.groupby(pd.qcut(frame["late_prob"], 20))[["late", "late_prob"]].mean()
    assert (cells["late"] - cells["late_prob"]).abs().max() < 0.02


def test_observed_outcome_is_one_of_the_two_potential_outcomes(large):
    _, frame = large
    assert (frame["orders_next_28d"] == frame["orders_1"].where(frame["late"] == 1, frame["orders_0"])).all()
    assert (frame["orders_1"] <= frame["orders_0"]).all()


def test_harm_grows_with_minutes_and_is_largest_in_share_for_newcomers(large):
    _, frame = large
    late = frame[frame["late"] == 1]
    lost = late["orders_0"] - late["orders_1"]
    by_minutes = lost.groupby(pd.cut(late["minutes_late"], [10, 15, 20, 30, 75]), observed=True).mean()
    assert by_minutes.is_monotonic_increasing
    share = lost.groupby(late["first_three"]).sum() / late.groupby("first_three")["orders_0"].sum()
    assert share[1] > share[0] + 0.03


def test_effect_zero_means_no_harm():
    frame = LATE.generate(seed=5, n=2000, effect=0.0)
    assert (frame["orders_1"] == frame["orders_0"]).all()


def test_counting_on_time_orders_sees_the_cell_that_the_score_misses():
    """한 칸이 모두 늦는 세상: 주효과만 담은 점수의 최댓값은 1에서 먼데, 그 칸의 제때 온 주문은 0건입니다."""
    frame = LATE.generate(seed=17, n=60_000)
    assert HERE["on_time_counts"](frame)["제때"].min() > 0
    corner = (frame["peak"] == 0) & (frame["distance_km"] > frame["distance_km"].quantile(0.75))
    corner &= frame["queue"] > frame["queue"].quantile(0.75)
    always = frame.assign(late=frame["late"].mask(corner, 1))
    assert corner.sum() > 100 and HERE["on_time_counts"](always)["제때"].min() == 0
    score = HERE["fit_score"](HERE["design"](always), always["late"].to_numpy())
    assert score[corner].mean() < 0.7 and score.max() < 0.95


def test_an_alarm_alone_is_no_reason_to_stop():
    """교란이 없어도 음성 대조는 스무 번에 한 번쯤 울리고, 울린 표본의 답도 정답 둘레에 있습니다."""
    rows = []
    for seed in range(150):
        frame = LATE.generate(seed=40_000 + seed, n=3_000)
        _, past, past_error = HERE["negative_control"](frame)
        late, orders = frame["late"].to_numpy(), frame["orders_next_28d"].to_numpy(float)
        rows.append([abs(past) > 1.96 * past_error, HERE["aipw_att"](HERE["design"](frame), orders, late)[0]])
    alarm, estimate = np.array(rows).T
    assert 0.01 <= alarm.mean() <= 0.12
    loud = estimate[alarm == 1]
    assert abs(loud.mean() - KNOWN["ATT"]) < 4 * estimate.std() / np.sqrt(len(loud))


def test_the_alarm_carries_the_direction_and_most_of_the_size():
    """숨은 충성도: 음성 대조의 부호가 편향의 부호이고, 그 값만큼 옮기면 정답에 가까워집니다."""
    frame = LATE.generate(seed=50, n=80_000, hidden=True)
    _, past, past_error = HERE["negative_control"](frame)
    known = frame[frame["first_three"] == 0]
    late = known["late"].to_numpy()
    future = HERE["aipw_att"](
        np.delete(HERE["design"](known), 5, axis=1), known["orders_next_28d"].to_numpy(float), late
    )[0]
    answer = (known["orders_1"] - known["orders_0"])[late == 1].mean()
    assert past > 3 * past_error and future > answer
    assert abs(future - past - answer) < 0.5 * abs(future - answer)
