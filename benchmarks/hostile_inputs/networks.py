"""ONNX files: weights in other files however they are written, circles, loops, sizes; alone and inside recipes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from hostile_inputs.case import SECRET, Case, Shared, inspect_with, sealed, write_recipe_folder

FLOAT = TensorProto.FLOAT
INPUT, OUTPUT = "x", "stride8"


def varint(value: int, pad: int = 0) -> bytes:
    digits = bytearray()
    while value > 127:
        digits.append(value & 127 | 128)
        value >>= 7
    digits.append(value)
    for _ in range(pad):
        digits[-1] |= 128
        digits.append(0)
    return bytes(digits)


def field(number: int, content: bytes | int, pad: int = 0) -> bytes:
    if isinstance(content, int):
        return varint(number << 3, pad) + varint(content, pad)
    return varint(number << 3 | 2, pad) + varint(len(content), pad) + content


def network(nodes: list[Any], tensors: list[Any] | None = None, output: str = OUTPUT) -> Any:
    """A model of nodes between `x` and an output."""
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(INPUT, FLOAT, [None, 3, None, None])],
        [helper.make_tensor_value_info(output, FLOAT, [None, 3, None, None])],
        tensors or [],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def node(kind: str, inputs: list[str], outputs: list[str], **more: Any) -> Any:
    return helper.make_node(kind, inputs, outputs, **more)


# A tensor of 8 numbers, taken from the secret: what a network shows of it is a leak.
NUMBERS = len(SECRET) // 4
PLAIN = TensorProto(name="w", data_type=FLOAT, dims=[1, 1, 1, NUMBERS], raw_data=b"T" * 4 * NUMBERS)


def places() -> dict[str, Any]:
    """Models with the tensor in every place."""
    added = [node("ReduceMean", ["w"], ["m"]), node("Add", [INPUT, "m"], [OUTPUT])]
    body = helper.make_graph(
        added, "b", [], [helper.make_tensor_value_info(OUTPUT, FLOAT, None)], [PLAIN]
    )
    yes = numpy_helper.from_array(np.array(True), "yes")
    sparse = onnx.SparseTensorProto(
        values=PLAIN, indices=numpy_helper.from_array(np.arange(NUMBERS)), dims=[NUMBERS]
    )
    found = {
        "initializer": network(added, [PLAIN]),
        "constant": network([node("Constant", [], ["w"], value=PLAIN), *added]),
        "branch": network(
            [node("If", ["yes"], [OUTPUT], then_branch=body, else_branch=body)], [yes]
        ),
        "sparse": network([node("Relu", [INPUT], [OUTPUT])]),
        "function": network([node("Relu", [INPUT], [OUTPUT])]),
        "training": network([node("Relu", [INPUT], [OUTPUT])]),
    }
    found["sparse"].graph.sparse_initializer.append(sparse)
    found["function"].functions.add(name="f", domain="d").node.append(
        node("Constant", [], ["c"], value=PLAIN)
    )
    found["training"].training_info.add().algorithm.initializer.append(PLAIN)
    return found


def external(form: str, secret: str) -> bytes:
    """The tensor with its numbers in another file, written in a form that a search by pattern may miss."""
    key, value = field(1, b"location"), field(2, secret.encode())
    length = field(13, field(1, b"length") + field(2, str(4 * NUMBERS).encode()))
    head = TensorProto(name="w", data_type=FLOAT, dims=[1, 1, 1, NUMBERS]).SerializeToString()
    return {
        "as written": head + field(13, key + value) + length + field(14, 1),
        "fields turned round": field(14, 1) + length + field(13, value + key) + head,
        "entry doubled": head
        + field(13, field(1, b"offset") + field(2, b"0"))
        + field(13, key + value)
        + length
        + field(14, 0)
        + field(14, 1),
        "key doubled": head
        + field(13, field(1, b"other") + key + field(2, b"none") + value)
        + length
        + field(14, 1),
        "padded lengths": head
        + field(13, field(1, b"location", 2) + field(2, secret.encode(), 2), 2)
        + length
        + field(14, 1, 2),
        "unknown fields between": head
        + field(13, key + field(9, b"????") + value)
        + length
        + field(99, b"x")
        + field(14, 1),
    }[form]


FORMS = (
    "as written",
    "fields turned round",
    "entry doubled",
    "key doubled",
    "padded lengths",
    "unknown fields between",
)


def replaced(data: bytes, old: bytes, new: bytes, pad: int = 0) -> bytes:
    """Bytes of a message with a message inside it replaced, at any depth."""
    from flawline.networks.onnx_fields import BYTES, fields

    at = data.index(old)
    for number, wire, start, end in fields(data, 0, len(data)):
        if wire == BYTES and start <= at and at + len(old) <= end:
            whole = (start, end) == (at, at + len(old))
            inner = new if whole else replaced(data[start:end], old, new, pad)
            begin = start - len(varint(end - start)) - len(varint(number << 3 | 2))
            return data[:begin] + field(number, inner, pad) + data[end:]
    raise AssertionError("not found")


def as_backbone(make: Callable[[Shared], bytes], folder: Path, shared: Shared) -> list[str]:
    """Rank pictures by a network."""
    (folder / "net.onnx").write_bytes(make(shared))
    return [
        "rank",
        str(shared.parts),
        "--backbone",
        "net.onnx",
        "--preparation",
        "imagenet",
        "-o",
        "out",
        "--size",
        "96",
    ]


def in_recipe(make: Callable[[Shared], bytes], folder: Path, shared: Shared) -> list[str]:
    """The network of a recipe, with the preparation of a sound one."""
    sound = onnx.load_from_string(shared.files["model.onnx"])
    data = make(shared)
    for entry in sound.metadata_props:
        data += field(14, field(1, entry.key.encode()) + field(2, entry.value.encode()))
    files = sealed({**shared.files, "model.onnx": data})
    return inspect_with(write_recipe_folder(folder, files), shared)


def outside(place: str, form: str, pad: int, shared: Shared) -> bytes:
    plain = PLAIN.SerializeToString()
    for start in ("../../", "/"):
        secret = str(shared.secret) if start == "/" else f"../{shared.secret.name}"
    return replaced(places()[place].SerializeToString(), plain, external(form, secret), pad)


def constants(kind: str, *arrays: Any, **more: Any) -> bytes:
    tensors = [numpy_helper.from_array(np.asarray(one), f"c{n}") for n, one in enumerate(arrays)]
    nodes = [
        node(kind, [t.name for t in tensors], ["made"], **more),
        node("Add", [INPUT, "made"], [OUTPUT]),
    ]
    return network(nodes, tensors).SerializeToString()


def chain(count: int) -> bytes:
    steps = [node("Relu", [INPUT if n == 0 else f"s{n}"], [f"s{n + 1}"]) for n in range(count)]
    return network([*steps, node("Relu", [f"s{count}"], [OUTPUT])]).SerializeToString()


def circle() -> bytes:
    return network(
        [
            node("Relu", ["b"], ["a"]),
            node("Relu", ["a"], ["b"]),
            node("Add", [INPUT, "b"], [OUTPUT]),
        ]
    ).SerializeToString()


def loop() -> bytes:
    value = helper.make_tensor_value_info
    body = helper.make_graph(
        [node("Identity", ["go"], ["on"]), node("Relu", ["v"], ["next"])],
        "b",
        [
            value("i", TensorProto.INT64, []),
            value("go", TensorProto.BOOL, []),
            value("v", FLOAT, None),
        ],
        [value("on", TensorProto.BOOL, []), value("next", FLOAT, None)],
    )
    times, yes = (
        numpy_helper.from_array(np.array(10**12), "times"),
        numpy_helper.from_array(np.array(True), "yes"),
    )
    return network(
        [node("Loop", ["times", "yes", INPUT], [OUTPUT], body=body)], [times, yes]
    ).SerializeToString()


def doubling(times: int) -> bytes:
    start = numpy_helper.from_array(np.zeros((1, 3, 4, 4), np.float32), "c0")
    nodes = [node("Concat", [f"c{n}", f"c{n}"], [f"c{n + 1}"], axis=2) for n in range(times)]
    return network(
        [*nodes, node("Add", [INPUT, f"c{times}"], [OUTPUT])], [start]
    ).SerializeToString()


def recursion() -> bytes:
    model = network([helper.make_node("f", [INPUT], [OUTPUT], domain="d")])
    function = helper.make_function(
        "d",
        "f",
        ["a"],
        ["b"],
        [helper.make_node("f", ["a"], ["b"], domain="d")],
        [helper.make_opsetid("", 18), helper.make_opsetid("d", 1)],
    )
    model.functions.append(function)
    model.opset_import.append(helper.make_opsetid("d", 1))
    return bytes(model.SerializeToString())


def nested(levels: int) -> bytes:
    yes = numpy_helper.from_array(np.array(True), "yes")
    value = helper.make_tensor_value_info(OUTPUT, FLOAT, None)
    body = helper.make_graph([node("Relu", [INPUT], [OUTPUT])], "b", [], [value])
    for _ in range(levels):
        body = helper.make_graph(
            [node("If", ["yes"], [OUTPUT], then_branch=body, else_branch=body)], "b", [], [value]
        )
    return network(list(body.node), [yes]).SerializeToString()


LARGE = [1, 3, 30_000, 30_000]
GRAPHS: dict[str, Callable[[], bytes]] = {
    "a circle": circle,
    "uses itself": lambda: network([node("Relu", [OUTPUT], [OUTPUT])]).SerializeToString(),
    "a loop of 1e12": loop,
    "30,000 nodes": lambda: chain(30_000),
    "a function that calls itself": recursion,
    "branches of 12 levels": lambda: nested(12),
    "constant of 8 GB": lambda: constants("ConstantOfShape", LARGE),
    "expanded to 8 GB": lambda: constants("Expand", np.zeros((1, 3, 1, 1), np.float32), LARGE),
    "tiled to 8 GB": lambda: constants(
        "Tile", np.zeros((1, 3, 1, 1), np.float32), [1, 1, 30_000, 30_000]
    ),
    "random numbers of 8 GB": lambda: constants("RandomNormal", shape=LARGE),
    "doubled 26 times": lambda: doubling(26),
    "a kernel of 8 GB, not there": lambda: network(
        [node("Conv", [INPUT, "k"], [OUTPUT])],
        [TensorProto(name="k", data_type=FLOAT, dims=[1 << 20, 3, 26, 26], raw_data=b"1234")],
    ).SerializeToString(),
    "repeated 4000 times": lambda: network(
        [node("Concat", [INPUT] * 4000, [OUTPUT], axis=2)]
    ).SerializeToString(),
    "resized to 8 GB": lambda: network(
        [node("Resize", [INPUT, "", "s"], [OUTPUT])],
        [numpy_helper.from_array(np.array([1, 1, 300, 300], np.float32), "s")],
    ).SerializeToString(),
    "counts to two billion while it loads": lambda: constants(
        "Range", np.float32(0), np.float32(2e9), np.float32(1)
    ),
    "an operation of its own": lambda: network(
        [helper.make_node("Evil", [INPUT], [OUTPUT], domain="my.org")]
    ).SerializeToString(),
    "an unknown operation": lambda: network(
        [node("NoSuchThing", [INPUT], [OUTPUT])]
    ).SerializeToString(),
    "no output": lambda: network(
        [node("Relu", [INPUT], ["y"])], output="other"
    ).SerializeToString(),
    "an output of one side": lambda: network(
        [node("ReduceMean", [INPUT], [OUTPUT], keepdims=0)]
    ).SerializeToString(),
    "no input": lambda: constants("Identity", np.zeros((1, 3, 4, 4), np.float32)),
    "cut short": lambda: chain(3)[:-9],
    "text": lambda: b"hello " * 1000,
    "nothing": lambda: b"",
    "random bytes": lambda: bytes(np.random.default_rng(0).integers(0, 256, 100_000, np.uint8)),
}

CASES = (
    *(
        Case(
            f"network: weights outside, {place}, {form}",
            partial(as_backbone, partial(outside, place, form, 0)),
            traced=form != FORMS[0] and place == "initializer",
        )
        for place in places()
        for form in (FORMS if place == "initializer" else FORMS[:2])
    ),
    *(
        Case(
            f"recipe: weights outside, {place}, {form}, padded",
            partial(in_recipe, partial(outside, place, form, 2)),
            traced=place == "initializer",
        )
        for place in ("initializer", "branch", "sparse")
        for form in ("fields turned round", "padded lengths")
    ),
    *(
        Case(f"network: {name}", partial(as_backbone, lambda shared, make=make: make()))
        for name, make in GRAPHS.items()
        if name != "no input"
    ),
    *(
        Case(f"recipe: network, {name}", partial(in_recipe, lambda shared, make=make: make()))
        for name, make in GRAPHS.items()
        if name
        in (
            "a circle",
            "a loop of 1e12",
            "30,000 nodes",
            "constant of 8 GB",
            "an operation of its own",
            "no output",
            "an output of one side",
        )
    ),
)
