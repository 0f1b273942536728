"""불연속 설계: 임곗값 바로 위와 아래를 견줍니다. 처치가 임곗값과 어긋나면 퍼지 설계로 다룹니다."""

import inspect
from dataclasses import dataclass

import numpy as np
import pandas as pd

from causal_pipeline import learners as models
from causal_pipeline.designs import common
from causal_pipeline.model import Check, Estimate, Picture, Sensitivity, Step
from causal_pipeline.spec import said

# 한쪽의 유효한 대상이 이보다 적으면 국소 회귀를 믿기 어렵습니다.
FEW, TOO_FEW = 50, 20
SWEEP = (0.5, 0.75, 1.0, 1.5, 2.0)
DONUT = (0.05, 0.1)
WEAK_F = 10.0


@dataclass
class Fit:
    """``x``는 임곗값을 뺀 배정변수, ``side``는 처치 쪽인지, ``h``는 띠너비."""

    frame: pd.DataFrame
    x: np.ndarray
    y: np.ndarray
    d: np.ndarray
    side: np.ndarray
    fuzzy: bool
    h: float
    clusters: np.ndarray | None


def fit(spec, ident, frame) -> Fit:
    """배정변수를 맞추고 띠너비를 고릅니다(같은 자료에서는 한 번만)."""
    return common.remember(frame, ("discontinuity", *common.spec_key(spec, ident)), lambda: _fit(spec, ident, frame))


def _fit(spec, ident, frame) -> Fit:
    r, t = spec.running, spec.treatment
    rows = frame.dropna(subset=[r.column, t.column, spec.outcome.column])
    x = rows[r.column].to_numpy(dtype=float) - r.cutoff
    side = x >= 0 if r.above else x < 0
    x = x if r.above else -x
    # 처치 쪽이 아래이면 배정변수를 뒤집어, 처치 쪽이 언제나 오른쪽에 오게 합니다. 경계의 대상은 뒤집기 전의 쪽을 따릅니다.
    x = np.where(side, np.maximum(x, 1e-12), np.minimum(x, -1e-12))
    y = rows[spec.outcome.column].to_numpy(dtype=float)
    d = (rows[t.column] == t.treated).to_numpy(dtype=float)
    fuzzy = bool((d.astype(bool) != side).any())
    return Fit(rows, x, y, d, side, fuzzy, bandwidth(x, y), common.cluster_codes(spec, rows))


# --- 국소 회귀(재현 노트북에 그대로 실립니다) ---


def bandwidth(x, y):
    """국소 선형회귀의 평균제곱오차를 줄이는 띠너비(Imbens와 Kalyanaraman, 2012의 방식).

    양쪽 모두 너무 좁지 않게, 한쪽에 대상이 30개는 들어오게 합니다.
    """
    import numpy as np

    n = len(x)
    pilot = 1.84 * x.std() * n ** (-1 / 5)
    near_r, near_l = (x >= 0) & (x <= pilot), (x < 0) & (x >= -pilot)
    density = max(near_r.sum() + near_l.sum(), 1) / (2 * n * pilot)
    variance = (np.var(y[near_r]) + np.var(y[near_l])) / 2 if min(near_r.sum(), near_l.sum()) > 2 else y.var()
    inside = (x >= np.quantile(x, 0.05)) & (x <= np.quantile(x, 0.95))
    cubic = np.column_stack([np.ones(n), x >= 0, x, x**2, x**3])[inside]
    third = 6 * np.linalg.lstsq(cubic, y[inside], rcond=None)[0][4]
    curvature, regular = [], 0.0
    for mask in (x >= 0, x < 0):
        h2 = 3.56 * (variance / (density * max(third**2, 0.01 * y.var() / x.std() ** 6))) ** (1 / 7) * mask.sum() ** (-1 / 7)
        h2 = np.clip(h2, np.quantile(np.abs(x[mask]), min(1.0, 30 / mask.sum())), np.abs(x[mask]).max())
        part = mask & (np.abs(x) <= h2)
        quad = np.linalg.lstsq(np.column_stack([np.ones(part.sum()), x[part], x[part] ** 2]), y[part], rcond=None)[0][2]
        curvature.append(2 * quad)
        regular += 2160 * variance / max(part.sum(), 1) / h2**4
    h = 3.4375 * (2 * variance / (density * ((curvature[0] - curvature[1]) ** 2 + regular))) ** (1 / 5) * n ** (-1 / 5)
    smallest = max(np.sort(np.abs(x[m]))[min(29, m.sum() - 1)] for m in (x >= 0, x < 0))
    return float(np.clip(h, smallest, np.abs(x).max()))


