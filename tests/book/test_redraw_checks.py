"""다른 자료로 다시 실행하기와 그 검사: 심은 잘못이 걸리고, 멀쩡한 쪽은 걸리지 않습니다."""

import tempfile
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from book import redraw
from book.checks import meaning, redrawn
from book.execution import Execution, run_fenced
from book.myst import parse
from book.page import ROOT, Page, build_dir, read_page
from causal_practice.claims import CLAIM_MIME, VALIDATION_MIME

NOTHING = {"key": "", "still": [], "turned": [], "glue": [], "claims": {}, "validations": {}, "errors": [], "wrong": [], "figures": []}  # fmt: skip
CLAIM = {"name": "쿠폰", "unit": "천 원/4주", "estimate": 6.2, "naive": -3.1, "truth": 6.0, "low": 5.0, "high": 7.4}


def page(body: str, **meta) -> Page:
    return Page(ROOT / "guides" / "sample.md", body, meta)


def ran(values: dict | None = None, records: list | None = None, glued: dict | None = None):
    """실행 결과를 흉내 낸 것: {자리: {식: 값}}, [(MIME, 기록)], {이름: 값}."""
    outputs = [new_output("display_data", {mime: content}) for mime, content in records or []]
    for name, value in (glued or {}).items():
        outputs.append(new_output("display_data", {redraw.GLUE: repr(value)}, metadata={"scrapbook": {"name": name}}))
    book = new_notebook(cells=[new_code_cell("x", outputs=outputs)])
    book.metadata["values"] = {
        str(at): {raw: {"text": "", "value": value} for raw, value in found.items()}
        for at, found in (values or {}).items()
    }
    return SimpleNamespace(notebook=lambda: nbformat.from_dict(book))


# ── 견주기 ──


def test_what_stays_and_what_turns_is_told_apart():
    site = ran(
        {1: {"a:.1f": 1.5, "n": 10, "gone:.1f": 2.0, "s": -0.4}}, [(CLAIM_MIME, CLAIM)], {"fixed": 0.412, "moved": 1.0}
    )
    again = ran({1: {"a:.1f": 1.7, "n": 10, "s": 0.3}}, [(CLAIM_MIME, CLAIM | {"estimate": 6.4, "low": 5.1, "high": 7.5})], {"fixed": 0.412, "moved": 1.1})  # fmt: skip
    found = redraw.compare(site.notebook(), again.notebook())
    assert (found["still"], found["turned"]) == ([[1, "n"]], [[1, "s"]])
    assert found["glue"] == ["fixed"] and found["claims"] == {"쿠폰": ["naive"]}


# ── 움직이지 않은 수 ──

CODE = '```{code-cell} ipython3\ndf = load("one")\neffect = df["y"].mean()\ntyped = 0.412\ncost = 3000.0\nshare = np.mean([1, 2, 4]) / 3\n```\n\n'


def findings(body: str, still: list[str], values: dict, **meta) -> list[str]:
    facts = NOTHING | {"still": [[1, raw] for raw in still]}
    return [f.message for f in redrawn.check(page(body, **meta), ran({1: values}), facts)]


def test_a_typed_result_is_found_and_a_stated_constant_is_not():
    body = CODE + "효과는 {eval}`typed:.3f`이고 비용은 {eval}`cost:.0f`, 몫은 {eval}`share:.2f`입니다.\n"
    values = {"typed:.3f": 0.412, "cost:.0f": 3000.0, "share:.2f": 7 / 9}
    found = findings(body, list(values), values)
    assert len(found) == 1 and "typed:.3f" in found[0] and "글자로 적힌 수" in found[0]
    assert findings(body, list(values), values, given={"문턱": 0.412}) == []


def test_a_computed_value_may_stay_by_chance():
    body = CODE + "{eval}`effect:.2f`와 {eval}`share:.2f`입니다.\n"
    assert findings(body, ["effect:.2f", "share:.2f"], {"effect:.2f": 0.95, "share:.2f": 7 / 9}) == []


def test_a_typed_value_in_glue_is_found():
    body = '```{code-cell} ipython3\nx = 1\nglue("size", 4.031)\n```\n\n{glue:text}`size:.1f`개\n'
    facts = NOTHING | {"glue": ["size"]}
    assert [f.line for f in redrawn.check(page(body), ran(glued={"size": 4.031}), facts)] == [3]


