"""무작위 실험: 배정이 무작위이므로 평균의 차이가 효과입니다. 공변량은 오차를 줄이는 데에만 씁니다."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import stats

from causal_pipeline import learners as models
from causal_pipeline.designs import adjustment, common
from causal_pipeline.model import Check, Estimate, Picture, Sensitivity, Step

PLACEBOS = 500
# 결과의 양 끝을 이 몫씩 잘라 낸 평균을 함께 봅니다. 몇 대상이 결론을 정하는지를 드러냅니다.
WINSOR = 0.01
# 표본 비율과 균형의 시험은 아주 드문 일만 문제로 삼습니다. 배정이 무작위이면 천에 하나만 걸립니다.
ALARM = 0.001
ATTRITION_WARN = 0.02


@dataclass
class Fit:
    """두 팔만 남긴 자료. ``p``는 처치받을 확률, ``missing``은 결과가 빈 행(처음 자료)의 표시입니다."""

    everyone: pd.DataFrame
    frame: pd.DataFrame
    X: pd.DataFrame
    y: np.ndarray
    a: np.ndarray
    p: np.ndarray
    fold: np.ndarray
    clusters: np.ndarray | None
    mu1: np.ndarray
    mu0: np.ndarray
    choice: models.Choice
    psi: dict[str, np.ndarray] = field(default_factory=dict)


def fit(spec, ident, frame) -> Fit:
    """팔을 나누고 결과 모델을 교차 적합합니다(같은 자료에서는 한 번만)."""
    return common.remember(frame, ("experiment", *common.spec_key(spec, ident)), lambda: _fit(spec, ident, frame))


def _fit(spec, ident, frame) -> Fit:
    t = spec.treatment
    everyone = frame[frame[t.column].isin([t.control, t.treated])]
    rows = everyone.dropna(subset=[spec.outcome.column])
    X = models.design_matrix(rows, ident.adjustment)
    values = X.to_numpy()
    y = rows[spec.outcome.column].to_numpy(dtype=float)
    a = (rows[t.column] == t.treated).to_numpy()
    clusters = common.cluster_codes(spec, rows)
    fold = models.fold_numbers(a, spec.seed, clusters)
    candidates = models.outcome_learners(values.shape[1], spec.seed)
    if values.shape[1]:
        total = dict.fromkeys([c.name for c in candidates], 0.0)
        for arm in (a, ~a):
            for name, loss in models.choose(candidates, values[arm], y[arm], fold[arm], spec.seed).losses.items():
                total[name] += loss
        choice = models.Choice(min(candidates, key=lambda c: total[c.name]), total)
    else:
        choice = models.Choice(candidates[0])
    mu1 = models.cross_fit(choice.learner, values, y, fold, only=a)
    mu0 = models.cross_fit(choice.learner, values, y, fold, only=~a)
    return Fit(everyone, rows, X, y, a, assignment_probability(spec, rows, a), fold, clusters, mu1, mu0, choice)


def assignment_probability(spec, rows, a) -> np.ndarray:
    """배정 확률. 적지 않았으면 자료의 비율입니다."""
    p = spec.treatment.probability
    if isinstance(p, str):
        return rows[p].to_numpy(dtype=float)
    return np.full(len(rows), a.mean() if p is None else float(p))


def pseudo_outcomes(spec, ident, frame):
    """대상마다의 점수. 이질성의 시험과 정책의 값이 씁니다."""
    if spec.treatment.kind == "continuous":
        return None
    f = fit(spec, ident, frame)
    return f.frame, _aipw(f), f.clusters, f.fold


def _aipw(f: Fit) -> np.ndarray:
    return f.mu1 - f.mu0 + f.a / f.p * (f.y - f.mu1) - ~f.a / (1 - f.p) * (f.y - f.mu0)


def _hajek(y, a, p) -> np.ndarray:
    w1, w0 = a / p, ~a / (1 - p)
    m1, m0 = (w1 @ y) / w1.sum(), (w0 @ y) / w0.sum()
    n = len(y)
    return m1 - m0 + n * (w1 / w1.sum() * (y - m1) - w0 / w0.sum() * (y - m0))


# --- 점검 ---


def check(spec, ident, frame) -> list[Check]:
    """표본 비율, 배정 앞 변수의 균형, 결과의 빠짐, 군집의 수, 그래프의 독립."""
    if spec.treatment.kind == "continuous":
        from causal_pipeline.designs import dose

        return dose.check(spec, ident, frame)
    f = fit(spec, ident, frame)
    return [
        *_ratio_check(spec, f),
        *_balance_check(f),
        *_attrition_check(spec, f),
        *common.missing_check(spec, f.frame, ident.adjustment),
        *common.cluster_check(spec, f.frame, f.clusters),
        *common.graph_checks(spec, ident, f.frame),
    ]


def _units(values, clusters):
    """군집마다 하나씩."""
    return values if clusters is None else values[np.unique(clusters, return_index=True)[1]]


def _ratio_check(spec, f: Fit) -> list[Check]:
    """적어 둔 배정 확률과 실제의 수. 빠짐이 생기기 앞의 모든 대상으로 봅니다."""
    if spec.treatment.probability is None:
        return []
    clusters = common.cluster_codes(spec, f.everyone)
    a = _units((f.everyone[spec.treatment.column] == spec.treatment.treated).to_numpy(), clusters)
    p = _units(assignment_probability(spec, f.everyone, a), clusters) if isinstance(spec.treatment.probability, str) else np.full(len(a), spec.treatment.probability)
    z = (a.sum() - p.sum()) / max(np.sqrt((p * (1 - p)).sum()), 1e-12)
    value = common.two_sided(z)
    bad = value < ALARM
    return [
        Check(
            "sample_ratio",
            "표본 비율",
            "fail" if bad else "ok",
            f"배정 확률로는 실험군이 {p.sum():,.0f}개여야 하고 실제는 {int(a.sum()):,}개입니다(p={value:.3g})."
            + (" 배정이나 기록이 한쪽에서 새고 있습니다." if bad else ""),
            value,
            ALARM,
            "C" if bad else None,
        )
    ]


def _balance_check(f: Fit) -> list[Check]:
    """공변량 모두로 처치를 예측할 수 있는지(군집 강건 Wald)."""
    if f.X.shape[1] == 0:
        return []
    X = f.X.to_numpy()
    Z = np.column_stack([np.ones(len(X)), (X - X.mean(axis=0)) / X.std(axis=0)])
    beta, covariance, _ = common.least_squares(Z, f.a.astype(float) - f.p, f.clusters)
    k = Z.shape[1] - 1
    units = len(X) if f.clusters is None else int(f.clusters.max()) + 1
    if units <= k + 2:
        return []
    wald = float(beta[1:] @ np.linalg.pinv(covariance[1:, 1:]) @ beta[1:])
    # 군집이 적으면 Wald 통계량의 꼬리가 두꺼워져 Hotelling의 자유도를 씁니다.
    value = float(stats.f.sf(wald * (units - k) / (k * (units - 1)), k, units - k))
    status = "fail" if value < ALARM else "warn" if value < 0.01 else "ok"
    return [
        Check(
            "balance",
            "배정 앞 변수의 균형",
            status,
            f"공변량 {k}개를 함께 보아 두 집단이 다를 p값은 {value:.3f}입니다." + (" 무작위 배정이라면 아주 드문 일입니다." if status != "ok" else ""),
            value,
            ALARM,
            {"ok": None, "warn": "B", "fail": "C"}[status],
        )
    ]


def _attrition_check(spec, f: Fit) -> list[Check]:
    """결과가 빈 몫이 두 집단에서 다른지."""
    missing = f.everyone[spec.outcome.column].isna().to_numpy().astype(float)
    if missing.sum() == 0:
        return [Check("attrition", "결과의 빠짐", "ok", "결과가 빈 대상이 없습니다.", 0.0, ATTRITION_WARN)]
    a = (f.everyone[spec.treatment.column] == spec.treatment.treated).to_numpy()
    beta, covariance, _ = common.least_squares(np.column_stack([np.ones(len(a)), a]), missing, common.cluster_codes(spec, f.everyone))
    z = beta[1] / max(np.sqrt(covariance[1, 1]), 1e-12)
    p, gap, share = common.two_sided(z), abs(float(beta[1])), float(missing.mean())
    fail = p < 0.01 and gap > ATTRITION_WARN
    warn = p < 0.05 or share > 0.1
    return [
        Check(
            "attrition",
            "결과의 빠짐",
            "fail" if fail else "warn" if warn else "ok",
            f"결과가 빈 대상은 {share:.1%}이고, 두 집단의 차이는 {gap:.1%}포인트(p={p:.3f})입니다."
            + (" 남은 대상끼리는 더는 무작위가 아닙니다." if fail else ""),
            gap,
            ATTRITION_WARN,
            "C" if fail else "B" if warn else None,
        )
    ]


# --- 추정 ---


def estimate(spec, ident, frame) -> list[Estimate]:
    """평균 차이, 교호작용을 넣은 회귀(공변량이 있으면 주된 추정), 기계학습 보정, 양 끝을 누른 평균."""
    if spec.treatment.kind == "continuous":
        from causal_pipeline.designs import dose

        return dose.estimate(spec, ident, frame)
    f = fit(spec, ident, frame)
    low, high = np.quantile(f.y, [WINSOR, 1 - WINSOR])
    f.psi["difference"] = _hajek(f.y, f.a, f.p)
    if f.X.shape[1]:
        f.psi["regression"] = _lin(f)
    f.psi["aipw"] = _aipw(f)
    primary = "regression" if f.X.shape[1] else "difference"
    labels = {
        "difference": ("평균의 차이", "표본이 작아 우연히 두 집단이 다르게 갈렸을 때"),
        "regression": ("교호작용을 넣은 회귀(Lin)", "대상에 견주어 공변량이 많을 때"),
        "aipw": ("기계학습으로 보정한 차이(교차 적합)", "표본이 작아 겹 밖 예측이 잡음일 때"),
    }
    out = [
        common.estimate_from(psi, name, *labels[name], f.clusters, name == primary, ident.estimand) for name, psi in f.psi.items() if name in labels
    ]
    if high > low:
        f.psi["winsorised"] = _hajek(np.clip(f.y, low, high), f.a, f.p)
        out.append(
            common.estimate_from(
                f.psi["winsorised"],
                "winsorised",
                f"양 끝 {WINSOR:.0%}를 누른 평균의 차이",
                "효과가 바로 그 끝의 대상에서 나올 때",
                f.clusters,
                False,
                f"{ident.estimand}(누른 결과)",
            )
        )
    return out


def _lin(f: Fit) -> np.ndarray:
    """팔마다 회귀해 전체 평균에서 뺀 것. 배정 확률이 대상마다 다르면 역확률로 가중합니다."""
    X = f.X.to_numpy()
    centred = X - X.mean(axis=0)
    Z = np.column_stack([np.ones(len(X)), centred])
    psi, value, slopes = np.zeros(len(X)), 0.0, []
    for arm, weight, sign in ((f.a, 1 / f.p, 1.0), (~f.a, 1 / (1 - f.p), -1.0)):
        w = weight * arm
        inverse = np.linalg.pinv((Z * w[:, None]).T @ Z)
        beta = inverse @ (Z.T @ (w * f.y))
        residual = np.where(arm, f.y - Z @ beta, 0.0)
        factor = np.sqrt(arm.sum() / max(arm.sum() - Z.shape[1], 1))
        psi += sign * len(X) * (Z @ inverse[0]) * w * residual * factor
        value += sign * beta[0]
        slopes.append(beta[1:])
    return value + psi + centred @ (slopes[0] - slopes[1])


# --- 흔들어 보기 ---


def stress(spec, ident, frame, estimates) -> tuple[list[Check], list[Sensitivity]]:
    """배정을 다시 뽑는 무작위화 시험, 반쪽 표본, 음성 대조군, 추정량끼리의 견줌, 결과가 빠진 대상의 한계."""
    if spec.treatment.kind == "continuous":
        from causal_pipeline.designs import dose

        return dose.stress(spec, ident, frame, estimates)
    f = fit(spec, ident, frame)
    if "difference" not in f.psi:
        estimate(spec, ident, frame)
    main = next(e for e in estimates if e.primary)
    errors = {name: common.mean_error(psi - f.psi[main.method], f.clusters) for name, psi in f.psi.items() if name != main.method}
    checks = [
        common.agreement_check(estimates, errors),
        _randomisation(spec, f, main),
        adjustment.halves_check(spec, f.psi[main.method], f.clusters),
        _few_rows(estimates),
    ]
    if spec.negative_outcomes or spec.negative_treatments:
        results = []
        for name in spec.negative_outcomes:
            y = f.frame[name].to_numpy(dtype=float)
            keep = np.isfinite(y)
            psi = _hajek(y[keep], f.a[keep], f.p[keep])
            results.append((name, float(psi.mean()), common.mean_error(psi, None if f.clusters is None else f.clusters[keep]), float(y[keep].std())))
        for name in spec.negative_treatments:
            results.append(adjustment.negative_treatment(spec, f.frame, f.X.to_numpy(), f.y, f.fold, f.clusters, name))
        checks.append(common.negative_control_check(spec, results, main.value / max(f.y.std(), 1e-12)))
    return checks, _bounds(spec, f, main)


def _randomisation(spec, f: Fit, main) -> Check:
    """실제와 같은 단위로 배정을 다시 뽑습니다. 표준오차를 잘못된 단위로 셌으면 퍼짐이 어긋납니다."""
    rng = np.random.default_rng(spec.seed + 1)
    base = f.y - (f.p * f.mu1 + (1 - f.p) * f.mu0) if f.X.shape[1] else f.y - f.y.mean()
    unit = np.arange(len(base)) if f.clusters is None else f.clusters
    first = np.unique(unit, return_index=True)[1]
    a_unit, p_unit = f.a[first], f.p[first]
    constant = np.ptp(p_unit) < 1e-12
    values = np.empty(PLACEBOS)
    for i in range(PLACEBOS):
        drawn = (rng.permutation(a_unit) if constant else rng.random(len(p_unit)) < p_unit)[unit]
        w1, w0 = drawn / f.p, ~drawn / (1 - f.p)
        values[i] = (w1 @ base) / max(w1.sum(), 1e-12) - (w0 @ base) / max(w0.sum(), 1e-12)
    ratio = values.std(ddof=1) / max(main.error, 1e-300)
    p = float((1 + (np.abs(values) >= abs(main.value)).sum()) / (PLACEBOS + 1))
    bad = not 0.6 < ratio < 1.6
    return Check(
        "placebo",
        "배정을 다시 뽑은 위약",
        "warn" if bad else "ok",
        f"배정을 {PLACEBOS}번 다시 뽑았습니다. 위약의 퍼짐은 보고한 표준오차의 {ratio:.2f}배이고, 위약이 추정값만큼 큰 몫(p값)은 {p:.3f}입니다.",
        p,
        None,
        "B" if bad else None,
    )


def _few_rows(estimates) -> Check:
    """양 끝을 누르면 결론이 바뀌는지."""
    main = next(e for e in estimates if e.primary)
    pressed = next((e for e in estimates if e.method == "winsorised"), None)
    if pressed is None:
        return Check("few_rows", "몇 대상의 힘", "ok", "결과의 양 끝을 누를 것이 없습니다.", 0.0)
    flips = (main.low > 0 and pressed.high < 0) or (main.high < 0 and pressed.low > 0)
    loses = (main.low > 0 or main.high < 0) and pressed.low < 0 < pressed.high
    return Check(
        "few_rows",
        "몇 대상의 힘",
        "warn" if flips or loses else "ok",
        f"결과의 양 끝 {WINSOR:.0%}를 누르면 {common.show(pressed.value)}입니다(누르지 않으면 {common.show(main.value)}).",
        float(pressed.value),
        None,
        "B" if flips or loses else None,
    )


def _bounds(spec, f: Fit, main) -> list[Sensitivity]:
    """결과가 빠진 대상이 있을 때의 Lee 한계. 빠짐이 없으면 효과가 0이 되려면 몇 대상의 결과가 뒤집혀야 하는지."""
    missing = f.everyone[spec.outcome.column].isna().to_numpy()
    if not missing.any():
        needed = abs(main.value) / max(f.y.std(), 1e-12)
        message = f"추정값은 결과의 표준편차의 {needed:.2f}배입니다. 배정이 무작위이므로 숨은 교란 요인의 세기는 묻지 않습니다."
        return [Sensitivity("standardised_effect", "표준화한 효과", float(needed), message)]
    a = (f.everyone[spec.treatment.column] == spec.treatment.treated).to_numpy()
    kept1, kept0 = 1 - missing[a].mean(), 1 - missing[~a].mean()
    low, high = _lee(f.y[f.a], f.y[~f.a], kept1, kept0)
    message = f"빠진 대상의 결과를 가장 나쁘게, 가장 좋게 볼 때의 효과(Lee 한계)는 {common.show(low)}에서 {common.show(high)}입니다."
    return [Sensitivity("lee_bounds", "결과가 빠진 대상의 한계", float(low if main.value > 0 else high), message, {"low": float(low), "high": float(high)})]


def _lee(y1, y0, kept1, kept0) -> tuple[float, float]:
    """남은 몫이 큰 쪽의 끝을 차이만큼 잘라 낸 두 평균 차이."""
    trim = abs(kept1 - kept0) / max(kept1, kept0)
    bigger, other, sign = (np.sort(y1), y0, 1.0) if kept1 >= kept0 else (np.sort(y0), y1, -1.0)
    k = int(np.floor(trim * len(bigger)))
    values = sorted((sign * (bigger[: len(bigger) - k].mean() - other.mean()), sign * (bigger[k:].mean() - other.mean())))
    return values[0], values[1]


def pictures(spec, ident, frame, estimates) -> list[Picture]:
    """추정값과 균형."""
    if spec.treatment.kind == "continuous":
        from causal_pipeline.designs import dose

        return dose.pictures(spec, ident, frame, estimates)
    f = fit(spec, ident, frame)
    found = [common.forest(estimates, spec.outcome.unit)]
    if f.X.shape[1]:
        X = f.X.to_numpy()
        w1, w0 = f.a / f.p, ~f.a / (1 - f.p)
        raw = (X[f.a].mean(axis=0) - X[~f.a].mean(axis=0)) / X.std(axis=0)
        weighted = ((w1 @ X) / w1.sum() - (w0 @ X) / w0.sum()) / X.std(axis=0)
        found.append(
            Picture(
                "balance",
                "배정 앞 변수의 균형",
                "변수마다 두 집단의 표준화 평균 차이. 배정 확률로 가중한 것과 하지 않은 것.",
                {"labels": [str(c) for c in f.X.columns], "before": raw.tolist(), "after": weighted.tolist(), "threshold": 0.1},
            )
        )
    return found


def steps(spec, ident, frame, estimates) -> list[Step]:
    """statsmodels의 회귀 하나로 같은 값을 냅니다."""
    if spec.treatment.kind == "continuous":
        from causal_pipeline.designs import dose

        return dose.steps(spec, ident, frame, estimates)
    f = fit(spec, ident, frame)
    t, y = spec.treatment, spec.outcome.column
    cluster = t.cluster or (spec.panel.unit if spec.panel else None)
    cluster = cluster if f.clusters is not None else None
    p = t.probability
    probability = f"frame[{p!r}].to_numpy(dtype=float)" if isinstance(p, str) else f"np.full(len(y), {'a.mean()' if p is None else float(p)})"
    matrix = models.MATRIX_SOURCE.format(columns=list(ident.adjustment)) if f.X.shape[1] else ""
    error = (
        f"groups = pd.factorize(frame[{cluster!r}], sort=True)[0]\nn_groups = groups.max() + 1\n"
        "def standard_error(psi):\n    sums = np.bincount(groups, weights=psi - psi.mean())\n"
        "    return np.sqrt((sums**2).sum() * n_groups / (n_groups - 1)) / len(psi)\ndf = n_groups - 1"
        if cluster
        else "def standard_error(psi):\n    return psi.std(ddof=1) / np.sqrt(len(psi))\ndf = len(y) - 1"
    )
    found = [
        Step(
            "두 팔만 남기고 결과가 있는 대상을 씁니다.",
            "import numpy as np\nimport pandas as pd\nimport statsmodels.api as sm\nfrom scipy import stats\n\nreproduced = {}\n"
            f"frame = frame[frame[{t.column!r}].isin([{t.control!r}, {t.treated!r}])].dropna(subset=[{y!r}])\n"
            f"y = frame[{y!r}].to_numpy(dtype=float)\na = (frame[{t.column!r}] == {t.treated!r}).to_numpy()\np = {probability}\n{error}",
        ),
        Step(
            "배정 확률로 가중한 평균의 차이입니다. 확률이 모두 같으면 그냥 평균의 차이입니다.",
            "w1, w0 = a / p, ~a / (1 - p)\nm1, m0 = (w1 @ y) / w1.sum(), (w0 @ y) / w0.sum()\n"
            "psi = m1 - m0 + len(y) * (w1 / w1.sum() * (y - m1) - w0 / w0.sum() * (y - m0))\n"
            "half = stats.t.ppf(0.975, df) * standard_error(psi)\n"
            'reproduced["difference"] = {"value": psi.mean(), "low": psi.mean() - half, "high": psi.mean() + half}\nreproduced["difference"]',
        ),
    ]
    if f.X.shape[1]:
        found.append(
            Step(
                "statsmodels로 팔마다 회귀하고, 전체 평균 공변량에서의 예측을 뺍니다(Lin, 2013).",
                f"{matrix}\nX = X - X.mean()\nZ = sm.add_constant(X.to_numpy(), has_constant='add')\n"
                "arms = {1: sm.WLS(y[a], Z[a], weights=1 / p[a]).fit(), 0: sm.WLS(y[~a], Z[~a], weights=1 / (1 - p[~a])).fit()}\n"
                "value = arms[1].params[0] - arms[0].params[0]\n"
                "psi = np.full(len(y), value) + X.to_numpy() @ (arms[1].params[1:] - arms[0].params[1:])\n"
                "for arm, w, sign in ((a, 1 / p, 1), (~a, 1 / (1 - p), -1)):\n"
                "    inverse = np.linalg.inv((Z[arm] * w[arm][:, None]).T @ Z[arm])\n"
                "    factor = np.sqrt(arm.sum() / (arm.sum() - Z.shape[1]))\n"
                "    residual = np.where(arm, y - Z @ arms[int(sign > 0)].params, 0)\n"
                "    psi = psi + sign * len(y) * (Z @ inverse[0]) * w * arm * residual * factor\n"
                "half = stats.t.ppf(0.975, df) * standard_error(psi)\n"
                'reproduced["regression"] = {"value": psi.mean(), "low": psi.mean() - half, "high": psi.mean() + half}\nreproduced["regression"]',
            )
        )
    return found
