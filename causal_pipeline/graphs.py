"""인과 그래프: 길을 찾고, 보정할 변수를 고르고, 답할 수 없으면 거절합니다."""

import logging
from collections import deque
from collections.abc import Iterable
from typing import NoReturn

import networkx as nx

from causal_pipeline.errors import Refusal
from causal_pipeline.model import Spec, Step
from causal_pipeline.shown import source
from causal_pipeline.wording import josa


def causal_graph(spec: Spec) -> nx.DiGraph:
    """명세의 그래프. 화살표 대신 교란 요인만 적었으면 그 목록이 뜻하는 그래프를 만듭니다."""
    graph = nx.DiGraph()
    treatment, outcome = spec.treatment.column, spec.outcome.column
    if spec.edges:
        graph.add_edges_from(spec.edges)
        graph.add_nodes_from([treatment, outcome])
        return graph
    graph.add_edge(treatment, outcome)
    for name in spec.confounders:
        if spec.timing.get(name) == "after":
            graph.add_edge(treatment, name)
            graph.add_edge(name, outcome)
        else:
            graph.add_edge(name, treatment)
            graph.add_edge(name, outcome)
    for owned in spec.fields:
        graph.add_edges_from(owned.edges(spec))
    return graph


def observed(spec: Spec, graph: nx.DiGraph) -> list[str]:
    """그래프에 있고 재었다고 한 변수(이름 차례)."""
    return sorted(n for n in graph if n not in spec.hidden)


def open_path(graph: nx.DiGraph, start: str, goal: str, given: Iterable[str], backdoor: bool = True) -> str | None:
    """``given``을 알 때 열려 있는 가장 짧은 길을 ‘A ← U → B’ 꼴의 글로. 없으면 None.

    Parameters
    ----------
    backdoor : bool
        참이면 ``start``로 들어오는 화살표로 시작하는 길만 봅니다.
    """
    given = set(given)
    collided = given | {a for g in given for a in nx.ancestors(graph, g)}
    queue = deque()
    seen = set()

    def push(node, arrived, trail):
        if (node, arrived) not in seen and node != start:
            seen.add((node, arrived))
            queue.append((node, arrived, trail))

    for parent in sorted(graph.predecessors(start)):
        push(parent, "up", f"{start} ← {parent}")
    if not backdoor:
        for child in sorted(graph.successors(start)):
            push(child, "down", f"{start} → {child}")
    while queue:
        node, arrived, trail = queue.popleft()
        if node == goal:
            return trail
        if arrived == "up" and node not in given:
            for parent in sorted(graph.predecessors(node)):
                push(parent, "up", f"{trail} ← {parent}")
        if (arrived == "up" and node not in given) or (arrived == "down" and node not in given):
            for child in sorted(graph.successors(node)):
                push(child, "down", f"{trail} → {child}")
        if arrived == "down" and node in collided:
            for parent in sorted(graph.predecessors(node)):
                push(parent, "up", f"{trail} ← {parent}")
    return None


def directed_path(graph: nx.DiGraph, start: str, goal: str) -> str:
    """화살표를 따라가는 가장 짧은 길의 글."""
    return " → ".join(nx.shortest_path(graph, start, goal))


def refuse_cycle(spec: Spec, graph: nx.DiGraph) -> None:
    if not nx.is_directed_acyclic_graph(graph):
        cycle = nx.find_cycle(graph)
        raise spec.error(
            Refusal,
            "cyclic_graph",
            "graph.edges",
            f"그래프에 돌아오는 길이 있습니다: {' → '.join([a for a, _ in cycle] + [cycle[0][0]])}.",
            "서로 영향을 주고받는 변수는 시점을 나누어(지난주의 것, 이번 주의 것) 화살표가 한쪽으로만 가게 하세요.",
            item=" -> ".join(cycle[0]),
        )


def refuse_post_treatment(spec: Spec, graph: nx.DiGraph) -> None:
    """보정하겠다고 적은 변수 가운데 처치 뒤에 생긴 것이 있으면 거절합니다."""
    treatment, outcome = spec.treatment.column, spec.outcome.column
    after = nx.descendants(graph, treatment)
    for role, names in (("confounders", spec.confounders), ("modifiers", spec.modifiers)):
        for name in names:
            late = spec.timing.get(name) == "after"
            if name == outcome or not (name in after or late):
                continue
            if name in after:
                into = directed_path(graph, treatment, name)
                if outcome in graph and nx.has_path(graph, outcome, name):
                    reason = f"{into}이면서 {directed_path(graph, outcome, name)}인 충돌 변수(collider)"
                elif nx.has_path(graph, name, outcome):
                    reason = f"{into}{directed_path(graph, name, outcome)[len(name) :]} 길 위의 매개 변수(mediator)"
                else:
                    reason = f"{into} 길의 끝에 있는, 처치 뒤의 변수"
            else:
                reason = f"timing에 after로 적은 변수(처치 {treatment} → {name})"
            raise spec.error(
                Refusal,
                "post_treatment_adjustment" if role == "confounders" else "post_treatment_modifier",
                role,
                f"{role}에 적은 {josa(name, '은/는')} 처치의 결과입니다. {reason}이므로 이 변수로 보정하거나 대상을 나누면 효과가 일그러집니다.",
                f"{role}에서 {josa(name, '을/를')} 빼세요. 처치 전에 잰 같은 뜻의 값이 있으면 그것을 적으세요.",
                item=name,
            )


