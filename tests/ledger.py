"""시험의 장부: 시험마다 든 CPU와 시간을 재고, 두 코어에 비싼 것부터 나누며, 끝에 단계와 쪽의 표를 찍습니다.

CPU는 시험 프로세스, 끝난 자식, 아직 도는 자식(브라우저)의 것을 더합니다. 표는 시험을 모두 돌렸을 때만 찍고
``_build/tests.json``에 남깁니다. `make bench`가 그 파일로 앞일을 내다보고, 다음 시험이 그 파일로 차례를 정합니다.
"""

import contextlib
import json
import os
import re
import resource
import sys
import time
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

from book.execution import Execution, stored
from book.files import explain, write_atomically
from book.page import ROOT, build_dir, published_pages

RECORD = "tests.json"
TESTS_TARGET = 10  # 한 쪽의 시험이 되풀이에 쓰는 CPU의 한도(초). 넘으면 benchmarks/로 옮기고 결과 파일을 읽습니다
CPU_TARGET = 40  # 쪽 하나에 드는 CPU의 목표(초): 빌드의 실행, 두 번째 실행, 그 쪽의 시험을 모두 더한 것
BROWSER, SECOND = "브라우저", "두 번째 실행"
STAGES = {"tests/pages": "쪽의 시험", "tests/pipeline": "파이프라인의 시험", "tests/book": "책의 시험"}
# 장부가 없는 첫 실행에서 먼저 보낼 파일(초). 잰 CPU에 기다리는 시간을 얹은 어림이며, 차례만 정합니다.
HEAVY = {
    "tests/book/test_build.py": 90, "tests/book/test_commands.py": 90, "tests/book/test_execution.py": 60, "tests/book/test_new_case.py": 60, "tests/book/test_checks.py": 20,
    "tests/pipeline/test_pipeline_report.py": 45, "tests/pipeline/test_pipeline_designs.py": 15,
}  # fmt: skip
_PAGE = re.compile(r"(?:chapters|case_studies|guides)/\w+|(?<=\[)index(?=\])")


# --- 재기 ---


def cpu_seconds() -> float:
    """이 프로세스와 자식들이 지금까지 쓴 CPU(초)."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime + _living(os.getpid()) / os.sysconf("SC_CLK_TCK")


def _living(pid: int) -> int:
    """살아 있는 자손이 쓴 CPU(똑딱 수). 리눅스가 아니면 0입니다."""
    ticks = 0
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                with contextlib.suppress(OSError):
                    fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
                    ticks += sum(map(int, fields[11:15])) + _living(int(child))
    return ticks


def stage_of(nodeid: str, fixtures) -> str:
    """시험이 속한 단계."""
    if "browser" in fixtures:
        return BROWSER
    if nodeid.startswith("tests/pages/test_second_run.py::test_the_bundle"):
        return SECOND
    return next((name for folder, name in STAGES.items() if nodeid.startswith(f"{folder}/")), "책의 시험")


def page_of(nodeid: str, stems: dict[str, str]) -> str | None:
    """시험이 보는 쪽. 인자에 쪽의 이름이 있거나 파일 이름이 쪽의 이름이면 그 쪽이고, 아니면 None.

    Parameters
    ----------
    stems : dict of str to str
        파일 이름(확장자를 뺌) → 쪽의 이름.
    """
    if found := _PAGE.search(nodeid.partition("[")[1] + nodeid.partition("[")[2]):
        return found.group() if found.group() in stems.values() else None
    return stems.get(Path(nodeid.partition("::")[0]).stem.removeprefix("test_"))


def group_of(nodeid: str) -> str:
    """한 작업자가 이어서 돌릴 묶음. 두 번째 실행과 다른 자료의 실행은 하나씩, 브라우저로 훑는 쪽은 쪽마다, 나머지는 파일마다입니다.

    같은 파일의 시험은 비싼 준비(작은 책, 큰 표본)를 함께 쓰므로 나누지 않습니다.
    """
    file, _, name = nodeid.partition("::")
    if file.endswith(("test_second_run.py", "test_redraw.py")) or (
        file.endswith(("test_browser.py", "test_slides.py")) and "[" in name
    ):
        return f"{file}[{_PAGE.search(name).group()}" if _PAGE.search(name) else nodeid
    return file


class Scheduling(LoadScopeScheduling):
    """묶음을 차례대로, 손이 빈 작업자에게 하나씩."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def expected_costs() -> dict[str, float]:
    """묶음마다 들 시간의 어림: 지난 장부, 없으면 빌드가 잰 쪽의 시간."""
    costs = dict(HEAVY)
    with contextlib.suppress(OSError, ValueError):  # 없거나, 쓰다 꺼져 비었으면 어림만 씁니다
        for name, page in json.loads((build_dir() / "report.json").read_text(encoding="utf-8"))["pages"].items():
            costs[f"tests/pages/test_second_run.py[{name}"] = page["seconds"]
    with contextlib.suppress(OSError, ValueError):
        costs |= json.loads((build_dir() / RECORD).read_text(encoding="utf-8"))["groups"]
    return costs


