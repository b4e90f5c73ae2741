"""A detector as one ONNX model: the backbone's file with the preparation before it and the scores after it.

The arithmetic is not written a second time. `score_node` makes it as OpenVINO nodes, as for inspecting, and each of
these few kinds of nodes has its counterpart in ONNX here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.detectors.detector import DetectorState, input_size
from flawline.detectors.graph import OUTPUT, score_node
from flawline.errors import ModelError
from flawline.networks.map_choice import choose_maps
from flawline.networks.network import METADATA_KEY, Preparation
from flawline.networks.onnx_writer import (
    FLOAT,
    UINT8,
    Attribute,
    Node,
    OnnxParts,
    Value,
    put_together,
    take_apart,
)
from flawline.networks.openvino_import import openvino
from flawline.networks.openvino_runtime import read_restricted

INPUT = "window"
OLDEST_OPSET = 13
_WAY_OUT = "export with `to=openvino`, or train with the backbone exported anew"

Translation = tuple[str, tuple[str, ...], Mapping[str, Attribute]]


def detector_onnx(
    state: DetectorState,
    backbone: bytes,
    *,
    window: tuple[int, int],
    metadata: Mapping[str, str],
) -> bytes:
    """The whole detector as an ONNX file: uint8 RGB (1, H, W, 3) to "anomaly_map" float32 (1, 1, h, w).

    H, W, h and w are as for `flawline.detectors.detector.detector_model`. Operators have the version that the
    backbone's file states. Its nodes stay as they are; of its outputs only the scores are left.

    Args:
        state: what `fit_detector` gave.
        backbone: the content of its ONNX file, with its preparation in its metadata.
        window: (height, width) of the windows, as fitted.
        metadata: to be added to those of the backbone's file.

    Raises:
        ModelError: ("export-backbone") the backbone's file is of an old version, or takes another input than float32
            pictures of this size.
    """
    seen = input_size(state.method, window)
    parts = take_apart(backbone)
    _check(parts, seen)
    head, maps, preparation = _head(state, backbone, seen)
    prefix = _free("flawline", parts)
    writer = _Writer(parts.opset, prefix, _free(OUTPUT, parts), dict(maps))
    writer.translate(head)
    window_name = _free(INPUT, parts)
    before, constants = _prepare(window_name, parts.inputs[0].name, preparation, prefix)
    shape = tuple(int(side) for side in head.output(0).get_shape())
    return put_together(
        parts,
        before=before,
        after=writer.nodes,
        tensors={**constants, **writer.tensors},
        inputs=[Value(window_name, UINT8, (1, *seen, 3))],
        outputs=[Value(writer.output, FLOAT, shape)],
        # The preparation is inside now, and would mislead whoever takes the file as a backbone.
        metadata={k: v for k, v in parts.metadata.items() if k != METADATA_KEY} | dict(metadata),
    )


def _head(
    state: DetectorState, backbone: bytes, seen: tuple[int, int]
) -> tuple[Any, dict[str, str], Preparation]:
    """The scores as an OpenVINO model of the maps, the maps' names by those of its parameters, the preparation."""
    ov = openvino()
    model, preparation = read_restricted(backbone, choose_maps, seen)
    model.reshape([1, 3, *seen])
    shapes = {one.get_any_name(): [int(side) for side in one.get_shape()] for one in model.outputs}
    inputs = {name: ov.opset13.parameter(shape, ov.Type.f32) for name, shape in shapes.items()}
    height, width = max((shape[2], shape[3]) for shape in shapes.values())
    scores = score_node(state.method, inputs, state.arrays, (height, width))
    maps = {node.get_friendly_name(): name for name, node in inputs.items()}
    return ov.Model([scores], list(inputs.values()), "head"), maps, preparation


