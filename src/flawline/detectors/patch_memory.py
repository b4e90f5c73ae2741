"""The method "patch-memory": patches of good parts that lie far apart, and the distance to the nearest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.detectors.memory import POOL, SIZE, distances, scale_of, thinned, usual_distances
from flawline.detectors.method import Arrays, Grid, Learning, Method, drawn, joined
from flawline.detectors.nodes import Nodes, summed


def _learn(
    learning: Learning, count: int, one_window: bool, seed: int
) -> tuple[dict[str, NDArray[Any]], int]:
    pool, count = _pooled(learning, seed)
    memory = thinned(pool, SIZE)
    return {"memory": memory, **_moments(learning, memory, None)}, count


def _extend(learning: Learning, old: Arrays, seen: int) -> tuple[dict[str, NDArray[Any]], int]:
    pool, count = _pooled(learning, 0)
    memory = thinned(np.concatenate([old["memory"], pool]), SIZE)
    if "memory_moments" not in old:
        return {"memory": memory}, count
    return {"memory": memory, **_moments(learning, memory, old)}, count


def _moments(
    learning: Learning, memory: NDArray[np.float32], old: Arrays | None
) -> dict[str, NDArray[Any]]:
    """Mean of the distance to the memory and of its square at each cell, with what earlier windows gave."""
    count = 0 if old is None else int(old["memory_windows"][0])
    total = (
        np.zeros((2, learning.grid[0] * learning.grid[1]))
        if old is None
        else old["memory_moments"] * count
    )
    scale = scale_of(learning.basis.variances)
    for patches in learning.patches():
        found = distances(patches * scale, memory)
        total = total + np.stack([found, found**2])
        count += 1
    return {"memory_moments": total / count, "memory_windows": np.array([count])}


def _pooled(learning: Learning, seed: int) -> tuple[NDArray[np.float32], int]:
    """All patches in the directions of distances, and how many windows there are.

    Beyond `POOL` patches, as many of each window, at least one, drawn evenly.
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
    mean, deviation = usual_distances(
        arrays["memory_moments"], int(arrays["memory_windows"][0]), grid
    )
    off = ops.subtract(ops.sqrt(nearest), ops.constant(mean))
    return ops.multiply(off, ops.constant(1 / deviation))


def _inputs(arrays: Arrays) -> dict[str, NDArray[np.float32]]:
    """Nothing: a memory is small."""
    return {}


METHOD = Method(_learn, _extend, _score, _inputs, averages=False)
