"""용어집: 원본이 흠 없고, 링크와 도움말이 걸리며, 고치면 따라 바뀐다."""

import io
from pathlib import Path

import pytest
import yaml
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

from book.glossary import LATIN, GlossaryError, anchor, banned_spellings, initial, read_glossary, spellings

ROOT = Path(__file__).resolve().parent.parent.parent
ENTRIES = read_glossary(ROOT / "guides" / "glossary.yml")

GOOD = """
- ko: 성향점수
  en: [propensity score]
  aliases: [PS]
  not: [성향 점수]
  week: 5
  definition: 공변량이 주어졌을 때 처치를 받을 확률입니다.
- ko: 처치
  en: [treatment]
  week: 1
  definition: 효과를 알고 싶은 개입입니다.
"""


def test_it_covers_the_textbook_vocabulary():
    assert len(ENTRIES) >= 190
    have = {s for e in ENTRIES for s in spellings(e)}
    for term in (
        "성향점수",
        "이중차분법",
        "통제집단합성법",
        "교란 요인",
        "추정값",
        "추정량",
        "LATE",
        "IPW",
        "TWFE",
        "반박 검정",
    ):
        assert term in have


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e["ko"])
def test_each_definition_is_one_short_polite_sentence(entry):
    text = entry["definition"]
    assert text.endswith("니다.") and text.count("다.") == 1
    assert len(text.split()) <= 14
    assert isinstance(entry["week"], int) and 0 <= entry["week"] <= 12


def test_the_variants_the_book_avoids_are_banned():
    assert {"추정치", "교란변수", "성향 점수", "처리군", "처리효과"} <= set(banned_spellings(ENTRIES))


def test_definitions_follow_the_glossary():
    banned = banned_spellings(ENTRIES)
    offenders = [
        (e["ko"], bad)
        for e in ENTRIES
        for bad in banned
        if bad in e["definition"] or any(bad in s for s in spellings(e))
    ]
    assert not offenders


def test_initials_group_tense_consonants_with_plain_ones():
    assert [initial(t) for t in ("가설", "까닭", "처치", "ATE", "2SLS", "힘")] == ["ㄱ", "ㄱ", "ㅊ", LATIN, LATIN, "ㅎ"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- en: [x]\n  definition: 글입니다.\n", "'ko'가 없습니다"),
        (GOOD + "- ko: 새말\n  en: [propensity score]\n  definition: 글입니다.\n", "'성향점수'에도 있습니다"),
        (GOOD + "- ko: 새말\n  en: [new]\n  kind: x\n  definition: 글입니다.\n", "모르는 칸"),
        (GOOD + "- ko: 새말\n  en: []\n  definition: 글입니다.\n", "영어 표기가 없습니다"),
        (GOOD + "- ko: 새말\n  en: new\n  definition: 글입니다.\n", "목록이어야"),
        (GOOD + "- ko: 새말\n  en: [new]\n  definition: 글\n", "문장이어야"),
        (GOOD + "- ko: 새말\n  en: [new]\n  not: [새말]\n  definition: 글입니다.\n", "쓰지 말라고도"),
        ("- ko: [\n", "YAML로 읽지 못했습니다"),
        ("ko: 하나\n", "목록이어야"),
    ],
)
def test_a_broken_source_says_what_is_wrong(tmp_path, text, message):
    path = tmp_path / "glossary.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(GlossaryError, match=message):
        read_glossary(path)


def build(folder: Path) -> tuple[str, str, str]:
    """작은 책을 만들어 (용어집, 본문, 경고)를 돌려줍니다."""
    warnings = io.StringIO()
    with docutils_namespace():
        app = Sphinx(
            folder, None, folder / "out", folder / "trees", "html", status=None, warning=warnings,
            confoverrides={"extensions": ["myst_parser", "book.extensions.glossary"], "html_theme": "basic", "language": "ko"},
        )  # fmt: skip
        app.build()
    html = folder / "out"
    return (html / "guides/glossary.html").read_text(), (html / "index.html").read_text(), warnings.getvalue()


@pytest.fixture
def small_book(tmp_path):
    (tmp_path / "guides").mkdir()
    (tmp_path / "guides/glossary.yml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "guides/glossary.md").write_text("# 용어집\n\n```{book-glossary}\n```\n", encoding="utf-8")
    (tmp_path / "index.md").write_text(
        "# 책\n\n{term}`성향점수`와 {term}`propensity score`, {term}`PS`를 씁니다.\n\n```{toctree}\nguides/glossary\n```\n",
        encoding="utf-8",
    )
    return tmp_path


def test_terms_link_by_korean_english_and_alias_with_the_meaning_as_tooltip(small_book):
    glossary, page, warnings = build(small_book)
    assert not warnings
    assert page.count('href="guides/glossary.html#term-propensity-score"') == 3
    assert "공변량이 주어졌을 때 처치를 받을 확률입니다." in page
    assert 'id="term-propensity-score"' in glossary
    assert 'href="#glossary-3145"' in glossary and 'id="glossary-3145"' in glossary  # ㅅ
    assert "5주차에서 다룹니다." in glossary and "쓰지 않는 표기: 성향 점수" in glossary


def test_an_unknown_term_is_a_warning(small_book):
    (small_book / "index.md").write_text(
        "# 책\n\n{term}`없는말`\n\n```{toctree}\nguides/glossary\n```\n", encoding="utf-8"
    )
    assert "없는말" in build(small_book)[2]


def test_a_changed_meaning_reaches_the_glossary_and_every_tooltip(small_book):
    build(small_book)
    source = small_book / "guides/glossary.yml"
    source.write_text(GOOD.replace("받을 확률입니다", "받을 가능성입니다"), encoding="utf-8")
    glossary, page, warnings = build(small_book)
    assert not warnings
    assert "받을 가능성입니다" in glossary and "받을 가능성입니다" in page and "받을 확률입니다" not in page


def test_a_broken_source_warns_with_its_message(small_book):
    (small_book / "guides/glossary.yml").write_text(GOOD.replace("[propensity score]", "[]"), encoding="utf-8")
    assert "'성향점수'에 영어 표기가 없습니다" in build(small_book)[2]


def test_anchors_do_not_move_when_entries_are_added():
    assert anchor({"en": ["Frisch–Waugh–Lovell theorem"]}) == "term-frisch-waugh-lovell-theorem"


def test_the_source_is_plain_yaml_sorted_for_small_diffs():
    names = [e["ko"].lower() for e in yaml.safe_load((ROOT / "guides" / "glossary.yml").read_text(encoding="utf-8"))]
    assert names == sorted(names)
