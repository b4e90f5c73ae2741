"""Tell differences between numbers from the rounding of floating-point arithmetic."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

# 512 units in the last place: means, limits and sums of decimal numbers differ by less when they should be equal.
SHARE = 2.0**-43
# Zones of the run rules end at these scores.
_MOST_ZONES = 2.0


def rounding_of(*numbers: ArrayLike) -> NDArray[np.float64]:
    """Compute how far arithmetic on these numbers, all (M,) or single, may be off, from the largest magnitude (M,)."""
    largest = np.abs(np.asarray(numbers[0], dtype=np.float64))
    for more in numbers[1:]:
        largest = np.maximum(largest, np.abs(np.asarray(more, dtype=np.float64)))
    return np.asarray(SHARE * largest)


def on_zones(scores: NDArray[np.float64], rounding: NDArray[np.float64]) -> NDArray[np.float64]:
    """Move scores (M,) that lie within `rounding` (M,) of the centre, 1 or 2 sigma exactly onto it."""
    nearest = np.clip(np.round(scores), -_MOST_ZONES, _MOST_ZONES)
    return np.where(np.abs(scores - nearest) <= rounding, nearest, scores)


def steps(values: NDArray[np.float64], rounding: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute whether each of (M,) values rises (1), falls (-1) or stays (0) from the one before; the first stays."""
    moved = np.diff(values)
    moved[np.abs(moved) <= np.maximum(rounding[1:], rounding[:-1])] = 0
    return np.concatenate([np.zeros(min(len(values), 1)), np.sign(moved)])
