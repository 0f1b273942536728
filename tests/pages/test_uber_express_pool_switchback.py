"""합승 대기 시간 사례: 알려진 정답, 그리고 쪽이 하는 통계의 주장."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, truth

RIDES = generator("uber_express_pool_switchback")
KNOWN = truth("uber_express_pool_switchback")
PAGE = read_page(ROOT / "case_studies" / "uber_express_pool_switchback.md")
LEAVING, RECEIVED = 4.40, 10.88  # 쪽이 정한 값. 아래 시험이 쪽의 글자와 견줍니다
HERE = page_functions(
    PAGE, "pool", "effect", "placebo", "off_peak", "profit", stats=stats, smf=smf, LEAVING=LEAVING, RECEIVED=RECEIVED
)


def test_the_recommended_policy_is_worth_what_the_memo_says():
    """출퇴근만 2분인 정책을 그대로 돌린 하루의 이익: 늘 5분과 거의 같고, 출퇴근에는 번진 취소의 값만 듭니다."""
    two, five, advised = (RIDES.generate(seed=6, days=700, design=d) for d in ("all2", "all5", "commute2"))
    assert (advised["wait5"] == 1 - advised["commute"]).all()
    profit = [d["trips"] * (10.88 - d["payout"]) - 4.40 * d["cancels"] for d in (two, five, advised)]
    policy, always = profit[2] - profit[0], profit[1] - profit[0]
    assert policy.sum() / 700 == pytest.approx(8_874, rel=0.02) and abs(always.sum() / policy.sum() - 1) < 0.03
    commute = two["commute"] == 1
    carried = 4.40 * RIDES.COMMUTE_FACTOR * RIDES.DEFAULTS["carry"]
    assert policy[commute].mean() == pytest.approx(-carried, abs=1)
    per_window = policy[~commute].mean()
    assert policy.sum() / 700 == pytest.approx(9 * (~commute).mean() * per_window - 10 / 7 * carried, rel=1e-3)


def test_the_designs_are_what_they_say():
    strict = RIDES.generate(seed=1)["wait5"].to_numpy()
    assert (strict[1:] + strict[:-1] == 1).all() and strict.sum() == 63
    blocks = RIDES.generate(seed=1, design="blocks", days=28)["wait5"].to_numpy()
    assert (blocks[0::2] == blocks[1::2]).all() and blocks.sum() == 126
    third = RIDES.generate(seed=1, design="blocks", days=28, block=3, share=1 / 3)["wait5"].to_numpy().reshape(-1, 3)
    assert (third.min(axis=1) == third.max(axis=1)).all() and third[:, 0].sum() == 28
    rush = RIDES.generate(seed=1).query("commute == 1")
    assert len(rush) == 20 and rush["wait5"].sum() == 10


def test_the_truth_is_always_five_against_always_two():
    """정답은 식이 아니라 두 세상을 따로 만들어 뺀 값입니다."""
    two, five = (RIDES.generate(seed=5, days=300, design=d) for d in ("all2", "all5"))
    gap = (five["cancels"] - two["cancels"])[9:]
    rush = two["commute"][9:] == 1
    assert gap[~rush].mean() == pytest.approx(KNOWN["ATE"], abs=0.01)
    assert gap[rush].mean() == pytest.approx(KNOWN["commute"], abs=0.01)
    pd.testing.assert_series_equal(two["cancels"], two["cancels_2"], check_names=False)
    np.testing.assert_allclose(five["cancels"][9:], five["cancels_5"][9:], atol=0.11)


def test_alternation_measures_the_direct_part_minus_the_carried_part():
    d = RIDES.generate(seed=6, days=6_000)
    quiet = d[d["commute"] == 0].groupby("wait5")["cancels"].mean()
    assert quiet[1] - quiet[0] == pytest.approx(24 - 6, abs=0.5)


def test_by_hand_equals_statsmodels():
    d = RIDES.generate(seed=7, days=28, design="blocks")
    value, error, _ = HERE["effect"](d)
    late = d[np.arange(len(d)) % 2 == 1].assign(
        quiet=lambda x: x["wait5"] * (1 - x["commute"]), rush=lambda x: x["wait5"] * x["commute"]
    )
    fit = smf.ols("cancels ~ quiet + rush + C(window) + weekend + commute", late).fit(cov_type="HC3")
    np.testing.assert_allclose(value, fit.params[["quiet", "rush"]], atol=1e-8)
    np.testing.assert_allclose(error, fit.bse[["quiet", "rush"]], rtol=1e-8)


def test_commute_and_profit_are_covered_too():
    hits = []
    two, five = (RIDES.generate(seed=1, days=2_100, design=d) for d in ("all2", "all5"))
    profit = HERE["profit"]
    gap = profit(five) - profit(two)
    money = [gap[two["commute"] == c].mean() for c in (0, 1)]
    for k in range(300):
        d = RIDES.generate(seed=50_000 + k, days=28, design="blocks")
        d["profit"] = profit(d)
        row = []
        for outcome, answer in [("cancels", [KNOWN["ATE"], KNOWN["commute"]]), ("profit", money)]:
            value, error, q = HERE["effect"](d, outcome)
            row += list(np.abs(value - answer) < q * error)
        hits.append(row)
    assert np.all(np.abs(np.mean(hits, axis=0) - 0.95) < 3 * np.sqrt(0.95 * 0.05 / 300) + 0.01)


def test_the_memo_counts_every_dollar_once():
    """두 세상의 돈을 갈래마다 따로 세어 더한 것이 쪽의 이익과 같습니다. 운행의 이익을 취소에 또 매기면 출퇴근의 부호가 바뀝니다."""
    assert f"LEAVING, RECEIVED = {LEAVING:.2f}, {RECEIVED:.2f}" in PAGE.text
    two, five = (RIDES.generate(seed=2, days=1400, design=d) for d in ("all2", "all5"))
    rush = two["commute"] == 1
    saved = (two["payout"] - five["payout"]) * five["trips"]  # 남은 운행에서 아낀 돈
    lost = (two["trips"] - five["trips"]) * (RECEIVED - two["payout"])  # 잃은 운행의 이익: 여기서만
    leave = LEAVING * (five["cancels"] - two["cancels"])  # 떠나는 몫
    once = saved - lost - leave
    np.testing.assert_allclose(HERE["profit"](five) - HERE["profit"](two), once, atol=1e-6)
    assert once[rush].mean() == pytest.approx(14, abs=5) and once[~rush].mean() == pytest.approx(1180, abs=10)
    twice = HERE["profit"](five, LEAVING + 3.60) - HERE["profit"](two, LEAVING + 3.60)
    assert twice[rush].mean() < -240
    assert once[~rush].mean() / LEAVING == pytest.approx(268, abs=4)  # 본전이 되는 취소: 이익을 두 번 세면 절반입니다
    assert twice[~rush].mean() / (LEAVING + 3.60) == pytest.approx(134, abs=2)


def test_the_headline_is_the_effect_off_peak():
    d = RIDES.generate(seed=8, days=28, design="blocks")
    value, error, q = HERE["effect"](d)
    assert HERE["off_peak"](d) == pytest.approx((value[0], value[0] - q * error[0], value[0] + q * error[0]))


def test_placebo_is_quiet_when_nobody_knows_the_next_block():
    rings = []
    for k in range(200):
        fake, error = HERE["placebo"](RIDES.generate(seed=900 + k, days=28, design="blocks"))
        rings.append(abs(fake) > 1.96 * error)
    assert np.mean(rings) < 0.11


def test_splitting_riders_exaggerates_the_harm_and_hides_the_gain():
    """5분 손님이 2분 손님의 짝이 되어, 나눈 실험의 취소 차이는 크고 짝의 차이는 작습니다."""
    rng = np.random.default_rng(0)
    worlds = {share: np.vstack([HERE["pool"](rng, share) for _ in range(40)]) for share in (0.0, 0.5, 1.0)}
    split = worlds[0.5][worlds[0.5][:, 0] == 1].mean(axis=0) - worlds[0.5][worlds[0.5][:, 0] == 0].mean(axis=0)
    city = worlds[1.0].mean(axis=0) - worlds[0.0].mean(axis=0)
    assert split[1] < 0.9 * city[1] and split[2] > 1.15 * city[2] > 0


def test_a_third_of_the_blocks_costs_a_third_less_harm_and_little_precision():
    harm, spread = {}, {}
    for share in (1 / 2, 1 / 3):
        trials = [RIDES.generate(seed=k, days=28, design="blocks", share=share) for k in range(300)]
        harm[share] = np.mean([(d["cancels"] - d["cancels_2"]).sum() for d in trials])
        spread[share] = np.std([HERE["effect"](d)[0][0] for d in trials])
    assert harm[1 / 3] / harm[1 / 2] == pytest.approx(2 / 3, abs=0.03)
    assert spread[1 / 3] < 1.25 * spread[1 / 2]
