"""설계들이 함께 쓰는 셈: 군집 오차, 신뢰구간, 추정값끼리의 견줌, 음성 대조군, 그래프의 검사."""

import math
from collections import OrderedDict

import numpy as np
import pandas as pd
from scipy import stats

from causal_pipeline.learners import design_matrix
from causal_pipeline.model import Check, Estimate, Picture
from causal_pipeline.wording import josa, names

# 음성 대조군과 그래프의 독립을 어기는지 보는 유의수준. 여럿이면 Holm으로 고칩니다.
FAIL_LEVEL, WARN_LEVEL = 0.01, 0.05
# 추정값의 차이가 그 차이의 표준오차의 몇 배이면 어긋난다고 볼지, 그리고 처음 추정의 표준오차의 몇 배보다 커야 문제로 삼을지.
DISAGREE_Z, DISAGREE_ERRORS = 3.0, 1.0
# 군집이 이보다 적으면 군집 표준오차를 믿기 어렵습니다.
FEW_CLUSTERS, TOO_FEW_CLUSTERS = 30, 10

_memory: OrderedDict = OrderedDict()


def remember(frame: pd.DataFrame, key: tuple, make):
    """같은 자료와 열쇠로 부르면 앞의 결과를 돌려줍니다.

    네 함수(check, estimate, stress, pictures)가 같은 적합을 나눠 씁니다. 자료를 붙들어 두므로 주소가 재사용되지 않습니다.
    """
    full = (id(frame), *key)
    if full not in _memory:
        value = make()
        _memory[full] = (frame, value)
        while len(_memory) > 4:
            _memory.popitem(last=False)
    _memory.move_to_end(full)
    return _memory[full][1]


def spec_key(spec, ident) -> tuple:
    """적합을 가르는 명세의 부분."""
    return (repr(spec), ident.design, ident.estimand, ident.adjustment)


# --- 오차와 구간 ---


def cluster_codes(spec, frame) -> np.ndarray | None:
    """처치를 정한 단위의 번호. 행마다 따로 정했으면 None."""
    column = spec.treatment.cluster or (spec.panel.unit if spec.panel else None)
    if column is None:
        return None
    codes = pd.factorize(frame[column], sort=True)[0]
    return None if len(np.unique(codes)) == len(frame) else codes


def mean_error(psi: np.ndarray, clusters=None) -> float:
    """영향함수 ``psi``(평균이 추정값)의 표준오차. 군집이 있으면 군집 합으로 셉니다."""
    centred = psi - psi.mean()
    n = len(psi)
    if clusters is None:
        return float(np.sqrt((centred**2).sum() / (n - 1) / n))
    sums = np.bincount(clusters, weights=centred)
    g = len(sums)
    return float(np.sqrt((sums**2).sum() * g / (g - 1)) / n)


def critical(n: int, clusters=None, level: float = 0.95) -> float:
    """t 분포의 임곗값. 자유도는 군집(없으면 행)의 수에서 하나 뺀 것입니다."""
    df = (n if clusters is None else len(np.unique(clusters))) - 1
    return float(stats.t.ppf(0.5 + level / 2, max(df, 1)))


def estimate_from(psi, method, label, fails_when, clusters=None, primary=False, estimand="", scale=1.0) -> Estimate:
    """영향함수의 평균과 군집 표준오차로 추정 하나를 만듭니다."""
    psi = np.asarray(psi, dtype=float) * scale
    value, error = float(psi.mean()), mean_error(psi, clusters)
    half = critical(len(psi), clusters) * error
    return Estimate(method, label, value, value - half, value + half, error, len(psi), fails_when, primary, estimand)


