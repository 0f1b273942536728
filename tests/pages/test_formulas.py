"""쪽이 손으로 적은 이름난 식이 그 식입니다: 성향점수, 가중 평균, 이중 강건, 균형, 유효 표본, 강건성 값, E-값, 홀름 …

쪽에서 이름과 인자가 같은 함수를 모두 찾아 그 정의로 부르고, 여기서 따로 적은 식이나 라이브러리의 답과 견줍니다. 새 쪽의 함수도
저절로 들어옵니다. 되풀이한 검증(validate)은 주된 추정만 보므로, 곁가지의 식은 여기서 봅니다.
"""

import ast
from functools import cache

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from linearmodels.iv import IV2SLS
from scipy.optimize import minimize, nnls
from scipy.stats import norm
from statsmodels.stats.multitest import multipletests

from book.checks.claims import Code
from book.myst import parse
from book.page import ROOT, Page, published_pages, read_page
from book.page_code import page_functions

RNG = np.random.default_rng(2026)
N = 400
X = np.column_stack([np.ones(N), RNG.normal(size=(N, 2))])
E = 1 / (1 + np.exp(-X @ [0.2, 0.6, -0.4]))
T = (RNG.random(N) < E).astype(int)
Y = X @ [1.0, 0.5, 2.0] + 0.7 * T + RNG.gamma(2.0, 1.0, N)
W = RNG.gamma(2.0, 1.0, N)
M0, M1 = X @ [1.0, 0.5, 1.5], X @ [2.0, 0.5, 2.0]
USER = np.repeat(np.arange(N // 4), 4)
VISITS = pd.DataFrame({"shown": T, "sessions": 1 + RNG.poisson(4.0, N)}).assign(
    orders=lambda d: RNG.binomial(d["sessions"], 0.3 + 0.1 * d["shown"])
)
NAMES = {"nnls": nnls, "norm": norm, "sm": sm}


def weighted_mean_gap(y, t, w):
    return np.average(y[t == 1], weights=w[t == 1]) - np.average(y[t == 0], weights=w[t == 0])


@cache
def logit():
    return sm.Logit(T, X).fit(disp=0)


def welch():
    a, b = Y[T == 1], Y[T == 0]
    return a.mean() - b.mean(), np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))


def aipw_terms():
    return M1 - M0 + T * (Y - M1) / E - (1 - T) * (Y - M0) / (1 - E)


def att():
    """회귀와 성향점수를 함께 쓴 ATT와, 한 사람이 한 행일 때와 넷일 때의 표준오차."""
    e = logit().predict(X)
    m0 = X @ sm.OLS(Y[T == 0], X[T == 0]).fit().params
    terms = np.where(T == 1, Y - m0, -e / (1 - e) * (Y - m0))
    value = terms.sum() / T.sum()
    part = terms - T * value
    return value, np.sqrt((part**2).sum()) / T.sum(), np.sqrt((np.bincount(USER, part) ** 2).sum()) / T.sum()


def robustness_value(f):
    return (np.sqrt(f**4 + 4 * f**2) - f**2) / 2


def slope_and_error():
    fitted = sm.OLS(Y, np.column_stack([np.ones(N), W])).fit(cov_type="HC0")
    return fitted.params[1], fitted.bse[1]


def simplex_answer(A, b):
    start = np.full(A.shape[1], 1 / A.shape[1])
    return minimize(
        lambda w: ((A @ w - b) ** 2).sum(), start, method="SLSQP", bounds=[(0, 1)] * len(start),
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1}, options={"ftol": 1e-14, "maxiter": 1000},
    ).x  # fmt: skip


def close(a, b, tol=1e-6):
    np.testing.assert_allclose(np.asarray(a, float), np.asarray(b, float), rtol=tol, atol=tol)


def fit_score(f):
    made = f(X, T)
    close(made, logit().predict(X) if len(made) == N else logit().params, 1e-4)


def nearest(f):
    target, pool = RNG.normal(size=50), RNG.normal(size=80)
    chosen = f(target, pool)
    close(np.abs(target - pool[chosen]), np.abs(target[:, None] - pool).min(axis=1))


def two_means(f):
    close(f(Y, T), welch())


