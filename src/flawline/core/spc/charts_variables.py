"""Charts of measurements: individuals and moving range, mean and range, mean and standard deviation, run chart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flawline.core.spc.chart_constants import (
    c4,
    c5,
    d2,
    d3,
    deviation_of_median,
    per_size,
)
from flawline.core.spc.chart_points import Panel, Subgroups, neighbours
from flawline.core.spc.limits import ControlLimits
from flawline.core.spc.rounding import on_zones, rounding_of
from flawline.core.spc.rule_table import ALL_RULES
from flawline.core.spc.transforms import NONE, Transform, apply, is_standard, revert
from flawline.errors import FlawlineError

Memory = tuple[float, ...]

# A range or deviation is skewed: zones of equal width do not have equal probabilities.
SPREAD_RULES = frozenset({1, 2, 3, 4})
# Neighbouring moving ranges share a measurement, so their runs mean nothing.
MOVING_RANGE_RULES = frozenset({1})
RUN_RULES = frozenset({2, 3, 4})
# Zeros all lie at one place, close to the centre or on it.
ZERO_RULES = ALL_RULES - {7}


def estimate_individuals(
    points: Subgroups, transform: Transform, keep: NDArray[np.bool_]
) -> tuple[float, float]:
    """Estimate mean and sigma of individual measurements on the scale of `transform`; `keep` (G,) selects them.

    Sigma is the mean moving range of neighbours, both selected, over d2 of 2 (D. C. Montgomery, Introduction to
    Statistical Quality Control, 6th ed., section 6.4). Where a share of values is zero, or the limits are
    percentiles, the scale has mean 0 and sigma 1.

    Raises:
        FlawlineError: subgroups instead of individuals, or too little to estimate from.
    """
    if points.sizes.max() > 1:
        raise FlawlineError(
            "the chart i-mr takes one measurement for each point",
            hint="take xbar-r or xbar-s for subgroups, or chart a summary of each subgroup",
            code="chart",
        )
    if is_standard(transform):
        return 0.0, 1.0
    x = apply(transform, points.values)
    ranges = np.abs(np.diff(x))[neighbours(points, keep)]
    if len(ranges) == 0:
        raise FlawlineError(
            f"an estimate needs two neighbouring points, got {int(keep.sum())} of {len(x)} to use",
            hint="give more points, or limits from another period with `limits`",
            code="chart",
        )
    return float(x[keep].mean()), positive(float(ranges.mean()) / d2(2), x[keep])


def estimate_subgroups(
    points: Subgroups,
    keep: NDArray[np.bool_],
    *,
    by_range: bool,
    sigma_from: str = "mean",
    of_medians: bool = False,
) -> tuple[float, float]:
    """Estimate grand mean and sigma within subgroups, from the subgroups that `keep` (G,) selects.

    Sigma comes from the subgroups of two or more, each with the constants of its own size: "mean" is the mean of R / d2
    (or s / c4); "mvlue" weighs it by (d2 / d3)^2, or c4^2 / (1 - c4^2), which makes it the linear unbiased estimate of
    least variance (I. W. Burr, "Control charts for measurements with varying sample sizes", Journal of Quality
    Technology 1, 1969); "pooled" is the root of the pooled variance over c4 of its degrees of freedom plus one. The
    grand mean weighs each subgroup by its size; `of_medians` takes the mean of the medians instead.

    Raises:
        FlawlineError: no subgroup of two or more, or no variation within any.
    """
    spread = ranges(points) if by_range else deviations(points)
    usable = keep & (points.sizes > 1)
    if not usable.any():
        raise FlawlineError(
            "expected subgroups of two or more measurements, got only single ones",
            hint="take the chart i-mr, or form subgroups with `subgroup`",
            code="chart",
        )
    used = points.values[np.repeat(keep, points.sizes)]
    sizes = points.sizes[usable]
    if sigma_from == "pooled":
        sigma = _pooled(deviations(points)[usable], sizes)
    else:
        mean, error = (per_size(each, sizes) for each in ((d2, d3) if by_range else (c4, c5)))
        weights = (mean / error) ** 2 if sigma_from == "mvlue" else np.ones(len(sizes))
        sigma = float(np.average(spread[usable] / mean, weights=weights))
    centre = medians(points)[keep] if of_medians else used
    return float(centre.mean()), positive(sigma, used)


def _pooled(deviations: NDArray[np.float64], sizes: NDArray[np.int64]) -> float:
    freedom = sizes - 1
    variance = np.average(deviations**2, weights=freedom)
    return float(np.sqrt(variance)) / c4(int(freedom.sum()) + 1)


def estimate_median(points: Subgroups, keep: NDArray[np.bool_]) -> tuple[float, float]:
    """Estimate the median of the points' means, with sigma 0: a run chart has none."""
    return float(np.median(means(points)[keep])), 0.0


