"""자료를 살피고 단계들이 쓰는 꼴로 바꿉니다.

조용히 고치는 일은 없습니다. 빈칸을 빼거나 표본을 뽑는 일은 명세가 시킬 때에만 하고, 한 일은 ``notices``에 남깁니다.
"""

import hashlib
import unicodedata
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from causal_pipeline import doubts, weighting
from causal_pipeline.errors import DataError
from causal_pipeline.model import Loss, Spec
from causal_pipeline.place import source_path
from causal_pipeline.reading import file_digest, read
from causal_pipeline.shown import matched_levels, plain_values, same_level
from causal_pipeline.values import looks_like_dates, reject_written_numbers, require_numeric, rewriting, selecting
from causal_pipeline.wording import josa, names, sql_name, suggest, visible

MIN_ROWS = 20
MIN_ARM = 5
# 다섯 겹으로 나누고도 겹마다 두 팔의 군집이 남으려면 팔마다 셋, 모두 여섯이 있어야 합니다.
MIN_CLUSTERS, MIN_CLUSTERS_AN_ARM = 6, 3
LARGEST, LARGEST_ID = 1e100, 2.0**53
MAX_LEVELS = doubts.MOST_CATEGORIES


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
    losses : tuple of Loss
        빈칸 때문에 뺀 행. 점검(``checks.lost_rows``)이 팔마다의 수를 말합니다.
    """

    frame: pd.DataFrame
    notices: tuple[str, ...]
    digest: str
    losses: tuple[Loss, ...] = ()


def load(spec: Spec) -> Table:
    """명세가 가리키는 자료를 읽고 살핍니다.

    Raises
    ------
    DataError
        읽을 수 없거나 명세와 어긋날 때. 고치는 법이 함께 있습니다.
    """
    raw, notices = read(spec, lambda columns: known_columns(spec, columns))
    losses: list[Loss] = []
    frame, more = prepare(spec, raw, losses)
    return Table(frame, (*notices, *more), file_digest(source_path(spec)), tuple(losses))


def from_frame(spec: Spec, raw: pd.DataFrame) -> Table:
    """기억 속의 표를 살핍니다. 파일에서 읽은 것과 같은 길을 지납니다."""
    losses: list[Loss] = []
    frame, notices = prepare(spec, raw, losses)
    return Table(frame, notices, frame_digest(frame), tuple(losses))


def frame_digest(frame: pd.DataFrame) -> str:
    """표의 내용에서 만든 SHA-256."""
    h = hashlib.sha256(repr([(c, str(frame[c].dtype)) for c in frame.columns]).encode())
    h.update(pd.util.hash_pandas_object(frame, index=True).to_numpy().tobytes())
    return h.hexdigest()


def known_columns(spec: Spec, columns: list[str]) -> list[str]:
    """명세가 말하는 열이 모두 자료에 있는지 보고, 자료의 차례로 돌려줍니다."""
    wanted = spec.columns()
    whole = {unicodedata.normalize("NFC", c): c for c in columns}
    for column in sorted(wanted - set(columns)):
        if found := whole.get(unicodedata.normalize("NFC", column)):
            named = f"SELECT * RENAME ({sql_name(found)} AS {sql_name(column)})"
            raise spec.column_error(
                DataError, "column_decomposed", column, f"'{column}' 열이 자료에는 자모로 풀려(NFD) 적혀 있어 다른 이름입니다. 맥에서 만든 파일에서 흔합니다.",
                f"{selecting(spec, named)}거나, 원본의 열 이름을 다시 적으세요.",
            )  # fmt: skip
        hint = " 재지 못한 변수이면 graph.hidden에 적으세요." if spec.where(column).startswith("graph") else ""
        raise spec.column_error(
            DataError, "column_unknown", column, f"'{column}' 열이 자료에 없습니다.", suggest(column, columns) + hint
        )
    for column in spec.hidden:
        if column in columns:
            raise spec.error(
                DataError, "hidden_in_data", "graph.hidden", f"재지 못했다고(hidden) 한 '{column}' 열이 자료에 있습니다.",
                "쟀으면 hidden에서 빼고, 써서는 안 되는 값이면 그래프의 이름을 바꾸세요.",
            )  # fmt: skip
    return [c for c in columns if c in wanted]


def prepare(spec: Spec, raw: pd.DataFrame, losses: list[Loss] | None = None) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """표를 살피고, 단계들이 쓰는 꼴로 바꿉니다. ``raw``는 바꾸지 않습니다. 뺀 행은 ``losses``에 더합니다.

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
        raise spec.error(
            DataError,
            "header_duplicate",
            "data",
            f"같은 열 이름이 두 번 있습니다: {names(twice)}.",
            "열 이름을 서로 다르게 고치세요.",
        )
    frame = raw[known_columns(spec, list(raw.columns))].reset_index(drop=True)
    if frame.empty:
        raise spec.error(DataError, "data_no_rows", "data.path", "행이 없습니다.", "자료를 다시 내보내세요.")
    _flat(spec, frame)
    frame, words, notices = _plain(spec, frame)
    if spec.source.missing == "refuse":  # 행을 되풀이하기 앞에 보아야 행의 번호가 파일의 것입니다
        _missing(spec, frame, words, [])
    frame, more = weighting.prepare(spec, frame)
    notices += more
    blanks = int(frame[spec.treatment.column].isna().sum())
    frame, more = _missing(spec, frame, words, losses if losses is not None else [])
    notices += more
    _enough(spec, frame, sum(loss.lost for loss in losses or ()))
    _infinite(spec, frame)
    _outcome(spec, frame)
    notices += doubts.inspect(spec, frame)
    for owned in spec.fields:
        notices += owned.encode(spec, frame)
    _units(spec, frame)
    _treatment(spec, frame, blanks)
    _assignment(spec, frame)
    notices += _covariates(spec, frame)
    for owned in spec.fields:
        notices += owned.inspect(spec, frame)
    return frame.reset_index(drop=True), tuple(notices)


