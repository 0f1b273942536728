"""방법 선택 지도: 일곱 물음이 방법, 가정과 깨지는 모습, 장, 사례, 명세의 틀로 끝나고, 스크립트 없이도 다 보입니다."""

import re
import subprocess
import sys

import pytest
from axe_playwright_python.sync_playwright import Axe
from lxml import html as lxml_html

from book.browser import serve
from book.cases import METHODS
from book.page import ROOT
from causal_pipeline.designs import registered

from conftest import record

MAP = "guides/method_map"
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def tree(site_dir):
    return lxml_html.parse(str(site_dir / f"{MAP}.html")).getroot()


def text(element) -> str:
    return " ".join(element.text_content().replace("#", "").split())


def answers(tree):
    return tree.xpath("//article//section[contains(@class, 'method-answer')]")


def test_seven_questions_and_a_stop(tree):
    rows = tree.xpath("//ol[contains(@class, 'method-flow')]/li")
    assert len(rows) == 8 and "flow-stop" in rows[-1].get("class") and len(answers(tree)) == 8
    for row, answer in zip(rows, answers(tree), strict=True):
        ask, *rest = row.xpath(".//a")
        assert ask.get("href") == f"#{answer.get('id')}" and text(ask) == text(
            answer.xpath("./p[contains(@class, 'method-ask')]")[0]
        )
        if rest:
            assert re.search(r"\((\d+주차(, )?)+\)$", text(rest[0])) and rest[0].get("href").startswith(
                "../chapters/week"
            )
    # 그림의 모든 칸이 링크입니다: 링크 밖에 남는 글은 '예'뿐입니다
    for row in rows:
        for link in row.xpath(".//a"):
            link.drop_tree()
        assert set(text(row)) <= set("예→ ")


def test_every_answer_says_what_it_needs(tree):
    commands = {f"make analyze-init DESIGN={design.name} OUT=my_spec.yml" for design in registered()}
    for answer in answers(tree):
        said = text(answer)
        for part in ("추정 대상:", "믿어야 하는 것:", "깨지는 모습:", "장:", "명세의 틀"):
            assert part in said, (said[:40], part)
        assert answer.xpath(".//p[contains(@class, 'method-start')]//code")[0].text_content() in commands
        assert answer.xpath(".//a[contains(@href, 'chapters/week')]")
    with_cases = [answer for answer in answers(tree) if answer.xpath(".//a[contains(@href, 'case_studies/')]")]
    assert len(with_cases) >= 6  # 불연속 설계와 멈춤에는 아직 사례가 없습니다


