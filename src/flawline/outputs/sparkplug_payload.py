"""Payloads of Sparkplug B: metrics in protocol buffers.

The classes of the messages are made from a description of their fields, of which only those that are sent or read here
are listed: names and numbers are those of Sparkplug 3.0.0 (Eclipse Foundation, 2022), section 6.4.1.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from flawline.errors import DependencyError, install_extra

INT64, DOUBLE, BOOLEAN, STRING, DATE_TIME = 4, 10, 11, 12, 13
"""Data types of metrics (section 6.4.16)."""
_FIELD = {
    INT64: "long_value",
    DATE_TIME: "long_value",
    DOUBLE: "double_value",
    BOOLEAN: "boolean_value",
    STRING: "string_value",
}


@dataclass(frozen=True, slots=True)
class Metric:
    """A named value of a data type; None is a null. A `DATE_TIME` is in ms since 1970."""

    name: str
    kind: int
    value: int | float | bool | str | None


def encode(metrics: Iterable[Metric], milliseconds: int, seq: int | None = None) -> bytes:
    """Encode metrics.

    Args:
        metrics: in their order.
        milliseconds: the time of the payload and of its metrics, since 1970 in UTC.
        seq: the number of the payload, 0 to 255; None for a death certificate.
    """
    payload = _message("Payload")
    payload.timestamp = milliseconds
    if seq is not None:
        payload.seq = seq
    for one in metrics:
        metric = payload.metrics.add()
        metric.name, metric.datatype, metric.timestamp = one.name, one.kind, milliseconds
        if one.value is None:
            metric.is_null = True
        else:
            setattr(metric, _FIELD[one.kind], one.value)
    return bytes(payload.SerializeToString())


def decode(data: bytes) -> list[Metric]:
    """Read metrics of the data types above; others are passed over.

    Raises:
        ValueError: the data is no payload.
    """
    payload = _message("Payload")
    try:
        payload.ParseFromString(data)
    except Exception as error:  # the library's own, which the extra alone has
        raise ValueError("no payload of Sparkplug B") from error
    return [
        Metric(one.name, one.datatype, None if one.is_null else getattr(one, _FIELD[one.datatype]))
        for one in payload.metrics
        if one.datatype in _FIELD
    ]


def check_library() -> None:
    """Raise DependencyError where protobuf is not installed."""
    try:
        _classes()
    except ImportError as error:
        raise DependencyError(
            "Sparkplug needs protobuf, which is not installed", hint=install_extra("factory")
        ) from error


def _message(name: str) -> Any:
    return _classes()[name]()


@cache
def _classes() -> dict[str, Any]:
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="sparkplug_b_of_flawline.proto", package="flawline.sparkplug", syntax="proto2"
    )
    metric = file.message_type.add(name="Metric")
    metric.oneof_decl.add(name="value")
    plain = [
        ("name", 1, kinds.TYPE_STRING),
        ("timestamp", 3, kinds.TYPE_UINT64),
        ("datatype", 4, kinds.TYPE_UINT32),
        ("is_historical", 5, kinds.TYPE_BOOL),
        ("is_null", 7, kinds.TYPE_BOOL),
    ]
    values = [
        ("long_value", 11, kinds.TYPE_UINT64),
        ("double_value", 13, kinds.TYPE_DOUBLE),
        ("boolean_value", 14, kinds.TYPE_BOOL),
        ("string_value", 15, kinds.TYPE_STRING),
    ]
    for name, number, kind in plain:
        metric.field.add(name=name, number=number, type=kind, label=kinds.LABEL_OPTIONAL)
    for name, number, kind in values:
        metric.field.add(
            name=name, number=number, type=kind, label=kinds.LABEL_OPTIONAL, oneof_index=0
        )
    payload = file.message_type.add(name="Payload")
    for name, number in (("timestamp", 1), ("seq", 3)):
        payload.field.add(
            name=name, number=number, type=kinds.TYPE_UINT64, label=kinds.LABEL_OPTIONAL
        )
    payload.field.add(
        name="metrics",
        number=2,
        type=kinds.TYPE_MESSAGE,
        type_name=".flawline.sparkplug.Metric",
        label=kinds.LABEL_REPEATED,
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = pool.FindMessageTypeByName("flawline.sparkplug.Payload")
    return {"Payload": message_factory.GetMessageClass(found)}