def jump(x, y, h, degree, clusters=None, kernel="triangular"):
    """임곗값에서의 뜀과 (군집) 강건 표준오차. 영향함수(합이 뜀의 오차)도 돌려줍니다."""
    import numpy as np

    w = np.clip(1 - np.abs(x) / h, 0, None) if kernel == "triangular" else (np.abs(x) <= h).astype(float)
    inside = w > 0
    value, influence = 0.0, np.zeros(len(x))
    for mask, sign in ((inside & (x >= 0), 1.0), (inside & (x < 0), -1.0)):
        Z = np.column_stack([x[mask] ** k for k in range(degree + 1)]) / h ** np.arange(degree + 1)
        inverse = np.linalg.pinv((Z * w[mask][:, None]).T @ Z)
        beta = inverse @ (Z.T @ (w[mask] * y[mask]))
        row = (Z @ inverse[0]) * w[mask]
        # 지렛값으로 잔차를 키웁니다(HC3에 가까운 HC2). 대상이 적은 쪽의 오차를 줄여 잡지 않습니다.
        hat = np.clip(np.einsum("ij,jk,ik->i", Z, inverse, Z) * w[mask], 0, 0.99)
        influence[mask] = sign * row * (y[mask] - Z @ beta) / np.sqrt(1 - hat)
        value += sign * beta[0]
    total = influence if clusters is None else np.bincount(clusters, weights=influence)
    return float(value), float(np.sqrt((total**2).sum())), influence


def fuzzy_ratio(x, y, d, h, degree, clusters=None, kernel="triangular"):
    """결과의 뜀을 처치율의 뜀으로 나눈 것, 델타 방법의 표준오차, 영향함수."""
    import numpy as np

    top, _, it = jump(x, y, h, degree, clusters, kernel)
    bottom, _, ib = jump(x, d, h, degree, clusters, kernel)
    influence = (it - top / bottom * ib) / bottom
    total = influence if clusters is None else np.bincount(clusters, weights=influence)
    return float(top / bottom), float(np.sqrt((total**2).sum())), influence


def _effect(f: Fit, h, degree, y=None, keep=None, kernel="triangular"):
    y = f.y if y is None else y
    x, d, clusters = f.x, f.d, f.clusters
    if keep is not None:
        x, y, d = x[keep], y[keep], d[keep]
        clusters = None if clusters is None else np.unique(clusters[keep], return_inverse=True)[1]
    return fuzzy_ratio(x, y, d, h, degree, clusters, kernel) if f.fuzzy else jump(x, y, h, degree, clusters, kernel)


# --- 점검 ---


def check(spec, ident, frame) -> list[Check]:
    """양쪽의 수, 처치율의 뜀, 배정변수의 밀도, 처치 전 변수의 연속, 그래프의 독립."""
    f = fit(spec, ident, frame)
    return [
        *_size_checks(spec, f),
        *_first_stage_check(f),
        _density_check(f),
        *_continuity_check(spec, ident, f),
        *common.cluster_check(spec, f.frame, f.clusters),
        *common.graph_checks(spec, ident, frame),
    ]


def _size_checks(spec, f: Fit) -> list[Check]:
    counts = [int(((f.x >= 0) & (f.x <= f.h)).sum()), int(((f.x < 0) & (f.x >= -f.h)).sum())]
    smallest = min(counts)
    status = "ok" if smallest >= FEW else "warn" if smallest >= TOO_FEW else "fail"
    found = [
        Check(
            "effective_sample",
            "띠 안의 대상",
            status,
            f"띠너비 {common.show(f.h)} 안에 처치 쪽 {counts[0]:,}개, 반대쪽 {counts[1]:,}개가 있습니다.",
            float(smallest),
            float(FEW),
            {"ok": None, "warn": "B", "fail": "C"}[status],
        )
    ]
    points = len(np.unique(f.x[np.abs(f.x) <= f.h]))
    if points < 20:
        found.append(
            Check(
                "mass_points",
                "배정변수의 눈금",
                "warn" if points >= 8 else "fail",
                f"띠 안의 배정변수가 {points}가지 값뿐이라 임곗값으로 다가간다는 말이 눈금 한 칸의 직선에 기댑니다.",
                float(points),
                20.0,
                "B" if points >= 8 else "C",
            )
        )
    return found


