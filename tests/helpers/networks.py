"""Small ONNX files for tests, written on the spot."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from flawline.networks.network import METADATA_KEY, Preparation

PREPARATION = Preparation((32, 32), (100.0, 110.0, 120.0), (50.0, 60.0, 70.0))


def write_network(path: Path, preparation: Preparation | None = PREPARATION, seed: int = 0) -> Path:
    """A convolution of stride 8 with ReLU (`stride8`, 6 channels) and its mean over place (`embedding`)."""
    weights = np.random.default_rng(seed).normal(size=(6, 3, 8, 8)).astype(np.float32) / 14
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["image", "weights"], ["convolved"], strides=[8, 8]),
            helper.make_node("Relu", ["convolved"], ["stride8"]),
            helper.make_node("ReduceMean", ["stride8", "axes"], ["embedding"], keepdims=0),
        ],
        "small",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [None, 3, None, None])],
        [
            helper.make_tensor_value_info("stride8", TensorProto.FLOAT, [None, 6, None, None]),
            helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [None, 6]),
        ],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(np.array([2, 3], dtype=np.int64), "axes"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    if preparation:
        text = json.dumps(preparation.as_dict())
        helper.set_model_props(model, {METADATA_KEY: text})
    onnx.save(model, path)
    return path


def weights_of(path: Path) -> np.ndarray:
    """The convolution's weights, (6, 3, 8, 8)."""
    return numpy_helper.to_array(onnx.load(path).graph.initializer[0])
