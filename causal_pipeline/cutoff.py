"""불연속 설계의 임곗값이 자료와 맞는지: 임곗값과 같은 대상이 어느 쪽인지, 그 둘레에서 처치가 달라지는지."""

import numpy as np

from causal_pipeline.errors import DataError
from causal_pipeline.model import Spec

NEAR, CHANCE = 50, 1e-3


def on_the_cutoff(spec: Spec, x: np.ndarray, treated: np.ndarray, cutoff: float) -> None:
    """임곗값과 같은 대상만 규칙과 어긋나면 임곗값을 바로 위의 값으로 적어야 합니다("60점을 넘으면"과 "60점 이상이면")."""
    on = x == cutoff
    strict = x > cutoff
    if on.any() and ((treated == strict).all() or (treated == ~strict).all()):
        above = "처치받지 않았습니다" if (treated == strict).all() else "처치받았습니다"
        raise spec.error(
            DataError, "cutoff_belongs_below", "running.cutoff",
            f"임곗값 {cutoff:g}과(와) 같은 {int(on.sum()):,}개가 모두 아래쪽처럼 {above}. 파이프라인은 임곗값 이상을 위쪽으로 봅니다.",
            f"자료에서 바로 다음 값인 `cutoff: {x[strict].min():g}`로 적으세요.",
        )  # fmt: skip


def moves_at(spec: Spec, x: np.ndarray, treated: np.ndarray, cutoff: float) -> None:
    """임곗값에 가장 가까운 양쪽의 대상 50개씩이 모두 받았거나 모두 받지 않았는데 우연일 수 없으면 멈춥니다.

    임곗값을 넘어도 받는 사람이 드문 설계에서는 가까운 50개에 받은 사람이 없을 수 있습니다. 그래서 그 임곗값이 갈라 놓은 쪽의 처치율로
    보아도 ``CHANCE``보다 드문 일일 때에만 틀린 임곗값으로 봅니다.
    """
    near = [
        side[np.argsort(np.abs(x[side] - cutoff), kind="stable")[:NEAR]]
        for side in map(np.flatnonzero, (x < cutoff, x >= cutoff))
    ]
    around = treated[np.concatenate(near)]
    if around.any() and not around.all():
        return
    sides = (treated[x < cutoff], treated[x >= cutoff])
    by_chance = [np.mean(side == around[0]) ** len(rows) for side, rows in zip(sides, near, strict=True)]
    if min(by_chance) < CHANCE:
        raise without_jump(spec, x, treated, cutoff, f"둘레의 대상 {len(around)}개")


def without_jump(spec: Spec, x: np.ndarray, treated: np.ndarray, cutoff: float, where: str) -> DataError:
    """임곗값에서 처치가 달라지지 않는다는 오류. 처치받은 몫이 가장 크게 달라지는 값을 함께 알립니다."""
    order = np.argsort(x, kind="stable")
    below, n = np.cumsum(treated[order])[:-1], np.arange(1, len(x))
    gap = np.abs((treated.sum() - below) / (len(x) - n) - below / n) * (np.diff(x[order]) > 0)
    best = x[order][int(gap.argmax()) + 1]
    return spec.error(
        DataError, "cutoff_without_jump", "running.cutoff",
        f"임곗값 {cutoff:g} {where}에서 처치가 달라지지 않습니다.",
        f"처치의 규칙과 임곗값을 확인하세요. 이 자료에서 처치받은 몫이 가장 크게 달라지는 값은 {best:g}입니다.",
    )  # fmt: skip
