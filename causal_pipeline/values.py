"""열 하나의 값을 읽는 법: 수인지, 날짜인지."""

import pandas as pd

from causal_pipeline.errors import DataError
from causal_pipeline.model import Spec


def require_numeric(spec: Spec, frame: pd.DataFrame, column: str, role: str) -> None:
    """수가 아닌 열이면 무엇이 들었는지 보고 알맞은 잘못을 냅니다. 참거짓은 0과 1로 바꿉니다.

    Raises
    ------
    DataError
        글자, 날짜, 단위나 쉼표가 붙은 수일 때.
    """
    values = frame[column].dropna()
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
        raise spec.column_error(DataError, "date_values", column, f"{role} '{column}'이(가) 날짜입니다.", "기준일부터 며칠인지처럼 수로 바꾼 열을 쓰세요.")
    text = values.astype(str).str.strip()
    numbers = pd.to_numeric(text, errors="coerce")
    plain = pd.to_numeric(text.str.replace(r"[,\s₩$원%]", "", regex=True), errors="coerce")
    if numbers.isna().any() and not numbers.isna().all() and plain.isna().any():
        bad = int(numbers.isna().to_numpy().argmax())
        raise spec.column_error(
            DataError, "mixed_types", column, f"{role} '{column}'에 수와 글자가 섞여 있습니다({bad + 1}번째 행: '{text.iloc[bad][:30]}').",
            "글자를 수로 바꾸거나 빈칸으로 두세요.",
        )  # fmt: skip
    if plain.notna().all():
        raise spec.column_error(DataError, "number_as_text", column, f"{role} '{column}'의 수가 글자로 적혀 있습니다(예: '{text.iloc[0][:30]}').", "쉼표와 단위를 뺀 수로 바꾸어 저장하세요.")
    if parse_dates(text) is not None:
        raise spec.column_error(DataError, "date_text", column, f"{role} '{column}'이(가) 글자로 적힌 날짜입니다(예: '{text.iloc[0][:30]}').", "기준일부터 며칠인지처럼 수로 바꾼 열을 쓰세요.")
    raise spec.column_error(DataError, "not_numeric", column, f"{role} '{column}'이(가) 수가 아닙니다(예: '{text.iloc[0][:30]}').", "수로 된 열을 적거나 0과 1로 바꾸세요.")


def parse_dates(text: pd.Series) -> pd.Series | None:
    """글자가 모두 날짜로 읽히면 날짜. 아니면 None."""
    if not text.str.contains(r"\d{4}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}|^\d{8}$", regex=True).all():
        return None
    for form in (None, "%Y.%m.%d", "%Y%m%d"):
        found = pd.to_datetime(text, errors="coerce", format=form)
        if found.notna().all():
            return found
    return None
