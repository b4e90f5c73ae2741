"""Masks with an alpha channel: which of grey levels and alpha is the mask."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.data.masks.layers import Layers
from flawline.errors import ImageError


def values_with_alpha(layers: Layers) -> NDArray[Any] | None:
    """Choose the numbers of a mask, (height, width); None where it has several colours.

    Drawn with one colour on transparent, black too, the opaque pixels are the mask: they have the grey level of the
    colour, or 255 where it is black or no grey, and half-transparent ones their alpha. Else the grey levels are the
    mask, and everything but 0 must be opaque and the rest transparent.

    Raises:
        ImageError: ("image-mask") grey levels and alpha state different masks.
    """
    colours, values, alpha = layers.colours, layers.values, layers.alpha
    if alpha is None or alpha.min() == alpha.max() > 0:
        return values
    opaque, halves = alpha > 0, bool(((alpha > 0) & (alpha < 255)).any())
    agree = bool((_drawn(layers) == opaque).all())
    if _flat(colours.reshape(-1, 3)) or (agree and _flat(colours[opaque])):
        level = None if values is None else values[opaque].max(initial=0)
        return np.where(opaque, level, 0) if level and not halves else alpha
    if agree and not halves:
        return values
    raise ImageError(
        "expected the mask either in the grey levels or in the alpha channel, they state different ones",
        hint="Save it as grey or indexed PNG without alpha.",
        code="image-mask",
    )


def transparent_pixels(layers: Layers) -> NDArray[np.bool_]:
    """Find the transparent pixels of a mask in colours, bool (height, width).

    Raises:
        ImageError: ("image-mask") pixels are half transparent, or all are transparent and have colours.
    """
    alpha = layers.alpha
    if alpha is None or alpha.min() == alpha.max() > 0:
        return np.zeros(layers.colours.shape[:2], np.bool_)
    if count := int(((alpha > 0) & (alpha < 255)).sum()):
        raise ImageError(
            f"expected colours that are opaque or transparent, the alpha channel is in between in {count} px",
            hint="Save the mask without smoothed edges, and without alpha.",
            code="image-mask",
        )
    return np.asarray(alpha == 0)


def _drawn(layers: Layers) -> NDArray[np.bool_]:
    if layers.values is not None:
        return np.asarray(layers.values > 0)
    return np.asarray(layers.colours.any(axis=2))


def _flat(colours: NDArray[np.uint8]) -> bool:
    return bool((colours == colours[:1]).all())
