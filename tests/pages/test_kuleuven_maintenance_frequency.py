"""정비 횟수 사례: 큰 표본의 정답, 처방의 값, 바꾼 세상, 메모의 돈, 파이프라인 명세."""

import re
from functools import lru_cache

import numpy as np
import pytest
from scipy.special import ndtr

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_pipeline import analyze
from causal_pipeline.spec import parse_spec
from causal_practice import check_answer, generator, load, truth
from causal_practice.data import data_dir

NAME = "kuleuven_maintenance_frequency"
MAKE = generator(NAME).generate
KNOWN = truth(NAME)
DOSES = np.arange(9)
TEXT = read_page(ROOT / "case_studies" / f"{NAME}.md")
PAGE = page_functions(
    TEXT,
    *("raw_gap", "traits", "stacked", "poisson", "curves", "chances", "crossed", "at", "scores", "mean_interval"),
    *("visits_effect", "by_curve", "by_weight", "prescribe", "nearest", "cost", "last_year", "shifted", "true_cost"),
    ndtr=ndtr,
    DOSES=DOSES,
    VISIT=50,
    FAIL=300,
    FLOOR=0.1,
    RATES=[f"rate_{k}" for k in DOSES],
)
at, mean_interval, true_cost = PAGE["at"], PAGE["mean_interval"], PAGE["true_cost"]


@lru_cache
def world(n=60_000, seed=11, **changes):
    """자료, 곡선, 확률, 처방, 실제 횟수."""
    frame = MAKE(seed=seed, n=n, **changes)
    m, p = PAGE["crossed"](frame)
    return frame, m, p, PAGE["prescribe"](m, p), frame["visits"].to_numpy()


def value(changes, kappa=0.0):
    """처방의 값의 추정값, 아래, 위와 참값(만 원)."""
    frame, m, p, choice, t = world(**changes)
    true = true_cost(frame, t).mean() - true_cost(frame, choice).mean()
    return *mean_interval(PAGE["shifted"](frame, m, p, choice, kappa)), true


def test_known_truth_at_large_n():
    frame = MAKE(seed=12, n=300_000)
    costs = np.column_stack([true_cost(frame, np.full(len(frame), k)) for k in DOSES])
    assert (frame["rate_4"] - frame["rate_2"]).mean() == pytest.approx(KNOWN["ATE"], abs=0.002)
    assert at(costs, frame["visits"].to_numpy()).mean() == pytest.approx(KNOWN["now"], abs=1.5)
    assert costs.min(axis=1).mean() == pytest.approx(KNOWN["best"], abs=1.5)
    assert costs.mean(axis=0).min() > KNOWN["best"] + 20  # 한 횟수로는 설비마다의 최선에 못 미칩니다


def test_observed_failures_have_the_rate_of_the_visits_received():
    frame = MAKE(seed=12, n=300_000)
    expected = at(frame[[f"rate_{k}" for k in DOSES]].to_numpy(), frame["visits"].to_numpy())
    gap = frame["failures"] - expected
    assert abs(gap.mean()) < 4 * gap.std() / np.sqrt(len(frame))
    assert (gap**2).mean() > 1.2 * expected.mean()  # 푸아송보다 흩어집니다


def test_raw_gap_has_the_wrong_sign_and_three_estimates_do_not():
    frame, m, p, _, _ = world()
    assert PAGE["raw_gap"](frame) > 0.2 > 0 > KNOWN["ATE"]
    assert PAGE["visits_effect"](frame)[0] == pytest.approx(KNOWN["ATE"], abs=0.06)
    assert PAGE["by_curve"](m) == pytest.approx(KNOWN["ATE"], abs=0.08)
    assert PAGE["by_weight"](frame, p) == pytest.approx(KNOWN["ATE"], abs=0.08)


