"""쪽을 실행하고 결과를 열쇠로 보관합니다.

열쇠는 코드, 쓰는 데이터(CSV·생성기·카드), 쪽이 부를 수 있는 패키지의 버전, causal_practice, 파이썬 판에서 만듭니다.
글만 고치면 열쇠가 그대로이고, 데이터를 고치면 그 데이터를 쓰는 쪽만 열쇠가 바뀝니다.
``causal_pipeline``은 그것을 부르는 쪽의 열쇠에만 들어갑니다.
"""

import contextlib
import hashlib
import itertools
import json
import os
import re
import resource
import signal
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import nbformat

from book import fence, values
from book.data_calls import data_calls
from book.files import PARTIAL, storage_error, write_atomically
from book.locks import page_packages, page_requirements
from book.myst import parse
from book.page import ROOT, Page, PageError, execution_dir, read_page
from book.stopping import die_with, end_children, run, scratch
from book.yaml_text import read_kept

SECONDS_BUDGET, MEMORY_BUDGET_MB = 60.0, 2048.0
HARD_FACTOR = 3  # 예산의 세 배를 넘으면 실패합니다. 기계마다 빠르기가 다르기 때문입니다.
_PIPELINE_USE = re.compile(r"^\s*(?:from|import)\s+causal_pipeline\b", re.MULTILINE)
_GLYPH = re.compile(r"Glyph \d+ .*missing")
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Execution:
    """쪽 하나의 실행 결과.

    Attributes
    ----------
    docname, key : str
    path : Path
        출력이 담긴 .ipynb.
    seconds, memory_mb : float
        벽시계 시간과 커널의 최대 메모리.
    cached : bool
        이번에 실행하지 않고 보관한 것을 썼으면 참.
    cpu_seconds : float, optional
        커널이 쓴 CPU 시간. 재지 않은 옛 기록이면 None.
    """

    docname: str
    key: str
    path: Path
    seconds: float
    memory_mb: float
    cached: bool
    cpu_seconds: float | None = None

    def notebook(self) -> nbformat.NotebookNode:
        return nbformat.read(self.path, as_version=4)


class ExecutionFailed(PageError):
    """쪽의 실행이 실패했습니다. 메시지에 쪽, 셀, 고칠 방법이 있습니다."""


def to_notebook(page: Page) -> nbformat.NotebookNode:
    """원고를 노트북으로 바꿉니다. 사이트를 만드는 myst-nb와 같은 판독기를 씁니다."""
    from myst_nb.core.read import read_myst_markdown_notebook
    from myst_parser.config.main import MdParserConfig

    return read_myst_markdown_notebook(
        page.text, MdParserConfig(), add_source_map=True, path=page.path.relative_to(ROOT).as_posix()
    )


def used_datasets(page: Page) -> set[str]:
    """쪽이 쓰는 데이터 이름. 이름을 글자로 적지 않은 호출이 있으면 모든 데이터를 돌려줍니다."""
    calls = {name for name, _ in data_calls(parse(page.text).cells)}
    return set(cards()) if None in calls else {*(page.meta.get("datasets") or []), *calls}


def cards() -> dict:
    """데이터 카드(data/catalog.yml): 이름 → 카드. 파일이 바뀌면 다시 읽습니다."""
    path = ROOT / "data" / "catalog.yml"
    return (read_kept(path) or {}) if path.exists() else {}


def digest(*parts: bytes | str) -> str:
    """조각들의 지문(SHA-256, 16진수). 조각의 경계까지 다르면 다릅니다."""
    h = hashlib.sha256()
    for part in parts:
        part = part.encode() if isinstance(part, str) else part
        h.update(len(part).to_bytes(8, "little") + part)
    return h.hexdigest()


