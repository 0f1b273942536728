"""11주차 심화: 구간의 포함률, 여러 도구, 불연속 설계, 진짜 자료의 공개된 값."""

import ast

import numpy as np
import pandas as pd
import pytest

from book.myst import parse
from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, package_file, truth

ASSIST, GRADE = generator("order_assist"), generator("store_grade")
PAGE = read_page(ROOT / "chapters" / "week11_deeper.md")
CORE = read_page(ROOT / "chapters" / "week11_noncompliance_instruments.md")
CONTROLS = ["past_profit", "size", "station", "app_order"]
HERE = page_functions(
    PAGE, "two_slopes", "errors", "ratio", "ar_set", "ar_covers", "covers", "without", "tsls", "normal_world", "sargan_rejects", "excluded", "with_junk",
    "iv_draw", "grade_draw", "local_jump", "global_jump", "pick_window", "density_jump",
    assist=ASSIST.generate, make_grade=GRADE.generate, CONTROLS=CONTROLS,
)  # fmt: skip
two_slopes, ratio, local_jump = HERE["two_slopes"], HERE["ratio"], HERE["local_jump"]


def pair(d, z="visit"):
    return two_slopes(d[z].to_numpy(float), d[["profit", "used"]].to_numpy(float))


@pytest.fixture(scope="module")
def large():
    return ASSIST.generate(seed=11, n=400_000)


@pytest.fixture(scope="module")
def wide():
    return GRADE.generate(seed=12, n=400_000)


def functions(page):
    return {
        node.name: ast.unparse(node)
        for cell in parse(page.text).cells
        for node in ast.parse(cell.source).body
        if isinstance(node, ast.FunctionDef)
    }


def test_repeated_functions_are_the_chapters_own():
    """심화가 다시 적은 함수는 장의 것과 같습니다. tsls만 등분산 오차를 더했습니다."""
    here, there = functions(PAGE), functions(CORE)
    shared = set(here) & set(there)
    assert {"two_slopes", "errors", "band", "ratio", "ar_set", "without", "iv_draw", "complier_truth"} <= shared
    assert {name for name in shared if here[name] != there[name]} == {"tsls"}


def test_matrix_with_both_errors_is_linearmodels():
    from linearmodels.iv import IV2SLS

    d = ASSIST.generate(seed=6, n=900)
    W = d[CONTROLS].to_numpy(float)
    ones = np.ones((len(d), 1))
    X, Z = np.column_stack([d["used"], ones, W]), np.column_stack([d["visit"], d["notice"], ones, W])
    formula = "profit ~ 1 + " + " + ".join(CONTROLS) + " + [used ~ visit + notice]"
    for robust, options in [(True, {"cov_type": "robust"}), (False, {"cov_type": "unadjusted", "debiased": True})]:
        beta, se = HERE["tsls"](d["profit"].to_numpy(), X, Z, robust=robust)
        lib = IV2SLS.from_formula(formula, d).fit(**options)
        assert beta[0] == pytest.approx(lib.params["used"]) and se[0] == pytest.approx(lib.std_errors["used"])
    clean = HERE["without"](d[["profit", "used", "visit", "notice"]].to_numpy(float), W)
    assert HERE["sargan_rejects"](clean[:, 0], clean[:, 1], clean[:, 2:]) == (lib.sargan.pval < 0.05)


def test_anderson_rubin_set_inverts_its_test_and_opens_below_the_cutoff():
    shapes = set()
    for k in range(120):
        slopes, influence = HERE["iv_draw"](k, n=400, pull=(0.05, 0.2, 0.6)[k % 3])
        shape, low, high = HERE["ar_set"](slopes, influence)
        shapes.add(shape)
        F = slopes[1] ** 2 / (influence[:, 1] ** 2).sum()
        assert (shape == "구간") == (F > 1.96**2)
        inside = {"구간": lambda b: low < b < high, "양쪽": lambda b: b < low or b > high, "전부": lambda b: True}[
            shape
        ]
        for b in (-700.0, -90.0, -20.0, 0.0, 45.0, 160.0, 900.0):
            assert HERE["ar_covers"](slopes, influence, b) == inside(b)
    assert shapes == {"구간", "양쪽", "전부"}


