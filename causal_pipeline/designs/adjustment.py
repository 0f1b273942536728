"""보정 설계: 잰 교란 요인이 같은 대상끼리 견줍니다. 연속 처치는 ``dose`` 모듈이 맡습니다."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from causal_pipeline import learners as models
from causal_pipeline.designs import common
from causal_pipeline.model import Check, Estimate, Picture, Sensitivity, Step
from causal_pipeline.spec import said
from causal_pipeline.wording import josa

# 성향점수를 자르는 자리. 한 대상의 가중치가 100을 넘지 않습니다.
CLIP = 0.01
# 성향점수가 이보다 0이나 1에 가까우면 견줄 짝이 거의 없습니다(한 대상이 50개 몫을 합니다).
EXTREME = 0.02
# 그런 대상의 몫. 넘으면 그 대상들의 효과는 자료가 아니라 모델이 채운 것입니다.
EXTREME_WARN, EXTREME_FAIL = 0.02, 0.10
# 가중 뒤의 유효표본 몫과, 표준화 평균 차이의 관례적인 한계.
EFFECTIVE_WARN, EFFECTIVE_FAIL = 0.30, 0.10
BALANCE_WARN, BALANCE_FAIL = 0.10, 0.25
PLACEBOS, BLOCK = 200, 40
TRIMS = (0.02, 0.05, 0.10)


@dataclass
class Fit:
    """교차 적합의 결과. 배열의 길이는 모두 결과와 처치가 있는 행의 수입니다.

    ``a``는 처치 수준, ``b``는 견줄 수준인 행, ``e1``, ``e0``은 그 수준을 받을 확률입니다.
    """

    frame: pd.DataFrame
    X: pd.DataFrame
    y: np.ndarray
    a: np.ndarray
    b: np.ndarray
    fold: np.ndarray
    clusters: np.ndarray | None
    e1: np.ndarray
    e0: np.ndarray
    mu1: np.ndarray
    mu0: np.ndarray
    outcome_choice: models.Choice
    propensity_choice: models.Choice
    att: bool
    psi: dict[str, np.ndarray] = field(default_factory=dict)


def complete_rows(spec, frame) -> pd.DataFrame:
    """결과와 처치가 있는 행."""
    return frame.dropna(subset=[spec.treatment.column, spec.outcome.column])


def fit(spec, ident, frame) -> Fit:
    """장애모수를 고르고 교차 적합합니다(같은 자료에서는 한 번만)."""
    return common.remember(frame, ("adjustment", *common.spec_key(spec, ident)), lambda: _fit(spec, ident, frame))


def _fit(spec, ident, frame) -> Fit:
    rows = complete_rows(spec, frame)
    X = models.design_matrix(rows, ident.adjustment)
    values = X.to_numpy()
    y = rows[spec.outcome.column].to_numpy(dtype=float)
    levels = np.array(sorted(rows[spec.treatment.column].unique(), key=lambda v: (str(type(v)), v)), dtype=object)
    code = pd.Categorical(rows[spec.treatment.column], categories=list(levels)).codes.astype(int)
    one, zero = (int(np.flatnonzero(levels == v)[0]) for v in (spec.treatment.treated, spec.treatment.control))
    clusters = common.cluster_codes(spec, rows)
    fold = models.fold_numbers(code, spec.seed, clusters)
    e1, e0, propensity_choice = _propensities(spec, values, code, one, zero, fold)
    a, b = code == one, code == zero
    mu1, mu0, outcome_choice = _outcomes(spec, values, y, a, b, fold)
    return Fit(rows, X, y, a, b, fold, clusters, e1, e0, mu1, mu0, outcome_choice, propensity_choice, ident.estimand == "ATT")


def _propensities(spec, values, code, one, zero, fold):
    candidates = models.propensity_learners(values.shape[1], spec.seed)
    if values.shape[1] == 0:
        choice = models.Choice(candidates[0], {})
    else:
        choice = models.choose(candidates, values, code, fold, spec.seed, classify=True)
    p = models.cross_fit(choice.learner, values, code, fold, classify=True)
    return p[:, one], p[:, zero], choice


def _outcomes(spec, values, y, a, b, fold):
    """두 팔의 결과 모델. 후보는 두 팔의 손실을 더해 한 번에 고릅니다."""
    candidates = models.outcome_learners(values.shape[1], spec.seed)
    if values.shape[1] == 0:
        choice = models.Choice(candidates[0], {})
    else:
        total = {c.name: 0.0 for c in candidates}
        for arm in (a, b):
            part = models.choose(candidates, values[arm], y[arm], fold[arm], spec.seed)
            for name, loss in part.losses.items():
                total[name] += loss
        choice = models.Choice(min(candidates, key=lambda c: total[c.name]), total)
    mu1 = models.cross_fit(choice.learner, values, y, fold, only=a)
    mu0 = models.cross_fit(choice.learner, values, y, fold, only=b)
    return mu1, mu0, choice


def scores(y, a, b, e1, e0, mu1, mu0, att) -> np.ndarray:
    """AIPW의 점수. 평균이 추정값입니다."""
    e0 = np.clip(e0, CLIP, 1)
    if att:
        # 나누는 것은 e0뿐입니다. 드문 처치에서 e1까지 자르면 닮지 않은 대조군의 무게가 부풀어 오릅니다.
        share = a.mean()
        psi = (a * (y - mu0) - b * e1 / e0 * (y - mu0)) / share
        return psi - (a / share - 1) * psi.mean()
    e1 = np.clip(e1, CLIP, 1)
    return mu1 - mu0 + a / e1 * (y - mu1) - b / e0 * (y - mu0)


def _weights(f: Fit):
    """두 팔의 역확률 가중치(팔 안에서 합이 1)."""
    e0 = np.clip(f.e0, CLIP, 1)
    w1 = f.a.astype(float) if f.att else f.a / np.clip(f.e1, CLIP, 1)
    w0 = f.b * f.e1 / e0 if f.att else f.b / e0
    return w1 / w1.sum(), w0 / w0.sum()


def pseudo_outcomes(spec, ident, frame):
    """대상마다의 AIPW 점수. 이질성의 시험과 정책의 값이 씁니다.

    Returns
    -------
    tuple or None
        (행, 점수, 군집 번호, 겹 번호). 연속 처치이거나 추정 대상이 ATT이면 None.
    """
    if spec.treatment.kind == "continuous" or ident.estimand == "ATT":
        return None
    f = fit(spec, ident, frame)
    return f.frame, scores(f.y, f.a, f.b, f.e1, f.e0, f.mu1, f.mu0, False), f.clusters, f.fold


# --- 점검 ---


def check(spec, ident, frame) -> list[Check]:
    """겹침, 균형, 유효표본, 성향점수의 보정, 그래프의 독립을 봅니다."""
    if spec.treatment.kind == "continuous":
        from causal_pipeline.designs import dose

        return dose.check(spec, ident, frame)
    f = fit(spec, ident, frame)
    return [
        *common.missing_check(spec, f.frame, ident.adjustment),
        *common.timing_check(spec, ident),
        *common.cluster_check(spec, f.frame, f.clusters),
        *_overlap_checks(f),
        *_balance_check(spec, f),
        *common.graph_checks(spec, ident, f.frame),
    ]


def _overlap_checks(f: Fit) -> list[Check]:
    if f.X.shape[1] == 0:
        return []
    if f.att:
        extreme = float((f.e0[f.a] < EXTREME).mean())
    else:
        extreme = float((np.minimum(f.e1, f.e0) < EXTREME).mean())
    status = "ok" if extreme <= EXTREME_WARN else "warn" if extreme <= EXTREME_FAIL else "fail"
    found = [
        Check(
            "overlap",
            "성향점수의 겹침",
            status,
            f"견줄 짝이 거의 없는(한쪽을 받을 확률이 {EXTREME:.0%} 밑인) 대상이 {extreme:.1%}입니다."
            + ("" if status == "ok" else " 이 대상들의 효과는 자료가 아니라 모델이 채운 것입니다."),
            extreme,
            EXTREME_FAIL,
            {"ok": None, "warn": "B", "fail": "C"}[status],
        )
    ]
    w1, w0 = _weights(f)
    effective = [1 / (w**2).sum() for w in (w1, w0)]
    # ATT에서는 대조군이 아무리 많아도 실험군만큼만 쓰이므로, 실험군의 수에 견줍니다.
    ratio = effective[1] / min(f.a.sum(), f.b.sum()) if f.att else min(effective[0] / f.a.sum(), effective[1] / f.b.sum())
    smallest = min(effective)
    status = "ok" if ratio >= EFFECTIVE_WARN and smallest >= 50 else "warn" if ratio >= EFFECTIVE_FAIL and smallest >= 20 else "fail"
    found.append(
        Check(
            "effective_sample",
            "유효표본",
            status,
            f"가중한 뒤의 유효표본은 실험군 {effective[0]:,.0f}개(전체 {int(f.a.sum()):,}개), 대조군 {effective[1]:,.0f}개(전체 {int(f.b.sum()):,}개)입니다.",
            float(ratio),
            EFFECTIVE_WARN,
            {"ok": None, "warn": "B", "fail": "C"}[status],
        )
    )
    return found


def _standardised(f: Fit, w1, w0) -> np.ndarray:
    X = f.X.to_numpy()
    spread = np.sqrt((X[f.a].var(axis=0) + X[f.b].var(axis=0)) / 2)
    spread[spread == 0] = 1.0
    return (w1 @ X - w0 @ X) / spread


def _balance_check(spec, f: Fit) -> list[Check]:
    if f.X.shape[1] == 0:
        return []
    gaps = np.abs(_standardised(f, *_weights(f)))
    worst = int(gaps.argmax())
    status = "ok" if gaps[worst] <= BALANCE_WARN else "warn" if gaps[worst] <= BALANCE_FAIL else "fail"
    return [
        Check(
            "balance",
            "가중 뒤의 균형",
            status,
            f"가중한 뒤에도 가장 크게 다른 변수는 '{said(spec, f.X.columns[worst])}'(표준화 평균 차이 {gaps[worst]:.2f})입니다.",
            float(gaps[worst]),
            BALANCE_WARN,
            {"ok": None, "warn": "B", "fail": "C"}[status],
        )
    ]


# --- 추정 ---


def estimate(spec, ident, frame) -> list[Estimate]:
    """AIPW(주된 추정), 역확률 가중, 곧은 회귀, 겹침 가중, 그리고 견줌을 위한 단순 비교."""
    if spec.treatment.kind == "continuous":
        from causal_pipeline.designs import dose

        return dose.estimate(spec, ident, frame)
    f = fit(spec, ident, frame)
    f.psi["aipw"] = scores(f.y, f.a, f.b, f.e1, f.e0, f.mu1, f.mu0, f.att)
    f.psi["ipw"] = _ipw_scores(f)
    f.psi["regression"] = _regression_scores(f)
    out = [
        common.estimate_from(
            f.psi["aipw"], "aipw", "AIPW(교차 적합)", "성향점수와 결과 모델이 함께 틀릴 때", f.clusters, True, ident.estimand
        ),
        common.estimate_from(f.psi["ipw"], "ipw", "역확률 가중(정규화)", "성향점수 모델이 틀렸거나 겹침이 약할 때", f.clusters, False, ident.estimand),
        common.estimate_from(
            f.psi["regression"], "regression", "교호작용을 넣은 선형회귀", "결과가 공변량에 곧게 따르지 않을 때", f.clusters, False, ident.estimand
        ),
    ]
    if f.X.shape[1]:
        f.psi["overlap_weighted"] = _partially_linear_scores(f)
        out.append(
            common.estimate_from(
                f.psi["overlap_weighted"],
                "overlap_weighted",
                "부분선형 DML(겹침 가중)",
                "효과가 대상마다 다를 때(겹치는 대상에 무게가 실립니다)",
                f.clusters,
                False,
                "ATO",
            )
        )
    naive = _mean_difference_scores(f)
    out.append(common.estimate_from(naive, "naive", "보정하지 않은 차이", "처치를 받은 쪽과 받지 않은 쪽이 처음부터 다를 때", f.clusters))
    return out


def _mean_difference_scores(f: Fit) -> np.ndarray:
    m1, m0 = f.y[f.a].mean(), f.y[f.b].mean()
    return m1 - m0 + f.a / f.a.mean() * (f.y - m1) - f.b / f.b.mean() * (f.y - m0)


def _ipw_scores(f: Fit) -> np.ndarray:
    w1, w0 = _weights(f)
    n = len(f.y)
    m1, m0 = w1 @ f.y, w0 @ f.y
    return m1 - m0 + n * (w1 * (f.y - m1) - w0 * (f.y - m0))


def _regression_scores(f: Fit) -> np.ndarray:
    """팔마다 선형회귀를 맞추고 목표 집단의 평균 공변량에서 뺀 것. 공변량 평균의 흔들림까지 셉니다."""
    target = f.a / f.a.mean() if f.att else np.ones(len(f.y))
    X = f.X.to_numpy()
    centre = (target @ X) / len(f.y)
    Z = np.column_stack([np.ones(len(f.y)), X - centre])
    value, psi, slopes = 0.0, np.zeros(len(f.y)), []
    for arm, sign in ((f.a, 1.0), (f.b, -1.0)):
        bread = np.linalg.pinv(Z[arm].T @ Z[arm])
        beta = bread @ (Z[arm].T @ f.y[arm])
        residual = np.where(arm, f.y - Z @ beta, 0.0)
        k = Z.shape[1]
        psi += sign * len(f.y) * (Z @ bread[0]) * residual * np.sqrt(arm.sum() / max(arm.sum() - k, 1))
        value += sign * beta[0]
        slopes.append(beta[1:])
    psi += target * ((X - centre) @ (slopes[0] - slopes[1]))
    return value + psi


def _partially_linear_scores(f: Fit) -> np.ndarray:
    """두 수준만 남긴 잔차끼리의 회귀. 평균이 계수입니다."""
    keep = f.a | f.b
    e = np.clip(f.e1 / np.maximum(f.e1 + f.e0, 1e-12), 0, 1)
    m = e * f.mu1 + (1 - e) * f.mu0
    v = np.where(keep, f.a - e, 0.0)
    u = np.where(keep, f.y - m, 0.0)
    value = (v @ u) / (v @ v)
    return value + (v * (u - value * v)) / (v @ v) * len(f.y)


# --- 흔들어 보기 ---


def stress(spec, ident, frame, estimates) -> tuple[list[Check], list[Sensitivity]]:
    """순열 위약, 반쪽 표본, 음성 대조군, 자르기, 추정량끼리의 견줌, 숨은 교란 요인의 세기."""
    if spec.treatment.kind == "continuous":
        from causal_pipeline.designs import dose

        return dose.stress(spec, ident, frame, estimates)
    f = fit(spec, ident, frame)
    if "aipw" not in f.psi:
        estimate(spec, ident, frame)
    main = next(e for e in estimates if e.primary)
    errors = {name: common.mean_error(psi - f.psi["aipw"], f.clusters) for name, psi in f.psi.items() if name != "aipw"}
    trim_check, trim_numbers = _trimming(f, main)
    checks = [
        common.agreement_check(estimates, errors),
        _placebo_check(spec, f, main),
        halves_check(spec, f.psi["aipw"], f.clusters),
        trim_check,
        common.negative_control_check(spec, negative_controls(spec, ident, f), main.value / max(f.y.std(), 1e-12)),
    ]
    strength, strength_check = robustness(spec, f, main)
    return [*checks, *strength_check], [*strength, trim_numbers]


def _placebo_check(spec, f: Fit, main) -> Check:
    """성향점수가 비슷한 대상끼리 처치를 섞어 같은 추정을 되풀이합니다.

    결과에서 자기 팔의 예측을 빼면 효과가 남지 않으므로, 섞은 추정값은 0 둘레여야 하고 퍼진 정도는 보고한 표준오차만 해야
    합니다. 성향점수의 잘못과 결과 모델의 잘못이 같은 대상에게 겹치면 중심이, 표준오차를 잘못 셌으면 퍼짐이 어긋납니다.
    """
    rng = np.random.default_rng(spec.seed + 1)
    rows = np.flatnonzero(f.a | f.b)
    e = np.clip(f.e1 / np.maximum(f.e1 + f.e0, 1e-12), 0.0 if f.att else CLIP, 1 - CLIP)[rows]
    residual = np.where(f.a, f.y - f.mu1, f.y - f.mu0)[rows]
    order = np.argsort(e, kind="stable")
    blocks = np.arange(len(rows)) // BLOCK
    treated = f.a[rows][order].astype(float)
    residual, e = residual[order], e[order]
    clusters = None if f.clusters is None else f.clusters[rows][order]
    values = np.empty(PLACEBOS)
    share = treated.mean()
    for i in range(PLACEBOS):
        shuffled = _shuffle(rng, treated, blocks, clusters)
        if f.att:
            psi = (shuffled - (1 - shuffled) * e / (1 - e)) * residual / share
        else:
            psi = (shuffled / e - (1 - shuffled) / (1 - e)) * residual
        values[i] = psi.mean()
    spread = values.std(ddof=1)
    centre_z = values.mean() / max(main.error, 1e-300)
    p = float((1 + (np.abs(values - values.mean()) >= abs(main.value)).sum()) / (PLACEBOS + 1))
    ratio = spread / max(main.error, 1e-300)
    bad = abs(centre_z) > 1.0 or not 0.5 < ratio < 2.0
    return Check(
        "placebo",
        "순열 위약",
        "warn" if bad else "ok",
        f"성향점수가 비슷한 대상끼리 처치를 {PLACEBOS}번 섞었습니다. 위약의 중심은 표준오차의 {centre_z:+.2f}배, 퍼짐은 {ratio:.2f}배이고, "
        f"위약이 추정값만큼 큰 몫(p값)은 {p:.3f}입니다.",
        p,
        None,
        "B" if bad else None,
    )


def _shuffle(rng, treated, blocks, clusters):
    """묶음 안에서 처치를 섞습니다. 군집으로 배정했으면 군집째 섞습니다."""
    if clusters is None:
        keys = rng.random(len(treated))
        order = np.lexsort((keys, blocks))
        out = np.empty_like(treated)
        out[np.argsort(blocks, kind="stable")] = treated[order]
        return out
    count = clusters.max() + 1
    first = np.zeros(count)
    first[clusters] = treated
    present = np.unique(clusters)
    shuffled = first.copy()
    shuffled[present] = rng.permutation(first[present])
    return shuffled[clusters]


def halves_check(spec, psi, clusters) -> Check:
    """표본을 아무렇게나 둘로 갈라 견줍니다."""
    rng = np.random.default_rng(spec.seed + 2)
    units = np.arange(len(psi)) if clusters is None else clusters
    side = rng.permutation(np.arange(units.max() + 1) % 2)[units].astype(bool)
    halves = []
    for mask in (side, ~side):
        part = None if clusters is None else np.unique(clusters[mask], return_inverse=True)[1]
        halves.append((psi[mask].mean(), common.mean_error(psi[mask], part)))
    z = (halves[0][0] - halves[1][0]) / max(np.hypot(halves[0][1], halves[1][1]), 1e-300)
    bad = abs(z) > 3
    return Check(
        "halves",
        "반쪽 표본",
        "warn" if bad else "ok",
        f"아무렇게나 가른 두 반쪽의 추정값은 {josa(common.show(halves[0][0]), '과/와')} {common.show(halves[1][0])}입니다(차이 z={z:+.1f}).",
        abs(float(z)),
        3.0,
        "B" if bad else None,
    )


def _trimming(f: Fit, main) -> tuple[Check, Sensitivity]:
    """성향점수가 극단인 대상을 뺄 때 추정값이 얼마나 움직이는지."""
    numbers, moved = {}, 0.0
    for cut in TRIMS:
        keep = (f.e0 >= cut) if f.att else (np.minimum(f.e1, f.e0) >= cut)
        if (f.a & keep).sum() < 20 or (f.b & keep).sum() < 20:
            continue
        psi = scores(f.y[keep], f.a[keep], f.b[keep], f.e1[keep], f.e0[keep], f.mu1[keep], f.mu0[keep], f.att)
        value = float(psi.mean())
        numbers[f"{cut:.2f}"] = value
        moved = max(moved, abs(value - main.value) / max(main.error, 1e-300))
    signs = {np.sign(v) for v in numbers.values()} | {np.sign(main.value)}
    significant = main.low > 0 or main.high < 0
    bad = moved > 2.0 or (significant and len(signs) > 1)
    text = ", ".join(f"{k} 밑을 빼면 {common.show(v)}" for k, v in numbers.items()) or "뺄 만큼 남지 않습니다"
    message = f"성향점수가 {text}. 가장 크게 움직인 것은 표준오차의 {moved:.1f}배입니다."
    return (
        Check("trimming", "자르기", "warn" if bad else "ok", message, moved, 2.0, "B" if bad else None),
        Sensitivity("trimming", "자르기에 따른 움직임(표준오차의 배수)", moved, message, numbers),
    )


def negative_controls(spec, ident, f: Fit) -> list[tuple[str, float, float, float]]:
    """음성 대조군마다 (이름, 추정값, 표준오차, 표준편차)."""
    found = []
    for name in spec.negative_outcomes:
        y = f.frame[name].to_numpy(dtype=float)
        keep = np.isfinite(y)
        X = f.X.to_numpy()[keep]
        a, b, fold = f.a[keep], f.b[keep], f.fold[keep]
        mu1, mu0, _ = _outcomes(spec, X, y[keep], a, b, fold)
        psi = scores(y[keep], a, b, f.e1[keep], f.e0[keep], mu1, mu0, f.att)
        clusters = None if f.clusters is None else f.clusters[keep]
        found.append((name, float(psi.mean()), common.mean_error(psi, clusters), float(y[keep].std())))
    for name in spec.negative_treatments:
        found.append(negative_treatment(spec, f.frame, f.X.to_numpy(), f.y, f.fold, f.clusters, name))
    return found


def negative_treatment(spec, frame, X, y, fold, clusters, name):
    """효과가 없어야 할 처치를 1 표준편차 올린 효과(부분선형)."""
    d = common.numeric(frame, name)
    keep = np.isfinite(d)
    d = (d[keep] - d[keep].mean()) / max(d[keep].std(), 1e-12)
    clusters = None if clusters is None else np.unique(clusters[keep], return_inverse=True)[1]
    parts = []
    for target in (y[keep], d):
        candidates = models.outcome_learners(X.shape[1], spec.seed)
        choice = models.choose(candidates, X[keep], target, fold[keep], spec.seed) if X.shape[1] else models.Choice(candidates[0])
        parts.append(target - models.cross_fit(choice.learner, X[keep], target, fold[keep]))
    u, v = parts
    value = (v @ u) / (v @ v)
    psi = value + v * (u - value * v) / (v @ v) * len(u)
    return name, float(value), common.mean_error(psi, clusters), float(y[keep].std())


# --- 숨은 교란 요인 ---


def robustness_value(t: float, df: int) -> float:
    """추정값을 0으로 만들려면 숨은 변수가 처치와 결과의 남은 분산을 몇 몫씩 설명해야 하는지(Cinelli와 Hazlett, 2020)."""
    f2 = t * t / df
    return float((np.sqrt(f2 * f2 + 4 * f2) - f2) / 2)


def partial_r2(y: np.ndarray, X: np.ndarray, columns) -> float:
    """``X``의 ``columns``가 나머지를 알 때 더 설명하는 몫."""
    full = y - X @ np.linalg.lstsq(X, y, rcond=None)[0]
    rest = np.delete(X, columns, axis=1)
    part = y - rest @ np.linalg.lstsq(rest, y, rcond=None)[0]
    return float(max(0.0, 1 - (full @ full) / max(part @ part, 1e-300)))


def robustness(spec, f: Fit, main) -> tuple[list[Sensitivity], list[Check]]:
    """숨은 교란 요인이 얼마나 세어야 하는지를 잰 변수들과 같은 자로 적습니다."""
    keep = f.a | f.b
    return robustness_numbers(spec, f.frame[keep], f.X[keep], f.a[keep].astype(float), f.y[keep], main)


def robustness_numbers(spec, frame, X: pd.DataFrame, d: np.ndarray, y: np.ndarray, main):
    """추정값의 t값에서 견고값을, 잰 변수마다 같은 자의 세기를 냅니다.

    숨은 변수가 처치의 남은 분산을 r_D, 결과의 남은 분산을 r_Y만큼 설명하면 치우침은 √(r_Y·r_D/(1−r_D))에 비례합니다.
    잰 변수의 (r_D, r_Y)를 이 곱이 같은 하나의 몫(r_D = r_Y = r)으로 바꾸어 견고값과 견줍니다.
    """
    ones = np.ones((len(y), 1))
    Z = np.hstack([ones, X.to_numpy()])
    df = max(len(y) - Z.shape[1] - 1, 1)
    value = robustness_value(main.value / max(main.error, 1e-300), df)
    beyond = max(0.0, abs(main.value) - 1.96 * main.error)
    for_interval = robustness_value(beyond / max(main.error, 1e-300), df)
    groups = {}
    for j, name in enumerate(X.columns):
        base = next((c for c in frame.columns if name == c), None) or next((c for c in frame.columns if str(name).startswith(f"{c}_")), name)
        groups.setdefault(str(base), []).append(j)
    benchmarks = {}
    for name, columns in groups.items():
        at = [c + 1 for c in columns]
        rd = min(partial_r2(d, Z, at), 0.999)
        ry = partial_r2(y, np.column_stack([Z, d]), at)
        b2 = ry * rd / (1 - rd)
        benchmarks[name] = float((np.sqrt(b2 * b2 + 4 * b2) - b2) / 2)
    strongest = max(benchmarks, key=benchmarks.get) if benchmarks else None
    message = (
        f"재지 못한 교란 요인이 처치와 결과의 남은 분산을 저마다 {value:.1%}씩 설명하면 추정값이 0이 되고, "
        f"{for_interval:.1%}씩이면 95% 구간이 0을 품습니다."
    )
    if strongest:
        message += f" 잰 변수 가운데 가장 센 {josa(spec.label(strongest), '은/는')} 같은 자로 {benchmarks[strongest]:.1%}입니다."
    checks = []
    if strongest and beyond > 0:
        weak = for_interval < benchmarks[strongest]
        checks.append(
            Check(
                "robustness",
                "숨은 교란 요인의 세기",
                "warn" if weak else "ok",
                message,
                for_interval,
                benchmarks[strongest],
                "B" if weak else None,
            )
        )
    return [Sensitivity("robustness_value", "견고값", value, message, benchmarks)], checks


# --- 그림과 재현 ---


def pictures(spec, ident, frame, estimates) -> list[Picture]:
    """추정값, 성향점수의 분포, 균형."""
    if spec.treatment.kind == "continuous":
        from causal_pipeline.designs import dose

        return dose.pictures(spec, ident, frame, estimates)
    f = fit(spec, ident, frame)
    found = [common.forest(estimates, spec.outcome.unit)]
    if f.X.shape[1] == 0:
        return found
    edges = np.linspace(0, 1, 31)
    e = f.e1 / np.maximum(f.e1 + f.e0, 1e-12)
    found.append(
        Picture(
            "overlap",
            "성향점수의 분포",
            "실험군과 대조군의 성향점수 막대그림. 겹치지 않는 구간의 대상은 견줄 짝이 없습니다.",
            {
                "edges": edges.tolist(),
                "treated": np.histogram(e[f.a], edges)[0].astype(float).tolist(),
                "control": np.histogram(e[f.b], edges)[0].astype(float).tolist(),
            },
        )
    )
    n1, n0 = f.a / f.a.sum(), f.b / f.b.sum()
    found.append(
        Picture(
            "balance",
            "가중하기 전과 뒤의 균형",
            "변수마다 두 집단의 표준화 평균 차이를 가중하기 전과 뒤로 찍은 점.",
            {
                "labels": [str(c) for c in f.X.columns],
                "before": _standardised(f, n1, n0).tolist(),
                "after": _standardised(f, *_weights(f)).tolist(),
                "threshold": BALANCE_WARN,
            },
        )
    )
    return found


def steps(spec, ident, frame, estimates) -> list[Step]:
    """scikit-learn과 econml, dowhy만으로 같은 값을 내는 코드."""
    if spec.treatment.kind == "continuous":
        from causal_pipeline.designs import dose

        return dose.steps(spec, ident, frame, estimates)
    f = fit(spec, ident, frame)
    t, y = spec.treatment.column, spec.outcome.column
    found = [identification_step(spec, ident)]
    binary = len(pd.unique(f.frame[t])) == 2
    cluster = spec.treatment.cluster if f.clusters is not None else None
    split = (
        f"GroupKFold(5, shuffle=True, random_state={spec.seed}).split(X, code, pd.factorize(rows[{cluster!r}], sort=True)[0])"
        if cluster
        else f"StratifiedKFold(5, shuffle=True, random_state={spec.seed}).split(X, code)"
    )
    found.append(
        Step(
            "결과와 처치가 있는 행만 두고, 범주는 가변수로 바꿉니다. 파이프라인과 같은 겹으로 나눕니다.",
            f"{models.IMPORTS}\nfrom scipy import stats\n\nreproduced = {{}}\n"
            f"frame_all = frame\nframe = frame.dropna(subset=[{t!r}, {y!r}])\nrows = frame\n"
            + (models.MATRIX_SOURCE.format(columns=list(ident.adjustment)) if f.X.shape[1] else "X = pd.DataFrame(index=frame.index)")
            + f"\nX = X.to_numpy()\ny = rows[{y!r}].to_numpy(dtype=float)\n"
            f"levels = sorted(rows[{t!r}].unique(), key=lambda v: (str(type(v)), v))\n"
            f"code = pd.Categorical(rows[{t!r}], categories=levels).codes.astype(int)\n"
            f"a, b = rows[{t!r}].to_numpy() == {spec.treatment.treated!r}, rows[{t!r}].to_numpy() == {spec.treatment.control!r}\n"
            f"fold = np.zeros(len(y), dtype=int)\nfor k, (_, test) in enumerate({split}):\n    fold[test] = k",
        )
    )
    fit_code = (
        f"e = np.zeros((len(y), len(levels)))\nmu1, mu0 = np.zeros(len(y)), np.zeros(len(y))\n"
        f"for k in range(5):\n    train, test = fold != k, fold == k\n"
        f"    e[test] = {f.propensity_choice.learner.source}.fit(X[train], code[train]).predict_proba(X[test])\n"
        f"    mu1[test] = {f.outcome_choice.learner.source}.fit(X[train & a], y[train & a]).predict(X[test])\n"
        f"    mu0[test] = {f.outcome_choice.learner.source}.fit(X[train & b], y[train & b]).predict(X[test])\n"
        if f.X.shape[1]
        else "e = np.zeros((len(y), len(levels)))\nmu1, mu0 = np.zeros(len(y)), np.zeros(len(y))\n"
        "for k in range(5):\n    train, test = fold != k, fold == k\n"
        "    e[test] = [(code[train] == j).mean() for j in range(len(levels))]\n"
        "    mu1[test], mu0[test] = y[train & a].mean(), y[train & b].mean()\n"
    )
    found.append(
        Step(
            f"겹 밖 손실이 가장 작았던 모델(성향점수: {f.propensity_choice.learner.label}, 결과: {f.outcome_choice.learner.label})로 교차 적합합니다.",
            fit_code + f"e1 = np.clip(e[:, levels.index({spec.treatment.treated!r})], {0.0 if f.att else CLIP}, 1)\n"
            f"e0 = np.clip(e[:, levels.index({spec.treatment.control!r})], {CLIP}, 1)",
        )
    )
    formula = (
        "psi = (a * (y - mu0) - b * e1 / e0 * (y - mu0)) / a.mean()\npsi = psi - (a / a.mean() - 1) * psi.mean()"
        if f.att
        else "psi = mu1 - mu0 + a / e1 * (y - mu1) - b / e0 * (y - mu0)"
    )
    error = (
        f"groups = pd.factorize(rows[{cluster!r}], sort=True)[0]\nsums = np.bincount(groups, weights=psi - psi.mean())\n"
        "error = np.sqrt((sums**2).sum() * len(sums) / (len(sums) - 1)) / len(psi)\ndf = len(sums) - 1"
        if cluster
        else "error = psi.std(ddof=1) / np.sqrt(len(psi))\ndf = len(psi) - 1"
    )
    found.append(
        Step(
            "AIPW의 점수를 만들고 평균과 표준오차를 냅니다.",
            f"{formula}\nvalue = psi.mean()\n{error}\nhalf = stats.t.ppf(0.975, df) * error\n"
            'reproduced["aipw"] = {"value": value, "low": value - half, "high": value + half}\nreproduced["aipw"]',
        )
    )
    if binary and f.X.shape[1]:
        found.append(
            Step(
                "econml의 DR 학습기로 같은 것을 잽니다. 겹과 다듬는 법이 달라 값이 똑같지는 않고 오차 안에서 맞습니다.",
                "from econml.dr import LinearDRLearner\n\n"
                f"learner = LinearDRLearner(model_propensity={f.propensity_choice.learner.source}, model_regression={_regression_source(f)}, "
                f"cv=5, random_state={spec.seed})\n"
                "learner.fit(y, a.astype(int), X=None, W=X)\nprint(learner.intercept_(1), learner.intercept__interval(1))",
            )
        )
    return found


def _regression_source(f: Fit) -> str:
    return f.outcome_choice.learner.source


def identification_step(spec, ident) -> Step:
    """DoWhy로 식별을 되풀이하는 단계."""
    from causal_pipeline.identify import causal_graph

    edges = sorted(causal_graph(spec).edges)
    return Step(
        "DoWhy로 그래프에서 보정할 변수를 찾습니다. 파이프라인은 유효한 집합 가운데 결과의 분산을 가장 줄이는 것을 씁니다.",
        "import networkx as nx\nfrom dowhy.causal_identifier import EstimandType, identify_effect_auto\n\n"
        f"graph = nx.DiGraph({edges!r})\n"
        f"observed = [n for n in graph if n not in {list(spec.hidden)!r}]\n"
        f"estimand = identify_effect_auto(graph, [{spec.treatment.column!r}], [{spec.outcome.column!r}], observed, EstimandType.NONPARAMETRIC_ATE)\n"
        "print(estimand)\n"
        f"adjustment = {list(ident.adjustment)!r}\n"
        f"cut = graph.copy()\ncut.remove_edges_from(list(graph.out_edges({spec.treatment.column!r})))\n"
        f"print('뒷문이 막히는가:', nx.is_d_separator(cut, {{{spec.treatment.column!r}}}, {{{spec.outcome.column!r}}}, set(adjustment)))",
    )
