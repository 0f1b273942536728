"""주장의 검사: 규칙마다 걸리는 쪽과 걸리지 않는 쪽."""

from dataclasses import dataclass

import nbformat
import pytest
import yaml

from book import values
from book.checks import claims, executed, labels, relations, slips
from book.myst import parse
from book.page import ROOT, Page, read_page

TEMPLATE = read_page("case_studies/template.md")
CLAIM = {"name": "세척", "estimand": "ATE", "unit": "개", "truth": -4.2, "naive": 1.0, "estimate": -4.0, "low": -5.0, "high": -3.0}  # fmt: skip


def changed(old: str, new: str) -> Page:
    """템플릿을 한 곳 고친 쪽."""
    assert old in TEMPLATE.text, f"템플릿에 없는 글: {old}"
    text = TEMPLATE.text.replace(old, new, 1)
    return Page(TEMPLATE.path, text, yaml.safe_load(text.split("---\n")[1]))


def rules(page: Page) -> set[str]:
    return {f.rule for f in claims.check(page)}


def cell(*lines: str) -> str:
    return "```{code-cell} ipython3\n" + "\n".join(lines) + "\n```\n"


def test_the_template_passes():
    assert claims.check(TEMPLATE) == []


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ('naive=difference, truth="ATE",', "naive=difference, truth=lambda d: -4.2,", "typed"),
        ('naive=difference, truth="ATE",', "naive=difference, truth=lambda d: aipw(d)[0],", "truth"),
        ("estimate, low, high = aipw(lots)", "estimate, low, high = aipw(lots[lots.supplier_b == 1])", "headline"),
        ("x, t = design(frame, adjust),", 'x, t = design(frame, [*adjust, "particles_after"]),', "role"),
        ("half = 1.96 * each", "half = 1.64 * each", "level"),
        ("return each.mean(), each.mean() - half, each.mean() + half", "s = each.std()\n    return each.mean(), each.mean() - 2.58 * s, each.mean() + 2.58 * s", "level"),
        ('lots = load("template_case")', 'lots = load("template_case", with_truth=True)', "truth"),
        ('check = validate("추가 세척", estimand="ATE"', 'check = validate("추가 세척", estimand="ATT"', "validate"),
        ("- **추정 대상**", "- **추정 대상**: ATT\n- **추정하는 것**", "estimand"),
    ],
)  # fmt: skip
def test_a_broken_claim_is_found(old, new, rule):
    assert rules(changed(old, new)) == {rule}


@pytest.mark.parametrize(
    ("record", "found"),
    [
        ("record_validation('a', truth=known, draws=len(runs), bias=runs.mean(), coverage=hit.mean())", set()),
        ("record_validation('a', truth=0.0, draws=200, bias=runs.mean(), coverage=hit.mean())", set()),
        ("record_validation('a', truth=0.3, draws=len(runs), bias=runs.mean(), coverage=hit.mean())", set()),
        ("record_validation('a', truth=0.31, draws=len(runs), bias=runs.mean(), coverage=hit.mean())", {"typed"}),
        ("record_validation('a', truth=goal, draws=len(runs), bias=runs.mean(), coverage=hit.mean())", {"typed"}),
        ("record_validation('a', truth=known, draws=999, bias=runs.mean(), coverage=hit.mean())", {"typed"}),
        ("record_validation('a', truth=known, draws=len(runs), bias=0.0, coverage=hit.mean())", {"typed"}),
        ("record_validation('a', truth=known, draws=len(runs), bias=b, coverage=0.3 if dark else 0.95)", {"typed"}),
        ("record_claim('a', truth=-goal, naive=n, estimate=e, interval=(lo, hi))", {"typed"}),
        ("record_claim('a', truth=known, naive=n, estimate=-0.5, interval=(lo, hi))", {"typed"}),
    ],
)
def test_what_is_typed_is_told_from_what_is_computed(record, found):
    text = cell("runs = [draw(k, rate=0.3) for k in range(200)]", "goal = -0.62", record)
    assert rules(Page(ROOT / "chapters" / "made_up.md", text, {})) == found