def test_visits_work_better_on_old_machines_and_worse_in_dust():
    """9절의 말: 먼지는 고장을 늘리지만 방문의 효과는 줄입니다. 쪽의 자료의 곡선과 생성기가 같은 쪽을 가리킵니다."""
    frame = load(NAME)
    X, t = PAGE["traits"](frame), frame["visits"].to_numpy()
    base, slope, _ = PAGE["poisson"](PAGE["stacked"](X, t), frame["failures"].to_numpy()).reshape(3, -1)
    assert base[3] > 0.2 and slope[3] > 0.05 and slope[1] < -0.03
    big = MAKE(seed=12, n=100_000)
    share = np.log(big["rate_4"] / big["rate_0"])
    by_dust = share.groupby(big["dust"]).mean()
    assert by_dust.is_monotonic_increasing and share[big["age"] > 10].mean() < share[big["age"] <= 5].mean() - 0.2


def test_no_machine_is_prescribed_from_its_own_record():
    frame = MAKE(seed=3, n=1_000)
    m, p = PAGE["crossed"](frame)
    changed = frame.copy()
    changed.loc[0, "failures"] += 50
    other, _ = PAGE["crossed"](changed)
    assert (other[0] == m[0]).all() and not np.allclose(other[1], m[1])


def test_only_recorded_doses_are_prescribed():
    _, m, p, choice, _ = world()
    assert (at(p, choice) >= 0.1).all() and (at(p, PAGE["nearest"](p, 2)) >= 0.1).all()
    loose = (50 * DOSES + 300 * m).argmin(axis=1)
    assert (at(p, loose) < 0.1).mean() > 0.05  # 문턱이 없으면 기록이 드문 횟수를 처방합니다


@pytest.mark.parametrize(
    "changes, honest",
    [({}, True), ({"shape": "step"}, True), ({"hidden": "condition"}, False), ({"hidden": "care"}, False)],
)
def test_value_survives_a_wrong_curve_and_not_a_hidden_cause(changes, honest):
    estimate, low, high, true = value(changes)
    if honest:
        assert low - 1 < true < high + 1
    else:
        assert estimate > true + 15 and low > true  # 숨은 원인은 어느 쪽이든 처방의 값을 부풀립니다


def test_step_shape_breaks_the_curve_but_not_the_scores():
    frame, m, _, _, _ = world(shape="step")
    true = (frame["rate_4"] - frame["rate_2"]).mean()
    assert PAGE["by_curve"](m) > true + 0.12
    assert PAGE["visits_effect"](frame)[0] == pytest.approx(true, abs=0.07)


@pytest.mark.parametrize("hidden, sign", [("condition", 1), ("care", -1)])
def test_kappa_of_the_hidden_world_brings_the_value_back(hidden, sign):
    """생성기의 세기로 고치면 부풀린 값의 대부분이 사라집니다. kappa = 0.4·0.6/(잔차 분산)."""
    frame, _, _, _, t = world(hidden=hidden)
    X = PAGE["traits"](frame)
    kappa = sign * 0.4 * 0.6 / (t - X @ np.linalg.lstsq(X, t, rcond=None)[0]).var()
    raw, _, _, true = value({"hidden": hidden})
    fixed = value({"hidden": hidden}, kappa)[0]
    assert abs(fixed - true) < 0.3 * abs(raw - true)


def test_last_years_failures_hear_the_hidden_cause():
    for hidden, low, high in [("none", -0.08, 0.08), ("condition", 0.3, 0.7), ("care", -0.7, -0.3)]:
        assert low < PAGE["last_year"](world(hidden=hidden)[0])[0] < high


