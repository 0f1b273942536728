"""행의 가중치: 조사 가중치(sampling)와 센 수(frequency). 설계들의 한 층 아래에 있습니다.

센 수는 행을 그만큼 되풀이한 표와 똑같아야 하므로, 자료를 읽을 때 정말 되풀이합니다. 그래서 어느 설계에서나 답이 한 자리까지 같습니다.
조사 가중치는 모집단의 추정식을 표본에서 푸는 것이므로, 설계마다 장애모수와 점수에 곱하고 표준오차는 가중한 점수의 퍼짐(샌드위치)에서
냅니다. 가중치의 합이나 크기는 답을 바꾸지 않습니다.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from causal_pipeline import shown
from causal_pipeline.checks import graded, ladder
from causal_pipeline.errors import DataError
from causal_pipeline.inference import kish, sampled
from causal_pipeline.model import Check, Identification, Spec
from causal_pipeline.reading import MAX_ROWS
from causal_pipeline.values import require_numeric, rewriting
from causal_pipeline.wording import josa, number, percent, quoted, sql_name

# 가중한 뒤의 유효표본의 몫과 수. 보정 설계의 역확률 가중치에 쓰는 한계와 같습니다.
SHARE_WARN, SHARE_FAIL = 0.30, 0.10
FEW, TOO_FEW = 50, 20
# 이만큼의 행이 모집단의 얼마를 대표하는지 적습니다.
TOP = 0.01


def code(spec: Spec) -> str:
    """재현 노트북에서 가중치 ``w``를 내는 줄. 표본 가중치가 없으면 빈 글입니다."""
    if not sampled(spec):
        return ""
    return f"{shown.source(shown.weighted, shown.row_weights)}\n\nw = row_weights(frame, {spec.weights.column!r})\n"


def argument(spec: Spec) -> str:
    """재현 노트북의 함수에 넘길 마지막 인자. 표본 가중치가 없으면 빈 글입니다."""
    return ", w=w" if sampled(spec) else ""


# --- 자료 ---


def prepare(spec: Spec, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """가중치를 살피고, 0인 행을 빼고, 센 수이면 행을 되풀이합니다. 빈 가중치의 행은 빈칸으로 다루게 남깁니다.

    Raises
    ------
    DataError
        가중치가 수가 아니거나, 음수이거나, 모두 0이거나, 센 수가 정수가 아니거나, 한 대상 안에서 달라질 때.
    """
    if spec.weights is None:
        return frame, []
    frame, column = frame.copy(), spec.weights.column
    require_numeric(spec, frame, column, "가중치")
    w = frame[column].astype("float64")
    _values(spec, w)
    notices, zero = [], w == 0
    if zero.any():
        notices.append(f"가중치 '{column}'이(가) 0인 {int(zero.sum()):,}행을 뺐습니다. 아무도 대표하지 않는 행입니다.")
        frame, w = frame[~zero].reset_index(drop=True), w[~zero].reset_index(drop=True)
    if spec.repeats_units:
        _one_a_unit(spec, frame)
    if w.dropna().nunique() == 1 and (spec.weights.kind == "sampling" or w.dropna().iloc[0] == 1):
        notices.append(f"가중치 '{column}'이(가) 모두 {w.dropna().iloc[0]:g}이라, 가중하지 않은 것과 같습니다.")
    if spec.weights.kind == "sampling":
        return frame, notices
    total = int(w.fillna(1).sum())
    if total > MAX_ROWS:
        raise spec.error(
            DataError, "weights_too_many", "weights.column", f"행을 '{column}'만큼 되풀이하면 {total:,}행입니다. 한 번에 {MAX_ROWS:,}행까지 봅니다.",
            "모든 수를 같은 수로 나누면 표준오차가 달라지므로 나누지 마세요. 무작위로 고른 대상의 수만 센 표를 sql로 만드세요.",
        )  # fmt: skip
    notices.append(
        f"한 행이 똑같은 대상 여럿이라 '{column}'만큼 되풀이했습니다. {len(frame):,}행이 {total:,}개의 대상입니다."
    )
    return shown.repeat_rows(frame, column, spec.unit), notices


def encoding_code(spec: Spec) -> list[str]:
    """``prepare``와 같은 일을 하는 노트북의 줄들."""
    if spec.weights is None:
        return []
    column = spec.weights.column
    lines = [f"frame = frame[frame[{column!r}] > 0].reset_index(drop=True)"]
    if spec.weights.kind == "frequency":
        lines += [shown.source(shown.repeat_rows), f"frame = repeat_rows(frame, {column!r}, {spec.unit!r})"]
    return lines


def _values(spec: Spec, w: pd.Series) -> None:
    column, known = spec.weights.column, w.dropna()

    def stop(code: str, message: str, remedy: str) -> DataError:
        return spec.error(DataError, code, "weights.column", message, remedy)

    if len(known) and not np.isfinite(known).all():
        at = int(np.isinf(w.to_numpy()).argmax()) + 1
        raise stop("weights_infinite", f"가중치 '{column}'에 무한대(Inf)가 있습니다({at}번째 행).", "뽑힐 확률이 0으로 적힌 행이 아닌지 보고 고치세요.")  # fmt: skip
    if (known < 0).any():
        at = int((w < 0).to_numpy().argmax())
        raise stop(
            "weights_negative", f"가중치 '{column}'에 음수가 {int((known < 0).sum()):,}개 있습니다(첫째는 {at + 1}번째 행, {w.iloc[at]:g}).",
            "가중치는 대표하는 대상의 수이므로 음수일 수 없습니다. 빈칸 대신 적은 값이면 data의 blank에 적고, 무응답을 맞추다 음수가 된 것이면 가중치를 다시 받으세요.",
        )  # fmt: skip
    if not (known > 0).any():
        raise stop(
            "weights_zero", f"가중치 '{column}'이(가) 모두 0이거나 비어 있습니다.", "가중치의 열이 맞는지 보세요."
        )
    small = spec.weights.kind == "sampling" and column not in spec.numbers and known.max() <= 1 and known.nunique() > 2
    if small and abs(known.sum() - 1) > 0.01 and known.max() > 5 / len(known):
        raise stop(
            "weights_are_probabilities", f"가중치 '{column}'이(가) 모두 0과 1 사이입니다({known.min():g}~{known.max():g}). 뽑힐 확률을 그대로 적은 것으로 보입니다. 그러면 드물게 뽑힌 대상이 거꾸로 가벼워집니다.",
            f"뽑힐 확률이면 {rewriting(spec, {column: f'1.0 / {sql_name(column)}'})}으세요. 정말 가중치이면 명세에 `numbers: [{quoted(column)}]`를 적으세요.",
        )  # fmt: skip
    if spec.weights.kind == "frequency" and (known != known.round()).any():
        at = int((w.notna() & (w != w.round())).to_numpy().argmax())
        raise stop(
            "weights_not_counts", f"센 수(frequency)인 '{column}'에 정수가 아닌 값이 있습니다({at + 1}번째 행, {w.iloc[at]:g}).",
            "뽑힐 확률의 역수인 조사 가중치이면 `kind: sampling`을 적으세요. 두 가중치는 추정값이 같아도 표준오차가 다릅니다.",
        )  # fmt: skip


def _one_a_unit(spec: Spec, frame: pd.DataFrame) -> None:
    """같은 대상을 여러 시점에 보았으면 가중치가 대상마다 하나인지."""
    each = frame.groupby(spec.unit, observed=True)[spec.weights.column].nunique()
    if (each > 1).any():
        raise spec.error(
            DataError, "weights_move", "weights.column", f"가중치 '{spec.weights.column}'이(가) 한 대상 안에서 시점마다 다릅니다(예: {spec.unit}={each.index[(each > 1).argmax()]}).",
            "대상을 처음 뽑을 때의 가중치처럼, 대상마다 한 값인 열을 적으세요. 시점마다 다른 사람을 본 자료이면 cross_sections로 물으세요.",
        )  # fmt: skip


# --- 말과 점검 ---


def spoken(spec: Spec, ident: Identification) -> Identification:
    """누구의 효과인지를 가중치에 맞게 고쳐 적은 식별."""
    if spec.weights is None:
        return ident
    name = f"'{spec.label(spec.weights.column)}'"
    if spec.weights.kind == "frequency":
        note = f"한 행을 {name}만큼의 똑같은 대상으로 셌습니다. 추정값과 표준오차는 그만큼 되풀이한 표의 것과 같습니다."
        return replace(ident, notes=(*ident.notes, note))
    note = (
        f"{josa(name, '으로/로')} 가중합니다. 그래서 추정값은 표본이 아니라 가중치가 대표하는 모집단의 것입니다. 가중치가 뽑힌 확률을 바르게 "
        "담았는지는 이 자료로 확인할 수 없습니다. 표준오차는 샌드위치이고, 지역이나 학교를 먼저 뽑은 조사이면 그 단위를 treatment.cluster에 적어야 맞습니다."
    )
    who = f"가중치가 대표하는 모집단의 {ident.whom}" if ident.whom else "가중치가 대표하는 모집단"
    return replace(ident, notes=(*ident.notes, note), whom=who)


def check(spec: Spec, frame: pd.DataFrame) -> list[Check]:
    """가중한 뒤의 유효표본(Kish). 팔마다 세어 작은 쪽으로 판정하고, 패널에서는 대상마다 한 번만 셉니다."""
    if not sampled(spec):
        return []
    rows = frame.drop_duplicates(spec.unit) if spec.repeats_units else frame
    w, t = rows[spec.weights.column].to_numpy(dtype=float), spec.treatment
    parts = [w]
    if t.kind != "continuous" and not spec.repeats_units:
        arms = [w[(rows[t.column] == level).to_numpy()] for level in (t.control, t.treated)]
        parts += [arm for arm in arms if len(arm)]
    share = min(kish(part) / len(part) for part in parts)
    lost = [kish(part) for part in parts if kish(part) < len(part) / 2]  # 적은 까닭이 가중치일 때에만 수를 탓합니다
    status = max(
        ladder(share, SHARE_WARN, SHARE_FAIL),
        ladder(min(lost, default=FEW), FEW, TOO_FEW),
        key=("ok", "warn", "fail").index,
    )
    top = np.sort(w)[::-1][: max(1, int(np.ceil(TOP * len(w))))]
    message = (
        f"가중한 뒤의 유효표본(Kish)은 {number(kish(w), digits=0)}개로, {len(w):,}개의 {percent(kish(w) / len(w), 0)}입니다"
        f"(두 팔을 따로 세면 작은 쪽이 {percent(share, 0)}). 가중치가 가장 큰 {len(top):,}개가 모집단의 {percent(top.sum() / w.sum(), 0)}를 대표합니다."
    )
    tails = {"warn": " 몇 대상이 답을 정합니다.", "fail": " 아주 적은 대상이 모집단을 대신해, 구간도 믿기 어렵습니다."}
    return [graded("weights", "표본 가중치의 유효표본", message, share, status, SHARE_WARN, tails)]
