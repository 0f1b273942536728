"""DoWhy의 반박과 EconML의 민감도(``PEERS=1``). 보정 설계에서만, 저마다 무엇을 보고 무엇을 보지 못하는지와 함께 적습니다.

p값은 흔히 읽는 것과 거꾸로입니다: 반박은 '달라진 것이 없다'를 시험하므로 클수록 좋습니다. DoWhy 0.14의 반박은 역확률 가중에서 옛 성향점수
열을 되쓰기 때문에(py-why/dowhy#1728) 회귀 추정만 반박하고, 표를 베껴 넘깁니다. 씨앗은 RandomState로 넘깁니다. 정수로 넘기면 되풀이가
모두 같은 표본을 뽑아, 멀쩡한 추정도 p=0으로 울립니다.
"""

import logging
import math
import time
import warnings
from typing import Any

import numpy as np
import pandas as pd

from causal_pipeline.checks import graded, unseen
from causal_pipeline.designs.base import Design
from causal_pipeline.inference import for_learning
from causal_pipeline.model import Check
from causal_pipeline.wording import number, percent

# 반박마다의 되풀이. 다섯 번이면 0에 가까운 위약도 p=0.0005로 울립니다.
SIMULATIONS = 50
# 반박에 쓰는 행. 다시 뽑아 회귀만 하므로 이보다 많아도 보는 것은 같고 시간만 듭니다.
ROWS = 3_000
# 시작한 지 이만큼(초) 지나면 남은 반박은 하지 않고 그렇다고 적습니다.
SECONDS = 60.0
SUBSET = 0.8
# 반박이 이보다 작은 p값을 내면 주의입니다.
LEVEL = 0.05
DESIGN = "adjustment"

SEES = {
    "refute_placebo": (
        "DoWhy: 처치를 섞기",
        "표준오차나 셈이 처치와 상관없이 효과를 만들어 내는 것은 보지만, 섞으면 교란도 함께 사라지므로 숨은 교란 요인은 보지 못합니다.",
    ),
    "refute_random_cause": (
        "DoWhy: 아무 변수를 더 보정하기",
        "변수 하나에 흔들리는 셈은 보지만, 더한 변수가 아무것과도 이어져 있지 않으므로 빠뜨린 교란 요인은 보지 못합니다.",
    ),
    "refute_subset": (
        "DoWhy: 일부만 다시 계산하기",
        "몇 대상이 답을 정하는 것은 보지만, 모든 대상이 함께 지닌 치우침은 보지 못합니다.",
    ),
    "partial_linear": (
        "EconML: 부분선형 모델의 민감도",
        "숨은 교란 요인이 얼마나 세어야 하는지만 재고, 그런 것이 있는지는 보지 못합니다. 그래서 등급을 움직이지 않습니다.",
    ),
}


def refutations(design: Design) -> list[Check]:
    """반박 셋과 민감도 하나. 보정 설계가 아니거나 보정할 열이 없거나 표본 가중치가 있으면 빈 목록입니다.

    Returns
    -------
    list of Check
        반박이 '달라졌다'고 하면 주의(상한 B)이고, 시간이 모자라 하지 못한 것은 '보이지 못함'입니다.
    """
    if design.name != DESIGN:
        return []
    f = design.fit
    if f.X.shape[1] == 0 or for_learning(f.w) is not None:
        return []
    started, level = time.monotonic(), logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # 라이브러리의 경고는 점검이 대신 말합니다
            return [*_dowhy(design, started), _partial_linear(design)]
    finally:
        logging.disable(level)


def _rows(design: Design) -> np.ndarray:
    """견주는 두 수준의 행. 많으면 씨앗대로 ``ROWS``행만 씁니다."""
    f = design.fit
    rows = np.flatnonzero(f.a | f.b)
    if len(rows) <= ROWS:
        return rows
    return np.sort(np.random.default_rng(design.spec.seed).choice(rows, ROWS, replace=False))


