"""식별의 말: 설계마다의 ``identify``가 함께 쓰는 문장, 식, 대상의 수."""

import networkx as nx
import pandas as pd

from causal_pipeline.errors import DataError, Refusal
from causal_pipeline.graphs import adjustment_set, observed, precision_covariates
from causal_pipeline.model import Identification, Spec
from causal_pipeline.wording import josa, names

# 처치받은(또는 받지 않은) 대상이 이보다 적으면 두 쪽을 견주는 설계를 하지 않습니다. 다섯 겹으로 나누면 한 겹에 넷이 남습니다.
SMALLEST_ARM = 20


def contrast(spec: Spec) -> str:
    """무엇을 무엇과 견주는지("'쿠폰'이 0일 때에 견주어 1이면")."""
    t = spec.treatment
    name = f"'{spec.label(t.column)}'"
    if t.kind == "continuous":
        return f"{josa(name, '을/를')} {t.control}에서 {josa(t.treated, '으로/로')} 바꾸면"
    return f"{josa(name, '이/가')} {t.control}일 때에 견주어 {t.treated}이면"


def result(spec: Spec) -> str:
    """무엇이 달라지는지("'매출'이 평균 얼마나 달라지는가(단위: 원)")."""
    label = f"'{spec.label(spec.outcome.column)}'"
    return f"{josa(label, '이/가')} 평균 얼마나 달라지는가" + (
        f"(단위: {spec.outcome.unit})" if spec.outcome.unit else ""
    )


def tex(name: str) -> str:
    r"""열의 이름을 LaTeX로(``\mathrm{t}``)."""
    return rf"\mathrm{{{name}}}".replace("_", r"\_")


def require_arms(spec: Spec, frame: pd.DataFrame) -> None:
    """견주는 두 값의 대상이 저마다 ``SMALLEST_ARM``개 이상인지.

    Raises
    ------
    DataError
    """
    for level in (spec.treatment.control, spec.treatment.treated):
        size = int((frame[spec.treatment.column] == level).sum())
        if size < SMALLEST_ARM:
            raise spec.error(
                DataError, "too_few_treated", "treatment.column",
                f"{josa(spec.treatment.column, '이/가')} {level}인 대상이 {size}개뿐입니다. 이 설계는 양쪽에 {SMALLEST_ARM}개 이상이 필요합니다.",
                "자료를 더 모으거나, 대상이 하나뿐이고 여러 시점을 보았다면 panel을 적어 통제집단합성법을 쓰세요.",
            )  # fmt: skip


def by_randomisation(design: str, spec: Spec, graph: nx.DiGraph) -> Identification:
    """무작위 배정에서의 식별. 공변량은 오차를 줄이는 데에만 씁니다."""
    covariates = precision_covariates(spec, graph)
    listed = names((spec.label(c) for c in covariates), 8)
    notes = [f"보정하지 않아도 식별됩니다. {josa(listed, '은/는')} 오차를 줄이는 데에만 씁니다."] if covariates else []
    if spec.estimand == "ATT":
        notes.append("무작위 배정에서는 ATT와 ATE가 같아 ATE로 적습니다.")
    t, y, low, high = (
        tex(spec.treatment.column),
        tex(spec.outcome.column),
        spec.treatment.control,
        spec.treatment.treated,
    )
    return Identification(
        design=design,
        estimand="ITT" if spec.estimand == "ITT" else "ATE",
        adjustment=covariates,
        sentence=f"모든 대상에서, {contrast(spec)} {result(spec)}. 배정이 무작위이므로 두 집단의 평균 차이가 곧 효과입니다.",
        formula=rf"E[{y} \mid {t}={high}] - E[{y} \mid {t}={low}]",
        notes=tuple(notes),
    )


def by_adjustment(design: str, spec: Spec, graph: nx.DiGraph) -> Identification:
    """잰 변수를 보정해 뒷문을 막는 식별.

    Raises
    ------
    Refusal
        보정할 것을 아무것도 적지 않았거나, 잰 변수로는 뒷문을 다 막을 수 없을 때.
    """
    if not spec.edges and not spec.confounders:
        raise spec.error(
            Refusal, "nothing_declared", "confounders",
            "무작위 배정도 아니고, 보정할 교란 요인도 그래프도 적지 않았습니다. 이대로 견주면 상관만 남습니다.",
            "confounders에 처치와 결과를 함께 움직이는 처치 전 변수를 적거나, edges에 인과 그래프를 적으세요.",
        )  # fmt: skip
    chosen, t, y = adjustment_set(spec, graph), spec.treatment.column, spec.outcome.column
    att, low, high = spec.estimand == "ATT", spec.treatment.control, spec.treatment.treated
    who = f"처치를 받은 대상('{spec.label(t)}'={high})에서" if att else "모든 대상에서"
    given = rf", {', '.join(map(tex, chosen))}" if chosen else ""
    over = rf" \mid {tex(t)}={high}" if att else ""
    inner = rf"E[{tex(y)} \mid {tex(t)}={high}{given}] - E[{tex(y)} \mid {tex(t)}={low}{given}]"
    notes = []
    left = [n for n in observed(spec, graph) if n not in {t, y, *chosen}] if spec.edges else []
    if left:
        listed = names((spec.label(c) for c in left), 8)
        notes.append(
            f"그래프에 있으나 보정하지 않은 변수: {listed}. 뒷문을 막는 데 필요하지 않거나 막아서는 안 됩니다."
        )
    if not spec.edges:
        notes.append("그래프를 적지 않아, 적은 교란 요인이 전부라는 가정을 그래프로 검사하지 못했습니다.")
    same = f"{josa(names((spec.label(c) for c in chosen), 8), '이/가')} 같은 대상끼리 견주어, " if chosen else ""
    return Identification(
        design=design,
        estimand=spec.estimand,
        adjustment=chosen,
        sentence=f"{who}, {same}{contrast(spec)} {result(spec)}.",
        formula=rf"E\left[{inner}{over}\right]",
        notes=tuple(notes),
        whom="처치받은 대상" if att else "",
    )
