"""Cut pictures of any size into windows of one size, and stitch the windows' maps to one map of the picture.

A picture is squeezed whole into one window ("fit"), or scaled and cut into windows that overlap. Windows begin at
multiples of 16 scaled pixels, so that the strides of a network fall on the same places in each of them. Beyond the
picture, windows show it reflected at its edge.

Near the border of a window, features contain the padding of the network's convolutions. In a ResNet-18 on
surfaces of steel and tiles, a window of 256 px against the same place inside a larger one, the features at strides 4,
8, 16 differ by 1.9, 1.5, 1.8 of their usual deviation in the outermost cell, and by 0.36 at 8-12 px, 0.13 at 24-32 px,
0.37 at 48-64 px from the border. So the outer three eighths of an overlap on either side have no weight, and the
quarter between them blends one window into the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.view.framing import Framing, Size, map_size, scaled_size, window_starts

MARGIN = 3 / 8
FEATHER = 1 / 4


@dataclass(frozen=True, slots=True)
class WindowPlace:
    """The top left corner of a window in the scaled picture, in scaled pixels."""

    top: int
    left: int


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A window: `pixels` uint8 (H, W, 3) or (H, W), and their place in the scaled picture."""

    pixels: NDArray[np.uint8]
    place: WindowPlace


def resize(pixels: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    """Resize to `size` (height, width), not keeping the aspect ratio.

    The only resizing to a network's input, in training, inference and export alike. Bilinear below a twofold reduction,
    where area averaging costs four times as much for a difference under one grey level; area averaging from there on,
    where bilinear would skip pixels and with them small defects.
    """
    if pixels.shape[:2] == size:
        return pixels
    reduction = max(pixels.shape[0] / size[0], pixels.shape[1] / size[1])
    how = cv2.INTER_AREA if reduction >= 2 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, size[::-1], interpolation=how), np.uint8)


def window_places(size: Size, framing: Framing) -> list[WindowPlace]:
    """List the places of the windows of a picture of `size` in the order of `cut`."""
    rows, columns = window_starts(size, framing)
    return [WindowPlace(top, left) for top in rows for left in columns]


def cut(pixels: NDArray[np.uint8], framing: Framing) -> Iterator[Window]:
    """Cut a picture, uint8 (h, w, 3) or (h, w), into windows, row by row.

    One window at a time: memory holds at most a reduced copy of the picture, never an enlarged one.
    """
    height, width = size = pixels.shape[0], pixels.shape[1]
    scaled = scaled_size(size, framing)
    enlarged = framing.scale != "fit" and framing.scale > 1
    source = pixels if enlarged else resize(pixels, scaled)
    for place in window_places(size, framing):
        top, left = place.top, place.left
        end = min(top + framing.window[0], scaled[0]), min(left + framing.window[1], scaled[1])
        if enlarged:
            part = _enlarge(
                source,
                _centres(top, end[0], height / scaled[0]),
                _centres(left, end[1], width / scaled[1]),
            )
        else:
            part = source[top : end[0], left : end[1]]
        yield Window(_reflected(part, framing.window), place)


