"""From probabilities of classes to the class that is marked at each pixel."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray


def class_mask_of(
    probabilities: NDArray[np.float32], thresholds: Sequence[float], *, smallest: int = 1
) -> NDArray[np.uint8]:
    """The class of a defect at each pixel, 0 where there is none.

    A pixel is marked with a class where the probability reaches the threshold of the class; where several do, with
    the one that exceeds its threshold by the largest factor, the first of equals.

    Args:
        probabilities: float32 (C, H, W), class 0 is the background.
        thresholds: C - 1 numbers above 0, one for each class of defects.
        smallest: 8-connected places of one class with fewer pixels are left out.

    Returns:
        uint8 (H, W).

    Raises:
        ValueError: the shapes do not fit, or a threshold is not above 0.
    """
    if probabilities.ndim != 3 or len(probabilities) != len(thresholds) + 1:
        raise ValueError(
            f"expected probabilities ({len(thresholds) + 1}, H, W), got {probabilities.shape}"
        )
    if not all(threshold > 0 for threshold in thresholds):
        raise ValueError(f"expected thresholds above 0, got {tuple(thresholds)}")
    marked = np.zeros(probabilities.shape[1:], np.uint8)
    best = np.full(probabilities.shape[1:], np.float32(1))
    for number, threshold in enumerate(thresholds, start=1):
        factor = probabilities[number] / np.float32(threshold)
        # The first class may just reach its threshold; a later one has to be better than those before.
        better = (factor >= best) & ((marked == 0) | (factor > best))
        marked[better] = number
        np.copyto(best, factor, where=better)
    return remove_small_regions(marked, smallest)


def remove_small_regions(marked: NDArray[np.uint8], smallest: int) -> NDArray[np.uint8]:
    """The same without 8-connected places of one class that have fewer pixels."""
    if smallest <= 1 or not marked.any():
        return marked
    kept = marked.copy()
    for number in np.unique(marked[marked > 0]).tolist():
        _, labels, stats, _ = cv2.connectedComponentsWithStats(
            (marked == number).astype(np.uint8), connectivity=8
        )
        small = stats[:, cv2.CC_STAT_AREA] < smallest
        small[0] = False
        kept[small[labels]] = 0
    return kept


def coarse_map(probabilities: NDArray[np.float32], step: int = 4) -> NDArray[np.float32]:
    """The highest probability of any class of defects in each block of `step` pixels: float32 (ceil(H / step), ...)."""
    highest = probabilities[1:].max(0)
    height, width = highest.shape
    padded = np.pad(highest, ((0, -height % step), (0, -width % step)), mode="edge")
    blocks = padded.reshape(padded.shape[0] // step, step, padded.shape[1] // step, step)
    return np.ascontiguousarray(blocks.max((1, 3)))
