"""보고서의 그림. ``Picture``의 자료를 SVG로 그립니다. 같은 자료에서는 늘 같은 바이트가 나옵니다."""

import base64
import importlib.util
import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from causal_pipeline import designs
from causal_pipeline.model import Analysis, Picture

COLORS = {
    "treated": "#c2410c",  # 실험군
    "control": "#1d4ed8",  # 대조군
    "naive": "#6b7280",  # 단순 비교
    "accent": "#7c3aed",  # 강조
    "muted": "#9ca3af",  # 배경
}
STYLE = {
    "font.family": "NanumGothic",
    "axes.unicode_minus": False,  # 이 글꼴에는 U+2212가 없습니다
    "text.parse_math": False,  # 열 이름과 단위의 $는 수식이 아니라 글자입니다
    "savefig.bbox": "tight",
    "figure.constrained_layout.use": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e5e7eb",
    "axes.axisbelow": True,
    "axes.titlesize": 12,
    "axes.labelsize": 11,
    "legend.frameon": False,
    "lines.linewidth": 2.0,
    "figure.dpi": 100,
    "svg.hashsalt": "causal-practice",
    "svg.fonttype": "path",
}


def draw(picture: Picture) -> str:
    """그림 하나를 ``data:`` 주소로.

    Raises
    ------
    KeyError
        모르는 종류이거나 자료의 이름이 빠졌을 때.
    """
    kinds = KINDS | {name: paint for kind in designs.registered() for name, paint in kind.drawers.items()}
    return _svg(lambda ax: kinds[picture.kind](ax, picture.data), size=(7.2, _height(picture)))


def forest(analysis: Analysis) -> Picture:
    """모든 추정을 나란히 그릴 자료."""
    es = analysis.estimates
    unit = analysis.spec.outcome.unit
    return Picture(
        kind="forest",
        title="방법마다의 추정값과 95% 신뢰구간",
        alt="방법 " + ", ".join(e.label for e in es) + "의 추정값과 신뢰구간을 가로로 늘어놓은 그림입니다. 수는 아래 표와 같습니다.",
        data={
            "labels": [e.label for e in es], "values": [e.value for e in es], "lows": [e.low for e in es], "highs": [e.high for e in es],
            "unit": unit, "primary": next(i for i, e in enumerate(es) if e.primary),
        },
    )  # fmt: skip


def graph(analysis: Analysis) -> str | None:
    """인과 그래프. 그래프도 교란 요인도 적지 않았으면 None."""
    from causal_pipeline.graphs import causal_graph

    spec = analysis.spec
    edges = sorted(causal_graph(spec).edges)
    nodes = {n for e in edges for n in e}
    if len(nodes) < 3:
        return None
    labels, ends = {n: spec.label(n) for n in nodes}, {spec.treatment.column, spec.outcome.column}
    size = (7.2, min(8.0, max(3.2, 0.42 * len(nodes))))
    return _svg(lambda ax: _draw_graph(ax, edges, labels, ends, set(spec.hidden)), size=size)


def _positions(edges: Iterable[tuple[str, str]]) -> dict[str, tuple[float, float]]:
    """위상 순서로 왼쪽에서 오른쪽으로. 층마다 높이를 번갈아 옮겨, 층을 건너뛰는 화살표가 마디에 가리지 않게 합니다."""
    import networkx as nx

    places = {}
    for layer, nodes in enumerate(nx.topological_generations(nx.DiGraph(edges))):
        for i, node in enumerate(sorted(nodes)):
            places[node] = (float(layer), (len(nodes) - 1) / 2 - i + (0.35 if layer % 2 else -0.35))
    return places