class Ledger:
    """시험마다의 비용을 모으는 pytest 플러그인."""

    def __init__(self, config):
        self.config, self.started = config, time.perf_counter()
        self.worker = hasattr(config, "workerinput")
        self.rows: list[tuple[str, str, float, float]] = []  # (시험, 단계, CPU초, 벽시계초)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items):
        if self.worker:
            costs = expected_costs()
            items.sort(key=lambda item: (-costs.get(group_of(item.nodeid), 0.0), group_of(item.nodeid)))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item):
        item.stash[_START] = (cpu_seconds(), time.perf_counter())
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        report = yield
        if call.when == "teardown":
            cpu, wall = item.stash[_START]
            used = max(0.0, cpu_seconds() - cpu)  # 거두지 못하고 사라진 자손의 몫이 빠지면 음수가 됩니다
            cost = [stage_of(item.nodeid, item.fixturenames), used, time.perf_counter() - wall]
            report.user_properties = [*report.user_properties, ("cost", cost)]
        return report

    def pytest_runtest_logreport(self, report):
        for name, value in report.user_properties if report.when == "teardown" else []:
            if name == "cost":
                self.rows.append((report.nodeid, *value))

    def pytest_terminal_summary(self, terminalreporter):
        if self.worker or not self.rows or not self.whole():
            return
        record = summarise(
            self.rows, time.perf_counter() - self.started, int(self.config.getoption("numprocesses", None) or 1)
        )
        try:
            write_atomically(build_dir() / RECORD, json.dumps(record, ensure_ascii=False, indent=1))
        except OSError as error:  # 장부를 못 남겨도 시험의 결과는 그대로입니다
            terminalreporter.write_line(explain(error))
        terminalreporter.section("걸린 시간")
        for line in table(record):
            terminalreporter.write_line(line)

    def whole(self) -> bool:
        """시험을 골라 돌린 것이 아니면 참."""
        chosen = [
            self.config.getoption(name, None) for name in ("keyword", "markexpr", "deselect", "lf", "collectonly")
        ]
        return not any(chosen) and {Path(a).resolve() for a in self.config.args} == {ROOT / "tests"}


_START = pytest.StashKey[tuple[float, float]]()


# --- 표 ---


