"""Compute the class mask of a picture from the probabilities of its classes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import cv2
import numpy as np
from numpy.typing import NDArray


def class_mask_of(
    probabilities: NDArray[np.float32],
    thresholds: Sequence[float],
    *,
    smallest: int | Sequence[int] = 1,
) -> NDArray[np.uint8]:
    """Compute the class of defects at each pixel, 0 for none.

    A pixel gets a class where the probability reaches the threshold of the class; of several, the one that exceeds
    its threshold by the largest factor, the first of equals.

    Args:
        probabilities: float32 (C, H, W), class 0 is the background.
        thresholds: C - 1 numbers above 0, one for each class of defects.
        smallest: 8-connected regions of one class with fewer pixels are removed; one number, or one for each class of
            defects.

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
    class_mask = np.zeros(probabilities.shape[1:], np.uint8)
    best = np.full(probabilities.shape[1:], np.float32(1))
    for number, threshold in enumerate(thresholds, start=1):
        factor = probabilities[number] / np.float32(threshold)
        # The first class may just reach its threshold; a later one has to be better than those before.
        better = (factor >= best) & ((class_mask == 0) | (factor > best))
        class_mask[better] = number
        np.copyto(best, factor, where=better)
    return remove_small_regions(class_mask, smallest)


def remove_small_regions(
    class_mask: NDArray[np.uint8], smallest: int | Sequence[int]
) -> NDArray[np.uint8]:
    """Remove 8-connected regions of one class with fewer than `smallest` pixels, one number or one for each class."""
    highest = int(class_mask.max(initial=0))
    areas = [smallest] * highest if isinstance(smallest, int) else list(smallest)
    if max(areas, default=1) <= 1 or not highest:
        return class_mask
    cleaned = class_mask.copy()
    for number in np.unique(class_mask[class_mask > 0]).tolist():
        _, labels, stats, _ = cv2.connectedComponentsWithStats(
            (class_mask == number).astype(np.uint8), connectivity=8
        )
        small = stats[:, cv2.CC_STAT_AREA] < areas[number - 1]
        small[0] = False
        cleaned[small[labels]] = 0
    return cleaned


def region_areas(
    class_mask: NDArray[np.uint8], number: int, touching: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Count the pixels of each 8-connected region of a class, and tell which touch some pixels: int64, bool (N,)."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        (class_mask == number).astype(np.uint8), connectivity=8
    )
    touches = np.bincount(np.asarray(labels)[touching], minlength=count) > 0
    return np.asarray(stats[1:, cv2.CC_STAT_AREA], np.int64), touches[1:]


def coarse_map(probabilities: NDArray[np.float32], step: int = 4) -> NDArray[np.float32]:
    """Reduce to the highest defect probability in each block of `step` pixels: float32 (ceil(H / step), ...)."""
    highest = probabilities[1:].max(0)
    height, width = highest.shape
    padded = np.pad(highest, ((0, -height % step), (0, -width % step)), mode="edge")
    # Row by row and then column by column: a maximum over axes of four numbers each takes ten times as long.
    rows = reduce(np.maximum, (padded[first::step] for first in range(step)))
    return np.ascontiguousarray(reduce(np.maximum, (rows[:, first::step] for first in range(step))))
