"""새 사례의 틀을 만듭니다: make new-case NAME=kakao_push

사례 쪽, 생성기, CSV, 데이터 카드, 시험을 템플릿에서 베껴 만듭니다. 만든 그대로 점검을 통과하며,
초안(draft: true)이라 차례에는 실리지 않습니다. 중간에 실패하면 아무것도 남기지 않습니다.
"""

from book.stopping import stop_cleanly, undivided

if __name__ == "__main__":
    stop_cleanly("멈췄습니다. 같은 명령을 다시 하면 처음부터 만듭니다(다 만든 뒤였으면 이미 있다고 알립니다).")

import argparse
import keyword
import os
import re
import sys
import tempfile
from pathlib import Path

from book.checks.structure import UNWRITTEN
from book.files import explain
from book.page import ROOT, PageError

TEMPLATE, TEMPLATE_DATA = "template", "template_case"
CATALOG = "data/catalog.yml"
_GOOD_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_RESERVED = {"index", "template", "template_case", "catalog", "checks", "data", "case", "cases"}
_TEMPLATE_ONLY = re.compile(r"^% 템플릿 안내 시작\n.*?^% 템플릿 안내 끝\n", re.MULTILINE | re.DOTALL)

_GUIDANCE = re.compile(r"^:::\{admonition\} 안내\n:class: tip\n(.*?)^:::\n", re.MULTILINE | re.DOTALL)


def files_of(name: str) -> dict[str, str]:
    """새 사례가 갖는 파일: 하는 일 → 저장소에서의 자리."""
    return {
        "page": f"case_studies/{name}.md",
        "generator": f"data/generators/{name}.py",
        "data": f"data/{name}.csv",
        "test": f"tests/pages/test_{name}.py",
    }


def refuse_bad_name(name: str, root: Path = ROOT) -> None:
    """쓸 수 없는 이름이면 까닭을 알립니다.

    Raises
    ------
    PageError
        비었거나, 한글·빈칸·대문자·빼기표가 있거나, 예약어이거나, 이미 있을 때.
    """
    again = "영어 소문자, 숫자, 밑줄만 씁니다. 예: make new-case NAME=kakao_push"
    if not name:
        raise PageError(f"사례의 이름이 없습니다. {again}")
    if re.search(r"[가-힣]", name):
        raise PageError(f"'{name}': 이름에 한글을 쓸 수 없습니다. 파일 이름과 파이썬 이름이 되기 때문입니다. {again}")
    if re.search(r"\s", name):
        raise PageError(f"'{name}': 이름에 빈칸이 있습니다. 밑줄로 이으세요. {again}")
    if not _GOOD_NAME.fullmatch(name):
        better = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
        hint = f" '{better}'은(는) 어떤가요?" if _GOOD_NAME.fullmatch(better) else ""
        raise PageError(f"'{name}': 쓸 수 없는 이름입니다. {again}{hint}")
    if len(name) > 40:
        raise PageError(f"'{name}': 이름이 {len(name)}자입니다. 40자 안으로 줄이세요.")
    if name in _RESERVED or keyword.iskeyword(name):
        raise PageError(f"'{name}': 이미 다른 뜻으로 쓰는 이름입니다. 조직과 주제를 이어 주세요. 예: kakao_push")
    taken = [path for path in files_of(name).values() if (root / path).exists()]
    if re.search(rf"^{name}:", (root / CATALOG).read_text(encoding="utf-8"), re.MULTILINE):
        taken.append(f"{CATALOG}의 카드")
    if taken:
        raise PageError(f"'{name}': 이미 있습니다({', '.join(taken)}). 다른 이름을 고르세요.")


def render(name: str, root: Path = ROOT) -> dict[str, bytes]:
    """새 사례의 파일 내용. 열쇠는 저장소에서의 자리이며 카드를 더한 catalog.yml도 들어 있습니다.

    Raises
    ------
    PageError
        템플릿의 파일이 없거나 손상되었을 때.
    """
    sources = files_of(TEMPLATE_DATA) | {"page": f"case_studies/{TEMPLATE}.md"}
    missing = [path for path in sources.values() if not (root / path).is_file()]
    if missing:
        raise PageError(f"템플릿의 파일이 없습니다: {', '.join(missing)}. 저장소를 다시 내려받으세요.")
    made = {}
    for role, path in files_of(name).items():
        content = (root / sources[role]).read_bytes()
        if role == "page":
            content = _page(content.decode("utf-8"), name).encode("utf-8")
        elif role != "data":
            content = content.decode("utf-8").replace(TEMPLATE_DATA, name).encode("utf-8")
        made[path] = content
    made[CATALOG] = _catalog((root / CATALOG).read_text(encoding="utf-8"), name).encode("utf-8")
    return made


