"""자료의 열을 보고 주석이 달린 명세의 초안을 씁니다. 짐작은 짐작이라고 적고, 사람이 정할 것은 TODO로 남깁니다."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from causal_pipeline import designs
from causal_pipeline.errors import DataError, OutputError, cause
from causal_pipeline.stages import write_atomic
from causal_pipeline.wording import number, one_line, quoted

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
_START = re.compile(r"first|start|adopt|since|처음|시작", re.IGNORECASE)


def write_draft(data: Path, out: Path | None = None, force: bool = False) -> Path:
    """초안을 자료 곁에 씁니다.

    Parameters
    ----------
    data : Path
        CSV나 파케이 파일.
    out : Path, optional
        초안의 자리. 없으면 자료와 같은 이름의 ``.yml``입니다. 자료는 초안의 폴더나 그 아래에 있어야 합니다.
    force : bool
        참이면 있던 파일을 덮어씁니다.

    Returns
    -------
    Path
        쓴 파일.

    Raises
    ------
    DataError
        자료를 읽을 수 없을 때.
    OutputError
        초안이 이미 있거나 쓸 수 없을 때.
    """
    out = data.with_suffix(".yml") if out is None else out
    text = draft(data, _relative(data, out))
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


def draft(data: Path, shown: str) -> str:
    """초안의 글. ``shown``은 초안의 폴더에서 본 자료의 자리입니다."""
    frame = _head(data)
    roles = guess(frame)
    name = re.sub(r"[^a-z0-9_]+", "_", data.stem.lower()).strip("_")
    name = name if re.match(r"[a-z]", name) else f"analysis_{name}".rstrip("_")
    t, y = roles["treatment"], roles["outcome"]
    panel = roles["panel"]
    lines = [
        "# 인과추론 명세의 초안입니다. 역할은 열의 이름과 값에서 짐작한 것이니 하나씩 확인하세요.",
        "# TODO를 모두 채운 뒤에 돌립니다:  python -m causal_pipeline analyze 이파일.yml --out report",
        "",
        f"name: {name}",
        "question: 'TODO: 무엇을 하면 무엇이 얼마나 달라지는지 한 문장으로'",
        "",
        "data:",
        f"  path: {quoted(shown)}",
        "  # missing: drop      # 빈칸이 있는 행을 빼려면(몇 행인지 보고서에 적습니다)",
        "  # sample: 100000     # 무작위로 뽑아 쓰려면",
    ]
    if roles["unit"] and not panel:
        lines += ["", f"unit: {quoted(roles['unit'])}   # 행마다 다른 번호"]
    lines += ["", "treatment:", f"  column: {quoted(t or 'TODO')}{'' if t else '   # TODO: 처치의 열'}"]
    lines += _treatment(frame, t)
    lines += [
        "  randomized: false    # 무작위로 배정했으면 true",
        "  # cluster: 열        # 가게나 지역 단위로 정했으면 그 열",
        "",
        "outcome:",
        f"  column: {quoted(y or 'TODO')}{'' if y else '   # TODO: 결과의 열'}",
        "  label: ''            # 보고서에 적을 이름",
        "  unit: ''             # 단위(원, 회, 명 …)",
        "  higher_is_better: true   # TODO: 낮을수록 좋으면 false",
        "",
        "estimand: ATE          # ATE, ATT, LATE, ITT",
        "",
    ]
    lines += _assumptions(roles)
    lines += [
        "",
        "# 효과가 없어야 할 결과나 처치. 여기서 효과가 나오면 무언가 틀린 것입니다.",
        "# negative_controls: {outcomes: [], treatments: []}",
        "",
        "# 결정에 쓸 돈. 적으면 순이득과 처치할 대상의 규칙을 냅니다.",
        "# money: {value_per_outcome: 0, cost_per_treatment: 0, currency: 원}",
        "",
        "seed: 20260101",
        "",
        f"# 자료에서 본 것({len(frame):,}행{'까지' if len(frame) == _ROWS else ''})",
        *[f"#   {line}" for line in _columns(frame)],
    ]
    return "\n".join(lines) + "\n"


def _head(data: Path) -> "pd.DataFrame":
    """앞의 20만 행. 잘못은 분석과 같은 말로 알립니다."""
    import pandas as pd

    from causal_pipeline import reading
    from causal_pipeline.model import Outcome, Source, Spec, Treatment

    if data.suffix.lower() not in {".csv", ".parquet"}:
        raise DataError(
            "format_unknown",
            f"'{data.suffix or data.name}' 형식에서는 초안을 만들지 않습니다.",
            "CSV나 파케이를 적으세요.",
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


def guess(frame: "pd.DataFrame") -> dict:
    """열의 역할을 짐작합니다.

    Returns
    -------
    dict
        unit, time, start, treatment, outcome은 열 이름이나 None, before와 after, unknown은 나머지 열의 목록, panel은 같은 대상이
        여러 시점에 나오면 참.
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
    start = next((c for c in names if _START.search(c) and _TIME.search(c)), None) if repeated else None
    taken = {unit, time, start}
    binary = [c for c in names if c not in taken and frame[c].nunique() == 2 and not _BEFORE.search(c)]
    switched = [c for c in binary if time and start and _switches(frame, c, time, start)]
    treatment = next((c for c in [*switched, *binary] if c in switched or _TREATMENT.search(c)), None)
    numeric = [
        c for c in names if c not in {*taken, treatment} and frame[c].dtype.kind in "biuf" and not _BEFORE.search(c)
    ]
    likely = [c for c in numeric if _OUTCOME.search(c)]
    outcome = min(likely, key=lambda c: (c.count("_"), len(c)), default=None)  # incoming_defects보다 defects
    rest = [c for c in names if c not in {*taken, treatment, outcome}]
    before = [c for c in rest if _BEFORE.search(c)]
    after = [c for c in rest if _AFTER.search(c) and c not in before]
    unknown = [c for c in rest if c not in before and c not in after]
    return {
        "unit": unit, "time": time, "start": start, "treatment": treatment, "outcome": outcome,
        "before": before, "after": after, "unknown": unknown, "panel": bool(unit and time and repeated),
    }  # fmt: skip


