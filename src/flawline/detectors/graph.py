"""The arithmetic of a detector as OpenVINO nodes: from the maps of a backbone to one raw score for each cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.detectors.patch_features import on_grid, smoothed
from flawline.detectors.patch_gaussian import block_side
from flawline.detectors.patch_memory import scale_of, usual_distances
from flawline.networks.openvino_import import openvino

Arrays = Mapping[str, NDArray[Any]]

OUTPUT = "anomaly_map"


def constant(values: NDArray[Any]) -> Any:
    """A node that holds a copy: OpenVINO would share the memory of the array, which may not outlive this call."""
    return openvino().opset13.constant(np.ascontiguousarray(values), shared_memory=False)


def place_factors(arrays: Arrays) -> dict[str, NDArray[np.float32]]:
    """By name, what `score_node` takes as a node as well: the transposed factors (G, k, k) of Gaussians by place."""
    if "place_means" not in arrays:
        return {}
    dimensions = arrays["place_means"].shape[1]
    return {"factors": unpacked(arrays["place_factors"], dimensions, upper=True)}


def score_node(
    maps: Mapping[str, Any], arrays: Arrays, grid: tuple[int, int], factors: Any = None
) -> Any:
    """Raw scores (1, 1, h, w) of the patches of a window.

    Patches are projected to k dimensions. With Gaussians, a score is the energy of the place plus the lowest energy by
    content. With a memory, it is the distance to the nearest patch of it, in directions that are half whitened, less
    the usual distance of the place, in standard deviations; a memory learnt before there were usual distances gives
    the squared distance, as it did. `factors` is a node of what `place_factors` gives, where it is not to be held as a
    constant.
    """
    ops = openvino().opset13
    patches = _projected(maps, arrays, grid)
    parts = []
    if "place_means" in arrays:
        node = constant(place_factors(arrays)["factors"]) if factors is None else factors
        parts.append(_place_energy(patches, arrays, grid, node))
    if "content_means" in arrays:
        parts.append(_content_energy(patches, arrays))
    if "memory" in arrays:
        parts.append(_memory_distance(patches, arrays, grid))
    total = parts[0]
    for part in parts[1:]:
        total = ops.add(total, part)
    named = ops.reshape(total, np.array([1, 1, *grid], np.int64), False)
    named.output(0).get_tensor().set_names({OUTPUT})
    return named


def unpacked(
    packed: NDArray[np.float32], dimensions: int, *, upper: bool = False
) -> NDArray[np.float32]:
    """Lower triangles (G, k (k + 1) / 2), column after column, as matrices (G, k, k), or as their transposes."""
    full, start = np.zeros((len(packed), dimensions, dimensions), np.float32), 0
    for column in range(dimensions):
        stop = start + dimensions - column
        if upper:
            full[:, column, column:] = packed[:, start:stop]
        else:
            full[:, column:, column] = packed[:, start:stop]
        start = stop
    return full


def packed(matrices: NDArray[np.float32]) -> NDArray[np.float32]:
    """The inverse of `unpacked`."""
    columns, rows = np.triu_indices(matrices.shape[1])
    return np.ascontiguousarray(matrices[:, rows, columns])


def _projected(maps: Mapping[str, Any], arrays: Arrays, grid: tuple[int, int]) -> Any:
    """The patches of maps in the basis, (h * w, k).

    Smoothing, resizing and projecting are linear, so each map is projected first: that leaves less to smooth.
    """
    ops = openvino().opset13
    directions, mean = arrays["directions"].astype(np.float64), arrays["mean"].astype(np.float64)
    found, start = constant(-(directions @ mean).astype(np.float32)[None, :, None, None]), 0
    for node in maps.values():
        stop = start + _channels(node)
        kernel = constant(directions[:, start:stop, None, None].astype(np.float32))
        part = ops.convolution(node, kernel, [1, 1], [0, 0], [0, 0], [1, 1])
        found = ops.add(on_grid(smoothed(part), grid), found)
        start = stop
    flat = ops.reshape(found, np.array([len(directions), -1], np.int64), False)
    return ops.transpose(flat, np.array([1, 0], np.int64))


def _channels(value: Any) -> int:
    """Those of a node, or of one output of a node."""
    output = value.output(0) if hasattr(value, "output") else value
    return int(output.get_partial_shape()[1].get_length())


def _place_energy(patches: Any, arrays: Arrays, grid: tuple[int, int], factors: Any) -> Any:
    ops = openvino().opset13
    means = arrays["place_means"].astype(np.float32)
    side = block_side(grid)
    rows, columns = grid[0] // side, grid[1] // side
    cut = np.array([rows, side, columns, side, means.shape[1]], np.int64)
    by_block = ops.transpose(ops.reshape(patches, cut, False), np.array([0, 2, 1, 3, 4], np.int64))
    flat = np.array([rows * columns, side * side, means.shape[1]], np.int64)
    off = ops.subtract(ops.reshape(by_block, flat, False), constant(means[:, None]))
    scaled = ops.matmul(off, factors, False, False)
    energies = _energy(scaled, arrays["place_constants"][:, None])
    joined = ops.reshape(energies, np.array([rows, columns, side, side], np.int64), False)
    return ops.reshape(
        ops.transpose(joined, np.array([0, 2, 1, 3], np.int64)),
        np.array([-1, 1, 1], np.int64),
        False,
    )


def _content_energy(patches: Any, arrays: Arrays) -> Any:
    ops = openvino().opset13
    means = arrays["content_means"].astype(np.float32)
    factors = unpacked(arrays["content_factors"], means.shape[1])
    count, dimensions = means.shape
    shifts = np.einsum("gij,gj->gi", factors.astype(np.float64), means.astype(np.float64))
    kernel = factors.transpose(2, 0, 1).reshape(dimensions, -1)
    scaled = ops.subtract(
        ops.matmul(patches, constant(kernel), False, False),
        constant(shifts.reshape(1, -1).astype(np.float32)),
    )
    scaled = ops.reshape(scaled, np.array([-1, count, dimensions], np.int64), False)
    energies = _energy(scaled, arrays["content_constants"][None])
    return ops.reduce_min(energies, np.array([1], np.int64), True)


def _energy(scaled: Any, constants: NDArray[Any]) -> Any:
    """Squared lengths of (n, m, k) plus a constant for each of m, (n, m, 1)."""
    ops = openvino().opset13
    return ops.add(
        _sum(ops.multiply(scaled, scaled)), constant(constants.astype(np.float32)[..., None])
    )


def _sum(values: Any) -> Any:
    """The sum over the last axis, kept as an axis of one.

    By a product with ones: OpenVINO 2026.2 fuses an addition that follows ReduceSum into it, and broadcasts it wrongly.
    """
    ops = openvino().opset13
    last = int(values.output(0).get_partial_shape()[-1].get_length())
    return ops.matmul(values, constant(np.ones((last, 1), np.float32)), False, False)


def _memory_distance(patches: Any, arrays: Arrays, grid: tuple[int, int]) -> Any:
    ops = openvino().opset13
    memory = arrays["memory"].astype(np.float32)
    rows = ops.multiply(patches, constant(scale_of(arrays["variances"])[None]))
    lengths = np.einsum("mk,mk->m", memory, memory)
    products = ops.matmul(rows, constant(memory.T), False, False)
    doubled = ops.multiply(products, np.float32(2))
    own = _sum(ops.multiply(rows, rows))
    squares = ops.add(ops.subtract(constant(lengths[None]), doubled), own)
    nearest = ops.reduce_min(squares, np.array([1], np.int64), False)
    # Rounding can leave a patch of the memory itself a little below.
    nearest = ops.maximum(nearest, np.float32(0))
    if "memory_moments" not in arrays:
        return nearest
    mean, deviation = usual_distances(
        arrays["memory_moments"], int(arrays["memory_windows"][0]), grid
    )
    off = ops.subtract(ops.sqrt(nearest), constant(mean))
    return ops.multiply(off, constant(1 / deviation))
