"""쪽을 **다른 자료**로 한 번 더 실행해, 자료에서 왔다면 움직였을 것이 움직였는지 봅니다.

    make redraw                                   # 바뀐 쪽의 기록을 다시 만듭니다(둘씩 나란히). 수와 두 번째 실행의 기록도 고칩니다
    python -m book.redraw 쪽.md …                  # 그 쪽만

생성기의 기본값은 그대로 두고 씨앗만 옮깁니다. 쪽이 뿌리는 씨앗도 함께 옮깁니다. 한 쪽에 실행 한 번이 더 들므로, 견준 결과를
``benchmarks/redraw/``에 쪽의 열쇠와 함께 둡니다. 열쇠(코드, 본문의 식, 생성기, 카드)가 같으면 그 기록을 읽고, 다르면 그 자리에서
실행합니다. 그래서 고친 쪽만 시간을 씁니다. 무엇이 문제인지는 ``book/checks/redrawn.py``가 가립니다.
"""

import os

from book import fence
from book.yaml_text import read_yaml

if __name__ == "__main__" and "REDRAW_SHIFT" in os.environ:  # 꾸러미들이 스레드를 만들기 전이어야 합니다
    fence.enter()

import argparse
import ast
import json
import signal
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import yaml

from book import numbers, second_run, values
from book.execution import (
    Execution,
    cards,
    digest,
    execute,
    file_digest,
    last_seconds,
    run_fenced,
    run_page,
    to_notebook,
    used_datasets,
)
from book.files import write_atomically
from book.page import ROOT, Page, PageError, build_dir, published_pages, read_page
from book.stopping import die_with, end_children, stop_cleanly
from causal_practice.answers import ANSWER_MIME
from causal_practice.claims import CLAIM_MIME, VALIDATION_MIME

SHIFT = 977  # 씨앗 옆에 덧붙이는 수
FORM = "2"  # 기록의 꼴. 꼴을 바꾸면 올립니다
RECORDS = ROOT / "benchmarks" / "redraw"
_KERNEL = ROOT / "book" / "redraw_kernel"
GLUE = "application/papermill.record/text/plain"


def redraw_key(page: Page) -> str:
    """기록의 열쇠: 코드 셀, 본문의 식, 데이터(생성기, 카드의 정답과 역할), 머리말이 기대는 파일. 패키지와 파이썬의 판은 넣지 않습니다."""
    notebook = to_notebook(page)
    prose = [
        [at, sorted({e.raw for e in values.expressions(cell.source)})] for at, cell in values.numbered(notebook.cells)
    ]
    parts = [FORM, str(SHIFT), *(c.source for c in notebook.cells if c.cell_type == "code")]
    parts.append(json.dumps([item for item in prose if item[1]], ensure_ascii=False))
    for name in sorted(used_datasets(page)):
        parts += [name, file_digest(ROOT / "data" / "generators" / f"{name}.py")]
        card = cards().get(name) or {}
        roles = {column: info.get("role") for column, info in (card.get("columns") or {}).items()}
        parts.append(json.dumps([card.get("truth"), roles], sort_keys=True, ensure_ascii=False, default=str))
    for extra in sorted(page.meta.get("depends") or []):
        parts += [extra, file_digest(ROOT / extra)]
    return digest(*parts)[:20]


def record_path(docname: str) -> Path:
    """쪽의 기록이 놓인 자리."""
    return RECORDS / f"{docname.replace('/', '__')}.yml"


def recorded(page: Page) -> dict | None:
    """지금 쪽의 기록. 없거나 열쇠가 다르면(쪽이 바뀌었으면) None."""
    path = record_path(page.docname)
    found = read_yaml(path.read_text(encoding="utf-8")) if path.is_file() else None
    return found if isinstance(found, dict) and found.get("key") == redraw_key(page) else None


def compared(page: Page, execution: Execution) -> dict:
    """다른 자료에서 움직이지 않은 것. 기록이 지금 쪽의 것이면 그것을, 아니면 실행해서 견줍니다.

    Parameters
    ----------
    execution : Execution
        같은 쪽의 사이트 실행.

    Returns
    -------
    dict
        ``compare``가 돌려주는 것에 열쇠(key)를 더한 것.

    Raises
    ------
    ExecutionFailed, OSError, Stopped
        다시 실행하지 못했을 때(``book.execution.execute``와 같습니다).
    """
    return recorded(page) or run_live(page, execution)