def test_the_memos_money_is_the_generators():
    """방문비는 처방의 값 안에 한 번 들어 있고, 권한 것은 지금의 일정과 견준 처방입니다."""
    opened = load(NAME, with_truth=True)
    frame = load(NAME)
    (m, p), t = PAGE["crossed"](frame), frame["visits"].to_numpy()
    choice, two = PAGE["prescribe"](m, p), PAGE["nearest"](p, 2)
    now = 50 * t + 300 * frame["failures"].to_numpy()
    saved, low, high = mean_interval(now - PAGE["cost"](frame, m, p, choice))
    true = (true_cost(opened, t) - true_cost(opened, choice)).mean()
    assert low < true < high and low > 0
    assert 4_000 * saved / 10_000 == pytest.approx(12.3, abs=0.1)  # 억 원/년
    by_hand = 50 * (t.mean() - choice.mean()) + 300 * (
        at(opened[[f"rate_{k}" for k in DOSES]].to_numpy(), t).mean()
        - at(opened[[f"rate_{k}" for k in DOSES]].to_numpy(), choice).mean()
    )
    assert by_hand == pytest.approx(true)
    _, low, high = mean_interval(PAGE["cost"](frame, m, p, two) - PAGE["cost"](frame, m, p, choice))
    assert low < 0 < high  # '두 번'과의 차이는 이 자료로 말하지 못합니다
    for written in ("첫해에는 그 절반", "fleet = 4_000", "VISIT, FAIL = 50, 300", "FLOOR = 0.1"):
        assert written in TEXT.text


def test_risk_and_avoided_failures_overlap_but_are_not_the_same():
    """9절의 말: 막는 비율은 먼지가 많을수록 작지만, 막는 횟수는 낡은 설비에서 늘고 젊은 설비에서 줄어듭니다."""
    frame = MAKE(seed=12, n=60_000)
    spared, share = frame["rate_2"] - frame["rate_4"], 1 - frame["rate_4"] / frame["rate_2"]
    old, young = frame["age"] > 10, frame["age"] <= 5
    for rows, rising in ((old, True), (young, False)):
        by_dust = spared[rows].groupby(frame["dust"][rows]).mean()
        assert by_dust.is_monotonic_increasing if rising else by_dust.is_monotonic_decreasing
        assert share[rows].groupby(frame["dust"][rows]).mean().is_monotonic_decreasing
    risk = frame[["age", "load", "dust"]].rank(pct=True).sum(axis=1)
    assert spared[risk > risk.quantile(0.75)].mean() > 3 * spared[risk < risk.quantile(0.25)].mean()


def test_a_weak_care_makes_the_value_too_small(monkeypatch):
    """11절의 말: 숨은 원인이 처방의 값을 늘 부풀리지는 않습니다."""
    monkeypatch.setitem(MAKE.__globals__["HIDDEN"], "care", -0.1)
    frame = MAKE(seed=5, n=150_000, hidden="care")
    (m, p), t = PAGE["crossed"](frame), frame["visits"].to_numpy()
    choice = PAGE["prescribe"](m, p)
    _, _, high = mean_interval(50 * t + 300 * frame["failures"].to_numpy() - PAGE["cost"](frame, m, p, choice))
    assert choice.mean() < t.mean() - 0.3
    assert high < true_cost(frame, t).mean() - true_cost(frame, choice).mean()


def test_double_robustness_ends_when_both_models_are_wrong():
    """계단이면 곡선이 틀리고, 나이의 제곱으로 방문을 정하면 확률도 틀립니다."""
    frame, rng = MAKE(seed=6, n=60_000, shape="step"), np.random.default_rng(7)
    planned = 1.5 + 1.2 * ((frame["age"] - 8) / 4) ** 2 + rng.normal(0, 1.1, len(frame))
    t = np.clip(np.round(planned), 0, 8).astype(int).to_numpy()
    rates = frame[[f"rate_{k}" for k in DOSES]].to_numpy()
    frame = frame.assign(visits=t, failures=rng.poisson(at(rates, t) * rng.gamma(1 / 0.3, 0.3, len(t))))
    assert PAGE["visits_effect"](frame)[1] > (frame["rate_4"] - frame["rate_2"]).mean() + 0.03


def test_the_step_prescription_is_valued_right_though_not_the_cheapest():
    frame, _, p, choice, _ = world(shape="step")
    rates = frame[[f"rate_{k}" for k in DOSES]].to_numpy()
    best = np.where(p < 0.1, np.inf, 50 * DOSES + 300 * rates).min(axis=1)
    assert true_cost(frame, choice).mean() > best.mean() + 20


