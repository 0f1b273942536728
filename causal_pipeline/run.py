"""단계를 차례로 돌립니다: 읽기 → 식별 → 점검 → 추정 → 반박 → 이질성 → 결정 → 등급 → 보고서."""

import os
import shutil
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from causal_pipeline.errors import DataError, OutputError, Refusal, SpecError, cause
from causal_pipeline.model import (
    Analysis,
    Check,
    Estimate,
    Heterogeneity,
    Identification,
    Peer,
    Picture,
    Policy,
    Sensitivity,
    Spec,
    Step,
)
from causal_pipeline.spec import read_spec
from causal_pipeline.stages import Store, run_key, versions, write_durably
from causal_pipeline.stopping import sweep, unfinished
from causal_pipeline.wording import josa

if TYPE_CHECKING:
    import pandas as pd

    from causal_pipeline.designs.base import Design
    from causal_pipeline.tables import Table

REPORT, NUMBERS, NOTEBOOK, SPEC_COPY = "report.html", "report.json", "reproduce.ipynb", "spec.yml"
FILES = (REPORT, NUMBERS, NOTEBOOK, SPEC_COPY)
_STAGES = ".stages"


def analyze(
    spec: Spec | str | Path,
    out: str | Path | None = None,
    *,
    frame: "pd.DataFrame | None" = None,
    force: bool = False,
    progress: bool = False,
    among: "Sequence[type[Design]] | None" = None,
    peers: bool = False,
) -> Analysis:
    """명세 하나로 분석 전체를 돌립니다. 명령, 모의 세계, 시험이 모두 이 함수를 지납니다.

    Parameters
    ----------
    spec : Spec, str or Path
        명세 또는 명세 파일의 자리.
    out : str or Path, optional
        보고서를 쓸 폴더. 없으면 아무것도 쓰지 않고 결과만 돌려줍니다. 끝난 단계는 ``out/.stages``에 보관되어,
        같은 명세와 자료로 다시 부르면 멈춘 데에서 이어집니다.
    frame : pandas.DataFrame, optional
        파일 대신 쓸 표. 명세의 ``source``는 읽지 않습니다.
    force : bool
        참이면 보관한 단계를 버리고 처음부터 돌리며, 다른 분석의 보고서가 있던 폴더에도 덮어씁니다.
    progress : bool
        참이면 남은 시간을 보여 주는 진행 막대를 표준 오류에 그립니다.
    among : sequence of Design subclasses, optional
        고를 설계들. 없으면 등록된 모두입니다.
    peers : bool
        참이면 같은 대상을 다른 라이브러리(statsmodels, EconML, linearmodels)로도 내어 견줍니다. 몇 초가 더 듭니다.

    Returns
    -------
    Analysis

    Raises
    ------
    SpecError, DataError
        명세나 자료가 잘못되었을 때. ``out``에는 아무것도 쓰지 않습니다.
    Refusal
        자료와 명세는 멀쩡하지만 이 물음에 답할 수 없을 때.
    OutputError
        ``out``에 쓸 수 없을 때.
    """
    from causal_pipeline import tables

    if not isinstance(spec, Spec):
        spec = read_spec(spec)
    folder = None if out is None else _out_folder(Path(out), spec, force)
    new = [] if folder is None else [place for place in (folder, folder / _STAGES) if not place.exists()]
    bar = _Bar(progress)
    try:
        with bar.stage("자료 읽기", 2):
            table = tables.load(spec) if frame is None else tables.from_frame(spec, frame)
        analysis = _stages(spec, table, folder, force, bar, among, peers)
        if folder is not None:
            with bar.stage("보고서 쓰기", 6):
                _write(analysis, folder)
    except (SpecError, DataError, Refusal):  # 식별 뒤의 점검에서 멈추어도 보관한 단계를 남기지 않습니다
        for place in new:
            shutil.rmtree(place, ignore_errors=True)
        raise
    finally:
        bar.close()
    return analysis


