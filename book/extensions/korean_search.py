"""한국어를 아는 검색. 서버 없이, 파일로 열어도 됩니다.

빌드가 끝나면 완성된 HTML에서 절마다 글을 모아 ``_static/search/index.js``를 씁니다. 브라우저는 처음 찾을 때만
이 파일을 읽고, 글을 자모로 풀어 한 줄로 잇습니다(``engine.js``). 찾는 말이 그 줄의 어디에 있는지 그대로 훑으므로
형태소 분석도 낱말 목록도 없이 '성향 점수'와 '성향점수', '교란을'과 '교란'이 만납니다. 용어집의 영어와 다른 표기는
같은 말로 보고, 그 말을 제대로 다루는 주차의 장을 앞세웁니다. 일터에서 바꾸어 쓰는 말(``everyday_words.yml``)도
가볍게 찾고, 물음 전체와 닮은 제목이나 찾을 말이 있는 쪽을 앞세웁니다. 쪽마다 독자의 말로 적은 물음(``asked.yml``)은
하나하나를 작은 문서로 보고, 가장 가까운 물음 하나로 그 쪽을 찾습니다.

코드는 글과 따로 담습니다. 코드에 나온 이름으로 찾을 수는 있지만 결과의 미리보기에는 글만 나옵니다.
"""

import ast
import re
import unicodedata
from pathlib import Path

from lxml import html as lxml_html
from sphinx.application import Sphinx

from book.asked import read_asked
from book.extensions.readable_math import readable_math
from book.page import read_page
from book.search_index import pack
from book.yaml_text import read_yaml

ASSETS = Path(__file__).parent / "search_assets" / "static"
GLOSSARY = "guides/glossary.yml"
EVERYDAY = ASSETS.parent / "everyday_words.yml"
_SKIP = {"script", "style", "svg", "template", "button"}
_SKIP_CLASSES = {
    "cell_input",
    "cell_output",
    "highlight",
    "headerlink",
    "page-tools",
    "page-minutes",
    "method-quiz",
    "answer-box",
    "atlas-rest",
    "prev-next-footer",
}
_HEADINGS = {"h1", "h2", "h3", "h4"}
# 목록뿐인 쪽은 그 주제를 다루는 쪽보다 뒤에 둡니다. 심화는 그 장보다 뒤입니다.
_WEIGHTS = {
    "guides/data": 0.6,
    "guides/build_report": 0.4,
    "guides/atlas": 0.4,
    "guides/glossary": 0.6,
    "case_studies/index": 0.7,
}
_KIND_WEIGHTS = {"deeper": 0.9}
_LISTS = {"guides/glossary", "guides/data", "guides/build_report", "guides/atlas", "case_studies/index"}
_KIND_WORDS = {"chapter": ["장", "chapter"], "deeper": ["심화", "deeper"], "case": ["사례", "case"]}
_SPACES = re.compile(r"\s+")
_NOTATION = re.compile(r":::|\{[a-z:-]+\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,}")


def _classes(node) -> set[str]:
    return set((node.get("class") or "").split())


def _is_toggle(node) -> bool:
    """접은 셀의 '코드 보기'와 '코드 접기'."""
    return node.tag == "summary" and "hide" in _classes(node.getparent())


def _is_notation(node) -> bool:
    """글 속에 보인 원고의 표기(``:::{slide}``). 글이 아니라 코드입니다."""
    return node.tag == "code" and bool(_NOTATION.search(node.text_content()))


def _is_named_list(node) -> bool:
    """오류의 글과 고치는 법처럼 이름마다 풀이한 목록. 이름마다 한 문서가 됩니다."""
    return node.tag == "dl" and "simple" in _classes(node)


