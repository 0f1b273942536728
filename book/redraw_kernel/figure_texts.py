"""(커널) 그려진 그림 하나에서 독자가 보는 글자를 읽습니다."""

import re
from functools import cache
from warnings import catch_warnings, simplefilter

_NUMERIC = re.compile(r"[-−+]?[\d.,]+(?:e[-+]?\d+)?%?")


@cache
def _glyphs(path: str) -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(path).get_charmap())


def _missing(text) -> str:
    """그 글자의 글꼴에 그림이 없는 글자들. 식(``$…$``)은 다른 글꼴로 그려집니다."""
    from matplotlib.font_manager import findfont

    plain = re.sub(r"\$[^$]*\$", "", text.get_text())
    known = _glyphs(findfont(text.get_fontproperties()))
    return "".join(sorted({c for c in plain if ord(c) > 32 and ord(c) not in known}))


def _cell_number() -> int:
    """지금 도는 코드 셀의 번호(1부터)."""
    from IPython import get_ipython

    return len(get_ipython().user_ns["In"]) - 1


def read(figure) -> dict:
    """그림의 글자: 축마다 (이름표, 눈금이 수인지, 다른 축과 나눠 쓰는지), 그 밖의 글, 글꼴에 없는 글자.

    Returns
    -------
    dict
        cell(코드 셀의 번호), axes([가로/세로, 이름표, 눈금]), texts(제목·범례·주석), missing.
    """
    with catch_warnings():
        simplefilter("ignore")
        return _read(figure)


def _read(figure) -> dict:
    seen, axes, texts = [], [], []
    for ax in figure.axes:
        if not ax.get_visible():
            continue
        kept = [ax.title, ax._left_title, ax._right_title, *ax.texts]
        if legend := ax.get_legend():
            kept += [*legend.get_texts(), legend.get_title()]
        for name, axis in (("가로", ax.xaxis), ("세로", ax.yaxis)):
            ticks = [t for t in axis.get_ticklabels() if t.get_visible() and t.get_text().strip()]
            if not ax.axison or not axis.get_visible():
                continue
            shown = [re.sub(r"\\mathdefault\{(.*)\}", r"\1", t.get_text().strip("$")) for t in ticks]
            numeric = bool(shown) and all(_NUMERIC.fullmatch(s.replace("−", "-")) for s in shown)
            fixed = type(axis.get_major_formatter()).__name__ in {"FixedFormatter", "StrCategoryFormatter"}
            if numeric and not fixed:
                axes.append([name, axis.label.get_text().strip() if axis.label.get_visible() else ""])
            else:
                kept += ticks
                texts.append(axis.label.get_text())
            seen += [*ticks, axis.label]
        seen += kept
        texts += [t.get_text() for t in kept if t.get_visible()]
    seen += [*figure.texts, *(t for t in (figure._suptitle, figure._supxlabel, figure._supylabel) if t)]
    whole = [t.get_text() for t in (figure._supxlabel, figure._supylabel) if t]
    texts += [t.get_text() for t in figure.texts]
    texts = sorted({" ".join(t.split()) for t in texts if t.strip() and not _NUMERIC.fullmatch(t.strip())})
    lost = "".join(sorted({c for t in seen if t.get_visible() and t.get_text().strip() for c in _missing(t)}))
    return {"cell": _cell_number(), "axes": axes, "over": whole, "texts": texts, "missing": lost}