def _stages(
    spec: Spec,
    table: "Table",
    folder: Path | None,
    force: bool,
    bar: "_Bar",
    among: "Sequence[type[Design]] | None",
    compare: bool,
) -> Analysis:
    from causal_pipeline import designs, doubts, peers
    from causal_pipeline.checks import lost_rows
    from causal_pipeline.decide import decide
    from causal_pipeline.grade import grade
    from causal_pipeline.heterogeneity import heterogeneity, predicted_effects
    from causal_pipeline.identify import identify

    store = Store(folder / _STAGES if folder is not None else None, run_key(spec, table.digest))
    if folder is not None and force:
        shutil.rmtree(folder / _STAGES, ignore_errors=True)

    def do(name: str, label: str, weight: float, kind: Any, work: Callable[[], Any]) -> Any:
        with bar.stage(label, weight), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # 라이브러리의 경고는 점검(Check)이 대신 말합니다
            found, value = store.get(name, kind)
            return value if found else store.put(name, kind, work())

    frame, original, kinds = table.frame, spec, designs.registered() if among is None else among
    if spec.treatment.kind == "binary":  # 자료에서 처치는 이미 0과 1입니다
        spec = replace(spec, treatment=replace(spec.treatment, control=0, treated=1))
    ident: Identification = do("identify", "식별", 8, Identification, lambda: identify(spec, frame, kinds))
    design = next(kind for kind in kinds if kind.name == ident.design)(spec, ident, frame)
    effects = cache(lambda: predicted_effects(design))

    checks = do("check", "점검", 12, list[Check], lambda: [*doubts.checks(spec, frame), *design.check()])
    estimates = do("estimate", "추정", 25, list[Estimate], lambda: design.estimates)
    more, sensitivities = do("stress", "반박과 민감도", 25, tuple[list[Check], list[Sensitivity]], design.stress)
    others = do("peers", "다른 라이브러리", 0, tuple[Peer, ...], lambda: peers.peers(design)) if compare else None
    checks = [*lost_rows(spec, table.losses), *checks, *more, *peers.check(others or ())]
    main = next(e for e in estimates if e.primary)
    het = do("heterogeneity", "효과가 갈리는지", 12, Heterogeneity | None, lambda: heterogeneity(design, effects()))
    policy = do(
        "decide", "결정", 8, Policy | None, lambda: decide(spec, ident, main, effects() if spec.money else None, het)
    )
    pictures = do("pictures", "그림의 자료", 4, list[Picture], design.pictures)
    steps = do("steps", "재현 노트북", 2, list[Step], design.steps)
    return Analysis(
        spec=original,
        identification=ident,
        checks=tuple(checks),
        estimates=tuple(estimates),
        sensitivities=tuple(sensitivities),
        heterogeneity=het,
        policy=policy,
        grade=grade(checks, design.reveals, design.known_assignment(), design.doubts(sensitivities), design.caveat()),
        pictures=tuple(pictures),
        steps=tuple(steps),
        rows=len(frame),
        notices=(*table.notices, *_unused(spec, design, het)),
        versions=versions() | {"data_sha256": table.digest},
        peers=others,
    )


def _unused(spec: Spec, design: "Design", het: Heterogeneity | None) -> list[str]:
    """적어 둔 배정의 규칙과, 적었으나 이 설계와 자료에서는 쓰지 못한 것."""
    found = []
    if spec.assignment:
        found.append(f"처치를 정한 규칙은 '{spec.assignment.rule}'이고, 출처는 {spec.assignment.source}입니다.")
    if spec.modifiers and het is None:
        found.append(
            f"modifiers({', '.join(map(spec.label, spec.modifiers))})는 쓰지 않았습니다. {design.label}에서, 이 추정 대상과 자료로는 효과를 나누어 보지 않습니다."
        )
    left = [c for c in spec.confounders if c not in design.ident.adjustment]
    if left:
        found.append(
            f"confounders({', '.join(map(spec.label, left))})는 효과를 내는 데에 쓰지 않았습니다. {josa(design.label, '은/는')} 이 변수로 보정하지 않습니다."
        )
    return found


# --- 쓰기 ---


