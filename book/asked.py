"""독자가 자기 말로 묻는 것(asked.yml). 검색이 쪽마다 가장 가까운 물음으로 그 쪽을 찾습니다."""

import re

from book.page import ROOT
from book.yaml_text import read_yaml

SOURCE = ROOT / "book" / "extensions" / "search_assets" / "asked.yml"
LEAST = 8


def read_asked() -> dict[str, list[str]]:
    """쪽의 이름 → 물음들."""
    return read_yaml(SOURCE.read_text(encoding="utf-8"))


def asked_problems(asked: dict[str, list[str]], docnames: list[str]) -> list[str]:
    """독자의 물음(``asked.yml``)에서 고칠 것을 한국어 한 문장씩. 비어 있으면 합격입니다.

    Parameters
    ----------
    asked : dict
        쪽의 이름 → 물음들.
    docnames : list of str
        차례에 실린 쪽의 이름.
    """
    few = [
        f"{name}: 물음이 {LEAST}개보다 적습니다 — 독자가 자기 말로 물을 것을 더 적으세요."
        for name in docnames
        if len(asked.get(name, [])) < LEAST
    ]
    absent = [f"{name}: 차례에 없는 쪽입니다." for name in asked if name not in docnames]
    homes: dict[str, list[str]] = {}
    for name, questions in asked.items():
        for question in questions:
            homes.setdefault(re.sub(r"\W", "", question).lower(), []).append(f"{name}의 '{question}'")
    twice = [f"{', '.join(places)}: 같은 물음이 두 번 있습니다." for places in homes.values() if len(places) > 1]
    return few + absent + twice
