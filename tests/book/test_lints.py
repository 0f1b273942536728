"""값싼 검사, 연습문제의 검사, 저장소의 파일: 걸리는 것과 걸리지 않는 것."""

import pytest

from book.checks import answers, lints, prose_numbers
from book.page import ROOT, Page, published_pages


def page(body: str, name: str = "guides/sample.md", **meta) -> Page:
    return Page(ROOT / name, body, meta)


def rules(body: str) -> list[tuple[int, str]]:
    return [(f.line, f.rule) for f in lints.check(page(body))]


def cell(code: str, *tags: str) -> str:
    head = f":tags: [{', '.join(tags)}]\n" if tags else ""
    return f"```{{code-cell}} ipython3\n{head}{code}\n```\n\n"


@pytest.mark.parametrize(
    "text",
    [
        "AKIA" + "ABCDEFGHIJKLMNOP", "ghp_" + "a1" * 18, "sk-" + "a1b2" * 8, "-----BEGIN " + "PRIVATE KEY-----", 'api_key = "' + 'q8w7e6r5t4"',
        "https://name:" + "secret9@host.example/x",
    ],
)  # fmt: skip
def test_a_secret_is_found(text):
    assert [name for _, name in lints.secrets(f"첫 줄\n{text}\n")] and rules(f"첫 줄\n{text}\n")[0] == (2, "secret")


def test_words_about_secrets_are_not_secrets():
    assert (
        lints.secrets(
            '비밀 값을 받지 않습니다. token = ""\npassword: ${{ secrets.X }}\nhttps://a.b/c@d\ntask-' + "x" * 30
        )
        == []
    )


@pytest.mark.parametrize(
    "link",
    ["https:/x.com", "http//x.com", "htps://x.y", "https:///a.b", "[글]()", "[글] (https://a.b)", "[글](www.a.b)", "[글](https://)", "[글](https://a.bhttps://c.d)"],
)  # fmt: skip
def test_a_broken_link_is_found(link):
    assert rules(f"첫 줄\n\n{link} 입니다.\n") == [(3, "link")]


@pytest.mark.parametrize("link", ["[글](https://a.b/c)", "http://127.0.0.1:8000", "`https:/x`", "[쪽](../a.md)", "<https://foo.bar>입니다", "[1] (가)"])  # fmt: skip
def test_a_good_link_passes(link):
    assert rules(f"{link}\n") == []


@pytest.mark.parametrize(
    "code",
    [
        'warnings.filterwarnings("ignore")', 'warnings.simplefilter("ignore")', 'warnings.filterwarnings("ignore", category=UserWarning)',
        'np.seterr(all="ignore")', 'with np.errstate(all="ignore"):\n    x = 1', "%%capture\nx = 1", 'warnings.filterwarnings("ignore", message=".*")',
        'with warnings.catch_warnings(action="ignore"):\n    x = 1',
    ],
)  # fmt: skip
def test_silencing_every_warning_is_found(code):
    assert [rule for _, rule in rules(cell(code))] == ["warnings"]


@pytest.mark.parametrize(
    "code",
    ['warnings.filterwarnings("ignore", message="1 variables are")', 'with np.errstate(divide="ignore"):\n    x = 1', "with warnings.catch_warnings():\n    x = 1"],
)  # fmt: skip
def test_silencing_one_warning_passes(code):
    assert rules(cell(code)) == []


def test_an_english_sentence_is_found_and_names_are_not():
    assert rules("먼저 봅니다. The effect of the coupon is positive in this sample.\n") == [(1, "english")]
    assert rules("The selected riders also had larger effects.\n") == [(1, "english")]
    assert rules("먼저 봅니다. Selected riders also had larger effects.\n") == [(1, "english")]
    assert rules("먼저 the effect of the coupon is large 라고 적었습니다.\n") == [(1, "english")]
    assert rules('그는 "the effect of the coupon is positive"라고 적었습니다.\n') == []
    assert (
        rules(
            "{term}`평균 처치효과`(average treatment effect of the treated in the sample)입니다. EconML과 DoWhy를 씁니다.\n"
        )
        == []
    )


def test_a_copied_reason_is_found_on_its_page_and_on_others():
    one = page("% 숫자 허용: 1.6 — 앞에서 정한 본전\n본전 1.6번\n\n% 숫자 허용: 1.6 — 앞에서 정한 본전\n본전 1.6번\n")
    two = page("% 숫자 허용: 7.3 — 앞에서 정한 본전\n효과 7.3번\n", "guides/other.md")
    assert lints.copied_reasons([one]) == []
    assert [(p.docname, line) for p, line, _ in lints.copied_reasons([one, two])] == [("guides/other", 1)]
    assert rules(one.text + "\n% 숫자 허용: 9 — 앞에서 정한 본전\n값 9번\n") == [(7, "exemption")]


def test_reasons_are_written_for_their_own_place():
    found = [f"{p.docname}.md:{line}: {message}" for p, line, message in lints.copied_reasons(published_pages())]
    assert not found, "\n".join(found)


