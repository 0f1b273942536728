"""실습 노트북을 ``notebooks`` 가지에 올립니다. 펴내기 작업만 부릅니다.

    python -m book.bundle branch 폴더                       # 시험을 지난 작업이 폴더에 씁니다
    python3 -m book.commands.publish_notebooks 폴더          # 쓰기 권한이 있는 작업이 올리기만 합니다

Colab과 Binder 단추가 이 가지를 엽니다. 쓰기 권한을 가진 작업이 쪽의 코드를 실행하지 않도록 둘로 나누었고,
올리는 쪽은 표준 라이브러리만 씁니다. 가지는 늘 커밋 하나입니다. 지난 판은 쌓지 않습니다.
"""

import os
import subprocess
import sys
from pathlib import Path

BRANCH = "notebooks"  # book.bundle의 NOTEBOOK_BRANCH와 같습니다(시험이 견줍니다)


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

    git("init", "--quiet", "--initial-branch", BRANCH)
    git("add", "--all")
    git("commit", "--quiet", "--message", "실습 노트북")
    git("push", "--quiet", "--force", remote, f"HEAD:{BRANCH}")


def main(argv: list[str] | None = None) -> int:
    arguments = sys.argv[1:] if argv is None else argv
    folder = Path(arguments[0]) if len(arguments) == 1 else None
    if folder is None or not folder.is_dir() or not any(folder.glob("*.ipynb")):
        print("올릴 노트북이 든 폴더를 적어 주세요. `python -m book.bundle branch 폴더`가 만듭니다.", file=sys.stderr)
        return 2
    repository, token = os.environ.get("GITHUB_REPOSITORY", ""), os.environ.get("GITHUB_TOKEN", "")
    if not repository or not token:
        print("GITHUB_REPOSITORY와 GITHUB_TOKEN이 있어야 올립니다. 펴내기 작업에서만 돌립니다.", file=sys.stderr)
        return 1
    push(folder, f"https://x-access-token:{token}@github.com/{repository}.git")
    print(f"{BRANCH} 가지에 올렸습니다.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
