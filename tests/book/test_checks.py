"""원고 검사: 규칙마다 걸리는 글(줄 번호까지)과 걸리지 않는 글."""

import io
import re
import subprocess
import sys
from contextlib import redirect_stdout

import pytest
import yaml

from book.checks import check_page, inspect_page, language, prose_numbers, structure
from book.checks.__main__ import main
from book.execution import to_notebook
from book.learner_notebook import source_cells
from book.myst import BOUND, CITED, flatten, parse, split_row
from book.page import ROOT, Page, published_pages, read_page, toc_docnames

TEMPLATE = read_page("case_studies/template.md")
VARIANTS = {
    "추정치": "추정값",
    "성향 점수": "성향점수",
    "교란변수": "교란 요인",
    "처리군": "실험군",
    "처리 변수": "처치",
}


def page(body: str, name: str = "guides/sample.md", **meta) -> Page:
    """머리말이 없는 짧은 쪽."""
    return Page(ROOT / name, body, meta)


def language_findings(body: str) -> list[tuple[int, str]]:
    return [(f.line, f.rule) for f in language.check(page(body), variants=VARIANTS)]


def number_findings(body: str, **meta) -> list[tuple[int, str]]:
    return [(f.line, f.rule) for f in prose_numbers.check(page(body, **meta)) if not f.warning]


def changed_template(old: str, new: str, count: int = 1) -> Page:
    """템플릿을 한 곳 고친 쪽. 파일은 건드리지 않습니다."""
    assert old in TEMPLATE.text, f"템플릿에 없는 글: {old}"
    text = TEMPLATE.text.replace(old, new, count)
    meta = yaml.safe_load(text.split("---\n")[1]) if text.startswith("---\n") else {}
    return Page(TEMPLATE.path, text, meta)


def line_of(text: str, piece: str) -> int:
    return text[: text.index(piece)].count("\n") + 1


# ── 원고 읽기 ──


def test_the_reader_keeps_line_numbers_through_nested_blocks():
    text = "---\nkind: guide\n---\n\n# 제목\n\n::::{grid} 1\n:gutter: 2\n\n:::{card} 이름\n:link: a\n본문입니다.\n:::\n::::\n\n| 가 | 나 |\n|---|---|\n| 칸 | 칸 |\n"
    document = parse(text)
    assert [(b.kind, b.line) for b in document.blocks] == [
        ("heading", 5),
        ("title", 10),
        ("paragraph", 12),
        ("row", 16),
        ("row", 18),
    ]
    assert [(d.name, d.line, d.end) for d in document.directives] == [("grid", 7, 14), ("card", 10, 13)]
    assert document.blocks[-1].header == ("가", "나")


def test_code_math_comments_and_front_matter_are_not_prose():
    text = "---\ntitle: 값 7\n---\n```{code-cell} ipython3\n:tags: [slide]\nx = 7  # 늘린다.\n```\n$$\ny = 7\n$$\n% 7을 늘린다.\n<!-- 7 -->\n\n````text\n```python\n늘린다. 7\n```\n````\n"
    document = parse(text)
    assert document.blocks == []
    assert document.cells[0].tags == ("slide",) and document.cells[0].first == 6
    assert document.comments == [(11, "% 7을 늘린다.")]


def test_cell_metadata_is_read_in_both_forms():
    short = parse(
        '```{code-cell} ipython3\n:tags: [hide-input, slide]\n:mystnb: {image: {alt: "오르는 선"}}\nplt.show()\n```\n'
    ).cells[0]
    long = parse(
        '```{code-cell} ipython3\n---\ntags: [hide-input]\nmystnb:\n  image:\n    alt: "오르는 선"\n---\nplt.show()\n```\n'
    ).cells[0]
    assert short.alt == long.alt == "오르는 선"
    assert (short.first, long.first) == (4, 8)
    assert short.tags == ("hide-input", "slide") and long.tags == ("hide-input",)


def test_inline_marks_are_removed_and_positions_kept():
    raw = "{term}`성향점수<propensity score>`는 **{glue:text}`a:.1f`점**이고 [*글*](https://a.b/c)과\n[쪽](x.md)과 `코드 3`과 \\*와 https://a.b 입니다.[^a]"
    flat = flatten(raw)
    assert flat.text == f"성향점수는 {BOUND}점이고 글{CITED}과\n쪽과 \ue001과 *와 \ue001{CITED} 입니다.{CITED}"
    assert flat.origin(0) == 7
    for word in ("점이고", "글", "쪽과", "*와", "입니다"):
        assert raw.startswith(word[:1], flat.origin(flat.text.index(word)))


