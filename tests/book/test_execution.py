"""실행의 열쇠와 예산, 실을 수 없는 출력. 커널은 띄우지 않습니다(띄우는 시험은 test_build.py)."""

import json
import os
import subprocess
import sys
import time

import nbformat
import pytest
import yaml
from sphinx.errors import ExtensionError

from book import execution
from book.execution import (
    Execution,
    ExecutionFailed,
    check_outputs,
    environment_digest,
    execute,
    execute_all,
    execution_key,
    kernel_environment,
    prune,
    stored,
    to_notebook,
    used_datasets,
)
from book.extensions.stored_runs import put_outputs
from book.files import explain
from book.page import ROOT, PageError, published_pages, read_page

FRONT = """---
jupytext:
  text_representation: {extension: .md, format_name: myst}
kernelspec: {display_name: Python 3, language: python, name: python3}
META---
# 제목

글입니다.

```{code-cell} ipython3
CODE
```
"""


@pytest.fixture
def repo(tmp_path, monkeypatch):
    """임시 저장소: 데이터 둘, 잠금 파일, 패키지, 커널 울타리."""
    for module in ("book.page", "book.execution"):
        monkeypatch.setattr(f"{module}.ROOT", tmp_path)
    monkeypatch.setenv("BOOK_EXECUTION_DIR", str(tmp_path / "store"))
    for folder in ("data/generators", "causal_practice", "book/kernel"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("one", "two"):
        (tmp_path / "data" / f"{name}.csv").write_text("y\n1\n")
        (tmp_path / "data" / "generators" / f"{name}.py").write_text("DEFAULTS = {}\n")
    (tmp_path / "data" / "catalog.yml").write_text(yaml.safe_dump({"one": {"rows": 1}, "two": {"rows": 1}}))
    (tmp_path / "requirements.txt").write_text("# --- 책을 만드는 도구 ---\nsphinx\n\n# --- 분석 ---\nnumpy\n")
    (tmp_path / "requirements.lock").write_text(
        "numpy==1\n    # via -r requirements.txt\nsphinx==1\n    # via -r requirements.txt\n"
    )
    (tmp_path / "causal_practice" / "data.py").write_text("X = 1\n")
    (tmp_path / "book" / "kernel" / "sitecustomize.py").write_text("")
    return tmp_path


OURS = "from causal_practice import generator, load, truth, validate\n"


def write_page(repo, code=f'{OURS}load("one")', meta="", body=""):
    path = repo / "page.md"
    path.write_text(FRONT.replace("CODE", code).replace("META", meta) + body, encoding="utf-8")
    return read_page(path)


# --- 쓰는 데이터 ---


@pytest.mark.parametrize(
    ("code", "meta", "expected"),
    [
        (f'{OURS}load("one")', "", {"one"}),
        (f"{OURS}load('one', with_truth=True)\ntruth( 'two' )", "", {"one", "two"}),
        (f'{OURS}generator("two").generate()', "", {"two"}),
        ('from causal_practice.data import card\ncard(name="two")["columns"]', "", {"two"}),
        ('from causal_practice import load as read\nread("one")', "", {"one"}),
        ('import causal_practice as book\nbook.data.load("one")', "", {"one"}),
        ('from causal_practice import data\ndata.load("one")', "", {"one"}),
        (f'{OURS}validate("이름", dataset="two", draws=300)\nvalidate("다른", data=1)', "", {"two"}),
        (f'{OURS}name = "one"\nload(name)', "", {"one", "two"}),
        (f"{OURS}load(*names)", "", {"one", "two"}),
        ("1 + 1", "", set()),
        ("1 + 1", "datasets: [two]\n", {"two"}),
        (f'{OURS}download("one")', "", set()),
        ("from linearmodels.datasets import card\nmen = card.load()", "", set()),
        ('from joblib import load\nload("one")', "", set()),
    ],
)
def test_used_datasets(repo, code, meta, expected):
    assert used_datasets(write_page(repo, code, meta)) == expected


def test_a_data_name_in_prose_is_not_a_use(repo):
    assert used_datasets(write_page(repo, "1", body='\n글에 적은 load("two")입니다.\n')) == set()


def test_a_new_data_set_runs_no_page_that_does_not_use_it():
    """모든 데이터를 쓴다고 읽히는 쪽이 있으면, 데이터를 하나 더할 때마다 그 쪽이 다시 돕니다."""
    for page in published_pages():
        if page.is_notebook:
            assert used_datasets(page) == set(page.meta.get("datasets") or []), page.docname


# --- 열쇠 ---


def test_text_does_not_change_the_key(repo):
    key = execution_key(write_page(repo))
    assert execution_key(write_page(repo, body="\n고친 문장입니다.\n")) == key
    assert execution_key(write_page(repo, meta="title: 새 제목\nminutes: {read: 3}\n")) == key
    assert len(key) == 20


def test_code_and_its_order_change_the_key(repo):
    key = execution_key(write_page(repo))
    assert execution_key(write_page(repo, 'load("one")  # 주석')) != key
    second = "\n```{code-cell} ipython3\nx = 1\n```\n"
    third = second.replace("x = 1", "y = 1")
    one, other = (execution_key(write_page(repo, body=body)) for body in (second + third, third + second))
    assert len({key, one, other}) == 3


def test_moving_a_line_between_cells_changes_the_key(repo):
    cell = "\n```{code-cell} ipython3\nCELL\n```\n"
    one = execution_key(write_page(repo, "a\nb", body=cell.replace("CELL", "c")))
    other = execution_key(write_page(repo, "a", body=cell.replace("CELL", "b\nc")))
    assert one != other


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        ("data/one.csv", True),
        ("data/generators/one.py", True),
        ("data/two.csv", False),
        ("data/generators/two.py", False),
        ("requirements.lock", False),
        ("causal_practice/data.py", True),
        ("book/kernel/sitecustomize.py", True),
    ],
)
def test_which_files_change_the_key(repo, path, changes):
    key = execution_key(write_page(repo))
    with (repo / path).open("a") as file:
        file.write("# 바뀜\n")
    assert (execution_key(write_page(repo)) != key) is changes


