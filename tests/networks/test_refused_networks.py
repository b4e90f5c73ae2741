"""Networks that OpenVINO cannot read, or whose maps would take all memory, are refused with a reason."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from flawline.errors import ModelError
from flawline.networks.network import Preparation
from flawline.networks.network_file import read_model
from flawline.networks.onnx_check import check_onnx
from flawline.networks.openvino_runtime import load_network


def one_node(kind: str, inputs: int = 1, **attributes: int) -> bytes:
    sides = [1, 3, 96, 96]
    graph = helper.make_graph(
        [helper.make_node(kind, ["in"] * inputs, ["out"], **attributes)],
        "graph",
        [helper.make_tensor_value_info("in", TensorProto.FLOAT, sides)],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    return model.SerializeToString()


def test_an_unknown_operation_is_named() -> None:
    with pytest.raises(ModelError) as caught:
        read_model(one_node("NoSuchThing"), "net.onnx")
    assert "NoSuchThing" in caught.value.message


def test_a_map_larger_than_the_input_is_refused(tmp_path) -> None:
    preparation = Preparation((96, 96), (127.5,) * 3, (127.5,) * 3)
    for count, fits in ((1, True), (40, False)):
        path = tmp_path / f"{count}.onnx"
        path.write_bytes(one_node("Concat", count, axis=2))
        onnx.load(path)
        if fits:
            assert load_network(path, preparation=preparation)
        else:
            with pytest.raises(ModelError) as caught:
                load_network(path, preparation=preparation)
            assert caught.value.code == "model-size"


def counting(numbers: float) -> bytes:
    """A network that counts from 0 to `numbers` and adds the mean, all of it from constants."""
    values = {"start": 0.0, "end": numbers, "step": 1.0}
    graph = helper.make_graph(
        [
            helper.make_node("Range", list(values), ["all"]),
            helper.make_node("ReduceMean", ["all"], ["mean"], keepdims=0),
            helper.make_node("Add", ["in", "mean"], ["out"]),
        ],
        "graph",
        [helper.make_tensor_value_info("in", TensorProto.FLOAT, [1, 3, 96, 96])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.float32(value), name) for name, value in values.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    return model.SerializeToString()


def test_what_a_network_computes_from_constants_is_bounded() -> None:
    assert not check_onnx(one_node("Relu"))
    assert check_onnx(counting(10))
    assert read_model(counting(10), "net.onnx")
    with pytest.raises(ModelError) as caught:
        read_model(counting(2e9), "net.onnx")
    assert caught.value.code == "model-size"
