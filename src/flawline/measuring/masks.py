"""Class masks from files: the pixel is the class."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

from flawline.data.image import DEFAULT_IMAGE_LIMITS, ImageLimits, read_image
from flawline.errors import ImageError

_PNG = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPE, _PALETTE = 25, 3
_HIGHEST = 255
_EIGHT_BITS = ("1", "L", "P", "LA", "PA", "RGB", "RGBA")


def read_mask(data: bytes, limits: ImageLimits = DEFAULT_IMAGE_LIMITS) -> NDArray[np.uint8]:
    """Decode a mask to uint8 (height, width) of class indices, 0 background.

    A PNG with a palette gives the places in its palette, any other picture its grey level; files with more than 8
    bits keep their values, which must not be above 255.

    Raises:
        ImageError: it cannot be decoded, has colours, or is a JPEG, whose levels are not those that were saved.
    """
    # 0 to 255 as the range of a deeper file keeps its values: 1 stays 1.
    picture = read_image(data, limits=limits, value_range=(0, 255))
    if picture.format == "JPEG":
        raise ImageError(
            "expected a mask without losses, got a JPEG",
            hint="Save masks as PNG: JPEG invents levels at every edge.",
            code="image-mask",
        )
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
            hint="Save masks as grey or indexed PNG, 0 being background.",
            code="image-mask",
        )
    return np.ascontiguousarray(pixels[..., 0])


def _highest(data: bytes) -> float:
    """The highest value of a file with more than 8 bits; decoding it as a picture clips what is above 255."""
    import cv2

    values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    return 0.0 if values is None else float(values.max())


def _has_palette(data: bytes) -> bool:
    return data.startswith(_PNG) and len(data) > _COLOUR_TYPE and data[_COLOUR_TYPE] == _PALETTE


def _palette_places(data: bytes) -> NDArray[np.uint8]:
    from PIL.PngImagePlugin import PngImageFile

    image = PngImageFile(io.BytesIO(data))
    image.load()
    return np.array(image, dtype=np.uint8)
