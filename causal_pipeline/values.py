"""열 하나의 값을 읽는 법: 수인지, 날짜인지."""

import re
import unicodedata

import pandas as pd

from causal_pipeline.errors import DataError
from causal_pipeline.model import Spec
from causal_pipeline.shown import dashed
from causal_pipeline.wording import one_query, sql_name
from causal_pipeline.wording import quoted as wording_quoted


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
        raise spec.column_error(
            DataError,
            "date_values",
            column,
            f"{role} '{column}'이(가) 날짜입니다.",
            "기준일부터 며칠인지처럼 수로 바꾼 열을 쓰세요.",
        )
    text = values.astype(str).str.strip()
    numbers = pd.to_numeric(text, errors="coerce")
    reject_written_numbers(spec, column, text, role, units=True)
    if numbers.isna().any() and not numbers.isna().all():
        bad = int(numbers.isna().to_numpy().argmax())
        raise spec.column_error(
            DataError, "mixed_types", column, f"{role} '{column}'에 수와 글자가 섞여 있습니다({bad + 1}번째 행: '{text.iloc[bad][:30]}').",
            _why_mixed(column, str(text.iloc[bad]), bad, int(numbers.isna().sum())),
        )  # fmt: skip
    if parse_dates(text) is not None:
        raise spec.column_error(
            DataError,
            "date_text",
            column,
            f"{role} '{column}'이(가) 글자로 적힌 날짜입니다(예: '{text.iloc[0][:30]}').",
            "기준일부터 며칠인지처럼 수로 바꾼 열을 쓰세요.",
        )
    if text.str.fullmatch(r"\d{1,3}:\d{2}(:\d{2}(\.\d+)?)?").all():
        raise spec.column_error(
            DataError, "time_text", column, f"{role} '{column}'이(가) 시각이나 걸린 시간입니다(예: '{text.iloc[0]}').",
            "분이나 초처럼 수로 바꾼 열을 쓰세요.",
        )  # fmt: skip
    raise spec.column_error(
        DataError,
        "not_numeric",
        column,
        f"{role} '{column}'이(가) 수가 아닙니다(예: '{text.iloc[0][:30]}').",
        _two_words(spec, column, text) or "수로 된 열을 적거나 0과 1로 바꾸세요.",
    )


def _why_mixed(column: str, word: str, row: int, many: int) -> str:
    """수의 열에 섞인 글자의 까닭과 고치는 법."""
    if word == column:
        return "열 이름이 다시 적힌 줄입니다. 파일을 이어 붙이며 들어간 그 줄을 지우세요."
    if row == 0 and many == 1:
        return "첫 행이 단위나 설명을 적은 줄로 보입니다. 그 줄을 지우세요."
    if word[:1] in "<>≤≥":
        return "재는 범위를 벗어난 값의 표시입니다. 비우면 낮은(높은) 쪽만 빠져 답이 치우칩니다. 범위를 넘었는지(0과 1)를 결과로 삼거나, 재는 한계의 값으로 바꾸고 바꾼 수를 보고하세요."
    return f"수를 뜻하면 수로 고치고, 빈칸을 뜻하면 data에 `blank: [{wording_quoted(word)}]`를 적으세요."


def _two_words(spec: Spec, column: str, text: pd.Series) -> str:
    """두 낱말뿐인 열(Y와 N)이면 어느 쪽을 1로 볼지 고르는 SQL."""
    words = sorted(text.unique())
    if len(words) != 2:
        return ""
    one = words[1].replace("'", "''")
    code = f"CAST(trim({sql_name(column)}) = '{one}' AS INTEGER)"
    return f"'{words[1]}'인지를 1로 보려면 {rewriting(spec, {column: code})}으세요. '{words[0]}'을 1로 보려면 따옴표 속의 말을 바꾸세요."


# 수에 흔히 붙는 것: 자릿수 쉼표, 화폐와 퍼센트, 빈칸(줄바꿈 없는 것까지)
_AROUND = r"[,\s\u00a0\u202f₩￦$€£¥%]|원$"


_WIDE = "０１２３４５６７８９．，－％＋"
_NARROW = "0123456789.,-%+"