def _flat(spec: Spec, frame: pd.DataFrame) -> None:
    """칸마다 값 하나인지. 목록이 든 칸, 길이를 재는 시간, 복소수는 읽지 않습니다."""
    for column in frame.columns:
        values = frame[column]
        first = next(iter(values.dropna()), None) if values.dtype.kind == "O" else None
        if isinstance(first, (list, dict, set, tuple, np.ndarray)):
            what = "목록이나 묶음이"
        elif values.dtype.kind in "mc":
            what = "시간의 길이가" if values.dtype.kind == "m" else "복소수가"
        else:
            continue
        raise spec.column_error(
            DataError, "nested_values", column, f"'{column}'의 칸에 {what} 들어 있습니다.", "칸마다 수나 글자 하나가 되게, 초나 개수처럼 수로 바꾼 열을 만들어 그 이름을 적으세요.",
        )  # fmt: skip


def _plain(spec: Spec, frame: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, dict[str, int]], list[str]]:
    """글자로 읽힌 열을 살핍니다: (표, 열마다 빈칸으로 읽은 낱말, 한 일). 낱말과 뗀 빈칸은 모두 수와 함께 적습니다."""
    columns, words, notices = {}, {}, []
    for name in frame.columns:
        arms = spec.treatment.words() if name == spec.treatment.column else ()
        columns[name], gone, kept, trimmed = plain_values(frame[name], spec.source.blank, arms)
        if gone:
            words[name] = gone
            notices.append(f"'{name}'의 {counted(gone)}를 빈칸으로 읽었습니다.")
        if kept:
            notices.append(
                f"'{name}'의 {counted(kept)}를 빈칸이 아니라 값으로 읽었습니다. 빈칸을 뜻하면 자료에서 비우세요."
            )
        if trimmed:
            notices.append(f"'{name}'의 글자 {trimmed:,}개에서 앞뒤의 빈칸을 뗐습니다.")
    read = {word for gone in words.values() for word in gone}
    if unseen := [e for e in spec.source.blank if not any(same_level(word, e) for word in read)]:
        notices.append(f"data.blank에 적은 {names(map(str, unseen))}은(는) 읽은 열의 어디에도 없습니다.")
    return pd.DataFrame(columns, index=frame.index), words, notices


