"""권역 광고를 켜고 끈 데이터: 한 행이 권역 하나의 한 주입니다.

앞 8주는 광고가 없고, 다음 4주는 마케팅팀이 1번 권역에만 시범 광고를 걸었으며, 그 뒤는 3주 묶음마다 제비로 뽑은 편성표를 따릅니다.
가입은 권역의 수준, 온 나라의 계절, 공상과학 화제작(``fans``가 높은 권역이 더 탑니다), 권역마다의 우연으로 움직입니다.
시범 광고를 건 4주에는 화제작이 나왔습니다. 광고는 그 주에 ``1 - carry``만큼 듣고 나머지는 다음 ``memory``주에 나누어 남습니다(음수면 다음 주의 가입을 앞당긴 것입니다).
권역의 성질은 고정되어 있고 ``seed``는 우연과 제비만 바꿉니다. 번호는 순환 도로의 차례라서 앞뒤 번호(1번과 끝 번호도)가 이웃입니다.
숫자는 모두 만든 것이고 실제 회사의 자료가 아닙니다.
"""

from functools import lru_cache
from itertools import combinations

import numpy as np
import pandas as pd

DEFAULTS = {"seed": 2018, "regions": 12, "blocks": 8, "design": "balanced"}

HISTORY, PILOT, LENGTH = 8, 4, 3
"""광고가 없던 주, 1번 권역만 광고한 주, 묶음 하나의 주."""
HOUSEHOLDS = np.array([600.0, 90, 160, 70, 240, 120, 60, 190, 100, 140, 80, 110])
"""권역의 가구(만 가구). 1번이 삼분의 일에 가깝습니다."""
FANS = np.array([1.6, -0.4, 0.3, 1.1, -1.3, 0.6, -0.9, -0.8, 0.9, -1.2, 0.2, -0.1])
"""공상과학 취향 지수. 앞선 작품의 시청으로 미리 알고 있습니다."""
LEVEL = np.array([0.10, -0.20, 0.05, 0.15, -0.10, 0.0, -0.25, 0.2, -0.05, 0.1, -0.15, 0.05]) + np.log(20.0)
"""한 주, 만 가구의 가입(로그)."""
UNEVEN = np.array([-0.6, 1.3, 0.2, -1.4, 0.9, -0.7, 1.1, 0.3, -1.0, 0.6, -0.2, 1.0])
"""권역마다 다른 효과의 모양. 가입으로 가중한 평균을 빼고 씁니다."""
POOL = 2_000
"""뽑아 볼 편성표의 수."""
DESIGNS = ("balanced", "any", "once", "once_any")


def _check(regions, blocks, length, design, lift, carry, memory, spill, spread, buzz):
    for name, value, low, high in [("regions", regions, 6, 12), ("blocks", blocks, 4, 12)]:
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not whole or not low <= value <= high or value % 2:
            raise ValueError(f"{name}은(는) {low}에서 {high} 사이의 짝수여야 합니다: {value!r}")
    if not isinstance(length, (int, np.integer)) or isinstance(length, bool) or not 1 <= length <= 6:
        raise ValueError(f"묶음 하나의 주 length는 1에서 6 사이의 정수여야 합니다: {length!r}")
    if not isinstance(design, str) or design not in DESIGNS:
        raise ValueError(f"설계 design은 {', '.join(DESIGNS)} 가운데 하나여야 합니다: {design!r}")
    if not isinstance(memory, (int, np.integer)) or isinstance(memory, bool) or not 1 <= memory <= 6:
        raise ValueError(f"여운이 남는 주 memory는 1에서 6 사이의 정수여야 합니다: {memory!r}")
    ranges = {
        "lift": (lift, 0, 0.5),
        "carry": (carry, -0.9, 0.9),
        "spill": (spill, 0, 1),
        "spread": (spread, 0, 2),
        "buzz": (buzz, 0, 5),
    }
    for name, (value, low, high) in ranges.items():
        number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        if not number or not low <= value <= high:
            raise ValueError(f"{name}은(는) {low}에서 {high} 사이의 수여야 합니다: {value!r}")


