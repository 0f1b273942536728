"""명세 하나로 분석 전체를 돌립니다: 검사, 식별, 점검, 추정, 반박, 결정, 보고서.

    from causal_pipeline import analyze
    analysis = analyze("spec.yml", out="report")

무거운 라이브러리는 쓸 때에야 불러옵니다.
"""

from importlib import import_module

_HOMES = {
    "Analysis": "model",
    "DataError": "errors",
    "OutputError": "errors",
    "PipelineError": "errors",
    "Refusal": "errors",
    "Spec": "model",
    "SpecError": "errors",
    "analyze": "run",
    "parse_spec": "spec",
    "read_spec": "spec",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
