"""11주차: 알려진 정답, 그리고 장이 하는 통계의 주장."""

import numpy as np
import pytest

from book.myst import parse
from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, load, truth

ASSIST, GRADE = generator("order_assist"), generator("store_grade")
PAGE = read_page(ROOT / "chapters" / "week11_noncompliance_instruments.md")
CONTROLS = ["past_profit", "size", "station", "app_order"]
HERE = page_functions(
    PAGE, "two_slopes", "errors", "ratio", "ar_set", "without", "tsls", "iv_draw", "complier_truth", assist=ASSIST.generate
)  # fmt: skip
two_slopes, ratio = HERE["two_slopes"], HERE["ratio"]


def pair(d, z="visit"):
    return two_slopes(d[z].to_numpy(float), d[["profit", "used"]].to_numpy(float))


@pytest.fixture(scope="module")
def large():
    return ASSIST.generate(seed=11, n=400_000)


@pytest.fixture(scope="module")
def wide():
    return GRADE.generate(seed=12, n=400_000)


# ── 생성기 ──


def test_tables_obey_their_own_story(large):
    expected = np.select([large["kind"] == "always", large["kind"] == "complier"], [1, large["visit"]], 0)
    assert (large["used"] == expected).all()
    np.testing.assert_allclose(large["profit"], large["profit_0"] + large["used"] * large["effect"], atol=0.11)
    lifted = GRADE.generate(seed=5, n=50_000, lift=0.3)
    moved = lifted["score"] != lifted["true_score"]
    assert (
        lifted.loc[moved, "true_score"].between(68, 69.95).all() and lifted.loc[moved, "score"].between(70, 71.4).all()
    )
    assert 0.25 < moved[lifted["true_score"].between(68, 69.95)].mean() < 0.35


# ── 정답 ──


def test_cards_tell_the_truth(wide):
    d, known = load("order_assist", with_truth=True), truth("order_assist")
    complier = d["kind"] == "complier"
    assert d.loc[complier, "effect"].mean() == pytest.approx(known["LATE"], abs=0.01)
    assert d["effect"].mean() == pytest.approx(known["ATE"], abs=0.01)
    assert (d["effect"] * complier).mean() == pytest.approx(known["ITT"], abs=0.01)
    known, near = truth("store_grade"), wide[(wide["score"] - 70).abs() < 0.6]
    assert near.loc[near["kind"] == "complier", "effect"].mean() == pytest.approx(known["LATE"], abs=0.05)
    assert (near["kind"] == "complier").mean() == pytest.approx(known["share"], abs=0.012)
    assert known["ITT"] == pytest.approx(known["LATE"] * known["share"], abs=0.01)


def test_five_names_five_numbers(large):
    """켠 곳과 안 켠 곳의 차이는 음수, ITT와 LATE와 ATE는 양수이고 서로 다릅니다."""
    y, t, z = (large[c].to_numpy(float) for c in ("profit", "used", "visit"))
    assert y[t == 1].mean() - y[t == 0].mean() < -20
    followed = t == z
    assert y[followed & (t == 1)].mean() - y[followed & (t == 0)].mean() < -5
    complier = large["kind"] == "complier"
    slopes, _ = pair(large)
    assert slopes[1] == pytest.approx(complier.mean(), abs=0.006)
    assert slopes[0] == pytest.approx((large["effect"] * complier).mean(), abs=1.1)
    value, error = ratio(*pair(large))
    assert abs(value - large.loc[complier, "effect"].mean()) < 3.5 * error
    assert large.loc[complier, "effect"].mean() - large["effect"].mean() > 8
    assert large.loc[large["kind"] == "never", "effect"].mean() < 26


def test_selection_does_not_touch_the_first_stage():
    stages = [pair(ASSIST.generate(seed=4, n=200_000, selection=s))[0][1] for s in (-3.0, -0.9, 0.9)]
    assert np.ptp(stages) < 0.008


# ── 도구변수 ──


def test_ratio_and_matrix_are_linearmodels():
    from linearmodels.iv import IV2SLS

    d = ASSIST.generate(seed=6, n=900)
    value, error = ratio(*pair(d))
    lib = IV2SLS.from_formula("profit ~ 1 + [used ~ visit]", d).fit(cov_type="robust")
    assert value == pytest.approx(lib.params["used"]) and error == pytest.approx(lib.std_errors["used"])
    W = d[CONTROLS].to_numpy(float)
    ones = np.ones((len(d), 1))
    X, Z = np.column_stack([d["used"], ones, W]), np.column_stack([d["visit"], d["notice"], ones, W])
    formula = "profit ~ 1 + " + " + ".join(CONTROLS) + " + [used ~ visit + notice]"
    beta, se = HERE["tsls"](d["profit"].to_numpy(), X, Z)
    lib = IV2SLS.from_formula(formula, d).fit(cov_type="robust")
    assert beta[0] == pytest.approx(lib.params["used"]) and se[0] == pytest.approx(lib.std_errors["used"])


def test_second_stage_error_is_the_itt_error_over_the_first_stage():
    import statsmodels.api as sm

    d = ASSIST.generate(seed=7, n=900)
    slopes, influence = pair(d)
    fitted = sm.OLS(d["used"], sm.add_constant(d["visit"])).fit().fittedvalues
    wrong = sm.OLS(d["profit"], sm.add_constant(fitted.to_numpy())).fit(cov_type="HC0").bse.iloc[1]
    assert wrong == pytest.approx(np.sqrt((influence[:, 0] ** 2).sum()) / slopes[1])
    shifted = d.assign(profit=d["profit"] + 300 * d["used"])
    (a, se_a), (b, se_b) = ratio(slopes, influence), ratio(*pair(shifted))
    assert b - a == pytest.approx(300) and se_b == pytest.approx(se_a)


