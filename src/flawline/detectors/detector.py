"""Detectors of what good parts do not show: raw scores of the cells of a window, by a method of the registry.

What is done before: the window, uint8 RGB, goes through the backbone's own preparation. What is done after: nothing; a
score is raw, higher is more anomalous, and one cell stands for 8 x 8 pixels of the window.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.anomaly_score import EARLIER_CELLS
from flawline.detectors.graph import OUTPUT, score_node
from flawline.detectors.map_graph import backbone_and_graph, finest
from flawline.detectors.nodes import OpenVINONodes
from flawline.detectors.registry import method_of
from flawline.errors import ModelError
from flawline.networks.map_choice import choose_maps
from flawline.networks.openvino_import import openvino
from flawline.networks.openvino_runtime import (
    PreparedNetwork,
    prepare_network,
    read_restricted,
    with_preparation,
)

CELL = 8
_MOST_SCORE_CELLS = 1000

Size = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class DetectorState:
    """All that a detector learnt: `settings` for JSON and `arrays` by name."""

    method: str
    settings: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]


def score_cells(settings: Mapping[str, Any]) -> int:
    """Read from a detector's settings how many cells the score of a picture is the mean of, at most.

    Raises:
        ModelError: ("model-damaged") it is no whole number from 1 to 1000.
    """
    found = settings.get("score_cells", EARLIER_CELLS)
    if type(found) is int and 1 <= found <= _MOST_SCORE_CELLS:
        return found
    raise ModelError(
        f"the recipe's `score_cells` is {found!r}, expected a whole number from 1 to {_MOST_SCORE_CELLS}",
        hint="train it again, or take the recipe as it was written",
        code="model-damaged",
    )


class Detector:
    """A fitted detector. Calling it is safe from several threads, and a result never depends on other calls."""

    def __init__(
        self,
        state: DetectorState,
        backbone: PreparedNetwork,
        *,
        window: Size,
        threads: int = 0,
        keep: bool = False,
    ) -> None:
        """Make a fitted detector ready.

        Args:
            state: what `flawline.detectors.fitting.fit_detector` gave.
            backbone: what `detector_backbone` gives of the network that it was fitted with. What is made of its maps is
                always computed in f32.
            window: (height, width) of the windows, as fitted.
            threads: CPU threads, 0 for all.
            keep: what is compiled for the next start.

        Raises:
            ModelError: the backbone cannot be used.
        """
        self._seen = input_size(state.method, window)
        self._cells = cells_of(window)
        self._network, self._head, _ = backbone_and_graph(
            backbone,
            lambda maps, inputs, grid: score_node(
                OpenVINONodes(), state.method, maps, state.arrays, grid, inputs
            ),
            fixed=method_of(state.method).inputs(state.arrays),
            threads=threads,
            keep=keep,
        )
        self.precision = self._network.precision
        self.preparation = self._network.preparation

    def __call__(self, window: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Raw scores float32 (H / 8, W / 8) of a window uint8 (H, W, 3)."""
        return on_cells(self._head(self._network(shrunk(window, self._seen))), self._cells)


def detector_backbone(
    method: str, network: bytes, *, window: Size, precision: str = "auto"
) -> PreparedNetwork:
    """Read the backbone of a detector.

    Args:
        method: a name of the registry.
        network: the content of an ONNX file with its preparation in its metadata.
        window: (height, width) of the windows.
        precision: "f32", "bf16" or "auto".

    Raises:
        ModelError: it cannot be used.
    """
    size = input_size(method, window)
    return prepare_network(network, outputs=choose_maps, size=size, precision=precision)


def detector_model(state: DetectorState, backbone: bytes, *, window: Size) -> Any:
    """Make the whole detector one OpenVINO model: uint8 RGB (1, H, W, 3) to "anomaly_map" float32 (1, 1, h, w).

    H and W are those of `window` as the method sees it. The map has a cell for each place of the backbone's finest
    map that is used, usually 8 x 8 pixels.
    """
    seen = input_size(state.method, window)
    model, preparation = read_restricted(backbone, choose_maps, seen)
    model.reshape([1, 3, *seen])
    outputs = {output.get_any_name(): output for output in model.outputs}
    grid = finest({name: tuple(output.get_shape())[1:] for name, output in outputs.items()})
    maps = {name: output.get_node().input_value(0) for name, output in outputs.items()}
    scores = score_node(OpenVINONodes(), state.method, maps, state.arrays, grid)
    scores.output(0).get_tensor().set_names({OUTPUT})
    whole = openvino().Model([scores], model.get_parameters(), "detector")
    return with_preparation(whole, preparation)


def cells_of(window: Size) -> Size:
    """Give (height, width) of the map of a window in cells."""
    return window[0] // CELL, window[1] // CELL


def on_cells(scores: NDArray[np.float32], cells: Size) -> NDArray[np.float32]:
    """Bring raw scores (1, 1, h, w) of the backbone's places to the cells of a window, float32 `cells`."""
    found = np.asarray(scores[0, 0])
    if found.shape == cells:
        return found
    return np.asarray(cv2.resize(found, cells[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def input_size(method: str, window: Size) -> Size:
    """Give (height, width) of what the network of a method sees of a window."""
    shrink = method_of(method).shrink
    return window[0] // shrink, window[1] // shrink


def shrunk(window: NDArray[np.uint8], seen: Size) -> NDArray[np.uint8]:
    """Shrink a window to the size that the network sees."""
    if window.shape[:2] == seen:
        return window
    return np.asarray(cv2.resize(window, seen[::-1], interpolation=cv2.INTER_AREA), np.uint8)
