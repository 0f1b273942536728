"""첫 화면과 길잡이: 계획과 실제가 어긋나지 않고, 적어 둔 명령과 판이 맞는다."""

import io
import re
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pytest
import yaml
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

from book.extensions.weekly_table import PLANNED, plan, read_weeks
from causal_practice import generator, truth
from causal_practice.environment import analysis_requirements, check_environment, package_problems
from book.page import PageError, read_page, toc_docnames

ROOT = Path(__file__).resolve().parent.parent.parent
WEEKS = read_weeks(ROOT / "guides/weeks.yml")
GUIDES = ["index.md", "guides/setup.md", "guides/running_a_session.md", "guides/method_map.md", "guides/library_traps.md"]


# --- 주차 계획 ---


def test_the_plan_has_thirteen_weeks_and_serves_every_question():
    assert [w["week"] for w in WEEKS] == list(range(13))
    cases = [c for w in WEEKS for c in w["cases"]]
    for question in (1, 2, 3, 4):
        assert any(question in c["questions"] for c in cases), f"{question}번 물음에 답하는 사례가 없습니다."
    assert all(w["cases"] for w in WEEKS[1:])


def test_each_chapter_keeps_its_number():
    for week in WEEKS:
        assert week["chapter"].startswith(f"chapters/week{week['week']:02d}_")


def test_published_cases_sit_in_their_planned_week():
    where = {c["page"]: w["week"] for w in WEEKS for c in w["cases"]}
    for name in toc_docnames():
        if name in where and (ROOT / f"{name}.md").is_file():
            assert read_page(f"{name}.md").meta["week"] == where[name], name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w.pop(0), "0부터 차례로"),
        (lambda w: w[1].pop("minutes"), "'minutes' 칸이 없습니다"),
        (lambda w: w[1]["minutes"].update(read=0), "양의 정수"),
        (lambda w: w[1]["cases"][0].pop("industry"), "industry"),
        (lambda w: w[2].update(chapter=w[1]["chapter"]), "두 번 나옵니다"),
        (lambda w: w[1].update(questions=[5]), "1, 2, 3, 4"),
    ],
)
def test_a_broken_plan_says_what_is_wrong(tmp_path, change, message):
    weeks = yaml.safe_load((ROOT / "guides/weeks.yml").read_text(encoding="utf-8"))
    change(weeks)
    path = tmp_path / "weeks.yml"
    path.write_text(yaml.safe_dump(weeks, allow_unicode=True), encoding="utf-8")
    with pytest.raises(PageError, match=message):
        read_weeks(path)


# --- 주차 표를 그리는 작은 책 ---


@pytest.fixture
def small_book(tmp_path):
    for folder in ("guides", "chapters", "case_studies"):
        (tmp_path / folder).mkdir()
    (tmp_path / "guides/weeks.yml").write_text(
        yaml.safe_dump(
            [
                {
                    "week": 0, "title": "첫 주", "chapter": "chapters/week00_a", "questions": [1],
                    "minutes": {"read": 1, "practise": 2, "session": 3},
                    "cases": [
                        {"page": "case_studies/x", "title": "쓸 사례", "organisation": "회사", "industry": "업", "questions": [2]},
                    ],
                },
            ],
            allow_unicode=True,
        ),
        encoding="utf-8",
    )  # fmt: skip
    (tmp_path / "chapters/week00_a.md").write_text("---\nkind: chapter\nminutes: {read: 77}\n---\n# 진짜 제목\n", encoding="utf-8")
    (tmp_path / "index.md").write_text(
        "# 책\n\n```{weekly-table}\n```\n\n```{weekly-table}\n:question: 2\n```\n\n{page}`case_studies/x`\n\n"
        "```{toctree}\n:glob:\nc*/*\n```\n",
        encoding="utf-8",
    )
    return tmp_path


def build(folder: Path) -> tuple[str, str]:
    warnings = io.StringIO()
    with docutils_namespace():
        app = Sphinx(
            folder, None, folder / "out", folder / "trees", "html", status=None, warning=warnings,
            confoverrides={"extensions": ["myst_parser", "book.extensions.weekly_table"], "html_theme": "basic",
                           "exclude_patterns": ["out", "trees"]},
        )  # fmt: skip
        app.build()
    return (folder / "out/index.html").read_text(encoding="utf-8"), warnings.getvalue()


def test_written_pages_are_links_and_planned_ones_are_text(small_book):
    html, warnings = build(small_book)
    assert not warnings
    assert 'href="chapters/week00_a.html"' in html
    assert "진짜 제목" in html and "77 · 2 · 3" in html
    assert "쓸 사례" in html and PLANNED in html and "case_studies/x.html" not in html