def _draw_graph(
    ax: Any, edges: list[tuple[str, str]], labels: dict[str, str], ends: set[str], hidden: set[str]
) -> None:
    """마디는 글 상자, 재지 못한 변수와 그 화살표는 점선, 처치와 결과는 강조."""
    places, boxes = _positions(edges), {}
    for node, (x, y) in places.items():
        strong = node in ends
        frame = {
            "boxstyle": "round,pad=0.45",
            "facecolor": "#ede9fe" if strong else "#f9fafb",
            "edgecolor": COLORS["accent"] if strong else COLORS["naive"],
            "linestyle": "--" if node in hidden else "-",
            "linewidth": 1.6 if strong else 1.1,
        }
        boxes[node] = ax.text(x, y, labels[node], ha="center", va="center", fontsize=11, zorder=3, bbox=frame)
    xs, ys = zip(*places.values(), strict=True)
    pad_x, pad_y = 0.18 * (max(xs) - min(xs) or 1), 0.25 * (max(ys) - min(ys) or 1)
    ax.set_xlim(min(xs) - pad_x, max(xs) + pad_x)
    ax.set_ylim(min(ys) - pad_y, max(ys) + pad_y)
    ax.axis("off")
    for cause, effect in edges:
        style = {
            "arrowstyle": "-|>",
            "color": COLORS["accent"] if {cause, effect} <= ends else "#4b5563",
            "linewidth": 1.4,
            "linestyle": "--" if {cause, effect} & hidden else "-",
            "patchA": boxes[cause].get_bbox_patch(),
            "patchB": boxes[effect].get_bbox_patch(),
            "shrinkA": 2,
            "shrinkB": 2,
            "mutation_scale": 14,
        }
        arrow = ax.annotate("", xy=places[effect], xytext=places[cause], arrowprops=style, zorder=2)
        arrow.update_positions = _after_boxes(arrow.update_positions, boxes[cause], boxes[effect])


def _after_boxes(place: Callable[[Any], None], *boxes: Any) -> Callable[[Any], None]:
    """상자의 자리를 먼저 맞추고 화살표를 놓습니다. 글 상자는 그려질 때에야 자리를 잡아, 그냥 두면 화살촉이 상자에 묻히거나 못 미칩니다."""

    def placed(renderer: Any) -> None:
        for box in boxes:
            box.update_bbox_position_size(renderer)
        place(renderer)

    return placed


def _height(picture: Picture) -> float:
    rows = len(picture.data.get("labels", []))
    return max(2.2, min(12.0, 0.9 + 0.34 * rows)) if picture.kind in {"forest", "balance"} else 3.8


def _svg(paint: Callable[[Any], None], size: tuple[float, float]) -> str:
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    _add_fonts()
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=size)
        FigureCanvasSVG(figure)
        paint(figure.add_subplot())
        out = io.BytesIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return "data:image/svg+xml;base64," + base64.b64encode(out.getvalue()).decode()


def _add_fonts() -> None:
    """한글 글꼴(NanumGothic)을 matplotlib에 알립니다. 글꼴의 패키지는 불러오지 않습니다(불러오면 전역 설정을 바꿉니다).

    Raises
    ------
    ModuleNotFoundError
        글꼴을 담은 패키지가 없을 때.
    """
    from matplotlib import font_manager

    found = importlib.util.find_spec("koreanize_matplotlib")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("한글 글꼴이 없습니다. `pip install koreanize-matplotlib`로 설치하세요.")
    known = {entry.fname for entry in font_manager.fontManager.ttflist}
    for path in sorted(Path(found.origin).parent.rglob("NanumGothic*.ttf")):
        if str(path) not in known:
            font_manager.fontManager.addfont(str(path))


def _ends(values: list, lows: list, highs: list) -> list[list[float]]:
    """오차 막대의 두 길이. 구간이 추정값을 담지 않는 드문 때에도 음수가 되지 않게 합니다."""
    return [
        [max(v - lo, 0) for v, lo in zip(values, lows, strict=True)],
        [max(hi - v, 0) for v, hi in zip(values, highs, strict=True)],
    ]


def _forest(ax: Any, d: dict) -> None:
    rows = list(range(len(d["labels"])))
    best = d["primary"]
    for i in rows:
        color = COLORS["treated"] if i == best else COLORS["control"]
        ends = _ends([d["values"][i]], [d["lows"][i]], [d["highs"][i]])
        ax.errorbar([d["values"][i]], [-i], xerr=ends, fmt="o" if i != best else "D", color=color, capsize=3)
    ax.axvline(0, color=COLORS["naive"], linewidth=1)
    ax.set_yticks([-i for i in rows], d["labels"])
    ax.set_ylim(-len(rows) + 0.4, 0.6)
    ax.set_xlabel(f"효과({d['unit']})" if d["unit"] else "효과")


def _balance(ax: Any, d: dict) -> None:
    names = d["labels"]
    rows = [-i for i in range(len(names))]
    ax.scatter(d["before"], rows, marker="o", facecolors="none", edgecolors=COLORS["naive"], label="보정 전", zorder=3)
    ax.scatter(d["after"], rows, marker="D", color=COLORS["treated"], label="보정 후", zorder=3, clip_on=False)
    ax.axvline(d["threshold"], color=COLORS["muted"], linestyle="--", linewidth=1)
    ax.set_yticks(rows, names)
    ax.set_xlim(left=0)
    ax.set_xlabel("정규화 차이의 크기")
    ax.legend()


