"""Choose the resolution of pictures and the size of the windows they are cut into.

A picture is squeezed whole into one window ("fit"), or scaled and cut into windows that overlap. Without a smallest
defect it is fit. With one, it is fit where the defect then spans a whole cell of the map in both directions, and
otherwise scaled so that it just does. One cell, 8 px, is the least that patch features can detect: sound magnetic tiles
at 256 px with and without one round spot are told apart by the nearest neighbours of ResNet-18 features (strides 8 and
16) with an AUROC of 0.62, 0.75, 0.86, 0.97, 1.00 for spots of 4, 5, 6, 8, 12 px darkened by 60 %, and of 0.61, 0.80,
0.95 for spots of 8, 12, 16 px darkened by 30 %. For faint defects give a smaller figure than their size.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from flawline.errors import UsageError

Size = tuple[int, int]
"""(height, width)."""

STEP = 16
"""Sides of windows are multiples of this, and so are the places where they begin: the coarsest stride in use."""

VISIBLE_CELLS = 1.0
MAX_WINDOWS = 4096
# One window of up to this many times the area costs less than four or more overlapping ones.
_ONE_WINDOW_AREA = 2.0
_SMALLEST_SIDE = 32
_LEAST_OVERLAP = 64
# Pictures whose aspect ratios differ by at most this factor are of one shape.
_SAME_ASPECT = 1.05


@dataclass(frozen=True, slots=True)
class Framing:
    """Resolution and windows of pictures: `window` (height, width), multiples of 16, in scaled pixels.

    `scale` is scaled pixels per picture pixel, or "fit": the whole picture squeezed into one window. `overlap` is the
    least number of scaled pixels that neighbouring windows share. A cell of the map is `cell` x `cell` scaled pixels.

    Raises:
        UsageError: a window or cell of another size, an overlap over half a window, a scale that is not above 0.
    """

    window: Size
    scale: float | Literal["fit"] = "fit"
    overlap: int = 0
    cell: int = 8

    def __post_init__(self) -> None:
        """Refuse settings out of range."""
        if len(self.window) != 2 or any(side < STEP or side % STEP for side in self.window):
            raise UsageError(
                f"expected a window of (height, width), multiples of {STEP}, got {self.window}",
                hint="256 256 is usual",
            )
        if self.cell < 1 or STEP % self.cell:
            raise UsageError(f"expected a cell of 1, 2, 4, 8 or 16 pixels, got {self.cell}")
        if not 0 <= self.overlap <= max(self.window) // 2:
            raise UsageError(
                f"expected an overlap from 0 to half a window, {max(self.window) // 2}, got {self.overlap}",
                hint="a quarter of the window is usual",
            )
        if self.scale != "fit" and not (math.isfinite(self.scale) and self.scale > 0):
            raise UsageError(f"expected a scale above 0 or 'fit', got {self.scale}")

    def as_settings(self) -> dict[str, Any]:
        """Convert to plain values for JSON or TOML."""
        return {
            "window": list(self.window),
            "scale": self.scale,
            "overlap": self.overlap,
            "cell": self.cell,
        }

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Framing:
        """Restore from the values of `as_settings`."""
        height, width = settings["window"]
        return cls((height, width), settings["scale"], settings["overlap"], settings["cell"])


def choose_framing(
    sizes: Iterable[Size],
    window: Size = (256, 256),
    min_defect_px: float | None = None,
    *,
    cell: int = 8,
    max_windows: int = MAX_WINDOWS,
) -> Framing:
    """Choose the framing for pictures of `sizes` that keeps a defect of `min_defect_px` picture pixels visible.

    `window` gives the area; the sides follow the pictures where these are of one shape, or where the scaled picture is
    narrower. Where a whole picture takes no more than twice that area, it becomes one window; else tiles that overlap
    by a quarter of their side and at least 64 px.

    Raises:
        UsageError: no sizes, a defect that is smaller than a pixel, or more than `max_windows` windows for a picture.
    """
    shapes = sorted(set(sizes))
    if not shapes or any(min(shape) < 1 for shape in shapes):
        raise UsageError(
            f"expected sizes of pictures, got {shapes[:1]}", hint="give at least one picture"
        )
    fit = Framing(_shaped(window, shapes), cell=cell)
    if min_defect_px is None:
        return fit
    if not (math.isfinite(min_defect_px) and min_defect_px >= 1):
        raise UsageError(
            f"expected a smallest defect of 1 pixel of the picture or more, got {min_defect_px:g}",
            hint="smaller ones are not in the pictures: photograph from nearer or at a higher resolution, "
            "or name a larger defect",
        )
    scale = VISIBLE_CELLS * cell / min_defect_px
    largest = max(height for height, _ in shapes), max(width for _, width in shapes)
    if all(side >= scale * length for side, length in zip(fit.window, largest, strict=True)):
        return fit
    framing = _at_scale(window, largest, scale, cell)
    count, shape = max((window_count(shape, framing), shape) for shape in shapes)
    if count > max_windows:
        enough = _enough(window, largest, cell, min_defect_px, max_windows)
        raise UsageError(
            f"a defect of {min_defect_px:g} px takes {count} windows of {framing.window[1]} x {framing.window[0]} px "
            f"in a picture of {shape[1]} x {shape[0]} px, more than {max_windows}",
            hint=f"name a smallest defect of {enough} px or more, or allow {count} windows for a picture",
        )
    return framing


def scaled_size(size: Size, framing: Framing) -> Size:
    """Compute height and width of the scaled picture in pixels."""
    if framing.scale == "fit":
        return framing.window
    height, width = (max(1, round(side * framing.scale)) for side in size)
    return height, width


def map_size(size: Size, framing: Framing) -> Size:
    """Compute height and width in cells of the map of a picture of `size`; the last cells may reach beyond its edge."""
    height, width = scaled_size(size, framing)
    return -(-height // framing.cell), -(-width // framing.cell)


def window_starts(size: Size, framing: Framing) -> tuple[list[int], list[int]]:
    """Compute rows and columns of the scaled picture where windows begin: the fewest, even, multiples of 16."""
    rows, columns = (
        _starts_along(length, side, framing.overlap)
        for length, side in zip(scaled_size(size, framing), framing.window, strict=True)
    )
    return rows, columns


def window_count(size: Size, framing: Framing) -> int:
    """Count the windows of a picture of `size`."""
    rows, columns = window_starts(size, framing)
    return len(rows) * len(columns)


def _starts_along(length: int, side: int, overlap: int) -> list[int]:
    steps = -(-max(0, length - side) // STEP)
    stride = (side - min(overlap, side // 2)) // STEP
    count = -(-steps // stride) + 1
    return [STEP * (steps * i // max(1, count - 1)) for i in range(count)]


def _shaped(window: Size, shapes: list[Size]) -> Size:
    """Shape a window of that area like the pictures; unchanged where they have several shapes."""
    aspects = [height / width for height, width in shapes]
    if max(aspects) > _SAME_ASPECT * min(aspects):
        return window
    area, aspect = window[0] * window[1], math.sqrt(max(aspects) * min(aspects))
    # The shorter side first, because of its least length.
    shorter = _side(math.sqrt(area * min(aspect, 1 / aspect)))
    longer = _side(area / shorter)
    return (shorter, longer) if aspect < 1 else (longer, shorter)


def _side(length: float) -> int:
    return max(_SMALLEST_SIDE, STEP * round(length / STEP))


def _at_scale(window: Size, largest: Size, scale: float, cell: int) -> Framing:
    area = window[0] * window[1]
    # Rounded like the scaled picture, then up to whole steps.
    height, width = (
        max(_SMALLEST_SIDE, STEP * math.ceil(max(1, round(side * scale)) / STEP))
        for side in largest
    )
    if height * width <= _ONE_WINDOW_AREA * area:
        return Framing((height, width), cell=cell)
    down, across = window
    if height < down:
        down, across = height, _side(area / height)
    elif width < across:
        down, across = _side(area / width), width
    overlap = min(
        max(_LEAST_OVERLAP, STEP * (min(down, across) // (4 * STEP))), max(down, across) // 2
    )
    down, across = _even(height, down, overlap), _even(width, across, overlap)
    return Framing((down, across), scale, overlap, cell)


def _even(length: int, side: int, overlap: int) -> int:
    """Find the shortest side with which as many windows still cover the length."""
    shared = min(overlap, side // 2)
    count = len(_starts_along(length, side, overlap))
    shortest = STEP * math.ceil((length + (count - 1) * shared) / count / STEP)
    return min(side, max(shortest, 2 * shared))


def _enough(window: Size, largest: Size, cell: int, too_small: float, max_windows: int) -> float:
    """Find the smallest defect in pixels, to three figures, that needs no more windows than allowed."""
    enough = too_small
    while (
        window_count(largest, _at_scale(window, largest, VISIBLE_CELLS * cell / enough, cell))
        > max_windows
    ):
        enough *= 1.01
    return float(f"{enough * 1.005:.3g}")
