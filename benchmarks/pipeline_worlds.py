"""정답을 아는 모의 세계들. 파이프라인의 시험과 비교표(benchmarks/pipeline)가 씁니다.

세계는 파이프라인이 잘하도록 고르지 않습니다. 파이프라인이 모르는 함수 꼴(사인, 절댓값, 지수분포의 잡음)을 섞고, 가정이 깨진
세계에서는 치우침이 효과의 절반쯤 되게 했습니다. 등급이나 포함률이 목표에 못 미치면 세계가 아니라 파이프라인을 고칩니다.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np
import pandas as pd

from causal_pipeline.designs.discontinuity import Running
from causal_pipeline.designs.instrument import Instrument
from causal_pipeline.designs.repeated_cross_sections import CrossSections
from causal_pipeline.model import Assignment, Outcome, Source, Spec, Treatment
from causal_pipeline.panel import Panel

Expectation = Literal["coverage", "stop", "never_a"]


@dataclass(frozen=True)
class World:
    """세계 하나.

    Attributes
    ----------
    name, label : str
    expect : "coverage", "stop", "never_a"
        가정이 성립해 구간이 정답을 덮어야 하는지, 자료나 그래프가 보여 주므로 C나 거절이어야 하는지, 아무것도 보여 주지
        않으므로 A만 아니면 되는지.
    make : callable
        씨앗 → (명세, 자료, 정답).
    """

    name: str
    label: str
    expect: Expectation
    make: Callable[[int], tuple[Spec, pd.DataFrame, float]]


def world_spec(name, **fields) -> Spec:
    """세계의 명세. 적지 않은 것은 이진 처치 t, 결과 y, ATE입니다."""
    base = {"source": Source(None), "treatment": Treatment("t", "binary"), "outcome": Outcome("y"), "estimand": "ATE"}
    return Spec(name=name, question=name, **{**base, **fields})


def _logistic(v):
    return 1 / (1 + np.exp(-v))


def _before(*names):
    return dict.fromkeys(names, "before")


NAMES = ("x1", "x2", "x3", "x4")


def confounded_frame(seed, effect=1.0, strength=1.0, n=1500, hidden=0.0):
    """x1은 곧게, x2는 굽어 결과를 움직이고, 효과는 x1에 따라 갈립니다."""
    r = np.random.default_rng(seed)
    X = r.normal(size=(n, 4))
    u = r.normal(size=n)
    t = (r.random(n) < _logistic(strength * (0.8 * X[:, 0] + 0.5 * np.abs(X[:, 1]) - 0.4) + hidden * u)).astype(int)
    noise = r.exponential(size=n) - 1
    y = (
        effect * (1 + 0.5 * X[:, 0]) * t
        + X[:, 0]
        + np.sin(2 * X[:, 1])
        + 0.7 * np.abs(X[:, 1])
        + 0.5 * X[:, 2]
        + hidden * u
        + noise
    )
    frame = pd.DataFrame(X, columns=list(NAMES))
    frame["t"], frame["y"] = t, y
    frame["control_outcome"] = 0.7 * X[:, 0] + 0.5 * X[:, 2] + hidden * u + r.normal(size=n)
    return frame


def confounded(seed):
    frame = confounded_frame(seed)
    return (
        world_spec(
            "confounded",
            confounders=NAMES,
            timing=_before(*NAMES),
            negative_outcomes=("control_outcome",),
            modifiers=("x1", "x4"),
        ),
        frame,
        1.0,
    )


@cache
def _treated_truth() -> float:
    big = confounded_frame(10_000_019, n=1_000_000)
    return float(1 + 0.5 * big.loc[big.t == 1, "x1"].mean())


def treated_only(seed):
    """ATT: 처치받은 대상의 평균 효과는 표본의 x1에 달려 있습니다."""
    frame = confounded_frame(seed)
    return (
        world_spec(
            "treated_only",
            estimand="ATT",
            confounders=NAMES,
            timing=_before(*NAMES),
            negative_outcomes=("control_outcome",),
        ),
        frame,
        _treated_truth(),
    )


def no_effect(seed):
    frame = confounded_frame(seed, effect=0.0)
    return (
        world_spec("no_effect", confounders=NAMES, timing=_before(*NAMES), negative_outcomes=("control_outcome",)),
        frame,
        0.0,
    )


def no_overlap(seed):
    frame = confounded_frame(seed, strength=6.0)
    return (
        world_spec("no_overlap", confounders=NAMES, timing=_before(*NAMES), negative_outcomes=("control_outcome",)),
        frame,
        1.0,
    )


def hidden_confounder(seed):
    """재지 못한 변수가 있고, 그것을 드러낼 음성 대조군이 없습니다."""
    return (
        world_spec("hidden_confounder", confounders=NAMES, timing=_before(*NAMES)),
        confounded_frame(seed, hidden=0.7),
        1.0,
    )


def blind_negative_control(seed):
    """재지 못한 변수가 있고, 음성 대조군은 그것과 이어지지 않아 조용합니다."""
    frame = confounded_frame(seed, hidden=0.7)
    frame["control_outcome"] = (
        0.7 * frame["x1"] + 0.5 * frame["x3"] + np.random.default_rng([seed, 1]).normal(size=len(frame))
    )
    spec = world_spec(
        "blind_negative_control", confounders=NAMES, timing=_before(*NAMES), negative_outcomes=("control_outcome",)
    )
    return spec, frame, 1.0


def failing_negative_control(seed):
    spec = world_spec(
        "failing_negative_control", confounders=NAMES, timing=_before(*NAMES), negative_outcomes=("control_outcome",)
    )
    return spec, confounded_frame(seed, hidden=0.7), 1.0


EDGES = (
    ("x1", "t"), ("x1", "y"), ("x2", "y"), ("x3", "t"),
    ("t", "middle"), ("middle", "y"), ("t", "y"), ("t", "meet"), ("y", "meet"),
)  # fmt: skip


def graph_frame(seed, n=1500):
    """교란 요인 x1, 결과에만 가는 x2, 처치에만 가는 x3, 매개 middle, 충돌 변수 meet."""
    r = np.random.default_rng(seed)
    x1, x2, x3 = r.normal(size=(3, n))
    t = (r.random(n) < _logistic(0.8 * x1 + 0.8 * x3)).astype(int)
    middle = 0.8 * t + r.normal(size=n)
    y = 0.5 * t + 0.6 * middle + x1 + x2 + r.normal(size=n)
    meet = t + y + r.normal(size=n)
    return pd.DataFrame({"x1": x1, "x2": x2, "x3": x3, "t": t, "middle": middle, "y": y, "meet": meet})


def graph_with_traps(seed):
    """자료에 매개와 충돌 변수가 있지만 그래프가 그것을 말해 줍니다. 전체 효과는 0.5 + 0.8 × 0.6."""
    return world_spec("graph_with_traps", edges=EDGES), graph_frame(seed), 0.98


def mediator_adjusted(seed):
    return world_spec("mediator_adjusted", edges=EDGES, confounders=("x1", "middle")), graph_frame(seed), 0.98


def collider_adjusted(seed):
    return world_spec("collider_adjusted", edges=EDGES, confounders=("x1", "meet")), graph_frame(seed), 0.98


def hidden_in_graph(seed):
    frame = confounded_frame(seed, hidden=0.7)
    edges = (
        tuple((c, "t") for c in ("x1", "x2", "u")) + tuple((c, "y") for c in ("x1", "x2", "x3", "u")) + (("t", "y"),)
    )
    return world_spec("hidden_in_graph", edges=edges, hidden=("u",)), frame, 1.0


def wrong_graph(seed):
    """그래프에서 x1 → y 화살표를 빠뜨렸습니다. 그러면 x1을 보정하지 않아도 된다고 나오지만 자료가 그래프를 반박합니다."""
    edges = tuple(e for e in EDGES if e != ("x1", "y"))
    return world_spec("wrong_graph", edges=edges), graph_frame(seed), 0.98


def experiment(seed, n=800):
    r = np.random.default_rng(seed)
    x1, x2 = r.normal(size=(2, n))
    t = (r.random(n) < 0.3).astype(int)
    y = 0.5 * (1 + x1) * t + x1 + np.abs(x2) + r.exponential(size=n)
    frame = pd.DataFrame({"x1": x1, "x2": x2, "t": t, "y": y})
    treatment = Treatment("t", "binary", randomized=True, probability=0.3)
    return (
        world_spec("experiment", treatment=treatment, confounders=("x1", "x2"), timing=_before("x1", "x2")),
        frame,
        0.5,
    )


def clustered_experiment(seed, groups=40, size=20, treated=None):
    """매장마다 배정한 실험. ``treated``는 처치받은 매장의 수(적지 않으면 절반)입니다."""
    r = np.random.default_rng(seed)
    g = np.repeat(np.arange(groups), size)
    t = r.permutation(np.arange(groups) % 2 if treated is None else (np.arange(groups) < treated).astype(int))[g]
    x1 = r.normal(size=len(g))
    y = 0.5 * t + x1 + 0.7 * r.normal(size=groups)[g] + r.normal(size=len(g))
    frame = pd.DataFrame({"store": g, "x1": x1, "t": t, "y": y})
    treatment = Treatment("t", "binary", randomized=True, probability=0.5, cluster="store")
    return (
        world_spec("clustered_experiment", treatment=treatment, confounders=("x1",), timing=_before("x1")),
        frame,
        0.5,
    )


def few_treated_stores(seed):
    """매장 마흔 가운데 넷만 처치받습니다."""
    made, frame, truth = clustered_experiment(seed, treated=4)
    treatment = replace(made.treatment, probability=0.1)
    return replace(made, name="few_treated_stores", treatment=treatment), frame, truth


def leaking_experiment(seed, n=2000):
    """처치받은 쪽에서 결과가 나쁜 대상이 더 많이 떠나 결과가 빕니다."""
    r = np.random.default_rng(seed)
    t = (r.random(n) < 0.5).astype(int)
    y = 0.3 * t + r.normal(size=n)
    y[(r.random(n) < 0.25 * t * (y < 0)) | (r.random(n) < 0.02)] = np.nan
    treatment = Treatment("t", "binary", randomized=True, probability=0.5)
    # 빈 결과는 빼라고 해도 실험에서는 남아, 어느 쪽에서 새는지 점검합니다.
    return (
        world_spec("leaking_experiment", source=Source(None, missing="drop"), treatment=treatment),
        pd.DataFrame({"t": t, "y": y}),
        0.3,
    )


def many_arms(seed, n=2000):
    """세 수준의 처치. 0에 견준 2의 효과를 묻습니다."""
    r = np.random.default_rng(seed)
    x1, x2 = r.normal(size=(2, n))
    score = np.column_stack([np.zeros(n), 0.5 * x1, 0.6 * x2 + 0.4 * x1])
    p = np.exp(score) / np.exp(score).sum(axis=1, keepdims=True)
    t = (r.random(n)[:, None] > p.cumsum(axis=1)).sum(axis=1)
    y = np.array([0.0, 0.4, 1.0])[t] + 0.3 * x2 * (t == 2) + x1 + np.sin(2 * x2) + r.normal(size=n)
    frame = pd.DataFrame({"x1": x1, "x2": x2, "t": t, "y": y, "control_outcome": x1 + r.normal(size=n)})
    treatment = Treatment("t", "multi", 0, 2)
    spec = world_spec(
        "many_arms",
        treatment=treatment,
        confounders=("x1", "x2"),
        timing=_before("x1", "x2"),
        negative_outcomes=("control_outcome",),
    )
    return spec, frame, 1.0


def dose(seed, n=1500):
    """용량 반응이 굽어 있습니다. 1에서 3으로 올린 효과를 묻습니다."""
    r = np.random.default_rng(seed)
    x1, x2, x3 = r.normal(size=(3, n))
    d = 2 + 0.6 * x1 + 0.3 * x2**2 + r.normal(size=n)
    y = 2 * np.sin(d / 2) + x1 + 0.5 * x2**2 + r.normal(size=n)
    frame = pd.DataFrame({"x1": x1, "x2": x2, "x3": x3, "t": d, "y": y, "control_outcome": x1 + r.normal(size=n)})
    names = ("x1", "x2", "x3")
    treatment = Treatment("t", "continuous", 1.0, 3.0)
    spec = world_spec(
        "dose", treatment=treatment, confounders=names, timing=_before(*names), negative_outcomes=("control_outcome",)
    )
    return spec, frame, float(2 * (np.sin(1.5) - np.sin(0.5)))


def skewed_dose(seed, n=1500):
    """용량이 한쪽으로 길게 늘어지고, 반응은 한 구간에서 급히 오르는 S자입니다. 0.8에서 2.5로 올린 효과를 묻습니다."""
    r = np.random.default_rng(seed)
    x1, x2, x3 = r.normal(size=(3, n))
    d = np.abs(x1) + 0.5 * x2 + r.exponential(size=n)
    y = 2 * _logistic(3 * (d - 1.5)) + x1 + 0.5 * x2**2 + r.normal(size=n)
    frame = pd.DataFrame({"x1": x1, "x2": x2, "x3": x3, "t": d, "y": y, "control_outcome": x1 + r.normal(size=n)})
    names = ("x1", "x2", "x3")
    treatment = Treatment("t", "continuous", 0.8, 2.5)
    spec = world_spec(
        "skewed_dose",
        treatment=treatment,
        confounders=names,
        timing=_before(*names),
        negative_outcomes=("control_outcome",),
    )
    return spec, frame, float(2 * (_logistic(3.0) - _logistic(-2.1)))


def instrument_frame(seed, push, direct=0.0, n=1500):
    """도구 z, 처치 t, 결과 y와 잰 교란 요인 둘. ``direct``는 도구가 결과에 바로 닿는 크기입니다."""
    r = np.random.default_rng(seed)
    x1, x2, u = r.normal(size=(3, n))
    z = (r.random(n) < _logistic(0.5 * x1)).astype(int)
    t = (push * z + 0.5 * x1 + u + r.normal(size=n) > 0.5).astype(int)
    y = t + direct * z + x1 + 0.5 * np.sin(2 * x2) + u + r.normal(size=n)
    other = x1 + direct * z + r.normal(size=n)
    return pd.DataFrame({"x1": x1, "x2": x2, "z": z, "t": t, "y": y, "control_outcome": other})


def instrument_spec(name, **fields):
    """도구변수 세계의 명세."""
    base = {
        "estimand": "LATE",
        "confounders": ("x1", "x2"),
        "timing": _before("x1", "x2"),
        "fields": (Instrument(("z",)),),
    }
    return world_spec(name, **{**base, **fields})


def instrument(seed):
    return instrument_spec("instrument", negative_outcomes=("control_outcome",)), instrument_frame(seed, 1.5), 1.0


def weak_instrument(seed):
    return (
        instrument_spec("weak_instrument", negative_outcomes=("control_outcome",)),
        instrument_frame(seed, 0.1),
        1.0,
    )


def direct_instrument(seed):
    """도구가 결과에 곧장 닿고, 음성 대조군이 그것을 드러냅니다."""
    return (
        instrument_spec("direct_instrument", negative_outcomes=("control_outcome",)),
        instrument_frame(seed, 1.5, direct=0.4),
        1.0,
    )


def direct_instrument_unseen(seed):
    return instrument_spec("direct_instrument_unseen"), instrument_frame(seed, 1.5, direct=0.3), 1.0


def several_instruments(seed, push=(1.0, 0.8, 0.6), direct=0.0, n=1500):
    """독립인 도구 여럿. 마지막 도구가 결과에 ``direct``만큼 곧장 닿습니다(0이면 모두 옳습니다)."""
    r = np.random.default_rng(seed)
    x1, x2, u = r.normal(size=(3, n))
    Z = (r.random((n, len(push))) < 0.5).astype(int)
    t = (Z @ np.array(push) + 0.5 * x1 + u + r.normal(size=n) > np.sum(push) / 2).astype(int)
    y = t + direct * Z[:, -1] + x1 + 0.5 * np.sin(2 * x2) + u + r.normal(size=n)
    named = [f"z{j + 1}" for j in range(len(push))]
    frame = pd.DataFrame(Z, columns=named).assign(x1=x1, x2=x2, t=t, y=y)
    name = "several_instruments" if direct == 0 else "one_bad_instrument"
    return instrument_spec(name, fields=(Instrument(tuple(named)),)), frame, 1.0


def one_bad_instrument(seed):
    """셋 가운데 하나가 결과에 곧장 닿습니다. 음성 대조군은 없고 과대식별 검정만 볼 수 있습니다."""
    return several_instruments(seed, direct=0.4)


def many_weak_instruments(seed):
    """힘이 거의 없는 도구 열다섯."""
    made, frame, truth = several_instruments(seed, push=(0.05,) * 15)
    return replace(made, name="many_weak_instruments"), frame, truth


def direct_mail(seed, n=1500):
    """무작위로 보낸 안내 메일이 처치를 밀 뿐 아니라 결과에도 곧장 닿습니다. 음성 대조군은 메일과 상관이 없습니다."""
    r = np.random.default_rng(seed)
    x1, x2, u = r.normal(size=(3, n))
    z = (r.random(n) < 0.5).astype(int)
    t = (1.5 * z + 0.5 * x1 + u + r.normal(size=n) > 0.5).astype(int)
    y = t + 0.4 * z + x1 + 0.5 * np.sin(2 * x2) + u + r.normal(size=n)
    frame = pd.DataFrame(
        {"x1": x1, "x2": x2, "z": z, "t": t, "y": y, "control_outcome": x1 + 0.5 * u + r.normal(size=n)}
    )
    rule = Assignment("메일을 동전 던지기로 보냄", "실험 계획서 2쪽")
    return instrument_spec("direct_mail", negative_outcomes=("control_outcome",), assignment=rule), frame, 1.0


def running_frame(seed, fuzzy=False, cheat=0.0, n=2000):
    """임곗값 50의 배정변수 score. ``cheat``는 임곗값 바로 아래에서 위로 옮긴 몫입니다."""
    r = np.random.default_rng(seed)
    x, u = r.normal(size=(2, n))
    if cheat:
        move = (x < 0) & (x > -0.3) & (r.random(n) < cheat)
        x, u = np.where(move, -0.5 * x, x), u + move
    p = np.where(x >= 0, 0.8, 0.2) if fuzzy else (x >= 0).astype(float)
    t = (r.random(n) < p).astype(int)
    y = t + np.sin(x) + 0.5 * x**2 + u
    return pd.DataFrame({"score": x + 50, "before": 0.5 * x + r.normal(size=n), "t": t, "y": y})


def running_spec(name):
    """임곗값 세계의 명세."""
    return world_spec(
        name, estimand="LATE", fields=(Running("score", 50.0),), confounders=("before",), timing=_before("before")
    )


def sharp_cutoff(seed):
    return running_spec("sharp_cutoff"), running_frame(seed), 1.0


def fuzzy_cutoff(seed):
    return running_spec("fuzzy_cutoff"), running_frame(seed, fuzzy=True), 1.0


def density_jump(seed):
    return running_spec("density_jump"), running_frame(seed, cheat=0.5), 1.0


RULE = Assignment("점수가 50점 이상이면 처치함", "운영 규정 3조, 2025년 1월 운영팀이 정함")


def documented_cutoff(seed):
    """문서로 남은 임곗값. 처치 전 변수가 결과를 잘 말해 주어, 자리를 바꾸었으면 드러납니다."""
    frame = running_frame(seed, n=8000)
    noise = np.random.default_rng([seed, 1]).normal(size=len(frame))
    x = frame["score"] - 50
    frame["before"] = frame["y"] - frame["t"] - 0.3 * x + 0.4 * noise
    return replace(running_spec("documented_cutoff"), assignment=RULE), frame, 1.0


def _swapped(seed, seen):
    """임곗값에서 같은 거리에 있는 두 대상이, 결과가 좋을 쪽이 위로 가게 자리를 맞바꿉니다.

    바꾸는 몫이 거리와 상관없어, 밀도도 띠너비도 도넛도 조용합니다. 치우침은 효과의 절반쯤입니다.
    """
    n, r = 8000, np.random.default_rng(seed)
    x, u = r.normal(size=(2, n))
    below, above = (np.flatnonzero(side) for side in (x < 0, x >= 0))
    pairs = min(len(below), len(above))
    below, above = (rows[np.argsort(np.abs(x[rows]))][:pairs] for rows in (below, above))
    swap = (u[below] > u[above]) & (r.random(pairs) < 0.45)
    x[below[swap]], x[above[swap]] = x[above[swap]], x[below[swap]].copy()
    t = (x >= 0).astype(int)
    y = t + np.sin(x) + 0.5 * x**2 + u
    before = 0.5 * x + (u if seen else 0) + 0.5 * r.normal(size=n)
    return pd.DataFrame({"score": x + 50, "before": before, "t": t, "y": y})


def swapped_cutoff(seed):
    """자리를 맞바꾸었고, 처치 전 변수는 결과와 이어지지 않아 조용합니다."""
    return replace(running_spec("swapped_cutoff"), assignment=RULE), _swapped(seed, seen=False), 1.0


def swapped_cutoff_seen(seed):
    """자리를 맞바꾸었고, 처치 전 변수가 그것을 드러냅니다."""
    return replace(running_spec("swapped_cutoff_seen"), assignment=RULE), _swapped(seed, seen=True), 1.0


def panel_frame(seed, periods, starts, effect, trend=0.0, shock=0.0, units=200):
    """처치 집단은 처음부터 높고, 오차는 시간에 따라 이어집니다."""
    r = np.random.default_rng(seed)
    start = r.choice(starts, size=units)
    level = r.normal(size=units) + (start < 99)
    noise = r.normal(size=(units, periods))
    for k in range(1, periods):
        noise[:, k] += 0.3 * noise[:, k - 1]
    when = np.arange(1, periods + 1)
    on = when[None, :] >= start[:, None]
    lift = effect(when[None, :] - start[:, None]) * on
    y = level[:, None] + 0.3 * when + noise + lift + (trend * when[None, :] + shock * on) * (start < 99)[:, None]
    frame = pd.DataFrame(
        {
            "unit": np.repeat(np.arange(units), periods),
            "week": np.tile(when, units),
            "start": np.repeat(np.where(start < 99, start.astype(float), np.nan), periods),
            "t": on.ravel().astype(int),
            "y": y.ravel(),
            "control_outcome": (r.normal(size=units)[:, None] + r.normal(size=(units, periods))).ravel(),
        }
    )
    return frame, float(lift[on].mean())


def panel_spec(name, **fields):
    """패널 세계의 명세(ATT)."""
    return world_spec(name, estimand="ATT", unit="unit", fields=(Panel("unit", "week", "start"),), **fields)


def two_by_two(seed):
    frame, truth = panel_frame(seed, 8, (5, 99), lambda k: np.ones_like(k, dtype=float))
    return panel_spec("two_by_two", negative_outcomes=("control_outcome",)), frame, truth


def staggered(seed):
    """효과가 처치 뒤로 갈수록 커져, 고정효과 회귀 하나는 틀립니다."""
    frame, truth = panel_frame(seed, 12, (5, 7, 9, 99), lambda k: 0.5 + 0.3 * k)
    return panel_spec("staggered", negative_outcomes=("control_outcome",)), frame, truth


def panel_holes(seed):
    """칸의 8%를 아무렇게나 보지 못했습니다. 모든 시점을 다 본 대상은 열에 넷도 되지 않습니다."""
    frame, _ = panel_frame(seed, 12, (5, 7, 9, 99), lambda k: 0.5 + 0.3 * k)
    keep = np.random.default_rng([seed, 1]).random(len(frame)) > 0.08
    since = frame["week"] - frame["start"]
    truth = float((0.5 + 0.3 * since[since >= 0]).mean())
    return panel_spec("panel_holes"), frame[keep].reset_index(drop=True), truth


def panel_leavers(seed):
    """처치 뒤에 결과가 나쁜 처치 대상이 떠나 다시 나타나지 않습니다."""
    frame, truth = panel_frame(seed, 10, (5, 99), lambda k: np.ones_like(k, dtype=float), units=300)
    level = frame.groupby("unit")["y"].transform("mean")
    leaves = (frame["t"] == 1) & (frame["y"] < level) & (np.random.default_rng([seed, 1]).random(len(frame)) < 0.3)
    gone = leaves.groupby(frame["unit"]).cumsum().groupby(frame["unit"]).shift(fill_value=0) > 0
    return panel_spec("panel_leavers"), frame[~gone].reset_index(drop=True), truth


def few_treated(seed):
    """마흔 대상 가운데 여덟만 처치받습니다."""
    frame, truth = panel_frame(seed, 12, (7,), lambda k: np.ones_like(k, dtype=float), units=40)
    treated = np.isin(frame["unit"], np.random.default_rng([seed, 1]).permutation(40)[:8])
    frame["y"] = frame["y"] - frame["t"] * ~treated - 1.0 * ~treated
    frame["t"], frame["start"] = frame["t"] * treated, frame["start"].where(treated)
    return panel_spec("few_treated"), frame, truth


def pre_trend(seed):
    """처치 집단이 처치와 상관없이 시점마다 0.25씩 더 오릅니다. 처치 뒤 네 시점의 치우침은 효과의 절반을 넘습니다."""
    frame, truth = panel_frame(seed, 8, (5, 99), lambda k: np.ones_like(k, dtype=float), trend=0.25)
    return panel_spec("pre_trend", negative_outcomes=("control_outcome",)), frame, truth


def hidden_shock(seed):
    """처치와 같은 때에 처치 집단에만 다른 일이 생깁니다. 앞 시점으로는 알 수 없습니다."""
    frame, truth = panel_frame(seed, 12, (9, 99), lambda k: np.ones_like(k, dtype=float), shock=0.7)
    return panel_spec("hidden_shock"), frame, truth


def one_treated_unit(seed, donors=38, periods=30, before=20):
    r = np.random.default_rng(seed)
    factors = np.cumsum(r.normal(size=(periods, 2)), axis=0) * 0.5
    Y = (
        r.normal(size=donors + 1)[None, :]
        + factors @ r.normal(size=(2, donors + 1))
        + 0.5 * r.normal(size=(periods, donors + 1))
    )
    Y[before:, 0] += 2
    on = (np.arange(periods) >= before)[:, None] & (np.arange(donors + 1) == 0)[None, :]
    frame = pd.DataFrame(
        {
            "unit": np.tile(np.arange(donors + 1), periods),
            "week": np.repeat(np.arange(periods), donors + 1),
            "y": Y.ravel(),
            "t": on.ravel().astype(int),
        }
    )
    return world_spec("one_treated_unit", estimand="ATT", unit="unit", fields=(Panel("unit", "week"),)), frame, 2.0


def announced_unit(seed, ahead=4):
    """처치를 미리 알고 ``ahead``시점 앞부터 거꾸로 움직였고, 명세에 그렇게 적었습니다."""
    made, frame, truth = one_treated_unit(seed, periods=30 + ahead, before=20 + ahead)
    early = (frame["unit"] == 0) & frame["week"].between(20, 19 + ahead)
    frame["y"] -= 2.0 * early
    return replace(made, name="announced_unit", fields=(Panel("unit", "week", None, ahead),)), frame, truth


def cross_sections_frame(
    seed,
    groups=40,
    treated=20,
    periods=8,
    starts=(5,),
    size=20,
    uneven=0.0,
    effect=lambda k: np.ones(k.shape),
    trend=0.0,
    ahead=(),
    arrivals=0.0,
):
    """시점마다 다른 사람. 집단에는 시점에 따라 이어지는 흔들림이 있고, 사람의 x는 시점마다 조금씩 바뀝니다.

    ``arrivals``이면 처치 뒤에 x와 재지 못한 특성이 그만큼 큰 사람이 들어옵니다. ``ahead``는 처치 앞 시점에 미리 나타난 효과입니다.
    """
    r = np.random.default_rng(seed)
    start = np.full(groups, 99)
    start[r.permutation(groups)[:treated]] = np.resize(starts, treated)
    when = np.arange(1, periods + 1)
    since = when[None, :] - start[:, None]
    on = since >= 0
    wave = np.zeros((groups, periods))
    for k in range(periods):
        wave[:, k] = 0.5 * (wave[:, k - 1] if k else 0) + 0.26 * (r.exponential(size=groups) - 1)
    lift = np.where(on, effect(since), 0.0)
    means = (
        r.normal(size=groups)[:, None]
        + 0.5 * (start < 99)[:, None]
        + 0.2 * when
        + wave
        + lift
        + trend * when * (start < 99)[:, None]
    )
    for back, early in enumerate(ahead, start=1):
        means = means + early * (since == -back)
    counts = np.maximum(r.poisson(size * np.exp(uneven * r.normal(size=groups))[:, None] * np.ones((1, periods))), 3)
    g, t = (np.repeat(v.ravel(), counts.ravel()) for v in np.indices((groups, periods)))
    moved = arrivals * on[g, t]
    x = r.normal(size=len(g)) + 0.05 * t + moved
    y = means[g, t] + 0.5 * x + np.sin(2 * r.normal(size=len(g))) + moved + 0.7 * r.normal(size=len(g))
    frame = pd.DataFrame(
        {
            "store": g, "week": when[t], "start": np.where(start < 99, start.astype(float), np.nan)[g], "t": on[g, t].astype(int), "x": x, "y": y,
            "control_outcome": 0.3 * r.normal(size=groups)[g] + 0.1 * t + r.normal(size=len(g)),
        }
    )  # fmt: skip
    return frame, float(lift[on].mean())


def cross_sections_spec(name, **fields):
    """반복 횡단면 세계의 명세(ATT)."""
    base = {"confounders": ("x",), "timing": _before("x"), "negative_outcomes": ("control_outcome",)}
    return world_spec(name, estimand="ATT", fields=(CrossSections("store", "week", "start"),), **{**base, **fields})


def cross_sections(seed):
    frame, truth = cross_sections_frame(seed)
    return cross_sections_spec("cross_sections"), frame, truth


def cross_sections_few(seed):
    """집단이 열둘뿐이고 처치 집단은 다섯입니다."""
    frame, truth = cross_sections_frame(seed, groups=12, treated=5)
    return cross_sections_spec("cross_sections_few"), frame, truth


def cross_sections_uneven(seed):
    """처치 집단은 여덟, 시작은 제각각, 칸의 크기는 몇십 배까지 다르고 효과는 처치 뒤로 갈수록 커집니다."""
    frame, truth = cross_sections_frame(seed, treated=8, starts=(4, 6), uneven=1.0, effect=lambda k: 0.5 + 0.3 * k)
    return cross_sections_spec("cross_sections_uneven"), frame, truth


def cross_sections_trend(seed):
    """처치 집단이 처치와 상관없이 시점마다 더 오릅니다."""
    frame, truth = cross_sections_frame(seed, periods=12, starts=(7,), trend=0.15)
    return cross_sections_spec("cross_sections_trend"), frame, truth


def cross_sections_announced(seed):
    """처치를 미리 알고 두 시점 앞부터 움직입니다."""
    frame, truth = cross_sections_frame(seed, ahead=(0.8, 0.4))
    return cross_sections_spec("cross_sections_announced"), frame, truth


def cross_sections_arrivals(seed):
    """처치 뒤에 다른 사람들이 들어옵니다. 잰 특성과 재지 못한 특성이 함께 다릅니다."""
    frame, truth = cross_sections_frame(seed, arrivals=0.4)
    return cross_sections_spec("cross_sections_arrivals"), frame, truth


def cross_sections_arrivals_unseen(seed):
    """처치 뒤에 다른 사람들이 들어오지만, 사람의 특성을 하나도 적지 않았습니다."""
    frame, truth = cross_sections_frame(seed, arrivals=0.4)
    return cross_sections_spec("cross_sections_arrivals_unseen", confounders=(), timing={}), frame, truth


def dose_panel_frame(
    seed, units=150, periods=10, movers=None, response=None, trend=0.0, carry=0.0, ahead=0.0, feedback=0.0
):
    """용량은 대상의 수준과 시점을 따르고 이어지며, 효과는 대상마다 조금 다릅니다(용량의 움직임과는 상관없이).

    ``trend``는 용량이 더 오르는 대상의 결과가 시점마다 더 오르는 만큼, ``feedback``은 지난 시점의 운이 좋으면 용량이 주는 만큼입니다.
    """
    r = np.random.default_rng(seed)
    level, rise = r.normal(size=(2, units))
    slope = 1 + 0.3 * r.normal(size=units)
    moves = np.ones(units, dtype=bool) if movers is None else np.isin(np.arange(units), r.permutation(units)[:movers])
    D, luck = np.zeros((units, periods)), np.zeros((units, periods))
    pulse, noise = r.normal(size=units), r.exponential(size=(units, periods)) - 1
    for k in range(periods):
        luck[:, k] = 0.4 * (luck[:, k - 1] if k else 0) + noise[:, k]
        pulse = 0.5 * pulse + np.sqrt(0.75) * r.normal(size=units)
        D[:, k] = moves * (
            3 + 0.5 * level + pulse + 0.15 * rise * k + 0.1 * k - feedback * (luck[:, k - 1] if k else 0)
        )
    effect = slope[:, None] * D if response is None else response(D)
    before, after = np.column_stack([D[:, 0], D[:, :-1]]), np.column_stack([D[:, 1:], D[:, -1]])
    when = np.arange(1, periods + 1)
    y = (
        level[:, None]
        + 0.3 * np.cumsum(r.normal(size=periods))
        + effect
        + carry * before
        + ahead * after
        + trend * rise[:, None] * when
        + luck
    )
    return pd.DataFrame(
        {
            "unit": np.repeat(np.arange(units), periods), "week": np.tile(when, units), "t": D.ravel(), "y": y.ravel(),
            "control_outcome": (r.normal(size=units)[:, None] + r.normal(size=(units, periods))).ravel(),
        }
    )  # fmt: skip


def dose_panel_spec(name, control=2.0, treated=3.0):
    """패널 용량 세계의 명세. ``control``에서 ``treated``로 올린 효과를 묻습니다."""
    fields = {
        "estimand": "ATT",
        "unit": "unit",
        "fields": (Panel("unit", "week"),),
        "negative_outcomes": ("control_outcome",),
    }
    return world_spec(name, treatment=Treatment("t", "continuous", control, treated), **fields)


def dose_panel(seed):
    return dose_panel_spec("dose_panel"), dose_panel_frame(seed), 1.0


def dose_panel_few(seed):
    """대상이 열둘뿐입니다."""
    return dose_panel_spec("dose_panel_few"), dose_panel_frame(seed, units=12, periods=20), 1.0


def dose_panel_eight(seed):
    """마흔 대상 가운데 여덟만 용량을 받고 나머지는 늘 0입니다."""
    return dose_panel_spec("dose_panel_eight"), dose_panel_frame(seed, units=40, movers=8), 1.0


def dose_panel_trend(seed):
    """용량이 더 오르는 대상의 결과가 용량과 상관없이 더 오릅니다."""
    return dose_panel_spec("dose_panel_trend"), dose_panel_frame(seed, trend=0.2), 1.0


def dose_panel_feedback(seed):
    """지난 시점의 결과가 나쁘면 용량을 올립니다."""
    return dose_panel_spec("dose_panel_feedback"), dose_panel_frame(seed, feedback=0.5), 1.0


def dose_panel_bent(seed):
    """용량이 많을수록 덜 듣습니다. 2에서 5로 올린 효과를 묻습니다."""
    frame = dose_panel_frame(seed, response=lambda d: 4 * np.log1p(np.maximum(d, 0)))
    return dose_panel_spec("dose_panel_bent", treated=5.0), frame, float(4 * np.log(6 / 3))


def dose_panel_carry(seed):
    """지난 시점의 용량의 효과가 절반쯤 남습니다."""
    return dose_panel_spec("dose_panel_carry"), dose_panel_frame(seed, carry=0.5), 1.0


def dose_panel_announced(seed):
    """다음 시점의 용량을 미리 알고 움직입니다."""
    return dose_panel_spec("dose_panel_announced"), dose_panel_frame(seed, ahead=0.5), 1.0


WORLDS = (
    World("confounded", "잰 교란 요인, 겹침 있음", "coverage", confounded),
    World("treated_only", "잰 교란 요인, ATT", "coverage", treated_only),
    World("no_effect", "효과가 없음", "coverage", no_effect),
    World("no_overlap", "겹침이 없음", "stop", no_overlap),
    World("hidden_confounder", "숨은 교란 요인, 음성 대조군 없음", "never_a", hidden_confounder),
    World("blind_negative_control", "숨은 교란 요인, 음성 대조군이 보지 못함", "never_a", blind_negative_control),
    World("failing_negative_control", "숨은 교란 요인, 음성 대조군이 울림", "stop", failing_negative_control),
    World("graph_with_traps", "자료에 매개와 충돌 변수, 그래프 있음", "coverage", graph_with_traps),
    World("mediator_adjusted", "매개 변수를 보정하겠다고 적음", "stop", mediator_adjusted),
    World("collider_adjusted", "충돌 변수를 보정하겠다고 적음", "stop", collider_adjusted),
    World("hidden_in_graph", "그래프에 재지 못한 교란 요인", "stop", hidden_in_graph),
    World("wrong_graph", "그래프에 화살표가 빠짐", "stop", wrong_graph),
    World("experiment", "무작위 실험", "coverage", experiment),
    World("clustered_experiment", "매장마다 배정한 실험", "coverage", clustered_experiment),
    World("few_treated_stores", "매장마다 배정한 실험, 40매장 가운데 처치 4", "coverage", few_treated_stores),
    World("leaking_experiment", "한쪽에서 결과가 새는 실험", "stop", leaking_experiment),
    World("many_arms", "세 수준의 처치", "coverage", many_arms),
    World("dose", "연속 처치", "coverage", dose),
    World("skewed_dose", "치우친 연속 처치, S자 반응", "coverage", skewed_dose),
    World("instrument", "도구변수", "coverage", instrument),
    World("weak_instrument", "약한 도구변수", "stop", weak_instrument),
    World("several_instruments", "도구변수 셋", "coverage", several_instruments),
    World("one_bad_instrument", "도구 셋 가운데 하나의 배제가 깨짐, 과대식별 검정이 울림", "stop", one_bad_instrument),
    World("many_weak_instruments", "약한 도구변수 열다섯", "stop", many_weak_instruments),
    World("direct_instrument", "배제가 깨진 도구, 음성 대조군이 울림", "stop", direct_instrument),
    World("direct_instrument_unseen", "배제가 깨진 도구, 음성 대조군 없음", "never_a", direct_instrument_unseen),
    World("direct_mail", "무작위로 보낸 메일이 결과에 곧장 닿음, 음성 대조군이 보지 못함", "never_a", direct_mail),
    World("sharp_cutoff", "날카로운 임곗값", "coverage", sharp_cutoff),
    World("fuzzy_cutoff", "퍼진 임곗값", "coverage", fuzzy_cutoff),
    World("documented_cutoff", "문서로 남은 임곗값", "coverage", documented_cutoff),
    World("swapped_cutoff", "임곗값에서 자리를 맞바꿈, 처치 전 변수가 보지 못함", "never_a", swapped_cutoff),
    World("swapped_cutoff_seen", "임곗값에서 자리를 맞바꿈, 처치 전 변수가 울림", "stop", swapped_cutoff_seen),
    World("density_jump", "배정변수를 움직임", "stop", density_jump),
    World("two_by_two", "2×2 패널", "coverage", two_by_two),
    World("staggered", "처치 시점이 다른 패널", "coverage", staggered),
    World("panel_holes", "처치 시점이 다른 패널, 칸의 8%가 빔", "coverage", panel_holes),
    World("few_treated", "패널, 40대상 가운데 처치 8", "coverage", few_treated),
    World("panel_leavers", "패널, 결과가 나쁜 처치 대상이 떠남", "stop", panel_leavers),
    World("pre_trend", "처치 전부터 벌어지는 패널", "stop", pre_trend),
    World("hidden_shock", "처치와 같은 때의 다른 일, 음성 대조군 없음", "never_a", hidden_shock),
    World("one_treated_unit", "처치받은 대상이 하나", "coverage", one_treated_unit),
    World("announced_unit", "처치받은 대상이 하나, 미리 움직인 네 시점을 적음", "coverage", announced_unit),
    World("cross_sections", "반복 횡단면", "coverage", cross_sections),
    World("cross_sections_few", "반복 횡단면, 12집단 가운데 처치 5", "coverage", cross_sections_few),
    World("cross_sections_uneven", "반복 횡단면, 처치 8, 들쭉날쭉한 칸", "coverage", cross_sections_uneven),
    World("cross_sections_trend", "반복 횡단면, 처치 전부터 벌어짐", "stop", cross_sections_trend),
    World("cross_sections_announced", "반복 횡단면, 처치를 미리 앎", "stop", cross_sections_announced),
    World("cross_sections_arrivals", "반복 횡단면, 처치와 함께 사람이 바뀜", "stop", cross_sections_arrivals),
    World(
        "cross_sections_arrivals_unseen",
        "반복 횡단면, 사람이 바뀌지만 특성 없음",
        "never_a",
        cross_sections_arrivals_unseen,
    ),
    World("dose_panel", "패널의 용량", "coverage", dose_panel),
    World("dose_panel_few", "패널의 용량, 12대상", "coverage", dose_panel_few),
    World("dose_panel_eight", "패널의 용량, 40대상 가운데 8만 움직임", "coverage", dose_panel_eight),
    World("dose_panel_trend", "패널의 용량, 추세가 용량과 얽힘", "stop", dose_panel_trend),
    World("dose_panel_feedback", "패널의 용량, 지난 결과를 보고 정함", "stop", dose_panel_feedback),
    World("dose_panel_bent", "패널의 용량, 굽은 반응", "stop", dose_panel_bent),
    World("dose_panel_carry", "패널의 용량, 효과가 남음", "stop", dose_panel_carry),
    World("dose_panel_announced", "패널의 용량, 용량을 미리 앎", "stop", dose_panel_announced),
)


@dataclass(frozen=True)
class Outcomes:
    """한 번 돌린 결과. 거절했으면 ``letter``가 None이고 ``code``가 그 이름입니다."""

    letter: str | None
    code: str | None
    value: float
    low: float
    high: float
    truth: float
    caps: tuple[str, ...]


def run(world: World, seed: int) -> Outcomes:
    """세계를 한 번 뽑아 분석 전체를 돌립니다. 명령과 같은 함수를 지납니다."""
    from causal_pipeline import PipelineError, analyze

    spec, frame, truth = world.make(seed)
    try:
        done = analyze(spec, frame=frame)
    except PipelineError as error:
        return Outcomes(None, error.code, np.nan, np.nan, np.nan, truth, ())
    main = done.primary
    caps = tuple(sorted(f"{c.name}:{c.cap}" for c in done.checks if c.cap in ("B", "C") and c.status != "ok"))
    return Outcomes(done.grade.letter, None, main.value, main.low, main.high, truth, caps)
