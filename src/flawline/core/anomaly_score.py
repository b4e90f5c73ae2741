"""From the raw scores of cells to one score of a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CELLS = 10
SHARE = 0.01


def image_score(scores: NDArray[np.float32], inside: NDArray[np.bool_] | None = None) -> float:
    """The mean of the highest cells of a map: a hundredth of those that count, one at least and ten at most.

    A fixed number rather than a share of large maps: a defect does not get larger with the picture that it is in.

    Args:
        scores: float32 (h, w), raw, higher is odder.
        inside: bool (h, w), the cells that count; None for all.

    Raises:
        ValueError: no cell counts.
    """
    values = scores.ravel() if inside is None else scores[inside]
    if not len(values):
        raise ValueError("expected a map with at least one cell that counts")
    count = max(1, min(CELLS, round(SHARE * len(values))))
    return float(np.partition(values, len(values) - count)[-count:].mean(dtype=np.float64))