def test_claims_and_cells_that_cannot_follow_the_data_are_found():
    body = '```{code-cell} ipython3\nrecord_claim("쿠폰", estimate=6.2)\n```\n'
    facts = NOTHING | {
        "claims": {"쿠폰": ["estimate"]},
        "validations": {"쿠폰": ["coverage"]},
        "errors": [[1, "AssertionError: "]],
    }
    found = redrawn.check(page(body), ran(), facts)
    failed = NOTHING | {"wrong": ["연습 1"]}
    assert ["자기 점검" in f.message for f in redrawn.check(page(body), ran(), failed)] == [True]
    assert sorted(f.line for f in found) == [2, 2] and any("멈춥니다" in f.message for f in found)
    assert redrawn.check(page(body), ran(), NOTHING) == []
    kept = page(body, depends=["data/benchmarks/heavy.yml"])  # 미리 돌려 둔 결과를 읽는 쪽
    assert redrawn.check(kept, ran(), NOTHING | {"claims": {"쿠폰": ["estimate"]}}) == []


def test_a_page_whose_design_was_chosen_on_its_own_data_is_looked_at_where_it_ran():
    """글꼴에 없는 글자는 그대로 찾고, 멈춘 셀의 그림은 보지 않습니다."""
    once = page(CODE, drawn_once="광고할 곳을 이 자료의 앞 기간에서 골랐습니다")
    picture = {"axes": [["가로", "날(일)"], ["세로", "주문(건)"]], "over": [], "texts": []}
    facts = NOTHING | {
        "errors": [[2, "IndexError: "]],
        "claims": {"쿠폰": ["estimate"]},
        "figures": [picture | {"cell": 1, "missing": "□"}, picture | {"cell": 2, "missing": "□"}],
    }
    assert [f.rule for f in redrawn.check(once, ran(), facts)] == ["figure"]


# ── 그림 속의 글자 ──


@pytest.mark.parametrize(
    ("picture", "says"),
    [
        ({"missing": "−"}, "글꼴에 없는"),
        ({"axes": [["세로", ""], ["가로", "주"]]}, "세로축에 이름이 없습니다"),
        ({"axes": [["가로", "매출"]]}, "단위가 없습니다"),
        ({"texts": ["Treatment effect"]}, "영어입니다"),
        ({"axes": [["가로", "Revenue (USD)"]]}, "영어입니다"),
    ],
)
def test_a_bad_text_in_a_figure_is_found(picture, says):
    whole = {"cell": 1, "axes": [], "over": [], "texts": [], "missing": ""} | picture
    found = redrawn.figures("a.md", parse("```{code-cell} ipython3\nx\n```\n"), [whole])
    assert len(found) == 1 and says in found[0].message and found[0].line == 2


@pytest.mark.parametrize(
    ("label", "wrong"),
    [
        ("약속보다 늦은 시간(분, 구간의 평균)", False),
        ("약속보다 늦은 시간(시간, 구간의 평균)", True),
        ("주문 금액(천 원/4주)", True),
        ("주문 금액(원)", False),
        ("주문 금액(표준편차)", False),
        ("배달비(천 원)", False),
    ],
)
def test_the_unit_of_an_axis_is_that_of_the_card(label, wrong):
    picture = {"cell": 1, "axes": [["가로", label]], "over": [], "texts": [], "missing": ""}
    units = {"늦은 시간": {"분"}, "주문 금액": {"원"}}
    found = redrawn.figures("a.md", parse("```{code-cell} ipython3\nx\n```\n"), [picture], units)
    assert ["카드" in f.message for f in found] == [True] * wrong


def test_good_texts_in_a_figure_pass():
    fine = {"cell": 1, "axes": [["세로", "매출(만 원)"], ["가로", "성향점수"], ["가로", ""]], "over": [], "missing": "",
            "texts": ["AIPW", "EconML", "정답", "ATT(g,t)", "$e(1-e)$"]}  # fmt: skip
    assert redrawn.figures("a.md", parse("```{code-cell} ipython3\nx\n```\n"), [fine]) == []


# ── 단위와 방향 ──


def meanings(body: str, values: dict, turned=(), records=((CLAIM_MIME, CLAIM),)) -> list[str]:
    facts = NOTHING | {"turned": [[1, raw] for raw in turned]}
    cell = "```{code-cell} ipython3\nx = 1\n```\n\n"
    return [f.rule for f in meaning.check(page(cell + body), ran({1: values}, list(records)), facts)]


EFFECT = {"e:.1f": 6.2, "gap:.1f": 3.1, "a:.1f": 5.0, "b:.1f": 3.0}


