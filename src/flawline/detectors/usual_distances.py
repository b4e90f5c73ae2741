"""What good parts that were not learnt from show at each place, and scores in standard deviations of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.detectors.nodes import Nodes

Arrays = Mapping[str, NDArray[Any]]

_RINGS = 4  # cells from the border, beyond which the zeros that a network puts around its maps hardly reach
_PRIOR = 10.0  # windows that the average over a ring counts for beside what was seen at a place
_LEAST = 0.1  # of a deviation, where the features have variances around one half


def distance_moments(
    name: str, distances: Iterable[NDArray[np.float64]], old: Arrays
) -> dict[str, NDArray[Any]]:
    """Average the distance at each cell and its square over windows, with what earlier windows gave.

    Args:
        name: what the arrays begin with: `NAME_moments`, float64 (2, h * w), and `NAME_windows`, how many were seen.
        distances: (h * w,) of each window, as if it had not been learnt from.
        old: the arrays that earlier windows gave; empty if there were none.
    """
    count = int(old[f"{name}_windows"][0]) if f"{name}_windows" in old else 0
    total: Any = old[f"{name}_moments"] * count if count else 0.0
    for found in distances:
        total = total + np.stack([found, found**2])
        count += 1
    return {f"{name}_moments": total / count, f"{name}_windows": np.array([count])}


def standardised(
    ops: Nodes, distances: Any, name: str, arrays: Arrays, grid: tuple[int, int]
) -> Any:
    """Make a node of distances (h * w,) less the usual one of the place, in standard deviations."""
    mean, deviation = usual_distances(
        arrays[f"{name}_moments"], int(arrays[f"{name}_windows"][0]), grid
    )
    off = ops.subtract(distances, ops.constant(mean))
    return ops.multiply(off, ops.constant(1 / deviation))


def usual_distances(
    moments: NDArray[np.float64], windows: int, grid: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and standard deviation of the distance that good parts have at each cell, float32 (h * w,) both.

    Networks put zeros around their maps, so cells near the border differ more from one another than cells inside, and
    would outshine every defect. Few windows say little about a cell: the average over all cells that lie as far from
    the border counts for ten more.

    Args:
        moments: (2, h * w), mean of the distance and of its square over the windows seen.
        windows: how many were seen.
        grid: (h, w).
    """
    rows, columns = (np.arange(side) for side in grid)
    rows, columns = np.minimum(rows, rows[::-1]), np.minimum(columns, columns[::-1])
    ring = np.minimum(np.minimum.outer(rows, columns), _RINGS).ravel()
    counts = np.maximum(np.bincount(ring), 1)
    around = np.stack([np.bincount(ring, weights=row) / counts for row in moments])[:, ring]
    mean, square = (windows * moments + _PRIOR * around) / (windows + _PRIOR)
    deviation = np.sqrt(np.maximum(square - mean**2, 0) + _LEAST**2)
    return mean.astype(np.float32), deviation.astype(np.float32)
