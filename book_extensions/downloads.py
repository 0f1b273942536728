"""쪽마다 '노트북 내려받기': 노트북, 데이터, causal_practice를 한 꾸러미로. 저장소 밖에서 그대로 돌아갑니다.

Colab과 Binder 단추는 ``_config.yml``의 ``repository.url`` 하나로 켜지고, 비어 있으면 나오지 않습니다.
"""

import ast
import io
import os
import re
import sys
import zipfile
from pathlib import Path, PurePosixPath
from urllib.parse import quote, urlsplit

import nbformat
import yaml
from sphinx.application import Sphinx

from tools.data import read_catalog
from tools.execution import Execution, stored, to_notebook, used_datasets
from tools.learner_notebook import convert
from tools.paths import ROOT, Page, read_page

NOTEBOOK_BRANCH = "notebooks"  # 펴낼 때 실습 노트북을 올려 두는 가지(.github/workflows/publish.yml)
_FIXED_TIME = (2024, 1, 1, 0, 0, 0)
_PACKAGE_NAMES = {"sklearn": "scikit-learn", "yaml": "pyyaml"}
_ALWAYS = ("pandas", "numpy", "matplotlib", "networkx", "pyyaml", "koreanize-matplotlib", "ipykernel")


def locked_versions() -> dict[str, str]:
    """잠금 파일의 판. 파이썬 판마다 갈리는 꾸러미는 지금 파이썬의 것을 고릅니다."""
    from packaging.requirements import Requirement

    versions = {}
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        if re.match(r"[A-Za-z0-9_.-]+==", line):
            wanted = Requirement(line.rstrip("\\ ").strip())
            if wanted.marker is None or wanted.marker.evaluate():
                versions[wanted.name.lower()] = str(wanted.specifier).removeprefix("==")
    return versions


def requirements_of(page: Page) -> str:
    """쪽이 불러오는 꾸러미만, 잠금 파일의 판으로."""
    versions, names = locked_versions(), set(_ALWAYS)
    sources = [c.source for c in to_notebook(page).cells if c.cell_type == "code"]
    sources += [(ROOT / "data" / "generators" / f"{name}.py").read_text(encoding="utf-8") for name in used_datasets(page)]
    sources += [path.read_text(encoding="utf-8") for path in sorted((ROOT / "causal_practice").glob("*.py"))]
    for source in sources:
        source = "\n".join(line for line in source.splitlines() if not line.lstrip().startswith(("%", "!")))
        for node in ast.walk(ast.parse(source)):
            modules = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []
            for module in modules:
                top = module.split(".")[0]
                if top not in sys.stdlib_module_names:
                    names.add(_PACKAGE_NAMES.get(top, top).lower())
    return "".join(f"{name}=={versions[name]}\n" for name in sorted(names) if name in versions)


def bundle(page: Page, execution: Execution, site: str = "") -> bytes:
    """꾸러미(zip)의 바이트. 같은 원고에서는 늘 같은 바이트가 나옵니다."""
    stem, names = page.path.stem, sorted(used_datasets(page))
    catalog = read_catalog()
    files: dict[str, bytes] = {
        f"{stem}.ipynb": nbformat.writes(convert(page, execution, site=site)).encode(),
        f"{stem}_정답.ipynb": nbformat.writes(convert(page, execution, solutions=True, site=site)).encode(),
        "requirements.txt": requirements_of(page).encode(),
        "읽어두기.md": _readme(page).encode(),
        "data/catalog.yml": yaml.safe_dump({n: catalog[n] for n in names}, allow_unicode=True, sort_keys=False).encode(),
    }
    for name in names:
        files[f"data/{name}.csv"] = (ROOT / "data" / f"{name}.csv").read_bytes()
        files[f"data/generators/{name}.py"] = (ROOT / "data" / "generators" / f"{name}.py").read_bytes()
    for path in sorted((ROOT / "causal_practice").rglob("*.py")):
        files[path.relative_to(ROOT).as_posix()] = path.read_bytes()
    for extra in page.meta.get("depends") or []:
        if extra not in files:
            files[extra] = (ROOT / extra).read_bytes()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(f"{stem}/{name}", _FIXED_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, files[name])
    return buffer.getvalue()


