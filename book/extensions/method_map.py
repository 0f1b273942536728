"""방법 선택 지도: 물음마다의 답(``method-answer``)을 절로 쓰고, 그 절에서 그림과 하나씩 묻는 칸을 만듭니다(``method-map``).

글은 원고에 있고, 장의 주차와 사례, 명세의 틀은 차례와 머리말과 파이프라인에서 나옵니다.
스크립트가 없으면 하나씩 묻는 칸만 사라지고, 그림과 답은 그대로 보입니다.
"""

import html
import json
import re
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from book.cases import METHODS
from book.extensions.gallery import cases
from book.extensions.page_head import anchor
from book.page import PageError

ASSETS = Path(__file__).parent / "method_map_assets" / "static"
_WEEK = re.compile(r"\d+주차")
COMMAND = "make analyze-init DESIGN={design} OUT=my_spec.yml"


class MethodAnswer(SphinxDirective):
    """``:::{method-answer} 물음?`` 한 물음에 '예'일 때의 답. ``stop``을 달면 모두 아닐 때의 답입니다."""

    has_content = True
    required_arguments = 1
    final_argument_whitespace = True
    option_spec = {
        "answer": directives.unchanged_required,
        "methods": directives.unchanged,
        "design": directives.unchanged_required,
        "stop": directives.flag,
    }

    def run(self) -> list[nodes.Node]:
        from causal_pipeline.designs import registered

        self.assert_has_content()
        labels = {design.name: design.label for design in registered()}
        answer, design = self.options.get("answer"), self.options.get("design")
        methods = [name.strip() for name in self.options.get("methods", "").split(",") if name.strip()]
        if not answer:
            raise self.error("answer가 없습니다 — ':answer: 이중차분법'처럼 고른 방법의 이름을 적으세요.")
        if design not in labels:
            raise self.error(f"design이 {design!r}입니다 — 다음에서 고르세요: {', '.join(labels)}")
        if unknown := [name for name in methods if name not in METHODS]:
            raise self.error(f"모르는 방법입니다: {', '.join(unknown)} — 다음에서 고르세요: {', '.join(METHODS)}")
        section = nodes.section(
            ids=[anchor(answer)],
            classes=["method-answer"],
            ask=self.arguments[0],
            answer=answer,
            stop="stop" in self.options,
        )
        self.set_source_info(section)
        section += nodes.title("", answer)
        section += nodes.paragraph("", self.arguments[0], classes=["method-ask"])
        section += self.parse_content_to_nodes()
        try:
            found = [page for page in cases() if set(page.meta["method"]) & set(methods)]
        except PageError as error:
            raise self.error(str(error)) from None
        if found:
            line = nodes.paragraph("", "", nodes.strong("", "사례"), nodes.Text(": "))
            for position, page in enumerate(found):
                self.env.note_dependency(str(page.path))
                line += [nodes.Text(" · ")] if position else []
                line += _link(self.env.docname, page.docname, page.title)
            section += line
        start, messages = self.parse_inline(f"**명세의 틀**({labels[design]}): ", lineno=self.lineno)
        command = COMMAND.format(design=design)
        section += nodes.paragraph("", "", *start, nodes.literal("", command), classes=["method-start"])
        section += messages
        return [section]


def _link(here: str, docname: str, text: str) -> nodes.Node:
    return addnodes.pending_xref(
        "", nodes.inline("", text), refdomain="std", reftype="doc", reftarget=f"/{docname}",
        refexplicit=True, refwarn=True, refdoc=here,
    )  # fmt: skip


class MethodMap(SphinxDirective):
    """``::::{method-map}`` 안의 ``method-answer``를 차례대로 묻는 그림과 칸."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        answers = [node for node in self.parse_content_to_nodes() if isinstance(node, nodes.section)]
        stops = [node for node in answers if node["stop"]]
        if len(stops) != 1 or answers[-1] is not stops[0]:
            raise self.error("모두 아닐 때의 답(:stop:)이 마지막에 하나 있어야 합니다.")
        rows = nodes.enumerated_list(classes=["method-flow"])
        for node in answers:
            ask = nodes.reference("", node["ask"], refid=node["ids"][0], internal=True, classes=["flow-ask"])
            if node["stop"]:
                rows += nodes.list_item("", nodes.paragraph("", "", ask), classes=["flow-stop"])
                continue
            named = [x["reftarget"].lstrip("/") for x in node.findall(addnodes.pending_xref) if x["reftype"] == "doc"]
            weeks = {name: mark for name in named if _WEEK.fullmatch(mark := self.env.app.week_marks.get(name, ""))}
            if not weeks:
                raise self.error(f"'{node['answer']}'에 장이 없습니다 — 글에 {{doc}}`/chapters/…`를 적으세요.")
            chapter, label = next(iter(weeks)), f"{node['answer']} ({', '.join(weeks.values())})"
            rows += nodes.list_item(
                "",
                nodes.paragraph(
                    "",
                    "",
                    ask,
                    nodes.inline("", " 예 → ", classes=["flow-yes"]),
                    _link(self.env.docname, chapter, label),
                ),
            )
        below = nodes.paragraph("", "물음마다의 답을 모두 적으면 다음과 같습니다.")
        return [nodes.raw("", _quiz(answers), format="html"), rows, below, *answers]


def _quiz(answers: list[nodes.section]) -> str:
    """하나씩 묻는 칸. 첫 물음을 미리 적어 두어, 스크립트가 돌아도 쪽이 밀리지 않습니다."""
    steps = [{"ask": node["ask"], "id": node["ids"][0]} for node in answers]
    last = len(steps) - 1
    return (
        f'<div class="method-quiz pst-js-only" role="group" aria-label="하나씩 묻기" data-steps="{html.escape(json.dumps(steps, ensure_ascii=False))}">'
        f'<p class="quiz-count" role="status">물음 1 / {last}</p><p class="quiz-ask">{html.escape(steps[0]["ask"])}</p>'
        '<p class="quiz-buttons"><button type="button" data-say="yes">예</button><button type="button" data-say="no">아니요</button>'
        '<button type="button" data-say="back" hidden>앞 물음</button></p><div class="quiz-answer" hidden></div></div>'
    )


def _add_assets(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    if 'class="method-quiz' in (context.get("body") or ""):
        app.add_css_file("method_map/method_map.css")
        app.add_js_file("method_map/method_map.js", loading_method="defer")


def setup(app: Sphinx) -> dict:
    app.config.html_static_path.append(str(ASSETS))
    app.add_directive("method-answer", MethodAnswer)
    app.add_directive("method-map", MethodMap)
    app.connect("html-page-context", _add_assets)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
