"""첫 화면과 길잡이: 계획과 실제가 어긋나지 않고, 적어 둔 명령과 판이 맞는다."""

import io
import re
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pytest
from lxml import html as lxml_html
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

from book.extensions.weekly_table import weeks
from book.myst import parse
from book.page import PageError, published_pages, read_page
from causal_practice import generator, truth
from causal_practice.environment import analysis_requirements, check_environment, package_problems

ROOT = Path(__file__).resolve().parent.parent.parent
WEEKS = weeks(ROOT)
GUIDES = [
    "index.md",
    "guides/setup.md",
    "guides/running_a_session.md",
    "guides/method_map.md",
    "guides/library_traps.md",
]


# --- 열세 주 ---


def test_there_are_thirteen_weeks_and_every_question_is_served():
    assert [w.meta["week"] for w in WEEKS] == list(range(13))
    for week in WEEKS:
        assert week.docname.startswith(f"chapters/week{week.meta['week']:02d}_")
    for question in (1, 2, 3, 4):
        assert any(question in c.meta["question"] for w in WEEKS for c in w.cases), (
            f"{question}번 물음에 답하는 사례가 없습니다."
        )
    assert all(w.cases for w in WEEKS[1:])


def test_a_case_stands_below_the_chapter_of_its_week():
    below = {c.docname for w in WEEKS for c in w.cases}
    written = {p.docname for p in published_pages() if p.meta.get("kind") == "case"}
    assert written - below == {"case_studies/template"}


# --- 주차 표를 그리는 작은 책 ---


CHAPTER = "---\nkind: chapter\nweek: 0\ntextbook_chapter: 3\nquestion: [1]\nminutes: {read: 77, talk: 60, practise: 2, case: 3, discussion: 55}\n---\n# 주제: 진짜 제목\n"
CASE = "---\nkind: case\nweek: 0\norganisation: 회사\nquestion: [2]\n---\n# 쓴 사례\n"
TOC = "root: index\nparts:\n  - chapters:\n      - file: chapters/week00_a\n        sections: [{file: case_studies/x}]\n      - file: guides/a\n"


@pytest.fixture
def small_book(tmp_path):
    for folder in ("guides", "chapters", "case_studies"):
        (tmp_path / folder).mkdir()
    (tmp_path / "_toc.yml").write_text(TOC, encoding="utf-8")
    (tmp_path / "chapters/week00_a.md").write_text(CHAPTER, encoding="utf-8")
    (tmp_path / "case_studies/x.md").write_text(CASE, encoding="utf-8")
    (tmp_path / "guides/a.md").write_text("---\nkind: guide\n---\n# 길잡이\n", encoding="utf-8")
    (tmp_path / "index.md").write_text(
        "# 책\n\n```{weekly-table}\n```\n\n```{toctree}\n:hidden:\n:glob:\nc*/*\ng*/*\n```\n",
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


def test_the_table_shows_what_the_pages_say(small_book):
    html, warnings = build(small_book)
    assert not warnings
    body = lxml_html.fromstring(html).find_class("body")[0]
    table = body.xpath(".//table")[0]
    assert [" ".join(cell.text_content().split()) for cell in table.xpath(".//tbody//td")] == [
        "0",
        "주제: 진짜 제목",
        "사례 1",
        "77·2분",
    ]
    assert table.xpath(".//a/@href") == ["chapters/week00_a.html", "case_studies/index.html#week=0주차"]
    assert "길잡이" not in table.text_content()


def test_the_table_follows_the_pages_when_they_change(small_book):
    build(small_book)
    (small_book / "chapters/week00_a.md").write_text(CHAPTER.replace("진짜", "고친"), encoding="utf-8")
    assert "주제: 고친 제목" in lxml_html.fromstring(build(small_book)[0]).xpath("//table")[0].text_content()


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("chapters/week00_a.md", "week: 0", "week: 처음", "chapters/week00_a.md:3: week"),
        ("chapters/week00_a.md", "talk: 60", "talk: 50", "chapters/week00_a.md:6: minutes"),
        ("chapters/week00_a.md", "question: [1]", "question: [5]", "chapters/week00_a.md:5: question"),
        ("case_studies/x.md", "week: 0", "week: 1", "case_studies/x.md:3: week가 1인데.*0주차 장 아래"),
        ("case_studies/x.md", "question: [2]", "question: 2", "case_studies/x.md:5: question"),
    ],
)
def test_a_slip_in_the_front_matter_is_named_with_its_line(small_book, file, old, new, message):
    path = small_book / file
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(PageError, match=message):
        weeks(small_book)
    assert re.search(message, build(small_book)[1])


def test_weeks_out_of_order_are_refused(small_book):
    (small_book / "chapters/week00_b.md").write_text(CHAPTER, encoding="utf-8")
    (small_book / "_toc.yml").write_text(TOC.replace("guides/a", "chapters/week00_b"), encoding="utf-8")
    with pytest.raises(PageError, match="chapters/week00_b.md:3: week가 0입니다"):
        weeks(small_book)


