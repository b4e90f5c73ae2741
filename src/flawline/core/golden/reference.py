"""Make the golden sample that pictures are compared with, from one good picture or from several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.golden.registering import moved_golden, register
from flawline.core.view.alignment import Alignment, AlignmentMethod
from flawline.core.view.alignment_training import fit_alignment
from flawline.core.view.illumination import Illumination, IlluminationMethod, fit_illumination
from flawline.errors import UsageError

Pixels = NDArray[np.uint8]

LONGEST = 2048
"""Longer side at most of what is compared, px: larger pictures are shrunk."""
MOST_PICTURES = 24
# Of several good pictures the levels between these shares count as usual at a place.
_USUAL = (0.05, 0.95)


@dataclass(frozen=True, slots=True, eq=False)
class Golden:
    """A golden sample.

    `low` and `high` are uint8 (height, width, 3), RGB, the usual levels of a place: of one picture both are that
    picture, of several the 5 % and 95 % quantiles after alignment. `alignment` finds its place in other pictures and
    `light` evens their illumination. `pictures` is how many it was made of.
    """

    low: Pixels
    high: Pixels
    alignment: Alignment
    light: Illumination
    pictures: int = 1

    @property
    def size(self) -> tuple[int, int]:
        """(height, width), px."""
        return self.low.shape[0], self.low.shape[1]

    def as_arrays(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Convert to plain settings and arrays."""
        alignment, of_alignment = self.alignment.as_arrays()
        light, of_light = self.light.as_arrays()
        arrays = {"low": self.low, "high": self.high}
        arrays |= {f"alignment_{name}": array for name, array in of_alignment.items()}
        arrays |= {f"light_{name}": array for name, array in of_light.items()}
        return {"alignment": alignment, "light": light, "pictures": self.pictures}, arrays

    @classmethod
    def from_arrays(cls, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Golden:
        """Restore from the settings and arrays of `as_arrays`; raises ValueError for other arrays."""
        low, high = arrays["low"], arrays["high"]
        if low.dtype != np.uint8 or low.ndim != 3 or low.shape[2] != 3 or not low.size:
            raise ValueError("golden_low is no picture")
        if high.dtype != np.uint8 or high.shape != low.shape:
            raise ValueError("golden_high is no picture of the size of golden_low")
        parts = [
            {
                name.removeprefix(start): array
                for name, array in arrays.items()
                if name.startswith(start)
            }
            for start in ("alignment_", "light_")
        ]
        return cls(
            low,
            low if np.array_equal(low, high) else high,
            Alignment.from_arrays(settings["alignment"], parts[0]),
            Illumination.from_arrays(settings["light"], parts[1]),
            int(settings["pictures"]),
        )

    @property
    def middle(self) -> Pixels:
        """The middle of the usual levels, uint8 (height, width, 3)."""
        return np.asarray(cv2.addWeighted(self.low, 0.5, self.high, 0.5, 0), np.uint8)


def make_golden(
    pictures: Sequence[Pixels],
    *,
    align: AlignmentMethod = "shift",
    light: IlluminationMethod = "level",
    largest_angle: float = 180.0,
) -> Golden:
    """Make a golden sample from good pictures, uint8 (height, width, 3), RGB, of one shape.

    Of several pictures, each is aligned with the one that is most like the others; a place whose levels differ from
    part to part then has a wider usual range. More than 24 are thinned evenly.

    Args:
        pictures: at least one.
        align: how parts move from picture to picture, as for `fit_alignment`.
        light: how the illumination of pictures is evened, as for `fit_illumination`.
        largest_angle: of "rigid", degrees.

    Raises:
        UsageError: no picture, pictures of several shapes, or pictures that have nothing in common.
    """
    if not len(pictures):
        raise UsageError("expected pictures of good parts, got none", hint="give at least one")
    step = -(-len(pictures) // MOST_PICTURES)
    chosen = [working_size(pixels) for pixels in pictures[::step]]
    illumination = fit_illumination(chosen, light)
    alignment = fit_alignment(chosen, align, largest_angle=largest_angle)
    if len(chosen) == 1:
        return Golden(chosen[0], chosen[0], alignment, illumination)
    first = max(chosen, key=lambda pixels: alignment.find(pixels).quality)
    own = fit_alignment([first], align, largest_angle=largest_angle)
    start = Golden(first, first, own, illumination)
    return _usual(start, chosen)


def working_size(pixels: Pixels) -> Pixels:
    """Shrink a picture to the size at which it is compared: at most 2048 px on the longer side."""
    shrink = LONGEST / max(pixels.shape[:2])
    if shrink >= 1:
        return pixels
    height, width = (max(1, round(side * shrink)) for side in pixels.shape[:2])
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _usual(start: Golden, chosen: Sequence[Pixels]) -> Golden:
    """Find the usual levels of pictures after each was moved to the place of `start`."""
    moved: list[Pixels] = []
    for pixels in chosen:
        # What moves a picture to the golden sample is found as if the picture were the golden sample.
        golden = start.light.apply(pixels)
        found = register(_alignment_to(start, golden), golden, start.low)
        if found.found:
            shown, valid = moved_golden(found, golden)
            moved.append(np.where(valid[..., None], shown, start.low))
    low, high = np.quantile(np.stack(moved), _USUAL, axis=0, method="nearest").astype(np.uint8)
    return Golden(low, high, start.alignment, start.light, len(moved))


def _alignment_to(start: Golden, pixels: Pixels) -> Alignment:
    alignment = start.alignment
    return fit_alignment([pixels], alignment.method, largest_angle=alignment.largest_angle)
