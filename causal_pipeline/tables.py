"""자료를 읽고 살핍니다. CSV, 파케이, DuckDB의 표와 SQL을 명세의 폴더 안에서만 읽습니다.

조용히 고치는 일은 없습니다. 빈칸을 빼거나 표본을 뽑는 일은 명세가 시킬 때에만 하고, 한 일은 ``notices``에 남깁니다.
"""

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from causal_pipeline.errors import DataError
from causal_pipeline.model import Spec
from causal_pipeline.spec import covariates, source_path, used_columns
from causal_pipeline.wording import josa, names, near

if TYPE_CHECKING:
    import pandas as pd

MAX_ROWS = 2_000_000
MIN_ROWS = 20
MIN_ARM = 5
MAX_LEVELS = 30
_CHUNK = 500_000


@dataclass(frozen=True)
class Table:
    """읽고 살핀 자료.

    Attributes
    ----------
    frame : pandas.DataFrame
        명세가 말하는 열만. 이진 처치는 0과 1, 글자 공변량은 category, 빈칸은 없습니다(``panel.start``만 비어 있을 수 있습니다).
    notices : tuple of str
        뺀 행, 뽑은 표본처럼 읽으며 한 일.
    digest : str
        자료 파일의 SHA-256.
    """

    frame: "pd.DataFrame"
    notices: tuple[str, ...]
    digest: str


def load(spec: Spec) -> Table:
    """명세가 가리키는 자료를 읽고 살핍니다.

    Raises
    ------
    DataError
        읽을 수 없거나 명세와 어긋날 때. 고치는 법이 함께 있습니다.
    """
    path = source_path(spec)
    _check_file(spec, path)
    raw, notices = _read(spec, path)
    frame, more = prepare(spec, raw)
    return Table(frame, (*notices, *more), file_digest(path))


