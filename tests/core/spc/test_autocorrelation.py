import numpy as np
import pytest

from flawline.core.spc.autocorrelation import autocorrelation
from helpers.autoregression import autoregressive


def of(values, keep=None, follows=None):
    count = len(values)
    keep = np.ones(count, bool) if keep is None else keep
    follows = np.ones(count - 1, bool) if follows is None else follows
    return autocorrelation(np.asarray(values, dtype=np.float64), keep, follows)


@pytest.mark.parametrize(("phi", "count"), [(0.8, 50), (0.8, 200), (0.5, 400), (0.9, 100)])
def test_dependent_points_are_marked(phi, count):
    found = [of(autoregressive(phi, count, seed)) for seed in range(40)]
    assert sum(one.marked for one in found) >= 38
    assert np.mean([one.value for one in found]) == pytest.approx(phi, abs=4 / count**0.5)


@pytest.mark.parametrize("count", [25, 60, 200])
def test_independent_points_are_not(count):
    assert sum(of(autoregressive(0.0, count, seed)).marked for seed in range(300)) <= 4
    # Points that alternate are no reason for wider limits.
    assert not of(autoregressive(-0.8, count, 0)).marked


def test_pairs_across_a_gap_do_not_count():
    # Two levels in turn: alike within each pair, unlike from pair to pair.
    values = np.tile([1.0, 1.1, -1.0, -1.1], 20)
    follows = np.tile([True, False], 40)[:79]
    assert of(values, follows=follows).value > 0.9
    assert abs(of(values).value) < 0.1


def test_few_or_equal_values_have_none():
    assert of(np.arange(20.0)) is None
    assert of(np.full(50, 0.1)) is None


def test_one_step_of_the_level_is_no_dependence():
    noise = autoregressive(0.0, 120, 5)
    stepped = noise + np.where(np.arange(120) < 80, 0.0, 3.0)
    found = of(stepped)
    assert found.value > 0.5
    assert not found.marked
    assert of(stepped, keep=np.arange(120) != 80).without_step == pytest.approx(
        found.without_step, abs=0.05
    )
    # A walk steps more than once.
    assert of(np.cumsum(noise)).marked