def counted(words: dict[str, int]) -> str:
    """낱말마다의 수(``'NA' 12개, '-' 3개``)."""
    return ", ".join(f"'{visible(word)}' {count:,}개" for word, count in words.items())


def _may_be_empty(spec: Spec) -> set[str]:
    return {column for owned in spec.fields for column in owned.may_be_empty()}


def _missing(
    spec: Spec, frame: pd.DataFrame, words: dict[str, dict[str, int]], losses: list[Loss]
) -> tuple[pd.DataFrame, list[str]]:
    columns = [c for c in frame.columns if c not in _may_be_empty(spec)]
    empty = frame[columns].isna()
    counts = empty.sum()
    bad = [c for c in columns if counts[c]]
    if not bad:
        return frame, []
    for column in bad:
        if counts[column] == len(frame):
            raise spec.column_error(
                DataError,
                "column_empty",
                column,
                f"'{column}' 열이 모두 비어 있습니다.",
                "다른 열을 적거나 자료를 다시 내보내세요. 엑셀의 수식이면 엑셀에서 열어 다시 저장해야 셈한 값이 남고, SQL의 log이면 0 이하인 값이 빈칸이 됩니다.",
            )
    listed = ", ".join(f"'{c}' {counts[c]:,}개" for c in bad[:6])
    rows = int(empty.any(axis=1).sum())
    if spec.source.missing == "refuse":
        first = int(empty.any(axis=1).to_numpy().argmax())
        read = [f"'{c}'의 {counted(words[c])}" for c in bad if c in words]
        said = f" 빈칸으로 읽은 낱말: {'; '.join(read)}." if read else ""
        raise spec.column_error(
            DataError, "missing_values", bad[0], f"빈칸(NaN)이 있습니다: {listed}. 첫 빈칸은 {first + 1}번째 행입니다.{said}",
            _fill_or_drop(spec, frame, bad, rows),
        )  # fmt: skip
    y = spec.outcome.column
    kept_empty = (
        [y] if spec.treatment.randomized and not spec.repeats_units else []
    )  # 실험에서는 사라진 결과가 한쪽에 몰렸는지 봅니다
    if spec.source.missing == "flag":
        kept_empty += [
            c for c in spec.covariates() if c not in spec.negative_outcomes and c not in spec.negative_treatments
        ]
    must = [c for c in columns if c not in kept_empty]
    gone = empty[must].any(axis=1)
    kept = frame[~gone].reset_index(drop=True)
    if kept.empty or kept[y].isna().all():
        raise spec.error(
            DataError,
            "missing_everywhere",
            "data.missing",
            "빈칸이 있는 행을 빼면 아무것도 남지 않습니다.",
            "data에 `missing: flag`를 적어 공변량의 빈칸을 남겨 두고 보정하세요.",
        )
    notices = []
    if gone.any():
        losses.append(_loss(spec, frame, gone))
        listed = ", ".join(f"'{c}' {counts[c]:,}개" for c in bad if c in must)
        notices.append(f"빈칸이 있는 {int(gone.sum()):,}행을 뺐습니다({listed}). 남은 행은 {len(kept):,}개입니다.")
    for column in (c for c in bad if c in kept_empty):
        what = (
            "결과가 빈 행은 추정에서 빠지고, 어느 쪽에 몰렸는지 점검합니다"
            if column == y
            else "빈칸은 가운데 값과 빈칸 표시로 바꾸어 보정합니다"
        )
        notices.append(f"'{column}'의 빈칸 {counts[column]:,}개를 남겨 두었습니다. {what}.")
    return kept, notices


def _fill_or_drop(spec: Spec, frame: pd.DataFrame, bad: list[str], rows: int) -> str:
    """빈칸을 만났을 때 할 일. 빼면 안 되는 빈칸이면 빼라고 하지 않습니다."""
    if spec.treatment.column in bad and (how := _blank_is_an_arm(spec, frame)):
        return how
    if rows > 0.4 * len(frame):
        return (
            f"빈칸이 있는 행이 {rows / len(frame):.0%}라서, 빼고 분석하면 결정에 쓸 수 없습니다(등급 C). 먼저 채우세요. 엑셀의 병합된 칸이면 아래로 채우고, "
            "0이나 음수의 log이면 log를 쓰지 않은 결과를 적고, 공변량의 빈칸이면 data에 `missing: flag`를 적으세요."
        )
    return f"빈칸을 채우거나, data에 `missing: drop`을 적어 {rows:,}행을 빼고 분석하세요. 빠진 까닭이 처치나 결과와 이어지면 답이 달라집니다."


