"""The method "patch-gaussian": Gaussians of patch features by place, or by content where a place means nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.detectors.gaussians import (
    Gaussians,
    PatchMoments,
    block_side,
    blocks,
    content_gaussians,
    content_moments,
    find_centres,
    no_moments,
    packed,
    place_gaussians,
    place_moments,
    unpacked,
)
from flawline.detectors.method import (
    Arrays,
    Grid,
    Learning,
    Learnt,
    Method,
    drawn,
    joined,
    no_window,
)
from flawline.detectors.nodes import Nodes, summed

CONTENTS = 16
_SAMPLES = 60_000


def _learn(learning: Learning, count: int, one_window: bool, seed: int) -> Learnt:
    return learning.once("patch-gaussian", seed, lambda: _learnt(learning, count, one_window, seed))


def _learnt(learning: Learning, count: int, one_window: bool, seed: int) -> Learnt:
    """By place where a place means something, else by content."""
    if one_window:
        cells, area = learning.grid[0] * learning.grid[1], block_side(learning.grid) ** 2
        nothing = no_moments(cells // area, len(learning.basis.directions))
        places = place_moments(_by_block(learning), nothing)
        if not places.count[0]:
            raise no_window()
        return _places_kept(places), int(places.count[0]) // area
    per_window = max(1, -(-_SAMPLES // count))
    sampled = [
        drawn(patches, per_window, (seed, place, 1))
        for place, patches in enumerate(learning.patches())
    ]
    rows = joined(sampled)
    centres = find_centres(rows, CONTENTS, seed)
    return _contents_kept(content_moments(rows, centres), centres), len(sampled)


def _extend(learning: Learning, old: Arrays, seen: int) -> Learnt:
    if "place_scatter" in old:
        places = place_moments(_by_block(learning), _moments(old, "place"))
        count = int(places.count[0]) // block_side(learning.grid) ** 2 - seen
        if not count:
            raise no_window()
        return _places_kept(places), count
    centres, contents = old["content_centres"], _moments(old, "content")
    # A window counts for as much as each of those before it.
    per_window = max(1, round(float(contents.count.sum()) / seen))
    count = 0
    for patches in learning.patches():
        rows = drawn(patches, per_window, (0, seen + count, 1))
        contents = contents.plus(content_moments(rows, centres))
        count += 1
    if not count:
        raise no_window()
    return _contents_kept(contents, centres), count


def _by_block(learning: Learning) -> Iterator[NDArray[np.float32]]:
    return (blocks(patches, learning.grid) for patches in learning.patches())


def _places_kept(moments: PatchMoments) -> dict[str, NDArray[Any]]:
    """Arrays of one Gaussian for each place."""
    return _kept("place", moments, place_gaussians(moments))


def _contents_kept(moments: PatchMoments, centres: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Arrays of one Gaussian for each kind of content; the determinant decides between the kinds."""
    return {"content_centres": centres, **_kept("content", moments, content_gaussians(moments))}


def _kept(name: str, moments: PatchMoments, gaussians: Gaussians) -> dict[str, NDArray[Any]]:
    """What a recipe holds of Gaussians: what scores need, and the sums that a later update adds to."""
    return {
        f"{name}_means": gaussians.means,
        f"{name}_factors": packed(gaussians.factors),
        # Less their mean, which changes no order: a score is then about a squared distance.
        f"{name}_constants": gaussians.constants - gaussians.constants.mean(),
        f"{name}_count": moments.count,
        f"{name}_total": moments.total,
        f"{name}_scatter": packed(moments.scatter.astype(np.float32)),
    }


def _moments(arrays: Arrays, name: str) -> PatchMoments:
    total = np.array(arrays[f"{name}_total"], np.float64)
    lower = unpacked(arrays[f"{name}_scatter"], total.shape[1]).astype(np.float64)
    upper = np.tril(lower, -1).transpose(0, 2, 1)
    return PatchMoments(np.array(arrays[f"{name}_count"], np.float64), total, lower + upper)


def _score(ops: Nodes, patches: Any, arrays: Arrays, grid: Grid, inputs: Mapping[str, Any]) -> Any:
    """Add the energy of the place and the lowest energy by content, of those that there are."""
    parts = []
    if "place_means" in arrays:
        given = "factors" in inputs
        factors = inputs["factors"] if given else ops.constant(_inputs(arrays)["factors"])
        parts.append(_place_energy(ops, patches, arrays, grid, factors))
    if "content_means" in arrays:
        parts.append(_content_energy(ops, patches, arrays))
    total = parts[0]
    for part in parts[1:]:
        total = ops.add(total, part)
    return total


def _inputs(arrays: Arrays) -> dict[str, NDArray[np.float32]]:
    """The transposed factors (G, k, k) of Gaussians by place."""
    if "place_means" not in arrays:
        return {}
    dimensions = arrays["place_means"].shape[1]
    return {"factors": unpacked(arrays["place_factors"], dimensions, upper=True)}


def _place_energy(ops: Nodes, patches: Any, arrays: Arrays, grid: Grid, factors: Any) -> Any:
    means = arrays["place_means"].astype(np.float32)
    side, k = block_side(grid), means.shape[1]
    rows, columns = grid[0] // side, grid[1] // side
    by_block = ops.transpose(ops.reshape(patches, (rows, side, columns, side, k)), (0, 2, 1, 3, 4))
    flat = ops.reshape(by_block, (rows * columns, side * side, k))
    scaled = ops.matmul(ops.subtract(flat, ops.constant(means[:, None])), factors)
    energies = _energy(ops, scaled, k, arrays["place_constants"][:, None])
    joined = ops.transpose(ops.reshape(energies, (rows, columns, side, side)), (0, 2, 1, 3))
    return ops.reshape(joined, (-1, 1, 1))


def _content_energy(ops: Nodes, patches: Any, arrays: Arrays) -> Any:
    means = arrays["content_means"].astype(np.float32)
    factors = unpacked(arrays["content_factors"], means.shape[1])
    count, k = means.shape
    shifts = np.einsum("gij,gj->gi", factors.astype(np.float64), means.astype(np.float64))
    kernel = factors.transpose(2, 0, 1).reshape(k, -1)
    scaled = ops.subtract(
        ops.matmul(patches, ops.constant(kernel)),
        ops.constant(shifts.reshape(1, -1).astype(np.float32)),
    )
    scaled = ops.reshape(scaled, (-1, count, k))
    energies = _energy(ops, scaled, k, arrays["content_constants"][None])
    return ops.reduce_min(energies, 1, keep=True)


def _energy(ops: Nodes, scaled: Any, k: int, constants: NDArray[Any]) -> Any:
    """Add to the squared lengths of (n, m, k) a constant for each of m: (n, m, 1)."""
    lengths = summed(ops, ops.multiply(scaled, scaled), k)
    return ops.add(lengths, ops.constant(constants.astype(np.float32)[..., None]))


METHOD = Method(_learn, _extend, _score, _inputs, averages=True)
