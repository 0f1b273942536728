"""책의 노트북이 함께 쓰는 작은 패키지입니다.

데이터 불러오기, 한글 그림, 인과 그래프 그리기, 움직여 보는 그림, 값 묶기(glue)와 주장 기록, 자기 점검만 담습니다.
추정 방법은 담지 않습니다. 추정은 각 쪽에서 손으로 한 번, 라이브러리로 한 번 보여 줍니다.
"""

from causal_practice.answers import check_answer
from causal_practice.claims import Validated, glue, record_claim, record_validation, validate
from causal_practice.data import generator, load, package_file, truth
from causal_practice.explore import explore
from causal_practice.plotting import COLORS, draw_graph, set_style

__all__ = [
    "COLORS",
    "Validated",
    "check_answer",
    "draw_graph",
    "explore",
    "generator",
    "glue",
    "load",
    "package_file",
    "record_claim",
    "record_validation",
    "set_style",
    "truth",
    "validate",
]
