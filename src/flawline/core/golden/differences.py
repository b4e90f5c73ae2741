"""Find where a picture differs from a golden sample.

A pixel differs where no pixel of the golden sample within a few pixels has its level, or where its own level in the
golden sample has none near it in the picture. Both are needed: the first finds what is extra on plain ground, the
second what is missing of thin lines. They are differences to grey erosions and dilations, so that edges that moved by
less than the slack, or were drawn a little thicker, do not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.golden.reference import Golden, Pixels, working_size
from flawline.core.golden.registering import moved_golden, register
from flawline.errors import ImageError, UsageError
from flawline.types import Region

MISSING, EXTRA = "missing", "extra"
KINDS = (MISSING, EXTRA)
"""In the golden sample and not in the picture; in the picture and not in the golden sample."""
Material = Literal["auto", "bright", "dark"]
MATERIALS: tuple[Material, ...] = get_args(Material)
STRENGTH = "strength"
"""The measure of a region by which it counts: the sum of its differences over 255, px of full contrast."""


@dataclass(frozen=True, slots=True)
class GoldenSettings:
    """Settings of a comparison.

    `slack` is by how many px edges may lie elsewhere, `contrast` the least difference of a pixel in levels (0 to 255),
    `least` the strength above which a region counts. `material` says whether a part is brighter or darker than what
    is behind it, which tells missing from extra; "auto" compares which of the two pictures has more contrast there.
    """

    slack: int = 2
    contrast: int = 40
    least: float = 4.0
    material: Material = "auto"

    def __post_init__(self) -> None:
        """Refuse settings that make no sense."""
        if not 0 <= self.slack <= 50:
            raise UsageError(f"`slack` takes 0 to 50 px, got {self.slack}")
        if not 1 <= self.contrast <= 254:
            raise UsageError(f"`contrast` takes 1 to 254 levels, got {self.contrast}")
        if not 0 <= self.least < 1e12:
            raise UsageError(f"`least` takes a strength from 0 on, got {self.least}")
        if self.material not in MATERIALS:
            raise UsageError(f"`material` {self.material!r} is not one of {', '.join(MATERIALS)}")


@dataclass(frozen=True, slots=True, eq=False)
class Differences:
    """Differences of a picture from a golden sample, the strongest region first.

    `regions` are all, also those that do not count, in pixels of the picture; their label is "missing" or
    "extra", their peak the largest difference in levels, and `measures` holds their strength. `map` float32 (h, w)
    are the differences in levels over the whole picture, 0 where the slack explains them. `unseen` is the share of the
    picture that the golden sample does not cover.
    """

    regions: tuple[Region, ...]
    map: NDArray[np.float32]
    likeness: float
    unseen: float

    @property
    def score(self) -> float:
        """The highest strength, 0 where nothing differs."""
        return max((region.measures[STRENGTH] for region in self.regions), default=0.0)


def compare_with_golden(
    golden: Golden, pixels: Pixels, settings: GoldenSettings | None = None
) -> Differences:
    """Compare a picture uint8 (height, width, 3), RGB, with a golden sample.

    Raises:
        ImageError: ("image-golden") the picture has another shape than the golden sample, or shows something else.
    """
    settings = settings or GoldenSettings()
    picture = golden.light.apply(working_size(pixels))
    found = register(golden.alignment, golden.middle, picture)
    if not found.found:
        raise ImageError(
            f"it cannot be compared with the golden sample: {found.reason}",
            hint="check that the golden sample shows this product, or choose how it moves with `align`",
            code="image-golden",
        )
    size = picture.shape[0], picture.shape[1]
    low, covered = moved_golden(found, golden.low)
    high = low if golden.high is golden.low else moved_golden(found, golden.high)[0]
    darker, brighter = difference_maps(low, high, picture, settings.slack)
    # What lies just outside the one may have moved into the other.
    rim = _disc(settings.slack + 1)
    edges = cv2.BORDER_CONSTANT
    unknown = cv2.erode(covered.astype(np.uint8), rim, borderType=edges, borderValue=0) == 0
    darker[unknown], brighter[unknown] = 0, 0
    scale = pixels.shape[1] / size[1], pixels.shape[0] / size[0]
    regions = _regions(darker, brighter, (low, high, picture), settings, scale)
    values = np.maximum(darker, brighter).astype(np.float32)
    return Differences(regions, values, found.likeness, 1 - float(covered.mean()))


def difference_maps(
    low: Pixels, high: Pixels, picture: Pixels, slack: int
) -> tuple[Pixels, Pixels]:
    """Compute by how much a picture is darker, and brighter, than usual, uint8 (H, W) each, the most of its channels.

    `low`, `high` and `picture` are uint8 (H, W, 3), one upon the other up to `slack` px.
    """
    disc = _disc(slack)
    usual_low, usual_high, own = (cv2.GaussianBlur(v, (0, 0), 1.0) for v in (low, high, picture))
    darker = np.maximum(
        cv2.subtract(cv2.erode(usual_low, disc), own),
        cv2.subtract(usual_low, cv2.dilate(own, disc)),
    )
    brighter = np.maximum(
        cv2.subtract(own, cv2.dilate(usual_high, disc)),
        cv2.subtract(cv2.erode(own, disc), usual_high),
    )
    return darker.max(axis=2), brighter.max(axis=2)


def counted_regions(regions: Sequence[Region], least: float) -> tuple[Region, ...]:
    """Choose the regions above that strength, never those of it."""
    return tuple(region for region in regions if region.measures[STRENGTH] > least)


def class_mask(regions: Sequence[Region], size: tuple[int, int]) -> Pixels:
    """Draw regions into a mask uint8 (height, width): 0 the same, 1 missing, 2 extra."""
    mask = np.zeros(size, np.uint8)
    for region in reversed(regions):
        points = np.floor(region.contour).astype(np.int32).reshape(-1, 1, 2)
        cv2.drawContours(mask, [points], -1, 1 + KINDS.index(region.label), cv2.FILLED)
    return mask


def _regions(
    darker: Pixels,
    brighter: Pixels,
    pictures: tuple[Pixels, Pixels, Pixels],
    settings: GoldenSettings,
    scale: tuple[float, float],
) -> tuple[Region, ...]:
    """Join pixels that differ, across gaps of up to four times the slack, to regions; the strongest first."""
    values = np.maximum(darker, brighter)
    differs = (values > settings.contrast).view(np.uint8)
    joined = cv2.dilate(differs, _disc(2 * settings.slack))
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(joined)
    found = []
    for number in range(1, count):
        left, top, width, height = (int(v) for v in boxes[number, :4])
        cut = slice(top, top + height), slice(left, left + width)
        inside = (labels[cut] == number) & (differs[cut] > 0)
        tones = int(darker[cut][inside].sum()), int(brighter[cut][inside].sum())
        label = _kind(tones, inside, pictures, (left, top), settings.material)
        found.append(_region(values[cut], inside, (left, top), label, scale))
    found.sort(key=lambda region: (-region.measures[STRENGTH], region.box))
    return tuple(found)


def _region(
    values: Pixels,
    inside: NDArray[np.bool_],
    corner: tuple[int, int],
    label: str,
    scale: tuple[float, float],
) -> Region:
    """Make a region of the pixels `inside` of a cut at `corner`, in pixels of the whole picture."""
    rows, columns = np.nonzero(inside)
    pieces, _ = cv2.findContours(inside.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    points = np.concatenate(pieces).reshape(-1, 2)
    outline = points if len(pieces) == 1 else cv2.convexHull(points).reshape(-1, 2)
    left, right = ((corner[0] + v) * scale[0] for v in (columns.min(), columns.max() + 1))
    top, bottom = ((corner[1] + v) * scale[1] for v in (rows.min(), rows.max() + 1))
    contour = (outline + np.array(corner) + 0.5) * np.array(scale)
    return Region(
        label,
        (int(left), int(top), max(1, round(right - int(left))), max(1, round(bottom - int(top)))),
        contour.astype(np.float32),
        float(len(rows)) * scale[0] * scale[1],
        float(values[inside].max()),
        measures={STRENGTH: float(values[inside].sum(dtype=np.int64)) / 255},
    )


def _kind(
    tones: tuple[int, int],
    inside: NDArray[np.bool_],
    pictures: tuple[Pixels, Pixels, Pixels],
    corner: tuple[int, int],
    material: Material,
) -> str:
    """Tell what is missing from what is extra; `tones` are by how much the picture is darker and brighter."""
    if material != "auto":
        return MISSING if (tones[0] > tones[1]) == (material == "bright") else EXTRA
    low, high, own = (_contrast(picture, inside, corner) for picture in pictures)
    return MISSING if max(low, high) > own else EXTRA


def _contrast(picture: Pixels, inside: NDArray[np.bool_], corner: tuple[int, int]) -> float:
    """Compute how much a region differs from what is around it, in levels."""
    margin = max(4, max(inside.shape) // 4)
    left, top = (max(0, at - margin) for at in corner)
    bottom, right = corner[1] + inside.shape[0] + margin, corner[0] + inside.shape[1] + margin
    cut = picture[top:bottom, left:right].astype(np.int16)
    within = np.zeros(cut.shape[:2], bool)
    within[
        corner[1] - top : corner[1] - top + inside.shape[0],
        corner[0] - left : corner[0] - left + inside.shape[1],
    ] = inside
    if within.all():
        return 0.0
    around = np.median(cut[~within], axis=0)
    return float(np.abs(cut[within] - around).max(axis=1).mean())


def _disc(radius: int) -> Pixels:
    side = 2 * radius + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)
