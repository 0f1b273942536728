"""보관한 실행으로 책 한 권의 EPUB을 만듭니다. 실행은 하지 않습니다.

python -m book.commands.epub

사이트와 같은 원고와 확장을 Sphinx의 EPUB 빌더로 돌립니다. 화면에서만 쓰는 확장(검색, 슬라이드, 단추)은 뺍니다.
"""

import os
import shutil
import sys
import tempfile
import time
import zipfile
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import yaml
from lxml import etree

from book.commands.build import Said, run_sphinx
from book.files import explain
from book.page import ROOT, PageError, build_dir
from book.whole_book import NAME, keep, keys_now, source_digest

SCREEN_ONLY = {
    "sphinx_togglebutton",
    "sphinx_copybutton",
    "sphinx_comments",
    "sphinx_book_theme",
    "book.extensions.look",
    "book.extensions.slides",
    "book.extensions.downloads",
    "book.extensions.whole_book",
    "book.extensions.korean_search",
}
_XHTML = "{http://www.w3.org/1999/xhtml}"


def changes() -> dict:
    """사이트의 설정에서 바꿀 것."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    sphinx = config["sphinx"]["config"]
    return {
        "extensions": [name for name in sphinx["extensions"] if name not in SCREEN_ONLY] + ["book.extensions.epub"],
        "html_static_path": [],
        "epub_basename": NAME,
        "epub_title": config["title"],
        "epub_author": config["author"],
        "epub_publisher": config["author"],
        "epub_copyright": config["copyright"],
        "epub_description": config["title"],
        "epub_identifier": NAME,
        "epub_scheme": "ID",
        "epub_uid": "book-id",
        "epub_language": sphinx["language"],
        "epub_show_urls": "no",
        "epub_use_index": False,
        "epub_tocdepth": 2,
        "epub_tocdup": False,
        "version": config["copyright"],
        "release": config["copyright"],
        "comments_config": None,
        "togglebutton_hint": None,
        "togglebutton_hint_hide": None,
        "suppress_warnings": ["epub.unknown_project_files"],
    }


def faults(path: Path) -> list[str]:
    """EPUB이 읽히지 않을 까닭들. 비어 있으면 온전합니다.

    Parameters
    ----------
    path : Path
        만든 EPUB.

    Returns
    -------
    list of str
        mimetype의 자리, XML이 아닌 쪽, 목록에 없거나 빠진 파일, 바깥에서 부르는 그림, 끊어진 안쪽 링크.
    """
    found = []
    with zipfile.ZipFile(path) as book:
        first = book.infolist()[0]
        if first.filename != "mimetype" or first.compress_type != zipfile.ZIP_STORED:
            found.append("mimetype이 맨 앞에 압축 없이 있지 않습니다.")
        elif book.read(first) != b"application/epub+zip":
            found.append("mimetype의 글이 다릅니다.")
        names = set(book.namelist())
        container = etree.fromstring(book.read("META-INF/container.xml"))
        root = PurePosixPath(container.find(".//{*}rootfile").get("full-path"))
        package = etree.fromstring(book.read(str(root)))
        listed = {str(root.parent / unquote(item.get("href"))) for item in package.iterfind(".//{*}item")}
        found += [f"목록에 적혔으나 없습니다: {name}" for name in sorted(listed - names)]
        trees = {}
        for name in sorted(listed & names):
            if name.endswith((".xhtml", ".ncx", ".svg")):
                try:
                    trees[name] = etree.fromstring(book.read(name))
                except etree.XMLSyntaxError as error:
                    found.append(f"{name}: XML이 아닙니다({error}).")
        anchors = {name: {e.get("id") for e in tree.iter() if e.get("id")} for name, tree in trees.items()}
        for name, tree in trees.items():
            for element in tree.iter(f"{_XHTML}img", f"{_XHTML}a"):
                link = element.get("src") or element.get("href") or ""
                parts, image = urlsplit(link), element.tag.endswith("img")
                if image and parts.scheme:
                    found.append(f"{name}: 바깥의 그림을 부릅니다: {link}")
                if parts.scheme or not link:
                    continue
                target = name
                if parts.path:
                    target = os.path.normpath(PurePosixPath(name).parent / unquote(parts.path))
                if target not in listed:
                    found.append(f"{name}: 없는 파일을 가리킵니다: {link}")
                elif parts.fragment and unquote(parts.fragment) not in anchors.get(target, ()):
                    found.append(f"{name}: 없는 자리를 가리킵니다: {link}")
    return found


def make(keys: dict[str, str]) -> bytes:
    """EPUB을 만들고 살펴봅니다.

    Parameters
    ----------
    keys : dict of str to str
        노트북인 쪽 → 보관한 실행의 열쇠.

    Raises
    ------
    PageError
        Sphinx가 경고하거나, 만든 파일이 온전하지 않을 때.
    """
    import matplotlib

    matplotlib.use("Agg")
    folder = Path(tempfile.mkdtemp(prefix="epub-", dir=build_dir()))
    try:
        if run_sphinx(keys, Said(), "epub", folder / "epub", changes()):
            raise PageError("EPUB을 만들지 못했습니다. 위 경고가 가리키는 쪽과 줄을 고치세요.")
        path = folder / "epub" / f"{NAME}.epub"
        if wrong := faults(path):
            raise PageError("EPUB이 온전하지 않습니다.\n" + "\n".join(wrong))
        return path.read_bytes()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    started = time.perf_counter()
    os.chdir(ROOT)
    try:
        keys = keys_now()
        source = source_digest(keys)
        print("EPUB을 만듭니다.", flush=True)
        content = make(keys)
        path = keep("epub", content, source)
    except PageError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(explain(error), file=sys.stderr)
        return 1
    shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    print(f"완성: {shown}  ({len(content) / 2**20:.1f}MB, {time.perf_counter() - started:.0f}초)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