def stitch(
    maps: Iterable[tuple[WindowPlace, NDArray[np.float32]]], framing: Framing, size: Size
) -> NDArray[np.float32]:
    """Stitch the maps of the windows of a picture of `size`, in any order, to one, float32 (h, w) by `map_size`.

    Raises:
        ValueError: a map of another size than the window's, or a window is missing.
    """
    cell, expected = framing.cell, tuple(side // framing.cell for side in framing.window)
    rows, columns = window_starts(size, framing)
    whole = tuple(
        (starts[-1] + side) // cell
        for starts, side in zip((rows, columns), framing.window, strict=True)
    )
    total, weight = np.zeros(whole), np.zeros(whole)
    for place, values in maps:
        if values.shape != expected:
            raise ValueError(f"expected a map of {expected} cells, got {values.shape}")
        down = _weights(place.top, rows, framing.window[0], framing)
        share = down[:, None] * _weights(place.left, columns, framing.window[1], framing)
        top, left = place.top // cell, place.left // cell
        at = slice(top, top + expected[0]), slice(left, left + expected[1])
        total[at] += share * values
        weight[at] += share
    height, width = map_size(size, framing)
    total, weight = total[:height, :width], weight[:height, :width]
    if not weight.all():
        raise ValueError(
            f"expected the maps of {len(rows) * len(columns)} windows, some are missing"
        )
    return np.asarray(total / weight, np.float32)


def cell_pitch(size: Size, framing: Framing) -> tuple[float, float]:
    """Compute height and width of a cell in picture pixels; cell (r, c) covers rows r * height to (r + 1) * height."""
    height, width = scaled_size(size, framing)
    return framing.cell * size[0] / height, framing.cell * size[1] / width


def to_picture(points: NDArray[Any], size: Size, framing: Framing) -> NDArray[np.float64]:
    """Map points (..., 2) of x and y in the map to picture pixels; cell and pixel centres are at whole numbers."""
    pitch = np.array(cell_pitch(size, framing)[::-1])
    return np.asarray((points + 0.5) * pitch - 0.5, np.float64)


def to_cells(points: NDArray[Any], size: Size, framing: Framing) -> NDArray[np.float64]:
    """Map points (..., 2) of x and y in picture pixels to the map; the inverse of `to_picture`."""
    pitch = np.array(cell_pitch(size, framing)[::-1])
    return np.asarray((points + 0.5) / pitch - 0.5, np.float64)


def upsample(values: NDArray[np.float32], size: Size, framing: Framing) -> NDArray[np.float32]:
    """Enlarge a map (h, w) of cells to the picture's resolution `size`, bilinear between the centres of cells.

    Positions are exact to half a picture pixel.
    """
    height, width = _reach(size, framing)
    whole = cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(whole[: size[0], : size[1]], np.float32)


def cell_share(mask: NDArray[np.bool_], framing: Framing) -> NDArray[np.float32]:
    """Compute the share of each cell, 0 to 1, that a mask (height, width) covers: float32 (h, w) by `map_size`."""
    size = mask.shape[0], mask.shape[1]
    height, width = _reach(size, framing)
    values = cv2.copyMakeBorder(
        mask.astype(np.uint8) * np.uint8(255),
        0,
        height - size[0],
        0,
        width - size[1],
        cv2.BORDER_REPLICATE,
    )
    cells = map_size(size, framing)
    share = cv2.resize(values, cells[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(share, np.float32) / np.float32(255)


def _reach(size: Size, framing: Framing) -> Size:
    """Compute the size in picture pixels that the map covers, whole and at least `size`."""
    cells, pitch = map_size(size, framing), cell_pitch(size, framing)
    height, width = (
        max(side, round(n * step)) for side, n, step in zip(size, cells, pitch, strict=True)
    )
    return height, width


def _weights(start: int, starts: list[int], side: int, framing: Framing) -> NDArray[np.float64]:
    """Compute the weights of a window's cells along one axis; up to the picture's edge they are 1."""
    centres = (np.arange(side // framing.cell) + 0.5) * framing.cell
    weights = np.ones(len(centres))
    overlap = min(framing.overlap, side // 2)
    margin, feather = MARGIN * overlap, max(FEATHER * overlap, 1e-9)
    if start > starts[0]:
        weights *= np.clip((centres - margin) / feather, 0, 1)
    if start < starts[-1]:
        weights *= np.clip((side - centres - margin) / feather, 0, 1)
    return weights


def _centres(start: int, stop: int, ratio: float) -> NDArray[np.float64]:
    """Compute the positions of the centres of scaled pixels in the picture, along one axis."""
    # In the steps of OpenCV's table of weights: otherwise the same place would round differently in two windows.
    return np.asarray(
        np.round(((np.arange(start, stop) + 0.5) * ratio - 0.5) * 32) / 32, np.float64
    )


def _enlarge(
    pixels: NDArray[np.uint8], rows: NDArray[np.float64], columns: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Sample bilinearly at `rows` x `columns`, reading only the part of the picture that they touch."""
    top, left = max(0, int(rows[0])), max(0, int(columns[0]))
    near = pixels[top : int(rows[-1]) + 2, left : int(columns[-1]) + 2]
    x, y = np.meshgrid((columns - left).astype(np.float32), (rows - top).astype(np.float32))
    sampled = cv2.remap(near, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(sampled, np.uint8)


def _reflected(pixels: NDArray[np.uint8], window: Size) -> NDArray[np.uint8]:
    below, right = window[0] - pixels.shape[0], window[1] - pixels.shape[1]
    if not (below or right):
        return pixels
    return np.asarray(
        cv2.copyMakeBorder(pixels, 0, below, 0, right, cv2.BORDER_REFLECT_101), np.uint8
    )
