"""책 한 권으로 묶은 파일(PDF, EPUB)의 자리와, 그것이 지금의 쪽에서 나왔는지를 가리는 지문.

묶은 파일은 사이트 밖(``_build/whole``)에 두고, 사이트를 지을 때 지문이 맞는 것만 옮겨 싣고 링크를 답니다.
그래서 쪽을 고치면 낡은 파일의 링크가 저절로 사라집니다.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import yaml

from book.execution import stored
from book.files import write_atomically
from book.page import ROOT, PageError, build_dir, published_pages

LABELS = {"pdf": "책 전체 PDF", "epub": "책 전체 EPUB"}
NAME = "causal-inference-in-practice"


def file_of(kind: str) -> Path:
    """묶은 파일. ``kind``는 ``LABELS``의 이름입니다."""
    return build_dir() / "whole" / f"{NAME}.{kind}"


def keys_now() -> dict[str, str]:
    """노트북인 쪽마다 보관한 실행의 열쇠.

    Raises
    ------
    PageError
        실행하지 않은 쪽이 있을 때.
    """
    done = {page.docname: stored(page) for page in published_pages() if page.is_notebook}
    if missing := [name for name, run in done.items() if run is None]:
        raise PageError(f"실행하지 않은 쪽이 있습니다: {', '.join(missing[:3])}. `make book`을 먼저 돌리세요.")
    return {name: run.key for name, run in done.items()}


def source_digest(keys: Mapping[str, str]) -> str:
    """차례, 원고, 실행이 모두 같으면 같은 지문.

    Parameters
    ----------
    keys : mapping of str to str
        노트북인 쪽 → 보관한 실행의 열쇠.
    """
    h = hashlib.sha256((ROOT / "_toc.yml").read_bytes())
    for page in published_pages():
        h.update(f"\0{page.docname}\0{keys.get(page.docname, '')}\0{page.text}".encode())
    return h.hexdigest()


def keep(kind: str, content: bytes, source: str) -> Path:
    """묶은 파일과 그 지문(``source``)을 씁니다. 지문은 만들기 **전에** 구한 것이라야 만드는 동안 고친 쪽을 알아봅니다."""
    target = file_of(kind)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(target, content)
    write_atomically(target.with_suffix(f".{kind}.json"), json.dumps({"source": source}))
    return target


def offered(keys: Mapping[str, str]) -> dict[str, Path]:
    """지금의 쪽에서 나온 묶은 파일. 없거나 낡았으면 들어 있지 않습니다."""
    found = {kind: file_of(kind) for kind in LABELS if file_of(kind).is_file()}
    if not found:
        return {}
    now = source_digest(keys)
    return {kind: path for kind, path in found.items() if _made_of(path, kind) == now}


def _made_of(path: Path, kind: str) -> str | None:
    try:
        return json.loads(path.with_suffix(f".{kind}.json").read_text(encoding="utf-8"))["source"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def contents(toc: dict) -> list[tuple[int, str, str]]:
    """차례를 한 줄로 편 것.

    Parameters
    ----------
    toc : dict
        ``_toc.yml``을 읽은 것.

    Returns
    -------
    list of (int, str, str)
        깊이(0부터), 종류(``part``나 ``page``), 부의 이름이나 쪽의 이름. 책의 차례 그대로입니다.
    """
    rows: list[tuple[int, str, str]] = [(0, "page", toc["root"])]

    def walk(items, depth: int) -> None:
        for item in items or ():
            rows.append((depth, "page", item["file"]))
            walk(item.get("sections"), depth + 1)

    for part in toc.get("parts") or [{"chapters": toc.get("chapters")}]:
        if part.get("caption"):
            rows.append((0, "part", part["caption"]))
        walk(part.get("chapters"), 1 if part.get("caption") else 0)
    return rows


def read_toc() -> dict:
    return yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
