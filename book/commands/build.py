"""책을 만듭니다: 쪽 실행(두 개씩) → 사이트, 슬라이드, 내려받기, 검색.

python -m book.commands.build book                 # 모두
python -m book.commands.build execute 쪽.md …       # 그 쪽만 실행(결과는 보관)
python -m book.commands.build status                # 쪽마다 시간과 메모리
"""

from book.stopping import stop_cleanly, sweep

if __name__ == "__main__":  # 무거운 꾸러미를 부르는 동안에도 곧 멈춥니다
    stop_cleanly("멈췄습니다. 끝난 쪽은 보관했으므로 `make book`을 다시 하면 이어서 합니다.")

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

from book import address, fence
from book.execution import (
    HARD_FACTOR,
    MEMORY_BUDGET_MB,
    SECONDS_BUDGET,
    Execution,
    execute,
    execute_all,
    prune,
    stored,
)
from book.files import PARTIAL, explain, storage_error, write_atomically
from book.page import ROOT, Page, PageError, build_dir, html_dir, published_pages, read_page

_MADE = ("html", "doctrees", "jupyter_execute")  # Sphinx가 쓰는 폴더. jupyter_execute는 myst-nb가 그림을 두는 곳입니다


@contextlib.contextmanager
def _only_one_build() -> Iterator[None]:
    """같은 빌드 폴더에서 빌드가 겹치지 않게 기다립니다. 프로세스가 죽으면 잠금도 풀립니다."""
    build_dir().mkdir(parents=True, exist_ok=True)
    with (build_dir() / ".lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            print(
                f"다른 빌드(프로세스 {lock.read().strip() or '?'})가 {_shown(build_dir())}에 짓고 있습니다. 끝나기를 기다립니다.",
                flush=True,
            )
            fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        lock.truncate()
        lock.write(str(os.getpid()))
        lock.flush()
        for path in build_dir().glob(f"{PARTIAL}*"):  # 죽은 빌드가 쓰다 만 것
            path.unlink(missing_ok=True)
        yield


def _structure_digest(pages: list[Page]) -> str:
    """다른 쪽의 모습까지 바꾸는 것들: 설정, 차례, 확장, 제목, 머리말."""
    h = hashlib.sha256(address.site().encode())
    names = ("_config.yml", "_toc.yml", "requirements.lock", "CITATION.cff")
    files = [ROOT / name for name in names if (ROOT / name).is_file()]
    makers = (
        p
        for p in (ROOT / "book").rglob("*")
        if p.is_file() and p.suffix != ".mo" and not {"__pycache__", "commands", "checks"} & set(p.parts)
    )
    files += sorted(makers)
    files += sorted(p for p in (ROOT / "assets").rglob("*") if p.is_file())
    for path in files:
        h.update(f"{path.relative_to(ROOT)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\0".encode())
    for page in pages:
        h.update(json.dumps([page.docname, page.title, page.meta], ensure_ascii=False, default=str).encode())
    return h.hexdigest()


def book() -> int:
    """책 전체를 만듭니다. 성공하면 0, 아니면 1을 돌려줍니다. 중간에 멈췄다 다시 해도 같은 사이트가 됩니다."""
    started = time.perf_counter()
    os.chdir(ROOT)
    sweep()
    pages = published_pages()
    with _only_one_build():
        print(f"쪽 {len(pages)}개. 노트북을 두 개씩 실행합니다.")
        print(fence.describe())
        executions = execute_all(pages)
        executed_at = time.perf_counter()
        prune(executions)
        print("사이트를 짓습니다.", flush=True)
        code = _site(pages, executions)
        if code:
            return code
        _write_report(executions, executed_at - started, time.perf_counter() - executed_at)
    slow = [e for e in executions.values() if e.seconds > SECONDS_BUDGET or e.memory_mb > MEMORY_BUDGET_MB]
    for done in slow:
        print(
            f"예산 초과(주의): {done.docname} {done.seconds:.0f}초, {done.memory_mb:.0f}MB. {HARD_FACTOR}배부터 실패합니다."
        )
    print(f"완성: {_shown(html_dir() / 'index.html')}  (전체 {time.perf_counter() - started:.1f}초)")
    return 0


def _shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)


def _made_files() -> dict[str, str]:
    """Sphinx가 쓴 파일마다의 지문. 900개 77MB에 CPU 0.2초입니다."""
    files = (path for name in _MADE for path in (build_dir() / name).rglob("*") if path.is_file())
    return {p.relative_to(build_dir()).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(files)}


def _whole(structure: str) -> bool:
    """지난 빌드가 끝까지 갔고, 뼈대가 그대로이며, 그 파일이 하나도 바뀌거나 빠지지 않았으면 참."""
    try:
        last = json.loads((build_dir() / "site.json").read_text(encoding="utf-8"))
        return last["structure"] == structure and last["files"] == _made_files()
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return False