def test_a_directive_that_opens_with_another_is_not_read_as_options():
    document = parse("::::{tab-set}\n:::{tab-item} 맥\n본문\n:::\n::::\n\n- 하나\n  ```{note}\n  안\n  ```\n")
    assert [(d.name, d.line, d.first, d.end, d.inside) for d in document.directives] == [
        ("tab-set", 1, 2, 5, ()), ("tab-item", 2, 3, 4, ("tab-set",)), ("note", 8, 9, 10, ()),
    ]  # fmt: skip
    assert [(b.kind, b.line, b.raw) for b in document.blocks] == [
        ("title", 2, "맥"),
        ("paragraph", 3, "본문"),
        ("item", 7, "하나"),
        ("paragraph", 9, "안"),
    ]


def test_an_empty_cell_keeps_the_columns_of_its_row():
    document = parse("| | 가 | 나 |\n|---|---|---|\n| 다 | | `a|b` |\n")
    assert document.blocks[1].header == ("", "가", "나")
    assert [cell.strip() for _, cell in split_row("| 다 | | `a|b` |")] == ["다", "", "`a|b`"]


@pytest.mark.parametrize("page", [p for p in published_pages() if p.is_notebook], ids=lambda p: p.docname)
def test_cells_are_those_of_the_reader_that_builds_the_site(page):
    built = [(c.cell_type, c.source, c.metadata) for c in to_notebook(page).cells]
    assert [(c.cell_type, c.source, c.metadata) for c in source_cells(page)] == built
    assert [c.source for c in parse(page.text).cells] == [source for kind, source, _ in built if kind == "code"]


def test_a_cell_inside_another_block_is_not_a_cell():
    assert parse(":::{note}\n```{code-cell} ipython3\nx = 1\n```\n:::\n").cells == []


# ── 문체 ──


@pytest.mark.parametrize(
    "sentence",
    [
        "표본이 효과를 늘린다.", "이 값은 정답이다.", "그래서 다시 비교해요.", "그렇죠.", "결측값을 모두 제거함.", "두 값이 같았다(표 참고).",
        "이유를 알아보자.", "왜 그럴까?", "모두 같네요.", "차이가 없음.",
    ],
)  # fmt: skip
def test_other_registers_are_found_on_their_line(sentence):
    assert language_findings(f"# 제목\n\n먼저 그림을 봅니다.\n{sentence}\n") == [(4, "register")]


@pytest.mark.parametrize(
    "body",
    [
        "효과를 **봅니다**. 정답입니까? 다시 해 봅시다. 셀을 실행하세요. 왜 그럴까요?",
        '팀장은 "불량이 늘었다."라고 말했습니다. "다시 해요." 모두 고개를 끄덕였습니다.',
        "### 그래프로 가정을 적는다",
        ":::{slide} 무엇을 바꾸었는가\n- 세 값의 평균\n- 왜 이 기법인가?\n- 답이 맞습니다.\n:::",
        "| 가정 | 깨진다 |\n|---|---|\n| 효과가 있다. | 없다. |",
        "결과 모델의 예측값. 그리고 그 잔차.",
        "효과는 {glue:text}`a:.1f`시간입니다([표](a.md)).",
        "`늘린다.`를 지웁니다.",
    ],
)
def test_polite_prose_quotes_titles_and_tables_pass(body):
    assert language_findings(body) == []


def test_register_is_checked_inside_admonitions_slides_exercises_and_lists():
    body = ":::{slide} 제목\n- 효과를 늘린다.\n:::\n\n:::{admonition} 메모\n:class: tip\n값이 크다.\n:::\n\n:::{exercise} 연습 1. 제목\n값을 구한다.\n:::\n"
    assert language_findings(body) == [(2, "register"), (7, "register"), (11, "register")]


def test_a_sentence_of_more_than_twenty_words_is_found():
    twenty = " ".join(["낱말"] * 19) + " 있습니다."
    assert language_findings(f"짧습니다.\n\n{twenty}\n") == []
    assert language_findings(f"짧습니다.\n\n낱말 {twenty}\n") == [(3, "long")]


def test_a_paragraph_pasted_twice_is_found_but_not_a_slide_or_a_short_line():
    long, short = (
        "앞 매출은 여러 길이 만나는 충돌부입니다. 보정하면 옷 가게와 상품 수 사이의 길이 열립니다.",
        "구간을 봅니다.",
    )
    assert language_findings(f"{long}\n\n{short}\n\n{long}\n\n{short}\n") == [(5, "repeated")]
    assert language_findings(f"{long}\n\n:::{{slide}} 제목\n{long}\n:::\n") == []


