"""바뀐 쪽의 그림과 찍은 글을 앞뒤로 나란히 놓은 changes.html을 사이트에 더합니다. 풀 리퀘스트의 미리보기에 들어갑니다.

    python -m book.commands.before_after HEAD^1

앞의 커밋을 옆 폴더에 꺼내 그 쪽만 실행합니다. 비밀 값도 네트워크도 쓰지 않으므로 포크에서 보낸 것에도 똑같이 만들어집니다.
"""

import base64
import difflib
import html
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat

from book.commands.changed_pages import changed_pages, changed_since
from book.execution import execute
from book.page import ROOT, Page, PageError, html_dir, published_pages

MOST = 8  # 앞의 판까지 실행하므로, 쪽 하나에 길게는 1분씩 더 듭니다
_STYLE = (
    "body{font-family:sans-serif;max-width:1200px;margin:2rem auto;padding:0 1rem;line-height:1.6}"
    ".pair{display:grid;grid-template-columns:1fr 1fr;gap:1rem;align-items:start;margin:1rem 0}"
    "img{max-width:100%;background:#fff}pre{overflow-x:auto;background:#f6f6f6;padding:.7rem}figure{margin:0}"
)


def pictures(notebook: nbformat.NotebookNode) -> list[str]:
    """노트북의 그림을 차례대로. HTML에 바로 넣는 ``data:`` 주소입니다."""
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data:
                found.append("data:image/png;base64," + "".join(data["image/png"]).replace("\n", ""))
            elif "image/svg+xml" in data:
                found.append(
                    "data:image/svg+xml;base64," + base64.b64encode("".join(data["image/svg+xml"]).encode()).decode()
                )
    return found


def printed(notebook: nbformat.NotebookNode) -> list[str]:
    """노트북이 찍은 글을 줄로."""
    texts = [
        output.text for cell in notebook.cells for output in cell.get("outputs", []) if output.get("name") == "stdout"
    ]
    return "".join(texts).splitlines()


def compare(page: Page, before: nbformat.NotebookNode | None, after: nbformat.NotebookNode) -> str:
    """쪽 하나의 앞뒤를 견준 HTML 조각. ``before``가 None이면 앞의 판이 없거나 실행되지 않은 것입니다."""
    title = f'<h2><a href="{html.escape(page.docname)}.html">{html.escape(page.title)}</a></h2>'
    if before is None:
        return f"{title}<p>앞의 판을 실행하지 못해 견주지 않았습니다.</p>"
    old, new = pictures(before), pictures(after)
    pairs = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        for step in range(max(b - a, d - c)):
            sides = (("앞", old, a + step, b), ("뒤", new, c + step, d))
            cells = [
                f'<figure><figcaption>{name}: {at + 1}번째 그림</figcaption><img src="{images[at]}" alt="{name}의 {at + 1}번째 그림"></figure>'
                if at < end else f"<p>{name}에는 없습니다.</p>"
                for name, images, at, end in sides
            ]  # fmt: skip
            pairs.append(f'<div class="pair">{"".join(cells)}</div>')
    lines = [
        line
        for line in difflib.unified_diff(printed(before), printed(after), lineterm="", n=1)
        if not line.startswith(("---", "+++"))
    ]
    text = f"<pre>{html.escape(chr(10).join(lines))}</pre>" if lines else "<p>찍은 글은 그대로입니다.</p>"
    return f"{title}{''.join(pairs) or '<p>그림은 그대로입니다.</p>'}{text}"


def executed_before(commit: str, docnames: list[str]) -> dict[str, nbformat.NotebookNode]:
    """앞의 커밋에서 그 쪽들을 실행한 노트북. 없던 쪽과 실행되지 않은 쪽은 빠집니다.

    Raises
    ------
    subprocess.CalledProcessError
        git이 앞의 커밋을 꺼내지 못했을 때.
    """
    found = {}
    with tempfile.TemporaryDirectory(prefix="before-") as name:
        tree, store = Path(name) / "tree", Path(name) / "store"
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", str(tree), commit], cwd=ROOT, check=True)
        try:
            env = os.environ | {"PYTHONPATH": str(tree), "BOOK_EXECUTION_DIR": str(store)}
            for docname in docnames:
                command = [sys.executable, "-m", "book.commands.build", "execute", f"{docname}.md"]
                if (tree / f"{docname}.md").is_file() and subprocess.run(
                    command, cwd=tree, env=env, check=False
                ).returncode == 0:
                    path = next(store.glob(f"{docname.replace('/', '__')}.*.ipynb"))
                    found[docname] = nbformat.read(path, as_version=4)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(tree)], cwd=ROOT, check=True)
    return found


def main(argv: list[str] | None = None) -> int:
    arguments = sys.argv[1:] if argv is None else argv
    if len(arguments) != 1:
        print("비교할 커밋 하나를 적어 주세요. 예: python -m book.commands.before_after HEAD^1", file=sys.stderr)
        return 2
    try:
        rows = changed_pages(published_pages(), changed_since(arguments[0]))
        changed = [page for page, reason in rows if page.is_notebook and reason != "새 쪽"]
        shown, left = changed[:MOST], changed[MOST:]
        before = executed_before(arguments[0], [page.docname for page in shown])
        parts = [compare(page, before.get(page.docname), execute(page).notebook()) for page in shown]
    except PageError as error:
        print(error, file=sys.stderr)
        return 1
    if left:
        parts.append(
            f"<p>바뀐 쪽이 많아 앞의 {MOST}쪽만 견주었습니다. 나머지: {html.escape(', '.join(page.docname for page in left))}</p>"
        )
    body = "".join(parts) or "<p>앞뒤를 견줄 쪽이 없습니다. 새 쪽은 사이트에서 바로 보세요.</p>"
    page = f'<!doctype html><html lang="ko"><meta charset="utf-8"><title>앞과 뒤</title><style>{_STYLE}</style><h1>앞과 뒤</h1>{body}</html>\n'
    (html_dir() / "changes.html").write_text(page, encoding="utf-8")
    print(f"{len(shown)}쪽을 앞뒤로 견주어 changes.html에 담았습니다.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