def _first_stage_check(f: Fit) -> list[Check]:
    if not f.fuzzy:
        return []
    value, error, _ = jump(f.x, f.d, f.h, 1, f.clusters)
    F = (value / max(error, 1e-12)) ** 2
    status = "ok" if F >= 100 else "warn" if F >= WEAK_F else "fail"
    return [
        Check(
            "first_stage",
            "처치율의 뜀",
            status,
            f"임곗값에서 처치율이 {value:.2f}만큼 뜁니다(F={F:.1f})." + (" 뜀이 작아 나눈 값을 믿을 수 없습니다." if status == "fail" else ""),
            float(F),
            WEAK_F,
            {"ok": None, "warn": "B", "fail": "C"}[status],
        )
    ]


def density_jump(x) -> tuple[float, float]:
    """임곗값에서 밀도의 로그가 뛰는 크기와 표준오차(McCrary, 2008).

    가는 막대의 높이에 국소 선형회귀를 합니다. 띠너비는 처음 띠의 네제곱 다항식에서 고릅니다.
    """
    n = len(x)
    width = 2 * x.std() / np.sqrt(n)
    left = -np.arange(1, int(np.ceil(-x.min() / width)) + 1)[::-1] * width
    right = np.arange(0, int(np.ceil(x.max() / width)) + 1) * width
    edges = np.concatenate([left, right])
    height = np.histogram(x, edges)[0] / (n * width)
    middle = (edges[:-1] + edges[1:]) / 2
    hs = []
    for mask in (middle > 0, middle < 0):
        m, v = middle[mask], height[mask]
        if len(m) < 8:
            return 0.0, np.inf
        Z = np.vander(m / np.abs(m).max(), 5)
        beta = np.linalg.lstsq(Z, v, rcond=None)[0]
        spread = (v - Z @ beta).var()
        second = np.polyval(np.polyder(beta, 2), m / np.abs(m).max()) / np.abs(m).max() ** 2
        hs.append(3.348 * (spread * np.abs(m).max() / max((second**2).sum(), 1e-300)) ** 0.2)
    # 밀도 시험은 띠가 조금 좁아야 굽은 밀도를 뜀으로 잘못 읽지 않습니다(McCrary는 절반을 권합니다).
    h = float(np.clip(np.mean(hs) / 2, 10 * width, np.abs(x).max()))
    ends = []
    for mask in (middle > 0, middle < 0):
        w = np.clip(1 - np.abs(middle) / h, 0, None) * mask
        Z = np.column_stack([np.ones(len(middle)), middle])
        ends.append((np.linalg.pinv((Z * w[:, None]).T @ Z) @ (Z.T @ (w * height)))[0])
    up, down = (max(v, 1e-6 / width / n) for v in ends)
    return float(np.log(up) - np.log(down)), float(np.sqrt(24 / (5 * n * h) * (1 / up + 1 / down)))


def _density_check(f: Fit) -> Check:
    value, error = density_jump(f.x)
    p = common.two_sided(value / error) if np.isfinite(error) else 1.0
    status = "fail" if p < common.FAIL_LEVEL else "warn" if p < common.WARN_LEVEL or not np.isfinite(error) else "ok"
    return Check(
        "density",
        "배정변수의 밀도",
        status,
        f"임곗값에서 밀도가 {np.exp(value):.2f}배로 뜁니다(p={p:.3f})."
        + (" 대상이 임곗값을 넘으려고 배정변수를 움직였을 수 있습니다." if status == "fail" else ""),
        p,
        common.FAIL_LEVEL,
        {"ok": None, "warn": "B", "fail": "C"}[status],
    )


def _predetermined(spec, ident) -> list[str]:
    before = [c for c, when in sorted(spec.timing.items()) if when == "before"]
    names = dict.fromkeys([*ident.adjustment, *spec.modifiers, *before, *spec.negative_outcomes])
    return [c for c in names if c not in {spec.running.column, spec.treatment.column, spec.outcome.column, spec.unit}]


