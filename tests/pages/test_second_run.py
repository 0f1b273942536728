"""쪽마다 한 번 더 실행합니다. 무엇을 견주는지는 book/second_run.py에 있고, 여기서는 견주는 규칙도 시험합니다.

바뀐 쪽과, 돌아가며 넷에 하나는 그 자리에서 돌리고, 나머지는 그 열쇠로 맞았다는 기록(benchmarks/second_run.yml)을 봅니다. 가벼운 두 쪽은 실습용 파일을 처음부터 끝까지 돌립니다.
"""

import os
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_output

from book import second_run
from book.learner_notebook import notebook_name, with_reading
from book.page import published_pages
from book.second_run import (
    code_of,
    differences,
    emptied_checks,
    learner_problems,
    presenter_problems,
    same_but_for_reading,
    statuses,
    unpack,
)

PAGES = [page for page in published_pages() if page.is_notebook]
LIGHT = [page for page in PAGES if page.docname in {"chapters/week00_orientation", "case_studies/template"}]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.docname)
def test_the_bundle_gives_the_sites_numbers_outside_the_repository(page, executions):
    live = page.docname in second_run.on_turn([p.docname for p in PAGES])
    found = second_run.check(page, executions[page.docname], live=live)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("page", LIGHT, ids=lambda page: page.docname)
def test_the_learners_notebook_runs_to_its_end(page, executions, tmp_path):
    folder = unpack(page, executions[page.docname], tmp_path)
    command = [sys.executable, "-m", "jupyter", "execute", "--inplace", notebook_name(page)]
    env = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "CAUSAL_PRACTICE_DATA"}} | {
        "OMP_NUM_THREADS": "1"
    }
    ran = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert set(statuses(code_of(nbformat.read(folder / notebook_name(page), 4)))) == {"empty"}


# --- 기록 ---


def test_the_record_names_pages_of_the_contents_only():
    assert set(second_run.recorded()) <= {page.docname for page in PAGES}


def test_a_quarter_is_run_again_and_the_turn_moves_with_the_record(monkeypatch, tmp_path):
    names = [f"쪽{k}" for k in range(400)]
    monkeypatch.setattr(second_run, "RECORD", tmp_path / "second_run.yml")
    second_run.RECORD.write_text("가: a", encoding="utf-8")
    first = second_run.on_turn(names)
    second_run.RECORD.write_text("가: b", encoding="utf-8")
    assert 60 < len(first) < 140 and first == first & set(names) and first != second_run.on_turn(names)


@pytest.fixture
def light(executions, tmp_path, monkeypatch):
    """가벼운 쪽 하나, 그 실행, 푼 꾸러미, 그 열쇠. 그 자리에서 돌린 쪽은 ``ran``에 모입니다."""
    page = next(page for page in LIGHT if page.docname == "case_studies/template")
    folder = unpack(page, executions[page.docname], tmp_path / "out")
    ran = []
    monkeypatch.setattr(second_run, "_run", lambda page, *_: ran.append(page.docname) or [])
    monkeypatch.setattr(second_run, "RECORD", tmp_path / "second_run.yml")
    return page, executions[page.docname], folder, ran


def test_a_recorded_page_is_read_and_a_changed_one_runs(light):
    page, execution, _, ran = light
    assert second_run.check(page, execution) == [] and ran == [page.docname]
    assert second_run.remember([page], lambda _: execution, report=lambda _: None) == []
    ran.clear()
    assert second_run.check(page, execution) == [] and ran == []
    assert second_run.remember([page], lambda _: execution, report=lambda _: None) == [] and ran == []
    second_run.check(page, execution, live=True)
    assert ran == [page.docname]


def test_a_run_that_differs_is_not_recorded(light, monkeypatch):
    page, execution, *_ = light
    monkeypatch.setattr(second_run, "_run", lambda *_: ["값이 다릅니다"])
    assert second_run.remember([page], lambda _: execution, report=lambda _: None) and second_run.recorded() == {}


def _edit(path, text="\n"):
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: _edit(next((folder / "data").glob("*.csv"))),
        lambda folder: _edit(folder / "requirements.txt"),
        lambda folder: _edit(folder / "causal_practice" / "answers.py", "# 다름\n"),
        lambda folder: (folder / "새 파일.txt").write_text("1", encoding="utf-8"),
        lambda folder: (folder / "data" / "catalog.yml").unlink(),
    ],
)
def test_the_key_moves_with_every_file_of_the_bundle(light, change):
    page, execution, folder, _ = light
    before = second_run.second_key(page, execution, folder)
    assert second_run.second_key(page, execution, folder) == before
    change(folder)
    assert second_run.second_key(page, execution, folder) != before


def test_the_key_moves_with_the_cells_the_packages_and_python(light, monkeypatch):
    page, execution, folder, _ = light
    before = second_run.second_key(page, execution, folder)
    path = next(folder.glob("*.ipynb"))
    notebook = nbformat.read(path, 4)
    next(cell for cell in notebook.cells if cell.cell_type == "markdown").source += " 글은 보지 않습니다."
    nbformat.write(notebook, path)
    assert second_run.second_key(page, execution, folder) == before
    code_of(notebook)[0].source += "\nx = 1"
    nbformat.write(notebook, path)
    changed = second_run.second_key(page, execution, folder)
    monkeypatch.setattr(second_run, "locked_page_packages", lambda: ["numpy==9"])
    other = second_run.second_key(page, execution, folder)
    monkeypatch.setattr(sys, "version_info", (3, 99))
    assert len({before, changed, other, second_run.second_key(page, execution, folder)}) == 4