@pytest.mark.parametrize(("package", "changes"), [("numpy", True), ("sphinx", False)])
def test_only_versions_that_pages_can_import_change_the_key(repo, package, changes):
    """사이트를 만드는 도구의 버전만 올라가면 쪽을 다시 실행하지 않습니다."""
    key = execution_key(write_page(repo))
    lock = repo / "requirements.lock"
    lock.write_text(lock.read_text().replace(f"{package}==1", f"{package}==2"))
    assert (execution_key(write_page(repo)) != key) is changes


@pytest.mark.parametrize(("name", "changes"), [("one", True), ("two", False)])
def test_a_card_changes_only_its_own_pages(repo, name, changes):
    key = execution_key(write_page(repo))
    path = repo / "data" / "catalog.yml"
    cards = yaml.safe_load(path.read_text())
    cards[name]["truth"] = {"ATE": 1.0}
    path.write_text(yaml.safe_dump(cards))
    later = time.time_ns() + 10**9  # 카드는 수정 시각이 달라져야 다시 읽습니다
    os.utime(path, ns=(later, later))
    assert (execution_key(write_page(repo)) != key) is changes


def test_a_new_or_renamed_module_changes_the_key(repo):
    key = environment_digest()
    (repo / "causal_practice" / "new.py").write_text("")
    added = environment_digest()
    (repo / "causal_practice" / "new.py").rename(repo / "causal_practice" / "other.py")
    assert len({key, added, environment_digest()}) == 3


def test_the_python_version_changes_the_key(repo, monkeypatch):
    key = environment_digest()
    monkeypatch.setattr(execution.sys, "version", "3.99")
    assert environment_digest() != key


def test_the_pipeline_changes_only_the_key_of_pages_that_call_it(repo):
    (repo / "causal_pipeline").mkdir()
    module = repo / "causal_pipeline" / "run.py"
    module.write_text("X = 1\n")
    call = "from causal_pipeline import analyze"
    plain, caller = execution_key(write_page(repo)), execution_key(write_page(repo, call))
    module.write_text("X = 2\n")
    (repo / "causal_pipeline" / "__main__.py").write_text("from causal_pipeline.command import main\n")
    assert execution_key(write_page(repo)) == plain
    assert execution_key(write_page(repo, call)) != caller
    names = {p.name for p in execution.package_files()}
    assert not {"run.py", "__main__.py"} & names and "run.py" in {
        p.name for p in execution.package_files(pipeline=True)
    }


def test_a_named_dependency_changes_the_key(repo):
    (repo / "extra.yml").write_text("a: 1")
    key = execution_key(write_page(repo, meta="depends: [extra.yml]\n"))
    (repo / "extra.yml").write_text("a: 2")
    assert execution_key(write_page(repo, meta="depends: [extra.yml]\n")) != key


# --- 보관 ---


