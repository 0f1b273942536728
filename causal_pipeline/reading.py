"""자료를 읽습니다. CSV, 엑셀, 파케이, DuckDB의 표와 SQL을 명세의 폴더 안에서만 읽습니다."""

import csv
import hashlib
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from causal_pipeline.errors import DataError
from causal_pipeline.model import Spec
from causal_pipeline.place import source_path
from causal_pipeline.shown import plain_ids
from causal_pipeline.wording import josa, names, one_line, one_query, sql_name, suggest

MAX_ROWS = 2_000_000
MAX_COLUMNS = 10_000
SQL_SECONDS = 300.0  # SQL 하나가 쓸 수 있는 시간
CHUNK = 500_000
# 'NA'나 'None'이라는 이름을 조용히 빈칸으로 읽지 않습니다. 빈칸인지는 열을 다 본 뒤에 정합니다(``shown.plain_values``).
BLANKS = {"keep_default_na": False, "na_values": [""]}

# DuckDB도 pandas와 같은 CSV로 읽습니다. 칸을 나누는 글자나 일과 월의 차례를 짐작하게 두면 줄 하나에 표의 꼴이 달라집니다.
CSV_OPTIONS = {"header": True, "delimiter": ",", "quotechar": '"', "escapechar": '"', "null_padding": True, "parallel": False, "date_format": "%Y-%m-%d"}  # fmt: skip
# 파일의 머리에 적힌 종류
_MAGIC = (
    (b"PK\x03\x04", "압축(zip)되었거나 엑셀 파일(.xlsx)인데 이름이 .csv입니다.", "엑셀 파일이면 이름을 .xlsx로 바꾸고, 압축 파일이면 풀어서 그 속의 CSV를 적으세요."),
    (b"\x1f\x8b", "gzip으로 압축된 파일인데 이름이 .csv입니다.", "압축을 풀어(`gunzip`) 그 CSV를 적으세요."),
    (b"\xd0\xcf\x11\xe0", "옛 엑셀 파일(.xls)인데 이름이 .csv입니다.", "엑셀에서 열어 '.xlsx'나 'CSV UTF-8'로 저장하세요."),
    (b"PAR1", "파케이 파일인데 이름이 .csv입니다.", "이름을 .parquet으로 바꾸세요."),
)  # fmt: skip

_NUMBER = re.compile(r'\s*"?[-+]?\d[\d.]*(?:[eE][-+]?\d+)?"?\s*')

# 읽는 길 하나: 열의 이름, 행의 수(미리 알 수 없으면 None), 고른 열을 조각으로 내는 함수.
Reader = tuple[list[str], int | None, Callable[[list[str]], Iterator[pd.DataFrame]]]


