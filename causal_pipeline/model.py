"""명세와, 파이프라인의 단계들이 주고받는 것. 모두 그대로 JSON이 되는 값만 담습니다."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from causal_pipeline.errors import PipelineError
from causal_pipeline.wording import josa, quoted

if TYPE_CHECKING:
    import pandas as pd

Timing = Literal["before", "treatment", "after", "unknown"]
Status = Literal["ok", "warn", "fail", "unshown"]
Letter = Literal["A", "B", "C"]


# --- 명세 ---


@dataclass(frozen=True)
class Source:
    """자료의 자리. 셋 가운데 하나입니다: 파일(CSV, Parquet), DuckDB 파일의 표, DuckDB에 던지는 SQL.

    Attributes
    ----------
    path : str or None
        명세가 놓인 폴더에서 본 상대 경로. 폴더 밖으로 나갈 수 없습니다.
    table, sql : str or None
        DuckDB 파일(``path``)의 표 이름, 또는 SELECT 하나.
    sample : int or None
        무작위로 뽑을 행의 수. 적지 않으면 모든 행을 씁니다. 조용히 줄이는 일은 없습니다.
    missing : "refuse", "drop", "flag"
        빈칸이 있으면 멈출지, 그 행을 빼고(몇 행인지 보고서에 적고) 갈지, 공변량의 빈칸을 남겨 표시와 함께 보정할지.
    blank : tuple
        빈칸을 뜻하는 값(-999, '모름'). 어느 열에서든 빈칸으로 읽습니다.
    engine : "duckdb", "spark"
        SQL을 돌리고 파케이를 읽는 것. ``spark``이면 ``path``가 파케이 파일의 폴더여도 됩니다.
    """

    path: str | None
    table: str | None = None
    sql: str | None = None
    sample: int | None = None
    missing: Literal["refuse", "drop", "flag"] = "refuse"
    blank: tuple[Any, ...] = ()
    engine: Literal["duckdb", "spark"] = "duckdb"


@dataclass(frozen=True)
class Treatment:
    """처치.

    Attributes
    ----------
    column : str
    kind : "binary", "multi", "continuous"
    control, treated : Any
        견줄 두 값. 연속형이면 ``treated - control``만큼 올린 효과를 봅니다.
    randomized : bool
        무작위로 배정했으면 참. ``probability``는 처치받을 확률(열 이름이나 수).
    cluster : str or None
        처치를 정한 단위의 열. 표준오차가 이 단위를 따릅니다.
    """

    column: str
    kind: Literal["binary", "multi", "continuous"]
    control: Any = 0
    treated: Any = 1
    randomized: bool = False
    probability: float | str | None = None
    cluster: str | None = None

    def words(self) -> tuple[str, ...]:
        """견줄 두 값 가운데 글자인 것. 'None'이나 'NA'라는 팔을 빈칸으로 읽지 않게 합니다."""
        return tuple(v for v in (self.control, self.treated) if isinstance(v, str))


@dataclass(frozen=True)
class Outcome:
    """결과. ``unit``은 보고서에 적을 단위, ``higher_is_better``는 결정에 씁니다."""

    column: str
    unit: str = ""
    label: str = ""
    higher_is_better: bool = True


@dataclass(frozen=True)
class Money:
    """결정에 쓰는 돈. 결과 한 단위의 값과 처치 한 번의 비용(같은 화폐)."""

    value_per_outcome: float
    cost_per_treatment: float = 0.0
    currency: str = "원"
    minimum_gain: float = 0.0


@dataclass(frozen=True)
class Assignment:
    """처치를 정한 규칙(``rule``)과, 그것을 누가 정했고 어디에 적혀 있는지(``source``)."""

    rule: str
    source: str


@dataclass(frozen=True)
class Weights:
    """행의 가중치.

    Attributes
    ----------
    column : str
    kind : "sampling", "frequency"
        표본에 뽑힐 확률의 역수(조사 가중치)인지, 똑같은 대상이 몇인지 센 수인지. 앞의 것은 추정식과 샌드위치 표준오차에 들어가고,
        뒤의 것은 행을 그만큼 되풀이한 표와 같습니다.
    """

    column: str
    kind: Literal["sampling", "frequency"]


@dataclass(frozen=True)
class Role:
    """명세가 열 하나에 맡긴 일.

    Attributes
    ----------
    where : str
        명세의 자리(``"panel.time"``). 오류의 줄 번호와 보고서의 표가 씁니다.
    column, label : str
        열과, 보고서에 적을 일의 이름.
    pretreatment : bool
        처치 전에 정해졌어야 하는 열이면 참. timing에 after라고 적으면 거절합니다.
    """

    where: str
    column: str
    label: str
    pretreatment: bool = False


class Field(ABC):
    """설계가 명세에 보태는 이름 하나(``panel:``, ``running:`` 따위)와 그 값.

    하위 클래스는 얼린 dataclass이고, 명세의 값이 인스턴스 하나가 됩니다. 설계의 파일에 두고 ``Design.fields``에 적으면
    형식 검사, 줄 번호, 오류의 말, 자료를 맞추는 일, 보고서, 초안, 재현 노트북이 모두 여기에서 나옵니다.

    Attributes
    ----------
    key : str
        명세의 이름.
    schema : dict
        JSON 스키마의 조각. 하위 이름마다 한국어 ``description``을 적습니다.
    about : str
        이 이름이 무엇인지 한국어로 한 마디(길잡이와 초안이 씁니다).
    repeats_units : bool
        한 단위가 여러 행에 나오는 자료이면 참. 단위가 겹치지 않는지 보지 않고, 변하지 않는 공변량도 받습니다.
    counts_arms : bool
        처치받은 쪽과 받지 않은 쪽의 수를 설계가 스스로 따지면 참.
    not_randomized : str
        ``randomized: true``와 함께 적었을 때 고치는 법.
    absorbs : str
        제 열을 교란 요인에도 적었을 때, 왜 다시 적지 않는지.
    """

    key: ClassVar[str]
    schema: ClassVar[dict[str, Any]]
    about: ClassVar[str]
    repeats_units: ClassVar[bool] = False
    counts_arms: ClassVar[bool] = False
    not_randomized: ClassVar[str] = "무작위로 정한 두 팔만 견주려면 이 이름을 지우고, 아니면 randomized를 지우세요."
    absorbs: ClassVar[str] = "설계가 이미 이 열을 써서 견줍니다."

    @classmethod
    def build(cls, value: Any) -> Self:
        """명세의 값(형식 검사를 지난 것)을 이 클래스의 인스턴스로."""
        return cls(**value)

    @classmethod
    def of(cls, spec: "Spec") -> Self | None:
        """명세에 적힌 것. 적지 않았으면 None."""
        return next((f for f in spec.fields if isinstance(f, cls)), None)

    def written(self) -> Any:
        """다시 YAML로 적을 값. 기본값과 같은 것은 적지 않습니다."""
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}

    @abstractmethod
    def roles(self) -> tuple[Role, ...]:
        """값이 말하는 열과 그 일."""

    def unit_column(self) -> str | None:
        """이 값이 정하는 분석 단위의 열. 정하지 않으면 None(명세의 ``unit``을 씁니다)."""
        return None

    def edges(self, spec: "Spec") -> tuple[tuple[str, str], ...]:
        """그래프를 적지 않았을 때 이 값이 뜻하는 화살표."""
        return ()

    def validate(self, spec: "Spec") -> None:
        """뜻이 통하는지. 자료를 읽기 전에 봅니다.

        Raises
        ------
        SpecError
            ``spec.error(SpecError, …)``로 만들어 줄 번호를 답니다.
        """

    def may_be_empty(self) -> set[str]:
        """빈칸이 뜻을 가지는 열(처치받지 않은 대상의 시작 시점 따위)."""
        return set()

    def encode(self, spec: "Spec", frame: "pd.DataFrame") -> list[str]:
        """제 열을 단계들이 쓰는 꼴로 바꿉니다(``frame``을 고칩니다). 처치와 공변량을 살피기 전에 불립니다.

        Returns
        -------
        list of str
            보고서에 적을, 한 일.

        Raises
        ------
        DataError
        """
        return []

    def inspect(self, spec: "Spec", frame: "pd.DataFrame") -> list[str]:
        """처치와 공변량까지 꼴이 갖추어진 뒤에 살핍니다. 돌려주는 것과 오류는 ``encode``와 같습니다."""
        return []

    def encoding_code(self, spec: "Spec") -> list[str]:
        """``encode``와 같은 일을 하는, 재현 노트북에 실을 코드의 줄들."""
        return []

    @classmethod
    def draft(cls, guess: dict[str, Any]) -> list[str]:
        """``--init``이 쓰는 초안의 줄들. 짐작한 열을 채우고, 짐작하지 못한 것은 TODO로 둡니다. 살리면 바른 YAML인 주석 한 줄입니다.

        Parameters
        ----------
        guess : dict
            열의 역할을 짐작한 것(``draft.guess``). ``"running.column"``처럼 자리의 이름으로 찾고, 없으면 ``"unit"``처럼 속
            이름으로 찾습니다.
        """
        known = {name: guess.get(f"{cls.key}.{name}") or guess.get(name) for name in cls.schema.get("properties", {})}
        must = cls.schema.get("required", ())
        value: Any = {name: found or "TODO" for name, found in known.items() if found or name in must}
        return [f"# {cls.key}: {quoted(value or guess.get(cls.key) or 'TODO')}   # {cls.about}"]


@dataclass(frozen=True)
class Spec:
    """분석 하나의 명세.

    Attributes
    ----------
    name, question : str
    source, treatment, outcome
    estimand : "ATE", "ATT", "LATE", "ITT"
    unit : str or None
        분석 단위의 열(행이 겹치지 않는지 봅니다). 패널처럼 단위를 정하는 ``fields``가 있으면 그것과 같습니다.
    edges : tuple of (str, str)
        인과 그래프. 재지 못한 변수의 이름도 쓸 수 있습니다(``hidden``에 적습니다).
    confounders : tuple of str
        그래프 대신 적은 교란 요인의 목록.
    hidden : tuple of str
        그래프에 있으나 자료에 없는 변수.
    timing : dict
        열 → "before", "treatment", "after".
    modifiers : tuple of str
        효과가 갈릴지 볼 처치 전 변수.
    categories, numbers : tuple of str
        범주로 읽을 열(지역 코드)과, 의심스러워 보여도 적힌 그대로의 수인 열.
    fields : tuple of Field
        설계가 쓰는 것. ``Panel.of(spec)``처럼 꺼냅니다.
    negative_outcomes, negative_treatments : tuple of str
        효과가 없어야 할 결과와 처치.
    money : Money or None
    weights : Weights or None
    assignment : Assignment or None
        처치를 정한 규칙이 적힌 곳. 임곗값의 설계는 이것이 있어야 A가 될 수 있습니다.
    seed : int
    labels : dict
        열 → 보고서에 적을 한국어 이름. 없으면 열 이름을 씁니다.
    lines : dict
        명세의 자리("treatment.column", "graph.edges[a -> b]" 따위) → 줄 번호. ``line``이 읽습니다.
    folder : str
        명세가 놓인 폴더의 절대 경로. JSON과 보고서에는 쓰지 않습니다.
    """

    name: str
    question: str
    source: Source
    treatment: Treatment
    outcome: Outcome
    estimand: Literal["ATE", "ATT", "LATE", "ITT"]
    unit: str | None = None
    edges: tuple[tuple[str, str], ...] = ()
    confounders: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    timing: dict[str, Timing] = field(default_factory=dict)
    modifiers: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()
    negative_outcomes: tuple[str, ...] = ()
    negative_treatments: tuple[str, ...] = ()
    money: Money | None = None
    weights: Weights | None = None
    assignment: Assignment | None = None
    seed: int = 0
    labels: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict, compare=False)
    folder: str = field(default=".", compare=False)

    def label(self, column: str) -> str:
        """보고서에 적을 열의 이름."""
        if column == self.outcome.column and self.outcome.label:
            return self.outcome.label
        return self.labels.get(column, column)

    def readable(self, name: object) -> str:
        """보고서에 적을 이름. 범주를 편 열(``city_서울``)과 빈칸 표시(``age__missing``)는 본디 열의 이름으로 읽습니다."""
        name, known = str(name), self.columns()
        if name in known:
            return self.label(name)
        if name.removesuffix("__missing") != name:
            return f"{self.readable(name.removesuffix('__missing'))}의 빈칸"
        base = max((c for c in known if name.startswith(f"{c}_")), key=len, default=None)
        return name if base is None else f"{self.label(base)}={name[len(base) + 1 :]}"

    def line(self, where: str, item: str | None = None) -> int | None:
        """명세의 자리가 적힌 줄(1부터).

        Parameters
        ----------
        where : str
            ``"treatment.column"``처럼 점으로 이은 이름. 적지 않은 이름이면 그것을 담은 묶음의 줄입니다.
        item : str, optional
            목록 속의 값(``"age"``)이나 화살표(``"a -> b"``, 또는 그 화살표가 든 변수의 이름).

        Returns
        -------
        int or None
            파일에서 읽지 않은 명세이면 None.
        """
        return find_line(self.lines, where, item)

    def error(
        self, kind: type[PipelineError], code: str, where: str, message: str, remedy: str, item: str | None = None
    ) -> PipelineError:
        """``where``의 줄 번호를 단 오류. ``raise spec.error(DataError, …)``처럼 씁니다."""
        return kind(code, message, remedy, self.line(where, item))

    def both(self, one: str, other: str) -> str:
        """두 자리와 그 줄을 함께 부르는 말("randomized(7번째 줄)과 panel(12번째 줄)")."""
        shown = [f"{where}({self.line(where)}번째 줄)" if self.line(where) else where for where in (one, other)]
        return f"{josa(shown[0], '과/와')} {shown[1]}"

    def written(self) -> dict[str, bool]:
        """설계가 쓰거나 쓰지 않을 수 있는 자리마다, 명세가 적었는지."""
        return {
            "treatment.probability": self.treatment.probability is not None,
            "treatment.cluster": self.treatment.cluster is not None,
            "negative_controls.outcomes": bool(self.negative_outcomes),
            "negative_controls.treatments": bool(self.negative_treatments),
            "weights": self.weights is not None,
        }

    def column_error(
        self, kind: type[PipelineError], code: str, column: str, message: str, remedy: str
    ) -> PipelineError:
        """``column``이 적힌 줄을 단 오류."""
        return self.error(kind, code, self.where(column), message, remedy, item=column)

    def roles(self) -> tuple[Role, ...]:
        """명세가 말하는 열마다의 일(그래프는 뺍니다). 한 열이 여러 일을 맡으면 여러 번 나옵니다."""
        t = self.treatment
        found = [Role("treatment.column", t.column, "처치"), Role("outcome.column", self.outcome.column, "결과")]
        if self.unit and all(f.unit_column() != self.unit for f in self.fields):
            found.append(Role("unit", self.unit, "단위"))
        if t.cluster:
            found.append(Role("treatment.cluster", t.cluster, "처치를 정한 단위"))
        if isinstance(t.probability, str):
            found.append(Role("treatment.probability", t.probability, "처치 확률"))
        if self.weights:
            kind = {"sampling": "표본 가중치", "frequency": "되풀이한 수"}[self.weights.kind]
            found.append(Role("weights.column", self.weights.column, kind))
        found += [role for f in self.fields for role in f.roles()]
        found += [Role("confounders", c, "교란 요인", True) for c in self.confounders]
        found += [Role("modifiers", c, "효과를 가를 변수", True) for c in self.modifiers]
        found += [Role("negative_controls.outcomes", c, "음성 대조군 결과") for c in self.negative_outcomes]
        found += [Role("negative_controls.treatments", c, "음성 대조군 처치", True) for c in self.negative_treatments]
        return tuple(found)

    def columns(self) -> set[str]:
        """명세가 말하는 자료의 열(숨은 변수는 뺍니다)."""
        return ({r.column for r in self.roles()} | {n for edge in self.edges for n in edge}) - set(self.hidden)

    def identifiers(self) -> list[str]:
        """이름표인 열: 단위, 집단, 처치를 정한 단위. 수로 셈하지 않으므로 적힌 글자 그대로 읽습니다."""
        named = {"unit", "treatment.cluster", "panel.unit", "cross_sections.group"}
        rest = {role.column for role in self.roles() if role.where not in named} | self.adjusted_names()
        return sorted({role.column for role in self.roles() if role.where in named} - rest)

    def covariates(self) -> list[str]:
        """처치, 결과, 설계의 열을 뺀 나머지: 교란 요인, 그래프의 다른 변수, 효과를 가를 변수, 음성 대조군."""
        lists = {"confounders", "modifiers", "negative_controls.outcomes", "negative_controls.treatments"}
        return sorted(self.columns() - {r.column for r in self.roles() if r.where not in lists})

    def adjusted_names(self) -> set[str]:
        """보정하거나 효과를 가르는 데 쓸 수 있는 열: 교란 요인, 효과를 가를 변수, 그래프의 변수."""
        return ({n for edge in self.edges for n in edge} | set(self.confounders) | set(self.modifiers)) - {
            self.treatment.column,
            self.outcome.column,
        }

    def where(self, column: str) -> str:
        """열이 처음 적힌 자리."""
        return next((r.where for r in self.roles() if r.column == column), "graph.edges")

    @property
    def repeats_units(self) -> bool:
        """한 단위가 여러 행에 나오는 자료이면 참."""
        return any(f.repeats_units for f in self.fields)


# --- 결과 ---


@dataclass(frozen=True)
class Rule:
    """설계를 고른 규칙표의 한 줄. 보고서에 그대로 실립니다."""

    question: str
    answer: bool
    design: str
    chosen: bool


@dataclass(frozen=True)
class Identification:
    """식별의 결과.

    Attributes
    ----------
    design : str
        설계의 이름(``Design.name``).
    estimand : str
        설계가 식별하는 것. 명세와 다르면 까닭이 ``notes``에 있습니다.
    adjustment : tuple of str
        보정할 열(차례가 정해져 있습니다).
    sentence : str
        추정 대상을 한국어로 읽은 한 문장.
    formula : str
        LaTeX.
    notes : tuple of str
    whom : str
        효과가 누구의 것인지(``"처치받은 대상"``). 모든 대상이면 빈 글입니다.
    rules : tuple of Rule
        설계를 고른 규칙표. ``identify.identify``가 채웁니다.
    """

    design: str
    estimand: str
    adjustment: tuple[str, ...]
    sentence: str
    formula: str
    notes: tuple[str, ...] = ()
    whom: str = ""
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class Loss:
    """자료를 읽으며 뺀 행.

    Attributes
    ----------
    what : str
        왜 뺐는지("빈칸이 있는").
    lost, total : int
    arms : dict
        처치의 값 → (뺀 수, 모두의 수). 처치가 빈 행은 ``"모름"``입니다.
    gap : float
        팔마다 뺀 몫의 가장 큰 차이.
    p_treatment, p_outcome : float or None
        뺀 것이 처치, 결과와 이어지는지의 p값. 잴 수 없으면 None.
    """

    what: str
    lost: int
    total: int
    arms: dict[str, tuple[int, int]]
    gap: float
    p_treatment: float | None
    p_outcome: float | None


@dataclass(frozen=True)
class Power:
    """점검이 이 자료에서 가진 힘.

    Attributes
    ----------
    bias : float
        알아채야 할 치우침의 크기(결과의 단위). 추정값의 절반과 95% 구간의 반쪽 가운데 큰 것이고, 추정값이 아니라 표준오차를 보는
        위약에서는 구간의 반쪽(표준오차를 절반으로 세었을 때 구간 끝이 어긋나는 크기)입니다.
    noticed : float
        그런 치우침이 있을 때 이 점검이 통과하지 않았을 확률(0과 1 사이).
    """

    bias: float
    noticed: float


@dataclass(frozen=True)
class Check:
    """점검 하나.

    Attributes
    ----------
    name : str
        ``overlap``처럼 JSON과 시험이 쓰는 이름.
    label, message : str
        보고서에 적을 한국어 이름과 한 문장.
    status : Status
        ``ok`` 통과, ``warn`` 주의, ``fail`` 실패, ``unshown`` 보이지 못함(울리지 않았지만, 깨졌어도 울리지 않았을 점검).
    value, threshold : float or None
    cap : Letter or None
        이 점검 때문에 등급이 이보다 높을 수 없으면 그 등급.
    power : Power or None
        잴 수 있는 점검에서, 치우침을 알아챘을 확률.
    """

    name: str
    label: str
    status: Status
    message: str
    value: float | None = None
    threshold: float | None = None
    cap: Letter | None = None
    power: Power | None = None


@dataclass(frozen=True)
class Estimate:
    """추정 하나. 구간은 95%이고 표준오차는 처치를 정한 단위를 따릅니다.

    Attributes
    ----------
    method, label : str
    value, low, high, se : float
        추정값, 95% 구간의 아래와 위, 표준오차. 결과의 단위입니다.
    n : int
    fails_when : str
        이 방법이 틀리는 조건 한 문장. 표에 나란히 적어 서로 다른 약점을 견줍니다.
    primary : bool
        결론에 쓰는 추정이면 참(하나뿐).
    estimand : str
        다른 추정과 대상이 다르면 그 이름.
    """

    method: str
    label: str
    value: float
    low: float
    high: float
    se: float
    n: int
    fails_when: str
    primary: bool = False
    estimand: str = ""


@dataclass(frozen=True)
class Peer:
    """같은 대상을 다른 라이브러리로 낸 것. ``gap``은 우리 추정값과의 차이를 우리 표준오차로 잰 것입니다."""

    library: str
    label: str
    value: float
    se: float
    gap: float


@dataclass(frozen=True)
class Sensitivity:
    """결론이 뒤집히려면 얼마나 세게 틀려야 하는지. ``benchmarks``는 잰 변수들이 같은 자로 얼마인지."""

    name: str
    label: str
    value: float
    message: str
    benchmarks: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Picture:
    """보고서가 그릴 그림의 자료. 그리는 일은 보고서가 합니다.

    ``kind``는 ``figures.KINDS``에 있는 이름이거나 설계의 ``drawers``에 있는 이름이고, ``data``는 그 그림의 배열들(목록)입니다.
    """

    kind: str
    title: str
    alt: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Step:
    """재현 노트북의 한 걸음. 파이프라인을 부르지 않고 dowhy, econml, statsmodels 같은 라이브러리만 씁니다."""

    text: str
    code: str


@dataclass(frozen=True)
class Heterogeneity:
    """효과가 갈리는지의 시험과, 갈릴 때에만 낸 무리별 효과."""

    tested: tuple[str, ...]
    p_value: float | None
    found: bool
    groups: tuple[dict[str, Any], ...] = ()
    calibration: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Policy:
    """결정. 값은 배우지 않은 자료에서 잰 것이고 화폐 단위입니다(대상 하나당)."""

    rule: str
    share: float
    value: float
    low: float
    high: float
    treat_all: float
    treat_none: float = 0.0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Grade:
    """A 믿고 쓸 만함, B 조건부, C 쓰지 말 것. 까닭은 약한 것부터 적습니다."""

    letter: Letter
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Analysis:
    """실행 하나의 모든 결과. ``to_dict``가 보고서의 JSON입니다.

    ``notices``는 자료를 읽으며 한 일(뺀 행, 뽑은 표본)이고 ``versions``는 자료의 지문과 라이브러리의 판입니다. ``peers``는 다른
    라이브러리로 낸 것이며, 견주지 않았으면 None입니다.
    """

    spec: Spec
    identification: Identification
    checks: tuple[Check, ...]
    estimates: tuple[Estimate, ...]
    sensitivities: tuple[Sensitivity, ...]
    heterogeneity: Heterogeneity | None
    policy: Policy | None
    grade: Grade
    pictures: tuple[Picture, ...]
    steps: tuple[Step, ...]
    rows: int
    notices: tuple[str, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    peers: tuple[Peer, ...] | None = None

    @property
    def primary(self) -> Estimate:
        """결론에 쓰는 추정."""
        return next(e for e in self.estimates if e.primary)

    def to_dict(self) -> dict[str, Any]:
        """JSON이 되는 사전. 실수는 유효숫자 열 자리이고, 폴더와 줄 번호는 담지 않습니다."""
        found = plain(self, digits=10)
        for hidden in ("lines", "folder", "fields"):
            found["spec"].pop(hidden)
        return found | {"spec": found["spec"] | {f.key: plain(f.written(), digits=10) for f in self.spec.fields}}


def find_line(lines: dict[str, int], where: str, item: str | None = None) -> int | None:
    """줄 번호의 표에서 ``where``(와 목록 속의 ``item``)의 줄. 없으면 그것을 담은 묶음의 줄입니다."""
    if item is not None and f"{where}[{item}]" in lines:
        return lines[f"{where}[{item}]"]
    while where and where not in lines:
        where = where.rpartition(".")[0]
    return lines.get(where)


def plain(value: Any, digits: int | None = None) -> Any:
    """dataclass, numpy 값, 튜플을 JSON이 되는 값으로.

    Parameters
    ----------
    digits : int, optional
        실수의 유효숫자. 주면 유한하지 않은 수는 ``None``이 됩니다. 주지 않으면 수를 그대로 둡니다(단계의 보관).
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name), digits) for f in fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item, digits) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, digits) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist(), digits)
    if isinstance(value, float) and digits is not None:
        return float(f"{value:.{digits}g}") if math.isfinite(value) else None
    return value
