"""원고를 주피터랩에서 열어 고치면 고친 것만 바뀝니다: 모든 쪽을 열고, 돌리고, 고치고, 저장합니다."""

import difflib
import shutil

import jupytext
import nbformat
import pytest

from book.page import ROOT, published_pages
from book.page_editing import FORMAT, PageContents, spliced

PAGES = [page for page in published_pages() if page.is_notebook]


def opened(text: str):
    """주피터랩이 건네는 꼴의 노트북: JSON을 거치고, 실행했고, 편집기의 정보가 붙었습니다."""
    notebook = nbformat.reads(nbformat.writes(jupytext.reads(text, fmt=FORMAT)), as_version=4)
    for cell in notebook.cells:
        cell.metadata["trusted"] = True
        if cell.cell_type == "code":
            cell.execution_count = 3
            cell.outputs = [nbformat.v4.new_output("stream", text="찍힌 값\n")]
            cell.metadata["execution"] = {"iopub.status.busy": "2026-11-30T00:00:00Z"}
    return notebook


def changed(before: str, after: str) -> list[str]:
    one, two, rows = before.split("\n"), after.split("\n"), []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, one, two, autojunk=False).get_opcodes():
        if kind != "equal":
            rows += [f"-{row}" for row in one[a:b]] + [f"+{row}" for row in two[c:d]]
    return rows


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.docname)
def test_every_page_comes_back_as_it_was_and_shows_only_the_edit(page):
    assert spliced(page.text, opened(page.text)) == page.text
    notebook = opened(page.text)
    for kind in ("markdown", "code"):
        cells = [cell for cell in notebook.cells if cell.cell_type == kind]
        for cell in (cells[0], cells[len(cells) // 2], cells[-1]):
            cell.source += "\n# 고친 줄"
    assert changed(page.text, spliced(page.text, notebook)) == ["+# 고친 줄"] * 6


TEXT = """---
jupytext:
  text_representation: {extension: .md, format_name: myst}
kernelspec: {display_name: Python 3, language: python, name: python3}
kind: case  # 주석
---

# 제목

글입니다.

```{code-cell} ipython3
:tags: [hide-input]
a = 1
```

```{code-cell} ipython3
---
tags: [slide]
mystnb: {image: {alt: "그림"}}
---
b = 2

c = 3
```

끝입니다.
"""


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def edit(change) -> list[str]:
    notebook = opened(TEXT)
    change(notebook)
    after = spliced(TEXT, notebook)
    assert [(c.cell_type, c.source) for c in jupytext.reads(after, fmt=FORMAT).cells] == [
        (c.cell_type, c.source) for c in notebook.cells
    ], after
    return changed(TEXT, after)


def test_a_line_of_code_and_its_tags_stay_apart():
    assert edit(lambda n: code(n)[1].update(source="b = 2\n\nc = 4")) == ["-c = 3", "+c = 4"]
    assert "-:tags: [hide-input]" not in edit(lambda n: code(n)[0].update(source="a = 5"))


def test_a_changed_tag_rewrites_that_cell_only():
    rows = edit(lambda n: code(n)[0].metadata.update(tags=["hide-cell"]))
    assert rows == ["-:tags: [hide-input]", "+:tags: [hide-cell]"]


def test_a_new_cell_a_gone_cell_and_a_moved_cell():
    new = nbformat.v4.new_code_cell("d = 4", metadata={"trusted": True})
    rows = edit(lambda n: n.cells.insert(2, new))
    assert sorted(row for row in rows if row.strip("+")) == sorted(["+```{code-cell} ipython3", "+d = 4", "+```"])
    gone = edit(lambda n: n.cells.pop(1))
    assert gone and all(row.startswith("-") for row in gone)
    edit(lambda n: n.cells.append(n.cells.pop(1)))
    edit(lambda n: n.cells.insert(1, nbformat.v4.new_markdown_cell("끼운 글입니다.")))


def test_jupyterlab_saves_through_it(tmp_path):
    for folder in ("case_studies", "notes"):
        (tmp_path / folder).mkdir()
        shutil.copyfile(ROOT / "case_studies/template.md", tmp_path / folder / "page.md")
    manager = PageContents(root_dir=str(tmp_path))
    before = (tmp_path / "case_studies/page.md").read_text(encoding="utf-8")
    model = manager.get("case_studies/page.md", type="notebook")
    assert manager.save(dict(model), "case_studies/page.md")["type"] == "notebook"
    assert (tmp_path / "case_studies/page.md").read_text(encoding="utf-8") == before
    cell = next(c for c in model["content"]["cells"] if c["cell_type"] == "code")
    cell["source"] += "\nprint('고침')"
    cell["outputs"] = [nbformat.v4.new_output("stream", text="고침\n")]
    saved = manager.save(dict(model), "case_studies/page.md")
    assert changed(before, (tmp_path / "case_studies/page.md").read_text(encoding="utf-8")) == ["+print('고침')"]
    again = manager.get("case_studies/page.md", content=False)
    assert saved["last_modified"] == again["last_modified"]
    note = manager.get("notes/page.md", type="notebook")  # 쪽이 아닌 파일은 jupytext에 맡깁니다
    manager.save(dict(note), "notes/page.md")
    assert (tmp_path / "notes/page.md").read_text(encoding="utf-8") != before
