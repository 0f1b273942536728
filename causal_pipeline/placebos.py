"""섞고 가르는 점검: 처치를 섞은 위약과, 아무렇게나 가른 반쪽 표본.

처치를 섞은 위약은 추정값의 치우침을 보지 못합니다. 섞으면 교란도 함께 사라지고, 치우친 추정값은 위약에 견주어 오히려 더 커 보입니다. 볼 수
있는 것은 표준오차의 잘못뿐이라, 힘도 '표준오차를 절반으로 세어 구간의 반쪽이 그만큼 모자란' 잘못으로 셉니다.
"""

import math
from dataclasses import replace

import numpy as np
from scipy import stats

from causal_pipeline.checks import flagged, graded, ladder, powered, unseen
from causal_pipeline.inference import permutation_p, subset_clusters
from causal_pipeline.model import Check, Estimate, Spec
from causal_pipeline.shown import standard_error
from causal_pipeline.wording import josa, number, percent

# 구간이 0을 비켜 가는데 위약이 추정값만큼 큰 몫이 이보다 크면 주의입니다.
PLACEBO_P = 0.1
# 효과가 없게 섞은 자료에서 95% 구간이 0을 비켜 간 몫. 구간이 맞으면 5%이고, 500번 섞은 몫의 오차는 1%포인트입니다.
MISSED_WARN, MISSED_FAIL = 0.085, 0.15
NARROW = (
    " 구간이 정답을 95%보다 덜 덮습니다. 한쪽 팔이 작고 결과가 몇 대상에 몰려 있을 때 그렇습니다. 작은 팔의 대상을 더 모으거나, 상한을 두거나 "
    "로그를 취한 결과로 다시 물으세요."
)


def spread_placebo(
    label: str,
    message: str,
    values: np.ndarray,
    observed: float,
    se: float,
    main: Estimate,
    low: float,
    high: float,
    off_centre: float = math.inf,
    missed: float | None = None,
) -> Check:
    """위약의 퍼짐이 보고한 표준오차만 한지, 위약마다 낸 구간이 0을 제 비율로 품는지.

    Parameters
    ----------
    values : array
        위약의 추정값들.
    observed, se : float
        섞지 않은 자료의 값과 그 표준오차. 위약과 같은 단위입니다.
    low, high : float
        퍼짐과 표준오차의 비가 이 사이에 있지 않으면 주의입니다.
    off_centre : float
        위약의 평균이 0에서 표준오차의 몇 배보다 멀면 주의인지.
    missed : float, optional
        위약마다 낸 95% 구간이 0을 비켜 간 몫. ``MISSED_WARN``을 넘으면 주의, ``MISSED_FAIL``을 넘으면 실패입니다.
    """
    ratio, p = values.std(ddof=1) / max(se, 1e-300), permutation_p(values, observed)
    said = f"{message} 위약의 퍼짐은 표준오차의 {ratio:.2f}배이고, 위약이 섞지 않은 값만큼 큰 몫(p값)은 {p:.3f}입니다."
    off = abs(values.mean()) / max(se, 1e-300) > off_centre
    status = "warn" if off or not low < ratio < high else "ok"
    if missed is not None:
        said += f" 위약마다 낸 95% 구간이 0을 비켜 간 몫은 {percent(missed)}입니다(5%여야 합니다)."
        status = max(status, ladder(missed, MISSED_WARN, MISSED_FAIL), key=("ok", "warn", "fail").index)
    tail = NARROW if missed is not None and missed > MISSED_WARN else ""
    check = graded("placebo", label, said + tail, p, status)
    return narrow(check, main, spread_power(ratio, len(values), low, high))


def spread_power(ratio: float, draws: int, low: float, high: float) -> float:
    """표준오차가 절반이었다면(비가 두 배였다면) 퍼짐의 비가 ``low``와 ``high``의 밖에 있을 확률. 비의 오차는 위약의 수에서 옵니다."""
    error = max(2 * ratio / math.sqrt(2 * max(draws - 1, 1)), 1e-300)
    return float(stats.norm.sf((high - 2 * ratio) / error) + stats.norm.cdf((low - 2 * ratio) / error))


