"""명세 하나로 분석 전체를 돌립니다: 검사, 식별, 점검, 추정, 반박, 결정, 보고서.

    from causal_pipeline import analyze
    analysis = analyze("spec.yml", out="report")

무거운 라이브러리는 쓸 때에야 불러옵니다.
"""

from causal_pipeline.errors import DataError, OutputError, PipelineError, Refusal, SpecError
from causal_pipeline.model import Analysis, Spec
from causal_pipeline.run import analyze
from causal_pipeline.spec import parse_spec, read_spec

__all__ = [
    "Analysis",
    "DataError",
    "OutputError",
    "PipelineError",
    "Refusal",
    "Spec",
    "SpecError",
    "analyze",
    "parse_spec",
    "read_spec",
]
