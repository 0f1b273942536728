"""답 칸: 모든 연습을 쪽에서 답할 수 있고, 노트북의 ``check_answer``와 스크립트가 같은 답에 같은 말을 합니다."""

import base64
import json
import math

import pytest
from axe_playwright_python.sync_playwright import Axe
from docutils import nodes
from lxml import html as lxml_html

from book.extensions.answer_box import ASSETS, box, choices, rules_of, words_of
from book.myst import parse
from book.page import published_pages
from causal_practice.answers import judge

from conftest import record

SCRIPT = (ASSETS / "answer_box" / "answer_box.js").read_text(encoding="utf-8")
PHONE = {"width": 358, "height": 740}
PAGES = [page for page in published_pages() if page.is_notebook and "check_answer(" in page.text]
NUMBERS, WORDS, SET = "chapters/week02_randomized_experiments", "chapters/week05_propensity_score", "chapters/week04_linear_regression"  # fmt: skip
FULL = str.maketrans("0123456789.-,%", "０１２３４５６７８９．－，％")


def calls(page) -> list[str]:
    """쪽의 점검 셀이 부르는 ``check_answer``의 이름표."""
    cells = [cell for cell in parse(page.text).cells if "self-check" in cell.tags]
    return [call.args[0].value for cell in cells for _, call in cell.calls("check_answer")]


# --- 같은 답에 같은 말 ---

JUNK = [
    "", " ", "둘", "몰라요", "nan", "inf", "1e400", "-1e400", "0", "-0", "0.0", "1", "+5", ".5", "-.5", "5.", "1e-3", "3e", "e5", "1.2.3", "1,000", "1,00,0",
    "1,000.5원", "약 3", "대략 12.5", "3만 원", "3.2천 원", "1억", "12%", "12 퍼센트", "0.5프로", "％", "٣", "[1]", "[[1.0]]", "(2)", "{3}", "3개월 2", "−3",
    "–3", "- 3", "예", "네", "넵.", "아니오", "아뇨", "아니요입니다", "YES", "n", "Ｏ", "x", "이다", "입니다", "True", "가", "가.", "'가'", "가, 나", "가 나", "{\"나\", \"가\"}",
    "[2, 3]", "2 3", ",", ", ,", "가,", "ATT", "ａｔｔ입니다", "ATE", 0, 1, -1, 0.5, 1e9, math.nan, math.inf, True, False, None, [], [1], [[2]], [1, 2], ["가"], ["가", "나"], ["네"], [None], [[1], [2]],
]  # fmt: skip


def number_answers(value: float, decimals: int | None) -> list:
    """수 하나를 적는 여러 꼴: 그대로, 반올림, 자리, 부호, 백분율, 단위, 전각, 쉼표, 배열."""
    places = 3 if decimals is None else decimals
    found: list = [value, [value], [[value]], -value, round(value), int(value)]
    for scale in (1, -1, 100, 0.01, 1000, 0.001, 10, 0.1, 10_000, 0.0001, -100, 1.01, 1.1, 1.3, 3):
        found += [scale * value, f"{scale * value:.{places}f}", f"{scale * value:.6g}"]
    for digits in range(7):
        step = 10.0**-digits
        found += [f"{value:.{digits}f}", str(math.trunc(value / step) * step), f"{value + step:.{digits}f}"]
        found += [f"{value - step / 2:.{digits + 1}f}", f"{value + step / 2:.{digits + 1}f}"]
    found += [f"{value:.{digits}g}" for digits in (1, 2, 3)]
    said = f"{value:,.{places}f}"
    found += [f"{said}{unit}" for unit in ("%", " 퍼센트", "개", " 천 원", "시간", "%p", "?")] + [f"{100 * value:.2f}%"]
    found += [said, f"약 {said}", f"[{said}]", f"({said})", f"답: {said}", said.replace("-", "−"), said.translate(FULL)]
    return found


def word_answers(value: str) -> list:
    return [value, f'"{value}"', f"'{value}'.", f" {value} ", f"{value}입니다", value.upper(), value.lower(), value.translate(FULL), value.replace(" ", ""), [value], f"{value}, {value}", value[:1], f"{value}?!"]  # fmt: skip


