"""본문의 ``{eval}``: 어디서 나누고, 무엇을 보기로 넘기며, 커널에서 무엇을 거절하는지."""

import ast
import json

import nbformat
import numpy as np
import pytest
import yaml

from book import execution, values
from book.checks import prose_numbers
from book.myst import parse
from book.page import ROOT, Page, read_page

FRONT = """---
jupytext:
  text_representation: {extension: .md, format_name: myst}
kernelspec: {display_name: Python 3, language: python, name: python3}
kind: guide
title: 시험
description: 시험
META---

# 시험
"""


def page(body: str, meta: str = "") -> Page:
    text = FRONT.replace("META", meta) + body
    return Page(ROOT / "guides" / "made_up.md", text, yaml.safe_load(text.split("---\n")[1]))


def cell(code: str, tags: str = "") -> str:
    return f"\n```{{code-cell}} ipython3\n{tags}{code}\n```\n\n"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("ate", ("ate", "")),
        ("ate:.1f", ("ate", ".1f")),
        ("x[1:3]", ("x[1:3]", "")),
        ("x[1:3].mean():,.0f", ("x[1:3].mean()", ",.0f")),
        ("d['a:b']:.2f", ("d['a:b']", ".2f")),
        ("(lambda v: v)(2):d", ("(lambda v: v)(2)", "d")),
    ],
)
def test_the_right_most_colon_that_leaves_an_expression_splits(raw, expected):
    assert values.split(raw) == expected


def test_examples_in_code_are_not_evaluated():
    text = '값 {eval}`x` 보기 ``{eval}`y` ``\n```text\n{eval}`z`\n```\n% {eval}`w`\n:::{slide} 제목 {eval}`t`\n{eval}`u["k"]:.1f`\n:::'
    assert [(e.raw, e.line) for e in values.expressions(text)] == [("x", 0), ("t", 5), ('u["k"]:.1f', 6)]


def test_the_value_is_put_where_the_expression_stood_and_lines_stay():
    text = "앞 {eval}`a` 뒤 {eval}`b:.1f`\n다음 {eval}`a`"
    made = values.substitute(text, {"a": {"text": "1*2"}, "b:.1f": {"text": "-0.5"}})
    assert made == "앞 1\\*2 뒤 -0.5\n다음 1\\*2"
    with pytest.raises(KeyError):
        values.substitute("{eval}`c`", {})


@pytest.mark.parametrize(
    ("value", "kept"), [(np.float64(1 / 3), 0.3333333333), (np.int64(3), 3), ("글", "글"), (2.0, 2.0)]
)
def test_numbers_and_words_are_kept_to_ten_digits(value, kept):
    assert values.plain(value) == kept


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None, True, [1], 1j])
def test_what_cannot_stand_in_prose_is_refused(value):
    with pytest.raises((ValueError, TypeError)):
        values.plain(value)


def test_errors_are_told_by_name():
    found = values.evaluate(["x:.1f", "y", "1/0", "x:q"], {"x": 2.0})
    assert found["x:.1f"] == {"text": "2.0", "value": 2.0}
    assert (
        "아직 만들지 않았습니다" in found["y"]["error"]
        and "ZeroDivisionError" in found["1/0"]["error"]
        and "error" in found["x:q"]
    )


