"""배우는 사람이 받는 노트북: 정답은 비우고, 점검은 남기고, 저장소 밖에서도 끝까지 돕니다."""

import json
import os
import subprocess
import sys
import zipfile

import nbformat
import pytest

from book_extensions.downloads import bundle, colab_setup, launch_buttons, notebook_branch, requirements_of
from causal_practice.answers import ANSWER_MIME
from tools import lab
from tools.learner_notebook import ConversionError, convert, to_markdown
from tools.paths import PageError, published_pages

PAGES = [p for p in published_pages() if p.is_notebook and p.meta.get("kind") in {"chapter", "case"}]


def by_name(name):
    return next(p for p in PAGES if p.docname == name)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.docname)
def test_learners_copy_hides_answers_and_keeps_self_checks(page, executions):
    notebook = convert(page, executions[page.docname])
    nbformat.validate(notebook)
    solutions = [c for c in notebook.cells if "solution" in c.metadata.get("tags", [])]
    checks = [c for c in notebook.cells if "self-check" in c.metadata.get("tags", [])]
    assert solutions and len(checks) >= len(solutions)
    for cell in solutions:
        assert all(line.split(" = ")[1].startswith("...") for line in cell.source.splitlines()), cell.source
    text = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    assert "정답 해설" not in text
    for leftover in (":::", "{glue", "{term}", "{exercise}", "% 숫자 허용"):
        assert leftover not in text, f"{leftover}이(가) 남았습니다."
    assert all(not c.get("outputs") for c in notebook.cells)
    full = convert(page, executions[page.docname], solutions=True)
    assert all("..." not in c.source for c in full.cells if "solution" in c.metadata.get("tags", []))


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.docname)
def test_bundle_runs_outside_the_repository(page, executions, tmp_path):
    archive = tmp_path / "bundle.zip"
    archive.write_bytes(bundle(page, executions[page.docname]))
    with zipfile.ZipFile(archive) as file:
        assert all(not name.startswith(("/", "..")) for name in file.namelist())
        file.extractall(tmp_path)
    folder = tmp_path / page.path.stem
    env = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "CAUSAL_PRACTICE_DATA"}}
    command = [sys.executable, "-m", "jupyter", "execute", "--output", "ran", f"{page.path.stem}.ipynb"]
    ran = subprocess.run(command, cwd=folder, env=env | {"TQDM_DISABLE": "1"}, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    result = next(folder.glob("ran*"))
    statuses = [
        o["data"][ANSWER_MIME]["status"]
        for c in nbformat.read(result, 4).cells if c.cell_type == "code"
        for o in c.outputs if ANSWER_MIME in o.get("data", {})
    ]  # fmt: skip
    assert statuses and set(statuses) == {"empty"}, statuses


def test_bundle_is_the_same_every_time(executions):
    page = PAGES[0]
    assert bundle(page, executions[page.docname]) == bundle(page, executions[page.docname])


def test_bundle_pins_what_the_page_imports():
    text = requirements_of(by_name("chapters/week00_orientation"))
    assert "dowhy==0.14" in text and "econml" not in text and "jupyter-book" not in text


def test_directives_become_plain_markdown():
    source = (
        ":::{slide} 제목\n- 하나 {glue:text}`x:.1f`\n:::\n\n:::{notes}\n비밀\n:::\n\n% 숫자 허용: 1 — 까닭\n"
        ":::{exercise} 연습 1. 문제\n무엇입니까?\n:::\n\n:::{warning}\n조심합니다.\n:::\n\n:::{solution}\n풀이\n:::\n"
        "(here)=\n{term}`성향점수 <propensity>`와 [장](../chapters/a.md#b), [밖](https://example.org)."
    )
    text = to_markdown(source, {"x": 1.26}, solutions=False)
    assert "- 하나 1.3" in text and "### 연습 1. 문제" in text and "> **주의**\n>\n> 조심합니다." in text
    assert "비밀" not in text and "풀이" not in text and "숫자 허용" not in text and "(here)=" not in text
    assert "성향점수와 장, [밖](https://example.org)." in text
    assert "> 풀이" in to_markdown(source, {"x": 1.26}, solutions=True)
    linked = to_markdown(source, {"x": 1.26}, solutions=False, site="https://book.example", docname="case_studies/c")
    assert "[장](https://book.example/chapters/a.html#b)" in linked


def test_an_unknown_value_is_an_error():
    with pytest.raises(ConversionError, match="없는값"):
        to_markdown("{glue:text}`없는값`", {}, solutions=False)


def test_lab_never_overwrites_a_learners_work(tmp_path, executions):
    page, said = PAGES[0], []
    first = lab.write_notebooks([page], tmp_path, report=said.append)[0]
    original = first.read_bytes()
    lab.write_notebooks([page], tmp_path, report=said.append)
    assert first.read_bytes() == original and not said
    mine = json.loads(original)
    mine["cells"][0]["source"] = "내 메모"
    first.write_text(json.dumps(mine, ensure_ascii=False), encoding="utf-8")
    lab.write_notebooks([page], tmp_path, report=said.append)
    assert "내 메모" in first.read_text(encoding="utf-8")
    # 새 판이 나온 때: 우리가 쓴 것의 지문이 지금 판과 다르면 옆에 둡니다.
    (tmp_path / ".ours.json").write_text(json.dumps({first.name: "예전 판"}))
    written = lab.write_notebooks([page], tmp_path, report=said.append)[0]
    assert written.name.endswith("_새판.ipynb") and "내 메모" in first.read_text(encoding="utf-8") and said


@pytest.mark.parametrize(("week", "message"), [("", "몇 주차"), ("99", "있는 주차"), ("다섯", "있는 주차"), ("-1", "있는 주차")])
def test_a_wrong_week_names_the_weeks_that_exist(week, message, capsys):
    with pytest.raises(PageError, match=message):
        lab.pages_of_week(week)
    assert lab.main(["--week", week, "--no-open"]) == 1
    assert "0, " in capsys.readouterr().err


def test_a_week_has_its_chapter_and_cases():
    assert [p.docname for p in lab.pages_of_week("5")][:2] == ["chapters/week05_propensity_score", "case_studies/uber_late_delivery"]


def test_launch_buttons_follow_one_setting():
    assert launch_buttons("", "main", "chapters/a") == []
    buttons = launch_buttons("https://github.com/team/book", "main", "chapters/a")
    assert [b["label"] for b in buttons] == ["Colab", "Binder"]
    assert buttons[0]["url"].endswith("github/team/book/blob/notebooks/chapters__a.ipynb")
    with pytest.raises(ValueError, match="repository.url"):
        launch_buttons("github.com/team/book", "main", "chapters/a")


def test_notebook_branch_holds_all_that_colab_needs(executions, tmp_path):
    page = PAGES[0]
    notebook_branch([(page, executions[page.docname])], "https://github.com/team/book", tmp_path)
    notebook = nbformat.read(tmp_path / f"{page.docname.replace('/', '__')}.ipynb", 4)
    assert notebook.cells[0].source == colab_setup("https://github.com/team/book")
    exec(compile(notebook.cells[0].source, "colab", "exec"), {})  # Colab 밖에서는 아무 일도 하지 않습니다
    assert (tmp_path / "causal_practice" / "__init__.py").is_file() and (tmp_path / "requirements.txt").read_text().strip()
