"""template_case 데이터: 정답이 맞고, 겹치고, 교란이 있습니다. 모든 생성기가 지키는 것은 test_generators.py가 봅니다."""

import numpy as np
import pytest

from causal_practice import generator, truth

MAKE = generator("template_case")


def test_the_truth_on_the_card_is_the_population_average():
    world = MAKE.generate(**MAKE.DEFAULTS | {"seed": 1, "n": 400_000})
    effect = world["defects_1"] - world["defects_0"]
    assert effect.mean() == pytest.approx(truth("template_case")["ATE"], abs=4 * effect.std() / np.sqrt(len(world)))


def test_the_naive_comparison_misleads_and_the_groups_overlap():
    world = MAKE.generate(**MAKE.DEFAULTS)
    treated = world["extra_clean"] == 1
    naive = world["defects"][treated].mean() - world["defects"][~treated].mean()
    assert abs(naive - truth("template_case")["ATE"]) > 1
    assert 0.2 < treated.mean() < 0.8


def test_without_an_effect_there_is_none():
    world = MAKE.generate(**MAKE.DEFAULTS | {"removal": 0.0})
    assert (world["defects_1"] == world["defects_0"]).all()