def _blank_is_an_arm(spec: Spec, frame: pd.DataFrame) -> str:
    """처치의 빈칸이 '받지 않음'일 수 있으면(적힌 값이 하나뿐이거나 control이 없으면) 그 말을 채우는 SQL. 아니면 빈 글입니다."""
    t = spec.treatment
    values = frame[t.column].dropna()
    if (
        t.kind == "continuous"
        or not frame[t.column].isna().any()
        or any(same_level(v, t.control) for v in values.unique())
    ):
        return ""
    cell = sql_name(t.column)
    filled = f"coalesce(nullif(trim(CAST({cell} AS VARCHAR)), ''), 'none')"
    return (
        f"처치의 빈칸이 '받지 않음'을 뜻하면 빼지 말고, {rewriting(spec, {t.column: filled})}고 `control: none`으로 두세요. "
        "받았는지 모르는 것이면 받지 않은 쪽의 자료를 함께 두세요."
    )


def _loss(spec: Spec, frame: pd.DataFrame, gone: pd.Series) -> Loss:
    """뺀 행의 팔마다의 수와, 처치와 결과에 이어지는지. 연속 처치는 가운데 값의 위와 아래로 나눕니다."""
    values = frame[spec.treatment.column]
    if spec.treatment.kind == "continuous":
        dose = pd.to_numeric(values, errors="coerce")
        values = pd.Series(np.where(dose > dose.median(), "많이 받은 쪽", "적게 받은 쪽"), index=frame.index).where(
            dose.notna()
        )
    shown = values.map(lambda v: f"{v:g}" if isinstance(v, float) else str(v)) if len(values) else values
    arm = shown.astype(object).where(values.notna(), "모름")
    sizes = arm.value_counts(sort=False).sort_index()
    lost = arm[gone].value_counts().reindex(sizes.index, fill_value=0)
    known = [name for name in sizes.index if name != "모름"]
    shares = [lost[name] / sizes[name] for name in known]
    codes = _clusters(spec, frame)
    p_treatment = p_outcome = None
    if len(known) > 1 and 0 < gone[arm != "모름"].sum() < (arm != "모름").sum():
        each = [_tied(gone, (arm == name).astype(float), arm != "모름", codes) for name in known[1:]]
        p_treatment = min(1.0, len(each) * min(each))
    y = pd.to_numeric(frame[spec.outcome.column], errors="coerce")
    apart = y - y.groupby(arm).transform("mean")
    if min(apart[gone].notna().sum(), apart[~gone].notna().sum()) >= 5:
        p_outcome = _tied(gone, apart, apart.notna(), codes)
    arms = {name: (int(lost[name]), int(sizes[name])) for name in sizes.index}
    gap = float(max(shares) - min(shares)) if shares else 0.0
    return Loss("빈칸이 있는", int(gone.sum()), len(frame), arms, gap, p_treatment, p_outcome)


def _clusters(spec: Spec, frame: pd.DataFrame) -> np.ndarray | None:
    """빠짐이 함께 일어날 수 있는 묶음: 처치를 정한 단위, 되풀이해 본 대상, 반복 횡단면의 집단. 없으면 None."""
    groups = [role.column for owned in spec.fields for role in owned.roles() if role.where.endswith(".group")]
    column = spec.treatment.cluster or (spec.unit if spec.repeats_units else None) or next(iter(groups), None)
    return None if column is None else pd.factorize(frame[column])[0] + 1


