"""Recognise masks whose grey levels are smoothed edges and no classes."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.errors import ImageError

MOST_LEVELS = 16
"""Most grey levels above 0 that are taken for classes without names."""
_SURE = 4
_BLOCK = 1 << 20
_AROUND = np.ones((3, 3), np.uint8)


def level_counts(mask: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Count the pixels of each of 256 levels, int64 (256,); NumPy alone would take 8 bytes more for each pixel."""
    flat = mask.reshape(-1)
    counts = np.zeros(256, np.int64)
    for start in range(0, flat.size, _BLOCK):
        counts += np.bincount(flat[start : start + _BLOCK], minlength=256)
    return counts


def check_levels(mask: NDArray[np.uint8], *, inner: int = 2, most: int = MOST_LEVELS) -> None:
    """Refuse a mask (height, width) with more than `most` levels above 0, or with smoothed edges.

    Its edges are smoothed where it has `inner` levels or more below its highest, and most of their pixels have both a
    lower and a higher neighbour: the ramp from background to defect.

    Raises:
        ImageError: ("image-mask-value") it has.
    """
    levels = np.flatnonzero(level_counts(mask)[1:]) + 1
    many = len(levels) > most
    if many or (len(levels) > inner and _on_ramps(mask, int(levels[-1]))):
        raise ImageError(
            f"expected classes, got {len(levels)} grey levels up to {levels[-1]}"
            + ("" if many else ", most of them on smoothed edges"),
            hint="Name the classes with `classes`, or cut a mask of two levels with `threshold=128`.",
            code="image-mask-value",
        )


def _on_ramps(mask: NDArray[np.uint8], highest: int) -> bool:
    below = (mask > 0) & (mask < highest)
    between = below & (cv2.erode(mask, _AROUND) < mask) & (cv2.dilate(mask, _AROUND) > mask)
    count = int(below.sum())
    return count >= _SURE and 2 * int(between.sum()) > count
