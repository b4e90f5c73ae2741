"""Measure the defects that a model found in one picture, and the columns of its part.

Where the defects are and how high they peak is known at once. Their other columns are measured when they are first
asked for: whoever wants only the verdict does not wait for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from math import isfinite
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.measure.columns import BY_NAME, COLUMNS
from flawline.core.measure.defects import Defects
from flawline.core.measure.millimetres import column_in_millimetres, names_in_millimetres
from flawline.core.measure.parts import part_columns, part_summary, stain_first
from flawline.core.measure.pixels import contrasts, values_of_regions
from flawline.core.measure.regions import Regions, find_regions
from flawline.core.measure.sums import Boxes
from flawline.core.scale import Scale
from flawline.inspector.model import Found, Model
from flawline.specification.judge import MeasuredPart
from flawline.types import Region

_ONE_AT_A_TIME = Lock()

Columns = Mapping[str, NDArray[Any]]


class MeasuredColumns(Mapping[str, NDArray[Any]]):
    """Columns by name, each measured when it is first asked for."""

    def __init__(self, names: Sequence[str], measure: Callable[[str], NDArray[Any]]) -> None:
        self._names, self._measure = dict.fromkeys(names), measure
        self._known: dict[str, NDArray[Any]] = {}

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._known:
            self._known[name] = self._measure(name)
        return self._known[name]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __reduce__(self) -> tuple[type, tuple[dict[str, NDArray[Any]]]]:
        return dict, (dict(self),)


class Measures(Mapping[str, float]):
    """Numbers by name that are computed when they are first asked for."""

    def __init__(self, compute: Callable[[], Mapping[str, float]]) -> None:
        self._compute = compute

    @cached_property
    def _numbers(self) -> dict[str, float]:
        return dict(self._compute())

    def __getitem__(self, name: str) -> float:
        return self._numbers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def __repr__(self) -> str:
        return repr(self._numbers)

    def __reduce__(self) -> tuple[type, tuple[dict[str, float]]]:
        return dict, (self._numbers,)


@dataclass(frozen=True, eq=False)
class Numbers:
    """What is measured of the regions of one class mask, when it is asked for.

    `seen` are the columns that need the picture or its probabilities; they and `found` go by place, and `order` gives
    the places in the order of the picture's regions.
    """

    found: Regions
    seen: Mapping[str, NDArray[np.float64]]
    order: NDArray[np.int64]
    classes: Sequence[str]
    scale: Scale | None

    @cached_property
    def _defects(self) -> Defects:
        around = self.found.boxes
        return Defects(around.picture, around.value, MeasuredColumns(self._own, self._measured))

    def _measured(self, name: str) -> NDArray[Any]:
        """Measure one column by place."""
        if name in self.seen:
            return self.seen[name]
        # Measuring is many short calls of NumPy: threads at it together contend for the interpreter lock.
        with _ONE_AT_A_TIME:
            return np.asarray(BY_NAME[name].of(self.found))

    @property
    def _own(self) -> tuple[str, ...]:
        """The names of the columns in pixels."""
        return (*(one.name for one in COLUMNS if not one.needs), *self.seen)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, without measuring."""
        if self.scale is None:
            return self._own
        return tuple(name for one in self._own for name in (one, *names_in_millimetres(one)))

    @cached_property
    def columns(self) -> Columns:
        """The columns of the table of defects, (N,) each, in px and, with a scale, in mm."""
        return MeasuredColumns(self.names, self._ordered)

    def _ordered(self, name: str) -> NDArray[Any]:
        """Measure one column in the order of the picture's regions, in px or mm."""
        values = self._defects.columns
        if self.scale is None or name in values:
            return np.asarray(values[name][self.order], np.float64)
        own = next(one for one in self._own if name in names_in_millimetres(one))
        both = column_in_millimetres(own, values, self.scale)
        return np.asarray(both[names_in_millimetres(own).index(name)][self.order], np.float64)

    @cached_property
    def part(self) -> Measures:
        """The published columns of each class."""
        return Measures(self._part)

    def of_region(self, place: int) -> dict[str, float]:
        """Take the finite columns of one region."""
        own = ((name, float(values[place])) for name, values in self.columns.items())
        return {name: value for name, value in own if isfinite(value)}

    def _part(self) -> dict[str, float]:
        found, classes = self._defects, self.classes
        numbers = sorted(range(1, len(classes)), key=lambda number: stain_first(classes[number]))
        area = np.array([float(self.found.masks[0].size)])
        summaries = [
            (classes[number], "", part_summary(found, found.value == number, area))
            for number in numbers
        ]
        return {name: float(values[0]) for name, values in part_columns(summaries).items()}


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredPicture:
    """The defects of one picture, and their numbers in the order of `regions`; `size` is (height, width) in px."""

    regions: tuple[Region, ...]
    numbers: Numbers
    size: tuple[int, int]

    def as_part(self, image: str, p_value: float | None) -> MeasuredPart:
        """Convert to the part that a specification judges."""
        columns, scale = self.numbers.columns, self.numbers.scale
        places = np.stack([columns["centroid_x"], columns["centroid_y"]], axis=1)
        of_part = {"part_x": places[:, 0], "part_y": places[:, 1]}
        return MeasuredPart(
            image,
            tuple(region.label for region in self.regions),
            MeasuredColumns(
                (*columns, *of_part),
                lambda name: of_part[name] if name in of_part else columns[name],
            ),
            places,
            self.size,
            None if scale is None else scale.mm_per_px,
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
    height, width = found.class_mask.shape
    if not found.class_mask.any():
        nothing = _nothing(model.classes, found.probabilities is not None, scale)
        return MeasuredPicture((), nothing, (height, width))
    with _ONE_AT_A_TIME:
        peaks, numbers = _numbers(found, pixels, model.classes, model.merge, scale)
        if model.highest_first:
            numbers = replace(numbers, order=_highest_first(peaks, numbers.found.boxes))
        regions = _regions(numbers, peaks)
    return MeasuredPicture(regions, numbers, (height, width))


@lru_cache(64)
def _nothing(classes: tuple[str, ...], tells_classes: bool, scale: Scale | None) -> Numbers:
    """Measure a picture without defects: no number depends on the picture."""
    empty = np.zeros((1, 1), np.uint8)
    probabilities = np.zeros((len(classes), 1, 1), np.float32) if tells_classes else None
    found = Found(empty, (), np.zeros((1, 1), np.float32), 0.0, 0.0, "", {}, probabilities)
    return _numbers(found, np.zeros((1, 1, 3), np.uint8), classes, None, scale)[1]


def _numbers(
    found: Found,
    pixels: NDArray[np.uint8],
    classes: Sequence[str],
    merge: float | None,
    scale: Scale | None,
) -> tuple[list[float], Numbers]:
    """Find the peaks of regions by place, and their numbers in that order."""
    # Not with sub-pixel contours: they follow equal probabilities, the mask follows the recipe's thresholds.
    regions = find_regions(
        [found.class_mask],
        merge=-1 if merge is None else merge,
        cluster=0,
        smallest=1,
        pictures=None,
        probabilities=None,
    )
    held = values_of_regions(regions.labelled, found.planes)
    seen = {"contrast": contrasts(regions.labelled, regions.boxes, [found.class_mask], [pixels])}
    if found.probabilities is not None:
        seen["probability"] = np.array([values.mean() for values in held], np.float64)
    order = np.arange(regions.labelled.count)
    return [float(values.max()) for values in held], Numbers(regions, seen, order, classes, scale)


def _highest_first(peaks: Sequence[float], around: Boxes) -> NDArray[np.int64]:
    """Sort places by peak, the highest first; equal ones from top to bottom, then from left to right."""
    return np.lexsort((around.left, around.top, -np.array(peaks)))


def _regions(numbers: Numbers, peaks: Sequence[float]) -> tuple[Region, ...]:
    around, found = numbers.found.boxes, numbers.found
    left, top, value = around.left.tolist(), around.top.tolist(), around.value.tolist()
    width, height = (around.right - around.left).tolist(), (around.bottom - around.top).tolist()
    return tuple(
        Region(
            numbers.classes[value[k]],
            (left[k], top[k], width[k], height[k]),
            np.concatenate(found.contours[k]),
            float(found.area[k]),
            peaks[k],
            measures=Measures(partial(numbers.of_region, place)),
        )
        for place, k in enumerate(numbers.order.tolist())
    )
