"""Draw pictures for people: small copies, heat maps over grey, outlines of regions."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.colours import CLASSES, VERMILION, rgb
from flawline.types import Region

SIDE = 320
# Outlined in black: visible on dark and bright ground.
_OUTLINE = rgb(VERMILION)


def thumbnail(pixels: NDArray[np.uint8], side: int = SIDE) -> NDArray[np.uint8]:
    """Shrink uint8 RGB (h, w, 3) to at most `side` pixels on the longer side; smaller pictures stay."""
    scale = side / max(pixels.shape[:2])
    if scale >= 1:
        return pixels
    width = max(1, round(pixels.shape[1] * scale))
    height = max(1, round(pixels.shape[0] * scale))
    return np.asarray(
        cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8
    )


def heat_overlay(
    pixels: NDArray[np.uint8], heat: NDArray[np.float32], low: float, high: float
) -> NDArray[np.uint8]:
    """Lay a map (h, w) over a picture: nothing at `low` and below, full colour at `high`.

    Colours are OpenCV's Inferno, monotone in lightness; the picture below is grey so that only heat has colour.
    """
    height, width = pixels.shape[:2]
    smooth = cv2.resize(heat, (width, height), interpolation=cv2.INTER_CUBIC)
    level = np.clip((smooth - low) / max(high - low, 1e-12), 0, 1).astype(np.float32)
    colours = cv2.applyColorMap((level * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32)
    weight = 0.75 * level[..., None]
    blended: NDArray[np.uint8] = np.rint(grey * (1 - weight) + colours * weight).astype(np.uint8)
    return blended


def class_overlay(pixels: NDArray[np.uint8], class_mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Tint a picture uint8 RGB (h, w, 3) by the class of each pixel, uint8 (H, W) of any size, 0 for none."""
    height, width = pixels.shape[:2]
    small = cv2.resize(class_mask, (width, height), interpolation=cv2.INTER_NEAREST)
    drawn = pixels.copy()
    for number in np.unique(small[small > 0]).tolist():
        tint = np.array(class_colour(number), np.float32)
        there = small == number
        drawn[there] = np.rint(0.6 * pixels[there] + 0.4 * tint).astype(np.uint8)
    return drawn


def class_colour(number: int) -> tuple[int, int, int]:
    """Look up the colour of a class of defects, counted from 1; the palette begins again after its last."""
    return rgb(CLASSES[(number - 1) % len(CLASSES)])


def outline_regions(
    pixels: NDArray[np.uint8],
    regions: Iterable[Region],
    scale: float,
    colour: tuple[int, int, int] = _OUTLINE,
) -> None:
    """Draw the contours of regions, given in pixels of the whole picture, into a copy of it at `scale`."""
    wide = max(1, round(min(pixels.shape[:2]) / 200))
    for region in regions:
        points = np.rint(region.contour * scale - 0.5).astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(pixels, [points], True, (0, 0, 0), wide + 2, cv2.LINE_AA)
        cv2.polylines(pixels, [points], True, colour, wide, cv2.LINE_AA)
        if len(points) < 3:
            x, y = (int(value) for value in points.reshape(-1, 2).mean(axis=0))
            cv2.circle(pixels, (x, y), 4 + wide, colour, wide, cv2.LINE_AA)
