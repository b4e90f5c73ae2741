"""Charts of rare events: g for the good parts between two bad ones, t for the time between two events.

J. C. Benneyan, "Number-between g-type statistical quality control charts for monitoring adverse events", Health Care
Management Science 4, 2001, pp. 305-318; D. C. Montgomery, "Introduction to Statistical Quality Control", 6th ed. 2009,
section 7.3.5. Limits are probabilities, as in Minitab, since both are skewed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from flawline.core.spc.chart_points import Panel, Subgroups
from flawline.core.spc.limits import ControlLimits
from flawline.core.spc.rounding import rounding_of
from flawline.core.spc.rule_table import ALL_RULES
from flawline.core.spc.transforms import NONE, Transform, apply, revert
from flawline.errors import FlawlineError

# Counts between events are discrete: zones do not have the probabilities that the zone tests assume.
G_RULES = frozenset({1, 2, 3, 4})
_FARTHEST = 37.0


def estimate_rare(
    kind: str, points: Subgroups, transform: Transform, keep: NDArray[np.bool_]
) -> tuple[float, float]:
    """Estimate the mean number of good parts between bad ones (g); times (t) stand on the scale of their transform.

    The chance of an event is (N - 1) / N / (mean + 1), without the bias of the mean alone; 1 is added for the bad part.

    Raises:
        FlawlineError: subgroups, numbers that are no counts, or nothing that varies.
    """
    if points.sizes.max() > 1:
        raise FlawlineError(
            f"the chart {kind} takes one number for each event, got groups of rows",
            hint="leave out `by` and `subgroup`",
            code="chart",
        )
    if kind == "t":
        if transform == NONE:
            raise FlawlineError(
                "the chart t takes times above 0 that follow a Weibull distribution", code="chart"
            )
        return 0.0, 1.0
    check_counts_between(points)
    used = points.values[keep]
    if len(used) < 2 or used.sum() == 0:
        raise FlawlineError(
            f"the chart g needs two events or more with parts between them, got {len(used)}",
            hint="give one row for each bad part, with the good parts since the one before",
            code="chart",
        )
    chance = (len(used) - 1) / len(used) / (float(used.mean()) + 1)
    return 1 / chance - 1, 1.0


def check_counts_between(points: Subgroups) -> None:
    """Refuse numbers that are no counts of good parts.

    Raises:
        FlawlineError: one is below zero or not whole.
    """
    wrong = (points.values < 0) | (points.values != np.round(points.values))
    if wrong.any():
        raise FlawlineError(
            f"the chart g takes whole numbers of good parts between bad ones, got {points.values[wrong][0]:g}",
            hint="times between events go on the chart t",
            code="chart",
        )


def rare_panels(limits: ControlLimits, points: Subgroups) -> tuple[Panel, ...]:
    """Compute the panel of a g or t chart."""
    return (_g_panel if limits.chart == "g" else _t_panel)(limits, points)


def _g_panel(limits: ControlLimits, points: Subgroups) -> tuple[Panel, ...]:
    """Compute the panel of a g chart; a point lies beyond where its own tail is below that of k sigma.

    Few good parts are seldom below a lower limit: even none is likely, unless events are very rare.
    """
    check_counts_between(points)
    x = points.values
    tail = float(ndtr(-limits.k))
    # The logarithm of the chance that the next part is good.
    step = float(np.log(limits.centre / (limits.centre + 1)))
    # The chances of x or more, and of x or fewer.
    above, below = np.exp(step * x), -np.expm1(step * (x + 1))
    score = np.where(above < 0.5, -ndtri(np.maximum(above, 1e-300)), 0.0)
    score = np.where(below < 0.5, ndtri(np.maximum(below, 1e-300)), score)
    ones = np.ones(len(x))
    upper = np.log(tail) / step
    lower = np.log1p(-tail) / step - 1
    centre = max(np.log(0.5) / step - 0.5, 0.0)
    return (
        Panel(
            "good parts between",
            np.arange(len(x), dtype=np.int64),
            x,
            centre * ones,
            lower * ones if lower > 0 else None,
            upper * ones,
            np.clip(score, -_FARTHEST, _FARTHEST),
            rounding_of(x, upper),
            G_RULES,
        ),
    )


def _t_panel(limits: ControlLimits, points: Subgroups) -> tuple[Panel, ...]:
    """Compute the panel of a t chart: limits and scores by the fitted distribution of times."""
    if limits.transform == NONE:
        raise FlawlineError(
            "the limits of a t chart need the distribution of the times",
            hint="estimate them from points, or give frozen ones with `limits`",
            code="chart",
        )
    x = points.values
    low, middle, high = (
        float(edge) for edge in revert(limits.transform, np.array([-limits.k, 0.0, limits.k]))
    )
    ones = np.ones(len(x))
    return (
        Panel(
            "time between",
            np.arange(len(x), dtype=np.int64),
            x,
            middle * ones,
            low * ones,
            high * ones,
            apply(limits.transform, x),
            rounding_of(x, high),
            ALL_RULES,
        ),
    )
