"""카드를 쪽 안에서 거르는 단추. 사례 모음과 현업 사례 지도가 함께 씁니다.

자바스크립트가 꺼져 있으면 단추 없이 모든 카드가 보입니다.
"""

import html
import re
from pathlib import Path

from sphinx.application import Sphinx

ASSETS = Path(__file__).parent / "gallery_assets" / "static"


def render(
    filters: dict[str, str],
    values: list[dict[str, list[str]]],
    cards: str,
    noun: str,
    unit: str,
    orders: dict[str, tuple[str, ...]] | None = None,
    folded: tuple[str, ...] = (),
) -> str:
    """거르기 단추와 카드의 HTML.

    Parameters
    ----------
    filters : dict
        갈래의 이름 → 화면의 이름. 이 차례로 놓습니다.
    values : list of dict
        카드마다 갈래의 이름 → 값. 카드의 ``data-facets``와 같습니다.
    cards : str
        class가 ``gallery-cards``인 묶음. 그 안의 카드는 class가 ``gallery-card``이고 ``data-facets``를 답니다.
    noun, unit : str
        세는 것과 단위('사례', '개').
    orders : dict
        갈래의 이름 → 단추의 차례. 없는 갈래는 수와 가나다의 차례입니다.
    folded : tuple of str
        접어 두는 갈래. 나머지 뒤에 놓입니다.
    """
    orders = orders or {}
    groups = {
        key: _group(key, name, [v for facets in values for v in facets[key]], noun, unit, orders.get(key, ()))
        for key, name in filters.items()
    }
    opened = "".join(group for key, group in groups.items() if key not in folded)
    more = "".join(groups[key] for key in folded)
    if more:
        names = ", ".join(filters[key] for key in folded)
        more = f'<details class="gallery-more"><summary>더 고르기: {names}</summary>{more}</details>'
    return (
        f'<div class="gallery"><div class="gallery-filters pst-js-only">{opened}{more}</div><p class="gallery-status">'
        f'<span class="gallery-count" role="status" data-noun="{noun}" data-unit="{unit}">{noun} {len(values)}{unit}</span>'
        '<button type="button" class="gallery-reset" hidden>모두 보기</button></p>'
        f'<div class="gallery-none" hidden><p>고른 조건에 모두 맞는 {noun}{_subject(noun)} 없습니다. 조건을 하나 풀어 보세요.</p>'
        f'<button type="button" class="gallery-reset">모두 보기</button></div>{cards}</div>'
    )


def _subject(noun: str) -> str:
    return "이" if (ord(noun[-1]) - 0xAC00) % 28 else "가"


def _group(key: str, name: str, values: list[str], noun: str, unit: str, order: tuple[str, ...]) -> str:
    if not values:
        return ""
    buttons = "".join(
        f'<button type="button" aria-pressed="false" data-value="{html.escape(value)}">{html.escape(value)} '
        f'<span class="gallery-of"><span class="gallery-spoken">{noun} </span>{values.count(value)}'
        f'<span class="gallery-spoken">{unit}</span></span></button>'
        for value in sorted(set(values), key=order.index if order else _order)
    )
    return f'<fieldset class="gallery-filter" data-facet="{key}"><legend>{name}</legend>{buttons}</fieldset>'


def _order(value: str) -> tuple[int, str]:
    """'2주차'가 '11주차'보다 앞에 오게 합니다."""
    digits = re.match(r"\d+", value)
    return (int(digits.group()) if digits else 10**6, value)


def _add_assets(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """거르기는 카드가 있는 쪽에만 싣습니다."""
    if 'class="gallery"' in (context.get("body") or ""):
        app.add_css_file("gallery/gallery.css")
        app.add_js_file("gallery/gallery.js", loading_method="defer")


def setup(app: Sphinx) -> dict:
    app.config.html_static_path.append(str(ASSETS))
    app.connect("html-page-context", _add_assets)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
