"""안내 메일 사례: 알려진 정답, 그리고 쪽이 하는 통계의 주장."""

import numpy as np
import pytest

from causal_practice import generator, truth
from book.page_code import page_functions
from book.page import ROOT, read_page

MAIL = generator("uber_email_cace")
KNOWN = truth("uber_email_cace")
PAGE = read_page(ROOT / "case_studies" / "uber_email_cace.md")
gap = page_functions(PAGE, "gap")["gap"]


def wald(d):
    z, t, y = (d[c].to_numpy(float) for c in ("mail", "used", "trips"))
    return gap(y, z)[0] / gap(t, z)[0]


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