def file_digest(path: Path) -> str:
    """파일의 SHA-256. 큰 파일도 나누어 읽습니다."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def frame_digest(frame: "pd.DataFrame") -> str:
    """표의 내용에서 만든 SHA-256."""
    import pandas as pd

    h = hashlib.sha256(repr([(c, str(frame[c].dtype)) for c in frame.columns]).encode())
    h.update(pd.util.hash_pandas_object(frame, index=True).to_numpy().tobytes())
    return h.hexdigest()


def _stop(spec: Spec, code: str, where: str, message: str, remedy: str) -> DataError:
    line = None
    while where and line is None:
        line = spec.lines.get(where)
        where = where.rpartition(".")[0]
    return DataError(code, message, remedy, line)


# --- 파일 ---


def _check_file(spec: Spec, path: Path) -> None:
    shown = spec.source.path
    if path.is_dir():
        raise _stop(spec, "data_is_folder", "data.path", f"'{shown}'은(는) 폴더입니다.", "폴더 속 파일 하나의 자리를 적으세요.")
    if not path.is_file():
        nearby = [p.name for p in path.parent.iterdir() if p.is_file() and p.suffix == path.suffix] if path.parent.is_dir() else []
        remedy = near(path.name, sorted(nearby)) if nearby else "명세가 놓인 폴더에서 본 상대 경로인지 보세요."
        raise _stop(spec, "data_missing", "data.path", f"자료 파일 '{shown}'이(가) 없습니다.", remedy)
    try:
        with path.open("rb") as file:
            head = file.read(1)
    except PermissionError:
        raise _stop(spec, "data_not_readable", "data.path", f"'{shown}'을(를) 읽을 권한이 없습니다.", "파일의 읽기 권한을 켜세요.") from None
    if not head:
        raise _stop(spec, "data_empty", "data.path", f"자료 파일 '{shown}'이(가) 비어 있습니다(0바이트).", "자료를 다시 내보내세요.")


def _read(spec: Spec, path: Path) -> tuple["pd.DataFrame", tuple[str, ...]]:
    kind = path.suffix.lower()
    if spec.source.sql or kind in {".duckdb", ".db"}:
        columns, rows, chunks = _duckdb(spec, path)
    elif kind == ".parquet":
        columns, rows, chunks = _parquet(spec, path)
    else:
        columns, rows, chunks = _csv(spec, path)
    wanted = _known(spec, columns)
    return _collect(spec, wanted, rows, chunks)


def _known(spec: Spec, columns: list[str]) -> list[str]:
    """명세가 말하는 열이 모두 자료에 있는지 보고, 자료의 차례로 돌려줍니다."""
    wanted = used_columns(spec)
    for column in sorted(wanted - set(columns)):
        where = _where(spec, column)
        hint = " 재지 못한 변수이면 graph.hidden에 적으세요." if where.startswith("graph") else ""
        raise _stop(spec, "column_unknown", where, f"'{column}' 열이 자료에 없습니다.", near(column, columns) + hint)
    for column in spec.hidden:
        if column in columns:
            raise _stop(
                spec, "hidden_in_data", "graph.hidden", f"재지 못했다고(hidden) 한 '{column}' 열이 자료에 있습니다.",
                "쟀으면 hidden에서 빼고, 써서는 안 되는 값이면 그래프의 이름을 바꾸세요.",
            )  # fmt: skip
    return [c for c in columns if c in wanted]


def _where(spec: Spec, column: str) -> str:
    """열이 적힌 명세의 자리."""
    t = spec.treatment
    single = {
        "treatment.column": t.column, "outcome.column": spec.outcome.column, "unit": spec.unit, "treatment.cluster": t.cluster,
        "treatment.probability": t.probability, "instrument": spec.instrument,
        "running.column": spec.running and spec.running.column, "panel.unit": spec.panel and spec.panel.unit,
        "panel.time": spec.panel and spec.panel.time, "panel.start": spec.panel and spec.panel.start,
    }  # fmt: skip
    for where, name in single.items():
        if name == column:
            return where
    lists = {
        "confounders": spec.confounders, "modifiers": spec.modifiers,
        "negative_controls.outcomes": spec.negative_outcomes, "negative_controls.treatments": spec.negative_treatments,
    }  # fmt: skip
    for where, many in lists.items():
        if column in many:
            return f"{where}.{many.index(column)}"
    return "graph.edges"


def _csv(spec: Spec, path: Path) -> tuple[list[str], int | None, Any]:
    import pandas as pd

    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            header, first = next(reader, []), next(reader, [])
    except UnicodeDecodeError:
        raise _not_utf8(spec) from None
    except csv.Error:
        raise _stop(spec, "data_binary", "data.path", "CSV로 읽을 수 없는 파일입니다.", "글자로 된 CSV로 다시 내보내세요.") from None
    if any("\x00" in name for name in header):
        raise _stop(spec, "data_binary", "data.path", "CSV라고 했는데 글자 파일이 아닙니다.", "엑셀 파일이면 'CSV UTF-8'로 저장하세요.")
    if not any(name.strip() for name in header):
        raise _stop(spec, "header_missing", "data.path", "첫 줄에 열 이름이 없습니다.", "첫 줄에 열 이름을 적으세요.")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise _stop(spec, "header_duplicate", "data.path", f"같은 열 이름이 두 번 있습니다: {names(twice)}.", "열 이름을 서로 다르게 고치세요.")

    if len(first) > len(header):  # pandas는 첫 열을 이름표로 밀어 넣고 조용히 읽습니다
        raise _broken_csv(spec, "2번째 줄")

    def chunks(columns: list[str]) -> Iterator["pd.DataFrame"]:
        try:
            # usecols를 주면 쉼표가 남는 줄을 조용히 잘라 읽습니다. 모두 읽고 고릅니다
            with pd.read_csv(path, encoding="utf-8-sig", chunksize=_CHUNK, low_memory=False) as reader:
                for part in reader:
                    yield part[columns]
        except UnicodeDecodeError:
            raise _not_utf8(spec) from None
        except pd.errors.EmptyDataError:
            raise _stop(spec, "header_missing", "data.path", "첫 줄에 열 이름이 없습니다.", "첫 줄에 열 이름을 적으세요.") from None
        except pd.errors.ParserError as error:
            raise _broken_csv(spec, _parser_line(error)) from None

    rows = None
    if spec.source.sample is not None:  # 뽑을 자리를 정하려면 행의 수를 먼저 알아야 합니다
        try:
            with pd.read_csv(path, encoding="utf-8-sig", usecols=header[:1], chunksize=_CHUNK) as reader:
                rows = sum(len(part) for part in reader)
        except UnicodeDecodeError:
            raise _not_utf8(spec) from None
        except pd.errors.ParserError as error:
            raise _broken_csv(spec, _parser_line(error)) from None
    return header, rows, chunks


def _parser_line(error: Exception) -> str:
    import re

    found = re.search(r"line (\d+)", str(error))
    return f"{found.group(1)}번째 줄" if found else "줄을 알 수 없음"


def _broken_csv(spec: Spec, which: str) -> DataError:
    return _stop(
        spec, "csv_broken", "data.path", f"CSV의 어느 줄이 열의 수와 맞지 않습니다({which}).",
        "글 속의 쉼표를 따옴표로 감싸고, 닫히지 않은 따옴표가 없는지 보세요.",
    )  # fmt: skip


def _not_utf8(spec: Spec) -> DataError:
    return _stop(
        spec, "data_not_utf8", "data.path", "자료가 UTF-8이 아닙니다(엑셀의 CP949일 때가 많습니다).",
        "엑셀이면 'CSV UTF-8'로 저장하고, 명령으로는 `iconv -f cp949 -t utf-8 옛.csv > 새.csv`로 바꾸세요.",
    )  # fmt: skip


def _parquet(spec: Spec, path: Path) -> tuple[list[str], int, Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError):
        raise _stop(spec, "parquet_broken", "data.path", "파케이로 읽을 수 없는 파일입니다.", "파일이 다 쓰였는지, 확장자가 맞는지 보세요.") from None

    def chunks(columns: list[str]) -> Iterator["pd.DataFrame"]:
        for batch in file.iter_batches(_CHUNK, columns=columns):
            yield batch.to_pandas()

    return list(file.schema_arrow.names), file.metadata.num_rows, chunks


def _duckdb(spec: Spec, path: Path) -> tuple[list[str], int, Any]:
    import duckdb

    source, kind = spec.source, path.suffix.lower()
    where = "data.sql" if source.sql else "data.table"
    try:
        con = duckdb.connect(str(path), read_only=True) if kind in {".duckdb", ".db"} else duckdb.connect()
    except duckdb.Error:
        raise _stop(spec, "duckdb_broken", "data.path", "DuckDB 파일로 열 수 없습니다.", "다른 프로그램이 쓰고 있지 않은지, DuckDB로 만든 파일인지 보세요.") from None
    con.execute("SET threads = 1")  # 행의 차례가 늘 같게 합니다
    if kind == ".csv":
        _csv(spec, path)  # 부호와 열 이름을 먼저 봅니다
        try:
            con.from_csv_auto(str(path), header=True).to_table("data")
        except duckdb.Error as error:
            first = str(error).splitlines()[0].replace(str(path), source.path)
            raise _stop(spec, "csv_broken", "data.path", f"CSV를 읽지 못했습니다: {first[:200]}", "줄마다 쉼표의 수가 같은지, 따옴표의 짝이 맞는지 보세요.") from None
    elif kind == ".parquet":
        _parquet(spec, path)
        con.from_parquet(str(path)).to_table("data")
    con.execute("SET enable_external_access = false")  # SQL이 다른 파일과 네트워크를 읽지 못합니다
    con.execute("SET lock_configuration = true")
    if source.table:
        tables = [row[0] for row in con.execute("SELECT table_name FROM information_schema.tables ORDER BY 1").fetchall()]
        if source.table not in tables:
            raise _stop(spec, "table_unknown", where, f"'{source.table}' 표가 없습니다.", near(source.table, tables))
        query = f'SELECT * FROM "{source.table.replace(chr(34), chr(34) * 2)}"'
    else:
        query = _one_select(spec, con)
    try:
        columns = [row[0] for row in con.execute(f"DESCRIBE ({query})").fetchall()]
        rows = con.execute(f"SELECT count(*) FROM ({query})").fetchall()[0][0]
    except duckdb.PermissionException:
        raise _stop(spec, "sql_outside", where, "SQL이 다른 파일이나 주소를 읽으려 했습니다.", "data.path의 자료만 쓰세요. CSV와 파케이는 data라는 표입니다.") from None
    except duckdb.Error as error:
        first = str(error).splitlines()[0]
        raise _stop(spec, "sql_error", where, f"SQL을 돌리지 못했습니다: {first[:200]}", "DuckDB의 문법과 표, 열의 이름을 보세요.") from None
    twice = sorted({c for c in columns if columns.count(c) > 1})
    if twice:
        raise _stop(spec, "header_duplicate", where, f"같은 열 이름이 두 번 있습니다: {names(twice)}.", "AS로 이름을 다르게 하세요.")

    def chunks(wanted: list[str]) -> Iterator["pd.DataFrame"]:
        picked = ", ".join('"' + c.replace('"', '""') + '"' for c in wanted)
        try:
            for batch in con.sql(f"SELECT {picked} FROM ({query})").to_arrow_reader(_CHUNK):
                yield batch.to_pandas()
        finally:
            con.close()

    return columns, rows, chunks


def _one_select(spec: Spec, con: Any) -> str:
    import duckdb

    try:
        statements = con.extract_statements(spec.source.sql)
    except duckdb.Error as error:
        first = str(error).splitlines()[0]
        raise _stop(spec, "sql_error", "data.sql", f"SQL을 읽을 수 없습니다: {first[:200]}", "DuckDB의 문법을 보세요.") from None
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise _stop(spec, "sql_not_select", "data.sql", "sql에는 SELECT 하나만 쓸 수 있습니다.", "표를 만들거나 고치는 문장을 빼고 SELECT 하나만 남기세요.")
    return statements[0].query.strip().rstrip(";")


def _collect(spec: Spec, columns: list[str], rows: int | None, chunks: Any) -> tuple["pd.DataFrame", tuple[str, ...]]:
    """조각을 이어 붙입니다. 표본을 뽑으라고 했으면 씨앗대로 뽑습니다."""
    import numpy as np
    import pandas as pd

    sample = spec.source.sample
    if sample is None and rows is not None and rows > MAX_ROWS:
        raise _too_many(spec, rows)
    if sample is not None and sample > rows:
        raise _stop(spec, "sample_too_large", "data.sample", f"자료는 {rows:,}행인데 {sample:,}행을 뽑으라고 했습니다.", "sample을 줄이거나 지우세요.")
    chosen = np.sort(np.random.default_rng(spec.seed).choice(rows, sample, replace=False)) if sample is not None else None
    parts, start = [], 0
    for part in chunks(columns):
        if chosen is not None:
            low, high = np.searchsorted(chosen, [start, start + len(part)])
            parts.append(part.iloc[chosen[low:high] - start])
        else:
            parts.append(part)
        start += len(part)
        if chosen is None and start > MAX_ROWS:
            raise _too_many(spec, None)
    if start == 0:
        raise _stop(spec, "data_no_rows", "data.path", "열 이름만 있고 행이 없습니다.", "자료를 다시 내보내거나 SQL의 조건을 보세요.")
    frame = pd.concat(parts, ignore_index=True)
    notices = (f"{rows:,}행에서 {sample:,}행을 씨앗 {spec.seed}로 무작위로 뽑았습니다.",) if sample is not None else ()
    return frame, notices


def _too_many(spec: Spec, rows: int | None) -> DataError:
    many = f"{rows:,}행" if rows else f"{MAX_ROWS:,}행보다 많은 행"
    return _stop(
        spec, "too_many_rows", "data", f"자료가 {many}입니다. 한 번에 {MAX_ROWS:,}행까지 봅니다.",
        "`sample: 500000`으로 표본을 뽑거나, `sql:`에서 단위별로 모으세요. 조용히 줄이지는 않습니다.",
    )  # fmt: skip


# --- 내용 ---


def prepare(spec: Spec, raw: "pd.DataFrame") -> tuple["pd.DataFrame", tuple[str, ...]]:
    """표를 살피고, 단계들이 쓰는 꼴로 바꿉니다. ``raw``는 바꾸지 않습니다.

    Returns
    -------
    pandas.DataFrame
        이진 처치는 0과 1(1이 ``treated``), 참거짓은 0과 1, 글자 공변량은 category, 날짜인 시점은 1부터의 차례.
    tuple of str
        한 일(뺀 행 따위).

    Raises
    ------
    DataError
        명세와 어긋나거나 분석할 수 없는 자료일 때.
    """
    if raw.columns.duplicated().any():
        twice = sorted(set(raw.columns[raw.columns.duplicated()]))
        raise _stop(spec, "header_duplicate", "data", f"같은 열 이름이 두 번 있습니다: {names(twice)}.", "열 이름을 서로 다르게 고치세요.")
    frame = raw[_known(spec, list(raw.columns))].copy()
    if frame.empty:
        raise _stop(spec, "data_no_rows", "data.path", "행이 없습니다.", "자료를 다시 내보내세요.")
    frame, notices = _missing(spec, frame)
    _enough(spec, frame)
    _infinite(spec, frame)
    _outcome(spec, frame)
    if spec.panel:
        _time(spec, frame)
    _units(spec, frame)
    _treatment(spec, frame)
    _design_columns(spec, frame)
    notices += _covariates(spec, frame)
    if spec.panel:
        notices += _panel(spec, frame)
    return frame.reset_index(drop=True), tuple(notices)


def _may_be_empty(spec: Spec) -> set[str]:
    return {spec.panel.start} if spec.panel and spec.panel.start else set()


def _missing(spec: Spec, frame: "pd.DataFrame") -> tuple["pd.DataFrame", list[str]]:
    columns = [c for c in frame.columns if c not in _may_be_empty(spec)]
    empty = frame[columns].isna()
    counts = empty.sum()
    bad = [c for c in columns if counts[c]]
    if not bad:
        return frame, []
    for column in bad:
        if counts[column] == len(frame):
            raise _stop(spec, "column_empty", _where(spec, column), f"'{column}' 열이 모두 비어 있습니다.", "다른 열을 적거나 자료를 다시 내보내세요.")
    listed = ", ".join(f"'{c}' {counts[c]:,}개" for c in bad[:6])
    rows = int(empty.any(axis=1).sum())
    if spec.source.missing == "refuse":
        first = int(empty.any(axis=1).to_numpy().argmax())
        raise _stop(
            spec, "missing_values", _where(spec, bad[0]), f"빈칸(NaN)이 있습니다: {listed}. 첫 빈칸은 {first + 1}번째 행입니다.",
            f"빈칸을 채우거나, data에 `missing: drop`을 적어 {rows:,}행을 빼고 분석하세요. 빠진 까닭이 처치나 결과와 이어지면 답이 달라집니다.",
        )  # fmt: skip
    y = spec.outcome.column
    kept_empty = [y] if spec.treatment.randomized and not spec.panel else []  # 실험에서는 사라진 결과가 한쪽에 몰렸는지 봅니다
    if spec.source.missing == "flag":
        kept_empty += [c for c in covariates(spec) if c not in spec.negative_outcomes and c not in spec.negative_treatments]
    must = [c for c in columns if c not in kept_empty]
    gone = empty[must].any(axis=1)
    kept = frame[~gone].reset_index(drop=True)
    if kept.empty or kept[y].isna().all():
        raise _stop(spec, "missing_everywhere", "data.missing", "빈칸이 있는 행을 빼면 아무것도 남지 않습니다.", "빈칸이 많은 열을 명세에서 빼세요.")
    notices = []
    if gone.any():
        listed = ", ".join(f"'{c}' {counts[c]:,}개" for c in bad if c in must)
        notices.append(f"빈칸이 있는 {int(gone.sum()):,}행을 뺐습니다({listed}). 남은 행은 {len(kept):,}개입니다.")
    for column in (c for c in bad if c in kept_empty):
        what = "결과가 빈 행은 추정에서 빠지고, 어느 쪽에 몰렸는지 점검합니다" if column == y else "빈칸은 가운데 값과 빈칸 표시로 바꾸어 보정합니다"
        notices.append(f"'{column}'의 빈칸 {counts[column]:,}개를 남겨 두었습니다. {what}.")
    return kept, notices


def _enough(spec: Spec, frame: "pd.DataFrame") -> None:
    if len(frame) < MIN_ROWS:
        raise _stop(spec, "too_few_rows", "data", f"행이 {len(frame)}개뿐입니다.", f"적어도 {MIN_ROWS}행이 있어야 합니다. 더 오래, 더 많은 대상에서 모으세요.")


def _infinite(spec: Spec, frame: "pd.DataFrame") -> None:
    import numpy as np

    for column in frame.columns:
        if frame[column].dtype.kind == "f":
            infinite = np.isinf(frame[column].to_numpy())
            if infinite.any():
                raise _stop(
                    spec, "infinite_values", _where(spec, column), f"'{column}' 열에 무한대(Inf)가 {int(infinite.sum()):,}개 있습니다. 첫째는 {int(infinite.argmax()) + 1}번째 행입니다.",
                    "0으로 나눈 비율이 아닌지 보고, 그 행의 값을 고치거나 비우세요.",
                )  # fmt: skip


def _numeric(spec: Spec, frame: "pd.DataFrame", column: str, role: str) -> None:
    """수가 아닌 열이면 무엇이 들었는지 보고 알맞은 잘못을 냅니다. 참거짓은 0과 1로 바꿉니다."""
    import pandas as pd

    values, where = frame[column].dropna(), _where(spec, column)
    if len(values) < len(frame) and values.dtype.kind in "biuf":
        frame[column] = frame[column].astype("float64")
        return
    if values.dtype.kind == "b":
        frame[column] = values.astype("int64")
        return
    if values.dtype.kind in "iuf":
        frame[column] = values.astype("float64" if values.dtype.kind == "f" else "int64")
        return
    if values.dtype.kind == "M":
        raise _stop(spec, "date_values", where, f"{role} '{column}'이(가) 날짜입니다.", "기준일부터 며칠인지처럼 수로 바꾼 열을 쓰세요.")
    text = values.astype(str).str.strip()
    numbers = pd.to_numeric(text, errors="coerce")
    plain = pd.to_numeric(text.str.replace(r"[,\s₩$원%]", "", regex=True), errors="coerce")
    if numbers.isna().any() and not numbers.isna().all() and plain.isna().any():
        bad = int(numbers.isna().to_numpy().argmax())
        raise _stop(
            spec, "mixed_types", where, f"{role} '{column}'에 수와 글자가 섞여 있습니다({bad + 1}번째 행: '{text.iloc[bad][:30]}').",
            "글자를 수로 바꾸거나 빈칸으로 두세요.",
        )  # fmt: skip
    if plain.notna().all():
        raise _stop(spec, "number_as_text", where, f"{role} '{column}'의 수가 글자로 적혀 있습니다(예: '{text.iloc[0][:30]}').", "쉼표와 단위를 뺀 수로 바꾸어 저장하세요.")
    if _dates(text) is not None:
        raise _stop(spec, "date_text", where, f"{role} '{column}'이(가) 글자로 적힌 날짜입니다(예: '{text.iloc[0][:30]}').", "기준일부터 며칠인지처럼 수로 바꾼 열을 쓰세요.")
    raise _stop(spec, "not_numeric", where, f"{role} '{column}'이(가) 수가 아닙니다(예: '{text.iloc[0][:30]}').", "수로 된 열을 적거나 0과 1로 바꾸세요.")


def _dates(text: "pd.Series") -> "pd.Series | None":
    """글자가 모두 날짜로 읽히면 날짜. 아니면 None."""
    import pandas as pd

    if not text.str.contains(r"\d{4}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}|^\d{8}$", regex=True).all():
        return None
    for form in (None, "%Y.%m.%d", "%Y%m%d"):
        found = pd.to_datetime(text, errors="coerce", format=form)
        if found.notna().all():
            return found
    return None


def _outcome(spec: Spec, frame: "pd.DataFrame") -> None:
    y = spec.outcome.column
    _numeric(spec, frame, y, "결과")
    frame[y] = frame[y].astype("float64")
    if frame[y].nunique() == 1:
        raise _stop(spec, "outcome_constant", "outcome.column", f"결과 '{y}'의 값이 모두 {frame[y].iloc[0]:g}입니다.", "값이 갈리는 결과를 적거나, 거른 조건을 보세요.")


def _time(spec: Spec, frame: "pd.DataFrame") -> None:
    """시점을 정수로. 날짜이면 차례(1부터)로 바꾸고 이름표를 남깁니다."""
    import pandas as pd

    column, start = spec.panel.time, spec.panel.start
    values = frame[column]
    if values.dtype.kind == "f" and (values == values.round()).all():
        frame[column] = values.astype("int64")
    elif values.dtype.kind not in "iu":
        dates = values if values.dtype.kind == "M" else None
        if dates is None and values.dtype.kind not in "fb":
            dates = _dates(values.astype(str).str.strip())
        if dates is None:
            raise _stop(
                spec, "time_not_ordered", "panel.time", f"시점 '{column}'이(가) 정수도 날짜도 아닙니다(예: '{values.iloc[0]}').",
                "1, 2, 3 같은 정수나 2026-01-05 같은 날짜로 바꾸세요.",
            )  # fmt: skip
        known = sorted(dates.unique())
        rank = {when: i + 1 for i, when in enumerate(known)}
        frame[column] = dates.map(rank).astype("int64")
        frame.attrs["time_labels"] = {i: str(pd.Timestamp(when).date()) for when, i in rank.items()}
        if start and frame[start].notna().any():
            given = frame[start].dropna()
            begun = given if given.dtype.kind == "M" else _dates(given.astype(str).str.strip())
            if begun is None:
                raise _stop(spec, "start_kind", "panel.start", f"시점은 날짜인데 처음 처치받은 시점 '{start}'은(는) 아닙니다.", "같은 꼴의 날짜로 적으세요.")
            later = {when: next((i for known_when, i in rank.items() if known_when >= when), len(rank) + 1) for when in begun.unique()}
            frame[start] = begun.map(later).astype("float64").reindex(frame.index)
    if start:
        if frame[start].dtype.kind not in "iuf":
            if frame[start].notna().any():
                raise _stop(spec, "start_kind", "panel.start", f"처음 처치받은 시점 '{start}'이(가) 시점과 같은 꼴의 수가 아닙니다.", "시점의 열과 같은 정수로 적고, 처치받지 않았으면 비우세요.")
        frame[start] = frame[start].astype("float64")


def _units(spec: Spec, frame: "pd.DataFrame") -> None:
    if spec.panel:
        keys = [spec.panel.unit, spec.panel.time]
        twice = frame.duplicated(keys)
        if twice.any():
            row = frame.loc[twice.idxmax(), keys]
            raise _stop(
                spec, "duplicate_unit_time", "panel", f"같은 대상과 시점의 행이 {int(twice.sum()):,}개 더 있습니다(예: {keys[0]}={row.iloc[0]}, {keys[1]}={row.iloc[1]}).",
                "대상과 시점마다 한 행이 되게 모으세요(`sql:`의 GROUP BY).",
            )  # fmt: skip
    elif spec.unit:
        twice = frame[spec.unit].duplicated()
        if twice.any():
            raise _stop(
                spec, "duplicate_units", "unit", f"'{spec.unit}'이(가) 같은 행이 {int(twice.sum()):,}개 더 있습니다(예: {frame[spec.unit][twice].iloc[0]}).",
                "단위마다 한 행이 되게 모으거나, 여러 시점이면 panel을 적으세요.",
            )  # fmt: skip


def _treatment(spec: Spec, frame: "pd.DataFrame") -> None:
    t = spec.treatment
    values = frame[t.column]
    if values.nunique() == 1:
        raise _stop(spec, "treatment_constant", "treatment.column", f"처치 '{t.column}'의 값이 모두 '{values.iloc[0]}'입니다.", "처치받지 않은 쪽의 자료도 함께 두세요.")
    if t.kind == "continuous":
        _numeric(spec, frame, t.column, "처치")
        frame[t.column] = frame[t.column].astype("float64")
        if frame[t.column].nunique() < 5:
            raise _stop(spec, "treatment_not_continuous", "treatment.kind", f"연속형 처치 '{t.column}'의 값이 {frame[t.column].nunique()}가지뿐입니다.", "kind를 binary나 multi로 바꾸세요.")
        low, high = frame[t.column].min(), frame[t.column].max()
        for key in ("control", "treated"):
            level = float(getattr(t, key))
            if not low <= level <= high:
                raise _stop(spec, "dose_outside", f"treatment.{key}", f"{key} {level:g}은(는) 자료의 범위({low:g}~{high:g}) 밖입니다.", "본 적 있는 값을 적으세요. 밖으로 늘려 잡은 효과는 모델의 상상입니다.")
        return
    levels = _levels(values)
    picked = {}
    for key in ("control", "treated"):
        wanted = getattr(t, key)
        match = [raw for raw, shown in levels.items() if _same(shown, wanted)]
        if not match:
            raise _stop(
                spec, "treatment_level_missing", f"treatment.{key}", f"처치 '{t.column}'에 {key} 값 '{wanted}'이(가) 없습니다.",
                f"자료에 있는 값은 {names(map(str, list(levels.values())), 8)}입니다. 그 가운데 하나를 적으세요.",
            )  # fmt: skip
        picked[key] = match[0]
    if t.kind == "binary":
        others = [shown for raw, shown in levels.items() if raw not in picked.values()]
        if others:
            raise _stop(
                spec, "treatment_too_many_levels", "treatment.kind", f"이진 처치 '{t.column}'에 다른 값도 있습니다: {names(map(str, others))}.",
                "kind를 multi로 바꾸거나, 견줄 두 값의 행만 남기세요.",
            )  # fmt: skip
        frame[t.column] = (values == picked["treated"]).astype("int64")
    else:
        if len(levels) > MAX_LEVELS:
            raise _stop(spec, "treatment_too_many_levels", "treatment.kind", f"처치 '{t.column}'의 값이 {len(levels)}가지입니다.", "수이면 kind를 continuous로 바꾸고, 아니면 비슷한 값을 묶으세요.")
        if values.dtype.kind == "b":
            frame[t.column] = values.astype("int64")
    if not spec.panel and not spec.running:
        counts = frame[t.column].value_counts()
        for key in ("control", "treated"):
            level = {"control": 0, "treated": 1}[key] if t.kind == "binary" else picked[key]
            if counts.get(level, 0) < MIN_ARM:
                arm = "대조군" if key == "control" else "실험군"
                raise _stop(
                    spec, "arm_too_small", f"treatment.{key}", f"{josa(arm, '이/가')} {counts.get(level, 0)}개뿐입니다.",
                    f"두 쪽에 적어도 {MIN_ARM}개씩 있어야 합니다. 처치받은 대상이 하나이면 앞뒤의 기록을 모아 panel(통제집단합성법)로 물으세요.",
                )  # fmt: skip


def _levels(values: "pd.Series") -> dict[Any, Any]:
    """자료의 값 → 보여 줄 값."""
    found = [v.item() if hasattr(v, "item") else v for v in values.unique()]
    return {v: (v.strip() if isinstance(v, str) else v) for v in sorted(found, key=lambda v: (str(type(v)), v))}


def _same(found: Any, wanted: Any) -> bool:
    """명세의 값과 자료의 값이 같은가. 1과 '1', 1.0, True를 같게 봅니다."""
    if found == wanted:
        return True
    try:
        return float(found) == float(wanted)
    except (TypeError, ValueError):
        return str(found) == str(wanted)


def _design_columns(spec: Spec, frame: "pd.DataFrame") -> None:
    import pandas as pd

    t = spec.treatment
    if isinstance(t.probability, str):
        _numeric(spec, frame, t.probability, "처치 확률")
        share = frame[t.probability]
        if not share.between(0, 1, inclusive="neither").all():
            raise _stop(spec, "probability_values", "treatment.probability", f"처치 확률 '{t.probability}'에 0과 1 사이가 아닌 값이 있습니다.", "퍼센트이면 100으로 나누고, 0이나 1이면 그 행은 견줄 짝이 없으니 빼세요.")
    if t.cluster:
        groups = frame[t.cluster].nunique()
        if groups < 4:
            raise _stop(spec, "too_few_clusters", "treatment.cluster", f"처치를 정한 단위 '{t.cluster}'이(가) {groups}개뿐입니다.", "군집이 넷보다 적으면 표준오차를 잴 수 없습니다. 더 많은 단위에서 모으세요.")
        frame[t.cluster] = pd.factorize(frame[t.cluster], sort=True)[0].astype("int64")
    if spec.instrument:
        column = spec.instrument
        values = frame[column]
        if values.nunique() == 1:
            raise _stop(spec, "instrument_constant", "instrument", f"도구변수 '{column}'의 값이 모두 '{values.iloc[0]}'입니다.", "값이 갈리는 도구변수를 적으세요.")
        if values.nunique() == 2 and values.dtype.kind not in "iuf":
            frame[column] = (values == sorted(values.unique())[1]).astype("int64")
        _numeric(spec, frame, column, "도구변수")
        if frame[column].nunique() == 2:
            frame[column] = (frame[column] == frame[column].max()).astype("int64")
    if spec.running:
        column, cutoff = spec.running.column, spec.running.cutoff
        _numeric(spec, frame, column, "배정변수")
        frame[column] = frame[column].astype("float64")
        for side, count in (("아래", int((frame[column] < cutoff).sum())), ("위", int((frame[column] >= cutoff).sum()))):
            if count < 10:
                raise _stop(
                    spec, "cutoff_outside", "running.cutoff", f"임곗값 {cutoff:g}의 {side}쪽에 {count}개뿐입니다(자료는 {frame[column].min():g}~{frame[column].max():g}).",
                    "임곗값이 맞는지, 한쪽만 내보낸 자료가 아닌지 보세요.",
                )  # fmt: skip


def _covariates(spec: Spec, frame: "pd.DataFrame") -> list[str]:
    t, y = spec.treatment.column, spec.outcome.column
    for column in covariates(spec):
        where, values = _where(spec, column), frame[column].dropna()
        if column in spec.negative_outcomes or column in spec.negative_treatments:
            _numeric(spec, frame, column, "음성 대조군")
            values = frame[column]
        if values.nunique() == 1 and not spec.panel:
            raise _stop(spec, "covariate_constant", where, f"'{column}'의 값이 모두 '{values.iloc[0]}'입니다.", f"명세에서 '{column}'을 빼세요. 아무것도 가르지 못합니다.")
        if values.dtype.kind in "biuf":
            _numeric(spec, frame, column, "공변량")
            if spec.treatment.kind == "binary" and not spec.panel and frame[column].nunique() == 2 and _copies(frame[column], frame[t]):
                raise _stop(spec, "covariate_is_treatment", where, f"'{column}'이(가) 처치 '{t}'과(와) 똑같이 움직입니다.", "처치를 다르게 적은 열입니다. 명세에서 빼세요.")
            if values.nunique() > 2 and not spec.panel and abs(frame[column].corr(frame[y])) > 0.99999:
                raise _stop(spec, "covariate_is_outcome", where, f"'{column}'이(가) 결과 '{y}'과(와) 똑같이 움직입니다.", "결과를 다르게 적은(또는 결과에서 만든) 열입니다. 명세에서 빼세요.")
            continue
        if values.dtype.kind == "M" or _dates(values.astype(str).str.strip()) is not None:
            raise _stop(spec, "date_covariate", where, f"'{column}'이(가) 날짜입니다(예: '{values.iloc[0]}').", "가입한 지 며칠처럼 처치 시점까지의 수로 바꾸세요.")
        levels = values.nunique()
        if levels > MAX_LEVELS:
            raise _stop(spec, "too_many_levels", where, f"글자 공변량 '{column}'의 값이 {levels:,}가지입니다.", f"번호나 주소처럼 대상마다 다른 값이면 빼고, 아니면 {MAX_LEVELS}가지 안으로 묶으세요.")
        text = values.astype(str).str.strip()
        frame[column] = text.reindex(frame.index).astype(pd_category(sorted(text.unique())))
    return []


def pd_category(levels: list[str]) -> Any:
    """차례가 정해진 category 형."""
    import pandas as pd

    return pd.CategoricalDtype(levels)


def _copies(a: "pd.Series", b: "pd.Series") -> bool:
    same = ((a == a.max()).to_numpy() == (b == b.max()).to_numpy()).mean()
    return bool(same in (0.0, 1.0))


def _panel(spec: Spec, frame: "pd.DataFrame") -> list[str]:
    unit, time, start, t = spec.panel.unit, spec.panel.time, spec.panel.start, spec.treatment
    periods, units = frame[time].nunique(), frame[unit].nunique()
    if periods < 2:
        raise _stop(spec, "panel_one_period", "panel.time", "시점이 하나뿐입니다.", "처치 앞뒤의 시점을 함께 두세요.")
    if units < 2:
        raise _stop(spec, "panel_one_unit", "panel.unit", "대상이 하나뿐입니다.", "처치받지 않은 대상의 기록을 함께 두세요.")
    frame.sort_values([unit, time], kind="stable", inplace=True)
    frame.reset_index(drop=True, inplace=True)
    if start and (frame.groupby(unit)[start].nunique(dropna=False) > 1).any():
        raise _stop(spec, "start_varies", "panel.start", f"한 대상 안에서 처음 처치받은 시점 '{start}'이(가) 바뀝니다.", "대상마다 한 값이게 하고, 처치받지 않았으면 비우세요.")
    if t.kind == "binary":
        if (frame.groupby(unit)[t.column].diff() < 0).any():
            raise _stop(spec, "treatment_reverses", "treatment.column", f"처치 '{t.column}'이(가) 켜졌다가 꺼지는 대상이 있습니다.", "이중차분법은 한 번 켜지면 이어지는 처치를 봅니다. 처음 켜진 뒤를 1로 두거나 그 대상을 빼세요.")
        if start:
            expected = (frame[time] >= frame[start]).astype("int64")
            wrong = int((expected != frame[t.column]).sum())
            if wrong:
                raise _stop(spec, "start_contradicts", "panel.start", f"'{start}'과(와) 처치 '{t.column}'이(가) {wrong:,}행에서 어긋납니다.", "처음 처치받은 시점부터 처치가 1인지 보세요.")
        first = frame[time].min()
        at_first = frame[frame[time] == first].groupby(unit)[t.column].max()
        if at_first.mean() == 1:
            raise _stop(spec, "panel_no_before", "panel.time", "모든 대상이 첫 시점부터 처치받았습니다.", "처치 앞의 시점을 함께 두세요.")
        if (frame.groupby(time)[t.column].min() == 1).all():
            raise _stop(spec, "panel_no_control", "panel", "처치받지 않은 대상이 한 시점에도 없습니다.", "처치받지 않았거나 늦게 받은 대상을 함께 두세요.")
    holes = units * periods - len(frame)
    return [f"패널에 빠진 칸이 {holes:,}개 있습니다(대상 {units:,} × 시점 {periods:,})."] if holes else []