def read(spec: Spec, choose: Callable[[list[str]], list[str]]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """명세가 가리키는 자료에서 ``choose``가 고른 열을 읽습니다.

    Parameters
    ----------
    choose : callable
        자료의 열 이름 → 읽을 열 이름. 없는 열이 있으면 여기서 멈춥니다.

    Returns
    -------
    pandas.DataFrame
    tuple of str
        한 일(뽑은 표본).

    Raises
    ------
    DataError
        읽을 수 없거나 너무 클 때.
    """
    path = source_path(spec)
    check_file(spec, path)
    columns, rows, chunks = open_source(spec, path)
    frame, notices = _collect(spec, choose(columns), rows, chunks)
    if path.suffix.lower() == ".csv" and not spec.source.sql:
        _whole_ids(spec, frame)
    return frame, notices


def _whole_ids(spec: Spec, frame: pd.DataFrame) -> None:
    """글자로 읽은 번호를, 바꾸어도 같은 번호이면 수로(``frame``을 고칩니다). 엑셀이 줄여 적은 번호(1.23E+15)이면 멈춥니다."""
    for column in spec.identifiers():
        short = frame[column].dropna().astype(str).str.fullmatch(r"\s*\d(\.\d+)?[eE]\+\d+\s*")
        if short.any():
            raise spec.column_error(
                DataError, "id_rounded", column,
                f"번호 '{column}'이(가) 줄여 적혀 있습니다(예: '{frame.loc[short.index[short], column].iloc[0]}'). 엑셀이 긴 번호를 이렇게 바꾸면 뒷자리가 사라져 다른 번호가 같아집니다.",
                "원본 시스템에서 번호를 글자로 다시 내보내세요. 엑셀로 열 때에는 그 열을 '텍스트'로 읽습니다.",
            )  # fmt: skip
        frame[column] = plain_ids(frame[column])


def open_source(spec: Spec, path: Path) -> Reader:
    """파일을 열어 열의 이름과, 조각으로 읽는 함수를 냅니다."""
    kind = path.suffix.lower()
    if spec.source.engine == "spark":
        return _spark(spec, path)
    if spec.source.sql or kind in {".duckdb", ".db"}:
        return _duckdb(spec, path)
    return _xlsx(spec, path) if kind == ".xlsx" else _parquet(spec, path) if kind == ".parquet" else _csv(spec, path)


def _csv(spec: Spec, path: Path) -> Reader:
    with path.open("rb") as file:
        head = file.read(400)
        for magic, said, how in _MAGIC:
            if head.startswith(magic):
                raise spec.error(DataError, "data_binary", "data.path", said, how)
        wide = b"\x00" in head and head.count(b"\x00") >= len(head) // 3  # 표시(BOM) 없는 UTF-16
        if head[:2] in (b"\xff\xfe", b"\xfe\xff") or wide:
            raise spec.error(
                DataError, "data_not_utf8", "data.path", "자료가 UTF-8이 아니라 UTF-16입니다(엑셀의 '유니코드 텍스트').",
                "엑셀이면 'CSV UTF-8'로 저장하고, 명령으로는 `iconv -f utf-16 -t utf-8 옛.csv > 새.csv`로 바꾸세요.",
            )  # fmt: skip
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            header, first = next(reader, []), next(reader, [])
    except UnicodeDecodeError:
        raise _not_utf8(spec) from None
    except csv.Error:
        raise spec.error(
            DataError, "data_binary", "data.path", "CSV로 읽을 수 없는 파일입니다.", "글자로 된 CSV로 다시 내보내세요."
        ) from None
    _few_columns(spec, header)
    if any("\x00" in name for name in header):
        raise spec.error(
            DataError,
            "data_binary",
            "data.path",
            "CSV라고 했는데 글자 파일이 아닙니다.",
            "엑셀 파일이면 이름을 .xlsx로 두거나 'CSV UTF-8'로 저장하세요.",
        )
    _no_table(spec, header)
    if not any(name.strip() for name in header):
        raise spec.error(
            DataError, "header_missing", "data.path", "첫 줄에 열 이름이 없습니다.", "첫 줄에 열 이름을 적으세요."
        )
    joined = ",".join(header)
    marks = [mark for mark in (";", "\t", "|") if joined.count(mark) > joined.count(",")]
    if marks:
        shown = {"\t": "탭"}.get(marks[0], marks[0])
        raise spec.error(
            DataError, "csv_delimiter", "data.path", f"칸을 쉼표가 아니라 '{shown}'{'으로' if marks[0] == chr(9) else '(으)로'} 나눈 파일입니다.",
            f"쉼표로 나눈 CSV로 다시 저장하세요. 파이썬으로는 `pd.read_csv('옛.csv', sep={marks[0]!r}).to_csv('새.csv', index=False)`이고, 소수점이 쉼표이면 `decimal=','`도 적습니다.",
        )  # fmt: skip
    check_header(spec, header)
    if len(first) > len(header):  # pandas는 첫 열을 이름표로 밀어 넣고 조용히 읽습니다
        raise _broken_csv(spec, "2번째 줄")

    def chunks(columns: list[str]) -> Iterator[pd.DataFrame]:
        try:
            # usecols를 주면 쉼표가 남는 줄을 조용히 잘라 읽습니다. 모두 읽고 고릅니다
            kinds = dict.fromkeys(spec.identifiers(), str)
            with pd.read_csv(
                path, encoding="utf-8-sig", chunksize=CHUNK, low_memory=False, dtype=kinds, **BLANKS
            ) as reader:
                for part in reader:
                    for name in part.select_dtypes(include=["object", "string"]):
                        _swallowed(spec, part[name], header)
                    yield part[columns]
        except UnicodeDecodeError:
            raise _not_utf8(spec) from None
        except pd.errors.EmptyDataError:
            raise spec.error(
                DataError, "header_missing", "data.path", "첫 줄에 열 이름이 없습니다.", "첫 줄에 열 이름을 적으세요."
            ) from None
        except pd.errors.ParserError as error:
            raise _broken_csv(spec, _parser_line(error)) from None

    rows = None
    if spec.source.sample is not None:  # 뽑을 자리를 정하려면 행의 수를 먼저 알아야 합니다
        try:
            with pd.read_csv(path, encoding="utf-8-sig", usecols=header[:1], chunksize=CHUNK) as reader:
                rows = sum(len(part) for part in reader)
        except UnicodeDecodeError:
            raise _not_utf8(spec) from None
        except pd.errors.ParserError as error:
            raise _broken_csv(spec, _parser_line(error)) from None
    return header, rows, chunks


def _no_table(spec: Spec, header: list[str]) -> None:
    """첫 줄이 표의 머리가 아니라 HTML, JSON, 설명 줄이면 그렇게 말합니다."""
    first = header[0].strip() if header else ""
    told = {
        "<": ("HTML이나 XML", "자료를 내려받은 화면에서 CSV나 엑셀로 다시 내보내세요."),
        "{": ("JSON", "파이썬이면 `pd.read_json('옛.json', lines=True).to_csv('새.csv', index=False)`로 바꾸세요."),
        "[{": ("JSON", "파이썬이면 `pd.read_json('옛.json').to_csv('새.csv', index=False)`로 바꾸세요."),
        "#": ("설명 줄(#)", "열 이름이 첫 줄에 오도록 그 앞의 줄을 지우세요."),
        "sep=": ("엑셀의 구분 표시(sep=)", "첫 줄(sep=)을 지우고 쉼표로 나눈 CSV로 저장하세요."),
    }  # fmt: skip
    mark = next((m for m in told if first.startswith(m)), None)
    if mark and not (mark in "<{#" and len(header) > 1 and mark != "{"):
        what, how = told[mark]
        raise spec.error(DataError, "csv_not_table", "data.path", f"열 이름이 아니라 {josa(what, '이/가')} 첫 줄에 있습니다.", how)  # fmt: skip


def _swallowed(spec: Spec, values: pd.Series, header: list[str]) -> None:
    """닫히지 않은 따옴표가 여러 줄을 한 칸에 삼켰는지. 그 줄들은 조용히 사라집니다.

    쉼표의 수가 같아도 글일 수 있습니다(주소나 후기). 결과의 자리에 수가 있어야 표의 줄입니다. sql이 이름을 바꾸어 그 자리를 모르면 아무 자리나 봅니다.
    """
    width, y = len(header), spec.outcome.column
    place = slice(header.index(y), header.index(y) + 1) if y in header else slice(None)
    many = values.dropna().astype(str)
    many = many[many.str.contains("\n", regex=False)]
    for cell in many:
        lines = [line.split(",") for line in cell.split("\n")[1:-1]]
        lost = sum(len(line) == width and any(map(_NUMBER.fullmatch, line[place])) for line in lines)
        if lost >= max(1, 4 - width):
            raise spec.error(
                DataError, "csv_swallowed", "data.path",
                f"'{values.name}' 열의 칸 하나에 표의 줄이 {lost:,}개 들어 있습니다(첫 글자: '{one_line(cell[:20])}'). 닫히지 않은 따옴표가 줄들을 삼킨 것으로 보입니다.",
                "그 칸의 따옴표를 지우거나 짝을 맞추세요. 글 속의 큰따옴표는 두 번(\"\") 적습니다.",
            )  # fmt: skip


def _few_columns(spec: Spec, header: list[str]) -> None:
    """열이 너무 많으면 값을 읽기 전에 멈춥니다."""
    if len(header) > MAX_COLUMNS:
        raise spec.error(
            DataError, "too_many_columns", "data", f"열이 {len(header):,}개입니다. {MAX_COLUMNS:,}개까지 봅니다.",
            "명세에 쓸 열만 골라 새 파일로 저장하세요. 행과 열이 뒤바뀐 파일이 아닌지도 보세요.",
        )  # fmt: skip


def check_header(spec: Spec, header: list[str]) -> None:
    """첫 줄이 열 이름인지, 이름이 저마다 다른지.

    Raises
    ------
    DataError
    """
    blanks = sum(not name.strip() for name in header)
    if blanks >= 2 and blanks * 2 >= len(header):
        raise spec.error(
            DataError, "header_missing", "data.path", f"첫 줄이 열 이름이 아니라 제목으로 보입니다(이름이 빈 칸이 {blanks}개).",
            "열 이름이 첫 줄에 오도록 그 앞의 줄을 지우세요.",
        )  # fmt: skip
    twice = sorted({name for name in header if name.strip() and header.count(name) > 1})
    if twice:
        raise spec.error(
            DataError,
            "header_duplicate",
            "data.path",
            f"같은 열 이름이 두 번 있습니다: {names(twice)}.",
            "열 이름을 서로 다르게 고치세요.",
        )


def _xlsx(spec: Spec, path: Path) -> Reader:
    """엑셀의 시트 하나. 시트가 여럿이면 어느 것인지 ``data.table``에 적어야 합니다."""
    try:
        import openpyxl
    except ImportError:
        raise spec.error(
            DataError, "xlsx_reader_missing", "data.path", "엑셀을 읽는 패키지(openpyxl)가 없습니다.",
            "`make environment`로 환경을 다시 맞추거나, 엑셀에서 'CSV UTF-8'로 저장하세요.",
        ) from None  # fmt: skip
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception:  # 깨진 압축, 암호, 다른 형식마다 openpyxl의 오류가 다릅니다
        raise spec.error(
            DataError, "xlsx_broken", "data.path", "엑셀 파일(.xlsx)로 읽을 수 없습니다.",
            "암호를 풀고, 엑셀에서 다시 '.xlsx'로 저장하거나 'CSV UTF-8'로 저장하세요.",
        ) from None  # fmt: skip
    with closing(book):
        shown = [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]
        name = spec.source.table
        if name is None and len(shown) > 1:
            raise spec.error(
                DataError, "table_not_named", "data.path", f"엑셀 파일에 시트가 여럿입니다: {names(shown)}.",
                "data에 `table: 시트이름`을 적으세요.",
            )  # fmt: skip
        if name is not None and name not in book.sheetnames:
            raise spec.error(
                DataError, "table_unknown", "data.table", f"'{name}' 시트가 없습니다.", suggest(name, book.sheetnames)
            )
        rows = [row for row in book[name or shown[0]].iter_rows(values_only=True) if any(v is not None for v in row)]
    if not rows:
        raise spec.error(
            DataError, "header_missing", "data.path", "첫 줄에 열 이름이 없습니다.", "첫 줄에 열 이름을 적으세요."
        )
    width = max(i + 1 for row in rows for i, v in enumerate(row) if v is not None)
    header = ["" if v is None else str(v) for v in rows[0][:width]]
    _few_columns(spec, header)
    check_header(spec, header)
    frame = pd.DataFrame([row[:width] for row in rows[1:]], columns=header).infer_objects()

    def chunks(columns: list[str]) -> Iterator[pd.DataFrame]:
        yield frame[columns]

    return header, len(frame), chunks


def _parser_line(error: Exception) -> str:
    found = re.search(r"line (\d+)", str(error))
    return f"{found.group(1)}번째 줄" if found else "줄을 알 수 없음"


def _broken_csv(spec: Spec, which: str) -> DataError:
    return spec.error(
        DataError, "csv_broken", "data.path", f"CSV의 어느 줄이 열의 수와 맞지 않습니다({which}).",
        "글 속의 쉼표를 따옴표로 감싸고, 닫히지 않은 따옴표가 없는지 보세요.",
    )  # fmt: skip


def _not_utf8(spec: Spec) -> DataError:
    return spec.error(
        DataError, "data_not_utf8", "data.path", "자료가 UTF-8이 아닙니다(엑셀의 CP949일 때가 많습니다).",
        "엑셀이면 'CSV UTF-8'로 저장하고, 명령으로는 `iconv -f cp949 -t utf-8 옛.csv > 새.csv`로 바꾸세요.",
    )  # fmt: skip


def _parquet(spec: Spec, path: Path) -> Reader:
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError):
        raise spec.error(
            DataError,
            "parquet_broken",
            "data.path",
            "파케이로 읽을 수 없는 파일입니다.",
            "파일이 다 쓰였는지, 확장자가 맞는지 보세요.",
        ) from None

    header = list(file.schema_arrow.names)
    _few_columns(spec, header)

    def chunks(columns: list[str]) -> Iterator[pd.DataFrame]:
        for batch in file.iter_batches(CHUNK, columns=columns):
            yield _to_pandas(spec, batch)

    return header, file.metadata.num_rows, chunks