def run(tmp_path, monkeypatch, text: str):
    path = tmp_path / "page.md"
    path.write_text(text, encoding="utf-8")
    for module in ("book.page", "book.execution"):
        monkeypatch.setattr(f"{module}.ROOT", tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    made = tmp_path / "out.ipynb"
    execution.run_page(path, made)
    return nbformat.read(made, as_version=4), json.loads(made.with_suffix(".json").read_text(encoding="utf-8"))["error"]


def test_values_are_those_of_the_moment_right_after_the_cell_above(tmp_path, monkeypatch):
    text = (
        FRONT.replace("META", "")
        + cell("x = 1")
        + "지금 {eval}`x`입니다."
        + cell("x = x + 1\n'나옴'")
        + "이제 {eval}`x`, {eval}`x / 3:.2f`입니다.\n"
    )
    notebook, error = run(tmp_path, monkeypatch, text)
    assert error is None
    assert values.at(notebook, 1)["x"]["text"] == "1" and values.at(notebook, 2)["x"]["text"] == "2"
    values.substitute_cells(notebook.cells, notebook)
    prose = [c.source for c in notebook.cells if c.cell_type == "markdown"]
    assert prose[1] == "지금 1입니다." and prose[2] == "이제 2, 0.67입니다."
    code = [c for c in notebook.cells if c.cell_type == "code"]
    first, second = (c.execution_count for c in code)
    assert second == first + 1, "본문의 계산이 셀의 번호를 밀어서는 안 됩니다."
    assert not code[0].outputs and len(code[1].outputs) == 1


def test_a_value_that_cannot_be_computed_stops_the_page_with_its_line(tmp_path, monkeypatch):
    text = FRONT.replace("META", "") + cell("x = float('nan')") + "\n값은 {eval}`x`, {eval}`late`입니다.\n"
    _, error = run(tmp_path, monkeypatch, text)
    line = text.split("\n").index("값은 {eval}`x`, {eval}`late`입니다.") + 1
    assert f"page.md:{line}:" in error and "nan" in error and "'late'" in error
    _, error = run(tmp_path, monkeypatch, FRONT.replace("META", "") + "\n값 {eval}`x`\n" + cell("x = 1"))
    assert "앞에 코드 셀이 없습니다" in error


def test_another_expression_changes_the_key_and_another_sentence_does_not():
    base = page(cell("x = 1") + "값은 {eval}`x`입니다.")
    same = page(cell("x = 1") + "그 값이 {eval}`x`입니다.")
    other = page(cell("x = 1") + "값은 {eval}`x + 1`입니다.")
    assert execution.execution_key(base) == execution.execution_key(same) != execution.execution_key(other)


# --- 숫자 검사 ---


def rules(made: Page) -> list[str]:
    return [f.rule for f in prose_numbers.check(made, parse(made.text))]


def test_a_number_written_in_the_code_of_its_section_passes_until_the_code_changes():
    assert rules(page("\n## 1. 절\n" + cell("draws = 200") + "표본을 200번 뽑습니다.\n")) == []
    assert rules(page("\n## 1. 절\n" + cell("draws = 150") + "표본을 200번 뽑습니다.\n")) == ["number"]
    assert rules(page("\n## 1. 절\n" + cell("draws = 200") + "\n## 2. 절\n\n표본을 200번 뽑습니다.\n")) == ["number"]
    assert rules(page("\n## 1. 절\n" + cell("level = 0.07") + "수준은 7%입니다.\n")) == []
    assert rules(page("\n## 1. 절\n" + cell("n = 10_000") + "손님은 10,000명입니다.\n")) == []


def test_a_scenario_constant_of_the_front_matter_must_stand_in_the_code():
    body = "\n## 1. 절\n" + cell("cost = 3.6") + "\n## 2. 절\n\n한 건에 3.6달러입니다.\n"
    assert rules(page(body, "given: {한 건의 비용: 3.6}\n")) == []
    assert rules(page(body.replace("cost = 3.6", "cost = 4.0"), "given: {한 건의 비용: 3.6}\n")) == ["given"]


def test_prose_may_not_call_a_name_that_only_a_removed_cell_makes():
    hidden = cell("x = 1", ":tags: [remove-cell]\n")
    assert rules(page(hidden + "값은 {eval}`x`입니다.")) == ["eval"]
    assert rules(page(cell("x = 1") + hidden + "값은 {eval}`x`입니다.")) == []
    assert rules(page(cell("x = 1") + "값은 {eval}`x +`입니다.")) == ["eval"]


def test_every_expression_of_the_book_can_be_read():
    from book.page import published_pages

    for published in published_pages():
        for expression in values.expressions(published.text):
            ast.parse(expression.code, mode="eval")
    assert read_page(ROOT / "chapters" / "week06_effect_heterogeneity.md").text.count("{eval}") > 20
