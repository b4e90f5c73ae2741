"""Charts of subgroups that differ for good: the means as individuals, beside the variation within subgroups."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from flawline.core.spc.chart_points import Panel, Subgroups
from flawline.core.spc.charts_variables import (
    Memory,
    estimate_individuals,
    estimate_subgroups,
    individuals_panels,
    means,
    subgroup_panels,
)
from flawline.core.spc.limits import ControlLimits
from flawline.core.spc.transforms import NONE


@dataclass(frozen=True, slots=True)
class Components:
    """Standard deviations within subgroups, between them beyond what that explains, and of single values."""

    within: float
    between: float
    together: float


def estimate_between(
    kind: str, points: Subgroups, keep: NDArray[np.bool_], sigma_from: str
) -> tuple[float, float, float]:
    """Estimate the centre and sigma of the subgroups' means by their moving ranges, and sigma within subgroups.

    Sigma within is as of Xbar-R for i-mr-r, as of Xbar-S for i-mr-s.

    Raises:
        FlawlineError: no subgroup of two or more, no neighbours, or no variation.
    """
    _, within = estimate_subgroups(points, keep, by_range=kind == "i-mr-r", sigma_from=sigma_from)
    centre, sigma = estimate_individuals(_as_individuals(points), NONE, keep)
    return centre, sigma, within


def between_panels(
    limits: ControlLimits, points: Subgroups, memory: Memory
) -> tuple[Memory, tuple[Panel, ...]]:
    """Compute the panels: means and their moving ranges, as of I-MR, and ranges or deviations within subgroups."""
    end, (level, moved) = individuals_panels(limits, _as_individuals(points), memory)
    spread_of = "xbar-r" if limits.chart == "i-mr-r" else "xbar-s"
    own = replace(limits, chart=spread_of, sigma=limits.within)
    _, spread = subgroup_panels(own, points)
    return end, (replace(level, name="mean"), moved, spread)


def components(limits: ControlLimits, points: Subgroups) -> Components:
    """Split the variation: between² is sigma² of the means less the mean of within² / n, at least 0."""
    error = limits.within**2 * float(np.mean(1 / points.sizes))
    between = max(limits.sigma**2 - error, 0.0)
    return Components(
        limits.within, float(np.sqrt(between)), float(np.sqrt(between + limits.within**2))
    )


def _as_individuals(points: Subgroups) -> Subgroups:
    return Subgroups(means(points), np.ones(len(points), dtype=np.int64), points.gaps)
