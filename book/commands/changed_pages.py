"""두 커밋 사이에 바뀐 쪽을 마크다운 목록으로 찍습니다. 풀 리퀘스트의 요약에 씁니다.

    python -m book.commands.changed_pages HEAD^1
"""

import re
import subprocess
import sys

import yaml

from book.execution import used_datasets
from book.page import ROOT, Page, PageError, published_pages

# 이것들이 바뀌면 모든 쪽이 바뀔 수 있습니다.
EVERYWHERE = ("_config.yml", "_toc.yml", "book/extensions/", "assets/", "causal_practice/", "requirements.lock", "book/kernel/")
_DATA = re.compile(r"data/(?:generators/)?(\w+)\.(?:csv|py)$")


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PageError(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def changed_cards(before: str, after: str) -> set[str]:
    """카드의 내용이 달라졌거나 생기거나 사라진 데이터의 이름. 인자는 두 판의 catalog.yml입니다."""
    old, new = yaml.safe_load(before) or {}, yaml.safe_load(after) or {}
    return {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}


def why_changed(page: Page, files: list[str], cards: set[str] = frozenset()) -> str:
    """쪽이 바뀐 까닭을 한 마디로 돌려줍니다. 바뀌지 않았으면 빈 글자입니다."""
    if f"{page.docname}.md" in files:
        return "원고"
    changed = cards | {match.group(1) for name in files if (match := _DATA.fullmatch(name))}
    if page.is_notebook and (hit := sorted(used_datasets(page) & changed)):
        return "데이터 " + ", ".join(hit)
    if shared := next((name for name in files if name.startswith(EVERYWHERE)), ""):
        return f"함께 쓰는 것 {shared}"
    return ""


def summary(pages: list[Page], files: list[str], cards: set[str] = frozenset()) -> str:
    """바뀐 쪽의 마크다운 목록."""
    rows = [(page, reason) for page in pages if (reason := why_changed(page, files, cards))]
    if not rows:
        return "## 바뀐 쪽\n\n바뀐 쪽이 없습니다.\n"
    lines = ["## 바뀐 쪽", "", "미리보기는 아래 preview 꾸러미에 있습니다. 압축을 풀고 아래 파일을 여세요.", "", "| 쪽 | 파일 | 바뀐 것 |", "| --- | --- | --- |"]
    for page, reason in rows:
        title = re.sub(r"[^\w\s.,:?!()·-]", "", page.title)  # 제목은 기여자의 글이라 표를 깨지 않게 추립니다
        lines.append(f"| {title} | `{page.docname}.html` | {reason} |")
    return "\n".join(lines) + "\n"


def main(argv: list[str] | None = None) -> int:
    arguments = sys.argv[1:] if argv is None else argv
    if len(arguments) != 1:
        print("비교할 커밋 하나를 적어 주세요. 예: python -m book.commands.changed_pages HEAD^1", file=sys.stderr)
        return 2
    try:
        files = _git("diff", "--name-only", arguments[0], "HEAD").splitlines()
        cards: set[str] = set()
        if "data/catalog.yml" in files:
            known = _git("ls-tree", "--name-only", arguments[0], "data/catalog.yml")
            before = _git("show", f"{arguments[0]}:data/catalog.yml") if known else ""
            cards = changed_cards(before, (ROOT / "data" / "catalog.yml").read_text(encoding="utf-8"))
        print(summary(published_pages(), files, cards))
    except PageError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
