"""움직여 보는 그림: 글쇠로 움직이고, 문장이 따라 바뀌며, 스크립트가 없거나 종이에 찍으면 시작 상태가 남습니다."""

import gzip
import importlib
import math
import re

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import pytest
from lxml import html as lxml_html

from book.browser import serve
from book.extensions.slides import collect, render
from book.myst import parse
from book.page import published_pages
from causal_practice import explore, set_style
from causal_practice.explore import EXPLORE_MIME

from conftest import record

module = importlib.import_module("causal_practice.explore")
MOVING = [
    page.docname
    for page in published_pages()
    if "explore(" in page.text and any(True for c in parse(page.text).cells for _ in c.calls("explore"))
]
MOST_BYTES = 250_000  # 한 쪽에서 더 받아도 되는 양(누르기 전)
LOOKS = {1: {"높이": 1.0}, 2: {"높이": 4.0}, 3: {"높이": 9.0}}


@pytest.fixture
def shown(monkeypatch):
    """노트북에 보일 것을 가로챕니다: page(HTML), plain, record."""
    seen = {}
    monkeypatch.setattr(module, "show_html", lambda page, plain: seen.update(page=page, plain=plain))
    monkeypatch.setattr(module, "publish_record", lambda mime, name, payload: seen.update(mime=mime, record=payload))
    set_style()
    yield seen
    plt.close("all")


def squares(looks=None, draw=None, say=None, **options):
    _, ax = plt.subplots(figsize=(4, 3))
    ax.set(xlabel="가로(개)", ylabel="세로(개)")
    explore(
        ax,
        LOOKS if looks is None else looks,
        draw or (lambda ax, state, look: ax.plot([0, state], [0, look["높이"]])),
        say or (lambda state, look: f"높이는 {look['높이']:.0f}개입니다."),
        **{"label": "폭 <개>", "unit": "개", "alt": "폭이 늘면 높이가 제곱으로 늡니다"} | options,
    )


def parts(page: str):
    root = lxml_html.fragment_fromstring(page)
    return root, root.xpath(".//*[@data-state]")


def test_only_the_starting_state_is_seen(shown):
    squares(start=2)
    root, states = parts(shown["page"])
    hidden = {e.get("data-state"): "display: none" in (e.get("style") or "") for e in states}
    assert hidden == {"0": True, "1": False, "2": True}
    slider = root.xpath(".//input[@type='range']")[0]
    assert (slider.get("min"), slider.get("max"), slider.get("value")) == ("0", "2", "1")
    assert slider.get("aria-valuetext") == "폭 <개> 2개"
    assert root.xpath(".//output")[0].text_content() == "폭 <개> 2개 높이는 4개입니다."
    assert [li.text_content() for li in root.xpath(".//li")][2] == "폭 <개> 3개 높이는 9개입니다."
    assert root.xpath(".//*[local-name()='svg']")[0].get("aria-label") == "폭이 늘면 높이가 제곱으로 늡니다"
    assert shown["plain"].splitlines()[0] == "폭 <개> 1개: 높이는 1개입니다."
    assert shown["record"]["values"] == [{"높이": 1.0}, {"높이": 4.0}, {"높이": 9.0}] and shown["mime"] == EXPLORE_MIME
    assert not plt.get_fignums()  # 모든 상태가 겹친 그림이 따로 나오지 않습니다


def test_the_same_figure_is_the_same_text_and_shares_no_name(shown):
    squares()
    first = shown["page"]
    squares()
    assert shown["page"] == first
    squares(label="다른 이름")
    names = [set(re.findall(r' id="([^"]+)"', text)) for text in (first, shown["page"])]
    assert names[0] and not names[0] & names[1]  # 한 쪽에 둘이 있어도 이름이 겹치지 않습니다
    assert (
        "<style" not in re.search(r"<svg.*</svg>", first, re.DOTALL).group()
    )  # matplotlib의 '*' 규칙은 쪽 전체에 번집니다


def test_a_slide_keeps_the_still_picture_whole(shown):
    squares()
    cell = f'<div class="cell tag_slide-new tag_slide-output"><div class="cell_output">{shown["page"]}</div></div>'
    deck = render(collect(cell), "chapters/week05_deeper", {"kind": "deeper", "week": 5}, "제목")
    called = set(re.findall(r'(?:url\(#|xlink:href="#)([\w.-]+)', deck))
    assert called and called <= set(re.findall(r' id="([^"]+)"', deck))
    assert "<details" not in deck and "폭 &lt;개&gt; 1개" in deck and "폭 &lt;개&gt; 3개" not in deck
    assert ".reveal .explore label" in deck  # 발표 자료에서는 슬라이더를 감춥니다


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"looks": {1: {"높이": 1.0}, 2: {"높이": 2.0}}}, "2개입니다.*3개에서"),
        ({"start": 7}, "시작 상태 7"),
        ({"looks": LOOKS | {2: {"높이": math.nan}}}, "폭 <개> 2개'의 높이"),
        ({"say": lambda state, look: " "}, "문장이 없습니다"),
        ({"draw": lambda ax, state, look: None}, "그린 것이나"),
    ],
)
def test_a_slip_is_named(shown, wrong, message):
    with pytest.raises(ValueError, match=message):
        squares(**wrong)


