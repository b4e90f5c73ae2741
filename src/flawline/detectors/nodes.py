"""OpenVINO nodes that several methods of detectors are made of, and triangles as recipes hold them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.networks.openvino_import import openvino


def constant(values: NDArray[Any]) -> Any:
    """A node that holds a copy: OpenVINO would share the memory of the array, which may not outlive this call."""
    return openvino().opset13.constant(np.ascontiguousarray(values), shared_memory=False)


def summed(values: Any) -> Any:
    """The sum over the last axis, kept as an axis of one.

    By a product with ones: OpenVINO 2026.2 fuses an addition that follows ReduceSum into it, and broadcasts it wrongly.
    """
    ops = openvino().opset13
    last = int(values.output(0).get_partial_shape()[-1].get_length())
    return ops.matmul(values, constant(np.ones((last, 1), np.float32)), False, False)


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