def _overlap(ax: Any, d: dict) -> None:
    ax.stairs(d["control"], d["edges"], color=COLORS["control"], fill=True, alpha=0.4, label="대조군")
    ax.stairs(d["treated"], d["edges"], color=COLORS["treated"], linewidth=2, label="실험군")
    ax.set_xlabel("성향점수")
    ax.set_ylabel("대상의 수")
    ax.legend()


def _event_study(ax: Any, d: dict) -> None:
    ax.axhline(0, color=COLORS["naive"], linewidth=1)
    ax.axvline(-0.5, color=COLORS["muted"], linestyle="--", linewidth=1)
    ax.errorbar(
        d["times"],
        d["values"],
        yerr=_ends(d["values"], d["lows"], d["highs"]),
        fmt="o",
        color=COLORS["control"],
        capsize=2,
        markersize=4,
    )
    ax.set_xlabel("처음 처치받은 시점에서 센 시간")
    ax.set_ylabel(f"효과({d['unit']})" if d["unit"] else "효과")


def _running(ax: Any, d: dict) -> None:
    ax.scatter(d["x"], d["y"], s=16, color=COLORS["muted"])
    for side in ("left", "right"):
        ax.plot(
            d[f"fit_x_{side}"], d[f"fit_y_{side}"], color=COLORS["control"] if side == "left" else COLORS["treated"]
        )
    ax.axvline(d["cutoff"], color=COLORS["naive"], linestyle="--", linewidth=1)
    ax.set_xlabel(d["x_label"])
    ax.set_ylabel(d["y_label"])


def _paths(ax: Any, d: dict) -> None:
    for gap in d["placebos"]:
        ax.plot(d["times"], gap, color=COLORS["muted"], linewidth=0.7, alpha=0.6)
    ax.plot(d["times"], d["treated"], color=COLORS["treated"], label="실제")
    ax.plot(d["times"], d["synthetic"], color=COLORS["control"], linestyle="--", label="가상의 대조군")
    ax.axvline(d["start"], color=COLORS["naive"], linestyle=":", linewidth=1)
    ax.set_xlabel("시점")
    ax.set_ylabel(f"결과({d['unit']})" if d["unit"] else "결과")
    ax.legend()


def _dose(ax: Any, d: dict) -> None:
    ax.fill_between(d["dose"], d["lows"], d["highs"], color=COLORS["control"], alpha=0.2)
    ax.plot(d["dose"], d["values"], color=COLORS["control"])
    ax.set_xlabel(d["x_label"])
    ax.set_ylabel(d["y_label"])


def _calibration(ax: Any, d: dict) -> None:
    ends = _ends(d["observed"], d["lows"], d["highs"])
    ax.errorbar(d["predicted"], d["observed"], yerr=ends, fmt="o", color=COLORS["control"], capsize=3)
    span = [min(*d["predicted"], *d["observed"]), max(*d["predicted"], *d["observed"])]
    ax.plot(span, span, color=COLORS["naive"], linestyle="--", linewidth=1)
    ax.set_xlabel("예측한 효과")
    ax.set_ylabel("잰 효과")


KINDS: dict[str, Callable[[Any, dict], None]] = {
    "forest": _forest, "balance": _balance, "overlap": _overlap, "event_study": _event_study, "running": _running,
    "paths": _paths, "dose": _dose, "calibration": _calibration,
}  # fmt: skip
"""모든 설계가 쓰는 그림의 종류. 저만의 그림은 설계의 ``drawers``에 둡니다."""


def formula(latex: str) -> str | None:
    """수식을 그림으로. matplotlib이 읽지 못하는 수식이면 None이고, 보고서는 글로 적습니다."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    if not latex or any("가" <= c <= "힣" for c in latex):
        return None
    with mpl.rc_context(
        {
            "svg.hashsalt": STYLE["svg.hashsalt"],
            "svg.fonttype": "path",
            "mathtext.fontset": "cm",
            "savefig.bbox": "tight",
        }
    ):
        figure = Figure(figsize=(0.1, 0.1))
        FigureCanvasSVG(figure)
        figure.text(0, 0, f"${latex.strip().strip('$')}$", fontsize=15)
        out = io.BytesIO()
        try:
            figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
        except ValueError:
            return None
    return "data:image/svg+xml;base64," + base64.b64encode(out.getvalue()).decode()
