"""점검마다, 가정이 모두 성립하는 세계에서 얼마나 자주 잘못 울리는지 잽니다: ``python -m benchmarks.false_alarms``.

표(guides/false_alarms.yml)는 이 명령만 고칩니다. 설계마다 작은 표본과 큰 표본의 세계가 하나씩 있고, 아무것도 깨지지 않았습니다.
그래서 울린 것은 모두 헛경보입니다. 점검과 반박까지만 돌립니다. 등급을 C로 내리는 ``fail``과, B로 내리는 ``warn``을 따로 셉니다.
뽑은 것은 ``_build/benchmarks``에 적어 두어(``benchmarks.drawn``) 멈추어도 이어서 하고, ``--list``는 적게 뽑은 줄과 한 번의 초를 보여 줍니다.
"""

import argparse
import os
import time
import warnings
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import yaml  # noqa: E402

from benchmarks import pipeline_worlds as worlds  # noqa: E402
from benchmarks.drawn import draw_all  # noqa: E402
from causal_pipeline.model import Spec  # noqa: E402

TARGET = Path(__file__).resolve().parent.parent / "guides" / "false_alarms.yml"
HEADER = "# `python -m benchmarks.false_alarms`이 씁니다. 손으로 고치지 마세요.\n"
FIRST_SEED = 800_000
# 가정을 시험하는 점검들. 나머지(대상의 수, 겹침, 첫 단계의 힘, 추세를 볼 힘 따위)는 자료를 그대로 말하므로 헛경보가 없습니다.
ALARMS = {
    "lost_rows", "lost_cells", "sample_ratio", "balance", "attrition", "negative_control", "graph", "agreement", "placebo",
    "trimming", "density", "continuity", "bandwidth", "donut", "pre_trend", "backdating", "pre_fit", "leave_one_out", "composition",
    "turnout", "one_cluster", "instrument_inequality", "leads", "carry_over", "curvature",
}  # fmt: skip
# 균형(보정과 용량)은 가중 뒤에 남은 차이를 그대로 말합니다. 무작위 실험의 균형만 시험입니다.
DESCRIBED = {("adjustment", "balance"), ("dose", "balance"), ("dose", "curvature")}

Made = tuple[Spec, pd.DataFrame]


def _holes(frame: pd.DataFrame, seed: int, share: float) -> pd.DataFrame:
    """행을 아무렇게나 뺀 자료."""
    return frame[np.random.default_rng([seed, 9]).random(len(frame)) > share].reset_index(drop=True)


def _blank(made: Made, seed: int, share: float = 0.03) -> Made:
    """결과를 아무렇게나 비운 자료. 그 행은 빼라고 적습니다."""
    spec, frame = made
    gone = np.random.default_rng([seed, 9]).random(len(frame)) < share
    return replace(spec, source=replace(spec.source, missing="drop")), frame.assign(y=frame["y"].mask(gone))


def _experiment(seed: int, n: int) -> Made:
    return _blank(worlds.experiment(seed, n)[:2], seed)


def _adjustment(seed: int, n: int) -> Made:
    spec = worlds.confounded(0)[0]
    return _blank((replace(spec, modifiers=()), worlds.confounded_frame(seed, n=n)), seed)


def _graph(seed: int, n: int) -> Made:
    return worlds.world_spec("graph", edges=worlds.EDGES), worlds.graph_frame(seed, n)


def _dose(seed: int, n: int) -> Made:
    return worlds.dose(seed, n)[:2]


def _instrument(seed: int, n: int) -> Made:
    return worlds.instrument(0)[0], worlds.instrument_frame(seed, 1.5, n=n)


def _cutoff(seed: int, n: int) -> Made:
    return worlds.running_spec("cutoff"), worlds.running_frame(seed, n=n)


def _rounded_cutoff(seed: int, n: int) -> Made:
    """배정변수가 0.05마다 한 눈금입니다."""
    frame = worlds.running_frame(seed, n=n)
    frame["score"] = 50 + np.floor((frame["score"] - 50) / 0.05) * 0.05
    return worlds.running_spec("rounded_cutoff"), frame


def _panel(seed: int, units: int, treated: int) -> Made:
    """처치 대상이 ``treated``개인 패널. 칸의 3%가 비었습니다."""
    frame, _ = worlds.panel_frame(seed, 10, (6,), np.ones_like, units=units)
    frame = frame.assign(t=frame["t"].astype(int))
    mine = np.isin(frame["unit"], np.random.default_rng([seed, 1]).permutation(units)[:treated])
    frame["y"] -= frame["t"] * ~mine + 1.0 * ~mine
    frame["t"], frame["start"] = frame["t"] * mine, frame["start"].where(mine)
    return worlds.panel_spec("panel", negative_outcomes=("control_outcome",)), _holes(frame, seed, 0.03)


def _one_unit(seed: int, donors: int, before: int) -> Made:
    return worlds.one_treated_unit(seed, donors, before + 10, before)[:2]


def _cross_sections(seed: int, groups: int, treated: int) -> Made:
    return worlds.cross_sections_spec("cross_sections"), worlds.cross_sections_frame(seed, groups, treated)[0]


def _dose_panel(seed: int, units: int) -> Made:
    return worlds.dose_panel_spec("dose_panel"), worlds.dose_panel_frame(seed, units=units)


