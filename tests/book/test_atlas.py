"""현업 사례 지도: 심은 잘못은 제 줄에서 걸리고, 쪽의 카드와 표는 원본에서 나오며, 글은 모자라지 않습니다."""

import datetime
import json

import pytest
from lxml import html as lxml_html

from book.atlas import DESIGNS, FIELDS, OPTIONAL, READ, SOURCE, faults, read_atlas, read_blocks, same_address
from book.checks import atlas, inspect_page
from book.checks.__main__ import main
from book.extensions.atlas import FILTERS, MEANINGS, counts_table, facets, marks_table, render
from book.page import PageError, read_page

LEAST, LEAST_KOREAN = 120, 25
ENTRIES = read_atlas() if SOURCE.is_file() else []
CASES = {"a_case"}
FIRST = """# 주석
- id: shop_coupon_2024
  organisation: 가게
  korean: true
  year: 2024
  title: "쿠폰은 정말 매출을 늘렸을까"
  link: https://example.com/coupon
  read: full
  question: "쿠폰을 더 보내야 하는가?"
  treatment: "쿠폰"
  outcome: "4주 매출"
  unit: "손님"
  design: 성향점수·이중 강건
  industry: 커머스
  harm: null
  states: "단순 비교는 30%였고 성향점수로 견주면 5%였습니다."
  silent: "신뢰구간과 표본의 크기를 밝히지 않습니다."
  summary: "단골에게 먼저 보낸 쿠폰이라서 받은 손님의 매출이 원래부터 높았습니다. 그래서 팀은 지난달의 주문과 방문으로 성향점수를 구해 비슷한 손님끼리 견주었습니다. 차이는 여섯에 하나로 줄었고, 지난달 주문이 없던 손님에서만 효과가 남았습니다. 점장이 눈여겨본 손님처럼 기록에 없는 까닭이 있으면 여전히 틀릴 수 있습니다. 다음 달에는 보내지 않을 손님을 무작위로 남겨 두기로 한 결정을 가져갈 만합니다."
  week: 5
  case: a_case
  questions: [1]

"""
SECOND = """- id: bus_fare_2019
  organisation: Bus Co
  korean: false
  year: 2019
  title: "Did the fare change move riders?"
  link: https://example.org/fare
  read: part
  question: "요금을 내린 도시를 더 늘려야 하는가?"
  treatment: "요금 인하"
  outcome: "하루 승객 수"
  unit: "도시×주"
  design: 이중차분법
  industry: 모빌리티·배달
  harm: "요금을 추첨으로 매기면 같은 길을 가는 승객끼리 다른 값을 냅니다."
  states: "여섯 도시에서 승객이 7% 늘었다고 밝힙니다."
  silent: "읽은 데까지는 사전 추세를 보여 주지 않습니다."
  summary: "회사는 승객이 줄던 도시부터 요금을 내렸기 때문에 내린 도시와 내리지 않은 도시를 곧바로 견줄 수 없었습니다. 도시마다 인하한 주가 달라서 아직 내리지 않은 도시를 비교 대상으로 삼고, 앞선 여덟 주의 변화가 같았는지를 보았습니다. 경쟁사가 같은 때에 노선을 줄인 도시에서는 이 방법이 효과를 부풀립니다. 시작한 때가 다른 정책을 볼 때 늦게 시작한 도시를 대조군으로 쓰는 생각을 가져갈 수 있습니다."
  week: 8
  case: null
  questions: [1, 2]
"""
GOOD = FIRST + SECOND


def found(text: str) -> list[tuple[int, str]]:
    return [(f.line, f.rule) for f in atlas.check_text(text, CASES)]


def line_of(text: str, piece: str) -> int:
    """조각이 마지막으로 나오는 줄."""
    return text[: text.rindex(piece)].count("\n") + 1


def summary_of(text: str) -> str:
    return next(line for line in text.splitlines() if line.startswith("  summary: "))


