"""느린 제품 한 대 사례: 생성기의 정답, 잡음과 몫의 성질, 바뀐 세상, 메모를 다시 계산합니다."""

from functools import cache
from itertools import permutations
from math import comb

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.special import log_ndtr
from scipy.stats import norm

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_practice import check_answer, generator, load, truth

LINE = generator("service_root_cause")
KNOWN = truth("service_root_cause")
PAGE = read_page(ROOT / "case_studies" / "service_root_cause.md")
STATIONS = list(LINE.STATIONS)
PARENTS = {"humidity": []} | {station: list(LINE.PASSED_ON[station]) for station in STATIONS}
DRY = {node: [p for p in parents if p != "humidity"] for node, parents in PARENTS.items() if node != "humidity"}
HERE = page_functions(
    PAGE, "split", "alarms", "raw_gap", "log_slower", "fit", "noise", "subsets", "log_tail", "score_shares", "accuse", "regress",
    "day_shift", "trim_effect", "healthy_effect", "related", "day_test",
    STATIONS=STATIONS, PARENTS=PARENTS, DRY=DRY, UPSTREAM=["humidity", "load", "coat", "cure", "mill", "wash"], cache=cache,
    comb=comb, norm=norm, log_ndtr=log_ndtr,
)  # fmt: skip
ONE_SIDED = norm.ppf(1 - 0.05 / 9)


def effect(**world):
    d = LINE.generate(**({"seed": 5, "n": 50, "m": 200_000} | world)).query("today == 1")
    return (d["ship"] - d["ship_healthy"]).mean()


# --- 생성기와 카드 ---


def test_the_card_tells_the_truth():
    assert effect() == pytest.approx(KNOWN["ATT"], abs=0.05)
    assert effect(fault="none") == 0
    humid, dry = (
        LINE.generate(seed=6, n=50, m=100_000, fault="none", humid=h).query("today == 1")["ship"].mean()
        for h in (67, 55)
    )
    assert humid - dry == pytest.approx(KNOWN["humid_gap"], abs=0.01)


def test_the_page_draws_the_graph_of_the_generator():
    cell = PAGE.text[PAGE.text.index("PARENTS = {") :]
    scope: dict = {}
    exec(cell[: cell.index("```")], scope)
    assert {k: sorted(v) for k, v in scope["PARENTS"].items()} == {k: sorted(v) for k, v in PARENTS.items()}
    assert "humidity" not in str(scope["DRY"])


def test_a_fault_moves_only_what_comes_after_it():
    broken, healthy = (LINE.generate(seed=7, n=50, m=500, fault=f) for f in ("bond", "none"))
    for station in ("load", "coat", "cure", "trim", "mill", "wash"):
        assert (broken[station] == healthy[station]).all()
    now = broken["today"] == 1
    assert (broken.loc[now, "ship"] > healthy.loc[now, "ship"]).mean() > 0.9
    np.testing.assert_allclose(broken["ship_healthy"], healthy["ship"], atol=1e-9)


def test_mixed_faults_reach_every_station_and_only_today():
    d = LINE.generate(seed=8, n=500, m=5_000, fault="mixed")
    assert set(d.loc[d["today"] == 0, "culprit"]) == {"none"}
    share = d.loc[d["today"] == 1, "culprit"].value_counts(normalize=True)
    assert set(share.index) == set(STATIONS) and share.between(0.09, 0.135).all()


# --- 몫의 성질 ---


@pytest.fixture(scope="module")
def day():
    d = LINE.generate(seed=11, n=6_000, m=200)
    return d, HERE["fit"](HERE["split"](d)[0], PARENTS)


def test_noise_and_pass_through_come_back(day):
    d, model = day
    np.testing.assert_allclose(model["sd"][1:], list(LINE.NOISE_SD.values()), rtol=0.05)
    assert model["w"][model["nodes"].index("trim")] == pytest.approx(KNOWN["passed_on"], abs=0.03)


def test_shares_add_up_to_the_score_and_equal_the_average_over_orders(day):
    d, _ = day
    small = {node: DRY[node] for node in ("load", "mill", "wash")}
    model = HERE["fit"](HERE["split"](d)[0], small)
    units = d.query("today == 1").head(5)
    shares, tail = HERE["score_shares"](units, model), HERE["log_tail"](units, model)
    np.testing.assert_allclose(shares.sum(axis=1), -tail[:, 0], atol=1e-9)
    by_order = np.zeros_like(shares)
    for order in permutations(range(3)):
        chosen = 0
        for k in order:
            by_order[:, k] += (tail[:, chosen + 2**k] - tail[:, chosen]) / 6
            chosen += 2**k
    np.testing.assert_allclose(shares, by_order, atol=1e-9)


