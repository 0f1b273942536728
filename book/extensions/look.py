"""책의 모습: 글꼴, 판형, 어두운 화면의 그림, 수식, 우리말 화면 글, 쪽 도구 줄.

바깥 주소를 부르는 것은 하나도 쓰지 않습니다. 글꼴과 MathJax는 사이트가 함께 싣습니다.
"""

import html
import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.i18n import CatalogRepository

HERE = Path(__file__).parent / "look_assets"

# 우리말로 옮길 길이 없이 코드에 박힌 글은 여기서 고치고, 나머지는 locale/의 .po에 있고, 스크립트가 만드는 것은 book.js가 바꿉니다.
# 접은 셀의 이름은 보이는 글('정답 코드 보기')입니다. 다른 이름을 읽어 주면 말로 누르는 사람이 찾지 못합니다.
_HIDDEN_CONTENT = (' aria-label="Toggle hidden content"', "")
_FIRST_HEADING_END = re.compile(r"</h1>")
_HEADING_OR_TABLE = re.compile(r"<h[1-4]\b.*?</h[1-4]>|<table\b.*?</table>", re.DOTALL)
_TABLE_HEAD = re.compile(r"<thead>.*?</thead>", re.DOTALL)
_EMPTY_HEADER = re.compile(r"<th\b([^>]*)>\s*(?:<p></p>)?\s*</th>")
_MARKUP = re.compile(r'<a class="headerlink".*?</a>|<[^>]+>', re.DOTALL)

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


def name_tables(body: str) -> str:
    """표를 옆으로 밀 수 있는 상자에 넣고, 그 상자를 절의 제목으로 부릅니다. 빈 머리칸은 보통 칸으로 바꿉니다.

    상자는 랜드마크가 아니라 묶음(group)입니다. 표가 열 개인 쪽에서 랜드마크가 열 개 늘면 옮겨 다니기 어렵습니다.
    """
    heading, counts = "", {}

    def wrap(match: re.Match) -> str:
        nonlocal heading
        text = match[0]
        if text.startswith("<h"):
            heading = html.unescape(" ".join(_MARKUP.sub("", text).split()))
            return text
        counts[heading] = counts.get(heading, 0) + 1
        name = " ".join(filter(None, [heading, "표", str(counts[heading]) if counts[heading] > 1 else ""]))
        text = _TABLE_HEAD.sub(lambda m: _EMPTY_HEADER.sub(r"<td\1></td>", m[0]), text, count=1)
        return f'<div class="table-scroll" tabindex="0" role="group" aria-label="{html.escape(name)}">{text}</div>'

    return _HEADING_OR_TABLE.sub(wrap, body)


def _context(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    context["default_mode"] = "auto"  # 비워 두면 테마가 콘솔에 오류를 남깁니다
    if "script_files" in context:
        unused = ("thebe",) if 'class="math' in (context.get("body") or "") else ("thebe", "mathjax")
        context["script_files"] = [script for script in context["script_files"] if not _mentions(script, unused)]
    body = context.get("body")
    if not body:
        return
    body = body.replace(_CHECKBOX, _CHECKBOX + ' aria-label="할 일"')
    body = body.replace(*_HIDDEN_CONTENT)
    body = _INDEX_NAME.sub(r"\1\3\2\4", body)  # 칸 안에 표시를 넣기 전에 합니다
    body = keep_particles(body)
    body = name_tables(body)
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
