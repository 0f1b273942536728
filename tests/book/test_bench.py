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
    assert sorted(p.relative_to(target).as_posix() for p in target.rglob("*") if p.is_file()) == [".gitignore", "한글.md"]


def test_the_server_compresses_text_and_only_text(tmp_path):
    (tmp_path / "index.html").write_text("가" * 1000, encoding="utf-8")
    (tmp_path / "f.woff2").write_bytes(b"x" * 1000)
    with serve(tmp_path) as address:
        with urllib.request.urlopen(f"{address}/") as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            assert gzip.decompress(answer.read()).decode() == "가" * 1000
        with urllib.request.urlopen(f"{address}/f.woff2") as answer:
            assert answer.headers["Content-Encoding"] is None and len(answer.read()) == 1000
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{address}/none.html")


def test_the_table_in_the_book_is_whole():
    """문서가 보여 주는 표: 갈래마다 값과 단위가 있고, 기계의 이름이나 경로가 없습니다."""
    table = yaml.safe_load(bench.TABLE.read_text(encoding="utf-8"))
    assert set(table["measured"]) == {"date", "machine"}
    assert {"빌드", "쪽 실행", "쪽 메모리", "쪽 무게(첫 방문)", "검색"} <= {line["group"] for line in table["results"]}
    for line in table["results"]:
        assert set(line) == {"group", "name", "value", "unit", "goal", "note"}
        assert line["value"] >= 0 and line["unit"]
    assert str(ROOT) not in bench.TABLE.read_text(encoding="utf-8")