# --- 사이트 ---


@pytest.fixture(scope="module")
def server(site_dir):
    with serve(site_dir) as address:
        yield address


@pytest.fixture(scope="module", params=MOVING)
def moved(request, browser, server):
    """쪽마다 한 번 엽니다. 접근성은 쪽 전체와 함께 봅니다(tests/book/test_browser.py)."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="ko-KR")
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.recorded = record(page)
    page.goto(f"{server}/{request.param}.html")
    yield page
    context.close()


def test_ten_figures_move_in_ten_weeks():
    assert len(MOVING) >= 10 and len({name[:15] for name in MOVING}) >= 9


def test_the_figures_weigh_little_and_only_where_they_are(site_dir):
    pieces = {}
    for name in (page.docname for page in published_pages()):
        text = (site_dir / f"{name}.html").read_text(encoding="utf-8")
        pieces[name] = re.findall(r'<div class="explore">.*?</details></div>', text, re.DOTALL)
    assert [name for name, found in pieces.items() if found] == MOVING
    for name in MOVING:
        text = "".join(pieces[name])
        assert len(text.encode()) <= MOST_BYTES, (name, len(text.encode()), len(gzip.compress(text.encode())))
        assert "<script" not in text and "http://" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", text)


def test_keys_move_the_figure_and_the_sentence_follows(moved):
    box = moved.locator(".explore").first
    slider, output = box.locator("input"), box.locator("output")
    names = box.locator("li b").all_text_contents()
    shown = "box => [...box.querySelectorAll('[data-state]')].filter(e => getComputedStyle(e).display !== 'none').map(e => e.dataset.state)"
    start = int(slider.input_value())
    assert set(box.evaluate(shown)) == {str(start)} and output.text_content().startswith(names[start])
    slider.focus()
    for key, wanted in (("Home", 0), ("ArrowRight", 1), ("End", len(names) - 1)):
        slider.press(key)
        assert int(slider.input_value()) == wanted and set(box.evaluate(shown)) == {str(wanted)}
        assert (
            output.text_content().startswith(names[wanted]) and slider.get_attribute("aria-valuetext") == names[wanted]
        )
    assert output.get_attribute("aria-live") == "polite"
    assert moved.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert (moved.recorded.console, moved.recorded.outside, moved.recorded.failed) == ([], [], [])


def test_the_sentence_is_read_in_the_dark(moved):
    """테마는 어두운 화면의 HTML 출력에 밝은 판을 깝니다. 그 판이 남으면 그림만 어둡고 글은 밝은 곳에 섭니다."""
    moved.evaluate("document.documentElement.dataset.theme = document.documentElement.dataset.mode = 'dark'")
    panel = moved.locator(".explore").first.locator("..")
    assert panel.evaluate("e => getComputedStyle(e).backgroundColor") == "rgba(0, 0, 0, 0)"
    moved.evaluate("document.documentElement.dataset.theme = document.documentElement.dataset.mode = 'light'")


def test_paper_shows_the_picture_without_the_slider(moved):
    moved.emulate_media(media="print")
    box = moved.locator(".explore").first
    assert box.locator("svg").is_visible() and box.locator("output").is_visible()
    assert not box.locator("input").is_visible() and not box.locator("details").is_visible()
    moved.emulate_media(media="screen")


@pytest.mark.parametrize("name", MOVING)
def test_without_scripts_the_start_stands_and_every_sentence_can_be_read(browser, server, name):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{server}/{name}.html")
    box = page.locator(".explore").first
    assert box.locator("svg").is_visible() and not box.locator("input").is_visible()
    box.locator("summary").click()
    assert box.locator("li:visible").count() >= 3
    context.close()


LETTERS = """() => [...document.querySelectorAll('.explore svg')].map((svg) => {
  const frame = svg.getBoundingClientRect(), scale = frame.width / svg.viewBox.baseVal.width;
  const seen = [...svg.querySelectorAll('text')].filter((t) => t.checkVisibility() && t.textContent.trim());
  const boxes = seen.map((t) => t.getBoundingClientRect());
  const least = Math.min(...seen.map((t) => parseFloat(getComputedStyle(t).fontSize) * scale));
  // 두 줄로 적은 눈금은 상자의 끝이 조금 겹칩니다. 글자의 높이의 3분의 1이 넘게 겹치면 읽지 못합니다.
  const over = boxes.flatMap((a, i) => boxes.slice(0, i).filter((b) =>
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > least / 3).map(() => seen[i].textContent));
  const gone = seen.filter((t, i) => boxes[i].left < 0 || boxes[i].right > innerWidth).map((t) => t.textContent);
  return { least, over, gone };
})"""


def test_letters_can_be_read_on_a_phone(browser, server):
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="ko-KR")
    page = context.new_page()
    try:
        for name in MOVING:
            page.goto(f"{server}/{name}.html")
            page.evaluate("document.fonts.ready")
            for figure in page.evaluate(LETTERS):
                assert figure["least"] >= 9.5 and not figure["over"] and not figure["gone"], (name, figure)
    finally:
        context.close()
