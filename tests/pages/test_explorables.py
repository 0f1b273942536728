"""움직여 보는 그림의 값을 쪽의 함수를 쓰지 않고 다시 셉니다: 알려진 식, 다른 라이브러리, 새로 짠 계산."""

import numpy as np
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

from causal_practice import generator, load, truth
from causal_practice.explore import EXPLORE_MIME


@pytest.fixture
def recorded(executions):
    """쪽의 이름 → 상태마다의 기록(값과 문장)."""

    def read(docname: str) -> dict:
        outputs = [o for c in executions[docname].notebook().cells for o in c.get("outputs", [])]
        (found,) = [o["data"][EXPLORE_MIME] for o in outputs if EXPLORE_MIME in o.get("data", {})]
        assert len(found["states"]) == len(found["values"]) == len(found["said"])
        return dict(zip(found["states"], found["values"], strict=True)) | {"said": found["said"]}

    return read


def test_choosing_the_usual_riders_makes_the_bias(recorded):
    found, opened = recorded("chapters/week01_introduction"), load("priority_dispatch", with_truth=True)
    usual = (opened["rides_0"] - opened["rides_0"].mean()) / opened["rides_0"].std()
    luck = np.random.default_rng(51).normal(size=len(opened))
    for power in (0.0, 0.5, 1.0):
        rank = (power * usual + (1 - power) * luck).to_numpy()
        on = np.zeros(len(opened), bool)  # 고른 수는 언제나 같습니다. 같은 값은 뒤에 적힌 승객부터입니다
        on[np.argsort(rank, kind="stable")[-opened["priority"].sum() :]] = True
        seen = np.where(on, opened["rides_1"], opened["rides_0"])  # 정말로 보게 될 결과
        assert found[power]["단순 비교"] == pytest.approx(seen[on].mean() - seen[~on].mean(), abs=1e-6)
        assert found[power]["편향"] == pytest.approx(
            found[power]["단순 비교"] - (opened["rides_1"] - opened["rides_0"])[on].mean(), abs=1e-6
        )
    assert abs(found[0.0]["편향"]) < 0.5 < found[0.5]["편향"] < found[1.0]["편향"]


