"""자동 분석 사례: 알려진 정답, 쪽의 명세가 낸 표를 다시 셉니다."""

import numpy as np
import pandas as pd
import pytest

from benchmarks import opportunity_finder as bench
from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_pipeline import analyze
from causal_pipeline.errors import Refusal, SpecError
from causal_pipeline.spec import parse_spec
from causal_practice import generator, load, truth

MARKET = generator("amazon_opportunity_finder")
ROWS = pd.read_csv(bench.RESULT).fillna({"grade": ""})
CONTROLS = ["years", "items", "rating", "fashion", "past_sales"]
PAGE = read_page(ROOT / "case_studies" / "amazon_opportunity_finder.md")
HERE = page_functions(PAGE, "slope", "swallow_gap", CONTROLS=CONTROLS, df=None)


def slope(d, columns, outcome="sales"):
    X = np.column_stack([np.ones(len(d)), d["photo"], d[columns]])
    return np.linalg.lstsq(X, d[outcome], rcond=None)[0][1]


def test_the_card_tells_the_truth_of_the_file():
    assert MARKET.generate(**MARKET.DEFAULTS)["effect"].mean() == pytest.approx(
        truth("amazon_opportunity_finder")["ATE"], abs=1e-4
    )


def test_exposure_is_the_trap_and_the_old_inquiries_hear_it():
    d = MARKET.generate(seed=8, n=200_000)
    right, swallowed = slope(d, CONTROLS), slope(d, [*CONTROLS, "exposure"])
    assert right == pytest.approx(d["effect"].mean(), abs=1.0)
    assert swallowed < 0.6 * right
    assert (
        abs(slope(d, CONTROLS, "past_inquiries")) < 0.2 < 2 < abs(slope(d, [*CONTROLS, "exposure"], "past_inquiries"))
    )
    assert abs(d["photo"].corr(d["demand"])) < 0.01


@pytest.mark.parametrize(("world", "size"), [("badge", MARKET.BADGE), ("flagship", MARKET.FLAGSHIP)])
def test_panels_start_when_they_say(world, size):
    d = MARKET.generate(seed=8, world=world, n=50)
    assert (d.loc[d["on"] == 1, "effect"] == size).all() and (d.loc[d["on"] == 0, "effect"] == 0).all()
    assert d.loc[d["on"] == 1, "week"].min() == MARKET.START
    assert (d.loc[d["on"] == 1, "seller_id"].nunique() == 1) == (world == "flagship")


def test_a_timing_or_a_graph_stops_the_swallowed_column():
    text = bench.specifications()["swallowed"]
    with pytest.raises(SpecError) as told:
        parse_spec(text + "timing: {exposure: after}\n", ROOT / "data")
    assert told.value.code == "leak_confounders"
    from causal_pipeline.identify import identify

    graph = "graph:\n  edges:\n    - photo -> exposure\n    - photo -> sales\n    - past_sales -> photo\n    - past_sales -> sales\n    - exposure -> sales\n"
    spec = parse_spec(
        text.replace("[years, items, rating, fashion, past_sales, exposure]", "[past_sales, exposure]") + graph,
        ROOT / "data",
    )
    with pytest.raises(Refusal):
        identify(spec, load("amazon_opportunity_finder"))


def test_timing_lets_a_collider_before_treatment_pass_and_the_graph_stops_it():
    """두 숨은 원인이 처치 앞의 열에서 만나는 세상: 잰 때를 바르게 적어도 틀린 답이 B 이상을 받고, 그래프만 막습니다."""
    here = page_functions(PAGE, "meeting_world")
    text = bench.specifications()["photo"].replace("[years, items, rating, fashion, past_sales]", "[interview]")
    frame = here["meeting_world"](7)
    assert frame.groupby("photo")["sales"].mean().diff().iloc[-1] == pytest.approx(20, abs=2.5)
    done = analyze(parse_spec(text + "timing: {interview: before}\n", ROOT / "data"), frame=frame)
    assert done.primary.high < 10 < 20 and done.grade.letter in "AB"
    edges = [
        "drive -> photo",
        "drive -> interview",
        "buzz -> interview",
        "buzz -> sales",
        "photo -> sales",
    ]
    graph = "graph:\n  hidden: [drive, buzz]\n  edges: [" + ", ".join(edges) + "]\n"
    with pytest.raises(Refusal) as told:
        analyze(parse_spec(text + "timing: {interview: before}\n" + graph, ROOT / "data"), frame=frame)
    assert told.value.code == "collider_in_adjustment"
    assert "**그래프와 열마다 잰 때**가 없으면 돌리지 않습니다" in PAGE.text