def answers(value, decimals: int | None) -> list:
    """정답이나 틀린 값 하나에서 만든 답."""
    if isinstance(value, bool):
        return word_answers("예" if value else "아니요")
    if isinstance(value, str):
        return word_answers(value)
    if isinstance(value, float | int):
        return number_answers(value, decimals)
    if value is None:
        return []
    parts = value["any"] if isinstance(value, dict) else value
    texts = [str(part) for part in parts]
    found = [parts, parts[::-1], parts[:1], parts[1:], [*parts, parts[0]], [*parts, "마"], [*parts, 7], parts[0]]
    found += [text.join(texts) for text in (", ", ",", " ", " · ")]
    found += [
        "{" + ", ".join(f'"{text}"' for text in texts) + "}",
        f"[{', '.join(texts)}]",
        f"({','.join(texts[::-1])})",
    ]
    for place, part in enumerate(parts):
        for other in answers(part, decimals):
            changed = [*parts[:place], other, *parts[place + 1 :]]
            found += [changed, ", ".join(map(str, changed))]
    return found


def table(rules: dict) -> list:
    values = [rules["expected"], *(value for value, _ in rules["wrong"])]
    return JUNK + [answer for value in values for answer in answers(value, rules["decimals"])]


def value_of(shipped):
    """기록에 적힌 꼴을 ``judge``가 받는 값으로."""
    if isinstance(shipped, dict):
        return set(shipped["any"])
    return math.nan if shipped is None else shipped


def by_python(rules: dict, given: list) -> list:
    wrong = [(value_of(value), why) for value, why in rules["wrong"]]
    return [judge(answer, value_of(rules["expected"]), rules["tol"], wrong, rules["decimals"]) for answer in given]


def by_script(page, rules: dict, given: list) -> list:
    return page.evaluate("([rules, given]) => given.map((answer) => bookAnswers.judge(answer, rules))", [rules, given])


def disagreements(page, rules: dict) -> list[str]:
    given = table(rules)
    both = zip(given, by_python(rules, given), by_script(page, rules, given), strict=True)
    return [f"{answer!r}: 노트북 {one!r}, 쪽 {two!r}" for answer, one, two in both if one != two]


@pytest.fixture(scope="module")
def one_tab(browser):
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture
def blank(one_tab):
    """스크립트만 돌릴 빈 문서. 탭은 하나이고, 시험마다 문서와 그 전역이 새것입니다."""
    one_tab.goto("about:blank")
    one_tab.set_content("<p>빈 쪽</p>")
    assert one_tab.evaluate("typeof window.bookAnswers") == "undefined"
    return one_tab


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.docname)
def test_the_notebook_and_the_site_say_the_same(page, executions, blank):
    blank.add_script_tag(content=SCRIPT)
    known = rules_of(executions[page.docname].notebook())
    assert list(known) == calls(page)
    for label, rules in known.items():
        assert not (found := disagreements(blank, rules)), (label, found[:5])
        right, *wrong = [value["any"] if isinstance(value, dict) else value for value in (rules["expected"], *(v for v, _ in rules["wrong"]))]  # fmt: skip
        assert by_script(blank, rules, [right]) == [None]
        if None not in wrong:
            whys = [why for _, why in rules["wrong"]]
            said = by_script(blank, rules, wrong)
            assert set(said) <= set(whys) and said[0] == whys[0], (label, said)


MADE = [
    {"expected": 0.4237, "tol": 0.0, "decimals": None, "wrong": []},
    {"expected": -7.5, "tol": 0.501, "decimals": 0, "wrong": [[7.5, "부호"]]},
    {"expected": 2.5714, "tol": 0.00501, "decimals": 2, "wrong": [[None, "없음"]]},
    {"expected": 1254.0, "tol": 0.501, "decimals": 0, "wrong": []},
    {"expected": 1234.5, "tol": 0.0501, "decimals": 1, "wrong": [[1.2345, "배"]]},
    {"expected": 0.0, "tol": 0.00501, "decimals": 2, "wrong": []},
    {"expected": 19.0, "tol": 0.0, "decimals": None, "wrong": [[20.0, "하나"]]},
    {"expected": True, "tol": 0.0, "decimals": None, "wrong": []},
    {"expected": "작아진다", "tol": 0.0, "decimals": None, "wrong": [["커진다", "반대"], ["그대로다", "그대로"]]},
    {"expected": {"any": ["가", "나"]}, "tol": 0.0, "decimals": None, "wrong": [[{"any": ["가"]}, "하나"]]},
    {"expected": {"any": [1.0, 2.5]}, "tol": 0.01, "decimals": None, "wrong": []},
    {"expected": [4.0, 0.25], "tol": 1e-6, "decimals": None, "wrong": [[[6.0, 0.25], "처음"]]},
    {"expected": [0.083, "나"], "tol": 0.000501, "decimals": 3, "wrong": [[[0.083, "다"], "다"]]},
]  # fmt: skip


