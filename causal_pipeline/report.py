"""보고서를 만듭니다: 파일 하나로 된 HTML, 모든 수를 담은 JSON, 재현 노트북, 명세의 사본."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from causal_pipeline import designs, figures
from causal_pipeline.memo import ESTIMANDS, GRADES, agreement, answer, headline, memo
from causal_pipeline.model import Analysis, Picture, Sensitivity, Spec, plain
from causal_pipeline.notebook import notebook
from causal_pipeline.refuters import SEES
from causal_pipeline.wording import number, percent, pvalue

STATUS = {"ok": "통과", "warn": "주의", "fail": "실패", "unshown": "보이지 못함"}
TIMING = {"before": "처치 전", "treatment": "처치", "after": "처치 뒤", "unknown": "모름"}


def render(analysis: Analysis, folder: Path) -> dict[str, bytes]:
    """보고서의 네 파일을 바이트로. 아무것도 쓰지 않습니다.

    Returns
    -------
    dict of str to bytes
        파일 이름에서 내용으로. 같은 분석에서는 늘 같은 바이트입니다.
    """
    return {
        "report.html": html(analysis).encode(),
        "report.json": numbers(analysis),
        "reproduce.ipynb": notebook(analysis, folder),
        "spec.yml": spec_text(analysis.spec).encode(),
    }


def numbers(analysis: Analysis) -> bytes:
    """모든 수를 담은 JSON. 보고서의 표와 메모가 말하는 것도 함께 담습니다."""
    rows = [
        {
            "method": r["estimate"].method,
            "difference": r["difference"],
            "contains_primary": r["contains"],
            "same_sign": r["same_sign"],
            "compared": r["compared"],
        }
        for r in agreement(analysis)
    ]
    parts = [{"title": s.title, "text": s.text, "items": list(s.items)} for s in memo(analysis)]
    found = {
        "format": 2,
        **analysis.to_dict(),
        "agreement": plain(rows, digits=10),
        "memo": parts,
        "headline": headline(analysis),
        "answer": [{"what": what, "value": value, "interval": interval} for what, value, interval in answer(analysis)],
    }
    return (json.dumps(found, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def environment() -> Any:
    """보고서의 틀을 여는 jinja2.Environment. 수를 적는 거르개가 함께 있습니다."""
    import jinja2

    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters |= {"number": number, "percent": percent, "pvalue": pvalue}
    return env


def html(analysis: Analysis) -> str:
    """보고서 쪽. 바깥의 아무것도 부르지 않습니다."""
    env = environment()
    pictures = [{"title": p.title, "alt": p.alt, "source": figures.draw(p)} for p in _pictures(analysis)]
    het = analysis.heterogeneity
    return env.get_template("report.html.j2").render(
        a=analysis,
        spec=analysis.spec,
        ident=analysis.identification,
        best=analysis.primary,
        memo=memo(analysis)[1:],
        answer=answer(analysis),
        headline=headline(analysis),
        agreement=agreement(analysis),
        forest=pictures[0],
        pictures=pictures[1:],
        graph=figures.graph(analysis),
        formula=figures.formula(analysis.identification.formula),
        grades=GRADES,
        designs={kind.name: kind.label for kind in designs.registered()},
        split_in=[kind.effects_split_in for kind in designs.registered() if kind.effects_split_in],
        estimands=ESTIMANDS,
        status=STATUS,
        roles=roles(analysis),
        measured=_measured,
        spec_text=spec_text(analysis.spec),
        refuted=[check for check in analysis.checks if check.name in SEES],
        groups=_groups(analysis),
        calibration=[
            (_CALIBRATION.get(k, k), pvalue(v) if k.startswith("p_") else number(v)) for k, v in het.calibration.items()
        ]
        if het
        else [],
    )


def roles(analysis: Analysis) -> list[tuple[str, str, str]]:
    """(열, 맡은 일, 시점)의 표."""
    spec, adjusted = analysis.spec, set(analysis.identification.adjustment)
    found: dict[str, list[str]] = {}

    def add(column: str, role: str) -> None:
        found.setdefault(column, []).append(role)

    for role in spec.roles():
        if role.where != "confounders":
            add(role.column, role.label)
        elif role.column not in adjusted:
            add(role.column, "적었으나 보정하지 않음")
    for column in analysis.identification.adjustment:
        add(column, "보정")
    for column in sorted({n for e in spec.edges for n in e}):
        if column not in found:
            add(column, "재지 못함" if column in spec.hidden else "그래프에만 있음")
    defaults = {spec.treatment.column: "treatment", spec.outcome.column: "after"}
    return [(c, ", ".join(r), TIMING[spec.timing.get(c, defaults.get(c, "unknown"))]) for c, r in found.items()]


def _measured(spec: Spec, found: Sensitivity) -> bool:
    """견준 것이 모두 잰 변수이면 참, 띠너비 같은 설정이면 거짓."""
    known = spec.columns()
    return bool(found.benchmarks) and all(name in known or spec.readable(name) != name for name in found.benchmarks)


def _groups(analysis: Analysis) -> tuple[list[str], list[list[str]]] | None:
    """무리별 효과의 표: (머리, 줄)."""
    het = analysis.heterogeneity
    if het is None or not het.groups:
        return None
    return list(_GROUP.values()), [[_cell(g[k]) for k in _GROUP] for g in het.groups]


_GROUP = {
    "label": "무리",
    "n": "수",
    "share": "비율",
    "value": "효과",
    "low": "아래",
    "high": "위",
    "predicted": "예측한 효과",
}
_CALIBRATION = {
    "calibration_r2": "보정 R²(1이면 무리별 예측이 잰 효과와 같음)",
    "slope": "예측에 대한 기울기(1이면 크기까지 맞음)",
    "slope_low": "기울기의 95% 신뢰구간 아래",
    "slope_high": "기울기의 95% 신뢰구간 위",
    "p_linear": "변수와의 상호작용 p 값",
    "p_predicted": "예측한 효과의 p 값",
}


def _pictures(analysis: Analysis) -> list[Picture]:
    """그릴 그림. 방법의 견줌이 맨 앞이고, 무리별 예측이 있으면 보정 그림을 더하며, 열 이름은 뜻으로 바꿉니다."""
    found = [figures.forest(analysis)]
    for picture in analysis.pictures:
        if picture.kind == "balance":
            picture = replace(
                picture, data=picture.data | {"labels": [analysis.spec.readable(c) for c in picture.data["labels"]]}
            )
        found.append(picture)
    groups = [g for g in (analysis.heterogeneity.groups if analysis.heterogeneity else ()) if g["kind"] == "predicted"]
    if groups:
        data = {
            "predicted": [g["predicted"] for g in groups],
            "observed": [g["value"] for g in groups],
            "lows": [g["low"] for g in groups],
            "highs": [g["high"] for g in groups],
        }
        found.append(
            Picture(
                "calibration",
                "예측한 효과와 잰 효과",
                "예측한 효과로 나눈 무리마다 잰 효과와 신뢰구간입니다. 점선 위에 있으면 예측이 맞습니다. 수는 무리별 표와 같습니다.",
                data,
            )
        )
    return found


def _cell(value: str | int | float) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else number(value)


def spec_text(spec: Spec) -> str:
    """명세를 다시 YAML로. 기본값과 같은 것은 적지 않습니다. 다시 읽으면 같은 ``Spec``입니다."""
    import yaml

    t, y, s = spec.treatment, spec.outcome, spec.source
    out: dict[str, Any] = {"name": spec.name, "question": spec.question}
    out["data"] = _kept(s, path=s.path or "(표)", missing="refuse", blank=())
    if s.blank:
        out["data"]["blank"] = list(s.blank)
    if spec.unit and all(owned.unit_column() != spec.unit for owned in spec.fields):
        out["unit"] = spec.unit
    out["treatment"] = _kept(t, column=None, kind=None, control=None, treated=None, randomized=False)
    out["outcome"] = _kept(y, column=None, unit="", label="", higher_is_better=True)
    out["estimand"] = spec.estimand
    if spec.edges:
        out["graph"] = {
            "edges": [f"{a} -> {b}" if "->" not in a + b and "→" not in a + b else [a, b] for a, b in spec.edges]
        }
        if spec.hidden:
            out["graph"]["hidden"] = list(spec.hidden)
    if spec.confounders or not (spec.edges or t.randomized or spec.fields):
        out["confounders"] = list(spec.confounders)
    for key in ("timing", "modifiers", "categories", "numbers", "labels"):
        value = getattr(spec, key)
        if value:
            out[key] = list(value) if isinstance(value, tuple) else value
    out |= {owned.key: owned.written() for owned in spec.fields}
    controls = {"outcomes": list(spec.negative_outcomes), "treatments": list(spec.negative_treatments)}
    if any(controls.values()):
        out["negative_controls"] = {k: v for k, v in controls.items() if v}
    if spec.weights:
        out["weights"] = asdict(spec.weights)
    if spec.money:
        out["money"] = _kept(
            spec.money, value_per_outcome=None, cost_per_treatment=0.0, currency="원", minimum_gain=0.0
        )
    if spec.assignment:
        out["assignment"] = asdict(spec.assignment)
    out["seed"] = spec.seed
    return yaml.safe_dump(out, allow_unicode=True, sort_keys=False, width=110)


def _kept(part: Any, **defaults: Any) -> dict[str, Any]:
    """묶음 하나에서 기본값이 아닌 것. ``defaults``에서 None인 이름은 늘 적습니다."""
    out = {}
    for key, value in asdict(part).items():
        always = key in defaults and defaults[key] is None
        if always or (value is not None and value != defaults.get(key)) or key == "path":
            out[key] = defaults["path"] if key == "path" and "path" in defaults else value
    return out