def least_squares(X: np.ndarray, y: np.ndarray, clusters=None):
    """최소제곱과 (군집) 강건 공분산.

    Returns
    -------
    beta : array, shape (p,)
    covariance : array, shape (p, p)
    residual : array, shape (n,)
    """
    n, p = X.shape
    bread = np.linalg.pinv(X.T @ X)
    beta = bread @ (X.T @ y)
    residual = y - X @ beta
    if clusters is None:
        scores = X * residual[:, None]
        factor = n / max(n - p, 1)
    else:
        g = int(clusters.max()) + 1
        scores = np.column_stack([np.bincount(clusters, weights=X[:, j] * residual, minlength=g) for j in range(p)])
        factor = g / max(g - 1, 1) * (n - 1) / max(n - p, 1)
    return beta, factor * bread @ (scores.T @ scores) @ bread, residual


def two_sided(z: float) -> float:
    return float(2 * stats.norm.sf(abs(z)))


def holm(p_values) -> list[float]:
    """Holm으로 고친 p값."""
    order = np.argsort(p_values)
    out, worst = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - rank) * float(p_values[i])))
        out[i] = worst
    return out


def show(x: float) -> str:
    """메시지에 적을 수. 유효숫자 셋."""
    if x == 0 or not math.isfinite(x):
        return "0" if x == 0 else "무한대"
    digits = max(0, 2 - math.floor(math.log10(abs(x))))
    return f"{x:,.{min(digits, 6)}f}"


# --- 여러 설계가 내는 점검 ---


def missing_check(spec, frame, columns) -> list[Check]:
    """공변량의 빈칸. 빈칸 자체가 처치와 얽혀 있으면 중앙값으로 메운 값이 교란을 남깁니다."""
    if not len(columns):
        return []
    share = float(frame[list(columns)].isna().any(axis=1).mean())
    if share == 0:
        return []
    status = "warn" if share < 0.2 else "fail"
    return [
        Check(
            "missing_covariates",
            "공변량의 빈칸",
            status,
            f"보정할 열에 빈칸이 있는 행이 {share:.1%}입니다. 중앙값으로 메우고 빈칸 표시를 함께 보정했습니다.",
            share,
            0.2,
            "B" if share > 0.05 else None,
        )
    ]


def cluster_check(spec, frame, clusters) -> list[Check]:
    """군집의 수."""
    if clusters is None:
        return []
    count = int(clusters.max()) + 1
    status = "ok" if count >= FEW_CLUSTERS else "warn" if count >= TOO_FEW_CLUSTERS else "fail"
    note = "" if status == "ok" else " 군집 표준오차는 군집이 많을 때의 근사라 구간이 좁게 나올 수 있습니다."
    return [
        Check(
            "clusters",
            "처치를 정한 단위의 수",
            status,
            f"표준오차는 {spec.treatment.cluster or spec.panel.unit}별로 셉니다({count}개).{note}",
            count,
            FEW_CLUSTERS,
            {"ok": None, "warn": "B", "fail": "C"}[status],
        )
    ]


def timing_check(spec, ident) -> list[Check]:
    """그래프가 없을 때, 보정할 변수가 처치 전의 것이라고 적었는지."""
    if spec.edges:
        return []
    unknown = [c for c in ident.adjustment if spec.timing.get(c, "unknown") != "before"]
    if not unknown:
        return []
    return [
        Check(
            "timing",
            "보정할 변수의 시점",
            "warn",
            f"{josa(names(spec.label(c) for c in unknown), '을/를')} 처치 전에 쟀다고 적지 않았습니다. 처치 뒤의 값이면 결론이 틀립니다. timing에 before라고 적으세요.",
            float(len(unknown)),
            0.0,
            "B",
        )
    ]


def numeric(frame, column) -> np.ndarray:
    """열 하나를 float으로. 글자 열은 번호로 바꿉니다(그래프 검사에만 씁니다)."""
    series = frame[column]
    if pd.api.types.is_datetime64_any_dtype(series):
        return series.astype("int64").to_numpy(dtype=float)
    if pd.api.types.is_numeric_dtype(series):
        return series.to_numpy(dtype=float)
    return pd.factorize(series, sort=True)[0].astype(float)


