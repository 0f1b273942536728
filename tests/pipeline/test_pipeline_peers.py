"""같은 대상을 다른 라이브러리로 낸 값이 우리 것과 맞고, 어긋나면 등급이 내려갑니다."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from lxml import html as lxml_html

from benchmarks.pipeline_worlds import WORLDS
from causal_pipeline import analyze, designs, peers, report, tables
from causal_pipeline.identify import identify
from causal_pipeline.model import Peer


def made(world: str, seed: int = 1):
    spec, frame, _ = next(w for w in WORLDS if w.name == world).make(seed)
    frame = tables.prepare(spec, frame)[0]
    if spec.treatment.kind == "binary":
        spec = replace(spec, treatment=replace(spec.treatment, control=0, treated=1))
    found = identify(spec, frame)
    return designs.get(found.design)(spec, found, frame)


@pytest.mark.parametrize(
    ("world", "library", "near"),
    [("experiment", "statsmodels", 1e-6), ("confounded", "EconML", peers.FAR), ("instrument", "linearmodels", 1e-6), ("two_by_two", "linearmodels", 1e-6)],
)  # fmt: skip
def test_the_library_gives_the_same(world, library, near):
    design = made(world)
    found = peers.peers(design)
    assert [peer.library for peer in found] == [library]
    assert abs(found[0].gap) < near and found[0].se > 0
    assert 0.7 < found[0].se / design.primary.se < 1.4
    assert [c.status for c in peers.check(found)] == ["ok"]


def test_a_gap_lowers_the_grade():
    far = Peer("EconML", "LinearDRLearner", 1.0, 0.1, 0.61)
    (check,) = peers.check((far,))
    assert (check.status, check.cap) == ("warn", "B") and "0.61" in check.message
    assert peers.check(()) == []


def test_what_is_not_the_same_target_is_not_compared():
    assert peers.peers(made("treated_only")) == ()


def test_they_are_asked_for_and_stand_at_the_end(monkeypatch):
    rng = np.random.default_rng(0)
    t = np.arange(200) % 2
    frame = pd.DataFrame({"t": t, "y": t + rng.normal(size=200)})
    from causal_pipeline.spec import parse_spec

    spec = parse_spec(
        "name: a\nquestion: 왜?\ndata: {path: a.csv}\ntreatment: {column: t, kind: binary, randomized: true}\noutcome: {column: y}\nestimand: ATE\nseed: 1\n"
    )
    plain, asked = analyze(spec, frame=frame), analyze(spec, frame=frame, peers=True)
    assert plain.peers is None and "다른 라이브러리로 내면" not in report.html(plain)
    assert asked.peers[0].value == pytest.approx(asked.primary.value) and asked.grade.letter == plain.grade.letter
    page = lxml_html.fromstring(report.html(asked).encode())
    heads = [h.text_content() for h in page.xpath("//main//h2")]
    assert heads[-2:] == ["다른 라이브러리로 내면", "다시 해 보기"]
    assert re.search("statsmodels", page.xpath("//section[@id='peers']")[0].text_content())
    monkeypatch.setattr(peers, "peers", lambda design: (Peer("x", "y", 9.0, 1.0, 8.0),))
    assert analyze(spec, frame=frame, peers=True).grade.letter == "B"
