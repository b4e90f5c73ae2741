"""Decode regions that are stored as PNG files of the size of their picture."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from flawline.data.masks.shapes import BrokenShape

if TYPE_CHECKING:
    from PIL.Image import Image

_HALF = 127


def covered_by_alpha(data: bytes, size: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return the pixels (height, width) that are more opaque than half; raises BrokenShape."""
    image = _decoded(data, size)
    if "A" not in image.getbands() and "transparency" not in image.info:
        raise BrokenShape("expected a PNG with a transparent background")
    return np.asarray(image.convert("RGBA").getchannel("A")) > _HALF


def covered_by_level(data: bytes, size: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return the pixels (height, width) that are lighter than half; raises BrokenShape."""
    image = _decoded(data, size)
    if image.mode not in ("1", "L"):
        raise BrokenShape(f"expected a grey PNG of 8 bits, got the mode {image.mode}")
    return np.asarray(image.convert("L")) > _HALF


def _decoded(data: bytes, size: tuple[int, ...]) -> Image:
    """Decode a PNG; its size is compared before memory of that size is used."""
    from PIL.PngImagePlugin import PngImageFile

    try:
        image = PngImageFile(io.BytesIO(data))
        if image.size == size[::-1]:
            image.load()
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise BrokenShape("expected a whole PNG, got something else") from error
    if image.size != size[::-1]:
        raise BrokenShape(
            f"expected a PNG of {size[1]} x {size[0]} px, got {image.size[0]} x {image.size[1]}"
        )
    return image