def written_number(text: pd.Series, column: str, unit: str = "") -> tuple[pd.Series, str] | None:
    """글자로 적힌 수를 읽은 값과, 같은 일을 하는 SQL의 식. 하나라도 수로 읽히지 않으면 None.

    괄호를 두른 음수(``(1,234)``), 유니코드 빼기표, 소수점을 쉼표로 적은 것(``1.234,5``)와 전각 숫자도 압니다.
    ``unit``은 모든 값의 끝에 붙은 단위(``kg``)입니다.
    """
    wide = text.str.contains(f"[{_WIDE}]", regex=True).any()
    text = text.str.translate(str.maketrans(_WIDE, _NARROW))
    if unit:
        text = text.str.removesuffix(unit).str.strip()
    quoted = '"' + column.replace('"', '""') + '"'
    comma = (
        text.str.contains(r"^[^,]*,\d{1,2}\D*$|^[^,]*,\d{4,}\D*$", regex=True).any()
        and not text.str.contains(r",.*[,.]", regex=True).any()
    )
    clean = text.str.replace(r"^\((.*)\)$", r"-\1", regex=True).str.replace("−", "-")
    origin = f"translate({quoted}, '{_WIDE}', '{_NARROW}')" if wide else quoted
    if unit:
        origin = f"replace({origin}, '{unit}', '')"
    steps = f"regexp_replace(replace(trim({origin}), '−', '-'), '^\\((.*)\\)$', '-\\1')"
    if comma:
        clean, steps = clean.str.replace(".", "").str.replace(",", "."), f"replace(replace({steps}, '.', ''), ',', '.')"
    clean = clean.str.replace(_AROUND, "", regex=True)
    found = pd.to_numeric(clean, errors="coerce")
    if len(text) == 0 or found.isna().any():
        return None
    signs = "[,\\s\u00a0\u202f₩￦$€£¥%원]"
    return found, f"TRY_CAST(regexp_replace({steps}, '{signs}', '', 'g') AS DOUBLE)"


def _one_suffix(levels: pd.Series) -> str:
    """모든 값의 끝에 붙은 한 가지 단위. 없거나 여럿이면 빈 글입니다."""
    tail = levels.str.extract(r"^[-+−(]?[\d０-９][\d０-９.,]*\s*([^\d\s.,()%'\"]{1,6})$")[0]
    return tail.iloc[0] if len(tail) and tail.notna().all() and tail.nunique() == 1 else ""


def reject_written_numbers(spec: Spec, column: str, text: pd.Series, role: str, units: bool = False) -> None:
    """수가 글자로 적힌 열이면(자릿수 쉼표, 화폐, 퍼센트) 그대로 옮겨 적을 수 있는 SQL과 함께 멈춥니다. 빼라고 하지 않습니다.

    Parameters
    ----------
    units : bool
        참이면 모든 값에 붙은 다른 단위(``kg``, ``만원``)도 뗍니다. '3호점' 같은 번호일 수 있는 공변량에는 쓰지 않습니다.

    Raises
    ------
    DataError
    """
    levels = pd.Series(text.unique(), dtype=object).astype(str)
    found = written_number(levels, column)
    if found is None and units:
        found = written_number(levels, column, _one_suffix(levels)) if _one_suffix(levels) else None
        _many_suffixes(spec, column, levels, role)
    if found is None:
        return
    _one_unit(spec, column, levels, role)
    shown = next((v for v in levels if pd.isna(pd.to_numeric(v, errors="coerce"))), levels.iloc[0])
    raise spec.column_error(
        DataError, "number_as_text", column, f"{role} '{column}'의 수가 글자로 적혀 있습니다(예: '{shown[:30]}').",
        f"{rewriting(spec, {column: found[1]})}으면 쉼표와 단위를 떼고 수로 읽습니다. 또는 원본에서 수로 바꾸어 저장하세요.",
    )  # fmt: skip


def _many_suffixes(spec: Spec, column: str, levels: pd.Series, role: str) -> None:
    """'3만'과 '2억'처럼 수마다 다른 단위가 붙었으면 멈춥니다.

    Raises
    ------
    DataError
    """
    tail = levels.str.extract(r"^[-+−]?\d[\d.,]*\s*([^\d\s.,:/()%-]{1,6})$")[0]
    if tail.notna().all() and tail.nunique() > 1:
        one, other = (levels[tail == unit].iloc[0] for unit in tail.unique()[:2])
        raise spec.column_error(
            DataError, "mixed_units", column, f"{role} '{column}'에 단위가 다른 수가 섞여 있습니다('{one[:20]}'과 '{other[:20]}').",
            "원본에서 한 단위로 바꾼 뒤 단위 없이 저장하세요.",
        )  # fmt: skip


def _one_unit(spec: Spec, column: str, levels: pd.Series, role: str) -> None:
    """퍼센트와 비율, 원과 달러가 섞였으면 떼어 낸 수끼리 견줄 수 없습니다.

    Raises
    ------
    DataError
    """
    percents = levels.str.contains("%", regex=False)
    money = [sign for sign in ("[₩￦원]", r"\$", "€", "£", "¥") if levels.str.contains(sign, regex=True).any()]
    if len(money) <= 1 and (percents.all() or not percents.any()):
        return
    if len(money) > 1:
        one, other = (levels[levels.str.contains(sign, regex=True)].iloc[0] for sign in money[:2])
    else:
        one, other = levels[percents].iloc[0], levels[~percents].iloc[0]
    raise spec.column_error(
        DataError, "mixed_units", column, f"{role} '{column}'에 단위가 다른 수가 섞여 있습니다('{one[:20]}'과 '{other[:20]}').",
        "기호를 떼면 서로 다른 수가 같아집니다. 원본에서 한 단위로 바꾼 뒤 기호 없이 저장하세요.",
    )  # fmt: skip


