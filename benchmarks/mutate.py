"""잘못을 하나씩 심고, 그 쪽에 대해 `make test`가 하는 일이 그것을 잡는지 셉니다: make mutate

    python -m benchmarks.mutate                    # 아직 판정하지 않았거나 놓친 것을 모두, 끝나면 표를 고칩니다
    python -m benchmarks.mutate --seconds 280      # 그만큼만 하고 멈춥니다. 다시 부르면 이어서 합니다
    python -m benchmarks.mutate --only 이름,이름    # 그것만(앞의 판정은 버립니다)
    python -m benchmarks.mutate --all --jobs 2     # 처음부터 모두, 두 프로세스로

잘못의 목록은 benchmarks/faults.yml, 결과는 benchmarks/mutation.yml입니다. 놓친 것은 끝에 모두 찍고 결과에도 적습니다.

저장소를 임시 폴더에 복제해 거기에 심습니다(커밋하지 않은 새 파일은 따라가지 않습니다). 판정은 `make test`의 부분입니다:

1. 원고: tests/pages/test_pages.py의 검사와 저장소의 규칙. 데이터를 건드렸으면 생성기와 카드의 시험
2. 실행: `make book`이 하는 그 쪽의 실행
3. 시험: tests/pages에서 그 쪽의 시험. 실행한 노트북의 검사, 쪽의 시험, 두 번째 실행의 차례
4. 검토한 글: 검토 뒤에 바뀐 문단이면 걸립니다. 틀린 줄은 모르고 바뀐 줄만 알므로 맨 뒤에 두고 따로 셉니다

잘못을 심지 않은 쪽에서도 실패하는 시험은 빼고 판정합니다. 잡은 시험마다 심지 않은 쪽에 돌려 확인하고, 뺀 시험은 끝에 찍습니다.
사이트 전체나 브라우저가 있어야 하는 시험은 빼므로, 실제의 `make test`는 여기서보다 더 잡을 수 있습니다.
"""

from book.stopping import die_with, scratch, stop_cleanly, sweep

if __name__ == "__main__":
    stop_cleanly("멈췄습니다. 끝난 판정은 적어 두었으므로 같은 명령을 다시 하면 이어서 합니다.")

import argparse
import contextlib
import datetime
import hashlib
import importlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import yaml

from book.files import write_atomically
from book.page import ROOT, build_dir, execution_dir

FAULTS = ROOT / "benchmarks" / "faults.yml"
RESULTS = ROOT / "benchmarks" / "mutation.yml"
HEADER = "# `make mutate`가 쓴 파일입니다. 손으로 고치지 않습니다.\n"
GOAL = 0.95
KINDS = {
    "mechanical": "기계적인 것",
    "learner": "학습자 자료",
    "statistics": "통계 코드",
    "binding": "숫자와 그 뜻",
    "figure": "그림의 글자",
    "claims": "주장과 검증",
    "identification": "식별과 보정",
    "data": "생성기와 카드",
    "lint": "저장소의 규칙",
}
STAGES = {"text": "원고", "run": "실행", "tests": "시험", "read": "검토한 글"}
READ = "tests/pages/test_reviewed_text.py"
PAGE_FOLDERS = ("chapters/", "case_studies/", "guides/")
_NEEDS_RUN = {"executions"}
_NEEDS_SITE = {"site_dir", "browser", "browser_page"}
_REPOSITORY = ["tests/book/test_repository.py"]
_DATA = ["tests/pages/test_generators.py", "tests/book/test_data.py"]


# ── 목록 ──


class StaleFault(ValueError):
    """심을 자리가 없거나 여럿입니다. 통과가 아니라 오류입니다."""


