"""Read masks from pictures: the grey level, the place in a palette, or the colour is the class."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from flawline.data.image import DEFAULT_IMAGE_LIMITS, ImageLimits, read_image
from flawline.errors import ImageError
from flawline.types import Picture

Mask = NDArray[np.uint8]
Colour = tuple[int, int, int]

_PNG = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPE, _PALETTE = 25, 3
_HIGHEST = 255
_EIGHT_BITS = ("1", "L", "P", "LA", "PA", "RGB", "RGBA")
_SHOWN = 5


def read_mask(data: bytes, limits: ImageLimits = DEFAULT_IMAGE_LIMITS) -> Mask:
    """Decode a mask to uint8 (height, width) of class indices, 0 background.

    A PNG with a palette gives the places in its palette, any other picture its grey level; files with more than 8
    bits keep their values, which must not be above 255.

    Raises:
        ImageError: it cannot be decoded, has colours, or is a JPEG, which changes levels.
    """
    picture = _without_losses(data, limits)
    if _has_palette(data):
        return _palette_places(data)
    pixels = picture.pixels
    if picture.mode not in _EIGHT_BITS and _highest(data) > _HIGHEST:
        raise ImageError(
            f"expected class indices of at most {_HIGHEST}, got {_highest(data):g}",
            hint="Number the classes from 1.",
            code="image-mask",
        )
    if (pixels != pixels[..., :1]).any():
        raise ImageError(
            "expected a mask whose grey level is the class, got colours",
            hint="Save masks as grey or indexed PNG, 0 being background, or give the palette.",
            code="image-mask",
        )
    return np.ascontiguousarray(pixels[..., 0])


def read_colour_mask(
    data: bytes, values: Mapping[Colour, int], limits: ImageLimits = DEFAULT_IMAGE_LIMITS
) -> Mask:
    """Decode a mask whose colours are the classes to uint8 (height, width); `values` gives the index of each colour.

    Raises:
        ImageError: it cannot be decoded, is a JPEG, or has a colour that `values` does not name.
    """
    pixels = _without_losses(data, limits).pixels.astype(np.uint32)
    codes = pixels[..., 0] << 16 | pixels[..., 1] << 8 | pixels[..., 2]
    mask = np.zeros(codes.shape, np.uint8)
    unknown = np.ones(codes.shape, np.bool_)
    for (red, green, blue), value in values.items():
        same = codes == (red << 16 | green << 8 | blue)
        mask[same] = value
        unknown &= ~same
    if unknown.any():
        found, counts = np.unique(codes[unknown], return_counts=True)
        shown = [
            f"({code >> 16}, {code >> 8 & 255}, {code & 255}) in {count} px"
            for code, count in zip(found.tolist(), counts.tolist(), strict=True)
        ]
        raise ImageError(
            "expected the colours of the palette, got " + _listed(shown),
            hint="Add them to the palette; many near colours mean that the mask was smoothed or saved with losses.",
            code="image-mask-value",
        )
    return mask


def to_indices(mask: Mask, table: NDArray[np.int16]) -> Mask:
    """Convert the values of a mask to class indices; `table` (256,) holds the index of each value, -1 where unknown.

    Raises:
        ImageError: the mask has an unknown value.
    """
    counts = np.bincount(mask.ravel(), minlength=256)
    unknown = np.flatnonzero((counts > 0) & (table < 0)).tolist()
    if unknown:
        shown = [f"{value} in {counts[value]} px" for value in unknown]
        known = [str(value) for value in np.flatnonzero(table >= 0).tolist()]
        raise ImageError(
            f"expected the values {_listed(known)}, got {_listed(shown)}",
            hint="Name the class of that value, or give it as the ignore value if it marks doubtful pixels.",
            code="image-mask-value",
        )
    return np.asarray(table[mask], np.uint8)


def _listed(words: list[str]) -> str:
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return ", ".join(words[:_SHOWN]) + more


def _without_losses(data: bytes, limits: ImageLimits) -> Picture:
    # With the range 0 to 255 the values of a deeper file stay as they are: 1 stays 1.
    picture = read_image(data, limits=limits, value_range=(0, 255))
    if picture.format == "JPEG":
        raise ImageError(
            "expected a mask without losses, got a JPEG",
            hint="Save masks as PNG: JPEG invents levels at every edge.",
            code="image-mask",
        )
    return picture


def _highest(data: bytes) -> float:
    """Find the highest value of a file with more than 8 bits; decoding it as a picture clips what is above 255."""
    import cv2

    values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    return 0.0 if values is None else float(values.max())


def _has_palette(data: bytes) -> bool:
    return data.startswith(_PNG) and len(data) > _COLOUR_TYPE and data[_COLOUR_TYPE] == _PALETTE


def _palette_places(data: bytes) -> Mask:
    from PIL.PngImagePlugin import PngImageFile

    image = PngImageFile(io.BytesIO(data))
    image.load()
    return np.array(image, dtype=np.uint8)
