"""여섯 문제를 여러 도구로 풀어 포함률과 초를 적습니다: ``python -m benchmarks.tools``

    python -m benchmarks.tools                             # 모자란 만큼만 더 뽑습니다
    python -m benchmarks.tools --tools econml --at-most 20 # 도구 하나만, 문제마다 스무 번까지

도구마다 제 환경(``.venv-tools/이름``, uv로 만듭니다)의 파이썬이 같은 CSV를 읽습니다. 목록은 ``tool_environments.yml``, 풀이는
``tool_adapters.py``, 문제는 ``tool_worlds.py``에 있습니다. 표(benchmarks/tools.yml)는 이 명령만 고칩니다.
뽑은 것은 ``_build/benchmarks/tools``에 한 줄씩 적어 두므로 멈춘 데서 잇습니다. 문제나 그 도구의 풀이, 핀이 바뀌면 처음부터 뽑습니다.
"""

import argparse
import ast
import datetime
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from benchmarks.tool_worlds import problems
from book.files import write_atomically

ROOT = Path(__file__).resolve().parent.parent
HERE = Path(__file__).resolve().parent
TARGET = HERE / "tools.yml"
ADAPTERS = HERE / "tool_adapters.py"
PINS = HERE / "tool_environments.yml"
HEADER = "# `python -m benchmarks.tools`가 씁니다. 손으로 고치지 마세요.\n"
FIRST_SEED = 900_000
OURS = "ours"
LABELS = {
    "dowhy": "DoWhy", "econml": "EconML", "causalml": "CausalML", "doubleml": "DoubleML",
    "causaltune": "causaltune", "causalpy": "CausalPy", "pyfixest": "pyfixest", OURS: "우리 파이프라인",
}  # fmt: skip
# 무엇으로 답했고 사람이 무엇을 정했는지. 여기 없는 짝은 재지 않은 것이고, 적을 말은 ``silence``가 정합니다.
HOW = {
    ("dowhy", "confounded"): ("선형회귀", "교란 요인의 목록, 식의 꼴"),
    ("dowhy", "dose"): ("선형회귀", "교란 요인의 목록, 식의 꼴"),
    ("dowhy", "encouragement"): ("왈드 추정량, 부트스트랩", "도구, 교란 요인의 목록"),
    ("econml", "confounded"): ("LinearDRLearner", "추정량, 두 예측 모형"),
    ("econml", "targeting"): ("CausalForestDML", "추정량, 두 예측 모형, 나무의 수"),
    ("econml", "dose"): ("LinearDML과 3차식", "추정량, 두 예측 모형, 용량의 꼴"),
    ("econml", "encouragement"): ("OrthoIV", "추정량, 세 예측 모형"),
    ("causalml", "confounded"): ("X-러너", "추정량, 예측 모형"),
    ("causalml", "targeting"): ("X-러너", "추정량, 예측 모형, 배정 확률"),
    ("causalml", "encouragement"): ("2단계 최소제곱", "도구, 식의 꼴"),
    ("doubleml", "confounded"): ("상호작용 모형(IRM)", "모형의 종류, 두 예측 모형"),
    ("doubleml", "targeting"): ("IRM의 점수를 2차식으로 회귀", "모형의 종류, 두 예측 모형, 효과의 꼴"),
    ("doubleml", "dose"): ("부분 선형 모형(PLR)의 기울기", "모형의 종류, 두 예측 모형"),
    ("doubleml", "encouragement"): ("상호작용 도구변수 모형(IIVM)", "모형의 종류, 세 예측 모형"),
    ("doubleml", "staggered"): ("집단과 시점마다의 ATT를 집단으로 평균", "견줄 대상, 평균 내는 법, 두 예측 모형"),
    ("causaltune", "confounded"): ("알아서 찾음", "찾는 시간"),
    ("causaltune", "targeting"): ("알아서 찾음", "찾는 시간"),
    ("causalpy", "one_unit"): ("베이즈 통제집단합성법", "견줄 도시, 사후 표본의 수"),
    ("pyfixest", "confounded"): ("선형회귀", "식의 꼴, 표준오차"),
    ("pyfixest", "dose"): ("선형회귀", "식의 꼴, 표준오차"),
    ("pyfixest", "encouragement"): ("2단계 최소제곱", "식의 꼴, 표준오차"),
    ("pyfixest", "staggered"): ("두 단계 이중차분(did2s)", "추정량, 군집"),
    (OURS, "confounded"): ("명세에서 고름", "열의 역할과 잰 때"),
    (OURS, "dose"): ("명세에서 고름", "열의 역할과 잰 때, 견줄 두 용량"),
    (OURS, "encouragement"): ("명세에서 고름", "열의 역할과 잰 때, 도구"),
    (OURS, "staggered"): ("명세에서 고름", "열의 역할"),
    (OURS, "one_unit"): ("명세에서 고름", "열의 역할"),
}
# 바라는 수. 빠른 것은 백 번, 한 번에 몇 초씩 드는 것은 적게 뽑습니다.
DRAWS = dict.fromkeys(HOW, 100) | {
    ("dowhy", "encouragement"): 40,
    ("econml", "targeting"): 30,
    ("doubleml", "staggered"): 60,
    ("causaltune", "confounded"): 10,
    ("causaltune", "targeting"): 10,
    ("causalpy", "one_unit"): 10,
}
# 풀이가 없는 짝 가운데, 그 도구의 소스에 이런 이름의 함수나 클래스가 하나도 없으면 '없습니다'라고 적습니다. 있으면 '재지 않았습니다'입니다.
ABSENT = {
    "staggered": r"stagger|did2s|event_?study|diff\w*_?in_?diff|didmulti",
    "one_unit": r"synth\w*_?control|interrupted_?time",
}
NONE, UNMEASURED = "그런 추정량이 없습니다", "재지 않았습니다"


