"""Regions of an anomaly map as version 0.1 found them: without a class mask, by another way than the product's."""

from __future__ import annotations

from math import ceil, floor

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.regions import ANOMALY, LONGEST
from flawline.types import Region


def regions_of_map(
    scores: NDArray[np.float32],
    threshold: float,
    size: tuple[int, int],
) -> tuple[Region, ...]:
    """The places of a map that score above a threshold, the highest peak first.

    The map is brought to the size of the picture by bilinear interpolation (to at most 1024 px on the longer side),
    cut at the threshold and split into 8-connected regions. The cell that a peak came from keeps its own score, so
    that a cell above the threshold always makes a region and the highest peak is the highest score of the map.

    Args:
        scores: float32 (h, w), finite, a map over the whole picture at any resolution.
        threshold: a place belongs to a region where its score is above this, not equal to it.
        size: (height, width) of the picture, px.

    Returns:
        Regions in pixels of the picture, from the top left corner of its top left pixel: the contour runs through
        the centres of the outermost pixels, so a region of one pixel has a contour of one point. Equal peaks go from
        top to bottom, then from left to right.
    """
    if not scores.max() > threshold:
        return ()
    fine = _fine(scores, threshold, size)
    count, labels, boxes = _labelled(fine > threshold)
    peaks = np.full(count, -np.inf, dtype=np.float32)
    inside = labels > 0
    np.maximum.at(peaks, labels[inside], fine[inside])
    across, down = size[1] / fine.shape[1], size[0] / fine.shape[0]
    outlines = _outlines(labels, count)
    scale = np.array([across, down], np.float32)
    order = np.lexsort((boxes[1:, 0], boxes[1:, 1], -peaks[1:])) + 1
    return tuple(
        Region(
            ANOMALY,
            _box(boxes[k], across, down, size),
            (outlines[k] + np.float32(0.5)) * scale,
            float(boxes[k, cv2.CC_STAT_AREA]) * across * down,
            float(peaks[k]),
        )
        for k in order.tolist()
    )


def _fine(
    scores: NDArray[np.float32], threshold: float, size: tuple[int, int]
) -> NDArray[np.float32]:
    """The map at the size of the picture, at most LONGEST on a side, with every cell above the threshold kept."""
    shrink = min(1.0, LONGEST / max(size))
    height, width = (max(1, round(side * shrink)) for side in size)
    smooth = cv2.resize(
        scores.astype(np.float32, copy=False), (width, height), interpolation=cv2.INTER_LINEAR
    )
    fine: NDArray[np.float32] = np.minimum(smooth, scores.max()).astype(np.float32, copy=False)
    rows, columns = np.nonzero(scores > threshold)
    # Interpolation passes beside the middle of a cell, so a single high cell could sink below the threshold.
    centres = (
        ((2 * rows + 1) * height) // (2 * scores.shape[0]),
        ((2 * columns + 1) * width) // (2 * scores.shape[1]),
    )
    np.maximum.at(fine, centres, scores[rows, columns])
    return fine


def _labelled(
    inside: NDArray[np.bool_],
) -> tuple[int, NDArray[np.int32], NDArray[np.int32]]:
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(
        inside.view(np.uint8), connectivity=8
    )
    return count, np.asarray(labels, np.int32), np.asarray(boxes, np.int32)


def _outlines(labels: NDArray[np.int32], count: int) -> list[NDArray[np.float32]]:
    """The outer contour of each label, float32 (N, 2) through pixel centres; that of label 0 is empty."""
    found: list[NDArray[np.float32]] = [np.empty((0, 2), np.float32)] * count
    # Two levels and not the outermost alone: a region inside the hole of another one counts too.
    contours, levels = cv2.findContours(
        (labels > 0).view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE
    )
    for contour, level in zip(contours, levels.reshape(-1, 4), strict=True):
        if level[3] < 0:
            points = contour.reshape(-1, 2)
            found[labels[points[0, 1], points[0, 0]]] = points.astype(np.float32)
    return found


def _box(
    box: NDArray[np.int32], across: float, down: float, size: tuple[int, int]
) -> tuple[int, int, int, int]:
    left, top, width, height = (int(value) for value in box[:4])
    x, y = floor(left * across), floor(top * down)
    right = min(ceil(round((left + width) * across, 6)), size[1])
    bottom = min(ceil(round((top + height) * down, 6)), size[0])
    return x, y, right - x, bottom - y
