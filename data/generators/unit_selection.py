"""유지 제안 데이터: 한 행이 해지를 물으려고 상담을 건 손님 한 명입니다.

손님의 번호로 세 팔을 무작위로 나누었습니다. 두 팔은 유지 제안(석 달 할인)을 모두에게 하거나 아무에게도 하지 않고, 셋째 팔은 상담원이 여느 때처럼 알아서 정합니다.
손님은 제안이 있어야 남거나(설득), 있든 없든 남거나(그대로), 어차피 떠나거나(떠남), 제안을 들으면 떠납니다(역효과). 제안을 듣고서야 쓰지 않는 요금을 떠올리는 손님이 역효과입니다.
상담원은 기록에 남지 않는 통화의 말투를 듣습니다. 말투가 좋은 손님은 설득이 많고 나쁜 손님은 역효과가 많아서, 셋째 팔의 선택은 교란되어 있습니다.
숫자는 모두 만든 것이고 실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 311, "n": 36_000, "harm": 1.0, "lure": 1.0, "ear": 1.0, "charm": 0.0, "shift": 0.0}

REASONS = ("요금", "안 씀", "불만")
TYPES = ("설득", "그대로", "떠남", "역효과")
CELLS = [(reason, contract) for reason in REASONS for contract in (0, 1)]
"""칸의 순서: 문의 이유와 약정이 남았는지(0/1)."""

SHARE = np.array([0.22, 0.14, 0.20, 0.16, 0.16, 0.12])
"""칸의 몫."""
WARM = np.array([0.55, 0.50, 0.65, 0.50, 0.45, 0.45])
"""칸마다 말투가 좋은 손님의 비율."""
KIND = np.array([
    # 말투가 나쁜 손님: 설득, 그대로, 떠남, 역효과    말투가 좋은 손님
    [[0.10, 0.12, 0.74, 0.04], [0.36, 0.14, 0.48, 0.02]],  # 요금, 약정 없음
    [[0.05, 0.80, 0.11, 0.04], [0.14, 0.78, 0.06, 0.02]],  # 요금, 약정 남음
    [[0.04, 0.10, 0.56, 0.30], [0.36, 0.12, 0.49, 0.03]],  # 안 씀, 약정 없음
    [[0.03, 0.60, 0.12, 0.25], [0.12, 0.72, 0.12, 0.04]],  # 안 씀, 약정 남음
    [[0.06, 0.10, 0.72, 0.12], [0.20, 0.12, 0.65, 0.03]],  # 불만, 약정 없음
    [[0.04, 0.64, 0.20, 0.12], [0.10, 0.70, 0.16, 0.04]],  # 불만, 약정 남음
])  # fmt: skip
"""반응 유형의 확률. 모양은 (칸, 말투, 유형)."""
OFFER = np.array([[0.40, 0.65], [0.40, 0.60], [0.10, 0.85], [0.10, 0.75], [0.40, 0.60], [0.35, 0.60]])
"""상담원이 제안할 확률. 모양은 (칸, 말투)."""


def kinds(harm=1.0, lure=1.0):
    """칸과 말투마다 반응 유형의 확률. 역효과를 ``harm``배로 하고 나머지는 '그대로', 설득을 ``lure``배로 하고 나머지는 '떠남'이 됩니다. 모양은 (6, 2, 4)."""
    p = KIND.copy()
    p[..., 2] += (1 - lure) * p[..., 0]
    p[..., 0] *= lure
    p[..., 1] += (1 - harm) * p[..., 3]
    p[..., 3] *= harm
    return p


def choices(ear=1.0):
    """칸과 말투마다 상담원이 제안할 확률. ``ear``가 0이면 말투를 듣지 않고, 2이면 거의 다 알아듣습니다. 모양은 (6, 2)."""
    mean = (WARM * OFFER[:, 1] + (1 - WARM) * OFFER[:, 0])[:, None]
    if ear <= 1:
        return mean + ear * (OFFER - mean)
    sharp = np.array([0.02, 0.98])
    return (2 - ear) * OFFER + (ear - 1) * sharp


def moments(harm=1.0, lure=1.0, ear=1.0, charm=0.0, shift=0.0):
    """큰 표본에서 세 팔이 보여 줄 확률과 참 유형의 확률.

    Parameters
    ----------
    harm, lure, ear, charm, shift : float
        :func:`generate`의 인자.

    Returns
    -------
    dict
        ``p1``과 ``p0``(두 팔의 유지율, 모양 (6,)), ``s``(셋째 팔에서 (제안, 유지)가 (1,1), (1,0), (0,1), (0,0)일 확률, 모양 (6, 4)),
        ``types``(참 유형의 확률, 모양 (6, 4)), ``chosen``(참 유형이면서 상담원이 제안할 확률, 모양 (6, 4)).
    """
    p, q = kinds(harm, lure), choices(ear)
    warm = np.stack([1 - WARM, WARM], axis=-1)
    types = (warm[..., None] * p).sum(1)
    chosen = (warm[..., None] * q[..., None] * p).sum(1)
    usual = np.stack([1 - WARM * (1 - shift), WARM * (1 - shift)], axis=-1)
    with_x = (usual[..., None] * q[..., None] * p).sum(1)
    without = (usual[..., None] * (1 - q)[..., None] * p).sum(1)
    stays = with_x[:, 0] + with_x[:, 1]
    left = with_x[:, 2] + with_x[:, 3]
    moved = charm * left
    s = np.stack([stays + moved, left - moved, without[:, 1] + without[:, 3], without[:, 0] + without[:, 2]], axis=-1)
    return {"p1": types[:, 0] + types[:, 1], "p0": types[:, 1] + types[:, 3], "s": s, "types": types, "chosen": chosen}


def tables(rng, sets, n=36_000, harm=1.0, lure=1.0, ear=1.0, charm=0.0, shift=0.0):
    """자료 ``sets``벌을 칸의 수로 바로 뽑습니다. :func:`generate`의 표를 센 것과 같은 분포입니다.

    Parameters
    ----------
    rng : numpy.random.Generator
        난수 생성기.
    sets, n : int
        벌의 수와 한 벌의 손님 수.
    harm, lure, ear, charm, shift : float
        :func:`generate`의 인자.

    Returns
    -------
    numpy.ndarray
        모양 (벌, 반쪽 2, 칸 6, 8). 끝 차원은 '제안 없음'의 손님과 남은 손님, '모두 제안'의 손님과 남은 손님, '상담원'에서 (제안, 유지)가 (1,1), (1,0), (0,1), (0,0)인 손님의 수입니다.
    """
    m = moments(harm, lure, ear, charm, shift)
    size = rng.multinomial(n, np.broadcast_to(SHARE[:, None] / 6, (2, 6, 3)).ravel(), sets).reshape(sets, 2, 6, 3)
    none, everyone, usual = np.moveaxis(size, -1, 0)
    two = [none, rng.binomial(none, m["p0"]), everyone, rng.binomial(everyone, m["p1"])]
    chosen = rng.multinomial(usual, np.broadcast_to(m["s"], (sets, 2, 6, 4)))
    return np.concatenate([np.stack(two, axis=-1), chosen], axis=-1)


def _check(n, harm, lure, ear, charm, shift):
    whole = isinstance(n, (int, np.integer)) and not isinstance(n, bool)
    if not whole or not 600 <= n <= 1_000_000:
        raise ValueError(f"손님 수 n은 600에서 1,000,000 사이의 정수여야 합니다: {n!r}")
    for name, value, high in [
        ("harm", harm, 1.3),
        ("lure", lure, 1),
        ("ear", ear, 2),
        ("charm", charm, 1),
        ("shift", shift, 1),
    ]:
        number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        if not number or not 0 <= value <= high:
            raise ValueError(f"{name}은(는) 0에서 {high} 사이의 수여야 합니다: {value!r}")


def generate(seed=311, n=36_000, harm=1.0, lure=1.0, ear=1.0, charm=0.0, shift=0.0):
    """손님 n명의 팔, 제안, 유지와 두 잠재적 결과를 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        손님 수(600~1,000,000).
    harm : float
        역효과 손님에 곱하는 수(0~1.3). 0이면 제안 때문에 떠나는 손님이 없습니다(단조성).
    lure : float
        설득되는 손님에 곱하는 수(0~1). ``harm``과 함께 0이면 제안에 아무도 움직이지 않습니다.
    ear : float
        상담원이 말투를 알아듣는 정도(0~2). 0이면 교란이 없고 2면 거의 말투대로 제안합니다.
    charm : float
        상담원이 스스로 고른 제안은 더 잘 들어, 떠났을 손님 가운데 남는 비율(0~1). 0보다 크면 셋째 팔의 제안이 앞 팔의 제안과 다릅니다.
    shift : float
        셋째 팔에서 말투가 좋은 손님이 줄어드는 비율(0~1). 0보다 크면 다른 때의 기록입니다.

    Returns
    -------
    pandas.DataFrame
        손님의 순서. ``stay_0``과 ``stay_1``(잠재적 유지), ``warm``(말투)은 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, harm, lure, ear, charm, shift)
    rng = np.random.default_rng(seed)
    cell = rng.choice(6, n, p=SHARE)
    arm = rng.integers(3, size=n)  # 0 제안 없음, 1 모두 제안, 2 상담원
    warm = (rng.random(n) < np.where(arm == 2, 1 - shift, 1) * WARM[cell]).astype(int)
    kind = (rng.random(n)[:, None] > kinds(harm, lure).cumsum(-1)[cell, warm][:, :3]).sum(1)
    stay_1, stay_0 = (kind <= 1).astype(int), ((kind == 1) | (kind == 3)).astype(int)
    judged = (rng.random(n) < choices(ear)[cell, warm]).astype(int)
    offered = np.where(arm == 2, judged, arm)
    won = (arm == 2) & (offered == 1) & (rng.random(n) < charm)
    stayed = np.where(offered == 1, np.maximum(stay_1, won), stay_0)
    return pd.DataFrame(
        {
            "customer_id": np.arange(1, n + 1),
            "unused": (cell // 2 == 1).astype(int),
            "trouble": (cell // 2 == 2).astype(int),
            "contract": cell % 2,
            "arm": arm,
            "offered": offered,
            "stayed": stayed,
            "stay_0": stay_0,
            "stay_1": stay_1,
            "warm": warm,
        }
    )