def test_a_new_page_turns_the_plan_into_a_link_and_takes_its_own_title(small_book):
    build(small_book)
    (small_book / "case_studies/x.md").write_text("---\nkind: case\nweek: 0\n---\n# 다 쓴 사례\n", encoding="utf-8")
    index = small_book / "index.md"
    index.write_text(index.read_text(encoding="utf-8") + "\n끝.\n", encoding="utf-8")  # 차례가 바뀌면 책은 처음부터 읽습니다
    html, warnings = build(small_book)
    assert not warnings
    assert html.count('href="case_studies/x.html"') >= 3 and "다 쓴 사례" in html and PLANNED not in html


def test_an_unknown_page_is_a_warning(small_book):
    (small_book / "index.md").write_text("# 책\n\n{page}`case_studies/nothing`\n", encoding="utf-8")
    assert "case_studies/nothing" in build(small_book)[1]


def test_the_plan_shows_cases_that_were_never_planned(small_book):
    (small_book / "case_studies/extra.md").write_text(
        "---\nkind: case\nweek: 0\norganisation: 새 회사\n---\n# 새로 온 사례\n", encoding="utf-8"
    )
    cases = plan(small_book, ["chapters/week00_a", "case_studies/extra"])[0]["cases"]
    assert [(c["title"], c["published"]) for c in cases] == [("쓸 사례", False), ("새로 온 사례", True)]


# --- 길잡이의 말 ---


def test_commands_in_the_guides_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for name in GUIDES:
        text = (ROOT / name).read_text(encoding="utf-8")
        for code in re.findall(r"```bash\n(.*?)```|`(make [^`]*)`", text, re.DOTALL):
            for used in re.findall(r"^make ([a-z-]+)", "\n".join(code), re.MULTILINE):
                assert used in targets, f"{name}: make {used}는 Makefile에 없습니다."


def test_the_local_run_takes_three_lines():
    block = re.search(r"## 내 컴퓨터에서 돌리기.*?```bash\n(.*?)```", (ROOT / "index.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(block.group(1).strip().splitlines()) == 3


def test_the_map_names_every_method_week_and_only_planned_pages():
    text = (ROOT / "guides/method_map.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\{page\}`([^`]+)`", text))
    known = {w["chapter"] for w in WEEKS} | {c["page"] for w in WEEKS for c in w["cases"]}
    assert named <= known
    assert {w["chapter"] for w in WEEKS[2:12]} <= named


def test_trap_versions_are_the_pinned_ones():
    pins = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    text = (ROOT / "guides/library_traps.md").read_text(encoding="utf-8")
    for library in ("dowhy", "econml"):
        pinned = re.search(rf"^{library}==([\d.]+)", pins, re.MULTILINE).group(1)
        for named in re.findall(rf"\*\*판\*\*: {library} ([\d.]+\d)", text):
            assert named == pinned, f"{library}: 함정은 {named}에서 재현했는데 핀은 {pinned}입니다. 다시 재현해 보세요."


# --- 환경 점검 ---


def test_the_environment_of_the_book_passes(capsys):
    assert check_environment()
    assert "준비가 끝났습니다" in capsys.readouterr().out


def test_only_the_analysis_section_is_required():
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    wanted = analysis_requirements(text)
    assert "dowhy==0.14" in wanted and not any(w.startswith(("pytest", "jupyter-book", "zizmor")) for w in wanted)


def test_missing_and_wrong_packages_come_with_the_command_to_fix_them():
    def installed(name):
        if name == "econml":
            raise PackageNotFoundError(name)
        return "0.9"

    problems = package_problems(["dowhy==0.14", "econml==0.17.0", "pandas"], installed)
    assert problems == [
        "dowhy 0.9은(는) 이 책의 판(==0.14)이 아닙니다. → pip install 'dowhy==0.14'",
        "econml이(가) 없습니다. → pip install 'econml==0.17.0'",
    ]


def test_a_problem_is_printed_and_never_raised(capsys, monkeypatch):
    monkeypatch.setattr("causal_practice.environment.font_problems", lambda: ["한글 글꼴이 빠졌습니다. → 설치"])
    assert check_environment() is False
    assert "고칠 것: 한글 글꼴이 빠졌습니다" in capsys.readouterr().out


# --- 0주차 데이터 ---


@pytest.mark.parametrize(
    "bad", [{"n": 3}, {"direct_effect": -1.0}, {"extra_visits": -0.1}, {"targeting": 3.0}, {"targeting": -0.5}]
)
def test_impossible_parameters_are_refused(bad):
    with pytest.raises(ValueError, match="야 합니다"):
        generator("orientation_coupon").generate(**{"seed": 1, "n": 50, **bad})


def test_the_truth_on_the_card_is_the_truth_of_the_generator():
    frame = generator("orientation_coupon").generate(seed=5, n=200_000)
    assert np.isclose((frame["spend_1"] - frame["spend_0"]).mean(), truth("orientation_coupon")["ATE"], atol=0.05)


def test_without_targeting_the_naive_difference_is_nearly_right():
    frame = generator("orientation_coupon").generate(seed=5, n=200_000, targeting=0.0)
    by_arm = frame[frame["push_on"] == 1].groupby("coupon")["spend"].mean()
    assert abs(by_arm[1] - by_arm[0] - 6.0) < 0.4
