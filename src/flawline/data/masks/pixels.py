"""Read masks from pictures: the grey level, the place in a palette, or the colour is the class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.data.image import DEFAULT_IMAGE_LIMITS, ImageLimits
from flawline.data.masks.alpha import transparent_pixels, values_with_alpha
from flawline.data.masks.layers import Layers, read_layers
from flawline.data.masks.levels import check_levels, level_counts
from flawline.errors import ImageError

Mask = NDArray[np.uint8]
Colour = tuple[int, int, int]

_HIGHEST = 255
_SHOWN = 5
_HIGH_HINT = "Number the classes from 1, or cut a mask of two levels with `threshold`."


def read_mask(
    data: bytes, limits: ImageLimits = DEFAULT_IMAGE_LIMITS, threshold: float | None = None
) -> Mask:
    """Decode a mask to uint8 (height, width) of class indices, 0 background.

    A PNG with a palette gives the places in its palette, any other picture its grey level; files with more than 8
    bits keep their values, which must be whole numbers of 0 to 255. A mask drawn with one colour on transparent is the
    alpha channel. With `threshold` the mask is 1 where the value is at least that, whatever its kind.

    Raises:
        ImageError: it cannot be decoded, has colours, is stored with losses, which change levels, or holds other
            numbers; or grey levels and alpha state different masks.
    """
    layers = read_layers(data, limits)
    if layers.indexed and layers.alpha is None:
        _check_background(layers)
    values = values_with_alpha(layers)
    if values is None:
        raise ImageError(
            "expected a mask whose grey level is the class, got colours",
            hint="Save masks as grey or indexed PNG, 0 being background, or give the palette.",
            code="image-mask",
        )
    return _indices(values) if threshold is None else (values >= threshold).astype(np.uint8)


def read_class_mask(
    data: bytes, limits: ImageLimits = DEFAULT_IMAGE_LIMITS, threshold: float | None = None
) -> NDArray[np.bool_]:
    """Decode the mask of one class to bool (height, width): every value but 0, or from `threshold` on.

    Raises:
        ImageError: as for `read_mask`, or its edges are smoothed.
    """
    mask = read_mask(data, limits, threshold)
    check_levels(mask, inner=1, most=_HIGHEST)
    return mask > 0


def _check_background(layers: Layers) -> None:
    """Refuse a palette in which black is a class and another colour the background: no one chose that order."""
    black, places = ~layers.colours.any(axis=2), layers.values
    if places is not None and ((places == 0) & ~black).any() and ((places > 0) & black).any():
        raise ImageError(
            f"expected background at place 0 of the palette, black is at place {places[black][0]}",
            hint="Save the mask as grey PNG, or name its colours with `palette`.",
            code="image-mask",
        )


def _indices(values: NDArray[Any]) -> Mask:
    """Convert the values of a mask to uint8 where they are whole numbers of 0 to 255."""
    if values.dtype != np.uint8:
        whole = values if values.dtype.kind in "iub" else np.floor(values)
        for wrong, words, hint in (
            (whole != values, "whole numbers", "Cut probabilities with `threshold=0.5`."),
            (values < 0, "numbers of at least 0", "Give unknown pixels a number of 1 to 255."),
            (values > _HIGHEST, f"at most {_HIGHEST}", _HIGH_HINT),
        ):
            if wrong.any():
                raise _no_index(values[wrong], words, hint)
    return np.ascontiguousarray(values, np.uint8)


def _no_index(wrong: NDArray[Any], words: str, hint: str) -> ImageError:
    worst = wrong[np.abs(wrong).argmax()]
    return ImageError(
        f"expected class indices, {words}, got {worst:g} among {len(wrong)} px",
        hint=hint,
        code="image-mask",
    )


def read_colour_mask(
    data: bytes, values: Mapping[Colour, int], limits: ImageLimits = DEFAULT_IMAGE_LIMITS
) -> Mask:
    """Decode a mask whose colours are the classes to uint8 (height, width); `values` gives the index of each colour.

    Transparent pixels are background.

    Raises:
        ImageError: it cannot be decoded, is stored with losses, has a colour that `values` does not name, is half
            transparent, or has a class's colour where it is transparent.
    """
    layers = read_layers(data, limits)
    clear, pixels = transparent_pixels(layers), layers.colours.astype(np.uint32)
    codes = pixels[..., 0] << 16 | pixels[..., 1] << 8 | pixels[..., 2]
    mask = np.zeros(codes.shape, np.uint8)
    unknown = ~clear
    for (red, green, blue), value in values.items():
        same = codes == (red << 16 | green << 8 | blue)
        mask[same] = value
        unknown &= ~same
    if hidden := int((mask[clear] > 0).sum()):
        raise ImageError(
            f"expected background where the alpha channel is 0, got the colour of a class in {hidden} px",
            hint="Save the mask without alpha.",
            code="image-mask",
        )
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
    counts = level_counts(mask)
    unknown = np.flatnonzero((counts > 0) & (table < 0)).tolist()
    if unknown:
        shown = [f"{value} in {counts[value]} px" for value in unknown]
        known = [str(value) for value in np.flatnonzero(table >= 0).tolist()]
        raise ImageError(
            f"expected the values {_listed(known)}, got {_listed(shown)}",
            hint="Name the class of that value, or give it as the `ignore` value if it marks doubtful pixels."
            + (
                " Edges that were smoothed are cut with `threshold=128`."
                if len(unknown) > 1
                else ""
            ),
            code="image-mask-value",
        )
    return np.asarray(cv2.LUT(mask, table.astype(np.uint8)), np.uint8)


def _listed(words: list[str]) -> str:
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return ", ".join(words[:_SHOWN]) + more
