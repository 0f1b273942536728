"""쪽이 말하는 숫자를 계산 결과에 묶습니다.

``glue``는 본문의 ``{glue:text}`` 자리에 값을 넣고, ``record_claim``과 ``record_validation``은
시험이 읽을 주장을 실행된 노트북에 남깁니다. 셋 다 화면에는 아무것도 보이지 않습니다.
"""

import hashlib
import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real

import numpy as np
import pandas as pd

from causal_practice.data import card, generator, load
from causal_practice.data import truth as known_truth

# 이 머리가 붙은 출력은 책을 만드는 도구(myst-nb)와 Jupyter가 화면에 보이지 않습니다.
_GLUE_PREFIX = "application/papermill.record/"
CLAIM_MIME = _GLUE_PREFIX + "application/vnd.causal-practice.claim+json"
VALIDATION_MIME = _GLUE_PREFIX + "application/vnd.causal-practice.validation+json"
ESTIMATOR_MIME = _GLUE_PREFIX + "application/vnd.causal-practice.estimator+json"


def _publish(data: dict, metadata: dict | None = None) -> None:
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:  # 노트북 밖에서 불러도 계산은 그대로 되게 합니다.
        return
    if get_ipython() is None:
        return
    display(data, metadata=metadata or {}, raw=True)


def show_text(text: str) -> None:
    """마크다운 글을 노트북의 출력으로 보입니다. 노트북 밖에서는 아무 일도 하지 않습니다."""
    _publish({"text/markdown": text, "text/plain": text})


def show_html(page: str, text: str) -> None:
    """HTML을 노트북의 출력으로 보입니다. ``text``는 HTML을 그리지 못하는 곳에서 보일 글입니다."""
    _publish({"text/html": page, "text/plain": text})


def publish_record(mime: str, name: str, payload: dict) -> None:
    """시험이 읽을 기록을 실행된 노트북에 보이지 않게 남깁니다.

    Parameters
    ----------
    mime : str
        ``CLAIM_MIME`` 따위. ``application/papermill.record/``로 시작합니다.
    name : str
        쪽 안에서 하나뿐인 이름.
    payload : dict
        JSON으로 바꿀 수 있는 값.
    """
    _publish({mime: payload}, {"scrapbook": {"name": name, "mime_prefix": _GLUE_PREFIX}})


def glue(name: str, value) -> None:
    """본문이 쓸 값에 이름을 붙입니다. 본문에서는 ``{glue:text}`이름:.2f``처럼 부릅니다.

    Parameters
    ----------
    name : str
        쪽 안에서 하나뿐인 이름.
    value : 수 또는 글자
        numpy 스칼라도 됩니다.

    Raises
    ------
    TypeError
        수나 글자가 아닐 때.
    ValueError
        수가 NaN이거나 무한대일 때. 본문에 nan이 찍히는 일을 막습니다.
    """
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, Real) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise ValueError(f"glue('{name}', …): 값이 {value}입니다. 앞 계산을 확인하세요.")
    elif not isinstance(value, str):
        raise TypeError(f"glue('{name}', …): 수나 글자만 묶을 수 있습니다. 받은 것: {type(value).__name__}")
    _publish(
        {_GLUE_PREFIX + "text/plain": repr(_rounded(value))}, {"scrapbook": {"name": name, "mime_prefix": _GLUE_PREFIX}}
    )


def _rounded(value):
    """유효숫자 열 자리. 더하는 순서에 따라 달라지는 마지막 자리까지 기록하지 않습니다."""
    return float(f"{value:.10g}") if isinstance(value, float) else value


def _finite(where: str, **values) -> dict:
    out = {}
    for key, value in values.items():
        value = float(value)
        if not math.isfinite(value):
            raise ValueError(f"{where}: {key} 값이 {value}입니다. 앞 계산을 확인하세요.")
        out[key] = _rounded(value)
    return out