@pytest.mark.parametrize(
    ("prose", "found"),
    [
        ('게임 **{eval}`dr["게임"][0]`일**, 시청 {eval}`dr["시청"][0]`일입니다.', 0),
        ('게임 **{eval}`dr["시청"][0]`일**, 시청 {eval}`dr["게임"][0]`일입니다.', 2),
        ('시청에서 게임을 빼면 {eval}`dr["시청"][0] - dr["게임"][0]`일입니다.', 0),
        ('그 값은 {eval}`dr["시청"][0]`일이고 {eval}`dr["게임"][0]`일보다 큽니다.', 0),
        ("매칭은 {eval}`matched`회, AIPW는 {eval}`-aipw`회입니다.", 0),
        ("매칭은 {eval}`-aipw`회입니다.", 1),
        ("편향은 {eval}`checked.bias`회입니다.", 0),
        ("편향은 {eval}`checked.estimate`회입니다.", 1),
        ("정답은 {eval}`100 * naive`%입니다.", 1),
        ("포함률 {eval}`100 * cover`%, 표준오차 {eval}`late_se`회입니다.", 0),
        ("한 사람에 {eval}`-gain`원씩 잃었습니다.", 0),
        ("한 사람에 {eval}`-gain`원씩 벌었습니다.", 1),
        ("**{eval}`-pct(x)`%** 늘었습니다.", 1),
        ("- 받은 곳: {eval}`a + b`\n- 받지 않은 곳: {eval}`a - b`", 0),
        ("- 받은 곳: {eval}`a + b`\n- 받지 않은 곳: {eval}`a + b`", 1),
        ("| 방법 | 값 |\n|---|---|\n| 매칭한 뒤 | {eval}`aipw`회 |", 1),
        ("| 방법 | 값 |\n|---|---|\n| 매칭한 뒤 | {eval}`matched`회 |\n| 그 밖 | {eval}`matched`회 |", 1),
        ("| 방법 | 값 |\n|---|---|\n| 매칭한 뒤 | {eval}`aipw`에서 {eval}`matched`로 |", 0),
    ],
)
def test_a_value_under_the_name_of_another_is_found(prose, found):
    text = cell('found = {"매칭": matched, "AIPW": aipw}') + f"\n{prose}\n"
    given = text + '\n{eval}`dr["게임"][0]` {eval}`dr["시청"][0]`\n'
    page = Page(ROOT / "chapters" / "made_up.md", given, {})
    assert [f.rule for f in labels.check(page)] == ["label"] * found


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("train, test = df[:500], df[500:]", 0),
        ("train, test = df[:500], df[:500]", 1),
        ("train, test = df[:500], df[:500].reset_index(drop=True)", 1),
        ("a, b = np.zeros(3), np.zeros(3)", 0),
        ("fit, out = fold != k, fold == k", 0),
        ("fit, out = fold >= 0, fold == k", 1),
        ("low, high = x < cut, x >= cut", 0),
        ("one, two = kind == 1, kind == 2", 0),
        ("gain = (on - off).mean()", 0),
        ("gain = (off - on).mean()", 1),
        ("ate = p * att + (1 - p) * atu", 0),
        ("ate = (1 - p) * att + p * atu", 1),
        ("hit = abs(z) > 1.96", 0),
        ("hit = abs(z) > 1.645", 1),
    ],
)
def test_the_shapes_of_common_slips_are_found(code, found):
    assert len(slips.check(Page(ROOT / "chapters" / "made_up.md", cell(code), {}))) == found


# ── 실행한 쪽 ──


@dataclass
class Ran:
    """실행 결과의 대역. 코드 셀마다 찍은 글과, 셀 다음 본문의 값."""

    printed: list[str]
    said: dict[int, dict[str, float]]

    def notebook(self):
        cells = [
            nbformat.v4.new_code_cell("", outputs=[nbformat.v4.new_output("stream", name="stdout", text=text)])
            for text in self.printed
        ]
        known = {str(k): {raw: {"text": str(v), "value": v} for raw, v in row.items()} for k, row in self.said.items()}
        return nbformat.v4.new_notebook(cells=cells, metadata={values.METADATA_KEY: known})


