"""라이브러리의 반박: p값을 바른 쪽으로 읽고, 무엇을 보지 못하는지 적고, 시간을 지키고, 보정 설계에서만 합니다."""

import numpy as np
import pytest

from benchmarks.pipeline_worlds import WORLDS
from causal_pipeline import analyze, refuters, report
from tests.pipeline.test_pipeline_peers import made
from tests.pipeline.test_pipeline_weights import SAMPLING, fitted
from tests.pipeline.test_pipeline_weights import made as text_and_frame

NAMES = list(refuters.SEES)


@pytest.fixture(scope="module")
def design():
    return made("confounded")


@pytest.fixture(scope="module")
def found(design):
    return {c.name: c for c in refuters.refutations(design)}


def test_a_quiet_refuter_is_not_a_pass(found):
    """맞는 분석에서 조용하지만, 힘을 세지 않았으므로 통과로 세지 않습니다. 민감도는 세기를 말할 뿐입니다."""
    assert list(found) == NAMES
    assert [(found[n].status, found[n].cap) for n in NAMES] == [("unshown", None)] * 3 + [("ok", None)], found
    assert all("보지 못" in c.message for c in found.values())
    assert all("클수록 좋습니다" in found[name].message for name in NAMES[:3])


def test_the_sensitivity_is_near_our_own(design, found):
    ours = next(s for s in design.stress()[1] if s.name == "robustness_value")
    point = float(found["partial_linear"].message.split("저마다 ")[1].split("%")[0]) / 100
    assert point == pytest.approx(ours.value, rel=0.35) and found["partial_linear"].cap is None


def test_hidden_confounding_is_seen_by_none_of_them():
    blind = refuters.refutations(made("hidden_confounder"))
    assert {c.status for c in blind} == {"unshown", "ok"} and {c.cap for c in blind} == {None}


def test_the_same_seed_gives_the_same_and_the_table_is_not_touched(design, found, monkeypatch):
    before = design.fit.frame.copy()
    monkeypatch.setattr(refuters, "_partial_linear", lambda _: next(c for c in found.values()))
    again = {c.name: c for c in refuters.refutations(design)}
    assert all(again[name] == found[name] for name in NAMES[:3])
    assert design.fit.frame.equals(before)


@pytest.mark.parametrize(
    ("name", "new", "p", "status"),
    [("refute_placebo", 0.01, 0.8, "unshown"), ("refute_placebo", 0.9, 0.001, "warn"), ("refute_subset", 1.0, 0.6, "unshown"),
     ("refute_subset", 3.0, 0.01, "warn"), ("refute_random_cause", 1.0, np.nan, "unshown")],
)  # fmt: skip
def test_a_small_p_is_bad_and_no_p_is_no_verdict(name, new, p, status):
    check = refuters.read(name, 1.0, new, {"p_value": p})
    assert (check.status, check.cap) == (status, {"warn": "B", "unshown": None}[status])
    assert ("0 둘레여야" if name == "refute_placebo" else "1 둘레여야") in check.message
    assert refuters.read(name, 1.0, new, None).status == "unshown"


def test_what_would_take_too_long_is_left_and_told(design, monkeypatch):
    monkeypatch.setattr(refuters, "SECONDS", -1.0)
    monkeypatch.setattr(refuters, "_partial_linear", lambda _: refuters.read("refute_subset", 1.0, 1.0, None))
    late = refuters.refutations(design)[:3]
    assert {c.status for c in late} == {"unshown"} and all("초 안에 끝나지 않아" in c.message for c in late)


def test_only_an_adjustment_without_weights_is_refuted():
    assert refuters.refutations(made("experiment")) == [] == refuters.refutations(made("instrument"))
    text, frame = text_and_frame("adjustment")
    assert refuters.refutations(fitted(text + SAMPLING, frame)) == []


def test_they_stand_beside_the_peers(monkeypatch, found):
    monkeypatch.setattr(refuters, "refutations", lambda _: list(found.values()))
    spec, frame, _ = next(w for w in WORLDS if w.name == "confounded").make(1)
    page = report.html(analyze(spec, frame=frame, peers=True))
    section = page[page.index('<section id="peers">') : page.index('<section id="again">')]
    assert all(refuters.SEES[name][0] in section for name in NAMES) and "p값이 클수록 좋고" in section
    assert refuters.SEES["refute_placebo"][0] not in report.html(analyze(spec, frame=frame))


def test_a_whole_number_as_seed_would_ring_for_nothing():
    """DoWhy 0.14의 함정: 정수 씨앗이면 되풀이가 모두 같은 표본이라 p=0입니다. 사라지면 이 우회를 지웁니다."""
    import pandas as pd
    from dowhy import CausalModel
    from dowhy.causal_refuters.data_subset_refuter import refute_data_subset

    r = np.random.default_rng(0)
    x = r.normal(size=400)
    frame = pd.DataFrame({"x": x, "t": (x + r.normal(size=400) > 0).astype(int)}).assign(
        y=lambda f: f["t"] + x + r.normal(size=400)
    )
    model = CausalModel(frame.copy(), treatment="t", outcome="y", common_causes=["x"])
    estimand = model.identify_effect(proceed_when_unidentifiable=True)
    estimate = model.estimate_effect(estimand, method_name="backdoor.linear_regression")
    p = [
        refute_data_subset(frame.copy(), estimand, estimate, num_simulations=10, random_state=seed).refutation_result[
            "p_value"
        ]
        for seed in (1, np.random.RandomState(1))
    ]
    assert p[0] < 1e-6 < 0.05 < p[1]
