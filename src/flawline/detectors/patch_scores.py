"""Score patches that were kept, by the arithmetic that a detector has after its backbone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.detectors.detector import DetectorState, Size, cells_of, on_cells
from flawline.detectors.graph import patch_score_node
from flawline.detectors.map_graph import MapGraph
from flawline.detectors.nodes import OpenVINONodes
from flawline.detectors.registry import method_of


class PatchScorer:
    """A fitted detector without its backbone. Calling it is safe from several threads."""

    def __init__(self, state: DetectorState, grid: Size, *, window: Size) -> None:
        """Compile the nodes of a method.

        Args:
            state: what `fit_state` or `fit_detector` gave.
            grid: (h, w), places of the backbone's finest map.
            window: (height, width) of the windows, as fitted.
        """
        self._cells = cells_of(window)
        self._shape = grid[0] * grid[1], len(state.arrays["directions"])
        self._graph = MapGraph(
            {"patches": self._shape},
            lambda given, inputs: _scores(state, given["patches"], grid, inputs),
            fixed=method_of(state.method).inputs(state.arrays),
        )

    def __call__(self, patches: NDArray[np.float32]) -> NDArray[np.float32]:
        """Raw scores float32 (H / 8, W / 8) of patches float32 (h * w, k) of one window."""
        return on_cells(self._graph({"patches": patches}), self._cells)


def _scores(state: DetectorState, patches: Any, grid: Size, inputs: Mapping[str, Any]) -> Any:
    ops = OpenVINONodes()
    rows = ops.reshape(patches, (grid[0] * grid[1], -1))
    return patch_score_node(ops, state.method, rows, state.arrays, grid, inputs)
