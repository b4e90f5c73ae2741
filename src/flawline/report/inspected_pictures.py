"""Pictures of inspections inside a report: the picture with the outline of its mask, and the heat of each recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.drawing import heat_overlay, outline_regions, thumbnail
from flawline.data.source import Source
from flawline.data.stream import map_pictures
from flawline.evaluation.masks import mask_of
from flawline.report.pictures import data_address
from flawline.types import Picture, Sample, Unjudged

if TYPE_CHECKING:
    from flawline.inspector import Inspector

SIDE = 420
# Sky blue of Okabe and Ito's palette: beside the vermilion of reported regions, told apart by everybody.
_TRUTH = (86, 180, 233)


@dataclass(frozen=True, slots=True)
class Shown:
    """Data addresses: the picture with its mask outlined, and its heat by each recipe."""

    picture: str
    heats: tuple[str, ...]


def show(
    source: Source, samples: Sequence[Sample], inspectors: Sequence[Inspector]
) -> Mapping[str, Shown]:
    """Read samples and inspect them once more with every recipe; those that can no longer be read are missing."""
    masked = [replace(sample, name=sample.mask) for sample in samples if sample.mask is not None]
    outlines = {
        sample.name: found
        for sample, found in map_pictures(source, masked, _outlines, value_range=(0, 255))
        if not isinstance(found, Unjudged)
    }
    drawn = [_drawn(source, samples, inspector) for inspector in inspectors]
    return {
        sample.name: Shown(
            _with_truth(drawn[0][sample.name][0], outlines.get(sample.mask or "")),
            tuple(one[sample.name][1] for one in drawn),
        )
        for sample in samples
        if all(sample.name in one for one in drawn)
    }


def _drawn(
    source: Source, samples: Sequence[Sample], inspector: Inspector
) -> dict[str, tuple[NDArray[np.uint8], str]]:
    """A small copy of every sample and its heat, by name."""

    def draw(picture: Picture) -> tuple[NDArray[np.uint8], str]:
        inspection = inspector.inspect(picture)
        small = thumbnail(picture.pixels, SIDE)
        heat = np.ascontiguousarray(heat_overlay(small, inspection.map, *inspector.heat_range))
        outline_regions(heat, inspection.regions, small.shape[0] / inspection.size[0])
        return small, data_address(heat)

    read = map_pictures(source, samples, draw, value_range=inspector.value_range)
    return {sample.name: found for sample, found in read if not isinstance(found, Unjudged)}


def _outlines(picture: Picture) -> list[NDArray[np.float64]]:
    """Outlines of a mask as shares of its width and height."""
    regions = mask_of(picture).regions
    found, _ = cv2.findContours(
        (regions > 0).view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE
    )
    size = np.array(regions.shape[::-1], float)
    return [(contour.reshape(-1, 2) + 0.5) / size for contour in found]


def _with_truth(pixels: NDArray[np.uint8], outlines: Sequence[NDArray[np.float64]] | None) -> str:
    drawn = np.ascontiguousarray(pixels).copy()
    for outline in outlines or ():
        points = np.rint(outline * pixels.shape[1::-1] - 0.5).astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(drawn, [points], True, (0, 0, 0), 3, cv2.LINE_AA)
        cv2.polylines(drawn, [points], True, _TRUTH, 1, cv2.LINE_AA)
    return data_address(drawn)
