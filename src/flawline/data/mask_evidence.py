"""Tell masks from photographs by their pixels, where names alone do not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from flawline.data.image import read_image
from flawline.errors import FlawlineError
from flawline.types import Picture

_LEAST_BLACK, _FEW, _MOST_OF = 0.05, 32, 0.9


def is_mask_of(read: Callable[[str], bytes], mask: str, picture: str | None) -> bool | None:
    """Whether a picture looks like a mask, and has the size of `picture` where that is given; None where unreadable.

    A mask has at most 32 colours, or two that cover nine tenths of it. That of a picture has black background, too.
    """
    drawn, photo = _picture(read, mask), None if picture is None else _picture(read, picture)
    if drawn is None or (picture is not None and photo is None):
        return None
    if photo is not None and photo.pixels.shape != drawn.pixels.shape:
        return False
    red, green, blue = np.moveaxis(drawn.pixels.astype(np.uint32), 2, 0)
    colours, counts = np.unique(red << 16 | green << 8 | blue, return_counts=True)
    parts = counts / counts.sum()
    black = float(parts[0]) if colours[0] == 0 else 0.0
    few = len(colours) <= _FEW or np.sort(parts)[-2:].sum() >= _MOST_OF
    return bool(few) and (photo is None or black >= _LEAST_BLACK)


def is_defective(read: Callable[[str], bytes], mask: str) -> bool | None:
    """Whether a mask shows a defect: any value but 0, or any colour but black; None where it cannot be told."""
    # Masks are read by a package that reads sources, which read this.
    from flawline.data.masks.pixels import read_mask

    try:
        return bool(read_mask(read(mask)).any())
    except FlawlineError:
        drawn = _picture(read, mask)
        return True if drawn is not None and drawn.pixels.any() else None


def _picture(read: Callable[[str], bytes], name: str) -> Picture | None:
    try:
        # With the range 0 to 255 a value of 1 in a file of more than 8 bits is not black.
        return read_image(read(name), value_range=(0, 255))
    except FlawlineError:
        return None
