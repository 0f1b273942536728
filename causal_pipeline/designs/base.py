"""설계의 계약. 설계 하나는 이 추상 클래스의 하위 클래스 하나이고, 파일 하나입니다.

``causal_pipeline/designs``에 파일을 놓으면 등록부(``designs/__init__.py``)가 찾습니다. 다른 파일은 고치지 않습니다: 명세의 형식,
오류의 줄 번호, 규칙표, 보고서, 등급, 초안, 재현 노트북이 모두 이 계약에서 나옵니다. 설계끼리는 서로 부르지 않습니다. 함께 쓰는
것은 한 층 아래에 있습니다: ``inference``(영향함수와 구간), ``checks``(점검의 사다리, 음성 대조군, 견고값), ``shown``(노트북에도
싣는 식), ``learners``(장애모수), ``graphs``와 ``identification``(식별과 그 말), ``panel``(패널의 명세와 처치 시점).

새 설계를 더하는 차례는 길잡이(guides/pipeline.md)의 '설계를 더하려면'에 있습니다.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import networkx as nx
import numpy as np
import pandas as pd

from causal_pipeline.model import Check, Estimate, Field, Identification, Picture, Sensitivity, Spec, Step

NO_NEGATIVE_TREATMENT = (
    "이 설계의 음성 대조군은 결과뿐입니다. 효과가 없어야 할 결과를 negative_controls.outcomes에 적으세요."
)
NO_WEIGHTS = (
    "이 설계에는 가중치를 쓰는 식이 없습니다. weights를 지우세요. 답은 모집단이 아니라 표본의 대상의 것이 됩니다."
)
NO_PROBABILITY = "처치 확률은 무작위로 배정한 두 팔을 견줄 때에만 씁니다. probability를 지우세요."


@dataclass(frozen=True)
class UnitEffects:
    """대상마다의 효과의 점수. 효과가 갈리는지의 시험과 처치 규칙의 값이 씁니다.

    Attributes
    ----------
    frame : pandas.DataFrame, shape (n, …)
        점수가 있는 대상의 행. 효과를 가를 변수가 들어 있어야 합니다.
    psi : array, shape (n,)
        평균이 효과인 점수.
    clusters, fold : array or None, array, shape (n,)
    weights : array or None, shape (n,)
        표본 가중치. 없거나 None이면 모두 같습니다. ``psi``에는 아직 곱하지 않은 것입니다.
    targetable : bool
        아직 처치받지 않은 대상을 고르는 규칙을 이 점수로 배워도 되면 참.
    """

    frame: pd.DataFrame
    psi: np.ndarray
    clusters: np.ndarray | None
    fold: np.ndarray
    targetable: bool = True
    weights: np.ndarray | None = None

    @property
    def w(self) -> np.ndarray:
        """표본 가중치, shape (n,)."""
        return np.ones(len(self.psi)) if self.weights is None else self.weights


class Design(ABC):
    """설계 하나가 내야 하는 모든 것.

    단계는 이 차례로 부릅니다: ``applies``(규칙표) → ``identify`` → 인스턴스 → ``check`` → ``estimates`` → ``stress`` →
    ``unit_effects`` → ``pictures`` → ``steps``. 무거운 셈은 ``fit``과 ``estimates``에 두면 인스턴스마다 한 번만 합니다. 보관한
    단계에서 이어 돌릴 때에는 필요한 것만 다시 셉니다. 그래서 앞의 메서드가 불렸다고 믿으면 안 됩니다.

    Attributes
    ----------
    name : str
        JSON과 시험이 쓰는 이름. 파일 이름과 같습니다.
    label : str
        보고서에 적을 한국어 이름.
    question : str
        규칙표의 물음. "예"이면 이 설계입니다.
    precedence : int
        규칙표의 차례. 작은 것부터 묻고, 처음 "예"가 나온 것을 고릅니다.
    fields : tuple of Field subclasses
        이 설계가 명세에서 읽는 이름들. 여러 설계가 한 클래스를 함께 써도 됩니다(이중차분과 통제집단합성의 ``Panel``).
    estimands : tuple of str
        명세가 물을 수 있는 추정 대상. 여기에 없는 것을 물으면 거절합니다.
    reveals : dict of str to str
        핵심 가정이 깨졌으면 이상을 알렸을 점검의 이름 → 한국어 이름. 하나라도 통과하지 않으면 A를 주지 않습니다. 명세에 따라
        다르면 ``__init__``에서 바꿉니다.
    doubt : str
        배정을 모를 때, 무엇이 아직 틀릴 수 있는지 한 문장. 등급의 까닭에 적습니다.
    strength : str
        그것이 얼마나 세어야 결론이 뒤집히는지를 재는 민감도의 이름(``Sensitivity.name``).
    ignores : dict of str to str
        이 설계가 쓰지 않는 명세의 자리 → 어떻게 할지. 적혀 있으면 조용히 넘기지 않고 두 줄을 대며 거절합니다(``identify``).
        자리의 이름은 ``Spec.written``에 있습니다. 가중치(``weights``)는 적지 않으면 거절하므로, 점수에 ``inference.row_weights``를
        곱하는 설계는 이 사전을 다시 적습니다.
    effects_split_in : str
        ``unit_effects``를 내는 조건을 한국어로("무작위 실험"). 내지 않으면 빈 글.
    drawers : dict of str to callable
        이 설계만의 그림. ``Picture.kind`` → ``(matplotlib Axes, data)``를 받는 함수. ``figures.KINDS``로 충분하면 비웁니다.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    question: ClassVar[str]
    precedence: ClassVar[int]
    fields: ClassVar[tuple[type[Field], ...]] = ()
    estimands: ClassVar[tuple[str, ...]] = ("ATE", "ATT")
    reveals: dict[str, str] = {}  # noqa: RUF012
    ignores: ClassVar[Mapping[str, str]] = {
        "negative_controls.treatments": NO_NEGATIVE_TREATMENT,
        "treatment.probability": NO_PROBABILITY,
        "weights": NO_WEIGHTS,
    }
    doubt: ClassVar[str] = "처치가 어떻게 정해졌는지 모릅니다."
    strength: ClassVar[str] = ""
    effects_split_in: ClassVar[str] = ""
    drawers: ClassVar[dict[str, Callable[[Any, dict[str, Any]], None]]] = {}

    def __init__(self, spec: Spec, ident: Identification, frame: pd.DataFrame) -> None:
        self.spec, self.ident, self.frame = spec, ident, frame

    @classmethod
    @abstractmethod
    def applies(cls, spec: Spec, frame: pd.DataFrame | None = None) -> bool:
        """이 명세(와 자료)에 맞는 설계이면 참.

        Parameters
        ----------
        frame : pandas.DataFrame or None
            None이면 자료를 읽기 전이라, 명세만으로 맞을 수 있는지 답합니다.
        """

    @classmethod
    @abstractmethod
    def identify(cls, spec: Spec, frame: pd.DataFrame, graph: nx.DiGraph) -> Identification:
        """추정 대상, 보정할 열, 그것을 읽은 한국어 문장과 식(LaTeX).

        Raises
        ------
        Refusal
            그래프나 명세로는 식별되지 않을 때. ``spec.error(Refusal, …)``로 줄 번호와 고치는 법을 답니다.
        DataError
            설계가 필요로 하는 만큼의 대상이 없을 때.
        """

    @property
    @abstractmethod
    def fit(self) -> Any:
        """여러 메서드가 나누어 쓰는 적합. ``functools.cached_property``로 둡니다."""

    @property
    @abstractmethod
    def estimates(self) -> list[Estimate]:
        """약점이 서로 다른 추정들(``cached_property``). ``primary``인 것이 꼭 하나이고, 단순 비교의 이름은 ``naive``입니다."""

    @abstractmethod
    def check(self) -> list[Check]:
        """추정하기 전에 보는 점검. 이름은 설계 안에서 하나뿐입니다."""

    @abstractmethod
    def stress(self) -> tuple[list[Check], list[Sensitivity]]:
        """추정을 흔들어 보는 점검(추정량끼리의 견줌 ``agreement``, 위약 ``placebo``)과, 얼마나 틀려야 결론이 뒤집히는지."""

    @abstractmethod
    def steps(self) -> list[Step]:
        """재현 노트북의 걸음들. ``frame``에서 시작해 ``reproduced[method] = {"value", "low", "high"}``를 남깁니다.

        식은 손으로 다시 적지 않고 ``shown.source(함수)``로, 모델은 ``shown.model_source(모델)``로 싣습니다.
        """

    def pictures(self) -> list[Picture]:
        """보고서에 더할 그림의 자료. 추정값을 견준 그림은 보고서가 그립니다."""
        return []

    def unit_effects(self) -> UnitEffects | None:
        """대상마다의 효과의 점수. 낼 수 없으면 None."""
        return None

    def known_assignment(self) -> str | None:
        """배정을 안다는 말 한 문장(무엇을 무작위로 정했는지, 어디에 적힌 규칙인지). 모르면 None이고, A가 될 수 없습니다."""
        return None

    def doubts(self, sensitivities: Sequence[Sensitivity]) -> str:
        """배정을 모를 때, 무엇이 아직 틀릴 수 있고 그것이 얼마나 세어야 하는지."""
        how = next(
            (s.message for s in sensitivities if s.name == self.strength),
            "얼마나 세어야 뒤집히는지는 이 자료로 재지 못했습니다.",
        )
        rule = self.spec.assignment
        known = f" 적어 둔 규칙('{rule.rule}', {rule.source})은 그것을 막아 주지 못합니다." if rule else ""
        return f"{self.doubt}{known} {how}"

    def caveat(self) -> str | None:
        """모의 세계에서 잰, A를 주지 못하게 하는 한계 한 문장. 없으면 None."""
        return None

    @cached_property
    def primary(self) -> Estimate:
        """결론에 쓰는 추정."""
        return next(e for e in self.estimates if e.primary)
