"""패널: 명세의 ``panel`` 이름과, 패널을 쓰는 설계들이 함께 쓰는 처치 시점. 설계들의 한 층 아래에 있습니다."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from causal_pipeline.errors import DataError, SpecError
from causal_pipeline.model import Field, Role, Spec
from causal_pipeline.shown import dashed, source
from causal_pipeline.values import folded_code, folded_names, parse_dates, rewriting, time_zones
from causal_pipeline.wording import josa, quoted, sql_name

_COLUMN = {"$ref": "#/$defs/column"}


def ordered_periods(values: pd.Series, started: pd.Series | None = None) -> tuple[pd.Series, pd.Series | None]:
    """날짜인 시점을 1부터의 차례로(처음 처치받은 날짜도 같은 차례로) 바꿉니다. 돌려주는 것은 (시점, 시작 시점 또는 None)입니다."""
    values, started = (v if v is None or v.dtype.kind == "M" else dashed(v) for v in (values, started))
    dates = pd.to_datetime(values)
    rank = {when: i + 1 for i, when in enumerate(sorted(dates.unique()))}
    if started is not None:
        begun = pd.to_datetime(started.dropna())
        later = {
            when: 0 if when < dates.min() else next((i for known, i in rank.items() if known >= when), len(rank) + 1)
            for when in begun.unique()
        }
        started = begun.map(later).astype("float64").reindex(started.index)
    return dates.map(rank).astype("int64"), started


def encode_periods(spec: Spec, frame: pd.DataFrame, key: str, time: str, start: str | None = None) -> None:
    """시점의 열을 정수로(날짜이면 1부터의 차례로), 처음 처치받은 시점을 같은 차례의 실수로 바꿉니다(``frame``을 고칩니다).

    Parameters
    ----------
    key : str
        이 열들을 적은 명세의 이름(``"panel"``). 오류가 그 줄을 가리킵니다.

    Raises
    ------
    DataError
    """
    values, begun = frame[time], frame[start] if start else None
    for where, column in ((f"{key}.time", time), (f"{key}.start", start)):
        if column:
            _one_order(spec, where, frame[column])
    _one_zone(spec, key, [(f"{key}.time", values), *([(f"{key}.start", begun.dropna())] if start else [])])
    if values.dtype.kind == "f" and (values == values.round()).all():
        frame[time] = values.astype("int64")
    elif values.dtype.kind not in "iu":
        dates = (
            values
            if values.dtype.kind == "M"
            else None
            if values.dtype.kind in "fb"
            else parse_dates(values.astype(str).str.strip())
        )
        if dates is None:
            message = f"시점 '{time}'이(가) 정수도 날짜도 아닙니다(예: '{values.iloc[0]}')."
            raise spec.error(
                DataError,
                "time_not_ordered",
                f"{key}.time",
                message,
                "1, 2, 3 같은 정수나 2026-01-05 같은 날짜로 바꾸세요." + _as_whole_numbers(spec, values, time, start),
            )
        _days(spec, f"{key}.time", time, dates)
        if begun is not None and begun.notna().any() and begun.dtype.kind != "M":
            given = parse_dates(begun.dropna().astype(str).str.strip())
            if given is None:
                message = f"시점은 날짜인데 처음 처치받은 시점 '{start}'은(는) 아닙니다."
                raise spec.error(
                    DataError, "start_kind", f"{key}.start", message, "같은 꼴의 날짜로 적으세요." + _never_words(begun)
                )
            begun = given.reindex(frame.index)
        frame[time], begun = ordered_periods(dates, begun if begun is not None and begun.notna().any() else None)
        begun = frame[start] if begun is None and start else begun
    if start:
        if begun.dtype.kind not in "iuf" and begun.notna().any():
            message = f"처음 처치받은 시점 '{start}'이(가) 시점과 같은 꼴의 수가 아닙니다."
            raise spec.error(
                DataError,
                "start_kind",
                f"{key}.start",
                message,
                "시점의 열과 같은 정수로 적고, 처치받지 않았으면 비우세요." + _never_words(begun),
            )
        frame[start] = begun.astype("float64")


def _never_words(begun: pd.Series) -> str:
    """처음 처치받은 시점에 낀 말('never', '해당없음')을 빈칸으로 읽게 하는 법. 그런 말이 한두 가지가 아니면 빈 글입니다."""
    text = begun.dropna().astype(str).str.strip()
    words = text[~text.str.contains(r"\d")]
    if words.empty or words.nunique() > 2 or len(words) == len(text):
        return ""
    shown = ", ".join(f"'{word}' {count:,}개" for word, count in words.value_counts().items())
    return f" {shown}가 처치받지 않았다는 말이면 data에 `blank: {quoted(sorted(words.unique()))}`를 적으세요."


def _as_whole_numbers(spec: Spec, values: pd.Series, time: str, start: str | None) -> str:
    """'2024-W05', '2024년 1월', '3주차'처럼 차례가 적힌 글자를 정수로 바꾸는 SQL. 차례를 알 수 없으면 빈 글입니다."""
    parts = values.astype(str).str.findall(r"[0-9]+")
    many = parts.str.len()
    test = "regexp_matches({0}, '[0-9]')"
    words = sorted({str(v).strip().casefold() for v in values.unique()})
    known = {"전": 1, "후": 2, "이전": 1, "이후": 2, "before": 1, "after": 2, "pre": 1, "post": 2}
    if len(words) == 2 and all(w in known for w in words):
        code = "CASE lower(trim({0})) " + " ".join(f"WHEN '{w}' THEN {known[w]}" for w in words) + " END"
        test = "{0} IS NOT NULL"
    elif many.nunique() != 1 or many.iloc[0] not in (1, 2):
        return ""
    elif many.iloc[0] == 1:
        code = "CAST(regexp_extract({0}, '[0-9]+') AS INTEGER)"
    else:
        inner = parts.str[1].astype(int)
        size = next((k for k in (4, 12, 53) if inner.max() <= k), None)
        if size is None or parts.str[0].str.len().ne(4).any():
            return ""
        pattern = "'([0-9]+)[^0-9]+([0-9]+)'"
        code = f"CAST(regexp_extract({{0}}, {pattern}, 1) AS INTEGER) * {size} + CAST(regexp_extract({{0}}, {pattern}, 2) AS INTEGER)"
    cells = {name: sql_name(name) for name in (time, *([start] if start else []))}
    changed = {name: f"CASE WHEN {test.format(c)} THEN {code.format(c)} END" for name, c in cells.items()}
    return f" {rewriting(spec, changed)}으면 차례대로 정수가 됩니다."


def _days(spec: Spec, where: str, time: str, dates: pd.Series) -> None:
    """시각까지 적혀 같은 날이 여러 시점으로 갈리면 멈춥니다. 대상마다 다른 시각이면 함께 본 시점이 없어집니다.

    Raises
    ------
    DataError
    """
    days = dates.dt.normalize().nunique()
    if days > 1 and dates.nunique() > 3 * days and dates.nunique() > len(dates) / 4:
        day = f"CAST({sql_name(time)} AS TIMESTAMP)::DATE"
        raise spec.error(
            DataError, "time_too_fine", where,
            f"시점 '{time}'에 시각까지 적혀 있어 {days:,}일이 {dates.nunique():,}개의 시점으로 갈립니다. 같은 시점에 본 대상이 거의 없습니다.",
            f"날짜로 충분하면 {rewriting(spec, {time: day})}으세요. 한 대상이 하루에 여러 줄이면 그 SQL에서 GROUP BY로 모으세요.",
        )  # fmt: skip


def _one_order(spec: Spec, where: str, values: pd.Series) -> None:
    """'05/01/2024'가 5월 1일인지 1월 5일인지에 따라 시점의 차례가 달라지면 멈춥니다.

    Raises
    ------
    DataError
    """
    if values.dtype.kind in "iufbM":
        return
    levels = pd.Series(values.dropna().unique(), dtype=object).astype(str).str.strip()
    if len(levels) < 2 or not levels.str.fullmatch(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{4}").all():
        return
    parts = levels.str.split(r"[-/.]", regex=True, expand=True).astype(int)
    orders = {
        form: np.argsort((parts[2] * 10_000 + parts[month] * 100 + parts[day]).to_numpy(), kind="stable").tolist()
        for form, month, day in (("%m/%d/%Y", 0, 1), ("%d/%m/%Y", 1, 0))
        if parts[month].max() <= 12 and parts[day].max() <= 31
    }
    if "%m/%d/%Y" in orders and len({tuple(order) for order in orders.values()}) == 1:
        return
    column, mark = str(values.name), levels.iloc[0].strip("0123456789")[0]
    form = ("%d/%m/%Y" if "%d/%m/%Y" in orders else "%m/%d/%Y").replace("/", mark)
    day = f"strptime(trim({sql_name(column)}), '{form}')::DATE"
    both = len(orders) == 2
    said = "일과 월의 어느 것이 먼저인지에 따라 차례가 달라집니다" if both else "일이 월보다 먼저 적혀 있습니다"
    raise spec.error(
        DataError, "date_order", where, f"'{column}'의 날짜(예: '{levels.iloc[0]}')는 {said}.",
        f"일이 먼저이면 {rewriting(spec, {column: day})}으세요." + (" 월이 먼저이면 따옴표 속의 %d와 %m을 바꾸어 적으세요." if both else ""),
    )  # fmt: skip


def _one_zone(spec: Spec, key: str, columns: list[tuple[str, pd.Series]]) -> None:
    """날짜의 시간대가 하나인지. 섞이면 같은 날이 다른 시점이 됩니다."""
    zones: dict[str, int] = {}
    for _, values in columns:
        known = str(values.dt.tz or "없음") if values.dtype.kind == "M" else None
        found = (
            {known: len(values)}
            if known
            else time_zones(values)
            if values.dtype.kind not in "iufb" and len(values)
            else {}
        )
        for zone, count in found.items():
            zones[zone] = zones.get(zone, 0) + count
    if len(zones) > 1:
        listed = ", ".join(f"'{zone}' {count:,}개" for zone, count in zones.items())
        name = columns[0][1].name
        raise spec.error(
            DataError, "mixed_time_zones", f"{key}.time", f"시점 '{name}'의 시간대가 섞여 있습니다: {listed}.",
            "모두 한 시간대의 날짜로 바꾸어 저장하세요. 날짜만 쓰면 되면 시각과 시간대를 떼고 2026-01-05처럼 적으세요.",
        )  # fmt: skip


def never_treated_blank(frame: pd.DataFrame, unit: str, time: str, start: str, treatment: str) -> pd.Series:
    """처음 처치받은 시점. 처치를 받은 적이 없는 단위의 0이나 9999처럼 자료의 시점 밖에 있는 값은 빈칸으로 읽습니다."""
    never = frame.groupby(unit, observed=True)[treatment].transform("max") == 0
    outside = (frame[start] < frame[time].min()) | (frame[start] > frame[time].max())
    return frame[start].mask(never & outside)


def periods_code(time: str, start: str | None = None) -> list[str]:
    """``encode_periods``와 같은 일을 하는, 재현 노트북에 실을 코드의 줄들."""
    started = f"frame[{start!r}].dropna().astype(str).str.strip().reindex(frame.index)" if start else "None"
    keep = [f"    if begun is not None:\n        frame[{start!r}] = begun"] if start else []
    close = [f'frame[{start!r}] = frame[{start!r}].astype("float64")'] if start else []
    return [
        source(dashed, ordered_periods),
        f'if frame[{time!r}].dtype.kind not in "iuf":',
        f"    frame[{time!r}], begun = ordered_periods(frame[{time!r}].astype(str).str.strip(), {started})",
        *keep,
        *close,
    ]


def never_treated_code(spec: Spec, unit: str, time: str, start: str | None) -> list[str]:
    """``check_start``가 받지 않았다는 표시를 빈칸으로 바꾸는 일을 하는, 재현 노트북에 실을 코드의 줄들."""
    if start is None or spec.treatment.kind != "binary":
        return []
    call = f"never_treated_blank(frame, {unit!r}, {time!r}, {start!r}, {spec.treatment.column!r})"
    return [source(never_treated_blank), f"frame[{start!r}] = {call}"]


def check_start(spec: Spec, frame: pd.DataFrame, key: str, unit: str, time: str, start: str | None) -> list[str]:
    """처음 처치받은 시점이 단위마다 한 값이고, (이진) 처치와 어긋나지 않는지. 받지 않았다는 표시(0, 9999)는 빈칸으로 바꿉니다.

    Returns
    -------
    list of str
        보고서에 적을, 한 일.

    Raises
    ------
    DataError
    """
    if start is None:
        return []
    notices = []
    if spec.treatment.kind == "binary":
        read = never_treated_blank(frame, unit, time, start, spec.treatment.column)
        coded = frame[start].notna() & read.isna()
        if coded.any():
            values = ", ".join(f"{v:g}" for v in sorted(frame.loc[coded, start].unique())[:5])
            notices.append(
                f"'{start}'이(가) {values}인 단위 {frame.loc[coded, unit].nunique():,}개는 처치를 받은 적이 없어, 그 값을 '받지 않음'으로 읽었습니다."
            )
            frame[start] = read
    if (frame.groupby(unit, observed=True)[start].nunique(dropna=False) > 1).any():
        message = f"한 단위('{unit}') 안에서 처음 처치받은 시점 '{start}'이(가) 바뀝니다."
        raise spec.error(
            DataError, "start_varies", f"{key}.start", message, "단위마다 한 값이게 하고, 처치받지 않았으면 비우세요."
        )
    t = spec.treatment
    wrong = int(((frame[time] >= frame[start]).astype("int64") != frame[t.column]).sum()) if t.kind == "binary" else 0
    if wrong:
        message = f"'{start}'과(와) 처치 '{t.column}'이(가) {wrong:,}행에서 어긋납니다."
        raise spec.error(
            DataError,
            "start_contradicts",
            f"{key}.start",
            message,
            "처음 처치받은 시점부터 처치가 1인지 보세요. 처치받지 않은 단위의 칸은 표시(0, 9999, 1900-01-01)를 넣지 말고 비우세요.",
        )
    return notices


@dataclass(frozen=True)
class Panel(Field):
    """패널의 열.

    Attributes
    ----------
    unit, time : str
        대상과 시점의 열. 시점은 정수이거나 날짜입니다.
    start : str or None
        대상마다 처음 처치받은 시점의 열(처치받지 않았으면 빈칸). 없으면 처치 열에서 만듭니다.
    anticipation : int
        처치 앞의 몇 시점을 비교에서 뺄지.
    """

    key: ClassVar[str] = "panel"
    about: ClassVar[str] = "같은 대상을 여러 시점에 본 패널"
    repeats_units: ClassVar[bool] = True
    counts_arms: ClassVar[bool] = True
    not_randomized: ClassVar[str] = (
        "무작위로 고른 지역의 실험도 여러 시점을 보았으면 패널로 분석하므로 randomized(와 probability)를 지우세요. 시점 하나만 견주려면 panel을 지우세요."
    )
    absorbs: ClassVar[str] = "대상과 시점의 차이는 설계가 이미 빼고 견줍니다."
    schema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["unit", "time"],
        "properties": {
            "unit": {"description": "대상(가게, 지역)의 열", **_COLUMN},
            "time": {"description": "시점의 열. 정수이거나 날짜", **_COLUMN},
            "start": {"description": "대상마다 처음 처치받은 시점의 열. 받지 않았으면 빈칸", **_COLUMN},
            "anticipation": {
                "description": "처치 앞의 몇 시점을 비교에서 뺄지",
                "type": "integer",
                "minimum": 0,
                "maximum": 100,
            },
        },
    }

    unit: str
    time: str
    start: str | None = None
    anticipation: int = 0

    def roles(self) -> tuple[Role, ...]:
        found = [Role("panel.unit", self.unit, "단위"), Role("panel.time", self.time, "시점")]
        return (*found, Role("panel.start", self.start, "처음 처치받은 시점")) if self.start else tuple(found)

    def unit_column(self) -> str | None:
        return self.unit

    def validate(self, spec: Spec) -> None:
        if self.unit == self.time:
            raise spec.error(
                SpecError,
                "panel_same_column",
                "panel.time",
                "패널의 대상과 시점이 같은 열입니다.",
                "대상(가게, 지역)과 시점(주, 달)의 열을 따로 적으세요.",
            )
        if spec.unit != self.unit:
            raise spec.error(
                SpecError,
                "panel_unit",
                "unit",
                f"unit('{spec.unit}')과 panel.unit('{self.unit}')이 다릅니다.",
                "unit을 지우거나 같게 적으세요.",
            )
        if spec.treatment.kind == "continuous" and (self.start or self.anticipation):
            key = "panel.start" if self.start else "panel.anticipation"
            raise spec.error(
                SpecError,
                "panel_dose_start",
                key,
                f"{josa(spec.both(key, 'treatment.kind'), '을/를')} 함께 적었습니다. 용량은 켜지는 시점이 따로 없어 쓰지 않습니다.",
                f"{key}를 지우거나, 켜지고 꺼지는 처치이면 kind를 binary로 적으세요.",
            )
        if spec.treatment.kind == "multi":
            raise spec.error(
                SpecError,
                "panel_kind",
                "treatment.kind",
                "패널 설계는 값이 여럿인 처치를 다루지 않습니다.",
                "견줄 두 값만 남긴 binary로 바꾸세요.",
            )

    def may_be_empty(self) -> set[str]:
        return {self.start} if self.start else set()

    def _one_spelling(self, spec: Spec, frame: pd.DataFrame) -> None:
        """대소문자나 빈칸, 전각만 다른 두 이름이 한 번도 같은 시점에 없으면, 한 대상을 두 가지로 적은 것입니다."""
        if frame[self.unit].dtype.kind in "biufM" or self.unit in spec.categories:
            return
        cells = frame[[self.unit, self.time]].dropna().drop_duplicates()
        folded = folded_names(cells[self.unit])
        twice = cells[self.unit].groupby(folded).nunique()
        alone = cells.groupby([folded, cells[self.time]]).size().groupby(level=0).max() == 1
        if found := sorted(twice.index[(twice > 1) & alone.reindex(twice.index)]):
            both = sorted(cells.loc[folded == found[0], self.unit].unique())
            code = folded_code(self.unit, cells[self.unit])
            raise spec.error(
                DataError, "unit_spelled_twice", "panel.unit",
                f"대소문자나 빈칸, 전각만 다른 이름이 {len(found):,}개 있고 같은 시점에 함께 나오지 않습니다(예: {both[0]}, {both[1]}). 한 대상을 두 가지로 적은 것으로 보입니다.",
                f"한 대상이면 {rewriting(spec, {self.unit: code})}으세요. 다른 대상이면 명세에 `categories: [{quoted(self.unit)}]`를 적으세요.",
            )  # fmt: skip

    def encode(self, spec: Spec, frame: pd.DataFrame) -> list[str]:
        """시점을 정수로(날짜이면 1부터의 차례로) 바꾸고, 대상과 시점마다 한 행인지 봅니다."""
        encode_periods(spec, frame, self.key, self.time, self.start)
        self._one_spelling(spec, frame)
        self._require_repeats(spec, frame)
        twice = frame.duplicated([self.unit, self.time])
        if twice.any():
            row = frame.astype({self.unit: object}).loc[twice.idxmax()]
            raise spec.error(
                DataError, "duplicate_unit_time", "panel",
                f"같은 대상과 시점의 행이 {int(twice.sum()):,}개 더 있습니다(예: {self.unit}={row[self.unit]}, {self.time}={row[self.time]:g}).",
                "대상과 시점마다 한 행이 되게 모으세요(`sql:`의 GROUP BY).",
            )  # fmt: skip
        return []

    def _require_repeats(self, spec: Spec, frame: pd.DataFrame) -> None:
        """대상이 시점마다 다른 사람이면 패널이 아니라 반복 횡단면입니다."""
        rows = frame.groupby(self.unit, observed=True)[self.time].nunique()
        once = float((rows == 1).mean())
        if len(rows) > 20 and once > 0.9 and frame[self.time].nunique() > 1:
            raise spec.error(
                DataError, "repeated_cross_sections", "panel.unit",
                f"'{self.unit}' {len(rows):,}개 가운데 {once:.0%}가 한 시점에만 나옵니다. 시점마다 다른 사람을 본 반복 횡단면이고, 패널이 아닙니다.",
                f"panel 대신 `cross_sections: {{group: 집단, time: {self.time}}}`라고 적고, 집단에는 처치가 정해진 단위(도시, 가게)의 열을 적으세요. "
                "처치받은 집단과 받지 않은 집단이 둘씩은 있어야 합니다. 같은 사람을 되풀이해 보았으면 그 사람의 번호를 panel.unit에 적으세요.",
            )  # fmt: skip

    def inspect(self, spec: Spec, frame: pd.DataFrame) -> list[str]:
        """대상과 시점의 차례로 놓고, 처치가 켜지는 꼴이 맞는지 봅니다."""
        unit, time, t = self.unit, self.time, spec.treatment
        periods, units = frame[time].nunique(), frame[unit].nunique()
        if periods < 2:
            raise spec.error(
                DataError, "panel_one_period", "panel.time", "시점이 하나뿐입니다.", "처치 앞뒤의 시점을 함께 두세요."
            )
        if units < 2:
            raise spec.error(
                DataError,
                "panel_one_unit",
                "panel.unit",
                "대상이 하나뿐입니다.",
                "처치받지 않은 대상의 기록을 함께 두세요.",
            )
        frame.sort_values([unit, time], kind="stable", inplace=True)
        frame.reset_index(drop=True, inplace=True)
        if t.kind == "binary":
            self._inspect_switch(spec, frame)
        self._one_cluster(spec, frame)
        self._total_unit(spec, frame)
        notices = check_start(spec, frame, self.key, unit, time, self.start)
        holes = units * periods - len(frame)
        return notices + (
            [f"패널에 빠진 칸이 {holes:,}개 있습니다(대상 {units:,} × 시점 {periods:,})."] if holes else []
        )

    def _one_cluster(self, spec: Spec, frame: pd.DataFrame) -> None:
        """대상은 한 군집에만 듭니다. 시점마다 바뀌는 열은 처치를 정한 단위가 아닙니다."""
        cluster = spec.treatment.cluster
        if cluster is None:
            return
        moves = frame.groupby(self.unit, observed=True)[cluster].nunique() > 1
        if moves.any():
            both = josa(spec.both("treatment.cluster", "panel.unit"), "이/가")
            raise spec.error(
                DataError, "cluster_moves", "treatment.cluster",
                f"{both} 어긋납니다. 한 대상('{self.unit}') 안에서 처치를 정한 단위 '{cluster}'이(가) 시점마다 바뀝니다(대상 {int(moves.sum()):,}개).",
                f"대상보다 크거나 같고 시점마다 그대로인 단위(가게가 속한 지역)를 적으세요. 그런 단위가 없으면 `cluster: {quoted(self.unit)}`처럼 대상을 적으세요.",
            )  # fmt: skip

    def _total_unit(self, spec: Spec, frame: pd.DataFrame) -> None:
        """모든 시점에서 나머지 대상의 합이나 평균과 같은 대상은 합계 줄입니다. 견줄 대상으로 쓰면 답이 흔들립니다."""
        y = spec.outcome.column
        if y in spec.numbers:
            return
        wide = frame.pivot(index=self.unit, columns=self.time, values=y)
        seen, n = wide.notna(), len(wide)
        if wide.shape[1] < 3 or n < 4:
            return
        rest = wide.sum() - wide.fillna(0)  # 대상마다, 나머지의 합
        scale = wide.abs().max().max() * 1e-6
        for what, other in (("합", rest), ("평균", rest / (seen.sum() - seen).clip(lower=1))):
            same = ((wide - other).abs() <= np.maximum(other.abs() * 1e-4, scale)) | ~seen
            found = same.index[same.all(axis=1) & (seen.sum(axis=1) >= 3) & (wide.std(axis=1) > 0)]
            if len(found) == 1:
                raise spec.error(
                    DataError, "total_unit", "panel.unit",
                    f"대상 '{found[0]}'의 '{y}'이(가) 모든 시점에서 나머지 대상의 {josa(what, '과/와')} 같습니다. 합계나 평균의 줄로 보입니다.",
                    f"원본에서 그 대상의 줄을 지우세요. 정말 그런 대상이면 명세에 `numbers: [{quoted(y)}]`를 적으세요.",
                )  # fmt: skip

    def _inspect_switch(self, spec: Spec, frame: pd.DataFrame) -> None:
        unit, time, t = self.unit, self.time, spec.treatment.column
        if (frame.groupby(unit)[t].diff() < 0).any():
            raise spec.error(
                DataError, "treatment_reverses", "treatment.column", f"처치 '{t}'이(가) 켜졌다가 꺼지는 대상이 있습니다.",
                "이중차분법은 한 번 켜지면 이어지는 처치를 봅니다. 처음 켜진 뒤를 1로 두거나 그 대상을 빼세요.",
            )  # fmt: skip
        if frame[frame[time] == frame[time].min()].groupby(unit)[t].max().mean() == 1:
            raise spec.error(
                DataError,
                "panel_no_before",
                "panel.time",
                "모든 대상이 첫 시점부터 처치받았습니다.",
                "처치 앞의 시점을 함께 두세요.",
            )
        if (frame.groupby(unit, observed=True)[t].nunique() == 1).all() and frame[time].nunique() > 1:
            how = " 처치가 시작된 시점의 열이 있으면 panel.start에도 적으세요."
            if self.start:
                when, begun = sql_name(time), sql_name(self.start)
                switched = {t: f"CAST({when} >= {begun} AND {begun} IS NOT NULL AS INTEGER)"}
                how = f" 처음 처치받은 시점이 있으므로 {rewriting(spec, switched)}고 treatment의 control과 treated를 0과 1로 두면 됩니다."
            raise spec.error(
                DataError, "treatment_never_switches", "treatment.column",
                f"처치 '{t}'이(가) 어느 대상에서도 바뀌지 않습니다. 처치받은 집단이면 앞뒤 모두 1로 적은 집단의 표시로 보입니다.",
                f"처치받기 앞의 시점은 0, 받은 뒤는 1로 적은 열을 쓰세요.{how}",
            )  # fmt: skip
        if (frame.groupby(time)[t].min() == 1).all():
            raise spec.error(
                DataError,
                "panel_no_control",
                "panel",
                "처치받지 않은 대상이 한 시점에도 없습니다.",
                "처치받지 않았거나 늦게 받은 대상을 함께 두세요.",
            )

    def encoding_code(self, spec: Spec) -> list[str]:
        return [
            *periods_code(self.time, self.start),
            *never_treated_code(spec, self.unit, self.time, self.start),
            f'frame = frame.sort_values([{self.unit!r}, {self.time!r}], kind="stable").reset_index(drop=True)',
        ]


def start_times(
    frame: pd.DataFrame, unit: str, time: str, treatment: str, treated: object, start: str | None = None
) -> pd.Series:
    """대상마다 처치가 시작된 시점. 받지 않았으면 빈칸입니다(pandas.Series, 대상이 이름표)."""
    if start is not None:
        return frame.groupby(unit, observed=True)[start].first()
    on = frame[frame[treatment] == treated]
    return on.groupby(unit, observed=True)[time].min().reindex(frame[unit].unique())


def wide_panel(
    frame: pd.DataFrame, unit: str, time: str, outcome: str, starts: pd.Series
) -> tuple[pd.DataFrame, np.ndarray]:
    """(대상 × 시점) 표(보지 못한 칸은 빈칸)와, 처치가 시작된 열의 번호. 처치 앞을 한 번도 보지 못한 대상은 뺍니다."""
    wide = frame.pivot_table(index=unit, columns=time, values=outcome, aggfunc="mean", observed=True).sort_index()
    start = np.searchsorted(wide.columns.to_numpy(), starts.reindex(wide.index).fillna(np.inf).to_numpy(dtype=float))
    before = (wide.notna().to_numpy() & (np.arange(wide.shape[1])[None, :] < start[:, None])).any(axis=1)
    return wide[before], start[before]


def start_arguments(spec: Spec) -> dict[str, Any]:
    """``start_times``에 넘길 명세의 이름들. 셈과 노트북이 함께 씁니다."""
    panel = Panel.of(spec)
    return {
        "unit": panel.unit,
        "time": panel.time,
        "treatment": spec.treatment.column,
        "treated": spec.treatment.treated,
        "start": panel.start,
    }


def treated_units(spec: Spec, frame: pd.DataFrame) -> int:
    """처치를 한 번이라도 받은 대상의 수."""
    return int(start_times(frame, **start_arguments(spec)).notna().sum())


def first_rows(frame: pd.DataFrame, panel: Panel, units: np.ndarray) -> pd.DataFrame:
    """대상마다의 첫 시점의 행. ``units``의 차례입니다."""
    return frame.sort_values(panel.time).groupby(panel.unit, observed=True).first().reindex(units)


def require_treated(spec: Spec, frame: pd.DataFrame) -> None:
    """처치받은 대상이 하나라도 있는지.

    Raises
    ------
    DataError
    """
    if treated_units(spec, frame) == 0:
        raise spec.error(
            DataError,
            "no_treated_unit",
            "panel",
            "패널에 처치받은 대상이 하나도 없습니다.",
            "treatment.treated의 값이나 panel.start 열이 자료와 맞는지 확인하세요.",
        )
