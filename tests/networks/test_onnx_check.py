"""Hostile ONNX files are refused before OpenVINO sees them, however their fields are ordered, doubled or padded."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from flawline.errors import ModelError
from flawline.networks import network_file
from flawline.networks.network import PRESETS
from flawline.networks.onnx_check import check_onnx
from flawline.networks.openvino_runtime import compile_network, prepare_network
from helpers.networks import write_network

FLOAT = TensorProto.FLOAT


def field(number, content, *, pad=0):
    """A field of protocol buffers with a message; its tag and length take `pad` bytes more than they need."""
    if isinstance(content, int):
        return varint(number << 3, pad) + varint(content, pad)
    return varint(number << 3 | 2, pad) + varint(len(content), pad) + content


def varint(value, pad=0):
    digits = bytearray()
    while value > 127:
        digits.append(value & 127 | 128)
        value >>= 7
    digits.append(value)
    for _ in range(pad):
        digits[-1] |= 128
        digits.append(0)
    return bytes(digits)


def entry(key, value):
    return field(1, key) + field(2, value)


def graph_of(nodes, initializers=(), outputs=("y",), extra=()):
    return helper.make_graph(
        list(nodes),
        "g",
        [helper.make_tensor_value_info("x", FLOAT, [None, 3, None, None])],
        [helper.make_tensor_value_info(name, FLOAT, [None, 3, None, None]) for name in outputs],
        [*initializers, *extra],
    )


def model_of(nodes, **more):
    model = helper.make_model(
        graph_of(nodes, **more), opset_imports=[helper.make_opsetid("", 18)], ir_version=9
    )
    return model.SerializeToString()


def relu(inner="x", outer="y"):
    return helper.make_node("Relu", [inner], [outer])


def places():
    """Models with `TENSOR` in every place where a tensor can stand, as bytes around it."""
    tensor = TensorProto(name="w", data_type=FLOAT, dims=[1], raw_data=b"TENS")
    body = helper.make_graph(
        [relu("x", "z")], "b", [], [helper.make_tensor_value_info("z", FLOAT, None)], [tensor]
    )
    constant = helper.make_node("Constant", [], ["c"], value=tensor)
    sparse = onnx.SparseTensorProto(
        values=tensor, indices=numpy_helper.from_array(np.array([0])), dims=[1]
    )
    listed = helper.make_node("Relu", ["x"], ["y"])
    listed.attribute.append(helper.make_attribute("many", [tensor]))
    yield "initializer", helper.make_model(graph_of([relu()], [tensor]))
    yield "constant", helper.make_model(graph_of([constant, relu()]))
    yield "list", helper.make_model(graph_of([listed]))
    condition = numpy_helper.from_array(np.array(True), "yes")
    branch = helper.make_node("If", ["yes"], ["y"], then_branch=body, else_branch=body)
    yield "branch", helper.make_model(graph_of([branch], [condition]))
    for name, change in (
        ("sparse", lambda m: m.graph.sparse_initializer.append(sparse)),
        ("training", lambda m: m.training_info.add().algorithm.initializer.append(tensor)),
        ("function", lambda m: m.functions.add(name="f", domain="d").node.append(constant)),
    ):
        model = helper.make_model(graph_of([relu()]))
        change(model)
        yield name, model


PLACES = dict(places())
OUTSIDE = field(13, entry(b"location", b"../outside"))
TENSORS = {
    "as written": lambda plain: plain + OUTSIDE + field(14, 1),
    "first": lambda plain: OUTSIDE + field(14, 1) + plain,
    "value before key": lambda plain: plain + field(13, field(2, b"out") + field(1, b"location")) + field(14, 1),
    "doubled": lambda plain: plain + field(13, entry(b"location", b"")) + OUTSIDE + field(14, 0) + field(14, 1),
    "padded": lambda plain: plain + field(13, field(1, b"location", pad=2), pad=3) + field(14, 1, pad=3),
    "unknown between": lambda plain: plain + field(13, field(9, b"?" * 9) + entry(b"location", b"out")) + field(14, 1),
    "only a location": lambda plain: plain + field(14, 1),
    "a location beyond 32 bits": lambda plain: plain + field(14, 1 | 1 << 32),
    "only the entry": lambda plain: plain + field(13, entry(b"offset", b"0")),
}  # fmt: skip


def replaced(data, old, new, pad=0):
    """Bytes of a message with a message inside it, at any depth, replaced."""
    at = data.index(old)
    for number, start, end in _fields(data):
        if start <= at and at + len(old) <= end:
            whole = (start, end) == (at, at + len(old))
            inner = new if whole else replaced(data[start:end], old, new, pad)
            begin = start - len(varint(end - start)) - len(varint(number << 3 | 2))
            return data[:begin] + field(number, inner, pad=pad) + data[end:]
    raise AssertionError("not found")


def _fields(data):
    from flawline.networks.onnx_fields import BYTES, fields

    for number, wire, start, end in fields(data, 0, len(data)):
        if wire == BYTES:
            yield number, start, end


@pytest.mark.parametrize("form", TENSORS)
@pytest.mark.parametrize("place", PLACES)
def test_weights_in_other_files_are_found_everywhere(place, form, monkeypatch):
    monkeypatch.setattr(network_file, "openvino", lambda: pytest.fail("OpenVINO saw it"))
    plain = TensorProto(name="w", data_type=FLOAT, dims=[1], raw_data=b"TENS").SerializeToString()
    for pad in (0, 3):
        data = replaced(PLACES[place].SerializeToString(), plain, TENSORS[form](plain), pad)
        with pytest.raises(ModelError, match=r"keeps weights in other files|functions of its own"):
            prepare_network(data, preparation=PRESETS["imagenet"])


def test_what_onnx_writes_is_accepted(tmp_path):
    for place in ("initializer", "constant", "list", "branch", "sparse", "training"):
        check_onnx(PLACES[place].SerializeToString())
    check_onnx(write_network(tmp_path / "small.onnx").read_bytes())


def deep(levels):
    body = helper.make_graph(
        [relu("x", "z")], "b", [], [helper.make_tensor_value_info("z", FLOAT, None)]
    )
    for _ in range(levels):
        node = helper.make_node("If", ["yes"], ["z"], then_branch=body, else_branch=body)
        body = helper.make_graph([node], "b", [], [helper.make_tensor_value_info("z", FLOAT, None)])
    yes = numpy_helper.from_array(np.array(True), "yes")
    return model_of(list(body.node), initializers=[yes], outputs=["z"])


def huge():
    tensor = TensorProto(name="w", data_type=FLOAT, dims=[2**31, 2**31], raw_data=b"1234")
    return model_of([relu()], initializers=[tensor])


LOOP_BODY = helper.make_graph([relu("x", "z")], "b", [], [])
REFUSED = {
    "a circle": (lambda: model_of([relu("b", "a"), relu("a", "b"), relu("x", "y")]), "before it is made"),
    "itself": (lambda: model_of([relu("y", "y")]), "before it is made"),
    "made twice": (lambda: model_of([relu(), relu()]), "made twice"),
    "a loop": (lambda: model_of([helper.make_node("Loop", ["", ""], ["y"], body=LOOP_BODY)]), "repeats"),
    "a scan": (lambda: model_of([helper.make_node("Scan", ["x"], ["y"], body=LOOP_BODY)]), "repeats"),
    "30,000 nodes": (lambda: model_of(
        [relu("x", "0"), *(relu(str(n), str(n + 1)) for n in range(30_000))], outputs=["30000"]
    ), "more than 10000 nodes"),
    "an operation of its own": (lambda: model_of([helper.make_node("Own", ["x"], ["y"], domain="my")]), "of its own"),
    "a tensor of nothing": (huge, "does not hold them"),
    "branches in branches": (lambda: deep(9), "nested"),
    "two graphs": (lambda: model_of([relu()]) * 2, "2"),
    "no graph": (lambda: b"\x08\x09", "expected one graph"),
    "cut short": (lambda: model_of([relu()])[:-3], "cut short"),
    "a group": (lambda: model_of([relu()]) + b"\x7b\x7c", "unknown kind"),
    "a number beyond 32 bits": (lambda: model_of([relu()]) + varint((1 << 32) | (7 << 3) | 2) + b"\0", "of the number"),
    "text": (lambda: b"hello", "."),
    "nothing": (lambda: b"", "expected one graph"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_hostile_graphs_are_refused_before_openvino_sees_them(kind, monkeypatch):
    monkeypatch.setattr(network_file, "openvino", lambda: pytest.fail("OpenVINO saw it"))
    make, words = REFUSED[kind]
    with pytest.raises(ModelError, match=words):
        prepare_network(make(), preparation=PRESETS["imagenet"])


def of_constants(kind, *shapes, **attributes):
    arrays = [numpy_helper.from_array(np.asarray(one), f"c{n}") for n, one in enumerate(shapes)]
    names = [one.name for one in arrays]
    nodes = [
        helper.make_node(kind, names, ["made"], **attributes),
        helper.make_node("Add", ["x", "made"], ["y"]),
    ]
    return model_of(nodes, initializers=arrays)


def concatenated(times):
    nodes = [helper.make_node("Concat", [f"c{n}"] * 2, [f"c{n + 1}"], axis=2) for n in range(times)]
    start = numpy_helper.from_array(np.zeros((1, 3, 8, 8), np.float32), "c0")
    last = helper.make_node("Add", ["x", f"c{times}"], ["y"])
    return model_of([*nodes, last], initializers=[start])


@pytest.mark.parametrize(
    "make",
    [
        lambda: of_constants("ConstantOfShape", [1, 3, 30_000, 30_000]),
        lambda: of_constants("Expand", np.zeros((1, 3, 1, 1), np.float32), [1, 3, 30_000, 30_000]),
        lambda: of_constants("Tile", np.zeros((1, 3, 1, 1), np.float32), [1, 1, 30_000, 30_000]),
        lambda: of_constants("RandomNormal", shape=[1, 3, 30_000, 30_000]),
        lambda: concatenated(24),
        lambda: model_of([helper.make_node("Concat", ["x"] * 4000, ["y"], axis=2)]),
    ],
)  # fmt: skip
def test_networks_that_ask_for_gigabytes_are_refused(make):
    with pytest.raises(ModelError):
        compile_network(prepare_network(make(), preparation=PRESETS["imagenet"]))