def keep(page, key=None, seconds=1.0, memory=100.0):
    key = key or execution_key(page)
    return execution.keep_run(page.docname, key, nbformat.v4.new_notebook(), seconds, memory).path


def test_a_stored_run_is_used_only_whole_and_only_for_its_key(repo):
    page = write_page(repo)
    assert stored(page) is None
    path = keep(page)
    assert stored(page).cached and stored(page).seconds == 1.0
    assert stored(write_page(repo, "changed()")) is None
    path.with_suffix(".json").unlink()
    assert stored(write_page(repo)) is None, "기록이 없는 반쪽 결과를 썼습니다."


@pytest.mark.parametrize("suffix", [".ipynb", ".json"])
@pytest.mark.parametrize(
    "damage", [lambda b: b"", lambda b: b[: len(b) // 2], lambda b: b"\x00" * len(b), lambda b: b + b" ", None]
)
def test_a_damaged_run_is_executed_again_and_says_so(repo, child, capsys, suffix, damage):
    page = write_page(repo)
    path = execute(page).path.with_suffix(suffix)
    if damage:
        path.write_bytes(damage(path.read_bytes()))
    else:
        path.unlink()
    harmless = suffix == ".json" and damage and damage(b"{}") == b"{} "  # 기록 뒤의 빈칸은 뜻을 바꾸지 않습니다
    assert (stored(page) is None) is not harmless
    assert execute(page).cached is bool(harmless)
    said = capsys.readouterr().out
    assert ("page: 보관한 실행이 온전하지 않아 다시 실행합니다" in said) is (
        not harmless and (suffix, damage) != (".json", None)
    ), said
    assert execute(page).cached and execution.last_seconds("page") == 1.0


def test_an_edit_while_running_is_not_stored_under_the_old_key(repo, child, monkeypatch):
    page = write_page(repo)

    def edited(*arguments, **options):
        write_page(repo, "load('two')")
        return child.run(*arguments, **options)

    monkeypatch.setattr(execution, "run", edited)
    with pytest.raises(ExecutionFailed, match="실행하는 동안 원고나 데이터가 바뀌었습니다"):
        execute(page)
    assert stored(page) is None


def test_prints_in_a_row_are_stored_as_one(repo, child):
    """나뉘는 곳은 커널이 내보내는 때에 따라 달라집니다. 그림을 사이에 둔 것은 그대로입니다."""
    figure = nbformat.v4.new_output("display_data", data={"text/plain": "<Figure>"})
    child.cells = [
        nbformat.v4.new_code_cell("1", outputs=[stream("가\n"), stream("나\n"), figure, stream("다"), stream("\n")])
    ]
    stored_outputs = execute(write_page(repo)).notebook().cells[0].outputs
    assert [output.get("text") for output in stored_outputs] == ["가\n나\n", None, "다\n"]


def test_a_full_disk_in_the_kernel_is_not_blamed_on_the_page(repo, child):
    child.result = {"error": "page.md:9: OSError: [Errno 28] No space left on device", "seconds": 1.0, "memory_mb": 1.0}
    with pytest.raises(OSError, match="No space left") as error:
        execute(write_page(repo))
    assert "디스크가 가득 찼습니다" in explain(error.value)


def test_a_font_lock_left_by_a_killed_kernel_is_removed(repo, child):
    folder = execution.execution_dir() / "matplotlib"
    folder.mkdir(parents=True)
    old, new = folder / "fontlist.json.matplotlib-lock", folder / "other.json.matplotlib-lock"
    old.touch(), new.touch()
    os.utime(old, (1_000_000_000, 1_000_000_000))
    execute(write_page(repo))
    assert not old.exists() and new.exists(), "지금 쓰는 잠금은 두어야 합니다."


def test_pruning_keeps_the_current_run(repo):
    page = write_page(repo)
    paths = [keep(page, f"{i:020d}") for i in range(6)]
    for age, path in enumerate(paths):
        os.utime(path, (1000 + age, 1000 + age))
    current = Execution(page.docname, f"{0:020d}", paths[0], 1.0, 1.0, cached=True)
    prune({page.docname: current}, keep=2)
    left = sorted(path.stem.split(".")[-1][-1] for path in execution.execution_dir().glob("*.ipynb"))
    assert left == ["0", "4", "5"]
    assert len(list(execution.execution_dir().glob("*.json"))) == 3


# --- 실행과 예산(자식 프로세스를 흉내 냅니다) ---


@pytest.fixture
def child(monkeypatch):
    """쪽을 실행하는 자식 프로세스를 흉내 냅니다. ``child.result``를 바꿔 씁니다."""

    class Child:
        result = {"error": None, "seconds": 1.0, "memory_mb": 100.0}
        cells = [nbformat.v4.new_code_cell("1")]
        stderr = ""
        swallowed = ""

        def run(self, command, env=None, **_):
            target = execution.Path(command[-2])
            if self.swallowed:
                execution.Path(env["NETWORK_ATTEMPTS"]).write_text(self.swallowed)
            if self.result:
                nbformat.write(nbformat.v4.new_notebook(cells=self.cells), target)
                target.with_suffix(".json").write_text(json.dumps(self.result))
            return subprocess.CompletedProcess(command, 0, "", self.stderr)

    child = Child()
    monkeypatch.setattr(execution, "run", child.run)
    return child


def test_a_run_is_stored_and_then_reused(repo, child):
    page = write_page(repo)
    assert not execute(page).cached
    assert execute(page).cached
    assert not execute(page, force=True).cached
    assert stored(page).notebook().metadata["execution"]["key"] == execution_key(page)


@pytest.mark.parametrize(
    ("seconds", "memory", "message"),
    [(181.0, 100.0, "시간 181초"), (1.0, 6200.0, "메모리 6200MB"), (179.0, 6100.0, None), (61.0, 2100.0, None)],
)
def test_only_three_times_the_budget_fails(repo, child, seconds, memory, message):
    child.result = {"error": None, "seconds": seconds, "memory_mb": memory}
    page = write_page(repo)
    if message is None:
        assert execute(page).seconds == seconds
    else:
        with pytest.raises(ExecutionFailed, match=message):
            execute(page)
        assert stored(page) is None, "실패한 실행이 보관되었습니다."


def test_a_failed_cell_is_not_stored(repo, child):
    child.result = {"error": "page.md:9: 1번째 코드 셀: 나쁨", "seconds": 1.0, "memory_mb": 1.0}
    page = write_page(repo)
    for _ in range(2):
        with pytest.raises(ExecutionFailed, match="1번째 코드 셀"):
            execute(page)


def test_a_swallowed_network_attempt_fails(repo, child):
    child.swallowed = "example.com\nexample.com\n"
    with pytest.raises(ExecutionFailed, match=r"네트워크\(example.com\)"):
        execute(write_page(repo))


def test_a_kernel_that_never_starts_is_explained(repo, child):
    child.result, child.stderr = None, "no kernel"
    with pytest.raises(ExecutionFailed, match="커널이 시작되지 못했습니다"):
        execute(write_page(repo))


def test_every_failure_is_reported_not_only_the_first(repo, monkeypatch):
    pages = []
    for name in ("a", "b", "c"):
        (repo / f"{name}.md").write_text(FRONT.replace("CODE", "1").replace("META", ""), encoding="utf-8")
        pages.append(read_page(repo / f"{name}.md"))

    def fake(page, force=False):
        if page.docname != "b":
            raise ExecutionFailed(f"{page.docname} 실패")
        return Execution(page.docname, "k", page.path, 1.0, 1.0, cached=False)

    monkeypatch.setattr(execution, "execute", fake)
    said = []
    with pytest.raises(ExecutionFailed, match="a 실패\n\nc 실패"):
        execute_all(pages, report=said.append)
    assert len(said) == 3


# --- 실을 수 없는 출력 ---


def outputs(*items, line=12):
    cell = nbformat.v4.new_code_cell("x", outputs=list(items), metadata={"_line": line})
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("글"), cell])


