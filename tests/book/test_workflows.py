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
from pathlib import Path

import pytest
import yaml

from book.commands import changed_pages, external_links, weekly_report
from book.page import ROOT, read_page

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
USES = re.compile(r"^\s*(?:- )?uses:\s*(\S+)(?:\s+#\s*(\S+))?\s*$", re.MULTILINE)
ALLOWED_COMMANDS = re.compile(
    r"\.ci/run|make [a-z-]+( [A-Z]+=\S+)?|(?:\.venv/bin/)?python3? -m (?:book\.commands\.\w+|pip install --quiet uv)( HEAD\^1 >> \"\$GITHUB_STEP_SUMMARY\")?"
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
        [tool("actionlint"), "-no-color", "-shellcheck=", "-pyflakes=", *map(str, paths)], cwd=ROOT, capture_output=True, text=True, check=False
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
                assert ALLOWED_COMMANDS.fullmatch(step["run"].strip()), f"{step['run']}: make나 tools로 옮기세요."
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


def test_the_pull_request_can_only_read():
    flow = workflow("pull-request.yml")
    for job in flow["jobs"].values():
        assert job["permissions"] == {"contents": "read"}
    assert "github.token" not in (ROOT / ".github" / "workflows" / "pull-request.yml").read_text(encoding="utf-8")
    steps = flow["jobs"]["test"]["steps"]
    assert any("GITHUB_STEP_SUMMARY" in step.get("run", "") for step in steps)
    assert any(step.get("with", {}).get("path") == "_build/html" for step in steps)


def test_publishing_happens_from_main_only_and_after_the_tests():
    flow = workflow("publish.yml")
    trigger = flow[True]  # YAML 1.1은 on을 참으로 읽습니다
    assert trigger == {"push": {"branches": ["main"]}}
    build, publish = flow["jobs"]["build"], flow["jobs"]["publish"]
    assert publish["needs"] == "build" and publish["if"] == "github.ref == 'refs/heads/main'"
    assert build["permissions"] == {"contents": "read"}
    names = [step["name"] for step in build["steps"]]
    assert names.index("만들고 시험하기") < names.index("사이트 넘기기")
    assert set(publish["permissions"]) == {"pages", "id-token"}
    notebooks = flow["jobs"]["notebooks"]
    assert notebooks["needs"] == "build" and notebooks["if"] == publish["if"] and notebooks["permissions"] == {"contents": "write"}


def test_the_notebook_branch_is_one_commit_of_what_was_written(tmp_path):
    from book.commands.publish_notebooks import push

    remote, folder = tmp_path / "remote.git", tmp_path / "out"
    subprocess.run(["git", "init", "--quiet", "--bare", str(remote)], check=True)
    for text in ("하나", "둘"):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / "a.ipynb").write_text(text, encoding="utf-8")
        push(folder, str(remote))
    show = ["git", "--git-dir", str(remote)]
    assert subprocess.run([*show, "show", "notebooks:a.ipynb"], capture_output=True, text=True, check=True).stdout == "둘"
    assert subprocess.run([*show, "rev-list", "--count", "notebooks"], capture_output=True, text=True, check=True).stdout.strip() == "1"


def test_without_an_address_no_notebook_is_pushed(monkeypatch, capsys):
    from book.commands import publish_notebooks

    monkeypatch.setattr(publish_notebooks, "push", lambda *_: pytest.fail("올리려 했습니다"))
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    assert publish_notebooks.main() == 0 and "비어 있어" in capsys.readouterr().out


def test_the_weekly_run_uses_fresh_packages_and_reports():
    flow = workflow("weekly.yml")
    runs = [step.get("run") for step in flow["jobs"]["newest"]["steps"]]
    assert runs.index("make lock UPGRADE=1") < runs.index(".ci/run")
    assert "cache" not in (ROOT / ".github" / "workflows" / "weekly.yml").read_text(encoding="utf-8")
    assert flow["jobs"]["report"]["needs"] == ["newest", "links"]
    assert "$(UPGRADE),--upgrade" in (ROOT / "Makefile").read_text(encoding="utf-8")


# --- 바뀐 쪽 목록 ---


@pytest.fixture
def sample(monkeypatch, tmp_path):
    monkeypatch.setattr("book.page.ROOT", tmp_path)
    monkeypatch.setattr("book.execution.ROOT", tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "catalog.yml").write_text("one: {rows: 1}\ntwo: {rows: 2}\n")
    front = "---\njupytext: {text_representation: {extension: .md, format_name: myst}}\nkernelspec: {name: python3}\n---\n"
    page = tmp_path / "a.md"
    page.write_text(front + '# 제목 | <b>굵게</b>\n\n```{code-cell} ipython3\nload("one")\n```\n', encoding="utf-8")
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
        (["_config.yml"], set(), "함께 쓰는 것 _config.yml"),
        (["book/extensions/x.py"], set(), "함께 쓰는 것 book/extensions/x.py"),
        (["README.md", "tests/test_a.py"], set(), ""),
    ],
)
def test_why_a_page_changed(sample, files, cards, expected):
    assert changed_pages.why_changed(sample, files, cards) == expected


def test_the_summary_cannot_be_broken_by_a_title(sample):
    text = changed_pages.summary([sample], ["a.md"])
    assert "| 제목  b굵게b | `a.html` | 원고 |" in text
    assert "바뀐 쪽이 없습니다" in changed_pages.summary([sample], ["README.md"])


def test_changed_cards():
    assert changed_pages.changed_cards("a: 1\nb: 2\nc: 3\n", "a: 1\nb: 4\nd: 5\n") == {"b", "c", "d"}
    assert changed_pages.changed_cards("", "a: 1\n") == {"a"}


def test_changed_pages_explains_a_wrong_commit(capsys):
    assert changed_pages.main([]) == 2
    assert changed_pages.main(["no-such-commit"]) == 1
    assert "no-such-commit" in capsys.readouterr().err


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
    ("newest", "links", "open_issue", "actions"),
    [
        ("success", "success", False, ["list"]),
        ("success", "success", True, ["list", "close"]),
        ("failure", "success", False, ["list", "create"]),
        ("failure", "failure", True, ["list", "comment"]),
        ("success", "cancelled", False, ["list", "create"]),
        ("", "success", False, ["list", "create"]),
    ],
)
def test_one_issue_follows_the_weekly_run(tmp_path, monkeypatch, newest, links, open_issue, actions):
    issues = [{"number": 7, "title": weekly_report.TITLE}] if open_issue else [{"number": 3, "title": "다른 일"}]
    calls = fake_gh(tmp_path, monkeypatch, issues)
    monkeypatch.setenv("NEWEST", newest)
    monkeypatch.setenv("LINKS", links)
    monkeypatch.setenv("RUN_URL", "http://127.0.0.1/run/1")
    assert weekly_report.main() == 0
    assert calls() == actions


def test_the_message_says_what_to_do():
    text = weekly_report.message({"NEWEST": "failure", "LINKS": "success"}, "http://127.0.0.1/run/1")
    assert "새로운 꾸러미" in text and "run/1" in text and "바깥 링크" not in text
