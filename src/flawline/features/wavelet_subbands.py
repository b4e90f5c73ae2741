"""wavelet_subbands(n): strength of detail by size, direction and place (10(3n + 1) fields).

The grey picture, area-resized to 256x256 and scaled to 0-1, goes through n levels of the Haar transform
(S. Mallat, "A Theory for Multiresolution Signal Decomposition", IEEE TPAMI 11(7), 1989). Each of the 3n + 1 sub-bands
gives mean absolute value and standard deviation of its coefficients, over the whole and over its four quadrants:
ten numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.errors import UsageError
from flawline.features.feature_set import Column, Extractor
from flawline.types import Picture

SIDE = 256
MAX_LEVELS = 7
_PLACES = ("whole picture", "upper left", "upper right", "lower left", "lower right")
_DIRECTIONS = ("horizontal", "vertical", "diagonal")


def wavelet_subbands(levels: int = 3) -> Extractor:
    """Make the extractor, 10(3 * levels + 1) columns; `levels` from 1 to 7.

    Raises:
        UsageError: `levels` is out of range.
    """
    if not 1 <= levels <= MAX_LEVELS:
        raise UsageError(f"wavelet_subbands takes 1 to {MAX_LEVELS} levels, got {levels}")
    columns = tuple(
        Column(
            f"wavelet_{band.replace(' ', '_')}_{place.replace(' ', '_')}_{statistic}",
            f"{statistic} of {band} detail, {place}",
        )
        for band in _bands(levels)
        for place in _PLACES
        for statistic in ("mean", "deviation")
    )
    return Extractor(f"wavelet_subbands({levels})", columns, partial(_compute, levels=levels))


def _bands(levels: int) -> list[str]:
    details = [
        f"{direction} {2**level} px" for level in range(levels, 0, -1) for direction in _DIRECTIONS
    ]
    return [f"coarse {2**levels} px", *details]


def _compute(picture: Picture, *, levels: int) -> NDArray[np.float32]:
    import pywt

    grey = cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2GRAY)
    square = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA) / np.float32(255)
    approximation, *details = pywt.wavedec2(square, "haar", mode="periodization", level=levels)
    bands = [approximation, *(band for level in details for band in level)]
    return np.concatenate([_statistics(band) for band in bands]).astype(np.float32)


def _statistics(band: NDArray[np.float32]) -> NDArray[np.float64]:
    half = band.shape[0] // 2
    quadrants = (band[:half, :half], band[:half, half:], band[half:, :half], band[half:, half:])
    functions: tuple[Callable[[NDArray[np.float32]], float], ...] = (
        lambda part: float(np.abs(part).mean(dtype=np.float64)),
        lambda part: float(part.std(dtype=np.float64)),
    )
    return np.array([function(part) for part in (band, *quadrants) for function in functions])
