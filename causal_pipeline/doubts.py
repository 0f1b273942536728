"""값의 의심: 읽히기는 하지만 뜻이 달라 보이는 값을 찾아, 답이 조용히 틀리기 전에 묻습니다.

물음마다 답을 적을 자리가 있습니다. 빈칸을 뜻하는 값은 ``data.blank``에, 번호인 정수는 ``categories``에, 정말 그 수이면
``numbers``에 적습니다. ``numbers``에 적은 열은 다시 묻지 않습니다.
"""

import re

import numpy as np
import pandas as pd
from scipy import stats

from causal_pipeline.checks import flagged
from causal_pipeline.errors import DataError
from causal_pipeline.model import Check, Spec
from causal_pipeline.values import folded_code, folded_names, rewriting, selecting
from causal_pipeline.wording import josa, names, number, quoted, sql_name

# 번호처럼 보이는 정수의 문턱. 처치와 결과가 모두 이만큼 드물게 들쭉날쭉해야 묻습니다(곧고 매끄러운 수에서는 거의 울리지 않습니다).
CODE_LEVEL = 1e-4
# 값이 이보다 적으면 굽은 수와 번호를 가를 수 없습니다. 서너 가지는 이차식과 나무가 그대로 맞춥니다.
FEWEST_CODES = 5
# 값마다의 평균을 재려면 이만큼은 되풀이되어야 합니다.
OFTEN = 10
# 범주로 나누어 견줄 수 있는 값의 수.
MOST_CATEGORIES = 30
# 가운데 99%의 너비의 이 배보다 멀리 떨어진 결과. 로그정규(σ=2)에서도 만 행에 하나가 나오지 않습니다.
FAR = 1_000
_DISTINCT_RANGE = (3, 20)
_CODE_NAME = re.compile(
    r"code|region|district|branch|store|shop|team|type|class|kind|group|channel|지역|지점|매장|점포|코드|번호|구분|유형|등급",
    re.IGNORECASE,
)
# 한 번만 나온 99 따위는 나머지의 가운데 99%의 너비의 이 배보다 멀리 떨어졌을 때에만 묻습니다.
LONE = 5.0
# 빈칸 대신 흔히 적는 수. 한 자리는 설문의 '모름', '무응답'입니다.
SENTINELS = tuple(sign * int(digit * length) for sign in (-1, 1) for digit in "98" for length in range(1, 9))


def inspect(spec: Spec, frame: pd.DataFrame) -> list[str]:
    """의심스러운 값이 있으면 멈추고, 멈출 만큼은 아니면 보고서에 적을 문장을 냅니다.

    Parameters
    ----------
    frame : pandas.DataFrame
        빈칸과 결과를 살핀 뒤의 표. 처치는 아직 자료의 값 그대로입니다.

    Raises
    ------
    DataError
        빈칸을 뜻하는 것처럼 보이는 수, 자릿수 점, 합계 줄, 되풀이된 행이 있을 때.
    """
    notices = []
    for column in _numeric(spec, frame):
        _sentinels(spec, frame[column].dropna(), column)
        _dotted_thousands(spec, frame[column].dropna(), column)
    _total_row(spec, frame)
    _repeated_rows(spec, frame)
    _total_names(spec, frame)
    _spelled_twice(spec, frame)
    notices += _two_valued_outcome(spec, frame)
    notices += _case_only(spec, frame)
    return notices


def _numeric(spec: Spec, frame: pd.DataFrame) -> list[str]:
    """의심해 볼 수의 열: 결과, 공변량, 양인 처치. 확인한 열(numbers, categories)은 뺍니다."""
    wanted = [spec.outcome.column, *spec.covariates()]
    if spec.treatment.kind == "continuous":
        wanted.append(spec.treatment.column)
    wanted += [role.column for role in spec.roles() if role.where in {"instrument", "running.column"}]
    sure = {*spec.numbers, *spec.categories}
    return [c for c in dict.fromkeys(wanted) if c not in sure and frame[c].dtype.kind in "iuf"]


