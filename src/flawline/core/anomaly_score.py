"""Compute the score of a picture from the raw scores of its cells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CELLS = 10
SHARE = 0.01


def image_score(scores: NDArray[np.float32], inside: NDArray[np.bool_] | None = None) -> float:
    """Average the highest cells of a map: a hundredth of the cells inside, at least one and at most ten.

    At most ten, because a defect does not grow with its picture.

    Args:
        scores: float32 (h, w), raw, higher is more anomalous.
        inside: bool (h, w), the cells to use; None for all.

    Raises:
        ValueError: no cell is inside.
    """
    values = scores.ravel() if inside is None else scores[inside]
    if not len(values):
        raise ValueError("expected a map with at least one cell inside")
    count = max(1, min(CELLS, round(SHARE * len(values))))
    return float(np.partition(values, len(values) - count)[-count:].mean(dtype=np.float64))
