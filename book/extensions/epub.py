"""EPUB의 쪽: 화면에서만 쓰는 것을 걷어 내고, 수식을 MathML로 바꾸고, 온전한 XHTML로 씁니다.

EPUB에는 스크립트가 없으므로 접은 것은 모두 펼칩니다. MathML은 docutils가 만들며, 모르는 명령이 있는 식은
한 줄의 글로 둡니다(``readable_math``).
"""

import html
import re
from pathlib import Path
from urllib.parse import urlsplit

from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from lxml import etree
from lxml import html as lxml_html
from sphinx.application import Sphinx

from book.extensions.page_directives import NOTES
from book.extensions.readable_math import readable_math
from book.page import ROOT

# docutils가 모르는 것: 괄호의 크기, 줄 맞춤의 바깥 틀, 글자 크기. 빼도 식의 뜻은 같습니다.
_DROPPED = re.compile(r"\\(?:begin|end)\{split\}|\\[bB]igg?[lr]?(?![A-Za-z])|\\(?:text|display)style(?![A-Za-z])")
_NAMED = re.compile(r"&(?!lt;|gt;|amp;|quot;|apos;)[A-Za-z]+;")  # XML이 모르는 이름
_UNUSED = (
    ".//script | .//style | .//button | .//input | .//form | .//fieldset | .//a[contains(@class, 'headerlink')]"
    " | .//*[contains(concat(' ', @class, ' '), ' noscript ')]"
)
COVER = "cover.svg"


def mathml(tex: str, block: bool) -> str | None:
    """LaTeX 식의 MathML. 모르는 명령이 있으면 None."""
    tex = _DROPPED.sub("", re.sub(r"^\\[(\[]|\\[)\]]$", "", tex.strip())).replace("\\dots", "\\ldots")
    try:
        return _NAMED.sub(lambda m: html.unescape(m.group()), tex2mathml(tex, as_block=block))
    except MathError:
        return None


def page_body(body: str) -> str:
    """사이트의 본문을 EPUB의 본문으로 바꿉니다."""
    root = lxml_html.fragment_fromstring(NOTES.sub("", body), create_parent="div")
    for node in root.xpath(_UNUSED):
        node.drop_tree()
    for details in root.xpath(".//details"):
        for summary in details.xpath("./summary"):
            title = summary.xpath(".//*[contains(@class, 'admonition-title')]")
            if title:
                for hint in title[0].xpath(".//span"):
                    hint.drop_tree()
                summary.addprevious(title[0])
            summary.drop_tree()
        details.tag = "div"
        details.attrib.pop("open", None)
    for image in root.xpath(
        ".//img[contains(@src, '.webp')]"
    ):  # 사례 모음의 작은 그림. EPUB이 모르는 꼴이고, 사례에 큰 그림이 있습니다
        image.drop_tree()
    for link in root.xpath(".//a[@href]"):
        parts = urlsplit(link.get("href"))
        if parts.scheme or not parts.path:
            continue
        if not parts.path.endswith((".html", ".xhtml")):  # 자료 파일은 책에 담지 않습니다
            link.drop_tag()
            continue
        if parts.path.endswith(".html"):  # 확장이 손으로 쓴 링크
            parts = parts._replace(path=parts.path.removesuffix(".html") + ".xhtml")
        if "=" in parts.fragment:  # 사례를 고르는 조건('#week=5주차')은 스크립트가 읽습니다
            parts = parts._replace(fragment="")
        link.set("href", parts.geturl())
    for math in root.xpath(".//*[contains(concat(' ', @class, ' '), ' math ')]"):
        block, tex = math.tag == "div", math.text_content()
        drawn = mathml(tex, block)
        tail, math.tail = math.tail, None
        math.clear()
        math.tail = tail
        if drawn is None:
            math.text = readable_math(tex)
        else:
            math.append(etree.fromstring(drawn))
    for node in root.iter():
        if isinstance(node.tag, str):
            for name in [name for name in node.attrib if ":" in name or not re.fullmatch(r"[A-Za-z_][\w.\-]*", name)]:
                del node.attrib[name]
    return "".join([root.text or "", *(etree.tostring(child, encoding="unicode", method="xml") for child in root)])


def _context(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    if context.get("body"):
        context["body"] = page_body(context["body"])
    context["script_files"] = []


def _only_the_cover(app: Sphinx) -> None:
    """확장마다 싣는 화면용 스크립트와 꾸밈을 빼고 표지 그림만 둡니다."""
    app.config.html_static_path[:] = [str(Path(ROOT) / "assets" / "static" / COVER)]


def setup(app: Sphinx) -> dict:
    app.connect("builder-inited", _only_the_cover, priority=900)
    app.connect("html-page-context", _context, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
