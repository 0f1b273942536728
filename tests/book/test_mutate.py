"""`make mutate`의 목록과 셈. 실제로 심고 판정하는 일은 `make mutate`가 합니다."""

import contextlib

import pytest
import yaml

from benchmarks import mutate
from book.page import toc_docnames

FAULTS = mutate.read_faults()


def fault(**changes) -> mutate.Fault:
    given = {"id": "a", "file": "chapters/x.md", "kind": "lint", "old": "가", "new": "나", "why": "까닭", "page": "chapters/x"}  # fmt: skip
    return mutate.Fault(**(given | changes))


def test_the_list_is_long_balanced_and_about_real_pages():
    kinds = {kind: sum(f.kind == kind for f in FAULTS) for kind in mutate.KINDS}
    assert len(FAULTS) >= 100 and len({f.page for f in FAULTS}) >= 15
    assert all(count >= 5 for count in kinds.values()), kinds
    assert max(kinds.values()) <= len(FAULTS) / 2, kinds
    assert {f.page for f in FAULTS} <= set(toc_docnames())
    assert not [f.id for f in FAULTS if f.file.startswith(("tests/", "book/", "benchmarks/"))]


def test_enough_of_the_list_can_still_be_planted():
    gone = mutate.stale(FAULTS)
    assert len(FAULTS) - len(gone) >= 100, "쪽이 바뀌어 목록이 낡았습니다.\n" + "\n".join(gone)


def test_a_fault_is_planted_once_or_not_at_all():
    assert fault().applied("가 다") == "나 다"
    for text in ("다", "가 가", None):
        with pytest.raises(mutate.StaleFault, match="낡았습니다"):
            fault().applied(text)
    assert fault(old="").applied(None) == "나"
    with pytest.raises(mutate.StaleFault, match="이미 있습니다"):
        fault(old="").applied("가")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"kind": "other"}, "kind가"),
        ({"new": "가"}, "같습니다"),
        ({"file": "data/catalog.yml"}, "page를 적으세요"),
        ({"why": None}, "why이"),
    ],
)
def test_a_malformed_list_says_what_to_mend(tmp_path, changes, says):
    item = {"id": "a", "file": "chapters/x.md", "kind": "lint", "old": "가", "new": "나", "why": "까닭"} | changes
    path = tmp_path / "faults.yml"
    path.write_text(yaml.safe_dump([{k: v for k, v in item.items() if v is not None}], allow_unicode=True), "utf-8")
    with pytest.raises(ValueError, match=says):
        mutate.read_faults(path)


def test_a_miss_is_listed_and_never_counted_as_caught():
    faults = [fault(id="a"), fault(id="b", kind="figure"), fault(id="c")]
    results = {name: {"outcome": outcome, "stage": "text", "seconds": 1.0, "by": ""} for name, outcome in zip("abc", ("caught", "missed", "broken"), strict=True)}  # fmt: skip
    found = mutate.summary(faults, results)
    assert (found["planted"], found["caught"], found["pages"], found["seconds"]) == (3, 1, 1, 3)
    assert [(m["id"], m["outcome"]) for m in found["missed"]] == [("b", "missed"), ("c", "broken")]
    assert found["kinds"] == {"그림의 글자": {"planted": 1, "caught": 0}, "저장소의 규칙": {"planted": 2, "caught": 1}}


@pytest.mark.skipif(not mutate.RESULTS.is_file(), reason="아직 재지 않았습니다(make mutate).")
def test_the_written_result_adds_up_and_reaches_the_goal():
    found = yaml.safe_load(mutate.RESULTS.read_text(encoding="utf-8"))
    assert found["planted"] >= 100 and found["pages"] >= 15
    for key in ("planted", "caught"):
        assert sum(row[key] for row in found["kinds"].values()) == found[key]
    assert sum(found["stages"].values()) == found["caught"]
    assert len(found["missed"]) == found["planted"] - found["caught"]
    assert all(miss["why"] and miss["kind"] in found["kinds"] for miss in found["missed"])
    assert found["caught"] >= mutate.GOAL * found["planted"]


class Scripted(mutate.Judge):
    """심지 않고, 단계마다 정해 둔 답을 내는 판정."""

    def __init__(self, planted: dict, clean: dict):
        super().__init__()
        self.planted_answers, self.clean, self.inside = planted, clean, False

    @contextlib.contextmanager
    def planted(self, fault):
        self.inside = True
        yield
        self.inside = False

    def stage(self, stage, fault, nodes=None):
        failing = (self.planted_answers if self.inside else self.clean).get(stage, [])
        left = [name for name in failing if name not in self.sick and (nodes is None or name in nodes)]
        return {"by": left[0] if left else "", "message": ""}


@pytest.mark.parametrize(
    ("planted", "clean", "outcome", "by"),
    [
        ({}, {}, "missed", ""),
        ({"text": ["t::a"]}, {}, "caught", "t::a"),
        ({"run": ["execute"]}, {}, "caught", "execute"),
        ({"run": ["execute"]}, {"run": ["execute"]}, "broken", "execute"),
        ({"text": ["t::a"]}, {"text": ["t::a"]}, "missed", ""),
        ({"text": ["t::a"], "tests": ["t::b"]}, {"text": ["t::a"]}, "caught", "t::b"),
    ],
)
def test_what_fails_without_the_fault_is_never_a_catch(planted, clean, outcome, by):
    told = Scripted(planted, clean).judge(fault())
    assert (told["outcome"], told["by"]) == (outcome, by)
    assert told["without"] == (["t::a"] if clean.get("text") else [])
