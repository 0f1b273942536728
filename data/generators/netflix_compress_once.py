"""첫 화면 실험 데이터: 한 행이 회원의 한 주입니다.

스트리밍 서비스가 새 첫 화면을 회원에게 무작위로 열었습니다. 여는 비율은 나라마다 다릅니다. 회원마다 네 주의 시청 시간(분)이 있습니다.
효과는 나라, 기기, 가입 기간의 400칸마다 다릅니다. 같은 회원의 네 주는 서로 닮았습니다. 실제 회사의 자료가 아닙니다.

천만 행까지 만들기 위해 DuckDB 안에서 정수 셈만으로 만듭니다. 난수는 회원 번호의 해시이고, 해시의 16비트 조각 넷을 더해 종 모양을 얻습니다. DuckDB는 여러 값의 해시를 배타적 논리합으로 섞어
마지막 값만 다른 두 해시가 닮으므로, 한 번 더 해시합니다.
정수 셈이라 스레드의 수나 더하는 차례가 바뀌어도 한 자리도 달라지지 않습니다.
"""

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 11, "members": 5_000}

WEEKS = 4
"""회원마다의 주."""
DEVICES = ("휴대전화", "텔레비전", "컴퓨터", "태블릿")
TENURES = ("한 달 안", "반년 안", "1년 안", "3년 안", "그 뒤")
COUNTRIES = 20
SHARES = {
    "country": (160, 140, 120, 100, 90, 75, 65, 55, 45, 36, 30, 25, 20, 16, 13, 11, 9, 6, 5, 3),
    "device": (430, 320, 170, 104),
    "tenure": (150, 200, 210, 250, 214),
}
"""천이십사 가운데 몇인지. 칸의 참 몫은 셋의 곱입니다."""
OPEN = (102, 102, 154, 154, 205, 205, 256, 256, 307, 307, 358, 358, 410, 410, 461, 461, 512, 512, 512, 512)
"""나라마다 새 화면을 여는 확률(천이십사 가운데 몇). 큰 나라에서 조심스럽게 열었습니다."""
BASE = (980, 960, 940, 920, 900, 880, 860, 850, 840, 830, 820, 810, 800, 790, 780, 770, 760, 750, 740, 730)
"""나라마다 새 화면이 없을 때의 주간 시청(분)."""
DEVICE_BASE, TENURE_BASE = (-40, 60, 10, -20), (30, 10, 0, -10, -20)
EFFECT = {
    "all": 8,
    "country": (3, -4, 2, 5, -6, 1, -2, 6, -5, 0, 4, -3, 7, -7, 2, -1, 5, -4, 6, -6),
    "device": (0, 8, -6, 2),
    "tenure": (7, 3, 0, -3, -5),
}
"""칸의 참 효과(분/주)는 넷의 합입니다."""
MEMBER_SD, WEEK_SD = 90, 110
"""회원마다의 버릇과 주마다의 흔들림(분)."""


def _check(seed, members):
    if not isinstance(seed, (int, np.integer)) or isinstance(seed, bool) or not 0 <= seed < 2**31:
        raise ValueError(f"씨앗 seed는 0 이상의 정수여야 합니다: {seed!r}")
    if not isinstance(members, (int, np.integer)) or isinstance(members, bool) or not 100 <= members <= 50_000_000:
        raise ValueError(f"회원 수 members는 100에서 5천만 사이의 정수여야 합니다: {members!r}")


def _pick(bits: str, shares) -> str:
    """0~1023의 수를 몫대로 0, 1, 2 …로 나누는 SQL."""
    edges = np.cumsum(shares)
    return (
        "CASE "
        + " ".join(f"WHEN {bits} < {edge} THEN {k}" for k, edge in enumerate(edges[:-1]))
        + f" ELSE {len(edges) - 1} END"
    )


def _lookup(column: str, values) -> str:
    return f"([{', '.join(str(v) for v in values)}])[{column} + 1]"


