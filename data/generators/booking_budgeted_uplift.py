"""무료 조식 실험 데이터: 한 행이 숙소를 고르던 방문 한 번입니다.

방문마다 동전을 던져 무료 조식을 제안합니다. 조식은 어떤 손님에게는 예약의 까닭이 되고, 어떤 손님은 어차피 예약합니다.
예약하면 수수료를 벌고, 제안을 받고 예약하면 조식 값을 냅니다. ``targeted``가 참이면 동전 대신 예약할 것 같은 손님에게 더 제안합니다.
실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 2008, "n": 40_000, "targeted": False}

COMMISSION = 2.4
"""예약한 하룻밤에 버는 수수료(만 원)."""
BREAKFAST = 0.6
"""손님 한 사람의 조식 한 끼 값(만 원)."""


def _expit(value):
    return 1.0 / (1.0 + np.exp(-value))


def _check(n, targeted):
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 500:
        raise ValueError(f"방문 수 n은 500 이상의 정수여야 합니다: {n!r}")
    if not isinstance(targeted, (bool, np.bool_)):
        raise ValueError(f"targeted는 참이나 거짓이어야 합니다: {targeted!r}")


def generate(seed=2008, n=40_000, targeted=False):
    """방문 n번의 제안, 예약, 수수료, 조식 값과 두 예약 확률을 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        방문 수(500 이상).
    targeted : bool
        참이면 예약할 것 같은 손님에게 더 자주 제안합니다(무작위가 아닙니다).

    Returns
    -------
    pandas.DataFrame
        방문 하나가 한 행. 돈은 만 원입니다. ``chance``, ``book_0``, ``book_1``은 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, targeted)
    rng = np.random.default_rng(seed)
    nights = 1 + rng.binomial(6, 0.22, n)
    guests = 1 + rng.binomial(1, 0.55, n) + rng.binomial(2, 0.15, n)
    family = (guests >= 3).astype(int)
    loyal = rng.binomial(1, 0.3, n)
    business = rng.binomial(1, np.where(guests == 1, 0.5, 0.08))
    coupons = rng.binomial(1, np.where(loyal == 1, 0.45, 0.25))
    lead = np.round(np.exp(rng.normal(2.2, 0.8, n)), 0)

    usual = -1.9 + 0.9 * loyal + 0.6 * business - 0.25 * np.log1p(lead) / 1.5 + 0.15 * coupons
    push = 0.20 + 0.75 * coupons + 0.35 * family - 0.45 * business - 0.25 * loyal + 0.06 * (nights - 2)
    book_0, book_1 = _expit(usual), _expit(usual + push)
    chance = _expit(-0.2 + 1.6 * (usual + 1.8)) if targeted else np.full(n, 0.5)
    offered = rng.binomial(1, chance)
    booked = (rng.random(n) < np.where(offered == 1, book_1, book_0)).astype(int)
    return pd.DataFrame(
        {
            "visit_id": np.arange(1, n + 1),
            "nights": nights,
            "guests": guests,
            "loyal": loyal,
            "business": business,
            "coupons": coupons,
            "lead_days": lead.astype(int),
            "offered": offered,
            "booked": booked,
            "commission": np.round(COMMISSION * nights * booked, 2),
            "breakfast_cost": np.round(BREAKFAST * nights * guests * booked * offered, 2),
            "chance": np.round(chance, 5),
            "book_0": np.round(book_0, 5),
            "book_1": np.round(book_1, 5),
        }
    )
