"""안내 메일 데이터: 한 행이 손님 한 명입니다.

손님의 절반에게 새 기능을 알리는 메일을 무작위로 보냈습니다. 기능은 누구에게나 열려 있어 메일 없이 켜는 사람도 있습니다.
메일을 받으면 켜는 사람(순응자), 받아도 켜지 않는 사람, 받지 않아도 켜는 사람이 있고, 앱을 많이 쓰는 사람일수록 잘 켭니다.
옛 앱을 쓰는 손님의 화면에는 기능이 없습니다. ``nudge``가 0보다 크면 메일 자체가 기능 없이도 운행을 늘립니다(배제 제약이 깨집니다).
실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 1106, "n": 40_000, "nudge": 0.0, "pull": -0.55}

OLD_APP = 0.15
"""옛 앱을 쓰는 손님의 몫."""
EFFECT = {"new": 1.3, "regular": 0.7, "always": 1.0, "never": 0.1}
"""기능이 늘리는 28일 운행의 평균(회). 앞의 둘은 순응자 가운데 가입 반년 안과 그 뒤입니다."""


def _check(n, nudge, pull):
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 100:
        raise ValueError(f"손님 수 n은 100 이상의 정수여야 합니다: {n!r}")
    if isinstance(nudge, bool) or not isinstance(nudge, (int, float, np.number)) or not 0 <= nudge <= 1:
        raise ValueError(f"메일 자체의 효과 nudge는 0에서 1 사이(회)여야 합니다: {nudge!r}")
    if isinstance(pull, bool) or not isinstance(pull, (int, float, np.number)) or not -8 <= pull <= 3:
        raise ValueError(f"메일의 당기는 힘 pull은 -8에서 3 사이(로그 오즈)여야 합니다: {pull!r}")


def generate(seed=1106, n=40_000, nudge=0.0, pull=-0.55):
    """손님 n명의 메일, 기능 사용, 운행과 두 잠재적 결과를 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n : int
        손님 수(100 이상).
    nudge : float
        메일이 기능을 거치지 않고 늘리는 28일 운행의 평균(0~1회).
    pull : float
        참여가 보통인 손님이 메일을 받고 기능을 켤 로그 오즈(-8~3). 작을수록 약한 도구입니다.

    Returns
    -------
    pandas.DataFrame
        손님의 순서. ``kind``("complier", "always", "never"), ``effect``(기능의 개별 효과), ``trips_0``(메일도 기능도 없을 때의 운행)은 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(n, nudge, pull)
    rng = np.random.default_rng(seed)
    engagement = rng.normal(0.0, 1.0, n)  # 기록에 남지 않는 참여
    months = np.minimum(rng.geometric(1 / 14, n), 60)
    old_app = rng.binomial(1, OLD_APP, n)
    before = rng.poisson(np.exp(1.1 + 0.35 * engagement))
    mail = rng.binomial(1, 0.5, n)

    always = rng.random(n) < 1 / (1 + np.exp(4.0 - engagement))
    moved = rng.random(n) < 1 / (1 + np.exp(-pull - 0.9 * engagement))
    kind = np.where(old_app == 1, "never", np.where(always, "always", np.where(moved, "complier", "never")))
    mean = np.select(
        [kind == "always", (kind == "complier") & (months <= 6), kind == "complier"],
        [EFFECT["always"], EFFECT["new"], EFFECT["regular"]],
        EFFECT["never"],
    )
    trips_0 = rng.poisson(np.exp(1.1 + 0.35 * engagement))
    effect = rng.poisson(mean)
    direct = rng.poisson(nudge, n)
    used = np.where(kind == "always", 1, np.where(kind == "complier", mail, 0))
    return pd.DataFrame(
        {
            "user_id": np.arange(1, n + 1),
            "months": months,
            "trips_before": before,
            "old_app": old_app,
            "mail": mail,
            "used": used,
            "trips": trips_0 + used * effect + mail * direct,
            "kind": kind,
            "effect": effect,
            "trips_0": trips_0,
        }
    )
