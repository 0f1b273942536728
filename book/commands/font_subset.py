"""책이 쓰는 글자만 담은 글꼴 하나(core.woff2)를 만듭니다.

    npm pack pretendard@1.3.9 && tar xzf pretendard-1.3.9.tgz
    python -m book.commands.font_subset package/dist/web/variable/woff2/PretendardVariable.woff2

쪼갠 글꼴(92조각)만 쓰면 한 쪽이 서른 조각 가까이, 0.9MB를 받습니다. 책 전체의 글자는 천 자도 되지 않아
한 파일로 묶고 굵기를 책이 쓰는 400~700으로 줄이면 0.15MB입니다. 여기 없는 글자는 쪼갠 글꼴이 그대로 맡습니다. fonttools와 brotli는 시험 꾸러미에
들어 있고(책을 만드는 데는 필요 없습니다), 만든 글꼴은 커밋합니다.

Pretendard의 이용 허락(OFL)은 고친 글꼴이 그 이름을 쓰지 못하게 합니다(Reserved Font Name). 글자를 골라낸 것도
고친 것이므로, 글꼴 안의 이름과 CSS의 이름을 ``FAMILY``로 바꿉니다. 저작권 줄은 그대로 둡니다.
"""

import argparse
import html
import re
import sys
from pathlib import Path

from book.page import PAGE_FOLDERS, ROOT, html_dir

FOLDER = ROOT / "assets" / "static" / "fonts" / "pretendard"
CORE, STYLE = FOLDER / "core.woff2", FOLDER / "core.css"
FAMILY, RESERVED = "Book Core", "Pretendard"
WEIGHTS = (400, 700)  # 본문과 제목의 굵기. 더 가늘거나 굵은 글자는 쓰지 않습니다
ICONS = FOLDER.parent / "icons.woff2"
ICON_FAMILY, ICON_RESERVED = "Book Icons", "Font Awesome"
COPYRIGHT, UNIQUE_ID, POSTSCRIPT = 0, 3, 6  # name 표의 번호
LICENSE_TEXT, LICENSE_URL = 13, 14
BASIC = {chr(c) for c in range(0x20, 0x7F)} | set("·…—–‘’“”×÷±≈≤≥→←↑↓√∑°％①②③④⑤「」『』°㎡")
_TAGS = re.compile(r"<script\b.*?</script>|<style\b.*?</style>|<[^>]+>", re.DOTALL)


def site_characters(site: Path) -> set[str]:
    """완성된 사이트에 나오는 글자의 모음."""
    characters: set[str] = set()
    for path in site.rglob("*.html"):
        characters |= set(html.unescape(_TAGS.sub("", path.read_text(encoding="utf-8"))))
    return {c for c in characters if c.isprintable()}


def manuscript_characters() -> set[str]:
    """원고와 용어집에 나오는 글자의 모음. 아직 펴내지 않은 쪽의 글자도 미리 담습니다."""
    sources = [ROOT / "index.md", *(path for folder in PAGE_FOLDERS for path in (ROOT / folder).glob("*.*"))]
    text = "".join(path.read_text(encoding="utf-8") for path in sources if path.suffix in {".md", ".yml"})
    return {c for c in text if c.isprintable()}


def ranges(codes: list[int]) -> str:
    """유니코드 값을 CSS의 unicode-range로 적습니다."""
    out, start, last = [], None, None
    for code in [*sorted(codes), None]:
        if start is not None and code is not None and code == last + 1:
            last = code
            continue
        if start is not None:
            out.append(f"U+{start:X}" if start == last else f"U+{start:X}-{last:X}")
        start = last = code
    return ", ".join(out)


def covered() -> set[str]:
    """core.woff2가 맡는 글자(core.css에서 읽습니다)."""
    found: set[str] = set()
    text = re.search(r"unicode-range:([^;]+);", STYLE.read_text(encoding="utf-8")).group(1)
    for first, last in re.findall(r"U\+([0-9A-F]+)(?:-([0-9A-F]+))?", text):
        found |= {chr(c) for c in range(int(first, 16), int(last or first, 16) + 1)}
    return found


