"""사례의 답을 표로 싣는 지시자 ``case-results``. 수는 사례의 실행 결과에서 읽습니다(book/case_results.py)."""

from urllib.parse import quote

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from book.case_results import named, table
from book.extensions.gallery import QUESTIONS, cases
from book.page import PageError

_KEY = "case_results"


class CaseResults(SphinxDirective):
    """```` ```{case-results} ````: 이름을 적은 사례, 또는 ``:question:``의 물음에 답하는 모든 사례."""

    has_content = True
    option_spec = {"question": directives.nonnegative_int}

    def run(self) -> list[nodes.Node]:
        number = self.options.get("question")
        try:
            if (number is None) == (not self.content):
                raise PageError("case-results에는 사례의 이름을 적거나 :question:을 적습니다(둘 가운데 하나).")
            if number is not None and number not in QUESTIONS:
                raise PageError(f":question:은 {', '.join(map(str, QUESTIONS))} 가운데 하나입니다. 받은 것: {number}")
            pages = (
                named([line.strip() for line in self.content if line.strip()])
                if number is None
                else [page for page in cases() if number in page.meta["question"]]
            )
            text = table(pages)
        except PageError as error:
            return [self.state_machine.reporter.error(str(error), line=self.lineno)]
        self.env.metadata[self.env.docname][_KEY] = True
        found = nodes.container("", *self.parse_text_to_nodes(text), classes=["case-results"])
        return [found] if number is None else [found, self._link(number)]

    def _link(self, number: int) -> nodes.paragraph:
        """그 물음으로 거른 사례 모음으로 가는 줄."""
        place = (
            "../" * self.env.docname.count("/")
            + "case_studies/index.html#"
            + quote(f"question={number}. {QUESTIONS[number]}", safe="=")
        )
        line = nodes.paragraph()
        line += nodes.reference("", "이 사례들을 사례 모음에서 봅니다", refuri=place, internal=True)
        return line


def _outdated(app: Sphinx, env, added, changed, removed) -> list[str]:
    """사례의 실행이 바뀌어도 이 쪽의 원고는 그대로이므로 빌드마다 다시 읽습니다."""
    return [name for name, meta in env.metadata.items() if _KEY in meta and name in env.found_docs]


def setup(app: Sphinx) -> dict:
    app.add_directive("case-results", CaseResults)
    app.connect("env-get-outdated", _outdated)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
