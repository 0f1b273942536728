"""배우는 사람이 받는 노트북: 정답은 비우고, 점검은 남깁니다.

저장소 밖에서 끝까지 도는지와 같은 숫자를 내는지는 tests/pages/test_second_run.py가 봅니다.
"""

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from functools import cache

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_notebook, new_output

from book import bundle as bundles
from book import learner_notebook
from book.bundle import branch_files, bundle, colab_setup, locked_requirements, requirements_of, support_files
from book.commands import lab
from book.extensions.downloads import launch_buttons
from book.learner_notebook import ConversionError, convert, glued_values, notebook_name
from book.page import ROOT, Page, PageError, published_pages, read_page
from causal_practice.environment import analysis_requirements, package_problems

PAGES = [p for p in published_pages() if p.is_notebook]
LESSONS = [p for p in PAGES if p.meta.get("kind") in {"chapter", "case"}]
HEAD = "---\njupytext:\n  text_representation: {extension: .md, format_name: myst}\nkernelspec: {display_name: Python 3, language: python, name: python3}\n"


def by_name(name):
    return next(p for p in PAGES if p.docname == name)


class Glued:
    """``glue``로 묶은 값만 든 가짜 실행."""

    def __init__(self, **values):
        outputs = [
            new_output(
                "display_data",
                {"application/papermill.record/text/plain": repr(v)},
                metadata={"scrapbook": {"name": k}},
            )
            for k, v in values.items()
        ]
        self.made = new_notebook(cells=[new_code_cell("", outputs=outputs)])

    def notebook(self):
        return self.made


@cache
def notebook_of(docname: str, execution, solutions: bool):
    """쪽의 노트북. 고치지 않고 보기만 하는 시험들이 함께 씁니다."""
    return convert(by_name(docname), execution, solutions=solutions)


def page_of(body: str, meta: str = "kind: chapter\ndatasets: [orientation_coupon]\n") -> Page:
    text = f"{HEAD}{meta}---\n\n# 제목\n\n{body}"
    return Page(ROOT / "chapters" / "week05_small.md", text, yaml.safe_load(text.split("---\n")[1]))


def to_markdown(
    source: str, values: dict, *, solutions: bool, site: str = "", docname: str = "chapters/week05_small"
) -> str:
    """글 한 토막이 노트북에서 읽히는 모습. 각주의 목록까지 한 글로 잇습니다."""
    page = Page(ROOT / f"{docname}.md", source, {})
    return "\n\n".join(c.source for c in convert(page, Glued(**values), solutions=solutions, site=site).cells)


def cell(code: str, *tags: str) -> str:
    return "```{code-cell} ipython3\n" + (f":tags: [{', '.join(tags)}]\n" if tags else "") + code + "\n```\n\n"


def code_of(notebook) -> list[str]:
    return [c.source for c in notebook.cells if c.cell_type == "code"]


def test_the_reading_waits_in_the_check_of_the_learners_copy():
    """해설은 글에서 빠지고, 값이 채워진 채 그 연습의 점검 셀에 실립니다. 틀린 답에는 보이지 않습니다."""
    body = (
        cell("effect = 2.0") + ":::{exercise} 연습 1. 크기\n몇 개입니까?\n:::\n\n" + cell("answer_1 = effect", "solution", "hide-cell")
        + ":::{solution}\n효과는 {glue:text}`effect:.1f`개입니다.\n:::\n\n" + cell('check_answer("연습 1", answer_1, 2.0, decimals=1,\n    wrong={})', "self-check")
    )  # fmt: skip
    notebook = convert(page_of(body), Glued(effect=2.0))
    assert not any("효과는" in c.source for c in notebook.cells if c.cell_type == "markdown")
    check = next(c.source for c in notebook.cells if "self-check" in c.metadata.get("tags", []))
    assert check.startswith(learner_notebook.CHECK_HINT) and "reading='효과는 2.0개입니다.')" in check
    full = convert(page_of(body), Glued(effect=2.0), solutions=True)
    assert any(
        "효과는 2.0개" in c.source for c in full.cells if c.cell_type == "markdown"
    )  # 진행자용에는 글로 있습니다
    assert not any("reading=" in c.source for c in full.cells)


# --- 쪽마다 ---


