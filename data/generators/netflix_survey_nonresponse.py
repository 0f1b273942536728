"""설문 보상 실험 데이터: 한 행이 설문 초대를 받은 회원 한 명입니다.

구독 서비스가 초대장에 적을 보상을 동전으로 나누었습니다. 보상은 답하지 않던 회원을 불러들이고, 가볍게 보는 회원일수록 더 많이 불러들입니다.
그들은 원래 덜 성의 있게 답하므로, 답한 회원끼리 견주면 보상이 응답의 질을 크게 떨어뜨린 것처럼 보입니다. 같은 회원에게 보상이 주는 영향은 작습니다.
``hidden``은 기록에 없는 성의(``diligence``)가 응답을 가르는 세상입니다. "none"이면 활동과 가입 기간이 같은 회원 안에서 응답은 성의와 무관합니다.
"money"는 성의가 적은 회원이, "busy"는 성의가 많은 회원이 새로 답합니다. "swap"은 새로 답하는 만큼 성의 있는 회원이 그만두어 응답률이 같습니다.
실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 2024, "n": 60_000, "hidden": "none", "design": "letter", "harm": 1.0}

HIDDEN = ("none", "money", "busy", "swap")
DESIGN = ("letter", "after_start")
INVITED = np.array([[0.2475, 0.2025], [0.2376, 0.0924], [0.1760, 0.0440]])
"""초대한 회원의 구성. 행은 활동(가벼움, 보통, 열심), 열은 가입 기간(1년 이상, 1년 미만)."""
MEMBERS = np.array([[0.275, 0.275], [0.21, 0.09], [0.115, 0.035]])
"""회원 전체의 구성. 알림을 켠 회원만 초대했으므로 ``INVITED``와 다릅니다."""
ANSWER = np.array([[0.20, 0.40], [0.36, 0.48], [0.58, 0.63]])
"""활동마다 옛 보상과 새 보상의 응답 확률(가입 1년 이상)."""
NEW_MEMBER = 0.8
"""가입 1년 미만인 회원의 응답 확률에 곱하는 값."""
BASE_QUALITY = np.array([1.2, 2.0, 2.8])
"""활동마다 성의 있게 답할 로그 오즈(성의가 평균일 때)."""
DROP = np.array([0.018, 0.010, 0.004])
"""활동마다, 성의 있게 답할 회원이 새 보상 때문에 대충 답할 확률."""


def _expit(value):
    return 1.0 / (1.0 + np.exp(-value))


def _check(n, hidden, design, harm):
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or not 500 <= n <= 5_000_000:
        raise ValueError(f"초대한 회원 수 n은 500에서 5,000,000 사이의 정수여야 합니다: {n!r}")
    for name, value, allowed in [("hidden", hidden, HIDDEN), ("design", design, DESIGN)]:
        if not isinstance(value, str) or value not in allowed:
            raise ValueError(f"{name}은(는) {', '.join(allowed)} 가운데 하나여야 합니다: {value!r}")
    number = isinstance(harm, (int, float, np.number)) and not isinstance(harm, bool)
    if not number or not 0 <= harm <= 10:
        raise ValueError(f"보상이 질을 해치는 정도 harm은 0에서 10 사이의 수여야 합니다: {harm!r}")


def generate(seed=2024, n=60_000, hidden="none", design="letter", harm=1.0):
    """초대한 회원 n명의 응답과 응답의 질, 두 보상에서의 잠재적 결과를 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        초대한 회원 수(500~5,000,000).
    hidden : {"none", "money", "busy", "swap"}
        새 보상에 응답할지가 기록에 없는 성의와 어떻게 이어지는지.
    design : {"letter", "after_start"}
        "letter"는 초대장에 새 보상을 적어 알리고, "after_start"는 모두 옛 보상으로 초대한 뒤 답하기 시작한 회원에게만 알립니다.
    harm : float
        보상이 응답의 질을 해치는 정도를 ``DROP``의 몇 배로 할지(0~10). 0이면 효과가 없습니다.

    Returns
    -------
    pandas.DataFrame
        n행. ``sincere``는 답하지 않았으면 빈칸입니다. ``diligence``, ``answers_``, ``sincere_``로 시작하는 열은 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, hidden, design, harm)
    rng = np.random.default_rng(seed)
    cell = rng.choice(6, n, p=INVITED.ravel())
    activity, new = cell // 2, cell % 2
    diligence = np.round(rng.normal(size=n), 2)
    profile = (rng.random(n) < _expit(0.3 + diligence)).astype(int)
    incentive = (rng.random(n) < 0.5).astype(int)

    scale = np.where(new == 1, NEW_MEMBER, 1.0)
    chance_0, chance_1 = (scale * ANSWER[activity, k] for k in (0, 1))
    pull = 2 * _expit(1.5 * diligence)  # 평균이 1인 성의의 몫
    if hidden == "money":
        chance_1 = chance_0 + (chance_1 - chance_0) * (2 - pull)
    elif hidden == "busy":
        chance_1 = chance_0 + (chance_1 - chance_0) * pull
    elif hidden == "swap":
        chance_1 = chance_0 * (1 + 0.6 * (1 - pull))
    luck = rng.random(n)
    answers_0, answers_1 = (luck < chance_0).astype(int), (luck < chance_1).astype(int)

    sincere_0 = (rng.random(n) < _expit(BASE_QUALITY[activity] - 0.2 * new + 0.9 * diligence)).astype(int)
    sincere_1 = sincere_0 * (rng.random(n) >= np.minimum(harm * DROP[activity], 1.0))
    responded = answers_0 if design == "after_start" else np.where(incentive == 1, answers_1, answers_0)
    sincere = np.where(incentive == 1, sincere_1, sincere_0)
    return pd.DataFrame(
        {
            "member_id": np.arange(1, n + 1),
            "activity": activity,
            "new_member": new,
            "profile": profile,
            "incentive": incentive,
            "responded": responded,
            "sincere": np.where(responded == 1, sincere, np.nan),
            "diligence": diligence,
            "answers_0": answers_0,
            "answers_1": answers_1,
            "sincere_0": sincere_0,
            "sincere_1": sincere_1,
        }
    )
