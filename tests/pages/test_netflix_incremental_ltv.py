"""구독 해지 데이터의 생성기: 큰 표본에서는 알려진 정답."""

import numpy as np
import pytest

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, load, truth

LTV = generator("netflix_incremental_ltv")
KNOWN = truth("netflix_incremental_ltv")
PAGE = read_page(ROOT / "case_studies" / "netflix_incremental_ltv.md")
HERE = page_functions(
    PAGE, "count_moves", "chain", "by_type", "chain_att", "resampled", "retention_effect", CAP=8,
    MARGIN=np.array([6.0, 6.0, 10.0, 10.0]),
)  # fmt: skip
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


def test_the_chain_of_every_row_of_weights_is_the_chain_of_that_row():
    """무게를 한꺼번에 넣은 답은 한 줄씩 넣은 답, 그리고 정말로 다시 뽑은 계정의 답과 같습니다."""
    frame = LTV.generate(seed=6, n=2_000)
    counted = HERE["by_type"](frame), frame["cancelled"].to_numpy(), HERE["count_moves"](frame)
    weights = HERE["resampled"](len(frame), seed=1, draws=5)
    together = HERE["chain_att"](*counted, weights)[0]
    np.testing.assert_allclose(together, [HERE["chain_att"](*counted, w)[0] for w in weights])
    drawn = frame.loc[np.repeat(frame.index, weights[0].astype(int))]
    again = HERE["by_type"](drawn), drawn["cancelled"].to_numpy(), HERE["count_moves"](drawn)
    assert together[0] == pytest.approx(HERE["chain_att"](*again, np.ones(len(drawn)))[0])


def test_the_chain_is_the_value_of_accounts_played_month_by_month():
    """되돌이식의 답은 같은 확률로 달마다 굴린 계정의 현재가치와 같습니다."""
    p, rng = np.array([0.05, *np.linspace(0.2, 0.06, 8)]), np.random.default_rng(3)
    on, off = HERE["chain"](p[None], np.array([8.0]))[0]
    for start, expected in ((0, on), (1, off)):
        away, total = np.full(40_000, start), np.zeros(40_000)
        for month in range(1, 25):
            moved = rng.random(away.size) < p[np.minimum(away, 8)]
            away = np.where(away == 0, moved.astype(int), np.where(moved, 0, away + 1))
            total += 0.99**month * 8.0 * (away == 0)
        assert total.mean() == pytest.approx(expected, abs=4 * total.std() / 200)


def test_the_memo_prices_the_policy_that_it_recommends():
    """구간의 아래 끝까지 비용을 넘는 유형은 프리미엄·적게뿐이고, 메모의 돈은 그 유형에만 줄 때의 돈입니다."""
    assert "프리미엄·적게({eval}`100 * certain[1]:.0f`%)에만 주면 만 계정에 {eval}`certain[0]:,.0f`만 원" in PAGE.text
    frame = load("netflix_incremental_ltv")
    kind, leave = HERE["by_type"](frame), frame["cancelled"].to_numpy()
    weights = HERE["resampled"](len(frame), seed=12)
    worth = HERE["chain_att"](kind, leave, HERE["count_moves"](frame), weights)[1]
    risk = (weights @ (np.eye(4)[kind] * leave[:, None])) / (weights @ np.eye(4)[kind])
    low = np.quantile(0.3 * risk * (worth[..., 0] - worth[..., 1]) - 1.0, 0.025, axis=0)
    assert list(np.flatnonzero(low > 0)) == [2]
    fresh = LTV.generate(seed=2_026, n=100_000)
    gain = 0.3 * fresh["cancelled"] * (fresh["value_stay"] - fresh["value_leave"]) - 1.0
    by_kind = gain.groupby(HERE["by_type"](fresh)).sum() / len(fresh) * 1_000
    assert 0 < by_kind[2] < by_kind[2] + by_kind[0] and by_kind[2] > 5 * by_kind[0] > 0
