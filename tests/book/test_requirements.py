"""requirements: 불러오는 것은 모두 적혀 있고, 적힌 것은 불러오거나 까닭이 있으며, 두 잠금이 서로 맞습니다."""

import ast
import re
import subprocess
import sys
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from book.execution import to_notebook
from book.locks import RUNNERS, page_packages, page_requirements
from book.page import ROOT, published_pages

FILES = {"requirements.txt": "requirements.lock", "requirements-test.txt": "requirements-test.lock"}
OURS = {"book", "benchmarks", "causal_practice", "causal_pipeline", "case_studies", "tests"} | {
    path.stem for path in (ROOT / "tests").rglob("*.py")
}
# 잠금 밖의 선택 환경에서만 불러오는 것
OPTIONAL = {
    "causalml": "benchmarks/tool_environments.yml",
    "causaltune": "requirements-peers.txt",
    "doubleml": "benchmarks/tool_environments.yml",
    "pyspark": "requirements-scale.txt",
    "ray": "requirements-scale.txt",
}
# 적지 않고 딸려 오는 데에 맡기는 것. psutil은 있을 때만 쓰며, 적으면 잠금의 조건이 넓어져 모든 쪽의 열쇠가 바뀝니다.
# 나머지 둘은 사이트가 쓰는 그것을 들여다보는 시험이 부릅니다.
COMES_WITH = {"psutil": "ipykernel", "babel": "sphinx", "pydata-sphinx-theme": "sphinx-book-theme"}
# `make book`이 깔지 않는 것을 불러와도 되는 곳: 시험, 검사, 그리고 시험 환경에서만 돌리는 명령
WITH_TESTS = (
    "tests/",
    "book/checks/",
    "book/browser.py",
    "benchmarks/",
    "book/commands/readme_pictures.py",
    "book/commands/font_subset.py",
    "book/commands/pdf.py",
)


def declared(name: str) -> dict[str, str]:
    """requirements 파일에 적은 패키지의 이름에서 그 줄로."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return {
        canonicalize_name(Requirement(text).name): line for line in lines if (text := line.partition("#")[0].strip())
    }


def locked(name: str) -> dict[str, set[str]]:
    """잠금 파일의 패키지에서 ``버전 지문들``의 모음으로. 조건은 쓰는 곳마다 달라 뺍니다."""
    found: dict[str, set[str]] = {}
    text = (ROOT / name).read_text(encoding="utf-8")
    for match in re.finditer(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)[^\n]*((?:\n    --hash=[^\n]+)+)", text, re.MULTILINE):
        hashes = sorted(re.findall(r"sha256:[0-9a-f]{64}", match[3]))
        found.setdefault(canonicalize_name(match[1]), set()).add(" ".join([match[2], *hashes]))
    return found


def imported(source: str) -> set[str]:
    """코드가 불러오는 바깥 패키지의 맨 앞 이름."""
    source = "\n".join(line for line in source.splitlines() if not line.lstrip().startswith(("%", "!")))
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names - sys.stdlib_module_names - OURS


@pytest.fixture(scope="module")
def sources() -> dict[str, str]:
    """저장소의 파이썬 파일과, 쪽의 코드 셀을 이어 붙인 것. 쪽을 모두 읽으므로 한 번만 만듭니다."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("git 저장소가 아닙니다(내려받은 묶음).")
    found = {
        name: (ROOT / name).read_text(encoding="utf-8")
        for name in listed.stdout.split("\n")
        if name and (ROOT / name).is_file()
    }
    for page in published_pages():
        if page.is_notebook:
            found[f"{page.docname}.md"] = "\n".join(
                cell.source for cell in to_notebook(page).cells if cell.cell_type == "code"
            )
    return found


@pytest.fixture(scope="module")
def used(sources) -> dict[str, set[str]]:
    """패키지의 이름에서 그것을 불러오는 파일로."""
    installed, found = packages_distributions(), {}
    for path, source in sources.items():
        for module in imported(source):
            if (ROOT / path).with_name(f"{module}.py").is_file():
                continue  # 같은 폴더의 파일
            if module in OPTIONAL:
                assert module in (ROOT / OPTIONAL[module]).read_text(encoding="utf-8")
                continue
            for name in installed.get(module, [module])[:1]:
                found.setdefault(canonicalize_name(name), set()).add(path)
    return found


def test_what_is_imported_is_declared(used):
    everywhere, tests = declared("requirements.txt"), declared("requirements-test.txt")
    book = locked("requirements.lock")
    for name, paths in sorted(used.items()):
        if name in COMES_WITH:
            assert {name, COMES_WITH[name]} <= book.keys()
            continue
        assert name in everywhere or name in tests, (
            f"{name}: {sorted(paths)[:3]}이(가) 불러오는데 requirements에 없습니다."
        )
        if name not in everywhere:
            outside = sorted(path for path in paths if not path.startswith(WITH_TESTS))
            assert not outside, (
                f"{name}: {outside}이(가) 불러오므로 requirements-test.txt가 아니라 requirements.txt에 적으세요."
            )


def test_what_is_declared_is_imported_or_says_why(used, sources):
    everything = "\n".join(sources.values())
    for file in FILES:
        for name, line in declared(file).items():
            reason = line.partition("#")[2]
            if name not in used:
                data_only = re.search(rf'package_file\("{name.replace("-", "_")}"', everything)
                assert data_only or "불러오지 않" in reason or "불러오지는 않" in reason, (
                    f"{file}: {name}을(를) 아무도 불러오지 않습니다. 쓰임을 적거나 지우세요."
                )
            elif users := sorted(path for path in used[name] if not path.startswith("tests/")):
                assert "불러오지 않" not in reason, f"{file}: {name}은(는) {users[:2]}이(가) 불러옵니다."


