"""발주 추천 데이터: 편의점 한 점포의 4주가 한 행입니다.

본사가 점포의 절반을 추첨해 영업담당자를 보내고 '발주 추천'을 켜 보라고 권합니다. 켤지는 점주가 정합니다. 발주 감이 없어
장사가 안 되는 점주일수록 잘 켜고, 그런 점포에서 효과도 큽니다. 발주 감은 기록에 남지 않습니다. 발주 앱의 알림도 따로
추첨했지만 앱으로 발주하는 점포만 알림을 봅니다. ``direct``가 0이 아니면 방문 자체가 이익을 바꾸고(배제 제약),
``defiance``가 0보다 크면 권할수록 끄는 점주가 있습니다(단조성). 실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 1101, "n": 8_000, "pull": 1.1, "selection": -0.9, "direct": 0.0, "defiance": 0.0}

BAR = 1.5
"""권유가 없을 때 켜는 문턱(표준정규 척도)."""
NOTICE = 0.6
"""앱으로 발주하는 점포에서 알림이 문턱을 낮추는 크기."""


def _check(n, pull, selection, direct, defiance):
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 100:
        raise ValueError(f"점포 수 n은 100 이상의 정수여야 합니다: {n!r}")
    for name, value, low, high in [
        ("방문의 힘 pull", pull, 0.0, 3.0),
        ("발주 감이 켜기에 주는 힘 selection", selection, -5.0, 5.0),
        ("방문 자체의 효과 direct", direct, -50.0, 50.0),
        ("반항하는 점포의 몫 defiance", defiance, 0.0, 0.5),
    ]:
        if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not low <= value <= high:
            raise ValueError(f"{name}은 {low:g}에서 {high:g} 사이의 수여야 합니다: {value!r}")


def generate(seed=1101, n=8_000, pull=1.1, selection=-0.9, direct=0.0, defiance=0.0):
    """점포 n곳의 추첨, 발주 추천 사용, 이익과 잠재적 결과를 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        점포 수(100 이상).
    pull : float
        방문이 켜는 문턱을 낮추는 크기(0~3, 표준정규 척도). 0이면 방문이 아무도 움직이지 못합니다.
    selection : float
        발주 감이 켜려는 마음에 주는 힘(-5~5). 음수이면 감이 없는 점주가 잘 켭니다. 켜는 비율은 바뀌지 않습니다.
    direct : float
        방문 자체가 바꾸는 4주 이익(-50~50만 원). 0이면 배제 제약이 성립합니다.
    defiance : float
        권하지 않으면 켜고 권하면 끄는 점포의 몫(0~0.5). 0이면 단조성이 성립합니다.

    Returns
    -------
    pandas.DataFrame
        한 점포가 한 행. 돈은 만 원입니다. ``kind``(자기 알림에서 방문에 따라 켜는 꼴), ``effect``(켤 때의 개별 효과),
        ``profit_0``(방문도 추천도 없을 때의 이익)은 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, pull, selection, direct, defiance)
    rng = np.random.default_rng(seed)
    skill = rng.normal(0.0, 1.0, n)  # 기록에 남지 않는 발주 감
    size = np.clip(np.round(rng.lognormal(3.0, 0.3, n)), 8, 60)
    station = rng.binomial(1, 0.3, n)
    app = rng.binomial(1, 0.4, n)
    visit = rng.binomial(1, 0.5, n)
    notice = rng.binomial(1, 0.5, n)

    base = 420.0 + 5.0 * size + 60.0 * station + 75.0 * skill
    past = base + rng.normal(0.0, 60.0, n)
    profit_0 = base + rng.normal(0.0, 60.0, n)
    effect = 25.0 - 18.0 * skill + 20.0 * app + rng.normal(0.0, 10.0, n)

    will = (selection * skill + rng.normal(0.0, 1.0, n)) / np.hypot(selection, 1.0)
    bar = BAR - NOTICE * app * notice
    stubborn = rng.random(n) < np.minimum(
        1.0, 2.0 * defiance / (1.0 + np.exp(-skill))
    )  # 감이 좋은 점주가 더 반항합니다
    on_0 = np.where(stubborn, True, will > bar)
    on_1 = np.where(stubborn, False, will > bar - pull)
    used = np.where(visit == 1, on_1, on_0).astype(int)
    kind = np.array(["never", "defier", "complier", "always"], dtype=object)[2 * on_1 + on_0]
    return pd.DataFrame(
        {
            "store_id": np.arange(1, n + 1),
            "size": size.astype(int),
            "station": station,
            "app_order": app,
            "past_profit": np.round(past, 1),
            "visit": visit,
            "notice": notice,
            "used": used,
            "profit": np.round(profit_0 + used * effect + visit * direct, 1),
            "kind": kind,
            "effect": np.round(effect, 2),
            "profit_0": np.round(profit_0, 1),
        }
    )
