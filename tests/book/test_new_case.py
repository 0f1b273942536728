"""새 사례 만들기와 사례 점검: 임시 저장소에서 처음부터 끝까지."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field

import nbformat
import pytest
import yaml
from forked import Forked

from benchmarks import ceremony
from book.checks import executed, structure
from book.commands import new_case
from book.execution import Execution
from book.page import ROOT, Page, PageError, read_page
from causal_practice.answers import ANSWER_MIME
from causal_practice.claims import CLAIM_MIME, VALIDATION_MIME

NEEDED = ("book", "causal_practice", "causal_pipeline", "data", "case_studies", "guides", "chapters")
FILES = (
    "index.md",
    "_toc.yml",
    "_config.yml",
    "requirements.txt",
    "requirements-scale.txt",
    "requirements.lock",
    "pyproject.toml",
    "tests/pages/test_template_case.py",
    "tests/pages/test_formulas.py",
    "tests/conftest.py",
    "tests/ledger.py",
    "assets/static/icon.svg",
)
IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc", "search_assets", "slides_assets", "vendor")


def copy_repository(target):
    """명령이 쓰는 것만 베낀 저장소."""
    for folder in NEEDED:
        shutil.copytree(ROOT / folder, target / folder, ignore=IGNORED)
    for name in FILES:
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target / name)
    return target


def environment(root) -> dict[str, str]:
    env = {
        k: v
        for k, v in os.environ.items()
        if k not in {"BOOK_BUILD_DIR", "BOOK_EXECUTION_DIR", "CAUSAL_PRACTICE_DATA", "DEBUG"}
    }
    return env | {
        "PYTHONPATH": str(root),
        "OMP_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONIOENCODING": "utf-8",
    }


def run(root, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=root, env=environment(root), capture_output=True, text=True, check=False)


def snapshot(root) -> dict[str, bytes]:
    """저장소의 파일과 내용. 실행 결과와 바이트코드는 뺍니다."""
    skip = {"__pycache__", "_build"}
    return {
        p.relative_to(root).as_posix(): p.read_bytes()
        for p in sorted(root.rglob("*"))
        if p.is_file() and not skip & set(p.relative_to(root).parts)
    }


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """`make new-case NAME=kakao_push`를 마친 임시 저장소."""
    root = copy_repository(tmp_path_factory.mktemp("repository"))
    made = run(root, "-m", "book.commands.new_case", "kakao_push")
    assert made.returncode == 0, made.stdout + made.stderr
    return root


@pytest.fixture(scope="module")
def quick(repository):
    """같은 저장소에서, 꾸러미를 불러 둔 프로세스로 돌립니다."""
    server = Forked(repository, environment(repository))
    yield server.run
    server.close()


def test_a_new_case_passes_check_case_as_it_is(repository):
    done = run(repository, "-m", "book.commands.check_case", "kakao_push")
    assert done.returncode == 0, done.stdout + done.stderr
    for part in (
        "1. 원고: 괜찮습니다",
        "2. 데이터: 괜찮습니다",
        "3. 실행: 괜찮습니다",
        "4. 정답, 자기 점검, 예산: 괜찮습니다",
        "5. 다른 자료에서, 단위와 방향: 괜찮습니다",
        "6. 저장소 밖의 두 번째 실행: 괜찮습니다",
        "7. 쪽의 시험: 괜찮습니다",
        "(주의) 검토 기록 reviews/case_studies/kakao_push.yml가 없습니다",
        "모두 통과했습니다. 다 썼으면 검토를 부탁하고",
    ):
        assert part in done.stdout


def test_little_of_it_is_ceremony(repository):
    """세는 법은 benchmarks/ceremony.py에 있습니다."""
    text = {
        path: (repository / path).read_text(encoding="utf-8")
        for path in new_case.files_of("kakao_push").values()
        if not path.endswith("csv")
    }
    page, generator, test = text.values()
    card = re.search(
        r"^kakao_push:\n(?:[ #].*\n?|\n)*", (repository / "data/catalog.yml").read_text(encoding="utf-8"), re.MULTILINE
    )
    counts = [
        ceremony.page_lines(page),
        ceremony.generator_lines(generator),
        ceremony.card_lines(card.group()),
        ceremony.test_lines(test),
    ]
    assert sum(content for _, content in counts) > 300
    assert ceremony.share(dict(enumerate(counts))) <= ceremony.TARGET


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("data/generators/kakao_push.py", '"defects_1": defects_1', '"views_1": defects_1', "['defects_1'] 열이 없습니다 — tests/pages/test_kakao_push.py의 potential"),
        ("data/generators/kakao_push.py", "removal", "open_rate", "DEFAULTS에 ['removal'] 인자가 없습니다"),
        ("data/catalog.yml", "source_page: case_studies/kakao_push", "source_page: case_studies/kakao_push\n  x: {ATE: 1}", "truth에 ATE이(가) 없습니다(있는 것: ATT)"),
    ],
)  # fmt: skip
def test_the_copied_test_says_what_to_mend(repository, file, old, new, says):
    path = repository / file
    before = path.read_text(encoding="utf-8")
    card = before.index("kakao_push:\n  title") if file.endswith("yml") else 0
    text = before[:card] + before[card:].replace(old, new)
    if file.endswith("yml"):
        text = text[:card] + text[card:].replace("truth: {ATE:", "truth: {ATT:").replace("  x: {ATE: 1}\n", "")
    path.write_text(text, encoding="utf-8")
    try:
        done = run(repository, "-m", "pytest", "-q", "-n", "0", "tests/pages/test_kakao_push.py")
    finally:
        path.write_text(before, encoding="utf-8")
    assert done.returncode == 1 and says in done.stdout and "KeyError" not in done.stdout, done.stdout


def test_it_is_a_draft_outside_the_table_of_contents_with_its_own_card(repository):
    text = (repository / "case_studies/kakao_push.md").read_text(encoding="utf-8")
    meta = yaml.safe_load(text.split("---\n")[1])
    assert "admonition} 안내" not in text and "% 안내: " in text
    assert meta["draft"] is True and meta["datasets"] == ["kakao_push"]
    assert "\n# 새 사례 kakao_push\n" in text and "template_case" not in text and "% 템플릿 안내" not in text
    assert "kakao_push" not in (repository / "_toc.yml").read_text(encoding="utf-8")
    cards = yaml.safe_load((repository / "data/catalog.yml").read_text(encoding="utf-8"))
    before = yaml.safe_load((ROOT / "data/catalog.yml").read_text(encoding="utf-8"))
    assert cards["kakao_push"] == before["template_case"] | {"source_page": "case_studies/kakao_push"}
    assert {k: v for k, v in cards.items() if k != "kakao_push"} == before


def test_the_first_description_may_stay_in_a_draft_only(repository):
    text = (repository / "case_studies/kakao_push.md").read_text(encoding="utf-8")
    for draft in (True, False):
        meta = yaml.safe_load(text.split("---\n")[1]) | {"draft": draft}
        found = structure.check(Page(PAGE.path.with_name("kakao_push.md"), text, meta))
        assert ("guidance" in {finding.rule for finding in found}) is not draft


def test_the_table_of_contents_and_the_template_are_left_alone(repository):
    for name in ("_toc.yml", "case_studies/template.md", "data/generators/template_case.py", "data/template_case.csv"):
        assert (repository / name).read_bytes() == (ROOT / name).read_bytes()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("카카오", "한글을 쓸 수 없습니다"), ("kakao push", "빈칸이 있습니다"), ("Kakao-Push", "'kakao_push'은(는) 어떤가요?"), ("", "이름이 없습니다"),
        ("template", "이미 다른 뜻으로"), ("class", "이미 다른 뜻으로"), ("../up", "쓸 수 없는 이름"), ("1st", "쓸 수 없는 이름"), ("a__b", "'a_b'"),
        ("ticket_response", "이미 있습니다"), ("kakao_push", "case_studies/kakao_push.md"), ("x" * 41, "40자"),
    ],
)  # fmt: skip
def test_a_bad_name_is_refused_in_korean_and_leaves_nothing(repository, name, says):
    before = snapshot(repository)
    with pytest.raises(PageError, match=".") as refused:
        new_case.create(name, repository)
    assert says in str(refused.value)
    assert snapshot(repository) == before


def test_the_command_refuses_without_a_traceback(repository):
    done = run(repository, "-m", "book.commands.new_case", "카카오")
    assert done.returncode == 1 and "한글을 쓸 수 없습니다" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("fails_at", range(1, 6))
def test_a_failure_at_any_step_leaves_nothing_half_written(repository, monkeypatch, fails_at):
    before, calls, real = snapshot(repository), [], os.replace

    def failing(source, target):
        calls.append(target)
        if len(calls) == fails_at:
            raise OSError("디스크가 가득 찼습니다")
        real(source, target)

    monkeypatch.setattr(new_case.os, "replace", failing)
    with pytest.raises(OSError, match="디스크"):
        new_case.create("naver_ads", repository)
    assert snapshot(repository) == before


def test_an_interrupt_after_the_card_rolls_the_card_back(repository, monkeypatch):
    before, real = snapshot(repository), os.replace

    def interrupted(source, target):
        real(source, target)
        if str(target).endswith("catalog.yml"):
            raise KeyboardInterrupt

    monkeypatch.setattr(new_case.os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        new_case.create("naver_ads", repository)
    assert snapshot(repository) == before


# ── 점검: 새 사례를 한 곳씩 망가뜨립니다 ──


@pytest.fixture
def broken(repository, quick):
    """원고나 데이터를 한 곳 고쳐 점검한 결과를 돌려주고, 끝나면 되돌립니다."""
    saved = {}

    def edit(changes, *flags: str, file: str = "case_studies/kakao_push.md"):
        path = repository / file
        saved.setdefault(path, path.read_bytes())
        text = path.read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        path.write_text(text, encoding="utf-8")
        done = quick("-m", "book.commands.check_case", *flags, "kakao_push")
        assert done.returncode == 1 and "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
        return text, done.stdout

    yield edit
    for path, content in saved.items():
        path.write_bytes(content)


def test_check_case_names_file_and_line_of_each_fault(broken):
    faults = [  # 고칠 글, 고친 글, 줄을 찾을 글, 알리는 말
        ("## 8. 식별\n", "", "## 9. 추정\n", "'식별' 절이 없습니다"),
        (
            "{eval}`left_low:.1f`개)만 남습니다",
            "2.4개)만 남습니다",
            "2.4개)만",
            "'2.4'이(가) 계산한 값에 묶이지 않았고",
        ),
        ('estimand="ATE"', 'estimand="ATT"', 'validate("추가', "코드는 ATT를"),
        ("모델의 가정은 다르지만", "추정치의 가정은 다르지만", "추정치의", "'추정값'(으)로 고치세요"),
        ("없애자는 말이 나옵니다.", "없애자는 말이 나온다.", "말이 나온다.", "해라체 문장입니다"),
        ('load("kakao_push")', 'load("kakao_pusj")', 'load("kakao_pusj")', "혹시 'kakao_push'인가요?"),
        (
            ':tags: [self-check]\ncheck_answer("연습 3',
            'check_answer("연습 3',
            ":::{exercise} 연습 3.",
            "자기 점검이 없습니다",
        ),
    ]
    text, out = broken([(old, new) for old, new, _, _ in faults], "--no-run")
    rows = [row.strip() for row in out.splitlines()]
    for _, _, where, says in faults:
        line = text[: text.index(where)].count("\n") + 1
        assert any(row.startswith(f"case_studies/kakao_push.md:{line}: ") and says in row for row in rows), (
            line,
            says,
            out,
        )


@pytest.mark.parametrize(
    ("changes", "file", "says"),
    [
        (
            [('"seed": 77', '"seed": 78')],
            "data/generators/kakao_push.py",
            "data/kakao_push.csv:1: 생성기가 만든 것과 다릅니다 — `make data NAME=kakao_push`",
        ),
        (
            [("def generate(", "def generate(:")],
            "data/generators/kakao_push.py",
            "data/generators/kakao_push.py:24: 파이썬으로 읽지 못했습니다",
        ),
        (
            [("np.random.default_rng(seed)", "np.random.default_rng()")],
            "data/generators/kakao_push.py",
            "같은 씨앗인데 다른 표가",
        ),
        (
            [("if not 0 <= hidden <= 2", "if hidden > 2")],
            "data/generators/kakao_push.py",
            "있을 수 없는 hidden=-1000000000.0을(를) 받아들였습니다",
        ),
        (
            [("rng.uniform(0, 200, n)", "rng.uniform(-9, 200, n)")],
            "data/generators/kakao_push.py",
            "범위 [0, 200] 밖의 값",
        ),
        ([("kakao_push:\n  title:", "kakao_push:\n  titel:")], "data/catalog.yml", "'title' 항목이 없습니다"),
        ([("kakao_push:\n  title:", "kakao_push:\n title: [")], "data/catalog.yml", "YAML로 읽지 못했습니다"),
    ],
)
def test_check_case_explains_broken_data(broken, changes, file, says):
    _, out = broken(changes, "--no-run", file=file)
    assert says in out


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            lambda text: text.replace("potential=(", "potential=(*"),
            "열이 없습니다 — tests/pages/test_kakao_push.py의 potential",
        ),
        (lambda text: text + "\n\ndef test_of_mine():\n    assert 1 > 2, '까닭'\n", "AssertionError: 까닭"),
        (lambda text: "", "시험이 돌지 못했습니다"),
        (None, "tests/pages/test_kakao_push.py:1: 쪽의 시험이 없습니다 — "),
    ],
)
def test_the_pages_own_test_is_part_of_check_case(repository, quick, change, says):
    path = repository / "tests/pages/test_kakao_push.py"
    before = path.read_text(encoding="utf-8")
    path.unlink() if change is None else path.write_text(change(before), encoding="utf-8")
    code = (
        "from book.commands.check_case import _own_tests, locate; print(*_own_tests(locate('kakao_push')), sep='\\n')"
    )
    try:
        done = quick("-c", code)
    finally:
        path.write_text(before, encoding="utf-8")
    assert says in done.stdout and not done.stderr, done.stdout + done.stderr


def test_a_formula_of_the_draft_is_compared_with_the_formula(repository, quick):
    """쪽의 시험이 통과해도, 손으로 적은 식이 틀리면 시험(tests/pages/test_formulas.py)과 똑같이 알립니다."""
    path = repository / "case_studies/kakao_push.md"
    before = path.read_text(encoding="utf-8")
    right = "return fit.tvalues[name] ** 2 / (fit.tvalues[name] ** 2 + fit.df_resid)"
    assert right in before
    code = (
        "from book.commands.check_case import _pytest; "
        "print(*_pytest('tests/pages/test_formulas.py', '-k', 'kakao_push'), sep='\\n')"
    )
    assert not quick("-c", code).stdout.strip()
    path.write_text(before.replace(right, right.replace("df_resid", "nobs")), encoding="utf-8")
    try:
        done = quick("-c", code)
    finally:
        path.write_text(before, encoding="utf-8")
    assert "kakao_push-partial_r2" in done.stdout or "test_formulas.py:" in done.stdout, done.stdout + done.stderr


def test_a_failing_cell_is_named_with_its_line_and_no_traceback(broken):
    text, out = broken([("cleaned = lots", "cleaned = lotz")])
    line = text[: text.index("cleaned = lotz")].count("\n") + 1
    assert "1번째 코드 셀: NameError" in out
    assert f"멈춘 곳 case_studies/kakao_push.md:{line}: cleaned = lotz" in out


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ([("kind: case\n", "kind: [case\n")], ["YAML로 읽지 못했습니다"]),
        (
            [("week: 5\n", "week: 다섯\n"), ("cost, loss = 12.0", "cost, loss = (12.0")],
            ["0에서 12까지", "괄호와 들여쓰기", "위의 머리말과 코드를 고친 뒤에"],
        ),
    ],
)
def test_what_cannot_run_is_reported_before_running(broken, changes, says):
    _, out = broken(changes)
    assert all(part in out for part in says)


@pytest.mark.parametrize(
    ("call", "test"),
    [
        ("inspect_page(page)", "tests/pages/test_pages.py"),
        ("executed.check(page, ", "tests/pages/test_claims.py"),
        ("datasets.check(name)", "tests/pages/test_generators.py"),
        ("redrawn.check(page, ", "tests/pages/test_redraw.py"),
        ("meaning.check(page, ", "tests/pages/test_redraw.py"),
        ("numbers.check(page, ", "tests/pages/test_redraw.py"),
        ("reviewed_text.check(page)", "tests/pages/test_reviewed_text.py"),
        ("second_run.check(page, ", "tests/pages/test_second_run.py"),
    ],
)
def test_check_case_and_the_tests_run_the_same_rules(call, test):
    """쪽마다 보는 것은 한 함수이고, 시험도 그 결과를 걸러 내지 않습니다. check_page는 inspect_page에서 '주의'만 뺀 것입니다."""
    source = (ROOT / "book/commands/check_case.py").read_text(encoding="utf-8")
    used = (ROOT / test).read_text(encoding="utf-8")
    assert call in source
    assert call.replace("inspect_page", "check_page") in used
    assert ".rule" not in used and "deselect" not in used


def test_an_unknown_case_suggests_near_ones(quick):
    done = quick("-m", "book.commands.check_case", "kakao_psh")
    assert (
        done.returncode == 1
        and "혹시 kakao_push인가요?" in done.stdout
        and "make new-case NAME=kakao_psh" in done.stdout
    )
    assert "있는 사례: " in quick("-m", "book.commands.check_case").stdout


# ── 실행 결과의 검사 ──

PAGE = read_page("case_studies/template.md")
CLAIM = {
    "name": "추가 세척",
    "estimand": "ATE",
    "unit": "개",
    "truth": -4.2,
    "naive": 0.4,
    "estimate": -4.0,
    "low": -4.4,
    "high": -3.6,
}
VALIDATION = {
    "name": "추가 세척",
    "method": "이중 강건",
    "draws": 300,
    "assumptions_hold": True,
    "truth": -4.2,
    "bias": 0.0,
    "coverage": 0.95,
    "nominal": 0.95,
}
ANSWER = {"label": "연습 1", "status": "right", "wrong_answers_rejected": 1}


@dataclass(frozen=True)
class FakeExecution(Execution):
    outputs: list = field(default_factory=list)

    def notebook(self):
        cell = nbformat.v4.new_code_cell("")
        cell.outputs = [nbformat.v4.new_output("display_data", data=data) for data in self.outputs]
        return nbformat.v4.new_notebook(cells=[cell])


def examine(
    claim=None,
    validation=None,
    answer=None,
    seconds=10.0,
    memory=300.0,
    png=False,
    alt="오르는 선이 보입니다. 끝에서 멈춥니다.",
):
    text = (
        "---\nkind: case\n---\n"
        f'```{{code-cell}} ipython3\n:mystnb: {{image: {{alt: "{alt}"}}}}\n'
        'record_claim("추가 세척", estimand="ATE")\nrecord_validation("추가 세척")\ncheck_answer("연습 1", 1, 1)\n```\n'
    )
    outputs = [
        {CLAIM_MIME: CLAIM | (claim or {})},
        {VALIDATION_MIME: VALIDATION | (validation or {})},
        {ANSWER_MIME: ANSWER | (answer or {})},
    ]
    outputs += [{"image/png": "AAAA"}] if png else []
    done = FakeExecution(PAGE.docname, "key", PAGE.path, seconds, memory, False, outputs=outputs)
    return executed.check(Page(PAGE.path, text, {"estimand": "ATE"}), done)


def test_a_sound_run_passes():
    assert examine(png=True) == []


@pytest.mark.parametrize(
    ("change", "line", "says"),
    [
        ({"claim": {"estimate": -2.0, "low": -2.4, "high": -1.6}}, 6, "정답 -4.2에서 멉니다"),
        ({"claim": {"naive": -4.1}}, 6, "정답에 가깝습니다"),
        ({"claim": {"estimand": "ATT"}}, 6, "코드는 ATT를"),
        ({"validation": {"draws": 50, "coverage": 0.96}}, 7, "50번만"),
        ({"validation": {"coverage": 0.80}}, 7, "80%만 담습니다"),
        ({"validation": {"bias": 1.0}}, 7, "오차 셋을(를) 넘습니다"),
        ({"validation": {"assumptions_hold": False, "coverage": 0.2}}, 7, "가정이 성립하는 자료"),
        ({"answer": {"status": "wrong"}}, 8, "자기 점검을 통과하지 못합니다"),
        ({"answer": {"wrong_answers_rejected": 0}}, 8, "흔한 오답이 없습니다"),
        ({"answer": {"tolerance_share": 0.53}}, 8, "허용 오차가 정답의 53%"),
        ({"seconds": 95.0}, 1, "95초 걸렸습니다"),
        ({"memory": 3000.0}, 1, "3000MB"),
        ({"png": True, "alt": ""}, 4, "대체 텍스트가 없습니다"),
    ],
)
def test_what_a_run_gets_wrong_is_named_with_its_line(change, line, says):
    found = examine(**change)
    assert [(f.line, says in f.message) for f in found] == [(line, True)], [str(f) for f in found]


def test_an_assumption_said_to_be_broken_must_break():
    found = examine(validation={"assumptions_hold": False, "coverage": 0.95})
    assert any("여전히 정답을 담습니다" in f.message for f in found)


@dataclass(frozen=True)
class FilledExecution(FakeExecution):
    """본문의 값까지 간직한 실행."""

    def notebook(self):
        cells = [
            nbformat.v4.new_code_cell("x = 2.4"),
            nbformat.v4.new_markdown_cell("값은 **{eval}`x:.1f`**이 큽니다."),
        ]
        known = {"1": {"x:.1f": {"text": "2.4", "value": 2.4}}}
        return nbformat.v4.new_notebook(cells=cells, metadata={"values": known})


def test_a_particle_is_checked_after_the_value_is_put_in():
    text = "---\nkind: guide\n---\n```{code-cell} ipython3\nx = 2.4\n```\n\n값은 **{eval}`x:.1f`**이 큽니다.\n"
    page = Page(PAGE.path, text, {"kind": "guide"})
    (found,) = executed.check(page, FilledExecution(PAGE.docname, "key", PAGE.path, 1.0, 1.0, False))
    assert found.rule == "particle" and found.line == 8 and "'2.4가'" in found.message
