"""도구변수: 처치를 밀어 주기만 하는 변수로 순응자의 효과(LATE)를 잽니다."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import stats

from causal_pipeline import learners as models
from causal_pipeline.designs import adjustment, common
from causal_pipeline.model import Check, Estimate, Picture, Sensitivity, Step
from causal_pipeline.spec import said

# 첫 단계의 강건 F. 10보다 작으면 2단계 최소제곱의 중심과 구간을 둘 다 믿을 수 없고,
# 104.7보다 작으면 보통의 구간이 5%보다 자주 빗나갑니다(Lee 외, 2022). 앤더슨-루빈 구간은 F와 상관없이 맞습니다.
WEAK_F, STRONG_F = 10.0, 104.7
PLACEBOS = 200


@dataclass
class Fit:
    """공변량을 뺀 잔차와 교차 적합의 결과.

    ``d``는 처치(이진이면 0/1, 연속이면 원래 값), ``delta``는 견주는 두 값의 차이입니다.
    """

    frame: pd.DataFrame
    X: pd.DataFrame
    y: np.ndarray
    d: np.ndarray
    z: np.ndarray
    delta: float
    clusters: np.ndarray | None
    fold: np.ndarray
    ry: np.ndarray
    rd: np.ndarray
    rz: np.ndarray
    psi: dict[str, np.ndarray] = field(default_factory=dict)
    choices: dict[str, models.Choice] = field(default_factory=dict)


def fit(spec, ident, frame) -> Fit:
    """행을 고르고 공변량을 선형으로 뺍니다(같은 자료에서는 한 번만)."""
    return common.remember(frame, ("instrument", *common.spec_key(spec, ident)), lambda: _fit(spec, ident, frame))


def _fit(spec, ident, frame) -> Fit:
    t = spec.treatment
    rows = frame.dropna(subset=[t.column, spec.outcome.column, spec.instrument])
    if t.kind != "continuous":
        rows = rows[rows[t.column].isin([t.control, t.treated])]
    X = models.design_matrix(rows, ident.adjustment)
    y = rows[spec.outcome.column].to_numpy(dtype=float)
    d = rows[t.column].to_numpy(dtype=float) if t.kind == "continuous" else (rows[t.column] == t.treated).to_numpy(dtype=float)
    z = common.numeric(rows, spec.instrument)
    clusters = common.cluster_codes(spec, rows)
    fold = models.fold_numbers(z, spec.seed, clusters)
    ry, rd, rz = (_residual(v, X.to_numpy()) for v in (y, d, z))
    delta = float(t.treated - t.control) if t.kind == "continuous" else 1.0
    return Fit(rows, X, y, d, z, delta, clusters, fold, ry, rd, rz)


def _residual(v, X) -> np.ndarray:
    Z = np.column_stack([np.ones(len(v)), X])
    return v - Z @ np.linalg.lstsq(Z, v, rcond=None)[0]


def _ratio_scores(u, v, w) -> np.ndarray:
    """Σwu / Σwv의 점수. 평균이 비율입니다."""
    value = (w @ u) / (w @ v)
    return value + len(u) * w * (u - value * v) / (w @ v)


def _moment_error(g, clusters, parameters: int) -> float:
    """Σg의 표준오차."""
    n = len(g)
    if clusters is None:
        return float(np.sqrt((g**2).sum() * n / max(n - parameters, 1)))
    sums = np.bincount(clusters, weights=g)
    k = len(sums)
    return float(np.sqrt((sums**2).sum() * k / max(k - 1, 1) * (n - 1) / max(n - parameters, 1)))


def first_stage(f: Fit) -> tuple[float, float]:
    """첫 단계의 (강건 F, 분산이 고르다고 본 F)."""
    slope = (f.rz @ f.rd) / (f.rz @ f.rz)
    residual = f.rd - slope * f.rz
    k = f.X.shape[1] + 2
    robust = (f.rz @ f.rd) / max(_moment_error(f.rz * residual, f.clusters, k), 1e-300)
    classical = slope / np.sqrt((residual @ residual) / max(len(residual) - k, 1) / (f.rz @ f.rz))
    return float(robust**2), float(classical**2)


def anderson_rubin(f: Fit, level: float = 0.95) -> tuple[float, float]:
    """앤더슨-루빈 구간: 그 효과를 뺀 결과가 도구와 얽히지 않는 값들.

    도구가 하나이면 이차부등식으로 풀립니다. 도구가 약하면 구간이 한쪽이나 양쪽으로 끝없이 갑니다(±무한대로 냅니다).
    """
    n, k = len(f.ry), f.X.shape[1] + 2
    c2 = common.critical(n, f.clusters, level) ** 2
    # (Σz(y−βd))² ≤ c²·Var. 분산은 β의 이차식이므로 세 점에서 재어 계수를 얻습니다.
    zy, zd = f.rz @ f.ry, f.rz @ f.rd
    zz = f.rz @ f.rz
    gy, gd = f.rz * (f.ry - zy / zz * f.rz), f.rz * (f.rd - zd / zz * f.rz)

    def variance(beta):
        return _moment_error(gy - beta * gd, f.clusters, k) ** 2

    v0, vp, vm = variance(0.0), variance(1.0), variance(-1.0)
    va, vb = (vp + vm) / 2 - v0, (vp - vm) / 2
    a, b, c = zd**2 - c2 * va, -2 * zy * zd - c2 * vb, zy**2 - c2 * v0
    discriminant = b * b - 4 * a * c
    if a > 0:
        root = np.sqrt(max(discriminant, 0.0))
        return float((-b - root) / (2 * a)), float((-b + root) / (2 * a))
    return -np.inf, np.inf


# --- 점검 ---


def check(spec, ident, frame) -> list[Check]:
    """첫 단계의 힘, 도구의 균형, 단조성과 배제의 함의, 그래프의 독립."""
    f = fit(spec, ident, frame)
    return [
        *common.missing_check(spec, f.frame, ident.adjustment),
        *common.timing_check(spec, ident),
        *common.cluster_check(spec, f.frame, f.clusters),
        *_first_stage_check(f),
        *_instrument_overlap(spec, f),
        *_implication_check(spec, f),
        *common.graph_checks(spec, ident, f.frame),
    ]


def _first_stage_check(f: Fit) -> list[Check]:
    robust, classical = first_stage(f)
    status = "ok" if robust >= STRONG_F else "warn" if robust >= WEAK_F else "fail"
    low, high = anderson_rubin(f)
    bounded = np.isfinite(low) and np.isfinite(high)
    found = [
        Check(
            "first_stage",
            "첫 단계의 힘",
            status,
            f"첫 단계의 강건 F는 {robust:.1f}입니다(분산이 고르다고 보면 {classical:.1f})."
            + {
                "ok": "",
                "warn": f" {STRONG_F}보다 작아 보통의 구간은 좁게 나옵니다. 앤더슨-루빈 구간을 씁니다.",
                "fail": " 도구가 약해 추정값이 단순 비교 쪽으로 쏠립니다.",
            }[status],
            robust,
            WEAK_F,
            {"ok": None, "warn": "B", "fail": "C"}[status],
        )
    ]
    text = f"[{common.show(low * f.delta)}, {common.show(high * f.delta)}]" if bounded else "끝이 없는 구간"
    found.append(
        Check(
            "anderson_rubin",
            "앤더슨-루빈 구간",
            "ok" if bounded else "fail",
            f"도구가 약해도 맞는 95% 구간은 {text}입니다." + ("" if bounded else " 자료가 효과의 크기를 가려내지 못합니다."),
            None,
            None,
            None if bounded else "C",
        )
    )
    return found


def _instrument_overlap(spec, f: Fit) -> list[Check]:
    """공변량을 알 때에도 도구가 움직이는지."""
    if f.X.shape[1] == 0:
        return []
    left = float(f.rz.var() / f.z.var())
    status = "ok" if left > 0.1 else "warn" if left > 0.02 else "fail"
    return [
        Check(
            "instrument_variation",
            "공변량을 뺀 도구의 변이",
            status,
            f"도구의 분산 가운데 공변량이 설명하지 못하는 몫은 {left:.0%}입니다.",
            left,
            0.1,
            {"ok": None, "warn": "B", "fail": "C"}[status],
        )
    ]


def _implication_check(spec, f: Fit) -> list[Check]:
    """이진 도구와 이진 처치에서 단조성과 배제가 함께 뜻하는 부등식(Kitagawa, 2015).

    결과의 어느 구간에서든, 처치받은 몫은 도구가 켜졌을 때 더 커야 하고 받지 않은 몫은 더 작아야 합니다. 공변량이 있으면
    공변량으로 도구를 예측한 값으로 다섯 층을 나누어 층마다 보고 합칩니다.
    """
    if set(np.unique(f.z)) != {0.0, 1.0} or set(np.unique(f.d)) != {0.0, 1.0}:
        return []
    direction = 1.0 if f.rz @ f.rd > 0 else -1.0
    z = f.z if direction > 0 else 1 - f.z
    if f.X.shape[1]:
        index = (f.z - f.rz) if direction > 0 else 1 - (f.z - f.rz)
        index = np.clip(index, 0.02, 0.98)
    else:
        index = np.full(len(z), z.mean())
    cuts = np.unique(np.quantile(f.y, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]))
    p_values, places = [], []
    for low, high in zip(cuts[:-1], cuts[1:], strict=True):
        inside = (f.y >= low) & (f.y <= high if high == cuts[-1] else f.y < high)
        for taken, sign in ((1.0, 1.0), (0.0, -1.0)):
            event = (inside & (f.d == taken)).astype(float)
            psi = sign * (z / index - (1 - z) / (1 - index)) * (event - event.mean())
            error = common.mean_error(psi, f.clusters)
            p_values.append(float(stats.norm.cdf(psi.mean() / max(error, 1e-300))))
            places.append((low, high, taken))
    adjusted = common.holm(p_values)
    worst = int(np.argmin(adjusted))
    bad = adjusted[worst] < common.FAIL_LEVEL
    low, high, taken = places[worst]
    return [
        Check(
            "instrument_inequality",
            "도구의 조건이 뜻하는 부등식",
            "fail" if bad else "ok",
            f"배제와 단조성이 함께 성립하면 지켜야 할 부등식 {len(p_values)}개를 보았습니다."
            + (
                f" 결과가 {common.show(low)}~{common.show(high)}이고 처치가 {int(taken)}인 몫이 거꾸로 움직입니다. 도구가 결과에 곧장 닿거나 "
                "거꾸로 움직이는 대상이 있습니다."
                if bad
                else " 어긋난 것이 없습니다(통과가 배제를 증명하지는 않습니다)."
            ),
            adjusted[worst],
            common.FAIL_LEVEL,
            "C" if bad else None,
        )
    ]


# --- 추정 ---


def estimate(spec, ident, frame) -> list[Estimate]:
    """2단계 최소제곱(구간은 앤더슨-루빈), 기계학습으로 공변량을 뺀 것, AIPW의 비율, 참고로 ITT와 단순 회귀."""
    f = fit(spec, ident, frame)
    f.psi["tsls"] = _ratio_scores(f.ry, f.rd, f.rz) * f.delta
    out = [_primary(f)]
    if f.X.shape[1]:
        uy, ud, uz = (_ml_residual(spec, f, name) for name in ("y", "d", "z"))
        f.psi["partialled"] = _ratio_scores(uy, ud, uz) * f.delta
        out.append(
            common.estimate_from(
                f.psi["partialled"], "partialled", "기계학습으로 공변량을 뺀 도구변수(DML)", "표본이 작아 겹 밖 예측이 잡음일 때", f.clusters, False, "LATE"
            )
        )
    if set(np.unique(f.z)) == {0.0, 1.0}:
        f.psi["ratio"] = _aipw_ratio(spec, f) * f.delta
        out.append(
            common.estimate_from(
                f.psi["ratio"],
                "ratio",
                "두 효과의 비(ITT ÷ 처치율 차이)" if not f.X.shape[1] else "AIPW로 잰 두 효과의 비",
                "도구의 확률이 0이나 1에 가까울 때",
                f.clusters,
                False,
                "LATE",
            )
        )
        half = _split_sample(spec, f)
        if half is not None:
            f.psi["split"] = half * f.delta
            out.append(
                common.estimate_from(
                    f.psi["split"], "split", "첫 단계를 다른 겹에서 배운 2단계", "도구가 약하면 0 쪽으로 쏠립니다", f.clusters, False, "LATE"
                )
            )
    else:
        f.psi["rank"] = _ratio_scores(f.ry, f.rd, _residual(stats.rankdata(f.z), f.X.to_numpy())) * f.delta
        out.append(
            common.estimate_from(f.psi["rank"], "rank", "도구의 순위를 쓴 2단계", "처치가 도구에 곧게 따를 때에는 오차만 큽니다", f.clusters, False, "LATE")
        )
        half = _split_sample(spec, f)
        if half is not None:
            f.psi["split"] = half * f.delta
            out.append(
                common.estimate_from(
                    f.psi["split"], "split", "첫 단계를 다른 겹에서 배운 2단계", "도구가 약하면 0 쪽으로 쏠립니다", f.clusters, False, "LATE"
                )
            )
    slope = (f.rz @ f.ry) / (f.rz @ f.rz)
    itt = slope + len(f.ry) * f.rz * (f.ry - slope * f.rz) / (f.rz @ f.rz)
    out.append(common.estimate_from(itt, "itt", "도구 한 단위의 효과(ITT)", "처치가 아니라 도구의 효과를 물을 때에만 답입니다", f.clusters, False, "ITT"))
    ols = (f.rd @ f.ry) / (f.rd @ f.rd)
    naive = (ols + len(f.ry) * f.rd * (f.ry - ols * f.rd) / (f.rd @ f.rd)) * f.delta
    out.append(common.estimate_from(naive, "naive", "도구를 쓰지 않은 회귀", "재지 못한 교란 요인이 있을 때", f.clusters))
    return out


def _primary(f: Fit) -> Estimate:
    n, k = len(f.ry), f.X.shape[1] + 2
    value = (f.rz @ f.ry) / (f.rz @ f.rd)
    error = _moment_error(f.rz * (f.ry - value * f.rd), f.clusters, k) / abs(f.rz @ f.rd)
    low, high = anderson_rubin(f)
    if not (np.isfinite(low) and np.isfinite(high)):
        # 끝이 없는 구간은 수로 적을 수 없어 보통의 구간을 적고, anderson_rubin 점검이 등급을 C로 내립니다.
        half = common.critical(n, f.clusters) * error
        low, high = value - half, value + half
    low, high = sorted((low * f.delta, high * f.delta))
    return Estimate(
        "tsls",
        "2단계 최소제곱(앤더슨-루빈 구간)",
        float(value * f.delta),
        float(low),
        float(high),
        float(error * abs(f.delta)),
        n,
        "도구가 처치를 거치지 않고 결과에 닿거나, 공변량의 영향이 곧지 않을 때",
        True,
        "LATE",
    )


def _ml_residual(spec, f: Fit, name: str) -> np.ndarray:
    target = {"y": f.y, "d": f.d, "z": f.z}[name]
    X = f.X.to_numpy()
    choice = models.choose(models.outcome_learners(X.shape[1], spec.seed), X, target, f.fold, spec.seed)
    f.choices[name] = choice
    return target - models.cross_fit(choice.learner, X, target, f.fold)


def _aipw_ratio(spec, f: Fit) -> np.ndarray:
    """도구를 처치로 본 두 AIPW(결과와 처치)의 비율."""
    on = f.z == 1
    X = f.X.to_numpy()
    if X.shape[1]:
        candidates = models.propensity_learners(X.shape[1], spec.seed)
        choice = models.choose(candidates, X, on.astype(int), f.fold, spec.seed, classify=True)
        e = np.clip(models.cross_fit(choice.learner, X, on.astype(int), f.fold, classify=True)[:, 1], 0.01, 0.99)
    else:
        e = np.full(len(f.y), on.mean())
    parts = []
    for target, learner in ((f.y, f.choices.get("y")), (f.d, f.choices.get("d"))):
        model = learner.learner if learner else models.outcome_learners(0, spec.seed)[0]
        m1 = models.cross_fit(model, X, target, f.fold, only=on)
        m0 = models.cross_fit(model, X, target, f.fold, only=~on)
        parts.append(m1 - m0 + on / e * (target - m1) - ~on / (1 - e) * (target - m0))
    top, bottom = parts
    value = top.mean() / bottom.mean()
    return value + (top - value * bottom) / bottom.mean()


def _split_sample(spec, f: Fit) -> np.ndarray | None:
    """첫 단계의 예측을 다른 겹에서 배워 도구로 씁니다. 지나치게 맞춘 첫 단계를 드러냅니다."""
    Z = np.column_stack([np.ones(len(f.z)), f.X.to_numpy(), f.z])
    predicted = np.zeros(len(f.z))
    for k in np.unique(f.fold):
        train = f.fold != k
        predicted[~train] = Z[~train] @ np.linalg.lstsq(Z[train], f.d[train], rcond=None)[0]
    w = _residual(predicted, f.X.to_numpy())
    if abs(w @ f.rd) < 1e-9:
        return None
    return _ratio_scores(f.ry, f.rd, w)


# --- 흔들어 보기 ---


def stress(spec, ident, frame, estimates) -> tuple[list[Check], list[Sensitivity]]:
    """추정량끼리의 견줌, 도구를 섞은 위약, 반쪽 표본, 음성 대조군, 배제가 얼마나 깨져야 결론이 뒤집히는지."""
    f = fit(spec, ident, frame)
    if "tsls" not in f.psi:
        estimate(spec, ident, frame)
    main = next(e for e in estimates if e.primary)
    errors = {name: common.mean_error(psi - f.psi["tsls"], f.clusters) for name, psi in f.psi.items() if name != "tsls"}
    checks = [
        common.agreement_check(estimates, errors),
        _placebo(spec, f),
        adjustment.halves_check(spec, f.psi["tsls"], f.clusters),
        common.negative_control_check(spec, _negative_controls(spec, f), _reduced(f)[0] * f.z.std() / max(f.y.std(), 1e-12)),
    ]
    return checks, [_exclusion(spec, f, main)]


def _reduced(f: Fit) -> tuple[float, float]:
    """도구 한 단위에 결과가 움직이는 크기와 표준오차."""
    slope = (f.rz @ f.ry) / (f.rz @ f.rz)
    error = _moment_error(f.rz * (f.ry - slope * f.rz), f.clusters, f.X.shape[1] + 2) / (f.rz @ f.rz)
    return float(slope), float(error)


def _placebo(spec, f: Fit) -> Check:
    """도구를 섞으면 결과와 처치 어느 쪽도 도구를 따르지 않아야 합니다."""
    rng = np.random.default_rng(spec.seed + 1)
    slope, error = _reduced(f)
    unit = np.arange(len(f.rz)) if f.clusters is None else f.clusters
    first = np.unique(unit, return_index=True)[1]
    whole = f.clusters is None or all(np.ptp(f.z[unit == g]) < 1e-12 for g in np.unique(unit)[:200])
    values = np.empty(PLACEBOS)
    for i in range(PLACEBOS):
        mixed = rng.permutation(f.rz[first])[unit] if whole else f.rz[rng.permutation(len(f.rz))]
        mixed = mixed - mixed.mean()
        values[i] = (mixed @ f.ry) / (mixed @ mixed)
    ratio = values.std(ddof=1) / max(error, 1e-300)
    p = float((1 + (np.abs(values) >= abs(slope)).sum()) / (PLACEBOS + 1))
    bad = not 0.5 < ratio < 2.0
    return Check(
        "placebo",
        "도구를 섞은 위약",
        "warn" if bad else "ok",
        f"도구를 {PLACEBOS}번 섞었습니다. 위약의 퍼짐은 표준오차의 {ratio:.2f}배이고, 도구가 결과에 미친 것만큼 큰 몫(p값)은 {p:.3f}입니다.",
        p,
        None,
        "B" if bad else None,
    )


def _negative_controls(spec, f: Fit):
    """도구가 움직여서는 안 되는 결과, 그리고 결과를 움직여서는 안 되는 처치."""
    found = []
    for name in spec.negative_outcomes:
        y = f.frame[name].to_numpy(dtype=float)
        keep = np.isfinite(y)
        X = f.X.to_numpy()[keep]
        ry, rz = _residual(y[keep], X), _residual(f.z[keep], X) / max(f.z.std(), 1e-12)
        slope = (rz @ ry) / (rz @ rz)
        clusters = None if f.clusters is None else np.unique(f.clusters[keep], return_inverse=True)[1]
        error = _moment_error(rz * (ry - slope * rz), clusters, X.shape[1] + 2) / (rz @ rz)
        found.append((name, float(slope), error, float(y[keep].std())))
    for name in spec.negative_treatments:
        found.append(adjustment.negative_treatment(spec, f.frame, f.X.to_numpy(), f.y, f.fold, f.clusters, name))
    return found


def _exclusion(spec, f: Fit, main) -> Sensitivity:
    """도구가 결과에 곧장 미치는 힘이 얼마나 되어야 구간이 0을 품는지, 잰 변수들과 견주어(도구 1 표준편차, 결과의 표준편차)."""
    slope, error = _reduced(f)
    scale = f.z.std() / max(f.y.std(), 1e-12)
    needed = max(0.0, abs(slope) - 1.96 * error) * scale
    benchmarks = {}
    X = f.X.to_numpy()
    if X.shape[1]:
        Z = np.column_stack([np.ones(len(f.y)), X, f.z])
        beta = np.linalg.lstsq(Z, f.y, rcond=None)[0][1:-1]
        benchmarks = {str(c): float(abs(b) * s / max(f.y.std(), 1e-12)) for c, b, s in zip(f.X.columns, beta, X.std(axis=0), strict=True)}
    message = f"도구가 처치를 거치지 않고 결과를 표준편차의 {needed:.3f}배만큼만 움직여도(도구 1 표준편차마다) 95% 구간이 0을 품습니다."
    if benchmarks:
        strongest = max(benchmarks, key=benchmarks.get)
        message += f" 잰 변수 가운데 가장 센 '{said(spec, strongest)}'의 힘은 같은 자로 {benchmarks[strongest]:.3f}배입니다."
    return Sensitivity("exclusion", "배제가 깨지는 정도", float(needed), message, benchmarks)


def pictures(spec, ident, frame, estimates) -> list[Picture]:
    """추정값."""
    return [common.forest(estimates, spec.outcome.unit)]


def steps(spec, ident, frame, estimates) -> list[Step]:
    """linearmodels의 IV2SLS로 같은 점 추정을, 격자로 앤더슨-루빈 구간을 냅니다."""
    f = fit(spec, ident, frame)
    t, y = spec.treatment, spec.outcome.column
    cluster = t.cluster or (spec.panel.unit if spec.panel else None)
    cluster = cluster if f.clusters is not None else None
    keep = "" if t.kind == "continuous" else f"frame = frame[frame[{t.column!r}].isin([{t.control!r}, {t.treated!r}])]\n"
    treatment = f"frame[{t.column!r}].astype(float)" if t.kind == "continuous" else f"(frame[{t.column!r}] == {t.treated!r}).astype(float)"
    matrix = models.MATRIX_SOURCE.format(columns=list(ident.adjustment)) if f.X.shape[1] else "X = pd.DataFrame(index=frame.index)"
    covariance = "cov_type='clustered', clusters=groups, debiased=True, group_debias=True" if cluster else "cov_type='robust', debiased=True"
    groups = f"groups = pd.factorize(frame[{cluster!r}], sort=True)[0]\n" if cluster else "groups = None\n"
    return [
        Step(
            "결과, 처치, 도구가 있는 행만 두고 2단계 최소제곱을 냅니다.",
            "import numpy as np\nimport pandas as pd\nimport statsmodels.api as sm\nfrom linearmodels.iv import IV2SLS\nfrom scipy import stats\n\nreproduced = {}\n"
            f"frame = frame.dropna(subset=[{t.column!r}, {y!r}, {spec.instrument!r}])\n{keep}{matrix}\n{groups}"
            f"y, d, z = frame[{y!r}].astype(float), {treatment}.rename('처치'), frame[{spec.instrument!r}].astype(float).rename('도구')\n"
            "exog = sm.add_constant(X, has_constant='add')\n"
            f"tsls = IV2SLS(y, exog, d, z).fit({covariance})\nprint(tsls.first_stage)\ntsls",
        ),
        Step(
            "앤더슨-루빈 구간: 효과를 b라고 보고 y − b·d를 도구에 회귀했을 때 도구의 계수가 0이라고 볼 수 있는 b를 모읍니다. 분산은 b의 이차식입니다.",
            "def residual(v):\n    return v - sm.OLS(v, exog).fit().fittedvalues\n"
            "ry, rd, rz = (residual(v).to_numpy() for v in (y, d, z))\nn, k = len(ry), exog.shape[1] + 1\n"
            "gy = rz * (ry - (rz @ ry) / (rz @ rz) * rz)\ngd = rz * (rd - (rz @ rd) / (rz @ rz) * rz)\n"
            "def variance(b):\n    g = gy - b * gd\n    if groups is None:\n        return (g**2).sum() * n / (n - k)\n"
            "    sums = np.bincount(groups, weights=g)\n    return (sums**2).sum() * len(sums) / (len(sums) - 1) * (n - 1) / (n - k)\n"
            "df = n - 1 if groups is None else groups.max()\nc2 = stats.t.ppf(0.975, df) ** 2\n"
            "va, vb = (variance(1) + variance(-1)) / 2 - variance(0), (variance(1) - variance(-1)) / 2\n"
            "low, high = np.sort(np.roots([(rz @ rd) ** 2 - c2 * va, -2 * (rz @ ry) * (rz @ rd) - c2 * vb, (rz @ ry) ** 2 - c2 * variance(0)]).real)\n"
            f"scale = {f.delta!r}\nvalue = tsls.params['처치'] * scale\n"
            "if (rz @ rd) ** 2 <= c2 * va:\n    half = stats.t.ppf(0.975, df) * tsls.std_errors['처치']\n    low, high = tsls.params['처치'] - half, tsls.params['처치'] + half\n"
            'reproduced["tsls"] = {"value": value, "low": min(low * scale, high * scale), "high": max(low * scale, high * scale)}\nreproduced["tsls"]',
        ),
    ]