def test_word_count_ignores_english_in_parentheses_marks_and_numbers_bound():
    assert language.count_words("성향점수(inverse probability weighting)는 하나입니다.") == 2
    assert language.count_words(f"효과는 {BOUND} 시간 — 곧 {BOUND}시간입니다.") == 5
    assert language.count_words("The Central Role of the Propensity Score를 읽습니다.") == 2
    assert [s for _, s in language.sentences("연습 1. 값은 3.5절에 있습니다. 1. 끝입니다.")] == [
        "연습 1. 값은 3.5절에 있습니다.",
        "1. 끝입니다.",
    ]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("추정치를 봅니다.", "추정치"), ("**성향 점수**를 봅니다.", "성향 점수"), ("교란변수가 있습니다.", "교란변수"), ("처리군과 견줍니다.", "처리군"),
        ("처리 여부를 예측합니다.", "처리 여부"), ("처리를 받은 고객입니다.", "처리를 받은"), ("처리된 집단입니다.", "처리된 집단"), ("### 성향\t점수", None),
    ],
)  # fmt: skip
def test_variants_off_the_glossary_are_found(text, word):
    found = language.check(page(f"첫 줄입니다.\n\n{text}\n"), variants=VARIANTS)
    assert [(f.line, f.rule) for f in found] == [(3, "variant")]
    if word:
        assert f"'{word}'" in found[0].message


@pytest.mark.parametrize(
    "text",
    [
        "결측 처리 여부를 적습니다.", "주문의 처리 시간이 늘었습니다.", "데이터 처리 변수를 둡니다.", "처리량과 처리 속도를 봅니다.", "예외 처리를 받은 셀입니다.",
        "전처리와 후처리를 합니다.", "`성향 점수`라고 쓰지 않습니다.", "성향점수와 추정값을 봅니다.", "일괄 처리된 주문입니다.",
    ],
)  # fmt: skip
def test_handling_in_other_senses_is_fine(text):
    assert language_findings(text) == []


def test_variants_are_found_in_headings_tables_titles_and_the_description():
    body = "---\nkind: guide\ntitle: 글\ndescription: 추정치를 봅니다.\n---\n# 추정치\n\n| 추정치 | 값 |\n|---|---|\n| 가 | 추정치 |\n\n:::{slide} 추정치\n글입니다.\n:::\n"
    found = language.check(page(body, title="글", description="추정치를 봅니다."), variants=VARIANTS)
    assert [f.line for f in found] == [4, 6, 8, 10, 12]


def test_a_link_to_a_word_off_the_glossary_is_found():
    """사이트를 지을 때에야 멈추던 잘못입니다. 코드 속의 본보기는 보지 않습니다."""
    text = "{term}`매칭`과 {term}`아무개의 법칙`, {term}`짝 <매칭>`입니다.\n\n```text\n{term}`본보기`\n```\n"
    found = [f for f in language.check(page(text)) if f.rule == "term"]
    assert [(f.line, "아무개의 법칙" in f.message) for f in found] == [(1, True)]


def test_the_real_glossary_is_used():
    assert language.glossary_variants()["추정치"] == "추정값"


def test_a_language_exemption_needs_a_reason_and_a_purpose():
    assert language_findings("% 문체 허용 — 원문의 인용입니다\n효과를 늘린다.\n") == []
    assert language_findings("% 문체 허용\n효과를 늘린다.\n") == [(1, "exemption"), (2, "register")]
    assert language_findings("% 문체 허용 — 쓸모가 없습니다\n효과를 봅니다.\n") == [(1, "exemption")]


# ── 숫자 ──


@pytest.mark.parametrize(
    "body",
    [
        "효과는 3.2시간입니다.", "고객의 80%가 남습니다.", "1,728명을 보았습니다.", "| 값 | 설명 |\n|---|---|\n| 3.2 | 효과 |", "- 효과는 -4개입니다.", "## 효과는 3.2시간",
        ":::{slide} 3.2시간\n글입니다.\n:::", "95%가 남습니다.", "5km를 달립니다.", "정답이 2인 자료입니다.", "쿠폰 100장을 보냅니다.", "자료를 300번 뽑습니다.",
    ],
)  # fmt: skip
def test_loose_numbers_are_found_on_their_line(body):
    found = number_findings(f"글입니다.\n\n{body}\n")
    assert found and {rule for _, rule in found} == {"number"}
    assert found[0][0] == 5 if body.startswith("|") else found[0][0] == 3


