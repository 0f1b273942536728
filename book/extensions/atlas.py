"""현업 사례 지도. ``guides/atlas.yml``의 글을 카드로 펼치고, 몇 개인지는 그 자리에서 셉니다. 거르기는 사례 모음과 같습니다."""

import html
import json

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from book.atlas import DESIGNS, INDUSTRIES, READ, SOURCE, Entry, read_atlas, same_address
from book.extensions import card_filter
from book.extensions.gallery import QUESTIONS
from book.page import PageError, published_pages

FILTERS = {
    "question": "물음", "design": "설계", "industry": "산업", "harm": "해를 피함", "korean": "한국", "week": "주차", "read": "읽은 정도",
}  # fmt: skip
ORDERS = {"design": DESIGNS, "industry": INDUSTRIES, "harm": ("예", "글에 없음"), "read": tuple(READ.values())}
FOLDED = ("industry", "week", "read")  # 접어 두는 갈래. 휴대전화에서 단추가 화면을 다 차지하지 않습니다
# 읽은 정도의 뜻. 쪽의 맨 위에서 한 번만 설명합니다.
MEANINGS = {
    "full": "글을 처음부터 끝까지 읽었습니다.",
    "part": "앞부분이나 발췌만 읽었습니다. 읽지 못한 곳에 답이 있을 수 있습니다.",
    "abstract": "초록만 읽었습니다.",
    "second_hand": "글을 보지 못했고, 다른 사람이 옮긴 것을 읽었습니다. 인용하기 전에 원문을 보세요.",
}


def facets(entry: Entry) -> dict[str, list[str]]:
    """글 하나의 거르기 값. 화면에 나오는 말 그대로입니다."""
    return {
        "question": [f"{number}. {QUESTIONS[number]}" for number in sorted(entry["questions"])],
        "design": [entry["design"]],
        "industry": [entry["industry"]],
        "harm": ["예" if entry["harm"] else "글에 없음"],
        "korean": ["한국 팀이나 한국어 글" if entry["korean"] else "그 밖"],
        "week": [f"{entry['week']}주차"],
        "read": [READ[entry["read"]]],
    }


def render(entries: list[Entry], weeks: dict[int, tuple[str, str]], cases: dict[str, tuple[str, str]]) -> str:
    """카드와 거르기 단추의 HTML.

    Parameters
    ----------
    entries : list of Entry
    weeks : dict
        주차 → 장의 (제목, 주소).
    cases : dict
        사례의 파일 이름 → (제목, 주소).
    """
    values = [facets(entry) for entry in entries]
    cards = "".join(_card(entry, facet, weeks, cases) for entry, facet in zip(entries, values, strict=True))
    return card_filter.render(
        FILTERS, values, f'<div class="gallery-cards">{cards}</div>', "항목", "개", ORDERS, FOLDED
    )


def _card(entry: Entry, values: dict[str, list[str]], weeks: dict, cases: dict) -> str:
    def link(title: str, url: str) -> str:
        return f'<a href="{html.escape(url)}">{html.escape(title)}</a>'

    week = f"{entry['week']}주차"
    facts = {
        "처치": html.escape(entry["treatment"]),
        "결과": html.escape(entry["outcome"]),
        "단위": html.escape(entry["unit"]),
        "밝힌 것": html.escape(entry["states"]),
        "안 밝힌 것": html.escape(entry["silent"]),
        "피한 해": html.escape(entry["harm"] or ""),
        "배우는 주": link(f"{week} {weeks[entry['week']][0]}", weeks[entry["week"]][1])
        if entry["week"] in weeks
        else week,
        "우리 사례": ", ".join(link(*cases[name]) for name in entry.cases if name in cases),
    }
    listed = "".join(f"<dt>{name}</dt><dd>{said}</dd>" for name, said in facts.items() if said)
    tags = "".join(f"<li>{html.escape(v)}</li>" for v in [*values["design"], *values["industry"]])
    over = " · ".join(filter(None, [entry["organisation"], str(entry["year"] or "연도 미상"), entry.get("part")]))
    return (
        f'<section class="gallery-card atlas-card" id="{entry["id"]}" data-facets="{html.escape(json.dumps(values, ensure_ascii=False))}">'
        f'<h3><span class="gallery-over">{html.escape(over)}</span> '
        f'<a href="{html.escape(entry["link"])}"{_language(entry["title"])}>{html.escape(entry["title"])}</a></h3>'
        f"<p>{html.escape(entry['question'])}</p>"
        f'<ul class="gallery-tags">{tags}<li class="atlas-read">{values["read"][0]}</li></ul>'
        f'<details class="atlas-rest"><summary>요약과 밝힌 것</summary><p>{html.escape(entry["summary"])}</p><dl>{listed}</dl></details></section>'
    )


