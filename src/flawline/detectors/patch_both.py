"""The method "patch-both": Gaussians of patches and a memory of them, each compared with what is usual at the place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.detectors import patch_gaussian, patch_memory
from flawline.detectors.gaussians import (
    Gaussians,
    blocks,
    content_distances,
    distances_apart,
    unblocked,
    unpacked,
)
from flawline.detectors.method import Arrays, Grid, Learning, Learnt, Method
from flawline.detectors.nodes import Nodes
from flawline.detectors.usual_distances import distance_moments, standardised
from flawline.types import EMPTY

_NAME = "gaussian"


def _learn(learning: Learning, count: int, one_window: bool, seed: int) -> Learnt:
    gaussians, _ = patch_gaussian.METHOD.learn(learning, count, one_window, seed)
    memory, count = patch_memory.METHOD.learn(learning, count, one_window, seed)
    usual = distance_moments(_NAME, _distances(learning, gaussians), EMPTY)
    return {**gaussians, **memory, **usual}, count


def _extend(learning: Learning, old: Arrays, seen: int) -> Learnt:
    gaussians, count = patch_gaussian.METHOD.extend(learning, old, seen)
    memory, _ = patch_memory.METHOD.extend(learning, old, seen)
    usual = distance_moments(_NAME, _distances(learning, {**old, **gaussians}), old)
    return {**gaussians, **memory, **usual}, count


def _distances(learning: Learning, arrays: Arrays) -> Iterator[NDArray[np.float64]]:
    """Roots of the energies of each window (h * w,), from the lowest constant on, as if it had not been learnt from.

    Gaussians by content are each from so many patches that a window more or less changes nothing.
    """
    name = _kind(arrays)
    means = arrays[f"{name}_means"]
    factors = unpacked(arrays[f"{name}_factors"], means.shape[1])
    gaussians = Gaussians(means, factors, arrays[f"{name}_constants"])
    lowest = gaussians.constants.min()
    if name == "content":
        for patches in learning.patches():
            yield np.sqrt(np.maximum(content_distances(patches, gaussians) - lowest, 0))
        return
    above = (gaussians.constants - lowest)[:, None]
    by_block = (blocks(patches, learning.grid) for patches in learning.patches())
    for found in distances_apart(by_block, arrays["place_count"], gaussians):
        yield unblocked(np.sqrt(found + above), learning.grid)


def _kind(arrays: Arrays) -> str:
    return "place" if "place_means" in arrays else "content"


def _score(ops: Nodes, patches: Any, arrays: Arrays, grid: Grid, inputs: Mapping[str, Any]) -> Any:
    """Add the root of the energy and the distance to the memory, each in standard deviations of the usual ones."""
    energies = patch_gaussian.METHOD.score(ops, patches, arrays, grid, inputs)
    lowest = np.float32(arrays[f"{_kind(arrays)}_constants"].min())
    above = ops.subtract(ops.reshape(energies, (-1,)), ops.constant(lowest))
    # Rounding can leave a patch at the mean of its place a little below.
    roots = ops.sqrt(ops.maximum(above, ops.constant(np.float32(0))))
    memory = patch_memory.METHOD.score(ops, patches, arrays, grid, inputs)
    return ops.add(standardised(ops, roots, _NAME, arrays, grid), memory)


METHOD = Method(_learn, _extend, _score, patch_gaussian.METHOD.inputs, averages=False)