@pytest.mark.parametrize("page", LESSONS, ids=lambda p: p.docname)
def test_learners_copy_hides_answers_and_keeps_self_checks(page, executions):
    notebook = notebook_of(page.docname, executions[page.docname], False)
    nbformat.validate(notebook)
    solutions = [c for c in notebook.cells if "solution" in c.metadata.get("tags", [])]
    checks = [c for c in notebook.cells if "self-check" in c.metadata.get("tags", [])]
    assert solutions and len(checks) >= len(solutions)
    for made in solutions:
        assert all(
            line.split(" = ", 1)[1] == f"...  # {learner_notebook.ANSWER_HINT}" for line in made.source.splitlines()
        ), made.source
    assert all("check_answer(" in c.source and c.metadata["jupyter"]["source_hidden"] for c in checks)
    assert all(
        c.source.startswith(learner_notebook.CHECK_HINT) for c in checks
    )  # 접혀도 첫 줄은 보이므로 정답을 두지 않습니다
    assert all(not c.get("outputs") and c.get("execution_count") is None for c in notebook.cells)
    full = notebook_of(page.docname, executions[page.docname], True)
    answers = [c for c in full.cells if "solution" in c.metadata.get("tags", [])]
    assert len(answers) == len(solutions) and not any(" = ...  #" in c.source for c in answers)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.docname)
@pytest.mark.parametrize("solutions", [False, True])
def test_nothing_of_the_books_own_notation_is_left(page, solutions, executions):
    notebook = notebook_of(page.docname, executions[page.docname], solutions)
    text = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    for leftover in (":::", "```{", "{glue", "{term}`", "{doc}`", "{exercise}", "% 숫자 허용", "[^"):
        assert leftover not in text, (
            f"{leftover}이(가) 남았습니다: {text[max(0, text.find(leftover) - 40) : text.find(leftover) + 80]}"
        )
    assert text.count("정답 해설") == (page.text.count("{solution}") if solutions else 0)


# --- 글 ---


def test_directives_become_plain_markdown():
    source = (
        ":::{slide} 슬라이드 제목\n- 하나 {glue:text}`x:.1f`\n:::\n\n:::{notes}\n발표자만 보는 말\n:::\n\n% 숫자 허용: 1 — 까닭\n"
        ":::{exercise} 연습 1. 문제\n무엇입니까?\n:::\n\n:::{warning}\n조심합니다.\n\n- 하나\n:::\n\n"
        "```{admonition} 따로 *단* 제목\n:class: tip\n안의 글 {term}`처치`\n```\n\n:::{solution}\n풀이\n:::\n\n(here)=\n## 절\n"
    )
    text = to_markdown(source, {"x": 1.26}, solutions=False)
    assert "- 하나 1.3" in text and "슬라이드 제목" not in text
    assert "### 연습 1. 문제\n\n무엇입니까?" in text
    assert "> **주의**\n>\n> 조심합니다.\n>\n> - 하나" in text
    assert "> **따로 *단* 제목**\n>\n> 안의 글 처치" in text
    for gone in ("발표자만", "풀이", "숫자 허용", "(here)=", ":class:", ":::", "```"):
        assert gone not in text
    assert text.endswith("## 절")
    full = to_markdown(source, {"x": 1.26}, solutions=True)
    assert "> **정답 해설**\n>\n> 풀이" in full and "발표자만" not in full


def test_nested_blocks_keep_their_place():
    source = "::::{note}\n밖\n:::{tip}\n안\n:::\n```python\nx = 1  # {term}`그대로`\n```\n::::\n뒤"
    text = to_markdown(source, {}, solutions=False)
    assert (
        "> 밖" in text
        and "> > 안" in text
        and "> ```python\n> x = 1  # {term}`그대로`\n> ```" in text
        and text.endswith("\n뒤")
    )


def test_blocks_in_lists_and_code_keep_their_place():
    source = "- 하나\n  ```{tip}\n  안 {term}`처치`\n  ```\n- :::{warning}\n  조심\n  :::\n\n```text\n:::{note}\n{term}`그대로`\n:::\n```\n\n<!-- {term}`숨김` -->\n"
    text = to_markdown(source, {}, solutions=False)
    assert "- 하나\n\n  > **도움말**\n  >\n  > 안 처치" in text and "- > **주의**\n  >\n  > 조심" in text
    assert "```text\n:::{note}\n{term}`그대로`\n:::\n```" in text


