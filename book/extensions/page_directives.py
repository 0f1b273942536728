"""쪽의 표지: 슬라이드, 발표자 노트, 연습문제, 정답 해설.

원고 하나에서 쪽과 슬라이드를 함께 만듭니다. ``{slide}`` 블록은 쪽에 그대로 보이고 슬라이드에도 실립니다.
``{notes}``는 쪽에서 사라지고 슬라이드의 발표자 화면에만 나옵니다.
"""

import re

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

NOTES_OPEN, NOTES_CLOSE = "<!--notes-->", "<!--/notes-->"
SLIDE_TITLE = "slide-title"  # 노트에 적은 장의 제목. 쪽에는 나오지 않습니다
NOTES = re.compile(rf"{NOTES_OPEN}(.*?){NOTES_CLOSE}\s*", re.DOTALL)


class slide_block(nodes.General, nodes.Element):
    """슬라이드 한 장이 되는 블록. ``title`` 속성에 제목이 있습니다."""


class presenter_notes(nodes.General, nodes.Element):
    """발표자 화면에만 나오는 말."""


class solution_block(nodes.General, nodes.Element):
    """접어 둔 정답 해설."""


class SlideDirective(SphinxDirective):
    """``:::{slide} 제목``"""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        self.assert_has_content()
        node = slide_block(title=self.arguments[0] if self.arguments else "")
        self.set_source_info(node)
        node += self.parse_content_to_nodes()
        return [node]


class NotesDirective(SphinxDirective):
    """``:::{notes}``나 ``:::{notes} 장의 제목``. 제목을 적으면 그 노트가 붙는 장이 절의 이름 대신 그것을 씁니다."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        self.assert_has_content()
        node = presenter_notes()
        self.set_source_info(node)
        if self.arguments:
            node += nodes.paragraph(self.arguments[0], self.arguments[0], classes=[SLIDE_TITLE])
        node += self.parse_content_to_nodes()
        return [node]


class ExerciseDirective(SphinxDirective):
    """``:::{exercise} 연습 1. 제목``"""

    has_content = True
    required_arguments = 1
    final_argument_whitespace = True
    option_spec = {"class": directives.class_option}

    def run(self) -> list[nodes.Node]:
        self.assert_has_content()
        node = nodes.admonition(classes=["exercise", *self.options.get("class", [])])
        self.set_source_info(node)
        title, messages = self.parse_inline(self.arguments[0])
        node += nodes.title(self.arguments[0], "", *title)
        node += messages
        node += self.parse_content_to_nodes()
        if number := re.match(r"연습 (\d+)", self.arguments[0]):
            node["ids"].append(f"exercise-{number.group(1)}")
        return [node]


class SolutionDirective(SphinxDirective):
    """``:::{solution}``"""

    has_content = True

    def run(self) -> list[nodes.Node]:
        self.assert_has_content()
        node = solution_block()
        self.set_source_info(node)
        node += self.parse_content_to_nodes()
        return [node]


_COLUMNS = re.compile(r"\S {2,}\S")


class KoreanFoldLabels(SphinxPostTransform):
    """접은 코드의 이름표를 우리말로 바꿉니다. 정답 코드는 '정답 코드'라고 씁니다.

    자기 점검도 접습니다. 점검하는 코드에는 정답이 적혀 있어, 풀기 전에 보이면 접은 정답이 소용없습니다.
    """

    default_priority = 198  # myst-nb가 접기(199)를 만들기 바로 앞
    formats = ("html",)

    def run(self, **kwargs) -> None:
        for node in self.document.findall(nodes.container):
            if node.get("nb_element") != "cell_code":
                continue
            if "tag_self-check" in node["classes"]:
                node["hide_mode"] = "all"
            if not node.get("hide_mode"):
                continue
            if "tag_solution" in node["classes"]:
                name = "정답 코드"
            elif "tag_self-check" in node["classes"]:
                name = "자기 점검"
            else:
                name = {"input": "코드", "output": "결과"}.get(node["hide_mode"], "코드와 결과")
            node["prompt_show"], node["prompt_hide"] = f"{name} 보기", f"{name} 접기"


class AlignedOutput(SphinxPostTransform):
    """칸을 맞추어 찍은 결과(표, Series)에 표시를 답니다. 그런 결과는 고정폭 글꼴이라야 칸이 맞습니다."""

    default_priority = 198
    formats = ("html",)

    def run(self, **kwargs) -> None:
        for output in self.document.findall(nodes.container):
            if output.get("nb_element") != "cell_code_output":
                continue
            for block in output.findall(nodes.literal_block):
                if sum(bool(_COLUMNS.search(line)) for line in block.astext().splitlines()) >= 2:
                    block["classes"].append("aligned-output")


def _write(tag: str):
    return lambda translator, node: translator.body.append(tag)


def _visit_slide(translator, node: slide_block) -> None:
    translator.body.append(f'<div class="slide-block" data-slide-title="{translator.attval(node["title"])}">\n')


def setup(app: Sphinx) -> dict:
    app.add_node(slide_block, html=(_visit_slide, _write("</div>\n")))
    app.add_node(presenter_notes, html=(_write(NOTES_OPEN), _write(NOTES_CLOSE)))
    app.add_node(
        solution_block,
        html=(
            _write(
                '<details class="solution admonition"><summary><p class="admonition-title">정답 해설 <span class="when-closed">보기</span><span class="when-open">접기</span></p></summary>\n'
            ),
            _write("</details>\n"),
        ),
    )
    app.add_directive("slide", SlideDirective)
    app.add_directive("notes", NotesDirective)
    app.add_directive("exercise", ExerciseDirective)
    app.add_directive("solution", SolutionDirective)
    app.add_post_transform(KoreanFoldLabels)
    app.add_post_transform(AlignedOutput)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