@lru_cache(maxsize=8)
def pool(regions, blocks, once=False):
    """서로 다른 편성표 ``POOL``개쯤. 모양은 (편성표, 묶음, 권역)이고 켜면 1입니다.

    권역을 둘씩 짝지어 하나가 켜면 하나는 끕니다. 그래서 권역은 묶음의 절반, 묶음은 권역의 절반을 켭니다.
    ``once``이면 권역의 절반을 골라 끝까지 켭니다.
    """
    rng = np.random.default_rng(1_000 * regions + blocks)
    order = rng.random((POOL, regions)).argsort(axis=1)
    half = regions // 2
    first = np.ones((POOL, half, blocks))
    if not once:
        ways = np.array([np.isin(np.arange(blocks), on) for on in combinations(range(blocks), blocks // 2)], float)
        first = ways[rng.integers(len(ways), size=(POOL, half))]
    table = np.empty((POOL, regions, blocks))
    rows = np.arange(POOL)[:, None]
    table[rows, order[:, :half]], table[rows, order[:, half:]] = first, 1 - first
    table = np.unique(table.reshape(POOL, -1), axis=0).reshape(-1, regions, blocks)
    table = np.ascontiguousarray(table.transpose(0, 2, 1))
    table.flags.writeable = False
    return table


def candidates(share, fans, tables):
    """켠 쪽과 끈 쪽의 취향이 가장 닮은 편성표(스물에 하나)와 그 거울.

    Parameters
    ----------
    share : numpy.ndarray
        권역의 가입 비율(더하면 1).
    fans : numpy.ndarray
        권역의 취향 지수.
    tables : numpy.ndarray
        ``pool``의 편성표 (M, 묶음, 권역).

    Returns
    -------
    numpy.ndarray
        (2 * (M // 20), 묶음, 권역). 켠 쪽과 끈 쪽의 가중한 취향이 묶음마다 얼마나 다른지를 제곱해 더한 값이 작은 것들입니다.
        같은 값이 계산의 끝자리에서 갈리지 않도록 반올림하고 앞의 것부터 남깁니다.
    """
    weight = share * (fans - share @ fans)
    gap = (tables.reshape(-1, len(share)) @ weight).reshape(len(tables), -1)
    miss = (gap**2).sum(axis=1).round(9)
    best = tables[np.argsort(miss, kind="stable")[: len(tables) // 20]]
    return np.concatenate([best, 1 - best])


def _ar(rng, shape, phi, sd):
    steps, x = rng.normal(0.0, sd * np.sqrt(1 - phi**2), shape), np.empty(shape)
    x[..., 0] = rng.normal(0.0, sd, shape[:-1])
    for t in range(1, shape[-1]):
        x[..., t] = phi * x[..., t - 1] + steps[..., t]
    return x


def generate(
    seed=2018,
    regions=12,
    blocks=8,
    design="balanced",
    lift=0.04,
    carry=0.3,
    memory=1,
    spill=0.0,
    spread=0.3,
    buzz=1.0,
    length=LENGTH,
):
    """권역 ``regions``곳의 앞 12주와 ``blocks``묶음의 실험을 만듭니다.

    Parameters
    ----------
    seed : int
        난수 씨앗. 우연과 제비만 바꿉니다.
    regions, blocks : int
        권역의 수(6~12, 짝수. 앞 번호부터 씁니다)와 묶음의 수(4~12, 짝수).
    design : {"balanced", "any", "once", "once_any"}
        편성표. "balanced"는 닮은 편성표의 목록에서, "any"는 아무 편성표에서나 뽑습니다. "once"와 "once_any"는 절반의 권역을 끝까지 켭니다.
    lift : float
        모든 권역에서 늘 켤 때 가입이 느는 크기(로그, 0~0.5). 가입으로 가중한 평균이며 ``spill``은 따로 더해집니다.
    carry, memory : float, int
        끈 뒤에 남는 몫(-0.9~0.9)과 남는 주(1~6). 음수이면 뒤의 가입을 앞당깁니다.
    spill : float
        이웃 두 권역의 광고가 들리는 몫(0~1). 늘 켤 때의 효과는 ``1 + spill``배가 됩니다.
    spread : float
        권역마다 효과가 다른 정도(0~2, ``lift``의 배수).
    buzz : float
        화제작이 가입을 움직이는 정도(0~5배).
    length : int
        묶음 하나의 주(1~6).

    Returns
    -------
    pandas.DataFrame
        권역과 주의 순서. ``signups``는 가입(건/주), ``signups_off``와 ``signups_on``은 늘 끄거나 늘 켰을 때의 정답 열입니다.

    Raises
    ------
    ValueError
        있을 수 없는 값이 들어온 때.
    """
    _check(regions, blocks, length, design, lift, carry, memory, spill, spread, buzz)
    rng = np.random.default_rng(seed)
    before, weeks = HISTORY + PILOT, HISTORY + PILOT + length * blocks
    homes, fans = HOUSEHOLDS[:regions], FANS[:regions]
    size = homes * np.exp(LEVEL[:regions])
    fans = np.round(fans - fans @ homes / homes.sum(), 2)
    season, title = _ar(rng, (weeks,), 0.8, 0.08), _ar(rng, (weeks,), 0.8, 0.03)
    title[HISTORY:before] += 0.05
    own = _ar(rng, (regions, weeks), 0.5, 0.04)
    quiet = LEVEL[:regions, None] + season + buzz * np.outer(fans, title) + own
    off = np.round(homes[:, None] * np.exp(quiet))

    share = off[:, :HISTORY].sum(axis=1) / off[:, :HISTORY].sum()
    tables = pool(int(regions), int(blocks), design.startswith("once"))
    alike = design in ("balanced", "once")
    tables = candidates(share, fans, tables) if alike else np.concatenate([tables, 1 - tables])
    lot = tables[rng.integers(len(tables))]
    ad = np.zeros((regions, weeks), int)
    ad[0, HISTORY:before] = 1
    ad[:, before:] = np.repeat(lot, length, axis=0).T

    heard = (1 - carry) * ad
    for k in range(1, memory + 1):
        heard[:, k:] = heard[:, k:] + carry / memory * ad[:, :-k]
    heard = heard + spill * (np.roll(heard, 1, axis=0) + np.roll(heard, -1, axis=0)) / 2
    uneven = UNEVEN[:regions] - UNEVEN[:regions] @ size / size.sum()
    effect = lift * (1 + spread * uneven)[:, None]
    block = np.concatenate([np.zeros(before, int), np.repeat(np.arange(1, blocks + 1), length)])

    def by_week(values):
        return np.tile(values, regions)

    def by_region(values):
        return np.repeat(values, weeks)

    return pd.DataFrame(
        {
            "region_id": by_region(np.arange(1, regions + 1)),
            "week": by_week(np.arange(1, weeks + 1)),
            "block": by_week(block),
            "households": by_region(homes.astype(int)),
            "fans": by_region(fans),
            "ad": ad.ravel(),
            "signups": np.round(off * np.exp(effect * heard)).astype(int).ravel(),
            "signups_off": off.astype(int).ravel(),
            "signups_on": np.round(off * np.exp(effect * (1 + spill))).astype(int).ravel(),
        }
    )
