"""집 앞 배송 데이터: 한 행이 픽업 거점에 딸린 배송 구역 하나의 한 달입니다.

거점의 넷 가운데 셋이 7, 10, 13개월째에 집 앞 배송을 시작합니다. 구역이 멀고 많이 사는 거점부터 시작합니다. 효과는 넉 달에 걸쳐 자라고,
먼 구역과 구매가 많은 구역에서 크며 고령 가구가 많은 구역에서 작습니다. 고령 구역은 조금 더 멉니다. 명절의 오르내림은 구매에 비례합니다.
``hidden``은 기록에 없는 추세입니다. "rising"이면 시작할 거점의 수요가 본래 오르고, "young"이면 그 거점의 젊은 구역만 오릅니다.
``notice``는 시작을 미리 알린 달의 수이고 그동안 손님이 주문을 미룹니다. ``switching``은 시작하지 않은 거점의 손님이 옮겨 가서 줄어드는
구매입니다. ``response``가 "flat"이면 효과가 구역마다 같습니다. 실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 2021, "n": 240, "hidden": "none", "notice": 0, "switching": 0.0, "response": "uneven"}

MONTHS = 18
"""지켜본 달의 수."""
WAVES = (7, 10, 13)
"""집 앞 배송을 시작한 달. 거점의 4분의 1씩 시작하고 나머지는 끝까지 시작하지 않습니다."""
ZONES = 5
"""거점 하나에 딸린 구역의 수."""
RAMP = 4
"""효과가 다 자라는 데 걸리는 달의 수."""
SLOPE = 0.25
"""기록에 없는 추세(천 원/가구·월, 한 달에). 시작하고 여섯 달째에 멈춥니다."""
HIDDEN = ("none", "rising", "young")
RESPONSES = ("uneven", "flat")


def _check(n, hidden, notice, switching, response):
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or not 40 <= n <= 40_000 or n % 8:
        raise ValueError(f"거점 수 n은 40에서 40,000 사이의 8의 배수여야 합니다: {n!r}")
    for name, value, allowed in [("hidden", hidden, HIDDEN), ("response", response, RESPONSES)]:
        if not isinstance(value, str) or value not in allowed:
            raise ValueError(f"{name}은(는) {', '.join(allowed)} 가운데 하나여야 합니다: {value!r}")
    if not isinstance(notice, (int, np.integer)) or isinstance(notice, bool) or not 0 <= notice <= 4:
        raise ValueError(f"미리 알린 달 notice는 0에서 4 사이의 정수여야 합니다: {notice!r}")
    number = isinstance(switching, (int, float, np.number)) and not isinstance(switching, bool)
    if not number or not 0 <= switching <= 20:
        raise ValueError(f"옮겨 간 구매 switching은 0에서 20 사이(천 원/가구·월)여야 합니다: {switching!r}")


def generate(seed=2021, n=240, hidden="none", notice=0, switching=0.0, response="uneven"):
    """거점 n곳, 구역 5n곳의 18개월 구매와 집 앞 배송이 없었을 때의 구매를 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        거점 수(40에서 40,000 사이의 8의 배수). 행은 90n개입니다.
    hidden : {"none", "rising", "young"}
        기록에 없는 추세. 시작할 거점의 모든 구역이 오르거나 그 거점의 젊은 구역만 오릅니다.
    notice : int
        시작을 미리 알린 달의 수(0~4). 그동안 다 자란 효과의 절반만큼 주문을 미룹니다.
    switching : float
        9개월째부터 시작하지 않은 거점이 잃는 구매(0~20, 천 원/가구·월).
    response : {"uneven", "flat"}
        효과가 구역마다 다른지, 모든 구역에서 6천 원인지.

    Returns
    -------
    pandas.DataFrame
        거점, 구역, 달의 순서. 구매의 단위는 가구마다 천 원/월입니다. 시작하지 않은 거점의 ``launch_month``는 비어 있습니다.
        ``spend_0``와 ``effect``는 정답 열이고 둘을 더하면 반올림을 빼고 ``spend``입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, hidden, notice, switching, response)
    rng = np.random.default_rng(seed)
    remote, old = rng.normal(size=(2, n, 1))
    away = 0.3 * remote + 0.4 * rng.normal(size=(n, ZONES))
    distance = np.round(np.clip(650 * np.exp(away), 100, 2_500), -1)
    logit = -1.1 + 0.5 * old + 0.5 * away + 0.55 * rng.normal(size=(n, ZONES))
    elder = np.round(100 / (1 + np.exp(-logit)), 1)
    past = 150 - (elder - 25) + rng.normal(0, 18, (n, 1)) + rng.normal(0, 20, (n, ZONES))
    past = np.round(np.clip(past, 40, 300), 1)

    pull = 0.8 * remote[:, 0] + 0.6 * (past.mean(axis=1) - 148) / 20 + rng.normal(size=n)
    wave = np.full(n, 10_000)
    for place, month in enumerate(WAVES):  # 당기는 힘이 센 거점부터 4분의 1씩
        wave[np.argsort(-pull)[place * n // 4 : (place + 1) * n // 4]] = month
    started = (wave <= MONTHS)[:, None, None]

    month = np.arange(1, MONTHS + 1)
    season = 0.004 * month + 0.04 * np.sin(2 * np.pi * (month - 2) / 12) + rng.normal(0, 0.012, MONTHS)
    shock = np.empty((n, MONTHS))  # 거점이 함께 겪는 일은 한 달 만에 잊히지 않습니다
    shock[:, 0] = rng.normal(0, 6, n)
    for k in range(1, MONTHS):
        shock[:, k] = 0.6 * shock[:, k - 1] + rng.normal(0, 4.8, n)
    noise = rng.normal(0, 9, (n, ZONES, MONTHS))
    grown = SLOPE * np.minimum(month, wave[:, None] + 5)[:, None] * started
    touched = {"none": 0.0, "rising": 1.0, "young": 2.0 * (elder < 25)[..., None]}[hidden]
    lost = switching * (~started) * (month >= 9)
    spend_0 = past[..., None] * (1 + season) + shock[:, None] + noise + touched * grown

    share = 0.02 + 0.10 / (1 + np.exp(-(distance - 800) / 150))
    full = share * past * np.clip(1.6 - 0.024 * elder, 0.1, None)
    full = np.full_like(full, 6.0) if response == "flat" else full
    since = month - wave[:, None, None]
    early = (since < 0) & (since >= -notice)
    effect = full[..., None] * (np.clip((since + 1) / RAMP, 0, 1) - 0.5 * early)
    station = np.repeat(np.arange(1, n + 1), ZONES * MONTHS)
    fixed = {"distance": distance.astype(int), "elder_share": elder, "past_spend": past}
    return pd.DataFrame(
        {
            "station_id": station,
            "zone_id": np.repeat(np.arange(1, n * ZONES + 1), MONTHS),
            "month": np.tile(month, n * ZONES),
            **{name: np.repeat(value.ravel(), MONTHS) for name, value in fixed.items()},
            "launch_month": np.repeat(np.where(wave <= MONTHS, wave, np.nan), ZONES * MONTHS),
            "home_delivery": np.broadcast_to(since >= 0, effect.shape).astype(int).ravel(),
            "spend": np.round(spend_0 - lost + effect, 1).ravel(),
            "spend_0": np.round(spend_0 - lost, 1).ravel(),
            "effect": np.round(effect, 2).ravel(),
        },
        copy=False,
    )
