"""빌드 보고서: 쪽마다의 시간과 메모리, 예산을 넘은 표시, ``make bench``의 표."""

from types import SimpleNamespace

import pytest
import yaml
from lxml import html as lxml_html

from book.execution import MEMORY_BUDGET_MB, SECONDS_BUDGET
from book.extensions import build_report
from book.extensions.build_report import benchmark_table, meets, pages_table, read_benchmark
from book.page import PageError


def cells(text: str) -> list[list[str]]:
    tree = lxml_html.fromstring(f"<div>{text}</div>")
    return [[c.text_content() for c in row.xpath("./th|./td")] for row in tree.xpath("//tbody/tr")]


def bench(**change) -> dict:
    row = {
        "group": "빌드",
        "name": "처음부터",
        "value": 42.8,
        "unit": "초",
        "goal": "900 이하",
        "note": "노트북 4개",
    } | change
    return {"measured": {"date": "2026-01-02", "machine": "코어 2개"}, "results": [row]}


def test_budget_overruns_are_said_in_words():
    text = pages_table(
        [
            ("가<", "chapters/a", SECONDS_BUDGET, MEMORY_BUDGET_MB),
            ("나", "chapters/b", SECONDS_BUDGET + 0.5, 100.4),
            ("다", "chapters/c", 1.234, MEMORY_BUDGET_MB + 1),
        ],
        "../",
    )
    assert cells(text) == [
        ["가<", "60초", "2,048MB"],
        ["나", "60.5초 (예산 초과)", "100MB"],
        ["다", "1.23초", "2,049MB (예산 초과)"],
    ]
    assert 'href="../chapters/b.html"' in text and "노트북 3쪽" in text and "예산을 넘은 쪽은 2쪽입니다" in text
    assert "예산을 넘은 쪽은 없습니다" in pages_table([("가", "a", 1.0, 1.0)])


@pytest.mark.parametrize(
    ("value", "goal", "good"),
    [
        (20, "20 이하", True),
        (20.1, "20 이하", False),
        (95, "95 이상", True),
        (94.9, "95 이상", False),
        (900, "1,500 이하", True),
        (5, "", None),
        (5, "빠르게", None),
    ],
)
def test_goals_are_read(value, goal, good):
    assert meets(value, goal) is good


def test_benchmark_table_groups_and_marks():
    document = bench()
    document["results"] += [
        {"group": "빌드", "name": "한 문장", "value": 25, "unit": "초", "goal": "20 이하", "note": ""},
        {"group": "검색", "name": "<놓친 것>", "value": 1234.56, "unit": "KB", "goal": "", "note": None},
    ]
    text = benchmark_table(document)
    assert cells(text) == [
        ["빌드", "처음부터", "42.8초", "900 이하", "노트북 4개"],
        ["한 문장", "25초 (목표 밖)", "20 이하", ""],
        ["검색", "<놓친 것>", "1,235KB", "", ""],
    ]
    assert 'rowspan="2"' in text and "2026-01-02" in text and "코어 2개" in text


def test_without_a_measurement_there_is_none(tmp_path, monkeypatch):
    monkeypatch.setattr(build_report, "BENCHMARK", tmp_path / "benchmark.yml")
    assert read_benchmark() is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- 1\n", "measured와 results"),
        ("a: [", "YAML"),
        (yaml.safe_dump({"measured": {}, "results": [{"name": "무게", "group": "가"}]}), "'무게' 줄에 unit, value"),
    ],
)
def test_a_broken_measurement_says_what_to_do(tmp_path, monkeypatch, text, message):
    monkeypatch.setattr(build_report, "BENCHMARK", tmp_path / "benchmark.yml")
    build_report.BENCHMARK.write_text(text, encoding="utf-8")
    with pytest.raises(PageError, match=message) as error:
        read_benchmark()
    assert "make bench" in str(error.value)


def test_report_is_read_again_only_when_a_measure_changed(tmp_path, monkeypatch):
    monkeypatch.setattr(build_report, "BENCHMARK", tmp_path / "benchmark.yml")
    monkeypatch.setenv("BOOK_EXECUTION_DIR", str(tmp_path))
    keys, record = {"chapters/a": "k1"}, tmp_path / "chapters__a.k1.json"
    record.write_text('{"seconds": 1.0}', encoding="utf-8")
    app = SimpleNamespace(config=SimpleNamespace(execution_keys=keys))
    env = SimpleNamespace(found_docs={"guides/build_report"})

    def again():
        return build_report.outdated(app, env, set(), set(), set())

    assert again() == ["guides/build_report"] and again() == []
    record.write_text('{"seconds": 1.5}', encoding="utf-8")
    assert again() == ["guides/build_report"] and again() == []
    build_report.BENCHMARK.write_text("x", encoding="utf-8")
    assert again() == ["guides/build_report"] and again() == []
    record.with_name("chapters__a.k2.json").write_text('{"seconds": 9}', encoding="utf-8")
    keys["chapters/a"] = "k2"
    assert again() == ["guides/build_report"] and again() == []
    record.write_text("{}", encoding="utf-8")
    assert again() == [], "쓰지 않는 기록입니다."
    env.found_docs = set()
    build_report.BENCHMARK.unlink()
    assert again() == []


def test_site_shows_every_notebook_page(pages, site_dir):
    tree = lxml_html.parse(str(site_dir / "guides" / "build_report.html"))
    rows = tree.xpath("(//table)[1]/tbody/tr")
    assert [row.xpath("string(./th)") for row in rows] == [page.title for page in pages if page.is_notebook]
    assert all(
        row.xpath("count(./td)") == 2 and "초" in row.xpath("string(./td[1])") and "MB" in row.xpath("string(./td[2])")
        for row in rows
    )
    assert bool(tree.xpath("//section[@id='benchmark']//table")) == build_report.BENCHMARK.is_file()


def test_planted_faults_are_shown_with_their_misses():
    found = {
        "measured": {"date": "2026-11-30"}, "planted": 3, "pages": 2, "caught": 2, "stages": {"원고": 1, "실행": 0, "시험": 1},
        "kinds": {"통계 코드": {"planted": 2, "caught": 2}, "그림의 글자": {"planted": 1, "caught": 0}},
        "missed": [{"id": "a", "kind": "그림의 글자", "why": "범례의 <색>이 다릅니다", "outcome": "missed"}],
    }  # fmt: skip
    table = build_report.mutation_table(found)
    assert "심은 잘못 3개 가운데 2개" in table and "범례의 &lt;색&gt;이 다릅니다" in table
    assert '<th scope="row">통계 코드</th><td>2</td><td>2</td>' in table
    assert "놓친 것" not in build_report.mutation_table(found | {"missed": []})