@dataclass(frozen=True)
class Fault:
    """심을 잘못 하나.

    Attributes
    ----------
    id, kind, why : str
        이름, 갈래(``KINDS``), 왜 잘못인지.
    file : str
        고칠 파일(저장소에서 본 자리).
    old, new : str
        있던 글과 바꿀 글. ``old``가 비면 ``new``를 담은 새 파일입니다.
    page : str
        판정할 쪽의 이름.
    """

    id: str
    file: str
    kind: str
    old: str
    new: str
    why: str
    page: str

    @property
    def digest(self) -> str:
        return hashlib.sha256("\0".join((self.file, self.old, self.new)).encode()).hexdigest()[:12]

    def applied(self, text: str | None) -> str:
        """``text``(없는 파일이면 None)에 심은 글.

        Raises
        ------
        StaleFault
            심을 글이 한 번 있지 않을 때.
        """
        if not self.old:
            if text is not None:
                raise StaleFault(f"목록이 낡았습니다: {self.id}가 만들 {self.file}이(가) 이미 있습니다.")
            return self.new
        count = (text or "").count(self.old)
        if count != 1:
            raise StaleFault(
                f"목록이 낡았습니다: {self.id}의 글이 {self.file}에 {count}번 있습니다(한 번이어야 합니다). "
                "benchmarks/faults.yml에서 old를 지금의 글로 고치세요."
            )
        return text.replace(self.old, self.new)


def read_faults(path: Path = FAULTS) -> list[Fault]:
    """잘못의 목록.

    Raises
    ------
    ValueError
        꼴이 다르거나 이름이 겹칠 때.
    """
    faults = []
    for item in yaml.safe_load(path.read_text(encoding="utf-8")):
        name = item.get("id", "?")
        if missing := {"id", "file", "kind", "old", "new", "why"} - set(item):
            raise ValueError(f"{path.name}: {name}에 {', '.join(sorted(missing))}이(가) 없습니다.")
        if item["kind"] not in KINDS:
            raise ValueError(f"{path.name}: {name}의 kind가 {item['kind']!r}입니다 — {', '.join(KINDS)} 가운데 하나.")
        if item["old"] == item["new"]:
            raise ValueError(f"{path.name}: {name}의 old와 new가 같습니다.")
        is_page = item["file"].endswith(".md") and item["file"].startswith(PAGE_FOLDERS)
        page = item.get("page") or (item["file"].removesuffix(".md") if is_page else "")
        if not page:
            raise ValueError(f"{path.name}: {name}의 file이 쪽이 아닙니다. page를 적으세요.")
        faults.append(Fault(**{key: item[key] for key in ("id", "file", "kind", "old", "new", "why")}, page=page))
    if twice := [name for name, count in Counter(f.id for f in faults).items() if count > 1]:
        raise ValueError(f"{path.name}: 이름이 겹칩니다: {', '.join(twice)}")
    return faults


def stale(faults: list[Fault], root: Path = ROOT) -> list[str]:
    """심을 수 없는 잘못마다의 한 문장."""
    found = []
    for fault in faults:
        path = root / fault.file
        try:
            fault.applied(path.read_text(encoding="utf-8") if path.is_file() else None)
        except StaleFault as why:
            found.append(str(why))
    return found


# ── 심은 곳에서 판정하기(복제한 폴더 안의 프로세스) ──


