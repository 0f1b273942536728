"""자료의 자리: 명세의 폴더 안인지, 읽을 수 있는 형식인지."""

import re
from pathlib import Path, PurePosixPath, PureWindowsPath

from causal_pipeline.errors import SpecError
from causal_pipeline.model import Spec


def source_path(spec: Spec) -> Path:
    """자료 파일의 자리. 폴더 밖이면 멈춥니다(기호 연결을 따라간 자리까지 봅니다).

    Raises
    ------
    SpecError
    """
    raw = spec.source.path
    if PurePosixPath(raw).is_absolute() or PureWindowsPath(raw).is_absolute() or raw.startswith("~"):
        raise spec.error(
            SpecError,
            "path_absolute",
            "data.path",
            "자료의 자리가 절대 경로입니다.",
            "명세가 놓인 폴더에서 본 상대 경로를 적으세요(예: data/orders.csv).",
        )
    if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*://", raw):
        raise spec.error(
            SpecError,
            "path_url",
            "data.path",
            "자료의 자리가 인터넷 주소입니다.",
            "파일을 내려받아 명세 곁에 두고 상대 경로를 적으세요.",
        )
    folder = Path(spec.folder).resolve()
    try:
        path = (folder / raw).resolve()
        path.exists()
    except (ValueError, OSError):  # 널 문자, 너무 긴 이름, 제자리를 도는 기호 연결
        raise spec.error(
            SpecError,
            "path_unreadable",
            "data.path",
            "자료의 자리로 쓸 수 없는 글입니다(너무 길거나, 파일 이름에 쓸 수 없는 글자가 있습니다).",
            "명세가 놓인 폴더에서 본 상대 경로를 적으세요(예: data/orders.csv).",
        ) from None
    if not path.is_relative_to(folder):
        raise spec.error(
            SpecError,
            "path_outside",
            "data.path",
            f"자료 '{raw}'이(가) 명세의 폴더 밖에 있습니다.",
            "자료를 명세와 같은 폴더나 그 아래에 두세요.",
        )
    return path


_HOW_TO_CONVERT = {
    ".gz": "압축을 풀어(`gunzip`) 그 속의 파일을 적으세요. ",
    ".zip": "압축을 풀어 그 속의 파일을 적으세요. ",
    ".tsv": "파이썬이면 `pd.read_csv('옛.tsv', sep='\\t').to_csv('새.csv', index=False)`입니다. ",
    ".txt": "쉼표로 나눈 글이면 이름만 .csv로 바꾸면 됩니다. ",
    ".xls": "엑셀에서 열어 '.xlsx'로 다시 저장하세요. ",
    ".xlsm": "엑셀에서 '.xlsx'로 다시 저장하세요. ",
}


def check_source(spec: Spec) -> None:
    """자료의 자리와 형식, 표와 sql의 짝이 맞는지.

    Raises
    ------
    SpecError
    """
    source = spec.source
    source_path(spec)
    if source.table and source.sql and Path(source.path).suffix.lower() != ".xlsx":
        raise spec.error(
            SpecError, "source_ambiguous", "data.sql", "table과 sql을 함께 적었습니다.", "하나만 남기세요."
        )
    kind = Path(source.path).suffix.lower()
    if source.engine == "spark":  # 파케이의 폴더에는 확장자가 없습니다. 읽을 때 봅니다
        return
    if kind not in {".csv", ".xlsx", ".parquet", ".duckdb", ".db"}:
        raise spec.error(
            SpecError,
            "format_unknown",
            "data.path",
            f"'{kind or source.path}' 형식은 읽지 않습니다.",
            _HOW_TO_CONVERT.get(kind, "")
            + "CSV(.csv), 엑셀(.xlsx), 파케이(.parquet), DuckDB(.duckdb)로 바꾸어 두세요.",
        )
    if kind in {".duckdb", ".db"} and not (source.table or source.sql):
        raise spec.error(
            SpecError,
            "table_not_named",
            "data.path",
            "DuckDB 파일의 어느 표인지 적지 않았습니다.",
            "`table: 표이름`이나 `sql: SELECT …`을 적으세요.",
        )
    if kind not in {".duckdb", ".db", ".xlsx"} and source.table:
        raise spec.error(
            SpecError,
            "table_not_named",
            "data.table",
            "table은 DuckDB 파일의 표와 엑셀의 시트에만 씁니다.",
            "table을 지우거나 sql에 `SELECT … FROM data`를 적으세요.",
        )
