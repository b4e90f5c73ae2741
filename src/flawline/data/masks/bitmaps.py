"""Decode bitmaps within annotations: regions as PNG, and PNGs whose colours are numbers."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.data.image import ImageLimits
from flawline.data.masks.alpha import transparent_pixels
from flawline.data.masks.class_names import BACKGROUND
from flawline.data.masks.layers import Layers, read_layers
from flawline.data.masks.shapes import AnnotatedPicture, BrokenShape, Mask, Shape
from flawline.errors import ImageError

_DATA_URL = "data:image/png;base64,"
_LEAST_INFLATED = 1_000_000


def from_base64(text: Any) -> bytes:
    """Decode base64, also as a data URL; raises BrokenShape."""
    if not isinstance(text, str):
        raise BrokenShape("expected a bitmap in base64, got none")
    try:
        return base64.b64decode(text.removeprefix(_DATA_URL), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BrokenShape(f"expected a bitmap in base64, got {text[:20]!r}") from error


def inflated(data: bytes, pixels: int) -> bytes:
    """Undo zlib, up to what a PNG of `pixels` can take; raises BrokenShape."""
    most = max(_LEAST_INFLATED, 5 * pixels)
    decoder = zlib.decompressobj()
    try:
        content = decoder.decompress(data, most)
    except zlib.error as error:
        raise BrokenShape("expected a bitmap compressed by zlib, it is damaged") from error
    if not decoder.eof:
        raise BrokenShape("expected a bitmap compressed by zlib, it is cut short or too large")
    return content


def paint_png(data: bytes, origin: tuple[int, int], mask: Mask, value: int) -> None:
    """Paint a region stored as PNG, its top left pixel at `origin` (x, y).

    The region is where alpha is above 0; where a PNG has no alpha or is opaque everywhere, where any colour is.

    Raises:
        BrokenShape: no PNG, one that leaves the picture, or one without a pixel of the region.
    """
    layers = png_layers(data, mask.size)
    region = (layers.colours != 0).any(axis=2) if layers.alpha is None else layers.alpha > 0
    (left, top), (height, width) = origin, region.shape
    rows, columns = mask.shape
    if min(left, top) < 0 or left + width > columns or top + height > rows:
        raise BrokenShape(
            f"expected a bitmap on the picture of {columns} x {rows} px, got "
            f"{width} x {height} px at ({left}, {top})"
        )
    if not region.any():
        raise BrokenShape("expected a bitmap with a region, it is empty")
    mask[top : top + height, left : left + width][region] = value


def png_layers(data: bytes, most_pixels: int) -> Layers:
    """Decode a bitmap of at most `most_pixels`; raises BrokenShape."""
    try:
        return read_layers(data, ImageLimits(most_pixels))
    except ImageError as error:
        raise BrokenShape(f"expected a bitmap as PNG: {error.message}") from error


def colour_numbers(data: bytes, most_pixels: int) -> NDArray[np.uint32]:
    """Decode a PNG to one number a pixel, (height, width): red + 256 green + 65536 blue, 0 where it is transparent.

    Raises:
        BrokenShape: it cannot be decoded, is stored with losses, or is half transparent.
    """
    layers = png_layers(data, most_pixels)
    numbers = layers.colours.astype(np.uint32) @ np.array([1, 256, 65536], np.uint32)
    try:
        numbers[transparent_pixels(layers)] = 0
    except ImageError as error:
        raise BrokenShape(error.message) from error
    return np.asarray(numbers, np.uint32)


def numbered_picture(
    numbers: NDArray[np.uint32], labels: Mapping[int, str], place: str
) -> AnnotatedPicture:
    """Make the regions of a picture from a number for each pixel; "background" is none.

    Raises:
        BrokenShape: a number has no label.
    """
    found, places = np.unique(numbers, return_inverse=True)
    named = [labels.get(number) for number in found.tolist()]
    unknown = [number for number, name in zip(found.tolist(), named, strict=True) if name is None]
    if unknown:
        shown = ", ".join(map(colour_text, unknown[:3]))
        raise BrokenShape(f"expected colours that have a class, got {len(unknown)} others: {shown}")
    of_pixel = places.reshape(numbers.shape)
    shapes = [
        Shape(label, place, partial(_paint_where, np.array(named) == label, of_pixel))
        for label in dict.fromkeys(named)
        if label != BACKGROUND
    ]
    height, width = numbers.shape
    return AnnotatedPicture((height, width), tuple(shapes))


def colour_text(number: int) -> str:
    """Write a number of `colour_numbers` as red, green and blue."""
    return f"({number & 255}, {number >> 8 & 255}, {number >> 16})"


def _paint_where(
    chosen: NDArray[np.bool_], places: NDArray[np.intp], mask: Mask, value: int
) -> None:
    mask[chosen[places]] = value