def _switches(frame: "pd.DataFrame", column: str, time: str, start: str) -> bool:
    """처음 처치받은 시점부터 1인 열이면 참."""
    if (
        frame[time].dtype.kind not in "iuf"
        or frame[start].dtype.kind not in "iuf"
        or frame[column].dtype.kind not in "biu"
    ):
        return False
    return bool((frame[column].astype("int64") == (frame[time] >= frame[start]).astype("int64")).all())


def _treatment(frame: "pd.DataFrame", column: str | None) -> list[str]:
    if column is None:
        return ["  kind: binary         # binary, multi, continuous", "  control: 0", "  treated: 1"]
    levels = sorted(frame[column].dropna().unique().tolist(), key=str)
    kind = "binary" if len(levels) == 2 else "multi" if len(levels) <= 10 else "continuous"
    low, high = (levels[0], levels[-1]) if len(levels) else (0, 1)
    return [f"  kind: {kind}", f"  control: {quoted(low)}", f"  treated: {quoted(high)}"]


def _assumptions(roles: dict) -> list[str]:
    """식별의 가정: 패널이면 그 묶음, 아니면 교란 요인과 그래프. 설계마다의 이름은 설계가 적습니다(``Field.draft``)."""
    owned = [line for kind in designs.field_types().values() for line in kind.draft(roles)]
    if roles["panel"]:
        return owned
    timing = (
        dict.fromkeys(roles["before"], "before")
        | dict.fromkeys(roles["after"], "after")
        | dict.fromkeys(roles["unknown"], "unknown")
    )
    lines = [
        "# 교란 요인: 처치와 결과를 함께 움직이는, 처치 전에 정해진 변수. 처치 뒤에 잰 열을 넣으면 답이 틀립니다.",
        "# TODO: 하나씩 '처치보다 먼저 정해졌는가, 둘 다 움직이는가'를 묻고 남기거나 지우세요.",
        "confounders:",
    ]
    lines += [f"  - {quoted(c)}" for c in roles["before"]] or ["  []"]
    if roles["unknown"]:
        lines += [f"  # - {quoted(c)}   # TODO: 처치 전에 정해졌으면 남기세요" for c in roles["unknown"]]
    lines += [
        "",
        "# 그래프로 적으면 보정할 변수를 기계가 고르고, 그래프가 자료와 맞는지도 봅니다(confounders 대신).",
        "# graph:",
        "#   edges:",
        "#     - 교란 -> 처치",
        "#     - 교란 -> 결과",
        "#     - 처치 -> 결과",
        "#   hidden: []         # 그래프에는 있으나 재지 못한 변수",
        "",
        "# 잰 때. 명세에 쓴 열만 적습니다: before(처치 전), treatment, after(처치 뒤)",
    ]
    used = {c: w for c, w in timing.items() if c in roles["before"]}
    lines += ["timing:", *[f"  {quoted(c)}: {w}" for c, w in used.items()]] if used else ["# timing: {}"]
    lines += [f"#  {quoted(c)}: {w}" for c, w in timing.items() if c not in used]
    lines += [
        "",
        "# modifiers: []        # 효과가 갈릴지 볼 처치 전 변수",
        *owned,
    ]
    return lines


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
