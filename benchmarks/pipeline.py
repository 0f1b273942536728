"""모의 세계마다 파이프라인을 되풀이해 돌리고 표를 씁니다: ``python -m benchmarks.pipeline``.

표(guides/pipeline_benchmark.yml)는 이 명령만 고칩니다. 숫자를 손으로 고치지 않습니다.
씨앗은 ``FIRST_SEED``부터 씁니다. 파이프라인을 고치는 동안에는 그보다 작은 씨앗만 보고, 표를 낼 때에만 이 씨앗을 씁니다.
견줄 도구는 ``--peer dowhy``(기본값의 DoWhy)와 ``--peer causaltune``(benchmarks/peer_causaltune, 따로 만든 환경)입니다.

한 번 뽑을 때마다 결과를 ``_build/benchmarks``에 적어 둡니다(``benchmarks.drawn``). 그래서 멈추어도 이어서 하고, ``--draws``를 늘리면 모자란 만큼만
더 뽑습니다. ``--list``는 적게 뽑은 줄을, 더 뽑는 데 드는 초가 적은 것부터 보여 줍니다.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # 코어마다 프로세스 하나. 스레드끼리 다투면 몇 배 느려집니다.

import numpy as np  # noqa: E402
import yaml  # noqa: E402

from benchmarks.drawn import draw_all  # noqa: E402
from benchmarks.pipeline_worlds import WORLDS, Outcomes, run  # noqa: E402

TARGET = Path(__file__).resolve().parent.parent / "guides" / "pipeline_benchmark.yml"
HEADER = "# `python -m benchmarks.pipeline`이 씁니다. 손으로 고치지 마세요.\n"
COVERAGE = (0.90, 0.98)
STOPPED = 0.90
# 어긋남이 보이지 않는 세계에서 A를 주어도 되는 몫.
MOST_A = 0.05
FIRST_SEED = 700_000
# 반박 검정까지의 시간을 재는 횟수와, causaltune이 모델을 찾는 시간(초). 한 번에 몇십 초씩 듭니다.
REFUTED_DRAWS = 5
CAUSALTUNE_SECONDS = 40
# causaltune에 유리하게: 교란을 보정하고 구간도 주는 추정량만 찾게 합니다. 빈 목록은 기본값입니다.
CAUSALTUNE = {
    "causaltune": ("LinearDML", "CausalForestDML", "LinearDRLearner", "ForestDRLearner"),
    "causaltune_default": (),
}
NAMES = {w.name: w for w in WORLDS}


def _timed_run(name: str, seed: int) -> list:
    """(결과, 초). 초는 이 프로세스가 쓴 CPU 시간이라, 같은 기계에서 다른 일이 함께 돌아도 늘지 않습니다."""
    start = time.process_time()
    outcome = run(NAMES[name], seed)
    return [asdict(outcome), time.process_time() - start]


def measure(world, draws: int, pool) -> dict:
    """세계 하나를 ``draws``번 돌린 요약.

    ``bias_in_errors``는 치우침을 추정값들의 표준편차로 나눈 것이고, ``seconds``는 자료를 살피는 것부터 재현 노트북까지 분석 하나가 쓴 CPU 시간의 중앙값입니다.
    """
    rows = draw_all(f"pipeline/{world.name}", partial(_timed_run, world.name), FIRST_SEED, draws, pool)
    results, seconds = [Outcomes(**found) for found, _ in rows], [spent for _, spent in rows]
    answered = [r for r in results if r.letter is not None]
    letters = Counter(r.letter or "refused" for r in results)
    out = {
        "label": world.label,
        "expect": world.expect,
        "draws": draws,
        "grades": {k: round(letters.get(k, 0) / draws, 3) for k in ("A", "B", "C", "refused")},
    }
    if answered:
        values = np.array([r.value for r in answered])
        truth = np.array([r.truth for r in answered])
        cover = np.array([r.low <= r.truth <= r.high for r in answered])
        out["truth"] = round(float(truth.mean()), 4)
        out["bias"] = round(float((values - truth).mean()), 4)
        out["bias_in_errors"] = round(float((values - truth).mean() / (values - truth).std(ddof=1)), 3)
        out["coverage"] = round(float(cover.mean()), 3)
        graded_a = np.array([r.letter == "A" for r in answered])
        if graded_a.any():
            out["coverage_when_a"] = round(float(cover[graded_a].mean()), 3)
    caps = Counter(cap for r in results for cap in r.caps)
    out["reasons"] = {k: round(v / draws, 3) for k, v in caps.most_common(6)}
    codes = Counter(r.code for r in results if r.code)
    if codes:
        out["refusals"] = {k: round(v / draws, 3) for k, v in sorted(codes.items())}
    out["seconds"] = round(float(np.median(seconds)), 2)
    out["reached"] = reached(world.expect, out)
    return out


def comparable(spec) -> bool:
    """견줄 도구들이 그대로 다룰 수 있는 명세: 이진 처치의 보정 설계."""
    return spec.treatment.kind == "binary" and not (spec.treatment.randomized or spec.fields)


def _dowhy_draw(name: str, seed: int, refute: bool = False) -> tuple[float, float, float, float, float]:
    """(추정값, 아래, 위, 정답, 초). DoWhy를 기본값으로: 그래프나 교란 요인을 주고 선형회귀. ``refute``이면 세 반박까지의 초."""
    import logging
    import warnings

    import dowhy

    from causal_pipeline.graphs import causal_graph

    logging.getLogger("dowhy").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    spec, frame, truth = NAMES[name].make(seed)
    start = time.perf_counter()
    graph = causal_graph(spec)
    model = dowhy.CausalModel(frame[[c for c in frame.columns if c in graph]], "t", "y", graph=graph)
    estimand = model.identify_effect(proceed_when_unidentifiable=True)
    units = {"ATE": "ate", "ATT": "att"}[spec.estimand]
    estimate = model.estimate_effect(
        estimand, method_name="backdoor.linear_regression", confidence_intervals=True, target_units=units
    )
    low, high = np.ravel(estimate.get_confidence_intervals())[:2]
    if refute:
        for method in ("random_common_cause", "placebo_treatment_refuter", "data_subset_refuter"):
            model.refute_estimate(estimand, estimate, method_name=method, show_progress_bar=False)
    return float(estimate.value), float(low), float(high), float(truth), time.perf_counter() - start


def _against_truth(rows, draws: int) -> dict:
    """구간이 하나도 없으면 ``coverage``가 None입니다. 몇 번만 없으면 그 번은 덮지 못한 것으로 셉니다."""
    value, low, high, truth, seconds = np.array(rows, dtype=float).T
    return {
        "draws": draws,
        "bias": round(float((value - truth).mean()), 4),
        "spread": round(float((value - truth).std(ddof=1)), 4) if draws > 1 else None,
        "coverage": None if np.isnan(low).all() else round(float(((low <= truth) & (truth <= high)).mean()), 3),
        "seconds": round(float(np.median(seconds)), 2),
    }


def plain_dowhy(world, draws: int, pool) -> dict:
    """기본값의 DoWhy의 치우침, 포함률, 초. 초는 추정만 한 것과 세 반박까지 한 것을 따로 적습니다."""
    seeds = range(FIRST_SEED, FIRST_SEED + draws)
    out = _against_truth(list(pool.map(partial(_dowhy_draw, world.name), seeds, chunksize=5)), draws)
    refuted = pool.map(partial(_dowhy_draw, world.name, refute=True), seeds[:REFUTED_DRAWS])
    out["seconds_with_refuters"] = round(float(np.median([r[4] for r in refuted])), 2)
    return out


def causaltune(world, draws: int, python: Path, estimators: tuple[str, ...], pool_size: int) -> dict:
    """causaltune(자동 탐색)의 치우침, 포함률, 초. 그 환경의 파이썬으로 돌립니다.

    Raises
    ------
    SystemExit
        그 파이썬에서 causaltune이 돌지 않을 때.
    """
    script = Path(__file__).with_name("peer_causaltune.py")
    with tempfile.TemporaryDirectory() as folder:
        jobs = []
        for seed in range(FIRST_SEED, FIRST_SEED + draws):
            spec, frame, truth = world.make(seed)
            columns = list(spec.confounders) or sorted(
                {a for a, b in spec.edges if b in ("t", "y")} & set(frame.columns) - {"t"} - _after_treatment(spec)
            )
            path = Path(folder) / f"{seed}.csv"
            frame[[*columns, "t", "y"]].to_csv(path, index=False)
            jobs.append(
                {
                    "path": str(path),
                    "confounders": columns,
                    "seed": seed,
                    "truth": truth,
                    "treated_only": spec.estimand == "ATT",
                }
            )
        running = []
        for k in range(pool_size):
            listing = Path(folder) / f"jobs_{k}.json"
            listing.write_text(json.dumps(jobs[k::pool_size]), encoding="utf-8")
            command = [python, script, listing, str(CAUSALTUNE_SECONDS), *estimators]
            running.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        rows, chosen = [None] * draws, Counter()
        for k, process in enumerate(running):
            out, errors = process.communicate()
            if process.returncode:
                raise SystemExit(
                    f"{python}에서 causaltune이 돌지 않았습니다. `make peers`로 환경을 다시 만드세요.\n{errors[-2000:]}"
                )
            for job, (value, low, high, seconds, name) in zip(
                range(k, draws, pool_size), json.loads(out.splitlines()[-1]), strict=True
            ):
                rows[job] = (value, low, high, jobs[job]["truth"], seconds)
                chosen[name] += 1
    return _against_truth(rows, draws) | {"budget": CAUSALTUNE_SECONDS, "chosen": dict(chosen.most_common())}


def _after_treatment(spec) -> set[str]:
    """그래프에서 처치의 자손. 사람이 그것만은 빼고 넘긴다고 봅니다."""
    found, grown = {"t"}, True
    while grown:
        more = {b for a, b in spec.edges if a in found} - found
        found, grown = found | more, bool(more)
    return found


def reached(expect: str, row: dict) -> bool:
    """목표에 닿았는지."""
    if expect == "coverage":
        return COVERAGE[0] <= row.get("coverage", 0.0) <= COVERAGE[1]
    if expect == "stop":
        return row["grades"]["C"] + row["grades"]["refused"] >= STOPPED
    return row["grades"]["A"] <= MOST_A


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=500)
    parser.add_argument("--worlds", nargs="*", default=[], help="이 세계들만 다시 재고 나머지 줄은 그대로 둡니다")
    parser.add_argument("--out", type=Path, default=TARGET)
    parser.add_argument("--peer", choices=("dowhy", *CAUSALTUNE), help="보정 설계의 세계에서 견줄 도구를 잽니다")
    parser.add_argument(
        "--python", type=Path, default=Path(".venv-peers/bin/python"), help="causaltune을 깐 환경의 파이썬"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--list", action="store_true", help="--draws보다 적게 뽑은 줄과 더 드는 초만 보여 줍니다")
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.worlds) - set(NAMES))
    if unknown:
        parser.error(f"모르는 세계입니다: {', '.join(unknown)}. 있는 것: {', '.join(NAMES)}")
    chosen = [w for w in WORLDS if not options.worlds or w.name in options.worlds]
    rows = (
        (yaml.safe_load(options.out.read_text(encoding="utf-8")) or {}).get("worlds", {})
        if options.out.exists()
        else {}
    )
    if options.list:
        for name, drawn, seconds in short(rows, options.draws):
            print(f"{name}: {drawn}번, 한 번에 {seconds:.2f}초, {options.draws}번까지 {seconds * options.draws:,.0f}초")
        return
    with ProcessPoolExecutor(options.jobs) as pool:
        for world in chosen:
            if options.peer:
                if (
                    world.name not in rows
                    or not comparable(world.make(FIRST_SEED)[0])
                    or rows[world.name].get("coverage") is None
                ):
                    continue
                peers = rows[world.name].setdefault("peers", {})
                if options.peer == "dowhy":
                    peers["dowhy"] = plain_dowhy(world, options.draws, pool)
                else:
                    peers[options.peer] = causaltune(
                        world, options.draws, options.python, CAUSALTUNE[options.peer], options.jobs
                    )
                print(world.name, peers[options.peer], flush=True)
            else:
                kept = rows.get(world.name, {}).get("peers")
                rows[world.name] = measure(world, options.draws, pool) | ({"peers": kept} if kept else {})
                row = rows[world.name]
                print(
                    world.name,
                    row["grades"],
                    row.get("coverage"),
                    row.get("bias_in_errors"),
                    row["seconds"],
                    "닿음" if row["reached"] else "못 닿음",
                    flush=True,
                )
            _write(options.out, rows)


def short(rows: dict, draws: int) -> list[tuple[str, int, float]]:
    """``draws``번보다 적게 뽑은 줄의 (이름, 뽑은 수, 한 번의 초). 다 뽑는 데 드는 초가 적은 것부터입니다."""
    found = [(name, row["draws"], row["seconds"]) for name, row in rows.items() if row["draws"] < draws]
    return sorted(found, key=lambda row: row[2])


def _write(path: Path, rows: dict) -> None:
    ordered = {w.name: rows[w.name] for w in WORLDS if w.name in rows}
    document = {
        "targets": {"coverage": list(COVERAGE), "stopped": STOPPED, "most_a": MOST_A},
        "first_seed": FIRST_SEED,
        "worlds": ordered,
    }
    temporary = path.with_suffix(".tmp")
    temporary.write_text(HEADER + yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")
    temporary.replace(path)


if __name__ == "__main__":
    main()