def _continuity_check(spec, ident, f: Fit) -> list[Check]:
    """처치 전 변수와 음성 대조군이 임곗값에서 뛰는지."""
    names = [c for c in _predetermined(spec, ident) if c in f.frame.columns]
    results = []
    X = models.design_matrix(f.frame, names) if names else pd.DataFrame(index=f.frame.index)
    for name in X.columns:
        v = X[name].to_numpy()
        h = bandwidth(f.x, v)
        value, error, _ = jump(f.x, v, h, 2, f.clusters)
        results.append((str(name), value, error))
    if not results:
        return []
    p = common.holm([common.two_sided(v / max(e, 1e-300)) for _, v, e in results])
    worst = int(np.argmin(p))
    status = "fail" if p[worst] < common.FAIL_LEVEL else "warn" if p[worst] < common.WARN_LEVEL else "ok"
    name, value, error = results[worst]
    return [
        Check(
            "continuity",
            "처치 전 변수의 연속",
            status,
            f"처치가 바꿀 수 없는 변수 {len(results)}개 가운데 임곗값에서 가장 뛰는 것은 '{said(spec, name)}'({common.show(value)}, 표준오차 {common.show(error)}, Holm p={p[worst]:.3f})입니다.",
            p[worst],
            common.FAIL_LEVEL,
            {"ok": None, "warn": "B", "fail": "C"}[status],
        )
    ]


# --- 추정 ---


def _estimate(f: Fit, method, label, fails_when, result, primary=False, estimand="LATE") -> Estimate:
    value, error, _ = result
    half = common.critical(len(f.x), f.clusters) * error
    inside = int((np.abs(f.x) <= f.h).sum())
    return Estimate(method, label, value, value - half, value + half, error, inside, fails_when, primary, estimand)


def estimate(spec, ident, frame) -> list[Estimate]:
    """치우침을 고친 국소 회귀(주된 추정), 국소 선형, 좁은 띠의 국소 선형, 고른 가중의 국소 선형, 단순 비교."""
    f = fit(spec, ident, frame)
    out = [
        _estimate(
            f, "robust", "치우침을 고친 국소 회귀", "임곗값 둘레의 대상이 적어 이차식이 흔들릴 때", _effect(f, f.h, 2), True
        ),
        _estimate(f, "local_linear", "국소 선형회귀", "띠 안에서 관계가 굽어 있을 때", _effect(f, f.h, 1)),
        _estimate(f, "narrow", "절반 띠의 국소 선형회귀", "띠 안의 대상이 적을 때", _effect(f, f.h / 2, 1)),
        _estimate(f, "uniform", "가중하지 않은 국소 이차회귀", "임곗값에서 먼 대상이 다르게 움직일 때", _effect(f, f.h, 2, kernel="uniform")),
    ]
    m1, m0 = f.y[f.side], f.y[~f.side]
    value, error = float(m1.mean() - m0.mean()), float(np.sqrt(m1.var(ddof=1) / len(m1) + m0.var(ddof=1) / len(m0)))
    half = common.critical(len(f.x)) * error
    out.append(
        Estimate("naive", "임곗값 위와 아래의 평균 차이", value, value - half, value + half, error, len(f.x), "배정변수 자체가 결과를 움직일 때")
    )
    return out


# --- 흔들어 보기 ---


def stress(spec, ident, frame, estimates) -> tuple[list[Check], list[Sensitivity]]:
    """추정량끼리의 견줌, 가짜 임곗값, 띠너비와 도넛, 음성 대조군."""
    f = fit(spec, ident, frame)
    main = next(e for e in estimates if e.primary)
    base = _effect(f, f.h, 2)[2]

    def gap(influence):
        d = influence - base
        total = d if f.clusters is None else np.bincount(f.clusters, weights=d)
        return float(np.sqrt((total**2).sum()))

    errors = {
        "local_linear": gap(_effect(f, f.h, 1)[2]),
        "narrow": gap(_effect(f, f.h / 2, 1)[2]),
        "uniform": gap(_effect(f, f.h, 2, kernel="uniform")[2]),
    }
    sweep_check, sweep = _bandwidths(f, main)
    donut_check, donut = _donut(f, main)
    return [common.agreement_check(estimates, errors), _placebo_cutoffs(f), sweep_check, donut_check], [sweep, donut]