def folded_names(names: pd.Series) -> pd.Series:
    """대소문자, 빈칸(숫자 사이의 것은 빼고), 전각을 한 가지로 적은 이름. 이것이 같으면 한 이름을 두 가지로 적었을 수 있습니다."""
    text = names.astype(str)
    levels = {v: unicodedata.normalize("NFKC", v).casefold() for v in text.unique()}
    return text.map({v: re.sub(r"(?<!\d)\s+|\s+(?!\d)", "", w) for v, w in levels.items()})


def selecting(spec: Spec, select: str) -> str:
    """``select``(FROM의 앞)를 옮겨 적으라는 말: "data에 `sql: …`를 적"(뒤에 '으세요'를 붙입니다). 이미 적은 sql이나 table에서 고릅니다."""
    source = spec.source
    origin, how = "data", "data에 {}를 적"
    if source.sql:
        origin, how = f"({one_query(source.sql)})", "data의 sql을 {}로 고쳐 적"
    elif source.table and not source.path.lower().endswith(".xlsx"):  # 엑셀에서는 시트의 이름이고, sql과 함께 적습니다
        origin, how = sql_name(source.table), "data에서 table을 지우고 {}를 적"
    return how.format(f"`sql: {wording_quoted(f'{select} FROM {origin}')}`")


def rewriting(spec: Spec, changed: dict[str, str]) -> str:
    """열을 고쳐 읽는 SQL을 옮겨 적으라는 말(``selecting``). ``changed``는 열 → 그 열을 갈음할 SQL의 식입니다."""
    cells = ", ".join(f"{code} AS {sql_name(column)}" for column, code in changed.items())
    return selecting(spec, f"SELECT * REPLACE ({cells})")


def folded_code(column: str, names: pd.Series) -> str:
    """``folded_names``로 이름을 모으는 SQL의 식."""
    cell = sql_name(column)
    marks = sorted({c for v in names.astype(str).unique() for c in v})
    wide = [c for c in marks if len(n := unicodedata.normalize("NFKC", c)) == 1 and n != c and not c.isspace()]
    inner = f"trim({cell})"
    if wide:
        narrow = "".join(unicodedata.normalize("NFKC", c) for c in wide).replace("'", "''")
        inner = f"translate({inner}, '{''.join(wide)}', '{narrow}')"
    space = "[\\s\u00a0\u3000]+"
    return (
        f"regexp_replace(regexp_replace(lower({inner}), '([^0-9]){space}', '\\1', 'g'), '{space}([^0-9])', '\\1', 'g')"
    )


def looks_like_dates(text: pd.Series) -> bool:
    """글자가 모두 날짜처럼 적혀 있으면 참. 적는 꼴이 섞여 있어도 날짜입니다."""
    return len(text) > 0 and bool(
        text.str.contains(
            r"^\d{4}(?:[-/.]|년\s*)\d{1,2}(?:월?$|월?\s*\d{1,2}일$)|^\d{4}[-/.]\d{1,2}(?:[-/.]\d{1,2})?(?:[T ].*)?$|^\d{1,2}[-/.]\d{1,2}[-/.]\d{4}$",
            regex=True,
        ).all()
        or parse_dates(text) is not None
    )


def time_zones(text: pd.Series) -> dict[str, int]:
    """글자로 적힌 날짜의 시간대와 그 수. 시간대를 적지 않은 것은 '없음'입니다."""
    zones = (
        text.astype(str)
        .str.extract(r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s*(Z|UTC|[+-]\d{2}:?\d{2}|[+-]\d{2})?$")[0]
        .fillna("없음")
    )
    return {str(k): int(v) for k, v in zones.value_counts().items()}


def parse_dates(text: pd.Series) -> pd.Series | None:
    """글자가 모두 날짜로 읽히면 날짜. 아니면 None."""
    text = dashed(text)
    if not text.str.contains(r"\d{4}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}|^\d{8}$", regex=True).all():
        return None
    for form in (None, "%Y.%m.%d", "%Y%m%d"):
        try:
            found = pd.to_datetime(text, errors="coerce", format=form)
        except ValueError:  # 시간대가 섞여 있으면 pandas가 멈춥니다. 날짜인 것은 맞으므로 한 시간대로 읽습니다
            found = pd.to_datetime(text, errors="coerce", format=form, utc=True)
        if found.notna().all():
            return found
    return None