def test_the_book_does_not_carry_what_only_tests_need():
    """둘째 파일의 것은 첫째 잠금에 없습니다. 다른 것에 딸려 오는 것만 예외이며, 그때는 두 잠금이 같은 판입니다."""
    book, tests = locked("requirements.lock"), locked("requirements-test.lock")
    assert not declared("requirements.txt").keys() & declared("requirements-test.txt").keys()
    for heavy in ("playwright", "kiwipiepy", "kiwipiepy-model", "zizmor", "pytest", "ruff"):
        assert heavy in tests and heavy not in book
    different = [name for name in book.keys() & tests.keys() if book[name] != tests[name]]
    assert not different, f"{different}: 두 잠금의 판이나 지문이 다릅니다. `make lock`을 실행하세요."


@pytest.mark.parametrize("name", FILES)
def test_every_locked_package_has_a_hash(name):
    text = (ROOT / FILES[name]).read_text(encoding="utf-8")
    lines = re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)", text, re.MULTILINE)
    hashed = {
        (package, entry.split()[0])
        for package, entries in locked(FILES[name]).items()
        for entry in entries
        if " " in entry
    }
    assert {(canonicalize_name(package), version) for package, version in lines} == hashed and len(hashed) > 10


@pytest.mark.parametrize("name", FILES)
def test_the_lock_satisfies_what_is_declared(name):
    versions = {package: {entry.split()[0] for entry in entries} for package, entries in locked(FILES[name]).items()}
    for package, line in declared(name).items():
        wanted, found = Requirement(line.partition("#")[0].strip()), versions.get(package)
        assert found, f"{package}: {FILES[name]}에 없습니다. `make lock`을 실행하세요."
        assert all(wanted.specifier.contains(version) for version in found), (
            f"{wanted}: 잠금은 {found}입니다. `make lock`을 실행하세요."
        )


@pytest.mark.parametrize("name", FILES)
def test_every_pin_says_why(name):
    for line in declared(name).values():
        if re.search(r"(==|<|>|~=)\s*\d", line.partition("#")[0]):
            assert len(line.partition("#")[2].strip()) > 5, f"{name}: {line}: 핀의 까닭이 없습니다."


def test_only_what_needs_them_installs_the_second_file():
    """시험과 검사의 명령만 둘째 잠금을 기다립니다. `make book`은 기다리지 않습니다."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    waits = {
        target: needs.split()
        for target, needs in re.findall(r"^([a-z-]+): ?([^#\n]*?) *(?:##.*)?$", makefile, re.MULTILINE)
    }
    assert {target for target, needs in waits.items() if "test-environment" in needs} == {
        "test",
        "checks",
        "check-case",
        "bench",
        "mutate",
        "pdf",
        "test-scale",
    }
    assert "requirements-test" not in makefile.partition("\nbook:")[2].partition("\n\n")[0]


# --- 쪽의 열쇠에 들어가는 버전 ---

LOCK = """a==1.0 ; python_full_version < '3.13' \\
    --hash=sha256:00
    # via -r requirements.txt
a==1.1 ; python_full_version >= '3.13' \\
    --hash=sha256:01
    # via -r requirements.txt
b-c==2 \\
    --hash=sha256:02
    # via
    #   -r requirements.txt
    #   A
d==3 \\
    --hash=sha256:03
    # via b-c
theme==4 \\
    --hash=sha256:04
    # via -r requirements.txt
e==5 \\
    --hash=sha256:05
    # via theme
"""


def test_versions_follow_what_needs_them():
    """직접 쓰는 것에서 딸린 것까지 갑니다. 지문과 다른 묶음의 것은 넣지 않습니다."""
    assert page_packages(LOCK, {"a"}) == [
        "a==1.0 ; python_full_version < '3.13'",
        "a==1.1 ; python_full_version >= '3.13'",
        "b-c==2",
        "d==3",
    ]
    assert page_packages(LOCK, {"theme"}) == ["e==5", "theme==4"]
    text = "# --- 책을 만드는 도구 ---\ntheme\n# --- 분석 ---\nA[x]==1 # 까닭\njupyterlab\n# --- 자료만 읽는 패키지 ---\n# 글\nB_c\n"
    assert page_requirements(text) == {"a", "b-c"} | RUNNERS


def test_everything_a_page_can_import_is_in_its_key(used):
    """쪽과, 쪽이 부르는 우리 패키지가 불러오는 것은 모두 열쇠에 있습니다. 사이트의 도구는 없습니다."""
    requirements, lock = (
        (ROOT / name).read_text(encoding="utf-8") for name in ("requirements.txt", "requirements.lock")
    )
    chosen = {line.partition("==")[0] for line in page_packages(lock, page_requirements(requirements))}
    ours = ("causal_practice/", "causal_pipeline/", "case_studies/", "chapters/", "guides/", "data/")
    needed = {name for name, paths in used.items() if any(path.startswith(ours) for path in paths)}
    # 엑셀은 파이프라인이 파일을 받을 때에만 읽습니다. 자료에 엑셀이 없으므로 쪽의 숫자는 여기에서 나오지 않습니다.
    only_files = {"openpyxl"}
    assert not list((ROOT / "data").rglob("*.xlsx")) and used["openpyxl"] == {"causal_pipeline/reading.py"}
    assert len(needed) > 10 and needed - only_files <= chosen, needed - chosen
    assert not chosen & {"sphinx", "jupyter-book", "sphinx-book-theme", "jupyterlab", "pytest"}