def stream(text, name="stdout"):
    return nbformat.v4.new_output("stream", name=name, text=text)


def test_plain_output_passes(repo):
    check_outputs(
        write_page(repo),
        outputs(stream("평균 2.00"), nbformat.v4.new_output("display_data", data={"text/plain": "<Figure>"})),
    )


@pytest.mark.parametrize(
    ("output", "what", "remedy"),
    [
        (stream("UserWarning: 조심\n", "stderr"), "경고가 찍혔습니다: UserWarning: 조심", "경고의 원인을"),
        (
            stream("UserWarning: Glyph 8722 (\\N{MINUS SIGN}) missing from font(s) X.\n", "stderr"),
            "그림 글꼴에 없는 글자",
            "set_style",
        ),
        (
            stream("\x1b[31mDeprecationWarning: 옛것\x1b[0m", "stderr"),
            "경고가 찍혔습니다: DeprecationWarning: 옛것",
            "까닭을 적고",
        ),
    ],
)
def test_warnings_and_glyphs_fail_with_place_and_remedy(repo, output, what, remedy):
    with pytest.raises(ExecutionFailed) as error:
        check_outputs(write_page(repo), outputs(stream("앞"), output))
    message = str(error.value)
    assert message.startswith("page.md:12: 1번째 코드 셀") and what in message and "→ " in message and remedy in message


