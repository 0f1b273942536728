"""현업 사례 지도(guides/atlas.yml)의 검사: 꼴, 링크, 연도, 길이, 사례, 한국어, 베낀 요약."""

import datetime
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from book.atlas import PAGE, SOURCE, Entry, faults, read_blocks, same_address
from book.checks import language, lints
from book.checks.findings import Finding
from book.myst import parse
from book.page import ROOT, Page, PageError, toc_docnames

FIRST_YEAR = 1990
# 한국어로 적는 칸과 글자 수(적어도, 많아야)
LENGTHS = {
    "question": (10, 100), "treatment": (2, 70), "outcome": (2, 70), "unit": (1, 60), "harm": (8, 160),
    "states": (15, 450), "silent": (10, 300), "summary": (200, 500),
}  # fmt: skip
SENTENCES = ("states", "silent", "summary")
PROSE = (*SENTENCES, "harm")  # 문장으로 적는 칸. 나머지는 이름과 물음입니다
COPIED = 0.4  # 두 요약 가운데 짧은 쪽의 조각이 이만큼 다른 쪽에도 있으면 베낀 것으로 봅니다
PIECE = 10  # 견주는 조각의 글자 수(빈칸은 빼고)
_HANGUL = re.compile(r"[가-힣]")


def check(page: Page) -> list[Finding]:
    """지도의 쪽이면 그 원본(guides/atlas.yml)을 검사합니다. 다른 쪽이면 빈 목록입니다."""
    if page.docname != PAGE:
        return []
    published = {name.removeprefix("case_studies/") for name in toc_docnames() if name.startswith("case_studies/")}
    return check_text(text_of_the_atlas(), published - {"index", "template"})


def text_of_the_atlas() -> str:
    """원본의 글."""
    return SOURCE.read_text(encoding="utf-8")


def check_text(text: str, cases: set[str]) -> list[Finding]:
    """원본의 글을 검사합니다.

    Parameters
    ----------
    text : str
        guides/atlas.yml의 내용.
    cases : set of str
        차례에 실린 사례의 파일 이름(확장자 없이).
    """
    path = SOURCE.relative_to(ROOT).as_posix()
    try:
        entries = read_blocks(text)
    except PageError as error:
        where, line, message = str(error).split(":", 2)
        return [Finding(where, int(line), message.strip(), "yaml")]
    found = [Finding(path, line, message, "schema") for line, message in faults(entries)]
    if found:
        return sorted(found)  # 꼴이 틀리면 뜻을 볼 수 없습니다
    found += [Finding(path, *rest) for entry in entries for rest in _one(entry, cases)]
    found += [Finding(path, *rest) for rest in _twice(entries)]
    found += _korean(path, entries)
    return sorted(set(found))


def _one(entry: Entry, cases: set[str]) -> Iterator[tuple[int, str, str]]:
    """글 하나만 보고 알 수 있는 잘못: (줄, 문장, 규칙)."""
    said, this_year = f"'{entry['id']}'", datetime.date.today().year
    if not _is_address(entry["link"]):
        yield entry.line("link"), f"{said}의 링크 '{entry['link'][:60]}'이(가) 주소가 아닙니다 — 빈칸 없이 https://로 시작하는 글의 주소를 적으세요.", "link"  # fmt: skip
    if entry["year"] is not None and not FIRST_YEAR <= entry["year"] <= this_year:
        yield entry.line("year"), f"{said}의 연도가 {entry['year']}입니다 — {FIRST_YEAR}에서 {this_year} 사이의, 글이 나온 해를 적으세요.", "year"  # fmt: skip
    for name, (least, most) in LENGTHS.items():
        length = len(entry[name] or "x" * least)
        if not least <= length <= most:
            cure = "줄이세요" if length > most else "더 적으세요"
            yield entry.line(name), f"{said}의 {name}가 {length}자입니다 — {least}자에서 {most}자 사이로 {cure}.", "length"  # fmt: skip
        if entry[name] and not _HANGUL.search(entry[name]):
            yield entry.line(name), f"{said}의 {name}에 한글이 없습니다 — 한국어로 적으세요.", "korean"
    if not entry["question"].endswith("?"):
        yield entry.line("question"), f"{said}의 question이 물음이 아닙니다 — 무엇을 정해야 했는지 물음표로 끝나는 한 문장으로 적으세요.", "question"  # fmt: skip
    for name in SENTENCES:
        if not re.search(r"다\.['\"’”)]*$", entry[name]):
            yield entry.line(name), f"{said}의 {name}가 문장으로 끝나지 않습니다 — '~합니다.'로 끝맺으세요.", "sentence"
    if _HANGUL.search(entry["title"]) and not entry["korean"]:
        yield entry.line("korean"), f"{said}의 제목은 한국어인데 korean이 false입니다 — true로 고치세요.", "korean-flag"
    for name in entry.cases:
        if name not in cases:
            there = (ROOT / "case_studies" / f"{name}.md").is_file()
            why = "은(는) 차례에 없는 사례입니다 — _toc.yml에 싣거나 null로" if there else ".md가 case_studies에 없습니다 — 파일 이름을 확인하거나 null로"  # fmt: skip
            yield entry.line("case"), f"{said}의 case '{name}'{why} 고치세요.", "case"