def _text(element) -> str:
    """요소의 글. 코드, 계산 결과, 그 아래 절은 빼고 식은 읽을 수 있게 바꿉니다."""
    pieces = []

    def walk(node) -> None:
        if not isinstance(node.tag, str) or node.tag in _SKIP or node.tag == "section":
            return
        classes = _classes(node)
        if _SKIP_CLASSES & classes or _is_toggle(node) or _is_notation(node) or _is_named_list(node):
            return
        if "math" in classes:
            pieces.append(f" {readable_math(node.text_content())} ")
            return
        pieces.append(node.text or "")
        for child in node:
            walk(child)
            pieces.append(child.tail or "")
        if node.tag in {"p", "li", "td", "th", "dd", "dt", "div", "h2", "h3"}:
            pieces.append(" ")

    for child in element:
        walk(child)
        pieces.append(child.tail or "" if isinstance(child.tag, str) and child.tag not in _HEADINGS else "")
    # 화면이 글자의 자리를 세므로, 여러 부호로 적은 한 글자(ê)를 여기서 하나로 모읍니다.
    return _SPACES.sub(" ", unicodedata.normalize("NFC", "".join(pieces))).strip()


def _plain(node) -> str:
    """제목이나 용어의 글. 제목 옆의 링크 표는 뺍니다."""
    found = node.xpath(".//text()[not(ancestor::a[contains(@class,'headerlink')])]")
    return _SPACES.sub(" ", "".join(found)).strip()


def _heading(section) -> str:
    heading = next((c for c in section if c.tag in _HEADINGS), None)
    return "" if heading is None else _plain(heading)


def code_names(code: str) -> list[str]:
    """코드에서 찾을 만한 이름: 불러온 모듈과 이름, 점 뒤의 이름, 인자의 이름. 나온 차례대로입니다."""
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return list(dict.fromkeys(_NAME.findall(code)))
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
            names += [part for module in modules for part in module.split(".")]
        elif isinstance(node, ast.Attribute):
            names.append(node.attr)
        elif isinstance(node, ast.Call):
            names += [keyword.arg or "" for keyword in node.keywords]
    return list(dict.fromkeys(name for name in names if len(name) > 2))


def _code(section) -> str:
    """절에 보이는 코드의 이름과, 글로 보인 명령과 표기의 낱말."""
    names: dict[str, None] = {}
    for block in section.xpath(".//div[contains(concat(' ',@class,' '),' highlight ')]"):
        if next(block.iterancestors("section")) is not section:
            continue
        ancestors = [_classes(a) for a in block.iterancestors("div")]
        if any("cell_output" in classes for classes in ancestors):
            continue
        cell = any("cell_input" in classes for classes in ancestors)
        text = block.text_content()
        names.update(dict.fromkeys(code_names(text) if cell else text.split()))
    for node in section.iter("code"):
        if next(node.iterancestors("section")) is section and _is_notation(node):
            names.update(dict.fromkeys(node.text_content().split()))
    return " ".join(names)


def sections(page_html: bytes) -> list[dict]:
    """한 쪽의 HTML을 절 단위 문서로 나눕니다.

    Returns
    -------
    list of dict
        ``anchor``, ``heading``, ``text``, ``code``, ``level``. 첫 문서가 쪽 자체(level 1)입니다.
    """
    tree = lxml_html.fromstring(page_html)
    article = next(iter(tree.xpath("//article[contains(@class,'bd-article')]")), None)
    if article is None:
        return []
    found = []
    for section in article.iter("section"):
        level = 1 + sum(1 for a in section.iterancestors("section"))
        heading = _heading(section)
        if not heading:
            continue
        glossaries = section.xpath("./dl[contains(@class,'glossary')]")
        named = [child for child in section if _is_named_list(child)]
        text = "" if glossaries else _body_text(section)
        anchor = section.get("id") if level > 1 else ""
        found.append({"anchor": anchor, "heading": heading, "text": text, "code": _code(section), "level": level})
        for dl in glossaries or named:
            found += _terms(dl, anchor)
    return found


def _body_text(section) -> str:
    text, title = _text(section), _heading(section)
    return text[len(title) :].strip() if title and text.startswith(title) else text


