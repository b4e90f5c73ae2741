"""The moving average chart beside pandas and the formula of its limits."""

import numpy as np
import pandas as pd
import pytest

from flawline.core.spc.chart_points import individuals, subgroups
from flawline.core.spc.charts import State, advance, estimate
from flawline.core.spc.limits import ControlLimits, limits_as_dict, limits_from_dict
from flawline.core.spc.rules import FIRST_ONLY
from flawline.errors import UsageError


@pytest.mark.parametrize("span", [2, 3, 5, 40])
def test_the_averages_are_those_of_pandas(span):
    values = np.random.default_rng(1).normal(10, 2, 30)
    limits = estimate("ma", individuals(values), template=ControlLimits("ma", 0.5, 1.0, span=span))
    assert limits.span == span
    _, (panel,), _ = advance(State(), limits, FIRST_ONLY, individuals(values))
    np.testing.assert_allclose(
        panel.values, pd.Series(values).rolling(span, min_periods=1).mean(), rtol=1e-12
    )
    # Montgomery, section 9.3: 3 sigma over the root of the number of points averaged.
    averaged = np.minimum(np.arange(1, 31), span)
    np.testing.assert_allclose(panel.upper - panel.centre, 3 * limits.sigma / np.sqrt(averaged))


def test_subgroups_of_unequal_sizes_have_limits_of_their_own():
    points = subgroups([[1.0, 3.0], [2.0, 2.0, 5.0], [4.0]])
    _, (panel,), _ = advance(State(), ControlLimits("ma", 2.0, 1.0, span=2), FIRST_ONLY, points)
    np.testing.assert_allclose(panel.values, [2, 2.5, 3.5])
    np.testing.assert_allclose(
        (panel.upper - 2.0) / 3, np.sqrt([1 / 2, (1 / 2 + 1 / 3) / 4, (1 / 3 + 1) / 4])
    )


def test_a_small_shift_is_found_sooner_than_by_single_points():
    values = np.concatenate([np.tile([9.0, 11.0], 15), np.full(6, 12.2)])
    own = ControlLimits("ma", 10.0, 1.0, span=4)
    _, _, averaged = advance(State(), own, FIRST_ONLY, individuals(values))
    _, _, single = advance(
        State(), ControlLimits("i-mr", 10.0, 1.0), FIRST_ONLY, individuals(values)
    )
    assert averaged[0].at == 32
    assert not [one for one in single if one.panel == "individuals"]


def test_frozen_limits_keep_the_span():
    read = limits_from_dict(limits_as_dict(ControlLimits("ma", 1.0, 2.0, span=7)))
    assert read.span == 7


@pytest.mark.parametrize("span", [1, 2.5, 101])
def test_a_span_out_of_range_is_refused(span):
    with pytest.raises(UsageError, match="`span`"):
        ControlLimits("ma", 1.0, 2.0, span=span)
