"""설문 보상 사례: 큰 표본의 정답, 응답이 여는 길, 두 방법이 버티는 세상과 무너지는 세상, 메모의 돈."""

import re

import numpy as np
import pytest

from book.page import ROOT, read_page
from book.page_code import page_functions
from causal_pipeline import analyze
from causal_pipeline.spec import parse_spec
from causal_practice import generator, load, truth
from causal_practice.data import data_dir

SURVEY = generator("netflix_survey_nonresponse")
KNOWN = truth("netflix_survey_nonresponse")
TEXT = read_page(ROOT / "case_studies" / "netflix_survey_nonresponse.md")
PAGE = page_functions(
    TEXT, "raw_gap", "table", "shares", "rake", "raked", "raked_interval", "raked_effect", "resample", "always", "lee", "lee_interval",
    "if_newcomers", "price", "started",
    ACTIVITY=np.array([0.55, 0.30, 0.15]), TENURE=np.array([0.6, 0.4]), INVITE=400, OLD=1_000, NEW=3_000,
)  # fmt: skip


def big(seed, n=1_000_000, **world):
    return SURVEY.generate(seed=seed, n=n, **world)


@pytest.fixture(scope="module")
def large():
    return big(31, 2_000_000)


def cell_of(d):
    return 2 * d["activity"] + d["new_member"]


def core_effect(d):
    both = (d["answers_0"] == 1) & (d["answers_1"] == 1)
    return 100 * (d["sincere_1"] - d["sincere_0"])[both].mean()


def test_truth_on_the_card_is_the_members_average(large):
    effect = 100 * (large["sincere_1"] - large["sincere_0"]).groupby(cell_of(large)).mean()
    assert SURVEY.MEMBERS.ravel() @ effect == pytest.approx(KNOWN["ATE"], abs=0.04)
    assert core_effect(large) == pytest.approx(KNOWN["always"], abs=0.05)
    assert core_effect(big(32, hidden="swap")) == pytest.approx(KNOWN["always_swap"], abs=0.08)
    none = SURVEY.generate(seed=3, n=2_000, harm=0.0)
    assert (none["sincere_0"] == none["sincere_1"]).all()


def test_the_invited_and_member_shares_are_the_stated_ones(large):
    assert SURVEY.MEMBERS.sum(1) == pytest.approx([0.55, 0.30, 0.15])
    assert SURVEY.MEMBERS.sum(0) == pytest.approx([0.60, 0.40])
    share = cell_of(large).value_counts(normalize=True, sort=False).sort_index()
    assert share.to_numpy() == pytest.approx(SURVEY.INVITED.ravel(), abs=0.002)
    assert SURVEY.INVITED.sum() == pytest.approx(1)


def test_the_coin_balances_the_invited_and_answering_unbalances_them(large):
    heavy = (large["activity"] == 0).groupby(large["incentive"]).mean()
    assert abs(heavy[1] - heavy[0]) < 0.003
    answered = large[large["responded"] == 1]
    heavy = (answered["activity"] == 0).groupby(answered["incentive"]).mean()
    assert heavy[1] - heavy[0] > 0.06


def test_the_raw_gap_misleads_and_raking_recovers(large):
    assert PAGE["raw_gap"](large) < KNOWN["ATE"] - 0.8
    assert PAGE["raked_effect"](large)[0] == pytest.approx(KNOWN["ATE"], abs=0.3)


def test_raking_meets_both_margins_and_keeps_the_odds_ratio():
    start = np.array([10.0, 3.0, 20.0, 9.0, 30.0, 6.0])
    m = PAGE["rake"](start).reshape(3, 2)
    assert m.sum(1) == pytest.approx([0.55, 0.30, 0.15], abs=1e-9)
    assert m.sum(0) == pytest.approx([0.6, 0.4], abs=1e-9)
    ratio = lambda x: x[0, 0] * x[1, 1] / (x[0, 1] * x[1, 0])
    assert ratio(m) == pytest.approx(ratio(start.reshape(3, 2)))


