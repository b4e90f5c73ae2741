"""Drawn boards: dark lines and pads on a bright ground, and what can be wrong with them."""

from __future__ import annotations

import cv2
import numpy as np

PAD = (120, 90, 34, 34)
"""Left, top, width and height of a pad that stands alone, px."""


def board(seed: int = 0, side: int = 240) -> np.ndarray:
    """A board uint8 (side, side, 3): lines, pads and noise by `seed`; the layout is always the same."""
    layout = np.random.default_rng(7)
    grey = np.full((side, side), 205, np.float32)
    for place in layout.integers(12, side - 30, (9, 2)):
        cv2.rectangle(grey, place.tolist(), (place + layout.integers(8, 26, 2)).tolist(), 60, -1)
    for x in (20, 62, 200):
        cv2.line(grey, (x, 0), (x + 12, side), 60, 5)
    left, top, width, height = PAD
    grey[top - 10 : top + height + 10, left - 10 : left + width + 10] = 205
    grey[top : top + height, left : left + width] = 60
    grey += np.random.default_rng(seed).normal(0, 3, grey.shape)
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def without_pad(pixels: np.ndarray) -> np.ndarray:
    """The board without the pad that stands alone."""
    left, top, width, height = PAD
    changed = pixels.copy()
    changed[top - 1 : top + height + 1, left - 1 : left + width + 1] = 205
    return changed


def moved(pixels: np.ndarray, x: float, y: float, degrees: float = 0.0) -> np.ndarray:
    """The picture moved to the right and down by px, and turned."""
    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    matrix[:, 2] += x, y
    return cv2.warpAffine(pixels, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
