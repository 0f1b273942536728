"""시험을 모두 돌립니다: 단위·구조·주장·브라우저 시험과, 노트북의 두 번째 독립 실행(nbval).

두 번째 실행은 해시 씨앗을 바꿔 돌립니다. 순서에 기대는 숫자는 여기서 달라집니다.
시험 프로세스에도 네트워크 울타리를 칩니다. 루프백만 열려 있습니다. 시스템이 허락하면 이름공간까지 떼어 놓습니다(book/fence.py).
"""

import os
import shutil
import subprocess
import sys

import nbformat

from book import fence
from book.execution import kernel_environment, stored
from book.page import ROOT, build_dir, published_pages


def prepare_rerun() -> list[str]:
    """두 번째 실행에 쓸 노트북을 한 폴더에 모읍니다. 출력이 없는 노트북은 거짓 합격이므로 멈춥니다."""
    folder = build_dir() / "rerun"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    paths = []
    for page in published_pages():
        if not page.is_notebook:
            continue
        done = stored(page)
        if done is None:
            sys.exit(f"{page.docname}: 실행 결과가 없습니다. `make book`을 먼저 돌리세요.")
        notebook = done.notebook()
        if not any(cell.outputs for cell in notebook.cells if cell.cell_type == "code"):
            sys.exit(f"{page.docname}: 출력이 하나도 없는 노트북입니다. 쪽의 코드가 결과를 찍는지 보세요.")
        path = folder / f"{page.docname.replace('/', '__')}.ipynb"
        nbformat.write(notebook, path)
        paths.append(str(path))
    return paths


def main() -> int:
    os.chdir(ROOT)
    fence.enter()
    env = kernel_environment() | {"PYTHONHASHSEED": "1"}
    command = [
        sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", "--nbval", "--nbval-cell-timeout", "180",
        "--nbval-sanitize-with", "tests/nbval_sanitize.cfg", "-ra", "--durations", "15", "tests", *prepare_rerun(), *sys.argv[1:],
    ]  # fmt: skip
    return subprocess.run(command, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