# 이름 → (보일 이름, 작은 표본, 큰 표본, 두 표본의 크기)
CALM: dict[str, tuple[str, Callable[[int], Made], Callable[[int], Made], tuple[str, str]]] = {
    "experiment": ("무작위 실험", partial(_experiment, n=120), partial(_experiment, n=3000), ("120행", "3,000행")),
    "adjustment": ("교란 요인 보정", partial(_adjustment, n=400), partial(_adjustment, n=3000), ("400행", "3,000행")),
    "graph": ("교란 요인 보정, 그래프를 적음", partial(_graph, n=300), partial(_graph, n=3000), ("300행", "3,000행")),
    "dose": ("용량 반응", partial(_dose, n=400), partial(_dose, n=3000), ("400행", "3,000행")),
    "instrument": ("도구변수", partial(_instrument, n=400), partial(_instrument, n=3000), ("400행", "3,000행")),
    "cutoff": ("불연속 설계", partial(_cutoff, n=400), partial(_cutoff, n=5000), ("400행", "5,000행")),
    "rounded_cutoff": (
        "불연속 설계, 눈금이 있음",
        partial(_rounded_cutoff, n=1000),
        partial(_rounded_cutoff, n=8000),
        ("1,000행", "8,000행"),
    ),
    "panel": (
        "이중차분법",
        partial(_panel, units=40, treated=10),
        partial(_panel, units=400, treated=200),
        ("40대상, 처치 10", "400대상, 처치 200"),
    ),
    "one_unit": (
        "통제집단합성법",
        partial(_one_unit, donors=20, before=12),
        partial(_one_unit, donors=50, before=40),
        ("견줄 대상 20, 앞 시점 12", "견줄 대상 50, 앞 시점 40"),
    ),
    "cross_sections": (
        "반복 횡단면의 이중차분",
        partial(_cross_sections, groups=12, treated=5),
        partial(_cross_sections, groups=40, treated=20),
        ("12집단, 처치 5", "40집단, 처치 20"),
    ),
    "dose_panel": (
        "패널의 용량",
        partial(_dose_panel, units=12),
        partial(_dose_panel, units=150),
        ("12대상", "150대상"),
    ),
}


def statuses(name: str, large: bool, seed: int) -> list[tuple[str, str, str]]:
    """한 번 뽑아 점검까지 돌린 (점검의 이름, 한국어 이름, 상태)들."""
    from causal_pipeline import checks, designs, tables
    from causal_pipeline.identify import identify

    warnings.simplefilter("ignore")
    spec, frame = CALM[name][2 if large else 1](seed)
    table = tables.from_frame(spec, frame)
    ident = identify(spec, table.frame)
    design = designs.get(ident.design)(spec, ident, table.frame)
    found = [*checks.lost_rows(spec, table.losses), *design.check(), *design.stress()[0]]
    return [(c.name, c.label, c.status) for c in found if c.name in ALARMS and (ident.design, c.name) not in DESCRIBED]


def _timed(name: str, large: bool, seed: int) -> list:
    start = time.process_time()
    return [statuses(name, large, seed), time.process_time() - start]


def measure(name: str, draws: int, pool: ProcessPoolExecutor) -> tuple[dict[str, dict], list[float]]:
    """점검마다 작은 표본과 큰 표본에서 울린 몫과, 두 표본에서 한 번에 드는 CPU 초의 중앙값."""
    out: dict[str, dict] = {}
    seconds = []
    for size, large in (("small", False), ("large", True)):
        timed = draw_all(f"false_alarms/{name}_{size}", partial(_timed, name, large), FIRST_SEED, draws, pool)
        rows = [found for found, _ in timed]
        seconds.append(round(float(np.median([spent for _, spent in timed])), 2))
        labels = {check: label for row in rows for check, label, _ in row}
        for check, label in labels.items():
            counts = Counter(status for row in rows for c, _, status in row if c == check)
            seen = sum(counts.values())
            out.setdefault(check, {"label": label})[size] = {
                "draws": seen,
                "fail": round(counts["fail"] / seen, 3),
                "warn": round(counts["warn"] / seen, 3),
                "unshown": round(counts["unshown"] / seen, 3),
            }
    return out, seconds


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=500)
    parser.add_argument("--worlds", nargs="*", default=[], help="이 설계들만 다시 재고 나머지는 그대로 둡니다")
    parser.add_argument("--out", type=Path, default=TARGET)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--list", action="store_true", help="--draws보다 적게 뽑은 설계와 한 번의 초만 보여 줍니다")
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.worlds) - set(CALM))
    if unknown:
        parser.error(f"모르는 설계입니다: {', '.join(unknown)}. 있는 것: {', '.join(CALM)}")
    kept = (yaml.safe_load(options.out.read_text(encoding="utf-8")) or {}) if options.out.exists() else {}
    found = kept.get("worlds", {})
    if options.list:
        for name, row in sorted(found.items(), key=lambda pair: sum(pair[1].get("seconds", ()))):
            if row["draws"] < options.draws:
                print(f"{name}: {row['draws']}번, 한 번에 {row.get('seconds', '재지 않음')}초(작은 표본, 큰 표본)")
        return
    with ProcessPoolExecutor(options.jobs) as pool:
        for name, (label, _, _, sizes) in CALM.items():
            if options.worlds and name not in options.worlds:
                continue
            alarms, seconds = measure(name, options.draws, pool)
            found[name] = {
                "label": label,
                "draws": options.draws,
                "sizes": list(sizes),
                "seconds": seconds,
                "alarms": alarms,
            }
            print(
                name,
                {c: (a.get("small", {}).get("fail"), a.get("large", {}).get("fail")) for c, a in alarms.items()},
                flush=True,
            )
            for row in found.values():  # 이제는 판정하지 않는 점검의 옛 줄
                row["alarms"] = {c: a for c, a in row["alarms"].items() if c in ALARMS}
            document = {"first_seed": FIRST_SEED, "worlds": {n: found[n] for n in CALM if n in found}}
            temporary = options.out.with_suffix(".tmp")
            temporary.write_text(
                HEADER + yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8"
            )
            temporary.replace(options.out)


if __name__ == "__main__":
    main()