def _keep_or_blank(column: str) -> str:
    return f"정말 그 값이면 명세에 `numbers: [{quoted(column)}]`를 적으세요."


def _sentinels(spec: Spec, values: pd.Series, column: str) -> None:
    found = sentinel_values(values.to_numpy(dtype=float))
    if not found:
        return
    shown = ", ".join(f"{number(v)} {n:,}개" for v, n in found.items())
    listed = ", ".join(f"{v:g}" for v in found)
    rest = values[~values.isin(list(found))]
    raise spec.column_error(
        DataError, "sentinel_values", column,
        f"'{column}'에 빈칸 대신 적은 것처럼 보이는 값이 있습니다: {shown}. 나머지는 {number(float(rest.min()))}에서 {number(float(rest.max()))} 사이입니다.",
        f"빈칸을 뜻하면 data에 `blank: [{listed}]`를, {_keep_or_blank(column)}",
    )  # fmt: skip


def sentinel_values(values: np.ndarray) -> dict[float, int]:
    """빈칸 대신 적은 것처럼 보이는 수와 그 개수. 나머지 값의 무리에서 뚝 떨어진 9와 8의 되풀이만 봅니다.

    한 번만 나왔으면 두 자리가 넘고 ``LONE``배 멀리 떨어졌을 때에만 봅니다. 하나뿐인 −999도 평균을 크게 옮깁니다.

    Parameters
    ----------
    values : array, shape (n,)
        빈칸이 없는 수.
    """
    found, counts = np.unique(values, return_counts=True)
    at = np.isin(found, SENTINELS) & ((counts >= 2) | (np.abs(found) >= 100))
    at |= _far_zero(found, counts)
    if not at.any() or len(found) - at.sum() < 3:
        return {}
    rest = found[~at]
    size = counts[~at].sum()
    low, high = np.quantile(values[~np.isin(values, found[at])], [0.005, 0.995])
    out = {}
    for v, n in zip(found[at], counts[at], strict=True):
        gap = rest.min() - v if v < rest.min() else v - rest.max()
        if gap <= (0.5 if n >= 2 else LONE) * max(high - low, 1e-300):
            continue
        if 0 < abs(v) < 10 and (n < 5 or n < 0.01 * size or len(rest) > 8):  # 한 자리는 정말 그 횟수일 때가 많습니다
            continue
        out[float(v)] = int(n)
    return out


