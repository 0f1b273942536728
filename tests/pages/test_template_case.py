"""template_case 데이터: 정답이 맞고, 겹치고, 교란이 있고, 있을 수 없는 값을 물리칩니다."""

import numpy as np
import pytest

from causal_practice import generator, truth

MAKE = generator("template_case")


def test_the_truth_on_the_card_is_the_population_average():
    world = MAKE.generate(**MAKE.DEFAULTS | {"seed": 1, "n": 400_000})
    effect = world["defects_1"] - world["defects_0"]
    assert effect.mean() == pytest.approx(truth("template_case")["ATE"], abs=4 * effect.std() / np.sqrt(len(world)))


def test_the_same_seed_gives_the_same_table():
    first, second = (MAKE.generate(**MAKE.DEFAULTS) for _ in range(2))
    assert first.equals(second)
    assert not first.equals(MAKE.generate(**MAKE.DEFAULTS | {"seed": 2}))


def test_the_naive_comparison_misleads_and_the_groups_overlap():
    world = MAKE.generate(**MAKE.DEFAULTS)
    treated = world["extra_clean"] == 1
    naive = world["defects"][treated].mean() - world["defects"][~treated].mean()
    assert abs(naive - truth("template_case")["ATE"]) > 1
    assert 0.2 < treated.mean() < 0.8


def test_without_an_effect_there_is_none():
    world = MAKE.generate(**MAKE.DEFAULTS | {"removal": 0.0})
    assert (world["defects_1"] == world["defects_0"]).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"n": 10}, "n은 50 이상"), ({"n": 100.5}, "정수"), ({"removal": 1.0}, "removal"), ({"hidden": -1}, "hidden")],
)
def test_impossible_parameters_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        MAKE.generate(**MAKE.DEFAULTS | wrong)