def test_the_two_steps_are_the_cell_average():
    """칸마다 둔 성향점수의 역수로 가중하고 래킹한 차이는 칸의 차이를 래킹한 몫으로 평균한 것과 같습니다."""
    d = load("netflix_survey_nonresponse").dropna()
    t, place = d["incentive"].to_numpy(), cell_of(d).to_numpy()
    e = d.groupby(["activity", "new_member"])["incentive"].transform("mean").to_numpy()
    w = np.where(t == 1, 1 / e, 1 / (1 - e))
    mass = np.bincount(place, w, 6)
    w = w * (PAGE["rake"](mass) / mass)[place]
    one, zero = (np.average(d["sincere"][t == k], weights=w[t == k]) for k in (1, 0))
    assert 100 * (one - zero) == pytest.approx(PAGE["raked_effect"](load("netflix_survey_nonresponse"))[0])


def test_lee_bounds_equal_the_extremes_of_the_newcomers():
    """새로 온 회원이 모두 성의 있었던 경우와 모두 대충이었던 경우를 잘라 낸 값입니다."""
    N = np.zeros((2, 6, 3), int)
    N[0] = [60, 10, 30]  # 응답률 0.4, 성의 0.75
    N[1] = [50, 15, 35]  # 응답률 0.5, 성의 0.70: 열 명이 새로 왔습니다
    low, high = PAGE["lee"](N)
    assert low == pytest.approx(100 * (25 / 40 - 0.75)) and high == pytest.approx(100 * (35 / 40 - 0.75))
    flat = N[::-1]
    assert PAGE["lee"](flat)[0] == pytest.approx(-high) and PAGE["lee"](flat)[1] == pytest.approx(-low)


def test_cells_narrow_the_bounds_only_when_trimming_runs_out_in_some():
    """잘라 낼 응답이 모자라는 칸과 넉넉한 칸이 섞였을 때만 칸으로 나눈 한계가 좁아집니다."""

    def widths(*cells):
        N = np.array([[cell[k] for cell in cells] for k in (0, 1)])
        return [np.diff(PAGE["lee"](n))[0] for n in (N.sum(1, keepdims=True), N)]

    few = [(800, 40, 160), (600, 40, 360)]  # 새로 온 몫이 절반인데 대충인 답은 열에 하나: 모자랍니다
    plenty = [(500, 250, 250), (400, 300, 300)]  # 새로 온 몫보다 대충인 답이 많습니다
    pooled, split = widths(plenty, plenty)
    assert split == pytest.approx(pooled)
    pooled, split = widths(few, plenty)
    assert split < pooled - 1


def test_newcomers_formula_recovers_the_core_effect_when_delta_is_known():
    """숨은 성의가 응답을 가르는 세상에서 참 δ를 넣으면, 늘 답하는 회원의 효과를 회원 전체의 구성으로 평균한 값이 나옵니다."""
    d = big(33, hidden="money")
    new, both = (d["answers_1"] == 1) & (d["answers_0"] == 0), (d["answers_0"] == 1) & (d["answers_1"] == 1)
    cell = cell_of(d)
    delta = 100 * (d["sincere_1"][new].groupby(cell).mean() - d["sincere_1"][both].groupby(cell).mean()).to_numpy()
    assert (delta < -2).all()
    goal = SURVEY.MEMBERS.ravel() @ (100 * (d["sincere_1"] - d["sincere_0"])[both].groupby(cell).mean())
    N = PAGE["table"](d)
    assert PAGE["if_newcomers"](N, delta) == pytest.approx(goal, abs=0.5)
    assert PAGE["if_newcomers"](N, 0) < goal - 1
    assert PAGE["if_newcomers"](N, 0) == pytest.approx(PAGE["raked"](N))


def drawn(seed, n=1_000_000):
    """쪽의 칸과 성의만 쓰고 응답과 효과는 시험이 새로 정하는 회원: 난수, 칸, 활동, 성의, 보상, 옛 보상의 성의 비율."""
    rng = np.random.default_rng(seed)
    cell = rng.choice(6, n, p=SURVEY.INVITED.ravel())
    activity, z = cell // 2, rng.normal(size=n)
    chance = 1 / (1 + np.exp(-(SURVEY.BASE_QUALITY[activity] - 0.2 * (cell % 2) + 0.9 * z)))
    return rng, cell, activity, z, rng.random(n) < 0.5, chance


def raked_of(cell, arm, answered, value):
    N = np.zeros((2, 6, 3))
    kind = np.where(answered, 1 + value.astype(int), 0)
    np.add.at(N, (arm.astype(int), cell, kind), 1)
    return PAGE["raked"](N)


