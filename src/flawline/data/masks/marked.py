"""Find the pixels that a mask of one kind of defect marks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flawline.data.image import ImageLimits
from flawline.data.masks.alpha import values_with_alpha
from flawline.data.masks.layers import Layers, read_layers


def read_marked(data: bytes, limits: ImageLimits) -> NDArray[np.bool_]:
    """Find the pixels of a mask file that are not black, bool (height, width).

    Raises:
        ImageError: it cannot be decoded, or colours and alpha state different masks.
    """
    layers = read_layers(data, limits, lossless=False)
    return marked_pixels(mask_colours(layers), lossy=bool(layers.lossy))


def mask_colours(layers: Layers) -> NDArray[np.uint8]:
    """Give the colours of a mask, uint8 (height, width, 3); one drawn in one colour on transparent is its alpha."""
    values = None if layers.alpha is None else values_with_alpha(layers)
    if values is None:
        return layers.colours
    return np.repeat(values.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


def marked_pixels(colours: NDArray[np.uint8], *, lossy: bool) -> NDArray[np.bool_]:
    """Find the pixels that are not black; stored with losses, those above half of the brightest value."""
    bright = colours.max(axis=2)
    return np.asarray(bright > bright.max(initial=0) / 2 if lossy else bright > 0)
