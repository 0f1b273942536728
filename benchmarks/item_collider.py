"""'좋은 아이템' 사례의 되풀이를 다시 셉니다(data/benchmarks/ncsoft_item_collider.csv).

    python -m benchmarks.item_collider                 # 모두(두 코어에서 1분쯤)
    python -m benchmarks.item_collider --draws 5       # 셈이 바뀌지 않았는지 보기(쓰지 않고 찍기만)

한 행이 한 세상에서 새로 뽑은 자료 한 벌에 쪽의 ``one_draw``를 돌린 것입니다. 마지막 행은 쪽의 명세를 쪽의 자료에 끝까지 돌린
파이프라인의 답입니다. 시험이 몇 행을 다시 돌려 같은지 봅니다.
"""

import ast

import numpy as np
import pandas as pd

from benchmarks.case_worlds import draw_worlds
from book.myst import parse
from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator
from causal_practice.data import data_dir

RESULT = ROOT / "data" / "benchmarks" / "ncsoft_item_collider.csv"
DRAWS, FIRST_SEED = 300, 600_000
CONSTANTS = ("SCALE", "BEFORE", "AFTER", "NINE", "CHOSEN", "ODDS", "WORLDS", "spec")
NAMES = ("matrix", "fit", "interval", "untreated", "hero_effect", "luck", "lottery", "past", "surplus", "agree")


def page(*more: str) -> dict:
    """쪽에 적힌 상수와 함수들. ``more``는 더 꺼낼 함수의 이름입니다."""
    text = read_page(ROOT / "case_studies" / "ncsoft_item_collider.md")
    known: dict = {"np": np, "pd": pd}
    for cell in parse(text.text).cells:
        for node in ast.parse(cell.source).body:
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in CONSTANTS:
                exec(compile(ast.Module([node], []), text.docname, "exec"), known)
    return page_functions(text, *NAMES, "one_draw", *more, **known)


def one(world: str, seed: int, tools: dict) -> dict:
    """세상 하나에서 새로 뽑은 자료 한 벌의 답(일/30일)과 경보(0/1)."""
    frame = generator("ncsoft_item_collider").generate(seed=seed, **tools["WORLDS"][world])
    intervals, points, alarms = tools["one_draw"](frame)
    numbers = {
        f"{name}{part}": value
        for name, three in intervals.items()
        for part, value in zip(("", " 아래", " 위"), three, strict=True)
    } | points
    return (
        {"세상": world, "씨앗": seed}
        | {name: round(float(value), 3) for name, value in numbers.items()}
        | {f"{name} 경보": int(rings) for name, rings in alarms.items()}
    )


def pipeline(text: str) -> dict:
    """명세를 쪽의 자료에 끝까지 돌린 답. 못 얻음이 처치이므로 부호를 바꾸어 적습니다."""
    from causal_pipeline import analyze, parse_spec

    done = analyze(parse_spec(text, data_dir()))
    main = done.primary
    numbers = {"회귀": -main.value, "회귀 아래": -main.high, "회귀 위": -main.low}
    return (
        {"세상": "파이프라인", "씨앗": 513}
        | {name: round(float(value), 3) for name, value in numbers.items()}
        | {"등급": done.grade.letter}
    )


def main() -> None:
    tools = page()
    more = [pipeline(tools["spec"])]
    frame = draw_worlds(__doc__, tools["WORLDS"], one, tools, RESULT, DRAWS, FIRST_SEED, more)
    print(frame.groupby("세상", sort=False).mean(numeric_only=True).round(2).T.to_string())


if __name__ == "__main__":
    main()
