"""Compute the reference of an alignment: the mean of good pictures, starting from the most typical one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.thinning import thinned
from flawline.core.view import registration as reg
from flawline.core.view.alignment import (
    LEAST_QUALITY,
    LONGER,
    METHODS,
    Alignment,
    AlignmentMethod,
    small_grey,
)
from flawline.core.view.polar import outer_radius, symmetry_centre
from flawline.core.view.registration import Floats, Matrix
from flawline.errors import UsageError

Each = Callable[[Callable[[Floats], Any], Iterable[Floats]], Iterable[Any]]
"""Applies a function to each item, in order, as `map` does."""

MOST_PICTURES = 48
_TRIALS, _COMPARED = 5, 10
# With fewer pictures, even unrelated ones resemble their mean.
_MANY = 20
_ROUNDS = 2
# Each round averages this share of the pictures: those most like the last reference.
_KEPT = 0.7
# A picture may lack this many times as much of perfect likeness as nearly all good pictures lack.
_LEEWAY = 1.5
_SAME_ASPECT = 0.01
# Below this likeness the pictures have nothing in common to align; unrelated pictures reach about half of it.
_LEAST_USUAL = 0.4


def fit_alignment(
    pictures: Iterable[NDArray[np.uint8]],
    method: AlignmentMethod,
    *,
    largest_angle: float = 180.0,
    each: Each = map,
) -> Alignment:
    """Fit an alignment to good pictures, uint8 (height, width, 3) or (height, width), of one shape.

    They are read one at a time and at most 48 small copies are stored. "rigid" searches turns of up to
    `largest_angle` degrees either way; choose it smaller for a part that looks the same after a smaller turn. `each`
    may apply what it is given on several threads.

    Raises:
        UsageError: an unknown method, no pictures, pictures of several shapes, an angle not above 0, or pictures that
            have nothing in common.
    """
    if method not in METHODS or not 0 < largest_angle <= 180:
        raise UsageError(
            f"expected a method out of {', '.join(METHODS)} and an angle above 0 and up to 180, "
            f"got {method!r} and {largest_angle}",
            hint="rigid finds parts in any position",
        )
    sizes: set[tuple[int, int]] = set()
    greys = thinned((_small(pixels, sizes) for pixels in pictures), MOST_PICTURES)
    if not greys:
        raise UsageError("expected pictures to align, got none", hint="give at least one")
    size = next(iter(sizes))
    trials = [_started(method, size, grey, largest_angle) for grey in _spread(greys, _TRIALS)]
    others = _spread(greys, _COMPARED)
    likes = [[like for _, like in each(trial.register, others)] for trial in trials]
    best = int(np.argmax([np.median(own) for own in likes]))
    alignment = trials[best]
    for _ in range(_ROUNDS):
        alignment = _averaged(alignment, greys, each)
    qualities = [like for _, like in each(alignment.register, greys)]
    if len(greys) < _MANY:
        qualities = sorted(likes[best])[:-1]
    return _with_limit(alignment, qualities)


def _spread(greys: list[Floats], most: int) -> list[Floats]:
    return greys[:: -(-len(greys) // most)]


def _with_limit(alignment: Alignment, qualities: list[float]) -> Alignment:
    if not qualities:
        return alignment
    low, usual = (float(value) for value in np.quantile(qualities, [0.05, 0.5]))
    if usual < _LEAST_USUAL:
        raise UsageError(
            f"the pictures cannot be aligned: their likeness is {usual:.2f}, expected {_LEAST_USUAL} or more",
            hint="leave the alignment out where the pictures show different parts, or try another method",
        )
    return replace(alignment, limit=max(LEAST_QUALITY, low - _LEEWAY * (1 - low)), usual=usual)


def _small(pixels: NDArray[np.uint8], sizes: set[tuple[int, int]]) -> Floats:
    height, width = pixels.shape[:2]
    first = next(iter(sizes), (height, width))
    if abs(height * first[1] / (width * first[0]) - 1) > _SAME_ASPECT:
        raise UsageError(
            f"expected pictures of one shape to align, got {first[1]} x {first[0]} px and {width} x {height} px",
            hint="leave the alignment out, or crop the pictures to one shape",
        )
    sizes.add(first)
    factor = min(1.0, LONGER / max(first))
    return small_grey(pixels, tuple(max(8, round(side * factor)) for side in first))


def _started(
    method: AlignmentMethod, size: tuple[int, int], grey: Floats, largest_angle: float
) -> Alignment:
    known = np.ones_like(grey)
    if method != "polar":
        return Alignment(method, size, grey, known, largest_angle)
    values = reg.structure(grey)
    centre = symmetry_centre(values)
    return Alignment(method, size, grey, known, centre=centre, radius=outer_radius(values, centre))


def _averaged(alignment: Alignment, greys: list[Floats], each: Each) -> Alignment:
    """Replace the reference by the mean of the pictures that are most like it, where parts usually lie."""
    poses = list(each(alignment.register, greys))
    alignment, usual = _usual_position(alignment, [motion for motion, _ in poses])
    enough = np.quantile([quality for _, quality in poses], 1 - _KEPT)
    total, weight = np.zeros_like(alignment.reference), np.zeros_like(alignment.reference)
    count = 0
    for grey, (motion, quality) in zip(greys, poses, strict=True):
        if quality >= enough:
            motion = usual @ motion
            shown = reg.moved(np.ones_like(grey), motion)
            total += shown * reg.moved(grey, motion, cv2.BORDER_REPLICATE)
            weight += shown
            count += 1
    mean = np.where(weight > 0, total / np.maximum(weight, 1e-6), alignment.reference)
    return replace(
        alignment, reference=mean.astype(np.float32), known=(weight / count).astype(np.float32)
    )


def _usual_position(alignment: Alignment, motions: list[Matrix]) -> tuple[Alignment, Matrix]:
    """Move a round part of a reference to where parts usually lie, in their usual size; returns the motion too.

    Begun with a part at the edge of its picture, or with a small one, the reference would move much of all others out
    of sight.
    """
    if alignment.method != "polar":
        return alignment, np.eye(3)
    back = [np.linalg.inv(motion) for motion in motions]
    x, y = np.median([motion @ [*alignment.centre, 1] for motion in back], axis=0)[:2]
    scale = float(np.median([math.sqrt(abs(np.linalg.det(motion[:2, :2]))) for motion in back]))
    usual = reg.shift(x - alignment.centre[0], y - alignment.centre[1]) @ reg.turn(
        alignment.centre, 0, scale
    )
    moved = replace(alignment, centre=(float(x), float(y)), radius=scale * alignment.radius)
    return moved, usual
