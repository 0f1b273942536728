"""수입 그래프와 문의 데이터: 앱을 쓰는 드라이버 한 명이 한 행입니다.

앱에 수입 그래프를 보일지, 짧은 설명 영상의 링크를 보낼지를 따로따로 추첨했습니다. 두 주 뒤에 수입 계산을 얼마나
이해하는지 퀴즈로 재고, 그 뒤 8주 동안 수입에 관한 문의를 셌습니다. 그래프는 이해를 거쳐서도, 거치지 않고도 문의를
줄입니다. 가입할 때의 점수가 높은 드라이버는 이해도 높고 문의도 적습니다. 실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 2018, "n": 4_000, "hidden": 0.0, "replace": 0.0, "blur": 0.0, "late": 0.0, "leak": 0.0}

SHIFT_GRAPH, SHIFT_VIDEO, SHIFT_TUTORIAL = 1.2, 0.9, 2.0
"""그래프, 영상 링크, 지으려는 튜토리얼이 이해를 올리는 폭(점)."""
SLOPE, DIRECT = -0.10, -0.05
"""이해 1점과 그래프가 문의의 로그에 주는 효과."""
FRAILTY = 0.3
"""기록으로 설명되지 않는 문의 성향의 표준편차(로그). 이해와는 무관합니다."""


def _number(name, value, low, high):
    fine = isinstance(value, (int, float, np.number)) and not isinstance(value, (bool, np.bool_))
    if not fine or not low <= value <= high:
        raise ValueError(f"{name}은(는) {low}에서 {high} 사이의 수여야 합니다: {value!r}")


def _check(n, hidden, replace, blur, late, leak):
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or not 200 <= n <= 2_000_000:
        raise ValueError(f"드라이버 수 n은 200에서 2,000,000 사이의 정수여야 합니다: {n!r}")
    for name, value, high in (
        ("hidden", hidden, 2),
        ("replace", replace, 0.1),
        ("blur", blur, 3),
        ("late", late, 1),
        ("leak", leak, 0.5),
    ):
        _number(name, value, 0, high)


def generate(seed=2018, n=4_000, hidden=0.0, replace=0.0, blur=0.0, late=0.0, leak=0.0):
    """드라이버 n명의 이해와 8주의 문의를 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        드라이버 수(200 이상).
    hidden : float
        기록에 없는 실력의 힘(0에서 2). 1이면 기록된 지난 점수와 비슷한 힘으로 이해를 올리고 문의를 줄입니다.
    replace : float
        그래프가 이해를 대신하는 정도(0에서 0.1). 0.1이면 그래프를 보는 드라이버에게는 이해가 소용없습니다.
    blur : float
        퀴즈의 측정오차의 표준편차(점).
    late : float
        퀴즈를 8주가 끝난 뒤에 볼 때, 문의 한 건이 올리는 이해(점). 0이면 문의 앞에 잽니다.
    leak : float
        영상이 이해를 거치지 않고 문의의 로그를 줄이는 폭. 0이면 영상은 이해만 바꿉니다.

    Returns
    -------
    pandas.DataFrame
        n행. 이해는 점, 문의는 건/8주입니다. ``skill``과 ``rate_``로 시작하는 열은 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, hidden, replace, blur, late, leak)
    rng = np.random.default_rng(seed)
    graph, video = np.zeros((2, n), int)
    graph[rng.permutation(n)[: n // 2]] = 1
    video[rng.permutation(n)[: n // 2]] = 1
    prior = np.round(2 * rng.normal(5.0, 1.5, n)).clip(0, 20) / 2
    hours = np.round(rng.normal(25.0, 8.0, n)).clip(2, 70).astype(int)
    skill = rng.normal(0.0, 1.0, n)
    past, long = prior - 5, (hours - 25) / 8

    own = 4.6 + 0.5 * past + 0.15 * long + 0.8 * hidden * skill + rng.normal(0.0, 1.0, n) + SHIFT_VIDEO * video
    shifts = (0.0, SHIFT_GRAPH, SHIFT_TUTORIAL, SHIFT_GRAPH + SHIFT_TUTORIAL)
    score = {shift: np.minimum(np.maximum(own + shift, 0), 10) for shift in shifts}
    person = np.exp(rng.normal(0.0, FRAILTY, n) - FRAILTY**2 / 2 - 0.12 * past + 0.25 * long - 0.2 * hidden * skill)

    bare = person * np.exp(0.05 - leak * video)

    def rate(t, shift):
        return bare * np.exp((SLOPE + replace * t) * (score[shift] - 5) + DIRECT * t)

    rates = {f"rate_{t}{m}": rate(t, SHIFT_GRAPH * m) for t in (0, 1) for m in (0, 1)}
    tickets = rng.poisson(np.where(graph, rates["rate_11"], rates["rate_00"]))
    seen = np.where(graph, score[SHIFT_GRAPH], score[0.0]) + late * tickets + blur * rng.normal(0.0, 1.0, n)
    return pd.DataFrame(
        {
            "driver_id": np.arange(1, n + 1),
            "prior_score": prior,
            "weekly_hours": hours,
            "past_tickets": rng.poisson(1.1 * person),
            "graph": graph,
            "video": video,
            "understanding": np.round(seen.clip(0, 10), 1),
            "tickets": tickets,
            "skill": np.round(skill, 3),
            **{name: np.round(value, 4) for name, value in rates.items()},
            "rate_tutorial": np.round(rate(0, SHIFT_TUTORIAL), 4),
            "rate_both": np.round(rate(1, SHIFT_GRAPH + SHIFT_TUTORIAL), 4),
        },
        copy=False,
    )
