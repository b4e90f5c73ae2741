import numpy as np
import pytest

from flawline.core.causes.steps import group_effects, step_effects


def test_a_step_that_adds_more_is_surely_found_with_its_share():
    rng = np.random.default_rng(0)
    effects = step_effects(rng.poisson([0.5, 0.5, 2.0, 0.5], (1, 80, 4)).astype(float))[0]
    assert effects[2].p < 0.01
    assert min(one.p for one in effects if one.step != 2) > 0.9
    assert effects[2].added.low < 2 < effects[2].added.high
    assert effects[2].share[1] < 2 / 3.5 < effects[2].share[2]


def test_p_is_the_share_of_all_orders_that_stand_out_as_much():
    # One part, three steps, five defects after the last: one order of three does as much at that step.
    rows = np.zeros((1, 3, 3))
    rows[0, :, 2] = 5
    # Three parts: 1 of 27 orders for each of three steps.
    assert step_effects(rows)[0][2].p == pytest.approx(3 / 27, abs=0.03)


def test_many_arrangements_are_drawn_one_by_one():
    rng = np.random.default_rng(1)
    counts = rng.poisson(3.0, (1, 4, 9)).astype(float)
    counts[0, :, 4] += 9
    assert step_effects(counts)[0][4].p < 0.05


def test_groups_that_are_not_followed_have_a_wider_interval():
    rng = np.random.default_rng(2)
    before, after = rng.poisson(3, 100).astype(float), rng.poisson(4, 100).astype(float)
    found = group_effects(before, after, 1, 1)
    assert found.low < 1 < found.high
    # The variance of the difference is 3 + 4 a part, that of what is added 1.
    assert found.wider == pytest.approx(np.sqrt(7), rel=0.25)


def test_groups_without_a_defect_are_not_certain():
    found = group_effects(np.zeros(10), np.zeros(10), 1, 1)
    assert found.low < 0 < found.high
    assert found.p == pytest.approx(1)
