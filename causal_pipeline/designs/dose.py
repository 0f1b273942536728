"""연속 처치의 보정 설계: ``control``에서 ``treated``로 올린 효과를 용량 반응 곡선(자연 삼차 스플라인) 위에서 잽니다."""

import inspect
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from causal_pipeline import learners as models
from causal_pipeline.designs import adjustment, common
from causal_pipeline.model import Check, Estimate, Picture, Sensitivity, Step
from causal_pipeline.spec import said
from causal_pipeline.wording import josa

# 곡선은 용량의 가운데 90%에서만 그립니다(견주는 두 용량이 그 밖이면 거기까지). 먼 꼬리의 몇 대상이 곡선을 가운데까지
# 휘게 하기 때문입니다. 용량과 공변량을 알 때의 결과를 맞히는 일이므로, 용량으로 행을 골라도 치우치지 않습니다.
TAIL = 0.05
# 자연 삼차 스플라인의 매듭(그 행들의 분위수). 삼차식 하나는 끝에 맞추느라 가운데의 곡선을 일그러뜨립니다.
KNOTS = (0.02, 0.26, 0.5, 0.74, 0.98)
# 공변량을 알 때의 처치 예측에서 이만한 표준편차 밖이면 그 용량을 받은 비슷한 대상이 거의 없습니다.
FAR = 2.5
FAR_WARN, FAR_FAIL = 0.10, 0.30
# 보정하고 남은 처치의 분산 몫. 이보다 작으면 잡음과 모델의 오차가 추정을 정합니다.
LEFT_WARN, LEFT_FAIL = 0.10, 0.02
PLACEBOS = 200


@dataclass
class Fit:
    """교차 적합의 결과. ``V``는 용량 기저의 잔차(n, 4), ``u``는 결과의 잔차입니다. 행은 ``window`` 안의 것만입니다.

    ``spread``는 자르기 전의 용량(빈칸을 뺀 모든 행)입니다.
    """

    frame: pd.DataFrame
    window: tuple[float, float]
    spread: np.ndarray
    X: pd.DataFrame
    y: np.ndarray
    d: np.ndarray
    knots: np.ndarray
    fold: np.ndarray
    clusters: np.ndarray | None
    V: np.ndarray
    u: np.ndarray
    contrast: np.ndarray
    outcome_choice: models.Choice
    choices: list[models.Choice]
    psi: dict[str, np.ndarray] = field(default_factory=dict)


def basis(d, knots):
    """자연 삼차 스플라인의 기저. 첫 열은 용량 그대로이고 양 끝 매듭 밖에서는 곧습니다."""
    import numpy as np

    d, span = np.asarray(d, dtype=float), knots[-1] - knots[0]

    def cube(j):
        return (np.maximum(d - knots[j], 0) ** 3 - np.maximum(d - knots[-1], 0) ** 3) / (knots[-1] - knots[j])

    last = cube(len(knots) - 2)
    return np.column_stack([d] + [(cube(j) - last) / span**2 for j in range(len(knots) - 2)])


def dose_window(d: np.ndarray, treatment) -> tuple[float, float]:
    """곡선을 그리는 용량의 범위: 가운데 90%와, 견주는 두 용량을 품는 가장 좁은 구간."""
    low, high = np.quantile(d, [TAIL, 1 - TAIL])
    ends = sorted((float(treatment.control), float(treatment.treated)))
    return float(min(low, ends[0])), float(max(high, ends[1]))


def fit(spec, ident, frame) -> Fit:
    """장애모수를 고르고 교차 적합합니다(같은 자료에서는 한 번만)."""
    return common.remember(frame, ("dose", *common.spec_key(spec, ident)), lambda: _fit(spec, ident, frame))


def _fit(spec, ident, frame) -> Fit:
    whole = adjustment.complete_rows(spec, frame)
    spread = whole[spec.treatment.column].to_numpy(dtype=float)
    window = dose_window(spread, spec.treatment)
    rows = whole[(spread >= window[0]) & (spread <= window[1])]
    X = models.design_matrix(rows, ident.adjustment)
    values = X.to_numpy()
    y = rows[spec.outcome.column].to_numpy(dtype=float)
    d = rows[spec.treatment.column].to_numpy(dtype=float)
    clusters = common.cluster_codes(spec, rows)
    fold = models.fold_numbers(d, spec.seed, clusters)
    knots = np.unique(np.quantile(d, KNOTS))
    if len(knots) < 3:
        knots = np.linspace(d.min(), d.max(), 3)
    candidates = models.outcome_learners(values.shape[1], spec.seed)

    def pick(target):
        return models.choose(candidates, values, target, fold, spec.seed) if values.shape[1] else models.Choice(candidates[0])

    B = basis(d, knots)
    choices = [pick(B[:, j]) for j in range(B.shape[1])]
    V = np.column_stack([B[:, j] - models.cross_fit(choices[j].learner, values, B[:, j], fold) for j in range(B.shape[1])])
    outcome_choice = pick(y)
    u = y - models.cross_fit(outcome_choice.learner, values, y, fold)
    contrast = (basis([spec.treatment.treated], knots) - basis([spec.treatment.control], knots))[0]
    return Fit(rows, window, spread, X, y, d, knots, fold, clusters, V, u, contrast, outcome_choice, choices)


