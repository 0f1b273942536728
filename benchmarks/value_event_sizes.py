"""'고객 가치 사건' 사례의 포함률을 손님의 수마다 다시 셉니다(data/benchmarks/uber_ceviche.csv).

    python -m benchmarks.value_event_sizes                 # 모두(두 코어에서 2분쯤)
    python -m benchmarks.value_event_sizes --draws 5       # 셈이 바뀌지 않았는지 보기(쓰지 않고 찍기만)

한 행이 새로 뽑은 자료 한 벌에서 쪽의 ``event_gain``을 돌린 것입니다. 시험이 몇 행을 다시 돌려 같은지 봅니다.
"""

from benchmarks.case_worlds import draw_worlds
from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, truth

RESULT = ROOT / "data" / "benchmarks" / "uber_ceviche.csv"
DRAWS, FIRST_SEED = 1_000, 500_000
RIDERS = (600, 1_000, 1_200, 2_000, 4_000, 6_000)
NAMES = ("read", "trials", "design", "fit_score", "layer_weight", "weighted", "interval", "matched", "event_gain")


def page() -> dict:
    """쪽에 적힌 함수들."""
    return page_functions(read_page(ROOT / "case_studies" / "uber_ceviche.md"), *NAMES, MONTHS=range(1, 13))


def one(riders: int, seed: int, tools: dict) -> dict:
    """자료 한 벌의 추정값과 95% 구간(천 원)."""
    frame = generator("uber_ceviche").generate(seed=seed, n=riders, truths=False)
    numbers = dict(zip(("effect", "low", "high"), tools["event_gain"](frame), strict=True))
    return {"riders": riders, "seed": seed} | {name: round(float(value), 3) for name, value in numbers.items()}


def main() -> None:
    known = truth("uber_ceviche")["ATT"]
    frame = draw_worlds(__doc__, RIDERS, one, page(), RESULT, DRAWS, FIRST_SEED)
    missed = frame.assign(below=frame["high"] < known, above=frame["low"] > known)
    print(missed.groupby("riders")[["below", "above"]].mean().round(3).to_string())


if __name__ == "__main__":
    main()