# --- 견주는 규칙 ---


def printed(*outputs) -> list:
    return [new_code_cell("f()", outputs=list(outputs))]


def stream(text: str):
    return new_output("stream", name="stdout", text=text)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ([stream("평균 1.234\n")], [stream("평균 1.235\n")], False),
        ([stream("가"), stream("나")], [stream("가나")], True),
        ([stream("3.1초 걸렸습니다")], [stream("12초 걸렸습니다")], True),
        ([stream("3.1초 걸렸고 4")], [stream("3.2초 걸렸고 4")], False),
        (
            [new_output("display_data", {"image/png": "a", "text/plain": "그림"})],
            [new_output("display_data", {"image/png": "b", "text/plain": "그림"})],
            True,
        ),
        ([new_output("display_data", {"text/plain": "a"})], [new_output("execute_result", {"text/plain": "b"})], False),
        (
            [new_output("display_data", {"application/x.claim+json": {"estimate": 1.0}})],
            [new_output("display_data", {"application/x.claim+json": {"estimate": 1.1}})],
            False,
        ),
        ([new_output("display_data", {"text/plain": "a"})], [], False),
        ([], [stream("새로 찍힘")], False),
    ],
)
def test_what_counts_as_a_difference(first, second, same):
    assert (differences(printed(*first), printed(*second)) == []) is same


def test_a_missing_cell_is_a_difference():
    assert differences(printed(), []) != []


def tagged(source: str, *tags: str):
    return new_code_cell(source, metadata={"tags": list(tags)})


@pytest.mark.parametrize(
    ("book", "made", "same"),
    [
        (["x = 1\nglue('x', x)", "glue('y', 2)", "print(x)"], ["x = 1", "print(x)"], True),
        (["x = 1\nprint(x)"], ["x = 1"], False),
        (["x = 1"], ["x = 2"], False),
        (["x = 1"], ["x = 1", "y = 2"], False),
        (["glue('x', (x := 3))\nprint(x)"], ["print(x)"], False),
        (["%matplotlib inline\nx = 1"], ["%matplotlib inline\nx = 1"], True),
    ],
)
def test_the_presenters_copy_may_lose_recordings_only(book, made, same):
    assert (presenter_problems([new_code_cell(s) for s in book], [new_code_cell(s) for s in made]) == []) is same


SOLUTION = tagged("helper = 3\nanswer_1 = helper", "solution")
BLANK = tagged("answer_1 = ...  # 여기", "solution")


@pytest.mark.parametrize(
    ("presenter", "learner", "message"),
    [
        (
            [SOLUTION, tagged("check_answer('1', answer_1, 3)", "self-check")],
            [BLANK, tagged("check_answer('1', answer_1, 3)", "self-check")],
            "",
        ),
        ([SOLUTION], [SOLUTION], "자리가"),
        ([SOLUTION], [], "셀의 수"),
        ([SOLUTION, tagged("x = 1")], [BLANK, tagged("x = 2")], "정답 셀이 아닌데"),
        ([SOLUTION, tagged("print(helper)")], [BLANK, tagged("print(helper)")], "정답 셀만 만드는 helper"),
        ([SOLUTION, tagged("print(answer_1)")], [BLANK, tagged("print(answer_1)")], "정답 셀만 만드는 answer_1"),
        (
            [SOLUTION, tagged("def f(helper):\n    return helper")],
            [BLANK, tagged("def f(helper):\n    return helper")],
            "",
        ),
        (
            [SOLUTION, tagged("def f():\n    return helper")],
            [BLANK, tagged("def f():\n    return helper")],
            "정답 셀만 만드는 helper",
        ),
        ([tagged("frame['x'] = 1\nanswer_1 = 2", "solution")], [BLANK], "바깥의 것을"),
        ([tagged("own = f()\nown['x'] = 1\nanswer_1 = 2", "solution")], [BLANK], ""),
        ([tagged("frame.drop(columns='x', inplace=True)\nanswer_1 = 2", "solution")], [BLANK], "바깥의 것을"),
    ],
)
def test_a_blank_answer_must_not_stop_a_later_cell(presenter, learner, message):
    found = learner_problems(presenter, learner)
    assert (found == []) if not message else any(message in problem for problem in found), found


def test_the_checks_are_run_again_without_the_solutions_names():
    cells = [tagged("x = 1"), SOLUTION, tagged("check_answer('1', answer_1, helper)", "self-check")]
    assert emptied_checks(cells) == [
        "globals().pop('helper', None)\nanswer_1 = ...",
        "check_answer('1', answer_1, helper)",
    ]


def test_the_reading_of_a_right_answer_is_the_only_extra_of_a_check():
    check = new_code_cell(
        '# 점검\ncheck_answer(\n    "연습 1",\n    answer_1,\n    wrong={},\n)', metadata={"tags": ["self-check"]}
    )
    read = new_code_cell(with_reading(check.source, '해설, "둘"'), metadata=check.metadata)
    other = new_code_cell(read.source.replace("연습 1", "연습 2"), metadata=check.metadata)
    assert same_but_for_reading(check, read) and not same_but_for_reading(check, other)
    plain = new_code_cell("a = 1")
    assert same_but_for_reading(plain, plain) and not same_but_for_reading(plain, new_code_cell("a = 1 "))
