"""시험을 모두 돌립니다: 단위·구조·주장·브라우저 시험과, 쪽마다의 두 번째 독립 실행(tests/pages/test_second_run.py).

두 코어에 나누는 법과 끝에 찍는 표는 tests/ledger.py에 있습니다.
시험 프로세스에도 네트워크 울타리를 칩니다. 루프백만 열려 있습니다. 시스템이 허락하면 이름공간까지 떼어 놓습니다(book/fence.py).
"""

from book.stopping import run, stop_cleanly

if __name__ == "__main__":
    stop_cleanly("시험을 멈췄습니다. `make test`를 다시 하면 사이트와 실행한 쪽은 그대로 쓰고 시험부터 합니다.")

import os
import sys

from book import fence
from book.execution import kernel_environment
from book.files import explain
from book.page import ROOT, PageError


def main() -> int:
    os.chdir(ROOT)
    try:
        return _run()
    except PageError as error:
        print(error, file=sys.stderr)
    except OSError as error:
        print(explain(error), file=sys.stderr)
    return 1


def _run() -> int:
    fence.enter()
    env = kernel_environment() | {"PYTHONHASHSEED": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--no-loadscope-reorder", "-ra", "tests", *sys.argv[1:]]
    return run(command, env=env).returncode


if __name__ == "__main__":
    sys.exit(main())