def _check(parts: OnnxParts, seen: tuple[int, int]) -> None:
    if parts.opset < OLDEST_OPSET:
        raise _refused(f"has operators of version {parts.opset}, expected {OLDEST_OPSET} or later")
    if len(parts.inputs) != 1 or parts.inputs[0].type != FLOAT:
        raise _refused("takes something else than one float32 input")
    stated, expected = parts.inputs[0].shape, (1, 3, *seen)
    fits = all(side in (None, want) for side, want in zip(stated, expected, strict=False))
    if len(stated) != len(expected) or not fits:
        raise _refused(f"takes {list(stated)}, expected {list(expected)}")


def _refused(what: str) -> ModelError:
    return ModelError(f"the backbone's file {what}", hint=_WAY_OUT, code="export-backbone")


def _free(name: str, parts: OnnxParts) -> str:
    """`name`, or with underscores where the backbone uses it, or names below it, already."""
    while any(taken == name or taken.startswith(f"{name}/") for taken in parts.names):
        name += "_"
    return name


def _prepare(
    window: str, image: str, preparation: Preparation, prefix: str
) -> tuple[list[Node], dict[str, NDArray[np.float32]]]:
    """Nodes from uint8 (1, H, W, 3) to float32 (1, 3, H, W), each channel (x - mean) / std."""
    names = [f"{prefix}/{name}" for name in ("float", "planes", "centred", "mean", "std")]
    numbers, planes, centred, mean, std = names
    nodes = [
        Node("Cast", (window,), numbers, {"to": FLOAT}),
        Node("Transpose", (numbers,), planes, {"perm": (0, 3, 1, 2)}),
        Node("Sub", (planes, mean), centred),
        Node("Div", (centred, std), image),
    ]
    shaped = (1, 3, 1, 1)
    return nodes, {
        mean: np.array(preparation.mean, np.float32).reshape(shaped),
        std: np.array(preparation.std, np.float32).reshape(shaped),
    }


@dataclass(slots=True)
class _Writer:
    """Collects the nodes and constants of a head; `names` gives the ONNX value of an OpenVINO node."""

    opset: int
    prefix: str
    output: str
    names: dict[str, str]
    nodes: list[Node] = field(default_factory=list)
    tensors: dict[str, NDArray[Any]] = field(default_factory=dict)

    def translate(self, head: Any) -> None:
        """Write the nodes of an OpenVINO model with one output, whose shapes are all fixed."""
        constants: dict[str, NDArray[Any]] = {}
        last = _name(head.output(0).get_node().input_value(0))
        for node in head.get_ordered_ops():
            name, kind = node.get_friendly_name(), node.get_type_name()
            if kind == "Constant":
                constants[name] = np.array(node.data)
            elif kind not in ("Parameter", "Result"):
                found = _TRANSLATIONS.get(kind, _unknown)(_Source(self, node, constants))
                operator, inputs, attributes = found
                self.names[name] = self.output if name == last else self.new(operator)
                self.nodes.append(Node(operator, inputs, self.names[name], attributes))

    def new(self, what: str) -> str:
        """A name that nothing has yet."""
        return f"{self.prefix}/{what}_{len(self.nodes) + len(self.tensors)}"

    def tensor(self, values: NDArray[Any]) -> str:
        """A constant."""
        name = self.new("constant")
        self.tensors[name] = values
        return name


