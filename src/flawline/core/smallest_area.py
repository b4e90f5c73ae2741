"""Choose the smallest area that counts as a defect, from what a segmenter marks where there is none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MOST_FALSE = 0.01
"""Largest share of the pictures without a class in which a region of it may be left."""
MOST_LOST = 0.05
"""Largest share of the real defects that may be left out."""


@dataclass(frozen=True, slots=True)
class ChosenArea:
    """The smallest area that counts, px; `message` says what it rests on."""

    smallest: int
    message: str


def choose_smallest(false: Sequence[int], real: Sequence[int]) -> ChosenArea:
    """Choose the smallest area by validation.

    Args:
        false: for each picture and each class that it does not show, pixels of the largest region marked as it; 0 where
            nothing is marked.
        real: pixels of every real defect, by its mask.

    Returns:
        The least area with which at most `MOST_FALSE` of the pictures without a class have a region of it, but none
        that would leave out more than `MOST_LOST` of the real defects; 1 where there is nothing to choose by.
    """
    if not len(false):
        return ChosenArea(
            1, "smallest area 1 px: no validation picture lacks a class, so its noise is not known"
        )
    ordered = sorted(false)
    wanted = ordered[-1 - math.floor(MOST_FALSE * len(ordered))] + 1
    most = int(np.quantile(real, MOST_LOST, method="lower")) if len(real) else wanted
    smallest = max(1, min(wanted, most))
    left = sum(area >= smallest for area in ordered)
    text = (
        f"smallest area {smallest} px: {left} of {len(ordered)} times a region of a class is left on a validation "
        "picture without it"
    )
    if smallest < wanted:
        text += f"; {wanted} px would leave out more than {100 * MOST_LOST:g} % of the real defects"
    return ChosenArea(smallest, text)