def test_the_tail_is_the_frequency_of_slower_units(day):
    """아무것도 고정하지 않은 이상 점수는 그보다 느린 제품의 비율의 로그입니다."""
    _, model = day
    many = LINE.generate(seed=12, n=200_000, m=20, fault="none").query("today == 0")
    units = many.nlargest(4_000, "ship").iloc[[200, 1_000, 3_900]]
    counted = [np.log((many["ship"] >= y).mean()) for y in units["ship"]]
    np.testing.assert_allclose(HERE["log_tail"](units, model)[:, 0], counted, atol=0.35)


# --- ATT ---


def test_the_naive_gap_mixes_the_weather_in_and_both_methods_do_not():
    d = LINE.generate(seed=13, n=60_000, m=20_000)
    assert HERE["raw_gap"](d) == pytest.approx(KNOWN["ATT"] + KNOWN["humid_gap"], abs=0.3)
    for method in ("trim_effect", "healthy_effect"):
        value, low, high = HERE[method](d)
        assert low < value < high and value == pytest.approx(KNOWN["ATT"], abs=0.25)


def test_a_forgotten_humidity_hurts_one_formula_and_not_the_other():
    """경화를 보정한 비율은 습도 없이도 옳고, 길을 곱한 비율과 예측은 습도가 있어야 합니다."""
    d = LINE.generate(seed=14, n=100_000, m=20_000)
    old = HERE["split"](d)[0]
    b, _ = HERE["regress"](old["ship"].to_numpy(), old[["trim", "cure"]].to_numpy())
    assert b[1] == pytest.approx(KNOWN["passed_on"], abs=0.01)
    assert HERE["fit"](old, DRY)["w"][3] > KNOWN["passed_on"] + 0.05
    blind = HERE["healthy_effect"](d, ["load", "coat", "cure", "mill", "wash"])[0]
    assert blind > KNOWN["ATT"] + 0.6


def test_a_capped_delay_fools_the_first_method_only_and_bond_tells():
    hits = []
    target = effect(passing="capped")
    for k in range(20):
        d = LINE.generate(seed=900 + k, passing="capped")
        first, second = HERE["trim_effect"](d), HERE["healthy_effect"](d)
        hits.append(
            [first[1] <= target <= first[2], second[1] <= target <= second[2], HERE["day_test"](d, PARENTS)["bond"]]
        )
    first, second, bond = np.array(hits, float).T
    assert first.mean() == 0 and second.mean() >= 0.8 and (bond < -ONE_SIDED).all()
    assert 20 * 5_000 * target / 10_000 < 40  # 이 세상에서는 날을 바꾸면 손해입니다


@pytest.mark.parametrize("world", [{}, {"fault": "none"}, {"noise": "skewed"}, {"n": 400, "m": 60}])
def test_the_interval_covers_where_its_assumptions_hold(world):
    target = KNOWN["ATT"] if world == {} else effect(**{k: v for k, v in world.items() if k not in ("n", "m")})
    rows = [HERE["trim_effect"](LINE.generate(seed=2_000 + k, **world)) for k in range(40)]
    assert np.mean([low <= target <= high for _, low, high in rows]) >= 0.82


def pushed_on(d, own, **late):
    """공정에 초를 더하고 뒤로 넘긴 자료. late는 {공정: 늦은 초}, own은 더할 행(0/1)입니다."""
    moved: dict = {}
    for station in STATIONS:
        passed = sum(c * moved[p] for p, c in LINE.PASSED_ON[station].items() if p != "humidity")
        moved[station] = late.get(station, 0.0) * own + passed
    return d.assign(**{s: d[s] + moved[s] for s in STATIONS})


