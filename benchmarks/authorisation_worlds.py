"""'승인 여유분' 사례의 다시 만든 세상을 셉니다(data/benchmarks/instacart_authorisation_rdd.csv).

    python -m benchmarks.authorisation_worlds                # 모두(두 코어에서 2분쯤)
    python -m benchmarks.authorisation_worlds --draws 3      # 셈이 바뀌지 않았는지 보기(쓰지 않고 찍기만)

한 행이 본문과 크기가 같은 자료 한 벌에서 쪽의 함수들을 처음부터 다시 부른 것입니다. 시험이 몇 행을 다시 돌려 같은지 봅니다.
"""

import numpy as np

from benchmarks.case_worlds import draw_worlds
from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator

RESULT = ROOT / "data" / "benchmarks" / "instacart_authorisation_rdd.csv"
DRAWS, FIRST_SEED = 300, 20_000
WORLDS = {
    "clean": {},
    "none": {"strength": 0.0},
    "trim": {"trim": 0.1},
    "popup": {"popup": 0.03},
    "budget": {"budget": 0.1},
}
NAMES = (
    *("by_size", "usable", "cells", "local_fit", "pick_window", "corrected", "bends", "sawtooth", "two_moves"),
    *("density_jump", "predicted", "donut"),
)
DECLINE = 12
"""거절 한 건의 값(천 원)."""


def page() -> dict:
    """쪽에 적힌 함수들."""
    text = read_page(ROOT / "case_studies" / "instacart_authorisation_rdd.md")
    return page_functions(text, *NAMES, STEP=5, NEW=1, FREE=30, HALF=2.5)


def one(world: str, seed: int, tools: dict) -> dict:
    """자료 한 벌의 답과 표준오차(%p, 돈은 원), 점검의 z, 솔깃한 비교 둘(%p)."""
    d = generator("instacart_authorisation_rdd").generate(seed=seed, **WORLDS[world])
    keep = tools["usable"](d)
    gap, y = d["gap"].to_numpy()[keep], 100 * d["declined"].to_numpy(float)[keep]
    jump, jump_se, _, _, line, line_se = tools["corrected"](gap, y)
    cost = 10 * DECLINE * y + 1000 * d["lost"].to_numpy()[keep]
    rule, influence = tools["sawtooth"](d, np.column_stack([y, cost]), tools["two_moves"])[1]
    rule_se = np.sqrt((influence**2).sum(axis=0))
    theta, covariate = tools["density_jump"](gap), tools["corrected"](gap, tools["predicted"](d))
    rings = {f"ring_{hole:g}": tools["donut"](d, hole)[1:] for hole in (0.1, 0.3, 0.8)}
    buffer = (d["authorised"] - d["total"]).to_numpy()[keep]
    numbers = {
        "jump": jump,
        "jump_se": jump_se,
        "line": line,
        "line_se": line_se,
        "rule": rule[0],
        "rule_se": rule_se[0],
        "cost": rule[1],
        "cost_se": rule_se[1],
        "density": theta[0] / theta[1],
        "covariate": covariate[0] / covariate[1],
        **{name: value / se for name, (value, se) in rings.items()},
        "by_size": tools["by_size"](d),
        "by_buffer": 5 * np.polyfit(buffer, y, 1)[0],
    }
    return {"world": world, "seed": seed} | {name: round(float(value), 3) for name, value in numbers.items()}


def main() -> None:
    frame = draw_worlds(__doc__, WORLDS, one, page(), RESULT, DRAWS, FIRST_SEED)
    print(frame.drop(columns="seed").groupby("world").mean().round(2).to_string())


if __name__ == "__main__":
    main()
