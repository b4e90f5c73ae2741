"""Compute the score of a picture from the raw scores of its cells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SHARE = 0.001
CELLS = 3
EARLIER_CELLS = 10
"""Of a memory of patches, and of recipes that do not say how many: those that version 0.1 trained."""


def scored_cells(count: int, cells: int) -> int:
    """How many of `count` cells, at least one, a score is the mean of; `cells` as for `image_score`."""
    return max(1, min(cells, round(SHARE * cells * count)))


def image_score(
    scores: NDArray[np.float32],
    inside: NDArray[np.bool_] | None,
    cells: int,
) -> float:
    """Average the highest cells of a map: a thousandth of the cells inside, times `cells`, at least one.

    At most `cells`, because a defect does not grow with its picture; few, because a small one is in few.

    Args:
        scores: float32 (h, w), raw, higher is more anomalous.
        inside: bool (h, w), the cells to use; None for all.
        cells: the most cells, at least 1.

    Raises:
        ValueError: no cell is inside.
    """
    values = scores.ravel() if inside is None else scores[inside]
    if not len(values):
        raise ValueError("expected a map with at least one cell inside")
    count = scored_cells(len(values), cells)
    return float(np.partition(values, len(values) - count)[-count:].mean(dtype=np.float64))
