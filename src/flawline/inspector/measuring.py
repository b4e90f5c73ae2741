"""Measure the defects that a model found in one picture, and the columns of its part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import isfinite
from threading import Lock

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.measure.defects import Defects
from flawline.core.measure.measure import measure
from flawline.core.measure.millimetres import column_in_millimetres, names_in_millimetres
from flawline.core.measure.parts import part_columns, part_summary, stain_first
from flawline.core.scale import Scale
from flawline.inspector.model import Found, Model
from flawline.specification.judge import MeasuredPart
from flawline.types import Region

_ONE_AT_A_TIME = Lock()

Columns = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredPicture:
    """The defects of one picture, in the order of `regions`.

    `columns` are those of the table of defects, (N,) each, in px and, with a scale, in mm. `part` are the columns of
    the part's row by name. `size` is (height, width) of the picture in px.
    """

    regions: tuple[Region, ...]
    columns: Columns
    part: Mapping[str, float]
    size: tuple[int, int]
    mm_per_px: float | None

    def as_part(self, image: str, p_value: float | None) -> MeasuredPart:
        """Convert to the part that a specification judges."""
        places = np.stack([self.columns["centroid_x"], self.columns["centroid_y"]], axis=1)
        return MeasuredPart(
            image,
            tuple(region.label for region in self.regions),
            {**self.columns, "part_x": places[:, 0], "part_y": places[:, 1]},
            places,
            self.size,
            self.mm_per_px,
            [region.contour.astype(np.float64) for region in self.regions],
            p_value,
        )


def measured_part(
    found: Found, pixels: NDArray[np.uint8], model: Model, scale: Scale | None = None
) -> MeasuredPicture:
    """Measure the defects of a class mask.

    Args:
        found: what `model` found in the picture.
        pixels: the picture, uint8 RGB (H, W, 3).
        model: gives the names of classes, which pieces are one defect, and the order of regions.
        scale: of the picture.
    """
    if not found.class_mask.any():
        nothing = _nothing(model.classes, found.probabilities is not None, scale)
        size = found.class_mask.shape[0], found.class_mask.shape[1]
        return replace(nothing, part=dict(nothing.part), size=size)
    # Measuring is many short calls of NumPy: threads at it together contend for the interpreter lock.
    with _ONE_AT_A_TIME:
        measured = _measured(found, pixels, model.classes, model.merge, scale)
    return _highest_first(measured) if model.highest_first else measured


@lru_cache(64)
def _nothing(classes: tuple[str, ...], tells_classes: bool, scale: Scale | None) -> MeasuredPicture:
    """Measure a picture without defects: only its size matters."""
    empty = np.zeros((1, 1), np.uint8)
    probabilities = np.zeros((len(classes), 1, 1), np.float32) if tells_classes else None
    found = Found(empty, (), np.zeros((1, 1), np.float32), 0.0, 0.0, "", {}, probabilities)
    return _measured(found, np.zeros((1, 1, 3), np.uint8), classes, None, scale)


def _highest_first(measured: MeasuredPicture) -> MeasuredPicture:
    """Sort regions by peak, the highest first; equal ones from top to bottom, then from left to right."""
    regions = measured.regions
    order = sorted(
        range(len(regions)),
        key=lambda k: (-regions[k].peak, regions[k].box[1], regions[k].box[0]),
    )
    if order == list(range(len(regions))):
        return measured
    return replace(
        measured,
        regions=tuple(regions[k] for k in order),
        columns={name: values[order] for name, values in measured.columns.items()},
    )


def _measured(
    found: Found,
    pixels: NDArray[np.uint8],
    classes: Sequence[str],
    merge: float | None,
    scale: Scale | None,
) -> MeasuredPicture:
    mask = found.class_mask
    # Not its sub-pixel contours: they follow equal probabilities, the mask follows the recipe's thresholds.
    defects = measure([mask], pictures=[pixels], merge=-1 if merge is None else merge)
    columns = _columns(defects, scale)
    held = [_values(defects, k, found.planes, mask) for k in range(len(defects))]
    if found.probabilities is not None:
        columns["probability"] = np.array([values.mean() for values in held], np.float64)
    regions = tuple(
        _region(defects, k, columns, classes, float(values.max())) for k, values in enumerate(held)
    )
    return MeasuredPicture(
        regions,
        columns,
        _part(defects, classes, mask.size),
        (mask.shape[0], mask.shape[1]),
        None if scale is None else scale.mm_per_px,
    )


def _columns(found: Defects, scale: Scale | None) -> dict[str, NDArray[np.float64]]:
    columns: dict[str, NDArray[np.float64]] = {}
    for name, values in found.columns.items():
        columns[name] = np.asarray(values, np.float64)
        if scale is not None:
            own = names_in_millimetres(name)
            columns |= zip(own, column_in_millimetres(name, found.columns, scale), strict=True)
    return columns


def _part(found: Defects, classes: Sequence[str], pixels: int) -> dict[str, float]:
    """Compute the published columns of each class."""
    numbers = sorted(range(1, len(classes)), key=lambda number: stain_first(classes[number]))
    area = np.array([float(pixels)])
    summaries = [
        (classes[number], "", part_summary(found, found.value == number, area))
        for number in numbers
    ]
    return {name: float(values[0]) for name, values in part_columns(summaries).items()}


def _region(
    found: Defects, place: int, columns: Columns, classes: Sequence[str], peak: float
) -> Region:
    own = {name: float(values[place]) for name, values in columns.items()}
    rings = found.contours[place] if found.contours else ()
    return Region(
        classes[int(found.value[place])],
        _box(found, place),
        np.asarray(np.concatenate(rings), np.float32),
        own["area"],
        peak,
        measures={name: value for name, value in own.items() if isfinite(value)},
    )


def _values(
    found: Defects,
    place: int,
    planes: Sequence[NDArray[np.float32]],
    mask: NDArray[np.uint8],
) -> NDArray[np.float32]:
    """Take the values of its class's plane on the pixels of a defect."""
    number = int(found.value[place])
    left, top, width, height = _box(found, place)
    window = slice(top, top + height), slice(left, left + width)
    of_class = mask[window] == number
    _, pieces = cv2.connectedComponents(of_class.view(np.uint8), connectivity=8)
    # A point of an outline lies on a pixel of its piece; what else is in the box belongs to other defects.
    rings = found.contours[place] if found.contours else ()
    points = [np.floor(ring[0] - (left, top)).astype(int) for ring in rings]
    own = np.isin(pieces, [pieces[y, x] for x, y in points])
    return np.asarray(planes[number - 1][window][own])


def _box(found: Defects, place: int) -> tuple[int, int, int, int]:
    left, top, width, height = (
        int(found[name][place]) for name in ("left", "top", "width", "height")
    )
    return left, top, width, height