def _dowhy(design: Design, started: float) -> list[Check]:
    from dowhy import CausalModel
    from dowhy.causal_refuters.data_subset_refuter import refute_data_subset
    from dowhy.causal_refuters.placebo_treatment_refuter import refute_placebo_treatment
    from dowhy.causal_refuters.random_common_cause import refute_random_common_cause

    f, rows = design.fit, _rows(design)
    causes = [f"x{j}" for j in range(f.X.shape[1])]
    data = pd.DataFrame(f.X.to_numpy()[rows], columns=causes).assign(t=f.a[rows].astype(int), y=f.y[rows])
    model = CausalModel(data.copy(), treatment="t", outcome="y", common_causes=causes)
    estimand = model.identify_effect(proceed_when_unidentifiable=True)
    estimate = model.estimate_effect(estimand, method_name="backdoor.linear_regression")
    work = {
        "refute_placebo": (refute_placebo_treatment, {"treatment_names": ["t"], "placebo_type": "permute"}),
        "refute_random_cause": (refute_random_common_cause, {}),
        "refute_subset": (refute_data_subset, {"subset_fraction": SUBSET}),
    }
    found = []
    for name, (refute, more) in work.items():
        label = SEES[name][0]
        if time.monotonic() - started > SECONDS:
            found.append(unseen(name, label, f"{SECONDS:.0f}초 안에 끝나지 않아 하지 않았습니다.", None))
            continue
        seed = np.random.RandomState(design.spec.seed)
        out = refute(data.copy(), estimand, estimate, num_simulations=SIMULATIONS, random_state=seed, **more)
        found.append(read(name, float(estimate.value), float(out.new_effect), out.refutation_result))
    return found


def read(name: str, effect: float, new: float, result: dict[str, Any] | None) -> Check:
    """반박 하나를 바른 쪽으로 읽은 점검.

    Parameters
    ----------
    effect, new : float
        반박한 회귀의 효과와, 바꾼 자료들에서의 평균.
    result : dict or None
        DoWhy의 ``refutation_result``. p값이 없거나 NaN이면 판정하지 않습니다.
    """
    label, sees = SEES[name]
    p = float((result or {}).get("p_value", math.nan))
    wanted = "0 둘레여야" if name == "refute_placebo" else f"{number(effect)} 둘레여야"
    message = f"회귀의 효과 {number(effect)}를 {SIMULATIONS}번 다시 냈습니다. 바꾼 자료의 효과는 평균 {number(new)}이고 {wanted} 합니다"
    if not math.isfinite(p):
        return unseen(name, label, f"{message}. DoWhy가 p값을 내지 못해 판정하지 않습니다. {sees}", None)
    tails = {"warn": " 달라지지 않아야 할 것이 달라졌습니다."}
    check = f"{message}(p={p:.3f}, 클수록 좋습니다). {sees}"
    if p < LEVEL:
        return graded(name, label, check, p, "warn", LEVEL, tails)
    return unseen(name, label, f"{check} 힘을 세지 않은 반박이라 조용해도 통과로 세지 않습니다.", None)


def _partial_linear(design: Design) -> Check:
    """EconML의 LinearDML에서 잰 견고값(Chernozhukov 외, 2022): 95% 구간이 0을 품게 되는 세기."""
    from econml.dml import LinearDML

    f, rows = design.fit, np.flatnonzero(design.fit.a | design.fit.b)
    learner = LinearDML(
        model_y=f.outcome.model,
        model_t=f.propensity.model,
        discrete_treatment=True,
        cv=5,
        random_state=design.spec.seed,
    )
    learner.fit(f.y[rows], f.a[rows].astype(int), X=None, W=f.X.to_numpy()[rows])
    value, point = (float(learner.robustness_value(alpha=0.05, interval_type=kind)) for kind in ("ci", "theta"))
    label, sees = SEES["partial_linear"]
    message = (
        f"부분선형 모델의 효과는 {number(float(np.ravel(learner.ate())[0]))}입니다. 숨은 교란 요인이 처치와 결과의 남은 분산을 저마다 {percent(point)}씩 "
        f"설명하면 효과가 0이 되고, {percent(value)}씩이면 95% 구간이 0을 품습니다. {sees}"
    )
    return Check("partial_linear", label, "ok", message, value)