def related(text: str, printed: list[str], said: dict, kind: str = "chapter") -> list[str]:
    page = Page(ROOT / "case_studies" / "made_up.md", text, {"kind": kind})
    return [f.rule for f in relations.check(page, Ran(printed, said), parse(text), [CLAIM], [])]


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({"e": 4.0, "a": 3.0, "b": 5.0}, []),
        ({"e": -400.0, "a": -500.0, "b": -300.0}, []),
        ({"e": 4.0, "a": 3.0, "b": 4.9}, ["headline"]),
        ({"e": 4.1, "a": 3.0, "b": 5.0}, ["headline"]),
        ({"e": 4.0, "a": 5.0, "b": 3.0}, ["interval"]),
    ],
)
def test_the_answer_at_the_head_is_a_claim(said, found):
    text = cell("pass") + "\n## 1. 한눈에\n\n- **답**: 불량을 {eval}`e`개 [{eval}`a`, {eval}`b`] 줄입니다\n"
    assert related(text, [""], {1: said}, "case") == found
    assert related(text, [""], {1: said}) == [rule for rule in found if rule == "interval"]


def test_a_value_outside_its_own_interval_is_found():
    text = cell("pass") + "\n효과는 {eval}`e`개 [{eval}`a`, {eval}`b`]입니다.\n"
    assert related(text, [""], {1: {"e": 2.0, "a": 1.0, "b": 3.0}}) == []
    assert related(text, [""], {1: {"e": 4.0, "a": 1.0, "b": 3.0}}) == ["interval"]
    apart = text.replace("개 [", "개이고 차이의 구간은 [")
    assert related(apart, [""], {1: {"e": 4.0, "a": 1.0, "b": 3.0}}) == []


@pytest.mark.parametrize(
    ("printed", "after", "found"),
    [
        ("손 계산 1.072시간, statsmodels 1.072시간입니다.", "두 값이 같습니다.", 0),
        ("손 계산 1.072시간, statsmodels 1.076시간입니다.", "두 값이 같습니다.", 1),
        ("손 계산 1.072시간, statsmodels 1.076시간입니다.", "두 값이 가깝습니다.", 0),
        ("손 계산 1.072시간, statsmodels 1.272시간입니다.", "두 값이 가깝습니다.", 1),
        ("손 계산 1.072시간, statsmodels 1.272시간입니다.", "기본값이 다르기 때문입니다.", 0),
        ("손 1.0358(표준오차 0.0691)\nlinearmodels 1.0358(0.0791)", "둘을 견줍니다.", 1),
        ("     손 계산  EconML\nATT -0.476  -0.401\nATE -0.429  -0.427", "줄끼리 견줍니다.", 1),
        ("손 계산과 EconML의 차이는 커야 0.00001입니다.", "같습니다.", 0),
    ],
)
def test_hand_and_library_are_compared_where_they_are_printed(printed, after, found):
    assert related(cell("pass") + f"\n{after}\n", [printed], {}) == ["agreement"] * found


@pytest.mark.parametrize(
    ("prose", "said", "found"),
    [
        ("묶으면 {eval}`a`이고 줄마다 보면 {eval}`b`입니다.", {"a": 0.0123456, "b": 0.0123456}, ["twins"]),
        ("묶으면 {eval}`a`이고 줄마다 보면 {eval}`b`로 같습니다.", {"a": 0.0123456, "b": 0.0123456}, []),
        ("묶으면 {eval}`a`이고 줄마다 보면 {eval}`b`입니다.", {"a": 0.0123456, "b": 0.0123457}, []),
        ("두 곳 모두 {eval}`a`곳, {eval}`b`곳입니다.", {"a": 24.0, "b": 24.0}, []),
        ("{eval}`give.mean()`%에게만 줍니다.", {"give.mean()": 0.27}, ["ratio"]),
        ("{eval}`100 * give.mean()`%에게만 줍니다.", {"100 * give.mean()": 0.27}, []),
        ("- **솔깃한 숫자**: {eval}`e`회. 늦은 손님이 더 주문합니다", {"e": 0.3}, []),
        ("- **솔깃한 숫자**: {eval}`e`회. 늦은 손님이 덜 주문합니다", {"e": 0.3}, ["direction"]),
        ("우리 추정은 {eval}`e`개입니다.", {"e": 4.0}, []),
        ("우리 추정은 {eval}`e`개입니다.", {"e": 4.3}, ["named"]),
        ("정답 ATE는 {eval}`e`개입니다.", {"e": -4.2}, []),
        ("정답 ATE는 {eval}`e`개입니다.", {"e": -4.0}, ["named"]),
    ],
)
def test_values_that_their_words_deny_are_found(prose, said, found):
    assert related(cell("give = pick()") + f"\n{prose}\n", [""], {1: said}, "case") == found


