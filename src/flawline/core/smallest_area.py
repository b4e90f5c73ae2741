"""Choose the smallest area that counts as a defect of each class, by what is marked on parts without a defect."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flawline.core.threshold import (
    OverkillGuarantee,
    guaranteed_overkill,
    overkill_threshold,
    pictures_needed,
)
from flawline.core.words import counted

MOST_LOST = 0.05
"""Largest share of the parts with a class for which none of its regions may count any more."""
FEW_PARTS = 5
"""With fewer parts that show a class its smallest area is not raised: too little is known of its defects."""

Areas = Mapping[int, int]
"""Pixels of the largest marked region of each class of defects, by the number of the class; no mark, no entry."""


@dataclass(frozen=True, slots=True)
class ChosenAreas:
    """The smallest area of a region of each class of defects, px, in their order.

    `lost` is the share of the parts with a class that it loses at most, `guarantee` the promise about good parts, None
    where none can be made. `rejected` of `good` validation parts without a defect still have a region.
    """

    smallest: tuple[int, ...]
    lost: float
    guarantee: OverkillGuarantee | None
    rejected: int
    good: int
    message: str


def choose_smallest(
    good: Mapping[str, Areas],
    bad: Mapping[str, Areas],
    classes: int,
    *,
    overkill: float = 0.05,
    confidence: float = 0.95,
) -> ChosenAreas:
    """Choose the smallest area of each class so that at most `overkill` of the good parts are rejected.

    The areas of all classes rise together, with the share of the parts with a class that they lose: at a share of k / n
    the smallest area of a class is that of its k-th smallest part of n, counted from 0. A part is lost for a class
    where none of its regions of the class counts any more; its largest one decides. The score of a good part is the
    share at which none of its regions counts any more, so the tolerance limit of `overkill_threshold` holds for it. The
    share is not raised above `MOST_LOST`: an escape costs more than overkill.

    Args:
        good: for each validation part without a defect the areas marked on it.
        bad: for each part with a defect those of regions that touch a true one of their class.
        classes: number of classes of defects.
        overkill: share of good parts that may be rejected, above 0 and below 1.
        confidence: of the promise, above 0 and below 1.

    Raises:
        UsageError: a share outside its range.
    """
    needed = pictures_needed(overkill, confidence)
    ladders = [_ladder(bad, number) for number in range(1, classes + 1)]
    scores = np.sort([_score(areas, ladders) for areas in good.values()])
    guarantee, level = None, -1.0
    if len(scores) >= needed:
        # A part that no area clears scores above all others.
        guarantee = overkill_threshold(np.minimum(scores, 2.0), overkill, confidence)
        level = guarantee.threshold
    if guarantee is None or level > MOST_LOST:
        allowed = scores[scores <= MOST_LOST]
        level = float(allowed[-1]) if len(allowed) else -1.0
        guarantee = _promise(scores, level, confidence)
    smallest = tuple(_at(ladder, level) for ladder in ladders)
    rejected = int((scores > level).sum())
    lost = max(0.0, level)
    message = _message(lost, guarantee, rejected, len(scores), overkill, needed)
    return ChosenAreas(smallest, lost, guarantee, rejected, len(scores), message)


def _ladder(bad: Mapping[str, Areas], number: int) -> NDArray[np.int64]:
    """List the largest areas of a class by part in rising order, none where too few parts show it."""
    own = sorted(areas[number] for areas in bad.values() if number in areas)
    return np.array(own if len(own) >= FEW_PARTS else [], np.int64)


def _score(areas: Areas, ladders: Sequence[NDArray[np.int64]]) -> float:
    """Compute the share at which no region counts any more: -1 where nothing is marked, infinite where none does."""
    return max((_lost(ladders[number - 1], area) for number, area in areas.items()), default=-1.0)


def _lost(ladder: NDArray[np.int64], area: int) -> float:
    place = int(np.searchsorted(ladder, area, side="right"))
    return place / len(ladder) if place < len(ladder) else math.inf


def _at(ladder: NDArray[np.int64], level: float) -> int:
    """Return the smallest area at a share; 1 px below 0."""
    if level < 0 or not len(ladder):
        return 1
    # A share is a place over a length; the division must not lose the place.
    return int(ladder[min(math.floor(level * len(ladder) + 1e-9), len(ladder) - 1)])


def _promise(
    scores: NDArray[np.float64], level: float, confidence: float
) -> OverkillGuarantee | None:
    """Make the promise that the parts up to a level allow."""
    rank = int((scores <= level).sum())
    if not rank:
        return None
    share = guaranteed_overkill(len(scores), rank, confidence)
    return OverkillGuarantee(level, share, confidence, len(scores), rank)


def _message(
    lost: float,
    guarantee: OverkillGuarantee | None,
    rejected: int,
    good: int,
    overkill: float,
    needed: int,
) -> str:
    if not good:
        return (
            "smallest area 1 px for every class: no validation part is without a defect, so what is marked falsely is "
            "not known; add some good parts"
        )
    text = (
        f"smallest areas of the classes: {rejected} of {counted(good, 'validation part')} without a defect "
        f"{'keeps' if rejected == 1 else 'keep'} a marked region"
    )
    if lost:
        text += f", {100 * lost:.2g} % of the parts with a class lose theirs"
    if guarantee is None:
        return f"{text}; nothing can be promised"
    text += f"; rejects {guarantee}"
    if guarantee.overkill <= overkill:
        return text
    if good < needed:
        return f"{text} ({100 * overkill:g} % takes {needed} good parts)"
    return (
        f"{text} ({100 * overkill:g} % would lose more than {100 * MOST_LOST:g} % of the defects)"
    )
