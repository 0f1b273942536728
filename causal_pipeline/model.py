"""파이프라인의 단계들이 주고받는 것. 모두 그대로 JSON이 되는 값만 담습니다."""

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Timing = Literal["before", "treatment", "after", "unknown"]
DesignName = Literal[
    "experiment", "adjustment", "instrument", "discontinuity", "difference_in_differences", "synthetic_control"
]
Status = Literal["ok", "warn", "fail"]
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
    """

    path: str | None
    table: str | None = None
    sql: str | None = None
    sample: int | None = None
    missing: Literal["refuse", "drop", "flag"] = "refuse"


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


@dataclass(frozen=True)
class Outcome:
    """결과. ``unit``은 보고서에 적을 단위, ``higher_is_better``는 결정에 씁니다."""

    column: str
    unit: str = ""
    label: str = ""
    higher_is_better: bool = True


@dataclass(frozen=True)
class Panel:
    """패널의 열.

    Attributes
    ----------
    unit, time : str
        대상과 시점의 열. 시점은 정수이거나 날짜입니다.
    start : str or None
        대상마다 처음 처치받은 시점의 열(처치받지 않았으면 빈칸). 없으면 처치 열에서 만듭니다.
    anticipation : int
        처치 앞의 몇 시점을 비교에서 뺄지.
    """

    unit: str
    time: str
    start: str | None = None
    anticipation: int = 0


@dataclass(frozen=True)
class Running:
    """불연속 설계의 배정변수와 임곗값. ``above``가 참이면 임곗값 이상이 처치 쪽입니다."""

    column: str
    cutoff: float
    above: bool = True


@dataclass(frozen=True)
class Money:
    """결정에 쓰는 돈. 결과 한 단위의 값과 처치 한 번의 비용(같은 화폐)."""

    value_per_outcome: float
    cost_per_treatment: float = 0.0
    currency: str = "원"
    minimum_gain: float = 0.0


@dataclass(frozen=True)
class Spec:
    """분석 하나의 명세.

    Attributes
    ----------
    name, question : str
    source, treatment, outcome
    estimand : "ATE", "ATT", "LATE", "ITT"
    unit : str or None
        분석 단위의 열(행이 겹치지 않는지 봅니다). 패널이면 ``panel.unit``과 같습니다.
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
    instrument, running, panel
        설계가 쓰는 열.
    negative_outcomes, negative_treatments : tuple of str
        효과가 없어야 할 결과와 처치.
    money : Money or None
    seed : int
    labels : dict
        열 → 보고서에 적을 한국어 이름. 없으면 열 이름을 씁니다.
    lines : dict
        명세의 자리("treatment.column" 따위) → 줄 번호. 오류에 씁니다.
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
    instrument: str | None = None
    running: Running | None = None
    panel: Panel | None = None
    negative_outcomes: tuple[str, ...] = ()
    negative_treatments: tuple[str, ...] = ()
    money: Money | None = None
    seed: int = 0
    labels: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict, compare=False)
    folder: str = field(default=".", compare=False)

    def label(self, column: str) -> str:
        """보고서에 적을 열의 이름."""
        if column == self.outcome.column and self.outcome.label:
            return self.outcome.label
        return self.labels.get(column, column)


# --- 결과 ---


@dataclass(frozen=True)
class Rule:
    """설계를 고른 규칙표의 한 줄. 보고서에 그대로 실립니다."""

    question: str
    answer: bool
    design: DesignName
    chosen: bool


@dataclass(frozen=True)
class Identification:
    """식별의 결과.

    Attributes
    ----------
    design : DesignName
    estimand : str
        설계가 식별하는 것. 명세와 다르면 까닭이 ``notes``에 있습니다.
    adjustment : tuple of str
        보정할 열(차례가 정해져 있습니다).
    rules : tuple of Rule
    sentence : str
        추정 대상을 한국어로 읽은 한 문장.
    formula : str
        LaTeX.
    notes : tuple of str
    """

    design: DesignName
    estimand: str
    adjustment: tuple[str, ...]
    rules: tuple[Rule, ...]
    sentence: str
    formula: str
    notes: tuple[str, ...] = ()


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
    value, threshold : float or None
    cap : Letter or None
        이 점검 때문에 등급이 이보다 높을 수 없으면 그 등급.
    """

    name: str
    label: str
    status: Status
    message: str
    value: float | None = None
    threshold: float | None = None
    cap: Letter | None = None


@dataclass(frozen=True)
class Estimate:
    """추정 하나. 구간은 95%이고 표준오차는 처치를 정한 단위를 따릅니다.

    Attributes
    ----------
    method, label : str
    value, low, high, error : float
        결과의 단위.
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
    error: float
    n: int
    fails_when: str
    primary: bool = False
    estimand: str = ""


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

    ``kind``는 forest, balance, overlap, event_study, running, paths, dose, policy, calibration 가운데 하나이고
    ``data``는 그 그림의 배열들(목록)입니다.
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
    pictures: tuple[Picture, ...] = ()


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
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True)
class Grade:
    """A 믿고 쓸 만함, B 조건부, C 쓰지 말 것. 까닭은 약한 것부터 적습니다."""

    letter: Letter
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Analysis:
    """실행 하나의 모든 결과. ``to_dict``가 보고서의 JSON입니다.

    ``notices``는 자료를 읽으며 한 일(뺀 행, 뽑은 표본)이고 ``versions``는 자료의 지문과 라이브러리의 판입니다.
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

    @property
    def primary(self) -> Estimate:
        """결론에 쓰는 추정."""
        return next(e for e in self.estimates if e.primary)

    def to_dict(self) -> dict[str, Any]:
        """JSON이 되는 사전. 실수는 유효숫자 열 자리이고, 폴더와 줄 번호는 담지 않습니다."""
        found = asdict(self)
        for hidden in ("lines", "folder"):
            found["spec"].pop(hidden)
        return plain(found)


def plain(value: Any) -> Any:
    """numpy 값과 튜플을 JSON 값으로. 유한하지 않은 수는 ``None``이 됩니다."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float):
        return float(f"{value:.10g}") if math.isfinite(value) else None
    return value