@pytest.mark.parametrize(
    "body",
    [
        "효과는 {glue:text}`effect:.1f`시간입니다.",
        "[글](https://example.org)은 30%라고 적었습니다.",
        "유저의 11.9%가 떠났습니다.[^a]",
        "5주차와 3.2절, 5장, 4단계, 1번째, 3가지를 봅니다. 3~5주차입니다. 1절부터 4절까지입니다.",
        "95% 신뢰구간을 봅니다.",
        "2019년과 논문(2018)입니다. 2020년 6월 17일입니다.",
        "연습 1, 2와 그림 3, 질문 4번, 1종 오류입니다. 3번은 어렵습니다.",
        "DoWhy 0.14와 파이썬 3.11, 7.4.7 판입니다. 2SLS와 HC1, x2를 씁니다.",
        "효과는 0이어야 합니다. 확률은 0과 1 사이입니다. 1:1로 짝짓습니다.",
        "`n = 300`이고 $x = 3$입니다.",
        "# 1. 온보딩\n\n## 3.2 성향점수",
        "1. 첫째입니다.\n2. 둘째입니다.",
        ":::{notes}\n1분 동안 손을 듭니다.\n:::",
        "## 발표와 토론\n\n| 시간 | 내용 |\n|---|---|\n| 0~10분 | 되짚기 |",
        "[이슈](https://github.com/a/b/issues/1728)의 #1728입니다.",
    ],
)
def test_bound_cited_and_structural_numbers_pass(body):
    cell = '\n```{code-cell} ipython3\nglue("effect", 3)\n```\n'
    assert number_findings(body + "\n" + cell) == []


def test_a_citation_covers_its_own_sentence_only():
    assert number_findings("[글](https://a.b)은 30%라고 합니다. 우리는 40%입니다.") == [(1, "number")]
    assert number_findings("값은 이렇습니다.[^a]\n\n| 값 |\n|---|\n| 30% |\n") == []
    assert number_findings("값은 [다른 쪽](x.md)에서 30%였습니다.") == [(1, "number")]


def test_numbers_defined_on_the_page_are_free():
    assert number_findings("28일 동안 봅니다.", outcome="이후 28일 주문 수") == []
    assert number_findings("28명을 봅니다.", outcome="이후 28일 주문 수") == [(1, "number")]


def test_an_exemption_covers_the_next_block_only():
    body = (
        "% 숫자 허용: 12, 4 — 공장이 정한 값입니다\n비용은 12천 원이고 손실은 4천 원입니다.\n\n비용은 12천 원입니다.\n"
    )
    assert number_findings(body) == [(4, "number")]
    assert number_findings(
        "% 숫자 허용: 12 — 공장이 정한 값입니다\n:::{slide} 셈\n- 비용 12천 원\n\n본전 12천 원\n:::\n\n12천 원\n"
    ) == [(8, "number")]
    assert (
        number_findings(
            ":::{exercise} 연습 1. 값\n% 숫자 허용: 12 — 문제의 값입니다\n첫 글 12원입니다.\n\n- 12원\n:::\n"
        )
        == []
    )
    assert number_findings("% 숫자 허용: 1/4, 4분의 3 — 세는 값입니다\n1/4이고 4분의 3입니다. 12도 있습니다.\n") == [
        (2, "number")
    ]


@pytest.mark.parametrize(
    ("comment", "text"),
    [
        ("% 숫자 허용: 12", "비용은 {glue:text}`a`원입니다."),  # 까닭이 없음
        ("% 숫자 허용: 12 —", "비용은 {glue:text}`a`원입니다."),
        ("% 숫자 허용: 12 — 값", "비용은 {glue:text}`a`원입니다."),
        ("% 숫자 허용: 12 — 공장의 값입니다", "비용은 그대로입니다."),  # 허용할 것이 없음
        ("% 숫자 허용: 5 — 주차입니다", "5주차에 봅니다."),  # 허용하지 않아도 되는 것
    ],
)
def test_an_exemption_without_reason_or_use_is_an_error(comment, text):
    cell = '```{code-cell} ipython3\nglue("a", 1)\n```\n\n'
    assert (5, "exemption") in number_findings(f"{cell}{comment}\n{text}\n")


def test_a_stale_part_of_an_exemption_is_named():
    found = prose_numbers.check(page("% 숫자 허용: 12, 7 — 공장의 값입니다\n비용은 12원입니다.\n"))
    assert [(f.line, f.rule) for f in found] == [(1, "exemption")] and "'7'" in found[0].message


def test_an_unknown_bound_name_is_an_error_and_an_unused_one_a_warning():
    cell = '```{code-cell} ipython3\nglue("a", 1)\nfor k in "xy":\n    glue(f"row_{k}", 1)\n```\n\n'
    found = prose_numbers.check(page(cell + "{glue:text}`b:.1f`개와 {glue:text}`row_x`개입니다.\n"))
    assert [(f.line, f.rule, f.warning) for f in found] == [(2, "glue-unused", True), (7, "glue", False)]
    assert number_findings(cell + "{glue:text}`a`개입니다. `` {glue:text}`보기` ``라고 씁니다.\n") == []


# ── 얼개: 템플릿을 한 곳씩 망가뜨립니다 ──


def test_the_template_passes_every_check():
    assert [str(f) for f in inspect_page(TEMPLATE)] == []