def record_claim(name: str, *, estimand: str, truth: float, naive: float, estimate: float, interval, unit: str) -> None:
    """덧붙이는 추정 하나를 기록합니다. 시험이 정답과 견줍니다. 쪽의 주된 추정은 :func:`validate`로 기록합니다.

    Parameters
    ----------
    name : str
        주장의 이름(쪽 안에서 하나뿐).
    estimand : str
        ATE, ATT, CATE, LATE, ITT 따위. 머리말과 같아야 합니다.
    truth, naive, estimate : float
        알려진 정답, 단순 비교, 이 방법의 추정값. 단위는 ``unit``.
    interval : (float, float)
        95% 신뢰구간의 아래와 위.
    unit : str
        결과의 단위(예: "주문/28일").

    Raises
    ------
    ValueError
        수가 유한하지 않거나 구간이 뒤집혔거나 추정값이 구간 밖일 때.
    """
    low, high = interval
    numbers = _finite("record_claim", truth=truth, naive=naive, estimate=estimate, low=low, high=high)
    if not numbers["low"] <= numbers["estimate"] <= numbers["high"]:
        raise ValueError("record_claim: 추정값이 신뢰구간 안에 있지 않습니다. interval=(아래, 위)를 확인하세요.")
    publish_record(CLAIM_MIME, f"claim:{name}", {"name": name, "estimand": estimand, "unit": unit, **numbers})


def record_validation(
    name: str,
    *,
    method: str,
    truth: float,
    draws: int,
    bias: float,
    coverage: float,
    nominal: float = 0.95,
    assumptions_hold: bool = True,
) -> None:
    """방법을 여러 번 뽑은 데이터에서 검증한 결과를 기록합니다.

    Parameters
    ----------
    draws : int
        새로 뽑은 데이터의 수.
    bias : float
        추정값의 평균에서 정답을 뺀 값. 결과의 단위.
    coverage : float
        구간이 정답을 덮은 비율(0에서 1).
    nominal : float
        구간이 약속한 비율.
    assumptions_hold : bool
        방법의 가정이 성립하는 데이터이면 참. 시험은 참이면 약속을 지키는지, 거짓이면 정말 어기는지 봅니다.

    Raises
    ------
    ValueError
        비율이 0과 1 밖이거나 ``draws``가 2보다 작을 때.
    """
    numbers = _finite("record_validation", truth=truth, bias=bias, coverage=coverage, nominal=nominal)
    if draws < 2 or not 0 <= numbers["coverage"] <= 1 or not 0 < numbers["nominal"] < 1:
        raise ValueError("record_validation: draws는 2 이상, coverage와 nominal은 0과 1 사이여야 합니다.")
    payload = {
        "name": name,
        "method": method,
        "draws": int(draws),
        "assumptions_hold": bool(assumptions_hold),
        **numbers,
    }
    publish_record(VALIDATION_MIME, f"validation:{name}", payload)


@dataclass(frozen=True)
class Validated:
    """:func:`validate`가 계산한 것.

    Attributes
    ----------
    estimate, low, high : float
        쪽의 자료에서 구한 추정값과 95% 신뢰구간(결과의 단위).
    naive, truth : float
        단순 비교와 정답.
    draws : numpy.ndarray, shape (되풀이, 4)
        새로 뽑은 자료마다의 추정값, 아래, 위, 정답.
    """

    estimate: float
    low: float
    high: float
    naive: float
    truth: float
    draws: np.ndarray

    @property
    def bias(self) -> float:
        """추정값에서 그 자료의 정답을 뺀 값의 평균."""
        return float((self.draws[:, 0] - self.draws[:, 3]).mean())

    @property
    def coverage(self) -> float:
        """구간이 정답을 담은 비율(0에서 1)."""
        return float(((self.draws[:, 1] <= self.draws[:, 3]) & (self.draws[:, 3] <= self.draws[:, 2])).mean())

    @property
    def coverage_error(self) -> float:
        """포함률의 몬테카를로 표준오차: :math:`\\sqrt{c(1-c)/R}`."""
        return math.sqrt(self.coverage * (1 - self.coverage) / len(self.draws))

    @property
    def bias_error(self) -> float:
        """편향의 몬테카를로 표준오차: 되풀이의 표준편차를 :math:`\\sqrt{R}`로 나눈 값."""
        return float((self.draws[:, 0] - self.draws[:, 3]).std(ddof=1) / math.sqrt(len(self.draws)))