def _readme(page: Page) -> str:
    stem = page.path.stem
    return (
        f"# {page.title}\n\n이 폴더만 있으면 돌아갑니다. 인터넷은 꾸러미를 설치할 때만 씁니다.\n\n"
        f"```\npip install -r requirements.txt jupyterlab\njupyter lab {stem}.ipynb\n```\n\n"
        f"- `{stem}.ipynb`: 실습용. `answer_1 = ...` 자리에 답을 쓰고 점검 셀을 실행합니다.\n"
        f"- `{stem}_정답.ipynb`: 정답과 해설이 들어 있습니다.\n"
        "- `data/`: 데이터, 카드, 생성기. `causal_practice/`: 노트북이 함께 쓰는 작은 패키지.\n\n"
        "코드는 MIT, 글은 CC BY 4.0입니다.\n"
    )


def launch_buttons(repository: str, branch: str, docname: str) -> list[dict]:
    """Colab과 Binder 단추. 저장소 주소가 비어 있으면 빈 목록입니다.

    Raises
    ------
    ValueError
        주소가 ``https://github.com/이름/저장소`` 꼴이 아닐 때.
    """
    if not repository:
        return []
    parts = urlsplit(repository)
    path = parts.path.strip("/").removesuffix(".git")
    if parts.scheme != "https" or parts.hostname != "github.com" or path.count("/") != 1:
        raise ValueError(f"_config.yml의 repository.url은 https://github.com/이름/저장소 꼴이어야 합니다. 지금: {repository}")
    notebook = f"{docname.replace('/', '__')}.ipynb"
    return [
        {"label": "Colab", "kind": "colab", "url": f"https://colab.research.google.com/github/{path}/blob/{NOTEBOOK_BRANCH}/{notebook}"},
        {"label": "Binder", "kind": "binder", "url": f"https://mybinder.org/v2/gh/{path}/{NOTEBOOK_BRANCH}?urlpath=lab/tree/{quote(notebook)}"},
    ]


def colab_setup(repository: str) -> str:
    """Colab에서 여는 노트북의 첫 셀. Colab이 아니면 아무 일도 하지 않습니다."""
    return (
        "# Colab에서 열었을 때만 꾸러미와 데이터를 가져옵니다.\n"
        "import subprocess, sys\n"
        'if "google.colab" in sys.modules and "book" not in sys.path:\n'
        f'    subprocess.run(["git", "clone", "-q", "--depth", "1", "-b", "{NOTEBOOK_BRANCH}", "{repository}", "book"], check=True)\n'
        '    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "-r", "book/requirements.txt"], check=True)\n'
        '    sys.path.insert(0, "book")'
    )


def notebook_branch(pages: list[tuple[Page, Execution]], repository: str, folder: Path, site: str = "") -> None:
    """``notebooks`` 가지에 올릴 폴더를 만듭니다: 실습 노트북, 데이터, causal_practice, 모든 쪽의 requirements.txt."""
    import shutil

    folder.mkdir(parents=True, exist_ok=True)
    needed: set[str] = set()
    for page, execution in pages:
        notebook = convert(page, execution, site=site)
        first = nbformat.v4.new_code_cell(colab_setup(repository))
        first["id"] = "colab-setup"
        notebook.cells.insert(0, first)
        (folder / f"{page.docname.replace('/', '__')}.ipynb").write_text(nbformat.writes(notebook), encoding="utf-8")
        needed |= set(requirements_of(page).splitlines())
    (folder / "requirements.txt").write_text("\n".join(sorted(needed)) + "\n", encoding="utf-8")
    for name in ("data", "causal_practice"):
        shutil.copytree(ROOT / name, folder / name, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))


def _add_buttons(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    source = Path(app.srcdir) / f"{pagename}.md"
    if doctree is None or app.builder.format != "html" or not source.is_file():
        return
    page = read_page(source)
    execution = stored(page) if page.is_notebook else None
    if execution is None or page.meta.get("kind") not in {"chapter", "case"}:
        return
    target = Path(app.outdir) / "downloads" / f"{pagename}.zip"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(bundle(page, execution, app.config.html_baseurl or ""))
    here = PurePosixPath(pagename).parent
    tools = context.setdefault("page_tools", [])
    tools.append(
        {"label": "노트북 내려받기", "kind": "download", "url": os.path.relpath(f"downloads/{pagename}.zip", here).replace(os.sep, "/"), "attributes": " download"}
    )
    options = app.config.html_theme_options
    tools.extend(launch_buttons(options.get("repository_url") or "", options.get("repository_branch") or "main", pagename))


def setup(app: Sphinx) -> dict:
    app.connect("html-page-context", _add_buttons, priority=450)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
