"""Find regions of a mask where a model is sure of another class, by the kind of mistake."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
# Share of the pixels of a region that must lie next to the same class, so that its ragged end may reach further.
_MOST = 0.8

Mask = NDArray[np.uint8]
Places = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class SuspiciousRegion:
    """Pixels, bool (height, width) in a box (left, top, width, height), labelled as one class and seen as another.

    `kind` is "missing" (labelled as background), "extra" (a mark on background), "class" (one defect taken for another)
    or "border" (missing or extra next to the same class). `confidence` is the mean probability of the class seen.
    `shift` (x, y) says how far to the right and down the mark of a shifted one lies of its place, px; None elsewhere.
    """

    kind: Kind
    given: int
    seen: int
    box: tuple[int, int, int, int]
    pixels: Places
    confidence: float
    shift: tuple[int, int] | None = None

    @property
    def area(self) -> int:
        """Number of pixels."""
        return int(self.pixels.sum())


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """A mask uint8 (H, W) and the prediction of a model that did not learn from it.

    `probabilities` are (C, H, W), `balanced` those in units of the classes' thresholds, `seen` the classes that the
    model is sure of, `quality` the local quality of the mask by `balanced`
    (`flawline.jobs.train.audit.label_quality`).
    """

    mask: Mask
    probabilities: NDArray[np.float32]
    balanced: NDArray[np.float32]
    seen: Mask
    quality: NDArray[np.float32]


def weigh(
    mask: Mask, probabilities: NDArray[np.float32], thresholds: NDArray[np.float64]
) -> Evidence:
    """Hold a mask against probabilities (C, H, W), given the self-confidence (C,) of each class."""
    even = balanced(probabilities, thresholds)
    seen = confident_classes(probabilities, thresholds)
    return Evidence(mask, probabilities, even, seen, local_quality(mask, even))


def suspicious_regions(evidence: Evidence, limits: RegionLimits) -> tuple[SuspiciousRegion, ...]:
    """Find the regions of one mask that look wrong, the most pixels times confidence first.

    Connected pixels with one class given and another seen are a region where the local quality falls to
    `limits.quality` somewhere. For an extra mark its mean must fall to it, too. Pixels mostly within `limits.border`
    pixels of the same class in the other map belong to the border. No outline is exact, so they are a region only where
    the mark as a whole is too thin or too thick (`misfits`). Shifted marks are found in `mark_shifts`.
    """
    wrong = (evidence.mask != IGNORE) & (evidence.seen != IGNORE) & (evidence.mask != evidence.seen)
    found = [
        region
        for given, sees in _pairs(evidence, wrong)
        for region in _of_pair(evidence, wrong, given, sees, limits)
    ]
    return worst_first(found)


def worst_first(found: Iterable[SuspiciousRegion]) -> tuple[SuspiciousRegion, ...]:
    """Sort regions by pixels times confidence, the highest first."""
    return tuple(
        sorted(found, key=lambda one: (-one.area * one.confidence, one.box, one.given, one.seen))
    )


def marks_of(mask: Mask, classes: int) -> NDArray[np.int64]:
    """Count the connected regions of each class in a mask, int64 (C,); 0 for background."""
    counts = [_connected(mask == number)[0] - 1 for number in range(1, classes)]
    return np.array([0, *counts], np.int64)


def _pairs(evidence: Evidence, wrong: Places) -> Iterator[tuple[int, int]]:
    """List the classes given and seen in wrong pixels."""
    codes = evidence.mask[wrong].astype(np.int64) * (IGNORE + 1) + evidence.seen[wrong]
    return (divmod(code, IGNORE + 1) for code in np.unique(codes).tolist())


def _of_pair(
    evidence: Evidence, wrong: Places, given: int, sees: int, limits: RegionLimits
) -> Iterator[SuspiciousRegion]:
    """Find the regions that are labelled as `given` and seen as `sees`."""
    count, labels, boxes = _connected(wrong & (evidence.mask == given) & (evidence.seen == sees))
    areas = boxes[:, cv2.CC_STAT_AREA]
    least = np.ones(count, np.float32)
    np.minimum.at(least, labels.ravel(), evidence.quality.ravel())
    low = least <= limits.quality
    kind: Kind = "class" if given and sees else "missing" if sees else "extra"
    at_border = np.zeros(count, np.bool_)
    if kind != "class":
        at_border = _at_border(evidence, labels, areas, given, sees, limits.border)
        if at_border[1:].any():
            low = np.where(
                at_border, _at_misfits(evidence, labels, areas, given or sees, limits), low
            )
    if kind == "extra":
        low &= at_border | _mostly(labels, areas, _unseen(evidence, given, limits))
    for number in np.flatnonzero(low & (areas >= limits.smallest)).tolist():
        if number:
            own: Kind = "border" if at_border[number] else kind
            yield _region(evidence, own, given, sees, labels, boxes[number], number)


def _at_border(
    evidence: Evidence,
    labels: NDArray[np.int32],
    areas: NDArray[np.int32],
    given: int,
    sees: int,
    border: int,
) -> Places:
    """Tell which labels lie next to the same class in the other map: in the mask where missing, seen where extra."""
    other = evidence.mask == sees if sees else evidence.seen == given
    return _mostly(labels, areas, _grown(other, border))


def _at_misfits(
    evidence: Evidence,
    labels: NDArray[np.int32],
    areas: NDArray[np.int32],
    defect: int,
    limits: RegionLimits,
) -> Places:
    """Tell which labels belong to a mark of a class that does not fit its place."""
    wrong = misfits(
        evidence.mask == defect, evidence.mask == 0, evidence.balanced[defect], limits.border
    )
    return _mostly(labels, areas, _grown(wrong, limits.border))


def _unseen(evidence: Evidence, given: int, limits: RegionLimits) -> Places:
    """Find whole marks of a class of which hardly anything is seen."""
    count, labels, boxes = _connected(evidence.mask == given)
    sums = np.bincount(labels.ravel(), evidence.balanced[given].ravel(), count)
    low = sums <= limits.quality * boxes[:, cv2.CC_STAT_AREA]
    low[0] = False
    return np.asarray(low[labels])


def _region(
    evidence: Evidence,
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
    confidence = float(evidence.probabilities[sees, rows, columns][pixels].mean(dtype=np.float64))
    return SuspiciousRegion(kind, given, sees, (left, top, width, height), pixels, confidence)


def _connected(places: Places) -> tuple[int, NDArray[np.int32], NDArray[np.int32]]:
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(
        places.view(np.uint8), connectivity=8
    )
    return count, np.asarray(labels, np.int32), np.asarray(boxes, np.int32)


def _mostly(labels: NDArray[np.int32], areas: NDArray[np.int32], places: Places) -> Places:
    """Tell which labels have most of their pixels in `places`."""
    inside = np.bincount(labels[places], minlength=len(areas))
    return np.asarray(inside >= _MOST * areas)


def _grown(places: Places, reach: int) -> Places:
    """Find pixels within `reach` of some in `places`, by Euclidean distance."""
    if not places.any():
        return places
    away = cv2.distanceTransform((~places).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(away <= reach)