def test_the_headline_comes_from_the_function_that_the_stored_table_repeats():
    """머리의 숫자를 낸 photo_effect로 저장된 한 행을 다시 구하면 같습니다. 정답 열은 건네지지 않습니다."""
    seen = []

    def run(text, frame):
        seen.append(set(frame.columns))
        return analyze(parse_spec(text, ROOT / "data"), frame=frame.drop(columns=["effect", "demand"]))

    space = page_functions(PAGE, "photo_effect", run=run, photo_spec=lambda: bench.specifications()["photo"])
    row = ROWS[ROWS["run"] == "photo"].iloc[5]
    again = space["photo_effect"](MARKET.generate(seed=int(row["seed"]), n=bench.SIZES["photo"]))
    np.testing.assert_allclose(again, row[["value", "low", "high"]].astype(float), atol=0.02)
    assert len(seen) == 1


def test_the_stored_table_has_every_draw_once():
    assert list(dict.fromkeys(ROWS["run"])) == list(bench.RUNS)
    assert (ROWS.groupby("run")["seed"].nunique() == bench.DRAWS).all() and len(ROWS) == bench.DRAWS * len(bench.RUNS)


@pytest.mark.parametrize("run", bench.RUNS)
def test_stored_rows_are_what_the_pages_specification_gives_today(run):
    """표와 계산이 어긋나면 실패합니다. 오래된 표로 쪽을 펴내는 일을 막습니다."""
    stored = ROWS[ROWS["run"] == run].iloc[[3]]
    again = bench.one((run, int(stored["seed"].iloc[0]), bench.specifications()[run]))
    width = stored["high"].iloc[0] - stored["low"].iloc[0]
    assert again["truth"] == pytest.approx(stored["truth"].iloc[0])
    assert again["value"] == pytest.approx(stored["value"].iloc[0], abs=0.02 * width)
    assert again["low"] == pytest.approx(stored["low"].iloc[0], abs=0.02 * width)
    assert again["grade"] == stored["grade"].iloc[0]


def test_two_answers_are_compared_by_the_interval_of_their_difference():
    """가와 나를 함께 다시 뽑은 차이의 구간은 새 자료 200번의 표준편차와 맞고, 두 구간을 따로 더한 것보다 좁습니다."""
    gaps = np.array([HERE["swallow_gap"](MARKET.generate(seed=30_000 + k)) for k in range(120)])
    d, rng = MARKET.generate(seed=30_500), np.random.default_rng(1)
    again = [d.iloc[rng.integers(0, len(d), len(d))] for _ in range(120)]
    paired = np.std([HERE["swallow_gap"](x) for x in again])
    apart = np.hypot(
        np.std([HERE["slope"](CONTROLS, x) for x in again]),
        np.std([HERE["slope"]([*CONTROLS, "exposure"], x) for x in again]),
    )
    assert paired == pytest.approx(gaps.std(), rel=0.3) and paired < apart
    assert gaps.mean() > 8 * gaps.std()


def test_nothing_is_pasted_twice_and_no_overlap_is_argued():
    lines = [
        line
        for line in PAGE.text.splitlines()
        if len(line) > 40 and "가" <= max(line) and not line.startswith(("|", ":", "  ", "#", "import", "from"))
    ]
    assert len(lines) == len(set(lines))
    assert "구간은 겹치지 않습니다" not in PAGE.text