def test_the_profile_is_silent_when_both_rewards_select_alike():
    """성의가 두 보상에서 응답을 똑같이 가르면 프로필은 조용한데, 칸의 차이는 회원 전체의 효과가 아닙니다."""
    rng, cell, activity, z, arm, chance = drawn(41)
    pull = 2 / (1 + np.exp(-1.5 * z))
    answered = rng.random(len(z)) < SURVEY.ANSWER[activity, arm.astype(int)] * np.where(cell % 2, 0.8, 1) * pull
    profile = rng.random(len(z)) < 1 / (1 + np.exp(-(0.3 + z)))
    effect = -0.1 * (z > 0) * chance
    value = rng.random(len(z)) < chance + arm * effect
    assert abs(raked_of(cell, arm, answered, profile)) < 0.6
    goal = 100 * SURVEY.MEMBERS.ravel() @ [effect[cell == k].mean() for k in range(6)]
    assert raked_of(cell, arm, answered, value) < goal - 1.5


def test_the_profile_can_cry_wolf():
    """성의와 무관한 버릇이 프로필과 응답을 함께 움직이면, 편향이 없어도 프로필이 어긋납니다."""
    rng, cell, activity, _, arm, chance = drawn(42)
    habit = rng.normal(size=len(cell))
    low, high = (SURVEY.ANSWER[activity, k] for k in (0, 1))
    answered = rng.random(len(cell)) < np.where(arm, low + (high - low) * 2 / (1 + np.exp(-1.5 * habit)), low)
    profile = rng.random(len(cell)) < 1 / (1 + np.exp(-(0.3 + habit)))
    value = rng.random(len(cell)) < chance * (1 - 0.02 * arm)
    goal = -2 * SURVEY.MEMBERS.ravel() @ [chance[cell == k].mean() for k in range(6)]
    assert raked_of(cell, arm, answered, value) == pytest.approx(goal, abs=0.6)
    assert raked_of(cell, arm, answered, profile) > 3


def test_raking_misses_when_the_members_cross_table_has_another_shape():
    """두 몫이 맞아도 교차표의 모양이 답한 사람과 다르면, 칸마다 효과가 다를 때 회원 전체의 값이 아닙니다."""
    members = np.array([0.50, 0.05, 0.08, 0.22, 0.02, 0.13])
    assert members.reshape(3, 2).sum(1) == pytest.approx([0.55, 0.30, 0.15])
    assert members.reshape(3, 2).sum(0) == pytest.approx([0.6, 0.4])
    effect = np.array([0, -6, 0, -2, 0, 0])
    assert PAGE["rake"](SURVEY.INVITED.ravel()) @ effect < members @ effect - 0.8


def test_leaving_after_the_start_brings_the_problem_back():
    """알린 뒤에 옛 보상의 회원이 더 그만두고 성의 있는 사람이 남으면, 시작한 회원끼리의 비교도 어긋납니다."""
    rng, _, activity, z, arm, chance = drawn(43)
    start = rng.random(len(z)) < SURVEY.ANSWER[activity, 0]
    stays = rng.random(len(z)) < np.where(arm, 0.97, 0.75 + 0.2 / (1 + np.exp(-1.5 * z)))
    value = rng.random(len(z)) < chance * (1 - 0.01 * arm)
    gap = lambda kept: 100 * (value[kept & arm].mean() - value[kept & ~arm].mean())
    assert gap(start) == pytest.approx(-100 * 0.01 * chance[start].mean(), abs=0.4)
    assert gap(start & stays) < gap(start) - 0.4


def test_the_ready_specification_says_who_is_left_and_gets_c():
    spec = re.search(r'spec = """\n(.*?)"""', TEXT.text, re.S)[1]
    found = analyze(parse_spec(spec, data_dir()), frame=load("netflix_survey_nonresponse"))
    status = {check.name: check.status for check in found.checks}
    assert found.grade.letter == "C"
    assert [name for name, value in status.items() if value == "fail"] == ["balance", "attrition"]
    d = load("netflix_survey_nonresponse").dropna()
    X = (d[["activity", "new_member"]] - d[["activity", "new_member"]].mean()).to_numpy()
    a = d["incentive"].to_numpy()[:, None]
    lin = np.linalg.lstsq(np.hstack([np.ones_like(a), a, X, a * X]), d["sincere"].to_numpy(), rcond=None)[0][1]
    assert found.primary.value == pytest.approx(lin, abs=1e-6)
    assert abs(100 * found.primary.value - PAGE["raked_effect"](load("netflix_survey_nonresponse"))[0]) > 0.3