SECTIONS = [b.raw for b in parse(TEMPLATE.text).headings() if b.level == 2]


@pytest.mark.parametrize("heading", SECTIONS)
def test_dropping_any_heading_of_a_case_is_found(heading):
    broken = changed_template(f"\n## {heading}\n", "\n")
    wanted = heading.split(". ", 1)[-1]
    found = [f for f in structure.check(broken) if f.rule == "heading"]
    assert len(found) == 1 and wanted in found[0].message
    following = SECTIONS[SECTIONS.index(heading) + 1 :]
    assert found[0].line == (line_of(broken.text, f"## {following[0]}\n") if following else broken.text.count("\n") + 1)


def test_headings_out_of_order_are_found():
    broken = changed_template("## 12. 의사결정 메모", "## 12. 내 데이터에 쓰려면").text.replace(
        "## 13. 내 데이터에 쓰려면", "## 13. 의사결정 메모"
    )
    found = [f for f in structure.check(Page(TEMPLATE.path, broken, TEMPLATE.meta)) if f.rule == "heading"]
    assert [f.line for f in found] == [line_of(broken, "## 12. 내 데이터에")] and "자리가 다릅니다" in found[0].message


@pytest.mark.parametrize(
    ("old", "new", "rule", "where", "says"),
    [
        ("week: 5\n", "week: 15\n", "front-matter", "week: 15", "0에서 12까지"),
        ("year: 2026\n", "year: 올해\n", "front-matter", "year: 올해", "2019"),
        ("industry: 제조\n", "industri: 제조\n", "front-matter", "industri:", "'industry'(으)로"),
        ("question: [1, 4]\n", "question: [1, 9]\n", "front-matter", "question:", "1에서 4까지"),
        ("minutes: {read: 25, practise: 30, session: 20}", "minutes: {read: 25}", "front-matter", "minutes:", "practise"),
        ("kind: case\n", "kind: story\n", "front-matter", "kind:", "chapter, deeper, case, guide"),
        ("estimand: ATE\n", "estimand: ATT\n", "estimand", 'validate("추가', "코드는 ATE를"),
        ('estimand="ATE"', 'estimand="ATT"', "estimand", 'validate("추가', "머리말의 추정 대상은 ATE"),
        ("answer_1 = -estimate * 2.5 - cost", "answer = 1", "exercise", "answer = 1", "answer_1"),
        ("## 3. 결정\n", "# 또 하나의 제목\n\n## 3. 결정\n", "title", "# 또 하나", "2개"),
        ("# 사례 템플릿", "# 5주차 사례 템플릿", "title", "# 5주차", "저절로"),
        ("method: [회귀·층화, 이중 강건 추정]", "method: [회귀 보정]", "front-matter", "method:", "회귀·층화, 성향점수"),
        ("slide-new, main-figure]", "slide-new]", "main-figure", "---", "0개"),
        ("kind: case\n", "kind: case\ntitle: 제목\n", "front-matter", "title:", "지우세요"),
        (', wrong={\n    "ATE와 혼동": ("ATE", "씻지 않던 로트는 이 결정으로 바뀌지 않습니다."),\n    "ATU와 혼동": ("ATU", "ATU는 지금 씻지 않는 로트의 효과입니다.")}', ", wrong={}", "exercise", 'check_answer("연습 3"', "흔한 오답"),
        ("decimals=2, wrong={", "tol=0.005, wrong={", "decimals", 'check_answer("연습 2"', "자릿수가 없습니다"),
        ("소수점 둘째 자리까지 적으세요", "적으세요", "decimals", 'check_answer("연습 2"', "'소수점 둘째 자리까지 답하세요'"),
        ('check_answer("연습 2"', 'check_answer("연습 7"', "exercise", 'check_answer("연습 7"', "'연습 2'(으)로"),
        (":::{exercise} 연습 3. 누구의", ":::{exercise} 누구의", "exercise", ":::{exercise} 누구의", "연습 1. 제목"),
        ("datasets: [template_case]", "datasets: [template_case, ticket_response]", "dataset", "datasets:", "ticket_response"),
        ('load("template_case")', 'load("ticket_response")', "dataset", 'load("ticket_response")', "머리말의 datasets에 없습니다"),
        ("libraries: [dowhy, statsmodels]", "libraries: [dowhy, econml]", "library", "libraries:", "econml"),
        ("(../guides/contributing.md)", "(../guides/nowhere.md)", "link", "(../guides/nowhere.md)", "nowhere.md"),
        (":::{slide} 바꿀 셀은 셋입니다", ":::{slide}", "slide", ":::{slide}\n", "제목이 없습니다"),
        (":::{slide} 바꿀 셀은 셋입니다", ":::{slide} 값은 {glue:text}`effect:.1f`", "slide", ":::{slide} 값은", "글자 그대로"),
        ("cost, loss = 12.0, 4.0", "cost, loss = (12.0, 4.0", "code", "cost, loss = (", "괄호"),
        ("## 3. 결정\n", "## 3. 결정\n\n![](data:image/png;base64,AAAA)\n", "output", "![](data:", "박혀"),
        ("## 3. 결정\n", "## 3. 결정\n\n![](../assets/static/icon.svg)\n", "alt", "![](../assets", "대체 텍스트"),
    ],
)  # fmt: skip
def test_a_broken_template_says_what_and_where(old, new, rule, where, says):
    broken = changed_template(old, new)
    found = [f for f in structure.check(broken) if f.rule == rule]
    assert len(found) == 1, [str(f) for f in structure.check(broken)]
    assert found[0].line == line_of(broken.text, where) and says in found[0].message


