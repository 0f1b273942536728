"""쪽마다 한 번 더 실행합니다. 무엇을 견주는지는 book/second_run.py에 있고, 여기서는 견주는 규칙도 시험합니다.

가벼운 두 쪽은 실습용 파일을 처음부터 끝까지 돌립니다.
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
    found = second_run.check(page, executions[page.docname])
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