def run_live(page: Page, execution: Execution) -> dict:
    """기록을 보지 않고 그 자리에서 다시 실행해 견줍니다. 같은 열쇠로 한 번 했으면 그 결과를 씁니다."""
    key = redraw_key(page)
    kept = build_dir() / "redraw" / f"{page.docname.replace('/', '__')}.{key}.json"
    if kept.is_file():
        return json.loads(kept.read_text(encoding="utf-8"))
    environment = {
        "PYTHONPATH": os.pathsep.join([str(_KERNEL), str(ROOT / "book" / "kernel"), str(ROOT)]),
        "REDRAW_SHIFT": str(SHIFT),
        "CAUSAL_PRACTICE_DATA": "{folder}/data",
        "FIGURE_TEXTS": "{folder}/out.figures",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    }
    again, result = run_fenced(page, "book.redraw", environment)
    found = {"key": key} | compare(execution.notebook(), again) | {"figures": again.metadata.get("figures", [])}
    found["seconds"] = round(result["seconds"], 1)
    text = json.dumps(found, ensure_ascii=False)
    write_atomically(kept, text)
    return json.loads(text)


# ── 견주기 ──


def compare(site, again) -> dict:
    """두 실행에서 같은 것과 부호가 바뀐 것.

    Parameters
    ----------
    site, again : NotebookNode
        사이트의 실행과 다른 자료의 실행.

    Returns
    -------
    dict
        still(본문의 식), turned(부호가 바뀐 식), glue, claims, validations(움직이지 않은 칸),
        errors([셀의 번호, 오류]), wrong(맞지 않게 된 자기 점검).
    """
    before, after = _code(site), _code(again)
    still, turned = _prose(site, again)
    glue = [_published(cells, GLUE, by_name=True) for cells in (before, after)]
    claims = [_published(cells, CLAIM_MIME) for cells in (before, after)]
    checks = [_published(cells, VALIDATION_MIME) for cells in (before, after)]
    answers = _published(after, ANSWER_MIME)
    return {
        "still": still,
        "turned": turned,
        "glue": sorted(name for name in glue[0].keys() & glue[1].keys() if glue[0][name] == glue[1][name]),
        "claims": _fields(*claims, ("estimate", "low", "high", "naive")),
        "validations": _fields(*checks, ("bias", "coverage")),
        "errors": [
            [number, f"{o.ename}: {o.evalue}"[:200]]
            for number, cell in enumerate(after, 1)
            for o in cell.outputs
            if o.output_type == "error"
        ],
        "wrong": sorted(label for label, answer in answers.items() if answer["status"] != "right"),
    }