def graph_checks(spec, ident, frame) -> list[Check]:
    """그래프가 뜻하는 조건부 독립을 자료에서 봅니다.

    이웃하지 않는 두 변수마다 부모를 조건으로 한 편상관을 보고, Holm으로 고칩니다. 편상관이 0.05보다 작으면 결론을
    바꿀 만큼이 아니라고 보고 넘깁니다. 곧은 관계만 보므로, 통과했다고 그래프가 옳다는 뜻은 아닙니다.
    """
    if not spec.edges:
        return []
    import networkx as nx

    from causal_pipeline.identify import causal_graph

    graph = causal_graph(spec)
    seen = [n for n in sorted(graph) if n not in spec.hidden and n in frame.columns]
    rows = frame[seen].dropna()
    if len(rows) > 10_000:
        rows = rows.sample(10_000, random_state=spec.seed)
    if len(rows) < 50:
        return []
    tests = []
    for i, a in enumerate(seen):
        for b in seen[i + 1 :]:
            if graph.has_edge(a, b) or graph.has_edge(b, a):
                continue
            given = sorted((set(graph.predecessors(a)) | set(graph.predecessors(b))) - {a, b})
            if not set(given) <= set(seen) or not nx.is_d_separator(graph, {a}, {b}, set(given)):
                continue
            X = np.column_stack([np.ones(len(rows)), design_matrix(rows, given).to_numpy()])
            ra, rb = (v - X @ np.linalg.lstsq(X, v, rcond=None)[0] for v in (numeric(rows, a), numeric(rows, b)))
            if ra.std() < 1e-12 or rb.std() < 1e-12:
                continue
            r = float(np.corrcoef(ra, rb)[0, 1])
            z = math.atanh(np.clip(r, -0.999999, 0.999999)) * math.sqrt(max(len(rows) - len(given) - 3, 1))
            tests.append((a, b, given, r, two_sided(z)))
    label = "그래프가 뜻하는 독립"
    if not tests:
        return [Check("graph", label, "warn", "이 그래프는 자료로 검사할 수 있는 독립을 하나도 뜻하지 않습니다. 화살표가 빠진 곳이 없기 때문입니다.", 0.0)]
    adjusted = holm([t[4] for t in tests])
    broken = [(t, p) for t, p in zip(tests, adjusted, strict=True) if p < FAIL_LEVEL and abs(t[3]) > 0.05]
    if not broken:
        return [Check("graph", label, "ok", f"그래프가 뜻하는 독립 {len(tests)}개를 보았고 어긋난 것이 없습니다.", 0.0, 0.0)]
    (a, b, given, r, _), _ = max(broken, key=lambda x: abs(x[0][3]))
    condition = f"{josa(names(spec.label(c) for c in given), '을/를')} 알 때 " if given else ""
    touches = {spec.treatment.column, spec.outcome.column} & {n for (t, _) in broken for n in t[:2]}
    return [
        Check(
            "graph",
            label,
            "fail",
            f"그래프가 뜻하는 독립 {len(tests)}개 가운데 {len(broken)}개가 자료와 어긋납니다. 가장 큰 것: {condition}{josa(spec.label(a), '과/와')} {spec.label(b)}의 편상관 {r:+.2f}. "
            "빠진 화살표가 있는지 보세요.",
            float(len(broken)),
            0.0,
            "C" if touches and abs(r) > 0.1 else "B",
        )
    ]


