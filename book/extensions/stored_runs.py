"""Sphinx가 보관한 실행을 바로 읽게 합니다. 두 번째 보관함은 없습니다.

myst-nb는 원고(.md)를 읽을 때 ``_config.yml``의 ``nb_custom_formats``에 적힌 ``read``를 부릅니다. 글과 셀의 메타데이터
(꼬리표, 대체 글)는 지금의 원고에서, 출력은 그 쪽의 열쇠로 보관한 실행에서 옵니다. 열쇠는 ``build.py``가
``execution_keys``로 건넵니다.

Sphinx는 원고의 수정 시각만 봅니다. 데이터가 바뀌어 실행이 달라진 쪽, 더 오래된 시각의 원고로 되돌린 쪽도 다시 읽도록,
쪽마다 열쇠와 원고의 지문을 기억해 두었다가 달라진 쪽을 알려 줍니다.
"""

import dataclasses
import hashlib

import nbformat
from myst_nb.core.read import read_myst_markdown_notebook
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError

from book import values
from book.execution import stored_run

_MERGED_METADATA = ("kernelspec", "language_info", "widgets")
_sphinx: dict[str, Sphinx] = {}  # myst-nb는 판독기에 글만 건네므로, 어느 쪽인지는 여기서 찾습니다


def read(text: str) -> nbformat.NotebookNode:
    """(myst-nb) 지금 읽는 쪽의 글과 보관한 실행을 합친 노트북.

    Parameters
    ----------
    text : str
        원고 전체.

    Raises
    ------
    ExtensionError
        보관한 실행이 없거나, 코드가 지금의 원고와 다르거나, 노트북이 아닌 쪽에 코드 셀이 있을 때.
    """
    app = _sphinx["app"]
    docname, config = app.env.docname, app.env.myst_config
    # 셀로 나눌 때는 문장 안을 읽지 않는데, tasklist는 그것을 기다리다 멈춥니다. 셀의 글을 읽을 때는 다시 켜집니다.
    config = dataclasses.replace(config, enable_extensions=set(config.enable_extensions) - {"tasklist"})
    notebook = read_myst_markdown_notebook(text, config, add_source_map=True, path=f"{docname}.md")
    notebook.metadata["source_map"] = _lines(text, notebook)
    key = app.config.execution_keys.get(docname)
    if key is not None:
        done = stored_run(docname, key)
        if done is None:
            raise ExtensionError(f"{docname}.md: 보관한 실행이 없습니다. `make book`을 다시 돌리세요.")
        put_outputs(notebook, done.notebook(), docname)
    for cell, line in zip(notebook.cells, notebook.metadata["source_map"], strict=True):
        if cell.cell_type == "code" and key is None:
            raise ExtensionError(
                f"{docname}.md:{line + 1}: 노트북이 아닌 쪽에 코드 셀이 있습니다.\n"
                "  → 머리말에 jupytext와 kernelspec을 적거나, 실행하지 않을 코드는 ```python으로 적으세요."
            )
    return notebook


def put_outputs(notebook: nbformat.NotebookNode, executed: nbformat.NotebookNode, docname: str) -> None:
    """실행된 노트북의 출력과 본문의 값을 원고의 노트북에 옮깁니다(``notebook``을 고칩니다).

    Raises
    ------
    ExtensionError
        두 노트북의 코드가 다를 때.
    """
    cells, ran = ([c for c in book.cells if c.cell_type == "code"] for book in (notebook, executed))
    if [c.source for c in cells] != [c.source for c in ran]:
        raise ExtensionError(f"{docname}.md: 원고의 코드와 보관한 실행의 코드가 다릅니다. `make book`을 다시 돌리세요.")
    for cell, done in zip(cells, ran, strict=True):
        cell.outputs, cell.execution_count = done.outputs, done.execution_count
    values.substitute_cells(notebook.cells, executed)
    notebook.metadata |= {name: executed.metadata[name] for name in _MERGED_METADATA if name in executed.metadata}


def _lines(text: str, notebook: nbformat.NotebookNode) -> list[int]:
    """셀마다 첫 줄의 번호(0부터)에서 1을 뺀 것. 경고의 줄 번호가 편집기의 줄과 같아집니다.

    myst-nb는 이 값에 2를 더해 알리고(myst-parser가 한 번 더 더합니다), 글 셀에서는 앞의 빈 줄을 지우고도 세지 않습니다.
    """
    lines = text.splitlines()
    starts = []
    for cell, start in zip(notebook.cells, notebook.metadata["source_map"], strict=True):
        while cell.cell_type == "markdown" and not lines[start]:
            start += 1
        starts.append(start - 1)
    return starts


def _digests(app: Sphinx, env: BuildEnvironment) -> dict[str, tuple[str | None, str]]:
    keys = app.config.execution_keys
    return {
        name: (keys.get(name), hashlib.sha256((app.srcdir / f"{name}.md").read_bytes()).hexdigest())
        for name in env.found_docs
        if (app.srcdir / f"{name}.md").is_file()
    }


def outdated(app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
    before, now = getattr(env, "stored_runs", {}), _digests(app, env)
    env.stored_runs = now
    return [name for name in env.found_docs if before.get(name) != now.get(name)]


def setup(app: Sphinx) -> dict:
    _sphinx["app"] = app
    # "" 로 다시 만들게 하지 않습니다: 무엇을 다시 읽을지는 쪽마다의 열쇠가 정합니다.
    app.add_config_value("execution_keys", {}, "", dict)
    app.connect("env-get-outdated", outdated)
    return {"version": "2", "parallel_read_safe": True, "parallel_write_safe": True}
