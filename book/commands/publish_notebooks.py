"""실습 노트북을 ``notebooks`` 가지에 올립니다. 펴내기 작업만 부릅니다.

Colab과 Binder 단추가 이 가지를 엽니다. ``_config.yml``의 ``repository.url``이 비어 있으면 아무 일도 하지 않습니다.
가지는 늘 커밋 하나입니다. 지난 판은 쌓지 않습니다.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from book.bundle import NOTEBOOK_BRANCH
from book.bundle import main as write_bundle


def push(folder: Path, remote: str) -> None:
    """``folder``의 내용을 커밋 하나로 만들어 ``remote``의 notebooks 가지에 올립니다.

    Raises
    ------
    subprocess.CalledProcessError
        git이 실패했을 때.
    """
    identity = ["-c", "user.name=notebooks", "-c", "user.email=notebooks@users.noreply.github.com"]

    def git(*arguments: str) -> None:
        subprocess.run(["git", *identity, *arguments], cwd=folder, check=True)

    git("init", "--quiet", "--initial-branch", NOTEBOOK_BRANCH)
    git("add", "--all")
    git("commit", "--quiet", "--message", "실습 노트북")
    git("push", "--quiet", "--force", remote, f"HEAD:{NOTEBOOK_BRANCH}")


def main() -> int:
    repository, token = os.environ.get("GITHUB_REPOSITORY", ""), os.environ.get("GITHUB_TOKEN", "")
    with tempfile.TemporaryDirectory(prefix="notebooks-") as name:
        folder = Path(name)
        if code := write_bundle(["branch", str(folder)]):
            return code
        if not any(folder.iterdir()):
            return 0
        if not repository or not token:
            print("GITHUB_REPOSITORY와 GITHUB_TOKEN이 있어야 올립니다. 펴내기 작업에서만 돌립니다.", file=sys.stderr)
            return 1
        push(folder, f"https://x-access-token:{token}@github.com/{repository}.git")
    print(f"{NOTEBOOK_BRANCH} 가지에 올렸습니다.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