def _far_zero(found: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """0이 나머지 값의 무리에서 그 너비의 두 배보다 멀리 떨어졌으면 그 자리. 사지 않은 손님의 0은 이만큼 떨어지지 않습니다."""
    zero = found == 0
    rest = found[~zero]
    if not zero.any() or len(rest) < 10 or counts[zero].sum() < 2 or (rest.min() < 0 < rest.max()):
        return np.zeros(len(found), dtype=bool)
    return zero & (np.abs(rest).min() > 2 * np.ptp(rest))


def _dotted_thousands(spec: Spec, values: pd.Series, column: str) -> None:
    """'1.234'가 천이백삼십사인 파일. 1,000보다 작은 정수와 소수 셋째 자리까지 있는 수가 섞여 있습니다."""
    v = values.to_numpy(dtype=float)
    size = np.abs(v)
    whole = v == np.round(v)
    parts = size[~whole]
    if len(parts) < 10 or size.max() >= 1_000 or parts.min() < 1:
        return
    thousandths = parts * 1_000
    if np.abs(thousandths - np.round(thousandths)).max() > 1e-6:
        return
    third = np.abs(parts * 100 - np.round(parts * 100)) > 1e-6
    # 소수 셋째 자리까지 잰 수라면 꼭 떨어지는 정수가 천에 하나뿐이고, 그 크기도 나머지와 같습니다.
    if third.mean() < 0.6 or whole.mean() < 0.01 or np.median(size[whole]) < 5 * np.median(parts):
        return
    raise spec.column_error(
        DataError, "dotted_thousands", column,
        f"'{column}'의 점이 자릿수를 나누는 점으로 보입니다(예: {parts[0]:.3f}). 점이 없는 수는 {int(whole.sum()):,}개이고 가운데 값이 {number(float(np.median(size[whole])))}입니다.",
        f"1.234가 천이백삼십사이면 원본에서 자릿수 구분 없이 다시 내보내세요(엑셀: 셀 서식에서 '1000 단위 구분 기호'를 끕니다). {_keep_or_blank(column)}",
    )  # fmt: skip


def _total_row(spec: Spec, frame: pd.DataFrame) -> None:
    """결과가 나머지의 합과 같은 줄."""
    y = spec.outcome.column
    if y in spec.numbers:
        return
    v = frame[y].dropna()
    if len(v) < 10:
        return
    order = v.abs().to_numpy().argsort(kind="stable")[::-1]
    big = v.to_numpy(dtype=float)[order]
    most = min(50, len(v) // 4)
    top = np.cumsum(big)[:most]
    ahead = np.abs(big[:most]) > 2 * np.abs(big[1 : most + 1])
    apart = np.append(True, np.cumprod(np.diff(big[:most]) != 0) == 1)  # 값이 몇 가지뿐인 결과는 우연히 맞아떨어집니다
    found = np.flatnonzero(ahead & apart & np.isclose(top, big.sum() - top, rtol=1e-6, atol=0))
    if not len(found):
        return
    rows = sorted(int(frame.index.get_loc(v.index[i])) + 1 for i in order[: found[0] + 1])
    which = f"{rows[0]}번째 행의 '{y}'({number(float(big[0]))})이" if len(rows) == 1 else f"{', '.join(map(str, rows[:5]))}번째 행{' 밖에 몇 행' if len(rows) > 5 else ''}의 '{y}'를 더한 값이"  # fmt: skip
    raise spec.error(
        DataError, "total_row", "outcome.column",
        f"{which} 나머지를 모두 더한 값과 같습니다. 합계 줄로 보입니다.",
        f"원본에서 합계 줄을 지우세요. {_keep_or_blank(y)}",
    )  # fmt: skip


_TOTALS = {"합계", "총계", "소계", "총합계", "누계", "계", "합", "평균", "전체", "전체합계", "total", "grandtotal", "subtotal", "sum", "average", "mean", "totals"}  # fmt: skip


def _names_of(spec: Spec) -> list[tuple[str, str]]:
    """이름표인 열과 그 자리: 단위, 집단, 군집, 갈래가 여럿인 처치. 확인한 열(categories)은 뺍니다."""
    named = {"unit", "treatment.cluster", "panel.unit", "cross_sections.group"}
    named |= {"treatment.column"} if spec.treatment.kind != "continuous" else set()
    return [(role.column, role.where) for role in spec.roles() if role.where in named and role.column not in spec.categories]  # fmt: skip


def _total_names(spec: Spec, frame: pd.DataFrame) -> None:
    """대상이나 집단의 이름이 '합계'이면 합계 줄입니다. 명세에 적은 팔의 이름(`treated: 전체`)은 묻지 않습니다."""
    for column, where in _names_of(spec):
        if frame[column].dtype.kind in "iufbM":
            continue
        levels = pd.Series(frame[column].dropna().unique(), dtype=object)
        arms = spec.treatment.words() if where == "treatment.column" else ()
        if found := sorted(levels[(folded_names(levels).isin(_TOTALS) & ~levels.isin(arms)).to_numpy()].astype(str)):
            rows = int(frame[column].isin(found).sum())
            raise spec.error(
                DataError, "total_name", where, f"'{column}'에 {josa(names(found), '이라는/라는')} 이름이 {rows:,}행 있습니다. 합계나 평균을 적은 줄로 보입니다.",
                f"원본에서 그 줄을 지우세요. 정말 그런 이름의 대상이면 명세에 `categories: [{quoted(column)}]`를 적으세요.",
            )  # fmt: skip


def _spelled_twice(spec: Spec, frame: pd.DataFrame) -> None:
    """대소문자나 빈칸, 전각만 다른 이름이 둘로 세어지면 군집과 팔의 수가 거짓으로 늘어납니다. 패널의 대상은 시점까지 보고 묻습니다."""
    for column, where in _names_of(spec):
        if frame[column].dtype.kind in "iufbM" or where in {"unit", "panel.unit"}:
            continue
        levels = pd.Series(frame[column].dropna().unique(), dtype=object).astype(str)
        twice = levels[folded_names(levels).duplicated(keep=False)]
        if len(twice) and set(twice) != {str(spec.treatment.control), str(spec.treatment.treated)}:
            raise spec.error(
                DataError, "name_spelled_twice", where,
                f"'{column}'에 대소문자나 빈칸, 전각만 다른 이름이 있습니다: {names(sorted(twice), 6)}. 따로 세면 {'팔' if where == 'treatment.column' else '군집'}이 거짓으로 늘어납니다.",
                f"한 이름이면 {rewriting(spec, {column: folded_code(column, levels)})}으세요. 다른 이름이면 명세에 `categories: [{quoted(column)}]`를 적으세요.",
            )  # fmt: skip


def _repeated_rows(spec: Spec, frame: pd.DataFrame) -> None:
    """열의 값이 겹칠 때마다 나머지 열도 모두 같으면, 한 행을 여러 번 적은 것입니다. 표준오차가 거짓으로 좁아집니다."""
    if spec.repeats_units or spec.unit or spec.treatment.cluster or spec.weights or frame.shape[1] < 2:
        return
    codes = pd.DataFrame({c: pd.factorize(frame[c], use_na_sentinel=False)[0] for c in frame.columns})
    finest = max(codes.columns, key=lambda c: codes[c].nunique())
    rest = pd.factorize(pd.MultiIndex.from_frame(codes.drop(columns=finest)))[0]
    if not (_one_row_each(codes, finest, rest) or _copied(frame[finest].to_numpy(), rest, frame[finest].dtype.kind)):
        return
    once = f"SELECT DISTINCT {', '.join(map(sql_name, frame.columns))}"
    raise spec.error(
        DataError, "repeated_rows", "data",
        f"똑같은 행이 {int(frame.duplicated().sum()):,}개 더 있습니다({len(frame):,}행 가운데). 표를 잇다가(JOIN) 불어난 행이면 표준오차가 거짓으로 좁아집니다.",
        f"불어난 행이면 {selecting(spec, once)}고, 무리의 값을 사람마다 되풀이해 적은 것이면 treatment에 그 무리의 열을 `cluster:`로, 대상마다 다른 번호가 있으면 `unit:`에 적으세요.",
    )  # fmt: skip


def _one_row_each(codes: pd.DataFrame, finest: str, rest: np.ndarray) -> bool:
    """가장 잘게 갈리는 열의 값마다 나머지가 한 가지뿐인지."""
    distinct, finer = int((~codes.duplicated()).sum()), codes[finest].nunique()
    share, size = np.bincount(rest) / len(rest), np.bincount(codes[finest])
    sizes, times = np.unique(size[size > 0], return_counts=True)
    # 나머지 열이 이 열과 상관없이 정해졌다면 있었을 서로 다른 행의 수. 되풀이된 행이면 이 열의 값마다 한 가지뿐입니다.
    expected = float(sum(n * (1 - (1 - share) ** k).sum() for k, n in zip(sizes, times, strict=True)))
    if len(codes) - distinct < max(10, 0.01 * len(codes)) or expected - finer < 20:
        return False
    return distinct - finer <= 0.2 * (expected - finer)


def _copied(values: np.ndarray, rest: np.ndarray, kind: str) -> bool:
    """일부 행만 두 번 적혔는지: 똑같은 짝이, 나머지는 같고 이 열만 바로 옆의 값인 짝보다 훨씬 많습니다.

    우연히 같은 행은 우연히 이웃한 행만큼만 나옵니다. 드문 값만 셉니다. 소득 0이나 상한에 걸린 소득처럼 몰린 값에서는 다른 사람도 같습니다.
    """
    if kind not in "iuf":
        return False
    _, rank, often = np.unique(values, return_inverse=True, return_counts=True)
    place, times = np.unique(np.column_stack([rest, rank])[often[rank] <= 4], axis=0, return_counts=True)
    same = int((times >= 2).sum())
    beside = int(((np.diff(place[:, 0]) == 0) & (np.diff(place[:, 1]) == 1)).sum())
    return same >= max(10, 0.01 * len(values)) and same >= 5 * (beside + 1)


def _two_valued_outcome(spec: Spec, frame: pd.DataFrame) -> list[str]:
    y = spec.outcome.column
    found = sorted(frame[y].dropna().unique())
    if len(found) != 2 or found == [0, 1] or y in spec.numbers:
        return []
    low, high = (number(float(v)) for v in found)
    times = "" if found[1] - found[0] == 1 else f"에 {number(float(found[1] - found[0]))}을 곱한 것"
    return [
        f"결과 '{y}'의 값은 {josa(low, '과/와')} {high}뿐입니다. 효과는 값이 {high}인 몫의 변화{times}이므로, {josa(high, '이/가')} 좋은 쪽인지 보세요."
    ]


def _case_only(spec: Spec, frame: pd.DataFrame) -> list[str]:
    """대소문자만 다른 이름은 다른 범주로 셉니다. 모르고 지나가지 않게 적습니다."""
    found = []
    for column in spec.covariates():
        if frame[column].dtype.kind in "biufM":
            continue
        levels = pd.Series(frame[column].dropna().unique(), dtype=object).astype(str)
        twice = levels[folded_names(levels).duplicated(keep=False)]
        if len(twice):
            what = "대소문자만" if levels.str.casefold().duplicated().any() else "대소문자나 빈칸, 전각만"
            found.append(f"'{column}'의 {names(sorted(twice), 4)}은 {what} 다릅니다. 서로 다른 값으로 셌습니다.")
    return found


def integer_codes(spec: Spec, frame: pd.DataFrame) -> list[str]:
    """보정하는 정수 열이 번호(지역 코드)인지 묻습니다. 처치와 결과가 그 값마다 들쭉날쭉하면 멈추고, 아니면 수로 읽었다고 적습니다.

    매끄러운 곡선(다항식)을 뺀 뒤에도 값마다의 평균이 다르면 번호입니다. 나이나 횟수처럼 곡선을 따르는 수에서는 울리지 않습니다.

    Raises
    ------
    DataError
    """
    if spec.repeats_units:
        return []
    asked = spec.adjusted_names() & set(spec.covariates())
    asked -= {*spec.categories, *spec.numbers, *spec.negative_outcomes, *spec.negative_treatments}
    t, y, read = spec.treatment, frame[spec.outcome.column].to_numpy(dtype=float), []
    if frame[t.column].dtype.kind not in "iuf":
        return []
    d = frame[t.column].to_numpy(dtype=float)
    for column in sorted(asked):
        v = frame[column]
        if v.dtype.kind not in "iuf" or (v.dropna() != v.dropna().round()).any():
            continue
        levels = v.nunique()
        if not _DISTINCT_RANGE[0] <= levels <= len(v) / 5:
            continue
        rough = [roughness(v, d), roughness(v, y, d)]
        if levels >= FEWEST_CODES and max(rough) < CODE_LEVEL:
            raise _code_error(spec, column, levels)
        if levels <= _DISTINCT_RANGE[1] and (min(rough) < 0.01 or _CODE_NAME.search(column)):
            read.append(column)
    if not read:
        return []
    return [
        f"{names(read)}은 값이 몇 가지인 정수이지만 수로 읽었습니다. 지역 코드처럼 크기에 뜻이 없는 번호이면 명세에 `categories: [{', '.join(map(quoted, read))}]`를 적으세요."
    ]


def roughness(values: pd.Series, target: np.ndarray, beside: np.ndarray | None = None) -> float:
    """``target``이 값의 매끄러운 곡선 말고도 값마다 다른지의 p 값. 작을수록 번호에 가깝습니다.

    Parameters
    ----------
    values : pandas.Series of int
    target, beside : array, shape (n,)
        볼 변수와, 먼저 빼고 볼 변수(처치).

    Returns
    -------
    float
        값마다의 평균(열 번 넘게 나온 값만)을 그 값의 흔들림으로 잰 t를 모은 카이제곱의 p 값. 횟수처럼 큰 값에서 더 흔들리는
        열에서도 제 비율만 울립니다.
    """
    keep = values.notna().to_numpy() & np.isfinite(target)
    code, levels = pd.factorize(values[keep], sort=True)
    count = np.bincount(code)
    raw = values[keep].to_numpy(dtype=float)
    raw = (raw - raw.mean()) / max(raw.std(), 1e-300)
    place = ((np.cumsum(count) - count / 2) / len(code) * 2 - 1)[
        code
    ]  # 순위의 자리. 꼬리가 긴 횟수에서도 튀지 않습니다
    curve = [place**k for k in range(1, min(len(levels) - 2, 4) + 1)] + ([raw, raw**2] if len(levels) > 8 else [])
    smooth = np.column_stack([np.ones(len(code)), *curve, *([] if beside is None else [beside[keep]])])
    basis = np.linalg.qr(smooth)[0]
    residual = target[keep] - basis @ (basis.T @ target[keep])
    total = residual.var()
    often = count >= OFTEN
    if often.sum() < 3 or total <= 1e-12 * np.var(target[keep]):
        return 1.0
    mean = np.bincount(code, residual)[often] / count[often]
    spread = np.bincount(code, residual**2)[often] / count[often] - mean**2
    t = mean / np.sqrt(np.maximum(spread, 0.25 * total) / (count[often] - 1))
    score = stats.norm.isf(stats.t.sf(np.abs(t), count[often] - 1))
    return float(stats.chi2.sf(float(score @ score), len(score)))


def _code_error(spec: Spec, column: str, levels: int) -> DataError:
    said = f"정수 '{column}'의 값({levels}가지)마다 처치와 결과가 들쭉날쭉합니다. 크기에 뜻이 없는 번호(지역, 가게)를 수로 보정하면 답이 틀립니다."
    keep = f"크기에 뜻이 있는 수이면 `numbers: [{quoted(column)}]`를 적으세요."
    how = (
        f"번호이면 명세에 `categories: [{quoted(column)}]`를, {keep}"
        if levels <= MOST_CATEGORIES
        else f"번호이면 지역이나 업종처럼 뜻이 통하는 {MOST_CATEGORIES}가지 안의 무리로 묶은 열을 만들어 그 이름을 적고, 무리로 가르지 못하는 차이가 남는지 살피세요. {keep}"
    )
    return spec.column_error(DataError, "code_as_number", column, said, how)


def checks(spec: Spec, frame: pd.DataFrame) -> list[Check]:
    """동떨어진 결과 몇 개가 답을 정하는지. 자료를 읽는 점검이라 설계와 상관없이 합니다."""
    y = frame[spec.outcome.column].dropna().to_numpy(dtype=float)
    if len(y) < 50 or spec.outcome.column in spec.numbers:
        return []
    low, middle, high = np.quantile(y, [0.005, 0.5, 0.995])
    far = np.abs(y - middle) > FAR * (high - low)
    if high <= low or not far.any():
        return []
    worst = float(y[np.abs(y - middle).argmax()])
    message = (
        f"결과 '{spec.label(spec.outcome.column)}'에 가운데 99%의 너비({number(high - low)})보다 {FAR:,}배 넘게 떨어진 값이 {int(far.sum())}개 있습니다(가장 먼 것은 {number(worst)}). "
        f"단위나 자릿수를 잘못 적은 값인지 보세요. 맞는 값이면 numbers에 '{spec.outcome.column}'을 적으세요."
    )
    return [flagged("far_values", "동떨어진 결과", message, worst, True)]