def truth_of(tool: str, problem: str, seed: int) -> float | pd.DataFrame:
    """그 도구가 답하려는 양의 정답.

    DoubleML의 ``aggregate("group")``은 칸이 아니라 대상마다 먼저 평균하므로 정답도 그렇게 셉니다. 나머지는 문제의 정답 그대로입니다.
    """
    frame, truth = problems()[problem].make(seed)
    if (tool, problem) != ("doubleml", "staggered"):
        return truth
    on = frame[frame["t"] == 1]
    lift = staggered_lift((on["week"] - on["start"]).to_numpy())
    return float(pd.Series(lift).groupby(on["unit"].to_numpy()).mean().mean())


def staggered_lift(since):
    """``staggered``의 효과. 처치받은 뒤 지난 주의 수에서, shape 그대로."""
    return 0.4 + 0.3 * since


class ToolError(RuntimeError):
    """도구의 환경이 없거나 만들 수 없거나, 그 파이썬이 돌지 않을 때."""


def environments() -> dict[str, dict]:
    """도구의 이름에서 파이썬과 핀으로."""
    return yaml.safe_load(PINS.read_text(encoding="utf-8"))


def python_of(tool: str, folder: Path, make: bool = True) -> Path:
    """그 도구의 파이썬. ``make``이면 없는 환경을 uv로 만듭니다.

    Raises
    ------
    ToolError
        환경이 없는데 만들지 말라고 했거나, 만들 수 없을 때. 푸는 이가 말한 까닭을 함께 적습니다.
    """
    if tool == OURS:
        return Path(sys.executable)
    if tool not in environments():
        raise ToolError(f"모르는 도구입니다: {tool}. 있는 것: {', '.join(environments())}, {OURS}")
    python = folder / tool / "bin" / "python"
    if python.is_file():
        return python
    if not make:
        raise ToolError(
            f"{tool}의 환경이 {folder / tool}에 없습니다. `python -m benchmarks.tools --tools {tool}`로 만드세요."
        )
    pins = environments()[tool]
    steps = (
        ["uv", "venv", "-q", "-p", pins["python"], folder / tool],
        ["uv", "pip", "install", "-q", "-p", python, *pins["requires"]],
    )
    for step in steps:
        try:
            done = subprocess.run(step, capture_output=True, text=True)
        except FileNotFoundError:
            raise ToolError("uv가 없습니다. 깔고 다시 하세요.") from None
        if done.returncode:
            raise ToolError(f"{tool}을(를) 파이썬 {pins['python']}에 깔 수 없습니다.\n{done.stderr[-2000:]}")
    return python


