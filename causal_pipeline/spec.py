"""명세를 읽습니다. YAML → 형식 검사(spec.schema.yml) → 뜻 검사 → Spec. 오류마다 줄 번호와 고치는 법이 있습니다."""

import math
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from causal_pipeline import designs
from causal_pipeline.errors import SpecError
from causal_pipeline.model import Assignment, Money, Outcome, Source, Spec, Treatment, Weights, find_line
from causal_pipeline.place import check_source
from causal_pipeline.wording import josa, names, suggest

MAX_BYTES = 1_000_000
_TYPES = {
    "string": "글자", "integer": "정수", "number": "수", "boolean": "true나 false", "array": "목록([a, b])", "object": "이름: 값의 묶음",
}  # fmt: skip


def read_spec(path: str | Path) -> Spec:
    """명세 파일 하나를 읽습니다.

    Parameters
    ----------
    path : str or Path
        YAML 파일의 자리. 자료의 상대 경로는 이 파일의 폴더에서 봅니다.

    Returns
    -------
    Spec

    Raises
    ------
    SpecError
        읽을 수 없거나, 형식이 틀리거나, 뜻이 통하지 않을 때.
    """
    path = Path(path)
    return parse_spec(read_text(path), folder=path.resolve().parent)


def read_text(path: Path) -> str:
    """명세 파일의 글. 크기와 부호를 봅니다."""
    if path.is_dir():
        raise SpecError("spec_is_folder", f"'{path.name}'은(는) 폴더입니다.", "명세 파일(.yml)의 자리를 적으세요.")
    if not path.is_file():
        raise SpecError(
            "spec_missing",
            f"명세 파일 '{path.name}'이(가) 없습니다.",
            "`python -m causal_pipeline analyze --init 자료.csv`로 초안을 만드세요.",
        )
    if path.stat().st_size > MAX_BYTES:
        raise SpecError(
            "spec_too_large",
            f"명세 파일이 {MAX_BYTES // 1_000_000}MB를 넘습니다.",
            "자료 파일을 명세로 적지 않았는지 보세요.",
        )
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise SpecError(
            "spec_not_utf8", "명세 파일이 UTF-8이 아닙니다.", "편집기에서 부호를 UTF-8로 바꾸어 저장하세요.", line
        ) from None


def parse_spec(text: str, folder: str | Path = ".") -> Spec:
    """명세의 글을 ``Spec``으로 바꿉니다. ``folder``는 자료의 상대 경로를 보는 자리입니다."""
    value, lines = read_yaml(text)
    _check_schema(value, lines)
    spec = build(value, lines, Path(folder).resolve())
    _check_meaning(spec, value)
    return spec


# --- YAML ---


def read_yaml(text: str) -> tuple[dict, dict[str, int]]:
    """YAML의 글에서 (값, 자리 → 줄 번호). 형식은 아직 보지 않습니다."""
    import yaml

    if "\x00" in text:
        raise SpecError("spec_yaml", "명세에 널 문자가 있습니다.", "글자 파일(YAML)인지 보세요.")
    try:
        loader = yaml.SafeLoader(text)
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                raise SpecError(
                    "spec_alias",
                    "명세에서 &와 *로 값을 되쓸 수 없습니다.",
                    "값을 그대로 한 번 더 적으세요.",
                    event.start_mark.line + 1,
                )
        node = loader.get_single_node()
        if node is None:
            raise SpecError(
                "spec_empty",
                "명세가 비어 있습니다.",
                "`python -m causal_pipeline analyze --init 자료.csv`로 초안을 만드세요.",
            )
        if not isinstance(node, yaml.MappingNode):
            raise SpecError(
                "spec_not_mapping",
                "명세의 맨 바깥이 '이름: 값'의 모음이 아닙니다.",
                "첫 줄을 `name: 이름`처럼 시작하세요.",
                1,
            )
        lines: dict[str, int] = {"": 1}
        _walk(node, "", lines)
        return loader.construct_document(node), lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if "single document" in str(error.context or "") + str(error.problem or ""):
            raise SpecError(
                "spec_many_documents",
                "명세 파일에 문서가 둘 있습니다(---).",
                "분석마다 파일을 따로 두세요.",
                mark.line + 1,
            ) from None
        tabs = mark and "\t" in text.splitlines()[min(mark.line, len(text.splitlines()) - 1)]
        remedy = (
            "탭을 빈칸 두 개로 바꾸세요."
            if tabs
            else "콜론 뒤의 빈칸, 들여쓰기, 따옴표의 짝을 보세요. 콜론이나 #이 든 글은 따옴표로 감싸세요."
        )
        raise SpecError("spec_yaml", "YAML로 읽을 수 없습니다.", remedy, mark.line + 1 if mark else None) from None
    except (yaml.YAMLError, ValueError) as error:
        if isinstance(error, SpecError):
            raise
        raise SpecError(
            "spec_yaml",
            "YAML로 읽을 수 없습니다.",
            "파일이 글자로 된 YAML인지, 날짜처럼 보이는 값이 바른 날짜인지 보세요.",
        ) from None
    except RecursionError:
        raise SpecError("spec_yaml", "명세가 너무 깊이 겹쳐 있습니다.", "초안(--init)의 얼개를 따르세요.") from None


