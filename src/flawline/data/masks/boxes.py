"""Rasterise boxes and ellipses, upright or turned."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from flawline.data.masks.shapes import BrokenShape, Mask, check_points, paint_polygon


def paint_box(
    corner: tuple[float, float],
    size: tuple[float, float],
    rotation: float,
    mask: Mask,
    value: int,
    *,
    about_corner: bool = False,
) -> None:
    """Paint a box: `corner` (x, y) and `size` (width, height) in px, `rotation` clockwise in degrees.

    It turns about its centre, or about its first corner, the top left one of the box before it was turned.

    Raises:
        BrokenShape: no width or height, or a box far outside the picture.
    """
    (x, y), (width, height) = corner, size
    if not (math.isfinite(x + y + width + height + rotation) and min(width, height) > 0):
        raise BrokenShape(
            f"expected a box with a width and a height, got {width:g} x {height:g} px at ({x:g}, {y:g})"
        )
    box = np.array([(x, y), (x + width, y), (x + width, y + height), (x, y + height)])
    pivot = box[0] if about_corner else box.mean(axis=0)
    paint_polygon((box - pivot) @ _turn(rotation) + pivot, mask, value)


def paint_ellipse(
    centre: tuple[float, float],
    radii: tuple[float, float],
    rotation: float,
    mask: Mask,
    value: int,
) -> None:
    """Set the pixels of `mask` whose centres lie inside an ellipse, turned clockwise by `rotation` degrees; all in px.

    Raises:
        BrokenShape: a radius is not above 0, or the ellipse lies far outside the picture.
    """
    if not (math.isfinite(sum(centre) + sum(radii) + rotation) and min(radii) > 0):
        raise BrokenShape(f"expected radii above 0, got {radii[0]:g} and {radii[1]:g} px")
    middle, turn = np.array(centre, np.float64), _turn(rotation)
    # Half the width and height of the upright box around it.
    reach = np.hypot(*(np.array(radii)[:, None] * turn))
    height, width = mask.shape
    check_points(np.stack([middle, middle - reach, middle + reach]), height, width)
    left, top = np.floor(middle - reach).clip(0, (width, height)).astype(int)
    right, bottom = np.ceil(middle + reach).clip(0, (width, height)).astype(int)
    x = np.arange(left, right) + 0.5 - middle[0]
    y = (np.arange(top, bottom) + 0.5 - middle[1])[:, None]
    along, across = x * turn[0, 0] + y * turn[0, 1], x * turn[1, 0] + y * turn[1, 1]
    inside = (along / radii[0]) ** 2 + (across / radii[1]) ** 2 <= 1
    mask[top:bottom, left:right][inside] = value


def _turn(degrees: float) -> NDArray[np.float64]:
    """Make the matrix whose rows are the axes x and y after a clockwise turn of the picture (y points down)."""
    angle = math.radians(degrees)
    cosine, sine = math.cos(angle), math.sin(angle)
    return np.array([[cosine, sine], [-sine, cosine]])
