"""명령: ``python -m causal_pipeline analyze spec.yml --out report/``."""

from causal_pipeline.stopping import stop_cleanly

if __name__ == "__main__":  # 무거운 라이브러리를 부르는 동안에도 곧 멈춥니다
    stop_cleanly("멈췄습니다. 같은 명령을 다시 하면 끝난 단계 다음부터 이어집니다.")

import sys

from causal_pipeline.command import main

if __name__ == "__main__":
    sys.exit(main())