def _residual_scores(V, u, contrast) -> np.ndarray:
    """잔차끼리의 회귀에서 ``contrast``만큼의 효과의 점수."""
    gram = V.T @ V / len(u)
    inverse = np.linalg.pinv(gram)
    beta = inverse @ (V.T @ u / len(u))
    return contrast @ beta + (V @ (inverse @ contrast)) * (u - V @ beta)


def check(spec, ident, frame) -> list[Check]:
    """용량의 겹침, 남은 변이, 가중 뒤의 균형, 그래프의 독립."""
    f = fit(spec, ident, frame)
    return [
        *common.missing_check(spec, f.frame, ident.adjustment),
        *([] if spec.treatment.randomized else common.timing_check(spec, ident)),
        *common.cluster_check(spec, f.frame, f.clusters),
        *_support_checks(spec, f),
        *_balance(spec, f),
        *common.graph_checks(spec, ident, f.frame),
    ]


def _support_checks(spec, f: Fit) -> list[Check]:
    low, high = np.quantile(f.spread, [0.025, 0.975])
    outside = [v for v in (spec.treatment.control, spec.treatment.treated) if not low <= v <= high]
    found = [
        Check(
            "dose_range",
            "견주는 용량의 자리",
            "fail" if outside else "ok",
            f"자료의 가운데 95%는 {common.show(low)}~{common.show(high)}입니다."
            + (f" 견주려는 {josa(', '.join(map(str, outside)), '은/는')} 그 밖이라 곡선을 늘여 잰 값입니다." if outside else ""),
            float(len(outside)),
            0.0,
            "C" if outside else None,
        ),
        Check(
            "dose_window",
            "곡선을 그린 용량",
            "ok",
            f"용량이 {common.show(f.window[0])}~{common.show(f.window[1])}인 {len(f.d):,}행으로 곡선을 그렸습니다. 꼬리의 {len(f.spread) - len(f.d):,}행은 추정에 쓰지 않았습니다.",
            float(len(f.spread) - len(f.d)),
        ),
    ]
    if f.X.shape[1] == 0:
        return found
    residual = f.V[:, 0]
    left = float(residual.var() / f.d.var())
    status = "ok" if left >= LEFT_WARN else "warn" if left >= LEFT_FAIL else "fail"
    found.append(
        Check(
            "dose_variation",
            "보정하고 남은 처치의 변이",
            status,
            f"처치의 분산 가운데 공변량이 설명하지 못하는 몫은 {left:.0%}입니다.",
            left,
            LEFT_WARN,
            {"ok": None, "warn": "B", "fail": "C"}[status],
        )
    )
    expected = f.d - residual
    far = max(float((np.abs(v - expected) > FAR * residual.std()).mean()) for v in (spec.treatment.control, spec.treatment.treated))
    status = "ok" if far <= FAR_WARN else "warn" if far <= FAR_FAIL else "fail"
    found.append(
        Check(
            "overlap",
            "용량의 겹침",
            status,
            f"견주려는 용량을 받았을 성싶지 않은(예측에서 {FAR}표준편차 밖) 대상이 {far:.1%}입니다.",
            far,
            FAR_FAIL,
            {"ok": None, "warn": "B", "fail": "C"}[status],
        )
    )
    return found


def _weights(f: Fit) -> np.ndarray:
    """정규분포로 본 안정화 가중치 f(d)/f(d|x). 1%와 99%에서 자릅니다."""
    v = f.V[:, 0]
    z = f.d - f.d.mean()
    log = -0.5 * z**2 / z.var() + 0.5 * v**2 / v.var() + 0.5 * np.log(v.var() / z.var())
    w = np.exp(log)
    return np.clip(w, *np.quantile(w, [0.01, 0.99]))


