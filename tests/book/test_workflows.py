"""워크플로: 검사기(actionlint, zizmor)가 흠을 찾지 못하고, 권한과 핀의 약속을 지킵니다."""

import http.server
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import threading
import warnings
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
import yaml

from book import bundle
from book.commands import (
    action_pins,
    before_after,
    changed_pages,
    environment,
    external_links,
    pins,
    publish_notebooks,
    same_numbers,
    setup_guide,
    weekly_report,
)
from book.commands.changed_pages import Changes
from book.page import ROOT, read_page

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
USES = re.compile(r"^\s*(?:- )?uses:\s*(\S+)(?:\s+#\s*(\S+))?\s*$", re.MULTILINE)
ALLOWED_COMMANDS = re.compile(
    r"\.ci/run|make [a-z-]+( [A-Z]+=\S+)?"
    r"|(?:\.venv/bin/)?python3? -m (?:book\.(?:commands\.\w+|bundle)|pip install --quiet uv)"
    r"(?: (?:[\w./-]+|HEAD\^1|\"\$PIN\"))*(?: >> \"\$GITHUB_(?:STEP_SUMMARY|OUTPUT)\")?"
)
IN_CI = os.environ.get("CI", "").lower() == "true"


def workflow(name: str) -> dict:
    return yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text(encoding="utf-8"))


def tool(name: str) -> str:
    """검사기의 위치. 없으면 크게 알리고 건너뛰며, CI에서는 실패합니다."""
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    found = shutil.which(name, path=places)
    if found is None:
        if IN_CI:
            pytest.fail(f"{name}이(가) 없어 워크플로를 검사할 수 없습니다.", pytrace=False)
        warnings.warn(f"{name}이(가) 없어 워크플로 검사를 건너뜁니다.", stacklevel=1)
        pytest.skip(f"{name}이(가) 없습니다.")
    return found