def _terms(dl, around: str | None) -> list[dict]:
    """용어나 이름마다 한 문서. 이름에 자리가 없으면 그것을 담은 절로 갑니다."""
    terms, names, anchor = [], [], ""
    for child in dl:
        if child.tag == "dt":
            anchor = anchor or child.get("id", "")
            names.append(_plain(child))
        elif child.tag == "dd":
            terms.append(
                {
                    "anchor": anchor or around or "",
                    "heading": " · ".join(names),
                    "text": _text(child),
                    "code": "",
                    "level": 9,
                }
            )
            names, anchor = [], ""
    return terms


def synonyms(root: Path) -> list[list]:
    """용어집 항목마다 ``[주차, 이 책이 쓰는 말, 같은 말, …]``. 주차가 없으면 None입니다."""
    path = root / GLOSSARY
    if not path.is_file():
        return []
    entries = read_yaml(path.read_text(encoding="utf-8")) or []
    return [
        [e.get("week"), e["ko"], *(e.get("en") or []), *(e.get("aliases") or []), *(e.get("not") or [])]
        for e in entries
    ]


def _keywords(meta: dict) -> list[str]:
    """머리말에서 검색에 보탤 말."""
    words = [meta.get("organisation"), meta.get("industry"), *_KIND_WORDS.get(meta.get("kind", ""), [])]
    words += [str(w) for key in ("method", "keywords", "libraries") for w in (meta.get(key) or [])]
    return [word for word in words if word]


def build_index(app: Sphinx) -> dict:
    """사이트 전체의 검색 자료. 쪽의 차례는 책의 차례와 같습니다.

    쪽은 주소(u), 제목(t), 설명(d), 찾을 말(k), 독자의 물음(q), 갈래(kind), 주차(week), 늘어놓기만 한 쪽인지(list),
    앞세우는 정도(w)입니다.
    everyday는 일터에서 바꾸어 쓰는 말의 묶음입니다.
    문서는 절마다 ``[쪽, 자리, 제목, 글, 깊이, 코드의 이름]``입니다.
    """
    pages, documents = [], []
    asked = read_asked()
    for docname in sorted(app.env.found_docs):
        path = Path(app.outdir) / f"{docname}.html"
        if not path.is_file():
            continue
        found = sections(path.read_bytes())
        if not found:
            continue
        source = Path(app.srcdir) / f"{docname}.md"
        meta = read_page(source).meta if source.is_file() else {}
        kind = meta.get("kind", "")
        pages.append(
            {
                "u": f"{docname}.html",
                "t": found[0]["heading"],
                "d": meta.get("description") or "",
                "k": _keywords(meta),
                "q": asked.get(docname, []),
                "kind": kind,
                "week": meta.get("week"),
                "list": docname in _LISTS,
                "w": _WEIGHTS.get(docname, _KIND_WEIGHTS.get(kind, 1)),
            }
        )
        for section in found:
            heading = section["heading"] if section["level"] > 1 else ""
            documents.append(
                [len(pages) - 1, section["anchor"], heading, section["text"], section["level"], section["code"]]
            )
    return {
        "pages": pages,
        "documents": documents,
        "synonyms": synonyms(Path(app.srcdir)),
        "everyday": read_yaml(EVERYDAY.read_text(encoding="utf-8")),
        "kinds": _KIND_WORDS,
    }


def _write(app: Sphinx, error: Exception | None) -> None:
    if error or app.builder.name != "html":
        return
    target = Path(app.outdir) / "_static" / "search" / "index.js"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(pack(build_index(app)), encoding="ascii")


def _no_builtin_search(app: Sphinx) -> None:
    """Sphinx의 검색(한국어를 낱말로 나누지 못합니다)과 그 색인을 만들지 않습니다."""
    if hasattr(app.builder, "search"):
        app.builder.search = False


def setup(app: Sphinx) -> dict:
    app.config.html_static_path.append(str(ASSETS))
    app.connect("builder-inited", _no_builtin_search)
    app.add_css_file("search/search.css")
    app.add_js_file("search/engine.js", loading_method="defer")
    app.add_js_file("search/dialog.js", loading_method="defer")
    app.connect("build-finished", _write)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
