"""안내 메일 사례: 알려진 정답, 그리고 쪽이 하는 통계의 주장."""

import numpy as np
import pytest

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, load, truth

MAIL = generator("uber_email_cace")
KNOWN = truth("uber_email_cace")
PAGE = read_page(ROOT / "case_studies" / "uber_email_cace.md")
OF_PAGE = page_functions(PAGE, "gap", "wald", "complier_effect", "without_direct", "complier_truth")
gap = OF_PAGE["gap"]


def wald(d):
    return OF_PAGE["wald"](d)[0]


def test_the_card_tells_the_truth_of_the_file():
    d = MAIL.generate(**MAIL.DEFAULTS)
    assert d.loc[d["kind"] == "complier", "effect"].mean() == pytest.approx(KNOWN["LATE"], abs=1e-4)
    assert d["effect"].mean() == pytest.approx(KNOWN["ATE"], abs=1e-4)


def test_types_behave_as_named():
    d = MAIL.generate(seed=5, n=5_000)
    assert (d.loc[d["kind"] == "always", "used"] == 1).all() and (d.loc[d["kind"] == "never", "used"] == 0).all()
    moved = d[d["kind"] == "complier"]
    assert (moved["used"] == moved["mail"]).all()
    assert (d.loc[d["old_app"] == 1, "used"] == 0).all()
    np.testing.assert_array_equal(d["trips"], d["trips_0"] + d["used"] * d["effect"])


def test_the_ratio_is_the_effect_of_compliers_and_not_of_everyone():
    d = MAIL.generate(seed=8, n=1_000_000)
    compliers = d[d["kind"] == "complier"]["effect"].mean()
    assert wald(d) == pytest.approx(compliers, abs=0.05)
    assert d["effect"].mean() < 0.5 * compliers
    assert gap(d["trips"].to_numpy(float), d["used"].to_numpy())[0] > 1.5 * compliers


def test_a_violation_is_divided_by_the_first_stage():
    d, bent = (MAIL.generate(seed=8, n=1_000_000, nudge=x) for x in (0.0, 0.1))
    stage = gap(d["used"].to_numpy(float), d["mail"].to_numpy())[0]
    assert wald(bent) - wald(d) == pytest.approx(0.1 / stage, abs=0.03)
    old = bent[bent["old_app"] == 1]
    assert gap(old["trips"].to_numpy(float), old["mail"].to_numpy())[0] == pytest.approx(0.1, abs=0.04)


def test_complier_profile_by_the_ratio_is_the_true_one():
    d = MAIL.generate(seed=9, n=1_000_000)
    z, t = d["mail"].to_numpy(float), d["used"].to_numpy(float)
    shown = gap(d["trips_before"].to_numpy(float) * t, z)[0] / gap(t, z)[0]
    assert shown == pytest.approx(d.loc[d["kind"] == "complier", "trips_before"].mean(), abs=0.05)
    assert shown > d["trips_before"].mean()


def test_hand_equals_linearmodels():
    from linearmodels.iv import IV2SLS

    d = MAIL.generate(seed=2, n=4_000)
    z, t, y = (d[c].to_numpy(float) for c in ("mail", "used", "trips"))
    v = wald(d)
    fit = IV2SLS.from_formula("trips ~ 1 + [used ~ mail]", d).fit(cov_type="robust")
    assert v == pytest.approx(fit.params["used"], abs=1e-9)
    assert gap(y - v * t, z)[1] / gap(t, z)[0] == pytest.approx(fit.std_errors["used"], rel=2e-3)


def test_two_overlapping_intervals_differ_all_the_same():
    """구간은 겹치지만 차이의 구간은 0을 담지 않고, 라이브러리의 차이도 같은 말을 합니다."""
    has = load("uber_email_cace").query("old_app == 0")
    (new, new_se), (rest, rest_se) = OF_PAGE["wald"](has[has["months"] <= 6]), OF_PAGE["wald"](has[has["months"] > 6])
    assert new - 1.96 * new_se < rest + 1.96 * rest_se  # 두 구간은 겹칩니다
    assert (new - rest) / np.hypot(new_se, rest_se) == pytest.approx(2.7, abs=0.05) and new - rest == pytest.approx(
        0.36, abs=0.005
    )
    world = MAIL.generate(seed=12, n=400_000).query("old_app == 0")
    truth_gap = [
        world[(world["kind"] == "complier") & part]["effect"].mean()
        for part in (world["months"] <= 6, world["months"] > 6)
    ]
    assert truth_gap[0] - truth_gap[1] == pytest.approx(0.6, abs=0.03)


