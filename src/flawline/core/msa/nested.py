"""Nested analysis of variance: how much of the variation lies at each level of a hierarchy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flawline.errors import FlawlineError

_DRAWS = 10_000
_SEED = 20_240_101


@dataclass(frozen=True, slots=True, eq=False)
class Nested:
    """Variation by level: L groupings from the outside in, and the rest within the innermost, all (L + 1,).

    `variances` are at least 0 and `shares` of their sum add up to 1; `low` and `high` (L + 1,) are the interval of each
    share. `surest` is the chance by the same draws that the largest share is the largest indeed.
    """

    freedom: NDArray[np.int64]
    squares: NDArray[np.float64]
    variances: NDArray[np.float64]
    shares: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    surest: float
    balanced: bool

    @property
    def largest(self) -> int:
        """Number of the level with the largest share."""
        return int(self.shares.argmax())


def nested_groups(names: Sequence[Sequence[str]]) -> list[NDArray[np.int64]]:
    """Number the groups (N,) of each of L levels, in order of first rows; each lies within one of the level before."""
    levels = []
    for depth in range(1, len(names) + 1):
        seen: dict[tuple[str, ...], int] = {}
        keys = zip(*names[:depth], strict=True)
        levels.append(np.array([seen.setdefault(key, len(seen)) for key in keys], dtype=np.int64))
    return levels


def nested_variation(
    values: NDArray[np.float64], levels: Sequence[NDArray[np.int64]], confidence: float = 0.95
) -> Nested:
    """Split the variance of values (N,) into that of L nested levels and the rest, by mean squares.

    The mean squares equal their expectations, also for unequal groups (S. R. Searle, G. Casella and C. E. McCulloch,
    "Variance Components", 1992). Intervals are generalised ones: each sum of squares over a drawn chi-square (S.
    Weerahandi, Journal of the American Statistical Association 88, 1993); for unequal groups they are rough.

    Each level must have more groups than the one before, and fewer than there are values.

    Raises:
        FlawlineError: ("multi-vari") all values are equal.
    """
    counts = [len(values), *(int(level.max()) + 1 for level in levels)]
    finer = [1, *counts[1:], counts[0]]
    freedom = np.diff(finer)
    if np.ptp(values) == 0:
        raise FlawlineError("all values are equal: there is no variation", code="multi-vari")
    squares = np.diff(_sums(values - values.mean(), levels))
    expected = np.diff(_coefficients(levels, len(values)), axis=0) / freedom[:, None]
    means = squares / freedom
    variances = np.maximum(np.linalg.solve(expected, means), 0.0)
    draws = np.random.default_rng(_SEED).chisquare(freedom, (_DRAWS, len(freedom)))
    drawn = np.maximum(np.linalg.solve(expected, (squares / draws).T).T, 0.0)
    parts = drawn / np.maximum(drawn.sum(axis=1, keepdims=True), 1e-300)
    tail = (1 - confidence) / 2
    low, high = np.quantile(parts, [tail, 1 - tail], axis=0)
    shares = variances / variances.sum()
    surest = float((parts.argmax(axis=1) == shares.argmax()).mean())
    sizes = [np.bincount(level) for level in levels]
    balanced = all(np.ptp(size) == 0 for size in sizes)
    return Nested(freedom, squares, variances, shares, low, high, surest, balanced)


def _sums(values: NDArray[np.float64], levels: Sequence[NDArray[np.int64]]) -> NDArray[np.float64]:
    """Compute the sums of squares of the means: of all, of the groups of each level, and of the values."""
    found = [float(values.sum() ** 2 / len(values))]
    for level in levels:
        found.append(float((np.bincount(level, values) ** 2 / np.bincount(level)).sum()))
    return np.array([*found, float((values**2).sum())])


def _coefficients(levels: Sequence[NDArray[np.int64]], count: int) -> NDArray[np.float64]:
    """Compute how often each level's variance is in the expectation of each of the `_sums`, (L + 2, L + 1)."""
    zero, each = np.zeros(count, dtype=np.int64), np.arange(count)
    rows = [zero, *levels, each]
    table = np.empty((len(rows), len(levels) + 1))
    for i, outer in enumerate(rows):
        sizes = np.bincount(outer)
        for j, inner in enumerate(rows[1:]):
            own = np.bincount(inner)
            # A group at least as fine lies in one group of the other level; a coarser one holds whole groups.
            table[i, j] = (own / sizes[outer[_firsts(inner)]] * own).sum() if j + 1 >= i else count
    return table


def _firsts(level: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.unique(level, return_index=True)[1]
