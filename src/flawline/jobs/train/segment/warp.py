"""Cut patches out of pictures as they are, or rotated, mirrored, zoomed and bent in one interpolation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.view.framing import Size
from flawline.jobs.train.segment.pairs import Pair
from flawline.jobs.train.segment.segment_settings import Augmentation

_KNOTS = 6
_CENTRAL = 0.8
_NOTHING = np.empty(0, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Warp:
    """A transform of places in a patch to places in a picture.

    `matrix` (2, 2) is about the centres. `knots` (2, 6, 6) are shifts of x and y in pixels at places spread evenly over
    the patch, enlarged bicubically; None bends nothing.
    """

    matrix: NDArray[np.float64]
    knots: NDArray[np.float32] | None


def draw_warp(size: Size, settings: Augmentation, rng: np.random.Generator) -> Warp:
    """Draw a random warp for a patch of `size` (height, width)."""
    matrix = np.eye(2)
    if settings.rotation:
        angle = math.radians(rng.uniform(-settings.rotation, settings.rotation))
        cos, sin = math.cos(angle), math.sin(angle)
        matrix = np.array([[cos, -sin], [sin, cos]])
    if settings.zoom:
        matrix = matrix * (1 + settings.zoom) ** rng.uniform(-1, 1)
    if settings.flips:
        matrix = matrix * np.where(rng.random(2) < 0.5, -1.0, 1.0)
    knots = None
    if settings.elastic:
        knots = rng.normal(0, settings.elastic, (2, _KNOTS, _KNOTS)).astype(np.float32)
    return Warp(matrix, knots)


@lru_cache
def _along(length: int) -> NDArray[np.float32]:
    """Compute terms of the places along an axis, (length, 6 + 2): weights of knots, distance to the middle, and 1."""
    knots = np.eye(_KNOTS, dtype=np.float32)
    weights = cv2.resize(knots, (_KNOTS, length), interpolation=cv2.INTER_CUBIC)
    middle = np.arange(length, dtype=np.float32) - np.float32((length - 1) / 2)
    return np.column_stack([weights.reshape(length, _KNOTS), middle, np.ones_like(middle)])


def place_around(
    pixel: NDArray[np.int32], shape: Size, warp: Warp, size: Size, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draw a centre (2,) of x, y in a picture of `shape` whose patch shows a pixel, and the pixel's place in the patch.

    That place is anywhere in the inner part of the patch, so that a network does not learn to look at the middle; the
    bend moves it a little. The patch reaches beyond the picture only where it must.
    """
    middle = (np.array(size[::-1]) - 1) / 2
    offset = warp.matrix @ ((rng.random(2) - 0.5) * _CENTRAL * np.array(size[::-1]))
    for centre in (_inside(pixel - offset, shape, size), pixel - offset):
        inside = np.linalg.solve(warp.matrix, pixel - centre)
        if (np.abs(inside) <= middle).all():
            break
    return centre, inside + middle


def place_anywhere(shape: Size, size: Size, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw a centre (2,) of x, y for a patch of `size` in a picture of `shape`, reaching beyond it only if it must."""
    draw = rng.random(2)
    long, half = np.array(shape[::-1], np.float64), np.array(size[::-1]) / 2
    return np.where(long > 2 * half, half - 0.5 + draw * (long - 2 * half), (long - 1) / 2)


def cut_patch(pair: Pair, centre: NDArray[np.float64], warp: Warp, size: Size) -> Pair:
    """Cut the patch of `size` around a centre; beyond the edge of the picture it is reflected."""
    pixels, mask = pair
    if warp.knots is None and np.array_equal(np.abs(warp.matrix), np.eye(2)):
        # Move the centre so that the pixels of the patch fall on those of the picture.
        centre = np.floor(centre) + (np.array(size[::-1]) - 1) / 2 % 1
        x, y = _sources(centre, warp, size)
        rows = _reflected(y[:, 0].astype(np.int64), mask.shape[0])
        columns = _reflected(x[0].astype(np.int64), mask.shape[1])
        at = np.ix_(rows, columns)
        return pixels[at], mask[at]
    # Only the part in reach: cv2.remap takes no pictures of more than 32767 px.
    reach = _reach(warp, size)
    first, last = np.floor(centre - reach).astype(int), np.ceil(centre + reach).astype(int)
    # A reflection may show pixels farther inside than the patch reaches.
    mirrored = 2 * np.array(mask.shape[::-1]) - last - 3
    left, top = np.maximum(0, np.minimum(first - 1, mirrored)).tolist()
    right, bottom = np.maximum(last + 2, 2 - first).tolist()
    near = pixels[top:bottom, left:right], mask[top:bottom, left:right]
    x, y = _sources(centre - (left, top), warp, size)
    edge = cv2.BORDER_REFLECT_101
    return (
        np.asarray(cv2.remap(near[0], x, y, cv2.INTER_LINEAR, borderMode=edge), np.uint8),
        np.asarray(cv2.remap(near[1], x, y, cv2.INTER_NEAREST, borderMode=edge), np.uint8),
    )


def _reach(warp: Warp, size: Size) -> NDArray[np.float64]:
    """Bound the distance from its centre at which a patch still uses pixels of a picture, along x and y."""
    reach: NDArray[np.float64] = np.abs(warp.matrix) @ (np.array(size[::-1]) - 1) / 2
    if warp.knots is not None:
        # The weights of the knots, without their signs, add up to 1.375 at most along an axis: 1.9 along both.
        reach = reach + 2 * np.abs(warp.knots).max((1, 2))
    return reach


def _sources(
    centre: NDArray[np.float64], warp: Warp, size: Size
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Compute the place in the picture of each patch pixel: x and y, (h, w) each, to 1/256 px up to 65536 px."""
    parts = np.zeros((2, _KNOTS + 2, _KNOTS + 2), np.float32)
    if warp.knots is not None:
        parts[:, :_KNOTS, :_KNOTS] = warp.knots
    parts[:, -1, -2], parts[:, -2, -1] = warp.matrix.T
    parts[:, -1, -1] = centre
    down, across = _along(size[0]), _along(size[1])
    x, y = (_product(_product(down, part), across, cv2.GEMM_2_T) for part in parts)
    return x, y


def _product(one: NDArray[np.float32], other: NDArray[np.float32], flags: int = 0) -> Any:
    # Not by NumPy, whose threads wait busily for more products and hold up the training step that follows.
    return cv2.gemm(one, other, 1, _NOTHING, 0, flags=flags)


def _inside(centre: NDArray[np.float64], shape: tuple[int, ...], size: Size) -> NDArray[np.float64]:
    """Find the nearest centre at which the patch stays inside the picture, or the middle where it is larger."""
    long, half = np.array(shape[::-1]), np.array(size[::-1]) / 2
    low, high = half - 0.5, long - half - 0.5
    return np.where(low <= high, np.clip(centre, low, high), (long - 1) / 2)


def _reflected(places: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """Mirror whole places beyond an axis about its first and last pixel."""
    if length == 1:
        return np.zeros_like(places)
    period = 2 * (length - 1)
    folded = np.abs(places) % period
    mirrored: NDArray[np.int64] = np.minimum(folded, period - folded)
    return mirrored