@pytest.mark.parametrize("rules", MADE, ids=lambda rules: str(rules["expected"]))
def test_they_agree_beyond_the_exercises_of_today(rules, blank):
    blank.add_script_tag(content=SCRIPT)
    assert not (found := disagreements(blank, rules)), found[:5]


def test_the_table_reaches_every_hint():
    """답의 표가 귀띔의 갈래를 모두 지나야, 말 하나가 어긋나도 위의 시험이 압니다."""
    said = " ".join(why for rules in MADE for why in by_python(rules, table(rules)) if why)
    for words in (
        "부호가 반대입니다", "백분율로 적은", "비율로 적은", "1,000배", "1,000분의 1", "값이 10배", "값이 10분의 1", "값이 10,000배", "값이 10,000분의 1", "부호도 반대",
        "소수점 둘째 자리까지 적으세요", "정수까지 적으세요", "더 많은 자리까지", "nan이거나", "단위를 떼고", "답은 수 하나여야", "답은 글자여야", "보기에 없는 말", "보기를 다시 읽고",
        "차례대로 2개", "1번째, 2번째 값이", "1개는 답이 아닙니다. 1개가", "아직 1개가", "꼴로 모두", "추정 대상과 단위",
    ):  # fmt: skip
        assert words in said, words


@pytest.mark.parametrize(
    ("old", "new"),
    [("부호가 반대입니다.", "부호가 거꾸로입니다."), ("0.02 * size", "0.2 * size"), ('"넵", ', ""), ("[십백천만억]", "[백천만억]{2}")],
)  # fmt: skip
def test_a_script_out_of_step_is_found(old, new, blank):
    assert old in SCRIPT
    blank.add_script_tag(content=SCRIPT.replace(old, new))
    assert any(disagreements(blank, rules) for rules in MADE)


# --- 쪽에 놓인 칸 ---


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.docname)
def test_every_exercise_has_its_box_before_the_solution(page, executions, site_dir):
    tree = lxml_html.parse(str(site_dir / f"{page.docname}.html")).getroot()
    known = rules_of(executions[page.docname].notebook())
    forms = tree.xpath("//form[contains(@class, 'answer-box')]")
    assert [form.get("data-label") for form in forms] == calls(page) and not tree.find_class("answer-elsewhere")
    ids = [e.get("id") for e in tree.iter() if isinstance(e.tag, str) and e.get("id")]
    assert len(ids) == len(set(ids))
    for form in forms:
        rules = known[form.get("data-label")]
        assert json.loads(base64.b64decode(form.get("data-rules"))) == rules
        offered = form.xpath(".//fieldset//input/@value")
        if isinstance(rules["expected"], str | dict):
            assert len(offered) >= 2 and words_of(rules["expected"]).union(*(words_of(v) for v, _ in rules["wrong"])) <= set(offered)  # fmt: skip
        else:
            assert not offered and form.xpath(".//label/@for") == form.xpath(".//input[@type='text']/@id")
        after = form.xpath("following-sibling::*")
        assert "tag_solution" in after[0].get("class") or after[0].get("class") == "answer-box pst-js-only"
        assert not form.xpath("preceding-sibling::*[1][contains(@class, 'tag_solution')]")


def exercise(*parts: nodes.Node) -> nodes.Element:
    return nodes.admonition("", nodes.title("", "연습 1."), *parts, classes=["exercise"])


def listed(*texts: str) -> nodes.bullet_list:
    return nodes.bullet_list("", *(nodes.list_item("", nodes.paragraph("", text)) for text in texts))


def quoted(*words: str) -> nodes.paragraph:
    return nodes.paragraph("", "고르세요. ", *(nodes.literal("", f'"{word}"') for word in words))


@pytest.mark.parametrize(
    ("expected", "wrong", "body", "offered"),
    [
        ("나", ["다"], exercise(listed("가. 첫째입니다.", "나: 둘째입니다.", "다. 셋째입니다.")), ["가", "나", "다"]),
        ("ATO", ["ATE"], exercise(quoted("ATE", "ATT", "ATO")), ["ATE", "ATT", "ATO"]),
        ("14일", ["7일", "28일"], exercise(quoted("28일")), ["14일", "28일", "7일"]),
        ("나", ["다"], exercise(nodes.hint("", listed("나. 귀띔", "다. 귀띔", "라. 귀띔"))), ["나", "다"]),
        (True, [], None, ["예"]),
        ({"any": ["가", "다"]}, [{"any": ["나"]}], None, ["가", "나", "다"]),
        (3.0, [4.0], exercise(quoted("셋")), []),
        ([3.0, "가"], [], exercise(listed("가. 하나", "나. 둘")), []),
    ],
)
def test_where_the_choices_come_from(expected, wrong, body, offered):
    assert choices({"expected": expected, "wrong": [[value, ""] for value in wrong]}, body) == offered


