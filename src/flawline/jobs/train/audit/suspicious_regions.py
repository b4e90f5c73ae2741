"""Regions of a mask where a model is sure of another class, told apart by the kind of mistake."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.segmentation_metrics import IGNORE
from flawline.jobs.train.audit.audit_settings import RegionLimits
from flawline.jobs.train.audit.label_quality import balanced, confident_classes, local_quality
from flawline.jobs.train.audit.region_fits import misfits

Kind = Literal["missing", "extra", "class", "border"]
KINDS: tuple[Kind, ...] = ("missing", "extra", "class", "border")
# Part of the pixels of a region that must lie beside the same class, so that its ragged end may reach further.
_MOST = 0.8

Mask = NDArray[np.uint8]
Places = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class SuspiciousRegion:
    """Pixels, bool (height, width) in a box (left, top, width, height), marked as one class and seen as another.

    `kind` is "missing" (marked as background), "extra" (a mark on background), "class" (one defect taken for another)
    or "border" (missing or extra beside the same class). `confidence` is the mean probability of the class seen.
    """

    kind: Kind
    given: int
    seen: int
    box: tuple[int, int, int, int]
    pixels: Places
    confidence: float

    @property
    def area(self) -> int:
        """Its pixels."""
        return int(self.pixels.sum())


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """A mask uint8 (H, W) and what a model that did not learn from it says of each pixel.

    `shares` are its probabilities (C, H, W), `even` those in units of the classes' thresholds, `seen` the classes that
    it is sure of, `quality` the local quality of the mask by `even` (`flawline.jobs.train.audit.label_quality`).
    """

    mask: Mask
    shares: NDArray[np.float32]
    even: NDArray[np.float32]
    seen: Mask
    quality: NDArray[np.float32]


def look(mask: Mask, shares: NDArray[np.float32], thresholds: NDArray[np.float64]) -> Looked:
    """What probabilities (C, H, W) say of a mask, given the self-confidence (C,) of each class."""
    even = balanced(shares, thresholds)
    seen = confident_classes(shares, thresholds)
    return Looked(mask, shares, even, seen, local_quality(mask, even))


def suspicious_regions(looked: Looked, limits: RegionLimits) -> tuple[SuspiciousRegion, ...]:
    """The regions of one mask that look wrong, the most pixels times confidence first.

    Connected pixels with one class given and another seen are a region where the local quality falls to
    `limits.quality` somewhere. An extra mark must look wrong as a whole: its mean falls to it, too. What lies mostly
    within `limits.border` pixels of the same class in the other map is a matter of the border. No outline is exact, so
    that is a region only where the mark as a whole does not fit: shifted, too thin or too thick (`misfits`).
    """
    wrong = (looked.mask != IGNORE) & (looked.seen != IGNORE) & (looked.mask != looked.seen)
    found = [
        region
        for given, sees in _pairs(looked, wrong)
        for region in _of_pair(looked, wrong, given, sees, limits)
    ]
    return tuple(sorted(found, key=lambda one: (-one.area * one.confidence, one.box)))


def marks_of(mask: Mask, classes: int) -> NDArray[np.int64]:
    """How many connected regions of each class a mask has, int64 (C,); 0 for background."""
    counts = [_connected(mask == number)[0] - 1 for number in range(1, classes)]
    return np.array([0, *counts], np.int64)


def _pairs(looked: Looked, wrong: Places) -> Iterator[tuple[int, int]]:
    """Classes given and seen in wrong pixels."""
    codes = looked.mask[wrong].astype(np.int64) * (IGNORE + 1) + looked.seen[wrong]
    return (divmod(code, IGNORE + 1) for code in np.unique(codes).tolist())


def _of_pair(
    looked: Looked, wrong: Places, given: int, sees: int, limits: RegionLimits
) -> Iterator[SuspiciousRegion]:
    """The regions that are marked as `given` and seen as `sees`."""
    count, labels, boxes = _connected(wrong & (looked.mask == given) & (looked.seen == sees))
    areas = boxes[:, cv2.CC_STAT_AREA]
    least = np.ones(count, np.float32)
    np.minimum.at(least, labels.ravel(), looked.quality.ravel())
    low = least <= limits.quality
    kind: Kind = "class" if given and sees else "missing" if sees else "extra"
    at_border = np.zeros(count, np.bool_)
    if kind != "class":
        at_border = _at_border(looked, labels, areas, given, sees, limits.border)
        if at_border[1:].any():
            low = np.where(
                at_border, _beside_misfits(looked, labels, areas, given or sees, limits), low
            )
    if kind == "extra":
        low &= at_border | _mostly(labels, areas, _unseen(looked, given, limits))
    for number in np.flatnonzero(low & (areas >= limits.smallest)).tolist():
        if number:
            own: Kind = "border" if at_border[number] else kind
            yield _region(looked, own, given, sees, labels, boxes[number], number)


def _at_border(
    looked: Looked,
    labels: NDArray[np.int32],
    areas: NDArray[np.int32],
    given: int,
    sees: int,
    border: int,
) -> Places:
    """Which labels lie beside the same class in the other map: marked where they are missing, seen where extra."""
    other = looked.mask == sees if sees else looked.seen == given
    return _mostly(labels, areas, _grown(other, border))


def _beside_misfits(
    looked: Looked,
    labels: NDArray[np.int32],
    areas: NDArray[np.int32],
    defect: int,
    limits: RegionLimits,
) -> Places:
    """Which labels belong to a mark of a class that does not fit its place."""
    wrong = misfits(looked.mask == defect, looked.mask == 0, looked.even[defect], limits.border)
    return _mostly(labels, areas, _grown(wrong, limits.border))


def _unseen(looked: Looked, given: int, limits: RegionLimits) -> Places:
    """Whole marks of a class of which next to nothing is seen."""
    count, labels, boxes = _connected(looked.mask == given)
    sums = np.bincount(labels.ravel(), looked.even[given].ravel(), count)
    low = sums <= limits.quality * boxes[:, cv2.CC_STAT_AREA]
    low[0] = False
    return np.asarray(low[labels])


def _region(
    looked: Looked,
    kind: Kind,
    given: int,
    sees: int,
    labels: NDArray[np.int32],
    box: NDArray[np.int32],
    number: int,
) -> SuspiciousRegion:
    left, top, width, height = (int(value) for value in box[:4])
    rows, columns = slice(top, top + height), slice(left, left + width)
    pixels = labels[rows, columns] == number
    confidence = float(looked.shares[sees, rows, columns][pixels].mean(dtype=np.float64))
    return SuspiciousRegion(kind, given, sees, (left, top, width, height), pixels, confidence)


def _connected(places: Places) -> tuple[int, NDArray[np.int32], NDArray[np.int32]]:
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(
        places.view(np.uint8), connectivity=8
    )
    return count, np.asarray(labels, np.int32), np.asarray(boxes, np.int32)


def _mostly(labels: NDArray[np.int32], areas: NDArray[np.int32], places: Places) -> Places:
    """Which labels have most of their pixels in `places`."""
    inside = np.bincount(labels[places], minlength=len(areas))
    return np.asarray(inside >= _MOST * areas)


def _grown(places: Places, reach: int) -> Places:
    """Pixels within `reach` of some in `places`, by Euclidean distance."""
    if not places.any():
        return places
    away = cv2.distanceTransform((~places).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(away <= reach)
