"""새 사례를 쓰는 사람이 쓰거나 지녀야 하는 줄 가운데 내용이 아닌 것의 몫.

    python -m benchmarks.ceremony              # 지금의 make new-case가 만드는 것
    python -m benchmarks.ceremony <커밋>        # 그 커밋이 만들던 것

세는 법: 빈 줄, 남겨도 지워도 되는 줄(`%` 주석), 주피터랩(`make write`)이 대신 쓰는 셀의 울타리는 세지 않습니다. 울타리까지 센
몫도 함께 찍습니다. 나머지 가운데 다음은 의례이고 그 밖은 내용입니다.

* 원고: 도구가 읽는 머리말(---, jupytext, text_representation, kernelspec, kind, draft), 지시자를 여닫는 줄(장의 제목을 적은 여는 줄은 내용), 셀의 꼬리표와 설정
  (대체 텍스트는 내용), 지워야 하는 안내 상자, import, 값을 남기기만 하는 줄(glue), 그림을 켜고 끄는 줄(set_style, plt.show).
* 생성기: import, 문서의 머리말과 밑줄(Parameters, ----- 따위), 인자의 검사(raise와 그 조건).
* 카드: 명령이 채우는 줄(source_page, rows, seed, sha256)과 이름만 있는 줄.
* 시험: import와, 이 데이터의 이름이나 수가 없는 줄.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from book.page import ROOT

TARGET = 0.20
NAME = "new_case_to_count"
_TOOLS = re.compile(
    r"(?:---$|jupytext:|text_representation:|kernelspec:|kind:|draft:| *(?:extension|format_name|display_name|language|name):)"
)
_FENCE = re.compile(r"(?:```|:::|~~~)")
_TITLED = re.compile(r":::\{(?:slide|notes)\} \S")
_CODE = re.compile(r"(?:from .* import |import |glue\(|set_style\(\)|plt\.show\(\)|record_claim\(|record_validation\()")


def page_lines(text: str, fences: bool = False) -> tuple[int, int]:
    """원고의 (의례, 내용) 줄 수. ``fences``가 참이면 셀의 울타리도 의례로 셉니다."""
    ceremony = content = 0
    front, box, in_cell, in_options = True, False, False, False
    for number, line in enumerate(text.split("\n")):
        if not line.strip() or line.startswith("%"):
            continue
        if front:
            is_ceremony = bool(_TOOLS.match(line))
            front = not (number and line == "---")
        elif box or line.startswith(":::{admonition} 안내"):
            is_ceremony, box = True, not (box and line == ":::")
        elif in_cell:
            if line.startswith("```"):
                in_cell = False
                if not fences:
                    continue
                is_ceremony = True
            else:
                if line == "---":
                    in_options = not in_options
                is_ceremony = bool(
                    _CODE.match(line)
                    or line.startswith(":tags:")
                    or line == "---"
                    or (line.startswith(":mystnb:") and "alt:" not in line)
                )
                is_ceremony |= in_options and "alt:" not in line
        else:
            is_ceremony = bool(_FENCE.match(line) or re.match(r":[\w-]+:", line)) and not _TITLED.match(line)
            in_cell = line.startswith("```{code-cell}")
            if in_cell and not fences:
                continue
        ceremony, content = ceremony + is_ceremony, content + (not is_ceremony)
    return ceremony, content


def generator_lines(text: str) -> tuple[int, int]:
    """생성기의 (의례, 내용) 줄 수."""
    rows = [line for line in text.split("\n") if line.strip()]
    ceremony = 0
    for number, line in enumerate(rows):
        bare = line.strip()
        nxt = rows[number + 1].strip() if number + 1 < len(rows) else ""
        ceremony += bool(
            re.match(r"(?:import |from )", bare)
            or re.fullmatch(r"-{3,}|Parameters|Returns|Raises|pandas\.DataFrame|ValueError|\"\"\"", bare)
            or bare.startswith("raise ")
            or (bare.startswith("if ") and nxt.startswith("raise "))
        )
    return ceremony, len(rows) - ceremony


def card_lines(text: str) -> tuple[int, int]:
    """카드의 (의례, 내용) 줄 수."""
    rows = [line for line in text.split("\n") if line.strip()]
    ceremony = sum(bool(re.match(r"\s*(?:source_page|rows|seed|sha256|columns):|\S", line)) for line in rows)
    return ceremony, len(rows) - ceremony


def test_lines(text: str) -> tuple[int, int]:
    """시험의 (의례, 내용) 줄 수. 이 데이터의 이름이나 수, 문서와 알림이 있는 줄이 내용입니다."""
    rows = [line.strip() for line in text.split("\n") if line.strip()]
    own = [
        bool(re.search(r'"""|[가-힣]|(?<![\w.])\d|["\'](?:defects|extra_clean|removal)', line))
        and not line.startswith(("import ", "from "))
        for line in rows
    ]
    return len(rows) - sum(own), sum(own)


def counted(root: Path, fences: bool = False) -> dict[str, tuple[int, int]]:
    """``root``의 저장소가 만드는 새 사례의 파일마다 (의례, 내용)."""
    code = f"from book.commands import new_case as n; from pathlib import Path; Path('data/{NAME}.csv').exists() or n.create({NAME!r})"
    subprocess.run(
        [sys.executable, "-c", code], cwd=root, env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin"}, check=True
    )
    read = lambda path: (root / path).read_text(encoding="utf-8")  # noqa: E731
    card = re.search(rf"^{NAME}:\n(?:[ #].*\n?|\n)*", read("data/catalog.yml"), re.MULTILINE).group()
    return {
        "원고": page_lines(read(f"case_studies/{NAME}.md"), fences),
        "생성기": generator_lines(read(f"data/generators/{NAME}.py")),
        "카드": card_lines(card),
        "시험": test_lines(read(f"tests/pages/test_{NAME}.py")),
    }


def share(counts: dict[str, tuple[int, int]]) -> float:
    """의례의 몫(0에서 1)."""
    ceremony = sum(c for c, _ in counts.values())
    return ceremony / (ceremony + sum(c for _, c in counts.values()))


def main() -> int:
    commit = sys.argv[1] if len(sys.argv) > 1 else ""
    with tempfile.TemporaryDirectory(prefix="ceremony-") as folder:
        what = (
            ["git", "archive", commit]
            if commit
            else ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        )
        done = subprocess.run(what, cwd=ROOT, capture_output=True, check=True)
        unpack = ["tar", "-x", "-C", folder] if commit else ["tar", "-c", "--null", "-T", "-", "--ignore-failed-read"]
        if commit:
            subprocess.run(unpack, input=done.stdout, check=True)
        else:
            packed = subprocess.run(unpack, cwd=ROOT, input=done.stdout, capture_output=True, check=False)
            subprocess.run(["tar", "-x", "-C", folder], input=packed.stdout, check=True)
        counts, with_fences = counted(Path(folder)), counted(Path(folder), fences=True)
    for name, (ceremony, content) in counts.items():
        print(f"{name}: 의례 {ceremony}줄, 내용 {content}줄")
    print(
        f"모두: 의례 {sum(c for c, _ in counts.values())}줄, 내용 {sum(c for _, c in counts.values())}줄, 의례의 몫 {share(counts):.0%}(셀의 울타리까지 세면 {share(with_fences):.0%})"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
