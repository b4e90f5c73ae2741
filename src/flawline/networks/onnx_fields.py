"""Read the fields of an ONNX file (protocol buffers) without building anything from them.

Our own: the package onnx is an extra, and it builds a whole model before anything in it can be refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

# What messages hold other messages of interest, by field number (onnx.proto of ONNX 1.19).
MESSAGES: Mapping[str, Mapping[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


def fields(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """List the fields of a message that lies in `data` from `start` to `end`.

    Yields:
        The number, the wire type, and for BYTES where the content begins and ends, else the value twice.

    Raises:
        ValueError: it is cut short, or has a field that no ONNX file has.
    """
    at = start
    while at < end:
        tag, at = varint(data, at, end)
        number, wire = tag >> 3, tag & 7
        # Readers cut larger numbers off, and would take them for others.
        if not 0 < number < 2**29:
            raise ValueError(f"it has a field of the number {number}")
        if wire == BYTES:
            length, at = varint(data, at, end)
            if length > end - at:
                raise ValueError("it is cut short")
            yield number, wire, at, at + length
            at += length
        elif wire == VARINT:
            value, at = varint(data, at, end)
            yield number, wire, value, value
        elif wire in (FIXED64, FIXED32):
            size = 8 if wire == FIXED64 else 4
            if size > end - at:
                raise ValueError("it is cut short")
            value = int.from_bytes(data[at : at + size], "little")
            yield number, wire, value, value
            at += size
        else:
            raise ValueError(f"it has a field of the unknown kind {wire}")


def varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Read a number in base 128, and where the next field begins; raises ValueError where it is cut short."""
    value = shift = 0
    while at < end and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
    raise ValueError("it is cut short")


def text(data: bytes, start: int, end: int) -> str:
    """Decode a text; what is no UTF-8 is kept apart by its bytes."""
    return data[start:end].decode("utf-8", "surrogateescape")
