"""``guides/glossary.yml``로 용어집을 그리는 지시자 ``book-glossary``.

- 한국어 표기, 영어, 다른 표기 모두로 ``{term}`` 링크가 걸립니다.
- 초성별 절로 나누고, 맨 위에 바로 가기를 답니다.
- 본문의 용어 링크에는 뜻풀이가 도움말(title)로 붙습니다.
- 원본이 바뀌면 용어집을 다시 읽고, 뜻풀이가 바뀌면 링크를 단 쪽도 다시 씁니다.
"""

import hashlib
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

from book.glossary import LATIN, SOURCE, GlossaryError, anchor, definitions, initial, read_glossary, spellings


class BookGlossary(SphinxDirective):
    """용어집 전체를 초성별 절로 펼칩니다."""

    has_content = False

    def run(self) -> list[nodes.Node]:
        path = Path(self.env.srcdir) / SOURCE
        self.env.note_dependency(str(path))
        try:
            entries = read_glossary(path)
        except (GlossaryError, OSError) as error:
            return [self.state_machine.reporter.error(str(error), line=self.lineno)]
        groups: dict[str, list[dict]] = {}
        for entry in entries:
            groups.setdefault(initial(entry["ko"]), []).append(entry)
        order = sorted(groups, key=lambda g: (g == LATIN, g))
        return [self._jump(order), *(self._group(name, groups[name]) for name in order)]

    def _jump(self, order: list[str]) -> nodes.Node:
        paragraph = nodes.paragraph("", classes=["glossary-jump"])
        for name in order:
            link = nodes.reference("", name, internal=True, refid=self._group_id(name))
            paragraph += [link, nodes.Text(" ")]
        return paragraph

    @staticmethod
    def _group_id(name: str) -> str:
        return "glossary-latin" if name == LATIN else f"glossary-{ord(name):x}"

    def _group(self, name: str, entries: list[dict]) -> nodes.Node:
        section = nodes.section("", nodes.title("", name), ids=[self._group_id(name)], names=[])
        self.set_source_info(section)
        items = nodes.definition_list("", *(self._item(e) for e in entries), classes=["glossary", "book-glossary"])
        section += addnodes.glossary("", items, sorted=False)
        return section

    def _item(self, entry: dict) -> nodes.Node:
        label = anchor(entry)
        term = nodes.term("", entry["ko"], ids=[label])
        term += [nodes.Text(" "), nodes.inline("", entry["en"][0], classes=["glossary-en"])]
        self.set_source_info(term)
        standard = self.env.get_domain("std")
        for spelling in dict.fromkeys(spellings(entry)):
            standard._note_term(spelling, label, location=term)
        definition = nodes.definition("", nodes.paragraph("", entry["definition"]))
        if also := [*entry["en"][1:], *entry["aliases"]]:
            definition += nodes.paragraph("", "다른 표기: " + ", ".join(also), classes=["glossary-also"])
        if entry["not"]:
            definition += nodes.paragraph("", "쓰지 않는 표기: " + ", ".join(entry["not"]), classes=["glossary-also"])
        if (week := entry["week"]) is not None:
            definition += self._week(week)
        return nodes.definition_list_item("", term, definition)

    def _week(self, week: int) -> nodes.Node:
        line = nodes.paragraph("", classes=["glossary-also"])
        prefix = f"chapters/week{week:02d}_"
        found = sorted(n for n in self.env.found_docs if n.startswith(prefix) and not n.endswith("_deeper"))
        page = found[0] if found else None
        text = f"{week}주차에서 다룹니다."
        if page is None:
            line += nodes.Text(text)
            return line
        line += addnodes.pending_xref(
            "", nodes.inline("", text), refdomain="std", reftype="doc", reftarget=f"/{page}",
            refexplicit=True, refwarn=True, refdoc=self.env.docname,
        )  # fmt: skip
        return line


def _explain_links(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """용어 링크에 뜻풀이를 도움말로 붙입니다."""
    meanings = getattr(app.env, "glossary_meanings", None)
    if meanings is None:
        try:
            meanings = definitions(Path(app.srcdir) / SOURCE)
        except (GlossaryError, OSError):  # 지시자가 이미 알렸습니다
            meanings = {}
        app.env.glossary_meanings = meanings
    for link in doctree.findall(nodes.reference):
        target = link.get("refuri", "").partition("#")[2] or link.get("refid", "")
        if target in meanings and "reftitle" not in link:
            link["reftitle"] = meanings[target]


def _check_source(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """원본이 바뀌었는지 기억하고, 뜻풀이를 새로 읽게 합니다."""
    path = Path(app.srcdir) / SOURCE
    digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
    env.glossary_changed = digest != getattr(env, "glossary_digest", digest)
    env.glossary_digest = digest
    env.glossary_meanings = None


def _rewrite(app: Sphinx, env: BuildEnvironment) -> list[str]:
    return sorted(env.found_docs) if env.glossary_changed else []


def _add_style(app: Sphinx) -> None:
    folder = str(Path(__file__).parent / "static")
    if folder not in app.config.html_static_path:
        app.config.html_static_path.append(folder)


def setup(app: Sphinx) -> dict:
    app.add_directive("book-glossary", BookGlossary)
    app.connect("builder-inited", _add_style)
    app.connect("env-before-read-docs", _check_source)
    app.connect("env-updated", _rewrite)
    app.connect("doctree-resolved", _explain_links, priority=900)
    app.add_css_file("front_door.css")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