def weighted(f):
    close(f(Y, T, W), weighted_mean_gap(Y, T, W))


def standardised(f):
    spread = np.sqrt((X[T == 1, 1].var(ddof=1) + X[T == 0, 1].var(ddof=1)) / 2)
    close(
        np.abs(f(X[:, 1], T, W)), abs(weighted_mean_gap(X[:, 1], T, W)) / spread, 5e-3
    )  # 분모의 자유도는 쪽마다 다릅니다


def normalised(f):
    a, b = Y[T == 1], Y[T == 0]
    close(f(a, b), (a.mean() - b.mean()) / np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2), 5e-3)


def inverse_weight(f):
    close(f(T, E), np.where(T == 1, 1 / E, 1 / (1 - E)))


def effective(f):
    close(f(W), W.sum() ** 2 / (W**2).sum())


def doubly_terms(f):
    close(f(Y, T, E, M1, M0), aipw_terms())


def doubly(f):
    value, se, psi = f(T, Y, E, M0, M1)
    close((value, se), (aipw_terms().mean(), aipw_terms().std() / np.sqrt(N)), 2e-3)
    close(psi, aipw_terms())


def treated(f):
    close(f(X, Y, T), att()[:2], 2e-3)


def treated_clustered(f):
    value, clustered, loose = att()[0], att()[2], att()[1]
    close(f(X, Y, T, USER), (value, clustered, loose), 2e-3)


def e_value(f):
    close(f(0.8), 1.25 + np.sqrt(1.25 * 0.25))
    close(f(1 / 3), 3 + np.sqrt(6))


def robust_from_t(f):
    close(f(-6.0, 900), robustness_value(6 / 30))


def robust_from_error(f):
    close(f(-3.0, 0.5, 900), robustness_value(6 / 30))
    close(f(-3.0, 0.5, 900, margin=1.96), robustness_value(4.04 / 30))
    assert f(0.1, 0.5, 900, margin=1.96) == 0


def partial_share(f):
    fitted = sm.OLS(Y, pd.DataFrame(X, columns=["const", "a", "b"])).fit()
    close(f(fitted, "a"), fitted.tvalues["a"] ** 2 / (fitted.tvalues["a"] ** 2 + fitted.df_resid))


def simple_slope(f):
    close(f(W, Y), slope_and_error()[0])


def simple_slope_error(f):
    close(f(W, Y), slope_and_error()[1])


def cuped(f):
    before = X[:, 2]
    made = f(Y, before)
    close(made.mean(), Y.mean())
    close(made - made.mean(), sm.OLS(Y, sm.add_constant(before)).fit().resid)


def holm(f):
    p = RNG.uniform(size=(3, 12)) ** 3
    close(f(p), [multipletests(row, method="holm")[1] for row in p])


def partial_linear(f):
    v, u = T - E, Y - M0
    fitted = sm.OLS(u, v).fit(cov_type="HC0")
    close(f(T, Y, E, M0), (fitted.params[0], fitted.bse[0]))


def strata(f):
    kind = RNG.integers(0, 3, N)
    share = np.array([(kind[T == 1] == k).mean() for k in range(3)])
    cells = [[Y[(kind == k) & (T == a)] for a in (0, 1)] for k in range(3)]
    value = sum(s * (c[1].mean() - c[0].mean()) for s, c in zip(share, cells, strict=True))
    variance = sum(s**2 * sum(v.var(ddof=1) / len(v) for v in c) for s, c in zip(share, cells, strict=True))
    close(f(Y, T, kind), (value, np.sqrt(variance)))


def demeaned(f):
    panel = RNG.normal(size=(7, 5))
    made = f(panel)
    close(made.mean(axis=0), 0)
    close(made.mean(axis=1), 0)
    close(made - panel + panel.mean(axis=0) + panel.mean(axis=1, keepdims=True), panel.mean())