@pytest.mark.parametrize(
    ("good", "bad", "rule"),
    [
        ("쿠폰은 {eval}`e:.1f`천 원 늘립니다.", "쿠폰은 {eval}`e:.1f`천 원 줄입니다.", "direction"),
        ("{eval}`gap:.1f`천 원을 덜 씁니다.", "{eval}`gap:.1f`천 원을 더 씁니다.", "direction"),
        ("쿠폰은 {eval}`e:.1f`천 원 늘립니다.", "쿠폰은 {eval}`e:.1f`만 원 늘립니다.", "unit"),
        ("{eval}`a:.1f`회에서 {eval}`b:.1f`회로 줄었습니다.", "{eval}`a:.1f`회에서 {eval}`b:.1f`회로 늘었습니다.", "direction"),
        ("{eval}`b:.1f`회가 {eval}`a:.1f`회로 줄지 않습니다.", "{eval}`a:.1f`회가 {eval}`b:.1f`회로 줄지 않습니다.", "direction"),
        ("쿠폰은 {eval}`e:.1f`천 원 줄이지 않습니다.", "쿠폰은 {eval}`e:.1f`천 원 줄입니다.", "direction"),
        ("오차는 {eval}`b:.1f`로 앞의 {eval}`a:.1f`보다 작습니다.", "오차는 {eval}`b:.1f`로 앞의 {eval}`a:.1f`보다 큽니다.", "direction"),
        ("{eval}`a:.1f`회이던 것이 {eval}`b:.1f`회로 줄었습니다.", "{eval}`a:.1f`회이던 것이 {eval}`b:.1f`회로 늘었습니다.", "direction"),
        ("{eval}`a:.1f`천 원 [{eval}`b:.1f`, {eval}`a:.1f`]천 원", "{eval}`a:.1f`천 원 [{eval}`b:.1f`, {eval}`a:.1f`]만 원", "unit"),
        ("{eval}`b:.1f`시간에서 {eval}`a:.1f`시간", "{eval}`b:.1f`시간에서 {eval}`a:.1f`분", "unit"),
        ("{eval}`a:.1f`만 원이고 다시 {eval}`a:.1f`만 원입니다.", "{eval}`a:.1f`만 원이고 다시 {eval}`a:.1f`천 원입니다.", "unit"),
    ],
)  # fmt: skip
def test_a_word_that_contradicts_the_value_is_found(good, bad, rule):
    assert meanings(good, EFFECT) == []
    assert set(meanings(bad, EFFECT)) == {rule}


@pytest.mark.parametrize("joint", ["[{}, {}]회", "{}~{}회", "{}회~{}회"])
def test_an_interval_runs_upwards(joint):
    low, high = "{eval}`b:.1f`", "{eval}`a:.1f`"
    assert meanings(joint.format(low, high), EFFECT) == []
    assert meanings(joint.format(high, low), EFFECT) == ["interval"]


def test_the_size_of_a_negative_value_goes_down():
    assert meanings("한 사람에 {eval}`-gain:.0f`원씩 잃었습니다.", {"-gain:.0f": 12.0}) == []
    assert meanings("한 사람에 {eval}`-gain:.0f`원씩 벌었습니다.", {"-gain:.0f": 12.0}) == ["direction"]


def test_one_value_has_one_direction():
    cell = '```{code-cell} ipython3\nraw = f(2)\nprint(f"불량이 {raw:.1f}%p 높습니다.")\n```\n\n'
    assert meaning.opposites("a.md", parse(cell + "{eval}`raw:.1f`%p 높습니다.\n")) == []
    assert [f.line for f in meaning.opposites("a.md", parse(cell + "{eval}`raw:.1f`%p 낮습니다.\n"))] == [6]
    assert meaning.opposites("a.md", parse(cell + "시험을 줄이면 {eval}`raw:.1f`%p 낮습니다.\n")) == []


def test_a_share_is_multiplied_before_it_is_a_percentage():
    both = "{eval}`100 * give.mean():.0f`%이고 다시 "
    assert meaning.units(page(""), parse(both + "{eval}`100 * give.mean():.1f`%")) == []
    assert len(meaning.units(page(""), parse(both + "{eval}`give.mean():.2f`%"))) == 1
    assert len(meaning.units(page(""), parse("{eval}`100 * (won - paid) / paid:.0f`%p"))) == 1


def test_rows_of_a_table_share_the_unit_of_the_column():
    one = '{eval}`memo.loc["새 노래", "값"]:,.0f`만 원과 '
    assert meaning.units(page(""), parse(one + '{eval}`memo.loc["옛 노래", "값"]:,.0f`만 원')) == []
    assert len(meaning.units(page(""), parse(one + '{eval}`memo.loc["옛 노래", "값"]:,.0f`원'))) == 1


