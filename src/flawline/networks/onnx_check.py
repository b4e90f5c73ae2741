"""Refuse ONNX files that read other files, go round in circles or repeat themselves, before OpenVINO sees them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from flawline.networks.onnx_fields import BYTES, MESSAGES, VARINT, fields, text, varint

MOST_NODES = 10_000
_MOST_TENSORS = 50_000
_MOST_DEPTH = 4
_MOST_SIDES = 16
# Networks that look at one picture need none of them, and each can run for ever.
_REPEATING = frozenset({"Loop", "Scan", "SequenceMap"})
_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft", "org.openvinotoolkit"})


# A runtime computes what depends on constants alone while it loads. More numbers than these are tried apart first.
_MANY = 2**22
_GROWING = frozenset(
    {"ConstantOfShape", "Expand", "EyeLike", "OneHot", "Pad", "RandomNormal", "RandomUniform"}
    | {"Range", "Resize", "Tile", "Upsample"}
)
_SHAPES = frozenset({"Shape", "Size"})


class KeepsWeightsApart(ValueError):
    """A tensor whose numbers lie in another file."""


@dataclass(slots=True)
class _Look:
    """What was seen of a file so far."""

    nodes: int = 0
    tensors: int = 0
    grows: bool = False


@dataclass(frozen=True, slots=True)
class _Scope:
    """The names that a graph may use so far, and those of the graph around it.

    `constants` bounds the numbers of those that do not depend on the input.
    """

    names: set[str]
    outer: _Scope | None = None
    depth: int = 1
    constants: dict[str, int] = field(default_factory=dict)

    def knows(self, name: str) -> bool:
        """Whether a name is made already."""
        return name in self.names or (self.outer is not None and self.outer.knows(name))

    def numbers(self, name: str) -> int | None:
        """Bound the numbers of a constant; None for what depends on the input."""
        if name in self.names or self.outer is None:
            return self.constants.get(name)
        return self.outer.numbers(name)


@dataclass(slots=True)
class _Node:
    kind: str = ""
    domain: str = ""
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    attributes: list[tuple[int, int]] = field(default_factory=list)


def check_onnx(data: bytes) -> bool:
    """Look at everything in an ONNX file that OpenVINO would follow.

    Returns:
        Whether it computes many numbers from constants alone, which no limit on its results bounds.

    Raises:
        KeepsWeightsApart: a tensor, anywhere in it, keeps its numbers in another file.
        ValueError: it is no ONNX, uses a name before it is made (so that no graph is a circle), repeats a part of
            itself, has functions of its own or operations of an unknown domain, or more nodes than any network for
            pictures.
    """
    look, graphs = _Look(), 0
    for number, start, end in _inner(data, 0, len(data)):
        kind = MESSAGES["model"].get(number)
        graphs += kind == "graph"
        if kind == "function":
            raise ValueError(
                "it defines functions of its own; export it with their content in place"
            )
        if kind == "graph" and graphs == 1:
            _graph(data, start, end, _Scope(set()), look)
        elif kind is not None:
            _walk(data, start, end, kind, look)
    if graphs != 1:
        raise ValueError(f"expected one graph, it holds {graphs}")
    return look.grows


def _inner(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """List the fields that hold messages or texts."""
    for number, wire, begin, stop in fields(data, start, end):
        if wire == BYTES:
            yield number, begin, stop


def _walk(data: bytes, start: int, end: int, kind: str, look: _Look, depth: int = 0) -> None:
    """Look for tensors in a message that is never run."""
    if depth > 10 * _MOST_DEPTH:
        raise ValueError("it is nested too deeply")
    if kind == "tensor":
        _tensor(data, start, end, look)
        return
    for number, begin, stop in _inner(data, start, end):
        if inner := MESSAGES[kind].get(number):
            _walk(data, begin, stop, inner, look, depth + 1)


def _graph(data: bytes, start: int, end: int, scope: _Scope, look: _Look) -> None:
    if scope.depth > _MOST_DEPTH:
        raise ValueError(f"graphs are nested in more than {_MOST_DEPTH} levels")
    nodes = []
    for number, begin, stop in _inner(data, start, end):
        kind = MESSAGES["graph"].get(number)
        if kind == "node":
            nodes.append((begin, stop))
        elif kind == "tensor":
            scope.constants[name := _tensor(data, begin, stop, look)] = stop - begin
            scope.names.add(name)
        elif kind == "sparse":
            sparse = tuple(_sparse(data, begin, stop, look))
            scope.names.update(sparse)
            scope.constants.update(dict.fromkeys(sparse, _MANY))
        elif number == 11:  # an input
            scope.names.update(text(data, b, s) for n, b, s in _inner(data, begin, stop) if n == 1)
    look.nodes += len(nodes)
    if look.nodes > MOST_NODES:
        raise ValueError(f"it has more than {MOST_NODES} nodes")
    for begin, stop in nodes:
        _node(data, begin, stop, scope, look)


def _node(data: bytes, start: int, end: int, scope: _Scope, look: _Look) -> None:
    node = _Node()
    for number, begin, stop in _inner(data, start, end):
        if number == 1:
            node.inputs.append(text(data, begin, stop))
        elif number == 2:
            node.outputs.append(text(data, begin, stop))
        elif number == 4:
            node.kind = text(data, begin, stop)
            _check_kind(node.kind)
        elif number == 5:
            node.attributes.append((begin, stop))
        elif number == 7:
            node.domain = text(data, begin, stop)
    if node.domain not in _DOMAINS:
        raise ValueError(f"it has an operation of its own, {node.domain[:40]}.{node.kind[:40]}")
    for name in node.inputs:
        if name and not scope.knows(name):
            raise ValueError(f"{node.kind[:40]} uses {name[:40]!r} before it is made")
    for name in node.outputs:
        if name and name in scope.names:
            raise ValueError(f"{name[:40]!r} is made twice")
    for attribute in node.attributes:
        for begin, stop in _attribute(data, *attribute, look):
            _graph(data, begin, stop, _Scope(set(), scope, scope.depth + 1), look)
    scope.names.update(node.outputs)
    numbers = _computed(node, scope, end - start)
    if numbers is not None:
        look.grows |= node.kind in _GROWING or numbers > _MANY
        scope.constants.update(dict.fromkeys(node.outputs, min(numbers, _MANY + 1)))


def _computed(node: _Node, scope: _Scope, size: int) -> int | None:
    """Bound the numbers that a node of `size` bytes makes of constants alone; None where it needs the input."""
    if node.kind in _SHAPES:
        return _MOST_SIDES
    given = [scope.numbers(name) for name in node.inputs if name]
    known = [count for count in given if count is not None]
    if len(known) < len(given):
        return None
    if node.kind == "Concat":
        return sum(known)
    return max(size, math.prod(known))


def _check_kind(kind: str) -> None:
    if kind in _REPEATING:
        raise ValueError(f"it repeats a part of itself ({kind}), and may do so for ever")


def _attribute(data: bytes, start: int, end: int, look: _Look) -> Iterator[tuple[int, int]]:
    """Check the tensors of an attribute, and list its graphs."""
    for number, begin, stop in _inner(data, start, end):
        kind = MESSAGES["attribute"].get(number)
        if kind == "graph":
            yield begin, stop
        elif kind is not None:
            _walk(data, begin, stop, kind, look)


def _sparse(data: bytes, start: int, end: int, look: _Look) -> Iterator[str]:
    """Check both tensors of a sparse one, and list their names."""
    for number, begin, stop in _inner(data, start, end):
        if number in MESSAGES["sparse"]:
            yield _tensor(data, begin, stop, look)


def _tensor(data: bytes, start: int, end: int, look: _Look) -> str:
    """Check a tensor; returns its name."""
    look.tensors += 1
    if look.tensors > _MOST_TENSORS:
        raise ValueError(f"it has more than {_MOST_TENSORS} tensors")
    name, dims = "", []
    for number, wire, begin, stop in fields(data, start, end):
        if (number == 13 and wire == BYTES) or (number == 14 and wire == VARINT and begin):
            raise KeepsWeightsApart("keeps weights in other files")
        if number == 8 and wire == BYTES:
            name = text(data, begin, stop)
        elif number == 1:
            dims += _varints(data, begin, stop) if wire == BYTES else [begin]
    if len(dims) > _MOST_SIDES:
        raise ValueError(f"the tensor {name[:40]!r} has {len(dims)} dimensions")
    numbers = math.prod(dims)
    # The smallest number takes half a byte; what is left out would be made up.
    if numbers > 2 * (end - start):
        raise ValueError(
            f"the tensor {name[:40]!r} states {numbers} numbers and does not hold them"
        )
    return name


def _varints(data: bytes, at: int, end: int) -> list[int]:
    found = []
    while at < end:
        value, at = varint(data, at, end)
        found.append(value)
    return found
