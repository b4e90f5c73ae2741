"""Zone charts: the distance of each point from the centre counts, and the counts add up on one side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flawline.core.spc.chart_points import Panel, Subgroups
from flawline.core.spc.charts_variables import Memory, means, starts
from flawline.core.spc.limits import ControlLimits
from flawline.core.spc.rounding import on_zones, rounding_of

SCORES = (0.0, 2.0, 4.0, 8.0)
"""The scores of points within 1, 2 and 3 sigma, and beyond."""
SIGNALS_AT = 8.0
ZONE_SCORE = "zone score"
_OWN_LIMITS_ONLY = frozenset({1})


def zone_panels(
    limits: ControlLimits, points: Subgroups, memory: Memory
) -> tuple[Memory, tuple[Panel, ...]]:
    """Compute the points of a zone chart and their added scores; `memory` holds score and side so far, or nothing.

    A point scores 0, 2, 4 or 8 in the zones that end at 1/3, 2/3 and all of the distance to the limits; one on a border
    belongs to the inner zone. Scores add up until a point lies on the other side of the centre, and 8 or more is a
    signal; a point on the centre changes nothing. The sum is below zero where the points lie below the centre (A. H.
    Jaehn, "The zone control chart", Quality Progress 24 (7), 1991, pp. 65-68).
    """
    mean = means(points)
    error = limits.sigma / np.sqrt(points.sizes)
    centre = np.full(len(mean), limits.centre)
    magnitude = np.maximum.reduceat(np.abs(points.values), starts(points))
    off = rounding_of(magnitude, centre)
    at = np.arange(len(mean), dtype=np.int64)
    width = limits.k * error
    level = Panel(
        "values",
        at,
        mean,
        centre,
        centre - width,
        centre + width,
        on_zones((mean - centre) / error, off / error),
        off,
        frozenset(),
    )
    sums, score, side = added_scores((mean - centre) / width, off / width, memory)
    edge = np.full(len(mean), SIGNALS_AT)
    # Scores are even numbers: half a step inside the edge, a sum on it counts as beyond.
    inside = np.full(len(mean), -1.0)
    return (score, side), (
        level,
        Panel(
            ZONE_SCORE, at, sums, np.zeros(len(mean)), -edge, edge, sums, inside, _OWN_LIMITS_ONLY
        ),
    )


def added_scores(
    distances: NDArray[np.float64], rounding: NDArray[np.float64], memory: Memory = ()
) -> tuple[NDArray[np.float64], float, float]:
    """Add up the scores of distances (G,) from the centre, in distances of the limits; returns sums, score and side.

    `rounding` (G,) is how far the distances may be off. Sums are below zero where the points lie below the centre.
    """
    size = np.abs(distances) - rounding
    zones = sum((size > share).astype(int) for share in (1 / 3, 2 / 3, 1.0))
    scores = np.array(SCORES)[zones]
    sides = np.where(np.abs(distances) <= rounding, 0.0, np.sign(distances))
    total, side = memory or (0.0, 0.0)
    sums = np.empty(len(distances))
    for place, (score, own) in enumerate(zip(scores.tolist(), sides.tolist(), strict=True)):
        if own and own != side:
            total, side = 0.0, own
        total += score
        sums[place] = side * total + 0.0  # the sum turns -0.0 into 0.0
    return sums, total, side
