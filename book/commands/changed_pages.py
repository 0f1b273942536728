"""두 커밋 사이에 바뀐 쪽을 마크다운으로 찍습니다. 풀 리퀘스트의 요약에 씁니다.

    python -m book.commands.changed_pages HEAD^1

새 쪽이 맨 앞에 오고, 원고나 데이터가 바뀐 쪽이 그다음입니다. 차례나 잠금 파일처럼 모든 쪽에 미치는 것은 쪽을 늘어놓지 않고 한 줄로 적습니다.
환경변수 ``PREVIEW_URL``에 미리보기의 주소가 있으면 그 주소를 겁니다.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field

import yaml

from book.execution import used_datasets, uses_pipeline
from book.page import ROOT, Page, PageError, listed_docnames, published_pages

# 이것들이 바뀌면 모든 쪽이 바뀔 수 있습니다.
EVERYWHERE = ("_config.yml", "book/extensions/", "assets/", "causal_practice/", "requirements.lock", "book/kernel/")
_DATA = re.compile(r"data/(?:generators/)?(\w+)\.(?:csv|py)$")


@dataclass(frozen=True)
class Changes:
    """두 커밋의 차이에서 쪽과 관계있는 것.

    Attributes
    ----------
    files : list of str
        바뀐 파일.
    cards : set of str
        카드가 바뀐 데이터의 이름.
    new, gone : list of str
        차례에 새로 실린 쪽과 차례에서 빠진 쪽의 이름.
    """

    files: list[str]
    cards: set[str] = field(default_factory=set)
    new: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PageError(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def changed_cards(before: str, after: str) -> set[str]:
    """카드의 내용이 달라졌거나 생기거나 사라진 데이터의 이름. 인자는 두 판의 catalog.yml입니다."""
    old, new = yaml.safe_load(before) or {}, yaml.safe_load(after) or {}
    return {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}


def changed_listing(before: str, after: str) -> tuple[list[str], list[str]]:
    """차례에 새로 실린 쪽과 빠진 쪽. 인자는 두 판의 _toc.yml입니다."""
    old, new = (listed_docnames(yaml.safe_load(text)) if text else [] for text in (before, after))
    return [name for name in new if name not in old], [name for name in old if name not in new]


def why_changed(page: Page, changes: Changes) -> str:
    """이 쪽만의 까닭을 한 마디로 돌려줍니다. 바뀌지 않았거나 모든 쪽에 미치는 까닭뿐이면 빈 글자입니다."""
    if page.docname in changes.new:
        return "새 쪽"
    if f"{page.docname}.md" in changes.files:
        return "원고"
    data = changes.cards | {match.group(1) for name in changes.files if (match := _DATA.fullmatch(name))}
    if page.is_notebook and (hit := sorted(used_datasets(page) & data)):
        return "데이터 " + ", ".join(hit)
    if hit := [name for name in page.meta.get("depends") or [] if name in changes.files]:
        return f"딸린 파일 {hit[0]}"
    if any(name.startswith("causal_pipeline/") for name in changes.files) and page.is_notebook and uses_pipeline(page):
        return "causal_pipeline"
    return ""


def changed_since(commit: str) -> Changes:
    """``commit``과 지금 커밋의 차이.

    Raises
    ------
    PageError
        git이 그 커밋을 모를 때.
    """
    files = _git("diff", "--name-only", "--no-renames", commit, "HEAD").splitlines()

    def before(name: str) -> str:
        return _git("show", f"{commit}:{name}") if _git("ls-tree", "--name-only", commit, name) else ""

    def after(name: str) -> str:
        return (ROOT / name).read_text(encoding="utf-8")

    cards = (
        changed_cards(before("data/catalog.yml"), after("data/catalog.yml")) if "data/catalog.yml" in files else set()
    )
    new, gone = changed_listing(before("_toc.yml"), after("_toc.yml")) if "_toc.yml" in files else ([], [])
    return Changes(files, cards, new, gone)


def changed_pages(pages: list[Page], changes: Changes) -> list[tuple[Page, str]]:
    """바뀐 쪽과 까닭. 새 쪽, 원고, 나머지의 차례이고 그 안에서는 책의 차례입니다."""
    rows = [(page, reason) for page in pages if (reason := why_changed(page, changes))]
    return sorted(rows, key=lambda row: {"새 쪽": 0, "원고": 1}.get(row[1], 2))


def summary(pages: list[Page], changes: Changes, preview: str = "") -> str:
    """바뀐 쪽의 마크다운 목록."""
    where = f"[preview 압축]({preview})" if preview else "이 화면 아래의 preview 압축"
    lines = [
        "## 바뀐 쪽",
        "",
        f"미리보기: {where}을 받아 푼 다음 표의 파일을 브라우저로 여세요. 그림과 숫자의 앞뒤는 `changes.html`에 있습니다.",
        "",
    ]
    if rows := changed_pages(pages, changes):
        lines += ["| 쪽 | 파일 | 바뀐 것 |", "| --- | --- | --- |"]
        for page, reason in rows:
            title = re.sub(r"[^\w\s.,:?!()·-]", "", page.title)  # 제목은 기여자의 글이라 표를 깨지 않게 추립니다
            shown = f"**{reason}**" if reason == "새 쪽" else reason
            lines.append(f"| {title} | `{page.docname}.html` | {shown} |")
    else:
        lines.append("원고나 데이터가 바뀐 쪽은 없습니다.")
    if changes.gone:
        lines += ["", "차례에서 빠진 쪽: " + ", ".join(f"`{name}`" for name in changes.gone)]
    if shared := [name for name in changes.files if name.startswith(EVERYWHERE)]:
        more = f" 밖에 {len(shared) - 1}개" if len(shared) > 1 else ""
        lines += [
            "",
            f"모든 쪽이 함께 쓰는 파일도 바뀌었습니다: `{shared[0]}`{more}. 위에 없는 쪽의 모습이나 숫자도 달라질 수 있습니다.",
        ]
    return "\n".join(lines) + "\n"


def main(argv: list[str] | None = None) -> int:
    arguments = sys.argv[1:] if argv is None else argv
    if len(arguments) != 1:
        print("비교할 커밋 하나를 적어 주세요. 예: python -m book.commands.changed_pages HEAD^1", file=sys.stderr)
        return 2
    try:
        print(summary(published_pages(), changed_since(arguments[0]), os.environ.get("PREVIEW_URL", "")))
    except PageError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
