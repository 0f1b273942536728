"""requirements에 적은 핀을 하나씩 풀어 보고, 잠금을 새로 만들면 무엇이 올라갔는지 말합니다. 주간 점검이 씁니다.

    python3 -m book.commands.pins list                     # GITHUB_OUTPUT에 적을 핀의 목록(JSON)
    python3 -m book.commands.pins loosen sphinx-design     # 그 핀 하나만 풀고 잠금을 새로 만듭니다(uv 필요)
    python3 -m book.commands.pins upgraded                 # HEAD의 잠금에서 무엇이 달라졌는지 마크다운으로

핀은 까닭이 있어 묶은 것이라, 풀어서 실패하는 것은 고장이 아닙니다. 풀어도 시험을 지나면 그 핀을 올릴 때입니다.
표준 라이브러리만 씁니다.
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FILES = {"requirements.txt": "requirements.lock", "requirements-test.txt": "requirements-test.lock"}
_PIN = re.compile(r"^(?P<name>[A-Za-z0-9_.-]+)(?:\[[^\]]*\])?(?P<bound>(?:==|<=?|~=)[^\s;#]+)(?P<rest>.*)$")


class PinError(ValueError):
    """사람이 고칠 수 있는 잘못. 메시지는 한국어 한 문장입니다."""


def pinned(root: Path = ROOT) -> dict[str, str]:
    """묶은 패키지의 이름에서 그것을 적은 파일로."""
    found = {}
    for name in FILES:
        for line in (root / name).read_text(encoding="utf-8").splitlines():
            if match := _PIN.match(line):
                found[match["name"]] = name
    return found


def loosened(text: str, name: str) -> str:
    """requirements의 글에서 ``name``의 묶음만 지웁니다. 아래로는 내려가지 않게 지금 판을 바닥으로 남깁니다."""
    lines = []
    for line in text.splitlines():
        match = _PIN.match(line)
        if match and match["name"] == name:
            floor = match["bound"].replace("==", ">=") if match["bound"].startswith("==") else ""
            line = line.replace(match["bound"], floor, 1)
        lines.append(line)
    return "\n".join(lines) + "\n"


def versions(lock: str) -> dict[str, str]:
    """잠금에서 패키지마다의 판. 파이썬 판에 따라 갈리면 모두 이어 적습니다."""
    found: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)", lock, re.MULTILINE):
        if version not in found.setdefault(name, []):
            found[name].append(version)
    return {name: ", ".join(sorted(set(listed))) for name, listed in found.items()}


def changes(before: str, after: str) -> list[tuple[str, str, str]]:
    """두 잠금 사이에 달라진 (이름, 앞의 판, 뒤의 판). 생기거나 사라진 것은 '없음'입니다."""
    old, new = versions(before), versions(after)
    return [
        (name, old.get(name, "없음"), new.get(name, "없음"))
        for name in sorted(old | new)
        if old.get(name) != new.get(name)
    ]


def _committed(name: str) -> str:
    done = subprocess.run(["git", "show", f"HEAD:{name}"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PinError(f"HEAD의 {name}을 읽지 못했습니다: {done.stderr.strip()}")
    return done.stdout


def upgraded() -> str:
    """HEAD의 잠금과 지금 잠금을 견준 마크다운."""
    rows = [
        row for lock in FILES.values() for row in changes(_committed(lock), (ROOT / lock).read_text(encoding="utf-8"))
    ]
    held = f"핀으로 묶은 {len(pinned())}개는 그대로 두었습니다. 하나씩 풀어 본 결과는 '핀' 작업에 있습니다.\n"
    if not rows:
        return f"## 새 잠금\n\n달라진 패키지가 없습니다. {held}"
    table = "\n".join(f"| {name} | {old} | {new} |" for name, old, new in sorted(set(rows)))
    return f"## 새 잠금\n\n{held}\n| 패키지 | 지금 잠금 | 이번에 시험한 판 |\n| --- | --- | --- |\n{table}\n"


def loosen(name: str) -> bool:
    """핀 하나를 풀고 잠금을 새로 만듭니다. 더 새것으로 바뀌었으면 참.

    Raises
    ------
    PinError
        그런 핀이 없거나, 푼 채로는 함께 깔 수 있는 판을 uv가 찾지 못했을 때.
    """
    if name not in pinned():
        raise PinError(f"'{name}'을 묶은 줄이 없습니다. 있는 핀: {', '.join(pinned())}")
    source = ROOT / pinned()[name]
    source.write_text(loosened(source.read_text(encoding="utf-8"), name), encoding="utf-8")
    before = (ROOT / FILES[source.name]).read_text(encoding="utf-8")
    done = subprocess.run(
        ["make", "lock", f"UPGRADE_PACKAGE={name}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise PinError(f"{name}을(를) 풀면 함께 깔 수 있는 판이 없습니다.\n{done.stderr.strip()[-1500:]}")
    after = (ROOT / FILES[source.name]).read_text(encoding="utf-8")
    return versions(before).get(name) != versions(after).get(name)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="핀을 하나씩 풀어 봅니다.")
    parser.add_argument("action", choices=["list", "loosen", "upgraded"])
    parser.add_argument("name", nargs="?", default="")
    args = parser.parse_args(argv)
    try:
        if args.action == "list":
            print(f"pins={json.dumps(list(pinned()))}")
        elif args.action == "upgraded":
            print(upgraded())
        else:
            print(f"newer={'true' if loosen(args.name) else 'false'}")
            print(upgraded(), file=sys.stderr)
    except PinError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
