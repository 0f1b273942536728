"""명령: ``python -m causal_pipeline analyze spec.yml --out report/``."""

import sys

from causal_pipeline.command import main

if __name__ == "__main__":
    sys.exit(main())
