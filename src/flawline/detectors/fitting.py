"""Fit the detectors of `flawline.detectors.detector` to windows of good pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flawline.detectors.detector import (
    DetectorState,
    Size,
    detector_backbone,
    input_size,
    shrunk,
)
from flawline.detectors.map_graph import backbone_and_graph
from flawline.detectors.method import Learning, no_window
from flawline.detectors.patch_features import (
    Basis,
    Windows,
    each_patches,
    fit_basis,
    patch_node,
)
from flawline.detectors.registry import method_of


class PatchNetwork:
    """A backbone and the joining of its maps: windows to patches (cells, C) for the cells of `grid`."""

    def __init__(
        self, method: str, backbone: bytes, *, window: Size, precision: str = "auto"
    ) -> None:
        """Compile the network of a method for windows (H, W); raises ModelError where it cannot be used."""
        self._seen = input_size(method, window)
        self._network, self._join, grid = backbone_and_graph(
            detector_backbone(method, backbone, window=window, precision=precision),
            lambda maps, _, grid: patch_node(maps, grid),
        )
        self.grid = grid

    def __call__(self, window: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Patches float32 (h * w, C) of a window uint8 (H, W, 3)."""
        joined = self._join(self._network(shrunk(window, self._seen)))[0]
        return np.ascontiguousarray(joined.reshape(joined.shape[0], -1).T)


def fit_detector(
    method: str,
    backbone: bytes,
    windows: Windows,
    *,
    window: Size,
    one_window: bool = True,
    like: DetectorState | None = None,
    seed: int = 0,
    precision: str = "auto",
) -> DetectorState:
    """Learn what windows of good pictures look like.

    Windows are read twice, for a memory three times, one after the other; what is kept does not grow with their
    number, for a memory beyond 400,000 patches. The same windows in the same order give the same state on the same
    processor.

    Args:
        method: a name of the registry.
        backbone: the content of an ONNX file with its preparation in its metadata.
        windows: gives the windows, uint8 (H, W, 3), each time it is called.
        window: (H, W), multiples of 16.
        one_window: a window is a whole picture, so that a place in it means something.
        like: another state of the same backbone and window, whose basis of features is taken over: windows are then
            read once less.
        seed: of the draws of patches.
        precision: of the backbone.

    Raises:
        UsageError: an unknown method.
        SourceError: no window.
        ModelError: the backbone cannot be used.
    """
    look = PatchNetwork(method, backbone, window=window, precision=precision)
    if like is None:
        basis, count = fit_basis(each_patches(look, windows), seed)
        if not count:
            raise no_window()
    else:
        basis = Basis.of(like.arrays)
        count = int(like.settings["windows"])
    return fit_state(method, _learning(look, windows, basis), count, one_window, seed)


def fit_state(
    method: str, learning: Learning, count: int, one_window: bool, seed: int
) -> DetectorState:
    """Learn from the patches of `count` windows; the rest as for `fit_detector`."""
    learnt, count = method_of(method).learn(learning, count, one_window, seed)
    basis = learning.basis
    settings = {
        "windows": count,
        "one_window": one_window,
        "dimensions": len(basis.directions),
        "score_cells": method_of(method).score_cells,
    }
    return DetectorState(method, settings, {**basis.arrays, **learnt})


def _learning(look: PatchNetwork, windows: Windows, basis: Basis) -> Learning:
    """Learn from windows that are read anew each time."""
    return Learning(
        look.grid, basis, lambda: (basis.project(raw) for raw in each_patches(look, windows))
    )


def extend_detector(
    state: DetectorState,
    backbone: bytes,
    windows: Windows,
    *,
    window: Size,
    precision: str = "auto",
) -> DetectorState:
    """Learn more windows of good pictures, without the earlier ones.

    The basis of the features and the kinds of content stay as they are. Within them, the Gaussians are those that all
    windows together would have given; the memory takes what is new and is thinned to its size.

    Raises:
        SourceError: no window.
        ModelError: the backbone cannot be used.
    """
    look = PatchNetwork(state.method, backbone, window=window, precision=precision)
    old, seen = state.arrays, int(state.settings["windows"])
    learning = _learning(look, windows, Basis.of(old))
    learnt, count = method_of(state.method).extend(learning, old, seen)
    settings = {**state.settings, "windows": seen + count}
    return DetectorState(state.method, settings, {**old, **learnt})