@pytest.mark.parametrize(
    "key", ["week", "organisation", "source", "estimand", "treatment", "unit", "datasets", "minutes"]
)
def test_a_missing_front_matter_key_is_named(key):
    lines = [line for line in TEMPLATE.text.split("\n") if not line.startswith(f"{key}:")]
    meta = {k: v for k, v in TEMPLATE.meta.items() if k != key}
    messages = [
        f.message for f in structure.check(Page(TEMPLATE.path, "\n".join(lines), meta)) if f.rule == "front-matter"
    ]
    assert len(messages) == 1 and f"'{key}'이(가) 없습니다" in messages[0]


def test_missing_solution_self_check_and_records_are_found():
    no_solution = changed_template(":tags: [solution, hide-cell]\nanswer_3", ":tags: [hide-cell]\nanswer_3")
    assert any(
        "정답 셀이 없습니다" in f.message and f.line == line_of(no_solution.text, ":::{exercise} 연습 3.")
        for f in structure.check(no_solution)
    )
    no_check = changed_template(':tags: [self-check]\ncheck_answer("연습 3"', 'check_answer("연습 3"')
    assert any("자기 점검이 없습니다" in f.message for f in structure.check(no_check))
    no_record = changed_template('validate("추가', 'print("추가')
    assert [f.rule for f in structure.check(no_record) if "validate" in f.message] == ["claim", "claim"]
    by_hand = changed_template('validate("추가', 'record_claim("추가')  # 되풀이한 검증만 없을 때
    assert [f.message for f in structure.check(by_hand) if f.rule == "claim" and "record_validation" in f.message]


def test_a_figure_without_alternative_text_is_found():
    broken = changed_template('{alt: "정비 후 시간, 공급사', '{title: "정비 후 시간, 공급사')
    found = [f for f in structure.check(broken) if f.rule == "alt"]
    assert [f.line for f in found] == [line_of(broken.text, 'title: "정비') - 2]


def test_a_name_made_only_in_a_solution_must_not_be_used_later():
    broken = changed_template('answer_3 = "ATT"', 'answer_3 = choice = "ATT"').text.replace(
        'expected="ATT"', "expected=choice"
    )
    found = [f for f in structure.check(Page(TEMPLATE.path, broken, TEMPLATE.meta)) if f.rule == "exercise"]
    assert [f.line for f in found] == [line_of(broken, 'check_answer("연습 3"')] and "'choice'" in found[0].message


def test_visible_code_does_not_lean_on_a_removed_cell():
    hidden = "```{code-cell} ipython3\n:tags: [remove-cell]\nlevel = 3\n```\n\n```{code-cell} ipython3\nprint(level)\n```\n\n## 3. 결정\n"
    broken = changed_template("## 3. 결정\n", hidden)
    found = [f for f in structure.check(broken) if f.rule == "removed-name"]
    assert [f.line for f in found] == [line_of(broken.text, "print(level)")] and "'level'" in found[0].message
    shown = changed_template("## 3. 결정\n", hidden.replace("remove-cell", "hide-input"))
    assert not [f for f in structure.check(shown) if f.rule == "removed-name"]


def test_bold_that_stays_as_stars_is_found():
    broken = changed_template("## 3. 결정\n", "## 3. 결정\n\n작은 점포에는 더 큰 **%**입니다. **굵게** 됩니다.\n")
    found = [f for f in language.check(broken) if f.rule == "stars"]
    assert [f.line for f in found] == [line_of(broken.text, "작은 점포")]
    glued = changed_template("## 3. 결정\n", "## 3. 결정\n\n값은 **{glue:text}`effect:.1f`시간**입니다.\n")
    assert not [f for f in language.check(glued) if f.rule == "stars"]
    tight = changed_template("## 3. 결정\n", "## 3. 결정\n\n값은 **{glue:text}`effect:.1f`**입니다.\n")
    assert [f.line for f in language.check(tight) if f.rule == "stars"] == [line_of(tight.text, "값은 **")]