def test_weak_instruments_anderson_rubin_holds_and_wald_depends_on_the_correlation():
    covers = lambda w: (np.abs(w[0]) < 1.96 * w[1]).mean()  # noqa: E731
    for rho in (0.3, 0.95):
        assert (np.abs(HERE["normal_world"](rho, 1.0)[4]) < 1.96).mean() == pytest.approx(0.95, abs=0.005)
    assert covers(HERE["normal_world"](0.95, 1.0)) < 0.86 and covers(HERE["normal_world"](0.3, 1.0)) > 0.98
    assert covers(HERE["normal_world"](0.95, 10.2)) > 0.94
    w = HERE["normal_world"](0.6, 2.0)
    assert covers(w[:, w[3] ** 2 > 10]) < 0.85 < covers(w)
    d = HERE["normal_world"](0.9, 10, beta=-0.9)
    assert (np.abs(d[0]) < 1.96 * d[2]).mean() < 0.65 < 0.93 < covers(d)


def test_a_direct_effect_is_divided_by_the_first_stage(large):
    direct = ASSIST.generate(seed=11, n=400_000, direct=5.0)
    before, after = pair(large), pair(direct)
    assert ratio(*after)[0] - ratio(*before)[0] == pytest.approx(5 / before[0][1], abs=0.05)
    draws = np.array([HERE["excluded"](k) for k in range(60)])
    assert draws[:, 1, 2].mean() < 0.25, "Sargan 검정이 배제 제약의 흠을 잘 듣는다면 5절의 말을 고쳐야 합니다."


def test_many_junk_instruments_pull_towards_the_naive():
    values = [np.mean([HERE["with_junk"](k, j)[0] for k in range(60)]) for j in (0, 100)]
    assert values[1] < values[0] - 20


def test_card_1995():
    from linearmodels.datasets import card

    men = card.load()
    C = men[["exper", "expersq", "black", "smsa", "south", "smsa66", *(f"reg{k}" for k in range(662, 670))]].to_numpy(
        float
    )
    ones = np.ones((len(men), 1))
    X, Z = np.column_stack([men["educ"], ones, C]), np.column_stack([men["nearc4"], ones, C])
    wage = men["lwage"].to_numpy()
    for (b, se), expected in [
        (HERE["tsls"](wage, X, X, robust=False), (0.0747, 0.0035)),
        (HERE["tsls"](wage, X, Z, robust=False), (0.1315, 0.0550)),
    ]:
        assert (round(b[0], 4), round(se[0], 4)) == expected
    b, se = HERE["tsls"](men["educ"].to_numpy(float), Z, Z, robust=False)
    assert round((b[0] / se[0]) ** 2, 1) == 13.3


def test_experience_instrumented_by_age_lowers_the_return():
    """경험까지 내생으로 두면 계수가 내려오지만 초록의 25~60%보다는 아직 큽니다."""
    cells = [c for c in parse(PAGE.text).cells if "card.load()" in c.source]
    space = dict(HERE)
    exec(cells[0].source, space)
    ols, iv, both = (space["card_fits"][k][0] for k in ("OLS", "IV", "IV, 경험도 내생"))
    assert ols < both < iv and 0.60 < both / ols - 1 < iv / ols - 1 < 0.80


def test_drinking_age_is_what_was_published():
    """한 달씩 묶은 사망률의 뛰는 크기와 HC3 오차가 공개된 표와 셋째 자리까지 같습니다."""
    import statsmodels.formula.api as smf

    cell = next(c for c in parse(PAGE.text).cells if "drinking.csv" in c.source)
    space = {"pd": pd, "smf": smf, "package_file": package_file}
    exec(cell.source, space)
    got = [(round(f.params["over"], 3), round(f.bse["over"], 3)) for f in (space["line"], space["curve"])]
    assert got == [(7.663, 1.374), (9.548, 2.231)]
    share = [f.params["over"] / f.params["Intercept"] for f in (space["line"], space["curve"])]
    assert share[0] < 0.09 < share[1]  # 논문의 9%


