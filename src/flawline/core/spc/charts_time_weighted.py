"""Charts with memory: the moving average, the exponentially weighted one and the tabular cumulative sum."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flawline.core.spc.chart_points import Panel, Subgroups
from flawline.core.spc.charts_variables import (
    Memory,
    estimate_individuals,
    estimate_subgroups,
    means,
    unit_of_rounding,
)
from flawline.core.spc.limits import ControlLimits
from flawline.core.spc.rounding import rounding_of
from flawline.core.spc.transforms import Transform, apply, is_standard

# Each value contains the ones before it, so runs occur by chance.
OWN_LIMITS_ONLY = frozenset({1})
LARGEST_RANGE = 10


def estimate_time_weighted(
    points: Subgroups, transform: Transform, keep: NDArray[np.bool_], sigma_from: str = "mean"
) -> tuple[float, float]:
    """Estimate mean and sigma for a chart of averages, sums or zones.

    As for I-MR with single measurements, else as for Xbar. Subgroups of up to 10 go by range, larger ones by standard
    deviation. Where a share of values is zero, mean and standard deviation of all normal scores.
    """
    if points.sizes.max() > 1:
        by_range = bool(points.sizes.max() <= LARGEST_RANGE)
        return estimate_subgroups(points, keep, by_range=by_range, sigma_from=sigma_from)
    if is_standard(transform):
        x = apply(transform, points.values)[keep]
        return float(x.mean()), float(x.std(ddof=1))
    return estimate_individuals(points, transform, keep)


def ewma_panels(
    limits: ControlLimits, points: Subgroups, memory: Memory
) -> tuple[Memory, tuple[Panel, ...]]:
    """Compute the panel of an EWMA chart; `memory` holds the average so far and its variance, or nothing.

    z = lambda x + (1 - lambda) z, from the centre; its variance is lambda^2 sigma^2 / n + (1 - lambda)^2 of the one
    before, which for equal n is lambda / (2 - lambda) (1 - (1 - lambda)^2t) sigma^2 / n: J. M. Lucas and M. S.
    Saccucci, Technometrics 32, 1990, pp. 1-12, equations 1 to 3. On the scale of the transform.
    """
    x = means(Subgroups(apply(limits.transform, points.values), points.sizes))
    weight, keep = limits.weight, 1 - limits.weight
    average, variance = memory or (limits.centre, 0.0)
    averages, variances = np.empty(len(x)), np.empty(len(x))
    own = weight**2 * limits.sigma**2 / points.sizes
    for place, (value, added) in enumerate(zip(x.tolist(), own.tolist(), strict=True)):
        average = weight * value + keep * average
        variance = added + keep * keep * variance
        averages[place], variances[place] = average, variance
    error = np.sqrt(variances)
    centre = np.full(len(x), limits.centre)
    width = limits.k * error
    at = np.arange(len(x), dtype=np.int64)
    score = (averages - centre) / error
    off = rounding_of(x, averages, centre, unit_of_rounding(limits.transform))
    panel = Panel(
        "EWMA", at, averages, centre, centre - width, centre + width, score, off, OWN_LIMITS_ONLY
    )
    return (average, variance), (panel,)


def moving_average_panels(
    limits: ControlLimits, points: Subgroups, memory: Memory
) -> tuple[Memory, tuple[Panel, ...]]:
    """Compute the panel of a moving average chart; `memory` holds mean and size of the points before, or nothing.

    Each value is the mean of the last `span` points; the first ones are of the points there are, with wider limits.
    Its variance is sigma^2 times the sum of 1 / n over the square of their number (D. C. Montgomery, Introduction to
    Statistical Quality Control, 6th ed., section 9.3). On the scale of the transform.
    """
    own = means(Subgroups(apply(limits.transform, points.values), points.sizes))
    before, span = np.asarray(memory, dtype=np.float64).reshape(-1, 2), int(limits.span)
    x = np.concatenate([before[:, 0], own])
    sizes = np.concatenate([before[:, 1], points.sizes])
    share = 1 / sizes
    ends = np.arange(len(before), len(x))
    # Each window is added up by itself, so that one by one gives the same as all at once.
    windows = [slice(max(end + 1 - span, 0), end + 1) for end in ends.tolist()]
    averages = np.array([float(x[window].mean()) for window in windows])
    error = limits.sigma * np.array(
        [float(np.sqrt(share[window].sum())) / len(x[window]) for window in windows]
    )
    centre = np.full(len(averages), limits.centre)
    width = limits.k * error
    largest = np.array([float(np.abs(x[window]).max()) for window in windows])
    off = rounding_of(largest, centre, unit_of_rounding(limits.transform))
    panel = Panel(
        "moving average",
        np.arange(len(averages), dtype=np.int64),
        averages,
        centre,
        centre - width,
        centre + width,
        (averages - centre) / error,
        off,
        OWN_LIMITS_ONLY,
    )
    kept = np.stack([x, sizes], axis=1)[-(span - 1) :]
    return tuple(kept.ravel().tolist()), (panel,)


def cusum_panels(
    limits: ControlLimits, points: Subgroups, memory: Memory
) -> tuple[Memory, tuple[Panel, ...]]:
    """Compute the two panels of a tabular CUSUM, in standard errors of a point; `memory` holds both sums, or nothing.

    Upper: max(0, z - k + the sum before). Lower, drawn below zero: the same of -z. Both start at the head start. A
    sum signals above h and continues until the chart is started anew (D. C. Montgomery, Introduction to Statistical
    Quality Control, 6th ed., equations 9.2 and 9.3; head start: J. M. Lucas and R. B. Crosier, Technometrics 24, 1982).
    """
    x = means(Subgroups(apply(limits.transform, points.values), points.sizes))
    error = limits.sigma / np.sqrt(points.sizes)
    standard = (x - limits.centre) / error
    off = rounding_of(x, limits.centre, unit_of_rounding(limits.transform)) / error
    off = np.maximum(off, rounding_of(limits.decision))
    up, down = memory or (limits.head_start, limits.head_start)
    ups, downs = np.empty(len(x)), np.empty(len(x))
    for place, (z, least) in enumerate(zip(standard.tolist(), off.tolist(), strict=True)):
        up, down = up + z - limits.reference, down - z - limits.reference
        # A sum of nothing but rounding is zero: the shift is taken to begin after the last zero.
        up, down = up if up > least else 0.0, down if down > least else 0.0
        ups[place], downs[place] = up, down
    return (up, down), (
        _sum_panel("upper sum", ups, limits.decision, 1.0, off),
        _sum_panel("lower sum", downs, limits.decision, -1.0, off),
    )


def _sum_panel(
    name: str,
    sums: NDArray[np.float64],
    decision: float,
    direction: float,
    rounding: NDArray[np.float64],
) -> Panel:
    at = np.arange(len(sums), dtype=np.int64)
    drawn = direction * sums + 0.0  # the sum turns -0.0 into 0.0
    edge = np.full(len(sums), direction * decision)
    lower, upper = (None, edge) if direction > 0 else (edge, None)
    return Panel(
        name,
        at,
        drawn,
        np.zeros(len(sums)),
        lower,
        upper,
        drawn,
        rounding,
        OWN_LIMITS_ONLY,
    )
