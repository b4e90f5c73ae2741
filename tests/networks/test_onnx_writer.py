"""ONNX files taken apart and put together, against the onnx package."""

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, numpy_helper

from flawline.errors import ModelError
from flawline.networks.onnx_writer import (
    FLOAT,
    UINT8,
    Node,
    Value,
    metadata_entry,
    put_together,
    take_apart,
)
from helpers.networks import write_network


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return write_network(tmp_path_factory.mktemp("network") / "small.onnx").read_bytes()


def test_the_parts_are_those_that_onnx_finds(small):
    parts = take_apart(small)
    assert parts.opset == 18
    assert parts.inputs == (Value("image", FLOAT, (None, 3, None, None)),)
    assert [value.name for value in parts.outputs] == ["stride8", "embedding"]
    assert parts.outputs[1].shape == (None, 6)
    expected = {"image", "weights", "convolved", "stride8", "axes", "embedding"}
    assert parts.names == expected
    assert parts.metadata == {p.key: p.value for p in onnx.load_from_string(small).metadata_props}


def test_an_initialiser_that_is_listed_as_an_input_is_none(small):
    model = onnx.load_from_string(small)
    listed = onnx.helper.make_tensor_value_info("weights", TensorProto.FLOAT, [6, 3, 8, 8])
    model.graph.input.insert(0, listed)
    parts = take_apart(model.SerializeToString())
    assert [value.name for value in parts.inputs] == ["image"]


def test_a_message_written_in_two_pieces_is_one(small):
    more = onnx.ModelProto(ir_version=9)
    more.graph.node.append(onnx.helper.make_node("Relu", ["stride8"], ["late"]))
    parts = take_apart(
        small + more.SerializeToString() + metadata_entry("flawline.preparation", "x")
    )
    assert "late" in parts.names
    assert parts.metadata == {"flawline.preparation": "x"}


def test_what_is_put_together_is_what_onnx_reads(small):
    twice = np.array([[2.0, 3.0]], np.float32)
    shape = np.array([1, 2, 3, 70_000], np.int64)
    made = put_together(
        take_apart(small),
        before=[Node("Cast", ("pixels",), "image", {"to": 1})],
        after=[
            Node("Resize", ("stride8", "", "", "shape"), "larger", {"mode": "linear"}),
            Node("Transpose", ("larger",), "out", {"perm": (0, 2, 3, 1)}),
        ],
        tensors={"twice": twice, "shape": shape},
        inputs=[Value("pixels", UINT8, (1, 3, 16, 300))],
        outputs=[Value("out", FLOAT, (1, 2, 70_000, 3))],
        metadata={"größe": "groß"},
    )
    model = onnx.load_from_string(made)
    graph = model.graph
    assert [node.op_type for node in graph.node] == [
        *("Cast", "Conv", "Relu", "ReduceMean", "Resize", "Transpose")
    ]
    assert list(graph.node[4].input) == ["stride8", "", "", "shape"]
    facts = {a.name: onnx.helper.get_attribute_value(a) for n in graph.node for a in n.attribute}
    assert facts["to"] == 1
    assert facts["mode"] == b"linear"
    assert list(facts["perm"]) == [0, 2, 3, 1]
    tensors = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    np.testing.assert_array_equal(tensors["twice"], twice)
    np.testing.assert_array_equal(tensors["shape"], shape)
    assert tensors["twice"].dtype == np.float32
    ends = [*graph.input, *graph.output]
    assert [one.name for one in ends] == ["pixels", "out"]
    sides = [[dim.dim_value for dim in one.type.tensor_type.shape.dim] for one in ends]
    assert sides == [[1, 3, 16, 300], [1, 2, 70_000, 3]]
    assert [one.type.tensor_type.elem_type for one in ends] == [
        TensorProto.UINT8,
        TensorProto.FLOAT,
    ]
    assert {p.key: p.value for p in model.metadata_props} == {"größe": "groß"}
    assert model.opset_import == onnx.load_from_string(small).opset_import


@given(data=st.data())
def test_damage_is_an_error_of_ours_or_harmless(small, data):
    cut = data.draw(st.integers(0, len(small) - 1))
    broken = bytearray(small)
    broken[cut] = data.draw(st.integers(0, 255))
    for damaged in (small[:cut], bytes(broken)):
        try:
            take_apart(damaged)
        except ModelError as error:
            assert "ONNX" in error.message  # noqa: PT017


@given(junk=st.binary(max_size=60))
def test_junk_is_refused(junk):
    with pytest.raises(ModelError):
        take_apart(junk)
