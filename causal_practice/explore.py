"""움직여 보는 그림: 미리 셈해 둔 상태를 슬라이더로 하나씩 넘겨 봅니다.

라이브러리를 싣지 않습니다. 모든 상태를 matplotlib의 SVG 한 장에 겹쳐 그리고(축은 한 벌), 브라우저의 ``<input type="range">``가
한 상태만 보입니다. 그래서 글쇠와 화면 낭독기로 움직이고, 스크립트가 없거나 종이에 찍으면 시작 상태의 그림이 남습니다.
"""

import html
import io
import math
import re
from collections.abc import Callable, Mapping
from numbers import Real

from causal_practice.claims import publish_record, show_html

EXPLORE_MIME = "application/papermill.record/application/vnd.causal-practice.explore+json"
FEWEST, MOST = 3, 25  # 상태의 수
_STYLE = """
.explore { margin: 1rem 0; }
.explore svg { display: block; width: 100%; max-width: 40rem; height: auto; margin: 0 auto; background: #fff; }
.explore label { display: flex; gap: 0.8rem; align-items: center; font-weight: 600; }
.explore input { flex: 1; min-width: 6rem; height: 2.4rem; accent-color: #7c3aed; }
.explore output { display: block; min-height: 5.4em; }
@media print { .explore label, .explore details { display: none; } .explore output { min-height: 0; } }
.reveal .explore label, .reveal .explore details { display: none; }
"""
# 움직이면 그 상태의 그림과 문장만 보입니다. 주피터랩도 셀의 출력에서 이 처리기를 돌립니다.
_MOVE = (
    "const box = this.closest('.explore'), row = box.querySelectorAll('li')[this.value];"
    "for (const part of box.querySelectorAll('[data-state]'))"
    " part.style.display = part.dataset.state === this.value ? '' : 'none';"
    "this.setAttribute('aria-valuetext', row.firstElementChild.textContent);"
    "box.querySelector('output').innerHTML = row.innerHTML;"
)


def explore(ax, looks: Mapping, draw: Callable, say: Callable, *, label: str, alt: str, unit: str = "", start=None):
    """상태마다 셈한 값을 그림 한 장에 그리고, 슬라이더로 한 상태씩 보입니다.

    Parameters
    ----------
    ax : matplotlib Axes
        변하지 않는 것(축 이름, 정답 선, 범례)을 그려 둔 축. 그림은 이 함수가 닫습니다.
    looks : {상태: {이름: 값}}
        슬라이더의 차례대로. 상태는 수나 글자이고 3개에서 25개입니다.
    draw : (ax, 상태, 값) -> None
        그 상태에서만 보일 것을 그립니다. 축의 범위와 제목은 바꾸지 않습니다.
    say : (상태, 값) -> str
        그 상태에서 보이는 것을 말하는 문장. 수는 값에서 가져옵니다.
    label, unit : str
        움직이는 것의 이름과 단위. "쏠림"과 "배"이면 '쏠림 2배'로 읽습니다.
    alt : str
        그림에서 무엇을 보아야 하는지.
    start : 상태, 선택
        처음에, 그리고 스크립트가 없을 때 보일 상태. 없으면 첫 상태입니다.

    Raises
    ------
    ValueError
        상태의 수가 범위 밖이거나, 시작 상태가 없거나, 그리지 않거나 말하지 않은 상태가 있거나, 값이 NaN일 때.
    """
    import matplotlib.pyplot as plt

    states = list(looks)
    if not FEWEST <= len(states) <= MOST:
        raise ValueError(f"explore('{label}'): 상태가 {len(states)}개입니다. {FEWEST}개에서 {MOST}개로 정하세요.")
    if start is not None and start not in looks:
        raise ValueError(f"explore('{label}'): 시작 상태 {start!r}가 looks에 없습니다. {states} 가운데에서 고르세요.")
    first = 0 if start is None else states.index(start)
    names = [f"{label} {state:g}{unit}" if isinstance(state, Real) else f"{label} {state}{unit}" for state in states]
    values = [{k: float(f"{v:.10g}") for k, v in look.items() if isinstance(v, Real)} for look in looks.values()]
    for name, numbers in zip(names, values, strict=True):
        if lost := [k for k, v in numbers.items() if not math.isfinite(v)]:
            raise ValueError(f"explore: '{name}'의 {', '.join(lost)} 값이 수가 아닙니다. 앞 계산을 확인하세요.")
    said = [say(state, look) for state, look in looks.items()]
    for number, (state, look) in enumerate(looks.items()):
        before = set(ax.get_children())
        draw(ax, state, look)
        drawn = set(ax.get_children()) - before
        if not drawn or not said[number].strip():
            raise ValueError(f"explore('{label}'): 상태 {state!r}에서 그린 것이나 문장이 없습니다.")
        for artist in drawn:
            artist.set_gid(f"state-{number}")
    picture = _picture(ax.figure, first, salt=label)
    plt.close(ax.figure)
    rows = [
        f"<b>{html.escape(name)}</b> <span>{html.escape(text)}</span>" for name, text in zip(names, said, strict=True)
    ]
    page = (
        f'<div class="explore"><style>{_STYLE}</style><noscript><style>.explore label {{ display: none; }}</style></noscript>'
        f'{picture.replace("<svg", f"""<svg role="img" aria-label="{html.escape(alt)}" """, 1)}'
        f'<label>{html.escape(label)} <input type="range" min="0" max="{len(states) - 1}" step="1" value="{first}" '
        f'autocomplete="off" aria-valuetext="{html.escape(names[first])}" oninput="{html.escape(_MOVE)}"></label>'
        f'<output aria-live="polite">{rows[first]}</output>'
        f"<details><summary>움직이지 않고 모두 읽기</summary><ol>{''.join(f'<li>{row}</li>' for row in rows)}</ol></details></div>"
    )
    plain = "\n".join(f"{name}: {text}" for name, text in zip(names, said, strict=True))
    show_html(page, plain)
    record = {"label": label, "unit": unit, "states": states, "values": values, "said": said, "start": first}
    publish_record(EXPLORE_MIME, f"explore: {label}", record)


def _picture(figure, first: int, salt: str) -> str:
    """모든 상태를 담은 SVG. 글자는 글자로 남기고, 같은 그림이면 늘 같은 글이 나옵니다."""
    import matplotlib as mpl

    buffer = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": salt}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(
        r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1), count=1
    )
    text = re.sub(r"font-family: [^;\"]*", "font-family: inherit", text)
    text = re.sub(r"(-?\d+\.\d{2})\d+", r"\1", text)  # 한 점의 백분의 일까지면 넉넉합니다
    text = re.sub(
        r' id="state-(\d+)"',
        lambda m: f' data-state="{m[1]}"' + ("" if int(m[1]) == first else ' style="display: none"'),
        text,
    )
    named = set(re.findall(r"#([\w.-]+)", text))  # 부르지 않는 이름은 쪽의 다른 이름과 겹칠 수 있어 지웁니다
    text = re.sub(r' id="([\w.-]+)"', lambda m: m[0] if m[1] in named else "", text)
    return re.sub(r"\s*\n\s*", " ", text)
