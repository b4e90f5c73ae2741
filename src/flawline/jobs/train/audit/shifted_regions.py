"""Turn marks that lie beside their place into suspicious regions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from flawline.jobs.train.audit.audit_settings import RegionLimits
from flawline.jobs.train.audit.mark_shifts import MarkFit, mark_fits, sides
from flawline.jobs.train.audit.suspicious_regions import Evidence, SuspiciousRegion, worst_first

# A region with more than this share of its pixels on the sides of a shifted mark is told by the shift.
_SAME = 0.5
Places = NDArray[np.bool_]


def fits_of(evidence: Evidence, pixels: NDArray[np.uint8], limits: RegionLimits) -> list[MarkFit]:
    """Move the marks of a mask that are large enough to be listed over the predictions and the picture."""
    fits = mark_fits(evidence.mask, evidence.balanced, pixels, limits.border)
    return [fit for fit in fits if fit.pixels.sum() >= limits.smallest]


def shifted_regions(fit: MarkFit, evidence: Evidence) -> tuple[SuspiciousRegion, ...]:
    """Return what a mark covers too much, and what of the background it leaves out, each with its shift."""
    left, taken = sides(fit, evidence.mask)
    pairs = ((left, fit.value, 0), (taken, 0, fit.value))
    return tuple(
        _region(places, given, seen, fit, evidence) for places, given, seen in pairs if places.any()
    )


def with_shifted(
    regions: Sequence[SuspiciousRegion], shifted: Sequence[SuspiciousRegion]
) -> tuple[SuspiciousRegion, ...]:
    """Join the regions of one mask; those that a shifted mark explains are left out."""
    return worst_first([*(one for one in regions if not _explained(one, shifted)), *shifted])


def _explained(region: SuspiciousRegion, shifted: Sequence[SuspiciousRegion]) -> bool:
    if region.kind == "class":
        return False
    covered = np.zeros_like(region.pixels)
    for other in shifted:
        if (other.given, other.seen) == (region.given, region.seen):
            covered |= _seen_from(region.box, other)
    return bool((covered & region.pixels).sum() > _SAME * region.area)


def _seen_from(box: tuple[int, int, int, int], other: SuspiciousRegion) -> Places:
    """Return the pixels of a region in the box of another."""
    left, top, width, height = box
    places = np.zeros((height, width), np.bool_)
    rows, columns = np.nonzero(other.pixels)
    rows, columns = rows + other.box[1] - top, columns + other.box[0] - left
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    places[rows[inside], columns[inside]] = True
    return places


def _region(
    places: Places, given: int, seen: int, fit: MarkFit, evidence: Evidence
) -> SuspiciousRegion:
    rows, columns = np.flatnonzero(places.any(1)), np.flatnonzero(places.any(0))
    top, left = int(rows[0]), int(columns[0])
    part = slice(top, int(rows[-1]) + 1), slice(left, int(columns[-1]) + 1)
    pixels = places[part]
    confidence = float(evidence.probabilities[seen][part][pixels].mean(dtype=np.float64))
    box = (left, top, pixels.shape[1], pixels.shape[0])
    return SuspiciousRegion("border", given, seen, box, pixels, confidence, (-fit.x, -fit.y))
