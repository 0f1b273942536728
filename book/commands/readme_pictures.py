"""README의 그림을 만들어진 사이트에서 다시 찍습니다.

python -m book.commands.readme_pictures
"""

import sys
from pathlib import Path

from PIL import Image

from book.browser import BrowserMissing, chromium, serve
from book.page import ROOT, html_dir

FOLDER = ROOT / "assets" / "readme"
# 이름, 쪽, 보여 줄 요소의 CSS 선택자(비우면 쪽의 맨 위), 찾아볼 말(비우면 검색 창을 열지 않음)
PICTURES = [
    ("front", "index", "", ""),
    ("chapter", "chapters/week05_propensity_score", ".cell_output img >> nth=2", ""),
    ("search", "index", "", "성향 점수를"),
]
ABOVE = 260  # 보여 줄 요소 위에 남기는 높이(px)
WINDOW, SIZE = {"width": 1280, "height": 760}, (960, 570)


def main() -> int:
    site = html_dir()
    if not (site / "index.html").is_file():
        print("사이트가 없습니다. `make book`을 먼저 돌리세요.", file=sys.stderr)
        return 1
    try:
        take(site)
    except BrowserMissing as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def take(site: Path) -> None:
    """그림마다 쪽을 열어 찍고 줄여 ``FOLDER``에 씁니다.

    Raises
    ------
    BrowserMissing
        브라우저가 없을 때.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    with chromium() as browser, serve(site) as address:
        for name, docname, selector, query in PICTURES:
            page = browser.new_page(viewport=WINDOW, locale="ko-KR")
            page.goto(f"{address}/{docname}.html", wait_until="networkidle")
            if selector:
                top = page.locator(selector).evaluate("e => e.getBoundingClientRect().top + scrollY")
                page.evaluate("y => scrollTo({ top: y, behavior: 'instant' })", top - ABOVE)
            if query:
                page.keyboard.press("/")
                page.keyboard.type(query)
                page.locator("#book-search-results a").first.wait_for()
            page.wait_for_timeout(500)
            path = FOLDER / f"{name}.png"
            page.screenshot(path=path)
            page.close()
            image = Image.open(path).convert("RGB").resize(SIZE, Image.Resampling.LANCZOS)
            image.quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)
            print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f}KB")


if __name__ == "__main__":
    sys.exit(main())
