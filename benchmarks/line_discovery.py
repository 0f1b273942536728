"""'불량의 다섯 용의자' 사례의 되풀이를 다시 셉니다(data/benchmarks/bosch_line_discovery.csv).

    python -m benchmarks.line_discovery                 # 모두
    python -m benchmarks.line_discovery --draws 5       # 셈이 바뀌지 않았는지 보기(쓰지 않고 찍기만)

한 행이 한 번의 실행입니다. 그래프를 찾는 일부터 쪽에 적힌 함수 그대로이고, 시험이 몇 행을 다시 돌려 같은지 봅니다.
"""

from functools import lru_cache
from itertools import combinations, permutations

import numpy as np
from scipy import stats

from benchmarks.case_worlds import draw_worlds
from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator

RESULT = ROOT / "data" / "benchmarks" / "bosch_line_discovery.csv"
DRAWS, FIRST_SEED = 200, 50_000
WORLDS = {
    "base": {},
    "coolant_wear": {"hidden": "wear"},
    "coolant_drift": {"hidden": "drift"},
    "slowdown": {"slowdown": 1.0},
    "drift_first": {"first": "drift"},
    "small": {"n": 2_000},
}
COLS = ["night", "operator", "hardness", "temperature", "wear", "drift", "defect"]
WEAR, DRIFT, DEFECT, OPERATOR = 4, 5, 6, 1
# 쪽의 7절과 같은 공정 지식: 조(0)와 자재(2)가 먼저, 검사(6)가 마지막
KNOWN = [(root, x) for root in (0, 2) for x in (1, 3, 4, 5, 6)] + [(x, DEFECT) for x in range(6)]
NAMES = (
    "bends",
    "spread",
    "tester",
    "skeleton",
    "orient",
    "discover",
    "logit",
    "columns",
    "do_rate",
    "interval",
    "parents",
)
NAMES += ("wear_effect", "chain_rate", "disagreement", "recheck")


def page() -> dict:
    """쪽에 적힌 함수들."""
    given = {"COLS": COLS, "KNOWN": KNOWN, "W": WEAR, "stats": stats, "lru_cache": lru_cache}
    given |= {"combinations": combinations, "permutations": permutations}
    return page_functions(read_page(ROOT / "case_studies" / "bosch_line_discovery.md"), *NAMES, **given)


def truths(seed: int = 1, n: int = 2_000_000) -> dict[str, float]:
    """세상마다 큰 표본에서 잰 정답(%p)."""
    make = generator("bosch_line_discovery").generate
    out = {}
    for world, given in WORLDS.items():
        if world != "small":
            frame = make(seed=seed, n=n, **given)
            out[world] = round(float(100 * (frame["risk_less"] - frame["risk_now"]).mean()), 3)
    return out | {"small": out["base"]}


def one(world: str, seed: int, tools: dict) -> dict:
    """한 번의 실행: 자료를 뽑고, 그래프를 찾고, 두 방법의 답과 두 경보를 적습니다."""
    frame = generator("bosch_line_discovery").generate(seed=seed, **WORLDS[world])
    near, arrows = tools["discover"](frame)
    effect, low, high = tools["wear_effect"](frame)
    chain = tools["chain_rate"](frame)
    by_chain = tools["interval"](chain[0] - chain[1], chain[2] - chain[3])
    _, gap_low, gap_high = tools["disagreement"](frame)
    again = list(tools["recheck"](frame).values())

    def sure(a, b):
        return int((a, b) in arrows and (b, a) not in arrows)

    numbers = dict(zip(("effect", "low", "high"), (effect, low, high), strict=True))
    numbers |= dict(zip(("chain", "chain_low", "chain_high"), by_chain, strict=True))
    return {"world": world, "seed": seed} | {k: round(float(v), 4) for k, v in numbers.items()} | {
        "differ": int(gap_low > 0 or gap_high < 0),
        "alarm": int(min(again) < 0.05 / len(again)),
        "to_drift": sure(WEAR, DRIFT),
        "to_defect": sure(DRIFT, DEFECT),
        "direct": int(DEFECT in near[WEAR]),
        "operator": int(DEFECT in near[OPERATOR]),
    }  # fmt: skip


def main() -> None:
    known = truths()

    def row(world, seed, tools):
        return {"world": world, "seed": seed, "truth": known[world]} | one(world, seed, tools)

    frame = draw_worlds(__doc__, WORLDS, row, page(), RESULT, DRAWS, FIRST_SEED)
    print(frame.groupby("world", sort=False).mean(numeric_only=True).drop(columns="seed").round(3).T.to_string())
    inside = (frame["low"] <= frame["truth"]) & (frame["truth"] <= frame["high"])
    print(inside.groupby(frame["world"], sort=False).mean().to_string())


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    main()
