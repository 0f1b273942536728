"""``guides/glossary.yml``의 용어집: 읽고, 잘못을 알리고, 링크가 걸릴 표기와 쓰지 않는 표기를 돌려줍니다."""

import re
from pathlib import Path

import yaml
from docutils.nodes import make_id

from book.yaml_text import read_yaml

SOURCE = "guides/glossary.yml"
FIELDS = {"ko", "en", "aliases", "not", "house", "week", "definition"}
_INITIALS = "ㄱㄱㄴㄷㄷㄹㅁㅂㅂㅅㅅㅇㅈㅈㅊㅋㅌㅍㅎ"  # 된소리는 예사소리에 묶습니다
LATIN = "A–Z·숫자"


class GlossaryError(ValueError):
    """용어집 원본의 잘못. 메시지는 한국어 한 문장입니다."""


def initial(term: str) -> str:
    """용어가 들어갈 묶음(ㄱ~ㅎ 또는 ``A–Z·숫자``)을 돌려줍니다."""
    code = ord(term[0]) - 0xAC00
    return _INITIALS[code // 588] if 0 <= code < 11172 else LATIN


def anchor(entry: dict) -> str:
    """항목의 앵커. 대표 영어에서 만들므로 순서가 바뀌어도 그대로입니다."""
    return "term-" + make_id(entry["en"][0].replace("–", "-"))


def spellings(entry: dict) -> list[str]:
    """링크가 걸리는 모든 표기: 한국어, 영어, 다른 표기."""
    return [entry["ko"], *entry["en"], *entry["aliases"]]


def read_glossary(path: Path) -> list[dict]:
    """용어집 원본을 읽어 빈 항목을 채우고 가나다순으로 돌려줍니다.

    Parameters
    ----------
    path : Path
        ``guides/glossary.yml``.

    Returns
    -------
    list of dict
        ``ko``(str), ``en``·``aliases``·``not``·``house``(list of str), ``week``(int 또는 None), ``definition``(str).

    Raises
    ------
    GlossaryError
        빠진 칸, 모르는 칸, 겹치는 표기, 스스로 금지한 표기를 쓴 항목이 있을 때.
    """
    try:
        raw = read_yaml(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
        raise GlossaryError(f"{SOURCE}:{line}: YAML로 읽지 못했습니다. 따옴표와 들여쓰기를 확인하세요.") from None
    if not isinstance(raw, list):
        raise GlossaryError(f"{SOURCE}: 항목의 목록이어야 합니다.")
    entries, seen, anchors = [], {}, {}
    for number, item in enumerate(raw, 1):
        where = f"{SOURCE}: {number}번째 항목"
        if not isinstance(item, dict) or not isinstance(item.get("ko"), str):
            raise GlossaryError(f"{where}에 'ko'가 없습니다.")
        where = f"{SOURCE}: '{item['ko']}'"
        if unknown := set(item) - FIELDS:
            raise GlossaryError(f"{where}에 모르는 칸이 있습니다: {', '.join(sorted(map(str, unknown)))}.")
        entry = {"aliases": [], "not": [], "house": [], "week": None, **item}
        for field in ("en", "aliases", "not", "house"):
            if not isinstance(entry.get(field), list) or not all(isinstance(x, str) for x in entry[field]):
                raise GlossaryError(f"{where}의 '{field}'는 글자의 목록이어야 합니다.")
        if not entry["en"]:
            raise GlossaryError(f"{where}에 영어 표기가 없습니다.")
        if not isinstance(entry.get("definition"), str) or not entry["definition"].endswith("다."):
            raise GlossaryError(f"{where}의 뜻풀이는 '~다.'로 끝나는 문장이어야 합니다.")
        for pattern in entry["house"]:
            try:
                re.compile(pattern)
            except re.error as error:
                raise GlossaryError(f"{where}의 house '{pattern}'을 정규식으로 읽지 못했습니다({error}).") from None
        for spelling in spellings(entry):
            if (other := seen.setdefault(spelling.casefold(), entry["ko"])) != entry["ko"]:
                raise GlossaryError(f"{where}의 표기 '{spelling}'이 '{other}'에도 있습니다. 한쪽에서 빼세요.")
            if spelling in entry["not"]:
                raise GlossaryError(f"{where}의 표기 '{spelling}'을 쓰라고도, 쓰지 말라고도 적었습니다.")
        if (other := anchors.setdefault(anchor(entry), entry["ko"])) != entry["ko"]:
            raise GlossaryError(f"{where}의 대표 영어가 '{other}'와 같은 앵커를 만듭니다.")
        entries.append(entry)
    return sorted(entries, key=lambda e: (initial(e["ko"]) != LATIN, e["ko"].casefold()))


def definitions(path: Path) -> dict[str, str]:
    """앵커마다의 뜻풀이."""
    return {anchor(e): e["definition"] for e in read_glossary(path)}


def banned_spellings(entries: list[dict]) -> dict[str, str]:
    """쓰지 않는 표기 → 대신 쓸 말."""
    return {bad: entry["ko"] for entry in entries for bad in entry["not"]}


def house_words(entries: list[dict]) -> list[tuple[str, str]]:
    """(이 책만 쓰던 말의 정규식, 논문과 문서에서 찾을 수 있는 말)."""
    return [(pattern, entry["ko"]) for entry in entries for pattern in entry["house"]]