def test_the_starting_command_writes_a_draft(tree, tmp_path):
    command = answers(tree)[0].xpath(".//p[contains(@class, 'method-start')]//code")[0].text_content()
    design, out = re.fullmatch(r"make analyze-init DESIGN=(\S+) OUT=(\S+)", command).groups()
    done = subprocess.run(
        [sys.executable, "-m", "causal_pipeline", "analyze", "--design", design, "--out", str(tmp_path / out)],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "TODO" in (tmp_path / out).read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert all(
        f"$({name})" in makefile.partition("\nanalyze-init:")[2].partition("\n\n")[0] for name in ("DESIGN", "OUT")
    )


@pytest.mark.parametrize(
    ("option", "wrong", "message"),
    [
        ("design", "매칭", "design이 '매칭'.*experiment"),
        ("methods", "매칭", "매칭 .*" + METHODS[0]),
        ("answer", "", "answer"),
    ],
)
def test_a_slip_is_named_with_the_choices(option, wrong, message, monkeypatch):
    from types import SimpleNamespace

    from sphinx.util.docutils import SphinxDirective

    from book.extensions.method_map import MethodAnswer

    said = []
    monkeypatch.setattr(
        SphinxDirective, "error", lambda self, text: said.append(text) or ValueError(text), raising=False
    )
    options = {"answer": "무작위 실험", "design": "experiment", "methods": "무작위 실험"} | {option: wrong}
    directive = MethodAnswer(
        "method-answer",
        ["물음?"],
        options,
        ["글"],
        1,
        0,
        "",
        SimpleNamespace(document=None),
        SimpleNamespace(reporter=None),
    )
    with pytest.raises(ValueError, match=message):
        directive.run()


# --- 브라우저 ---


@pytest.fixture(scope="module")
def server(site_dir):
    with serve(site_dir) as address:
        yield address


@pytest.fixture
def phone(browser, server):
    context = browser.new_context(viewport=PHONE, locale="ko-KR")
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.recorded = record(page)
    page.goto(f"{server}/{MAP}.html")
    yield page
    context.close()


def test_questions_come_one_at_a_time_and_end_in_the_answer(phone, tree):
    quiz = phone.locator(".method-quiz")
    asked = [text(a.xpath("./p[contains(@class, 'method-ask')]")[0]) for a in answers(tree)]
    assert not phone.locator(".method-flow").is_visible()  # 전화에서는 칸이 그림을 대신합니다
    for number in range(3):
        assert quiz.locator(".quiz-ask").inner_text() == asked[number]
        assert quiz.locator(".quiz-count").inner_text() == f"물음 {number + 1} / 7"
        quiz.get_by_role("button", name="아니요").click()
    quiz.get_by_role("button", name="앞 물음").click()
    assert quiz.locator(".quiz-ask").inner_text() == asked[2]
    quiz.get_by_role("button", name="예", exact=True).click()
    panel = quiz.locator(".quiz-answer")
    assert panel.locator("h3").inner_text() == "도구변수"
    for part in ("믿어야 하는 것", "깨지는 모습", "장:", "사례", "DESIGN=instrument"):
        assert part in panel.inner_text()
    assert quiz.locator("button:visible").all_inner_texts() == ["앞 물음"]
    assert phone.evaluate("document.activeElement.dataset.say") == "back"  # 누른 단추가 사라져도 초점을 잃지 않습니다
    assert phone.evaluate(
        "new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size === document.querySelectorAll('[id]').length"
    )
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert (phone.recorded.failed, phone.recorded.console, phone.recorded.outside) == (
        [],
        [],
        [],
    )  # axe는 스스로 스타일을 다시 청하므로 그 앞에서 봅니다
    response = Axe().run(phone, options={"resultTypes": ["violations"]}).response
    assert [v["id"] for v in response["violations"] if v["impact"] in {"serious", "critical"}] == []
    quiz.get_by_role("button", name="앞 물음").click()
    assert not panel.is_visible() and quiz.locator(".quiz-ask").inner_text() == asked[2]


def test_seven_times_no_ends_in_stopping(phone):
    for _ in range(7):
        phone.locator(".method-quiz").get_by_role("button", name="아니요").click()
    assert "부분 식별" in phone.locator(".quiz-answer h3").inner_text()
    assert not phone.locator(".method-quiz").get_by_role("button", name="아니요").is_visible()


def test_without_javascript_the_same_answers_stand_there(browser, server):
    context = browser.new_context(viewport=PHONE, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{server}/{MAP}.html")
    assert not page.locator(".method-quiz").is_visible()
    assert (
        page.locator(".method-flow a:visible").count() == 15
        and page.locator("section.method-answer:visible").count() == 8
    )
    context.close()


def test_the_picture_is_on_the_desk_and_on_paper(browser_page, server):
    browser_page.goto(f"{server}/{MAP}.html")
    flow = browser_page.locator(".method-flow")
    assert flow.is_visible() and browser_page.locator(".method-quiz").is_visible()
    yes = browser_page.locator(".flow-yes + a").first
    assert yes.bounding_box()["x"] > flow.locator("a").first.bounding_box()["x"] + 200  # 오른쪽에 나란히
    yes.click()
    browser_page.wait_for_url("**/chapters/week10_*.html")
    browser_page.go_back()
    browser_page.emulate_media(media="print")
    assert flow.is_visible() and not browser_page.locator(".method-quiz").is_visible()