def _quiet(box: re.Match) -> str:
    """안내 상자를 독자에게 보이지 않는 줄로. 지우지 않아도 쪽에 나오지 않습니다."""
    return "".join(f"% 안내: {line}\n" for line in box[1].splitlines())


def _page(text: str, name: str) -> str:
    text, removed = _TEMPLATE_ONLY.subn("", text)
    text = _GUIDANCE.sub(_quiet, text)
    text, titled = re.subn(r"^# .*$", f"# 새 사례 {name}", text, count=1, flags=re.MULTILINE)
    if not (removed and titled):
        raise PageError(
            "case_studies/template.md: 템플릿 안내의 시작과 끝 표시나 '# 제목'을 찾지 못했습니다. 템플릿을 되돌리세요."
        )
    text = re.sub(
        r"^description: .*$",
        f"description: {UNWRITTEN}. 한두 문장으로 무엇을 정하는 이야기인지 적습니다.",
        text,
        count=1,
        flags=re.MULTILINE,
    )
    text = text.replace("\n---\n", "\ndraft: true\n---\n", 1)
    return text.replace(TEMPLATE_DATA, name)


def _catalog(text: str, name: str) -> str:
    card = re.search(rf"^{TEMPLATE_DATA}:\n(?:[ #].*\n|\n)*", text.rstrip("\n") + "\n", re.MULTILINE)
    if not card:
        raise PageError(f"{CATALOG}: '{TEMPLATE_DATA}' 카드가 없습니다. 저장소를 다시 내려받으세요.")
    copy = card.group().rstrip("\n").replace(TEMPLATE_DATA, name)
    copy = copy.replace(f"source_page: case_studies/{TEMPLATE}\n", f"source_page: case_studies/{name}\n")
    return f"{text.rstrip()}\n\n{copy}\n"


def create(name: str, root: Path = ROOT) -> list[str]:
    """새 사례를 만들고 만든 파일의 자리를 돌려줍니다. 실패하면 처음 상태로 되돌립니다.

    Raises
    ------
    PageError
        이름이 나쁘거나 템플릿이 손상되었을 때. 이때 저장소는 그대로입니다.
    OSError
        파일을 쓰지 못했을 때. 그때까지 쓴 것은 지우고 카드도 되돌립니다.
    """
    refuse_bad_name(name, root)
    made = render(name, root)
    before = (root / CATALOG).read_bytes()
    written: list[Path] = []
    with tempfile.TemporaryDirectory(prefix=".new-case-", dir=root) as scratch:
        for path, content in made.items():  # 먼저 옆에 다 써 놓고, 다 되면 제자리로 옮깁니다
            draft = Path(scratch) / path
            draft.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(content)
        try:
            for path in made:
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                if path == CATALOG and (root / CATALOG).read_bytes() != before:
                    raise PageError(f"{CATALOG}: 만드는 사이에 다른 사람이 고쳤습니다. 다시 실행하세요.")
                if path != CATALOG:
                    written.append(root / path)
                os.replace(Path(scratch) / path, root / path)
        except BaseException:
            for path in written:
                path.unlink(missing_ok=True)
            if (root / CATALOG).read_bytes() == made[CATALOG]:
                (root / CATALOG).write_bytes(before)
            raise
    return [*files_of(name).values(), f"{CATALOG} (카드 '{name}')"]


def main(argv: list[str] | None = None) -> int:
    """만들지 못하면 까닭을 한국어로 알리고 1을 돌려줍니다."""
    parser = argparse.ArgumentParser(prog="make new-case", description="새 사례의 틀을 만듭니다.")
    parser.add_argument("name", nargs="*", help="영어 소문자, 숫자, 밑줄로 된 이름")
    known, rest = parser.parse_known_args(argv)
    name = " ".join([*known.name, *rest])  # 빼기표로 시작하는 이름도 까닭을 적어 물리칩니다
    try:
        with undivided():  # 파일 다섯을 함께 놓습니다. 반만 놓고 멈추지 않습니다
            made = create(name)
    except PageError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"새 사례를 만들지 못해 모두 되돌렸습니다. {explain(error)}", file=sys.stderr)
        return 1
    print("만들었습니다.")
    for path in made:
        print(f"  {path}")
    print(
        f"이제 이렇게 합니다.\n"
        f"  1. make check-case CASE={name}   # 만든 그대로 통과하는지 봅니다\n"
        f"  2. data/generators/{name}.py와 카드를 고치고 make data NAME={name}   # 자료를 다시 씁니다\n"
        f"  3. case_studies/{name}.md를 '% 안내' 줄을 따라 고칩니다(make write로 노트북처럼 고칠 수도 있습니다)\n"
        f"  4. 쪽을 쓰지 않은 사람에게 reviews/case_studies/{name}.yml을 부탁합니다\n"
        "자세한 것은 guides/contributing.md에 있습니다."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
