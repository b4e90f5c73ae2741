"""Run lengths of regions, as COCO writes them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Box = tuple[int, int, int, int]


def column_runs(pixels: NDArray[np.bool_], box: Box, size: tuple[int, int]) -> tuple[int, ...]:
    """Return lengths of pixels outside and inside a region in turn, down the columns of a picture.

    Args:
        pixels: bool (h, w), the region within its box.
        box: (left, top, width, height) in px, within the picture.
        size: (height, width) of the picture, px.
    """
    left, top, width, _ = box
    columns = np.zeros((width, size[0]), np.bool_)
    columns[:, top : top + pixels.shape[0]] = pixels.T
    return _lengths(columns.ravel(), left * size[0], size[0] * size[1])


def row_runs(pixels: NDArray[np.bool_]) -> tuple[int, ...]:
    """Return lengths of pixels outside and inside a region in turn, along the rows of its box, bool (h, w)."""
    return _lengths(pixels.ravel(), 0, pixels.size)


def _lengths(flat: NDArray[np.bool_], start: int, total: int) -> tuple[int, ...]:
    """Lengths of the runs of `total` pixels, of which `flat` begins at `start` and all others are outside."""
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1 + start
    first = [start] if flat.size and flat[0] else []
    # A region that fills the last pixel of its box ends there, unless the picture does too.
    last = [start + flat.size] if flat.size and flat[-1] and start + flat.size < total else []
    lengths = np.diff([0, *first, *changes.tolist(), *last, total])
    return tuple(int(length) for length in lengths)