def together() -> str:
    """모든 도구의 대표 핀을 한 환경에 깔 수 없는 까닭(푸는 이의 말). 깔 수 있으면 빈 글.

    Raises
    ------
    ToolError
        uv가 없을 때.
    """
    pins = environments()
    asked = "\n".join(pin for tool, found in pins.items() for pin in found["requires"] if pin.startswith(f"{tool}=="))
    version = next(iter(pins.values()))["python"]
    try:
        done = subprocess.run(
            ["uv", "pip", "compile", "-q", "--python-version", version, "-"],
            input=asked,
            capture_output=True,
            text=True,
        )
    except FileNotFoundError:
        raise ToolError("uv가 없습니다. 깔고 다시 하세요.") from None
    if not done.returncode:
        return ""
    found = re.search(r"Because .*", done.stderr)
    return found[0].strip() if found else done.stderr.strip()[:300]


def installed(python: Path, tool: str) -> str:
    """깔린 버전. 없으면 빈 글."""
    ask = f"import importlib.metadata as m; print(m.version('{tool}'))"
    return subprocess.run([python, "-c", ask], capture_output=True, text=True).stdout.strip()


def public_names(python: Path, tool: str) -> set[str]:
    """그 도구의 소스에 적힌 함수와 클래스의 이름. 소스를 읽기만 하고 불러오지 않습니다."""
    ask = f"import importlib.util as u; print(u.find_spec('{tool}').submodule_search_locations[0])"
    home = Path(subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True).stdout.strip())
    found = set()
    for path in home.rglob("*.py"):
        if "tests" not in path.parts:
            found |= set(
                re.findall(r"^\s*(?:class|def)\s+(\w+)", path.read_text(encoding="utf-8", errors="ignore"), re.M)
            )
    return found


def lines_of(tool: str, problem: str) -> int:
    """풀이의 문장 수. 함수의 몸과, 그것이 부르는 밑줄로 시작하는 도우미를 한 번씩 셉니다. 우리 것은 명세의 줄을 셉니다."""
    if tool == OURS:
        from benchmarks.tool_adapters import OURS as SPECS

        return SPECS[problem].count("\n") + 5
    functions = {
        n.name: n for n in ast.parse(ADAPTERS.read_text(encoding="utf-8")).body if isinstance(n, ast.FunctionDef)
    }
    seen, queue = set(), [f"{tool}_{problem}"]
    while queue:
        name = queue.pop()
        seen.add(name)
        called = {
            n.func.id for n in ast.walk(functions[name]) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
        }
        queue += [c for c in called if c in functions and c not in seen]
    return sum(
        isinstance(node, ast.stmt) and not isinstance(node, ast.FunctionDef)
        for name in seen
        for node in ast.walk(functions[name])
    )


def fingerprint(tool: str) -> str:
    """뽑은 것을 정하는 코드와 핀의 지문: 문제, 그 도구의 풀이, 그 도구의 핀(우리 것은 파이프라인의 코드)."""
    tree = ast.parse(ADAPTERS.read_text(encoding="utf-8"))
    others = tuple(f"{name}_" for name in LABELS if name != tool)
    kept = [ast.dump(n) for n in tree.body if not (isinstance(n, ast.FunctionDef) and n.name.startswith(others))]
    parts = [(HERE / "tool_worlds.py").read_bytes(), "".join(kept).encode()]
    if tool == OURS:
        parts += [path.read_bytes() for path in sorted((ROOT / "causal_pipeline").rglob("*.py"))]
    else:
        parts.append(json.dumps(environments()[tool]).encode())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def drawn(tool: str, folder: Path) -> dict[tuple[str, int], list]:
    """적어 둔 것: (문제, 씨앗)에서 [추정값, 아래, 위, 초]로."""
    path = folder / f"{tool}-{fingerprint(tool)}.jsonl"
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            problem, seed, answer = json.loads(line)
        except ValueError:  # 적다가 멈춘 줄
            continue
        found[problem, seed] = answer
    return found


