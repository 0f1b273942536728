"""쪽마다 한 번 더 실행합니다: 진행자용 꾸러미를 저장소 밖에 풀어, 다른 해시 씨앗으로 돌리고, 찍힌 숫자를 사이트의 실행과 견줍니다.

`make check-case`와 시험(tests/pages/test_second_run.py)이 같은 :func:`check`를 부릅니다. 실행은 꾸러미, 본문의 식, 잠근 패키지,
파이썬의 판에만 달렸으므로, 이것들이 ``benchmarks/second_run.yml``에 적힌 그대로이면 다시 돌리지 않습니다. 그래도 시험은 쪽의
넷에 하나를 돌아가며 그 자리에서 돌리고(:func:`on_turn`), 글만 보는 두 검사는 늘 합니다. 한 번의 실행으로 보는 것:

* 두 번째 독립 실행: 해시 씨앗 1, 새 커널에서 모든 셀의 출력·주장·검증·답과 본문의 ``{eval}`` 값이 저장된 것과 같은지. 그림만
  견주지 않습니다.
* 저장소 밖 실행: 꾸러미에 든 파일만으로 돌고(저장소의 패키지를 몰래 쓰지 않고) 네트워크에 붙지 않는지. 점검이 모두 '맞음'인지.
* 진행자용 노트북: 책의 셀에서 기록하는 줄(glue, record_claim, record_validation)만 빠졌는지 셀마다 구문으로 견줍니다.
* 실습용 노트북: 진행자용과 정답 셀만 다르고 그 자리가 ``answer_N = ...``인지, 정답 셀이 만든 다른 이름을 뒤의 셀이 쓰지 않는지
  구문으로 봅니다. 점검 셀은 같은 커널에서 답을 비우고 한 번 더 돌려 오류 없이 '빈 답'이 되는지 봅니다.
"""

import ast
import configparser
import io
import json
import re
import shutil
import symtable
import sys
import tempfile
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest
from pathlib import Path

import nbformat
import yaml
from IPython.core.inputtransformer2 import TransformerManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat.v4 import new_code_cell, new_notebook

from book import values
from book.bundle import bundle
from book.execution import Execution, digest, file_digest, kernel_environment, locked_page_packages
from book.files import write_atomically
from book.learner_notebook import convert, has_exercises, notebook_name
from book.myst import parse_code
from book.page import ROOT, Page, published_pages
from causal_practice.answers import ANSWER_MIME

RECORD = ROOT / "benchmarks" / "second_run.yml"
_HEAD = "# 저장소 밖의 두 번째 실행이 사이트와 같았던 쪽의 열쇠입니다. 손으로 고치지 말고 `make redraw`로 만드세요.\n"
TURN = 4  # 바뀌지 않은 쪽도 이 수에 하나는 시험마다 그 자리에서 돌립니다
RECORDERS = {"glue", "record_claim", "record_validation"}
NOT_COMPARED = {"image/png", "image/jpeg", "application/vnd.jupyter.widget-view+json"}  # 그림과, 번호가 매번 다른 위젯
CELL_SECONDS = 180
OURS = ("causal_practice", "causal_pipeline", "case_studies", "book")
# 우리 패키지를 어디에서 불러왔는지. 저장소의 것을 몰래 쓰지 않았는지 봅니다.
PROBE = f"""import sys
from causal_practice.data import data_dir
print(data_dir())
for name, module in sorted(sys.modules.items()):
    if name.split(".")[0] in {OURS} and getattr(module, "__file__", None):
        print(module.__file__)"""
_ANSWER = re.compile(r"answer_\d+")


# --- 견주기 ---


def read_rules() -> list[tuple[re.Pattern, str]]:
    """견주기 전에 지울 것: (찾는 것, 바꿀 말)."""
    parser = configparser.RawConfigParser()
    parser.read_string(Path(__file__).with_name("second_run.cfg").read_text(encoding="utf-8"))
    return [(re.compile(parser[name]["regex"]), parser[name]["replace"]) for name in parser.sections()]


RULES = read_rules()


def comparable(outputs: list) -> dict[str, list]:
    """셀의 출력을 견줄 수 있는 꼴로: 갈래(stdout, text/plain, 기록의 MIME …) → 차례대로의 내용."""
    found: dict[str, list] = {}
    for output in outputs:
        if output["output_type"] == "stream":
            found.setdefault(output["name"], [""])[0] += _clean(output["text"])  # 끊긴 자리는 매번 다를 수 있습니다
        elif output["output_type"] == "error":
            found.setdefault("error", []).append((output["ename"], output["evalue"]))
        else:
            for mime, content in output["data"].items():
                if mime not in NOT_COMPARED:
                    found.setdefault(mime, []).append(_clean(content))
    return found