def _placebo_cutoffs(f: Fit) -> Check:
    """임곗값이 아닌 자리(양쪽의 사분위)에서 뛰는지. 한쪽의 대상만 써서 진짜 뜀이 섞이지 않습니다."""
    tested = []
    for mask in (f.x >= 0, f.x < 0):
        for q in (0.3, 0.5, 0.7):
            at = float(np.quantile(f.x[mask], q))
            x, y = f.x[mask] - at, f.y[mask]
            if min((x >= 0).sum(), (x < 0).sum()) < 40:
                continue
            clusters = None if f.clusters is None else np.unique(f.clusters[mask], return_inverse=True)[1]
            value, error, _ = jump(x, y, bandwidth(x, y), 2, clusters)
            tested.append((at, value, error))
    if not tested:
        return Check("placebo", "가짜 임곗값", "warn", "대상이 적어 가짜 임곗값을 볼 수 없습니다.", None, None, "B")
    p = common.holm([common.two_sided(v / max(e, 1e-300)) for _, v, e in tested])
    worst = int(np.argmin(p))
    bad = p[worst] < common.FAIL_LEVEL
    return Check(
        "placebo",
        "가짜 임곗값",
        "warn" if bad else "ok",
        f"임곗값이 아닌 {len(tested)}곳에서 뜀을 보았고, 가장 작은 Holm p값은 {p[worst]:.3f}입니다."
        + (" 국소 회귀가 굽은 관계를 뜀으로 읽고 있을 수 있습니다." if bad else ""),
        p[worst],
        common.FAIL_LEVEL,
        "B" if bad else None,
    )


def _bandwidths(f: Fit, main) -> tuple[Check, Sensitivity]:
    numbers, moved = {}, 0.0
    for factor in SWEEP:
        h = min(f.h * factor, np.abs(f.x).max())
        if min(((f.x >= 0) & (f.x <= h)).sum(), ((f.x < 0) & (f.x >= -h)).sum()) < TOO_FEW:
            continue
        value, error, influence = _effect(f, h, 2)
        numbers[f"{factor:g}배"] = value
        difference = float(np.sqrt(((influence - _effect(f, f.h, 2)[2]) ** 2).sum()))
        if factor != 1.0:
            moved = max(moved, abs(value - main.value) / max(difference, 0.5 * main.error, 1e-300))
    bad = moved > common.DISAGREE_Z
    message = "띠너비를 바꾸면 " + ", ".join(f"{k} {common.show(v)}" for k, v in numbers.items()) + f"입니다(가장 큰 차이 z={moved:.1f})."
    return (
        Check("bandwidth", "띠너비", "warn" if bad else "ok", message, moved, common.DISAGREE_Z, "B" if bad else None),
        Sensitivity("bandwidth", "띠너비에 따른 움직임", moved, message, numbers),
    )


def _donut(f: Fit, main) -> tuple[Check, Sensitivity]:
    """임곗값에 바짝 붙은 대상을 빼도 같은지."""
    numbers, moved = {}, 0.0
    for share in DONUT:
        keep = np.abs(f.x) > share * f.h
        value, error, _ = _effect(f, f.h, 2, keep=keep)
        numbers[f"{share:.0%}"] = value
        moved = max(moved, abs(value - main.value) / max(np.sqrt(abs(error**2 - main.error**2)), 0.5 * main.error, 1e-300))
    bad = moved > common.DISAGREE_Z
    message = "임곗값에 붙은 대상을 띠너비의 " + ", ".join(f"{k}까지 빼면 {common.show(v)}" for k, v in numbers.items()) + f"입니다(가장 큰 차이 z={moved:.1f})."
    return (
        Check("donut", "도넛", "warn" if bad else "ok", message, moved, common.DISAGREE_Z, "B" if bad else None),
        Sensitivity("donut", "도넛에 따른 움직임", moved, message, numbers),
    )


# --- 그림과 재현 ---