def test_inline_roles_links_and_footnotes():
    source = (
        "{term}`성향점수 <propensity>`, {math}`a_1`, $b_{2}$, `{term}`글` 그대로`, [장](../chapters/week00_orientation.md#b), "
        "[밖](https://example.org/a_(b)), {doc}`../chapters/week00_orientation`, {doc}`/chapters/week08_difference_in_differences`.[^a]\n\n"
        "[참고][ref]\n\n[^a]: 각주의 {term}`글`.\n  이어서.\n[^b]: 부르지 않은 각주\n\n[ref]: https://example.org/ref\n"
    )
    text = to_markdown(source, {}, solutions=False, docname="case_studies/c")
    title = read_page("chapters/week00_orientation.md").title
    assert text.startswith("성향점수, $a_1$, $b_{2}$, `{term}`글` 그대로`, 장, [밖](https://example.org/a_(b)), ")
    assert title in text and "chapters/" not in text
    assert ".<sup>[1]</sup>" in text and "1. 각주의 글. 이어서." in text and "부르지 않은" not in text
    assert "[참고](https://example.org/ref)" in text and "[ref]:" not in text
    linked = to_markdown(source, {}, solutions=False, site="https://book.example/", docname="case_studies/c")
    assert "[장](https://book.example/chapters/week00_orientation.html#b)" in linked
    assert f"[{title}](https://book.example/chapters/week00_orientation.html)" in linked


def test_mathematics_tables_and_definitions():
    source = (
        "```{math}\n:label: eq\nx = 1\n```\n\n$$\ny = {2}\n$$\n\n"
        "```{list-table} 표\n:header-rows: 1\n* - 가\n  - 나\n* - a|b\n  - {term}`처치`\n    계속\n```\n\n용어\n: 뜻입니다.\n"
    )
    text = to_markdown(source, {}, solutions=False)
    assert "$$\nx = 1\n$$" in text and ":label:" not in text and "$$\ny = {2}\n$$" in text
    assert "| 가 | 나 |\n| --- | --- |\n| a\\|b | 처치 계속 |" in text
    assert "**용어**: 뜻입니다." in text


def test_pictures_travel_inside_the_notebook():
    body = (
        "```{figure} ../assets/readme/front.png\n:alt: 첫 화면\n그림 설명\n```\n\n![없는 그림](../assets/nothing.png)\n"
    )
    notebook = convert(page_of(body), Glued())
    text = notebook.cells[0]
    assert "![첫 화면](attachment:front.png)" in text.source and "그림 설명" in text.source
    assert (
        text.attachments["front.png"]["image/png"] and "없는 그림" in text.source and "nothing.png" not in text.source
    )
    nbformat.validate(notebook)


def test_glue_takes_the_books_own_number_and_format():
    execution = Glued(n=12345, share=0.256, name="ATT")
    assert glued_values(execution) == {"n": 12345, "share": 0.256, "name": "ATT"}
    notebook = convert(page_of("{glue:text}`n:,`명, {glue:text}`share:.0%`, {glue:text}`name`"), execution)
    assert notebook.cells[0].source.endswith("12,345명, 26%, ATT")


def test_an_unknown_value_is_an_error():
    with pytest.raises(ConversionError, match="없는값"):
        to_markdown("{glue:text}`없는값`", {}, solutions=False)


def test_links_to_shipped_data_stay_local():
    notebook = convert(
        page_of("[생성기](../data/generators/orientation_coupon.py), [남의 것](../data/generators/ticket_response.py)"),
        Glued(),
    )
    assert "[생성기](data/generators/orientation_coupon.py), 남의 것" in notebook.cells[0].source


# --- 코드 ---


def test_every_answer_of_a_cell_is_emptied_and_nothing_else_leaks():
    body = cell("helper = 3\nanswer_1, answer_2 = helper, '비밀'", "solution", "hide-cell") + cell(
        "check_answer('연습', answer_1, 1)", "self-check"
    )
    notebook = convert(page_of(body), Glued())
    hint = learner_notebook.ANSWER_HINT
    assert code_of(notebook)[0] == f"answer_1 = ...  # {hint}\nanswer_2 = ...  # {hint}"
    assert "비밀" in code_of(convert(page_of(body), Glued(), solutions=True))[0]


def test_a_solution_without_an_answer_is_an_error():
    with pytest.raises(ConversionError, match="answer_1"):
        convert(page_of(cell("x = 1", "solution")), Glued())


