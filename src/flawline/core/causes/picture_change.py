"""Measure how much the pictures of one place have changed since its first shots, without labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.view.alignment import Alignment
from flawline.core.view.alignment_training import fit_alignment
from flawline.core.view.registration import DARK

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

_LONGEST = 1130
"""Longer side at most of what is compared, px."""
# Fine structure: smoothed by this many px, without what is wider than this share of the longer side.
_FINE, _WIDE = 1.5, 0.01
_STEPS = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 40, 1e-4)


@dataclass(frozen=True, slots=True, eq=False)
class FirstLook:
    """What a place looked like on its first shots.

    `alignment` finds the place in other pictures, `structure` float32 (h, w) is the mean fine structure of the first.
    """

    alignment: Alignment
    structure: Floats

    def change(self, pixels: Pixels) -> float:
        """Measure the change of a picture uint8 (height, width, 3): 0 as at first, 100 nothing alike, in percent.

        100 times one less the correlation of its fine structure with that of the first shots, after the affine motion
        that makes them most alike. Light that becomes brighter changes nothing. A picture of another size is stretched
        to that of the first.
        """
        own = _structure(_resized(pixels, self.structure.shape))
        moved, covered = _onto(self.structure, own, _start(self.alignment, pixels, own.shape))
        alike = _correlation(self.structure[covered], moved[covered])
        return 100 * (1 - min(max(alike, 0.0), 1.0))


def first_look(pictures: Sequence[Pixels]) -> FirstLook:
    """Learn the look of a place from its first shots, uint8 (height, width, 3), of one shape.

    Raises:
        UsageError: no picture, pictures of several shapes, or pictures that have nothing in common.
    """
    alignment = fit_alignment(pictures, "shift")
    height, width = alignment.size
    shrink = min(1.0, _LONGEST / max(height, width))
    shape = max(1, round(height * shrink)), max(1, round(width * shrink))
    first, *others = [_structure(_resized(pixels, shape)) for pixels in pictures]
    total, count = first.copy(), np.ones(shape, np.float32)
    for pixels, own in zip(pictures[1:], others, strict=True):
        moved, covered = _onto(first, own, _start(alignment, pixels, shape))
        total += np.where(covered, moved, 0)
        count += covered
    return FirstLook(alignment, np.asarray(total / count, np.float32))


def _resized(pixels: Pixels, shape: tuple[int, ...]) -> Pixels:
    if pixels.shape[:2] == shape:
        return pixels
    resized = cv2.resize(pixels, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
    return np.asarray(resized, np.uint8)


def _structure(pixels: Pixels) -> Floats:
    """Compute what is fine in the logarithms of grey levels, in which a change of light is a shift."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    levels = np.log(cv2.GaussianBlur(grey, (0, 0), 1.0) + DARK)
    detail = levels - cv2.GaussianBlur(levels, (0, 0), max(2.0, _WIDE * max(grey.shape)))
    return np.asarray(cv2.GaussianBlur(detail, (0, 0), _FINE), np.float32)


def _start(alignment: Alignment, pixels: Pixels, shape: tuple[int, ...]) -> Floats:
    """Return the motion (2, 3) from places of the first shots to those of a picture, in pixels of the structure."""
    own = pixels
    if pixels.shape[:2] != alignment.size:
        own = _resized(pixels, alignment.size)
    pose = alignment.find(own)
    matrix = np.vstack([pose.matrix, [0, 0, 1]]) if pose.found else np.eye(3)
    back = np.linalg.inv(matrix)[:2].astype(np.float32)
    back[0, 2] *= shape[1] / alignment.size[1]
    back[1, 2] *= shape[0] / alignment.size[0]
    return back


def _onto(reference: Floats, own: Floats, start: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Move structure onto the reference by an affine motion, found at half the size; returns what is covered too."""
    small = [
        cv2.resize(one, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        for one in (reference, own)
    ]
    motion = start.copy()
    motion[:, 2] /= 2
    try:
        _, motion = cv2.findTransformECC(
            *small,
            motion,
            cv2.MOTION_AFFINE,
            _STEPS,
            None,
            5,  # type: ignore[call-overload]
        )
        motion = motion.copy()
        motion[:, 2] *= 2
    except cv2.error:  # nothing in common: compared where it is
        motion = start
    size = reference.shape[::-1]
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(own, motion, size, flags=how)
    inside = cv2.warpAffine(np.ones_like(own), motion, size, flags=how)
    return np.asarray(moved, np.float32), np.asarray(inside > 0.999)


def _correlation(one: Floats, other: Floats) -> float:
    if one.size < 2:
        return 0.0
    a, b = (values.astype(np.float64) - float(values.mean()) for values in (one, other))
    power = float((a @ a) * (b @ b))
    return float(a @ b) / power**0.5 if power > 0 else 0.0