def _correlations(f: Fit, w) -> np.ndarray:
    X = f.X.to_numpy()
    w = w / w.sum()
    X = X - w @ X
    d = f.d - w @ f.d
    return (w @ (X * d[:, None])) / np.sqrt((w @ X**2) * (w @ d**2))


def _balance(spec, f: Fit) -> list[Check]:
    if f.X.shape[1] == 0:
        return []
    r = np.abs(_correlations(f, _weights(f)))
    worst = int(r.argmax())
    bad = r[worst] > 0.1
    return [
        Check(
            "balance",
            "가중 뒤의 균형",
            "warn" if bad else "ok",
            f"가중한 뒤에 처치와 가장 얽힌 변수는 '{said(spec, f.X.columns[worst])}'(상관 {r[worst]:.2f})입니다.",
            float(r[worst]),
            0.1,
            "B" if r[worst] > 0.25 else None,
        )
    ]


def estimate(spec, ident, frame) -> list[Estimate]:
    """용량 곡선(자연 스플라인)의 DML(주된 추정), 곧은 DML, 선형회귀, 일반화 성향점수 가중, 보정하지 않은 회귀."""
    f = fit(spec, ident, frame)
    delta = float(f.contrast[0])
    f.psi["dose_curve"] = _residual_scores(f.V, f.u, f.contrast)
    f.psi["linear_dml"] = _residual_scores(f.V[:, :1], f.u, np.array([delta]))
    B = basis(f.d, f.knots)
    f.psi["regression"] = _ols_scores(np.column_stack([B, f.X.to_numpy()]), f.y, np.concatenate([f.contrast, np.zeros(f.X.shape[1])]))
    if f.X.shape[1]:
        f.psi["weighting"] = _ols_scores(B, f.y, f.contrast, _weights(f))
    labels = {
        "dose_curve": ("용량 곡선(자연 스플라인)의 DML", "용량의 효과가 대상마다 다르거나 곡선이 매듭 다섯의 스플라인보다 급하게 굽을 때"),
        "linear_dml": ("곧은 용량의 DML", "용량 반응이 곧지 않을 때"),
        "regression": ("선형회귀(용량 스플라인)", "결과가 공변량에 곧게 따르지 않을 때"),
        "weighting": ("일반화 성향점수 가중", "처치의 분포가 정규분포와 다르거나 겹침이 약할 때"),
    }
    out = [
        common.estimate_from(psi, name, *labels[name], f.clusters, name == "dose_curve", "slope" if name == "linear_dml" else ident.estimand)
        for name, psi in f.psi.items()
        if name in labels
    ]
    naive = _ols_scores(B, f.y, f.contrast)
    out.append(common.estimate_from(naive, "naive", "보정하지 않은 회귀", "많이 받은 쪽과 적게 받은 쪽이 처음부터 다를 때", f.clusters))
    return out


def _ols_scores(X, y, contrast, weights=None) -> np.ndarray:
    """(가중) 최소제곱의 ``contrast``의 점수. 절편은 여기서 넣습니다."""
    w = np.ones(len(y)) if weights is None else weights
    Z = np.column_stack([np.ones(len(y)), X])
    c = np.concatenate([[0.0], contrast])
    inverse = np.linalg.pinv((Z * w[:, None]).T @ Z)
    beta = inverse @ (Z.T @ (w * y))
    factor = np.sqrt(len(y) / max(len(y) - Z.shape[1], 1))
    return c @ beta + len(y) * factor * (Z @ (inverse @ c)) * w * (y - Z @ beta)


def stress(spec, ident, frame, estimates) -> tuple[list[Check], list[Sensitivity]]:
    """순열 위약, 반쪽 표본, 음성 대조군, 추정량끼리의 견줌, 숨은 교란 요인의 세기."""
    f = fit(spec, ident, frame)
    if "dose_curve" not in f.psi:
        estimate(spec, ident, frame)
    main = next(e for e in estimates if e.primary)
    errors = {name: common.mean_error(psi - f.psi["dose_curve"], f.clusters) for name, psi in f.psi.items() if name != "dose_curve"}
    checks = [
        common.agreement_check(estimates, errors),
        _placebo(spec, f, main),
        adjustment.halves_check(spec, f.psi["dose_curve"], f.clusters),
        _curvature(f, main),
    ]
    if spec.negative_outcomes or spec.negative_treatments or not spec.treatment.randomized:
        checks.append(common.negative_control_check(spec, _negative_controls(spec, f), main.value / max(f.y.std(), 1e-12)))
    if spec.treatment.randomized or f.X.shape[1] == 0:
        return checks, []
    strength, strength_check = adjustment.robustness_numbers(spec, f.frame, f.X, f.d, f.y, main)
    return [*checks, *strength_check], strength


