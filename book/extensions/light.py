"""가볍게: 스타일시트를 한 파일로 묶고, 스크립트가 첫 화면을 막지 않게 하고, 그림에 크기와 늦게 받기를 답니다.

느린 휴대전화망에서는 파일의 수가 곧 시간입니다. 쪽마다 스무 개 넘던 첫 화면을 막는 요청이 하나가 됩니다.
쓰지 않는 아이콘의 규칙과 아이콘 글꼴(156KB)은 빼고, 쓰는 아이콘만 담은 글꼴(``icons.woff2``)을 넣습니다.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath

from sphinx.application import Sphinx

FRAGMENTS = "fonts/pretendard/pretendard.css"  # core.woff2에 없는 글자의 조각. 글자는 이미 보이므로 늦게 받습니다
ICONS = "fonts/icons.woff2"
ICON_FAMILY = "Book Icons"
DENSITY = 110  # causal_practice.set_style의 figure.dpi. 이보다 촘촘한 그림은 그만큼 작게 놓입니다

_STYLE = re.compile(r'\s*<link\b[^>]*\brel="stylesheet"[^>]*>')
_FROM = re.compile(r'data-from="([^"]*)"')
_HREF = re.compile(r'href="([^"?]+)')
_SCRIPT = re.compile(r'<script(?=[^>]*\ssrc=)(?![^>]*\s(?:defer|async|type="module"))')
_MATHJAX = re.compile(r'<script defer[^>]* src="([^"]*)_static/(vendor/mathjax/[^"]*)"')
_NAMES = re.compile(r"[\w-]+", re.ASCII)
_SELECTED = re.compile(r"[.#]((?:\\.|[\w-])+)")
_PARENTHESES = re.compile(r":(?:not|is|where|has)\((?:[^()]|\([^()]*\))*\)")
_PRELOAD = re.compile(r'\s*<link rel="preload" as="script"[^>]*>')
_PAGENAME = re.compile(r"\s*<script>DOCUMENTATION_OPTIONS\.pagename = [^<]*</script>")
# 넘치는 상자를 찾는 테마의 함수: 하나 재고 하나 쓰기를 되풀이해 휴대전화를 1초 넘게 멈춥니다. book.js가 그 일을 맡습니다.
_THRASHING = re.compile(r'"complete"===document\.readyState\?(\w)\(\):window\.addEventListener\("load",\1\)')
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_BANNER = "/* 이 책이 쓰는 규칙만 모았습니다(book/extensions/light.py). 원본과 이용 허락은 곁의 styles/와 저마다의 파일에 있습니다. */"
_URL = re.compile(r"""url\((['"]?)(?!data:|#|[a-z]+:|/)([^)'"]+)\1\)""")
_IMPORT = re.compile(r"""@import\s+["']([^"']+)["'];?""")
_ICON_FACE = re.compile(r"@font-face\{[^}]*fontawesome[^}]*\}")
_ICON_RULE = re.compile(r'((?:\.fa-[a-z0-9-]+(?::before)?,?)+)\{(?:content:"[^"]*"|--fa:[^}]*)\}')
_ICON_NAME = re.compile(r"fa-[a-z0-9-]+")
_IMAGE = re.compile(r"<img\b(?P<attributes>[^>]*)>")
_SIZED = re.compile(r'\s*style="width: (\d+(?:\.\d+)?)px; height: (\d+(?:\.\d+)?)px;?"')


# --- 스타일시트 ---


def stylesheet(path: Path, target: Path, icons: set[str]) -> str:
    """스타일시트의 글. ``@import``를 펴고, 주소를 ``target``에서 본 것으로 고치고, 쓰지 않는 아이콘을 뺍니다.

    Parameters
    ----------
    path, target : Path
        읽을 파일과, 이 글이 들어갈 파일.
    icons : set of str
        사이트에 나오는 아이콘의 이름(``fa-list``).
    """
    text = path.read_text(encoding="utf-8").removeprefix("\ufeff").replace('@charset "UTF-8";', "")
    text = _COMMENT.sub("", text)
    text = _ICON_FACE.sub("", text)
    text = _ICON_RULE.sub(lambda m: m[0] if icons & set(_ICON_NAME.findall(m[1])) else "", text)
    text = text.replace(r"Font Awesome\ 6 Free", f'"{ICON_FAMILY}"').replace(
        '"Font Awesome 6 Free"', f'"{ICON_FAMILY}"'
    )

    def moved(match: re.Match) -> str:
        return f"url({os.path.relpath(path.parent / match[2], target.parent).replace(os.sep, '/')})"

    text = _URL.sub(moved, text)
    return _IMPORT.sub(lambda m: stylesheet(path.parent / m[1], target, icons), text).strip()


def statements(css: str) -> Iterator[tuple[str, str | None]]:
    """스타일시트의 맨 바깥 규칙마다 (머리, 중괄호 안). 중괄호가 없는 것(``@charset``)은 안이 None입니다."""
    depth, start, opened, quote = 0, 0, 0, ""
    for at, char in enumerate(css):
        if quote:
            quote = "" if char == quote and css[at - 1] != "\\" else quote
        elif char in "\"'":
            quote = char
        elif char == "{":
            depth += 1
            opened = at if depth == 1 else opened
        elif char == "}":
            depth -= 1
            if depth == 0:
                yield css[start:opened].strip(), css[opened + 1 : at]
                start = at + 1
        elif char == ";" and depth == 0:
            yield css[start:at].strip(), None
            start = at + 1


def prune(css: str, words: set[str]) -> str:
    """``words``에 없는 클래스나 이름표를 고르는 규칙을 뺍니다. 테마의 규칙은 셋에 둘이 이 책에 없는 것을 꾸밉니다.

    Parameters
    ----------
    css : str
        스타일시트의 글. 주석은 없어야 합니다.
    words : set of str
        모든 쪽과 스크립트에 나오는 낱말. 스크립트가 붙이는 클래스도 여기에 들어 있습니다.
    """
    kept = []
    for head, body in statements(css):
        if body is None:
            kept.append(f"{head};")
        elif head.startswith(("@media", "@supports", "@layer", "@container")):
            if inner := prune(body, words):
                kept.append(f"{head}{{{inner}}}")
        elif head.startswith("@"):
            kept.append(f"{head}{{{body}}}")
        else:
            chosen = [s for s in _split(head) if _present(s, words)]
            if chosen:
                kept.append(f"{','.join(chosen)}{{{body}}}")
    return "\n".join(kept)


def _present(selector: str, words: set[str]) -> bool:
    plain = _PARENTHESES.sub("", re.sub(r"\[[^\]]*\]", "", selector))
    return all(name.replace("\\", "") in words or "\\" in name for name in _SELECTED.findall(plain))


def _split(head: str) -> list[str]:
    """선택자의 목록을 쉼표에서 나눕니다. 괄호 안의 쉼표는 나누지 않습니다."""
    parts, depth = [""], 0
    for char in head:
        depth += (char in "([") - (char in ")]")
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts]


def union(lists: list[list[str]]) -> list[str]:
    """쪽마다의 스타일시트를 차례를 지켜 하나로 합칩니다. 몇 쪽에만 있는 것은 그 쪽에서 바로 뒤에 오던 것의 앞에 놓습니다."""
    merged: list[str] = []
    for names in sorted(lists, key=len, reverse=True):
        at = len(merged)
        for name in reversed(names):
            if name in merged:
                at = merged.index(name)
            else:
                merged.insert(at, name)
    return merged


# --- 쪽 ---


def lighten(text: str, bundle: str, fragments: str, sources: list[str]) -> str:
    """쪽의 HTML에서 스타일시트를 ``bundle`` 하나로 바꾸고, 바깥 스크립트에 ``defer``를 답니다. 두 번 해도 같습니다.

    Parameters
    ----------
    text : str
        쪽의 HTML.
    bundle, fragments : str
        묶음과 글자 조각의 주소.
    sources : list of str
        쪽이 부르던 스타일시트. 다음 빌드가 이 쪽을 다시 쓰지 않아도 무엇을 묶을지 알도록 적어 둡니다.
    """
    tags = f'\n<link rel="stylesheet" href="{bundle}" data-from="{" ".join(sources)}">'
    tags += f"""\n<link rel="stylesheet" href="{fragments}" media="print" onload="this.media='all'">"""
    first = _STYLE.search(text)
    text = _STYLE.sub(lambda m: tags if m.start() == first.start() else "", text)
    text = _PRELOAD.sub("", _PAGENAME.sub("", text))
    text = _MATHJAX.sub(r'<script defer src="\1_static/look/math.js" data-mathjax="\1_static/\2"', text)
    return _SCRIPT.sub("<script defer", text)


def _sources(text: str, folder: Path, static: Path) -> list[str]:
    """쪽이 부르는 스타일시트(``_static`` 아래의 이름). 이미 묶은 쪽이면 적어 둔 것입니다."""
    if kept := _FROM.search(text):
        return kept[1].split()
    hrefs = [_HREF.search(tag)[1] for tag in _STYLE.findall(text)]
    return [os.path.relpath(folder / href, static).replace(os.sep, "/") for href in hrefs]


def quieten(script: str) -> str:
    """테마의 스크립트에서 넘치는 상자를 찾는 함수를 부르지 않게 합니다. 두 번 해도 같습니다.

    Raises
    ------
    ValueError
        부르는 곳을 찾지 못했을 때. 테마의 판이 바뀌면 다시 살펴야 합니다.
    """
    quiet, count = _THRASHING.subn("/* book.js */0", script)
    if not count and "/* book.js */0" not in script:
        raise ValueError(
            "테마의 스크립트가 바뀌었습니다. 넘치는 상자를 찾는 함수를 어디서 부르는지 보고 light.py를 고치세요."
        )
    return quiet


def _bundle(app: Sphinx, error: Exception | None) -> None:
    if error or app.builder.name != "html":
        return
    out, static = Path(app.outdir), Path(app.outdir) / "_static"
    theme = static / "scripts" / "pydata-sphinx-theme.js"
    theme.write_text(quieten(theme.read_text(encoding="utf-8")), encoding="utf-8")
    files = [path for path in sorted(out.rglob("*.html")) if not {"_static", "slides"} & set(path.parts)]
    pages = {path: path.read_text(encoding="utf-8") for path in files}
    sources = {path: _sources(text, path.parent, static) for path, text in pages.items()}
    icons = set().union(*(_ICON_NAME.findall(text) for text in pages.values()))
    names = [name for name in union(list(sources.values())) if name != FRAGMENTS]
    face = f'@font-face {{ font-family: "{ICON_FAMILY}"; font-weight: 400 900; font-display: block; src: url({ICONS}) format("woff2"); }}'
    scripts = [
        p.read_text(encoding="utf-8")
        for p in sorted(static.rglob("*.js"))
        if "vendor" not in p.parts and p.name != "index.js"
    ]
    words = set().union(*(_NAMES.findall(text) for text in [*pages.values(), *scripts]))
    styles = (prune(stylesheet(static / name, static / "book.css", icons), words) for name in names)
    content = "\n".join([_BANNER, *styles, face]) + "\n"
    bundle = f"book-{hashlib.sha256(content.encode()).hexdigest()[:10]}.css"
    for old in static.glob("book-*.css"):
        old.unlink()
    (static / bundle).write_text(content, encoding="utf-8")
    for path, text in pages.items():
        up = os.path.relpath(static, path.parent).replace(os.sep, "/")
        light = lighten(text, f"{up}/{bundle}", f"{up}/{FRAGMENTS}", sources[path])
        if light != text:
            path.write_text(light, encoding="utf-8")


# --- 그림 ---


@cache
def _size(path: Path, modified_ns: int) -> tuple[int, int] | None:
    """그림의 화면 크기(px). 촘촘하게 그린 그림(dpi가 :data:`DENSITY`보다 큰 것)은 그만큼 줄입니다. 읽지 못하면 None."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            scale = DENSITY / max(DENSITY, image.info.get("dpi", (DENSITY,))[0])
            return round(image.width * scale), round(image.height * scale)
    except UnidentifiedImageError:  # SVG
        return None


def sized(attributes: str, size: tuple[int, int] | None) -> str:
    """``<img>``의 속성에 크기와 늦게 받기를 더합니다. 스타일에 박힌 크기는 속성으로 옮겨, CSS가 좁은 화면에 맞춥니다."""
    if match := _SIZED.search(attributes):
        size = size or (round(float(match[1])), round(float(match[2])))
        attributes = _SIZED.sub("", attributes)
    close = " /" if attributes.rstrip().endswith("/") else ""
    attributes = attributes.rstrip().removesuffix("/").rstrip()
    if size and " width=" not in attributes:
        attributes += f' width="{size[0]}" height="{size[1]}"'
    if " loading=" not in attributes:
        attributes += ' loading="lazy"'
    if " decoding=" not in attributes:
        attributes += ' decoding="async"'
    return attributes + close


def _images(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    body = context.get("body")
    if not body or doctree is None:
        return
    sources = {name: Path(app.srcdir) / uri for uri, name in app.builder.images.items()}

    def mark(match: re.Match) -> str:
        path = sources.get(PurePosixPath(re.search(r'src="([^"]*)"', match["attributes"])[1]).name)
        if path is None or not path.is_file():  # 우리가 HTML로 적은 그림(표지, 사례의 카드)은 크기를 이미 말합니다
            return match[0]
        return f"<img{sized(match['attributes'], _size(path, path.stat().st_mtime_ns))}>"

    context["body"] = _IMAGE.sub(mark, body)


def setup(app: Sphinx) -> dict:
    app.connect("html-page-context", _images, priority=650)  # 표와 도구 줄을 붙이기(700) 앞
    app.connect("build-finished", _bundle, priority=900)  # 검색 자료를 쓴 뒤, 404의 주소를 고치기(950) 앞
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
