"""신규 유저와 첫 PK: 알려진 정답, 그리고 음성 대조의 경보를 읽는 법."""

import numpy as np
import pandas as pd
import pytest

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, truth

PK = generator("ncsoft_pk_churn")
KNOWN = truth("ncsoft_pk_churn")
PAGE = read_page(ROOT / "case_studies" / "ncsoft_pk_churn.md")
HERE = page_functions(PAGE, "person_days", "design", "fit_score", "aipw_att", "nearest")


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
        part = pd.DataFrame(
            {
                "cell": cell,
                "war": frame["war_server"].to_numpy()[i],
                "t": (died.to_numpy()[i] == day),
                "y": frame[outcome].to_numpy()[i],
            }
        )
        both = part.groupby(["cell", "war", "t"])["y"].agg(["mean", "size"]).unstack("t").dropna()
        total += ((both["mean"][True] - both["mean"][False]) * both["size"][True]).sum()
        weight += both["size"][True].sum()
    return total / weight


def test_known_truth_at_large_n(large):
    hidden, frame = large
    hit = killed(frame)
    assert (frame["churned"] - frame["churn_not_now"])[hit].mean() == pytest.approx(
        KNOWN["hidden_ATT" if hidden else "ATT"], abs=0.004
    )
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


def test_the_sign_of_the_negative_control_is_the_direction_of_the_bias():
    """숨은 길드: 다른 게임을 더 한 쪽이 죽은 쪽이고(음성 대조 양수) 원래 덜 떠나므로 효과가 아래로 치우칩니다.

    음성 대조와 이탈은 단위가 달라 그대로 빼지 못합니다. 쪽이 말하는 것은 방향과, 구간을 옮기는 크기입니다.
    """
    frame = PK.generate(seed=12, n=200_000, hidden=True)
    past, effect = stratified(frame, "other_game_days"), stratified(frame, "churned")
    assert past > 0.5 and effect - KNOWN["hidden_ATT"] < -0.02


def test_without_a_hidden_guild_the_alarm_still_rings_about_once_in_twenty():
    """교란이 없는 세상에서도 쪽의 음성 대조는 5%쯤 울립니다. 그래서 경보만으로 멈추지 않습니다."""
    rings = []
    for seed in range(150):
        days = HERE["person_days"](PK.generate(seed=40_000 + seed, n=1_500))
        value, error, _ = HERE["aipw_att"](
            HERE["design"](days), days["other_game_days"].to_numpy(float), days["killed"].to_numpy(), days["user"]
        )
        rings.append(abs(value) > 1.96 * error)
    assert 0.01 <= np.mean(rings) <= 0.12


def test_a_last_digit_does_not_choose_the_pairs():
    """반올림한 점수는 끝자리가 달라도 같은 짝을 뽑고, 똑같은 점수 가운데에서는 고루 뽑습니다."""
    r = np.random.default_rng(3)
    pool, target = r.integers(1, 9, 4_000) / 10, r.integers(1, 9, 2_000) / 10
    noise = 1e-14 * r.normal(size=(2, 4_000))
    pairs = [
        HERE["nearest"]((target + e[:2_000]).round(9), (pool + e).round(9), np.random.default_rng(0)) for e in noise
    ]
    assert (pairs[0] == pairs[1]).all() and (pool[pairs[0]] == target).all()
    assert np.bincount(pairs[0]).max() < 10
    apart = HERE["nearest"](np.array([0.30, 0.44, 9.0]), np.array([0.1, 0.31, 0.5]), np.random.default_rng(0))
    assert apart.tolist() == [1, 2, 2]
