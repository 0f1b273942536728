"""보고서의 그림. ``Picture``의 자료를 SVG로 그립니다. 같은 자료에서는 늘 같은 바이트가 나옵니다."""

import base64
import io
from typing import Any

from causal_pipeline.model import Analysis, Picture
from causal_practice.plotting import COLORS, draw_graph, set_style


def draw(picture: Picture) -> str:
    """그림 하나를 ``data:`` 주소로.

    Raises
    ------
    KeyError
        모르는 종류이거나 자료의 이름이 빠졌을 때.
    """
    return _svg(lambda ax: _KINDS[picture.kind](ax, picture.data), size=(7.2, _height(picture)))


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
    spec = analysis.spec
    t, y = spec.treatment.column, spec.outcome.column
    edges = list(spec.edges)
    if not edges:
        edges = [(t, y)] + [(c, end) for c in spec.confounders for end in (t, y)]
        if spec.instrument:
            edges.append((spec.instrument, t))
    nodes = {n for e in edges for n in e}
    if len(nodes) < 3:
        return None
    labels = {n: spec.label(n) for n in nodes}
    size = (7.2, min(8.0, max(3.2, 0.42 * len(nodes))))
    where = _positions(edges)
    return _svg(lambda ax: draw_graph(edges, labels=labels, positions=where, highlight=[t, y], hidden=spec.hidden, ax=ax), size=size)


def _positions(edges: list[tuple[str, str]]) -> dict[str, tuple[float, float]]:
    """위상 순서로 왼쪽에서 오른쪽으로. 층마다 높이를 번갈아 옮겨, 층을 건너뛰는 화살표가 마디에 가리지 않게 합니다."""
    import networkx as nx

    graph = nx.DiGraph(sorted(edges))
    places = {}
    for layer, nodes in enumerate(nx.topological_generations(graph)):
        for i, node in enumerate(sorted(nodes)):
            places[node] = (float(layer), (len(nodes) - 1) / 2 - i + (0.35 if layer % 2 else -0.35))
    return places


def _height(picture: Picture) -> float:
    rows = len(picture.data.get("labels", picture.data.get("columns", [])))
    return max(2.2, min(12.0, 0.9 + 0.34 * rows)) if picture.kind in {"forest", "balance"} else 3.8


def _svg(paint: Any, size: tuple[float, float]) -> str:
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with mpl.rc_context():
        set_style()
        mpl.rcParams.update({"svg.hashsalt": "causal-practice", "svg.fonttype": "path", "figure.dpi": 100})
        figure = Figure(figsize=size)
        FigureCanvasSVG(figure)
        paint(figure.add_subplot())
        out = io.BytesIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return "data:image/svg+xml;base64," + base64.b64encode(out.getvalue()).decode()


def _ends(values: list, lows: list, highs: list) -> list[list[float]]:
    """오차 막대의 두 길이. 구간이 추정값을 담지 않는 드문 때에도 음수가 되지 않게 합니다."""
    return [[max(v - lo, 0) for v, lo in zip(values, lows, strict=True)], [max(hi - v, 0) for v, hi in zip(values, highs, strict=True)]]


def _forest(ax: Any, d: dict) -> None:
    rows = list(range(len(d["labels"])))
    best = d.get("primary")
    for i in rows:
        color = COLORS["treated"] if i == best else COLORS["control"]
        ends = _ends([d["values"][i]], [d["lows"][i]], [d["highs"][i]])
        ax.errorbar([d["values"][i]], [-i], xerr=ends, fmt="o" if i != best else "D", color=color, capsize=3)
    ax.axvline(0, color=COLORS["naive"], linewidth=1)
    ax.set_yticks([-i for i in rows], d["labels"])
    ax.set_ylim(-len(rows) + 0.4, 0.6)
    ax.set_xlabel(f"효과({d['unit']})" if d.get("unit") else "효과")


def _balance(ax: Any, d: dict) -> None:
    names = d.get("labels", d.get("columns"))
    rows = [-i for i in range(len(names))]
    ax.scatter(d["before"], rows, marker="o", facecolors="none", edgecolors=COLORS["naive"], label="보정 전", zorder=3)
    ax.scatter(d["after"], rows, marker="D", color=COLORS["treated"], label="보정 후", zorder=3, clip_on=False)
    ax.axvline(d.get("threshold", 0.1), color=COLORS["muted"], linestyle="--", linewidth=1)
    ax.set_yticks(rows, names)
    ax.set_xlim(left=0)
    ax.set_xlabel("정규화 차이의 크기")
    ax.legend()


def _overlap(ax: Any, d: dict) -> None:
    ax.stairs(d["control"], d["edges"], color=COLORS["control"], fill=True, alpha=0.4, label="대조군")
    ax.stairs(d["treated"], d["edges"], color=COLORS["treated"], linewidth=2, label="실험군")
    ax.set_xlabel(d.get("label", "성향점수"))
    ax.set_ylabel("대상의 수" if "label" not in d else "밀도")
    ax.legend()