def summarise(rows: list[tuple[str, str, float, float]], wall: float, workers: int) -> dict:
    """단계·쪽·묶음마다의 합.

    Parameters
    ----------
    rows : list of (시험, 단계, CPU초, 벽시계초)
    wall : float
        시험 전체의 벽시계(초).
    workers : int
        나란히 돌린 작업자의 수. 시험 단계의 벽시계는 합을 이 수로 나눈 것입니다.
    """
    report = build_dir() / "report.json"
    built = (
        json.loads(report.read_text(encoding="utf-8"))
        if report.is_file()
        else {"execution_seconds": 0.0, "site_seconds": 0.0}
    )
    runs = {page.docname: run for page in published_pages() if page.is_notebook and (run := stored(page))}
    pages = {name: {"빌드의 실행": run_cpu(run)} for name, run in runs.items()}
    stems = {name.rpartition("/")[2]: name for name in pages}
    stages = {
        "환경": {"wall": environment_seconds(), "cpu": None},
        "쪽 실행": {"wall": built["execution_seconds"], "cpu": sum(page["빌드의 실행"] for page in pages.values())},
        "사이트": {"wall": built["site_seconds"], "cpu": built["site_seconds"]},
    }
    groups: dict[str, float] = {}
    for nodeid, stage, cpu, seconds in rows:
        line = stages.setdefault(stage, {"wall": 0.0, "cpu": 0.0})
        line["wall"] += seconds / workers
        line["cpu"] += cpu
        groups[group_of(nodeid)] = groups.get(group_of(nodeid), 0.0) + seconds
        if page := page_of(nodeid, stems):
            pages[page][stage] = pages[page].get(stage, 0.0) + cpu
    rounded = {
        name: {key: None if value is None else round(value, 1) for key, value in line.items()}
        for name, line in stages.items()
    }
    return {
        "workers": workers, "tests_wall": round(wall, 1), "stages": rounded,
        "pages": {name: {stage: round(cpu, 1) for stage, cpu in parts.items()} for name, parts in sorted(pages.items())},
        "groups": {name: round(seconds, 1) for name, seconds in sorted(groups.items())},
    }  # fmt: skip


def run_cpu(run: Execution) -> float:
    """빌드의 실행에 든 CPU(초). 재지 않은 옛 기록이면 벽시계입니다(스레드는 하나입니다)."""
    return json.loads(run.path.with_suffix(".json").read_text(encoding="utf-8")).get("cpu_seconds", run.seconds)


def environment_seconds() -> float | None:
    """환경을 만드는 데 걸린 시간(초). 우리가 만든 환경이 아니면 None."""
    record = Path(sys.prefix) / ".seconds"
    return float(record.read_text(encoding="utf-8")) if record.is_file() else None


def table(record: dict) -> list[str]:
    """끝에 찍을 줄."""
    lines = ["단계                    벽시계(초)    CPU(초)"]
    for name, line in record["stages"].items():
        wall, cpu = ("-" if line[key] is None else f"{line[key]:.0f}" for key in ("wall", "cpu"))
        lines.append(f"  {_padded(name, 20)}{wall:>10}{cpu:>11}")
    lines.append(f"  {_padded('시험 전체', 20)}{record['tests_wall']:>10.0f}{'':>11}  작업자 {record['workers']}개")
    dearest = sorted(record["pages"].items(), key=lambda item: -sum(item[1].values()))
    over = sum(sum(parts.values()) > CPU_TARGET for _, parts in dearest)
    lines += ["", f"비싼 쪽 열(CPU 초, 목표 {CPU_TARGET} 이하, 넘은 쪽 {over}개)"]
    for name, parts in dearest[:10]:
        detail = ", ".join(f"{stage} {cpu:.0f}" for stage, cpu in parts.items() if cpu >= 0.5)
        lines.append(f"  {sum(parts.values()):6.0f}  {name}  ({detail})")
    for name, parts in dearest:
        if (cpu := parts.get(STAGES["tests/pages"], 0.0)) > TESTS_TARGET:
            lines.append(
                f"주의: {name}의 시험이 CPU {cpu:.0f}초를 씁니다({TESTS_TARGET}초까지). 되풀이를 benchmarks/로 옮기고 결과 파일을 읽으세요."
            )
    return lines


def _padded(text: str, width: int) -> str:
    """한글을 두 칸으로 세어 너비를 맞춥니다."""
    return text + " " * (width - sum(2 if ord(c) > 0x1100 else 1 for c in text))