def _tied(gone: pd.Series, x: pd.Series, keep: pd.Series, codes: np.ndarray | None) -> float:
    """빠짐을 ``x``에 회귀한 기울기가 0인지의 (군집) 강건 p값."""
    from scipy import stats

    from causal_pipeline.inference import least_squares

    rows = keep.to_numpy()
    v = x.to_numpy(dtype=float)[rows]
    if np.ptp(v) < 1e-12:
        return 1.0
    clusters = None if codes is None else np.unique(codes[rows], return_inverse=True)[1]
    beta, covariance, _ = least_squares(
        np.column_stack([np.ones(len(v)), v]), gone.to_numpy(dtype=float)[rows], clusters
    )
    units = len(v) if clusters is None else int(clusters.max()) + 1
    return float(2 * stats.t.sf(abs(beta[1]) / max(np.sqrt(covariance[1, 1]), 1e-300), max(units - 2, 1)))


def _enough(spec: Spec, frame: pd.DataFrame, lost: int = 0) -> None:
    if len(frame) < MIN_ROWS:
        gone = f" 빈칸 때문에 뺀 행이 {lost:,}개입니다." if lost else ""
        raise spec.error(
            DataError,
            "too_few_rows",
            "data",
            f"행이 {len(frame)}개뿐입니다.{gone}",
            f"적어도 {MIN_ROWS}행이 있어야 합니다. {'빈칸을 먼저 채우세요(엑셀의 병합된 칸이면 아래로 채웁니다).' if lost else '더 오래, 더 많은 대상에서 모으세요.'}",
        )


def _infinite(spec: Spec, frame: pd.DataFrame) -> None:
    named = {*spec.identifiers(), *([spec.treatment.cluster] if spec.treatment.cluster else [])}
    for column in frame.columns:
        kind = frame[column].dtype.kind
        if kind == "f" and column in named and (frame[column].abs() >= LARGEST_ID).any():
            raise spec.column_error(
                DataError, "id_too_long", column, f"번호 '{column}'이(가) 너무 길어(열여섯 자리 이상) 실수로 읽혔습니다. 그러면 다른 번호가 같아집니다.",
                "원본에서 번호를 글자로 저장하세요(파케이와 DuckDB는 VARCHAR, 엑셀은 '텍스트' 서식). CSV이면 sql 없이 읽으면 적힌 글자 그대로 읽습니다.",
            )  # fmt: skip
        if kind == "f" and (large := frame[column].abs().pipe(lambda v: v[np.isfinite(v)]).max()) > LARGEST:
            raise spec.column_error(
                DataError, "too_large", column, f"'{column}'에 너무 큰 수({large:.3g})가 있습니다. 제곱하면 셀 수 있는 크기를 넘습니다.",
                "단위를 바꾸어(천, 백만으로 나누어) 저장하거나, 빈칸 대신 적은 수이면 data의 blank에 적으세요.",
            )  # fmt: skip
        if kind == "f" and column not in _may_be_empty(spec):
            infinite = np.isinf(frame[column].to_numpy())
            if infinite.any():
                raise spec.column_error(
                    DataError, "infinite_values", column, f"'{column}' 열에 무한대(Inf)가 {int(infinite.sum()):,}개 있습니다. 첫째는 {int(infinite.argmax()) + 1}번째 행입니다.",
                    "0으로 나눈 비율이 아닌지 보고 그 행의 값을 고치세요. 0의 log이면 비우지 마세요. 작은 값만 빠져 답이 치우치므로, log를 쓰지 않은 결과나 0보다 큰지를 결과로 적습니다.",
                )  # fmt: skip


def _outcome(spec: Spec, frame: pd.DataFrame) -> None:
    y = spec.outcome.column
    require_numeric(spec, frame, y, "결과")
    frame[y] = frame[y].astype("float64")
    if frame[y].nunique() == 1:
        raise spec.error(
            DataError,
            "outcome_constant",
            "outcome.column",
            f"결과 '{y}'의 값이 모두 {frame[y].iloc[0]:g}입니다.",
            "값이 갈리는 결과를 적거나, 거른 조건을 보세요.",
        )


def _units(spec: Spec, frame: pd.DataFrame) -> None:
    if spec.unit and not spec.repeats_units:
        twice = frame[spec.unit].duplicated()
        if twice.any():
            raise spec.error(
                DataError, "duplicate_units", "unit", f"'{spec.unit}'이(가) 같은 행이 {int(twice.sum()):,}개 더 있습니다(예: {frame[spec.unit][twice].iloc[0]}).",
                "단위마다 한 행이 되게 모으거나, 여러 시점이면 panel을 적으세요.",
            )  # fmt: skip