def actionlint(*paths: Path) -> subprocess.CompletedProcess:
    # 셸과 파이썬 조각 검사기는 기계마다 있고 없어 끕니다. 셸 조각은 한 줄 명령뿐입니다.
    return subprocess.run(
        [tool("actionlint"), "-no-color", "-shellcheck=", "-pyflakes=", *map(str, paths)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def zizmor(*paths: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [tool("zizmor"), "--offline", "--persona=pedantic", "--no-progress", "--color=never", *map(str, paths)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_three_workflows_exist():
    assert [path.stem for path in WORKFLOWS] == ["publish", "pull-request", "weekly"]


def test_actionlint_finds_nothing():
    done = actionlint(*WORKFLOWS)
    assert done.returncode == 0, done.stdout + done.stderr


def test_zizmor_finds_nothing():
    done = zizmor(*WORKFLOWS)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_checkers_do_find_faults(tmp_path):
    """거짓 초록불이 아님을 봅니다: 없는 값과 핀 없는 액션, 글자를 셸에 그대로 넣는 일을 잡아야 합니다."""
    bad = tmp_path / ".github" / "workflows" / "bad.yml"
    bad.parent.mkdir(parents=True)
    bad.write_text(
        "on: pull_request_target\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n"
        "      - uses: actions/checkout@v4\n      - run: echo ${{ github.event.pull_request.title }} ${{ steps.none.outputs.x }}\n",
        encoding="utf-8",
    )
    assert "steps" in actionlint(bad).stdout
    report = zizmor(bad)
    assert report.returncode != 0
    for finding in ("unpinned-uses", "template-injection", "dangerous-triggers"):
        assert finding in report.stdout, report.stdout


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda p: p.stem)
def test_actions_are_pinned_by_commit_and_say_the_version(path):
    uses = USES.findall(path.read_text(encoding="utf-8"))
    assert uses
    for action, version in uses:
        assert re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", action), f"{action}: 커밋(40자)으로 고정하세요."
        assert re.fullmatch(r"v\d+\.\d+\.\d+", version), f"{action}: '# v1.2.3'처럼 판을 적으세요."


def test_one_action_has_one_pin():
    pins: dict[str, set] = {}
    for path in WORKFLOWS:
        for action, version in USES.findall(path.read_text(encoding="utf-8")):
            name, commit = action.split("@")
            pins.setdefault(name, set()).add((commit, version))
    assert all(len(found) == 1 for found in pins.values()), pins


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda p: p.stem)
def test_no_permission_by_default_and_no_secret_anywhere(path):
    text = path.read_text(encoding="utf-8")
    flow = yaml.safe_load(text)
    assert flow["permissions"] == {}, "권한은 작업마다 꼭 필요한 것만 줍니다."
    assert "secrets." not in text and "secrets:" not in text
    assert "pull_request_target" not in text and "workflow_run" not in text
    for name, job in flow["jobs"].items():
        assert "permissions" in job, f"{name}: 권한을 적으세요."
        assert job["timeout-minutes"] <= 90


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda p: p.stem)
def test_workflows_hold_no_logic_of_their_own(path):
    for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values():
        for step in job["steps"]:
            if "run" in step:
                assert ALLOWED_COMMANDS.fullmatch(step["run"].strip()), (
                    f"{step['run']}: make나 book/commands로 옮기세요."
                )
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


def test_the_pull_request_can_only_read():
    flow = workflow("pull-request.yml")
    for job in flow["jobs"].values():
        assert job["permissions"] == {"contents": "read"}
    assert "github.token" not in (ROOT / ".github" / "workflows" / "pull-request.yml").read_text(encoding="utf-8")
    assert flow[True] == {"pull_request": None}, "포크에서 보낸 것도 같은 작업을 거칩니다."


def test_the_preview_is_found_from_the_pull_request():
    """앞뒤 그림을 사이트에 더하고, 사이트를 올리고, 올린 주소를 요약에 겁니다. 시험이 실패해도 사이트가 있으면 합니다."""
    steps = {step["name"]: step for step in workflow("pull-request.yml")["jobs"]["test"]["steps"]}
    names = list(steps)
    assert names.index("앞뒤로 견주기") < names.index("미리보기 올리기") < names.index("바뀐 쪽 알리기")
    upload, tell = steps["미리보기 올리기"], steps["바뀐 쪽 알리기"]
    assert upload["with"]["path"] == "_build/html"
    assert tell["env"]["PREVIEW_URL"] == "${{ steps." + upload["id"] + ".outputs.artifact-url }}"
    assert "GITHUB_STEP_SUMMARY" in tell["run"]
    assert all("!cancelled()" in steps[name]["if"] for name in ("앞뒤로 견주기", "미리보기 올리기", "바뀐 쪽 알리기"))


def test_publishing_happens_from_main_only_and_after_the_tests():
    flow = workflow("publish.yml")
    trigger = flow[True]  # YAML 1.1은 on을 참으로 읽습니다
    assert trigger == {"push": {"branches": ["main"]}, "workflow_dispatch": None}
    build, publish = flow["jobs"]["build"], flow["jobs"]["publish"]
    assert publish["needs"] == "build" and publish["if"] == "github.ref == 'refs/heads/main'"
    assert build["permissions"] == {"contents": "read"}
    names = [step["name"] for step in build["steps"]]
    assert names.index("만들고 시험하기") < names.index("사이트 넘기기")
    runs = [step.get("run") for step in build["steps"]]
    between = runs[names.index("만들고 시험하기") + 1 : names.index("사이트 넘기기")]
    assert between == ["make pdf", "make epub"], "책 한 권의 파일은 시험을 지난 뒤, 사이트를 넘기기 전에 만듭니다."
    assert set(publish["permissions"]) == {"pages", "id-token"}
    notebooks = flow["jobs"]["notebooks"]
    assert (
        notebooks["needs"] == "build"
        and notebooks["if"].startswith(publish["if"])
        and notebooks["permissions"] == {"contents": "write"}
    )


def test_only_the_job_that_can_write_nothing_runs_the_book():
    """책은 한 번만 만들고, 쓰기 권한이 있는 작업은 쪽의 코드도 패키지도 없이 만든 것을 올리기만 합니다."""
    jobs = workflow("publish.yml")["jobs"]
    runs = {name: [step["run"] for step in job["steps"] if "run" in step] for name, job in jobs.items()}
    assert [name for name, lines in runs.items() if any(".ci/run" in line or "make " in line for line in lines)] == [
        "build"
    ]
    assert runs["publish"] == [] and runs["notebooks"] == [
        "python3 -m book.commands.publish_notebooks _build/notebooks"
    ]
    written = next(step for step in jobs["build"]["steps"] if step.get("id") == "keep")
    read = next(
        step for step in jobs["notebooks"]["steps"] if step.get("uses", "").startswith("actions/download-artifact@")
    )
    assert written["with"]["name"] == read["with"]["name"] and written["with"]["path"] == read["with"]["path"]
    assert jobs["build"]["outputs"]["notebooks"].startswith("${{ steps.keep.outputs.artifact-id }}")
    assert "needs.build.outputs.notebooks != ''" in jobs["notebooks"]["if"]


@pytest.mark.parametrize(
    "name",
    ["publish_notebooks", "external_links", "weekly_report", "action_pins", "pins", "same_numbers", "setup_guide"],
)
def test_commands_of_bare_machines_need_nothing_installed(name):
    """패키지를 깔지 않은 작업이 부르는 명령은 표준 라이브러리만으로 읽힙니다."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import book.commands.{name}"],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_site_is_built_with_the_address_it_is_published_at():
    """주소는 책의 코드를 실행하지 않는 작업이 알아내 넘기고, Pages를 켜기 전이어도 책은 만들어집니다."""
    jobs = workflow("publish.yml")["jobs"]
    address, build = jobs["address"], jobs["build"]
    assert address["permissions"] == {"pages": "read"} and [set(step) & {"run"} for step in address["steps"]] == [set()]
    assert address["steps"][0]["continue-on-error"] is True
    assert address["outputs"]["site"] == "${{ steps.pages.outputs.base_url }}" and build["needs"] == "address"
    told = {
        step["run"]
        for step in build["steps"]
        if step.get("env", {}).get("SITE_ADDRESS") == "${{ needs.address.outputs.site }}"
    }
    assert told == {".ci/run", "make pdf", "make epub", ".venv/bin/python -m book.bundle branch _build/notebooks"}


def fake_tools(folder, names):
    """이름만 남기는 가짜 명령들."""
    for name in names:
        (folder / name).write_text(f'#!/bin/bash\necho "{name} $*" >> "{folder}/log"\n', encoding="utf-8")
        (folder / name).chmod(0o755)


def test_ci_runs_the_readmes_test_command_and_nothing_beside_it(tmp_path):
    """자바가 있는 기계라도 지문 없는 Spark 환경을 깔지 않습니다. 그 시험은 주간 점검이 합니다. .ci/run을 가짜 명령들 위에서 그대로 돌립니다."""
    fake_tools(tmp_path, ["make", "java", "chromium"])
    (tmp_path / "fc-list").write_text("#!/bin/bash\necho 나눔고딕\n", encoding="utf-8")
    (tmp_path / "fc-list").chmod(0o755)
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run(["bash", str(ROOT / ".ci" / "run")], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [line for line in (tmp_path / "log").read_text().splitlines() if line.startswith("make")] == ["make test"]
    assert [step["run"] for step in workflow("weekly.yml")["jobs"]["scale"]["steps"] if "run" in step] == [
        "make test-scale"
    ]


def test_the_notebook_branch_is_one_commit_of_what_was_written(tmp_path):
    remote, folder = tmp_path / "remote.git", tmp_path / "out"
    subprocess.run(["git", "init", "--quiet", "--bare", str(remote)], check=True)
    for text in ("하나", "둘"):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / "a.ipynb").write_text(text, encoding="utf-8")
        publish_notebooks.push(folder, str(remote))
    show = ["git", "--git-dir", str(remote)]
    assert (
        subprocess.run([*show, "show", "notebooks:a.ipynb"], capture_output=True, text=True, check=True).stdout == "둘"
    )
    assert (
        subprocess.run(
            [*show, "rev-list", "--count", "notebooks"], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "1"
    )


def test_pushing_needs_notebooks_and_a_token(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(publish_notebooks, "push", lambda *_: pytest.fail("올리려 했습니다"))
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    assert publish_notebooks.main([]) == 2 and publish_notebooks.main([str(tmp_path)]) == 2
    (tmp_path / "a.ipynb").write_text("{}")
    assert publish_notebooks.main([str(tmp_path)]) == 1
    assert "book.bundle branch" in capsys.readouterr().err
    assert publish_notebooks.BRANCH == bundle.NOTEBOOK_BRANCH


def test_without_an_address_nothing_is_written(tmp_path, capsys):
    """저장소 주소가 비어 있으면 폴더가 생기지 않고, 그래서 올리는 작업도 돌지 않습니다(if-no-files-found: ignore)."""
    assert yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"] == ""
    assert bundle.main(["branch", str(tmp_path / "out")]) == 0
    assert "비어 있어" in capsys.readouterr().out and not (tmp_path / "out").exists()


def test_the_weekly_run_uses_fresh_packages_and_reports():
    flow = workflow("weekly.yml")
    runs = [step.get("run") for step in flow["jobs"]["newest"]["steps"]]
    assert (
        runs.index("make lock UPGRADE=1")
        < runs.index('python3 -m book.commands.pins upgraded >> "$GITHUB_STEP_SUMMARY"')
        < runs.index(".ci/run")
    )
    assert "cache" not in (ROOT / ".github" / "workflows" / "weekly.yml").read_text(encoding="utf-8")


def test_the_report_hears_every_weekly_job():
    """핀을 풀어 보는 작업만 빼고, 모든 작업의 결과가 알림에 들어갑니다."""
    jobs = workflow("weekly.yml")["jobs"]
    report = jobs.pop("report")
    assert jobs.pop("pin")["continue-on-error"] is True and jobs.pop("pins")
    assert report["needs"] == list(jobs)
    env = report["steps"][-1]["env"]
    assert {name: env[name] for name in weekly_report.JOBS} == {
        name.upper(): f"${{{{ needs.{name}.result }}}}" for name in jobs
    }


def test_the_weekly_run_tries_what_the_readme_promises():
    pythons = workflow("weekly.yml")["jobs"]["pythons"]
    tried = pythons["strategy"]["matrix"]["python"]
    assert tried == ["3.11", "3.12", "3.13"]
    assert f"파이썬 {tried[0]}~{tried[-1]}" in (ROOT / "README.md").read_text(encoding="utf-8")
    compared = [
        step["run"]
        for step in workflow("weekly.yml")["jobs"]["numbers"]["steps"]
        if "same_numbers" in step.get("run", "")
    ]
    assert [re.search(r"executed-3\.11 _build/executed/executed-(\S+)", line)[1] for line in compared] == tried[1:]


def test_what_may_differ_between_pythons_is_told_to_the_reader():
    text = (ROOT / ".github" / "workflows" / "weekly.yml").read_text(encoding="utf-8")
    pages = re.search(r"--may-differ (.+)$", text, re.MULTILINE)[1].split()
    for name in pages:
        assert (ROOT / f"{name}.md").is_file() and f"({name}.md)" in (ROOT / "README.md").read_text(encoding="utf-8"), (
            name
        )


def test_each_pin_is_tried_alone():
    jobs = workflow("weekly.yml")["jobs"]
    assert (
        jobs["pin"]["strategy"]["matrix"]["pin"] == "${{ fromJSON(needs.pins.outputs.pins) }}"
        and jobs["pin"]["strategy"]["fail-fast"] is False
    )
    steps = {step.get("id") or step["name"]: step for step in jobs["pin"]["steps"]}
    assert steps["loosen"]["env"] == {"PIN": "${{ matrix.pin }}"}
    assert steps["만들고 시험하기"]["if"] == "steps.loosen.outputs.newer == 'true'"


# --- 바뀐 쪽 목록 ---


@pytest.fixture
def sample(monkeypatch, tmp_path):
    monkeypatch.setattr("book.page.ROOT", tmp_path)
    monkeypatch.setattr("book.execution.ROOT", tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "catalog.yml").write_text("one: {rows: 1}\ntwo: {rows: 2}\n")
    front = (
        "---\njupytext: {text_representation: {extension: .md, format_name: myst}}\nkernelspec: {name: python3}\n---\n"
    )
    page = tmp_path / "a.md"
    page.write_text(
        front + '# 제목 | <b>굵게</b>\n\n```{code-cell} ipython3\nfrom causal_practice import load\nload("one")\n```\n',
        encoding="utf-8",
    )
    return read_page(page)


@pytest.mark.parametrize(
    ("files", "cards", "expected"),
    [
        (["a.md"], set(), "원고"),
        (["data/one.csv"], set(), "데이터 one"),
        (["data/generators/one.py"], set(), "데이터 one"),
        (["data/two.csv"], set(), ""),
        (["data/catalog.yml"], {"one"}, "데이터 one"),
        (["data/catalog.yml"], {"two"}, ""),
        (["_toc.yml", "_config.yml", "book/extensions/x.py"], set(), ""),
        (["causal_pipeline/run.py"], set(), ""),
        (["README.md", "tests/test_a.py"], set(), ""),
    ],
)
def test_why_a_page_changed(sample, files, cards, expected):
    assert changed_pages.why_changed(sample, Changes(files, cards)) == expected


def other(sample, name, title, body=""):
    path = sample.path.with_name(f"{name}.md")
    path.write_text(sample.text.replace("# 제목 | <b>굵게</b>", f"# {title}") + body, encoding="utf-8")
    return read_page(path)


def test_a_page_that_calls_the_pipeline_or_names_a_file_changes_with_it(sample):
    caller = other(sample, "b", "둘", "\n```{code-cell} ipython3\nimport causal_pipeline\n```\n")
    assert changed_pages.why_changed(caller, Changes(["causal_pipeline/run.py"])) == "causal_pipeline"
    named = replace(sample, meta=sample.meta | {"depends": ["data/answers.json"]})
    assert changed_pages.why_changed(named, Changes(["data/answers.json"])) == "딸린 파일 data/answers.json"


def test_the_new_case_comes_first_and_a_moved_contents_lists_nobody(sample):
    """새 사례를 실으면 차례가 바뀌지만, 목록에는 새 사례와 고친 쪽만 있습니다."""
    pages = [sample, other(sample, "b", "그대로"), other(sample, "c", "새 사례")]
    files = ["_toc.yml", "a.md", "c.md", "assets/static/icon.svg", "_config.yml"]
    text = changed_pages.summary(pages, Changes(files, new=["c"], gone=["old"]), "http://127.0.0.1/artifact")
    rows = [line for line in text.splitlines() if line.startswith("|")][2:]
    assert rows == ["| 새 사례 | `c.html` | **새 쪽** |", "| 제목  b굵게b | `a.html` | 원고 |"]
    assert "[preview 압축](http://127.0.0.1/artifact)" in text and "`old`" in text
    assert "`assets/static/icon.svg` 밖에 1개" in text


def test_the_summary_cannot_be_broken_by_a_title(sample):
    text = changed_pages.summary([sample], Changes(["a.md"]))
    assert "| 제목  b굵게b | `a.html` | 원고 |" in text
    assert "바뀐 쪽은 없습니다" in changed_pages.summary([sample], Changes(["README.md"]))


def test_changed_listing():
    before = "root: index\nparts: [{caption: 장, chapters: [{file: a, sections: [{file: b}]}]}]\n"
    after = "root: index\nparts: [{caption: 장, chapters: [{file: c}, {file: a}]}]\n"
    assert changed_pages.changed_listing(before, after) == (["c"], ["b"])
    assert changed_pages.changed_listing("", after)[0] == ["index", "c", "a"]


def test_changed_cards():
    assert changed_pages.changed_cards("a: 1\nb: 2\nc: 3\n", "a: 1\nb: 4\nd: 5\n") == {"b", "c", "d"}
    assert changed_pages.changed_cards("", "a: 1\n") == {"a"}


def test_changed_pages_explains_a_wrong_commit(capsys):
    assert changed_pages.main([]) == 2
    assert changed_pages.main(["no-such-commit"]) == 1
    assert "no-such-commit" in capsys.readouterr().err


def test_changed_since_reads_both_contents(tmp_path, monkeypatch):
    monkeypatch.setattr("book.commands.changed_pages.ROOT", tmp_path)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com"]

    def commit(toc, cards):
        (tmp_path / "_toc.yml").write_text(toc)
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / "catalog.yml").write_text(cards)
        for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
            subprocess.run([*git, *command], cwd=tmp_path, check=True)

    commit("root: a\n", "one: 1\n")
    commit("root: a\nchapters: [{file: b}]\n", "one: 2\n")
    found = changed_pages.changed_since("HEAD^1")
    assert found == Changes(["_toc.yml", "data/catalog.yml"], {"one"}, ["b"], [])


# --- 앞뒤로 견주기 ---


def notebook(*outputs):
    cells = [nbformat.v4.new_code_cell(outputs=[nbformat.from_dict(o)]) for o in outputs]
    return nbformat.v4.new_notebook(cells=cells)


def said(text):
    return {"output_type": "stream", "name": "stdout", "text": text}


def drawn(png):
    return {"output_type": "display_data", "data": {"image/png": png}, "metadata": {}}


def test_only_what_changed_stands_side_by_side(sample):
    before = notebook(drawn("AAAA"), said("효과 1.0\n같은 줄\n"), drawn("BBBB"))
    after = notebook(drawn("AAAA"), said("효과 <2.0>\n같은 줄\n"), drawn("CCCC"), drawn("DDDD"))
    text = before_after.compare(sample, before, after)
    assert "AAAA" not in text and text.index("base64,BBBB") < text.index("base64,CCCC") < text.index("base64,DDDD")
    assert "앞에는 없습니다." in text
    assert "-효과 1.0" in text and "+효과 &lt;2.0&gt;" in text and "<b>" not in text
    same = before_after.compare(sample, before, before)
    assert "그림은 그대로입니다." in same and "찍은 글은 그대로입니다." in same
    assert "실행하지 못해" in before_after.compare(sample, None, after)


def test_before_is_executed_in_a_tree_of_its_own(tmp_path, monkeypatch):
    """앞의 커밋에서 꺼낸 코드로 실행하고, 꺼낸 폴더는 남기지 않습니다. 그때 없던 쪽은 빠집니다."""
    monkeypatch.setattr("book.commands.before_after.ROOT", tmp_path)
    fake = tmp_path / "book" / "commands" / "build.py"
    fake.parent.mkdir(parents=True)
    fake.write_text(
        "import os, pathlib, sys\n"
        "store = pathlib.Path(os.environ['BOOK_EXECUTION_DIR']); store.mkdir(exist_ok=True)\n"
        "name = sys.argv[2].removesuffix('.md').replace('/', '__')\n"
        "(store / f'{name}.k.ipynb').write_text(pathlib.Path('out.json').read_text())\n"
    )
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com"]
    (tmp_path / "a.md").write_text("글")
    for text in ("앞", "뒤"):
        (tmp_path / "out.json").write_text(nbformat.writes(notebook(said(f"{text}\n"))))
        for command in (["init", "-q"], ["add", "."], ["commit", "-qm", text]):
            subprocess.run([*git, *command], cwd=tmp_path, check=True)
    found = before_after.executed_before("HEAD^1", ["a", "b"])
    assert list(found) == ["a"] and before_after.printed(found["a"]) == ["앞"]
    listed = subprocess.run(
        ["git", "worktree", "list"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert len(listed.splitlines()) == 1


# --- 액션의 핀 ---


@pytest.fixture
def action(tmp_path):
    """판 둘을 가진 액션의 저장소: 그냥 이름표 v1.0.0과 주석이 달린 이름표 v2.0.0."""
    remote = tmp_path / "owner" / "act"
    remote.mkdir(parents=True)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com"]
    commands = [
        ["init", "-q"],
        ["commit", "-q", "--allow-empty", "-m", "1"],
        ["tag", "v1.0.0"],
        ["commit", "-q", "--allow-empty", "-m", "2"],
        ["tag", "-a", "v2.0.0", "-m", "둘"],
    ]
    for command in commands:
        subprocess.run([*git, *command], cwd=remote, check=True)

    def commit(name):
        return subprocess.run(
            ["git", "rev-parse", f"{name}^{{commit}}"], cwd=remote, capture_output=True, text=True, check=True
        ).stdout.strip()

    return remote, commit


def test_a_pin_is_compared_with_its_tag(action):
    remote, commit = action
    for version in ("v1.0.0", "v2.0.0"):
        assert action_pins.problem("owner/act", commit(version), version, str(remote)) == ""
    assert "고정했습니다" in action_pins.problem("owner/act", commit("v1.0.0"), "v2.0.0", str(remote))
    assert "판이 없습니다" in action_pins.problem("owner/act", commit("v1.0.0"), "v9.9.9", str(remote))
    assert "읽지 못했습니다" in action_pins.problem(
        "owner/act", commit("v1.0.0"), "v1.0.0", str(remote.parent / "none")
    )


def test_every_pin_of_the_workflows_is_looked_at(action, monkeypatch, capsys):
    remote, commit = action
    folder = remote.parent.parent / ".github" / "workflows"
    folder.mkdir(parents=True)
    line = f"      - uses: owner/act@{commit('v2.0.0')} # "
    (folder / "a.yml").write_text(f"{line}v2.0.0\n", encoding="utf-8")
    monkeypatch.setattr(action_pins, "ROOT", remote.parent.parent)
    assert action_pins.main(str(remote.parent.parent)) == 0
    (folder / "b.yml").write_text(f"{line}v1.0.0\n", encoding="utf-8")
    assert action_pins.main(str(remote.parent.parent)) == 1
    assert "b.yml:1: owner/act: v1.0.0" in capsys.readouterr().err
    used = {uses for path in WORKFLOWS for uses, _ in USES.findall(path.read_text(encoding="utf-8"))}
    assert {f"{name}@{commit}" for name, commit, _ in action_pins.pins(ROOT / ".github" / "workflows")} == used


# --- 핀을 풀어 보기 ---


def test_one_pin_is_loosened_and_the_others_stay():
    text = "a==1.0  # 까닭\nb[c]==2.0; x == 'y' # 까닭\nd<3 # 까닭\n"
    assert pins.loosened(text, "b") == "a==1.0  # 까닭\nb[c]>=2.0; x == 'y' # 까닭\nd<3 # 까닭\n"
    assert pins.loosened(text, "d") == "a==1.0  # 까닭\nb[c]==2.0; x == 'y' # 까닭\nd # 까닭\n"


def test_every_pin_is_found():
    lines = [line for name in pins.FILES for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]
    assert len(pins.pinned()) == len([line for line in lines if re.search(r"==\d|<\d", line.split("#")[0])]) > 5


def test_changes_of_a_lock():
    before, after = "a==1 \\\n    --hash=x\nb==1 ; m\nb==2 ; n\nc==1\n", "a==2 \\\nb==1 ; m\nb==2 ; n\nd==1\n"
    assert pins.changes(before, after) == [("a", "1", "2"), ("c", "1", "없음"), ("d", "없음", "1")]


def test_an_unknown_pin_is_explained(capsys):
    assert pins.main(["loosen", "no-such-package"]) == 1
    assert "sphinx-book-theme" in capsys.readouterr().err


# --- 판마다 같은 숫자 ---


def store(folder, name, *outputs):
    folder.mkdir(exist_ok=True)
    nbformat.write(notebook(*outputs), folder / f"{name}.k1.ipynb")


def test_numbers_of_two_pythons(tmp_path, capsys):
    one, two = tmp_path / "one", tmp_path / "two"
    glued = {
        "output_type": "display_data",
        "data": {"application/papermill.record/text/plain": "0.1315037754"},
        "metadata": {"scrapbook": {}},
    }
    store(one, "chapters__a", said("효과 1.25, 오차 4.0e-14\n"), glued)
    near = {**glued, "data": {"application/papermill.record/text/plain": "0.1315037755"}}
    store(two, "chapters__a", said("효과 1.25, 오차 7.0e-14\n"), near)
    assert same_numbers.main([str(one), str(two)]) == 0
    store(two, "chapters__a", said("효과 1.26, 오차 7.0e-14\n"), near)
    assert same_numbers.main([str(one), str(two)]) == 1
    assert "+효과 1.26" in (printed := capsys.readouterr()).out and "chapters/a" in printed.err
    store(two, "chapters__a", said("효과 1.25, 오차 없음\n"), near)
    assert list(same_numbers.differences(one, two)) == ["chapters/a"]
    assert same_numbers.main([str(one), str(two), "--may-differ", "chapters/a"]) == 0
    assert (
        same_numbers.main([str(one), str(one), "--may-differ", "chapters/a"]) == 1
        and "빼세요" in capsys.readouterr().err
    )
    store(two, "chapters__b", said("1\n"))
    assert "한쪽" in same_numbers.differences(one, two)["chapters/b"]
    assert same_numbers.main([str(one), str(tmp_path / "none")]) == 2


# --- make 없이 하는 법 ---


def test_the_guide_does_what_make_does_with_pip(tmp_path, monkeypatch):
    """uv가 없을 때 `make book`과 `make test`가 돌리는 설치 명령과 안내의 명령이 같습니다. 주간 점검은 안내를 깨끗한 폴더에서 돌립니다."""
    ran = []
    monkeypatch.setattr(environment, "install", lambda command, *_: ran.append(command))
    monkeypatch.setattr(environment.shutil, "which", lambda _: None)
    monkeypatch.setattr(environment.os, "sync", lambda: None)
    for step in (environment.set_up, environment.add_tests):
        step(tmp_path / ".venv", report=lambda *_, **__: None)
    quiet = {"--disable-pip-version-check", "--progress-bar", "off"}
    make, *installs = [
        [
            ".venv/bin/python" if part.startswith(str(tmp_path)) and part.endswith("python") else part
            for part in command
            if part not in quiet
        ]
        for command in ran
    ]
    assert make[1:3] == ["-m", "venv"] and len(installs) == 2

    guide = (ROOT / "guides" / "setup.md").read_text(encoding="utf-8")
    said = setup_guide.commands(guide)
    assert said[0] == "python3.11 -m venv .venv" and said[1].split() == installs[0]
    assert (
        said[2] == ".venv/bin/python -m book.commands.build book"
        and said[3] == ".venv/bin/python -m book.commands.serve"
    )
    assert f"{' '.join(installs[1])}\n.venv/bin/python -m book.commands.run_tests\n" in guide


def test_the_guide_installs_and_not_without_its_flags(tmp_path):
    """안내의 설치 명령을 지금의 환경에 시험 삼아(--dry-run) 돌립니다. 모두 깔려 있으므로 내려받는 것은 없습니다."""
    python = Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    if subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode:
        pytest.skip("가상 환경의 바탕이 된 파이썬에 pip이 없습니다.")
    line = setup_guide.commands((ROOT / "guides" / "setup.md").read_text(encoding="utf-8"))[1]
    options = line.partition(" install ")[2].split()
    command = [
        python,
        "-m",
        "pip",
        "--python",
        sys.executable,
        "install",
        "--dry-run",
        "--no-index",
        "--disable-pip-version-check",
    ]
    done = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    (tmp_path / "one.lock").write_text(
        re.search(r"^causalpy==.*?(?=\n    #|\n\w)", lock, re.MULTILINE | re.DOTALL)[0] + "\n"
    )  # 딸린 것을 잠그지 않은 패키지
    for flags, works in ((["--no-deps", "--require-hashes"], True), (["--require-hashes"], False)):
        done = subprocess.run(
            [*command, *flags, "-r", str(tmp_path / "one.lock")], capture_output=True, text=True, check=False
        )
        assert (done.returncode == 0) is works, (
            "--no-deps가 필요 없어졌으면 안내에서 빼세요." if not works else done.stderr
        )


def test_the_guide_runner_reports_what_failed(tmp_path, monkeypatch, capsys):
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com"]
    (tmp_path / "guides").mkdir()
    monkeypatch.setattr(setup_guide, "ROOT", tmp_path)
    monkeypatch.setattr(setup_guide, "GUIDE", tmp_path / "guides" / "setup.md")

    def run(*lines):
        setup_guide.GUIDE.write_text(
            "## make 없이 하는 법\n\n글\n\n```bash\n" + "\n".join(lines) + "\n```\n", encoding="utf-8"
        )
        for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
            subprocess.run([*git, *command], cwd=tmp_path, check=True)
        return setup_guide.main()

    assert run("mkdir -p _build/html && touch _build/html/index.html", "python -m book.commands.serve") == 0
    assert run("true") == 1 and "index.html이 없습니다" in capsys.readouterr().err
    assert run("exit 3", "touch never") == 1 and "종료 코드 3" in capsys.readouterr().err
    with pytest.raises(ValueError, match="bash 상자"):
        setup_guide.commands("## make 없이 하는 법\n\n글만\n\n## 다음\n\n```bash\nx\n```\n")


# --- 바깥 링크 ---


def test_links_lose_only_punctuation():
    text = "글 [이름](https://a.kr/b)에 있음.\nhttps://a.kr/wiki/B_(c), 그리고 <https://d.kr/e>.\n`https://f.kr`와 https://g.kr/에서"
    assert external_links.find_links(text) == [
        (1, "https://a.kr/b"), (2, "https://a.kr/wiki/B_(c)"), (2, "https://d.kr/e"), (3, "https://f.kr"), (3, "https://g.kr/"),
    ]  # fmt: skip


def test_every_exclusion_has_a_reason():
    assert all(why.strip() for why in external_links.EXCLUDED.values())
    assert external_links.excluded("http://127.0.0.1:8000/x")
    assert not external_links.excluded("https://doc.example.net/")


@pytest.fixture
def server():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.answer({"/ok": 200, "/no-head": 405, "/gone": 404, "/shy": 403, "/broken": 500}[self.path])

        def do_GET(self):
            self.answer({"/no-head": 200, "/gone": 404, "/shy": 403, "/broken": 500}[self.path])

        def answer(self, status):
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_address[1]}"
    httpd.shutdown()
    httpd.server_close()


@pytest.mark.parametrize(
    ("path", "expected"), [("/ok", ""), ("/no-head", ""), ("/shy", ""), ("/gone", "HTTP 404"), ("/broken", "HTTP 500")]
)
def test_link_answers(server, path, expected):
    assert external_links.problem(server + path, timeout=5, tries=2, pause=0) == expected


def test_a_dead_server_is_a_problem():
    assert external_links.problem("http://127.0.0.1:9/", timeout=2, tries=1)


# --- 주간 알림 ---


def fake_gh(tmp_path, monkeypatch, issues):
    log = tmp_path / "log"
    script = tmp_path / "gh"
    script.write_text(
        f"#!{sys.executable}\nimport json, sys\nopen({str(log)!r}, 'a').write(json.dumps(sys.argv[1:]) + chr(10))\n"
        f"print({json.dumps(json.dumps(issues))} if sys.argv[2] == 'list' else 'made')\n",
        encoding="utf-8",
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path))
    return lambda: [json.loads(line)[1] for line in log.read_text().splitlines()]


@pytest.mark.parametrize(
    ("changed", "open_issue", "actions"),
    [
        ({}, False, ["list"]),
        ({}, True, ["list", "close"]),
        ({"NEWEST": "failure"}, False, ["list", "create"]),
        ({"NEWEST": "failure", "LINKS": "failure"}, True, ["list", "comment"]),
        ({"AUDIT": "cancelled"}, False, ["list", "create"]),
        ({"ACTIONS": ""}, False, ["list", "create"]),
    ],
)
def test_one_issue_follows_the_weekly_run(tmp_path, monkeypatch, changed, open_issue, actions):
    issues = [{"number": 7, "title": weekly_report.TITLE}] if open_issue else [{"number": 3, "title": "다른 일"}]
    calls = fake_gh(tmp_path, monkeypatch, issues)
    for name in weekly_report.JOBS:
        monkeypatch.setenv(name, changed.get(name, "success"))
    monkeypatch.setenv("RUN_URL", "http://127.0.0.1/run/1")
    assert weekly_report.main() == 0
    assert calls() == actions


def test_the_message_says_what_to_do():
    text = weekly_report.message({"NEWEST": "failure", "LINKS": "success"}, "http://127.0.0.1/run/1")
    assert "새 판으로 만들기" in text and "run/1" in text and "바깥 링크" not in text
