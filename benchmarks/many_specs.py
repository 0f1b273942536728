"""명세 200개가 든 폴더를 프로세스와 Ray로 나누어 돌리고 초를 적습니다: ``python -m benchmarks.many_specs``

Ray가 있는 환경(`make scale`)의 파이썬으로 돌려야 Ray의 줄까지 나옵니다.

    .venv-scale/bin/python -m benchmarks.many_specs

표(guides/many_specs.yml)는 이 명령만 고칩니다. 명세마다 결과 하나를 교란 요인 다섯으로 보정하며, 스무 개 가운데 하나에만 효과가 있습니다.
"""

import argparse
import datetime
import os
import resource
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import yaml  # noqa: E402

from causal_pipeline.many import analyze_many  # noqa: E402

TARGET = Path(__file__).resolve().parent.parent / "guides" / "many_specs.yml"
HEADER = "# `python -m benchmarks.many_specs`가 씁니다. 손으로 고치지 마세요.\n"
ROWS, EVERY, EFFECT = 5_000, 20, 0.2
SPEC = """\
name: {outcome}
question: 쿠폰이 {outcome}을(를) 늘립니까?
data: {{path: rows.csv}}
treatment: {{column: t, kind: binary}}
outcome: {{column: {outcome}, unit: 회}}
estimand: ATE
confounders: [x1, x2, x3, x4, x5]
timing: {{x1: before, x2: before, x3: before, x4: before, x5: before}}
seed: 1
"""


def write_folder(folder: Path, specs: int) -> None:
    """명세 ``specs``개와, 그것들이 함께 쓰는 표 하나."""
    rng = np.random.default_rng(7)
    x = pd.DataFrame(rng.normal(size=(ROWS, 5)), columns=[f"x{k}" for k in range(1, 6)])
    t = (rng.random(ROWS) < 1 / (1 + np.exp(-x["x1"] - 0.5 * x["x2"]))).astype(int)
    effects = {f"y{k:03d}": EFFECT * (k % EVERY == 0) for k in range(specs)}
    outcomes = {name: x["x1"] + effect * t + rng.normal(size=ROWS) for name, effect in effects.items()}
    pd.concat([x.assign(t=t), pd.DataFrame(outcomes)], axis=1).round(4).to_csv(folder / "rows.csv", index=False)
    for name in effects:
        (folder / f"{name}.yml").write_text(SPEC.format(outcome=name), encoding="utf-8")


def measure(folder: Path, out: Path, label: str, **how) -> dict:
    """한 길로 돌린 벽시계 초와, 이 프로세스와 거둔 자식들의 CPU 초. Ray의 일꾼은 자식이 아니므로 CPU를 적지 않습니다."""

    def used() -> float:
        return sum(
            resource.getrusage(who).ru_utime + resource.getrusage(who).ru_stime
            for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )

    wall, cpu = time.monotonic(), used()
    rows = analyze_many(folder, out, **how)
    seconds, spent = time.monotonic() - wall, used() - cpu
    graded = [row for row in rows if row.grade]
    print(f"{label}: {seconds:.0f}초, 끝난 명세 {len(graded)}개", flush=True)
    return {
        "label": label,
        "seconds": round(seconds, 1),
        "cpu": None if "ray" in how else round(spent, 1),
        "finished": len(graded),
    }


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--specs", type=int, default=200)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="many-") as scratch:
        folder = Path(scratch) / "specs"
        folder.mkdir()
        write_folder(folder, options.specs)
        runs = [
            measure(folder, Path(scratch) / "all", "코어마다 프로세스 하나"),
            measure(folder, Path(scratch) / "all", "끝난 뒤 다시(건너뛰기)"),
        ]
        try:
            import ray  # noqa: F401
        except ModuleNotFoundError:
            print("Ray가 없어 그 줄은 재지 않았습니다. `make scale`의 파이썬으로 돌리세요.")
        else:
            runs.append(measure(folder, Path(scratch) / "ray", "이 컴퓨터의 Ray", ray="local"))
    body = {
        "date": datetime.date.today().isoformat(), "cores": os.cpu_count(), "specs": options.specs, "rows": ROWS, "runs": runs,
    }  # fmt: skip
    TARGET.write_text(HEADER + yaml.safe_dump(body, allow_unicode=True, sort_keys=False), encoding="utf-8")


if __name__ == "__main__":
    main()