def validate(
    name: str,
    *,
    estimand: str,
    unit: str,
    estimator: Callable,
    truth: str | Callable,
    naive: Callable,
    method: str,
    draws: int = 300,
    first_seed: int = 10_000,
    dataset: str | None = None,
    world: dict | None = None,
    data=None,
    draw: Callable | None = None,
    assumptions_hold: bool = True,
) -> Validated:
    """쪽의 주된 추정을 **같은 함수 하나로** 쪽의 자료와 새로 뽑은 자료에서 계산하고 기록합니다.

    추정 함수에는 정답 열을 뺀 표만 건넵니다. 그래서 머리에 내세운 값, 시험이 보는 주장, 되풀이한 검증이
    서로 다른 식이거나 정답을 엿본 식일 수 없습니다.

    Parameters
    ----------
    name : str
        쪽 안에서 하나뿐인 이름.
    estimand, unit, method : str
        머리말과 같은 추정 대상, 결과의 단위, 방법의 이름.
    estimator : callable
        ``estimator(자료) -> (추정값, 아래, 위)``. 쪽의 본문이 부르는 바로 그 함수입니다.
    truth : str or callable
        카드에 적힌 정답의 이름(``"ATT"``), 또는 정답 열이 있는 자료를 받아 그 자료의 정답을 돌려주는 함수.
    naive : callable
        ``naive(자료) -> float``. 단순 비교.
    draws, first_seed : int
        새로 뽑는 횟수와 첫 씨앗. 씨앗은 하나씩 늘립니다.
    dataset, world : str, dict
        데이터의 이름과, 생성기의 ``generate``에 넘길 인자. 쪽의 자료는 ``load(dataset)``입니다.
    data, draw
        ``dataset``만으로 안 될 때: 쪽의 자료, 그리고 씨앗을 받아 새 자료를 돌려주는 함수.
    assumptions_hold : bool
        방법의 가정이 성립하는 세상이면 참.

    Returns
    -------
    Validated

    Raises
    ------
    ValueError
        자료를 정할 수 없거나, 추정 함수가 유한한 수 셋을 돌려주지 않거나, 되풀이가 둘보다 적을 때.
    """
    if dataset is None and (data is None or draw is None or isinstance(truth, str)):
        raise ValueError("validate: dataset을 적거나, data와 draw와 정답 함수를 모두 넘기세요.")
    if draws < 2:
        raise ValueError("validate: draws는 2 이상이어야 합니다.")
    hidden = [c for c, info in card(dataset)["columns"].items() if info.get("role") == "truth"] if dataset else []

    def observed(frame):
        return (
            frame.drop(columns=[c for c in hidden if c in frame.columns]) if isinstance(frame, pd.DataFrame) else frame
        )

    def target(frame) -> float:
        return float(known_truth(dataset)[truth] if isinstance(truth, str) else truth(frame))

    def fit(frame) -> tuple[float, float, float]:
        numbers = tuple(float(v) for v in estimator(observed(frame)))
        if len(numbers) != 3 or not all(map(math.isfinite, numbers)):
            raise ValueError(f"validate: 추정 함수는 (추정값, 아래, 위)를 돌려주어야 합니다. 받은 것: {numbers}")
        return numbers

    new = draw or (lambda seed: generator(dataset).generate(seed=seed, **(world or {})))
    mine = load(dataset, with_truth=True) if data is None else data
    worlds = (new(first_seed + i) for i in range(draws))
    rows = np.array([(*fit(frame), target(frame)) for frame in worlds])
    done = Validated(*fit(mine), float(naive(observed(mine))), target(mine), rows)
    record_claim(
        name,
        estimand=estimand,
        truth=done.truth,
        naive=done.naive,
        estimate=done.estimate,
        interval=(done.low, done.high),
        unit=unit,
    )
    record_validation(
        name, method=method, truth=float(rows[:, 3].mean()), draws=draws, bias=done.bias, coverage=done.coverage,
        assumptions_hold=assumptions_hold,
    )  # fmt: skip
    payload = {
        "name": name,
        "estimator": getattr(estimator, "__name__", "?"),
        "source": _source_digest(estimator),
        "draws": draws,
    }
    publish_record(ESTIMATOR_MIME, f"estimator:{name}", payload)
    return done


def _source_digest(function: Callable) -> str:
    try:
        return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:12]
    except (OSError, TypeError):
        return "?"
