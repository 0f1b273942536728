"""설계를 고르고 식별합니다. 설계는 명세가 적은 것에서 규칙표로 따라 나옵니다. 추정값을 보고 설계를 바꾸는 일은 없습니다."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from causal_pipeline import designs, graphs, weighting
from causal_pipeline.designs.base import Design
from causal_pipeline.errors import Refusal
from causal_pipeline.model import Identification, Rule, Spec
from causal_pipeline.wording import josa

_NOT_OFFERED = {
    "LATE": (
        "late_without_instrument",
        "도구변수도 임곗값도 없으므로 LATE를 정의할 수 없습니다.",
        "estimand를 ATE나 ATT로 바꾸거나, 처치를 밀어 주기만 하는 변수를 instrument에 적으세요.",
    ),
    "ITT": (
        "itt_without_assignment",
        "배정을 무작위로 하지 않았으므로 배정의 효과(ITT)를 따로 말할 수 없습니다.",
        "estimand를 ATE나 ATT로 바꾸거나, 무작위 배정이면 treatment.randomized를 true로 적으세요.",
    ),
}


def rule_table(spec: Spec, frame: pd.DataFrame, among: Sequence[type[Design]] | None = None) -> tuple[Rule, ...]:
    """설계를 고르는 규칙표. 위에서부터 처음으로 '예'인 줄이 뽑힙니다.

    Raises
    ------
    Refusal
        맞는 설계가 없을 때.
    """
    kinds = designs.registered() if among is None else among
    answers = [kind.applies(spec, frame) for kind in kinds]
    first = next((i for i, answer in enumerate(answers) if answer), None)
    if first is None:
        raise spec.error(
            Refusal,
            "no_design",
            "treatment",
            "이 명세에 맞는 설계가 없습니다.",
            "treatment의 kind와, 설계가 쓰는 이름들이 서로 맞는지 보세요.",
        )
    return tuple(Rule(kind.question, answers[i], kind.name, i == first) for i, kind in enumerate(kinds))


def identify(spec: Spec, frame: pd.DataFrame, among: Sequence[type[Design]] | None = None) -> Identification:
    """명세와 자료에서 설계와 보정할 열을 정합니다.

    Parameters
    ----------
    spec : Spec
    frame : pandas.DataFrame
        ``tables.prepare``를 지난 자료.
    among : sequence of Design subclasses, optional
        고를 설계들. 없으면 등록된 모두입니다.

    Returns
    -------
    Identification

    Raises
    ------
    Refusal
        식별할 수 없을 때. ``remedy``는 무엇을 재거나 고쳐야 하는지입니다.
    DataError
        설계가 필요로 하는 만큼의 대상이 없을 때.
    """
    kinds = designs.registered() if among is None else among
    rules = rule_table(spec, frame, kinds)
    design = next(kind for kind in kinds if kind.name == next(r.design for r in rules if r.chosen))
    graph = graphs.causal_graph(spec)
    graphs.refuse_cycle(spec, graph)
    graphs.refuse_post_treatment(spec, graph)
    graphs.refuse_conflicting_timing(spec, graph)
    if spec.estimand not in design.estimands:
        code, message, remedy = _NOT_OFFERED.get(
            spec.estimand,
            (
                "estimand_not_offered",
                f"{design.label}에서는 {spec.estimand}를 물을 수 없습니다.",
                f"estimand를 {', '.join(design.estimands)} 가운데 하나로 적으세요.",
            ),
        )
        raise spec.error(Refusal, code, "estimand", message, remedy)
    for where, remedy in design.ignores.items():
        if spec.written()[where]:
            by = next((owned.key for owned in spec.fields), "treatment.kind")
            message = f"{josa(spec.both(where, by), '을/를')} 함께 적었는데, {by}로 고른 {josa(design.label, '은/는')} {josa(where, '을/를')} 쓰지 않습니다."
            raise spec.error(Refusal, "field_not_used", where, message, remedy)
    return replace(weighting.spoken(spec, design.identify(spec, frame, graph)), rules=rules)
