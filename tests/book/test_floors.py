"""층: 위층만 아래층을 읽고, 두 파일이 서로를 읽지 않으며, 남의 파일의 밑줄로 시작하는 이름을 쓰지 않습니다.

확장과 명령 → book → causal_practice. 확장은 causal_pipeline도 읽고, causal_pipeline은 어느 쪽도 읽지 않습니다. 함수 안에서 불러오는 것도 셉니다.
"""

import ast
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

import causal_practice
from book.page import ROOT

# 층 → 읽어도 되는 층. 파일은 이름이 가장 길게 맞는 층에 속합니다.
FLOORS = {
    "data.generators": set(),
    "causal_practice": {"causal_practice"},
    "causal_pipeline": {"causal_pipeline"},
    "case_studies": {"case_studies", "causal_practice"},
    "book": {"book", "causal_practice"},
    # 확장은 파이프라인의 스키마와 설계를 읽어 길잡이의 표를 냅니다. 손으로 옮겨 적은 표는 낡습니다
    "book.extensions": {"book.extensions", "book", "causal_practice", "causal_pipeline"},
    "book.commands": {"book.commands", "book", "causal_practice"},
    "benchmarks": {"benchmarks", "book", "causal_practice", "causal_pipeline"},
    "tests": {
        "tests",
        "benchmarks",
        "book.commands",
        "book.extensions",
        "book",
        "case_studies",
        "causal_practice",
        "causal_pipeline",
    },
}
# 독자가 부르는 패키지는 작고, 셈을 하는 라이브러리를 부르지 않습니다. 추정은 쪽에 있습니다.
PRACTICE_MAY_IMPORT = {"IPython", "matplotlib", "matplotlib_inline", "networkx", "numpy", "packaging", "pandas", "yaml"}
ESTIMATING = {"linalg", "lstsq", "polyfit", "solve", "fit", "predict"}
PRACTICE_LINES, PRACTICE_NAMES = 1250, 16


class Arrow(NamedTuple):
    """``source``의 파일이 ``target``을 읽습니다. ``name``은 거기서 쓴 이름(없으면 빈 글자)."""

    source: str
    target: str
    name: str


def read_modules(root: Path) -> dict[str, Path]:
    """저장소의 파이썬 파일: 점으로 이은 이름 → 자리."""
    tops = {floor.split(".")[0] for floor in FLOORS}
    found = {}
    for path in sorted(path for top in tops for path in (root / top).rglob("*.py")):
        found[".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")] = path
    return found


def arrows_of(module: str, text: str, known: set[str]) -> list[Arrow]:
    """파일 하나가 다른 파일을 읽는 화살표. ``모듈._이름``처럼 점으로 꺼내 쓴 것도 화살표입니다."""
    tree, found, called = ast.parse(text), [], {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name in known:
                    found.append(Arrow(module, alias.name, ""))
                    called[alias.asname or alias.name] = alias.name
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module}:{node.lineno}: 점으로 시작하는 상대 경로로 불러오지 않습니다."
            for alias in node.names:
                if (whole := f"{node.module}.{alias.name}") in known:
                    found.append(Arrow(module, whole, ""))
                    called[alias.asname or alias.name] = whole
                elif node.module in known:
                    found.append(Arrow(module, node.module, alias.name))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (owner := called.get(ast.unparse(node.value))):
            found.append(Arrow(module, owner, node.attr))
    return [arrow for arrow in found if arrow.target != module]


def floor_of(module: str) -> str:
    """파일이 속한 층."""
    return max((floor for floor in FLOORS if module == floor or module.startswith(f"{floor}.")), key=len)


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def circles(arrows: list[Arrow]) -> list[set[str]]:
    """서로를 (몇 다리를 건너서라도) 읽는 파일의 무리."""
    reads: dict[str, set[str]] = {}
    for arrow in arrows:
        reads.setdefault(arrow.source, set()).add(arrow.target)

    @cache
    def reached(start: str) -> frozenset[str]:
        seen, todo = set(), [start]
        while todo:
            for target in reads.get(todo.pop(), set()) - seen:
                seen.add(target)
                todo.append(target)
        return frozenset(seen)

    found: list[set[str]] = []
    for module in sorted(reads):
        circle = {other for other in reached(module) if module in reached(other)}
        if circle and circle not in found:
            found.append(circle)
    return found


def broken_rules(modules: dict[str, str], where: dict[str, str]) -> set[str]:
    """어긴 자리. ``modules``는 이름 → 글, ``where``는 이름 → 보여 줄 자리."""
    arrows = [arrow for module, text in modules.items() for arrow in arrows_of(module, text, set(modules))]
    found = {
        f"{where[arrow.source]} → {where[arrow.target]}"
        for arrow in arrows
        if floor_of(arrow.target) not in FLOORS[floor_of(arrow.source)]
    }
    found |= {f"{where[arrow.source]}: {arrow.target}.{arrow.name}" for arrow in arrows if is_private(arrow.name)}
    return found | {" ↔ ".join(sorted(where[module] for module in circle)) for circle in circles(arrows)}


def test_the_floors_hold():
    places = read_modules(ROOT)
    where = {module: path.relative_to(ROOT).as_posix() for module, path in places.items()}
    found = broken_rules({module: path.read_text(encoding="utf-8") for module, path in places.items()}, where)
    assert not found, "층을 어깁니다. 함께 쓰는 것을 아래층의 파일로 옮기거나 밑줄을 떼고 뜻을 적으세요."


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"book.page": "", "book.links": "from book.page import ROOT"}, set()),
        (
            {"book.page": "from book.commands import build", "book.commands.build": ""},
            {"book.page → book.commands.build"},
        ),
        (
            {"book.page": "def f():\n    import benchmarks.book as b", "benchmarks.book": ""},
            {"book.page → benchmarks.book"},
        ),
        (
            {"causal_pipeline.spec": "from causal_practice.data import load", "causal_practice.data": ""},
            {"causal_pipeline.spec → causal_practice.data"},
        ),
        (
            {"data.generators.x": "import causal_practice", "causal_practice": ""},
            {"data.generators.x → causal_practice"},
        ),
        ({"book.a": "from book.b import _x", "book.b": ""}, {"book.a: book.b._x"}),
        ({"book.a": "from book import b as c\nc._x()", "book.b": ""}, {"book.a: book.b._x"}),
        ({"book.a": "import book.b\nbook.b._x()", "book.b": ""}, {"book.a: book.b._x"}),
        ({"book.a": "import book.b\nbook.b.__doc__", "book.b": ""}, set()),
        (
            {
                "book.a": "from book.b import x",
                "book.b": "def f():\n    from book.c import y",
                "book.c": "import book.a",
            },
            {"book.a ↔ book.b ↔ book.c"},
        ),
    ],
)
def test_each_rule_is_seen(files, expected):
    assert broken_rules(files, {name: name for name in files}) == expected


def test_the_package_readers_import_is_small_and_estimates_nothing():
    files = sorted((ROOT / "causal_practice").rglob("*.py"))
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files) <= PRACTICE_LINES
    assert len(causal_practice.__all__) <= PRACTICE_NAMES
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            others = {name.split(".")[0] for name in names} - sys.stdlib_module_names - {"causal_practice"}
            assert others <= PRACTICE_MAY_IMPORT, (
                f"{path.name}:{getattr(node, 'lineno', 0)}: {others - PRACTICE_MAY_IMPORT}"
            )
            assert not (isinstance(node, ast.Attribute) and node.attr in ESTIMATING), (
                f"{path.name}:{node.lineno}: {ast.unparse(node)}"
            )