def _walk(node: Any, where: str, lines: dict[str, int]) -> None:
    """마디마다 줄 번호를 적고, 같은 이름이 두 번 나오면 멈춥니다."""
    import yaml

    if isinstance(node, yaml.MappingNode):
        seen = {}
        for key, item in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in seen:
                raise SpecError(
                    "spec_duplicate_key", f"'{name}'이(가) {seen[name]}번째 줄에도 있습니다.", "하나만 남기세요.", line
                )
            seen[name] = line
            inner = f"{where}.{name}" if where else name
            lines[inner] = line
            _walk(item, inner, lines)
    elif isinstance(node, yaml.SequenceNode):
        for i, item in enumerate(node.value):
            line = item.start_mark.line + 1
            lines[f"{where}.{i}"] = line
            if isinstance(item, yaml.ScalarNode):
                lines.setdefault(f"{where}[{item.value}]", line)
            _walk(item, f"{where}.{i}", lines)


# --- 형식 ---


@cache
def schema() -> dict:
    """명세의 JSON 스키마. 모든 설계에 공통인 것(spec.schema.yml)에 설계마다의 이름(``Field.schema``)을 더합니다."""
    import yaml

    found = yaml.safe_load((Path(__file__).parent / "spec.schema.yml").read_text(encoding="utf-8"))
    return found | {
        "properties": found["properties"] | {key: owned.schema for key, owned in designs.field_types().items()}
    }


def _check_schema(value: dict, lines: dict[str, int]) -> None:
    sys.modules.setdefault("rfc3987_syntax", None)  # jsonschema가 쓰지도 않는 IRI 문법을 읽느라 1.4초를 씁니다
    from jsonschema import Draft202012Validator, validators

    for where, item in leaves(value):
        if isinstance(item, str) and item.startswith("TODO"):
            raise SpecError(
                "todo_left",
                f"'{where}'에 TODO가 남아 있습니다.",
                "초안의 TODO를 모두 채우세요. 짐작이 맞는지도 하나씩 보세요.",
                find_line(lines, where),
            )
    # JSON 스키마는 1.0도 정수로 보지만, 씨앗과 행의 수는 파이썬의 정수여야 합니다
    whole = Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, v: isinstance(v, int) and not isinstance(v, bool)
    )
    checker = validators.extend(Draft202012Validator, type_checker=whole)(schema())
    errors = sorted(checker.iter_errors(value), key=lambda e: (lines.get(_place(e), 0), e.validator))
    if errors:
        raise _korean(errors[0], lines)
    for where, item in leaves(value):
        if isinstance(item, float) and not math.isfinite(item):
            raise SpecError(
                "spec_not_finite", f"'{where}'의 값이 {item}입니다.", "유한한 수를 적으세요.", find_line(lines, where)
            )