def test_a_sound_atlas_passes():
    assert [str(f) for f in atlas.check_text(GOOD, CASES)] == []


# 둘째 글에 심은 잘못: (걸리는 칸, 바꿀 글, 바꾼 글, 규칙, 말해야 하는 것)
LONG = "요금 인하가 " + "승객이 줄어들던 여러 도시의 지난해 기록을 하나하나 살펴본 뒤에 " * 3 + "정해졌습니다."
FAULTS = {
    "missing": ("id", '  unit: "도시×주"\n', "", "schema", "'unit'이(가) 없습니다"),
    "unknown": ("colour", '  unit: "도시×주"', '  unit: "도시×주"\n  colour: 파랑', "schema", "모르는 칸"),
    "misspelt": ("treatmant", "  treatment: ", "  treatmant: ", "schema", "'treatment'(으)로 고치세요"),
    "twice-in-block": ("year", "  year: 2019\n", "  year: 2019\n  year: 2018\n", "schema", "두 번 있습니다"),
    "empty": ("unit", '  unit: "도시×주"', "  unit:", "schema", "비어 있는 값"),
    "design": ("design", "design: 이중차분법", "design: 이중차분", "schema", "이중차분법"),
    "industry": ("industry", "industry: 모빌리티·배달", "industry: 배달", "schema", "모빌리티·배달"),
    "read": ("read", "read: part", "read: half", "schema", "second_hand"),
    "korean-is-text": ("korean", "korean: false", 'korean: "아니요"', "schema", "true나 false"),
    "week": ("week", "week: 8", "week: 13", "schema", "0에서 12까지"),
    "week-is-text": ("week", "week: 8", 'week: "8"', "schema", "0에서 12까지"),
    "questions": ("questions", "questions: [1, 2]", "questions: [1, 5]", "schema", "1에서 4까지"),
    "no-question": ("questions", "questions: [1, 2]", "questions: []", "schema", "1에서 4까지"),
    "id": ("id", "id: bus_fare_2019", "id: Bus-Fare", "schema", "영어 소문자"),
    "same-id": ("id", "id: bus_fare_2019", "id: shop_coupon_2024", "schema", "2번째 줄에도"),
    "scheme": ("link", "https://example.org/fare", "ftp://example.org/fare", "link", "https://"),
    "no-host": ("link", "https://example.org/fare", "https://fare", "link", "주소가 아닙니다"),
    "space-in-link": ("link", "https://example.org/fare", "https://example.org/a fare", "link", "빈칸 없이"),
    "same-link": ("link", "https://example.org/fare", "http://www.example.com/coupon/?utm_source=x#top", "twice", "shop_coupon_2024"),
    "old": ("year", "year: 2019", "year: 1989", "year", "1990"),
    "future": ("year", "year: 2019", f"year: {datetime.date.today().year + 1}", "year", "글이 나온 해"),
    "short-summary": ("summary", summary_of(SECOND), '  summary: "요금을 내리자 승객이 늘었습니다."', "length", "200자에서 500자"),
    "long-summary": ("summary", summary_of(SECOND)[:-1], summary_of(SECOND)[:-1] + " 그래서 이 글은 다시 읽을 만합니다." * 20, "length", "줄이세요"),
    "long-treatment": ("treatment", '"요금 인하"', f'"{"요금 인하와 노선 변경 " * 8}"', "length", "treatment"),
    "not-a-question": ("question", "늘려야 하는가?", "늘려야 합니다.", "question", "물음표"),
    "not-a-sentence": ("silent", "보여 주지 않습니다.", "보여 주지 않음", "sentence", "~합니다."),
    "english-field": ("outcome", '"하루 승객 수"', '"daily riders"', "korean", "한글이 없습니다"),
    "english-sentence": ("states", "밝힙니다.", "밝힙니다. The fare change increased the number of riders in six cities.", "english", "영어 문장"),
    "korean-title": ("korean", "Did the fare change move riders?", "요금은 승객을 움직였나", "korean-flag", "true로 고치세요"),
    "no-such-case": ("case", "case: null", "case: bus_fare", "case", "case_studies에 없습니다"),
    "case-not-listed": ("case", "case: null", "case: template", "case", "차례에 없는 사례"),
    "one-bad-case-of-two": ("case", "case: null", "case: [a_case, bus_fare]", "case", "bus_fare"),
    "copied": ("summary", summary_of(SECOND), summary_of(FIRST).replace("단골에게", "손님에게"), "copied", "shop_coupon_2024"),
    "long-sentence": ("states", "여섯 도시에서 승객이 7% 늘었다고 밝힙니다.", LONG, "long", "어절"),
    "plain-style": ("states", "7% 늘었다고 밝힙니다.", "7% 늘었다. 그렇게 밝힙니다.", "register", "해라체"),
    "variant": ("silent", "사전 추세를", "교란변수를", "variant", "교란 요인"),
    "particle": ("states", "7% 늘었다고", "7%이 늘었다고", "particle", "7%가"),
    "secret": ("silent", "사전 추세를", "AKIA" + "ABCDEFGHIJKLMNOP 를", "secret", "폐기하세요"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found_at_its_line_with_its_cure(name):
    key, old, new, rule, says = FAULTS[name]
    assert SECOND.count(old) == 1
    text = FIRST + SECOND.replace(old, new)
    mended = [f for f in atlas.check_text(text, CASES) if f.rule == rule]
    line = line_of(text, "- id:" if key == "id" else f"  {key}:")
    assert [f.line for f in mended] == [line], mended
    assert says in mended[0].message and " — " in mended[0].message
    assert str(mended[0]).startswith(f"guides/atlas.yml:{line}: ")


@pytest.mark.parametrize(
    ("text", "line"),
    [("- id: [\n", 2), ("a: 1\n", 1), ("- id: a\n- 글\n", 2), ("", 1), ("- id: a\n  title: 가: 나\n", 2)],
)
def test_a_file_that_is_not_a_list_of_blocks_is_named(text, line):
    assert found(text) == [(line, "yaml")]


def test_both_a_name_and_a_list_of_cases_are_accepted():
    assert found(GOOD.replace("case: null", "case: [a_case]")) == []
    assert [entry.cases for entry in read_blocks(GOOD)] == [("a_case",), ()]


def test_parts_of_one_write_up_share_a_link_when_both_are_named():
    one = SECOND.replace("\n  link:", '\n  part: "요금"\n  link:')
    two = SECOND.replace("bus_fare_2019", "bus_stops_2019").replace("\n  link:", '\n  part: "정류장"\n  link:')
    two = two.replace(summary_of(two), summary_of(FIRST).replace("쿠폰", "정류장"))
    text = one + two
    twice = [line_of(text, f"  {key}: ") for key in ("title", "link")]
    assert found(text) == []
    assert found(text.replace('정류장"\n  link', '요금"\n  link')) == [(line, "twice") for line in twice]
    unnamed = text.replace('  part: "요금"\n', "")
    assert found(unnamed) == [(line - 1, "twice") for line in twice]


def test_an_unknown_year_is_left_empty_and_said():
    entry = read_blocks(SECOND.replace("year: 2019", "year: null"))
    assert found(SECOND.replace("year: 2019", "year: null")) == [] and "연도 미상" in render(entry, {}, {})


def test_only_the_page_of_the_atlas_carries_the_check():
    assert atlas.check(read_page("guides/glossary.md")) == []


def test_a_fault_in_the_file_is_a_finding_of_the_page_and_of_the_command(tmp_path, monkeypatch, capsys):
    broken = SOURCE.read_text(encoding="utf-8").replace("\n  read: ", "\n  raed: ", 1)
    copy = tmp_path / "atlas.yml"
    copy.write_text(broken, encoding="utf-8")
    monkeypatch.setattr(atlas, "text_of_the_atlas", lambda: copy.read_text(encoding="utf-8"))
    line = broken[: broken.index("\n  raed: ")].count("\n") + 2
    assert [(f.path, f.line) for f in inspect_page(read_page("guides/atlas.md"))] == [("guides/atlas.yml", line)]
    assert main(["guides/atlas.yml"]) == 1
    assert f"guides/atlas.yml:{line}: " in capsys.readouterr().out


# --- 진짜 지도 ---


def test_the_atlas_is_clean():
    assert [str(f) for f in atlas.check(read_page("guides/atlas.md"))] == []


def test_there_are_enough_write_ups():
    """한 글의 여러 대목은 한 편으로 셉니다."""
    assert len({same_address(entry["link"]) for entry in ENTRIES}) >= LEAST
    assert len({same_address(entry["link"]) for entry in ENTRIES if entry["korean"]}) >= LEAST_KOREAN


def test_every_question_every_mark_and_every_method_week_has_a_write_up():
    assert {q for entry in ENTRIES for q in entry["questions"]} == {1, 2, 3, 4}
    assert {entry["read"] for entry in ENTRIES} == set(READ)
    assert {entry["week"] for entry in ENTRIES} >= set(range(1, 13))


def test_the_atlas_keeps_the_order_of_the_fields():
    """칸의 차례가 같아야 블록을 견주고 고치기 쉽습니다."""
    for entry in ENTRIES:
        assert list(entry.values) == [k for k in FIELDS if k in entry.values or k not in OPTIONAL], entry["id"]


# --- 쪽 ---


def lang_of(title: str) -> str:
    tree = lxml_html.fromstring(render(read_blocks(SECOND.replace("Did the fare change move riders?", title)), {}, {}))
    return tree.xpath("//h3/a/@lang")[0]


def test_cards_and_counts_come_from_the_file():
    entries = read_blocks(GOOD.replace("가게", "<b>가게"))
    assert list(faults(entries)) == []
    weeks, cases = {5: ("성향점수", "../w5.html")}, {"a_case": ("우리 사례", "../c.html")}
    tree = lxml_html.fromstring(render(entries, weeks, cases))
    cards = tree.xpath("//section[contains(@class, 'gallery-card')]")
    assert [card.get("id") for card in cards] == ["shop_coupon_2024", "bus_fare_2019"]
    assert [json.loads(card.get("data-facets")) for card in cards] == [facets(entry) for entry in entries]
    assert set(FILTERS) == set(facets(entries[0]))
    buttons = tree.xpath(
        "//fieldset[@data-facet='read']//button/@data-value | //fieldset[@data-facet='harm']//button/@data-value"
    )
    assert buttons == ["예", "글에 없음", "전문", "일부"]
    assert cards[0].xpath(".//h3/a/@href") == ["https://example.com/coupon"]
    assert cards[0].xpath(".//dd/a/@href") == ["../w5.html", "../c.html"]
    assert cards[0].xpath(".//h3/a/@lang") == [] and cards[1].xpath(".//h3/a/@lang") == ["en"]
    assert [lang_of(title) for title in ("因果推断的实践", "ABテストの話", "2SLS")] == ["zh", "ja", "en"]
    for entry, card in zip(entries, cards, strict=True):
        shown = card.text_content()
        for name in ("organisation", "title", "question", "treatment", "outcome", "unit", "design", "states", "silent", "summary"):  # fmt: skip
            assert entry[name] in shown, name
        assert f"{entry['year']}" in shown and f"{entry['week']}주차" in shown and READ[entry["read"]] in shown
        assert (entry["harm"] or "추첨으로") in shown or not entry["harm"]
    rows = {
        row.xpath("string(th)"): [td.text_content() for td in row.xpath("td")]
        for row in lxml_html.fromstring(counts_table(entries)).xpath("//tbody/tr[td]")
    }
    assert rows == {
        "성향점수·이중 강건": ["1", "1", "", "", "", "1", ""],
        "이중차분법": ["1", "", "1", "", "", "", "1"],
        "모빌리티·배달": ["1", "", "1", "", "", "", "1"],
        "커머스": ["1", "1", "", "", "", "1", ""],
    }
    marks = marks_table(entries)
    assert (
        "조직 2곳의 글 2편" in marks
        and "항목은 2개" in marks
        and all(meaning in marks for meaning in MEANINGS.values())
    )


def test_the_order_is_by_week_then_design(tmp_path):
    path = tmp_path / "atlas.yml"
    path.write_text(SECOND + FIRST, encoding="utf-8")
    assert [entry["week"] for entry in read_atlas(path)] == [5, 8]
    keys = [(entry["week"], DESIGNS.index(entry["design"])) for entry in ENTRIES]
    assert keys == sorted(keys)


def test_a_broken_file_stops_the_page(tmp_path):
    path = tmp_path / "atlas.yml"
    with pytest.raises(PageError, match="파일이 없습니다"):
        read_atlas(path)
    path.write_text(GOOD.replace("week: 8", "week: 80"), encoding="utf-8")
    with pytest.raises(PageError, match=r"atlas.yml:\d+: 'bus_fare_2019'의 week"):
        read_atlas(path)


# --- 사이트와 브라우저 ---


@pytest.fixture
def page(browser_page, site_dir):
    browser_page.goto((site_dir / "guides" / "atlas.html").as_uri())
    return browser_page


def test_every_write_up_has_a_card_and_an_anchor(site_dir):
    tree = lxml_html.parse(str(site_dir / "guides" / "atlas.html")).getroot()
    assert [c.get("id") for c in tree.find_class("atlas-card")] == [entry["id"] for entry in ENTRIES]


def test_filters_narrow_the_cards(page):
    harmful = [entry for entry in ENTRIES if entry["harm"] and entry["korean"]]
    page.locator(".gallery-filter[data-facet='harm'] button[data-value='예']").click()
    page.locator(".gallery-filter[data-facet='korean'] button").filter(has_text="한국").click()
    assert page.locator(".atlas-card:visible").count() == len(harmful) > 0
    assert page.locator(".gallery-count").inner_text() == f"항목 {len(harmful)}개 (모두 {len(ENTRIES)}개)"
    assert not page.recorded.console and not page.recorded.outside


def test_a_link_to_a_filtered_card_shows_and_opens_it(page):
    hidden = next(entry for entry in ENTRIES if not entry["harm"])
    page.locator(".gallery-filter[data-facet='harm'] button[data-value='예']").click()
    card = page.locator(f"#{hidden['id']}")
    assert not card.is_visible()
    page.evaluate("id => { location.hash = id }", hidden["id"])
    page.wait_for_function("id => document.getElementById(id).querySelector('details').open", arg=hidden["id"])
    assert card.is_visible() and card.locator("dl").is_visible()
    assert page.locator(".atlas-card:visible").count() == len(ENTRIES)


def test_everything_can_be_read_without_javascript(browser, site_dir):
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto((site_dir / "guides" / "atlas.html").as_uri())
    assert page.locator(".atlas-card:visible").count() == len(ENTRIES)
    assert not page.locator(".gallery-filters").is_visible() and not page.locator(".gallery-none").is_visible()
    card = page.locator(".atlas-card").first
    card.locator("summary").click()
    assert card.locator("dl").is_visible()
    context.close()


@pytest.mark.parametrize("query", ["쏘카", "DoorDash 프로모션", "엔씨소프트"])
def test_the_search_leads_to_the_write_up(page, query):
    page.evaluate("() => window.BookSearch.load().then(engine => { window.engine = engine; })")
    hits = page.evaluate("q => window.engine.search(q, 8)", query)
    atlas_hit = next(hit for hit in hits[:5] if hit["url"] == "guides/atlas.html")
    organisation = query.split()[0]
    anchors = {
        f"guides/atlas.html#{e['id']}" for e in ENTRIES if organisation.casefold() in e["organisation"].casefold()
    }
    assert anchors & {section["url"] for section in atlas_hit["sections"]}, atlas_hit