def _language(title: str) -> str:
    """화면 낭독기가 알맞은 소리로 읽도록 제목의 언어를 적습니다."""
    written = (("가", "힣", ""), ("\u3040", "\u30ff", ' lang="ja"'), ("\u4e00", "\u9fff", ' lang="zh"'))
    return next((lang for low, high, lang in written if any(low <= c <= high for c in title)), ' lang="en"')


def marks_table(entries: list[Entry]) -> str:
    """읽은 정도마다 뜻과 항목의 수."""
    rows = "".join(
        f'<tr><th scope="row">{name}</th><td>{MEANINGS[key]}</td><td>{_count(entries, "read", key)}</td></tr>'
        for key, name in READ.items()
    )
    korean, harm = sum(e["korean"] for e in entries), sum(bool(e["harm"]) for e in entries)
    organisations = len({e["organisation"].partition("(")[0].casefold() for e in entries})
    links = len({same_address(e["link"]) for e in entries})
    summary = (
        f"조직 {organisations}곳의 글 {links}편입니다. 한 글이 여러 물음을 다루면 대목마다 따로 실어 항목은 {len(entries)}개입니다. "
        f"그 가운데 한국 팀이나 한국어 글이 {korean}개이고, 실험하면 누군가 해를 입는 물음이 {harm}개입니다."
    )
    return (
        f'<p>{summary}</p><table class="table atlas-marks"><thead><tr><th scope="col">표시</th><th scope="col">뜻</th>'
        f'<th scope="col">항목(개)</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def counts_table(entries: list[Entry]) -> str:
    """설계와 산업마다 항목의 수를 읽은 정도, 한국, 해로 나눈 표. 항목이 없는 줄은 뺍니다."""
    heads = ("", "모두", *READ.values(), "한국", "해를 피함")
    body = []
    for title, key, names in (("설계", "design", DESIGNS), ("산업", "industry", INDUSTRIES)):
        body.append(f'<tr class="group"><th scope="colgroup" colspan="{len(heads)}">{title}</th></tr>')
        for name in names:
            some = [entry for entry in entries if entry[key] == name]
            if some:
                numbers = [len(some), *(_count(some, "read", mark) for mark in READ)]
                numbers += [sum(e["korean"] for e in some), sum(bool(e["harm"]) for e in some)]
                cells = "".join(f"<td>{number or ''}</td>" for number in numbers)
                body.append(f'<tr><th scope="row">{html.escape(name)}</th>{cells}</tr>')
    head = "".join(f'<th scope="col">{name}</th>' if name else "<td></td>" for name in heads)
    return f'<table class="table scorecard"><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table>'


def _count(entries: list[Entry], key: str, value: str) -> int:
    return sum(entry[key] == value for entry in entries)


class FromAtlas(SphinxDirective):
    """자료(guides/atlas.yml)에서 만드는 지시자. 읽지 못하면 그 까닭을 원고의 줄에 알립니다."""

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(SOURCE))
        try:
            return [nodes.raw("", self.made(read_atlas()), format="html")]
        except PageError as error:
            return [self.state_machine.reporter.error(str(error), line=self.lineno)]

    def made(self, entries: list[Entry]) -> str:
        """지시자 자리의 HTML."""
        raise NotImplementedError


class AtlasCounts(FromAtlas):
    """```` ```{atlas-counts} ``` ````: 읽은 정도의 뜻, 그리고 몇 개인지."""

    def made(self, entries: list[Entry]) -> str:
        folded = f"<details><summary>설계와 산업마다 몇 개인가</summary>{counts_table(entries)}</details>"
        return marks_table(entries) + folded


class Atlas(FromAtlas):
    """```` ```{atlas} ``` ````: 거르기와 카드."""

    def made(self, entries: list[Entry]) -> str:
        root, weeks, cases = "../" * self.env.docname.count("/"), {}, {}
        for page in published_pages():
            place = (page.title, f"{root}{page.docname}.html")
            if page.meta.get("kind") == "chapter":
                weeks[page.meta["week"]] = place
            elif page.meta.get("kind") == "case":
                cases[page.path.stem] = place
        return render(entries, weeks, cases)


def setup(app: Sphinx) -> dict:
    app.setup_extension("book.extensions.card_filter")
    app.add_directive("atlas", Atlas)
    app.add_directive("atlas-counts", AtlasCounts)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
