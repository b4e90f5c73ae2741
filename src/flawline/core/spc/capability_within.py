"""Sigma within subgroups or between neighbours for capability, with its degrees of freedom."""

from __future__ import annotations

import numpy as np

from flawline.core.spc.capability_intervals import degrees_of_moving_ranges, degrees_of_ranges
from flawline.core.spc.chart_points import Subgroups, individuals, neighbours
from flawline.core.spc.charts_time_weighted import LARGEST_RANGE
from flawline.core.spc.charts_variables import estimate_individuals, estimate_subgroups
from flawline.core.spc.transforms import NONE
from flawline.errors import UsageError

WITHIN = ("auto", "range", "deviation", "pooled", "moving-range")


def estimate_within(points: Subgroups, how: str) -> tuple[str, float, float]:
    """Estimate sigma within by one of `WITHIN`; returns the name of the estimator, sigma and its degrees of freedom.

    "auto" takes the moving range of single measurements, the range of subgroups of up to 10, and the deviation of
    larger ones. Moving ranges of subgroups are those of all measurements in their order.

    Raises:
        UsageError: an unknown estimator, or one of subgroups where there are single measurements only.
        FlawlineError: nothing varies.
    """
    if how not in WITHIN:
        raise UsageError(f"expected `within` of {', '.join(WITHIN)}, got {how!r}")
    largest = int(points.sizes.max())
    if how == "auto":
        how = "range" if largest <= LARGEST_RANGE else "deviation"
        how = "moving-range" if largest == 1 else how
    if how == "moving-range":
        single = individuals(points.values) if largest > 1 else points
        every = np.ones(len(single), dtype=bool)
        _, sigma = estimate_individuals(single, NONE, every)
        ranges = int(neighbours(single, every).sum())
        return how, sigma, degrees_of_moving_ranges(ranges + 1)
    if largest == 1:
        raise UsageError(
            f"sigma by {how} needs subgroups of two or more measurements, got single ones",
            hint="form them with `subgroup` or `by`, or take `within` moving-range",
        )
    several = points.sizes[points.sizes > 1]
    every = np.ones(len(points), dtype=bool)
    if how == "pooled":
        _, sigma = estimate_subgroups(points, every, by_range=False, sigma_from="pooled")
        return how, sigma, float((several - 1).sum())
    _, sigma = estimate_subgroups(points, every, by_range=how == "range")
    return how, sigma, degrees_of_ranges(several, by_range=how == "range")
