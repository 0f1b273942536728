"""원고를 주피터랩에서 노트북으로 열어 고쳐도, 저장한 원고에는 고친 것만 바뀝니다: ``make write``

jupytext가 노트북을 원고로 다시 쓰면 머리말의 이름이 사라지고 셀의 꼬리표가 다른 꼴이 됩니다. 그래서 저장할 때 원래 원고의
덩어리를 그대로 두고, 고친 셀의 덩어리만 바꾸어 끼웁니다. 출력은 원고에 남지 않습니다.
"""

import difflib
import json
from pathlib import Path

import jupytext
import nbformat
from jupytext.myst import myst_to_notebook
from jupytext.sync_contentsmanager import TextFileContentsManager

from book.page import PAGE_FOLDERS

FORMAT = "md:myst"
# 주피터랩이 셀에 붙이는 것. 원고의 것이 아닙니다.
_EDITORS_OWN = {"trusted", "collapsed", "scrolled", "execution", "editable", "jupyter", "jp-MarkdownHeadingCollapsed"}


def spliced(original: str, notebook) -> str:
    """노트북에서 고친 셀만 바꾼 원고.

    Parameters
    ----------
    original : str
        디스크에 있는 원고.
    notebook : nbformat.NotebookNode
        원고를 열어 고친 노트북. 출력과 편집기의 정보가 있어도 됩니다.

    Returns
    -------
    str
        고치지 않은 셀과 머리말은 글자 하나까지 ``original``과 같습니다.
    """
    known = myst_to_notebook(original, add_source_map=True)
    lines, starts = original.split("\n"), list(known.metadata.get("source_map", []))
    starts = [at - (cell.cell_type != "markdown") for at, cell in zip(starts, known.cells, strict=True)]
    blocks = [lines[a:b] for a, b in zip(starts, [*starts[1:], len(lines)], strict=True)]
    head = lines[: starts[0]] if starts else lines
    old, new = [_key(cell, cell) for cell in known.cells], []
    by_source = {(cell.cell_type, cell.source): cell for cell in known.cells}
    for cell in notebook.cells:
        new.append(_key(cell, by_source.get((cell.cell_type, cell.source), cell)))
    out: list[tuple[str, list[str]]] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            out += [(known.cells[i].cell_type, blocks[i]) for i in range(a, b)]
            continue
        left = list(range(a, b))
        for cell in notebook.cells[c:d]:
            pair = next((i for i in left if known.cells[i].cell_type == cell.cell_type), None)
            if pair is None:
                out.append((cell.cell_type, _rendered(cell)))
            else:
                del left[: left.index(pair) + 1]
                out.append((cell.cell_type, _edited(known.cells[pair], blocks[pair], cell)))
    return "\n".join(_joined(head, out))


def _key(cell, original) -> tuple[str, str, str]:
    """셀을 견줄 열쇠. 편집기가 붙인 정보는 원고에 있던 것만 셉니다."""
    metadata = {k: v for k, v in cell.metadata.items() if k in original.metadata or k not in _EDITORS_OWN}
    if cell.metadata is original.metadata:
        metadata = dict(cell.metadata)
    return cell.cell_type, cell.source, json.dumps(metadata, sort_keys=True, ensure_ascii=False, default=str)


def _edited(original, block: list[str], cell) -> list[str]:
    """고친 셀의 덩어리: 앞뒤 빈 줄, 여는 줄과 꼬리표, 닫는 줄은 원고의 것을 씁니다."""
    filled = [i for i, line in enumerate(block) if line.strip()]
    first, last = filled[0], filled[-1]
    body = cell.source.split("\n")
    if cell.cell_type == "markdown":
        return [*block[:first], *body, *block[last + 1 :]]
    size = len(original.source.split("\n"))
    same = block[last - size : last] == original.source.split("\n")
    if same and _key(original, original)[2] == _key(cell, original)[2]:
        return [*block[: last - size], *body, *block[last:]]
    return [*block[:first], *_rendered(cell), *block[last + 1 :]]


def _rendered(cell) -> list[str]:
    """새 셀을 jupytext의 꼴로 쓴 줄."""
    clean = nbformat.from_dict(dict(cell))
    clean.metadata = nbformat.from_dict({k: v for k, v in cell.metadata.items() if k not in _EDITORS_OWN})
    if cell.cell_type == "code":
        clean.outputs, clean.execution_count = [], None
    alone = nbformat.v4.new_notebook(
        cells=[clean], metadata={"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
    )
    text = jupytext.writes(alone, fmt=FORMAT).partition("\n---\n")[2].strip("\n")
    rows = text.replace("```{code-cell}\n", "```{code-cell} ipython3\n").split("\n")
    if cell.cell_type == "code" and rows[1].startswith(":") and "" in rows:
        rows.remove("")  # 꼬리표와 코드 사이의 빈 줄. 책의 원고에는 두지 않습니다
    return rows


def _joined(head: list[str], blocks: list[tuple[str, list[str]]]) -> list[str]:
    """덩어리를 잇습니다. 새로 붙은 자리에는 빈 줄을, 글 셀끼리 붙은 자리에는 나누는 줄(+++)을 둡니다."""
    lines, before = list(head), ""
    for kind, block in blocks:
        if lines and lines[-1].strip() and block and block[0].strip():
            lines.append("")
        if before == kind == "markdown" and "+++" not in lines[-2:]:
            lines += ["+++", ""]
        lines += block
        before = kind
    return lines if lines and not lines[-1] else [*lines, ""]


class PageContents(TextFileContentsManager):
    """원고를 저장할 때 고친 셀만 바꾸는 주피터의 파일 관리자."""

    def save(self, model, path=""):
        """노트북으로 연 원고이면 고친 것만 바꾸어 씁니다. 다른 파일은 그대로 저장합니다."""
        file = Path(self.root_dir) / path.strip("/")
        is_page = file.suffix == ".md" and file.parent.name in PAGE_FOLDERS and file.is_file()
        if model.get("type") != "notebook" or not is_page:
            return super().save(model, path)
        text = spliced(file.read_text(encoding="utf-8"), nbformat.from_dict(model["content"]))
        # 글로 저장한 뒤 노트북의 모형을 돌려줍니다. 편집기는 돌려받은 시각으로 밖에서 고쳤는지 압니다
        self.super.save({"type": "file", "format": "text", "content": text}, path)
        return self.get(path, content=False, type="notebook")