def rank_placebo(
    label: str, message: str, values: np.ndarray, observed: float, main: Estimate, unit: float = 1.0
) -> Check:
    """구간이 0을 비켜 가는데 위약의 순위는 그렇지 않은지. ``unit``은 위약 한 단위가 추정값의 몇 단위인지입니다."""
    p = permutation_p(values, observed)
    bad = (main.low > 0 or main.high < 0) and p > PLACEBO_P
    said = f"{message} 위약이 추정값만큼 큰 몫(p값)은 {p:.3f}입니다."
    check = flagged("placebo", label, said, p, bad, PLACEBO_P)
    half = np.full(len(values), (main.high - main.low) / 2)
    return narrow(check, main, rank_power(values, np.abs(values * unit), half))


def rank_power(ranked: np.ndarray, effects: np.ndarray, half: np.ndarray) -> float:
    """효과가 없고 구간이 절반으로 좁을 때 순위의 위약이 울릴 확률.

    위약마다 그것이 추정값이었다고 봅니다: 절반으로 줄인 구간은 0을 비켜 가는데, 나머지 위약에 견준 p값은 ``PLACEBO_P``보다 큰 몫입니다.

    Parameters
    ----------
    ranked : array
        순위를 매기는 위약의 값들.
    effects, half : array
        같은 차례로, 위약의 추정값의 크기와 그것이 가졌을 구간의 반쪽.
    """
    size = np.abs(ranked)
    p = (size[None, :] >= size[:, None]).sum(axis=1) / len(size)
    return float(((effects > half / 2) & (p > PLACEBO_P)).mean())


def narrow(check: Check, main: Estimate, noticed: float) -> Check:
    """위약에 힘을 답니다: 표준오차를 절반으로 세어 구간의 반쪽이 그만큼 모자랐다면 알아챘을 확률."""
    how = "표준오차를 절반으로 잘못 세어 구간의 반쪽이 그만큼 모자랐다면. 추정값의 치우침과 처치를 정한 단위를 잘못 적은 것은 볼 수 없습니다"
    return powered(check, (main.high - main.low) / 2, noticed, how, "구간 끝의 어긋남")


def halves(spec: Spec, psi: np.ndarray, clusters: np.ndarray | None) -> Check:
    """표본을 아무렇게나 둘로 갈라 나란히 적습니다. 판정하지 않습니다.

    가르기가 무작위이므로 두 반쪽의 차이는 자료가 어떻든 0 둘레이고 z는 표준정규분포를 따릅니다(순열의 중심극한정리). 추정값에 든
    치우침은 두 반쪽에 똑같이 들고, 한 대상이 답을 정하는 자료에서도 그 대상이 든 반쪽의 표준오차가 함께 커져 z는 1 둘레입니다.
    """
    rng = np.random.default_rng(spec.seed + 2)
    units = np.arange(len(psi)) if clusters is None else clusters
    side = rng.permutation(np.arange(units.max() + 1) % 2)[units].astype(bool)
    (one, se_one), (two, se_two) = (
        (psi[mask].mean(), standard_error(psi[mask], subset_clusters(clusters, mask))) for mask in (side, ~side)
    )
    z = (one - two) / max(np.hypot(se_one, se_two), 1e-300)
    message = (
        f"아무렇게나 가른 두 반쪽의 추정값은 {josa(number(one), '과/와')} {number(two)}입니다(차이 z={number(z, digits=1, signed=True)}). "
        "설명일 뿐 판정하지 않습니다. 무작위로 가른 두 반쪽은 같은 치우침을 지니므로, 아무리 크게 치우쳐도 이 차이로는 보이지 않습니다."
    )
    return replace(unseen("halves", "반쪽 표본", message, None), value=abs(float(z)))