def test_balance_after_weighting_is_bounded():
    text = cell("pass") + "\n정규화 차이는 {eval}`a`에서, 가중한 뒤에는 {eval}`b` 안으로 들어옵니다.\n"
    assert related(text, [""], {1: {"a": 0.8, "b": 0.04}}) == []
    assert related(text, [""], {1: {"a": 0.8, "b": 0.24}}) == ["balance"]


def test_the_identified_set_is_used_and_holds_nothing_after_the_treatment():
    text = cell(
        'lots = load("template_case")', "def fit(d):", '    return d["particles_before"], d["supplier_b"]',
        'fit(lots)', 'validate("a", dataset="template_case", estimator=fit)',
    )  # fmt: skip
    assert related(text, ["보정할 변수: 세척 전 입자, supplier_b"], {}) == []
    assert related(text, ["보정할 변수: 세척 전 입자, 정비 후 시간"], {}) == ["adjust"]
    assert related(text, ["보정할 변수: 세척 전 입자, particles_after"], {}) == ["adjust", "role"] or related(
        text, ["보정할 변수: 세척 전 입자, particles_after"], {}
    ) == ["role", "adjust"]


@pytest.mark.parametrize(("estimand", "found"), [("ATE", True), ("샤플리 몫", False)])
def test_only_a_share_of_a_change_may_read_the_mechanism_of_a_mediator(estimand, found):
    text = cell(
        'lots = load("template_case")', "def fit(d):", '    return d["particles_after"]', "fit(lots)",
        f'validate("a", dataset="template_case", estimator=fit, estimand="{estimand}")',
    )  # fmt: skip
    page = Page(ROOT / "chapters" / "made_up.md", text, {"estimand": "ATE"})
    assert ("role" in rules(page)) == found


def test_a_truth_that_is_the_estimate_and_a_bias_beyond_its_error_are_found():
    page = Page(ROOT / "chapters" / "made_up.md", cell("pass"), {"estimand": "ATE"})
    checked = {"name": "세척", "method": "m", "draws": 400, "truth": -4.2, "bias": 0.2, "coverage": 0.95, "nominal": 0.95, "assumptions_hold": True}  # fmt: skip

    @dataclass
    class Recorded(Ran):
        records: tuple = ()
        seconds: float = 1.0
        memory_mb: float = 1.0
        cpu_seconds: float | None = None

        def notebook(self):
            made = super().notebook()
            made.cells[0].outputs = [
                nbformat.v4.new_output("display_data", {mime: record}) for mime, record in self.records
            ]
            return made

    def found(claim: dict, validation: dict, cpu_seconds: float = 1.0) -> list[str]:
        records = ((executed.CLAIM_MIME, claim), (executed.VALIDATION_MIME, validation))
        return [f.rule for f in executed.check(page, Recorded([""], {}, records, cpu_seconds=cpu_seconds))]

    assert found(CLAIM, checked) == []
    assert found(CLAIM | {"truth": -4.0}, checked) == ["claim"]
    assert found(CLAIM, checked | {"bias": 0.35}) == ["validation"]  # 정답의 10%보다 작지만 오차로는 설명되지 않습니다
    assert found(CLAIM, checked | {"bias": 0.35, "name": "다른 것"}) == []
    limit = executed.SLOWER_MACHINE * executed.SECONDS_BUDGET
    assert found(CLAIM, checked, limit) == [] and found(CLAIM, checked, limit + 1) == ["budget"]
