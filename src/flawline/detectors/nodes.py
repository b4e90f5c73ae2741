"""The operations that detectors are made of, as OpenVINO nodes.

`flawline.detectors.onnx_nodes` has the same operations as ONNX nodes, so the arithmetic of a detector is written once,
with `Nodes`. A node is whatever these operations take and return.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from flawline.networks.openvino_import import openvino

if TYPE_CHECKING:
    from flawline.detectors.onnx_nodes import OnnxNodes

Nodes: TypeAlias = "OpenVINONodes | OnnxNodes"


class OpenVINONodes:
    """Operations as OpenVINO nodes."""

    def __init__(self) -> None:
        self._ops = openvino().opset13

    def shape(self, feature_map: Any) -> tuple[int, ...]:
        """Read the shape (1, C, h, w) of a map of the backbone."""
        output = feature_map.output(0) if hasattr(feature_map, "output") else feature_map
        return tuple(int(side) for side in output.get_shape())

    def constant(self, values: Any) -> Any:
        """Hold a copy of an array: OpenVINO would share its memory, which may not outlive this call."""
        return self._ops.constant(np.asarray(values, order="C"), shared_memory=False)

    def add(self, first: Any, second: Any) -> Any:
        return self._ops.add(first, second)

    def subtract(self, first: Any, second: Any) -> Any:
        return self._ops.subtract(first, second)

    def multiply(self, first: Any, second: Any) -> Any:
        return self._ops.multiply(first, second)

    def maximum(self, first: Any, second: Any) -> Any:
        return self._ops.maximum(first, second)

    def sqrt(self, values: Any) -> Any:
        return self._ops.sqrt(values)

    def matmul(self, first: Any, second: Any) -> Any:
        return self._ops.matmul(first, second, False, False)

    def reshape(self, values: Any, shape: Sequence[int]) -> Any:
        """Change the shape; one side may be -1, what is left."""
        return self._ops.reshape(values, np.array(shape, np.int64), False)

    def transpose(self, values: Any, order: Sequence[int]) -> Any:
        return self._ops.transpose(values, np.array(order, np.int64))

    def reduce_min(self, values: Any, axis: int, *, keep: bool) -> Any:
        """Take the minimum over an axis, which stays as an axis of one with `keep`."""
        return self._ops.reduce_min(values, np.array([axis], np.int64), keep)

    def project(self, feature_map: Any, directions: NDArray[np.float32]) -> Any:
        """Multiply each place of a map (1, C, h, w) with `directions` (k, C): (1, k, h, w)."""
        kernel = self.constant(directions[:, :, None, None])
        return self._ops.convolution(feature_map, kernel, [1, 1], [0, 0], [0, 0], [1, 1])

    def average(self, feature_map: Any, padding: int) -> Any:
        """Average 2 x 2 places of a map; what lies beyond its edge, `padding` wide, does not count."""
        pads = [padding, padding]
        return self._ops.avg_pool(feature_map, [1, 1], pads, pads, [2, 2], True)

    def resize(self, feature_map: Any, shape: tuple[int, ...]) -> Any:
        """Resize a map to (1, C, h, w), bilinear between the centres of cells."""
        return self._ops.interpolate(
            feature_map,
            np.array(shape[2:], np.int64),
            "linear_onnx",
            "sizes",
            axes=np.array([2, 3], np.int64),
            coordinate_transformation_mode="half_pixel",
        )


def summed(ops: Nodes, values: Any, length: int) -> Any:
    """Sum over the last axis, of that length, which stays as an axis of one.

    By a product with ones: OpenVINO 2026.2 fuses an addition that follows ReduceSum into it, and broadcasts it wrongly.
    """
    return ops.matmul(values, ops.constant(np.ones((length, 1), np.float32)))