def test_a_block_that_is_never_closed_is_found_where_it_opens():
    last = TEMPLATE.text.rstrip("\n").split("\n")[-1]
    changed = changed_template(last, f"{last}\n\n::::{{note}}\n:::{{tip}}\n안\n:::\n:::")
    assert [f.line for f in structure.check(changed) if f.rule == "fence"] == [line_of(changed.text, "::::{note}")]


def test_a_figure_slide_needs_a_note_with_its_minutes():
    head = re.search(r":::\{notes\} .*\n(?=2분\. )", TEMPLATE.text).group()
    note = TEMPLATE.text[TEMPLATE.text.index(head) :]
    note = note[: note.index("\n:::\n") + 5]
    missing = changed_template(note, "")
    silent = changed_template(head + "2분. ", head)
    for page, where, says in (
        (missing, "### 겹침과 균형", "노트가 없습니다"),
        (silent, head.strip(), "시간이 없습니다"),
    ):
        found = [f for f in structure.check(page) if f.rule == "notes"]
        assert [says in f.message for f in found] == [True]
        assert 0 <= found[0].line - line_of(page.text, where) < 40
    assert not [f for f in structure.check(TEMPLATE) if f.rule == "notes"]


def test_too_few_slides_are_counted():
    broken = Page(
        TEMPLATE.path, TEMPLATE.text.replace(":::{slide}", ":::{tip}").replace("slide-new", "slide"), TEMPLATE.meta
    )
    assert any(f.rule == "slide" and "0장" in f.message for f in structure.check(broken))


def test_guidance_boxes_may_stay_in_drafts_only():
    elsewhere = ROOT / "case_studies" / "finished_case.md"
    finished = [f for f in structure.check(Page(elsewhere, TEMPLATE.text, TEMPLATE.meta)) if f.rule == "guidance"]
    draft = [
        f
        for f in structure.check(Page(elsewhere, TEMPLATE.text, TEMPLATE.meta | {"draft": True}))
        if f.rule == "guidance"
    ]
    assert len(finished) == TEMPLATE.text.count("{admonition} 안내") and not draft


def test_a_link_to_an_unpublished_page_is_found_on_published_pages():
    found = structure.check(TEMPLATE, published=set(toc_docnames()) - {"guides/contributing"})
    assert {f.rule for f in found} == {"link"} and all("차례에 없는" in f.message for f in found)


def test_a_chapter_needs_its_own_headings_and_name():
    meta = {"kind": "chapter", "question": [1], "description": "설명입니다.", "week": 5, "minutes": WEEK5["minutes"],
            "libraries": [], "datasets": [], "prerequisites": [], "jupytext": {"text_representation": {"format_name": "myst"}}}  # fmt: skip
    body = "---\nweek: 5\n---\n# 제목\n\n## 이번 주 질문\n"
    found = structure.check(Page(ROOT / "chapters" / "week06_other.md", body, meta))
    missing = [f.message for f in found if f.rule == "heading"]
    assert {m.split("'")[1] for m in missing} == {name for name, _ in structure.HEADINGS["chapter"][1:]}
    assert any(f.rule == "name" and f.line == 2 for f in found)


WEEK5 = {
    "kind": "chapter",
    "week": 5,
    "minutes": {"read": 35, "talk": 45, "practise": 30, "case": 20, "discussion": 25},
}
EVENING = ":::{evening}\ntalk: 1절\npractise: 연습\ncase: 사례\ndiscussion: 질문\n:::\n"


def size_of(body: str, minutes: dict | None = None, kind: str = "chapter") -> list[str]:
    meta = {**WEEK5, "kind": kind, "minutes": minutes or WEEK5["minutes"]}
    page = Page(ROOT / "chapters/week05_small.md", "---\nweek: 5\n---\n# 제목\n\n" + body, meta)
    return [f.message for f in structure.check(page) if f.rule == "size"]


CODE = "```{code-cell} ipython3\n%s\n```\n\n"


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ("말 " * 2401 + "\n", "어절"),
        (CODE % "1" * 29, "코드 셀"),
        (CODE % "\n".join(["1"] * 201), "코드 줄"),
        (":::{slide} 제목\n말\n:::\n\n" * 19, "슬라이드"),
    ],
)
def test_a_chapter_longer_than_an_evening_is_found(extra, said):
    assert not size_of(EVENING)
    assert [said in m and "deeper" in m for m in size_of(EVENING + "\n" + extra)] == [True]
    assert not size_of(EVENING + "\n" + extra, kind="deeper")  # 심화에는 상한이 없습니다