class Selection:
    """pytest 플러그인: 그 쪽의 시험만 싼 것부터 돌리고, 처음 실패한 것을 적어 둡니다."""

    def __init__(self, page: str, datasets: set[str], stage: str, sick: set[str]):
        self.page, self.datasets, self.stage, self.sick = page, datasets, stage, sick
        self.failed = self.message = ""

    def wanted(self, item) -> bool:
        fixtures, file = set(item.fixturenames), item.nodeid.partition("::")[0]
        late = bool(fixtures & _NEEDS_RUN) or self._own(file)
        if fixtures & _NEEDS_SITE or late != (self.stage == "tests") or item.nodeid in self.sick:
            return False
        if (file == READ) != (self.stage == "read"):
            return False
        if file in _DATA:
            parameters = getattr(getattr(item, "callspec", None), "params", {})
            return any(value in self.datasets for value in map(str, parameters.values()))
        stems = {self.page.rpartition("/")[2]: self.page}
        return file in _REPOSITORY or sys.modules["ledger"].page_of(item.nodeid, stems) == self.page

    def _own(self, file: str) -> bool:
        return file == f"tests/pages/test_{self.page.rpartition('/')[2]}.py"

    def cost(self, item) -> tuple[int, str]:
        file = item.nodeid.partition("::")[0]
        if "test_second_run" in file:
            return (3 if "the_learners_copy" in item.nodeid else 9), item.nodeid
        if "the_numbers_are" in item.nodeid:
            return 2, ""
        if "test_redraw" in file:  # 고친 쪽은 그 자리에서 한 번 더 실행합니다
            return 8, ""
        return (5 if self._own(file) else 1), ""

    def pytest_collection_modifyitems(self, config, items):
        kept = [item for item in items if self.wanted(item)]
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = sorted(kept, key=self.cost)

    def pytest_runtest_logreport(self, report):
        if report.failed and not self.failed:
            text = report.longreprtext
            lines = [line[1:].strip() for line in text.splitlines() if line.startswith("E ")] or text.splitlines()[-3:]
            self.failed, self.message = report.nodeid, " ".join(lines)[:400]

    def pytest_collectreport(self, report):
        if report.failed and not self.failed:
            self.failed, self.message = report.nodeid, report.longreprtext.strip().splitlines()[-1][:400]


def _files(page: str, stage: str, with_data: bool) -> list[str]:
    """그 단계의 시험이 있는 파일: 모든 쪽을 도는 것(published_pages를 부릅니다)과 그 쪽의 것."""
    if stage == "read":
        return [READ]
    shared, own, with_run = [], f"tests/pages/test_{page.rpartition('/')[2]}.py", stage == "tests"
    for path in sorted((ROOT / "tests" / "pages").glob("test_*.py")):
        name, text = path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
        if name not in _DATA and "published_pages" in text and ("executions" in text) == with_run:
            shared.append(name)
    if with_run:
        return shared + ([own] if (ROOT / own).is_file() else [])
    return shared + _REPOSITORY + (_DATA if with_data else [])


def _pytest(page: str, datasets: set[str], stage: str, nodes: list[str] | None, sick: set[str]) -> dict:
    """그 쪽의 시험을 ``sick``을 빼고 돌려 처음 실패한 것을 돌려줍니다(없으면 빈 글자)."""
    import pytest

    plugin = Selection(page, datasets, stage, sick)
    arguments = ["-x", "-q", "--no-header", "--tb=short", *(nodes or _files(page, stage, bool(datasets)))]
    code = pytest.main(arguments, plugins=[plugin])
    if code not in (0, 1) and not plugin.failed:  # 인자가 틀렸거나 돌릴 시험이 없습니다
        return {"by": "", "message": f"pytest가 {int(code)}로 끝났습니다", "broken": True}
    return {"by": plugin.failed, "message": plugin.message}


def _execute(page: str) -> dict:
    """그 쪽을 실행합니다. 실패하면 까닭을 돌려줍니다. 전에 한 실행이면 그때의 초를 더해 둡니다."""
    from book.execution import execute
    from book.page import PageError, read_page

    try:
        done = execute(read_page(f"{page}.md"))
    except PageError as error:
        return {"by": "execute", "message": str(error)[:400]}
    return {"by": "", "message": "", "extra": done.seconds if done.cached else 0.0}


