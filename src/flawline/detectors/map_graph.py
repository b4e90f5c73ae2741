"""What follows a backbone: OpenVINO nodes on its maps, in a graph of their own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.networks.compiled_cache import compiled_key, exported, find_compiled, keep_compiled
from flawline.networks.compiling import Compiling
from flawline.networks.openvino_import import openvino
from flawline.networks.openvino_runtime import (
    OpenVINONetwork,
    core,
    first_inference,
    runtime_options,
)
from flawline.types import EMPTY

Nodes = Mapping[str, Any]
Build = Callable[[Nodes, Nodes], Any]
"""From the nodes of maps and of fixed arrays to one node."""


class MapGraph:
    """OpenVINO nodes on the maps of a backbone, always in float32: energies would lose their meaning in bfloat16."""

    def __init__(
        self,
        shapes: Mapping[str, tuple[int, ...]],
        build: Build,
        fixed: Mapping[str, NDArray[np.float32]] = EMPTY,
        threads: int = 0,
        keep: bool = False,
    ) -> None:
        """Compile what `build` makes of maps of these shapes (C, h, w) and of the `fixed` arrays.

        Large arrays are better given as `fixed` than held as constants, which compiling copies and repacks. With `keep`
        what is compiled is kept for the next time, and taken from there.
        """
        ov = openvino()
        sizes = {name: [1, *shape] for name, shape in shapes.items()}
        # For what has a fixed size, OpenVINO sets memory aside and clears it, once per request.
        sizes |= {name: [-1, *array.shape[1:]] for name, array in fixed.items()}
        nodes = {name: ov.opset13.parameter(size, ov.Type.f32) for name, size in sizes.items()}
        built = build({name: nodes[name] for name in shapes}, {name: nodes[name] for name in fixed})
        model = ov.Model([built], list(nodes.values()), "detector")
        # So few nodes run as fast without kernels made for groups of them, which take a fifth of the compilation.
        options = {**runtime_options("f32", threads), "SNIPPETS_MODE": "DISABLE"}
        compiled = _compiled(model, options, keep)
        self._names = list(shapes)
        self._fixed = dict(enumerate(fixed.values(), len(self._names)))
        self._requests: SimpleQueue[Any] = SimpleQueue()
        for _ in range(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")):
            self._requests.put(compiled.create_infer_request())
        first_inference(
            lambda: self({name: np.zeros(shape, np.float32) for name, shape in shapes.items()})
        )

    def __call__(self, maps: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """The output for maps (C, h, w) by name."""
        request = self._requests.get()
        try:
            given = {place: maps[name][None] for place, name in enumerate(self._names)}
            request.infer({**given, **self._fixed}, share_inputs=True, share_outputs=True)
            return np.array(request.get_output_tensor(0).data, np.float32)
        finally:
            self._requests.put(request)


def backbone_and_graph(
    backbone: Compiling,
    build: Callable[[Nodes, Nodes, tuple[int, int]], Any],
    *,
    fixed: Mapping[str, NDArray[np.float32]] = EMPTY,
    threads: int = 0,
) -> tuple[OpenVINONetwork, MapGraph, tuple[int, int]]:
    """A backbone, what `build` makes of its maps and their finest grid, and that grid.

    Both are compiled side by side, and both are kept for the next time where the backbone is.

    Raises:
        ModelError: the backbone cannot be used.
    """
    shapes = backbone.prepared.shapes
    grid = finest(shapes)
    graph = MapGraph(
        shapes, lambda maps, held: build(maps, held, grid), fixed, threads, keep=backbone.keeps
    )
    return backbone.ready(), graph, grid


def finest(shapes: Mapping[str, tuple[int, ...]]) -> tuple[int, int]:
    """(h, w) of the largest of maps (C, h, w)."""
    height, width = max((shape[1], shape[2]) for shape in shapes.values())
    return int(height), int(width)


def graph_hash(model: Any) -> str:
    """What an OpenVINO model without loops computes, as a hash.

    It covers the order of the inputs and each operation with attributes, shapes, types, sources and constant values.
    """
    nodes = model.get_ordered_ops()
    places = {node.get_name(): place for place, node in enumerate(nodes)}
    digest = hashlib.sha256(repr([places[n.get_name()] for n in model.get_parameters()]).encode())
    for node in nodes:
        digest.update(repr(_described(node, places)).encode())
        if node.get_type_name() == "Constant":
            digest.update(np.ascontiguousarray(node.data).data)
    return digest.hexdigest()


def _described(node: Any, places: Mapping[str, int]) -> list[Any]:
    sources = [value.get_source_output() for value in node.inputs()]
    return [
        node.get_type_name(),
        sorted(node.get_attributes().items()),
        [(places[source.get_node().get_name()], source.get_index()) for source in sources],
        [
            (str(value.get_partial_shape()), str(value.get_element_type()))
            for value in node.outputs()
        ],
    ]


def _compiled(model: Any, options: Mapping[str, Any], keep: bool) -> Any:
    if not keep:
        return core().compile_model(model, "CPU", options)
    key = compiled_key(graph=graph_hash(model), options=options)
    found = find_compiled(key)
    if found is not None:
        with suppress(RuntimeError):
            return core().import_model(found[1], "CPU", options)
    compiled = core().compile_model(model, "CPU", options)
    keep_compiled(key, {}, exported(compiled))
    return compiled
