"""Threshold an anomaly map at the resolution of its picture."""

from __future__ import annotations

from math import isfinite

import cv2
import numpy as np
from numpy.typing import NDArray

ANOMALY = "anomaly"
"""The label of a region of unknown class."""
# Longest side in px of the map that is thresholded: a coarse map has no finer outlines.
LONGEST = 1024


def mask_of_map(
    scores: NDArray[np.float32], threshold: float, size: tuple[int, int]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Compute the mask of pixels whose score is above a threshold, and the score of each pixel.

    The map is brought to the size of the picture by bilinear interpolation, to at most 1024 px on the longer side and
    from there by repeating pixels. A cell above the threshold keeps its own score at its middle, so that it always
    makes a region and the highest score in the mask is the highest of the map.

    Args:
        scores: float32 (h, w), finite, a map over the whole picture at any resolution.
        threshold: a pixel is in the mask where its score is above this, not equal to it.
        size: (height, width) of the picture, px.

    Returns:
        uint8 (height, width), 1 in the mask, and float32 (height, width).

    Raises:
        ValueError: the map is empty, not two-dimensional or not finite, or threshold or size make no sense.
    """
    _check(scores, threshold, size)
    fine = _fine(scores, threshold, size)
    fine = np.asarray(cv2.resize(fine, size[::-1], interpolation=cv2.INTER_NEAREST), np.float32)
    return (fine > threshold).view(np.uint8), fine


def _fine(
    scores: NDArray[np.float32], threshold: float, size: tuple[int, int]
) -> NDArray[np.float32]:
    """Enlarge the map to the size of the picture, at most LONGEST on a side; cells above the threshold stay above."""
    shrink = min(1.0, LONGEST / max(size))
    height, width = (max(1, round(side * shrink)) for side in size)
    smooth = cv2.resize(
        scores.astype(np.float32, copy=False), (width, height), interpolation=cv2.INTER_LINEAR
    )
    fine: NDArray[np.float32] = np.minimum(smooth, scores.max()).astype(np.float32, copy=False)
    rows, columns = np.nonzero(scores > threshold)
    # Interpolation need not hit the middle of a cell, so a single high cell could sink below the threshold.
    centres = (
        ((2 * rows + 1) * height) // (2 * scores.shape[0]),
        ((2 * columns + 1) * width) // (2 * scores.shape[1]),
    )
    np.maximum.at(fine, centres, scores[rows, columns])
    return fine


def _check(scores: NDArray[np.float32], threshold: float, size: tuple[int, int]) -> None:
    if scores.ndim != 2 or scores.size == 0 or not np.isfinite(scores).all():
        raise ValueError(f"expected a map (h, w) of finite scores, got shape {scores.shape}")
    if not isfinite(threshold) or min(size) < 1:
        raise ValueError(
            f"expected a finite threshold and a size of at least 1 px, got {threshold}, {size}"
        )
