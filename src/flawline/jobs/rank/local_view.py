"""Find the one place of a picture that stands out most from the same place of the others, and from its surroundings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# Of the usual distance: what is nearer counts as this near, so that rounding at blank places does not count.
NEAREST = 0.05
# The spread of a place, against that of all places: a few references estimate the spread of one place poorly.
OWN_SPREAD = 0.3
# A smaller spread of log distances counts as this: where nearly all are equal, a tiny difference does not stand out.
LEAST_SPREAD = 0.02
# The part of the mean of the surroundings that is taken off: a broad highlight is no small defect.
SURROUNDINGS = 0.5
REACH = 2
TINY = 1e-6
NORMAL = 1.4826


@dataclass(frozen=True, slots=True)
class LocalScale:
    """What is usual at each of P places, in logarithms of distances: `centre` (P,) and `spread` (P,).

    `floor` (1,) is the smallest distance that counts.
    """

    centre: Floats
    spread: Floats
    floor: Floats


def fit_local_scale(distances: Floats) -> LocalScale:
    """Estimate the scale from distances (K, P, N) of N references to their K nearest neighbours, at P places."""
    floor = np.array([NEAREST * np.median(distances[0]) + TINY], dtype=np.float32)
    logs = _relative_logs(distances, floor)
    centre = np.median(logs, axis=1)
    spread = NORMAL * np.median(np.abs(logs - centre[:, None]), axis=1)
    shared = OWN_SPREAD * spread + (1 - OWN_SPREAD) * np.median(spread)
    return LocalScale(
        centre.astype(np.float32), np.maximum(shared, LEAST_SPREAD).astype(np.float32), floor
    )


def strongest_place(distances: Floats, scale: LocalScale, grid: tuple[int, int]) -> Floats:
    """Compute how far the most unusual place of each picture stands out, (N,), in robust standard deviations.

    `distances` is (K, P, N), with the P places of `grid` (rows, columns) row by row. A picture that is far everywhere
    (other light) stands out only where it is farther than its own median.
    """
    logs = _relative_logs(distances, scale.floor)
    unusual = ((logs - scale.centre[:, None]) / scale.spread[:, None]).T.reshape(-1, *grid)
    rows, columns = moving_average(grid[0], REACH), moving_average(grid[1], REACH)
    around = rows @ unusual @ columns.T
    return np.asarray((unusual - SURROUNDINGS * around).max(axis=(1, 2)), dtype=np.float32)


def moving_average(length: int, reach: int) -> Floats:
    """Build the matrix (length, length) of a mean over `reach` cells to both sides; the edge is repeated outside."""
    near = np.clip(np.arange(length)[:, None] + np.arange(-reach, reach + 1), 0, length - 1)
    return np.asarray(np.eye(length, dtype=np.float32)[near].mean(axis=1), dtype=np.float32)


def _relative_logs(distances: Floats, floor: Floats) -> Floats:
    """Average the logarithms of the distances over the neighbours, (P, N), less the median of each picture."""
    logs = np.log(np.maximum(distances, floor)).mean(axis=0)
    return np.asarray(logs - np.median(logs, axis=0), dtype=np.float32)