def leaves(value: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """명세 속의 값마다 (점으로 이은 자리, 값)."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, f"{where}.{key}" if where else str(key))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from leaves(item, f"{where}.{i}")
    else:
        yield where, value


def _place(error: Any) -> str:
    return ".".join(map(str, error.absolute_path))


def _korean(error: Any, lines: dict[str, int]) -> SpecError:
    where = _place(error)
    shown, line = f"'{where}'" if where else "명세", find_line(lines, where)
    rule, limit, given = error.validator, error.validator_value, error.instance
    if rule == "required":
        missing = next(k for k in limit if k not in given)
        inner = f"{where}.{missing}" if where else missing
        described = _described(inner)
        return SpecError(
            "spec_missing_key",
            f"{josa(shown, '에/에')} '{missing}'이(가) 없습니다.",
            f"`{missing}:`을 적으세요{described}.",
            line,
        )
    if rule == "additionalProperties" and isinstance(limit, bool):
        known = error.schema["properties"]
        extra = next(k for k in given if k not in known)
        inner = f"{where}.{extra}" if where else str(extra)
        return SpecError(
            "spec_unknown_key",
            f"'{extra}'은(는) 명세에 없는 이름입니다.",
            suggest(extra, known),
            find_line(lines, inner),
        )
    if rule == "type":
        wanted = limit if isinstance(limit, list) else [limit]
        got = "비어 있습니다" if given is None else f"지금은 {_shown(given)}입니다"
        remedy = f"{josa(' 또는 '.join(_TYPES[t] for t in wanted), '을/를')} 적으세요."
        if {"number", "integer"} & set(wanted) and isinstance(given, str):
            remedy = f"따옴표와 쉼표, 단위 없이 {remedy}"
        if "string" in wanted and not isinstance(given, (dict, list)) and given is not None:
            # yes와 on은 읽고 나면 같은 참이라, 무엇이라고 적었는지 모릅니다. 그래서 적힌 글자를 짐작해 보이지 않습니다
            written = "" if isinstance(given, bool) else f': "{_raw(given)}"'
            remedy = (
                f"적은 글자를 따옴표로 감싸세요{written}. YAML은 on, off, yes, no와 날짜, 수를 글자로 읽지 않습니다."
            )
        return SpecError("spec_type", f"{shown}의 형식이 다릅니다({got}).", remedy, line)
    if rule == "enum":
        return SpecError(
            "spec_choice",
            f"{shown}의 값 {_shown(given)}은(는) 쓸 수 없습니다.",
            f"{', '.join(map(str, limit))} 가운데 하나를 적으세요.",
            line,
        )
    if rule in {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}:
        words = {"minimum": " 이상", "maximum": " 이하", "exclusiveMinimum": "보다 큰", "exclusiveMaximum": "보다 작은"}
        return SpecError(
            "spec_range",
            f"{shown}의 값 {given}이(가) 범위를 벗어났습니다.",
            f"{limit}{words[rule]}{'인' if rule in {'minimum', 'maximum'} else ''} 수를 적으세요.",
            line,
        )
    if rule in {"minLength", "minItems"}:
        if rule == "minItems" and limit == 2:
            return SpecError(
                "spec_edge",
                f"{shown}은(는) [원인, 결과] 두 이름이어야 합니다.",
                '`[a, b]`나 `"a -> b"`처럼 적으세요.',
                line,
            )
        return SpecError("spec_blank", f"{josa(shown, '이/가')} 비어 있습니다.", "값을 적거나 그 줄을 지우세요.", line)
    if rule == "maxItems":
        return SpecError(
            "spec_edge", f"{shown}은(는) [원인, 결과] 두 이름이어야 합니다.", "화살표마다 한 줄씩 적으세요.", line
        )
    if rule == "maxLength":
        return SpecError(
            "spec_too_long", f"{josa(shown, '이/가')} 너무 깁니다({len(given)}자).", f"{limit}자 안으로 줄이세요.", line
        )
    if rule == "uniqueItems":
        twice = next(x for i, x in enumerate(given) if x in given[:i])
        return SpecError(
            "spec_duplicate_item", f"{shown}에 {_shown(twice)}이(가) 두 번 있습니다.", "하나만 남기세요.", line
        )
    if rule == "pattern":
        return SpecError(
            "spec_name",
            f"{shown}의 값 {_shown(given)}은(는) 이름으로 쓸 수 없습니다.",
            "영어 소문자로 시작해 소문자, 숫자, 밑줄만 쓰세요.",
            line,
        )
    return SpecError("spec_type", f"{shown}의 값이 형식에 맞지 않습니다.", "초안(--init)의 모양과 견주어 보세요.", line)


def _described(where: str) -> str:
    part = schema()
    for name in where.split("."):
        part = part.get("properties", {}).get(name, {})
    return f"({part['description']})" if "description" in part else ""


def _raw(value: Any) -> str:
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _shown(value: Any) -> str:
    text = _raw(value) if not isinstance(value, (dict, list)) else "묶음" if isinstance(value, dict) else "목록"
    return f"'{text[:60]}'" if not isinstance(value, (dict, list)) else text


# --- 조립 ---


def _edge(item: Any, where: str, lines: dict[str, int]) -> list[tuple[str, str]]:
    if isinstance(item, list):
        return [(item[0], item[1])]
    if "<" in item:  # 't <-> u'를 't <'라는 이름의 변수로 읽지 않습니다
        raise SpecError(
            "spec_edge",
            f"화살표 {_shown(item)}을(를) 읽을 수 없습니다. 왼쪽에서 오른쪽으로 가는 화살표(->)만 씁니다.",
            "`원인 -> 결과`로 돌려 적으세요. 두 변수를 함께 움직이는 재지 못한 원인(<->)이면, 그 원인에서 두 변수로 가는 화살표를 적고 이름을 graph.hidden에 적으세요.",
            find_line(lines, where),
        )
    parts = [p.strip() for p in re.split(r"->|→", item)]
    if len(parts) < 2 or not all(parts):
        raise SpecError(
            "spec_edge",
            f"화살표 {_shown(item)}을(를) 읽을 수 없습니다.",
            '`[a, b]`나 `"a -> b"`처럼 적으세요.',
            find_line(lines, where),
        )
    return list(zip(parts, parts[1:], strict=False))


def build(value: dict, lines: dict[str, int], folder: Path) -> Spec:
    """형식 검사를 지난 값으로 ``Spec``을 만듭니다. 뜻은 아직 보지 않습니다."""
    treatment, controls = dict(value["treatment"]), value.get("negative_controls", {})
    chance = treatment.get("probability")
    if isinstance(chance, int):
        treatment["probability"] = float(chance)
    elif isinstance(chance, str) and re.fullmatch(r"[0-9.]+\s*%?", chance):
        share = float(chance.rstrip("% ")) / (100 if "%" in chance else 1) if chance.count(".") < 2 else 0.5
        raise SpecError(
            "probability_as_text",
            f"처치 확률 '{chance}'이(가) 글자로 적혀 있습니다.",
            f"열 이름이 아니라 확률이면 따옴표와 퍼센트 없이 `probability: {share:g}`처럼 적으세요.",
            find_line(lines, "treatment.probability"),
        )
    if treatment["kind"] != "binary":
        for key in ("control", "treated"):
            if key not in treatment:
                where = "treatment.kind"
                raise SpecError(
                    "levels_missing", f"처치가 {treatment['kind']}인데 견줄 두 값(control, treated)이 없습니다.",
                    "treatment에 `control:`과 `treated:`를 적으세요. 연속형이면 그만큼 올린 효과를 봅니다.", find_line(lines, where),
                )  # fmt: skip
    graph = value.get("graph", {})
    edges = []
    for i, item in enumerate(graph.get("edges", ())):
        for cause, effect in _edge(item, f"graph.edges.{i}", lines):
            edges.append((cause, effect))
            for name in (f"{cause} -> {effect}", cause, effect):  # 오류가 화살표나 변수의 줄을 찾습니다
                lines.setdefault(f"graph.edges[{name}]", lines[f"graph.edges.{i}"])
    owned = tuple(kind.build(value[key]) for key, kind in designs.field_types().items() if key in value)
    return Spec(
        name=value["name"],
        question=value["question"].strip(),
        source=Source(**value["data"] | {"blank": tuple(value["data"].get("blank", ()))}),
        treatment=Treatment(**treatment),
        outcome=Outcome(**value["outcome"]),
        estimand=value["estimand"],
        unit=value.get("unit", next((f.unit_column() for f in owned if f.unit_column()), None)),
        edges=tuple(dict.fromkeys(edges)),
        confounders=tuple(value.get("confounders", ())),
        hidden=tuple(graph.get("hidden", ())),
        timing=dict(value.get("timing", {})),
        modifiers=tuple(value.get("modifiers", ())),
        categories=tuple(value.get("categories", ())),
        numbers=tuple(value.get("numbers", ())),
        fields=owned,
        negative_outcomes=tuple(controls.get("outcomes", ())),
        negative_treatments=tuple(controls.get("treatments", ())),
        money=Money(**value["money"]) if "money" in value else None,
        weights=Weights(**value["weights"]) if "weights" in value else None,
        assignment=Assignment(**value["assignment"]) if "assignment" in value else None,
        seed=value.get("seed", 0),
        labels=dict(value.get("labels", {})),
        lines=lines,
        folder=str(folder),
    )


# --- 뜻 ---


def _check_meaning(spec: Spec, value: dict) -> None:
    check_source(spec)
    _check_levels(spec)
    _check_roles(spec)
    _check_graph(spec)
    _check_timing(spec)
    _check_contradictions(spec)
    _check_design(spec, value)


def _check_levels(spec: Spec) -> None:
    t = spec.treatment
    if t.control == t.treated and type(t.control) is type(t.treated):
        raise spec.error(
            SpecError,
            "levels_equal",
            "treatment.treated",
            f"control과 treated가 모두 '{_raw(t.control)}'입니다.",
            "견줄 두 값을 다르게 적으세요.",
        )
    if t.kind == "continuous" and any(isinstance(x, (str, bool)) for x in (t.control, t.treated)):
        raise spec.error(
            SpecError,
            "levels_not_numbers",
            "treatment.treated",
            "연속형 처치의 control과 treated가 수가 아닙니다.",
            "예를 들어 `control: 0`, `treated: 10`처럼 수를 적으세요.",
        )
    if t.probability is not None and not t.randomized:
        raise spec.error(
            SpecError, "probability_without_randomized", "treatment.probability", "무작위 배정이 아닌데 처치 확률을 적었습니다.",
            "무작위로 배정했으면 `randomized: true`를 적고, 아니면 probability를 지우세요.",
        )  # fmt: skip


def _check_roles(spec: Spec) -> None:
    t, y = spec.treatment.column, spec.outcome.column
    if t == y:
        raise spec.error(
            SpecError,
            "treatment_is_outcome",
            "outcome.column",
            f"처치와 결과가 같은 열 '{t}'입니다.",
            "둘 가운데 하나를 고치세요.",
        )
    for role in spec.roles():
        column, where = role.column, role.where
        if where in {"treatment.column", "outcome.column"}:
            if column in spec.hidden:
                raise spec.error(
                    SpecError,
                    "hidden_used",
                    "graph.hidden",
                    f"처치와 결과('{column}')는 잰 것이어야 합니다.",
                    "hidden에서 빼거나, 잰 다른 열을 적으세요.",
                    item=column,
                )
            continue
        if column in (t, y) and where != "weights.column":  # 가중치는 제 말로 거절합니다(_check_weights)
            which, home = ("처치", "treatment.column") if column == t else ("결과", "outcome.column")
            raise spec.error(
                SpecError,
                "role_conflict",
                where,
                f"'{column}'은(는) {which}인데 {josa(role.label, '으로/로')}도 적었습니다({spec.both(home, where)}).",
                f"{where}에 맞는 열을 적거나 그 줄을 지우세요. 한 열이 {which}이면서 다른 일을 함께 맡을 수는 없습니다.",
                item=column,
            )
        if column in spec.hidden:
            raise spec.error(
                SpecError, "hidden_used", where, f"'{column}'은(는) 재지 못했다고(graph.hidden) 했는데 {where}에 있습니다.",
                "자료에 있으면 hidden에서 빼고, 없으면 그 줄에서 빼세요.", item=column,
            )  # fmt: skip
    _check_reading(spec)
    _check_weights(spec)
    _check_controls(spec)
    _check_labels(spec)
    for owned in spec.fields:
        owned.validate(spec)


def _check_reading(spec: Spec) -> None:
    """categories와 numbers는 명세의 다른 곳에 적은 열을 어떻게 읽을지입니다."""
    known = spec.columns()
    for key in ("categories", "numbers"):
        for column in getattr(spec, key):
            if column not in known:
                raise spec.error(
                    SpecError, "reading_unknown", key, f"{key}의 '{column}'이(가) 명세의 다른 곳에 없습니다.",
                    suggest(column, sorted(known)), item=column,
                )  # fmt: skip
    numeric = {"outcome.column", "treatment.probability", "weights.column", "negative_controls.outcomes", "negative_controls.treatments", "instrument", "running.column"}  # fmt: skip
    for column in spec.categories:
        role = next((r for r in spec.roles() if r.column == column and r.where in numeric), None)
        what = (
            role.label
            if role
            else "양인 처치"
            if column == spec.treatment.column and spec.treatment.kind == "continuous"
            else None
        )
        if column in spec.numbers or what:
            raise spec.error(
                SpecError, "reading_conflict", "categories",
                f"'{column}'은(는) {josa(what, '이라/라') + '서' if what else 'numbers에도 있어서'} 범주로 읽을 수 없습니다.",
                f"categories에서 '{column}'을 빼세요." if what else "번호이면 categories에만, 수이면 numbers에만 남기세요.", item=column,
            )  # fmt: skip


def _check_controls(spec: Spec) -> None:
    """음성 대조군은 보정하지 않은 열이어야 무엇을 봅니다. 보정한 열의 효과는 어떤 교란에서도 거의 0입니다."""
    adjusted = {"confounders": spec.confounders, "negative_controls.treatments": spec.negative_treatments}
    for column in spec.negative_outcomes:
        for key, columns in adjusted.items():
            if column in columns:
                both = josa(spec.both(key, "negative_controls.outcomes"), "을/를")
                raise spec.error(
                    SpecError, "control_conflict", "negative_controls.outcomes",
                    f"'{column}'에 {both} 함께 적었습니다. 보정하거나 처치로 쓴 열에서는 효과가 없는지 볼 수 없습니다.",
                    "교란 요인이면 confounders에만 남기고, 음성 대조군에는 처치가 바꿀 수 없는 다른 결과를 적으세요.", item=column,
                )  # fmt: skip


def _check_labels(spec: Spec) -> None:
    known = spec.columns() | set(spec.hidden)
    for column in spec.labels:
        if column not in known:
            raise spec.error(
                SpecError, "labels_unknown", f"labels.{column}", f"labels의 '{column}'이(가) 명세의 다른 곳에 없어 쓰이지 않습니다.",
                suggest(column, sorted(known)),
            )  # fmt: skip


def _check_weights(spec: Spec) -> None:
    """가중치의 열은 가중치로만 쓰고, 센 수로 되풀이할 표에서 행을 뽑지 않습니다."""
    if spec.weights is None:
        return
    column = spec.weights.column
    other = next((r for r in spec.roles() if r.column == column and r.where != "weights.column"), None)
    if other or column in {n for edge in spec.edges for n in edge}:
        where, label = (other.where, other.label) if other else ("graph.edges", "그래프의 변수")
        raise spec.error(
            SpecError, "weights_role", "weights.column", f"'{column}'은(는) {label}인데 가중치로도 적었습니다({spec.both(where, 'weights.column')}).",
            "가중치는 다른 일을 함께 맡을 수 없습니다. 같은 값으로 보정도 해야 하면 다른 이름의 열로 한 번 더 두세요.",
        )  # fmt: skip
    panel = next((owned.key for owned in spec.fields if owned.repeats_units), None)
    if spec.weights.kind == "frequency" and panel:
        raise spec.error(
            SpecError, "counts_of_units", "weights.kind", f"{josa(spec.both('weights.kind', panel), '을/를')} 함께 적었습니다. 센 수만큼 대상을 되풀이하면 한 대상이 그만큼의 독립된 대상이 되어 표준오차가 거짓으로 좁아집니다.",
            "지역이나 가게를 인구나 크기로 가중하려면 `kind: sampling`을 적으세요. 추정값은 같고 표준오차는 대상을 하나로 셉니다.",
        )  # fmt: skip
    if spec.weights.kind == "frequency" and spec.source.sample is not None:
        raise spec.error(
            SpecError, "sample_of_counts", "data.sample", f"{josa(spec.both('data.sample', 'weights.kind'), '을/를')} 함께 적었습니다. 센 수를 적은 행을 뽑으면 한 행의 대상들이 함께 들고 함께 빠져, 대상을 무작위로 뽑은 것이 아닙니다.",
            "sample을 지우세요. 되풀이한 표가 너무 크면 sql에서 더 굵게 모으세요.",
        )  # fmt: skip


def _check_graph(spec: Spec) -> None:
    if not spec.edges:
        return
    import networkx as nx

    for cause, effect in spec.edges:
        if cause == effect:
            message, remedy = (
                f"'{cause}'에서 자기로 가는 화살표가 있습니다.",
                "그 줄을 지우거나 시점을 나누어 두 변수로 적으세요.",
            )
            raise spec.error(SpecError, "graph_self_edge", "graph.edges", message, remedy, item=f"{cause} -> {effect}")
    graph = nx.DiGraph(list(spec.edges))
    if not nx.is_directed_acyclic_graph(graph):
        loop = nx.find_cycle(graph)
        path = " → ".join([u for u, _ in loop] + [loop[0][0]])
        remedy = "화살표 하나를 지우거나, 앞뒤 시점의 값을 다른 변수로 나누세요."
        raise spec.error(
            SpecError,
            "graph_cycle",
            "graph.edges",
            f"그래프에 순환이 있습니다: {path}.",
            remedy,
            item=" -> ".join(loop[0]),
        )
    for role, column in (("처치", spec.treatment.column), ("결과", spec.outcome.column)):
        if column not in graph:
            raise spec.error(
                SpecError,
                "graph_without_role",
                "graph.edges",
                f"{role} '{column}'이(가) 그래프에 없습니다.",
                f"'{column}'이(가) 든 화살표를 적으세요.",
            )
    if spec.treatment.column in nx.descendants(graph, spec.outcome.column):
        into = nx.shortest_path(graph, spec.outcome.column, spec.treatment.column)
        message, remedy = (
            "그래프에서 결과가 처치의 원인입니다.",
            "화살표의 방향을 보세요. 결과가 먼저라면 이 물음은 성립하지 않습니다.",
        )
        raise spec.error(SpecError, "graph_backwards", "graph.edges", message, remedy, item=f"{into[0]} -> {into[1]}")
    for name in spec.hidden:
        if name not in graph:
            remedy = f"'{name}'의 화살표를 적거나 hidden에서 빼세요. {suggest(name, graph)}"
            raise spec.error(
                SpecError,
                "hidden_not_in_graph",
                "graph.hidden",
                f"숨은 변수 '{name}'이(가) 그래프에 없습니다.",
                remedy,
                item=name,
            )


_ORDER = {"before": 0, "treatment": 1, "after": 2}


def _check_timing(spec: Spec) -> None:
    t, y = spec.treatment.column, spec.outcome.column
    known = spec.columns() | set(spec.hidden)
    for column in spec.timing:
        if column not in known:
            raise spec.error(
                SpecError,
                "timing_unknown",
                f"timing.{column}",
                f"timing의 '{column}'이(가) 명세의 다른 곳에 없습니다.",
                suggest(column, sorted(known)),
            )
    if spec.timing.get(y, "after") in {"before", "treatment"}:
        raise spec.error(
            SpecError, "outcome_before_treatment", f"timing.{y}", f"결과 '{y}'을(를) 처치보다 먼저 쟀다고 했습니다.",
            "처치 뒤에 잰 결과를 적으세요. 앞서 잰 값은 negative_controls.outcomes에 어울립니다.",
        )  # fmt: skip
    if spec.timing.get(t, "treatment") not in {"treatment", "unknown"}:
        raise spec.error(
            SpecError,
            "treatment_timing",
            f"timing.{t}",
            "처치의 시점은 treatment입니다.",
            f"timing에서 '{t}'을 지우거나 treatment로 적으세요.",
        )
    for role in spec.roles():
        if role.pretreatment and spec.timing.get(role.column) == "after":
            raise spec.error(
                SpecError, "leak_" + role.where.split(".")[0], role.where, f"{role.label} '{role.column}'은(는) 처치 뒤에 쟀다고(after) 했습니다.",
                "처치 전에 잰 열로 바꾸세요. 처치의 영향을 받은 변수를 보정하거나 나누면 효과가 사라지거나 없던 것이 생깁니다.", item=role.column,
            )  # fmt: skip
    order = {t: 1, y: 2} | {c: _ORDER[w] for c, w in spec.timing.items() if w in _ORDER}
    for cause, effect in spec.edges:
        if cause in order and effect in order and order[cause] > order[effect]:
            message = f"화살표 {cause} → {effect}이(가) 시간을 거스릅니다."
            raise spec.error(
                SpecError,
                "edge_against_time",
                "graph.edges",
                message,
                "화살표의 방향이나 timing을 고치세요.",
                item=f"{cause} -> {effect}",
            )


def _check_contradictions(spec: Spec) -> None:
    """함께 적으면 뜻이 갈리는 이름. 두 줄을 모두 댑니다."""
    for cause, effect in spec.edges:
        if spec.treatment.randomized and effect == spec.treatment.column and cause in spec.hidden:
            both = josa(spec.both("treatment.randomized", f"graph.edges[{cause} -> {effect}]"), "을/를")
            raise spec.error(
                SpecError, "randomized_with_cause", "treatment.randomized",
                f"{both} 함께 적었습니다. 무작위로 정했으면 재지 못한 '{cause}'이(가) 처치를 움직일 수 없습니다.",
                "배정이 무작위이면 그 화살표를 지우고, 대상이 처치를 골랐으면 randomized를 지우고 배정을 instrument에 적으세요.",
            )  # fmt: skip
    for owned in spec.fields:
        if spec.treatment.randomized:
            both = josa(spec.both("treatment.randomized", owned.key), "을/를")
            raise spec.error(
                SpecError,
                "randomized_with_field",
                "treatment.randomized",
                f"{both} 함께 적었습니다. randomized는 처치 '{spec.treatment.column}'을(를) 무작위로 정했다는 말입니다.",
                owned.not_randomized,
            )
        if spec.source.sample is not None and owned.repeats_units:
            unit = owned.unit_column()
            raise spec.error(
                SpecError, "sample_breaks_panel", "data.sample", f"{josa(spec.both('data.sample', owned.key), '을/를')} 함께 적었습니다. 행을 뽑으면 대상마다 시점에 구멍이 나서 남는 대상이 거의 없습니다.",
                f"sample을 지우세요. 자료가 너무 크면 행이 아니라 대상을 뽑으세요(`sql: SELECT * FROM data WHERE hash(\"{unit}\") % 10 = 0`).",
            )  # fmt: skip
        for role in owned.roles():
            if role.column in spec.confounders:
                raise spec.error(
                    SpecError, "role_twice", "confounders", f"'{role.column}'을(를) {spec.both('confounders', role.where)}에 모두 적었습니다.",
                    f"{owned.absorbs} {role.where}에만 남기세요.", item=role.column,
                )  # fmt: skip


def _check_design(spec: Spec, value: dict) -> None:
    kinds = designs.registered()
    declared = [key for key in value if key in designs.field_types()]
    if not any(set(declared) <= {owned.key for owned in kind.fields} for kind in kinds):
        raise spec.error(
            SpecError,
            "designs_conflict",
            declared[1],
            f"{names(declared)}을 함께 적었습니다.",
            "한 분석에는 설계 하나만 적고, 나머지는 다른 명세로 나누세요.",
        )
    t = spec.treatment
    if not declared and not t.randomized and "confounders" not in value and "graph" not in value:
        raise spec.error(
            SpecError, "assumptions_missing", "treatment", "무작위 배정도, 그래프도, 교란 요인의 목록도 없습니다.",
            "graph나 confounders를 적으세요. 교란이 없다고 믿으면 `confounders: []`라고 적어 그 가정을 드러내세요.",
        )  # fmt: skip
    offered = {e for kind in kinds if kind.applies(spec) for e in kind.estimands}
    if not offered:
        given = f"treatment.kind({t.kind})" + (f"와 {names(declared)}" if declared else "")
        raise spec.error(
            SpecError,
            "no_design",
            "treatment.kind",
            f"{given}을(를) 함께 다루는 설계가 없습니다.",
            "kind가 맞는지, 그 이름을 적은 것이 맞는지 보세요.",
        )
    if spec.estimand in offered:
        return
    codes = {"LATE": "estimand_needs_instrument", "ITT": "estimand_needs_randomization"}
    why = {"LATE": "LATE에는 도구변수나 임곗값이 있어야 합니다.", "ITT": "ITT는 무작위로 정한 것의 효과입니다."}
    keys = dict.fromkeys(owned.key for kind in kinds if spec.estimand in kind.estimands for owned in kind.fields)
    other = ", ".join(e for e in ("ATE", "ATT", "LATE", "ITT") if e in offered)
    raise spec.error(
        SpecError, codes.get(spec.estimand, "estimand_not_offered"), "estimand", why.get(spec.estimand, f"이 설계에서는 {spec.estimand}를 물을 수 없습니다."),
        (f"{names(keys)} 가운데 맞는 것을 적거나, " if keys and not declared else "") + f"estimand를 {josa(other, '으로/로')} 바꾸세요.",
    )  # fmt: skip
