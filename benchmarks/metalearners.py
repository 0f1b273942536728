"""7주차의 느린 되풀이를 다시 셉니다(data/benchmarks/week07_metalearners.csv).

    python -m benchmarks.metalearners                      # 모두. 한 코어에서 7분쯤 걸립니다
    python -m benchmarks.metalearners --runs forest        # 그 이름만 다시 세어 표에 바꿔 넣습니다
    python -m benchmarks.metalearners --draws 5            # 셈이 바뀌지 않았는지 보기(쓰지 않고 찍기만)

추정 함수는 쪽에 적힌 것 그대로이고, 정답 열을 뺀 자료만 받습니다. 시험이 몇 행을 다시 돌려 같은지 봅니다.
"""

import argparse
import sys
from functools import cache

import numpy as np
import pandas as pd

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import generator, truth
from causal_practice.data import card

PAGE = ROOT / "chapters" / "week07_metalearners.md"
DEEPER = ROOT / "chapters" / "week07_deeper.md"  # 숲을 기르는 함수는 심화에 있습니다
RESULT = ROOT / "data" / "benchmarks" / "week07_metalearners.csv"
FIRST_SEED = 72_000
DRAWS = {"goal_average": 400, "coach_average": 400, "verdict": 120, "forest": 130}
"""잣대의 이름과 되풀이의 수. verdict는 잡음과 정답을 보정 검사에 후보로 냅니다."""
PLACES = np.array([[10, 4, 0], [10, 20, 0], [30, 4, 0], [30, 20, 0]], dtype=float)
NOISE = (0.1, 0.3)


@cache
def page() -> dict:
    """장과 심화의 추정 함수. econml은 숲을 기를 때에만 불러옵니다."""
    from lightgbm import LGBMClassifier, LGBMRegressor
    from sklearn.model_selection import KFold, cross_val_predict

    libraries = (LGBMClassifier, LGBMRegressor, KFold, cross_val_predict)
    parts = ("arrays", "trees", "scorer", "out_of_fold", "linear_dml", "dr_terms")
    known = {library.__name__: library for library in libraries}
    known["names"] = ["past_hours", "weeks_left", "worker", "progress", "mock_score"]
    known = page_functions(read_page(PAGE), *parts, "goal_average", "coach_average", **known)
    return page_functions(read_page(DEEPER), "grow", **known)


@cache
def large() -> pd.DataFrame:
    """코치 자료의 모집단으로 보는 40만 명(쪽과 같은 씨앗)."""
    return generator("study_coach").generate(seed=77, n=400_000)


def observed(name: str, seed: int, **options) -> pd.DataFrame:
    """새로 뽑은 자료에서 정답 열을 뺀 것."""
    frame = generator(name).generate(seed=seed, **options)
    return frame.drop(columns=[c for c, info in card(name)["columns"].items() if info.get("role") == "truth"])


def place_truths() -> np.ndarray:
    """정해 둔 네 점의 효과: 같은 자리에 있는 40만 명 속 수강생의 값입니다."""
    here = large().groupby(["past_hours", "weeks_left", "worker"])["effect_true"].mean()
    return np.array([here[tuple(place)] for place in PLACES])


def calibration(terms: np.ndarray, cate: np.ndarray) -> tuple[float, float, float]:
    """이중 강건 항을 예측에 회귀한 기울기와 95% 신뢰구간(HC1). EconML의 evaluate_blp와 같은 회귀입니다."""
    X = np.column_stack([np.ones(len(cate)), cate])
    b, *_ = np.linalg.lstsq(X, terms, rcond=None)
    bread = np.linalg.inv(X.T @ X)
    meat = (X * (terms - X @ b)[:, None] ** 2).T @ X
    half = 1.96 * np.sqrt((bread @ meat @ bread)[1, 1] * len(cate) / (len(cate) - 2))
    return b[1], b[1] - half, b[1] + half


def one(run: str, k: int) -> list[dict]:
    """``run``의 ``k``번째 되풀이. 행마다 정답, 추정값, 구간입니다."""
    here, seed = page(), FIRST_SEED + k

    def row(name, answer, numbers, place=""):
        value, low, high = (round(float(v), 4) for v in numbers)
        return {
            "run": name, "seed": seed, "place": place, "truth": round(float(answer), 4), "value": value, "low": low, "high": high,
        }  # fmt: skip

    if run == "goal_average":
        return [row(run, truth("study_goal")["ATE"], here[run](observed("study_goal", seed, n=5_000)))]
    if run == "coach_average":
        return [row(run, truth("study_coach")["ATE"], here[run](observed("study_coach", seed, n=6_000)))]
    if run == "verdict":
        frame = generator("study_coach").generate(seed=seed, n=3_000)
        terms, rng = here["dr_terms"](*here["arrays"](frame))[0], np.random.default_rng(seed)
        found = [row(f"noise_{sd}", 1, calibration(terms, rng.normal(0, sd, len(terms)))) for sd in NOISE]
        return [*found, row("oracle", 1, calibration(terms, frame["effect_true"].to_numpy()))]
    from econml.dml import CausalForestDML

    here["CausalForestDML"] = CausalForestDML
    forest = here["grow"](*here["arrays"](observed("study_coach", seed, n=6_000)))
    ends = forest.effect(PLACES), *forest.effect_interval(PLACES, alpha=0.05)
    numbers = np.column_stack([np.ravel(v) for v in ends])
    return [row(run, a, v, place) for place, (a, v) in enumerate(zip(place_truths(), numbers, strict=True))]


def table(runs=tuple(DRAWS), draws: int | None = None, first: int = 0) -> pd.DataFrame:
    """``runs``를 저마다 정해진 수(또는 ``draws``)만큼 되풀이한 표. ``first``번째부터 셉니다."""
    return pd.DataFrame([row for run in runs for k in range(first, draws or DRAWS[run]) for row in one(run, k)])


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", nargs="+", choices=tuple(DRAWS), default=tuple(DRAWS))
    parser.add_argument("--draws", type=int)
    args = parser.parse_args(argv)
    rows = table(args.runs, args.draws)
    if args.draws:
        print(rows.to_string())
        return 0
    if RESULT.exists():
        old = pd.read_csv(RESULT)
        rows = pd.concat([old[~old["run"].isin(set(rows["run"]))], rows])
    RESULT.parent.mkdir(exist_ok=True)
    rows.to_csv(RESULT, index=False)
    hit = (rows["low"] <= rows["truth"]) & (rows["truth"] <= rows["high"])
    print(rows.assign(miss=rows["value"] - rows["truth"], hit=hit).groupby("run", sort=False)[["miss", "hit"]].mean())
    return 0


if __name__ == "__main__":
    sys.exit(main())
