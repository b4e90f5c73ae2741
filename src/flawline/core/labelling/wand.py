"""The region that a click or a box means: flood fill and GrabCut, bounded in size and so in time.

GrabCut: Rother, Kolmogorov and Blake, "GrabCut: interactive foreground extraction using iterated graph cuts", ACM
Transactions on Graphics 23 (2004), 309-314, as OpenCV has it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.labelling.pieces import Box

Pixels = NDArray[np.uint8]
Region = tuple[Box, NDArray[np.bool_]]

REACH = 1024
"""A click reaches so many pixels to each side at most."""
GRAB_SIDE = 320
"""Longer side at most of the picture that GrabCut works on, px; larger boxes are cut out of a smaller copy."""
_MARGIN, _ITERATIONS = 0.35, 3


def flood_region(pixels: Pixels, x: int, y: int, tolerance: int) -> Region | None:
    """Find the connected pixels whose red, green and blue all lie within `tolerance` of those at (x, y).

    Args:
        pixels: uint8 RGB (H, W, 3).
        x, y: where somebody clicked, px.
        tolerance: 0 to 255 grey levels, each way.

    Returns:
        The box (left, top, width, height) and bool (height, width); at most `REACH` px away from the click. None
        where the click lies outside the picture.
    """
    height, width = pixels.shape[:2]
    if not (0 <= x < width and 0 <= y < height):
        return None
    left, top = max(0, x - REACH), max(0, y - REACH)
    # A copy: OpenCV takes no picture that is read-only.
    part = pixels[top : y + REACH + 1, left : x + REACH + 1].copy()
    found = np.zeros((part.shape[0] + 2, part.shape[1] + 2), np.uint8)
    same = (tolerance,) * 3
    flags = 8 | (1 << 8) | cv2.FLOODFILL_FIXED_RANGE | cv2.FLOODFILL_MASK_ONLY
    cv2.floodFill(part, found, (x - left, y - top), (0, 0, 0), same, same, flags)
    return _cropped(found[1:-1, 1:-1] > 0, left, top)


def grab_region(pixels: Pixels, box: Box) -> Region | None:
    """Find what stands out inside a box from what lies around it, by GrabCut.

    Args:
        pixels: uint8 RGB (H, W, 3).
        box: (left, top, width, height) around the object, px; it is cut off at the borders of the picture.

    Returns:
        The box of the region and bool (height, width); None where nothing stands out. Same input, same result.
    """
    inside = _inside(box, pixels.shape[:2])
    if inside is None:
        return None
    around = _grown(inside, pixels.shape[:2])
    left, top, width, height = around
    part = pixels[top : top + height, left : left + width]
    shrink = min(1.0, GRAB_SIDE / max(width, height))
    small = cv2.resize(part, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    labels = np.full(small.shape[:2], cv2.GC_BGD, np.uint8)
    rows = _span(inside[1] - top, inside[3], small.shape[0] / height, small.shape[0])
    columns = _span(inside[0] - left, inside[2], small.shape[1] / width, small.shape[1])
    labels[rows, columns] = cv2.GC_PR_FGD
    if (labels == cv2.GC_PR_FGD).all() or labels.size < 4:
        return inside, np.ones((inside[3], inside[2]), np.bool_)
    # OpenCV starts its colour models by k-means with a generator of its own.
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(small, labels, (0, 0, 1, 1), *models, _ITERATIONS, cv2.GC_INIT_WITH_MASK)
    front = ((labels == cv2.GC_PR_FGD) | (labels == cv2.GC_FGD)).astype(np.uint8)
    large = cv2.resize(front, (width, height), interpolation=cv2.INTER_NEAREST) > 0
    large[~_box_mask(inside, around)] = False
    return _cropped(large, left, top)


def _inside(box: Box, size: tuple[int, ...]) -> Box | None:
    left, top = max(0, box[0]), max(0, box[1])
    right, bottom = min(size[1], box[0] + box[2]), min(size[0], box[1] + box[3])
    return None if right <= left or bottom <= top else (left, top, right - left, bottom - top)


def _grown(box: Box, size: tuple[int, ...]) -> Box:
    """Grow a box by a margin to each side, in which GrabCut learns the background."""
    more = int(np.ceil(_MARGIN * max(box[2], box[3]))) + 4
    grown = _inside((box[0] - more, box[1] - more, box[2] + 2 * more, box[3] + 2 * more), size)
    assert grown is not None
    return grown


def _span(start: int, length: int, scale: float, total: int) -> slice:
    """Scale a span of pixels; it keeps at least one."""
    begin = min(int(start * scale), total - 1)
    return slice(begin, max(begin + 1, min(total, int(np.ceil((start + length) * scale)))))


def _box_mask(box: Box, around: Box) -> NDArray[np.bool_]:
    mask = np.zeros((around[3], around[2]), np.bool_)
    left, top = box[0] - around[0], box[1] - around[1]
    mask[top : top + box[3], left : left + box[2]] = True
    return mask


def _cropped(found: NDArray[np.bool_], left: int, top: int) -> Region | None:
    rows, columns = np.flatnonzero(found.any(axis=1)), np.flatnonzero(found.any(axis=0))
    if not len(rows):
        return None
    part = found[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    box = (left + int(columns[0]), top + int(rows[0]), part.shape[1], part.shape[0])
    return box, np.ascontiguousarray(part)
