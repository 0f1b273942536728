"""워크플로가 커밋으로 고정한 액션이, 옆에 적은 판의 커밋이 맞는지 봅니다. 네트워크가 필요해 주간 점검이 돌립니다.

    python -m book.commands.action_pins         # 표준 라이브러리와 git만 씁니다

핀의 커밋은 사람이 읽을 수 없어, 판을 적은 주석과 어긋나도 눈에 띄지 않습니다. 판의 이름표가 옮겨진 것도 여기서 드러납니다.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
_USES = re.compile(r"uses:\s*([\w.-]+/[\w.-]+)(?:/[\w./-]+)?@([0-9a-f]{40})\s+#\s*(v\S+)")


def pins(folder: Path) -> dict[tuple[str, str, str], list[str]]:
    """(액션, 커밋, 적어 둔 판)에서 그것을 쓰는 ``파일:줄``로."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for path in sorted(folder.glob("*.yml")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if match := _USES.search(line):
                found.setdefault(match.groups(), []).append(f"{path.name}:{number}")
    return found


def commits_of(remote: str) -> dict[str, str]:
    """원격 저장소의 판 이름에서 커밋으로. 주석이 달린 이름표는 그것이 가리키는 커밋(``^{}``)으로 바꿉니다.

    Raises
    ------
    OSError
        저장소를 읽지 못했을 때.
    """
    done = subprocess.run(
        ["git", "ls-remote", "--tags", remote], capture_output=True, text=True, check=False, timeout=60
    )
    if done.returncode:
        raise OSError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "git ls-remote가 실패했습니다")
    found: dict[str, str] = {}
    for line in sorted(
        done.stdout.splitlines(), key=lambda text: text.endswith("^{}")
    ):  # 가리키는 커밋이 나중에 덮어씁니다
        commit, _, ref = line.partition("\trefs/tags/")
        found[ref.removesuffix("^{}")] = commit
    return found


def problem(action: str, commit: str, version: str, remote: str) -> str:
    """핀의 문제를 한 문장으로. 맞으면 빈 글자."""
    try:
        tags = commits_of(remote)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{action}: 저장소를 읽지 못했습니다({error})."
    if version not in tags:
        return f"{action}: {version}이라는 판이 없습니다."
    if tags[version] != commit:
        return f"{action}: {version}은 {tags[version]}인데 {commit}으로 고정했습니다."
    return ""


def main(base: str = "https://github.com") -> int:
    used = pins(ROOT / ".github" / "workflows")
    if not used:
        print("고정한 액션을 하나도 찾지 못했습니다. `uses: 이름@커밋 # v1.2.3` 꼴인지 보세요.", file=sys.stderr)
        return 1
    wrong = [(text, places) for pin, places in used.items() if (text := problem(*pin, f"{base}/{pin[0]}"))]
    for text, places in wrong:
        unread = "저장소를 읽지 못했습니다" in text
        remedy = "네트워크를 보고 다시 하세요." if unread else "판의 커밋을 손으로 확인하고 핀과 주석을 함께 고치세요."
        print(f"{', '.join(places)}: {text}\n  → {remedy}", file=sys.stderr)
    print(f"액션 {len(used)}개의 핀 가운데 {len(used) - len(wrong)}개를 판과 견주어 맞는 것을 보았습니다.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