def test_a_direction_that_turns_with_the_data_is_found():
    assert meanings("늦음은 {eval}`x:.2f`회 늘립니다.", {"x:.2f": 0.02}, turned=["x:.2f"]) == ["direction"]
    assert meanings("늦음의 몫은 {eval}`x:.2f`회로 0과 가를 수 없습니다.", {"x:.2f": 0.02}, turned=["x:.2f"]) == []


def test_a_coverage_is_a_percentage():
    record = [(VALIDATION_MIME, {"name": "가", "coverage": 0.948, "bias": 0.0})]
    assert meanings("{eval}`100 * c:.0f`%를 담습니다.", {"100 * c:.0f": 94.8}, records=record) == []
    assert meanings("{eval}`100 * c:.0f`%p를 담습니다.", {"100 * c:.0f": 94.8}, records=record) == ["unit"]


def test_what_a_cell_prints_names_the_unit_too():
    cell = '```{code-cell} ipython3\ngain = f(2)\nprint(f"이익은 {gain:.1f}만 원입니다.")\n```\n\n'
    assert meaning.units(page(""), parse(cell + "{eval}`gain:.1f`만 원\n")) == []
    assert [f.line for f in meaning.units(page(""), parse(cell + "{eval}`gain:.1f`천 원\n"))] == [6]


def test_the_card_names_the_unit_of_a_column():
    meta = {"datasets": ["orientation_coupon"]}
    mean = '{eval}`df["spend"].mean():.1f`'
    assert meaning.units(page("", **meta), parse(f"{mean}천 원")) == []
    assert len(meaning.units(page("", **meta), parse(f"{mean}만 원"))) == 1


# ── 진짜 실행 ──

LIVE = """---
jupytext:
  text_representation: {extension: .md, format_name: myst}
kernelspec: {display_name: Python 3, language: python, name: python3}
datasets: [orientation_coupon]
---
# 제목

```{code-cell} ipython3
import matplotlib.pyplot as plt
import numpy as np
from causal_practice import generator, load, set_style

set_style()
df = load("orientation_coupon")
mean, rows, typed = df["spend"].mean(), len(df), 31.27
new = generator("orientation_coupon").generate(seed=3, n=50)["spend"].mean()
noise = np.random.default_rng(1).normal()
plt.plot([1, 2], [3, 4], label="treated group")
plt.xlabel("매출")
plt.legend()
plt.show()
```

{eval}`mean:.2f` {eval}`rows` {eval}`new:.2f` {eval}`noise:.2f` {eval}`typed:.2f`

```{code-cell} ipython3
assert abs(mean - df["spend"].mean()) < 1
print(1 / (rows - rows))
```
"""


def test_a_page_is_run_again_on_another_draw_and_to_its_end():
    build_dir().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=build_dir()) as folder:
        path = Path(folder) / "live.md"
        path.write_text(LIVE.replace("print(1 / (rows - rows))", "print(rows)"), encoding="utf-8")
        site, _ = run_fenced(read_page(path))
        path.write_text(LIVE, encoding="utf-8")
        live = read_page(path)
        place = Path(folder) / "site.ipynb"
        nbformat.write(site, place)
        site = Execution(live.docname, "", place, 0.0, 0.0, True)
        facts = redraw.run_live(live, site)
        (build_dir() / "redraw" / f"{live.docname.replace('/', '__')}.{redraw.redraw_key(live)}.json").unlink()
        assert [raw for _, raw in facts["still"]] == ["rows", "typed:.2f"]
        assert facts["errors"] == [[2, "ZeroDivisionError: division by zero"]]
        assert facts["figures"][0]["axes"] == [["가로", "매출"], ["세로", ""]] and facts["figures"][0]["texts"] == [
            "treated group"
        ]
        found = [f.message for f in redrawn.check(live, site, facts)]
    assert len(found) == 5 and sum("typed" in m for m in found) == 1


def test_a_record_belongs_to_one_version_of_the_page():
    template = read_page("case_studies/template.md")
    other = Page(
        template.path, template.text.replace("cost, loss = 12.0, 4.0", "cost, loss = 13.0, 4.0"), template.meta
    )
    prose = Page(template.path, template.text.replace("이 쪽은", "여기는", 1), template.meta)
    assert redraw.redraw_key(template) == redraw.redraw_key(prose) != redraw.redraw_key(other)
