"""'분석을 자동으로' 사례의 되풀이를 다시 셉니다(data/benchmarks/amazon_opportunity_finder.csv).

    python -m benchmarks.opportunity_finder                 # 모두
    python -m benchmarks.opportunity_finder --draws 5       # 셈이 바뀌지 않았는지 보기(쓰지 않고 찍기만)

한 행이 한 번의 실행입니다. 명세는 쪽에 적힌 것을 그대로 씁니다. 시험이 몇 행을 다시 돌려 같은지 봅니다.
"""

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pandas as pd

from book.myst import parse
from book.page import ROOT, read_page
from causal_practice import generator

PAGE = ROOT / "case_studies" / "amazon_opportunity_finder.md"
RESULT = ROOT / "data" / "benchmarks" / "amazon_opportunity_finder.csv"
DRAWS = 200
SIZES = {"photo": 1_500, "badge": 200, "flagship": 40, "rollout": 200}
FIRST_SEED = 71_000
RUNS = ("photo", "swallowed", "watched", "badge", "flagship", "rollout")
"""질문의 이름. 앞의 셋은 같은 횡단 자료의 세 명세입니다: 바른 것, 노출 점수를 삼킨 것, 삼켰지만 음성 대조군을 적은 것."""


def specifications() -> dict[str, str]:
    """쪽의 셀에 적힌 명세들. 이름은 RUNS와 같습니다."""
    import ast

    from book.page_code import page_functions

    page = read_page(PAGE)
    space: dict = {}
    for cell in parse(page.text).cells:
        for node in ast.parse(cell.source).body:
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in {"PHOTO", "PANEL"}:
                exec(compile(ast.Module([node], []), page.docname, "exec"), space)
    fill = page_functions(page, "photo_spec", "panel_spec", **{k: space[k] for k in ("PHOTO", "PANEL")})
    return {
        "photo": fill["photo_spec"](),
        "swallowed": fill["photo_spec"](more=", exposure"),
        "watched": fill["photo_spec"](more=", exposure", checks=True),
        **{name: fill["panel_spec"](name) for name in ("badge", "flagship", "rollout")},
    }


def one(task: tuple[str, int, str]) -> dict:
    """한 번의 실행: 자료를 뽑고, 명세대로 분석하고, 정답과 함께 적습니다."""
    import warnings

    from causal_pipeline import analyze
    from causal_pipeline.errors import PipelineError
    from causal_pipeline.spec import parse_spec

    name, seed, text = task
    world = name if name in SIZES else "photo"
    frame = generator("amazon_opportunity_finder").generate(seed=seed, world=world, n=SIZES[world])
    truth = frame["effect"].mean() if world == "photo" else frame.loc[frame["on"] == 1, "effect"].mean()
    frame = frame.drop(columns=["effect", "demand"], errors="ignore")
    row = {
        "run": name,
        "seed": seed,
        "truth": round(float(truth), 4),
        "value": np.nan,
        "low": np.nan,
        "high": np.nan,
        "grade": "",
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            done = analyze(parse_spec(text, ROOT / "data"), frame=frame)
        except PipelineError as error:
            return row | {"grade": f"refused:{error.code}"}
    main = done.primary
    return row | {
        "value": round(main.value, 4),
        "low": round(main.low, 4),
        "high": round(main.high, 4),
        "grade": done.grade.letter,
    }


def table(draws: int = DRAWS, workers: int = 2, runs=RUNS) -> pd.DataFrame:
    """질문마다 ``draws``번 돌린 표."""
    specs = specifications()
    tasks = [(name, FIRST_SEED + k, specs[name]) for name in runs for k in range(draws)]
    if workers == 1:
        return pd.DataFrame(map(one, tasks))
    with ProcessPoolExecutor(workers) as pool:
        return pd.DataFrame(pool.map(one, tasks, chunksize=10))


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=DRAWS)
    args = parser.parse_args(argv)
    rows = table(args.draws)
    if args.draws < DRAWS:
        print(rows.to_string())
        return 0
    RESULT.parent.mkdir(exist_ok=True)
    rows.to_csv(RESULT, index=False)
    print(rows.groupby("run", sort=False)["grade"].value_counts().to_string())
    return 0


if __name__ == "__main__":
    sys.exit(main())