@dataclass(frozen=True, slots=True)
class _Source:
    """An OpenVINO node that is to be translated."""

    writer: _Writer
    node: Any
    constants: Mapping[str, NDArray[Any]]

    @property
    def inputs(self) -> tuple[str, ...]:
        """The ONNX values of all inputs."""
        return tuple(self.value(place) for place in range(self.node.get_input_size()))

    def value(self, place: int) -> str:
        """The ONNX value of an input; a constant is written when something first needs it as a value."""
        name = _name(self.node.input_value(place))
        if name not in self.writer.names:
            self.writer.names[name] = self.writer.tensor(self.constants[name])
        return self.writer.names[name]

    def numbers(self, place: int) -> tuple[int, ...]:
        """An input that is a constant of whole numbers."""
        return _ints(self.constants[_name(self.node.input_value(place))])

    def shape(self) -> str:
        """A constant with the shape of the output."""
        return self.writer.tensor(np.array(_ints(self.node.get_output_shape(0)), np.int64))

    def facts(self, **wanted: Any) -> Mapping[str, Any]:
        """The attributes, of which some must have the values `wanted`."""
        facts: dict[str, Any] = self.node.get_attributes()
        for name, value in wanted.items():
            if facts[name] != value:
                raise NotImplementedError(f"{self.node.get_type_name()} with {name} {facts[name]}")
        return facts


def _name(value: Any) -> str:
    return str(value.get_node().get_friendly_name())


def _ints(values: Any) -> tuple[int, ...]:
    return tuple(int(value) for value in np.atleast_1d(values))


def _same(operator: str) -> Callable[[_Source], Translation]:
    return lambda source: (operator, source.inputs, {})


def _product(source: _Source) -> Translation:
    source.facts(transpose_a=False, transpose_b=False)
    return "MatMul", source.inputs, {}


def _reshape(source: _Source) -> Translation:
    return "Reshape", (source.value(0), source.shape()), {}


def _transpose(source: _Source) -> Translation:
    return "Transpose", (source.value(0),), {"perm": source.numbers(1)}


def _concat(source: _Source) -> Translation:
    return "Concat", source.inputs, {"axis": int(source.facts()["axis"])}


def _convolution(source: _Source) -> Translation:
    facts = source.facts(auto_pad="explicit")
    return "Conv", source.inputs, {**_steps(facts), "dilations": _ints(facts["dilations"])}


def _average(source: _Source) -> Translation:
    facts = source.facts(auto_pad="explicit", rounding_type="floor")
    kernel, padded = _ints(facts["kernel"]), int(not facts["exclude-pad"])
    attributes = {"kernel_shape": kernel, "count_include_pad": padded, **_steps(facts)}
    return "AveragePool", (source.value(0),), attributes


def _steps(facts: Mapping[str, Any]) -> dict[str, Attribute]:
    pads = (*_ints(facts["pads_begin"]), *_ints(facts["pads_end"]))
    return {"strides": _ints(facts["strides"]), "pads": pads}


def _resize(source: _Source) -> Translation:
    how = "half_pixel"
    source.facts(
        mode="linear_onnx",
        coordinate_transformation_mode=how,
        shape_calculation_mode="sizes",
        antialias=False,
    )
    attributes = {"mode": "linear", "coordinate_transformation_mode": how}
    return "Resize", (source.value(0), "", "", source.shape()), attributes


def _reduce_min(source: _Source) -> Translation:
    axes, kept = source.numbers(1), int(source.facts()["keep_dims"])
    if source.writer.opset < 18:  # until then the axes were an attribute
        return "ReduceMin", (source.value(0),), {"axes": axes, "keepdims": kept}
    places = source.writer.tensor(np.array(axes, np.int64))
    return "ReduceMin", (source.value(0), places), {"keepdims": kept}


def _unknown(source: _Source) -> Translation:
    raise NotImplementedError(f"{source.node.get_type_name()} has no counterpart in ONNX here")


_TRANSLATIONS: Mapping[str, Callable[[_Source], Translation]] = {
    "Add": _same("Add"),
    "Subtract": _same("Sub"),
    "Multiply": _same("Mul"),
    "Maximum": _same("Max"),
    "Log": _same("Log"),
    "Sqrt": _same("Sqrt"),
    "MatMul": _product,
    "Reshape": _reshape,
    "Unsqueeze": _reshape,
    "Transpose": _transpose,
    "Concat": _concat,
    "Convolution": _convolution,
    "AvgPool": _average,
    "Interpolate": _resize,
    "ReduceMin": _reduce_min,
}
