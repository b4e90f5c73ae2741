"""Convert pixels of more than 8 bits to 8, by a stated range and never by that of the pixels."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.errors import ImageError

RANGE_HINT = (
    "Give the range that the camera uses, for example `value_range=0,4095` (in Python "
    "value_range=(0, 4095)) for 12 bits; values outside it are clipped."
)
_BLOCK = 1 << 20
_UNUSED = 8


def check_range(value_range: tuple[float, float] | None) -> None:
    """Raise ImageError ("image-value-range") unless `value_range` is None or two finite numbers low < high."""
    if value_range is None:
        return
    low, high = value_range
    if not (low < high and math.isfinite(high - low)):
        raise ImageError(
            f"expected a value range (low, high) of finite numbers with low < high, got {value_range}",
            hint=RANGE_HINT,
            code="image-value-range",
        )


def to_eight_bits(
    values: NDArray[Any], value_range: tuple[float, float] | None, container: int | None
) -> NDArray[np.uint8]:
    """Map `values` of any shape linearly to 0..255, rounding to nearest and clipping.

    The range is `value_range`, else 0..`container` (the largest value of the file's bit depth) for
    integers, else 0..1 for floats. Raises ImageError: "image-not-finite" for NaN or infinity,
    "image-value-range" where a range is needed and not given.
    """
    if values.dtype == np.bool_:
        values = values.view(np.uint8)
    if values.dtype.kind == "f":
        _check_float(values, value_range)
        container = 1
    if value_range is None:
        if container is None:
            raise ImageError(
                f"the picture holds {values.dtype} values, whose range the file does not state",
                hint=RANGE_HINT,
                code="image-value-range",
            )
        value_range = (0, container)
    if values.dtype in (np.uint8, np.uint16):
        return _by_blocks(values, partial(np.take, _table(*value_range)))
    return _by_blocks(values, partial(_scale, low=value_range[0], high=value_range[1]))


def range_notes(values: NDArray[Any], container: int | None) -> tuple[str, ...]:
    """Note that integers read without a range fill hardly any of 0..`container`.

    There is no note for 8 bits, nor for a black picture.
    """
    if values.dtype.kind not in "iu" or container is None or container <= 255:
        return ()
    if not 0 < int(values.max()) < container / _UNUSED:
        return ()
    return (
        "no value reaches an eighth of the file's range, so it comes out nearly black; give the camera's range, such "
        "as `value_range=0,4095` for 12 bits",
    )


def _check_float(values: NDArray[Any], value_range: tuple[float, float] | None) -> None:
    low, high = float(values.min()), float(values.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ImageError(
            "expected finite pixel values, got NaN or infinity",
            hint="Replace the invalid pixels before inspecting the picture.",
            code="image-not-finite",
        )
    if value_range is None and (low < 0 or high > 1):
        raise ImageError(
            f"expected floating-point values within 0 to 1, got {low:g} to {high:g}",
            hint=RANGE_HINT,
            code="image-value-range",
        )


@lru_cache(maxsize=16)
def _table(low: float, high: float) -> NDArray[np.uint8]:
    return _scale(np.arange(65536, dtype=np.uint16), low, high)


def _by_blocks(
    values: NDArray[Any], convert: Callable[[NDArray[Any]], NDArray[np.uint8]]
) -> NDArray[np.uint8]:
    """Convert some rows at a time, since NumPy takes 8 bytes and more for each value that it converts."""
    out = np.empty(values.shape, np.uint8)
    rows = max(1, _BLOCK // max(1, math.prod(values.shape[1:])))
    for start in range(0, len(values), rows):
        out[start : start + rows] = convert(values[start : start + rows])
    return out


def _scale(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    with np.errstate(over="ignore"):
        scaled = np.clip((values.astype(np.float64) - low) / (high - low), 0, 1) * 255
    return np.floor(scaled + 0.5).astype(np.uint8)
