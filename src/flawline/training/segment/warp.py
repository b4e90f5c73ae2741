"""Patches out of pictures: cut as they are, or turned, mirrored, zoomed and bent in one interpolation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.view.framing import Size
from flawline.training.segment.pairs import Pair
from flawline.training.segment.settings import Augmentation

_KNOTS = 6
_CENTRAL = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class Warp:
    """From places in a patch to those in a picture: `matrix` (2, 2) about the centres; `bend` (h, w, 2) or None."""

    matrix: NDArray[np.float64]
    bend: NDArray[np.float32] | None


def draw_warp(size: Size, wishes: Augmentation, rng: np.random.Generator) -> Warp:
    """A random warp for a patch of `size` (height, width)."""
    matrix = np.eye(2)
    if wishes.rotation:
        angle = math.radians(rng.uniform(-wishes.rotation, wishes.rotation))
        cos, sin = math.cos(angle), math.sin(angle)
        matrix = np.array([[cos, -sin], [sin, cos]])
    if wishes.zoom:
        matrix = matrix * (1 + wishes.zoom) ** rng.uniform(-1, 1)
    if wishes.flips:
        matrix = matrix * np.where(rng.random(2) < 0.5, -1.0, 1.0)
    bend = None
    if wishes.elastic:
        knots = rng.normal(0, wishes.elastic, (2, _KNOTS, _KNOTS)).astype(np.float32)
        smooth = _cubic(size[0]) @ knots @ _cubic(size[1]).T
        bend = np.moveaxis(np.asarray(smooth, np.float32), 0, -1)
    return Warp(matrix, bend)


@lru_cache
def _cubic(length: int) -> NDArray[np.float32]:
    """The weights (length, knots) of each knot in a bicubic enlargement along one axis."""
    knots = np.eye(_KNOTS, dtype=np.float32)
    return np.asarray(cv2.resize(knots, (_KNOTS, length), interpolation=cv2.INTER_CUBIC))


def place_around(
    pixel: NDArray[np.int32], shape: Size, warp: Warp, size: Size, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A centre (2,) of x, y in a picture of `shape` for which the patch shows a pixel, and where in the patch.

    That is anywhere in the inner part of the patch, so that a network does not learn to look at the middle; the bend
    moves it a little. The patch reaches beyond the picture only where it must.
    """
    middle = (np.array(size[::-1]) - 1) / 2
    offset = warp.matrix @ ((rng.random(2) - 0.5) * _CENTRAL * np.array(size[::-1]))
    for centre in (_inside(pixel - offset, shape, size), pixel - offset):
        inside = np.linalg.solve(warp.matrix, pixel - centre)
        if (np.abs(inside) <= middle).all():
            break
    return centre, inside + middle


def place_anywhere(shape: Size, size: Size, rng: np.random.Generator) -> NDArray[np.float64]:
    """A centre (2,) of x, y for a patch of `size` in a picture of `shape`, reaching beyond it only where it must."""
    draw = rng.random(2)
    long, half = np.array(shape[::-1], np.float64), np.array(size[::-1]) / 2
    return np.where(long > 2 * half, half - 0.5 + draw * (long - 2 * half), (long - 1) / 2)


def cut_patch(pair: Pair, centre: NDArray[np.float64], warp: Warp, size: Size) -> Pair:
    """The patch of `size` around a centre; what lies beyond the picture is the picture reflected at its edge."""
    pixels, mask = pair
    if warp.bend is None and np.array_equal(np.abs(warp.matrix), np.eye(2)):
        # To where the pixels of the patch fall on those of the picture.
        centre = np.floor(centre) + (np.array(size[::-1]) - 1) / 2 % 1
        x, y = _sources(centre, warp, size)
        rows = _reflected(y[:, 0].astype(np.int64), mask.shape[0])
        columns = _reflected(x[0].astype(np.int64), mask.shape[1])
        at = np.ix_(rows, columns)
        return pixels[at], mask[at]
    x, y = _sources(centre, warp, size)
    # The part that is touched: cv2.remap takes no pictures of more than 32767 px.
    left, top = max(0, math.floor(x.min()) - 1), max(0, math.floor(y.min()) - 1)
    right, bottom = math.ceil(x.max()) + 2, math.ceil(y.max()) + 2
    # A reflection may show what lies farther in than the patch reaches.
    left, top = (
        min(left, max(0, 2 * mask.shape[1] - right - 1)),
        min(top, max(0, 2 * mask.shape[0] - bottom - 1)),
    )
    right, bottom = max(right, 2 - math.floor(x.min())), max(bottom, 2 - math.floor(y.min()))
    near = pixels[top:bottom, left:right], mask[top:bottom, left:right]
    x, y = x - np.float32(left), y - np.float32(top)
    edge = cv2.BORDER_REFLECT_101
    return (
        np.asarray(cv2.remap(near[0], x, y, cv2.INTER_LINEAR, borderMode=edge), np.uint8),
        np.asarray(cv2.remap(near[1], x, y, cv2.INTER_NEAREST, borderMode=edge), np.uint8),
    )


def _sources(
    centre: NDArray[np.float64], warp: Warp, size: Size
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where in the picture each pixel of the patch is from: x and y, (h, w) each."""
    across = np.arange(size[1]) - (size[1] - 1) / 2
    down = np.arange(size[0])[:, None] - (size[0] - 1) / 2
    (a, b), (c, d) = warp.matrix
    # The larger half of the work is here: in float32, to 1/256 px in pictures as wide as 65536 px.
    x = (centre[0] + a * across).astype(np.float32) + (b * down).astype(np.float32)
    y = (centre[1] + c * across).astype(np.float32) + (d * down).astype(np.float32)
    if warp.bend is not None:
        x += warp.bend[..., 0]
        y += warp.bend[..., 1]
    return x, y


def _inside(centre: NDArray[np.float64], shape: tuple[int, ...], size: Size) -> NDArray[np.float64]:
    """The nearest centre at which the patch stays inside the picture, or in the middle where it is larger."""
    long, half = np.array(shape[::-1]), np.array(size[::-1]) / 2
    low, high = half - 0.5, long - half - 0.5
    return np.where(low <= high, np.clip(centre, low, high), (long - 1) / 2)


def _reflected(places: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """Whole places along an axis, those beyond it mirrored about its first and last pixel."""
    if length == 1:
        return np.zeros_like(places)
    period = 2 * (length - 1)
    folded = np.abs(places) % period
    mirrored: NDArray[np.int64] = np.minimum(folded, period - folded)
    return mirrored
