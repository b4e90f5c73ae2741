"""Find the least strength of differences that count, from good parts that a golden sample was not made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flawline.core.threshold import overkill_threshold, pictures_needed, tightest_threshold

OVERKILL, CONFIDENCE = 0.05, 0.95


def learnt_least(scores: NDArray[np.float64], floor: float) -> tuple[float, str]:
    """Find the strength above which at most 5 % of good parts lie with 95 % confidence, or as few as can be promised.

    Args:
        scores: (n,) the highest strength of each good part.
        floor: what it is at least, also where there are none.

    Returns:
        The strength, and what it rests on.
    """
    if not len(scores):
        return floor, "as set: no known good picture"
    enough = len(scores) >= pictures_needed(OVERKILL, CONFIDENCE)
    promise = (
        overkill_threshold(scores, OVERKILL, CONFIDENCE)
        if enough
        else tightest_threshold(scores, CONFIDENCE)
    )
    return max(floor, promise.threshold), str(promise)