def rename(font, reserved: str = RESERVED, family: str = FAMILY) -> None:
    """글꼴 안의 이름에서 지켜 둔 이름(``reserved``)을 빼고, 이용 허락을 적습니다. 받은 글꼴을 고칩니다.

    Parameters
    ----------
    font : fontTools.ttLib.TTFont
    reserved, family : str
        원래 글꼴이 지켜 둔 이름과 새 이름.
    """
    table = font["name"]
    for record in list(table.names):
        text = record.toUnicode()
        if record.nameID == COPYRIGHT or not re.search(reserved.replace(" ", " ?"), text):
            continue
        one_word = record.nameID in {UNIQUE_ID, POSTSCRIPT} or record.nameID > 255
        new = family.replace(" ", "") if one_word else family
        record.string = re.sub(rf"{reserved.replace(' ', ' ?')}( ?Variable)?", new, text)
    platform = (3, 1, 0x409)
    table.setName(
        "This Font Software is licensed under the SIL Open Font License, Version 1.1.", LICENSE_TEXT, *platform
    )
    table.setName("https://openfontlicense.org", LICENSE_URL, *platform)


def icon_codes(site: Path, styles: str) -> dict[str, int]:
    """사이트의 쪽에 나오는 아이콘의 이름(``fa-list``)과 글자. 스타일시트가 글자로 바로 적은 것도 넣습니다.

    Parameters
    ----------
    site : Path
        완성된 HTML 폴더.
    styles : str
        테마의 스타일시트. 이름마다의 글자가 적혀 있습니다.
    """
    names: set[str] = set()
    for path in site.rglob("*.html"):
        if "_static" not in path.parts:
            names |= set(re.findall(r"fa-[a-z0-9-]+", path.read_text(encoding="utf-8")))
    rules = re.findall(r'((?:\.fa-[a-z0-9-]+:before,?)+)\{content:"\\([0-9a-f]+)"\}', styles)
    codes = {name: int(code, 16) for group, code in rules for name in re.findall(r"fa-[a-z0-9-]+", group)}
    written = re.findall(r'content:"\\(f[0-9a-f]{3})";font-family:Font Awesome', styles)
    return {name: codes[name] for name in sorted(names & set(codes))} | {code: int(code, 16) for code in written}


def theme_styles(site: Path) -> str:
    """테마의 스타일시트를 이은 글."""
    return "".join(path.read_text(encoding="utf-8") for path in sorted((site / "_static" / "styles").glob("*.css")))


def _cut(font, codes: list[int], features: list[str]) -> None:
    from fontTools import subset

    options = subset.Options()
    options.layout_features = features
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=codes)
    subsetter.subset(font)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="책이 쓰는 글자만 담은 글꼴을 만듭니다.")
    parser.add_argument("source", type=Path, help="PretendardVariable.woff2")
    args = parser.parse_args(argv)
    try:
        from fontTools.ttLib import TTFont
        from fontTools.varLib import instancer
    except ImportError:
        print("fonttools와 brotli가 필요합니다. `make test`가 만드는 환경에 들어 있습니다.", file=sys.stderr)
        return 1
    if not args.source.is_file():
        print(f"{args.source} 파일이 없습니다. npm pack pretendard@1.3.9로 받으세요.", file=sys.stderr)
        return 1
    font = TTFont(args.source)
    letters = site_characters(html_dir()) | manuscript_characters() | BASIC
    wanted = sorted(ord(c) for c in letters if ord(c) in font.getBestCmap())
    _cut(font, wanted, ["kern", "liga", "calt", "ccmp", "tnum"])
    font = instancer.instantiateVariableFont(font, {"wght": (WEIGHTS[0], WEIGHTS[0], WEIGHTS[1])})
    rename(font)
    font.flavor = "woff2"
    font.save(CORE)
    STYLE.write_text(
        "/* book/commands/font_subset.py가 만듭니다. 글꼴 차례에서 Pretendard보다 앞에 적습니다. */\n"
        f"@font-face {{\n  font-family: '{FAMILY}';\n"
        f"  font-style: normal;\n  font-display: fallback;\n  font-weight: {WEIGHTS[0]} {WEIGHTS[1]};\n"
        f"  src: url(core.woff2) format('woff2-variations');\n  unicode-range: {ranges(wanted)};\n}}\n",
        encoding="utf-8",
    )
    site = html_dir()
    icons = TTFont(next((site / "_static").rglob("fa-solid-900.ttf")))
    codes = icon_codes(site, theme_styles(site))
    _cut(icons, sorted(codes.values()), [])
    rename(icons, ICON_RESERVED, ICON_FAMILY)
    icons.flavor = "woff2"
    icons.save(ICONS)
    print(
        f"글자 {len(wanted)}개, {CORE.stat().st_size / 1024:.0f}KB. 아이콘 {len(codes)}개, {ICONS.stat().st_size / 1024:.1f}KB"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