def _treatment(spec: Spec, frame: pd.DataFrame, blanks: int = 0) -> None:
    t = spec.treatment
    values = frame[t.column]
    if values.nunique() == 1:
        raise spec.error(
            DataError,
            "treatment_constant",
            "treatment.column",
            f"처치 '{t.column}'의 값이 모두 '{values.iloc[0]}'입니다."
            + (f" 처치가 빈 {blanks:,}행은 뺐습니다." if blanks else ""),
            "처치의 빈칸(이나 blank에 적은 값)이 '받지 않음'을 뜻하면 빼지 말고 'none'처럼 값을 채우세요."
            if blanks
            else "처치받지 않은 쪽의 자료도 함께 두세요.",
        )
    if t.kind == "continuous":
        require_numeric(spec, frame, t.column, "처치")
        frame[t.column] = frame[t.column].astype("float64")
        if frame[t.column].nunique() < 5:
            raise spec.error(
                DataError,
                "treatment_not_continuous",
                "treatment.kind",
                f"연속형 처치 '{t.column}'의 값이 {frame[t.column].nunique()}가지뿐입니다.",
                "kind를 binary나 multi로 바꾸세요.",
            )
        low, high = frame[t.column].min(), frame[t.column].max()
        for key in ("control", "treated"):
            level = float(getattr(t, key))
            if not low <= level <= high:
                raise spec.error(
                    DataError,
                    "dose_outside",
                    f"treatment.{key}",
                    f"{key} {level:g}은(는) 자료의 범위({low:g}~{high:g}) 밖입니다.",
                    "본 적 있는 값을 적으세요. 밖으로 늘려 잡은 효과는 모델의 상상입니다.",
                )
        return
    levels = _levels(values)
    picked = {}
    for key in ("control", "treated"):
        wanted = getattr(t, key)
        match = [raw for raw, shown in levels.items() if same_level(shown, wanted)]
        if not match:
            raise spec.error(
                DataError, "treatment_level_missing", f"treatment.{key}", f"처치 '{t.column}'에 {key} 값 '{wanted}'이(가) 없습니다.",
                f"자료에 있는 값은 {names([_plain_number(v) for v in levels.values()], 8)}입니다. 그 가운데 하나를 적으세요.{_unquoted(wanted)}",
            )  # fmt: skip
        picked[key] = match[0]
    if t.kind == "binary":
        others = [shown for raw, shown in levels.items() if raw not in picked.values()]
        if others:
            raise spec.error(
                DataError, "treatment_too_many_levels", "treatment.kind", f"이진 처치 '{t.column}'에 다른 값도 있습니다: {names(map(_plain_number, others))}.",
                "다른 팔이면 kind를 multi로 바꾸고, 합계나 평균을 적은 줄이면 지우고, 잘못 적은 값이면 원본에서 고치세요.",
            )  # fmt: skip
        frame[t.column] = (values == picked["treated"]).astype("int64")
    else:
        if len(levels) > MAX_LEVELS:
            raise spec.error(
                DataError,
                "treatment_too_many_levels",
                "treatment.kind",
                f"처치 '{t.column}'의 값이 {len(levels)}가지입니다.",
                "수이면 kind를 continuous로 바꾸고, 아니면 비슷한 값을 묶으세요.",
            )
        frame[t.column] = matched_levels(values, [t.control, t.treated])
    if not any(owned.counts_arms for owned in spec.fields):
        for key in ("control", "treated"):
            level = {"control": 0, "treated": 1}[key] if t.kind == "binary" else getattr(t, key)
            size = int((frame[t.column] == level).sum())
            if size < MIN_ARM:
                arm = "대조군" if key == "control" else "실험군"
                raise spec.error(
                    DataError, "arm_too_small", f"treatment.{key}", f"{josa(arm, '이/가')} {size}개뿐입니다.",
                    f"두 쪽에 적어도 {MIN_ARM}개씩 있어야 합니다. 처치받은 대상이 하나이면 앞뒤의 기록을 모아 panel(통제집단합성법)로 물으세요.",
                )  # fmt: skip


