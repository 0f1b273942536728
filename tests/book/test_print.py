"""인쇄: 접은 코드까지 모두 찍히고, 어두운 화면에서 찍어도 밝은 색이며, 종이 밖으로 잘리는 것이 없습니다."""

import io
import re

import pytest
from pypdf import PdfReader

CHAPTER = "chapters/week05_deeper"  # 접은 코드, 정답, 자기 점검이 모두 있습니다
# 글꼴은 쓰일 때 불러옵니다. 인쇄할 때 펼쳐지는 글까지 같은 글꼴로 찍히는지 보려고, 조각을 모두 불러온 다음에 찍습니다.
SETTLED = """async () => {
  await Promise.all([...document.fonts].map((face) => face.load()));
  if (window.MathJax?.startup?.promise) await MathJax.startup.promise;
  await document.fonts.ready;
}"""
PRINTING = "dispatchEvent(new Event('beforeprint'))"
SHEET = {"width": 672, "height": 1000}  # A4에서 여백을 뺀 폭(178mm)
# 잘린 것: 옆으로 밀어야 보이는 것, 흐려지는 끝, 종이 밖으로 나간 것, 아직 나타나는 중인 것.
CUT = """() => [...document.querySelectorAll("article *")].filter((e) => {
  if (!e.checkVisibility() || e.closest("mjx-assistive-mml")) return false;
  const s = getComputedStyle(e), r = e.getBoundingClientRect();
  return (r.width > 0 && r.right > innerWidth + 1) || s.maskImage !== "none" || s.animationName !== "none"
    || (["auto", "scroll"].includes(s.overflowX) && e.scrollWidth > e.clientWidth + 1);
}).map((e) => e.tagName + "." + e.className)"""
HIDDEN = """() => [...document.querySelectorAll("article .cell_input pre, article details.solution p")]
  .filter((e) => !e.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || !e.getBoundingClientRect().height)
  .map((e) => e.textContent.slice(0, 60))"""


@pytest.fixture(scope="module", params=["light", "dark"])
def chapter(request, browser, site_dir):
    """밝은 화면과 어두운 화면에서 연 장."""
    context = browser.new_context(color_scheme=request.param, viewport=SHEET, locale="ko-KR")
    page = context.new_page()
    page.goto((site_dir / f"{CHAPTER}.html").as_uri())
    page.evaluate(SETTLED)
    assert page.evaluate("document.documentElement.dataset.theme") == request.param
    yield page
    context.close()


@pytest.fixture(scope="module")
def printed(chapter) -> PdfReader:
    return PdfReader(io.BytesIO(chapter.pdf(prefer_css_page_size=True)))


@pytest.fixture(scope="module")
def texts(printed) -> list[str]:
    """종이마다의 글."""
    return [page.extract_text() for page in printed.pages]


def letters(text: str) -> str:
    """빈칸과 줄바꿈을 잊은 글. 인쇄한 글은 줄이 다르게 나뉘고, 글꼴에 따라 빈칸이 제어 문자로 나옵니다."""
    return re.sub(r"[\s\x00-\x1f]+", "", text)


def test_all_code_and_answers_are_on_paper(chapter, texts):
    paper = letters("".join(texts))
    cells = chapter.locator("article .cell_input pre").evaluate_all("cells => cells.map((c) => c.textContent)")
    lines = [line for cell in cells for line in cell.splitlines() if line.strip()]
    assert len(lines) > 200
    missing = [line for line in lines if letters(line) not in paper]
    assert not missing, f"{len(lines)}줄 가운데 {len(missing)}줄이 찍히지 않았습니다: {missing[:5]}"


def test_dark_screens_print_the_same_ink(chapter, printed, browser, site_dir):
    """바탕과 그림까지 밝은 화면의 인쇄와 한 획도 다르지 않습니다."""
    context = browser.new_context(color_scheme="light", viewport=SHEET, locale="ko-KR")
    page = context.new_page()
    page.goto((site_dir / f"{CHAPTER}.html").as_uri())
    page.evaluate(SETTLED)
    light = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
    context.close()
    assert len(light.pages) == len(printed.pages)
    for number, (ours, theirs) in enumerate(zip(printed.pages, light.pages, strict=True), 1):
        assert ours.get_contents().get_data() == theirs.get_contents().get_data(), f"{number}쪽의 색이 다릅니다."


def test_nothing_is_cut_or_still_moving(chapter):
    theme = chapter.evaluate("document.documentElement.dataset.theme")
    chapter.emulate_media(media="print")
    try:
        chapter.evaluate(PRINTING)
        assert chapter.evaluate("document.documentElement.dataset.theme") == "light"
        assert chapter.evaluate(HIDDEN) == []
        assert chapter.evaluate(CUT) == []
    finally:
        chapter.emulate_media(media="screen")
        chapter.evaluate("dispatchEvent(new Event('afterprint'))")
    assert chapter.evaluate("document.documentElement.dataset.theme") == theme, "인쇄한 뒤에는 제 색으로 돌아옵니다."
    assert chapter.locator("article details:not([open])").count() > 0, "인쇄한 뒤에는 다시 접습니다."


def test_paper_has_margins_and_numbers(printed, texts):
    assert [round(float(length)) for length in printed.pages[0].mediabox[2:]] == [595, 842]
    for number, text in enumerate(texts, 1):
        assert str(number) in (text.split("\n")[0].strip(), text.rstrip().split("\n")[-1].strip()), text[:80]