def _clean(content):
    if isinstance(content, list):
        content = "".join(content)
    if isinstance(content, str):
        for pattern, new in RULES:
            content = pattern.sub(new, content)
    return content


def differences(first: list, second: list) -> list[str]:
    """두 실행의 코드 셀에서 출력이 다른 곳. 비어 있으면 같습니다."""
    found = []
    for number, (one, two) in enumerate(zip_longest(first, second), 1):
        if one is None or two is None:
            return [*found, f"{number}번째 코드 셀이 한쪽에만 있습니다."]
        before, after = comparable(one.outputs), comparable(two.outputs)
        for kind in sorted({*before, *after}):
            if before.get(kind) != after.get(kind):
                found.append(
                    f"{number}번째 코드 셀의 {kind}\n  사이트: {before.get(kind)}\n  두 번째: {after.get(kind)}\n  {one.source[:200]}"
                )
    return found


# --- 구문으로 견주기 ---


def statements(source: str) -> list[ast.stmt]:
    """셀의 문장. ``%``나 ``!``로 시작하는 줄도 읽습니다."""
    return parse_code(TransformerManager().transform_cell(source)).body


def is_recording(statement: ast.stmt) -> bool:
    """값을 남기기만 하고 이름을 새로 만들지 않는 문장."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in RECORDERS):
        return False
    return not any(isinstance(node, ast.NamedExpr) for node in ast.walk(call))


def presenter_problems(book_cells: list, made_cells: list) -> list[str]:
    """책의 코드 셀과 진행자용의 코드 셀이 기록하는 줄 말고 다른 곳. 비어 있으면 같습니다."""
    book = [s for cell in book_cells for s in statements(cell.source)]
    made = [s for cell in made_cells for s in statements(cell.source)]
    place = 0
    for statement in book:
        if place < len(made) and ast.dump(statement) == ast.dump(made[place]):
            place += 1
        elif not is_recording(statement):
            return [f"진행자용에 없거나 다른 문장입니다: {ast.unparse(statement)[:200]}"]
    return [f"책에 없는 문장입니다: {ast.unparse(s)[:200]}" for s in made[place:]]


def learner_problems(presenter: list, learner: list) -> list[str]:
    """진행자용과 실습용의 셀이 정답 셀 말고 다른 곳, 비운 답 때문에 뒤에서 멈출 곳. 비어 있으면 괜찮습니다."""
    found = []
    for full, blank in zip_longest(presenter, learner):
        if full is None or blank is None:
            return [*found, "셀의 수가 다릅니다."]
        if "solution" not in full.metadata.get("tags", []):
            if not same_but_for_reading(full, blank):
                found.append(f"정답 셀이 아닌데 다릅니다: {blank.source[:200]}")
            continue
        wanted = [f"{name} = ..." for name in sorted(answers_of(full.source), key=_number)]
        if sorted(map(ast.unparse, statements(blank.source)), key=_number) != wanted:
            found.append(f"정답 셀의 자리가 {wanted}이 아닙니다: {blank.source[:200]}")
    only = only_in_solutions(presenter)
    for cell in presenter:
        tags = cell.metadata.get("tags", [])
        if "solution" in tags:
            found += [
                f"정답 셀이 바깥의 것을 고칩니다. 실습용에서는 고쳐지지 않습니다: {text}"
                for text in changes_outside(cell.source)
            ]
        elif "self-check" not in tags:
            used = names_read(cell.source) & only
            found += [f"정답 셀만 만드는 {name}을(를) 다른 셀이 씁니다: {cell.source[:200]}" for name in sorted(used)]
    return found


def same_but_for_reading(full, blank) -> bool:
    """두 셀이 같으면 참. 학습자용 점검 셀에는 해설(``reading=…``)이 하나 더 있습니다."""
    if full.source == blank.source:
        return True
    if "self-check" not in blank.metadata.get("tags", []):
        return False
    tree = parse_code(blank.source)
    call = getattr(tree.body[-1], "value", None)
    if isinstance(call, ast.Call):
        call.keywords = [k for k in call.keywords if k.arg != "reading"]
    return ast.dump(tree) == ast.dump(parse_code(full.source))


def _number(text: str) -> int:
    return int(re.search(r"answer_(\d+)", text).group(1)) if _ANSWER.search(text) else -1


def names_made(source: str) -> set[str]:
    """셀의 맨 바깥에서 만드는 이름."""
    made = set()
    for node in walk_outside_functions(statements(source)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            made.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            made.add(node.name)
        elif isinstance(node, ast.alias):
            made.add((node.asname or node.name).split(".")[0])
    return made


def names_read(source: str) -> set[str]:
    """셀이 바깥에서 찾아 읽는 이름. 함수의 인자나 함수 안에서 만든 이름은 빠집니다."""

    def look(scope) -> set[str]:
        outermost = scope.get_type() == "module"
        own = {s.get_name() for s in scope.get_symbols() if s.is_referenced() and (outermost or s.is_global())}
        return own.union(*map(look, scope.get_children()))

    return look(symtable.symtable(TransformerManager().transform_cell(source), "셀", "exec"))


def walk_outside_functions(nodes: list):
    """함수와 내포 안으로는 들어가지 않고 훑습니다."""
    for node in nodes:
        yield node
        if not isinstance(
            node, (ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
        ):
            yield from walk_outside_functions(list(ast.iter_child_nodes(node)))


def answers_of(source: str) -> set[str]:
    return {name for name in names_made(source) if _ANSWER.fullmatch(name)}


def only_in_solutions(cells: list) -> set[str]:
    """정답 셀만 만드는 이름(답도 들어 있습니다)."""
    solved, others = set(), set()
    for cell in cells:
        (solved if "solution" in cell.metadata.get("tags", []) else others).update(names_made(cell.source))
    return solved - others


def changes_outside(source: str) -> list[str]:
    """정답 셀이 자기가 만들지 않은 것을 고치는 문장: ``frame["x"] = …``, ``total += …``, ``frame.drop(…, inplace=True)``."""
    own, found = names_made(source), []
    for statement in statements(source):
        for node in walk_outside_functions([statement]):
            target = (
                node.value
                if isinstance(node, (ast.Subscript, ast.Attribute)) and isinstance(node.ctx, (ast.Store, ast.Del))
                else None
            )
            if isinstance(node, ast.Call) and any(
                k.arg == "inplace" and ast.unparse(k.value) == "True" for k in node.keywords
            ):
                target = node.func
            while isinstance(target, (ast.Subscript, ast.Attribute)):
                target = target.value
            if isinstance(target, ast.Name) and target.id not in own:
                found.append(ast.unparse(statement)[:200])
    return found


def emptied_checks(cells: list) -> list[str]:
    """답을 비우고 점검 셀을 다시 돌리는 셀들: 정답 셀만 만든 이름은 먼저 지웁니다."""
    answers = {
        name for cell in cells if "solution" in cell.metadata.get("tags", []) for name in answers_of(cell.source)
    }
    gone = sorted(only_in_solutions(cells) - answers)
    head = [f"globals().pop({name!r}, None)" for name in gone] + [f"{name} = ..." for name in sorted(answers)]
    return [
        "\n".join(head) or "pass",
        *(cell.source for cell in cells if "self-check" in cell.metadata.get("tags", [])),
    ]


# --- 쪽마다 ---


def code_of(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def statuses(cells: list) -> list[str]:
    return [
        o["data"][ANSWER_MIME]["status"] for cell in cells for o in cell.outputs if ANSWER_MIME in o.get("data", {})
    ]


def ask_for_values(answer: dict):
    """앞 셀 다음의 본문이 부르는 식을 다시 계산하는 셀. 이름을 남기지 않습니다."""
    return new_code_cell(f'__import__("prose_values").publish({sorted(answer)!r}, globals())')


def unpack(page, execution, target: Path) -> Path:
    """꾸러미를 ``target``에 풀고 그 폴더를 돌려줍니다."""
    with zipfile.ZipFile(io.BytesIO(bundle(page, execution))) as file:
        assert all(name.startswith(f"{page.path.stem}/") and ".." not in name for name in file.namelist())
        file.extractall(target)
    return target / page.path.stem


def outside_environment(scratch: Path) -> dict[str, str]:
    """저장소를 모르는 환경: 네트워크 울타리와 본문의 식을 재는 파일만 둡니다. 해시 씨앗은 사이트의 실행(0)과 다릅니다."""
    fence = scratch / "fence"
    fence.mkdir()
    shutil.copyfile(ROOT / "book" / "kernel" / "sitecustomize.py", fence / "sitecustomize.py")
    shutil.copyfile(values.__file__, fence / "prose_values.py")
    env = {
        k: v
        for k, v in kernel_environment().items()
        if k not in {"CAUSAL_PRACTICE_DATA", "BOOK_BUILD_DIR", "BOOK_EXECUTION_DIR"}
    }
    return env | {"PYTHONHASHSEED": "1", "PYTHONPATH": str(fence), "NETWORK_ATTEMPTS": str(scratch / "network")}


def check(page: Page, execution: Execution, live: bool = False) -> list[str]:
    """고칠 것을 ``파일:줄: 무엇이 — 고치는 법`` 꼴로 모읍니다. 비어 있으면 합격입니다.

    Parameters
    ----------
    live : bool
        참이면 기록(``benchmarks/second_run.yml``)에 있는 쪽도 그 자리에서 한 번 더 돌립니다.
    """
    name = f"{page.docname}.md"
    book_cells = code_of(execution.notebook())
    if not any(cell.outputs for cell in book_cells):
        return [f"{name}:1: 출력이 하나도 없습니다 — 값을 찍거나 그리는 셀을 두세요."]
    with tempfile.TemporaryDirectory(prefix="second-run-") as scratch:
        folder = unpack(page, execution, Path(scratch).resolve())
        found = _copies(page, execution, book_cells, folder)
        if live or recorded().get(page.docname) != second_key(page, execution, folder):
            found += _run(page, execution, book_cells, folder)
    return [f"{name}:1: {problem}" for problem in found]


def recorded() -> dict[str, str]:
    """쪽의 이름 → 두 번째 실행이 맞았던 때의 열쇠."""
    found = yaml.safe_load(RECORD.read_text(encoding="utf-8")) if RECORD.is_file() else None
    return found if isinstance(found, dict) else {}


def on_turn(docnames: list[str]) -> set[str]:
    """이번 시험에서 기록이 있어도 그 자리에서 돌릴 쪽: 넷에 하나. 기록이 한 줄이라도 바뀌면 차례도 바뀝니다."""
    text = RECORD.read_bytes() if RECORD.is_file() else b""
    return {name for name in docnames if int(digest(text, name)[:8], 16) % TURN == 0}


def second_key(page: Page, execution: Execution, folder: Path) -> str:
    """두 번째 실행이 기대는 것의 지문(16진수 20자): 푼 꾸러미의 파일, 돌릴 셀, 본문의 식, 잠근 패키지, 파이썬의 판, 견주는 규칙.

    노트북 파일은 셀의 코드만 봅니다. 글에 적힌 수는 기계마다 끝자리가 다를 수 있기 때문입니다.
    """
    cells = [cell.source for cell in code_of(execution.notebook())]
    for path in sorted(folder.glob("*.ipynb")):
        cells += [path.name, *(cell.source for cell in code_of(nbformat.read(path, 4)))]
    prose = execution.notebook().metadata.get(values.METADATA_KEY) or {}
    asked = json.dumps({at: sorted(answer) for at, answer in prose.items()}, sort_keys=True, ensure_ascii=False)
    files = [p for p in sorted(folder.rglob("*")) if p.is_file() and p.suffix not in {".ipynb", ".pyc"}]
    shipped = [f"{p.relative_to(folder)}:{file_digest(p)}" for p in files]
    rules = [Path(__file__), Path(__file__).with_name("second_run.cfg"), Path(values.__file__)]
    rules += sorted((ROOT / "book" / "kernel").glob("*.py"))
    version = ".".join(map(str, sys.version_info[:2]))
    return digest(version, *locked_page_packages(), asked, *cells, *shipped, *map(file_digest, rules))[:20]


def remember(pages: list[Page], executed: Callable[[Page], Execution], workers: int = 2, report=print) -> list[str]:
    """기록이 낡은 쪽을 ``workers``개씩 다시 돌려 기록을 고칩니다. 차례에서 빠진 쪽의 줄은 지웁니다.

    Parameters
    ----------
    executed : callable
        쪽을 받아 사이트의 실행을 돌려주는 함수.

    Returns
    -------
    list of str
        맞지 않는 쪽의 고칠 것. 그 쪽은 기록하지 않습니다.
    """
    known = {page.docname for page in [*published_pages(), *pages]}
    before = {name: key for name, key in recorded().items() if name in known}
    kept, problems = dict(before), []
    with ThreadPoolExecutor(workers) as pool:
        for page, key, found in pool.map(lambda page: _again_if_changed(page, executed(page), before), pages):
            if found is None:
                continue
            report(f"  두 번째 실행  {page.docname}  {'다릅니다' if found else '같습니다'}")
            problems += found
            kept[page.docname] = "" if found else key
    text = yaml.safe_dump({name: key for name, key in sorted(kept.items()) if key}, default_flow_style=False)
    write_atomically(RECORD, _HEAD + text)
    return problems


def _again_if_changed(page: Page, execution: Execution, before: dict) -> tuple[Page, str, list[str] | None]:
    """쪽, 지금 열쇠, 다시 돌려 찾은 것(기록이 그대로이면 None)."""
    with tempfile.TemporaryDirectory(prefix="second-run-") as scratch:
        key = second_key(page, execution, unpack(page, execution, Path(scratch).resolve()))
    return page, key, None if before.get(page.docname) == key else check(page, execution, live=True)


def _copies(page: Page, execution: Execution, book_cells: list, folder: Path) -> list[str]:
    """(실행 없이) 진행자용과 실습용 노트북이 책의 셀과 다른 곳."""
    exercises = has_exercises(page)
    found = presenter_problems(book_cells, _presenter(page, folder))
    if exercises:
        learner = code_of(convert(page, execution, solutions=False))
        found += learner_problems(code_of(convert(page, execution, solutions=True)), learner)
    return found


def _presenter(page: Page, folder: Path) -> list:
    return code_of(nbformat.read(folder / notebook_name(page, solutions=has_exercises(page)), 4))


def _run(page: Page, execution: Execution, book_cells: list, folder: Path) -> list[str]:
    """꾸러미를 푼 폴더에서 한 번 더 돌려 다른 곳."""
    exercises, presenter, scratch, found = has_exercises(page), _presenter(page, folder), folder.parent, []
    again = [new_code_cell(cell.source) for cell in book_cells]
    prose = execution.notebook().metadata.get(values.METADATA_KEY) or {}
    asked = {int(position): ask_for_values(answer) for position, answer in prose.items()}
    run = [cell for number, own in enumerate(again, 1) for cell in (own, asked.get(number)) if cell is not None]
    extra = [new_code_cell(source) for source in [PROBE, *(emptied_checks(presenter) if exercises else [])]]
    client = NotebookClient(
        new_notebook(cells=run + extra), timeout=CELL_SECONDS, kernel_name="python3",
        resources={"metadata": {"path": str(folder)}}, record_timing=False,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],  # 커널이 여는 길에 대한 경고를 찍지 않습니다
    )  # fmt: skip
    try:
        client.execute(env=outside_environment(scratch))
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        last = str(error).strip().splitlines()[-1][:300]
        return [*found, f"저장소 밖에서 멈췄습니다({last}) — 꾸러미에 없는 파일이나 이름을 쓰는지 보세요."]
    if (scratch / "network").exists():
        found.append("꾸러미가 네트워크에 붙으려 했습니다 — 내려받는 코드를 지우고 데이터는 data/에 두세요.")
    found += [
        f"두 번째 실행에서 값이 다릅니다({what}) — 난수에 씨앗을 넘기고 집합의 차례에 기대지 마세요."
        for what in differences(book_cells, again)[:5]
    ]
    for position, cell in asked.items():
        if cell.outputs[0]["data"][values.VALUES_MIME] != prose[str(position)]:
            found.append(f"{position}번째 코드 셀 다음 본문의 값이 두 번째 실행과 다릅니다 — 난수에 씨앗을 넘기세요.")
    places = "".join(output["text"] for output in extra[0].outputs).splitlines()
    if len(places) < 2 or not all(place.startswith(str(folder)) for place in places):
        found.append(f"꾸러미 밖의 파일을 불러왔습니다({places}) — 저장소의 다른 패키지를 쓰지 마세요.")
    if exercises:
        if set(statuses(again)) != {"right"}:
            found.append("두 번째 실행에서 정답 셀이 자기 점검을 통과하지 못합니다 — 정답 셀이나 expected를 고치세요.")
        if statuses(extra) != ["empty"] * len(statuses(again)):
            found.append(
                "답을 비우면 점검이 '아직 답이 없습니다'라고 하지 않습니다 — 점검 셀이 정답 셀의 이름을 쓰지 않게 하세요."
            )
    return found