def _plain_number(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _unquoted(wanted: object) -> str:
    """YAML이 참거짓으로 바꾼 말(yes, no, on, off)이면 따옴표로 감싸라는 말."""
    return " YAML은 yes와 no, on과 off를 참과 거짓으로 읽으므로 따옴표로 감싸세요(예: control: 'no')." if isinstance(wanted, bool) else ""  # fmt: skip


def _levels(values: pd.Series) -> dict[Any, Any]:
    """자료의 값 → 보여 줄 값."""
    found = [v.item() if hasattr(v, "item") else v for v in values.unique()]
    return {v: (v.strip() if isinstance(v, str) else v) for v in sorted(found, key=lambda v: (str(type(v)), v))}


def _assignment(spec: Spec, frame: pd.DataFrame) -> None:
    t = spec.treatment
    if isinstance(t.probability, str):
        require_numeric(spec, frame, t.probability, "처치 확률")
        share = frame[t.probability]
        if not share.between(0, 1, inclusive="neither").all():
            raise spec.error(
                DataError,
                "probability_values",
                "treatment.probability",
                f"처치 확률 '{t.probability}'에 0과 1 사이가 아닌 값이 있습니다.",
                "퍼센트이면 100으로 나누고, 0이나 1이면 그 행은 견줄 짝이 없으니 빼세요.",
            )
    if t.cluster:
        groups = frame[t.cluster].nunique()
        few = "군집을 지우면 구간이 거짓으로 좁아지므로 지우지 말고, 더 많은 단위에서 모으세요."
        if groups < MIN_CLUSTERS:
            raise spec.error(
                DataError, "too_few_clusters", "treatment.cluster", f"처치를 정한 단위 '{t.cluster}'이(가) {groups}개뿐입니다. 적어도 {MIN_CLUSTERS}개가 있어야 표준오차를 잴 수 있습니다.",
                few,
            )  # fmt: skip
        together = frame.groupby(t.cluster, observed=True)[t.column].agg(["nunique", "first"])
        if (
            t.kind != "continuous"
            and not any(owned.counts_arms for owned in spec.fields)
            and (together["nunique"] == 1).all()
        ):
            smallest = together["first"].value_counts()
            if smallest.min() < MIN_CLUSTERS_AN_ARM:
                raise spec.error(
                    DataError, "too_few_clusters", "treatment.cluster",
                    f"한쪽 팔의 '{t.cluster}'이(가) {smallest.min()}개뿐입니다. 팔마다 적어도 {MIN_CLUSTERS_AN_ARM}개가 있어야 합니다.", few,
                )  # fmt: skip
        if t.cluster in spec.adjusted_names():  # 번호가 아니라 범주입니다. 수로 보정하면 3호점이 1호점의 세 배가 됩니다
            frame[t.cluster] = categories(frame[t.cluster])
        else:
            frame[t.cluster] = pd.factorize(frame[t.cluster], sort=True)[0].astype("int64")


def _covariates(spec: Spec, frame: pd.DataFrame) -> list[str]:
    t, y = spec.treatment.column, spec.outcome.column
    notices = doubts.integer_codes(spec, frame)
    for column in spec.covariates():
        values = frame[column].dropna()
        if column in spec.negative_outcomes or column in spec.negative_treatments:
            require_numeric(spec, frame, column, "음성 대조군")
            values = frame[column]
        if values.nunique() == 1 and not spec.repeats_units:
            raise spec.column_error(
                DataError,
                "covariate_constant",
                column,
                f"'{column}'의 값이 모두 '{values.iloc[0]}'입니다.",
                "자료를 거르다 한 값만 남지 않았는지, 열의 이름이 맞는지 보세요. 정말 모두 같은 값이면 적지 않아도 답이 같습니다.",
            )
        if column in spec.numbers and values.dtype.kind not in "biuf":
            require_numeric(spec, frame, column, "numbers에 적은")
        if column in spec.categories and column != spec.treatment.cluster:
            if values.nunique() > MAX_LEVELS:
                raise _many_levels(spec, column, values.nunique())
            frame[column] = categories(values.reindex(frame.index))
            notices.append(f"'{column}'을(를) 범주로 읽었습니다({values.nunique()}가지).")
            continue
        if values.dtype.kind in "biuf":
            require_numeric(spec, frame, column, "공변량")
            if (
                spec.treatment.kind == "binary"
                and not spec.repeats_units
                and frame[column].nunique() == 2
                and _copies(frame[column], frame[t])
            ):
                raise _copy_of_treatment(spec, column)
            if values.nunique() > 2 and not spec.repeats_units and abs(frame[column].corr(frame[y])) > 0.99999:
                raise spec.column_error(
                    DataError,
                    "covariate_is_outcome",
                    column,
                    f"'{column}'이(가) 결과 '{y}'과(와) 똑같이 움직입니다.",
                    "결과를 다르게 적은(또는 결과에서 만든) 열입니다. 명세에서 빼세요.",
                )
            continue
        if values.dtype.kind == "M" or looks_like_dates(values.astype(str).str.strip()):
            raise spec.column_error(
                DataError,
                "date_covariate",
                column,
                f"'{column}'이(가) 날짜입니다(예: '{values.iloc[0]}').",
                "가입한 지 며칠처럼 처치 시점까지의 수로 바꾸세요.",
            )
        text, levels = values.astype(str), values.nunique()
        if levels > 2:
            reject_written_numbers(spec, column, text, "공변량")
        if levels > MAX_LEVELS:
            mostly = pd.to_numeric(pd.Series(text.unique()).str.replace(",", ""), errors="coerce").notna()
            if 0.5 < mostly.mean() < 1:
                require_numeric(spec, frame, column, "공변량")
            raise _many_levels(spec, column, levels)
        if levels == 2 and spec.treatment.kind == "binary" and not spec.repeats_units:
            code = pd.Series(pd.factorize(frame[column])[0], index=frame.index)
            if (code >= 0).all() and _copies(code, frame[t]):
                raise _copy_of_treatment(spec, column)
        numeric = pd.to_numeric(pd.Series(text.unique(), dtype=object), errors="coerce").notna()
        if numeric.mean() >= 0.5 and levels > 3:
            words = sorted(pd.Series(text.unique(), dtype=object)[~numeric.to_numpy()])
            notices.append(f"'{column}'에 수와 글자({names(words, 3)})가 섞여 있어 값마다 다른 범주로 읽었습니다. 글자가 빈칸을 뜻하면 data의 blank에 적으세요.")  # fmt: skip
        frame[column] = categories(values.reindex(frame.index))
    return notices


def _copy_of_treatment(spec: Spec, column: str) -> DataError:
    return spec.column_error(
        DataError, "covariate_is_treatment", column,
        f"'{column}'이(가) 처치 '{spec.treatment.column}'과(와) 똑같이 움직입니다.",
        f"처치를 다르게 적은 열이면 적지 않습니다. 다른 변수('{column}'에 따라 처치가 정해진 것)이면 견줄 짝이 하나도 없어 이 자료로는 답할 수 없습니다. 그 값이 같으면서 처치가 갈린 대상을 모으세요.",
    )  # fmt: skip


def _many_levels(spec: Spec, column: str, levels: int) -> DataError:
    return spec.column_error(
        DataError, "too_many_levels", column, f"범주 '{column}'의 값이 {levels:,}가지입니다. 값마다 나누어 견주는 것은 {MAX_LEVELS}가지까지입니다.",
        f"지역이나 업종처럼 뜻이 통하는 {MAX_LEVELS}가지 안의 무리로 묶은 열을 만들어 그 이름을 적으세요. 대상마다 다른 번호나 주소는 아무것도 가르지 못합니다.",
    )  # fmt: skip


def categories(values: pd.Series) -> pd.Series:
    """글자로 바꾼 범주. 빈칸은 빈칸으로 남습니다."""
    text = values.dropna().astype(str).str.strip()
    return text.reindex(values.index).astype(pd.CategoricalDtype(sorted(text.unique())))


def _copies(a: pd.Series, b: pd.Series) -> bool:
    same = ((a == a.max()).to_numpy() == (b == b.max()).to_numpy()).mean()
    return bool(same in (0.0, 1.0))