def pictures(spec, ident, frame, estimates) -> list[Picture]:
    """추정값과, 배정변수를 따라 묶은 평균과 국소 회귀선."""
    f = fit(spec, ident, frame)
    sign = 1.0 if spec.running.above else -1.0
    span = min(3 * f.h, np.abs(f.x).max())
    near = np.abs(f.x) <= span
    bins = np.linspace(-span, span, 41)
    place = np.digitize(f.x[near], bins)
    xs, ys = [], []
    for k in np.unique(place):
        rows = place == k
        xs.append(float(sign * f.x[near][rows].mean() + spec.running.cutoff))
        ys.append(float(f.y[near][rows].mean()))
    fits = {}
    for name, mask in (("right", (f.x >= 0) & (f.x <= f.h)), ("left", (f.x < 0) & (f.x >= -f.h))):
        w = 1 - np.abs(f.x[mask]) / f.h
        beta = np.polyfit(f.x[mask], f.y[mask], 1, w=np.sqrt(np.maximum(w, 1e-9)))
        grid = np.linspace(0, f.h, 20) * (1 if name == "right" else -1)
        fits[name] = ((sign * grid + spec.running.cutoff).tolist(), np.polyval(beta, grid).tolist())
    if sign < 0:
        fits = {"left": fits["right"], "right": fits["left"]}
    return [
        common.forest(estimates, spec.outcome.unit),
        Picture(
            "running",
            "임곗값 둘레의 결과",
            "가로축은 배정변수, 세로축은 결과. 점은 구간마다의 평균이고 선은 띠 안의 국소 선형회귀입니다.",
            {
                "x": xs,
                "y": ys,
                "fit_x_left": fits["left"][0],
                "fit_y_left": fits["left"][1],
                "fit_x_right": fits["right"][0],
                "fit_y_right": fits["right"][1],
                "cutoff": spec.running.cutoff,
                "x_label": spec.label(spec.running.column),
                "y_label": spec.label(spec.outcome.column),
            },
        ),
    ]


def steps(spec, ident, frame, estimates) -> list[Step]:
    """numpy로 같은 값을, statsmodels의 가중 회귀로 국소 선형의 뜀을 냅니다."""
    f = fit(spec, ident, frame)
    r, t = spec.running, spec.treatment
    flip = "" if r.above else "x = -x\n"
    cluster = t.cluster or (spec.panel.unit if spec.panel else None)
    cluster = cluster if f.clusters is not None else None
    groups = f"groups = pd.factorize(frame[{cluster!r}], sort=True)[0]" if cluster else "groups = None"
    call = "fuzzy_ratio(x, y, d, h, 2, groups)" if f.fuzzy else "jump(x, y, h, 2, groups)"
    functions = [bandwidth, jump] + ([fuzzy_ratio] if f.fuzzy else [])
    return [
        Step(
            "배정변수에서 임곗값을 빼고, 처치 쪽이 오른쪽에 오게 합니다.",
            "import numpy as np\nimport pandas as pd\nimport statsmodels.api as sm\nfrom scipy import stats\n\nreproduced = {}\n"
            f"frame = frame.dropna(subset=[{r.column!r}, {t.column!r}, {spec.outcome.column!r}])\n"
            f"x = frame[{r.column!r}].to_numpy(dtype=float) - {r.cutoff!r}\nside = x {'>=' if r.above else '<'} 0\n{flip}"
            "x = np.where(side, np.maximum(x, 1e-12), np.minimum(x, -1e-12))\n"
            f"y = frame[{spec.outcome.column!r}].to_numpy(dtype=float)\nd = (frame[{t.column!r}] == {t.treated!r}).to_numpy(dtype=float)\n{groups}",
        ),
        Step(
            "국소 선형회귀의 띠너비에서 이차식을 맞춥니다. 치우침을 고친 국소 회귀의 가장 단순한 꼴입니다.",
            "\n\n".join(inspect.getsource(x) for x in functions)
            + f"\n\nh = bandwidth(x, y)\nvalue, error, _ = {call}\n"
            "df = (len(y) if groups is None else groups.max() + 1) - 1\nhalf = stats.t.ppf(0.975, df) * error\n"
            'reproduced["robust"] = {"value": value, "low": value - half, "high": value + half}\nreproduced["robust"]',
        ),
        Step(
            "statsmodels의 가중 최소제곱으로 국소 선형의 뜀을 확인합니다.",
            "w = np.clip(1 - np.abs(x) / h, 0, None)\nright = (x >= 0).astype(float)\n"
            "Z = sm.add_constant(np.column_stack([right, x, right * x]))\nprint(sm.WLS(y, Z, weights=w).fit(cov_type='HC1').summary().tables[1])",
        ),
    ]
