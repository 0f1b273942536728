"""데이터 카드와 데이터 쪽: 틀린 카드와 망가진 생성기를 알아채고, 데이터 쪽이 카드를 그대로 보여 줍니다.

데이터 하나하나가 생성기와 카드에 맞는지는 tests/pages/test_generators.py가 봅니다.
"""

import hashlib
from types import SimpleNamespace

import pytest
from lxml import html as lxml_html

import book.catalog as data
import causal_practice
from book.extensions import data_page
from book.extensions.data_page import card_html, shown_cards, users_of_data
from book.page import ROOT, PageError, published_pages
from causal_practice import package_file

NAMES = sorted(data.read_catalog())


def test_every_csv_has_a_card():
    assert {p.stem for p in (ROOT / "data").glob("*.csv")} == set(NAMES)
    assert {p.stem for p in (ROOT / "data" / "generators").glob("*.py")} == set(NAMES)


@pytest.fixture
def sandbox(tmp_path, monkeypatch):
    """데이터 폴더를 통째로 베껴 놓은 임시 자리."""
    import shutil

    shutil.copytree(ROOT / "data", tmp_path / "data", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(data, "DATA", tmp_path / "data")
    monkeypatch.setattr(data, "CATALOG", tmp_path / "data" / "catalog.yml")
    monkeypatch.setenv("CAUSAL_PRACTICE_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def test_a_changed_file_is_found_and_written_back(sandbox):
    name = NAMES[0]
    path = sandbox / f"{name}.csv"
    path.write_bytes(path.read_bytes()[:-20])
    assert any("다릅니다" in p for p in data.problems(name))
    data.write(name)
    assert data.problems(name) == []


def test_write_keeps_the_rest_of_the_catalogue(sandbox):
    before = data.read_catalog()
    data.write(NAMES[0])
    assert data.read_catalog() == before


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("role: treatment", "role: treatmnt", "role 'treatmnt'"),
        ("  title:", "  titel:", "'title' 항목"),
        ("sha256: ", "sha256: 0", "sha256이(가) 없거나 다릅니다"),
        (
            "role: outcome, unit: 만 원/월, timing: 처치 후, range: [-500, 5000]",
            "role: outcome, unit: 만 원/월, timing: 처치 후",
            "range가 없거나",
        ),
        ("timing: 처치 후, range: [-500, 5000]", "timing: 처치 후, range: [5000, -500]", "range가 없거나"),
        ("timing: 처치 후, range: [-500, 5000]", "timing: 처치 후, range: [-500, 20]", "범위 [-500, 20] 밖의 값"),
    ],
)
def test_a_slip_in_the_card_is_named(sandbox, old, new, message):
    catalogue = sandbox / "catalog.yml"
    catalogue.write_text(catalogue.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    found = data.problems("ad_credit")  # 위의 열이 있는 카드
    assert any(message in p for p in found), found


def test_a_broken_generator_is_one_line(sandbox):
    (sandbox / "generators" / f"{NAMES[0]}.py").write_text("def generate(:\n", encoding="utf-8")
    found = data.problems(NAMES[0])
    assert len(found) == 1 and found[0].startswith(f"data/generators/{NAMES[0]}.py:1: 파이썬으로 읽지 못했습니다")
    (sandbox / "generators" / f"{NAMES[0]}.py").write_text("DEFAULTS = {}\n\ndef generate():\n    return 1 / 0\n")
    (found,) = data.problems(NAMES[0])
    assert found.startswith(f"data/generators/{NAMES[0]}.py:4: 생성기가 멈췄습니다(ZeroDivisionError")
    (sandbox / "generators" / f"{NAMES[0]}.py").write_text("x = 1\n", encoding="utf-8")
    assert any("generate가 없습니다" in p for p in data.problems(NAMES[0]))


def test_an_unknown_name_is_refused(sandbox):
    with pytest.raises(PageError, match="카드가 없습니다"):
        data.write("없는데이터")
    (found,) = data.problems("nothing")
    assert found.startswith("data/catalog.yml:1: 'nothing' 카드가 없습니다 — ")


# --- causal_practice ---


@pytest.mark.parametrize("call", [causal_practice.load, causal_practice.truth])
def test_a_slip_in_the_name_is_answered_in_korean(call):
    with pytest.raises(KeyError, match=f"데이터가 없습니다.*혹시.*{NAMES[0]}"):
        call(NAMES[0] + "x")
    with pytest.raises(KeyError, match="있는 이름"):
        call("???")


def test_a_missing_file_names_the_command(sandbox):
    (sandbox / f"{NAMES[0]}.csv").unlink()
    with pytest.raises(FileNotFoundError, match=f"make data NAME={NAMES[0]}"):
        causal_practice.load(NAMES[0])
    assert any("파일이 없습니다" in p for p in data.problems(NAMES[0]))


def test_a_generator_is_found_by_its_name_only():
    with pytest.raises(FileNotFoundError, match="data/generators/nothing.py"):
        causal_practice.generator("nothing")
    for name in ("../catalog", "Name", ""):
        with pytest.raises(ValueError, match="데이터 이름이 아닙니다"):
            causal_practice.generator(name)


def test_truth_is_the_cards(sandbox):
    cards = data.read_catalog()
    for name in NAMES:
        assert causal_practice.truth(name) == cards[name]["truth"] != {}


# --- 데이터 쪽 ---

CARD = {
    "title": "제목", "description": "설<명", "rows": 12345, "seed": 7, "sha256": "abcdef0123456789", "truth": {"ATT": -0.47, "나<": [1, 2]},
    "columns": {"y": {"label": "결<과", "role": "outcome", "unit": "회", "timing": "처치 후", "range": [0, 1000], "description": "설명"}},
}  # fmt: skip


def test_a_card_shows_all_it_knows_and_folds_the_truth():
    tree = lxml_html.fromstring(f"<div>{card_html('toy', CARD, [('쪽<', 'chapters/a.html')], '../')}</div>")
    text = tree.text_content()
    assert "12,345행, 1열" in text and "씨앗: 7" in text and "abcdef012345" in text and "설<명" in text
    assert [c.text_content() for c in tree.xpath("//tbody/tr/*")] == [
        "y",
        "결<과",
        "결과",
        "회",
        "처치 후",
        "0~1,000",
        "설명",
    ]
    assert tree.xpath("//a/@href") == [
        "../chapters/a.html",
        "../_static/data/toy.csv",
        "../_static/data/generators/toy.py",
    ]
    details = tree.xpath("//details")[0]
    assert (
        details.get("open") is None and "ATT: -0.47" in details.text_content() and "나<: 1, 2" in details.text_content()
    )
    details.drop_tree()
    assert "-0.47" not in tree.text_content()


@pytest.mark.parametrize("missing", ["truth", "rows", "sha256", "columns"])
def test_a_card_with_a_hole_is_named(missing):
    broken = {key: value for key, value in CARD.items() if key != missing}
    with pytest.raises(PageError, match=missing):
        card_html("toy", broken, [], "")


def test_only_data_that_a_page_uses_is_shown():
    pages = published_pages()
    names = [name for name, _, _ in shown_cards(pages)]
    assert names[0] == "orientation_coupon" and set(names) == set(users_of_data(pages)) & set(NAMES)
    assert shown_cards([page for page in pages if not page.is_notebook]) == []


def test_data_page_is_read_again_when_an_execution_changed():
    keys = {"chapters/a": "1"}
    app = SimpleNamespace(config=SimpleNamespace(execution_keys=keys))
    env = SimpleNamespace(found_docs={"guides/data"})
    assert (
        data_page.outdated(app, env, set(), set(), set()) == ["guides/data"]
        and "orientation_coupon" in env.data_sets_shown
    )
    assert data_page.outdated(app, env, set(), set(), set()) == []
    keys["chapters/a"] = "2"
    assert data_page.outdated(app, env, set(), set(), set()) == ["guides/data"]


def test_site_lists_each_data_set_with_its_files(site_dir):
    page = site_dir / "guides" / "data.html"
    tree = lxml_html.parse(str(page))
    shown = shown_cards(published_pages())
    assert tree.xpath("//section/section/h2/text()[1]") == [card["title"] for _, card, _ in shown]
    for name, card, users in shown:
        copied = (page.parent / f"../_static/data/{name}.csv").resolve()
        assert hashlib.sha256(copied.read_bytes()).hexdigest() == card["sha256"]
        assert (page.parent / f"../_static/data/generators/{name}.py").resolve().is_file()
        section = tree.xpath(f"//section[.//code[contains(., 'load(\"{name}\")')]]")[-1]
        links = set(section.xpath(".//a/@href"))
        assert {f"../{user.docname}.html" for user in users} <= links


def test_a_file_of_a_data_only_package_is_found_without_importing_it():
    import sys

    assert package_file("causalpy", "data/california_prop99.csv").is_file()
    assert "causalpy" not in sys.modules
    with pytest.raises(ModuleNotFoundError, match="--no-deps nowhere_at_all"):
        package_file("nowhere_at_all", "x.csv")
    with pytest.raises(FileNotFoundError, match="causalpy 꾸러미에 data/none.csv"):
        package_file("causalpy", "data/none.csv")


@pytest.mark.parametrize(
    ("column", "change", "says"),
    [
        ("past_spend", {}, ""),
        ("basket_krw", {"unit": "원"}, ""),
        ("basket_krw", {"unit": "천 원"}, "이름은 원인데"),
        ("prior_days", {"unit": "일/12주"}, ""),
        ("reply_minutes", {"unit": "시간"}, "이름은 분인데"),
        ("rated", {"timing": "처치 후"}, "mediator나 collider"),
        ("rated", {"timing": "처치 후", "role": "collider"}, ""),
        ("rival", {"timing": "주마다"}, ""),
    ],
)
def test_a_card_does_not_contradict_itself(column, change, says):
    found = data.meaning_problems(column, {"role": "covariate", "timing": "처치 전", "unit": "천 원"} | change)
    assert [says in problem for problem in found] == [True] * bool(says)
