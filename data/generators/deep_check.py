"""정밀 점검 데이터: 정수기를 빌려 쓰는 집 한 곳이 한 행입니다.

렌털 회사의 지점은 불만을 접수한 집부터 정밀 점검을 보냈습니다. 그런 집은 소모품을 덜 삽니다.
그래서 단순 비교는 효과를 실제보다 작게 봅니다. 여유 기사의 수는 정밀 점검만 움직이고, 지난 구매는 결과만 움직입니다.
만족 점수는 매개자이고, 앱 회원은 처치와 지난 구매의 충돌부입니다.
실제 회사의 자료가 아니라 3주차를 위해 만든 모의 데이터입니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 307, "n": 8000, "assignment": "branch", "hidden": 0.0, "rule": False}

ASSIGNMENTS = ("branch", "coin")


def _check(n, assignment, hidden, rule):
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 50:
        raise ValueError(f"집의 수 n은 50 이상의 정수여야 합니다: {n!r}")
    if assignment not in ASSIGNMENTS:
        raise ValueError(f"assignment는 {ASSIGNMENTS} 가운데 하나여야 합니다: {assignment!r}")
    if isinstance(hidden, (bool, str)) or not 0 <= hidden <= 1:
        raise ValueError(f"숨은 성향의 힘 hidden은 0에서 1 사이의 수여야 합니다: {hidden!r}")
    if not isinstance(rule, (bool, np.bool_)):
        raise ValueError(f"rule은 True나 False여야 합니다: {rule!r}")
    if rule and assignment == "coin":
        raise ValueError("지점의 규칙(rule=True)에는 assignment가 'branch'여야 합니다. 동전에는 규칙이 없습니다.")


def generate(seed=307, n=8000, assignment="branch", hidden=0.0, rule=False):
    """집 n곳의 관측값과 두 잠재적 결과를 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        집의 수(50 이상).
    assignment : {"branch", "coin"}
        "branch"이면 지점이 불만, 대수, 여유 기사를 보고 고릅니다. "coin"이면 절반을 동전으로 고릅니다.
    hidden : float
        기록되지 않는 살림 성향이 점검과 구매를 함께 움직이는 힘(0에서 1).
        0이면 성향은 지난 구매에만 흔적을 남깁니다.
    rule : bool
        참이면 불만을 접수했고 정수기가 3대인 집에는 빠짐없이 정밀 점검을 보냅니다(양수성이 깨집니다).

    Returns
    -------
    pandas.DataFrame
        집 한 곳이 한 행. 금액은 천 원입니다. `taste`, `chance`, `spend_0`, `spend_1`은 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, assignment, hidden, rule)
    rng = np.random.default_rng(seed)

    taste = rng.uniform(-1.0, 1.0, n)
    machines = rng.choice([1, 2, 3], n, p=[0.45, 0.35, 0.20])
    age_years = rng.integers(1, 8, n)
    staffing = rng.integers(0, 4, n)
    past_spend = 10 * rng.poisson(3.6 + 1.5 * (machines - 1) + 3.0 * taste)
    complaint = rng.binomial(1, 0.04 + 0.07 * age_years)

    # 확률과 평균을 부모의 일차식으로 두어, 편상관으로 독립성을 바르게 검정할 수 있습니다.
    chance = 0.10 + 0.36 * complaint + 0.04 * (machines - 1) + 0.11 * staffing + 0.10 * hidden * taste
    if rule:
        chance = np.where((complaint == 1) & (machines == 3), 1.0, chance)
    if assignment == "coin":
        chance = np.full(n, 0.5)
    deep_check = rng.binomial(1, chance)

    rating_0 = 6.0 - 2.0 * complaint + rng.uniform(-2.0, 2.0, n)
    rating = rating_0 + 1.6 * deep_check
    sets = rng.poisson(0.39 + 0.15 * (machines - 1) - 0.27 * complaint + 0.006 * past_spend + 0.12 * hidden * taste)
    few = rng.poisson(0.25 * (rating_0 - 2.0))
    through_rating = rng.poisson(0.25 * 1.6, n)
    at_once = rng.poisson(0.8, n)
    spend_0 = 40 * sets + 8 * few
    spend_1 = spend_0 + 8 * (through_rating + at_once)
    app_member = rng.binomial(1, 0.05 + 0.30 * deep_check + 0.004 * np.minimum(past_spend, 160))

    return pd.DataFrame(
        {
            "home_id": np.arange(1, n + 1),
            "machines": machines,
            "age_years": age_years,
            "complaint": complaint,
            "staffing": staffing,
            "past_spend": past_spend,
            "deep_check": deep_check,
            "rating": np.round(rating, 1),
            "app_member": app_member,
            "spend": np.where(deep_check == 1, spend_1, spend_0),
            "taste": np.round(taste, 4),
            "chance": np.round(chance, 4),
            "spend_0": spend_0,
            "spend_1": spend_1,
        }
    )
