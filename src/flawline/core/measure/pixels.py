"""Measures from pixel values: mean probability, sub-pixel contours, contrast to the surroundings."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.measure.level import level_contours, signed_field
from flawline.core.measure.outline import Points
from flawline.core.measure.ragged import Floats, expand
from flawline.core.measure.runs import Labelled, Mask
from flawline.core.measure.sums import Boxes

Maps = Sequence[NDArray[np.float32] | None]
RING = 5


def mean_probabilities(labelled: Labelled, probabilities: Maps) -> Floats:
    """Average the probability of its class over the pixels of each region; 0 where a mask has no probabilities."""
    runs = labelled.runs
    sums, sizes = np.zeros(labelled.count), np.zeros(labelled.count)
    for picture, planes in enumerate(probabilities):
        own = _runs_of(labelled, picture)
        if planes is None or own.start == own.stop:
            continue
        run, place = expand((runs.stop - runs.start)[own])
        x = runs.start[own][run] + place
        y, value = runs.row[own][run], runs.value[own][run]
        at = planes[value, y, x] if planes.ndim == 3 else planes[y, x]
        region = labelled.region[own][run]
        sums += np.bincount(region, at, labelled.count)
        sizes += np.bincount(region, minlength=labelled.count)
    return sums / np.maximum(sizes, 1)


def values_of_regions(
    labelled: Labelled, planes: Sequence[NDArray[np.float32]]
) -> list[NDArray[np.float32]]:
    """Take the values of its class's plane on the pixels of each region of one picture, row by row.

    `planes` are float32 (height, width) for class 1, 2 and so on.
    """
    order, runs = np.argsort(labelled.region, kind="stable"), labelled.runs
    run, place = expand((runs.stop - runs.start)[order])
    x, y = runs.start[order][run] + place, runs.row[order][run]
    value, region = runs.value[order][run], labelled.region[order][run]
    values = np.zeros(len(run), np.float32)
    for number in np.unique(runs.value).tolist():
        mine = value == number
        values[mine] = planes[number - 1][y[mine], x[mine]]
    sizes = np.bincount(region, minlength=labelled.count)
    return np.split(values, np.cumsum(sizes)[:-1]) if labelled.count else []


def subpixel(
    labelled: Labelled, masks: Sequence[Mask], probabilities: Maps
) -> tuple[Floats, list[tuple[Points, ...]]]:
    """Compute the area inside the sub-pixel contour of each region less its holes, and the contours.

    Where a mask has no probabilities the area is 0 and there is no contour.
    """
    area = np.zeros(labelled.count)
    rings: list[tuple[Points, ...]] = [()] * labelled.count
    for picture, (mask, planes) in enumerate(zip(masks, probabilities, strict=True)):
        if planes is None:
            continue
        numbers = _numbered(labelled, picture, mask.shape)
        for value in np.unique(labelled.runs.value[_runs_of(labelled, picture)]).tolist():
            inside = np.where(mask == value, numbers, -1)
            cleaned = np.where(inside >= 0, mask, 0).astype(np.uint8)
            contours, sizes = level_contours(signed_field(cleaned, planes, value), inside)
            own = np.unique(contours.regions)
            area[own] = sizes[own]
            every = contours.rings(labelled.count)
            for region in own.tolist():
                rings[region] = every[region]
    return area, rings


def contrasts(
    labelled: Labelled,
    around: Boxes,
    masks: Sequence[Mask],
    pictures: Sequence[NDArray[np.uint8] | None],
) -> Floats:
    """Compute the mean grey level of each region less that of its surroundings, -255 to 255.

    The surroundings are the pixels within 5 px that belong to no defect of any class; without any, all pixels of the
    picture that belong to none; without these, the contrast is 0. Grey is the luma of ITU-R BT.601.
    """
    contrast = np.zeros(labelled.count)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * RING + 1, 2 * RING + 1))
    for picture, (mask, pixels) in enumerate(zip(masks, pictures, strict=True)):
        if pixels is None:
            continue
        grey = grey_of(pixels)
        numbers = _numbered(labelled, picture, mask.shape)
        free = mask == 0
        for region in np.flatnonzero(around.picture == picture).tolist():
            rows = slice(max(0, int(around.top[region]) - RING), int(around.bottom[region]) + RING)
            columns = slice(
                max(0, int(around.left[region]) - RING), int(around.right[region]) + RING
            )
            inside = numbers[rows, columns] == region
            ring = (cv2.dilate(inside.view(np.uint8), disc) > 0) & free[rows, columns]
            crop = grey[rows, columns]
            outside = crop[ring] if ring.any() else grey[free]
            if len(outside):
                contrast[region] = float(crop[inside].mean()) - float(outside.mean())
    return contrast


def grey_of(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Convert a picture (h, w) or (h, w, 3) to grey (h, w)."""
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) if picture.ndim == 3 else picture  # type: ignore[return-value]


def _runs_of(labelled: Labelled, picture: int) -> slice:
    first, last = np.searchsorted(labelled.runs.picture, [picture, picture + 1])
    return slice(int(first), int(last))


def _numbered(labelled: Labelled, picture: int, shape: tuple[int, int]) -> NDArray[np.int64]:
    """Draw the region of each pixel (h, w), -1 for none."""
    runs, own = labelled.runs, _runs_of(labelled, picture)
    numbers = np.full(shape, -1)
    run, place = expand((runs.stop - runs.start)[own])
    numbers[runs.row[own][run], runs.start[own][run] + place] = labelled.region[own][run]
    return numbers
