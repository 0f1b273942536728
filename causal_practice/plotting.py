"""한글이 보이는 그림과 인과 그래프."""

import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path

COLORS = {
    "treated": "#c2410c",  # 실험군
    "control": "#1d4ed8",  # 대조군
    "truth": "#15803d",  # 정답
    "naive": "#6b7280",  # 단순 비교
    "accent": "#7c3aed",  # 강조
    "muted": "#9ca3af",  # 배경
}
"""그림의 색. 색각 이상이 있어도 명도로 갈리고, 어두운 화면에서는 사이트가 뒤집어 보여 줍니다."""


def _font_files() -> list[Path]:
    """NanumGothic 글꼴 파일. 패키지를 불러오지 않고 파일만 찾습니다(불러오면 전역 설정을 바꿉니다)."""
    spec = importlib.util.find_spec("koreanize_matplotlib")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("한글 글꼴이 없습니다. `pip install koreanize-matplotlib`로 설치하세요.")
    return sorted(Path(spec.origin).parent.rglob("NanumGothic*.ttf"))


def _draw_twice_as_dense() -> None:
    """노트북에서는 그림을 화면의 두 배로 촘촘하게 찍습니다. 크기는 그대로 적히므로 글자가 또렷해질 뿐입니다."""
    ipython = sys.modules.get("IPython")
    if ipython is not None and ipython.get_ipython() is not None:
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats("retina")


def set_style() -> None:
    """한글 글꼴과 책의 그림 모양을 켭니다. 노트북 첫머리에서 한 번 부릅니다.

    Raises
    ------
    ModuleNotFoundError
        글꼴을 담은 패키지가 없을 때.
    """
    import matplotlib as mpl
    from matplotlib import font_manager

    _draw_twice_as_dense()
    known = {entry.fname for entry in font_manager.fontManager.ttflist}
    for path in _font_files():
        if str(path) not in known:
            font_manager.fontManager.addfont(str(path))
    mpl.rcParams.update(
        {
            "font.family": "NanumGothic",
            "axes.unicode_minus": False,  # 이 글꼴에는 U+2212가 없습니다
            "figure.figsize": (7.2, 4.0),
            "figure.dpi": 110,
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
            "axes.prop_cycle": mpl.cycler(
                color=[COLORS[k] for k in ("control", "treated", "truth", "accent", "naive")]
            ),
        }
    )


def _after_boxes(place, *boxes):
    """상자의 자리를 먼저 맞추고 화살표를 놓습니다. 글 상자는 그려질 때에야 자리를 잡아, 그냥 두면 화살촉이 상자에 묻히거나 못 미칩니다."""

    def placed(renderer):
        for box in boxes:
            box.update_bbox_position_size(renderer)
        place(renderer)

    return placed


def draw_graph(
    edges: Iterable[tuple[str, str]],
    labels: dict[str, str] | None = None,
    positions: dict[str, tuple[float, float]] | None = None,
    highlight: Iterable[str] = (),
    hidden: Iterable[str] = (),
    ax=None,
):
    """인과 그래프를 그립니다.

    Parameters
    ----------
    edges : (원인, 결과) 쌍의 모음
    labels : {마디: 한글 이름}
        없으면 마디 이름을 그대로 씁니다.
    positions : {마디: (가로, 세로)}
        없으면 위상 순서로 왼쪽에서 오른쪽으로 놓습니다.
    highlight : 처치와 결과처럼 강조할 마디
    hidden : 관측되지 않은 마디(점선)
    ax : matplotlib Axes, 선택

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        그래프에 순환이 있을 때. 순환을 이루는 마디를 알려 줍니다.
    """
    import matplotlib.pyplot as plt
    import networkx as nx

    graph = nx.DiGraph(list(edges))
    if not nx.is_directed_acyclic_graph(graph):
        loop = " → ".join([u for u, _ in nx.find_cycle(graph)] + [nx.find_cycle(graph)[0][0]])
        raise ValueError(f"인과 그래프에 순환이 있습니다: {loop}. 화살표 하나를 지우거나 시점을 나누세요.")
    if positions is None:
        for layer, nodes in enumerate(nx.topological_generations(graph)):
            for node in nodes:
                graph.nodes[node]["layer"] = layer
        positions = nx.multipartite_layout(graph, subset_key="layer")
    labels, highlight, hidden = labels or {}, set(highlight), set(hidden)
    if ax is None:
        _, ax = plt.subplots(figsize=(7.2, 3.6))
    boxes = {}
    for node in graph:
        emphasised = node in highlight
        boxes[node] = ax.text(
            *positions[node],
            labels.get(node, node),
            ha="center",
            va="center",
            fontsize=11,
            zorder=3,
            bbox={
                "boxstyle": "round,pad=0.45",
                "facecolor": "#ede9fe" if emphasised else "#f9fafb",
                "edgecolor": COLORS["accent"] if emphasised else "#6b7280",
                "linestyle": "--" if node in hidden else "-",
                "linewidth": 1.6 if emphasised else 1.1,
            },
        )
    xs, ys = zip(*positions.values(), strict=True)
    pad_x, pad_y = 0.18 * (max(xs) - min(xs) or 1), 0.25 * (max(ys) - min(ys) or 1)
    ax.set_xlim(min(xs) - pad_x, max(xs) + pad_x)
    ax.set_ylim(min(ys) - pad_y, max(ys) + pad_y)
    for cause, effect in graph.edges:
        dashed = cause in hidden or effect in hidden
        arrow = ax.annotate(
            "",
            xy=positions[effect],
            xytext=positions[cause],
            arrowprops={
                "arrowstyle": "-|>",
                "color": COLORS["accent"] if {cause, effect} <= highlight else "#4b5563",
                "linewidth": 1.4,
                "linestyle": "--" if dashed else "-",
                "patchA": boxes[cause].get_bbox_patch(),
                "patchB": boxes[effect].get_bbox_patch(),
                "shrinkA": 2,
                "shrinkB": 2,
                "mutation_scale": 14,
            },
            zorder=2,
        )
        arrow.update_positions = _after_boxes(arrow.update_positions, boxes[cause], boxes[effect])
    ax.axis("off")
    return ax