def individuals_panels(
    limits: ControlLimits, points: Subgroups, memory: Memory
) -> tuple[Memory, tuple[Panel, ...]]:
    """Compute the panels of an I-MR chart; `memory` holds the measurement before the first point, or nothing."""
    x = apply(limits.transform, points.values)
    edges = limits.centre + limits.sigma * np.array([-limits.k, 0.0, limits.k])
    low, middle, high = (float(edge) for edge in revert(limits.transform, edges))
    ones, zeros = np.ones(len(x)), limits.transform.zeros
    off = rounding_of(x, limits.centre, unit_of_rounding(limits.transform))
    level = Panel(
        "individuals",
        np.arange(len(x), dtype=np.int64),
        points.values,
        middle * ones,
        # No measurement lies below zero, so a lower limit of zero or less is left out.
        None if zeros and low <= 0 else low * ones,
        high * ones,
        on_zones((x - limits.centre) / limits.sigma, off / limits.sigma),
        rounding_of(points.values, middle),
        ZERO_RULES if zeros else ALL_RULES,
    )
    # Where most values are zero, their differences are zeros and the values themselves again.
    more = () if is_standard(limits.transform) else (moving_ranges(limits, points, x, memory),)
    return (float(x[-1]),), (level, *more)


def moving_ranges(
    limits: ControlLimits, points: Subgroups, x: NDArray[np.float64], memory: Memory
) -> Panel:
    """Compute the panel of moving ranges of `x`, the points on the scale of the transform; none spans a gap."""
    before = np.concatenate([np.asarray(memory), x])
    at = np.arange(len(x) + 1 - len(before), len(x), dtype=np.int64)
    follows = np.ones(len(at), bool) if points.gaps is None else ~points.gaps[at]
    off = rounding_of(before[1:], before[:-1], unit_of_rounding(limits.transform))[follows]
    moved = np.abs(np.diff(before))[follows]
    sigma = np.full(len(moved), limits.sigma)
    sizes = np.full(len(moved), 2)
    return _spread(
        "moving range", at[follows], moved, sigma, sizes, limits.k, off, MOVING_RANGE_RULES
    )


def subgroup_panels(limits: ControlLimits, points: Subgroups) -> tuple[Panel, ...]:
    """Compute the panels of an Xbar-R, Xbar-S or median chart; subgroups of one have a mean only."""
    by_range, middle = limits.chart != "xbar-s", limits.chart == "median"
    mean = medians(points) if middle else means(points)
    error = limits.sigma * (
        _errors_of_medians(points.sizes) if middle else 1 / np.sqrt(points.sizes)
    )
    width = limits.k * error
    centre = np.full(len(mean), limits.centre)
    at = np.arange(len(mean), dtype=np.int64)
    magnitude = np.maximum.reduceat(np.abs(points.values), starts(points))
    off = rounding_of(magnitude, centre)
    score = on_zones((mean - centre) / error, off / error)
    name = "median" if middle else "mean"
    level = Panel(name, at, mean, centre, centre - width, centre + width, score, off)
    several = points.sizes > 1
    spread = ranges(points) if by_range else deviations(points)
    sigma = np.full(int(several.sum()), limits.sigma)
    name = "range" if by_range else "standard deviation"
    return level, _spread(
        name,
        at[several],
        spread[several],
        sigma,
        points.sizes[several],
        limits.k,
        rounding_of(magnitude[several]),
        SPREAD_RULES,
    )


