"""The arithmetic of a detector: from the maps of a backbone to one raw score for each cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from flawline.detectors.known import raised_node
from flawline.detectors.method import Arrays, Grid
from flawline.detectors.nodes import Nodes
from flawline.detectors.patch_features import on_grid, smoothed
from flawline.detectors.registry import method_of
from flawline.types import EMPTY

INPUT, OUTPUT = "window", "anomaly_map"
"""The names of both in exported models."""


def score_node(
    ops: Nodes,
    method: str,
    maps: Mapping[str, Any],
    arrays: Arrays,
    grid: Grid,
    inputs: Mapping[str, Any] = EMPTY,
) -> Any:
    """Make a node of raw scores (1, 1, h, w) from nodes of the maps of a backbone.

    `inputs` are nodes of what the method's `inputs` gives, where it is not to be held in the graph.
    """
    return patch_score_node(ops, method, _projected(ops, maps, arrays, grid), arrays, grid, inputs)


def patch_score_node(
    ops: Nodes,
    method: str,
    patches: Any,
    arrays: Arrays,
    grid: Grid,
    inputs: Mapping[str, Any] = EMPTY,
) -> Any:
    """Make a node of raw scores (1, 1, h, w) from one of patches in the basis, (h * w, k)."""
    scores = method_of(method).score(ops, patches, arrays, grid, inputs)
    scores = raised_node(ops, scores, patches, arrays)
    return ops.reshape(scores, (1, 1, *grid))


def _projected(ops: Nodes, maps: Mapping[str, Any], arrays: Arrays, grid: Grid) -> Any:
    """Make a node of the patches of maps in the basis, (h * w, k).

    Smoothing, resizing and projecting are linear, so each map is projected first: that leaves less to smooth.
    """
    directions, mean = arrays["directions"].astype(np.float64), arrays["mean"].astype(np.float64)
    count, start = len(directions), 0
    found = ops.constant(-(directions @ mean).astype(np.float32)[None, :, None, None])
    for node in maps.values():
        _, channels, *size = ops.shape(node)
        kernel = directions[:, start : start + channels].astype(np.float32)
        part = smoothed(ops, ops.project(node, kernel))
        found = ops.add(on_grid(ops, part, (1, count, *size), grid), found)
        start += channels
    return ops.transpose(ops.reshape(found, (count, -1)), (1, 0))