def _event_study(ax: Any, d: dict) -> None:
    ax.axhline(0, color=COLORS["naive"], linewidth=1)
    ax.axvline(-0.5, color=COLORS["muted"], linestyle="--", linewidth=1)
    ax.errorbar(d["times"], d["values"], yerr=_ends(d["values"], d["lows"], d["highs"]), fmt="o", color=COLORS["control"], capsize=2, markersize=4)
    ax.set_xlabel("처음 처치받은 시점에서 센 시간")
    ax.set_ylabel(f"효과({d['unit']})" if d.get("unit") else "효과")


def _running(ax: Any, d: dict) -> None:
    ax.scatter(d["x"], d["y"], s=16, color=COLORS["muted"])
    for side in ("left", "right"):
        x, y = d.get(f"fit_x_{side}", d.get(f"{side}_x")), d.get(f"fit_y_{side}", d.get(f"{side}_y"))
        ax.plot(x, y, color=COLORS["control"] if side == "left" else COLORS["treated"])
    ax.axvline(d["cutoff"], color=COLORS["naive"], linestyle="--", linewidth=1)
    ax.set_xlabel(d.get("x_label", "배정변수"))
    ax.set_ylabel(d.get("y_label", "결과의 평균"))


def _paths(ax: Any, d: dict) -> None:
    for gap in d.get("placebos", []):
        ax.plot(d["times"], gap, color=COLORS["muted"], linewidth=0.7, alpha=0.6)
    ax.plot(d["times"], d.get("treated", d.get("observed")), color=COLORS["treated"], label="실제")
    ax.plot(d["times"], d["synthetic"], color=COLORS["control"], linestyle="--", label="가상의 대조군")
    ax.axvline(d["start"], color=COLORS["naive"], linestyle=":", linewidth=1)
    ax.set_xlabel("시점")
    ax.set_ylabel(f"결과({d['unit']})" if d.get("unit") else "결과")
    ax.legend()


def _dose(ax: Any, d: dict) -> None:
    ax.fill_between(d["dose"], d["lows"], d["highs"], color=COLORS["control"], alpha=0.2)
    ax.plot(d["dose"], d["values"], color=COLORS["control"])
    ax.set_xlabel(d.get("x_label", "처치의 크기"))
    ax.set_ylabel(d.get("y_label", "결과"))


def _policy(ax: Any, d: dict) -> None:
    if "shares" in d:
        ax.fill_between(d["shares"], d["lows"], d["highs"], color=COLORS["control"], alpha=0.2)
        ax.plot(d["shares"], d["values"], color=COLORS["control"])
        ax.axvline(d["chosen"], color=COLORS["treated"], linestyle="--")
        ax.set_xlabel("처치하는 비율")
        ax.set_ylabel(f"값({d['unit']})" if d.get("unit") else "값")
        return
    _forest(ax, d)
    ax.set_xlabel(f"대상 하나당 값({d['unit']})" if d.get("unit") else "대상 하나당 값")


def _calibration(ax: Any, d: dict) -> None:
    ends = _ends(d["observed"], d["lows"], d["highs"])
    ax.errorbar(d["predicted"], d["observed"], yerr=ends, fmt="o", color=COLORS["control"], capsize=3)
    span = [min(*d["predicted"], *d["observed"]), max(*d["predicted"], *d["observed"])]
    ax.plot(span, span, color=COLORS["naive"], linestyle="--", linewidth=1)
    ax.set_xlabel("예측한 효과")
    ax.set_ylabel("잰 효과")


_KINDS = {
    "forest": _forest, "balance": _balance, "overlap": _overlap, "event_study": _event_study, "running": _running,
    "paths": _paths, "dose": _dose, "policy": _policy, "calibration": _calibration,
}  # fmt: skip


def formula(latex: str) -> str | None:
    """수식을 그림으로. matplotlib이 읽지 못하는 수식이면 None이고, 보고서는 글로 적습니다."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    if not latex or any("가" <= c <= "힣" for c in latex):
        return None
    with mpl.rc_context():
        mpl.rcParams.update({"svg.hashsalt": "causal-practice", "svg.fonttype": "path", "mathtext.fontset": "cm", "savefig.bbox": "tight"})
        figure = Figure(figsize=(0.1, 0.1))
        FigureCanvasSVG(figure)
        figure.text(0, 0, f"${latex.strip().strip('$')}$", fontsize=15)
        out = io.BytesIO()
        try:
            figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
        except ValueError:
            return None
    return "data:image/svg+xml;base64," + base64.b64encode(out.getvalue()).decode()