def run_panels(limits: ControlLimits, points: Subgroups) -> tuple[Panel, ...]:
    """Compute the panel of a run chart: no limits; the scores are only the side of the median."""
    values = means(points)
    off = rounding_of(values, limits.centre)
    side = np.sign(np.where(np.abs(values - limits.centre) <= off, 0.0, values - limits.centre))
    at = np.arange(len(values), dtype=np.int64)
    centre = np.full(len(values), limits.centre)
    return (Panel("values", at, values, centre, None, None, side, off, RUN_RULES),)


def means(points: Subgroups) -> NDArray[np.float64]:
    """Compute the mean of each subgroup, (G,)."""
    return np.asarray(np.add.reduceat(points.values, starts(points)) / points.sizes)


def medians(points: Subgroups) -> NDArray[np.float64]:
    """Compute the median of each subgroup, (G,)."""
    cuts = np.split(points.values, starts(points)[1:])
    return np.array([np.median(cut) for cut in cuts])


def _errors_of_medians(sizes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Compute the standard deviation of the median of each size in sigmas; that of one is 1."""
    return np.where(sizes > 1, per_size(deviation_of_median, np.maximum(sizes, 2)), 1.0)


def ranges(points: Subgroups) -> NDArray[np.float64]:
    """Compute the range of each subgroup, (G,)."""
    first = starts(points)
    most = np.maximum.reduceat(points.values, first)
    return np.asarray(most - np.minimum.reduceat(points.values, first))


def deviations(points: Subgroups) -> NDArray[np.float64]:
    """Compute the sample standard deviation of each subgroup, (G,); 0 for a single measurement."""
    apart = points.values - np.repeat(means(points), points.sizes)
    squares = np.add.reduceat(apart**2, starts(points))
    return np.asarray(np.sqrt(squares / np.maximum(points.sizes - 1, 1)))


def unit_of_rounding(transform: Transform) -> float:
    """Return the magnitude at which values on the scale of a transform are rounded at least."""
    return 0.0 if transform == NONE else 1.0


def starts(points: Subgroups) -> NDArray[np.int64]:
    """Find where each subgroup begins in the values, (G,)."""
    return np.cumsum(points.sizes) - points.sizes


def positive(sigma: float, used: NDArray[np.float64]) -> float:
    """Check that a sigma is above the rounding of the values it was estimated from, and return it.

    Raises:
        FlawlineError: the values do not vary.
    """
    if sigma <= 1e-12 * max(float(np.abs(used).max()), 1e-300):
        raise FlawlineError(
            f"the {len(used)} values do not vary from point to point, so no limits follow from them",
            hint="check the measure's resolution, or take limits from another period with `limits`",
            code="chart",
        )
    return sigma


def _spread(
    name: str,
    at: NDArray[np.int64],
    values: NDArray[np.float64],
    sigma: NDArray[np.float64],
    sizes: NDArray[np.int64],
    k: float,
    rounding: NDArray[np.float64],
    rules: frozenset[int],
) -> Panel:
    """Make the panel of ranges or deviations with limits by their own mean and deviation, the lower at least 0."""
    of_deviation = name == "standard deviation"
    mean = sigma * per_size(c4 if of_deviation else d2, sizes)
    error = sigma * per_size(c5 if of_deviation else d3, sizes)
    lower = np.maximum(mean - k * error, 0.0)
    score = on_zones((values - mean) / error, rounding / error)
    return Panel(name, at, values, mean, lower, mean + k * error, score, rounding, rules)
