"""저장소가 지키는 규칙: 차례, 초안, 커밋하면 안 되는 것."""

import re
import subprocess

import pytest
import yaml

from book.checks.lints import secrets
from book.page import PAGE_FOLDERS, ROOT, published_pages, read_page, toc_docnames

TEXT = {".md", ".py", ".yml", ".yaml", ".txt", ".cfg", ".ini", ".toml", ".lock", ".sh", ".css", ".js", ".html", ""}
REGISTRY_HOSTS = re.compile(r"https?://[\w.-]*(pypi|pythonhosted|npmjs|npmmirror|debian|crates)\.[a-z]+", re.IGNORECASE)
ABSOLUTE_PATH = re.compile(r"(?<![\w.:/])/(?:home|Users|root|work)/[\w.-]+")
VENDORED = ("assets/vendor/", "assets/fonts/")


def tracked() -> list[str]:
    command = ["git", "-c", "core.quotepath=off", "ls-files"]  # 따옴표로 감싼 이름은 파일을 찾지 못해 빠집니다
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("git 저장소가 아닙니다(내려받은 꾸러미).")
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_every_page_is_in_the_toc_or_a_draft():
    listed = set(toc_docnames())
    for folder in PAGE_FOLDERS:
        for path in sorted((ROOT / folder).glob("*.md")):
            page = read_page(path)
            if page.meta.get("draft"):
                assert page.docname not in listed, f"{page.docname}: 초안(draft: true)이 차례에 있습니다."
            else:
                assert page.docname in listed, (
                    f"{page.docname}: 차례(_toc.yml)에 없습니다. 초안이면 draft: true를 적으세요."
                )


def test_cases_are_nested_under_the_chapter_of_their_week():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    week_of = {p.docname: p.meta.get("week") for p in published_pages()}
    nested = {
        section["file"]: chapter["file"]
        for part in toc["parts"]
        for chapter in part["chapters"]
        for section in chapter.get("sections", [])
    }
    chapters = {p.meta["week"] for p in published_pages() if p.meta.get("kind") == "chapter"}
    waiting = {c["file"] for part in toc["parts"] if part["caption"] == "사례" for c in part["chapters"]}
    for page in published_pages():
        if page.meta.get("kind") == "case" and page.docname != "case_studies/template":
            if page.meta["week"] not in chapters:  # 그 주의 장이 아직 없으면 사례 모음 아래에서 기다립니다
                assert page.docname in waiting, f"{page.docname}: 장이 없는 주의 사례는 '사례' 묶음에 싣습니다."
                continue
            assert page.docname in nested, f"{page.docname}: 자기 주차의 장 아래에 있지 않습니다."
            assert week_of[nested[page.docname]] == page.meta["week"], f"{page.docname}: 다른 주차 아래에 있습니다."


def test_weeks_are_in_order():
    weeks = [p.meta["week"] for p in published_pages() if p.meta.get("kind") == "chapter"]
    assert weeks == sorted(weeks)


def test_nothing_generated_is_committed():
    for name in tracked():
        assert not name.startswith(("_build/", ".venv/")), name
        assert not name.endswith((".ipynb", ".pyc", ".pickle", ".pkl")), (
            f"{name}: 만들어진 파일이나 피클은 커밋하지 않습니다."
        )


ALLOWED = TEXT | {".csv", ".json", ".svg", ".png", ".woff", ".woff2", ".j2", ".po", ".cff"}
NAMES = {"LICENSE", "LICENSE-CONTENT", "Makefile", ".gitignore", ".editorconfig", ".ci/run"}


def test_only_known_kinds_of_files_with_plain_names_are_committed():
    for name in tracked():
        path = ROOT / name
        assert name.isascii() and not re.search(r"[\s:*?\"<>|\\]", name), (
            f"{name}: 파일 이름에 한글, 빈칸, 특수 문자가 있습니다. 영어 소문자, 숫자, 밑줄로 바꾸세요."
        )
        known = path.suffix in ALLOWED - {""} or name in NAMES or path.name == "LICENSE"
        assert known, (
            f"{name}: 커밋하지 않는 종류의 파일입니다. 글과 코드와 CSV만 두고, 꼭 있어야 하면 여기의 목록에 더하세요."
        )
        assert not path.is_symlink(), f"{name}: 심볼릭 링크는 윈도에서 풀리지 않습니다. 파일을 두세요."


def test_no_secret_is_committed():
    for name in tracked():
        path = ROOT / name
        if path.suffix in TEXT and not name.startswith(("assets/static/vendor/", *VENDORED)):
            found = secrets(path.read_text(encoding="utf-8"))
            assert not found, f"{name}:{found[0][0]}: {found[0][1]}처럼 보입니다. 지우고, 쓰던 것이면 폐기하세요."


def test_no_absolute_path_or_registry_host_is_committed():
    for name in tracked():
        path = ROOT / name
        if path.suffix not in TEXT or name.startswith(VENDORED):
            continue
        text = path.read_text(encoding="utf-8")
        assert not ABSOLUTE_PATH.search(text), f"{name}: 절대 경로 {ABSOLUTE_PATH.search(text).group()}"
        assert not REGISTRY_HOSTS.search(text), f"{name}: 패키지 저장소 주소 {REGISTRY_HOSTS.search(text).group()}"