def _out_folder(out: Path, spec: Spec, force: bool) -> Path:
    """쓸 수 있는 폴더인지 봅니다. 아직 아무것도 만들지 않습니다."""
    if out.exists() and not out.is_dir():
        raise OutputError(
            "out_is_file", f"'{out.name}'은(는) 폴더가 아니라 파일입니다.", "--out에 폴더의 이름을 적으세요."
        )
    if out.resolve() == Path(spec.folder).resolve():
        raise OutputError(
            "out_is_spec_folder",
            "보고서를 명세가 놓인 폴더에 바로 쓸 수 없습니다.",
            "--out report처럼 빈 폴더를 적으세요. 명세를 덮어쓰지 않기 위해서입니다.",
        )
    if out.is_dir():
        there = {p.name for p in out.iterdir()}
        ours = _STAGES in there or NUMBERS in there
        if there and not ours and not force:
            raise OutputError(
                "out_not_empty",
                f"'{out.name}' 폴더에 보고서가 아닌 파일이 있습니다.",
                "빈 폴더를 적으세요. 그래도 쓰려면 --force를 붙이세요.",
            )
        if NUMBERS in there and not force and (other := _other_name(out / NUMBERS)) not in (None, spec.name):
            raise OutputError(
                "out_other_report",
                f"'{out.name}' 폴더에 다른 분석('{other}')의 보고서가 있습니다.",
                "다른 폴더를 적거나, 덮어쓰려면 --force를 붙이세요.",
            )
        if not _writable(out):
            raise OutputError(
                "out_not_writable",
                f"'{out.name}' 폴더에 쓸 수 없습니다.",
                "폴더의 쓰기 권한을 켜거나 다른 폴더를 적으세요.",
            )
        return out
    parent = next((p for p in out.resolve().parents if p.exists()), None)
    if parent is None or not parent.is_dir() or not _writable(parent):
        raise OutputError(
            "out_not_writable", f"'{out.name}' 폴더를 만들 수 없습니다.", "위 폴더가 있는지, 쓰기 권한이 있는지 보세요."
        )
    return out


def _writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK)


def _other_name(path: Path) -> str | None:
    import json

    try:
        return json.loads(path.read_text(encoding="utf-8"))["spec"]["name"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(analysis: Analysis, folder: Path) -> None:
    """네 파일을 옆의 폴더에 다 쓴 뒤에 함께 옮깁니다. 하나라도 쓰지 못하면 아무것도 바꾸지 않습니다."""
    from causal_pipeline import report

    files = report.render(analysis, folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for place in (folder, folder / _STAGES):
            sweep(place)
        with unfinished(folder / f".new.{os.getpid()}.tmp") as new:
            new.mkdir()
            for name in FILES:
                write_durably(new / name, files[name])
            for name in (NOTEBOOK, SPEC_COPY, NUMBERS, REPORT):  # 이름만 바꾸는 일은 디스크가 차도 됩니다
                (new / name).replace(folder / name)
    except OSError as error:
        raise OutputError(
            "out_write_failed",
            f"보고서를 쓰지 못했습니다({cause(error)}).",
            "디스크의 남은 자리와 쓰기 권한을 보세요. 끝난 단계는 남아 있어 다시 하면 이어집니다.",
        ) from None


# --- 진행 막대 ---


class _Bar:
    """단계마다 무게를 두고 남은 시간을 어림하는 진행 막대."""

    TOTAL = 104.0

    def __init__(self, show: bool):
        self._bar = None
        if show:
            from tqdm import tqdm

            form = "{desc} {percentage:3.0f}%|{bar}| {elapsed} 지남, {remaining} 남음"
            self._bar = tqdm(
                total=self.TOTAL,
                bar_format=form,
                file=sys.stderr,
                leave=True,
                dynamic_ncols=True,
                mininterval=0,
                disable=False,
            )

    @contextmanager
    def stage(self, label: str, weight: float):
        """단계 하나. 끝나면 막대가 ``weight``만큼 갑니다."""
        if self._bar is not None:
            self._bar.set_description_str(label)
        yield
        if self._bar is not None:
            self._bar.update(weight)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
