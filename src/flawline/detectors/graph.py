"""The arithmetic of a detector as OpenVINO nodes: from the maps of a backbone to one raw score for each cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from flawline.detectors.method import Arrays, Grid
from flawline.detectors.nodes import constant
from flawline.detectors.patch_features import on_grid, smoothed
from flawline.detectors.registry import method_of
from flawline.networks.openvino_import import openvino
from flawline.types import EMPTY

OUTPUT = "anomaly_map"


def score_node(
    method: str,
    maps: Mapping[str, Any],
    arrays: Arrays,
    grid: Grid,
    inputs: Mapping[str, Any] = EMPTY,
) -> Any:
    """Raw scores (1, 1, h, w) of the patches of a window, projected to k dimensions.

    `inputs` are nodes of what the method's `inputs` gives, where it is not to be held in the graph.
    """
    scores = method_of(method).score(_projected(maps, arrays, grid), arrays, grid, inputs)
    named = openvino().opset13.reshape(scores, np.array([1, 1, *grid], np.int64), False)
    named.output(0).get_tensor().set_names({OUTPUT})
    return named


def _projected(maps: Mapping[str, Any], arrays: Arrays, grid: Grid) -> Any:
    """The patches of maps in the basis, (h * w, k).

    Smoothing, resizing and projecting are linear, so each map is projected first: that leaves less to smooth.
    """
    ops = openvino().opset13
    directions, mean = arrays["directions"].astype(np.float64), arrays["mean"].astype(np.float64)
    found, start = constant(-(directions @ mean).astype(np.float32)[None, :, None, None]), 0
    for node in maps.values():
        stop = start + _channels(node)
        kernel = constant(directions[:, start:stop, None, None].astype(np.float32))
        part = ops.convolution(node, kernel, [1, 1], [0, 0], [0, 0], [1, 1])
        found = ops.add(on_grid(smoothed(part), grid), found)
        start = stop
    flat = ops.reshape(found, np.array([len(directions), -1], np.int64), False)
    return ops.transpose(flat, np.array([1, 0], np.int64))


def _channels(value: Any) -> int:
    """Those of a node, or of one output of a node."""
    output = value.output(0) if hasattr(value, "output") else value
    return int(output.get_partial_shape()[1].get_length())