def draw(tool: str, python: Path, folder: Path, at_most: int) -> None:
    """모자란 것을 그 도구의 파이썬으로 뽑아 한 줄씩 적습니다. 초는 CPU 시간입니다.

    Raises
    ------
    ToolError
        그 파이썬이 끝까지 돌지 않았을 때.
    """
    have = drawn(tool, folder)
    wanted = [
        (problem, FIRST_SEED + k)
        for (name, problem), goal in DRAWS.items()
        if name == tool
        for k in range(min(goal, at_most))
        if (problem, FIRST_SEED + k) not in have
    ]
    if not wanted:
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tools-") as scratch:
        jobs = []
        for k, (problem, seed) in enumerate(wanted):
            frame, truth = problems()[problem].make(seed)
            job = {"id": k, "problem": problem, "seed": seed, "path": f"{scratch}/{problem}-{seed}.csv"}
            frame.to_csv(job["path"], index=False)
            if isinstance(truth, pd.DataFrame):
                job["new"] = f"{scratch}/{problem}-{seed}-new.csv"
                truth.drop(columns="effect").to_csv(job["new"], index=False)
            jobs.append(job)
        listing = Path(scratch) / "jobs.json"
        listing.write_text(json.dumps(jobs), encoding="utf-8")
        single = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")} | {"NUMBA_CACHE_DIR": scratch}
        where = os.environ | single | {"PYTHONPATH": str(ROOT) if tool == OURS else ""}
        with (Path(scratch) / "errors.txt").open("w+") as errors:
            process = subprocess.Popen(
                [python, ADAPTERS, tool, listing],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=where,
                cwd=scratch,
            )
            with (folder / f"{tool}-{fingerprint(tool)}.jsonl").open("a", encoding="utf-8") as record:
                for line in process.stdout:
                    k, answer = json.loads(line)
                    record.write("\n" + json.dumps([*wanted[k], answer], ensure_ascii=False))
                    record.flush()
            if process.wait():
                errors.seek(0)
                raise ToolError(f"{python}에서 {tool}이(가) 돌지 않았습니다.\n{errors.read()[-2000:]}")


