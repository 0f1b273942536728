"""처음 온 사람이 읽는 파일들: 있고, 링크와 명령이 맞고, 양식이 GitHub이 읽는 꼴입니다."""

import json
import re
import subprocess
from urllib.parse import unquote

import pytest
import yaml

from book.page import ROOT

DOCUMENTS = ["CONTRIBUTING.md", "CODE_OF_CONDUCT.md", "SECURITY.md", "CHANGELOG.md", ".github/PULL_REQUEST_TEMPLATE.md"]
FORMS = sorted(path for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [*DOCUMENTS, "README.md"])
def test_every_link_leads_to_a_file(name):
    for target in re.findall(r"\]\(([^)\s]+)\)", read(name)):
        if not re.match(r"https?:|mailto:|#", target):
            assert ((ROOT / name).parent / unquote(target.partition("#")[0])).exists(), f"{name}: {target}"


@pytest.mark.parametrize("path", [ROOT / name for name in DOCUMENTS] + FORMS, ids=lambda path: path.name)
def test_every_command_exists(path):
    text = path.read_text(encoding="utf-8")
    commands = set(re.findall(r"`make ([a-z-]+)", text)) | set(re.findall(r"\(make ([a-z-]+)\)", text))
    assert commands <= TARGETS, commands - TARGETS
    for module in re.findall(r"python -m ((?:book|causal_practice)[\w.]*)", text):
        assert (ROOT / (module.replace(".", "/") + ".py")).is_file(), f"{path.name}: python -m {module}"
    for name in re.findall(r"`((?:book|guides|data|tests)/[\w./-]+)`", text):
        assert (ROOT / name).exists(), f"{path.name}: {name}"


def test_a_stranger_finds_the_way():
    text = read("CONTRIBUTING.md")
    assert len(text.splitlines()) <= 60, "짧게 두고, 자세한 것은 guides/contributing.md에 적습니다."
    for part in (
        "guides/contributing.md",
        "CODE_OF_CONDUCT.md",
        "SECURITY.md",
        "make book",
        "make test",
        "make checks",
        "MIT",
        "CC BY 4.0",
    ):
        assert part in text
    assert {path.name for path in FORMS} == set(re.findall(r"ISSUE_TEMPLATE/([\w-]+\.yml)", text))
    for name in ("CONTRIBUTING.md", "CODE_OF_CONDUCT.md", "SECURITY.md"):
        assert "> **In English.**" in read(name), f"{name}: 한국어를 읽지 못하는 사람에게 한 문단이 필요합니다."


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_issue_forms_are_what_github_reads(path):
    """GitHub의 양식 문법: 이름, 설명, 칸. 칸마다 종류와 이름표가 있고 id가 겹치지 않습니다."""
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert (
        {"name", "description", "body"}
        <= form.keys()
        <= {"name", "description", "body", "title", "labels", "assignees"}
    )
    fields = [item for item in form["body"] if item["type"] != "markdown"]
    assert fields and len({item["id"] for item in fields}) == len(fields)
    for item in fields:
        assert re.fullmatch(r"[a-z-]+", item["id"]) and item["type"] in {"input", "textarea", "dropdown", "checkboxes"}
        attributes = item["attributes"]
        assert attributes["label"].strip()
        if item["type"] in {"dropdown", "checkboxes"}:
            assert attributes["options"]
        else:
            assert attributes.keys() <= {"label", "description", "placeholder", "value", "render"}
        if item["type"] == "checkboxes":
            assert all(option.keys() <= {"label", "required"} for option in attributes["options"])
        else:
            assert isinstance(item["validations"]["required"], bool)
    assert any(item.get("validations", {}).get("required") for item in fields)


def test_the_four_reasons_to_write_have_a_form():
    assert [path.stem for path in FORMS] == ["new-case", "question", "typo", "wrong-number"]
    assert len({yaml.safe_load(path.read_text(encoding="utf-8"))["name"] for path in FORMS}) == 4
    assert isinstance(yaml.safe_load(read(".github/ISSUE_TEMPLATE/config.yml"))["blank_issues_enabled"], bool)


def test_the_pull_request_template_has_the_three_lists_of_the_guide():
    template, guide = read(".github/PULL_REQUEST_TEMPLATE.md"), read("guides/contributing.md")
    assert re.findall(r"^## (.+)$", template, re.MULTILINE)[1:] == ["작성자", "검토자", "자동 검사"]
    items = re.findall(r"^- \[ \] (.+)$", template, re.MULTILINE)
    shared = [item for item in items if f"- [ ] {item}" in guide]
    assert len(items) >= 12 and len(shared) >= 8, "점검표의 말은 guides/contributing.md와 같아야 합니다."


