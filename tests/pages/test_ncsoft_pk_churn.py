"""신규 유저와 첫 PK 데이터의 생성기: 큰 표본에서는 알려진 정답."""

import numpy as np
import pandas as pd
import pytest

from causal_practice import generator, truth

PK = generator("ncsoft_pk_churn")
KNOWN = truth("ncsoft_pk_churn")


@pytest.fixture(scope="module", params=[False, True], ids=["길드 없음", "숨은 길드"])
def large(request):
    return request.param, PK.generate(seed=11, n=400_000, hidden=request.param)


def killed(frame):
    return frame["first_pk_day"].notna()


def stratified(frame, outcome):
    """같은 날, 같은 서버, 전날까지 시간의 칸 안에서 견준 ATT. 모델을 쓰지 않는 검산입니다."""
    died, last = frame["first_pk_day"].fillna(99), frame["last_day"].fillna(99)
    hours = frame[[f"hours_d{k}" for k in range(8)]].to_numpy()
    total = weight = 0.0
    for day in PK.RISK_DAYS:
        i = np.flatnonzero((last >= day) & (died >= day))
        cell = pd.qcut(hours[i, :day].mean(axis=1), 40, labels=False, duplicates="drop")
        part = pd.DataFrame({"cell": cell, "war": frame["war_server"].to_numpy()[i], "t": (died.to_numpy()[i] == day), "y": frame[outcome].to_numpy()[i]})
        both = part.groupby(["cell", "war", "t"])["y"].agg(["mean", "size"]).unstack("t").dropna()
        total += ((both["mean"][True] - both["mean"][False]) * both["size"][True]).sum()
        weight += both["size"][True].sum()
    return total / weight


def test_known_truth_at_large_n(large):
    hidden, frame = large
    hit = killed(frame)
    assert (frame["churned"] - frame["churn_not_now"])[hit].mean() == pytest.approx(KNOWN["hidden_ATT" if hidden else "ATT"], abs=0.004)
    if not hidden:
        assert (frame["churned"] - frame["churn_never"])[hit].mean() == pytest.approx(KNOWN["never_ATT"], abs=0.004)


def test_naive_gap_is_mostly_immortal_time(large):
    _, frame = large
    rate = frame.groupby(killed(frame))["churned"].mean()
    assert rate[True] - rate[False] < -0.6


def test_history_removes_the_confounding_only_without_the_hidden_guild(large):
    hidden, frame = large
    effect, past = stratified(frame, "churned"), stratified(frame, "other_game_days")
    if hidden:
        assert effect < KNOWN["hidden_ATT"] - 0.02 and past > 0.5
    else:
        assert effect == pytest.approx(KNOWN["ATT"], abs=0.006) and abs(past) < 0.05


def test_nobody_dies_before_day_one_or_after_leaving(large):
    _, frame = large
    hit = frame[killed(frame)]
    assert hit["first_pk_day"].between(1, 7).all()
    assert (hit["first_pk_day"] <= hit["last_day"].fillna(PK.HORIZON)).all()
    assert (frame["last_day"].notna() == (frame["churned"] == 1)).all()


def test_hours_stop_with_the_last_day(large):
    _, frame = large
    for day in range(8):
        assert (frame[f"hours_d{day}"].notna() == (frame["last_day"].fillna(99) >= day)).all()


def test_ratio_one_means_no_effect():
    frame = PK.generate(seed=5, n=20_000, ratio=1.0)
    assert (frame["churned"] == frame["churn_not_now"]).all() and (frame["churned"] == frame["churn_never"]).all()
    rate = frame.groupby(killed(frame))["churned"].mean()
    assert rate[True] - rate[False] < -0.5