def refuse_conflicting_timing(spec: Spec, graph: nx.DiGraph) -> None:
    """처치 뒤라고 적은 변수가 그래프에서는 처치의 원인이면 거절합니다."""
    for name in sorted(nx.ancestors(graph, spec.treatment.column)):
        if spec.timing.get(name) == "after":
            raise spec.error(
                Refusal,
                "timing_contradicts_graph",
                f"timing.{name}",
                f"{josa(name, '은/는')} timing에서 처치 뒤인데, 그래프에서는 {directed_path(graph, name, spec.treatment.column)}로 처치의 원인입니다.",
                "언제 잰 값인지 확인해 timing이나 edges 가운데 틀린 쪽을 고치세요.",
            )


# --- 보정 집합 ---


def adjustment_set(spec: Spec, graph: nx.DiGraph) -> tuple[str, ...]:
    """DoWhy로 식별하고, 유효한 보정 집합 가운데 분산이 가장 작은 것(O-집합)을 고릅니다.

    Raises
    ------
    Refusal
        관측한 변수로는 뒷문을 다 막을 수 없을 때.
    """
    treatment, outcome = spec.treatment.column, spec.outcome.column
    if outcome not in nx.descendants(graph, treatment):
        raise spec.error(
            Refusal,
            "no_directed_path",
            "graph.edges",
            f"그래프에는 {treatment}에서 {outcome}으로 가는 길이 없습니다. 이 그래프를 믿으면 효과는 재지 않아도 0입니다.",
            f"효과가 있을 수 있다면 {treatment} → {outcome} 화살표를(거치는 변수가 있으면 그 길을) edges에 적으세요.",
            item=treatment,
        )
    if spec.confounders and spec.edges:
        _check_declared_set(spec, graph)
        return tuple(spec.confounders)
    if not spec.edges:
        return tuple(spec.confounders)
    sets, frontdoor, instruments = _ask_dowhy(spec, graph)
    if not sets:
        _refuse_unidentified(spec, graph, frontdoor, instruments)
    best = _optimal_set(spec, graph)
    if best is not None and blocks_backdoor(graph, treatment, outcome, best):
        return best
    return min((tuple(sorted(s)) for s in sets), key=lambda s: (len(s), s))


def blocks_backdoor(graph: nx.DiGraph, treatment: str, outcome: str, given: set | list | tuple) -> bool:
    """``given``이 뒷문 기준을 채우는지."""
    if set(given) & nx.descendants(graph, treatment):
        return False
    cut = graph.copy()
    cut.remove_edges_from(list(graph.out_edges(treatment)))
    return nx.is_d_separator(cut, {treatment}, {outcome}, set(given))


def dowhy_estimand(graph: nx.DiGraph, treatment: str, outcome: str, observed: list[str]) -> object:
    """DoWhy가 그래프에서 찾은 추정 대상. ``observed``는 잰 변수의 이름입니다."""
    from dowhy.causal_identifier import BackdoorAdjustment, EstimandType, identify_effect_auto

    kind, search = EstimandType.NONPARAMETRIC_ATE, BackdoorAdjustment.BACKDOOR_DEFAULT
    return identify_effect_auto(graph, [treatment], [outcome], observed, kind, backdoor_adjustment=search)


def _ask_dowhy(spec: Spec, graph: nx.DiGraph) -> tuple[list, list | None, list | None]:
    """DoWhy가 찾은 보정 집합들, 앞문 변수, 도구변수."""
    logging.getLogger("dowhy").setLevel(logging.ERROR)
    found = dowhy_estimand(graph, spec.treatment.column, spec.outcome.column, observed(spec, graph))
    estimands = found.estimands or {}
    # 식별되지 않으면 DoWhy 0.14는 오류 대신 None을 돌려줍니다(guides/library_traps).
    sets = [
        found.get_backdoor_variables(key) for key in (found.backdoor_variables or {}) if estimands.get(key) is not None
    ]
    frontdoor = found.get_frontdoor_variables() if estimands.get("frontdoor") else None
    instruments = found.get_instrumental_variables() if estimands.get("iv") else None
    return [s for s in sets if s is not None], frontdoor, instruments


def identification_step(spec: Spec, adjustment: tuple[str, ...]) -> Step:
    """재현 노트북에서 DoWhy로 식별을 되풀이하는 걸음."""
    t, y = spec.treatment.column, spec.outcome.column
    return Step(
        "DoWhy로 그래프에서 보정할 변수를 찾습니다. 파이프라인은 유효한 집합 가운데 결과의 분산을 가장 줄이는 것을 씁니다.",
        f"import networkx as nx\n\n{source(dowhy_estimand, blocks_backdoor)}\n\n"
        f"graph = nx.DiGraph({sorted(causal_graph(spec).edges)!r})\n"
        f"print(dowhy_estimand(graph, {t!r}, {y!r}, {observed(spec, causal_graph(spec))!r}))\n"
        f"print('뒷문이 막히는가:', blocks_backdoor(graph, {t!r}, {y!r}, {list(adjustment)!r}))",
    )