def agreement_check(estimates, difference_errors: dict[str, float]) -> Check:
    """같은 것을 재는 추정끼리 맞는지.

    Parameters
    ----------
    difference_errors : dict
        방법의 이름 → 주된 추정과의 차이의 표준오차.
    """
    main = next(e for e in estimates if e.primary)
    others = [e for e in estimates if not e.primary and e.method != "naive" and e.estimand in ("", main.estimand) and e.method in difference_errors]
    label = "추정량끼리의 견줌"
    if not others:
        return Check("agreement", label, "warn", "같은 대상을 재는 다른 추정량이 없어 견주지 못했습니다.", None, None, "B")

    def gap(e):
        return abs(e.value - main.value) / max(difference_errors[e.method], 1e-300)

    apart = [e for e in others if gap(e) > DISAGREE_Z and abs(e.value - main.value) > DISAGREE_ERRORS * main.error]
    worst = max(others, key=gap)
    if not apart:
        return Check("agreement", label, "ok", f"추정량 {len(others) + 1}개가 오차 안에서 맞습니다.", gap(worst), DISAGREE_Z)
    worst = max(apart, key=gap)
    opposite = [e for e in apart if (e.low > 0 and main.high < 0) or (e.high < 0 and main.low > 0)]
    tail = " 두 추정의 부호가 반대입니다." if opposite else ""
    return Check(
        "agreement",
        label,
        "fail" if opposite else "warn",
        f"{josa(worst.label, '과/와')} {main.label}의 추정값({show(worst.value)}, {show(main.value)})이 서로 어긋납니다. {worst.fails_when}인지 살펴보세요.{tail}",
        gap(worst),
        DISAGREE_Z,
        "C" if opposite else "B",
    )


def negative_control_check(spec, results, scale_of_effect: float) -> Check:
    """음성 대조군의 판정.

    Parameters
    ----------
    results : list of (name, value, error, scale)
        효과가 없어야 할 짝의 추정값과 표준오차, 그 결과의 표준편차.
    scale_of_effect : float
        주된 추정값을 결과의 표준편차로 나눈 크기. 대조군이 이만한 치우침을 볼 수 있어야 합니다.
    """
    label = "음성 대조군"
    if not results:
        return Check(
            "negative_control",
            label,
            "warn",
            "효과가 없어야 할 결과나 처치를 하나도 적지 않아, 재지 못한 교란 요인을 드러낼 길이 없습니다.",
            None,
            None,
            "B",
        )
    p = holm([two_sided(v / max(e, 1e-300)) for _, v, e, _ in results])
    worst = int(np.argmin(p))
    name, value, error, scale = results[worst]
    if p[worst] < WARN_LEVEL:
        fail = p[worst] < FAIL_LEVEL
        return Check(
            "negative_control",
            label,
            "fail" if fail else "warn",
            f"효과가 없어야 할 '{spec.label(name)}'에서 {show(value)}(표준오차 {show(error)})이 나왔습니다. 재지 못한 교란 요인이나 자료의 잘못이 있습니다.",
            p[worst],
            FAIL_LEVEL,
            "C" if fail else "B",
        )
    reach = max((abs(v) + 1.96 * e) / s for _, v, e, s in results if s > 0)
    needed = max(abs(scale_of_effect), 0.1)
    if reach > needed:
        return Check(
            "negative_control",
            label,
            "warn",
            f"음성 대조군에서 어긋남을 찾지 못했지만, 표준편차의 {reach:.2f}배까지의 치우침은 가려내지 못합니다(효과는 {abs(scale_of_effect):.2f}배).",
            reach,
            needed,
            "B",
        )
    return Check("negative_control", label, "ok", f"음성 대조군 {len(results)}개에서 효과가 나오지 않았습니다.", p[worst], FAIL_LEVEL)


def forest(estimates, unit: str) -> Picture:
    """추정값들을 나란히 놓은 그림."""
    return Picture(
        "forest",
        "추정량마다의 추정값과 95% 신뢰구간",
        f"추정량 {len(estimates)}개의 점과 구간. 주된 추정은 {next(e.label for e in estimates if e.primary)}.",
        {
            "labels": [e.label for e in estimates],
            "values": [e.value for e in estimates],
            "lows": [e.low for e in estimates],
            "highs": [e.high for e in estimates],
            "primary": next(i for i, e in enumerate(estimates) if e.primary),
            "unit": unit,
        },
    )
