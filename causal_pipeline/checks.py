"""설계들이 함께 쓰는 점검: 사다리(``graded``)와 힘(``powered``), 빈칸과 군집과 시점, 그래프의 독립, 추정량끼리의 견줌, 음성 대조군, 견고값."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import networkx as nx
import numpy as np
import pandas as pd
from scipy import stats

from causal_pipeline import learners
from causal_pipeline.graphs import causal_graph
from causal_pipeline.inference import (
    as_float,
    cluster_column,
    for_learning,
    holm,
    kish,
    least_squares,
    row_weights,
    subset_clusters,
    two_sided,
)
from causal_pipeline.model import Check, Estimate, Identification, Letter, Loss, Power, Sensitivity, Spec, Status
from causal_pipeline.shown import cross_fit, standard_error
from causal_pipeline.wording import josa, names, number, percent

# 음성 대조군과 그래프의 독립을 어기는지 보는 유의수준. 여럿이면 Holm으로 고칩니다.
FAIL_LEVEL, WARN_LEVEL = 0.01, 0.05
# 추정값의 차이가 그 차이의 표준오차의 몇 배이면 어긋난다고 볼지, 그리고 주된 추정의 표준오차의 몇 배보다 커야 문제로 삼을지.
DISAGREE_Z, DISAGREE_SE = 3.0, 1.0
# 군집이 이보다 적으면 군집 표준오차를 믿기 어렵습니다.
FEW_CLUSTERS, TOO_FEW_CLUSTERS = 30, 10
# 군집째 팔을 정했으면 적은 팔의 군집이 이만큼은 있어야 합니다(이중차분법의 처치 대상과 같은 수).
FEW_IN_ARM = 10
# 그래프의 독립은 이만큼의 행이면 편상관 0.05를 넉넉히 봅니다.
MOST_GRAPH_ROWS = 10_000
# 공변량이 이보다 많으면 묶음마다 회귀를 다시 맞추지 않습니다(500개면 몇 분이 걸립니다).
MANY_COLUMNS = 60

# 뺀 행이나 칸의 몫. 넘으면 등급이 내려갑니다. 빠진 것이 처치와 이어졌는지는 두 팔의 차이가 ``LOST_GAP``보다 클 때에만 문제로 삼습니다.
LOST_WARN, LOST_FAIL, LOST_GAP = 0.05, 0.4, 0.02
# 치우침을 알아챌 확률이 이보다 작은 점검은 울리지 않아도 통과가 아니라 '보이지 못함'입니다. 표본의 크기를 정할 때의 관례와 같습니다.
ENOUGH_POWER = 0.8
# 여러 값을 한꺼번에 보는 점검의 힘을 셀 때의 되풀이. 몬테카를로 오차는 0.8%포인트까지입니다.
POWER_DRAWS = 4_000
# 그래프의 독립이 이만큼 어긋나야 결론을 바꿀 수 있다고 봅니다(편상관).
SMALL_CORRELATION = 0.05

_CAPS: dict[Status, Letter | None] = {"ok": None, "warn": "B", "fail": "C", "unshown": None}


# --- 사다리 ---


def ladder(value: float, warn: float, fail: float) -> Status:
    """값이 놓인 칸. ``warn``이 ``fail``보다 크면 클수록 좋은 값이고, 작으면 작을수록 좋은 값입니다."""
    if warn > fail:
        return "ok" if value >= warn else "warn" if value >= fail else "fail"
    return "ok" if value <= warn else "warn" if value <= fail else "fail"


def graded(
    name: str,
    label: str,
    message: str,
    value: float | None,
    status: Status,
    threshold: float | None = None,
    tails: Mapping[Status, str] | None = None,
) -> Check:
    """상태에서 등급의 상한이 따라 나오는 점검: 통과하면 없고, 주의면 B, 실패면 C.

    Parameters
    ----------
    tails : mapping of status to str, optional
        그 상태일 때 ``message`` 뒤에 붙일 말.
    """
    tail = (tails or {}).get(status, "")
    return Check(name, label, status, message + tail, None if value is None else float(value), threshold, _CAPS[status])


def flagged(
    name: str, label: str, message: str, value: float | None, bad: bool, threshold: float | None = None
) -> Check:
    """통과 아니면 주의(상한 B)인 점검."""
    return graded(name, label, message, value, "warn" if bad else "ok", threshold)


def unseen(name: str, label: str, message: str, cap: Letter | None = "B") -> Check:
    """하지 못한 점검: 통과도 실패도 아니라 '보이지 못함'입니다."""
    return Check(name, label, "unshown", message, cap=cap)


# --- 힘 ---


def relevant_bias(main: Estimate) -> float:
    """알아채야 할 치우침의 크기: 추정값의 절반과 95% 구간의 반쪽 가운데 큰 것."""
    return float(max(abs(main.value) / 2, (main.high - main.low) / 2))


def normal_power(shift: float, level: float) -> float:
    """표준오차의 ``shift``배만큼 치우친 z 통계량이 양쪽 ``level``의 시험에서 울릴 확률: Φ(|δ| − z) + Φ(−|δ| − z)."""
    z = float(stats.norm.isf(level / 2))
    return float(stats.norm.sf(z - abs(shift)) + stats.norm.cdf(-z - abs(shift)))


def t_power(shift: float, dof: float, level: float) -> float:
    """``normal_power``의 t 판: 자유도 ``dof``의 t 분포를 ``shift``만큼 옮긴 것으로 셉니다(비중심 t의 어림)."""
    dof = max(float(dof), 1.0)
    edge = float(stats.t.isf(level / 2, dof))
    return float(stats.t.sf(edge - abs(shift), dof) + stats.t.cdf(-edge - abs(shift), dof))


def wald_power(noncentrality: float, k: int, dof: float, level: float) -> float:
    """자유도 (k, dof)인 F 시험이 비중심모수가 ``noncentrality``일 때 울릴 확률(비중심 F)."""
    edge = float(stats.f.isf(level, k, max(dof, 1.0)))
    return float(stats.ncf.sf(edge, k, max(dof, 1.0), max(noncentrality, 1e-12)))


def follows(control: np.ndarray, outcome: np.ndarray, clusters: np.ndarray | None = None) -> float:
    """결과의 추정이 한 단위 치우칠 때 대조군의 추정에 나타날 크기.

    두 추정의 영향함수를 견줍니다. 처치를 결과의 높낮이에 따라 골랐다면 치우침은 결과의 나머지에 비례하고, 대조군에는 그것과 함께
    움직이는 만큼만 나타납니다. 우연한 상관을 힘으로 세지 않게, 조정된 결정계수만큼 줄입니다.

    Parameters
    ----------
    control, outcome : array, shape (n,)
        두 추정의 영향함수(평균이 추정값이어도 됩니다).
    clusters : array or None
    """
    pairs = []
    for psi in (control, outcome):
        centred = psi - psi.mean()
        pairs.append(centred if clusters is None else np.bincount(clusters, weights=centred))
    c, y = pairs
    if (c @ c) <= 0 or (y @ y) <= 0:
        return 0.0
    n, r2 = int(np.count_nonzero(control)) if clusters is None else len(c), float((c @ y) ** 2 / ((c @ c) * (y @ y)))
    kept = max(0.0, 1 - (1 - r2) * (n - 1) / max(n - 2, 1))
    return float(np.sqrt(kept * (c @ c) / (y @ y)))


def joint_power(
    shift: Sequence[float],
    covariance: np.ndarray,
    rings: Callable[[np.ndarray], np.ndarray],
    dof: Sequence[float] | None = None,
) -> float:
    """여러 값을 한꺼번에 보는 점검이 울릴 확률. 그 값들의 분포에서 ``POWER_DRAWS``번 뽑아 셉니다(씨앗은 늘 같습니다).

    Parameters
    ----------
    shift : sequence of float, length k
        치우쳤을 때 값마다의 평균.
    covariance : array, shape (k, k)
    rings : callable
        값들(shape (되풀이, k))에서 울린 것(참거짓, shape (되풀이,))으로.
    dof : sequence of float, optional
        주면 값마다 그 자유도의 t 분포로 뽑습니다(값은 표준오차로 나눈 것이어야 합니다).
    """
    rng = np.random.default_rng(0)
    size, vectors = np.linalg.eigh(np.atleast_2d(covariance))
    root = vectors * np.sqrt(np.maximum(size, 0.0))
    draws = np.asarray(shift, dtype=float) + rng.normal(size=(POWER_DRAWS, len(size))) @ root.T
    if dof is not None:
        freedom = np.maximum(np.asarray(dof, dtype=float), 1.0)
        draws = draws / np.sqrt(rng.chisquare(freedom, size=draws.shape) / freedom)
    return float(rings(draws).mean())


def summed_covariance(influence: np.ndarray, clusters: np.ndarray | None) -> np.ndarray:
    """합이 오차인 영향함수들(shape (n, k))의 공분산, shape (k, k)."""
    if clusters is not None:
        influence = np.column_stack([np.bincount(clusters, weights=column) for column in influence.T])
    return influence.T @ influence


def powered(check: Check, bias: float, noticed: float, how: str, what: str = "치우침") -> Check:
    """점검에 힘을 답니다. 통과했어도 힘이 ``ENOUGH_POWER``보다 작으면 '보이지 못함'입니다.

    Parameters
    ----------
    bias, noticed : float
        치우침의 크기와, 그것을 알아챘을 확률(``model.Power``).
    how : str
        그 확률이 맞는 조건("…라면").
    what : str
        추정값이 아니라 다른 것이 틀렸을 때를 보는 점검이면 그 이름.
    """
    noticed = float(np.clip(noticed, 0.0, 1.0))
    said = f"이 점검은 {number(bias)}의 {josa(what, '을/를')} {percent(noticed, 0)}의 확률로 알아챘을 것입니다({how})."
    blind = check.status == "ok" and noticed < ENOUGH_POWER
    tail = f" 힘이 {percent(ENOUGH_POWER, 0)}보다 작아 통과로 세지 않습니다." if blind else ""
    return replace(
        check,
        status="unshown" if blind else check.status,
        message=f"{check.message} {said}{tail}",
        power=Power(float(bias), noticed),
    )


# --- 자료 ---


def by_arm(lost: float, treated: float, control_lost: float, control: float) -> str:
    """팔마다 빠진 수("실험군 12/400(3.0%), 대조군 …")."""
    said = [
        f"{name} {int(gone):,}/{int(size):,}({percent(gone / max(size, 1))})"
        for name, gone, size in (("실험군", lost, treated), ("대조군", control_lost, control))
    ]
    return f"빠진 수는 {said[0]}, {said[1]}입니다."


def lost_rows(spec: Spec, losses: Sequence[Loss]) -> list[Check]:
    """빈칸 때문에 뺀 행: 팔마다의 수와, 빠진 것이 처치나 결과와 이어지는지.

    처치와 결과 둘 다와 이어지면 남은 행의 비교가 치우칩니다. 하나하고만 이어지면 조건부입니다.
    """
    found = []
    for loss in losses:
        share = loss.lost / max(loss.total, 1)
        tied = [
            name
            for name, p, gap in (("처치", loss.p_treatment, loss.gap), ("결과", loss.p_outcome, 1.0))
            if p is not None and p < FAIL_LEVEL and gap > LOST_GAP
        ]
        arms = ", ".join(
            f"{name} {gone:,}/{size:,}({percent(gone / max(size, 1))})" for name, (gone, size) in loss.arms.items()
        )
        message = f"{loss.what} {loss.lost:,}행({percent(share)})을 뺐습니다. 팔마다 {arms}입니다."
        if tied:
            message += f" 빠진 것이 {_tied(tied)} 이어져 있습니다."
        status = "fail" if len(tied) == 2 or share > LOST_FAIL else "warn" if tied or share > LOST_WARN else "ok"
        found.append(graded("lost_rows", "빠진 행", message, share, status, LOST_WARN))
    return found


def _tied(names: Sequence[str]) -> str:
    """무엇과 이어졌는지("처치와도 결과와도")."""
    return " ".join(f"{josa(name, '과/와')}도" for name in names) if len(names) > 1 else josa(names[0], "과/와")


def lost_cells(Y: np.ndarray, start: np.ndarray) -> list[Check]:
    """패널의 빈 칸: 팔마다의 몫과, 빈 칸이 처치나 결과와 이어지는지.

    결과와 이어지는지는 두 가지로 봅니다: 대상이 처치 앞에서 보인 높이와 빈 칸의 몫, 그리고 어떤 시점의 결과와 다음 시점에 빠지는
    일. 두 p값은 Bonferroni로 묶습니다.

    Parameters
    ----------
    Y : array, shape (대상, 시점)
        보지 못한 칸은 NaN.
    start : array, shape (대상,)
        처치가 시작된 열의 번호(없으면 시점의 수).
    """
    seen = np.isfinite(Y)
    if seen.all():
        return []
    n, periods = Y.shape
    ever = start < periods
    gone = 1 - seen.mean(axis=1)
    share, gap = float(gone.mean()), abs(float(gone[ever].mean() - gone[~ever].mean())) if (~ever).any() else 0.0
    p_treatment = _slope_p(gone, ever.astype(float), np.ones((n, 1)), None) if 2 <= ever.sum() <= n - 2 else 1.0
    clean = seen & (np.arange(periods)[None, :] < start[:, None])
    level = np.where(clean, Y, 0.0)
    level = np.where(clean, level - level.sum(axis=0) / np.maximum(clean.sum(axis=0), 1), 0.0)
    height = level.sum(axis=1) / np.maximum(clean.sum(axis=1), 1)
    base = np.column_stack([np.ones(n), ever])
    p_outcome = [_slope_p(gone, height, base, None)]
    here, after = seen[:, :-1], ~seen[:, 1:]
    if here.any() and after[here].any():
        unit, when = np.nonzero(here)
        label = when * 2 + (when >= start[unit])
        y = Y[:, :-1][here]
        apart = y - (np.bincount(label, y) / np.maximum(np.bincount(label), 1))[label]
        p_outcome.append(_slope_p(after[here].astype(float), apart, np.ones((len(y), 1)), unit))
    p = min(1.0, len(p_outcome) * min(p_outcome))
    tied = [
        name for name, value in (("처치", p_treatment if gap > LOST_GAP else 1.0), ("결과", p)) if value < FAIL_LEVEL
    ]
    arms = [
        f"{name} {percent(float(gone[rows].mean()))}"
        for name, rows in (("처치받은 대상", ever), ("받지 않은 대상", ~ever))
        if rows.any()
    ]
    message = (
        f"대상과 시점의 칸 {Y.size:,}개 가운데 {int((~seen).sum()):,}개({percent(share)})를 보지 못했습니다({', '.join(arms)}). 칸마다 그때 본 "
        f"대상끼리 견주므로 빈 칸이 결과와 상관없이 생겼다고 봅니다. 빈 칸이 처치와 이어졌는지의 p값은 {p_treatment:.3f}, 결과와는 {p:.3f}입니다."
    )
    return [_lost(message, tied, share)]


def _lost(message: str, tied: Sequence[str], share: float) -> Check:
    """빈 칸의 점검: 빈 칸이 둘 다와 이어졌거나 몫이 아주 크면 실패, 하나와 이어졌거나 몫이 크면 주의."""
    if tied:
        message += f" 빈 칸이 {_tied(tied)} 이어져 있습니다."
    status = "fail" if len(tied) == 2 or share > LOST_FAIL else "warn" if tied or share > LOST_WARN else "ok"
    return graded("lost_cells", "빈 칸", message, share, status, LOST_WARN)


def lost_dose_cells(Y: np.ndarray, D: np.ndarray) -> list[Check]:
    """용량 패널의 빈 칸: 몫과, 빈 칸이 용량이나 결과와 이어지는지.

    둘 다 같은 두 길로 봅니다: 대상이 보인 높이(시점의 평균을 뺀 것)와 빈 칸의 몫, 그리고 어떤 시점의 값과 다음 시점에 빠지는 일.
    빠진 그 시점의 값은 볼 수 없으므로, 그 값이 앞뒤와 이어질 때에만 알아챕니다.

    Parameters
    ----------
    Y, D : array, shape (대상, 시점)
        결과와 용량. 보지 못한 칸은 NaN.
    """
    seen = np.isfinite(Y) & np.isfinite(D)
    if seen.all():
        return []
    share, gone = float(1 - seen.mean()), 1 - seen.mean(axis=1)
    p = {name: _lost_with(values, seen, gone) for name, values in (("용량", D), ("결과", Y))}
    tied = [name for name, value in p.items() if value < FAIL_LEVEL]
    message = (
        f"대상과 시점의 칸 {seen.size:,}개 가운데 {int((~seen).sum()):,}개({percent(share)})를 보지 못했습니다. 본 칸만 쓰므로 빈 칸이 결과와 "
        f"상관없이 생겼다고 봅니다. 빈 칸이 용량과 이어졌는지의 p값은 {p['용량']:.3f}, 결과와는 {p['결과']:.3f}입니다."
    )
    return [_lost(message, tied, share)]


def _lost_with(values: np.ndarray, seen: np.ndarray, gone: np.ndarray) -> float:
    """빈 칸이 ``values``와 이어지는지의 p값(Bonferroni로 묶은 둘)."""
    level = np.where(seen, values, 0.0)
    apart = np.where(seen, level - level.sum(axis=0) / np.maximum(seen.sum(axis=0), 1), 0.0)
    height = apart.sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    found = [_slope_p(gone, height, np.ones((len(gone), 1)), None)]
    here, after = seen[:, :-1], ~seen[:, 1:]
    if here.any() and after[here].any():
        unit, _ = np.nonzero(here)
        found.append(_slope_p(after[here].astype(float), apart[:, :-1][here], np.ones((len(unit), 1)), unit))
    return min(1.0, len(found) * min(found))


def _slope_p(y: np.ndarray, x: np.ndarray, base: np.ndarray, clusters: np.ndarray | None) -> float:
    """``base``를 알 때 ``x``의 계수가 0인지의 (군집) 강건 p값. ``x``가 움직이지 않으면 1입니다."""
    if np.ptp(x) < 1e-12:
        return 1.0
    codes = None if clusters is None else np.unique(clusters, return_inverse=True)[1]
    beta, covariance, _ = least_squares(np.column_stack([base, x]), y, codes)
    units = len(y) if codes is None else int(codes.max()) + 1
    z = beta[-1] / max(np.sqrt(covariance[-1, -1]), 1e-300)
    return float(2 * stats.t.sf(abs(z), max(units - base.shape[1] - 1, 1)))


def moving_covariates(spec: Spec, frame: pd.DataFrame, unit: str, columns: Sequence[str]) -> list[Check]:
    """대상 안에서 시점마다 달라지는 공변량. 첫 시점의 값만 쓴다고 말합니다."""
    moving = [c for c in columns if (frame.groupby(unit, observed=True)[c].nunique() > 1).any()]
    if not moving:
        return []
    listed = josa(names(map(spec.label, moving)), "은/는")
    message = (
        f"{listed} 시점마다 달라지는데, 대상마다 처음 본 시점의 값만 보정했습니다. 처치 뒤의 값은 처치가 바꾸었을 수 있어 쓰지 않습니다. "
        "처치 앞의 다른 시점의 값이 필요하면 그 값을 대상마다 한 값인 열로 만들어 적으세요."
    )
    return [Check("moving_covariates", "시점마다 달라지는 공변량", "warn", message, float(len(moving)), 0.0)]


def missing_covariates(frame: pd.DataFrame, columns: Sequence[str]) -> list[Check]:
    """공변량의 빈칸. 빈칸 자체가 처치와 얽혀 있으면 중앙값으로 메운 값이 교란을 남깁니다."""
    if not len(columns):
        return []
    share = float(frame[list(columns)].isna().any(axis=1).mean())
    if share == 0:
        return []
    message = f"보정할 열에 빈칸이 있는 행이 {percent(share)}입니다. 중앙값으로 메우고 빈칸 표시를 함께 보정했습니다."
    return [
        Check(
            "missing_covariates",
            "공변량의 빈칸",
            "warn" if share < 0.2 else "fail",
            message,
            share,
            0.2,
            "B" if share > 0.05 else None,
        )
    ]


def cluster_count(spec: Spec, clusters: np.ndarray | None, arms: np.ndarray | None = None) -> list[Check]:
    """군집의 수. ``arms``(행마다의 팔)를 주고 군집째 팔을 정했으면, 적은 팔의 군집도 셉니다."""
    if clusters is None:
        return []
    count, said, known = int(clusters.max()) + 1, "", np.unique(clusters, return_index=True)[1]
    status = ladder(count, FEW_CLUSTERS, TOO_FEW_CLUSTERS)
    note = " 군집 표준오차는 군집이 많을 때의 근사라 구간이 좁게 나올 수 있습니다."
    if arms is not None and (arms[known][clusters] == arms).all():
        smallest = int(np.unique(arms[known], return_counts=True)[1].min())
        said = f" 적은 팔은 {smallest}개입니다."
        note = " 구간은 팔마다의 군집의 수에 맞추어 넓혔지만, 남다른 군집 하나가 답을 바꿀 수 있습니다. 더 많은 단위에서 모으세요."
        status = "warn" if status == "ok" and smallest < FEW_IN_ARM else status
    message = f"표준오차는 {cluster_column(spec)}별로 셉니다({count}개).{said}"
    tails = {"warn": note, "fail": note}
    return [graded("clusters", "처치를 정한 단위의 수", message, count, status, FEW_CLUSTERS, tails)]


def declared_timing(spec: Spec, ident: Identification) -> list[Check]:
    """그래프가 없을 때, 보정할 변수가 처치 전의 것이라고 적었는지."""
    unknown = [c for c in ident.adjustment if spec.timing.get(c, "unknown") != "before"]
    if spec.edges or not unknown:
        return []
    listed = josa(names(spec.label(c) for c in unknown), "을/를")
    message = (
        f"{listed} 처치 전에 쟀다고 적지 않았습니다. 처치 뒤의 값이면 결론이 틀립니다. timing에 before라고 적으세요."
    )
    return [flagged("timing", "보정할 변수의 시점", message, len(unknown), True, 0.0)]


def graph_independences(
    spec: Spec, frame: pd.DataFrame, main: Estimate | None = None, adjusted: Sequence[str] = ()
) -> list[Check]:
    """그래프가 뜻하는 조건부 독립을 자료에서 봅니다.

    이웃하지 않는 두 변수마다 부모를 조건으로 한 편상관을 보고, Holm으로 고칩니다. 편상관이 0.05보다 작으면 결론을
    바꿀 만큼이 아니라고 보고 넘깁니다. 곧은 관계만 보므로, 통과했다고 그래프가 옳다는 뜻은 아닙니다.

    Parameters
    ----------
    main, adjusted : Estimate and sequence of str, optional
        그래프에서 고른 ``adjusted``를 보정한 주된 추정. 주지 않으면(추정이 그래프의 독립에 기대지 않는 설계) 조용해도 통과가 아닙니다.
    """
    if not spec.edges:
        return []
    graph = causal_graph(spec)
    seen = [n for n in sorted(graph) if n not in spec.hidden and n in frame.columns]
    rows = frame.dropna(subset=seen)
    drawn = ""
    if len(rows) > MOST_GRAPH_ROWS:  # 조용히 줄이지 않습니다
        drawn = f"{len(rows):,}행에서 무작위로 뽑은 {MOST_GRAPH_ROWS:,}행으로 "
        rows = rows.sample(MOST_GRAPH_ROWS, random_state=spec.seed)
    if len(rows) < 50:
        return []
    tests, s = [], np.sqrt(row_weights(spec, rows))  # 뽑힌 것이 결과와 이어지면 표본에서는 독립도 깨져 보입니다
    size = kish(s**2)
    for i, a in enumerate(seen):
        for b in seen[i + 1 :]:
            if graph.has_edge(a, b) or graph.has_edge(b, a):
                continue
            given = sorted((set(graph.predecessors(a)) | set(graph.predecessors(b))) - {a, b})
            if not set(given) <= set(seen) or not nx.is_d_separator(graph, {a}, {b}, set(given)):
                continue
            X = np.column_stack([np.ones(len(rows)), learners.design_matrix(spec, rows, given).to_numpy()])
            X = X * s[:, None]
            ra, rb = (
                v - X @ np.linalg.lstsq(X, v, rcond=None)[0] for v in (s * as_float(rows, a), s * as_float(rows, b))
            )
            if ra.std() < 1e-12 or rb.std() < 1e-12:
                continue
            r = float((ra @ rb) / np.sqrt((ra @ ra) * (rb @ rb)))
            z = math.atanh(np.clip(r, -0.999999, 0.999999)) * math.sqrt(max(size - len(given) - 3, 1))
            tests.append((a, b, given, r, two_sided(z)))
    label = "그래프가 뜻하는 독립"
    if not tests:
        return [
            Check(
                "graph",
                label,
                "warn",
                "이 그래프는 자료로 검사할 수 있는 독립을 하나도 뜻하지 않습니다. 화살표가 빠진 곳이 없기 때문입니다.",
                0.0,
            )
        ]
    p_values = holm([t[4] for t in tests])
    broken = [t for t, p in zip(tests, p_values, strict=True) if p < FAIL_LEVEL and abs(t[3]) > SMALL_CORRELATION]
    if not broken:
        quiet = f"{drawn}그래프가 뜻하는 독립 {len(tests)}개를 보았고 어긋난 것이 없습니다."
        if main is None:
            tail = (
                " 다만 이 설계의 추정은 이 독립에 기대지 않으므로, 조용해도 추정값이 치우치지 않았다는 뜻은 아닙니다."
            )
            return [unseen("graph", label, quiet + tail, None)]
        check = Check("graph", label, "ok", quiet, 0.0, 0.0)
        return [_graph_power(check, spec, rows, [t[:3] for t in tests], main, adjusted, size)]
    a, b, given, r, _ = max(broken, key=lambda t: abs(t[3]))
    condition = f"{josa(names(spec.label(c) for c in given), '을/를')} 알 때 " if given else ""
    touches = {spec.treatment.column, spec.outcome.column} & {n for t in broken for n in t[:2]}
    message = (
        f"{drawn}그래프가 뜻하는 독립 {len(tests)}개 가운데 {len(broken)}개가 자료와 어긋납니다. 가장 큰 것: {condition}{josa(spec.label(a), '과/와')} "
        f"{spec.label(b)}의 편상관 {number(r, digits=2, signed=True)}. 빠진 화살표가 있는지 보세요."
    )
    return [Check("graph", label, "fail", message, float(len(broken)), 0.0, "C" if touches and abs(r) > 0.1 else "B")]


def _graph_power(
    check: Check,
    spec: Spec,
    rows: pd.DataFrame,
    tests: Sequence[tuple[str, str, Sequence[str]]],
    main: Estimate,
    adjusted: Sequence[str],
    size: float,
) -> Check:
    """빠진 화살표 하나가 추정값을 치우치게 했다면 그 독립의 시험이 울렸을 확률. 그런 화살표가 여럿이면 가장 보기 어려운 것입니다.

    보정하지 않은 변수 x의 화살표가 빠졌을 때만 추정값이 치우칩니다. 그 크기는 x와 처치, x와 결과의 편상관 r_D, r_Y에서
    √(r_Y²·r_D²/(1−r_D²))에 비례하므로(Cinelli와 Hazlett, 2020), 자료에서 잰 한쪽에서 다른 쪽이 얼마여야 하는지를 거꾸로 냅니다.
    """
    t, y, s = spec.treatment, spec.outcome.column, np.sqrt(row_weights(spec, rows))
    base = [np.ones(len(rows)), *learners.design_matrix(spec, rows, adjusted).to_numpy().T]
    d = as_float(rows, t.column) if t.kind == "continuous" else (rows[t.column] == t.treated).to_numpy(dtype=float)

    def left(v: np.ndarray, *more: np.ndarray) -> np.ndarray:
        Z = np.column_stack([*base, *more]) * s[:, None]
        return s * v - Z @ np.linalg.lstsq(Z, s * v, rcond=None)[0]

    def partial(u: np.ndarray, v: np.ndarray) -> float:
        return abs(float(u @ v)) / max(math.sqrt(float(u @ u) * float(v @ v)), 1e-300)

    outcome, bias = as_float(rows, y), relevant_bias(main)
    step = abs(float(t.treated) - float(t.control)) if t.kind == "continuous" else 1.0
    scale = step * math.sqrt(float((left(outcome, d) ** 2).sum()) / max(float((left(d) ** 2).sum()), 1e-300))
    edge_z = float(stats.norm.isf(FAIL_LEVEL / len(tests) / 2))
    noticed = {}
    for a, b, given in tests:
        ends = {a, b} & {t.column, y}
        x = next(iter({a, b} - {t.column, y}), None)
        if len(ends) != 1 or x is None or x in adjusted:
            continue
        v = as_float(rows, x)
        if y in ends:  # 빠진 것은 x와 결과의 화살표
            tied = partial(left(v), left(d))
            needed = bias / max(scale * tied / math.sqrt(max(1 - tied**2, 1e-12)), 1e-300)
        else:  # 빠진 것은 x와 처치의 화살표
            k = bias / max(scale * partial(left(v, d), left(outcome, d)), 1e-300)
            needed = k / math.sqrt(1 + k * k)
        if needed >= 0.999:  # 이 변수로는 아무리 세게 이어져도 그만큼 치우치지 않습니다
            continue
        root = math.sqrt(max(size - len(given) - 3, 1))
        edge = max(math.atanh(SMALL_CORRELATION) * root, edge_z)
        shift = math.atanh(needed) * root
        noticed[x, next(iter(ends))] = float(stats.norm.sf(edge - shift) + stats.norm.cdf(-edge - shift))
    if not noticed:
        tail = f" 다만 이 독립이 깨져도 추정값이 {number(bias)}만큼 치우치지는 않으므로, 조용해도 추정값에 대해 보여 주는 것이 없습니다."
        return replace(check, status="unshown", message=check.message + tail)
    (x, end), least = min(noticed.items(), key=lambda pair: pair[1])
    how = f"'{spec.label(x)}'와(과) '{spec.label(end)}'의 화살표가 빠져 그만큼 치우쳤다면. 굽은 관계와 재지 못한 변수는 볼 수 없습니다"
    return powered(check, bias, least, how)


# --- 추정 ---


def agreement(estimates: Sequence[Estimate], difference_se: Mapping[str, float]) -> Check:
    """같은 것을 재는 추정끼리 맞는지.

    Parameters
    ----------
    difference_se : mapping
        방법의 이름 → 주된 추정과의 차이의 표준오차.
    """
    main = next(e for e in estimates if e.primary)
    others = [
        e
        for e in estimates
        if not e.primary and e.method != "naive" and e.estimand in ("", main.estimand) and e.method in difference_se
    ]
    label = "추정량끼리의 견줌"
    if not others:
        return unseen("agreement", label, "같은 대상을 재는 다른 추정량이 없어 견주지 못했습니다.")

    def gap(e: Estimate) -> float:
        return abs(e.value - main.value) / max(difference_se[e.method], 1e-300)

    apart = [e for e in others if gap(e) > DISAGREE_Z and abs(e.value - main.value) > DISAGREE_SE * main.se]
    if not apart:
        worst = gap(max(others, key=gap))
        check = graded(
            "agreement", label, f"추정량 {len(others) + 1}개가 오차 안에서 맞습니다.", worst, "ok", DISAGREE_Z
        )
        bias = relevant_bias(main)
        noticed = []
        for e in others:
            se = max(difference_se[e.method], 1e-12 * max(bias, 1e-300))
            edge = max(DISAGREE_Z, DISAGREE_SE * main.se / se)
            noticed.append(float(stats.norm.sf(edge - bias / se) + stats.norm.cdf(-edge - bias / se)))
        return powered(check, bias, max(noticed), "한 방법만 그만큼 치우쳤다면. 방법들이 함께 틀린 것은 볼 수 없습니다")
    worst = max(apart, key=gap)
    opposite = any((e.low > 0 and main.high < 0) or (e.high < 0 and main.low > 0) for e in apart)
    message = (
        f"{josa(worst.label, '과/와')} {main.label}의 추정값({number(worst.value)}, {number(main.value)})이 서로 어긋납니다. "
        f"{worst.fails_when}인지 살펴보세요." + (" 두 추정의 부호가 반대입니다." if opposite else "")
    )
    return graded("agreement", label, message, gap(worst), "fail" if opposite else "warn", DISAGREE_Z)


# --- 음성 대조군 ---


def negative_control(
    spec: Spec, results: Sequence[tuple[str, float, float, float]], main: Estimate, needed: bool = True
) -> Check:
    """음성 대조군의 판정.

    Parameters
    ----------
    results : list of (name, value, se, slope)
        효과가 없어야 할 짝의 추정값과 표준오차, 결과가 한 단위 치우칠 때 이 짝에 나타날 크기(``follows``).
    main : Estimate
        주된 추정. 알아채야 할 치우침의 크기를 정합니다(``relevant_bias``).
    needed : bool
        거짓이면 적지 않은 것을 탓하지 않습니다(무작위 실험).
    """
    label = "음성 대조군"
    if not results:
        message = "효과가 없어야 할 결과나 처치를 하나도 적지 않아, 재지 못한 교란 요인을 드러낼 길이 없습니다."
        return unseen("negative_control", label, message, "B" if needed else None)
    p = holm([two_sided(v / max(e, 1e-300)) for _, v, e, _ in results])
    worst = int(np.argmin(p))
    name, value, se, _ = results[worst]
    if p[worst] < WARN_LEVEL:
        message = f"효과가 없어야 할 '{spec.label(name)}'에서 {number(value)}(표준오차 {number(se)})이 나왔습니다. 재지 못한 교란 요인이나 자료의 잘못이 있습니다."
        return graded(
            "negative_control", label, message, p[worst], ladder(p[worst], WARN_LEVEL, FAIL_LEVEL), FAIL_LEVEL
        )
    message = f"음성 대조군 {len(results)}개에서 효과가 나오지 않았습니다."
    check = graded("negative_control", label, message, p[worst], "ok", FAIL_LEVEL)
    bias = relevant_bias(main)
    noticed = max(normal_power(bias * slope / max(e, 1e-300), WARN_LEVEL / len(results)) for _, _, e, slope in results)
    how = "치우침이 대조군과 결과가 함께 지닌 것에서 온다면. 대조군과 이어지지 않은 교란 요인은 볼 수 없습니다"
    return powered(check, bias, noticed, how)


def negative_treatment(
    spec: Spec,
    frame: pd.DataFrame,
    X: np.ndarray,
    y: np.ndarray,
    fold: np.ndarray,
    clusters: np.ndarray | None,
    name: str,
) -> tuple[str, float, float, float]:
    """효과가 없어야 할 처치를 1 표준편차 올린 효과(부분선형). 돌려주는 것은 ``negative_control``의 한 줄입니다.

    진짜 처치와 얽혀 있으면 그 효과가 묻어 나오므로, 진짜 처치를 알 때의 효과를 잽니다(Miao 외, 2018).
    """
    t = spec.treatment
    d, w = as_float(frame, name), row_weights(spec, frame)
    keep = np.isfinite(d)
    d, w = (d[keep] - d[keep].mean()) / max(d[keep].std(), 1e-12), w[keep]
    real = (
        as_float(frame, t.column) if t.kind == "continuous" else (frame[t.column] == t.treated).to_numpy(dtype=float)
    )[keep]
    delta = float(t.treated) - float(t.control) if t.kind == "continuous" else 1.0
    learning = for_learning(w)
    u, v, r = (
        np.sqrt(w)
        * (
            target
            - cross_fit(
                learners.pick_outcome(X[keep], target, fold[keep], spec.seed, weight=learning).model,
                X[keep],
                target,
                fold[keep],
                weight=learning,
            )
        )
        for target in (y[keep], d, real)
    )
    tied = abs((v @ r) / max(abs(delta), 1e-300))
    u, v = (w - r * ((r @ w) / max(r @ r, 1e-300)) for w in (u, v))
    size = max(v @ v, 1e-300)
    value = (v @ u) / size
    psi = value + v * (u - value * v) / size * len(u)
    return name, float(value), standard_error(psi, subset_clusters(clusters, keep)), float(tied / size)


# --- 숨은 교란 요인 ---


def robustness_value(t: float, df: int) -> float:
    """추정값을 0으로 만들려면 숨은 변수가 처치와 결과의 남은 분산을 몇 몫씩 설명해야 하는지(Cinelli와 Hazlett, 2020)."""
    f2 = t * t / df
    return float((np.sqrt(f2 * f2 + 4 * f2) - f2) / 2)


def partial_r2(y: np.ndarray, X: np.ndarray, columns: Sequence[int]) -> float:
    """``X``의 ``columns``가 나머지를 알 때 더 설명하는 몫."""
    full = y - X @ np.linalg.lstsq(X, y, rcond=None)[0]
    rest = np.delete(X, columns, axis=1)
    part = y - rest @ np.linalg.lstsq(rest, y, rcond=None)[0]
    return float(max(0.0, 1 - (full @ full) / max(part @ part, 1e-300)))


def partial_r2s(y: np.ndarray, X: np.ndarray, groups: Mapping[str, Sequence[int]]) -> dict[str, float]:
    """묶음마다의 ``partial_r2``. 열이 많으면 묶음마다 다시 맞추지 않고, 한 번 맞춘 계수와 그 분산에서 냅니다."""
    if X.shape[1] <= MANY_COLUMNS:
        return {name: partial_r2(y, X, at) for name, at in groups.items()}
    inverse = np.linalg.pinv(X.T @ X, hermitian=True)
    beta = inverse @ (X.T @ y)
    full = float(((y - X @ beta) ** 2).sum())
    lost = {
        name: max(float(beta[at] @ np.linalg.pinv(inverse[np.ix_(at, at)], hermitian=True) @ beta[at]), 0.0)
        for name, at in groups.items()
    }
    return {name: more / max(full + more, 1e-300) for name, more in lost.items()}


def robustness(
    spec: Spec,
    frame: pd.DataFrame,
    X: pd.DataFrame,
    d: np.ndarray,
    y: np.ndarray,
    main: Estimate,
    w: np.ndarray | None = None,
) -> tuple[list[Sensitivity], list[Check]]:
    """추정값의 t값에서 견고값을, 잰 변수마다 같은 자의 세기를 냅니다.

    숨은 변수가 처치의 남은 분산을 r_D, 결과의 남은 분산을 r_Y만큼 설명하면 치우침은 √(r_Y·r_D/(1−r_D))에 비례합니다.
    잰 변수의 (r_D, r_Y)를 이 곱이 같은 하나의 몫(r_D = r_Y = r)으로 바꾸어 견고값과 견줍니다.
    """
    Z = np.hstack([np.ones((len(y), 1)), X.to_numpy()])
    if w is not None:
        s = np.sqrt(w)
        Z, d, y = Z * s[:, None], d * s, y * s
    df = max(len(y) - Z.shape[1] - 1, 1)
    value = robustness_value(main.value / max(main.se, 1e-300), df)
    beyond = max(0.0, abs(main.value) - 1.96 * main.se)
    for_interval = robustness_value(beyond / max(main.se, 1e-300), df)
    groups: dict[str, list[int]] = {}
    for j, name in enumerate(X.columns):
        base = next((c for c in frame.columns if name == c), None) or next(
            (c for c in frame.columns if str(name).startswith(f"{c}_")), name
        )
        groups.setdefault(str(base), []).append(j + 1)
    benchmarks, of_d, of_y = {}, partial_r2s(d, Z, groups), partial_r2s(y, np.column_stack([Z, d]), groups)
    for name in groups:
        rd, ry = min(of_d[name], 0.999), of_y[name]
        b2 = ry * rd / (1 - rd)
        benchmarks[name] = float((np.sqrt(b2 * b2 + 4 * b2) - b2) / 2)
    strongest = max(benchmarks, key=benchmarks.get) if benchmarks else None
    message = (
        f"재지 못한 교란 요인이 처치와 결과의 남은 분산을 저마다 {percent(value)}씩 설명하면 추정값이 0이 되고, "
        f"{percent(for_interval)}씩이면 95% 구간이 0을 품습니다."
    )
    if strongest:
        message += f" 잰 변수 가운데 가장 센 {josa(spec.label(strongest), '은/는')} 같은 자로 {percent(benchmarks[strongest])}입니다."
    found = []
    if strongest and beyond > 0:
        found.append(
            flagged(
                "robustness",
                "숨은 교란 요인의 세기",
                message,
                for_interval,
                for_interval < benchmarks[strongest],
                benchmarks[strongest],
            )
        )
    return [Sensitivity("robustness_value", "견고값", value, message, benchmarks)], found