def file_digest(path: Path) -> str:
    """파일 내용의 지문. 파일이 없으면 ``missing``입니다."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing"


def uses_pipeline(page: Page) -> bool:
    """쪽의 코드가 ``causal_pipeline``을 부르면 참."""
    if "causal_pipeline" not in page.text:  # 대부분의 쪽은 노트북으로 읽지 않아도 압니다
        return False
    return any(_PIPELINE_USE.search(c.source) for c in to_notebook(page).cells if c.cell_type == "code")


def package_files(pipeline: bool = False) -> list[Path]:
    """쪽이 불러올 수 있는 우리 패키지의 파일: causal_practice, 달라고 하면 causal_pipeline까지.

    Parameters
    ----------
    pipeline : bool
        참이면 파이프라인의 코드와 틀(HTML, YAML)도 넣습니다.
    """
    folders = ["causal_practice", "causal_pipeline"] if pipeline else ["causal_practice"]
    files = [p for name in folders for p in (ROOT / name).rglob("*") if p.is_file()]
    return sorted(p for p in files if p.suffix != ".pyc" and "__pycache__" not in p.parts)


def _files_digest(files: list[Path]) -> list[str]:
    return [f"{p.relative_to(ROOT)}:{file_digest(p)}" for p in files]


def locked_page_packages() -> list[str]:
    """쪽이 부를 수 있는 패키지의 잠근 버전."""
    requirements, lock = (
        (ROOT / name).read_text(encoding="utf-8") for name in ("requirements.txt", "requirements.lock")
    )
    return page_packages(lock, page_requirements(requirements))


def environment_digest() -> str:
    """모든 쪽이 함께 쓰는 환경의 지문: 파이썬 판, 쪽이 부를 수 있는 패키지의 버전, causal_practice, 커널 울타리."""
    files = [*package_files(), *sorted((ROOT / "book" / "kernel").glob("*.py"))]
    return digest(sys.version, *locked_page_packages(), *_files_digest(files))


def execution_key(page: Page) -> str:
    """쪽의 열쇠(16진수 20자)."""
    notebook = to_notebook(page)
    cells = [c.source for c in notebook.cells if c.cell_type == "code"]
    parts = [environment_digest(), json.dumps(page.meta.get("kernelspec"), sort_keys=True), *cells]
    prose = [
        [at, sorted({e.raw for e in values.expressions(cell.source)})] for at, cell in values.numbered(notebook.cells)
    ]
    parts.append(json.dumps([item for item in prose if item[1]], ensure_ascii=False))
    for name in sorted(used_datasets(page)):
        parts += [
            name,
            file_digest(ROOT / "data" / f"{name}.csv"),
            file_digest(ROOT / "data" / "generators" / f"{name}.py"),
            json.dumps(cards().get(name), sort_keys=True, ensure_ascii=False, default=str),
        ]
    if uses_pipeline(page):
        parts += _files_digest(package_files(pipeline=True))
    for extra in sorted(page.meta.get("depends") or []):
        parts += [extra, file_digest(ROOT / extra)]
    return digest(*parts)[:20]


def stored(page: Page) -> Execution | None:
    """보관한 실행 결과가 있으면 돌려주고 없으면 None."""
    return stored_run(page.docname, execution_key(page))


class DamagedRun(ValueError):
    """보관한 실행이 온전하지 않습니다(전기가 나갔거나 디스크가 찼을 때). 메시지는 까닭입니다."""


def stored_run(docname: str, key: str) -> Execution | None:
    """그 쪽의 그 열쇠로 보관한 실행. 없거나 온전하지 않으면 None."""
    try:
        return _read_run(docname, key)
    except DamagedRun:
        return None


def _place(docname: str, key: str) -> tuple[Path, Path]:
    """보관하는 노트북과 기록의 자리. 기록을 나중에 쓰므로, 기록이 있으면 다 쓴 것입니다."""
    base = execution_dir() / f"{docname.replace('/', '__')}.{key}"
    return base.with_name(f"{base.name}.ipynb"), base.with_name(f"{base.name}.json")


def _read_run(docname: str, key: str) -> Execution | None:
    notebook, record = _place(docname, key)
    if not record.is_file():
        return None
    info = _read_record(record)
    if not notebook.is_file():
        raise DamagedRun("노트북이 없습니다")
    if file_digest(notebook) != info["sha256"]:
        raise DamagedRun("노트북의 내용이 기록과 다릅니다")
    return Execution(docname, key, notebook, info["seconds"], info["memory_mb"], True, info["cpu_seconds"])


def _read_record(record: Path) -> dict:
    try:
        info = json.loads(record.read_text(encoding="utf-8"))
        cpu = info.get("cpu_seconds")
        return {
            "seconds": float(info["seconds"]), "memory_mb": float(info["memory_mb"]), "sha256": str(info["sha256"]),
            "cpu_seconds": None if cpu is None else float(cpu),
        }  # fmt: skip
    except (ValueError, TypeError, KeyError):
        raise DamagedRun("기록이 비었거나 깨졌습니다") from None


def keep_run(
    docname: str,
    key: str,
    notebook: nbformat.NotebookNode,
    seconds: float,
    memory_mb: float,
    cpu_seconds: float | None = None,
) -> Execution:
    """실행을 보관합니다. 노트북을 먼저, 그 지문이 든 기록을 나중에 씁니다. CPU는 시험의 장부(tests/ledger.py)가 읽습니다."""
    place, record = _place(docname, key)
    content = nbformat.writes(notebook).encode()
    seconds, memory_mb = round(seconds, 2), round(memory_mb, 1)
    write_atomically(place, content)
    cpu_seconds = None if cpu_seconds is None else round(cpu_seconds, 2)
    cpu = {} if cpu_seconds is None else {"cpu_seconds": cpu_seconds}
    info = {"seconds": seconds, "memory_mb": memory_mb, **cpu, "sha256": hashlib.sha256(content).hexdigest()}
    write_atomically(record, json.dumps(info))
    return Execution(docname, key, place, seconds, memory_mb, False, cpu_seconds)


def kernel_environment() -> dict[str, str]:
    """노트북 커널의 환경변수. 스레드 하나, 고정된 해시, 네트워크 울타리, 저장소의 패키지."""
    env = dict(os.environ)
    for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM"):
        env[f"{name}_NUM_THREADS"] = "1"
    env |= {
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": os.pathsep.join([str(ROOT / "book" / "kernel"), str(ROOT)]),
        "TQDM_DISABLE": "1",
        "MPLCONFIGDIR": str(execution_dir() / "matplotlib"),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    env.pop("PYTHONWARNINGS", None)
    return env


def _line_of(cell, page: Page) -> int:
    source_map = cell.metadata.get("_line")
    return int(source_map) if source_map else 1


def _complain(page: Page, index: int, line: int, what: str, remedy: str) -> ExecutionFailed:
    return ExecutionFailed(f"{page.docname}.md:{line}: {index}번째 코드 셀: {what}\n  → {remedy}")


def check_outputs(page: Page, notebook: nbformat.NotebookNode) -> None:
    """실행은 끝났으나 책에 실을 수 없는 출력을 찾습니다.

    Raises
    ------
    ExecutionFailed
        글꼴에 없는 글자, 경고(stderr) 출력, 로컬 절대 경로가 찍힌 출력이 있을 때.
    """
    number = 0
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        number += 1
        for output in cell.outputs:
            text = _ANSI.sub("", output.get("text", "") or "".join(output.get("data", {}).get("text/plain", "")))
            line = _line_of(cell, page)
            if output.get("name") == "stderr":
                if _GLYPH.search(text):
                    raise _complain(
                        page,
                        number,
                        line,
                        f"그림 글꼴에 없는 글자가 있습니다: {text.strip().splitlines()[-1][:200]}",
                        "set_style()을 먼저 부르고, 특수 기호나 긴 빼기표(−)를 보통 글자로 바꾸세요.",
                    )
                raise _complain(
                    page,
                    number,
                    line,
                    f"경고가 찍혔습니다: {text.strip()[:400]}",
                    "경고의 원인을 고치세요. 고칠 수 없으면 그 경고 하나만 까닭을 적고 걸러 냅니다.",
                )
            if str(ROOT) in text:
                raise _complain(
                    page, number, line, "출력에 이 컴퓨터의 절대 경로가 찍혔습니다.", "파일 경로를 찍지 않게 고치세요."
                )


def execute(page: Page, force: bool = False) -> Execution:
    """쪽 하나를 실행합니다. 같은 열쇠의 결과가 있으면 그것을 씁니다.

    Raises
    ------
    ExecutionFailed
        셀 오류, 경고, 빠진 글자, 네트워크 시도, 예산의 세 배를 넘는 시간이나 메모리.
    OSError
        디스크가 찼거나 보관하는 곳에 쓸 수 없을 때.
    Stopped
        멈추라는 신호를 받은 뒤.
    """
    key = execution_key(page)
    if not force:
        try:
            if found := _read_run(page.docname, key):
                return found
        except DamagedRun as why:
            print(f"  {page.docname}: 보관한 실행이 온전하지 않아 다시 실행합니다({why}).")
    notebook, result = run_fenced(page)
    if execution_key(read_page(page.path)) != key:  # 새 원고의 실행을 옛 열쇠로 보관하지 않습니다
        raise ExecutionFailed(f"{page.docname}.md: 실행하는 동안 원고나 데이터가 바뀌었습니다.\n  → 다시 돌리세요.")
    check_outputs(page, notebook)
    for cell in notebook.cells:
        cell.metadata.pop("_line", None)
    notebook.metadata["execution"] = {"key": key, "docname": page.docname}
    return keep_run(page.docname, key, notebook, result["seconds"], result["memory_mb"], result.get("cpu_seconds"))


def run_fenced(
    page: Page, module: str = "book.execution", extra: dict[str, str] | None = None
) -> tuple[nbformat.NotebookNode, dict]:
    """쪽 하나를 울타리 안의 새 프로세스에서 실행하고 예산을 봅니다. 보관하지는 않습니다.

    Parameters
    ----------
    module : str
        자식이 돌릴 모듈. ``python -m 모듈 원고 결과 부모`` 꼴로 불립니다.
    extra : dict
        커널에 더할 환경변수. 값의 ``{folder}``는 그 실행의 임시 폴더입니다.

    Returns
    -------
    (NotebookNode, dict)
        실행된 노트북과 그 기록(seconds, memory_mb, cpu_seconds).

    Raises
    ------
    ExecutionFailed, OSError, Stopped
        ``execute``와 같습니다.
    """
    _clear_stale_locks()
    with scratch("page") as folder:
        target, attempts = folder / "out.ipynb", folder / "network"
        # 임시 파일, IPython의 기록, 커널의 접속 파일까지 한 폴더에 두고, 죽어도 함께 치웁니다
        own = {
            "TMPDIR": str(folder),
            "IPYTHONDIR": str(folder / "ipython"),
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        }
        more = {name: value.replace("{folder}", str(folder)) for name, value in (extra or {}).items()}
        process = run(
            [sys.executable, "-m", module, str(page.path), str(target), str(os.getpid())],
            cwd=ROOT, env=kernel_environment() | own | {"NETWORK_ATTEMPTS": str(attempts)} | more, capture_output=True, text=True,
        )  # fmt: skip
        result_file = target.with_suffix(".json")
        result = json.loads(result_file.read_text(encoding="utf-8")) if result_file.is_file() else {}
        failure = result["error"] if result else process.stderr
        if failure and (full := storage_error(failure)):
            full.filename = str(folder)
            raise full
        if not result:
            raise ExecutionFailed(f"{page.docname}.md: 커널이 시작되지 못했습니다.\n{process.stderr[-1500:]}")
        if failure:
            raise ExecutionFailed(failure)
        if attempts.exists():
            hosts = ", ".join(sorted(set(attempts.read_text(encoding="utf-8").split())))
            raise ExecutionFailed(
                f"{page.docname}.md: 노트북이 네트워크({hosts})에 붙으려 했고, 코드가 그 실패를 삼켰습니다.\n"
                "  → 내려받는 코드를 지우고 데이터는 data/에 두어 causal_practice.load로 불러오세요."
            )
        notebook = _join_streams(nbformat.read(target, as_version=4))
    for what, value, budget, unit in (
        ("시간", result["seconds"], SECONDS_BUDGET, "초"),
        ("메모리", result["memory_mb"], MEMORY_BUDGET_MB, "MB"),
    ):
        if value > HARD_FACTOR * budget:
            raise ExecutionFailed(
                f"{page.docname}.md: {what} {value:.0f}{unit}로 예산 {budget:.0f}{unit}의 {HARD_FACTOR}배를 넘었습니다.\n"
                "  → 표본이나 반복을 줄이거나 더 빠른 계산으로 바꾸세요."
            )
    return notebook, result


def _join_streams(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """이어서 찍힌 글을 하나로 합칩니다. 커널이 언제 내보내느냐에 따라 나뉘는 곳이 달라, 두면 다시 실행할 때마다 파일이 달라집니다."""
    for cell in notebook.cells:
        joined: list = []
        for output in cell.get("outputs", []):
            last = joined[-1] if joined else None
            if last is not None and output.output_type == last.output_type == "stream" and output.name == last.name:
                last.text += output.text
            else:
                joined.append(output)
        if cell.cell_type == "code":
            cell.outputs = joined
    return notebook


def _clear_stale_locks() -> None:
    """글꼴 목록을 쓰다 죽은 커널의 잠금 파일을 지웁니다. 남아 있으면 다음 커널마다 5초를 기다리다 경고를 찍습니다."""
    for lock in (execution_dir() / "matplotlib").glob("*.matplotlib-lock"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - lock.stat().st_mtime > 10:  # 쓰는 데는 1초도 걸리지 않습니다
                lock.unlink()


def execute_all(pages: list[Page], workers: int = 2, report=print) -> dict[str, Execution]:
    """노트북인 쪽을 ``workers``개씩 나란히 실행합니다. 오래 걸리던 쪽을 먼저 보냅니다.

    Raises
    ------
    ExecutionFailed
        하나라도 실패했을 때. 나머지는 끝까지 돌리고 실패를 모두 모아 알립니다.
    """
    notebooks = [p for p in pages if p.is_notebook]
    notebooks.sort(key=lambda p: -last_seconds(p.docname))
    results, failures = {}, []
    pool = ThreadPoolExecutor(workers)
    futures = {pool.submit(execute, page): page for page in notebooks}
    try:
        for future in as_completed(futures):
            page = futures[future]
            try:
                done = results[page.docname] = future.result()
            except ExecutionFailed as error:
                failures.append(str(error))
                report(f"  실패  {page.docname}")
            else:
                state = "보관" if done.cached else "실행"
                report(f"  {state}  {page.docname}  {done.seconds:.1f}초  {done.memory_mb:.0f}MB")
    except BaseException:  # 디스크가 찼거나 멈추라는 때입니다. 더 시작하지 않고, 돌던 것을 거둡니다
        pool.shutdown(wait=False, cancel_futures=True)
        end_children()
        raise
    pool.shutdown()
    if failures:
        raise ExecutionFailed("\n\n".join(sorted(failures)))
    return results


def last_seconds(docname: str) -> float:
    records = sorted(execution_dir().glob(f"{docname.replace('/', '__')}.*.json"), key=lambda p: p.stat().st_mtime)
    for record in reversed(records):
        with contextlib.suppress(DamagedRun):
            return _read_record(record)["seconds"]
    return 1e9


def prune(current: dict[str, Execution], keep: int = 3) -> None:
    """쪽마다 지금 것과 가장 최근 것 ``keep``개만 남기고 묵은 실행 결과와 쓰다 만 파일을 지웁니다."""
    for docname, done in current.items():
        old = sorted(
            execution_dir().glob(f"{docname.replace('/', '__')}.*.ipynb"), key=lambda p: p.stat().st_mtime, reverse=True
        )
        for path in [p for p in old if p != done.path][keep:]:
            path.with_suffix(".json").unlink(missing_ok=True)
            path.unlink(missing_ok=True)
    for path in execution_dir().glob(f"{PARTIAL}*"):
        if time.time() - path.stat().st_mtime > 3600:  # 다른 빌드가 지금 쓰는 것은 둡니다
            path.unlink(missing_ok=True)


def run_page(source: Path, target: Path, to_the_end: bool = False) -> None:
    """(자식 프로세스) 쪽 하나를 실행해 ``target``에 쓰고, 결과 요약을 .json으로 남깁니다.

    ``to_the_end``가 참이면 셀이 오류를 내도 다음 셀로 갑니다. 오류는 노트북의 출력에 남습니다.
    """
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    page = read_page(source)
    notebook = to_notebook(page)
    source_map = notebook.metadata.get("source_map") or []
    for cell, line in zip(notebook.cells, source_map, strict=False):
        cell.metadata["_line"] = int(line) + 1
    error, started = None, time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="cwd-") as cwd:
        client = _client_class()(
            notebook, timeout=int(SECONDS_BUDGET * HARD_FACTOR), kernel_name="python3",
            resources={"metadata": {"path": cwd}}, record_timing=False, allow_errors=to_the_end,
        )  # fmt: skip
        try:
            client.execute()
            error = None if to_the_end else _bad_value(page, notebook)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as failure:
            error = _describe(page, notebook, failure)
    seconds = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    memory = used.ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
    result = {"error": error, "seconds": seconds, "memory_mb": memory, "cpu_seconds": used.ru_utime + used.ru_stime}
    nbformat.write(notebook, target)
    target.with_suffix(".json").write_text(json.dumps(result, ensure_ascii=False), encoding="utf-8")


def _client_class():
    """코드 셀 하나를 마칠 때마다 그다음 글이 부르는 식을 계산하는 nbclient."""
    from nbclient import NotebookClient

    class Client(NotebookClient):
        async def async_execute_cell(self, cell, cell_index, execution_count=None, store_history=True):
            done = await super().async_execute_cell(cell, cell_index, execution_count, store_history)
            if cell.cell_type == "code":
                await self._evaluate_prose(cell_index)
            return done

        async def _evaluate_prose(self, cell_index: int) -> None:
            after = self.nb.cells[cell_index + 1 :]
            prose = list(itertools.takewhile(lambda c: c.cell_type != "code", after))
            raws = sorted({e.raw for c in prose if c.cell_type == "markdown" for e in values.expressions(c.source)})
            if not raws:
                return
            call = f'__import__("book.values", fromlist=["publish"]).publish({raws!r}, globals())'
            cell, own = nbformat.v4.new_code_cell(call), self.nb.cells[cell_index]
            await super().async_execute_cell(cell, cell_index, store_history=False)
            self.nb.cells[cell_index] = own  # nbclient는 실행한 셀을 그 자리에 넣고 번호를 하나 올립니다
            self.code_cells_executed -= 1
            position = sum(c.cell_type == "code" for c in self.nb.cells[: cell_index + 1])
            answer = next(
                o["data"][values.VALUES_MIME] for o in cell.outputs if values.VALUES_MIME in o.get("data", {})
            )
            self.nb.metadata.setdefault(values.METADATA_KEY, {})[str(position)] = answer

    return Client


def _bad_value(page: Page, notebook) -> str | None:
    """계산하지 못한 본문의 식을 모아 알립니다. 없으면 None."""
    found = []
    for position, cell in values.numbered(notebook.cells):
        known = values.at(notebook, position)
        for expression in values.expressions(cell.source):
            what = known.get(expression.raw, {"error": "앞에 코드 셀이 없습니다. 먼저 보일 값이면 glue로 묶으세요"})
            if "error" in what:
                line = _line_holding(page, expression.raw, cell.metadata.get("_line", 1))
                found.append(f"{page.docname}.md:{line}: 본문의 {{eval}}`{expression.raw}`: {what['error']}.")
    return "\n".join(found) or None


def _line_holding(page: Page, raw: str, start: int) -> int:
    """``start``번째 줄부터 식 ``raw``가 적힌 첫 줄. 글 셀은 앞뒤의 빈 줄이 잘려 있어 줄을 더해서는 모릅니다."""
    lines = page.text.split("\n")
    return next((n for n in range(start, len(lines) + 1) if f"{{eval}}`{raw}`" in lines[n - 1]), start)


def _describe(page: Page, notebook, failure: Exception) -> str:
    code = [c for c in notebook.cells if c.cell_type == "code"]
    broken = next(
        ((i, c) for i, c in enumerate(code, 1) if any(o.output_type == "error" for o in c.outputs)),
        (sum(bool(c.get("execution_count")) for c in code), code[0]),
    )
    number, cell = broken
    line = cell.metadata.get("_line", 1)
    kind = type(failure).__name__
    if kind == "CellExecutionError":
        what = f"{failure.ename}: {_ANSI.sub('', failure.evalue)[:600]}"
        remedy = "셀의 코드를 고치세요. 셀 하나만 다시 보려면 `make lab`으로 그 쪽을 엽니다."
        if "네트워크" in failure.evalue:
            remedy = "노트북은 네트워크 없이 돌아야 합니다. 데이터를 생성기로 옮기세요."
        trace = next((o.traceback for o in cell.outputs if o.output_type == "error"), [])
        tail = _ANSI.sub("", "\n".join(trace)).strip().splitlines()[-12:]
        return str(_complain(page, number, line, what, remedy)) + "\n    " + "\n    ".join(tail)
    if kind == "CellTimeoutError":
        return str(_complain(page, number, line, "제한 시간을 넘겼습니다.", "표본이나 반복을 줄이세요."))
    return str(_complain(page, number, line, "커널이 죽었습니다.", "메모리를 너무 쓰지 않는지 확인하세요."))


if __name__ == "__main__":
    die_with(int(sys.argv[3]))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    fence.enter()  # 막을 수 없는 시스템이면 감사 훅(book/kernel)만 남습니다. 빌드가 어느 쪽인지 알립니다
    run_page(Path(sys.argv[1]), Path(sys.argv[2]))
