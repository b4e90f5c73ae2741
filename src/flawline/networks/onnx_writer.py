"""ONNX files taken apart and written without the onnx package.

The messages are those of onnx.proto (https://github.com/onnx/onnx, `onnx/onnx.proto`); the numbers of their fields
stand in the comments. The bytes are those of Protocol Buffers, "Encoding": a field is a tag and a value, and a message
is its fields one after the other, so that fields may be appended and taken out without knowing the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.errors import ModelError
from flawline.types import EMPTY

FLOAT, UINT8, INT64 = 1, 2, 7
"""Types of elements: TensorProto.DataType."""

_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5
_TYPES = {np.dtype("<f4"): FLOAT, np.dtype("<i8"): INT64}
# ModelProto
_GRAPH, _OPSETS, _METADATA = 7, 8, 14
# GraphProto
_NODE, _INITIALIZER, _INPUT, _OUTPUT = 1, 5, 11, 12

Attribute = int | str | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """One operator of the default domain; an optional input that is left out is ""."""

    operator: str
    inputs: tuple[str, ...]
    output: str
    attributes: Mapping[str, Attribute] = field(default_factory=lambda: EMPTY)


@dataclass(frozen=True, slots=True)
class Value:
    """An input or output of a graph; None in `shape` is a side that the file leaves open."""

    name: str
    type: int
    shape: tuple[int | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class OnnxParts:
    """A model taken apart.

    `model` are its fields but for graph and metadata, `graph` those of the graph but for inputs and outputs, both as
    they stood in the file. `inputs` are those that are no initialisers, `names` all that the graph uses for values.
    Of metadata that occur twice the last counts.
    """

    model: bytes
    graph: bytes
    opset: int
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    names: frozenset[str]
    metadata: Mapping[str, str]


def metadata_entry(key: str, value: str) -> bytes:
    """One entry of `ModelProto.metadata_props` (field 14), which may be appended to a file."""
    return _message(_METADATA, _text(1, key) + _text(2, value))


def take_apart(data: bytes) -> OnnxParts:
    """The parts of an ONNX file.

    Raises:
        ModelError: the bytes are no ONNX model with a graph and a version of the operators.
    """
    try:
        return _parts(data)
    except (ValueError, IndexError, TypeError, AttributeError) as error:
        raise ModelError(
            f"the backbone ({len(data):,} bytes) cannot be taken apart as ONNX: {error}",
            hint="export the backbone to ONNX again",
        ) from error


def put_together(
    parts: OnnxParts,
    *,
    before: Sequence[Node],
    after: Sequence[Node],
    tensors: Mapping[str, NDArray[Any]],
    inputs: Sequence[Value],
    outputs: Sequence[Value],
    metadata: Mapping[str, str],
) -> bytes:
    """A model of the nodes of `parts` with others before and after them; the same arguments give the same bytes.

    Args:
        parts: whose inputs, outputs and metadata fall away; `before` must compute what its inputs were.
        before: nodes in an order in which they can be computed.
        after: likewise.
        tensors: constants by name, float32 or int64.
        inputs: of the new model.
        outputs: of the new model.
        metadata: of the new model.
    """
    graph = b"".join(
        [
            *(_message(_NODE, _node(one)) for one in before),
            parts.graph,
            *(_message(_NODE, _node(one)) for one in after),
            *(_message(_INITIALIZER, _tensor(name, array)) for name, array in tensors.items()),
            *(_message(_INPUT, _value(value)) for value in inputs),
            *(_message(_OUTPUT, _value(value)) for value in outputs),
        ]
    )
    entries = b"".join(metadata_entry(key, value) for key, value in metadata.items())
    return parts.model + _message(_GRAPH, graph) + entries


def _parts(data: bytes) -> OnnxParts:
    top = list(_fields(data))
    # A message that occurs twice stands for both merged, and merging is appending.
    graph = b"".join(value for number, value, _ in top if number == _GRAPH)
    versions = [_opset(value) for number, value, _ in top if number == _OPSETS]
    opset = max((version for domain, version in versions if domain in ("", "ai.onnx")), default=0)
    if not graph or not opset:
        raise ValueError("it has no graph, or no version of the operators")
    found = list(_fields(graph))
    nodes = [_names_of_node(value) for number, value, _ in found if number == _NODE]
    kept = {_first(value, 8) for number, value, _ in found if number == _INITIALIZER}
    inputs = [_read_value(value) for number, value, _ in found if number == _INPUT]
    outputs = [_read_value(value) for number, value, _ in found if number == _OUTPUT]
    ends = (value.name for value in (*inputs, *outputs))
    # An initialiser may be listed as an input too; it then stays one, as the default that it is.
    return OnnxParts(
        b"".join(raw for number, _, raw in top if number not in (_GRAPH, _METADATA)),
        b"".join(raw for number, _, raw in found if number not in (_INPUT, _OUTPUT)),
        opset,
        tuple(value for value in inputs if value.name not in kept),
        tuple(outputs),
        frozenset().union(*nodes, kept, ends),
        {_first(entry, 1): _first(entry, 2) for number, entry, _ in top if number == _METADATA},
    )


def _opset(data: bytes) -> tuple[str, int]:
    """OperatorSetIdProto: domain 1, version 2."""
    return _first(data, 1), max((v for n, v, _ in _fields(data) if n == 2), default=0)


def _names_of_node(data: bytes) -> set[str]:
    """NodeProto: input 1, output 2."""
    return {value.decode() for number, value, _ in _fields(data) if number in (1, 2)}


def _read_value(data: bytes) -> Value:
    """ValueInfoProto: name 1, type 2; TypeProto: tensor_type 1; Tensor: elem_type 1, shape 2; shape: dim 1."""
    kind, shape = 0, []
    tensor = _inside(_inside(data, 2), 1)
    for number, value, _ in _fields(tensor):
        if number == 1:
            kind = value
        elif number == 2:
            shape = [_side(dim) for one, dim, _ in _fields(value) if one == 1]
    return Value(_first(data, 1), kind, tuple(shape))


def _side(data: bytes) -> int | None:
    """Dimension: dim_value 1, dim_param 2."""
    return next((value for number, value, _ in _fields(data) if number == 1), None)


def _inside(data: bytes, wanted: int) -> bytes:
    return b"".join(value for number, value, _ in _fields(data) if number == wanted)


def _first(data: bytes, wanted: int) -> str:
    return next((value.decode() for number, value, _ in _fields(data) if number == wanted), "")


def _fields(data: bytes) -> Iterator[tuple[int, Any, bytes]]:
    """(number, value, bytes with the tag) of each field; values are ints for varints and bytes for all others."""
    at = 0
    while at < len(data):
        start = at
        tag, at = _read_varint(data, at)
        value: Any
        if tag & 7 == _VARINT:
            value, at = _read_varint(data, at)
        else:
            if tag & 7 == _BYTES:
                length, at = _read_varint(data, at)
            else:
                length = {_FOUR_BYTES: 4, _EIGHT_BYTES: 8}.get(tag & 7, -1)
            if length < 0 or at + length > len(data):
                raise ValueError(f"a field at byte {start} is damaged")
            value, at = data[at : at + length], at + length
        yield tag >> 3, value, data[start:at]


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise ValueError("a number is too long")


def _node(node: Node) -> bytes:
    """NodeProto: input 1, output 2, name 3, op_type 4, attribute 5."""
    return b"".join(
        [
            *(_text(1, name) for name in node.inputs),
            _text(2, node.output),
            _text(3, node.output),
            _text(4, node.operator),
            *(_message(5, _attribute(*item)) for item in node.attributes.items()),
        ]
    )


def _attribute(name: str, value: Attribute) -> bytes:
    """AttributeProto: name 1, i 3, s 4, ints 8, type 20 with INT 2, STRING 3, INTS 7."""
    if isinstance(value, str):
        return _text(1, name) + _text(4, value) + _integer(20, 3)
    if isinstance(value, tuple):
        return _text(1, name) + b"".join(_integer(8, one) for one in value) + _integer(20, 7)
    return _text(1, name) + _integer(3, value) + _integer(20, 2)


def _tensor(name: str, array: NDArray[Any]) -> bytes:
    """TensorProto: dims 1, data_type 2, name 8, raw_data 9, little-endian."""
    stored = np.ascontiguousarray(array, np.dtype(array.dtype).newbyteorder("<"))
    return b"".join(
        [
            *(_integer(1, side) for side in array.shape),
            _integer(2, _TYPES[stored.dtype]),
            _text(8, name),
            _message(9, stored.tobytes()),
        ]
    )


def _value(value: Value) -> bytes:
    """The inverse of `_read_value`, for shapes that leave nothing open."""
    dims = b"".join(_message(1, _integer(1, side)) for side in value.shape if side is not None)
    tensor = _integer(1, value.type) + _message(2, dims)
    return _text(1, value.name) + _message(2, _message(1, tensor))


def _text(number: int, text: str) -> bytes:
    return _message(number, text.encode())


def _message(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(content)) + content


def _integer(number: int, value: int) -> bytes:
    return _varint(number << 3 | _VARINT) + _varint(value)


def _varint(value: int) -> bytes:
    """A base-128 varint of a number of 0 or more."""
    parts = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])
