"""Masks with drawn defects, for tests and benchmarks; nothing here is a photograph."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def random_masks(count: int, side: int = 320, seed: int = 0) -> list[NDArray[np.uint8]]:
    """Masks with about five stains (class 2) and two curved scratches (class 1) each, some of them empty.

    Counts and sizes are near those of the public heat sink masks: stains of some 20 px, scratches of some 50.
    """
    rng = np.random.default_rng(seed)
    return [_random_mask(rng, side) for _ in range(count)]


def _random_mask(rng: np.random.Generator, side: int) -> NDArray[np.uint8]:
    mask = np.zeros((side, side), np.uint8)
    for _ in range(rng.poisson(5)):
        centre = rng.integers(0, side, 2).tolist()
        radii = np.maximum(1, np.exp(rng.normal(np.log(8), 0.55, 2))).astype(int).tolist()
        cv2.ellipse(mask, centre, radii, rng.uniform(0, 180), 0, 360, 2, -1)
    for _ in range(rng.poisson(2)):
        length, bend = rng.uniform(30, 160), rng.normal(0, 0.01)
        along = np.linspace(0, length, 20)
        angle = rng.uniform(0, 2 * np.pi) + bend * along
        steps = np.stack([np.cos(angle), np.sin(angle)], axis=1) * length / 20
        points = (rng.uniform(0, side, 2) + np.cumsum(steps, axis=0)).astype(np.int32)
        cv2.polylines(mask, [points], False, 1, int(rng.integers(2, 8)))
    return mask


def coverage(shape: tuple[int, int], inside, fine: int = 8) -> NDArray[np.float32]:
    """How much of each pixel a shape covers, float32 (h, w) of 0 to 1.

    `inside` takes x and y in pixels from the top left corner and tells which points are inside.
    """
    height, width = shape
    y, x = np.mgrid[: height * fine, : width * fine]
    found = inside((x + 0.5) / fine, (y + 0.5) / fine)
    cells = found.reshape(height, fine, width, fine)
    return cells.mean(axis=(1, 3)).astype(np.float32)


def disc(x: float, y: float, radius: float):
    """Points within `radius` of (x, y)."""
    return lambda px, py: np.hypot(px - x, py - y) < radius


def bar(x: float, y: float, length: float, width: float, angle: float):
    """Points of a rectangle around (x, y) whose length lies at `angle` degrees from x towards y."""
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return lambda px, py: (
        (np.abs((px - x) * cos + (py - y) * sin) < length / 2)
        & (np.abs((py - y) * cos - (px - x) * sin) < width / 2)
    )


def arc(x: float, y: float, radius: float, width: float, begin: float, sweep: float):
    """Points of a curved band of `width` around an arc from `begin` over `sweep` degrees, cut square."""

    def inside(px, py):
        angle = np.degrees(np.arctan2(py - y, px - x)) - begin
        ring = np.abs(np.hypot(px - x, py - y) - radius) < width / 2
        return ring & (angle % 360 < sweep)

    return inside