# ── 불연속 설계 ──


@pytest.mark.parametrize("p", [1, 2])
def test_local_jump_is_weighted_least_squares(p):
    import statsmodels.api as sm

    x, YT, _ = HERE["grade_draw"](1, n=2_000)
    h = 9.0
    use = np.abs(x) < h
    powers = np.column_stack([x[use] ** j for j in range(1, p + 1)])
    right = (x[use] >= 0).astype(float)[:, None]
    fit = sm.WLS(
        YT[use, 0], sm.add_constant(np.column_stack([right, powers, right * powers])), weights=1 - np.abs(x[use]) / h
    ).fit(cov_type="HC0")
    jump, influence = local_jump(x, YT, h, p)
    assert jump[0] == pytest.approx(fit.params[1]) and np.sqrt((influence[:, 0] ** 2).sum()) == pytest.approx(
        fit.bse[1]
    )


def test_local_linear_finds_the_truth_and_global_lines_do_not(wide):
    x, YT, known = wide["score"].to_numpy() - 70, wide[["sales", "helped"]].to_numpy(float), truth("store_grade")
    value, error = ratio(*local_jump(x, YT, 5.0))
    assert abs(value - known["LATE"]) < 3.5 * error
    jump, influence = local_jump(x, YT, 5.0)
    assert abs(jump[0] - known["ITT"]) < 3.5 * np.sqrt((influence[:, 0] ** 2).sum())
    for p, low, high in [(1, 26, 30), (2, 14, 17.3), (3, 14, 17.3)]:
        assert low < ratio(*HERE["global_jump"](x, YT, p))[0] < high
    assert wide.groupby("helped")["sales"].mean().diff().iloc[-1] > 40


def test_window_shrinks_as_stores_are_added():
    x, YT, _ = HERE["grade_draw"](2, n=400_000)
    small, big = HERE["pick_window"](x[:5_000], YT[:5_000, 0]), HERE["pick_window"](x, YT[:, 0])
    assert 3 < big < small < 11


def test_density_test_has_its_size_and_hears_lifting():
    clean = np.array([np.divide(*HERE["density_jump"](HERE["grade_draw"](300 + k)[0])) for k in range(200)])
    assert (np.abs(clean) > 1.96).mean() < 0.1 and clean.std() == pytest.approx(1.0, abs=0.15)
    lifted = [np.divide(*HERE["density_jump"](HERE["grade_draw"](300 + k, lift=0.2)[0])) for k in range(30)]
    assert np.mean(np.array(lifted) > 1.96) > 0.9


def test_lifting_biases_and_the_donut_repairs():
    x, YT, prior = HERE["grade_draw"](5, n=300_000, lift=0.3)
    known = truth("store_grade")["LATE"]
    value, error = ratio(*local_jump(x, YT, 6.0))
    keep = (x < -2) | (x >= 1.5)
    repaired, repaired_error = ratio(*local_jump(x[keep], YT[keep], 8.0))
    assert value - known > 5 * error and abs(repaired - known) < 3.5 * repaired_error
    jump, influence = local_jump(x, prior[:, None], 6.0)
    assert jump[0] > 4 * np.sqrt((influence**2).sum()), "처치 전 매출도 뛰어야 합니다."


# ── 고르지 않은 추첨과 유효 F ──


