"""두 파이썬 판에서 실행한 책이 같은 숫자를 찍었는지 견줍니다. 주간 점검이 씁니다(표준 라이브러리만 씁니다).

    python -m book.commands.same_numbers 기준/execution 다른판/execution [--may-differ 쪽 …]

셀이 찍은 글과 본문에 묶인 값을 봅니다. 그림은 보지 않습니다. 글은 한 글자까지 같아야 하고, 숫자는 부동소수의 끝자리
(``RELATIVE``, ``ABSOLUTE``)만 봐줍니다. 라이브러리가 더하는 차례가 판마다 달라 열째 자리쯤에서 갈리기 때문입니다. 다른 줄 알고 README에 적은 쪽은 ``--may-differ``로
넘기며, 이제 같아졌으면 그것도 알립니다.
"""

import argparse
import difflib
import json
import math
import re
import sys
from pathlib import Path

RELATIVE, ABSOLUTE = 1e-6, 1e-9
_NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?", re.IGNORECASE)
_TEXT = ("text/plain", "application/papermill.record/text/plain")


def printed(notebook: dict) -> list[str]:
    """노트북의 셀들이 찍은 글과 묶은 값을 줄로. 그림의 이름표(``<Figure size …>``)는 뺍니다."""
    lines = []
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            texts = (
                [output.get("text", "")]
                if "text" in output
                else [output.get("data", {}).get(kind, "") for kind in _TEXT]
            )
            for text in texts:
                lines += [
                    line for line in "".join(text).splitlines() if line.strip() and not line.startswith("<Figure size")
                ]
    return lines


def same(one: str, two: str) -> bool:
    """두 줄이 같은 글이고 숫자도 끝자리 밖에서 같으면 참."""
    if one == two:
        return True
    if _NUMBER.sub("0", one).split() != _NUMBER.sub("0", two).split():
        return False
    pairs = zip(_NUMBER.findall(one), _NUMBER.findall(two), strict=True)
    return all(
        math.isclose(float(a.replace(",", "")), float(b.replace(",", "")), rel_tol=RELATIVE, abs_tol=ABSOLUTE)
        for a, b in pairs
    )


def latest(folder: Path) -> dict[str, Path]:
    """쪽의 이름에서 가장 나중에 실행한 결과로."""
    found: dict[str, Path] = {}
    for path in sorted(folder.glob("*.ipynb"), key=lambda p: p.stat().st_mtime_ns):
        found[path.name.split(".")[0].replace("__", "/")] = path
    return found


def differences(base: Path, other: Path) -> dict[str, str]:
    """쪽의 이름에서 무엇이 다른지로. 비어 있으면 같습니다.

    Parameters
    ----------
    base, other : Path
        실행 결과가 든 폴더(``_build/execution``).
    """
    one, two = latest(base), latest(other)
    found = {name: f"{name}: 한쪽에서만 실행했습니다." for name in sorted(one.keys() ^ two.keys())}
    for name in sorted(one.keys() & two.keys()):
        texts = [printed(json.loads(path.read_text(encoding="utf-8"))) for path in (one[name], two[name])]
        if len(texts[0]) == len(texts[1]):  # 봐줄 만큼만 다른 줄은 같은 줄로 놓고 나머지를 견줍니다
            texts[1] = [a if same(a, b) else b for a, b in zip(*texts, strict=True)]
        changed = [
            line
            for line in difflib.unified_diff(*texts, lineterm="", n=0)
            if line[0] in "-+" and line[:3] not in {"---", "+++"}
        ]
        if changed:
            found[name] = "\n  ".join([f"{name}: 찍은 글이 다릅니다.", *changed])
    return found


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="두 파이썬 판에서 실행한 책이 같은 숫자를 찍었는지 견줍니다.")
    parser.add_argument("base", type=Path)
    parser.add_argument("other", type=Path)
    parser.add_argument(
        "--may-differ", nargs="*", default=[], metavar="쪽", help="달라도 되는 쪽(README에 까닭을 적습니다)"
    )
    args = parser.parse_args(argv)
    for folder in (args.base, args.other):
        if not latest(folder):
            print(f"{folder}: 실행 결과(.ipynb)가 하나도 없습니다. `make book`을 먼저 돌리세요.", file=sys.stderr)
            return 2
    found = differences(args.base, args.other)
    print(*found.values(), sep="\n")
    wrong = [name for name in found if name not in args.may_differ]
    stale = [name for name in args.may_differ if name not in found]
    if wrong:
        print(f"{', '.join(wrong)}: 판마다 갈리는 계산을 찾아 반올림하거나 견디게 고치세요.", file=sys.stderr)
    if stale:
        print(f"{', '.join(stale)}: 이제 같은 숫자를 찍습니다. --may-differ와 README에서 빼세요.", file=sys.stderr)
    print(f"{len(latest(args.base))}쪽 가운데 {len(found)}쪽이 다릅니다.")
    return 1 if wrong or stale else 0


if __name__ == "__main__":
    sys.exit(main())