def test_the_number_of_repeats_is_that_of_the_code():
    code = cell("cost = 200\nruns = [one(k) for k in range(300)]")
    assert rules(f"## 가\n\n자료를 300번 새로 만듭니다.\n\n{code}") == []
    assert rules(f"## 가\n\n자료를 200번 새로 만듭니다.\n\n{code}") == [(3, "repeats")]
    named = cell("draws = 300\nruns = [one(k) for k in range(draws)]")
    assert rules(f"## 가\n\n자료를 300번 새로 만듭니다.\n\n{named}") == []
    assert rules(f"## 가\n\n4절의 자료 300번입니다.\n\n{cell('x = 1')}## 나\n\n{named}") == []


# ── 연습문제 ──


def exercise(solution: str, check: str, before: str = "", after: str = "") -> list[str]:
    body = (
        cell("a = f(1)\nb = 2")
        + before
        + ":::{exercise} 연습 1. 값\n얼마입니까?\n:::\n\n"
        + cell(solution, "solution", "hide-cell")
    )
    body += ":::{solution}\n둘을 곱하고 비용을 뺀 값이 정답입니다.\n:::\n\n" + cell(check, "self-check") + after
    return [f.message for f in answers.check(page(body))]


GOOD = 'check_answer("연습 1", answer_1, expected=a * b - 3, wrong={"합": (a + b, "더했습니다.")})'


def test_a_sound_exercise_passes():
    assert exercise("answer_1 = -3 + b * a", GOOD) == []
    assert exercise("answer_1 = 2", 'check_answer("연습 1", answer_1, expected=2)') == []  # 세는 답


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"check": 'check_answer("연습 1", answer_1, expected=answer_1)'}, "무엇을 적어도"),
        ({"check": '_e = answer_1\ncheck_answer("연습 1", answer_1, expected=_e)'}, "무엇을 적어도"),
        ({"solution": "helper = a * b\nanswer_1 = helper", "check": 'check_answer("연습 1", answer_1, expected=helper)'}, "무엇을 적어도"),
        ({"solution": "answer_1 = 3.72", "check": 'check_answer("연습 1", answer_1, expected=3.72)'}, "모두 적어 넣은"),
        ({"after": "값은 {eval}`answer_1:.1f`입니다.\n"}, "정답 셀의 값"),
        ({"before": "값은 {eval}`a * b - 3:.1f`입니다.\n\n"}, "그대로 보입니다"),
        ({"before": cell('print(f"{a * b - 3:.1f}")')}, "정답을 찍습니다"),
        ({"check": 'check_answer("연습 1", answer_1, expected=a * b - 3, tol=0.0)'}, "허용 오차가 0"),
        ({"after": "둘을 곱하고 비용을 뺀 값이 정답입니다.\n"}, "풀이 밖에도"),
        ({"solution": "answer_1 = -3 + b * a + 0 * b", "after": "\nanswer_1 = -3 + b * a + 0 * b\n"}, "정답 셀 밖에도"),
    ],
)  # fmt: skip
def test_an_answer_that_leaks_or_checks_nothing_is_found(change, says):
    found = exercise(**{"solution": "answer_1 = -3 + b * a", "check": GOOD} | change)
    assert len(found) == 1 and says in found[0], found


def test_the_solution_may_show_the_answer():
    body = "{eval}`answer_1:.1f`개입니다."
    text = cell("a = f(1)") + cell("answer_1 = a * 2", "solution") + f":::{{solution}}\n{body}\n:::\n\n" + cell('check_answer("연습 1", answer_1, expected=2 * a)', "self-check")  # fmt: skip
    assert answers.check(page(text)) == []


# ── 대체 텍스트와 코드가 보이는 글 ──


def numbers(body: str, **meta) -> list[tuple[int, str]]:
    return [(f.line, f.rule) for f in prose_numbers.check(page(body, **meta)) if not f.warning]


def test_a_measured_number_in_alternative_text_is_found():
    picture = '```{code-cell} ipython3\n:mystnb: {image: {alt: "점 300개가 0 둘레에 모이고 평균은 4.7입니다"}}\nx = range(300)\n```\n'
    assert numbers(picture) == [(2, "number")]
    assert numbers(picture, given={"목표": 4.7}) == [(1, "given")]  # 코드에 없는 설정값
    assert numbers(picture.replace("평균은 4.7입니다", "평균은 오른쪽입니다")) == []
    assert numbers("% 숫자 허용: 4.7 — 그림 속에 글자로 적은 값\n" + picture) == []


def test_a_number_typed_into_a_printed_text_is_found():
    assert numbers(cell('print("효과는 3.72시간입니다.")')) == [(2, "shown")]
    assert numbers(cell('n = 3.72\nprint(f"문턱 3.72시간에서 {n:.1f}시간입니다.")')) == []
    assert numbers(cell('low, high = np.quantile(x, [0.025, 0.975])\nprint(f"95%가 {low}와 {high} 사이입니다.")')) == []
    assert numbers(cell('ax.set(title="효과 12.5만 원", xlabel="주")')) == [(2, "shown")]
