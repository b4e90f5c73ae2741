"""Choose how the pictures of masks are decoded: by the values or colours of their classes, or at a threshold."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from flawline.data.image import ImageLimits
from flawline.data.masks.class_names import (
    BACKGROUND,
    Ignore,
    check_ignored_value,
    colour_values,
    index_table,
    one_class,
    value_table,
)
from flawline.data.masks.levels import MOST_LEVELS, check_levels, level_counts
from flawline.data.masks.mask_settings import MaskSettings
from flawline.data.masks.pixels import Mask, read_colour_mask, read_mask, to_indices
from flawline.data.stream import in_order
from flawline.errors import FlawlineError, UsageError

Decode = Callable[[bytes], Mask]
Reader = Callable[[], bytes]


def decoder(
    settings: MaskSettings,
    limits: ImageLimits,
    content: Collection[Reader],
    *,
    may_be_empty: bool = False,
) -> tuple[tuple[str, ...], Decode]:
    """Return the names of the classes from background on, and the function that decodes a mask to their indices.

    Without names the masks of `content` are all read once. `may_be_empty`: then there need not be any class.

    Raises:
        UsageError: the settings contradict each other, or values without names are ambiguous.
        ImageError: without names, none of the masks can be read.
    """
    if settings.threshold is not None:
        check_threshold(settings.threshold)
        name = one_class(settings.classes, settings.palette, settings.ignore)
        return (BACKGROUND, name), partial(read_mask, limits=limits, threshold=settings.threshold)
    if settings.palette is not None:
        named, colours = colour_values(settings.palette, settings.classes, settings.ignore)
        return named, partial(read_colour_mask, values=colours, limits=limits)
    if settings.classes is not None:
        named, table = value_table(settings.classes, settings.ignore)
        return named, lambda data: to_indices(read_mask(data, limits), table)
    check_ignored_value(settings.ignore)
    counts = _counted(limits, content, may_be_empty=may_be_empty)
    values = _values_found(counts, settings.ignore)
    if not values and not may_be_empty:
        raise UsageError(
            "expected masks with classes, all of them are empty", hint="Name the classes."
        )
    table = index_table(values, settings.ignore)
    named = (BACKGROUND, *(f"class {value}" for value in values))
    return named, lambda data: to_indices(_read_unnamed(data, limits), table)


def check_threshold(threshold: float) -> None:
    """Raise UsageError unless the threshold is above 0."""
    if not (isfinite(threshold) and threshold > 0):
        raise UsageError(
            f"expected a grey level above 0 as `threshold`, got {threshold:g}",
            hint="128 is the middle of 0 to 255",
        )


def _read_unnamed(data: bytes, limits: ImageLimits) -> Mask:
    mask = read_mask(data, limits)
    check_levels(mask)
    return mask


def _counted(
    limits: ImageLimits, content: Collection[Reader], *, may_be_empty: bool
) -> NDArray[np.int64]:
    """Count the values of masks, (256,); those that cannot be read are left to whoever reads them."""

    def counted(read: Reader) -> NDArray[np.int64] | FlawlineError:
        try:
            return level_counts(_read_unnamed(read(), limits))
        except FlawlineError as error:
            return error

    total, failed = np.zeros(256, np.int64), []
    for _, one in in_order(content, counted):
        if isinstance(one, FlawlineError):
            failed.append(one)
        else:
            total += one
    if failed and not total.any() and not may_be_empty:
        raise failed[0]
    return total


def _values_found(counts: NDArray[np.int64], ignore: Ignore | None) -> list[int]:
    """List the values that are classes."""
    values = [value for value in np.flatnonzero(counts).tolist() if value not in (0, ignore)]
    if ignore is None and 255 in values and len(values) > 1:
        raise UsageError(
            "expected masks whose values are all classes, 255 may also mark what is to be ignored",
            hint="Give 255 as the `ignore` value, name every class with `classes`, or cut smoothed edges with "
            "`threshold=128`.",
        )
    if len(values) > MOST_LEVELS:
        raise UsageError(
            f"expected at most {MOST_LEVELS} classes without names, got {len(values)} different values",
            hint="Name the classes with `classes`; where values number the regions, give a file for each class.",
        )
    return values
