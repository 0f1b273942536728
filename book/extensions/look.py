"""책의 모습: 글꼴, 판형, 어두운 화면의 그림, 수식, 우리말 화면 글, 쪽 도구 줄.

바깥 주소를 부르는 것은 하나도 쓰지 않습니다. 글꼴과 MathJax는 사이트가 함께 싣습니다.
"""

import html
import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.i18n import CatalogRepository

HERE = Path(__file__).parent / "look_assets"

# 우리말로 옮길 길이 없이 코드에 박힌 글(myst-nb, sphinx-togglebutton). 나머지는 locale/의 .po에 있고, 스크립트가 만드는 것은 book.js가 바꿉니다.
_HIDDEN_CONTENT = ('aria-label="Toggle hidden content"', 'aria-label="접은 내용 펼치기"')
_FIRST_HEADING_END = re.compile(r"</h1>")
_SCROLL_TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)

# pandas는 색인의 이름을 빈칸뿐인 머리줄에 따로 씁니다. 그 이름을 첫 머리줄의 빈칸으로 올립니다.
_INDEX_NAME = re.compile(
    r"(<thead>\s*<tr[^>]*>\s*)<th></th>((?:\s*<th>[^<]*</th>)+\s*</tr>)\s*<tr>\s*(<th>[^<]+</th>)(?:\s*<th></th>)+\s*</tr>(\s*</thead>)"
)

# 낱말 단위로 줄을 바꾸어도 브라우저는 닫는 괄호나 %와 조사 사이에서 끊습니다. 조사만 다음 줄 첫머리에 남지 않게 묶습니다.
_PIECES = re.compile(r"(<(pre|code|script|style|svg|textarea)\b.*?</\2>|<[^>]+>)", re.DOTALL)
_STRANDED = re.compile(r"(?:%p?|[\])])[가-힣]+")

_CHECKBOX = '<input class="task-list-item-checkbox"'


def _mentions(script, words: tuple[str, ...]) -> bool:
    """스크립트의 주소나 안에 든 코드에 ``words``의 낱말이 있는지.

    Thebe는 쓰지 않는데 바깥 주소를 담고 같은 이름을 두 번 선언합니다. MathJax는 수식이 있는 쪽에만 싣습니다(680KB).
    """
    text = f"{getattr(script, 'filename', script)} {getattr(script, 'attributes', {}).get('body', '')}".lower()
    return any(word in text for word in words)


def keep_particles(body: str) -> str:
    """닫는 괄호와 %에 붙은 조사를 줄바꿈에서 지킵니다. 코드, 수식, 속성은 건드리지 않습니다."""
    out, at = [], 0
    for match in _PIECES.finditer(body):
        out += [_kept(body[at : match.start()]), match.group()]
        at = match.end()
    return "".join(out) + _kept(body[at:])


def _kept(text: str) -> str:
    if "\\(" in text or "\\[" in text:  # 수식은 MathJax의 것입니다
        return text
    return _STRANDED.sub(lambda m: f'<span class="keep">{m.group()}</span>', text)


def _social(app: Sphinx, pagename: str, context: dict) -> str:
    """메신저가 보여 주는 카드. 펴낸 주소(html_baseurl)를 알아야 절대 주소를 쓸 수 있어, 없으면 제목과 설명만 씁니다."""
    description = app.env.metadata.get(pagename, {}).get("description", "")
    tags = {
        "og:type": "article",
        "og:locale": "ko_KR",
        "og:site_name": app.config.project,
        "og:title": context.get("title") or app.config.project,
    }
    if description:
        tags["og:description"] = description
    if base := app.config.html_baseurl:
        tags |= {"og:url": f"{base.rstrip('/')}/{pagename}.html", "og:image": f"{base.rstrip('/')}/_static/social.png"}
    lines = [
        f'<meta property="{name}" content="{html.escape(re.sub("<[^>]+>", "", str(value)))}">'
        for name, value in tags.items()
    ]
    if description:
        lines.append(f'<meta name="description" content="{html.escape(str(description))}">')
    return "\n".join(lines)


def _context(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    context["default_mode"] = "auto"  # 비워 두면 테마가 콘솔에 오류를 남깁니다
    if "script_files" in context:
        unused = ("thebe",) if 'class="math' in (context.get("body") or "") else ("thebe", "mathjax")
        context["script_files"] = [script for script in context["script_files"] if not _mentions(script, unused)]
    body = context.get("body")
    if not body:
        return
    context["metatags"] = (context.get("metatags") or "") + _social(app, pagename, context)
    body = body.replace(_CHECKBOX, _CHECKBOX + ' aria-label="할 일"')
    body = body.replace(*_HIDDEN_CONTENT)
    body = _INDEX_NAME.sub(r"\1\3\2\4", body)  # 칸 안에 표시를 넣기 전에 합니다
    body = keep_particles(body)
    body = _SCROLL_TABLE.sub(
        lambda m: f'<div class="table-scroll" tabindex="0" role="region" aria-label="표">{m.group(0)}</div>', body
    )
    tools = context.get("page_tools") or []
    if tools:
        items = "".join(
            f'<a class="page-tool page-tool-{t["kind"]}" href="{html.escape(t["url"])}"{t.get("attributes", "")}>{html.escape(t["label"])}</a>'
            for t in tools
        )
        bar = f'<nav class="page-tools" aria-label="이 쪽으로 할 일">{items}</nav>'
        body = _FIRST_HEADING_END.sub(lambda m: m.group(0) + bar, body, count=1)
    context["body"] = body


def _add_words(app: Sphinx) -> None:
    """테마의 우리말보다 먼저 찾을 글. 그래서 이 확장은 테마보다 먼저 불러야 합니다(Sphinx의 글은 ``locale_dirs``가 맡습니다)."""
    for catalog in CatalogRepository(str(app.srcdir), [str(HERE / "locale")], app.config.language, "utf-8").catalogs:
        if catalog.is_outdated():
            catalog.write_mo(app.config.language)
    app.add_message_catalog("booktheme", str(HERE / "locale"))


def setup(app: Sphinx) -> dict:
    _add_words(app)
    app.config.html_static_path.append(str(HERE / "static"))
    app.config.templates_path.append(str(HERE / "templates"))
    app.add_css_file("fonts/pretendard/pretendard.css")
    app.add_css_file("fonts/pretendard/core.css", priority=600)
    app.add_css_file("look/book.css", priority=900)
    app.add_js_file("look/book.js", loading_method="defer")
    app.connect("html-page-context", _context, priority=700)
    return {"version": "2", "parallel_read_safe": True, "parallel_write_safe": True}
