"""생산 라인의 공정 시간: 한 행이 '제품 한 대'입니다. 투입에서 두 갈래(도포 → 경화 → 트리밍, 절삭 → 세척)로 나뉘었다가 접합에서 만납니다.

앞 공정의 지연은 일부가 뒤 공정으로 넘어가고, 습도는 경화, 세척, 접합을 함께 늦춥니다. ``today``가 1인 제품에서
``fault`` 공정의 잡음이 절댓값의 ``size``배가 됩니다. 실제 회사의 자료가 아닙니다.
"""

import numpy as np
import pandas as pd

STATIONS = ("load", "coat", "cure", "trim", "mill", "wash", "bond", "tune", "ship")
DEFAULTS = {
    "seed": 1912, "n": 4_000, "m": 300, "fault": "trim", "size": 6.0, "humid": 67.0, "wet": 1.0, "noise": "normal",
    "passing": "linear",
}  # fmt: skip

USUAL_HUMIDITY, HUMIDITY_SD = 55.0, 8.0  # 평소 습도의 평균과 표준편차(%)
LONGEST_WAIT = 8.0  # passing이 "capped"일 때 접합이 기다려 주는 트리밍의 지연(초)
USUAL = {
    "load": 20.0,
    "coat": 35.0,
    "cure": 50.0,
    "trim": 30.0,
    "mill": 45.0,
    "wash": 25.0,
    "bond": 40.0,
    "tune": 30.0,
    "ship": 40.0,
}
NOISE_SD = {
    "load": 2.0,
    "coat": 2.5,
    "cure": 2.5,
    "trim": 2.5,
    "mill": 2.5,
    "wash": 2.0,
    "bond": 2.0,
    "tune": 2.0,
    "ship": 2.0,
}
# 부모가 1초(습도는 1%) 늘 때 그 공정이 느려지는 초
PASSED_ON = {
    "load": {},
    "coat": {"load": 0.6},
    "cure": {"coat": 0.8, "humidity": 0.19},
    "trim": {"cure": 0.9},
    "mill": {"load": 0.6},
    "wash": {"mill": 0.8, "humidity": 0.15},
    "bond": {"trim": 0.9, "wash": 0.6, "humidity": 0.19},
    "tune": {"bond": 0.9, "wash": 0.3},
    "ship": {"tune": 0.9},
}


def _whole(name, value, low, high):
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"{name}은(는) {low} 이상 {high} 이하의 정수여야 합니다: {value!r}")


def _number(name, value, low, high):
    real = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not real or not low <= value <= high:  # NaN도 여기서 걸립니다
        raise ValueError(f"{name}은(는) {low:g} 이상 {high:g} 이하의 수여야 합니다: {value!r}")


def _word(name, value, allowed):
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name}은(는) {', '.join(allowed)} 가운데 하나여야 합니다: {value!r}")


def _line(noise, humidity, wet, passing):
    """공정마다의 시간(초). noise는 {공정: 잡음(초)}입니다."""
    late = {"humidity": wet * (humidity - USUAL_HUMIDITY)}
    for station in STATIONS:
        passed = 0.0
        for parent, slope in PASSED_ON[station].items():
            delay = late[parent]
            if passing == "capped" and (parent, station) == ("trim", "bond"):
                delay = np.minimum(delay, LONGEST_WAIT)
            passed = passed + slope * delay
        late[station] = noise[station] + passed
    return {station: USUAL[station] + late[station] for station in STATIONS}


def generate(
    seed=1912, n=4_000, m=300, fault="trim", size=6.0, humid=67.0, wet=1.0, noise="normal", passing="linear"
):  # fmt: skip
    """평소의 제품 n대와 오늘의 제품 m대를 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 같은 값이면 같은 표가 나옵니다.
    n, m : int
        평소의 제품(50에서 1,000,000까지)과 오늘의 제품(20에서 1,000,000까지).
    fault : str
        오늘 고장 난 공정. ``STATIONS``의 이름, "none"(고장 없음), "mixed"(제품마다 한 공정이 무작위로 고장) 가운데 하나.
    size : float
        고장 난 공정의 잡음이 커지는 배수(0에서 20까지).
    humid : float
        오늘 습도의 평균(%, 20에서 90까지).
    wet : float
        습도의 영향에 곱하는 수(0에서 3까지). 0이면 습도가 아무것도 늦추지 않습니다.
    noise : str
        "normal" 또는 "skewed"(평균과 표준편차는 같고 오른쪽 꼬리가 긴 잡음).
    passing : str
        "linear" 또는 "capped"(트리밍이 ``LONGEST_WAIT``초 넘게 늦으면 넘는 만큼은 접합이 기다리지 않음).

    Returns
    -------
    pandas.DataFrame
        n + m행. 시간의 단위는 초, 습도는 %입니다. ``culprit``과 ``ship_healthy``(고장이 없었을 때의 출하 검사 시간)는 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _whole("평소의 제품 수 n", n, 50, 1_000_000)
    _whole("오늘의 제품 수 m", m, 20, 1_000_000)
    _word("고장 난 공정 fault", fault, (*STATIONS, "none", "mixed"))
    _number("고장의 배수 size", size, 0, 20)
    _number("오늘의 습도 humid", humid, 20, 90)
    _number("습도의 세기 wet", wet, 0, 3)
    _word("잡음의 꼴 noise", noise, ("normal", "skewed"))
    _word("지연이 넘어가는 꼴 passing", passing, ("linear", "capped"))
    rng = np.random.default_rng(seed)
    rows = n + m
    today = np.arange(rows) >= n
    humidity = np.where(today, humid, USUAL_HUMIDITY) + HUMIDITY_SD * rng.standard_normal(rows)
    humidity = np.clip(humidity, 0.0, 100.0)
    pick = rng.integers(0, len(STATIONS), rows)
    which = pick if fault == "mixed" else np.full(rows, STATIONS.index(fault) if fault in STATIONS else -1)
    which = np.where(today, which, -1)
    healthy, broken = {}, {}
    for k, station in enumerate(STATIONS):
        z = rng.standard_normal(rows)
        if noise == "skewed":  # 반정규분포를 평균 0, 표준편차 1로 맞춥니다
            z = (np.abs(z) - np.sqrt(2 / np.pi)) / np.sqrt(1 - 2 / np.pi)
        healthy[station] = NOISE_SD[station] * z
        broken[station] = np.where(which == k, size * np.abs(healthy[station]), healthy[station])
    seen = _line(broken, humidity, wet, passing)
    times = {"humidity": humidity, **seen, "ship_healthy": _line(healthy, humidity, wet, passing)["ship"]}
    columns = {name: np.round(values, 2) for name, values in times.items()}
    culprit = np.array([*STATIONS, "none"], dtype=object)[which]
    frame = pd.DataFrame({"unit_id": np.arange(1, rows + 1), "today": today.astype(int), **columns, "culprit": culprit})
    return frame
