"""Draw defects of known size and contrast into a picture of a real part.

The contrast is a change of the grey level as a share of the full range of 255, at the strongest place of the defect:
below 0 it is darker than the part, above 0 lighter. The size is in px of the picture and counts to half of the
strongest change. `drawn_defect_kinds` says what each kind of defect is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.synthetic.drawn_defect_kinds import (
    COLOUR,
    DENT,
    MISSING_PIECE,
    SCRATCH,
    SMEAR,
    SPOT,
    TEXTURE_PATCH,
    DefectKind,
    Stamp,
)

KINDS: Mapping[str, DefectKind] = {
    kind.name: kind for kind in (SPOT, SCRATCH, DENT, MISSING_PIECE, SMEAR, TEXTURE_PATCH, COLOUR)
}
GREY = 6
"""Colour channels that differ by at most this are those of a grey picture, stored with losses."""
_TRIES = 40
_WHOLE = 0.95
_ENOUGH = 0.75

Size = float | tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class _Placed:
    """A stamp at a place: `kept` is the share of its change that the part and the range of grey levels leave."""

    rows: slice
    columns: slice
    pixels: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    kept: float


def draw_defect(
    pixels: NDArray[np.uint8],
    inside: NDArray[np.bool_] | None,
    kind: str,
    size: Size,
    contrast: float,
    rng: np.random.Generator,
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Draw one defect at a random place of a part, turned at random.

    Places where the whole defect lies on the part and the grey levels leave room for its contrast are equally likely.
    Where several tries meet none, the place that leaves most of it is taken.

    Args:
        pixels: the picture, uint8 RGB (H, W, 3); it stays as it is.
        inside: the pixels of the part, bool (H, W); None for the whole picture.
        kind: one of `KINDS`.
        size: the diameter, or width and length, px: from 1 on, from 3 on for a dent and a texture patch. One number is
            the width of a scratch ten times as long, and of a smear three times as long.
        contrast: -1 to 1 without 0: the change of the grey level as a share of 255 where it is strongest. Of a dent and
            a texture patch the sign does not matter; a colour changes by that much in one channel.
        rng: of the place and the shape.

    Returns:
        The picture with the defect, and its mask, bool (H, W): the pixels changed by at least half of the contrast; all
        of its outline for a dent and a texture patch. What changes beyond the mask is its soft edge.

    Raises:
        ValueError: an unknown kind, a size or contrast out of range, a colour on a grey picture, or no place has room
            for the defect.
    """
    drawn = _kind(pixels, kind)
    width, length = size_of_defect(kind, size)
    if not 0 < abs(contrast) <= 1:
        raise ValueError(f"expected a contrast of -1 to 1 other than 0, got {contrast:g}")
    pick = _picker(inside, (pixels.shape[0], pixels.shape[1]))
    best: _Placed | None = None
    for _ in range(_TRIES):
        stamp = drawn.stamp(rng, width, length)
        placed = _placed(pixels, inside, drawn, stamp, pick(rng), 255 * contrast, rng)
        if best is None or placed.kept > best.kept:
            best = placed
        if best.kept >= _WHOLE:
            break
    if best is None or best.kept < _ENOUGH:
        raise ValueError(
            f"no place of the part has room for a {kind} of {width:g} x {length:g} px at a contrast of {contrast:g}"
        )
    result, mask = pixels.copy(), np.zeros(pixels.shape[:2], bool)
    result[best.rows, best.columns] = best.pixels
    mask[best.rows, best.columns] = best.mask
    return result, mask


def size_of_defect(kind: str, size: Size) -> tuple[float, float]:
    """Give width and length of a defect in px; a single number is the width.

    Raises:
        ValueError: an unknown kind, or a size that is too small or not finite.
    """
    if kind not in KINDS:
        raise ValueError(f"expected one of {', '.join(KINDS)}, got {kind!r}")
    given = size if isinstance(size, tuple) else (size, size * KINDS[kind].aspect)
    smallest = KINDS[kind].smallest
    if not (np.isfinite(given).all() and min(given) >= smallest):
        raise ValueError(f"expected a size of {smallest:g} px or more for a {kind}, got {size}")
    return min(given), max(given)


def is_grey(pixels: NDArray[np.uint8]) -> bool:
    """Tell whether all channels of a picture (H, W, 3) are alike, but for losses of storage."""
    spread = pixels.max(axis=2).astype(np.int16) - pixels.min(axis=2)
    return bool(spread.max(initial=0) <= GREY)


def _kind(pixels: NDArray[np.uint8], kind: str) -> DefectKind:
    if kind not in KINDS:
        raise ValueError(f"expected one of {', '.join(KINDS)}, got {kind!r}")
    if KINDS[kind].coloured and is_grey(pixels):
        raise ValueError("a grey picture has no colour that could change")
    return KINDS[kind]


def _picker(
    inside: NDArray[np.bool_] | None, size: tuple[int, int]
) -> Callable[[np.random.Generator], tuple[int, int]]:
    """Return a function that draws a pixel (row, column) of the part, all equally likely."""
    places = np.arange(size[0] * size[1]) if inside is None else np.flatnonzero(inside)
    if not len(places):
        raise ValueError("no pixel of the picture lies on the part")

    def pick(rng: np.random.Generator) -> tuple[int, int]:
        return divmod(int(places[rng.integers(len(places))]), size[1])

    return pick


def _placed(
    pixels: NDArray[np.uint8],
    inside: NDArray[np.bool_] | None,
    kind: DefectKind,
    stamp: Stamp,
    centre: tuple[int, int],
    levels: float,
    rng: np.random.Generator,
) -> _Placed:
    """Draw a stamp with its middle at a pixel, as far as it lies in the picture."""
    rows, columns, shown = _shown(stamp, centre, (pixels.shape[0], pixels.shape[1]))
    old = pixels[rows, columns].astype(np.float32)
    if not shown.mask.any():
        return _Placed(rows, columns, pixels[rows, columns], shown.mask, 0.0)
    wanted = kind.fill(rng, old, shown, np.float32(levels)) - old
    drawn, mask = wanted, shown.mask
    if inside is not None:
        on_part = inside[rows, columns]
        drawn, mask = wanted * _soft(on_part)[..., None], mask & on_part
    new = np.clip(old + drawn, 0, 255)
    whole = float(np.abs(shown.weight).sum() / np.abs(stamp.weight).sum())
    kept = float(np.abs(new - old).sum() / np.abs(wanted).sum())
    return _Placed(rows, columns, np.rint(new).astype(np.uint8), mask, whole * kept)


def _shown(
    stamp: Stamp, centre: tuple[int, int], size: tuple[int, int]
) -> tuple[slice, slice, Stamp]:
    """Cut a stamp, with its middle at a pixel, to a picture of a size: rows and columns there, and what they show."""
    there, own = [], []
    for at, length, side in zip(centre, stamp.weight.shape, size, strict=True):
        first = at - length // 2
        start, stop = max(first, 0), min(first + length, side)
        there.append(slice(start, stop))
        own.append(slice(start - first, stop - first))
    cut = own[0], own[1]
    return there[0], there[1], Stamp(stamp.weight[cut], stamp.mask[cut])


def _soft(inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Compute the share of a pixel on the part, with an edge as soft as that of the defect, 0 outside the part."""
    blurred = cv2.blur(inside.astype(np.float32), (3, 3), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(np.where(inside, blurred, np.float32(0)), np.float32)
