"""쪽마다 '노트북 내려받기' 단추와 꾸러미(zip)를 붙입니다. 꾸러미는 ``book.bundle``이 만듭니다.

Colab과 Binder 단추는 ``_config.yml``의 ``repository.url`` 하나로 켜지고, 비어 있으면 나오지 않습니다.
"""

import hashlib
import os
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from book.address import repository_path
from book.bundle import NOTEBOOK_BRANCH, branch_notebook, bundle
from book.execution import stored
from book.page import ROOT, PageError, read_page

# 이것이 바뀌면 원고와 실행이 그대로여도 꾸러미가 달라집니다.
_MAKERS = ("book/bundle.py", "book/learner_notebook.py", "book/myst.py")


def launch_buttons(repository: str, docname: str) -> list[dict]:
    """Colab과 Binder 단추. 저장소 주소가 비어 있으면 빈 목록입니다.

    Raises
    ------
    PageError
        주소가 ``https://github.com/이름/저장소`` 꼴이 아닐 때.
    """
    if not repository:
        return []
    path, notebook = repository_path(repository), branch_notebook(docname)
    colab = f"https://colab.research.google.com/github/{path}/blob/{NOTEBOOK_BRANCH}/{notebook}"
    binder = f"https://mybinder.org/v2/gh/{path}/{NOTEBOOK_BRANCH}?urlpath={quote(f'lab/tree/{notebook}', safe='')}"
    return [
        {"label": "Colab에서 열기", "kind": "colab", "url": colab},
        {"label": "Binder에서 열기", "kind": "binder", "url": binder},
    ]


def _add_buttons(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    source = Path(app.srcdir) / f"{pagename}.md"
    if doctree is None or app.builder.name != "html" or not source.is_file():
        return
    page = read_page(source)
    execution = stored(page) if page.is_notebook else None
    if execution is None:
        return
    target = Path(app.outdir) / "downloads" / f"{pagename}.zip"
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.write_bytes(bundle(page, execution, app.config.html_baseurl or ""))
        buttons = launch_buttons(app.config.html_theme_options.get("repository_url") or "", pagename)
    except PageError as error:
        raise ExtensionError(str(error)) from None
    url = os.path.relpath(f"downloads/{pagename}.zip", PurePosixPath(pagename).parent).replace(os.sep, "/")
    tools = context.setdefault("page_tools", [])
    tools.append({"label": "노트북 내려받기", "kind": "download", "url": url, "attributes": " download"})
    tools.extend(buttons)


def setup(app: Sphinx) -> dict:
    makers = hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in _MAKERS)).hexdigest()
    app.add_config_value("learner_notebook_makers", makers, "html", str)  # 달라지면 모든 쪽과 꾸러미를 다시 씁니다
    app.connect("html-page-context", _add_buttons, priority=450)
    return {"version": "2", "parallel_read_safe": True, "parallel_write_safe": True}