def test_controls_after_an_unequal_lottery_weigh_by_the_variance_of_the_lottery():
    """추첨 확률이 층마다 다르면 선형 2SLS는 순응자의 평균이 아니라 추첨의 분산으로 가중한 평균에 이릅니다."""
    big = ASSIST.generate(seed=5, n=400_000)
    tools = page_functions(PAGE, "two_slopes", "errors", "ratio", "without", "unequal_lottery")
    worlds = np.array([tools["unequal_lottery"](big, seed=s) for s in range(8)])
    app, moved = big["app_order"].to_numpy(), (big["kind"] == "complier").to_numpy()
    share = np.array([(moved & (app == k)).mean() for k in (0, 1)])
    late = np.array([big.loc[moved & (app == k), "effect"].mean() for k in (0, 1)])
    lottery = np.array([0.5 * 0.5, 0.95 * 0.05])
    heads_for, everyone = (share * lottery) @ late / (share @ lottery), share @ late / share.sum()
    assert everyone - heads_for > 4 and everyone == pytest.approx(42.5, abs=0.1)

    def controlled(world):
        rest = tools["without"](world, app[:, None])
        return tools["ratio"](*tools["two_slopes"](rest[:, 0], rest[:, 1:]))

    def by_layer(world):
        fits = [tools["two_slopes"](world[app == k, 0], world[app == k, 1:])[0] for k in (0, 1)]
        itt, stage = np.array([(app == k).mean() for k in (0, 1)]) @ np.array(fits)
        return itt / stage

    got = [controlled(w) for w in worlds]
    se = got[0][1] / np.sqrt(len(got))
    assert np.mean([g[0] for g in got]) == pytest.approx(heads_for, abs=3 * se)
    assert np.mean([g[0] for g in got]) < everyone - 3 * se
    assert np.mean([by_layer(w) for w in worlds]) == pytest.approx(everyone, abs=4 * se)
    raw = np.mean([tools["ratio"](*tools["two_slopes"](w[:, 0], w[:, 1:]))[0] for w in worlds])
    assert raw > everyone + 3  # 조건을 무시하면 반대쪽으로 틀립니다


def test_effective_f_is_the_robust_f_of_one_instrument_and_can_be_far_below_chi2_over_k():
    strength, odd = (
        page_functions(PAGE, "first_stage_strength", "uneven_noise")[n]
        for n in ("first_stage_strength", "uneven_noise")
    )
    rng = np.random.default_rng(1)
    z = rng.normal(size=(3_000, 1))
    t = 0.1 * z[:, 0] + (0.5 + z[:, 0] ** 2) * rng.normal(size=3_000)
    divided, effective = strength(z, t)
    slope = z[:, 0] @ t / (z[:, 0] @ z[:, 0])
    robust = slope**2 / (((z[:, 0] * (t - slope * z[:, 0])) ** 2).sum() / (z[:, 0] @ z[:, 0]) ** 2)
    assert divided == pytest.approx(robust) and effective == pytest.approx(robust)
    even = rng.normal(size=(20_000, 2))  # 등분산이고 도구끼리 닮았으면 둘이 같습니다
    divided, effective = strength(even, even @ [0.1, 0.1] + rng.normal(size=20_000))
    assert effective == pytest.approx(divided, rel=0.05)
    pairs = [strength(*odd(seed=s)) for s in range(5)]
    assert min(d for d, _ in pairs) > 50 and max(e for _, e in pairs) < 10


def test_the_weak_but_noisy_world_is_weak_for_2sls():
    """유효 F가 낮은 세상에서 2SLS는 실제로 단순 회귀 쪽으로 끌려갑니다. 카이제곱/도구 수는 이를 모릅니다."""
    odd = page_functions(PAGE, "uneven_noise")["uneven_noise"]
    found = []
    for s in range(300):
        z, t = odd(seed=s)
        noise = t - 0.05 * z[:, 0]
        y = noise + np.random.default_rng(10_000 + s).normal(size=len(t))  # 효과는 0, 교란만 있습니다
        fitted = z @ np.linalg.solve(z.T @ z, z.T @ t)
        found.append(fitted @ y / (fitted @ t))
    assert np.median(found) > 0.5
