"""시험의 장부: 시험이 어느 단계와 쪽에 속하는지, 어떻게 나뉘는지, 자식이 쓴 CPU까지 재는지, 표가 무엇을 말하는지."""

import subprocess
import sys

import pytest

import ledger

STEMS = {"week05_propensity_score": "chapters/week05_propensity_score", "template": "case_studies/template"}


@pytest.mark.parametrize(
    ("nodeid", "fixtures", "stage", "page"),
    [
        (
            "tests/pages/test_second_run.py::test_the_bundle_gives[chapters/week05_propensity_score]",
            [],
            "두 번째 실행",
            "chapters/week05_propensity_score",
        ),
        ("tests/pages/test_second_run.py::test_what_counts[x]", [], "쪽의 시험", None),
        (
            "tests/pages/test_week05_propensity_score.py::test_truth",
            [],
            "쪽의 시험",
            "chapters/week05_propensity_score",
        ),
        ("tests/pages/test_generators.py::test_x[week05]", [], "쪽의 시험", None),
        (
            "tests/book/test_slides.py::test_deck[case_studies/template]",
            ["browser", "page"],
            "브라우저",
            "case_studies/template",
        ),
        ("tests/book/test_lab.py::test_x[chapters/week99_none]", [], "책의 시험", None),
        ("tests/pipeline/test_pipeline_spec.py::test_x", [], "파이프라인의 시험", None),
    ],
)
def test_where_a_test_belongs(nodeid, fixtures, stage, page):
    assert ledger.stage_of(nodeid, fixtures) == stage
    assert ledger.page_of(nodeid, STEMS) == page


def test_files_stay_together_but_second_runs_and_opened_pages_are_spread():
    second, tab = "tests/pages/test_second_run.py::test_the_bundle", "tests/book/test_browser.py::test"
    assert ledger.group_of(f"{second}[chapters/a]") != ledger.group_of(f"{second}[chapters/b]")
    assert (
        ledger.group_of(f"{tab}_mathematics[chapters/a]")
        == ledger.group_of(f"{tab}_neighbours[chapters/a]")
        != ledger.group_of(f"{tab}_x[chapters/b]")
    )
    assert ledger.group_of("tests/pages/test_week01.py::test_a[x]") == ledger.group_of(
        "tests/pages/test_week01.py::test_b"
    )


def test_the_cpu_of_children_counts_while_they_live_and_after():
    spin = "import time\nwhile time.process_time() < 0.5: pass\nprint('다 썼습니다', flush=True)\ninput()"
    before = ledger.cpu_seconds()
    child = subprocess.Popen([sys.executable, "-c", spin], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdout.readline()
    if sys.platform == "linux":
        assert ledger.cpu_seconds() - before >= 0.45
    child.communicate(b"\n")
    assert ledger.cpu_seconds() - before >= 0.45


def test_the_table_adds_up_and_names_the_dearest_pages(tmp_path, monkeypatch):
    monkeypatch.setenv("BOOK_BUILD_DIR", str(tmp_path))
    monkeypatch.setattr(ledger, "stored", lambda page: None)
    (tmp_path / "report.json").write_text(
        '{"execution_seconds": 100.0, "site_seconds": 40.0, "pages": {"chapters/a": {"seconds": 7.0}}}',
        encoding="utf-8",
    )
    rows = [
        ("tests/pages/test_x.py::test_a", "쪽의 시험", 3.0, 4.0),
        ("tests/pages/test_x.py::test_b", "쪽의 시험", 1.0, 2.0),
    ]
    record = ledger.summarise(rows, 300.0, 2)
    assert record["stages"]["쪽의 시험"] == {"wall": 3.0, "cpu": 4.0} and record["stages"]["사이트"]["wall"] == 40.0
    assert record["groups"] == {"tests/pages/test_x.py": 6.0}
    record["pages"] = {
        "chapters/a": {"빌드의 실행": 20.0, "두 번째 실행": 25.0, "쪽의 시험": 11.0},
        "chapters/b": {"빌드의 실행": 1.0},
    }
    text = "\n".join(ledger.table(record))
    assert "주의: chapters/a의 시험이 CPU 11초" in text
    assert "넘은 쪽 1개" in text and text.index("chapters/a") < text.index("chapters/b") and "두 번째 실행 25" in text
    assert ledger.expected_costs()["tests/pages/test_second_run.py[chapters/a"] == 7.0