def _code(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _prose(site, again) -> tuple[list, list]:
    """[자리, 식]의 목록 둘: 값이 그대로인 것, 부호가 바뀐 것."""
    still, turned = [], []
    for position, known in sorted(
        (site.metadata.get(values.METADATA_KEY) or {}).items(), key=lambda item: int(item[0])
    ):
        new = (again.metadata.get(values.METADATA_KEY) or {}).get(position, {})
        for raw in sorted(known):
            one, two = known[raw].get("value"), new.get(raw, {}).get("value")
            if two is None:
                continue
            if one == two:
                still.append([int(position), raw])
            elif not isinstance(one, str) and not isinstance(two, str) and one * two < 0:
                turned.append([int(position), raw])
    return still, turned


def _published(cells: list, mime: str, by_name: bool = False) -> dict:
    """기록의 이름 → 내용."""
    found = {}
    for cell in cells:
        for output in cell.outputs:
            content = output.get("data", {}).get(mime)
            if content is None:
                continue
            if by_name:
                text = "".join(content)
                found[output["metadata"]["scrapbook"]["name"]] = ast.literal_eval(text)
            else:
                found[content.get("name") or content.get("label")] = content
    return found


def _fields(before: dict, after: dict, fields: tuple[str, ...]) -> dict[str, list[str]]:
    """기록의 이름 → 움직이지 않은 칸. 모두 움직인 기록은 뺍니다."""
    same = {
        name: [field for field in fields if before[name][field] == after[name][field]]
        for name in sorted(before.keys() & after.keys())
    }
    return {name: fields for name, fields in same.items() if fields}


# ── 다시 실행하기 ──


def write_data(page: Page, folder: Path) -> None:
    """(자식) ``data/``를 본뜬 폴더. 쪽이 쓰는 데이터만 옮긴 씨앗으로 새로 뽑습니다(난수 발생기는 커널의 것과 같습니다)."""
    from book.catalog import regenerate

    folder.mkdir()
    drawn = {f"{name}.csv" for name in used_datasets(page)}
    for path in (ROOT / "data").iterdir():
        if path.name not in drawn:
            (folder / path.name).symlink_to(path)
    for name in sorted(used_datasets(page)):
        (folder / f"{name}.csv").write_bytes(regenerate(name))


def redraw_all(pages: list[Page], workers: int = 2, report=print) -> list[str]:
    """기록이 낡은 쪽을 ``workers``개씩 다시 실행해 기록을 씁니다. 실패한 쪽의 메시지를 돌려줍니다."""
    stale = [page for page in pages if page.is_notebook and recorded(page) is None]
    stale.sort(key=lambda page: -last_seconds(page.docname))
    report(f"쪽 {sum(p.is_notebook for p in pages)}개 가운데 {len(stale)}개의 기록이 낡았습니다.")
    failures, pool = [], ThreadPoolExecutor(workers)
    try:
        futures = {pool.submit(_record, page): page for page in stale}
        for future in as_completed(futures):
            page = futures[future]
            try:
                report(f"  실행  {page.docname}  {future.result():.1f}초")
            except PageError as error:
                failures.append(str(error))
                report(f"  실패  {page.docname}")
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        end_children()
        raise
    pool.shutdown()
    return failures


def _record(page: Page) -> float:
    found = run_live(page, execute(page))
    seconds = found.pop("seconds")
    head = (
        f"# 다른 자료로 다시 실행해 견준 기록입니다. 손으로 고치지 말고 `make redraw`로 만드세요.\n# {page.docname}\n"
    )
    body = yaml.safe_dump(found, allow_unicode=True, sort_keys=False, width=10_000, default_flow_style=None)
    write_atomically(record_path(page.docname), head + body)
    return seconds


def main(argv: list[str] | None = None) -> int:
    """하나라도 실행하지 못하면 1을 돌려줍니다."""
    parser = argparse.ArgumentParser(prog="python -m book.redraw", description="쪽을 다른 자료로 다시 실행합니다.")
    parser.add_argument("files", nargs="*", help="쪽(.md). 비우면 차례에 실린 모든 쪽")
    parser.add_argument("--workers", type=int, default=2, help="나란히 실행할 쪽의 수")
    args = parser.parse_args(argv)
    pages = [read_page(ROOT / name) for name in args.files] or published_pages()
    failures = redraw_all(pages, args.workers)
    if not failures:
        moved = [p.docname for p in pages if p.is_notebook and numbers.renew(p, execute(p))]
        print(f"수의 기록을 고친 쪽: {', '.join(moved) or '없음'}")
        failures += second_run.remember([p for p in pages if p.is_notebook], execute)
    if not args.files:  # 차례에서 빠진 쪽의 기록을 지웁니다
        for folder, place in ((RECORDS, record_path), (numbers.RECORDS, numbers.record_path)):
            for path in set(folder.glob("*.yml")) - {place(p.docname) for p in pages}:
                path.unlink()
    print(
        "\n\n".join(failures)
        if failures
        else "기록이 모두 지금 쪽의 것입니다. `git diff benchmarks`로 바뀐 것을 보세요."
    )
    return 1 if failures else 0


def _child(source: str, target: str, parent: str) -> None:
    """(자식 프로세스) 새 자료를 만들고 그것으로 쪽을 끝까지 실행합니다."""
    import nbformat

    die_with(int(parent))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    write_data(read_page(source), Path(os.environ["CAUSAL_PRACTICE_DATA"]))
    run_page(Path(source), Path(target), to_the_end=True)
    log = Path(os.environ["FIGURE_TEXTS"])
    notebook = nbformat.read(target, as_version=4)
    lines = log.read_text(encoding="utf-8").splitlines() if log.is_file() else []
    notebook.metadata["figures"] = [json.loads(line) for line in dict.fromkeys(lines)]
    nbformat.write(notebook, target)


if __name__ == "__main__":
    if "REDRAW_SHIFT" in os.environ:
        _child(*sys.argv[1:])
    else:
        stop_cleanly("멈췄습니다. 끝난 쪽은 보관했으므로 `make redraw`를 다시 하면 이어서 합니다.")
        sys.exit(main())
