"""I-MR-R/S: means of subgroups by their moving ranges, beside the spread within subgroups."""

import numpy as np
import pytest

from flawline.core.spc.chart_constants import c4, d2
from flawline.core.spc.chart_points import subgroups
from flawline.core.spc.charts import State, advance, estimate
from flawline.core.spc.charts_between import components
from flawline.core.spc.limits import limits_as_dict, limits_from_dict
from flawline.core.spc.rules import FIRST_ONLY
from flawline.errors import FlawlineError

# The batches differ (sigma 2), the parts of a batch hardly do (sigma 0.5).
_RNG = np.random.default_rng(3)
ROWS = 50 + _RNG.normal(0, 2, (400, 1)) + _RNG.normal(0, 0.5, (400, 4))


@pytest.mark.parametrize(
    ("kind", "spread"), [("i-mr-r", "range"), ("i-mr-s", "standard deviation")]
)
def test_each_panel_has_the_limits_of_its_own_variation(kind, spread):
    points = subgroups(list(ROWS))
    limits = estimate(kind, points)
    means = ROWS.mean(axis=1)
    assert limits.centre == pytest.approx(means.mean())
    assert limits.sigma == pytest.approx(np.abs(np.diff(means)).mean() / d2(2))
    within = (
        np.ptp(ROWS, axis=1).mean() / d2(4)
        if kind == "i-mr-r"
        else ROWS.std(axis=1, ddof=1).mean() / c4(4)
    )
    assert limits.within == pytest.approx(within)
    _, panels, _ = advance(State(), limits, FIRST_ONLY, points)
    assert [panel.name for panel in panels] == ["mean", "moving range", spread]
    level, moved, inside = panels
    np.testing.assert_allclose(level.values, means)
    assert level.upper[0] == pytest.approx(limits.centre + 3 * limits.sigma)
    np.testing.assert_allclose(moved.values, np.abs(np.diff(means)))
    assert moved.upper[0] == pytest.approx(3.267 * moved.centre[0], rel=2e-4)  # D4 of 2
    # D4 of 4 and B4 of 4, from the usual tables.
    assert inside.upper[0] / inside.centre[0] == pytest.approx(
        2.282 if kind == "i-mr-r" else 2.266, abs=5e-4
    )


def test_the_variation_is_split_into_its_sources():
    points = subgroups(list(ROWS))
    found = components(estimate("i-mr-r", points), points)
    assert found.within == pytest.approx(0.5, rel=0.05)
    assert found.between == pytest.approx(2, rel=0.1)
    assert found.together == pytest.approx(np.hypot(found.within, found.between))


def test_batches_that_differ_for_good_signal_on_an_xbar_chart_only():
    points = subgroups(list(ROWS[:40]))
    by_chart = {
        kind: sum(
            one.panel == "mean"
            for one in advance(State(), estimate(kind, points), FIRST_ONLY, points)[2]
        )
        for kind in ("xbar-r", "i-mr-r")
    }
    assert by_chart["xbar-r"] > 20
    assert by_chart["i-mr-r"] <= 1


def test_frozen_limits_keep_both_sigmas():
    limits = estimate("i-mr-s", subgroups(list(ROWS)))
    assert limits_from_dict(limits_as_dict(limits)) == limits


def test_single_measurements_are_refused():
    with pytest.raises(FlawlineError):
        estimate("i-mr-r", subgroups([[1.0], [2.0], [3.0]]))
