"""Masks as PNG: grey levels that are classes to work on, and an indexed picture with colours for people."""

from __future__ import annotations

import io

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.drawing import class_colour
from flawline.data.image import ImageLimits
from flawline.data.masks.pixels import read_mask
from flawline.errors import ImageError

Mask = NDArray[np.uint8]


def grey_png(mask: Mask) -> bytes:
    """Encode a mask uint8 (H, W) as grey PNG, whose levels are the classes."""
    ok, data = cv2.imencode(".png", mask)
    assert ok
    return bytes(data.tobytes())


def indexed_png(mask: Mask, levels: tuple[int, ...]) -> bytes:
    """Encode a mask as indexed PNG.

    Args:
        mask: uint8 (H, W) of classes, background 0.
        levels: place in the palette of each class, background first.
    """
    from PIL import Image

    table = np.zeros(256, np.uint8)
    table[: len(levels)] = levels
    palette = np.zeros((256, 3), np.uint8)
    for number, level in enumerate(levels[1:], start=1):
        palette[level] = class_colour(number)
    picture = Image.frombytes("P", mask.shape[::-1], table[mask].tobytes())
    picture.putpalette(palette.ravel().tolist())
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=False)
    return buffer.getvalue()


def mask_of_png(data: bytes, size: tuple[int, int], classes: int, limits: ImageLimits) -> Mask:
    """Decode a mask that somebody sent: grey levels or places in a palette are the classes.

    Raises:
        ImageError: it is no mask, has another size (height, width) than its picture, or a value that is no class.
    """
    mask = read_mask(data, limits)
    if mask.shape != size:
        raise ImageError(
            f"the mask is {mask.shape[1]} x {mask.shape[0]} px, its picture {size[1]} x {size[0]}",
            hint="Masks must have the size of their pictures, upright.",
            code="image-mask-size",
        )
    if mask.size and int(mask.max()) > classes:
        raise ImageError(
            f"expected classes 0 to {classes}, got {int(mask.max())}",
            hint="0 is background, and the classes count from 1 in their order.",
            code="image-mask-value",
        )
    return mask
