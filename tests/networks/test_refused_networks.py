"""Networks that OpenVINO cannot read, or whose maps would take all memory, are refused with a reason."""

from __future__ import annotations

import onnx
import pytest
from onnx import TensorProto, helper

from flawline.errors import ModelError
from flawline.networks.network import Preparation
from flawline.networks.network_file import read_model
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