def summary(tool: str, problem: str, answers: dict[tuple[str, int], list]) -> dict:
    """한 짝의 줄: 뽑은 수, 정답, 추정값의 평균, 치우침, 포함률과 그 몬테카를로 오차, 초의 중앙값.

    ``targeting``에는 평균 대신 잡은 몫(``gain``)이 있습니다. 예측한 효과가 0보다 큰 대상에게만 주었을 때의 이득을, 참 효과를 알고
    주었을 때의 이득으로 나눈 것입니다. 포함률은 새 대상마다의 구간에서 셉니다.
    """
    how, asks = HOW[tool, problem]
    row = {"how": how, "asks": asks, "lines": lines_of(tool, problem)}
    seeds = sorted(seed for name, seed in answers if name == problem)
    failed = [seed for seed in seeds if isinstance(answers[problem, seed][0], str)]
    seeds = [seed for seed in seeds if seed not in failed]
    row["draws"] = len(seeds)
    if failed:
        row |= {"failed": len(failed), "error": answers[problem, failed[0]][0]}
    if not seeds:
        return row
    truths = [truth_of(tool, problem, seed) for seed in seeds]
    found = [answers[problem, seed] for seed in seeds]
    row["seconds"] = round(float(np.median([answer[3] for answer in found])), 2)
    if problem == "targeting":
        shares, covered = [], []
        for (value, low, high, _), new in zip(found, truths, strict=True):
            effect = new["effect"].to_numpy()
            shares.append(effect[np.array(value) > 0].sum() / effect[effect > 0].sum())
            if low is not None:
                covered.append(float(((np.array(low) <= effect) & (effect <= np.array(high))).mean()))
        everyone = [max(t["effect"].sum(), 0) / t["effect"].clip(lower=0).sum() for t in truths]
        row |= {"gain": round(float(np.mean(shares)), 3), "gain_everyone": round(float(np.mean(everyone)), 3)}
    else:
        value, truth = np.array([a[0] for a in found]), np.array(truths)
        row |= {"truth": round(float(truth.mean()), 3), "estimate": round(float(value.mean()), 3)}
        row["bias"] = round(float((value - truth).mean()), 3)
        bounds = [(a[1], a[2]) for a in found]
        covered = [float(lo <= t <= hi) for (lo, hi), t in zip(bounds, truth, strict=True) if lo is not None]
    row["coverage"] = round(float(np.mean(covered)), 3) if covered else None
    if covered:
        count = len(covered)
        if problem == "targeting":
            error = np.std(covered, ddof=1) / count**0.5 if count > 1 else np.nan
        else:  # 모두 담거나 하나도 담지 못해도 0이 되지 않게, 성공과 실패를 둘씩 더한 비율의 표준오차(Agresti와 Coull, 1998)
            share = (sum(covered) + 2) / (count + 4)
            error = (share * (1 - share) / (count + 4)) ** 0.5
        row["coverage_error"] = None if np.isnan(error) else round(float(error), 3)
    return row


def silence(tool: str, problem: str, python: Path) -> str:
    """풀이가 없는 짝에 적을 말. 소스에 그 설계의 이름이 하나도 없을 때에만 없다고 합니다."""
    names = ABSENT.get(problem)
    if tool == OURS or names is None or any(re.search(names, n, re.IGNORECASE) for n in public_names(python, tool)):
        return UNMEASURED
    return NONE


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tools", nargs="*", choices=list(LABELS), default=list(LABELS))
    parser.add_argument("--at-most", type=int, default=10_000, help="짝마다 이만큼까지만 뽑습니다")
    parser.add_argument("--environments", type=Path, default=ROOT / ".venv-tools")
    parser.add_argument("--out", type=Path, default=TARGET)
    options = parser.parse_args(arguments)
    folder = ROOT / "_build" / "benchmarks" / "tools"
    document = yaml.safe_load(options.out.read_text(encoding="utf-8")) if options.out.is_file() else {}
    tools, conflict = document.get("tools", {}), together()
    for tool in options.tools:
        row = {"label": LABELS[tool]}
        try:
            python = python_of(tool, options.environments)
            draw(tool, python, folder, options.at_most)
        except ToolError as error:
            print(error, file=sys.stderr, flush=True)
            tools[tool] = row | {"missing": str(error).splitlines()[0]}
        else:
            if tool != OURS:
                row |= {"version": installed(python, tool), "python": environments()[tool]["python"]}
            answers = drawn(tool, folder)
            row["problems"] = {p: summary(tool, p, answers) for p in problems() if (tool, p) in HOW}
            row["silent"] = {p: silence(tool, p, python) for p in problems() if (tool, p) not in HOW}
            tools[tool] = row
            for problem, found in row["problems"].items():
                print(tool, problem, {k: v for k, v in found.items() if k not in ("how", "asks")}, flush=True)
        body = {
            "date": datetime.date.today().isoformat(),
            "first_seed": FIRST_SEED,
            "problems": {p.name: {"label": p.label, "truth": p.truth} for p in problems().values()},
            "together": conflict,
            "tools": {name: tools[name] for name in LABELS if name in tools},
        }
        write_atomically(options.out, HEADER + yaml.safe_dump(body, allow_unicode=True, sort_keys=False, width=120))


if __name__ == "__main__":
    main()
