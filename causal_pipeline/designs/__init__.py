"""설계마다 점검, 추정, 흔들어 보기, 그림, 재현 단계를 냅니다.

``get(name)``이 돌려주는 모듈은 함수 다섯을 가집니다: ``check``, ``estimate``, ``stress``, ``pictures``, ``steps``.
"""

from importlib import import_module

NAMES = ("experiment", "adjustment", "instrument", "discontinuity", "difference_in_differences", "synthetic_control")


def get(name: str):
    """설계의 모듈.

    Raises
    ------
    KeyError
        그런 설계가 없을 때.
    """
    if name not in NAMES:
        raise KeyError(f"'{name}' 설계가 없습니다. 있는 것: {', '.join(NAMES)}")
    return import_module(f"causal_pipeline.designs.{name}")