def test_folded_code_and_notes_do_not_count():
    folded = CODE.replace("\n%s", "\n:tags: [hide-input]\n\n%s") % "1" * 40
    assert not size_of(EVENING + "\n" + folded + ":::{notes}\n" + "말 " * 3000 + "\n:::\n")


@pytest.mark.parametrize(
    ("body", "minutes", "said"),
    [
        ("", None, "0개"),
        (EVENING * 2, None, "2개"),
        (EVENING.replace("case: 사례\n", ""), None, "case"),
        (EVENING, {**WEEK5["minutes"], "read": 60}, "60분"),
        (EVENING, {**WEEK5["minutes"], "talk": 50}, "120"),
    ],
)
def test_the_plan_of_the_evening_fits(body, minutes, said):
    assert any(said in m for m in size_of(body, minutes))


def test_a_deeper_page_hangs_under_its_chapter(monkeypatch):
    chapter, deeper = "chapters/week05_propensity_score", "chapters/week05_deeper"
    pages = {f"{chapter}.md": "[깊이](week05_deeper.md)"}
    monkeypatch.setattr(structure, "read_page", lambda name: Page(ROOT / name, "# 장\n\n" + pages[name], {}))

    def found(body: str, below: list[str], name: str = deeper) -> list[str]:
        monkeypatch.setattr(structure, "toc_branches", lambda: [(chapter, below)])
        page = Page(ROOT / f"{name}.md", "---\nweek: 5\n---\n# 깊이\n\n" + body, {"kind": "deeper", "week": 5})
        return [f.message for f in structure.check(page, published=set()) if f.rule in {"name", "link"}]

    back = "[장](week05_propensity_score.md)"
    assert not found(back, [deeper, "case_studies/uber_late_delivery"])
    assert "week05_deeper" in found(back, [deeper], "chapters/week05_more")[0]
    assert "바로 아래" in found(back, ["case_studies/uber_late_delivery", deeper])[0]
    assert "링크가 없습니다" in found("", [deeper])[0]
    pages[f"{chapter}.md"] = "없음"
    assert "링크가 없습니다" in found(back, [deeper])[0]


# ── 명령 ──


def run(*arguments: str) -> tuple[int, str]:
    out = io.StringIO()
    with redirect_stdout(out):
        code = main(list(arguments))
    return code, out.getvalue()


def test_the_command_names_file_and_line_and_fails(tmp_path, monkeypatch):
    broken = ROOT / "case_studies" / "template.md"
    text = changed_template("구간 끝을 본전 3개로", "추정치를 본전 3개로").text
    monkeypatch.setattr("book.checks.__main__.read_page", lambda path: Page(broken, text, TEMPLATE.meta))
    code, out = run("case_studies/template.md")
    assert code == 1
    assert f"case_studies/template.md:{line_of(text, '추정치를')}: '추정치'" in out


def test_the_command_passes_a_good_page_and_explains_a_missing_one():
    assert run("case_studies/template.md") == (0, "쪽 1개를 보았습니다. 고칠 것이 없습니다.\n")
    code, out = run("case_studies/nowhere.md")
    assert code == 1 and "case_studies/nowhere.md: 파일이 없습니다." in out


def test_warnings_alone_do_not_fail():
    noisy = changed_template('glue("size", -estimate)', 'glue("size", -estimate)\nglue("spare", 1)')
    found = inspect_page(noisy)
    assert [f.rule for f in found] == ["glue-unused"] and check_page(noisy) == []


def test_all_pages_are_checked_in_seconds():
    done = subprocess.run(
        [sys.executable, "-c", "import time; from book.checks.__main__ import main; t = time.process_time(); main(); print(time.process_time() - t)"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    # 다른 시험과 코어를 나눠 써도 흔들리지 않게 CPU 시간으로 봅니다. 책이 늘어도 쪽마다의 몫은 늘지 않습니다
    assert float(done.stdout.splitlines()[-1]) < 0.5 * len(published_pages())


@pytest.mark.parametrize("cut", range(40, 660, 45))
def test_a_page_cut_off_anywhere_is_reported_and_never_raises(cut):
    text = "\n".join(TEMPLATE.text.split("\n")[:cut])
    found = check_page(Page(TEMPLATE.path, text, TEMPLATE.meta))
    assert found and all(1 <= f.line <= cut + 1 for f in found)


@pytest.mark.parametrize(
    "key", ["jupytext", "week", "minutes", "source", "question", "method", "datasets", "libraries", "estimand"]
)
def test_a_front_matter_value_of_the_wrong_kind_is_reported_and_never_raises(key):
    for value in (None, True, [{}], {"가": 1}):
        assert any(
            f.rule == "front-matter"
            for f in structure.check(Page(TEMPLATE.path, TEMPLATE.text, TEMPLATE.meta | {key: value}))
        )
