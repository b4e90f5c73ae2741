"""Lists of different lengths laid end to end."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


def starts(counts: Integers) -> Integers:
    """Compute where each list starts: (N,) from the (N,) lengths."""
    return np.asarray(np.cumsum(counts) - counts, dtype=np.int64)


def expand(counts: Integers) -> tuple[Integers, Integers]:
    """List for each element of each list the number of its list and its place in that list."""
    owner = np.repeat(np.arange(len(counts)), counts)
    return owner, np.arange(len(owner)) - starts(counts)[owner]


def first_of_each(owner: Integers) -> Integers:
    """Find the places where the value of a sorted array (N,) changes, beginning with 0."""
    changes = np.ones(len(owner), dtype=bool)
    np.not_equal(owner[1:], owner[:-1], out=changes[1:])
    return np.flatnonzero(changes)


def total(owner: Integers, values: NDArray[np.generic], count: int) -> Floats:
    """Sum `values` by owner, float64 (count,)."""
    return np.asarray(np.bincount(owner, values, count), dtype=np.float64)
