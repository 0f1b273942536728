"""자료의 열을 보고 주석이 달린 명세의 초안을 씁니다. 짐작은 짐작이라고 적고, 사람이 정할 것은 TODO로 남깁니다.

초안의 줄은 세 가지입니다. ``##``로 시작하면 설명, ``#``로 시작하면 그 #를 지웠을 때 살아나는 선택, 나머지는 명세입니다.
선택은 어느 줄을 혼자 살려도 바른 YAML입니다.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from causal_pipeline import designs
from causal_pipeline.errors import DataError, OutputError, cause
from causal_pipeline.stages import write_atomic
from causal_pipeline.wording import josa, number, one_line, quoted, suggest

if TYPE_CHECKING:
    import pandas as pd

_ROWS = 200_000
_TREATMENT = re.compile(
    r"treat|exposed|variant|assign|coupon|push|mail|campaign|promo|policy|처치|실험|배정|쿠폰|노출|발송", re.IGNORECASE
)
_OUTCOME = re.compile(
    r"outcome|^y$|sales|revenue|spend|conver|churn|retention|orders?$|clicks?$|defect|streams?$|trips$|visits$|hours$|결과|매출|전환|이탈|구매|불량|잔존",
    re.IGNORECASE,
)
_BEFORE = re.compile(r"before|past|prior|prev|pre_|history|_0$|이전|과거|지난", re.IGNORECASE)
_AFTER = re.compile(r"after|post|later|next|이후|다음", re.IGNORECASE)
_ID = re.compile(r"(^|_)id$|(^|_)no$|(^|_)key$|번호|코드$", re.IGNORECASE)
_TIME = re.compile(r"date|day|week|month|year|time|period|날짜|일자|주차|연도", re.IGNORECASE)
_CODE = re.compile(
    r"code|region|district|branch|store|shop|team|type|class|channel|지역|지점|매장|점포|코드|구분|유형", re.IGNORECASE
)
_INSTRUMENT = re.compile(
    r"mail|invit|offer|lottery|draw|letter|encourage|notice|eligible|추첨|초대|안내|권유|자격", re.IGNORECASE
)
_TAKEN_UP = re.compile(r"used$|^use$|took|accept|attend|enrol|joined|complied|사용|참여|수강|이용", re.IGNORECASE)
_START = re.compile(r"first|start|adopt|since|처음|시작", re.IGNORECASE)


def write_draft(data: Path | None, out: Path | None = None, force: bool = False, design: str | None = None) -> Path:
    """초안을 자료 곁에 씁니다.

    Parameters
    ----------
    data : Path or None
        CSV나 엑셀(.xlsx), 파케이 파일. None이면 ``design``의 빈 틀을 ``out``에 씁니다.
    out : Path, optional
        초안의 자리. 없으면 자료와 같은 이름의 ``.yml``입니다. 자료는 초안의 폴더나 그 아래에 있어야 합니다.
    force : bool
        참이면 있던 파일을 덮어씁니다.
    design : str, optional
        설계의 이름(``Design.name``). 있으면 그 설계가 쓰는 줄을 살려 둡니다.

    Returns
    -------
    Path
        쓴 파일.

    Raises
    ------
    DataError
        자료를 읽을 수 없을 때.
    OutputError
        초안이 이미 있거나 쓸 수 없을 때, 설계의 이름이 틀렸을 때.
    """
    if design is not None and design not in {kind.name for kind in designs.registered()}:
        raise OutputError(
            "design_unknown",
            f"'{design}' 설계가 없습니다.",
            suggest(design, [kind.name for kind in designs.registered()]),
        )
    if data is None:
        out = Path(f"{design}.yml") if out is None else out
        text = template(design)
    else:
        out = data.with_suffix(".yml") if out is None else out
        text = draft(data, _relative(data, out), design)
    if out.exists() and not force:
        raise OutputError(
            "draft_exists",
            f"'{out.name}'이(가) 이미 있습니다.",
            "다른 이름을 --out으로 적거나, 덮어쓰려면 --force를 붙이세요.",
        )
    try:
        write_atomic(out, text.encode())
    except OSError as error:
        raise OutputError(
            "draft_not_writable",
            f"'{out.name}'을(를) 쓸 수 없습니다({cause(error)}).",
            "폴더가 있는지, 쓰기 권한과 디스크의 남은 자리가 있는지 보세요.",
        ) from None
    return out


def _relative(data: Path, out: Path) -> str:
    folder = out.resolve().parent
    if not data.resolve().is_relative_to(folder):
        raise OutputError(
            "draft_outside", "초안의 폴더 밖에 있는 자료입니다.", "초안을 자료와 같은 폴더나 그 위의 폴더에 쓰세요."
        )
    return data.resolve().relative_to(folder).as_posix()


def draft(data: Path, shown: str, design: str | None = None) -> str:
    """초안의 글. ``shown``은 초안의 폴더에서 본 자료의 자리입니다."""
    frame = _head(data)
    name = re.sub(r"[^a-z0-9_]+", "_", data.stem.lower()).strip("_")
    name = name if re.match(r"[a-z]", name) else f"analysis_{name}".rstrip("_")
    return _text(name, shown, guess(frame), frame, design)


def template(design: str) -> str:
    """자료 없이 쓰는 설계의 틀. 열의 자리는 모두 TODO입니다."""
    return _text(design, "TODO", dict.fromkeys(_ROLES) | {"panel": False, **{k: [] for k in _LISTS}}, None, design)


def _text(name: str, shown: str, roles: dict, frame: "pd.DataFrame | None", design: str | None) -> str:
    t, y, way = roles["treatment"], roles["outcome"], _way(designs.get(design)) if design else None
    lines = [
        "## 인과추론 명세의 초안입니다. 역할은 열의 이름과 값에서 짐작한 것이니 하나씩 확인하세요.",
        "## '##'로 시작하는 줄은 설명이고, '#'로 시작하는 줄은 #를 지우면 살아나는 선택입니다.",
        "## TODO를 모두 채운 뒤에 돌립니다:  python -m causal_pipeline analyze 이파일.yml --out report",
        "",
        f"name: {name}",
        "question: 'TODO: 무엇을 하면 무엇이 얼마나 달라지는지 한 문장으로'",
        "",
        "data:",
        f"  path: {quoted(shown)}",
        "  # missing: drop      # 빈칸이 있는 행을 빼려면(몇 행인지 보고서에 적습니다)",
        "  # blank: [-999]      # 빈칸 대신 적은 값이 있으면",
        "  # sample: 100000     # 무작위로 뽑아 쓰려면",
    ]
    if roles["unit"] and not roles["panel"]:
        lines += ["", f"unit: {quoted(roles['unit'])}   # 행마다 다른 번호"]
    lines += ["", *_question(design)]
    lines += ["", "treatment:", f"  column: {quoted(t or 'TODO')}{_candidates('처치의 열', roles['treatments'], t)}"]
    lines += _treatment(frame, t, way)
    lines += [
        f"  randomized: {'true' if way and way.randomized else 'false'}    # 무작위로 배정했으면 true",
        "  # cluster: TODO      # 가게나 지역 단위로 정했으면 그 열",
        "",
        "outcome:",
        f"  column: {quoted(y or 'TODO')}{_candidates('결과의 열', roles['outcomes'], y)}",
        "  label: ''            # 보고서에 적을 이름",
        "  unit: ''             # 단위(원, 회, 명 …)",
        "  higher_is_better: true   # TODO: 낮을수록 좋으면 false",
        "",
        f"estimand: {designs.get(design).estimands[0] if design else 'ATE'}          # ATE, ATT, LATE, ITT",
        "",
    ]
    lines += _assumptions(roles, way)
    lines += [
        "",
        "## 처치를 정한 규칙이 문서로 남아 있으면. 임곗값의 설계는 이것이 있어야 A가 될 수 있습니다.",
        "# assignment: {rule: TODO, source: TODO}",
        "",
        "## 효과가 없어야 할 결과나 처치. 여기서 효과가 나오면 무언가 틀린 것입니다.",
        "# negative_controls: {outcomes: [], treatments: []}",
        "",
        "## 결정에 쓸 돈. 적으면 순이득과 처치할 대상의 규칙을 냅니다.",
        "# money: {value_per_outcome: 0, cost_per_treatment: 0, currency: 원}",
        "",
        "## 크기에 뜻이 없는 번호(지역 코드)는 범주로, 의심스러워 보여도 맞는 수는 수로 읽게 적습니다.",
        f"# categories: {quoted(roles['codes'])}",
        "# numbers: []",
        "",
        "seed: 20260101",
    ]
    if frame is not None:
        lines += [
            "",
            f"## 자료에서 본 것({len(frame):,}행{'까지' if len(frame) == _ROWS else ''})",
            *[f"##   {line}" for line in _columns(frame)],
        ]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Way:
    """설계를 고르게 하는 명세의 모양: 처치의 종류, 무작위인지, 함께 적는 이름."""

    kind: str
    randomized: bool
    field: str | None

    def said(self) -> str:
        """초안에서 무엇을 고치면 되는지."""
        parts = [f"{josa(self.field, '을/를')} 살립니다"] if self.field else []
        parts += ["randomized를 true로 적습니다"] if self.randomized else []
        parts += [] if self.field or self.randomized else ["confounders나 graph를 적습니다"]
        return ", ".join([*parts, *(["kind를 continuous로 적습니다"] if self.kind == "continuous" else [])])


def _way(kind: type) -> Way:
    """이 설계가 받아들이는 가장 단순한 명세의 모양. 설계의 ``applies``에 물어봅니다."""
    from causal_pipeline.model import Outcome, Source, Spec, Treatment

    for owned in kind.fields or (None,):
        made = () if owned is None else (owned.build(_dummy(owned.schema)),)
        for randomized in (False, True):
            for what in ("binary", "continuous"):
                t = Treatment("t", what, 0, 1, randomized)
                if kind.applies(Spec("a", "", Source(None), t, Outcome("y"), kind.estimands[0], fields=made)):
                    return Way(what, randomized, owned.key if owned else None)
    return Way("binary", False, None)


def _dummy(schema: dict) -> Any:
    if "properties" not in schema:
        return "a"
    kinds = {name: schema["properties"][name].get("type") for name in schema.get("required", ())}
    return {name: 0 if kind in ("number", "integer") else name for name, kind in kinds.items()}


def _question(design: str | None) -> list[str]:
    """설계를 고르는 물음. 규칙표의 차례대로입니다."""
    lines = ["## 처치는 어떻게 정해졌습니까? 정한 방법이 설계를 고릅니다. 위에서부터 처음 '예'인 것을 따르세요."]
    for kind in designs.registered():
        mark = " (고름)" if kind.name == design else ""
        lines.append(f"##   {kind.question} → {kind.label}{mark}: {_way(kind).said()}")
    return lines


def _candidates(what: str, found: list[str], chosen: str | None) -> str:
    """후보를 적은 주석."""
    others = [c for c in found if c != chosen][:6]
    if chosen:
        return one_line(f"   # 다른 후보: {', '.join(others)}") if others else ""
    return one_line(f"   # TODO: {what}{f'. 후보: {chr(44).join(others)}' if others else ''}")


def _head(data: Path) -> "pd.DataFrame":
    """앞의 20만 행. 잘못은 분석과 같은 말로 알립니다."""
    import pandas as pd

    from causal_pipeline import reading
    from causal_pipeline.model import Outcome, Source, Spec, Treatment

    if data.suffix.lower() not in {".csv", ".xlsx", ".parquet"}:
        raise DataError(
            "format_unknown",
            f"'{data.suffix or data.name}' 형식에서는 초안을 만들지 않습니다.",
            "CSV나 엑셀(.xlsx), 파케이를 적으세요.",
        )
    empty = Spec(
        "draft", "", Source(data.name), Treatment("", "binary"), Outcome(""), "ATE", folder=str(data.resolve().parent)
    )
    reading.check_file(empty, data)
    columns, _, chunks = reading.open_source(empty, data)
    parts, rows = [], 0
    for part in chunks(columns):
        parts.append(part)
        rows += len(part)
        if rows >= _ROWS:
            break
    if not rows:
        raise DataError("data_no_rows", "열 이름만 있고 행이 없습니다.", "자료를 다시 내보내세요.")
    return pd.concat(parts, ignore_index=True).head(_ROWS)


_LISTS = ("before", "after", "unknown", "treatments", "outcomes", "codes")
_ROLES = ("unit", "time", "start", "treatment", "outcome", "instrument", "running.column", "running.cutoff")


def guess(frame: "pd.DataFrame") -> dict:
    """열의 역할을 짐작합니다.

    Returns
    -------
    dict
        unit, time, start, treatment, outcome, instrument, running.column, running.cutoff, cross_sections.group은 열 이름(또는
        값)이나 None, before와 after, unknown은 나머지 열의 목록, treatments와 outcomes는 후보, codes는 번호처럼 보이는 정수,
        panel은 같은 대상이 여러 시점에 나오면 참.
    """
    names = list(frame.columns)
    unit = next((c for c in names if _ID.search(c)), None)
    unit = unit or next(
        (c for c in names if frame[c].dtype.kind != "f" and frame[c].is_unique and len(frame) > 50), None
    )
    repeated = unit is not None and bool(frame[unit].duplicated().any())
    time = (
        next((c for c in names if c != unit and _TIME.search(c) and not _START.search(c)), None) if repeated else None
    )
    if time is None and (unit is None or repeated) and (pair := _panel_pair(frame)):
        (unit, time), repeated = pair, True
    if (
        time is not None and frame.duplicated([unit, time]).any()
    ):  # 같은 때에 여러 번 나오면 그 열은 대상이 아니라 집단입니다
        group, when, unit, time, repeated = unit, time, None, None, False
    else:
        group, when = None, next((c for c in names if _TIME.search(c) and not _START.search(c)), None)
    start = next((c for c in names if _START.search(c) and _TIME.search(c)), None) if repeated else None
    taken = {unit, time, start}
    binary = [c for c in names if c not in taken and frame[c].nunique() == 2 and not _BEFORE.search(c)]
    switched = [c for c in binary if time and start and _switches(frame, c, time, start)]
    likely = [*switched, *(c for c in binary if c not in switched and _TREATMENT.search(c))]
    pushed = [c for c in binary if _INSTRUMENT.search(c)]
    taken_up = [c for c in binary if _TAKEN_UP.search(c) and c not in pushed]
    if pushed and taken_up:  # 메일을 보낸 것은 밀어 준 것이고, 쓴 것이 처치입니다
        likely = [*taken_up, *(c for c in likely if c not in taken_up)]
    treatment = next(iter(likely), binary[0] if len(binary) == 1 else None)
    numeric = [
        c for c in names if c not in {*taken, treatment} and frame[c].dtype.kind in "biuf" and not _BEFORE.search(c)
    ]
    named = sorted((c for c in numeric if _OUTCOME.search(c)), key=lambda c: (c.count("_"), len(c)))
    outcome = next(iter(named), None)  # incoming_defects보다 defects
    rest = [c for c in names if c not in {*taken, treatment, outcome}]
    before = [c for c in rest if _BEFORE.search(c)]
    after = [c for c in rest if _AFTER.search(c) and c not in before]
    unknown = [c for c in rest if c not in before and c not in after]
    repeats = bool(unit and time and repeated)
    jump = None if treatment is None or repeats else _cutoff(frame, treatment, [*before, *unknown])
    pushed = [c for c in pushed if c != treatment]
    if group is None and when and not repeats and treatment:
        group = next((c for c in [*before, *unknown] if _decides(frame, [c, when], treatment)), None)
    return {
        "unit": unit, "time": time or when, "start": start, "treatment": treatment, "outcome": outcome,
        "before": before, "after": after, "unknown": unknown, "panel": repeats,
        "treatments": [*likely, *(c for c in binary if c not in likely)], "outcomes": [*named, *(c for c in reversed(numeric) if c not in named and frame[c].nunique() > 2)],
        "codes": [c for c in rest if _CODE.search(c) and frame[c].dtype.kind in "iu" and 2 < frame[c].nunique() <= 30],
        "instrument": pushed[0] if pushed and treatment else None,
        "running.column": jump and jump[0], "running.cutoff": jump and jump[1], "running.above": None if jump is None or jump[2] else False,
        "cross_sections.group": group,
    }  # fmt: skip


def _panel_pair(frame: "pd.DataFrame") -> tuple[str, str] | None:
    """짝을 지으면 행마다 다르고 저마다 되풀이되는 두 열(대상, 시점). 이름에 기대지 않습니다."""
    keys = [c for c in frame.columns if frame[c].dtype.kind != "f" and 1 < frame[c].nunique() <= len(frame) / 2]
    for time in sorted(keys, key=lambda c: not _TIME.search(c)):
        if not _TIME.search(time) and frame[time].dtype.kind not in "iuM":
            continue
        for unit in keys:
            if unit == time or frame[unit].nunique() < 5 or frame[time].nunique() < 3:
                continue
            cells = frame[unit].nunique() * frame[time].nunique()
            if len(frame) >= 0.5 * cells and len(frame) <= cells and not frame.duplicated([unit, time]).any():
                return unit, time
    return None


def _decides(frame: "pd.DataFrame", keys: list[str], column: str) -> bool:
    """``keys``가 같으면 ``column``이 늘 같고, 그 칸에 여러 행이 있으면 참(집단과 시점이 처치를 정한 자료)."""
    cells = frame.groupby(keys)[column].nunique()
    return bool(2 * len(cells) < len(frame) and frame[keys[0]].nunique() > 1 and (cells <= 1).all()) and bool(
        frame.groupby(keys[0])[column].nunique().max() == 2
    )


def _cutoff(frame: "pd.DataFrame", treatment: str, columns: list[str]) -> tuple[str, float, bool] | None:
    """처치의 몫이 뚝 뛰는 (열, 임곗값, 위쪽이 처치인지). 이웃한 5%끼리의 몫이 0.4 넘게 다르지 않으면 None."""
    import numpy as np

    on = (frame[treatment] == sorted(frame[treatment].dropna().unique().tolist(), key=str)[-1]).to_numpy(dtype=float)
    best, found = 0.4, None
    for column in columns:
        if frame[column].dtype.kind not in "iuf" or frame[column].nunique() < 10:
            continue
        keep = frame[column].notna().to_numpy()
        order = np.argsort(frame[column].to_numpy()[keep], kind="stable")
        x, d = frame[column].to_numpy()[keep][order], on[keep][order]
        width = max(len(x) // 20, 10)
        edges = np.flatnonzero(np.diff(x) > 0) + 1
        edges = edges[(edges >= width) & (edges <= len(x) - width)]
        if not len(edges):
            continue
        total = np.concatenate([[0.0], np.cumsum(d)])
        gap = (total[edges + width] - 2 * total[edges] + total[edges - width]) / width
        at = int(np.abs(gap).argmax())
        if abs(gap[at]) > best:
            best, found = abs(gap[at]), (column, float(x[edges[at]]), bool(gap[at] > 0))
    return found


def _switches(frame: "pd.DataFrame", column: str, time: str, start: str) -> bool:
    """처음 처치받은 시점부터 1인 열이면 참."""
    if (
        frame[time].dtype.kind not in "iuf"
        or frame[start].dtype.kind not in "iuf"
        or frame[column].dtype.kind not in "biu"
    ):
        return False
    return bool((frame[column].astype("int64") == (frame[time] >= frame[start]).astype("int64")).all())


def _treatment(frame: "pd.DataFrame | None", column: str | None, way: Way | None) -> list[str]:
    kind = way.kind if way else None
    if column is None or frame is None:
        return [f"  kind: {kind or 'binary'}         # binary, multi, continuous", "  control: 0", "  treated: 1"]
    levels = sorted(frame[column].dropna().unique().tolist(), key=str)
    if kind != "continuous":
        kind = "binary" if len(levels) == 2 else "multi" if len(levels) <= 10 else "continuous"
    low, high = (levels[0], levels[-1]) if len(levels) else (0, 1)
    return [f"  kind: {kind}", f"  control: {quoted(low)}", f"  treated: {quoted(high)}"]


def _assumptions(roles: dict, way: Way | None) -> list[str]:
    """식별의 가정: 설계가 쓰는 이름, 교란 요인과 그래프. 설계마다의 이름은 설계가 적습니다(``Field.draft``)."""
    alive = way.field if way else ("panel" if roles["panel"] else None)
    lines = []
    for key, kind in designs.field_types().items():
        owned = kind.draft(roles)
        lines += [re.sub(rf"^# (?={key}:)", "", line) for line in owned] if key == alive else owned
    known = [*roles["before"], *roles["unknown"]]
    optional = bool(alive) or bool(way and way.randomized)
    lines += [
        "",
        "## 교란 요인: 처치와 결과를 함께 움직이는, 처치 전에 정해진 변수. 처치 뒤에 잰 열을 넣으면 답이 틀립니다.",
        "## 하나씩 '처치보다 먼저 정해졌는가, 둘 다 움직이는가'를 묻고 남기거나 지우세요.",
    ]
    if optional:
        lines.append(f"# confounders: {quoted(roles['before'] or known[:3])}")
    else:
        lines += ["confounders:", *[f"  - {quoted(c)}" for c in roles["before"]]]
        lines += [] if roles["before"] else ["  - 'TODO: 없다고 믿으면 이 줄을 지우고 confounders: []라고 적으세요'"]
        lines += [f"  # - {quoted(c)}   # 처치 전에 정해졌으면 남기세요" for c in roles["unknown"]]
    t, y, x = roles["treatment"] or "처치", roles["outcome"] or "결과", next(iter(known), "교란")
    edges = [f"{x} -> {t}", f"{x} -> {y}", f"{t} -> {y}"]
    timing = (
        dict.fromkeys(roles["before"], "before")
        | dict.fromkeys(roles["unknown"], "unknown")
        | dict.fromkeys(roles["after"], "after")
    )
    used = {} if optional else dict.fromkeys(roles["before"], "before")
    lines += [
        "",
        "## 그래프로 적으면 보정할 변수를 기계가 고르고, 그래프가 자료와 맞는지도 봅니다(confounders 대신).",
        f"# graph: {quoted({'edges': edges, 'hidden': []})}",
        "",
        "## 잰 때. 명세에 쓴 열만 적습니다: before(처치 전), treatment, after(처치 뒤)",
    ]
    if used:
        lines += ["timing:", *[f"  {quoted(c)}: {w}" for c, w in used.items()]]
        lines += [f"  # {quoted(c)}: {w}" for c, w in timing.items() if c not in used]
    else:
        lines.append(f"# timing: {quoted(timing)}")
    return [*lines, "", "## 효과가 갈릴지 볼 처치 전 변수", f"# modifiers: {quoted(roles['before'][:2])}"]


def _columns(frame: "pd.DataFrame") -> list[str]:
    lines = []
    for column in frame.columns:
        values = frame[column]
        blank = f", 빈칸 {int(values.isna().sum()):,}" if values.isna().any() else ""
        kinds = values.nunique()
        if values.dtype.kind in "iuf" and kinds > 2:
            seen = (
                f"수, {number(float(values.min()))}~{number(float(values.max()))}, 평균 {number(float(values.mean()))}"
            )
        else:
            few = ", ".join(str(v) for v in values.dropna().unique()[:5].tolist())
            seen = f"값 {kinds:,}가지({few}{' …' if kinds > 5 else ''})"
        lines.append(one_line(f"{column}: {seen}{blank}"))
    return lines
