"""The median chart beside published factors and simulation."""

import numpy as np
import pytest

from flawline.core.spc.chart_constants import d2, deviation_of_median
from flawline.core.spc.chart_points import subgroups
from flawline.core.spc.charts import State, advance, estimate
from flawline.core.spc.rules import FIRST_ONLY


@pytest.mark.parametrize(
    ("size", "factor"), [(2, 1.880), (3, 1.187), (4, 0.796), (5, 0.691), (6, 0.548), (7, 0.508)]
)
def test_published_factors(size, factor):
    # The factor of the mean range for 3 sigma: ASTM Manual Series MNL 7, 7th ed., table 17 (A2 of medians).
    assert 3 * deviation_of_median(size) / d2(size) == pytest.approx(factor, abs=0.0015)


@pytest.mark.parametrize("size", [2, 5, 8])
def test_the_deviation_beside_simulation(size):
    drawn = np.median(np.random.default_rng(1).normal(size=(200_000, size)), axis=1)
    assert deviation_of_median(size) == pytest.approx(drawn.std(), rel=0.006)


def test_an_outlier_moves_no_point_of_a_median_chart():
    values = np.random.default_rng(2).normal(10, 0.1, (30, 5))
    points = subgroups(list(values))
    limits = estimate("median", points)
    assert limits.centre == pytest.approx(np.median(values, axis=1).mean())
    _, (level, spread), signals = advance(State(), limits, FIRST_ONLY, points)
    assert (level.name, spread.name) == ("median", "range")
    width = 3 * limits.sigma * deviation_of_median(5)
    assert level.upper[0] - level.centre[0] == pytest.approx(width)
    assert not signals
    values[7, 0] = 12
    _, (moved, _), signals = advance(State(), limits, FIRST_ONLY, subgroups(list(values)))
    assert abs(moved.scores[7]) < 3
    assert [one.panel for one in signals] == ["range"]
