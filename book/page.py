"""저장소 안의 자리와 쪽 읽기. 도구들이 함께 씁니다."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from book.myst import parse
from book.yaml_text import read_yaml

ROOT = Path(__file__).resolve().parent.parent
PAGE_FOLDERS = ("chapters", "case_studies", "guides")
WEEK_KINDS = {"deeper": "심화", "case": "사례"}  # 장 아래에 놓인 쪽의 종류를 부르는 말
_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)


def build_dir() -> Path:
    """빌드 폴더. 환경변수 ``BOOK_BUILD_DIR``로 바꿀 수 있습니다(기본 ``_build``)."""
    return Path(os.environ.get("BOOK_BUILD_DIR", ROOT / "_build")).resolve()


def execution_dir() -> Path:
    """실행 결과 저장소. 열쇠로 찾는 곳이라 여러 빌드가 함께 써도 됩니다."""
    return Path(os.environ.get("BOOK_EXECUTION_DIR", ROOT / "_build" / "execution")).resolve()


def html_dir() -> Path:
    """완성된 사이트의 폴더."""
    return build_dir() / "html"


class PageError(ValueError):
    """쪽을 쓴 사람이 고칠 수 있는 잘못. 메시지는 한국어 한 문장입니다."""


@dataclass(frozen=True)
class Page:
    """책의 쪽 하나.

    Attributes
    ----------
    path : Path
        원고(.md)의 위치.
    text : str
        원고 전체.
    meta : dict
        머리말(YAML).
    """

    path: Path
    text: str
    meta: dict

    @property
    def docname(self) -> str:
        """``chapters/week05_propensity_score``처럼 확장자를 뺀 이름."""
        return self.path.relative_to(ROOT).with_suffix("").as_posix()

    @property
    def is_notebook(self) -> bool:
        found = self.meta.get("jupytext")
        form = found.get("text_representation") if isinstance(found, dict) else None
        return isinstance(form, dict) and form.get("format_name") == "myst"

    @property
    def title(self) -> str:
        """``# 제목``. 아직 없으면 쪽의 이름."""
        titles = [b.raw for b in parse(self.text).headings() if b.level == 1]
        return titles[0] if titles else self.docname


def read_page(path: Path | str) -> Page:
    """원고 하나를 읽습니다.

    Raises
    ------
    PageError
        파일이 없거나, UTF-8이 아니거나, 머리말이 YAML이 아닐 때.
    """
    path = Path(path)
    path = path if path.is_absolute() else ROOT / path
    shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path.name
    if not path.is_file():
        raise PageError(f"{shown}: 파일이 없습니다.")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise PageError(
            f"{shown}: UTF-8로 저장되지 않았습니다({error.reason}). 편집기에서 UTF-8로 다시 저장하세요."
        ) from None
    meta = {}
    if match := _FRONT_MATTER.match(text):
        try:
            meta = read_yaml(match.group(1)) or {}
        except yaml.YAMLError as error:
            line = getattr(getattr(error, "problem_mark", None), "line", 0) + 2
            raise PageError(
                f"{shown}:{line}: 머리말을 YAML로 읽지 못했습니다. 콜론 뒤 빈칸과 따옴표를 확인하세요."
            ) from None
        if not isinstance(meta, dict):
            raise PageError(f"{shown}:2: 머리말은 '이름: 값' 꼴이어야 합니다.")
    return Page(path, text, meta)


def toc_branches(root: Path = ROOT) -> list[tuple[str, list[str]]]:
    """_toc.yml에 실린 쪽의 이름을 차례대로, 그 아래에 놓인 쪽의 이름들과 함께 돌려줍니다."""
    return _branches(read_yaml((root / "_toc.yml").read_text(encoding="utf-8")))


def _branches(toc: dict) -> list[tuple[str, list[str]]]:
    branches: list[tuple[str, list[str]]] = [(toc["root"], [])]

    def walk(node, above: list[str] | None) -> None:
        for item in node or ():
            below: list[str] = []
            if "file" in item:
                branches.append((item["file"], below))
                if above is not None:
                    above.append(item["file"])
            for key in ("parts", "chapters", "sections"):
                walk(item.get(key), below if "file" in item else above)

    walk([{key: toc.get(key) for key in ("parts", "chapters", "sections")}], None)
    return branches


def listed_docnames(toc: dict) -> list[str]:
    """차례(``_toc.yml``을 읽은 것)에 실린 쪽의 이름을 차례대로 돌려줍니다."""
    return [name for name, _ in _branches(toc)]


def week_marks(root: Path = ROOT) -> dict[str, str]:
    """차례에서 장과 그 아래에 놓인 쪽마다의 주차 이름: '5주차', '5주차 심화', '5주차 사례'.

    주차는 그 장의 머리말에서, 종류는 쪽의 머리말에서 읽습니다. 장 아래에 있지 않은 쪽에는 이름이 없습니다.
    """
    marks = {}
    for docname, below in toc_branches(root):
        chapter = read_page(root / f"{docname}.md").meta
        if chapter.get("kind") != "chapter":
            continue
        marks[docname] = f"{chapter.get('week')}주차"
        for name in below:
            kind = WEEK_KINDS.get(read_page(root / f"{name}.md").meta.get("kind"))
            marks[name] = f"{marks[docname]} {kind}" if kind else marks[docname]
    return marks


def toc_docnames() -> list[str]:
    """_toc.yml에 실린 쪽의 이름을 차례대로 돌려줍니다."""
    return listed_docnames(read_yaml((ROOT / "_toc.yml").read_text(encoding="utf-8")))


def published_pages() -> list[Page]:
    """차례에 실린 모든 쪽.

    Raises
    ------
    PageError
        차례에 있으나 파일이 없는 쪽이 있을 때.
    """
    return [read_page(ROOT / f"{name}.md") for name in toc_docnames()]
