"""한국어를 아는 검색. 서버 없이, 파일로 열어도 됩니다.

빌드가 끝나면 완성된 HTML에서 절마다 글을 모아 ``_static/search/index.js``를 씁니다. 브라우저는 처음 찾을 때만
이 파일과 MiniSearch를 읽습니다. 글을 두 글자 조각으로 나누고 한글 사이의 빈칸을 무시하므로 '성향 점수'와
'성향점수', '교란을'과 '교란'이 만납니다. 용어집의 영어와 다른 표기는 같은 말로 봅니다.

형태소 분석은 쓰지 않습니다. 두 글자 조각은 사전에 없는 말(이중차분법, 성향점수)에서도 갈라지지 않고,
브라우저와 빌드가 같은 규칙을 쓸 수 있습니다.
"""

import json
import re
from pathlib import Path

import yaml
from lxml import html as lxml_html
from sphinx.application import Sphinx

from book.page import read_page

ASSETS = Path(__file__).parent / "search_assets" / "static"
GLOSSARY = "guides/glossary.yml"
_SKIP = {"script", "style", "svg", "template", "button"}
_SKIP_CLASSES = {
    "cell_input",
    "cell_output",
    "headerlink",
    "page-tools",
    "page-minutes",
    "method-quiz",
    "math",
    "prev-next-footer",
}
# 목록뿐인 쪽은 그 주제를 다루는 쪽보다 뒤에 둡니다.
_WEIGHTS = {"guides/data": 0.4, "guides/build_report": 0.4}
_SPACES = re.compile(r"\s+")


def _text(element) -> str:
    """요소의 글. 코드, 계산 결과, 수식, 그 아래 절은 뺍니다."""
    pieces = []

    def walk(node) -> None:
        if not isinstance(node.tag, str) or node.tag in _SKIP or node.tag == "section":
            return
        if _SKIP_CLASSES & set((node.get("class") or "").split()):
            return
        pieces.append(node.text or "")
        for child in node:
            walk(child)
            pieces.append(child.tail or "")
        if node.tag in {"p", "li", "td", "th", "dd", "dt", "div", "h2", "h3"}:
            pieces.append(" ")

    for child in element:
        walk(child)
        pieces.append(
            child.tail or "" if isinstance(child.tag, str) and child.tag not in {"h1", "h2", "h3", "h4"} else ""
        )
    return _SPACES.sub(" ", "".join(pieces)).strip()


def _heading(section) -> str:
    heading = next((c for c in section if c.tag in {"h1", "h2", "h3", "h4"}), None)
    if heading is None:
        return ""
    return _SPACES.sub(
        " ", "".join(heading.xpath(".//text()[not(ancestor::a[contains(@class,'headerlink')])]"))
    ).strip()


def sections(page_html: bytes) -> list[dict]:
    """한 쪽의 HTML을 절 단위 문서로 나눕니다.

    Returns
    -------
    list of dict
        ``anchor``, ``heading``, ``text``, ``level``. 첫 문서가 쪽 자체(level 1)입니다.
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
        is_glossary = bool(section.xpath("./dl[contains(@class,'glossary')]"))
        text = "" if is_glossary else _body_text(section)
        found.append(
            {"anchor": section.get("id") if level > 1 else "", "heading": heading, "text": text, "level": level}
        )
        for dl in section.xpath("./dl[contains(@class,'glossary')]"):
            found += _terms(dl)
    return found


def _body_text(section) -> str:
    heading = next((c for c in section if c.tag in {"h1", "h2", "h3", "h4"}), None)
    text = _text(section)
    title = _heading(section) if heading is not None else ""
    return text[len(title) :].strip() if title and text.startswith(title) else text


def _terms(dl) -> list[dict]:
    terms, names, anchor = [], [], ""
    for child in dl:
        if child.tag == "dt":
            anchor = anchor or child.get("id", "")
            names.append(
                _SPACES.sub(
                    " ", "".join(child.xpath(".//text()[not(ancestor::a[contains(@class,'headerlink')])]"))
                ).strip()
            )
        elif child.tag == "dd":
            terms.append({"anchor": anchor, "heading": " · ".join(names), "text": _text(child), "level": 9})
            names, anchor = [], ""
    return terms


def synonyms(root: Path) -> list[list[str]]:
    """용어집 항목마다 같은 말의 모음. 맨 앞이 이 책이 쓰는 말입니다."""
    path = root / GLOSSARY
    if not path.is_file():
        return []
    entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    return [
        [entry["ko"], *(entry.get("en") or []), *(entry.get("aliases") or []), *(entry.get("not") or [])]
        for entry in entries
    ]


def _keywords(meta: dict) -> str:
    """머리말에서 검색에 보탤 말."""
    words = [meta.get("description") or "", meta.get("organisation") or "", meta.get("industry") or ""]
    words += [str(w) for key in ("method", "keywords", "libraries") for w in (meta.get(key) or [])]
    if meta.get("week") is not None:
        words.append(f"{meta['week']}주차")
    return " ".join(w for w in words if w)


def build_index(app: Sphinx) -> dict:
    """사이트 전체의 검색 자료. 쪽의 차례는 책의 차례와 같습니다."""
    pages, documents = [], []
    for docname in sorted(app.env.found_docs):
        path = Path(app.outdir) / f"{docname}.html"
        if not path.is_file():
            continue
        found = sections(path.read_bytes())
        if not found:
            continue
        source = Path(app.srcdir) / f"{docname}.md"
        meta = read_page(source).meta if source.is_file() else {}
        pages.append(
            {
                "u": f"{docname}.html",
                "t": found[0]["heading"],
                "k": _keywords(meta),
                "kind": meta.get("kind", ""),
                "w": _WEIGHTS.get(docname, 1),
            }
        )
        for section in found:
            documents.append(
                [
                    len(pages) - 1,
                    section["anchor"],
                    section["heading"] if section["level"] > 1 else "",
                    section["text"],
                    section["level"],
                ]
            )
    return {"pages": pages, "documents": documents, "synonyms": synonyms(Path(app.srcdir))}


def _write(app: Sphinx, error: Exception | None) -> None:
    if error or app.builder.name != "html":
        return
    target = Path(app.outdir) / "_static" / "search" / "index.js"
    target.parent.mkdir(parents=True, exist_ok=True)
    data = json.dumps(build_index(app), ensure_ascii=False, separators=(",", ":"))
    target.write_text(f"window.BOOK_SEARCH_DATA={data};\n", encoding="utf-8")


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
