"""재는 도구의 작은 부품들. 실제 측정은 `make bench`가 합니다."""

import gzip
import subprocess
import urllib.request

import pytest
import yaml

from benchmarks import book as bench
from book.browser import serve
from book.page import ROOT


@pytest.mark.parametrize(("q", "expected"), [(0.5, 3), (0.95, 5), (0.2, 1), (0.21, 2), (1.0, 5)])
def test_quantile_is_the_nearest_rank(q, expected):
    assert bench.quantile([5, 3, 1, 2, 4], q) == expected


def test_quantile_of_nothing_is_refused():
    with pytest.raises(ValueError, match="값이 없습니다"):
        bench.quantile([], 0.5)


def test_rows_round_by_size():
    assert bench.row("빌드", "a", 0.12345, "초")["value"] == 0.123
    assert bench.row("빌드", "a", 123.456, "초")["value"] == 123.5


def test_only_run_pages_count_as_executed():
    report = {"pages": {"a": {"cached": True}, "c": {"cached": False}, "b": {"cached": False}}}
    assert bench.executed(report) == ["b", "c"]


LEDGER = {
    "workers": 2, "tests_wall": 130.0,
    "stages": {
        "환경": {"wall": 60.0, "cpu": None}, "쪽 실행": {"wall": 100.0, "cpu": 150.0}, "사이트": {"wall": 40.0, "cpu": 40.0},
        "두 번째 실행": {"wall": 80.0, "cpu": 160.0}, "책의 시험": {"wall": 40.0, "cpu": 60.0},
    },
    "pages": {"chapters/week00_orientation": {"빌드의 실행": 75.0, "두 번째 실행": 80.0, "책의 시험": 15.0}, "case_studies/template": {"빌드의 실행": 20.0, "두 번째 실행": 10.0}},
}  # fmt: skip


def test_the_forecast_grows_only_what_belongs_to_pages():
    ledger = LEDGER | {
        "pages": LEDGER["pages"]
        | {"case_studies/template": {"빌드의 실행": 75.0, "두 번째 실행": 80.0, "책의 시험": 15.0}}
    }
    now, later = bench.forecast(ledger, 2), bench.forecast(ledger, 4)
    assert now == {
        "환경": 60.0,
        "쪽 실행": 100.0,
        "사이트": 40.0,
        "두 번째 실행": 80.0,
        "책의 시험": 40.0,
        "시험의 빈 시간": 10.0,
    }
    assert later == {
        "환경": 60.0,
        "쪽 실행": 200.0,
        "사이트": 80.0,
        "두 번째 실행": 160.0,
        "책의 시험": 60.0,
        "시험의 빈 시간": 10.0,
    }


def test_the_table_of_tests_names_dear_pages_and_the_goal():
    rows = {line["name"]: line for line in bench.test_rows(LEDGER)}
    assert (
        rows["처음부터 시험까지(노트북 2개)"]["value"] == 5.5
        and rows["처음부터 시험까지(노트북 2개)"]["goal"] == "40 이하"
    )
    assert rows["쪽 하나에 드는 CPU(중앙값)"]["note"] == "넘은 쪽 1개"
    dear = [line for line in bench.test_rows(LEDGER) if line["group"] == "비싼 쪽(CPU)"]
    assert [line["value"] for line in dear] == [170.0, 30.0] and "두 번째 실행 80" in dear[0]["note"]


def test_without_a_run_of_the_tests_there_is_no_forecast(tmp_path, monkeypatch):
    monkeypatch.setenv("BOOK_BUILD_DIR", str(tmp_path))
    with pytest.raises(bench.BenchFailed, match="make test"):
        bench.read_tests()


def test_the_copy_has_uncommitted_files_but_nothing_ignored(tmp_path, monkeypatch):
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    (source / ".gitignore").write_text("_build/\n")
    (source / "한글.md").write_text("글")
    (source / "_build").mkdir()
    (source / "_build" / "x.html").write_text("x")
    (source / "gone.md").write_text("x")
    subprocess.run(["git", "init", "-q"], cwd=source, check=True)
    subprocess.run(["git", "add", "gone.md"], cwd=source, check=True)
    (source / "gone.md").unlink()
    monkeypatch.setattr(bench, "ROOT", source)
    target.mkdir()
    bench.copy_tree(target)
    assert sorted(p.relative_to(target).as_posix() for p in target.rglob("*") if p.is_file()) == [
        ".gitignore",
        "한글.md",
    ]


def test_the_server_compresses_text_for_those_who_ask_and_only_text(tmp_path):
    (tmp_path / "index.html").write_text("가" * 1000, encoding="utf-8")
    (tmp_path / "f.woff2").write_bytes(b"x" * 1000)

    def get(name: str, **headers: str) -> tuple[str | None, bytes]:
        with urllib.request.urlopen(urllib.request.Request(f"{address}/{name}", headers=headers)) as answer:
            return answer.headers["Content-Encoding"], answer.read()

    with serve(tmp_path) as address:
        kind, body = get("", **{"Accept-Encoding": "gzip, deflate, br"})
        assert kind == "gzip" and gzip.decompress(body).decode() == "가" * 1000
        assert get("") == (None, ("가" * 1000).encode())  # 압축을 청하지 않은 프로그램도 글을 읽습니다
        assert get("f.woff2", **{"Accept-Encoding": "gzip"}) == (None, b"x" * 1000)
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{address}/none.html")


def test_a_slow_phone_sees_the_first_text_in_time(browser, site_dir):
    """가장 무거운 두 쪽(현업 사례 지도, 첫 화면). 모든 쪽은 `make bench`가 잽니다. 시험 기계는 바쁠 수 있어 문턱이 느슨합니다."""
    with serve(site_dir) as address:
        front, atlas = (bench.first_visit(browser, f"{address}/{name}.html") for name in ("index", "guides/atlas"))
    for seen in (front, atlas):
        assert 0 < seen["lcp"] <= 3.6 and seen["cls"] <= 0.05 and seen["blocking"] == 1, seen
    assert 0 < front["fonts"] <= 200


def test_without_npx_lighthouse_is_left_out_aloud(monkeypatch):
    monkeypatch.setattr(bench.shutil, "which", lambda name: None)
    said: list[str] = []
    assert bench.measure_lighthouse("http://127.0.0.1", said.append) == [] and "npx" in said[0]


def test_one_part_measured_alone_replaces_its_own_rows_and_says_when():
    old = [bench.row(group, name, 1, "초") for group, name in (("빌드", "a"), ("빌드", "b"), ("검색", "c"))]
    new = [bench.row("빌드", "d", 2, "초"), bench.row("시험", "e", 3, "초")]
    found = bench.replaced(old, new, "2026-01-02")
    assert [line["name"] for line in found] == ["d", "c", "e"]
    assert [line.get("date") for line in found] == ["2026-01-02", None, "2026-01-02"]


def test_the_table_in_the_book_is_whole():
    """문서가 보여 주는 표: 갈래마다 값과 단위가 있고, 기계의 이름이나 경로가 없습니다."""
    table = yaml.safe_load(bench.TABLE.read_text(encoding="utf-8"))
    assert set(table["measured"]) == {"date", "machine"}
    assert {"빌드", "쪽 무게(첫 방문)", "검색", "느린 4G의 휴대전화", "Lighthouse(휴대전화)"} <= {
        line["group"] for line in table["results"]
    }
    for line in table["results"]:
        assert set(line) - {"date"} == {"group", "name", "value", "unit", "goal", "note"}
        assert line["value"] >= 0 and line["unit"]
    assert str(ROOT) not in bench.TABLE.read_text(encoding="utf-8")