def test_the_front_door_gives_the_slope_of_curing_without_humidity_but_not_its_fault():
    """8절: 뒷문은 막지 못해도 비율은 앞문으로 구합니다. 나눌 수 없는 것은 오늘 경화가 늦은 초입니다."""
    d = LINE.generate(seed=15, n=100_000, m=20_000, fault="cure")
    old = HERE["split"](d)[0]
    first, _ = HERE["regress"](old["trim"].to_numpy(), old[["cure"]].to_numpy())
    then, _ = HERE["regress"](old["ship"].to_numpy(), old[["trim", "cure"]].to_numpy())
    back, _ = HERE["regress"](old["ship"].to_numpy(), old[["cure"]].to_numpy())
    assert first[1] * then[1] == pytest.approx(0.9 * KNOWN["passed_on"], abs=0.01) and back[1] > 0.75
    right, wrong = (HERE["day_shift"](d, "cure", c)[0] for c in (["coat", "humidity"], ["coat"]))
    assert right == pytest.approx(6 * 2.5 * np.sqrt(2 / np.pi), abs=0.2) and wrong > right + 2


def test_another_reason_for_slow_trimming_fools_both_methods_alike():
    d = LINE.generate(seed=16, n=20_000, m=5_000, fault="none")
    slow = pushed_on(d, d["today"], trim=5.0)
    for method in ("trim_effect", "healthy_effect"):
        assert HERE[method](slow)[0] == pytest.approx(5 * KNOWN["passed_on"], abs=0.3)


def test_a_bend_beyond_the_usual_humidity_fools_the_prediction_only():
    d = LINE.generate(seed=17, n=20_000, m=5_000, fault="none")
    bent = pushed_on(d, np.maximum(d["humidity"] - 70, 0), bond=1.0)
    assert abs(HERE["trim_effect"](bent)[0]) < 0.3 and HERE["healthy_effect"](bent)[0] > 0.8


def test_a_shock_of_the_day_makes_the_right_graph_blame_the_innocent():
    """하루가 통째로 0.25초 늦거나 빠르면, 제품이 서로 무관하다는 z는 너무 큽니다."""
    rng, blamed = np.random.default_rng(18), []
    for k in range(25):
        d = LINE.generate(seed=4_000 + k, fault="none")
        shock = dict(zip(STATIONS, 0.25 * rng.standard_normal(9), strict=True))
        days = [d, pushed_on(d, d["today"], **shock)]
        blamed.append([(HERE["day_test"](x, PARENTS) > ONE_SIDED).any() for x in days])
    still, shaken = np.mean(blamed, axis=0)
    assert still < 0.25 and shaken > 0.45


# --- 지목 ---


def right_and_wrong(parents, seeds, **world):
    found = []
    for seed in seeds:
        d = LINE.generate(seed=seed, **world)
        units = HERE["alarms"](d)
        named, sure = HERE["accuse"](units, HERE["fit"](HERE["split"](d)[0], parents))
        found.append(pd.DataFrame({"hit": named == units["culprit"].to_numpy(), "sure": sure}))
    return pd.concat(found)


def test_a_real_fault_is_found_with_either_graph():
    seeds, world = range(20, 26), {"fault": "mixed", "m": 1_000}
    wet, dry = (right_and_wrong(g, seeds, **world)["hit"].mean() for g in (PARENTS, DRY))
    assert wet > 0.9 and dry > 0.9 and abs(wet - dry) < 0.04


def test_without_a_fault_the_graph_without_humidity_accuses_far_more():
    seeds, world = range(30, 34), {"fault": "none", "m": 5_000}
    wet, dry = (right_and_wrong(g, seeds, **world)["sure"].mean() for g in (PARENTS, DRY))
    assert 0.02 < wet < 0.12 and dry > 2.5 * wet


def test_where_little_is_passed_on_the_dashboard_does_well(monkeypatch):
    """현황판이 뒤 공정을 칠하는 것은 지연이 거의 그대로 넘어가는 라인에서입니다."""
    for station, parents in LINE.PASSED_ON.items():
        less = {p: c * (1 if p == "humidity" else 0.4) for p, c in parents.items()}
        monkeypatch.setitem(LINE.PASSED_ON, station, less)
    hits = []
    for k in range(6):
        d = LINE.generate(seed=600 + k, fault="mixed", m=500)
        units = HERE["alarms"](d)
        late = units[STATIONS] - HERE["split"](d)[0][STATIONS].mean()
        hits.append((late.idxmax(axis=1) == units["culprit"]).mean())
    assert np.mean(hits) > 0.85