def test_shuffled_visits_cannot_see_a_hidden_cause():
    frame = world(hidden="condition")[0]
    rng = np.random.default_rng(1)
    _, low, high = PAGE["visits_effect"](frame.assign(visits=rng.permutation(frame["visits"])))
    assert low < 0 < high
    assert PAGE["last_year"](frame)[1] > 0.2  # 같은 자료의 음성 대조는 봅니다


def test_a_curve_that_grades_itself_is_too_kind_and_more_so_in_small_data():
    extra = {}
    for n in (800, 6_000):
        gaps = []
        for seed in range(20):
            frame = MAKE(seed=700 + seed, n=n)
            X, t = PAGE["traits"](frame), frame["visits"].to_numpy()
            y, p = frame["failures"].to_numpy(), PAGE["chances"](X, t, X)
            curve = PAGE["curves"](PAGE["poisson"](PAGE["stacked"](X, t), y), X)
            choice = PAGE["prescribe"](curve, p)
            graded = (50 * t + 300 * y - 50 * choice - 300 * at(curve, choice)).mean()
            gaps.append(graded - (true_cost(frame, t) - true_cost(frame, choice)).mean())
        extra[n] = np.mean(gaps)
    assert extra[800] > extra[6_000] + 5 > 5


def test_one_year_of_halves_may_not_settle_it():
    """12절의 말: 두 반의 차이의 표준오차는 흩어짐의 두 배를 대수의 제곱근으로 나눈 것이고, 추정값은 그 2.8배보다 작습니다."""
    frame = load(NAME)
    (m, p), t = PAGE["crossed"](frame), frame["visits"].to_numpy()
    now = 50 * t + 300 * frame["failures"].to_numpy()
    saved = (now - PAGE["cost"](frame, m, p, PAGE["prescribe"](m, p))).mean()
    rng = np.random.default_rng(3)
    gaps = []
    for _ in range(400):
        cost = rng.choice(now, 4_000, replace=False)  # 표의 비용을 그대로 반으로 나눈 차이
        gaps.append(cost[:2_000].mean() - cost[2_000:].mean())
    error = 2 * now.std() / np.sqrt(4_000)
    assert np.std(gaps) == pytest.approx(error, rel=0.12)
    assert 1.96 * error < saved < 2.8 * error


def test_machines_that_drop_four_visits_are_few_and_worth_most():
    """연습 3의 풀이: 한 번 다른 설비는 많고, 네 번 줄이는 설비는 적지만 곡선이 맞다면 많이 아낍니다."""
    opened = load(NAME, with_truth=True)
    (m, p), t = PAGE["crossed"](load(NAME)), load(NAME)["visits"].to_numpy()
    choice = PAGE["prescribe"](m, p)
    gain = true_cost(opened, t) - true_cost(opened, choice)
    one, four = abs(t - choice) == 1, t - choice == 4
    assert one.mean() > 0.3 and four.mean() < 0.02
    assert gain[four].mean() > 4 * abs(gain[one].mean())


def test_the_ready_specification_runs_and_agrees():
    spec = re.search(r'spec = """\n(.*?)"""', TEXT.text, re.S)[1]
    found = analyze(parse_spec(spec, data_dir()), frame=load(NAME))
    assert found.primary.low < KNOWN["ATE"] < found.primary.high


def test_common_wrong_answers_are_rejected(capsys):
    frame = load(NAME)
    m, p = PAGE["crossed"](frame)
    right = np.where(p < 0.1, np.inf, 50 * DOSES + 100 * m).argmin(axis=1).mean()
    for wrong in (PAGE["prescribe"](m, p).mean(), (50 * DOSES + 100 * m).argmin(axis=1).mean()):
        check_answer("연습 1", wrong, expected=right, decimals=2)
        assert "아직 아닙니다" in capsys.readouterr().out
    check_answer("연습 1", round(right, 2), expected=right, decimals=2)
    assert "정답입니다" in capsys.readouterr().out
