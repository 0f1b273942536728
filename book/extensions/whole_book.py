"""첫 화면에서 책 한 권의 PDF와 EPUB을 내려받게 합니다. 지금의 쪽에서 나온 파일이 있을 때만 링크가 있습니다.

파일은 `make pdf`와 `make epub`이 만듭니다(``book.whole_book``). 여기서는 사이트로 옮겨 싣기만 합니다.
"""

import shutil
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from book.whole_book import LABELS, file_of, offered


def _offer(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    if app.builder.name != "html" or pagename != app.config.root_doc:
        return
    files = offered(app.config.execution_keys)
    for kind in LABELS:
        copy = Path(app.outdir) / "downloads" / file_of(kind).name
        if kind not in files:
            copy.unlink(missing_ok=True)
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(files[kind], copy)
        label = f"{LABELS[kind]} ({copy.stat().st_size / 2**20:.0f}MB)"
        tool = {"label": label, "url": f"downloads/{copy.name}", "kind": kind, "attributes": " download"}
        context.setdefault("page_tools", []).append(tool)


def _changed(app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
    """묶은 파일이 생기거나 바뀌거나 낡으면 첫 화면을 다시 씁니다."""
    now = {kind: path.stat().st_mtime_ns for kind, path in offered(app.config.execution_keys).items()}
    before = getattr(env, "whole_book", None)
    env.whole_book = now
    return [] if before == now else [app.config.root_doc]


def setup(app: Sphinx) -> dict:
    app.connect("env-get-outdated", _changed)
    app.connect("html-page-context", _offer, priority=460)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