def test_the_citation_is_valid_and_says_the_newest_release():
    """CFF 1.2.0이 요구하는 것과, 버전이 있으면 CHANGELOG의 맨 위 버전과 같은지 봅니다. 온전한 검사는 `uvx cffconvert --validate`입니다."""
    citation = yaml.safe_load(read("CITATION.cff"))
    assert citation["cff-version"] == "1.2.0" and citation["message"] and citation["title"] == "인과추론과 실무"
    assert citation["authors"] and all(
        "name" in author or {"family-names", "given-names"} <= author.keys() for author in citation["authors"]
    )
    assert set(citation["license"]) == {"MIT", "CC-BY-4.0"}
    assert citation.keys() <= {
        "cff-version",
        "message",
        "title",
        "type",
        "abstract",
        "authors",
        "keywords",
        "license",
        "version",
        "date-released",
        "url",
        "repository-code",
    }
    released = re.findall(r"^## (v\S+) \((\d{4}-\d\d-\d\d)\)$", read("CHANGELOG.md"), re.MULTILINE)
    said = (citation.get("version"), str(citation["date-released"]) if "date-released" in citation else None)
    assert said == (released[0] if released else (None, None))


def test_the_changelog_is_newest_first_and_knows_every_tag():
    text = read("CHANGELOG.md")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings[0] == "다음 버전" and all(
        re.fullmatch(r"v\S+ \(\d{4}-\d\d-\d\d\)", heading) for heading in headings[1:]
    )
    dates = re.findall(r"^### (\d{4}-\d\d-\d\d)$", text, re.MULTILINE)
    assert dates == sorted(set(dates), reverse=True)
    tags = subprocess.run(
        ["git", "tag", "--list", "v*"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    assert set(tags) <= {heading.split()[0] for heading in headings[1:]}, (
        "태그를 붙인 버전은 CHANGELOG에 제 절이 있어야 합니다."
    )


def test_the_devcontainer_opens_ready():
    """선언한 파이썬은 책이 받아들이는 판이고, .ci/run이 까는 것을 깔고, 책까지 만들어 둡니다."""
    container = json.loads(read(".devcontainer/devcontainer.json"))
    version = re.search(r"devcontainers/python:(3\.\d+)-", container["image"]).group(1)
    assert version == "3.11" and container["updateContentCommand"] == f"make book PYTHON=python{version}"
    needed = set(re.findall(r"missing\+=\(([^)]+)\)", read(".ci/run")))
    assert {name for group in needed for name in group.split()} <= set(container["onCreateCommand"].split())
    assert container["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"].endswith(
        ".venv/bin/python"
    )
    assert 8000 in container["forwardPorts"]


def test_root_documents_stay_out_of_the_site():
    excluded = yaml.safe_load(read("_config.yml"))["exclude_patterns"]
    for path in ROOT.glob("*.md"):
        assert path.name == "index.md" or path.name in excluded, (
            f"{path.name}: _config.yml의 exclude_patterns에 더하세요."
        )


def test_the_readme_publishes_by_its_own_steps():
    text = read("README.md").partition("## 내 저장소에서 펴내기")[2].partition("\n## ")[0]
    publish = yaml.safe_load(read(".github/workflows/publish.yml"))
    assert f"Actions → {publish['name']} → Run workflow" in text and "workflow_dispatch" in publish[True]
    assert "Settings → Pages" in text and "GitHub Actions" in text and "repository.url" in text
    assert re.findall(r"^(\d)\. ", text, re.MULTILINE) == list("123456")


def test_security_says_what_is_not_stopped():
    """울타리의 코드가 스스로 못 막는다고 적은 길이 모두 보안 안내에도 있습니다."""
    text, fence = read("SECURITY.md"), read("book/fence.py").partition('"""\n\nimport')[0]
    for weakness in ("curl", "python -I", "ctypes", "UDP", "파일", "유닉스 소켓", "리눅스"):
        assert weakness in fence and weakness in text, weakness
    assert (
        len(re.findall(r"\| [^|]*막지 (?:않습니다|못합니다)", text)) >= 4
        and "make lab" in text
        and "make audit" in text
    )
