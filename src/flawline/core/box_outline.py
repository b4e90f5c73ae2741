"""Estimate which pixels of an annotated box belong to its object.

After A. Khoreva, R. Benenson, J. Hosang, M. Hein and B. Schiele, "Simple Does It: Weakly Supervised Instance and
Semantic Segmentation", CVPR 2017, section 3: GrabCut is run several times with other surroundings and slightly other
boxes; what most runs mark is the object, what few mark is background, the rest is not known. GrabCut is that of
C. Rother, V. Kolmogorov and A. Blake, "GrabCut", SIGGRAPH 2004.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.segmentation_metrics import IGNORE

Box = tuple[int, int, int, int]
"""Left, top, width and height, px."""

OBJECT_SHARE, BACKGROUND_SHARE = 0.7, 0.2
"""A pixel that at least the first share of the runs marks is the object; below the second it is background."""
INNER = 0.2
"""Share of a box that is certainly its object: the pixels least like the surroundings, or those around its middle."""
_SMALL = 6
_LEAST_AROUND = 12
_ROUNDS = 3
# GrabCut runs on boxes of at most so many pixels: its time grows faster than they do.
_MOST_PIXELS = 4096
# Surroundings as a share of the box on each side, and by which share of its sides the box is moved inwards.
_RUNS = ((0.2, 0.0), (0.4, 0.0), (0.7, 0.0), (0.3, 0.05), (0.6, 0.05))


def outline_in_box(
    pixels: NDArray[np.uint8], box: Box, boxed: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Estimate the object in a box: 1 where it is, 0 where it is not, `IGNORE` where that is not known.

    At least one pixel is 1. A box with a side of less than 6 px is all object. Where the box has no surroundings, as
    one of the whole picture, the middle fifth is the object and the rest is not known. Equal arguments give equal
    bytes.

    Args:
        pixels: uint8 (H, W, 3).
        box: at least 1 px wide and high, inside the picture.
        boxed: bool (H, W), True in every annotated box of the picture; all else is background.

    Returns:
        uint8 (height, width) of the box.
    """
    _, _, width, height = box
    if min(width, height) < _SMALL:
        return np.ones((height, width), np.uint8)
    runs = [_cut(pixels, box, boxed, around, inwards) for around, inwards in _RUNS]
    known = [run for run in runs if run is not None]
    if 2 * len(known) <= len(_RUNS):
        return _middle(width, height)
    share = np.mean(known, axis=0)
    found = np.where(share < BACKGROUND_SHARE, np.uint8(0), np.uint8(IGNORE))
    certain = (share >= OBJECT_SHARE).astype(np.uint8)
    # Estimated borders are right to about a pixel.
    found[cv2.dilate(certain, np.ones((3, 3), np.uint8)) > 0] = IGNORE
    found[certain > 0] = 1
    return found if (found == 1).any() else _middle(width, height)


def _cut(
    pixels: NDArray[np.uint8], box: Box, boxed: NDArray[np.bool_], around: float, inwards: float
) -> NDArray[np.bool_] | None:
    """Run GrabCut once, bool (height, width) of the box; None where there is too little background to learn from."""
    left, top, width, height = box
    extra_x, extra_y = (max(_LEAST_AROUND, round(side * around)) for side in (width, height))
    first_x, first_y = max(0, left - extra_x), max(0, top - extra_y)
    window = np.s_[first_y : top + height + extra_y, first_x : left + width + extra_x]
    in_x, in_y = round(width * inwards), round(height * inwards)
    own = np.zeros_like(boxed[window])
    inside = np.s_[top - first_y :, left - first_x :]
    own[inside][in_y : height - in_y, in_x : width - in_x] = True
    smaller = min(1.0, (_MOST_PIXELS / (width * height)) ** 0.5)
    part = _resized(pixels[window], smaller, cv2.INTER_AREA)
    own_small, others = (
        _resized(one.view(np.uint8), smaller, cv2.INTER_NEAREST) > 0 for one in (own, boxed[window])
    )
    trimap = _trimap(part, own_small, others)
    if trimap is None:
        return None
    # The components of colour begin at pixels drawn by the generator of this thread.
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    # The rectangle counts only where there is no mask.
    cv2.grabCut(part, trimap, (0, 0, 0, 0), *models, _ROUNDS, cv2.GC_INIT_WITH_MASK)
    marked = np.isin(trimap, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    size = (own.shape[1], own.shape[0])
    whole = cv2.resize(marked, size, interpolation=cv2.INTER_NEAREST)
    return np.asarray(whole[inside][:height, :width] > 0)


def _trimap(
    pixels: NDArray[np.uint8], own: NDArray[np.bool_], boxed: NDArray[np.bool_]
) -> NDArray[np.uint8] | None:
    """Start GrabCut: certain object where the box is least like its surroundings, else it may find nothing at all."""
    # What lies in other boxes may be an object too: not certain background.
    trimap = np.where(boxed, np.uint8(cv2.GC_PR_BGD), np.uint8(cv2.GC_BGD))
    sure = trimap == cv2.GC_BGD
    if min(sure.sum(), own.sum()) < _SMALL**2:
        return None
    unlike = _unlikeness(pixels, sure)
    trimap[own] = cv2.GC_PR_FGD
    low, high = np.quantile(unlike[own], (INNER, 1 - INNER))
    trimap[own & (unlike <= low)] = cv2.GC_PR_BGD
    trimap[own & (unlike >= high)] = cv2.GC_FGD
    return trimap


def _unlikeness(pixels: NDArray[np.uint8], sure: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Compute the squared Mahalanobis distance of smoothed colours to those of the certain background, (H, W)."""
    smooth = cv2.GaussianBlur(pixels, (0, 0), 1.0).astype(np.float64)
    away = smooth - smooth[sure].mean(0)
    spread = away[sure].T @ away[sure] / sure.sum() + np.eye(3)
    return np.asarray(np.einsum("ijk,kl,ijl->ij", away, np.linalg.inv(spread), away))


def _resized(values: NDArray[np.uint8], scale: float, interpolation: int) -> NDArray[np.uint8]:
    if scale == 1:
        return np.ascontiguousarray(values)
    size = tuple(max(1, round(side * scale)) for side in values.shape[1::-1])
    return np.asarray(cv2.resize(values, size, interpolation=interpolation), np.uint8)


def _middle(width: int, height: int) -> NDArray[np.uint8]:
    found = np.full((height, width), IGNORE, np.uint8)
    high, wide = (max(1, round(side * INNER**0.5)) for side in (height, width))
    top, left = (height - high) // 2, (width - wide) // 2
    found[top : top + high, left : left + wide] = 1
    return found
