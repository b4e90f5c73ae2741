"""Register a golden sample to a picture: the pose of the part, then small local shifts.

Parts bend and lenses distort, so that one pose fits no whole picture to a pixel. After the pose, blocks of 128 px are
shifted by up to 6 px to where they differ least; a median over neighbouring blocks keeps a defect from moving its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.view.alignment import Alignment

Pixels = NDArray[np.uint8]

_CELL = 64
REACH = 6
# A shift must explain this share of a block's difference; else the block is plain, or shows something else.
_EXPLAINED = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Registration:
    """Place of a golden sample in a picture.

    `places` float32 (height, width, 2) are x and y in the golden sample of each pixel of the picture. `likeness` is
    that of `Pose`. Where the part was not `found`, `reason` says why.
    """

    places: NDArray[np.float32]
    likeness: float
    found: bool = True
    reason: str = ""


def register(alignment: Alignment, golden: Pixels, picture: Pixels) -> Registration:
    """Register a golden sample uint8 (H, W, 3), which `alignment` is of, to a picture uint8 (h, w, 3)."""
    pose = alignment.find(picture)
    if not pose.found:
        return Registration(np.zeros((0, 0, 2), np.float32), pose.quality, False, pose.reason)
    height, width = picture.shape[:2]
    across, down = golden.shape[1] / width, golden.shape[0] / height
    y, x = np.mgrid[:height, :width].astype(np.float32)
    begun = _places(pose.matrix, x, y, across, down)
    shifts = _local_shifts(_grey(_moved(golden, begun)), _grey(picture))
    field = cv2.resize(shifts, (width, height), interpolation=cv2.INTER_LINEAR)
    places = _places(pose.matrix, x + field[..., 0], y + field[..., 1], across, down)
    return Registration(places, pose.quality)


def moved_golden(registration: Registration, golden: Pixels) -> tuple[Pixels, NDArray[np.bool_]]:
    """Move a golden sample uint8 (H, W, 3) onto the picture; returns it and the pixels that it covers, bool (h, w)."""
    places = registration.places
    height, width = golden.shape[:2]
    x, y = places[..., 0], places[..., 1]
    covered = (x > -1) & (y > -1) & (x < width) & (y < height)
    return _moved(golden, places), covered


def _moved(golden: Pixels, places: NDArray[np.float32]) -> Pixels:
    x, y = places[..., 0], places[..., 1]
    shown = cv2.remap(golden, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(shown, np.uint8)


def _places(
    matrix: NDArray[np.float64],
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    across: float,
    down: float,
) -> NDArray[np.float32]:
    """Map pixels of the picture to those of the golden sample, whose sides are `across` and `down` times as long."""
    right = matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]
    below = matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]
    places = ((right + 0.5) * across - 0.5, (below + 0.5) * down - 0.5)
    return np.stack(places, axis=-1).astype(np.float32)


def _local_shifts(golden: Pixels, picture: Pixels) -> NDArray[np.float32]:
    """Find the shift of each block, float32 (rows, columns, 2): x and y to add to a pixel of the picture."""
    sides = tuple(max(1, round(side / _CELL)) for side in picture.shape)
    shifts = np.zeros((*sides, 2), np.float32)
    wide = _padded(golden, _CELL + REACH)
    narrow = _padded(picture, _CELL)
    for row, column in np.ndindex(*sides):
        # Blocks are centred on the middle of their cell, and twice as long.
        top = round((row + 0.5) * picture.shape[0] / sides[0])
        left = round((column + 0.5) * picture.shape[1] / sides[1])
        block = narrow[top : top + 2 * _CELL, left : left + 2 * _CELL]
        around = wide[top : top + 2 * (_CELL + REACH), left : left + 2 * (_CELL + REACH)]
        shifts[row, column] = _shift(around, block)
    smooth = [cv2.medianBlur(np.ascontiguousarray(shifts[..., k]), 3) for k in (0, 1)]
    return np.stack(smooth, axis=-1)


def _shift(around: Pixels, block: Pixels) -> tuple[float, float]:
    unlike = cv2.matchTemplate(around, block, cv2.TM_SQDIFF)
    down, across = np.unravel_index(int(unlike.argmin()), unlike.shape)
    least, unmoved = float(unlike[down, across]), float(unlike[REACH, REACH])
    if least > (1 - _EXPLAINED) * unmoved:
        return 0.0, 0.0
    return float(across) - REACH, float(down) - REACH


def _padded(values: Pixels, by: int) -> Pixels:
    fine = cv2.GaussianBlur(values, (0, 0), 1.0)
    return np.asarray(cv2.copyMakeBorder(fine, by, by, by, by, cv2.BORDER_REPLICATE), np.uint8)


def _grey(pixels: Pixels) -> Pixels:
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
