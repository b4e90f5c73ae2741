"""The method "patch-memory": patches of good parts that lie far apart, and the distance to the nearest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.anomaly_score import EARLIER_CELLS
from flawline.data.stream import in_order
from flawline.detectors.memory import POOL, SIZE, distances, scale_of, thinned
from flawline.detectors.method import Arrays, Grid, Learning, Learnt, Method, drawn, joined
from flawline.detectors.nodes import Nodes, summed
from flawline.detectors.usual_distances import distance_moments, standardised
from flawline.types import EMPTY

USUAL = 64
"""Most windows whose distances to the memory are averaged."""


def _learn(learning: Learning, count: int, one_window: bool, seed: int) -> Learnt:
    return learning.once("patch-memory", seed, lambda: _learnt(learning, seed))


def _learnt(learning: Learning, seed: int) -> Learnt:
    pool, count = _pooled(learning, seed)
    rows = thinned(pool, SIZE)
    memory, sources = pool[rows], rows // (len(pool) // count)
    return {"memory": memory, **_moments(learning, memory, sources, count, EMPTY)}, count


def _extend(learning: Learning, old: Arrays, seen: int) -> Learnt:
    pool, count = _pooled(learning, 0)
    earlier = len(old["memory"])
    both = np.concatenate([old["memory"], pool])
    rows = thinned(both, SIZE)
    memory = both[rows]
    if "memory_moments" not in old:
        return {"memory": memory}, count
    # Those from earlier windows come from none of the new ones.
    sources = np.where(rows < earlier, -1, (rows - earlier) // (len(pool) // count))
    return {"memory": memory, **_moments(learning, memory, sources, count, old)}, count


def _moments(
    learning: Learning,
    memory: NDArray[np.float32],
    sources: NDArray[np.intp],
    count: int,
    old: Arrays,
) -> dict[str, NDArray[Any]]:
    """Average the distance to the memory at each cell, of windows to the patches from other windows.

    `sources` are the windows, of `count`, that patches of the memory come from. With its own patches, a window would be
    nearer than a new one is, most of all where windows differ. `USUAL` windows say what is usual, evenly among all.
    """
    scale = scale_of(learning.basis.variances)
    asked = {place * count // USUAL for place in range(USUAL)} if count > USUAL else range(count)
    windows = (
        (place, patches) for place, patches in enumerate(learning.patches()) if place in asked
    )

    def usual(window: tuple[int, NDArray[np.float32]]) -> NDArray[np.float64]:
        place, patches = window
        return distances(patches * scale, memory, sources == place)

    return distance_moments("memory", (found for _, found in in_order(windows, usual)), old)


def _pooled(learning: Learning, seed: int) -> tuple[NDArray[np.float32], int]:
    """All patches in the directions of distances, window by window, and how many windows there are.

    Equally many of each window; beyond `POOL` patches fewer, at least one, drawn evenly.
    """
    pool: list[NDArray[np.float32]] = []
    share = learning.grid[0] * learning.grid[1]
    scale = scale_of(learning.basis.variances)
    for place, patches in enumerate(learning.patches()):
        pool.append(drawn(patches * scale, share, (seed, place, 2)))
        if share > 1 and len(pool) * share > POOL:
            share = 3 * share // 4
            pool = [drawn(rows, share, (seed, at, 3)) for at, rows in enumerate(pool)]
    return joined(pool), len(pool)


def _score(ops: Nodes, patches: Any, arrays: Arrays, grid: Grid, inputs: Mapping[str, Any]) -> Any:
    """Take the distance to the nearest patch of the memory, less the usual one of the place, in standard deviations.

    Directions are half whitened. A memory learnt before there were usual distances gives the squared distance, as it
    did.
    """
    memory = arrays["memory"].astype(np.float32)
    rows = ops.multiply(patches, ops.constant(scale_of(arrays["variances"])[None]))
    lengths = np.einsum("mk,mk->m", memory, memory)
    products = ops.matmul(rows, ops.constant(-2 * memory.T))
    lowest = ops.reduce_min(ops.add(products, ops.constant(lengths[None])), 1, keep=True)
    own = summed(ops, ops.multiply(rows, rows), memory.shape[1])
    nearest = ops.reshape(ops.add(lowest, own), (-1,))
    # Rounding can leave a patch of the memory itself a little below.
    nearest = ops.maximum(nearest, ops.constant(np.float32(0)))
    if "memory_moments" not in arrays:
        return nearest
    return standardised(ops, ops.sqrt(nearest), "memory", arrays, grid)


def _inputs(arrays: Arrays) -> dict[str, NDArray[np.float32]]:
    """Nothing: a memory is small."""
    return {}


METHOD = Method(_learn, _extend, _score, _inputs, averages=False, score_cells=EARLIER_CELLS)