def _placebo(spec, f: Fit, main) -> Check:
    """공변량으로 설명되지 않는 처치를 대상끼리 섞습니다. 섞으면 효과가 없어야 합니다."""
    rng = np.random.default_rng(spec.seed + 1)
    values = np.array([_residual_scores(f.V[rng.permutation(len(f.u))], f.u, f.contrast).mean() for _ in range(PLACEBOS)])
    centre, ratio = values.mean() / main.error, values.std(ddof=1) / main.error
    p = float((1 + (np.abs(values) >= abs(main.value)).sum()) / (PLACEBOS + 1))
    bad = abs(centre) > 1.0 or not 0.4 < ratio < 2.5
    return Check(
        "placebo",
        "순열 위약",
        "warn" if bad else "ok",
        f"남은 처치를 {PLACEBOS}번 섞었습니다. 위약의 중심은 표준오차의 {centre:+.2f}배, 퍼짐은 {ratio:.2f}배이고, 위약이 추정값만큼 큰 몫(p값)은 {p:.3f}입니다.",
        p,
        None,
        "B" if bad else None,
    )


def _curvature(f: Fit, main) -> Check:
    """곧은 용량과 스플라인 곡선의 차이."""
    difference = f.psi["dose_curve"] - f.psi["linear_dml"]
    z = difference.mean() / max(common.mean_error(difference, f.clusters), 1e-300)
    bent = abs(z) > 3
    return Check(
        "curvature",
        "용량 반응의 굽음",
        "warn" if bent else "ok",
        f"곧은 용량의 추정은 {common.show(f.psi['linear_dml'].mean())}, 스플라인 곡선은 {common.show(main.value)}입니다(차이 z={z:+.1f})."
        + (" 한 단위마다 같은 효과로 읽으면 안 됩니다." if bent else ""),
        abs(float(z)),
        3.0,
    )


def _negative_controls(spec, f: Fit):
    found = []
    values = f.X.to_numpy()
    for name in spec.negative_outcomes:
        y = f.frame[name].to_numpy(dtype=float)
        candidates = models.outcome_learners(values.shape[1], spec.seed)
        choice = models.choose(candidates, values, y, f.fold, spec.seed) if values.shape[1] else models.Choice(candidates[0])
        psi = _residual_scores(f.V[:, :1], y - models.cross_fit(choice.learner, values, y, f.fold), f.contrast[:1])
        found.append((name, float(psi.mean()), common.mean_error(psi, f.clusters), float(y.std())))
    for name in spec.negative_treatments:
        found.append(adjustment.negative_treatment(spec, f.frame, values, f.y, f.fold, f.clusters, name))
    return found


def pictures(spec, ident, frame, estimates) -> list[Picture]:
    """추정값, 용량 반응 곡선, 균형."""
    f = fit(spec, ident, frame)
    grid = np.linspace(*f.window, 25)
    start = basis([spec.treatment.control], f.knots)[0]
    values, lows, highs = [], [], []
    for point in basis(grid, f.knots):
        psi = _residual_scores(f.V, f.u, point - start)
        error = common.mean_error(psi, f.clusters)
        values.append(float(psi.mean()))
        lows.append(float(psi.mean() - 1.96 * error))
        highs.append(float(psi.mean() + 1.96 * error))
    found = [
        common.forest(estimates, spec.outcome.unit),
        Picture(
            "dose",
            f"용량 반응({spec.treatment.control}에 견준 차이)",
            "처치의 양에 따라 결과가 얼마나 달라지는지의 곡선과 점마다의 95% 구간.",
            {
                "dose": grid.tolist(),
                "values": values,
                "lows": lows,
                "highs": highs,
                "x_label": spec.treatment.column,
                "y_label": spec.outcome.label or spec.outcome.column,
            },
        ),
    ]
    if f.X.shape[1]:
        found.append(
            Picture(
                "balance",
                "가중하기 전과 뒤의 균형",
                "변수마다 처치와의 상관을 가중하기 전과 뒤로 찍은 점.",
                {
                    "labels": [str(c) for c in f.X.columns],
                    "before": np.abs(_correlations(f, np.ones(len(f.d)))).tolist(),
                    "after": np.abs(_correlations(f, _weights(f))).tolist(),
                    "threshold": 0.1,
                },
            )
        )
    return found