# --- 첫 화면 ---


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)], ids=["desk", "phone"])
def test_the_front_page_says_what_it_is_and_ends_the_weeks_in_a_screen_and_a_half(browser, site_dir, size):
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, locale="ko-KR")
    context.add_init_script(
        "window.shift = 0; new PerformanceObserver(l => l.getEntries().forEach(e => { if (!e.hadRecentInput) window.shift += e.value; }))"
        ".observe({type: 'layout-shift', buffered: true});"
    )
    page = context.new_page()
    page.goto((site_dir / "index.html").as_uri())
    page.evaluate(
        "async () => { await document.fonts.ready; await new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r))) }"
    )
    assert page.evaluate("window.shift") < 0.05
    doors = page.locator(".doors .sd-card")
    assert doors.count() == 4
    for door in doors.all():
        image, box = door.locator("img"), door.bounding_box()
        assert image.get_attribute("alt") and image.evaluate("i => i.complete && i.naturalWidth > 0")
        assert door.locator("a").count() == 1 and box["y"] + box["height"] <= size[1]
    table = page.locator("table.weekly-table").bounding_box()
    assert table["y"] + table["height"] <= 1.5 * size[1]
    assert table["x"] + table["width"] <= size[0]
    assert page.locator("table.weekly-table tbody tr").count() == 13
    context.close()


def test_every_week_stands_once_and_its_cases_open_in_the_gallery(site_dir):
    main = lxml_html.parse(str(site_dir / "index.html")).getroot().xpath("//article")[0]
    links = [str(link) for link in main.xpath(".//a/@href")]
    for week in WEEKS[1:]:
        assert links.count(f"{week.docname}.html") == 1, week.docname
        assert links.count(f"case_studies/index.html#week={week.meta['week']}주차") == 1
    assert links.count(f"{WEEKS[0].docname}.html") == 2  # 첫 문과 표


def test_a_link_to_a_choice_needs_its_button(tmp_path):
    from book.links import broken_links

    (tmp_path / "a.html").write_text(
        '<html><head><meta charset="utf-8"></head><body><fieldset data-facet="week"><button data-value="5주차">5</button></fieldset>'
        '<a href="#week=5주차">있음</a><a href="#week=6주차">없음</a></body></html>',
        encoding="utf-8",
    )
    assert [line.split()[1] for line in broken_links(tmp_path)] == ["#week=6주차"]


def test_the_cover_has_no_white_corners_in_the_dark(browser_page, site_dir):
    from PIL import Image

    browser_page.emulate_media(color_scheme="dark")
    browser_page.goto((site_dir / "index.html").as_uri())
    for name in ("img.cover", ".doors img"):
        image = browser_page.locator(name).first
        image.scroll_into_view_if_needed()
        shot = Image.open(io.BytesIO(image.screenshot())).convert("L")
        edges = [(0, 0), (shot.width - 1, 0), (0, shot.height - 1), (shot.width - 1, shot.height - 1)]
        assert max(shot.getpixel(at) for at in edges) < 90, name


# --- 길잡이의 말 ---


def test_commands_in_the_guides_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for name in GUIDES:
        text = (ROOT / name).read_text(encoding="utf-8")
        for code in re.findall(r"```bash\n(.*?)```|`(make [^`]*)`", text, re.DOTALL):
            for used in re.findall(r"^make ([a-z-]+)", "\n".join(code), re.MULTILINE):
                assert used in targets, f"{name}: make {used}는 Makefile에 없습니다."


def test_the_local_run_takes_three_lines():
    block = re.search(
        r"## 내 컴퓨터에서 돌리기.*?```bash\n(.*?)```", (ROOT / "index.md").read_text(encoding="utf-8"), re.DOTALL
    )
    assert len(block.group(1).strip().splitlines()) == 3


def test_the_map_names_every_method_week():
    pieces = parse(read_page("guides/method_map.md").text).pieces("role")
    named = {piece.text.lstrip("/") for _, piece in pieces if piece.name == "doc"}
    assert {w.docname for w in WEEKS[2:12]} <= named


def _traps() -> list[tuple[str, str]]:
    """함정 하나에 (제목, 글)."""
    text = (ROOT / "guides/library_traps.md").read_text(encoding="utf-8")
    return re.findall(r"^### (.+?)\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)


def test_trap_versions_are_the_installed_ones():
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = dict(re.findall(r"^([a-z0-9-]+)==([\d.]+)", lock, re.MULTILINE))
    named = [
        (title, library, version)
        for title, text in _traps()
        for library, version in re.findall(r"\*\*버전\*\*: ([a-z0-9-]+) (\d[\d.]*\d)", text)
    ]
    assert len({library for _, library, _ in named}) >= 6
    for title, library, version in named:
        assert (locked[library] + ".").startswith(f"{version}."), (
            f"'{title}'은 {library} {version}에서 보았는데 잠긴 버전은 {locked[library]}입니다. 다시 재현해 보세요."
        )


def test_every_trap_runs_here_or_says_where_it_was_seen():
    """함정이 사라지면 빌드가 멈추는 셀이 있거나, 여기서 돌리지 않는다는 말과 본 버전이 있습니다."""
    elsewhere = []
    for title, text in _traps():
        assert "**고치는 법**" in text and "**버전**" in text, f"'{title}'에 고치는 법이나 버전이 없습니다."
        if not re.search(r"^ *assert .", text, re.MULTILINE):
            assert re.search(r"\*\*버전\*\*: .*여기서 돌리지 않습니다.*\d+\.\d+", text), (
                f"'{title}'에 함정이 사라지면 멈추는 assert가 없습니다. 돌릴 수 없으면 어느 버전에서 보았는지 적으세요."
            )
            elsewhere.append(title)
    assert len(elsewhere) <= 2


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
