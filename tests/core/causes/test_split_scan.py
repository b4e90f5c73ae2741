"""Places of some levels alone are found; places and levels with more of everything are not."""

import numpy as np
import pytest
from scipy.stats import power_divergence

from flawline.core.causes.split_scan import split_spots

SHAPE = (10, 12)


def drawn(seed, hot=0.0, dense=0, parts=90, levels=6):
    """Two defects a part anywhere; in the last two levels `hot` of the parts have one more at cell (3, 8).

    `dense` further defects of all levels lie at cell (7, 2), and the last level has twice as many defects everywhere.
    """
    rng = np.random.default_rng(seed)
    level = np.sort(rng.integers(0, levels, parts))
    units = np.repeat(np.arange(parts), rng.poisson(np.where(level == levels - 1, 4, 2)))
    cells = rng.integers(0, SHAPE[0] * SHAPE[1], len(units))
    more = np.flatnonzero((level >= levels - 2) & (rng.random(parts) < hot))
    many = rng.integers(0, parts, dense)
    cells = np.concatenate([cells, np.full(len(more), 3 * 12 + 8), np.full(dense, 7 * 12 + 2)])
    return cells, np.concatenate([units, more, many]), level


def test_a_place_that_came_up_late_is_found_with_its_time():
    cells, units, level = drawn(0, hot=0.9)
    spot = split_spots(cells, units, level, SHAPE, ordered=True)[0]
    assert spot.p < 0.01
    assert spot.inside[3, 8]
    assert (spot.first, spot.end) == (4, 6)
    here = spot.inside.ravel()[cells]
    now = level[units] >= 4
    assert spot.observed == (here & now).sum()
    assert spot.expected == pytest.approx(here.sum() * now.sum() / len(cells))


def test_a_dense_place_and_a_time_of_many_defects_are_no_findings():
    p = [split_spots(*drawn(k, dense=30), SHAPE, ordered=True)[0].p for k in range(6)]
    assert sum(one < 0.05 for one in p) <= 1


def test_levels_in_no_order_are_looked_at_one_by_one():
    cells, units, level = drawn(0, hot=0.6)
    spots = split_spots(cells, units, 5 - level, SHAPE, ordered=False)
    assert spots[0].end - spots[0].first == 1
    assert {spot.first for spot in spots if spot.p < 0.05} <= {0, 1}


def test_one_part_full_of_defects_is_one_case_of_chance():
    cells, units, level = drawn(3)
    at = np.full(15, 3 * 12 + 8)
    found = split_spots(
        np.concatenate([cells, at]),
        np.concatenate([units, np.full(15, 2)]),
        level,
        SHAPE,
        ordered=True,
    )
    assert found[0].p > 0.05


def test_the_largest_ratio_is_half_of_the_g_statistic_of_the_table():
    """The Bernoulli ratio of a circle is that of the 2 x 2 table of inside and levels: G / 2."""
    from flawline.core.causes.split_scan import _log_ratios

    n = np.arange(41.0)
    terms = np.where(n > 0, n * np.log(np.maximum(n, 1)), 0)
    for both, here, of_levels in ((9, 12, 16), (5, 5, 20), (8, 10, 11)):
        table = np.array([[both, here - both], [of_levels - both, 40 - here - of_levels + both]])
        expected = table.sum(1, keepdims=True) * table.sum(0) / 40
        g = power_divergence(table, expected, axis=None, lambda_="log-likelihood").statistic
        ratio = _log_ratios(np.array(both), np.array(here), np.array(of_levels), terms)
        assert ratio == pytest.approx(g / 2)
    assert _log_ratios(np.array(2), np.array(12), np.array(16), terms) == 0


def test_what_cannot_be_split_is_refused():
    none = np.zeros(0, np.int64)
    with pytest.raises(ValueError, match="two levels or more"):
        split_spots(none, none, np.array([0, 1]), SHAPE, ordered=True)
    with pytest.raises(ValueError, match="two levels or more"):
        split_spots(np.array([1]), np.array([0]), np.array([0]), SHAPE, ordered=True)
    few = split_spots(np.array([1, 2]), np.array([0, 1]), np.array([0, 1]), SHAPE, ordered=True)
    assert few == []