def two_way_fixed(f):
    panel, on = RNG.normal(size=(12, 8)), np.zeros((12, 8))
    on[:4, 3:], on[4:7, 5:] = 1, 1
    rows, columns = np.indices(panel.shape)
    dummies = np.column_stack([np.eye(12)[rows.ravel()], np.eye(8)[columns.ravel()][:, 1:]])
    fitted = sm.OLS(panel.ravel(), np.column_stack([on.ravel(), dummies])).fit(
        cov_type="cluster", cov_kwds={"groups": rows.ravel(), "use_correction": False}
    )
    close(f(panel, on), (fitted.params[0], fitted.bse[0]))


def simplex(f):
    A, b = RNG.normal(size=(20, 6)), RNG.normal(size=20)
    close(f(A, b), simplex_answer(A, b), 2e-3)


def clustered_slope(f):
    value = (W @ Y) / (W @ W)
    fitted = sm.OLS(Y, W).fit(cov_type="cluster", cov_kwds={"groups": USER, "use_correction": False})
    close(f(Y, W, USER), (value, fitted.bse[0]))


def regression_with_controls(f):
    frame = pd.DataFrame({"coupon": T, "spend": Y, "a": X[:, 1], "b": X[:, 2]})
    fitted = sm.OLS(Y, sm.add_constant(frame[["coupon", "a", "b"]])).fit(cov_type="HC0")
    close(f(frame, ["a", "b"]), (fitted.params["coupon"], fitted.bse["coupon"]))


def two_means_of_rides(f):
    close(f(pd.DataFrame({"priority": T, "rides": Y})), welch())


def division(f):
    drawn = RNG.integers(0, 2, N)
    taken = np.where(drawn == 1, RNG.random(N) < 0.7, RNG.random(N) < 0.2).astype(float)
    value, se = f(pd.DataFrame({"mail": drawn, "used": taken, "trips": Y + taken}))
    fitted = IV2SLS(Y + taken, np.ones((N, 1)), taken, drawn.astype(float)).fit(cov_type="robust")
    close((value, se), (fitted.params.iloc[1], fitted.std_errors.iloc[1]), 0.01)


def two_stages(f):
    z = np.column_stack([np.ones(N), RNG.normal(size=(N, 2))])
    x = np.column_stack([np.ones(N), z @ [0.0, 1.0, 0.5] + RNG.normal(size=N)])
    value, se = f(Y, x, z)
    fitted = IV2SLS(Y, x[:, :1], x[:, 1:], z[:, 1:]).fit(cov_type="robust")
    close(value, fitted.params)
    close(se, fitted.std_errors, 0.01)


def rate_of_visits(f):
    made = f(VISITS)
    share = VISITS.groupby("shown")[["orders", "sessions"]].sum().eval("orders / sessions")
    close(made[0], 100 * (share[1] - share[0]))
    variance = 0.0
    for _, g in VISITS.groupby("shown"):  # 비의 잔차를 손님마다 제곱합니다
        rest = g["orders"] - g["orders"].sum() / g["sessions"].sum() * g["sessions"]
        variance += rest.var() * len(g) / g["sessions"].sum() ** 2
    close(made[1], 100 * np.sqrt(variance))


def influence(f):
    mean1, mean0 = np.average(Y, weights=T / E), np.average(Y, weights=(1 - T) / (1 - E))
    close(f(Y, T, E), T / E * (Y - mean1) - (1 - T) / (1 - E) * (Y - mean0))


def two_regressions(f):
    m1, m0 = f(X, Y, T)
    close((m1, m0), [X @ sm.OLS(Y[T == a], X[T == a]).fit().params for a in (1, 0)])


def imputed(f):
    """쓰이지 않은 칸만으로 맞춘 이원 고정효과의 예측을 뺀 평균."""
    panel, on = RNG.normal(size=(9, 7)), np.zeros((9, 7))
    on[:4, 4:] = 1
    rows, columns = np.indices(panel.shape)
    dummies = np.column_stack([np.eye(9)[rows.ravel()], np.eye(7)[columns.ravel()][:, 1:]])
    clean = on.ravel() == 0
    guess = dummies @ sm.OLS(panel.ravel()[clean], dummies[clean]).fit().params
    value, effect, weights = f(panel, 1 - on, on)
    close(value, (panel.ravel() - guess)[~clean].mean())
    close((weights * panel).sum(), value)


def percent(f):
    close(f(np.log(1.2)), 20)


