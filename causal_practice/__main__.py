"""명령: ``python -m causal_practice analyze spec.yml --out report/``."""

import sys

from causal_practice.pipeline.command import main

if __name__ == "__main__":
    sys.exit(main())