def _bell(word: str, sd: int) -> str:
    """64비트 해시에서 평균이 0에 가깝고 표준편차가 sd인 정수."""
    pieces = " + ".join(f"(({word} >> {16 * k}) & 65535)::INTEGER" for k in range(4))
    return f"(({pieces}) * {sd} // 37837 - {131070 * sd // 37837})"


def write_table(connection, name="weeks", seed=11, members=5_000):
    """DuckDB에 회원-주의 표를 만듭니다. 행은 4 × members개입니다.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    name : str
        만들 표의 이름(영어 글자와 밑줄). 있으면 갈아 끼웁니다.
    seed, members : int

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(seed, members)
    if not str(name).isidentifier():
        raise ValueError(f"표의 이름은 영어 글자와 밑줄로 된 이름이어야 합니다: {name!r}")
    effect = f"{EFFECT['all']} + " + " + ".join(_lookup(c, EFFECT[c]) for c in ("country", "device", "tenure"))
    connection.execute(f"""
        CREATE OR REPLACE TABLE {name} AS
        WITH draw AS (
            SELECT i AS member_id, hash(hash(i, {seed}, 1)) AS a, hash(hash(i, {seed}, 2)) AS b FROM range({members}) numbers(i)
        ), place AS (
            SELECT member_id, b, {_pick("(a & 1023)", SHARES["country"])} AS country,
                {_pick("((a >> 10) & 1023)", SHARES["device"])} AS device, {_pick("((a >> 20) & 1023)", SHARES["tenure"])} AS tenure,
                ((a >> 30) & 1023)::INTEGER AS coin
            FROM draw
        ), person AS (
            SELECT member_id, country, device, tenure, (coin < {_lookup("country", OPEN)})::INTEGER AS new_home, {_bell("b", MEMBER_SD)} AS habit
            FROM place
        )
        SELECT (member_id + 1)::INTEGER AS member_id, week::TINYINT AS week, country::TINYINT AS country, device::TINYINT AS device,
            tenure::TINYINT AS tenure, new_home::TINYINT AS new_home,
            ({_lookup("country", BASE)} + {_lookup("device", DEVICE_BASE)} + {_lookup("tenure", TENURE_BASE)} + habit
                + {_bell(f"hash(hash(member_id, {seed}, 2 + week))", WEEK_SD)} + new_home * ({effect}))::SMALLINT AS minutes,
            ({effect})::SMALLINT AS effect
        FROM person, range(1, {WEEKS + 1}) calendar(week)
    """)


def cells():
    """400칸의 참 효과와 참 몫.

    Returns
    -------
    pandas.DataFrame
        country, device, tenure, effect(분/주), share(회원의 몫), opened(여는 확률).
    """
    grid = pd.MultiIndex.from_product(
        [range(COUNTRIES), range(len(DEVICES)), range(len(TENURES))], names=["country", "device", "tenure"]
    )
    table = grid.to_frame(index=False)
    table["effect"] = EFFECT["all"] + sum(np.take(EFFECT[c], table[c]) for c in ("country", "device", "tenure"))
    table["share"] = np.prod([np.take(SHARES[c], table[c]) / 1024 for c in ("country", "device", "tenure")], axis=0)
    table["opened"] = np.take(OPEN, table["country"]) / 1024
    return table


def generate(seed=11, members=5_000):
    """회원 members명의 네 주를 표로 돌려줍니다.

    Parameters
    ----------
    seed : int
        난수 씨앗(0 이상). 같은 값이면 같은 표가 나옵니다.
    members : int
        회원 수(100~5천만). 행은 네 배입니다.

    Returns
    -------
    pandas.DataFrame
        회원과 주의 순서. ``effect``(그 회원의 참 효과, 분/주)는 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    import duckdb

    with duckdb.connect() as connection:
        write_table(connection, "weeks", seed, members)
        return connection.execute("SELECT * FROM weeks ORDER BY member_id, week").df()
