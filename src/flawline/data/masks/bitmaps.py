"""Decode bitmaps within annotations: regions as PNG, and PNGs whose colours are numbers."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterable, Iterator, Mapping
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
_LEAST_INFLATED, _ROWS = 1_000_000, 128


def from_base64(text: Any) -> bytes:
    """Decode base64, also as a data URL; raises BrokenShape."""
    if not isinstance(text, str):
        raise BrokenShape("expected a bitmap in base64, got none")
    try:
        return base64.b64decode("".join(text.removeprefix(_DATA_URL).split()), validate=True)
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


def colour_rows(data: bytes, most_pixels: int) -> Iterator[NDArray[np.uint32]]:
    """Decode a PNG to one number a pixel, some rows (n, width) at a time.

    A number is red + 256 green + 65536 blue, 0 where the PNG is transparent.

    Raises:
        BrokenShape: it cannot be decoded, is stored with losses, or is half transparent.
    """
    layers = png_layers(data, most_pixels)
    try:
        clear = transparent_pixels(layers)
    except ImageError as error:
        raise BrokenShape(error.message) from error
    # A number takes four times the memory of a colour's level.
    for top in range(0, len(clear), _ROWS):
        colours = layers.colours[top : top + _ROWS].astype(np.uint32)
        numbers = colours[..., 0] | colours[..., 1] << 8 | colours[..., 2] << 16
        numbers[clear[top : top + _ROWS]] = 0
        yield numbers.astype(np.uint32, copy=False)


def numbered_picture(
    rows: Iterable[NDArray[np.unsignedinteger[Any]]],
    labels: Mapping[int, str],
    place: str,
    needed: Iterable[int] = (),
) -> AnnotatedPicture:
    """Make the regions of a picture from a number for each pixel; "background" is none.

    Raises:
        BrokenShape: a number has no label, or one that is `needed` has no pixel.
    """
    names = list(dict.fromkeys(labels.values()))
    of_number = {number: names.index(label) for number, label in labels.items()}
    seen: set[int] = set()
    parts = []
    for block in rows:
        found = np.unique(block).tolist()
        if others := [number for number in found if number not in of_number]:
            shown = ", ".join(map(colour_text, others[:3]))
            raise BrokenShape(f"expected colours that have a class, got others: {shown}")
        seen.update(found)
        part = np.zeros(block.shape, np.uint16)
        for number in found:
            part[block == number] = of_number[number]
        parts.append(part)
    if missing := set(needed) - seen:
        raise BrokenShape(f"expected a pixel of each segment, none is {colour_text(min(missing))}")
    of_pixel, drawn = np.concatenate(parts), {of_number[number] for number in seen}
    shapes = [
        Shape(label, place, partial(_paint_where, of_pixel, number))
        for number, label in enumerate(names)
        if label != BACKGROUND and number in drawn
    ]
    return AnnotatedPicture((of_pixel.shape[0], of_pixel.shape[1]), tuple(shapes))


def colour_text(number: int) -> str:
    """Write a number of `colour_rows` as red, green and blue."""
    return f"({number & 255}, {number >> 8 & 255}, {number >> 16})"


def _paint_where(of_pixel: NDArray[np.uint16], number: int, mask: Mask, value: int) -> None:
    mask[of_pixel == number] = value