FORMULAS = {
    ("fit_score", ("X", "t", "steps")): fit_score,
    ("fit_score", ("x", "t", "steps")): fit_score,
    ("logit", ("X", "y")): fit_score,
    ("logit", ("Z", "t")): fit_score,
    ("nearest", ("target", "pool")): nearest,
    ("difference", ("y", "t")): two_means,
    ("gap", ("y", "z")): two_means,
    ("gap", ("z", "D")): two_means,
    ("gap", ("y", "t", "w")): weighted,
    ("weighted_gap", ("values", "t", "weight")): weighted,
    ("smd", ("x", "t", "w")): standardised,
    ("smd", ("column", "t", "w")): standardised,
    ("normalised", ("a", "b")): normalised,
    ("ate_weight", ("t", "e")): inverse_weight,
    ("effective_size", ("w",)): effective,
    ("effective", ("w",)): effective,
    ("aipw_terms", ("y", "t", "e", "m1", "m0")): doubly_terms,
    ("aipw", ("t", "y", "e", "m0", "m1")): doubly,
    ("aipw_att", ("X", "y", "t")): treated,
    ("aipw_att", ("X", "y", "t", "user")): treated_clustered,
    ("e_value", ("ratio",)): e_value,
    ("robustness_value", ("t_value", "df", "q")): robust_from_t,
    ("robustness_value", ("t_value", "n")): robust_from_t,
    ("robustness", ("estimate", "error", "dof", "margin")): robust_from_error,
    ("partial_r2", ("fit", "name")): partial_share,
    ("partial_r2", ("model", "name")): partial_share,
    ("slope", ("t", "y")): simple_slope,
    ("slope_error", ("t", "y")): simple_slope_error,
    ("slope", ("v_left", "t_left", "title")): clustered_slope,
    ("cuped", ("y", "x")): cuped,
    ("holm", ("p",)): holm,
    ("partially_linear", ("t", "y", "e", "m")): partial_linear,
    ("stratified", ("values", "t", "kind")): strata,
    ("demean", ("A",)): demeaned,
    ("twfe", ("Y", "D")): two_way_fixed,
    ("simplex", ("A", "b", "ridge")): simplex,
    ("simplex", ("A", "b", "ridge", "weight")): simplex,
    ("simplex", ("A", "b", "heavy")): simplex,
    ("ols_effect", ("frame", "controls")): regression_with_controls,
    ("compare", ("d",)): two_means_of_rides,
    ("wald", ("d",)): division,
    ("tsls", ("y", "X", "Z", "robust")): two_stages,
    ("rate_delta", ("w",)): rate_of_visits,
    ("ipw_influence", ("y", "t", "e")): influence,
    ("outcome_models", ("X", "y", "t")): two_regressions,
    ("impute", ("Y", "W", "target")): imputed,
    ("pct", ("x",)): percent,
}


def found() -> list[tuple[Page, str, object]]:
    """쪽마다 식의 목록에 있는 함수: (쪽, 이름, 견주는 함수). `make check-case`가 보는 초안도 함께 봅니다."""
    pairs, published = [], published_pages()
    cases = map(read_page, sorted((ROOT / "case_studies").glob("*.md")))
    for page in [*published, *(page for page in cases if page.meta.get("draft"))]:
        for cell in parse(page.text).cells:
            for tree in cell.tree.body if cell.tree else ():
                if isinstance(tree, ast.FunctionDef):
                    signature = tuple(a.arg for a in tree.args.args)
                    if compare := FORMULAS.get((tree.name, signature)):
                        pairs.append((page, tree.name, compare))
    return pairs


FOUND = found()


def test_formulas_are_found_on_many_pages():
    assert len(FOUND) >= 45 and len({page.docname for page, *_ in FOUND}) >= 12
    assert {compare.__name__ for *_, compare in FOUND} == {compare.__name__ for compare in FORMULAS.values()}


@pytest.mark.parametrize(("page", "name", "compare"), FOUND, ids=[f"{page.docname}-{name}" for page, name, _ in FOUND])
def test_the_pages_formula_is_the_formula(page, name, compare):
    code = Code(parse(page.text))
    compare(page_functions(page, *code.reach(name), **NAMES)[name])
