"""What is marked in one picture, as numbers: its defects, and the row of its part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
        """The same as a specification takes it."""
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
    marked: NDArray[np.uint8],
    pixels: NDArray[np.uint8],
    classes: Sequence[str],
    *,
    probabilities: NDArray[np.float32] | None = None,
    scores: NDArray[np.float32] | None = None,
    merge: float | None = None,
    scale: Scale | None = None,
) -> MeasuredPicture:
    """Measure what is marked.

    Args:
        marked: uint8 (H, W), the class of each pixel, 0 for none.
        pixels: the picture, uint8 RGB (H, W, 3).
        classes: names of all classes, background first.
        probabilities: float32 (C, H, W), where there are some.
        scores: float32 (H, W) of an anomaly map instead, for the peaks of regions.
        merge: pieces of a class with at most this gap in px are one defect.
        scale: of the picture.
    """
    # Measuring is many short calls of NumPy: threads at it together only hand the interpreter to and fro.
    with _ONE_AT_A_TIME:
        return _measured(marked, pixels, classes, probabilities, scores, merge, scale)


def _measured(
    marked: NDArray[np.uint8],
    pixels: NDArray[np.uint8],
    classes: Sequence[str],
    probabilities: NDArray[np.float32] | None,
    scores: NDArray[np.float32] | None,
    merge: float | None,
    scale: Scale | None,
) -> MeasuredPicture:
    # Not its sub-pixel contours: they lie where classes are equally probable, marks end at the recipe's thresholds.
    found = measure([marked], pictures=[pixels], merge=-1 if merge is None else merge)
    columns = _columns(found, scale)
    planes = [scores] * len(classes) if probabilities is None else list(probabilities)
    held = [_values(found, k, planes, marked) for k in range(len(found))]
    if probabilities is not None:
        columns["probability"] = np.array([values.mean() for values in held], np.float64)
    regions = tuple(
        _region(found, k, columns, classes, float(values.max())) for k, values in enumerate(held)
    )
    return MeasuredPicture(
        regions,
        columns,
        _part(found, classes, marked.size),
        (marked.shape[0], marked.shape[1]),
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
    """The published columns of each class."""
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
    planes: Sequence[NDArray[np.float32] | None],
    marked: NDArray[np.uint8],
) -> NDArray[np.float32]:
    """The values of the plane of its class on the pixels of a defect."""
    number = int(found.value[place])
    plane, rings = planes[number], found.contours[place] if found.contours else ()
    assert plane is not None
    left, top, width, height = _box(found, place)
    inside = np.zeros((height, width), np.uint8)
    cv2.fillPoly(inside, [np.floor(ring - (left, top)).astype(np.int32) for ring in rings], (1,))
    window = slice(top, top + height), slice(left, left + width)
    of_class = marked[window] == number
    chosen = (inside > 0) & of_class
    return np.asarray(plane[window][chosen if chosen.any() else of_class])


def _box(found: Defects, place: int) -> tuple[int, int, int, int]:
    left, top, width, height = (
        int(found[name][place]) for name in ("left", "top", "width", "height")
    )
    return left, top, width, height
