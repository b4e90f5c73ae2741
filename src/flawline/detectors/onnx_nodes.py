"""The operations of `flawline.detectors.nodes` as ONNX nodes, made with the package onnx (extra [onnx])."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper


class OnnxNodes:
    """Operations as ONNX nodes, collected in `nodes` with their constants in `tensors`; a node is a name.

    All names begin with `prefix`. `opset` is the version of the operators, 13 or later; `shapes` are those of the
    backbone's maps by name.
    """

    def __init__(self, prefix: str, opset: int, shapes: Mapping[str, tuple[int, ...]]) -> None:
        self.nodes: list[NodeProto] = []
        self.tensors: list[TensorProto] = []
        self._prefix, self._opset, self._shapes = prefix, opset, shapes

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node of any operator with one output."""
        name = f"{self._prefix}/{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], name, **attributes))
        return name

    def shape(self, feature_map: str) -> tuple[int, ...]:
        return self._shapes[feature_map]

    def constant(self, values: Any) -> str:
        name = f"{self._prefix}/constant_{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(np.asarray(values, order="C"), name))
        return name

    def add(self, first: str, second: str) -> str:
        return self.node("Add", first, second)

    def subtract(self, first: str, second: str) -> str:
        return self.node("Sub", first, second)

    def multiply(self, first: str, second: str) -> str:
        return self.node("Mul", first, second)

    def maximum(self, first: str, second: str) -> str:
        return self.node("Max", first, second)

    def sqrt(self, values: str) -> str:
        return self.node("Sqrt", values)

    def matmul(self, first: str, second: str) -> str:
        return self.node("MatMul", first, second)

    def reshape(self, values: str, shape: Sequence[int]) -> str:
        return self.node("Reshape", values, self._whole(shape))

    def transpose(self, values: str, order: Sequence[int]) -> str:
        return self.node("Transpose", values, perm=order)

    def reduce_min(self, values: str, axis: int, *, keep: bool) -> str:
        if self._opset < 18:  # until then the axes were an attribute
            return self.node("ReduceMin", values, axes=[axis], keepdims=int(keep))
        return self.node("ReduceMin", values, self._whole([axis]), keepdims=int(keep))

    def project(self, feature_map: str, directions: NDArray[np.float32]) -> str:
        return self.node("Conv", feature_map, self.constant(directions[:, :, None, None]))

    def average(self, feature_map: str, padding: int) -> str:
        return self.node("AveragePool", feature_map, kernel_shape=[2, 2], pads=[padding] * 4)

    def resize(self, feature_map: str, shape: tuple[int, ...]) -> str:
        return self.node("Resize", feature_map, "", "", self._whole(shape), mode="linear")

    def _whole(self, numbers: Sequence[int]) -> str:
        return self.constant(np.array(numbers, np.int64))
