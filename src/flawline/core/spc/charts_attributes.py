"""Charts of counts: p, np, c, u and Laney's p' and u'."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, bdtrc, pdtr, pdtrc

from flawline.core.spc.chart_constants import d2
from flawline.core.spc.chart_points import Counts, Panel, neighbours
from flawline.core.spc.limits import ControlLimits
from flawline.core.spc.rounding import on_zones, rounding_of
from flawline.errors import FlawlineError

SHARES = ("p", "np", "laney-p")
LANEY = ("laney-p", "laney-u")
# Counts are discrete and skewed: zones of one sigma do not have the probabilities that the zone tests assume.
COUNT_RULES = frozenset({1, 2, 3, 4})
_NAMES = {
    "p": "share defective",
    "np": "defective units",
    "laney-p": "share defective",
    "c": "defects",
    "u": "defects per unit",
    "laney-u": "defects per unit",
}


def estimate_counts(kind: str, points: Counts, keep: NDArray[np.bool_]) -> tuple[float, float]:
    """Estimate the mean share, count or rate of the points that `keep` (G,) selects, and the factor on its deviation.

    The factor is 1, or for Laney's charts the mean moving range of the standardised points over d2 of 2: D. B. Laney,
    "Improved control charts for attributes", Quality Engineering 14, 2002, pp. 531-537. Below 1 it narrows the limits.

    Raises:
        FlawlineError: counts above the units of a share, a c chart of unequal units, or nothing counted at all.
    """
    check_counts(kind, points)
    used, units = points.counts[keep], points.sizes[keep]
    if len(used) == 0:
        raise FlawlineError("no point is left to estimate from", code="chart")
    centre = float(used.sum() / (len(used) if kind == "c" else units.sum()))
    if centre == 0 or (kind in SHARES and centre == 1):
        found = "no defect" if centre == 0 else "nothing but defects"
        raise FlawlineError(
            f"{found} in all {len(used)} points: no limits follow from them",
            hint="collect points until some defects are among them, or give limits with `limits`",
            code="chart",
        )
    if kind not in LANEY:
        return centre, 1.0
    standard = (points.counts / points.sizes - centre) / _error(kind, centre, points.sizes)
    moved = np.abs(np.diff(standard))[neighbours(points, keep)]
    if len(moved) == 0 or moved.max() == 0:
        raise FlawlineError(
            "Laney's charts need neighbouring points that differ, got none", code="chart"
        )
    return centre, float(moved.mean()) / d2(2)


def count_panels(limits: ControlLimits, points: Counts) -> tuple[Panel, ...]:
    """Compute the panel of a chart of counts; limits follow each point's units and stay within the possible range."""
    kind, units = limits.chart, points.sizes
    check_counts(kind, points)
    values = points.counts / units if kind in ("p", "laney-p", "u", "laney-u") else points.counts
    centre = limits.centre * units if kind == "np" else np.full(len(values), limits.centre)
    error = limits.sigma * _error(kind, limits.centre, units)
    most = units if kind == "np" else np.ones(len(values))
    upper = centre + limits.k * error
    if kind in SHARES:
        upper = np.minimum(upper, most)
    lower = np.maximum(centre - limits.k * error, 0.0)
    at = np.arange(len(values), dtype=np.int64)
    off = rounding_of(values, centre)
    score = on_zones((values - centre) / error, off / error)
    return (Panel(_NAMES[kind], at, values, centre, lower, upper, score, off, COUNT_RULES),)


def check_counts(kind: str, points: Counts) -> None:
    """Refuse counts that the chart cannot take.

    Raises:
        FlawlineError: more defective units than units, fractions of units, or a c chart with unequal units.
    """
    if kind in SHARES and (points.counts > points.sizes).any():
        place = int(np.flatnonzero(points.counts > points.sizes)[0])
        raise FlawlineError(
            f"{points.counts[place]:g} defective of {points.sizes[place]:g} units at place {place + 1}",
            hint="for defects, of which a unit may have several, take the chart u or c",
            code="chart",
        )
    if kind == "c" and np.ptp(points.sizes) > 0:
        raise FlawlineError(
            f"the chart c takes equal units, got {points.sizes.min():g} to {points.sizes.max():g}",
            hint="take the chart u",
            code="chart",
        )


def false_signal_share(limits: ControlLimits, units: float) -> float:
    """Compute the chance that a point of a process in control lies beyond these limits: exact, binomial or Poisson.

    For ordinary charts of counts; the normal approximation behind 3 sigma gives 0.0027, which seldom holds.
    """
    kind = limits.chart
    n = round(units)
    points = Counts(np.zeros(1), np.array([float(n if kind in SHARES else units)]))
    (panel,) = count_panels(limits, points)
    assert panel.lower is not None
    assert panel.upper is not None
    scale = 1.0 if kind in ("np", "c") else units
    # The tolerance keeps a count on the limit inside, despite rounding.
    high = np.floor(panel.upper[0] * scale + 1e-9)
    low = np.ceil(panel.lower[0] * scale - 1e-9) - 1
    if kind in SHARES:
        above = bdtrc(high, n, limits.centre) if high < n else 0.0
        return float(above + (bdtr(low, n, limits.centre) if low >= 0 else 0.0))
    mean = limits.centre * (1.0 if kind == "c" else units)
    return float(pdtrc(high, mean) + (pdtr(low, mean) if low >= 0 else 0.0))


def overdispersion(limits: ControlLimits, points: Counts) -> float:
    """Compute how many times more the points vary from one to the next than by chance alone, which is 1.

    Laney's sigma of the standardised points; 1 for fewer than three points.
    """
    (panel,) = count_panels(limits, points)
    moved = np.abs(np.diff(panel.scores))[neighbours(points, np.ones(len(points), bool))]
    return float(moved.mean() / d2(2)) if len(moved) >= 2 else 1.0


def _error(kind: str, centre: float, units: NDArray[np.float64]) -> NDArray[np.float64]:
    match kind:
        case "np":
            return np.sqrt(units * centre * (1 - centre))
        case "p" | "laney-p":
            return np.sqrt(centre * (1 - centre) / units)
        case "c":
            return np.full(len(units), np.sqrt(centre))
        case _:
            return np.sqrt(centre / units)
