"""책을 만듭니다: 쪽 실행(두 개씩) → 사이트, 슬라이드, 내려받기, 검색.

    python -m book.commands.build book                 # 모두
    python -m book.commands.build execute 쪽.md …       # 그 쪽만 실행(결과는 보관)
    python -m book.commands.build status                # 쪽마다 시간과 메모리
"""

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import sys
import time
from pathlib import Path

from book.execution import (
    HARD_FACTOR,
    MEMORY_BUDGET_MB,
    SECONDS_BUDGET,
    Execution,
    execute,
    execute_all,
    execution_dir,
    prune,
    stored,
    to_notebook,
)
from book.page import ROOT, Page, PageError, build_dir, html_dir, published_pages, read_page


@contextlib.contextmanager
def _only_one_build():
    """같은 빌드 폴더에서 빌드가 겹치지 않게 기다립니다. 프로세스가 죽으면 잠금도 풀립니다."""
    build_dir().mkdir(parents=True, exist_ok=True)
    with (build_dir() / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _structure_digest(pages: list[Page]) -> str:
    """다른 쪽의 모습까지 바꾸는 것들: 설정, 차례, 확장, 제목, 머리말."""
    h = hashlib.sha256()
    files = [ROOT / "_config.yml", ROOT / "_toc.yml", ROOT / "requirements.lock"]
    files += sorted(p for p in (ROOT / "book" / "extensions").rglob("*") if p.is_file() and "__pycache__" not in p.parts and p.suffix != ".mo")
    files += sorted(p for p in (ROOT / "assets").rglob("*") if p.is_file())
    for path in files:
        h.update(f"{path.relative_to(ROOT)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\0".encode())
    for page in pages:
        h.update(json.dumps([page.docname, page.title, page.meta], ensure_ascii=False, default=str).encode())
    return h.hexdigest()


def _fill_jupyter_cache(pages: list[Page], executions: dict[str, Execution], folder: Path) -> None:
    """사이트 빌드가 읽는 jupyter-cache를 실행 결과로 채웁니다. 열쇠가 바뀐 쪽은 갈아 끼웁니다.

    jupyter-cache는 셀의 메타데이터(대체 글, 태그)까지 견주어 찾습니다. 메타데이터만 바뀐 쪽은 다시 실행할 까닭이 없으므로
    보관한 실행에 지금의 메타데이터를 입혀 넣습니다.
    """
    import nbformat
    from jupyter_cache import get_cache
    from jupyter_cache.base import CacheBundleIn

    cache = get_cache(folder)
    have = {record.uri: record for record in cache.list_cache_records()}
    current = {page.docname: page for page in pages}
    for docname, done in executions.items():
        record = have.pop(docname, None)
        cells = [dict(c.metadata) for c in to_notebook(current[docname]).cells if c.cell_type == "code"]
        dress = hashlib.sha256(json.dumps(cells, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:12]
        if record is not None and record.data.get("key") == done.key and record.data.get("dress") == dress:
            continue
        if record is not None:
            cache.remove_cache(record.pk)
        notebook = nbformat.read(done.path, as_version=4)
        for cell, metadata in zip((c for c in notebook.cells if c.cell_type == "code"), cells, strict=True):
            cell.metadata = nbformat.from_dict(metadata)
        bundle = CacheBundleIn(notebook, docname, data={"execution_seconds": done.seconds, "key": done.key, "dress": dress})
        cache.cache_notebook_bundle(bundle, check_validity=True, overwrite=True)
    for record in have.values():
        with contextlib.suppress(KeyError):  # 코드가 같은 두 쪽은 기록 하나를 함께 씁니다
            cache.remove_cache(record.pk)


def book() -> int:
    """책 전체를 만듭니다. 성공하면 0, 아니면 1을 돌려줍니다. 중간에 멈췄다 다시 해도 같은 사이트가 됩니다."""
    started = time.perf_counter()
    os.chdir(ROOT)
    pages = published_pages()
    with _only_one_build():
        print(f"쪽 {len(pages)}개. 노트북을 두 개씩 실행합니다.")
        executions = execute_all(pages)
        executed_at = time.perf_counter()
        prune(executions)
        code = _site(pages, executions)
        if code:
            return code
        _write_report(executions, executed_at - started, time.perf_counter() - executed_at)
    slow = [e for e in executions.values() if e.seconds > SECONDS_BUDGET or e.memory_mb > MEMORY_BUDGET_MB]
    for done in slow:
        print(f"예산 초과(주의): {done.docname} {done.seconds:.0f}초, {done.memory_mb:.0f}MB. {HARD_FACTOR}배부터 실패합니다.")
    print(f"완성: {_shown(html_dir() / 'index.html')}  (전체 {time.perf_counter() - started:.1f}초)")
    return 0


def _shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)


def _site(pages: list[Page], executions: dict[str, Execution]) -> int:
    """실행 결과로 사이트를 만듭니다. 앞 빌드가 끝나지 못했거나 뼈대가 바뀌었으면 처음부터 다시 씁니다."""
    import matplotlib

    matplotlib.use("Agg")
    from jupyter_book.sphinx import build_sphinx

    from book.links import broken_links

    html, doctrees = html_dir(), build_dir() / "doctrees"
    marker, structure_file = build_dir() / ".incomplete", build_dir() / "structure"
    structure = _structure_digest(pages)
    if marker.exists() or not structure_file.exists() or structure_file.read_text() != structure:
        shutil.rmtree(html, ignore_errors=True)
        shutil.rmtree(doctrees, ignore_errors=True)
    marker.write_text("이 표시가 남아 있으면 지난 빌드가 끝나지 못한 것이며, 다음 빌드가 처음부터 다시 씁니다.\n")
    _fill_jupyter_cache(pages, executions, build_dir() / "jcache")
    keys = build_dir() / "execution_keys.json"
    keys.write_text(json.dumps({name: done.key for name, done in sorted(executions.items())}))
    sys.path.insert(0, str(ROOT))
    result = build_sphinx(
        ROOT, html, noconfig=True, path_config=ROOT / "_config.yml", doctreedir=doctrees, warningiserror=True, keep_going=True, quiet=True,
        confoverrides={"latex_individualpages": False, "nb_execution_cache_path": str(build_dir() / "jcache"), "execution_keys_file": str(keys)},
    )  # fmt: skip
    if result:
        print("사이트를 만들지 못했습니다. 위 경고가 가리키는 쪽과 줄을 고치세요. 경고도 실패로 칩니다.", file=sys.stderr)
        return 1
    if broken := broken_links(html):
        print("\n".join(broken), file=sys.stderr)
        print(f"끊어진 안쪽 링크가 {len(broken)}개입니다. 파일 이름과 앵커를 고치세요.", file=sys.stderr)
        return 1
    structure_file.write_text(structure)
    marker.unlink()
    return 0


def _write_report(executions: dict[str, Execution], execution_seconds: float, site_seconds: float) -> None:
    report = {
        "execution_seconds": round(execution_seconds, 1),
        "site_seconds": round(site_seconds, 1),
        "pages": {
            name: {"seconds": e.seconds, "memory_mb": e.memory_mb, "cached": e.cached, "notebook": e.path.name}
            for name, e in sorted(executions.items())
        },
    }
    (build_dir() / "report.json").write_text(json.dumps(report, ensure_ascii=False, indent=1))


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
                raise PageError("실행할 쪽을 적어 주세요. 예: python -m book.commands.build execute chapters/week00_orientation.md")
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


if __name__ == "__main__":
    sys.exit(main())