def test_a_local_path_fails(repo):
    with pytest.raises(ExecutionFailed, match="절대 경로"):
        check_outputs(write_page(repo), outputs(stream(f"{repo}/data/one.csv")))
    with pytest.raises(ExecutionFailed, match="절대 경로"):
        check_outputs(
            write_page(repo), outputs(nbformat.v4.new_output("execute_result", data={"text/plain": f"'{repo}/x'"}))
        )


# --- 원고와 커널 ---


def test_cells_keep_their_line_numbers(repo):
    notebook = to_notebook(write_page(repo, 'load("one")'))
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.source for cell in code] == ['load("one")']
    assert len(notebook.metadata["source_map"]) == len(notebook.cells)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"---\ntitle: [\n---\n", r"page.md:\d+: 머리말을 YAML로"),
        ("---\n- 목록\n---\n".encode(), "page.md:2: 머리말은"),
        ("---\ntitle: 제목\n---\n".encode("cp949"), "UTF-8로 저장되지 않았습니다"),
    ],
)
def test_an_unreadable_page_is_explained(repo, content, message):
    (repo / "page.md").write_bytes(content)
    with pytest.raises(PageError, match=message):
        read_page(repo / "page.md")


def test_a_missing_page_is_explained(repo):
    with pytest.raises(PageError, match="page.md: 파일이 없습니다"):
        read_page("page.md")


def test_the_kernel_runs_single_threaded_and_behind_the_fence(monkeypatch):
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")
    env = kernel_environment()
    assert env["OMP_NUM_THREADS"] == env["OPENBLAS_NUM_THREADS"] == "1" and env["PYTHONHASHSEED"] == "0"
    assert env["PYTHONPATH"].split(os.pathsep)[0].endswith("kernel") and "PYTHONWARNINGS" not in env


@pytest.mark.parametrize(
    ("code", "stopped"),
    [
        ("import socket; socket.getaddrinfo('example.com', 80)", True),
        ("import socket; socket.create_connection(('192.0.2.1', 80), 1)", True),
        ("import socket; socket.getaddrinfo('localhost', 80)", False),
        (
            "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); socket.create_connection(s.getsockname(), 2)",
            False,
        ),
    ],
)
def test_the_fence_stops_only_the_outside(tmp_path, code, stopped):
    log = tmp_path / "attempts"
    env = kernel_environment() | {"NETWORK_ATTEMPTS": str(log)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode != 0) is stopped, done.stderr
    assert ("네트워크" in done.stderr) is stopped
    assert log.exists() is stopped


# --- 사이트가 읽는 보관함 ---


def ran(page, *outputs):
    """쪽을 실행한 것처럼 만든 노트북."""
    notebook = to_notebook(page)
    for number, cell in enumerate((c for c in notebook.cells if c.cell_type == "code"), 1):
        cell.execution_count, cell.outputs = number, list(outputs)
    notebook.metadata |= {"language_info": {"name": "python"}, "execution": {"key": "k"}}
    return notebook


def test_outputs_come_from_the_run_and_the_rest_from_the_page(repo):
    page = write_page(repo, ":tags: [hide-input]\nprint(1)", meta="title: 새 제목\n", body="\n고친 글입니다.\n")
    notebook = to_notebook(page)
    put_outputs(notebook, ran(write_page(repo, "print(1)"), stream("1\n")), "page")
    code = next(c for c in notebook.cells if c.cell_type == "code")
    assert code.outputs[0].text == "1\n" and code.execution_count == 1 and code.metadata["tags"] == ["hide-input"]
    assert notebook.metadata["title"] == "새 제목" and notebook.metadata["language_info"]["name"] == "python"
    assert "execution" not in notebook.metadata and "고친 글입니다." in notebook.cells[-1].source


@pytest.mark.parametrize("code", ["print(2)", "print(1)\n```\n\n```{code-cell} ipython3\nprint(2)"])
def test_outputs_of_other_code_are_refused(repo, code):
    with pytest.raises(ExtensionError, match="page.md: 원고의 코드와 보관한 실행의 코드가 다릅니다"):
        put_outputs(to_notebook(write_page(repo, code)), ran(write_page(repo, "print(1)"), stream("1\n")), "page")