def _is_address(link: str) -> bool:
    try:
        parts = urlsplit(link)
        return parts.scheme in {"http", "https"} and "." in (parts.hostname or "") and not re.search(r"\s", link)
    except ValueError:
        return False


def _twice(entries: list[Entry]) -> Iterator[tuple[int, str, str]]:
    """다른 글과 겹치는 것: 링크, 조직과 제목, 베낀 요약."""
    seen: dict[str, list[Entry]] = {}
    pieces: list[tuple[Entry, set[str]]] = []
    cure = "글 하나에 블록 하나만 두고, 한 글의 다른 대목이면 둘 다 part를 적으세요"
    for entry in entries:
        said = f"'{entry['id']}'"
        marks = {"title": f"{entry['organisation']}|{entry['title']}".casefold()}
        if _is_address(entry["link"]):
            marks["link"] = same_address(entry["link"])
        for name, mark in marks.items():
            what = "링크가" if name == "link" else "조직과 제목이"
            for other in seen.setdefault(mark, []):
                if entry.get("part") is None or other.get("part") in {None, entry["part"]}:
                    yield entry.line(name), f"{said}의 {what} '{other['id']}'({other.line(name)}번째 줄)와 같습니다 — {cure}.", "twice"  # fmt: skip
                    break
            seen[mark].append(entry)
        mine = _pieces(entry["summary"])
        for other, theirs in pieces:
            if len(mine & theirs) >= COPIED * min(len(mine), len(theirs)) > 0:
                yield entry.line("summary"), f"{said}의 요약이 '{other['id']}'({other.line('summary')}번째 줄)의 것을 베꼈습니다 — 그 글에만 맞는 말로 다시 쓰세요.", "copied"  # fmt: skip
                break
        pieces.append((entry, mine))


def _pieces(text: str) -> set[str]:
    letters = re.sub(r"\s+", "", text)
    return {letters[at : at + PIECE] for at in range(len(letters) - PIECE + 1)}


def _korean(path: str, entries: list[Entry]) -> list[Finding]:
    """한국어 칸을 본문과 같은 검사로 봅니다. 칸마다 원본의 제 줄에 놓은 쪽을 만들어 넘깁니다."""
    said: dict[int, str] = {}
    for entry in entries:
        for name in LENGTHS:
            if entry[name]:  # 한 줄에 여러 칸을 적었으면 이어서 봅니다
                mark = "" if name in PROSE else "- "  # 이름과 물음은 목록의 규칙으로 봅니다
                said[entry.line(name)] = said.get(entry.line(name), mark) + " ".join(entry[name].split()) + " "
    lines = []
    for number in range(1, max(said, default=0) + 1):
        lines += [said.get(number, "").rstrip(), ""]  # 빈 줄로 갈라 줄마다 제 토막이 되게 합니다
    page = Page(ROOT / path, "\n".join(lines), {})
    document = parse(page.text)
    found = [
        Finding(path, (finding.line + 1) // 2, finding.message, finding.rule)
        for finding in language.check(page, document) + lints.check(page, document)
        if finding.rule != "repeated"  # 같은 요약은 따로 봅니다
    ]
    for line, text in said.items():
        for _, wrong, right in language.wrong_particles(text):
            message = f"조사가 소리와 어긋납니다: '{wrong}' — '{right}'(으)로 고치세요."
            found.append(Finding(path, line, message, "particle"))
    return found