def steps(spec, ident, frame, estimates) -> list[Step]:
    """scikit-learn과 numpy로 같은 값을, econml로 곧은 용량의 값을 냅니다."""
    f = fit(spec, ident, frame)
    t, y = spec.treatment.column, spec.outcome.column
    cluster = spec.treatment.cluster if f.clusters is not None else None
    sources = [c.learner.source for c in f.choices]
    many = len(np.unique(f.d)) > 12
    if cluster:
        split = f"GroupKFold(5, shuffle=True, random_state={spec.seed}).split(X, None, pd.factorize(frame[{cluster!r}], sort=True)[0])"
    elif many:
        split = f"KFold(5, shuffle=True, random_state={spec.seed}).split(X)"
    else:
        split = f"StratifiedKFold(5, shuffle=True, random_state={spec.seed}).split(X, d)"
    matrix = models.MATRIX_SOURCE.format(columns=list(ident.adjustment)) if f.X.shape[1] else "X = pd.DataFrame(index=frame.index)"
    predict = (
        "def held_out(model, features, target):\n    out = np.zeros(len(target))\n    for k in range(5):\n        train, test = fold != k, fold == k\n"
        + ("        out[test] = model().fit(features[train], target[train]).predict(features[test])" if f.X.shape[1] else "        out[test] = target[train].mean()")
        + "\n    return out"
    )
    error = (
        f"sums = np.bincount(pd.factorize(frame[{cluster!r}], sort=True)[0], weights=psi - psi.mean())\n"
        "error = np.sqrt((sums**2).sum() * len(sums) / (len(sums) - 1)) / len(psi)\ndf = len(sums) - 1"
        if cluster
        else "error = psi.std(ddof=1) / np.sqrt(len(psi))\ndf = len(psi) - 1"
    )
    return [
        adjustment.identification_step(spec, ident),
        Step(
            "공변량을 행렬로 바꾸고 파이프라인과 같은 겹으로 나눕니다.",
            f"{models.IMPORTS}\nfrom scipy import stats\n\nreproduced = {{}}\nframe = frame.dropna(subset=[{t!r}, {y!r}])\n"
            f"frame = frame[frame[{t!r}].between({f.window[0]!r}, {f.window[1]!r})]  # 용량의 가운데 90%와 견주는 두 용량\n{matrix}\nX = X.to_numpy()\n"
            f"y = frame[{y!r}].to_numpy(dtype=float)\nd = frame[{t!r}].to_numpy(dtype=float)\n"
            f"fold = np.zeros(len(y), dtype=int)\nfor k, (_, test) in enumerate({split}):\n    fold[test] = k\n{predict}",
        ),
        Step(
            "용량의 스플라인 기저와 결과에서 공변량으로 예측되는 몫을 빼고, 잔차끼리 회귀합니다.",
            f"{inspect.getsource(basis)}\nknots = np.array({[float(k) for k in f.knots]!r})\n"
            f"models = [{', '.join('lambda: ' + s for s in sources)}]\n"
            "B = basis(d, knots)\nV = np.column_stack([B[:, j] - held_out(models[j], X, B[:, j]) for j in range(B.shape[1])])\n"
            f"u = y - held_out(lambda: {f.outcome_choice.learner.source}, X, y)\n"
            f"contrast = (basis([{spec.treatment.treated!r}], knots) - basis([{spec.treatment.control!r}], knots))[0]\n"
            "inverse = np.linalg.pinv(V.T @ V / len(u))\nbeta = inverse @ (V.T @ u / len(u))\n"
            "psi = contrast @ beta + (V @ (inverse @ contrast)) * (u - V @ beta)\n"
            f"value = psi.mean()\n{error}\nhalf = stats.t.ppf(0.975, df) * error\n"
            'reproduced["dose_curve"] = {"value": value, "low": value - half, "high": value + half}\nreproduced["dose_curve"]',
        ),
        Step(
            "econml의 LinearDML로 곧은 용량의 효과를 잽니다. 겹이 달라 값이 똑같지는 않고 오차 안에서 맞습니다.",
            "from econml.dml import LinearDML\n\n"
            + (
                f"learner = LinearDML(model_y={f.outcome_choice.learner.source}, model_t={f.choices[0].learner.source}, cv=5, random_state={spec.seed})\n"
                f"learner.fit(y, d, X=None, W=X)\nlearner.effect_interval(T0={spec.treatment.control!r}, T1={spec.treatment.treated!r})"
                if f.X.shape[1]
                else "print('보정할 변수가 없습니다.')"
            ),
        ),
    ]
