"""What follows a backbone: OpenVINO nodes on its maps, in a graph of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.networks.model_size import check_size
from flawline.networks.openvino_import import openvino
from flawline.networks.openvino_runtime import (
    OpenVINONetwork,
    PreparedNetwork,
    compile_network,
    compiled,
    first_inference,
    ready_network,
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
        # Without names of ours, OpenVINO makes some up and does not find again what it kept.
        for name, port in zip([*sizes, "graph"], [*model.inputs, *model.outputs], strict=True):
            port.get_tensor().set_names({name})
        check_size(model, open_sides=True)
        # So few nodes run as fast without kernels made for groups of them, which take a fifth of the compilation.
        options = {**runtime_options("f32", threads), "SNIPPETS_MODE": "DISABLE"}
        made = compiled(model, options, keep=keep)
        self._names = list(shapes)
        self._fixed = dict(enumerate(fixed.values(), len(self._names)))
        self._requests: SimpleQueue[Any] = SimpleQueue()
        for _ in range(made.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")):
            self._requests.put(made.create_infer_request())
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
    backbone: PreparedNetwork,
    build: Callable[[Nodes, Nodes, tuple[int, int]], Any],
    *,
    fixed: Mapping[str, NDArray[np.float32]] = EMPTY,
    threads: int = 0,
    keep: bool = False,
) -> tuple[OpenVINONetwork, MapGraph, tuple[int, int]]:
    """A backbone, what `build` makes of its maps and their finest grid, and that grid.

    Both are compiled side by side; with `keep` both are kept for the next start.

    Raises:
        ModelError: the backbone cannot be used.
    """
    grid = finest(backbone.shapes)
    with ThreadPoolExecutor(1, thread_name_prefix="flawline") as beside:
        network = beside.submit(compile_network, backbone, threads, keep=keep)
        graph = MapGraph(
            backbone.shapes, lambda maps, held: build(maps, held, grid), fixed, threads, keep
        )
        return ready_network(backbone, network.result()), graph, grid


def finest(shapes: Mapping[str, tuple[int, ...]]) -> tuple[int, int]:
    """(h, w) of the largest of maps (C, h, w)."""
    height, width = max((shape[1], shape[2]) for shape in shapes.values())
    return int(height), int(width)
