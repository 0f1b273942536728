"""다른 자료로 다시 실행하는 커널: 쪽과 생성기가 뿌리는 씨앗을 모두 옮기고, 그려지는 그림의 글자를 적어 둡니다.

``book/redraw.py``가 부르는 커널의 PYTHONPATH에서 ``book/kernel``보다 앞에 놓입니다. 울타리는 그대로 칩니다.
"""

import json
import os
from pathlib import Path

_KERNEL = Path(__file__).resolve().parent.parent / "kernel" / "sitecustomize.py"
exec(compile(_KERNEL.read_text(encoding="utf-8"), str(_KERNEL), "exec"))

import numpy as np

_SHIFT = int(os.environ["REDRAW_SHIFT"])
_original_rng = np.random.default_rng


def _moved_rng(seed=None):
    """씨앗이 적힌 난수 발생기를 다른 씨앗으로. 이미 만든 발생기와 빈 씨앗은 그대로 둡니다."""
    if isinstance(seed, (int, np.integer)):
        return _original_rng([int(seed), _SHIFT])
    if isinstance(seed, (list, tuple)) and all(isinstance(s, (int, np.integer)) for s in seed):
        return _original_rng([*map(int, seed), _SHIFT])
    return _original_rng(seed)


np.random.default_rng = _moved_rng


def _watch_figures(log: str) -> None:
    """그림 하나를 파일로 그릴 때마다 그 안의 글자를 한 줄(JSON)로 적습니다."""
    from matplotlib.backend_bases import FigureCanvasBase

    draw = FigureCanvasBase.print_figure

    def watched(self, *args, **options):
        done = draw(self, *args, **options)
        from figure_texts import read

        with open(log, "a", encoding="utf-8") as file:
            file.write(json.dumps(read(self.figure), ensure_ascii=False) + "\n")
        return done

    FigureCanvasBase.print_figure = watched


if os.environ.get("JPY_PARENT_PID") and os.environ.get("FIGURE_TEXTS"):
    _watch_figures(os.environ["FIGURE_TEXTS"])
