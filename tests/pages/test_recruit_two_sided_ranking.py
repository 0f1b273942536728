"""recruit_two_sided_ranking 데이터: 정답이 맞고, 단순 비교가 틀리고, 두 집단이 겹칩니다.

열의 이름은 카드의 role에서 찾고 정답은 카드의 truth에서 읽습니다. 그래서 열의 이름을 바꾸어도 고칠 것은 아래 네 줄입니다.
"""

from book.case_data import CaseData

DATA = CaseData(
    "recruit_two_sided_ranking",
    potential=("defects_0", "defects_1"),  # 처치하지 않았을 때와 했을 때의 잠재적 결과(truth 열)
    no_effect={"removal": 0.0},  # 효과를 끄는 generate의 인자
)


def test_the_truth_on_the_card_is_the_population_average():
    DATA.truth_is_the_population_average("ATE")


def test_the_naive_comparison_misleads_and_the_groups_overlap():
    effect = DATA.truth("ATE")
    assert abs(DATA.naive() - effect) > 0.2 * abs(effect), (
        "단순 비교가 정답에 가깝습니다. 교란이 없으면 방법이 할 일이 없습니다."
    )
    assert 0.2 < DATA.treated_share() < 0.8, "한 집단이 드뭅니다. 생성기의 처치 확률을 보세요."


def test_without_an_effect_there_is_none():
    assert (DATA.effects(**DATA.no_effect) == 0).all(), "효과를 껐는데 두 잠재적 결과가 다른 행이 있습니다."