def test_recording_goes_but_what_could_change_a_number_stays():
    body = (
        cell('x = 1\nglue("x", x)\nrecord_claim(\n    "a",\n    truth=1,\n)\ny = 2')
        + cell('glue("only", 1)', "remove-cell")
        + cell('glue("drawn", rng.normal())')
        + cell('glue("a", 1); z = 3')
    )
    assert code_of(convert(page_of(body), Glued())) == [
        "x = 1\ny = 2",
        'glue("drawn", rng.normal())',
        'glue("a", 1); z = 3',
    ]


def test_the_same_page_gives_the_same_notebook(executions):
    page = PAGES[0]
    first, second = (nbformat.writes(convert(page, executions[page.docname])) for _ in range(2))
    assert first == second


# --- 꾸러미 ---


def test_bundle_is_the_same_bytes_every_time(executions, monkeypatch):
    page = by_name("chapters/week00_orientation")
    first = bundle(page, executions[page.docname])
    monkeypatch.setattr("time.time", lambda: 2e9)
    again = replace(page, meta=dict(page.meta))
    assert hashlib.sha256(first).hexdigest() == hashlib.sha256(bundle(again, executions[page.docname])).hexdigest()
    with zipfile.ZipFile(io.BytesIO(first)) as file:
        names = [info.filename for info in file.infolist()]
        assert names == sorted(names) and {info.date_time for info in file.infolist()} == {(2024, 1, 1, 0, 0, 0)}


def test_bundle_carries_only_what_the_page_uses(executions):
    page = by_name("chapters/week00_orientation")
    with zipfile.ZipFile(io.BytesIO(bundle(page, executions[page.docname]))) as file:
        names = {name.partition("/")[2] for name in file.namelist()}
        catalog = yaml.safe_load(file.read(f"{page.path.stem}/data/catalog.yml"))
    assert {n for n in names if n.startswith("data/")} == {
        "data/catalog.yml",
        "data/orientation_coupon.csv",
        "data/generators/orientation_coupon.py",
    }
    assert list(catalog) == ["orientation_coupon"]
    assert {
        "읽어두기.md",
        "requirements.txt",
        "causal_practice/__init__.py",
        notebook_name(page),
        notebook_name(page, True),
    } <= names
    assert not any("__pycache__" in n for n in names)


def test_requirements_are_the_pages_imports_at_the_locks_versions():
    lines = requirements_of(by_name("chapters/week00_orientation"))
    names = {line.split("==")[0] for line in lines}
    assert {"dowhy", "ipywidgets", "koreanize-matplotlib", "pandas"} <= names and not names & {
        "econml",
        "jupyter-book",
        "pytest",
    }
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert all(f"{line} \\" in lock for line in lines)


def test_import_names_find_their_packages():
    lines = requirements_of(page_of(cell("import sklearn.linear_model, json\nfrom yaml import safe_load")))
    assert any(line.startswith("scikit-learn==") for line in lines) and any(
        line.startswith("pyyaml==") for line in lines
    )
    with pytest.raises(ConversionError, match="tensorflow"):
        requirements_of(page_of(cell("import tensorflow")))


def test_versions_that_differ_by_python_keep_their_conditions():
    lock = "numpy==2.4.6 ; python_full_version < '3.13' \\\n    --hash=sha256:0\nnumpy==2.5.5 ; python_full_version >= '3.13' \\\n    --hash=sha256:1\nPy_Yaml==1 \\\n"
    assert locked_requirements(lock) == {
        "numpy": ["numpy==2.4.6 ; python_full_version < '3.13'", "numpy==2.5.5 ; python_full_version >= '3.13'"],
        "py-yaml": ["Py_Yaml==1"],
    }


def test_environment_check_reads_the_bundles_requirements():
    text = support_files([by_name("chapters/week00_orientation")])["requirements.txt"].decode()
    lines = analysis_requirements(text)
    assert any(line.startswith("dowhy==") for line in lines) and "jupyter-book" not in text
    assert package_problems(lines) == []
    assert package_problems(["numpy==0.1 ; python_version < '3'"]) == []
    assert package_problems(["numpy==0.1 ; python_version > '3'"])


# --- 사이트 ---


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.docname)
def test_every_notebook_page_offers_its_bundle(page, executions, site_dir):
    from lxml import html

    tree = html.parse(str(site_dir / f"{page.docname}.html"))
    links = tree.xpath("//nav[contains(@class, 'page-tools')]//a[contains(@class, 'page-tool-download')]")
    assert [link.text_content() for link in links] == ["노트북 내려받기"]
    target = (site_dir / f"{page.docname}.html").parent / links[0].get("href")
    assert target.read_bytes() == bundle(page, executions[page.docname])