@pytest.mark.parametrize("rules", [None, {"expected": [1.0] * 7, "tol": 0.1, "decimals": None, "wrong": []}])
def test_an_answer_that_cannot_be_typed_is_left_to_the_notebook(rules):
    assert box("연습 2", rules, []) == '<p class="answer-elsewhere">연습 2의 답은 노트북에서 점검합니다.</p>'


def opened(page, site_dir, name: str):
    page.goto((site_dir / f"{name}.html").as_uri())
    return page.locator("form.answer-box")


def test_a_number_is_answered_with_the_keyboard_alone(browser_page, site_dir, executions):
    forms, page = opened(browser_page, site_dir, NUMBERS), browser_page
    form = next(form for form in forms.all() if form.locator("input[type=text]").count())
    rules = rules_of(executions[NUMBERS].notebook())[form.get_attribute("data-label")]
    said, solution = form.locator("[role=status]"), form.locator("xpath=following-sibling::details[1]")
    form.locator("input").focus()
    page.keyboard.press("Enter")
    said.get_by_text("답을 먼저 적으세요.").wait_for()
    page.keyboard.type(str(rules["wrong"][0][0]))
    assert said.inner_text() == ""  # 다시 적으면 앞의 말이 사라집니다
    page.keyboard.press("Enter")
    said.get_by_text(f"아직 아닙니다. {rules['wrong'][0][1]}").wait_for()
    assert solution.get_attribute("open") is None and form.get_attribute("data-status") == "wrong"
    page.keyboard.press("Control+A")
    page.keyboard.type(f"{rules['expected']:.{rules['decimals'] or 3}f}")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    said.get_by_text("정답입니다. 아래에 정답 해설을 펼쳤습니다.").wait_for()
    assert solution.get_attribute("open") is not None and page.recorded.console == []


@pytest.mark.parametrize("name", [WORDS, SET])
def test_choices_are_chosen_with_the_keyboard_alone(name, browser_page, site_dir, executions):
    forms, page = opened(browser_page, site_dir, name), browser_page
    form = forms.last
    rules = rules_of(executions[name].notebook())[form.get_attribute("data-label")]
    right = words_of(rules["expected"])
    form.locator("button").click()
    form.get_by_text("답을 먼저 고르세요.").wait_for()
    if isinstance(rules["expected"], dict):
        for word in sorted(right):
            form.locator(f"input[value='{word}']").focus()
            page.keyboard.press("Space")
    else:
        form.locator("input").first.focus()
        page.keyboard.press("Space")
        while form.locator("input:checked").get_attribute("value") not in right:
            page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    form.get_by_text("정답입니다.").wait_for()


@pytest.mark.parametrize("name", [NUMBERS, WORDS, SET])
def test_the_boxes_fit_a_phone_and_every_reader(name, browser_page, site_dir):
    browser_page.set_viewport_size(PHONE)
    forms = opened(browser_page, site_dir, name)
    for form in forms.all():
        form.locator("button").click()
        inside = form.bounding_box()
        assert inside["x"] >= 0 and inside["x"] + inside["width"] <= PHONE["width"]
        for target in form.locator("button, input[type=text], fieldset label").all():
            assert target.bounding_box()["height"] >= 40
    colours = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}  # 어두운 화면에서 달라지는 것
    for theme, options in (("light", {}), ("dark", colours)):
        browser_page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
        found = Axe().run(browser_page, context={"include": [[".answer-box"]]}, options=options).response["violations"]
        assert [violation["id"] for violation in found] == []


def test_without_a_script_the_notebooks_cell_remains(browser, site_dir):
    context = browser.new_context(java_script_enabled=False, locale="ko-KR")
    page = context.new_page()
    recorded = record(page)
    page.goto((site_dir / f"{WORDS}.html").as_uri())
    assert page.locator("form.answer-box").count() and not page.locator("form.answer-box >> visible=true").count()
    page.locator(".cell.tag_self-check summary").first.click()
    assert "check_answer" in page.locator(".cell.tag_self-check").first.inner_text() and recorded.console == []
    context.close()


def test_the_boxes_are_not_printed(browser_page, site_dir):
    forms = opened(browser_page, site_dir, WORDS)
    assert forms.first.is_visible()
    browser_page.emulate_media(media="print")
    assert not any(form.is_visible() for form in forms.all())


def test_only_pages_with_exercises_load_the_script(site_dir):
    for name, loaded in ((WORDS, True), ("index", False)):
        assert ("answer_box.js" in (site_dir / f"{name}.html").read_text(encoding="utf-8")) is loaded
