"""Refuse ONNX files that read other files, go round in circles or repeat themselves, before OpenVINO sees them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from flawline.networks.onnx_fields import BYTES, MESSAGES, VARINT, fields, text, varint

MOST_NODES = 10_000
_MOST_TENSORS = 50_000
_MOST_DEPTH = 4
_MOST_SIDES = 16
# Networks that look at one picture need none of them, and each can run for ever.
_REPEATING = frozenset({"Loop", "Scan", "SequenceMap"})
_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft", "org.openvinotoolkit"})
# Numbers that OpenVINO may compute while it reads: what is made from constants and shapes alone.
_MOST_COMPUTED = 2**24
_SAME_SIZE = frozenset(
    "Identity Cast Reshape Squeeze Unsqueeze Flatten Transpose Slice Neg Abs Sqrt Exp Log Reciprocal Floor Ceil Round "
    "Not Relu Sigmoid Tanh Clip Softmax ReduceProd ReduceSum ReduceMax ReduceMin ReduceMean Split".split()
)
_BROADCAST = frozenset(
    "Add Sub Mul Div Pow Mod Equal Less Greater LessOrEqual GreaterOrEqual And Or Where Max Min".split()
)


class KeepsWeightsApart(ValueError):
    """A tensor whose numbers lie in another file."""


@dataclass(slots=True)
class _Look:
    """What was seen of a file so far; `unclear`: its size is known only when it is computed."""

    nodes: int = 0
    tensors: int = 0
    unclear: bool = False


@dataclass(frozen=True, slots=True)
class _Scope:
    """The names that a graph may use, and of those made from constants alone the most numbers that they hold."""

    names: set[str]
    computed: dict[str, int]
    outer: _Scope | None = None
    depth: int = 1

    def knows(self, name: str) -> bool:
        return name in self.names or (self.outer is not None and self.outer.knows(name))

    def numbers(self, name: str) -> int | None:
        return self.computed.get(name, self.outer.numbers(name) if self.outer else None)


@dataclass(slots=True)
class _Node:
    kind: str = ""
    domain: str = ""
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    attributes: list[tuple[int, int]] = field(default_factory=list)
    length: int = 0


def check_onnx(data: bytes) -> bool:
    """Look at everything in an ONNX file that OpenVINO would follow.

    Returns:
        Whether OpenVINO may compute large numbers already while it reads the file, so that it is to be tried with
        limits first.

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
            _graph(data, start, end, _Scope(set(), {}), look)
        elif kind is not None:
            _walk(data, start, end, kind, look)
    if graphs != 1:
        raise ValueError(f"expected one graph, it holds {graphs}")
    return look.unclear


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
            name, numbers = _tensor(data, begin, stop, look)
            scope.names.add(name)
            scope.computed[name] = numbers
        elif kind == "sparse":
            scope.names.update(_sparse(data, begin, stop, look))
            look.unclear = True
        elif number == 11:  # an input
            scope.names.update(text(data, b, s) for n, b, s in _inner(data, begin, stop) if n == 1)
    look.nodes += len(nodes)
    if look.nodes > MOST_NODES:
        raise ValueError(f"it has more than {MOST_NODES} nodes")
    for begin, stop in nodes:
        _node(data, begin, stop, scope, look)


def _node(data: bytes, start: int, end: int, scope: _Scope, look: _Look) -> None:
    node = _Node(length=end - start)
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
    inner = [one for begin, stop in node.attributes for one in _attribute(data, begin, stop, look)]
    for begin, stop in inner:
        _graph(data, begin, stop, _Scope(set(), {}, scope, scope.depth + 1), look)
    _compute(node, scope, look, branches=bool(inner))
    scope.names.update(node.outputs)


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


def _compute(node: _Node, scope: _Scope, look: _Look, *, branches: bool) -> None:
    """Note how many numbers a node makes of constants alone, or that this is unclear."""
    known = [scope.numbers(name) for name in node.inputs if name]
    sizes = [size for size in known if size is not None]
    if node.kind in ("Constant", "Shape", "Size"):
        made: int | None = 2 * node.length
    elif branches:
        made = None
        look.unclear = True
    elif len(sizes) < len(known):
        return
    else:
        made = _most_numbers(node.kind, sizes)
    if made is None or made > _MOST_COMPUTED:
        look.unclear, made = True, _MOST_COMPUTED
    scope.computed.update(dict.fromkeys(node.outputs, made))


def _most_numbers(kind: str, sizes: Sequence[int]) -> int | None:
    """Give the most numbers that an operation on constants makes; None where that depends on their values."""
    if not sizes:
        return None
    if kind == "Concat":
        return sum(sizes)
    if kind in _BROADCAST or kind == "Gather":
        return math.prod(sizes)
    return max(sizes) if kind in _SAME_SIZE else None


def _sparse(data: bytes, start: int, end: int, look: _Look) -> Iterator[str]:
    """Check both tensors of a sparse one, and list their names."""
    for number, begin, stop in _inner(data, start, end):
        if number in MESSAGES["sparse"]:
            yield _tensor(data, begin, stop, look)[0]


def _tensor(data: bytes, start: int, end: int, look: _Look) -> tuple[str, int]:
    """Check a tensor; returns its name and how many numbers it holds."""
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
    return name, numbers


def _varints(data: bytes, at: int, end: int) -> list[int]:
    found = []
    while at < end:
        value, at = varint(data, at, end)
        found.append(value)
    return found