def test_what_each_method_survives():
    for hidden, sign in (("money", -1), ("busy", 1)):
        d = big(34, hidden=hidden)
        assert sign * (PAGE["raked_effect"](d)[0] - KNOWN["ATE"]) > 2
        low, high = PAGE["lee"](PAGE["table"](d))
        assert low < core_effect(d) < high
    d = big(35, hidden="swap")
    rate = d.groupby("incentive")["responded"].mean()
    assert abs(rate[1] - rate[0]) < 0.004  # 응답률은 같은데 두 방법이 모두 놓칩니다
    assert PAGE["raked_effect"](d)[2] < KNOWN["ATE"] - 2
    assert PAGE["lee"](PAGE["table"](d))[1] < KNOWN["always_swap"] - 1


def test_profile_is_quiet_unless_diligence_moves_the_answer(large):
    assert abs(PAGE["raked_effect"](large, "profile")[0]) < 0.4
    for hidden in ("money", "busy", "swap"):
        assert abs(PAGE["raked_effect"](big(36, hidden=hidden), "profile")[0]) > 1.5


@pytest.mark.parametrize("hidden", SURVEY.HIDDEN)
def test_telling_after_the_start_needs_no_assumption_about_who_answers(hidden):
    d = big(37, hidden=hidden, design="after_start")
    assert PAGE["started"](d)[0] == pytest.approx(KNOWN["always"], abs=0.35)


def test_following_up_a_random_part_of_the_silent_removes_the_bias():
    """연습 3: 답하지 않은 회원의 무작위 표본에서 모두 답을 얻으면 초대한 회원의 평균이 나옵니다."""
    d = big(38, hidden="swap")
    rng, arms = np.random.default_rng(1), []
    for k in (0, 1):
        one = d[d["incentive"] == k]
        silent, said = one[one["responded"] == 0], one[one["responded"] == 1]
        asked = silent.iloc[rng.choice(len(silent), 60_000, replace=False)]
        share = len(said) / len(one)
        arms.append(share * said[f"sincere_{k}"].mean() + (1 - share) * asked[f"sincere_{k}"].mean())
    goal = 100 * (d["sincere_1"] - d["sincere_0"]).mean()
    assert 100 * (arms[1] - arms[0]) == pytest.approx(goal, abs=0.7)
    assert PAGE["raw_gap"](d) < goal - 2


def test_the_memos_money_is_the_generators(large):
    """유효 응답 한 건의 값을 생성기의 확률에서 다시 계산합니다. 모두 올리기가 가장 비쌉니다."""
    scale, cost = np.array([1, SURVEY.NEW_MEMBER]), {}
    quality = large.groupby(cell_of(large))[["sincere_0", "sincere_1"]].mean().to_numpy().reshape(3, 2, 2)
    for name, plan in {"now": (0, 0, 0), "all": (1, 1, 1), "light": (1, 0, 0)}.items():
        at = np.array(plan)
        p = SURVEY.ANSWER[np.arange(3), at][:, None] * scale
        q = quality[np.arange(3), :, at]
        pay = np.where(at == 1, 3_000, 1_000)[:, None]
        spent = 400 + (SURVEY.INVITED * p * pay).sum()
        cost[name] = spent * (SURVEY.MEMBERS**2 / (SURVEY.INVITED * p * q)).sum()
        assert PAGE["price"](PAGE["table"](large), plan) == pytest.approx(cost[name], rel=0.03)
    assert cost["light"] < cost["now"] < cost["all"]
    N, part = PAGE["table"](large), SURVEY.MEMBERS.sum(1)[0]
    one = (large["sincere_1"] - large["sincere_0"]).groupby(cell_of(large)).mean()[:2]
    goal = 100 * SURVEY.MEMBERS.ravel()[:2] @ one
    assert PAGE["if_newcomers"](N, 0, (1, 0, 0)) == pytest.approx(goal, abs=0.3)  # 올리지 않은 회원까지 섞은 값입니다
    assert PAGE["if_newcomers"](N, 0, (1, 0, 0)) / part < PAGE["if_newcomers"](N, 0, (1, 0, 0)) - 0.3
    assert PAGE["if_newcomers"](N, 0, (0, 0, 0)) == 0
