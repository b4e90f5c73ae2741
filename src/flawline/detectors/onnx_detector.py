"""A detector as one ONNX model: the backbone's file with the preparation before it and the scores after it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import ModelProto, TensorProto, helper

from flawline.detectors.detector import DetectorState, input_size
from flawline.detectors.graph import INPUT, OUTPUT, score_node
from flawline.detectors.map_graph import finest
from flawline.detectors.onnx_nodes import OnnxNodes
from flawline.errors import ModelError
from flawline.networks.map_choice import choose_maps
from flawline.networks.network import METADATA_KEY, Preparation
from flawline.networks.openvino_runtime import read_restricted

OLDEST_OPSET = 13


def detector_onnx(
    state: DetectorState,
    backbone: bytes,
    *,
    window: tuple[int, int],
    metadata: Mapping[str, str],
) -> bytes:
    """Make the ONNX file of a detector: uint8 RGB (1, H, W, 3) to "anomaly_map" float32 (1, 1, h, w).

    H, W, h and w are as for `flawline.detectors.detector.detector_model`. Operators have the version that the
    backbone's file states. Its nodes stay as they are; of its outputs only the scores are left. The same arguments give
    the same bytes.

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
    model, opset, image = _read(backbone, seen)
    network, preparation = read_restricted(backbone, choose_maps, seen)
    network.reshape([1, 3, *seen])
    shapes = {port.get_any_name(): tuple(port.get_shape()) for port in network.outputs}
    grid = finest({name: shape[1:] for name, shape in shapes.items()})
    taken = _names(model)
    given, found = _free(INPUT, taken), _free(OUTPUT, taken)
    ops = OnnxNodes(_free("flawline", taken), opset, shapes)
    _prepare(ops, given, image, preparation)
    before = len(ops.nodes)
    score_node(ops, state.method, {name: name for name in shapes}, state.arrays, grid)
    ops.nodes[-1].output[0] = found
    graph, own = model.graph, list(model.graph.node)
    for field in ("node", "input", "output"):
        graph.ClearField(field)
    graph.node.extend([*ops.nodes[:before], *own, *ops.nodes[before:]])
    graph.initializer.extend(ops.tensors)
    graph.input.append(helper.make_tensor_value_info(given, TensorProto.UINT8, (1, *seen, 3)))
    graph.output.append(helper.make_tensor_value_info(found, TensorProto.FLOAT, (1, 1, *grid)))
    # The preparation is inside now, and would mislead whoever takes the file as a backbone.
    kept = {p.key: p.value for p in model.metadata_props if p.key != METADATA_KEY}
    helper.set_model_props(model, {**kept, **metadata})
    return bytes(model.SerializeToString(deterministic=True))


def _read(backbone: bytes, seen: tuple[int, int]) -> tuple[ModelProto, int, str]:
    """Read a backbone's file, the version of its operators and the name of its input; raises ModelError."""
    try:
        model = onnx.load_from_string(backbone)
    except DecodeError as error:
        raise _refused(f"cannot be read as ONNX: {error}") from error
    versions = [one.version for one in model.opset_import if one.domain in ("", "ai.onnx")]
    opset = max(versions, default=0)
    if opset < OLDEST_OPSET:
        raise _refused(f"has operators of version {opset}, expected {OLDEST_OPSET} or later")
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in constants]
    if len(inputs) != 1 or inputs[0].type.tensor_type.elem_type != TensorProto.FLOAT:
        raise _refused("takes something else than one float32 input")
    dims = inputs[0].type.tensor_type.shape.dim
    stated = [dim.dim_value if dim.HasField("dim_value") else None for dim in dims]
    expected = [1, 3, *seen]
    if len(stated) != 4 or any(
        side not in (None, want) for side, want in zip(stated, expected, strict=False)
    ):
        raise _refused(f"takes {stated}, expected {expected}")
    return model, opset, inputs[0].name


def _refused(what: str) -> ModelError:
    return ModelError(
        f"the backbone's file {what}",
        hint="export with `to=openvino`, or train with the backbone exported anew",
        code="export-backbone",
    )


def _names(model: ModelProto) -> set[str]:
    """List the names of all values of a model."""
    graph = model.graph
    named = (value.name for value in (*graph.input, *graph.output, *graph.initializer))
    return {*named, *(name for node in graph.node for name in (*node.input, *node.output))}


def _free(name: str, taken: set[str]) -> str:
    """Add underscores to a name while the backbone uses it, or names below it."""
    while any(one == name or one.startswith(f"{name}/") for one in taken):
        name += "_"
    return name


def _prepare(ops: OnnxNodes, window: str, image: str, preparation: Preparation) -> None:
    """Make nodes from uint8 (1, H, W, 3) to float32 (1, 3, H, W), each channel (x - mean) / std."""
    mean, std = (
        ops.constant(np.array(values, np.float32).reshape(1, 3, 1, 1))
        for values in (preparation.mean, preparation.std)
    )
    planes = ops.transpose(ops.node("Cast", window, to=TensorProto.FLOAT), (0, 3, 1, 2))
    ops.node("Div", ops.subtract(planes, mean), std)
    ops.nodes[-1].output[0] = image
