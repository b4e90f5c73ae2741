"""Values exactly on a centre, a zone or a limit are on it, whatever the unit makes of them in binary."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.core.spc.chart_points import counts, individuals, subgroups
from flawline.core.spc.charts import State, advance, estimate
from flawline.core.spc.limits import ControlLimits
from flawline.core.spc.rounding import on_zones, rounding_of, steps
from flawline.core.spc.rules import FIRST_ONLY, NELSON
from flawline.core.spc.run_chart import runs_about_median
from helpers.examples import examples

MEASURED = ("i-mr", "xbar-r", "xbar-s", "ewma", "cusum", "run")
# None of them is exact in binary, as tenths and thirds of a unit are not.
UNITS = (0.1, 0.3, 1 / 3, 0.7e-3, 1.1e6)
levels = st.lists(st.integers(-4, 4), min_size=40, max_size=60)


def found(kind, whole, unit, size=1, shift=0):
    """Signals of whole numbers in a unit, by a centre of `shift` and a sigma of 1."""
    values = (np.array(whole, dtype=np.float64) + shift) * unit
    values = values[: len(values) // size * size]
    points = subgroups(values, np.full(len(values) // size, size))
    limits = ControlLimits(kind, shift * unit, unit, weight=0.5, decision=4.0)
    _, _, signals = advance(State(), limits, NELSON, points)
    return signals


@pytest.mark.parametrize("kind", MEASURED)
@given(whole=levels, unit=st.sampled_from(UNITS), shift=st.sampled_from([0, 3, -7, 1000]))
@examples(60)
def test_ties_are_ties_in_every_unit(kind, whole, unit, shift):
    # Groups of four: their means and standard errors are exact in whole numbers.
    size = 4 if kind.startswith("xbar") else 1
    assert found(kind, whole, unit, size, shift) == found(kind, whole, 1.0, size)


@pytest.mark.parametrize("unit", UNITS)
def test_a_point_on_a_limit_is_inside_and_the_next_one_outside(unit):
    on, beyond = 3 * unit, 3 * unit * (1 + 1e-9)
    limits = ControlLimits("i-mr", 0.0, unit)
    _, _, signals = advance(State(), limits, FIRST_ONLY, individuals([on, -on, beyond, -beyond]))
    level = [(one.at, one.side) for one in signals if one.panel == "individuals"]
    assert level == [(2, 1), (3, -1)]


@given(
    st.lists(st.integers(0, 9), min_size=30, max_size=60).filter(any), st.sampled_from([10, 30, 70])
)
@examples(60)
def test_lots_with_the_mean_share_lie_on_neither_side(defects, units):
    for kind, points in (
        ("p", counts(defects, units)),
        ("np", counts(defects, units)),
        ("u", counts(defects, units)),
        ("c", counts(defects)),
    ):
        limits = estimate(kind, points)
        _, (panel,), _ = advance(State(), limits, (), points)
        side = np.sign(np.array(defects) * len(defects) - sum(defects))
        assert np.array_equal(np.sign(panel.scores), side)


def test_a_mean_of_equal_tenths_makes_no_run():
    # The mean of 36 times 0.3, once 0.2 and once 0.4 is 0.3, in binary a little more.
    values = [0.3] * 10 + [0.2, 0.4] + [0.3] * 26
    points = individuals(values)
    limits = estimate("i-mr", points)
    _, panels, signals = advance(State(), limits, NELSON, points)
    assert {one.rule.number for one in signals if one.panel == "individuals"} == {1, 7}
    assert set(np.sign(panels[0].scores[:10])) == {0}


def test_equal_means_of_other_numbers_are_no_trend():
    # Seven means of 0.2, each from other tenths.
    rows = [[0.1, 0.2, 0.3], [0.2] * 3, [0.0, 0.1, 0.5], [0.3, 0.3, 0.0], [0.05, 0.15, 0.4]] * 3
    values = np.array([np.mean(row) for row in rows])
    assert len(set(values)) > 1
    assert not steps(values, rounding_of(values)).any()
    assert runs_about_median([*values, *values + 1, *values - 1]) is not None
    assert runs_about_median(values) is None


def test_scores_snap_to_zones_only_within_rounding():
    scores = np.array([1 + 1e-15, -2 - 1e-15, 1e-17, 1.001, 3 - 1e-15])
    assert on_zones(scores, np.full(5, 1e-13)).tolist() == [1, -2, 0, 1.001, scores[4]]