def _duckdb(spec: Spec, path: Path) -> Reader:
    source, kind = spec.source, path.suffix.lower()
    where = "data.sql" if source.sql else "data.table"
    try:
        con = duckdb.connect(str(path), read_only=True) if kind in {".duckdb", ".db"} else duckdb.connect()
    except duckdb.Error:
        raise spec.error(
            DataError,
            "duckdb_broken",
            "data.path",
            "DuckDB 파일로 열 수 없습니다.",
            "다른 프로그램이 쓰고 있지 않은지, DuckDB로 만든 파일인지 보세요.",
        ) from None
    con.execute("SET threads = 1")  # 행의 차례가 늘 같게 합니다
    if kind == ".csv":
        _csv(spec, path)  # 부호와 열 이름을 먼저 봅니다
        try:
            con.read_csv(str(path), **CSV_OPTIONS).to_table("data")
        except duckdb.Error as error:
            if re.search("utf-?8|unicode", str(error), re.IGNORECASE):
                raise _not_utf8(spec) from None
            found = re.search(r"Line: (\d+)", str(error))
            raise _broken_csv(spec, f"{found.group(1)}번째 줄" if found else "줄을 알 수 없음") from None
        table = con.table("data")
        for name, written in zip(table.columns, table.types, strict=True):
            if str(written) == "VARCHAR":
                cell = sql_name(name)
                cells = con.execute(f"SELECT {cell} FROM data WHERE contains({cell}, chr(10))").fetchall()
                _swallowed(spec, pd.Series([row[0] for row in cells], name=name, dtype=object), table.columns)
    elif kind == ".xlsx":
        columns, _, chunks = _xlsx(spec, path)
        con.from_df(next(chunks(columns))).to_table("data")
    elif kind == ".parquet":
        _parquet(spec, path)
        con.from_parquet(str(path)).to_table("data")
    con.execute("SET enable_external_access = false")  # SQL이 다른 파일과 네트워크를 읽지 못합니다
    con.execute("SET lock_configuration = true")
    if source.table and kind != ".xlsx":
        tables = [
            row[0] for row in con.execute("SELECT table_name FROM information_schema.tables ORDER BY 1").fetchall()
        ]
        if source.table not in tables:
            raise spec.error(
                DataError, "table_unknown", where, f"'{source.table}' 표가 없습니다.", suggest(source.table, tables)
            )
        query = f"SELECT * FROM {sql_name(source.table)}"
    else:
        query = _one_select(spec, con)
    with _sql(spec, con, where):
        columns = [row[0] for row in con.execute(f"DESCRIBE ({query}\n)").fetchall()]
        _few_columns(spec, columns)
        rows = con.execute(f"SELECT count(*) FROM ({query}\n)").fetchall()[0][0]
    _named_once(spec, columns, where)

    def chunks(wanted: list[str]) -> Iterator[pd.DataFrame]:
        picked = ", ".join(map(sql_name, wanted))
        try:
            with _sql(spec, con, where):
                for batch in con.sql(f"SELECT {picked} FROM ({query}\n)").to_arrow_reader(CHUNK):
                    yield _to_pandas(spec, batch)
        finally:
            con.close()

    return columns, rows, chunks


