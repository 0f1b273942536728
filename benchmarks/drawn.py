"""되풀이해 뽑은 것을 한 번마다 적어 두어, 멈춘 데서 잇고 모자란 만큼만 더 뽑습니다. 성적표와 헛경보표가 함께 씁니다.

적는 자리는 ``_build/benchmarks``이고 커밋하지 않습니다. 파이프라인, 세계, 라이브러리의 버전이 바뀌면 옛 기록을 쓰지 않습니다. 그래서 표의 한 줄에
서로 다른 코드로 뽑은 것이 섞이지 않습니다.
"""

import hashlib
import importlib.metadata
import json
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "_build" / "benchmarks"
# 뽑은 것을 정하는 파일과 패키지. 보고서와 그림의 틀은 뽑은 것을 바꾸지 않습니다.
FILES = ("causal_pipeline/**/*.py", "benchmarks/pipeline_worlds.py", "benchmarks/false_alarms.py")
PACKAGES = ("numpy", "pandas", "scipy", "scikit-learn", "lightgbm", "dowhy")


def fingerprint() -> str:
    """뽑은 것을 정하는 코드와 라이브러리의 지문."""
    found = hashlib.sha256()
    for path in sorted(p for pattern in FILES for p in ROOT.glob(pattern)):
        found.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    for package in PACKAGES:
        found.update(f"{package}={importlib.metadata.version(package)}".encode())
    return found.hexdigest()[:16]


def draw_all(
    name: str, draw: Callable[[int], Any], first: int, draws: int, pool: Executor, kept: Path | None = None
) -> list[Any]:
    """씨앗 ``first``부터 ``draws``번의 결과. 적어 둔 것은 다시 뽑지 않습니다.

    Parameters
    ----------
    name : str
        적어 둘 이름(``"pipeline/confounded"``).
    draw : callable
        씨앗 → JSON이 되는 값. 다른 프로세스에서 불립니다.
    kept : Path, optional
        적는 폴더. 기본값은 ``KEPT``입니다.
    """
    path = (KEPT if kept is None else kept) / fingerprint() / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            seed, value = json.loads(line)
        except ValueError:  # 적다가 멈춘 줄
            continue
        found[seed] = value
    missing = [seed for seed in range(first, first + draws) if seed not in found]
    with path.open("a", encoding="utf-8") as record:
        for seed, value in zip(missing, pool.map(draw, missing), strict=True):
            record.write(f"\n{json.dumps([seed, value])}")
            record.flush()
            found[seed] = json.loads(json.dumps(value))
    return [found[seed] for seed in range(first, first + draws)]