def _site(pages: list[Page], executions: dict[str, Execution]) -> int:
    """실행 결과로 사이트를 만듭니다.

    ``site.json``은 다 지은 사이트의 목록이고, 짓는 동안에는 없습니다. 그것이 없거나(중간에 멈춤), 파일과 어긋나거나
    (전기가 나가 빈 파일이 남음), 뼈대가 바뀌었으면 처음부터 다시 씁니다.
    """
    import matplotlib

    matplotlib.use("Agg")
    from book.links import broken_links

    structure = _structure_digest(pages)
    whole = _whole(structure)
    (build_dir() / "site.json").unlink(missing_ok=True)
    for name in () if whole else _MADE:
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(build_dir() / name)
    said = Said()
    result = run_sphinx({name: done.key for name, done in sorted(executions.items())}, said)
    if result:
        if error := storage_error(said.text):
            raise error
        print(
            "사이트를 만들지 못했습니다. 위 경고가 가리키는 쪽과 줄을 고치세요. 경고도 실패로 칩니다.", file=sys.stderr
        )
        return 1
    if broken := broken_links(html_dir(), address.root()):
        print("\n".join(broken), file=sys.stderr)
        print(f"끊어진 안쪽 링크가 {len(broken)}개입니다. 파일 이름과 앵커를 고치세요.", file=sys.stderr)
        return 1
    write_atomically(build_dir() / "site.json", json.dumps({"structure": structure, "files": _made_files()}))
    return 0


class Said:
    """Sphinx의 경고를 그대로 내보내면서 기억해 둡니다. 디스크가 찬 것을 쪽의 잘못으로 알리지 않으려는 것입니다."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()

    def isatty(self) -> bool:
        return sys.stderr.isatty()


def run_sphinx(
    keys: dict[str, str], said: Said, builder: str = "html", out: Path | None = None, changes: dict | None = None
) -> int:
    """설정을 읽어 Sphinx를 한 번 돌립니다. 경고가 있으면 0이 아닙니다.

    Parameters
    ----------
    keys : dict of str to str
        노트북인 쪽 → 보관한 실행의 열쇠.
    builder, out : str, Path
        Sphinx의 만드는 법과 결과의 폴더. 비우면 사이트입니다.
    changes : dict, optional
        설정에서 바꿀 것. 값이 None이면 뺍니다.

    Raises
    ------
    OSError
        쓰지 못했을 때.
    """
    from jupyter_book.config import get_final_config
    from sphinx.application import Sphinx
    from sphinx.cmd.build import handle_exception
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    config, _ = get_final_config(
        user_yaml=ROOT / "_config.yml",
        sourcedir=ROOT,
        cli_config={"latex_individualpages": False, "execution_keys": keys},
    )
    if address.site():
        config["html_baseurl"] = address.site()
    out, app = out or html_dir(), None
    config = {name: value for name, value in (config | (changes or {})).items() if value is not None}
    try:
        with patch_docutils(None), docutils_namespace():
            app = Sphinx(
                srcdir=ROOT, confdir=None, outdir=out, doctreedir=out.parent / "doctrees", buildername=builder,
                confoverrides=config, status=None, warning=said, warningiserror=True, keep_going=True,
            )  # fmt: skip
            app.build()
            return app.statuscode
    except Exception as error:
        cause = error.__cause__ or error  # Sphinx는 확장이 낸 오류를 싸서 다시 냅니다
        if isinstance(cause, OSError) and storage_error(str(cause)):
            raise cause from None
        # 확장이나 지시자의 잘못입니다. Sphinx가 하듯 요점만 찍습니다
        handle_exception(app, SimpleNamespace(pdb=False, verbosity=0, traceback=False), error, said)
        return 2


def _write_report(executions: dict[str, Execution], execution_seconds: float, site_seconds: float) -> None:
    report = {
        "execution_seconds": round(execution_seconds, 1),
        "site_seconds": round(site_seconds, 1),
        "pages": {
            name: {"seconds": e.seconds, "memory_mb": e.memory_mb, "cached": e.cached, "notebook": e.path.name}
            for name, e in sorted(executions.items())
        },
    }
    write_atomically(build_dir() / "report.json", json.dumps(report, ensure_ascii=False, indent=1))


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="책을 만듭니다.")
    parser.add_argument("action", choices=["book", "execute", "status"])
    parser.add_argument("pages", nargs="*")
    parser.add_argument("--force", action="store_true", help="보관한 결과가 있어도 다시 실행")
    args = parser.parse_args(argv)
    try:
        if args.action == "book":
            return book()
        if args.action == "execute":
            if not args.pages:
                raise PageError(
                    "실행할 쪽을 적어 주세요. 예: python -m book.commands.build execute chapters/week00_orientation.md"
                )
            for name in args.pages:
                done = execute(read_page(Path(name).resolve() if Path(name).is_absolute() else ROOT / name), args.force)
                print(f"{done.docname}: {done.seconds:.1f}초, {done.memory_mb:.0f}MB{' (보관)' if done.cached else ''}")
                print(f"  {_shown(done.path)}")
            return 0
        for page in published_pages():
            if page.is_notebook:
                done = stored(page)
                print(f"{page.docname:48} " + (f"{done.seconds:6.1f}초 {done.memory_mb:6.0f}MB" if done else "실행 전"))
        return 0
    except PageError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(explain(error), file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
