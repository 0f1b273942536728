"""데이터: 생성기가 만든 것과 한 바이트까지 같고, 카드가 다 차 있습니다."""

import pytest

import tools.data as data
from tools.paths import ROOT, PageError

NAMES = sorted(data.read_catalog())


@pytest.mark.parametrize("name", NAMES)
def test_file_and_card_agree_with_the_generator(name):
    assert data.problems(name) == []


def test_every_csv_has_a_card():
    assert {p.stem for p in (ROOT / "data").glob("*.csv")} == set(NAMES)
    assert {p.stem for p in (ROOT / "data" / "generators").glob("*.py")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_truth_columns_stay_closed(name):
    from causal_practice import load

    hidden = {c for c, info in data.read_catalog()[name]["columns"].items() if info["role"] == "truth"}
    assert not hidden & set(load(name).columns)
    assert hidden <= set(load(name, with_truth=True).columns)


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
        ("sha256: ", "sha256: 0", "sha256이 다릅니다"),
    ],
)
def test_a_slip_in_the_card_is_named(sandbox, old, new, message):
    catalogue = sandbox / "catalog.yml"
    catalogue.write_text(catalogue.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    found = [p for name in NAMES for p in data.problems(name)]
    assert any(message in p for p in found), found[:3]


def test_a_broken_generator_is_one_line(sandbox):
    (sandbox / "generators" / f"{NAMES[0]}.py").write_text("def generate(:\n", encoding="utf-8")
    found = data.problems(NAMES[0])
    assert len(found) == 1 and "생성기가 멈췄습니다" in found[0]
    (sandbox / "generators" / f"{NAMES[0]}.py").write_text("x = 1\n", encoding="utf-8")
    assert any("generate가 없습니다" in p for p in data.problems(NAMES[0]))


def test_an_unknown_name_is_refused(sandbox):
    with pytest.raises(PageError, match="카드가 없습니다"):
        data.write("없는데이터")
    assert data.problems("nothing") == ["data/catalog.yml: 'nothing' 카드가 없습니다."]