def test_launch_buttons_follow_one_setting():
    assert launch_buttons("", "chapters/a") == []
    colab, binder = launch_buttons("https://github.com/team/book", "chapters/a")
    assert colab["url"] == "https://colab.research.google.com/github/team/book/blob/notebooks/chapters__a.ipynb"
    assert binder["url"] == "https://mybinder.org/v2/gh/team/book/notebooks?urlpath=lab%2Ftree%2Fchapters__a.ipynb"
    assert launch_buttons("https://github.com/team/book.git/", "chapters/a")[0] == colab


@pytest.mark.parametrize(
    "url",
    [
        "github.com/team/book",
        "https://gitlab.com/team/book",
        "https://github.com/team",
        "https://github.com/a/b/c",
        "http://github.com/a/b",
    ],
)
def test_a_wrong_repository_address_is_refused(url):
    with pytest.raises(PageError, match="repository.url"):
        launch_buttons(url, "chapters/a")


def test_site_has_launch_buttons_only_with_an_address(site_dir):
    address = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]
    text = (site_dir / "chapters" / "week00_orientation.html").read_text(encoding="utf-8")
    assert ("colab.research.google.com" in text) == ("mybinder.org" in text) == bool(address)


def test_colab_cell_fetches_the_bundle_only_in_colab(executions, tmp_path, monkeypatch):
    page = by_name("chapters/week00_orientation")
    raw = tmp_path / "branch"
    archive = raw / "downloads" / f"{page.docname}.zip"
    archive.parent.mkdir(parents=True)
    archive.write_bytes(bundle(page, executions[page.docname]))
    code = compile(colab_setup(page, raw.as_uri()), "colab", "exec")
    work = tmp_path / "content"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setattr(sys, "path", list(sys.path))
    called = []
    monkeypatch.setattr("subprocess.run", lambda command, check: called.append(command))
    exec(code, {})
    assert not called and not list(work.iterdir())
    monkeypatch.setitem(sys.modules, "google.colab", sys)
    exec(code, {})
    stem = page.path.stem
    assert called == [[sys.executable, "-m", "pip", "install", "-q", "-r", f"{stem}/requirements.txt"]]
    assert (work / stem / "requirements.txt").is_file() and sys.path[0] == str(work / stem)
    exec(code, {})  # 두 번 실행해도 됩니다


def test_notebook_branch_holds_all_that_colab_and_binder_need(executions):
    pages = [(p, executions[p.docname]) for p in PAGES[:2]]
    files = branch_files(pages, "https://github.com/team/book")
    for page, _ in pages:
        notebook = nbformat.reads(files[f"{page.docname.replace('/', '__')}.ipynb"].decode(), 4)
        nbformat.validate(notebook)
        assert (
            f"https://raw.githubusercontent.com/team/book/notebooks/downloads/{page.docname}.zip"
            in notebook.cells[0].source
        )
        assert f"downloads/{page.docname}.zip" in files
        assert set(requirements_of(page)) <= set(files["requirements.txt"].decode().splitlines())
    assert {"causal_practice/__init__.py", "data/catalog.yml", "runtime.txt"} <= set(files)


def test_branch_command_does_nothing_without_an_address(tmp_path, monkeypatch, capsys):
    (tmp_path / "_config.yml").write_text("repository: {url: ''}\n", encoding="utf-8")
    monkeypatch.setattr(bundles, "ROOT", tmp_path)
    assert bundles.main(["branch", str(tmp_path / "out")]) == 0
    assert "비어 있어" in capsys.readouterr().out and not (tmp_path / "out").exists()


# --- make lab ---


def test_lab_replaces_its_own_copy_with_a_new_one(tmp_path):
    said = []
    lab.hand_over({"a.ipynb": b"1", "data/x.csv": b"x"}, tmp_path, said.append)
    assert lab.hand_over({"a.ipynb": b"2"}, tmp_path, said.append) == {"a.ipynb": tmp_path / "a.ipynb"}
    assert (
        (tmp_path / "a.ipynb").read_bytes() == b"2" and (tmp_path / "data" / "x.csv").read_bytes() == b"x" and not said
    )