def test_the_memo_counts_default_on_against_the_mail_and_only_those_it_switches_on():
    trip, mail, default_on = 1500, 120, 900
    for text in ("TRIP, MAIL, DEFAULT_ON = 1500, 120, 900", "(DEFAULT_ON - MAIL) / TRIP / never"):
        assert text in PAGE.text
    world = MAIL.generate(seed=13, n=1_000_000).query("old_app == 0")
    never = world["kind"] == "never"

    def profit(used):
        return trip * (world["effect"] * used).mean()

    with_mail = profit(world["kind"] != "never") - mail
    by_default = profit(np.ones(len(world))) - default_on
    gain = trip * (world["effect"] * never).mean() - (default_on - mail)
    assert by_default - with_mail == pytest.approx(gain) and -750 < gain < -630
    nobody = profit(world["kind"] == "always")
    itt = trip * (world["effect"] * (world["kind"] == "complier")).mean() - mail
    assert with_mail - nobody == pytest.approx(itt) and 368 < itt < 512  # 메모의 구간
    needed = (default_on - mail) / trip / never.mean()
    assert needed == pytest.approx(0.86, abs=0.01)
    assert trip * needed * never.mean() == pytest.approx(default_on - mail)  # 그 효과이면 본전입니다


def test_dropping_the_mail_loses_its_own_nudge_too():
    """메일이 거드는 세상: 기본으로 켜고 메일을 끊을 때의 본전은 거든 몫까지 갚아야 합니다."""
    assert "needed_most = needed + most / never" in PAGE.text
    trip, mail, default_on, nudge = 1500, 120, 900, 0.08
    world = MAIL.generate(seed=16, n=1_000_000, nudge=nudge).query("old_app == 0")
    never = (world["kind"] == "never").mean()
    got, kept = (world.loc[world["mail"] == z, "trips"].mean() for z in (1, 0))
    own = got - kept - (world["effect"] * (world["kind"] == "complier")).mean()
    assert own == pytest.approx(nudge, abs=0.02)
    needed = (default_on - mail) / trip / never
    assert trip * ((needed + nudge / never) * never - nudge) == pytest.approx(default_on - mail)
    assert needed + nudge / never == pytest.approx(0.99, abs=0.01)


def test_subtracting_the_old_apps_nudge_needs_the_same_nudge():
    """두 무리의 직접 효과가 같으면 바로잡고, 새 앱에만 있으면 그만큼 틀립니다."""
    same = MAIL.generate(seed=14, n=1_000_000, nudge=0.1)
    known = OF_PAGE["complier_truth"](same)
    assert OF_PAGE["without_direct"](same)[0] == pytest.approx(known, abs=0.1)
    clean = MAIL.generate(seed=14, n=1_000_000)
    only_new = clean.assign(trips=clean["trips"] + 0.1 * clean["mail"] * (1 - clean["old_app"]))
    stage = gap(clean.query("old_app == 0")["used"].to_numpy(float), clean.query("old_app == 0")["mail"].to_numpy())[0]
    shift = OF_PAGE["without_direct"](only_new)[0] - OF_PAGE["without_direct"](clean)[0]
    assert shift == pytest.approx(0.1 / stage, abs=1e-6) and shift > 0.25


def test_the_test_on_the_old_app_misses_most_small_nudges():
    old = load("uber_email_cace").query("old_app == 1")
    se = gap(old["trips"].to_numpy(float), old["mail"].to_numpy())[1]
    from scipy.stats import norm

    power = norm.sf(1.96 - 0.08 / se) + norm.cdf(-1.96 - 0.08 / se)
    assert 0.2 < power < 0.4
