"""식별: 설계를 고르고, 그래프에서 보정할 변수를 찾고, 답할 수 없으면 거절합니다.

설계는 명세가 적은 것에서 규칙표로 따라 나옵니다. 추정값을 보고 설계를 바꾸는 일은 없습니다.
"""

from collections import deque

import networkx as nx

from causal_pipeline.errors import DataError, Refusal
from causal_pipeline.model import Identification, Rule
from causal_pipeline.wording import josa, names

# 처치받은(또는 받지 않은) 대상이 이보다 적으면 보정 설계를 하지 않습니다. 다섯 겹으로 나누면 한 겹에 넷이 남습니다.
SMALLEST_ARM = 20


def identify(spec, frame) -> Identification:
    """명세와 자료에서 설계와 보정할 열을 정합니다.

    Parameters
    ----------
    spec : Spec
    frame : pandas.DataFrame
        명세의 열을 모두 가진 자료.

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
    rules = rule_table(spec, frame)
    design = next(rule.design for rule in rules if rule.chosen)
    graph = causal_graph(spec)
    _refuse_nothing_declared(spec, design)
    _refuse_cycle(graph)
    _refuse_post_treatment(spec, graph)
    _refuse_conflicting_timing(spec, graph)
    if spec.estimand == "LATE" and design in {"experiment", "adjustment"}:
        raise Refusal(
            "late_without_instrument",
            "도구변수도 임곗값도 없으므로 LATE를 정의할 수 없습니다.",
            "estimand를 ATE나 ATT로 바꾸거나, 처치를 밀어 주기만 하는 변수를 instrument에 적으세요.",
            spec.lines.get("estimand"),
        )
    if spec.estimand == "ITT" and design == "adjustment":
        raise Refusal(
            "itt_without_assignment",
            "배정을 무작위로 하지 않았으므로 배정의 효과(ITT)를 따로 말할 수 없습니다.",
            "estimand를 ATE나 ATT로 바꾸거나, 무작위 배정이면 treatment.randomized를 true로 적으세요.",
            spec.lines.get("estimand"),
        )
    return _BUILDERS[design](spec, frame, graph, rules)


# --- 규칙표 ---


def treated_units(spec, frame) -> int:
    """패널에서 처치를 한 번이라도 받은 대상의 수."""
    if spec.panel.start:
        start = frame.groupby(spec.panel.unit)[spec.panel.start].first()
        return int(start.notna().sum())
    hit = frame[spec.treatment.column] == spec.treatment.treated
    return int(hit.groupby(frame[spec.panel.unit]).any().sum())


def rule_table(spec, frame) -> tuple[Rule, ...]:
    """설계를 고르는 규칙표. 위에서부터 처음으로 ‘예’인 줄이 뽑힙니다."""
    panel = spec.panel is not None
    several = treated_units(spec, frame) if panel else 0
    questions = (
        ("처치를 무작위로 배정했습니까?", spec.treatment.randomized, "experiment"),
        ("배정변수가 임곗값을 넘는지로 처치가 정해집니까?", spec.running is not None, "discontinuity"),
        ("처치를 밀어 주는 도구변수가 있습니까?", spec.instrument is not None, "instrument"),
        ("여러 시점을 본 패널이고, 처치받은 대상이 하나입니까?", panel and several == 1, "synthetic_control"),
        ("여러 시점을 본 패널이고, 처치받은 대상이 여럿입니까?", panel and several != 1, "difference_in_differences"),
        ("위의 어느 것도 아니고, 교란 요인을 재어 보정합니까?", True, "adjustment"),
    )
    first = next(i for i, (_, answer, _) in enumerate(questions) if answer)
    return tuple(
        Rule(question=q, answer=bool(answer) and (design != "adjustment" or i == first), design=design, chosen=i == first)
        for i, (q, answer, design) in enumerate(questions)
    )


# --- 그래프 ---


def causal_graph(spec) -> nx.DiGraph:
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
    if spec.instrument:
        graph.add_edge(spec.instrument, treatment)
        for name in spec.confounders:
            graph.add_edge(name, spec.instrument)
    return graph


def observed(spec, graph) -> list[str]:
    """그래프에 있고 재었다고 한 변수(이름 차례)."""
    return sorted(n for n in graph if n not in spec.hidden)


def open_path(graph: nx.DiGraph, start: str, goal: str, given, backdoor: bool = True) -> str | None:
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


def _refuse_nothing_declared(spec, design) -> None:
    if design == "adjustment" and not spec.edges and not spec.confounders:
        raise Refusal(
            "nothing_declared",
            "무작위 배정도 아니고, 보정할 교란 요인도 그래프도 적지 않았습니다. 이대로 견주면 상관만 남습니다.",
            "confounders에 처치와 결과를 함께 움직이는 처치 전 변수를 적거나, edges에 인과 그래프를 적으세요.",
            spec.lines.get("confounders"),
        )


def _refuse_cycle(graph) -> None:
    if not nx.is_directed_acyclic_graph(graph):
        cycle = [a for a, _ in nx.find_cycle(graph)]
        raise Refusal(
            "cyclic_graph",
            f"그래프에 돌아오는 길이 있습니다: {' → '.join([*cycle, cycle[0]])}.",
            "서로 영향을 주고받는 변수는 시점을 나누어(지난주의 것, 이번 주의 것) 화살표가 한쪽으로만 가게 하세요.",
        )


def _refuse_post_treatment(spec, graph) -> None:
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
                    reason = f"{into}{directed_path(graph, name, outcome)[len(name):]} 길 위의 매개 변수(mediator)"
                else:
                    reason = f"{into} 길의 끝에 있는, 처치 뒤의 변수"
            else:
                reason = f"timing에 after로 적은 변수(처치 {treatment} → {name})"
            raise Refusal(
                "post_treatment_adjustment" if role == "confounders" else "post_treatment_modifier",
                f"{role}에 적은 {josa(name, '은/는')} 처치의 결과입니다. {reason}이므로 이 변수로 보정하거나 대상을 나누면 효과가 일그러집니다.",
                f"{role}에서 {josa(name, '을/를')} 빼세요. 처치 전에 잰 같은 뜻의 값이 있으면 그것을 적으세요.",
                spec.lines.get(f"{role}.{name}") or spec.lines.get(role),
            )


def _refuse_conflicting_timing(spec, graph) -> None:
    """처치 뒤라고 적은 변수가 그래프에서는 처치의 원인이면 거절합니다."""
    for name in sorted(nx.ancestors(graph, spec.treatment.column)):
        if spec.timing.get(name) == "after":
            raise Refusal(
                "timing_contradicts_graph",
                f"{josa(name, '은/는')} timing에서 처치 뒤인데, 그래프에서는 {directed_path(graph, name, spec.treatment.column)}로 처치의 원인입니다.",
                "언제 잰 값인지 확인해 timing이나 edges 가운데 틀린 쪽을 고치세요.",
                spec.lines.get(f"timing.{name}") or spec.lines.get("timing"),
            )


# --- 보정 집합 ---


def adjustment_set(spec, graph) -> tuple[str, ...]:
    """DoWhy로 식별하고, 유효한 보정 집합 가운데 분산이 가장 작은 것(O-집합)을 고릅니다.

    Raises
    ------
    Refusal
        관측한 변수로는 뒷문을 다 막을 수 없을 때.
    """
    treatment, outcome = spec.treatment.column, spec.outcome.column
    if outcome not in nx.descendants(graph, treatment):
        raise Refusal(
            "no_directed_path",
            f"그래프에는 {treatment}에서 {outcome}으로 가는 길이 없습니다. 이 그래프를 믿으면 효과는 재지 않아도 0입니다.",
            f"효과가 있을 수 있다면 {treatment} → {outcome} 화살표를(거치는 변수가 있으면 그 길을) edges에 적으세요.",
            spec.lines.get("edges"),
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


def blocks_backdoor(graph, treatment, outcome, given) -> bool:
    """``given``이 뒷문 기준을 채우는지."""
    if set(given) & nx.descendants(graph, treatment):
        return False
    cut = graph.copy()
    cut.remove_edges_from(list(graph.out_edges(treatment)))
    return nx.is_d_separator(cut, {treatment}, {outcome}, set(given))


def _ask_dowhy(spec, graph):
    """DoWhy가 찾은 보정 집합들, 앞문 변수, 도구변수."""
    import logging

    from dowhy.causal_identifier import BackdoorAdjustment, EstimandType, identify_effect_auto

    logging.getLogger("dowhy").setLevel(logging.ERROR)
    found = identify_effect_auto(
        graph,
        [spec.treatment.column],
        [spec.outcome.column],
        observed(spec, graph),
        EstimandType.NONPARAMETRIC_ATE,
        backdoor_adjustment=BackdoorAdjustment.BACKDOOR_DEFAULT,
    )
    estimands = found.estimands or {}
    # 식별되지 않으면 DoWhy 0.14는 오류 대신 None을 돌려줍니다(guides/library_traps).
    sets = [found.get_backdoor_variables(key) for key in (found.backdoor_variables or {}) if estimands.get(key) is not None]
    frontdoor = found.get_frontdoor_variables() if estimands.get("frontdoor") else None
    instruments = found.get_instrumental_variables() if estimands.get("iv") else None
    return [s for s in sets if s is not None], frontdoor, instruments


def _optimal_set(spec, graph) -> tuple[str, ...] | None:
    """인과 길 위 변수들의 부모에서 처치와 그 자손을 뺀 것. 재지 못한 변수가 끼면 None."""
    treatment, outcome = spec.treatment.column, spec.outcome.column
    causal = (nx.descendants(graph, treatment) & nx.ancestors(graph, outcome)) | {outcome}
    parents = {p for node in causal for p in graph.predecessors(node)}
    best = parents - nx.descendants(graph, treatment) - {treatment}
    return None if best & set(spec.hidden) else tuple(sorted(best))


def _check_declared_set(spec, graph) -> None:
    treatment, outcome = spec.treatment.column, spec.outcome.column
    declared = set(spec.confounders)
    unknown = sorted(declared - set(graph))
    known = declared & set(graph)
    if unknown:
        raise Refusal(
            "confounder_outside_graph",
            f"confounders의 {josa(', '.join(unknown), '이/가')} 그래프에 없어, 보정해도 되는 변수인지 알 수 없습니다.",
            "edges에 이 변수로 들어오고 나가는 화살표를 적거나 confounders에서 빼세요.",
            spec.lines.get("confounders"),
        )
    if blocks_backdoor(graph, treatment, outcome, known):
        return
    path = open_path(graph, treatment, outcome, known)
    opened = [n for n in sorted(known) if blocks_backdoor(graph, treatment, outcome, known - {n})]
    if opened:
        raise Refusal(
            "collider_in_adjustment",
            f"{josa(opened[0], '은/는')} 충돌 변수(collider)라서 보정하면 막혀 있던 길이 열립니다: {path}.",
            f"confounders에서 {josa(opened[0], '을/를')} 빼세요.",
            spec.lines.get(f"confounders.{opened[0]}") or spec.lines.get("confounders"),
        )
    sets, frontdoor, instruments = _ask_dowhy(spec, graph)
    if not sets:
        _refuse_unidentified(spec, graph, frontdoor, instruments)
    smallest = min((tuple(sorted(s)) for s in sets), key=lambda s: (len(s), s))
    raise Refusal(
        "incomplete_adjustment",
        f"confounders만 보정하면 뒷문이 열려 있습니다: {path}.",
        f"confounders를 {josa(', '.join(smallest) or '(없음)', '으로/로')} 고치거나, confounders를 지우고 그래프가 고르게 하세요.",
        spec.lines.get("confounders"),
    )


def _refuse_unidentified(spec, graph, frontdoor, instruments) -> None:
    treatment, outcome = spec.treatment.column, spec.outcome.column
    usable = [n for n in observed(spec, graph) if n not in nx.descendants(graph, treatment) | {treatment, outcome}]
    path = open_path(graph, treatment, outcome, usable) or open_path(graph, treatment, outcome, ())
    hidden = [n for n in spec.hidden if n in graph]
    on_path = [n for n in hidden if path and f" {n} " in f" {path} "] or hidden
    remedy = f"{josa(', '.join(on_path), '을/를')} 재어 자료에 넣으세요." if on_path else "그래프에서 막히지 않는 길의 변수를 재세요."
    if instruments:
        remedy += f" 또는 그래프에 따르면 {josa(', '.join(instruments), '이/가')} 도구변수이므로 instrument에 적을 수 있습니다."
    if frontdoor:
        remedy += f" 앞문 기준으로는 {josa(', '.join(frontdoor), '을/를')} 거쳐 식별되지만, 이 파이프라인에는 앞문 추정이 없습니다."
    raise Refusal(
        "not_identified",
        f"관측한 변수를 모두 보정해도 뒷문이 막히지 않습니다: {path}. 자료가 아무리 많아도 이 효과는 계산할 수 없습니다.",
        remedy,
        spec.lines.get("edges"),
    )


# --- 설계마다 ---


def _names(spec, columns) -> str:
    return names((spec.label(c) for c in columns), 8)


def _contrast(spec) -> str:
    t = spec.treatment
    name = f"'{spec.label(t.column)}'"
    if t.kind == "continuous":
        return f"{josa(name, '을/를')} {t.control}에서 {josa(t.treated, '으로/로')} 바꾸면"
    return f"{josa(name, '이/가')} {t.control}일 때에 견주어 {t.treated}이면"


def _result(spec) -> str:
    label = f"'{spec.label(spec.outcome.column)}'"
    return f"{josa(label, '이/가')} 평균 얼마나 달라지는가" + (f"(단위: {spec.outcome.unit})" if spec.outcome.unit else "")


def _safe_covariates(spec, graph) -> tuple[str, ...]:
    """식별이 아니라 정밀도를 위해 쓰는 처치 전 변수: 적은 목록, 없으면 그래프에서 결과의 부모."""
    if spec.confounders:
        return tuple(spec.confounders)
    if not spec.edges:
        return ()
    best = _optimal_set(spec, graph)
    chosen = best if best is not None else tuple(sorted(set(graph.predecessors(spec.outcome.column)) - set(spec.hidden)))
    skip = {spec.treatment.column, spec.instrument, spec.running.column if spec.running else None}
    if spec.panel:
        skip |= {spec.panel.unit, spec.panel.time, spec.panel.start}
    return tuple(c for c in chosen if c not in skip and c not in nx.descendants(graph, spec.treatment.column))


def _arm_sizes(spec, frame) -> dict:
    column = frame[spec.treatment.column]
    if spec.treatment.kind == "continuous":
        return {}
    return {level: int((column == level).sum()) for level in (spec.treatment.control, spec.treatment.treated)}


def _require_arms(spec, frame) -> None:
    for level, size in _arm_sizes(spec, frame).items():
        if size < SMALLEST_ARM:
            raise DataError(
                "too_few_treated",
                f"{josa(spec.treatment.column, '이/가')} {level}인 대상이 {size}개뿐입니다. 이 설계는 양쪽에 {SMALLEST_ARM}개 이상이 필요합니다.",
                "자료를 더 모으거나, 대상이 하나뿐이고 여러 시점을 보았다면 panel을 적어 통제집단합성법을 쓰세요.",
                spec.lines.get("treatment.column"),
            )


def _experiment(spec, frame, graph, rules):
    _require_arms(spec, frame)
    covariates = _safe_covariates(spec, graph)
    notes = [f"보정하지 않아도 식별됩니다. {josa(_names(spec, covariates), '은/는')} 오차를 줄이는 데에만 씁니다."] if covariates else []
    if spec.estimand == "ATT":
        notes.append("무작위 배정에서는 ATT와 ATE가 같아 ATE로 적습니다.")
    estimand = "ITT" if spec.estimand == "ITT" else "ATE"
    t, y = spec.treatment.column, spec.outcome.column
    return Identification(
        design="experiment",
        estimand=estimand,
        adjustment=covariates,
        rules=rules,
        sentence=f"모든 대상에서, {_contrast(spec)} {_result(spec)}. 배정이 무작위이므로 두 집단의 평균 차이가 곧 효과입니다.",
        formula=rf"E[{_tex(y)} \mid {_tex(t)}={spec.treatment.treated}] - E[{_tex(y)} \mid {_tex(t)}={spec.treatment.control}]",
        notes=tuple(notes),
    )


def _adjustment(spec, frame, graph, rules):
    _require_arms(spec, frame)
    chosen = adjustment_set(spec, graph)
    who = f"처치를 받은 대상('{spec.label(spec.treatment.column)}'={spec.treatment.treated})에서" if spec.estimand == "ATT" else "모든 대상에서"
    t, y = spec.treatment.column, spec.outcome.column
    given = rf", {', '.join(map(_tex, chosen))}" if chosen else ""
    over = rf" \mid {_tex(t)}={spec.treatment.treated}" if spec.estimand == "ATT" else ""
    inner = rf"E[{_tex(y)} \mid {_tex(t)}={spec.treatment.treated}{given}] - E[{_tex(y)} \mid {_tex(t)}={spec.treatment.control}{given}]"
    notes = []
    left = [n for n in observed(spec, graph) if n not in {t, y, *chosen}] if spec.edges else []
    if left:
        notes.append(f"그래프에 있으나 보정하지 않은 변수: {_names(spec, left)}. 뒷문을 막는 데 필요하지 않거나 막아서는 안 됩니다.")
    if not spec.edges:
        notes.append("그래프를 적지 않아, 적은 교란 요인이 전부라는 가정을 그래프로 검사하지 못했습니다.")
    same = f"{josa(_names(spec, chosen), '이/가')} 같은 대상끼리 견주어, " if chosen else ""
    return Identification(
        design="adjustment",
        estimand=spec.estimand,
        adjustment=chosen,
        rules=rules,
        sentence=f"{who}, {same}{_contrast(spec)} {_result(spec)}.",
        formula=rf"E\left[{inner}{over}\right]",
        notes=tuple(notes),
    )


def _instrument(spec, frame, graph, rules):
    z, t, y = spec.instrument, spec.treatment.column, spec.outcome.column
    covariates = _safe_covariates(spec, graph)
    if spec.edges:
        if z not in graph or t not in nx.descendants(graph, z):
            raise Refusal(
                "instrument_without_path",
                f"그래프에는 도구변수 {z}에서 처치 {josa(t, '으로/로')} 가는 길이 없습니다.",
                f"edges에 {z} → {josa(t, '을/를')} 적거나, 처치를 실제로 움직이는 변수를 instrument에 적으세요.",
                spec.lines.get("instrument"),
            )
        cut = graph.copy()
        cut.remove_edges_from(list(graph.out_edges(t)))
        found = _instrument_covariates(spec, graph, cut, covariates)
        if found is None:
            path = open_path(cut, z, y, covariates, backdoor=False)
            raise Refusal(
                "invalid_instrument",
                f"도구변수 {josa(z, '이/가')} 처치를 거치지 않고 결과에 닿습니다: {path}. 도구변수의 조건(배제)이 그래프에서 깨집니다.",
                "그 길의 변수를 재어 보정하거나, 결과에 닿는 길이 처치뿐인 도구변수를 찾으세요.",
                spec.lines.get("instrument"),
            )
        covariates = found
    notes = []
    if spec.estimand != "LATE":
        notes.append(f"도구변수는 {spec.estimand}가 아니라 도구에 따라 처치를 바꾼 대상(순응자)의 효과 LATE를 식별합니다. 추정 대상을 LATE로 적습니다.")
    notes.append("그래프로도 자료로도 확인하지 못하는 가정: 배제(도구는 처치를 거쳐서만 결과에 닿음)와 단조성(도구에 거꾸로 움직이는 대상이 없음).")
    given = rf" \mid {', '.join(map(_tex, covariates))}" if covariates else ""
    return Identification(
        design="instrument",
        estimand="LATE",
        adjustment=covariates,
        rules=rules,
        sentence=f"'{spec.label(z)}'에 따라 처치를 바꾸는 대상(순응자)에서, {_contrast(spec)} {_result(spec)}.",
        formula=rf"\mathrm{{Cov}}({_tex(y)}, {_tex(z)}{given}) \,/\, \mathrm{{Cov}}({_tex(t)}, {_tex(z)}{given})",
        notes=tuple(notes),
    )


def _instrument_covariates(spec, graph, cut, covariates):
    """처치에서 나가는 화살표를 지운 그래프(``cut``)에서 도구와 결과를 가르는 변수들. 없으면 None."""
    z, t, y = spec.instrument, spec.treatment.column, spec.outcome.column
    after = nx.descendants(graph, z) | nx.descendants(graph, t) | {z, y, t}
    pool = [n for n in observed(spec, cut) if n not in after and n in nx.ancestors(cut, y) | nx.ancestors(cut, z)]
    for candidate in (tuple(covariates), tuple(pool)):
        if set(candidate) & after:
            continue
        if nx.is_d_separator(cut, {z}, {y}, set(candidate) & set(cut)):
            return candidate
    return None


def _discontinuity(spec, frame, graph, rules):
    r, t, y = spec.running, spec.treatment.column, spec.outcome.column
    side = frame[r.column] >= r.cutoff if r.above else frame[r.column] < r.cutoff
    taken = frame[t] == spec.treatment.treated
    fuzzy = bool((side != taken).any())
    for name, mask in (("위", frame[r.column] >= r.cutoff), ("아래", frame[r.column] < r.cutoff)):
        if mask.sum() < SMALLEST_ARM:
            raise DataError(
                "too_few_at_cutoff",
                f"임곗값 {r.cutoff} {name}쪽에 대상이 {int(mask.sum())}개뿐입니다. 양쪽에 {SMALLEST_ARM}개 이상이 필요합니다.",
                "running.cutoff가 자료의 단위와 맞는지 확인하거나 임곗값 둘레의 자료를 더 모으세요.",
                spec.lines.get("running.cutoff"),
            )
    who = "처치가 임곗값을 따라 바뀌는 대상 가운데 " if fuzzy else ""
    notes = ["효과는 임곗값 둘레의 것입니다. 임곗값에서 먼 대상에 옮겨 쓰려면 따로 가정이 필요합니다."]
    if fuzzy:
        notes.append("임곗값과 처치가 어긋난 대상이 있어 퍼지 설계로 다룹니다: 결과의 뜀을 처치율의 뜀으로 나눕니다.")
    if spec.estimand != "LATE":
        notes.append(f"불연속 설계는 {spec.estimand}가 아니라 임곗값의 국소 효과 LATE를 식별합니다.")
    jump = rf"\lim_{{x\downarrow {r.cutoff}}}E[{_tex(y)}\mid x]-\lim_{{x\uparrow {r.cutoff}}}E[{_tex(y)}\mid x]"
    take = rf"\lim_{{x\downarrow {r.cutoff}}}E[{_tex(t)}\mid x]-\lim_{{x\uparrow {r.cutoff}}}E[{_tex(t)}\mid x]"
    return Identification(
        design="discontinuity",
        estimand="LATE",
        adjustment=_safe_covariates(spec, graph),
        rules=rules,
        sentence=f"'{spec.label(r.column)}'의 임곗값 {r.cutoff} 둘레에 있는 {who}대상에서, {_contrast(spec)} {_result(spec)}.",
        formula=rf"\frac{{{jump}}}{{{take}}}" if fuzzy else jump,
        notes=tuple(notes),
    )


def _panel(design):
    def build(spec, frame, graph, rules):
        notes = []
        if spec.estimand != "ATT":
            notes.append(f"이 설계는 {spec.estimand}가 아니라 처치받은 대상의 효과 ATT를 식별합니다.")
        if treated_units(spec, frame) == 0:
            raise DataError(
                "no_treated_unit",
                "패널에 처치받은 대상이 하나도 없습니다.",
                "treatment.treated의 값이나 panel.start 열이 자료와 맞는지 확인하세요.",
                spec.lines.get("panel"),
            )
        if treated_units(spec, frame) == frame[spec.panel.unit].nunique() and design == "synthetic_control":
            raise DataError("no_donor", "견줄 대상이 하나도 없습니다.", "처치받지 않은 대상을 자료에 넣으세요.", spec.lines.get("panel"))
        if design == "synthetic_control":
            how = "처치받지 않은 대상들의 가중평균으로 만든 가상의 짝과 견주어"
            formula = r"Y_{1t} - \sum_j w_j Y_{jt},\quad w_j \ge 0,\ \sum_j w_j = 1"
        else:
            how = "처치가 없었다면 두 집단이 나란히 움직였으리라 보고(평행 추세)"
            formula = r"E[Y_{t}-Y_{g-1}\mid G=g] - E[Y_{t}-Y_{g-1}\mid \text{not yet treated}]"
        return Identification(
            design=design,
            estimand="ATT",
            adjustment=_safe_covariates(spec, graph) if design == "difference_in_differences" else (),
            rules=rules,
            sentence=f"처치받은 대상의 처치 뒤 시점에서, {how} {_contrast(spec)} {_result(spec)}.",
            formula=formula,
            notes=tuple(notes),
        )

    return build


def _tex(name: str) -> str:
    return rf"\mathrm{{{name}}}".replace("_", r"\_")


_BUILDERS = {
    "experiment": _experiment,
    "adjustment": _adjustment,
    "instrument": _instrument,
    "discontinuity": _discontinuity,
    "difference_in_differences": _panel("difference_in_differences"),
    "synthetic_control": _panel("synthetic_control"),
}
