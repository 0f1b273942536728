"""``guides/glossary.yml``로 용어집을 그리는 지시자 ``book-glossary``.

- 한국어 표기, 영어, 다른 표기 모두로 ``{term}`` 링크가 걸립니다.
- 초성별 절로 나누고, 맨 위에 바로 가기를 답니다.
- 본문의 용어 링크에는 뜻풀이가 도움말(title)로 붙습니다.
- 원본이 바뀌면 용어집을 다시 읽고, 뜻풀이가 바뀌면 링크를 단 쪽도 다시 씁니다.
"""

import hashlib
from pathlib import Path

import yaml
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

SOURCE = "guides/glossary.yml"
FIELDS = {"ko", "en", "aliases", "not", "week", "definition"}
_INITIALS = "ㄱㄱㄴㄷㄷㄹㅁㅂㅂㅅㅅㅇㅈㅈㅊㅋㅌㅍㅎ"  # 된소리는 예사소리에 묶습니다
LATIN = "A–Z·숫자"


class GlossaryError(ValueError):
    """용어집 원본의 잘못. 메시지는 한국어 한 문장입니다."""


def initial(term: str) -> str:
    """용어가 들어갈 묶음(ㄱ~ㅎ 또는 ``A–Z·숫자``)을 돌려줍니다."""
    code = ord(term[0]) - 0xAC00
    return _INITIALS[code // 588] if 0 <= code < 11172 else LATIN


def anchor(entry: dict) -> str:
    """항목의 앵커. 대표 영어에서 만들므로 순서가 바뀌어도 그대로입니다."""
    return "term-" + nodes.make_id(entry["en"][0].replace("–", "-"))


def spellings(entry: dict) -> list[str]:
    """링크가 걸리는 모든 표기: 한국어, 영어, 다른 표기."""
    return [entry["ko"], *entry["en"], *entry["aliases"]]


def read_glossary(path: Path) -> list[dict]:
    """용어집 원본을 읽어 빈 항목을 채우고 가나다순으로 돌려줍니다.

    Parameters
    ----------
    path : Path
        ``guides/glossary.yml``.

    Returns
    -------
    list of dict
        ``ko``(str), ``en``·``aliases``·``not``(list of str), ``week``(int 또는 None), ``definition``(str).

    Raises
    ------
    GlossaryError
        빠진 칸, 모르는 칸, 겹치는 표기, 스스로 금지한 표기를 쓴 항목이 있을 때.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
        raise GlossaryError(f"{SOURCE}:{line}: YAML로 읽지 못했습니다. 따옴표와 들여쓰기를 확인하세요.") from None
    if not isinstance(raw, list):
        raise GlossaryError(f"{SOURCE}: 항목의 목록이어야 합니다.")
    entries, seen, anchors = [], {}, {}
    for number, item in enumerate(raw, 1):
        where = f"{SOURCE}: {number}번째 항목"
        if not isinstance(item, dict) or not isinstance(item.get("ko"), str):
            raise GlossaryError(f"{where}에 'ko'가 없습니다.")
        where = f"{SOURCE}: '{item['ko']}'"
        if unknown := set(item) - FIELDS:
            raise GlossaryError(f"{where}에 모르는 칸이 있습니다: {', '.join(sorted(map(str, unknown)))}.")
        entry = {"aliases": [], "not": [], "week": None, **item}
        for field in ("en", "aliases", "not"):
            if not isinstance(entry.get(field), list) or not all(isinstance(x, str) for x in entry[field]):
                raise GlossaryError(f"{where}의 '{field}'는 글자의 목록이어야 합니다.")
        if not entry["en"]:
            raise GlossaryError(f"{where}에 영어 표기가 없습니다.")
        if not isinstance(entry.get("definition"), str) or not entry["definition"].endswith("다."):
            raise GlossaryError(f"{where}의 뜻풀이는 '~다.'로 끝나는 문장이어야 합니다.")
        for spelling in spellings(entry):
            if (other := seen.setdefault(spelling.casefold(), entry["ko"])) != entry["ko"]:
                raise GlossaryError(f"{where}의 표기 '{spelling}'이 '{other}'에도 있습니다. 한쪽에서 빼세요.")
            if spelling in entry["not"]:
                raise GlossaryError(f"{where}의 표기 '{spelling}'을 쓰라고도, 쓰지 말라고도 적었습니다.")
        if (other := anchors.setdefault(anchor(entry), entry["ko"])) != entry["ko"]:
            raise GlossaryError(f"{where}의 대표 영어가 '{other}'와 같은 앵커를 만듭니다.")
        entries.append(entry)
    return sorted(entries, key=lambda e: (initial(e["ko"]) != LATIN, e["ko"].casefold()))


def definitions(path: Path) -> dict[str, str]:
    """앵커마다의 뜻풀이."""
    return {anchor(e): e["definition"] for e in read_glossary(path)}


def banned_spellings(entries: list[dict]) -> dict[str, str]:
    """쓰지 않는 표기 → 대신 쓸 말."""
    return {bad: entry["ko"] for entry in entries for bad in entry["not"]}


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
        page = next((name for name in sorted(self.env.found_docs) if name.startswith(prefix)), None)
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
