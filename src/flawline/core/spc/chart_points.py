"""Points of control charts (measurements or counts), and the panels computed from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flawline.core.spc.rule_table import ALL_RULES
from flawline.errors import FlawlineError

# Numbers beyond it cannot be squared and added up.
LARGEST = 1e100


@dataclass(frozen=True, slots=True, eq=False)
class Subgroups:
    """Measurements in time order: `values` float64 (N,), and `sizes` int64 (G,) that cut them into G points.

    `gaps` (G,) is True where a point is missing just before; None where none is. `products` (G,) names the product of
    each point, for short runs of several.
    """

    values: NDArray[np.float64]
    sizes: NDArray[np.int64]
    gaps: NDArray[np.bool_] | None = None
    products: tuple[str, ...] | None = None

    def __len__(self) -> int:
        """Count the points, G."""
        return len(self.sizes)


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Counts in time order: `counts` float64 (G,) of defects or defective units in `sizes` (G,) inspected units.

    `gaps` (G,) is True where a point is missing just before; None where none is.
    """

    counts: NDArray[np.float64]
    sizes: NDArray[np.float64]
    gaps: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        """Count the points, G."""
        return len(self.counts)


Points = Subgroups | Counts


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """One row of a control chart.

    `at` int64 (M,) says which point each of the M plotted `values` belongs to (a moving range begins at the second).
    `centre`, `lower` and `upper` are float64 (M,); a limit is None where there is none. `scores` (M,) are the distances
    from the centre in sigmas, on the scale on which they are normal: the rules judge these. Differences of values up to
    `rounding` (M,) are rounding. `rules` are the numbers of the rules that may be applied to it.
    """

    name: str
    at: NDArray[np.int64]
    values: NDArray[np.float64]
    centre: NDArray[np.float64]
    lower: NDArray[np.float64] | None
    upper: NDArray[np.float64] | None
    scores: NDArray[np.float64]
    rounding: NDArray[np.float64]
    rules: frozenset[int] = ALL_RULES


def individuals(values: ArrayLike) -> Subgroups:
    """Make N points of one measurement each from measurements (N,).

    Raises:
        FlawlineError: no values, or one that is not finite.
    """
    x = np.atleast_1d(np.asarray(values, dtype=np.float64))
    return subgroups(x, np.ones(len(x), dtype=np.int64))


def subgroups(values: ArrayLike | Sequence[ArrayLike], sizes: ArrayLike | None = None) -> Subgroups:
    """Make subgroups from measurements (N,) with sizes (G,), or from a sequence of G subgroups.

    Raises:
        FlawlineError: no values, an empty subgroup, sizes that do not add up, or a value that is not finite.
    """
    if sizes is None:
        rows = [np.atleast_1d(np.asarray(row, dtype=np.float64)) for row in values]  # type: ignore[union-attr]
        sizes = [len(row) for row in rows]
        values = np.concatenate(rows) if rows else np.zeros(0)
    x, n = np.asarray(values, dtype=np.float64), np.asarray(sizes, dtype=np.int64)
    if x.ndim != 1 or len(n) == 0 or n.min() < 1 or n.sum() != len(x):
        raise FlawlineError(
            f"expected subgroups of at least one value each, got {len(x)} values in {len(n)} subgroups",
            code="chart",
        )
    _check_finite(x, "value")
    return Subgroups(x, n)


def counts(defects: ArrayLike, sizes: ArrayLike = 1.0) -> Counts:
    """Make points of counts (G,) in inspected units (G,), or in the same number of units for all.

    Raises:
        FlawlineError: no counts, one below zero or not whole, or a number of units that is not above zero.
    """
    c = np.atleast_1d(np.asarray(defects, dtype=np.float64))
    n = np.broadcast_to(np.asarray(sizes, dtype=np.float64), c.shape).copy()
    if c.ndim != 1 or len(c) == 0:
        raise FlawlineError("expected a list of counts, got none", code="chart")
    _check_finite(c, "count")
    _check_finite(n, "number of units")
    if (c < 0).any() or (c != np.round(c)).any():
        wrong = c[(c < 0) | (c != np.round(c))][0]
        raise FlawlineError(f"a count is a whole number of 0 or more, got {wrong:g}", code="chart")
    if (n <= 0).any():
        raise FlawlineError(
            f"the number of inspected units must be above 0, got {n.min():g}", code="chart"
        )
    return Counts(c, n)


def select(points: Points, keep: NDArray[np.bool_]) -> Points:
    """Select the points for which `keep` (G,) is True."""
    gaps = None if points.gaps is None else points.gaps[keep]
    if isinstance(points, Counts):
        return Counts(points.counts[keep], points.sizes[keep], gaps)
    products = points.products
    if products is not None:
        products = tuple(name for name, kept in zip(products, keep, strict=True) if kept)
    values = points.values[np.repeat(keep, points.sizes)]
    return Subgroups(values, points.sizes[keep], gaps, products)


def neighbours(points: Points, keep: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Find which points from the second on, (G - 1,), are in `keep` (G,) like the one just before them."""
    found = keep[1:] & keep[:-1]
    return found if points.gaps is None else found & ~points.gaps[1:]


def _check_finite(x: NDArray[np.float64], what: str) -> None:
    if not np.isfinite(x).all():
        place = int(np.flatnonzero(~np.isfinite(x))[0])
        raise FlawlineError(
            f"every {what} must be a finite number, got {x[place]} at place {place + 1}",
            hint="leave out rows without a value",
            code="chart",
        )
    if len(x) and np.abs(x).max() > LARGEST:
        raise FlawlineError(
            f"every {what} must lie within ±{LARGEST:g}, got {x[np.abs(x).argmax()]:g}",
            hint="check the column; charts are for measures of parts",
            code="chart",
        )