def _optimal_set(spec, graph) -> tuple[str, ...] | None:
    """인과 길 위 변수들의 부모에서 처치와 그 자손을 뺀 것. 재지 못한 변수가 끼면 None."""
    treatment, outcome = spec.treatment.column, spec.outcome.column
    causal = (nx.descendants(graph, treatment) & nx.ancestors(graph, outcome)) | {outcome}
    parents = {p for node in causal for p in graph.predecessors(node)}
    best = parents - nx.descendants(graph, treatment) - {treatment}
    return None if best & set(spec.hidden) else tuple(sorted(best))


def _check_declared_set(spec: Spec, graph: nx.DiGraph) -> None:
    treatment, outcome = spec.treatment.column, spec.outcome.column
    declared = set(spec.confounders)
    unknown = sorted(declared - set(graph))
    known = declared & set(graph)
    if unknown:
        raise spec.error(
            Refusal,
            "confounder_outside_graph",
            "confounders",
            f"confounders의 {josa(', '.join(unknown), '이/가')} 그래프에 없어, 보정해도 되는 변수인지 알 수 없습니다.",
            "edges에 이 변수로 들어오고 나가는 화살표를 적으세요. 처치와 결과를 함께 움직이는 교란 요인이면 처치로 가는 화살표와 결과로 가는 화살표가 모두 있어야 합니다.",
            item=unknown[0],
        )
    if blocks_backdoor(graph, treatment, outcome, known):
        return
    path = open_path(graph, treatment, outcome, known)
    opened = [n for n in sorted(known) if blocks_backdoor(graph, treatment, outcome, known - {n})]
    if opened:
        raise spec.error(
            Refusal,
            "collider_in_adjustment",
            "confounders",
            f"{josa(opened[0], '은/는')} 충돌 변수(collider)라서 보정하면 막혀 있던 길이 열립니다: {path}.",
            f"confounders에서 {josa(opened[0], '을/를')} 빼세요.",
            item=opened[0],
        )
    sets, frontdoor, instruments = _ask_dowhy(spec, graph)
    if not sets:
        _refuse_unidentified(spec, graph, frontdoor, instruments)
    smallest = min((tuple(sorted(s)) for s in sets), key=lambda s: (len(s), s))
    raise spec.error(
        Refusal,
        "incomplete_adjustment",
        "confounders",
        f"confounders만 보정하면 뒷문이 열려 있습니다: {path}.",
        f"confounders를 {josa(', '.join(smallest) or '(없음)', '으로/로')} 고치거나, confounders를 지우고 그래프가 고르게 하세요.",
    )


def _refuse_unidentified(spec: Spec, graph: nx.DiGraph, frontdoor, instruments) -> NoReturn:
    treatment, outcome = spec.treatment.column, spec.outcome.column
    usable = [n for n in observed(spec, graph) if n not in nx.descendants(graph, treatment) | {treatment, outcome}]
    path = open_path(graph, treatment, outcome, usable) or open_path(graph, treatment, outcome, ())
    hidden = [n for n in spec.hidden if n in graph]
    on_path = [n for n in hidden if path and f" {n} " in f" {path} "] or hidden
    remedy = (
        f"{josa(', '.join(on_path), '을/를')} 재어 자료에 넣으세요."
        if on_path
        else "그래프에서 막히지 않는 길의 변수를 재세요."
    )
    if instruments:
        remedy += f" 또는 그래프에 따르면 {josa(', '.join(instruments), '이/가')} 도구변수이므로 instrument에 적을 수 있습니다."
    if frontdoor:
        remedy += f" 앞문 기준으로는 {josa(', '.join(frontdoor), '을/를')} 거쳐 식별되지만, 이 파이프라인에는 앞문 추정이 없습니다."
    raise spec.error(
        Refusal,
        "not_identified",
        "graph.edges",
        f"관측한 변수를 모두 보정해도 뒷문이 막히지 않습니다: {path}. 자료가 아무리 많아도 이 효과는 계산할 수 없습니다.",
        remedy,
        item=on_path[0] if on_path else treatment,
    )


def precision_covariates(spec: Spec, graph: nx.DiGraph) -> tuple[str, ...]:
    """식별이 아니라 정밀도를 위해 쓰는 처치 전 변수: 적은 목록, 없으면 그래프에서 결과의 부모."""
    if spec.confounders:
        return tuple(spec.confounders)
    if not spec.edges:
        return ()
    best = _optimal_set(spec, graph)
    chosen = (
        best if best is not None else tuple(sorted(set(graph.predecessors(spec.outcome.column)) - set(spec.hidden)))
    )
    skip = {spec.treatment.column, *(role.column for f in spec.fields for role in f.roles())}
    return tuple(c for c in chosen if c not in skip and c not in nx.descendants(graph, spec.treatment.column))
