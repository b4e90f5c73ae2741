"""Inspect and draw the pictures of a report: the mask outlined, and the result of each recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.drawing import class_colour, thumbnail
from flawline.data.masks import MaskSettings
from flawline.data.source import Source
from flawline.data.stream import map_pictures
from flawline.jobs.evaluate.class_masks import (
    SOURCE_MASKS,
    class_masks_for,
    open_class_masks,
)
from flawline.jobs.evaluate.masks import RegionMask, read_masks
from flawline.types import Picture, Sample, Unjudged

if TYPE_CHECKING:
    from flawline.inspector import Inspector
from flawline.inspector.overlay import inspection_overlay

SIDE = 420
# Sky blue of Okabe and Ito's palette: everybody can distinguish it from the vermilion of reported regions.
_TRUTH = (86, 180, 233)
_Outline = tuple[tuple[int, int, int], NDArray[np.float64]]


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A picture with its mask outlined, and its heat map or predicted classes by each recipe, all uint8 RGB."""

    picture: NDArray[np.uint8]
    heats: tuple[NDArray[np.uint8], ...]


def show(
    source: Source,
    samples: Sequence[Sample],
    inspectors: Sequence[Inspector],
    masks: MaskSettings = SOURCE_MASKS,
) -> Mapping[str, Shown]:
    """Read samples and inspect them once more with every recipe; those that can no longer be read are missing.

    `masks` are those of the evaluation: class masks are outlined in the colours of their classes.
    """
    outlines = _truth(source, samples, inspectors, masks)
    drawn = [_drawn(source, samples, inspector) for inspector in inspectors]
    return {
        sample.name: Shown(
            _with_truth(drawn[0][sample.name][0], outlines.get(sample.name, ())),
            tuple(one[sample.name][1] for one in drawn),
        )
        for sample in samples
        if all(sample.name in one for one in drawn)
    }


def _drawn(
    source: Source, samples: Sequence[Sample], inspector: Inspector
) -> dict[str, tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Draw every sample small, plain and with its heat map, by name."""

    def draw(picture: Picture) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        inspection = inspector.inspect(picture)
        small = thumbnail(picture.pixels, SIDE)
        heat = inspection_overlay(small, inspection)
        return small, heat

    read = map_pictures(source, samples, draw, value_range=inspector.value_range)
    return {sample.name: pair for sample, pair in read if not isinstance(pair, Unjudged)}


def _truth(
    source: Source,
    samples: Sequence[Sample],
    inspectors: Sequence[Inspector],
    masks: MaskSettings,
) -> Mapping[str, Sequence[_Outline]]:
    """Outline the masks of samples, by name."""
    opened = open_class_masks(source, inspectors, masks)
    if opened is not None:
        kind = next((one for one in inspectors if one.model.tells_classes), inspectors[0])
        classes = class_masks_for(opened, kind)
        read = {sample.name: classes.read(sample) for sample in samples}
        return {n: _by_class(mask) for n, mask in read.items() if isinstance(mask, RegionMask)}
    return {
        sample.name: _outlines(mask.regions > 0, _TRUTH)
        for sample, mask in read_masks(source, samples)
        if not isinstance(mask, Unjudged)
    }


def _by_class(mask: RegionMask) -> list[_Outline]:
    assert mask.classes is not None
    outlines = []
    for number in np.unique(mask.codes).tolist():
        outlines += _outlines(mask.classes == number, class_colour(number))
    return outlines


def _outlines(places: NDArray[np.bool_], colour: tuple[int, int, int]) -> list[_Outline]:
    """Find outlines, as shares of width and height."""
    contours, _ = cv2.findContours(places.view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    size = np.array(places.shape[::-1], float)
    return [(colour, (contour.reshape(-1, 2) + 0.5) / size) for contour in contours]


def _with_truth(pixels: NDArray[np.uint8], outlines: Sequence[_Outline]) -> NDArray[np.uint8]:
    drawn = np.ascontiguousarray(pixels).copy()
    for colour, outline in outlines:
        points = np.rint(outline * pixels.shape[1::-1] - 0.5).astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(drawn, [points], True, (0, 0, 0), 3, cv2.LINE_AA)
        cv2.polylines(drawn, [points], True, colour, 1, cv2.LINE_AA)
    return drawn
