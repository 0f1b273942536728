"""causaltune의 몫: 따로 만든 환경(requirements-peers.txt)의 파이썬으로 ``benchmarks.pipeline --peer causaltune``이 부릅니다.

책의 코드는 하나도 쓰지 않습니다. 자료마다 causaltune을 돌려 평균 효과와 95% 구간을 얻고, 마지막 줄에 JSON으로 찍습니다.
안내서의 본보기를 따라 공변량은 모두 효과 수정 변수로 주고, 성향점수는 관측 자료용인 ``"auto"``를 씁니다.
``estimators``를 주면 교란을 보정하는 그 추정량만 찾게 합니다. 주지 않으면 기본값이며, 이때는 보정하지 않는 더미도 후보입니다.
"""

import contextlib
import json
import sys
import time
import warnings

import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")


def _interval(tuner, rows: pd.DataFrame, modifiers: list[str]) -> tuple[float, float]:
    """평균 효과의 95% 구간. causaltune의 ``effect_inference``가 멈추면 고른 econml 모델에 바로 묻고, 그것도 없으면 NaN."""
    for ask in (
        lambda: tuner.effect_inference(rows).population_summary(alpha=0.05).conf_int_mean(alpha=0.05),
        lambda: tuner.model.estimator.ate_inference(rows[modifiers].to_numpy(), T0=0, T1=1).conf_int_mean(alpha=0.05),
    ):
        with contextlib.suppress(Exception):
            low, high = (float(np.ravel(v)[0]) for v in ask())
            return low, high
    return float("nan"), float("nan")


def run(job: dict, budget: float, estimators: list[str]) -> list:
    """[평균 효과, 아래, 위, 초, 고른 추정량]."""
    from causaltune import CausalTune
    from causaltune.data_utils import CausalityDataset

    frame = pd.read_csv(job["path"])
    np.random.seed(job["seed"] % 2**32)
    start = time.perf_counter()
    data = CausalityDataset(data=frame, treatment="t", outcomes=["y"], effect_modifiers=job["confounders"])
    data.preprocess_dataset()
    chosen = {"estimator_list": estimators} if estimators else {}
    tuner = CausalTune(
        time_budget=budget,
        components_time_budget=budget / 20,
        propensity_model="auto",
        verbose=0,
        components_verbose=0,
        **chosen,
    )
    tuner.fit(data, outcome="y")
    rows = data.data[data.data["t"] == 1] if job["treated_only"] else data.data
    value = float(np.asarray(tuner.effect(rows)).mean())
    low, high = _interval(tuner, rows, data.effect_modifiers)
    return [value, low, high, time.perf_counter() - start, tuner.best_estimator.rsplit(".", 1)[-1]]


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        jobs = json.load(file)
    with contextlib.redirect_stdout(sys.stderr):
        found = [run(job, float(sys.argv[2]), sys.argv[3:]) for job in jobs]
    print(json.dumps(found))


if __name__ == "__main__":
    main()