def _named_once(spec: Spec, columns: list[str], where: str) -> None:
    """SQL이 같은 이름의 열을 두 번 내지 않는지."""
    twice = sorted({c for c in columns if columns.count(c) > 1})
    if twice:
        raise spec.error(
            DataError,
            "header_duplicate",
            where,
            f"같은 열 이름이 두 번 있습니다: {names(twice)}.",
            "AS로 이름을 다르게 하세요.",
        )


@contextmanager
def _sql(spec: Spec, con: duckdb.DuckDBPyConnection, where: str) -> Iterator[None]:
    """SQL의 잘못을 명세의 줄과 함께 알리고, ``SQL_SECONDS``초가 지나면 멈춥니다."""
    over = threading.Event()

    def stop() -> None:
        over.set()
        con.interrupt()

    timer = threading.Timer(SQL_SECONDS, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    except duckdb.PermissionException:
        raise spec.error(
            DataError,
            "sql_outside",
            where,
            "SQL이 다른 파일이나 주소를 읽으려 했습니다.",
            "data.path의 자료만 쓰세요. CSV와 파케이는 data라는 표입니다.",
        ) from None
    except (duckdb.Error, pa.ArrowException) as error:
        if over.is_set():
            raise spec.error(
                DataError, "sql_too_slow", where, f"SQL이 {SQL_SECONDS:,.0f}초 안에 끝나지 않았습니다.",
                "조인의 조건이 빠지지 않았는지 보고, 오래 걸리는 모으기는 미리 해서 파케이나 CSV로 저장해 쓰세요.",
            ) from None  # fmt: skip
        raise spec.error(
            DataError, "sql_error", where, f"SQL을 돌리지 못했습니다. {_duckdb_said(error)}",
            "CSV와 엑셀, 파케이는 data라는 이름의 표입니다. DuckDB의 문법과 표, 열의 이름을 보세요.",
        ) from None  # fmt: skip
    finally:
        timer.cancel()


def _spark(spec: Spec, path: Path) -> Reader:
    """파케이 파일이나 폴더를 Spark로 읽습니다. 이미 켠 세션이 있으면 그것을, 없으면 ``spark-submit``의 설정이나 이 컴퓨터를 씁니다.

    행은 고른 열의 값 차례로 늘어놓습니다. Spark는 돌릴 때마다 다른 차례로 주므로, 그대로 두면 씨앗이 같아도 결과가 달라집니다.
    """
    where = "data.sql" if spec.source.sql else "data.path"
    _for_spark(spec, path)
    try:
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ModuleNotFoundError:
        raise spec.error(
            DataError,
            "spark_missing",
            "data.engine",
            "pyspark가 깔려 있지 않습니다.",
            "`make scale`로 만든 환경에서 `.venv-scale/bin/python -m causal_pipeline analyze …`로 돌리거나 engine을 지우세요.",
        ) from None
    try:
        if not {"PYSPARK_GATEWAY_PORT", "SPARK_HOME", "SPARK_CONF_DIR"} & set(os.environ):
            # 클러스터의 설정 없이 이 컴퓨터에서만 도는 Spark는 루프백에 세웁니다. 그러지 않으면 네트워크 없이는 켜지지 않습니다
            os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        # 부른 쪽의 시간대와 data라는 뷰를 건드리지 않게, 같은 Spark 위에 세션을 하나 더 엽니다
        running = SparkSession.getActiveSession() or SparkSession.builder.appName("causal_pipeline").getOrCreate()
        spark = running.newSession()
        spark.conf.set("spark.sql.session.timeZone", "UTC")
        spark.conf.set(
            "spark.sql.runSQLOnFiles", "false"
        )  # 하위 질의 속에서도 parquet.`경로`로 다른 파일을 부르지 못합니다
        spark.read.parquet(f"file://{path.resolve().as_posix()}").createOrReplaceTempView("data")
        asked = one_query(spec.source.sql or "SELECT * FROM data")
        table = spark.sql(f"SELECT * FROM ({asked})")  # 괄호 안에는 SELECT 하나만 들어갑니다
    except PySparkException as error:
        raise _spark_error(spec, where, error) from None
    except Exception as error:  # 자바가 없거나 판이 맞지 않을 때 py4j와 하위 프로세스가 저마다 다른 예외를 냅니다
        raise spec.error(
            DataError,
            "spark_not_started",
            "data.engine",
            f"Spark를 켜지 못했습니다({type(error).__name__}).",
            "`java -version`이 17 이상인지 보세요. 클러스터라면 spark-submit으로 돌리세요.",
        ) from None
    columns = table.columns
    _few_columns(spec, columns)
    _named_once(spec, columns, where)
    try:
        rows = table.count()
    except PySparkException as error:
        raise _spark_error(spec, where, error) from None

    def chunks(wanted: list[str]) -> Iterator[pd.DataFrame]:
        quoted = [f"`{name.replace('`', '``')}`" for name in wanted]  # 점이 든 이름을 구조체로 읽지 않게
        try:
            found = table.select(*quoted).orderBy(*quoted).toArrow()
        except PySparkException as error:
            raise _spark_error(spec, where, error) from None
        for batch in found.to_batches(CHUNK):
            part = batch.to_pandas()
            for name in part.select_dtypes("datetimetz"):
                part[name] = part[name].dt.tz_localize(None)  # DuckDB가 주는 것과 같은, 시간대 없는 시각
            yield part

    return columns, rows, chunks


def _for_spark(spec: Spec, path: Path) -> None:
    """Spark는 파케이 파일이나 그 폴더만 읽습니다. 표본은 SQL 안에서 뽑습니다."""
    if not (path.is_dir() or path.suffix.lower() == ".parquet") or spec.source.table:
        raise spec.error(
            DataError,
            "spark_parquet_only",
            "data.table" if spec.source.table else "data.path",
            "Spark로는 파케이 파일이나 파케이 파일이 든 폴더만 읽습니다.",
            "자료를 파케이로 저장하고 sql에서 data라는 이름으로 부르세요. 다른 형식은 engine을 지우면 읽습니다.",
        )
    if spec.source.sample is not None:
        raise spec.error(
            DataError,
            "spark_sample",
            "data.sample",
            "Spark로 읽을 때는 sample로 뽑지 않습니다. 행의 차례가 돌릴 때마다 달라 같은 표본이 나오지 않습니다.",
            "sample을 지우고 sql에서 단위의 지문으로 뽑으세요(예: `SELECT * FROM data WHERE pmod(xxhash64(user_id), 100) < 5`).",
        )


def _spark_error(spec: Spec, where: str, error: Exception) -> DataError:
    first = str(error).strip().splitlines()[0]
    return spec.error(
        DataError,
        "spark_failed",
        where,
        f"Spark가 자료를 읽지 못했습니다: {first[:200]}",
        "sql이 SELECT 하나인지, 표를 data라는 이름으로 부르는지(파일의 경로로는 부를 수 없습니다), 폴더에 파케이 파일이 있는지 보세요.",
    )


def _one_select(spec: Spec, con: duckdb.DuckDBPyConnection) -> str:
    try:
        statements = con.extract_statements(spec.source.sql)
    except duckdb.Error as error:
        raise spec.error(
            DataError,
            "sql_error",
            "data.sql",
            f"SQL을 읽을 수 없습니다. {_duckdb_said(error)}",
            "DuckDB의 문법을 보세요.",
        ) from None
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise spec.error(
            DataError,
            "sql_not_select",
            "data.sql",
            "sql에는 SELECT 하나만 쓸 수 있습니다.",
            "표를 만들거나 고치는 문장을 빼고 SELECT 하나만 남기세요.",
        )
    return one_query(spec.source.sql)


# DuckDB의 말에서 이름을 뽑아 한국어로 옮기는 법. 위에서부터 처음 맞는 것을 씁니다.
_DUCKDB = (
    (r'Referenced column "([^"]+)" not found', "{0} 열을 찾지 못했습니다."),
    (r'Referenced table "([^"]+)" not found', "{0} 표를 찾지 못했습니다."),
    (r"Table with name (\S+) does not exist", "{0} 표가 없습니다."),
    (r'Ambiguous reference to column name "([^"]+)"', "{0} 열이 여러 표에 있습니다. 표의 이름을 앞에 붙이세요."),
    (r'column "([^"]+)" must appear in the GROUP BY', "{0} 열을 GROUP BY에 적거나 모으는 함수로 감싸야 합니다."),
    (r"(?:Function with name|function) [\"']?(\w+)[\"']? does not exist", "{0} 함수가 없습니다."),
    (r"No function matches the given name and argument types '([^']*)'", "{0}에 준 값의 형식이 함수와 맞지 않습니다."),
    (r"Could not convert string '([^']*)'", "{0}을(를) 수나 날짜로 바꾸지 못했습니다."),
    (r'syntax error at or near "([^"]*)"', "{0} 둘레의 문법이 맞지 않습니다."),
    (r"syntax error at end of input", "끝나지 않은 글입니다."),
)
_DUCKDB_KINDS = {
    "ParserException": "문법이 맞지 않습니다.", "BinderException": "이름이나 형식이 맞지 않습니다.", "CatalogException": "없는 표나 함수를 불렀습니다.",
    "ConversionException": "값을 다른 형식으로 바꾸지 못했습니다.", "OutOfRangeException": "수가 형식의 범위를 넘었습니다.",
    "OutOfMemoryException": "메모리가 모자랍니다.", "InvalidInputException": "함수에 쓸 수 없는 값이 있습니다.",
}  # fmt: skip


def _duckdb_said(error: Exception) -> str:
    """DuckDB의 오류를 한국어로. 이름과 값만 그대로 옮깁니다."""
    text = str(error)
    for pattern, said in _DUCKDB:
        if found := re.search(pattern, text):
            return said.format(*(f"'{one_line(part)[:60]}'" for part in found.groups()))
    return _DUCKDB_KINDS.get(type(error).__name__, "DuckDB가 값을 표로 만들지 못했습니다.")


def _to_pandas(spec: Spec, batch: pa.RecordBatch) -> pd.DataFrame:
    """조각을 표로. 저장된 이름표(index)도 열입니다. 담지 못하는 값(연도가 너무 큰 날짜, 여러 형식의 묶음)이면 그 열을 말합니다."""
    try:
        return batch.to_pandas(ignore_metadata=True)
    except (pa.ArrowException, ValueError, OverflowError):
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            try:
                column.to_pandas()
            except (pa.ArrowException, ValueError, OverflowError):
                raise spec.column_error(
                    DataError, "nested_values", name, f"'{name}' 열에 표로 읽을 수 없는 값이 들어 있습니다({column.type}).",
                    "칸마다 수나 글자 하나가 되게 바꾼 열을 적으세요. 끝이 없는 날짜(infinity)이면 비우세요.",
                ) from None  # fmt: skip
        raise


def _collect(
    spec: Spec, columns: list[str], rows: int | None, chunks: Callable[[list[str]], Iterator[pd.DataFrame]]
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """조각을 이어 붙입니다. 표본을 뽑으라고 했으면 씨앗대로 뽑습니다."""
    sample = spec.source.sample
    if sample is None and rows is not None and rows > MAX_ROWS:
        raise _too_many(spec, rows)
    if sample is not None and sample > rows:
        raise spec.error(
            DataError,
            "sample_too_large",
            "data.sample",
            f"자료는 {rows:,}행인데 {sample:,}행을 뽑으라고 했습니다.",
            "sample을 줄이거나 지우세요.",
        )
    chosen = (
        np.sort(np.random.default_rng(spec.seed).choice(rows, sample, replace=False)) if sample is not None else None
    )
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
        raise spec.error(
            DataError,
            "data_no_rows",
            "data.path",
            "열 이름만 있고 행이 없습니다.",
            "자료를 다시 내보내거나 SQL의 조건을 보세요.",
        )
    frame = pd.concat(parts, ignore_index=True)
    notices = (f"{rows:,}행에서 {sample:,}행을 씨앗 {spec.seed}로 무작위로 뽑았습니다.",) if sample is not None else ()
    return frame, notices


def _too_many(spec: Spec, rows: int | None) -> DataError:
    many = f"{rows:,}행" if rows else f"{MAX_ROWS:,}행보다 많은 행"
    return spec.error(
        DataError, "too_many_rows", "data", f"자료가 {many}입니다. 한 번에 {MAX_ROWS:,}행까지 봅니다.",
        ("`sql:`에서 단위별로 모으거나, 단위의 지문으로 표본을 뽑으세요." if spec.source.engine == "spark" else
         "`sample: 500000`으로 표본을 뽑거나, `sql:`에서 단위별로 모으세요.") + " 조용히 줄이지는 않습니다.",
    )  # fmt: skip


def file_digest(path: Path) -> str:
    """파일의 SHA-256. 큰 파일도 나누어 읽습니다. 폴더이면 그 속의 파일마다 이름과 지문을 차례로 모은 것의 지문입니다."""
    if path.is_dir():
        parts = [f"{p.relative_to(path).as_posix()} {file_digest(p)}\n" for p in inside(path)]
        return hashlib.sha256("".join(parts).encode()).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def inside(path: Path) -> list[Path]:
    """폴더 속의 자료 파일. Spark가 곁에 남기는 표시(_SUCCESS, .crc)는 뺍니다. 파일이면 그것 하나."""
    if not path.is_dir():
        return [path]
    return sorted(p for p in path.rglob("*.parquet") if p.is_file() and not p.name.startswith(("_", ".")))


def check_file(spec: Spec, path: Path) -> None:
    shown = spec.source.path
    if path.is_dir() and spec.source.engine == "spark":
        if not inside(path):
            raise spec.error(
                DataError,
                "data_is_folder",
                "data.path",
                f"'{shown}' 폴더에 파케이 파일이 없습니다.",
                "파케이 파일(.parquet)이 든 폴더를 적으세요.",
            )
        return
    if path.is_dir():
        raise spec.error(
            DataError,
            "data_is_folder",
            "data.path",
            f"'{shown}'은(는) 폴더입니다.",
            "폴더 속 파일 하나의 자리를 적으세요.",
        )
    if not path.is_file():
        nearby = (
            [p.name for p in path.parent.iterdir() if p.is_file() and p.suffix == path.suffix]
            if path.parent.is_dir()
            else []
        )
        remedy = suggest(path.name, sorted(nearby)) if nearby else "명세가 놓인 폴더에서 본 상대 경로인지 보세요."
        raise spec.error(DataError, "data_missing", "data.path", f"자료 파일 '{shown}'이(가) 없습니다.", remedy)
    try:
        with path.open("rb") as file:
            head = file.read(1)
    except PermissionError:
        raise spec.error(
            DataError,
            "data_not_readable",
            "data.path",
            f"'{shown}'을(를) 읽을 권한이 없습니다.",
            "파일의 읽기 권한을 켜세요.",
        ) from None
    if not head:
        raise spec.error(
            DataError,
            "data_empty",
            "data.path",
            f"자료 파일 '{shown}'이(가) 비어 있습니다(0바이트).",
            "자료를 다시 내보내세요.",
        )