def test_a_floor_flattens_the_shares_and_mostly_keeps_the_top():
    d = LINE.generate(seed=19, m=1_000)
    units, model = HERE["alarms"](d), HERE["fit"](HERE["split"](d)[0], PARENTS)
    full, cut = (HERE["score_shares"](units, model, lowest=f) for f in (-np.inf, -np.log(6_001)))
    deep = full.sum(axis=1) > 12
    gap = [np.diff(np.sort(x[deep], axis=1)[:, -2:]).mean() for x in (full, cut)]
    assert deep.sum() > 50 and gap[1] < 0.6 * gap[0]
    assert (full.argmax(axis=1) == cut.argmax(axis=1)).mean() > 0.95


def test_averaging_a_day_makes_the_wrong_graph_surer():
    wet, dry = [], []
    for k in range(25):
        d = LINE.generate(seed=3_000 + k, fault="none")
        wet.append((HERE["day_test"](d, PARENTS) > ONE_SIDED).any())
        dry.append(set(HERE["day_test"](d, DRY).index[HERE["day_test"](d, DRY) > ONE_SIDED]))
    assert np.mean(wet) < 0.25 and all({"cure", "wash"} <= names for names in dry)
    assert not any("trim" in names for names in dry[:5])


def test_noise_correlations_hear_a_forgotten_parent_but_not_a_lone_one():
    """공통 부모는 상관을 남깁니다. 한 공정에만 닿는 숨은 원인은 남기지 않습니다(쪽의 마지막 경고)."""
    old = HERE["split"](LINE.generate(seed=40))[0]
    limit = norm.ppf(1 - 0.025 / 36) / np.sqrt(len(old))
    assert abs(HERE["related"](old, DRY)[2]) > 3 * limit
    lone = old.assign(ship=old["ship"] + 5 * np.random.default_rng(1).standard_normal(len(old)))
    assert abs(HERE["related"](lone, PARENTS)[2]) < 1.3 * limit


def test_a_hidden_cause_of_the_first_station_and_its_child_is_not_heard():
    heard = {pair: [] for pair in (("load", "coat"), ("cure", "wash"))}
    for k in range(20):
        old = HERE["split"](LINE.generate(seed=41 + k, m=20))[0]
        hidden = 1.5 * np.random.default_rng(k).standard_normal(len(old))
        limit = norm.ppf(1 - 0.025 / 36) / np.sqrt(len(old))
        for pair, found in heard.items():
            sick = pushed_on(old, hidden, **dict.fromkeys(pair, 1.0))
            found.append(abs(HERE["related"](sick, PARENTS)[2]) > limit)
    assert np.mean(heard["load", "coat"]) < 0.3 and np.mean(heard["cure", "wash"]) > 0.9


# --- 메모, 연습, 명세 ---


def test_the_memo_takes_the_cost_off_once_and_leaves_the_weather_alone():
    assert "units_left, won, cost = 5_000, 20, 40" in PAGE.text and "value - cost for name" in PAGE.text
    value, low, high = HERE["trim_effect"](load("service_root_cause"))
    net = [5_000 * 20 * x / 10_000 - 40 for x in (low, value, high)]
    right = 5_000 * 20 * effect() / 10_000 - 40
    assert net[0] > 0 and net[0] <= right <= net[2]
    assert HERE["raw_gap"](load("service_root_cause")) * 10 - 40 > net[2]
    blamed = HERE["day_test"](load("service_root_cause"), DRY)
    assert {"cure", "wash"} <= set(blamed.index[blamed > ONE_SIDED])


def test_typical_wrong_answers_are_rejected(capsys):
    share = -norm.logsf(4 / np.sqrt(2)) / 2
    for wrong in (-norm.logsf(2), 2 * share, norm.logsf(2) + 2 * share, 0.5):
        check_answer("연습 1", wrong, expected=share, decimals=2)
        assert "아직 아닙니다" in capsys.readouterr().out


def test_the_specification_of_the_page_runs_as_printed(tmp_path):
    """쪽에 적힌 명세는 이 자료의 열만 쓰고, 파이프라인이 그대로 읽습니다."""
    from causal_pipeline.spec import read_spec

    text = PAGE.text.split("```yaml\n")[1].split("```")[0]
    (tmp_path / "service_root_cause.csv").write_bytes((ROOT / "data" / "service_root_cause.csv").read_bytes())
    (tmp_path / "spec.yml").write_text(text, encoding="utf-8")
    assert read_spec(tmp_path / "spec.yml")
    asked = yaml.safe_load(text)
    assert asked["confounders"] == PARENTS["trim"] and asked["outcome"]["column"] == "ship"