def test_peeking_matches_the_known_error_of_repeated_tests(recorded):
    """표준정규 걸음으로 다시 세고, Armitage 등(1969)의 표(1, 2번: 5%, 8.3%)와도 견줍니다."""
    found = recorded("chapters/week02_randomized_experiments")
    steps = np.random.default_rng(1).normal(size=(40_000, 28)).cumsum(axis=1) / np.sqrt(np.arange(1, 29))
    for looks in (1, 4, 14, 28):
        days = np.arange(28 // looks, 29, 28 // looks) - 1
        expected = (np.abs(steps[:, days]) > 1.96).any(axis=1).mean()
        assert found[looks]["헛발견"] == pytest.approx(expected, abs=0.03), looks
    assert found[1]["헛발견"] == pytest.approx(0.05, abs=0.02) and found[2]["헛발견"] == pytest.approx(0.083, abs=0.02)
    assert [found[k]["멈춘 실험"] for k in (1, 2, 4, 28)] == sorted(found[k]["멈춘 실험"] for k in (1, 2, 4, 28))


def test_the_hidden_confounder_is_the_product_of_two_forces(recorded):
    found = recorded("chapters/week03_deeper")
    for force in (0.0, 0.5, 1.0):
        homes = generator("deep_check").generate(seed=74, n=25_000, hidden=force)
        short = smf.ols("spend ~ deep_check + complaint + machines", homes).fit().params["deep_check"]
        long = smf.ols("spend ~ deep_check + complaint + machines + taste", homes).fit().params
        assert found[force]["편향"] == pytest.approx(short - long["deep_check"], abs=1e-6)
        assert found[force]["결과 쪽"] == pytest.approx(long["taste"], rel=1e-6)
        treated = smf.ols("taste ~ deep_check + complaint + machines", homes).fit(cov_type="HC2")
        assert found[force]["오차"] == pytest.approx(long["taste"] * treated.bse["deep_check"], rel=0.02)
        assert found[force]["처치 쪽"] * found[force]["결과 쪽"] == pytest.approx(found[force]["편향"], abs=1e-6)
    assert abs(found[0.0]["편향"]) < 3 * found[0.0]["오차"]  # 힘이 없으면 편향도 없고, 남은 것은 우연입니다
    assert found[0.5]["편향"] < found[1.0]["편향"] / 2  # 절반의 힘은 절반보다 작은 편향


def test_regression_weights_are_those_of_the_regression_itself(recorded):
    """등급마다의 몫으로 가중한 모집단에서 더미 회귀를 정말로 돌려 봅니다."""
    found, ladder = recorded("chapters/week04_linear_regression"), load("ad_credit")
    tiers = ["새싹", "일반", "우수", "파워"]
    cells = ladder.groupby(["grade", "credit"])["margin"].mean().unstack()
    for percent in (2, 10, 50, 95):
        rows = []
        for tier in tiers:
            size = (ladder["grade"] == tier).sum()
            chance = percent / 100 if tier == "새싹" else ladder.loc[ladder["grade"] == tier, "credit"].mean()
            rows += [(tier, 1, cells.loc[tier, 1], size * chance), (tier, 0, cells.loc[tier, 0], size * (1 - chance))]
        tier, t, y, weight = map(np.array, zip(*rows, strict=True))
        X = np.column_stack([t, *(tier == name for name in tiers)]).astype(float)
        fit = sm.WLS(y.astype(float), X, weights=weight.astype(float)).fit()
        assert found[percent]["더미 회귀"] == pytest.approx(fit.params[0], rel=1e-6), percent
    assert found[50]["새싹"] > found[10]["새싹"] > found[2]["새싹"] and found[95]["새싹"] < found[50]["새싹"]


def test_overlap_is_refitted_with_statsmodels(recorded):
    found = recorded("chapters/week05_propensity_score")
    for steepness in (0.0, 3.0, 4.5):
        runs = []
        for seed in range(31, 51):
            d = generator("onboarding_consulting").generate(seed=seed, n=2000, steepness=steepness)
            X = np.column_stack([np.ones(len(d)), d["early_hours"], np.log(d["seats"]), d["has_admin"], d["sales_led"]])
            t, y = d["consulted"].to_numpy(), d["hours_week8"].to_numpy()
            e = sm.Logit(t, X).fit(disp=0).predict()
            w = np.where(t == 1, 1 / e, 1 / (1 - e))
            on = w[t == 1] / w[t == 1].sum()
            ipw = np.average(y[t == 1], weights=w[t == 1]) - np.average(y[t == 0], weights=w[t == 0])
            runs.append([t.sum(), 1 / (on**2).sum(), on.max(), ipw - (d["hours1"] - d["hours0"]).mean()])
        runs, known = np.array(runs), found[steepness]
        for name, column in (("받은 곳", 0), ("유효", 1), ("큰 몫", 2)):
            assert known[name] == pytest.approx(np.median(runs[:, column]), rel=1e-3), name
        assert known["치우침"] == pytest.approx(runs[:, 3].mean(), abs=1e-3)
        assert known["오차"] == pytest.approx(runs[:, 3].std(), rel=1e-3)
    assert found[0.0]["유효"] > found[3.0]["유효"] and found[4.5]["오차"] > found[0.0]["오차"]


def test_sending_to_everyone_needs_no_order(recorded):
    found = recorded("chapters/week06_effect_heterogeneity")
    assert found[100]["움직일"] == pytest.approx(found[100]["많이 살"])
    assert all(found[p]["움직일"] >= found[p]["많이 살"] - 1e-9 for p in range(10, 101, 10))
    assert [found[p]["푸시"] for p in (10, 50, 100)] == [found[100]["푸시"] * p / 100 for p in (10, 50, 100)]


def test_the_learners_are_refitted_one_by_one(recorded):
    from lightgbm import LGBMRegressor

    found, names = (
        recorded("chapters/week07_metalearners"),
        ["past_hours", "weeks_left", "worker", "progress", "mock_score"],
    )
    df, fresh = load("study_coach"), generator("study_coach").generate(seed=7070, n=4000)
    options = {
        "num_leaves": 6,
        "learning_rate": 0.08,
        "min_child_samples": 20,
        "random_state": 7,
        "n_jobs": 1,
        "verbose": -1,
    }
    for n in (10, 80):
        both = LGBMRegressor(n_estimators=n, **options).fit(df[[*names, "coached"]].to_numpy(float), df["hours"])
        ends = [both.predict(fresh[names].assign(coached=arm).to_numpy(float)) for arm in (0, 1)]
        miss = np.sqrt(np.mean((ends[1] - ends[0] - fresh["effect_true"]) ** 2))
        assert found[n]["S"] == pytest.approx(miss, rel=0.02), n
    assert found[5]["거의 0"] > found[40]["거의 0"] > found[120]["거의 0"]


def test_a_tilt_adds_twelve_times_its_slope(recorded):
    """앞뒤 기간의 가운데가 열두 주 떨어져 있어, 기울기 하나가 편향 열둘을 더합니다."""
    found = recorded("chapters/week08_difference_in_differences")
    for trend in (0.1, 0.3, 0.6):
        assert found[trend]["편향"] - found[0.0]["편향"] == pytest.approx(12 * trend, abs=1e-6)
    assert abs(found[0.0]["포함"] - 0.95) < 0.03 and abs(found[0.0]["기각"] - 0.05) < 0.03
    assert found[0.6]["포함"] < 0.05 < found[0.6]["기각"]


def test_one_and_two_donors_by_hand(recorded):
    found, d = recorded("chapters/week09_synthetic_control"), load("onehour_delivery")
    wide = d.pivot(index="region", columns="week", values="orders")
    opened = d.groupby("region")["opened"].max() == 1
    y, C = wide[opened].mean().to_numpy(), wide[~opened].to_numpy()
    near = C[np.argsort(((C[:, :48] - y[:48]) ** 2).sum(axis=1))]
    assert found[1]["효과"] == pytest.approx((y - near[0])[48:].mean(), abs=1e-3)
    a, b = near[0, :48] - near[1, :48], y[:48] - near[1, :48]
    share = np.clip(a @ b / (a @ a), 0, 1)  # 도너가 둘이면 몫 하나의 최소제곱입니다
    off = y - share * near[0] - (1 - share) * near[1]
    assert found[2]["효과"] == pytest.approx(off[48:].mean(), abs=1e-3)
    assert found[2]["오차"] == pytest.approx(np.sqrt((off[:48] ** 2).mean()), abs=1e-3)
    sizes = [k for k in found if k != "said"]
    errors = [found[k]["오차"] for k in sizes]
    assert np.all(np.diff(errors) <= 1e-6) and sizes[-1] == len(C)  # 풀이 커지면 앞은 더 잘 맞을 수밖에 없습니다


def test_short_windows_are_biased_and_long_ones_wide(recorded):
    found = recorded("chapters/week10_geo_and_switchback")
    spread = [found[m]["표준편차"] for m in (1, 2, 3, 6, 12)]
    assert spread == sorted(spread)
    assert abs(found[1]["편향"]) > 5 * abs(found[3]["편향"]) and found[1]["포함률"] < 10 < 90 < found[3]["포함률"]


def test_the_instrument_is_refitted_with_least_squares(recorded):
    found = recorded("chapters/week11_noncompliance_instruments")
    for pull in (0.1, 0.3, 1.5):
        d = generator("order_assist").generate(seed=1_003, n=1_000, pull=pull)
        first = smf.ols("used ~ visit", d).fit(cov_type="HC0")
        wald = smf.ols("profit ~ visit", d).fit().params["visit"] / first.params["visit"]
        assert found[pull]["Wald"] == pytest.approx(wald, rel=1e-6)
        assert found[pull]["F"] == pytest.approx(first.tvalues["visit"] ** 2, rel=1e-3)
        # F가 문턱을 넘지 못하면 AR 집합은 끝나지 않습니다
        said = found["said"][[k for k in found if k != "said"].index(pull)]
        assert ("배제하지 못" in said or "갈라져" in said) == (found[pull]["F"] < 1.96**2)


def test_the_bandwidth_is_refitted_with_statsmodels(recorded):
    found = recorded("chapters/week11_deeper")
    grade = load("store_grade").assign(x=lambda d: d["score"] - 70.0, right=lambda d: (d["score"] >= 70) * 1)
    for h in (3, 8, 30):
        near = grade.assign(k=1 - np.abs(grade["x"]) / h).query("k > 0")
        jump = {
            y: smf.wls(f"{y} ~ right * x", near, weights=near["k"]).fit().params["right"] for y in ("sales", "helped")
        }
        assert found[h]["점포"] == len(near) and found[h]["뜀"] == pytest.approx(jump["sales"], abs=1e-6)
        assert found[h]["효과"] == pytest.approx(jump["sales"] / jump["helped"], rel=1e-6)
    assert found[3]["high"] - found[3]["low"] > found[30]["high"] - found[30]["low"]
    assert abs(found[30]["효과"] - truth("store_grade")["LATE"]) > abs(found[8]["효과"] - truth("store_grade")["LATE"])


def test_a_coin_has_no_bandit_bias(recorded):
    """동전(반반)이면 고르지 않은 것이라 평균이 정답 10%이고, 확률로 나눈 값은 언제나 정답 둘레입니다."""
    found = recorded("chapters/week12_deeper")
    floors = [k for k in found if k != "said"]
    assert found[50]["평균"] == pytest.approx(0.10, abs=0.002) and found[50]["덜 보인"] == pytest.approx(
        0.10, abs=0.004
    )
    assert all(found[k]["나눈 값"] == pytest.approx(0.10, abs=0.004) for k in floors)
    below = [found[k]["덜 보인"] for k in floors]
    assert np.all(np.diff(below) > -0.001) and below[0] < 0.08 < 0.085 < below[-2]  # 1%와 2%는 되풀이의 오차 안입니다
    rng = np.random.default_rng(3)  # 반반일 때 덜 보인 쪽의 수는 이항분포에서 바로 나옵니다
    shown = rng.binomial(400, 0.5, 20_000)
    assert found[50]["적은 쪽"] == pytest.approx(np.median(np.minimum(shown, 400 - shown)), abs=2)