def test_lab_never_overwrites_a_learners_work(tmp_path):
    said = []
    mine, beside, third = tmp_path / "a.ipynb", tmp_path / "a_새판.ipynb", tmp_path / "a_새판2.ipynb"
    lab.hand_over({"a.ipynb": b"1"}, tmp_path, said.append)
    mine.write_bytes(b"my answers")
    assert lab.hand_over({"a.ipynb": b"1"}, tmp_path, said.append) == {"a.ipynb": mine} and not said
    assert lab.hand_over({"a.ipynb": b"2"}, tmp_path, said.append) == {"a.ipynb": beside}
    assert mine.read_bytes() == b"my answers" and beside.read_bytes() == b"2"
    assert len(said) == 1 and "a.ipynb" in said[0] and "a_새판.ipynb" in said[0]
    lab.hand_over({"a.ipynb": b"2"}, tmp_path, said.append)
    assert len(said) == 1, "같은 판을 두 번 건네지 않습니다."
    beside.write_bytes(b"my answers in the new one")
    lab.hand_over({"a.ipynb": b"3"}, tmp_path, said.append)
    assert (
        mine.read_bytes() == b"my answers"
        and beside.read_bytes() == b"my answers in the new one"
        and third.read_bytes() == b"3"
    )
    lab.hand_over({"a.ipynb": b"4"}, tmp_path, said.append)
    assert third.read_bytes() == b"4" and mine.read_bytes() == b"my answers"


def test_lab_keeps_a_file_it_did_not_write(tmp_path):
    (tmp_path / "a.ipynb").write_bytes(b"from somewhere else")
    lab.hand_over({"a.ipynb": b"1"}, tmp_path, lambda _: None)
    assert (tmp_path / "a.ipynb").read_bytes() == b"from somewhere else" and (
        tmp_path / "a_새판.ipynb"
    ).read_bytes() == b"1"


def test_lab_folder_is_complete(tmp_path, executions):
    page = by_name("chapters/week00_orientation")
    paths = lab.write_lab([page], tmp_path, solutions=True)
    assert [path.name for path in paths] == [notebook_name(page), notebook_name(page, True)]
    for needed in (
        "data/catalog.yml",
        "data/orientation_coupon.csv",
        "causal_practice/__init__.py",
        "requirements.txt",
    ):
        assert (tmp_path / needed).is_file()
    assert json.loads((tmp_path / lab.LEDGER).read_text(encoding="utf-8"))[notebook_name(page)]


@pytest.mark.parametrize(
    ("week", "message"),
    [
        ("", "몇 주차인지"),
        ("  ", "몇 주차인지"),
        ("99", "99주차의 노트북이 없습니다"),
        ("다섯", "수로 적어"),
        ("-1", "수로 적어"),
        ("²", "수로 적어"),
    ],
)
def test_a_wrong_week_names_the_weeks_that_exist(week, message, capsys):
    assert lab.main([f"--week={week}", "--no-open"]) == 1
    said = capsys.readouterr().err
    weeks = sorted({p.meta["week"] for p in LESSONS if p.docname != "case_studies/template"})
    assert message in said and f"있는 주차: {', '.join(map(str, weeks))}" in said


def test_a_week_has_its_chapter_first_and_then_its_cases():
    names = [p.docname for p in lab.pages_of_week(" 5 ")]
    assert names[0] == "chapters/week05_propensity_score" and "case_studies/uber_late_delivery" in names[1:]
    assert "case_studies/template" not in names


def test_lab_opens_jupyterlab_in_the_weeks_folder(tmp_path, executions, monkeypatch):
    ran = []
    monkeypatch.setenv("BOOK_BUILD_DIR", str(tmp_path))
    monkeypatch.setattr(lab, "stored", lambda page: True)
    monkeypatch.setattr(lab, "execute", lambda page: executions[page.docname])
    monkeypatch.setattr(
        lab, "run", lambda command, **options: ran.append((command, options)) or subprocess.CompletedProcess(command, 0)
    )
    assert lab.main(["--week", "0"]) == 0
    command, options = ran[0]
    folder = (tmp_path / "lab" / "week00").resolve()
    assert f"--ServerApp.root_dir={folder}" in command and "PYTHONPATH" not in options["env"]
    opened = next(part for part in command if part.startswith("--LabApp.default_url=")).partition("/lab/tree/")[2]
    assert (folder / opened).is_file()