def test_defiers_enter_with_a_negative_weight():
    d = ASSIST.generate(seed=9, n=400_000, defiance=0.1)
    c, a = d["kind"] == "complier", d["kind"] == "defier"
    tc, ta = d.loc[c, "effect"].mean(), d.loc[a, "effect"].mean()
    expected = (c.mean() * tc - a.mean() * ta) / (c.mean() - a.mean())
    value, error = ratio(*pair(d))
    assert abs(value - expected) < 3.5 * error and value > tc + 5 > ta


def test_keeping_only_large_f_pulls_wald_away_from_the_truth():
    """힘이 중간인 세상에서 F가 10을 넘은 것만 남기면 중앙값이 단순 비교 쪽으로 갑니다. 거르지 않으면 정답에 가깝습니다."""
    target = HERE["complier_truth"](ASSIST.generate(seed=6, n=400_000, pull=0.3))
    pairs = [HERE["iv_draw"](20_000 + k, pull=0.3) for k in range(1_000)]
    F = np.array([s[1] ** 2 / (g[:, 1] ** 2).sum() for s, g in pairs])
    value = np.array([ratio(*p)[0] for p in pairs])
    kept = F > 10
    assert 200 < kept.sum() < 600
    assert target - np.median(value[kept]) > 10
    assert abs(target - np.median(value)) < target - np.median(value[kept])


def test_card_1995_is_what_was_published():
    """장의 셀이 공개된 OLS, IV, 1단계의 F를 냅니다. 오차는 자유도로 나누지 않으면 공개된 0.0548입니다."""
    import statsmodels.formula.api as smf
    from linearmodels.iv import IV2SLS

    cell = next(c for c in parse(PAGE.text).cells if "card.load()" in c.source)
    space = HERE | {"smf": smf, "IV2SLS": IV2SLS}
    exec(cell.source, space)
    ols, iv = space["ols"], space["iv"]
    assert (round(ols.params["educ"], 4), round(ols.bse["educ"], 4)) == (0.0747, 0.0035)
    assert (round(iv.params["educ"], 4), round(iv.std_errors["educ"], 4)) == (0.1315, 0.0550)
    assert round(space["card_F"], 2) == 13.26
    plain = IV2SLS.from_formula(f"lwage ~ 1 + {space['right_side']} + [educ ~ nearc4]", space["men"]).fit(
        cov_type="unadjusted"
    )
    assert round(plain.std_errors["educ"], 4) == 0.0548
    assert space["shape"] == "구간" and space["high"] > iv.params["educ"] + 1.96 * iv.std_errors["educ"]


@pytest.mark.parametrize("h", [4, 8, 20])
def test_two_lines_of_the_core_are_the_local_line_of_the_deeper_page(h):
    """장의 가중 2SLS와 심화의 손 계산은 밴드폭마다 같은 값입니다."""
    from linearmodels.iv import IV2SLS

    grade = load("store_grade")
    x = grade["score"].to_numpy() - 70
    near = page_functions(PAGE, "near_cutoff", grade=grade, x=x)["near_cutoff"](h)
    fit = IV2SLS.from_formula("sales ~ 1 + x + right:x + [helped ~ right]", near, weights=near["k"]).fit(
        cov_type="robust"
    )
    deeper = read_page(ROOT / "chapters" / "week11_deeper.md")
    tools = page_functions(deeper, "errors", "ratio", "local_jump")
    value, se = tools["ratio"](*tools["local_jump"](x, grade[["sales", "helped"]].to_numpy(float), h))
    assert fit.params["helped"] == pytest.approx(value) and fit.std_errors["helped"] == pytest.approx(se)


def test_covariates_may_lengthen_the_interval_when_the_lottery_is_uneven():
    """통제변수가 결과를 설명해도, 열에 아홉을 추첨하고 기울기가 켬에 따라 다르면 구간이 길어집니다."""
    rng = np.random.default_rng(1)
    change = {}
    for p in (0.5, 0.9):
        plain, adjusted = [], []
        for _ in range(150):
            w, z = rng.normal(size=1_000), (rng.random(1_000) < p).astype(float)
            t = z * (rng.random(1_000) < 0.95)
            y = np.where(t == 1, 2 + 2 * w, -3 * w) + rng.normal(0, 0.5, 1_000)
            plain.append(ratio(*two_slopes(z, np.column_stack([y, t])))[0])
            rest = HERE["without"](np.column_stack([z, y, t]), w[:, None])
            adjusted.append(ratio(*two_slopes(rest[:, 0], rest[:, 1:]))[0])
        change[p] = np.std(adjusted) / np.std(plain)
    assert change[0.5] < 1.05 and change[0.9] > 1.2


def test_layers_with_equal_lottery_variances_keep_the_average_of_the_compliers():
    """추첨 확률이 달라도 p(1-p)가 같으면 층을 넣은 2SLS가 순응자 전체의 평균이고, 다르면 아닙니다."""
    rng = np.random.default_rng(1)
    off = {}
    for first, second in ((0.3, 0.7), (0.5, 0.95)):
        layer = rng.integers(0, 2, 100_000)
        z = (rng.random(100_000) < np.where(layer, second, first)).astype(float)
        complier = rng.random(100_000) < 0.4
        effect, t = np.where(layer, 60.0, 10.0), z * complier
        y = rng.normal(0, 10, 100_000) + 5 * layer + effect * t
        rest = HERE["without"](np.column_stack([z, y, t]), layer[:, None])
        off[first] = ratio(*two_slopes(rest[:, 0], rest[:, 1:]))[0] - effect[complier].mean()
    assert abs(off[0.3]) < 1 and off[0.5] < -12