def _in_child(work, *arguments) -> dict:
    """갈라져 나온 프로세스에서 합니다. 앞의 판정이 불러온 모듈이 다음 판정에 남지 않습니다."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if not child:
        code = 1
        try:
            os.close(reading)
            quiet = os.open(os.devnull, os.O_WRONLY)
            os.dup2(quiet, 1)
            os.dup2(quiet, 2)
            with os.fdopen(writing, "w", encoding="utf-8") as out:
                json.dump(work(*arguments), out)
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as given:
        text = given.read()
    os.waitpid(child, 0)
    return json.loads(text) if text else {"by": "", "message": "판정하던 프로세스가 죽었습니다", "broken": True}


class Judge:
    """복제한 저장소(지금 폴더) 안에서 잘못을 심고 판정합니다."""

    def __init__(self):
        self.healthy: dict[tuple, bool] = {}
        self.sick: set[str] = set()  # 심지 않은 쪽에서도 실패해 판정에 쓰지 않는 시험

    def judge(self, fault: Fault, only: str = "") -> dict:
        """``{"outcome": caught|missed|broken, "stage", "by", "message", "seconds"}``. 원고만 보았으면 outcome은 "passed"."""
        started, extra, told = time.perf_counter(), 0.0, {}
        waiting = [only] if only else list(STAGES)
        while waiting:
            with self.planted(fault):
                found = self.stage(waiting[0], fault)
            extra += found.get("extra", 0.0)
            told = {"stage": waiting[0], "by": found["by"], "message": found["message"]}
            if found.get("broken"):
                break
            if not found["by"]:
                waiting.pop(0)
            elif self.is_healthy(waiting[0], found["by"], fault):
                break
            elif "::" in found["by"]:
                self.sick.add(found["by"])  # 이 시험 없이 그 단계를 다시 합니다
            else:
                told |= {"message": f"심지 않아도 실패합니다: {found['message']}"[:400]}
                found["broken"] = True
                break
        seconds = round(time.perf_counter() - started + extra, 1)
        done = "passed" if only == "text" else "missed"
        outcome = "broken" if found.get("broken") else "caught" if found["by"] else done
        return told | {"seconds": seconds, "outcome": outcome, "without": sorted(self.sick)}

    @contextlib.contextmanager
    def planted(self, fault: Fault) -> Iterator[None]:
        """잘못을 심은 동안."""
        path = ROOT / fault.file
        before = path.read_text(encoding="utf-8") if path.is_file() else None
        write_atomically(path, fault.applied(before))
        if before is None:
            subprocess.run(["git", "add", "--intent-to-add", "--", fault.file], cwd=ROOT, check=True)
        try:
            yield
        finally:
            if before is None:
                subprocess.run(["git", "rm", "--cached", "-q", "--", fault.file], cwd=ROOT, check=True)
                path.unlink()
            else:
                write_atomically(path, before)

    def stage(self, stage: str, fault: Fault, nodes: list[str] | None = None) -> dict:
        if stage == "run":
            return _in_child(_execute, fault.page)
        return _in_child(_pytest, fault.page, self.datasets(fault), stage, nodes, self.sick)

    def datasets(self, fault: Fault) -> set[str]:
        """데이터를 건드렸을 때 그 쪽이 쓰는 데이터의 이름."""
        from book.page import read_page

        if not fault.file.startswith("data/"):
            return set()
        return set(read_page(f"{fault.page}.md").meta.get("datasets") or [])

    def is_healthy(self, stage: str, by: str, fault: Fault) -> bool:
        """심지 않은 쪽에서는 그 시험이 통과하는지."""
        key = (fault.page, stage, by)
        if key not in self.healthy:
            if stage == "tests":
                _in_child(_execute, fault.page)
            found = self.stage(stage, fault, [by] if "::" in by else None)
            self.healthy[key] = not found["by"] and not found.get("broken")
        return self.healthy[key]


def serve() -> None:
    """한 줄에 하나씩 받은 잘못을 판정해 한 줄로 답합니다. 무거운 것은 미리 불러 두고 갈라져 나갑니다."""
    for name in (
        "lxml.html",
        "nbclient",
        "pandas",
        "pytest",
        "xdist.scheduler",
        "playwright.sync_api",
        "myst_nb",
        "book.browser",
        "statsmodels.api",
        "linearmodels.iv",
        "book.execution",
    ):
        importlib.import_module(name)

    from book.checks import check_page
    from book.myst import parse
    from book.page import published_pages, read_page

    os.chdir(ROOT)
    for page in published_pages():  # 읽은 원고는 글이 같으면 다시 읽지 않습니다
        parse(page.text)
    check_page(read_page("case_studies/template.md"))  # 형태소 분석기까지 올립니다
    judge = Judge()
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(judge.judge(Fault(**asked["fault"]), asked["only"])), flush=True)


# ── 시키는 쪽 ──


class Workplace:
    """복제한 저장소 하나와 그 안에서 판정하는 프로세스."""

    def __init__(self, folder: Path, store: Path):
        self.folder = folder
        head = subprocess.run(
            ["git", "stash", "create"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.strip()
        subprocess.run(["git", "clone", "-q", "--shared", "--no-checkout", str(ROOT), str(folder)], check=True)
        subprocess.run(["git", "checkout", "-q", head or _head()], cwd=folder, check=True)
        env = os.environ | {"PYTHONPATH": str(folder), "BOOK_EXECUTION_DIR": str(store), "PYTHONHASHSEED": "1"}
        env.pop("BOOK_BUILD_DIR", None)
        command = [sys.executable, "-m", "benchmarks.mutate", "--serve", str(os.getpid())]
        self.process = subprocess.Popen(
            command, cwd=folder, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def judge(self, fault: Fault, only: str) -> dict:
        asked = {"fault": vars(fault), "only": only}
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"판정하는 프로세스가 {fault.id}에서 멈췄습니다.")
        return json.loads(answer)

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def _head() -> str:
    return subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()


def _record() -> Path:
    return build_dir() / "mutate.json"


def _store() -> Path:
    """심은 쪽의 실행까지 보관하는 곳. 심지 않은 쪽의 실행을 옮겨 와 시작하므로 책의 저장소는 건드리지 않습니다."""
    store = build_dir() / "mutate"
    store.mkdir(parents=True, exist_ok=True)
    for path in sorted(execution_dir().glob("*.ipynb")) + sorted(execution_dir().glob("*.json")):
        if not (store / path.name).exists():
            shutil.copyfile(path, store / path.name)
    return store


def known_results(faults: list[Fault]) -> dict[str, dict]:
    """앞에서 판정한 것 가운데 목록이 그대로인 것."""
    try:
        kept = json.loads(_record().read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return {f.id: kept[f.id] for f in faults if f.id in kept and kept[f.id]["digest"] == f.digest}


def judge_all(faults: list[Fault], results: dict, jobs: int, seconds: float, only: str) -> None:
    """``faults``를 차례로 판정해 ``results``에 담고, 하나 끝날 때마다 적어 둡니다."""
    deadline, at, places = time.monotonic() + seconds, _head()[:12], []
    waiting: Iterator[Fault] = iter(faults)

    def work(place: Workplace) -> None:
        for fault in waiting:
            if time.monotonic() > deadline:
                return
            answer = place.judge(fault, only)
            results[fault.id] = answer | {"digest": fault.digest, "at": at}
            write_atomically(_record(), json.dumps(results, ensure_ascii=False, indent=1))
            print(
                f"{answer['outcome']:7} {answer['seconds']:6.1f}초 {fault.id}  {answer['by']} {answer['message'][:140]}",
                flush=True,
            )

    with scratch("mutate") as folder:
        store = _store()
        try:
            places += [Workplace(folder / str(k), store) for k in range(min(jobs, max(1, len(faults))))]
            if len(places) == 1:
                work(places[0])
            else:
                with ThreadPoolExecutor(len(places)) as pool:
                    list(pool.map(work, places))
        finally:
            for place in places:
                place.close()


def summary(faults: list[Fault], results: dict) -> dict:
    """결과 파일의 내용: 갈래와 단계마다의 수, 걸린 초, 놓친 것의 목록."""
    outcome = {f.id: results[f.id]["outcome"] for f in faults}
    kinds = {
        KINDS[kind]: {
            "planted": sum(f.kind == kind for f in faults),
            "caught": sum(f.kind == kind and outcome[f.id] == "caught" for f in faults),
        }
        for kind in KINDS
    }
    stages = Counter(results[f.id]["stage"] for f in faults if outcome[f.id] == "caught")
    return {
        "measured": {"date": datetime.date.today().isoformat(), "commit": _head()[:12]},
        "planted": len(faults),
        "pages": len({f.page for f in faults}),
        "caught": sum(o == "caught" for o in outcome.values()),
        "kinds": {name: row for name, row in kinds.items() if row["planted"]},
        "stages": {STAGES[s]: stages[s] for s in STAGES},
        # 수의 기록(benchmarks/numbers)에서 걸린 것. 뒤의 시험이 함께 잡았을 수 있지만, 기록에서 걸리면 거기서 멈춥니다
        "by_the_record": sum("the_numbers_are" in results[f.id]["by"] for f in faults if outcome[f.id] == "caught"),
        "seconds": round(sum(results[f.id]["seconds"] for f in faults)),
        "missed": [
            {"id": f.id, "kind": KINDS[f.kind], "why": f.why, "outcome": outcome[f.id]}
            for f in faults
            if outcome[f.id] != "caught"
        ],
    }  # fmt: skip


def report(faults: list[Fault], results: dict) -> int:
    """표와 놓친 것을 찍고 결과 파일을 씁니다. 놓친 것이 목표보다 많으면 1입니다."""
    found = summary(faults, results)
    write_atomically(RESULTS, HEADER + yaml.safe_dump(found, allow_unicode=True, sort_keys=False, width=120))
    for name, row in found["kinds"].items():
        print(f"  {name}: {row['caught']}/{row['planted']}")
    print("  단계: " + ", ".join(f"{name} {count}" for name, count in found["stages"].items()))
    print(f"  그 가운데 수의 기록에서 걸린 것: {found['by_the_record']}")
    if sick := sorted({name for f in faults for name in results[f.id].get("without", ())}):
        print("심지 않아도 실패해 빼고 판정한 시험: " + ", ".join(sick))
    for miss in found["missed"]:
        print(f"놓침({miss['outcome']}): {miss['id']} — {miss['why']}")
    share = found["caught"] / found["planted"]
    print(f"심은 것 {found['planted']}, 잡은 것 {found['caught']}({share:.1%}). 목표 {GOAL:.0%}.")
    return 0 if share >= GOAL else 1


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make mutate", description="잘못을 하나씩 심고 시험이 잡는지 셉니다.")
    parser.add_argument("--only", default="", help="이 이름만(쉼표로 잇습니다)")
    parser.add_argument("--page", default="", help="이름에 이 글자가 든 쪽만")
    parser.add_argument("--kind", default="", help="이 갈래만(쉼표로 잇습니다)")
    parser.add_argument("--all", action="store_true", help="앞의 판정을 버리고 모두")
    parser.add_argument(
        "--stage",
        default="",
        choices=["", *STAGES],
        help="이 단계만 봅니다. 앞 단계에서 놓친 것을 뒤 단계로 이을 때 씁니다",
    )
    parser.add_argument("--jobs", type=int, default=1, help="프로세스의 수")
    parser.add_argument("--seconds", type=float, default=1e9, help="이만큼 지나면 새로 시작하지 않습니다")
    args = parser.parse_args(argv)
    sweep()
    faults = read_faults()
    if problems := stale(faults):
        print("\n".join(problems), file=sys.stderr)
        return 1
    results = {} if args.all else known_results(faults)
    chosen = [f for f in faults if args.page in f.page and (not args.only or f.id in args.only.split(","))]
    if args.kind:
        chosen = [f for f in chosen if f.kind in args.kind.split(",")]
    if not args.only:
        chosen = [f for f in chosen if results.get(f.id, {}).get("outcome") != "caught"]
        # 아직 모르는 것을 먼저, 그다음 놓친 것을
        chosen.sort(key=lambda f: results.get(f.id, {}).get("outcome", "") in {"missed", "broken"})
    judge_all(chosen, results, args.jobs, args.seconds, args.stage)
    left = [f.id for f in faults if results.get(f.id, {}).get("outcome", "passed") == "passed"]
    if left:
        print(f"판정이 남은 것 {len(left)}. 같은 명령을 다시 하면 이어서 합니다.")
        return 1
    return report(faults, results)


if __name__ == "__main__":
    if "--serve" in sys.argv:
        die_with(int(sys.argv[-1]))
        serve()
    else:
        sys.exit(main())
