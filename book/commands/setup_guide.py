"""설치 안내의 'make 없이 하는 법'에 적힌 명령을 깨끗한 폴더에서 그대로 돌립니다. 주간 점검이 씁니다.

    python3 -m book.commands.setup_guide          # 표준 라이브러리만 씁니다. 몇 분이 걸립니다

사이트를 여는 줄(book.commands.serve)은 끝나지 않으므로 빼고, 만들어진 사이트가 있는지 봅니다.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
GUIDE, SECTION = ROOT / "guides" / "setup.md", "## make 없이 하는 법"


def commands(text: str) -> list[str]:
    """안내의 그 절에 적힌 명령.

    Raises
    ------
    ValueError
        절이나 명령 상자가 없을 때.
    """
    match = re.search(rf"^{re.escape(SECTION)}$.*?^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    if not match or "\n## " in match.group().removeprefix(SECTION):
        raise ValueError(f"{GUIDE.relative_to(ROOT)}: '{SECTION}' 절에 bash 상자가 없습니다.")
    return [
        line.partition("  #")[0].strip()
        for line in match.group(1).splitlines()
        if line.strip() and not line.startswith("#")
    ]


def main() -> int:
    lines = [
        line for line in commands(GUIDE.read_text(encoding="utf-8")) if not line.endswith(" -m book.commands.serve")
    ]
    with tempfile.TemporaryDirectory(prefix="guide-") as name:
        copy = Path(name) / "book"
        subprocess.run(["git", "clone", "--quiet", "--depth", "1", ROOT.as_uri(), str(copy)], check=True)
        env = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("BOOK_", "PYTHONPATH", "VIRTUAL_ENV"))
        }
        for line in lines:
            print(f"$ {line}", flush=True)
            if code := subprocess.run(["bash", "-c", line], cwd=copy, env=env, check=False).returncode:
                print(f"guides/setup.md의 명령이 실패했습니다(종료 코드 {code}): {line}", file=sys.stderr)
                return 1
        if not (copy / "_build" / "html" / "index.html").is_file():
            print("명령은 모두 끝났는데 _build/html/index.html이 없습니다.", file=sys.stderr)
            return 1
    print("안내의 명령으로 사이트를 만들었습니다.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
