"""모의 세계마다 파이프라인을 되풀이해 돌리고 표를 씁니다: ``python -m tools.pipeline_benchmark``.

표(guides/pipeline_benchmark.yml)는 이 명령만 고칩니다. 숫자를 손으로 고치지 않습니다.
"""

import argparse
import time
from collections import Counter
from pathlib import Path

import numpy as np
import yaml

from tools.pipeline_worlds import WORLDS, run

TARGET = Path(__file__).resolve().parent.parent / "guides" / "pipeline_benchmark.yml"
HEADER = "# `python -m tools.pipeline_benchmark`이 씁니다. 손으로 고치지 마세요.\n"
COVERAGE = (0.90, 0.98)
STOPPED = 0.90


def measure(world, draws: int) -> dict:
    """세계 하나를 ``draws``번 돌린 요약.

    ``bias_in_errors``는 치우침을 추정값들의 표준편차로 나눈 것이고, ``seconds``는 식별부터 등급까지의 중앙값입니다.
    """
    results, seconds = [], []
    for seed in range(draws):
        start = time.perf_counter()
        results.append(run(world, seed))
        seconds.append(time.perf_counter() - start)
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


def plain_dowhy(world, draws: int) -> dict | None:
    """DoWhy를 기본값으로 썼을 때(그래프나 교란 요인을 주고 선형회귀)의 치우침, 포함률, 초. 보정 설계의 세계만 잽니다."""
    import logging

    import dowhy

    from causal_practice.pipeline.identify import causal_graph

    logging.getLogger("dowhy").setLevel(logging.ERROR)
    values, covers, truths, seconds = [], [], [], []
    for seed in range(draws):
        spec, frame, truth = world.make(seed)
        if spec.treatment.kind != "binary" or spec.treatment.randomized or spec.instrument or spec.running or spec.panel:
            return None
        start = time.perf_counter()
        graph = causal_graph(spec)
        model = dowhy.CausalModel(frame[[c for c in frame.columns if c in graph]], "t", "y", graph=graph)
        estimand = model.identify_effect(proceed_when_unidentifiable=True)
        estimate = model.estimate_effect(estimand, method_name="backdoor.linear_regression", confidence_intervals=True)
        low, high = np.ravel(estimate.get_confidence_intervals())[:2]
        seconds.append(time.perf_counter() - start)
        values.append(float(estimate.value))
        truths.append(truth)
        covers.append(low <= truth <= high)
    gap = np.array(values) - np.array(truths)
    return {
        "draws": draws,
        "bias": round(float(gap.mean()), 4),
        "coverage": round(float(np.mean(covers)), 3),
        "seconds": round(float(np.median(seconds)), 2),
    }


def reached(expect: str, row: dict) -> bool:
    """목표에 닿았는지."""
    if expect == "coverage":
        return COVERAGE[0] <= row.get("coverage", 0.0) <= COVERAGE[1]
    if expect == "stop":
        return row["grades"]["C"] + row["grades"]["refused"] >= STOPPED
    return row["grades"]["A"] == 0


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--worlds", nargs="*", default=[], help="이 세계들만 다시 재고 나머지 줄은 그대로 둡니다")
    parser.add_argument("--out", type=Path, default=TARGET)
    parser.add_argument("--peers", action="store_true", help="보정 설계의 세계에서 기본값의 DoWhy도 잽니다")
    options = parser.parse_args(arguments)
    chosen = [w for w in WORLDS if not options.worlds or w.name in options.worlds]
    rows = (yaml.safe_load(options.out.read_text(encoding="utf-8")) or {}).get("worlds", {}) if options.out.exists() else {}
    for world in chosen:
        if options.peers:
            peer = plain_dowhy(world, options.draws)
            if peer is None or world.name not in rows:
                continue
            rows[world.name]["plain_dowhy"] = peer
            print(world.name, peer, flush=True)
        else:
            rows[world.name] = measure(world, options.draws)
        row = rows[world.name]
        print(world.name, row["grades"], row.get("coverage"), row.get("bias_in_errors"), row["seconds"], "닿음" if row["reached"] else "못 닿음", flush=True)
        ordered = {w.name: rows[w.name] for w in WORLDS if w.name in rows}
        text = HEADER + yaml.safe_dump({"targets": {"coverage": list(COVERAGE), "stopped": STOPPED}, "worlds": ordered}, allow_unicode=True, sort_keys=False)
        temporary = options.out.with_suffix(".tmp")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(options.out)


if __name__ == "__main__":
    main()
